"""Reverse mode on graphs of arrays: the vector-Jacobian product, as nodes of the same graph.

What is said of single numbers in :func:`gnomon.compute.slp.pullback` is said here of arrays, and comes to the same
bounds: an entry's adjoint is one sum of all that its uses give, charged by their sizes; constants have none; and what
is reached through choices alone has no part where surely none of them is taken. Along with an adjoint goes its *way*: a
node of the same shape that is 0 there and 1 elsewhere, or None for 1 everywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from gnomon.compute.arrays import views
from gnomon.compute.arrays.graph import VIEWS, Graph
from gnomon.compute.arrays.moving import Piece, back, gathered_back, moved, straight
from gnomon.compute.arrays.slopes import Slopes, slopes_of
from gnomon.compute.arrays.sums import Term, total
from gnomon.compute.arrays.values import Value
from gnomon.compute.operations import CONDITIONS

Way = int | None
Part = tuple[int, Sequence[Piece], Way]
"""An argument, what its adjoint has from a node, and the way to it."""
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
        node, given, way = g.nodes[number], pieces.pop(number), _any(g, ways.pop(number))
        if node.op in VIEWS:  # what is moved is added there, with what other uses of an entry give
            found = _viewed(g, number, given, way)
        else:
            adjoint = total(g, given, g.shape[number], sizes=True)
            if node.op == "leaf":
                gradient[node.value] = adjoint
                continue
            if (known := g.known[number]) is not None:
                adjoint = views.mask(g, adjoint, ~known.where)
            found = _summed(g, number, adjoint, way) if node.op == "sum" else _computed(g, number, adjoint, way)
        for arg, own, through in found:
            if not g.host[arg] and not g.is_condition(arg):
                pieces.setdefault(arg, []).extend(own)
                ways.setdefault(arg, []).append(through)
    return gradient


def _any(g: Graph, ways: Sequence[Way]) -> Way:
    """1 where one of several ways is 1, else 0."""
    found = [way for way in dict.fromkeys(ways) if way is not None]
    if len(found) < len(set(ways)):
        return None
    return functools.reduce(lambda a, b: g.binary("max", a, b, (g.all_of(a), g.all_of(b))), found)


def _viewed(g: Graph, number: int, given: Sequence[Piece], way: Way) -> Iterator[Part]:
    for k, arg in enumerate(g.nodes[number].args):
        through = None
        if way is not None:
            (node,), term = back(g, number, k, way)
            through = gathered_back(g, node, term, g.shape[arg])
        yield arg, [moved(g, number, k, piece) for piece in given], through


def _computed(g: Graph, number: int, adjoint: int, way: Way) -> Iterator[Part]:
    node, own = g.nodes[number], g.all_of(number)
    places = (g.all_of(node.args[0]),) if node.op in ALONG else node.places
    args = list(zip(node.args, places, strict=True))
    for arg, slope in zip(args, slopes_of(Slopes(g), number, (number, own), args), strict=True):
        place = {axis: k for k, axis in enumerate(arg[1])}
        letters = [tuple(place.get(axis, -1 - axis) for axis in axes) for axes in (own, slope[1])]
        taken: Value | None = None if way is None else (way, own)
        through = _through(g, taken, slope)
        back = None
        if through is not None:
            gate = tuple(place.get(axis, -1 - axis) for axis in through[1])
            back = gathered_back(g, through[0], Term((gate,)), g.shape[arg[0]])
        if g.every(slope[0], 0):
            yield arg[0], [], back
        elif not slope[1] and (g.every(slope[0], 1) or g.every(slope[0], -1)):
            once = Term((letters[0],), 1 if g.every(slope[0], 1) else -1)
            yield arg[0], [straight(g, (adjoint,), once)], back
        elif through is None or slope[0] in g.exact:
            yield arg[0], [((adjoint, slope[0]), Term(tuple(letters)))], back
        else:
            yield arg[0], [((adjoint, slope[0], through[0]), Term(tuple(letters), gate=gate))], back


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


def _summed(g: Graph, number: int, adjoint: int, way: Way) -> Iterator[Part]:
    """Of each operand of each term: the adjoint, summed over what the operand lacks, times the other operand."""
    node, axes = g.nodes[number], g.all_of(number)
    args = iter(node.args)
    for term in node.value.terms:
        operands = [next(args) for _ in range(term.width)]
        mine, taken = adjoint, way
        if term.box is not None:
            mine = views.cut(g, adjoint, term.box)
            taken = None if way is None else views.cut(g, way, term.box)
        for k, own in enumerate(term.letters):
            if g.host[operands[k]]:
                continue
            rest = [(operands[j], each) for j, each in enumerate(term.letters) if j != k]
            whole, *others = _as_places(own, [axes, *(each for _, each in rest), term.gate or ()])
            gate, shut = others.pop(), [operands[-1]] if term.gate is not None else []
            if term.gate is None and taken is not None and rest and rest[0][0] not in g.exact:
                gate, shut = whole, [taken]
            made = Term((whole, *others), term.sign, term.times, gate=gate if shut else None)
            through = None if taken is None else gathered_back(g, taken, Term((whole,)), g.shape[operands[k]])
            yield operands[k], [straight(g, (mine, *(operand for operand, _ in rest), *shut), made)], through


def _as_places(own: Sequence[int], letters: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Letters as places among some of them, ``own``; negative for others, which are to be summed over."""
    place = {letter: at for at, letter in enumerate(own)}
    other = {letter: -1 - n for n, letter in enumerate(sorted({letter for each in letters for letter in each}))}
    return [tuple(place.get(letter, other[letter]) for letter in each) for each in letters]
