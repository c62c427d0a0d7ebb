"""A whole solve, from the first time to the last: what is tolerated is met at every time that was asked for (2.2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, IndexedBase, Piecewise, Rational, Sum, Symbol, exp, sqrt

from gnomon.derivations.ode.initial_value import DIRECTION, SIGN, D
from gnomon.derivations.ode.solver_pair import SECTION
from gnomon.say.board import Board
from gnomon.say.call import function, tensor
from gnomon.say.maker import claim

STEPS = 32
"""More steps than any of these solves takes, and as many roundings as the budget has room for."""
ABOVE = Rational(51, 50)
"""More than a solve may overshoot by: a step grows by at most exp(z + z**6 / 3600), and all z add up to less than 1."""
DEFAULT = Rational(1, 10**7), Rational(1, 10**9)

q = Symbol("q", integer=True)


def growth(c: Board) -> SimpleNamespace:
    """``dy/dt = rate y``, whose solution is known, at some times; ``gain`` is exp(rate (t - t0)) in so many factors."""
    N = c.size("N", 1, 2, closed=True)
    c.choice(DIRECTION.name, DIRECTION.options)
    t0, h = c.real("t0", low=-1, high=1), c.real("h", N, low=0.0625, high=0.25)
    rate, y0 = c.real("rate", D, low=-1, high=1), c.real("y0", D, low=-2, high=2)
    n, i, m = c.index("n", 0, N), c.index("i", D), c.index("m", 0, STEPS)
    way = c.let("way", n, SIGN * Sum(h[q], (q, 0, n - 1)))
    gain = c.recur("gain", (m, n, i), 1, lambda gain: gain[m - 1, n, i] * exp(rate[i] * way[n] / STEPS))
    most = c.let("most", i, exp(Abs(rate[i]) * Sum(h[q], (q, 0, N - 1))))

    t, y = Symbol("t", real=True), IndexedBase("y", real=True)
    return SimpleNamespace(
        N=N, y0=y0, rate=rate, n=n, i=i, way=way, gain=gain, most=most, span=Sum(h[q], (q, 0, N - 1)),
        f=function((t, y), rate[i] * y[i], (i, 0, D - 1)),
        times=tensor(t0 + SIGN * Sum(h[q], (q, 0, n - 1)), (n, 0, N)),
    )  # fmt: skip


def missed(most: Any, size: Any, rtol: Any, atol: Any) -> Any:
    """By how much all steps together may miss what is at most of this size, and grows by ``most`` at most."""
    return STEPS * sqrt(D) * most * (atol + rtol * ABOVE * most * size)


def solve(c: Board, tolerated: tuple[Any, Any], **keywords: Any) -> None:
    """The claim that the solution is met."""
    of = growth(c)
    n, i, y0, rate, way = of.n, of.i, of.y0, of.rate, of.way
    y = c.let("y", (n, i), y0[i] * of.gain[STEPS, n, i])
    c.law(Abs(y[n, i] - y0[i] * exp(rate[i] * way[n])), "<=", missed(of.most[i], Abs(y0[i]), *tolerated))

    c.call(of.f, y0, of.times, **keywords).one_by_one().shows("y")
    c.output("y", y[n, i])
    c.variant("one step of Euler's method", "known bug: no error is looked at", y=y0[i] * (1 + rate[i] * way[n]))
    c.variant(
        "between two states by a straight line", "known bug: output times without a step",
        y=y0[i] * (1 + (exp(rate[i] * way[of.N]) - 1) * way[n] / way[of.N]),
    )  # fmt: skip
    behind = Piecewise((way[n - 1], Eq(n, of.N)), (way[n], True))
    c.variant("the last time is missed", "known bug", y=y0[i] * exp(rate[i] * behind))
    c.variant("time's direction forgotten", "known bug", y=y0[i] * exp(rate[i] * Abs(way[n])))
    c.say(
        "f is linear, with rates of at most 1 over a time of at most 1/2: there the error of a step is less than two "
        "thirds of its estimate, which is at most the root of the number of unknowns times what is tolerated",
        f"no more than {STEPS} steps: their errors, each grown to the end, add up",
    )


@claim("solver.dopri.solve", SECTION, "ode.odeint", kind="inequality")
def by_default(c: Board) -> None:
    """Asked for nothing but the states at some times, a solver meets its default tolerance at each of them."""
    solve(c, DEFAULT)


@claim("solver.dopri.solve.tolerances", SECTION, "ode.odeint", kind="inequality")
def by_tolerances(c: Board) -> None:
    """A solver meets the tolerances that it is given, with any limits of its steps."""
    rtol = c.hyper("rtol", 2.0**-20, 2.0**-13, typical=(2.0**-20, 2.0**-16))
    atol = c.hyper("atol", 2.0**-30, 2.0**-13, typical=(2.0**-30, 2.0**-16))
    safety, ifactor, dfactor = c.hyper("safety", 0.75, 0.9375), c.hyper("ifactor", 2, 10), c.hyper("dfactor", 0.1, 0.5)
    options = {"safety": safety, "ifactor": ifactor, "dfactor": dfactor, "max_num_steps": 1000}
    solve(c, (rtol, atol), rtol=rtol, atol=atol, method="dopri5", options=options)
