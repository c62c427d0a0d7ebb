"""A step of Euler's method on a graph, mode by mode: what the claims on its error and on its stability share."""

from typing import Any

from sympy import IndexedBase

from gnomon.derivations.graphs.graph_spectra import A, lam, v
from gnomon.derivations.graphs.heat_modes import mixture
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board


def laplacian(c: Board, g: Any, weight: Any = 1) -> Any:
    """A definition of ``L x``, half as ``D x - A x`` and half by differences: a budget for either way."""
    i, j, x = g.i, g.j, g.x
    apart = c.sum(weight * A[i, j], j) * x[i] - c.sum(weight * A[i, j] * x[j], j)
    return c.let("Lx", i, apart / 2 + c.sum(weight * A[i, j] * (x[i] - x[j]), j) / 2)


def change(g: Any, signal: Any) -> Any:
    """Entry i of L times a signal, for weights 1."""
    return g.sum(A[g.i, g.j] * (signal[g.i] - signal[g.j]), g.j)


def changes(p: Bench, g: Any) -> tuple[Theorem, Theorem]:
    """Any signal f by its modes, and L times it: each mode times its eigenvalue. Needs that ``left`` is v."""
    i, j, k, q = g.i, g.j, g.k, g.q
    f = IndexedBase("f", real=True)
    amplitude = g.sum(v[k, q] * f[q], q) / g.length[k]
    inner = g.sum(f[q] * g.sum(v[k, i] * v[k, q] / g.length[k], k), q)
    back = p.have(
        "by its modes", f[i], "=", g.sum(v[k, i] * amplitude, k),
        lambda p: p.right.to(inner).rewrite(p.condition("a basis"), at={i: i}).contract(),
        over=[f],
    )  # fmt: skip
    moved = g.sum(amplitude * g.sum(A[i, j] * (v[k, i] - v[k, j]), j), k)
    there = p.have(
        "L by its modes", change(g, f), "=", g.sum(lam[k] * v[k, i] * amplitude, k),
        lambda p: p.left.rewrite(p.at(back, {f: lambda i: f[i]})).to(moved).rewrite(p.condition("eigenvectors")),
        over=[f],
    )  # fmt: skip
    return back, there


def stepped(p: Bench, g: Any, y: Any, Lx: Any, span: Any) -> Theorem:
    """A step multiplies mode k by ``1 - span lamda[k]``."""
    f = IndexedBase("f", real=True)
    back, there = (p.at(theorem, {f: lambda i: g.x[i]}) for theorem in changes(p, g))
    return p.have(
        "a step by modes", y[g.i], "=", mixture(g, 1 - span * lam[g.k]),
        lambda p: (p.left.unfold(y, Lx), p.combine((1, back), (-span, there))),
    )  # fmt: skip
