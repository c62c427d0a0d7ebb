"""An epoch in mini-batches: what it costs, and what its batches average to (1.2.4)."""

from typing import Any

from sympy import Eq, IndexedBase, Min, Piecewise, Sum, Symbol, floor, symbols

from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

SECTION = "1.2.4"
WIDTH = Size("p", 1, 2)
i, j, k, q = symbols("i j k q", integer=True, nonnegative=True)

# ------------------------------------------------------------------ what an epoch costs

N, SIZE = Size("n", 3, 7), Size("b", 2, 4)
n, b, p = symbols_of((N, SIZE, WIDTH))
amount = floor((n + b - 1) / b)


def length(place: Any) -> Any:
    """How many samples are in batch number ``place``."""
    return Min(b, n - place * b)


sized, seen = IndexedBase("sized"), IndexedBase("found")
EPOCH = ((sized[k], length(k)), (seen[i], Sum(Piecewise((1, Eq(floor(i / b), k)), (0, True)), (k, 0, amount - 1))))


def epoch_proof() -> Derivation:
    full, left, size = symbols("m r b", integer=True, nonnegative=True)
    cost = Symbol("cost", positive=True)
    return Derivation(
        (
            define(n, full * size + left, "m full batches, and r samples that are left"),
            Step(
                "sum",
                Sum(size * cost, (k, 1, full)) + left * cost,
                (full * size + left) * cost,
                why="every sample is in one batch, so an epoch costs n gradients, for every batch size",
                wrong=((full + 1) * size * cost, full * size * cost),
            ),
            Step(
                "rewrite",
                (full * size + left) * cost - size * cost,
                ((full - 1) * size + left) * cost,
                why="a step costs b of them, which is less than n as soon as there are two batches",
            ),
        )
    )


computation = Claim(
    id="gdprac.computation",
    section=SECTION,
    title="A step on a mini-batch costs b gradients in place of n, an epoch costs n either way",
    kind="equality",
    subject="training.MiniBatches",
    driver="batches",
    structure=(N, SIZE),
    inputs=(),
    program=Program(EPOCH, (Output("size", sized[k], (k, 0, amount - 1)), Output("seen", seen[i], (i, 0, n - 1)))),
    statement=Eq(Sum(length(k), (k, 0, amount - 1)), n),
    conditions=("the last batch is kept",),
    derivation=epoch_proof,
    variants=(
        Variant(
            "the last batch filled up from the start",
            "known bug, and the padding of distributed samplers",
            ((sized[k], b), (seen[i], 1 + Piecewise((1, i < amount * b - n), (0, True)))),
        ),
        Variant(
            "batches that overlap by one",
            "known bug",
            ((seen[i], 1 + Piecewise((1, Eq(b * floor(i / b), i) & (i > 0)), (0, True))),),
        ),
        Variant("the rest in a batch of its own, one less", "known bug", ((sized[k], Min(b, n - 1 - k * b)),)),
        Variant("the rest left out", "drop_last=True", ((seen[i], Piecewise((1, i < floor(n / b) * b), (0, True))),)),
    ),
    remarks="Less work for a step, not for an epoch: what mini-batches gain is n/b steps for the price of one.",
)

# ------------------------------------------------------------------ the mean over an epoch

ROWS = real("g", N, WIDTH)
g = ROWS.symbol
inside = IndexedBase("inside", real=True)
together = IndexedBase("together", real=True)


def weighted(weight: Any) -> tuple[tuple[Any, Any], ...]:
    return (
        (inside[k, q], Sum(g[i, q], (i, k * b, k * b + length(k) - 1)) / length(k)),
        (together[q], Sum(weight * inside[k, q], (k, 0, amount - 1))),
    )


def weighted_proof() -> Derivation:
    head, tail, here, there = symbols("s r S R", positive=True)
    first, second, left, right = symbols("g_1 g_2 m_1 m_2", real=True)
    return Derivation(
        (
            Step(
                "substitute",
                (head * left + tail * right) / (head + tail),
                (here + there) / (head + tail),
                why="a mean times its batch's size is the sum S again: s samples in one batch, r in another",
                by=((left, here / head), (right, there / tail)),
                wrong=((here / head + there / tail) / 2,),
            ),
            Step(
                "refute",
                Eq(((first + second) / 2 + left) / 2, (first + second + left) / 3),
                Eq((first + second + left) / 3, 1),
                why="samples 1, 2, 0 in batches of two: the plain mean of the means is 3/4, that of the samples 1",
                by=({first: 1, second: 2, left: 0},),
            ),
        )
    )


epoch = Claim(
    id="gdprac.unbiased.epoch",
    section=SECTION,
    title="Over an epoch the batches' means, weighted with the batches' sizes, average to the mean of all",
    kind="equality",
    subject="training.MiniBatches",
    driver="batches",
    structure=(N, SIZE, WIDTH),
    inputs=(ROWS,),
    program=Program(weighted(length(k) / n), (Output("average", together[q], (q, 0, p - 1)),)),
    definition=Program((), (Output("average", Sum(g[i, q], (i, 0, n - 1)) / n, (q, 0, p - 1)),)),
    statement=Eq(Sum(length(k) * inside[k, q], (k, 0, amount - 1)) / n, Sum(g[i, q], (i, 0, n - 1)) / n),
    conditions=("the last batch is kept",),
    derivation=weighted_proof,
    variants=(
        Variant(
            "the plain mean of the means",
            "known bug: a running loss divided by the number of batches",
            weighted(1 / amount),
        ),
        Variant(
            "the last batch divided by the full size",
            "known bug",
            ((inside[k, q], Sum(g[i, q], (i, k * b, k * b + length(k) - 1)) / b),),
        ),
        Variant(
            "the last batch left out",
            "drop_last=True",
            ((together[q], Sum(g[i, q], (i, 0, floor(n / b) * b - 1)) / n),),
        ),
    ),
    remarks="The samples of a last batch that is not full weigh more if every batch counts the same.",
)  # fmt: skip

CLAIMS = (computation, epoch)
