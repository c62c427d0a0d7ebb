"""The pair of Dormand and Prince: the step, and its estimate of the error (2.2)."""

from __future__ import annotations

from functools import partial
from typing import Any

from sympy import Add, Eq, IndexedBase, Piecewise, Rational, Sum, factorial

from gnomon.derivations.ode.initial_value import PROBLEMS, SIGN, D, stage_value, velocity
from gnomon.derivations.ode.initial_value import tableau as coefficients
from gnomon.derivations.ode.problem import along, choices, host, right_side, state
from gnomon.derivations.ode.tree_weights import order_conditions, weights
from gnomon.derivations.ode.trees import DOPRI5, RK4, Tableau, entry, entry_of, forest, rounded
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import cast, returned, span, tensor
from gnomon.say.maker import claim

SECTION = "2.2"
LAST = DOPRI5.stages - 1
FOREST = forest(5)
DIFFERENCE = tuple(u - v for u, v in zip(DOPRI5.b, DOPRI5.b_embedded, strict=True))


def table(method: Tableau, s: Any, j: Any) -> dict[str, Any]:
    """Another method's coefficients in the place of the pair's."""
    return {"a": entry_of(method.a, s, j), "b": entry(method.b, s), "c": entry(method.c, s)}


# ---------------------------------------------------------------- the step


@claim("solver.dopri.pair", SECTION, "ode.odeint")
def pair(c: Board) -> None:
    """A step of Dormand and Prince's pair goes on with the value of order 5."""
    choices(c)
    t0, h = host(c)
    y0, theta = state(c)
    n, m, i = c.index("n", 0, 1), c.index("m", 0, 0), c.index("i", D)
    s, j = c.indices("s j", DOPRI5.stages)
    y, k = IndexedBase("y", real=True), IndexedBase("k", real=True)

    t = c.let("t", n, t0 + SIGN * n * h)
    step = c.let("step", m, t[m + 1] - t[m])
    a, b = coefficients(c, DOPRI5, s, j)
    node = c.let("c", s, entry(DOPRI5.c, s))
    point = c.let("point", (m, s, i), y[m, i] + step[m] * Sum(a[s, j] * k[m, j, i], (j, 0, s - 1)))
    c.let("k", (m, s, i), velocity(i, t[m] + node[s] * step[m], along(point, m, s)))
    c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + step[n - 1] * Sum(b[s] * k[n - 1, s, i], (s, 0, LAST)))
    c.output("end", y[1, i])

    width = SIGN * h
    slope = c.let(
        "slope", (s, i),
        lambda slope: velocity(
            i, t0 + Sum(a[s, j], (j, 0, s - 1)) * width,
            lambda part: y0[part] + width * Sum(a[s, j] * slope[j, part], (j, 0, s - 1)),
        ),
    )  # fmt: skip
    c.law(y[1, i], y0[i] + width * Sum(b[s] * slope[s, i], (s, 0, LAST)))

    @c.prove
    def _(p: Bench) -> None:
        """Stage by stage, where the nodes are the sums of the tableau's rows."""
        start = p.have("the step begins at the state", y[0, i], "=", y0[i], lambda b: b.left.unfold(y))
        same: list[Theorem] = []

        def stage(number: int, b: Bench) -> None:
            b.left.unfold(k, point)
            b.right.unfold(slope)
            used = [theorem for theorem, weight in zip(same, DOPRI5.a[number], strict=False) if weight]
            if number:
                b.left.unfold(node, step, t).listed().unfold(a).rewrite(start, *used)
                b.right.listed().unfold(a)
            else:
                b.left.unfold(node, t).rewrite(start)

        for number in range(LAST + 1):
            same.append(p.have(f"stage {number + 1}", k[0, number, i], "=", slope[number, i], partial(stage, number)))
        p.left.unfold(y, step, t).rewrite(start).listed().rewrite(*same)
        p.right.listed()

    z = width * theta[0]
    grown = c.let("grown", s, lambda grown: 1 + z * Sum(a[s, j] * grown[j], (j, 0, s - 1)))
    taylor = Add(*[z**power / factorial(power) for power in range(6)])
    c.law(1 + z * Sum(b[s] * grown[s], (s, 0, LAST)), taylor + z**6 / 600)

    @c.prove
    def _(p: Bench) -> None:
        """On y' = lambda y a step is the series of the exponential function up to order 5, and no further."""
        p.left.listed()
        for number in range(LAST + 1):
            p.left.rewrite(stage_value(p, grown[number]))
        p.left.unfold(b)

    times = tensor(t0 + SIGN * n * h, (n, 0, 1))
    alone = {"atol": 1e30, "options": {"first_step": span(times)}}
    c.call(right_side(i), y0, times, method="dopri5", **alone).rows(1).at(-1).shows("end")
    c.variant("goes on with order 4", "known bug: no local extrapolation", b=entry(DOPRI5.b_embedded, s))
    c.variant(
        "the classical method's value", "notes, section 2.2", printed=True, lets=table(RK4, s, j),
        why="The notes compare an RK4 with an RK5 result and print the classical RK4; the pair shares its stages.",
    )  # fmt: skip
    c.variant(
        "-25360/2187 in seven digits", "known bug: a rounded coefficient", lets=table(rounded(DOPRI5, 4, 1), s, j)
    )
    c.variant("4/5 in the place of 8/9", "known bug", c=entry((*DOPRI5.c[:4], DOPRI5.c[3], 1, 1), s))
    c.variant("time left out of the stages", "known bug", k=velocity(i, t[m], along(point, m, s)))
    c.remark(
        "A library that interpolates between its steps may lose a digit at the end of one: it then is inaccurate here, "
        "with the right formula. The conditions for order 5 are those of solver.dopri.pair.weights."
    )


# ---------------------------------------------------------------- the estimate of the error


@claim("solver.dopri.pair.error", SECTION, "ode.rk_step")
def estimate(c: Board) -> None:
    """The error estimate is order 5 minus order 4 on the same seven stages."""
    c.choice(PROBLEMS.name, PROBLEMS.options)
    t0, h = c.real("t0", low=-1, high=1), c.real("h", low=-0.5, high=0.5)
    y0 = state(c)[0]
    i = c.index("i", D)
    s, j = c.indices("s j", DOPRI5.stages)
    k = IndexedBase("k", real=True)

    a, b = coefficients(c, DOPRI5, s, j)
    node, e = c.let("c", s, entry(DOPRI5.c, s)), c.let("e", s, entry(DIFFERENCE, s))
    point = c.let("point", (s, i), y0[i] + h * Sum(a[s, j] * k[j, i], (j, 0, s - 1)))
    c.let("k", (s, i), velocity(i, t0 + node[s] * h, along(point, s)))
    y1 = c.let("y1", i, y0[i] + h * Sum(b[s] * k[s, i], (s, 0, LAST)))
    err = c.let("err", i, h * Sum(e[s] * k[s, i], (s, 0, LAST)))
    slope = c.let("slope", i, velocity(i, t0 + h, along(y1)))
    c.output("error", err[i])

    embedded = c.let("embedded", s, entry(DOPRI5.b_embedded, s))
    order4 = c.let("order4", i, y0[i] + h * Sum(embedded[s] * k[s, i], (s, 0, LAST)))

    def is_the_last_point(p: Bench) -> Theorem:
        """The weights of order 5 are the last row."""
        return p.have(
            "the last stage is at the new state", y1[i], "=", point[LAST, i],
            lambda q: (q.left.unfold(y1).listed().unfold(b), q.right.unfold(point).listed().unfold(a)),
        )  # fmt: skip

    c.law(y1[i], point[LAST, i])
    c.prove(lambda p: p.left.rewrite(is_the_last_point(p)))
    c.law(slope[i], k[LAST, i])
    c.prove(lambda p: (p.left.unfold(slope).rewrite(is_the_last_point(p)), p.right.unfold(k, node)))
    c.law(err[i], y1[i] - order4[i])

    @c.prove
    def _(p: Bench) -> None:
        p.left.unfold(err).listed().unfold(e)
        p.right.unfold(y1, order4).listed().unfold(b, embedded)

    number = c.index("tree", len(FOREST))
    of = weights(c, number, FOREST, a, s, j, DOPRI5.stages)
    order_conditions(c, of, embedded, c.index("short", len(forest(4))))
    order_conditions(c, of, embedded, c.index("long", len(forest(4)), len(FOREST) - 1), met=False)

    tableau = DOPRI5
    c.call(right_side(i), t0, h, y0, tableau).shows("y1", error=cast(returned(1)), slope=returned(2))
    c.variant("order 4 minus order 5", "scipy: RK45.E", e=entry(tuple(-w for w in DIFFERENCE), s))
    inner, share = IndexedBase("inner", real=True), Piecewise((0, Eq(s, 0)), (1, Eq(s, 3)), (Rational(1, 2), True))
    before = Piecewise((0, Eq(s, 0)), (inner[s - 1, i] * h * Piecewise((1, Eq(s, 3)), (Rational(1, 2), True)), True))
    moved = (inner[0, i] + 2 * inner[1, i] + 2 * inner[2, i] + inner[3, i]) / 6
    inner_point = IndexedBase("inner_point", real=True)
    c.variant(
        "the classical method for the value of order 4", "notes, section 2.2", printed=True,
        why="The companion's order 4 is on the pair's own stages; another method costs evaluations of its own.",
        inner_point=((s, i), y0[i] + before),
        inner=((s, i), velocity(i, t0 + share * h, along(inner_point, s))),
        err=h * Sum(b[s] * k[s, i], (s, 0, LAST)) - h * moved,
    )  # fmt: skip
    c.variant(
        "two thirds of it: another companion of order 4", "torchdiffeq, after Shampine 1986",
        e=entry(tuple(w * 2 / 3 for w in DIFFERENCE), s),
    )  # fmt: skip
    c.variant("without the step", "known bug: a slope, not a length", err=Sum(e[s] * k[s, i], (s, 0, LAST)))
    c.variant("the weights of order 5", "known bug", e=entry(DOPRI5.b, s))
    c.variant("the last stage's weight forgotten", "known bug", e=entry((*DIFFERENCE[:LAST], 0), s))
    c.variant("the last slope is that of the step's start", "known bug", slope=k[0, i])
    c.variant("46732/5247 in seven digits", "known bug: a rounded coefficient", lets=table(rounded(DOPRI5, 5, 2), s, j))
    c.remark("The last stage is f at the new state, so it is the first stage of the next step.")
