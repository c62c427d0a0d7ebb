"""Entries of an array at index values: slices where they run along an axis of their own, else a gather."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gnomon.compute.arrays import values, views
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.indices import Env, Number, Outside
from gnomon.compute.arrays.values import Value


def entries(g: Graph, node: int, begins: Sequence[int], at: Sequence[Number], env: Env, name: str) -> Value:
    """The entries of a node, whose axes begin at the indices ``begins``, at one index for each of its axes.

    Raises:
        Outside: if an index lies outside.
    """
    axes = list(env.axes)
    users = [tuple(axes[k] for k, n in enumerate(np.shape(index)) if n > 1) for index in at]
    spec, straight, rough = [], {}, []
    for k, (index, first, extent) in enumerate(zip(at, begins, g.shape[node], strict=True)):
        low, high = int(np.min(index)) - first, int(np.max(index)) - first
        if low < 0 or high >= extent:
            raise Outside(f"index {k} of {name} is {low + first}…{high + first}, outside {first}…{first + extent - 1}")
        spec.append((low, high - low + 1))
        if len(users[k]) == 1 and sum(users[k][0] in own for own in users) == 1 and _runs(index):
            straight[k] = users[k][0]
        elif users[k]:
            rough.append(k)
    node = views.cut(g, node, spec)
    left = [k for k in range(len(at)) if users[k]]
    node = views.reshape(g, node, [g.shape[node][k] for k in left])
    if not rough:
        return values.ordered(g, node, [straight[k] for k in left])
    sizes = [g.shape[node][left.index(k)] for k in rough]
    node = views.turn(g, node, [left.index(k) for k in (*straight, *rough)])
    node = views.reshape(g, node, [*g.shape[node][: len(straight)], math.prod(sizes)])
    over = [axis for axis in axes if any(axis in users[k] for k in rough)]
    picked = []
    for k in rough:
        index = np.asarray(at[k]) - int(np.min(at[k]))
        picked.append(index.reshape([n for axis, n in zip(axes, index.shape, strict=True) if axis in over]))
    full = np.broadcast_arrays(*picked)
    node = views.gather(g, node, np.ravel_multi_index(tuple(index.ravel() for index in full), sizes))
    node = views.reshape(g, node, [*g.shape[node][:-1], *full[0].shape])
    return values.ordered(g, node, [*straight.values(), *over])


def _runs(index: Number) -> bool:
    """Whether index values ascend by one."""
    return bool((np.diff(np.ravel(index)) == 1).all())
