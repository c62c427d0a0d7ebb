"""The correction that makes Adam's averages unbiased, and what it assumes."""

from typing import Any

from sympy import (
    And,
    Eq,
    IndexedBase,
    KroneckerDelta,
    Le,
    Max,
    Min,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    false,
    sqrt,
    symbols,
)  # fmt: skip

from gnomon.derivations.optim_moments import (
    BELOW_ONE,
    BETA1,
    BETA2,
    CORRECTED,
    FIRST,
    GIVEN,
    GRADIENTS,
    SCOPE,
    SECTION,
    STEPS,
    WIDTH,
    solved,
    stepwise,
)  # fmt: skip
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, nonnegative, real, symbols_of

t, i, j, k, p = symbols("t i j k p", integer=True)
m, v, mhat, vhat, path = (IndexedBase(name, real=True) for name in ("m", "v", "mhat", "vhat", "path"))
g = IndexedBase("g", real=True)
b1, b2 = symbols_of((BETA1, BETA2))
beta = Symbol("beta", positive=True)

# ------------------------------------------------------------------ the mean over all sign vectors

LONGEST = 3
FEW = Size("T", 1, LONGEST)
MEAN = real("mu")
SPREAD = nonnegative("sigma")
T, mu, sigma = symbols_of((FEW, MEAN, SPREAD))
sign, mean = IndexedBase("sign"), IndexedBase("mean")

SIGNS = tuple(tuple(1 - 2 * (number >> place & 1) for place in range(LONGEST)) for number in range(2**LONGEST))


def means(name: str, values: tuple[int, ...]) -> Choice:
    """How the mean of the gradients goes, in units of mu, with every sign vector for the noise."""
    return Choice("gradients", {name: {mean: values, sign: SIGNS}})


STATIONARY = means("one mean", (1,) * LONGEST)
GROWING = means("growing mean", tuple(range(1, LONGEST + 1)))

PATHS = (
    (path[t, p], mu * mean[t - 1] + sigma * sign[p, t - 1]),
    (m[t, p], stepwise(0, b1 * m[t - 1, p] + (1 - b1) * path[t, p])),
    (v[t, p], stepwise(0, b2 * v[t - 1, p] + (1 - b2) * path[t, p] ** 2)),
    (mhat[t, p], m[t, p] / (1 - b1**t)),
    (vhat[t, p], v[t, p] / (1 - b2**t)),
)


def expected(quantity: Any) -> Any:
    """The mean over all sign vectors of T steps, each as likely as any other."""
    return Sum(quantity, (p, 0, 2**T - 1)) / 2**T


now = mean[T - 1]
UNBIASED = Program(PATHS, (Output("first", expected(mhat[T, p])), Output("second", expected(vhat[T, p]))))


def bugs(index: Any, *names: str) -> tuple[Variant, ...]:
    """Ways to get the correction wrong, those named or all."""

    def divided(name: str, source: str, first: Any, second: Any) -> Variant:
        replaced = ((mhat[t, index], m[t, index] / first), (vhat[t, index], v[t, index] / second))
        return Variant(name, source, replaced)

    one, two = 1 - b1**t, 1 - b2**t
    known = (
        divided("no correction", "momentum and RMSprop, both from zero", 1, 1),
        divided("one step too many", "known bug: exponent t + 1", 1 - b1 ** (t + 1), 1 - b2 ** (t + 1)),
        divided("only the first corrected", "known bug", one, 1),
        divided("only the second corrected", "known bug", 1, two),
        divided("betas exchanged", "known bug", two, one),
        divided("the first step's factor at every step", "known bug: 1 - beta", 1 - b1, 1 - b2),
    )
    return tuple(variant for variant in known if not names or variant.name in names)


def weights_add_up() -> Step:
    return Step(
        "sum",
        (1 - beta) * Sum(beta**k, (k, 0, T - 1)),
        1 - beta**T,
        why="the weights of T gradients add up to less than 1: the bias towards zero",
        assume=BELOW_ONE,
        wrong=(Rational(1), 1 - beta ** (T + 1)),
    )


def unbiased_proof() -> Derivation:
    level = Symbol("mu", real=True)
    weighted = (1 - beta) * Sum(beta**k * g[T - 1 - k, i], (k, 0, T - 1))
    constant = (1 - beta) * Sum(beta**k * level, (k, 0, T - 1))
    growing = (1 - beta) * Sum(beta**k * (T - k), (k, 0, T - 1)) / (1 - beta**T)
    return Derivation(
        (
            solved(m, 1),
            Step(
                "substitute",
                weighted,
                constant,
                why="the expectation of a sum is the sum of the expectations, and every gradient's is mu",
                by=((g[j, i], level),),
            ),
            Step(
                "sum",
                constant / (1 - beta**T),
                level,
                why="a geometric sum: the weights add up to 1 - beta**T, which the correction takes off",
                assume=BELOW_ONE,
                wrong=(level * (1 - beta**T), level * (1 - beta**T) / (1 - beta ** (T + 1))),
            ),
            Step(
                "rewrite",
                ((level + sigma) ** 2 + (level - sigma) ** 2) / 2,
                level**2 + sigma**2,
                why="squared gradients have one mean too, so the same holds for the second moment",
            ),
            Step(
                "refute",
                Eq(growing, T),
                false,
                why="gradients with means 1, 2, 3, ... average to less than the mean of the last",
                by=({beta: Rational(9, 10), T: 10},),
            ),
        ),
        SCOPE,
        lift="pointwise",
    )


bias_correction = Claim(
    id="optim.adam.bias_correction",
    section=SECTION,
    title="Corrected averages are unbiased, if all gradients have one mean",
    kind="expectation",
    subject="optim.adam_bias_correct",
    driver="bias_correction",
    structure=(FEW, STATIONARY),
    inputs=(MEAN, SPREAD, BETA1, BETA2),
    program=UNBIASED,
    definition=Program((), (Output("first", mu * now), Output("second", (mu * now) ** 2 + sigma**2))),
    statement=(Eq(expected(mhat[T, p]), mu), Eq(expected(vhat[T, p]), mu**2 + sigma**2)),
    conditions=("every gradient is mu + sigma or mu - sigma, both as likely, and all are independent",),
    derivation=unbiased_proof,
    variants=(
        *bugs(p),
        Variant(
            "the mean may drift",
            "notes, which state no condition",
            structure=(GROWING,),
            printed=True,
            why="gradients with means 1, 2, 3, ... average to less than the mean of the last",
            actual="program",
        ),
    ),
    remarks="Nothing is sampled: p runs over all sign vectors. Where the mean drifts, the correction takes off "
    "the bias towards zero and leaves the lag. The ratio of the two corrected averages is not an unbiased "
    "estimate of anything.",
)

VARIANCE = Program(PATHS, (Output("variance", expected((mhat[T, p] - mu) ** 2)),))
variance = sigma**2 * (1 - b1) * (1 + b1**T) / ((1 + b1) * (1 - b1**T))


def variance_proof() -> Derivation:
    noise = sigma**2 * (1 - beta) ** 2
    twice = Sum(beta**k * beta**j * KroneckerDelta(j, k), (j, 0, T - 1), (k, 0, T - 1))
    once = Sum(beta ** (2 * k), (k, 0, T - 1))
    return Derivation(
        (
            weights_add_up(),
            Step(
                "collapse",
                noise * twice,
                noise * once,
                why="independent signs: the mean of s_j s_k is 1 if j = k and 0 otherwise",
            ),
            Step(
                "sum",
                once,
                (1 - beta ** (2 * T)) / (1 - beta**2),
                why="a geometric sum",
                assume=BELOW_ONE,
            ),
            Step(
                "rewrite",
                noise * (1 - beta ** (2 * T)) / (1 - beta**2) / (1 - beta**T) ** 2,
                sigma**2 * (1 - beta) * (1 + beta**T) / ((1 + beta) * (1 - beta**T)),
                why="corrected, and with the common factors taken out",
                wrong=(sigma**2 * (1 - beta) / (1 + beta),),
            ),
        ),
        SCOPE,
        lift="pointwise",
    )


correction_variance = Claim(
    id="optim.adam.bias_correction.variance",
    section=SECTION,
    title="The corrected average has the variance of one gradient at first, and no more later",
    kind="expectation",
    subject="optim.adam_bias_correct",
    driver="bias_correction",
    structure=(FEW, STATIONARY),
    inputs=(MEAN, SPREAD, BETA1, BETA2),
    program=VARIANCE,
    definition=Program((), (Output("variance", variance),)),
    statement=Eq(expected((mhat[T, p] - mu) ** 2), variance),
    conditions=("every gradient is mu + sigma or mu - sigma, both as likely, and all are independent",),
    derivation=variance_proof,
    variants=(
        *bugs(p, "no correction", "one step too many", "betas exchanged"),
        Variant(
            "the limit for many steps",
            "a usual approximation",
            ((mhat[t, p], mu + sigma * sqrt((1 - b1) / (1 + b1))),),
        ),
    ),
    remarks="At the first step the variance is that of one gradient, sigma**2; in the long run it is "
    "(1 - beta) / (1 + beta) of it: 1/19 for beta = 0.9.",
)

# ------------------------------------------------------------------ the correction as a formula

LATE = Size("T", 1, 30)
MOMENTS = (real("exp_avg", WIDTH), nonnegative("exp_avg_sq", WIDTH))
n, exp_avg, exp_avg_sq = symbols_of((WIDTH, *MOMENTS))

correction = Claim(
    id="optim.adam.bias_correction.formula",
    section=SECTION,
    title="The correction divides by the weight that the gradients have been given",
    kind="equality",
    subject="optim.adam_bias_correct",
    driver="function",
    structure=(WIDTH, LATE),
    inputs=(*MOMENTS, BETA1, BETA2),
    program=Program(
        ((m[t, i], exp_avg[i]), (v[t, i], exp_avg_sq[i]), *CORRECTED),
        (Output("mhat", mhat[T, i], (i, 0, n - 1)), Output("vhat", vhat[T, i], (i, 0, n - 1))),
    ),
    statement=(Eq(mhat[T, i], m[T, i] / (1 - b1**T)), Eq(vhat[T, i], v[T, i] / (1 - b2**T))),
    conditions=("T gradients are in the averages: it is 1 at the first step",),
    derivation=lambda: Derivation((solved(m, 1), weights_add_up()), SCOPE),
    variants=bugs(i),
    options={"arguments": ("exp_avg", "exp_avg_sq", "T", "beta1", "beta2")},
    remarks="At T = 0 the correction would be 0/0.",
)

# ------------------------------------------------------------------ what follows: a weighted mean

least, greatest = (IndexedBase(name, real=True) for name in ("least", "greatest"))
shown = IndexedBase("mhat")


def between_proof() -> Derivation:
    """With weights w >= 0 that add up to 1, greatest - mean is the mean of greatest - x; likewise below."""
    w = IndexedBase("w", nonnegative=True)
    top = Symbol("top", real=True)
    gap = IndexedBase("d", nonnegative=True)  # top - x[k], which is never negative
    return Derivation(
        (
            solved(m, 1),
            weights_add_up(),
            Step(
                "rewrite",
                top * Sum(w[k], (k, 0, T - 1)) - Sum(w[k] * (top - gap[k]), (k, 0, T - 1)),
                Sum(w[k] * gap[k], (k, 0, T - 1)),
                why="the weighted mean of top - d[k] lies below top by the weighted mean of the gaps d[k]",
            ),
            Step(
                "inequality",
                Le(Sum(w[k] * (top - gap[k]), (k, 0, T - 1)), top * Sum(w[k], (k, 0, T - 1))),
                Sum(w[k] * gap[k], (k, 0, T - 1)),
                why="weights and gaps are not negative; exchanging the signs gives the bound from below",
            ),
        ),
        SCOPE,
    )


between = Claim(
    id="optim.adam.bias_correction.between",
    section=SECTION,
    title="The corrected average lies between the least and the greatest gradient",
    kind="inequality",
    subject="optim.adam_bias_correct",
    driver="bias_correction",
    structure=(WIDTH, STEPS),
    inputs=(GRADIENTS, BETA1, BETA2),
    program=Program(
        (
            GIVEN,
            FIRST,
            CORRECTED[0],
            (least[t, i], Piecewise((g[0, i], Eq(t, 1)), (Min(least[t - 1, i], g[t - 1, i]), True))),
            (greatest[t, i], Piecewise((g[0, i], Eq(t, 1)), (Max(greatest[t - 1, i], g[t - 1, i]), True))),
        ),
        (Output("mhat", mhat[T, i], (i, 0, n - 1)),),
    ),
    relation=Relation(Max(shown[i] - greatest[T, i], least[T, i] - shown[i]), "<=", 0, ((i, 0, n - 1),)),
    statement=And(Le(least[T, i], mhat[T, i]), Le(mhat[T, i], greatest[T, i])),
    derivation=between_proof,
    variants=bugs(i, "no correction", "one step too many", "the first step's factor at every step"),
    remarks="A constant gradient is met exactly, from the first step on.",
)

CLAIMS = (bias_correction, correction_variance, correction, between)
