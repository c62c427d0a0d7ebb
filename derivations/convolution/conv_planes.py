"""Convolution over images: two axes, each with numbers of its own (1.3)."""

from typing import Any

from sympy import Eq, Function, IndexedBase, Max, Min, Piecewise, Sum, floor, symbols

from gnomon.derivations.convolution.conv import (
    CHANNELS,
    GROUPED,
    GROUPS,
    MODES,
    NO_FLIP,
    OUTPUTS,
    SECTION,
    C,
    G,
    O,
    around,
    c,
    mirrored,
    mode,
    o,
    within,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

KERNELS = Size("K1", 2, 3), Size("K2", 2, 2)
STRIDES = Size("s1", 1, 3), Size("s2", 1, 3)
DILATIONS = Size("d1", 1, 3), Size("d2", 1, 3)
PADDINGS = Size("p1", 0, 1), Size("p2", 0, 2)
(K1, K2), (s1, s2), (d1, d2) = symbols_of(KERNELS), symbols_of(STRIDES), symbols_of(DILATIONS)
p1, p2 = symbols("p1 p2", integer=True, nonnegative=True)
t1, t2, k1, k2, q1, q2, i1, i2 = symbols("t1 t2 k1 k2 q1 q2 i1 i2", integer=True)


HEIGHT, WIDTH = d1 * (K1 - 1) + 1 + s1, d2 * (K2 - 1) + 1 + s2  # as long as two windows need
LAST = 1 + floor(2 * p1 / s1), 1 + floor(2 * p2 / s2)  # the number of the last window, from 0
ALL_MODES = Choice(MODES.name, {**MODES.options, "zeros": {mode: 3}})
INPUTS = (real("x", G * C, HEIGHT, WIDTH), real("w", G * O, C, K1, K2), real("beta", G * O))
x, w, beta = symbols_of(INPUTS)
xp, y = (IndexedBase(name, real=True) for name in ("xp", "y"))


def padded(above: Any = p1, before: Any = p2) -> tuple[Any, Any]:
    """The map with zeros all around, or continued in each of the ways."""
    at, sizes = (q1 - above, q2 - before), (HEIGHT, WIDTH)
    zeros = within(x[c, at[0], at[1]], at[0] >= 0, at[0] < HEIGHT, at[1] >= 0, at[1] < WIDTH)
    circular, mirror, nearest = (
        x[c, way(at[0], sizes[0]), way(at[1], sizes[1])]
        for way in (around, mirrored, lambda place, size: Min(Max(place, 0), size - 1))
    )
    ways = (circular, Eq(mode, 0)), (mirror, Eq(mode, 1)), (nearest, Eq(mode, 2)), (zeros, True)
    return xp[c, q1, q2], Piecewise(*ways)


DOWN, ALONG = t1 * s1 + k1 * d1, t2 * s2 + k2 * d2


def laid(weight: Any = w[o, c, k1, k2], down: Any = DOWN, along: Any = ALONG, channel: Any = None) -> tuple[Any, Any]:
    """The kernel, laid over a window."""
    channel = floor(o / O) * C + c if channel is None else channel
    taps = (k2, 0, K2 - 1), (k1, 0, K1 - 1), (c, 0, C - 1)
    return y[o, t1, t2], Sum(weight * xp[channel, down, along], *taps) + beta[o]


def planes_proof() -> Derivation:
    """Both axes flipped, and a kernel that is a product: one axis after the other."""
    u, X = IndexedBase("u", real=True), Function("X", real=True)
    a, b = IndexedBase("a", real=True), IndexedBase("b", real=True)
    ranges = (k1, 0, K1 - 1), (k2, 0, K2 - 1)
    once = Sum(u[k1, k2] * X(i1 - k1, i2 - k2), *ranges)
    half = Sum(u[K1 - 1 - k1, k2] * X(i1 - (K1 - 1) + k1, i2 - k2), *ranges)
    both = Sum(u[K1 - 1 - k1, K2 - 1 - k2] * X(i1 - (K1 - 1) + k1, i2 - (K2 - 1) + k2), *ranges)
    return Derivation(
        (
            Step("reindex", once, half, why="flip the first axis of a convolution", by=((k1, K1 - 1 - k1),)),
            Step("reindex", half, both, why="and the second: it is a correlation with the kernel turned by 180 degrees",
                 by=((k2, K2 - 1 - k2),)),
            Step(
                "rewrite",
                Sum(a[k1] * b[k2] * X(i1 + k1, i2 + k2), *ranges),
                Sum(a[k1] * Sum(b[k2] * X(i1 + k1, i2 + k2), (k2, 0, K2 - 1)), (k1, 0, K1 - 1)),
                why="a kernel of rank one: along one axis, then along the other",
            ),
        )
    )  # fmt: skip


planes = Claim(
    id="conv.definition.planes",
    section=SECTION,
    title="Over images, height and width have kernel size, stride, padding and dilation of their own",
    kind="equality",
    subject="convolution.Conv2d",
    driver="sized_module",
    structure=(GROUPS, CHANNELS, OUTPUTS, *KERNELS, *STRIDES, *PADDINGS, *DILATIONS, ALL_MODES),
    inputs=INPUTS,
    program=Program(
        (padded(), laid()),
        (Output("y", y[o, t1, t2], (o, 0, G * O - 1), (t1, 0, LAST[0]), (t2, 0, LAST[1])),),
    ),
    statement=Eq(y[o, t1, t2], laid()[1]),
    conditions=(NO_FLIP, GROUPED, "the first numbers belong to the height, the second to the width"),
    derivation=planes_proof,
    variants=(
        Variant("the kernel turned by 180 degrees", "convolution in mathematics, and scipy",
                (laid(w[o, c, K1 - 1 - k1, K2 - 1 - k2]),)),
        Variant("the kernel flipped up and down only", "known bug", (laid(w[o, c, K1 - 1 - k1, k2]),)),
        Variant("the kernel transposed", "known bug: width before height",
                (laid(w[o, c, Max(0, K1 - 1 - Max(0, K1 - 1 - k2)), Max(0, K2 - 1 - Max(0, K2 - 1 - k1))]),)),
        Variant("the strides exchanged", "known bug", (laid(down=t1 * s2 + k1 * d1, along=t2 * s1 + k2 * d2),)),
        Variant("the dilations exchanged", "known bug", (laid(down=t1 * s1 + k1 * d2, along=t2 * s2 + k2 * d1),)),
        Variant("the paddings exchanged", "known bug: the order of torch.nn.functional.pad", (padded(p2, p1),)),
        Variant("padding behind alone", "known bug", (padded(0, 0),)),
        Variant("zeros, whatever is asked for", "known bug",
                ((xp[c, q1, q2], padded()[1].subs(mode, 3)),)),
        Variant("the first group for all", "known bug: groups ignored", (laid(channel=c),)),
    ),
    options={
        "args": (G * C, G * O, (K1, K2)),
        "keywords": {
            "stride": (s1, s2), "padding": (p1, p2), "dilation": (d1, d2), "groups": G, "padding_mode": "padding_mode"
        },
        "parameters": {"weight": "w", "bias": "beta"},
        "call": ("x",),
    },
    remarks="Channels come first, as torch has it: (C, H, W). Frameworks that put them last need another order.",
)  # fmt: skip

CLAIMS = (planes,)
