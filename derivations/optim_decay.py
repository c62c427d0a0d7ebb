"""AdamW: weight decay beside the gradient, where neither moment sees it."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Product, Rational, Sum, false, sign, sqrt, symbols

from gnomon.derivations.optim import adam, mean_of, of_adam
from gnomon.derivations.optim_moments import GRADIENTS, HYPER, START, STEPS, WIDTH, stepwise
from gnomon.derivations.optim_momentum import FACTOR
from gnomon.derivations.optim_options import DECAY, penalised
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Output, Program, Variant
from gnomon.say.domain import symbols_of

t, i, s = symbols("t i s", integer=True)
d, u, mhat, vhat, theta, rate = (IndexedBase(name, real=True) for name in ("d", "u", "mhat", "vhat", "theta", "rate"))
n, T, theta0, g, lr, b1, b2, eps = symbols_of((WIDTH, STEPS, START, GRADIENTS, *HYPER))
decay, factor = symbols_of((DECAY, FACTOR))

RATES = (rate[t], lr * factor ** (t - 1))
STEP = (u[t, i], rate[t] * mhat[t, i] / (sqrt(vhat[t, i]) + eps))
kept = 1 - rate[t] * decay
SHRUNK = (theta[t, i], stepwise(theta0[i], kept * theta[t - 1, i] - u[t, i]))
INPUTS = (START, GRADIENTS, *HYPER, DECAY, FACTOR)
CHANGING = "the learning rate may change from step to step; here by a factor"


def decoupled(gradient: Any) -> tuple[tuple[Any, Any], ...]:
    """AdamW's definitions: Adam's, with a rate for each step and a parameter that shrinks."""
    ours = {u: STEP, theta: SHRUNK}
    return (RATES, *(ours.get(lhs.base, (lhs, rhs)) for lhs, rhs in adam(gradient)))


def after(last: Any) -> Any:
    """By how much what is there after step ``last`` has shrunk at the end."""
    return Product(1 - lr * factor ** (s - 1) * decay, (s, last + 1, T))


def of_decay(row: str, title: str, program: Any, variants: Any, **more: Any) -> Any:
    fixed: dict[str, Any] = {"subject": "optim.AdamW", "driver": "optimizer_schedule", "inputs": INPUTS}
    return of_adam(
        row,
        title,
        program,
        variants,
        program=Program(program, (Output("param", theta[T, i], (i, 0, n - 1)),)),
        **(fixed | more),
    )


def other(name: str, source: str, *replace: Any, **more: Any) -> Variant:
    return Variant(name, source, tuple(replace), **more)


COUPLED = other(
    "decay as a penalty",
    "Adam with weight_decay: an L2 penalty",
    (d[t, i], penalised),
    (theta[t, i], stepwise(theta0[i], theta[t - 1, i] - u[t, i])),
    why="the penalty is divided by the root as well, so that parameters with great gradients are hardly decayed",
)
BIASED = other("after the step", "known bug: decay of the moved parameter", (theta[t, i], stepwise(
    theta0[i], kept * (theta[t - 1, i] - u[t, i]))))  # fmt: skip
STEADY = other("decay without the schedule", "known bug: the first learning rate", (theta[t, i], stepwise(
    theta0[i], (1 - lr * decay) * theta[t - 1, i] - u[t, i])))  # fmt: skip
FREE = other("decay without the rate", "Loshchilov and Hutter, with a schedule in its place", (theta[t, i], stepwise(
    theta0[i], (1 - decay) * theta[t - 1, i] - u[t, i])))  # fmt: skip
NONE = other("no decay", "Adam", (theta[t, i], stepwise(theta0[i], theta[t - 1, i] - u[t, i])))
FROM_MEANS = Program(
    (),
    (
        Output(
            "param",
            after(0) * theta0[i]
            - Sum(
                lr * factor ** (t - 1) * after(t) * mean_of(b1, 1) / (sqrt(mean_of(b2, 2)) + eps),
                (t, 1, T),
            ),
            (i, 0, n - 1),
        ),
    ),
)


def decoupled_proof() -> Derivation:
    x, grad, move = symbols("x g move", real=True)
    weight, pace, size, share, whole = symbols("weight_decay lr c share whole", positive=True)
    left, y, change, shares = (IndexedBase(name, positive=True) for name in ("left", "y", "change", "kept"))
    return Derivation(
        (
            Step(
                "induction",
                Eq(left[t], shares[t] * left[t - 1]),
                Product(shares[s], (s, 1, t)),
                why="what is left of the start is the product of what every step keeps, 1 - lr * weight_decay",
                by=(t, 0, 1),
            ),
            Step(
                "rewrite",
                (share * x - move) / (share * whole),
                x / whole - move / (share * whole),
                why="in units of what is left, a step is the move alone",
                wrong=(x / whole - move / whole,),
            ),
            Step(
                "induction",
                Eq(y[t], y[t - 1] - change[t] / left[t]),
                theta0[i] - Sum(change[s] / left[s], (s, 1, t)),
                why="so that every move has shrunk, at the end, by what the later steps keep",
                by=(t, 0, theta0[i]),
            ),
            Step(
                "refute",
                Eq(x - pace * sign(1 + weight * x), (1 - pace * weight) * x - pace),
                false,
                why="Adam's penalty is not seen at all at the first step, where only the sign of the gradient counts",
                by=({x: 2, weight: Rational(1, 2), pace: Rational(1, 10)},),
            ),
            Step(
                "refute",
                Eq((size * grad + weight * x) / (size * Abs(grad)), (grad + weight * x) / Abs(grad)),
                false,
                why="and where gradients are ten times as great, a penalty counts for a tenth; AdamW's decay does not",
                by=({size: 10, grad: 1, weight: 1, x: 1},),
            ),
        ),
        "every t and every n, unless a step keeps nothing",
    )


adamw = of_decay(
    "optim.adam.update.adamw",
    "AdamW shrinks the parameter beside the step: neither moment sees the decay",
    decoupled(g[t - 1, i]),
    (COUPLED, BIASED, STEADY, FREE, NONE),
    definition=FROM_MEANS,
    statement=Eq(theta[t, i], kept * theta[t - 1, i] - rate[t] * mhat[t, i] / (sqrt(vhat[t, i]) + eps)),
    conditions=("epsilon is greater than 0", "the decay has the learning rate as a factor", CHANGING),
    derivation=decoupled_proof,
    remarks="PyTorch's factor is 1 - lr * weight_decay with the rate of the step, so that decay follows a schedule; in "
    "the paper a schedule's factor stands for the rate. The default is 0.01 here, and 0 in Adam.",
)

adamw_maximize = of_decay(
    "optim.adam.update.adamw_maximize",
    "With maximize, AdamW climbs and still shrinks",
    decoupled(-g[t - 1, i]),
    (
        other("descends", "known bug: the option is ignored", (d[t, i], g[t - 1, i])),
        other(
            "grows",
            "known bug: the decay's sign is changed as well",
            (theta[t, i], stepwise(theta0[i], (1 + rate[t] * decay) * theta[t - 1, i] - u[t, i])),
        ),
        COUPLED,
    ),
    statement=Eq(d[t, i], -g[t - 1, i]),
    conditions=("d[t] takes the place of the gradient in both moments", CHANGING),
    derivation=decoupled_proof,
    options={"keywords": {"maximize": True}},
)

CLAIMS = (adamw, adamw_maximize)
