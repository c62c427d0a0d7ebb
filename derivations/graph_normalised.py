"""Normalised Laplacians: their entries, their spectrum, and what the random walk conserves (4.6.1)."""

from typing import Any

from sympy import Abs, And, Eq, Ge, IndexedBase, KroneckerDelta, Le, Lt, Max, Min, Piecewise, Rational, sqrt

from gnomon.derivations.graph import (
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
diagonal = KroneckerDelta(i, j)
ENTRIES = Output("L", L[i, j], (i, 0, n - 1), (j, 0, n - 1))
WEIGHTS = real("w", NODES, NODES, low=1 / 64)
NO_DEGREE = "1/d counts as 0 where the degree is 0, so that the row of an isolated node is 0"
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

WALK = Program((either_way(), DEGREE, ROOT, entry(ON_ROW, BY_ROW)), (ENTRIES,))
ROOTS = Program((either_way(), DEGREE, ROOT, entry(ON_ROOTS, BY_ROOTS)), (ENTRIES,))


def options(name: str) -> dict[str, Any]:
    return {"arguments": MATRIX, "keywords": {"normalization": name}, "undirected": True}


def normalised_proof() -> Derivation:
    degrees = over(W[i, j], j)
    r = IndexedBase("r", positive=True)
    return Derivation(
        (
            define(r[i], 1 / sqrt(d[i]), "the diagonal of D^(-1/2); the rows of isolated nodes are 0"),
            Step(
                "collapse",
                over(r[i] * (diagonal * d[i] - W[i, j]) * r[j] * x[j], j),
                r[i] ** 2 * d[i] * x[i] - r[i] * over(W[i, j] * r[j] * x[j], j),
                why="entry i of D^(-1/2) (D - A) D^(-1/2) x",
            ),
            Step(
                "substitute",
                r[i] ** 2 * (d[i] - W[i, i]),
                1 - W[i, i] / d[i],
                why="on the diagonal: 1 without self loops, and the same in both normalisations",
                by=((r[i], 1 / sqrt(d[i])),),
            ),
            Step(
                "collapse",
                over((diagonal * d[i] - W[i, j]) / d[i], j),
                1 - degrees / d[i],
                why="a row of the random-walk Laplacian adds up to 0, with the row sums for degrees",
                wrong=(1 + degrees / d[i],),
            ),
        )
    )


def normalised(name: str, title: str, program: Program, beside: Any, *variants: Variant) -> Claim:
    """The claim about one of the two normalisations; ``beside`` is an entry beside the diagonal."""
    fewer = beside.subs({d[i]: OFF, root[i]: sqrt(OFF), root[j]: sqrt(OFF.subs(i, j))})
    return Claim(
        id=f"graph.laplacian.{name}",
        section=SECTION,
        title=title,
        kind="equality",
        subject="graph.laplacian",
        driver="graph",
        structure=(NODES, BOTH_WAYS),
        inputs=(WEIGHTS,),
        program=program,
        statement=Eq(L[i, j], (diagonal * d[i] - W[i, j]) / sqrt(d[i] * d[j])),
        conditions=(SYMMETRIC, FINITE, NO_DEGREE, LOOPS),
        derivation=normalised_proof,
        variants=(
            *variants,
            Variant("not normalised", "D - A", (entry(OFF, -W[i, j]),)),
            Variant(
                "a 1 on the diagonal of an isolated node",
                "PyTorch Geometric: I minus the normalised A",
                (entry(ON_ROW, beside, diagonal),),
            ),
            Variant("degrees without self loops", "other convention", (entry(1, fewer),)),
        ),
        options=options(name),
    )


sym = normalised(
    "sym",
    "The symmetrically normalised Laplacian divides entry (i, j) by the roots of both degrees",
    ROOTS,
    BY_ROOTS,
    Variant("each row divided by its degree", "random-walk normalisation", (entry(ON_ROW, BY_ROW),)),
    Variant(
        "fourth roots",
        "known bug: exponent -1/4",
        (entry(OFF / sqrt(d[i]), -W[i, j] / (d[i] * d[j]) ** Rational(1, 4)),),
    ),
    Variant(
        "degrees without their root",
        "known bug: exponent -1",
        (entry(OFF / d[i] ** 2, -W[i, j] / (d[i] * d[j])),),
    ),
)


@claim("graph.laplacian.rw", "4.6.1", "graph.laplacian")
def walk(c: Board) -> None:
    """The random-walk Laplacian divides each row by its node's degree."""
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
    # the diagonal, where W[i, j] is the loop's, is computed in two ways, each by half: a budget for either
    off, on_row = d[i] - W[i, j], ((d[i] - W[i, j]) / d[i] + 1 - W[i, j] / d[i]) / 2
    on_roots = (off / root[i] ** 2 + 1 - W[i, j] / root[i] ** 2) / 2
    L = c.let("L", (i, j), entry(on_row, -W[i, j] / d[i]))
    c.say(SYMMETRIC, FINITE, NO_DEGREE, LOOPS)

    def proof(p: Bench) -> None:
        """Where an edge arrives, the degree is at least its weight, and so not 0."""
        least = p.have("weights", Rational(1, 64), "<=", w[Min(i, j), Max(i, j)])
        edges_in = p.sum(least, A[i, j], (j, 0, n - 1))
        p.settle(
            p.have("degrees", arriving / 64, "<=", d[i], lambda p: (p.right.unfold(d, W), p.combine((1, edges_in))))
        )
        p.left.unfold(L)
        p.cases(Lt(arriving, 1), None, lambda p: p.cases(Eq(i, j)))

    c.law(L[i, j], Piecewise((0, Lt(arriving, 1)), ((same * d[i] - W[i, j]) / d[i], True)))
    c.prove(proof)
    c.call(edges(A), n, weights(w), normalization="rw").shows(L)
    by_roots = entry(on_roots, -W[i, j] / (root[i] * root[j]))
    c.variant("roots of both degrees", "symmetric normalisation", L=by_roots)
    c.variant("each column divided by its degree", "known bug", L=entry(on_row, -W[i, j] / d[j]))
    c.variant("not normalised", "D - A", L=entry(off, -W[i, j]))
    c.variant(
        "a 1 on the diagonal of an isolated node",
        "PyTorch Geometric: I minus the normalised A",
        L=entry(on_row, -W[i, j] / d[i], same),
    )
    c.variant("degrees without self loops", "other convention", L=entry(1, -W[i, j] / (d[i] - W[i, i])))


# ------------------------------------------------------------------ spectrum and balance

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


def balance_proof() -> Derivation:
    return Derivation(
        (
            Step(
                "rewrite",
                over(d[i] * (x[i] - over(W[i, j] * x[j], j) / d[i]), i),
                over(d[i] * x[i], i) - over(W[i, j] * x[j], i, j),
                why="times its degree, a row of D^-1 (D - A) is one of D - A",
            ),
            Step(
                "reindex",
                over(W[i, j] * x[i], i, j) - over(W[i, j] * x[j], i, j),
                Rational(0),
                why="the degrees are row sums, and by symmetry column sums: what leaves is what arrives",
                by=(W,),
            ),
        )
    )


def conserved(weight: Any) -> Relation:
    """Column by column, the rows add up to 0 with these weights."""
    return Relation(Abs(over(weight * L[i, j], i)), "<=", 0, ((j, 0, n - 1),))


balance = Claim(
    id="heat.mean_conservation.random_walk",
    section="4.6.2",
    title="Under the random-walk Laplacian the mean weighted with the degrees is conserved, not the plain one",
    kind="equality",
    subject="graph.laplacian",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(WEIGHTS,),
    program=WALK,
    relation=conserved(d[i]),
    statement=Eq(over(d[i] * L[i, j], i), 0),
    conditions=(SYMMETRIC, "weights are positive"),
    derivation=balance_proof,
    variants=(
        Variant("the plain mean", "true of D - A alone", relation=conserved(1)),
        Variant("roots of both degrees", "symmetric normalisation", (entry(ON_ROOTS, BY_ROOTS),)),
        Variant("each column divided by its degree", "known bug", (entry(ON_ROW, -W[i, j] / d[j]),)),
    ),
    options=options("rw"),
    remarks="So with rows normalised heat does not settle at the average temperature, but at the average weighted "
    "with the degrees.",
)

CLAIMS = (sym, spectrum, balance)
