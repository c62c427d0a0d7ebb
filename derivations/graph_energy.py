"""The Laplacian's quadratic form: the Dirichlet energy, its sign, and its bounds (4.6.1)."""

from typing import Any

from sympy import Abs, And, Eq, Ge, IndexedBase, Le, Max, Rational, Sum, Symbol, sqrt, symbols

from gnomon.derivations.graph import (
    APPLIED,
    BOTH_WAYS,
    DEGREE,
    NODES,
    ONE_WAY,
    SECTION,
    SIGNAL,
    SYMMETRIC,
    A,
    Lx,
    W,
    applied,
    d,
    diagonal,
    either_way,
    i,
    j,
    n,
    over,
    p,
    x,
)
from gnomon.derivations.graph_operator import ACROSS, COLUMNS, FEATURES, F, f, shift
from gnomon.derivations.graph_spectra import (
    CONNECTED,
    DISCONNECTED,
    GRAPHS,
    WEIGHT,
    deviation,
    energy_steps,
    gap,
    laplacian,
    mode,
    top,
    w,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import real

E = Symbol("E", real=True)
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


def offset_proof() -> Derivation:
    return Derivation(
        (
            *energy_proof().steps,
            Step(
                "substitute",
                energy,
                energy,
                why="an offset cancels within each difference, before anything is squared or summed",
                by=((x[i], x[i] + shift),),
                wrong=(over(W[i, j] * (x[i] + shift - x[j]) ** 2, i, j) / 4,),
            ),
        )
    )


def energy_is(value: Any, *more: Any) -> tuple[Any, ...]:
    return (*more, (E, value))


FORM = Program((either_way(), DEGREE, APPLIED, (E, over(x[i] * Lx[i], i) / 2)), (Output("E", E),))

quadratic_form = Claim(
    id="graph.quadratic_form",
    section=SECTION,
    title="The Dirichlet energy is half the Laplacian's quadratic form: a sum of squared differences",
    kind="equality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, ONE_WAY),
    program=FORM,
    definition=Program((either_way(),), (Output("E", energy),)),
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

offset = Claim(
    id="graph.quadratic_form.offset",
    section=SECTION,
    title="By squared differences, a common offset costs no accuracy, and the energy is not negative",
    kind="invariance",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, ONE_WAY),
    program=Program((either_way(), (E, energy)), (Output("E", E),)),
    statement=Eq(E, energy),
    conditions=(SYMMETRIC, "as accurate as what is rounded in the differences and the sum of their squares"),
    derivation=offset_proof,
    variants=(
        Variant("x^T times a matrix times x", "rounds the offset, and leaves it in the result",
                energy_is(over(x[i] * Lx[i], i) / 2, DEGREE, APPLIED)),
        Variant("without the half", "graph theory: x^T L x", energy_is(2 * energy)),
    ),
    options={"arguments": ACROSS, "undirected": True},
    remarks="The formula is that of graph.quadratic_form; what is asked here is accuracy. x^T L x by a matrix is "
    "right, but fails here, and so does a square multiplied out.",
)  # fmt: skip

energy_of_features = Claim(
    id="graph.quadratic_form.features",
    section=SECTION,
    title="The energies of several features add up",
    kind="equality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(NODES, FEATURES, BOTH_WAYS),
    inputs=(COLUMNS, ONE_WAY),
    program=Program(
        (
            either_way(),
            DEGREE,
            (Lx[i, f], applied(lambda a: x[a, f])),
            (E, Sum(x[i, f] * Lx[i, f], (f, 0, F - 1), (i, 0, n - 1)) / 2),
        ),
        (Output("E", E),),
    ),
    statement=Eq(E, Sum(W[i, j] * (x[i, f] - x[j, f]) ** 2, (f, 0, F - 1), (i, 0, n - 1), (j, 0, n - 1)) / 4),
    conditions=(SYMMETRIC,),
    derivation=energy_proof,
    variants=(
        Variant("square of the sum", "known bug", energy_is(
            over(W[i, j] * Sum(x[i, f] - x[j, f], (f, 0, F - 1)) ** 2, i, j) / 4)),
        Variant("mean over the features", "known bug", energy_is(
            Sum(W[i, j] * (x[i, f] - x[j, f]) ** 2, (f, 0, F - 1), (i, 0, n - 1), (j, 0, n - 1)) / (4 * F))),
        Variant("norms, not their squares", "known bug", energy_is(
            over(W[i, j] * sqrt(Sum((x[i, f] - x[j, f]) ** 2, (f, 0, F - 1))), i, j) / 4)),
    ),
    options={"arguments": ACROSS, "undirected": True},
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
    program=FORM,
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
    return Relation(Max(w * low * spread / 2 - E, E - w * high * spread / 2), "<=", 0)


bounds = Claim(
    id="graph.quadratic_form.bounds",
    section=SECTION,
    title="On a connected graph the energy vanishes for constants alone, and lies between two eigenvalues",
    kind="inequality",
    subject="graph.dirichlet_energy",
    driver="graph",
    structure=(GRAPHS,),
    inputs=(real("x", n), WEIGHT),
    program=Program(
        (
            (mean, over(x[j], j) / n),
            (Lx[i], laplacian(x, w)),
            (E, over(x[i] * Lx[i], i) / 2),
        ),
        (Output("E", E),),
    ),
    relation=between(gap, top),
    statement=And(Le(w * gap * spread / 2, E), Le(E, w * top * spread / 2)),
    conditions=(
        "connected",
        "every edge has the weight w",
        "gap and top are the least eigenvalue but 0, and the largest, for weights 1",
    ),
    derivation=bounds_proof,
    variants=(
        Variant("disconnected", "the condition dropped: two constants have energy 0", structure=(DISCONNECTED,)),
        Variant("without the half", "graph theory: x^T L x", energy_is(over(x[i] * Lx[i], i))),
        Variant("below half the largest eigenvalue", "too tight", relation=between(gap, top / Rational(2))),
        Variant("above twice the gap", "too tight", relation=between(2 * gap, top)),
    ),
    options={"arguments": ACROSS},
    remarks="So 0 is an eigenvalue once for each component.",
)  # fmt: skip

CLAIMS = (quadratic_form, offset, energy_of_features, nonnegative_form, bounds)
