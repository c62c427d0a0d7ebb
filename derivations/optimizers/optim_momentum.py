"""Momentum in its three conventions: a sum of gradients, a velocity, an average; and when they are the same."""

from collections.abc import Iterable
from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Rational, Sum, false, symbols

from gnomon.derivations.optimizers.optim_moments import GRADIENTS, RATE, SECTION, START, STEPS, WIDTH, stepwise
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import nonnegative, positive, real, symbols_of, unit

t, i, k, s = symbols("t i k s", integer=True)
d, b, u, m, rate, theta = (IndexedBase(name, real=True) for name in ("d", "b", "u", "m", "rate", "theta"))
n, T, theta0, g, lr = symbols_of((WIDTH, STEPS, START, GRADIENTS, RATE))

FACTOR = positive("factor", high=2.0, host=True, typical=(0.5, 1.0))
MOMENTUM = unit("momentum", host=True, typical=(0.9, 0.5))
DAMPENING = nonnegative("dampening", high=1.0, host=True, typical=(0.0, 0.9))
BETA = nonnegative("beta", high=1.0, open_high=True, host=True, typical=(0.9, 0.0))
factor, mu, damping, beta = symbols_of((FACTOR, MOMENTUM, DAMPENING, BETA))
SCOPE = "every t and every n"
CHANGING = ("the learning rate may change from step to step; here by a factor",)

RATES = (rate[t], lr * factor ** (t - 1))
GIVEN = (d[t, i], g[t - 1, i])
BUFFER = (b[t, i], Piecewise((d[t, i], Eq(t, 1)), (mu * b[t - 1, i] + (1 - damping) * d[t, i], True)))
UNDAMPED = (b[t, i], stepwise(0, mu * b[t - 1, i] + d[t, i]))
VELOCITY = (u[t, i], stepwise(0, mu * u[t - 1, i] - rate[t] * d[t, i]))
AVERAGE = (m[t, i], stepwise(0, beta * m[t - 1, i] + (1 - beta) * d[t, i]))
PARAM = Output("param", theta[T, i], (i, 0, n - 1))


def moved(step: Any) -> tuple[Any, Any]:
    """The parameter after each step."""
    return theta[t, i], stepwise(theta0[i], theta[t - 1, i] - step)


def path(*lets: Any, by: Any) -> tuple[tuple[Any, Any], ...]:
    """The definitions of an optimizer that moves by ``by`` against the gradient."""
    return (RATES, GIVEN, *lets, moved(by))


def other(name: str, source: str, *replace: Any, **more: Any) -> Variant:
    return Variant(name, source, tuple(replace), **more)


def of_momentum(row: str, title: str, lets: Any, variants: Iterable[Variant], **more: Any) -> Claim:
    """A claim on an optimizer's path under a changing learning rate."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "equality",
        "subject": "momentum.SGD",
        "driver": "optimizer_schedule",
        "structure": (WIDTH, STEPS),
        "inputs": (START, GRADIENTS, RATE, FACTOR, MOMENTUM),
        "program": Program(lets, (PARAM,)),
    }
    return Claim(id=row, title=title, variants=tuple(variants), **(fixed | more))


# ------------------------------------------------------------------ the sum, as in torch


def buffered(last: Any) -> Any:
    """The buffer after ``last`` gradients: the first counts in full, the others by 1 - dampening."""
    return mu ** (last - 1) * g[0, i] + (1 - damping) * Sum(mu**k * g[last - 1 - k, i], (k, 0, last - 2))


def added_up(steps: Any, name: str) -> Step:
    """The steps add up to the path."""
    return Step(
        "induction",
        Eq(theta[t, i], theta[t - 1, i] - rate[t] * steps[t, i]),
        theta0[i] - Sum(rate[s] * steps[s, i], (s, 1, t)),
        why=f"the path is the start less every {name} times its rate",
        by=(t, 0, theta0[i]),
    )


def buffer_step() -> Step:
    q, tau = symbols("momentum dampening", positive=True)
    return Step(
        "induction",
        Eq(b[t, i], q * b[t - 1, i] + (1 - tau) * g[t - 1, i]),
        q ** (t - 1) * g[0, i] + (1 - tau) * Sum(q**k * g[t - 1 - k, i], (k, 0, t - 2)),
        why="the buffer is a weighted sum of the gradients, by induction from the first",
        by=(t, 1, g[0, i]),
        wrong=((1 - tau) * Sum(q**k * g[t - 1 - k, i], (k, 0, t - 1)),),
    )


def heavy_ball_step() -> Step:
    x, old, grad = symbols("theta b g", real=True)
    q, now, before = symbols("momentum rate_t rate_before", positive=True)
    return Step(
        "rewrite",
        x - now * (q * old + grad),
        x - now * grad + q * now / before * (x - (x + before * old)),
        why="as a heavy ball, its momentum is multiplied by the ratio of the new rate to the old one",
        wrong=(x - now * grad + q * (x - (x + before * old)),),
    )


SUM_PATH = theta0[i] - Sum(lr * factor ** (s - 1) * buffered(s), (s, 1, T))
BUFFERS = (PARAM, Output("momentum_buffer", b[T, i], (i, 0, n - 1)))
AS_VELOCITY = other(
    "the rate inside the buffer",
    "heavy ball: Polyak; Sutskever et al.; Keras",
    (b[t, i], Piecewise((d[t, i], Eq(t, 1)), (mu / factor * b[t - 1, i] + (1 - damping) * d[t, i], True))),
    why="for a constant rate it is the same; when the rate falls, old gradients keep the rate of their own time",
)
HEAVY_BALL = other(
    "a heavy ball",
    "Polyak; Sutskever et al.; Keras: the buffer is the last move, rate and sign inside",
    (b[t, i], stepwise(0, mu * b[t - 1, i] - rate[t] * d[t, i])),
    moved(-b[t, i]),
    why="it walks the same path as long as the rate is constant and nothing is dampened",
)
AS_AVERAGE = other(
    "average in place of the sum",
    "exponential moving average, as in Adam",
    (b[t, i], stepwise(0, mu * b[t - 1, i] + (1 - mu) * d[t, i])),
)

update = of_momentum(
    "optim.momentum.update",
    "Momentum adds up the gradients, forgets geometrically, and moves against the sum",
    path(BUFFER, by=rate[t] * b[t, i]),
    (
        AS_VELOCITY,
        HEAVY_BALL,
        AS_AVERAGE,
        other(
            "first gradient dampened as well",
            "known bug: a buffer that starts at zero",
            (b[t, i], stepwise(0, mu * b[t - 1, i] + (1 - damping) * d[t, i])),
        ),
        other(
            "no dampening",
            "known bug: the option is ignored",
            UNDAMPED,
        ),
        other(
            "dampening of the buffer",
            "known bug: 1 - dampening multiplies the momentum",
            (b[t, i], Piecewise((d[t, i], Eq(t, 1)), (mu * (1 - damping) * b[t - 1, i] + d[t, i], True))),
        ),
        other("moved before the buffer", "known bug: the step lags by one", moved(rate[t] * (b[t, i] - d[t, i]))),
        other("rate of the first step", "known bug: the schedule is ignored", (rate[t], lr)),
        other("sign of the update", "known bug", moved(-rate[t] * b[t, i])),
    ),
    inputs=(START, GRADIENTS, RATE, FACTOR, MOMENTUM, DAMPENING),
    program=Program(path(BUFFER, by=rate[t] * b[t, i]), BUFFERS),
    definition=Program(
        (), (Output("param", SUM_PATH, (i, 0, n - 1)), Output("momentum_buffer", buffered(T), (i, 0, n - 1)))
    ),
    statement=(
        Eq(b[t, i], mu * b[t - 1, i] + (1 - damping) * g[t - 1, i]),
        Eq(theta[t, i], theta[t - 1, i] - rate[t] * b[t, i]),
    ),
    conditions=("the buffer starts at the first gradient", "momentum is greater than 0", *CHANGING),
    derivation=lambda: Derivation((buffer_step(), added_up(b, "buffer"), heavy_ball_step()), SCOPE),
    remarks="The notes describe momentum in words and print no formula. This is the one of PyTorch. Three conventions "
    "are in use, and differ when the learning rate changes: see the claims on the velocity and the average.",
)

# ------------------------------------------------------------------ the velocity, a heavy ball

ball = IndexedBase("ball", real=True)
ROLLED = Piecewise(
    (theta0[i], Eq(t, 0)),
    (theta0[i] - lr * g[0, i], Eq(t, 1)),
    (ball[t - 1, i] - lr * factor ** (t - 1) * g[t - 1, i] + mu * (ball[t - 1, i] - ball[t - 2, i]), True),
)
TORCH_SUM = other(
    "the rate outside",
    "torch.optim.SGD",
    UNDAMPED,
    (u[t, i], -rate[t] * b[t, i]),
    why="the old gradients get the new rate",
)
BY_VELOCITY = path(VELOCITY, by=-u[t, i])


def velocity_proof() -> Derivation:
    x, before, grad = symbols("theta theta_before g", real=True)
    q, now, kept = symbols("momentum rate velocity", real=True)
    return Derivation(
        (
            Step(
                "substitute",
                x + (q * kept - now * grad),
                x - now * grad + q * (x - before),
                why="the velocity is the last move, so that the step is Polyak's, whatever the rate does",
                by=((kept, x - before),),
                wrong=(x - now * grad + q * (x + before),),
            ),
            Step(
                "induction",
                Eq(u[t, i], q * u[t - 1, i] - rate[t] * g[t - 1, i]),
                -Sum(q ** (t - s) * rate[s] * g[s - 1, i], (s, 1, t)),
                why="each gradient keeps the rate of its own time",
                by=(t, 0, 0),
                wrong=(-Sum(q ** (t - s) * rate[t] * g[s - 1, i], (s, 1, t)),),
            ),
        ),
        SCOPE,
    )


velocity = of_momentum(
    "optim.momentum.update.velocity",
    "With the rate inside, momentum is a heavy ball: it repeats part of its last move",
    BY_VELOCITY,
    (
        TORCH_SUM,
        other(
            "average in place of the sum",
            "exponential moving average, as in Adam",
            (u[t, i], stepwise(0, mu * u[t - 1, i] - (1 - mu) * rate[t] * d[t, i])),
        ),
        other("velocity before the update", "known bug: the step lags by one", moved(-u[t - 1, i])),
        other("Nesterov's", "the option nesterov", moved(rate[t] * d[t, i] - mu * u[t, i])),
    ),
    subject="momentum.HeavyBall",
    program=Program(BY_VELOCITY, (PARAM, Output("velocity", u[T, i], (i, 0, n - 1)))),
    definition=Program(
        ((ball[t, i], ROLLED),),
        (
            Output("param", ball[T, i], (i, 0, n - 1)),
            Output("velocity", ball[T, i] - ball[T - 1, i], (i, 0, n - 1)),
        ),
    ),
    statement=Eq(theta[t, i], theta[t - 1, i] - rate[t] * g[t - 1, i] + mu * (theta[t - 1, i] - theta[t - 2, i])),
    conditions=("it starts at rest", *CHANGING),
    derivation=velocity_proof,
    remarks="The convention of Polyak, of Sutskever and others, and of Keras. When the rate is cut to a tenth, this "
    "one coasts on at its old speed for some 1 / (1 - momentum) steps; PyTorch's slows down at once.",
)

# ------------------------------------------------------------------ the average


def average_proof() -> Derivation:
    q, now = symbols("beta rate", positive=True)
    old, grad = symbols("b g", real=True)
    return Derivation(
        (
            Step(
                "induction",
                Eq(m[t, i], q * m[t - 1, i] + (1 - q) * g[t - 1, i]),
                (1 - q) * Sum(q**k * g[t - 1 - k, i], (k, 0, t - 1)),
                why="the average is a weighted sum of the gradients",
                by=(t, 0, 0),
            ),
            added_up(m, "average"),
            Step(
                "rewrite",
                now * (q * (1 - q) * old + (1 - q) * grad),
                (1 - q) * now * (q * old + grad),
                why="it is 1 - beta times PyTorch's buffer at every step, whatever the rate does",
                wrong=(now * (q * old + grad),),
            ),
        ),
        SCOPE,
    )


BY_AVERAGE = path(AVERAGE, by=rate[t] * m[t, i])
LONG_AVERAGE = (1 - beta) * Sum(beta**k * g[s - 1 - k, i], (k, 0, s - 1))
average = of_momentum(
    "optim.momentum.update.average",
    "Written as an average, momentum is the same with a rate multiplied by 1 - beta",
    BY_AVERAGE,
    (
        other("a sum, not an average", "torch.optim.SGD", (m[t, i], stepwise(0, beta * m[t - 1, i] + d[t, i]))),
        other(
            "first gradient in full",
            "torch.optim.SGD with dampening = momentum",
            (m[t, i], Piecewise((d[t, i], Eq(t, 1)), (beta * m[t - 1, i] + (1 - beta) * d[t, i], True))),
        ),
        other("corrected for its start", "Adam", moved(rate[t] * m[t, i] / (1 - beta**t))),
        other(
            "rate inside the average",
            "heavy ball",
            (m[t, i], stepwise(0, beta / factor * m[t - 1, i] + (1 - beta) * d[t, i])),
        ),
        other("weights exchanged", "known bug", (m[t, i], stepwise(0, (1 - beta) * m[t - 1, i] + beta * d[t, i]))),
    ),
    subject="momentum.GradientAverage",
    inputs=(START, GRADIENTS, RATE, FACTOR, BETA),
    program=Program(BY_AVERAGE, (PARAM, Output("exp_avg", m[T, i], (i, 0, n - 1)))),
    definition=Program(
        (),
        (
            Output("param", theta0[i] - Sum(lr * factor ** (s - 1) * LONG_AVERAGE, (s, 1, T)), (i, 0, n - 1)),
            Output("exp_avg", LONG_AVERAGE.subs(s, T), (i, 0, n - 1)),
        ),
    ),
    statement=(
        Eq(m[t, i], beta * m[t - 1, i] + (1 - beta) * g[t - 1, i]),
        Eq(theta[t, i], theta[t - 1, i] - rate[t] * m[t, i]),
    ),
    conditions=("the average starts at zero", *CHANGING),
    derivation=average_proof,
    remarks="The convention of the first moment of Adam, which the notes print for Adam alone. A rate tuned for one "
    "convention is 1 / (1 - beta) times off in the other: ten times for 0.9.",
)

# ------------------------------------------------------------------ when they are the same

CONSTANT = real("factor", low=1.0, high=1.0, host=True)


def conventions_proof() -> Derivation:
    q, step = symbols("momentum lr", positive=True)
    old, grad = symbols("b g", real=True)
    return Derivation(
        (
            Step(
                "rewrite",
                q * (-step * old) - step * grad,
                -step * (q * old + grad),
                why="for a constant rate the velocity is minus the rate times the buffer, from one step to the next",
                wrong=(-step * (q * old + step * grad),),
            ),
            Step(
                "rewrite",
                step / (1 - q) * (q * (1 - q) * old + (1 - q) * grad),
                step * (q * old + grad),
                why="and the average with the rate divided by 1 - momentum makes the same step",
                assume=(q < 1,),
                wrong=(step * (q * old + (1 - q) * grad),),
            ),
            heavy_ball_step(),
            Step(
                "refute",
                Eq(-Rational(1, 10) * (q * old + grad), q * (-old) - Rational(1, 10) * grad),
                false,
                why="cut the rate from 1 to a tenth: the buffer moves by a tenth of the old gradients, the ball by all",
                by=({q: Rational(1, 2), old: 1, grad: 1},),
            ),
        ),
        SCOPE,
    )


conventions = of_momentum(
    "optim.momentum.update.conventions",
    "For a constant learning rate all three conventions walk the same path",
    BY_VELOCITY,
    (
        other(
            "average with the same rate",
            "known bug: the rate is not divided by 1 - momentum",
            AS_AVERAGE.replace[0],
            (u[t, i], -rate[t] * b[t, i]),
        ),
        Variant(
            "a changing rate",
            "the condition dropped",
            inputs=(FACTOR,),
            why="PyTorch multiplies old gradients by the new rate, a heavy ball by the rate of their own time",
        ),
        other("without the rate", "known bug", (u[t, i], stepwise(0, mu * u[t - 1, i] - d[t, i]))),
    ),
    kind="invariance",
    inputs=(START, GRADIENTS, RATE, CONSTANT, MOMENTUM),
    definition=Program(path(UNDAMPED, by=rate[t] * b[t, i]), (PARAM,)),
    statement=(Eq(u[t, i], -lr * b[t, i]), Eq(m[t, i], (1 - mu) * b[t, i])),
    conditions=("the learning rate is constant", "every one starts at rest, and nothing is dampened"),
    derivation=conventions_proof,
    remarks="The program is the heavy ball, the subject PyTorch's convention.",
)

CLAIMS = (update, velocity, average, conventions)
