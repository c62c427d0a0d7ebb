"""What a formula adds, and where: sums, branches that indices decide, and formulas that are evaluated there alone."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from gnomon.compute.arrays import values, views
from gnomon.compute.arrays.addends import Addend, together
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.indices import Env, Indices, Mask, Outside, decided
from gnomon.compute.arrays.values import Value
from gnomon.compute.whole_numbers import LoweringError
from gnomon.proof.terms import name_of


class Restricting(ABC):
    """The part of a lowering that takes sums and branches apart; ``node`` is the other one."""

    g: Graph
    indices: Indices
    recursive: Collection[str]
    trying: int

    @abstractmethod
    def new_axis(self) -> int:
        """An axis that nothing else has."""

    @abstractmethod
    def node(self, e: Any, env: Env) -> Value:
        """The value of an expression."""

    @abstractmethod
    def factors(self, e: Any, env: Env) -> tuple[list[Value], list[Value]]:
        """What a product multiplies, and what it divides by."""

    def addends(self, e: Any, env: Env) -> list[Addend]:
        """What a formula adds: sums within a sum, its branches' and those taken off, are part of it."""
        e = sp.sympify(e)
        if e.is_Add:
            return [each for arg in e.args for each in self.addends(arg, env)]
        if isinstance(e, sp.Sum) and self.indices.number(e, env) is None:
            return self._summands(e, env)
        if e.is_Mul and e.args[0] is sp.S.NegativeOne:
            return [replace(each, sign=-each.sign) for each in self.addends(-e, env)]
        if isinstance(e, sp.Piecewise) and self.indices.holds(e.args[0][1], env) is not None:
            return self._branches(e, env)
        if e.is_Mul and self.indices.number(e, env) is None:
            above, below = self.factors(e, env)
            return [Addend(tuple(above), tuple(below))]
        return [Addend((self.node(e, env),))]

    def _summands(self, e: Any, env: Env) -> list[Addend]:
        bound = self.indices.bind(e.limits, env)
        if bound is None:
            return []
        inner, mask, axes = bound
        found = []
        for each in self.restricted(e.function, mask, inner):
            over = {axis: each.box[axis][1] if axis in each.box else inner.axes[axis] for axis in axes}
            box = {axis: part for axis, part in each.box.items() if axis not in over}
            found.append(replace(each, summed={**each.summed, **over}, box=box))
        return found

    def _branches(self, e: Any, env: Env) -> list[Addend]:
        """Branches that indices decide: each where it applies."""
        found: list[Addend] = []
        left: Mask = True
        for k, (value, condition) in enumerate(e.args):
            holds = self.indices.holds(condition, env)
            if holds is None:
                rest = sp.Piecewise(*e.args[k:], evaluate=False)
                return found + self.restricted(rest, left, env)
            found += self.restricted(value, decided(np.logical_and(left, holds)), env)
            left = decided(np.logical_and(left, np.logical_not(holds)))
            if left is False:
                return found
        raise LoweringError(f"no branch of {e} applies here")

    def restricted(self, e: Any, mask: Mask, env: Env) -> list[Addend]:
        """What a formula adds where a mask holds, and nothing elsewhere; it is evaluated nowhere else.

        A formula that has a value everywhere may be evaluated on the box around the mask, so that a causal product of
        matrices stays one.
        """
        if isinstance(mask, (bool, np.bool_)):
            return self.addends(e, env) if mask else []
        axes = list(env.axes)
        live = [axis for axis, extent in zip(axes, mask.shape, strict=True) if extent > 1]
        box = {}
        for axis in live:
            others = tuple(k for k in range(len(axes)) if axes[k] != axis)
            at = np.flatnonzero(mask.any(others))
            box[axis] = int(at[0]), int(at[-1]) - int(at[0]) + 1
        inside = mask[tuple(slice(box[a][0], sum(box[a])) if a in box else slice(None) for a in axes)]
        whole = bool(inside.all())
        if whole or self._harmless(e):
            self.trying += not whole
            try:
                made = self.addends(e, _sub(env, box))
                return [self._placed(each, box, env, None if whole else inside) for each in made]
            except Outside:
                if whole:
                    raise
            finally:
                self.trying -= not whole
        return self._scattered(e, mask, env, live)

    def _placed(self, each: Addend, box: Mapping[int, tuple[int, int]], env: Env, inside: Any) -> Addend:
        """An addend of a part of the axes, masked if need be, as one of the whole."""
        each = each if inside is None else self._masked(each, inside, env)
        placed = dict(each.box)
        for axis, (start, n) in box.items():
            first, extent = each.box.get(axis, (0, n))
            placed[axis] = start + first, extent
            if placed[axis] == (0, env.axes[axis]):
                del placed[axis]
        return replace(each, box=placed)

    def _masked(self, each: Addend, inside: Any, env: Env) -> Addend:
        """An addend that is 0 where a mask does not hold; of an axis that it has a part of, so has the mask."""
        part = {axis: each.box.get(axis, (0, n)) for axis, n in zip(env.axes, inside.shape, strict=True)}
        ends = zip(part.values(), inside.shape, strict=True)
        where = inside[tuple(slice(start, start + n) if whole > 1 else slice(None) for (start, n), whole in ends)]
        if where.all():
            return each
        live = {axis for axis, n in zip(env.axes, where.shape, strict=True) if n > 1}
        k = max(range(len(each.above)), key=lambda k: len(live & set(each.above[k][1])))
        extents = {axis: n for axis, (_, n) in part.items()}
        factor = values.masked(self.g, each.above[k], where, Env({}, extents))
        return replace(each, above=(*each.above[:k], factor, *each.above[k + 1 :]))

    def _scattered(self, e: Any, mask: Any, env: Env, live: list[int]) -> list[Addend]:
        """What a formula adds at scattered index values: along one axis that runs over them, then put in place."""
        g = self.g
        at = np.argwhere(mask.reshape([n for n in mask.shape if n > 1]))
        axis = self.new_axis()
        names: dict[str, Any] = {}
        for name, value in env.names.items():
            own = isinstance(value, tuple) and value[0] in live
            picked = value[1][at[:, live.index(value[0])]] if own else None
            names[name] = value if picked is None else (axis, picked) if len(at) > 1 else int(picked[0])
        rest = {other: n for other, n in env.axes.items() if other not in live}
        inner = Env(names, rest | ({axis: len(at)} if len(at) > 1 else {}))
        shape = [env.axes[other] for other in live]
        index = np.ravel_multi_index(tuple(at.T), shape)
        found = []
        for each in self.addends(e, inner):
            value = together(g, [each], inner.axes)
            node, axes = values.spread(g, value, {axis: len(at)})
            node = views.turn(g, node, [*(k for k, a in enumerate(axes) if a != axis), axes.index(axis)])
            others = [other for other in axes if other != axis]
            node = views.scatter(g, node, index, math.prod(shape))
            node = views.reshape(g, node, [*(rest[other] for other in others), *shape])
            found.append(Addend((values.ordered(g, node, [*others, *live]),)))
        return found

    def _harmless(self, e: Any) -> bool:
        """Whether a formula may be evaluated at index values where it is not wanted."""
        e = sp.sympify(e)
        powers = (p.exp.is_negative or not p.exp.is_Integer for p in e.atoms(sp.Pow))
        names = (name_of(each) in self.recursive for each in e.atoms(sp.Indexed, sp.Symbol))
        return bool(e.atoms(sp.Sum)) and not any(powers) and not e.atoms(sp.log) and not any(names)


def _sub(env: Env, box: Mapping[int, tuple[int, int]]) -> Env:
    """The environment within a part of some axes; an axis of one entry is a number there."""
    names: dict[str, Any] = {}
    for name, value in env.names.items():
        if isinstance(value, tuple) and value[0] in box:
            start, n = box[value[0]]
            part = value[1][start : start + n]
            names[name] = int(part[0]) if n == 1 else (value[0], part)
        else:
            names[name] = value
    axes = {axis: box[axis][1] if axis in box else n for axis, n in env.axes.items()}
    return Env(names, {axis: n for axis, n in axes.items() if n > 1})
