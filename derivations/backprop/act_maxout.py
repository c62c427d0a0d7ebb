"""Maxout: the greatest of several affine maps, a convex function, and what it has for special cases."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, Max, Min, Piecewise, Sum, Symbol, exp, floor, log, symbols

from gnomon.derivations.backprop.act import SECTION
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, real, symbols_of

FEATURES, UNITS, PIECES = Size("d", 1, 3), Size("h", 1, 3), Size("pieces", 1, 3)
STRUCTURE = (FEATURES, UNITS, PIECES)
X, WEIGHT, BIAS = real("x", FEATURES), real("weight", PIECES, UNITS, FEATURES), real("bias", PIECES, UNITS)
Z, SHARE = real("z", FEATURES), real("share", low=0, high=1)
d, h, K = symbols_of(STRUCTURE)
x, weight, bias, z, share = symbols_of((X, WEIGHT, BIAS, Z, SHARE))
i, j, k = symbols("i j k", integer=True)
p, q = symbols("p q", real=True)
MODULE = {
    "args": ("d", "h", "pieces"),
    "parameters": {"weight": "weight", "bias": "bias"},
}


def indexed(name: str) -> Any:
    return IndexedBase(name, real=True)


piece, best, y, total = (indexed(name) for name in ("piece", "best", "y", "total"))


def affine(point: Any) -> Any:
    return Sum(weight[k, j, i] * point[i], (i, 0, d - 1)) + bias[k, j]


def running(found: Any, of: Any, greater: Any = Max) -> tuple[Any, Any]:
    """The greatest of the pieces so far."""
    return found[k, j], Piecewise((of[0, j], Eq(k, 0)), (greater(found[k - 1, j], of[k, j]), True))


def maxout_proof() -> Derivation:
    n, r = Symbol("n", integer=True, positive=True), Symbol("r", integer=True)
    w, entry = indexed("w"), indexed("x")
    b, a = Symbol("b", real=True), Symbol("a", nonnegative=True)
    t = Symbol("t", real=True)
    return Derivation(
        (
            Step("rewrite", Max(p, q), (p + q) / 2 + Abs(p - q) / 2, why="two pieces in one formula", wrong=(p + q,)),
            Step("rewrite", Max(t, -t), Abs(t), why="the pieces x and -x give the size", wrong=(t,)),
            Step(
                "rewrite",
                Max(t - a * t, t),
                Max(t, 0) + (1 - a) * Min(t, 0),
                why="the pieces c x and x the leaky ReLU, with c = 1 - a at most 1; for c = 0 ReLU",
                wrong=(Max(t, 0) + a * Min(t, 0),),
            ),
            Step(
                "differentiate",
                Sum(w[i] * entry[i], (i, 0, n - 1)) + b,
                w[r],
                why="the slope is the weight of the piece that is greatest",
                by=(entry[r],),
            ),
            Step(
                "differentiate",
                Sum(w[i] * entry[i], (i, 0, n - 1)) + b,
                entry[r],
                why="and the weights of that piece alone learn",
                by=(w[r],),
            ),
        ),
        "every number of features and pieces, where one piece is greatest",
        lift="coordinate",
    )


flat = K * j + k
row, column = floor(flat / h), flat - h * floor(flat / h)
maxout = Claim(
    id="act.maxout",
    section=SECTION,
    kind="equality",
    title="Maxout is the greatest of several affine maps, for each unit",
    subject="activations.Maxout",
    driver="module",
    structure=STRUCTURE,
    inputs=(X, WEIGHT, BIAS),
    options={**MODULE, "call": ("x",)},
    program=Program(
        ((piece[k, j], affine(x)), running(best, piece)),
        (Output("y", best[K - 1, j], (j, 0, h - 1)),),
    ),
    statement=Eq(y[j], Max(weight[0, j, i] * x[i] + bias[0, j], weight[1, j, i] * x[i] + bias[1, j])),
    conditions=("summed over i", "any number of pieces", "where pieces tie, any mean of their slopes will do"),
    derivation=maxout_proof,
    variants=(
        Variant("least piece", "known bug: min", (running(best, piece, Min),)),
        Variant(
            "mean of the pieces",
            "known bug: an average pool over them",
            ((total[j], Sum(piece[k, j], (k, 0, K - 1)) / K), (best[k, j], total[j])),
        ),
        Variant(
            "greatest in size",
            "known bug: abs before max",
            ((total[k, j], Abs(piece[k, j])), running(best, total)),
        ),
        Variant(
            "smooth maximum",
            "logsumexp",
            ((best[k, j], piece[0, j] + log(Sum(exp(piece[k, j] - piece[0, j]), (k, 0, K - 1)))),),
            why="greater by up to log(pieces)",
        ),
        Variant(
            "bias of the first piece",
            "known bug: one bias, added after the maximum",
            ((piece[k, j], affine(x) - bias[k, j] + bias[0, j]),),
        ),
        Variant(
            "ReLU after it", "known bug: activated twice", ((total[k, j], Max(0, piece[k, j])), running(best, total))
        ),
        Variant(
            "pieces and units exchanged",
            "known bug: the rows of one large layer read as (units, pieces)",
            ((piece[k, j], Sum(weight[row, column, i] * x[i], (i, 0, d - 1)) + bias[row, column]),),
            why="the same if there is one unit or one piece",
        ),
    ),
    remarks="torch has no such module. On a tie, max(dim) gives the slope to one piece, amax and maximum share it out.",
)

left, right, middle = indexed("left"), indexed("right"), indexed("middle")
left_best, right_best, middle_best = indexed("left_best"), indexed("right_best"), indexed("middle_best")
between = indexed("between")
LETS = (
    (between[i], share * x[i] + (1 - share) * z[i]),
    (left[k, j], affine(x)),
    (right[k, j], affine(z)),
    (middle[k, j], affine(between)),
)
TRIPLES = ((left_best, left), (right_best, right), (middle_best, middle))


def convex_proof() -> Derivation:
    n = Symbol("n", integer=True, positive=True)
    w, one, other, b = indexed("w"), indexed("x"), indexed("z"), Symbol("b", real=True)
    lam, m, r = symbols("lam m r", nonnegative=True)
    top, peak = symbols("M N", real=True)

    def at(point: Any) -> Any:
        return Sum(w[i] * point(i), (i, 0, n - 1)) + b

    return Derivation(
        (
            Step(
                "rewrite",
                at(lambda i: lam * one[i] + (1 - lam) * other[i]),
                lam * at(lambda i: one[i]) + (1 - lam) * at(lambda i: other[i]),
                why="an affine map takes mixtures to mixtures",
                wrong=(at(lambda i: one[i]) + at(lambda i: other[i]),),
            ),
            Step(
                "inequality",
                lam * (top - m) + (1 - lam) * (peak - r) <= lam * top + (1 - lam) * peak,
                lam * m + (1 - lam) * r,
                why="each piece is below the maximum, by m at x and by r at z: no mixture of it exceeds that of maxima",
                assume=(lam <= 1,),
            ),
        ),
        "every number of features and pieces",
    )


convex = Claim(
    id="act.maxout.convex",
    section=SECTION,
    kind="inequality",
    title="Maxout is convex: between two points it lies below the straight line",
    subject="activations.Maxout",
    driver="segment",
    structure=STRUCTURE,
    inputs=(X, Z, SHARE, WEIGHT, BIAS),
    options=MODULE,
    program=Program(
        (*LETS, *(running(found, of) for found, of in TRIPLES)),
        tuple(
            Output(name, found[K - 1, j], (j, 0, h - 1))
            for name, (found, _) in zip(("at_x", "at_z", "inside"), TRIPLES, strict=True)
        ),
    ),
    relation=Relation(
        indexed("inside")[j], "<=", share * indexed("at_x")[j] + (1 - share) * indexed("at_z")[j], ((j, 0, h - 1),)
    ),
    statement=indexed("inside")[j] <= share * indexed("at_x")[j] + (1 - share) * indexed("at_z")[j],
    conditions=("0 ≤ share ≤ 1",),
    derivation=convex_proof,
    variants=(
        Variant("least piece", "known bug: concave", tuple(running(found, of, Min) for found, of in TRIPLES)),
        Variant(
            "beyond the end points",
            "known misreading: the line continued",
            inputs=(real("share", low=-2, high=3),),
            why="outside of the segment a convex function lies above the line",
        ),
        Variant(
            "cut at 1",
            "known habit: clipped activations",
            (
                *((of[k, j], Min(1, affine(point))) for of, point in ((left, x), (right, z), (middle, between))),
                *(running(found, of) for found, of in TRIPLES),
            ),
        ),
    ),
    remarks="For every module that ought to be convex in its input.",
)

CLAIMS = (maxout, convex)
