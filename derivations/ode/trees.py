"""Rooted trees, and explicit Runge-Kutta methods as exact tableaux: what the order of a method hangs on.

A tree is the tuple of its branches; the single node is ``()``. A method has order p if and only if its elementary
weight of every tree with at most p nodes is one over the tree's density (Butcher 1963; Hairer, Nørsett and Wanner,
Solving Ordinary Differential Equations I, theorem II.2.13).

The trees are also a system of differential equations, ``y_tau' = product of y_branch`` over the branches of tau, from
zero: its solution is ``h^r / gamma(tau)``, and one step of a method gives ``h^r Phi(tau)`` exactly. So the weights of
a program that nobody can look into are read off one step of it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from sympy import And, Eq, Expr, Piecewise, Rational, S, Symbol, false

from gnomon.proof.derivation import Step, cite

Tree = tuple["Tree", ...]


@cache
def trees(nodes: int) -> tuple[Tree, ...]:
    """The rooted trees with that many nodes: 1, 1, 2, 4, 9, 20, ... of them."""
    if nodes == 1:
        return ((),)
    found = set()
    for sizes in _partitions(nodes - 1, nodes - 1):
        for branches in itertools.product(*map(trees, sizes)):
            found.add(tuple(sorted(branches, key=lambda tree: (size(tree), repr(tree)))))
    return tuple(sorted(found, key=repr))


def _partitions(total: int, largest: int) -> tuple[tuple[int, ...], ...]:
    if total == 0:
        return ((),)
    return tuple(
        (part, *rest) for part in range(min(total, largest), 0, -1) for rest in _partitions(total - part, part)
    )


def forest(nodes: int) -> tuple[Tree, ...]:
    """Every tree with at most that many nodes, branches before the trees that they are part of."""
    return tuple(itertools.chain.from_iterable(map(trees, range(1, nodes + 1))))


@cache
def size(tree: Tree) -> int:
    """The number of nodes."""
    return 1 + sum(map(size, tree))


@cache
def height(tree: Tree) -> int:
    """The number of nodes on the longest way up: a method with fewer stages gives the tree no weight."""
    return 1 + max(map(height, tree), default=0)


@cache
def density(tree: Tree) -> int:
    """gamma(tau): the product, over the nodes, of the size of what hangs there."""
    return size(tree) * math.prod(map(density, tree))


@dataclass(frozen=True)
class Tableau:
    """An explicit method: row s of ``a`` has s entries; ``b_embedded`` are the weights of its companion."""

    a: tuple[tuple[Any, ...], ...]
    b: tuple[Any, ...]
    b_embedded: tuple[Any, ...] = ()

    @property
    def stages(self) -> int:
        return len(self.b)

    @property
    def c(self) -> tuple[Any, ...]:
        """The nodes: sums of the rows, so that time may be taken as one more unknown."""
        return tuple(sum(row, S.Zero) for row in self.a)

    @property
    def fsal(self) -> bool:
        """Whether the last stage of a step is the first of the next."""
        return (*self.a[-1], S.Zero) == self.b

    def companion(self) -> Tableau:
        """The method with the embedded weights."""
        return Tableau(self.a, self.b_embedded)


def tableau(*rows: str, b: str, embedded: str = "") -> Tableau:
    """A method from its rows, written with spaces: ``tableau("", "1/2", b="0 1")`` is the midpoint rule."""
    a = tuple(_row(row) for row in rows)
    return Tableau(a, _row(b), _row(embedded))


def _row(text: str) -> tuple[Any, ...]:
    return tuple(map(Rational, text.split()))


EULER = tableau("", b="1")
HEUN = tableau("", "1", b="1/2 1/2")
MIDPOINT = tableau("", "1/2", b="0 1")
RK4 = tableau("", "1/2", "0 1/2", "0 0 1", b="1/6 1/3 1/3 1/6")
THREE_EIGHTHS = tableau("", "1/3", "-1/3 1", "1 -1 1", b="1/8 3/8 3/8 1/8")
DOPRI5 = tableau(
    "",
    "1/5",
    "3/40 9/40",
    "44/45 -56/15 32/9",
    "19372/6561 -25360/2187 64448/6561 -212/729",
    "9017/3168 -355/33 46732/5247 49/176 -5103/18656",
    "35/384 0 500/1113 125/192 -2187/6784 11/84",
    b="35/384 0 500/1113 125/192 -2187/6784 11/84 0",
    embedded="5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40",
)


def rounded(method: Tableau, stage: int, column: int, digits: int = 7) -> Tableau:
    """A method with one entry of its stages rounded, as a table in decimals would have it."""
    rows = [list(row) for row in method.a]
    rows[stage][column] = Rational(round(rows[stage][column] * 10**digits), 10**digits)
    return Tableau(tuple(map(tuple, rows)), method.b, method.b_embedded)


def weight(tree: Tree, method: Tableau) -> Any:
    """Phi(tau), the elementary weight, by its definition as a nested sum over the stages."""
    return sum((b * inner for b, inner in zip(method.b, _inner(tree, method), strict=True)), S.Zero)


def _inner(tree: Tree, method: Tableau) -> list[Any]:
    found = [S.One] * method.stages
    for branch in tree:
        below = _inner(branch, method)
        for stage, row in enumerate(method.a):
            found[stage] *= sum((a * w for a, w in zip(row, below, strict=False)), S.Zero)
    return found


def order(method: Tableau, highest: int = 6) -> int:
    """The largest p such that every tree with at most p nodes has the weight that it must have."""
    for nodes in range(1, highest + 1):
        if any(weight(tree, method) != Rational(1, density(tree)) for tree in trees(nodes)):
            return nodes - 1
    return highest


def slope(tree: Tree, state: Any) -> Any:
    """The right-hand side of a tree's equation: the product of the unknowns of its branches, ``state(branch)``."""
    return math.prod((state(branch) for branch in tree), start=S.One)


def one_step(method: Tableau, known: tuple[Tree, ...], h: Any) -> dict[Tree, Any]:
    """One step of size h from zero on the equations of these trees, run with the stages as they are defined."""
    slopes: list[dict[Tree, Any]] = []
    for row in method.a:
        point = {t: h * sum((a * k[t] for a, k in zip(row, slopes, strict=True)), S.Zero) for t in known}
        slopes.append({tree: slope(tree, point.__getitem__) for tree in known})
    return {tree: h * sum((b * k[tree] for b, k in zip(method.b, slopes, strict=True)), S.Zero) for tree in known}


def symbolic(stages: int) -> Tableau:
    """A method of that many stages with a symbol in the place of every coefficient."""
    a = tuple(tuple(Symbol(f"a{s + 1}{j + 1}", real=True) for j in range(s)) for s in range(stages))
    return Tableau(a, tuple(Symbol(f"b{s + 1}", real=True) for s in range(stages)))


def values(method: Tableau, weights: tuple[Any, ...] = ()) -> tuple[tuple[Any, Any], ...]:
    """What the symbols of :func:`symbolic` stand for in a method; ``weights`` in the place of its own."""
    general = symbolic(method.stages)
    pairs = [(x, v) for names, row in zip(general.a, method.a, strict=True) for x, v in zip(names, row, strict=True)]
    return (*pairs, *zip(general.b, weights or method.b, strict=True))


def stability(method: Tableau, z: Expr) -> Any:
    """R(z), stage by stage: what one step multiplies y by on ``y' = lambda y``, with ``z = lambda h``."""
    slopes: list[Any] = []
    for row in method.a:
        slopes.append(1 + z * sum((a * k for a, k in zip(row, slopes, strict=True)), S.Zero))
    return 1 + z * sum((b * k for b, k in zip(method.b, slopes, strict=True)), S.Zero)


# ---------------------------------------------------------------- steps of proofs

BUTCHER = cite(
    "Butcher 1963: a method has order p if and only if its weight of every tree with at most p nodes is one over the "
    "tree's density (Hairer, Nørsett and Wanner, theorem II.2.13)"
)


def run_shows_weights(known: tuple[Tree, ...], method: Tableau, h: Any) -> Step:
    """One step of a method on the equations of some trees, which must hold their branches."""
    run = one_step(method, known, h)
    return Step(
        "rewrite",
        tuple(run[tree] for tree in known),
        tuple(h ** size(tree) * weight(tree, method) for tree in known),
        why="one step from zero on the equations of the trees gives h to the number of nodes, times the weight",
    )


def flow_shows_densities(known: tuple[Tree, ...], h: Any) -> Step:
    """The solution of the equations of some trees."""
    exact = {tree: h ** size(tree) / density(tree) for tree in known}
    return Step(
        "differentiate",
        tuple(exact.values()),
        tuple(slope(tree, exact.__getitem__) for tree in known),
        why="and their solution is h to the number of nodes, over the density",
        by=(h,),
    )


def order_conditions(known: tuple[Tree, ...], method: Tableau, why: str, weights: tuple[Any, ...] = ()) -> Step:
    """The weights of some trees, each told from the others by a factor of its own."""
    general = symbolic(method.stages)
    marks = [Symbol(f"x{place}", real=True) for place in range(len(known))]
    pairs = tuple(zip(marks, known, strict=True))
    return Step(
        "substitute",
        sum(mark * weight(tree, general) for mark, tree in pairs),
        sum(mark * Rational(1, density(tree)) for mark, tree in pairs),
        why=why,
        by=values(method, weights),
        wrong=(sum(mark * Rational(1, size(tree)) for mark, tree in pairs) + marks[0],),
    )


def missed(tree: Tree, method: Tableau, why: str, weights: tuple[Any, ...] = (), worth: Any = None) -> Step:
    """A condition that a method does not meet: that a tree's weight is ``worth``, or else one over its density."""
    condition = Eq(weight(tree, symbolic(method.stages)), Rational(1, density(tree)) if worth is None else worth)
    return Step("refute", condition, false, why=why, by=(dict(values(method, weights)),))


# ---------------------------------------------------------------- tables within programs


def entry(row: tuple[Any, ...], index: Symbol) -> Any:
    """The entry of a row at a symbolic place, as cases."""
    return _cases([(value, Eq(index, place)) for place, value in enumerate(row)])


def entry_of(rows: tuple[tuple[Any, ...], ...], first: Symbol, second: Symbol) -> Any:
    """The entry of a table at a symbolic place, as cases; zero where the table has none."""
    return _cases(
        [
            (value, And(Eq(first, place), Eq(second, column)))
            for place, row in enumerate(rows)
            for column, value in enumerate(row)
        ]
    )


def _cases(cases: list[tuple[Any, Any]]) -> Any:
    return Piecewise(*[(value, where) for value, where in cases if value != 0], (0, True), evaluate=False)
