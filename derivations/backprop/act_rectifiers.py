"""Activation functions with a kink: ReLU, its leaky form and the exponential unit; what autograd answers there."""

from typing import Any

from sympy import Abs, Eq, Integer, Max, Min, Piecewise, Symbol, exp, false, oo, symbols
from sympy.codegen.cfunctions import expm1, log1p

from gnomon.derivations.backprop.act import CEILING, SCOPE, X, instead, of_one_number, out, x
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Program, Relation, Variant
from gnomon.say.domain import positive, real, symbols_of

y, slope, e, z = symbols("y slope e z", real=True)
k = Symbol("k", integer=True)
ABOVE, BELOW = (z, 0, "+"), (z, 0, "-")


def split(above: Any, at: Any, below: Any) -> Any:
    """One formula for each sign of x; where two are the same, SymPy would join their conditions by an Or."""
    if at == below:
        return Piecewise((above, x > 0), (below, True))
    if at == above:
        return Piecewise((above, x >= 0), (below, True))
    return Piecewise((above, x > 0), (at, Eq(x, 0)), (below, True))


def slope_claim(
    row: str, title: str, subject: str, above: Any, kink: tuple[Any, Any, Any], below: Any, **more: Any
) -> Claim:
    """A claim on the slope that autograd answers; ``kink`` holds the least, the chosen and the greatest one at 0."""
    low, chosen, high = (split(above, at, below) for at in kink)
    excess = Piecewise((low - slope, Eq(k, 0)), (slope - high, True))
    made: Claim = of_one_number(
        row,
        title,
        subject,
        kind="inequality",
        driver="derivatives",
        program=Program(((e, exp(Min(x, 0))), (slope, chosen)), out(slope, "slope")),
        relation=Relation(excess, "<=", 0, ((k, 0, 1),)),
        statement=(low <= slope, slope <= high),
        options={"orders": {"slope": 1}, **more.pop("options", {})},
        **more,
    )
    return made


# ------------------------------------------------------------------ the rectifier


def relu_proof() -> Derivation:
    c = Symbol("c", positive=True)
    return Derivation(
        (
            Step("rewrite", Max(x, 0), (x + Abs(x)) / 2, why="half of the sum of x and its size", wrong=(Abs(x),)),
            Step("rewrite", Max(c * x, 0), c * Max(x, 0), why="positive factors pass through it", wrong=(Max(x, 0),)),
            Step("rewrite", Max(x, 0) - Max(-x, 0), x, why="two of them give the input back", wrong=(Abs(x),)),
            Step("rewrite", Max(x, 0) + Max(-x, 0), Abs(x), why="or its size", wrong=(x,)),
        ),
        SCOPE,
    )


def kink_steps() -> tuple[Step, ...]:
    g = Symbol("g", nonnegative=True)
    return (
        Step("limit", Max(z, 0) / z, Integer(1), why="the slope at 0 seen from above", by=ABOVE),
        Step("limit", Max(z, 0) / z, Integer(0), why="and from below", by=BELOW),
        Step(
            "rewrite",
            Max(z, 0) - g * z,
            (1 - g) * Max(z, 0) + g * Max(-z, 0),
            why="every g from 0 to 1 keeps the line g z below the graph: neither term is negative",
            wrong=((1 - g) * Max(z, 0) - g * Max(-z, 0),),
        ),
    )


relu = of_one_number(
    "act.relu",
    "ReLU is the greater of the input and zero",
    "activations.ReLU",
    program=Program(((y, Max(x, 0)),), out(y)),
    definition=Program((), out((x + Abs(x)) / 2)),
    statement=Eq(y, Max(0, x)),
    conditions=("for the slope at 0 see act.relu.slope",),
    derivation=relu_proof,
    variants=(
        instead("cut at 6", "torch.nn.ReLU6", y, Min(6, Max(x, 0))),
        instead("size", "known bug: abs", y, Abs(x)),
        instead("negative part", "known bug: min", y, Min(x, 0)),
        instead("leaky", "torch.nn.LeakyReLU", y, Max(x, x / 100)),
        instead("smooth", "softplus", y, log1p(exp(-Max(x, -x))) + Max(x, 0)),
        instead("squared", "So et al. (2021), Primer", y, Max(x, 0) ** 2),
        instead("step", "known bug: the derivative in the place of the function", y, Piecewise((1, x > 0), (0, True))),
    ),
)
relu_slope = slope_claim(
    "act.relu.slope",
    "Autograd's slope of ReLU is 0 below, 1 above, and from 0 to 1 at the kink",
    "activations.ReLU",
    Integer(1),
    (Integer(0), Integer(0), Integer(1)),
    Integer(0),
    derivation=lambda: Derivation(kink_steps(), SCOPE),
    variants=(
        instead("the output for the step", "known bug: a backward pass that multiplies by ReLU", slope, Max(x, 0)),
        instead("-1 below", "the rule of abs", slope, split(1, 0, -1)),
        instead("1 everywhere", "straight through", slope, Integer(1)),
        instead("2 at the kink", "known bug: both branches counted", slope, split(1, 2, 0)),
        instead("-1 at the kink", "known bug: 0 taken for a negative number by abs", slope, split(1, -1, 0)),
    ),
    remarks="At 0 torch.relu says 0, clamp(min=0) 1 and torch.maximum 1/2: subgradients all, and no derivative.",
)

# ------------------------------------------------------------------ the leaky rectifier

SLOPE = real("negative_slope", low=0, high=1, host=True, typical=(0.01, 0.1, 0.2, 0.0, 1.0))
(a,) = symbols_of((SLOPE,))
ANY_SLOPE = real("negative_slope", low=0, high=4, host=True, typical=(2.0,))
KEYWORDS = {"keywords": {"negative_slope": "negative_slope"}}


def leaky_proof() -> Derivation:
    c, h = Symbol("a", real=True), Symbol("h", nonnegative=True)
    halves = Piecewise((x, x >= 0), (c * x, True))
    return Derivation(
        (
            Step(
                "rewrite",
                Max(x, 0) + c * Min(x, 0),
                (1 + c) * x / 2 + (1 - c) * Abs(x) / 2,
                why="both halves, for any slope a",
                wrong=((1 - c) * x / 2 + (1 + c) * Abs(x) / 2,),
            ),
            Step(
                "rewrite",
                Max(x - h * x, x),
                Max(x, 0) + (1 - h) * Min(x, 0),
                why="with a = 1 - h at most 1 that is the maximum of a x and x",
                wrong=(Min(x, 0) + (1 - h) * Max(x, 0),),
            ),
            Step(
                "refute",
                Eq(Max(c * x, x), halves),
                false,
                why="for a slope of 2 the maximum is 2 at 1 and -1 at -1",
                by=({c: 2, x: 1}, {c: 2, x: -1}),
            ),
        ),
        "every real x and every slope (the maximum for slopes up to 1)",
    )


leaky = of_one_number(
    "act.leaky_relu",
    "The leaky ReLU is the greater of x and a x, for slopes up to 1",
    "activations.LeakyReLU",
    inputs=(X, SLOPE),
    options={"call": ("x",), **KEYWORDS},
    program=Program(((y, Max(a * x, x)),), out(y)),
    definition=Program((), out(Piecewise((x, x >= 0), (a * x, True)))),
    statement=Eq(y, Max(a * x, x)),
    conditions=("0 ≤ a ≤ 1", "for the slope at 0 see act.leaky_relu.slope"),
    derivation=leaky_proof,
    variants=(
        Variant(
            "the maximum, for slopes above 1",
            "figure of section 1.2.2, with another slope than its 0.1",
            inputs=(ANY_SLOPE,),
            why="it puts the slope on the wrong side: 2 at x = 1 for a = 2",
        ),
        instead("slope on the wrong side", "known bug: the minimum", y, Min(a * x, x)),
        instead("slope of the notes", "figure: 0.1 whatever a is", y, Max(x / 10, x)),
        instead("slope of torch", "known bug: the default 0.01 whatever a is", y, Max(x / 100, x)),
        instead("positive below", "known bug: sign", y, Max(x, 0) - a * Min(x, 0)),
        instead("no leak", "ReLU", y, Max(x, 0)),
        instead("x / a below", "Xu et al. (2015), where a is above 1", y, Max(x, 0) + Min(x, 0) / Max(a, 0.001)),
    ),
    remarks="The notes' figure has a slope of 0.1, PyTorch's default is 0.01, that of Keras 0.3.",
)
leaky_slope = slope_claim(
    "act.leaky_relu.slope",
    "Autograd's slope of the leaky ReLU is a below, 1 above, and between them at the kink",
    "activations.LeakyReLU",
    Integer(1),
    (a, a, Integer(1)),
    a,
    inputs=(X, SLOPE),
    options=KEYWORDS,
    conditions=("0 ≤ a ≤ 1",),
    derivation=lambda: Derivation(
        (
            Step("limit", (Max(z, 0) + a * Min(z, 0)) / z, Integer(1), why="the slope at 0 seen from above", by=ABOVE),
            Step("limit", (Max(z, 0) + a * Min(z, 0)) / z, a, why="and from below", by=BELOW),
            Step(
                "rewrite",
                Max(z, 0) + a * Min(z, 0) - z,
                (1 - a) * Max(-z, 0),
                why="above the line of slope 1 by this, which is at least 0",
            ),
            Step(
                "rewrite",
                Max(z, 0) + a * Min(z, 0) - a * z,
                (1 - a) * Max(z, 0),
                why="and above that of slope a by this; so above those between",
            ),
        ),
        SCOPE,
    ),
    variants=(
        instead("0 below", "ReLU's backward pass", slope, split(1, 0, 0)),
        instead("0 at the kink", "known bug: one mask for x > 0, another for x < 0", slope, split(1, 0, a)),
        instead("1 + a at the kink", "known bug: masks for x ≥ 0 and x ≤ 0", slope, split(1, 1 + a, a)),
        instead("-a below", "known bug: sign", slope, split(1, a, -a)),
    ),
    remarks="torch says a at 0.",
)

# ------------------------------------------------------------------ the exponential unit

ALPHA = positive("alpha", high=4, host=True, typical=(1.0, 0.5, 2.0, 1.6732632423543772))
(alpha,) = symbols_of((ALPHA,))
ELU = {"keywords": {"alpha": "alpha"}}
neg = Symbol("neg", real=True)


def below_zero(formula: Any) -> Any:
    """The positive part, and a formula in the negative one."""
    return Max(x, 0) + formula


def elu_proof() -> Derivation:
    tail = alpha * (exp(x) - 1)
    return Derivation(
        (
            Step("limit", alpha * (exp(z) - 1), Integer(0), why="without a jump", by=BELOW, wrong=(alpha,)),
            Step("limit", tail, -alpha, why="down to -alpha", by=(x, -oo)),
            Step("differentiate", tail, tail + alpha, why="below 0 the slope is f + alpha", by=(x,), wrong=(tail + 1,)),
            Step("limit", alpha * (exp(z) - 1) / z, alpha, why="so alpha at 0 from below, but 1 from above", by=BELOW),
            Step(
                "refute",
                Eq(alpha * exp(x), 1),
                false,
                why="for alpha = 2 there is a kink",
                by=({alpha: 2, x: 0},),
            ),
        ),
        "every real x and every alpha > 0",
    )


elu = of_one_number(
    "act.elu",
    "The exponential unit: the input above zero, alpha (e^x - 1) below",
    "activations.ELU",
    inputs=(X, ALPHA),
    options={"call": ("x",), **ELU},
    ceiling=CEILING,
    program=Program(((neg, Min(x, 0)), (y, below_zero(alpha * expm1(neg)))), out(y)),
    definition=Program((), out(Piecewise((x, x >= 0), (alpha * (exp(x) - 1), True)))),
    statement=Eq(y, Piecewise((x, x >= 0), (alpha * (exp(x) - 1), True))),
    conditions=("alpha > 0", "for the slope at 0 see act.elu.slope"),
    derivation=elu_proof,
    variants=(
        instead("alpha forgotten", "known bug", y, below_zero(expm1(neg))),
        instead("alpha in the exponent", "known bug", y, below_zero(expm1(alpha * neg))),
        instead("divided by alpha in the exponent", "torch.nn.CELU", y, below_zero(alpha * expm1(neg / alpha))),
        instead(
            "alpha e^x", "known bug: -1 forgotten", y, below_zero(alpha * exp(neg) * Piecewise((1, x < 0), (0, True)))
        ),
        instead("alpha e^x - 1", "known bug: parentheses", y, below_zero(alpha * exp(neg) - 1)),
        instead("alpha times all", "known bug: as in SELU, with its scale", y, alpha * below_zero(expm1(neg))),
        instead(
            "e^x - 1, computed so",
            "notes, taken as an algorithm",
            y,
            below_zero(alpha * (exp(neg) - 1)),
            why="the right formula; few digits are left close to 0, none below 1e-16",
        ),
        instead("cut at -1", "known bug: alpha taken for the bound", y, Max(x, -alpha)),
    ),
    remarks="Smooth only for alpha = 1.",
)
elu_slope = slope_claim(
    "act.elu.slope",
    "Autograd's slope of the exponential unit is alpha e^x below, 1 above, and between 1 and alpha at 0",
    "activations.ELU",
    Integer(1),
    (Min(1, alpha), alpha, Max(1, alpha)),
    alpha * e,
    inputs=(X, ALPHA),
    options=ELU,
    conditions=("alpha > 0",),
    derivation=elu_proof,
    variants=(
        instead("e^x below", "known bug: alpha forgotten", slope, split(1, 1, e)),
        instead(
            "f in the place of f + alpha", "known bug in the backward pass", slope, split(1, alpha, alpha * (e - 1))
        ),
        instead("f + 1", "known bug: right for alpha = 1", slope, split(1, alpha, alpha * (e - 1) + 1)),
        instead("0 at the kink", "ReLU's choice", slope, split(1, 0, alpha * e)),
        instead("sum at the kink", "known bug: masks for x ≥ 0 and x ≤ 0", slope, split(1, 1 + alpha, alpha * e)),
    ),
    remarks="torch says alpha at 0. For alpha above 1 the kink bends the wrong way, and the function is not convex.",
)

CLAIMS = (relu, relu_slope, leaky, leaky_slope, elu, elu_slope)
