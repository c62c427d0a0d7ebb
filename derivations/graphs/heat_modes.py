"""What the claims on heat share that go mode by mode: eigenvectors as data, and what is supposed of them."""

from types import SimpleNamespace
from typing import Any

from sympy import Eq, Gt, KroneckerDelta, exp

from gnomon.derivations.graphs.graph_spectra import A, d, dual, lam, n, u, v
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board


def spectrum(c: Board, left: Any = dual) -> Any:
    """Eigenvectors ``v[k]`` of the Laplacian of a tabulated graph with weights 1, complete with those of its transpose.

    ``length[k]`` is the product of the two; on an undirected graph they are the same, and ``left`` may be v.
    """
    i, j, k, q = c.indices("i j k q", n)
    length = c.let("length", k, c.sum(v[k, q] * left[k, q], q))
    c.condition(Eq(c.sum(A[i, j] * (v[k, i] - v[k, j]), j), lam[k] * v[k, i]), k, i, name="eigenvectors")
    c.condition(Eq(c.sum(v[k, i] * left[k, j] / length[k], k), KroneckerDelta(i, j)), i, j, name="a basis")
    c.condition(Gt(length[k], 0), k, name="none is 0")
    return SimpleNamespace(i=i, j=j, k=k, q=q, length=length, left=left, sum=c.sum)


def orthogonal(c: Board, g: Any) -> None:
    """The graph is connected and undirected: eigenvectors are orthogonal, and the first one is constant."""
    k, q, i = g.k, g.q, g.i
    if g.left == dual:
        c.condition(Eq(dual[k, i], v[k, i]), k, i, name="undirected", words="undirected: the transpose has the same")
    c.condition(Eq(c.sum(v[k, i] * v[q, i], i), KroneckerDelta(k, q) * c.sum(v[k, i] ** 2, i)), k, q, name="orthogonal")
    c.condition(Eq(v[0, i], 1), i, name="the constant one")
    g.r, g.s = c.index("r", n), c.index("s", 1, n - 1)


def exponents(c: Board, g: Any, span: Any) -> Any:
    """A definition of ``z[k]``, the eigenvalue of ``span`` times L, by its eigenvectors.

    An implementation rounds that matrix, which moves its eigenvalues, the one that is 0 among them.
    """
    i, j, k = g.i, g.j, g.k
    row = c.sum(span * A[i, j], j) * v[k, i] - c.sum(span * A[i, j] * v[k, j], j)
    g.span, g.z = span, c.let("z", k, c.sum(g.left[k, i] * row, i) / g.length[k])
    return g.z


def by_modes(c: Board, g: Any, factor: Any) -> Any:
    """The matrix that multiplies every mode by a factor, written with ``z[k]``.

    Implementations make such a matrix and multiply by it; what then cancels in the sum is rounded with it.
    """
    return c.sum(v[g.k, g.i] * g.left[g.k, g.j] * factor / g.length[g.k], g.k)


def by_walk_modes(c: Board, g: Any, factor: Any) -> Any:
    """The same for the eigenvectors of ``D^-1 L``, with a factor written with ``mu[k]``."""
    weight = c.sum(d[g.q] * u[g.k, g.q] ** 2, g.q)
    return c.sum(u[g.k, g.i] * d[g.j] * u[g.k, g.j] * factor / weight, g.k)


def flow(c: Board, g: Any, x: Any, t: Any, w: Any) -> Any:
    """The exact solution after the time t, where every edge has the weight w: each mode decays by itself."""
    z = exponents(c, g, t * w)
    g.K = c.let("K", (g.i, g.j), by_modes(c, g, exp(-z[g.k])))
    g.y = c.let("y", g.i, c.sum(g.K[g.i, g.j] * x[g.j], g.j))
    return g.y


def settle_exponents(p: Bench, g: Any, span: Any, name: str = "z") -> None:
    """A Rayleigh quotient's eigenvalue, by the eigen-equation, and by what the eigenvector's length is the sum of."""
    k, i, j = g.k, g.i, g.j
    change = g.sum(A[i, j] * (v[k, i] - v[k, j]), j)
    p.settle(p.condition("none is 0"))
    p.left.unfold(name).to(span / g.length[k] * g.sum(g.left[k, i] * change, i)).rewrite(p.condition("eigenvectors"))
    p.combine((-span * lam[k] / g.length[k], p.theory.definitions["length"]))


def settled(p: Bench, g: Any) -> Theorem:
    """``z[k]`` is ``span`` times the eigenvalue."""
    return p.have("exponents", g.z[g.k], "=", g.span * lam[g.k], lambda p: settle_exponents(p, g, g.span))


def mixture(g: Any, factor: Any) -> Any:
    """Entry i of the signal in which every mode of x is multiplied by a factor."""
    return g.sum(factor * v[g.k, g.i] * g.sum(v[g.k, g.q] * g.x[g.q], g.q) / g.length[g.k], g.k)


def parts(p: Bench, g: Any, y: Any, factor: Any, mixed: Theorem) -> Theorem:
    """Mode k's part of y is ``factor(k)`` times that of x; ``mixed`` says that y is such a mixture."""
    i, k, r = g.i, g.k, g.r
    inner = g.sum(v[r, g.q] * g.x[g.q], g.q) * factor(r) / g.length[r]

    def fill(p: Bench) -> None:
        """The eigenvectors are orthogonal."""
        p.left.rewrite(mixed).to(g.sum(inner * g.sum(v[k, i] * v[r, i], i), r))
        p.left.rewrite(p.condition("orthogonal"), at={k: k}).contract()
        p.combine((-factor(k) * g.sum(v[k, g.q] * g.x[g.q], g.q) / g.length[k], lengths))

    square, undirected = g.sum(v[k, i] ** 2, i), [p.condition("undirected")] if g.left != v else []
    lengths = p.have("lengths", g.length[k], "=", square, lambda p: p.left.unfold(g.length).rewrite(*undirected))
    return p.have("each mode", g.sum(v[k, i] * y[i], i), "=", factor(k) * g.sum(v[k, i] * g.x[i], i), fill)


def complete(p: Bench, g: Any) -> Theorem:
    """The eigenvectors are a basis, each beside itself."""
    basis, i, j, k = p.condition("a basis"), g.i, g.j, g.k
    if g.left == v:
        return basis
    square, beside = (g.sum(v[k, i] * other[k, j] / g.length[k], k) for other in (v, dual))
    turned = p.have("one basis", beside, "=", square, lambda p: p.left.rewrite(p.condition("undirected")))
    return p.have(
        "an orthogonal basis", square, "=", KroneckerDelta(i, j), lambda p: p.combine((1, basis), (-1, turned))
    )
