"""Evaluation of batch normalization: an affine map by the running statistics (notes, section 1.2.7)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Rational, Symbol, sqrt, symbols

from gnomon.derivations.normalization.bn import (
    BATCH,
    BIAS,
    CHANNELS,
    EPS,
    FEATURES,
    LAYER,
    SECTION,
    WEIGHT,
    C,
    a,
    bias,
    c,
    eps,
    mean,
    root,
    stable_variants,
    transform_proof,
    var,
    weight,
    x,
    y,
)  # fmt: skip
from gnomon.derivations.normalization.bn_running import OUTSIDE, ROWS
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, nonnegative, real, symbols_of

DEFAULT = Rational(1, 100_000)
PLACES = Size("N", 1, 3)
AT = real("x", PLACES, CHANNELS)
RUNNING = (real("running_mean", CHANNELS), nonnegative("running_var", CHANNELS))
given_mean, given_var = symbols_of(RUNNING)
scale, shift = IndexedBase("scale", real=True), IndexedBase("shift", real=True)


def evaluation_proof() -> Derivation:
    at, slope, r0 = symbols("x gamma mu", real=True)
    added, v, e = Symbol("beta", real=True), Symbol("v", nonnegative=True), Symbol("epsilon", positive=True)
    mapped = slope * (at - r0) / sqrt(v + e) + added
    return Derivation(
        (
            Step("differentiate", mapped, slope / sqrt(v + e), why="in evaluation the layer is affine", by=(at,)),
            Step(
                "rewrite",
                mapped,
                slope / sqrt(v + e) * at + (added - slope * r0 / sqrt(v + e)),
                why="so it can be folded into the layer before it",
            ),
            Step("substitute", mapped, slope * at / sqrt(1 + e) + added, why="untrained", by=((r0, 0), (v, 1))),
        ),
        "every size",
        lift="coordinate",
    )


def affine(center: Any, variance: Any, small: Any) -> Program:
    """The affine map of evaluation, folded into one product and one sum, as libraries compute it."""
    return Program(
        (
            (root[c], sqrt(variance + small)),
            (scale[c], weight[c] / root[c]),
            (shift[c], bias[c] - center * scale[c]),
            (y[a, c], x[a, c] * scale[c] + shift[c]),
        ),
        (Output("y", y[a, c], ROWS, (c, 0, C - 1)),),
    )


evaluation = Claim(
    id="bn.running.evaluation",
    section=SECTION,
    title="In evaluation each channel is mapped affinely, each sample by itself",
    kind="equality",
    subject="normalization.batch_norm",
    driver="function",
    structure=(PLACES, CHANNELS),
    inputs=(AT, *RUNNING, WEIGHT, BIAS),
    program=affine(given_mean[c], given_var[c], DEFAULT),
    statement=Eq(y[a, c], weight[c] * (x[a, c] - given_mean[c]) / sqrt(given_var[c] + DEFAULT) + bias[c]),
    conditions=("epsilon is 1e-5, the default",),
    derivation=evaluation_proof,
    gradient=False,
    variants=(
        Variant("epsilon of Keras", "1e-3", ((root[c], sqrt(given_var[c] + 100 * DEFAULT)),)),
        Variant("no epsilon", "known bug", ((root[c], sqrt(given_var[c])),)),
        Variant("epsilon outside the root", "known bug", ((root[c], sqrt(given_var[c]) + DEFAULT),)),
        Variant("divided by the variance", "known bug: no root", ((root[c], given_var[c] + DEFAULT),)),
    ),
    remarks=f"{OUTSIDE} A single sample is enough. PyTorch folds the layer on a CPU and so loses digits of x - mean: "
    "where x = mean = 1000 and the variance is 0 it returns 0.002 in float32, not 0. The budget allows for that.",
)

untrained = Claim(
    id="bn.running.untrained",
    section=SECTION,
    title="Before training, evaluation divides by sqrt(1 + epsilon), with the gradient of that",
    kind="equality",
    subject="normalization.BatchNorm1d",
    driver="trained_module",
    structure=(PLACES, CHANNELS),
    inputs=(AT, WEIGHT, BIAS, EPS),
    program=affine(0, 1, eps),
    statement=Eq(y[a, c], weight[c] * x[a, c] / sqrt(1 + eps) + bias[c]),
    derivation=evaluation_proof,
    variants=(
        Variant("variance that starts at 0", "known bug", ((root[c], sqrt(eps)),)),
        Variant("no epsilon", "known bug", ((root[c], 1 + 0 * eps),)),
        Variant("epsilon outside the root", "known bug", ((root[c], 1 + eps),)),
    ),
    options={**LAYER, "call": ("x",), "mode": "eval"},
    remarks="The gradient has none of the paths through the statistics that it has in training.",
)

untracked = Claim(
    id="bn.running.untracked",
    section=SECTION,
    title="Without running statistics evaluation normalizes by the batch, too",
    kind="equality",
    subject="normalization.BatchNorm1d",
    driver="trained_module",
    structure=(BATCH, CHANNELS),
    inputs=(real("x", BATCH, CHANNELS), WEIGHT, BIAS, EPS),
    program=Program((*FEATURES.statistics(), *FEATURES.normalized(), FEATURES.scaled()), (FEATURES.outputs("y", y),)),
    statement=Eq(y[a, c], weight[c] * (x[a, c] - mean[c]) / sqrt(var[c] + eps) + bias[c]),
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    derivation=transform_proof,
    variants=(
        *stable_variants(FEATURES)[:3],
        Variant("nothing normalized", "known bug", ((root[c], sqrt(1 + eps)), (mean[c], 0 * x[0, c]))),
    ),
    options={
        **LAYER,
        "keywords": {"eps": "eps", "track_running_stats": False},
        "call": ("x",),
        "mode": "eval",
    },
)

CLAIMS = (evaluation, untrained, untracked)
