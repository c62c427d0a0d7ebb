"""The Laplacian's quadratic form: the Dirichlet energy, its sign, and its bounds (4.6.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, IndexedBase, KroneckerDelta, Le, Max, Min, sqrt

from gnomon.derivations.graphs.graph_spectra import CONNECTED, DISCONNECTED, A, gap, lam, n, top, v
from gnomon.derivations.graphs.heat_modes import spectrum
from gnomon.derivations.graphs.heat_parts import (
    by_parts,
    changes,
    first_term,
    laplacian,
    no_eigenvalue,
    share,
    spread,
    squares,
)
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.domain import real
from gnomon.say.maker import claim


def undirected(c: Board) -> Any:
    """A signal on an undirected graph with loops; W is symmetric, an undirected edge has one weight."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", n, n)
    i, j = c.indices("i j", n)
    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    c.say("A is symmetric: an undirected edge counts both ways")
    energy = c.sum(W[i, j] * (x[i] - x[j]) ** 2, i, j) / 4
    return SimpleNamespace(n=n, A=A, x=x, w=w, i=i, j=j, W=W, energy=energy)


def by_form(c: Board, g: Any) -> tuple[Any, Any, Any]:
    """The degrees, L x and half of x^T L x; L x half as ``D x - A x``, half by differences: a budget for either way."""
    x, W, i, j = g.x, g.W, g.i, g.j
    d = c.let("d", i, c.sum(W[i, j], j))
    Lx = c.let("Lx", i, (d[i] * x[i] - c.sum(W[i, j] * x[j], j)) / 2 + c.sum(W[i, j] * (x[i] - x[j]), j) / 2)
    return d, Lx, c.let("E", (), c.sum(x[i] * Lx[i], i) / 2)


@claim("graph.quadratic_form", "4.6.1", "graph.dirichlet_energy")
def quadratic_form(c: Board) -> None:
    """The Dirichlet energy is half the Laplacian's quadratic form: a sum of squared differences."""
    g = undirected(c)
    x, W, i, j, energy = g.x, g.W, g.i, g.j, g.energy
    d, Lx, E = by_form(c, g)
    c.law(E, energy)
    c.prove(lambda p: (p.left.unfold(E, Lx, d, W), p.right.unfold(W)))
    c.law(E, c.sum(x[i] * (KroneckerDelta(i, j) * c.sum(W[i, j], j) - W[i, j]) * x[j], i, j) / 2)
    c.prove(lambda p: (p.left.unfold(E, Lx, d), p.right.contract()))
    c.call(x, edges(g.A), weights(g.w)).shows(E)
    c.variant("without the half", "graph theory: x^T L x", E=2 * energy)
    c.variant("a half for the form and one for each edge", "known bug", E=energy / 2)
    c.variant("sums in the place of differences", "D + A", E=c.sum(W[i, j] * (x[i] + x[j]) ** 2, i, j) / 4)
    c.variant("weights ignored", "known bug", E=c.sum(g.A[i, j] * (x[i] - x[j]) ** 2, i, j) / 4)
    c.variant("absolute differences", "total variation", E=c.sum(W[i, j] * Abs(x[i] - x[j]), i, j) / 4)
    squared = c.sum(W[i, j] ** 2 * (x[i] - x[j]) ** 2, i, j) / 4
    c.variant("weights squared", "known bug: an incidence matrix with weights, squared", E=squared)
    c.remark(
        "The factor is a convention. With the half the gradient of the energy is L x, and diffusion is gradient "
        "descent. A sum over each undirected edge once has the factor 1/2 in the place of 1/4."
    )


@claim("graph.quadratic_form.offset", "4.6.1", "graph.dirichlet_energy", kind="invariance")
def offset(c: Board) -> None:
    """By squared differences, a common offset costs no accuracy, and the energy is not negative."""
    g = undirected(c)
    x, W, i, j = g.x, g.W, g.i, g.j
    degree = c.sum(W[i, j], j)
    E = c.let("E", (), g.energy)
    mean = c.let("mean", (), c.sum(x[i], i) / g.n)
    centred = (x[i] - mean) * (x[j] - mean)
    c.say("as accurate as what is rounded in the differences and the sum of their squares")
    c.law(E, c.sum((KroneckerDelta(i, j) * degree - W[i, j]) * centred, i, j) / 2)
    c.prove(lambda p: (p.left.unfold(E, W), p.right.unfold(W).contract()))
    c.law(E, ">=", 0)
    c.prove(lambda p: p.right.unfold(E, W))
    c.call(x, edges(g.A), weights(g.w)).shows(E)
    Lx = (degree * x[i] - c.sum(W[i, j] * x[j], j)) / 2 + c.sum(W[i, j] * (x[i] - x[j]), j) / 2
    c.variant("x^T times a matrix times x", "rounds the offset, and leaves it in the result", E=c.sum(x[i] * Lx, i) / 2)
    c.variant("without the half", "graph theory: x^T L x", E=2 * g.energy)
    c.remark(
        "The law takes the mean off the signal, and the energy is the same. What is asked beyond that is accuracy. "
        "x^T L x by a matrix is right, but fails here, and so does a square multiplied out."
    )


@claim("graph.quadratic_form.features", "4.6.1", "graph.dirichlet_energy")
def features(c: Board) -> None:
    """The energies of several features add up."""
    n, F = c.size("n"), c.size("F", 1, 3)
    A = c.graph("A", n, connected=False, loops=True)
    x, w = c.real("x", n, F), c.nonnegative("w", n, n)
    i, j = c.indices("i j", n)
    f = c.index("f", F)
    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    d = c.let("d", i, c.sum(W[i, j], j))
    difference = x[i, f] - x[j, f]
    by_degree = d[i] * x[i, f] - c.sum(W[i, j] * x[j, f], j)
    LX = c.let("LX", (i, f), by_degree / 2 + c.sum(W[i, j] * difference, j) / 2)
    E = c.let("E", (), c.sum(x[i, f] * LX[i, f], f, i) / 2)
    c.say("A is symmetric: an undirected edge counts both ways")
    c.law(E, c.sum(c.sum(W[i, j] * difference**2, i, j) / 4, f))
    c.prove(lambda p: (p.left.unfold(E, LX, d, W), p.right.unfold(W)))
    c.call(x, edges(A), weights(w)).shows(E)
    c.variant("square of the sum", "known bug", E=c.sum(W[i, j] * c.sum(difference, f) ** 2, i, j) / 4)
    c.variant("mean over the features", "known bug", E=c.sum(W[i, j] * difference**2, f, i, j) / (4 * F))
    norms = c.sum(W[i, j] * sqrt(c.sum(difference**2, f)), i, j) / 4
    c.variant("norms, not their squares", "known bug", E=norms)


@claim("graph.quadratic_form.nonnegative", "4.6.1", "graph.dirichlet_energy", kind="inequality")
def nonnegative_form(c: Board) -> None:
    """The energy is never negative, as long as no weight is."""
    g = undirected(c)
    x, i, j, W = g.x, g.i, g.j, g.W
    d, Lx, E = by_form(c, g)

    def proof(p: Bench) -> None:
        """A sum of squares times weights."""
        squares = p.have("sum of squares", E, "=", g.energy, lambda p: (p.left.unfold(E, Lx, d, W), p.right.unfold(W)))
        p.right.rewrite(squares).unfold(W)

    c.law(E, ">=", 0)
    c.prove(proof)
    c.call(x, edges(g.A), weights(g.w)).shows(E)
    c.variant("weights may be negative", "the condition dropped", drops=(real("w", g.n, g.n),))
    c.variant("A - D", "other sign", E=-c.sum(W[i, j] * (x[i] - x[j]) ** 2, i, j) / 4)


@claim("graph.quadratic_form.bounds", "4.6.1", "graph.dirichlet_energy", kind="inequality")
def bounds(c: Board) -> None:
    """On a connected graph the energy vanishes for constants alone, and lies between two eigenvalues."""
    c.choice("graph", CONNECTED)
    x, w = c.real("x", n), c.positive("w", high=2.0)
    g = spectrum(c, v)
    g.x, g.s = x, c.index("s", 1, n - 1)
    i, j, q, s = g.i, g.j, g.q, g.s
    Lx = laplacian(c, g, w)
    E = c.let("E", (), c.sum(x[i] * Lx[i], i) / 2)
    average = c.sum(x[q], q) / n
    distance = c.sum((x[j] - average) ** 2, j)
    c.condition(Eq(v[0, i], 1), i, name="the constant one")
    c.condition(Le(gap, lam[s]), s, name="gap", words="gap is the least eigenvalue but that of the constants")
    c.condition(Le(lam[s], top), s, name="top", words="top is the largest eigenvalue")
    c.say("every edge has the weight w; eigenvalues are for weights 1")

    def by_modes(p: Bench) -> tuple[Theorem, Theorem]:
        """Energy and spread mode by mode: the constant mode has neither."""
        p.settle(p.condition("none is 0"))
        zero, first, back, f = no_eigenvalue(p, g), first_term(p, g), by_parts(p, g), IndexedBase("f", real=True)
        change = p.at(changes(p, g, back), {f: lambda i: x[i]})
        whole = p.have(
            "energy, all modes", E, "=", w / 2 * c.sum(lam[g.k] * share(g, x), g.k),
            lambda p: p.left.unfold(E, Lx).to(w / 2 * c.sum(x[i] * c.sum(A[i, j] * (x[i] - x[j]), j), i))
            .rewrite(change),
        )  # fmt: skip
        energy = p.have(
            "energy", E, "=", w / 2 * c.sum(lam[s] * share(g, x, s), s),
            lambda p: p.combine(
                (1, whole),
                (w / 2, p.at(first, {f: lambda k: lam[k] * share(g, x, k)})),
                (w / 2 * share(g, x, 0), zero),
            ),
        )  # fmt: skip
        return energy, spread(p, g, average, squares(p, g, back), first)

    def below(p: Bench) -> None:
        """Each mode's eigenvalue is at least the gap."""
        energy, apart = by_modes(p)
        least = p.sum(p.condition("gap"), share(g, x, s), (s, 1, n - 1))
        p.combine((-1, energy), (w * gap / 2, apart), (w / 2, least))

    def above(p: Bench) -> None:
        """And at most the largest one."""
        energy, apart = by_modes(p)
        most = p.sum(p.condition("top"), share(g, x, s), (s, 1, n - 1))
        p.combine((1, energy), (-w * top / 2, apart), (w / 2, most))

    c.law(w * gap * distance / 2, "<=", E)
    c.prove(below)
    c.law(E, "<=", w * top * distance / 2)
    c.prove(above)
    c.call(x, edges(A), weights(w)).shows(E)
    c.variant("disconnected", "the condition dropped: two constants have energy 0", drops=(DISCONNECTED,))
    c.variant("without the half", "graph theory: x^T L x", E=c.sum(x[i] * Lx[i], i))
    c.variant("below half the largest eigenvalue", "too tight", law=(E, "<=", w * top * distance / 4))
    c.variant("above twice the gap", "too tight", law=(w * gap * distance, "<=", E))
    c.remark("So 0 is an eigenvalue once for each component.")
