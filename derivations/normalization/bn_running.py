"""Running statistics of batch normalization: how they are averaged, and what evaluation does with them (1.2.7)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Function, IndexedBase, KroneckerDelta, Piecewise, Rational, Sum, Symbol, false, sqrt, symbols

from gnomon.derivations.normalization.bn import (
    BIAS,
    EPS,
    FEW,
    HEIGHT,
    SECTION,
    SMALL,
    WEIGHT,
    WIDTH,
    C,
    H,
    N,
    W,
    a,
    bias,
    c,
    eps,
    h,
    i,
    j,
    k,
    m,
    mean,
    root,
    total,
    transform_proof,
    var,
    w,
    weight,
    x,
    y,
)  # fmt: skip
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Form, Output, Program, Variant
from gnomon.say.domain import Choice, Size, nonnegative, real, symbols_of, unit

BATCHES, MOMENTUM = Size("T", 1, 3), unit("momentum", host=True, typical=(0.1, 0.01))
T, alpha = symbols_of((BATCHES, MOMENTUM))
SEEN, LATER = real("x", BATCHES, SMALL, FEW), real("z", SMALL, FEW)
START = (real("mean0", FEW), nonnegative("var0", FEW))
z, mean0, var0 = symbols_of((LATER, *START))
t = Symbol("t", integer=True, nonnegative=True)
batch, away, spread, running_mean, running_var = (
    IndexedBase(name, real=True) for name in ("batch", "away", "spread", "running_mean", "running_var")
)

# ------------------------------------------------------------------ the averages over several batches

ROWS = (a, 0, N - 1)
STATISTICS = (
    (batch[t, c], Sum(x[t - 1, a, c], ROWS) / N),
    (away[t, a, c], x[t - 1, a, c] - batch[t, c]),
    (spread[t, c], Sum(away[t, a, c] ** 2, ROWS) / (N - 1)),
)


def averaged(share: Any, mixed: Any = None) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Both running statistics, in which batch t is given this share."""
    mixed = mixed or _weighted
    return (
        (running_mean[t, c], Piecewise((mean0[c], Eq(t, 0)), (mixed(running_mean, batch, share), True))),
        (running_var[t, c], Piecewise((var0[c], Eq(t, 0)), (mixed(running_var, spread, share), True))),
    )


def _weighted(running: Any, now: Any, share: Any) -> Any:
    return (1 - share) * running[t - 1, c] + share * now[t, c]


def _moved(running: Any, now: Any, share: Any) -> Any:
    return running[t - 1, c] + share * (now[t, c] - running[t - 1, c])


def by_difference(share: Any) -> tuple[Form, ...]:
    """The averages as old + share (new - old), which loses digits where the share is nearly 1."""
    return (Form("old + share (new - old)", averaged(share, _moved)),)


def evaluated(center: Any, variance: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """What evaluation makes of z."""
    return (root[c], sqrt(variance + eps)), (y[a, c], weight[c] * ((z[a, c] - center) / root[c]) + bias[c])


BY_RUNNING = evaluated(running_mean[T, c], running_var[T, c])
SHOWN = (
    Output("running_mean", running_mean[T, c], (c, 0, C - 1)),
    Output("running_var", running_var[T, c], (c, 0, C - 1)),
    Output("y", y[a, c], ROWS, (c, 0, C - 1)),
)


def closed(share: Any, first: Any) -> Program:
    """The running statistics as weighted means, with the biased variance corrected; ``first`` weighs the start."""
    corrected = (Sum(x[t - 1, a, c] ** 2, ROWS) - N * batch[t, c] ** 2) / (N - 1)
    return Program(
        (
            STATISTICS[0],
            (running_mean[i, c], first * mean0[c] + Sum(share * batch[t, c], (t, 1, i))),
            (running_var[i, c], first * var0[c] + Sum(share * corrected, (t, 1, i))),
            *BY_RUNNING,
        ),
        SHOWN,
    )


def running_proof() -> Derivation:
    r, s = IndexedBase("r", real=True), IndexedBase("s", real=True)
    now = Symbol("t", integer=True, nonnegative=True)
    start, share = Symbol("r0", real=True), Symbol("alpha", positive=True)
    return Derivation(
        (
            Step(
                "induction",
                Eq(r[now], (1 - share) * r[now - 1] + share * s[now]),
                (1 - share) ** now * start + share * Sum((1 - share) ** (now - k) * s[k], (k, 1, now)),
                why="the statistics of the batches, weighted by how long ago they were seen",
                by=(now, 0, start),
                wrong=((1 - share) ** now * start + share * Sum((1 - share) ** k * s[k], (k, 1, now)),),
                assume=(share < 1,),
            ),
            Step(
                "sum",
                share * Sum((1 - share) ** k, (k, 0, now - 1)),
                1 - (1 - share) ** now,
                why="the batches have this weight in all, and the start has the rest",
                assume=(share < 1,),
            ),
            Step(
                "refute",
                Eq((1 - share) * start + share * s[1], share * start + (1 - share) * s[1]),
                false,
                why="momentum 0.1 weighs the new value here; where it weighs the old one it has to be 0.9",
                by=({share: Rational(1, 10), start: 0, s[1]: 1},),
            ),
            bias_step(),
        ),
        "every number of batches and values",
    )


def bias_step() -> Step:
    first, second = symbols("M sigma2", positive=True)
    product = first**2 + second * KroneckerDelta(i, j)
    return Step(
        "collapse",
        total(first**2 + second) / m - Sum(product, (i, 0, m - 1), (j, 0, m - 1)) / m**2,
        (m - 1) / m * second,
        why="of independent values with mean M and variance sigma2, E[x_i x_j] = M² + sigma2 delta_ij; so the mean of "
        "the biased variance is too small by (m - 1)/m",
        wrong=(second,),
    )


OPTIONS: dict[str, Any] = {
    "args": ("C",),
    "keywords": {"eps": "eps", "momentum": "momentum"},
    "parameters": {"weight": "weight", "bias": "bias", "running_mean": "mean0", "running_var": "var0"},
    "batches": "x",
    "call": ("z",),
    "mode": "eval",
}
STATEMENT = (
    Eq(running_mean[t, c], (1 - alpha) * running_mean[t - 1, c] + alpha * mean[c]),
    Eq(running_var[t, c], (1 - alpha) * running_var[t - 1, c] + alpha * N / (N - 1) * var[c]),
    Eq(y[a, c], weight[c] * (z[a, c] - running_mean[T, c]) / sqrt(running_var[T, c] + eps) + bias[c]),
)
OUTSIDE = "Running statistics are updated outside autograd, so gradients through them are not looked at."

biased = Variant(
    "biased variance",
    "TensorFlow and Keras, unfused; known bug",
    ((spread[t, c], Sum(away[t, a, c] ** 2, ROWS) / N),),
)
by_batch = Variant(
    "evaluation by the statistics of its batch",
    "known bug: eval() forgotten",
    evaluated(
        Sum(z[i, c], (i, 0, N - 1)) / N, Sum((z[i, c] - z[j, c]) ** 2, (i, 0, N - 1), (j, 0, N - 1)) / (2 * N**2)
    ),
)

running = Claim(
    id="bn.running",
    section=SECTION,
    title="Momentum is the weight of the new statistics, the variance is unbiased, and evaluation uses both averages",
    kind="equality",
    subject="normalization.BatchNorm1d",
    driver="trained_module",
    structure=(BATCHES, SMALL, FEW),
    inputs=(SEEN, LATER, *START, WEIGHT, BIAS, EPS, MOMENTUM),
    program=Program((*STATISTICS, *averaged(alpha), *BY_RUNNING), SHOWN),
    definition=closed(alpha * (1 - alpha) ** (i - t), (1 - alpha) ** i),
    statement=STATEMENT,
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    derivation=running_proof,
    gradient=False,
    forms=by_difference(alpha),
    variants=(
        Variant("momentum weighs the old value", "TensorFlow and Keras", averaged(1 - alpha)),
        biased,
        by_batch,
        Variant(
            "deviations from the running mean",
            "known bug",
            ((away[t, a, c], x[t - 1, a, c] - running_mean[t - 1, c]),),
        ),
        Variant(
            "start divided out",
            "TensorFlow's zero_debias, as in Adam",
            evaluated(running_mean[T, c] / (1 - (1 - alpha) ** T), running_var[T, c] / (1 - (1 - alpha) ** T)),
        ),
        Variant("epsilon outside the root", "known bug", ((root[c], sqrt(running_var[T, c]) + eps),)),
        Variant("averages of the roots", "known bug: standard deviations", ((spread[t, c], sqrt(STATISTICS[2][1])),)),
    ),
    options=OPTIONS,
    remarks=f"{OUTSIDE} The batch itself is normalized with the biased variance. PyTorch's momentum of 0.1 is Keras's "
    "of 0.9.",
)

# ------------------------------------------------------------------ the plain average


def cumulative_proof() -> Derivation:
    r, s = Function("r"), Function("s")
    now = Symbol("t", integer=True, positive=True)
    return Derivation(
        (
            Step(
                "induction",
                Eq(r(now), (1 - 1 / now) * r(now - 1) + s(now) / now),
                Sum(s(k), (k, 1, now)) / now,
                why="with the share 1/t all batches weigh the same; the start is forgotten at the first",
                by=(now, 1, s(1)),
            ),
            bias_step(),
        ),
        "every number of batches and values",
    )


counted = Output("num_batches_tracked", Sum(1, (t, 1, T)))
cumulative = Claim(
    id="bn.running.cumulative",
    section=SECTION,
    title="Without a momentum the running statistics are plain averages over all batches",
    kind="equality",
    subject="normalization.BatchNorm1d",
    driver="trained_module",
    structure=(BATCHES, SMALL, FEW),
    inputs=(SEEN, LATER, *START, WEIGHT, BIAS, EPS),
    program=Program((*STATISTICS, *averaged(1 / t), *BY_RUNNING), (*SHOWN, counted)),
    definition=Program(closed(1 / i, 0).lets, (*SHOWN, counted)),
    statement=(
        Eq(running_mean[T, c], Sum(batch[t, c], (t, 1, T)) / T),
        Eq(running_var[T, c], Sum(spread[t, c], (t, 1, T)) / T),
    ),
    conditions=("at least one batch, of at least two values per channel", "epsilon is greater than 0"),
    derivation=cumulative_proof,
    gradient=False,
    forms=by_difference(1 / t),
    variants=(
        biased,
        by_batch,
        Variant("the start counts as a batch", "known bug: batches counted from 1", averaged(1 / (t + 1))),
        Variant("the last batch alone", "known bug: None taken for 1", averaged(1)),
        Variant("the default momentum", "known bug: None taken for 0.1", averaged(Rational(1, 10))),
    ),
    options={**OPTIONS, "keywords": {"eps": "eps", "momentum": None}},
    remarks=f"{OUTSIDE} With batches of different sizes this is not the average over all samples. The average variance "
    "is never that of all samples, which also has the spread between the means.",
)

# ------------------------------------------------------------------ images

PAIR, TWO = Size("N", 2, 2), Size("T", 1, 2)
VALUES = N * H * W
PIXELS = (ROWS, (h, 0, H - 1), (w, 0, W - 1))
OF_IMAGES = (
    (batch[t, c], Sum(x[t - 1, a, c, h, w], *PIXELS) / VALUES),
    (away[t, a, c, h, w], x[t - 1, a, c, h, w] - batch[t, c]),
    (spread[t, c], Sum(away[t, a, c, h, w] ** 2, *PIXELS) / (VALUES - 1)),
)


def of_images(count: Any) -> tuple[Any, Any]:
    """The variance of a batch, divided by this count."""
    return spread[t, c], Sum(away[t, a, c, h, w] ** 2, *PIXELS) / count


images = Claim(
    id="bn.running.images",
    section=SECTION,
    title="For images the running variance is divided by one less than all values of a channel, pixels included",
    kind="equality",
    subject="normalization.BatchNorm2d",
    driver="trained_module",
    structure=(TWO, PAIR, FEW, HEIGHT, WIDTH),
    inputs=(
        real("x", TWO, PAIR, FEW, HEIGHT, WIDTH),
        real("z", PAIR, FEW, HEIGHT, WIDTH),
        *START,
        WEIGHT,
        BIAS,
        EPS,
        MOMENTUM,
    ),
    program=Program(
        (
            *OF_IMAGES,
            *averaged(alpha),
            (root[c], sqrt(running_var[T, c] + eps)),
            (y[a, c, h, w], weight[c] * ((z[a, c, h, w] - running_mean[T, c]) / root[c]) + bias[c]),
        ),
        (*SHOWN[:2], Output("y", y[a, c, h, w], ROWS, (c, 0, C - 1), *PIXELS[1:])),
    ),
    statement=STATEMENT[:2],
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    derivation=running_proof,
    gradient=False,
    forms=by_difference(alpha),
    variants=(
        Variant("momentum weighs the old value", "TensorFlow and Keras", averaged(1 - alpha)),
        Variant("biased variance", "TensorFlow and Keras, unfused; known bug", (of_images(VALUES),)),
        Variant("one less than the samples", "known bug", (of_images(N - 1),)),
        Variant("corrected by the samples alone", "known bug: N / (N - 1)", (of_images(VALUES * (N - 1) / N),)),
        Variant("averages of the roots", "known bug: standard deviations", ((spread[t, c], sqrt(OF_IMAGES[2][1])),)),
    ),
    options=OPTIONS,
    remarks=OUTSIDE,
)

# ------------------------------------------------------------------ the mean over all samples

MOST = 3
SIGNS = tuple(tuple(1 - 2 * (number >> place & 1) for place in range(MOST)) for number in range(2**MOST))
sign, value, center = IndexedBase("sign"), IndexedBase("value", real=True), IndexedBase("center", real=True)
FEWER, ALL = Size("N", 2, MOST), Choice("samples", {"all": {sign: SIGNS}})
LAW = (real("mu"), nonnegative("sigma"))
middle, sigma = symbols_of(LAW)
p = Symbol("p", integer=True, nonnegative=True)
result = Symbol("mean_running_var", real=True)

unbiased = Claim(
    id="bn.running.bias",
    section=SECTION,
    title="The running variance is unbiased: over all samples its mean is the variance that they are drawn with",
    kind="expectation",
    subject="normalization.BatchNorm1d",
    driver="mean_running_variance",
    structure=(FEWER, ALL),
    inputs=LAW,
    program=Program(
        (
            (value[p, i], middle + sigma * sign[p, i]),
            (center[p], Sum(value[p, i], (i, 0, N - 1)) / N),
            (spread[p], Sum((value[p, i] - center[p]) ** 2, (i, 0, N - 1)) / (N - 1)),
            (result, Sum(spread[p], (p, 0, 2**N - 1)) / 2**N),
        ),
        (Output("mean_running_var", result),),
    ),
    definition=Program((), (Output("mean_running_var", sigma**2),)),
    statement=Eq(Function("E")(Symbol("running_var")), sigma**2),
    conditions=("all values are mu + sigma or mu - sigma, both as likely, and independent", "momentum 1"),
    derivation=lambda: Derivation((bias_step(), transform_proof().steps[0]), "every number of values"),
    variants=(
        Variant(
            "biased",
            "the variance that normalizes",
            ((spread[p], Sum((value[p, i] - center[p]) ** 2, (i, 0, N - 1)) / N),),
        ),
        Variant(
            "about the true mean",
            "known bug: divided by m - 1 where the mean is known",
            ((center[p], middle),),
        ),
        Variant(
            "divided by m + 1",
            "least mean squared error, for normal values",
            ((spread[p], Sum((value[p, i] - center[p]) ** 2, (i, 0, N - 1)) / (N + 1)),),
        ),
    ),
    remarks="Nothing is sampled: the 2^N samples are the channels of one batch.",
)

CLAIMS = (running, cumulative, images, unbiased)
