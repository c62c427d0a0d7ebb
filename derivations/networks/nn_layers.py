"""Why there are activations, and what a hidden layer adds: collapse, XOR and parity (notes, section 1)."""

import dataclasses
from typing import Any

from sympy import (
    Abs,
    Eq,
    Function,
    IndexedBase,
    Max,
    Min,
    Or,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    false,
    floor,
    symbols,
)

from gnomon.derivations.backprop.backprop_network import (
    DEEP,
    NETWORK,
    PADDING,
    PARAMETERS,
    WIDTHS,
    Theta,
    W,
    a,
    activated,
    affine,
    b,
    biases,
    h,
    i,
    j,
    k,
    l,
    n,
)
from gnomon.derivations.networks.nn import only
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, Sizes, real, symbols_of

SECTION = "1"
p, q, r = symbols("p q r", integer=True, nonnegative=True)
m = Symbol("m", integer=True, positive=True)

# ------------------------------------------------------------------ layers without activations

P, B, bias = (IndexedBase(name, real=True) for name in ("P", "B", "bias"))
first, last = IndexedBase("A", real=True), IndexedBase("D", real=True)


def product(weight: Any = Theta[l, q, j]) -> tuple[Any, Any]:
    """The weights up to layer l + 1 as one matrix."""
    return P[l, i, j], Piecewise((Theta[0, i, j], Eq(l, 0)), (Sum(P[l - 1, i, q] * weight, (q, 0, n[l] - 1)), True))


def carried(below: Any = None) -> tuple[Any, Any]:
    """The bias up to layer l + 1."""
    below = Sum(B[l - 1, q] * Theta[l, q, j], (q, 0, n[l] - 1)) if below is None else below
    return B[l, j], Piecewise((bias[l, j], Eq(l, 0)), (below + bias[l, j], True))


BIAS = (bias[l, j], Piecewise((b[l, j], Eq(biases, 1)), (0, True)))
AS_ONE = (Output("P", P[k - 1, i, j], (i, 0, n[0] - 1), (j, 0, n[k] - 1)), Output("B", B[k - 1, j], (j, 0, n[k] - 1)))
path = IndexedBase("path", real=True)
offset = IndexedBase("offset", real=True)
through = Sum(path[l - 1, i, q] * Theta[l - 1, q, j], (q, 0, n[l - 1] - 1))
from_origin = Sum(offset[l - 1, q] * Theta[l - 1, q, j], (q, 0, n[l - 1] - 1)) + bias[l - 1, j]
# what reaches unit j of layer l from the unit vector at input i, and from the origin with biases
FORWARD = Program(
    (
        BIAS,
        (path[l, i, j], Piecewise((Theta[0, i, j], Eq(l, 1)), (through, True))),
        (offset[l, j], Piecewise((0, Eq(l, 0)), (from_origin, True))),
    ),
    (Output("P", path[k, i, j], (i, 0, n[0] - 1), (j, 0, n[k] - 1)), Output("B", offset[k, j], (j, 0, n[k] - 1))),
)


def collapse_proof() -> Derivation:
    inside, outside = (i, 0, p - 1), (q, 0, m - 1)
    z, c, d, minor = (IndexedBase(name, real=True) for name in ("z", "c", "d", "M"))
    twice = Sum((Sum(first[i, q] * z[i], inside) + c[q]) * last[q, j], outside) + d[j]
    once = Sum(Sum(first[i, q] * last[q, j], outside) * z[i], inside)
    rest = Sum(c[q] * last[q, j], outside) + d[j]
    u, v = symbols("u v", real=True)
    return Derivation(
        (
            define(P[l, i, j], Sum(P[l - 1, i, q] * Theta[l, q, j], (q, 0, n[l] - 1)), "the product of the weights"),
            Step(
                "rewrite",
                twice,
                once + rest,
                "Two layers without an activation between them, for all widths: swap the sums. "
                "The result is a layer again, so that any number of them collapses, one by one.",
                wrong=(once + d[j], once + Sum(c[q], outside) + d[j]),
            ),
            Step(
                "substitute",
                minor[0, 0] * minor[1, 1] - minor[0, 1] * minor[1, 0],
                0,
                "Through a layer of one unit every minor of two rows and two columns is zero: the rank is the least "
                "width on the way, at most.",
                by=((minor[i, j], z[i] * c[j]),),
            ),
            Step(
                "refute",
                Eq(Max(u + v, 0), Max(u, 0) + Max(v, 0)),
                false,
                "An activation prevents it: a layer with ReLU units does not add up.",
                by=({u: 1, v: -1},),
            ),
        ),
        lift="induction",
    )


collapse = Claim(
    id="nn.forward.linear_collapse",
    section=SECTION,
    title="Layers without activations between them are one layer: the product of their weights",
    kind="equality",
    subject="nn.collapse_linear",
    driver="collapsed",
    structure=(DEEP, dataclasses.replace(WIDTHS, low=2), NETWORK[3]),
    inputs=PARAMETERS,
    program=Program((BIAS, product(), carried()), AS_ONE),
    definition=FORWARD,
    statement=Eq(P[l, i, j], Sum(P[l - 1, i, q] * Theta[l, q, j], (q, 0, n[l] - 1))),
    conditions=("all hidden activations are the identity",),
    derivation=collapse_proof,
    variants=(
        Variant("a matrix transposed", "known bug", (product(Theta[l, j, q]),), why="unseen where it is symmetric"),
        Variant("biases added up", "known bug", (carried(Sum(B[l - 1, q], (q, 0, n[l] - 1))),)),
        Variant("the last bias alone", "known bug", (carried(0),)),
        Variant(
            "the first bias not carried",
            "known bug",
            (carried(Piecewise((0, Eq(l, 1)), (Sum(B[l - 1, q] * Theta[l, q, j], (q, 0, n[l] - 1)), True))),),
        ),
    ),
    remarks="Widths of 2 and 3, so that equal ones are common: there nothing but the numbers shows a wrong order. The "
    "definition sends each unit vector, and the origin, through the layers. " + PADDING,
)

# ------------------------------------------------------------------ XOR

POINTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
yhat, target = IndexedBase("yhat", real=True), IndexedBase("t", real=True)
BITS = activated(a, first=Piecewise((floor(a / 2), Eq(j, 0)), (a - 2 * floor(a / 2), True)))
XOR = (target[a], Piecewise((1, Or(Eq(a, 1), Eq(a, 2))), (0, True)))
SHALLOW = Size("k", 1, 1)
PAIRS = Sizes("n", SHALLOW.symbol + 1, 2, 2)
# three units a layer, the last bit twice, and weights among which a network for XOR is soon found
NO_HIDDEN = only(NETWORK[1], "relu")  # of hidden layers, of which there are none
LAST = only(NETWORK[2], "sigmoid"), only(NETWORK[3], "yes")
DEEPER = (Size("k", 2, 2), Sizes("n", SHALLOW.symbol + 1, 3, 3), NETWORK[1], *LAST)
MODEST = (real("Theta", k, W, W, low=-3.0, high=3.0), real("b", k, W, low=-3.0, high=3.0))


def worst(least: Any) -> Relation:
    errors = [Abs(yhat[at, q] - target[at]) for at in range(4)]
    return Relation(Max(*errors), ">=", least, ((q, 0, 1),))


both = h[0, a, 0] + h[0, a, 1]
BY_HAND = activated(a, first=BITS[1].args[0][0], last=Max(both, 0) - 2 * Max(both - 1, 0))


def xor_proof() -> Derivation:
    point, one, other, w = (IndexedBase(name, real=True) for name in ("x", "u", "v", "w"))
    c, s00, s01, s10, s11 = symbols("b s_00 s_01 s_10 s_11", real=True)
    up, down = symbols("g_1 g_2", positive=True)

    def layer(moved: Any) -> Any:
        return Sum(w[i] * (point[i] + moved), (i, 0, m - 1)) + c

    at = [layer(moved) for moved in (0, other[i], one[i], one[i] + other[i])]
    e1, e2 = symbols("x_1 x_2", real=True)
    hidden = Max(e1 + e2, 0) - 2 * Max(e1 + e2 - 1, 0)
    return Derivation(
        (
            Step(
                "rewrite",
                at[0] + at[3] - at[1] - at[2],
                0,
                "The pre-activations at the corners of a parallelogram are tied to each other, for all weights.",
            ),
            Step(
                "rewrite",
                (at[1] - 1) + (at[2] - 1) - at[0] - at[3],
                -2,
                "Without an activation the four errors, with these signs, have the sum -2: some one is 1/2 at least.",
            ),
            Step(
                "substitute",
                s00 + s11 - s01 - s10,
                -up - down,
                "With a monotone one, errors below 1/2 would need s_01 above s_00 and s_10 above s_11: then what is "
                "zero would be negative.",
                by=((s01, s00 + up), (s10, s11 + down)),
            ),
            *(
                Step(
                    "substitute",
                    hidden,
                    answer,
                    f"Two hidden ReLU units answer {answer} to ({first}, {second}).",
                    by=((e1, first), (e2, second)),
                )
                for first, second, answer in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
            ),
        ),
        "all weights and every dimension",
    )


two_layers = Claim(
    id="nn.two_layers",
    section=SECTION,
    title="Without a hidden layer a network errs by 1/2 at least on XOR",
    kind="inequality",
    subject="backprop.MLP",
    driver="network_at",
    structure=(SHALLOW, PAIRS, NO_HIDDEN, *NETWORK[2:]),
    inputs=PARAMETERS,
    program=Program((affine(a), BITS, XOR), (Output("yhat", h[k, a, j], (a, 0, 3), (j, 0, n[k] - 1)),)),
    relation=worst(Rational(1, 2)),
    statement=Max(*(Abs(yhat[at, q] - target[at]) for at in range(4))) >= Rational(1, 2),
    conditions=("one layer of weights, which the notes would not count as two", "the activation is monotone"),
    derivation=xor_proof,
    variants=(
        Variant("with a hidden layer", "condition dropped", inputs=MODEST, structure=DEEPER),
        Variant("3/4 at least", "too tight: the constant 1/2 errs by 1/2", relation=worst(Rational(3, 4))),
        Variant(
            "ReLU units, and the sum of the inputs",
            "one hidden layer, by hand",
            (BY_HAND,),
        ),
    ),
    options={"x": POINTS},
    remarks="Layers are counted by their weights: the notes' two layers have one hidden layer. " + PADDING,
)
# ------------------------------------------------------------------ parity

BITWIDTH = Size("n", 1, 4)
INPUTS = (real("x", BITWIDTH, low=0.0, high=1.0),)
(size,), (bits,) = symbols_of((BITWIDTH,)), symbols_of(INPUTS)
ones, answer = Symbol("ones", real=True), Symbol("answer", real=True)


def units(weight: Any = 2 * (-1) ** q, threshold: Any = q) -> tuple[Any, Any]:
    """One ReLU unit for each bit."""
    return answer, Max(ones, 0) + Sum(weight * Max(ones - threshold, 0), (q, 1, size - 1))


def parity_proof() -> Derivation:
    d = Symbol("d", nonnegative=True)
    even, odd = 2 * p, 2 * p + 1
    slope = Function("slope")
    closed = (-1) ** p
    return Derivation(
        (
            Step(
                "induction",
                Eq(slope(p), slope(p - 1) + 2 * (-1) ** p),
                closed,
                "Beyond the kink at q = p the slope is 1 + 2 (-1) + ... + 2 (-1)^p: it goes up and down by turns.",
                by=(p, 0, 1),
                wrong=(1 + 2 * closed,),
            ),
            Step("sum", Sum((-1) ** p, (p, 0, 2 * r - 1)), 0, "Up and down: even numbers of ones give 0,"),
            Step("sum", Sum((-1) ** p, (p, 0, 2 * r)), 1, "and odd ones 1."),
            Step(
                "rewrite",
                Max(odd - (even + d), 0) - Max(even + d - odd, 0) + d,
                1,
                "Between an even number and the next, d beyond it, it is its distance from the even one.",
            ),
        ),
        "every number of bits",
        lift="induction",
    )


parity = Claim(
    id="nn.two_layers.parity",
    section=SECTION,
    title="One hidden layer of n ReLU units computes the parity of n bits",
    kind="equality",
    subject="nn.parity",
    driver="function",
    structure=(BITWIDTH,),
    inputs=INPUTS,
    program=Program(((ones, Sum(bits[i], (i, 0, size - 1))), units()), (Output("answer", answer),)),
    definition=Program(
        ((ones, Sum(bits[i], (i, 0, size - 1))),),
        (Output("answer", Min(ones, Abs(ones - 2), Abs(ones - 4))),),
    ),
    statement=Eq(answer, units()[1]),
    conditions=("entries are between 0 and 1; at bits it is 1 for an odd number of ones and 0 for an even one",),
    derivation=parity_proof,
    variants=(
        Variant("slopes 1, -1, 1", "known bug: kinks of half the size", (units((-1) ** q),)),
        Variant("always down", "known bug: right for two bits", (units(-2),)),
        Variant("all bits", "conjunction", ((answer, Max(ones - size + 1, 0)),)),
        Variant("any bit", "disjunction", ((answer, Min(ones, 1)),)),
        Variant("kinks a half too late", "known bug", (units(threshold=q + Rational(1, 2)),)),
    ),
    remarks="For two bits it is XOR. The definition is the distance of the sum from the nearest of 0, 2 and 4.",
)

CLAIMS = (collapse, two_layers, parity)
