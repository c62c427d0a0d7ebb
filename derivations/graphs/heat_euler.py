"""A step of Euler's method mode by mode: up to which step size it is stable (4.6.2)."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, Ge, Gt, IndexedBase, Le, Max, Piecewise, Rational

from gnomon.derivations.graphs.graph_spectra import APART, CONNECTED, A, gap, kernel, lam, n, top, v, z
from gnomon.derivations.graphs.heat_modes import exponents, settled, spectrum
from gnomon.derivations.graphs.heat_parts import by_parts, changes, first_term, laplacian, no_eigenvalue, share
from gnomon.proof import inequality
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import edges, weights
from gnomon.say.maker import claim

UNDIRECTED = "undirected: an edge counts both ways"


def stepped(c: Board, g: Any, x: Any, h: Any) -> Any:
    """A step of Euler's method."""
    g.x = x
    g.Lx = laplacian(c, g)
    g.y = c.let("y", g.i, x[g.i] - h * g.Lx[g.i])
    return g.y


def implicit(c: Board, g: Any, h: Any) -> dict[str, Any]:
    """One step of the implicit method in its place, by modes: what a variant exchanges."""
    i, j, k, q = g.i, g.j, g.k, g.q
    row = c.sum(h * A[i, j], j) * v[k, i] - c.sum(h * A[i, j] * v[k, j], j)
    exponent = c.sum(v[k, i] * row, i) / c.sum(v[k, i] ** 2, i)
    inverse = c.sum(v[k, i] * v[k, j] / (1 + z[k]) / c.sum(v[k, q] ** 2, q), k)
    return {"z": (k, exponent), "K": ((i, j), inverse), "y": c.sum(kernel[i, j] * g.x[j], j)}


def multiplied(p: Bench, g: Any, h: Any) -> Theorem:
    """A step multiplies each mode's part by 1 - h lamda: A is symmetric."""
    i, j, k, x = g.i, g.j, g.k, g.x
    turned = p.have(
        "an edge both ways", g.sum(A[i, j] * v[k, i] * x[j], i, j), "=", g.sum(A[i, j] * v[k, j] * x[i], i, j),
        lambda p: p.left.rewrite(p.condition("undirected")),
    )  # fmt: skip

    def fill(p: Bench) -> None:
        """The Laplacian of x along an eigenvector is x along the eigenvector's Laplacian."""
        p.left.unfold(g.y, g.Lx)
        p.combine((-h, p.sum(p.condition("eigenvectors"), x[i], (i, 0, n - 1))), (h, turned))

    before, after = (g.sum(v[k, i] * signal[i], i) for signal in (x, g.y))
    return p.have("each mode", after, "=", (1 - h * lam[k]) * before, fill)


@claim("heat.euler_stability.modes", "4.6.2", "graph.heat_step")
def modes(c: Board) -> None:
    """A step multiplies each mode by 1 - h lamda: beyond h = 2 / top the last one grows."""
    c.choice("graph", {**CONNECTED, **APART})
    x, h = c.real("x", n), c.hyper("h", 0.0, 2.0, typical=(0.25, 0.5, 1.0))
    g = SimpleNamespace(**dict(zip("ijkq", c.indices("i j k q", n), strict=True)), sum=c.sum, left=v)
    i, j, k = g.i, g.j, g.k
    c.condition(Eq(c.sum(A[i, j] * (v[k, i] - v[k, j]), j), lam[k] * v[k, i]), k, i, name="eigenvectors")
    c.condition(Eq(A[i, j], A[j, i]), i, j, name="undirected", words=UNDIRECTED)
    y = stepped(c, g, x, h)
    before, after = (c.sum(v[k, j] * signal[j], j) for signal in (x, y))
    c.law(after, (1 - h * lam[k]) * before)
    c.prove(lambda p: p.by(multiplied(p, g, h)))
    rate = h * lam[k]

    def smaller(way: int) -> Callable[[Bench], None]:
        """Where ``way`` (2 - h lamda) >= 0: the factor's square is 1 - h lamda (2 - h lamda)."""

        def shown(p: Bench) -> None:
            each, given = multiplied(p, g, h), p.goal.given
            far, grows = (inequality.combine(p.theory, 0, "<=", e, [], given) for e in (way * (2 - rate), rate))
            turn = inequality.product(p.theory, far, grows)
            p.combine((before**2, turn), (way * (after + (1 - rate) * before), each))

        return shown

    c.law(Piecewise((after**2, rate <= 2), (0, True)), "<=", before**2)
    c.prove(lambda p: p.cases(rate <= 2, smaller(1)))
    c.law(Piecewise((before**2, rate >= 2), (0, True)), "<=", after**2)
    c.prove(lambda p: p.cases(rate >= 2, smaller(-1)))
    c.say("no weights")
    c.call(x, edges(A), h).shows(y)
    change = h * g.Lx[i]
    c.variant("one implicit step", "backward Euler", **implicit(c, g, h))
    c.variant("plus h L x", "other sign", y=x[i] + change)
    c.variant("step size doubled", "known bug: energy without its half", y=x[i] - 2 * change)
    alike = Abs(after - (1 - h * top) * before)
    c.variant("all modes alike", "wrong for more than two nodes", law=(alike, "<=", 0))


@claim("heat.euler_stability", "4.6.2", "graph.heat_step", kind="inequality")
def stability(c: Board) -> None:
    """A step multiplies the energy by (1 - h gap)^2 or (1 - h top)^2 at most: it does not grow if h <= 2 / top."""
    c.choice("graph", CONNECTED)
    x, h = c.real("x", n), c.hyper("h", 0.0, 2.0, typical=(0.25, 0.5, 1.0))
    g = spectrum(c, v)
    i, j, k = g.i, g.j, g.k
    s = g.s = c.index("s", 1, n - 1)
    c.condition(Eq(A[i, j], A[j, i]), i, j, name="undirected", words=UNDIRECTED)
    c.condition(Eq(v[0, i], 1), i, name="the constant one")
    c.condition(Le(gap, lam[s]), s, name="gap", words="gap is the least eigenvalue but that of the constants")
    c.condition(Le(lam[s], top), s, name="top", words="top is the largest eigenvalue")
    y = stepped(c, g, x, h)

    def energy(signal: Any) -> Any:
        return c.sum(A[i, j] * (signal[i] - signal[j]) ** 2, i, j) / 4

    rate = Max((1 - h * gap) ** 2, (1 - h * top) ** 2)

    def each_mode(p: Bench) -> Theorem:
        """A parabola between two eigenvalues is below the greater of its ends."""
        factor = 1 - h * lam[s]
        first = p.have("above the gap", factor, "<=", 1 - h * gap, lambda p: p.combine((h, p.condition("gap"))))
        last = p.have("below the top", 1 - h * top, "<=", factor, lambda p: p.combine((h, p.condition("top"))))
        between, ends = inequality.product(p.theory, first, last, first.given), 2 - h * gap - h * top
        return p.have(
            "a mode", factor**2, "<=", rate,
            lambda p: p.cases(
                Ge(ends, 0),
                lambda p: p.combine((1, between), (ends, first)),
                lambda p: p.combine((1, between), (-ends, last)),
            ),
        )  # fmt: skip

    def proof(p: Bench) -> None:
        """The energy is the sum over modes of half the eigenvalue times the share; the constant mode has none."""
        p.settle(p.condition("none is 0"))
        zero, first, back, f = no_eigenvalue(p, g), first_term(p, g), by_parts(p, g), IndexedBase("f", real=True)
        turned = p.have(
            "an edge has both ends", c.sum(A[i, j] * f[i] ** 2, i, j), "=", c.sum(A[i, j] * f[j] ** 2, i, j),
            lambda p: p.left.rewrite(p.condition("undirected")), over=[f],
        )  # fmt: skip
        change = changes(p, g, back)
        form = p.have(
            "energy by modes", energy(f), "=", c.sum(lam[k] * share(g, f), k) / 2,
            lambda p: p.combine((Rational(1, 2), p.sum(change, f[i], (i, 0, n - 1))), (Rational(-1, 4), turned)),
            over=[f],
        )  # fmt: skip
        each = multiplied(p, g, h)
        after = p.have(
            "energy afterwards", energy(y), "=", c.sum(lam[k] * (1 - h * lam[k]) ** 2 * share(g, x), k) / 2,
            lambda p: p.left.by(p.at(form, {f: lambda i: y[i]})).rewrite(each),
        )  # fmt: skip
        before, slower = p.at(form, {f: lambda i: x[i]}), each_mode(p)
        grown = p.at(first, {f: lambda k: lam[k] * (1 - h * lam[k]) ** 2 * share(g, x, k)})
        least = p.sum(slower, lam[s] * share(g, x, s), (s, 1, n - 1))
        kept = p.at(first, {f: lambda k: lam[k] * share(g, x, k)})
        half = Rational(1, 2)
        lost = half * share(g, x, 0) * ((1 - h * lam[0]) ** 2 - rate)
        p.combine((1, after), (-rate, before), (half, grown), (-half * rate, kept), (half, least), (lost, zero))

    c.law(energy(y), "<=", rate * energy(x))
    c.prove(proof)
    c.say("no weights")
    c.call(x, edges(A), h).shows(y)
    change = h * g.Lx[i]
    c.variant("for every step size", "the condition dropped", law=(energy(y), "<=", energy(x)))
    beyond = (1 - h * gap) ** 2 * energy(x)
    c.variant("the gap alone decides", "too tight beyond h = 2 / (gap + top)", law=(energy(y), "<=", beyond))
    c.variant("one implicit step", "backward Euler: stable for every h", **implicit(c, g, h))
    c.variant("plus h L x", "other sign", y=x[i] + change)
    c.variant("step size doubled", "known bug: energy without its half", y=x[i] - 2 * change)
    c.remark("With two nodes (top = 2) and h = 1 the temperatures change places for ever; with h = 1.1 they blow up.")


@claim("heat.euler_stability.graphs", "4.6.2", "graph.stable_step")
def whole(c: Board) -> None:
    """The largest stable step is 2 / top, and shrinks as all weights grow."""
    c.choice("graph", {**CONNECTED, **APART})
    w = c.positive("w", high=2.0)
    g = SimpleNamespace(**dict(zip("ijkq", c.indices("i j k q", n), strict=True)), sum=c.sum, left=v)
    i, j, k = g.i, g.j, g.k
    g.length = c.let("length", k, c.sum(v[k, i] ** 2, i))
    c.condition(Eq(c.sum(A[i, j] * (v[k, i] - v[k, j]), j), lam[k] * v[k, i]), k, i, name="eigenvectors")
    c.condition(Gt(g.length[k], 0), k, name="none is 0")
    c.condition(Le(lam[k], top), k, name="top", words="top is the largest eigenvalue for weights 1")
    c.condition(Eq(lam[n - 1], top), name="the last one")
    z = exponents(c, g, w)
    limit = c.let("limit", (), 2 / z[n - 1])
    c.output("h", limit)

    def found(p: Bench) -> Theorem:
        """The last mode has the largest eigenvalue."""
        last, exponent = p.condition("the last one"), settled(p, g)
        largest = p.have("the last exponent", z[n - 1], "=", w * top, lambda p: p.left.rewrite(exponent, last))
        p.settle(largest)
        return p.have("the limit", limit, "=", 2 / (w * top), lambda p: p.left.unfold(limit).rewrite(largest))

    c.law(limit, 2 / (w * top))
    c.prove(lambda p: p.by(found(p)))
    c.law((1 - limit * w * lam[k]) ** 2, "<=", 1)
    c.prove(
        lambda p: (
            p.left.rewrite(found(p)),
            p.combine((4 * lam[k] / top**2, p.condition("top"))),
        )
    )
    c.law(1 - limit * w * lam[n - 1], -1)
    c.prove(lambda p: p.left.rewrite(found(p), p.condition("the last one")))
    c.say("every edge has the weight w", "at that step no mode grows, and the last one is turned round")
    c.call(edges(A), n, weights(w)).shows("h")
    c.variant("1 / top", "the step at which the last mode is gone", limit=1 / (w * top))
    c.variant("2 / gap", "known bug: eigenvalues sorted the other way", limit=2 / (w * gap))
    c.variant("2 top", "known bug: the reciprocal", limit=2 * w * top)
