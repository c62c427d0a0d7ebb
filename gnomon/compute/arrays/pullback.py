"""Reverse mode on graphs of arrays: the vector-Jacobian product, as nodes of the same graph.

What is said of single numbers in :func:`gnomon.compute.slp.pullback` is said here of arrays, and comes to the same
bounds: an entry's adjoint is one sum of all that its uses give, charged by their sizes; constants have none; and what
is reached through choices alone has no part where surely none of them is taken. Along with an adjoint goes its *way*: a
node of the same shape that is 0 there and 1 elsewhere, or None for 1 everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gnomon.compute.arrays import values, views
from gnomon.compute.arrays.graph import VIEWS, Graph, Shape
from gnomon.compute.arrays.slopes import Slopes, slopes_of
from gnomon.compute.arrays.sums import Term, total
from gnomon.compute.arrays.values import Value
from gnomon.compute.operations import CONDITIONS

Piece = tuple[tuple[int, ...], Term]
"""A part of an adjoint: a term of a sum, with its operands."""
Way = int | None
ALONG = ("largest", "smallest", "logsumexp", "argmax", "argmin")


def pullback(g: Graph, outputs: Sequence[int], cotangents: Sequence[int]) -> dict[str, int]:
    """The nodes of the gradient, by the name of each leaf that is no host number, of the sum of cotangent · output."""
    pieces: dict[int, list[Piece]] = {}
    ways: dict[int, list[Way]] = {}
    for out, cotangent in zip(outputs, cotangents, strict=True):
        pieces.setdefault(out, []).append(((cotangent,), Term((g.all_of(out),))))
        ways.setdefault(out, []).append(None)
    gradient: dict[str, int] = {}
    for number in reversed(g.reachable(outputs)):
        if number not in pieces or g.host[number]:
            continue
        node = g.nodes[number]
        adjoint = total(g, pieces.pop(number), g.shape[number], sizes=True)
        if node.op == "leaf":
            gradient[node.value] = adjoint
        if not node.args or g.is_condition(number):
            continue
        known = g.known[number]
        if known is not None and node.op not in VIEWS:  # views sort out what is constant by themselves
            adjoint = views.mask(g, adjoint, ~known.where)
        way = _any(g, ways.pop(number))
        for arg, piece, through in _parts(g, number, adjoint, way):
            if not g.host[arg] and not g.is_condition(arg):
                own = pieces.setdefault(arg, [])
                if piece is not None:
                    own.append(piece)
                ways.setdefault(arg, []).append(through)
    return gradient


def _any(g: Graph, ways: Sequence[Way]) -> Way:
    """1 where one of several ways is 1, else 0."""
    found = list(dict.fromkeys(ways))
    if None in found:
        return None
    first, *others = found
    for other in others:
        assert first is not None and other is not None
        first = g.binary("max", first, other, (g.all_of(first),) * 2)
    return first


def _parts(g: Graph, number: int, adjoint: int, way: Way) -> Iterator[tuple[int, Piece | None, Way]]:
    """For each argument of a node the part of its adjoint, and the way, that it has from this node."""
    node = g.nodes[number]
    if node.op in VIEWS:
        for k, arg in enumerate(node.args):
            moved, term = _back(g, number, k, adjoint)
            through = None if way is None else _way_back(g, *_back(g, number, k, way), g.shape[arg])
            yield arg, ((moved,), term), through
    elif node.op == "sum":
        yield from _summed(g, number, adjoint, way)
    else:
        yield from _computed(g, number, adjoint, way)


# ---------------------------------------------------------------------- what is computed


def _computed(g: Graph, number: int, adjoint: int, way: Way) -> Iterator[tuple[int, Piece | None, Way]]:
    node, own = g.nodes[number], g.all_of(number)
    args = [(node.args[0], g.all_of(node.args[0]))] if node.op in ALONG else list(zip(node.args, node.places, strict=True))
    for arg, slope in zip(args, slopes_of(Slopes(g), number, (number, own), args), strict=True):
        place = {axis: k for k, axis in enumerate(arg[1])}
        letters = [tuple(place.get(axis, -1 - axis) for axis in axes) for axes in (own, slope[1])]
        taken: Value | None = None if way is None else (way, own)
        through = _through(g, taken, slope)
        back = None
        if through is not None:
            gate = tuple(place.get(axis, -1 - axis) for axis in through[1])
            back = _way_back(g, through[0], Term((gate,)), g.shape[arg[0]])
        if g.every(slope[0], 0):
            yield arg[0], None, back
        elif not slope[1] and (g.every(slope[0], 1) or g.every(slope[0], -1)):
            yield arg[0], ((adjoint,), Term((letters[0],), 1 if g.every(slope[0], 1) else -1)), back
        elif through is None or slope[0] in g.exact:
            yield arg[0], ((adjoint, slope[0]), Term(tuple(letters))), back
        else:
            yield arg[0], ((adjoint, slope[0], through[0]), Term(tuple(letters), gate=gate)), back


def _through(g: Graph, taken: Value | None, slope: Value) -> Value | None:
    """0 where no rounding can undo that a slope is 0 by a choice, else whether its node is taken.

    At a tie the choice says nothing about slopes: beside it the other branch may be the one that is taken.
    """
    p, node, zero = Slopes(g), g.nodes[slope[0]], g.constant(0)
    if node.op != "select" or zero not in node.args[1:]:
        return taken
    condition, then, _ = node.args
    decided = g.nodes[condition]
    if decided.op not in CONDITIONS:
        return taken
    at = [slope[1][place] for place in node.places[0]]  # the axes of the condition among those of the operation
    a, b = ((arg, tuple(at[k] for k in own)) for arg, own in zip(decided.args, decided.places, strict=True))
    way = p.constant(1) if taken is None else taken
    if then == zero:
        return taken if decided.op == "eq" else p.select(p.binary("surely", a, b), p.constant(0), way)
    way = p.select(p.binary("surely", b, a), p.constant(0), way)
    return p.select(p.binary("surely", a, b), p.constant(0), way) if decided.op == "eq" else way


def _summed(g: Graph, number: int, adjoint: int, way: Way) -> Iterator[tuple[int, Piece | None, Way]]:
    """Of each operand of each term: the adjoint, summed over what the operand lacks, times the other operand."""
    node, rank = g.nodes[number], len(g.shape[number])
    args = iter(node.args)
    for term in node.value.terms:
        operands = [next(args) for _ in range(term.width)]
        mine, taken = adjoint, way
        if term.box is not None:
            mine = views.cut(g, adjoint, term.box)
            taken = None if way is None else views.cut(g, way, term.box)
        for k, own in enumerate(term.letters):
            place = {letter: at for at, letter in enumerate(own)}
            names = {letter: n for n, letter in enumerate(sorted({x for each in (*term.letters, range(rank)) for x in each}))}

            def spelt(letters: Sequence[int], place: dict[int, int] = place, names: dict[int, int] = names) -> tuple[int, ...]:
                return tuple(place.get(letter, -1 - names[letter]) for letter in letters)

            # an axis of extent 1 within a box is an axis of the adjoint all the same
            whole = spelt(range(rank))
            others = [each for each in range(len(term.letters)) if each != k]
            through = None if taken is None else _way_back(g, taken, Term((whole,)), g.shape[operands[k]])
            letters = (whole, *(spelt(term.letters[each]) for each in others))
            back = Term(letters, term.sign, term.times)
            pair = (mine, *(operands[each] for each in others))
            if term.gate is not None:
                yield operands[k], ((*pair, operands[-1]), replace(back, gate=spelt(term.gate))), through
            elif taken is not None and others and operands[others[0]] not in g.exact:
                yield operands[k], ((*pair, taken), replace(back, gate=whole)), through
            else:
                yield operands[k], (pair, back), through


# ---------------------------------------------------------------------- what is moved


def _back(g: Graph, number: int, k: int, x: int) -> tuple[int, Term]:
    """What a view's entries came from, as the one operand of a term: ``x`` has the shape of the view."""
    node = g.nodes[number]
    arg, value = node.args[k], node.value
    shape, own = g.shape[arg], g.all_of(arg)
    if node.op == "cut":
        return x, Term((own,), box=tuple(value))
    if node.op == "pad":
        return views.cut(g, x, [(start, n) for (start, _), n in zip(value, shape, strict=True)]), Term((own,))
    if node.op == "turn":
        return views.turn(g, x, [value.index(axis) for axis in own]), Term((own,))
    if node.op == "reshape":
        return views.reshape(g, x, shape), Term((own,))
    if node.op == "expand":
        place = {axis: at for at, axis in enumerate(node.places[0])}
        return x, Term((tuple(place.get(axis, -1 - axis) for axis in g.all_of(number)),))
    if node.op == "gather":
        return _collected(g, x, np.frombuffer(value[0], np.int64), value[1])
    if node.op == "scatter":
        return views.gather(g, x, np.frombuffer(value[0], np.int64)), Term((own,))
    if node.op in ("mask", "kept"):
        return views.mask(g, x, np.frombuffer(value, bool).reshape(shape)), Term((own,))
    assert node.op == "stack"
    part = views.cut(g, x, [*((0, n) for n in shape), (k, 1)])
    return views.reshape(g, part, shape), Term((own,))


def _collected(g: Graph, x: int, index: np.ndarray, count: int) -> tuple[int, Term]:
    """The entries along the last axis that were gathered from each place, with zeros where there are fewer."""
    own = g.all_of(x)
    often = np.bincount(index, minlength=count)
    most = int(often.max())
    if most == 1:
        return views.scatter(g, x, index, count), Term((own,))
    order = np.argsort(index, kind="stable")
    which = np.arange(len(index)) - np.repeat(np.cumsum(often) - often, often)  # the how many-th of its place
    table = np.full((count, most), len(index), np.int64)
    table[index[order], which] = order
    *rest, length = g.shape[x]
    padded = views.pad(g, x, [*((0, n) for n in rest), (0, length + 1)])
    found = views.reshape(g, views.gather(g, padded, table.ravel()), (*rest, count, most))
    return found, Term(((*own, -1),))


def _way_back(g: Graph, way: int, term: Term, shape: Shape) -> int:
    """A way through a term of one operand: 1 where one of the entries that are summed is."""
    (letters,) = term.letters
    axes = list(letters)
    while any(letter < 0 for letter in axes):
        k = next(k for k, letter in enumerate(axes) if letter < 0)
        way = views.turn(g, way, [*(j for j in range(len(axes)) if j != k), k])
        del axes[k]
        way = g.reduced("largest", way)
    way, own = values.ordered(g, way, axes)
    if term.box is None:
        return g.spread(way, own, shape)
    way = g.spread(way, own, tuple(n for _, n in term.box))
    return views.pad(g, way, [(start, n) for (start, _), n in zip(term.box, shape, strict=True)])
