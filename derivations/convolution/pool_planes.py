"""Pooling over images: two axes, each with numbers of its own (1.3)."""

from typing import Any

from sympy import Eq, IndexedBase, Max, Min, Or, Piecewise, Sum, symbols

from gnomon.derivations.convolution.conv import SECTION, C, c, within
from gnomon.derivations.convolution.pool import COUNT, CUT, MEETS, ROUND, counted, last, maximum_proof, mean_proof
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

MAPS = Size("C", 1, 2)
KERNELS = Size("K1", 2, 3), Size("K2", 2, 3)
STRIDES = Size("s1", 2, 3), Size("s2", 1, 3)
PADDINGS = Size("p1", 0, 1), Size("p2", 1, 1)
DILATIONS = Size("d1", 1, 2), Size("d2", 1, 2)
(K1, K2), (s1, s2), (d1, d2) = symbols_of(KERNELS), symbols_of(STRIDES), symbols_of(DILATIONS)
p1, p2 = symbols("p1 p2", integer=True, nonnegative=True)
t1, t2, k1, k2, q = symbols("t1 t2 k1 k2 q", integer=True)


def extents(down: Any, along: Any) -> tuple[Any, Any]:
    """Height and width for windows that reach so far.

    Rounding up matters: along the height nearly one step is left over, along the width of 3 places 0 or 1.
    """
    return down - 2 * p1 + 2 * s1 - 1, along - 2 * p2 + 3


REACH = d1 * (K1 - 1) + 1, d2 * (K2 - 1) + 1
(HEIGHT, WIDTH), (TOP, SIDE) = extents(K1, K2), extents(*REACH)
IMAGE, SPREAD = (real("x", C, HEIGHT, WIDTH),), (real("x", C, TOP, SIDE),)
(x,) = symbols_of(IMAGE)
row, column, y = (IndexedBase(name, real=True) for name in ("row", "column", "y"))


def windows(height: Any, width: Any, tall: Any, wide: Any) -> tuple[tuple[Any, Any, Any], ...]:
    """The windows of each map."""
    return (c, 0, C - 1), (t1, 0, last(height, tall, s1, p1)), (t2, 0, last(width, wide, s2, p2))


ENTRIES, SPACED = windows(HEIGHT, WIDTH, K1, K2), windows(TOP, SIDE, *REACH)


def along(step: Any = s2, gap: Any = d2) -> tuple[Any, Any]:
    """The greatest along the width, of the first k2 + 1 taps that meet it."""
    at = t2 * step + k2 * gap - p2
    so_far, here = row[c, q, t2, k2 - 1], x[c, q, Max(at, 0)]
    return row[c, q, t2, k2], Piecewise(
        (here, Or(Eq(k2, 0), at < gap)), (so_far, at > SIDE - 1), (Max(so_far, here), True)
    )


def down(step: Any = s1, gap: Any = d1) -> tuple[Any, Any]:
    """The greatest of those, along the height."""
    at = t1 * step + k1 * gap - p1
    so_far, here = column[c, t1, t2, k1 - 1], row[c, Max(at, 0), t2, K2 - 1]
    return column[c, t1, t2, k1], Piecewise(
        (here, Or(Eq(k1, 0), at < gap)), (so_far, at > TOP - 1), (Max(so_far, here), True)
    )


def taken(value: Any = column[c, t1, t2, K1 - 1]) -> tuple[Any, Any]:
    """What is shown for a window."""
    return y[c, t1, t2], value


def separable_proof() -> Derivation:
    """Along one axis, then along the other."""
    a, b, f, g = symbols("a b f g", real=True)
    return Derivation(
        (
            *maximum_proof().steps,
            Step("substitute", Max(f, g), Max(Max(a, b), g), by=((f, Max(a, b)),),
                 why="the greatest of each row, then the greatest of those"),
        )
    )  # fmt: skip


hits_zero = Or(t1 * s1 < p1, t1 * s1 + REACH[0] - p1 > TOP, t2 * s2 < p2, t2 * s2 + REACH[1] - p2 > SIDE)
maxima = Claim(
    id="pool.definition.planes",
    section=SECTION,
    title="Over images, max pooling takes the greatest of each rectangle of each map",
    kind="equality",
    subject="pooling.MaxPool2d",
    driver="sized_module",
    structure=(MAPS, *KERNELS, *STRIDES, *PADDINGS, *DILATIONS, ROUND),
    inputs=SPREAD,
    program=Program((along(), down(), taken()), (Output("y", y[c, t1, t2], *SPACED),)),
    statement=Eq(y[c, t1, t2], column[c, t1, t2, K1 - 1]),
    conditions=("over what meets the map: all around it there is -∞", MEETS, CUT),
    derivation=separable_proof,
    variants=(
        Variant("zeros all around", "known bug: padded like a convolution",
                (taken(Max(column[c, t1, t2, K1 - 1], Piecewise((0, hits_zero), (column[c, t1, t2, K1 - 1], True)))),)),
        Variant("the last row left out", "known bug: windows one too short", (taken(column[c, t1, t2, K1 - 2]),)),
        Variant("stride of the height ignored", "known bug", (down(1),)),
        Variant("stride of the width ignored", "known bug", (along(1),)),
        Variant("dilation of the height ignored", "known bug", (down(gap=1),)),
        Variant("dilation of the width ignored", "known bug", (along(gap=1),)),
    ),
    options={
        "args": ((K1, K2),),
        "keywords": {"stride": (s1, s2), "padding": (p1, p2), "dilation": (d1, d2), "ceil_mode": "ceil_mode"},
        "call": ("x",),
    },
)  # fmt: skip


def extent(place: Any, kernel: Any, size: Any, padding: Any) -> tuple[Any, Any]:
    """How many places of a window there are along an axis: with the padding, and on the map alone."""
    return Min(place + kernel, size + padding) - place, Min(place + kernel, size) - Max(place, 0)


first = t1 * s1 - p1, t2 * s2 - p2
TALL, WIDE = extent(first[0], K1, HEIGHT, p1), extent(first[1], K2, WIDTH, p2)


def mean(divisor: Any) -> tuple[Any, Any]:
    """The sum of a rectangle, divided."""
    at = first[0] + k1, first[1] + k2
    value = within(x[c, at[0], at[1]], at[0] >= 0, at[0] < HEIGHT, at[1] >= 0, at[1] < WIDTH)
    return y[c, t1, t2], Sum(value, (k2, 0, K2 - 1), (k1, 0, K1 - 1)) / divisor


area = counted(TALL[0] * WIDE[0], TALL[1] * WIDE[1])
means = Claim(
    id="pool.definition.average_planes",
    section=SECTION,
    title="Over images, average pooling divides each rectangle by its area",
    kind="equality",
    subject="pooling.AvgPool2d",
    driver="sized_module",
    structure=(MAPS, *KERNELS, *STRIDES, *PADDINGS, ROUND, COUNT),
    inputs=IMAGE,
    program=Program((mean(area),), (Output("y", y[c, t1, t2], *ENTRIES),)),
    statement=Eq(y[c, t1, t2], mean(area)[1]),
    conditions=("x is 0 all around", "the padding counts, or not; what rounding up adds never does", MEETS, CUT),
    derivation=mean_proof,
    variants=(
        Variant("count_include_pad the other way round", "TensorFlow and Keras never count it; torch does by default",
                (mean(counted(TALL[1] * WIDE[1], TALL[0] * WIDE[0])),)),
        Variant("divided by the height alone", "known bug", (mean(counted(TALL[0], TALL[1])),)),
        Variant("not divided", "known bug", (mean(1),)),
    ),
    options={
        "args": ((K1, K2),),
        "keywords": {
            "stride": (s1, s2), "padding": (p1, p2), "ceil_mode": "ceil_mode", "count_include_pad": "count_include_pad",
        },
        "call": ("x",),
    },
)  # fmt: skip

CLAIMS = (maxima, means)
