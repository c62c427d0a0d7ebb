"""The adjoint on linear systems: it is the gradient by the state, and it obeys the transposed equation (2.3.2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Piecewise, Rational, Sum, Symbol

from gnomon.derivations.ode.adjoint_augmented import READ_AS_COLUMN
from gnomon.proof import equality
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import function, tensor
from gnomon.say.maker import claim

SECTION = "2.3.2"
WEIGHTS, HALF = (1, 2, 2, 1), Rational(1, 2)

Product = Any  # what a matrix makes of a vector: of an index, and of a function that gives the entries


def system(c: Board, steps: int = 0) -> SimpleNamespace:
    """``dz/dt = A z`` and a loss ``c . z(t1)``: the domains, and the indices of steps, stages and unknowns."""
    d = c.size("d", 2, 4)
    N = c.size("N", 1, steps) if steps else 1
    h = c.hyper("h", 0.125, 0.5, typical=(0.5, 0.25, 0.125))
    y0, A = c.real("y0", d, low=-1, high=1), c.real("A", d, d, low=-2, high=2)
    cost = c.real("c", d, low=-2, high=2)
    i, l, q = c.indices("i l q", d)
    n, s = c.index("n", 0, N), c.index("s", 0, 3)
    return SimpleNamespace(c=c, d=d, N=N, h=h, y0=y0, A=A, cost=cost, i=i, l=l, q=q, n=n, s=s)


def times(of: SimpleNamespace, low: int = 0) -> Product:
    """A x; with ``low=1`` only what lies above the diagonal."""
    return lambda index, x: Sum(of.A[index, of.q] * x(of.q), (of.q, index + 1 if low else 0, of.d - 1))


def transposed(of: SimpleNamespace, low: int = 0) -> Product:
    """The transpose of A times x."""
    return lambda index, x: Sum(of.A[of.q, index] * x(of.q), (of.q, 0, index - 1 if low else of.d - 1))


def slope(of: SimpleNamespace, now: Any, slopes: Any, product: Product) -> Any:
    """A stage of the classical method; ``product(i, x)`` is what its matrix makes of x."""
    n, s, l = of.n, of.s, of.l
    share = Piecewise((0, Eq(s, 0)), (1, Eq(s, 3)), (HALF, True))
    before = Piecewise((0, Eq(s, 0)), (slopes[n, s - 1, l], True))
    return product(of.i, lambda place: (now[n, l] + of.h * share * before).subs(l, place))


def steps(of: SimpleNamespace, name: str, product: Product, begin: Any) -> tuple[Any, Any]:
    """Steps of the classical method on a linear system, with their slopes."""
    c, n, s, i, now = of.c, of.n, of.s, of.i, IndexedBase(name, real=True)
    slopes = c.let(f"{name}_k", (n, s, i), lambda k: slope(of, now, k, product))
    average = sum(weight * slopes[n - 1, stage, i] for stage, weight in enumerate(WEIGHTS)) / 6
    return c.recur(name, (n, i), begin, lambda x: x[n - 1, i] + of.h * average), slopes


def called(of: SimpleNamespace, low: int, count: Any) -> Any:
    """The call that takes the gradient of the loss by the initial state."""
    y, t, i, n = IndexedBase("y", real=True), Symbol("t", real=True), of.i, of.n
    f = function((t, y), times(of, low)(i, lambda place: y[place]), (i, 0, of.d - 1))
    ends, step = tensor(n * count * of.h, (n, 0, 1)), {"step_size": of.h}
    solved = of.c.call(f, of.y0, ends, method="rk4", options=step, adjoint_params=())
    return solved.rows(1).then(y, Sum(of.cost[i] * y[1, i], (i, 0, of.d - 1))).gradient(by=of.y0)


# ---------------------------------------------------------------- the gradient by the state


@claim("adjoint.state", SECTION, "ode.odeint_adjoint", kind="invariance")
def state(c: Board) -> None:
    """a(t) is the gradient of the loss by the state at t: a(t) . v(t) is constant for every variation v."""
    of = system(c, steps=3)
    N, n, i, cost, y0 = of.N, of.n, of.i, of.cost, of.y0
    v, (m, r), p = c.real("v", of.d, low=-2, high=2), c.indices("m r", N + 1), c.index("p", of.d)
    adj, adj_k = steps(of, "a_", transposed(of), cost[i])
    dz, dz_k = steps(of, "dz", times(of), v[i])
    c.output("grad_y0", adj[N, i])
    y, _ = steps(of, "y", times(of), y0[i])
    loss = c.let("loss", (), c.sum(cost[i] * y[N, i], i))
    gradient, moved, moved_k = (c.D(x, y[m, p]) for x in (loss, y[r, i], IndexedBase("y_k", real=True)[r, of.s, i]))

    def carried(b: Bench, now: Any, slopes: Any, own: tuple[Any, ...], given: Any) -> Theorem:
        """a . v is the same at all times: a step back does to a what a step ahead does to v, transposed."""

        def pair(n: Any, r: Any) -> Any:
            return c.sum(adj[n, i] * now[(r, i, *own)], i)

        def step(b: Bench) -> None:
            b.left.unfold(adj, *[adj_k] * 4)
            b.right.unfold(now, *[slopes] * 4)

        kept = b.have(
            "a step keeps it", pair(n, r), "=", pair(n - 1, r + 1), step, given=[n >= 1, r <= N - 1, *given(r)]
        )
        return b.induction(
            "it is kept", (pair(n, N - n), c.sum(cost[i] * now[(N, i, *own)], i)), on=n, given=given(N - n),
            base=lambda b: b.left.unfold(adj),
            step=lambda b, old: b.left.rewrite(kept, at={n: n + 1, r: N - n - 1}).rewrite(old),
        )  # fmt: skip

    def constant(b: Bench) -> None:
        kept = carried(b, dz, dz_k, (), lambda r: [])
        begin = b.chain(c.sum(adj[N, i] * dz[0, i], i)).unfold(dz).theorem
        b.left.by(equality.symmetric(b.theory, begin)).rewrite(kept, at={n: N})

    c.law(c.sum(adj[N, i] * v[i], i), c.sum(cost[i] * dz[N, i], i))
    c.prove(constant)

    def by_state(b: Bench) -> None:
        """The variation is what begins at the time as a unit: before it nothing moves."""
        kept = carried(b, moved.base, moved_k.base, (m, p), lambda r: [r >= m])

        def later(b: Bench, old: Theorem) -> None:
            b.left.unfold(moved).rewrite(old).unfold(*[moved_k] * 4).rewrite(old)

        still = b.induction("before, nothing moves", (moved, 0), on=r, given=[r <= m - 1], step=later)

        def begins(b: Bench) -> None:
            b.left.unfold(moved)
            b.cases(Eq(m, 0), no=lambda b: b.left.rewrite(still).unfold(*[moved_k] * 4).rewrite(still))

        unit = b.have("it begins as a unit", moved.xreplace({r: m}), "=", KroneckerDelta(i, p), begins)
        start = b.chain(c.sum(adj[N - m, i] * moved.xreplace({r: m}), i)).rewrite(unit).contract().theorem
        b.left.by(equality.symmetric(b.theory, start)).rewrite(kept, at={n: N - m})
        b.right.unfold(gradient)

    c.law(adj[N - m, p], gradient)
    c.prove(by_state)
    called(of, 0, N).unused(v).shows("grad_y0")
    c.variant("Jacobian not transposed", READ_AS_COLUMN, a__k=slope(of, adj, adj_k, times(of)))
    c.variant("the gradient at the end", "known bug: not solved back", a__k=0)
    negated = slope(of, adj, adj_k, lambda index, x: -transposed(of)(index, x))
    c.variant("the sign of the state", "known bug", a__k=negated)
    c.say("f is linear, dz/dt = A z")
    c.remark("v(t) is the difference of two neighbouring solutions; v(t0) is the input v. The loss is c . z(t1).")


# ---------------------------------------------------------------- the equation of the adjoint


@claim("adjoint.dynamics", SECTION, "ode.odeint_adjoint")
def dynamics(c: Board) -> None:
    """The adjoint obeys da/dt = -(∂f/∂z)ᵀ a."""
    of = system(c)
    d, h, A, cost, i, l, q = of.d, of.h, of.A, of.cost, of.i, of.l, of.q
    k = c.index("k", 0, d + 4)
    c.condition(d <= 5, name="few", words="d is at most 5: the series of exp is no longer than the method's order")
    adj, adj_k = steps(of, "a_", transposed(of, 1), cost[i])
    c.output("grad_y0", adj[1, i])
    term = c.recur("term", (k, i), cost[i], lambda term: h / k * Sum(A[l, i] * term[k - 1, l], (l, 0, i - 1)))
    path = c.let("path", i, Sum(term[q, i], (q, 0, d - 1)))
    field = c.let("field", i, times(of, 1)(i, lambda place: of.y0[place]))

    def ends(p: Bench) -> Theorem:
        """Nothing stands on or below the diagonal: each term has one entry less."""
        none: Theorem = p.induction(
            "a term ends", (term[k, i], 0), on=k, start=1, given=[i <= k - 1],
            step=lambda b, old: b.left.unfold(term).rewrite(old),
        )  # fmt: skip
        return none

    def step(p: Bench) -> None:
        """A step of order 4 has the terms of the exponential up to the fourth; the others are 0."""
        none = ends(p)
        first = Sum(term[q, i], (q, 0, k))
        so_far = p.induction(
            "the series ends", (first, Sum(term[q, i], (q, 0, i))), on=k, start=i, base=lambda b: None,
            step=lambda b, old: b.left.to(first + term[k + 1, i]).rewrite(old, none),
        )  # fmt: skip
        four = Sum(term[q, i], (q, 0, 4))

        def terms(b: Bench) -> None:
            b.left.unfold(adj, *[adj_k] * 4).unfold(adj)
            b.right.listed().unfold(*[term] * 5)

        one = p.have("one step", adj[1, i], "=", four, terms)
        p.left.rewrite(one).rewrite(so_far, at={k: 4})
        p.right.unfold(path).rewrite(so_far, at={k: d - 1})

    c.law(adj[1, i], path[i])
    c.prove(step)

    jacobian, rate = c.D(field[l], of.y0[i]), c.D(path[i], h)
    rates = c.D(term[k, i], h)

    def equation(p: Bench) -> None:
        """The rate of a term is what the transposed Jacobian makes of the term before."""
        none = ends(p)
        pulled = Sum(A[l, i] * term[k - 1, l], (l, 0, i - 1))

        def later(b: Bench, old: Theorem) -> None:
            b.left.unfold(rates).rewrite(old).rewrite(b.theory.definitions["term"], at={k: k})
            b.right.rewrite(b.theory.definitions["term"], at={k: k})

        turns = p.induction(
            "the rate of a term", (rates, pulled), on=k, start=1, base=lambda b: b.left.unfold(rates, rates), step=later
        )
        above = p.have(
            "above the diagonal", jacobian, "=", A[l, i],
            lambda b: b.left.unfold(jacobian).contract(), given=[l <= i - 1],
        )  # fmt: skip
        below = p.have("on and below it", jacobian, "=", 0, lambda b: b.left.unfold(jacobian), given=[l >= i])
        row = path[l] * jacobian
        some, more = Sum(row, (l, 0, i - 1)), row.subs(l, k + 1)
        part = p.induction(
            "the column", (Sum(row, (l, 0, k)), some), on=k, start=i, given=[k <= d - 1],
            base=lambda b: b.left.to(some + row.subs(l, i)).rewrite(below),
            step=lambda b, old: b.left.to(Sum(row, (l, 0, k)) + more).rewrite(old, below),
        )  # fmt: skip
        early = Sum(term[q, l], (q, 0, d - 2))
        p.left.unfold(rate).to(rates.subs(k, 0) + Sum(rates.subs(k, q + 1), (q, 0, d - 2)))
        p.left.rewrite(p.theory.definitions[str(rates.base)], at={k: 0}).rewrite(turns)
        shorter = p.have(
            "the last term is 0", path[l], "=", early,
            lambda b: b.left.unfold(path).to(early + term[d - 1, l]).rewrite(none), given=[l <= d - 2],
        )  # fmt: skip
        p.right.rewrite(part, at={k: d - 1}).rewrite(above, shorter)

    c.law(rate, c.sum(path[l] * jacobian, l))
    c.prove(equation)
    called(of, 1, 1).shows("grad_y0")
    c.variant(
        "Jacobian not transposed", f"notes: {READ_AS_COLUMN}", printed=True, a__k=slope(of, adj, adj_k, times(of, 1)),
        why="The notes' formula is right for a row; read for a column, A = [[0, 1], [0, 0]] takes (1, 0) to (1, "
        "0), not to (1, 1).",
    )  # fmt: skip
    c.variant("the sign of the state", "known bug", a__k=slope(of, adj, adj_k, lambda r, x: -transposed(of, 1)(r, x)))
    half = slope(of, adj, adj_k, lambda r, x: (transposed(of, 1)(r, x) + times(of, 1)(r, x)) / 2)
    c.variant("the symmetric part of the Jacobian", "known bug", a__k=half)
    c.say("A is zero on and below its diagonal")
    c.remark(
        "With nothing on or below the diagonal exp(hAᵀ) is a polynomial, which one step of order 4 reaches "
        "exactly. The gradient is not differentiated again."
    )
