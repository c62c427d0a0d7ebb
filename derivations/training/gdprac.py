"""Mini-batches: the mean and the variance of their gradient, over all batches that there are (1.2.4)."""

import itertools
from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Min, Piecewise, Product, Sum, Symbol, symbols

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "1.2.4"
i, j, k, q, r = symbols("i j k q r", integer=True, nonnegative=True)
n, b, B = symbols("n b B", integer=True, positive=True)
batch = IndexedBase("batch", integer=True, nonnegative=True)
with_ = Symbol("with", integer=True)

# ------------------------------------------------------------------ every batch there is


def drawn(size: int, of: int, replacement: bool) -> dict[Any, Any]:
    """All batches of a size: sets without replacement, sequences with."""
    rows = itertools.product(range(of), repeat=size) if replacement else itertools.combinations(range(of), size)
    listed = tuple(rows)
    return {n: of, b: size, B: len(listed), batch: listed, with_: int(replacement)}


SCHEMES = {
    f"{size} of {of} {'with' if replacement else 'without'} replacement": drawn(size, of, replacement)
    for size, of, replacement in (
        (1, 1, False), (2, 3, False), (3, 3, False), (2, 4, False),
        (2, 3, True), (3, 2, True), (3, 3, True), (4, 2, True),
    )
}  # fmt: skip
DRAW = Choice("draw", SCHEMES)
WIDTH = Size("p", 1, 2)
DATA = (real("theta", WIDTH), real("x", n, WIDTH), real("y", n))
p, theta, x, y = symbols_of((WIDTH, *DATA))

residual, one, every = (IndexedBase(name, real=True) for name in ("residual", "one", "every"))
mean, first = IndexedBase("mean", real=True), IndexedBase("first", integer=True)

SAMPLE = (
    (residual[i], Sum(x[i, j] * theta[j], (j, 0, p - 1)) - y[i]),
    (one[i, q], residual[i] * x[i, q]),
)


def of_batch(factor: Any) -> tuple[Any, Any]:
    """The gradient on batch r."""
    return every[r, q], factor * Sum(one[batch[r, k], q], (k, 0, b - 1))


fresh = (first[r, k], Product(1 - KroneckerDelta(batch[r, k], batch[r, j]), (j, 0, k - 1)))  # not drawn before
MEAN = (mean[q], Sum(every[r, q], (r, 0, B - 1)) / B)
GRADIENT = (*SAMPLE, of_batch(2 / b), MEAN)
full = 2 * Sum(one[i, q], (i, 0, n - 1)) / n


def inclusion() -> tuple[Step, ...]:
    """How often a sample, and a pair of samples, is in the batch."""
    pi, both = symbols("pi_1 pi_2", positive=True)
    return (
        Step(
            "solve",
            Eq(Sum(pi, (i, 0, n - 1)).doit(), b),
            b / n,
            why="the batch holds b samples, and each is as likely to be in it: E[I_i] = b/n",
            by=(pi,),
        ),
        Step(
            "solve",
            Eq(b / n + (n - 1) * both, b * b / n),
            b * (b - 1) / (n * (n - 1)),
            why="sum over j of E[I_i I_j] is b E[I_i], and all pairs are as likely",
            by=(both,),
            assume=(n > 1,),
            wrong=(b**2 / n**2,),
        ),
    )


def unbiased_proof() -> Derivation:
    g = IndexedBase("g", real=True)
    return Derivation(
        (
            inclusion()[0],
            Step(
                "rewrite",
                Sum(b / n * g[i], (i, 0, n - 1)) / b,
                Sum(g[i], (i, 0, n - 1)) / n,
                why="E of (1/b) sum I_i g_i, for batches without replacement: the mean over all samples",
                wrong=(Sum(g[i], (i, 0, n - 1)) * b / n, Sum(g[i], (i, 0, n - 1)) / b),
            ),
            Step(
                "sum",
                Sum(Sum(g[i], (i, 0, n - 1)) / n, (k, 0, b - 1)) / b,
                Sum(g[i], (i, 0, n - 1)) / n,
                why="with replacement each of the b draws has that mean",
            ),
        ),
        "every n and b",
    )


unbiased = Claim(
    id="gdprac.unbiased",
    section=SECTION,
    title="Over all mini-batches of a size, the mean of their gradient is the gradient on all samples",
    kind="expectation",
    subject="training.minibatch_gradient",
    driver="every_batch",
    structure=(WIDTH, DRAW),
    inputs=DATA,
    program=Program(GRADIENT, (Output("mean", mean[q], (q, 0, p - 1)),)),
    definition=Program(SAMPLE, (Output("mean", full, (q, 0, p - 1)),)),
    statement=Eq(mean[q], full),
    conditions=("every batch is as likely as any other: sets of b samples, or b draws with replacement",),
    derivation=unbiased_proof,
    variants=(
        Variant("sum over the batch", 'torch, reduction="sum"', (of_batch(2),)),
        Variant("divided by n", "known bug: the number of all samples", (of_batch(2 / n),)),
        Variant("half the gradient", "half squared error", (of_batch(1 / b),)),
        Variant(
            "the first samples, whatever was drawn",
            "known bug",
            ((every[r, q], 2 * Sum(one[k, q], (k, 0, Min(b, n) - 1)) / Min(b, n)),),
        ),
        Variant(
            "every sample of the batch once",
            "known bug: an index assignment in place of index_add",
            (
                fresh,
                (every[r, q], 2 / b * Sum(one[batch[r, k], q] * first[r, k], (k, 0, b - 1))),
            ),
        ),
        Variant("the last of the batch alone", "known bug", ((every[r, q], 2 * one[batch[r, b - 1], q]),)),
    ),
    gradient=False,
    remarks="Nothing is sampled: the claim's batches are all there are. Autograd's second derivative of the loss is "
    "left to train.erm.gradient, since here it adds up one rounding for each batch. Passing through the data in a "
    "shuffled order gives each single step such a batch, but the steps of one epoch are not independent.",
)

# ------------------------------------------------------------------ the variance

GRADIENTS = (real("g", n, WIDTH),)
(g,) = symbols_of(GRADIENTS)
VARIED = Choice(
    "replacement",
    {
        f"{'yes' if replacement else 'no'}, {size} of {of}": drawn(size, of, replacement)
        for size, of, replacement in (
            (1, 1, False), (1, 2, False), (2, 2, False), (1, 3, False), (2, 3, False), (2, 4, False), (3, 4, False),
            (3, 2, True), (2, 3, True),
        )
    },
)  # fmt: skip
average, square, variance, off = (IndexedBase(name, real=True) for name in ("average", "square", "variance", "off"))
MOMENTS = (
    (average[q], Sum(g[i, q], (i, 0, n - 1)) / n),
    (square[q], Sum((g[i, q] - average[q]) ** 2, (i, 0, n - 1)) / n),
)


def corrected(factor: Any) -> tuple[Any, Any]:
    """The variance with a factor for draws without replacement."""
    return variance[q], square[q] / b * Piecewise((1, Eq(with_, 1)), (1, Eq(n, 1)), (factor, True))


ENUMERATED = (
    (every[r, q], Sum(g[batch[r, k], q], (k, 0, b - 1)) / b),
    (mean[q], Sum(every[r, q], (r, 0, B - 1)) / B),
    (off[r, q], every[r, q] - mean[q]),
    (variance[q], Sum(off[r, q] ** 2, (r, 0, B - 1)) / B),
)
SPREAD = (Output("variance", variance[q], (q, 0, p - 1)),)


def variance_proof() -> Derivation:
    d = IndexedBase("d", real=True)
    sigma = Symbol("sigma2", positive=True)
    delta = KroneckerDelta(i, j)
    apart = b * (b - 1) / (n * (n - 1))
    twice = Sum((delta * b / n + (1 - delta) * apart) * d[i] * d[j], (i, 0, n - 1), (j, 0, n - 1))
    once, crossed = Sum(d[i] ** 2, (i, 0, n - 1)), Sum(d[i], (i, 0, n - 1))
    size = Symbol("b", integer=True, positive=True)
    return Derivation(
        (
            *inclusion(),
            Step(
                "rewrite",
                Sum(d[i] - Sum(d[j], (j, 0, n - 1)) / n, (i, 0, n - 1)),
                0,
                why="deviations from the mean add up to 0",
            ),
            Step(
                "collapse",
                twice,
                (b / n - apart) * once + apart * crossed**2,
                why="the mean of (sum I_i d_i)^2, where d_i = g_i - mean, of which the last term is 0",
                assume=(n > 1,),
            ),
            Step(
                "rewrite",
                (size / n - size * (size - 1) / (n * (n - 1))) * n * sigma / size**2,
                sigma / size * (n - size) / (n - 1),
                why="divided by b^2, with sum d_i^2 = n sigma^2",
                wrong=(sigma / size, sigma / size * (1 - size / n)),
            ),
            Step(
                "collapse",
                Sum(KroneckerDelta(k, r) * sigma, (k, 0, b - 1), (r, 0, b - 1)) / b**2,
                Sum(sigma, (k, 0, b - 1)) / b**2,
                why="with replacement the draws are independent",
            ),
            Step("sum", Sum(sigma, (k, 0, b - 1)) / b**2, sigma / b, why="so that the variance is sigma^2 / b"),
        ),
        "every n and b",
    )


variances = Claim(
    id="gdprac.variance",
    section=SECTION,
    title="The variance of a mini-batch's mean is sigma^2/b, times (n - b)/(n - 1) without replacement",
    kind="expectation",
    subject="training.minibatch_variance",
    driver="batch_variance",
    structure=(WIDTH, VARIED),
    inputs=GRADIENTS,
    program=Program((*MOMENTS, corrected((n - b) / (n - 1))), SPREAD),
    definition=Program(ENUMERATED, SPREAD),
    statement=Eq(variance[q], square[q] / b * (n - b) / (n - 1)),
    conditions=("every batch is as likely as any other", "sigma^2 is the mean square deviation, divided by n"),
    derivation=variance_proof,
    variants=(
        Variant("the variance with replacement for both", "known mistake", (corrected(1),)),
        Variant("1 - b/n with sigma^2", "Cochran's formula, which is for n - 1", (corrected(1 - b / n),)),
        Variant(
            "deviation divided by n - 1",
            "torch.var",
            ((square[q], Sum((g[i, q] - average[q]) ** 2, (i, 0, n - 1)) / (n - 1)),),
        ),
        Variant("divided by b squared", "known bug", ((variance[q], square[q] / b**2),)),
        Variant("as large for every batch size", "known bug: b forgotten", ((variance[q], square[q]),)),
        Variant("second moment", "known bug: not centred", ((average[q], 0 * g[0, q]),)),
    ),
    remarks="A batch of all samples has no noise. Four times the batch halves the noise, at four times the cost.",
)  # fmt: skip

full_variance = 4 * square[q] / b * Piecewise((1, Eq(with_, 1)), (1, Eq(n, 1)), ((n - b) / (n - 1), True))
OVER_ALL = (
    (average[q], Sum(one[i, q], (i, 0, n - 1)) / n),
    (square[q], Sum((one[i, q] - average[q]) ** 2, (i, 0, n - 1)) / n),
)
seen_all = Claim(
    id="gdprac.variance.batches",
    section=SECTION,
    title="Over all mini-batches the gradient varies as the formula says: it is noise of size 1/sqrt(b)",
    kind="expectation",
    subject="training.minibatch_gradient",
    driver="every_batch",
    structure=(WIDTH, DRAW),
    inputs=DATA,
    program=Program(
        (*GRADIENT, (off[r, q], every[r, q] - mean[q]), (variance[q], Sum(off[r, q] ** 2, (r, 0, B - 1)) / B)), SPREAD
    ),
    definition=Program((*SAMPLE, *OVER_ALL), (Output("variance", full_variance, (q, 0, p - 1)),)),
    statement=Eq(variance[q], full_variance),
    conditions=("every batch is as likely as any other: sets of b samples, or b draws with replacement",),
    derivation=variance_proof,
    variants=(
        Variant("half the gradient", "half squared error", (of_batch(1 / b),)),
        Variant("sum over the batch", 'torch, reduction="sum"', (of_batch(2),)),
        Variant(
            "mean over the distinct samples of the batch",
            "known bug: unbiased, and so not seen in the mean; less noise than draws with replacement have",
            (
                fresh,
                (
                    every[r, q],
                    2 * Sum(one[batch[r, k], q] * first[r, k], (k, 0, b - 1)) / Sum(first[r, k], (k, 0, b - 1)),
                ),
            ),
        ),
        Variant("the first of the batch alone", "known bug", ((every[r, q], 2 * one[batch[r, 0], q]),)),
    ),
    gradient=False,
    remarks="The gradient by autograd is left to gdprac.variance.",
)  # fmt: skip

CLAIMS = (unbiased, variances, seen_all)
