"""What batch normalization makes of a distribution: two moments are set, the others follow (notes, section 1.2.7)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Rational, Symbol, false, sqrt

from gnomon.derivations.normalization.bn import (
    BATCH,
    BIAS,
    CHANNELS,
    EPS,
    FEATURES,
    LAYER,
    SECTION,
    UNBIASED,
    WEIGHT,
    C,
    N,
    X,
    a,
    bias,
    c,
    centered_sum,
    d,
    e,
    eps,
    gamma,
    i,
    m,
    mu,
    spread,
    total,
    v,
    var,
    weight,
    y,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import real

first, away, second, third, fourth = (
    IndexedBase(name, real=True) for name in ("mean_y", "away", "second", "third", "fourth")
)
MOMENTS = (
    *FEATURES.statistics(),
    *FEATURES.normalized(),
    FEATURES.scaled(),
    (first[c], FEATURES.average(y[a, c])),
    (away[a, c], y[a, c] - first[c]),
    (second[c], FEATURES.average(away[a, c] ** 2)),
    (third[c], FEATURES.average(away[a, c] ** 3)),
    (fourth[c], FEATURES.average(away[a, c] ** 4)),
)


def four(*moments: Any) -> tuple[Output, ...]:
    """The first moment, and three about it."""
    names = ("mean", "second", "third", "fourth")
    return tuple(Output(name, moment, (c, 0, C - 1)) for name, moment in zip(names, moments, strict=True))


def about_mean(power: int) -> Any:
    """A moment of the inputs about their mean."""
    return FEATURES.average(d[a, c] ** power)


def similar_proof() -> Derivation:
    at = Symbol("mu", real=True)
    scale = Symbol("scale", positive=True)
    skewed = total((X[i] - mu()) ** 3)
    return Derivation(
        (
            centered_sum(),
            spread(),
            Step(
                "rewrite",
                total((gamma * (X[i] - at) / sqrt(v + e)) ** 3) / m,
                gamma**3 * (total((X[i] - at) ** 3) / m) / (v + e) ** Rational(3, 2),
                why="a third moment is scaled by the third power of what scales the deviations",
                wrong=(0,),
            ),
            Step(
                "rewrite",
                total((scale * (X[i] - at)) ** 3) / sqrt(total((scale * (X[i] - at)) ** 2)) ** 3,
                total((X[i] - at) ** 3) / sqrt(total((X[i] - at) ** 2)) ** 3,
                why="so the skewness is the same before and after, for a weight above 0",
            ),
            Step(
                "refute",
                Eq(skewed, 0),
                false,
                why="0, 0, 0, 4 has the skewness 2/sqrt(3), which a normal distribution does not have",
                by=({m: 4, X[0]: 0, X[1]: 0, X[2]: 0, X[3]: 4},),
            ),
        ),
        "every number of values per channel",
    )


similar = Claim(
    id="bn.similar",
    section=SECTION,
    title="Mean and variance are made alike; skewness, and all else of the distribution's shape, stays",
    kind="equality",
    subject="normalization.BatchNorm1d",
    driver="output_moments",
    structure=(BATCH, CHANNELS),
    inputs=(real("x", BATCH, CHANNELS), WEIGHT, BIAS, EPS),
    program=Program(MOMENTS, four(first[c], second[c], third[c], fourth[c])),
    definition=Program(
        (*FEATURES.statistics(), *FEATURES.normalized()),
        four(
            bias[c],
            weight[c] ** 2 * var[c] / (var[c] + eps),
            weight[c] ** 3 * about_mean(3) / (var[c] + eps) ** Rational(3, 2),
            weight[c] ** 4 * about_mean(4) / (var[c] + eps) ** 2,
        ),
    ),
    statement=(
        Eq(first[c], bias[c]),
        Eq(second[c], weight[c] ** 2 * var[c] / (var[c] + eps)),
        Eq(third[c], weight[c] ** 3 * about_mean(3) / (var[c] + eps) ** Rational(3, 2)),
    ),
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    derivation=similar_proof,
    options=LAYER,
    variants=(
        Variant(
            "all distributions alike, without skewness",
            "notes: normalization makes different distributions similar",
            ((third[c], 0 * away[0, c]),),
            printed=True,
            why="0, 0, 0, 4 has the skewness 2/sqrt(3) before and after",
        ),
        Variant(
            "all distributions alike, with the tails of a normal one",
            "notes, likewise",
            ((fourth[c], 3 * second[c] ** 2),),
            printed=True,
            why="two values at the same distance from their mean have the fourth moment 1, not 3",
        ),
        Variant("variance exactly that of the weight", "the case epsilon = 0", ((second[c], weight[c] ** 2),)),
        Variant("unbiased variance", UNBIASED, ((var[c], FEATURES.average(d[a, c] ** 2, N - 1)),)),
    ),
    remarks="Two channels of different shape stay different. The values of one batch have the mean beta and nearly the "
    "variance gamma², not the distribution that they come from.",
)

CLAIMS = (similar,)
