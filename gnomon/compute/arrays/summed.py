"""Sums of tensors: their values, and their running bounds."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnomon.compute.arrays.exact import Array
from gnomon.compute.arrays.graph import Graph, Node, Shape, lifted
from gnomon.compute.arrays.sums import Term, products
from gnomon.compute.arrays.views import at_places
from gnomon.compute.charge import INF, Charge, Pair


def _contracted(term: Term, tensors: Sequence[Tensor]) -> Tensor:
    """The sums of products of tensors (B, ...), not weighed."""
    if len(tensors) == 1:
        summed = [1 + k for k, place in enumerate(term.letters[0]) if place < 0]
        return tensors[0].sum(summed) if summed else tensors[0]
    a, b = tensors
    if all(place >= 0 for own in term.letters for place in own):
        x, y = (tuple(term.kept.index(place) for place in own) for own in term.letters)
        return at_places(a, x, len(term.kept)) * at_places(b, y, len(term.kept))
    size = max(a.shape[0], b.shape[0])
    return torch.einsum(term.formula, a.expand(size, *a.shape[1:]), b.expand(size, *b.shape[1:]))


def _added(out: Tensor | None, term: Term, found: Tensor, shape: Shape, weight: int) -> Tensor:
    """A term's sums put where they belong, and added, in place, to those of the terms before."""
    placed = at_places(found if weight == 1 else found * weight, term.kept, len(shape))
    if out is None and term.box is None and len(term.letters) == 2 and placed.shape[1:] == shape:
        return placed  # a product, which is nobody else's
    if out is None:
        out = torch.zeros((placed.shape[0], *shape), dtype=torch.float64, device=found.device)
    elif out.shape[0] < placed.shape[0]:
        out = out.expand(placed.shape[0], *shape).clone()
    if term.box is None:
        return out.add_(placed)
    box: tuple[Any, ...] = (slice(None), *(slice(start, start + n) for start, n in term.box))
    out[box] += placed
    return out


def value_of(g: Graph, number: int, args: Sequence[Tensor]) -> Tensor:
    """The sum of tensors (B, *shape)."""
    node, shape = g.nodes[number], g.shape[number]
    out: Tensor | None = None
    for term, at in node.value.parts:
        found = _clean(g, term, [node.args[k] for k in at], [args[k] for k in at])
        out = _added(out, term, found, shape, term.times * term.sign)
    assert out is not None
    return out


def _clean(g: Graph, term: Term, operands: Sequence[int], tensors: Sequence[Tensor]) -> Tensor:
    """A contraction in which a structural zero times what has overflowed is 0, and so is what a gate shuts out."""
    factors, gate = list(tensors[: len(term.letters)]), tensors[-1] > 0 if term.gate is not None else None
    shut = gate is None
    for k, own in enumerate(term.letters):
        if gate is not None and term.gate is not None and not shut and set(term.gate) <= set(own):
            at = tuple(own.index(place) for place in term.gate)
            factors[k], shut = torch.where(at_places(gate, at, len(own)), factors[k], 0.0), True
    zeros = [known.zero if (known := g.known[a]) is not None else None for a in operands[: len(factors)]]
    if shut:
        found = _contracted(term, factors)
        if len(factors) == 1 or (gate is None and all(zero is None for zero in zeros)) or found.isfinite().all():
            return found
    places = sorted({place for own in term.letters for place in own})
    aligned = [tuple(places.index(letter) for letter in letters) for letters in term.letters]
    product = functools.reduce(
        torch.mul, [at_places(factor, place, len(places)) for factor, place in zip(factors, aligned, strict=True)]
    )
    for zero, place in zip(zeros, aligned, strict=True):
        if zero is not None:
            product = torch.where(torch.tensor(lifted(zero, place, len(places)), device=product.device), 0.0, product)
    if gate is not None and term.gate is not None:
        at = tuple(places.index(place) for place in term.gate)
        product = torch.where(at_places(gate, at, len(places)), product, 0.0)
    summed = [1 + k for k, place in enumerate(places) if place < 0]
    return product.sum(summed) if summed else product


def bound_of(g: Graph, number: int, c: Charge, args: Sequence[Pair]) -> Pair:
    """The sum of pairs (B, *shape), and its running bound: errors inherited, of the products, and of the additions."""
    node, shape = g.nodes[number], g.shape[number]
    value = value_of(g, number, [v for v, _ in args])
    size: Tensor | None = None
    error: Tensor | None = None
    multiplied = 0
    for term, at in node.value.parts:
        operands = [node.args[k] for k in at]
        pairs = [args[k] for k in at[: len(term.letters)]]
        gate = [args[at[-1]][0]] if term.gate is not None else []
        sizes = [v.abs() for v, _ in pairs]
        errors = [e.expand_as(v) for v, e in pairs]
        own = _clean(g, term, operands, [*sizes, *gate])
        size = _added(size, term, own, shape, term.times)
        pieces: list[tuple[Tensor, ...]] = []
        if len(pairs) == 1:
            pieces = [(errors[0],)] if errors[0].any() else []
        else:
            units = [None if (known := g.known[a]) is None else known.unit for a in operands[:2]]
            rounds = not any(unit is not None and unit.all() for unit in units)  # products by 0 and 1 round nothing
            multiplied += products(g, tuple(operands), term) if rounds else 0
            inherited = errors[1]
            if rounds and any(unit is not None and unit.any() for unit in units):
                a, b = (
                    each if unit is None else each.masked_fill(_on(unit, each), 0.0)
                    for each, unit in zip(sizes, units, strict=True)
                )
                pieces.append((a * c.u, b))
            elif rounds:
                inherited = inherited + sizes[1] * c.u
            if inherited.any():
                pieces.append((sizes[0], inherited))
            if errors[0].any():
                pieces.append((errors[0], sizes[1] + errors[1]))
        for piece in pieces:
            error = _added(error, term, _clean(g, term, operands, [*piece, *gate]), shape, term.times)
    assert size is not None
    error = torch.zeros_like(size) if error is None else error
    unknown, constant = g.counted.get(number, (np.asarray(_plain_count(g, node)), np.asarray(0)))
    inherited, found = _charged(c, value, size, error, unknown + (constant != 0), multiplied, node.value.sizes)
    if any(g.lowest[a] for a in node.args):
        found = _at_infinity(g, node, shape, args, value, inherited, found)
    return value, found


def _charged(
    c: Charge, value: Tensor, size: Tensor, error: Tensor, terms: Array, multiplied: int, sizes: bool
) -> tuple[Tensor, Tensor]:
    """The bounds of sums without and with their additions, of so many terms each, or of as many everywhere."""
    lost = c.eta + c.flush
    if terms.ndim == 0:
        count = int(terms)
        error = error + lost * min(count, multiplied)
        if count < 2:
            return error, error.masked_fill(c.reach(value, size) + error > c.largest, INF)
        if count == 2 and not sizes:
            rounding = value.abs() * c.u
            return error, (error + rounding).masked_fill(value.abs() + rounding + error > c.largest, INF)
        rounding = c.additions(value, size, count - 1)
        return error, (error + rounding).masked_fill(c.reach(value, size) + error > c.largest, INF)
    many = torch.as_tensor(terms, dtype=torch.float64, device=size.device)
    error = error + lost * many.clamp(max=multiplied)
    additions = c.additions(value, size, (many - 1).clamp(min=0)).masked_fill(many < 2, 0.0)
    two = (many == 2) & (not sizes)
    rounding = torch.where(two, value.abs() * c.u, additions)
    reach = torch.where(two, value.abs() + rounding, c.reach(value, size)) + error
    return error, (error + rounding).masked_fill(reach > c.largest, INF)


def _at_infinity(
    g: Graph, node: Node, shape: Shape, args: Sequence[Pair], value: Tensor, inherited: Tensor, error: Tensor
) -> Tensor:
    """The bound where a term is minus infinity on purpose, and so exactly, and the others are finite."""
    rest = [v.masked_fill((v == -INF) & (e == 0), 0.0) for v, e in args]
    size: Tensor | None = None
    for term, at in node.value.parts:
        found = _clean(g, term, [node.args[k] for k in at], [rest[k].abs() for k in at])
        size = _added(size, term, found, shape, term.times)
    assert size is not None
    return error.masked_fill((value == -INF) & inherited.isfinite() & size.isfinite(), 0.0)


def _plain_count(g: Graph, node: Node) -> int:
    return sum(products(g, tuple(node.args[k] for k in at), term) for term, at in node.value.parts)


def _on(array: Array, like: Tensor) -> Tensor:
    return torch.tensor(array, device=like.device)
