"""Normalizing flows: planar maps, couplings, compositions, and the density of the result (notes, section 4.1.1)."""

from typing import Any

import sympy as sp
from sympy import (
    Abs,
    Eq,
    IndexedBase,
    KroneckerDelta,
    Piecewise,
    Product,
    Sum,
    Symbol,
    exp,
    log,
    symbols,
    tanh,
)

from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

SECTION = "4.1.1"
d = Size("d", 1, 3)
(D,) = symbols_of((d,))
i, j, k, l = symbols("i j k l", integer=True, nonnegative=True)
a, slope, dot, det, log_det = symbols("a slope dot det log_det", real=True)
y, x_, J, M_ = (IndexedBase(name, real=True) for name in ("y", "z", "J", "reduced"))


def over(term: Any, index: Any = k, size: Any = D) -> Any:
    return Sum(term, (index, 0, size - 1))


def eliminated(entry: Any) -> tuple[tuple[Any, Any], ...]:
    """A matrix after l steps of Gaussian elimination, for determinants from first principles."""
    before = M_[l - 1, i, j] - M_[l - 1, i, l - 1] * M_[l - 1, l - 1, j] / M_[l - 1, l - 1, l - 1]
    return ((M_[l, i, j], Piecewise((entry, Eq(l, 0)), (before, True))),)


LOG_DET = log(Abs(Product(M_[k, k, k], (k, 0, D - 1))))

# ------------------------------------------------------------------ planar

PLANAR = (real("w", d), real("u", d), real("b"), real("x", d))
w, u, b, x = symbols_of(PLANAR)
DOT = (dot, over(w[k] * u[k]))
ACTIVATION = (a, over(w[k] * x[k]) + b)
SLOPE = (slope, 1 - tanh(a) ** 2)
IMAGE = (y[i], x[i] + u[i] * tanh(a))


def planar_proof() -> Derivation:
    h, dh, _ = opaque("h")
    arg = Sum(w[k] * x[k], (k, 0, D - 1)) + b
    c = Symbol("c", real=True)
    two = sp.Matrix(2, 2, lambda p, q: KroneckerDelta(p, q) + c * u[p] * w[q])
    three = sp.Matrix(3, 3, lambda p, q: KroneckerDelta(p, q) + c * u[p] * w[q])
    row = KroneckerDelta(i, j) + c * u[i] * w[j]
    return Derivation(
        (
            Step("define", y[i], x[i] + u[i] * h(arg), why="the map, for any smooth h"),
            Step(
                "differentiate",
                x[i] + u[i] * h(arg),
                KroneckerDelta(i, j) + u[i] * w[j] * dh(arg),
                why="the Jacobian is the identity and one dyad",
                by=(x[j],),
                wrong=(KroneckerDelta(i, j) + w[i] * u[j] * dh(arg),),
            ),
            Step(
                "collapse",
                Sum(row * u[j], (j, 0, D - 1)),
                u[i] + c * u[i] * Sum(w[j] * u[j], (j, 0, D - 1)),
                why="u is an eigenvector with the eigenvalue 1 + c w·u",
            ),
            Step("rewrite", two.det(), 1 + c * (u[0] * w[0] + u[1] * w[1]), why="for d = 2 the determinant itself"),
            Step(
                "rewrite",
                three.det(method="berkowitz"),
                1 + c * (u[0] * w[0] + u[1] * w[1] + u[2] * w[2]),
                why="and for d = 3",
            ),
            Step(
                "cite",
                None,
                None,
                why="the determinant is the product of the eigenvalues: 1 on the d - 1 directions that w does not see, "
                "and 1 + c w·u (matrix determinant lemma)",
            ),
            Step("differentiate", tanh(b), 1 - tanh(b) ** 2, why="for h = tanh", by=(b,)),
        ),
        "every size",
    )


planar = Claim(
    id="flow.planar",
    section=SECTION,
    title="A planar map changes volume by 1 + h'(a) w·u",
    kind="equality",
    subject="flow.Planar",
    driver="transform",
    structure=(d,),
    inputs=PLANAR,
    program=Program(
        (ACTIVATION, SLOPE, DOT, IMAGE, (det, 1 + slope * dot), (log_det, log(Abs(det)))),
        (Output("y", y[i], (i, 0, D - 1)), Output("log_det", log_det)),
    ),
    definition=Program(
        (ACTIVATION, SLOPE, IMAGE, *eliminated(KroneckerDelta(i, j) + slope * u[i] * w[j])),
        (Output("y", y[i], (i, 0, D - 1)), Output("log_det", LOG_DET)),
    ),
    statement=Eq(log_det, log(Abs(1 + slope * Sum(w[k] * u[k], (k, 0, D - 1))))),
    conditions=("h = tanh and a = w·x + b; slope = 1 - tanh(a)²", "1 + slope w·u is not 0"),
    derivation=planar_proof,
    variants=(
        Variant("no absolute value", "known bug", ((log_det, log(det)),)),
        Variant("slope at x instead of the activation", "known bug", ((slope, 1 - tanh(over(x[k])) ** 2),)),
        Variant("slope left out", "known bug", ((slope, sp.Integer(1)),)),
        Variant("logarithm of the inverse", "sign of the inverse map's libraries", ((log_det, -log(Abs(det))),)),
        Variant("bias left out", "known bug", ((a, over(w[k] * x[k])),)),
        Variant("|u|² for w·u", "known bug", ((dot, over(u[k] ** 2)),)),
    ),
)

# ------------------------------------------------------------------ coupling

d1, d2 = Size("p", 1, 2), Size("q", 1, 2)
P, Q = symbols_of((d1, d2))
COUPLING = (real("S", d2, d1), real("R", d2, d1), real("x", P + Q))
S, R, xc = symbols_of(COUPLING)
s, t = (IndexedBase(name, real=True) for name in "st")
SCALE = (s[j], over(S[j, k] * xc[k], k, P))
SHIFT = (t[j], over(R[j, k] * xc[k], k, P))
MOVED = xc[i] * exp(s[i - P]) + t[i - P]
COUPLED = (y[i], Piecewise((xc[i], i < P), (MOVED, True)))
COUPLING_OUT = (Output("y", y[i], (i, 0, P + Q - 1)), Output("log_det", log_det))


def coupling_proof() -> Derivation:
    z, shift, scale, volume = (IndexedBase(name, real=True) for name in ("z", "t", "s", "V"))
    n = Symbol("q", integer=True, positive=True)
    v, e, c = symbols("v e c", real=True)
    return Derivation(
        (
            Step(
                "differentiate",
                z[j] * exp(scale[j]) + shift[j],
                KroneckerDelta(j, k) * exp(scale[j]),
                why="with x₁ fixed, the second block of the Jacobian is diagonal",
                by=(z[k],),
            ),
            Step(
                "cite",
                None,
                None,
                why="the first block does not depend on x₂, so the Jacobian is block triangular and its determinant is "
                "that of the diagonal blocks",
            ),
            Step(
                "induction",
                Eq(volume[n], volume[n - 1] * exp(scale[n])),
                exp(Sum(scale[k], (k, 1, n))),
                why="the product of the scales is the exponential of the sum of the s",
                by=(n, 0, 1),
                wrong=(Sum(exp(scale[k]), (k, 1, n)),),
            ),
            Step(
                "solve",
                Eq(c, v * exp(e) + n),
                (c - n) * exp(-e),
                why="and each coordinate is inverted by itself",
                by=(v,),
                wrong=(c * exp(-e) - n,),
            ),
        ),
        "every size",
        "block",
    )


coupling = Claim(
    id="flow.coupling",
    section=SECTION,
    title="An affine coupling changes volume by the exponential of the sum of its scales",
    kind="equality",
    subject="flow.AffineCoupling",
    driver="coupling",
    structure=(d1, d2),
    inputs=COUPLING,
    program=Program((SCALE, SHIFT, COUPLED, (log_det, over(s[k], k, Q))), COUPLING_OUT),
    definition=Program((SCALE, SHIFT, COUPLED, (log_det, log(Product(exp(s[k]), (k, 0, Q - 1))))), COUPLING_OUT),
    statement=Eq(log_det, Sum(s[k], (k, 0, Q - 1))),
    conditions=("y₁ = x₁ and y₂ = x₂ exp(s(x₁)) + t(x₁)",),
    derivation=coupling_proof,
    variants=(
        Variant("minus the sum", "sign of the inverse", ((log_det, -over(s[k], k, Q)),)),
        Variant("mean of the scales", "known bug", ((log_det, over(s[k], k, Q) / Q + over(s[k], k, Q)),)),
        Variant(
            "shift before scale",
            "known bug",
            ((y[i], Piecewise((xc[i], i < P), ((xc[i] + t[i - P]) * exp(s[i - P]), True))),),
        ),
        Variant(
            "sigmoid of s + 2",
            "Glow",
            (
                (y[i], Piecewise((xc[i], i < P), (xc[i] / (1 + exp(-s[i - P] - 2)) + t[i - P], True))),
                (log_det, -over(log(1 + exp(-s[k] - 2)), k, Q)),
            ),
        ),
    ),
)

BACK = (y[i], Piecewise((xc[i], i < P), ((xc[i] - t[i - P]) * exp(-s[i - P]), True)))
coupling_inverse = Claim(
    id="flow.coupling.inverse",
    section=SECTION,
    title="An affine coupling is inverted in closed form",
    kind="equality",
    subject="flow.AffineCoupling",
    driver="coupling",
    structure=(d1, d2),
    inputs=COUPLING,
    program=Program((SCALE, SHIFT, BACK), (Output("inverse", y[i], (i, 0, P + Q - 1)),)),
    statement=Eq(xc[j], (y[j] - t[j]) * exp(-s[j])),
    conditions=("s and t are those of the first block, which passes through unchanged",),
    derivation=coupling_proof,
    variants=(
        Variant(
            "scale before shift",
            "known bug",
            ((y[i], Piecewise((xc[i], i < P), (xc[i] * exp(-s[i - P]) - t[i - P], True))),),
        ),
        Variant(
            "the forward scale",
            "known bug",
            ((y[i], Piecewise((xc[i], i < P), ((xc[i] - t[i - P]) * exp(s[i - P]), True))),),
        ),
    ),
    remarks="The input x of the check is a point of the image.",
)

# ------------------------------------------------------------------ composition

CHAIN = (real("a", d), real("r", d), real("b", d), real("s", d), real("x", d))
ca, cr, cb, cs, cx = symbols_of(CHAIN)
FIRST, SECOND = (y[i], cb[i] + cs[i] * x_[i]), (x_[i], ca[i] + cr[i] * cx[i])
CHAIN_OUT = (Output("y", y[i], (i, 0, D - 1)), Output("log_det", log_det))
SUMMED = over(log(Abs(cr[k]))) + over(log(Abs(cs[k])))


def composition_proof() -> Derivation:
    A, B = (
        sp.Matrix(n, n, lambda p, q, name=name: IndexedBase(name, real=True)[p, q]) for n, name in ((2, "A"), (2, "B"))
    )
    C, E = (sp.Matrix(3, 3, lambda p, q, name=name: IndexedBase(name, real=True)[p, q]) for name in "CE")
    p, q = symbols("p q", positive=True)
    return Derivation(
        (
            Step("rewrite", (B * A).det(), B.det() * A.det(), why="determinants multiply: d = 2"),
            Step(
                "rewrite",
                (E * C).det(method="berkowitz"),
                E.det() * C.det(),
                why="d = 3",
            ),
            Step(
                "cite",
                None,
                None,
                why="determinants multiply for every d; by the chain rule the Jacobian is the product",
            ),
            Step(
                "rewrite",
                log(p * q),
                log(p) + log(q),
                why="so the logarithms of their sizes add",
                wrong=(log(p) - log(q),),
            ),
        ),
        "every size",
    )


composition = Claim(
    id="flow.composition",
    section=SECTION,
    title="The log-determinants of maps in a row add",
    kind="equality",
    subject="flow.compose",
    driver="composition",
    structure=(d,),
    inputs=CHAIN,
    program=Program((SECOND, FIRST, (log_det, SUMMED)), CHAIN_OUT),
    definition=Program((SECOND, FIRST, (log_det, log(Abs(Product(cs[k] * cr[k], (k, 0, D - 1)))))), CHAIN_OUT),
    statement=Eq(log_det, SUMMED),
    conditions=("the first map of the row is applied first",),
    derivation=composition_proof,
    variants=(
        Variant(
            "the other order",
            "known bug",
            ((y[i], ca[i] + cr[i] * x_[i]), (x_[i], cb[i] + cs[i] * cx[i])),
        ),
        Variant("minus the second", "known bug", ((log_det, over(log(Abs(cr[k]))) - over(log(Abs(cs[k])))),)),
        Variant("only the last", "known bug", ((log_det, over(log(Abs(cs[k])))),)),
    ),
)

CLAIMS = (planar, coupling, coupling_inverse, composition)
