"""Graphs of array operations: hash-consed, folded where the result is exact, with what is known of a node's entries.

A node has a shape without the axis of points. Its arguments may lack some of its axes: ``places`` says for each of them
at which of the node's axes its own stand, in order. Nothing inside a graph has a name, so that ``exp(x[k])`` under a
sum and ``exp(x[i])`` outside of it are one node.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gnomon.compute.arrays import exact
from gnomon.compute.arrays.exact import Array
from gnomon.compute.operation import EVERYTHING, Range
from gnomon.compute.operations import CONDITIONS, OPERATIONS
from gnomon.compute.slp import BOUNDED_BELOW, corners

Shape = tuple[int, ...]
Places = tuple[tuple[int, ...], ...]
VIEWS = frozenset({"cut", "pad", "turn", "reshape", "expand", "gather", "scatter", "mask", "kept", "stack"})
"""Operations that move entries and compute nothing."""


@dataclass(frozen=True)
class Node:
    """An operation on earlier nodes; ``places`` for what is computed entry by entry, ``value`` for all else."""

    op: str
    args: tuple[int, ...] = ()
    places: Places = ()
    value: Any = None


@dataclass(frozen=True)
class Known:
    """Which entries of a node are exact constants, and which: a structural zero costs no rounding."""

    where: Array
    what: Array

    @property
    def zero(self) -> Array:
        return np.asarray(self.where & (self.what == 0))

    @property
    def unit(self) -> Array:
        """Entries with which a product rounds nothing."""
        return self.where & np.isin(self.what, (-1.0, 0.0, 1.0))

    def at(self, places: tuple[int, ...], shape: Shape) -> Known:
        """The same entries along the axes of another shape."""
        return Known(*(np.broadcast_to(lifted(x, places, len(shape)), shape) for x in (self.where, self.what)))


def lifted(array: Array, places: tuple[int, ...], rank: int) -> Array:
    """An array with new axes of extent 1, so that its own stand at these places."""
    order = sorted(range(len(places)), key=lambda k: places[k])
    shape = [1] * rank
    for place, extent in zip(places, array.shape, strict=True):
        shape[place] = extent
    return np.asarray(array.transpose(order).reshape(shape))


@dataclass
class Graph:
    """A graph under construction. ``host``, ``range`` and ``lowest`` are as in a straight-line program; ``counted``
    says of a sum how many terms each entry really has, and what its constant terms come to, where that differs.
    """

    nodes: list[Node] = field(default_factory=list)
    shape: list[Shape] = field(default_factory=list)
    host: list[bool] = field(default_factory=list)
    range: list[Range] = field(default_factory=list)
    lowest: list[bool] = field(default_factory=list)
    known: list[Known | None] = field(default_factory=list)
    exact: dict[int, Array] = field(default_factory=dict)
    counted: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    _seen: dict[Node, int] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.nodes)

    def put(
        self,
        node: Node,
        shape: Shape,
        within: Range = EVERYTHING,
        known: Known | None = None,
        host: bool | None = None,
        lowest: bool | None = None,
    ) -> int:
        """The number of a node, which is made unless there is one like it."""
        found = self._seen.get(node)
        if found is not None:
            return found
        self._seen[node] = len(self.nodes)
        self.nodes.append(node)
        self.shape.append(shape)
        self.host.append(all(self.host[a] for a in node.args) if host is None else host)
        self.range.append(within)
        below = node.op not in BOUNDED_BELOW and any(self.lowest[a] for a in node.args)
        self.lowest.append(below if lowest is None else lowest)
        self.known.append(known if known is not None and known.where.any() else None)
        return len(self.nodes) - 1

    # ------------------------------------------------------------------ leaves

    def constant(self, value: Any) -> int:
        """An exact array, or a number."""
        array = exact.tidy(value)
        numbers = exact.floats(array)
        within = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
        known = Known(np.ones(array.shape, bool), numbers)
        made = self.put(Node("const", value=exact.key(array)), array.shape, within, known, host=True)
        self.exact[made] = array
        return made

    def pi(self) -> int:
        return self.put(Node("pi"), (), (3.0, 4.0), host=True)

    def minus_infinity(self) -> int:
        return self.put(Node("lowest"), (), (-math.inf, -math.inf), host=True, lowest=True)

    def leaf(self, name: str, shape: Shape = (), *, host: bool = False, within: Range = EVERYTHING) -> int:
        return self.put(Node("leaf", value=name), shape, within, host=host)

    def is_condition(self, a: int) -> bool:
        """Whether a node's entries are truth values."""
        while self.nodes[a].op in VIEWS:
            a = self.nodes[a].args[0]
        return self.nodes[a].op in CONDITIONS

    def every(self, a: int, value: int) -> bool:
        """Whether every entry of a node is this exact number."""
        return a in self.exact and bool((self.exact[a] == value).all())

    # ------------------------------------------------------------------ entry by entry

    def joint(self, args: Sequence[int], places: Places) -> Shape:
        """The shape of what is computed entry by entry."""
        found: dict[int, int] = {}
        for arg, own in zip(args, places, strict=True):
            found.update(zip(own, self.shape[arg], strict=True))
        return tuple(found[k] for k in sorted(found))

    def knowns(self, args: Sequence[int], places: Places, shape: Shape) -> list[Known | None]:
        """What is known of each argument, along the axes of the result."""
        pairs = zip([self.known[arg] for arg in args], places, strict=True)
        return [None if known is None else known.at(own, shape) for known, own in pairs]

    def _exactly(self, args: Sequence[int], places: Places, rank: int) -> list[Array]:
        return [lifted(self.exact[arg], own, rank) for arg, own in zip(args, places, strict=True)]

    def spread(self, a: int, place: tuple[int, ...], shape: Shape) -> int:
        """A node's entries repeated along the axes that it lacks."""
        if len(place) == len(shape):
            return a
        if a in self.exact:
            return self.constant(np.broadcast_to(lifted(self.exact[a], place, len(shape)), shape))
        known = self.known[a]
        known = None if known is None else known.at(place, shape)
        return self.put(Node("expand", (a,), (place,), shape), shape, self.range[a], known)

    def mul(self, a: int, b: int, places: Places) -> int:
        shape = self.joint((a, b), places)
        if a in self.exact and b in self.exact:
            return self.constant(exact.mul(*self._exactly((a, b), places, len(shape))))
        for x, y, place in ((a, b, places[1]), (b, a, places[0])):
            if self.every(x, 0):
                return self.constant(np.zeros(shape, np.int64))
            if self.every(x, 1):
                return self.spread(y, place, shape)
            if self.every(x, -1):
                return self.spread(self.neg(y), place, shape)
        known = None
        if self.known[a] is not None or self.known[b] is not None:
            none = Known(np.zeros(shape, bool), np.zeros(shape))
            m, n = (none if each is None else each for each in self.knowns((a, b), places, shape))
            product = np.where(m.where, m.what, 0) * np.where(n.where, n.what, 0)
            known = Known((m.where & n.where) | m.zero | n.zero, product)
        within = (0.0, math.inf) if a == b and places[0] == places[1] else corners(self.range[a], self.range[b])
        return self.put(Node("mul", (a, b), places), shape, within, known)

    def neg(self, a: int) -> int:
        if a in self.exact:
            return self.constant(-self.exact[a])
        node, known, (low, high) = self.nodes[a], self.known[a], self.range[a]
        if node.op == "neg":
            return node.args[0]
        known = None if known is None else Known(known.where, -known.what)
        return self.put(Node("neg", (a,), (self.all_of(a),)), self.shape[a], (-high, -low), known)

    def all_of(self, a: int) -> tuple[int, ...]:
        """The places of a node that has every axis of the result."""
        return tuple(range(len(self.shape[a])))

    def div(self, a: int, b: int, places: Places) -> int:
        shape = self.joint((a, b), places)
        if b in self.exact and (self.exact[b] == 0).any():
            raise ZeroDivisionError("the program divides by the constant 0")
        if a in self.exact and b in self.exact:
            return self.constant(exact.div(*self._exactly((a, b), places, len(shape))))
        if self.every(b, 1):
            return self.spread(a, places[0], shape)
        if self.every(a, 0):
            return self.constant(np.zeros(shape, np.int64))
        positive = self.range[a][0] >= 0 and self.range[b][0] >= 0
        known = self.known[a]
        if known is not None:
            known = Known(known.at(places[0], shape).zero, np.zeros(shape))
        return self.put(Node("div", (a, b), places), shape, (0.0, math.inf) if positive else EVERYTHING, known)

    def power(self, a: int, n: int) -> int:
        """The n-th powers for a whole n: products for small n, one operation for larger ones."""
        own = self.all_of(a)
        found = exact.power(self.exact[a], n) if a in self.exact else None
        if found is not None:
            return self.constant(found)
        if n < 0:
            return self.div(self.constant(1), self.power(a, -n), ((), own))
        if n == 0:
            return self.constant(np.ones(self.shape[a], np.int64))
        if n == 1:
            return a
        if n > 4 or self.host[a]:
            (low, high), known = self.range[a], self.known[a]
            within = (low**n, high**n) if low >= 0 else (0.0, math.inf) if n % 2 == 0 else EVERYTHING
            known = None if known is None else Known(known.where, known.what**n)
            return self.put(Node("powi", (a,), (own,), n), self.shape[a], within, known)
        half = self.power(a, n // 2)
        square = self.mul(half, half, (own, own))
        return square if n % 2 == 0 else self.mul(square, a, (own, own))

    def unary(self, op: str, a: int) -> int:
        if op == "neg":
            return self.neg(a)
        if a in self.exact and op in ("abs", "sign"):
            made = exact.each(lambda x: abs(x) if op == "abs" else (x > 0) - (x < 0), self.exact[a])
            return self.constant(made)
        if op == "abs" and self.range[a][0] >= 0:
            return a
        record, known = OPERATIONS[op], self.known[a]
        above = record.odd and self.range[a][0] >= 0
        if known is not None:  # what is 0 at 0
            known = Known(known.zero, np.zeros(self.shape[a])) if record.odd or op in ("sqrt", "abs", "sin") else None
        within = (0.0, record.range[1]) if above else record.range
        return self.put(Node(op, (a,), (self.all_of(a),)), self.shape[a], within, known)

    def binary(self, op: str, a: int, b: int, places: Places) -> int:
        if op in ("mul", "div"):
            made: int = getattr(self, op)(a, b, places)
            return made
        shape = self.joint((a, b), places)
        if op in ("max", "min"):
            if a == b and places[0] == places[1]:
                return a
            if a in self.exact and b in self.exact:
                return self.constant(
                    exact.each(max if op == "max" else min, *self._exactly((a, b), places, len(shape)))
                )
        (a0, a1), (b0, b1) = self.range[a], self.range[b]
        ranges = {"max": (max(a0, b0), max(a1, b1)), "min": (min(a0, b0), min(a1, b1))}
        return self.put(Node(op, (a, b), places), shape, ranges.get(op, OPERATIONS[op].range))

    def select(self, condition: int, then: int, otherwise: int, places: Places) -> int:
        shape = self.joint((condition, then, otherwise), places)
        if then == otherwise and places[1] == places[2]:
            return self.spread(then, places[1], shape)
        (a0, a1), (b0, b1) = self.range[then], self.range[otherwise]
        known = None
        if self.known[then] is not None and self.known[otherwise] is not None:
            _, x, y = self.knowns((condition, then, otherwise), places, shape)
            known = Known(x.where & y.where & (x.what == y.what), x.what) if x and y else None
        node = Node("select", (condition, then, otherwise), places)
        return self.put(node, shape, (min(a0, b0), max(a1, b1)), known)

    # ------------------------------------------------------------------ over the last axis

    def reduced(self, op: str, a: int, first: int = 0) -> int:
        """An operation over all entries along the last axis, which begins at the index ``first``."""
        *rest, count = self.shape[a]
        low, high = self.range[a]
        within = {"argmax": (float(first), first + count - 1.0), "logsumexp": (low, high + math.log(count))}
        within["argmin"] = within["argmax"]
        value = first if op in ("argmax", "argmin") else None
        return self.put(Node(op, (a,), value=value), tuple(rest), within.get(op, (low, high)))

    def reachable(self, outputs: Sequence[int]) -> list[int]:
        """The nodes that the outputs need, in order."""
        wanted, stack = set(outputs), list(outputs)
        while stack:
            for arg in self.nodes[stack.pop()].args:
                if arg not in wanted:
                    wanted.add(arg)
                    stack.append(arg)
        return sorted(wanted)

    def elements(self, outputs: Sequence[int], extent: int = 0, times: float = 1.0) -> float:
        """How many numbers are computed for one point: entries, and for a sum the products that it adds up.

        Axes of about ``extent`` entries are counted as ``times`` as long: what the graph would cost at another size.
        """

        def size(extents: Iterable[int]) -> float:
            return math.prod(n * times if extent and n >= extent - 3 else n for n in extents)

        found = 0.0
        for number in self.reachable(outputs):
            node = self.nodes[number]
            found += size(self.shape[number])
            args = iter(node.args)
            for term in node.value.terms if node.op == "sum" else ():
                extents: dict[int, int] = {}
                for own in term.letters:
                    extents.update(zip(own, self.shape[next(args)], strict=True))
                if term.gate is not None:
                    next(args)
                found += size(extents.values())
        return found
