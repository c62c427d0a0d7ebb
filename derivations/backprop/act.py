"""The logistic function and the hyperbolic tangent: values, derivatives, and what is lost in their tails."""

from typing import Any

from sympy import Eq, Integer, Le, Max, Min, Piecewise, Rational, exp, false, oo, sqrt, symbols, tanh

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Form, Output, Program, Variant
from gnomon.say.domain import real

SECTION = "1.2.2"
SCOPE = "every real x"
X = real("x")
x = X.symbol
w, s, q, t, y, d, size, second, third = symbols("w s q t y d size second third", real=True)

BELOW = (w, exp(Min(x, 0)))
SIGMOID = (BELOW, (s, Piecewise(((1 + tanh(x / 2)) / 2, x >= 0), (w / (1 + w), True))))
"""Above 0 by the hyperbolic tangent, below by the exponential: no overflow, and no digits lost in the lower tail."""
SIZE = (size, Piecewise((x, x >= 0), (-x, True)))


def logistic(u: Any) -> Any:
    """The first formula of the logistic function."""
    return 1 / (1 + exp(-u))


CEILING = 4
"""ULP that a function with digits to lose may be off: few roundings, and none that is magnified."""


def out(entry: Any, name: str = "y") -> tuple[Output, ...]:
    return (Output(name, entry),)


def instead(name: str, source: str, target: Any, formula: Any, why: str = "", **more: Any) -> Variant:
    """Another formula for one definition."""
    return Variant(name, source, ((target, formula),), why=why, **more)


def of_one_number(row: str, title: str, subject: str, **more: Any) -> Claim:
    """A claim on a function of one real number."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "equality",
        "subject": subject,
        "driver": "module",
        "inputs": (X,),
        "options": {"call": ("x",)},
    }
    return Claim(id=row, title=title, **{**fixed, **more})


# ------------------------------------------------------------------ the logistic function


def forms_steps() -> tuple[Step, ...]:
    """The formulas that do not overflow."""
    return (
        Step("rewrite", logistic(x), exp(x) / (1 + exp(x)), why="below 0, where the exponential is at most 1"),
        Step("rewrite", logistic(x), (1 + tanh(x / 2)) / 2, why="above 0", wrong=((1 + tanh(x)) / 2,)),
    )


def sigmoid_proof() -> Derivation:
    return Derivation(
        (
            *forms_steps(),
            Step(
                "differentiate",
                logistic(x),
                logistic(x) * (1 - logistic(x)),
                why="the slope comes from the value",
                by=(x,),
                wrong=(x * (1 - x), logistic(x) * (1 + logistic(x))),
            ),
            Step("rewrite", logistic(-x), 1 - logistic(x), why="the graph is symmetric about (0, 1/2)"),
            Step("limit", logistic(x), Integer(1), why="between 1", by=(x, oo)),
            Step("limit", logistic(x), Integer(0), why="and 0", by=(x, -oo)),
        ),
        SCOPE,
    )


sigmoid = of_one_number(
    "act.sigmoid",
    "The logistic function, for inputs of any size, and its slope",
    "activations.Sigmoid",
    ceiling=CEILING,
    program=Program(SIGMOID, out(s)),
    definition=Program((), out(logistic(x))),
    statement=Eq(y, logistic(x)),
    derivation=sigmoid_proof,
    variants=(
        instead(
            "e^x / (1 + e^x) for every x",
            "known bug",
            s,
            exp(x) / (1 + exp(x)),
            why="NaN from 710 on, where e^x overflows",
        ),
        instead("sign of the exponent", "known bug", s, 1 / (1 + exp(x))),
        instead("hyperbolic tangent, not rescaled", "known bug", s, (1 + tanh(x)) / 2),
        instead("input clipped to ±20", "known habit against overflow", s, logistic(Max(-20, Min(20, x)))),
        instead("straight line between -3 and 3", "torch.nn.Hardsigmoid", s, Max(0, Min(1, x / 6 + Rational(1, 2)))),
        instead("straight line of slope 1/5", "Keras, hard_sigmoid before version 3", s, Max(0, Min(1, x / 5 + 0.5))),
        instead("rectifier", "the notes' σ in sections 1 and 1.1, where it is any activation", s, Max(x, 0)),
    ),
    remarks="The textbook form 1/(1 + e^-x) has the right value everywhere, yet autograd turns it into NaN below -710 "
    "(-89 in float32): 0 times infinity. Autograd's slope s(1 - s) has no digits left above 37, see "
    "act.sigmoid.derivative.tail.",
)


def slope_steps() -> tuple[Step, ...]:
    """The derivative, its bound and its form for the tails."""
    return (
        Step(
            "differentiate",
            logistic(x),
            logistic(x) * (1 - logistic(x)),
            why="the derivative in terms of the value",
            by=(x,),
            wrong=(x * (1 - x), 1 - logistic(x) ** 2),
        ),
        Step(
            "rewrite",
            logistic(x) * (1 - logistic(x)),
            exp(-x) / (1 + exp(-x)) ** 2,
            why="without a difference of nearly equal numbers; it is even, so that x may be |x|",
            wrong=(exp(-x) / (1 + exp(-x)),),
        ),
        Step(
            "rewrite", exp(-x) / (1 + exp(-x)) ** 2, exp(x) / (1 + exp(x)) ** 2, why="the same for x and for -x, indeed"
        ),
        Step(
            "inequality",
            s * (1 - s) <= Rational(1, 4),
            (s - Rational(1, 2)) ** 2,
            why="at most 1/4: n layers shrink a gradient by at least 4^n",
        ),
    )


def higher_proof() -> Derivation:
    value = logistic(x)
    return Derivation(
        (
            Step("differentiate", value, value * (1 - value), why="P₁ = s(1 - s)", by=(x,)),
            Step(
                "differentiate",
                s * (1 - s),
                1 - 2 * s,
                why="each polynomial is the derivative of the last one by s, times s(1 - s)",
                by=(s,),
            ),
            Step(
                "differentiate",
                value * (1 - value),
                value * (1 - value) * (1 - 2 * value),
                why="P₂ = s(1 - s)(1 - 2s)",
                by=(x,),
                wrong=(value * (1 - value) * (1 - value),),
            ),
            Step(
                "differentiate",
                value,
                value * (1 - value) * (1 - 6 * value * (1 - value)),
                why="P₃ = s(1 - s)(1 - 6s(1 - s))",
                by=(x, x, x),
                wrong=(value * (1 - value) * (1 - 2 * value) ** 2,),
            ),
        ),
        "orders 1, 2, 3",
    )


TAIL = (SIZE, (w, exp(-size)), (d, w / (1 + w) ** 2))
SLOPE = (*SIGMOID, (q, 1 - s), (d, s * q))
derivative = of_one_number(
    "act.sigmoid.derivative",
    "The derivative of the logistic function is s(1 - s), where s is its value",
    "activations.sigmoid_grad",
    driver="function",
    options={},
    program=Program(SLOPE, out(d)),
    definition=Program(TAIL, out(d)),
    statement=Eq(d, s * (1 - s)),
    derivation=lambda: Derivation(slope_steps(), SCOPE),
    variants=(
        instead("x(1 - x)", "known bug: the input taken for the value", d, x * (1 - x)),
        instead("value taken for an input", "known bug: σ taken twice", d, logistic(s) * (1 - logistic(s))),
        instead("1 - s^2", "the rule of the hyperbolic tangent", d, 1 - s**2),
        instead("s(1 + s)", "known bug: sign", d, s * (1 + s)),
        instead("s alone", "known bug: half of the product rule", d, s),
    ),
    remarks="The budget is that of s(1 - s): an absolute one in the upper tail.",
)
derivative_tail = of_one_number(
    "act.sigmoid.derivative.tail",
    "The derivative of the logistic function keeps its digits in both tails",
    "activations.sigmoid_grad",
    driver="function",
    options={},
    ceiling=CEILING,
    program=Program(TAIL, out(d)),
    definition=Program((), out(logistic(x) * (1 - logistic(x)))),
    statement=Eq(d, exp(-size) / (1 + exp(-size)) ** 2),
    conditions=("size = |x|",),
    derivation=lambda: Derivation(slope_steps(), SCOPE),
    variants=(
        instead(
            "s(1 - s), computed so",
            "torch's backward pass, and nearly everybody's",
            d,
            logistic(size) * (1 - logistic(size)),
            why="the right formula; 1 - s has lost all digits for x above 37, in bfloat16 for x above 6",
        ),
        instead("w / (1 + w)", "known bug: the square forgotten", d, w / (1 + w)),
    ),
    remarks="A unit with input 40 has the slope 4e-18; autograd says 0, and the unit stays as it is for ever.",
)
higher = of_one_number(
    "act.sigmoid.higher_derivatives",
    "Second and third derivatives of the logistic function, by autograd through autograd",
    "activations.sigmoid",
    driver="derivatives",
    options={"orders": {"second": 2, "third": 3}},
    program=Program(
        (*SLOPE, (second, d * (1 - 2 * s)), (third, d * (1 - 6 * d))),
        (Output("second", second), Output("third", third)),
    ),
    statement=(Eq(second, s * (1 - s) * (1 - 2 * s)), Eq(third, s * (1 - s) * (1 - 6 * s * (1 - s)))),
    derivation=higher_proof,
    variants=(
        instead("second derivative of s(1 - s) by s", "known bug: the chain rule forgotten", second, 1 - 2 * s),
        instead("slope squared", "known bug: derivative of the derivative taken as its square", second, d * d),
        instead("sign of the second", "known bug", second, d * (2 * s - 1)),
        instead("product rule forgotten", "known bug: s held fixed", third, d * (1 - 2 * s) ** 2),
        instead(
            "s detached in the backward pass",
            "known bug: a custom backward that saves its output without a graph",
            second,
            Integer(0),
        ),
    ),
    remarks="A custom backward pass is seldom differentiable again; the check goes one order further, to the fourth.",
)

# ------------------------------------------------------------------ the hyperbolic tangent


def tanh_proof() -> Derivation:
    return Derivation(
        (
            Step(
                "rewrite",
                2 * logistic(2 * x) - 1,
                tanh(x),
                why="both are (e^x - e^-x) / (e^x + e^-x)",
                wrong=(tanh(2 * x), tanh(x / 2), 2 * tanh(x) - 1),
            ),
            Step("rewrite", 2 * logistic(-2 * x) - 1, -tanh(x), why="odd: zero-centred, as σ is not"),
            Step("limit", (2 * logistic(2 * x) - 1) / x, Integer(1), why="of slope 1 at 0, where σ has 1/4", by=(x, 0)),
            Step(
                "refute",
                Eq(2 * Max(2 * x, 0) - 1, tanh(x)),
                false,
                why="σ is the logistic function alone: for the rectifier, which the notes also call σ, it is -1",
                by=({x: 0},),
            ),
        ),
        SCOPE,
    )


from_sigmoid = of_one_number(
    "act.tanh.from_sigmoid",
    "The hyperbolic tangent is the logistic function, rescaled and moved to the origin",
    "activations.Tanh",
    ceiling=CEILING,
    program=Program(((t, tanh(x)),), out(t)),
    definition=Program((), out(2 * logistic(2 * x) - 1)),
    statement=Eq(tanh(x), 2 * logistic(2 * x) - 1),
    conditions=("σ is the logistic function",),
    derivation=tanh_proof,
    variants=(
        instead("2σ(x) - 1", "known bug: input not doubled", t, tanh(x / 2)),
        instead("σ(2x)", "known bug: not moved to the origin", t, logistic(2 * x)),
        instead(
            "2σ(2x) - 1, computed so",
            "notes, taken as an algorithm",
            t,
            2 * logistic(2 * x) - 1,
            why="the right formula; for small x the difference leaves few digits: 0 for 1e-17",
        ),
        instead(
            "σ another activation", "notes, where σ names every activation", t, 2 * Max(2 * x, 0) - 1, why="-1 at 0"
        ),
        instead(
            "quotient of exponentials",
            "known bug",
            t,
            (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
            why="NaN from 710 on, and few digits for small x",
        ),
        instead("straight line", "torch.nn.Hardtanh", t, Max(-1, Min(1, x))),
        instead("softsign", "torch.nn.Softsign", t, x / (1 + Max(x, -x))),
        instead("scaled", "LeCun et al. (1998): 1.7159 tanh(2x/3)", t, Rational(17159, 10000) * tanh(2 * x / 3)),
    ),
)


def tanh_slope_steps() -> tuple[Step, ...]:
    return (
        Step("differentiate", tanh(x), 1 - tanh(x) ** 2, why="in terms of the value", by=(x,), wrong=(1 - x**2,)),
        Step(
            "rewrite",
            1 - tanh(x) ** 2,
            4 * exp(-2 * x) / (1 + exp(-2 * x)) ** 2,
            why="without a difference of nearly equal numbers",
            wrong=(2 * exp(-2 * x) / (1 + exp(-2 * x)) ** 2, 4 * exp(-x) / (1 + exp(-x)) ** 2),
        ),
        Step("inequality", Le(1 - t**2, 1, evaluate=False), t**2, why="at most 1, and 1 at 0 alone"),
    )


TANH_TAIL = (SIZE, (w, exp(-2 * size)), (d, 4 * w / (1 + w) ** 2))
tanh_derivative = of_one_number(
    "act.tanh.derivative",
    "The derivative of the hyperbolic tangent is one minus its square",
    "activations.tanh_grad",
    driver="function",
    options={},
    program=Program(((t, tanh(x)), (d, 1 - t**2)), out(d)),
    definition=Program(TANH_TAIL, out(d)),
    forms=(Form("by one exponential", ((d, 4 * exp(-2 * SIZE[1]) / (1 + exp(-2 * SIZE[1])) ** 2),)),),
    statement=Eq(d, 1 - tanh(x) ** 2),
    derivation=lambda: Derivation(tanh_slope_steps(), SCOPE),
    variants=(
        instead("1 - x^2", "known bug: the input taken for the value", d, 1 - x**2),
        instead("value taken for an input", "known bug: the tangent twice", d, 1 - tanh(t) ** 2),
        instead("1 - tanh", "known bug: square forgotten", d, 1 - t),
        instead("tanh(1 - tanh)", "the rule of the logistic function", d, t * (1 - t)),
        instead("1 + tanh^2", "the rule of the tangent", d, 1 + t**2),
        instead("root of it", "1/cosh in the place of its square", d, sqrt(Max(0, 1 - t**2))),
    ),
    remarks="The budget is that of 1 - tanh²: an absolute one in both tails.",
)
tanh_tail = of_one_number(
    "act.tanh.derivative.tail",
    "The derivative of the hyperbolic tangent keeps its digits in both tails",
    "activations.tanh_grad",
    driver="function",
    options={},
    ceiling=CEILING,
    program=Program(TANH_TAIL, out(d)),
    definition=Program((), out(1 - tanh(x) ** 2)),
    statement=Eq(d, 4 * exp(-2 * size) / (1 + exp(-2 * size)) ** 2),
    conditions=("size = |x|",),
    derivation=lambda: Derivation(tanh_slope_steps(), SCOPE),
    variants=(
        instead(
            "1 - tanh^2, computed so",
            "notes, taken as an algorithm; torch's backward pass",
            d,
            1 - tanh(x) ** 2,
            why="the right formula; no digits are left from 19 on, in bfloat16 from 3.5 on",
        ),
        instead("factor 4 forgotten", "known bug", d, w / (1 + w) ** 2),
        instead("exponent not doubled", "the logistic function's, times 4", d, 4 * exp(-size) / (1 + exp(-size)) ** 2),
    ),
)

CLAIMS = (sigmoid, derivative, derivative_tail, higher, from_sigmoid, tanh_derivative, tanh_tail)
