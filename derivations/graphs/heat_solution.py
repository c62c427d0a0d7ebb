"""The exact solution of the heat equation on graphs, mode by mode (4.6.2)."""

from typing import Any

from sympy import Eq, IndexedBase, Integer, KroneckerDelta, Le, Piecewise, Rational, exp, sqrt

from gnomon.derivations.graphs.graph_spectra import (
    APART,
    CONNECTED,
    DIRECTED,
    DISCONNECTED,
    IRREGULAR,
    A,
    d,
    dual,
    gap,
    lam,
    mu,
    n,
    top,
    v,
)
from gnomon.derivations.graphs.heat_modes import (
    by_modes,
    by_walk_modes,
    flow,
    mixture,
    orthogonal,
    parts,
    settle_exponents,
    settled,
    spectrum,
)
from gnomon.derivations.graphs.heat_parts import by_parts, first_term, no_eigenvalue, share, squares
from gnomon.proof.bench import Bench
from gnomon.proof.terms import within
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.maker import claim


@claim("heat.equation", "4.6.2", "graph.heat_flow")
def equation(c: Board) -> None:
    """The heat equation lets every eigenvector of the Laplacian decay with its eigenvalue."""
    c.choice("graph", {**CONNECTED, **APART})
    x, t = c.real("x", n), c.hyper("t", 0.0, 16.0, typical=(0.5, 1.0, 8.0))
    w = c.positive("w", high=2.0)
    g = spectrum(c)
    i, j, k, q = g.i, g.j, g.k, g.q
    y = flow(c, g, x, t, w)
    part = c.let("c", k, c.sum(dual[k, q] * x[q], q) / g.length[k])
    c.say("every edge has the weight w; eigenvalues are for weights 1")

    def start(p: Bench) -> None:
        """At t = 0 every exponential is 1, and the eigenvectors are complete."""
        now = p.lemma("between", x=t, given=[Eq(t, 0)])
        back = p.have(
            "the signal by its modes", y[i], "=", x[i],
            lambda p: p.left.unfold(y, g.K, g.z).rewrite(now)
            .to(c.sum(x[j] * c.sum(v[k, i] * dual[k, j] / g.length[k], k), j))
            .rewrite(p.condition("a basis"), at={i: i}).contract(),
            given=[Eq(t, 0)],
        )  # fmt: skip
        p.settle(p.condition("none is 0"))
        p.left.rewrite(back)

    c.law(Piecewise((y[i], Eq(t, 0)), (x[i], True)), x[i])
    c.prove(start)

    def obeyed(p: Bench) -> None:
        """Each mode's slope is its eigenvalue times it, and so is what the Laplacian makes of it."""
        faster = p.have(
            "slopes of the exponents", c.D(g.z[k], t), "=", w * lam[k], lambda p: settle_exponents(p, g, w, "∂z/∂t")
        )
        sizes = c.sum(A[i, j] * (v[k, i] - v[k, j]), j)
        p.left.unfold("∂y/∂t", "∂K/∂t").rewrite(faster)
        p.right.unfold(y, g.K).to(-w * c.sum(exp(-g.z[k]) / g.length[k] * c.sum(dual[k, q] * x[q], q) * sizes, k))
        p.right.rewrite(p.condition("eigenvectors"))
        p.settle(p.condition("none is 0"))

    c.law(c.D(y[i], t), -c.sum(w * A[i, j] * (y[i] - y[j]), j))
    c.prove(obeyed)

    def solution(p: Bench) -> None:
        """The exponents are the eigenvalues times w t."""
        p.left.unfold(y, g.K).rewrite(settled(p, g))
        p.right.unfold(part)

    c.law(y[i], c.sum(part[k] * exp(-lam[k] * w * t) * v[k, i], k))
    c.prove(solution)
    c.call(x, edges(A), t, weights(w)).shows(y)
    z = g.z
    c.variant("x' = +L x", "other sign: blows up", K=by_modes(c, g, exp(z[k])))
    c.variant("one step of Euler's method", "first order", K=by_modes(c, g, 1 - z[k]))
    c.variant("one implicit step", "first order, backward Euler", K=by_modes(c, g, 1 / (1 + z[k])))
    c.variant("half the time", "known bug", K=by_modes(c, g, exp(-z[k] / 2)))
    c.variant("as in continuous space", "known bug: squared eigenvalues", K=by_modes(c, g, exp(-z[k] * lam[k])))
    slower = by_modes(c, g, exp(-z[k] / top))
    c.variant("slowed down by the largest degree", "random-walk normalisation", K=slower)
    c.without_gradient()
    c.remark(
        "The solution is linear in x, so that its values show its gradient, too, which is not compared: symmetries "
        "make terms of the formula's gradient cancel exactly, and those of a matrix that has been computed and rounded "
        "do not."
    )


@claim("heat.mean_conservation.flow", "4.6.2", "graph.heat_flow", kind="invariance")
def flow_conserves(c: Board) -> None:
    """On an undirected graph the exact solution conserves the mean, connected or not."""
    c.choice("graph", {**CONNECTED, **APART})
    x, t = c.real("x", n), c.hyper("t", 0.0, 16.0, typical=(0.5, 1.0, 8.0))
    w = c.positive("w", high=2.0)
    g = spectrum(c)
    i, j, k, q = g.i, g.j, g.k, g.q
    c.condition(Eq(A[i, j], A[j, i]), i, j, name="undirected", words="undirected: an edge counts both ways")
    y = flow(c, g, x, t, w)
    c.say("D - A, not normalised", "every edge has the weight w")

    def proof(p: Bench) -> None:
        """A mode has the sum 0 or the eigenvalue 0: what a mode takes along adds up to nothing, or stays."""
        p.settle(p.condition("none is 0"))
        whole, change = c.sum(v[k, i], i), c.sum(A[i, j] * (v[k, i] - v[k, j]), j)
        part = c.sum(dual[k, q] * x[q], q) / g.length[k]
        turned = p.chain(c.sum(change, i)).rewrite(p.condition("undirected")).theorem
        balance = p.have(
            "sum or eigenvalue", lam[k] * whole, "=", 0,
            lambda p: p.combine((-1, p.sum(p.condition("eigenvectors"), 1, (i, 0, n - 1))), (Rational(1, 2), turned)),
        )  # fmt: skip
        factor = exp(-g.span * lam[k]) - 1
        still = p.have(
            "nothing is added", whole * factor, "=", 0,
            lambda p: p.cases(
                Eq(lam[k], 0),
                lambda p: p.left.rewrite(p.lemma("between", x=lam[k], given=[Eq(lam[k], 0)])),
                lambda p: p.combine((factor / lam[k], balance)),
            ),
        )  # fmt: skip
        back = p.have(
            "the signal by its modes", c.sum(x[i], i), "=", c.sum(whole * part, k),
            lambda p: p.right.to(c.sum(x[j] * c.sum(v[k, i] * dual[k, j] / g.length[k], k), i, j))
            .rewrite(p.condition("a basis")).contract(),
        )  # fmt: skip
        p.left.unfold(y, g.K).rewrite(settled(p, g))
        p.combine((1, p.sum(still, part, (k, 0, n - 1))), (-1, back))

    c.law(c.sum(y[i], i), c.sum(x[i], i))
    c.prove(proof)
    c.call(x, edges(A), t, weights(w)).shows(y)
    c.variant("directed", "the condition dropped", drops=(DIRECTED,))
    c.variant("rows divided by the degrees", "random-walk normalisation", K=by_walk_modes(c, g, exp(-mu[k] * t)))
    fewer = by_modes(c, g, exp(-g.z[k]) * (1 - KroneckerDelta(k, 0)))
    c.variant("a mode too few", "known bug", K=fewer)


@claim("heat.converges_to_average", "4.6.2", "graph.heat_flow", kind="limit")
def converges(c: Board) -> None:
    """On a connected, undirected graph all temperatures tend to their mean, as fast as exp(-gap t)."""
    c.choice("graph", IRREGULAR.options)
    x, t = c.real("x", n), c.hyper("t", 0.0, 16.0, typical=(0.5, 1.0, 8.0))
    w = c.positive("w", high=2.0)
    g = spectrum(c)
    orthogonal(c, g)
    i, j, k, s = g.i, g.j, g.k, g.s
    c.condition(Le(gap, lam[s]), s, name="gap", words="gap is the least eigenvalue but that of the constants")
    y = flow(c, g, x, t, w)
    average = c.let("average", (), c.sum(x[j], j) / n)
    g.x = x
    c.say("D - A, not normalised", "every edge has the weight w; eigenvalues are for weights 1")

    def proof(p: Bench) -> None:
        """The squared distance from the mean is the sum over all modes but the first, each of which decays."""
        p.settle(p.condition("none is 0"))
        one, zero = p.condition("the constant one"), no_eigenvalue(p, g)

        def factor(k: Any) -> Any:
            return exp(-t * w * lam[k])

        mixed = p.have(
            "mixture", y[i], "=", mixture(g, factor(k)),
            lambda p: p.left.unfold(y, g.K).rewrite(settled(p, g), p.condition("undirected")),
        )  # fmt: skip
        each = parts(p, g, y, factor, mixed)
        square, first, f = squares(p, g, by_parts(p, g)), first_term(p, g), IndexedBase("f", real=True)
        part = c.sum(v[0, g.q] * x[g.q], g.q)
        constant = p.have("the constant's part", part, "=", c.sum(x[i], i), lambda p: p.left.rewrite(one))
        length = p.have(
            "the constant's length", g.length[0], "=", n,
            lambda p: p.left.unfold(g.length).rewrite(p.condition("undirected"), one),
        )  # fmt: skip
        whole = p.chain(c.sum(v[0, i] * y[i], i)).rewrite(one).theorem
        kept = p.have(
            "part kept",
            whole.lhs,
            "=",
            c.sum(x[i], i),
            lambda p: p.left.rewrite(each, at={k: 0}).rewrite(zero, constant),
        )
        mean = p.have(
            "the mean stays", c.sum(y[i], i), "=", c.sum(x[i], i), lambda p: p.combine((1, kept), (-1, whole))
        )
        after = p.have(
            "squares afterwards", c.sum(y[i] ** 2, i), "=", c.sum(factor(k) ** 2 * share(g, x), k),
            lambda p: p.left.by(p.at(square, {f: lambda i: y[i]})).rewrite(each),
        )  # fmt: skip
        before, total = p.at(square, {f: lambda i: x[i]}), c.sum(x[i], i)

        def left(factor: Any) -> Any:
            return lambda k: factor(k) ** 2 * share(g, x, k)

        def spread(name: str, signal: Any, factor: Any, *more: Any) -> Theorem:
            """Squared distances from the mean: all modes but the first."""
            mine = left(factor)
            first_one = p.have(
                f"first share {name}", mine(0), "=", total**2 / n,
                lambda p: p.left.rewrite(*([zero] if factor(0) != 1 else []), constant, length),
            )  # fmt: skip
            return p.have(
                f"spread {name}", apart(signal), "=", c.sum(mine(s), s),
                lambda p: (
                    p.left.unfold(average),
                    p.combine((1, first_one), (1, p.at(first, {f: mine})), *more),
                ),
            )  # fmt: skip

        at_first = spread("before", x, lambda k: Integer(1), (1, before))
        in_the_end = spread("afterwards", y, factor, (1, after), (-2 * total / n, mean))
        tangent = p.lemma("exp_tangent", x=-2 * t * w * gap, y=-2 * t * w * lam[s], given=[*within((s, 1, n - 1))])
        slower = p.have(
            "a mode decays at least so fast", factor(s) ** 2, "<=", exp(-2 * gap * w * t),
            lambda p: p.combine((1, tangent), (2 * t * w * factor(s) ** 2, p.condition("gap"))),
        )  # fmt: skip
        least = p.sum(slower, share(g, x, s), (s, 1, n - 1))
        p.combine((1, in_the_end), (-exp(-2 * gap * w * t), at_first), (1, least))

    def apart(signal: Any) -> Any:
        return c.sum((signal[j] - average) ** 2, j)

    c.law(apart(y), "<=", exp(-2 * gap * w * t) * apart(x))
    c.prove(proof)
    c.call(x, edges(A), t, weights(w)).shows(y)
    c.variant(
        "on every graph",
        "notes: 'converges to average temperature'",
        drops=(DISCONNECTED,),
        printed=True,
        why="Each component tends to its own mean: two nodes at 0 and 2 to 1, and a lone one stays at 5.",
    )
    c.variant("directed", "the condition dropped: the source never changes", drops=(DIRECTED,))
    walk = "random-walk normalisation: tends to the mean weighted with the degrees"
    c.variant("rows divided by the degrees", walk, K=by_walk_modes(c, g, exp(-mu[k] * t)))
    rooted = by_walk_modes(c, g, exp(-mu[k] * t) * sqrt(d[i]) / sqrt(d[j]))
    tilted = "symmetric normalisation: tends to a multiple of the degrees' roots"
    c.variant("divided by the roots of both degrees", tilted, K=rooted)
    c.variant("twice as fast", "too tight", law=(apart(y), "<=", exp(-4 * gap * w * t) * apart(x)))
    c.remark("It says more than a limit: the bound holds at every t, with the mean that the first temperatures have.")
