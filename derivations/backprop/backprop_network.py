"""Fully connected layers of any depth and widths, for the claims about networks that stand on no board yet.

``Theta[l]`` and ``b[l]`` lead from layer l to layer l + 1, and are Theta_{l+1} and b_{l+1} in the notes. Layer
0 is the input, layer k the output. Where there are several samples, ``a`` numbers them, as in ``h[l, a, j]``.
"""

from typing import Any

from sympy import Eq, IndexedBase, Lambda, Max, Piecewise, Sum, Symbol, symbols, tanh

from gnomon.proof.derivation import opaque
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
SAMPLE, BATCH, PARAMETERS = real("x", n[0]), real("x", N, n[0]), (real("Theta", k, W, W), real("b", k, W))

Theta, b = symbols_of(PARAMETERS)
x, s, h = (IndexedBase(name, real=True) for name in ("x", "s", "h"))
l, a, i, j = symbols("l a i j", integer=True, nonnegative=True)

PADDING = (
    "The tensors count the layers from 0, so Theta[l] is the notes' Theta_{l+1}, and they are padded to the "
    "greatest width; the padding is never read."
)


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
