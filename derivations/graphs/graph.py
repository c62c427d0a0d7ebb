"""Graphs: degree, adjacency and Laplacian (4.6.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import KroneckerDelta, Max

from gnomon.say.board import Board
from gnomon.say.call import DTYPE, edges, weights
from gnomon.say.maker import claim


def weighted(c: Board) -> Any:
    """A directed graph with loops, its weighted adjacency matrix W and its degrees d."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    w = c.nonnegative("w", n, n)
    i, j = c.indices("i j", n)
    W = c.let("W", (i, j), A[i, j] * w[i, j])
    d = c.let("d", i, c.sum(W[i, j], j))
    c.say("W[i, j] is the weight of the edge from j to i, 0 without one")
    return SimpleNamespace(n=n, A=A, w=w, i=i, j=j, W=W, d=d, same=KroneckerDelta(i, j))


def doubled(c: Board) -> Any:
    """A directed graph with loops, where m edges lead from j to i if ``A[i, j]`` is 1, each with its own weight."""
    n, m = c.size("n"), c.size("m", 2, 3)
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    w = c.nonnegative("w", m, n, n)
    i, j = c.indices("i j", n)
    k = c.index("k", m)
    edge = c.let("edge", (k, i, j), A[i, j] * w[k, i, j])
    c.say("m edges lead from j to i where A[i, j] is 1")
    return SimpleNamespace(n=n, m=m, A=A, w=w, i=i, j=j, k=k, edge=edge)


# ------------------------------------------------------------------ degree and adjacency


@claim("graph.degree", "4.6.1", "graph.degree")
def degree(c: Board) -> None:
    """A node's degree is the total weight of the edges that arrive at it."""
    g = weighted(c)
    A, W, d, i, j = g.A, g.W, g.d, g.i, g.j
    c.say("a self loop counts once")
    c.law(d[i], W[i, i] + c.sum((1 - g.same) * W[i, j], j))
    c.prove(lambda p: (p.left.unfold(d), p.right.contract()))
    c.call(edges(A), g.n, weights(g.w)).shows(d)
    c.variant(
        "number of neighbours",
        "notes",
        printed=True,
        why="True for weights 1 and without self loops only.",
        d=c.sum(A[i, j], j),
    )
    c.variant("a self loop counts twice", "graph theory, networkx", d=c.sum(W[i, j] * (1 + g.same), j))
    c.variant("edges that leave", "out-degree", d=c.sum(W[j, i], j))
    c.variant("self loops left out", "other convention", d=c.sum(W[i, j] * (1 - g.same), j))
    c.variant("the node itself counted", "GCN: A + I", d=c.sum(W[i, j], j) + 1)
    c.remark(
        "The notes say 'number of neighbors'. With weights it is their sum: otherwise the Laplacian of a constant "
        "would not be 0."
    )


@claim("graph.degree.parallel", "4.6.1", "graph.degree")
def parallel(c: Board) -> None:
    """Parallel edges count with the sum of their weights."""
    g = doubled(c)
    i, j, k, edge = g.i, g.j, g.k, g.edge
    d = c.let("d", i, c.sum(edge[k, i, j], k, j))
    c.say("a self loop counts once")
    c.law(d[i], c.sum(g.A[i, j] * c.sum(g.w[k, i, j], k), j))
    c.prove(lambda p: p.left.unfold(d, edge))
    c.call(edges(g.A, copies=g.m), g.n, weights(g.w)).shows(d)
    c.variant("of parallel edges the last", "known bug: assigned, not added", d=c.sum(edge[g.m - 1, i, j], j))
    c.variant("their mean", "known bug", d=c.sum(edge[k, i, j], k, j) / g.m)
    c.variant("edges that leave", "out-degree", d=c.sum(edge[k, j, i], k, j))


@claim("graph.degree.neighbours", "4.6.1", "graph.degree")
def neighbours_counted(c: Board) -> None:
    """Without weights and self loops, a node's degree is the number of its neighbours."""
    n = c.size("n")
    A = c.graph("A", n, connected=False)
    i, j = c.indices("i j", n)
    others = c.sum((1 - KroneckerDelta(i, j)) * A[i, j], j)
    d = c.let("d", i, c.sum(A[i, j], j))
    c.say("no weights, self loops or parallel edges")
    c.law(d[i], others)
    c.prove(lambda p: (p.left.unfold(d), p.right.contract().rewrite(p.condition("A has no loops"))))
    c.call(edges(A), n, dtype=DTYPE).shows(d)
    c.variant("both ends of an edge counted", "known bug", d=c.sum(A[i, j] + A[j, i], j))
    c.variant("the node itself counted", "GCN: A + I", d=c.sum(A[i, j], j) + 1)
    c.variant("divided by the number of the others", "degree centrality", d=c.sum(A[i, j], j) / Max(n - 1, 1))


@claim("graph.laplacian.adjacency", "4.6.1", "graph.adjacency")
def adjacency(c: Board) -> None:
    """Entry (i, j) of the adjacency matrix is the total weight of the edges from j to i."""
    g = doubled(c)
    i, j, k, edge = g.i, g.j, g.k, g.edge
    W = c.let("W", (i, j), c.sum(edge[k, i, j], k))
    c.law(W[i, j], c.sum(g.A[i, j] * g.w[k, i, j], k))
    c.call(edges(g.A, copies=g.m), g.n, weights(g.w)).shows(W)
    c.variant("transposed", "networkx: rows are sources", W=c.sum(edge[k, j, i], k))
    c.variant("of parallel edges the last", "known bug: assigned, not added", W=edge[g.m - 1, i, j])
    c.variant("weights ignored", "known bug", W=g.m * g.A[i, j])


# ------------------------------------------------------------------ the Laplacian


@claim("graph.laplacian", "4.6.1", "graph.laplacian")
def laplacian(c: Board) -> None:
    """The Laplacian is the degree matrix minus the adjacency matrix, and self loops cancel in it."""
    g = weighted(c)
    W, d, i, j, same = g.W, g.d, g.i, g.j, g.same
    l = c.index("l", g.n)
    off = 1 - KroneckerDelta(i, l)
    L = c.let("L", (i, j), same * d[i] - W[i, j])
    c.law(L[i, j], same * c.sum(W[i, l], l) - W[i, j])
    c.prove(lambda p: p.left.unfold(L, d))
    c.law(L[i, j], c.sum(W[i, l] * off * (same - KroneckerDelta(l, j)), l))
    c.prove(lambda p: (p.left.unfold(L, d), p.right.contract()))
    c.call(edges(g.A), g.n, weights(g.w)).shows(L)
    c.variant("A - D", "other sign, as the Laplacian of physics", L=W[i, j] - same * d[i])
    c.variant("D + A", "signless Laplacian", L=same * d[i] + W[i, j])
    c.variant("degrees of the other direction", "out-degree", d=c.sum(W[j, i], j))
    c.variant("transposed", "known bug", L=same * d[i] - W[j, i])
    c.variant("a self loop counts twice", "graph theory, networkx", d=c.sum(W[i, j] * (1 + same), j))
    c.variant("self loops left out of the degree", "known bug: left in A", d=c.sum(W[i, j] * (1 - same), j))
    c.variant(
        "number of neighbours",
        "unweighted graphs",
        why="With weights, the Laplacian of a constant would not be 0.",
        d=c.sum(g.A[i, j], j),
    )


@claim("graph.laplacian.kernel", "4.6.1", "graph.laplacian")
def kernel(c: Board) -> None:
    """The Laplacian of a constant is zero."""
    g = weighted(c)
    W, d, i, j, same = g.W, g.d, g.i, g.j, g.same
    L = c.let("L", (i, j), same * d[i] - W[i, j])
    c.law(c.sum(L[i, j], j), 0)
    c.prove(lambda p: p.left.unfold(L, d).contract())
    c.call(edges(g.A), g.n, weights(g.w)).shows(L)
    c.variant("D + A", "signless Laplacian", L=same * d[i] + W[i, j])
    c.variant("degrees of the other direction", "out-degree", d=c.sum(W[j, i], j))
    c.variant("a self loop counts twice", "graph theory, networkx", d=c.sum(W[i, j] * (1 + same), j))
    c.variant("columns in the place of rows", "wrong on directed graphs", law=(c.sum(L[j, i], j), "=", 0))
    c.remark("For an undirected graph the columns add up to 0 as well.")
