"""Backpropagation: the gradients by weights, biases and input, and the step (notes, section 1.2.1)."""

from typing import Any

from sympy import Eq, Function, IndexedBase, Piecewise, Rational, Sum, symbols

from gnomon.derivations.backprop_network import (
    BATCH,
    DEEP,
    DEPTH,
    NETWORK,
    PADDING,
    PARAMETERS,
    SAMPLE,
    SAMPLES,
    SMOOTH,
    TARGETS,
    Let,
    N,
    Theta,
    a,
    activated,
    affine,
    b,
    by_biases,
    by_input,
    by_weights,
    db,
    delta,
    deltas,
    drho,
    dsigma,
    dTheta,
    followed,
    forward,
    gradients,
    h,
    handed_back,
    i,
    j,
    k,
    l,
    layers_of_biases,
    layers_of_weights,
    n,
    q,
    rho,
    s,
    sigma,
    within,
    x,
    y,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Program, Variant
from gnomon.say.domain import positive, real

p, r, m = symbols("p r m", integer=True, nonnegative=True)
E = Function("E", real=True)

# ---------------------------------------------------------------- the gradients


def gradient_proof() -> Derivation:
    """The loss sees the parameters of a layer through its pre-activations alone; then whole networks."""
    below, above = (i, 0, n[l] - 1), (q, 0, n[l + 1] - 1)
    samples = (a, 0, N - 1)
    affine = Sum(Theta[l, i, q] * h[l, a, i], below) + b[l, q]
    change = Sum(delta[l + 1, a, q] * affine, above, samples)
    back = Sum(Theta[l, p, q] * delta[l + 1, a, q], above)
    return Derivation(
        (
            define(delta[l, a, q], E(s[l, a, q]).diff(s[l, a, q]), "the gradient of the summed loss by s_l"),
            Step(
                "differentiate",
                change,
                Sum(h[l, a, p] * delta[l + 1, a, r], samples),
                "Chain rule: the delta times how the pre-activations move with one weight, over all samples.",
                by=(Theta[l, p, r],),
                wrong=(Sum(delta[l + 1, a, r], samples),),
            ),
            Step(
                "differentiate",
                change,
                Sum(delta[l + 1, a, r], samples),
                "A bias moves its own pre-activation at the rate 1, in every sample.",
                by=(b[l, r],),
            ),
            Step(
                "differentiate",
                change,
                back,
                "The input of a layer moves the pre-activations of its own sample at the rates Theta.",
                by=(h[l, a, p],),
            ),
            *_whole_networks(),
        )
    )


def _whole_networks() -> tuple[Step, ...]:
    """Two and three layers written out and differentiated at one go, for any widths."""
    n0, n1, n2, n3 = symbols("n_0:4", integer=True, positive=True)
    T1, T2, T3 = (IndexedBase(f"T{layer}", real=True) for layer in (1, 2, 3))
    x1, y1 = IndexedBase("x", real=True), IndexedBase("y", real=True)

    def s1(unit):
        return Sum(T1[i, unit] * x1[i], (i, 0, n0 - 1))

    def s2(unit):
        return Sum(T2[j, unit] * sigma(s1(j)), (j, 0, n1 - 1))

    def s3(unit):
        return Sum(T3[q, unit] * sigma(s2(q)), (q, 0, n2 - 1))

    def error(top, width):
        return Rational(1, 2) * Sum((y1[m] - rho(top(m))) ** 2, (m, 0, width - 1))

    def last(top, unit):
        return -(y1[unit] - rho(top(unit))) * drho(top(unit))

    def hidden(own, weights, unit, width, above, at):
        return dsigma(own(unit)) * Sum(weights[unit, at] * above(at), (at, 0, width - 1))

    def d2(unit):
        return hidden(s2, T3, unit, n3, lambda at: last(s3, at), m)

    two = x1[p] * hidden(s1, T2, r, n2, lambda at: last(s2, at), l)
    three = x1[p] * hidden(s1, T2, r, n2, d2, l)
    return (
        Step(
            "differentiate",
            error(s2, n2),
            two,
            "The same for two layers written out, differentiated by a weight of the first.",
            by=(T1[p, r],),
        ),
        Step(
            "differentiate",
            error(s3, n3),
            three,
            "And for three.",
            by=(T1[p, r],),
        ),
    )


def _outer_product_transposed(*a: Any) -> Variant:
    swapped = within(h[(l, *a, j)] * delta[(l + 1, *a, i)], j < n[l], i < n[l + 1])
    return Variant(
        "outer product transposed",
        "nn.Linear",
        (by_weights(*a, term=swapped),),
        why="delta h^T is the gradient where weights are stored as (out, in).",
    )


SLOPE = dsigma(s[l, a, j])
weight_gradient = Claim(
    id="backprop.weight_gradient",
    section="1.2.1",
    title="The gradient by a layer's weights is the layer's input times its delta, summed over the samples",
    kind="equality",
    subject="backprop.backward",
    driver="backward_pass",
    structure=(DEPTH, *NETWORK, SAMPLES),
    inputs=(BATCH, TARGETS, *PARAMETERS),
    program=Program((*forward(a), deltas(a), by_weights(a), by_biases(a), by_input(a)), gradients(a)),
    definition=Program((*forward(a), *followed(h[k, a, j] - y[a, j], a)), gradients(a)),
    statement=Eq(dTheta[l, i, j], Sum(h[l, a, i] * delta[l + 1, a, j], (a, 0, N - 1))),
    conditions=("the error is half the squared error, summed over the samples", SMOOTH),
    derivation=gradient_proof,
    variants=(
        _outer_product_transposed(a),
        Variant(
            "activation of the layer itself",
            "known bug",
            (by_weights(a, term=h[l + 1, a, i] * delta[l + 1, a, j]),),
            why="h_l delta_l^T for h_{l-1} delta_l^T",
        ),
        Variant(
            "mean over the samples",
            "torch, reduction mean",
            (
                by_weights(a, term=h[l, a, i] * delta[l + 1, a, j] / N),
                by_biases(a, term=delta[l + 1, a, j] / N),
            ),
            why="the gradient of the mean of the errors; here they are summed",
        ),
        Variant(
            "bias not differentiated through the delta",
            "known bug",
            (by_biases(a, term=1),),
            why="the rate 1 at which a bias moves its pre-activation, without the delta",
        ),
        Variant("input gradient through the transpose", "known bug", (by_input(a, weight=Theta[0, j, i]),)),
        Variant(
            "weights transposed",
            "known bug",
            (deltas(a, hidden=SLOPE * handed_back(a, weight=Theta[l, q, j])),),
        ),
    ),
    remarks="dE/db_l = delta_l and dE/dx = Theta_1 delta_1 are compared as well. The notes give none of the "
    "three. " + PADDING,
)

GIVEN = real("g", n[k])
LAST = GIVEN.symbol[j] * drho(s[k, j])
autograd = Claim(
    id="backprop.weight_gradient.autograd",
    section="1.2.1",
    title="Autograd's gradients of a network are those of backpropagation, for any loss",
    kind="equality",
    subject="backprop.MLP",
    driver="network_gradient",
    structure=(DEEP, *NETWORK),
    inputs=(SAMPLE, GIVEN, *PARAMETERS),
    program=Program(
        (*forward(), deltas(last=LAST), by_weights(), by_biases(), by_input()),
        gradients(),
    ),
    definition=Program((*forward(), *followed(GIVEN.symbol[j])), gradients()),
    statement=Eq(dTheta[l, i, j], h[l, i] * delta[l + 1, j]),
    conditions=("g is the gradient of the loss by the outputs, so that delta_k = g * rho'(s_k)", SMOOTH),
    derivation=gradient_proof,
    variants=(
        _outer_product_transposed(),
        Variant("last slope left out", "known bug", (deltas(last=GIVEN.symbol[j]),)),
        Variant("without the slope", "known bug", (deltas(last=LAST, hidden=handed_back()),)),
        Variant(
            "slope at the activation",
            "known bug",
            (deltas(last=LAST, hidden=dsigma(h[l, j]) * handed_back()),),
            why="sigma'(h) for sigma'(s)",
        ),
        Variant(
            "weights transposed",
            "known bug",
            (deltas(last=LAST, hidden=dsigma(s[l, j]) * handed_back(weight=Theta[l, q, j])),),
        ),
    ),
    gradient=False,
    remarks="What is compared is a gradient already; second derivatives are no part of the statement. Batches are "
    "seen by the claim about the outputs. " + PADDING,
)

# ---------------------------------------------------------------- the step

RATE = positive("lr", host=True, typical=(0.1, 0.5))
lr = RATE.symbol
new_weight, new_bias = IndexedBase("Theta_new", real=True), IndexedBase("b_new", real=True)


def step_proof() -> Derivation:
    """What the literal reading adds to the gradient, and the smallest network on which it shows."""
    above = (q, 0, n[l + 1] - 1)
    w, slope, change = (IndexedBase(name, real=True) for name in ("w", "G", "D"))
    x1, y1, alpha, beta, rate = symbols("x y alpha beta gamma", real=True)
    gap = y1 - beta * alpha * x1
    by_beta, by_alpha = -gap * alpha * x1, -gap * beta * x1
    literal = -gap * (beta - rate * by_beta) * x1
    kept = dsigma(s[l, p]) * Sum(Theta[l, p, q] * delta[l + 1, q], above)
    updated = Theta[l, p, q] - rate * h[l, p] * delta[l + 1, q]
    return Derivation(
        (
            define(slope[i], E(w[i]).diff(w[i]), "the gradient by all parameters w, before any of them is changed"),
            Step(
                "substitute",
                Sum(slope[i] * change[i], (i, 0, m)),
                -Sum(slope[i] ** 2, (i, 0, m)),
                "Along minus the gradient, taken at one point, the error falls at the rate of its square.",
                by=((change[i], -slope[i]),),
            ),
            Step(
                "rewrite",
                dsigma(s[l, p]) * Sum(updated * delta[l + 1, q], above),
                kept - rate * dsigma(s[l, p]) * h[l, p] * Sum(delta[l + 1, q] ** 2, above),
                "Propagated through weights already updated, a delta is off by the last term.",
                wrong=(kept,),
            ),
            Step(
                "differentiate",
                Rational(1, 2) * gap**2,
                by_beta,
                "Two layers of one linear unit each, yhat = beta alpha x: the gradient by the last weight,",
                by=(beta,),
            ),
            Step("differentiate", Rational(1, 2) * gap**2, by_alpha, "and by the first.", by=(alpha,)),
            Step(
                "refute",
                Eq(literal, by_alpha),
                Eq(by_alpha, 1),
                "At x = 1, y = 0, both weights 1, rate 1/2 the literal reading gives 1/2 for the gradient 1.",
                by=({x1: 1, y1: 0, alpha: 1, beta: 1, rate: Rational(1, 2)},),
            ),
        )
    )


def _layer_by_layer() -> tuple[Let, ...]:
    """Forward and backward again for every layer, those above it updated; m is the first layer updated."""
    weight = Piecewise((Theta[l - 1, i, j], l - 1 < m), (new_weight[l - 1, i, j], True))
    bias = Piecewise((b[l - 1, j], l - 1 < m), (new_bias[l - 1, j], True))
    back = Piecewise((Theta[l, j, q], l < m), (new_weight[l, j, q], True))
    last = -(y[a, j] - h[k, m, a, j]) * drho(s[k, m, a, j])
    return (
        affine(m, a, weight=weight, bias=bias),
        activated(m, a, first=x[a, j]),
        deltas(m, a, last=last, hidden=dsigma(s[l, m, a, j]) * handed_back(m, a, weight=back)),
        by_weights(a, term=h[l, l + 1, a, i] * delta[l + 1, l + 1, a, j]),
        by_biases(a, term=delta[l + 1, l + 1, a, j]),
    )


def _step(weight: Any, bias: Any) -> tuple[Let, Let]:
    return (new_weight[l, i, j], weight), (new_bias[l, j], bias)


DOWNHILL = _step(Theta[l, i, j] - lr * dTheta[l, i, j], b[l, j] - lr * db[l, j])
UPDATED = (layers_of_weights("Theta_new", new_weight[l, i, j]), layers_of_biases("b_new", new_bias[l, j]))
sequence = Claim(
    id="backprop.tldr",
    section="1.2.1",
    title="A step of gradient descent takes every gradient before it changes any weight",
    kind="equality",
    subject="backprop.gradient_step",
    driver="descent_step",
    structure=(DEPTH, *NETWORK, SAMPLES),
    inputs=(BATCH, TARGETS, *PARAMETERS, RATE),
    program=Program((*forward(a), deltas(a), by_weights(a), by_biases(a), *DOWNHILL), UPDATED),
    definition=Program((*forward(a), *followed(h[k, a, j] - y[a, j], a), *DOWNHILL), UPDATED),
    statement=Eq(new_weight[l, i, j], Theta[l, i, j] - lr * dTheta[l, i, j]),
    conditions=("the error is half the squared error, summed over the samples", SMOOTH),
    derivation=step_proof,
    variants=(
        Variant(
            "propagated through weights already updated",
            "notes, read literally",
            (deltas(a, hidden=SLOPE * handed_back(a, weight=new_weight[l, j, q])),),
            printed=True,
            why="“Adjust the last layer weights. Propagate error back. Repeat.”",
        ),
        Variant(
            "layer by layer",
            "block coordinate descent",
            _layer_by_layer(),
            why="Each gradient is taken anew, forward pass included, after the layers above have moved.",
        ),
        Variant(
            "uphill",
            "known bug",
            _step(Theta[l, i, j] + lr * dTheta[l, i, j], b[l, j] + lr * db[l, j]),
        ),
        Variant("biases kept", "known bug", (_step(0, b[l, j])[1],)),
        Variant(
            "mean over the samples",
            "torch, reduction mean",
            _step(Theta[l, i, j] - lr / N * dTheta[l, i, j], b[l, j] - lr / N * db[l, j]),
        ),
    ),
    remarks="A step runs outside autograd, so only its values are compared. " + PADDING,
)

CLAIMS = (weight_gradient, autograd, sequence)
