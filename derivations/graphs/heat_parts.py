"""A signal by its modes: its parts, its squares, the Laplacian on it, and a step of Euler's method."""

from typing import Any

from sympy import IndexedBase

from gnomon.derivations.graphs.graph_spectra import A, lam, n, v
from gnomon.derivations.graphs.heat_modes import complete, mixture
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board


def laplacian(c: Board, g: Any, weight: Any = 1) -> Any:
    """A definition of ``L x``, half as ``D x - A x`` and half by differences: a budget for either way."""
    i, j, x = g.i, g.j, g.x
    apart = c.sum(weight * A[i, j], j) * x[i] - c.sum(weight * A[i, j] * x[j], j)
    return c.let("Lx", i, apart / 2 + c.sum(weight * A[i, j] * (x[i] - x[j]), j) / 2)


def by_parts(p: Bench, g: Any) -> Theorem:
    """Any signal f is the sum of its parts along the eigenvectors, which are complete."""
    f, i, k, q = IndexedBase("f", real=True), g.i, g.k, g.q
    basis, inner = complete(p, g), g.sum(g.sum(v[k, i] * v[k, q] / g.length[k], k) * f[q], q)
    return p.have(
        "a signal by its modes", f[i], "=", g.sum(v[k, i] * g.sum(v[k, q] * f[q], q) / g.length[k], k),
        lambda p: p.right.to(inner).rewrite(basis, at={i: i}).contract(),
        over=[f],
    )  # fmt: skip


def changes(p: Bench, g: Any, back: Theorem) -> Theorem:
    """L times any signal f, for weights 1: each of its parts times the eigenvalue. ``back`` is f by its parts."""
    f, i, j, k = IndexedBase("f", real=True), g.i, g.j, g.k
    amplitude = g.sum(v[k, g.q] * f[g.q], g.q) / g.length[k]
    moved = g.sum(amplitude * g.sum(A[i, j] * (v[k, i] - v[k, j]), j), k)
    return p.have(
        "L on each mode", g.sum(A[i, j] * (f[i] - f[j]), j), "=", g.sum(lam[k] * v[k, i] * amplitude, k),
        lambda p: p.left.rewrite(back).to(moved).rewrite(p.condition("eigenvectors")),
        over=[f],
    )  # fmt: skip


def stepped(p: Bench, g: Any, back: Theorem, y: Any, Lx: Any, span: Any) -> Theorem:
    """A step multiplies mode k by ``1 - span lamda[k]``."""
    f, there = IndexedBase("f", real=True), changes(p, g, back)
    own, moved = (p.at(theorem, {f: lambda i: g.x[i]}) for theorem in (back, there))
    return p.have(
        "a step by modes", y[g.i], "=", mixture(g, 1 - span * lam[g.k]),
        lambda p: (p.left.unfold(y, Lx), p.combine((1, own), (-span, moved))),
    )  # fmt: skip


def squares(p: Bench, g: Any, back: Theorem) -> Theorem:
    """The sum of squares of any signal f, mode by mode; ``back`` is f by its parts."""
    f, i = IndexedBase("f", real=True), g.i
    return p.have(
        "squares", g.sum(f[i] ** 2, i), "=", g.sum(share(g, f), g.k),
        lambda p: p.left.by(p.sum(back, f[i], (i, 0, n - 1))),
        over=[f],
    )  # fmt: skip


def share(g: Any, f: Any, k: Any = None) -> Any:
    """The square of mode k's part of a signal."""
    k = g.k if k is None else k
    return g.sum(v[k, g.q] * f[g.q], g.q) ** 2 / g.length[k]


def first_term(p: Bench, g: Any) -> Theorem:
    """A sum over all modes of anything, and its first term."""
    f = IndexedBase("f", real=True)
    return p.have("first term", g.sum(f[g.k], g.k), "=", f[0] + g.sum(f[g.s], g.s), over=[f])


def no_eigenvalue(p: Bench, g: Any) -> Theorem:
    """The constant mode's eigenvalue is 0: constants do not change."""
    one, j = p.condition("the constant one"), g.j
    still = p.have(
        "a constant does not change", g.sum(A[0, j] * (v[0, 0] - v[0, j]), j), "=", 0, lambda p: p.left.rewrite(one)
    )
    eigen = p.at(p.condition("eigenvectors"), {g.k: 0, g.i: 0})
    return p.have(
        "the constant's eigenvalue", lam[0], "=", 0,
        lambda p: p.combine((-1, eigen), (-lam[0], p.at(one, {g.i: 0})), (1, still)),
    )  # fmt: skip


def spread(p: Bench, g: Any, average: Any, square: Theorem, first: Theorem) -> Theorem:
    """The squared distances from the mean are all modes but the constant one; a symbol for the mean is unfolded."""
    f, i, s, x = IndexedBase("f", real=True), g.i, g.s, g.x
    constant = p.have(
        "the constant's share", share(g, x, 0), "=", g.sum(x[i], i) ** 2 / n,
        lambda p: p.left.rewrite(p.theory.definitions["length"], at={g.k: 0}).rewrite(p.condition("the constant one")),
    )  # fmt: skip
    mean = [average] if average.is_Symbol else []
    before, parted = p.at(square, {f: lambda i: x[i]}), p.at(first, {f: lambda k: share(g, x, k)})
    return p.have(
        "the distance from the mean", g.sum((x[g.j] - average) ** 2, g.j), "=", g.sum(share(g, x, s), s),
        lambda p: (p.left.unfold(*mean), p.combine((1, constant), (1, before), (1, parted))),
    )  # fmt: skip
