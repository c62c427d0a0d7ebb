"""Adam's two averages of the gradients. Their symbols and definitions serve the other files on optimizers."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Piecewise, Sum, Symbol, symbols

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, nonnegative, positive, real, symbols_of

SECTION = "1.2.5"
WIDTH = Size("n", 1, 2)
STEPS = Size("T", 1, 5)
n, T = symbols_of((WIDTH, STEPS))
t, i, j, k, p = symbols("t i j k p", integer=True)

START = real("theta0", WIDTH)
GRADIENTS = real("g", STEPS, WIDTH)
RATE = nonnegative("lr", host=True, typical=(0.001, 0.1))
BETA1 = nonnegative("beta1", high=1.0, open_high=True, host=True, typical=(0.9, 0.0))
BETA2 = nonnegative("beta2", high=1.0, open_high=True, host=True, typical=(0.999, 0.99))
EPS = positive("eps", host=True, typical=(1e-8, 0.001))
HYPER = (RATE, BETA1, BETA2, EPS)

theta0, g, lr, b1, b2, eps = symbols_of((START, GRADIENTS, *HYPER))
d, m, v, mhat, vhat = (IndexedBase(name, real=True) for name in ("d", "m", "v", "mhat", "vhat"))
beta = Symbol("beta", positive=True)  # of either average, where it is not 0
BELOW_ONE = (beta < 1,)
SCOPE = "every t and every n, 0 < β < 1 (β = 0 is tested)"


def stepwise(first: Any, later: Any) -> Any:
    """A value before the first gradient, and at step t = 1, 2, ..."""
    return Piecewise((first, Eq(t, 0)), (later, True))


GRADIENT = d[t, i]
GIVEN = (d[t, i], g[t - 1, i])
FIRST = (m[t, i], stepwise(0, m[t - 1, i] + (1 - b1) * (GRADIENT - m[t - 1, i])))  # rounded like torch.lerp
SECOND = (v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * GRADIENT**2))
CORRECTED = ((mhat[t, i], m[t, i] / (1 - b1**t)), (vhat[t, i], v[t, i] / (1 - b2**t)))


def weighted(rate: Any, last: Any, power: int = 1) -> Any:
    """The average from zero after ``last`` gradients: k steps ago weighs rate**k."""
    return (1 - rate) * Sum(rate**k * g[last - 1 - k, i] ** power, (k, 0, last - 1))


def solved(average: Any, power: int) -> Step:
    """The recursion of an average has the weighted sum for its solution."""
    return Step(
        "induction",
        Eq(average[t, i], beta * average[t - 1, i] + (1 - beta) * g[t - 1, i] ** power),
        weighted(beta, t, power),
        why="by induction on the step: the empty sum at t = 0, and one more term at each step",
        by=(t, 0, 0),
        wrong=((1 - beta) * Sum(beta ** (k + 1) * g[t - 1 - k, i] ** power, (k, 0, t - 1)),),
    )


def of_first(name: str, source: str, later: Any, first: Any = 0) -> Variant:
    return Variant(name, source, ((m[t, i], stepwise(first, later)),))


def of_second(name: str, source: str, later: Any, first: Any = 0) -> Variant:
    return Variant(name, source, ((v[t, i], stepwise(first, later)),))


first_moment = Claim(
    id="optim.adam.first_moment",
    section=SECTION,
    title="Adam's first moment is an average of the gradients that forgets geometrically",
    kind="equality",
    subject="optim.Adam",
    driver="optimizer_path",
    structure=(WIDTH, STEPS),
    inputs=(START, GRADIENTS, *HYPER),
    program=Program((GIVEN, FIRST), (Output("exp_avg", m[T, i], (i, 0, n - 1)),)),
    definition=Program((), (Output("exp_avg", weighted(b1, T), (i, 0, n - 1)),)),
    statement=Eq(m[T, i], weighted(b1, T)),
    conditions=("the average starts at zero",),
    derivation=lambda: Derivation((solved(m, 1),), SCOPE),
    variants=(
        of_first("gradient without its weight", "classical momentum", b1 * m[t - 1, i] + GRADIENT),
        of_first("weights exchanged", "known bug", (1 - b1) * m[t - 1, i] + b1 * GRADIENT),
        of_first("betas exchanged", "known bug", b2 * m[t - 1, i] + (1 - b2) * GRADIENT),
        of_first(
            "starts at the first gradient",
            "a usual way to begin an average without bias",
            b1 * m[t - 1, i] + (1 - b1) * GRADIENT,
            g[0, i],
        ),
        of_first(
            "corrected average stored",
            "known bug",
            (b1 * m[t - 1, i] + (1 - b1) * GRADIENT) / (1 - b1**t),
        ),
    ),
    remarks="The notes do not say where the average starts. From zero it is biased towards zero, which is what the "
    "correction is for. The program is the form that PyTorch computes, m + (1 - beta1)(g - m). An optimizer shows the "
    "average as state[parameter]['exp_avg'].",
)

second_moment = Claim(
    id="optim.adam.second_moment",
    section=SECTION,
    title="Adam's second moment is the same kind of average of the squared gradients",
    kind="equality",
    subject="optim.Adam",
    driver="optimizer_path",
    structure=(WIDTH, STEPS),
    inputs=(START, GRADIENTS, *HYPER),
    program=Program((GIVEN, SECOND), (Output("exp_avg_sq", v[T, i], (i, 0, n - 1)),)),
    definition=Program((), (Output("exp_avg_sq", weighted(b2, T, 2), (i, 0, n - 1)),)),
    statement=Eq(v[T, i], weighted(b2, T, 2)),
    conditions=("the average starts at zero", "squares are taken entry by entry"),
    derivation=lambda: Derivation((solved(v, 2),), SCOPE),
    variants=(
        of_second("betas exchanged", "known bug", b1 * v[t - 1, i] + (1 - b1) * GRADIENT**2),
        of_second("a sum, not an average", "Adagrad", v[t - 1, i] + GRADIENT**2),
        of_second("weights exchanged", "known bug", (1 - b2) * v[t - 1, i] + b2 * GRADIENT**2),
        of_second(
            "square of the average",
            "known bug",
            (b2 * v[t - 1, i] + (1 - b2) * GRADIENT) ** 2,
        ),
        Variant(
            "squared deviation from the first moment",
            "AdaBelief",
            (FIRST, (v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * (GRADIENT - m[t, i]) ** 2))),
        ),
    ),
    remarks="It is the second moment about zero, not a variance. An optimizer shows it as "
    "state[parameter]['exp_avg_sq'].",
)

both_moments = Claim(
    id="optim.adam.second_moment.sequence",
    section=SECTION,
    title="Both moments after every step, as a function of the gradients",
    kind="equality",
    subject="optim.adam_moments",
    driver="function",
    structure=(WIDTH, STEPS),
    inputs=(GRADIENTS, BETA1, BETA2),
    program=Program(
        (GIVEN, FIRST, SECOND),
        (
            Output("m", m[t, i], (t, 1, T), (i, 0, n - 1)),
            Output("v", v[t, i], (t, 1, T), (i, 0, n - 1)),
        ),
    ),
    definition=Program(
        (),
        (
            Output("m", weighted(b1, t), (t, 1, T), (i, 0, n - 1)),
            Output("v", weighted(b2, t, 2), (t, 1, T), (i, 0, n - 1)),
        ),
    ),
    statement=(Eq(m[t, i], weighted(b1, t)), Eq(v[t, i], weighted(b2, t, 2))),
    conditions=("both averages start at zero",),
    derivation=lambda: Derivation((solved(m, 1), solved(v, 2)), SCOPE),
    variants=(
        Variant(
            "moments before the step",
            "known bug: off by one",
            ((m[t, i], Piecewise((0, t <= 1), (b1 * m[t - 1, i] + (1 - b1) * g[t - 2, i], True))),),
        ),
        of_second("absolute gradient", "known bug", b2 * v[t - 1, i] + (1 - b2) * Abs(GRADIENT)),
        Variant(
            "betas exchanged",
            "known bug",
            (
                (m[t, i], stepwise(0, b2 * m[t - 1, i] + (1 - b2) * GRADIENT)),
                (v[t, i], stepwise(0, b1 * v[t - 1, i] + (1 - b1) * GRADIENT**2)),
            ),
        ),
    ),
)

CLAIMS = (first_moment, second_moment, both_moments)
