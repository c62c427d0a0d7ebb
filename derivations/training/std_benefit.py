"""What standardization does for gradient descent (1.2.4)."""

from typing import Any

from sympy import (
    Eq,
    Ge,
    IndexedBase,
    Matrix,
    Max,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    floor,
    symbols,
)

from gnomon.derivations.training.std import (
    CONSTANT,
    SECTION,
    divided_by,
    high,
    i,
    j,
    k,
    low,
    moments,
    off,
    scale,
    score_steps,
    scored,
    z,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, positive, real, symbols_of

# ------------------------------------------------------------------ two features

SAMPLES, STEPS = Size("n", 2, 4), Size("T", 1, 4)
DATA = (real("x", SAMPLES, 2), real("theta0", 2))
n, T, x, start = symbols_of((SAMPLES, STEPS, *DATA))
t = Symbol("t", integer=True)
error, fit = IndexedBase("distance", real=True), IndexedBase("fit", real=True)
rho = Symbol("rho", real=True)

DESCENT = (
    (fit[t, i], Sum(z[i, j] * error[t, j], (j, 0, 1))),
    (
        error[t, j],
        Piecewise((start[j], Eq(t, 0)), (error[t - 1, j] - Sum(z[i, j] * fit[t - 1, i], (i, 0, n - 1)) / n, True)),
    ),
)
SCORES = (*moments(divisor=n), scored(off[i, j] / scale[j]))
ERROR = (Output("error", error[T, j], (j, 0, 1)),)
CORRELATION = (rho, Sum(z[i, 0] * z[i, 1], (i, 0, n - 1)) / n)
other = j + T - 2 * floor((j + T) / 2)
CLOSED = Piecewise((start[j], CONSTANT), ((-rho) ** T * start[other], True))


def mistake(name: str, source: str, value: Any) -> Variant:
    """Something else than standard scores."""
    return Variant(name, source, ((z[i, j], value),))


A = Matrix([[18, -15, -6], [-15, 13, 5], [-6, 5, 3]])
a = Symbol("t", real=True)
OWN, SCALED = a**3 - 34 * a**2 + 41 * a - 9, 702 * a**3 - 2106 * a**2 + 513 * a - 9


def value(polynomial: Any, place: Any, why: str) -> Step:
    """A polynomial at a place: its sign there."""
    return Step("substitute", polynomial, polynomial.subs(a, place), why=why, by=((a, place),))


def three_steps() -> tuple[Step, ...]:
    """With three features the scaling to unit variance can make it worse."""
    identity, variances = a * Matrix.eye(3) - A, a * Matrix.diag(18, 13, 3) - A
    return (
        Step(
            "rewrite",
            (minors(identity), minors(variances)),
            (OWN, SCALED),
            why="the eigenvalues of a covariance A of three features, and of its correlation matrix, are the roots",
        ),
        value(OWN, Rational(7, 25), "negative: of the covariance's three eigenvalues all are above 7/25"),
        value(OWN, Rational(1, 2), "positive,"),
        value(OWN, 2, "negative,"),
        value(OWN, 33, "positive: and below 33, so that their ratio is below 118"),
        value(SCALED, 0, "negative,"),
        value(SCALED, Rational(12, 625), "positive: the correlation matrix has an eigenvalue below 12/625"),
        value(SCALED, Rational(27, 10), "negative: and one above 27/10; their ratio is above 140, which is worse"),
    )


def minors(m: Any) -> Any:
    """A determinant by its first row, not multiplied out."""
    pairs = ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    return sum((-1) ** c * m[0, c] * (m[1, u] * m[2, v] - m[1, v] * m[2, u]) for c, u, v in pairs)


def benefit_proof() -> Derivation:
    r, first, second = symbols("rho e_1 e_2", real=True)
    s = Symbol("s", positive=True)
    rest = Symbol("u", positive=True)  # 1 - rho^2
    v, w = IndexedBase("v", real=True), IndexedBase("w", real=True)
    spread = (1 + s**2) ** 2 / (s**2 * rest)
    return Derivation(
        (
            *score_steps(),
            Step(
                "rewrite",
                ((first - (first + r * second)) + (second - (r * first + second)), (first - (first + r * second))),
                (-r * (first + second), -r * second),
                why="standard scores have the Hessian [[1, rho], [rho, 1]]: a step of 1 takes off the error and puts "
                "-rho times the other's in its place",
            ),
            Step(
                "induction",
                Eq(v[t], -r * v[t - 1]),
                (-r) ** t * first,
                why="so the sum of the errors shrinks by -rho at each step,",
                by=(t, 0, first),
            ),
            Step(
                "induction",
                Eq(w[t], r * w[t - 1]),
                r**t * second,
                why="and their difference by rho: the eigenvalues are 1 + rho and 1 - rho",
                by=(t, 0, second),
            ),
            Step(
                "inequality",
                Ge(spread, 4 / rest),
                (1 - s**2) ** 2 / (s**2 * rest),
                why="with det = s^2 (1 - rho^2) no scaling s of two features has a smaller trace^2 / det, hence a "
                "smaller condition number",
            ),
            *three_steps(),
        ),
        lift="mode",
    )


benefit = Claim(
    id="std.benefit",
    section=SECTION,
    title="On two standardized features descent shrinks the error by their correlation at each step, in any units",
    kind="equality",
    subject="standardize.StandardScaler",
    driver="scaler",
    structure=(SAMPLES, STEPS),
    inputs=DATA,
    program=Program((*SCORES, *DESCENT), ERROR),
    definition=Program((*SCORES, CORRELATION), (Output("error", CLOSED, (j, 0, 1)),)),
    statement=Eq(error[T, j], (-rho) ** T * start[other]),
    conditions=("least squares on the scores, at the rate 1", "the variance is divided by n", "no feature is constant"),
    derivation=benefit_proof,
    variants=(
        mistake("raw features", "no standardization", x[i, j]),
        mistake("centred only", "half of it", off[i, j]),
        mistake("scaled only", "half of it: the means stay, and couple the features", x[i, j] / scale[j]),
        mistake(
            "scaled to the range",
            "min-max normalization",
            Piecewise((0, CONSTANT), ((x[i, j] - low[n - 1, j]) / (high[n - 1, j] - low[n - 1, j]), True)),
        ),
        Variant("variance divided by n - 1", "torch.std", (divided_by(n - 1),)),
        Variant("variance in place of its root", "known bug", ((scale[j], divided_by(n)[1]),)),
    ),
    gradient=False,
    remarks="Help it can, always it does not: scaling to unit variance is best for two features, and with three it may "
    "raise the condition number, here from 114 to 144. The moments are constants, which autograd does not follow.",
)  # fmt: skip

# ------------------------------------------------------------------ features in different units

WIDTH = Size("T", 1, 4)
ERRORS = real("theta0", 2, low=1.0, high=4.0)
KAPPA = real("kappa", low=1.0, high=64.0)
RATE = positive("lr", host=True, high=2.5, typical=(1.0, 1.5, 1.9))
theta0, kappa, lr = symbols_of((ERRORS, KAPPA, RATE))
theta, param = IndexedBase("theta", real=True), IndexedBase("param", real=True)
curvature = Piecewise((1, Eq(k, 0)), (1 / kappa, True))


def path(factor: Any) -> tuple[Any, Any]:
    step = factor * (curvature * theta[t - 1, k])
    return theta[t, k], Piecewise((theta0[k], Eq(t, 0)), (theta[t - 1, k] - step, True))


def at_least(rate: Any) -> Relation:
    worst = Max(param[0] ** 2 / theta0[0] ** 2, param[1] ** 2 / theta0[1] ** 2)
    return Relation(worst, ">=", rate)


slowest = (kappa - 1) / (kappa + 1)


def raw_proof() -> Derivation:
    q = Symbol("kappa", positive=True)
    d = Symbol("d", nonnegative=True)
    best, g = 2 / (1 + 1 / q), Symbol("gamma", positive=True)
    return Derivation(
        (
            Step(
                "solve", Eq(g - 1, 1 - g / q), 2 * q / (q + 1), why="both coordinates shrink alike at one rate", by=(g,)
            ),
            Step("rewrite", 1 - best / q, (q - 1) / (q + 1), why="by (kappa - 1)/(kappa + 1)"),
            Step(
                "inequality",
                Ge(1 - (best - d) / q, (q - 1) / (q + 1)),
                d / q,
                why="with a smaller rate the flat coordinate shrinks less,",
            ),
            Step(
                "inequality",
                Ge((best + d) - 1, (q - 1) / (q + 1)),
                d,
                why="with a greater one the steep coordinate does",
            ),
        ),
        "every rate and every number of steps",
    )


raw = Claim(
    id="std.benefit.raw",
    section=SECTION,
    title="Where curvatures differ by a factor kappa no rate shrinks every error faster than (kappa - 1)/(kappa + 1)",
    kind="inequality",
    subject="training.GradientDescent",
    driver="descent",
    structure=(WIDTH,),
    inputs=(ERRORS, KAPPA, RATE),
    program=Program((path(lr),), (Output("param", theta[T, k], (k, 0, 1)),)),
    relation=at_least(slowest ** (2 * T)),
    statement=Ge(Max(Symbol("|e_1(T)/e_1(0)|"), Symbol("|e_2(T)/e_2(0)|")), slowest**T),
    conditions=("curvatures 1 and 1/kappa, of uncorrelated features with variances 1 and 1/kappa", "a fixed rate"),
    derivation=raw_proof,
    variants=(
        Variant("half as fast", "too much", relation=at_least(slowest**T)),
        Variant("by 1 - 1/kappa", "too much: the rate of 1/L", relation=at_least((1 - 1 / kappa) ** (2 * T))),
        Variant(
            "each coordinate with its own rate",
            "Newton's method, and what standardization amounts to",
            ((theta[t, k], Piecewise((theta0[k], Eq(t, 0)), (0 * theta[t - 1, k], True))),),
        ),
    ),
    options={"gradient": Output("gradient", curvature * theta[k], (k, 0, 1)), "steps": {"param": T}},
    remarks="Features with deviations of 1000 and 1 have kappa = 10^6: a million steps for each further digit, where "
    "one step is enough after standardization.",
)  # fmt: skip

CLAIMS = (benefit, raw)
