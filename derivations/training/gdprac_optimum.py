"""Whether gradient descent leaves a valley (1.2.4)."""

from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Piecewise, Rational, symbols

from gnomon.derivations.training.gdprac_convergence import ALIKE, SECTION, SUBJECT, first, i, t, theta
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, positive, real, symbols_of

# ------------------------------------------------------------------ two valleys

STEPS = Size("T", 1, 6)
INSIDE = real("x0", low=0.5, high=1.0)
SMALL = positive("lr", host=True, high=0.125, typical=(0.1, 0.01))
T_, x0, small = symbols_of((STEPS, INSIDE, SMALL))
param = IndexedBase("param", real=True)


def slope(x: Any) -> Any:
    """The slope of (x^2 - 1)^2 + x/4."""
    return 4 * (x * (x * x - 1)) + Rational(1, 4)


def valley(step: Any) -> tuple[Any, Any]:
    return theta[t], Piecewise((x0, Eq(t, 0)), (theta[t - 1] - step, True))


def valley_proof() -> Derivation:
    x, g = symbols("x gamma", positive=True)
    d, h = symbols("d h", nonnegative=True)
    loss, moved = (x**2 - 1) ** 2 + x / 4, x - g * slope(x)
    point, pace = 1 / (1 + d), 1 / (8 + h)
    return Derivation(
        (
            Step("differentiate", loss, 4 * x * (x**2 - 1) + Rational(1, 4), why="the slope", by=(x,)),
            Step("differentiate", moved, 1 - g * (12 * x**2 - 4), why="how the point after a step moves", by=(x,)),
            Step(
                "inequality",
                Ge(1 - pace * (12 * point**2 - 4), 0),
                (h + 12 * (2 * d + d**2) / (1 + d) ** 2) / (8 + h),
                why="for x = 1/(1 + d) at most 1 and gamma = 1/(8 + h) at most 1/8 a step keeps the order of points",
            ),
            Step("substitute", moved - x, 5 * g / 4, why="from 1/2 it leads up,", by=((x, Rational(1, 2)),)),
            Step("substitute", moved - x, -g / 4, why="and from 1 down: no point between them leaves", by=((x, 1),)),
            Step(
                "substitute",
                loss,
                (x**2 - 1) ** 2 - x / 4,
                why="yet the mirror image of any x > 0 is lower, by x/2: the other valley is the better one",
                by=((x, -x),),
            ),
        ),
        "every number of steps",
        lift="induction",
    )


optimum = Claim(
    id="gdprac.local_optimum",
    section=SECTION,
    title="With a rate of at most 1/8 gradient descent stays in the worse valley of (x^2 - 1)^2 + x/4",
    kind="inequality",
    subject=SUBJECT,
    driver="descent",
    structure=(STEPS,),
    inputs=(INSIDE, SMALL),
    program=Program((valley(small * slope(theta[t - 1])),), (Output("param", theta[T_ + 0 * i], (i, 0, 0)),)),
    relation=Relation(param[0], ">=", Rational(1, 2)),
    statement=Ge(theta[T_], Rational(1, 2)),
    conditions=("it starts between 1/2 and 1", "exact gradients"),
    derivation=valley_proof,
    variants=(
        Variant(
            "with any rate",
            "notes, table: batch descent, local optima hard to avoid",
            inputs=(positive("lr", host=True, high=2.0, typical=(1.0, 0.75)),),
            printed=True,
            why="a step leaves every valley whose curvature is above 2/lr; noise is not the only way out",
        ),
        Variant(
            "it finds the minimum",
            "known mistake: a stationary point taken for the least",
            relation=Relation(param[0], "<=", 0),
        ),
        Variant("without the tilt's sign", "known bug", (valley(2 * small * slope(theta[t - 1]) + 4 * small),)),
        Variant("along the gradient", "known bug", (valley(-small * slope(theta[t - 1])),)),
    ),
    options={
        "gradient": Output("gradient", slope(theta[i]), (i, 0, 0)),
        "start": Output("start", x0 + 0 * i, (i, 0, 0)),
        "steps": {"param": T_},
    },
    remarks="Stochastic gradients help only if they are noisy at the local minimum: samples that are all alike have no "
    "noise, and stay there as well.",
)

# ------------------------------------------------------------------ a valley that is too sharp

SHARP = real("c", low=4.0, high=16.0)
LARGE = real("lr", low=0.5, high=2.0, host=True, typical=(0.5, 1.0))
SHORT = Size("T", 1, 3)
T3, sharp, large = symbols_of((SHORT, SHARP, LARGE))


def leap(factor: Any) -> tuple[Any, Any]:
    return theta[t], Piecewise((first[0], Eq(t, 0)), (theta[t - 1] - factor * (sharp * theta[t - 1]), True))


def sharp_proof() -> Derivation:
    g, b, gap = symbols("gamma lamda d", positive=True)
    return Derivation(
        (
            Step(
                "inequality",
                Ge((1 - g * b) ** 2, 1),
                g * b * (g * b - 2),
                why="a step multiplies the distance by 1 - gamma lamda, which is at least 1 in size",
                assume=(g * b >= 2,),
            ),
            Step("rewrite", (1 - (2 + gap)) ** 2 - 1, gap * (2 + gap), why="strictly more, if gamma lamda = 2 + d"),
        ),
        lift="mode",
    )


leaving = Claim(
    id="gdprac.local_optimum.sharp",
    section=SECTION,
    title="Gradient descent cannot come nearer to a minimum whose curvature is 2/lr or more",
    kind="inequality",
    subject=SUBJECT,
    driver="descent",
    structure=(SHORT,),
    inputs=(ALIKE, SHARP, LARGE),
    program=Program((leap(large),), (Output("param", theta[T3 + 0 * i], (i, 0, 0)),)),
    relation=Relation(Abs(param[0]), ">=", Abs(first[0])),
    statement=Ge(Abs(theta[T3]), Abs(theta[0])),
    conditions=("the loss is c theta^2 / 2 around its minimum", "lr c is at least 2"),
    derivation=sharp_proof,
    variants=(
        Variant("hard to leave", "as the table may be read", relation=Relation(Abs(param[0]), "<=", Abs(first[0]))),
        Variant("a tenth of the rate", "known bug", (leap(large / 10),)),
        Variant("at any curvature", "the condition dropped", inputs=(real("c", low=0.0, high=16.0),)),
    ),
    options={"gradient": Output("gradient", sharp * theta[i], (i, 0, 0)), "steps": {"param": T3}},
    remarks="So a large rate selects wide valleys, with exact gradients as well as with noisy ones.",
)

CLAIMS = (optimum, leaving)
