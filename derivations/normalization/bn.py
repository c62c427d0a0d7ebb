"""Batch normalization (notes, section 1.2.7): the transform of features, sequences and images."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Sum, Symbol, false, sqrt, symbols

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Domain, Size, positive, real, symbols_of

SECTION = "1.2.7"
Let = tuple[Any, Any]
Limit = tuple[Any, Any, Any]

BATCH, CHANNELS = Size("N", 2, 4), Size("C", 1, 3)
EPS = positive("eps", high=1.0, host=True, typical=(1e-5, 1e-3))
WEIGHT, BIAS = real("weight", CHANNELS), real("bias", CHANNELS)
N, C = symbols_of((BATCH, CHANNELS))
eps, weight, bias = symbols_of((EPS, WEIGHT, BIAS))
x = IndexedBase("x", real=True)
mean, d, var, root, xhat, y = (IndexedBase(name, real=True) for name in ("mean", "d", "var", "root", "xhat", "y"))
a, c, h, w, l, i, j, k, q = symbols("a c h w l i j k q", integer=True, nonnegative=True)


# ------------------------------------------------------------------ the layer as a program


class Values:
    """Where the values of a channel stand: the index of one of them, and the ranges that the channel's run over."""

    def __init__(self, at: tuple[Any, ...], *over: Limit) -> None:
        self.at, self.over = at, over
        self.count: Any = 1
        for _, _, last in over:
            self.count *= last + 1

    def average(self, term: Any, count: Any = None) -> Any:
        """The mean over the values of a channel."""
        return Sum(term, *self.over) / (self.count if count is None else count)

    def statistics(self, entry: Any = None) -> tuple[Let, Let, Let]:
        """The mean, the deviations from it, and the mean of their squares."""
        entry = x[self.at] if entry is None else entry
        return (
            (mean[c], self.average(entry)),
            (d[self.at], entry - mean[c]),
            (var[c], self.average(d[self.at] ** 2)),
        )

    def normalized(self, variance: Any = var[c]) -> tuple[Let, Let]:
        """The deviations over the root of the variance."""
        return (root[c], sqrt(variance + eps)), (xhat[self.at], d[self.at] / root[c])

    def scaled(self, result: Any = None) -> Let:
        """Weight and bias, where the layer has them."""
        return y[self.at], weight[c] * xhat[self.at] + bias[c] if result is None else result

    def outputs(self, name: str, base: Any) -> Output:
        """A number for each value."""
        ranges = {index: (index, low, high) for index, low, high in (*self.over, (c, 0, C - 1))}
        return Output(name, base[self.at], *(ranges[index] for index in self.at))


FEATURES = Values((a, c), (a, 0, N - 1))

# ------------------------------------------------------------------ proofs

m = Symbol("m", integer=True, positive=True)
v = Symbol("v", nonnegative=True)
e = Symbol("epsilon", positive=True)
gamma, beta = symbols("gamma beta", real=True)
X, G = IndexedBase("x", real=True), IndexedBase("g", real=True)


def total(term: Any, index: Any = i) -> Any:
    """The sum over a channel's m values."""
    return Sum(term, (index, 0, m - 1))


def mu(index: Any = j) -> Any:
    """The mean of a channel."""
    return total(X[index], index) / m


def centered_sum() -> Step:
    return Step(
        "rewrite",
        total(gamma * (X[i] - mu()) / sqrt(v + e) + beta) / m,
        beta,
        why="the deviations from the mean cancel, so that the outputs have the mean beta",
        wrong=(gamma + beta,),
    )


def spread() -> Step:
    at = Symbol("mu", real=True)
    return Step(
        "rewrite",
        total((gamma * (X[i] - at) / sqrt(v + e)) ** 2) / m,
        gamma**2 * (total((X[i] - at) ** 2) / m) / (v + e),
        why="and the variance gamma² v / (v + epsilon), a little less than gamma²",
    )


def transform_proof() -> Derivation:
    s = Symbol("s", positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                total((X[i] - mu()) ** 2) / m,
                total(X[i] ** 2) / m - mu() ** 2,
                why="the variance is the mean square less the square of the mean",
                wrong=((total(X[i] ** 2) - m * mu() ** 2) / (m - 1),),
            ),
            Step(
                "rewrite",
                Sum((X[i] - X[j]) ** 2, (i, 0, m - 1), (j, 0, m - 1)) / (2 * m**2),
                total((X[i] - mu(k)) ** 2) / m,
                why="and half the mean square of all differences: only differences matter",
            ),
            centered_sum(),
            spread(),
            Step(
                "reindex",
                total(X[i] ** 2),
                total(X[m - 1 - i] ** 2),
                why="the order of the samples does not matter to the statistics",
                by=((i, m - 1 - i),),
            ),
            Step(
                "substitute",
                X[0] - mu(),
                0,
                why="a batch of one value is mapped to beta, whatever the value is",
                by=((m, 1),),
            ),
            Step(
                "refute",
                Eq(s / sqrt(2 * s**2 / (m - 1)), s / sqrt(2 * s**2 / m)),
                false,
                why="two values at a distance s from their mean go to 1 and -1; with the unbiased variance to 0.707",
                by=({s: 1, m: 2},),
            ),
        ),
        "every number of values per channel",
    )


# ------------------------------------------------------------------ features

UNBIASED = "torch.var's default: divided by m - 1"


def stable_variants(values: Values) -> tuple[Variant, ...]:
    """Other ways to divide, for any shape."""
    at = values.at
    return (
        Variant("unbiased variance", UNBIASED, ((var[c], values.average(d[at] ** 2, values.count - 1)),)),
        Variant("epsilon outside the root", "known bug", ((root[c], sqrt(var[c]) + eps),)),
        Variant("no epsilon", "known bug", ((root[c], sqrt(var[c])),)),
        Variant("divided by the variance", "known bug: no root", ((root[c], var[c] + eps),)),
        Variant("square in the place of the root", "known bug: ** 2, not ** 0.5", ((root[c], (var[c] + eps) ** 2),)),
        Variant("mean not taken off", "RMS normalization", ((d[at], x[at]),)),
    )


AFFINE = Symbol("affine", integer=True)
WITH_AFFINE = Choice("affine", {"yes": {AFFINE: 1}, "no": {AFFINE: 0}})
PERHAPS_SCALED = FEATURES.scaled(Piecewise((weight[c] * xhat[a, c] + bias[c], Eq(AFFINE, 1)), (xhat[a, c], True)))


LAYER: dict[str, Any] = {
    "args": ("C",),
    "keywords": {"eps": "eps"},
    "parameters": {"weight": "weight", "bias": "bias"},
}


def of_layer(row: str, title: str, values: Values, structure: Any, inputs: tuple[Domain, ...], **more: Any) -> Claim:
    """A claim on the layer in training."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "equality",
        "subject": "normalization.BatchNorm1d",
        "driver": "trained_module",
        "structure": structure,
        "program": Program((*values.statistics(), *values.normalized(), values.scaled()), (values.outputs("y", y),)),
        "statement": Eq(y[values.at], weight[c] * (x[values.at] - mean[c]) / sqrt(var[c] + eps) + bias[c]),
        "derivation": transform_proof,
        "options": {**LAYER, "call": ("x",)},
    }
    return Claim(id=row, title=title, inputs=inputs, **(fixed | more))


transform = of_layer(
    "bn.transform",
    "Each channel is shifted and scaled by the mean and the biased variance of the batch",
    FEATURES,
    (BATCH, CHANNELS, WITH_AFFINE),
    (real("x", BATCH, CHANNELS), WEIGHT, BIAS, EPS),
    program=Program((*FEATURES.statistics(), *FEATURES.normalized(), PERHAPS_SCALED), (FEATURES.outputs("y", y),)),
    definition=Program(
        (
            (root[c], sqrt(Sum((x[i, c] - x[j, c]) ** 2, (i, 0, N - 1), (j, 0, N - 1)) / (2 * N**2) + eps)),
            (xhat[a, c], Sum(x[a, c] - x[j, c], (j, 0, N - 1)) / N / root[c]),
            PERHAPS_SCALED,
        ),
        (FEATURES.outputs("y", y),),
    ),
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    variants=(
        *stable_variants(FEATURES),
        Variant(
            "statistics of each sample",
            "layer normalization",
            (
                (mean[a], Sum(x[a, c], (c, 0, C - 1)) / C),
                (d[a, c], x[a, c] - mean[a]),
                (var[a], Sum(d[a, c] ** 2, (c, 0, C - 1)) / C),
                (root[a], sqrt(var[a] + eps)),
                (xhat[a, c], d[a, c] / root[a]),
            ),
        ),
        Variant("bias added before the weight", "known bug", (FEATURES.scaled(weight[c] * (xhat[a, c] + bias[c])),)),
    ),
    options={**LAYER, "keywords": {"eps": "eps", "affine": "affine"}, "call": ("x",)},
    remarks="The notes give the inputs and the outputs; the box with the algorithm is a figure. Epsilon is inside the "
    "root in all libraries; its default is 1e-5 in PyTorch and 1e-3 in Keras. What a sample is mapped to depends on "
    "the other samples of the batch.",
)

# ------------------------------------------------------------------ sequences and images

LENGTH, FEW = Size("L", 1, 3), Size("C", 1, 2)
HEIGHT, WIDTH, SMALL = Size("H", 1, 2), Size("W", 1, 2), Size("N", 2, 3)
L, H, W = symbols_of((LENGTH, HEIGHT, WIDTH))
SEQUENCE = Values((a, c, l), (a, 0, N - 1), (l, 0, L - 1))
IMAGE = Values((a, c, h, w), (a, 0, N - 1), (h, 0, H - 1), (w, 0, W - 1))


def from_squares(values: Values, scaled: Any = None) -> Program:
    """The same with the variance as the mean square less the squared mean."""
    at = values.at
    last = (y[at], weight[c] * (x[at] - mean[c]) / sqrt(var[c] + eps) + bias[c])
    return Program(
        (
            (mean[c], values.average(x[at])),
            (var[c], values.average(x[at] ** 2) - mean[c] ** 2),
            *((last,) if scaled is None else ((xhat[at], (x[at] - mean[c]) / sqrt(var[c] + eps)), scaled)),
        ),
        (values.outputs("y", y),),
    )


def apart(name: str, source: str, values: Values, kept: tuple[Any, ...], *over: Limit) -> Variant:
    """Statistics over other values: one for each ``kept`` index, over the ranges ``over``."""
    count: Any = 1
    for _, _, last in over:
        count *= last + 1
    at = values.at
    return Variant(
        name,
        source,
        (
            (mean[kept], Sum(x[at], *over) / count),
            (d[at], x[at] - mean[kept]),
            (var[kept], Sum(d[at] ** 2, *over) / count),
            (root[kept], sqrt(var[kept] + eps)),
            (xhat[at], d[at] / root[kept]),
        ),
    )


ROWS: Limit = (a, 0, N - 1)
COLUMNS: Limit = (c, 0, C - 1)
DOWN, ACROSS = (h, 0, H - 1), (w, 0, W - 1)
PLACES: Limit = (l, 0, L - 1)

sequences = of_layer(
    "bn.transform.sequences",
    "The statistics of a sequence's channel are over all samples and all times",
    SEQUENCE,
    (SMALL, FEW, LENGTH),
    (real("x", SMALL, FEW, LENGTH), WEIGHT, BIAS, EPS),
    definition=from_squares(SEQUENCE),
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    variants=(
        stable_variants(SEQUENCE)[0],
        apart("each sequence by itself", "instance normalization", SEQUENCE, (a, c), PLACES),
        apart("each time by itself", "known bug: the mean over axis 0", SEQUENCE, (c, l), ROWS),
        apart(
            "channels and times exchanged", "known bug: (N, L, C) taken for (N, C, L)", SEQUENCE, (l,), ROWS, COLUMNS
        ),
        Variant("divided by the number of samples", "known bug", ((var[c], SEQUENCE.average(d[a, c, l] ** 2, N)),)),
    ),
)

PIXEL = xhat[a, c, h, w]
PERHAPS_SCALED_IMAGE = IMAGE.scaled(Piecewise((weight[c] * PIXEL + bias[c], Eq(AFFINE, 1)), (PIXEL, True)))

images = of_layer(
    "bn.transform.images",
    "The statistics of an image's channel are over all samples and all pixels",
    IMAGE,
    (SMALL, FEW, HEIGHT, WIDTH, WITH_AFFINE),
    (real("x", SMALL, FEW, HEIGHT, WIDTH), WEIGHT, BIAS, EPS),
    subject="normalization.BatchNorm2d",
    program=Program((*IMAGE.statistics(), *IMAGE.normalized(), PERHAPS_SCALED_IMAGE), (IMAGE.outputs("y", y),)),
    definition=from_squares(IMAGE, PERHAPS_SCALED_IMAGE),
    options={**LAYER, "keywords": {"eps": "eps", "affine": "affine"}, "call": ("x",)},
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    variants=(
        *stable_variants(IMAGE)[:2],
        apart("each image by itself", "instance normalization", IMAGE, (a, c), DOWN, ACROSS),
        apart("each pixel by itself", "known bug: the mean over axis 0", IMAGE, (c, h, w), ROWS),
        apart("each row by itself", "known bug: the mean over axes 0 and 3", IMAGE, (c, h), ROWS, ACROSS),
        apart("each sample by itself", "layer normalization", IMAGE, (a,), COLUMNS, DOWN, ACROSS),
        Variant(
            "divided by the number of samples",
            "known bug",
            ((var[c], IMAGE.average(d[a, c, h, w] ** 2, N)),),
        ),
    ),
    remarks="So a convolution's bias, weight and statistics belong to a channel, and all pixels are treated alike: the "
    "layer stays equivariant to translations.",
)

CLAIMS = (transform, sequences, images)
