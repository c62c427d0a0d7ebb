"""Where gradient descent with noisy gradients goes, and what it leaves behind (1.2.4)."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    Ge,
    IndexedBase,
    Le,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    oo,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, nonnegative, positive, real, symbols_of

SECTION = "1.2.4"
SUBJECT = "training.GradientDescent"
i, k, r, t = symbols("i k r t", integer=True, nonnegative=True)
theta = IndexedBase("theta", real=True)

# ------------------------------------------------------------------ the noise floor

LONGEST = 4
COUNT = Size("T", 1, LONGEST)
START, CURVATURE, NOISE = real("theta0"), positive("c", high=1.0), nonnegative("s")
RATE = positive("lr", host=True, high=1.5, typical=(0.1, 0.5, 1.0))
T, theta0, c, s, lr = symbols_of((COUNT, START, CURVATURE, NOISE, RATE))
sign = IndexedBase("sign", integer=True)
SIGNS = Choice(
    "noise",
    {
        "signs": {
            sign: tuple(tuple(1 - 2 * (row >> place & 1) for place in range(LONGEST)) for row in range(2**LONGEST))
        }
    },
)

path = IndexedBase("path", real=True)
at, told = symbols("theta sign", real=True)


def walk(step: Any) -> tuple[Any, Any]:
    """The parameter after t steps, where the signs of the noise are those of row r."""
    return path[r, t], Piecewise((theta0, Eq(t, 0)), (path[r, t - 1] - step, True))


noisy = c * path[r, t - 1] + s * sign[r, t - 1]
WALK = (walk(lr * noisy),)


def expected(entry: Any) -> Any:
    """The mean over all sign vectors of T steps."""
    return Sum(entry, (r, 0, 2**T - 1)) / 2**T


MEANS = (Output("mean", expected(path[r, T])), Output("square", expected(path[r, T] ** 2)))
shrunk = (1 - lr * c) ** T
floor_of = lr * s**2 / (c * (2 - lr * c))
settled = floor_of + shrunk**2 * (theta0**2 - floor_of)


def floor_proof() -> Derivation:
    rate, bend, spread, start, mean, square = symbols("gamma lamda s theta_0 m v", real=True)
    q, added = symbols("Q a", positive=True)
    shrink = 1 - rate * bend
    v, m = IndexedBase("v", real=True), IndexedBase("m", real=True)
    g, b, d = symbols("gamma lamda s", positive=True)
    level = g * d**2 / (b * (2 - g * b))
    now = Symbol("t", integer=True, nonnegative=True)
    return Derivation(
        (
            Step(
                "rewrite",
                ((shrink * mean - rate * spread) ** 2 + (shrink * mean + rate * spread) ** 2) / 2,
                shrink**2 * mean**2 + rate**2 * spread**2,
                why="one more step: both signs are as likely, whatever came before",
                wrong=(shrink**2 * mean**2 + rate * spread**2,),
            ),
            Step(
                "induction",
                Eq(m[t], (1 - rate * bend) * m[t - 1]),
                (1 - rate * bend) ** t * start,
                why="the mean goes where exact gradients go",
                by=(t, 0, start),
            ),
            Step(
                "induction",
                Eq(v[t], q * v[t - 1] + added),
                added / (1 - q) + (start**2 - added / (1 - q)) * q**t,
                why="the mean square, with Q = (1 - gamma lamda)^2 and a = gamma^2 s^2",
                by=(t, 0, start**2),
                assume=(q < 1,),
                wrong=(added / (1 - q) + start**2 * q**t,),
            ),
            Step(
                "rewrite",
                g**2 * d**2 / (1 - (1 - g * b) ** 2),
                level,
                why="the level at which it settles",
                wrong=(level / 2, g * d**2 / (2 * b)),
            ),
            Step(
                "limit",
                level + square * Rational(1, 4) ** now,
                level,
                why="since Q^t goes to 0, here for Q = 1/4",
                by=(now, oo),
            ),
        ),
        "every t, where gamma lamda < 2",
    )  # fmt: skip


convergence = Claim(
    id="gdprac.convergence",
    section=SECTION,
    title="With noise in its gradients, descent with a fixed rate stalls at E theta^2 = lr s^2 / (c (2 - lr c))",
    kind="expectation",
    subject=SUBJECT,
    driver="noisy_descent",
    structure=(COUNT, SIGNS),
    inputs=(START, CURVATURE, NOISE, RATE),
    program=Program(WALK, MEANS),
    definition=Program((), (Output("mean", shrunk * theta0), Output("square", settled))),
    statement=(Eq(expected(path[r, T]), shrunk * theta0), Eq(expected(path[r, T] ** 2), settled)),
    conditions=("the gradient is c theta plus or minus s, both as likely at every step", "0 < lr < 2/c"),
    derivation=floor_proof,
    variants=(
        Variant("exact gradients", "as if the noise averaged out", (walk(lr * c * path[r, t - 1]),)),
        Variant("rate forgotten in the noise", "known bug", (walk(lr * c * path[r, t - 1] + s * sign[r, t - 1]),)),
        Variant(
            "the same noise at every step",
            "known bug: a seed set in the loop",
            (walk(lr * (c * path[r, t - 1] + s * sign[r, 0])),),
        ),
        Variant("a rate that decays", "rate / t: the floor then goes to 0", (walk(lr / t * noisy),)),
        Variant("along the gradient", "known bug", (walk(-lr * noisy),)),
        Variant("half the slope", "known bug", (walk(lr * (c * path[r, t - 1] / 2 + s * sign[r, t - 1])),)),
    ),
    options={"gradient": Output("gradient", c * at + s * told)},
    remarks="Nothing is drawn: all sign vectors are run. A smaller rate has a lower floor and takes longer to get "
    "there. Exact gradients, s = 0, go to 0.",
)  # fmt: skip

# ------------------------------------------------------------------ the floor as a function

WIDTH = Size("n", 1, 3)
BENDS, NOISES = positive("c", WIDTH, high=4.0), nonnegative("s", WIDTH)
SLOW = positive("lr", host=True, high=0.25, typical=(0.1, 0.01))
n, bends, noises, slow = symbols_of((WIDTH, BENDS, NOISES, SLOW))
floor = IndexedBase("floor", nonnegative=True)


def at_floor(name: str, source: str, value: Any) -> Variant:
    return Variant(name, source, ((floor[i], value),))


level = slow * noises[i] ** 2 / (bends[i] * (2 - slow * bends[i]))
kept = slow**2 * noises[i] ** 2 / (1 - (1 - slow * bends[i]) ** 2)


def level_proof() -> Derivation:
    g, b, d, v = symbols("gamma lamda s v", positive=True)
    found = g * d**2 / (b * (2 - g * b))
    return Derivation(
        (
            Step(
                "solve",
                Eq(v, (1 - g * b) ** 2 * v + g**2 * d**2),
                found,
                why="the mean square that a step leaves as it is",
                by=(v,),
                assume=(g * b < 2,),
                wrong=(g * d**2 / (2 * b), found / 2),
            ),
        )
    )


stationary = Claim(
    id="gdprac.convergence.floor",
    section=SECTION,
    title="The level at which noisy descent stalls",
    kind="limit",
    subject="training.sgd_noise_floor",
    driver="function",
    structure=(WIDTH,),
    inputs=(BENDS, NOISES, SLOW),
    program=Program(((floor[i], level),), (Output("floor", floor[i], (i, 0, n - 1)),)),
    definition=Program((), (Output("floor", kept, (i, 0, n - 1)),)),
    statement=Eq(floor[i], level),
    conditions=("lr is below 2/c",),
    derivation=level_proof,
    variants=(
        at_floor("first order in the rate", "a usual approximation", slow * noises[i] ** 2 / (2 * bends[i])),
        at_floor("noise not squared", "known bug", slow * noises[i] / (bends[i] * (2 - slow * bends[i]))),
        at_floor("curvature forgotten", "known bug", slow * noises[i] ** 2 / (2 - slow * bends[i])),
        at_floor("without the 2", "known bug", slow * noises[i] ** 2 / (bends[i] * (1 - slow * bends[i]))),
        at_floor("plus in place of minus", "known bug", slow * noises[i] ** 2 / (bends[i] * (2 + slow * bends[i]))),
    ),
)  # fmt: skip

# ------------------------------------------------------------------ samples that are all alike

SAMPLES, EPOCHS = Size("n", 2, 4), Size("E", 1, 3)
ALIKE = real("theta0", 1, low=-4.0, high=4.0)
BEND = nonnegative("c", high=1.0)
STABLE = positive("lr", host=True, high=2.0, open_high=True, typical=(0.1, 0.5, 1.5))
m, E, first, bend, rate = symbols_of((SAMPLES, EPOCHS, ALIKE, BEND, STABLE))
often, seldom = IndexedBase("often", real=True), IndexedBase("seldom", real=True)


def straight(factor: Any) -> tuple[Any, Any]:
    return theta[t], Piecewise((first[0], Eq(t, 0)), (theta[t - 1] - factor * (bend * theta[t - 1]), True))


def alike_proof() -> Derivation:
    level = Symbol("g", positive=True)
    q = Symbol("q", nonnegative=True)
    epochs, count = symbols("E n", integer=True, positive=True)
    return Derivation(
        (
            Step(
                "sum",
                Sum(level, (i, 0, count - 1)) / count,
                level,
                why="if all samples are alike, the gradient of one is that of all: no noise, at 1/n of the cost",
            ),
            Step(
                "inequality",
                Le((1 - rate * bend) ** 2, 1),
                rate * bend * (2 - rate * bend),
                why="a step multiplies by 1 - lr c, which is at most 1 in size",
                assume=(rate * bend < 2,),
            ),
            define(q, Symbol("(1 - lr c)^2"), "n E steps multiply the square by q^(n E), E steps by q^E"),
            Step(
                "inequality",
                Ge(q**epochs - q ** (epochs + 1), 0),
                q**epochs * (1 - q),
                why="every step more brings it down: for the same n E gradients, E steps on all samples are behind",
                assume=(q <= 1,),
            ),
        )
    )


alike = Claim(
    id="gdprac.convergence.identical",
    section=SECTION,
    title="If all samples are alike, single samples get further than all data, for the same number of gradients",
    kind="inequality",
    subject=SUBJECT,
    driver="descent",
    structure=(SAMPLES, EPOCHS),
    inputs=(ALIKE, BEND, STABLE),
    program=Program(
        (straight(rate),),
        (Output("often", theta[m * E + 0 * i], (i, 0, 0)), Output("seldom", theta[E + 0 * i], (i, 0, 0))),
    ),
    relation=Relation(Abs(often[0]), "<=", Abs(seldom[0])),
    statement=Le(Abs(theta[m * E]), Abs(theta[E])),
    conditions=("n samples with the same loss c theta^2 / 2", "E passes: n E steps on one sample, or E steps on all"),
    derivation=alike_proof,
    variants=(
        Variant(
            "batch is quick, stochastic is long",
            "notes, table",
            relation=Relation(Abs(often[0]), ">=", Abs(seldom[0])),
            printed=True,
            why="five steps on single samples cost 5 gradients, on all of 100 samples 500, and lead to the same point",
        ),
        Variant("along the gradient", "known bug", (straight(-rate),)),
        Variant("ten times the step", "known bug: past 2/c it diverges", (straight(10 * rate),)),
    ),
    options={"gradient": Output("gradient", bend * theta[i], (i, 0, 0)), "steps": {"often": m * E, "seldom": E}},
    remarks="The table's words are true near the minimum, where noise makes stochastic descent stall. Counted in "
    "gradients of single samples, the usual price, it is quicker as long as the samples agree.",
)

CLAIMS = (convergence, stationary, alike)
