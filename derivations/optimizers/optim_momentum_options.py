"""Momentum's options, one step as a function, no momentum, and how far momentum builds up."""

from sympy import Eq, IndexedBase, Piecewise, Rational, Sum, Symbol, false, symbols

from gnomon.derivations.optimizers.optim_moments import GRADIENTS, RATE, START, STEPS, WIDTH, stepwise
from gnomon.derivations.optimizers.optim_momentum import (
    BUFFER,
    CHANGING,
    DAMPENING,
    FACTOR,
    MOMENTUM,
    PARAM,
    RATES,
    SCOPE,
    UNDAMPED,
    moved,
    of_momentum,
    other,
)
from gnomon.derivations.optimizers.optim_momentum_nesterov import LOOKED, nesterov_proof
from gnomon.derivations.optimizers.optim_options import DECAY, penalty_step
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Size, nonnegative, real, symbols_of

t, i, k = symbols("t i k", integer=True)
d, b, theta, rate = (IndexedBase(name, real=True) for name in ("d", "b", "theta", "rate"))
n, T, theta0, g, lr = symbols_of((WIDTH, STEPS, START, GRADIENTS, RATE))
factor, mu, damping, decay = symbols_of((FACTOR, MOMENTUM, DAMPENING, DECAY))

# ------------------------------------------------------------------ weight decay, and all options at once

WEIGHT = nonnegative("weight_decay", host=True, typical=(0.01, 0.5))
PENALISED = (d[t, i], g[t - 1, i] + decay * theta[t - 1, i])
CLIMBING = (d[t, i], decay * theta[t - 1, i] - g[t - 1, i])
shrunk = (1 - rate[t] * decay) * theta[t - 1, i]
DECAYING = (START, GRADIENTS, RATE, FACTOR, MOMENTUM, WEIGHT)


def options_proof() -> Derivation:
    x, weight, step, q = symbols("theta weight_decay lr momentum", real=True)
    return Derivation(
        (
            penalty_step(),
            Step(
                "refute",
                Eq(q * (weight * x) + weight * (x - step * weight * x), weight * (x - step * weight * x)),
                false,
                why="the decay goes through the buffer: of the first step's some comes again at the second",
                by=({x: 1, weight: 1, step: Rational(1, 2), q: Rational(1, 2)},),
            ),
            *nesterov_proof().steps,
        ),
        SCOPE,
    )


weight_decay = of_momentum(
    "optim.momentum.update.weight_decay",
    "Weight decay enters the buffer, as the gradient of a penalty",
    (RATES, PENALISED, UNDAMPED, moved(rate[t] * b[t, i])),
    (
        other(
            "decay beside the gradient",
            "SGDW: decoupled weight decay",
            (d[t, i], g[t - 1, i]),
            (theta[t, i], stepwise(theta0[i], shrunk - rate[t] * b[t, i])),
        ),
        other("no decay", "known bug", (d[t, i], g[t - 1, i])),
        other("decay of the initial value", "known bug", (d[t, i], g[t - 1, i] + decay * theta0[i])),
        other("half the decay", "known bug", (d[t, i], g[t - 1, i] + decay / 2 * theta[t - 1, i])),
    ),
    inputs=DECAYING,
    statement=(Eq(d[t, i], PENALISED[1]), Eq(b[t, i], mu * b[t - 1, i] + d[t, i])),
    conditions=("nothing is dampened", *CHANGING),
    derivation=options_proof,
    remarks="Unlike in Adam, the penalty and decoupled decay differ here only by what the buffer remembers; at a "
    "momentum of 0 they are the same.",
)

options = of_momentum(
    "optim.momentum.update.options",
    "All options at once: maximize turns the gradient and not the decay, nesterov looks ahead",
    (RATES, CLIMBING, UNDAMPED, moved(rate[t] * LOOKED)),
    (
        other("descends", "known bug: maximize is ignored", PENALISED),
        other("decay pushes away from zero", "known bug: sign changed after the decay", (d[t, i], -PENALISED[1])),
        other("no look ahead", "known bug: nesterov is ignored", moved(rate[t] * b[t, i])),
        other(
            "decay beside the gradient",
            "SGDW: decoupled weight decay",
            (d[t, i], -g[t - 1, i]),
            (theta[t, i], stepwise(theta0[i], shrunk - rate[t] * LOOKED)),
        ),
    ),
    inputs=DECAYING,
    statement=(Eq(d[t, i], CLIMBING[1]), Eq(theta[t, i], theta[t - 1, i] - rate[t] * (d[t, i] + mu * b[t, i]))),
    conditions=("nothing is dampened", *CHANGING),
    derivation=options_proof,
    options={"keywords": {"maximize": True, "nesterov": True}},
)

# ------------------------------------------------------------------ no momentum

ALONE = (RATES, (d[t, i], g[t - 1, i]), moved(rate[t] * d[t, i]))


def plain_proof() -> Derivation:
    old, grad = symbols("b g", real=True)
    q, tau = symbols("momentum dampening", nonnegative=True)
    return Derivation(
        (
            Step("substitute", q * old + grad, grad, why="with no momentum the buffer is the gradient", by=((q, 0),)),
            Step(
                "refute",
                Eq(q * old + (1 - tau) * grad, grad),
                false,
                why="with dampening it would not be: PyTorch keeps no buffer then, and dampens nothing",
                by=({q: 0, tau: Rational(1, 2), old: 0, grad: 1},),
            ),
        ),
        SCOPE,
    )


plain = of_momentum(
    "optim.momentum.update.none",
    "Without momentum it is gradient descent, and dampening does nothing",
    ALONE,
    (
        other(
            "dampened",
            "the formula for a momentum of 0",
            moved(rate[t] * Piecewise((d[t, i], Eq(t, 1)), ((1 - damping) * d[t, i], True))),
            why="PyTorch keeps no buffer when momentum is 0, so that the formula jumps there",
        ),
        other("momentum of 0.9", "another default", BUFFER, (mu, Rational(9, 10)), moved(rate[t] * b[t, i])),
        other("rate of the first step", "known bug: the schedule is ignored", (rate[t], lr)),
    ),
    inputs=(START, GRADIENTS, RATE, FACTOR, DAMPENING),
    definition=Program(
        (), (Output("param", theta0[i] - Sum(lr * factor ** (t - 1) * g[t - 1, i], (t, 1, T)), (i, 0, n - 1)),)
    ),
    statement=Eq(theta[t, i], theta[t - 1, i] - rate[t] * g[t - 1, i]),
    conditions=("momentum is 0, which is the default", *CHANGING),
    derivation=plain_proof,
)

# ------------------------------------------------------------------ how far it builds up

SAME = real("constant", WIDTH)
(constant,) = symbols_of((SAME,))
MANY = Size("T", 1, 8)
BUILT = constant[i] * (1 - mu**T) / (1 - mu)


def terminal_proof() -> Derivation:
    q, grad, now = Symbol("momentum", positive=True), Symbol("g", real=True), Symbol("t", integer=True, positive=True)
    v = IndexedBase("v", real=True)
    share = Symbol("share", positive=True)  # the power momentum**t, which vanishes
    return Derivation(
        (
            Step(
                "induction",
                Eq(v[t], q * v[t - 1] + grad),
                grad * (1 - q**t) / (1 - q),
                why="a constant gradient adds up geometrically",
                by=(t, 0, 0),
                assume=(q < 1,),
                wrong=(grad * (1 - q ** (t + 1)) / (1 - q),),
            ),
            Step(
                "sum",
                (1 - q) * Sum(q**k, (k, 0, now - 1)),
                1 - q**now,
                why="which is the sum of its weights",
                assume=(q < 1,),
            ),
            Step(
                "limit",
                grad * (1 - share) / (1 - q),
                grad / (1 - q),
                why="and ends at 1 / (1 - momentum) gradients: ten of them for 0.9",
                by=(share, 0, "+"),
                wrong=(grad,),
            ),
        ),
        SCOPE,
    )


terminal = of_momentum(
    "optim.momentum.update.terminal_velocity",
    "Under a constant gradient momentum builds up to 1 / (1 - momentum) gradients",
    ((d[t, i], constant[i]), UNDAMPED, moved(lr * b[t, i])),
    (
        other("an average", "as in Adam", (b[t, i], stepwise(0, mu * b[t - 1, i] + (1 - mu) * d[t, i]))),
        other("at once", "the limit, taken at every step", (b[t, i], stepwise(0, d[t, i] / (1 - mu)))),
        other(
            "one step more",
            "known bug: a buffer that starts at the first gradient and takes it again",
            (b[t, i], stepwise(d[t, i], mu * b[t - 1, i] + d[t, i])),
        ),
    ),
    structure=(WIDTH, MANY),
    inputs=(START, SAME, RATE, MOMENTUM),
    program=Program(
        ((d[t, i], constant[i]), UNDAMPED, moved(lr * b[t, i])),
        (PARAM, Output("momentum_buffer", b[T, i], (i, 0, n - 1))),
    ),
    definition=Program(
        (),
        (
            Output(
                "param",
                theta0[i] - lr * constant[i] * (T - mu * (1 - mu**T) / (1 - mu)) / (1 - mu),
                (i, 0, n - 1),
            ),
            Output("momentum_buffer", BUILT, (i, 0, n - 1)),
        ),
    ),
    statement=Eq(b[T, i], BUILT),
    conditions=("every gradient is the same", "the learning rate is constant"),
    derivation=terminal_proof,
    remarks="So the rate that acts in the long run is lr / (1 - momentum).",
)

# ------------------------------------------------------------------ one step as a function

STATE = (real("param", WIDTH), real("grad", WIDTH), real("buffer", WIDTH))
param, grad, buffer = symbols_of(STATE)
turned, stepped, new = (IndexedBase(name, real=True) for name in ("turned", "stepped", "new"))
ONE_STEP = (
    (turned[i], grad[i] + decay * param[i]),
    (stepped[i], mu * buffer[i] + (1 - damping) * turned[i]),
    (new[i], param[i] - lr * stepped[i]),
)


def functional_proof() -> Derivation:
    x, slope, old = symbols("param grad buffer", real=True)
    pace, q, tau, weight = symbols("lr momentum dampening weight_decay", real=True)
    step = x - pace * (q * old + (1 - tau) * (slope + weight * x))
    return Derivation(
        (
            Step(
                "differentiate",
                step,
                1 - pace * (1 - tau) * weight,
                why="by the parameter, which the decay shrinks",
                by=(x,),
                wrong=(1 - pace * weight,),
            ),
            Step("differentiate", step, -pace * (1 - tau), why="by the gradient", by=(slope,)),
            Step("differentiate", step, -pace * q, why="by the buffer", by=(old,)),
        ),
        "every step, rate, momentum, dampening and decay",
        lift="coordinate",
    )


functional = of_momentum(
    "optim.momentum.update.functional",
    "One step as a function of the parameter, the gradient and the buffer, and its derivatives",
    ONE_STEP,
    (
        other("decay beside the buffer", "SGDW: decoupled weight decay", (turned[i], grad[i]),
              (new[i], (1 - lr * decay) * param[i] - lr * stepped[i])),
        other("no dampening", "known bug: the option is ignored", (stepped[i], mu * buffer[i] + turned[i])),
        other("buffer of the step before", "known bug", (new[i], param[i] - lr * buffer[i])),
        other("an average", "as in Adam", (stepped[i], mu * buffer[i] + (1 - mu) * turned[i])),
    ),
    subject="momentum.sgd_update",
    driver="function",
    structure=(WIDTH,),
    inputs=(*STATE, RATE, MOMENTUM, DAMPENING, DECAY),
    program=Program(ONE_STEP, (Output("param", new[i], (i, 0, n - 1)), Output("buffer", stepped[i], (i, 0, n - 1)))),
    statement=(Eq(stepped[i], ONE_STEP[1][1]), Eq(new[i], ONE_STEP[2][1])),
    conditions=("momentum is greater than 0", "there has been a step before"),
    derivation=functional_proof,
    options={"arguments": ("param", "grad", "buffer", "lr", "momentum", "dampening", "weight_decay")},
    remarks="An optimizer steps outside autograd; this function is what one differentiates through training.",
)  # fmt: skip

CLAIMS = (weight_decay, options, plain, terminal, functional)
