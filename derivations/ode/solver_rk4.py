"""The classical Runge-Kutta method of order 4 (2.2)."""

from __future__ import annotations

from functools import partial
from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Rational, Sum

from gnomon.derivations.ode.initial_value import tableau as coefficients
from gnomon.derivations.ode.initial_value import velocity
from gnomon.derivations.ode.problem import a_step, along, grid, problem, unrolled, way
from gnomon.derivations.ode.trees import RK4
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.maker import claim

SECTION = "2.2"
HALF = Rational(1, 2)


@claim("solver.rk4", SECTION, "ode.odeint")
def rk4(c: Board) -> None:
    """The classical Runge-Kutta method."""
    of = problem(c)
    N, n, m, i, y0 = of.N, of.n, of.m, of.i, of.y0
    s, j = c.indices("s j", RK4.stages)
    t, step = grid(c, of)
    y = IndexedBase("y", real=True)

    def stage(share: Any, before: Any, time: Any = None) -> Any:
        """A slope at a share of the step, from the slope before it."""
        middle = t[m] + (share if time is None else time) * step[m]
        return velocity(i, middle, lambda part: y[m, part] + share * step[m] * before[m, part])

    def average(*weights: int, over: int) -> Any:
        """The four slopes of a step, weighed."""
        return sum(weight * slope[n - 1, i] for weight, slope in zip(weights, slopes, strict=True)) / over

    def moved(slope: Any) -> Any:
        """A step along a slope."""
        return lambda y: y[n - 1, i] + step[n - 1] * slope

    k1 = c.let("k1", (m, i), velocity(i, t[m], along(y, m)))
    k2 = c.let("k2", (m, i), stage(HALF, k1))
    k3 = c.let("k3", (m, i), stage(HALF, k2))
    k4 = c.let("k4", (m, i), stage(1, k3))
    slopes = k1, k2, k3, k4
    c.recur("y", (n, i), y0[i], moved(average(1, 2, 2, 1, over=6)))

    a, b = coefficients(c, RK4, s, j)
    node, width = Sum(a[s, j], (j, 0, s - 1)), of.width(m)
    k = c.let("k", (m, s, i), lambda k: velocity(
        i, of.time(m) + node * width,
        lambda part: y[m, part] + width * Sum(a[s, j] * k[m, j, part], (j, 0, s - 1)),
    ))  # fmt: skip
    added = of.width(n) * Sum(b[s] * k[n, s, i], (s, 0, RK4.stages - 1))
    c.law(y[n, i], way(y0[i], added, n))

    @c.prove
    def _(p: Bench) -> None:
        """The tableau's stages are the four slopes; then the steps add up."""
        width = a_step(p, of)

        same: list[Theorem] = []

        def stage_of(number: int, b: Bench) -> None:
            b.left.unfold(k).listed(quiet=True)
            if number:
                b.left.unfold(a).rewrite(same[-1])
                b.right.unfold(slopes[number]).rewrite(width).unfold(t)
            else:
                b.right.unfold(k1, t)

        for number, slope in enumerate(slopes):
            entries = k[m, number, i], "=", slope[m, i]
            same.append(p.have(f"stage {number + 1}", *entries, partial(stage_of, number)))

        def one(b: Bench) -> None:
            b.left.unfold(y).rewrite(width)
            b.right.listed().unfold("b").rewrite(*same)

        p.left.rewrite(unrolled(p, y[n, i], y0[i], added, n, one))

    c.call(of.asked(), y0, of.times(), method="rk4").shows(y)
    third = step[m] / 3
    c.variant(
        'the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq",
        k2=stage(Rational(1, 3), k1),
        k3=velocity(i, t[m] + 2 * third, lambda part: y[m, part] + step[m] * (k2[m, part] - k1[m, part] / 3)),
        k4=velocity(i, t[m + 1], lambda part: y[m, part] + step[m] * (k1[m, part] - k2[m, part] + k3[m, part])),
        y=moved(average(1, 3, 3, 1, over=8)),
    )  # fmt: skip
    c.variant("equal weights", "known bug", y=moved(average(1, 1, 1, 1, over=4)))
    c.variant("weights of the 3/8 rule on these stages", "known bug", y=moved(average(1, 3, 3, 1, over=8)))
    c.variant("k2 at the start of the step", "known bug", k2=stage(HALF, k1, time=0))
    c.variant("k3 from k1", "known bug", k3=stage(HALF, k1))
    c.variant("k4 from k2", "known bug", k4=stage(1, k2))
    c.variant(
        "the time stays where the step begins", "known bug: the stages' time is not advanced",
        k2=stage(HALF, k1, time=0), k3=stage(HALF, k2, time=0), k4=stage(1, k3, time=0),
    )  # fmt: skip
    c.variant("k4 at half a step", "known bug", k4=stage(HALF, k3))
    c.variant(
        "1/6 in seven digits", "known bug: a rounded coefficient",
        y=moved(Rational(1666667, 10**7) * average(1, 2, 2, 1, over=1)),
    )  # fmt: skip
    c.variant(
        "the last step by Euler's method", "known bug",
        y=moved(Piecewise((k1[n - 1, i], Eq(n, N)), (average(1, 2, 2, 1, over=6), True))),
    )  # fmt: skip
    c.remark("Several libraries call another method of order 4 by this name; solver.rk4.weights tells them apart.")
