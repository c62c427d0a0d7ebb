"""Bumps from two steps, what becomes of them in the plane, and boxes (notes, section 1.1.1, figure (b))."""

from collections.abc import Callable
from typing import Any

from sympy import (
    Abs,
    Eq,
    Ge,
    IndexedBase,
    Le,
    Max,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    exp,
    false,
    oo,
    sign,
    symbols,
    tanh,
)

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, positive, real, symbols_of

SECTION = "1.1.1"
half = Rational(1, 2)
STEEP = positive("k", host=True, typical=(1.0, 8.0, 40.0))
LINE = (real("x"), real("lower"), real("upper"), STEEP)
x, lower, upper, k = symbols_of(LINE)
y, rise, fall = symbols("y rise fall", real=True)


def logistic(u: Any) -> Any:
    return (1 + tanh(u / 2)) / 2


def logistic_by_exp(u: Any) -> Any:
    return 1 / (1 + exp(-u))


def as_steps(curve: Callable[[Any], Any]) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Two steps of this form."""
    return (rise, curve(k * (x - lower))), (fall, curve(k * (x - upper)))


RISE, FALL = as_steps(logistic)
BUMP = Program((RISE, FALL, (y, rise - fall)), (Output("y", y),))


def bump_proof() -> Derivation:
    u, d = symbols("u d", positive=True)
    step = logistic_by_exp

    def bump(at: Any) -> Any:
        return step(u * at) - step(u * (at - 1))

    return Derivation(
        (
            Step(
                "rewrite",
                logistic_by_exp(x),
                logistic(x),
                "The logistic function, by tanh,",
                wrong=((1 + tanh(x)) / 2,),
            ),
            Step(
                "rewrite",
                1 - step(d),
                step(-d),
                "is off from a step by this on the right, and by the same on the left.",
            ),
            Step(
                "inequality",
                Le(step(-d), exp(-d)),
                exp(-d) / (1 + exp(d)),
                "It falls exponentially with the steepness times the distance.",
            ),
            Step("limit", bump(half), 1, "Steeper and steeper: inside 1,", by=(u, oo)),
            Step("limit", bump(Rational(-1, 2)), 0, "on the left 0,", by=(u, oo)),
            Step("limit", bump(Rational(3, 2)), 0, "on the right 0,", by=(u, oo)),
            Step(
                "limit",
                bump(0),
                half,
                "but 1/2 at an edge: at each point it converges, and not uniformly.",
                by=(u, oo),
                wrong=(1, 0),
            ),
        ),
        "every steepness; the limits for the edges 0 and 1",
    )


value = Claim(
    id="uat.proof.bump.value",
    section=SECTION,
    title="A bump is the difference of two steps, here logistic ones",
    kind="equality",
    subject="uat.bump",
    driver="function",
    inputs=LINE,
    program=BUMP,
    statement=Eq(y, logistic_by_exp(k * (x - lower)) - logistic_by_exp(k * (x - upper))),
    derivation=bump_proof,
    variants=(
        Variant("the first step alone", "known bug", ((fall, 0),)),
        Variant("the steps added", "known bug", ((fall, -FALL[1]),)),
        Variant(
            "with tanh", "twice as high and as steep", ((rise, tanh(k * (x - lower))), (fall, tanh(k * (x - upper))))
        ),
        Variant("the edges exchanged", "known bug", ((rise, FALL[1]), (fall, RISE[1]))),
        Variant("the second step as steep as 1", "known bug", ((fall, logistic(x - upper)),)),
    ),
)


def step(edge: Any) -> Any:
    return (1 + sign(x - edge)) / 2


def near(error: Any) -> Relation:
    return Relation(Abs(y - (step(lower) - step(upper))), "<=", error)


distance = logistic(-k * Abs(x - lower)) + logistic(-k * Abs(x - upper))
limit = Claim(
    id="uat.proof.bump",
    section=SECTION,
    title="A bump is near 1 inside and near 0 outside, the nearer the farther from its edges",
    kind="limit",
    subject="uat.bump",
    driver="function",
    inputs=LINE,
    program=BUMP,
    relation=near(distance),
    statement=Le(Abs(y - (step(lower) - step(upper))), distance),
    conditions=("one dimension",),
    derivation=bump_proof,
    variants=(
        Variant("within 1/4 everywhere", "uniform convergence", relation=near(Rational(1, 4))),
        Variant(
            "the farther edge alone", "too tight", relation=near(logistic(-k * Max(Abs(x - lower), Abs(x - upper))))
        ),
        Variant("half of it", "too tight", relation=near(distance / 2)),
        Variant("the first step alone", "known bug", ((fall, 0),)),
        Variant(
            "half as steep", "known bug", ((rise, logistic(k * (x - lower) / 2)), (fall, logistic(k * (x - upper) / 2)))
        ),
    ),
    remarks="With a margin of d on both sides and k = log((1 - delta) / delta) / d the error is delta outside (for one "
    "edge in reach) and 2 delta inside, at most.",
)

# ------------------------------------------------------------------ the plane

PLANE = (
    real("P", 2, low=-4.0, high=4.0),
    real("Q", 2, low=-4.0, high=4.0),
    real("lower", 2, low=-2.0, high=-0.25),
    real("upper", 2, low=0.25, high=2.0),
    real("heights", 2, low=-2.0, high=2.0),
    real("offset", low=-1.0, high=1.0),
    STEEP,
)
P, Q, low, high, heights, offset, _ = symbols_of(PLANE)
F, beta, inside, place = (IndexedBase(name, real=True) for name in ("F", "beta", "inside", "place"))
i, j, p = symbols("i j p", integer=True, nonnegative=True)


PLACE = (place[p, i], Piecewise((P[i], Eq(p, 0)), (Q[i], True)))
BETA = (beta[p, i], logistic(k * (place[p, i] - low[p])) - logistic(k * (place[p, i] - high[p])))
WITHIN = (
    inside[p, i],
    Piecewise((0, place[p, i] < low[p]), (Piecewise((0, place[p, i] > high[p]), (1, True)), True)),
)
STRIPS = (F[i, j], heights[0] * beta[0, i] + heights[1] * beta[1, j] + offset)
mixed = (inside[0, 0] - inside[0, 1]) * (inside[1, 0] - inside[1, 1])
errors = Max(*(Abs(F[one, two] - inside[0, one] * inside[1, two]) for one in (0, 1) for two in (0, 1)))


def at_least(part: Any) -> Relation:
    return Relation(errors, ">=", part * Abs(mixed))


def strips_proof() -> Derivation:
    c, d, e = symbols("c_1 c_2 c_0", real=True)
    f, g = (IndexedBase(name, real=True) for name in ("f", "g"))
    attained = tuple(
        Step(
            "substitute",
            c * f[0] + d * g[0] + e - f[0] * g[0],
            error,
            f"the error of the best sum at ({one}, {two})",
            by=((c, half), (d, half), (e, -Rational(1, 4)), (f[0], one), (g[0], two)),
        )
        for one, two, error in ((1, 1, -Rational(1, 4)), (1, 0, Rational(1, 4)), (0, 1, Rational(1, 4)))
    )
    return Derivation(
        (
            Step(
                "substitute",
                F[1, 1] - F[0, 1] - F[1, 0] + F[0, 0],
                0,
                "A sum of functions of one coordinate each has no mixed difference, whatever the functions.",
                by=((F[i, j], f[i] + g[j]),),
            ),
            Step(
                "substitute",
                F[1, 1] - F[0, 1] - F[1, 0] + F[0, 0],
                1,
                "The indicator of a box has one of 1. So the four errors make up the 1, and some one is 1/4 at least:",
                by=((F[i, j], i * j),),
            ),
            *attained,
        ),
        "all sums of functions of one coordinate",
    )


strips = Claim(
    id="uat.proof.bump.strips",
    section=SECTION,
    title="In the plane the difference of two steps is a strip, and sums of strips miss every box by 1/4",
    kind="inequality",
    subject="uat.strips",
    driver="corners",
    inputs=PLANE,
    program=Program((PLACE, BETA, WITHIN, STRIPS), (Output("F", F[i, j], (i, 0, 1), (j, 0, 1)),)),
    relation=at_least(Rational(1, 4)),
    statement=Ge(errors, Abs(mixed) / 4),
    conditions=("one coordinate of P lies in the side of the box and one does not, and so for Q",),
    derivation=strips_proof,
    variants=(
        Variant("1/2 at least", "too tight", relation=at_least(half)),
        Variant("the product of the bumps", "right, but not one hidden layer", ((F[i, j], beta[0, i] * beta[1, j]),)),
        Variant(
            "the smaller of the bumps",
            "right, but not one hidden layer",
            ((F[i, j], (beta[0, i] + beta[1, j] - Abs(beta[0, i] - beta[1, j])) / 2),),
        ),
    ),
    options={"arguments": ("x", "lower", "upper", "k", "heights", "offset")},
    remarks="“Can construct by subtracting 2 step functions” is right on the line. In more dimensions it takes "
    "directions of all kinds, or a second hidden layer.",
)

# ------------------------------------------------------------------ boxes

DIMENSION = Size("d", 1, 3)
(d,) = symbols_of((DIMENSION,))
SPACE = (
    real("x", DIMENSION),
    real("lower", DIMENSION, low=-2.0, high=-0.25),
    real("upper", DIMENSION, low=0.25, high=2.0),
    STEEP,
)
point, left, right, _ = symbols_of(SPACE)
bump, near_side, part = (IndexedBase(name, real=True) for name in ("bump", "near", "part"))
B, argument = symbols("B argument", real=True)
BUMPS = (bump[i], logistic(k * (point[i] - left[i])) - logistic(k * (point[i] - right[i])))
EDGES = (
    near_side[i],
    logistic(-k * Abs(point[i] - left[i])) + logistic(-k * Abs(point[i] - right[i])),
)
PARTS = (part[i], (sign(point[i] - left[i]) - sign(point[i] - right[i])) / 2)
count = Sum(bump[i], (i, 0, d - 1))
ASKED = (argument, count - d + half)
indicator = IndexedBase("indicator", real=True)
ALL = (indicator[i], Piecewise((part[0], Eq(i, 0)), (indicator[i - 1] * part[i], True)))


def box_near(error: Any) -> Relation:
    return Relation(Abs(B - indicator[d - 1]), "<=", error)


within_reach = logistic(-k * (half - Sum(near_side[i], (i, 0, d - 1))))


def box_proof() -> Derivation:
    step_up, delta = Symbol("k", positive=True), Symbol("Delta", nonnegative=True)
    m = Symbol("m", integer=True, positive=True)
    s = logistic_by_exp
    return Derivation(
        (
            Step(
                "rewrite",
                Sum(1 - part[i], (i, 0, m - 1)) - half,
                m - half - Sum(part[i], (i, 0, m - 1)),
                "The sum of the indicators is above d - 1/2 only where all of them are 1: by 1/2.",
            ),
            Step(
                "rewrite",
                1 - s(step_up * (half - delta)),
                s(-step_up * (half - delta)),
                "Inside, with bumps that are off by Delta together, it is off by this, at most; outside by the same.",
                wrong=(s(step_up * (half - delta)),),
            ),
            Step(
                "limit",
                s(-step_up * (half - Rational(1, 4))),
                0,
                "which vanishes where Delta is less than 1/2.",
                by=(step_up, oo),
            ),
            Step(
                "refute",
                Eq(s(step_up * (1 - half - half)), s(-step_up)),
                false,
                "A threshold of d - 1 would not do: one bump too few would already be at it.",
                by=({step_up: 1},),
            ),
        ),
        "every dimension",
    )


box = Claim(
    id="uat.proof.bump.box",
    section=SECTION,
    title="A second hidden layer makes a box of strips: it asks whether all of them are there",
    kind="limit",
    subject="uat.box",
    driver="function",
    structure=(DIMENSION,),
    inputs=SPACE,
    program=Program((BUMPS, EDGES, PARTS, ALL, ASKED, (B, logistic(k * argument))), (Output("B", B),)),
    relation=box_near(within_reach),
    statement=Le(Abs(B - indicator[d - 1]), within_reach),
    conditions=("lower is below upper",),
    derivation=box_proof,
    variants=(
        Variant("threshold 1/2", "known bug: any strip will do", ((argument, count - half),)),
        Variant("threshold d - 1", "known bug", ((argument, count - d + 1),)),
        Variant("the sum of the strips", "one hidden layer", ((B, count / d),)),
        Variant("from the outside", "known bug", ((argument, d - half - count),)),
        Variant("within 1/4 everywhere", "uniform convergence", relation=box_near(Rational(1, 4))),
    ),
)

CLAIMS = (limit, value, strips, box)
