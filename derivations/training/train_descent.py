"""The step of gradient descent: which way it goes, and when the loss falls (1.2)."""

from typing import Any

from sympy import (
    Eq,
    Function,
    IndexedBase,
    Integral,
    Lambda,
    Le,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    cos,
    sin,
    sqrt,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, nonnegative, real, symbols_of

SECTION = "1.2"
SUBJECT = "training.GradientDescent"
WIDTH = Size("n", 1, 3)
STEPS = Size("T", 1, 5)
START = real("theta0", WIDTH)
RATE = nonnegative("lr", host=True, typical=(0.001, 0.1, 1.0))
n, T, theta0, lr = symbols_of((WIDTH, STEPS, START, RATE))
i, j, k, t = symbols("i j k t", integer=True)
theta, param = IndexedBase("theta", real=True), IndexedBase("param", real=True)
PARAM = (Output("param", theta[T, i], (i, 0, n - 1)),)


def walk(start: Any, step: Any) -> tuple[Any, Any]:
    """The path of the parameter from its start, a step taken off each time."""
    return theta[t, i], Piecewise((start, Eq(t, 0)), (theta[t - 1, i] - step, True))


# ------------------------------------------------------------------ the step

LONG = Size("T", 1, 9)
GRADIENTS = real("g", LONG, WIDTH)
g = GRADIENTS.symbol
norm = IndexedBase("norm", nonnegative=True)


def stepping(name: str, source: str, step: Any, *helpers: tuple[Any, Any], **more: Any) -> Variant:
    return Variant(name, source, (*helpers, walk(theta0[i], step)), **more)


def step_proof() -> Derivation:
    e, rate, at = symbols("epsilon gamma theta", positive=True)
    slope, start = IndexedBase("g", real=True), IndexedBase("theta0", real=True)
    square = Sum(slope[j] ** 2, (j, 0, n - 1))
    return Derivation(
        (
            Step(
                "induction",
                Eq(theta[t, i], theta[t - 1, i] - lr * g[t - 1, i]),
                theta0[i] - lr * Sum(g[k, i], (k, 0, t - 1)),
                why="the steps add up",
                by=(t, 0, theta0[i]),
                wrong=(theta0[i] + lr * Sum(g[k, i], (k, 0, t - 1)),),
            ),
            Step(
                "differentiate",
                Sum(slope[j] * (start[j] - e * slope[j]), (j, 0, n - 1)),
                -square,
                why="to first order the loss changes by -|g|^2 for each unit of the rate: it falls",
                by=(e,),
                wrong=(square,),
            ),
            Step(
                "refute",
                Le((at + rate * at) ** 2 / 2, at**2 / 2),
                Le((at - rate * at) ** 2 / 2, at**2 / 2),
                why="a step along the gradient climbs: from 1 to 3/2 on theta^2 / 2",
                by=({at: 1, rate: Rational(1, 2)},),
            ),
        )
    )


step = Claim(
    id="train.gd.step",
    section=SECTION,
    title="A step of gradient descent goes against the gradient, by the rate times its length",
    kind="equality",
    subject=SUBJECT,
    driver="optimizer",
    structure=(WIDTH, LONG),
    inputs=(START, GRADIENTS, RATE),
    program=Program((walk(theta0[i], lr * g[t - 1, i]),), PARAM),
    definition=Program((), (Output("param", theta0[i] - lr * Sum(g[k, i], (k, 0, T - 1)), (i, 0, n - 1)),)),
    statement=Eq(theta[t, i], theta[t - 1, i] - lr * g[t - 1, i]),
    derivation=step_proof,
    variants=(
        stepping(
            "along the gradient",
            "notes, in words",
            -lr * g[t - 1, i],
            printed=True,
            why="the formula beside these words is right; along the gradient the loss grows by lr |g|^2",
        ),
        stepping(
            "half the step", "known bug: half squared error with the slope of the squared one", lr * g[t - 1, i] / 2
        ),
        stepping(
            "momentum of 0.9", "classical momentum", lr * Sum(Rational(9, 10) ** (t - 1 - k) * g[k, i], (k, 0, t - 1))
        ),
        stepping("rate divided by the step number", "a decaying rate", lr * g[t - 1, i] / t),
        stepping("rate multiplied twice", "known bug", lr**2 * g[t - 1, i]),
        stepping("gradients accumulated", "known bug: zero_grad forgotten", lr * Sum(g[k, i], (k, 0, t - 1))),
        stepping(
            "gradient of unit length",
            "normalised gradient descent",
            lr * g[t - 1, i] / norm[t],
            (norm[t], sqrt(Sum(g[t - 1, j] ** 2, (j, 0, n - 1)))),
        ),
        stepping("first coordinate's gradient for all", "known bug: an index", lr * g[t - 1, 0]),
    ),
    remarks="The notes say that the parameters are updated to the gradient direction. It is the opposite one: the "
    "direction in which the loss falls fastest, among all of the same length.",
)

# ------------------------------------------------------------------ how much the loss falls

SAMPLES = Size("m", 1, 3)
FEW = Size("n", 1, 2)
u = Symbol("u", real=True)
phi, dphi = Function("phi", real=True), Function("dphi", real=True)


def smooth(value: Any, slope: Any) -> dict[Any, Any]:
    return {phi: Lambda(u, value), dphi: Lambda(u, slope)}


LOSS = Choice(
    "loss",
    {
        "half square": smooth(u**2 / 2, u),
        "pseudo-Huber": smooth(sqrt(1 + u**2) - 1, u / sqrt(1 + u**2)),
        "one minus cosine": smooth(1 - cos(u), sin(u)),
    },
)
DATA = (real("x", SAMPLES, FEW, low=-4.0, high=4.0), real("y", SAMPLES, low=-4.0, high=4.0))
ANYWHERE = real("theta0", FEW, low=-4.0, high=4.0)
M, x, y = symbols_of((SAMPLES, *DATA))
residual, gradient = IndexedBase("residual", real=True), IndexedBase("gradient", real=True)
before, smoothness, square = symbols("before smoothness square", real=True)


def fit(at: Any, row: Any) -> Any:
    return Sum(x[row, j] * at[j], (j, 0, n - 1)) - y[row]


def gradient_at(at: Any) -> Any:
    return Sum(dphi(fit(at, k)) * x[k, i], (k, 0, M - 1)) / M


after = Sum(phi(fit(param, k)), (k, 0, M - 1)) / M


def falls_by(drop: Any, sense: Any = "<=") -> Relation:
    return Relation(after, sense, before - drop)


guaranteed = lr * (1 - lr * smoothness / 2) * square


def descent_proof() -> Derivation:
    s, rate, size, bend, at = symbols("s gamma G L_s theta", positive=True)
    a, v = IndexedBase("a", real=True), IndexedBase("v", real=True)
    change = -rate * size + bend * rate**2 * size / 2
    return Derivation(
        (
            Step(
                "inequality",
                Le(
                    Sum(a[j] * v[j], (j, 0, n - 1)) ** 2,
                    Sum(a[j] ** 2, (j, 0, n - 1)) * Sum(v[j] ** 2, (j, 0, n - 1)),
                ),
                Sum((a[j] * v[k] - a[k] * v[j]) ** 2, (j, 0, n - 1), (k, 0, n - 1)) / 2,
                why="Cauchy and Schwarz: |phi''| <= 1 makes the gradient Lipschitz, with the mean of |x|^2",
            ),
            cite("the fundamental theorem of calculus on the segment: L(theta + v) - L(theta) - g.v is the integral "
                 "over s of (g(theta + s v) - g(theta)).v, which is at most L_s s |v|^2"),
            Step(
                "integrate",
                Integral(bend * s * size, (s, 0, 1)),
                bend * size / 2,
                why="so that L(theta + v) is at most L + g.v + L_s |v|^2 / 2",
                wrong=(bend * size,),
            ),
            Step(
                "rewrite",
                change,
                -rate * (1 - rate * bend / 2) * size,
                why="for v = -gamma g, with G = |g|^2",
                wrong=(-rate * (1 - rate * bend) * size, -rate * (1 - rate * bend / 4) * size),
            ),
            Step("solve", Eq(change.diff(rate), 0), 1 / bend, why="the bound falls most at gamma = 1/L_s", by=(rate,)),
            Step(
                "rewrite",
                bend * (at - rate * bend * at) ** 2 / 2 - bend * at**2 / 2,
                change.subs(size, (bend * at) ** 2),
                why="it is attained on L_s theta^2 / 2",
            ),
        )
    )  # fmt: skip


descent = Claim(
    id="train.gd.descent",
    section=SECTION,
    title="A step lowers a smooth loss by at least lr (1 - lr L/2) |g|^2",
    kind="inequality",
    subject=SUBJECT,
    driver="descent",
    structure=(SAMPLES, FEW, LOSS),
    inputs=(ANYWHERE, *DATA, RATE),
    program=Program(
        (
            (residual[k], fit(theta0, k)),
            (before, Sum(phi(residual[k]), (k, 0, M - 1)) / M),
            (gradient[i], Sum(dphi(residual[k]) * x[k, i], (k, 0, M - 1)) / M),
            (square, Sum(gradient[i] ** 2, (i, 0, n - 1))),
            (smoothness, Sum(x[k, j] ** 2, (j, 0, n - 1), (k, 0, M - 1)) / M),
            (theta[t, i], Piecewise((theta0[i], Eq(t, 0)), (theta[t - 1, i] - lr * gradient[i], True))),
        ),
        (Output("param", theta[1, i], (i, 0, n - 1)),),
    ),
    relation=falls_by(guaranteed),
    statement=Le(Symbol("L(theta - lr g)"), Symbol("L(theta)") - lr * (1 - lr * smoothness / 2) * square),
    conditions=(
        "the gradient is Lipschitz with the constant L",
        "then the loss falls wherever 0 < lr < 2/L and g is not 0",
    ),
    derivation=descent_proof,
    variants=(
        Variant("a quarter in place of a half", "too much", relation=falls_by(lr * (1 - lr * smoothness / 4) * square)),
        Variant(
            "the first-order change for the whole",
            "known mistake: curvature forgotten",
            relation=falls_by(lr * square),
        ),
        Variant(
            "along the gradient",
            "notes, in words",
            ((theta[t, i], Piecewise((theta0[i], Eq(t, 0)), (theta[t - 1, i] + lr * gradient[i], True))),),
            printed=True,
            why="along the gradient the loss grows",
        ),
        Variant(
            "half the step",
            "known bug",
            ((theta[t, i], Piecewise((theta0[i], Eq(t, 0)), (theta[t - 1, i] - lr * gradient[i] / 2, True))),),
        ),
    ),
    options={"gradient": Output("gradient", gradient_at(theta), (i, 0, n - 1)), "steps": {"param": 1}},
    remarks="L is taken as the mean of |x|^2, which bounds the largest curvature; one of the losses is not convex.",
)

CLAIMS = (step, descent)
