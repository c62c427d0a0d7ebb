"""Up to which step size Euler's method is stable for the heat equation (4.6.2)."""

from typing import Any

from sympy import Eq, FiniteSet, Ge, IndexedBase, Le, Matrix, Max, Piecewise, Symbol, eye, sqrt, symbols

from gnomon.derivations.graphs.graph_spectra import (
    A,
    i,
    j,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Graph, Size, positive

SECTION = "4.6.2"


def stability_steps() -> tuple[Step, ...]:
    h, rate = symbols("h lamda", nonnegative=True)
    return (
        Step(
            "inequality",
            Le((1 - h * rate) ** 2, 1),
            h * rate * (2 - h * rate),
            why="a mode does not grow if h lamda <= 2",
            assume=(h * rate <= 2,),
        ),
        Step(
            "inequality",
            Ge((1 - h * rate) ** 2, 1),
            h * rate * (h * rate - 2),
            why="and does not shrink if h lamda >= 2: so the largest eigenvalue decides",
            assume=(h * rate >= 2,),
        ),
    )


FEW = Size("n", 2, 3, closed=True)
WEIGHTED = Graph("A", FEW)
N = FEW.symbol
weights, W = IndexedBase("w", positive=True), IndexedBase("W", nonnegative=True)
a, b, c = W[0, 1], W[0, 2], W[1, 2]
LINK = (W[i, j], A[i, j] * weights[i, j])


def limit_proof() -> Derivation:
    a, b, c = symbols("a b c", nonnegative=True)
    rate = Symbol("lamda", real=True)
    L = Matrix([[a + b, -a, -b], [-a, a + c, -c], [-b, -c, b + c]])
    pairs = a * b + b * c + c * a
    under = sqrt(a**2 + b**2 + c**2 - pairs)
    return Derivation(
        (
            Step(
                "rewrite",
                (L - rate * eye(3)).det(method="berkowitz"),
                -rate * (rate**2 - 2 * (a + b + c) * rate + 3 * pairs),
                why="the characteristic polynomial of three nodes",
                wrong=(-rate * (rate**2 - 2 * (a + b + c) * rate + pairs),),
            ),
            Step(
                "solve",
                Eq(rate**2 - 2 * (a + b + c) * rate + 3 * pairs, 0),
                FiniteSet(a + b + c + under, a + b + c - under),
                why="its roots besides 0",
                by=(rate,),
            ),
            Step(
                "rewrite",
                ((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 2,
                a**2 + b**2 + c**2 - pairs,
                why="what is under the root is not negative, and is computed without cancellation",
            ),
            *stability_steps(),
        ),
        "n = 2, 3, with any weights",
        lift="mode",
    )


def limits(step: Any, *more: Any) -> tuple[Any, ...]:
    """The step for three nodes; for two it is one over the weight."""
    return (*more, (limit, step))


BOUND = ("edge_index", "num_nodes", "edge_weight")
total, root, limit = symbols("total root limit", nonnegative=True)

weighted = Claim(
    id="heat.euler_stability.limit",
    section=SECTION,
    title="With weights, too, the largest stable step is 2 over the largest eigenvalue",
    kind="equality",
    subject="graph.stable_step",
    driver="graph",
    structure=(FEW, WEIGHTED),
    inputs=(positive("w", FEW, FEW),),
    program=Program(
        (
            LINK,
            (total, Piecewise((a, Eq(N, 2)), (a + b + c, True))),
            (root, Piecewise((a, Eq(N, 2)), (sqrt(((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 2), True))),
            (limit, 2 / (total + root)),
        ),
        (Output("h", limit),),
    ),
    statement=Eq(limit, 2 / (a + b + c + sqrt(((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 2))),
    conditions=("undirected", "three nodes, here; with two the largest eigenvalue is 2 W[0, 1]"),
    derivation=limit_proof,
    variants=(
        Variant("1 over the largest eigenvalue", "too small by half", limits(1 / (total + root))),
        Variant("the least eigenvalue in its place", "known bug: sorted the other way", limits(2 / (total - root))),
        Variant("1 over the largest degree", "averaging's bound, not stability's",
                limits(1 / Piecewise((a, Eq(N, 2)), (Max(a + b, b + c, c + a), True)))),
        Variant("weights ignored", "known bug", ((LINK[0], A[i, j]),)),
        Variant("the sum of the eigenvalues", "trace in the place of the norm", limits(1 / total)),
    ),
    options={"arguments": BOUND, "undirected": True},
    gradient=False,
    remarks="Where all three weights are equal the largest eigenvalue is double, and has no derivative; near there it "
    "has one that hangs on eigenvectors which rounding moves. So gradients are not compared here.",
)  # fmt: skip

CLAIMS = (weighted,)
