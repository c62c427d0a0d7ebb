"""Nesterov's momentum: the optimizer keeps the point that the method looks ahead to."""

from sympy import Eq, Function, IndexedBase, Piecewise, symbols

from gnomon.derivations.optimizers.optim_moments import GRADIENTS, RATE, START, STEPS, WIDTH, stepwise
from gnomon.derivations.optimizers.optim_momentum import (
    GIVEN,
    MOMENTUM,
    PARAM,
    RATES,
    SCOPE,
    UNDAMPED,
    moved,
    of_momentum,
    other,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Output, Program
from gnomon.say.domain import real, symbols_of

t, i = symbols("t i", integer=True)
d, b, theta, ball, ahead = (IndexedBase(name, real=True) for name in ("d", "b", "theta", "ball", "ahead"))
n, T, theta0, g, lr = symbols_of((WIDTH, STEPS, START, GRADIENTS, RATE))
(mu,) = symbols_of((MOMENTUM,))

# ------------------------------------------------------------------ Nesterov's

LOOKED = d[t, i] + mu * b[t, i]
NESTEROV = {"nesterov": True}


def nesterov_proof() -> Derivation:
    x, old, now, before, buffer = symbols("theta b theta_now theta_before buffer", real=True)
    q, step = symbols("momentum lr", positive=True)
    slope = Function("slope", real=True)
    point = x - step * q * old
    new = q * old + slope(point)
    return Derivation(
        (
            Step(
                "rewrite",
                (x - step * new) - step * q * new,
                point - step * (slope(point) + q * new),
                why="take the point that the method looks ahead to as the parameter: its steps are PyTorch's, for "
                "any gradient",
                wrong=(point - step * new, point - step * q * (slope(point) + new)),
            ),
            Step(
                "substitute",
                now + q * (now - before),
                now - step * q * buffer,
                why="and looking ahead by the last move is looking ahead by the buffer",
                by=((before, now + step * buffer),),
            ),
        ),
        SCOPE,
    )


BEHIND = other(
    "the point looked back from",
    "Nesterov's theta itself",
    moved(lr * b[t, i]),
    why="that is the path of plain momentum when the gradients are given; only the point looked ahead to differs",
)
PATH_AHEAD = (RATES, GIVEN, UNDAMPED, moved(lr * LOOKED))
FROM_BEHIND = (
    GIVEN,
    UNDAMPED,
    (ball[t, i], stepwise(theta0[i], ball[t - 1, i] - lr * b[t, i])),
    (ahead[t, i], ball[t, i] - lr * mu * b[t, i]),
)
nesterov = of_momentum(
    "optim.momentum.nesterov",
    "With nesterov, the parameter is the point that Nesterov's method looks ahead to",
    PATH_AHEAD,
    (
        BEHIND,
        other("momentum twice", "known bug", moved(lr * mu * (d[t, i] + b[t, i]))),
        other("gradient twice", "known bug: momentum of the look ahead left out", moved(lr * (d[t, i] + b[t, i]))),
        other(
            "first step without momentum",
            "known bug: a buffer that is set, not stepped, at first",
            moved(lr * Piecewise((d[t, i], Eq(t, 1)), (LOOKED, True))),
        ),
    ),
    inputs=(START, GRADIENTS, RATE, MOMENTUM),
    program=Program(PATH_AHEAD[1:], (PARAM,)),
    definition=Program(FROM_BEHIND, (Output("param", ahead[T, i], (i, 0, n - 1)),)),
    statement=Eq(theta[t, i], theta[t - 1, i] - lr * (g[t - 1, i] + mu * b[t, i])),
    conditions=("the learning rate is constant", "nothing is dampened", "the gradients are those at the points shown"),
    derivation=nesterov_proof,
    options={"keywords": NESTEROV},
    remarks="Nesterov's method asks for the gradient at a point ahead, which a torch optimizer cannot move to. So it "
    "keeps that point as the parameter. At the end one could step back by lr * momentum * buffer.",
)

CURVATURE = real("curvature", WIDTH, low=0.0, high=4.0)
(curvature,) = symbols_of((CURVATURE,))
FALL = (d[t, i], curvature[i] * theta[t - 1, i])
EXTRAPOLATED = Piecewise((theta0[i], Eq(t, 0)), (ball[t, i] + mu * (ball[t, i] - ball[t - 1, i]), True))
BY_NESTEROV = (
    (ball[t, i], stepwise(theta0[i], ahead[t - 1, i] - lr * curvature[i] * ahead[t - 1, i])),
    (ahead[t, i], EXTRAPOLATED),
)


def quadratic_proof() -> Derivation:
    x, before = symbols("theta theta_before", real=True)
    q, step, bent = symbols("momentum lr curvature", positive=True)
    point = x + q * (x - before)
    return Derivation(
        (
            *nesterov_proof().steps,
            Step(
                "rewrite",
                point - step * bent * point,
                (1 - step * bent) * ((1 + q) * x - q * before),
                why="on a quadratic the look ahead multiplies the momentum by 1 - lr * curvature",
                wrong=((1 + q - step * bent) * x - q * before,),
            ),
        ),
        SCOPE,
    )


nesterov_quadratic = of_momentum(
    "optim.momentum.nesterov.quadratic",
    "On a quadratic, it walks the path of Nesterov's own two-point method",
    (FALL, UNDAMPED, moved(lr * LOOKED)),
    (
        BEHIND,
        other(
            "gradient at the point behind",
            "heavy ball, looked ahead from",
            (d[t, i], curvature[i] * ball[t - 1, i]),
            (ball[t, i], stepwise(theta0[i], ball[t - 1, i] - lr * b[t, i])),
        ),
    ),
    driver="optimizer_quadratic",
    inputs=(START, CURVATURE, RATE, MOMENTUM),
    definition=Program(BY_NESTEROV, (Output("param", ahead[T, i], (i, 0, n - 1)),)),
    statement=Eq(ball[t, i], (1 - lr * curvature[i]) * (ball[t - 1, i] + mu * (ball[t - 1, i] - ball[t - 2, i]))),
    conditions=("the learning rate is constant",),
    derivation=quadratic_proof,
    options={"keywords": NESTEROV},
    remarks="Here the gradient is taken where the parameter is, so that the claim is about the whole method.",
)

CLAIMS = (nesterov, nesterov_quadratic)
