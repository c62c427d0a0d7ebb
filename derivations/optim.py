"""Adam's update: its formula, its options, and what becomes of the errors that are usual in it."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Max, Rational, Sum, Symbol, false, sign, sqrt, symbols

from gnomon.claim import Claim, Output, Program, Variant
from gnomon.derivation import Derivation, Step
from gnomon.derivations.optim_moments import (
    CORRECTED, EPS, FIRST, GRADIENTS, HYPER, RATE, BETA1, BETA2, SCOPE, SECOND, SECTION, START, STEPS, WIDTH, solved, stepwise,
)  # fmt: skip
from gnomon.domain import Size, nonnegative, real, symbols_of

t, i, j, k = symbols("t i j k", integer=True)
m, v, mhat, vhat, theta, u = (
    IndexedBase(name, real=True) for name in ("m", "v", "mhat", "vhat", "theta", "u")
)
n, T, theta0, g, lr, b1, b2, eps = symbols_of((WIDTH, STEPS, START, GRADIENTS, *HYPER))


def moved(by: Any) -> tuple[Any, Any]:
    """The definition of the parameter: from theta0, at each step less ``by``."""
    return theta[t, i], stepwise(theta0[i], theta[t - 1, i] - by)


MOVE = lr * mhat[t, i] / (sqrt(vhat[t, i]) + eps)
ADAM = (FIRST, SECOND, *CORRECTED, moved(MOVE))
PARAM = (Output("param", theta[T, i], (i, 0, n - 1)),)

# ------------------------------------------------------------------ variants

before, greatest = IndexedBase("previous", real=True), IndexedBase("greatest", real=True)
PRINTED = Variant(
    "epsilon inside the root",
    "notes",
    (moved(lr * mhat[t, i] / sqrt(vhat[t, i] + eps)),),
    printed=True,
    why="with a gradient of 1e-6 and epsilon = 1e-8 the first step is 0.01 of the rate, where Adam's is 0.99 of it",
)
EPS_HAT = Variant(
    "epsilon hat",
    "Kingma and Ba, end of section 2; TensorFlow and Keras",
    (moved(lr * sqrt(1 - b2**t) / (1 - b1**t) * m[t, i] / (sqrt(v[t, i]) + eps)),),
    why="epsilon is divided by sqrt(1 - beta2**t) in the usual form: 32 times as large at the first step",
)
BOTH_EPS = Variant(
    "epsilon inside the root and outside",
    "optax, with eps_root = eps",
    (moved(lr * mhat[t, i] / (sqrt(vhat[t, i] + eps) + eps)),),
)
FLOOR = Variant(
    "epsilon as the least divisor",
    "known bug",
    (moved(lr * mhat[t, i] / Max(sqrt(vhat[t, i]), eps)),),
)


def corrected(name: str, source: str, first: Any, second: Any) -> Variant:
    return Variant(name, source, ((mhat[t, i], m[t, i] / first), (vhat[t, i], v[t, i] / second)))


UNCORRECTED = corrected("no correction of the bias", "RMSprop with momentum", 1, 1)
LATE = corrected("one step too many", "known bug: exponent t + 1", 1 - b1 ** (t + 1), 1 - b2 ** (t + 1))
ONLY_FIRST = corrected("only the first moment corrected", "known bug", 1 - b1**t, 1)
ONLY_SECOND = corrected("only the second moment corrected", "known bug", 1, 1 - b2**t)
NO_ROOT = Variant(
    "correction of the second moment without its root",
    "known bug in the form with one factor",
    (moved(lr * mhat[t, i] / (sqrt(v[t, i]) / (1 - b2**t) + eps)),),
)
BETAS = Variant(
    "betas exchanged",
    "known bug",
    (
        (m[t, i], stepwise(0, b2 * m[t - 1, i] + (1 - b2) * g[t - 1, i])),
        (v[t, i], stepwise(0, b1 * v[t - 1, i] + (1 - b1) * g[t - 1, i] ** 2)),
        (mhat[t, i], m[t, i] / (1 - b2**t)),
        (vhat[t, i], v[t, i] / (1 - b1**t)),
    ),
)
BELIEF = Variant(
    "squared deviation from the first moment",
    "AdaBelief",
    ((v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * (g[t - 1, i] - m[t, i]) ** 2)),),
)
AMSGRAD = Variant(
    "the greatest second moment so far",
    "AMSGrad",
    (
        (greatest[t, i], stepwise(0, Max(greatest[t - 1, i], v[t, i]))),
        (vhat[t, i], greatest[t, i] / (1 - b2**t)),
    ),
)
NESTEROV = Variant(
    "a step ahead",
    "NAdam with a constant momentum",
    (moved(lr * (b1 * mhat[t, i] + (1 - b1) * g[t - 1, i] / (1 - b1**t)) / (sqrt(vhat[t, i]) + eps)),),
)
ASCENT = Variant("sign of the update", "known bug", (moved(-MOVE),))

# ------------------------------------------------------------------ the update


def mean_of(rate: Any, power: int) -> Any:
    """The mean of the first t gradients in which k steps ago weighs rate**k."""
    return Sum(rate**k * g[t - 1 - k, i] ** power, (k, 0, t - 1)) / Sum(rate**k, (k, 0, t - 1))


def path(last: Any) -> Any:
    """The parameter after ``last`` steps, straight from the weighted means."""
    return theta0[i] - lr * Sum(mean_of(b1, 1) / (sqrt(mean_of(b2, 2)) + eps), (t, 1, last))


def update_proof() -> Derivation:
    beta, size = Symbol("beta", positive=True), Symbol("sigma", nonnegative=True)
    weight = Sum(beta**k, (k, 0, t - 1))
    step_now = Symbol("t", integer=True, positive=True)
    G, c, M, V, q, e = symbols("G c M V q eps", positive=True)
    return Derivation(
        (
            solved(m, 1),
            solved(v, 2),
            Step(
                "sum",
                (1 - beta) * weight.subs(t, step_now),
                1 - beta**step_now,
                why="so that the correction divides by the sum of the weights: both become weighted means",
                assume=(beta < 1,),
            ),
            Step(
                "induction",
                Eq(theta[t, i], theta[t - 1, i] - lr * u[t, i]),
                theta0[i] - lr * Sum(u[k, i], (k, 1, t)),
                why="the steps u[t] = mhat[t] / (sqrt(vhat[t]) + eps) add up",
                by=(t, 0, theta0[i]),
            ),
            Step(
                "refute",
                Eq(G / sqrt(G**2 + e), G / (G + e)),
                false,
                why="the first step with epsilon inside the root, as printed: 3/5, where Adam's is 3/19",
                by=({G: 3, e: 16},),
            ),
            Step(
                "limit",
                G / sqrt(G**2 + e) / G,
                1 / sqrt(e),
                why="for small gradients the printed step is g / sqrt(eps)",
                by=(G, 0),
            ),
            Step(
                "limit",
                G / (G + e) / G,
                1 / e,
                why="where Adam's is g / eps: 10 000 times as large",
                by=(G, 0),
            ),
            Step(
                "rewrite",
                sqrt(q) * M / (sqrt(V) + e * sqrt(q)),
                M / (sqrt(V / q) + e),
                why="epsilon hat is epsilon times sqrt(q), q = 1 - beta2**t",
                wrong=(M / (sqrt(V / q) + e * sqrt(q)),),
            ),
        ),
        SCOPE,
    )


update = Claim(
    id="optim.adam.update",
    section=SECTION,
    title="Adam divides the corrected mean by the root of the corrected mean square, plus epsilon",
    kind="equality",
    subject="optim.Adam",
    driver="optimizer",
    structure=(WIDTH, STEPS),
    inputs=(START, GRADIENTS, *HYPER),
    program=Program(ADAM, PARAM),
    definition=Program((), (Output("param", path(T), (i, 0, n - 1)),)),
    statement=Eq(theta[t, i], theta[t - 1, i] - MOVE),
    conditions=("epsilon is greater than 0", "t counts the steps from 1"),
    derivation=update_proof,
    variants=(
        PRINTED,
        EPS_HAT,
        BOTH_EPS,
        FLOOR,
        UNCORRECTED,
        LATE,
        ONLY_FIRST,
        ONLY_SECOND,
        NO_ROOT,
        BETAS,
        BELIEF,
        AMSGRAD,
        NESTEROV,
        ASCENT,
    ),  # fmt: skip
    remarks="Where epsilon stands matters as soon as gradients are small: libraries differ, and so do their defaults "
    "(1e-8 in PyTorch and optax, 1e-7 in Keras).",
)

CLAIMS = (update,)
