"""The error of solvers with fixed steps where the solution is known: on y' = rate y, and on polynomials in t (2.2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Add, IndexedBase, Integral, Piecewise, Sum, Symbol, exp, factorial

from gnomon.derivations.ode.initial_value import stage_value, tableau
from gnomon.derivations.ode.trees import EULER, RK4, Tableau, stability
from gnomon.proof import bounds
from gnomon.proof.bench import Bench
from gnomon.proof.inequality import at, monotone
from gnomon.proof.integral import fundamental
from gnomon.proof.integral import linear as linear_integral
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import function, tensor
from gnomon.say.domain import Size
from gnomon.say.maker import claim

SECTION = "2.2"


# ---------------------------------------------------------------- the error on y' = rate y


def linear(c: Board, method: Tableau, name: str, growing: bool = False) -> SimpleNamespace:
    """N steps of a method on ``y' = rate y``: the domains, the run and the call."""
    N = c.size("N", 1, 6)
    h = c.hyper("h", 0.125, 0.5, typical=(0.5, 0.25, 0.125))
    domain = c.positive if growing else lambda *of, **more: c.real(*of, low=-2, **more)
    rate, y0 = domain("rate", high=2), domain("y0", 1, high=2)
    n, i = c.index("n", 0, N), c.index("i", 0, 0)
    s, j = c.indices("s j", method.stages)
    y = IndexedBase("y", real=True)
    a, b = tableau(c, method, s, j)
    k = c.let("k", (n, s, i), lambda k: rate * (y[n, i] + h * Sum(a[s, j] * k[n, j, i], (j, 0, s - 1))))
    moved = h * Sum(b[s] * k[n - 1, s, i], (s, 0, method.stages - 1))
    c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + moved)
    c.output("end", y[N, i])

    t, state = Symbol("t", real=True), IndexedBase("y", real=True)
    f = function((t, state), rate * state[i], (i, 0, 0))
    c.call(f, y0, tensor(n * h, (n, 0, N)), method=name).rows(1).at(-1).shows("end")
    return SimpleNamespace(N=N, h=h, rate=rate, y0=y0, n=n, i=i, s=s, y=y, k=k, moved=moved, z=rate * h)


def one_step(p: Bench, run: SimpleNamespace, method: Tableau) -> Theorem:
    """A step multiplies by the terms of exp(z) up to the method's order."""
    y, n, i = run.y, run.n, run.i

    def fill(b: Bench) -> None:
        b.left.unfold(y).listed()
        for stage in range(method.stages):
            b.left.rewrite(stage_value(b, run.k[n - 1, stage, i]))
        b.left.unfold("b")

    return p.have("one step", y[n, i], "=", stability(method, run.z) * y[n - 1, i], fill, given=[n >= 1])


def of_order(c: Board, method: Tableau, name: str, order: int) -> None:
    """The error of N steps of a method of some order, by induction on the steps."""
    run = linear(c, method, name)
    y, y0, n, i, z = run.y, run.y0, run.n, run.i, run.z

    def gap(n: Any) -> Any:
        return Abs(y[n, i] - y0[i] * exp(n * z))

    def most(n: Any, power: int) -> Any:
        return Abs(y0[i]) * n * Abs(z) ** power / factorial(power) * exp(n * Abs(z))

    def proof(p: Bench) -> None:
        """The error so far is carried along by a factor of exp(|z|) at most, and each step adds its own."""

        def grown(b: Bench) -> None:
            b.combine((1, b.lemma("exp_tangent", x=n * Abs(z), y=n * z)))

        step = one_step(p, run, method)
        terms = Add(*[z**power / factorial(power) for power in range(order + 1)])
        factor = p.at(bounds.exp_most(order + 1), {Symbol("x", real=True): z})
        own = p.at(bounds.exp_remainder(order + 1), {Symbol("x", real=True): z})

        exact = p.have("the solution grows by exp(|z|) at most", exp(n * z), "<=", exp(n * Abs(z)), grown)

        def later(b: Bench, before: Theorem) -> None:
            old, missed = y[n, i] - y0[i] * exp(n * z), terms - exp(z)
            worst = Abs(y0[i]) * Abs(z) ** (order + 1) / factorial(order + 1) * exp(Abs(z))
            split = b.lemma("triangle_products", x=terms, y=old, z=y0[i] * exp(n * z), w=missed)
            b.left.rewrite(step).at_most(split.rhs, (1, split))
            b.left.at_most(
                exp(Abs(z)) * Abs(old) + worst * exp(n * z), (Abs(old), factor), (Abs(y0[i]) * exp(n * z), own)
            )
            b.combine((exp(Abs(z)), before), (worst, exact))

        bound = p.induction(
            "the error", (gap(n), most(n, order + 1)), on=n, rel="<=", base=lambda b: b.left.unfold(y), step=later
        )
        p.by(p.at(bound, {n: run.N}))

    c.law(gap(run.N), "<=", most(run.N, order + 1))
    c.prove(proof)
    c.variant(f"order {order + 1}", "wrong claim", law=(gap(run.N), "<=", most(run.N, order + 2)))
    c.variant("a step too few", "known bug", y=Piecewise((y0[i], n <= 1), (y[n - 1, i] + run.moved, True)))
    c.remark("For y' = rate y, with z = rate h. The bound is derived, not fitted.")


@claim("solver.euler.order", SECTION, "ode.odeint", kind="order")
def euler_order(c: Board) -> None:
    """Order 1: the error of N steps is at most N |z|^2/2! exp(N |z|)."""
    of_order(c, EULER, "euler", 1)


@claim("solver.rk4.order", SECTION, "ode.odeint", kind="order")
def rk4_order(c: Board) -> None:
    """Order 4: the error of N steps is at most N |z|^5/5! exp(N |z|)."""
    of_order(c, RK4, "rk4", 4)


@claim("solver.euler.order_sharp", SECTION, "ode.odeint", kind="order")
def euler_order_sharp(c: Board) -> None:
    """On growth Euler's method falls short by N z²/2 (1 + z)^(N - 1) at least: its order is not 2."""
    run = linear(c, EULER, "euler", growing=True)
    y, y0, n, i, z = run.y, run.y0, run.n, run.i, run.z

    def gap(n: Any) -> Any:
        return y0[i] * exp(n * z) - y[n, i]

    def least(n: Any) -> Any:
        return y0[i] * n * z**2 / 2 * (1 + z) ** (n - 1)

    def proof(p: Bench) -> None:
        """Each step falls short by z**2/2 of where it begins, at least, and what is short grows by 1 + z."""
        size = Symbol("s", nonnegative=True)
        missed = at(p.theory, monotone(p.theory, exp(size) - 1 - size - size**2 / 2, size, 0, 3), {size: z})
        ahead = p.induction(
            "the solution is ahead", ((1 + z) ** n, exp(n * z)), on=n, rel="<=", base=lambda b: None,
            step=lambda b, before: b.combine((1 + z, before), (exp(n * z), missed)),
        )  # fmt: skip
        step = one_step(p, run, EULER)

        def later(b: Bench, before: Theorem) -> None:
            b.right.rewrite(step)
            b.combine((1 + z, before), (y0[i] * exp(n * z), missed), (y0[i] * z**2 / 2, ahead))

        bound = p.induction(
            "what is short", (least(n), gap(n)), on=n, rel="<=", base=lambda b: b.right.unfold(y), step=later
        )
        p.by(p.at(bound, {n: run.N}))

    c.law(gap(run.N), ">=", least(run.N))
    c.prove(proof)
    c.variant("twice the error", "wrong claim", law=(gap(run.N), ">=", 2 * least(run.N)))
    c.variant(
        "the midpoint rule",
        "another method",
        y=lambda y: y[n - 1, i] + run.h * (1 + z / 2) * run.k[n - 1, 0, i],
    )


# ---------------------------------------------------------------- integrals


@claim("solver.rk4.simpson", SECTION, "ode.odeint")
def simpson(c: Board) -> None:
    """Where f is a polynomial in t of degree 3 or less, the classical method is exact."""
    degree = c.size("degree", 0, 3, closed=True)
    t0, h = c.real("t0", low=-1, high=1), c.real("h", low=0.125, high=1)
    p, y0 = c.real("p", degree + 1, low=-2, high=2), c.real("y0", 1, low=-2, high=2)
    i, n, j = c.index("i", 0, 0), c.index("n", 0, 1), c.index("j", 0, degree)
    stage, earlier = c.indices("s r", RK4.stages)

    def slope(time: Any) -> Any:
        """What f gives at a time, whatever the state is."""
        return c.sum(p[j] * time**j, j)

    t1 = c.let("t1", (), t0 + h)
    span = t1 - t0
    end = c.let("end", i, y0[i] + span / 6 * (slope(t0) + 4 * slope(t0 + span / 2) + slope(t1)))
    exact = c.sum(p[j] * ((t0 + h) ** (j + 1) - t0 ** (j + 1)) / (j + 1), j)
    c.law(end[i], y0[i] + exact)

    def power_by_power(b: Bench) -> None:
        """Simpson's rule is exact for each power up to the third."""
        each = b.have(
            "each power", p[j] * ((t0 + h) ** (j + 1) - t0 ** (j + 1)) / (j + 1), "=",
            p[j] * h / 6 * (t0**j + 4 * (t0 + h / 2) ** j + (t0 + h) ** j),
            lambda one: one.every(j, 4, lambda known, power: None),
        )  # fmt: skip
        b.left.unfold(end, t1)
        b.right.rewrite(each)

    c.prove(power_by_power)
    x = c.variable("x")
    c.law(end[i], y0[i] + c.integral(slope(x), (x, t0, t0 + h)))

    @c.prove
    def _(b: Bench) -> None:
        """The primitive of each power is the next one."""
        whole = Integral(slope(x), (x, t0, t0 + h))

        def known(one: Bench, power: int) -> None:
            primitive = x ** (power + 1) / (power + 1)
            one.left.by(fundamental(b.theory, x**power, primitive, x, t0, t0 + h, one.goal.given))

        area = b.have(
            "the area under a power", Integral(x**j, (x, t0, t0 + h)), "=",
            ((t0 + h) ** (j + 1) - t0 ** (j + 1)) / (j + 1), lambda one: one.every(j, 4, known),
        )  # fmt: skip
        summed = b.sum(area, p[j], (j, 0, degree))
        b.right.rewrite(b.chain(whole).rewrite(linear_integral(b.theory, whole)).by(summed).theorem)
        power_by_power(b)

    a, weight = tableau(c, RK4, stage, earlier)
    k = c.let("k", stage, slope(t0 + Sum(a[stage, earlier], (earlier, 0, stage - 1)) * h))
    c.law(end[i], y0[i] + h * c.sum(weight[stage] * k[stage], stage))

    @c.prove
    def _(b: Bench) -> None:
        """The method's stages, of which the second and the third are the same."""
        b.left.unfold(end, t1)
        b.right.listed().unfold("b", k).listed().unfold("a")

    t = Symbol("t", real=True)
    f = function((t, IndexedBase("y", real=True)), slope(t), (i, 0, 0))
    c.call(f, y0, tensor(t0 + n * h, (n, 0, 1)), method="rk4").at(-1).shows(end)
    c.variant("exact for degree 4 too", "wrong claim", drops=(Size("degree", 0, 4),))
    c.variant("the trapezoidal rule", "another method", end=y0[i] + span / 2 * (slope(t0) + slope(t1)))
    c.variant("the midpoint rule", "another method", end=y0[i] + span * slope(t0 + span / 2))
    c.remark("f does not look at the state: the second slope is the third, and a step is Simpson's rule.")
