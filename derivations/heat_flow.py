"""The exact solution of the heat equation on graphs, and where it tends (4.6.2)."""

from math import factorial
from typing import Any

from gnomon.derivations.graph import ANY
from gnomon.derivations.graph_spectra import (
    ALL_GRAPHS,
    APART,
    CONNECTED,
    DIRECTED,
    DISCONNECTED,
    GRAPHS,
    APPLIED,
    A,
    by_modes,
    d,
    decay_steps,
    deviation,
    flow_steps,
    gap,
    i,
    j,
    k,
    kernel,
    lam,
    mode as c,
    mu,
    n,
    q,
    time,
    top,
    u,
    v,
    width,
    x,
)
from sympy import (
    Abs,
    Derivative,
    Eq,
    Function,
    Ge,
    IndexedBase,
    Integral,
    Le,
    Max,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    cos,
    exp,
    limit,
    oo,
    pi,
    symbols,
)

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivation import Derivation, Step, cite, define
from gnomon.domain import Choice, Size, nonnegative, real

SECTION = "4.6.2"
SIGNAL, TIME = real("x", n), nonnegative("t", host=True, high=64.0, typical=(0.5, 1.0, 8.0))
FLOW = ("x", "edge_index", "t")
y = IndexedBase("y", real=True)
TEMPERATURES = Output("y", y[i], (i, 0, n - 1))


EXACT = by_modes(exp(-lam[k] * time))
SOLUTION = (EXACT, (y[i], APPLIED))

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
        (symmetric_step(), *decay_steps(), *flow_steps({**CONNECTED, **APART})),
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
    structure=(ALL_GRAPHS,),
    inputs=(SIGNAL, TIME),
    program=Program(SOLUTION, (TEMPERATURES,)),
    statement=Eq(y[i], Sum(c[k] * exp(-lam[k] * time) * v[k, i], (k, 0, n - 1))),
    conditions=("y' = -L y, and y = x at t = 0", "v[k] are orthogonal eigenvectors of L for lamda[k], and c[k] the coefficients of x in them", "no weights"),
    derivation=solution_proof,
    variants=(
        Variant("x' = +L x", "other sign: blows up", (by_modes(exp(lam[k] * time)),)),
        Variant("one step of Euler's method", "first order", (by_modes(1 - lam[k] * time),)),
        Variant("one implicit step", "first order, backward Euler", (by_modes(1 / (1 + lam[k] * time)),)),
        Variant("half the time", "known bug", (by_modes(exp(-lam[k] * time / 2)),)),
        Variant("as in continuous space", "known bug: squared eigenvalues", (by_modes(exp(-(lam[k] ** 2) * time)),)),
        Variant("slowed down by the largest degree", "random-walk normalisation",
                (by_modes(exp(-lam[k] * time / top)),)),
    ),
    options={"arguments": FLOW},
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
    return kernel[i, j], Sum(wave[k, i] * wave[k, j] * exp(-rate * time) * once / n, (k, 0, n - 1))


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
    inputs=(SIGNAL, TIME),
    program=Program((WAVES, rippled(2 - 2 * cos(angle)), (y[i], APPLIED)), (TEMPERATURES,)),
    statement=Eq(y[i], Sum(cos(angle * (2 * i + 1) / 2) * exp(-(2 - 2 * cos(angle)) * time) * c[k], (k, 0, n - 1))),
    conditions=("c[k] are the coefficients of x in the cosines", "no weights"),
    derivation=path_proof,
    variants=(
        Variant("the eigenvalues of a cycle", "periodic ends", (rippled(2 - 2 * cos(2 * angle)),)),
        Variant("the eigenvalues of the continuous line", "angle squared", (rippled(angle**2),)),
        Variant("ends kept at zero", "Dirichlet's boundary condition", (rippled(2 - 2 * cos(pi * (k + 1) / (n + 1))),)),
    ),
    options={"arguments": FLOW},
)

ORDER = 16
NODES = Size("n", 1, 3)
MANY = ANY.__class__("A", NODES, connected=False, directed=True, loops=True)
term, taylor, W, degree, size, most = (
    IndexedBase(name, real=True) for name in ("term", "taylor", "W", "degree", "size", "most")
)
nodes = NODES.symbol


def around(signal: Any) -> Any:
    return Sum(W[i, j] * (signal(i) - signal(j)), (j, 0, nodes - 1))


def power(factor: Any) -> tuple[Any, Any]:
    """The terms of the exponential series, each from the one before."""
    return term[q, i], Piecewise((x[i], Eq(q, 0)), (factor * around(lambda a: term[q - 1, a]) / q, True))


def running(base: Any, value: Any) -> tuple[Any, Any]:
    return base[i], Piecewise((value, Eq(i, 0)), (Max(base[i - 1], value), True))


remainder = (2 * time * most[nodes - 1]) ** (ORDER + 1) / factorial(ORDER + 1) * size[nodes - 1]


def series_proof() -> Derivation:
    s, order, start, rate = symbols("s m x_0 lamda", positive=True)
    weight = (time - s) ** ORDER / factorial(ORDER)
    return Derivation(
        (
            Step(
                "series",
                exp(-rate * time) * start,
                start * (1 - rate * time + rate**2 * time**2 / 2 - rate**3 * time**3 / 6),
                why="the terms of the series: each is -t L / q times the one before",
                by=(time, 0, 4),
                wrong=(start * (1 + rate * time + rate**2 * time**2 / 2 + rate**3 * time**3 / 6),),
            ),
            cite("Taylor's theorem: the remainder is the integral of (t - s)^m / m! times (-L)^(m+1) x(s), s from 0 to t"),
            cite("with no negative weight exp(-L s) averages: no temperature leaves the range of the first ones"),
            Step(
                "integrate",
                Integral(weight, (s, 0, time)),
                time ** (ORDER + 1) / factorial(ORDER + 1),
                why="and a row of L has entries whose sizes add up to twice the degree",
                by=(-((time - s) ** (ORDER + 1)) / factorial(ORDER + 1),),
            ),
        ),
        lift="mode",
    )


anywhere = Claim(
    id="heat.equation.series",
    section=SECTION,
    title="On any graph, with weights or one-way edges, the solution is the exponential series of -L t",
    kind="inequality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(NODES, MANY),
    inputs=(
        real("x", NODES),
        nonnegative("t", high=0.25),
        nonnegative("w", NODES, NODES, high=1.0),
    ),
    program=Program(
        (
            (W[i, j], A[i, j] * Symbol("w") if False else A[i, j] * IndexedBase("w", nonnegative=True)[i, j]),
            (degree[i], Sum(W[i, j], (j, 0, nodes - 1))),
            running(most, degree[i]),
            running(size, Abs(x[i])),
            power(-time),
            (taylor[i], Sum(term[q, i], (q, 0, ORDER))),
        ),
        (Output("y", taylor[i], (i, 0, nodes - 1)),),
    ),
    relation=Relation(Abs(y[i] - taylor[i]), "<=", remainder, ((i, 0, nodes - 1),)),
    statement=Le(Abs(y[i] - Sum(term[q, i], (q, 0, ORDER))), remainder),
    conditions=(f"term[q] is (-t L)^q x / q!, up to the order {ORDER}", "no weight is negative"),
    derivation=series_proof,
    variants=(
        Variant("x' = +L x", "other sign", relation=None, replace=(power(time),)),
    ),
    options={"arguments": (*FLOW, "edge_weight")},
)

CLAIMS = (equation, on_a_path)
