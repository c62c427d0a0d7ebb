"""Where the adjoint method errs: its gap to backpropagation, and the way back (2.3.2). See adjoint_steps."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, IndexedBase, Piecewise, Sum, Symbol

from gnomon.derivations.ode.adjoint_steps import (
    adjoint,
    called,
    domains,
    gathered,
    grows,
    other_sign,
    small,
    states,
    stays,
)
from gnomon.derivations.ode.initial_value import stage_value
from gnomon.derivations.ode.trees import EULER, RK4, entry, entry_of, stability
from gnomon.proof.bench import Bench
from gnomon.proof.inequality import absolute, combine, product
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import Call, function, tensor
from gnomon.say.maker import claim

SECTION = "2.3.2"

# ---------------------------------------------------------------- the gap


@claim("adjoint.direct_backprop_claims.gap", SECTION, "ode.odeint_adjoint", kind="order")
def gap(c: Board) -> None:
    """The adjoint's gradient is off that of the computed loss by a term of the order of the step."""
    run = adjoint(c, EULER, "euler")
    N, h, z, n, cost, first, grad = run.N, run.h, run.z, run.n, run.cost, run.first, run.grad
    loss = c.let("loss", (), cost * run.state[N])
    forth, back, both = (c.let(name, (), e) for name, e in (("forth", 1 + z), ("way_back", 1 - z), ("both", 1 - z**2)))
    total = c.recur("total", n, 0, lambda total: total[n - 1] + both ** (n - 1))
    c.aid(forth, back, total)
    c.output("grad_rate", grad[N])
    exact = c.D(loss, run.rate)
    moves = c.D(run.state[n], run.rate).base

    def slope(n: Any) -> Any:
        return c.D(run.state_k[n, 0], run.rate)

    def most(power: int) -> Any:
        near = Abs(z) ** power * N + (1 + Abs(z)) * z**2 * N * (N - 1) / 2
        return Abs(cost * first) * h * (1 + Abs(z)) ** (N - 1) * near

    def proof(p: Bench) -> None:
        """Both gradients in closed form; the gap is z N and what G = sum of (1 - z^2)^m is short of N."""
        ahead = grows(p, run, "state", forth, first)
        behind = grows(p, run, "back", back, first * forth**N, "back_p", known=[ahead])
        adjoint = grows(p, run, "adj", forth, cost, "adj_p")
        pair = p.have(
            "there and back", both, "=", forth * back, lambda b: (b.left.unfold(both), b.right.unfold(forth, back))
        )

        whole = gathered(p, run, h * cost * first * forth**N, total, (adjoint, behind, pair))

        def turns(b: Bench) -> None:
            b.left.unfold(moves).listed().rewrite(stage_value(b, slope(n - 1))).unfold("b").rewrite(ahead)
            b.combine((-moves[n - 1], b.chain(forth).unfold(forth).theorem))

        turn = p.have(
            "a step of the slope",
            moves[n],
            "=",
            forth * moves[n - 1] + h * first * forth ** (n - 1),
            turns,
            given=[n >= 1],
        )
        slopes = p.induction(
            "the slope", (moves[n], n * h * first * forth ** (n - 1)), on=n, start=1,
            base=lambda b: b.left.rewrite(turn).unfold(moves), step=lambda b, before: b.left.rewrite(turn, before),
        )  # fmt: skip
        positive = p.have(
            "both is not negative", 0, "<=", both, lambda b: (b.right.unfold(both), b.combine((1, small(p, run))))
        )
        p.settle(positive)

        def keeps(b: Bench, before: Theorem) -> None:
            b.right.unfold(total)
            b.combine((1, before), (1, b.lemma("bernoulli", s=both, n=n)))

        def fills(b: Bench, before: Theorem) -> None:
            b.left.unfold(total)
            b.combine((1, before), (1, below))

        least = p.induction(
            "G at least", (n - z**2 * n * (n - 1) / 2, total[n]), on=n, rel="<=", base=lambda b: b.right.unfold(total),
            step=keeps,
        )  # fmt: skip
        below = p.induction(
            "powers below 1", (both**n, 1), on=n, rel="<=", base=lambda b: None,
            step=lambda b, old: b.combine((1, product(p.theory, positive, old))),
        )  # fmt: skip
        full = p.induction(
            "G at most", (total[n], n), on=n, rel="<=", base=lambda b: b.left.unfold(total),
            step=fills,
        )  # fmt: skip
        ends = [p.at(one, {n: N}) for one in (least, full)]
        missed = z**2 * N * (N - 1) / 2
        short = absolute(
            p.theory,
            combine(p.theory, -missed, "<=", total[N] - N, [(1, ends[0])]),
            combine(p.theory, total[N] - N, "<=", missed, [(1, ends[1])]),
        )
        reach = p.have(
            "forth is at most",
            Abs(forth),
            "<=",
            1 + Abs(z),
            lambda b: (b.left.unfold(forth), b.combine((1, b.lemma("triangle", x=1, y=z)))),
        )
        powers = p.induction(
            "so are its powers", (Abs(forth) ** n, (1 + Abs(z)) ** n), on=n, rel="<=", base=lambda b: None,
            step=lambda b, old: b.combine((Abs(forth), old), ((1 + Abs(z)) ** n, reach)),
        )  # fmt: skip
        p.left.unfold(exact).rewrite(whole, slopes)
        scale = h * cost * first * forth ** (N - 1)
        size = h * Abs(cost * first)
        own = size * Abs(forth) ** (N - 1)
        split = p.lemma("triangle_products", x=scale * (forth - 1), y=N, z=scale * forth, w=total[N] - N)
        parts = [p.lemma("absolute_product", x=cost * first, y=factor) for factor in (forth - 1, forth)]
        less = p.have("forth less 1", Abs(forth - 1), "=", Abs(z), lambda b: b.left.unfold(forth))
        p.combine(
            (1, split), (N * own / Abs(cost * first), parts[0]), (N * own, less), (own * Abs(forth), short),
            (own * Abs(total[N] - N) / Abs(cost * first), parts[1]), (own * missed, reach),
            (size * (Abs(z) * N + (1 + Abs(z)) * missed), p.at(powers, {n: N - 1})),
        )  # fmt: skip

    c.law(Abs(grad[N] - exact), "<=", most(1))
    c.prove(proof)
    called(run, (run.rate,), run.rate).shows("grad_rate")
    c.variant(
        "no gap",
        "notes: 'introduces numerical error', read as an advantage of the adjoint",
        law=(Abs(grad[N] - exact), "<=", 0),
        printed=True,
    )
    c.variant("a gap of second order", "wrong claim", law=(Abs(grad[N] - exact), "<=", most(2)))
    stays(run)
    other_sign(run)
    c.remark(
        "For rate = 1/2, L = z²/2 and N = 16, 32, 64, 128 steps over one unit of time it is 0.062, 0.031, 0.016, "
        "0.0079."
    )


# ---------------------------------------------------------------- the way back


@claim("adjoint.recompute", SECTION, "ode.odeint")
def recompute(c: Board) -> None:
    """A state recomputed backwards is not the one that the solve ahead passed through."""
    four = Symbol("four", integer=True)
    method = c.choice("method", {"euler": {four: 0}, "rk4": {four: 1}})
    run = domains(c)
    N, z, n, i, by = run.N, run.z, run.n, c.index("i", 0, 0), Eq(four, 1)
    run.stages = RK4.stages  # of Euler's method all but the first count nothing
    s, j = run.s, run.j = c.indices("s j", run.stages)

    def either(rk4: Any, euler: Any) -> Any:
        return Piecewise((rk4, by), (euler, True))

    run.a = c.let("a", (s, j), either(entry_of(RK4.a, s, j), 0))
    run.b = c.let("b", s, either(entry(RK4.b, s), entry(EULER.b, s)))
    states(run)
    forth, behind = (
        c.let(name, (), either(stability(RK4, x), stability(EULER, x))) for name, x in (("forth", z), ("behind", -z))
    )
    c.aid(forth, behind)
    factor = c.let("factor", (), either(1 + z**6 / 72 + z**8 / 576, 1 - z**2))
    ended = c.let("ended", i, run.back[N])
    c.output("back", ended[i])

    def proof(p: Bench) -> None:
        """N steps there and back are N factors R(z) R(-z)."""
        ahead = grows(p, run, "state", forth, run.first, by=by)
        back = grows(p, run, "back", behind, run.first * forth**N, "back_p", known=[ahead], by=by)

        def case(b: Bench) -> None:
            b.left.unfold(factor)
            b.right.unfold(forth, behind)

        pair = p.have("there and back", factor, "=", forth * behind, lambda b: b.cases(by, yes=case, no=case))
        p.left.unfold(ended).rewrite(back)
        p.right.rewrite(pair)

    c.law(ended[i], run.first * factor**N)
    c.prove(proof)
    y, t = IndexedBase("y", real=True), Symbol("t", real=True)
    f, step = function((t, y), run.rate * y[i], (i, 0, 0)), {"step_size": run.h}
    there, again = tensor(n * N * run.h, (n, 0, 1)), tensor((1 - n) * N * run.h, (n, 0, 1))
    end = Call("ode.odeint", f, run.y0, there, method=method, options=step).rows(1).at(-1)
    c.call(f, end, again, method=method, options=step).rows(1).at(-1).shows("back")
    c.variant(
        "the initial state itself",
        "notes: we can simply recompute z(t) backwards in time",
        printed=True,
        why="For Euler's method the factor is (1 - z²)^N: with z = -1/2 and N = 20 the state comes back as 0.0032.",
        back=(run.first, run.first),
    )
    ahead = run.h * Sum(run.b[s] * run.back_k[n - 1, s], (s, 0, run.stages - 1))
    c.variant("ahead again", "known bug: the time does not fall", back=lambda back: back[n - 1] + ahead)
    c.remark("Where f contracts, an error comes back exp(|rate| (t1 - t0)) times as large. Checkpoints avoid it.")
