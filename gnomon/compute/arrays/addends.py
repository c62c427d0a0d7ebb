"""Addends: what a formula adds, taken apart as products that are still to be summed, and put together as one sum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gnomon.compute.arrays import values
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.sums import Term, total
from gnomon.compute.arrays.values import Value


@dataclass(frozen=True)
class Addend:
    """A quotient of products, to be summed over axes of these extents.

    ``box`` says of some axes that it stands in a part of them alone, from where on and how far; of such an axis the
    factors have that part, or nothing where it is a single entry.
    """

    above: tuple[Value, ...]
    below: tuple[Value, ...] = ()
    sign: int = 1
    summed: Mapping[int, int] = field(default_factory=dict)
    box: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def axes(self) -> set[int]:
        return {axis for _, own in (*self.above, *self.below) for axis in own}


def together(g: Graph, addends: Sequence[Addend], extents: Mapping[int, int]) -> Value:
    """The sum of some addends, along axes of these extents."""
    found = [(each, _operands(g, each)) for each in addends]
    out: set[int] = set()
    for each, operands in found:
        out |= ({axis for _, own in operands for axis in own} | set(each.box)) - set(each.summed)
    axes = tuple(sorted(out))
    shape = tuple(extents[axis] for axis in axes)
    place = {axis: k for k, axis in enumerate(axes)}
    terms = []
    for each, operands in found:
        has = {axis for _, own in operands for axis in own}
        at = place | {axis: -1 - k for k, axis in enumerate(sorted(each.summed))}
        letters = tuple(tuple(at[axis] for axis in own) for _, own in operands)
        times = math.prod(extent for axis, extent in each.summed.items() if axis not in has)
        box = tuple(each.box.get(axis, (0, extents[axis])) for axis in axes) if each.box else None
        terms.append((tuple(node for node, _ in operands), Term(letters, each.sign, times, box)))
    node = total(g, terms, shape)
    if node in g.exact and (g.exact[node] == (first := g.exact[node].ravel()[0])).all():
        return g.constant(first), ()
    return node, axes


def _operands(g: Graph, addend: Addend) -> list[Value]:
    """One value, or the two of a contraction: where their product would be larger than each of them."""
    above, below = list(addend.above), list(addend.below)
    size = _sizes(g, [*above, *below])
    lowest = any(g.lowest[node] for node, _ in (*above, *below))
    everything = math.prod(size[axis] for axis in addend.axes)
    if addend.summed and len(above) > 1 and not lowest and everything > max(_size(size, own) for _, own in above):
        for divisor in below:  # a divisor goes to the factor that it enlarges least
            k = min(range(len(above)), key=lambda k: _growth(size, above[k], divisor))
            above[k] = values.apply(g.div, above[k], divisor)
        below = []
        while len(above) > 2:
            pairs = itertools.combinations(range(len(above)), 2)
            i, j = min(pairs, key=lambda ij: _size(size, {*above[ij[0]][1], *above[ij[1]][1]}))
            above[i] = values.apply(g.mul, above[i], above[j])
            del above[j]
        (_, x), (_, y) = above
        if _size(size, {*x, *y}) > max(_size(size, x), _size(size, y)) and x and y:
            return above
    product = multiplied(g, above)
    return [values.apply(g.div, product, multiplied(g, below)) if below else product]


def multiplied(g: Graph, factors: Sequence[Value]) -> Value:
    """A product, from the left; 1 of nothing."""
    found = factors[0] if factors else (g.constant(1), ())
    for factor in factors[1:]:
        found = values.apply(g.mul, found, factor)
    return found


def _sizes(g: Graph, given: Sequence[Value]) -> dict[int, int]:
    return {axis: n for node, own in given for axis, n in zip(own, g.shape[node], strict=True)}


def _size(size: Mapping[int, int], axes: Sequence[int] | set[int]) -> int:
    return math.prod(size[axis] for axis in axes)


def _growth(size: Mapping[int, int], factor: Value, divisor: Value) -> int:
    return _size(size, {*factor[1], *divisor[1]}) - _size(size, factor[1])
