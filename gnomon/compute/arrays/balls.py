"""Single entries of a graph in Arb balls: what an entry leans on is enclosed, and nothing else."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from flint import arb, ctx

from gnomon.compute.arrays.graph import VIEWS, Graph
from gnomon.compute.balls import BITS, ball
from gnomon.compute.operations import OPERATIONS

Entry = tuple[int, tuple[int, ...]]
"""A node, and an index."""
Recipe = tuple[Sequence[Entry], Callable[[list[Any]], Any]]
"""What an entry leans on, and how it is made of that."""


def enclosed(g: Graph, number: int, index: tuple[int, ...], leaves: Mapping[str, Any], bits: int = BITS) -> Any:
    """A ball of one entry of a node, for exact values of the leaves (*shape).

    Raises:
        UndecidedBranch: if a comparison that decides a branch cannot be decided with these bits.
    """
    before, ctx.prec = ctx.prec, bits
    try:
        made: dict[Entry, Any] = {}
        waiting: list[Entry] = [(number, index)]
        while waiting:
            entry = waiting[-1]
            needs, make = _recipe(g, *entry, leaves)
            missing = [each for each in needs if each not in made]
            if missing and entry not in made:
                waiting += missing
                continue
            waiting.pop()
            if entry not in made:
                made[entry] = make([made[each] for each in needs])
        return made[number, index]
    finally:
        ctx.prec = before


def _recipe(g: Graph, number: int, index: tuple[int, ...], leaves: Mapping[str, Any]) -> Recipe:
    node = g.nodes[number]
    if node.op == "leaf":
        given = leaves[node.value]
        return (), lambda _: ball(float(given[index]) if index else float(given))
    if number in g.exact:
        exact = g.exact[number][index]
        return (), lambda _: ball(int(exact) if isinstance(exact, np.integer) else exact)
    if node.op in ("pi", "lowest"):
        return (), lambda _: arb.pi() if node.op == "pi" else arb("-inf")
    if _is_zero(g, number, index):  # however infinite what it is made of
        return (), lambda _: arb(0)
    if node.op in VIEWS:
        source = _source(g, number, index)
        lost = arb("-inf") if node.op == "kept" else arb(0)
        return ((), lambda _: lost) if source is None else ([source], lambda found: found[0])
    if node.op == "sum":
        return _summed(g, number, index)
    if node.op == "rivals":
        others = [(node.args[0], (*index[:-1], k)) for k in range(g.shape[number][-1]) if k != index[-1]]
        return others, lambda found: OPERATIONS[node.value].arb(*found)
    operation = OPERATIONS[node.op]
    more = [node.value] if operation.needs == "value" else []
    if operation.along is not None:
        args = [(node.args[0], (*index, k)) for k in range(g.shape[node.args[0]][-1])]
    else:
        args = [(arg, tuple(index[axis] for axis in own)) for arg, own in zip(node.args, node.places, strict=True)]
    return args, lambda found: operation.arb(*found, *more)


def _source(g: Graph, number: int, index: tuple[int, ...]) -> Entry | None:
    """The entry that a view shows; None where it shows none."""
    node = g.nodes[number]
    arg, value = node.args[0], node.value
    shape = g.shape[arg]
    if node.op == "cut":
        return arg, tuple(start + at for (start, _), at in zip(value, index, strict=True))
    if node.op == "pad":
        place = tuple(at - start for (start, _), at in zip(value, index, strict=True))
        return (arg, place) if all(0 <= at < n for at, n in zip(place, shape, strict=True)) else None
    if node.op == "turn":
        return arg, tuple(index[value.index(axis)] for axis in range(len(shape)))
    if node.op == "reshape":
        flat = int(np.ravel_multi_index(index, g.shape[number])) if index else 0
        return arg, tuple(int(at) for at in np.unravel_index(flat, shape)) if shape else ()
    if node.op == "expand":
        return arg, tuple(index[axis] for axis in node.places[0])
    if node.op == "gather":
        return arg, (*index[:-1], int(np.frombuffer(value[0], np.int64)[index[-1]]))
    if node.op == "scatter":
        from_where = np.flatnonzero(np.frombuffer(value[0], np.int64) == index[-1])
        return (arg, (*index[:-1], int(from_where[0]))) if len(from_where) else None
    if node.op in ("mask", "kept"):
        return (arg, index) if np.frombuffer(value, bool).reshape(shape)[index] else None
    return node.args[index[-1]], index[:-1]  # a stack


def _summed(g: Graph, number: int, index: tuple[int, ...]) -> Recipe:
    """All products that a sum's entry adds up; one whose gate is 0 is left out."""
    node = g.nodes[number]
    needs: list[Entry] = []
    parts: list[tuple[int, int, bool]] = []  # a weight, how many entries it takes, and whether the last is a gate
    args = iter(node.args)
    for term in node.value.terms:
        operands = [next(args) for _ in range(term.width)]
        starts = [0] * len(index) if term.box is None else [start for start, _ in term.box]
        place = {axis: at - start for axis, (at, start) in enumerate(zip(index, starts, strict=True))}
        if term.box is not None and any(not 0 <= place[axis] < n for axis, (_, n) in enumerate(term.box)):
            continue
        spelt = [*term.letters, *([term.gate] if term.gate is not None else [])]
        extents: dict[int, int] = {}
        for operand, own in zip(operands, spelt, strict=True):
            extents.update({letter: n for letter, n in zip(own, g.shape[operand], strict=True) if letter < 0})
        for chosen in itertools.product(*map(range, extents.values())):
            at = {**place, **dict(zip(extents, chosen, strict=True))}
            entries = [
                (operand, tuple(at[letter] for letter in own)) for operand, own in zip(operands, spelt, strict=True)
            ]
            if not any(_is_zero(g, *entry) for entry in entries):
                needs += entries
                parts.append((term.sign * term.times, len(entries), term.gate is not None))

    def make(found: list[Any]) -> Any:
        total, left = arb(0), iter(found)
        for weight, count, gated in parts:
            factors = [next(left) for _ in range(count)]
            if not gated or not factors.pop().is_zero():
                total += weight * functools.reduce(operator.mul, factors)
        return total

    return needs, make


def _is_zero(g: Graph, number: int, index: tuple[int, ...]) -> bool:
    known = g.known[number]
    return known is not None and bool(known.where[index]) and known.what[index] == 0
