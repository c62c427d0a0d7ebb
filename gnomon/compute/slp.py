"""Straight-line programs: hash-consed lists of elementary operations, and their reverse-mode gradients.

A node is an operation and the numbers of earlier nodes. Equal nodes are stored once, so that a formula unrolled over
its indices keeps the sharing that its author wrote as named definitions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gnomon.compute.operation import EVERYTHING, Range
from gnomon.compute.operations import CONDITIONS, OPERATIONS

BOUNDED_BELOW = CONDITIONS | {"exp", "argmax", "argmin"}
"""Operations whose value is finite where an argument is minus infinity."""

Leaf = tuple[str, tuple[int, ...]]
"""An entry of an input: its name and its index."""


def corners(a: Range, b: Range) -> Range:
    """The range of a product; 0·∞ counts as 0, since the factors are finite."""
    products = [0.0 if 0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


@dataclass(frozen=True)
class Node:
    """An operation on earlier nodes. ``value`` is a constant, a leaf's key, or an integer exponent."""

    op: str
    args: tuple[int, ...] = ()
    value: Any = None


@dataclass
class SLP:
    """A program under construction: append with the methods, which fold what is exact (x + 0, 1·x, 0·x).

    ``host`` marks nodes that Python computes from hyper-parameters alone. ``range`` holds the least and greatest value
    of a node for inputs in their domains; rounding is monotone, so a computed value does not leave it either, which is
    what keeps the budget of a square root finite at zero. ``lowest`` marks what may be minus infinity on purpose.
    """

    nodes: list[Node] = field(default_factory=list)
    host: list[bool] = field(default_factory=list)
    range: list[Range] = field(default_factory=list)
    lowest: list[bool] = field(default_factory=list)
    _seen: dict[Node, int] = field(default_factory=dict, repr=False)
    _ordered: dict[tuple[int, ...], list[tuple[int, list[int]]]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.nodes)

    def _put(self, op: str, *args: int, value: Any = None, host: bool | None = None, within: Range = EVERYTHING) -> int:
        node = Node(op, args, value)
        found = self._seen.get(node)
        if found is not None:
            return found
        self._seen[node] = len(self.nodes)
        self.nodes.append(node)
        self.host.append(all(self.host[a] for a in args) if host is None else host)
        self.range.append(within)
        self.lowest.append(op == "lowest" or (op not in BOUNDED_BELOW and any(self.lowest[a] for a in args)))
        return len(self.nodes) - 1

    def constant(self, value: Fraction | int) -> int:
        value = Fraction(value)
        return self._put("const", value=value, host=True, within=(float(value), float(value)))

    def pi(self) -> int:
        return self._put("pi", host=True, within=(3.0, 4.0))

    def minus_infinity(self) -> int:
        return self._put("lowest", host=True, within=(-math.inf, -math.inf))

    def leaf(self, name: str, index: tuple[int, ...] = (), *, host: bool = False, within: Range = EVERYTHING) -> int:
        return self._put("leaf", value=(name, index), host=host, within=within)

    def nonneg(self, a: int) -> bool:
        """Whether no rounding can turn a node negative."""
        return self.range[a][0] >= 0

    def _const(self, a: int) -> Fraction | None:
        node = self.nodes[a]
        return node.value if node.op == "const" else None

    def add(self, a: int, b: int) -> int:
        x, y = self._const(a), self._const(b)
        if x is not None and y is not None:
            return self.constant(x + y)
        if x == 0:
            return b
        if y == 0:
            return a
        (a0, a1), (b0, b1) = self.range[a], self.range[b]
        return self._put("add", a, b, within=(a0 + b0, a1 + b1))

    def total(self, terms: Sequence[int], *, together: int = 3) -> int:
        """The sum of any number of nodes; from ``together`` on as one operation, whose budget knows no order."""
        exact = sum((value for value in map(self._const, terms) if value is not None), Fraction(0))
        left = [term for term in terms if self._const(term) is None]
        left += [self.constant(exact)] if exact or not left else []
        if len(left) == 1 or len(left) < together:
            return left[0] if len(left) == 1 else self.add(*left)
        low, high = (sum(self.range[term][end] for term in left) for end in (0, 1))
        return self._put("sum", *left, within=(low, high))

    def mul(self, a: int, b: int) -> int:
        x, y = self._const(a), self._const(b)
        if x is not None and y is not None:
            return self.constant(x * y)
        if x == 0 or y == 0:
            return self.constant(0)
        if x == 1:
            return b
        if y == 1:
            return a
        if x == -1:
            return self.neg(b)
        if y == -1:
            return self.neg(a)
        within = (0.0, math.inf) if a == b else corners(self.range[a], self.range[b])
        return self._put("mul", a, b, within=within)

    def neg(self, a: int) -> int:
        x = self._const(a)
        if x is not None:
            return self.constant(-x)
        node = self.nodes[a]
        low, high = self.range[a]
        return node.args[0] if node.op == "neg" else self._put("neg", a, within=(-high, -low))

    def sub(self, a: int, b: int) -> int:
        return self.add(a, self.neg(b))

    def div(self, a: int, b: int) -> int:
        x, y = self._const(a), self._const(b)
        if y == 0:
            raise ZeroDivisionError("the program divides by the constant 0")
        if x is not None and y is not None:
            return self.constant(x / y)
        if x == 0:
            return a
        if y == 1:
            return a
        positive = self.nonneg(a) and self.nonneg(b)
        return self._put("div", a, b, within=(0.0, math.inf) if positive else EVERYTHING)

    def power(self, a: int, n: int) -> int:
        """The n-th power for a whole n: products for small n, one operation for larger ones."""
        x = self._const(a)
        if x is not None and (x != 0 or n >= 0):
            return self.constant(x**n)
        if n < 0:
            return self.div(self.constant(1), self.power(a, -n))
        if n == 0:
            return self.constant(1)
        if n > 4 or self.host[a]:
            low, high = self.range[a]
            within = (low**n, high**n) if low >= 0 else (0.0, math.inf) if n % 2 == 0 else EVERYTHING
            return a if n == 1 else self._put("powi", a, value=n, within=within)
        half = self.power(a, n // 2) if n > 1 else a
        return a if n == 1 else self.mul(half, half) if n % 2 == 0 else self.mul(self.mul(half, half), a)

    def unary(self, op: str, a: int) -> int:
        if op == "neg":
            return self.neg(a)
        x = self._const(a)
        if x is not None and op == "abs":
            return self.constant(abs(x))
        if x is not None and op == "sign":
            return self.constant((x > 0) - (x < 0))
        if op == "abs" and self.nonneg(a):
            return a
        known = OPERATIONS[op]
        above = known.odd and self.nonneg(a)
        return self._put(op, a, within=(0.0, known.range[1]) if above else known.range)

    def binary(self, op: str, a: int, b: int) -> int:
        if op in ("add", "mul", "div"):
            made: int = getattr(self, op)(a, b)
            return made
        if op in ("max", "min") and a == b:
            return a
        (a0, a1), (b0, b1) = self.range[a], self.range[b]
        ranges = {"max": (max(a0, b0), max(a1, b1)), "min": (min(a0, b0), min(a1, b1))}
        return self._put(op, a, b, within=ranges.get(op, OPERATIONS[op].range))

    def reduced(self, op: str, terms: Sequence[int], first: int = 0) -> int:
        """An operation over all terms of a range, which is not empty and begins at ``first``."""
        count = len(terms)
        lows, highs = ([self.range[term][end] for term in terms] for end in (0, 1))
        if op in ("argmax", "argmin"):
            within = (float(first), first + count - 1.0)
            return self._put(op, *terms, value=first, within=within) if count > 1 else self.constant(first)
        if op == "logsumexp":
            return self._put(op, *terms, within=(max(lows), max(highs) + math.log(count)))
        terms = list(dict.fromkeys(terms))
        extreme = max if op == "largest" else min
        return self._put(op, *terms, within=(extreme(lows), extreme(highs))) if len(terms) > 1 else terms[0]

    def select(self, condition: int, then: int, otherwise: int) -> int:
        if then == otherwise:
            return then
        (a0, a1), (b0, b1) = self.range[then], self.range[otherwise]
        return self._put("select", condition, then, otherwise, within=(min(a0, b0), max(a1, b1)))

    def ordered(self, outputs: Sequence[int]) -> list[tuple[int, list[int]]]:
        """The nodes that the outputs need, in order, each with those that nobody needs after it.

        It is kept: nodes are added and never changed, and the same outputs are computed at many points.
        """
        key = tuple(outputs)
        if key not in self._ordered:
            needed, kept = self.reachable(outputs), set(outputs)
            last = {arg: number for number in needed for arg in self.nodes[number].args}
            free: dict[int, list[int]] = {number: [] for number in needed}
            for node, when in last.items():
                if node not in kept:
                    free[when].append(node)
            self._ordered[key] = list(free.items())
        return self._ordered[key]

    def reachable(self, outputs: Sequence[int]) -> list[int]:
        """The nodes that the outputs need, in order."""
        wanted, stack = set(outputs), list(outputs)
        while stack:
            for arg in self.nodes[stack.pop()].args:
                if arg not in wanted:
                    wanted.add(arg)
                    stack.append(arg)
        return sorted(wanted)


def partials(slp: SLP, number: int) -> list[int]:
    """The derivatives of a node by its arguments, as nodes. The tests compare the records with SymPy's derivatives."""
    node = slp.nodes[number]
    slopes = OPERATIONS[node.op].slopes
    if slopes is None:
        raise ValueError(f"{node.op} has no derivative")
    return slopes(slp, number, node.args)


def pullback(slp: SLP, outputs: Sequence[int], cotangents: Sequence[int]) -> dict[Leaf, int]:
    """The vector-Jacobian product by reverse mode: the nodes of the gradient by every leaf but host numbers.

    What is reached through choices alone (branches, maxima) has no part in it where surely none of them is taken,
    however infinite its slopes are there.
    """
    pieces: dict[int, list[int]] = {}
    ways: dict[int, list[int]] = {}
    for out, cotangent in zip(outputs, cotangents, strict=True):
        pieces.setdefault(out, []).append(cotangent)
        ways.setdefault(out, []).append(slp.constant(1))
    gradient: dict[Leaf, int] = {}
    for number in reversed(slp.reachable(outputs)):
        node = slp.nodes[number]
        if number not in pieces or slp.host[number]:
            continue
        # A subject may multiply each cotangent by what they share before it adds them: the sizes count, not their sum.
        adjoint = slp.total(pieces[number], together=2)
        if node.op == "leaf":
            gradient[node.value] = adjoint
        if not node.args or node.op in CONDITIONS:
            continue
        taken = _any(slp, ways[number])
        for arg, partial in zip(node.args, partials(slp, number), strict=True):
            if not slp.host[arg]:
                way = _through(slp, taken, partial)
                term = slp.mul(adjoint, partial)
                gated = term if slp.nodes[partial].op == "const" else _where(slp, way, term)
                pieces.setdefault(arg, []).append(gated)
                ways.setdefault(arg, []).append(way)
    return gradient


def _any(slp: SLP, ways: Sequence[int]) -> int:
    """1 where one of several nodes is 1, else 0."""
    one = slp.constant(1)
    return one if one in ways else functools.reduce(functools.partial(slp.binary, "max"), dict.fromkeys(ways))


def _through(slp: SLP, taken: int, partial: int) -> int:
    """0 where no rounding can undo that the slope on the way on is 0 by a choice, else whether the node is taken.

    At a tie the choice says nothing about slopes: beside it the other branch may be the one that is taken.
    """
    node, zero = slp.nodes[partial], slp.constant(0)
    if node.op != "select" or zero not in node.args[1:]:
        return taken
    condition, then, _ = node.args
    a, b = slp.nodes[condition].args
    if then == zero:
        return taken if slp.nodes[condition].op == "eq" else slp.select(slp.binary("surely", a, b), zero, taken)
    way = slp.select(slp.binary("surely", b, a), zero, taken)
    return slp.select(slp.binary("surely", a, b), zero, way) if slp.nodes[condition].op == "eq" else way


def _where(slp: SLP, way: int, term: int) -> int:
    """The term where the way to it is taken, else 0: no multiple of it, since 0 times infinity is no number."""
    zero = slp.constant(0)
    return term if way == slp.constant(1) else slp.select(slp.binary("lt", zero, way), term, zero)
