"""Adam's update: its formula, its options, its gradient, and the usual mistakes in it."""

from collections.abc import Iterable
from typing import Any

from sympy import Abs, Eq, IndexedBase, Max, Rational, Sum, Symbol, false, sign, sqrt, symbols

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
from gnomon.say.domain import Domain, Size, nonnegative, real, symbols_of

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


update = of_adam(
    "optim.adam.update",
    "Adam divides the corrected mean by the root of the corrected mean square, plus epsilon",
    ADAM,
    (PRINTED, EPS_HAT, BOTH_EPS, UNCORRECTED, LATE, ONLY_FIRST, BETAS, BELIEF, AMSGRAD),
    definition=FROM_MEANS,
    conditions=("epsilon is greater than 0", "t counts the steps from 1"),
    derivation=update_proof,
    remarks="Where epsilon stands matters as soon as gradients are small. Libraries differ in it, and in its "
    "default: 1e-8 in PyTorch and optax, 1e-7 in Keras.",
)

# ------------------------------------------------------------------ the first step

FIRST_GRADIENT = real("g", 1, WIDTH)
at_first = theta0[i] - lr * g[0, i] / (Abs(g[0, i]) + eps)


def first_step_proof() -> Derivation:
    x, e = Symbol("g", real=True), Symbol("eps", positive=True)
    q, r, square = (Symbol(name, nonnegative=True) for name in ("beta1", "beta2", "v"))
    mean, now = Symbol("m", real=True), Symbol("t", integer=True, positive=True)
    below = (q < 1, r < 1)
    return Derivation(
        (
            Step(
                "substitute",
                (q * mean + (1 - q) * x) / (1 - q**now),
                x,
                why="after one step from zero, the corrected mean is the gradient",
                by=((mean, 0), (now, 1)),
                assume=below,
            ),
            Step(
                "substitute",
                (r * square + (1 - r) * x**2) / (1 - r**now),
                x**2,
                why="and the corrected mean square its square",
                by=((square, 0), (now, 1)),
                assume=below,
            ),
            Step(
                "substitute",
                mean / (sqrt(square) + e),
                x / (Abs(x) + e),
                why="the root of which is its size",
                by=((mean, x), (square, x**2)),
                wrong=(x / sqrt(x**2 + e), sign(x)),
            ),
            Step(
                "rewrite",
                x / Abs(x),
                sign(x),
                why="for epsilon = 0 only the sign is left",
                assume=(Abs(x) > 0,),
            ),
            Step(
                "refute",
                Eq((1 - q) * x / sqrt((1 - r) * x**2), sign(x)),
                false,
                why="without the corrections the first step is 3 times as long for betas of 0.1 and 0.91",
                by=({q: Rational(1, 10), r: Rational(91, 100), x: 1},),
            ),
        ),
        "every gradient and all betas",
    )


first_step = of_adam(
    "optim.adam.update.first_step",
    "The first step has the length of the learning rate, whatever the size of the gradient",
    ADAM,
    (ONLY_SECOND, NO_ROOT, FLOOR, NO_EPS, ASCENT, UNCORRECTED, LATE),
    inputs=(START, FIRST_GRADIENT, *HYPER),
    structure=(WIDTH,),
    program=Program(ADAM, (Output("param", theta[1, i], (i, 0, n - 1)),)),
    definition=Program((), (Output("param", at_first, (i, 0, n - 1)),)),
    statement=Eq(theta[1, i], at_first),
    conditions=("epsilon is greater than 0; the length is that of the rate where the gradient is much greater",),
    derivation=first_step_proof,
    remarks="For the usual betas it would be 3.16 times as long without corrections, 31.6 times with only the "
    "first moment corrected, 0.1 times with only the second, and 0.744 times with one step too many.",
)

# ------------------------------------------------------------------ one step as a function

STATE = (real("param", WIDTH), real("grad", WIDTH), real("exp_avg", WIDTH), nonnegative("exp_avg_sq", WIDTH))
LONG = Size("T", 1, 30)
param, grad, exp_avg, exp_avg_sq = symbols_of(STATE)
ONE_STEP = (
    (d[t, i], grad[i]),
    (m[t, i], exp_avg[i] + (1 - b1) * (d[t, i] - exp_avg[i])),
    (v[t, i], b2 * exp_avg_sq[i] + (1 - b2) * d[t, i] ** 2),
    *CORRECTED,
    STEP,
    (theta[t, i], param[i] - u[t, i]),
)


def functional_proof() -> Derivation:
    x, y = symbols("m g", real=True)
    w, e, rate, c1, c2 = symbols("v eps lr c1 c2", positive=True)
    q, r = symbols("beta1 beta2", positive=True)
    below = (q < 1, r < 1)
    mean, square = (q * x + (1 - q) * y) / c1, (r * w + (1 - r) * y**2) / c2
    root = sqrt(square)
    move = -rate * mean / (root + e)
    curved = rate * mean / (2 * root * (root + e) ** 2)
    return Derivation(
        (
            Step(
                "differentiate",
                move,
                -rate * q / c1 / (root + e),
                why="by the first moment",
                by=(x,),
                assume=below,
            ),
            Step("differentiate", move, curved * r / c2, why="by the second moment", by=(w,), assume=below),
            Step(
                "differentiate",
                move,
                -rate * (1 - q) / c1 / (root + e) + curved * 2 * (1 - r) * y / c2,
                why="by the gradient, which is in both",
                by=(y,),
                wrong=(-rate * (1 - q) / c1 / (root + e),),
                assume=below,
            ),
        ),
        "every step and all betas between 0 and 1 (0 is tested)",
        lift="coordinate",
    )


functional = of_adam(
    "optim.adam.update.functional",
    "One step as a function of the parameter, the gradient and both moments, and its derivatives",
    ONE_STEP,
    (PRINTED, EPS_HAT, UNCORRECTED, ONLY_SECOND, EXCHANGED, NO_ROOT),
    subject="optim.adam_update",
    driver="function",
    structure=(WIDTH, LONG),
    inputs=(*STATE, *HYPER),
    program=Program(
        ONE_STEP,
        (
            Output("param", theta[T, i], (i, 0, n - 1)),
            Output("exp_avg", m[T, i], (i, 0, n - 1)),
            Output("exp_avg_sq", v[T, i], (i, 0, n - 1)),
        ),
    ),
    statement=(
        Eq(m[T, i], b1 * m[T - 1, i] + (1 - b1) * g[T - 1, i]),
        Eq(v[T, i], b2 * v[T - 1, i] + (1 - b2) * g[T - 1, i] ** 2),
        AT_LAST.subs(t, T),
    ),
    conditions=("the gradients are compared where the second moment is not zero",),
    derivation=functional_proof,
    options={"arguments": ("param", "grad", "exp_avg", "exp_avg_sq", "T", "lr", "beta1", "beta2", "eps")},
    remarks="An optimizer steps outside autograd; this function is what one differentiates through training. "
    "Where all gradients were zero, the derivative by the next one is that of g / eps, up to factors of the betas.",
)

CLAIMS = (update, first_step, functional)
