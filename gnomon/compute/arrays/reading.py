"""Readings of a graph: float64 values, or values with the running bound, for all entries and points at once.

The rules are those of the operations' records. What is added here is what single numbers have no need of: entries that
are known constants, which round nothing, and views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.arrays import summed
from gnomon.compute.arrays.exact import floats
from gnomon.compute.arrays.graph import VIEWS, Graph
from gnomon.compute.arrays.views import at_places, moved
from gnomon.compute.charge import INF, Charge, Format, Pair
from gnomon.compute.operations import CONDITIONS, OPERATIONS
from gnomon.compute.running_error import at_infinity, charges, enter, flushed, may_flush, overflowed

Leaves = Mapping[str, Any]
"""For each input a tensor (B, *shape), or a number."""


def values(g: Graph, outputs: Sequence[int], leaves: Leaves, device: torch.device) -> list[Tensor]:
    """The float64 values (B, *shape) of some nodes; B is 1 where they are the same at every point."""
    made: dict[int, Tensor] = {}
    order = g.reachable(outputs)
    free = _last_use(g, order, outputs)
    for number in order:
        node = g.nodes[number]
        if not node.args:
            made[number] = _given(g, number, leaves, device)
        else:
            made[number] = _value(g, number, [made[arg] for arg in node.args])
        for dead in free.get(number, ()):
            del made[dead]
    return [made[number] for number in outputs]


def bounded(
    g: Graph,
    outputs: Sequence[int],
    leaves: Leaves,
    dtype: torch.dtype,
    device: torch.device,
    sums: torch.dtype | None = None,
) -> list[Pair]:
    """Values and running bounds (B, *shape) of some nodes, for a subject that computes in ``dtype``.

    See :func:`gnomon.compute.running_error.bounded`, which does so entry by entry; sums are added up in ``sums``.
    """
    subject = Format(dtype)
    flushes = may_flush(dtype, device)
    tensor, host = charges(dtype, device, sums)
    made: dict[int, Pair] = {}
    entered: dict[int, Pair] = {}
    order = g.reachable(outputs)
    free = _last_use(g, order, outputs)
    for number in order:
        node, is_host = g.nodes[number], g.host[number]
        rounds = not is_host and node.op not in VIEWS and node.op not in CONDITIONS
        if not node.args:
            made[number] = _start(g, number, leaves, device)
            value = made[number][0]
            if node.op == "leaf" and not is_host and not torch.equal(value.to(dtype).to(torch.float64), value):
                made[number] = enter(made[number], subject)
        else:
            args = []
            for arg in node.args:
                if g.host[arg] and not is_host and not g.is_condition(arg):
                    if arg not in entered:
                        entered[arg] = enter(made[arg], subject)
                    args.append(entered[arg])
                else:
                    args.append(made[arg])
            value, error = _pair(g, number, host if is_host else tensor, args)
            if rounds and dtype != torch.float64 and node.op in OPERATIONS and OPERATIONS[node.op].grows:
                error = overflowed(value, error, subject, g.lowest[number])
            if node.places and node.op not in VIEWS and any(g.lowest[arg] for arg in node.args):
                error = at_infinity(node.op, _aligned(g, number, args), value, error)
            made[number] = (value, error)
        if flushes and rounds:
            made[number] = flushed(made[number], subject)
        for dead in free.get(number, ()):
            made.pop(dead)
            entered.pop(dead, None)
    found = [enter(made[n], subject) if g.host[n] and not g.is_condition(n) else made[n] for n in outputs]
    return [(value, torch.nan_to_num(error, nan=INF, posinf=INF)) for value, error in found]


def _last_use(g: Graph, order: Sequence[int], outputs: Sequence[int]) -> dict[int, list[int]]:
    """For each node, the nodes that nobody needs after it."""
    last = {arg: number for number in order for arg in g.nodes[number].args}
    free: dict[int, list[int]] = {}
    for arg in last.keys() - set(outputs):
        free.setdefault(last[arg], []).append(arg)
    return free


def _given(g: Graph, number: int, leaves: Leaves, device: torch.device) -> Tensor:
    """A leaf, or a constant."""
    node = g.nodes[number]
    if node.op == "leaf":
        value = torch.as_tensor(leaves[node.value], dtype=torch.float64, device=device)
        return value if value.dim() else value.reshape(1)
    given = {"pi": torch.pi, "lowest": -INF}[node.op] if node.op != "const" else floats(g.exact[number])
    return torch.as_tensor(given, dtype=torch.float64, device=device).unsqueeze(0)


def _start(g: Graph, number: int, leaves: Leaves, device: torch.device) -> Pair:
    """A leaf, or a constant: exact, unless no float64 number is it."""
    value = _given(g, number, leaves, device)
    rounds = 2.0**-53
    if g.nodes[number].op == "pi":
        return value, value.abs() * rounds
    if number in g.exact and g.exact[number].dtype == object:
        off = [Fraction(float(entry)) != entry for entry in g.exact[number].ravel().tolist()]
        return value, value.abs() * rounds * torch.tensor(off, device=device).reshape(value.shape)
    return value, torch.zeros_like(value)


def _aligned(g: Graph, number: int, args: Sequence[Pair]) -> list[Pair]:
    """The arguments of what is computed entry by entry, with their axes at their places."""
    places, rank = g.nodes[number].places, len(g.shape[number])
    return [
        (at_places(value, own, rank), at_places(error, own, rank))
        for (value, error), own in zip(args, places, strict=True)
    ]


def _value(g: Graph, number: int, args: Sequence[Tensor]) -> Tensor:
    node, shape = g.nodes[number], g.shape[number]
    if node.op == "sum":
        return summed.value_of(g, number, args)
    if node.op == "rivals":
        return _rivals(args[0], node.value)
    if node.op in VIEWS:
        return moved(node, shape, args, -INF if node.op == "kept" else 0.0)
    operation = OPERATIONS[node.op]
    more = [node.value] if operation.needs == "value" else []
    if operation.along is not None:
        return operation.along(args[0], *more)
    aligned = [at_places(arg, own, len(shape)) for arg, own in zip(args, node.places, strict=True)]
    return _nothing(g, number, operation.torch(*aligned, *more))


def _nothing(g: Graph, number: int, found: Tensor) -> Tensor:
    """A structural zero times infinity is 0."""
    known = g.known[number]
    if known is None or g.nodes[number].op not in ("mul", "div") or found.isfinite().all():
        return found
    return torch.where(torch.tensor(known.zero, device=found.device), 0.0, found)


def _pair(g: Graph, number: int, charge: Charge, args: Sequence[Pair]) -> Pair:
    node, shape = g.nodes[number], g.shape[number]
    if node.op == "sum":
        return summed.bound_of(g, number, charge, args)
    if node.op == "rivals":  # one may be off by as much as any of them
        return _rivals(args[0][0], node.value), _rivals(args[0][1].expand_as(args[0][0]), "largest")
    if node.op in VIEWS:
        fill = -INF if node.op == "kept" else 0.0
        return moved(node, shape, [v for v, _ in args], fill), moved(node, shape, [e for _, e in args])
    operation = OPERATIONS[node.op]
    besides = {"value": node.value, "nonneg": g.range[node.args[0]][0] >= 0}
    more = {operation.needs: besides[operation.needs]} if operation.needs else {}
    if operation.along_bound is not None:
        value, error = args[0]
        return operation.along_bound(charge, value, error.expand_as(value), **more)
    aligned = _aligned(g, number, args)
    found = operation.bound(charge, *aligned, **more)
    return _exempt(g, number, aligned, found) if node.op in ("mul", "div") else found


def _exempt(g: Graph, number: int, args: Sequence[Pair], found: Pair) -> Pair:
    """A product with a known 0, 1 or -1, and a quotient of a known 0 or by a known 1, round nothing."""
    node, shape = g.nodes[number], g.shape[number]
    if all(g.known[arg] is None for arg in node.args):
        return found
    (a, ea), (b, eb) = args
    x, y = g.knowns(node.args, node.places, shape)
    value, error = found
    for known in (x, y) if node.op == "mul" else (y,):
        if known is not None and known.unit.any():
            unit = torch.tensor(
                known.unit if node.op == "mul" else known.where & (known.what == 1), device=value.device
            )
            error = torch.where(unit, a.abs() * eb + (b.abs() + eb) * ea if node.op == "mul" else ea, error)
    if (own := g.known[number]) is not None:
        zero = torch.tensor(own.zero, device=value.device)
        value, error = torch.where(zero, 0.0, value), torch.where(zero, 0.0, error)
    return value, error


def _rivals(terms: Tensor, op: str) -> Tensor:
    """For each entry the greatest ("largest") or the least of the others along the last axis."""
    if op == "smallest":
        return -_rivals(-terms, "largest")
    top = terms.topk(2, -1)
    here = torch.arange(terms.shape[-1], device=terms.device) == top.indices[..., :1]
    return torch.where(here, top.values[..., 1:], top.values[..., :1])
