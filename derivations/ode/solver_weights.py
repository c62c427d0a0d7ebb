"""A solver's weights of the rooted trees, read off one step: they name the method (2.2)."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from sympy import IndexedBase, Product, Rational, Sum, Symbol

from gnomon.derivations.ode.initial_value import tableau as coefficients
from gnomon.derivations.ode.tree_weights import Numbers, by_tree, order_conditions, over_branches, weights
from gnomon.derivations.ode.trees import (
    DOPRI5,
    RK4,
    THREE_EIGHTHS,
    Tableau,
    entry,
    entry_of,
    forest,
    rounded,
    size,
    tableau,
)
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import function, span, tensor, zeros_like
from gnomon.say.maker import claim

SECTION = "2.2"
FOREST = forest(5)
BRANCHES = tuple(tuple(map(FOREST.index, tree)) for tree in FOREST)
COUNT, BRANCH = (IndexedBase(name, integer=True, nonnegative=True) for name in ("count", "branch"))
q = Symbol("q", integer=True)


def product(i: Any, of: Any) -> Any:
    """The product over the branches of the tree at an index."""
    return by_tree(i, FOREST, lambda tree: over_branches(FOREST, tree, of))


def run(c: Board, method: Tableau, name: str, adaptive: bool = False) -> SimpleNamespace:
    """One step from zero on the equations of the trees, and what it comes to."""
    c.choice("trees", {"up to five nodes": {COUNT: tuple(map(len, FOREST)), BRANCH: BRANCHES}})
    h = c.hyper("h", 0.25, 2, typical=(1.0, 0.5, 2.0))
    w = c.real("w", len(FOREST), low=0.5, high=2)
    i = c.index("i", len(FOREST))
    s, j = c.indices("s j", method.stages)
    n = c.index("n", 0, 1)

    a, b = coefficients(c, method, s, j)
    k, point = IndexedBase("k", real=True), IndexedBase("point", real=True)
    c.let("point", (s, i), h * Sum(a[s, j] * k[j, i], (j, 0, s - 1)))
    c.let("k", (s, i), w[i] * product(i, lambda branch: point[s, branch]))
    y = c.let("y", i, h * Sum(b[s] * k[s, i], (s, 0, method.stages - 1)))
    c.output("end", y[i])

    of = weights(c, i, FOREST, a, s, j, method.stages)
    total = c.let("total", i, lambda total: w[i] * product(i, lambda branch: total[branch]))
    c.law(y[i], by_tree(i, FOREST, lambda tree: h ** size(tree)) * of.under(b, i) * total[i])

    @c.prove
    def _(p: Bench) -> None:
        """Tree by tree, branches first, the slopes at any stage of any method are the weights times powers of h."""
        numbers = Numbers(p, of)
        shown: list[Theorem] = []

        def stage(place: int, bench: Bench) -> None:
            bench.left.unfold(k)
            bench.right.rewrite(numbers.turn(place)).unfold(total)
            if FOREST[place]:
                bench.left.unfold(point).rewrite(
                    *dict.fromkeys(shown[FOREST.index(branch)] for branch in FOREST[place])
                )

        for place, tree in enumerate(FOREST):
            value = h ** (size(tree) - 1) * of.u[place, s] * total[place]
            shown.append(p.have(f"tree {place}", k[s, place], "=", value, partial(stage, place)))
        p.every(i, len(FOREST), lambda bench, place: bench.left.unfold(y).rewrite(shown[place]))

    t, state = Symbol("t", real=True), IndexedBase("y", real=True)
    growth = w[i] * Product(state[BRANCH[i, q]], (q, 0, COUNT[i] - 1))
    f = function((t, state), growth, (i, 0, len(FOREST) - 1))
    times = tensor(n * h, (n, 0, 1))
    alone = {"atol": 1e30, "options": {"first_step": span(times)}} if adaptive else {}
    c.call(f, zeros_like(w), times, method=name, **alone).rows(1).at(-1).shows("end")
    c.remark(
        "The unknowns are the seventeen trees with at most five nodes, from zero: one step tells apart any two methods "
        "whose weights differ up to order 5. Each tree has a factor of its own, lest two errors cancel."
    )
    return SimpleNamespace(c=c, s=s, j=j, b=b, of=of)


def other(of: SimpleNamespace, name: str, source: str, method: Tableau) -> None:
    """Another method in the place of the claim's."""
    of.c.variant(name, source, a=entry_of(method.a, of.s, of.j), b=entry(method.b, of.s))


@claim("solver.rk4.weights", SECTION, "ode.odeint", kind="order")
def rk4_weights(c: Board) -> None:
    """One step on the equations of the rooted trees shows the method's weights, up to order 5."""
    of = run(c, RK4, "rk4")
    order_conditions(c, of.of, of.b, c.index("short", len(forest(4))))
    order_conditions(c, of.of, of.b, c.index("long", len(forest(4)), len(FOREST) - 1), met=False)
    other(of, 'the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", THREE_EIGHTHS)
    ralston = tableau(
        "", "0.4", "0.2969776 0.1587596", "0.2181004 -3.0509651 3.8328647",
        b="0.1747603 -0.5514807 1.2055355 0.1711848",
    )  # fmt: skip
    other(of, "Ralston's method of order 4, in seven digits", "Ralston 1962", ralston)
    other(of, "weights 1/8, 3/8, 3/8, 1/8 on these stages", "known bug", Tableau(RK4.a, THREE_EIGHTHS.b))
    other(of, "k3 from k1", "known bug", Tableau((*RK4.a[:2], (*RK4.a[1], 0), RK4.a[3]), RK4.b))
    half = Tableau((*RK4.a[:3], (0, 0, Rational(1, 2))), RK4.b)
    other(of, "half a step to the last stage", "known bug", half)


@claim("solver.dopri.pair.weights", SECTION, "ode.odeint", kind="order")
def dopri_weights(c: Board) -> None:
    """One step of the pair shows the weights of order 5, not those of its companion."""
    of = run(c, DOPRI5, "dopri5", adaptive=True)
    order_conditions(c, of.of, of.b, c.index("every", len(FOREST)))
    other(of, "goes on with order 4", "known bug: no local extrapolation", DOPRI5.companion())
    other(of, "the classical method", "notes, section 2.2", RK4)
    other(of, "-25360/2187 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 4, 1))
    other(of, "46732/5247 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 5, 2))
