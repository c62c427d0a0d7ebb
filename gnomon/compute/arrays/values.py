"""Values: nodes with the axes that they have, aligned for the graph's operations.

A value's axes stand in ascending order, and none of them has extent 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gnomon.compute.arrays import views
from gnomon.compute.arrays.exact import Array
from gnomon.compute.arrays.graph import Graph, Places, lifted
from gnomon.compute.arrays.indices import Env, Number

Value = tuple[int, tuple[int, ...]]
"""A node and its axes."""


def joined(values: Sequence[Value], more: Sequence[int] = ()) -> tuple[int, ...]:
    """The axes of what is computed from some values entry by entry."""
    return tuple(sorted({axis for _, axes in values for axis in axes} | set(more)))


def places(values: Sequence[Value], axes: Sequence[int]) -> Places:
    return tuple(tuple(axes.index(axis) for axis in own) for _, own in values)


def apply(make: Callable[..., int], *values: Value) -> Value:
    """An operation of the graph on values: ``make`` takes nodes, and last the places of their axes."""
    axes = joined(values)
    return make(*(node for node, _ in values), places(values, axes)), axes


def spread(g: Graph, value: Value, extents: Mapping[int, int]) -> Value:
    """A value with all of these axes."""
    axes = joined([value], tuple(extents))
    own = dict(zip(value[1], g.shape[value[0]], strict=True))
    shape = tuple(own.get(axis, extents.get(axis, 0)) for axis in axes)
    return g.spread(value[0], places([value], axes)[0], shape), axes


def ordered(g: Graph, node: int, axes: Sequence[int]) -> Value:
    """A node whose axes stand in any order."""
    order = sorted(range(len(axes)), key=lambda k: axes[k])
    return views.turn(g, node, order), tuple(axes[k] for k in order)


def constant(g: Graph, value: Number, env: Env) -> Value:
    """What is whole-numbered, as a value."""
    if not isinstance(value, np.ndarray):
        return g.constant(value), ()
    first = value.ravel()[0]
    if (value == first).all():
        return g.constant(first), ()
    kept = [k for k, extent in enumerate(value.shape) if extent > 1]
    axes = list(env.axes)
    return ordered(g, g.constant(value.reshape([value.shape[k] for k in kept])), [axes[k] for k in kept])


def masked(g: Graph, value: Value, where: Array, env: Env, fill: float = 0.0) -> Value:
    """A value where a mask over the axes of the environment holds, and 0 or minus infinity elsewhere."""
    own = [axis for axis, extent in zip(env.axes, where.shape, strict=True) if extent > 1]
    node, axes = spread(g, value, {axis: env.axes[axis] for axis in own})
    bare = where.reshape([extent for extent in where.shape if extent > 1])
    order = sorted(range(len(own)), key=lambda k: own[k])
    aligned = lifted(bare.transpose(order), tuple(axes.index(own[k]) for k in order), len(axes))
    return views.mask(g, node, np.broadcast_to(aligned, g.shape[node]), fill), axes
