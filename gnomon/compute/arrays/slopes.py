"""Slopes of array operations: the operations' own records, which are said for single numbers, applied to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from gnomon.compute.arrays import values
from gnomon.compute.arrays.graph import Graph, Node
from gnomon.compute.arrays.sums import Term, total
from gnomon.compute.arrays.values import Value
from gnomon.compute.operations import OPERATIONS


class Slopes:
    """Stands in the place of a straight-line program where a record says its slopes: numbers are values here.

    A value's axes are those of the operation that is differentiated.
    """

    def __init__(self, g: Graph) -> None:
        self.g = g
        self.nodes = _Nodes(g)

    def constant(self, number: Fraction | int) -> Value:
        return self.g.constant(number), ()

    def pi(self) -> Value:
        return self.g.pi(), ()

    def unary(self, op: str, a: Value) -> Value:
        return self.g.unary(op, a[0]), a[1]

    def power(self, a: Value, n: int) -> Value:
        return self.g.power(a[0], n), a[1]

    def neg(self, a: Value) -> Value:
        return self.g.neg(a[0]), a[1]

    def mul(self, a: Value, b: Value) -> Value:
        return values.apply(self.g.mul, a, b)

    def div(self, a: Value, b: Value) -> Value:
        return values.apply(self.g.div, a, b)

    def binary(self, op: str, a: Value, b: Value) -> Value:
        return values.apply(lambda x, y, places: self.g.binary(op, x, y, places), a, b)

    def select(self, condition: Value, then: Value, otherwise: Value) -> Value:
        return values.apply(self.g.select, condition, then, otherwise)

    def add(self, a: Value, b: Value) -> Value:
        return self._sum(a, b, 1)

    def sub(self, a: Value, b: Value) -> Value:
        return self._sum(a, b, -1)

    def _sum(self, a: Value, b: Value, sign: int) -> Value:
        axes = values.joined([a, b])
        places = values.places([a, b], axes)
        terms = [((a[0],), Term((places[0],))), ((b[0],), Term((places[1],), sign))]
        return total(self.g, terms, self.g.joint((a[0], b[0]), places)), axes

    def rivals(self, a: Value, op: str) -> Value:
        """For each entry the greatest, or the least, of the others along the last axis."""
        return self.g.put(Node("rivals", (a[0],), value=op), self.g.shape[a[0]], self.g.range[a[0]]), a[1]


class _Nodes:
    """The nodes of values."""

    def __init__(self, g: Graph) -> None:
        self.g = g

    def __getitem__(self, value: Value) -> Node:
        return self.g.nodes[value[0]]


def slopes_of(p: Any, number: int, node: Value, args: Sequence[Value]) -> list[Value]:
    """The derivatives of a node by its arguments, whose axes are those of the operation.

    Raises:
        ValueError: if the operation has none.
    """
    op = p.g.nodes[number].op
    if op in ("largest", "smallest"):  # 1 where a term is above all others, 0 where it is not: a tie is a kink
        (term,) = args
        pair = (p.rivals(term, op), term) if op == "largest" else (term, p.rivals(term, op))
        return [p.select(p.binary("below", *pair), p.constant(1), p.constant(0))]
    if op == "logsumexp":
        return [p.unary("exp", p.sub(args[0], node))]
    if op in ("argmax", "argmin"):
        return [p.constant(0)]
    slopes = OPERATIONS[op].slopes
    if slopes is None:
        raise ValueError(f"{op} has no derivative")
    return slopes(p, node, tuple(args))  # type: ignore[arg-type, return-value]
