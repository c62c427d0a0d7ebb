"""Sums: the one operation over several terms, each an operand or a product of two, summed over some of its axes.

A sum of anything is one node, as its brackets are no order of additions: an affine layer is a contraction and a bias
together. Structural zeros are not counted as terms.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gnomon.compute.arrays import exact
from gnomon.compute.arrays.exact import Array
from gnomon.compute.arrays.graph import Graph, Known, Node, Shape, lifted
from gnomon.compute.arrays.views import Spec, pad
from gnomon.compute.operation import Range
from gnomon.compute.slp import corners

FOLDED = 2**20
"""The largest array of exact products that is added up exactly when the graph is made."""


@dataclass(frozen=True)
class Term:
    """One operand, or the product of two, summed: ``letters`` says for each of its axes where it stands in the result,
    or is negative for one that is summed over.

    ``times`` counts values of indices on which nothing depends. ``box`` is where the term stands in the result, which
    has nothing of it elsewhere; None for everywhere. ``gate`` says where the axes of one operand more stand: where
    that is 0, there is nothing to add, even if a factor is infinite.
    """

    letters: tuple[tuple[int, ...], ...]
    sign: int = 1
    times: int = 1
    box: Spec | None = None
    gate: tuple[int, ...] | None = None

    @property
    def width(self) -> int:
        """How many operands it has."""
        return len(self.letters) + (self.gate is not None)

    @functools.cached_property
    def kept(self) -> tuple[int, ...]:
        """Where the axes of what is left after summing stand in the result."""
        return tuple(sorted({place for own in self.letters for place in own if place >= 0}))

    @functools.cached_property
    def formula(self) -> str:
        """What einsum does, the axis of points first."""
        names = {place: chr(97 + k) for k, place in enumerate(sorted({p for own in self.letters for p in own}))}
        spelt = ["".join(names[place] for place in own) for own in (*self.letters, self.kept)]
        return f"{','.join('Z' + part for part in spelt[:-1])}->Z{spelt[-1]}"

    def of(self, arrays: Sequence[Array], shape: Shape) -> Array:
        """The sums of products of known numbers, along the axes of the result, not weighed."""
        found = lifted(np.einsum(self.formula.replace("Z", ""), *arrays), self.kept, len(shape))
        if self.box is None:
            return np.broadcast_to(found, shape)
        out = np.zeros(shape, found.dtype)
        out[tuple(slice(start, start + n) for start, n in self.box)] = found
        return out


@dataclass(frozen=True)
class Total:
    """What a sum is besides its operands. ``sizes`` says that two terms are charged by their sizes, as more are."""

    terms: tuple[Term, ...]
    sizes: bool = False

    @functools.cached_property
    def parts(self) -> tuple[tuple[Term, range], ...]:
        """The terms, with the positions of their operands among the arguments."""
        ends = list(itertools.accumulate(term.width for term in self.terms))
        return tuple((term, range(end - term.width, end)) for term, end in zip(self.terms, ends, strict=True))


def total(g: Graph, terms: Sequence[tuple[tuple[int, ...], Term]], shape: Shape, *, sizes: bool = False) -> int:
    """The sum of some terms, with their operands; what is constant is added up exactly."""
    constant: Array = np.zeros((), np.int64)
    left: list[tuple[tuple[int, ...], Term]] = []
    for operands, term in terms:
        if any(g.every(operand, 0) for operand in operands):
            continue
        folded = _exactly(g, operands, term, shape)
        if folded is None:
            left.append((operands, term))
        else:
            constant = exact.add(constant, folded)
    if (constant != 0).any() or not left:
        constant = np.broadcast_to(constant, shape) if not left else constant
        alike = bool(left) and bool((constant == constant.ravel()[0]).all())
        node = g.constant(constant.ravel()[0] if alike else constant)
        if not left:
            return node
        left.append(((node,), Term((() if alike else tuple(range(len(shape))),))))
    if len(left) == 1 and (single := _single(g, *left[0], shape)) is not None:
        return single
    made = Total(tuple(term for _, term in left), sizes)
    args = tuple(operand for operands, _ in left for operand in operands)
    found = _counted(g, args, made, shape)
    number = g.put(Node("sum", args, value=made), shape, _range(g, left, shape), found and _known(*found))
    if found is not None:
        alike = all((each == each.flat[0]).all() for each in found)
        g.counted[number] = (np.asarray(found[0].flat[0]), np.asarray(found[1].flat[0])) if alike else found
    return number


def _exactly(g: Graph, operands: tuple[int, ...], term: Term, shape: Shape) -> Array | None:
    """The term's numbers, if it is exact."""
    if term.gate is not None or any(operand not in g.exact for operand in operands):
        return None
    ranks = sorted({place for own in term.letters for place in own})
    aligned = [
        lifted(g.exact[operand], tuple(ranks.index(place) for place in own), len(ranks))
        for operand, own in zip(operands, term.letters, strict=True)
    ]
    if math.prod(np.broadcast_shapes(*(array.shape for array in aligned))) > FOLDED:
        return None
    product = aligned[0] if len(aligned) == 1 else exact.mul(*aligned)
    summed = tuple(k for k, place in enumerate(ranks) if place < 0)
    numbers = exact.tidy(exact.objects(product).sum(summed) * term.times * term.sign)
    full = lifted(numbers, term.kept, len(shape))
    if term.box is None:
        return full
    out = np.zeros(shape, full.dtype)
    out[tuple(slice(start, start + n) for start, n in term.box)] = full
    return exact.tidy(out)


def _single(g: Graph, operands: tuple[int, ...], term: Term, shape: Shape) -> int | None:
    """A lone term that adds nothing up."""
    if term.gate is not None:
        return _gated(g, operands, term, shape)
    if term.times != 1 or any(place < 0 for own in term.letters for place in own):
        return None
    if len(operands) == 2:
        if term.kept != tuple(range(len(shape))) or term.box is not None:
            return None
        node = g.mul(*operands, term.letters)
        return g.neg(node) if term.sign < 0 else node
    node = g.neg(operands[0]) if term.sign < 0 else operands[0]
    if term.box is None:
        return g.spread(node, term.letters[0], shape)
    node = g.spread(node, term.letters[0], tuple(n for _, n in term.box))
    return pad(g, node, [(start, n) for (start, _), n in zip(term.box, shape, strict=True)])


def _gated(g: Graph, operands: tuple[int, ...], term: Term, shape: Shape) -> int | None:
    """A lone term that adds nothing up, chosen where its gate is not 0."""
    *factors, gate = operands
    assert term.gate is not None
    everything = tuple(range(len(shape)))
    made = _single(g, tuple(factors), replace(term, gate=None), shape)
    if made is None or min(term.gate, default=0) < 0:
        return None
    zero = g.constant(0)
    test = g.binary("lt", zero, gate, ((), g.all_of(gate)))
    return g.select(test, made, zero, (term.gate, everything, ()))


def products(g: Graph, operands: tuple[int, ...], term: Term) -> int:
    """How many products each sum of a term has."""
    found: dict[int, int] = {}
    for operand, own in zip(operands[: len(term.letters)], term.letters, strict=True):
        found.update(zip(own, g.shape[operand], strict=True))
    return term.times * math.prod(extent for place, extent in found.items() if place < 0)


def _range(g: Graph, left: Sequence[tuple[tuple[int, ...], Term]], shape: Shape) -> Range:
    lows, highs = [], []
    for operands, term in left:
        ranges = [g.range[operand] for operand in operands[: len(term.letters)]]
        same = len(ranges) == 2 and operands[0] == operands[1] and term.letters[0] == term.letters[1]
        low, high = ranges[0] if len(ranges) == 1 else (0.0, math.inf) if same else corners(*ranges)
        low, high = (-high, -low) if term.sign < 0 else (low, high)
        if term.box is not None or term.gate is not None:
            low, high = min(low, 0.0), max(high, 0.0)
        count = products(g, operands, term)
        lows.append(low * count if low else 0.0)
        highs.append(high * count if high else 0.0)
    return sum(lows), sum(highs)


def _counted(g: Graph, args: Sequence[int], made: Total, shape: Shape) -> tuple[Array, Array] | None:
    """For each entry how many terms it really has, and the sum of those that are constant; None where all count."""
    args = list(args)
    if all(g.known[a] is None for a in args) and all(term.box is None for term in made.terms):
        return None
    unknown, constant = np.zeros(shape), np.zeros(shape)
    for term in made.terms:
        operands = [args.pop(0) for _ in range(term.width)][: len(term.letters)]
        knowns = [g.known[a] or Known(np.zeros(g.shape[a], bool), np.zeros(g.shape[a])) for a in operands]
        some = [1.0 - known.zero for known in knowns]
        fixed = [np.where(known.where, known.what, 0.0) for known in knowns]
        given = [(known.where & ~known.zero).astype(np.float64) for known in knowns]
        unknown = unknown + term.times * (term.of(some, shape) - term.of(given, shape))
        with np.errstate(invalid="ignore"):
            constant = constant + term.times * term.sign * term.of(fixed, shape)
    return unknown, constant


def _known(unknown: Array, constant: Array) -> Known:
    return Known((unknown == 0) & np.isfinite(constant), constant)
