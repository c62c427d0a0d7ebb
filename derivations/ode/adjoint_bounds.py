"""Bounds on the gradients of the adjoint method: what its steps leave out (2.3.2). See adjoint_steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Symbol, exp

from gnomon.derivations.ode.adjoint_steps import adjoint, called, gathered, grows, other_sign, small, stays
from gnomon.derivations.ode.trees import RK4, stability
from gnomon.proof import bounds
from gnomon.proof.bench import Bench
from gnomon.proof.inequality import absolute, combine, product
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.maker import claim

SECTION = "2.3.2"

# ---------------------------------------------------------------- what the steps leave out


def remainder(run: SimpleNamespace, n: Any) -> Any:
    """At most what n steps of order 4 are off the exponential."""
    return n * Abs(run.z) ** 5 / 120 * exp(n * Abs(run.z))


def near_exp(p: Bench, run: SimpleNamespace, factor: Any) -> Theorem:
    """``|R^n - exp(n z)|`` by induction: what is off is carried along by exp(|z|) at most, and each step adds."""
    n, z, x = run.n, run.z, Symbol("x", real=True)
    own = Abs(z) ** 5 / 120 * exp(Abs(z))

    def by(theorem: Theorem) -> Any:
        return lambda b: (b.left.unfold(factor), b.combine((1, p.at(theorem, {x: z}))))

    most = p.have("the factor is at most", Abs(factor), "<=", exp(Abs(z)), by(bounds.exp_most(5)))
    missed = p.have("and misses", Abs(factor - exp(z)), "<=", own, by(bounds.exp_remainder(5)))
    grows = p.have(
        "the solution grows by exp(|z|) at most", exp(n * z), "<=", exp(n * Abs(z)),
        lambda b: b.combine((1, b.lemma("exp_tangent", x=n * Abs(z), y=n * z))),
    )  # fmt: skip

    def later(b: Bench, before: Theorem) -> None:
        old = factor**n - exp(n * z)
        split = b.lemma("triangle_products", x=factor, y=old, z=exp(n * z), w=factor - exp(z))
        b.left.at_most(split.rhs, (1, split))
        b.left.at_most(exp(Abs(z)) * Abs(old) + own * exp(n * z), (Abs(old), most), (exp(n * z), missed))
        b.combine((exp(Abs(z)), before), (own, grows))

    found: Theorem = p.induction(
        "how near", (Abs(factor**n - exp(n * z)), remainder(run, n)), on=n, rel="<=", base=lambda b: None, step=later
    )
    return found


@claim("adjoint.initial_gradient.bound", SECTION, "ode.odeint_adjoint", kind="order")
def initial_bound(c: Board) -> None:
    """The gradient by the initial state is exp(rate (t1 - t0)) times that at the end, up to the steps' remainders."""
    run = adjoint(c, RK4, "rk4", integral=False)
    N, z, cost, i = run.N, run.z, run.cost, c.index("i", 0, 0)
    factor = c.let("factor", (), stability(RK4, z))
    c.aid(factor)
    exact = c.let("exact", (), cost * run.first * exp(N * z))
    grad_y0 = c.let("grad_y0", i, run.adj[N])
    gap = Abs(grad_y0[i] - c.D(exact, run.y0[i]))

    def proof(p: Bench) -> None:
        """The adjoint is multiplied by the terms of exp(z) up to order 4 at each step."""
        grown = grows(p, run, "adj", factor, cost, "adj_p")
        near = p.at(near_exp(p, run, factor), {run.n: N})
        p.left.unfold(grad_y0, "∂exact/∂y0").rewrite(grown)
        p.combine((1, p.lemma("triangle_products", x=cost, y=factor**N - exp(N * z), z=0, w=0)), (Abs(cost), near))

    c.law(gap, "<=", Abs(cost) * remainder(run, N))
    c.prove(proof)
    called(run, (), run.y0).shows(grad_y0)
    c.variant("one order better", "wrong claim", law=(gap, "<=", Abs(cost) * remainder(run, N) * Abs(z) / 6))
    c.variant("not solved back", "known bug", adj_k=0)
    c.variant("adjoint with the sign of the state", "known bug", adj_k=run.rate * run.adj_p[run.n, run.s])
    c.remark("Every method of order 4 has the same bound here, whatever its stages.")


@claim("adjoint.param_gradient.bound", SECTION, "ode.odeint_adjoint", kind="order")
def parameter_bound(c: Board) -> None:
    """The gradient by the rate is (t1 - t0) a(t1) z(t1), up to the steps' remainders."""
    run = adjoint(c, RK4, "rk4")
    N, h, z, n, cost, first, grad = run.N, run.h, run.z, run.n, run.cost, run.first, run.grad
    factor, behind = (c.let(name, (), stability(RK4, sign * z)) for name, sign in (("factor", 1), ("behind", -1)))
    both = c.let("there_and_back", (), 1 + z**6 / 72 + z**8 / 576)
    weighed = c.let("weighed", (), 1 - z**4 / 48 - z**6 / 96)
    total = c.recur("total", n, 0, lambda total: total[n - 1] + both ** (n - 1))
    c.aid(factor, behind, weighed, total)
    c.output("grad_rate", grad[N])
    loss = c.let("loss", (), cost * first * exp(N * z))
    exact = c.D(loss, run.rate)
    quadrature = z**4 / 36 + z**6 / 72  # of the integral of a(t) z(t), which is constant: at most, of two methods
    bound = Abs(cost * first) * N * h * (remainder(run, N) * both**N + exp(N * z) * (both**N - 1 + quadrature))

    def proof(p: Bench) -> None:
        """Three errors: of the adjoint at the end, of the state on the way, and of the quadrature."""
        ahead = grows(p, run, "state", factor, first)
        back = grows(p, run, "back", behind, first * factor**N, "back_p", known=[ahead])
        adjoint = grows(p, run, "adj", factor, cost, "adj_p")
        pair = p.have(
            "there and back",
            both,
            "=",
            factor * behind,
            lambda b: (b.left.unfold(both), b.right.unfold(factor, behind)),
        )
        whole = gathered(p, run, h * cost * first * weighed * factor**N, total, (adjoint, back, pair), weighed)
        near = p.at(near_exp(p, run, factor), {n: N})
        above = p.induction(
            "powers from 1",
            (1, both**n),
            on=n,
            rel="<=",
            base=lambda b: None,
            step=lambda b, old: b.combine((both, old)),
        )
        least = p.induction(
            "M at least", (n, total[n]), on=n, rel="<=", base=lambda b: b.right.unfold(total),
            step=lambda b, old: (b.right.unfold(total), b.combine((1, old), (1, above))),
        )  # fmt: skip
        more = p.have("more than 1", 1, "<=", both, lambda b: b.right.unfold(both))
        full = p.induction(
            "M at most", (total[n], n * both**n), on=n, rel="<=", base=lambda b: b.left.unfold(total),
            step=lambda b, old: (b.left.unfold(total), b.combine((1, old), ((n + 1) * both**n, more))),
        )  # fmt: skip
        least, full = (p.at(one, {n: N}) for one in (least, full))
        unit = small(p, run)
        some = p.have(
            "weights from 0",
            0,
            "<=",
            weighed,
            lambda b: (b.right.unfold(weighed), b.combine(((1 + z**2) / 48 + (1 + z**2 + z**4) / 96, unit))),
        )
        one = p.have("weights to 1", weighed, "<=", 1, lambda b: b.left.unfold(weighed))
        near_one = p.have("weights near 1", 1 - quadrature, "<=", weighed, lambda b: b.right.unfold(weighed))
        theory, kept = p.theory, weighed * total[N]
        crossed, spare, most = product(theory, some, least), product(theory, one, least), N * both**N
        missed, ended = N * (both**N - 1 + quadrature), p.at(above, {n: N})
        short = absolute(
            theory,
            combine(theory, -missed, "<=", kept - N, [(1, crossed), (N, near_one), (N, ended)]),
            combine(theory, kept - N, "<=", missed, [(1, spare), (1, full)]),
        )
        size = absolute(
            theory,
            combine(theory, -most, "<=", kept, [(1, crossed), (N, some)]),
            combine(theory, kept, "<=", most, [(1, spare), (N, one), (1, full)]),
        )
        p.left.unfold(exact).rewrite(whole)
        scale, grown = Abs(cost * first), exp(N * z)
        off = Abs(factor**N - grown)
        split = p.lemma(
            "triangle_products", x=factor**N - grown, y=h * cost * first * kept, z=h * cost * first * grown, w=kept - N
        )
        p.combine(
            (1, split), (h * off, p.lemma("absolute_product", x=cost * first, y=kept)), (h * scale * off, size),
            (h * scale * most, near), (h * scale * grown, short),
        )  # fmt: skip

    c.law(Abs(grad[N] - exact), "<=", bound)
    c.prove(proof)
    called(run, (run.rate,), run.rate).shows("grad_rate")
    c.variant("one order better", "wrong claim", law=(Abs(grad[N] - exact), "<=", bound * Abs(z) / 6))
    other_sign(run)
    stays(run)
    c.remark("The bound is for |z| <= 1, where the weights of the quadrature stay between 0 and 1.")
