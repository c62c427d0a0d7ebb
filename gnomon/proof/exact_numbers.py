"""Numbers that stay exact fractions for as long as operations allow, and are Arb balls after that.

Branches on fractions are always decided. A ball contains the true value; what balls cannot decide is an
exception. Balls may be complex only within an integral: there, with ``analytic`` as ``acb.integral`` gives
it, a branch cut or a pole makes a result that is not finite in place of an exception.
"""

from __future__ import annotations

import math
from typing import Any

from flint import acb, arb, fmpq

_MOST_BITS = 100_000  # of an exact power
_ZERO_AT_ZERO = {
    "sin",
    "tan",
    "sinh",
    "tanh",
    "asin",
    "atan",
    "asinh",
    "atanh",
    "erf",
    "erfi",
    "expm1",
    "log1p",
}


class EncloseError(ValueError):
    """An expression that is not made of what can be enclosed, or a symbol without a value."""


class Undecided(ArithmeticError):
    """A branch, or the edge of a domain, that the balls cannot decide at this precision."""


class OutOfDomain(ArithmeticError):
    """There is no real value here: the logarithm of a negative, a division by zero."""


def number(value: Any) -> Any:
    """An int, float, Fraction or SymPy rational as a fraction; a ball as it is.

    Raises:
        EncloseError: if it is none of these.
    """
    if isinstance(value, (arb, acb, fmpq)):
        return value
    if isinstance(value, int):
        return fmpq(value)
    if isinstance(value, float):
        return fmpq(*value.as_integer_ratio())
    if hasattr(value, "numerator") and hasattr(value, "denominator"):
        return fmpq(int(value.numerator), int(value.denominator))
    raise EncloseError(f"{value!r} is not an exact number")


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a == b)
    a, b = arb(a), arb(b)
    if not a.overlaps(b):
        return False
    if a.is_exact() and b.is_exact():
        return True
    raise Undecided("two balls that overlap may be equal")


def less(a: Any, b: Any) -> bool:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a < b)
    a, b = arb(a), arb(b)
    if a < b:
        return True
    if a >= b:
        return False
    raise Undecided("two balls that overlap cannot be ordered")


def positive(value: Any) -> bool:
    return less(fmpq(0), value)


def power(base: Any, exponent: Any, analytic: bool) -> Any:
    """The principal power, where it is real; ``0**0`` is 1."""
    if isinstance(base, acb) or isinstance(exponent, acb):
        return _complex_power(acb(base), exponent, analytic)
    if isinstance(exponent, fmpq):
        return _rational_power(base, int(exponent.p), int(exponent.q))
    if base == 0:
        if positive(exponent):
            return fmpq(0)
        raise OutOfDomain("zero to a power that is not positive")
    return exp(exponent * log(base, analytic))


def _rational_power(base: Any, p: int, q: int) -> Any:
    if base == 0:
        if p < 0:
            raise OutOfDomain("a division by zero")
        return fmpq(int(p == 0))
    if p < 0 and isinstance(base, arb) and base.contains(0):
        raise Undecided("a division by a ball that contains zero")
    if q == 1:
        exact = isinstance(base, fmpq) and _bits(base) * abs(p) < _MOST_BITS
        return base**p if exact else arb(base) ** p
    if not positive(base):
        raise OutOfDomain("a root of a negative number")
    if isinstance(base, fmpq) and (root := _exact_root(base, q)) is not None:
        return _rational_power(root, p, 1)
    return (arb(base).sqrt() if q == 2 else arb(base).root(q)) ** p


def _complex_power(base: acb, exponent: Any, analytic: bool) -> acb:
    if isinstance(exponent, fmpq) and exponent.q == 1:
        return base ** int(exponent.p)
    if exponent == fmpq(1, 2):
        return base.sqrt(analytic=analytic)
    return base.pow(acb(exponent), analytic=analytic)


def _bits(value: fmpq) -> int:
    return max(int(value.p).bit_length(), int(value.q).bit_length())


def _exact_root(value: fmpq, q: int) -> Any:
    """The exact q-th root of a positive fraction, or None."""
    if q != 2:
        return fmpq(1) if value == 1 else None
    roots = math.isqrt(int(value.p)), math.isqrt(int(value.q))
    return fmpq(*roots) if (roots[0] ** 2, roots[1] ** 2) == (int(value.p), int(value.q)) else None


def exp(value: Any) -> Any:
    if value == 0:
        return fmpq(1)
    return value.exp() if isinstance(value, acb) else arb(value).exp()


def log(value: Any, analytic: bool) -> Any:
    if isinstance(value, acb):
        return value.log(analytic=analytic)
    if value == 1:
        return fmpq(0)
    if not positive(value):
        raise OutOfDomain("the logarithm of a number that is not positive")
    return arb(value).log()


def absolute(value: Any, analytic: bool) -> Any:
    return value.real_abs(analytic=analytic) if isinstance(value, acb) else abs(value)


def sign(value: Any, analytic: bool) -> Any:
    if isinstance(value, acb):
        return value.real_sgn(analytic=analytic)
    return fmpq(0 if equal(value, fmpq(0)) else 1 if positive(value) else -1)


def extreme(a: Any, b: Any, greatest: bool, analytic: bool) -> Any:
    """The greater or the lesser of two numbers; of two balls that overlap, a ball that contains it."""
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return max(a, b) if greatest else min(a, b)
    if isinstance(a, acb) or isinstance(b, acb):
        choose = acb.real_max if greatest else acb.real_min
        return choose(acb(a), acb(b), analytic=analytic)
    return arb(a).max(arb(b)) if greatest else arb(a).min(arb(b))


def floor(value: Any) -> fmpq:
    if isinstance(value, fmpq):
        return fmpq(value.p // value.q)
    whole = arb(value).floor().unique_fmpz()
    if whole is None:
        raise Undecided("the whole part of a ball that contains a whole number")
    return fmpq(whole)


def elementary(name: str, value: Any) -> Any:
    """A function that flint has, by its name there."""
    if value == 0 and name in _ZERO_AT_ZERO:
        return fmpq(0)
    if isinstance(value, acb):
        return getattr(value, name)()
    found = getattr(arb(value), name)()
    if not found.is_finite():
        raise OutOfDomain(f"{name} of {value}")
    return found
