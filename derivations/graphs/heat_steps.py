"""What a step of the heat equation does to temperatures: cooling, averaging, and what it conserves (4.6.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, Max, Min, Piecewise

from gnomon.derivations.graphs.heat import applied, undirected
from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.domain import Graph, Size, real
from gnomon.say.maker import claim

# ------------------------------------------------------------------ cooling


def linked(c: Board) -> Any:
    """Temperatures on a connected graph with positive weights, where every node has a neighbour."""
    n = c.size("n", 2, 4)
    A = c.graph("A", n)
    x, w = c.real("x", n), c.positive("w", n, n, high=1.0)
    i, j = c.indices("i j", n)
    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    d = c.let("d", i, c.sum(W[i, j], j))
    c.condition(d[i] > 0, i, name="neighbours", words="weights are positive, and every node has a neighbour")
    c.say("A is symmetric: an undirected edge counts both ways")
    return SimpleNamespace(n=n, A=A, x=x, w=w, i=i, j=j, W=W, d=d)


def at_the_degree(p: Any, coefficient: Any, y: Any, around: Any, *more: Any) -> None:
    """Both sides unfolded but for the degree, which is not 0; they differ by a multiple of what it is the sum of."""
    p.left.unfold(y, *more)
    p.right.unfold(around)
    p.combine((coefficient, p.theory.definitions["d"]))


@claim("heat.cooling_sign", "4.6.2", "graph.laplacian_apply", "inequality")
def cooling_sign(c: Board) -> None:
    """A node cools down where it is warmer than the mean of its neighbours."""
    g = linked(c)
    x, W, A, d, i, j = g.x, g.W, g.A, g.d, g.i, g.j
    around = c.let("around", i, c.sum(W[i, j] * x[j], j) / d[i])
    y = c.let("y", i, applied(c, g, lambda a: x[a], W[i, j]))
    c.law(y[i] * (x[i] - around[i]), ">=", 0)

    def proof(p: Any) -> None:
        """The rate is the degree times the difference from the mean: their product is a square times the degree."""
        rate = p.have(
            "cools at the degree times the difference",
            y[i], "=", d[i] * (x[i] - around[i]),
            lambda b: at_the_degree(b, -x[i] / 2, y, around),
        )  # fmt: skip
        p.right.rewrite(rate)
        p.combine()

    c.prove(proof)
    c.call(x, edges(A), weights(g.w)).shows(y)
    c.variant(
        "warmer than some neighbour",
        "notes: 'Lx is positive if my temperature > neighbor'",
        law=(y[i] * A[i, j] * Max(x[i] - x[j], 0), ">=", 0),
        printed=True,
        why="A node at 1 between neighbours at 1/2 and 3 is warmer than one of them, and (L x) is -3/2 there.",
    )
    c.variant("neighbour minus node", "other sign", y=c.sum(W[i, j] * (x[j] - x[i]), j))
    c.variant("neighbours alone", "known bug: A x without D", y=-c.sum(W[i, j] * x[j], j))
    plain = c.sum(A[i, j], j) * x[i] - c.sum(A[i, j] * x[j], j)
    c.variant("the plain mean of the neighbours", "wrong with weights", law=(y[i] * plain, ">=", 0))
    c.remark("The mean is weighted with the edges' weights.")


@claim("heat.cooling_sign.rate", "4.6.2", "graph.laplacian_apply")
def cooling_rate(c: Board) -> None:
    """It cools at its degree times the difference from that mean."""
    g = linked(c)
    x, W, A, d, i, j = g.x, g.W, g.A, g.d, g.i, g.j
    around = c.let("around", i, c.sum(W[i, j] * x[j], j) / d[i])
    y = c.let("y", i, applied(c, g, lambda a: x[a], W[i, j]))
    c.law(y[i], d[i] * (x[i] - around[i]))
    c.prove(lambda p: at_the_degree(p, -x[i] / 2, y, around))
    c.call(x, edges(A), weights(g.w)).shows(y)
    change = c.sum(W[i, j] * (x[i] - x[j]), j)
    c.variant("the difference from the mean itself", "random-walk normalisation", y=change / d[i])
    c.variant("neighbour minus node", "other sign", y=-change)
    plain = x[i] - c.sum(A[i, j] * x[j], j) / c.sum(A[i, j], j)
    c.variant("the plain mean of the neighbours", "wrong with weights", y=d[i] * plain)


# ------------------------------------------------------------------ averaging


@claim("heat.averaging", "4.6.2", "graph.heat_step", "inequality")
def averaging(c: Board) -> None:
    """A step averages a node with its neighbours if h times its degree is at most 1, and overshoots beyond."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", n, n, high=2.0)
    h = c.hyper("h", 0.0, 2.0, typical=(0.5, 1.0, 2.0))
    i, j = c.indices("i j", n)
    W = c.let("W", (i, j), A[i, j] * w[i, j])
    d = c.let("d", i, c.sum(W[i, j], j))
    there = Piecewise((x[j], Eq(A[i, j], 1)), (x[i], True))
    low = c.let("low", (i, j), lambda m: Piecewise((Min(x[i], there), Eq(j, 0)), (Min(m[i, j - 1], there), True)))
    high = c.let("high", (i, j), lambda m: Piecewise((Max(x[i], there), Eq(j, 0)), (Max(m[i, j - 1], there), True)))
    least, greatest = low[i, n - 1], high[i, n - 1]
    Lx = c.let("Lx", i, applied(c, SimpleNamespace(d=d, i=i, j=j), lambda a: x[a], W[i, j]))
    y = c.let("y", i, x[i] - h * Lx[i])
    outside = Max(y[i] - greatest, least - y[i])
    c.law(outside, "<=", Max(0, h * d[i] - 1) * (greatest - least))
    c.say(
        "no weight is negative",
        "low[i, n - 1] and high[i, n - 1] are the extremes over node i and the neighbours whose edges reach it",
    )
    c.call(x, edges(A), h, weights(w)).shows(y)
    c.variant(
        "for every step size",
        "notes: 'temperature at each location is averaged with its neighbors'",
        law=(outside, "<=", 0),
        printed=True,
        why="Two nodes at 0 and 1 with h = 2 become 2 and -1.",
    )
    c.variant("plus h L x", "other sign", y=x[i] + h * c.sum(W[i, j] * (x[i] - x[j]), j))
    beyond = Max(0, h * d[i] - 2) * (greatest - least)
    tight = "too tight: stability is weaker than averaging"
    c.variant("up to twice the step size", tight, law=(outside, "<=", beyond))
    signed = real("w", Size("n"), Size("n"), low=-1.0, high=1.0)
    c.variant("weights may be negative", "the condition dropped", drops=(signed,))
    c.remark(
        "At h = 1/d the neighbours' mean takes the place of the node's temperature, which is forgotten. The bound is "
        "tested and not proved yet: the extremes are recursions from node to node, each compared with every neighbour."
    )


def stepped(c: Board, g: Any) -> Any:
    """A step of Euler's method: the definitions of its parts, and of ``y``."""
    h = c.hyper("h", 0.0, 2.0, typical=(0.25, 0.5))
    Lx = c.let("Lx", g.i, applied(c, g, lambda a: g.x[a], g.W[g.i, g.j]))
    return h, Lx, c.let("y", g.i, g.x[g.i] - h * Lx[g.i])


@claim("heat.averaging.neighbour_mean", "4.6.2", "graph.heat_step")
def mixture(c: Board) -> None:
    """A step multiplies the difference from the neighbours' mean by 1 - h d."""
    g = linked(c)
    x, W, A, d, i, j = g.x, g.W, g.A, g.d, g.i, g.j
    around = c.let("around", i, c.sum(W[i, j] * x[j], j) / d[i])
    h, Lx, y = stepped(c, g)
    c.law(y[i], around[i] + (1 - h * d[i]) * (x[i] - around[i]))
    c.prove(lambda p: at_the_degree(p, h * x[i] / 2, y, around, Lx))
    c.call(x, edges(A), h, weights(g.w)).shows(y)
    c.variant("the mean of the neighbours", "notes, read word for word", y=around[i])
    both = (x[i] + c.sum(W[i, j] * x[j], j)) / (1 + d[i])
    c.variant("the mean of a node and its neighbours", "another reading: GCN's self loop", y=both)
    c.variant("a mixture with weight h", "random-walk normalisation", y=(1 - h) * x[i] + h * around[i])


# ------------------------------------------------------------------ conservation


@claim("heat.mean_conservation", "4.6.2", "graph.heat_step")
def mean_conservation(c: Board) -> None:
    """On an undirected graph a step conserves the sum, and with it the mean."""
    g = undirected(c)
    x, W, A, i, j = g.x, g.W, g.A, g.i, g.j
    d = g.d = c.let("d", i, c.sum(W[i, j], j))
    h, Lx, y = stepped(c, g)
    c.law(c.sum(y[i], i), c.sum(x[i], i))
    c.prove(lambda p: p.left.unfold(y, Lx, d, W))
    c.call(x, edges(A), h, weights(g.w)).shows(y)
    one_way = Graph("A", Size("n"), connected=False, directed=True, loops=True)
    c.variant("directed", "the condition dropped", drops=(one_way,))
    mean = c.sum(W[i, j] * (x[i] - x[j]), j) / d[i]
    walk = Piecewise((x[i], Eq(c.sum(A[i, j], j), 0)), (x[i] - h * mean, True))
    c.variant("rows divided by the degrees", "random-walk normalisation", y=walk)
    within = c.sum(W[i, j] * (x[i] - Piecewise((y[j], j < i), (x[j], True))), j)
    c.variant("a node sees neighbours that have moved already", "known bug: updated in place", y=x[i] - h * within)
    squares = c.sum(y[i] ** 2 - x[i] ** 2, i)
    c.variant("the mean of the squares", "another quantity", law=(Abs(squares), "<=", 0))
    c.remark("It holds on each component by itself.")
