r"""Two hidden layers of bounded width: the network of the theorem, and an activation that can be computed.

The analytic activation of the theorem exists, but nobody can compute it. The smooth one of Guliyev and Ismailov can be:
on its n-th window, ``[2n - 1, 2n]``, it is an affine image of the n-th polynomial with rational coefficients, so that
a single neuron, at the right place, is any such polynomial on [0, 1]. Windows lie so far out that no
floating-point number resolves them (for t^2 + 1/8 at 3.5e78): arguments are pairs of a whole number and a
fraction here, and values are exact fractions.

Sources: Maiorov and Pinkus, "Lower bounds for approximation by MLP neural networks", Neurocomputing 25
(1999); Guliyev and Ismailov, "A single hidden layer feedforward network with only one neuron in the hidden
layer can approximate any univariate function", Neural Computation 28 (2016); Calkin and Wilf, "Recounting
the rationals", American Mathematical Monthly 107 (2000).
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor, nn

__all__ = [
    "BoundedNetwork",
    "calkin_wilf",
    "calkin_wilf_index",
    "neuron",
    "polynomial",
    "polynomial_index",
    "two_layer_product",
    "universal_sigmoid",
]

Elementwise = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Elementwise] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "identity": lambda s: s,
}


def _resolve(sigma: str | Elementwise) -> Elementwise:
    if callable(sigma):
        return sigma
    if sigma not in ACTIVATIONS:
        raise ValueError(f"sigma must be callable or one of {list(ACTIVATIONS)}, got {sigma!r}")
    return ACTIVATIONS[sigma]


class BoundedNetwork(nn.Module):
    r"""Two hidden layers whose widths depend on the dimension alone: 6d + 3 outer units over 3d inner ones.

    .. math:: g(x) = \sum_{i=1}^{6d+3} d_i \, \sigma\Bigl(\sum_{j=1}^{3d} c_{ij}\,
              \sigma(w^{ij} \cdot x - \theta_{ij}) - \gamma_i\Bigr)

    As printed the inner units differ for each i: there are 3d (6d + 3) of them, and 18 d^3 + 45 d^2 + 30 d + 6
    real parameters. The theorem needs an activation of its own making; with the usual ones, whose networks of
    this size have finitely many degrees of freedom, it is false.

    Args:
        dimension: d.
        sigma: "tanh", "sigmoid", "relu", "identity" or an elementwise function.
        outer, inner: other widths than 6d + 3 and 3d.

    Parameters: ``d`` and ``gamma`` (outer,), ``c`` and ``theta`` (outer, inner), ``w`` (outer, inner, d).
    Shapes: input (\*, d), output (\*).
    Raises ``ValueError`` for a dimension or width below 1, an unknown sigma, or an input that is not (\*, d).
    Source: notes, section 1.1.2; Maiorov and Pinkus, "Lower bounds for approximation by MLP neural networks",
    Neurocomputing 25 (1999), theorem 4.

    >>> sum(parameter.numel() for parameter in BoundedNetwork(1).parameters())
    99
    """

    def __init__(
        self,
        dimension: int,
        sigma: str | Elementwise = "tanh",
        outer: int | None = None,
        inner: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        outer = 6 * dimension + 3 if outer is None else outer
        inner = 3 * dimension if inner is None else inner
        if min(dimension, outer, inner) < 1:
            raise ValueError(f"dimension and widths must be at least 1, got {dimension}, {outer} and {inner}")
        super().__init__()
        self.dimension, self.sigma = dimension, sigma
        self._sigma = _resolve(sigma)

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape, device=device, dtype=dtype))

        self.d, self.gamma = parameter(outer), parameter(outer)
        self.c, self.theta = parameter(outer, inner), parameter(outer, inner)
        self.w = parameter(outer, inner, dimension)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw each layer from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), thresholds and weights alike."""
        layers = {self.d: len(self.d), self.gamma: self.c.shape[1], self.c: self.c.shape[1]}
        for parameter, fan_in in (layers | {self.theta: self.dimension, self.w: self.dimension}).items():
            nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the network: (\\*, d) to (\\*)."""
        if x.shape[-1:] != (self.dimension,):
            raise ValueError(f"the input must be (*, {self.dimension}), got {tuple(x.shape)}")
        inner = self._sigma((self.w * x[..., None, None, :]).sum(-1) - self.theta)
        outer = self._sigma((self.c * inner).sum(-1) - self.gamma)
        return (self.d * outer).sum(-1)

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        outer, inner = self.c.shape
        return f"dimension={self.dimension}, sigma={self.sigma!r}, outer={outer}, inner={inner}"


def calkin_wilf(index: int) -> Fraction:
    r"""The positive rational with this number, from 1 on: every one has exactly one.

    .. math:: q_n = s(n) / s(n + 1), \qquad s(2n) = s(n), \quad s(2n + 1) = s(n) + s(n + 1), \quad s(1) = 1, s(0) = 0

    The binary digits of n, after the first, lead down a tree of fractions: 0 to a / (a + b), 1 to (a + b) / b.

    Raises ``ValueError`` for an index below 1.
    Source: Calkin and Wilf (2000).

    >>> [str(calkin_wilf(n)) for n in range(1, 8)]
    ['1', '1/2', '2', '1/3', '3/2', '2/3', '3']
    """
    if index < 1:
        raise ValueError(f"index must be at least 1, got {index}")
    a, b = 1, 1
    for digit in bin(index)[3:]:
        a, b = (a + b, b) if digit == "1" else (a, a + b)
    return Fraction(a, b)


def calkin_wilf_index(value: Fraction) -> int:
    """The number of a positive rational: the inverse of :func:`calkin_wilf`, by Euclid's algorithm.

    It has as many binary digits as the continued fraction's entries add up to.
    Raises ``ValueError`` unless the value is positive.

    >>> calkin_wilf_index(Fraction(3, 2))
    5
    """
    if value <= 0:
        raise ValueError(f"value must be positive, got {value}")
    a, b = value.numerator, value.denominator
    runs = []
    while a != b:  # in lowest terms they meet at 1
        digit, steps = ("1", (a - 1) // b) if a > b else ("0", (b - 1) // a)
        runs.append(digit * steps)
        a, b = (a - steps * b, b) if digit == "1" else (a, b - steps * a)
    return int("1" + "".join(reversed(runs)), 2)


def _rational(index: int) -> Fraction:
    """Every rational once, from the index 0 on: 0, then those of :func:`calkin_wilf` by turns minus and plus."""
    if index == 0:
        return Fraction(0)
    return calkin_wilf(index // 2) if index % 2 == 0 else -calkin_wilf((index + 1) // 2)


def _rational_index(value: Fraction) -> int:
    if value == 0:
        return 0
    return 2 * calkin_wilf_index(value) if value > 0 else 2 * calkin_wilf_index(-value) - 1


def polynomial(index: int) -> tuple[Fraction, ...]:
    """The coefficients, the constant one first, of the polynomial with this number, from 1 on: each has one.

    The entries of the continued fraction of the index's rational number the coefficients.
    Raises ``ValueError`` for an index below 1.
    Source: Guliyev and Ismailov (2016), section 3.

    >>> [[str(c) for c in polynomial(n)] for n in (1, 2, 3, 4)]
    [['0'], ['0', '-1'], ['-1'], ['0', '1']]
    """
    value = calkin_wilf(index)
    a, b, entries = value.numerator, value.denominator, []
    while b:
        entries.append(a // b)
        a, b = b, a % b
    if len(entries) == 1:
        return (_rational(entries[0] - 1),)
    return (_rational(entries[0]), *(_rational(entry - 1) for entry in entries[1:]))


def polynomial_index(coefficients: Sequence[Fraction | int]) -> int:
    """The number of a polynomial: the inverse of :func:`polynomial`.

    Keep to coefficients with short continued fractions: the digits of the number grow with 2 to their sum.
    Raises ``ValueError`` without coefficients, or if the last of several is zero.

    >>> polynomial_index([0, 1])
    4
    """
    if not coefficients or (len(coefficients) > 1 and coefficients[-1] == 0):
        raise ValueError(f"the last of the coefficients must not be zero, got {list(map(str, coefficients))}")
    entries = [_rational_index(Fraction(c)) for c in coefficients]
    entries = [entries[0] + (len(entries) == 1), *(entry + 1 for entry in entries[1:])]
    value = Fraction(entries[-1])
    for entry in reversed(entries[:-1]):
        value = entry + 1 / value
    return calkin_wilf_index(value)


def _evaluate(coefficients: Sequence[Fraction], x: Fraction) -> Fraction:
    total = Fraction(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def _between(coefficients: Sequence[Fraction], left: Fraction, width: Fraction) -> tuple[Fraction, Fraction]:
    """Rational bounds of a polynomial on [left, left + width]: the least and greatest Bernstein coefficient."""
    degree = len(coefficients) - 1
    zero = Fraction(0)
    moved = [
        sum((math.comb(k, j) * c * left ** (k - j) for k, c in enumerate(coefficients) if k >= j), zero) * width**j
        for j in range(degree + 1)
    ]
    bernstein = [
        sum((Fraction(math.comb(i, j), math.comb(degree, j)) * moved[j] for j in range(i + 1)), zero)
        for i in range(degree + 1)
    ]
    return min(bernstein), max(bernstein)


def _level(window: int) -> Fraction:
    """``h(2n + 1)``, below which the activation does not fall on the n-th window, nor on the bridge after it."""
    return 1 - LAMBDA / (2 * window + 1)


@lru_cache(maxsize=4096)
def _affine(window: int) -> tuple[Fraction, Fraction, tuple[Fraction, ...]]:
    """``(a, b, u)``: on its window the activation is a + b u; for a constant u it is the middle, a, with b = 1."""
    u, level = polynomial(window), _level(window)
    least, most = _between(u, Fraction(0), Fraction(1))
    if least == most:
        return (1 + level) / 2 - u[0], Fraction(1), u
    scale = (1 - level) / (3 * (most - least))
    return (1 + 2 * level) / 3 - scale * least, scale, u


LAMBDA = Fraction(1, 4)
"""How far the activation may stray from an increasing function: the lambda of "lambda-increasing"."""


def universal_sigmoid(window: int, offset: Fraction) -> Fraction:
    r"""The activation of Guliyev and Ismailov at ``2 window - 1 + offset``.

    .. math:: \sigma(2n - 1 + x) = a_n + b_n u_n(x), \quad 0 \le x \le 1, \qquad
              h(x) < \sigma(x) < 1, \quad h(x) = 1 - \frac{\lambda}{x}

    with u_n the n-th polynomial, and a_n, b_n such that the window's values lie in the middle third between
    h(2n + 1) and 1 (the paper has a logarithm in h and the exact extremes of u_n; rational bounds of them keep
    everything exact). Between the windows, for 1 < x < 2, smooth bridges, in double precision. It tends to 1; on the
    left of 1, where no window lies, any smooth way down to 0 will do, and none is given.

    Args:
        window: n, from 1 on.
        offset: x, from 0 to 2.

    Raises ``ValueError`` for a window below 1, or an offset outside [0, 2].
    Source: Guliyev and Ismailov (2016), section 2.

    >>> universal_sigmoid(4, Fraction(0)), universal_sigmoid(4, Fraction(1))
    (Fraction(53, 54), Fraction(107, 108))
    """
    if window < 1 or not 0 <= offset <= 2:
        raise ValueError(f"window must be at least 1 and offset in [0, 2], got {window} and {offset}")
    a, b, u = _affine(window)
    if offset <= 1:
        return a + b * _evaluate(u, offset)
    c, d, v = _affine(window + 1)
    before = [a + b * u[0], *(b * one for one in u[1:])]
    after = [c + d * v[0], *(d * one for one in v[1:])]
    middle = (_evaluate(before, Fraction(1)) + _evaluate(after, Fraction(0))) / 2
    room, level = Fraction(1, 3), _level(window)
    while not all(
        level < low and high < 1 for low, high in (_between(before, Fraction(1), room), _between(after, -room, room))
    ):
        room /= 2
    if offset <= 1 + room:
        fade = _fade((offset - 1) / room)
        return (1 - fade) * _evaluate(before, offset) + fade * middle
    if offset >= 2 - room:
        fade = _fade((offset - 2 + room) / room)
        return (1 - fade) * middle + fade * _evaluate(after, offset - 2)
    return middle


def _fade(t: Fraction) -> Fraction:
    """A smooth way from 0 to 1 whose derivatives of all orders vanish at both ends."""
    if t <= 0 or t >= 1:
        return Fraction(int(t >= 1))
    return Fraction(1 / (1 + math.exp(min(1 / float(t) - 1 / (1 - float(t)), 700.0))))


def neuron(coefficients: Sequence[Fraction | int], x: Fraction) -> Fraction:
    r"""A polynomial with rational coefficients on [0, 1], computed by one neuron with the weight 1.

    .. math:: u(x) = \frac{\sigma(x + 2n - 1) - a_n}{b_n}

    Leading coefficients that are zero are left off.
    Raises ``ValueError`` without coefficients, or for an x outside [0, 1].
    Source: Guliyev and Ismailov (2016), theorem 2.1.

    >>> neuron([Fraction(1, 8), 0, 1], Fraction(1, 2))
    Fraction(3, 8)
    """
    if not 0 <= x <= 1:
        raise ValueError(f"x must be in [0, 1], got {x}")
    degree = max((power for power, c in enumerate(coefficients) if c != 0), default=0)
    window = polynomial_index(coefficients[: degree + 1])
    a, b, _ = _affine(window)
    return (universal_sigmoid(window, x) - a) / b


def two_layer_product(x: Fraction, y: Fraction) -> Fraction:
    r"""The product of two numbers in [0, 1], exactly, by two hidden layers of two neurons each.

    .. math:: x y = s^2 - \bigl(e - \tfrac12\bigr)^2, \qquad s = \frac{x + y}{2}, \quad e = \frac{x - y + 1}{2}

    The first layer's neurons are the identity, the second layer's are t^2 and t^2 - t + 1/4.

    Raises ``ValueError`` for numbers outside [0, 1].
    Source: Guliyev and Ismailov, "Approximation capability of two hidden layer feedforward neural networks
    with fixed weights", Neurocomputing 316 (2018).

    >>> two_layer_product(Fraction(1, 3), Fraction(3, 4))
    Fraction(1, 4)
    """
    first, second = (neuron([0, 1], value) for value in (x, y))
    s, e = (first + second) / 2, (first - second + 1) / 2
    return neuron([0, 0, 1], s) - neuron([Fraction(1, 4), -1, 1], e)
