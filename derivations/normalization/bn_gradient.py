"""The gradient through batch normalization: directly, through the mean, and through the variance (1.2.7)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, IndexedBase, KroneckerDelta, Max, Sum, Symbol, sqrt

from gnomon.derivations.normalization.bn import (
    BATCH,
    BIAS,
    CHANNELS,
    EPS,
    FEATURES,
    FEW,
    HEIGHT,
    IMAGE,
    LAYER,
    SECTION,
    SMALL,
    WEIGHT,
    WIDTH,
    C,
    G,
    Let,
    N,
    Values,
    X,
    a,
    beta,
    c,
    d,
    e,
    eps,
    gamma,
    i,
    k,
    m,
    mean,
    mu,
    q,
    root,
    total,
    v,
    var,
    weight,
    x,
    xhat,
)  # fmt: skip
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import real

g, dx, dweight, dbias, by_mean, by_var = (
    IndexedBase(name, real=True) for name in ("g", "dx", "dweight", "dbias", "by_mean", "by_var")
)


def backward(values: Values) -> tuple[Let, ...]:
    """The backward pass in closed form."""
    at = values.at
    return (
        *values.statistics(),
        *values.normalized(),
        (dbias[c], Sum(g[at], *values.over)),
        (dweight[c], Sum(g[at] * xhat[at], *values.over)),
        (by_mean[c], dbias[c] / values.count),
        (by_var[c], dweight[c] / values.count),
        (dx[at], weight[c] / root[c] * (g[at] - by_mean[c] - xhat[at] * by_var[c])),
    )


def shown(values: Values) -> tuple[Output, ...]:
    """The three gradients."""
    vectors = tuple(Output(str(base), base[c], (c, 0, C - 1)) for base in (dweight, dbias))
    return (values.outputs("dx", dx), *vectors)


# ------------------------------------------------------------------ the closed form

R = 1 / sqrt(total(X[k] ** 2, k) / m - mu(k) ** 2 + e)


def hat(index: Any) -> Any:
    """A normalized value of a channel."""
    return (X[index] - mu(k)) * R


def gradient_proof() -> Derivation:
    loss = total(G[i] * (gamma * hat(i) + beta))
    at = Symbol("mu", real=True)
    return Derivation(
        (
            Step(
                "differentiate",
                total(X[k] ** 2, k) / m - mu(k) ** 2,
                2 * (X[q] - mu(k)) / m,
                why="the variance moves with twice the deviation: by the mean alone it would not move",
                by=(X[q],),
            ),
            Step(
                "differentiate",
                loss,
                gamma * R * (G[q] - total(G[i]) / m - hat(q) * total(G[i] * hat(i)) / m),
                why="one value moves its own output, the mean and the variance of its channel",
                by=(X[q],),
                wrong=(
                    gamma * R * (G[q] - hat(q) * total(G[i] * hat(i)) / m),
                    gamma * R * (G[q] - total(G[i]) / m),
                    gamma * R * G[q],
                ),
            ),
            Step("differentiate", loss, total(G[i] * hat(i)), why="the weight", by=(gamma,)),
            Step("differentiate", loss, total(G[i]), why="the bias", by=(beta,)),
            Step(
                "rewrite",
                total((X[i] - at) ** 2) / (m * (v + e)),
                total(((X[i] - at) / sqrt(v + e)) ** 2) / m,
                why="the mean square of the normalized values is v / (v + epsilon)",
            ),
        ),
        "every number of values per channel",
    )


def path_variants(values: Values) -> tuple[Variant, ...]:
    """What is left when a statistic is taken for a constant."""
    at = values.at
    scale = weight[c] / root[c]
    return (
        Variant(
            "mean taken for a constant",
            "known bug: the mean is detached",
            ((dx[at], scale * (g[at] - xhat[at] * by_var[c])),),
        ),
        Variant(
            "variance taken for a constant",
            "known bug: the variance is detached",
            ((dx[at], scale * (g[at] - by_mean[c])),),
        ),
        Variant(
            "both taken for constants",
            "what evaluation does; known bug in training",
            ((dx[at], scale * g[at]),),
        ),
        Variant(
            "unbiased variance",
            "torch.var's default",
            ((var[c], values.average(d[at] ** 2, values.count - 1)),),
        ),
    )


def from_jacobian() -> Program:
    """How each output moves with each value, summed."""
    moved = weight[c] * (
        (KroneckerDelta(i, a) - 1 / N) / root[c]
        - (x[i, c] - mean[c]) * (x[a, c] - mean[c]) / (N * root[c] * (var[c] + eps))
    )
    return Program(
        (
            (mean[c], Sum(x[a, c], (a, 0, N - 1)) / N),
            (var[c], Sum(x[a, c] ** 2, (a, 0, N - 1)) / N - mean[c] ** 2),
            (root[c], sqrt(var[c] + eps)),
            (dx[a, c], Sum(g[i, c] * moved, (i, 0, N - 1))),
            (dweight[c], Sum(g[a, c] * (x[a, c] - mean[c]) / root[c], (a, 0, N - 1))),
            (dbias[c], Sum(g[a, c], (a, 0, N - 1))),
        ),
        shown(FEATURES),
    )


STATEMENT = (
    Eq(dx[a, c], weight[c] / root[c] * (g[a, c] - dbias[c] / N - xhat[a, c] * dweight[c] / N)),
    Eq(dweight[c], Sum(g[a, c] * xhat[a, c], (a, 0, N - 1))),
    Eq(dbias[c], Sum(g[a, c], (a, 0, N - 1))),
)
GIVEN = (real("g", BATCH, CHANNELS), real("x", BATCH, CHANNELS), WEIGHT, EPS)

gradient = Claim(
    id="bn.gradient",
    section=SECTION,
    title="The gradient has three paths: the value itself, the mean and the variance of its channel",
    kind="equality",
    subject="normalization.batch_norm_backward",
    driver="function",
    structure=(BATCH, CHANNELS),
    inputs=GIVEN,
    program=Program(backward(FEATURES), shown(FEATURES)),
    definition=from_jacobian(),
    statement=STATEMENT,
    conditions=("at least two values per channel", "epsilon is greater than 0", "g is the gradient by the outputs"),
    derivation=gradient_proof,
    variants=(
        *path_variants(FEATURES),
        Variant(
            "weight's gradient with the value itself",
            "known bug: not normalized",
            (
                (dweight[c], Sum(g[a, c] * x[a, c], (a, 0, N - 1))),
                (by_var[c], Sum(g[a, c] * xhat[a, c], (a, 0, N - 1)) / N),
            ),
        ),
        Variant(
            "weight left out", "known bug", ((dx[a, c], 1 / root[c] * (g[a, c] - by_mean[c] - xhat[a, c] * by_var[c])),)
        ),
        Variant("sums in the place of means", "known bug", ((by_mean[c], dbias[c]), (by_var[c], dweight[c]))),
        Variant(
            "means in the place of sums",
            "known bug",
            (
                (by_mean[c], FEATURES.average(g[a, c])),
                (by_var[c], FEATURES.average(g[a, c] * xhat[a, c])),
                (dbias[c], by_mean[c]),
                (dweight[c], by_var[c]),
            ),
        ),
    ),
    gradient=False,
    remarks="The formula is a backward pass itself; its own derivative is not looked at.",
)

# ------------------------------------------------------------------ what autograd makes of a layer

AUTOGRAD: dict[str, Any] = {
    **LAYER,
    "call": ("x",),
    "cotangent": "g",
    "by": ("x", "weight", "bias"),
}
WHOLE = tuple(real(name, SMALL, FEW, HEIGHT, WIDTH) for name in ("g", "x"))

layer_gradient = Claim(
    id="bn.gradient.images",
    section=SECTION,
    title="For images the two sums of the gradient run over all samples and pixels of a channel",
    kind="equality",
    subject="normalization.BatchNorm2d",
    driver="module_gradient",
    structure=(SMALL, FEW, HEIGHT, WIDTH),
    inputs=(*WHOLE, WEIGHT, BIAS, EPS),
    program=Program(backward(IMAGE), shown(IMAGE)),
    statement=Eq(
        dx[IMAGE.at],
        weight[c] / root[c] * (g[IMAGE.at] - dbias[c] / IMAGE.count - xhat[IMAGE.at] * dweight[c] / IMAGE.count),
    ),
    conditions=("at least two values per channel", "epsilon is greater than 0", "g is the gradient by the outputs"),
    derivation=gradient_proof,
    variants=(
        *path_variants(IMAGE),
        Variant(
            "divided by the number of samples", "known bug", ((by_mean[c], dbias[c] / N), (by_var[c], dweight[c] / N))
        ),
    ),
    options=AUTOGRAD,
)

# ------------------------------------------------------------------ what the gradient cannot do

seen = IndexedBase("dx")
S = Symbol("S", real=True)


def orthogonal_proof() -> Derivation:
    h, first, second = IndexedBase("h", real=True), Symbol("A", real=True), Symbol("B", real=True)
    r = Symbol("r", positive=True)
    return Derivation(
        (
            *gradient_proof().steps[1:2],
            Step("rewrite", total(X[i] - mu()), 0, why="the normalized values add up to 0"),
            Step(
                "rewrite",
                total(gamma * r * (G[i] - total(G[k], k) / m - h[i] * second / m)),
                0,
                why="so the gradient of a channel adds up to 0: a common shift changes nothing",
                assume=(Eq(total(h[i]), 0),),
            ),
            Step(
                "rewrite",
                total(h[i] * gamma * r * (G[i] - first / m - h[i] * total(G[k] * h[k], k) / m)),
                gamma * r * total(G[k] * h[k], k) * (1 - total(h[i] ** 2) / m),
                why="and along the normalized values it is left with the share that their mean square falls short of 1",
                assume=(Eq(total(h[i]), 0),),
            ),
            Step(
                "rewrite",
                1 - v / (v + e),
                e / (v + e),
                why="that is epsilon / (v + epsilon): a common scale changes next to nothing",
                wrong=(0,),
            ),
        ),
        "every number of values per channel",
    )


orthogonality = Claim(
    id="bn.gradient.orthogonality",
    section=SECTION,
    title="The gradient of a channel adds up to 0, and is orthogonal to the normalized values but for epsilon",
    kind="invariance",
    subject="normalization.BatchNorm1d",
    driver="module_gradient",
    structure=(BATCH, CHANNELS),
    inputs=(*GIVEN[:2], WEIGHT, BIAS, EPS),
    program=Program(backward(FEATURES), shown(FEATURES)[:1]),
    statement=(
        Eq(Sum(dx[a, c], (a, 0, N - 1)), 0),
        Eq(Sum(xhat[a, c] * dx[a, c], (a, 0, N - 1)), weight[c] / root[c] * dweight[c] * eps / (var[c] + eps)),
    ),
    relation=Relation(
        Max(
            Abs(Sum(seen[a, c], (a, 0, N - 1))),
            Abs(Sum(xhat[a, c] * seen[a, c], (a, 0, N - 1)) - weight[c] / root[c] * dweight[c] * eps / (var[c] + eps)),
        ),
        "<=",
        0,
        ((c, 0, C - 1),),
    ),
    conditions=("at least two values per channel", "epsilon is greater than 0"),
    derivation=orthogonal_proof,
    variants=(
        *path_variants(FEATURES)[:3],
        Variant(
            "exactly orthogonal to the normalized values",
            "the case epsilon = 0",
            relation=Relation(Abs(Sum(xhat[a, c] * seen[a, c], (a, 0, N - 1))), "<=", 0, ((c, 0, C - 1),)),
        ),
    ),
    options=AUTOGRAD,
)

CLAIMS = (gradient, layer_gradient, orthogonality)
