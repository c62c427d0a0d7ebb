"""Exact arrays: whole numbers as int64 where they are small, fractions as Python objects otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

Array = np.ndarray[Any, Any]
SMALL = 2**30
"""Below this, sums and products of two whole numbers fit into int64."""


def fraction(number: Any) -> Fraction:
    """A number of Python's or SymPy's as a fraction, exactly."""
    return Fraction(int(number.p), int(number.q)) if isinstance(number, sp.Rational) else Fraction(number)


def tidy(numbers: Any) -> Array:
    """An exact array: int64 where every entry is a small whole number, else fractions."""
    array = np.asarray(numbers)
    if array.dtype != object:
        return array if array.dtype == np.int64 else array.astype(np.int64)
    flat: list[Any] = [number if isinstance(number, int) else fraction(number) for number in array.ravel().tolist()]
    if all(number.denominator == 1 and abs(number) < SMALL for number in flat):
        return np.array([int(number) for number in flat], np.int64).reshape(array.shape)
    made = np.empty(len(flat), object)
    made[:] = [Fraction(number) for number in flat]
    return made.reshape(array.shape)


def objects(array: Any) -> Array:
    """The same numbers as Python's own, of any size."""
    return np.asarray(array).astype(object)


def each(function: Callable[..., Any], *arrays: Any) -> Array:
    """A function of Python's numbers, entry by entry."""
    if not all(np.asarray(array).size for array in arrays):
        return np.zeros(np.broadcast_shapes(*(np.shape(array) for array in arrays)), np.int64)
    return tidy(np.vectorize(function, otypes=[object])(*map(objects, arrays)))


def add(a: Any, b: Any) -> Array:
    return tidy(a + b) if _fits(a) and _fits(b) else tidy(objects(a) + objects(b))


def mul(a: Any, b: Any) -> Array:
    return tidy(a * b) if _fits(a) and _fits(b) else tidy(objects(a) * objects(b))


def div(a: Any, b: Any) -> Array:
    return each(lambda x, y: Fraction(x) / Fraction(y), a, b)


def _fits(array: Array) -> bool:
    return array.dtype == np.int64 and (not array.size or int(np.abs(array).max()) < SMALL)


def floats(array: Array) -> Array:
    """The nearest float64 numbers."""
    return array.astype(np.float64)


def key(array: Array) -> Any:
    """What is equal for equal exact arrays alone, and quickly compared."""
    return array.shape, array.tobytes() if array.dtype == np.int64 else tuple(array.ravel().tolist())


def number(value: Any) -> int | Fraction:
    """One exact number, as an int where it is whole."""
    found = int(value) if isinstance(value, (int, np.integer)) else fraction(value)
    return int(found) if found.denominator == 1 else found


def power(base: Any, exponent: Any) -> Array | None:
    """Powers with whole exponents; None where one of them is not whole, or 0 is divided by."""
    bases, exponents = np.broadcast_arrays(objects(base), objects(exponent))
    pairs = list(zip(bases.ravel().tolist(), exponents.ravel().tolist(), strict=True))
    if any(n != int(n) or (x == 0 and n < 0) for x, n in pairs):
        return None
    made = np.empty(len(pairs), object)
    made[:] = [Fraction(x) ** int(n) for x, n in pairs]
    return tidy(made.reshape(bases.shape))


ROUNDED = {sp.floor: math.floor, sp.ceiling: math.ceil}
