"""Two whole claims on a board, as derivations/ has them: for the tests of what links law, proof and program."""

from sympy import Sum

from gnomon.say.call import edges, state, weights
from gnomon.say.maker import claim


@claim("heat.euler_step", "4.6.2", "graph.heat_step")
def euler_step(c):
    """A step of Euler's method subtracts h times the Laplacian of the signal."""
    n = c.size("n")
    A = c.graph("A", n, connected=False, directed=True, loops=True)
    x, w = c.real("x", n), c.nonnegative("w", n, n)
    h = c.hyper("h", 0.0, 2.0, typical=(0.25, 0.5))
    i, j = c.indices("i j", n)
    change = c.sum(A[i, j] * w[i, j] * (x[i] - x[j]), j)

    d = c.let("d", i, c.sum(A[i, j] * w[i, j], j))
    Lx = c.let("Lx", i, d[i] * x[i] - c.sum(A[i, j] * w[i, j] * x[j], j))
    y = c.let("y", i, x[i] - h * Lx[i])
    c.law(y[i], x[i] - h * change)
    c.prove(lambda p: p.left.unfold(y, Lx, d))
    c.call(x, edges(A), h, weights(w)).shows(y)
    c.variant("plus h L x", "other sign: heat runs uphill", y=x[i] + h * change)
    c.variant("step size applied twice", "known bug", y=x[i] - h**2 * change)


@claim("optim.adam.first_moment", "1.2.5", "optim.Adam")
def first_moment(c):
    """Adam's first moment is an average of the gradients that forgets geometrically."""
    n, T = c.size("n", 1, 2), c.size("T", 1, 5)
    theta, g = c.real("theta0", n), c.real("g", T, n)
    lr = c.hyper("lr", 0.0, float("inf"), typical=(0.001,))
    beta = c.hyper("beta1", 0.0, 1.0, open_high=True, typical=(0.9, 0.0))
    b2 = c.hyper("beta2", 0.0, 1.0, open_high=True, typical=(0.99,))
    t, i, k = c.index("t", 0, T), c.index("i", n), c.index("k", 0, T)

    def average(last):
        return (1 - beta) * Sum(beta**k * g[last - 1 - k, i], (k, 0, last - 1))

    m = c.recur("m", (t, i), first=0, later=lambda m: m[t - 1, i] + (1 - beta) * (g[t - 1, i] - m[t - 1, i]))
    c.output("exp_avg", m[T, i])
    c.law(m[T, i], average(T))
    c.prove(lambda p: p.left.rewrite(p.induction("closed form", (m[t, i], average(t)), on=t)))
    c.call([theta], lr=lr, betas=(beta, b2)).each_step(g).shows(exp_avg=state("exp_avg"))
    c.variant("gradient without its weight", "classical momentum", m=lambda m: beta * m[t - 1, i] + g[t - 1, i])
