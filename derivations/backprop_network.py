"""The vocabulary of the claims about backpropagation: fully connected layers, of any depth and widths.

``Theta[l]`` and ``b[l]`` lead from layer l to layer l + 1, and are Theta_{l+1} and b_{l+1} in the notes. Layer
0 is the input, layer k the output. Where there are several samples, ``a`` numbers them, as in ``h[l, a, j]``.
"""

from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Lambda, Max, Piecewise, Sum, Symbol, symbols, tanh

from gnomon.proof.derivation import opaque
from gnomon.say.claim import Output
from gnomon.say.domain import Choice, Size, Sizes, real, symbols_of

W = 3  # the greatest width, to which the tensors of parameters are padded
Let = tuple[Any, Any]

sigma, dsigma, _ = opaque("sigma")
rho, drho, _ = opaque("rho")
u = Symbol("u", real=True)
LOGISTIC = (1 + tanh(u / 2)) / 2
CURVES = {
    "identity": (u, 1),
    "relu": (Max(u, 0), Piecewise((1, u > 0), (0, True))),
    "sigmoid": (LOGISTIC, LOGISTIC * (1 - LOGISTIC)),
    "tanh": (tanh(u), 1 - tanh(u) ** 2),
}


def _activation(name: str, labels: str, function: Any, derivative: Any) -> Choice:
    """A choice between curves; the first of the labels is the one that counterexamples are shown with."""
    options = {}
    for label in labels.split():
        curve, slope = CURVES[label]
        options[label] = {function: Lambda(u, curve), derivative: Lambda(u, slope)}
    return Choice(name, options)


biases = Symbol("biases", integer=True)
DEPTH, DEEP, SAMPLES = Size("k", 1, 3), Size("k", 2, 3), Size("N", 1, 2)
WIDTHS = Sizes("n", DEPTH.symbol + 1, 1, W)
NETWORK = (
    WIDTHS,
    _activation("activation", "tanh relu sigmoid identity", sigma, dsigma),
    _activation("output_activation", "sigmoid identity tanh relu", rho, drho),
    Choice("biases", {"yes": {biases: 1}, "no": {biases: 0}}),
)
k, n, N = symbols_of((DEPTH, WIDTHS, SAMPLES))
SAMPLE, TARGET, PARAMETERS = real("x", n[0]), real("y", n[k]), (real("Theta", k, W, W), real("b", k, W))
BATCH, TARGETS = real("x", N, n[0]), real("y", N, n[k])

Theta, b = symbols_of(PARAMETERS)
x, y, s, h, delta, dTheta, db, dx = (
    IndexedBase(name, real=True) for name in ("x", "y", "s", "h", "delta", "dTheta", "db", "dx")
)
l, a, i, j, q = symbols("l a i j q", integer=True, nonnegative=True)

PADDING = (
    "The tensors count the layers from 0, so Theta[l] is the notes' Theta_{l+1}, and they are padded to the "
    "greatest width; the padding is never read."
)
SMOOTH = "the activations are differentiable where they are applied; at a kink any slope between is accepted"


def within(entry: Any, *inside: Any) -> Any:
    """What is shown of a layer: its entry, and zero beyond its widths."""
    for condition in inside:
        entry = Piecewise((entry, condition), (0, True))
    return entry


def affine(*a: Any, weight: Any = Theta[l - 1, i, j], below: Any = None, bias: Any = b[l - 1, j]) -> Let:
    """``s = Theta^T h + b``, with the bias left out where the network has none."""
    below = h[(l - 1, *a, i)] if below is None else below
    return s[(l, *a, j)], Sum(weight * below, (i, 0, n[l - 1] - 1)) + within(bias, Eq(biases, 1))


def activated(*a: Any, first: Any = None, hidden: Any = None, last: Any = None) -> Let:
    """``h_0 = x``, ``h_l = sigma(s_l)``, and ``h_k = rho(s_k)``."""
    first = x[(*a, j)] if first is None else first
    hidden = sigma(s[(l, *a, j)]) if hidden is None else hidden
    last = rho(s[(l, *a, j)]) if last is None else last
    return h[(l, *a, j)], Piecewise((first, Eq(l, 0)), (last, Eq(l, k)), (hidden, True))


def forward(*a: Any) -> tuple[Let, Let]:
    """The forward pass."""
    return affine(*a), activated(*a)


def handed_back(*a: Any, weight: Any = Theta[l, j, q]) -> Any:
    """``Theta_{l+1} delta_{l+1}``: what the layer above hands back to unit j of layer l."""
    return Sum(weight * delta[(l + 1, *a, q)], (q, 0, n[l + 1] - 1))


def output_delta(*a: Any) -> Any:
    """The derivative of half the squared error by the last pre-activation."""
    return -(y[(*a, j)] - h[(k, *a, j)]) * drho(s[(k, *a, j)])


def deltas(*a: Any, last: Any = None, hidden: Any = None) -> Let:
    """The deltas, from the last layer down."""
    last = output_delta(*a) if last is None else last
    hidden = dsigma(s[(l, *a, j)]) * handed_back(*a) if hidden is None else hidden
    return delta[(l, *a, j)], Piecewise((last, Eq(l, k)), (hidden, True))


def over_samples(term: Any, *a: Any) -> Any:
    """The sum over the samples, where there are several."""
    return Sum(term, (a[0], 0, N - 1)) if a else term


def by_weights(*a: Any, term: Any = None) -> Let:
    """``h_{l-1} delta_l^T``, summed over the samples."""
    term = h[(l, *a, i)] * delta[(l + 1, *a, j)] if term is None else term
    return dTheta[l, i, j], over_samples(term, *a)


def by_biases(*a: Any, term: Any = None) -> Let:
    """``delta_l``, summed over the samples."""
    return db[l, j], over_samples(delta[(l + 1, *a, j)] if term is None else term, *a)


def by_input(*a: Any, weight: Any = Theta[0, i, j]) -> Let:
    """``Theta_1 delta_1`` for each sample."""
    return dx[(*a, i)], Sum(weight * delta[(1, *a, j)], (j, 0, n[1] - 1))


def followed(pull: Any, *a: Any) -> tuple[Let, ...]:
    """The gradients from first principles: how the outputs move with each weight, each bias and each input.

    ``pull`` is the derivative of the loss by output j.
    """
    m, p, r = symbols("m p r", integer=True, nonnegative=True)
    with_weight, with_bias, with_input = (IndexedBase(f"dh_{by}", real=True) for by in ("Theta", "b", "x"))
    slope = Piecewise((drho(s[(l, *a, j)]), Eq(l, k)), (dsigma(s[(l, *a, j)]), True))

    def passed_on(moves: Any, *by: Any) -> Any:
        return slope * Sum(Theta[l - 1, i, j] * moves[(l - 1, *a, i, *by)], (i, 0, n[l - 1] - 1))

    def loss_moves(moves: Any, *by: Any) -> Any:
        return Sum(pull * moves[(k, *a, j, *by)], (j, 0, n[k] - 1))

    first = slope * KroneckerDelta(j, r)
    weight_moves = Piecewise((first * h[(m, *a, p)], Eq(l, m + 1)), (passed_on(with_weight, m, p, r), True))
    bias_moves = Piecewise((first, Eq(l, m + 1)), (passed_on(with_bias, m, r), True))
    input_moves = Piecewise((KroneckerDelta(j, p), Eq(l, 0)), (passed_on(with_input, p), True))
    return (
        (with_weight[(l, *a, j, m, p, r)], weight_moves),
        (with_bias[(l, *a, j, m, r)], bias_moves),
        (with_input[(l, *a, j, p)], input_moves),
        (dTheta[m, p, r], over_samples(loss_moves(with_weight, m, p, r), *a)),
        (db[m, r], over_samples(loss_moves(with_bias, m, r), *a)),
        (dx[(*a, p)], loss_moves(with_input, p)),
    )


def layers_of_weights(name: str, entry: Any) -> Output:
    """One matrix for each layer."""
    return Output(name, within(entry, i < n[l], j < n[l + 1]), (l, 0, k - 1), (i, 0, W - 1), (j, 0, W - 1))


def layers_of_biases(name: str, entry: Any) -> Output:
    """One vector for each layer, where the network has biases."""
    return Output(name, within(entry, Eq(biases, 1), j < n[l + 1]), (l, 0, k - 1), (j, 0, W - 1))


def layers_of_units(name: str, base: Any) -> Output:
    """A number for each unit of the layers 1 to k."""
    return Output(name, within(base[l + 1, j], j < n[l + 1]), (l, 0, k - 1), (j, 0, W - 1))


def gradients(*a: Any) -> tuple[Output, Output, Output]:
    """The gradients by weights, biases and input."""
    samples = ((a[0], 0, N - 1),) if a else ()
    return (
        layers_of_weights("dTheta", dTheta[l, i, j]),
        layers_of_biases("db", db[l, j]),
        Output("dx", dx[(*a, i)], *samples, (i, 0, n[0] - 1)),
    )
