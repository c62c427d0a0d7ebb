"""Jacobians and integrals under a change of variables (notes, section 4.1.1)."""

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
    log,
    sin,
    sqrt,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.board import Board
from gnomon.say.call import function
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import real, symbols_of
from gnomon.say.maker import claim

SECTION = "4.1.1"
i, j, k = symbols("i j k", integer=True, nonnegative=True)
det, area, out = symbols("det area out", real=True)
J, inverse, T, across, back = (IndexedBase(name, real=True) for name in ("J", "inverse", "T", "across", "back"))


def determinant(m: Any) -> Any:
    return m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]


# ------------------------------------------------------------------ the Jacobian


@claim("flow.jacobian_def", SECTION, "flow.jacobian")
def jacobian_def(c: Board) -> None:
    """The Jacobian of T has the derivatives of T's outputs in its rows."""
    n = c.size("n", 1, 3)
    M = c.real("M", n, n)
    q, x = (
        c.real(name, n, low=-16.0, high=16.0) for name in "qx"
    )  # the map, which is differentiated, must not overflow
    i, j = c.indices("i j", n)
    T = c.let("T", i, c.sum(M[i, j] * x[j], j) + q[i] * x[i] ** 2)
    entry = M[i, j] + 2 * q[i] * x[i] * KroneckerDelta(i, j)
    J = c.let("J", (i, j), entry)
    c.output("jacobian", J[i, j])
    c.law(J[i, j], c.D(T[i], x[j]))
    c.prove(lambda p: (p.left.unfold(J), p.right.unfold("∂T/∂x").contract()))
    c.say("T is differentiable; checked on T(x) = M x + q x²")
    u = IndexedBase("u", real=True)
    c.call(function((u,), c.sum(M[i, j] * u[j], j) + q[i] * u[i] ** 2, (i, 0, n - 1)), x).shows("jacobian")
    forward = IndexedBase("forward", real=True)
    of_inverse = forward[1 - j, 1 - i] * (2 * KroneckerDelta(i, j) - 1) / determinant(forward)
    c.variant(
        "the Jacobian of the inverse",
        "notes",
        printed=True,
        why="the notes call the derivatives of x, y by u, v the Jacobian of T, but they are that of T's inverse",
        J=Piecewise((1 / forward[0, 0], Eq(n, 1)), (of_inverse, Eq(n, 2)), (forward[j, i], True)),
        forward=((i, j), entry),
    )
    c.variant("transposed", "gradients in columns", J=M[j, i] + 2 * q[i] * x[i] * KroneckerDelta(i, j))


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


@claim("flow.cvt_integral.polar", SECTION, "flow.jacobian")
def polar(c: Board) -> None:
    """Polar coordinates stretch areas by r."""
    x = c.real("x", 2)
    i, j = c.indices("i j", 2)
    r, angle = x[0], x[1]

    def table(rows: Any) -> Any:
        (a, b), (d, e) = rows
        return Piecewise((Piecewise((a, Eq(j, 0)), (b, True)), Eq(i, 0)), (Piecewise((d, Eq(j, 0)), (e, True)), True))

    def plane(v: Any) -> Any:
        return Piecewise((v[0] * cos(v[1]), Eq(i, 0)), (v[0] * sin(v[1]), True))

    rows = ((cos(angle), -r * sin(angle)), (sin(angle), r * cos(angle)))
    T = c.let("T", i, plane(x))
    J = c.let("J", (i, j), table(rows))
    c.output("jacobian", J[i, j])
    c.law(J[i, j], c.D(T[i], x[j]))

    def entries(p: Any) -> None:
        def entry(q: Any, column: int) -> None:
            q.left.unfold(J)
            q.right.unfold("∂T/∂x")

        p.every(i, 2, lambda q, row: q.every(j, 2, entry))

    c.prove(entries)
    c.law(determinant(J), r)
    c.prove(lambda p: p.left.unfold(J))
    c.say("r > 0 for the map to be one-to-one; the matrix is checked for every r")
    u = IndexedBase("u", real=True)
    c.call(function((u,), plane(u), (i, 0, 1)), x).shows("jacobian")
    c.variant(
        "θ before r",
        "the other order of coordinates",
        why="turns the sign of the determinant",
        J=table([row[::-1] for row in rows]),
    )
    c.variant("without the factor r", "known bug", J=table(((cos(angle), -sin(angle)), (sin(angle), cos(angle)))))


CLAIMS = (jacobian_inverse, cvt_integral)
