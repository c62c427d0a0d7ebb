"""Views in reverse: where the adjoint of what a view moved belongs among the entries that it was moved from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gnomon.compute.arrays import views
from gnomon.compute.arrays.exact import Array
from gnomon.compute.arrays.graph import Graph, Shape
from gnomon.compute.arrays.sums import Term, total
from gnomon.compute.arrays.views import Spec

Piece = tuple[tuple[int, ...], Term]
"""A part of an adjoint: a term of a sum, with its operands."""


def moved(g: Graph, number: int, k: int, piece: Piece) -> Piece:
    """A part of a view's adjoint as a part of the adjoint of its k-th argument.

    It stays the same sum of products where the view only names its axes otherwise, so that all that an entry's uses
    give is added up at once; else it is added up before it is moved.
    """
    operands, term = piece
    found = _renamed(g, number, k, operands, term)
    if found is None:
        x = total(g, [piece], g.shape[number], sizes=True)
        found = back(g, number, k, x)
    return straight(g, *found)


def straight(g: Graph, operands: tuple[int, ...], term: Term) -> Piece:
    """The same part, its axes in order if it has one operand alone."""
    if len(term.letters) > 1:
        return operands, term
    letters = list(term.letters[0])
    order = sorted(range(len(letters)), key=lambda k: (letters[k] < 0, letters[k]))
    first = views.turn(g, operands[0], order)
    return (first, *operands[1:]), replace(term, letters=(tuple(letters[k] for k in order),))


def _spelt(term: Term, name: Callable[[int], int | None]) -> Term:
    """A term with other names of its axes in the result; None for one that is summed over."""
    lowest = min((letter for own in term.letters for letter in own), default=0)
    found: dict[int, int] = {}
    for letter in {letter for own in (*term.letters, term.gate or ()) for letter in own}:
        new = name(letter) if letter >= 0 else letter
        found[letter] = min(lowest, 0) - 1 - letter if new is None else new
    own = tuple(tuple(found[letter] for letter in letters) for letters in term.letters)
    return replace(term, letters=own, gate=None if term.gate is None else tuple(found[x] for x in term.gate))


def _renamed(g: Graph, number: int, k: int, operands: tuple[int, ...], term: Term) -> Piece | None:
    """A part that is moved by naming its axes otherwise, or by parts of its operands; None where it cannot be."""
    node = g.nodes[number]
    arg, value = node.args[k], node.value
    shape, whole, box = g.shape[arg], g.shape[number], term.box
    if node.op == "cut":
        inner = [(0, n) for _, n in value] if box is None else box
        return operands, replace(
            term, box=tuple((at + more, n) for (at, _), (more, n) in zip(value, inner, strict=True))
        )
    if node.op == "turn":
        placed = None if box is None else tuple(box[value.index(axis)] for axis in range(len(shape)))
        return operands, replace(_spelt(term, lambda letter: int(value[letter])), box=placed)
    if node.op == "reshape" and [n for n in shape if n > 1] == [n for n in whole if n > 1]:
        ours = [axis for axis, n in enumerate(whole) if n > 1]
        theirs = [axis for axis, n in enumerate(shape) if n > 1]
        at = dict(zip(ours, theirs, strict=True))
        placed = None
        if box is not None:
            of = dict(zip(theirs, ours, strict=True))
            placed = tuple(box[of[axis]] if axis in of else (0, 1) for axis in range(len(shape)))
        return operands, replace(_spelt(term, at.get), box=placed)
    if node.op == "expand":
        own = node.places[0]
        lost = [axis for axis in range(len(whole)) if axis not in own]
        extents = list(whole) if box is None else [n for _, n in box]
        alone = [axis for axis in lost if not any(axis in letters for letters in term.letters)]
        times = term.times * math.prod(extents[axis] for axis in alone)
        placed = None if box is None else tuple(box[axis] for axis in own)
        names = {axis: at for at, axis in enumerate(own)}
        return operands, replace(_spelt(term, names.get), times=times, box=placed)
    if node.op == "pad" and box is None:
        return _part(g, operands, term, [(start, n) for (start, _), n in zip(value, shape, strict=True)]), term
    if node.op == "stack" and box is None:
        last = len(shape)
        part = _part(g, operands, term, [*((0, n) for n in shape), (k, 1)])
        return part, _spelt(term, lambda letter: None if letter == last else letter)
    return None


def _part(g: Graph, operands: Sequence[int], term: Term, spec: Spec) -> tuple[int, ...]:
    """The operands of a box of a term's entries."""
    found = []
    for operand, own in zip(operands, (*term.letters, *([term.gate] if term.gate is not None else [])), strict=True):
        box = [spec[letter] if letter >= 0 else (0, n) for letter, n in zip(own, g.shape[operand], strict=True)]
        found.append(views.cut(g, operand, box))
    return tuple(found)


def back(g: Graph, number: int, k: int, x: int) -> Piece:
    """What a view's entries came from, as a term of one operand: ``x`` has the shape of the view."""
    node = g.nodes[number]
    arg, value = node.args[k], node.value
    shape, own = g.shape[arg], g.all_of(arg)
    named = _renamed(g, number, k, (x,), Term((g.all_of(number),)))
    if named is not None:
        return straight(g, *named)
    if node.op == "reshape":
        return (views.reshape(g, x, shape),), Term((own,))
    if node.op == "gather":
        return _collected(g, x, np.frombuffer(value[0], np.int64), value[1])
    if node.op == "scatter":
        return (views.gather(g, x, np.frombuffer(value[0], np.int64)),), Term((own,))
    assert node.op in ("mask", "kept")
    return (views.mask(g, x, np.frombuffer(value, bool).reshape(shape)),), Term((own,))


def _collected(g: Graph, x: int, index: Array, count: int) -> Piece:
    """The entries along the last axis that were gathered from each place, with zeros where there are fewer."""
    own = g.all_of(x)
    often = np.bincount(index, minlength=count)
    most = int(often.max())
    if most == 1:
        return (views.scatter(g, x, index, count),), Term((own,))
    order = np.argsort(index, kind="stable")
    which = np.arange(len(index)) - np.repeat(np.cumsum(often) - often, often)  # the how many-th of its place
    table = np.full((count, most), len(index), np.int64)
    table[index[order], which] = order
    *rest, length = g.shape[x]
    padded = views.pad(g, x, [*((0, n) for n in rest), (0, length + 1)])
    found = views.reshape(g, views.gather(g, padded, table.ravel()), (*rest, count, most))
    return (found,), Term(((*own, -1),))


def gathered_back(g: Graph, way: int, term: Term, shape: Shape) -> int:
    """A node of zeros and ones moved along a term of one operand: 1 where one of the entries that are summed is."""
    (letters,) = term.letters
    axes = list(letters)
    while any(letter < 0 for letter in axes):
        k = next(k for k, letter in enumerate(axes) if letter < 0)
        way = views.turn(g, way, [*(j for j in range(len(axes)) if j != k), k])
        del axes[k]
        way = g.reduced("largest", way)
    order = sorted(range(len(axes)), key=lambda k: axes[k])
    way, own = views.turn(g, way, order), tuple(sorted(axes))
    if term.box is None:
        return g.spread(way, own, shape)
    way = g.spread(way, own, tuple(n for _, n in term.box))
    return views.pad(g, way, [(start, n) for (start, _), n in zip(term.box, shape, strict=True)])
