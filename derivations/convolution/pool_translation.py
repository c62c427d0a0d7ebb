"""What pooling does to a map that moves, and to the number of parameters (1.3)."""

from typing import Any

from sympy import Eq, Function, IndexedBase, Lambda, Max, Min, Piecewise, Sum, Symbol, floor, symbols

from gnomon.derivations.convolution.conv import SECTION, around, b, c, k, o, q, t
from gnomon.derivations.convolution.pool import BATCH, CHANNELS, KERNEL, B, C, K
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

# ------------------------------------------------------------------ local pooling

WINDOWS, SHIFT, NO_REST = Size("T", 2, 4), Size("m", 1, 2), Size("r", 0, 0, closed=True)
T = WINDOWS.symbol
m, r = symbols("m r", integer=True, nonnegative=True)
width = K * T
MAP = (real("x", B, C, width),)
(x,) = symbols_of(MAP)
y, z, best = (IndexedBase(name, real=True) for name in ("y", "z", "best"))
ENTRIES = (Output("y", y[b, c, t], (b, 0, B - 1), (c, 0, C - 1), (t, 0, T - 1)),)


def greatest(base: Any, by: Any) -> tuple[Any, Any]:
    """The greatest of the first k + 1 places of window t, on a map that was moved."""
    here = x[b, c, around(t * K + k - by, width)]
    return base[b, c, t, k], Piecewise((here, Eq(k, 0)), (Max(base[b, c, t, k - 1], here), True))


def answered(at: Any) -> tuple[Any, Any]:
    """What is seen at a window."""
    return y[b, c, t], best[b, c, around(at, T), K - 1]


def moving_proof() -> Derivation:
    """A move by whole windows moves the answer; a smaller one changes it, as one example shows."""
    X, moved = Function("X", real=True), Function("Xmoved", real=True)
    f, place = symbols("f", integer=True), Symbol("z", real=True)
    i = symbols("i", integer=True)
    total, after = Sum(X(t * K + k), (k, 0, K - 1)), Sum(X(t * K + k - K * m), (k, 0, K - 1))
    pair, other = Max(X(2 * t), X(2 * t + 1)), Max(X(2 * t - 2 * i), X(2 * t - 2 * i + 1))
    bump = Lambda(place, Max(0, 1 - (place - 1) ** 2))
    return Derivation(
        (
            Step("substitute", Max(moved(2 * t), moved(2 * t + 1)), other, by=((moved(f), X(f - 2 * i)),),
                 why="windows of two: the map moved by i windows"),
            Step("substitute", pair, other, by=((t, t - i),), why="gives the answer that stood i windows before"),
            Step("substitute", Sum(moved(t * K + k), (k, 0, K - 1)), after, by=((moved(f), X(f - K * m)),),
                 why="and for means, with windows of any size,"),
            Step("substitute", total, after, by=((t, t - m),), why="likewise"),
            Step("refute", Eq(pair, Max(X(2 * t - 1), X(2 * t))), Eq(pair, X(2 * t + 1)), by=({t: 0, X: bump},),
                 why="a move by 1 is another thing: 0 1 0 0 gives 1 0, and 0 0 1 0 gives 0 1"),
        )
    )  # fmt: skip


translation = Claim(
    id="pool.translation",
    section=SECTION,
    title="Pooling moves with its input, by whole windows; a smaller move changes what it shows",
    kind="invariance",
    subject="pooling.MaxPool1d",
    driver="sized_module",
    structure=(BATCH, CHANNELS, KERNEL, WINDOWS, SHIFT, NO_REST),
    inputs=MAP,
    program=Program((greatest(best, 0), answered(t - m)), ENTRIES),
    definition=Program((greatest(z, K * m + r), (y[b, c, t], z[b, c, t, K - 1])), ENTRIES),
    statement=Eq(Function("y")(Function("x")(q - K * m), t), Function("y")(Function("x")(q), t - m)),
    conditions=("the map is a circle, of whole windows", "the stride is the kernel size", "moved by m windows"),
    derivation=moving_proof,
    variants=(
        Variant("nothing changes when the map moves by one place", "notes", (answered(t),), printed=True,
                structure=(Size("m", 0, 0), Size("r", 1, 1)),
                why="true of a move within a window only: 0 1 0 0 and 1 0 0 0 both give 1 0, but 0 0 1 0 gives 0 1"),
        Variant("nothing changes when it moves by a window", "known bug: taken for invariant", (answered(t),)),
        Variant("moved the other way", "known bug", (answered(t + m),)),
    ),
    options={"args": (K,), "keywords": {}, "call": ("x",), "moved": {"x": K * m + r}},
    remarks="The notes say: translation invariance, to small transformations. That is a tendency, not a law.",
)  # fmt: skip

# ------------------------------------------------------------------ global pooling

LENGTH, ANY_SHIFT = Size("n", 2, 5), Size("m", 1, 4)
n = LENGTH.symbol
CIRCLE = (real("x", B, C, n),)
POOLED = (Output("y", y[b, c], (b, 0, B - 1), (c, 0, C - 1)),)


def shown(value: Any) -> tuple[Any, Any]:
    """One number for a map."""
    return y[b, c], value


def invariance_proof() -> Derivation:
    """A sum over the whole circle does not know where it begins."""
    shift, X = Function("tau", integer=True), IndexedBase("X", real=True)
    size = symbols("n", integer=True, positive=True)
    f, g = symbols("f g", real=True)
    left, right = symbols("a c", integer=True, positive=True)
    split = Sum(X[q + right], (q, 0, left - 1)) + Sum(X[q], (q, 0, right - 1))
    return Derivation(
        (
            Step("reindex", Sum(X[shift(q)], (q, 0, size - 1)), Sum(X[q], (q, 0, size - 1)), by=(shift,),
                 why="a move round the circle is a bijection tau of its places: the sum is the same"),
            Step("reindex", split, Sum(X[q], (q, right, left + right - 1)) + Sum(X[q], (q, 0, right - 1)),
                 by=((q, q - right),), why="what left at one end is at the other: both parts are still there"),
            Step("substitute", Max(f, g), Max(f, g), by=((f, g), (g, f)),
                 why="the greatest of both parts, exchanged: nor does a maximum know an order"),
        )
    )  # fmt: skip


def pooled(row: str, subject: str, title: str, program: Program, *variants: Variant, **more: Any) -> Claim:
    """A claim on global pooling of a map that has been moved round its circle."""
    return Claim(
        id=row,
        section=SECTION,
        title=title,
        kind="invariance",
        subject=subject,
        driver="sized_function",
        structure=(BATCH, CHANNELS, LENGTH, ANY_SHIFT),
        inputs=CIRCLE,
        program=program,
        statement=Eq(Function("y")(Function("x")(q - m)), Function("y")(Function("x")(q))),
        conditions=("the map is a circle", "any move"),
        derivation=invariance_proof,
        variants=variants,
        options={"arguments": ("x",), "moved": {"x": m}},
        **more,
    )


whole = Sum(x[b, c, q], (q, 0, n - 1))
half = floor((n + 1) / 2)
global_average = pooled(
    "pool.translation.global_average",
    "pooling.global_average",
    "The mean of a whole map stays, however the map moves",
    Program((shown(whole / n),), POOLED),
    Variant("the mean of the first half", "local pooling", (shown(Sum(x[b, c, q], (q, 0, half - 1)) / half),)),
    Variant("not divided", "known bug", (shown(whole),)),
    Variant("divided by one place less", "known bug: an unbiased divisor", (shown(whole / (n - 1)),)),
    Variant("the mean of all maps", "known bug: over the channels, too",
            (shown(Sum(x[b, o, q], (q, 0, n - 1), (o, 0, C - 1)) / (n * C)),)),
    remarks="On top of convolutions with circular padding this makes a network truly invariant: convnet.sequence.",
)  # fmt: skip
running = (best[b, c, q], Piecewise((x[b, c, q], Eq(q, 0)), (Max(best[b, c, q - 1], x[b, c, q]), True)))
global_maximum = pooled(
    "pool.translation.global_maximum",
    "pooling.global_maximum",
    "The greatest number of a whole map stays, however the map moves",
    Program((running, shown(best[b, c, n - 1])), POOLED),
    Variant("the greatest of all but the last", "known bug: one too short", (shown(best[b, c, n - 2]),)),
    Variant("zero at least", "known bug: padded, or relu", (shown(Max(best[b, c, n - 1], 0)),)),
    Variant("the greatest of the first maps", "known bug: over the channels, too",
            (shown(Max(best[b, 0, n - 1], best[b, Min(1, C - 1), n - 1], best[b, c, n - 1])),)),
)  # fmt: skip

# ------------------------------------------------------------------ parameters

TAPS, OUTPUTS = Size("k", 2, 3), Size("O", 2, 4)
taps, O = symbols_of((TAPS, OUTPUTS))
parameters, convolution, linear = symbols("parameters convolution linear", integer=True, nonnegative=True)


def parameters_proof() -> Derivation:
    """Which layer above knows the size of the map."""
    side, ins, outs, kernel = symbols("h I O k", integer=True, positive=True)
    above, flat = kernel**2 * ins * outs + outs, side**2 * ins * outs + outs
    return Derivation(
        (
            Step("differentiate", above, 0, by=(side,), why="a convolution above does not know the size h of the map"),
            Step("substitute", flat, 81930, by=((side, 32), (ins, 8), (outs, 10)), wrong=(20490,),
                 why="a linear layer does: 81930 parameters above 8 maps of 32 x 32"),
            Step("substitute", flat, 20490, by=((side, 16), (ins, 8), (outs, 10)), why="and 20490 above 16 x 16"),
            Step("substitute", above, 1168, by=((kernel, 3), (ins, 8), (outs, 16)),
                 why="1168 for a 3 x 3 convolution to 16 channels, with pooling below it or without"),
        )
    )  # fmt: skip


counts = Claim(
    id="pool.parameters",
    section=SECTION,
    title="Pooling has no parameters, and saves them in a linear layer above, not in a convolution",
    kind="equality",
    subject="pooling.MaxPool1d",
    driver="counted",
    structure=(CHANNELS, KERNEL, Size("T", 3, 4), TAPS, OUTPUTS),
    inputs=(),
    program=Program(
        ((parameters, 0), (convolution, taps * C * O + O), (linear, C * T * O + O)),
        (Output("parameters", parameters), Output("convolution", convolution), Output("linear", linear)),
    ),
    statement=Eq(linear, C * T * O + O),
    conditions=("the map is K T long, and T long once pooled", "on top: a linear layer or a convolution, O outputs"),
    derivation=parameters_proof,
    variants=(
        Variant("the convolution above has fewer, too", "notes", printed=True,
                replace=((convolution, O + floor(taps * C * O / K)),),
                why="a kernel does not know how large its map is: what pooling saves there is computation"),
        Variant("the linear layer above keeps all", "without pooling", ((linear, C * K * T * O + O),)),
        Variant("a weight for each place of a window", "a strided convolution", ((parameters, C * K),)),
    ),
    gradient=False,
    options={
        "args": (K,), "keywords": {}, "input": (1, C, K * T), "linear": O, "convolution": (O, taps),
    },
    remarks="Counted on the layer, and on layers that torch builds to fit its output: nothing to differentiate.",
)  # fmt: skip

CLAIMS = (translation, global_average, global_maximum, counts)
