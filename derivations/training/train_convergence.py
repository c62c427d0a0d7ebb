"""How fast gradient descent converges on a quadratic, and on a loss that only satisfies an inequality (1.2)."""

from typing import Any

from sympy import Eq, IndexedBase, Le, Piecewise, Rational, Sum, Symbol, exp, symbols

from gnomon.derivations.training.train_descent import descent_proof
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, nonnegative, positive, real, symbols_of

SECTION = "1.2"
WIDTH = Size("n", 1, 3)
STEPS = Size("T", 1, 4)
START, CENTRE = real("theta0", WIDTH), real("centre", WIDTH)
RATE = nonnegative("lr", host=True, high=1.0, typical=(0.1, 0.5))
n, T, theta0, centre, lr = symbols_of((WIDTH, STEPS, START, CENTRE, RATE))
i, j, t = symbols("i j t", integer=True)
theta, param = IndexedBase("theta", real=True), IndexedBase("param", real=True)


def path(later: Any, start: Any = theta0[i]) -> tuple[Any, Any]:
    return theta[t, i], Piecewise((start, Eq(t, 0)), (later, True))


def powers(rate: Any, curvature: Any, start: Any) -> tuple[Step, ...]:
    """Along an eigenvector a step multiplies the distance from the minimum."""
    return (
        Step(
            "induction",
            Eq(theta[t, i], theta[t - 1, i] - rate * (curvature * theta[t - 1, i])),
            (1 - rate * curvature) ** t * start,
            why="along an eigenvector every step multiplies by 1 - gamma lambda",
            by=(t, 0, start),
            wrong=((1 + rate * curvature) ** t * start, (1 - rate * curvature) ** (t + 1) * start),
        ),
    )


# ------------------------------------------------------------------ two eigenvalues, in any dimension

A, B = nonnegative("a", high=1.0), nonnegative("b", high=0.5)
a, b = symbols_of((A, B))
off, mean = IndexedBase("off", real=True), Symbol("mean", real=True)


def pull(at: Any, row: Any = i) -> Any:
    """The gradient: the Hessian is a on the diagonal, and b everywhere besides."""
    return a * (at[row] - centre[row]) + b * Sum(at[j] - centre[j], (j, 0, n - 1))


class At:
    """The parameter of a step, by coordinate."""

    def __init__(self, time: Any) -> None:
        self.time = time

    def __getitem__(self, row: Any) -> Any:
        return theta[self.time, row]


PATH = path(theta[t - 1, i] - lr * pull(At(t - 1)))
SOLVED = (
    (off[i], theta0[i] - centre[i]),
    (mean, Sum(off[j], (j, 0, n - 1)) / n),
)
closed = centre[i] + (1 - lr * a) ** T * (off[i] - mean) + (1 - lr * (a + n * b)) ** T * mean


def convergence_proof() -> Derivation:
    level, rate, curvature = symbols("m gamma lamda", real=True)
    e = IndexedBase("e", real=True)
    average = Sum(e[j], (j, 0, n - 1)) / n
    return Derivation(
        (
            *powers(rate, curvature, theta0[i]),
            Step(
                "sum",
                a * level + b * Sum(level, (j, 0, n - 1)),
                (a + n * b) * level,
                why="equal coordinates are an eigenvector, with the eigenvalue a + n b",
            ),
            Step(
                "rewrite",
                b * Sum(e[i] - average, (i, 0, n - 1)),
                0,
                why="and what is left besides their mean adds up to 0: its eigenvalue is a",
            ),
        ),
        lift="mode",
    )


convergence = Claim(
    id="train.gd.convergence",
    section=SECTION,
    title="On a quadratic each eigenvector's share shrinks by 1 - lr times its eigenvalue, at every step",
    kind="equality",
    subject="training.GradientDescent",
    driver="descent",
    structure=(WIDTH, STEPS),
    inputs=(START, CENTRE, A, B, RATE),
    program=Program((PATH,), (Output("param", theta[T, i], (i, 0, n - 1)),)),
    definition=Program(SOLVED, (Output("param", closed, (i, 0, n - 1)),)),
    statement=Eq(theta[T, i], closed),
    conditions=("the Hessian is a on its diagonal, plus b everywhere", "the minimum is at the centre"),
    derivation=convergence_proof,
    variants=(
        Variant("along the gradient", "known bug", (path(theta[t - 1, i] + lr * pull(At(t - 1))),)),
        Variant(
            "one coordinate after the other",
            "coordinate descent: the new coordinates are used at once",
            (
                path(
                    theta[t - 1, i]
                    - lr
                    * (
                        a * (theta[t - 1, i] - centre[i])
                        + b * Sum(theta[t, j] - centre[j], (j, 0, i - 1))
                        + b * Sum(theta[t - 1, j] - centre[j], (j, i, n - 1))
                    )
                ),
            ),
        ),
        Variant(
            "heavy ball",
            "Polyak's momentum of 1/2",
            (
                path(
                    theta[t - 1, i]
                    - lr * pull(At(t - 1))
                    + Piecewise((0, t <= 1), ((theta[t - 1, i] - theta[t - 2, i]) / 2, True))
                ),
            ),
        ),
        Variant("a rate that decays", "rate / t", (path(theta[t - 1, i] - lr / t * pull(At(t - 1))),)),
        Variant(
            "the gradient of the start at every step",
            "known bug: not computed again",
            (path(theta[t - 1, i] - lr * pull(At(0))),),
        ),
        Variant(
            "the diagonal alone",
            "known bug",
            (path(theta[t - 1, i] - lr * (a + b) * (theta[t - 1, i] - centre[i])),),
        ),
    ),
    options={"gradient": Output("gradient", pull(theta), (i, 0, n - 1)), "steps": {"param": T}},
    remarks="The smallest eigenvalue converges last, the greatest limits the rate: their ratio decides how long it "
    "takes.",
)

# ------------------------------------------------------------------ the closed form as a function

LAMBDA = nonnegative("curvature", WIDTH, high=4.0)
lam = LAMBDA.symbol
LATE = Size("T", 0, 12)
factor = IndexedBase("factor", real=True)


def to_the_power(name: str, source: str, value: Any) -> Variant:
    return Variant(name, source, ((factor[i], value),))


function = Claim(
    id="train.gd.convergence.closed",
    section=SECTION,
    title="Where gradient descent on a quadratic is after T steps is known without taking them",
    kind="equality",
    subject="training.quadratic_descent",
    driver="function",
    structure=(WIDTH, LATE),
    inputs=(START, LAMBDA, RATE),
    program=Program(
        ((factor[i], (1 - lr * lam[i]) ** T),),
        (Output("theta", factor[i] * theta0[i], (i, 0, n - 1)),),
    ),
    definition=Program(
        (path(theta[t - 1, i] - lr * (lam[i] * theta[t - 1, i])),),
        (Output("theta", theta[T, i], (i, 0, n - 1)),),
    ),
    statement=Eq(theta[T, i], (1 - lr * lam[i]) ** T * theta0[i]),
    conditions=("the minimum is at 0",),
    derivation=lambda: Derivation(
        powers(Symbol("gamma", real=True), Symbol("lamda", real=True), theta0[i]), lift="mode"
    ),
    variants=(
        to_the_power("gradient flow", "the limit of small rates", exp(-lr * lam[i] * T)),
        to_the_power("one step too many", "known bug", (1 - lr * lam[i]) ** (T + 1)),
        to_the_power("backward Euler", "the implicit step", (1 + lr * lam[i]) ** (-T)),
        to_the_power("first order", "known bug", 1 - T * lr * lam[i]),
        to_the_power("along the gradient", "known bug", (1 + lr * lam[i]) ** T),
    ),
    options={"arguments": ("theta0", "curvature", "lr", "T")},
)

# ------------------------------------------------------------------ a rate without strong convexity

LEAST = positive("mu", host=True, high=1.0, typical=(0.5, 0.125))
REST = nonnegative("r", WIDTH, high=1.0)
FIT = real("lr", host=True, low=0.0625, high=4.0, typical=(0.5, 1.0))
mu, r, step = symbols_of((LEAST, REST, FIT))
curve = IndexedBase("curve", nonnegative=True)
curvature = Piecewise(((mu + (1 - mu) * r[i]) / step, i < n - 1), (0, True))


def loss(at: Any) -> Any:
    return Sum(curve[i] * at[i] ** 2, (i, 0, n - 1)) / 2


def within(factor: Any) -> Relation:
    return Relation(loss(param), "<=", factor * loss(theta0))


def rate_proof() -> Derivation:
    m, bend, gap, size = symbols("m L gap G", positive=True)
    above, rho = IndexedBase("d", nonnegative=True), Symbol("rho", positive=True)
    f = IndexedBase("f", real=True)
    lamda = m + above[j]
    return Derivation(
        (
            *descent_proof().steps,
            Step(
                "inequality",
                Le(
                    2 * m * Sum(lamda * theta0[j] ** 2, (j, 0, n - 1)) / 2,
                    Sum(lamda**2 * theta0[j] ** 2, (j, 0, n - 1)),
                ),
                Sum(lamda * above[j] * theta0[j] ** 2, (j, 0, n - 1)),
                why="|g|^2 is at least 2 m L(theta): eigenvalues that are 0 add nothing to either side",
            ),
            Step(
                "inequality",
                Le(gap - size / (2 * bend), (1 - m / bend) * gap),
                (size - 2 * m * gap) / (2 * bend),
                why="a step of 1/L lowers the loss by |g|^2 / (2 L), hence the gap by m/L of it",
                assume=(size >= 2 * m * gap,),
                wrong=((size - m * gap) / (2 * bend),),
            ),
            Step(
                "induction",
                Eq(f[t], rho * f[t - 1]),
                rho**t * gap,
                why="and t steps by its power, with rho = 1 - m/L",
                by=(t, 0, gap),
            ),
        )
    )


rate = Claim(
    id="train.gd.convergence.rate",
    section=SECTION,
    title="Where |g|^2 is at least 2 m times the gap, steps of 1/L close the gap by 1 - m/L each",
    kind="inequality",
    subject="training.GradientDescent",
    driver="descent",
    structure=(WIDTH, STEPS),
    inputs=(START, REST, LEAST, FIT),
    program=Program(
        (
            (curve[i], curvature),
            path(theta[t - 1, i] - step * (curve[i] * theta[t - 1, i])),
        ),
        (Output("param", theta[T, i], (i, 0, n - 1)),),
    ),
    relation=within((1 - mu) ** T),
    statement=Le(Symbol("L(theta_T)"), (1 - mu) ** T * Symbol("L(theta_0)")),
    conditions=("lr = 1/L", "mu = m/L", "the least loss is 0", "curvatures lie between m and L, and one is 0"),
    derivation=rate_proof,
    variants=(
        Variant(
            "three times the exponent",
            "too fast: twice is what a quadratic gives",
            relation=within((1 - mu) ** (3 * T)),
        ),
        Variant("one step more", "too fast", relation=within((1 - mu) ** (2 * T + 1))),
        Variant(
            "a tenth of the rate",
            "known bug",
            (path(theta[t - 1, i] - step * (curve[i] * theta[t - 1, i]) * Rational(1, 10)),),
        ),
        Variant(
            "nearly twice the rate",
            "known bug",
            (path(theta[t - 1, i] - step * (curve[i] * theta[t - 1, i]) * Rational(19, 10)),),
        ),
        Variant("along the gradient", "known bug", (path(theta[t - 1, i] + step * (curve[i] * theta[t - 1, i])),)),
    ),
    options={"gradient": Output("gradient", curvature * theta[i], (i, 0, n - 1)), "steps": {"param": T}},
    remarks="This is the inequality of Polyak and Lojasiewicz. It does not need strong convexity: here one direction "
    "has no curvature at all.",
)

CLAIMS = (convergence, function, rate)
