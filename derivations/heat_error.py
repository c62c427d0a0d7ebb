"""How far a step of Euler's method, or a series, is from the exact solution of the heat equation (4.6.2)."""

from math import factorial
from typing import Any

from sympy import (
    Abs,
    Eq,
    IndexedBase,
    Integral,
    Le,
    Max,
    Piecewise,
    Sum,
    Symbol,
    exp,
    symbols,
)

from gnomon.derivations.graph_spectra import (
    APPLIED,
    CONNECTED,
    GRAPHS,
    WEIGHT,
    A,
    Lx,
    by_modes,
    deviation,
    exponents,
    flow_steps,
    i,
    j,
    k,
    laplacian,
    mode_steps,
    n,
    q,
    time,
    top,
    w,
    width,
    x,
    z,
)
from gnomon.proof.derivation import Derivation, Step, cite, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Graph, Size, nonnegative, real

SECTION = "4.6.2"
y = IndexedBase("y", real=True)

# ------------------------------------------------------------------ a step

average = Symbol("average", real=True)
EXACT = IndexedBase("exact", real=True)
error = Sum((y[j] - EXACT[j]) ** 2, (j, 0, n - 1))


def error_proof() -> Derivation:
    z, s = symbols("z s", positive=True)
    return Derivation(
        (
            *mode_steps(CONNECTED),
            *flow_steps(CONNECTED),
            Step(
                "integrate",
                Integral((z - s) * exp(-s), (s, 0, z)),
                exp(-z) - (1 - z),
                why="the error of a mode with h lamda = z",
                by=((s - z + 1) * exp(-s),),
            ),
            Step(
                "integrate",
                Integral(z - s, (s, 0, z)),
                z**2 / 2,
                why="is not negative, and at most this, since 0 <= exp(-s) <= 1",
                wrong=(z**3 / 6,),
            ),
            Step(
                "series",
                exp(-z) - (1 - z),
                z**2 / 2,
                why="which is its first term: the step is of order 1",
                by=(z, 0, 3),
            ),
        ),
        "every eigenvalue; the modes on the graphs named",
        lift="mode",
    )


def at_most(bound: Any) -> Relation:
    return Relation(error, "<=", bound * deviation(x, average))


second = (width * w * top) ** 4 / 4
local_error = Claim(
    id="heat.euler_step.local_error",
    section=SECTION,
    title="A step of Euler's method is off by at most (h w top)^2 / 2 times the distance from the mean",
    kind="order",
    subject="graph.heat_step",
    driver="graph",
    structure=(GRAPHS,),
    inputs=(real("x", n), nonnegative("h", host=True, high=0.5, typical=(0.0625, 2.0**-10)), WEIGHT),
    program=Program(
        (
            (average, Sum(x[j], (j, 0, n - 1)) / n),
            exponents(width * w),
            by_modes(exp(-z[k])),
            (EXACT[i], APPLIED),
            (Lx[i], laplacian(x, w)),
            (y[i], x[i] - width * Lx[i]),
        ),
        (Output("y", y[i], (i, 0, n - 1)),),
    ),
    relation=at_most(second),
    statement=Le(error, second * deviation(x, average)),
    conditions=(
        "top is the largest eigenvalue for weights 1",
        "connected",
        "undirected",
        "every edge has the weight w",
    ),
    derivation=error_proof,
    variants=(
        Variant("plus h L x", "other sign", ((y[i], x[i] + width * Lx[i]),)),
        Variant("half the step size", "known bug", ((y[i], x[i] - width * Lx[i] / 2),)),
        Variant(
            "of third order", "too tight: true of the midpoint method", relation=at_most((width * w * top) ** 6 / 36)
        ),
        Variant("half of it", "too tight", relation=at_most(second / 4)),
    ),
    options={"arguments": ("x", "edge_index", "h", "edge_weight")},
    remarks="Squared on both sides. After T/h such steps the error is of order h.",
)

# ------------------------------------------------------------------ a series

ORDER = 12
NODES = Size("n", 1, 3)
LINKS = Graph("A", NODES, connected=False, directed=True, loops=True)
(N,) = (NODES.symbol,)
weights = IndexedBase("w", nonnegative=True)
term, series, W, degree, size, most, rest = (
    IndexedBase(name, real=True) for name in ("term", "series", "W", "degree", "size", "most", "rest")
)


def power(factor: Any, weight: Any = W[i, j]) -> tuple[Any, Any]:
    """The terms of the exponential series, each from the one before."""
    applied = Sum(weight * (term[q - 1, i] - term[q - 1, j]), (j, 0, N - 1))
    return term[q, i], Piecewise((x[i], Eq(q, 0)), (factor * applied / q, True))


def running(base: Any, value: Any) -> tuple[Any, Any]:
    """The largest of the values up to i."""
    return base[i], Piecewise((value, Eq(i, 0)), (Max(base[i - 1], value), True))


REMAINDER = (rest[q], Piecewise((size[N - 1], Eq(q, 0)), (rest[q - 1] * 2 * time * most[N - 1] / q, True)))
bound = (2 * time * most[N - 1]) ** (ORDER + 1) / factorial(ORDER + 1) * size[N - 1]


def series_proof() -> Derivation:
    s, rate, start = symbols("s lamda c_0", positive=True)
    first = start * (1 - rate * time + rate**2 * time**2 / 2 - rate**3 * time**3 / 6)
    return Derivation(
        (
            define(term[q, i], Symbol("(-t L)^q x_i / q!"), "each term is -t L / q times the one before"),
            Step(
                "series",
                exp(-rate * time) * start,
                first,
                why="for a mode; the coefficients do not depend on it",
                by=(time, 0, 4),
                wrong=(first.subs(rate, -rate),),
            ),
            cite("Taylor: the remainder is the integral over s, from 0 to t, of (t - s)^m / m! (-L)^(m+1) x(s)"),
            cite("the maximum principle: without negative weights exp(-L s) x stays between the extremes of x"),
            Step(
                "integrate",
                Integral((time - s) ** ORDER / factorial(ORDER), (s, 0, time)),
                time ** (ORDER + 1) / factorial(ORDER + 1),
                why="a row of L has entries whose sizes add up to at most twice the largest degree",
                by=(-((time - s) ** (ORDER + 1)) / factorial(ORDER + 1),),
            ),
        ),
        "every size and every order",
        lift="mode",
    )


def close(bound: Any) -> Relation:
    return Relation(Abs(y[i] - series[i]), "<=", bound, ((i, 0, N - 1),))


anywhere = Claim(
    id="heat.equation.series",
    section=SECTION,
    title="On any graph, with weights and one-way edges, the solution is the exponential series of -t L",
    kind="inequality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(NODES, LINKS),
    inputs=(real("x", NODES), nonnegative("t", high=0.0625), nonnegative("w", NODES, NODES, high=1.0)),
    program=Program(
        (
            (W[i, j], A[i, j] * weights[i, j]),
            (degree[i], Sum(W[i, j], (j, 0, N - 1))),
            running(most, degree[i]),
            running(size, Abs(x[i])),
            REMAINDER,
            power(-time),
            (series[i], Sum(term[q, i], (q, 0, ORDER))),
            (y[i], series[i]),
        ),
        (Output("y", y[i], (i, 0, N - 1)),),
    ),
    relation=close(rest[ORDER + 1]),
    statement=Le(Abs(y[i] - Sum(term[q, i], (q, 0, ORDER))), bound),
    conditions=("no weight is negative", "most is the largest degree, size the largest of the |x[i]|"),
    derivation=series_proof,
    variants=(
        Variant("one step of Euler's method", "first order", ((y[i], term[0, i] + term[1, i]),)),
        Variant("minus t L x twice", "known bug: the second term not halved", ((y[i], series[i] + term[2, i]),)),
        Variant("without the first term", "known bug", ((y[i], series[i] - x[i]),)),
    ),
    options={"arguments": ("x", "edge_index", "t", "edge_weight")},
    remarks=f"Up to the order {ORDER}, so that for t <= 1/16 the remainder is next to nothing. On a graph "
    "with one-way edges A[i, j] is the edge from j to i.",
)

CLAIMS = (local_error, anywhere)
