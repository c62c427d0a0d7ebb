"""The heat equation on graphs, step by step: Euler's method, and what a step does to temperatures (4.6.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import Eq, KroneckerDelta, Max, Min, Piecewise

from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.maker import claim

SYMMETRIC = "A is symmetric: an undirected edge counts both ways"


def undirected(c: Board) -> Any:
    """A signal on an undirected graph with loops; ``W`` has one weight for an edge, which is listed for i <= j."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", n, n)
    i, j = c.indices("i j", n)
    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    c.say(SYMMETRIC)
    return SimpleNamespace(n=n, A=A, x=x, w=w, i=i, j=j, W=W)


def applied(c: Board, g: Any, at: Any, W: Any) -> Any:
    """Entry i of L x, half as ``D x - A x`` and half by differences: a budget for either way to compute it."""
    return (g.d[g.i] * at(g.i) - c.sum(W * at(g.j), g.j)) / 2 + c.sum(W * (at(g.i) - at(g.j)), g.j) / 2


# ------------------------------------------------------------------ the step


@claim("heat.euler_step", "4.6.2", "graph.heat_step")
def euler_step(c: Board) -> None:
    """A step of Euler's method subtracts h times the Laplacian of the signal."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    x, w, h = c.real("x", n), c.nonnegative("w", n, n), c.hyper("h", 0.0, 2.0, typical=(0.25, 0.5))
    i, j = c.indices("i j", n)
    W = c.let("W", (i, j), A[i, j] * w[i, j])
    d = c.let("d", i, c.sum(W[i, j], j))
    g = SimpleNamespace(d=d, i=i, j=j)
    Lx = c.let("Lx", i, applied(c, g, lambda a: x[a], W[i, j]))
    y = c.let("y", i, x[i] - h * Lx[i])
    c.law(y[i], c.sum((KroneckerDelta(i, j) - h * (KroneckerDelta(i, j) * d[i] - W[i, j])) * x[j], j))
    c.prove(lambda p: (p.left.unfold(y, Lx, d), p.right.contract().unfold(d)))
    c.say("the Laplacian is D - A, with the degrees on the diagonal of D")
    c.call(x, edges(A), h, weights(w)).shows(y)
    change = c.sum(W[i, j] * (x[i] - x[j]), j)
    within = c.sum(W[i, j] * (x[i] - Piecewise((y[j], j < i), (x[j], True))), j)
    s = c.let("s", i, change)
    again = c.sum(W[i, j] * (s[i] - s[j]), j)
    alone = Eq(c.sum(A[i, j], j), 0)
    c.variant("plus h L x", "other sign: heat runs uphill", y=x[i] + h * change)
    c.variant("step size applied twice", "known bug", y=x[i] - h**2 * change)
    mean = Piecewise((x[i], alone), (x[i] - h * change / d[i], True))
    c.variant("each node moves by its mean difference", "random-walk normalisation", y=mean)
    c.variant("a node sees neighbours that have moved already", "known bug: updated in place", y=x[i] - h * within)
    c.variant("weights ignored", "known bug", y=x[i] - h * c.sum(A[i, j] * (x[i] - x[j]), j))
    c.variant("a second-order step", "midpoint method", y=x[i] - h * change + h**2 * again / 2)
    c.variant("the change without the state", "known bug: forgotten residual", y=-h * change)


def several(c: Board) -> Any:
    """Several steps, and their law: the power of I - h L times the first state."""
    n, steps = c.size("n"), c.size("steps", 2, 4)
    A = c.graph("A", n, connected=False, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", n, n)
    h = c.hyper("h", 0.0, 1.0, open_low=True, typical=(0.25, 0.5))
    t = c.index("t", 0, steps)
    i, j, k = c.indices("i j k", n)
    W = c.let("W", (i, j), A[i, j] * w[Min(i, j), Max(i, j)])
    d = c.let("d", i, c.sum(W[i, j], j))
    g = SimpleNamespace(d=d, i=i, j=j)

    def along(state: Any, at: Any) -> Any:
        return applied(c, g, lambda node: state[at, node], W[i, j])

    state = c.recur("state", (t, i), first=x[i], later=lambda s: s[t - 1, i] - h * along(s, t - 1))
    unit = KroneckerDelta(i, j)
    step = KroneckerDelta(i, k) - h * (KroneckerDelta(i, k) * d[i] - W[i, k])
    power = c.recur("P", (t, i, j), first=unit, later=lambda P: c.sum(step * P[t - 1, k, j], k))
    c.output("y", state[steps, i])
    c.law(state[steps, i], c.sum(power[steps, i, j] * x[j], j))

    def proof(p: Any) -> None:
        """State by state: a step applies I - h L to the state, and so to the power that made it."""

        def later(b: Any, hypothesis: Any) -> None:
            b.left.unfold(state).rewrite(hypothesis).unfold(d)
            b.right.unfold(power).contract().unfold(d)

        p.left.rewrite(
            p.induction(
                "the power of I - h L",
                (state[t, i], c.sum(power[t, i, j] * x[j], j)),
                on=t,
                base=lambda b: (b.left.unfold(state), b.right.unfold(power).contract()),
                step=later,
            )
        )

    c.prove(proof)
    c.say("the first state is x", "P[t] is the t-th power of I - h L")
    c.variant("all slopes from the first state", "known bug", state=lambda s: s[t - 1, i] - h * along(s, 0))
    c.variant("every step starts from the first state", "known bug", state=lambda s: x[i] - h * along(s, t - 1))
    late = "the step size shrinks with time"
    c.variant(late, "known bug", state=lambda s: s[t - 1, i] - h / t * along(s, t - 1))
    c.variant("plus h L x", "other sign", state=lambda s: s[t - 1, i] + h * along(s, t - 1))
    return SimpleNamespace(A=A, x=x, w=w, h=h, steps=steps)


@claim("heat.euler_step.sequence", "4.6.2", "graph.euler_heat")
def sequence(c: Board) -> None:
    """Several steps: each one starts from the state that the last one reached."""
    s = several(c)
    c.call(s.x, edges(s.A), s.h, s.steps, weights(s.w)).shows("y")


@claim("heat.euler_step.layer", "4.6.2", "graph.HeatDiffusion")
def layer(c: Board) -> None:
    """The layer takes the steps that it is built for."""
    s = several(c)
    c.call(h=s.h, steps=s.steps).on(s.x, edges(s.A), weights(s.w)).shows("y")


# ------------------------------------------------------------------ gradient descent


@claim("heat.step_as_learning_rate", "4.6.2", "graph.dirichlet_energy")
def learning_rate(c: Board) -> None:
    """A step of gradient descent on the Dirichlet energy is a step of Euler's method: h is a learning rate."""
    g = undirected(c)
    x, w, W, A, i, j, n = g.x, g.w, g.W, g.A, g.i, g.j, g.n
    h = c.hyper("h", 0.0, 2.0, typical=(0.25, 0.5))
    half = c.let("half", (i, j), W[i, j] / 2)
    both = half[i, j] + half[j, i]
    g.d = c.let("d", i, c.sum(both, j))
    slope = c.let("slope", i, applied(c, g, lambda node: x[node], both))
    y = c.let("y", i, x[i] - h * slope[i])
    change = c.sum(W[i, j] * (x[i] - x[j]), j)
    E = c.let("E", (), c.sum(W[i, j] * (x[i] - x[j]) ** 2, i, j) / 4)
    c.law(y[i], x[i] - h * change)
    c.prove(lambda p: (p.left.unfold(y, slope, "d", half, W), p.right.unfold(W)))
    c.law(x[i] - h * c.D(E, x[i]), y[i])
    c.prove(lambda p: (p.left.unfold("∂E/∂x").contract().unfold(W), p.right.unfold(y, slope, "d", half, W)))
    c.say("E = x^T L x / 2")
    down = c.call(x, edges(A), weights(w)).gradient(by=x)
    down.then(g.d, x[i] - h * g.d[i], (i, 0, n - 1)).shows(y)
    c.variant("energy without the half", "graph theory: x^T L x", y=x[i] - 2 * h * change)
    c.variant("one half too many", "known bug", y=x[i] - h * change / 2)
    c.variant("gradient ascent", "known bug", y=x[i] + h * change)
    c.variant("unweighted energy", "known bug", y=x[i] - h * c.sum(A[i, j] * (x[i] - x[j]), j))
    c.remark("What is observed is x - h times the gradient that autograd finds for the energy.")
