"""Subgradients at kinks: when there is one alone, and those of the absolute value (notes, section 1.2.3)."""

from typing import Any

from sympy import Abs, Eq, Integer, Le, Max, Min, Piecewise, Rational, Sum, Symbol, false, oo, sqrt, symbols

from gnomon.derivations.backprop.act import instead, out
from gnomon.derivations.training.subdiff import (
    BUILD,
    FEATURES,
    OFFSETS,
    ORIGIN,
    SECTION,
    SLOPES,
    STRUCTURE,
    best_x,
    dot,
    i,
    indexed,
    k,
    m,
    offsets,
    running,
    slope,
    slopes,
    top,
)
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import positive, real, symbols_of

# ------------------------------------------------------------------ one subgradient alone

PAIR = real("x", 2)
EXPONENT = real("p", low=1, high=4, host=True, typical=(1.0, 1.5, 2.0, 3.0))
ANY_EXPONENT = positive("p", high=4, host=True, typical=(0.5,))
pair, p = symbols_of((PAIR, EXPONENT))
(value,) = indexed("f")
quotients = (value[0] * Abs(pair[1]) - value[1] * Abs(pair[0])) * (Abs(pair[1]) - Abs(pair[0]))


def singleton_proof() -> Derivation:
    s, t = symbols("s t", positive=True)
    here, there = symbols("f_x f_y", real=True)
    return Derivation(
        (
            Step(
                "rewrite",
                ((1 - s / t) * here + s / t * there - here) / s,
                (there - here) / t,
                why="convex: the quotient of differences over s < t is at most that over t",
                wrong=((there - here) / s,),
            ),
            cite("so it falls as t does, to the ends of the subdifferential (Rockafellar, theorems 23.2 and 25.1)"),
            Step("limit", t**2 / t, Integer(0), why="for x² both ends are 0, which is the derivative", by=(t, 0)),
            Step(
                "limit",
                sqrt(t) / t,
                Integer(0),
                why="for √|x| the slopes g <= 1/√t for every t leave {0} alone, too",
                by=(t, oo),
            ),
            Step("limit", sqrt(t) / t, oo, why="but the quotient grows without bound: a cusp", by=(t, 0)),
            Step(
                "refute",
                Le(sqrt(s) * t, sqrt(t) * s),
                false,
                why="it is 2 at 1/4, and 1 at 1",
                by=({s: Rational(1, 4), t: 1},),
            ),
        ),
        "every convex function of one number; along a line, of several",
    )


singleton = Claim(
    id="subdiff.singleton",
    section=SECTION,
    kind="inequality",
    title="Quotients of differences of a convex function shrink toward the point: one subgradient is a derivative",
    subject="subdifferential.power",
    driver="function",
    inputs=(PAIR, EXPONENT),
    program=Program(((value[i], Abs(pair[i]) ** p),), (Output("f", value[i], (i, 0, 1)),)),
    relation=Relation(quotients, "<=", 0),
    statement=value[0] / Abs(pair[0]) <= value[1] / Abs(pair[1]),
    conditions=("f(x) = |x|^p is convex: p ≥ 1", "|x₀| ≤ |x₁|"),
    derivation=singleton_proof,
    variants=(
        Variant(
            "without convexity",
            "notes",
            inputs=(ANY_EXPONENT,),
            printed=True,
            why="√|x| has one subgradient at 0, which is 0, and no derivative: its quotients grow without bound",
        ),
        Variant("quotients grow", "known misreading: concave", relation=Relation(quotients, ">=", 0)),
        Variant("1 + size", "known bug: the value at 0 is not 0", ((value[i], 1 + Abs(pair[i]) ** p),)),
    ),
)

DIRECTION = real("direction", FEATURES)
(direction,) = symbols_of((DIRECTION,))
rise, kept = indexed("rise", "kept")
supported = Symbol("derivative", real=True)
lowest, low = indexed("lowest")[0], Symbol("low", real=True)


def ends_proof() -> Derivation:
    t, gap = symbols("t gap", positive=True)
    a, best = symbols("a top", real=True)
    return Derivation(
        (
            Step("limit", (best + t * a - best) / t, a, why="an active piece rises by its own slope", by=(t, 0)),
            Step("limit", (t * a - gap) / t, -oo, why="one that is lower takes no part close to the point", by=(t, 0)),
            Step(
                "rewrite",
                Max(a, -a) + Min(a, -a),
                Integer(0),
                why="the other way, the greatest rise is minus the least",
            ),
        ),
        "every number of pieces",
        lift="pointwise",
    )


def of_the_active(condition: Any) -> tuple[Any, Any]:
    return kept[k], Piecewise((rise[k], condition), (low, True))


SUPPORT = (
    running(top, offsets),
    (rise[k], dot(lambda i: slopes[k, i], lambda i: direction[i])),
    running(lowest, rise, Min),
    (low, lowest[m - 1]),
    of_the_active(offsets[k] >= top[m - 1]),
    running(best_x, kept),
    (supported, best_x[m - 1]),
)
ends = Claim(
    id="subdiff.singleton.ends",
    section=SECTION,
    kind="equality",
    title="The derivative in a direction is the greatest product with a subgradient",
    subject="subdifferential.MaxAffine",
    driver="object",
    structure=STRUCTURE,
    inputs=(ORIGIN, DIRECTION, SLOPES, OFFSETS),
    options={**BUILD, "looks": {"derivative": (("directional_derivative", "x", "direction"),)}},
    program=Program(SUPPORT, out(supported, "derivative")),
    statement=Eq(supported, best_x[m - 1]),
    conditions=("at x = 0, where ties between pieces are exact; a shift leads to any other point",),
    derivation=ends_proof,
    variants=(
        instead("all pieces", "known bug: those that are not active, too", kept[k], rise[k]),
        Variant(
            "least product",
            "the derivative in the opposite direction",
            (running(best_x, kept, Min), of_the_active(offsets[k] >= 0)),
        ),
        Variant(
            "product with one gradient",
            "autograd's answer: the mean of the active slopes",
            (
                (supported, Sum(indexed("both")[0][k], (k, 0, m - 1)) / Sum(indexed("one")[0][k], (k, 0, m - 1))),
                (indexed("one")[0][k], Piecewise((1, offsets[k] >= top[m - 1]), (0, True))),
                (indexed("both")[0][k], Piecewise((rise[k], offsets[k] >= top[m - 1]), (0, True))),
            ),
        ),
    ),
    remarks="In opposite directions it gives both ends; they agree, and f is differentiable, if the set is one point.",
)

# ------------------------------------------------------------------ the absolute value

NUMBER, TRIAL = real("x"), real("g")
z, trial = symbols_of((NUMBER, TRIAL))
lower, upper, distance, least = symbols("lower upper distance least", real=True)
LOWER, UPPER = Piecewise((1, z > 0), (-1, True)), Piecewise((-1, z < 0), (1, True))


def sizes_steps() -> tuple[Step, ...]:
    t, s, u = Symbol("t", real=True), Symbol("g", real=True), Symbol("u", positive=True)
    return (
        Step(
            "rewrite",
            Abs(t) - s * t,
            (1 - s) * Max(t, 0) + (1 + s) * Max(-t, 0),
            why="at 0: for g from -1 to 1 the line is nowhere above, as neither term is negative",
            wrong=((1 + s) * Max(t, 0) + (1 - s) * Max(-t, 0),),
        ),
        Step("substitute", Abs(t) - s * t, 1 - s, why="y = 1 asks for g ≤ 1", by=((t, 1),)),
        Step("substitute", Abs(t) - s * t, 1 + s, why="and y = -1 for g ≥ -1", by=((t, -1),)),
        Step(
            "rewrite",
            (Abs(2 * u) - u - s * (2 * u - u), Abs(0 * u) - u - s * (0 - u)),
            ((1 - s) * u, (s - 1) * u),
            why="at u > 0: y = 2u asks for g ≤ 1, y = 0 for g ≥ 1",
        ),
    )


absolute = Claim(
    id="subdiff.abs",
    section=SECTION,
    kind="equality",
    title="The subdifferential of the absolute value is its sign, and everything from -1 to 1 at 0",
    subject="subdifferential.abs_subdifferential",
    driver="object",
    inputs=(NUMBER, TRIAL),
    options={
        "build": ("x",),
        "looks": {
            "lower": (("lower",),),
            "upper": (("upper",),),
            "distance": (("distance", "g"),),
            "least": (("least_norm",),),
        },
    },
    program=Program(
        (
            (lower, LOWER),
            (upper, UPPER),
            (distance, Max(0, lower - trial, trial - upper)),
            (least, Max(lower, Min(0, upper))),
        ),
        (Output("lower", lower), Output("upper", upper), Output("distance", distance), Output("least", least)),
    ),
    statement=(Eq(lower, LOWER), Eq(upper, UPPER), Eq(distance, Max(0, lower - trial, trial - upper))),
    derivation=lambda: Derivation(sizes_steps(), "every x", lift="pointwise"),
    variants=(
        instead("0 at 0 alone", "autograd's answer", lower, Piecewise((1, z > 0), (0, Eq(z, 0)), (-1, True))),
        instead("from 0 to 1 at 0", "that of ReLU", lower, Piecewise((1, z >= 0), (-1, True))),
        instead("from -1 to 1 everywhere", "known bug: the range of the sign", lower, Integer(-1)),
        instead("distance from the middle", "known bug", distance, Abs(trial - (lower + upper) / 2)),
        instead("lower end for the least", "known bug: -1 at the minimum", least, lower),
        instead("one end alone", "known bug: g below the lower end counts as inside", distance, Max(0, trial - upper)),
    ),
    remarks="g is a subgradient where its distance is 0.",
)
absolute_slope = Claim(
    id="subdiff.abs.slope",
    section=SECTION,
    kind="inequality",
    title="Autograd's slope of the absolute value is the sign, and from -1 to 1 at 0",
    subject="subdifferential.absolute",
    driver="derivatives",
    inputs=(NUMBER,),
    options={"orders": {"slope": 1}},
    program=Program(((slope, Piecewise((1, z > 0), (0, Eq(z, 0)), (-1, True))),), out(slope, "slope")),
    relation=Relation(Piecewise((LOWER - slope, Eq(k, 0)), (slope - UPPER, True)), "<=", 0, ((k, 0, 1),)),
    statement=(slope >= LOWER, slope <= UPPER),
    derivation=lambda: Derivation(sizes_steps(), "every x", lift="pointwise"),
    variants=(
        instead("1 everywhere", "straight through", slope, Integer(1)),
        instead("step", "ReLU's", slope, Piecewise((1, z > 0), (0, True))),
        instead("x itself", "half of the square's", slope, z),
        instead("2 at 0", "known bug: both branches counted", slope, Piecewise((1, z > 0), (2, Eq(z, 0)), (-1, True))),
    ),
    remarks="torch.abs says 0; max(x, -x) says 0 by sharing out; a square root of x² says NaN.",
)

CLAIMS = (singleton, ends, absolute, absolute_slope)
