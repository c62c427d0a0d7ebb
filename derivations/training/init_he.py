"""Random initial weights for ReLU networks, after He: half of the second moment is lost, and the variance makes up."""

from collections.abc import Iterable
from typing import Any

from sympy import (
    Abs,
    Eq,
    Function,
    IndexedBase,
    Integral,
    Lambda,
    Max,
    Min,
    Rational,
    Sum,
    Symbol,
    exp,
    false,
    oo,
    pi,
    sqrt,
    symbols,
)

from gnomon.derivations.training.init import (
    BACKWARD,
    ERRORS,
    FORWARD,
    INDEPENDENT,
    LAYER,
    MATRIX,
    SECTION,
    SIGNAL,
    SIZES,
    STD,
    ahead,
    another,
    back,
    backward_mean,
    forward_mean,
    forward_step,
    kept_step,
    of_weights,
    printed_step,
    sign_of,
    std,
    uniform_step,
    var,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, simplex, symbols_of

i, j, k = symbols("i j k", integer=True)
n_out, n_in = symbols_of(SIZES)
x, delta = symbols_of((SIGNAL, ERRORS))
INWARD = Symbol("inward", integer=True)
MODE = Choice("mode", {"fan_in": {INWARD: 1}, "fan_out": {INWARD: 0}})
SLOPE = real("a", low=0.0, high=2.0, host=True, typical=(0.2, 0.0))
(slope,) = symbols_of((SLOPE,))

# ------------------------------------------------------------------ half of the second moment


def half_steps() -> tuple[Step, ...]:
    """What is left of a second moment, for an even law."""
    s, a = symbols("s a", real=True)
    square = Symbol("square", positive=True)
    return (
        Step(
            "rewrite",
            (Max(s, 0) ** 2 + Max(-s, 0) ** 2) / 2,
            s**2 / 2,
            why="of s and -s, just as likely, ReLU keeps one: half of the square on average, whatever the even law",
            wrong=(Abs(s) / 2,),
        ),
        Step(
            "rewrite",
            (s**2 + (a * s) ** 2) / 2,
            (1 + a**2) / 2 * s**2,
            why="and leaky ReLU, of either s, keeps s**2 and a**2 s**2",
            wrong=((1 + a) / 2 * s**2,),
        ),
        Step(
            "solve",
            Eq(square * (1 + a**2) / 2, 1),
            2 / (1 + a**2),
            why="so the square of the gain is 2 / (1 + a**2)",
            by=(square,),
        ),
    )


def normal_steps() -> tuple[Step, ...]:
    """For a normal law: its half, and the mean, which is lost where a variance is kept."""
    s, sigma = Symbol("s", real=True), Symbol("sigma", positive=True)
    density = exp(-(s**2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))
    return (
        Step(
            "integrate",
            Integral(s**2 * density, (s, 0, oo)),
            sigma**2 / 2,
            why="for a normal law, for instance",
            wrong=(sigma**2 * (Rational(1, 2) - 1 / (2 * pi)),),
        ),
        Step(
            "integrate",
            Integral(s * density, (s, 0, oo)),
            sigma / sqrt(2 * pi),
            why="its mean is not zero: the variance is less than the second moment, which is what the next layer gets",
        ),
    )


def he_steps() -> tuple[Step, ...]:
    size, power = Symbol("n", integer=True, positive=True), Symbol("power", positive=True)
    inner, outer = (Symbol(name, integer=True, positive=True) for name in ("n_in", "n_out"))
    return (
        forward_step(),
        *half_steps(),
        kept_step(2 / size, size / 2, power, "half of n times the variance is 1 for a variance of 2 / n"),
        printed_step(2 / size, {size: 8}, "as printed, the variance is 1/2 for 8 units, and the mean square doubles"),
        Step(
            "refute",
            Eq(inner * (2 / outer) / 2, 1),
            false,
            why="and forward it takes the inputs: with n_out, 100 inputs and 400 outputs keep a quarter",
            by=({inner: 100, outer: 400},),
        ),
    )


# ------------------------------------------------------------------ He

summed = Sum(sign_of(k, i) * ahead[i], (i, 0, n_in - 1))
ACTIVE_AHEAD = (
    (ahead[i], std * x[i]),
    (
        forward_mean,
        Sum(Max(summed, 0) ** 2, (k, 0, 2**n_in - 1)) / 2**n_in,
    ),
)
ACTIVE_BACK = (
    (back[j], std * delta[j]),
    (
        backward_mean,
        Sum(Sum(sign_of(k, j) * back[j], (j, 0, n_out - 1)) ** 2, (k, 0, 2**n_out - 1)) / 2**n_out / 2,
    ),
)
HALF_AHEAD = (forward_mean, var / 2 * Sum(x[i] ** 2, (i, 0, n_in - 1)))
HALF_BACK = (backward_mean, var / 2 * Sum(delta[j] ** 2, (j, 0, n_out - 1)))
fan = INWARD * n_in + (1 - INWARD) * n_out
HE = 2 / fan


def he_variants(variance: Any) -> tuple[Variant, ...]:
    return (
        another("standard deviation as the variance, for either mode", "known bug", sqrt(variance)),
        another("the other fan", "known bug: transposed weight, or mode mistaken", 2 / (n_in + n_out - fan)),
        another("Xavier's", "Glorot and Bengio", 2 / (n_in + n_out)),
        another("LeCun's", "the factor 2 left out", 1 / fan),
        another(
            "variance of the activation kept, not its second moment",
            "known mistake: mean of ReLU taken for zero",
            1 / (fan * (Rational(1, 2) - 1 / (2 * pi))),
        ),
    )


PRINTED = another(
    "standard deviation as the variance, and n_out",
    "notes",
    sqrt(2 / n_out),
    printed=True,
    why="sqrt(2 / n_out) is the standard deviation of the one that keeps gradients on the way back; with 8 inputs and "
    "outputs the printed variance is 1/2, and every layer doubles the mean square",
)


def of_he(row: str, title: str, subject: str, variants: Iterable[Variant], steps: Any, **more: Any) -> Claim:
    fixed: dict[str, Any] = {
        "subject": subject,
        "structure": (*SIZES, MODE),
        "inputs": (SIGNAL, ERRORS),
        "program": Program(((var, HE), STD, *ACTIVE_AHEAD, *ACTIVE_BACK), (FORWARD, BACKWARD)),
        "definition": Program(((var, HE), HALF_AHEAD, HALF_BACK), (FORWARD, BACKWARD)),
        "derivation": lambda: Derivation(steps(), "every n"),
        "statement": Eq(Symbol("n") * var / 2 * Symbol("E[x**2]"), Symbol("E[x**2]")),
        "conditions": (INDEPENDENT, LAYER, "half of the units are active on the way back"),
    }
    return of_weights(row, title, HE, variants, **(fixed | more))


RELU = {**MATRIX, "slope": 0.0, "keywords": {"mode": "mode", "nonlinearity": "relu"}}
he = of_he(
    "init.he",
    "With a variance of 2 / n_in a ReLU layer keeps the mean square; 2 / n_out is for the way back",
    "initialization.kaiming_normal_",
    (PRINTED, *he_variants(HE)),
    he_steps,
    options=RELU,
    remarks="The notes are wrong twice: they print the standard deviation, and that of the backward mode. torch takes "
    "weights as (n_out, n_in); its default is fan_in, and a ReLU's gain (a leaky ReLU of slope 0).",
)
he_uniform = of_he(
    "init.he.uniform",
    "A uniform law on plus and minus sqrt(6 / n) does the same",
    "initialization.kaiming_uniform_",
    (
        *he_variants(HE),
        another("the standard deviation as the bound", "known bug: factor sqrt(3) left out", HE / 3),
        another("1 / sqrt(n) as the bound", "torch.nn.Linear's default", 1 / (3 * fan)),
    ),
    lambda: (*he_steps(), uniform_step()),
    statement=Eq(Symbol("half_width"), sqrt(6 / Symbol("n"))),
    options={**RELU, "law": "uniform"},
)

# ------------------------------------------------------------------ the slope

LEAK = (
    (ahead[i], std * x[i]),
    (
        forward_mean,
        Sum(Max(summed, 0) ** 2 + (slope * Min(summed, 0)) ** 2, (k, 0, 2**n_in - 1)) / 2**n_in,
    ),
)
LEAKY = 2 / (1 + slope**2) / n_in
leaky = of_he(
    "init.he.leaky",
    "For a leaky ReLU with slope a, the variance is 2 / ((1 + a**2) n_in)",
    "initialization.kaiming_normal_",
    (
        another("slope ignored", "He's for ReLU", 2 / n_in),
        another("slope not squared", "known bug", 2 / (1 + slope) / n_in),
        another("default slope", "known bug: the slope is not passed on", 2 / (1 + Rational(1, 10000)) / n_in),
        another("gain not squared", "known bug: the gain multiplies the variance", sqrt(2 / (1 + slope**2)) / n_in),
    ),
    he_steps,
    structure=SIZES,
    inputs=(SIGNAL, SLOPE),
    program=Program(((var, LEAKY), STD, *LEAK), (FORWARD,)),
    definition=Program(((var, LEAKY), (forward_mean, Sum(x[i] ** 2, (i, 0, n_in - 1)) / n_in)), (FORWARD,)),
    statement=Eq(n_in * var * (1 + slope**2) / 2, 1),
    conditions=(INDEPENDENT, LAYER),
    options={**MATRIX, "slope": "a", "keywords": {"a": "a"}},
)

by_default = of_he(
    "init.he.defaults",
    "Without options it is He's for ReLU, with fan_in",
    "initialization.kaiming_normal_",
    (
        another("LeCun's", "the factor 2 left out", 1 / n_in),
        another("outputs in the place of inputs", "mode fan_out by default", 2 / n_out),
        another("slope of 0.01", "the default of torch.nn.LeakyReLU", 2 / (1 + Rational(1, 10000)) / n_in),
    ),
    he_steps,
    structure=SIZES,
    inputs=(SIGNAL,),
    program=Program(((var, 2 / n_in), STD, *ACTIVE_AHEAD), (FORWARD,)),
    definition=Program(((var, 2 / n_in), HALF_AHEAD), (FORWARD,)),
    statement=Eq(var, 2 / n_in),
    conditions=(INDEPENDENT, LAYER),
    options={**MATRIX, "slope": 0.0},
    remarks="The nonlinearity named by default is a leaky ReLU, but of slope 0.",
)

# ------------------------------------------------------------------ the gain

MANY = Size("n", 1, 4)
(n,) = symbols_of((MANY,))
LAW = (real("s", MANY), simplex("p", MANY), real("slope", low=-1.0, high=2.0, host=True, typical=(0.01, 0.2)))
s, chance, leak = symbols_of(LAW)
gain, halves = Symbol("gain"), IndexedBase("halves")
u = Symbol("u", real=True)
NONLINEARITY = Choice(
    "nonlinearity",
    {
        "relu": {Function("slope_of"): Lambda(u, 0)},
        "leaky_relu": {Function("slope_of"): Lambda(u, u)},
        "linear": {Function("slope_of"): Lambda(u, 1)},
    },
)
own = Symbol("own")


def active(value: Any) -> Any:
    return Max(value, 0) + own * Min(value, 0)


GAIN_OF = (
    (own, Function("slope_of")(leak)),
    (gain, sqrt(2 / (1 + own**2))),
    (halves[i], (active(s[i]) ** 2 + active(-s[i]) ** 2) / 2),
)
KEPT = (Output("kept", gain**2 * Sum(chance[i] * halves[i], (i, 0, n - 1))),)
half = Claim(
    id="init.he.half",
    section=SECTION,
    title="ReLU keeps half of the second moment of any symmetric law; the gain makes up for it",
    kind="expectation",
    subject="initialization.calculate_gain",
    driver="activation_gain",
    structure=(MANY, NONLINEARITY),
    inputs=LAW,
    program=Program(GAIN_OF, KEPT),
    definition=Program((), (Output("kept", Sum(chance[i] * s[i] ** 2, (i, 0, n - 1))),)),
    statement=Eq(gain**2 * Symbol("E[sigma(s)**2]"), Symbol("E[s**2]")),
    conditions=("s and -s are as likely", "ReLU, leaky ReLU with its slope, or no activation"),
    derivation=lambda: Derivation((*half_steps(), *normal_steps()), "every even law with a variance"),
    variants=(
        Variant("square of the gain", "known bug: root left out", ((gain, 2 / (1 + own**2)),)),
        Variant("slope ignored", "He's for ReLU", ((gain, sqrt(2)),)),
        Variant("slope not squared", "known bug", ((gain, sqrt(2 / (1 + Abs(own)))),)),
        Variant(
            "variance in the place of the second moment",
            "known mistake: mean of ReLU taken for zero",
            ((gain, sqrt(1 / ((1 + own**2) / 2 - (1 - own) ** 2 / (2 * pi)))),),
            why="for a normal law the variance of ReLU is 0.34, not 0.5; the mean counts as well",
        ),
        Variant("no gain", "LeCun", ((gain, 1),)),
    ),
    remarks="Proved for every even law: those here have up to four sizes, with any probabilities. The gains that torch "
    "has for tanh (5/3) and SELU (3/4) are conventions, and nothing is claimed of them.",
)

CLAIMS = (he, he_uniform, leaky, by_default, half)
