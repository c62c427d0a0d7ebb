"""What a step of the heat equation does to temperatures: cooling, averaging, and what it conserves (4.6.2)."""

from typing import Any

from sympy import Abs, And, Eq, Ge, IndexedBase, Le, Max, Min, Piecewise, Rational, Symbol, symbols

from gnomon.derivations.graph import (
    ANY,
    APPLIED,
    BOTH_WAYS,
    DEGREE,
    DIRECTED,
    LARGEST,
    NODES,
    ONE_WAY,
    SIGNAL,
    SYMMETRIC,
    A,
    Lx,
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
from gnomon.derivations.heat import STEP, STEPPED, TEMPERATURES, UNDIRECTED, becomes, difference, euler, h
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Program, Relation, Variant
from gnomon.say.domain import Graph, Size, nonnegative, positive, real

SECTION = "4.6.2"

STEPPING = Program((either_way(), DEGREE, APPLIED, (y[i], x[i] - h * Lx[i])), (TEMPERATURES,))

# ------------------------------------------------------------------ cooling

LINKED = Size("n", 2, LARGEST)
CONNECTED = Graph("A", LINKED)
TEMPERATURE, CONDUCTANCE = real("x", LINKED), positive("w", LINKED, LINKED, high=1.0)
around = IndexedBase("around", real=True)
AROUND = (around[i], over(W[i, j] * x[j], j) / d[i])
WARMTH = Program((either_way(), DEGREE, AROUND, APPLIED, (y[i], Lx[i])), (TEMPERATURES,))
CONDITIONS = (SYMMETRIC, "weights are positive", "every node has a neighbour")


def cooling_proof() -> Derivation:
    rate = d[i] * (x[i] - over(W[i, j] * x[j], j) / d[i])
    arriving = Symbol("arriving", real=True)
    colder, warmer = symbols("colder warmer", real=True)
    return Derivation(
        (
            Step(
                "substitute",
                d[i] * x[i] - over(W[i, j] * x[j], j),
                difference,
                why="a node's differences to its neighbours, summed",
                by=((d[i], over(W[i, j], j)),),
            ),
            Step(
                "rewrite",
                d[i] * x[i] - over(W[i, j] * x[j], j),
                rate,
                why="are the degree times the difference from the neighbours' mean",
                wrong=(x[i] - over(W[i, j] * x[j], j) / d[i],),
            ),
            Step(
                "inequality",
                Ge((d[i] * x[i] - arriving) * (x[i] - arriving / d[i]), 0),
                d[i] * (x[i] - arriving / d[i]) ** 2,
                why="the degree is positive, so that both have the same sign",
            ),
            Step(
                "refute",
                Ge(((1 - colder) + (1 - warmer)) * (1 - colder), 0),
                Ge(((1 - colder) + (1 - warmer)) * (1 - (colder + warmer) / 2), 0),
                why="a node at 1 between neighbours at 1/2 and 3 is warmer than one of them, and warms up",
                by=({colder: Rational(1, 2), warmer: 3},),
            ),
        )
    )


def same_sign(other: Any, *ranges: Any) -> Relation:
    """The Laplacian of the temperatures and a difference have the same sign."""
    return Relation(y[i] * other, ">=", 0, ((i, 0, n - 1), *ranges))


cooling_sign = Claim(
    id="heat.cooling_sign",
    section=SECTION,
    title="A node cools down where it is warmer than the mean of its neighbours",
    kind="inequality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(LINKED, CONNECTED),
    inputs=(TEMPERATURE, CONDUCTANCE),
    program=WARMTH,
    relation=same_sign(x[i] - around[i]),
    statement=Ge(difference * (x[i] - around[i]), 0),
    conditions=CONDITIONS,
    derivation=cooling_proof,
    variants=(
        Variant(
            "warmer than some neighbour",
            "notes: 'Lx is positive if my temperature > neighbor'",
            relation=same_sign(A[i, j] * Max(x[i] - x[j], 0), (j, 0, n - 1)),
            printed=True,
            why="A node at 1 between neighbours at 1/2 and 3 is warmer than one of them, and (L x) is -3/2 there.",
        ),
        Variant("neighbour minus node", "other sign", becomes(over(W[i, j] * (x[j] - x[i]), j))),
        Variant("neighbours alone", "known bug: A x without D", becomes(-over(W[i, j] * x[j], j))),
        Variant(
            "the plain mean of the neighbours",
            "wrong with weights",
            relation=same_sign(over(A[i, j], j) * x[i] - over(A[i, j] * x[j], j)),
        ),
    ),
    options={"arguments": ("x", "edge_index", "edge_weight"), "undirected": True},
    remarks="The mean is weighted with the edges' weights.",
)

cooling_rate = Claim(
    id="heat.cooling_sign.rate",
    section=SECTION,
    title="It cools at its degree times the difference from that mean",
    kind="equality",
    subject="graph.laplacian_apply",
    driver="graph",
    structure=(LINKED, CONNECTED),
    inputs=(TEMPERATURE, CONDUCTANCE),
    program=Program((either_way(), DEGREE, APPLIED, (y[i], Lx[i])), (TEMPERATURES,)),
    definition=Program((either_way(), DEGREE, AROUND, (y[i], d[i] * (x[i] - around[i]))), (TEMPERATURES,)),
    statement=Eq(difference, d[i] * (x[i] - around[i])),
    conditions=CONDITIONS,
    derivation=cooling_proof,
    variants=(
        Variant("the difference from the mean itself", "random-walk normalisation", becomes(difference / d[i], DEGREE)),
        Variant("neighbour minus node", "other sign", becomes(-difference)),
        Variant(
            "the plain mean of the neighbours",
            "wrong with weights",
            becomes(d[i] * (x[i] - over(A[i, j] * x[j], j) / over(A[i, j], j)), DEGREE),
        ),
    ),
    options={"arguments": ("x", "edge_index", "edge_weight"), "undirected": True},
)

# ------------------------------------------------------------------ averaging

MILD = nonnegative("h", host=True, high=2.0, typical=(0.5, 1.0, 2.0))
SIGNED = real("w", NODES, NODES, low=-1.0, high=1.0)
LIGHT = nonnegative("w", NODES, NODES, high=2.0)

low, high = IndexedBase("low", real=True), IndexedBase("high", real=True)
there = Piecewise((x[j], Eq(A[i, j], 1)), (x[i], True))
EXTREMES = (
    (low[i, j], Piecewise((Min(x[i], there), Eq(j, 0)), (Min(low[i, j - 1], there), True))),
    (high[i, j], Piecewise((Max(x[i], there), Eq(j, 0)), (Max(high[i, j - 1], there), True))),
)
least, greatest = low[i, n - 1], high[i, n - 1]
coldest, warmest = IndexedBase("least", real=True)[i], IndexedBase("greatest", real=True)[i]
beyond = Max(0, h * d[i] - 1) * (warmest - coldest)
outside = Max(y[i] - greatest, least - y[i])


def averaging_proof() -> Derivation:
    """Temperatures as top - c[j], with c[j] >= 0, or bottom + c[j]; exchanging the signs gives the other bound."""
    c = IndexedBase("c", nonnegative=True)
    width, top, spread = symbols("h top spread", nonnegative=True)
    step = x[i] - width * (d[i] * x[i] - over(W[i, j] * x[j], j))
    gaps = (1 - width * d[i]) * c[i] + width * over(W[i, j] * c[j], j)
    below = (x[i], top - c[i])
    return Derivation(
        (
            Step(
                "rewrite",
                step,
                (1 - width * d[i]) * x[i] + width * over(W[i, j] * x[j], j),
                why="the weights of a node and of its neighbours; they add up to 1",
                wrong=((1 - width) * x[i] + width * over(W[i, j] * x[j], j) / d[i],),
            ),
            Step(
                "substitute",
                top - step,
                top * width * (d[i] - over(W[i, j], j)) + gaps,
                why="the distance from the warmest is the average of the distances, with the row sums for degrees",
                by=(below,),
            ),
            Step(
                "inequality",
                Ge(gaps, 0),
                gaps,
                why="so it is not negative if h d <= 1: no temperature leaves the range of node and neighbours",
                assume=(width * d[i] <= 1,),
            ),
            Step(
                "inequality",
                Ge((width * d[i] - 1) * spread + gaps, 0),
                (width * d[i] - 1) * (spread - c[i]) + width * over(W[i, j] * c[j], j),
                why="and beyond, it leaves the range by h d - 1 times its width at most",
                assume=(width * d[i] >= 1, spread >= c[i]),
            ),
            Step(
                "substitute",
                (1 - width * d[i]) * x[i] + width * over(W[i, j] * x[j], j),
                over(W[i, j] * x[j], j) / d[i],
                why="at h = 1/d the node's own temperature is forgotten: what is left is its neighbours' mean",
                by=((width, 1 / d[i]),),
            ),
        )
    )


averaging = Claim(
    id="heat.averaging",
    section=SECTION,
    title="A step averages a node with its neighbours if h times its degree is at most 1, and overshoots beyond",
    kind="inequality",
    subject="graph.heat_step",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(SIGNAL, LIGHT, MILD),
    program=Program((DIRECTED, DEGREE, *EXTREMES, APPLIED, (y[i], x[i] - h * Lx[i])), (TEMPERATURES,)),
    relation=Relation(outside, "<=", Max(0, h * d[i] - 1) * (greatest - least), ((i, 0, n - 1),)),
    statement=And(Le(y[i], warmest + beyond), Ge(y[i], coldest - beyond)),
    conditions=(
        "no weight is negative",
        "least[i] and greatest[i] are the extremes over node i and the neighbours whose edges reach it",
    ),
    derivation=averaging_proof,
    variants=(
        Variant(
            "for every step size",
            "notes: 'temperature at each location is averaged with its neighbors'",
            relation=Relation(outside, "<=", 0, ((i, 0, n - 1),)),
            printed=True,
            why="Two nodes at 0 and 1 with h = 2 become 2 and -1.",
        ),
        Variant("plus h L x", "other sign", becomes(x[i] + h * difference)),
        Variant(
            "up to twice the step size",
            "too tight: stability is weaker than averaging",
            relation=Relation(outside, "<=", Max(0, h * d[i] - 2) * (greatest - least), ((i, 0, n - 1),)),
        ),
        Variant("weights may be negative", "the condition dropped", inputs=(SIGNED,)),
    ),
    options={"arguments": STEPPED},
    remarks="At h = 1/d the neighbours' mean takes the place of the node's temperature, which is forgotten.",
)

mixture = Claim(
    id="heat.averaging.neighbour_mean",
    section=SECTION,
    title="A step multiplies the difference from the neighbours' mean by 1 - h d",
    kind="equality",
    subject="graph.heat_step",
    driver="graph",
    structure=(LINKED, CONNECTED),
    inputs=(TEMPERATURE, CONDUCTANCE, STEP),
    program=STEPPING,
    definition=Program(
        (either_way(), DEGREE, AROUND, (y[i], around[i] + (1 - h * d[i]) * (x[i] - around[i]))), (TEMPERATURES,)
    ),
    statement=Eq(y[i], around[i] + (1 - h * d[i]) * (x[i] - around[i])),
    conditions=CONDITIONS,
    derivation=averaging_proof,
    variants=(
        Variant("the mean of the neighbours", "notes, read word for word", becomes(around[i], DEGREE, AROUND)),
        Variant(
            "the mean of a node and its neighbours",
            "another reading: GCN's self loop",
            becomes((x[i] + over(W[i, j] * x[j], j)) / (1 + d[i]), DEGREE),
        ),
        Variant("a mixture with weight h", "random-walk normalisation",
                becomes((1 - h) * x[i] + h * around[i], DEGREE, AROUND)),
    ),
    options=UNDIRECTED,
)  # fmt: skip

# ------------------------------------------------------------------ conservation


def conservation_proof() -> Derivation:
    return Derivation(
        (
            define(y[i], euler, "a step of Euler's method; the flow has the same L"),
            Step(
                "reindex",
                over(x[i], i) - h * over(W[i, j] * (x[i] - x[j]), i, j),
                over(x[i], i),
                why="what a node loses to another, the other gains: exchanging i and j gives the sum its other sign",
                by=(W,),
            ),
            Step(
                "refute",
                Eq(over(W[i, j] * (x[i] - x[j]), i, j), 0),
                Eq(over((W[i, j] + W[j, i]) * (x[i] - x[j]), i, j), 0),
                why="with a single edge from node 0 to node 1 the second one warms up, and the first one stays",
                by=({n: 2, W[0, 0]: 0, W[0, 1]: 0, W[1, 0]: 1, W[1, 1]: 0, x[0]: 1, x[1]: 0},),
            ),
        )
    )


mean_conservation = Claim(
    id="heat.mean_conservation",
    section=SECTION,
    title="On an undirected graph a step conserves the sum, and with it the mean",
    kind="equality",
    subject="graph.heat_step",
    driver="graph",
    structure=(NODES, BOTH_WAYS),
    inputs=(SIGNAL, ONE_WAY, STEP),
    program=STEPPING,
    relation=Relation(Abs(over(y[i] - x[i], i)), "<=", 0),
    statement=Eq(over(y[i], i), over(x[i], i)),
    conditions=(SYMMETRIC,),
    derivation=conservation_proof,
    variants=(
        Variant("directed", "the condition dropped", structure=(ANY,)),
        Variant(
            "rows divided by the degrees",
            "random-walk normalisation",
            becomes(Piecewise((x[i], Eq(neighbours(i), 0)), (x[i] - h * difference / d[i], True)), DEGREE),
        ),
        Variant(
            "a node sees neighbours that have moved already",
            "known bug: updated in place",
            becomes(x[i] - h * over(W[i, j] * (x[i] - Piecewise((y[j], j < i), (x[j], True))), j)),
        ),
        Variant("the mean of the squares", "another quantity",
                relation=Relation(Abs(over(y[i] ** 2 - x[i] ** 2, i)), "<=", 0)),
    ),
    options=UNDIRECTED,
    remarks="It holds on each component by itself.",
)  # fmt: skip

CLAIMS = (cooling_sign, cooling_rate, averaging, mixture, mean_conservation)
