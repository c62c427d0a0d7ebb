"""Jacobians and integrals under a change of variables (notes, section 4.1.1)."""

import functools
from typing import Any

import sympy as sp
from sympy import (
    Abs,
    Eq,
    IndexedBase,
    Integer,
    Integral,
    KroneckerDelta,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    cos,
    exp,
    log,
    oo,
    sin,
    sqrt,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

SECTION = "4.1.1"
i, j, k = symbols("i j k", integer=True, nonnegative=True)
det, area, out = symbols("det area out", real=True)
J, inverse, T, across, back = (IndexedBase(name, real=True) for name in ("J", "inverse", "T", "across", "back"))


def determinant(m: Any) -> Any:
    return m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]


# ------------------------------------------------------------------ the Jacobian

MILD = functools.partial(real, low=-16.0, high=16.0)  # the map itself, which is differentiated, must not overflow
n = Size("n", 1, 3)
(N,) = symbols_of((n,))
CURVED = (real("M", n, n), MILD("q", n), MILD("x", n))
M, q, x = symbols_of(CURVED)
FORWARD = IndexedBase("forward", real=True)
OF_INVERSE = FORWARD[1 - j, 1 - i] * (2 * KroneckerDelta(i, j) - 1) / determinant(FORWARD)
ENTRY = M[i, j] + 2 * q[i] * x[i] * KroneckerDelta(i, j)


def jacobian_proof() -> Derivation:
    return Derivation(
        (
            Step("define", T[i], Sum(M[i, k] * x[k], (k, 0, N - 1)) + q[i] * x[i] ** 2, why="the map that is checked"),
            Step(
                "differentiate",
                Sum(M[i, k] * x[k], (k, 0, N - 1)) + q[i] * x[i] ** 2,
                ENTRY,
                why="row i, column j: how output i moves with input j",
                by=(x[j],),
                wrong=(M[j, i] + 2 * q[i] * x[i] * KroneckerDelta(i, j),),
            ),
        ),
        "every size",
    )


jacobian_def = Claim(
    id="flow.jacobian_def",
    section=SECTION,
    title="The Jacobian of T has the derivatives of T's outputs in its rows",
    kind="equality",
    subject="flow.jacobian",
    driver="jacobian",
    structure=(n,),
    inputs=CURVED,
    program=Program(((J[i, j], ENTRY),), (Output("jacobian", J[i, j], (i, 0, N - 1), (j, 0, N - 1)),)),
    statement=Eq(J[i, j], sp.Derivative(sp.Function("T_i")(Symbol("x_j")), Symbol("x_j"))),
    conditions=("T is differentiable; checked on T(x) = M x + q x²",),
    derivation=jacobian_proof,
    variants=(
        Variant(
            "the Jacobian of the inverse",
            "notes",
            (
                (J[i, j], Piecewise((1 / FORWARD[0, 0], Eq(N, 1)), (OF_INVERSE, Eq(N, 2)), (FORWARD[j, i], True))),
                (FORWARD[i, j], ENTRY),
            ),
            printed=True,
            why="the notes call the derivatives of x, y by u, v the Jacobian of T, but they are that of T's inverse",
        ),
        Variant("transposed", "gradients in columns", ((J[i, j], M[j, i] + 2 * q[i] * x[i] * KroneckerDelta(i, j)),)),
    ),
    options={"map": "curved"},
)

# ------------------------------------------------------------------ the inverse map

AFFINE = (real("matrix", 2, 2), real("shift", 2), real("x", 2))
A, shift, at = symbols_of(AFFINE)
DET = (det, determinant(A))
pivot, row, last, sign_ = symbols("pivot row last sign", real=True)
rest = IndexedBase("rest", real=True)


def larger(first: Any, second: Any) -> Any:
    """What stands in the row whose first entry is the larger one."""
    return Piecewise((first, Abs(A[0, 0]) >= Abs(A[1, 0])), (second, True))


# the determinant as the product of the pivots of a Gaussian elimination with exchange of rows, as LAPACK does it
ELIMINATED = (
    (pivot, larger(A[0, 0], A[1, 0])),
    (row, larger(A[0, 1], A[1, 1])),
    (rest[i], Piecewise((larger(A[1, 0], A[0, 0]), Eq(i, 0)), (larger(A[1, 1], A[0, 1]), True))),
    (last, rest[1] - rest[0] / pivot * row),
    (sign_, Integer(1)),
)


def inverse_proof() -> Derivation:
    S, dS, _ = opaque("S")
    F, dF, _ = opaque("F")
    u = Symbol("u", real=True)
    a, c = symbols("a c", positive=True)
    return Derivation(
        (
            Step(
                "differentiate",
                F(S(u)),
                dF(S(u)) * dS(u),
                why="T(T⁻¹(u)) = u; its derivative by the chain rule must be 1",
                by=(u,),
                wrong=(dF(u) * dS(u),),
            ),
            Step("solve", Eq(a * c, 1), 1 / a, why="so the two slopes are reciprocal", by=(c,)),
            Step(
                "rewrite",
                determinant(A) * ((A[1, 1] / DET[1]) * (A[0, 0] / DET[1]) - (A[0, 1] / DET[1]) * (A[1, 0] / DET[1])),
                Integer(1),
                why="and so are the determinants, for d = 2",
            ),
            Step("rewrite", log(1 / a), -log(a), why="their logarithms differ in sign", wrong=(log(a),)),
        ),
        "d = 1, 2",
    )


jacobian_inverse = Claim(
    id="flow.jacobian_inverse",
    section=SECTION,
    title="The log-determinant of the inverse map is minus that of the map",
    kind="equality",
    subject="flow.Affine",
    driver="transform",
    inputs=AFFINE,
    program=Program(
        (*ELIMINATED, (out, -sign_ * (log(Abs(pivot)) + log(Abs(last))))), (Output("log_det_inverse", out),)
    ),
    definition=Program(
        (
            DET,
            (inverse[i, j], A[1 - j, 1 - i] * (2 * KroneckerDelta(i, j) - 1) / det),
            (out, log(Abs(determinant(inverse)))),
        ),
        (Output("log_det_inverse", out),),
    ),
    statement=Eq(log(Abs(Symbol("det_T_inverse"))), -log(Abs(Symbol("det_T")))),
    conditions=("T is a diffeomorphism; checked on linear maps",),
    derivation=inverse_proof,
    gradient=False,
    remarks="The gradient is not compared: it is the transposed inverse, found with an error relative to its largest "
    "entry, while a budget of this kind is for each entry by itself.",
    variants=(
        Variant("the same sign", "libraries that state the inverse's", ((sign_, Integer(-1)),)),
        Variant("permanent for determinant", "known bug", ((last, rest[1] + rest[0] / pivot * row),)),
        Variant("only the first pivot", "known bug", ((last, Integer(1)),)),
    ),
)

# ------------------------------------------------------------------ the integral

PLANE = (real("M", 2, 2, low=-4.0, high=4.0), real("c", 2, low=-4.0, high=4.0))  # no overflow in half precision
B, c = symbols_of(PLANE)
NODE = {0: (1 - 1 / sqrt(3)) / 2, 1: (1 + 1 / sqrt(3)) / 2}
s, value = IndexedBase("s", real=True), IndexedBase("value", real=True)
GRID = Piecewise((NODE[0], Eq(j, 0)), (NODE[1], True)), Piecewise((NODE[0], Eq(k, 0)), (NODE[1], True))
MAPPED = (s[i, j, k], B[i, 0] * GRID[0] + B[i, 1] * GRID[1] + c[i])
BENT = (det, determinant(B))
WEIGHED = Sum(value[j, k] / 4, (j, 0, 1), (k, 0, 1))
INTEGRAL = Program(
    (
        MAPPED,
        BENT,
        (value[j, k], (1 + s[0, j, k] * s[1, j, k] ** 2) * Abs(det)),
        (out, WEIGHED),
    ),
    (Output("integral", out),),
)
X, Y = symbols("X Y", real=True)
EXACT = sp.integrate(
    sp.expand(1 + (B[0, 0] * X + B[0, 1] * Y + c[0]) * (B[1, 0] * X + B[1, 1] * Y + c[1]) ** 2), (X, 0, 1), (Y, 0, 1)
)


def integral_proof() -> Derivation:
    r = Symbol("r", positive=True)
    u, v = symbols("u v", real=True)
    w = Symbol("w", real=True)
    return Derivation(
        (
            Step(
                "integrate",
                Integral(1 + u * v**2, (u, 0, 1)),
                1 + v**2 / 2,
                why="f(x, y) = 1 + x y² over the unit square, first along x",
            ),
            Step("integrate", Integral(1 + v**2 / 2, (v, 0, 1)), Rational(7, 6), why="then along y"),
            Step(
                "refute",
                Eq(Rational(7, 6) * det, Rational(7, 6)),
                sp.false,
                why="for T(x, y) = (y, x) the image is the same square, but the printed determinant is -1, which "
                "makes the printed right-hand side -7/6",
                by=({det: -1},),
            ),
            Step(
                "rewrite",
                ((w - r / sqrt(3)) ** 3 + (w + r / sqrt(3)) ** 3) / 2,
                w**3 + w * r**2,
                why="two Gauss nodes at w ± r/√3 integrate cubes over [w - r, w + r] exactly: the check adds no error",
            ),
            Step(
                "cite",
                None,
                None,
                why="the change of variables for multiple integrals (in the plane by Green's theorem, where the sign "
                "of the orientation makes the absolute value)",
            ),
        ),
        "d = 2",
    )


cvt_integral = Claim(
    id="flow.cvt_integral",
    section=SECTION,
    title="An integral over an image is the pulled-back integral times |det J|",
    kind="equality",
    subject="flow.change_of_variables_integral",
    driver="integral",
    inputs=PLANE,
    program=INTEGRAL,
    definition=Program((BENT, (out, Abs(det) * EXACT)), (Output("integral", out),)),
    statement=Eq(Symbol("integral of f over T(B)"), Symbol("integral of f(T(x)) |det J(x)| over B"), evaluate=False),
    conditions=("T is one-to-one and smooth; checked on linear maps of the unit square and f(s) = 1 + s₀ s₁²",),
    derivation=integral_proof,
    variants=(
        Variant(
            "no absolute value",
            "notes",
            ((value[j, k], (1 + s[0, j, k] * s[1, j, k] ** 2) * det),),
            printed=True,
            why="a map that swaps the axes turns the sign of an area",
        ),
        Variant(
            "divided by the determinant",
            "Jacobian of the inverse taken for that of the map",
            ((value[j, k], (1 + s[0, j, k] * s[1, j, k] ** 2) / Abs(det)),),
        ),
        Variant("no determinant", "known bug", ((value[j, k], 1 + s[0, j, k] * s[1, j, k] ** 2),)),
        Variant("arguments exchanged", "known bug", ((value[j, k], (1 + s[1, j, k] * s[0, j, k] ** 2) * Abs(det)),)),
    ),
)

# ------------------------------------------------------------------ polar coordinates

POLAR = (real("x", 2),)
(rt,) = symbols_of(POLAR)
ROWS = ((cos(rt[1]), -rt[0] * sin(rt[1])), (sin(rt[1]), rt[0] * cos(rt[1])))


def cases(table: Any) -> Any:
    """A table of entries by i and j."""
    (a, b), (c_, d) = table
    return Piecewise((Piecewise((a, Eq(j, 0)), (b, True)), Eq(i, 0)), (Piecewise((c_, Eq(j, 0)), (d, True)), True))


def polar_proof() -> Derivation:
    r, t = Symbol("r", positive=True), Symbol("t", real=True)
    matrix = sp.Matrix([r * cos(t), r * sin(t)]).jacobian([r, t])
    return Derivation(
        (
            Step(
                "differentiate", r * cos(t), -r * sin(t), why="the columns are the derivatives by r and by θ", by=(t,)
            ),
            Step("rewrite", matrix.det(), r, why="the determinant is r", wrong=(r**2, 1 / r)),
            Step(
                "integrate",
                Integral(exp(-(r**2) / 2) * r, (r, 0, oo)),
                Integer(1),
                why="and with 2π for the angle the Gaussian integrates to 2π",
            ),
        ),
        "d = 2",
    )


polar = Claim(
    id="flow.cvt_integral.polar",
    section=SECTION,
    title="Polar coordinates stretch areas by r",
    kind="equality",
    subject="flow.jacobian",
    driver="jacobian",
    inputs=POLAR,
    program=Program(((J[i, j], cases(ROWS)),), (Output("jacobian", J[i, j], (i, 0, 1), (j, 0, 1)),)),
    statement=Eq(Symbol("det J"), Symbol("r")),
    conditions=("r > 0 for the map to be one-to-one; the matrix is checked for every r",),
    derivation=polar_proof,
    variants=(
        Variant(
            "θ before r", "the other order of coordinates", ((J[i, j], cases([row[::-1] for row in ROWS])),),
            why="turns the sign of the determinant",
        ),
        Variant(
            "without the factor r",
            "known bug",
            ((J[i, j], cases(((cos(rt[1]), -sin(rt[1])), (sin(rt[1]), cos(rt[1]))))),),
        ),
    ),
    options={"map": "polar"},
)  # fmt: skip

CLAIMS = (jacobian_def, jacobian_inverse, cvt_integral, polar)
