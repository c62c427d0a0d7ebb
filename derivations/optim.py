"""Adam's update: its formula, its options, its gradient, and the usual mistakes in it."""

from collections.abc import Iterable
from typing import Any

from sympy import Eq, IndexedBase, Max, Sum, Symbol, false, sqrt, symbols

from gnomon.derivations.optim_moments import (
    CORRECTED,
    FIRST,
    GRADIENTS,
    HYPER,
    SCOPE,
    SECOND,
    SECTION,
    START,
    STEPS,
    WIDTH,
    solved,
    stepwise,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Domain, symbols_of

t, i, j, k = symbols("t i j k", integer=True)
d, m, v, mhat, vhat, u, theta, greatest = (
    IndexedBase(name, real=True) for name in ("d", "m", "v", "mhat", "vhat", "u", "theta", "greatest")
)
n, T, theta0, g, lr, b1, b2, eps = symbols_of((WIDTH, STEPS, START, GRADIENTS, *HYPER))

STEP = (u[t, i], lr * mhat[t, i] / (sqrt(vhat[t, i]) + eps))
MOVED = (theta[t, i], stepwise(theta0[i], theta[t - 1, i] - u[t, i]))
PARAM = (Output("param", theta[T, i], (i, 0, n - 1)),)


def adam(gradient: Any) -> tuple[tuple[Any, Any], ...]:
    """The definitions of Adam, for what it takes as the gradient of step t."""
    return ((d[t, i], gradient), FIRST, SECOND, *CORRECTED, STEP, MOVED)


ADAM = adam(g[t - 1, i])

# ------------------------------------------------------------------ variants


def stepping(name: str, source: str, step: Any, **more: Any) -> Variant:
    """Another step u in the same loop."""
    return Variant(name, source, ((u[t, i], step),), **more)


def corrected(name: str, source: str, first: Any, second: Any) -> Variant:
    """Other divisors of the moments."""
    return Variant(name, source, ((mhat[t, i], m[t, i] / first), (vhat[t, i], v[t, i] / second)))


one, two = 1 - b1**t, 1 - b2**t
PRINTED = stepping(
    "epsilon inside the root",
    "notes",
    lr * mhat[t, i] / sqrt(vhat[t, i] + eps),
    printed=True,
    why="for a gradient of 1e-6 and epsilon 1e-8 the first step is 0.01 rates long, where Adam's is 0.99",
)
EPS_HAT = stepping(
    "epsilon hat",
    "Kingma and Ba, end of section 2; TensorFlow and Keras",
    lr * sqrt(two) / one * m[t, i] / (sqrt(v[t, i]) + eps),
    why="the same as an epsilon that is divided by sqrt(1 - beta2**t), by 0.03 at the first step",
)
BOTH_EPS = stepping(
    "epsilon inside the root and outside",
    "optax, with eps_root = eps",
    lr * mhat[t, i] / (sqrt(vhat[t, i] + eps) + eps),
)
FLOOR = stepping("epsilon as the least divisor", "known bug", lr * mhat[t, i] / Max(sqrt(vhat[t, i]), eps))
NO_EPS = stepping("no epsilon", "sign of the gradient, at the first step", lr * mhat[t, i] / sqrt(vhat[t, i]))
UNCORRECTED = corrected("no correction of the bias", "RMSprop with momentum", 1, 1)
LATE = corrected("one step too many", "known bug: exponent t + 1", 1 - b1 ** (t + 1), 1 - b2 ** (t + 1))
ONLY_FIRST = corrected("only the first moment corrected", "known bug", one, 1)
ONLY_SECOND = corrected("only the second moment corrected", "known bug", 1, two)
EXCHANGED = corrected("correction with the betas exchanged", "known bug", two, one)
NO_ROOT = stepping(
    "correction of the second moment without its root",
    "known bug where the corrections are one factor",
    lr * mhat[t, i] / (sqrt(v[t, i]) / two + eps),
)
ASCENT = stepping("sign of the update", "known bug", -lr * mhat[t, i] / (sqrt(vhat[t, i]) + eps))
BETAS = Variant(
    "betas exchanged",
    "known bug",
    (
        (m[t, i], stepwise(0, b2 * m[t - 1, i] + (1 - b2) * d[t, i])),
        (v[t, i], stepwise(0, b1 * v[t - 1, i] + (1 - b1) * d[t, i] ** 2)),
        *EXCHANGED.replace,
    ),
)
BELIEF = Variant(
    "squared deviation from the first moment",
    "AdaBelief",
    ((v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * (d[t, i] - m[t, i]) ** 2)),),
)
AMSGRAD = Variant(
    "the greatest second moment so far",
    "AMSGrad",
    (
        (greatest[t, i], stepwise(0, Max(greatest[t - 1, i], v[t, i]))),
        (vhat[t, i], greatest[t, i] / two),
    ),
)
LAGGING = Variant(
    "first moment of the step before",
    "known bug: moved before the average",
    ((mhat[t, i], m[t - 1, i] / one),),
)

# ------------------------------------------------------------------ the update


def mean_of(rate: Any, power: int) -> Any:
    """The mean of the first t gradients in which the one of k steps ago weighs rate**k."""
    return Sum(rate**k * g[t - 1 - k, i] ** power, (k, 0, t - 1)) / Sum(rate**k, (k, 0, t - 1))


PATH = theta0[i] - lr * Sum(mean_of(b1, 1) / (sqrt(mean_of(b2, 2)) + eps), (t, 1, T))
FROM_MEANS = Program((), (Output("param", PATH, (i, 0, n - 1)),))
AT_LAST = Eq(theta[t, i], theta[t - 1, i] - lr * mhat[t, i] / (sqrt(vhat[t, i]) + eps))


def loop_steps() -> tuple[Step, ...]:
    """From the loop to weighted means of the gradients."""
    beta, now = Symbol("beta", positive=True), Symbol("t", integer=True, positive=True)
    return (
        solved(m, 1),
        solved(v, 2),
        Step(
            "sum",
            (1 - beta) * Sum(beta**k, (k, 0, now - 1)),
            1 - beta**now,
            why="the correction divides by the sum of the weights: both moments become weighted means",
            assume=(beta < 1,),
        ),
        Step(
            "induction",
            Eq(theta[t, i], theta[t - 1, i] - u[t, i]),
            theta0[i] - Sum(u[k, i], (k, 1, t)),
            why="the steps add up",
            by=(t, 0, theta0[i]),
        ),
    )


def update_proof() -> Derivation:
    a, c, q, e = symbols("a c q eps", positive=True)
    return Derivation(
        (
            *loop_steps(),
            Step(
                "refute",
                Eq(a / sqrt(a**2 + e), a / (a + e)),
                false,
                why="the first step as printed, with epsilon inside the root, is 3/5 where Adam's is 3/19",
                by=({a: 3, e: 16},),
            ),
            Step(
                "limit",
                a / sqrt(a**2 + e) / a,
                1 / sqrt(e),
                why="for small gradients the printed step is g / sqrt(eps)",
                by=(a, 0),
            ),
            Step("limit", a / (a + e) / a, 1 / e, why="where Adam's is g / eps", by=(a, 0)),
            Step(
                "rewrite",
                sqrt(q) * a / (sqrt(c) + e * sqrt(q)),
                a / (sqrt(c / q) + e),
                why="epsilon hat is epsilon times sqrt(q), where q = 1 - beta2**t",
                wrong=(a / (sqrt(c / q) + e * sqrt(q)),),
            ),
        ),
        SCOPE,
    )


def of_adam(
    row: str,
    title: str,
    loop: tuple[tuple[Any, Any], ...],
    variants: Iterable[Variant],
    inputs: tuple[Domain, ...] = (START, GRADIENTS, *HYPER),
    **more: Any,
) -> Claim:
    """A claim on the parameter after some steps."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "equality",
        "subject": "optim.Adam",
        "driver": "optimizer",
        "structure": (WIDTH, STEPS),
        "program": Program(loop, PARAM),
        "statement": AT_LAST,
    }
    return Claim(id=row, title=title, inputs=inputs, variants=tuple(variants), **(fixed | more))
