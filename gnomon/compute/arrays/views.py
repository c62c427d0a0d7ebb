"""Views: operations that move entries. Each is said once for numbers that are known and once for tensors of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnomon.compute.arrays.exact import Array, objects
from gnomon.compute.arrays.graph import Graph, Known, Node, Shape

Spec = Sequence[tuple[int, int]]
"""For each axis where it begins and an extent."""


def _view(
    g: Graph, op: str, a: int, value: Any, shape: Shape, move: Callable[[Array], Array], fill: float | None = None
) -> int:
    """A view; ``move`` does to an array what the view does, and puts 0 where nothing comes from, or ``fill`` stands."""
    if a in g.exact and fill in (None, 0.0):
        return g.constant(move(g.exact[a]))
    known, (low, high) = g.known[a], g.range[a]
    if known is not None or fill is not None:
        known = Known(np.zeros(g.shape[a], bool), np.zeros(g.shape[a])) if known is None else known
        moved = move(np.where(known.where, known.what, np.nan))
        there = move(np.ones(g.shape[a], np.int64)) != 0
        what = moved if fill is None else np.where(there, moved, fill)
        known = Known(~np.isnan(what), np.nan_to_num(what, neginf=-np.inf))
    within = (low, high) if fill is None else (min(low, fill), max(high, fill))
    lowest = None if fill != -np.inf else True
    return g.put(Node(op, (a,), value=value), shape, within, known, lowest=lowest)


def cut(g: Graph, a: int, spec: Spec) -> int:
    """A box of entries: (start, extent) for each axis."""
    if all(start == 0 and n == s for (start, n), s in zip(spec, g.shape[a], strict=True)):
        return a
    box = tuple(slice(start, start + n) for start, n in spec)
    return _view(g, "cut", a, tuple(spec), tuple(n for _, n in spec), lambda x: x[box])


def pad(g: Graph, a: int, spec: Spec) -> int:
    """An array within zeros: (start, total extent) for each axis."""
    if all(start == 0 and n == s for (start, n), s in zip(spec, g.shape[a], strict=True)):
        return a
    wide = [(start, n - start - s) for (start, n), s in zip(spec, g.shape[a], strict=True)]
    return _view(g, "pad", a, tuple(spec), tuple(n for _, n in spec), lambda x: np.pad(x, wide), 0.0)


def turn(g: Graph, a: int, order: Sequence[int]) -> int:
    """The axes in another order."""
    order = tuple(order)
    if order == tuple(range(len(order))):
        return a
    if g.nodes[a].op == "turn":
        a, order = g.nodes[a].args[0], tuple(g.nodes[a].value[k] for k in order)
        return turn(g, a, order)
    shape = tuple(g.shape[a][k] for k in order)
    return _view(g, "turn", a, order, shape, lambda x: x.transpose(order))


def reshape(g: Graph, a: int, shape: Sequence[int]) -> int:
    shape = tuple(shape)
    if g.nodes[a].op == "reshape":
        a = g.nodes[a].args[0]
    return a if shape == g.shape[a] else _view(g, "reshape", a, shape, shape, lambda x: x.reshape(shape))


def gather(g: Graph, a: int, index: Any) -> int:
    """Entries of the last axis, at these places."""
    index = np.ascontiguousarray(index, np.int64)
    shape = (*g.shape[a][:-1], len(index))
    return _view(g, "gather", a, (index.tobytes(), g.shape[a][-1]), shape, lambda x: x[..., index])


def scatter(g: Graph, a: int, index: Any, total: int) -> int:
    """Entries of the last axis put at these places of ``total``, of which no two are alike; zeros elsewhere."""
    index = np.ascontiguousarray(index, np.int64)

    def move(x: Array) -> Array:
        out = np.zeros((*x.shape[:-1], total), x.dtype)
        out[..., index] = x
        return out

    return _view(g, "scatter", a, (index.tobytes(), total), (*g.shape[a][:-1], total), move, 0.0)


def mask(g: Graph, a: int, where: Array, fill: float = 0.0) -> int:
    """The entries where a mask of the node's shape holds, and 0 (or minus infinity) elsewhere."""
    if where.all():
        return a
    op = "kept" if fill else "mask"
    return _view(g, op, a, where.tobytes(), g.shape[a], lambda x: np.where(where, x, 0), fill)


def stack(g: Graph, parts: Sequence[int]) -> int:
    """Nodes of one shape along a new last axis."""
    shape = (*g.shape[parts[0]], len(parts))
    if all(part == parts[0] for part in parts):
        return g.spread(parts[0], tuple(range(len(shape) - 1)), shape)
    if all(part in g.exact for part in parts):
        return g.constant(np.stack([objects(g.exact[part]) for part in parts], -1))
    known = None
    if any(g.known[part] is not None for part in parts):
        none = Known(np.zeros(shape[:-1], bool), np.zeros(shape[:-1]))
        own = [g.known[part] or none for part in parts]
        known = Known(np.stack([each.where for each in own], -1), np.stack([each.what for each in own], -1))
    within = min(g.range[part][0] for part in parts), max(g.range[part][1] for part in parts)
    return g.put(Node("stack", tuple(parts)), shape, within, known)


# ---------------------------------------------------------------------- of tensors (B, *shape)


def moved(node: Node, shape: Shape, args: Sequence[Tensor], fill: float | bool = 0.0) -> Tensor:
    """What a view does to tensors; ``fill`` stands where nothing comes from."""
    value, t = node.value, args[0]
    if node.op == "cut":
        box: tuple[Any, ...] = (slice(None), *(slice(start, start + n) for start, n in value))
        return t[box]
    if node.op == "turn":
        return t.permute(0, *(1 + k for k in value))
    if node.op == "reshape":
        return t.reshape(t.shape[0], *value)
    if node.op == "expand":
        return at_places(t, node.places[0], len(shape)).expand(t.shape[0], *shape)
    if node.op == "gather":
        return t.index_select(-1, _index(value[0], t))
    if node.op in ("mask", "kept"):
        return torch.where(torch.tensor(np.frombuffer(value, bool).reshape(shape), device=t.device), t, fill)
    if node.op == "stack":
        size = max(part.shape[0] for part in args)
        return torch.stack([part.expand(size, *part.shape[1:]) for part in args], -1)
    out = torch.full((t.shape[0], *shape), fill, dtype=t.dtype, device=t.device)
    if node.op == "scatter":
        return out.index_copy_(-1, _index(value[0], t), t)
    inside: tuple[Any, ...] = (slice(None), *(slice(s, s + n) for (s, _), n in zip(value, t.shape[1:], strict=True)))
    out[inside] = t
    return out


def _index(data: bytes, t: Tensor) -> Tensor:
    return torch.tensor(np.frombuffer(data, np.int64), device=t.device)


def at_places(t: Tensor, places: Sequence[int], rank: int) -> Tensor:
    """A tensor (B, ...) whose own axes stand at these places among ``rank``."""
    if tuple(places) == tuple(range(rank)):
        return t
    order = sorted(range(len(places)), key=lambda k: places[k])
    shape = [t.shape[0]] + [1] * rank
    for place, extent in zip(places, t.shape[1:], strict=True):
        shape[1 + place] = extent
    return t.permute(0, *(1 + k for k in order)).reshape(shape)
