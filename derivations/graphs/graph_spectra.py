"""Graphs whose Laplacian has whole eigenvalues, with a basis of eigenvectors, for the other files on graphs.

Every graph is one label of a ``Choice``; it binds the adjacency matrix ``A``, the size ``n``, the eigenvalues
``lamda[k]`` with eigenvectors ``v[k, i]``, orthogonal to each other and not normalised, ``gap``, the smallest
eigenvalue that is not 0, and ``top``, the largest. The eigenvectors of the transpose are ``dual[k, i]``, which
differ from ``v`` on a directed graph alone. ``d[i]`` are degrees; ``mu[k]`` and ``u[k, i]`` are what
``lamda`` and ``v`` are for ``D^-1 L``: there the ``u`` are orthogonal with the degrees for weights.
"""

from collections.abc import Sequence
from typing import Any

from sympy import Expr, IndexedBase, Rational, Sum, Symbol, exp, symbols

from gnomon.proof.derivation import Step, opaque
from gnomon.say.domain import Choice, positive

n = Symbol("n", integer=True, positive=True)
gap, top = Symbol("gap", integer=True, positive=True), Symbol("top", integer=True, positive=True)
i, j, k, q = symbols("i j k q", integer=True)
A = IndexedBase("A", integer=True, nonnegative=True)
lam, mu = IndexedBase("lamda", nonnegative=True), IndexedBase("mu", nonnegative=True)
v, dual = IndexedBase("v", real=True), IndexedBase("dual", real=True)
u, d = IndexedBase("u", real=True), IndexedBase("d", positive=True)
x = IndexedBase("x", real=True)
time, width = Symbol("t", nonnegative=True), Symbol("h", nonnegative=True)

Table = dict[Any, Any]
Rows = Sequence[Sequence[int]]


def _table(matrix: Rows, spectrum: Sequence[int], modes: Rows, left: Rows | None = None, walk: Any = None) -> Table:
    """A graph's bindings; ``walk`` gives ``mu`` and ``u`` of a graph that is not regular."""
    degrees = [max(1, sum(row)) for row in matrix]
    # on a regular graph D^-1 L is a multiple of L
    slower, walks = walk or ([Rational(value, degrees[0]) for value in spectrum], modes)
    return {
        A: tuple(map(tuple, matrix)),
        n: len(matrix),
        lam: tuple(spectrum),
        v: tuple(map(tuple, modes)),
        dual: tuple(map(tuple, left or modes)),
        gap: min(value for value in spectrum if value),
        top: max(spectrum),
        d: tuple(degrees),
        mu: tuple(slower),
        u: tuple(map(tuple, walks)),
    }


def _graph(edges: Sequence[tuple[int, int]], spectrum: Sequence[int], modes: Rows, walk: Any = None) -> Table:
    size = len(modes)
    both = {*edges, *((b, a) for a, b in edges)}
    matrix = [[int((a, b) in both) for b in range(size)] for a in range(size)]
    return _table(matrix, spectrum, modes, walk=walk)


CONNECTED: dict[str, Table] = {
    "two nodes": _graph([(0, 1)], (0, 2), ((1, 1), (1, -1))),
    "path of 3": _graph(
        [(0, 1), (1, 2)],
        (0, 1, 3),
        ((1, 1, 1), (1, 0, -1), (1, -2, 1)),
        ((0, 1, 2), ((1, 1, 1), (1, 0, -1), (1, -1, 1))),
    ),
    "triangle": _graph([(0, 1), (1, 2), (0, 2)], (0, 3, 3), ((1, 1, 1), (1, -1, 0), (1, 1, -2))),
    "star of 4": _graph(
        [(0, 1), (0, 2), (0, 3)],
        (0, 1, 1, 4),
        ((1, 1, 1, 1), (0, 1, -1, 0), (0, 1, 1, -2), (3, -1, -1, -1)),
        ((0, 1, 1, 2), ((1, 1, 1, 1), (0, 1, -1, 0), (0, 1, 1, -2), (1, -1, -1, -1))),
    ),
    "square": _graph(
        [(0, 1), (1, 2), (2, 3), (3, 0)],
        (0, 2, 2, 4),
        ((1, 1, 1, 1), (1, 0, -1, 0), (0, 1, 0, -1), (1, -1, 1, -1)),
    ),
    "complete on 4": _graph(
        [(a, b) for a in range(4) for b in range(a)],
        (0, 4, 4, 4),
        ((1, 1, 1, 1), (1, -1, 0, 0), (1, 1, -2, 0), (1, 1, 1, -3)),
    ),
    "two against three": _graph(
        [(a, b) for a in (0, 1) for b in (2, 3, 4)],
        (0, 2, 2, 3, 5),
        ((1, 1, 1, 1, 1), (0, 0, 1, -1, 0), (0, 0, 1, 1, -2), (1, -1, 0, 0, 0), (3, 3, -2, -2, -2)),
        (
            (0, 1, 1, 1, 2),
            ((1, 1, 1, 1, 1), (0, 0, 1, -1, 0), (0, 0, 1, 1, -2), (1, -1, 0, 0, 0), (1, 1, -1, -1, -1)),
        ),
    ),
}
APART: dict[str, Table] = {"two nodes and a lone one": _graph([(0, 1)], (0, 0, 2), ((1, 1, 0), (0, 0, 1), (1, -1, 0)))}
ONE_WAY: dict[str, Table] = {"one edge, one way": _table(((0, 1), (0, 0)), (0, 1), ((1, 1), (1, 0)), ((0, 1), (1, -1)))}
EVERY = {**CONNECTED, **APART, **ONE_WAY}
GRAPHS = Choice("graph", CONNECTED)
IRREGULAR = Choice("graph", {label: table for label, table in CONNECTED.items() if len(set(table[d])) > 1})
DISCONNECTED = Choice("graph", APART)
UNDIRECTED = Choice("graph", {**CONNECTED, **APART})
DIRECTED = Choice("graph", ONE_WAY)

WEIGHT = positive("w", high=2.0)
w = WEIGHT.symbol  # the weight of every edge
mode = IndexedBase("c", real=True)  # the coefficients of x in the basis of eigenvectors
kernel, z, Lx = IndexedBase("K", real=True), IndexedBase("z", real=True), IndexedBase("Lx", real=True)


def laplacian(signal: Any, weight: Any = 1) -> Any:
    """Entry i of ``L signal``, half as ``D x - A x`` and half by differences: a budget for either way."""
    apart = Sum(weight * A[i, j], (j, 0, n - 1)) * signal[i] - Sum(weight * A[i, j] * signal[j], (j, 0, n - 1))
    return apart / 2 + Sum(weight * A[i, j] * (signal[i] - signal[j]), (j, 0, n - 1)) / 2


def exponents(span: Any, right: Any = v, left: Any = dual) -> tuple[Any, Any]:
    """A definition of ``z[k]``, the eigenvalue of ``span`` times L, by its eigenvectors.

    An implementation rounds that matrix, which moves its eigenvalues, the one that is 0 among them.
    """
    row = Sum(span * A[i, j], (j, 0, n - 1)) * right[k, i] - Sum(span * A[i, j] * right[k, j], (j, 0, n - 1))
    square = Sum(left[k, i] * right[k, i], (i, 0, n - 1))
    return z[k], Sum(left[k, i] * row, (i, 0, n - 1)) / square


def by_modes(factor: Any) -> tuple[Any, Any]:
    """A definition of the matrix that multiplies every mode by a factor, written with ``z[k]``.

    Implementations make such a matrix and multiply by it; what then cancels in the sum is rounded with it.
    """
    return kernel[i, j], Sum(v[k, i] * dual[k, j] * factor / Sum(v[k, q] * dual[k, q], (q, 0, n - 1)), (k, 0, n - 1))


def by_walk_modes(factor: Any) -> tuple[Any, Any]:
    """The same for the eigenvectors of ``D^-1 L``, with a factor written with ``mu[k]``."""
    weight = Sum(d[q] * u[k, q] ** 2, (q, 0, n - 1))
    return kernel[i, j], Sum(u[k, i] * d[j] * u[k, j] * factor / weight, (k, 0, n - 1))


APPLIED = Sum(kernel[i, j] * x[j], (j, 0, n - 1))


def deviation(signal: Any, mean: Any) -> Any:
    """The sum of squared differences from a mean."""
    return Sum((signal[j] - mean) ** 2, (j, 0, n - 1))


def solved_flow(table: Table) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """The modes' solution of the heat equation on one graph, node by node, and ``-L`` of it."""
    start = [x[node] for node in range(table[n])]
    coefficients = [
        sum(entry * at for entry, at in zip(left, start, strict=True))
        / Rational(sum(a * b for a, b in zip(left, right, strict=True)))
        for left, right in zip(table[dual], table[v], strict=True)
    ]
    state = tuple(
        sum(
            row[node] * exp(-value * time) * c for row, value, c in zip(table[v], table[lam], coefficients, strict=True)
        )
        for node in range(table[n])
    )
    slope = tuple(
        -sum(a * (state[node] - other) for a, other in zip(table[A][node], state, strict=True))
        for node in range(table[n])
    )
    return state, slope


def flow_steps(tables: dict[str, Table]) -> tuple[Step, ...]:
    """On each graph the modes' solution meets the equation and starts at x."""
    steps = []
    for label, table in tables.items():
        state, slope = solved_flow(table)
        moving = [node for node, entry in enumerate(state) if time in entry.free_symbols]
        begins, start = tuple(state[node] for node in moving), tuple(x[node] for node in moving)
        steps += [
            Step("differentiate", state, slope, why=f"{label}: the sum over modes obeys x' = -L x", by=(time,)),
            Step("substitute", begins, start, why=f"{label}: and starts at x", by=((time, 0),)),
        ]
    return tuple(steps)


def energy_steps(tables: dict[str, Table]) -> tuple[Step, ...]:
    """On each graph: energy and squared distance from the mean, mode by mode."""
    steps = []
    for label, table in tables.items():
        nodes = range(table[n])
        squares = [
            sum(entry * x[a] for a, entry in enumerate(row)) ** 2 / sum(entry**2 for entry in row) for row in table[v]
        ]
        energy = sum(table[A][a][b] * (x[a] - x[b]) ** 2 for a in nodes for b in nodes) / 4
        spread = sum((x[a] - sum(x[b] for b in nodes) / table[n]) ** 2 for a in nodes)
        by_eigenvalue = sum(value * square for value, square in zip(table[lam], squares, strict=True)) / 2
        why = f"{label}: mode k has half its eigenvalue for energy, and all but the constant one leave the mean"
        steps.append(Step("rewrite", (energy, spread), (by_eigenvalue, sum(squares[1:])), why=why))
    return tuple(steps)


def mode_steps(tables: dict[str, Table]) -> tuple[Step, ...]:
    """On each graph the coefficient of every mode after a step of Euler's method."""
    steps = []
    for label, table in tables.items():
        nodes = range(table[n])
        stepped = [x[a] - width * sum((x[a] - x[b] for b in nodes if table[A][a][b]), start=Rational(0)) for a in nodes]
        before = tuple(sum(row[a] * stepped[a] for a in nodes) for row in table[v])
        after = tuple(
            (1 - width * value) * sum(row[a] * x[a] for a in nodes)
            for row, value in zip(table[v], table[lam], strict=True)
        )
        steps.append(Step("rewrite", before, after, why=f"{label}: mode k is multiplied by 1 - h lamda[k]"))
    return tuple(steps)


def decay_steps() -> tuple[Step, ...]:
    """A mode's amplitude c(t) with c' = -rate c is c(0) times exp(-rate t), and nothing else."""
    rate = Symbol("rate", nonnegative=True)
    c, dc, _ = opaque("c")
    return (
        Step(
            "differentiate",
            exp(rate * time) * c(time),
            exp(rate * time) * (rate * c(time) + dc(time)),
            why="of a mode's amplitude, times exp(rate t)",
            by=(time,),
        ),
        Step(
            "substitute",
            exp(rate * time) * (rate * c(time) + dc(time)),
            Rational(0),
            why="so with c' = -rate c that product is constant: c(t) = c(0) exp(-rate t) is the only solution",
            by=((dc(time), -rate * c(time)),),
        ),
    )
