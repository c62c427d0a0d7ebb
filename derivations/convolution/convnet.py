"""A network of convolutions, each followed by a non-linearity (1.3)."""

from typing import Any

from sympy import Eq, Function, IndexedBase, Lambda, Max, Piecewise, Sum, Symbol, floor, symbols, tanh

from gnomon.derivations.convolution.conv import C, K, around, c, k, o, t, within
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, Sizes, real, symbols_of

WIDEST = 2
DEPTH, KERNEL, LENGTH, SHIFT = Size("depth", 2, 3), Size("K", 1, 3), Size("n", 3, 4), Size("m", 1, 2)
CHANNELS = Sizes("channels", DEPTH.symbol + 1, 1, WIDEST)
depth, n, m = symbols_of((DEPTH, LENGTH, SHIFT))
channels = CHANNELS.symbol
sigma, u, mode = Function("sigma"), Symbol("u", real=True), Symbol("mode", integer=True)
ACTIVATION = Choice(
    "activation",
    {"relu": {sigma: Lambda(u, Max(u, 0))}, "tanh": {sigma: Lambda(u, tanh(u))}},
)
EDGE, FLAT = Choice("padding_mode", {"circular": {mode: 0}}), Choice("padding_mode", {"zeros": {mode: 1}})
INPUTS = (real("x", channels[0], n), real("w", depth, WIDEST, WIDEST, K), real("b", depth, WIDEST))
x, w, b = symbols_of(INPUTS)
h, y, moved = (IndexedBase(name, real=True) for name in ("h", "y", "moved"))
l = Symbol("l", integer=True)
before = floor((K - 1) / 2)
ENTRIES = (Output("y", y[o, t], (o, 0, channels[depth] - 1), (t, 0, n - 1)),)


def summed(layer: Any, weight: Any = w[l - 1, o, c, k]) -> Any:
    """What a layer computes from the one below, before its non-linearity."""
    place = t + k - before
    value = layer[l - 1, c, around(place, n)]
    beyond = Piecewise((value, Eq(mode, 0)), (within(value, place >= 0, place < n), True))
    return Sum(weight * beyond, (k, 0, K - 1), (c, 0, channels[l - 1] - 1)) + b[l - 1, o]


def network(layer: Any, first: Any, rest: Any) -> tuple[Any, Any]:
    """All layers, from the input on."""
    return layer[l, o, t], Piecewise((first, Eq(l, 0)), (rest, True))


def answered(at: Any) -> tuple[Any, Any]:
    """What is seen at a place."""
    return y[o, t], h[depth, o, around(at, n)]


def sequence_proof() -> Derivation:
    """One layer moves along with the one below; and so, layer by layer, does the last with the first."""
    v, sig = IndexedBase("v", real=True), Function("sigma", real=True)
    below, there = Function("H", real=True), Function("Hmoved", real=True)
    bias, S = Symbol("beta", real=True), IndexedBase("S")
    f, i, first = symbols("f i S0", integer=True)
    shift = symbols("m", integer=True)
    layer = sig(Sum(v[c, k] * below(c, t + k), (k, 0, K - 1), (c, 0, C - 1)) + bias)
    after = sig(Sum(v[c, k] * below(c, t + k - shift), (k, 0, K - 1), (c, 0, C - 1)) + bias)
    return Derivation(
        (
            define(h[l, o, t], sigma(summed(h)), "a layer: a convolution, then the non-linearity of each number"),
            Step("substitute", sig(Sum(v[c, k] * there(c, t + k), (k, 0, K - 1), (c, 0, C - 1)) + bias), after,
                 by=((there(i, f), below(i, f - shift)),), why="the layer below moved by m places"),
            Step("substitute", layer, after, by=((t, t - shift),),
                 why="moves this layer by m places, whatever sigma is"),
            define(S[l], S[l], "by how far layer l has moved"),
            Step("induction", Eq(S[l], S[l - 1]), first, by=(l, 0, first),
                 why="each layer has moved as far as the one below, so the last as far as the input"),
        ),
        lift="induction",
    )  # fmt: skip


inner = summed(h)
sequence = Claim(
    id="convnet.sequence",
    section="1.3",
    title="A network of convolutions moves with its input, whatever its depth and non-linearity",
    kind="invariance",
    subject="convolution.ConvNet",
    driver="layers",
    structure=(DEPTH, CHANNELS, KERNEL, LENGTH, ACTIVATION, SHIFT, EDGE),
    inputs=INPUTS,
    program=Program((network(h, x[o, t], sigma(inner)), answered(t - m)), ENTRIES),
    definition=Program(
        (network(moved, x[o, around(t - m, n)], sigma(summed(moved))), (y[o, t], moved[depth, o, t])), ENTRIES
    ),
    statement=Eq(h[l, o, t], sigma(Sum(w[l - 1, o, c, k] * h[l - 1, c, t + k - before], (k, 0, K - 1),
                                       (c, 0, channels[l - 1] - 1)) + b[l - 1, o])),
    conditions=("the map is a circle (circular padding)", "stride 1", "the non-linearity acts on each number"),
    derivation=sequence_proof,
    variants=(
        Variant("invariance: the output stays", "notes", (answered(t),), printed=True,
                why="the notes give translation invariance to convolutions; it needs global pooling on top"),
        Variant("zero padding, too", "notes: condition not stated", printed=True,
                structure=(FLAT, Size("K", 3, 3))),
        Variant("no non-linearity", "known bug: one convolution in disguise", (network(h, x[o, t], inner),)),
        Variant("a non-linearity after the last layer only", "known bug",
                (network(h, x[o, t], Piecewise((sigma(inner), Eq(l, depth)), (inner, True))),)),
        Variant("none after the last layer", "as for logits",
                (network(h, x[o, t], Piecewise((inner, Eq(l, depth)), (sigma(inner), True))),)),
        Variant("the non-linearity before each convolution", "pre-activation", (
            network(h, sigma(x[o, t]), Piecewise((inner, Eq(l, depth)), (sigma(inner), True))),)),
        Variant("moved the other way", "known bug", (answered(t + m),)),
    ),
    options={
        "args": ("channels", K),
        "keywords": {"activation": "activation", "padding_mode": "padding_mode", "axes": 1},
        "moved": {"x": m},
    },
    remarks="The subject is given the moved map. Parameters are padded to the widest layer; the padding is never read.",
)  # fmt: skip

CLAIMS = (sequence,)
