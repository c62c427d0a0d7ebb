"""Convolution as a linear map: its matrix, its transpose, and what moves with its input (1.3)."""

from typing import Any

from sympy import And, Eq, Function, IndexedBase, KroneckerDelta, Lambda, Min, Piecewise, Sum, Symbol, floor, symbols

from gnomon.derivations.convolution.conv import (
    BATCH,
    CHANNELS,
    DILATION,
    GROUPS,
    INPUTS,
    KERNEL,
    LEFT,
    MORE,
    OUTPUTS,
    PADDING,
    SECTION,
    STRIDE,
    B,
    C,
    G,
    K,
    O,
    T,
    around,
    b,
    c,
    d,
    k,
    n,
    o,
    p,
    padded,
    q,
    s,
    t,
    within,
    xp,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

# ------------------------------------------------------------------ the matrix

KERNEL_ALONE = (real("u", K),)
(u,) = symbols_of(KERNEL_ALONE)
M = IndexedBase("M", real=True)


def matrix(entry: Any) -> tuple[Any, Any]:
    """Another matrix."""
    return M[t, q], entry


def placed(at: Any, weight: Any = u[k]) -> tuple[Any, Any]:
    """Each weight of the kernel at its place in each row."""
    return matrix(Sum(weight * KroneckerDelta(q, at), (k, 0, K - 1)))


def matrix_proof() -> Derivation:
    """The matrix times a map is the convolution; its transpose spreads what comes back over the same places."""
    w, x, g = (IndexedBase(name, real=True) for name in ("w", "x", "g"))
    size, rows, r = symbols("n T r", integer=True, positive=True)
    tap = t * s + k * d - p
    read = Piecewise((x[tap], And(tap >= 0, size - 1 - tap >= 0)), (0, True))
    back = Piecewise((g[q - k], And(q - k >= 0, rows - 1 - q + k >= 0)), (0, True))
    return Derivation(
        (
            define(M[t, q], placed(tap, w[k])[1], "row t holds the kernel, s places further right than the row above"),
            Step("collapse", Sum(w[k] * KroneckerDelta(q, tap) * x[q], (q, 0, size - 1), (k, 0, K - 1)),
                 Sum(w[k] * read, (k, 0, K - 1)), why="the matrix times x is the convolution"),
            Step("collapse", Sum(w[k] * KroneckerDelta(q, t + k) * g[t], (t, 0, rows - 1), (k, 0, K - 1)),
                 Sum(w[k] * back, (k, 0, K - 1)), why="its transpose times g reads the kernel backwards (stride 1)"),
            Step("sum", Sum(K, (t, 0, r - 1)), r * K, why="T rows of K entries: all others of the n T are 0"),
        )
    )  # fmt: skip


away = q + p - t * s
weight_sharing = Claim(
    id="conv.weight_sharing",
    section=SECTION,
    title="A convolution is a matrix with the same few weights in every row",
    kind="equality",
    subject="convolution.toeplitz",
    driver="sized_function",
    structure=(KERNEL, STRIDE, PADDING, DILATION, MORE, LEFT),
    inputs=KERNEL_ALONE,
    program=Program((placed(t * s + k * d - p),), (Output("M", M[t, q], (t, 0, T - 1), (q, 0, n - 1)),)),
    definition=Program(
        (matrix(within(u[floor(away / d)], away >= 0, away <= (K - 1) * d, Eq(floor(away / d) * d, away))),),
        (Output("M", M[t, q], (t, 0, T - 1), (q, 0, n - 1)),),
    ),
    statement=Eq(M[t, q], Sum(u[k] * KroneckerDelta(q, t * s + k * d - p), (k, 0, K - 1))),
    conditions=("one channel", "zeros beyond the ends"),
    derivation=matrix_proof,
    variants=(
        Variant("the kernel flipped", "convolution in mathematics", (placed(t * s + k * d - p, u[K - 1 - k]),)),
        Variant("stride ignored", "known bug", (placed(t + k * d - p),)),
        Variant("dilation ignored", "known bug", (placed(t * s + k - p),)),
        Variant("padding ignored", "known bug", (placed(t * s + k * d),)),
        Variant("the rows wrap round", "a circulant matrix: circular padding", (
            placed(around(t * s + k * d - p, n)),
        )),
    ),
    options={"arguments": ("u", n, s, p, d)},
    remarks="Local connectivity is where the matrix is 0, weight sharing that its rows repeat.",
)  # fmt: skip

# ------------------------------------------------------------------ moving the input

mode = symbols("mode", integer=True)
EDGE, FLAT = Choice("padding_mode", {"circular": {mode: 0}}), Choice("padding_mode", {"zeros": {mode: 1}})
STEP, SIDE, WINDOWS, SHIFT = Size("s", 1, 3), Size("p", 0, 1, closed=True), Size("T", 2, 5), Size("m", 1, 2)
NO_REST = Size("r", 0, 0, closed=True)
windows = WINDOWS.symbol
m, r = symbols("m r", integer=True, nonnegative=True)
width, taps = s * windows, 2 * p + 1
shift = s * m + Min(r, s - 1)
MAP = (real("x", C, width), real("w", O, C, taps), real("beta", O))
x, w, beta = symbols_of(MAP)
z, y = IndexedBase("z", real=True), IndexedBase("y", real=True)


def seen(by: Any) -> Any:
    """The convolution of the map, moved by so many places."""
    place = t * s + k - p
    value = x[c, around(place - by, width)]
    beyond = Piecewise((value, Eq(mode, 0)), (within(value, place >= 0, place < width), True))
    return Sum(w[o, c, k] * beyond, (k, 0, taps - 1), (c, 0, C - 1)) + beta[o]


def answered(at: Any) -> tuple[Any, Any]:
    """What is seen at a place of the output."""
    return y[o, t], z[o, around(at, windows)]


def translation_proof() -> Derivation:
    """Moving the signal is moving the answer, in one axis and in two; the answer itself does change."""
    v, place = IndexedBase("v", real=True), Symbol("z", real=True)
    X, Y, moved, shown = (Function(name, real=True) for name in ("X", "Y", "Xmoved", "Ymoved"))
    f, h, i = symbols("f h i", integer=True)
    t2, k2, m2 = symbols("t2 k2 m2", integer=True)
    answer, after = Sum(v[k] * X(t * s + k), (k, 0, K - 1)), Sum(v[k] * X(t * s + k - s * m), (k, 0, K - 1))
    ranges = (k, 0, K - 1), (k2, 0, K - 1), (c, 0, C - 1)
    flat = Sum(v[c, k, k2] * Y(c, t + k, t2 + k2), *ranges)
    other = Sum(v[c, k, k2] * Y(c, t + k - m, t2 + k2 - m2), *ranges)
    return Derivation(
        (
            Step("substitute", Sum(v[k] * moved(t * s + k), (k, 0, K - 1)), after,
                 why="the answer to an endless (or circular) signal, moved by s m places",
                 by=((moved(f), X(f - s * m)),),
                 wrong=(Sum(v[k] * X(t * s + k - m), (k, 0, K - 1)), answer)),
            Step("substitute", answer, after, why="is the answer to the signal itself, m places before",
                 by=((t, t - m),)),
            Step("substitute", Sum(v[c, k, k2] * shown(c, t + k, t2 + k2), *ranges), other,
                 why="on images with channels, likewise", by=((shown(i, f, h), Y(i, f - m, h - m2)),)),
            Step("substitute", flat, other, why="and the answer moves in both axes", by=((t, t - m), (t2, t2 - m2))),
            Step("refute", Eq(answer, after), Eq(answer, v[0] * X(t)),
                 why="the answer is not invariant: K = 1 and the signal X(z) = z",
                 by=({K: 1, t: 0, s: 1, m: 1, v[0]: 1, X: Lambda(place, place)},)),
        )
    )  # fmt: skip


translation = Claim(
    id="conv.translation",
    section=SECTION,
    title="Moving the input moves the output: equivariance, not invariance",
    kind="invariance",
    subject="convolution.Conv1d",
    driver="sized_module",
    structure=(EDGE, CHANNELS, OUTPUTS, STEP, SIDE, WINDOWS, SHIFT, NO_REST),
    inputs=MAP,
    program=Program(
        ((z[o, t], seen(0)), answered(t - m)), (Output("y", y[o, t], (o, 0, O - 1), (t, 0, windows - 1)),)
    ),
    definition=Program(((y[o, t], seen(shift)),), (Output("y", y[o, t], (o, 0, O - 1), (t, 0, windows - 1)),)),
    statement=Eq(Function("y")(Function("x")(q - s * m), t), Function("y")(Function("x")(q), t - m)),
    conditions=(
        "the map is a circle (circular padding), or endless",
        "the map is moved by whole strides, and its length is one of them",
    ),
    derivation=translation_proof,
    variants=(
        Variant("invariance: the output stays", "notes", (answered(t),), printed=True,
                why="one weight 1: what is moved in the input is moved in the output"),
        Variant("zero padding, too", "notes: condition not stated", structure=(FLAT, Size("p", 1, 1)), printed=True,
                why="what leaves at one end and comes in at the other meets other neighbours"),
        Variant("moves that are no whole strides, too", "notes: condition not stated", printed=True,
                structure=(Size("r", 1, 1), Size("s", 2, 3)),
                why="with stride 2 a move by 1 shows the places that were left out"),
        Variant("moved the other way", "known bug", (answered(t + m),)),
        Variant("moved by places, not by strides", "known bug", (answered(t - s * m),)),
    ),
    options={
        "args": (C, O, taps),
        "keywords": {"stride": s, "padding": p, "padding_mode": "padding_mode"},
        "parameters": {"weight": "w", "bias": "beta"},
        "call": ("x",),
        "moved": {"x": shift},
    },
    remarks="The subject is given the moved map. The notes say 'translation invariance', which only global pooling on "
    "top brings: pool.translation.global_average.",
)  # fmt: skip

# ------------------------------------------------------------------ the backward pass

GRADIENT = real("g", B, G * O, T)
g = GRADIENT.symbol
xs, ws, _ = symbols_of(INPUTS)
dx, dw = IndexedBase("dx", real=True), IndexedBase("dw", real=True)
j = Symbol("j", integer=True)
TAPS, THREE = Size("K", 1, 3), Size("m", 2, 2)  # one tap, too; three windows, so that padding of 2 leaves a map
CHANNELLED = GROUPS, CHANNELS, OUTPUTS, TAPS, Size("s", 1, 4), Size("d", 1, 3), THREE
own, slot = floor(c / C), c - C * floor(c / C)


def by_input(weight: Any = None, gap: Any = s, step: Any = d, offset: Any = p) -> tuple[Any, Any]:
    """What window t hands back to place q, from each tap that reads it."""
    weight = ws[own * O + j, slot, k] if weight is None else weight
    place = q + offset - k * step
    back = floor(place / gap)
    handed = within(g[b, own * O + j, back], Eq(back * gap, place), place >= 0, place <= (T - 1) * gap)
    return dx[b, c, q], Sum(weight * handed, (k, 0, K - 1), (j, 0, O - 1))


def by_weight(tap: Any = t * s + k * d, channel: Any = None, over: Any = None) -> tuple[Any, Any]:
    """The input under a tap, times what comes back."""
    channel = floor(o / O) * C + c if channel is None else channel
    total = Sum(g[b, o, t] * xp[b, channel, tap], (t, 0, T - 1), (b, 0, B - 1))
    return dw[o, c, k], total / over if over else total


def gradients_proof() -> Derivation:
    """Differentiate the loss by a weight and by a place of the input."""
    w, x, g = (IndexedBase(name, real=True) for name in ("w", "x", "g"))
    i, a, rows = symbols("i a T", integer=True, positive=True)
    loss = Sum(g[t] * Sum(w[k] * x[t * s + k * d], (k, 0, K - 1)), (t, 0, rows - 1))
    plain = Sum(g[t] * Sum(w[k] * x[t + k], (k, 0, K - 1)), (t, 0, rows - 1))
    inside = And(a - t >= 0, K - 1 - a + t >= 0)
    flipped = Sum(g[t] * Piecewise((w[a - t], inside), (0, True)), (t, 0, rows - 1))
    wrong = Sum(g[t] * Piecewise((w[K - 1 - a + t], inside), (0, True)), (t, 0, rows - 1))
    N, Q = symbols("N Q", integer=True, positive=True)
    entry = M[t, q]
    return Derivation(
        (
            Step("differentiate", loss, Sum(g[t] * x[t * s + i * d], (t, 0, rows - 1)), by=(w[i],),
                 why="by a weight: the input correlated with what comes back, s places apart",
                 wrong=(Sum(g[t] * x[t * s + i], (t, 0, rows - 1)),)),
            Step("differentiate", loss,
                 Sum(g[t] * w[k] * KroneckerDelta(a, t * s + k * d), (k, 0, K - 1), (t, 0, rows - 1)), by=(x[a],),
                 why="by a place of the input: every tap that read it"),
            Step("differentiate", plain, flipped, by=(x[a],), wrong=(wrong,),
                 why="with stride 1 that is tap a - t: the kernel backwards, which is a convolution in the true sense"),
            Step("rewrite", Sum(g[t] * Sum(entry * x[q], (q, 0, Q - 1)), (t, 0, N - 1)),
                 Sum(x[q] * Sum(entry * g[t], (t, 0, N - 1)), (q, 0, Q - 1)),
                 why="both are the transpose of one matrix: <g, M x> = <M' g, x>"),
        )
    )  # fmt: skip


gradients = Claim(
    id="conv.gradients",
    section=SECTION,
    title="The gradient by the input spreads what comes back over the taps: the kernel backwards",
    kind="equality",
    subject="convolution.conv1d_input",
    driver="sized_function",
    structure=(Size("B", 1, 1), *CHANNELLED, Size("p", 0, 2), LEFT),
    inputs=(INPUTS[1], GRADIENT),
    program=Program((by_input(),), (Output("dx", dx[b, c, q], (b, 0, B - 1), (c, 0, G * C - 1), (q, 0, n - 1)),)),
    definition=Program(
        (
            (dx[b, c, q], Sum(ws[own * O + j, slot, k] * g[b, own * O + j, t] * KroneckerDelta(q, t * s + k * d - p),
                              (t, 0, T - 1), (k, 0, K - 1), (j, 0, O - 1))),
        ),
        (Output("dx", dx[b, c, q], (b, 0, B - 1), (c, 0, G * C - 1), (q, 0, n - 1)),),
    ),
    statement=Eq(dx[b, c, q], Sum(ws[o, slot, k] * g[b, o, t] * KroneckerDelta(q, t * s + k * d - p),
                                  (t, 0, T - 1), (k, 0, K - 1), (o, own * O, own * O + O - 1))),
    conditions=("g is the gradient by the output", "zeros beyond the ends"),
    derivation=gradients_proof,
    variants=(
        Variant("the flip forgotten", "known bug", (by_input(ws[own * O + j, slot, K - 1 - k]),)),
        Variant("stride ignored", "known bug: no zeros between what comes back", (by_input(gap=1),)),
        Variant("dilation ignored", "known bug", (by_input(step=1),)),
        Variant("padding ignored", "known bug: the ends not cut off", (by_input(offset=0),)),
    ),
    options={"arguments": ((B, G * C, n), "w", "g", s, p, d, G)},
    remarks="A transposed convolution. For the layers themselves, conv.definition checks autograd's gradient.",
)  # fmt: skip

weights = Claim(
    id="conv.gradients.weight",
    section=SECTION,
    title="The gradient by the weight is the input, correlated with what comes back",
    kind="equality",
    subject="convolution.conv1d_weight",
    driver="sized_function",
    structure=(BATCH, *CHANNELLED, Size("p", 0, 2), LEFT),
    inputs=(INPUTS[0], GRADIENT),
    program=Program(
        (padded(), by_weight()), (Output("dw", dw[o, c, k], (o, 0, G * O - 1), (c, 0, C - 1), (k, 0, K - 1)),)
    ),
    statement=Eq(dw[o, c, k], by_weight()[1]),
    conditions=("g is the gradient by the output", "zeros beyond the ends"),
    derivation=gradients_proof,
    variants=(
        Variant("stride ignored", "known bug", (by_weight(t + k * d),)),
        Variant("dilation ignored", "known bug", (by_weight(t * s + k),)),
        Variant("flipped", "known bug: the gradient of a true convolution", (by_weight(t * s + (K - 1 - k) * d),)),
        Variant("padding ignored", "known bug", (padded(0),)),
        Variant("the mean over the batch", "known bug", (by_weight(over=B),)),
    ),
    options={"arguments": ("x", (G * O, C, K), "g", s, p, d, G)},
)  # fmt: skip

CLAIMS = (weight_sharing, translation, gradients, weights)
