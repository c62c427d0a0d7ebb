"""What a network is for: an output for each entry of a target, and how much there is to learn (notes, section 1)."""

from sympy import Eq, Ge, IndexedBase, Piecewise, Rational, Sum, Symbol, false, symbols

from gnomon.derivations.backprop.backprop_network import (
    BATCH,
    DEPTH,
    NETWORK,
    PADDING,
    PARAMETERS,
    SAMPLES,
    N,
    Theta,
    a,
    b,
    biases,
    forward,
    h,
    i,
    j,
    k,
    l,
    n,
    rho,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Sizes

SECTION = "1"
half = Rational(1, 2)
p, q = symbols("p q", integer=True, nonnegative=True)
yhat = IndexedBase("yhat", real=True)

# ------------------------------------------------------------------ the data set


def dataset_proof() -> Derivation:
    target, g = IndexedBase("y", real=True), Symbol("f", real=True)
    m = Symbol("m", integer=True, positive=True)
    mean = Sum(target[j], (j, 0, m - 1)) / m
    spread = Sum((target[j] - mean) ** 2, (j, 0, m - 1))
    y1, y2 = symbols("y_1 y_2", real=True)
    return Derivation(
        (
            define(yhat[a, q], h[k, a, q], "one output for each entry of the target y_a"),
            Step(
                "rewrite",
                Sum((target[j] - g) ** 2, (j, 0, m - 1)),
                spread + m * (g - mean) ** 2,
                "One real number f for all m entries of a target is off by their spread about the mean, at least:",
                wrong=(spread - m * (g - mean) ** 2,),
            ),
            Step(
                "inequality",
                Ge((y1 - g) ** 2 + (y2 - g) ** 2, (y1 - y2) ** 2 / 2),
                2 * (g - (y1 + y2) / 2) ** 2,
                "for two entries by half the square of their difference, which is zero only if they are equal.",
            ),
            Step(
                "refute",
                Eq((y1 - g) ** 2 + (y2 - g) ** 2, 0),
                false,
                "The target (0, 1) leaves an error of 1/2 for f = 1/2.",
                by=({y1: 0, y2: 1, g: half},),
            ),
        )
    )


alone = IndexedBase("alone", real=True)
ONE_BY_ONE = (
    *forward(a),
    (
        alone[a, q],
        rho(
            Sum(Theta[k - 1, i, q] * h[k - 1, a, i], (i, 0, n[k - 1] - 1))
            + Piecewise((b[k - 1, q], Eq(biases, 1)), (0, True))
        ),
    ),
)
shown = IndexedBase("shown", real=True)
OUTPUTS = (Output("yhat", shown[a, q], (a, 0, N - 1), (q, 0, n[k] - 1)),)
dataset = Claim(
    id="nn.dataset",
    section=SECTION,
    title="A network has an output for each entry of the target, and treats each sample by itself",
    kind="equality",
    subject="backprop.MLP",
    driver="network",
    structure=(DEPTH, Sizes("n", DEPTH.symbol + 1, 1, 3), *NETWORK[1:], SAMPLES),
    inputs=(BATCH, *PARAMETERS),
    program=Program((*forward(a), (shown[a, q], h[k, a, q])), OUTPUTS),
    definition=Program((*ONE_BY_ONE, (shown[a, q], alone[a, q])), OUTPUTS),
    statement=Eq(yhat[a, q], rho(Sum(Theta[k - 1, i, q] * h[k - 1, a, i], (i, 0, n[k - 1] - 1)) + b[k - 1, q])),
    conditions=("f goes from R^n to R^m, where the targets are vectors in R^m",),
    derivation=dataset_proof,
    variants=(
        Variant(
            "one real number",
            "notes",
            ((shown[a, q], h[k, a, 0]),),
            printed=True,
            why="f(x; Theta) is in R, but the targets y_i are vectors; for the target (0, 1) no number is right",
        ),
        Variant("the first sample's output for all", "known bug", ((shown[a, q], h[k, 0, q]),)),
        Variant("averaged over the samples", "known bug", ((shown[a, q], Sum(h[k, p, q], (p, 0, N - 1)) / N),)),
        Variant("outputs in the reverse order", "known bug", ((shown[a, q], h[k, a, n[k] - 1 - q]),)),
        Variant("samples in the reverse order", "known bug", ((shown[a, q], h[k, N - 1 - a, q]),)),
    ),
    remarks="The definition computes each output from its own column of the last weights. " + PADDING,
)

# ------------------------------------------------------------------ the number of parameters

BROAD = Sizes("n", DEPTH.symbol + 1, 1, 9)
count = Sum((n[l] + 1) * n[l + 1], (l, 0, k - 1))
WEIGHTS_ALONE = Sum(n[l] * n[l + 1], (l, 0, k - 1))
total = Symbol("count", integer=True)


def count_proof() -> Derivation:
    widths = (784, 128, 64, 10)
    known = tuple((n[m], width) for m, width in enumerate(widths))
    three = Sum((n[l] + 1) * n[l + 1], (l, 0, 2))
    return Derivation(
        (
            Step(
                "rewrite",
                count,
                WEIGHTS_ALONE + Sum(n[l + 1], (l, 0, k - 1)),
                "A matrix and a vector for each layer.",
                wrong=(WEIGHTS_ALONE + Sum(n[l], (l, 0, k - 1)),),
            ),
            Step(
                "substitute",
                three.doit(),
                109386,
                "Two hidden layers between images of 784 pixels and ten classes; 202 of them are biases.",
                by=known,
            ),
        )
    )


parameters = Claim(
    id="nn.forward.count",
    section=SECTION,
    title="A layer has a weight for each pair of units, and a bias for each of its own",
    kind="equality",
    subject="nn.parameter_count",
    driver="host_function",
    structure=(DEPTH, BROAD),
    inputs=(),
    program=Program(((total, count),), (Output("count", total),)),
    definition=Program(
        ((total, Sum(1, (j, 1, n[l + 1]), (i, 0, n[l]), (l, 0, k - 1))),),
        (Output("count", total),),
    ),
    statement=Eq(total, count),
    derivation=count_proof,
    variants=(
        Variant(
            "without biases",
            "notes",
            ((total, WEIGHTS_ALONE),),
            printed=True,
            why="the formula has no biases: 109184 in the place of 109386 for the layers 784, 128, 64, 10",
        ),
        Variant("biases of the layer below", "known bug", ((total, Sum(n[l] * (n[l + 1] + 1), (l, 0, k - 1))),)),
        Variant("one bias a layer", "known bug", ((total, Sum(n[l] * n[l + 1] + 1, (l, 0, k - 1))),)),
    ),
    options={"arguments": ("n",)},
)

CLAIMS = (dataset, parameters)
