"""What batch normalization does to the layer before it: the scale of its weights, its bias (notes, section 1.2.7)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Function, IndexedBase, Max, Rational, Sum, Symbol, false, sqrt, symbols

from gnomon.derivations.normalization.bn import (
    BIAS,
    EPS,
    FEATURES,
    FEW,
    LAYER,
    SECTION,
    WEIGHT,
    C,
    Let,
    N,
    X,
    a,
    bias,
    c,
    d,
    e,
    eps,
    gamma,
    i,
    j,
    k,
    m,
    mean,
    mu,
    root,
    total,
    v,
    var,
    weight,
    xhat,
    y,
)
from gnomon.derivations.normalization.bn_gradient import by_mean, by_var, dx, g, gradient_proof
from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, positive, real

# ------------------------------------------------------------------ a layer before it

OVER = (a, 0, N - 1)
INPUTS = Size("D", 2, 2)
THREE = Size("N", 3, 3)  # with two samples or one weight the gradient by the weights is 0 anyhow
FED = (real("x", THREE, INPUTS), real("W", FEW, INPUTS), real("g", THREE, FEW))
D, w = INPUTS.symbol, IndexedBase("W", real=True)
fed, V, z, dW, db = (IndexedBase(name, real=True) for name in ("x", "V", "z", "dW", "db"))
by_root, by_d = IndexedBase("by_root", real=True), IndexedBase("by_d", real=True)
radial = Symbol("radial", real=True)
DETACHED = (by_d[a, c], g[a, c] * weight[c] / root[c])
UNITS = (k, 0, D - 1)


def through(pre_activation: Any) -> tuple[Let, ...]:
    """The layer's output z, normalized, and the gradient by z: through the root, the deviations and the mean."""
    return (
        (z[a, c], pre_activation),
        *FEATURES.statistics(z[a, c]),
        *FEATURES.normalized(),
        FEATURES.scaled(),
        (by_root[c], -Sum(g[a, c] * weight[c] * xhat[a, c] / root[c], OVER)),
        (by_var[c], by_root[c] / (2 * root[c])),
        (by_d[a, c], g[a, c] * weight[c] / root[c] + 2 * by_var[c] * d[a, c] / N),
        (by_mean[c], FEATURES.average(by_d[a, c])),
        (dx[a, c], by_d[a, c] - by_mean[c]),
    )


def by_weights(entry: Any, along: Any) -> tuple[Output, ...]:
    """The output, the gradient by the weights, and its part along them."""
    ranges = ((c, 0, C - 1), UNITS)
    return (FEATURES.outputs("y", y), Output("dW", entry, *ranges), Output("radial", along))


def linear(weights: Any) -> Any:
    return Sum(fed[a, k] * weights[c, k], UNITS)


# ------------------------------------------------------------------ the scale of the weights

SCALE = positive("scale")
s = SCALE.symbol
SUMMED = (dW[c, k], Sum(dx[a, c] * fed[a, k], OVER))
SCALED = (
    (V[c, k], s * w[c, k]),
    *through(linear(V)),
    SUMMED,
    (radial, Sum(V[c, k] * dW[c, k], UNITS, (c, 0, C - 1))),
)
SMALLER = sqrt(var[c] + eps / s**2)
UNSCALED = (
    (z[a, c], linear(w)),
    *FEATURES.statistics(z[a, c]),
    (root[c], SMALLER),
    (xhat[a, c], d[a, c] / root[c]),
    FEATURES.scaled(),
    (by_mean[c], FEATURES.average(g[a, c])),
    (by_var[c], FEATURES.average(g[a, c] * xhat[a, c])),
    (dx[a, c], weight[c] / root[c] * (g[a, c] - by_mean[c] - xhat[a, c] * by_var[c])),
    SUMMED,
)
ALONG = Sum(weight[c] * xhat[a, c] * g[a, c] * eps / (s**2 * var[c] + eps), OVER, (c, 0, C - 1))


def scale_proof() -> Derivation:
    r, t = Symbol("a", positive=True), Symbol("b", real=True)
    f, df, _ = opaque("f")
    u, step, slope, other = symbols("w eta p q", real=True)
    W, G, H = (IndexedBase(name, real=True) for name in ("w", "g", "h"))
    at = Symbol("mu", real=True)
    n = Symbol("n", integer=True, positive=True)

    def over(term: Any) -> Any:
        return Sum(term, (k, 0, n - 1))

    return Derivation(
        (
            Step(
                "rewrite",
                r * X[i] + t - total(r * X[j] + t, j) / m,
                r * (X[i] - mu()),
                why="a scale of the values scales their deviations, a shift does not",
            ),
            Step(
                "rewrite",
                r * u / sqrt(total((r * (X[i] - at)) ** 2) / m),
                u / sqrt(total((X[i] - at) ** 2) / m),
                why="and drops out of the quotient, for a > 0 and epsilon = 0",
                wrong=(r * u / sqrt(total((X[i] - at) ** 2) / m),),
            ),
            Step(
                "differentiate",
                f(r * u),
                r * df(r * u),
                why="a loss with f(a w) = f(w) for all w has a f'(a w) = f'(w) for each weight",
                by=(u,),
            ),
            Step("solve", Eq(r * slope, other), other / r, why="so the gradient falls as 1/a", by=(slope,)),
            Step(
                "differentiate",
                total(H[i] * (r * (X[i] - at))) / sqrt(total((r * (X[j] - at)) ** 2, j) / m),
                0,
                why="and along the weights there is none, as scaling them changes nothing",
                by=(r,),
            ),
            Step(
                "rewrite",
                r * u - step * other / r,
                r * (u - step / r**2 * other),
                why="a step from a w with rate eta is one from w with rate eta / a²",
                wrong=(r * (u - step / r * other),),
            ),
            Step(
                "rewrite",
                over((W[k] - step * G[k]) ** 2),
                over(W[k] ** 2) + step**2 * over(G[k] ** 2),
                why="each step makes the weights longer, and so the rate that counts smaller",
                assume=(Eq(over(W[k] * G[k]), 0),),
            ),
            Step(
                "rewrite",
                r * u / sqrt(total((r * (X[i] - at)) ** 2) / m + e),
                u / sqrt(total((X[i] - at) ** 2) / m + e / r**2),
                why="with epsilon > 0 the scale divides epsilon",
                wrong=(u / sqrt(total((X[i] - at) ** 2) / m + e),),
            ),
            Step(
                "refute",
                Eq(r * u / sqrt(r**2 * v + e), u / sqrt(v + e)),
                false,
                why="so that small weights make small outputs",
                by=({r: Rational(1, 10), u: 1, v: 1, e: 1},),
            ),
        ),
        "every number of values and weights",
    )


higher_lr = Claim(
    id="bn.higher_lr",
    section=SECTION,
    title="Scaling the weights before it by a divides epsilon by a², and the gradient by a; no more",
    kind="invariance",
    subject="normalization.BatchNorm1d",
    driver="after_linear",
    structure=(THREE, INPUTS, FEW),
    inputs=(*FED, SCALE, WEIGHT, BIAS, EPS),
    program=Program(SCALED, by_weights(dW[c, k], radial)),
    definition=Program(UNSCALED, by_weights(dW[c, k] / s, ALONG)),
    statement=(
        Eq(Function("y")(s * Symbol("W"), eps), Function("y")(Symbol("W"), eps / s**2)),
        Eq(Function("dW")(s * Symbol("W"), eps), Function("dW")(Symbol("W"), eps / s**2) / s),
        Eq(radial, ALONG),
    ),
    conditions=("a > 0", "epsilon is greater than 0; it no longer matters where the variance is much greater"),
    derivation=scale_proof,
    variants=(
        Variant(
            "the scale does not matter at all",
            "often said; right for epsilon = 0",
            ((V[c, k], w[c, k]), (dW[c, k], SUMMED[1] / s)),
        ),
        Variant("orthogonal to the weights", "often said; right for epsilon = 0", ((radial, 0 * s),)),
        Variant("a of any sign", "the sign of the weights does matter", inputs=(real("scale"),)),
        Variant("variance taken for a constant", "known bug: the variance is detached", (DETACHED,)),
        Variant("gradient of the weights before the scale", "known mistake", ((dW[c, k], s * SUMMED[1]),)),
        Variant("epsilon scaled along", "relative epsilon", ((root[c], sqrt(var[c] + s**2 * eps)),)),
    ),
    options=LAYER,
    remarks="For epsilon = 0 the output keeps still, and the gradient is orthogonal to the weights. This is what can "
    "be derived of the notes' 'allow higher LR and reduce strong dependence on initialization': a step from a W "
    "with rate eta is the step from W with rate eta / a², scaled. As every step makes the weights longer, the rate "
    "that counts falls by itself. Nothing is said of the direction of the first weights, nor of tiny batches.",
)

# ------------------------------------------------------------------ the bias before it

B = real("b", FEW)
b = B.symbol
OF_BIAS = (FEATURES.outputs("y", y), Output("db", db[c], (c, 0, C - 1)))


def placement_proof() -> Derivation:
    t = Symbol("b", real=True)
    return Derivation(
        (
            Step(
                "rewrite",
                X[i] + t - total(X[j] + t, j) / m,
                X[i] - mu(),
                why="the mean takes the bias with it",
                wrong=(X[i] + t - mu(),),
            ),
            gradient_proof().steps[1],
            Step(
                "rewrite",
                total(gamma / sqrt(v + e) * (g[i, 0] - total(g[j, 0], j) / m)),
                0,
                why="the gradient of a channel adds up to 0, and that sum is the gradient of the bias",
            ),
            Step(
                "refute",
                Eq(Max(X[0] + t, 0) - Max(t, 0), Max(X[0], 0)),
                false,
                why="before a non-linearity a bias cannot be taken off again",
                by=({X[0]: 1, t: -1},),
            ),
        ),
        "every number of values per channel, and every epsilon",
    )


placement = Claim(
    id="bn.placement",
    section=SECTION,
    title="Directly before batch normalization a bias does nothing, and has the gradient 0",
    kind="invariance",
    subject="normalization.BatchNorm1d",
    driver="after_linear",
    structure=(THREE, INPUTS, FEW),
    inputs=(*FED, B, WEIGHT, BIAS, EPS),
    program=Program((*through(linear(w) + b[c]), (db[c], Sum(dx[a, c], OVER))), OF_BIAS),
    definition=Program((*through(linear(w))[:7], (db[c], 0 * b[c])), OF_BIAS),
    statement=(
        Eq(Function("y")(Symbol("x W + b")), Function("y")(Symbol("x W"))),
        Eq(db[c], 0),
    ),
    conditions=("in training", "nothing stands between the layer and the normalization"),
    derivation=placement_proof,
    variants=(
        Variant("after the non-linearity", "another usual place", ((z[a, c], Max(linear(w) + b[c], 0)),)),
        Variant(
            "in evaluation",
            "the statistics do not move with the bias",
            ((mean[c], 0 * b[c]), (by_mean[c], 0 * b[c]), DETACHED),
        ),
        Variant(
            "bias after the normalization",
            "the layer's own beta",
            (FEATURES.scaled(weight[c] * xhat[a, c] + bias[c] + b[c]),),
        ),
        Variant("mean taken for a constant", "known bug: the mean is detached", ((by_mean[c], 0 * b[c]),)),
    ),
    options=LAYER,
    remarks="Hence layers before batch normalization are built without a bias. Where to put the normalization is a "
    "convention: before the non-linearity as in the notes, or after it.",
)

CLAIMS = (higher_lr, placement)
