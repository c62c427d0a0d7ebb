"""Smooth relatives of ReLU that users meet: softplus, SiLU, and GELU with its approximation by a hyperbolic tangent."""

from typing import Any

from sympy import Eq, Integer, Max, Min, Piecewise, Rational, Symbol, erf, exp, log, oo, pi, sqrt, symbols, tanh
from sympy.codegen.cfunctions import log1p

from gnomon.derivations.backprop.act import (
    CEILING,
    SCOPE,
    SIGMOID,
    SIZE,
    X,
    instead,
    logistic,
    of_one_number,
    out,
    size,
    x,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Program
from gnomon.say.domain import real, symbols_of

y, s, z, u, near, inner, chance, scaled, part = symbols("y s z u near inner chance scaled part", real=True)
TAIL_LEFT = "The program leaves out a tail below e^-800, which no format holds, so that no power overflows."

# ------------------------------------------------------------------ softplus


def log_one_plus_exp(number: Any, of_size: Any) -> Any:
    """log(1 + e^number) without overflow; ``of_size`` is the number's size."""
    return Piecewise((number, number >= 0), (0, True)) + log1p(exp(-of_size))


def softplus_steps() -> tuple[Step, ...]:
    return (
        Step(
            "rewrite",
            log(1 + exp(x)),
            x + log(1 + exp(-x)),
            why="above 0, where the exponential is at most 1; below 0 the first form serves",
            wrong=(x + log(1 - exp(-x)), log(1 + exp(-x))),
        ),
        Step(
            "differentiate",
            log(1 + exp(x)),
            logistic(x),
            why="its slope is the logistic function",
            by=(x,),
            wrong=(1 - logistic(x), logistic(x) * (1 - logistic(x))),
        ),
        Step("limit", log(1 + exp(x)) - x, Integer(0), why="to the right it approaches x", by=(x, oo)),
        Step("limit", log(1 + exp(x)), Integer(0), why="to the left 0", by=(x, -oo)),
    )


softplus = of_one_number(
    "act.softplus",
    "Softplus is log(1 + e^x), for inputs of any size",
    "activations.softplus",
    driver="function",
    options={},
    ceiling=CEILING,
    program=Program((SIZE, (y, log_one_plus_exp(x, size))), out(y)),
    definition=Program((), out(log(1 + exp(x)))),
    statement=Eq(y, log(1 + exp(x))),
    derivation=lambda: Derivation(softplus_steps(), SCOPE),
    variants=(
        instead(
            "log(1 + e^x), computed so", "known bug", y, log(1 + exp(x)), why="infinite where e^x overflows, from 710"
        ),
        instead(
            "log of 1 + e^-|x|",
            "known bug: log in the place of log1p",
            y,
            Max(x, 0) + log(1 + exp(-size)),
            why="the right formula; no digits are left below -37",
        ),
        instead(
            "x above 20",
            "torch.nn.functional.softplus, by default",
            y,
            Piecewise((x, x > 20), (log_one_plus_exp(x, size), True)),
            why="off by 2e-9 at 20, which float64 can see and float32 cannot",
        ),
        instead("no smoothing", "ReLU", y, Max(x, 0)),
        instead("sign inside", "known bug: minus log sigmoid", y, log_one_plus_exp(-x, size)),
        instead("moved to the origin", "Schütt et al. (2017), SchNet", y, log_one_plus_exp(x, size) - log(2)),
        instead("logarithm to base 2", "known bug", y, log_one_plus_exp(x, size) / log(2)),
    ),
)

BETA = real("beta", low=0.125, high=8, host=True, typical=(1.0, 0.5, 2.0))
THRESHOLD = real("threshold", low=0, high=1000, host=True, typical=(20.0, 5.0, 500.0))
(beta, threshold) = symbols_of((BETA, THRESHOLD))
SCALED_SIZE = (size, Piecewise((scaled, scaled >= 0), (-scaled, True)))


def cut(value: Any, at: Any = scaled) -> Any:
    """x above the threshold."""
    return Piecewise((x, at > threshold), (value, True))


cut_softplus = of_one_number(
    "act.softplus.threshold",
    "Softplus with a steepness, and the input itself above a threshold",
    "activations.Softplus",
    inputs=(X, BETA, THRESHOLD),
    options={"call": ("x",), "keywords": {"beta": "beta", "threshold": "threshold"}},
    program=Program(
        ((scaled, beta * x), SCALED_SIZE, (part, log_one_plus_exp(scaled, size) / beta), (y, cut(part))), out(y)
    ),
    definition=Program((), out(cut(log(1 + exp(beta * x)) / beta, beta * x))),
    statement=Eq(y, cut(log(1 + exp(beta * x)) / beta, beta * x)),
    conditions=("beta > 0",),
    derivation=lambda: Derivation(
        (
            *softplus_steps(),
            Step(
                "differentiate",
                log(1 + exp(beta * x)) / beta,
                logistic(beta * x),
                why="the steepness cancels in the slope",
                by=(x,),
                wrong=(beta * logistic(beta * x), logistic(x)),
            ),
            Step(
                "rewrite",
                log(1 + exp(beta * x)) / beta - x,
                log(1 + exp(-beta * x)) / beta,
                why="what is left out above the threshold",
            ),
        ),
        "every real x and every beta > 0",
    ),
    variants=(
        instead("not divided by beta", "known bug", part, log_one_plus_exp(scaled, size)),
        instead("threshold for x", "known bug: not for beta x", y, cut(part, x)),
        instead(
            "no threshold", "the mathematics", y, part, why="2e-9 above x at the default threshold, more at a lower one"
        ),
        instead(
            "0 above the threshold", "known bug: branches of a sum", y, Piecewise((0, scaled > threshold), (part, True))
        ),
        instead("beta forgotten", "known bug: the argument not scaled", scaled, x),
        instead(
            "clipped at the threshold",
            "known bug: clamp against overflow",
            part,
            log(1 + exp(Min(scaled, threshold))) / beta,
        ),
    ),
    remarks="It jumps down at the threshold.",
)

# ------------------------------------------------------------------ SiLU


def silu_proof() -> Derivation:
    value = x * logistic(x)
    return Derivation(
        (
            Step("rewrite", value, x * exp(x) / (1 + exp(x)), why="below 0, where the exponential is at most 1"),
            Step("rewrite", value, x * (1 + tanh(x / 2)) / 2, why="above 0", wrong=(x * (1 + tanh(x)) / 2,)),
            Step(
                "differentiate",
                value,
                logistic(x) * (1 + x * (1 - logistic(x))),
                why="the product rule",
                by=(x,),
                wrong=(logistic(x), logistic(x) * (1 + x * logistic(x))),
            ),
            Step("rewrite", value - x, -x * logistic(-x), why="f(x) - f(-x) = x, as for every x times a sigmoid"),
            Step("limit", value, Integer(0), why="0 to the left, but below 0 on the way", by=(x, -oo)),
        ),
        SCOPE,
    )


silu = of_one_number(
    "act.silu",
    "SiLU, or swish, is the input times its logistic function",
    "activations.SiLU",
    program=Program((*SIGMOID, (y, x * s)), out(y)),
    definition=Program((), out(x * logistic(x))),
    statement=Eq(y, x * logistic(x)),
    derivation=silu_proof,
    variants=(
        instead("x σ(1.702 x)", "quick GELU, of CLIP", y, x * logistic(Rational(1702, 1000) * x)),
        instead("straight lines", "torch.nn.Hardswish", y, x * Max(0, Min(1, x / 6 + Rational(1, 2)))),
        instead("x tanh(softplus(x))", "torch.nn.Mish", y, x * tanh(log_one_plus_exp(x, Max(x, -x)))),
        instead("logistic function alone", "known bug", y, s),
        instead("σ(x)^2 x", "known bug: gated twice", y, x * s * s),
        instead("x e^x / (1 + e^x) for every x", "known bug", y, x * exp(x) / (1 + exp(x)), why="NaN from 710 on"),
        instead("x² σ(x)", "known bug: the gate is the unit itself", y, x * x * s),
    ),
)

# ------------------------------------------------------------------ GELU

cubic, CUBIC = Symbol("cubic", positive=True), Rational(44715, 1000000)


def phi(number: Any) -> Any:
    """The chance that a standard normal number is below this one."""
    return (1 + erf(number / sqrt(2))) / 2


def gelu_proof() -> Derivation:
    density = exp(-(u**2) / 2) / sqrt(2 * pi)
    return Derivation(
        (
            Step(
                "differentiate",
                phi(u),
                density,
                why="the chance grows at the rate of the density",
                by=(u,),
                wrong=(exp(-(u**2)) / sqrt(pi),),
            ),
            Step("limit", phi(u), Integer(0), why="from 0", by=(u, -oo)),
            Step("limit", phi(u), Integer(1), why="to 1: Φ is the normal distribution function", by=(u, oo)),
            Step(
                "differentiate",
                u * phi(u),
                phi(u) + u * density,
                why="the slope of x Φ(x)",
                by=(u,),
                wrong=(phi(u), density * u),
            ),
            Step("rewrite", u * phi(u) - u, -u * phi(-u), why="f(x) - f(-x) = x"),
        ),
        SCOPE,
    )


GELU = ((near, Max(-40, Min(40, x))), (z, sqrt(2) / 2 * near), (chance, (1 + erf(z)) / 2), (y, x * chance))
TANH_FORM = x * (1 + tanh(sqrt(2 / pi) * (x + CUBIC * x**3))) / 2
"""Of large numbers the cube overflows; the program does without."""
gelu = of_one_number(
    "act.gelu",
    "GELU is the input times the normal distribution function of it",
    "activations.GELU",
    program=Program(GELU, out(y)),
    definition=Program((), out(x * phi(x))),
    statement=Eq(y, x * phi(x)),
    derivation=gelu_proof,
    variants=(
        instead("approximated", "torch, approximate='tanh'; BERT, GPT-2", y, TANH_FORM),
        instead("x σ(1.702 x)", "quick GELU, of CLIP; Hendrycks and Gimpel, section 2", y, x * logistic(1.702 * x)),
        instead("without the root of 2", "known bug", z, near),
        instead("without the half", "known bug", chance, 1 + erf(z)),
        instead("SiLU", "torch.nn.SiLU", y, x * logistic(x)),
        instead("Φ alone", "known bug", y, chance),
        instead("Φ of another spread", "known bug: 2 in the place of its root", z, near / 2),
        instead("cut below -3", "known habit of hardware", y, Piecewise((0, x < -3), (x * chance, True))),
    ),
    remarks="The budget is that of 1 + erf, an absolute one far below 0, where torch has no digits left. " + TAIL_LEFT,
)


def tanh_form_proof() -> Derivation:
    sigma_form = x * logistic(2 * u)
    return Derivation(
        (
            Step(
                "rewrite", x * (1 + tanh(u)) / 2, sigma_form, why="a SiLU of another argument", wrong=(x * logistic(u),)
            ),
            Step(
                "series",
                phi(z),
                Rational(1, 2) + (z - z**3 / 6) / sqrt(2 * pi),
                why="the chance near 0",
                by=(z, 0, 5),
            ),
            Step(
                "series",
                (1 + tanh(sqrt(2 / pi) * (z + inner * z**3))) / 2,
                Rational(1, 2) + (z + inner * z**3 - 2 * z**3 / (3 * pi)) / sqrt(2 * pi),
                why="and its approximation, with any factor c of the cube",
                by=(z, 0, 5),
                wrong=(Rational(1, 2) + (z + inner * z**3 - 2 * z**3 / pi) / sqrt(2 * pi),),
            ),
            Step(
                "solve",
                Eq(inner - 2 / (3 * pi), -Rational(1, 6)),
                (4 - pi) / (6 * pi),
                why="both agree up to the cube for c = 0.0455; 0.044715 is the better one further out",
                by=(inner,),
            ),
        ),
        SCOPE,
    )


WEIGHTED = ((cubic, CUBIC), (near, Max(-32, Min(32, x))))


def form(root: Any, cube: Any) -> tuple[Any, Any]:
    return inner, root * (near + cube)


RIGHT = form(sqrt(2 / pi), cubic * near**3)
gelu_tanh = of_one_number(
    "act.gelu.tanh",
    "GELU's approximation by a hyperbolic tangent",
    "activations.GELU",
    options={"call": ("x",), "keywords": {"approximate": "tanh"}},
    program=Program((*WEIGHTED, RIGHT, (chance, (1 + tanh(inner)) / 2), (y, x * chance)), out(y)),
    definition=Program((), out(TANH_FORM)),
    statement=Eq(y, TANH_FORM),
    derivation=tanh_form_proof,
    variants=(
        instead("not approximated", "torch, approximate='none'", y, x * phi(near)),
        instead("0.0044715", "known bug: a digit", *form(sqrt(2 / pi), cubic * near**3 / 10)),
        instead("0.044715 x^2", "known bug: the wrong power", *form(sqrt(2 / pi), cubic * near**2)),
        instead("root of 2π", "known bug", *form(1 / sqrt(2 * pi), cubic * near**3)),
        instead("2/π without the root", "known bug", *form(2 / pi, cubic * near**3)),
        instead("0.7979 for the root of 2/π", "known habit: rounded", *form(Rational(7979, 10000), cubic * near**3)),
        instead("cubic term outside", "known bug: parentheses", inner, sqrt(2 / pi) * near + cubic * near**3),
        instead(
            "best at 0",
            "the factor that matches the third derivative",
            *form(sqrt(2 / pi), (4 - pi) / (6 * pi) * near**3),
        ),
    ),
    remarks="It differs from x Φ(x) by up to 5e-4: weights trained with the one are off with the other. " + TAIL_LEFT,
)

CLAIMS: tuple[Claim, ...] = (softplus, cut_softplus, silu, gelu, gelu_tanh)
