"""The empirical risk and its gradient (1.2)."""

from typing import Any

from sympy import Abs, Eq, Function, IndexedBase, Lambda, Max, Rational, Sum, Symbol, exp, symbols
from sympy.codegen.cfunctions import log1p

from gnomon.proof.derivation import Derivation, Step, define, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "1.2"
SAMPLES = Size("n", 1, 4)
WIDTH = Size("p", 1, 3)
DATA = (real("theta", WIDTH), real("x", SAMPLES, WIDTH), real("y", SAMPLES))
n, p, theta, x, y = symbols_of((SAMPLES, WIDTH, *DATA))
i, j, k, q = symbols("i j k q", integer=True, nonnegative=True)

ell = Function("ell", real=True)
prediction, target = symbols("prediction target", real=True)
margin = prediction * target
LOSSES = {
    "square": (prediction - target) ** 2,
    "absolute": Abs(prediction - target),
    "logistic": Max(-margin, 0) + log1p(exp(-Abs(margin))),
    "quantile": Max(target - prediction, 0) * Rational(3, 4) + Max(prediction - target, 0) / 4,
}
LOSS = Choice("loss", {name: {ell: Lambda((prediction, target), body)} for name, body in LOSSES.items()})

f, loss = IndexedBase("f", real=True), IndexedBase("each", real=True)
risk = Symbol("risk", real=True)


def predicted(row: Any) -> Any:
    """The linear model on a sample."""
    return Sum(x[row, j] * theta[j], (j, 0, p - 1))


def mean(entry: Any) -> Any:
    return Sum(entry, (i, 0, n - 1)) / n


# ------------------------------------------------------------------ the risk

RISK = ((f[i], predicted(i)), (loss[i], ell(f[i], y[i])), (risk, mean(loss[i])))


def risk_proof() -> Derivation:
    sigma, dsigma, _ = opaque("ell")
    a, w = IndexedBase("a", real=True), Symbol("theta", real=True)
    level = Symbol("loss", positive=True)
    return Derivation(
        (
            define(risk, mean(loss[i]), "the empirical risk: a function of theta, not its minimum"),
            Step(
                "differentiate",
                mean(sigma(a[i] * w)),
                mean(dsigma(a[i] * w) * a[i]),
                why="the gradient of the mean is the mean of the gradients, for every loss",
                by=(w,),
                wrong=(n * mean(dsigma(a[i] * w) * a[i]), mean(dsigma(a[i] * w))),
            ),
            Step(
                "sum",
                Sum(level, (i, 0, 2 * n - 1)) / (2 * n),
                level,
                why="equal losses have that loss as their risk, however many there are; a sum would grow with n",
                wrong=(2 * n * level,),
            ),
        )
    )


empirical = Claim(
    id="train.erm",
    section=SECTION,
    title="The empirical risk is the mean loss over the samples, a function of the parameters",
    kind="equality",
    subject="training.empirical_risk",
    driver="risk",
    structure=(SAMPLES, WIDTH, LOSS),
    inputs=DATA,
    program=Program(RISK, (Output("risk", risk),)),
    statement=Eq(risk, mean(ell(f[i], y[i]))),
    conditions=("every sample has the same weight",),
    derivation=risk_proof,
    variants=(
        Variant("sum in place of the mean", 'torch, reduction="sum"', ((risk, n * mean(loss[i])),)),
        Variant("half the loss", "a usual convention", ((risk, mean(loss[i]) / 2),)),
        Variant("prediction and target exchanged", "known bug", ((loss[i], ell(y[i], f[i])),)),
        Variant(
            "loss of the mean",
            "known bug: averaged too early",
            ((risk, ell(mean(f[i]), mean(y[i]))),),
        ),
        Variant(
            "mean over samples and features",
            "known bug: the mean of a tensor that was broadcast",
            ((risk, mean(loss[i]) / p),),
        ),
        Variant(
            "every prediction with every target",
            "known bug: (n,) and (n, 1) are broadcast to (n, n)",
            ((risk, Sum(ell(f[k], y[i]), (i, 0, n - 1), (k, 0, n - 1)) / n**2),),
        ),
    ),
    options={"loss": Output("loss", ell(prediction, target))},
    remarks="What is minimized is this function; what one hopes for, a small error on data not seen, is another. "
    "With a sum in place of the mean the same learning rate makes steps n times as long.",
)

# ------------------------------------------------------------------ the minimum

POINTS = (real("theta", 1), real("x", SAMPLES, 1, low=0.25, high=8.0), real("y", SAMPLES))
w, a, b = symbols_of(POINTS)
best, least, curvature = symbols("best least curvature", real=True)
SQUARES = (
    (curvature, mean(a[i, 0] ** 2)),
    (best, mean(a[i, 0] * b[i]) / curvature),
    (least, mean((a[i, 0] * best - b[i]) ** 2)),
)
square = Choice("loss", {"square": {ell: Lambda((prediction, target), LOSSES["square"])}})


def minimum_proof() -> Derivation:
    u, v, s = IndexedBase("x", positive=True), IndexedBase("y", real=True), Symbol("theta", real=True)
    xx, xy, yy, m = symbols("xx xy yy n", positive=True)
    at_best = xy / xx
    expanded = (s**2 * xx - 2 * s * xy + yy) / m
    return Derivation(
        (
            Step(
                "rewrite",
                mean((u[i] * s - v[i]) ** 2),
                s**2 * mean(u[i] ** 2) - 2 * s * mean(u[i] * v[i]) + mean(v[i] ** 2),
                why="the risk of a line through the origin is a parabola, whatever n",
            ),
            define((xx, xy, yy), (Sum(u[i] ** 2, (i, 0, n - 1)), Symbol("sum x y"), Symbol("sum y y"))),
            Step("solve", Eq(expanded.diff(s), 0), at_best, why="its slope vanishes once", by=(s,)),
            Step(
                "rewrite",
                expanded - (yy - xy**2 / xx) / m,
                xx / m * (s - at_best) ** 2,
                why="and the risk lies above its minimum by a square: it is no constant",
                wrong=(xx / m * (s + at_best) ** 2, xx / (2 * m) * (s - at_best) ** 2),
            ),
        )
    )


minimum = Claim(
    id="train.erm.minimum",
    section=SECTION,
    title="The risk exceeds its minimum by a square: the minimum is a number, the risk is a function",
    kind="equality",
    subject="training.empirical_risk",
    driver="risk",
    structure=(SAMPLES, square),
    inputs=POINTS,
    program=Program(
        ((f[i], a[i, 0] * w[0]), (loss[i], (f[i] - b[i]) ** 2), (risk, mean(loss[i]))),
        (Output("risk", risk),),
    ),
    definition=Program((*SQUARES, (risk, least + curvature * (w[0] - best) ** 2)), (Output("risk", risk),)),
    statement=Eq(risk, least + curvature * (w[0] - best) ** 2),
    conditions=("a linear model with one weight", "squared error"),
    derivation=minimum_proof,
    variants=(
        Variant(
            "the minimum itself",
            "notes",
            (*SQUARES, (risk, least)),
            printed=True,
            why="min over Theta of the mean loss does not depend on Theta: nothing could be learnt from it",
        ),
        Variant("half the square", "known bug", (*SQUARES, (risk, least + curvature * (w[0] - best) ** 2 / 2))),
        Variant("above zero", "known bug: residuals forgotten", (*SQUARES, (risk, curvature * (w[0] - best) ** 2))),
    ),
    options={"loss": Output("loss", ell(prediction, target))},
    remarks="The notes write min over Theta of the mean loss =: L(Theta). Meant is L(Theta), the mean loss, and the "
    "objective to minimize it.",
)

# ------------------------------------------------------------------ its gradient

residual = IndexedBase("residual", real=True)


def slope(factor: Any) -> Any:
    return factor * Sum(residual[i] * x[i, q], (i, 0, n - 1))


def gradient_proof() -> Derivation:
    square_error = mean((predicted(i) - y[i]) ** 2)
    found = 2 / n * Sum((predicted(i) - y[i]) * x[i, q], (i, 0, n - 1))
    return Derivation(
        (
            Step(
                "differentiate",
                square_error,
                found,
                why="chain rule under the sum, and the deltas contracted, for every n and p",
                by=(theta[q],),
                wrong=(found / 2, n * found, mean(2 * (predicted(i) - y[i]))),
            ),
        )
    )


gradient = Claim(
    id="train.erm.gradient",
    section=SECTION,
    title="The gradient of the mean squared error of a linear model is 2/n times X^T (X theta - y)",
    kind="equality",
    subject="training.linear_mse_gradient",
    driver="function",
    structure=(SAMPLES, WIDTH),
    inputs=DATA,
    program=Program(
        ((f[i], predicted(i)), (residual[i], f[i] - y[i])),
        (Output("gradient", slope(1) * 2 / n, (q, 0, p - 1)),),
    ),
    statement=Eq(Symbol("dL/dtheta_q"), 2 / n * Sum((predicted(i) - y[i]) * x[i, q], (i, 0, n - 1))),
    derivation=gradient_proof,
    variants=(
        Variant("without the 2", "half squared error", ((residual[i], (f[i] - y[i]) / 2),)),
        Variant("without the 1/n", 'torch, reduction="sum"', ((residual[i], n * (f[i] - y[i])),)),
        Variant("sign of the residual", "known bug", ((residual[i], y[i] - f[i]),)),
        Variant("mean over the features too", "known bug", ((residual[i], (f[i] - y[i]) / p),)),
        Variant(
            "residual squared", "known bug: the loss in the place of its slope", ((residual[i], (f[i] - y[i]) ** 2),)
        ),
        Variant("target forgotten", "known bug", ((residual[i], f[i]),)),
    ),
)

CLAIMS = (empirical, minimum, gradient)
