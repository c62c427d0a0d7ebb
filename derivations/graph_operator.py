"""The Laplacian at work: as a difference operator, and as a quadratic form, the Dirichlet energy (4.6.1)."""

from typing import Any

from gnomon.derivations.graph import (
    ANY,
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
    W,
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
    neighbour,
    over,
    p,
    w,
    x,
    y,
)  # fmt: skip
from gnomon.derivations.graph_spectra import CONNECTED, DISCONNECTED, GRAPHS, deviation, energy_steps, gap, mode, top
from sympy import Abs, And, Eq, Ge, IndexedBase, Le, Max, Piecewise, Rational, Sum, Symbol, sqrt, symbols

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivation import Derivation, Step, define
from gnomon.domain import Size, real, symbols_of

FEATURES = Size("F", 1, 3)
COLUMNS = real("x", NODES, FEATURES)
(F,) = symbols_of((FEATURES,))
f = Symbol("f", integer=True)
E = Symbol("E", real=True)
difference = over(W[i, j] * (x[i] - x[j]), j)
ACROSS = ("x", "edge_index", "edge_weight")

# ------------------------------------------------------------------ differences


def unless_alone(value: Any) -> Any:
    """A value that only a node with neighbours has; 0 at the others."""
    return Piecewise((0, Eq(neighbour(i), 0)), (value, True))


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


difference_operator = Claim(
    id="graph.difference_operator",
    section=SECTION,
    title="The Laplacian sums a node's differences to its neighbours",
    kind="equality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(SIGNAL, ONE_WAY),
    program=Program((DIRECTED, (y[i], difference)), (Output("y", y[i], (i, 0, n - 1)),)),
    definition=Program((DIRECTED, DEGREE), (Output("y", over((diagonal * d[i] - W[i, j]) * x[j], j), (i, 0, n - 1)),)),
    statement=Eq(y[i], difference),
    conditions=("W[i, j] is the weight of the edge from j to i",),
    derivation=operator_proof,
    variants=(
        Variant("neighbour minus node", "other sign", ((y[i], over(W[i, j] * (x[j] - x[i]), j)),)),
        Variant(
            "mean in the place of the sum",
            "random-walk normalisation",
            (DEGREE, (y[i], unless_alone(difference / d[i]))),
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
    remarks="The notes write it without weights. It takes no matrix, and gives exactly 0 for a constant.",
)

parallel = Claim(
    id="graph.difference_operator.parallel",
    section=SECTION,
    title="Each of several parallel edges adds its own difference",
    kind="equality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(NODES, COPIES, ANY),
    inputs=(SIGNAL, PARALLEL),
    program=Program((ARRIVING, (y[i], arriving(edge[k, i, j] * (x[i] - x[j])))), (Output("y", y[i], (i, 0, n - 1)),)),
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
    inputs=(COLUMNS,),
    program=Program(
        ((y[i, f], over(A[i, j] * (x[i, f] - x[j, f]), j)),), (Output("y", y[i, f], (i, 0, n - 1), (f, 0, F - 1)),)
    ),
    statement=Eq(y[i, f], over(A[i, j] * (x[i, f] - x[j, f]), j)),
    conditions=("no weights",),
    derivation=operator_proof,
    variants=(
        Variant("neighbour minus node", "other sign", ((y[i, f], over(A[i, j] * (x[j, f] - x[i, f]), j)),)),
        Variant(
            "features mixed",
            "known bug: the first one subtracted",
            ((y[i, f], over(A[i, j] * (x[i, f] - x[j, 0]), j)),),
        ),
        Variant("mean in the place of the sum", "random-walk normalisation", (
            (d[i], over(A[i, j], j)),
            (y[i, f], unless_alone(over(A[i, j] * (x[i, f] - x[j, f]), j) / d[i])),
        )),
    ),
)  # fmt: skip

# ------------------------------------------------------------------ the energy

energy = over(W[i, j] * (x[i] - x[j]) ** 2, i, j) / 4
form = over(x[i] * (diagonal * d[i] - W[i, j]) * x[j], i, j)


def energy_proof() -> Derivation:
    return Derivation(
        (
            Step(
                "collapse",
                form,
                over(d[i] * x[i] ** 2, i) - over(W[i, j] * x[i] * x[j], i, j),
                why="x^T (D - A) x",
            ),
            Step(
                "substitute",
                over(d[i] * x[i] ** 2, i) - over(W[i, j] * x[i] * x[j], i, j),
                over(W[i, j] * x[i] * (x[i] - x[j]), i, j),
                why="with the row sums for degrees",
                by=((d[i], over(W[i, j], j)),),
            ),
            Step(
                "reindex",
                over(W[i, j] * x[i] * (x[i] - x[j]), i, j) / 2,
                energy,
                why="the half of it and of the same with i and j exchanged: A is symmetric",
                by=(W,),
                wrong=(2 * energy, over(W[i, j] * (x[i] + x[j]) ** 2, i, j) / 4),
            ),
        )
    )


def energy_is(value: Any, *more: Any) -> tuple[Any, ...]:
    return (*more, (E, value))


quadratic_form = Claim(
    id="graph.quadratic_form",
    section=SECTION,
    title="The Dirichlet energy is half the Laplacian's quadratic form: a sum of squared differences",
    kind="equality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, ONE_WAY),
    program=Program((either_way(), (E, energy)), (Output("E", E),)),
    definition=Program((either_way(), DEGREE), (Output("E", form / 2),)),
    statement=(Eq(E, form / 2), Eq(form / 2, energy)),
    conditions=(SYMMETRIC,),
    derivation=energy_proof,
    variants=(
        Variant("without the half", "graph theory: x^T L x", energy_is(2 * energy)),
        Variant("a half for the form and one for each edge", "known bug", energy_is(energy / 2)),
        Variant("sums in the place of differences", "D + A", energy_is(over(W[i, j] * (x[i] + x[j]) ** 2, i, j) / 4)),
        Variant("weights ignored", "known bug", energy_is(over(A[i, j] * (x[i] - x[j]) ** 2, i, j) / 4)),
        Variant(
            "absolute differences", "total variation", energy_is(over(W[i, j] * Abs(x[i] - x[j]), i, j) / 4)
        ),
        Variant("weights squared", "known bug: an incidence matrix with weights, squared",
                energy_is(over(W[i, j] ** 2 * (x[i] - x[j]) ** 2, i, j) / 4)),
    ),
    options={"arguments": ACROSS, "undirected": True},
    remarks="The factor is a convention. With the half the gradient of the energy is L x, and diffusion is gradient "
    "descent. A sum over each undirected edge once has the factor 1/2 in the place of 1/4.",
)  # fmt: skip

energy_of_features = Claim(
    id="graph.quadratic_form.features",
    section=SECTION,
    title="The energies of several features add up",
    kind="equality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(NODES, FEATURES, BOTH_WAYS),
    inputs=(COLUMNS,),
    program=Program(
        ((E, Sum(A[i, j] * (x[i, f] - x[j, f]) ** 2, (f, 0, F - 1), (i, 0, n - 1), (j, 0, n - 1)) / 4),),
        (Output("E", E),),
    ),
    statement=Eq(E, Sum(A[i, j] * (x[i, f] - x[j, f]) ** 2, (f, 0, F - 1), (i, 0, n - 1), (j, 0, n - 1)) / 4),
    conditions=("no weights", SYMMETRIC),
    derivation=energy_proof,
    variants=(
        Variant("square of the sum", "known bug", energy_is(
            over(A[i, j] * Sum(x[i, f] - x[j, f], (f, 0, F - 1)) ** 2, i, j) / 4)),
        Variant("mean over the features", "known bug", energy_is(
            Sum(A[i, j] * (x[i, f] - x[j, f]) ** 2, (f, 0, F - 1), (i, 0, n - 1), (j, 0, n - 1)) / (4 * F))),
        Variant("norms, not their squares", "known bug", energy_is(
            over(A[i, j] * sqrt(Sum((x[i, f] - x[j, f]) ** 2, (f, 0, F - 1))), i, j) / 4)),
    ),
)  # fmt: skip

nonnegative_form = Claim(
    id="graph.quadratic_form.nonnegative",
    section=SECTION,
    title="The energy is never negative, as long as no weight is",
    kind="inequality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, ONE_WAY),
    program=Program((either_way(), (E, energy)), (Output("E", E),)),
    relation=Relation(E, ">=", 0),
    statement=Ge(E, 0),
    conditions=(SYMMETRIC, "no weight is negative"),
    derivation=lambda: Derivation(
        (
            *energy_proof().steps,
            Step(
                "inequality",
                Ge(form_with_gap(), over(W[i, j] * x[i] * x[j], i, j)),
                2 * energy,
                why="squares times weights that are not negative",
            ),
        )
    ),
    variants=(
        Variant("weights may be negative", "the condition dropped", inputs=(real("w", NODES, NODES),)),
        Variant("A - D", "other sign", energy_is(-energy)),
    ),
    options={"arguments": ACROSS, "undirected": True},
)


def form_with_gap() -> Any:
    """What the form takes its mixed terms from, both halves of it."""
    return over(W[i, j] * (x[i] ** 2 + x[j] ** 2) / 2, i, j)


# ------------------------------------------------------------------ between two eigenvalues

mean = Symbol("mean", real=True)
spread = deviation(x, mean)


def bounds_proof() -> Derivation:
    """Mode by mode: with lamda = gap + more, the form exceeds gap times the square by more times it."""
    more = IndexedBase("more", nonnegative=True)
    least, q = symbols("least q", nonnegative=True)
    modes = Sum((least + more[p]) * mode[p] ** 2, (p, 1, n - 1))
    return Derivation(
        (
            define(mode[p], Symbol("coefficient"), "of x in the orthonormal basis of eigenvectors; mode 0 is constant"),
            Step(
                "inequality",
                Ge(modes, least * Sum(mode[p] ** 2, (p, 1, n - 1))),
                Sum(more[p] * mode[p] ** 2, (p, 1, n - 1)),
                why="|x - mean|^2 has all modes but the constant one, whose eigenvalues are the gap and more",
            ),
            Step(
                "inequality",
                Le(Sum((q - more[p]) * mode[p] ** 2, (p, 1, n - 1)), q * Sum(mode[p] ** 2, (p, 1, n - 1))),
                Sum(more[p] * mode[p] ** 2, (p, 1, n - 1)),
                why="and the largest eigenvalue and less",
            ),
            *energy_steps(CONNECTED),
        ),
        "every size; the eigenvalues on the graphs named",
        lift="mode",
    )


def between(low: Any, high: Any) -> Relation:
    return Relation(Max(low * spread / 2 - E, E - high * spread / 2), "<=", 0)


bounds = Claim(
    id="graph.quadratic_form.bounds",
    section=SECTION,
    title="On a connected graph the energy vanishes for constants alone, and lies between two eigenvalues",
    kind="inequality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(GRAPHS,),
    inputs=(real("x", n),),
    program=Program(
        ((mean, over(x[j], j) / n), (E, over(A[i, j] * (x[i] - x[j]) ** 2, i, j) / 4)), (Output("E", E),)
    ),
    relation=between(gap, top),
    statement=And(Le(gap * spread / 2, E), Le(E, top * spread / 2)),
    conditions=("connected", "no weights", "gap and top are the least eigenvalue but 0, and the largest"),
    derivation=bounds_proof,
    variants=(
        Variant("disconnected", "the condition dropped: two constants have energy 0", structure=(DISCONNECTED,)),
        Variant("without the half", "graph theory: x^T L x", energy_is(over(A[i, j] * (x[i] - x[j]) ** 2, i, j) / 2)),
        Variant("below half the largest eigenvalue", "too tight", relation=between(gap, top / Rational(2))),
        Variant("above twice the gap", "too tight", relation=between(2 * gap, top)),
    ),
    remarks="So 0 is an eigenvalue once for each component.",
)  # fmt: skip

CLAIMS = (difference_operator, parallel, features, quadratic_form, energy_of_features, nonnegative_form, bounds)
