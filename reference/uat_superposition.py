r"""The superposition theorem behind the widths 6d + 3 and 3d, for d = 2, in exact fractions.

Every continuous f on the unit square is a sum of five functions of one number, each applied to
``xi(x + q a) = sum_p lambda_p psi(x_p + q a)``, with a strictly increasing psi that does not depend on f. The
construction is a limit of slowly contracting steps: it shows why the widths suffice, but it is no way to compute.

Sources: Sprecher, "A numerical implementation of Kolmogorov's superpositions", Neural Networks 9 (1996) and
10 (1997); Köppen (2002) for the psi that does increase; Braun and Griebel, "On a constructive proof of
Kolmogorov's superposition theorem", Constructive Approximation 30 (2009).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

__all__ = ["inner_function", "superposition_argument", "superposition_step"]

DIMENSION, BASE, SUMMANDS = 2, 10, 5
"""d, the base gamma of the expansions, and the 2d + 1 summands."""

TERMS = 5
"""Of the series of lambda_2; the next one is 10 to the power of -31."""


def _exponent(r: int) -> int:
    """``1 + d + ... + d^(r - 1)``, the digits that the r-th digit of x costs in psi."""
    total: int = (DIMENSION**r - 1) // (DIMENSION - 1)
    return total


LAMBDA = (Fraction(1), sum(Fraction(1, BASE ** _exponent(r)) for r in range(1, TERMS)))


@lru_cache(maxsize=100_000)
def inner_function(numerator: int, digits: int) -> Fraction:
    r"""The inner function psi at ``N / 10^k``, exactly.

    .. math::
        \psi_1(N) &= N / \gamma \\
        \psi_k(N) &= \psi_{k-1}(\lfloor N / \gamma \rfloor) + i \, \gamma^{-\beta(k)},
            & i = N \bmod \gamma &< \gamma - 1 \\
        \psi_k(N) &= \tfrac12 \bigl(\psi_k(N - 1) + \psi_{k-1}(\lfloor N / \gamma \rfloor + 1)\bigr),
            & i &= \gamma - 1

    with gamma = 10 and beta(k) = 2^k - 1. The halfway rule for the last digit is what makes it increase.

    Raises ``ValueError`` for a negative numerator, or less than one digit.
    Source: Köppen (2002); Braun and Griebel (2009), eq. 2.

    >>> [str(inner_function(n, 2)) for n in (18, 19, 20)]
    ['27/250', '77/500', '1/5']
    """
    if numerator < 0 or digits < 1:
        raise ValueError(f"numerator must be at least 0 and digits at least 1, got {numerator} and {digits}")
    if digits == 1:
        return Fraction(numerator, BASE)
    above, last = divmod(numerator, BASE)
    if last < BASE - 1:
        return inner_function(above, digits - 1) + Fraction(last, BASE ** _exponent(digits))
    return (inner_function(numerator - 1, digits) + inner_function(above + 1, digits - 1)) / 2


def superposition_argument(numerators: Sequence[int], digits: int) -> Fraction:
    r"""The number that stands for a point of the square: different for different grid points.

    .. math:: \xi(x) = \sum_{p=1}^{d} \lambda_p \, \psi(x_p)

    Raises ``ValueError`` unless there are two numerators.
    Source: Braun and Griebel (2009), eq. 5.

    >>> superposition_argument([1, 0], 1), superposition_argument([0, 9], 1) < Fraction(1, 10)
    (Fraction(1, 10), True)
    """
    if len(numerators) != DIMENSION:
        raise ValueError(f"expected {DIMENSION} numerators, got {len(numerators)}")
    return sum((w * inner_function(n, digits) for w, n in zip(LAMBDA, numerators, strict=True)), Fraction(0))


def _shift(digits: int, summand: int) -> int:
    """``q a`` in units of the last digit, where a = 1 / (gamma (gamma - 1)) = 0.0111..."""
    ones: int = (BASE ** (digits - 1) - 1) // (BASE - 1)
    return summand * ones


@lru_cache(maxsize=32)
def _grid(digits: int, summand: int) -> tuple[list[Fraction], list[tuple[int, int]]]:
    """The numbers of all grid points of [0, 0.9]^2, shifted, in order, and the points."""
    shift, size = _shift(digits, summand), 9 * BASE ** (digits - 1) + 1
    values = {superposition_argument((a + shift, b + shift), digits): (a, b) for a in range(size) for b in range(size)}
    order = sorted(values)
    return order, [values[value] for value in order]


def _ramp(t: Fraction) -> Fraction:
    return min(max(t, Fraction(0)), Fraction(1))


def superposition_step(
    f: Callable[[Fraction, Fraction], Fraction], digits: int
) -> Callable[[Sequence[int], int], Fraction]:
    r"""The first step of the construction: a sum of five functions of one number each that is nearer to f than 0 is.

    .. math:: g(x) = \sum_{q=0}^{4} \Phi_q(\xi(x + q a)), \qquad
              \Phi_q(y) = \frac15 \sum_{d} f(d) \, \theta_d(y)

    with grid points d of k ``digits``, and theta_d a trapezoid that is 1 on the image of the square above d. On
    [0, 0.9]^2, where no shift carries over 1, at least 3 of the 5 shifts see a point within such a square, so
    that ``|f - g| <= (3/5) omega + (4/5) max |f|``, with omega the most that f changes over 10^-k. Ramps
    are a tenth of 10^-beta(k + 1) wide: as wide as that, the trapezoids would overlap for this base.

    Returns g, called with two numerators N and the number of digits K: at the point N / 10^K, N at most 0.9 10^K.
    Raises ``ValueError`` for less than one digit, and g for a point outside.
    Source: Braun and Griebel (2009), section 3; Sprecher (1997).

    >>> g = superposition_step(lambda x, y: Fraction(1), 1)
    >>> g((1234, 5678), 4)
    Fraction(4, 5)
    """
    if digits < 1:
        raise ValueError(f"digits must be at least 1, got {digits}")
    steep = BASE ** (_exponent(digits + 1) + 1)
    reach = sum((Fraction(1, BASE ** _exponent(r)) for r in range(digits + 1, TERMS)), Fraction(0)) * sum(LAMBDA)
    flat, slope = (BASE - 2) * reach, Fraction(1, steep)

    def outer(summand: int, y: Fraction) -> Fraction:
        order, grid = _grid(digits, summand)
        total = Fraction(0)
        for place in range(bisect_left(order, y - flat - slope), bisect_right(order, y + slope)):
            value, (a, b) = order[place], grid[place]
            theta = _ramp(steep * (y - value) + 1) - _ramp(steep * (y - value - flat))
            total += f(Fraction(a, BASE**digits), Fraction(b, BASE**digits)) * theta
        return total / SUMMANDS

    def approximation(numerators: Sequence[int], places: int) -> Fraction:
        if not all(0 <= 10 * n <= 9 * BASE**places for n in numerators):
            raise ValueError(f"the point must be in [0, 0.9]^2, got {tuple(numerators)} / {BASE**places}")
        moved = ([n + _shift(places, q) for n in numerators] for q in range(SUMMANDS))
        return sum((outer(q, superposition_argument(x, places)) for q, x in enumerate(moved)), Fraction(0))

    return approximation
