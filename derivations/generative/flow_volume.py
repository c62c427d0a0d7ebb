"""Jacobians and integrals under a change of variables (notes, section 4.1.1)."""

from itertools import pairwise
from typing import Any

from sympy import (
    Abs,
    Add,
    Eq,
    IndexedBase,
    Integer,
    KroneckerDelta,
    Piecewise,
    cos,
    expand,
    integrate,
    log,
    sin,
    sqrt,
)

from gnomon.proof.integral import fundamental, integrated
from gnomon.say.board import Board
from gnomon.say.call import Call, cast, function, tensor, zeros_like
from gnomon.say.maker import claim

SECTION = "4.1.1"


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


@claim("flow.jacobian_inverse", SECTION, "flow.Affine")
def jacobian_inverse(c: Board) -> None:
    """The log-determinant of the inverse map is minus that of the map."""
    A, shift, x = c.real("matrix", 2, 2), c.real("shift", 2), c.real("x", 2)
    i, j, k = c.indices("i j k", 2)
    ordered = Abs(A[0, 0]) >= Abs(A[1, 0])

    def larger(first: Any, second: Any) -> Any:
        """What stands in the row whose first entry is the larger one."""
        return Piecewise((first, ordered), (second, True))

    # the determinant as the product of the pivots of a Gaussian elimination with exchange of rows, as LAPACK does it
    pivot = c.let("pivot", (), larger(A[0, 0], A[1, 0]))
    row = c.let("row", (), larger(A[0, 1], A[1, 1]))
    rest = c.let("rest", i, Piecewise((larger(A[1, 0], A[0, 0]), Eq(i, 0)), (larger(A[1, 1], A[0, 1]), True)))
    last = c.let("last", (), rest[1] - rest[0] / pivot * row)
    sign = c.let("sign", (), Integer(1))
    log_det_inverse = c.let("log_det_inverse", (), -sign * (log(Abs(pivot)) + log(Abs(last))))

    # u = T(x), and S is the inverse of T at u, by Cramer's rule
    u = c.let("u", i, c.sum(A[i, j] * x[j], j) + shift[i])
    det = c.let("det", (), determinant(A))
    cofactor = A[1 - j, 1 - i] * (2 * KroneckerDelta(i, j) - 1)
    S = c.let("S", i, c.sum(cofactor * (u[j] - shift[j]), j) / det)

    def whole(of: Any, by: Any) -> Any:
        rows = range(2)
        return determinant({(a, b): c.D(of[Integer(a)], by[Integer(b)]) for a in rows for b in rows})

    forward, backward = c.let("forward", (), whole(u, x)), c.let("backward", (), whole(S, u))
    words = "the matrix is invertible: an elimination with exchange of rows meets no pivot that is 0"
    c.condition(Abs(pivot) > 0, name="the first pivot is not 0", words=words)
    c.condition(Abs(last) > 0, name="the last pivot is not 0")

    def invertible(p: Any) -> Any:
        """The determinant is the product of the pivots, up to its sign, and so not 0."""
        expanded = pivot * rest[1] - rest[0] * row
        product = p.have("without division", pivot * last, "=", expanded, lambda q: q.left.unfold(last))

        def either(q: Any) -> None:
            q.right.rewrite(product).unfold(rest, row, pivot)
            q.cases(ordered)

        size = p.have("up to its sign", Abs(determinant(A)), "=", Abs(pivot * last), either)
        p.settle(p.have("not 0", 0, "<", Abs(determinant(A)), lambda q: q.right.rewrite(size)))
        return size

    def each_entry(p: Any) -> None:
        invertible(p)
        p.every(i, 2, lambda q, _: q.left.unfold(S, u, det))

    c.law(S[i], x[i])
    c.prove(each_entry)

    def each_slope(p: Any) -> None:
        invertible(p)

        def entry(q: Any, _: int) -> None:
            q.left.unfold("∂u/∂x", "∂S/∂u", "∂u/∂u").contract().unfold(det)

        p.every(i, 2, lambda q, _: q.every(j, 2, entry))

    c.law(c.sum(c.D(u[i], x[k]) * c.D(S[k], u[j]), k), KroneckerDelta(i, j))
    c.prove(each_slope)

    def compared(p: Any, determinant: Any, value: Any, worked_out: Any) -> None:
        """The logarithms are those of the pivots, since a determinant has a value that is not 0."""
        size = invertible(p)
        known = p.have("the determinant", determinant, "=", value, worked_out)
        p.settle(
            p.have("nor is it", 0, "<", Abs(determinant), lambda q: q.right.rewrite(known).unfold(det).rewrite(size))
        )
        p.left.unfold(log_det_inverse, sign)
        p.right.rewrite(known).unfold(det).rewrite(size)

    def of_the_inverse(q: Any) -> None:
        q.left.unfold(backward, "∂S/∂u", "∂u/∂u").contract().unfold(det)
        q.right.unfold(det)

    c.law(log_det_inverse, log(Abs(backward)))
    c.prove(lambda p: compared(p, backward, 1 / det, of_the_inverse))

    def of_the_map(q: Any) -> None:
        q.left.unfold(forward, "∂u/∂x").contract()
        q.right.unfold(det)

    c.law(log_det_inverse, -log(Abs(forward)))
    c.prove(lambda p: compared(p, forward, det, of_the_map))
    c.say("T is a diffeomorphism; checked on linear maps")
    flow = Call(c.subject, A, shift)
    inverse = c.call(A, shift).attribute("inv")
    inverse.method("log_abs_det_jacobian", flow.on(x), x).shows(log_det_inverse)
    c.without_gradient()
    c.variant("the same sign", "libraries that state the inverse's", sign=Integer(-1))
    c.variant("permanent for determinant", "known bug", last=rest[1] + rest[0] / pivot * row)
    c.variant("only the first pivot", "known bug", last=Integer(1))
    c.remark(
        "The gradient is not compared: it is the transposed inverse, found with an error relative to its largest "
        "entry, while a budget of this kind is for each entry by itself."
    )


# ------------------------------------------------------------------ the integral


@claim("flow.cvt_integral", SECTION, "flow.change_of_variables_integral")
def cvt_integral(c: Board) -> None:
    """An integral over an image is the pulled-back integral times |det J|."""
    M = c.real("M", 2, 2, low=-4.0, high=4.0)  # no overflow in half precision
    shift = c.real("c", 2, low=-4.0, high=4.0)
    i, j, k = c.indices("i j k", 2)
    first, second = (1 - 1 / sqrt(3)) / 2, (1 + 1 / sqrt(3)) / 2  # where Gauss and Legendre look
    grid = [Piecewise((first, Eq(at, 0)), (second, True)) for at in (j, k)]
    s = c.let("s", (i, j, k), M[i, 0] * grid[0] + M[i, 1] * grid[1] + shift[i])
    det = c.let("det", (), determinant(M))
    value = c.let("value", (j, k), (1 + s[0, j, k] * s[1, j, k] ** 2) * Abs(det))
    integral = c.let("integral", (), c.sum(value[j, k] / 4, j, k))

    X, Y, t = c.variable("X"), c.variable("Y"), c.variable("t")
    T = [M[row, 0] * X + M[row, 1] * Y + shift[row] for row in (0, 1)]
    J = determinant({(row, column): T[row].diff((X, Y)[column]) for row in (0, 1) for column in (0, 1)})
    f = 1 + T[0] * T[1] ** 2
    c.law(integral, c.integral(f * Abs(J), (X, 0, 1), (Y, 0, 1)))

    def pulled_back(p: Any) -> None:
        """The integrals of a polynomial, one inside the other, by antiderivatives."""
        along = integrate(expand(f), X)
        across = expand(along.xreplace({X: Integer(1)}))
        inner = fundamental(p.theory, f * Abs(J), along * Abs(J), X, 0, 1)
        outer = integrated(p.theory, inner, Y, 0, 1)
        p.left.unfold(integral, value, s, det)
        p.right.by(outer).by(fundamental(p.theory, outer.rhs.function, integrate(across, Y) * Abs(J), Y, 0, 1))

    c.prove(pulled_back)

    F = T[0] + T[0] ** 2 * T[1] ** 2 / 2  # whose slope by the first coordinate is f
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    paths = [{X: a + (b - a) * t, Y: d + (e - d) * t} for (a, d), (b, e) in pairwise(corners)]
    edges = [c.integral(F.xreplace(path) * T[1].xreplace(path).diff(t), (t, 0, 1)) for path in paths]
    c.law(integral, Piecewise((1, det >= 0), (-1, True)) * Add(*edges))

    def around(p: Any) -> None:
        """Each edge by an antiderivative; together they are the polynomial times the determinant."""
        p.left.unfold(integral, value, s)
        for along in (edge.function for edge in edges):
            p.right.rewrite(fundamental(p.theory, along, integrate(expand(along), t), t, 0, 1))
        p.cases(det >= 0, *[lambda q: q.left.unfold(det)] * 2)

    c.prove(around)
    c.say("T is one-to-one and smooth; checked on linear maps of the unit square and f(s) = 1 + s₀ s₁²")
    p = IndexedBase("p", real=True)
    integrand = function((p,), 1 + p[0] * p[1] ** 2)
    linear = function((p,), c.sum(M[i, j] * p[j], j) + shift[i], (i, 0, 1))
    c.call(integrand, linear, zeros_like(shift), cast(tensor(Integer(1), (i, 0, 1))), order=2).shows(integral)
    c.variant(
        "no absolute value",
        "notes",
        printed=True,
        why="a map that swaps the axes turns the sign of an area",
        value=(1 + s[0, j, k] * s[1, j, k] ** 2) * det,
    )
    c.variant(
        "divided by the determinant",
        "Jacobian of the inverse taken for that of the map",
        value=(1 + s[0, j, k] * s[1, j, k] ** 2) / Abs(det),
    )
    c.variant("no determinant", "known bug", value=1 + s[0, j, k] * s[1, j, k] ** 2)
    c.variant("arguments exchanged", "known bug", value=(1 + s[1, j, k] * s[0, j, k] ** 2) * Abs(det))
    c.remark(
        "The integral over the image is Green's: the integral of F dy around its edge, where F has the slope f by the "
        "first coordinate, with the sign of the way around. The integral over the square is the iterated one; two "
        "Gauss nodes in each direction integrate it without an error."
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
