"""Normalised Laplacians: their entries, their spectrum, and what the random walk conserves (4.6.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, KroneckerDelta, Lt, Max, Min, Piecewise, Rational, sqrt

from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.domain import real
from gnomon.say.maker import claim

SYMMETRIC = "A is symmetric: an undirected edge counts both ways"
NO_DEGREE = "1/d counts as 0 where the degree is 0, so that row and column of an isolated node are 0"
FINITE = "weights are at least 1/64, so that gradients stay finite in float16"
LOOPS = "self loops count in the degrees"


def walking(c: Board, roots: bool = False, signal: bool = False) -> Any:
    """The program, by degrees or by roots of both; the diagonal is computed in two ways, each by half, for either."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, loops=True)
    x = c.real("x", n) if signal else None
    w = c.real("w", n, n, low=1 / 64)
    i, j, q = c.indices("i j q", n)
    arriving, same = c.sum(A[i, q], q), KroneckerDelta(i, j)

    def entry(on: Any, beside: Any, alone: Any = 0) -> Any:
        return Piecewise((alone, Lt(arriving, 1)), (on, Eq(i, j)), (beside, True))

    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    d = c.let("d", i, c.sum(W[i, j], j))
    root = c.let("root", i, sqrt(d[i]))
    off, on_row = d[i] - W[i, j], ((d[i] - W[i, j]) / d[i] + 1 - W[i, j] / d[i]) / 2
    on_roots = (off / root[i] ** 2 + 1 - W[i, j] / root[i] ** 2) / 2
    beside = -W[i, j] / (root[i] * root[j])
    column = Lt(c.sum(A[j, q], q), 1)
    both = entry(on_roots, Piecewise((0, column), (beside, True)))
    L = c.let("L", (i, j), both if roots else entry(on_row, -W[i, j] / d[i]))
    by_roots = entry(on_roots, beside)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "c"})


def some_degree(p: Bench, g: Any) -> None:
    """Where an edge arrives, the degree is at least its weight, and so not 0."""
    least = p.have("weights", Rational(1, 64), "<=", g.w[Min(g.i, g.j), Max(g.i, g.j)])
    edges_in = p.sum(least, g.A[g.i, g.j], (g.j, 0, g.n - 1))
    p.settle(
        p.have(
            "degrees", g.arriving / 64, "<=", g.d[g.i], lambda p: (p.right.unfold(g.d, g.W), p.combine((1, edges_in)))
        )
    )


@claim("graph.laplacian.rw", "4.6.1", "graph.laplacian")
def walk(c: Board) -> None:
    """The random-walk Laplacian divides each row by its node's degree."""
    g = walking(c)
    A, W, d, i, j, same, entry, on_row = g.A, g.W, g.d, g.i, g.j, g.same, g.entry, g.on_row
    c.say(SYMMETRIC, FINITE, NO_DEGREE, LOOPS)

    def proof(p: Bench) -> None:
        some_degree(p, g)
        p.left.unfold(g.L)
        p.cases(Lt(g.arriving, 1), None, lambda p: p.cases(Eq(i, j)))

    c.law(g.L[i, j], Piecewise((0, Lt(g.arriving, 1)), ((same * d[i] - W[i, j]) / d[i], True)))
    c.prove(proof)
    c.call(edges(A), g.n, weights(g.w), normalization="rw").shows(g.L)
    c.variant("roots of both degrees", "symmetric normalisation", L=g.by_roots)
    c.variant("each column divided by its degree", "known bug", L=entry(on_row, -W[i, j] / d[j]))
    c.variant("not normalised", "D - A", L=entry(g.off, -W[i, j]))
    c.variant(
        "a 1 on the diagonal of an isolated node",
        "PyTorch Geometric: I minus the normalised A",
        L=entry(on_row, -W[i, j] / d[i], same),
    )
    c.variant("degrees without self loops", "other convention", L=entry(1, -W[i, j] / (d[i] - W[i, i])))


@claim("graph.laplacian.sym", "4.6.1", "graph.laplacian")
def sym(c: Board) -> None:
    """The symmetrically normalised Laplacian divides entry (i, j) by the roots of both degrees."""
    g = walking(c, roots=True)
    W, d, i, j, root, entry = g.W, g.d, g.i, g.j, g.root, g.entry
    alone = Lt(g.arriving, 1)
    c.say(SYMMETRIC, FINITE, NO_DEGREE, LOOPS)

    def proof(p: Bench) -> None:
        """On the diagonal one index is put for the other; beside it, where edges arrive at both nodes, as it stands."""
        some_degree(p, g)
        same = p.supposed(Eq(i, j))

        def on(p: Bench) -> None:
            p.left.rewrite(same).unfold(root)
            p.right.rewrite(same)

        def beside(p: Bench) -> None:
            p.cases(g.column, None, lambda p: p.left.unfold(root))

        p.left.unfold(g.L)
        p.cases(alone, None, lambda p: p.cases(Eq(i, j), on, beside))

    of_both = (g.same * d[i] - W[i, j]) / (sqrt(d[i]) * sqrt(d[j]))
    c.law(g.L[i, j], Piecewise((0, alone), (0, g.column), (of_both, True)))
    c.prove(proof)
    c.call(edges(g.A), g.n, weights(g.w), normalization="sym").shows(g.L)
    c.variant("each row divided by its degree", "random-walk normalisation", L=entry(g.on_row, -W[i, j] / d[i]))
    fourth = entry(g.off / sqrt(d[i]), -W[i, j] / (d[i] * d[j]) ** Rational(1, 4))
    c.variant("fourth roots", "known bug: exponent -1/4", L=fourth)
    whole = entry(g.off / d[i] ** 2, -W[i, j] / (d[i] * d[j]))
    c.variant("degrees without their root", "known bug: exponent -1", L=whole)
    c.variant("not normalised", "D - A", L=entry(g.off, -W[i, j]))
    c.variant(
        "a 1 on the diagonal of an isolated node",
        "PyTorch Geometric: I minus the normalised A",
        L=entry(g.on_row, g.beside, g.same),
    )
    fewer = -W[i, j] / (sqrt(d[i] - W[i, i]) * sqrt(d[j] - W[j, j]))
    c.variant("degrees without self loops", "other convention", L=entry(1, fewer))


@claim("heat.mean_conservation.random_walk", "4.6.2", "graph.laplacian", kind="invariance")
def balance(c: Board) -> None:
    """Under the random-walk Laplacian the mean weighted with the degrees is conserved, not the plain one."""
    g = walking(c)
    A, W, d, L, i, j, arriving = g.A, g.W, g.d, g.L, g.i, g.j, g.arriving
    c.say(SYMMETRIC, "weights are positive")

    def proof(p: Bench) -> None:
        """Times its degree a row is one of D - A, also where no edge arrives; columns of that add up to 0."""
        some_degree(p, g)
        alone = Lt(arriving, 1)
        others = p.sum(p.have("edges count", 0, "<=", A[i, g.q]), 1 - KroneckerDelta(g.q, j), (g.q, 0, g.n - 1))
        one = p.have("one edge of all", A[i, j], "<=", arriving, lambda p: p.combine((1, others)))
        p.settle(p.have("less than one edge", A[i, j], "<", 1, lambda p: p.combine((1, one)), given=[alone]))
        few = [Lt(A[i, j], 1)]
        above, below = (p.have(f"no edge, {a} <= {b}", a, "<=", b, given=few) for a, b in ((A[i, j], 0), (0, A[i, j])))
        whole = p.have("no edge", A[i, j], "=", 0, lambda p: p.by(p.both_ways(above, below)), given=few)
        none = p.have(
            "no edge where none arrives", A[i, j], "=", 0, lambda p: p.by(p.at(whole, {}, [alone])), given=[alone]
        )
        row = p.have(
            "a row", d[i] * L[i, j], "=", g.same * d[i] - W[i, j],
            lambda p: p.cases(
                alone,
                lambda p: (p.left.unfold(L), p.right.unfold(d, W).rewrite(none)),
                lambda p: (p.left.unfold(L), p.cases(Eq(i, j))),
            ),
        )  # fmt: skip
        p.left.by(p.sum(row, 1, (i, 0, g.n - 1))).contract().unfold(d, W)

    c.law(c.sum(d[i] * L[i, j], i), 0)
    c.prove(proof)
    c.call(edges(A), g.n, weights(g.w), normalization="rw").shows(L)
    c.variant("the plain mean", "true of D - A alone", law=(Abs(c.sum(L[i, j], i)), "<=", 0))
    c.variant("roots of both degrees", "symmetric normalisation", L=g.by_roots)
    c.variant("each column divided by its degree", "known bug", L=g.entry(g.on_row, -W[i, j] / d[j]))
    c.remark(
        "So with rows normalised heat does not settle at the average temperature, but at the average weighted with the "
        "degrees."
    )


@claim("graph.quadratic_form.normalised", "4.6.1", "graph.laplacian", kind="inequality")
def spectrum(c: Board) -> None:
    """The eigenvalues of the normalised Laplacian lie between 0 and 2."""
    g = walking(c, roots=True, signal=True)
    n, x, A, W, w, d, L, i, j, root, entry = g.n, g.x, g.A, g.W, g.w, g.d, g.L, g.i, g.j, g.root, g.entry
    alone = Lt(g.arriving, 1)
    scale = c.let("scale", i, Piecewise((0, alone), (1 / root[i], True)))
    c.aid(scale)
    c.say(SYMMETRIC, "weights are positive", NO_DEGREE)
    form, square = c.sum(x[i] * L[i, j] * x[j], i, j), c.sum(x[i] ** 2, i)
    y = scale[i] * x[i]
    apart, together = (c.sum(W[i, j] * (y + sign * scale[j] * x[j]) ** 2, i, j) / 2 for sign in (-1, 1))

    def scaled(p: Bench) -> Theorem:
        """Each entry of D - A is scaled on both sides, by 0 for an isolated node."""
        some_degree(p, g)
        same = p.supposed(Eq(i, j))

        def on(p: Bench) -> None:
            p.left.rewrite(same).unfold(root)
            p.right.rewrite(same).unfold(scale, root)

        def beside(p: Bench) -> None:
            p.right.unfold(scale)
            p.cases(g.column)

        def entries(p: Bench) -> None:
            p.left.unfold(L)
            p.cases(alone, lambda p: p.right.unfold(scale), lambda p: p.cases(Eq(i, j), on, beside))

        return p.have("an entry", L[i, j], "=", scale[i] * scale[j] * (g.same * d[i] - W[i, j]), entries)

    def below(p: Bench) -> None:
        """The form is a sum of squares."""
        each = scaled(p)
        squares = p.have(
            "sum of squares", form, "=", apart,
            lambda p: (p.left.rewrite(each).contract().unfold(d, W), p.right.unfold(W)),
        )  # fmt: skip
        p.right.rewrite(squares).unfold(W)

    def above(p: Bench) -> None:
        """Twice the square less the form is one, too."""
        each = scaled(p)
        squares = p.have(
            "sum of squares", form + together, "=", 2 * c.sum(d[i] * y**2, i),
            lambda p: (p.left.rewrite(each).contract().unfold(d, W), p.right.unfold(d, W)),
        )  # fmt: skip
        least = p.have(
            "at most 1", d[i] * scale[i] ** 2, "<=", 1,
            lambda p: p.cases(alone, lambda p: p.left.unfold(scale), lambda p: p.left.unfold(scale, root)),
        )  # fmt: skip
        p.combine((1, squares), (2, p.sum(least, x[i] ** 2, (i, 0, n - 1))))

    c.law(form, ">=", 0)
    c.prove(below)
    c.law(form, "<=", 2 * square)
    c.prove(above)
    c.call(edges(A), n, weights(w), normalization="sym").unused(x).shows(L)
    c.variant("not normalised", "D - A", L=entry(g.off, -W[i, j]))
    c.variant("A - D", "other sign", L=entry(-g.on_roots, -g.beside))
    c.variant("at most 1", "too tight: bipartite graphs reach 2", law=(form, "<=", square))
    c.variant("weights may be negative", "the condition dropped", drops=(real("w", n, n),))
    c.remark(
        "2 is reached by bipartite graphs alone. The random-walk Laplacian is similar to this one, and has the same "
        "eigenvalues."
    )
