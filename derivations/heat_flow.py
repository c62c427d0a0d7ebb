"""The exact solution of the heat equation on graphs, and where it tends (4.6.2)."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    Ge,
    IndexedBase,
    KroneckerDelta,
    Le,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    cos,
    exp,
    false,
    oo,
    pi,
    sqrt,
    symbols,
)

from gnomon.derivations.graph_spectra import (
    APPLIED,
    DIRECTED,
    DISCONNECTED,
    EVERY,
    IRREGULAR,
    UNDIRECTED,
    WEIGHT,
    A,
    by_modes,
    by_walk_modes,
    d,
    decay_steps,
    deviation,
    exponents,
    flow_steps,
    gap,
    i,
    j,
    k,
    kernel,
    lam,
    mu,
    n,
    time,
    top,
    v,
    w,
    x,
    z,
)
from gnomon.derivations.graph_spectra import (
    mode as c,
)
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, nonnegative, real

SECTION = "4.6.2"
SIGNAL, TIME = real("x", n), nonnegative("t", host=True, high=16.0, typical=(0.5, 1.0, 8.0))
INPUTS = (SIGNAL, TIME, WEIGHT)
FLOW = ("x", "edge_index", "t")
EVEN = {"arguments": (*FLOW, "edge_weight")}
SAME = "every edge has the weight w"
y = IndexedBase("y", real=True)
TEMPERATURES = Output("y", y[i], (i, 0, n - 1))


GRADIENTS = (
    "The solution is linear in x, so that its values show its gradient, too, which is not compared: symmetries make "
    "terms of the formula's gradient cancel exactly, and those of a matrix that has been computed and rounded do not."
)
EXACT = by_modes(exp(-z[k]))
SOLUTION = (exponents(time * w), EXACT, (y[i], APPLIED))

# ------------------------------------------------------------------ the solution


def symmetric_step() -> Step:
    """With a symmetric A, the coefficients of a solution obey equations of their own."""
    W, e, s = IndexedBase("W", nonnegative=True), IndexedBase("e", real=True), IndexedBase("s", real=True)
    a, b, size = symbols("a b N", integer=True, nonnegative=True)
    ends = (a, 0, size - 1), (b, 0, size - 1)
    return Step(
        "reindex",
        Sum(e[a] * W[a, b] * (s[a] - s[b]), *ends),
        Sum(s[a] * W[a, b] * (e[a] - e[b]), *ends),
        why="A is symmetric: the part of L s along an eigenvector e is its eigenvalue times the part of s",
        by=(W,),
    )


def solution_proof() -> Derivation:
    return Derivation(
        (symmetric_step(), *decay_steps(), *flow_steps(EVERY)),
        "every eigenvalue; the modes on the graphs named",
        lift="mode",
    )


equation = Claim(
    id="heat.equation",
    section=SECTION,
    title="The heat equation lets every eigenvector of the Laplacian decay with its eigenvalue",
    kind="equality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(UNDIRECTED,),
    inputs=INPUTS,
    program=Program(SOLUTION, (TEMPERATURES,)),
    statement=Eq(y[i], Sum(c[k] * exp(-lam[k] * w * time) * v[k, i], (k, 0, n - 1))),
    conditions=(
        "y' = -L y, and y = x at t = 0",
        "v[k] are orthogonal eigenvectors of L for lamda[k] w, and c[k] the coefficients of x in them",
        SAME,
    ),
    derivation=solution_proof,
    variants=(
        Variant("x' = +L x", "other sign: blows up", (by_modes(exp(z[k])),)),
        Variant("one step of Euler's method", "first order", (by_modes(1 - z[k]),)),
        Variant("one implicit step", "first order, backward Euler", (by_modes(1 / (1 + z[k])),)),
        Variant("half the time", "known bug", (by_modes(exp(-z[k] / 2)),)),
        Variant("as in continuous space", "known bug: squared eigenvalues", (by_modes(exp(-z[k] * lam[k])),)),
        Variant("slowed down by the largest degree", "random-walk normalisation",
                (by_modes(exp(-z[k] / top)),)),
    ),
    options=EVEN,
    gradient=False,
    remarks=GRADIENTS,
)  # fmt: skip

PATHS = Choice(
    "graph",
    {
        f"path of {size}": {
            A: tuple(tuple(int(abs(a - b) == 1) for b in range(size)) for a in range(size)),
            n: size,
        }
        for size in (1, 2, 3, 4, 5)
    },
)
angle = pi * k / n
wave = IndexedBase("wave", real=True)
WAVES = (wave[k, j], cos(angle * (2 * j + 1) / 2))


def rippled(rate: Any) -> tuple[Any, Any]:
    once = Piecewise((1, Eq(k, 0)), (2, True))
    return kernel[i, j], Sum(wave[k, i] * wave[k, j] * exp(-rate) * once / n, (k, 0, n - 1))


def path_proof() -> Derivation:
    theta, at = symbols("theta j", real=True)
    here = cos(theta * (at + Rational(1, 2)))
    left, right = here.subs(at, at - 1), here.subs(at, at + 1)
    whole = Symbol("k", integer=True)
    size = Symbol("n", integer=True, positive=True)
    last = cos(pi * whole / size * (size - Rational(1, 2)))
    return Derivation(
        (
            *decay_steps(),
            Step(
                "rewrite",
                2 * here - left - right,
                (2 - 2 * cos(theta)) * here,
                why="a node within the path: the wave is an eigenvector",
                wrong=((2 + 2 * cos(theta)) * here,),
            ),
            Step(
                "rewrite",
                cos(theta / 2) - cos(3 * theta / 2),
                (2 - 2 * cos(theta)) * cos(theta / 2),
                why="the first node, which has a neighbour on one side only",
            ),
            Step(
                "rewrite",
                last - cos(pi * whole / size * (size - Rational(3, 2))),
                (2 - 2 * cos(pi * whole / size)) * last,
                why="and the last one, for the angles pi k / n",
                wrong=((2 + 2 * cos(pi * whole / size)) * last,),
            ),
            cite("the vectors cos(pi k (j + 1/2) / n), k = 0, ..., n - 1, are orthogonal: DCT-II"),
        ),
        lift="mode",
    )


on_a_path = Claim(
    id="heat.equation.path",
    section=SECTION,
    title="On a path the eigenvectors are cosines, those of the discrete cosine transform",
    kind="equality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(PATHS,),
    inputs=(SIGNAL, nonnegative("t", high=16.0)),
    program=Program((WAVES, exponents(time, wave, wave), rippled(z[k]), (y[i], APPLIED)), (TEMPERATURES,)),
    statement=Eq(y[i], Sum(cos(angle * (2 * i + 1) / 2) * exp(-(2 - 2 * cos(angle)) * time) * c[k], (k, 0, n - 1))),
    conditions=("c[k] are the coefficients of x in the cosines", "no weights"),
    derivation=path_proof,
    variants=(
        Variant("the eigenvalues of a cycle", "periodic ends", (rippled((2 - 2 * cos(2 * angle)) * time),)),
        Variant("the eigenvalues of the continuous line", "angle squared", (rippled(angle**2 * time),)),
        Variant(
            "ends kept at zero",
            "Dirichlet's boundary condition",
            (rippled((2 - 2 * cos(pi * (k + 1) / (n + 1))) * time),),
        ),
    ),
    options={"arguments": FLOW},
    gradient=False,
    remarks=GRADIENTS,
)

# ------------------------------------------------------------------ where it tends

average = Symbol("average", real=True)
MEAN = (average, Sum(x[j], (j, 0, n - 1)) / n)


def limit_proof() -> Derivation:
    """What the other files show mode by mode, here for all of them: exp(2 gap t) |y - mean|^2 falls."""
    more = IndexedBase("more", nonnegative=True)
    rest = (k, 1, n - 1)
    start, first, second = symbols("x_0 x_1 x_2", real=True)
    falls = Sum(2 * more[k] * c[k] ** 2 * exp(-2 * more[k] * time), rest)
    return Derivation(
        (
            *decay_steps(),
            Step(
                "differentiate",
                Sum(c[k] ** 2 * exp(-2 * more[k] * time), rest),
                -falls,
                why="of exp(2 gap t) |y - mean|^2, in modes whose eigenvalues are gap + more[k]; mode 0 is the mean",
                by=(time,),
            ),
            Step("inequality", Ge(0, -falls), falls, why="so it falls, and is at most what it was at t = 0"),
            Step(
                "limit",
                (start + first) / 2 + exp(-2 * time) * (start - first) / 2,
                (start + first) / 2,
                why="two nodes and a lone one: the two tend to their own mean",
                by=(time, oo),
            ),
            Step(
                "refute",
                Eq((start + first) / 2, (start + first + second) / 3),
                false,
                why="which is not the mean of all three: from (0, 2, 5) it is 1, not 7/3",
                by=({start: 0, first: 2, second: 5},),
            ),
            *flow_steps(EVERY),
        ),
        "every size; the eigenvalues on the graphs named",
        lift="mode",
    )


def falling(rate: Any) -> Relation:
    return Relation(deviation(y, average), "<=", exp(-2 * rate * w * time) * deviation(x, average))


converges = Claim(
    id="heat.converges_to_average",
    section=SECTION,
    title="On a connected, undirected graph all temperatures tend to their mean, as fast as exp(-gap t)",
    kind="limit",
    subject="graph.heat_flow",
    driver="graph",
    structure=(IRREGULAR,),
    inputs=INPUTS,
    program=Program((*SOLUTION, MEAN), (TEMPERATURES,)),
    relation=falling(gap),
    statement=Le(deviation(y, average), exp(-2 * gap * w * time) * deviation(x, average)),
    conditions=(
        "connected",
        "undirected",
        "D - A, not normalised",
        SAME,
        "gap is the least eigenvalue but 0, for weights 1",
    ),
    derivation=limit_proof,
    variants=(
        Variant(
            "on every graph",
            "notes: 'converges to average temperature'",
            structure=(DISCONNECTED,),
            printed=True,
            why="Each component tends to its own mean: two nodes at 0 and 2 to 1, and a lone one stays at 5.",
        ),
        Variant("directed", "the condition dropped: the source never changes", structure=(DIRECTED,)),
        Variant(
            "rows divided by the degrees",
            "random-walk normalisation: tends to the mean weighted with the degrees",
            (by_walk_modes(exp(-mu[k] * time)),),
        ),
        Variant(
            "divided by the roots of both degrees",
            "symmetric normalisation: tends to a multiple of the degrees' roots",
            (by_walk_modes(exp(-mu[k] * time) * sqrt(d[i]) / sqrt(d[j])),),
        ),
        Variant("twice as fast", "too tight", relation=falling(2 * gap)),
    ),
    options=EVEN,
    remarks="It says more than a limit: the bound holds at every t, with the mean that the first temperatures have.",
)

flow_conserves = Claim(
    id="heat.mean_conservation.flow",
    section=SECTION,
    title="On an undirected graph the exact solution conserves the mean, connected or not",
    kind="equality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(UNDIRECTED,),
    inputs=INPUTS,
    program=Program(SOLUTION, (TEMPERATURES,)),
    relation=Relation(Abs(Sum(y[j] - x[j], (j, 0, n - 1))), "<=", 0),
    statement=Eq(Sum(y[j], (j, 0, n - 1)), Sum(x[j], (j, 0, n - 1))),
    conditions=("undirected", "D - A, not normalised", SAME),
    derivation=solution_proof,
    variants=(
        Variant("directed", "the condition dropped", structure=(DIRECTED,)),
        Variant("rows divided by the degrees", "random-walk normalisation", (by_walk_modes(exp(-mu[k] * time)),)),
        Variant("a mode too few", "known bug", (by_modes(exp(-z[k]) * (1 - KroneckerDelta(k, 0))),)),
    ),
    options=EVEN,
)

CLAIMS = (equation, on_a_path, converges, flow_conserves)
