"""The vocabulary of the claims about recurrent networks: one layer, unfolded in time.

The states are numbered as in the notes: h[0] is given, and h[t] has read the inputs up to x_t, which the tensors
count from 0, as ``x[t - 1]``. W leads from state to state (Theta_hh), U from input to state (Theta_xh), and both are
stored as torch stores them, (out, in). Where there are several sequences, ``a`` numbers them, as in ``h[t, a, j]``.
"""

from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Lambda, Max, Piecewise, Sum, Symbol, symbols, tanh

from gnomon.proof.derivation import Step, opaque
from gnomon.say.domain import Choice, Size, real, symbols_of

Let = tuple[Any, Any]

sigma, dsigma, _ = opaque("sigma")
u = Symbol("u", real=True)
CURVES: dict[str, tuple[Any, Any]] = {
    "tanh": (tanh(u), 1 - tanh(u) ** 2),
    "relu": (Max(u, 0), Piecewise((1, u > 0), (0, True))),
}


def nonlinearity(*labels: str) -> Choice:
    """A choice of the nonlinearity and its slope."""
    meanings = {label: (Lambda(u, curve), Lambda(u, slope)) for label, (curve, slope) in CURVES.items()}
    return Choice("nonlinearity", {name: {sigma: meanings[name][0], dsigma: meanings[name][1]} for name in labels})


NONLINEARITY = nonlinearity("tanh", "relu")
STEPS, WIDTH, INPUTS, SAMPLES = Size("T", 1, 4), Size("n", 1, 3), Size("d", 1, 2), Size("N", 1, 2)
T, n, d, N = symbols_of((STEPS, WIDTH, INPUTS, SAMPLES))
INPUT_WEIGHT, WEIGHT, BIAS = real("weight_ih", n, d), real("weight_hh", n, n), real("bias", n)
U, W, b = symbols_of((INPUT_WEIGHT, WEIGHT, BIAS))
SEQUENCE, START, GIVEN = real("x", T, d), real("h0", n), real("g", T, n)
BATCH = real("x", T, N, d), real("h0", N, n), real("g", T, N, n)
x, h0, g = symbols_of((SEQUENCE, START, GIVEN))

h, s, delta, J = (IndexedBase(name, real=True) for name in ("h", "s", "delta", "J"))
t, r, i, j, k, p, q, a = symbols("t r i j k p q a", integer=True, nonnegative=True)

SMOOTH = "σ is differentiable where it is applied; at a kink any slope between is accepted"
UNITS, FEATURES = (j, 0, n - 1), (k, 0, d - 1)


def units(index: Any) -> tuple[Any, Any, Any]:
    """The range of a unit."""
    return index, 0, n - 1


def affine(*a: Any, recurrent: Any = None, bias: Any = b[i]) -> Let:
    """``s_t = U x_t + W h_{t-1} + b``."""
    recurrent = Sum(W[i, j] * h[(t - 1, *a, j)], UNITS) if recurrent is None else recurrent
    return s[(t, *a, i)], Sum(U[i, k] * x[(t - 1, *a, k)], FEATURES) + recurrent + bias


def activated(*a: Any, first: Any = None) -> Let:
    """``h_t = sigma(s_t)``, and h_0 as given."""
    first = h0[(*a, i)] if first is None else first
    return h[(t, *a, i)], Piecewise((first, Eq(t, 0)), (sigma(s[(t, *a, i)]), True))


def unfolded(*a: Any, **more: Any) -> tuple[Let, Let]:
    """The forward pass."""
    return affine(*a, **more), activated(*a)


def stepped(slope: Any = None, weight: Any = W[i, k]) -> Let:
    """``J_t = diag(sigma'(s_t)) W J_{t-1}``, the derivative of h_t by h_0."""
    slope = dsigma(s[t, i]) if slope is None else slope
    onward = slope * Sum(weight * J[t - 1, k, j], units(k))
    return J[t, i, j], Piecewise((KroneckerDelta(i, j), Eq(t, 0)), (onward, True))


def jacobian_steps() -> tuple[Step, ...]:
    """One step's Jacobian, for every width."""
    eps, v, now = Symbol("epsilon", real=True), IndexedBase("v", real=True), h[t - 1, j]
    rest = Sum(U[p, k] * x[t - 1, k], FEATURES) + b[p]
    moved = Sum(W[p, j] * (now + eps * v[j]), UNITS) + rest
    onward = Sum(W[p, j] * v[j], UNITS)
    at = Sum(W[p, j] * now, UNITS) + rest
    return (
        Step(
            "differentiate",
            sigma(moved),
            dsigma(moved) * onward,
            why="the state before is moved along v",
            by=(eps,),
            wrong=(dsigma(moved) * Sum(W[j, p] * v[j], UNITS), onward),
        ),
        Step("substitute", dsigma(moved) * onward, dsigma(at) * onward, why="at the point itself", by=((eps, 0),)),
        Step(
            "differentiate",
            sigma(at),
            dsigma(at) * W[p, q],
            why="so that one step's Jacobian is diag(sigma'(s_t)) W",
            by=(h[t - 1, q],),
            wrong=(dsigma(at) * W[q, p],),
        ),
    )
