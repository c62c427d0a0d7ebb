"""Scaling by the extremes, and scalers that are fitted once and then applied (1.2.4)."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Le, Max, Min, Piecewise, Rational, Sum, Symbol, sqrt, symbols

from gnomon.derivations.training.std import (
    CONSTANT,
    DATA,
    SAMPLES,
    SECTION,
    TURN,
    UNITS,
    WIDTH,
    by,
    extremes,
    high,
    i,
    image,
    j,
    k,
    low,
    mean,
    moments,
    moved,
    n,
    off,
    p,
    scale,
    variance,
    way,
    x,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

LOW = real("low", low=-1.0, high=0.0, host=True, typical=(0.0, -1.0))
HIGH = real("high", low=0.5, high=2.0, host=True, typical=(1.0,))
a, b = symbols_of((LOW, HIGH))
ratio, u = IndexedBase("ratio", real=True), IndexedBase("u", real=True)
lowest, highest = low[n - 1, j], high[n - 1, j]
width = highest - lowest
guarded = width + Rational(1, 10**8)


def scaled(value: Any) -> tuple[Any, Any]:
    """The place of a value between the extremes of its column; 0 where that is constant."""
    return ratio[i, j], Piecewise((0, CONSTANT), (value, True))


def between(of: Any = x) -> tuple[Any, Any]:
    return scaled((of[i, j] - lowest) / width)


IN_RANGE = (u[i, j], a * (1 - ratio[i, j]) + b * ratio[i, j])
SCALED = Output("u", u[i, j], (i, 0, n - 1), (j, 0, p - 1))


def range_steps() -> tuple[Step, ...]:
    v, bottom, top = symbols("v lowest highest", real=True)
    wide, inner = symbols("d e", positive=True)
    place = (v - bottom) / (top - bottom)
    return (
        Step("substitute", place, 0, why="the least value goes to 0,", by=((v, bottom),)),
        Step("substitute", place, 1, why="the greatest to 1,", by=((v, top),)),
        Step(
            "inequality",
            Le(inner / (inner + wide), 1),
            wide / (inner + wide),
            why="and one that is e above the least and d below the greatest between the two",
        ),
        Step(
            "rewrite",
            a * (1 - place) + b * place - a,
            (b - a) * place,
            why="then the range is stretched and shifted",
            wrong=(b * place,),
        ),
    )


minmax = Claim(
    id="std.minmax",
    section=SECTION,
    title="Min-max normalization puts the least value of a feature at one end of a range, the greatest at the other",
    kind="equality",
    subject="standardize.minmax",
    driver="function",
    structure=(SAMPLES, WIDTH),
    inputs=(DATA, LOW, HIGH),
    program=Program((*extremes(), between(), IN_RANGE), (SCALED,)),
    statement=Eq(u[i, j], a + (b - a) * (x[i, j] - lowest) / width),
    conditions=("where a feature is constant the result is the lower end",),
    derivation=lambda: Derivation(range_steps()),
    variants=(
        by("divided by the greatest value", "known bug", scaled((x[i, j] - lowest) / highest)),
        by("divided by the greatest size", "MaxAbsScaler", scaled(x[i, j] / Max(Abs(lowest), Abs(highest)))),
        by("the mean taken off", "mean normalization", scaled((x[i, j] - Sum(x[k, j], (k, 0, n - 1)) / n) / width)),
        by("not shifted to the range", "known bug", (u[i, j], b * ratio[i, j])),
        by("range added, not its width", "known bug", (u[i, j], a + b * ratio[i, j])),
        by("reversed", "known bug", (u[i, j], a * ratio[i, j] + b * (1 - ratio[i, j]))),
        by("epsilon in the width", "a usual guard against 0/0", scaled((x[i, j] - lowest) / guarded)),
    ),
    options={"arguments": ("x", "low", "high")},
    remarks="The notes name it and give no formula. scikit-learn computes x * scale + min, which rounds differently: "
    "there the greatest value may come out above the range.",
)  # fmt: skip

# ------------------------------------------------------------------ the ends, exactly

least, greatest = IndexedBase("bottom", real=True), IndexedBase("top", real=True)


def ends(lower: Any, upper: Any) -> tuple[tuple[Any, Any], ...]:
    return (least[j], lower + 0 * lowest), (greatest[j], Piecewise((0, CONSTANT), (upper, True)))


attained = Claim(
    id="std.minmax.range",
    section=SECTION,
    title="The ends of the range are attained, exactly",
    kind="equality",
    subject="standardize.minmax",
    driver="on_data",
    structure=(SAMPLES, WIDTH),
    inputs=(real("x", SAMPLES, WIDTH, low=-16384.0, high=16384.0),),
    program=Program(
        (*extremes(), *ends(0, 1)),
        (Output("least", least[j], (j, 0, p - 1)), Output("greatest", greatest[j], (j, 0, p - 1))),
    ),
    statement=(Eq(Symbol("min u"), 0), Eq(Symbol("max u"), 1)),
    conditions=("the feature is not constant", "the range is 0 to 1"),
    derivation=lambda: Derivation(range_steps()[:3]),
    variants=(
        by("a little above 1", "known bug: x * scale + min, rounded", *ends(0, 1 + Rational(1, 2**52))),
        by("half open", "known bug: a width made larger", *ends(0, 1 - Rational(1, 10**8))),
        by("from -1 to 1", "another range", *ends(-1, 1)),
    ),
    gradient=False,
    remarks="Not to within rounding: a number divided by itself is 1. The values are constants, whose slope is 0; that "
    "of the ends as computed depends on which of equal values is taken for the least.",
)

# ------------------------------------------------------------------ units do not matter


def mirror_proof() -> Derivation:
    v, bottom, top, shift = symbols("v lowest highest b", real=True)
    q = Symbol("a", positive=True)
    place = (v - bottom) / (top - bottom)
    return Derivation(
        (
            Step(
                "substitute",
                place,
                place,
                why="other units with a > 0 have the same places",
                by=((v, q * v + shift), (bottom, q * bottom + shift), (top, q * top + shift)),
            ),
            Step(
                "substitute",
                place,
                1 - place,
                why="with a < 0 the extremes change their parts, and every place is mirrored",
                by=((v, -q * v + shift), (bottom, -q * top + shift), (top, -q * bottom + shift)),
                wrong=(place, -place),
            ),
        )
    )


mirrored = Piecewise((ratio[i, j], Eq(way, 1)), (Piecewise((0, CONSTANT), (1 - ratio[i, j], True)), True))
invariant = Claim(
    id="std.minmax.invariance",
    section=SECTION,
    title="Min-max normalization does not depend on the units; a scale that is turned around is mirrored",
    kind="invariance",
    subject="standardize.minmax",
    driver="on_data",
    structure=(SAMPLES, WIDTH, TURN),
    inputs=UNITS,
    program=Program(
        ((moved[i, j], image(i, j)), *extremes(moved), between(moved)),
        (Output("z", ratio[i, j], (i, 0, n - 1), (j, 0, p - 1)),),
    ),
    definition=Program((*extremes(), between()), (Output("z", mirrored, (i, 0, n - 1), (j, 0, p - 1)),)),
    statement=(Eq(Symbol("u(a x + b)"), Symbol("u(x)")), Eq(Symbol("u(-a x + b)"), 1 - Symbol("u(x)"))),
    conditions=("a > 0", "the feature is not constant"),
    derivation=mirror_proof,
    variants=(
        by("divided by the greatest value", "known bug", scaled((moved[i, j] - lowest) / highest)),
        by("not shifted", "known bug", scaled(moved[i, j] / width)),
        by("mirrored itself", "known bug", scaled((highest - moved[i, j]) / width)),
        by("epsilon in the width", "a usual guard against 0/0", scaled((moved[i, j] - lowest) / guarded)),
    ),
    gradient=False,
    options={"data": Output("data", image(i, j), (i, 0, n - 1), (j, 0, p - 1))},
    remarks="The gradient is compared in std.minmax: here rounding in a x + b may make a column constant, where the "
    "slope jumps.",
)  # fmt: skip

# ------------------------------------------------------------------ an outlier

FAR = real("far", low=2.0, high=1024.0)
REST = real("x", SAMPLES, WIDTH, low=0.0, high=1.0)
far, rest = symbols_of((FAR, REST))
seen, squeezed = IndexedBase("z", real=True), IndexedBase("squeezed", real=True)
WITH_OUTLIER = Piecewise((far, Eq(i, 0)), (rest[i, j], True))


def within(bound: Any) -> Relation:
    return Relation(far * seen[i, j], "<=", bound, ((i, 1, n - 1), (j, 0, p - 1)))


def outlier_proof() -> Derivation:
    v, bottom, above = symbols("x lowest d", nonnegative=True)
    return Derivation(
        (
            Step(
                "inequality",
                Le((v - bottom) * (1 + above), (1 + above) - bottom),
                (1 - v) * (1 + above) + bottom * above,
                why="if x is at most 1 and the outlier M = 1 + d, then (x - min) M is at most M - min",
                assume=(v <= 1,),
                wrong=((1 - v) * (1 + above),),
            ),
        )
    )


outlier = Claim(
    id="std.minmax.outlier",
    section=SECTION,
    title="One outlier at M squeezes all other values, from 0 to 1, into the range from 0 to 1/M",
    kind="inequality",
    subject="standardize.minmax",
    driver="on_data",
    structure=(SAMPLES, WIDTH),
    inputs=(FAR, REST),
    program=Program(
        (
            (moved[i, j], WITH_OUTLIER),
            *extremes(moved),
            (squeezed[i, j], (moved[i, j] - lowest) / width),
        ),
        (Output("z", squeezed[i, j], (i, 0, n - 1), (j, 0, p - 1)),),
    ),
    relation=within(1),
    statement=Le(Symbol("u_i"), 1 / far),
    conditions=("the others lie between 0 and 1", "M is at least 2"),
    derivation=outlier_proof,
    variants=(
        Variant("into half of that", "too much", relation=within(Rational(1, 2))),
        by("the root of the width", "known bug", (squeezed[i, j], (moved[i, j] - lowest) / sqrt(width))),
        by("the range of all but the outlier", "a robust range", (squeezed[i, j], (moved[i, j] - lowest) / 1)),
    ),
    options={"data": Output("data", WITH_OUTLIER, (i, 0, n - 1), (j, 0, p - 1))},
    remarks="One value of a million leaves the others a millionth of the range.",
)  # fmt: skip

# ------------------------------------------------------------------ fitted once, applied anywhere

MORE = Size("m", 1, 3)
NEW = real("new", MORE, WIDTH)
CORRECTION = Size("correction", 0, 1)
m, correction, new = symbols_of((MORE, CORRECTION, NEW))
z, back, unit = IndexedBase("score", real=True), IndexedBase("back", real=True), IndexedBase("unit", real=True)
BOTH = (Output("z", z[i, j], (i, 0, m - 1), (j, 0, p - 1)), Output("back", back[i, j], (i, 0, m - 1), (j, 0, p - 1)))
NEWS = (Output("z", z[i, j], (i, 0, m - 1), (j, 0, p - 1)), Output("back", new[i, j], (i, 0, m - 1), (j, 0, p - 1)))


def inverse_proof() -> Derivation:
    v, mu = symbols("v mu", real=True)
    sigma, score = Symbol("sigma", positive=True), Symbol("z", real=True)
    return Derivation(
        (
            define(sigma, Symbol("the scale of the data that were fitted"), "any but 0: 1 where they are constant"),
            Step("solve", Eq(score, (v - mu) / sigma), mu + sigma * score, why="no other has this score", by=(v,)),
        )
    )


def fitted(
    row: str, title: str, subject: str, lets: Any, variants: Any, *, undone: Any = NEWS, given: Any = (), **more: Any
) -> Claim:
    """A claim on a scaler, applied to data that it was not fitted to, and back."""
    lets = tuple(lets)
    return Claim(
        id=row,
        section=SECTION,
        title=title,
        kind="equality",
        subject=subject,
        driver="scaler",
        inputs=(DATA, NEW, *given),
        program=Program(lets, BOTH),
        definition=Program(lets, undone),
        derivation=inverse_proof,
        variants=variants,
        gradient=False,
        remarks="Fitted to the training data alone: what the test data look like must not be used. The statistics are "
        "constants, which autograd does not follow.",
        **more,
    )


UNIT = (unit[j], Piecewise((1, CONSTANT), (scale[j], True)))
FORTH = (z[i, j], (new[i, j] - mean[j]) / unit[j])
BACK = (back[i, j], mean[j] + unit[j] * z[i, j])
own = Sum(new[k, j], (k, 0, m - 1)) / m

standard = fitted(
    "std.zscore.scaler",
    "A fitted scaler uses the moments of the training data for all data, and can be undone",
    "standardize.StandardScaler",
    (*moments(), UNIT, FORTH, BACK),
    (
        by("centred with the mean of the new data", "known bug: fitted again", (z[i, j], (new[i, j] - own) / unit[j])),
        by("undone without the mean", "known bug", (back[i, j], unit[j] * z[i, j])),
        by("undone in the wrong order", "known bug", (back[i, j], unit[j] * (z[i, j] + mean[j]))),
        by("scale multiplied", "known bug", (z[i, j], (new[i, j] - mean[j]) * unit[j])),
        by("variance in place of its root", "known bug", (scale[j], variance[j])),
        by(
            "the other correction",
            "scikit-learn divides by n, torch.std by n - 1",
            (variance[j], Sum(off[i, j] ** 2, (i, 0, n - 1)) / (n - 1 + correction)),
        ),
    ),
    structure=(SAMPLES, MORE, WIDTH, CORRECTION),
    statement=Eq(z[i, j], (new[i, j] - mean[j]) / scale[j]),
    conditions=("the scale is 1 where the training data are constant",),
    options={"keywords": {"correction": "correction"}},
)

RANGE = (unit[j], Piecewise((1, CONSTANT), (width, True)))
CLIPPED = Symbol("clipped", integer=True)
CLIP = Choice("clip", {"no": {CLIPPED: 0}, "yes": {CLIPPED: 1}})
FREE = (new[i, j] - lowest) / unit[j]
CUT = Max(0, Min(1, FREE))


def asked(yes: Any, no: Any) -> Any:
    """One with clipping, the other without."""
    return Piecewise((yes, Eq(CLIPPED, 1)), (no, True))


PLACE = (ratio[i, j], asked(CUT, FREE))
PLACED = (z[i, j], a * (1 - ratio[i, j]) + b * ratio[i, j])
SHARE = (z[i, j] - a) / (b - a)
UNDONE = (back[i, j], lowest + unit[j] * SHARE)
CUT_OFF = asked(Max(lowest, Min(lowest + unit[j], new[i, j])), new[i, j])

extreme = fitted(
    "std.minmax.scaler",
    "A fitted scaler places new data by the extremes of the training data, outside the range if need be",
    "standardize.MinMaxScaler",
    (*extremes(), RANGE, PLACE, PLACED, UNDONE),
    (
        by("clipped, whatever is asked for", "known bug", (ratio[i, j], CUT)),
        by("never clipped", "known bug: the option ignored", (ratio[i, j], FREE)),
        by("clipped from 0 to 1", "known bug: not to the range", (ratio[i, j], FREE),
           (z[i, j], asked(Max(0, Min(1, PLACED[1])), PLACED[1]))),
        by("from 0 to 1, whatever is asked for", "known bug: the range ignored", (z[i, j], ratio[i, j])),
        by("undone without the range", "known bug", (back[i, j], lowest + unit[j] * z[i, j])),
        by("undone without the least value", "known bug", (back[i, j], unit[j] * SHARE)),
        by("undone with the greatest value", "known bug", (back[i, j], highest * SHARE)),
        by("extremes of the new data", "known bug: fitted again", (ratio[i, j], (new[i, j] - new[0, j]) / unit[j])),
        by(
            "0 where the training data are constant",
            "known bug: the difference is lost",
            (ratio[i, j], Piecewise((0, CONSTANT), (PLACE[1], True))),
        ),
    ),
    structure=(SAMPLES, MORE, WIDTH, CLIP),
    given=(LOW, HIGH),
    undone=(NEWS[0], Output("back", CUT_OFF, (i, 0, m - 1), (j, 0, p - 1))),
    statement=Eq(z[i, j], a + (b - a) * (new[i, j] - lowest) / width),
    conditions=(
        "the width is 1 where the training data are constant",
        "with clip=True the quotient is kept between 0 and 1, and what was outside comes back as an extreme",
    ),
    options={"keywords": {"low": "low", "high": "high", "clip": "clip"}},
)  # fmt: skip

CLAIMS = (minmax, attained, invariant, outlier, standard, extreme)
