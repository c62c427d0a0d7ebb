"""The vocabulary of the claims about what recurrent networks are asked to do.

W, U and b belong to the cell, V and d to the readout; F feeds an output back, G and e belong to a decoder's cell. ``a``
numbers the samples, t the steps of the input and s those of an output that is made, both from 1.
"""

from typing import Any

from sympy import Eq, IndexedBase, Integer, Piecewise, Sum, symbols, tanh

from gnomon.proof.derivation import opaque
from gnomon.say.claim import Output
from gnomon.say.domain import Size, real, symbols_of

SECTION = "1.4.4"
Let = tuple[Any, Any]
INPUTS, HIDDEN, TIME, STEPS = Size("I", 1, 2), Size("H", 1, 2), Size("T", 1, 2), Size("S", 1, 3)
I, H, T, S = symbols_of((INPUTS, HIDDEN, TIME, STEPS))
N, K = Integer(2), Integer(2)  # samples and outputs, two of each

ENCODER = (real("W", H, I), real("U", H, H), real("b", H))
READOUT = (real("V", K, H), real("d", K))
FEEDBACK = real("F", H, K)
DECODER = (FEEDBACK, real("G", H, H), real("e", H))
W, U, b, V, d, F, G, e = symbols_of((*ENCODER, *READOUT, *DECODER))
NAMES = {"weight_ih": "W", "weight_hh": "U", "bias_h": "b", "weight_ho": "V", "bias_o": "d"}
DECODER_NAMES = {"decoder_weight_fh": "F", "decoder_weight_hh": "G", "decoder_bias_h": "e"}

x, h, y, g, last, lengths, target = (
    IndexedBase(name, real=True) for name in ("x", "h", "y", "g", "last", "lengths", "target")
)
t, s, a, j, k, l, p, q, r = symbols("t s a j k l p q r", integer=True, nonnegative=True)
sigma, dsigma, _ = opaque("sigma")


def affine(known: Any, before: Any) -> Any:
    """``W u + U h + b``; there is no h before the first step."""
    by_state = Sum(U[j, k] * before, (k, 0, H - 1))
    return Sum(W[j, k] * known, (k, 0, I - 1)) + Piecewise((0, Eq(t, 1)), (by_state, True)) + b[j]


def encoded(known: Any = x[a, t - 1, k], before: Any = h[t - 1, a, k]) -> Let:
    """``h_t = tanh(W x_t + U h_{t-1} + b)`` with h_0 = 0."""
    return h[t, a, j], tanh(affine(known, before))


def read(state: Any) -> Any:
    """``V h + d`` for output q."""
    return Sum(V[q, k] * state, (k, 0, H - 1)) + d[q]


def outputs(count: Any, entry: Any) -> Output:
    """An output for each sample and step."""
    return Output("y", entry, (a, 0, N - 1), (p, 0, count - 1), (q, 0, K - 1))


def options(*call: str, **more: str) -> dict[str, Any]:
    """What the driver needs: sizes, parameters and the arguments of the call."""
    return {"args": ("I", "H", int(K)), "parameters": {**NAMES, **more}, "call": call}


# ---------------------------------------------------------------- two steps, for proofs


def pre(known: Any, row: Any, below: Any = None) -> Any:
    """The pre-activation of a cell, for a proof: of an input, and of a hidden state below(k)."""
    by_input = Sum(W[row, k] * known[k], (k, 0, I - 1)) + b[row]
    return by_input if below is None else by_input + Sum(U[row, l] * below(l), (l, 0, H - 1))


x1, x2 = IndexedBase("x_1", real=True), IndexedBase("x_2", real=True)


def first(row: Any) -> Any:
    return sigma(pre(x1, row))


def second(row: Any) -> Any:
    return sigma(pre(x2, row, first))


def last_read() -> Any:
    return Sum(V[q, j] * second(j), (j, 0, H - 1)) + d[q]


def by_first() -> Any:
    """How the second output moves with the first input."""
    through = Sum(U[j, l] * dsigma(pre(x1, l)) * W[l, r], (l, 0, H - 1))
    return Sum(V[q, j] * dsigma(pre(x2, j, first)) * through, (j, 0, H - 1))
