"""Backpropagation, there and back: the forward pass and the deltas (notes, section 1.2.1)."""

from sympy import Eq, IndexedBase, KroneckerDelta, Lambda, Piecewise, Rational, Sum, Symbol, exp, symbols

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
    TARGET,
    N,
    Theta,
    W,
    a,
    activated,
    affine,
    b,
    delta,
    deltas,
    drho,
    dsigma,
    forward,
    h,
    handed_back,
    i,
    j,
    k,
    l,
    layers_of_units,
    n,
    output_delta,
    q,
    rho,
    s,
    sigma,
    u,
    within,
    x,
    y,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant

m, p = symbols("m p", integer=True, nonnegative=True)
# ---------------------------------------------------------------- forward


def forward_proof() -> Derivation:
    """The forward pass is a definition; shown are how it nests, and that a bias is one more weight."""
    z, A = IndexedBase("z", real=True), IndexedBase("A", real=True)
    theta, bias, point = symbols("theta beta xi", real=True)
    before = Sum(Theta[l, i, q] * h[l, i], (i, 0, n[l] - 1)) + b[l, q]
    nested = Sum(Theta[l, i, q] * sigma(s[l, i]), (i, 0, n[l] - 1)) + b[l, q]
    longer = Sum(A[i, q] * z[i], (i, 0, p))
    return Derivation(
        (
            define(s[l + 1, q], before, "the pre-activation of unit q, layer l + 1; h_0 = x"),
            define(h[l, i], sigma(s[l, i]), "the activation; the last layer may have another, rho"),
            Step(
                "substitute",
                before,
                nested,
                "A layer on top of a layer: the activation stands between the two weights.",
                by=((h[l, i], sigma(s[l, i])),),
                wrong=(
                    Sum(Theta[l, i, q] * s[l, i], (i, 0, n[l] - 1)) + b[l, q],
                    Sum(Theta[l, q, i] * sigma(s[l, i]), (i, 0, n[l] - 1)) + b[l, q],
                ),
            ),
            Step(
                "rewrite",
                longer,
                Sum(A[i, q] * z[i], (i, 0, p - 1)) + A[p, q] * z[p],
                "A bias is the weight of one more unit that is always 1, which saves the printed formula.",
            ),
            Step(
                "refute",
                Eq(theta * point + bias, theta * point),
                Eq(theta * point + bias, 1),
                "Without it, every layer maps 0 to sigma(0), whatever the weights.",
                by=({theta: 1, point: 0, bias: 1},),
            ),
        )
    )


def _forward_variants(*a):
    """Each wrong in another place."""
    return (
        Variant(
            "without biases",
            "notes, printed",
            (affine(*a, bias=0),),
            printed=True,
            why="The notes write s = Theta^T h: every network without biases maps 0 to 0 when sigma(0) = 0.",
        ),
        Variant(
            "weights transposed",
            "known bug",
            (affine(*a, weight=Theta[l - 1, j, i]),),
            why="nn.Linear stores (out, in), the notes (in, out).",
        ),
        Variant("hidden activation on the last layer", "known bug", (activated(*a, last=sigma(s[(l, *a, j)])),)),
        Variant("no activation on the last layer", "known bug", (activated(*a, last=s[(l, *a, j)]),)),
        Variant("no activation on the hidden layers", "known bug", (activated(*a, hidden=s[(l, *a, j)]),)),
    )


forward_quantities = Claim(
    id="backprop.forward_quantities",
    section="1.2.1",
    title="The forward pass: each layer applies its activation to an affine map of the layer below",
    kind="equality",
    subject="backprop.forward_trace",
    driver="forward_pass",
    structure=(DEPTH, *NETWORK),
    inputs=(SAMPLE, *PARAMETERS),
    program=Program(
        forward(),
        (layers_of_units("s", s), Output("h", within(h[l, j], j < n[l]), (l, 0, k), (j, 0, W - 1))),
    ),
    statement=Eq(s[l + 1, q], Sum(Theta[l, i, q] * h[l, i], (i, 0, n[l] - 1)) + b[l, q]),
    conditions=("h_0 = x, h_l = sigma(s_l) for the hidden layers, and rho(s_k) for the last one",),
    derivation=forward_proof,
    variants=(
        *_forward_variants(),
        Variant("activation on the input", "known bug", (activated(first=sigma(x[j])),)),
    ),
    remarks="The notes number samples and layers by the same i; here l is the layer. " + PADDING,
)

network_output = Claim(
    id="backprop.forward_quantities.network",
    section="1.2.1",
    title="A network computes the forward pass for a batch, and autograd its derivatives",
    kind="equality",
    subject="backprop.MLP",
    driver="network",
    structure=(DEPTH, *NETWORK, SAMPLES),
    inputs=(BATCH, *PARAMETERS),
    program=Program(forward(a), (Output("yhat", h[k, a, j], (a, 0, N - 1), (j, 0, n[k] - 1)),)),
    statement=Eq(s[l + 1, a, q], Sum(Theta[l, i, q] * h[l, a, i], (i, 0, n[l] - 1)) + b[l, q]),
    conditions=("h_0 = x, h_l = sigma(s_l) for the hidden layers, and rho(s_k) for the last one, sample by sample",),
    derivation=forward_proof,
    variants=_forward_variants(a),
    remarks="Along with the values, autograd's gradient of a random combination of the outputs, by parameters and "
    "input, is compared with this program's derivative. " + PADDING,
)

# ---------------------------------------------------------------- the last delta


def output_delta_proof() -> Derivation:
    """Differentiate by a pre-activation of the last layer; the printed sign fails at s = 0, y = 1."""
    error = Rational(1, 2) * Sum((y[j] - rho(s[k, j])) ** 2, (j, 0, n[k] - 1))
    right = -(y[q] - rho(s[k, q])) * drho(s[k, q])
    y1, s1 = symbols("y_1 s_1", real=True)
    true, printed = -(y1 - rho(s1)) * drho(s1), (y1 - rho(s1)) * drho(s1)
    return Derivation(
        (
            Step(
                "differentiate",
                error,
                right,
                "Only the term of unit q depends on s_k[q]; the inner derivative of y - rho(s) is -rho'(s).",
                by=(s[k, q],),
                wrong=((y[q] - rho(s[k, q])) * drho(s[k, q]), -(y[q] - rho(s[k, q]))),
            ),
            Step(
                "refute",
                Eq(true, printed),
                Eq(true, -Rational(1, 8)),
                "One logistic unit at s = 0 with the target 1: the derivative is -1/8, the printed one 1/8.",
                by=({y1: 1, s1: 0, rho: Lambda(u, 1 / (1 + exp(-u)))},),
            ),
        )
    )


_LAST = delta[j]
dE_dsk = Claim(
    id="backprop.dE_dsk",
    section="1.2.1",
    title="The delta of the last layer is minus the error times the slope of its activation",
    kind="equality",
    subject="backprop.backward",
    driver="backward_pass",
    structure=(DEPTH, *NETWORK),
    inputs=(SAMPLE, TARGET, *PARAMETERS),
    program=Program((*forward(), (_LAST, output_delta())), (Output("output_delta", _LAST, (j, 0, n[k] - 1)),)),
    statement=Eq(delta[k, q], -(y[q] - rho(s[k, q])) * drho(s[k, q])),
    conditions=("the error is half the squared error of one sample", SMOOTH),
    derivation=output_delta_proof,
    variants=(
        Variant(
            "the sign dropped",
            "notes, printed",
            ((_LAST, -output_delta()),),
            printed=True,
            why="The line above it in the notes, dE/dyhat = -(y - yhat), has the sign.",
        ),
        Variant(
            "without the slope",
            "cross-entropy",
            ((_LAST, h[k, j] - y[j]),),
            why="Right for a softmax or a logistic unit with the cross-entropy, where the slope cancels.",
        ),
        Variant(
            "slope at the output",
            "known bug",
            ((_LAST, -(y[j] - h[k, j]) * drho(h[k, j])),),
            why="rho'(yhat) for rho'(s): a logistic output has the slope yhat (1 - yhat), not rho'(yhat).",
        ),
        Variant("twice", "torch, sum of squares", ((_LAST, 2 * output_delta()),), why="without the half"),
        Variant("slope of the hidden activation", "known bug", ((_LAST, -(y[j] - h[k, j]) * dsigma(s[k, j])),)),
    ),
    remarks=PADDING,
)

# ---------------------------------------------------------------- the hidden deltas


def hidden_delta_proof() -> Derivation:
    """Push a change of s_l forward, read the pairing with delta backward: the same number at every layer."""
    eps, total = Symbol("epsilon", real=True), Symbol("dE", real=True)
    ds, pairing = IndexedBase("ds", real=True), IndexedBase("P", real=True)
    below, above = (i, 0, n[l] - 1), (q, 0, n[l + 1] - 1)
    at = s[l, i] + eps * ds[l, i]
    moved = Sum(Theta[l, i, q] * dsigma(at) * ds[l, i], below)
    change = Sum(Theta[l, i, q] * dsigma(s[l, i]) * ds[l, i], below)
    back = Sum(Theta[l, i, q] * delta[l + 1, q], above)
    paired = Sum(dsigma(s[l, i]) * back * ds[l, i], below)
    wrong = (
        Sum(dsigma(s[l, i]) * Sum(Theta[l, q, i] * delta[l + 1, q], above) * ds[l, i], below),
        Sum(dsigma(sigma(s[l, i])) * back * ds[l, i], below),
        Sum(back * ds[l, i], below),
    )
    alone = Sum(dsigma(s[l, i]) * back * KroneckerDelta(i, p), below)
    return Derivation(
        (
            define(
                delta[l, i],
                dsigma(s[l, i]) * back,
                "from the gradient of the loss by s_k down; to be shown to be its gradient by s_l, for any loss",
            ),
            Step(
                "differentiate",
                Sum(Theta[l, i, q] * sigma(at), below) + b[l, q],
                moved,
                "Move s_l along ds_l: how fast the next pre-activation moves.",
                by=(eps,),
            ),
            Step("substitute", moved, change, "At the point itself.", by=((eps, 0),)),
            define(
                pairing[l],
                Sum(delta[l, i] * ds[l, i], below),
                "the change of the loss along ds_l, if the deltas of layer l are its gradient",
            ),
            Step(
                "rewrite",
                Sum(delta[l + 1, q] * change, above),
                paired,
                "Swap the sums of P[l + 1]: what multiplies ds[l, i] is delta[l, i], so it is P[l].",
                wrong=wrong,
            ),
            Step(
                "induction",
                Eq(pairing[l], pairing[l + 1]),
                total,
                "P[k] is the change of the loss by the choice of delta_k; so is every P[l], down to the first.",
                by=(l, k, total),
            ),
            Step(
                "substitute",
                paired,
                alone,
                "Move one unit alone.",
                by=((ds[m, i], KroneckerDelta(i, p)),),
            ),
            Step(
                "collapse",
                alone,
                dsigma(s[l, p]) * Sum(Theta[l, p, q] * delta[l + 1, q], above),
                "The change of the loss by s[l, p] alone, which is its derivative, is the delta.",
            ),
        )
    )


def _along_every_path() -> Program:
    """The deltas from first principles: how each output moves with one pre-activation, layer by layer."""
    moves = IndexedBase("moves", real=True)  # moves[l, j, m, p]: the derivative of h[l, j] by s[m, p]
    slope = Piecewise((drho(s[l, j]), Eq(l, k)), (dsigma(s[l, j]), True))
    arriving = Sum(Theta[l - 1, i, j] * moves[l - 1, i, m, p], (i, 0, n[l - 1] - 1))
    change = Piecewise((KroneckerDelta(j, p), Eq(l, m)), (arriving, True))
    total = Sum((h[k, j] - y[j]) * moves[k, j, m, p], (j, 0, n[k] - 1))
    return Program(
        (*forward(), (moves[l, j, m, p], slope * change), (delta[m, p], total)),
        (layers_of_units("delta", delta),),
    )


_HIDDEN = dsigma(s[l, j])
hidden_delta = Claim(
    id="backprop.hidden_delta",
    section="1.2.1",
    title="A hidden delta is the slope times what the layer above hands back through the same weights",
    kind="equality",
    subject="backprop.backward",
    driver="backward_pass",
    structure=(DEEP, *NETWORK),
    inputs=(SAMPLE, TARGET, *PARAMETERS),
    program=Program((*forward(), deltas()), (layers_of_units("delta", delta),)),
    definition=_along_every_path(),
    statement=Eq(delta[l, j], _HIDDEN * handed_back()),
    conditions=("any loss with the gradient delta_k by s_k; checked with half the squared error", SMOOTH),
    derivation=hidden_delta_proof,
    variants=(
        Variant("weights transposed", "known bug", (deltas(hidden=_HIDDEN * handed_back(weight=Theta[l, q, j])),)),
        Variant(
            "slope at the activation",
            "known bug",
            (deltas(hidden=dsigma(h[l, j]) * handed_back()),),
            why="sigma'(h) for sigma'(s): a logistic unit has the slope h (1 - h), not sigma'(h).",
        ),
        Variant(
            "without the slope",
            "known bug",
            (deltas(hidden=handed_back()),),
            why="the gradient by h, not by s",
        ),
        Variant("slope of the layer above", "known bug", (deltas(hidden=dsigma(s[l + 1, j]) * handed_back()),)),
        Variant("sign changed at every layer", "known bug", (deltas(hidden=-_HIDDEN * handed_back()),)),
        Variant("twice", "torch, sum of squares", (deltas(last=2 * output_delta()),), why="without the half"),
        Variant(
            "last slope left out",
            "cross-entropy",
            (deltas(last=h[k, j] - y[j]),),
            why="yhat - y belongs to the cross-entropy with its own link",
        ),
    ),
    remarks="The notes say “propagate error back” and give no formula. The definition beside the program goes forward "
    "instead, once for every unit: the work that backpropagation saves. " + PADDING,
)

CLAIMS = (forward_quantities, network_output, dE_dsk, hidden_delta)
