"""The Laplacian as a difference operator (4.6.1)."""

from typing import Any

from sympy import Eq, Piecewise, Symbol

from gnomon.derivations.graph import (
    ANY,
    APPLIED,
    ARRIVING,
    BOTH_WAYS,
    COPIES,
    DEGREE,
    DIRECTED,
    NODES,
    ONE_WAY,
    PARALLEL,
    SECTION,
    SIGNAL,
    SYMMETRIC,
    A,
    Lx,
    W,
    applied,
    arriving,
    d,
    diagonal,
    edge,
    either_way,
    i,
    j,
    k,
    m,
    merged,
    n,
    neighbours,
    over,
    w,
    x,
    y,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

FEATURES = Size("F", 1, 3)
COLUMNS = real("x", NODES, FEATURES)
(F,) = symbols_of((FEATURES,))
f = Symbol("f", integer=True)
shift = Symbol("shift", real=True)
ENTRIES = Output("y", y[i], (i, 0, n - 1))
difference = over(W[i, j] * (x[i] - x[j]), j)
ACROSS = ("x", "edge_index", "edge_weight")

# ------------------------------------------------------------------ differences


def unless_alone(value: Any) -> Any:
    """A value that only a node with neighbours has; 0 at the others."""
    return Piecewise((0, Eq(neighbours(i), 0)), (value, True))


def operator_proof() -> Derivation:
    return Derivation(
        (
            define(d[i], over(W[i, j], j), "the degrees"),
            Step(
                "collapse",
                over((diagonal * d[i] - W[i, j]) * x[j], j),
                d[i] * x[i] - over(W[i, j] * x[j], j),
                why="row i of D - A, times x",
                wrong=(over(W[i, j] * x[j], j) - d[i] * x[i],),
            ),
            Step(
                "substitute",
                d[i] * x[i] - over(W[i, j] * x[j], j),
                difference,
                why="with the row sums for degrees: only differences are left, and a constant gives 0",
                by=((d[i], over(W[i, j], j)),),
                wrong=(over(W[i, j] * (x[j] - x[i]), j), over(W[j, i] * (x[i] - x[j]), j)),
            ),
        )
    )


def offset_proof() -> Derivation:
    return Derivation(
        (
            *operator_proof().steps,
            Step(
                "substitute",
                difference,
                difference,
                why="an offset cancels within each difference, before anything is multiplied or summed",
                by=((x[i], x[i] + shift),),
                wrong=(over(W[i, j] * (x[i] + shift - x[j]), j),),
            ),
        )
    )


difference_operator = Claim(
    id="graph.difference_operator",
    section=SECTION,
    title="The Laplacian sums a node's differences to its neighbours",
    kind="equality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(SIGNAL, ONE_WAY),
    program=Program((DIRECTED, DEGREE, APPLIED, (y[i], Lx[i])), (ENTRIES,)),
    definition=Program((DIRECTED,), (Output("y", difference, (i, 0, n - 1)),)),
    statement=Eq(y[i], difference),
    conditions=("W[i, j] is the weight of the edge from j to i",),
    derivation=operator_proof,
    variants=(
        Variant("neighbour minus node", "other sign", ((y[i], over(W[i, j] * (x[j] - x[i]), j)),)),
        Variant(
            "mean in the place of the sum",
            "random-walk normalisation",
            ((y[i], unless_alone(difference / d[i])),),
        ),
        Variant(
            "along the edges' other direction",
            "known bug: edge_index transposed",
            ((y[i], over(W[j, i] * (x[i] - x[j]), j)),),
        ),
        Variant("weights ignored", "known bug", ((y[i], over(A[i, j] * (x[i] - x[j]), j)),)),
        Variant("neighbours alone", "known bug: A x without D", ((y[i], over(-W[i, j] * x[j], j)),)),
    ),
    options={"arguments": ACROSS},
    remarks="The notes write it without weights.",
)

offset = Claim(
    id="graph.difference_operator.offset",
    section=SECTION,
    title="Differences taken first, a common offset costs no accuracy",
    kind="invariance",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(SIGNAL,),
    program=Program(((y[i], over(A[i, j] * (x[i] - x[j]), j)),), (ENTRIES,)),
    statement=Eq(y[i], over(A[i, j] * (x[i] - x[j]), j)),
    conditions=("no weights", "as accurate as what is rounded in the differences and their sum",),
    derivation=offset_proof,
    variants=(
        Variant("a matrix times the signal", "rounds the offset, and leaves it in the result",
                ((y[i], over(A[i, j], j) * x[i] - over(A[i, j] * x[j], j)),)),
        Variant("neighbours alone", "known bug: A x without D", ((y[i], over(-A[i, j] * x[j], j)),)),
        Variant("degrees of the other direction", "a constant is not mapped to 0",
                ((y[i], over(A[j, i], j) * x[i] - over(A[i, j] * x[j], j)),)),
    ),
    remarks="The formula is that of graph.difference_operator; what is asked here is accuracy. Temperatures of 300 and "
    "a bit keep their bit, and a constant gives exactly 0. L x by a matrix is right, but fails here.",
)  # fmt: skip

parallel = Claim(
    id="graph.difference_operator.parallel",
    section=SECTION,
    title="Each of several parallel edges adds its own difference",
    kind="equality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(NODES, COPIES, ANY),
    inputs=(SIGNAL, PARALLEL),
    program=Program(
        (
            ARRIVING,
            (d[i], arriving(edge[k, i, j])),
            (y[i], (d[i] * x[i] - arriving(edge[k, i, j] * x[j])) / 2 + arriving(edge[k, i, j] * (x[i] - x[j])) / 2),
        ),
        (ENTRIES,),
    ),
    definition=Program((ARRIVING,), (Output("y", arriving(edge[k, i, j] * (x[i] - x[j])), (i, 0, n - 1)),)),
    statement=Eq(y[i], arriving(A[i, j] * w[k, i, j] * (x[i] - x[j]))),
    conditions=("m edges lead from j to i where A[i, j] is 1",),
    derivation=lambda: Derivation((*merged().steps, *operator_proof().steps)),
    variants=(
        Variant(
            "of parallel edges the last",
            "known bug: assigned, not added",
            ((y[i], over(edge[m - 1, i, j] * (x[i] - x[j]), j)),),
        ),
        Variant("their mean", "known bug", ((y[i], arriving(edge[k, i, j] * (x[i] - x[j])) / m),)),
        Variant("along the edges' other direction", "known bug", ((y[i], arriving(edge[k, j, i] * (x[i] - x[j]))),)),
    ),
    options={"arguments": ACROSS},
)

features = Claim(
    id="graph.difference_operator.features",
    section=SECTION,
    title="On several features the Laplacian acts on each one by itself",
    kind="equality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(NODES, FEATURES, BOTH_WAYS),
    inputs=(COLUMNS, ONE_WAY),
    program=Program(
        (either_way(), DEGREE, (y[i, f], applied(lambda a: x[a, f]))),
        (Output("y", y[i, f], (i, 0, n - 1), (f, 0, F - 1)),),
    ),
    definition=Program(
        (either_way(),), (Output("y", over(W[i, j] * (x[i, f] - x[j, f]), j), (i, 0, n - 1), (f, 0, F - 1)),)
    ),
    statement=Eq(y[i, f], over(W[i, j] * (x[i, f] - x[j, f]), j)),
    conditions=(SYMMETRIC,),
    derivation=operator_proof,
    variants=(
        Variant("neighbour minus node", "other sign", ((y[i, f], over(W[i, j] * (x[j, f] - x[i, f]), j)),)),
        Variant(
            "features mixed",
            "known bug: the first one subtracted",
            ((y[i, f], over(W[i, j] * (x[i, f] - x[j, 0]), j)),),
        ),
        Variant("mean in the place of the sum", "random-walk normalisation", (
            (y[i, f], unless_alone(over(W[i, j] * (x[i, f] - x[j, f]), j) / d[i])),
        )),
    ),
    options={"arguments": ACROSS, "undirected": True},
)  # fmt: skip

CLAIMS = (difference_operator, offset, parallel, features)
