"""What the files of the library share: its symbols, and the tangents of the logarithm and of the exponential."""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from gnomon.proof import goals
from gnomon.proof.goals import Goal
from gnomon.proof.inequality import at, combine, monotone
from gnomon.proof.theorem import Theorem
from gnomon.proof.theory import Theory

x, y, z, w = sp.symbols("x y z w", real=True)
u, m, c = sp.symbols("u m c", positive=True)
s, p, q, v = sp.symbols("s p q v", nonnegative=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
i, j, k = sp.symbols("i j k", integer=True)
a, b = sp.IndexedBase("a", real=True), sp.IndexedBase("b", real=True)
r = sp.Symbol("r", real=True)
filled = sp.Symbol("n", integer=True, positive=True)


def general(theorem: Theorem, *over: Any, name: str) -> Theorem:
    """A theorem as a lemma: general in some of its symbols."""
    goal = Goal(theorem.lhs, theorem.rel, theorem.rhs, theorem.given, frozenset(over))
    return goals.general(theorem.theory, theorem, goal, name)


def run(e: Any, index: Any = i, count: Any = n) -> Any:
    """The sum over a count of terms."""
    return sp.Sum(e, (index, 0, count - 1))


@cache
def log_tangent() -> Theorem:
    """``log u <= log m + (u - m) / m`` for u, m > 0; with m = 1, ``log u <= u - 1``."""
    theory = Theory()
    above = monotone(theory, u - 1 - sp.log(u), u, 1, 2, both=True)
    ratio = at(theory, above, {u: u / m})
    shown = combine(theory, sp.log(u), "<=", sp.log(m) + (u - m) / m, [(1, ratio)])
    return general(shown, u, m, name="log_tangent")


@cache
def exp_tangent() -> Theorem:
    """``e**y (1 + x - y) <= e**x``; with y = 0, ``1 + x <= e**x``."""
    theory = Theory()
    above = at(theory, monotone(theory, sp.exp(x) - 1 - x, x, 0, 2, both=True), {x: x - y})
    shown = combine(theory, sp.exp(y) * (1 + x - y), "<=", sp.exp(x), [(sp.exp(y), above)])
    return general(shown, x, y, name="exp_tangent")
