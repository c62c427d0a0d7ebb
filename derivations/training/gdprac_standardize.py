"""Mini-batches of standardized data (1.2.4)."""

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Sum, Symbol, sqrt, symbols

from gnomon.derivations.training.std import (
    CONSTANT,
    CORRECTION,
    SECTION,
    WIDTH,
    i,
    j,
    k,
    mean,
    moments,
    n,
    p,
    scale,
    x,
)
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, real

size = Symbol("b", integer=True, positive=True)
batch = IndexedBase("batch", integer=True, nonnegative=True)
PART = Choice(
    "part",
    {
        f"{', '.join(map(str, rows))} of {of}": {n: of, size: len(rows), batch: rows}
        for of, rows in ((3, (0, 2)), (3, (2, 1)), (4, (3, 0)), (4, (1, 2, 3)), (4, (0, 0)), (4, (2, 0, 3, 1)))
    },
)  # fmt: skip
rows, unit = IndexedBase("rows", real=True), IndexedBase("unit", real=True)
DATA = real("x", n, WIDTH)


def chosen(value: Any) -> tuple[Any, Any]:
    """Row number i of the batch."""
    return rows[i, j], value


here = x[batch[i], j]
own = Sum(x[batch[k], j], (k, 0, size - 1)) / size
spread = sqrt(Sum((x[batch[k], j] - own) ** 2, (k, 0, size - 1)) / size)


def part_proof() -> Derivation:
    a = IndexedBase("x", real=True)
    b = Symbol("b", positive=True)
    total = Symbol("n", integer=True, positive=True)
    s2, within = symbols("sigma2 within", positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                Sum((a[i] - Sum(a[k], (k, 0, n - 1)) / n) / scale[0], (i, 0, n - 1)),
                0,
                why="only over all data do the scores add up to 0: over a batch they show how it differs",
            ),
            cite("the law of total variance: the mean variance within batches and the variance of their means add up"),
            Step(
                "solve",
                Eq(within + s2 / b * (total - b) / (total - 1), s2),
                s2 * total * (b - 1) / (b * (total - 1)),
                why="within batches it is less than sigma^2: standardized by itself a batch of one is always 0",
                by=(within,),
                assume=(total > 1,),
                wrong=(s2, s2 * (b - 1) / b),
            ),
        ),
        "every n and b",
    )


part = Claim(
    id="gdprac.minibatch_std",
    section=SECTION,
    title="Standardize once, with all training data: a mini-batch is then a part of the standardized data",
    kind="equality",
    subject="standardize.StandardScaler",
    driver="scaler",
    structure=(PART, WIDTH, CORRECTION),
    inputs=(DATA,),
    program=Program(
        (
            *moments(),
            (unit[j], Piecewise((1, CONSTANT), (scale[j], True))),
            chosen((here - mean[j]) / unit[j]),
        ),
        (Output("rows", rows[i, j], (i, 0, size - 1), (j, 0, p - 1)),),
    ),
    statement=Eq(rows[i, j], (here - mean[j]) / scale[j]),
    conditions=("the scaler is fitted to all training data",),
    derivation=part_proof,
    variants=(
        Variant("each batch by its own moments", "batch normalization, in training", (chosen((here - own) / spread),)),
        Variant("each batch by its own mean", "known bug", (chosen((here - own) / unit[j]),)),
        Variant("the first samples in place of those drawn", "known bug", (chosen((x[i, j] - mean[j]) / unit[j]),)),
        Variant("a tenth of the mean", "running mean after one batch", (chosen((here - own / 10) / unit[j]),)),
        Variant(
            "standardized twice",
            "known bug: in the data set and in the loop",
            (chosen(((here - mean[j]) / unit[j] - mean[j]) / unit[j]),),
        ),
    ),
    gradient=False,
    options={"keywords": {"correction": "correction"}},
    remarks="The notes advise mini-batches together with standardization. That a batch is standardized by its own "
    "moments is batch normalization: then a sample's value depends on the others in its batch. The moments are "
    "constants, which autograd does not follow.",
)  # fmt: skip

CLAIMS = (part,)
