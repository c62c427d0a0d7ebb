"""The heat equation on graphs, step by step: Euler's method, and what a step does to temperatures (4.6.2)."""

from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Piecewise, Symbol, exp, symbols

from gnomon.derivations.graph import (
    ANY,
    APPLIED,
    BOTH_WAYS,
    DEGREE,
    DIRECTED,
    NODES,
    ONE_WAY,
    SIGNAL,
    SYMMETRIC,
    A,
    Lx,
    W,
    applied,
    d,
    either_way,
    i,
    j,
    n,
    neighbours,
    over,
    p,
    x,
    y,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, nonnegative, positive

SECTION = "4.6.2"
STEP = nonnegative("h", host=True, high=2.0, typical=(0.25, 0.5))
h = STEP.symbol
STEPPED = ("x", "edge_index", "h", "edge_weight")
difference = over(W[i, j] * (x[i] - x[j]), j)
euler = x[i] - h * difference
TEMPERATURES = Output("y", y[i], (i, 0, n - 1))
UNDIRECTED = {"arguments": STEPPED, "undirected": True}

# ------------------------------------------------------------------ the step


def becomes(value: Any, *more: Any) -> tuple[Any, ...]:
    return (*more, (y[i], value))


def step_proof() -> Derivation:
    """Euler's method is a definition; its error is that of the tangent, mode by mode."""
    rate = Symbol("lamda", nonnegative=True)
    width = Symbol("h", nonnegative=True)
    return Derivation(
        (
            define(y[i], x[i] + h * (-difference), "Euler's method: a step of size h along x' = -L x"),
            Step(
                "collapse",
                over((KroneckerDelta(i, j) - h * (KroneckerDelta(i, j) * d[i] - W[i, j])) * x[j], j),
                x[i] - h * (d[i] * x[i] - over(W[i, j] * x[j], j)),
                why="the same as (I - h L) x",
                wrong=(x[i] + h * (d[i] * x[i] - over(W[i, j] * x[j], j)),),
            ),
            Step(
                "substitute",
                x[i] - h * (d[i] * x[i] - over(W[i, j] * x[j], j)),
                euler,
                why="with the row sums for degrees",
                by=((d[i], over(W[i, j], j)),),
            ),
            Step(
                "series",
                exp(-rate * width) - (1 - rate * width),
                rate**2 * width**2 / 2,
                why="a mode with eigenvalue lamda is left with an error of second order in h",
                by=(width, 0, 3),
                wrong=(-(rate**2) * width**2 / 2,),
            ),
        ),
        lift="mode",
    )


def step_variants() -> tuple[Variant, ...]:
    """What goes wrong within one step."""
    within = over(W[i, j] * (x[i] - Piecewise((y[j], j < i), (x[j], True))), j)
    applied = over(W[i, j] * (IndexedBase("s")[i] - IndexedBase("s")[j]), j)
    return (
        Variant("plus h L x", "other sign: heat runs uphill", becomes(x[i] + h * difference)),
        Variant("step size applied twice", "known bug", becomes(x[i] - h**2 * difference)),
        Variant("each node moves by its mean difference", "random-walk normalisation",
                becomes(Piecewise((x[i], Eq(neighbours(i), 0)), (x[i] - h * difference / d[i], True)), DEGREE)),
        Variant("a node sees neighbours that have moved already", "known bug: updated in place",
                becomes(x[i] - h * within)),
        Variant("weights ignored", "known bug", becomes(x[i] - h * over(A[i, j] * (x[i] - x[j]), j))),
        Variant("a second-order step", "midpoint method",
                becomes(euler + h**2 * applied / 2, (IndexedBase("s")[i], difference))),
        Variant("the change without the state", "known bug: forgotten residual", becomes(-h * difference)),
    )  # fmt: skip


euler_step = Claim(
    id="heat.euler_step",
    section=SECTION,
    title="A step of Euler's method subtracts h times the Laplacian of the signal",
    kind="equality",
    subject="graph.heat_step",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(SIGNAL, ONE_WAY, STEP),
    program=Program((DIRECTED, DEGREE, APPLIED, (y[i], x[i] - h * Lx[i])), (TEMPERATURES,)),
    definition=Program((DIRECTED,), (Output("y", euler, (i, 0, n - 1)),)),
    statement=Eq(y[i], euler),
    derivation=step_proof,
    variants=step_variants(),
    options={"arguments": STEPPED},
)

STEPS = Size("steps", 2, 4)
state = IndexedBase("state", real=True)
t = Symbol("t", integer=True)


def path(later: Any) -> tuple[Any, Any]:
    return state[t, i], Piecewise((x[i], Eq(t, 0)), (later, True))


def along(a: Any) -> Any:
    """The Laplacian of the state after step a."""
    return applied(lambda node: state[a, node])


def steps_proof() -> Derivation:
    rate, width = symbols("lamda h", real=True)
    c, start = IndexedBase("c", real=True), Symbol("c_0", real=True)
    return Derivation(
        (
            *step_proof().steps[:3],
            Step(
                "induction",
                Eq(c[t], (1 - width * rate) * c[t - 1]),
                (1 - width * rate) ** t * start,
                why="so every mode shrinks geometrically: the n-th state is (I - h L)^n x",
                by=(t, 0, start),
                wrong=((1 - width * rate * t) * start,),
            ),
        ),
        "every number of steps and every size",
        lift="mode",
    )


def many(name: str, subject: str, driver: str, title: str, **options: Any) -> Claim:
    last = STEPS.symbol
    return Claim(
        id=f"heat.euler_step.{name}",
        section=SECTION,
        title=title,
        kind="equality",
        subject=subject,
        driver=driver,
        structure=(NODES, STEPS, BOTH_WAYS),
        inputs=(SIGNAL, ONE_WAY, positive("h", host=True, high=1.0, typical=(0.25, 0.5))),
        program=Program(
            (either_way(), DEGREE, path(state[t - 1, i] - h * along(t - 1))),
            (Output("y", state[last, i], (i, 0, n - 1)),),
        ),
        statement=Eq(state[t, i], state[t - 1, i] - h * along(t - 1)),
        conditions=("the first state is x",),
        derivation=steps_proof,
        variants=(
            Variant("all slopes from the first state", "known bug", (path(state[t - 1, i] - h * along(0)),)),
            Variant("every step starts from the first state", "known bug", (path(x[i] - h * along(t - 1)),)),
            Variant("the step size shrinks with time", "known bug", (path(state[t - 1, i] - h / t * along(t - 1)),)),
            Variant("plus h L x", "other sign", (path(state[t - 1, i] + h * along(t - 1)),)),
        ),
        options={"undirected": True, **options},
    )  # fmt: skip


sequence = many(
    "sequence",
    "graph.euler_heat",
    "graph",
    "Several steps: each one starts from the state that the last one reached",
    arguments=("x", "edge_index", "h", "steps", "edge_weight"),
)
layer = many(
    "layer",
    "graph.HeatDiffusion",
    "graph_layer",
    "The layer takes the steps that it is built for",
    construct=("h", "steps"),
    arguments=("x", "edge_index", "edge_weight"),
)

# ------------------------------------------------------------------ gradient descent


slope, half = IndexedBase("slope", real=True), IndexedBase("half", nonnegative=True)


def descent_proof() -> Derivation:
    energy = over(W[i, j] * (x[i] - x[j]) ** 2, i, j) / 4
    both = over(W[p, j] * (x[p] - x[j]), j) / 2 - over(W[i, p] * (x[i] - x[p]), i) / 2
    slope = over(W[p, j] * (x[p] - x[j]), j)
    return Derivation(
        (
            Step(
                "differentiate",
                energy,
                both,
                why="node p is in every edge twice, as i and as j",
                by=(x[p],),
                wrong=(over(W[p, j] * (x[p] - x[j]), j) / 2,),
            ),
            Step(
                "reindex",
                both,
                slope,
                why="for a symmetric A both halves are the same: the gradient is L x",
                by=(W,),
                wrong=(2 * slope,),
            ),
        )
    )


learning_rate = Claim(
    id="heat.step_as_learning_rate",
    section=SECTION,
    title="A step of gradient descent on the Dirichlet energy is a step of Euler's method: h is a learning rate",
    kind="equality",
    subject="graph.dirichlet_energy",
    driver="graph_descent",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, ONE_WAY, STEP),
    program=Program(
        (
            either_way(),
            (half[i, j], W[i, j] / 2),
            (d[i], over(half[i, j] + half[j, i], j)),
            (slope[i], applied(lambda node: x[node], half[i, j] + half[j, i])),
            (y[i], x[i] - h * slope[i]),
        ),
        (TEMPERATURES,),
    ),
    definition=Program((either_way(),), (Output("y", euler, (i, 0, n - 1)),)),
    statement=Eq(x[p] - h * Symbol("dE/dx_p"), x[p] - h * over(W[p, j] * (x[p] - x[j]), j)),
    conditions=(SYMMETRIC, "E = x^T L x / 2"),
    derivation=descent_proof,
    variants=(
        Variant("energy without the half", "graph theory: x^T L x", becomes(x[i] - 2 * h * difference)),
        Variant("one half too many", "known bug", becomes(x[i] - h * difference / 2)),
        Variant("gradient ascent", "known bug", becomes(x[i] + h * difference)),
        Variant("unweighted energy", "known bug", becomes(x[i] - h * over(A[i, j] * (x[i] - x[j]), j))),
    ),
    options={"arguments": ("x", "edge_index", "edge_weight"), "undirected": True},
    remarks="What is observed is x - h times the gradient that autograd finds for the energy.",
)

CLAIMS = (euler_step, sequence, layer, learning_rate)
