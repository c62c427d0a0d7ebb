"""Normalised Laplacians: their entries, their spectrum, and what the random walk conserves (4.6.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, And, Eq, Ge, IndexedBase, KroneckerDelta, Le, Lt, Max, Min, Piecewise, Rational, sqrt

from gnomon.derivations.graphs.graph import (
    BOTH_WAYS,
    DEGREE,
    NODES,
    SIGNAL,
    SYMMETRIC,
    W,
    d,
    either_way,
    i,
    j,
    n,
    neighbours,
    over,
    x,
    y,
)
from gnomon.proof.bench import Bench
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import real
from gnomon.say.maker import claim

SECTION = "4.6.1"
MATRIX = ("edge_index", "num_nodes", "edge_weight")
L, root = IndexedBase("L", real=True), IndexedBase("root", positive=True)
ENTRIES = Output("L", L[i, j], (i, 0, n - 1), (j, 0, n - 1))
WEIGHTS = real("w", NODES, NODES, low=1 / 64)
NO_DEGREE = "1/d counts as 0 where the degree is 0, so that row and column of an isolated node are 0"
FINITE = "weights are at least 1/64, so that gradients stay finite in float16"
LOOPS = "self loops count in the degrees"


def entry(on: Any, beside: Any, alone: Any = 0) -> tuple[Any, Any]:
    """A matrix by its entries on the diagonal and beside it, and in the row of a node without edges."""
    return L[i, j], Piecewise((alone, Eq(neighbours(i), 0)), (on, Eq(i, j)), (beside, True))


OFF = d[i] - W[i, i]
ROOT = (root[i], sqrt(d[i]))
ON_ROOTS, BY_ROOTS = (OFF / root[i] ** 2 + 1 - W[i, i] / root[i] ** 2) / 2, -W[i, j] / (root[i] * root[j])
ON_ROW, BY_ROW = (OFF / d[i] + 1 - W[i, i] / d[i]) / 2, -W[i, j] / d[i]
"""The diagonal is computed in two ways, each by half: a budget for either."""

ROOTS = Program((either_way(), DEGREE, ROOT, entry(ON_ROOTS, BY_ROOTS)), (ENTRIES,))


def options(name: str) -> dict[str, Any]:
    return {"arguments": MATRIX, "keywords": {"normalization": name}, "undirected": True}


def walking(c: Board, roots: bool = False) -> Any:
    """The program, by degrees or by roots of both; the diagonal is computed in two ways, each by half, for either."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, loops=True)
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


# ------------------------------------------------------------------ spectrum

form = over(x[i] * L[i, j] * x[j], i, j)
square = over(x[i] ** 2, i)


def spectrum_proof() -> Derivation:
    minus, plus = (over(W[i, j] * (y[i] + sign * y[j]) ** 2, i, j) / 2 for sign in (-1, 1))
    return Derivation(
        (
            define(y[i], x[i] / sqrt(d[i]), "so that |x|^2 is the sum of W[i, j] y[i]^2"),
            Step(
                "reindex",
                over(W[i, j] * y[i] ** 2, i, j) - over(W[i, j] * y[i] * y[j], i, j),
                minus,
                why="x^T L x is a sum of squares: no eigenvalue is negative",
                by=(W,),
                wrong=(plus,),
            ),
            Step(
                "reindex",
                2 * over(W[i, j] * y[i] ** 2, i, j) - minus,
                plus,
                why="2 |x|^2 - x^T L x is one, too: no eigenvalue is above 2",
                by=(W,),
                wrong=(minus,),
            ),
        )
    )


def within(top: Any) -> Relation:
    """The quadratic form lies between 0 and ``top`` times the sum of squares."""
    return Relation(Max(-form, form - top * square), "<=", 0)


spectrum = Claim(
    id="graph.quadratic_form.normalised",
    section=SECTION,
    title="The eigenvalues of the normalised Laplacian lie between 0 and 2",
    kind="inequality",
    subject="graph.laplacian",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, WEIGHTS),
    program=ROOTS,
    relation=within(2),
    statement=And(Ge(form, 0), Le(form, 2 * square)),
    conditions=(SYMMETRIC, "weights are positive", NO_DEGREE),
    derivation=spectrum_proof,
    variants=(
        Variant("not normalised", "D - A", (entry(OFF, -W[i, j]),)),
        Variant("A - D", "other sign", (entry(-ON_ROOTS, -BY_ROOTS),)),
        Variant("at most 1", "too tight: bipartite graphs reach 2", relation=within(1)),
        Variant("weights may be negative", "the condition dropped", inputs=(real("w", NODES, NODES),)),
    ),
    options=options("sym"),
    remarks="2 is reached by bipartite graphs alone. The random-walk Laplacian is similar to this one, and has the "
    "same eigenvalues.",
)


CLAIMS = (spectrum,)
