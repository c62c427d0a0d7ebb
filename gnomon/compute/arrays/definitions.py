"""Definitions: each is lowered over the box of indices that is asked of it; one that leans on itself, step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnomon.compute.arrays import views
from gnomon.compute.arrays.entries import entries
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.indices import Env, Number, Outside
from gnomon.compute.arrays.recursion import Recursion
from gnomon.compute.arrays.values import Value
from gnomon.compute.whole_numbers import LoweringError, key_of

Box = dict[int, tuple[int, int]]
"""For each parameter that is no step the least and the greatest index that is asked of it."""
Made = tuple[int, list[int], list[int]]
"""A node, the parameters that are its axes, and where each begins."""

WAITING = 12
"""How many definitions may wait for one another at once."""


class Again(Exception):
    """A definition met itself: more of its indices have to run one after another."""


class Unready(Exception):
    """A definition that is to be made first: too many wait for each other, and Python's stack has an end."""


class Split(Exception):
    """A definition whose arrays are ragged: one of its indices is taken value by value."""


class Definitions:
    """The named definitions of a program, made as they are asked for; ``lower`` gives an expression's value."""

    def __init__(self, g: Graph, lets: Mapping[str, Any], recursion: Recursion, lower: Any, wide: Mapping[Any, Any]):
        self.g, self.lets, self.recursion, self.lower, self.wide = g, lets, recursion, lower, wide
        self.made: dict[Any, list[tuple[Box, Made]]] = {}
        self._busy: set[Any] = set()

    def asked(self, name: str, at: Sequence[Number], env: Env) -> Value:
        """A definition's entries at index values."""
        if len(self.lets[name][0]) != len(at):
            raise LoweringError(f"{name} is defined with {len(self.lets[name][0])} indices and used with {len(at)}")
        loops = sorted(self.recursion.loops.get(name, ()))
        box = {p: (int(np.min(i)), int(np.max(i))) for p, i in enumerate(at) if p not in loops}
        stepped = [p for p in loops if isinstance(at[p], np.ndarray)]
        if stepped:
            return self._stacked(name, at, env, loops, stepped, box)
        try:
            node, own, begins = self.define(name, {p: int(at[p]) for p in loops}, box)
        except Outside:  # the box around what is asked for is too large
            ragged = [p for p in box if isinstance(at[p], np.ndarray)]
            if self.lower.trying or len(ragged) < 2:
                raise
            raise Split(name, ragged[0]) from None
        return entries(self.g, node, begins, [at[p] for p in own], env, name)

    def _stacked(
        self, name: str, at: Sequence[Number], env: Env, loops: list[int], stepped: list[int], box: Box
    ) -> Value:
        """Steps that are asked for together: each made for what is asked of it, then stacked."""
        g = self.g
        grids = np.broadcast_arrays(*[at[p] for p in stepped])
        steps, where = np.unique(np.stack([grid.ravel() for grid in grids]), axis=1, return_inverse=True)
        where = where.reshape(grids[0].shape)
        made: list[tuple[Box, Made]] = []
        for number, step in enumerate(steps.T):
            fixed = {p: int(at[p]) for p in loops if p not in stepped}
            fixed |= {p: int(value) for p, value in zip(stepped, step, strict=True)}
            asked = {p: _least_and_most(at[p], where == number) for p in box}
            made.append((asked, self.define(name, fixed, asked)))
        uneven = {p for p in box if any(asked[p] != box[p] for asked, _ in made)}
        own = sorted({p for _, (_, axes, _) in made for p in axes} | uneven)
        parts = []
        for asked, (node, axes, begins) in made:  # each step as an array over the ranges of all
            spec = [(asked[p][0] - first, _extent(asked[p])) for p, first in zip(axes, begins, strict=True)]
            node = views.cut(g, node, spec)
            shape = tuple(_extent(asked[p]) for p in own)
            node = g.spread(node, tuple(own.index(p) for p in axes), shape)
            parts.append(views.pad(g, node, [(asked[p][0] - box[p][0], _extent(box[p])) for p in own]))
        begins = [*(box[p][0] for p in own), 0]
        return entries(g, views.stack(g, parts), begins, [*(at[p] for p in own), where], env, name)

    def define(self, name: str, fixed: dict[int, int], box: Box) -> Made:
        """One step of a definition, over a box."""
        key = (name, tuple(sorted(fixed.items())))
        for known, found in self.made.get(key, ()):
            if _within(box, known):
                return found
        for wide in sorted(self.wide.get(key, ()), key=lambda each: -math.prod(map(_extent, each.values()))):
            if _within(box, wide) and (key, tuple(sorted(wide.items()))) not in self._busy:
                return self._make(key, fixed, wide)
        return self._make(key, fixed, box)

    def _make(self, key: Any, fixed: dict[int, int], box: Box) -> Made:
        now = (key, tuple(sorted(box.items())))
        name = key[0]
        if now in self._busy:
            raise Again(name)
        if len(self._busy) >= WAITING:
            raise Unready(name, fixed, box)
        self._busy.add(now)
        try:
            parameters, rhs = self.lets[name]
            env, axis = Env(), {}
            for p, parameter in enumerate(parameters):
                low, high = box[p] if p in box else (fixed[p], fixed[p])
                if low == high:
                    env = env.with_number(key_of(parameter), low)
                else:
                    axis[self.lower.new_axis()] = p
                    env = env.with_axis(key_of(parameter), max(axis), np.arange(low, high + 1))
            node, axes = self.lower.node(rhs, env)
        finally:
            self._busy.discard(now)
        own = [axis[each] for each in axes]
        found = node, own, [box[p][0] for p in own]
        self.made.setdefault(key, []).append((box, found))
        return found

    def nested(self) -> dict[Any, list[Box]]:
        """The boxes of definitions that were made for a small box, and then for a larger one around it."""
        return {
            key: [box for box, _ in made]
            for key, made in self.made.items()
            if key not in self.wide and any(_within(made[i][0], made[j][0]) for j in range(len(made)) for i in range(j))
        }


def _within(small: Box, large: Box) -> bool:
    return all(large[p][0] <= low and high <= large[p][1] for p, (low, high) in small.items())


def _extent(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0] + 1


def _least_and_most(index: Number, where: Any) -> tuple[int, int]:
    """The range of index values where a mask holds."""
    if not isinstance(index, np.ndarray):
        return int(index), int(index)
    shape = np.broadcast_shapes(index.shape, where.shape)
    picked = np.broadcast_to(index, shape)[np.broadcast_to(where, shape)]
    return int(picked.min()), int(picked.max())
