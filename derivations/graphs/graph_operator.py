"""The Laplacian as a difference operator (4.6.1)."""

from typing import Any

from sympy import KroneckerDelta, Lt, Max, Min, Piecewise

from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.maker import claim


@claim("graph.difference_operator", "4.6.1", "graph.laplacian_apply")
def difference_operator(c: Board) -> None:
    """The Laplacian sums a node's differences to its neighbours."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", n, n)
    i, j = c.indices("i j", n)

    def differences(weight: Any) -> Any:
        return c.sum(weight * (x[i] - x[j]), j)

    W = c.let("W", (i, j), A[i, j] * w[i, j])
    d = c.let("d", i, c.sum(W[i, j], j))
    y = c.let("y", i, d[i] * x[i] - c.sum(W[i, j] * x[j], j))
    c.form("by differences, as an incidence matrix does", y=differences(W[i, j]))
    c.say("W[i, j] is the weight of the edge from j to i")
    c.law(y[i], differences(W[i, j]))
    c.prove(lambda p: p.left.unfold(y, d))
    c.call(x, edges(A), weights(w)).shows(y)
    c.variant("neighbour minus node", "other sign", y=-differences(W[i, j]))
    mean = Piecewise((0, Lt(c.sum(A[i, j], j), 1)), (differences(W[i, j]) / d[i], True))
    c.variant("mean in the place of the sum", "random-walk normalisation", y=mean)
    c.variant("along the edges' other direction", "known bug: edge_index transposed", y=differences(W[j, i]))
    c.variant("weights ignored", "known bug", y=differences(A[i, j]))
    c.variant("neighbours alone", "known bug: A x without D", y=c.sum(-W[i, j] * x[j], j))
    c.variant("self loops left out of the degree", "known bug: left in A", y=differences(W[i, j]) - W[i, i] * x[i])
    c.remark("The notes write it without weights.")


@claim("graph.difference_operator.offset", "4.6.1", "graph.laplacian_apply", kind="invariance")
def offset(c: Board) -> None:
    """A common offset of the signal does not matter to the Laplacian."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    x = c.real("x", n)
    i, j = c.indices("i j", n)
    degree = c.sum(A[i, j], j)
    y = c.let("y", i, c.sum(A[i, j] * (x[i] - x[j]), j))
    c.form("D - A times the signal, dense or sparse", y=degree * x[i] - c.sum(A[i, j] * x[j], j))
    mean = c.let("mean", (), c.sum(x[j], j) / n)
    c.say("no weights")
    c.law(y[i], c.sum((KroneckerDelta(i, j) * degree - A[i, j]) * (x[j] - mean), j))
    c.prove(lambda p: (p.left.unfold(y), p.right.contract()))
    c.call(x, edges(A)).shows(y)
    c.variant("neighbours alone", "known bug: A x without D", y=c.sum(-A[i, j] * x[j], j))
    c.variant(
        "degrees of the other direction",
        "a constant is not mapped to 0",
        y=c.sum(A[j, i], j) * x[i] - c.sum(A[i, j] * x[j], j),
    )
    c.remark(
        "The law takes the mean off the signal, and the result is the same. By differences temperatures of 300 and a "
        "bit keep their bit, and a constant gives exactly 0; L x by a matrix rounds the offset, which is ordinary "
        "rounding, and holds."
    )


@claim("graph.difference_operator.parallel", "4.6.1", "graph.laplacian_apply")
def parallel(c: Board) -> None:
    """Each of several parallel edges adds its own difference."""
    n, m = c.size("n"), c.size("m", 2, 3)
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", m, n, n)
    i, j = c.indices("i j", n)
    k = c.index("k", m)
    edge = c.let("edge", (k, i, j), A[i, j] * w[k, i, j])

    def differences(weight: Any) -> Any:
        return c.sum(weight * (x[i] - x[j]), k, j)

    d = c.let("d", i, c.sum(edge[k, i, j], k, j))
    y = c.let("y", i, d[i] * x[i] - c.sum(edge[k, i, j] * x[j], k, j))
    c.form("by differences, as an incidence matrix does", y=differences(edge[k, i, j]))
    c.say("m edges lead from j to i where A[i, j] is 1")
    c.law(y[i], differences(A[i, j] * w[k, i, j]))
    c.prove(lambda p: p.left.unfold(y, d, edge))
    c.call(x, edges(A, copies=m), weights(w)).shows(y)
    last = c.sum(edge[m - 1, i, j] * (x[i] - x[j]), j)
    c.variant("of parallel edges the last", "known bug: assigned, not added", y=last)
    c.variant("their mean", "known bug", y=differences(edge[k, i, j]) / m)
    c.variant("along the edges' other direction", "known bug", y=differences(edge[k, j, i]))


@claim("graph.difference_operator.features", "4.6.1", "graph.laplacian_apply")
def features(c: Board) -> None:
    """On several features the Laplacian acts on each one by itself."""
    n, F = c.size("n"), c.size("F", 1, 3)
    A = c.graph("A", n, connected=False, loops=True)
    x, w = c.real("x", n, F), c.nonnegative("w", n, n)
    i, j = c.indices("i j", n)
    f = c.index("f", F)
    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    d = c.let("d", i, c.sum(W[i, j], j))
    differences = c.sum(W[i, j] * (x[i, f] - x[j, f]), j)
    y = c.let("y", (i, f), d[i] * x[i, f] - c.sum(W[i, j] * x[j, f], j))
    c.form("by differences, as an incidence matrix does", y=differences)
    c.say("A is symmetric: an undirected edge counts both ways")
    c.law(y[i, f], differences)
    c.prove(lambda p: p.left.unfold(y, d))
    c.call(x, edges(A), weights(w)).shows(y)
    c.variant("neighbour minus node", "other sign", y=-differences)
    c.variant("self loops left out of the degree", "known bug: left in A", y=differences - W[i, i] * x[i, f])
    mixed = c.sum(W[i, j] * (x[i, f] - x[j, 0]), j)
    c.variant("features mixed", "known bug: the first one subtracted", y=mixed)
    mean = Piecewise((0, Lt(c.sum(A[i, j], j), 1)), (differences / d[i], True))
    c.variant("mean in the place of the sum", "random-walk normalisation", y=mean)
