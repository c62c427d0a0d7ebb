"""The gradient through residual networks, and when it keeps its length (notes, section 1.5)."""

from __future__ import annotations

from typing import Any

from sympy import (
    Abs,
    And,
    Eq,
    Ge,
    IndexedBase,
    Integer,
    KroneckerDelta,
    Le,
    Max,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    false,
    oo,
    sqrt,
    symbols,
    tanh,
)

from gnomon.derivations.convolution.resnet import (
    ACTIVATION,
    DEPTH,
    INSIDE,
    SECTION,
    SLIM,
    STACK,
    START,
    As,
    Bs,
    L,
    Let,
    dsigma,
    forward,
    i,
    j,
    jacobian_step,
    k,
    l,
    m,
    n,
    over,
    q,
    s,
    sigma,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, real, symbols_of, unit

g, delta, e, moves, rho = (IndexedBase(name, real=True) for name in ("g", "delta", "e", "moves", "rho"))
COTANGENT = real("g", SLIM)
g0 = COTANGENT.symbol
u_, v_, w_, M_ = (IndexedBase(name, real=True) for name in ("u", "v", "w", "M"))

# ------------------------------------------------------------------ the product


def back(handed: Any = None, kept: Any = None) -> tuple[Let, Let]:
    """The gradient between the blocks, from the last down: what the branch hands back is added to what is kept."""
    handed = Sum(As[l, j, i] * e[l, j], (j, 0, m - 1)) if handed is None else handed
    kept = delta[l + 1, i] if kept is None else kept
    return (
        (e[l, j], dsigma(s[l, j]) * Sum(Bs[l, i, j] * delta[l + 1, i], (i, 0, n - 1))),
        (delta[l, i], Piecewise((g0[i], Eq(l, L)), (kept + handed, True))),
    )


def followed() -> Program:
    """How the output moves with each entry of the input, block by block, and then the sum with g."""
    moved = moves[l - 1, i, q] + Sum(
        Bs[l - 1, i, j] * dsigma(s[l - 1, j]) * Sum(As[l - 1, j, k] * moves[l - 1, k, q], (k, 0, n - 1)),
        (j, 0, m - 1),
    )
    return Program(
        (*forward(), (moves[l, i, q], Piecewise((KroneckerDelta(i, q), Eq(l, 0)), (moved, True)))),
        (Output("dx", Sum(g0[i] * moves[L, i, q], (i, 0, n - 1)), (q, 0, n - 1)),),
    )


def product_proof() -> Derivation:
    gain, weight = IndexedBase("gain", real=True), IndexedBase("w", real=True)
    row = over(v_[j] * M_[i, j], j)
    return Derivation(
        (
            jacobian_step(),
            Step(
                "rewrite",
                over(u_[i] * (v_[i] + row)),
                over(v_[j] * (u_[j] + over(M_[i, j] * u_[i])), j),
                why="so a block hands back g + J^T g: g on the direct path, J^T g through the branch",
                wrong=(over(v_[j] * (u_[j] + over(M_[j, i] * u_[i])), j),),
            ),
            Step(
                "induction",
                Eq(gain[l], (1 + weight[l]) * gain[l - 1]),
                Product(1 + weight[k], (k, 1, l)),
                why="and L blocks a product of L factors; here for numbers",
                by=(l, 0, 1),
                wrong=(Product(weight[k], (k, 1, l)),),
            ),
            Step(
                "rewrite",
                (1 + weight[1]) * (1 + weight[2]),
                1 + weight[1] + weight[2] + weight[1] * weight[2],
                why="multiplied out, it is a sum over all ways through the branches or past them; one goes past all",
            ),
        ),
        "every depth and width",
        lift="induction",
    )


SHOWN = (Output("dx", delta[0, i], (i, 0, n - 1)),)
product = Claim(
    id="resnet.gradient.product",
    section=SECTION,
    title="The gradient by the input is the product of all I + J, transposed, applied to that by the output",
    kind="equality",
    subject="residual.ResidualNetwork",
    driver="residual_gradient",
    structure=(DEPTH, SLIM, INSIDE, ACTIVATION),
    inputs=(START, *STACK, COTANGENT),
    program=Program((*forward(), *back()), SHOWN),
    definition=followed(),
    statement=Eq(delta[l, i], delta[l + 1, i] + Sum(IndexedBase("J")[l, k, i] * delta[l + 1, k], (k, 0, n - 1))),
    conditions=("at a kink of the activation the slope is that from the left",),
    derivation=product_proof,
    variants=(
        Variant("the direct path alone", "known bug: the branch is detached", (back(0 * g0[i])[1],)),
        Variant(
            "the branches alone", "a plain network; known bug: the shortcut is detached", (back(kept=0 * g0[i])[1],)
        ),
        Variant(
            "the first path through each branch",
            "first order: 1 + the sum of all J",
            (
                (
                    e[l, j],
                    dsigma(s[l, j]) * Sum(Bs[l, i, j] * g0[i], (i, 0, n - 1)),
                ),
            ),
        ),
        Variant(
            "slope of the activation taken at its value",
            "known bug: sigma'(sigma(s))",
            ((e[l, j], dsigma(sigma(s[l, j])) * Sum(Bs[l, i, j] * delta[l + 1, i], (i, 0, n - 1))),),
        ),
        Variant("shortcut counted twice", "known bug", (back(kept=2 * delta[l + 1, i])[1],)),
    ),
)

# ------------------------------------------------------------------ its length

LENGTH = Rational(12, 25)
BOUNDED = tuple(
    real(domain.name, *domain.shape, low=-float(LENGTH), high=float(LENGTH)) if domain.name in "AB" else domain
    for domain in STACK
)
before, after = symbols("before after", nonnegative=True)
NORMS = (
    (
        rho[l],
        sqrt(Sum(As[l, j, i] ** 2, (i, 0, n - 1), (j, 0, m - 1)))
        * sqrt(Sum(Bs[l, i, j] ** 2, (i, 0, n - 1), (j, 0, m - 1))),
    ),
    (before, sqrt(Sum(g0[i] ** 2, (i, 0, n - 1)))),
)
seen = sqrt(Sum(IndexedBase("dx")[i] ** 2, (i, 0, n - 1)))
LOWER, UPPER = (Product(1 + sign * rho[l], (l, 0, L - 1)) * before for sign in (-1, 1))


def cauchy(what: str) -> Step:
    return Step(
        "inequality",
        Le(over(u_[i] * w_[i]) ** 2, over(u_[i] ** 2) * over(w_[i] ** 2)),
        over(over((u_[i] * w_[j] - u_[j] * w_[i]) ** 2, j)) / 2,
        why=what,
    )


def bounds_proof() -> Derivation:
    length, change = symbols("s t", nonnegative=True)
    inner, share, c = Symbol("c", real=True), Symbol("r", nonnegative=True), Symbol("C", positive=True)
    gain, depth = IndexedBase("gain", real=True), Symbol("L", positive=True)
    u = Symbol("u", real=True)
    return Derivation(
        (
            jacobian_step(),
            cauchy("Cauchy and Schwarz, by Lagrange's identity; row by row it bounds |M v| by the Frobenius norm of M"),
            Step(
                "inequality",
                Le(1 - tanh(u) ** 2, 1, evaluate=False),
                tanh(u) ** 2,
                why="the activations have slopes up to 1, so that |J| is at most the product of the layers' norms",
            ),
            Step(
                "inequality",
                Ge(length**2 + 2 * inner + change**2, (length - change) ** 2),
                2 * (inner + length * change),
                why="with |g| = s, |J^T g| = t and their product c >= -s t, the sum is at least s - t long",
                assume=(inner + length * change >= 0,),
            ),
            Step(
                "inequality",
                Le(length**2 + 2 * inner + change**2, (length + change) ** 2),
                2 * (length * change - inner),
                why="and at most s + t",
                assume=(length * change - inner >= 0,),
            ),
            Step(
                "inequality",
                Ge(length - change, (1 - share) * length),
                share * length - change,
                why="which is at least (1 - rho) s if |J| is at most rho",
                assume=(share * length - change >= 0,),
            ),
            Step(
                "induction",
                Eq(gain[l], (1 - share) * gain[l - 1]),
                (1 - share) ** l,
                why="block by block, for one rho",
                by=(l, 0, 1),
                assume=(share < 1,),
            ),
            Step("limit", (1 - c / depth) ** depth, exp(-c), why="with rho = c / L at any depth", by=(depth, oo)),
            Step(
                "refute",
                Eq(Abs(1 + inner), 1),
                false,
                why="without a condition: F(x) = -x has J = -1, and the gradient is 0 after one block",
                by=({inner: -1},),
            ),
            Step(
                "refute",
                Ge((1 + inner) ** 50, Rational(1, 10**15)),
                false,
                why="and F(x) = -x/2, with rho < 1, leaves 2^-50 = 8.9e-16 of it after 50",
                by=({inner: -Rational(1, 2)},),
            ),
        ),
        "every depth and width",
        lift="coordinate",
    )


gradient = Claim(
    id="resnet.gradient",
    section=SECTION,
    title="If every branch has a Jacobian shorter than 1, the gradient keeps between (1 - rho) and (1 + rho) per block",
    kind="inequality",
    subject="residual.ResidualNetwork",
    driver="residual_gradient",
    structure=(DEPTH, SLIM, INSIDE, ACTIVATION),
    inputs=(START, *BOUNDED, COTANGENT),
    program=Program((*forward(), *back(), *NORMS), SHOWN),
    statement=And(
        Le(Product(1 - rho[l], (l, 0, L - 1)) * before, after), Le(after, Product(1 + rho[l], (l, 0, L - 1)) * before)
    ),
    relation=Relation(Max(LOWER - seen, seen - UPPER), "<=", 0),
    conditions=(
        "rho[l], the product of the Frobenius norms of A[l] and B[l], bounds the Jacobian of branch l and is below 1",
        "the slopes of the activation are at most 1",
    ),
    derivation=bounds_proof,
    variants=(
        Variant(
            "the gradient keeps its length",
            "notes: the direct path helps maintain the gradient's magnitude",
            relation=Relation(before - seen, "<=", 0),
            printed=True,
            why="for F(x) = -x/2 each block halves it: 2^-50 = 8.9e-16 is left after 50",
        ),
        Variant(
            "branches of any size",
            "notes: ... and prevents it from vanishing, without a condition",
            inputs=tuple(domain for domain in STACK if domain.name in "AB"),
            relation=Relation(((1 - 4 * LENGTH**2) ** L) * before - seen, "<=", 0),
            printed=True,
            why="for F(x) = -x the gradient is 0 after one block; what is left here is for rho up to 0.92",
        ),
        Variant(
            "the gradient never grows",
            "often said of shortcuts",
            relation=Relation(seen - before, "<=", 0),
            why="for F(x) = x it doubles with each block",
        ),
        Variant(
            "bounds of a plain network",
            "without the direct path",
            relation=Relation(seen - Product(rho[l], (l, 0, L - 1)) * before, "<=", 0),
        ),
        Variant(
            "first order in rho",
            "a usual approximation: 1 + the sum",
            relation=Relation(seen - (1 + Sum(rho[l], (l, 0, L - 1))) * before, "<=", 0),
        ),
        Variant("shortcut counted twice", "known bug", (back(kept=2 * delta[l + 1, i])[1],)),
        Variant("the branches alone", "known bug: the shortcut is detached", (back(kept=0 * g0[i])[1],)),
    ),
    remarks="Of what the notes say this is what can be shown. As a plain network has 0 for a lower bound, it is much; "
    "but a product of factors below 1 still falls exponentially unless rho falls as 1/L. With rho = c/L the gradient "
    "keeps between exp(-c) and exp(c), in the limit of many blocks.",
)

# ------------------------------------------------------------------ the bounds as a function

RHO, BLOCKS = unit("rho", host=True, typical=(0.1, 0.5)), Size("depth", 1, 60)
r, deep = symbols_of((RHO, BLOCKS))
low, high = symbols("low high", real=True)


def either(lower: Any, upper: Any) -> tuple[Output, ...]:
    return (Output("bounds", Piecewise((lower, Eq(i, 0)), (upper, True)), (i, 0, 1)),)


bounds = Claim(
    id="resnet.gradient.bounds",
    section=SECTION,
    title="The factors of L blocks are (1 - rho)^L and (1 + rho)^L",
    kind="equality",
    subject="residual.gain_bounds",
    driver="host_function",
    structure=(BLOCKS,),
    inputs=(RHO,),
    program=Program(((low, (1 - r) ** deep), (high, (1 + r) ** deep)), either(low, high)),
    statement=(Eq(low, (1 - r) ** deep), Eq(high, (1 + r) ** deep)),
    conditions=("0 < rho < 1",),
    derivation=bounds_proof,
    gradient=False,
    options={"arguments": ("rho", "depth")},
    variants=(
        Variant("first order", "a usual approximation", ((low, 1 - deep * r), (high, 1 + deep * r))),
        Variant("exponentials", "the limit for rho = c / L", ((low, exp(-deep * r)), (high, exp(deep * r)))),
        Variant("a plain network", "no shortcuts", ((low, Integer(0)), (high, r**deep))),
        Variant("one block", "known bug: no power", ((low, 1 - r), (high, 1 + r))),
    ),
    remarks="A function of Python's numbers: there is no gradient to compare.",
)

CLAIMS = (gradient, product, bounds)
