"""What the adjoint method returns: gradients by the initial state and by the parameters (2.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Sum, Symbol

from gnomon.derivations.ode.adjoint_augmented import (
    METHODS,
    READ_AS_COLUMN,
    SECTION,
    S,
    coefficients,
    other_rk4,
    power,
    pushed,
    shows,
)
from gnomon.derivations.ode.initial_value import SIGN, D, pulled, velocity
from gnomon.derivations.ode.problem import along, choices, host, right_side, state
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import tensor
from gnomon.say.maker import claim

REMARK = (
    "The gradient is that of the solve back, and differs from the gradient of the solver's own steps by the error "
    "of both. Each interval starts from the observed state, and the adjoint jumps there by the gradient that "
    "arrives."
)
k, u = Symbol("k", integer=True), Symbol("u", integer=True)


class Solves:
    """The solve ahead and the solve back: N intervals between observed times, each of m steps.

    ``y[n, r]`` is the state after r steps of interval n; what is observed are the ``y[n, 0]``. On the way back state,
    adjoint and gradient are solved together, and each interval, numbered e, starts from the state that was observed.
    """

    def __init__(self, c: Board, integral: bool) -> None:
        self.c = c
        N, m = self.N, self.m = c.size("N", 1, 2), c.size("m", 1, 2)
        self.method = c.choice("method", METHODS)
        choices(c)
        self.t0, self.h = host(c)
        self.y0, theta = self.state = state(c)
        self.w = c.real("w", N + 1, D, low=-2, high=2)
        self.n, self.e, self.r = n, e, r = c.index("n", 0, N), c.index("e", N), c.index("r", 0, m)
        (self.s, self.j), self.i = (s, j), i = c.indices("s j", S), c.index("i", D)
        self.a, self.b, self.c_ = coefficients(c, s, j)
        self.signed = SIGN * self.h
        self.ahead()
        self.jump = c.let("jump", (n, i), self.w[n, i] + self.y[n, 0, i])
        names = ("z", "z_slope", "a_", "a_slope", "g_slope")
        z, z_slope, adj, a_slope, g_slope = (IndexedBase(name, real=True) for name in names)
        z_at, a_at = self.stage("z_point", z, z_slope), self.stage("a_point", adj, a_slope)
        self.where, self.pull = along(z_at, e, r, s), along(a_at, e, r, s)
        behind = self.behind = self.time(e, r) - self.c_[s] * self.signed
        self.z_slope = c.let("z_slope", (e, r, s, i), velocity(i, behind, self.where))
        self.a_slope = c.let("a_slope", (e, r, s, i), -pulled(i, behind, self.where, self.pull))
        self.z = self.back("z", z_slope, self.y[e + 1, 0, i])
        self.adj = self.back("a_", a_slope, self.before(adj) + self.jump[e + 1, i])
        if integral:
            self.g_slope = c.let("g_slope", (e, r, s, i), -pulled(i, behind, self.where, self.pull, "parameters"))
            self.g = self.back("g", g_slope, self.before(IndexedBase("g", real=True)))
        self.power = power(c, theta, (e, r, s), i, behind, self.where, self.pull)

    def time(self, interval: Any, index: Any) -> Any:
        """The time at a step of an interval."""
        return self.t0 + SIGN * (interval * self.m + index) * self.h

    def ahead(self) -> None:
        """The solve ahead."""
        c, n, r, s, i, j, signed = self.c, self.n, self.r, self.s, self.i, self.j, self.signed
        y, slope = IndexedBase("y", real=True), IndexedBase("slope", real=True)
        point = c.let("point", (n, r, s, i), y[n, r, i] + signed * Sum(self.a[s, j] * slope[n, r, j, i], (j, 0, s - 1)))
        c.let("slope", (n, r, s, i), velocity(i, self.time(n, r) + self.c_[s] * signed, along(point, n, r, s)))
        on = y[n, r - 1, i] + signed * Sum(self.b[s] * slope[n, r - 1, s, i], (s, 0, S - 1))
        first = Piecewise((self.y0[i], Eq(n, 0)), (y[n - 1, self.m, i], True))
        self.y = c.let("y", (n, r, i), Piecewise((first, Eq(r, 0)), (on, True)))

    def stage(self, name: str, now: Any, slopes: Any) -> Any:
        """What a stage on the way back looks at."""
        e, r, s, i, j = self.e, self.r, self.s, self.i, self.j
        seen = now[e, r, i] - self.signed * Sum(self.a[s, j] * slopes[e, r, j, i], (j, 0, s - 1))
        return self.c.let(name, (e, r, s, i), seen)

    def going_back(self, now: Any, slopes: Any, restart: Any) -> Any:
        """What reaches a step of an interval on the way back: ``restart`` at its end, a step after that."""
        e, r, s, i = self.e, self.r, self.s, self.i
        moved = now[e, r + 1, i] - self.signed * Sum(self.b[s] * slopes[e, r + 1, s, i], (s, 0, S - 1))
        return Piecewise((restart, Eq(r, self.m)), (moved, True))

    def back(self, name: str, slopes: Any, restart: Any) -> Any:
        """The definition of what is solved back."""
        return self.c.let(name, (self.e, self.r, self.i), lambda now: self.going_back(now, slopes, restart))

    def before(self, now: Any) -> Any:
        """What arrives from the interval after this one."""
        return Piecewise((now[self.e + 1, 0, self.i], self.e < self.N - 1), (0, True))

    def called(self, parameters: tuple[Any, ...], by: Any) -> Any:
        """The call that takes the gradient of the loss."""
        y, n, i = IndexedBase("y", real=True), self.n, self.i
        times, step = tensor(self.time(n, 0), (n, 0, self.N)), {"step_size": self.h}
        f = right_side(i)
        solved = self.c.call(f, self.y0, times, method=self.method, options=step, adjoint_params=parameters)
        loss = Sum(self.w[n, i] * y[n, i] + y[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, self.N))
        return solved.rows(1).then(y, loss).gradient(by=by)

    # ------------------------------------------------------------------ the laws

    def integral(self, by: str, arrives: Any = 0) -> Any:
        """The integral of a derivative of ``a . f``, by the method's weights, and what arrives after each interval."""
        c, e, r, s, i = self.c, self.e, self.r, self.s, self.i
        self.step = c.let("step", (e, r, i), self.signed * Sum(self.b[s] * self.power.by[by], (s, 0, S - 1)))
        self.interval = c.let("interval", (e, i), arrives + Sum(self.step[e, k, i], (k, 1, self.m)))
        return Sum(self.interval[u, i], (u, 0, self.N - 1))

    def adds_up(self, p: Bench, now: Any, slope: Any, by: str, known: Sequence[Theorem] = ()) -> Theorem:
        """What is solved back, at the beginning of an interval: what its steps, and those of the later ones, add."""
        e, r, s, i, m, step, interval = self.e, self.r, self.s, self.i, self.m, self.step, self.interval
        rate = shows(p, f"the slope is a derivative by {by}", slope[e, r, s, i], -1, self.power, by)

        def earlier(b: Bench, later: Theorem) -> None:
            b.left.unfold(now).rewrite(later, rate)
            b.right.to(now[e, m, i] + step[e, r, i] + Sum(step[e, k, i], (k, r + 1, m))).rewrite(
                b.theory.definitions["step"], at={r: r}
            )

        within = p.induction(
            "within an interval", (now[e, r, i], now[e, m, i] + Sum(step[e, k, i], (k, r + 1, m))),
            on=r, start=m, down=True, base=lambda b: None, step=earlier,
        )  # fmt: skip

        def last(b: Bench) -> None:
            b.left.rewrite(within).unfold(now).rewrite(*known)
            b.right.unfold(interval)

        def before(b: Bench, later: Theorem) -> None:
            b.left.rewrite(within).unfold(now).rewrite(later, *known)
            b.right.to(interval[e - 1, i] + Sum(interval[u, i], (u, e, self.N - 1)))
            b.right.rewrite(b.theory.definitions["interval"], at={e: e - 1})

        found: Theorem = p.induction(
            "all intervals", (now[e, 0, i], Sum(interval[u, i], (u, e, self.N - 1))), on=e, start=self.N - 1,
            down=True, base=last, step=before,
        )  # fmt: skip
        return found


# ---------------------------------------------------------------- by the initial state


@claim("adjoint.initial_gradient", SECTION, "ode.odeint_adjoint")
def initial(c: Board) -> None:
    """One more solve, backwards, gives the gradient by the initial state."""
    of = Solves(c, integral=False)
    n, e, r, s, i, w, adj, jump = of.n, of.e, of.r, of.s, of.i, of.w, of.adj, of.jump
    grad_y0 = c.let("grad_y0", i, adj[0, 0, i] + jump[0, i])
    seen = c.let("seen", (n, i), of.y[n, 0, i])
    loss = c.let("loss", (), c.sum(w[n, i] * seen[n, i] + seen[n, i] ** 2 / 2, i, n))
    felt = c.D(loss, seen[n, i])

    def jumps(p: Bench) -> Theorem:
        """Where the adjoint jumps: by the gradient of the loss by what was observed there."""

        def each(b: Bench, _: int) -> None:
            b.left.unfold(jump)
            b.right.unfold(felt, "∂seen/∂seen").contract().unfold(seen)

        return p.have("the jump", jump[n, i], "=", felt, lambda b: b.every(i, D, each))

    def proof(p: Bench) -> None:
        jump_ = jumps(p)
        p.left.unfold(grad_y0).rewrite(of.adds_up(p, adj, of.a_slope, "z", [jump_])).rewrite(jump_)

    c.law(grad_y0[i], felt.subs(n, 0) + of.integral("z", felt.subs(n, e + 1)))
    c.prove(proof)
    c.law(of.z_slope[e, r, s, i], of.power.by["a"])
    c.prove(lambda p: p.left.rewrite(shows(p, "the slope of the state", of.z_slope[e, r, s, i], 1, of.power, "a")))
    of.called((), of.y0).shows(grad_y0)
    back, pull, when = of.where, of.pull, of.behind
    other_rk4(c, s, of.j)
    c.variant("Jacobian not transposed", READ_AS_COLUMN, a_slope=-pushed(i, when, back, pull, of.state[1]))
    c.variant("adjoint with the sign of the state", "known bug", a_slope=pulled(i, when, back, pull))
    once = Piecewise((adj[e + 1, 0, i], e < of.N - 1), (jump[e + 1, i], True))
    c.variant("no jump at the times in between", "known bug", a_=of.going_back(adj, of.a_slope, once))
    late = Piecewise((0, Eq(n, 0)), (c.definitions["jump"].rhs, True))
    c.variant("the first time's share of the loss forgotten", "known bug", jump=late)
    c.variant("the other sign", "known bug: minus the gradient", grad_y0=-adj[0, 0, i] - jump[0, i])
    c.variant("the state goes on instead of back", "known bug", z_slope=-velocity(i, when, back))
    c.variant("the state stays where the interval ends", "known bug", z_slope=0)
    here = -pulled(i, of.time(e, r), back, pull)
    c.variant("time stays where the step back begins", "known bug", a_slope=here)
    c.remark(REMARK)


# ---------------------------------------------------------------- by the parameters


@claim("adjoint.param_gradient", SECTION, "ode.odeint_adjoint")
def parameter(c: Board) -> None:
    """The gradient by the parameters is the integral of a(t)ᵀ ∂f/∂θ, gathered on the way back."""
    of = Solves(c, integral=True)
    i, g, theta, when, back, pull = of.i, of.g, of.state[1], of.behind, of.where, of.pull
    e, r, s = of.e, of.r, of.s
    c.output("grad_theta", g[0, 0, i])
    c.law(g[0, 0, i], of.integral("theta"))
    c.prove(lambda p: p.left.rewrite(of.adds_up(p, g, of.g_slope, "theta")))
    c.law(of.a_slope[e, r, s, i], -of.power.by["z"])
    c.prove(lambda p: p.left.rewrite(shows(p, "the slope of the adjoint", of.a_slope[e, r, s, i], -1, of.power, "z")))
    of.called((theta,), theta).shows("grad_theta")
    other_rk4(c, s, of.j)
    c.variant("the other sign", "known bug: limits exchanged", g_slope=pulled(i, when, back, pull, "parameters"))
    c.variant("the first interval alone", "known bug", g=of.going_back(g, of.g_slope, 0))
    c.variant("adjoint with the sign of the state", "known bug", a_slope=pulled(i, when, back, pull))
    c.variant("Jacobian not transposed", READ_AS_COLUMN, a_slope=-pushed(i, when, back, pull, theta))
    c.variant("the state stays where the interval ends", "known bug", z_slope=0)
    c.remark(REMARK)
