"""The density of what a flow produces (notes, section 4.1.1)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, IndexedBase, Piecewise, log, pi, sqrt

from gnomon.say.board import Board
from gnomon.say.call import Call, function, transform, zeros_like
from gnomon.say.maker import claim


@claim("flow.cvt_density", "4.1.1", "flow.flow_log_prob")
def density(c: Board) -> None:
    """The log-density of T(X) is that of X minus the log-determinant of T."""
    M, shift, u = c.real("M", 2, 2), c.real("c", 2), c.real("u", 2)
    i, j = c.indices("i j", 2)
    across = M[0, 0] * M[1, 1] - M[0, 1] * M[1, 0]

    def solved(w: Any) -> tuple[Any, Any]:
        a, b = w[0] - shift[0], w[1] - shift[1]
        return M[1, 1] * a - M[0, 1] * b, M[0, 0] * b - M[1, 0] * a

    det = c.let("det", (), across)
    x0, x1 = (c.let(f"x{n}", (), part / det) for n, part in enumerate(solved(u)))
    base = c.let("base", (), (-(x0**2) / 2 - log(2 * pi) / 2) + (-(x1**2) / 2 - log(2 * pi) / 2))
    log_p = c.let("log_p", (), base - log(Abs(det)))
    c.output("log_prob", log_p)

    c.condition(Abs(across) > 0, name="T is invertible")
    S = c.let("S", (i, j), M[i, 0] * M[j, 0] + M[i, 1] * M[j, 1])
    det_S = c.let("det_S", (), S[0, 0] * S[1, 1] - S[0, 1] * S[1, 0])
    a, b = u[0] - shift[0], u[1] - shift[1]
    distance = (S[1, 1] * a**2 - 2 * S[0, 1] * a * b + S[0, 0] * b**2) / det_S
    c.law(log_p, -distance / 2 - log(2 * pi * sqrt(det_S)))

    def proof(p: Any) -> None:
        """M X + c is normal with the covariance M Mᵀ, whose determinant is the square of that of M."""
        square = p.have(
            "determinants multiply", det_S, "=", det**2, lambda b: b.left.unfold(det_S, S) and b.right.unfold(det)
        )
        p.left.unfold(log_p, base, x0, x1)
        p.right.rewrite(square).unfold(S)

    c.prove(proof)
    c.say(
        "checked on linear maps T(x) = M x + c of a standard normal, whose density is known: it is normal, with "
        "the mean c and the covariance S = M Mᵀ",
        "det is that of the forward map at x = T⁻¹(u)",
    )
    v = IndexedBase("v", real=True)
    forward = function((v,), c.sum(M[i, j] * v[j], j) + shift[i], (i, 0, 1))
    first, second = solved(v)
    back = function((v,), Piecewise((first, Eq(i, 0)), (second, True)) / across, (i, 0, 1))
    linear = transform(forward, back, function((v,), log(Abs(across))))
    c.call(u, linear, Call("torch.distributions.Normal", zeros_like(u), 1.0, validate_args=False)).shows("log_prob")
    c.variant(
        "plus the log-determinant",
        "notes",
        printed=True,
        why="as printed the density of 2X would integrate to 16 in two dimensions",
        log_p=base + log(Abs(det)),
    )
    c.variant("no absolute value", "known bug", log_p=base - log(det))
    c.variant("no determinant", "known bug", log_p=base)
    c.variant("density at u", "known bug", x0=a, x1=b)
    c.variant("half the constant", "known bug", base=-(x0**2) / 2 - x1**2 / 2 - log(2 * pi) / 2)
