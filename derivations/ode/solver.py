"""Euler's method: its steps, the last of them, and residual blocks (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, And, Eq, Function, IndexedBase, Lambda, Piecewise, Symbol, tanh

from gnomon.derivations.ode.initial_value import SIGN, D, velocity
from gnomon.derivations.ode.problem import a_step, along, choices, grid, host, problem, right_side, state, unrolled, way
from gnomon.proof.bench import Bench
from gnomon.say.board import Board
from gnomon.say.call import function, tensor
from gnomon.say.maker import claim

SECTION = "2.2"

# ---------------------------------------------------------------- Euler


@claim("solver.euler", SECTION, "ode.odeint")
def euler(c: Board) -> None:
    """Euler's method: every step starts from the state that the last one reached."""
    of = problem(c)
    n, m, i, y0 = of.n, of.m, of.i, of.y0
    t, step = grid(c, of)

    def moved(y: Any, width: Any = step[n - 1], start: Any = n - 1, time: Any = n - 1) -> Any:
        """The state after a step from the state ``start``, with the slope at a time."""
        return y[start, i] + width * velocity(i, t[time], along(y, n - 1))

    y = c.recur("y", (n, i), y0[i], moved)
    slope = c.let("slope", (m, i), velocity(i, t[m], along(y, m)))

    added = of.width(n) * slope[n, i]
    c.law(y[n, i], way(y0[i], added, n))

    @c.prove
    def _(p: Bench) -> None:
        width = a_step(p, of)
        p.left.rewrite(
            unrolled(p, y[n, i], y0[i], added, n, lambda b: (b.left.unfold(y).rewrite(width), b.right.unfold(slope)))
        )

    c.call(of.asked(), y0, of.times(), method="euler").shows(y)
    c.variant(
        "every step starts from h(0)", "notes", printed=True, y=lambda y: moved(y, start=0),
        why="The two readings agree in the first step only: y' = y, step 0.1, second step: 1.11 instead of 1.21.",
    )  # fmt: skip
    c.variant("the time stays at its first value", "notes: f has lost its t", y=lambda y: moved(y, time=0))
    c.variant("slope at the end of the step", "known bug", y=lambda y: moved(y, time=n))
    c.variant("steps measured from the first time", "known bug", y=lambda y: moved(y, width=t[n] - t[0]))
    c.variant("steps without their sign where time falls", "known bug", y=lambda y: moved(y, width=Abs(step[n - 1])))
    c.variant(
        "state updated in place", "known bug",
        y=lambda y: y[n - 1, i] + step[n - 1] * velocity(i, t[n - 1], lambda part: _first_moved(y, n, i, part)),
    )  # fmt: skip
    c.say("f is Lipschitz in the state")
    c.remark(
        "The notes write h for the state and for the step, and leave the time out of f; their f takes (y, t) in one "
        "place and (t, y) in another. A solver that calls f with its arguments exchanged fails here."
    )


def _first_moved(y: Any, n: Any, i: Any, component: Any) -> Any:
    """The state within a step in which the first unknown has its new value already."""
    return Piecewise((y[n, 0], And(Eq(i, 1), Eq(component, 0))), (y[n - 1, component], True))


# ---------------------------------------------------------------- steps of a given size


@claim("solver.euler.last_step", SECTION, "ode.odeint")
def last_step(c: Board) -> None:
    """Steps of a given size: the last one is cut to end on the last time."""
    N = c.size("N", 1, 3)
    choices(c)
    t0, h = host(c)
    rest = c.hyper("rest", 0.25, 0.75, typical=(0.5,))
    y0 = state(c)[0]
    n, m, i = c.index("n", 0, N + 1), c.index("m", 0, N), c.index("i", 0, D - 1)
    end = t0 + SIGN * (N + rest) * h

    t = c.let("t", n, Piecewise((t0 + SIGN * n * h, n <= N), (end, True)))
    step = c.let("step", m, t[m + 1] - t[m])
    y = c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + step[n - 1] * velocity(i, t[n - 1], along(y, n - 1)))
    c.output("end", y[N + 1, i])
    slope = c.let("slope", (m, i), velocity(i, t0 + SIGN * m * h, along(y, m)))

    added = SIGN * h * slope[n, i]
    c.law(y[N + 1, i], way(y0[i], added, n).subs(n, N) + SIGN * rest * h * slope[N, i])

    @c.prove
    def _(p: Bench) -> None:
        """Full steps by induction, then one more."""

        def one(b: Bench) -> None:
            b.left.unfold(y, step, t)
            b.right.unfold(slope)

        full = unrolled(p, y[n, i], y0[i], added, n, one, given=[n <= N])
        last = p.have("the last step", y[N + 1, i], "=", y[N, i] + SIGN * rest * h * slope[N, i], one)
        p.left.rewrite(last).rewrite(full)

    c.call(
        right_side(i), y0, tensor(Piecewise((t0, Eq(n, 0)), (end, True)), (n, 0, 1)), method="euler",
        options={"step_size": h},
    ).rows(1).at(-1).shows("end")  # fmt: skip
    c.variant("the last step is not cut", "known bug", step=SIGN * h)
    c.variant("stops before the last time", "known bug", step=Piecewise((t[m + 1] - t[m], m < N), (0, True)))
    c.variant(
        "all steps equal", "other libraries: the steps are made to fit",
        t=t0 + SIGN * (N + rest) * h * n / (N + 1),
    )  # fmt: skip
    c.say("the way is no whole number of steps")


# ---------------------------------------------------------------- a residual block


BLOCK = {"y0": 1, "V": 2, "bias": 1, "W": 2}
"""The inputs of a block, and how many axes they have."""


@claim("solver.euler.residual", SECTION, "ode.odeint")
def residual(c: Board) -> None:
    """A residual block is one step of Euler's method of size 1."""
    m = c.size("m", 1, 3)
    sigma, u = Function("sigma", real=True), Symbol("u", real=True)
    c.choice("activation", {"tanh": {sigma: Lambda(u, tanh(u))}, "squares": {sigma: Lambda(u, u**2)}})
    y0, V, bias, W = (c.real(name, *[m] * axes, low=-1, high=1) for name, axes in BLOCK.items())
    i, j, q = c.indices("i j q", m)
    n = c.index("n", 0, 1)

    def slope(x: Any) -> Any:
        """What a block adds to its input."""
        return c.sum(W[i, j] * sigma(c.sum(V[j, q] * x(q), q) + bias[j]), j)

    hidden = c.let("hidden", j, sigma(c.sum(V[j, q] * y0[q], q) + bias[j]))
    added = c.sum(W[i, j] * hidden[j], j)
    end = c.let("end", i, y0[i] + added)
    y = c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + slope(lambda q: y[n - 1, q]))
    c.law(end[i], y[1, i])

    @c.prove
    def _(p: Bench) -> None:
        p.left.unfold(end, hidden)
        start = p.have("the run begins at the input", y[0, i], "=", y0[i], lambda b: b.left.unfold(y))
        p.right.rewrite(p.chain(y[1, i]).unfold(y).theorem, start)

    t, state = Symbol("t", real=True), IndexedBase("y", real=True)
    f = function((t, state), slope(lambda q: state[q]), (i, 0, m - 1))
    c.call(f, y0, tensor(n, (n, 0, 1)), method="euler").at(-1).shows(end)
    c.variant("no skip connection", "known bug", end=added)
    c.variant("half a step", "known bug", end=y0[i] + added / 2)
    c.variant("activation after the sum", "the residual block as first published, 2015", end=sigma(y0[i] + added))
