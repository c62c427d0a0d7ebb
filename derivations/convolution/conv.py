"""Convolution as networks compute it: along one axis, and how the map is continued (1.3). Its symbols serve others."""

from typing import Any

from sympy import (
    Abs,
    And,
    Eq,
    Function,
    IndexedBase,
    KroneckerDelta,
    Lambda,
    Max,
    Min,
    Piecewise,
    Sum,
    Symbol,
    floor,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "1.3"
BATCH, GROUPS, CHANNELS, OUTPUTS = Size("B", 1, 2), Size("G", 1, 2), Size("C", 1, 2), Size("O", 1, 2)
KERNEL, STRIDE, PADDING, DILATION = Size("K", 2, 3), Size("s", 1, 3), Size("p", 0, 2), Size("d", 1, 3)
MORE, LEFT = Size("m", 1, 2), Size("e", 0, 1)
B, G, C, O, K, s, d = symbols_of((BATCH, GROUPS, CHANNELS, OUTPUTS, KERNEL, STRIDE, DILATION))
p, m, e = symbols("p m e", integer=True, nonnegative=True)
biased = symbols("biased", integer=True)
BIAS = Choice("bias", {"yes": {biased: 1}, "no": {biased: 0}})
STRUCTURE = (BATCH, GROUPS, CHANNELS, OUTPUTS, KERNEL, STRIDE, PADDING, DILATION, MORE, LEFT, BIAS)

b, o, c, k, t, q, i = symbols("b o c k t q i", integer=True)
reach = d * (K - 1) + 1
n = reach + m * s + e - p  # as long as m + 1 windows need, and a bit
T = m + 1 + floor((e + p) / s)  # which is floor((n + 2 * p - reach) / s) + 1
INPUTS = (real("x", B, G * C, n), real("w", G * O, C, K), real("beta", G * O))
x, w, beta = symbols_of(INPUTS)
xp, y = (IndexedBase(name, real=True) for name in ("xp", "y"))
ENTRIES = (Output("y", y[b, o, t], (b, 0, B - 1), (o, 0, G * O - 1), (t, 0, T - 1)),)
OPTIONS = {
    "args": (G * C, G * O, K),
    "keywords": {"stride": s, "padding": p, "dilation": d, "groups": G, "bias": "bias"},
    "parameters": {"weight": "w", "bias": "beta"},
    "call": ("x",),
}
GROUPED = "G groups; channel o of the output sees the C channels of its group only"
NO_FLIP = "the kernel is not flipped: mathematics calls this a cross-correlation"


def within(entry: Any, *inside: Any) -> Any:
    """An entry, and zero where it does not exist."""
    return Piecewise((entry, And(*inside)), (0, True))


def padded(before: Any = p) -> tuple[Any, Any]:
    """The map with zeros before and behind it."""
    return xp[b, c, q], within(x[b, c, q - before], q >= before, q < n + before)


def tapped(weight: Any = w[o, c, k], channel: Any = None, tap: Any = t * s + k * d) -> Any:
    """The sum over the channels of a group and the taps of the kernel."""
    channel = floor(o / O) * C + c if channel is None else channel
    return Sum(weight * xp[b, channel, tap], (k, 0, K - 1), (c, 0, C - 1))


def added(total: Any) -> tuple[Any, Any]:
    """An output, with a bias if the layer has one."""
    return y[b, o, t], total + Piecewise((beta[o], Eq(biased, 1)), (0, True))


def flipping() -> tuple[Step, ...]:
    """A convolution is a correlation with the flipped kernel."""
    u, X = IndexedBase("u", real=True), Function("X", real=True)
    z = Symbol("z", real=True)
    convolved = Sum(u[k] * X(i - k), (k, 0, K - 1))
    flipped = Sum(u[K - 1 - k] * X(i + k), (k, 0, K - 1))
    correlated = Sum(u[k] * X(i + k), (k, 0, K - 1))
    return (
        Step(
            "reindex",
            convolved,
            Sum(u[K - 1 - k] * X(i - (K - 1) + k), (k, 0, K - 1)),
            why="what mathematics calls a convolution is a correlation with the flipped kernel, K - 1 places back",
            by=((k, K - 1 - k),),
            wrong=(Sum(u[k] * X(i - (K - 1) + k), (k, 0, K - 1)), flipped),
        ),
        Step(
            "refute",
            Eq(correlated, flipped),
            Eq(correlated, u[0] * X(i) + u[1] * X(i + 1)),
            why="so the two differ, unless the kernel reads the same backwards",
            by=({K: 2, i: 0, u[0]: 1, u[1]: 0, X: Lambda(z, z)},),
        ),
    )


def definition_proof() -> Derivation:
    """From the sum over the whole map to the sum over the taps, and what a flip would change."""
    u, z = IndexedBase("u", real=True), IndexedBase("z", real=True)
    at, size = t * s + k * d - p, symbols("n", integer=True, positive=True)
    hit = KroneckerDelta(q, at)
    scattered = Sum(u[k] * z[q] * hit, (q, 0, size - 1), (k, 0, K - 1))
    inside = Piecewise((z[at], And(at >= 0, size - 1 - at >= 0)), (0, True))
    return Derivation(
        (
            define(y[t], scattered, "tap k of window t reads place ts + kd - p"),
            Step(
                "collapse",
                scattered,
                Sum(u[k] * inside, (k, 0, K - 1)),
                why="at most one place is read by a tap, and none outside of the map: zeros beyond its ends",
            ),
            *flipping(),
        )
    )


everywhere = Sum(
    Sum(w[o, c, k] * x[b, floor(o / O) * C + c, q] * KroneckerDelta(q, t * s + k * d - p), (q, 0, n - 1)),
    (k, 0, K - 1),
    (c, 0, C - 1),
)

definition = Claim(
    id="conv.definition",
    section=SECTION,
    title="Each output is one kernel, laid over one window of the input",
    kind="equality",
    subject="convolution.Conv1d",
    driver="sized_module",
    structure=STRUCTURE,
    inputs=INPUTS,
    program=Program((padded(), added(tapped())), ENTRIES),
    definition=Program((added(everywhere),), ENTRIES),
    statement=Eq(
        y[b, o, t],
        Sum(w[o, c, k] * x[b, floor(o / O) * C + c, t * s + k * d - p], (k, 0, K - 1), (c, 0, C - 1)) + beta[o],
    ),
    conditions=(NO_FLIP, GROUPED, "x is 0 beyond its ends", "at least one window fits"),
    derivation=definition_proof,
    variants=(
        Variant("the kernel flipped", "convolution in mathematics, and scipy", (added(tapped(w[o, c, K - 1 - k])),),
                why="the notes say convolution and give no formula; torch does not flip"),
        Variant("stride ignored", "known bug", (added(tapped(tap=t + k * d)),)),
        Variant("dilation ignored", "known bug", (added(tapped(tap=t * s + k)),)),
        Variant("dilation in the place of the stride", "known bug", (added(tapped(tap=t * d + k * s)),)),
        Variant("padding on the left only", "known bug: all of it there, causal", (padded(2 * p),)),
        Variant("padding on the right only", "known bug: all of it there", (padded(0),)),
    ),
    options=OPTIONS,
    remarks="Along with the values, autograd's gradients by input, weight and bias are compared with the formula's.",
)  # fmt: skip

# ------------------------------------------------------------------ groups

SEVERAL, PAIR, PAIRED = Size("G", 2, 3), Size("C", 2, 2), Size("O", 2, 2)
TAPS, LENGTH = Size("K", 1, 2), Size("L", 2, 3)
L = LENGTH.symbol
GROUPED_INPUTS = (real("x", G * C, L), real("w", G * O, C, K), real("beta", G * O))


def grouped(weight: Any = w[o, c, k], channel: Any = None) -> tuple[Any, Any]:
    """An output of a layer with groups, without anything else."""
    channel = floor(o / O) * C + c if channel is None else channel
    return y[o, t], Sum(weight * x[channel, t + k], (k, 0, K - 1), (c, 0, C - 1)) + beta[o]


def groups_proof() -> Derivation:
    """A convolution over all channels, of which the weights between groups are 0."""
    u, z = IndexedBase("u", real=True), IndexedBase("z", real=True)
    own, other = symbols("g h", integer=True)
    wide = Sum(KroneckerDelta(own, other) * u[c] * z[other * C + c], (other, 0, G - 1), (c, 0, C - 1))
    return Derivation(
        (
            define(other * C + c, other * C + c, "channel c of group h"),
            Step(
                "collapse",
                wide,
                Sum(u[c] * z[own * C + c], (c, 0, C - 1)),
                why="weights between groups are 0: an output of group g sees the C channels from g C on",
                wrong=(Sum(u[c] * z[c * G + own], (c, 0, C - 1)), Sum(u[c] * z[c], (c, 0, C - 1))),
            ),
        )
    )


groups = Claim(
    id="conv.definition.groups",
    section=SECTION,
    title="With groups, each output channel sees the channels of its own group",
    kind="equality",
    subject="convolution.Conv1d",
    driver="sized_module",
    structure=(SEVERAL, PAIR, PAIRED, TAPS, LENGTH),
    inputs=GROUPED_INPUTS,
    program=Program((grouped(),), (Output("y", y[o, t], (o, 0, G * O - 1), (t, 0, L - K)),)),
    statement=Eq(y[o, t], Sum(w[o, c, k] * x[floor(o / O) * C + c, t + k], (k, 0, K - 1), (c, 0, C - 1)) + beta[o]),
    conditions=("G groups of C channels and O outputs each, group after group",),
    derivation=groups_proof,
    variants=(
        Variant("channels dealt out to the groups in turn", "known bug", (grouped(channel=c * G + floor(o / O)),)),
        Variant("outputs dealt out to the groups in turn", "known bug: group o mod G",
                (grouped(channel=(o - G * floor(o / G)) * C + c),)),
        Variant("the first group for all", "known bug: groups ignored", (grouped(channel=c),)),
        Variant("the mean over the channels", "known bug", ((y[o, t], (grouped()[1] - beta[o]) / C + beta[o]),)),
        Variant("one bias for all channels", "known bug", ((y[o, t], grouped()[1] - beta[o] + beta[0]),)),
        Variant("the kernel flipped", "convolution in mathematics", (grouped(w[o, c, K - 1 - k]),)),
    ),
    options={
        "args": (G * C, G * O, K),
        "keywords": {"groups": G},
        "parameters": {"weight": "w", "bias": "beta"},
        "call": ("x",),
    },
)  # fmt: skip

# ------------------------------------------------------------------ beyond the ends

mode = symbols("mode", integer=True)
FULL = reach + m * s  # longer than its padding, as reflect and circular need it
MODES = Choice("padding_mode", {"circular": {mode: 0}, "reflect": {mode: 1}, "replicate": {mode: 2}})
SOME = Size("p", 1, 2)
BEYOND = (real("x", G * C, FULL), real("w", G * O, C, K), real("beta", G * O))
r = q - p


def mirrored(place: Any, size: Any) -> Any:
    """A place beyond an end, mirrored at it."""
    return size - 1 - absolute(size - 1 - absolute(place))


def around(place: Any, size: Any = FULL) -> Any:
    """A place on a circle."""
    return place - size * floor(place / size)


def absolute(place: Any) -> Any:
    """The distance from 0, which lowering decides."""
    return Max(place, -place)


CIRCULAR, NEAREST = around(r), Min(Max(r, 0), FULL - 1)


def continued(circular: Any = CIRCULAR, reflect: Any = None, replicate: Any = None) -> tuple[Any, Any]:
    """The map beyond its ends, in each of the ways."""
    reflect = mirrored(r, FULL) if reflect is None else reflect
    replicate = NEAREST if replicate is None else replicate
    return xp[c, q], Piecewise((x[c, circular], Eq(mode, 0)), (x[c, reflect], Eq(mode, 1)), (x[c, replicate], True))


def continued_proof() -> Derivation:
    """Where the index maps lead on either side, for a place that is a beyond an end of n = h + 1 places or more."""
    place, size = symbols("r n", integer=True)
    a, h = symbols("a h", integer=True, positive=True)
    mirror = size - 1 - Abs(size - 1 - Abs(place))
    last = Min(Max(place, 0), size - 1)
    longer = (size, a + h + 1)
    return Derivation(
        (
            Step("substitute", mirror, a, why="reflect: a before the first place reads place a",
                 by=((place, -a), longer), wrong=(a - 1,)),
            Step("substitute", mirror, h, why="a behind the last place reads a before it",
                 by=((place, 2 * a + h), longer), wrong=(h + 1,)),
            Step("substitute", last, 0, why="replicate: before the first place is the first", by=((place, -a), longer)),
            Step("substitute", last, a + h, why="behind the last place is the last", by=((place, 2 * a + h), longer)),
            Step("substitute", place + size, h + 1, why="circular: a before the first place reads place n - a",
                 by=((place, -a), longer)),
            Step("substitute", place - size, a - 1, why="a behind the last place reads place a - 1",
                 by=((place, 2 * a + h), longer)),
        )
    )  # fmt: skip


def plain(total: Any) -> tuple[Any, Any]:
    """An output without batch and groups."""
    return y[o, t], total + beta[o]


across = Sum(w[o, c, k] * xp[floor(o / O) * C + c, t * s + k * d], (k, 0, K - 1), (c, 0, C - 1))
padding = Claim(
    id="conv.definition.padding",
    section=SECTION,
    title="Beyond its ends a map goes on in a circle, mirrored, or with its last value",
    kind="equality",
    subject="convolution.Conv1d",
    driver="sized_module",
    structure=(MODES, GROUPS, CHANNELS, OUTPUTS, KERNEL, STRIDE, SOME, DILATION, MORE),
    inputs=BEYOND,
    program=Program(
        (continued(), plain(across)),
        (Output("y", y[o, t], (o, 0, G * O - 1), (t, 0, m + floor(2 * p / s))),),
    ),
    statement=Eq(y[o, t], across + beta[o]),
    conditions=(
        "circular reads place r modulo n; reflect mirrors at the last place and does not repeat it; replicate does",
        "the padding is shorter than the map",
        GROUPED,
    ),
    derivation=continued_proof,
    variants=(
        Variant("zeros, whatever is asked for", "known bug", ((xp[c, q], within(x[c, r], r >= 0, r < FULL)),)),
        Variant("one place off beyond the ends", "numpy's symmetric for reflect, modulo n - 1 for circular",
                (continued(around(r, FULL - 1), Min(Max(r, -r - 1), 2 * FULL - 1 - Max(r, -r - 1)),
                           Min(Max(r, 1), FULL - 2)),)),
        Variant("the end repeated, whatever is asked for", "known bug: an index clamped", (
            continued(NEAREST, NEAREST, NEAREST),)),
        Variant("zeros before the map", "known bug: continued behind it alone",
                ((xp[c, q], Piecewise((0, r < 0), (continued()[1], True))),)),
        Variant("the first group for all", "known bug: groups ignored",
                (plain(Sum(w[o, c, k] * xp[c, t * s + k * d], (k, 0, K - 1), (c, 0, C - 1))),)),
    ),
    options={
        "args": (G * C, G * O, K),
        "keywords": {"stride": s, "padding": p, "dilation": d, "groups": G, "padding_mode": "padding_mode"},
        "parameters": {"weight": "w", "bias": "beta"},
        "call": ("x",),
    },
    remarks="A map without a batch, as torch takes it too.",
)  # fmt: skip

CLAIMS = (definition, groups, padding)
