"""Lowering to arrays: a program of named SymPy definitions, for one structure, as a graph.

It reads a formula as :mod:`gnomon.compute.lower` does; what differs is that an index is an axis.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.relational import Relational

from gnomon.compute.arrays import values, views
from gnomon.compute.arrays.addends import Addend, multiplied, together
from gnomon.compute.arrays.definitions import Again, Definitions, Unready
from gnomon.compute.arrays.entries import entries
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.indices import Env, Indices
from gnomon.compute.arrays.recursion import Recursion
from gnomon.compute.arrays.restricting import Restricting
from gnomon.compute.arrays.values import Value
from gnomon.compute.lower import COMPARISONS, shape_of
from gnomon.compute.operations import FUNCTIONS, PAIRED, REDUCED
from gnomon.compute.whole_numbers import Bindings, LoweringError, Wholes, key_of
from gnomon.proof.reductions import ArgMax, Kept, LogSumExp, Smallest
from gnomon.proof.terms import name_of
from gnomon.say.domain import Domain

DEEPEST = 200
"""How often definitions may lean on others, which have to be made before, until they are said to have no end."""


class ArrayLowering(Restricting):
    """One program being lowered once; ``wide`` holds ranges that definitions are known to be asked for in."""

    def __init__(
        self,
        bindings: Bindings,
        inputs: Mapping[str, Domain],
        lets: Mapping[str, Any],
        recursion: Recursion,
        wide: Mapping[Any, Any],
    ) -> None:
        self.g = Graph()
        self.bindings, self.inputs, self.lets = bindings, inputs, lets
        self._axes = itertools.count()
        self.trying = 0
        self.indices = Indices(Wholes(bindings, {*lets, *inputs}), self.new_axis)
        self.recursive = recursion.recursive
        self.definitions = Definitions(self.g, lets, recursion, self, wide)
        self._arguments: dict[str, Value] = {}

    def new_axis(self) -> int:
        return next(self._axes)

    # ------------------------------------------------------------------ formulas

    def node(self, e: Any, env: Env) -> Value:
        """The value of an expression, its free indices given by ``env``."""
        g = self.g
        e = sp.sympify(e)
        if e.is_Float:
            return g.constant(Fraction(float(e))), ()
        whole = self.indices.number(e, env)
        if whole is not None:
            return values.constant(g, whole, env)
        if e.is_Symbol:
            return self._named(e.name, (), env)
        if isinstance(e, sp.Indexed):
            at = [self.indices.number(index, env) for index in e.indices]
            if any(index is None for index in at):
                raise LoweringError(f"an index of {e} has no value here; known: {', '.join(env.names) or 'none'}")
            return self._named(name_of(e), at, env)
        if e is sp.pi:
            return g.pi(), ()
        if e is sp.E:
            return g.unary("exp", g.constant(1)), ()
        if e is sp.S.NegativeInfinity:
            return g.minus_infinity(), ()
        if e.is_Add or isinstance(e, sp.Sum):
            return together(g, self.addends(e, env), env.axes)
        if e.is_Mul:
            return self._product(e, env)
        if e.is_Pow:
            return self._power(e, env)
        if isinstance(e, sp.Product):
            return self._over_all(e, env)
        if isinstance(e, (sp.Max, sp.Min)):
            return self._extreme("max" if isinstance(e, sp.Max) else "min", [self.node(arg, env) for arg in e.args])
        if e.func in REDUCED:
            return self._reduced(e, env)
        if isinstance(e, sp.KroneckerDelta):
            test = self._binary("eq", *[self.node(arg, env) for arg in e.args])
            return values.apply(g.select, test, (g.constant(1), ()), (g.constant(0), ()))
        if isinstance(e, Kept):
            return self._kept(e, env)
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e, env)
        if e.func in FUNCTIONS:
            node, axes = self.node(e.args[0], env)
            return g.unary(FUNCTIONS[e.func], node), axes
        if e.func in PAIRED:
            return self._binary(PAIRED[e.func], *[self.node(arg, env) for arg in e.args])
        if getattr(e.func, "__name__", "") in self.bindings.functions:
            return self._apply(self.bindings.functions[e.func.__name__], e, env)
        raise LoweringError(f"cannot lower {e.func.__name__} in {e}")

    def _binary(self, op: str, a: Value, b: Value) -> Value:
        return values.apply(lambda x, y, places: self.g.binary(op, x, y, places), a, b)

    def _extreme(self, op: str, given: Sequence[Value]) -> Value:
        found = given[0]
        for value in given[1:]:
            found = self._binary(op, found, value)
        return found

    def factors(self, e: Any, env: Env) -> tuple[list[Value], list[Value]]:
        above, below = [], []
        for factor in e.args:
            if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
                below.append(self.node(sp.Pow(factor.base, -factor.exp), env))
            elif factor.is_Rational and factor.p == 1 and factor.q != 1:
                below.append((self.g.constant(int(factor.q)), ()))
            else:
                above.append(self.node(factor, env))
        return above, below

    def _product(self, e: Any, env: Env) -> Value:
        above, below = self.factors(e, env)
        top = multiplied(self.g, above)
        return values.apply(self.g.div, top, multiplied(self.g, below)) if below else top

    def _power(self, e: Any, env: Env) -> Value:
        g = self.g
        if e.base is sp.E:
            node, axes = self.node(e.exp, env)
            return g.unary("exp", node), axes
        exponent = self.indices.number(e.exp, env)
        node, axes = self.node(e.base, env)
        if isinstance(exponent, np.ndarray) and exponent.dtype == np.int64:
            masks = [(int(n), exponent == n) for n in np.unique(exponent)]
            parts = [values.masked(g, (g.power(node, n), axes), where, env) for n, where in masks]
            return together(g, [Addend((part,)) for part in parts], env.axes)
        if isinstance(exponent, int):
            return g.power(node, exponent), axes
        if isinstance(exponent, Fraction) and exponent.denominator == 2:
            return g.power(g.unary("sqrt", node), exponent.numerator), axes
        return self._binary("pow", (node, axes), self.node(e.exp, env))

    def _over_all(self, e: Any, env: Env) -> Value:
        """A product over ranges, factor by factor."""
        bound = self.indices.bind(e.limits, env)
        if bound is None:
            return self.g.constant(1), ()
        inner, mask, axes = bound
        value = together(self.g, self.restricted(e.function, mask, inner), inner.axes)
        if mask is not True:
            rest = values.constant(self.g, (~np.asarray(mask)).astype(np.int64), inner)
            value = together(self.g, [Addend((value,)), Addend((rest,))], inner.axes)
        for axis in axes:
            parts = self._slices(value, axis) if axis in value[1] else [value] * inner.axes[axis]
            value = multiplied(self.g, parts)
        return value

    def _slices(self, value: Value, axis: int) -> list[Value]:
        node, axes = value
        k, shape = axes.index(axis), self.g.shape[node]
        left = tuple(other for other in axes if other != axis)
        found = []
        for i in range(shape[k]):
            part = views.cut(self.g, node, [(i, 1) if j == k else (0, n) for j, n in enumerate(shape)])
            found.append((views.reshape(self.g, part, [n for j, n in enumerate(shape) if j != k]), left))
        return found

    def _reduced(self, e: Any, env: Env) -> Value:
        """An extreme, its place, or the logarithm of a sum of powers: over the newest axis, which stands last."""
        bound = self.indices.bind(e.limits, env)
        if bound is None:
            raise LoweringError(f"{e} is over no term at all here")
        inner, mask, axes = bound
        value = together(self.g, self.restricted(e.function, mask, inner), inner.axes) if mask is not True else None
        value = self.node(e.function, inner) if value is None else value
        first = self.indices.number(e.ends[0], env) if isinstance(e, ArgMax) else 0
        if not axes and isinstance(e, LogSumExp):
            node = views.reshape(self.g, value[0], (*self.g.shape[value[0]], 1))
            return self.g.reduced("logsumexp", node), value[1]
        if not axes:
            return (self.g.constant(first), ()) if isinstance(e, ArgMax) else value
        if mask is not True:
            if isinstance(e, (ArgMax, Smallest)) or not isinstance(first, int):
                raise LoweringError(f"the range of {e} has another extent at each index")
            value = values.masked(self.g, value, np.asarray(mask), inner, -math.inf)
        node, own = values.spread(self.g, value, {axes[0]: inner.axes[axes[0]]})
        return self.g.reduced(REDUCED[e.func], node, first or 0), own[:-1]

    def _kept(self, e: Kept, env: Env) -> Value:
        holds = self.indices.holds(e.condition, env)
        if holds is None:
            return self._piecewise(e.written, env)
        if isinstance(holds, bool):
            return self.node(e.term, env) if holds else (self.g.minus_infinity(), ())
        value = together(self.g, self.restricted(e.term, holds, env), env.axes)
        return values.masked(self.g, value, holds, env, -math.inf)

    def _piecewise(self, e: Any, env: Env) -> Value:
        value, condition = e.args[0]
        if self.indices.holds(condition, env) is not None:
            return together(self.g, self.addends(e, env), env.axes)
        rest = e.args[1:]
        if not rest:
            raise LoweringError(f"no branch of {e} applies here")
        otherwise = rest[0][0] if rest[0][1] is sp.true else sp.Piecewise(*rest, evaluate=False)
        if isinstance(condition, (sp.And, sp.Or)):
            first, others = condition.args[0], condition.func(*condition.args[1:])
            inner = sp.Piecewise((value, others), (otherwise, True), evaluate=False)
            pieces = (inner, otherwise) if isinstance(condition, sp.And) else (value, inner)
            return self._piecewise(sp.Piecewise((pieces[0], first), (pieces[1], True), evaluate=False), env)
        if not isinstance(condition, Relational) or condition.func not in COMPARISONS:
            raise LoweringError(f"cannot lower the condition {condition}")
        op, swapped = COMPARISONS[condition.func]
        sides = [self.node(condition.lhs, env), self.node(condition.rhs, env)]
        test = self._binary(op, *(sides[::-1] if swapped else sides))
        return values.apply(self.g.select, test, self.node(value, env), self.node(otherwise, env))

    def _apply(self, body: sp.Lambda, e: Any, env: Env) -> Value:
        """The body of a bound function, with its arguments made first and known inside under names of their own."""
        if len(body.variables) != len(e.args):
            raise LoweringError(f"{e.func.__name__} takes {len(body.variables)} arguments, got {len(e.args)}")
        names = [f"{e.func.__name__}#{position}" for position in range(len(e.args))]
        made = [self.node(arg, env) for arg in e.args]
        self._arguments.update(zip(names, made, strict=True))
        renamed = {old: sp.Symbol(new) for old, new in zip(body.variables, names, strict=True)}
        return self.node(body.expr.xreplace(renamed), env)

    def _named(self, name: str, at: Sequence[Any], env: Env) -> Value:
        if name in self._arguments:
            return self._arguments[name]
        if name in self.lets:
            return self.definitions.asked(name, at, env)
        if name in self.inputs:
            domain = self.inputs[name]
            shape = shape_of(domain, self.bindings)
            if len(shape) != len(at):
                raise LoweringError(f"{name} has {len(shape)} axes and is used with {len(at)}")
            node = self.g.leaf(name, shape, host=domain.host, within=(domain.low, domain.high))
            return entries(self.g, node, [0] * len(at), at, env, name)
        raise LoweringError(f"{name} is neither an input, a definition nor a size")

    # ------------------------------------------------------------------ outputs

    def output(self, entry: Any, ranges: Sequence[Any], name: str) -> tuple[int, tuple[int, ...]]:
        """An output's node and shape; rows that are shorter are filled up with 0."""
        bound = self.indices.bind(ranges[::-1], Env())
        if bound is None:
            raise LoweringError(f"output {name} has no entries")
        env, mask, _ = bound
        node, axes = self._ready(lambda: together(self.g, self.restricted(entry, mask, env), env.axes))
        node, _ = values.spread(self.g, (node, axes), env.axes)
        own = [env.names[key_of(index)] for index, _, _ in ranges]
        shape = tuple(len(each[1]) if isinstance(each, tuple) else 1 for each in own)
        return views.reshape(self.g, node, shape), shape

    def _ready(self, make: Callable[[], Value]) -> Value:
        """What ``make`` makes, the definitions that it leans on too deeply made before.

        Raises:
            LoweringError: if they lean on others without an end.
        """
        waiting: list[tuple[Any, Callable[[], Any]]] = [(None, make)]
        while True:
            asked, first = waiting[-1]
            try:
                found = first()
            except Unready as unready:
                if unready.args in [each for each, _ in waiting]:
                    raise Again(unready.args[0]) from None
                if len(waiting) > DEEPEST:
                    raise LoweringError(f"{unready.args[0]} leans on itself without an end: no base case?") from None
                waiting.append((unready.args, functools.partial(self.definitions.define, *unready.args)))
                continue
            waiting.pop()
            if asked is None:
                return found  # type: ignore[no-any-return]
