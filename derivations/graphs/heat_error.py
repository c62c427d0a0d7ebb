"""How far a step of Euler's method, or a series, is from the exact solution of the heat equation (4.6.2)."""

from math import factorial
from typing import Any

from sympy import Abs, Eq, IndexedBase, Integral, Le, Max, Piecewise, Sum, Symbol, exp, symbols

from gnomon.derivations.graphs.graph_spectra import CONNECTED, A, i, j, lam, n, q, time, top, v, x
from gnomon.derivations.graphs.heat_modes import by_modes, exponents, mixture, orthogonal, parts, settled, spectrum
from gnomon.derivations.graphs.heat_parts import (
    by_parts,
    first_term,
    laplacian,
    no_eigenvalue,
    share,
    spread,
    squares,
    stepped,
)
from gnomon.proof.bench import Bench
from gnomon.proof.bounds import exp_taylor
from gnomon.proof.derivation import Derivation, Step, cite, define
from gnomon.proof.inequality import combine, product
from gnomon.proof.terms import within
from gnomon.say.board import Board
from gnomon.say.call import edges
from gnomon.say.call import weights as edge_weights
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Graph, Size, nonnegative, real
from gnomon.say.maker import claim

SECTION = "4.6.2"
y = IndexedBase("y", real=True)

# ------------------------------------------------------------------ a step


@claim("heat.euler_step.local_error", "4.6.2", "graph.heat_step", kind="order")
def local_error(c: Board) -> None:
    """A step of Euler's method is off by at most (h w top)^2 / 2 times the distance from the mean."""
    c.choice("graph", CONNECTED)
    x, h = c.real("x", n), c.hyper("h", 0.0, 0.5, typical=(0.0625, 2.0**-10))
    w = c.positive("w", high=2.0)
    g = spectrum(c, v)
    orthogonal(c, g)
    g.x = x
    i, j, k, s = g.i, g.j, g.k, g.s
    c.condition(Le(lam[s], top), s, name="top", words="top is the largest eigenvalue for weights 1")
    c.say("connected and undirected", "every edge has the weight w")
    average = c.let("average", (), c.sum(x[j], j) / n)
    z = exponents(c, g, h * w)
    K = c.let("K", (i, j), by_modes(c, g, exp(-z[k])))
    exact = c.let("exact", i, c.sum(K[i, j] * x[j], j))
    Lx = laplacian(c, g, w)
    y = c.let("y", i, x[i] - h * Lx[i])
    off = c.let("off", i, y[i] - exact[i])
    c.aid(off)

    def missed(k: Any) -> Any:
        """What the step misses of a mode, relative to it."""
        return 1 - h * w * lam[k] - exp(-h * w * lam[k])

    def proof(p: Bench) -> None:
        """Each mode is off by the remainder of the exponential series after two terms; modes are orthogonal."""
        p.settle(p.condition("none is 0"))
        zero, first, back, f = no_eigenvalue(p, g), first_term(p, g), by_parts(p, g), IndexedBase("f", real=True)
        square, step = squares(p, g, back), stepped(p, g, back, y, Lx, h * w)
        solved = p.have(
            "the exact solution", exact[i], "=", mixture(g, exp(-h * w * lam[k])),
            lambda p: p.left.unfold(exact, K).rewrite(settled(p, g)),
        )  # fmt: skip
        missing = p.have(
            "what is missed", off[i], "=", mixture(g, missed(k)),
            lambda p: (p.left.unfold(off), p.combine((1, step), (-1, solved))),
        )  # fmt: skip
        each = parts(p, g, off, missed, missing)
        whole = p.have(
            "the error, all modes", error, "=", c.sum(missed(k) ** 2 * share(g, x), k),
            lambda p: (
                p.left.by(p.have("errors", error, "=", c.sum(off[i] ** 2, i), lambda p: p.right.unfold(off))),
                p.left.by(p.at(square, {f: lambda i: off[i]})).rewrite(each),
            ),
        )  # fmt: skip
        none = p.have("the mean is kept", missed(0), "=", 0, lambda p: p.left.rewrite(zero))
        total = p.have(
            "the error", error, "=", c.sum(missed(s) ** 2 * share(g, x, s), s),
            lambda p: p.combine(
                (1, whole),
                (1, p.at(first, {f: lambda k: missed(k) ** 2 * share(g, x, k)})),
                (missed(0) * share(g, x, 0), none),
            ),
        )  # fmt: skip
        apart = spread(p, g, average, square, first)
        most = p.have("a mode's error", missed(s) ** 2, "<=", (h * w * top) ** 4 / 4, at_most_its_square)
        p.combine((1, total), (-((h * w * top) ** 4) / 4, apart), (1, p.sum(most, share(g, x, s), (s, 1, n - 1))))

    def at_most_its_square(p: Bench) -> None:
        """The remainder is at most half the square of the exponent, which is at most that of top."""
        given = within((s, 1, n - 1))
        rest = p.at(exp_taylor(2), {Symbol("s", nonnegative=True): h * w * lam[s]})
        above = combine(p.theory, -missed(s), "<=", rest.rhs, [(1, rest)], given)
        below = combine(p.theory, -rest.rhs, "<=", -missed(s), [(1, rest)], given)
        larger = (top**2 + lam[s] ** 2) * (top + lam[s]) * (h * w) ** 4 / 4
        p.combine((1, product(p.theory, above, below)), (larger, p.condition("top")))

    error = c.sum((y[j] - exact[j]) ** 2, j)

    def at_most(bound: Any) -> Any:
        return error, "<=", bound * c.sum((x[j] - average) ** 2, j)

    second = (h * w * top) ** 4 / 4
    c.law(*at_most(second))
    c.prove(proof)
    c.call(x, edges(A), h, edge_weights(w)).shows(y)
    c.variant("plus h L x", "other sign", y=x[i] + h * Lx[i])
    c.variant("half the step size", "known bug", y=x[i] - h * Lx[i] / 2)
    c.variant("of third order", "too tight: true of the midpoint method", law=at_most((h * w * top) ** 6 / 36))
    c.variant("half of it", "too tight", law=at_most(second / 4))
    c.remark("Squared on both sides. After T/h such steps the error is of order h.")


# ------------------------------------------------------------------ a series

ORDER = 12
NODES = Size("n", 1, 3)
LINKS = Graph("A", NODES, connected=False, directed=True, loops=True)
(N,) = (NODES.symbol,)
weights = IndexedBase("w", nonnegative=True)
term, series, W, degree, size, most, rest = (
    IndexedBase(name, real=True) for name in ("term", "series", "W", "degree", "size", "most", "rest")
)


def power(factor: Any, weight: Any = W[i, j]) -> tuple[Any, Any]:
    """The terms of the exponential series, each from the one before."""
    applied = Sum(weight * (term[q - 1, i] - term[q - 1, j]), (j, 0, N - 1))
    return term[q, i], Piecewise((x[i], Eq(q, 0)), (factor * applied / q, True))


def running(base: Any, value: Any) -> tuple[Any, Any]:
    """The largest of the values up to i."""
    return base[i], Piecewise((value, Eq(i, 0)), (Max(base[i - 1], value), True))


REMAINDER = (rest[q], Piecewise((size[N - 1], Eq(q, 0)), (rest[q - 1] * 2 * time * most[N - 1] / q, True)))
bound = (2 * time * most[N - 1]) ** (ORDER + 1) / factorial(ORDER + 1) * size[N - 1]


def series_proof() -> Derivation:
    s, rate, start = symbols("s lamda c_0", positive=True)
    first = start * (1 - rate * time + rate**2 * time**2 / 2 - rate**3 * time**3 / 6)
    return Derivation(
        (
            define(term[q, i], Symbol("(-t L)^q x_i / q!"), "each term is -t L / q times the one before"),
            Step(
                "series",
                exp(-rate * time) * start,
                first,
                why="for a mode; the coefficients do not depend on it",
                by=(time, 0, 4),
                wrong=(first.subs(rate, -rate),),
            ),
            cite("Taylor: the remainder is the integral over s, from 0 to t, of (t - s)^m / m! (-L)^(m+1) x(s)"),
            cite("the maximum principle: without negative weights exp(-L s) x stays between the extremes of x"),
            Step(
                "integrate",
                Integral((time - s) ** ORDER / factorial(ORDER), (s, 0, time)),
                time ** (ORDER + 1) / factorial(ORDER + 1),
                why="a row of L has entries whose sizes add up to at most twice the largest degree",
                by=(-((time - s) ** (ORDER + 1)) / factorial(ORDER + 1),),
            ),
        ),
        "every size and every order",
        lift="mode",
    )


def close(bound: Any) -> Relation:
    return Relation(Abs(y[i] - series[i]), "<=", bound, ((i, 0, N - 1),))


anywhere = Claim(
    id="heat.equation.series",
    section=SECTION,
    title="On any graph, with weights and one-way edges, the solution is the exponential series of -t L",
    kind="inequality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(NODES, LINKS),
    inputs=(real("x", NODES), nonnegative("t", high=0.0625), nonnegative("w", NODES, NODES, high=1.0)),
    program=Program(
        (
            (W[i, j], A[i, j] * weights[i, j]),
            (degree[i], Sum(W[i, j], (j, 0, N - 1))),
            running(most, degree[i]),
            running(size, Abs(x[i])),
            REMAINDER,
            power(-time),
            (series[i], Sum(term[q, i], (q, 0, ORDER))),
            (y[i], series[i]),
        ),
        (Output("y", y[i], (i, 0, N - 1)),),
    ),
    relation=close(rest[ORDER + 1]),
    statement=Le(Abs(y[i] - Sum(term[q, i], (q, 0, ORDER))), bound),
    conditions=("no weight is negative", "most is the largest degree, size the largest of the |x[i]|"),
    derivation=series_proof,
    variants=(
        Variant("one step of Euler's method", "first order", ((y[i], term[0, i] + term[1, i]),)),
        Variant("minus t L x twice", "known bug: the second term not halved", ((y[i], series[i] + term[2, i]),)),
        Variant("without the first term", "known bug", ((y[i], series[i] - x[i]),)),
    ),
    options={"arguments": ("x", "edge_index", "t", "edge_weight")},
    remarks=f"Up to the order {ORDER}, so that for t <= 1/16 the remainder is next to nothing. On a graph "
    "with one-way edges A[i, j] is the edge from j to i.",
)

CLAIMS = (anywhere,)
