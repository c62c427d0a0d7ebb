"""What Adam's division is good for: a step size for each coordinate, and how long a step can get."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Le, Max, Rational, Sum, Symbol, false, sqrt, symbols

from gnomon.derivations.optim import (
    ADAM,
    BELIEF,
    FROM_MEANS,
    ONLY_FIRST,
    PARAM,
    UNCORRECTED,
    adam,
    loop_steps,
)
from gnomon.derivations.optim_moments import (
    BETA1,
    EPS,
    GRADIENTS,
    HYPER,
    RATE,
    SCOPE,
    SECTION,
    START,
    STEPS,
    WIDTH,
    stepwise,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, positive, real, symbols_of, unit

t, i, j, k = symbols("t i j k", integer=True)
d, m, v, mhat, vhat, u, theta = (IndexedBase(name, real=True) for name in ("d", "m", "v", "mhat", "vhat", "u", "theta"))
n, T, theta0, g, lr, b1, b2, eps = symbols_of((WIDTH, STEPS, START, GRADIENTS, *HYPER))

# ------------------------------------------------------------------ a step size for each coordinate

SEVERAL = Size("n", 2, 3)


def second(square: Any) -> tuple[tuple[Any, Any], ...]:
    """The second moment of something else than the own gradient's square."""
    return ((v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * square)),)


def adaptive_proof() -> Derivation:
    x, w, past = IndexedBase("g", real=True), IndexedBase("w", real=True), IndexedBase("v", positive=True)
    e, size, at = (
        Symbol("eps", positive=True),
        Symbol("n", integer=True, positive=True),
        Symbol("a", integer=True),
    )

    def root(index: Any) -> Any:
        return sqrt(past[index] + x[index] ** 2)

    return Derivation(
        (
            *loop_steps(),
            Step(
                "differentiate",
                Sum(w[i] * x[i] / (root(i) + e), (i, 0, size - 1)),
                w[at] * (1 / (root(at) + e) - x[at] ** 2 / (root(at) * (root(at) + e) ** 2)),
                why="of all coordinates' steps, whatever their weights w, one gradient moves its own alone",
                by=(x[at],),
                wrong=(w[at] / (root(at) + e),),
            ),
        ),
        SCOPE,
        lift="coordinate",
    )


adaptive = Claim(
    id="optim.adam.adaptive",
    section=SECTION,
    title="Each coordinate has a step size of its own, from its own gradients alone",
    kind="equality",
    subject="optim.Adam",
    driver="optimizer_path",
    structure=(SEVERAL, STEPS),
    inputs=(START, GRADIENTS, *HYPER),
    program=Program(ADAM, PARAM),
    definition=FROM_MEANS,
    statement=Eq(u[t, i], lr / (sqrt(vhat[t, i]) + eps) * mhat[t, i]),
    conditions=("every coordinate is a parameter of its own, and they are in two groups",),
    derivation=adaptive_proof,
    variants=(
        Variant(
            "one step size for all",
            "normalised by the mean square",
            second(Sum(d[t, j] ** 2, (j, 0, n - 1)) / n),
        ),
        Variant("normalised by the norm", "known bug", second(Sum(d[t, j] ** 2, (j, 0, n - 1)))),
        Variant("moments of the first parameter for all", "known bug: state not kept apart", second(d[t, 0] ** 2)),
        Variant("no division", "momentum", ((u[t, i], lr * mhat[t, i]),)),
    ),
    options={"parameters": "each"},
    remarks="It follows that the coordinates may be renumbered but not rotated: turned by 45 degrees, the "
    "gradient (1, 0) gives a first step of (1, 1), where the turned step is (1, 1) / sqrt(2).",
)

# ------------------------------------------------------------------ the scale of the loss

SCALE = positive("scale", host=True, typical=(2.0, 1000.0))
(scale,) = symbols_of((SCALE,))
SCALED_STEP = (u[t, i], lr * mhat[t, i] / (sqrt(vhat[t, i]) + scale * eps))


def scale_proof() -> Derivation:
    beta, c, e, mean, square = symbols("beta scale eps mhat vhat", positive=True)
    x, size = IndexedBase("g", real=True), Symbol("T", integer=True, positive=True)
    first = Sum(beta**k * c * x[size - 1 - k], (k, 0, size - 1))
    squares = Sum(beta**k * (c * x[size - 1 - k]) ** 2, (k, 0, size - 1))
    return Derivation(
        (
            *loop_steps(),
            Step("rewrite", first, c * first.subs(c, 1), why="the first moment is multiplied by c"),
            Step("rewrite", squares, c**2 * squares.subs(c, 1), why="and the second by its square"),
            Step(
                "rewrite",
                c * mean / (sqrt(c**2 * square) + c * e),
                mean / (sqrt(square) + e),
                why="so c cancels if epsilon is multiplied by c as well",
                wrong=(mean / sqrt(square + e),),
            ),
            Step(
                "rewrite",
                c * mean / sqrt(c**2 * square + c**2 * e),
                mean / sqrt(square + e),
                why="inside the root it would take the square of c",
                wrong=(mean / (sqrt(square) + e),),
            ),
        ),
        SCOPE,
    )


scaling = Claim(
    id="optim.adam.adaptive.scale",
    section=SECTION,
    title="Multiplying the loss and epsilon by the same number changes nothing",
    kind="invariance",
    subject="optim.Adam",
    driver="optimizer_path",
    structure=(WIDTH, STEPS),
    inputs=(START, GRADIENTS, *HYPER, SCALE),
    program=Program(
        tuple(SCALED_STEP if lhs == u[t, i] else (lhs, rhs) for lhs, rhs in adam(scale * g[t - 1, i])), PARAM
    ),
    definition=FROM_MEANS,
    statement=Eq(
        lr * scale * mhat[t, i] / (sqrt(scale**2 * vhat[t, i]) + scale * eps),
        lr * mhat[t, i] / (sqrt(vhat[t, i]) + eps),
    ),
    conditions=("scale is greater than 0",),
    derivation=scale_proof,
    variants=(
        Variant(
            "epsilon inside the root",
            "notes",
            ((u[t, i], lr * mhat[t, i] / sqrt(vhat[t, i] + scale * eps)),),
            printed=True,
            why="inside the root, epsilon has to be multiplied by the square of the scale",
        ),
        Variant(
            "the same epsilon",
            "the claim for the gradients alone",
            ((u[t, i], lr * mhat[t, i] / (sqrt(vhat[t, i]) + eps)),),
        ),
        Variant("no division", "momentum", ((u[t, i], lr * mhat[t, i]),)),
        Variant(
            "division by the mean square",
            "known bug: root left out",
            ((u[t, i], lr * mhat[t, i] / (vhat[t, i] + scale * eps)),),
        ),
    ),
)

# ------------------------------------------------------------------ the length of a step


def weight(rate: Any) -> Any:
    """The sum of the weights rate**k of T steps."""
    return Sum(rate**k, (k, 0, T - 1))


ALONE = Size("n", 1, 1)
AT_LEAST_TWO = Size("T", 2, 5)
FORGETS = unit("beta2", host=True, typical=(0.3, 0.999))
BOUND = sqrt(weight(b1**2 / b2) * weight(b2)) / weight(b1)
shown, shown_before = IndexedBase("param"), IndexedBase("previous")
ENTRIES = ((i, 0, n - 1),)
LENGTH = Abs(shown[i] - shown_before[i])
LAST = Abs(theta[T, i] - theta[T - 1, i])


def bound_steps() -> tuple[Step, ...]:
    x, y = IndexedBase("x", real=True), IndexedBase("y", real=True)
    h = IndexedBase("h", real=True)  # the gradient of k steps ago
    q, r, e, root = symbols("beta1 r eps s", positive=True)  # r is the root of beta2
    size = Symbol("T", integer=True, positive=True)
    every = (k, 0, size - 1)
    xx, yy, xy = Sum(x[k] ** 2, every), Sum(y[k] ** 2, every), Sum(x[k] * y[k], every)
    crossed = Sum((x[j] * y[k] - x[k] * y[j]) ** 2, (j, 0, size - 1), every) / 2
    first, squares, ratio = (
        Sum(q**k * h[k], every),
        Sum(r ** (2 * k) * h[k] ** 2, every),
        Sum((q**2 / r**2) ** k, every),
    )
    s1, s2, s3 = symbols("S1 S2 S3", positive=True)  # sums of weights: beta1, beta2, beta1**2 / beta2
    squared, rest, mean = Symbol("V", positive=True), Symbol("R", nonnegative=True), Symbol("M", real=True)
    return (
        Step("inequality", Le(xy**2, xx * yy), crossed, why="Cauchy and Schwarz, by Lagrange's identity"),
        Step(
            "substitute",
            xy,
            first,
            why="x is (beta1 / sqrt(beta2))**k and y is sqrt(beta2)**k times the gradient of k steps ago",
            by=((x[k], (q / r) ** k), (y[k], r**k * h[k])),
        ),
        Step(
            "substitute",
            xx * yy,
            ratio * squares,
            why="which makes beta1**2 / beta2 of the squares of x, and the second moment of those of y",
            by=((x[k], (q / r) ** k), (y[k], r**k * h[k])),
        ),
        Step(
            "inequality",
            Le((s3 * squared - rest) / s1**2, s3 * s2 / s1**2 * (squared / s2)),
            rest / s1**2,
            why="divided by the sums of the weights: mhat**2 is at most the square of the bound times vhat",
        ),
        Step(
            "inequality",
            Le(Abs(mean) / (root + e), Abs(mean) / root),
            Abs(mean) * e / (root * (root + e)),
            why="epsilon only makes the step shorter",
        ),
    )


def attained_steps() -> tuple[Step, ...]:
    q, w = symbols("beta1 beta2", positive=True)
    size = Symbol("T", integer=True, positive=True)
    every = (k, 0, size - 1)
    x = IndexedBase("g", real=True)
    mean, square = Sum(q**k * x[k], every), Sum(w**k * x[k] ** 2, every)
    ratio = Sum((q**2 / w) ** k, every)
    s1, s2 = symbols("S1 S2", positive=True)
    return (
        Step(
            "substitute",
            (mean / s1) ** 2 / (square / s2),
            ratio * s2 / s1**2,
            why="gradients (beta1 / beta2)**k of k steps ago attain the bound",
            by=((x[k], (q / w) ** k),),
        ),
        Step(
            "sum",
            (1 - q) * Sum(q**k, every),
            1 - q**size,
            why="the sums of the weights in closed form",
            assume=(q < 1,),
        ),
    )


def beyond_step() -> Step:
    q, w = symbols("beta1 beta2", positive=True)
    squared = (1 + q**2 / w) * (1 + w) / (1 + q) ** 2
    return Step(
        "refute",
        Le(squared, Max(1, (1 - q) ** 2 / (1 - w))),
        false,
        why="the second step with betas 1/2 and 1/3 can be sqrt(28/27) rates long, beyond Kingma and Ba's bound",
        by=({q: Rational(1, 2), w: Rational(1, 3)},),
    )


KINGMA_BA = Max(1, (1 - b1) / sqrt(1 - b2))

step_bound = Claim(
    id="optim.adam.step_bound",
    section=SECTION,
    title="No step is longer than the learning rate times a bound, which is not 1",
    kind="inequality",
    subject="optim.Adam",
    driver="optimizer_path",
    structure=(ALONE, AT_LEAST_TWO),
    inputs=(START, GRADIENTS, RATE, BETA1, FORGETS, EPS),
    program=Program(ADAM, (*PARAM, Output("previous", theta[T - 1, i], (i, 0, n - 1)))),
    relation=Relation(LENGTH, "<=", lr * BOUND, ENTRIES),
    statement=Le(LAST, lr * BOUND),
    conditions=("beta2 is greater than 0", "the first step is a claim of its own"),
    derivation=lambda: Derivation((*loop_steps(), *bound_steps(), beyond_step()), SCOPE),
    variants=(
        Variant(
            "at most the learning rate",
            "often said",
            relation=Relation(LENGTH, "<=", lr, ENTRIES),
            why="the two averages forget at different rates, so that the mean can exceed the root of the mean square",
        ),
        Variant(
            "Kingma and Ba's bound",
            "Kingma and Ba, section 2.1",
            relation=Relation(LENGTH, "<=", lr * KINGMA_BA, ENTRIES),
            why="for the usual betas it is 3.16 rates, and 7.27 are possible in the long run",
        ),
        UNCORRECTED,
        ONLY_FIRST,
        BELIEF,
    ),
    remarks="For betas of 0.9 and 0.999 the bound is 1, 1.0014, 1.043, 2.243, 5.781 and 7.270 rates at steps "
    "1, 2, 10, 100, 1000 and 100 000. If beta1**2 >= beta2 it grows without limit.",
)

MANY = Size("T", 1, 40)
(LASTING,) = symbols_of((MANY,))
MILD = real("beta1", low=0.0, high=0.9, host=True, typical=(0.9, 0.0))
SLOW = real("beta2", low=0.82, high=1.0, open_high=True, host=True, typical=(0.999, 0.99))
worst = symbols_of((MILD, SLOW))
EXTREME = Program(
    (
        (m[t], stepwise(0, b1 * m[t - 1] + (1 - b1) * (b1 / b2) ** (T - t))),
        (v[t], stepwise(0, b2 * v[t - 1] + (1 - b2) * ((b1 / b2) ** (T - t)) ** 2)),
    ),
    (Output("bound", m[T] / (1 - b1**T) / sqrt(v[T] / (1 - b2**T))),),
)
S1, S2, S3 = symbols("S1 S2 S3")
WEIGHTS = ((S1, weight(b1)), (S2, weight(b2)), (S3, weight(b1**2 / b2)))

bound_value = Claim(
    id="optim.adam.step_bound.value",
    section=SECTION,
    title="The bound on a step, in units of the learning rate, is attained",
    kind="equality",
    subject="optim.adam_step_bound",
    driver="host_function",
    structure=(MANY,),
    inputs=(MILD, SLOW),
    program=Program(WEIGHTS, (Output("bound", sqrt(S3 * S2) / S1),)),
    definition=EXTREME,
    statement=Eq(Symbol("bound"), BOUND),
    conditions=("beta1**2 is less than beta2",),
    derivation=lambda: Derivation((*bound_steps(), *attained_steps()), SCOPE),
    variants=(
        Variant("the learning rate", "often said", ((S1, 1), (S2, 1), (S3, 1))),
        Variant("Kingma and Ba's bound", "Kingma and Ba, section 2.1", ((S1, 1), (S2, 1), (S3, KINGMA_BA**2))),
        Variant("without the corrections", "known bug", ((S1, 1 / (1 - b1)), (S2, 1 / (1 - b2)))),
        Variant("ratio of the betas", "known bug: beta1 not squared", ((S3, weight(b1 / b2)),)),
    ),
    options={"arguments": ("T", "beta1", "beta2")},
    remarks="The gradients that attain it were (beta1 / beta2)**k, k steps ago.",
)

CLAIMS = (adaptive, scaling, step_bound, bound_value)
