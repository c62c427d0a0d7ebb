"""What is whole-numbered, along axes: indices, sizes and tables as exact arrays, decided before any node exists.

As :mod:`gnomon.compute.whole_numbers` does for one value of each index, with its relations and its reading of what is
real.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from gnomon.compute.arrays import exact
from gnomon.compute.arrays.exact import Array
from gnomon.compute.whole_numbers import RELATIONS, LoweringError, Wholes, key_of
from gnomon.proof.reductions import ArgMax, Largest, Reduction, Smallest
from gnomon.proof.terms import name_of

Number = Any
"""An int, a Fraction, or an exact array over all axes of an environment, of extent 1 along those that do not matter."""
Mask = bool | Array


class Outside(LoweringError):
    """An index outside of its array."""


@dataclass(frozen=True)
class Env:
    """Names of indices with their values, a number or (axis, the values along it), and the axes with their extents."""

    names: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[int, int] = field(default_factory=dict)

    def with_number(self, name: str, value: int) -> Env:
        return Env({**self.names, name: value}, self.axes)

    def with_axis(self, name: str, axis: int, values: Array) -> Env:
        return Env({**self.names, name: (axis, values)}, {**self.axes, axis: len(values)})


class Indices:
    """Evaluates what the structure and the indices decide."""

    def __init__(self, wholes: Wholes, new_axis: Callable[[], int]) -> None:
        self.wholes, self.new_axis = wholes, new_axis
        self._tables: dict[str, Array] = {}

    def number(self, e: Any, env: Env) -> Number:
        """The value of an expression, or None if it is about real numbers."""
        if isinstance(e, int):
            return e
        if e.is_Integer:
            return int(e)
        if e.is_Rational:
            return Fraction(int(e.p), int(e.q))
        if e.is_Symbol:
            value = env.names.get(key_of(e), self.wholes.bindings.numbers.get(e.name))
            if not isinstance(value, tuple):
                return value
            return value[1].reshape([-1 if axis == value[0] else 1 for axis in env.axes])
        if e.is_number or self.wholes.is_real(e):
            return None
        if isinstance(e, sp.Indexed):
            return self._entry(e, env)
        if isinstance(e, (sp.Sum, Reduction)):
            return self._over(e, env)
        combine = COMBINED.get(e.func)
        if combine is None:
            return None
        args = [self.number(arg, env) for arg in e.args]
        if any(arg is None for arg in args):
            return None
        return combine(args)

    def _entry(self, e: Any, env: Env) -> Number:
        if name_of(e) not in self.wholes.bindings.arrays:
            return None
        table, at = self.table(name_of(e)), [self.number(index, env) for index in e.indices]
        if any(index is None for index in at):
            return None
        for k, index in enumerate(at):
            least, most = int(np.min(index)), int(np.max(index))
            if least < 0 or most >= table.shape[k]:
                raise Outside(f"index {k} of {e} is {least}…{most}, outside 0…{table.shape[k] - 1}")
        found = table[tuple(at)]
        if found is None or (isinstance(found, np.ndarray) and None in found.ravel().tolist()):
            raise Outside(f"{e} lies outside of its ragged list")
        return exact.tidy(found) if isinstance(found, np.ndarray) else exact.number(found)

    def table(self, name: str) -> Array:
        """An array of constants; a ragged one has None where it has no entry."""
        if name not in self._tables:
            given = self.wholes.bindings.arrays[name]
            shape, level = [], [given]
            while level and isinstance(level[0], (list, tuple)):
                shape.append(max(map(len, level)))
                level = [entry for row in level for entry in row]
            box = np.full(shape, None, object)
            _fill(box, given, ())
            self._tables[name] = box if None in box.ravel().tolist() else exact.tidy(box)
        return self._tables[name]

    def _over(self, e: Any, env: Env) -> Number:
        """A sum, or an extreme, of whole numbers."""
        bound = self.bind(e.limits, env)
        if bound is None:
            return 0 if isinstance(e, sp.Sum) else None
        inner, mask, axes = bound
        value = self.number(e.function, inner)
        if value is None or isinstance(e, ArgMax) or not isinstance(e, (sp.Sum, Largest, Smallest)):
            return None
        lead, extents = len(env.axes), tuple(inner.axes.values())[len(env.axes) :]
        outer = np.shape(value)[:lead] if np.ndim(value) else (1,) * lead
        full = np.broadcast_to(exact.objects(value), (*outer, *extents))
        over = tuple(range(lead, lead + len(axes)))
        if isinstance(e, sp.Sum):
            found = np.where(mask, full, 0).sum(over)
        elif mask is True:
            found = full.max(over) if isinstance(e, Largest) else full.min(over)
        else:
            return None
        alone = not np.ndim(found) or np.size(found) == 1
        return exact.number(np.ravel(found)[0]) if alone else exact.tidy(found)

    def bind(self, limits: Any, env: Env) -> tuple[Env, Mask, list[int]] | None:
        """The environment within a binder, where of its box the indices run, and the new axes; None for no value.

        Raises:
            LoweringError: if an end has no value here.
        """
        masks: list[Array] = []
        axes: list[int] = []
        for index, low, high in reversed(limits):
            a, b = self.number(sp.sympify(low), env), self.number(sp.sympify(high), env)
            if a is None or b is None:
                raise LoweringError(f"the range {low}…{high} of {index} has no value here")
            first, last = int(np.min(a)), int(np.max(b))
            if last < first:
                return None
            varies = isinstance(a, np.ndarray) or isinstance(b, np.ndarray)
            if first == last and not varies:
                env = env.with_number(key_of(index), first)
                continue
            axis = self.new_axis()
            env = env.with_axis(key_of(index), axis, np.arange(first, last + 1))
            axes.append(axis)
            if varies:
                grid = np.arange(first, last + 1)
                lower, upper = (x[..., None] if isinstance(x, np.ndarray) else x for x in (a, b))
                masks.append((grid >= lower) & (grid <= upper))
        rank = len(env.axes)
        mask: Mask = True
        for each in masks:
            aligned = each.reshape(each.shape + (1,) * (rank - each.ndim))
            mask = aligned if mask is True else mask & aligned
        return env, decided(mask), axes

    def holds(self, condition: Any, env: Env) -> Mask | None:
        """Whether a condition holds: true, false, a mask over the axes, or None if it is about real numbers."""
        if condition in (True, sp.true):
            return True
        if condition in (False, sp.false):
            return False
        found: Any
        if isinstance(condition, (sp.And, sp.Or, sp.Not)):
            parts: list[Any] = [self.holds(arg, env) for arg in condition.args]
            if any(part is None for part in parts):
                return None
            if isinstance(condition, sp.Not):
                found = np.logical_not(parts[0])
            else:
                join: Any = np.logical_and if isinstance(condition, sp.And) else np.logical_or
                found = functools.reduce(join, parts)
        elif condition.func in RELATIONS:
            a, b = self.number(condition.lhs, env), self.number(condition.rhs, env)
            if a is None or b is None:
                return None
            found = RELATIONS[condition.func](a, b)
        else:
            return None
        return decided(found if isinstance(found, np.ndarray) and found.ndim else bool(found))


def decided(mask: Mask) -> Mask:
    """A mask that says the same everywhere, as a truth value."""
    if isinstance(mask, bool):
        return mask
    mask = mask.astype(bool)
    return True if mask.all() else mask if mask.any() else False


def _fill(box: Array, row: Any, at: tuple[int, ...]) -> None:
    for k, entry in enumerate(row):
        if isinstance(entry, (list, tuple)):
            _fill(box, entry, (*at, k))
        else:
            box[(*at, k)] = entry if isinstance(entry, int) else exact.fraction(entry)


def _settled(value: Any) -> Number:
    return exact.tidy(value) if isinstance(value, np.ndarray) and value.ndim else exact.number(value)


Combine = Callable[[Sequence[Any]], Number]


def _folded(array: Callable[[Any, Any], Any], plain: Callable[[Sequence[Any]], Any]) -> Combine:
    """A function of many numbers, of arrays pair by pair."""

    def combine(args: Sequence[Any]) -> Number:
        if not any(isinstance(arg, np.ndarray) for arg in args):
            return exact.number(plain(args))
        return _settled(functools.reduce(array, args))

    return combine


def _pair(function: Callable[[Array, Array], Array]) -> Callable[[Any, Any], Any]:
    return lambda a, b: function(exact.tidy(a), exact.tidy(b))


def _rounded(function: Callable[[Any], int]) -> Callable[[Sequence[Any]], Number]:
    def combine(args: Sequence[Any]) -> Number:
        return exact.each(function, args[0]) if isinstance(args[0], np.ndarray) else function(args[0])

    return combine


def _power(args: Sequence[Any]) -> Number:
    found = exact.power(*args)
    return None if found is None else _settled(found if found.ndim else found.item())


COMBINED: dict[Any, Callable[[Sequence[Any]], Number]] = {
    sp.Add: _folded(_pair(exact.add), sum),
    sp.Mul: _folded(_pair(exact.mul), math.prod),
    sp.Max: _folded(np.maximum, max),
    sp.Min: _folded(np.minimum, min),
    sp.KroneckerDelta: _folded(lambda a, b: np.equal(a, b).astype(np.int64), lambda args: int(args[0] == args[1])),
    sp.floor: _rounded(math.floor),
    sp.ceiling: _rounded(math.ceil),
    sp.Pow: _power,
}
