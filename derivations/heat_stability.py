"""Up to which step size Euler's method is stable for the heat equation (4.6.2)."""

from typing import Any

from sympy import Abs, Eq, FiniteSet, Ge, IndexedBase, Le, Matrix, Max, Piecewise, Sum, Symbol, eye, sqrt, symbols

from gnomon.derivations.graph_spectra import (
    APPLIED,
    CONNECTED,
    GRAPHS,
    UNDIRECTED,
    WEIGHT,
    A,
    Lx,
    by_modes,
    energy_steps,
    exponents,
    gap,
    i,
    j,
    k,
    lam,
    laplacian,
    mode_steps,
    n,
    q,
    top,
    v,
    w,
    width,
    x,
    z,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Graph, Size, nonnegative, positive, real

SECTION = "4.6.2"
y = IndexedBase("y", real=True)
STEP = nonnegative("h", host=True, high=2.0, typical=(0.25, 0.5, 1.0))
SIGNAL = real("x", n)
euler = x[i] - width * Lx[i]
PROGRAM = Program(((Lx[i], laplacian(x)), (y[i], euler)), (Output("y", y[i], (i, 0, n - 1)),))
IMPLICIT = (exponents(width), by_modes(1 / (1 + z[k])), (y[i], APPLIED))
NAMED = "every size; the modes on the graphs named"
GRAPH = ("connected", "undirected", "no weights")


def stability_steps() -> tuple[Step, ...]:
    h, rate, low, high = symbols("h lamda gap top", nonnegative=True)
    share = Symbol("s", nonnegative=True)
    between = low + share * (high - low)
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
        Step(
            "inequality",
            Le((1 - h * between) ** 2, (1 - share) * (1 - h * low) ** 2 + share * (1 - h * high) ** 2),
            share * (1 - share) * h**2 * (high - low) ** 2,
            why="an eigenvalue between two others is multiplied by no more than the worse of the two: a parabola",
            assume=(share <= 1,),
        ),
    )


# ------------------------------------------------------------------ energy


def energy(signal: Any) -> Any:
    return Sum(A[i, j] * (signal[i] - signal[j]) ** 2, (i, 0, n - 1), (j, 0, n - 1)) / 4


factor = Max((1 - width * gap) ** 2, (1 - width * top) ** 2)

stability = Claim(
    id="heat.euler_stability",
    section=SECTION,
    title="A step multiplies the energy by (1 - h gap)^2 or (1 - h top)^2 at most: it does not grow if h <= 2 / top",
    kind="inequality",
    subject="graph.heat_step",
    driver="graph",
    structure=(GRAPHS,),
    inputs=(SIGNAL, STEP),
    program=PROGRAM,
    relation=Relation(energy(y), "<=", factor * energy(x)),
    statement=Le(energy(y), factor * energy(x)),
    conditions=(*GRAPH, "gap and top are the least eigenvalue but 0, and the largest"),
    derivation=lambda: Derivation(
        (*stability_steps(), *mode_steps(CONNECTED), *energy_steps(CONNECTED)), NAMED, lift="mode"
    ),
    variants=(
        Variant("for every step size", "the condition dropped", relation=Relation(energy(y), "<=", energy(x))),
        Variant("the gap alone decides", "too tight beyond h = 2 / (gap + top)",
                relation=Relation(energy(y), "<=", (1 - width * gap) ** 2 * energy(x))),
        Variant("one implicit step", "backward Euler: stable for every h",
                IMPLICIT),
        Variant("plus h L x", "other sign", ((y[i], 2 * x[i] - euler),)),
        Variant("step size doubled", "known bug: energy without its half", ((y[i], 2 * euler - x[i]),)),
    ),
    options={"arguments": ("x", "edge_index", "h")},
    remarks="With two nodes (top = 2) and h = 1 the temperatures change places for ever; with h = 1.1 they blow up.",
)  # fmt: skip

part = Sum(v[q, j] * y[j], (j, 0, n - 1)), Sum(v[q, j] * x[j], (j, 0, n - 1))


def each_mode(multiplied: Any) -> Relation:
    return Relation(Abs(part[0] - multiplied * part[1]), "<=", 0, ((q, 0, n - 1),))


modes = Claim(
    id="heat.euler_stability.modes",
    section=SECTION,
    title="A step multiplies each mode by 1 - h lamda: beyond h = 2 / top the last one grows",
    kind="equality",
    subject="graph.heat_step",
    driver="graph",
    structure=(UNDIRECTED,),
    inputs=(SIGNAL, STEP),
    program=PROGRAM,
    relation=each_mode(1 - width * lam[q]),
    statement=Eq(part[0], (1 - width * lam[q]) * part[1]),
    conditions=("undirected", "no weights", "v[q] is an eigenvector for lamda[q]"),
    derivation=lambda: Derivation((*stability_steps(), *mode_steps(CONNECTED)), NAMED, lift="mode"),
    variants=(
        Variant("one implicit step", "backward Euler", IMPLICIT),
        Variant("plus h L x", "other sign", ((y[i], 2 * x[i] - euler),)),
        Variant("step size doubled", "known bug: energy without its half", ((y[i], 2 * euler - x[i]),)),
        Variant("all modes alike", "wrong for more than two nodes", relation=each_mode(1 - width * top)),
    ),
    options={"arguments": ("x", "edge_index", "h")},
)

# ------------------------------------------------------------------ the largest step

BOUND = ("edge_index", "num_nodes", "edge_weight")
total, root, limit = symbols("total root limit", nonnegative=True)

whole = Claim(
    id="heat.euler_stability.graphs",
    section=SECTION,
    title="The largest stable step is 2 / top, and shrinks as all weights grow",
    kind="equality",
    subject="graph.stable_step",
    driver="graph",
    structure=(UNDIRECTED,),
    inputs=(WEIGHT,),
    program=Program((exponents(w), (limit, 2 / z[n - 1])), (Output("h", limit),)),
    statement=Eq(limit, 2 / (w * top)),
    conditions=("undirected", "every edge has the weight w", "top is the largest eigenvalue for weights 1"),
    derivation=lambda: Derivation((*stability_steps(), *energy_steps(CONNECTED)), NAMED, lift="mode"),
    variants=(
        Variant("1 / top", "the step at which the last mode is gone", ((limit, 1 / (w * top)),)),
        Variant("2 / gap", "known bug: eigenvalues sorted the other way", ((limit, 2 / (w * gap)),)),
        Variant("2 top", "known bug: the reciprocal", ((limit, 2 * w * top),)),
    ),
    options={"arguments": BOUND},
)

FEW = Size("n", 2, 3)
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
            *stability_steps()[:2],
        ),
        "n = 2, 3, with any weights",
        lift="mode",
    )


def limits(step: Any, *more: Any) -> tuple[Any, ...]:
    """The step for three nodes; for two it is one over the weight."""
    return (*more, (limit, step))


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

CLAIMS = (stability, modes, whole, weighted)
