"""What the adjoint method returns: gradients by the times (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Indexed, IndexedBase, Piecewise, Sum, Symbol

from gnomon.derivations.ode.initial_value import SIGN, D, stage_value, tableau
from gnomon.derivations.ode.problem import state
from gnomon.derivations.ode.trees import RK4, entry
from gnomon.proof import inequality
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import function, tensor
from gnomon.say.maker import claim

SECTION = "2.3.2"
LINEAR, k = Symbol("linear", integer=True), Symbol("k", integer=True)
STAGES = RK4.stages


def either(i: Any, linear: tuple[Any, Any], forced: tuple[Any, Any]) -> Any:
    """A component of what belongs to the linear problem, or to the force that varies."""
    parts = [Piecewise((one, Eq(LINEAR, 1)), (other, True)) for one, other in zip(linear, forced, strict=True)]
    return Piecewise((parts[0], Eq(i, 0)), (parts[1], True))


def field(i: Any, theta: Any, t: Any, y: Any) -> Any:
    """f: linear in the state, or a force of the time alone."""
    p, q = theta[0], theta[1]
    return either(i, (p * y(0) + y(1), q * y(0) - y(1)), (p * t**2 + q * t, q * t**3 - p))


def pulled(i: Any, theta: Any, a: Any) -> Any:
    """The transposed Jacobian of f times a."""
    p, q = theta[0], theta[1]
    return either(i, (p * a(0) + q * a(1), a(0) - a(1)), (0, 0))


def drift(theta: Any, t: Any, a: Any) -> Any:
    """``a . ∂f/∂t``."""
    p, q = theta[0], theta[1]
    return Piecewise((0, Eq(LINEAR, 1)), (a(0) * (2 * p * t + q) + a(1) * 3 * q * t**2, True))


@claim("adjoint.time_gradients", SECTION, "ode.odeint_adjoint")
def time_gradients(c: Board) -> None:
    """The gradient by an observed time is ∂L/∂z(t) . f there; by the first time it is -a(t0) . f(t0)."""
    N = c.size("N", 2, 2)
    method = c.choice("method", {"rk4": {}})
    rising, falling = "linear, time rises", "a force that varies, time falls"
    c.choice("problem", {rising: {SIGN: 1, LINEAR: 1}, falling: {SIGN: -1, LINEAR: 0}})
    t0, h = c.real("t0", low=-1, high=1), c.real("h", N, low=0.125, high=0.5)
    y0, theta = state(c)
    w = c.real("w", N + 1, D, low=-2, high=2)
    n, e, i = c.index("n", 0, N), c.index("e", N), c.index("i", D)
    s, j = c.indices("s j", STAGES)

    # the solve ahead
    t = c.let("t", n, t0 + SIGN * Sum(h[k], (k, 0, n - 1)))
    step = c.let("step", e, t[e + 1] - t[e])
    a, b = tableau(c, RK4, s, j)
    nodes = c.let("c", s, entry(RK4.c, s))
    y, slope, adj, a_slope = (IndexedBase(name, real=True) for name in ("y", "k", "a_", "a_slope"))
    point = c.let("point", (e, s, i), y[e, i] + step[e] * Sum(a[s, j] * slope[e, j, i], (j, 0, s - 1)))
    c.let("k", (e, s, i), field(i, theta, t[e] + nodes[s] * step[e], lambda part: point[e, s, part]))
    ahead = step[n - 1] * Sum(b[s] * slope[n - 1, s, i], (s, 0, STAGES - 1))
    c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + ahead)

    # the solve back; the state of a stage does not matter
    jump = c.let("jump", (n, i), w[n, i] + y[n, i])
    a_point = c.let("a_point", (e, s, i), adj[e + 1, i] - step[e] * Sum(a[s, j] * a_slope[e, j, i], (j, 0, s - 1)))
    c.let("a_slope", (e, s, i), -pulled(i, theta, lambda part: a_point[e, s, part]))
    arrived = c.let("arrived", (e, i), adj[e + 1, i] - step[e] * Sum(b[s] * a_slope[e, s, i], (s, 0, STAGES - 1)))
    c.let("a_", (n, i), Piecewise((jump[n, i], Eq(n, N)), (jump[n, i] + arrived[n, i], True)))
    flow = c.let("flow", (n, i), field(i, theta, t[n], lambda part: y[n, part]))

    def times_f(factor: Any, n: Any = n) -> Any:
        return Sum(factor * flow[n, i], (i, 0, D - 1))

    work = c.let("work", n, times_f(jump[n, i]))
    later = t[e + 1] - nodes[s] * step[e]
    gained = drift(theta, later, lambda part: a_point[e, s, part])
    integral = c.let("integral", e, step[e] * Sum(b[s] * gained, (s, 0, STAGES - 1)))
    gathered = Sum(integral[k], (k, 0, N - 1)) - Sum(work[k], (k, 1, N))
    by_time = c.let("by_time", n, Piecewise((gathered, Eq(n, 0)), (work[n], True)))

    def by_formula(first: Any, others: Any) -> Any:
        return Piecewise((times_f(first, 0), Eq(n, 0)), (times_f(others), True))

    def pair(row: Any, n: Any) -> Any:
        return sum(row(part) * flow[n, part] for part in range(D))

    carried = c.let("carried", e, pair(lambda part: arrived[e, part], e))
    c.aid(carried)

    def kept(p: Bench) -> Theorem:
        """What a step back does to a, and a step ahead to f: a . f changes by the integral of a . ∂f/∂t."""

        def stages(b: Bench, chain: Any, slopes: Any, inner: str, fact: Any) -> None:
            for stage in range(STAGES):
                for part in range(D):
                    if (at := slopes[e, stage, part]) in chain.now.atoms(Indexed):
                        chain.rewrite(stage_value(b, at, inner, given=[fact]))

        def linear(b: Bench) -> None:
            fact = Eq(LINEAR, 1)
            b.left.unfold(carried, arrived, flow).listed()
            stages(b, b.left, a_slope, "a_point", fact)
            b.right.unfold(integral, flow, y).listed()
            stages(b, b.right, slope, "point", fact)
            b.left.unfold("b")
            b.right.unfold("b")

        def forced(b: Bench) -> None:
            b.left.unfold(carried, arrived, flow).unfold("a_slope")
            b.right.unfold(integral, flow).listed().unfold(a_point, "a_slope", "b", nodes, "step")

        return p.have(
            "a step", carried[e], "=",
            pair(lambda part: adj[e + 1, part], e + 1) - integral[e],
            lambda b: b.cases(Eq(LINEAR, 1), yes=linear, no=forced),
        )  # fmt: skip

    def proof(p: Bench) -> None:
        """From the last interval down; then the gradient by the first time is -a(t0) . f(t0)."""
        one = kept(p)
        rest = Sum(work[k], (k, e + 1, N)) - Sum(integral[k], (k, e, N - 1))
        worked = pair(lambda part: jump[n, part], n)
        done = p.have("the work", work[n], "=", worked, lambda b: b.left.unfold(work).listed())

        def last(b: Bench) -> None:
            b.left.rewrite(one).unfold("a_")
            b.right.to(work[N] - integral[N - 1]).rewrite(done)

        def earlier(b: Bench, later: Theorem) -> None:
            b.left.rewrite(one).unfold("a_")
            b.right.to(rest + work[e] - integral[e - 1]).rewrite(done, at={n: e})
            b.combine((1, later), (-1, b.chain(carried[e]).unfold(carried).theorem))

        whole = p.induction(
            "from an interval on", (carried[e], rest), on=e, start=N - 1, down=True, base=last, step=earlier
        )

        def first(b: Bench) -> None:
            b.left.unfold(by_time)
            b.right.listed()
            b.combine((1, inequality.at(p.theory, whole, {e: 0})), (-1, b.chain(carried[0]).unfold(carried).theorem))

        p.cases(Eq(n, 0), yes=first, no=lambda b: b.left.unfold(by_time, work))

    c.law(by_time[n], by_formula(-arrived[0, i], jump[n, i]))
    c.prove(proof)
    z, time = IndexedBase("y", real=True), Symbol("t", real=True)
    f = function((time, z), field(i, theta, time, lambda part: z[part]), (i, 0, D - 1))
    ends = tensor(t0 + SIGN * Sum(h[k], (k, 0, n - 1)), (n, 0, N))
    loss = Sum(w[n, i] * z[n, i] + z[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N))
    solved = c.call(f, y0, ends, method=method, adjoint_params=()).then(z, loss)
    c.output("grad_t", by_time[n])
    solved.gradient(by=ends).one_by_one().shows("grad_t")
    c.variant("dL/dt0 with the other sign", "known bug", by_time=by_formula(arrived[0, i], jump[n, i]))
    c.variant("dL/dt0 from the gradient at the end", "known bug", by_time=by_formula(-jump[N, i], jump[n, i]))
    c.variant("dL/dt0 with the loss's share at t0", "known bug", by_time=by_formula(-adj[0, i], jump[n, i]))
    c.variant("the whole adjoint at times in between", "known bug", by_time=by_formula(-arrived[0, i], adj[n, i]))
    c.variant("no gradient by the first time", "known bug", by_time=by_formula(0, jump[n, i]))
    c.say("a(t0) is without the loss's own share at t0, for z(t0) does not move with t0")
    c.remark(
        "Some libraries gather dL/dt0 on the way back, as the integral of a . ∂f/∂t. On these problems, linear "
        "or without the state, both come to the same number; elsewhere they differ by the error of the steps."
    )
