"""Pooling: a number for each window of a map, and each map by itself (1.3)."""

from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Max, Min, Or, Piecewise, Rational, Sum, floor, symbols

from gnomon.derivations.convolution.conv import SECTION, b, c, k, t, within
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

up, counting = symbols("up counting", integer=True)
ROUND = Choice("ceil_mode", {"no": {up: 0}, "yes": {up: 1}})
COUNT = Choice("count_include_pad", {"yes": {counting: 1}, "no": {counting: 0}})
BATCH, CHANNELS = Size("B", 1, 2), Size("C", 1, 3)
KERNEL, STRIDE, PADDING, DILATION, EXTRA = (
    Size("K", 2, 3), Size("s", 1, 3), Size("p", 1, 1), Size("d", 1, 3), Size("e", 0, 2),
)  # fmt: skip
B, C, K, s, d, p = symbols_of((BATCH, CHANNELS, KERNEL, STRIDE, DILATION, PADDING))
e = symbols("e", integer=True, nonnegative=True)
y, best = IndexedBase("y", real=True), IndexedBase("best", real=True)
MEETS = "padding is at most half of the kernel, and every window meets the map"
CUT = "rounded up, a last window may be cut off, but none begins beyond the map"


def last(size: Any, reach: Any, stride: Any, padding: Any, rounding: Any = up) -> Any:
    """The number of the last window, from 0: one that begins at ``size + padding`` or later does not count."""
    room = size + 2 * padding - reach
    return Min(floor((room + rounding * (stride - 1)) / stride), floor((size + padding - 1) / stride))


# ------------------------------------------------------------------ the greatest

reach = d * (K - 1) + 1
n = reach - 2 * p + s + e  # two windows at least, and each of them meets the map
MAP = (real("x", B, C, n),)
(x,) = symbols_of(MAP)
ENTRIES = (b, 0, B - 1), (c, 0, C - 1), (t, 0, last(n, reach, s, p))


def running(step: Any = s, gap: Any = d) -> tuple[Any, Any]:
    """The greatest of the first k + 1 taps of a window, of those that meet the map."""
    at = t * step + k * gap - p
    so_far, here = best[b, c, t, k - 1], x[b, c, Max(at, 0)]  # 0 for variants, which look where the claim does not
    return best[b, c, t, k], Piecewise((here, Or(Eq(k, 0), at < gap)), (so_far, at > n - 1), (Max(so_far, here), True))


def taken(value: Any = best[b, c, t, K - 1]) -> tuple[Any, Any]:
    """What is shown for a window."""
    return y[b, c, t], value


def maximum_proof() -> Derivation:
    """What a maximum commutes with, and a mean does not."""
    a, h, shift = symbols("a h r", real=True)
    half = Rational(1, 2)
    return Derivation(
        (
            define(best[b, c, t, k], Max(best[b, c, t, k - 1], x[b, c, t * s + k * d - p]), "one tap after the other"),
            Step("rewrite", Max(a, h), (a + h) / 2 + Abs(a - h) / 2, why="of two numbers the greater"),
            Step("inequality", Ge(Max(a, h), (a + h) / 2), Abs(a - h) / 2, why="the mean of a window is never greater"),
            Step("rewrite", Max(a + shift, h + shift), Max(a, h) + shift, why="an offset passes through"),
            Step("refute", Eq(Max(half * (a + h), 0), half * (Max(a, 0) + Max(h, 0))), Eq(Max(half * (a + h), 0), 0),
                 why="relu passes through a maximum (it grows), but not through a mean: 1 and -1 give 0 or 1/2",
                 by=({a: 1, h: -1},)),
        )
    )  # fmt: skip


beyond_zero = Piecewise((0, Or(t * s < p, t * s + (K - 1) * d - p > n - 1)), (best[b, c, t, K - 1], True))
definition = Claim(
    id="pool.definition",
    section=SECTION,
    title="Max pooling: the greatest number in each window, each map by itself",
    kind="equality",
    subject="pooling.MaxPool1d",
    driver="sized_module",
    structure=(BATCH, CHANNELS, KERNEL, STRIDE, PADDING, DILATION, EXTRA, ROUND),
    inputs=MAP,
    program=Program((running(), taken()), (Output("y", y[b, c, t], *ENTRIES),)),
    statement=Eq(y[b, c, t], best[b, c, t, K - 1]),
    conditions=("over the taps that meet the map: beyond its ends there is -∞", MEETS, CUT),
    derivation=maximum_proof,
    variants=(
        Variant("zeros beyond the ends", "known bug: padded like a convolution",
                (taken(Max(best[b, c, t, K - 1], beyond_zero)),)),
        Variant("the greatest magnitude", "known bug", (taken(Max(best[b, c, t, K - 1], -best[b, c, t, K - 1])),)),
        Variant("the last tap left out", "known bug: windows one too short", (taken(best[b, c, t, K - 2]),)),
        Variant("stride ignored", "known bug", (running(1),)),
        Variant("one maximum over all maps", "maxout",
                (taken(Max(best[b, 0, t, K - 1], best[b, Min(1, C - 1), t, K - 1], best[b, C - 1, t, K - 1])),)),
    ),
    options={
        "args": (K,),
        "keywords": {"stride": s, "padding": p, "dilation": d, "ceil_mode": "ceil_mode"},
        "call": ("x",),
    },
    remarks="Where several numbers are the greatest, torch hands the gradient to the first; any share is accepted.",
)  # fmt: skip

# ------------------------------------------------------------------ the mean

size = K - 2 * p + s + e
LINE = (real("x", B, C, size),)


def counted(include: Any, exclude: Any) -> Any:
    """By how many places a window is divided."""
    return Piecewise((include, Eq(counting, 1)), (exclude, True))


begin, end = t * s - p, t * s - p + K
ALL, MET = Min(end, size + p) - begin, Min(end, size) - Max(begin, 0)


def mean(divisor: Any, total: Any = None) -> tuple[Any, Any]:
    """The sum of a window, divided."""
    at = begin + k
    total = Sum(within(x[b, c, at], at >= 0, at < size), (k, 0, K - 1)) if total is None else total
    return y[b, c, t], total / divisor


def mean_proof() -> Derivation:
    """What dividing by the kernel, or by the places that were met, does to a map of equal values."""
    value, shown = symbols("v y", real=True)
    met, missed = symbols("m r", integer=True, positive=True)
    return Derivation(
        (
            Step("sum", Sum(value, (k, 0, met - 1)), met * value,
                 why="a window of which m taps meet a map of equal values v, and r miss it"),
            Step("solve", Eq(met * shown, met * value), value, by=(shown,),
                 why="divided by the places that it met, the mean is v up to the ends"),
            Step("rewrite", met * value / (met + missed), value - missed * value / (met + missed),
                 why="divided by all K = m + r, as torch does unless told otherwise, it fades there"),
        )
    )  # fmt: skip


def average(row: str, title: str, structure: tuple[Any, ...], rounding: int, *variants: Variant, **more: Any) -> Claim:
    """A claim on the mean of each window."""
    return Claim(
        id=row,
        section=SECTION,
        title=title,
        kind="equality",
        subject="pooling.AvgPool1d",
        driver="sized_module",
        structure=(BATCH, CHANNELS, *structure, PADDING, COUNT),
        inputs=LINE,
        program=Program(
            (mean(counted(ALL, MET)),),
            (Output("y", y[b, c, t], (b, 0, B - 1), (c, 0, C - 1), (t, 0, last(size, K, s, p, rounding))),),
        ),
        statement=Eq(y[b, c, t], mean(counted(ALL, MET))[1]),
        derivation=mean_proof,
        variants=variants,
        options={
            "args": (K,),
            "keywords": {"stride": s, "padding": p, "ceil_mode": bool(rounding), "count_include_pad": COUNT.name},
            "call": ("x",),
        },
        **more,
    )


means = average(
    "pool.definition.average",
    "Average pooling: the mean of each window, with the padding counted or not",
    (KERNEL, STRIDE, EXTRA),
    0,
    Variant("count_include_pad the other way round", "TensorFlow and Keras never count it; torch does by default",
            (mean(counted(MET, ALL)),)),
    Variant("not divided", "known bug", (mean(1),)),
    Variant("divided by the kernel and one", "known bug", (mean(counted(ALL, MET) + 1),)),
    Variant("the greatest in the place of the mean", "max pooling",
            (mean(1, Max(*(x[b, c, Min(Max(begin + Min(i, K - 1), 0), size - 1)] for i in range(3)))),)),
    conditions=("x is 0 beyond its ends", MEETS),
)  # fmt: skip
cut_off = average(
    "pool.definition.average_cut",
    "Rounded up, a last window that the end cuts off is divided by what is left of it",
    (Size("K", 4, 5), Size("s", 2, 3), Size("e", 1, 1)),
    1,
    Variant("always divided by the kernel", "known bug: what is cut off counted", (mean(K),)),
    Variant("count_include_pad the other way round", "known bug", (mean(counted(MET, ALL)),)),
    conditions=("ceil_mode", "x is 0 beyond its ends", MEETS, CUT),
    remarks="Padding counts, if it is to; what rounding up adds behind the padding never does.",
)

CLAIMS = (definition, means, cut_off)
