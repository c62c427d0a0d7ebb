"""Where gradient descent does not minimize: rates that are too great, and saddles (1.2)."""

from typing import Any

from sympy import Eq, Ge, Le, Piecewise, Rational, Sum, Symbol, false, symbols

from gnomon.derivations.training.train_descent import (
    PARAM,
    SECTION,
    START,
    STEPS,
    SUBJECT,
    WIDTH,
    T,
    i,
    n,
    param,
    t,
    theta,
    theta0,
    walk,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import nonnegative, positive, real, symbols_of

# ------------------------------------------------------------------ rates that are too great

CURVATURE = nonnegative("c", WIDTH, high=1.0)
STABLE = positive("lr", host=True, high=2.0, open_high=True, typical=(0.1, 1.0, 1.9))
c, lr = symbols_of((CURVATURE, STABLE))


def rate_proof() -> Derivation:
    rate, bend, at = symbols("gamma L theta", positive=True)
    return Derivation(
        (
            Step(
                "inequality",
                Le((1 - rate * bend) ** 2, 1),
                rate * bend * (2 - rate * bend),
                why="a step multiplies each coordinate by 1 - gamma c, which is at most 1 in size",
                assume=(rate * bend < 2,),
            ),
            Step(
                "induction",
                Eq(theta[t, i], (1 - rate * bend) * theta[t - 1, i]),
                (1 - rate * bend) ** t * theta0[i],
                why="and t steps by its power",
                by=(t, 0, theta0[i]),
            ),
            Step(
                "refute",
                Le((1 - rate * bend) ** 20 * at**2 / 2, at**2 / 2),
                false,
                why="with gamma = 5/2 and L = 1 ten steps lead from 1 to (-3/2)^10 = 57.7",
                by=({rate: Rational(5, 2), bend: 1, at: 1},),
            ),
        ),
        lift="mode",
    )


def quadratic(row: str, title: str, **more: Any) -> Claim:
    """A claim on the loss after T steps on a sum of c[i] theta[i]^2 / 2."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "inequality",
        "subject": SUBJECT,
        "driver": "descent",
        "structure": (WIDTH, STEPS),
        "options": {"gradient": Output("gradient", c[i] * theta[i], (i, 0, n - 1)), "steps": {"param": T}},
    }
    return Claim(id=row, title=title, **(fixed | more))


def total(at: Any) -> Any:
    return Sum(c[i] * at[i] ** 2, (i, 0, n - 1)) / 2


rates = quadratic(
    "train.gd.descent.rate",
    "With a rate below 2/L the loss never grows; with a greater one it may grow without bound",
    inputs=(START, CURVATURE, STABLE),
    program=Program((walk(theta0[i], lr * (c[i] * theta[t - 1, i])),), PARAM),
    relation=Relation(total(param), "<=", total(theta0)),
    statement=Le(Symbol("L(theta_T)"), Symbol("L(theta_0)")),
    conditions=("0 < lr < 2/L", "here L = 1 is the greatest curvature that there may be"),
    derivation=rate_proof,
    variants=(
        Variant(
            "any rate",
            "notes, which state no condition",
            inputs=(positive("lr", host=True, high=4.0, typical=(2.5,)),),
            printed=True,
            why="on theta^2 / 2 the rate 2.5 leads from 1 to -3/2, 9/4, ...",
        ),
        Variant("along the gradient", "known bug", (walk(theta0[i], -lr * c[i] * theta[t - 1, i]),)),
        Variant("twice the step", "known bug: the slope of the square for the half square",
                (walk(theta0[i], 2 * lr * c[i] * theta[t - 1, i]),)),
    ),
)  # fmt: skip

# ------------------------------------------------------------------ a point that is stationary, and no minimum

PAIR = (
    real("v", low=-1.0, high=1.0),
    real("w", low=0.0, high=0.0),
    positive("lr", host=True, high=0.25, typical=(0.1,)),
)
v, w, _ = symbols_of(PAIR)


def saddle_start(place: Any) -> Any:
    return Piecewise((v + w, Eq(place, 0)), (-v, True))


def product_loss(at: Any) -> Any:
    return (at[0] * at[1] - 1) ** 2 / 2


pull = (theta[t - 1, 0] * theta[t - 1, 1] - 1) * theta[t - 1, 1 - i]


def saddle_proof() -> Derivation:
    a, b, rate, e = symbols("a b gamma e", real=True)
    loss = (a * b - 1) ** 2 / 2
    q = Symbol("a", nonnegative=True)
    return Derivation(
        (
            Step("differentiate", loss, (a * b - 1) * b, why="the slope by a; that by b with both exchanged", by=(a,)),
            Step(
                "substitute",
                (a * b - 1) * b,
                0,
                why="at (0, 0) there is none, and no step is taken",
                by=((a, 0), (b, 0)),
            ),
            Step(
                "substitute",
                (a - rate * (a * b - 1) * b) + (b - rate * (a * b - 1) * a),
                0,
                why="from a = -b every step leads to a = -b again",
                by=((b, -a),),
            ),
            Step(
                "inequality",
                Ge((-(q**2) - 1) ** 2 / 2, Rational(1, 2)),
                q**2 + q**4 / 2,
                why="where the loss is 1/2 at least, though its minimum is 0",
            ),
            Step(
                "refute",
                Ge((e**2 - 1) ** 2 / 2, Rational(1, 2)),
                false,
                why="along a = b it falls: (0, 0) is a saddle",
                by=({e: Rational(1, 10)},),
            ),
        )
    )


saddle = Claim(
    id="train.gd.descent.saddle",
    section=SECTION,
    title="Gradient descent may end in a saddle: from a = -b the loss (ab - 1)^2 / 2 never falls below 1/2",
    kind="inequality",
    subject=SUBJECT,
    driver="descent",
    structure=(STEPS,),
    inputs=PAIR,
    program=Program((walk(saddle_start(i), lr * pull),), (Output("param", theta[T, i], (i, 0, 1)),)),
    relation=Relation(product_loss(param), ">=", Rational(1, 2)),
    statement=Ge(Symbol("L(theta_T)"), Rational(1, 2)),
    conditions=("the start has a = -b, such as (0, 0)",),
    derivation=saddle_proof,
    variants=(
        Variant(
            "it minimizes",
            "notes (implied)",
            relation=Relation(product_loss(param), "<=", Rational(1, 4)),
            printed=True,
            why="from (0, 0) no step is taken, and the loss stays at 1/2; its minimum is 0",
        ),
        Variant("any start", "the condition dropped", inputs=(real("w", low=-1.0, high=1.0),)),
        Variant("a small push", "perturbed gradient descent", (walk(saddle_start(i), lr * (pull - Rational(1, 4))),)),
    ),
    options={
        "gradient": Output("gradient", (theta[0] * theta[1] - 1) * theta[1 - i], (i, 0, 1)),
        "start": Output("start", saddle_start(i), (i, 0, 1)),
        "steps": {"param": T},
    },
    remarks="What gradient descent finds is a point where the gradient is 0. Almost every start leads away from a "
    "saddle, but it may take long.",
)

CLAIMS = (rates, saddle)
