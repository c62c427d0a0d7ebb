"""What a network computes: its layers, its range, its scale, its outputs one by one (notes, section 1)."""

import dataclasses
from typing import Any

from sympy import (
    Eq,
    Function,
    Ge,
    Gt,
    IndexedBase,
    Max,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    exp,
    false,
    symbols,
)

from gnomon.derivations.backprop.backprop_network import (
    DEPTH,
    NETWORK,
    PADDING,
    PARAMETERS,
    SAMPLE,
    WIDTHS,
    Theta,
    a,
    activated,
    affine,
    b,
    biases,
    forward,
    h,
    i,
    j,
    k,
    l,
    n,
    s,
    sigma,
    x,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, positive, symbols_of

SECTION = "1"
half = Rational(1, 2)
p, q = symbols("p q", integer=True, nonnegative=True)
yhat, w = (IndexedBase(name, real=True) for name in ("yhat", "w"))


def only(choice: Choice, *labels: str) -> Choice:
    """A choice with some of its options alone."""
    return dataclasses.replace(choice, options={label: choice.options[label] for label in labels})


_, HIDDEN, LINK, BIASES = NETWORK
WITHOUT = only(BIASES, "no")
PREDICTED = Output("yhat", h[k, j], (j, 0, n[k] - 1))

# ------------------------------------------------------------------ the forward pass


def logistic(u: Any) -> Any:
    return 1 / (1 + exp(-u))


def forward_proof() -> Derivation:
    u, theta, point, bias = symbols("u theta xi beta", real=True)
    v, order = IndexedBase("v", real=True), Function("order", integer=True)
    below = (i, 0, n[l] - 1)
    layer = Sum(Theta[l, i, q] * h[l, i], below) + b[l, q]
    outer = Sum(v[j] * sigma(Sum(w[i, j] * x[i], (i, 0, p - 1))), (j, 0, q - 1))
    shuffled = Sum(v[order(j)] * sigma(Sum(w[i, order(j)] * x[i], (i, 0, p - 1))), (j, 0, q - 1))
    return Derivation(
        (
            define(s[l + 1, q], layer, "the pre-activation of unit q of layer l + 1; h_0 = x"),
            Step(
                "substitute",
                layer,
                Sum(Theta[l, i, q] * sigma(s[l, i]), below) + b[l, q],
                "Layer upon layer: the activation stands between the weights.",
                by=((h[l, i], sigma(s[l, i])),),
                wrong=(Sum(Theta[l, q, i] * sigma(s[l, i]), below) + b[l, q],),
            ),
            Step(
                "reindex",
                shuffled,
                outer,
                "Hidden units have no order: taken in another one, with their weights, they add up to the same.",
                by=(order,),
            ),
            Step(
                "refute",
                Eq(theta * point + bias, theta * point),
                Eq(theta * point + bias, 1),
                "Without biases a layer maps 0 to 0: the target 1 at x = 0 is out of reach.",
                by=({theta: 1, point: 0, bias: 1},),
            ),
            Step(
                "inequality",
                Gt((2 - logistic(u)) ** 2 / 2, half),
                exp(-u) * (2 + 3 * exp(-u)) / (2 * (1 + exp(-u)) ** 2),
                "With a logistic unit at the output, half the squared error for the target 2 exceeds 1/2 whatever the "
                "pre-activation, so for all weights: the last activation is a choice.",
            ),
        )
    )


one_more = IndexedBase("longer", real=True)
EXTENDED = (
    (one_more[l, j], Piecewise((h[l, j], j < n[l]), (1, True))),
    (
        w[l, i, j],
        Piecewise((Theta[l, i, j], i < n[l]), (b[l, j], Eq(biases, 1)), (0, True)),
    ),
    (s[l, j], Sum(w[l - 1, i, j] * one_more[l - 1, i], (i, 0, n[l - 1]))),
)
PRINTED = Variant(
    "no biases, and the hidden activation on the last layer too",
    "notes",
    (affine(bias=0), activated(last=sigma(s[l, j]))),
    printed=True,
    why="without biases it maps 0 to 0 for tanh and ReLU, and with an activation at the end it cannot leave its range",
)
network = Claim(
    id="nn.forward",
    section=SECTION,
    title="A network alternates affine maps and activations, and the last activation is another one",
    kind="equality",
    subject="backprop.MLP",
    driver="network",
    structure=(DEPTH, *NETWORK),
    inputs=(SAMPLE, *PARAMETERS),
    program=Program(forward(), (PREDICTED,)),
    definition=Program((*EXTENDED, activated()), (PREDICTED,)),
    statement=Eq(s[l + 1, q], Sum(Theta[l, i, q] * h[l, i], (i, 0, n[l] - 1)) + b[l, q]),
    conditions=("h_0 = x, h_l = sigma(s_l) for the hidden layers, and rho(s_k), a link, for the last one",),
    derivation=forward_proof,
    variants=(
        PRINTED,
        Variant("without biases", "known bug", (affine(bias=0),)),
        Variant("hidden activation on the last layer", "known bug", (activated(last=sigma(s[l, j])),)),
        Variant("no activation on the last layer", "logits", (activated(last=s[l, j]),)),
        Variant("weights transposed", "known bug", (affine(weight=Theta[l - 1, j, i]),), why="unseen while square"),
        Variant(
            "bias after the activation", "known bug", (affine(bias=0), activated(hidden=sigma(s[l, j]) + b[l - 1, j]))
        ),
    ),
    remarks="The definition beside it writes every bias as the weight of one more unit that is always 1. nn.Linear "
    "stores the transposed weights, and the driver tells by their shapes. " + PADDING,
)

# ------------------------------------------------------------------ the range


out_of_range = Claim(
    id="nn.forward.range",
    section=SECTION,
    title="With a logistic unit at the output the target 2 costs more than 1/2, whatever the weights",
    kind="inequality",
    subject="backprop.MLP",
    driver="network",
    structure=(DEPTH, WIDTHS, HIDDEN, only(LINK, "sigmoid"), BIASES),
    inputs=(SAMPLE, *PARAMETERS),
    program=Program(forward(), (PREDICTED,)),
    relation=Relation((2 - yhat[j]) ** 2 / 2, ">=", half, ((j, 0, n[k] - 1),)),
    statement=Ge((2 - yhat[j]) ** 2 / 2, half),
    conditions=("the last activation is logistic",),
    derivation=forward_proof,
    variants=(
        Variant("another last activation", "condition dropped", structure=(only(LINK, "identity", "relu"),)),
        Variant("logits", "known bug: the last activation left out", (activated(last=s[l, j]),)),
        Variant(
            "more than 9/8",
            "too tight: true of outputs below 1/2",
            relation=Relation((2 - yhat[j]) ** 2 / 2, ">=", Rational(9, 8), ((j, 0, n[k] - 1),)),
        ),
    ),
    remarks="The formula of the notes has an activation on the last layer as well; for a regression it has to be the "
    "identity. " + PADDING,
)

# ------------------------------------------------------------------ along a ray

FACTOR = positive("c")
(c,) = symbols_of((FACTOR,))
RAYS = (
    affine(a, weight=Piecewise((Theta[l - 1, i, j], Eq(a, 0)), (c * Theta[l - 1, i, j], True))),
    activated(a, first=Piecewise((c * x[j], Eq(a, 0)), (x[j], True))),
)
ON_RAYS = tuple(Output(name, h[k, at, j], (j, 0, n[k] - 1)) for at, name in enumerate(("along", "scaled")))


def scaled(along: Any, by_weights: Any) -> Program:
    """The outputs as multiples of the network's."""
    return Program(
        forward(),
        (
            Output("along", along * h[k, j], (j, 0, n[k] - 1)),
            Output("scaled", by_weights * h[k, j], (j, 0, n[k] - 1)),
        ),
    )


def homogeneous_proof() -> Derivation:
    u, factor = Symbol("u", real=True), Symbol("c", positive=True)
    unit = Sum(w[i, j] * h[l, i], (i, 0, p - 1))
    scale = IndexedBase("C", positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                Max(factor * u, 0),
                factor * Max(u, 0),
                "ReLU lets a positive factor through.",
                wrong=(factor**2 * Max(u, 0), Max(u, 0)),
            ),
            Step(
                "substitute",
                unit,
                factor * unit,
                "So does a sum without a bias, from layer to layer: f(c x) = c f(x).",
                by=((h[l, i], factor * h[l, i]),),
            ),
            Step(
                "substitute",
                unit,
                factor * unit,
                "With all weights times c, every layer adds one factor,",
                by=((w[i, j], factor * w[i, j]),),
            ),
            Step(
                "induction",
                Eq(scale[l], factor * scale[l - 1]),
                factor**l,
                "which for k layers is c to the power of k.",
                by=(l, 0, 1),
            ),
            Step(
                "refute",
                Eq(Max(factor * u + 1, 0), factor * Max(u + 1, 0)),
                false,
                "A bias stops it.",
                by=({factor: 2, u: 0},),
            ),
            Step(
                "refute",
                Eq(Max(-u, 0), -Max(u, 0)),
                false,
                "So does a negative factor.",
                by=({u: 1},),
            ),
        ),
        lift="induction",
    )


RECTIFIED = (only(HIDDEN, "relu", "identity"), only(LINK, "identity", "relu"))
homogeneous = Claim(
    id="nn.forward.homogeneous",
    section=SECTION,
    title="A ReLU network without biases is linear along each ray, and of the degree of its depth in its weights",
    kind="invariance",
    subject="backprop.MLP",
    driver="network_on_ray",
    structure=(DEPTH, WIDTHS, *RECTIFIED, WITHOUT),
    inputs=(SAMPLE, FACTOR, *PARAMETERS),
    program=Program(RAYS, ON_RAYS),
    definition=scaled(c, c**k),
    statement=(
        Eq(Symbol("f(c*x, Theta)"), c * Symbol("f(x, Theta)")),
        Eq(Symbol("f(x, c*Theta)"), c**k * Symbol("f(x, Theta)")),
    ),
    conditions=("c is positive", "no biases", "all activations are ReLU or the identity"),
    derivation=homogeneous_proof,
    variants=(
        Variant("with biases", "condition dropped", structure=(BIASES,)),
        Variant("with tanh or logistic units", "condition dropped", structure=(HIDDEN,)),
        Variant(
            "only the last layer scaled",
            "known bug",
            (affine(a, weight=Piecewise((Theta[l - 1, i, j], Eq(a, 0) | (l < k)), (c * Theta[l - 1, i, j], True))),),
        ),
        Variant(
            "input not scaled",
            "known bug",
            (activated(a, first=x[j]),),
        ),
    ),
    remarks="Which is why such a network has no scale of its own: its weights may shrink and the next layer's grow. "
    + PADDING,
)

CLAIMS = (network, out_of_range, homogeneous)
