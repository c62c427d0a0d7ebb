"""What momentum does to oscillation: it shrinks by the root of the momentum, and can begin where there was none."""

from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Piecewise, Rational, Sum, Symbol, false, sqrt, symbols

from gnomon.derivations.optimizers.optim_moments import START, STEPS
from gnomon.derivations.optimizers.optim_momentum import MOMENTUM, SCOPE, moved, other
from gnomon.derivations.optimizers.optim_momentum_rate import (
    DESCENDED,
    EACH,
    LOOKS_AHEAD,
    PACE,
    UNFORGOTTEN,
    before,
    now,
    of_quadratic,
    old,
    pull,
    recurrence_step,
    shown,
    walked_steps,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Relation, Variant
from gnomon.say.domain import symbols_of

t, i, k = symbols("t i k", integer=True)
b, theta = (IndexedBase(name, real=True) for name in ("b", "theta"))
T, theta0, lr, mu = symbols_of((STEPS, START, PACE, MOMENTUM))


def energy(last: Any, first: Any) -> Any:
    return last**2 - (1 + mu - pull) * last * first + mu * first**2


SHRUNK = mu**T * pull * theta0[i] ** 2


def dampens_proof() -> Derivation:
    a, pulled = symbols("a pull", real=True)
    m = Symbol("momentum", positive=True)
    later = a * now - m * old

    def squared(last: Any, first: Any) -> Any:
        return last**2 - a * last * first + m * first**2

    return Derivation(
        (
            recurrence_step(),
            Step(
                "rewrite",
                squared(later, now),
                m * squared(now, old),
                why="the squared amplitude shrinks by the momentum at every step, whatever the curvature",
                wrong=(m**2 * squared(now, old), a**2 * squared(now, old)),
            ),
            Step(
                "substitute",
                squared(now, old),
                pulled * now**2,
                why="and at rest it is lr * curvature times the square of the error",
                by=((old, now), (a, 1 + m - pulled)),
            ),
            Step(
                "rewrite",
                squared(now, old),
                (now - a * old / 2) ** 2 + (m - a**2 / 4) * old**2,
                why="where the roots are complex, it is a sum of squares: zero only at rest in the minimum",
            ),
            Step(
                "refute",
                Ge((1 + m - pulled) * (1 - pulled) - m, 0),
                false,
                why="for lr * curvature = 1/2 gradient descent does not oscillate; with momentum 0.9 the second error "
                "has the other sign",
                by=({m: Rational(9, 10), pulled: Rational(1, 2)},),
            ),
        ),
        SCOPE,
    )


dampens = of_quadratic(
    "optim.momentum.dampens",
    "Momentum's oscillation shrinks by the root of the momentum a step, whatever the curvature",
    Relation(Abs(energy(shown[i], before[i]) - SHRUNK), "<=", 0, EACH),
    variants=(
        Variant(
            "less than gradient descent's, where that overshoots",
            "notes",
            relation=Relation(Piecewise((Abs(shown[i]), pull >= 1), (0, True)), "<=", DESCENDED, EACH),
            printed=True,
            why="gradient descent's overshooting shrinks by lr * curvature - 1 a step, momentum's by sqrt(momentum): "
            "it is dampened only if lr * curvature is greater than 1 + sqrt(momentum)",
        ),
        Variant(
            "by the momentum",
            "known mistake: amplitude taken for its square",
            relation=Relation(Abs(energy(shown[i], before[i]) - mu**T * SHRUNK), "<=", 0, EACH),
        ),
        UNFORGOTTEN,
        LOOKS_AHEAD,
        other("moved before the buffer", "known bug: the step lags by one", moved(lr * b[t - 1, i])),
    ),
    statement=Eq(energy(theta[T, i], theta[T - 1, i]), SHRUNK),
    conditions=("the function is quadratic", "it starts at rest", "the learning rate is constant"),
    derivation=dampens_proof,
    remarks="It dampens where gradient descent overshoots by more than sqrt(momentum) a step, and then also works "
    "where gradient descent diverges. Elsewhere it is momentum that oscillates.",
)

MILD = Piecewise((shown[i] * theta0[i], pull <= (1 - sqrt(mu)) ** 2), (0, True))
UP_TO_UPPER = Piecewise((shown[i] * theta0[i], pull <= (1 + sqrt(mu)) ** 2), (0, True))
AS_DESCENT = Piecewise((shown[i] * theta0[i], pull <= 1), (0, True))


def sign_proof() -> Derivation:
    first, second = symbols("p q", positive=True)
    step_count, m = Symbol("t", integer=True, positive=True), Symbol("momentum", positive=True)
    h = IndexedBase("h", positive=True)
    pulled = Symbol("pull", real=True)
    return Derivation(
        (
            recurrence_step(),
            Step(
                "rewrite",
                (1 + m - pulled) ** 2 - 4 * m,
                ((1 + sqrt(m)) ** 2 - pulled) * ((1 - sqrt(m)) ** 2 - pulled),
                why="up to (1 - sqrt(momentum))**2 both roots are real; they are positive, and below 1",
            ),
            *walked_steps(),
            Step(
                "induction",
                Eq(h[t], second * h[t - 1] + first**t),
                Sum(first**k * second ** (t - k), (k, 0, t)),
                why="each sum of products h is q times the one before, and a power of p, the smaller root",
                by=(t, 0, 1),
            ),
            Step(
                "inequality",
                Ge(second * h[step_count - 1] + first**step_count - first * second * h[step_count - 1], 0),
                second * (1 - first) * h[step_count - 1] + first**step_count,
                why="so that the error, h less p q times the h before, keeps its sign",
                assume=(first < 1,),
            ),
            Step(
                "refute",
                Ge((1 + m - pulled) * (1 - pulled) - m, 0),
                false,
                why="beyond, for lr * curvature = 1/2 and momentum 0.9, the second error has the other sign",
                by=({m: Rational(9, 10), pulled: Rational(1, 2)},),
            ),
        ),
        SCOPE,
    )


no_oscillation = of_quadratic(
    "optim.momentum.dampens.sign",
    "Momentum does not oscillate up to lr * curvature = (1 - sqrt(momentum))**2",
    Relation(MILD, ">=", 0, EACH),
    variants=(
        Variant(
            "nor wherever gradient descent does not",
            "another reading of the notes' sentence",
            relation=Relation(AS_DESCENT, ">=", 0, EACH),
            why="gradient descent does not oscillate up to 1; for a momentum of 0.9 and lr * curvature of 0.1 momentum "
            "crosses zero at the fifth step, and reaches -0.6",
        ),
        Variant(
            "up to the upper end of the band",
            "known mistake: sign of the root",
            relation=Relation(UP_TO_UPPER, ">=", 0, EACH),
        ),
    ),
    statement=Ge(theta[T, i] * theta0[i], 0),
    conditions=("lr * curvature is at most (1 - sqrt(momentum))**2, which is 0.0026 for 0.9", "it starts at rest"),
    derivation=sign_proof,
    remarks="Momentum brings oscillation where there was none; what it dampens is that of too long a step.",
)

CLAIMS = (dampens, no_oscillation)
