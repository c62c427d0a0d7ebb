"""Adam's options: weight decay, which in Adam is a penalty, and climbing in place of descending."""

from sympy import Eq, IndexedBase, Rational, Sum, Symbol, false, sign, symbols

from gnomon.derivations.optim import adam, of_adam
from gnomon.derivations.optim_moments import GRADIENTS, HYPER, START, stepwise
from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Variant
from gnomon.say.domain import nonnegative, symbols_of

t, i = symbols("t i", integer=True)
d, v, u, theta = (IndexedBase(name, real=True) for name in ("d", "v", "u", "theta"))
theta0, g, lr, b1, b2, eps = symbols_of((START, GRADIENTS, *HYPER))

DECAY = nonnegative("weight_decay", host=True, typical=(0.01, 0.0))
(decay,) = symbols_of((DECAY,))
penalised = g[t - 1, i] + decay * theta[t - 1, i]
DECOUPLED = Variant(
    "decay beside the gradient",
    "AdamW",
    (
        (d[t, i], g[t - 1, i]),
        (theta[t, i], stepwise(theta0[i], (1 - lr * decay) * theta[t - 1, i] - u[t, i])),
    ),
)


def penalty_step() -> Step:
    point, weight = IndexedBase("theta", real=True), Symbol("weight_decay", nonnegative=True)
    size, at = Symbol("n", integer=True, positive=True), Symbol("j", integer=True)
    return Step(
        "differentiate",
        weight / 2 * Sum(point[i] ** 2, (i, 0, size - 1)),
        weight * point[at],
        why="what is added to the gradient is the gradient of half the decay times the squared norm",
        by=(point[at],),
    )


def decay_proof() -> Derivation:
    x, weight, rate = symbols("theta weight_decay lr", positive=True)
    return Derivation(
        (
            penalty_step(),
            Step(
                "refute",
                Eq(x - rate * sign(1 + weight * x), (1 - rate * weight) * x - rate * sign(1)),
                false,
                why="Adam divides the decay by the root too: at the first step only AdamW's is seen",
                by=({x: 2, weight: Rational(1, 2), rate: Rational(1, 10)},),
            ),
        ),
        "every size",
        lift="coordinate",
    )


weight_decay = of_adam(
    "optim.adam.update.weight_decay",
    "Weight decay in Adam is a penalty: it passes through both moments",
    adam(penalised),
    (
        DECOUPLED,
        Variant("no decay", "known bug", ((d[t, i], g[t - 1, i]),)),
        Variant(
            "decay in the first moment only",
            "known bug",
            ((v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * g[t - 1, i] ** 2)),),
        ),
        Variant(
            "decay of the initial value",
            "known bug",
            ((d[t, i], g[t - 1, i] + decay * theta0[i]),),
        ),
    ),
    inputs=(START, GRADIENTS, *HYPER, DECAY),
    derivation=decay_proof,
    statement=Eq(d[t, i], penalised),
    conditions=("d[t] takes the place of the gradient in both moments",),
)


def ascent_proof() -> Derivation:
    loss, slope, _ = opaque("f")
    x = Symbol("theta", real=True)
    return Derivation(
        (
            Step("differentiate", -loss(x), -slope(x), why="to climb f is to descend -f", by=(x,)),
            penalty_step(),
        ),
        "every size",
        lift="coordinate",
    )


maximize = of_adam(
    "optim.adam.update.maximize",
    "With maximize, Adam climbs, and the decay still pulls towards zero",
    adam(decay * theta[t - 1, i] - g[t - 1, i]),
    (
        Variant("descends", "known bug: the option is ignored", ((d[t, i], penalised),)),
        Variant("decay pushes away from zero", "known bug: sign changed after the decay", ((d[t, i], -penalised),)),
    ),
    inputs=(START, GRADIENTS, *HYPER, DECAY),
    derivation=ascent_proof,
    statement=Eq(d[t, i], decay * theta[t - 1, i] - g[t - 1, i]),
    conditions=("d[t] takes the place of the gradient in both moments",),
    options={"keywords": {"maximize": True}},
)

CLAIMS = (weight_decay, maximize)
