"""Whole numbers in formulas: sizes, indices, graph entries and what is computed from them, decided for a structure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from gnomon.proof.reductions import ArgMax, ArgMin, Largest, Reduction, Smallest
from gnomon.proof.terms import name_of

RELATIONS = {
    sp.StrictLessThan: operator.lt, sp.LessThan: operator.le, sp.StrictGreaterThan: operator.gt,
    sp.GreaterThan: operator.ge, sp.Equality: operator.eq, sp.Unequality: operator.ne,
}  # fmt: skip
Env = Mapping[str, int]


def _power(base: int | Fraction, exponent: int | Fraction) -> Fraction | None:
    whole = exponent == int(exponent) and (base != 0 or exponent >= 0)
    return Fraction(base) ** int(exponent) if whole else None


WHOLE: dict[Any, Callable[[Sequence[Any]], int | Fraction | None]] = {
    sp.Add: sum, sp.Mul: math.prod, sp.Max: max, sp.Min: min, sp.Pow: lambda values: _power(*values),
    sp.KroneckerDelta: lambda values: int(values[0] == values[1]),
}  # fmt: skip


def key_of(index: Any) -> str:
    """The name of an index; of two dummies with one name each has its own."""
    return f"{index.name} {index.dummy_index}" if isinstance(index, sp.Dummy) else str(index.name)


class LoweringError(ValueError):
    """A formula that cannot be lowered; the message says which part and why."""


@dataclass(frozen=True)
class Bindings:
    """What a structure fixes: whole numbers, arrays of constants, and the bodies of opaque functions."""

    numbers: dict[str, int]
    arrays: dict[str, Any]
    functions: dict[str, sp.Lambda]


@dataclass
class Wholes:
    """Evaluates what is whole-numbered, in Python's numbers.

    ``given`` names what only the inputs decide: inputs and definitions.
    """

    bindings: Bindings
    given: Collection[str]
    _real: dict[Any, bool] = field(default_factory=dict)

    def whole(self, expr: Any, env: Env) -> int | None:
        """The value of an expression that the structure and the indices decide, or None.

        It is asked of every part of every formula, so it computes with Python's numbers, and remembers what is real.
        """
        if isinstance(expr, int):
            return expr
        if expr.is_Integer:
            return int(expr)
        if expr.is_Symbol:
            return env.get(key_of(expr), self.bindings.numbers.get(expr.name))
        if self.is_real(expr):
            return None
        if isinstance(expr, sp.Indexed):
            if name_of(expr) not in self.bindings.arrays:
                return None
            value = self.array_entry(expr, env)
            return (
                int(value)
                if isinstance(value, int) or (isinstance(value, Fraction) and value.denominator == 1)
                else None
            )
        if isinstance(expr, sp.floor):
            known = {symbol: self.whole(symbol, env) for symbol in expr.free_symbols}
            return None if None in known.values() else int(expr.subs(known))
        if isinstance(expr, (sp.Sum, Reduction)):
            found = [self.whole(expr.function, inner) for inner in self.ranges(expr.limits, env)]
            terms = [term for term in found if term is not None]
            if len(terms) < len(found) or not (terms or isinstance(expr, sp.Sum)):
                return None
            return sum(terms) if isinstance(expr, sp.Sum) else self._reduced(expr, terms, env)
        combine = WHOLE.get(expr.func)
        if combine is None:
            return None
        values: list[int | Fraction] = []
        for arg in expr.args:
            fraction = arg.is_Rational and not arg.is_Integer
            value = Fraction(int(arg.p), int(arg.q)) if fraction else self.whole(arg, env)
            if value is None:
                return None
            values.append(value)
        result = combine(values)
        return int(result) if result is not None and result == int(result) else None

    def _reduced(self, expr: Any, terms: list[int], env: Env) -> int | None:
        if isinstance(expr, ArgMax):
            first = self.whole(expr.ends[0], env)
            place = terms.index(min(terms) if isinstance(expr, ArgMin) else max(terms))
            return None if first is None else first + place
        return {Largest: max, Smallest: min}[expr.func](terms) if expr.func in (Largest, Smallest) else None

    def ranges(self, limits: Any, env: Env) -> list[Env]:
        """The index values that a Sum's limits run over, the last limit outermost.

        Raises:
            LoweringError: if an end has no value here.
        """
        found: list[Env] = [env]
        for index, low, high in reversed(limits):
            grown: list[Env] = []
            for outer in found:
                a, b = self.whole(sp.sympify(low), outer), self.whole(sp.sympify(high), outer)
                if a is None or b is None:
                    raise LoweringError(f"the range {low}…{high} of {index} has no value here")
                grown += [{**outer, key_of(index): value} for value in range(a, b + 1)]
            found = grown
        return found

    def is_real(self, expr: Any) -> bool:
        """Whether an expression holds what only the inputs decide."""
        found = self._real.get(expr)
        if found is None:
            indexed = isinstance(expr, sp.Indexed)
            if indexed or (expr.is_Symbol and not expr.is_integer):
                name = name_of(expr)
                found = name not in self.bindings.arrays and name in self.given
            else:
                found = expr.is_Float
            parts = expr.indices if indexed else expr.args
            found = found or any(self.is_real(part) for part in parts if not part.is_Integer)
            self._real[expr] = found
        return found

    def array_entry(self, expr: sp.Indexed, env: Env) -> Any:
        value = self.bindings.arrays[name_of(expr)]
        for position, index in enumerate(self.index(expr, env)):
            if index < 0 or index >= len(value):
                raise LoweringError(f"index {position} of {expr} is {index}, outside 0…{len(value) - 1}")
            value = value[index]
        return value

    def index(self, expr: sp.Indexed, env: Env) -> tuple[int, ...]:
        found = []
        for part in expr.indices:
            value = self.whole(part, env)
            if value is None:
                raise LoweringError(f"index {part} of {expr} has no value here; known: {', '.join(env) or 'none'}")
            found.append(value)
        return tuple(found)

    def holds(self, condition: Any, env: Env) -> bool | None:
        """Whether a condition on whole numbers is true; None if it is about real numbers."""
        if condition in (True, sp.true):
            return True
        if condition in (False, sp.false):
            return False
        if isinstance(condition, (sp.And, sp.Or)):
            parts = [self.holds(arg, env) for arg in condition.args]
            if None in parts:
                return None
            return all(parts) if isinstance(condition, sp.And) else any(parts)
        if isinstance(condition, sp.Not):
            inner = self.holds(condition.args[0], env)
            return None if inner is None else not inner
        if isinstance(condition, Relational):
            left, right = self.whole(condition.lhs, env), self.whole(condition.rhs, env)
            if left is None or right is None:
                return None
            return bool(RELATIONS[condition.func](left, right))
        return None
