"""Standardization by mean and standard deviation (1.2.4). Its symbols serve the other files on scaling, too."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Max, Min, Piecewise, Rational, Sum, Symbol, sqrt, symbols

from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "1.2.4"
SAMPLES, WIDTH = Size("n", 2, 4), Size("p", 1, 2)
CORRECTION = Size("correction", 0, 1)
DATA = real("x", SAMPLES, WIDTH)
n, p, correction, x = symbols_of((SAMPLES, WIDTH, CORRECTION, DATA))
i, j, k = symbols("i j k", integer=True, nonnegative=True)
low, high, mean, off, variance, scale, z = (
    IndexedBase(name, real=True) for name in ("lowest", "highest", "mean", "off", "variance", "scale", "z")
)


def extremes(of: Any = x) -> tuple[tuple[Any, Any], ...]:
    """The least and the greatest value of column j among the first i + 1 samples."""
    return (
        (low[i, j], Piecewise((of[0, j], Eq(i, 0)), (Min(low[i - 1, j], of[i, j]), True))),
        (high[i, j], Piecewise((of[0, j], Eq(i, 0)), (Max(high[i - 1, j], of[i, j]), True))),
    )


CONSTANT = Eq(high[n - 1, j], low[n - 1, j])


def moments(of: Any = x, divisor: Any = n - correction) -> tuple[tuple[Any, Any], ...]:
    return (
        *extremes(of),
        (mean[j], Sum(of[i, j], (i, 0, n - 1)) / n),
        (off[i, j], of[i, j] - mean[j]),
        (variance[j], Sum(off[i, j] ** 2, (i, 0, n - 1)) / divisor),
        (scale[j], sqrt(variance[j])),
    )


def scored(value: Any) -> tuple[Any, Any]:
    """The result of column j: 0 where it is constant."""
    return z[i, j], Piecewise((0, CONSTANT), (value, True))


SCORE = scored(off[i, j] / scale[j])
SCORES = Output("z", z[i, j], (i, 0, n - 1), (j, 0, p - 1))


def standardized(divisor: Any = n - correction, of: Any = x) -> tuple[tuple[Any, Any], ...]:
    return (*moments(of, divisor), SCORE)


def by(name: str, source: str, *replaced: tuple[Any, Any], **more: Any) -> Variant:
    return Variant(name, source, replaced, **more)


def divided_by(divisor: Any) -> tuple[Any, Any]:
    return variance[j], Sum(off[i, j] ** 2, (i, 0, n - 1)) / divisor


MISTAKES = (
    by("the other correction", "scikit-learn divides by n, torch.std by n - 1", divided_by(n - 1 + correction)),
    by("variance in place of its root", "known bug", (scale[j], variance[j])),
    by("epsilon in the root", "batch normalization", (scale[j], sqrt(variance[j] + Rational(1, 100000)))),
    by("not centred", "known bug", scored(x[i, j] / scale[j])),
    by("centred only", "known bug", scored(off[i, j])),
    by("mean absolute deviation", "known bug", (scale[j], Sum(Abs(off[i, j]), (i, 0, n - 1)) / n)),
    by("root of the mean square", "known bug: scaled before it is centred", divided_by(n), (off[i, j], x[i, j])),
    by(
        "each sample by its own moments",
        "layer normalization: the wrong axis",
        (mean[i], Sum(x[i, k], (k, 0, p - 1)) / p),
        (off[i, j], x[i, j] - mean[i]),
        (variance[i], Sum(off[i, k] ** 2, (k, 0, p - 1)) / p),
        (scale[i], sqrt(variance[i])),
        scored(off[i, j] / scale[i]),
    ),
)


def score_steps() -> tuple[Step, ...]:
    """The scores' mean is 0 and their mean square is 1, up to the correction."""
    a = IndexedBase("x", real=True)
    s, m, total = symbols("sigma c S", positive=True)
    average = Sum(a[k], (k, 0, n - 1)) / n
    return (
        Step(
            "rewrite",
            Sum((a[i] - average) / s, (i, 0, n - 1)),
            0,
            why="deviations from the mean add up to 0, in any units",
        ),
        define(s**2, Symbol("S / (n - c)"), "S is the sum of the squared deviations"),
        Step(
            "substitute",
            total / s**2 / n,
            (n - m) / n,
            why="their squares add up to n - c, by the definition of the scale",
            by=((s, sqrt(total / (n - m))),),
            assume=(n > m,),
            wrong=((n - 1 + m) / n, sqrt((n - m) / n)),
        ),
    )


zscore = Claim(
    id="std.zscore",
    section=SECTION,
    title="Standard scores are deviations from the mean, in units of the standard deviation",
    kind="equality",
    subject="standardize.zscore",
    driver="function",
    structure=(SAMPLES, WIDTH, CORRECTION),
    inputs=(DATA,),
    program=Program(standardized(), (SCORES,)),
    statement=Eq(z[i, j], (x[i, j] - mean[j]) / scale[j]),
    conditions=("where a feature is constant the score is 0", "the variance divides by n less the correction"),
    derivation=lambda: Derivation(score_steps()),
    variants=MISTAKES,
    options={"arguments": ("x", "correction")},
    remarks="The notes name the z-score and give no formula. scikit-learn divides by n, torch.std by n - 1: for two "
    "samples the scores differ by the factor 1.41.",
)

# ------------------------------------------------------------------ what it is for

seen = IndexedBase("z", real=True)
kept = IndexedBase("kept", nonnegative=True)
balance = Abs(Sum(seen[i, j], (i, 0, n - 1)))
power = Abs(Sum(seen[i, j] ** 2, (i, 0, n - 1)) - kept[j])

normal = Claim(
    id="std.zscore.moments",
    section=SECTION,
    title="Standard scores have the mean 0, and squares that add up to n less the correction",
    kind="inequality",
    subject="standardize.zscore",
    driver="function",
    structure=(SAMPLES, WIDTH, CORRECTION),
    inputs=(DATA,),
    program=Program((*standardized(), (kept[j], Piecewise((0, CONSTANT), (n - correction, True)))), (SCORES,)),
    relation=Relation(Max(balance, power), "<=", 0, ((j, 0, p - 1),)),
    statement=(
        Eq(Sum(z[i, j], (i, 0, n - 1)), 0),
        Eq(Sum(z[i, j] ** 2, (i, 0, n - 1)), n - correction),
    ),
    conditions=("the feature is not constant",),
    derivation=lambda: Derivation(score_steps()),
    variants=(MISTAKES[0], MISTAKES[1], MISTAKES[3], MISTAKES[4], MISTAKES[5]),
    options={"arguments": ("x", "correction")},
    remarks="Both to within rounding. With the correction 1 the mean square is (n - 1)/n, not 1.",
)

# ------------------------------------------------------------------ units do not matter

way = Symbol("way", integer=True)
TURN = Choice("direction", {"kept": {way: 1}, "turned": {way: -1}})
UNITS = (real("x", SAMPLES, WIDTH), real("a", WIDTH, low=0.25, high=4.0), real("b", WIDTH))
_, a, b = symbols_of(UNITS)
moved = IndexedBase("moved", real=True)


def image(row: Any, column: Any) -> Any:
    """The data in other units."""
    return way * (a[column] * x[row, column]) + b[column]


def turned_proof() -> Derivation:
    r, shift, v = symbols("a b v", real=True)
    data = IndexedBase("x", real=True)
    average = Sum(data[k], (k, 0, n - 1)) / n
    q, s, w = symbols("q s w", positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                r * data[i] + shift - Sum(r * data[k] + shift, (k, 0, n - 1)) / n,
                r * (data[i] - average),
                why="a shift drops out of a deviation, and a factor is a factor",
                wrong=(r * (data[i] - average) + shift,),
            ),
            Step(
                "substitute",
                v / sqrt(w),
                v / s,
                why="a factor q > 0 multiplies the standard deviation as well",
                by=((v, q * v), (w, q**2 * s**2)),
            ),
            Step(
                "substitute",
                v / sqrt(w),
                -v / s,
                why="and a factor -q < 0, of which the root takes the size, turns the sign",
                by=((v, -q * v), (w, (-q) ** 2 * s**2)),
                wrong=(v / s,),
            ),
        )
    )


invariant = Claim(
    id="std.zscore.invariance",
    section=SECTION,
    title="Standard scores do not depend on the units; a scale that is turned around turns their sign",
    kind="invariance",
    subject="standardize.zscore",
    driver="on_data",
    structure=(SAMPLES, WIDTH, TURN),
    inputs=UNITS,
    program=Program(((moved[i, j], image(i, j)), *standardized(n, moved)), (SCORES,)),
    definition=Program(
        standardized(n), (Output("z", way * z[i, j], (i, 0, n - 1), (j, 0, p - 1)),)
    ),
    statement=Eq(Symbol("z(a x + b)"), Symbol("sign(a)") * Symbol("z(x)")),
    conditions=("a is not 0",),
    derivation=turned_proof,
    variants=(
        by("not centred", "known bug", scored(moved[i, j] / scale[j])),
        by("centred only", "known bug", scored(off[i, j])),
        by("variance in place of its root", "known bug", (scale[j], variance[j])),
        by("sign lost", "known bug: absolute deviations", scored(Abs(off[i, j]) / scale[j])),
        by("epsilon in the root", "batch normalization", (scale[j], sqrt(variance[j] + Rational(1, 100000)))),
    ),
    gradient=False,
    options={"data": Output("data", image(i, j), (i, 0, n - 1), (j, 0, p - 1))},
    remarks="Temperatures in Celsius and in Fahrenheit have the same scores. The gradient is compared in std.zscore: "
    "here rounding in a x + b may make a column constant, where the slope jumps.",
)  # fmt: skip

# ------------------------------------------------------------------ a feature without a scale

VALUES = real("c", WIDTH)
c = VALUES.symbol


def constant_proof() -> Derivation:
    value = Symbol("c", real=True)
    return Derivation(
        (
            Step(
                "sum",
                Sum(value, (k, 0, n - 1)) / n,
                value,
                why="the mean of equal values is that value: the deviations are 0, and so is their root mean square",
            ),
            define(z[i, j], 0, "0/0 has no value; 0 keeps the mean where it is"),
        )
    )


constant = Claim(
    id="std.zscore.constant",
    section=SECTION,
    title="A constant feature has the scores 0, exactly",
    kind="equality",
    subject="standardize.zscore",
    driver="on_data",
    structure=(Size("n", 2, 7), WIDTH, CORRECTION),
    inputs=(VALUES,),
    program=Program(((z[i, j], 0 * c[j]),), (SCORES,)),
    statement=Eq(z[i, j], 0),
    conditions=("all values of the feature are equal", "a convention, which scikit-learn has too"),
    derivation=constant_proof,
    variants=(
        by("left as it is", "known bug: a scale of 1 and not centred", (z[i, j], c[j])),
        by("noise of order 1", "known bug: rounding of the mean, divided by itself", (z[i, j], 1 + 0 * c[j])),
    ),
    gradient=False,
    options={
        "data": Output("data", c[j], (i, 0, n - 1), (j, 0, p - 1)),
        "keywords": {"correction": "correction"},
    },
    remarks="The mean of n equal numbers may be off by a rounding, and then the deviation divided by the standard "
    "deviation is of order 1: a model should ask whether all values are equal, not whether the deviation is 0. There "
    "is no slope at a constant feature, so that none is compared.",
)

CLAIMS = (zscore, normal, invariant, constant)
