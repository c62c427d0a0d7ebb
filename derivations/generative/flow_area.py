"""Areas of images of small squares (notes, section 4.1.1)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, IndexedBase, KroneckerDelta

from gnomon.proof import inequality
from gnomon.say.board import Board
from gnomon.say.call import function
from gnomon.say.maker import claim

SECTION = "4.1.1"


def image_of_a_square(c: Board, flat: bool = False) -> SimpleNamespace:
    """The images of a square's corners, half the cross product of their diagonals, and the Jacobian's determinant."""
    M = c.real("M", 2, 2)
    q = c.real("q", 2, low=0.0, high=0.0) if flat else c.real("q", 2)
    x, h = c.real("x", 2), c.real("h", low=0.0, open_low=True)
    i = c.index("i", 2)
    j, k = c.indices("j k", 2)
    point = c.let("point", (i, j, k), x[i] + h * KroneckerDelta(i, 0) * j + h * KroneckerDelta(i, 1) * k)
    T = c.let("T", (i, j, k), M[i, 0] * point[0, j, k] + M[i, 1] * point[1, j, k] + q[i] * point[i, j, k] ** 2)
    across = c.let("across", i, (T[i, 1, 1] - T[i, 0, 0]) / h)
    back = c.let("back", i, (T[i, 0, 1] - T[i, 1, 0]) / h)
    crossed = across[0] * back[1] - across[1] * back[0]
    area = c.let("area", (), Abs(crossed) / 2)

    corner = c.let("corner", i, M[i, 0] * x[0] + M[i, 1] * x[1] + q[i] * x[i] ** 2)
    (a, b), (d, e) = [[c.D(corner[row], x[column]) for column in (0, 1)] for row in (0, 1)]
    det = c.let("det", (), a * e - b * d)
    u = IndexedBase("u", real=True)
    c.call(function((u,), c.sum(M[i, j] * u[j], j) + q[i] * u[i] ** 2, (i, 0, 1)), x, h).shows(area)
    ours, theirs = (across, back, T, point), (det, "∂corner/∂x")
    return SimpleNamespace(M=M, q=q, x=x, h=h, i=i, crossed=crossed, area=area, det=det, ours=ours, theirs=theirs)


@claim("flow.area_element", SECTION, "flow.image_area")
def area_element(c: Board) -> None:
    """A linear map turns areas into |det| times themselves."""
    s = image_of_a_square(c, flat=True)
    linear = c.condition(Eq(s.q[s.i], 0), s.i, name="linear", words="T is linear, or the square is infinitesimal")
    c.law(s.area, Abs(s.det))

    def proof(p: Any) -> None:
        """The diagonals of the image span twice its area, which is twice the determinant."""

        def worked_out(b: Any) -> None:
            b.left.unfold(*s.ours).rewrite(p.condition(linear))
            b.right.unfold(*s.theirs).rewrite(p.condition(linear))

        p.left.unfold(s.area).rewrite(p.have("twice the area", s.crossed, "=", 2 * s.det, worked_out))

    c.prove(proof)
    c.without_gradient()
    c.variant(
        "the reciprocal",
        "notes",
        printed=True,
        why="as printed a map that doubles lengths would shrink areas to a quarter",
        area=2 / Abs(s.crossed),
    )
    c.variant("signed", "known bug", area=s.crossed / 2)
    c.variant("the whole cross product", "known bug", area=Abs(s.crossed))
    c.remark("The gradient is not compared: q is 0 here, and the area's derivative by q is another matter.")


@claim("flow.linear_approx", SECTION, "flow.image_area", kind="order")
def linear_approx(c: Board) -> None:
    """A small square's image has |det J| times its area, up to the first order in its side."""
    s = image_of_a_square(c)
    M, q, x, h, area, det = s.M, s.q, s.x, s.h, s.area, s.det
    slope = (M[0, 0] + 2 * q[0] * x[0]) * q[1] + (M[1, 1] + 2 * q[1] * x[1]) * q[0]
    second = h**2 * Abs(q[0] * q[1])
    bound = h * Abs(slope) + second
    c.law(Abs(area - Abs(det)), "<=", bound)

    def proof(p: Any) -> None:
        """The area is |det + more|, and more is of the first order: the triangle inequality, three times."""
        more = h * slope + h**2 * q[0] * q[1]

        def worked_out(b: Any) -> None:
            b.left.unfold(*s.ours)
            b.right.unfold(*s.theirs)

        twice = p.have("twice the area", s.crossed, "=", 2 * (det + more), worked_out)

        def either_sign(b: Any) -> None:
            b.left.unfold(area).rewrite(twice)
            b.cases(det + more >= 0)

        p.left.rewrite(p.have("the area", area, "=", Abs(det + more), either_sign))
        gap, size = Abs(det + more) - Abs(det), p.lemma("triangle", x=h * slope, y=h**2 * q[0] * q[1])
        parts = ((1, p.lemma("triangle", x=det, y=more)), (1, size))
        above = inequality.combine(p.theory, gap, "<=", bound, parts, p.goal.given)
        parts = ((1, p.lemma("triangle", x=det + more, y=-more)), (1, size))
        below = inequality.combine(p.theory, -bound, "<=", gap, parts, p.goal.given)
        p.left.by(inequality.absolute(p.theory, below, above))

    c.prove(proof)
    c.say("area is that of the image over that of the square; the Jacobian J is that of T, at the corner")
    c.variant("second order at a corner", "true for a centred square alone", law=(Abs(area - Abs(det)), "<=", second))
    c.variant(
        "the Jacobian of the inverse",
        "notes",
        printed=True,
        why="the matrix that the notes print is the Jacobian of the inverse, and its determinant the reciprocal",
        law=(Abs(area - 1 / Abs(det)), "<=", bound),
    )
    c.variant("no absolute value", "notes", printed=True, law=(Abs(area - det), "<=", bound))
