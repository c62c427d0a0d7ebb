"""Claims that are inequalities, proved from the kernel's rules for every size, and false versions of each, refused."""

import pytest
import sympy as sp

from gnomon.proof import bounds, goals, inequality, library
from gnomon.proof.bench import Bench, Chain
from gnomon.proof.definitions import Definition
from gnomon.proof.goals import Goal
from gnomon.proof.inequality import absolute, at, combine, product, root, total
from gnomon.proof.library import lemma
from gnomon.proof.signs import Bound
from gnomon.proof.terms import within
from gnomon.proof.theorem import Refused
from gnomon.proof.theory import Theory
from gnomon.proof.xlogy import relative

n, m, T = sp.symbols("n m T", integer=True, positive=True)
i, j, k, t = sp.symbols("i j k t", integer=True)
half, log2 = sp.Rational(1, 2), sp.log(2)


def real(name):
    return sp.IndexedBase(name, real=True)


def signed(name):
    return sp.IndexedBase(name, nonnegative=True)


def run(e, index=i, count=n):
    return sp.Sum(e, (index, 0, count - 1))


def everywhere(index=i, count=n):
    return (index, 0, count - 1)


def proved(theory, theorem, lhs, rel, rhs, given=frozenset()):
    """The theorem says what the claim does, and nothing is left to show."""
    goals.meets(theory, theorem, Goal(sp.sympify(lhs), rel, sp.sympify(rhs), frozenset(given)))
    if theorem.left:
        raise Refused(f"left: {', '.join(map(str, theorem.left))}")
    if theorem.hyps or theorem.cites:
        raise Refused("leans on something")


TRIES = []


def claims(*false):
    """A claim's proof goes through as it stands, and with none of the false versions."""

    def decorate(prove):
        TRIES.extend((prove, version) for version in ({}, *false))
        return prove

    return decorate


# ---------------------------------------------------------------- divergences

p, q = signed("p"), signed("q")
LAWS = {
    "p": (sp.Eq(run(p[i]), 1), ()),
    "q": (sp.Eq(run(q[i]), 1), ()),
    "zeros": (sp.Gt(sp.Piecewise((1, sp.Eq(p[i], 0)), (q[i], True)), 0), (everywhere(),)),
}


def laws(*names):
    return Theory(conditions=[(name, *LAWS[name]) for name in names], shapes={"p": (n,), "q": (n,)})


@claims({"rel": "<"}, {"least": sp.Rational(1, 100)}, {"dropped": "p"}, {"dropped": "q"}, {"dropped": "zeros"})
def kl_is_not_negative(rel="<=", least=0, dropped=None):
    theory = laws(*(name for name in LAWS if name != dropped))
    here = within(everywhere())
    point = lemma(theory, "gibbs", here, p=p[i], q=q[i])
    parts = [(1, total(theory, point, 1, everywhere()))]
    parts += [(w, theory.conditions[name]) for name, w in (("p", -1), ("q", 1)) if name != dropped]
    kl = run(relative(p[i], q[i]))
    proved(theory, combine(theory, least, rel, kl, parts), least, rel, kl)


@claims({"rel": "<"}, {"top": sp.log(2) / 2}, {"dropped": "q"})
def jsd_is_at_most_log_2(rel="<=", top=log2, dropped=None):
    theory = laws(*(name for name in ("p", "q") if name != dropped))
    here, middle = within(everywhere()), lambda at: (p[at] + q[at]) / 2
    jsd = run(relative(p[i], middle(i)) + relative(q[i], middle(i))) / 2
    parts = [
        (half, total(theory, lemma(theory, "to_middle", here, p=a[i], q=b[i]), 1, everywhere()))
        for a, b in ((p, q), (q, p))
    ]
    parts += [(sp.log(2) / 2, theory.conditions[name]) for name in ("p", "q") if name != dropped]
    proved(theory, combine(theory, jsd, rel, top, parts), jsd, rel, top)


@claims({"rel": "<"}, {"dropped": True})
def the_evidence_bound(rel="<=", dropped=False):
    x = sp.IndexedBase("X", positive=True)
    mean = run(p[i] * x[i])
    conditions = [("law", *LAWS["p"])] + [("some", sp.Gt(mean, 0), ())] * (not dropped)
    theory = Theory(conditions=conditions, shapes={"p": (n,), "X": (n,)})
    tangent = library.log_tangent()
    theorem = bounds.jensen(theory, tangent, library.u, library.m, p[i], x[i], theory.conditions["law"], everywhere())
    proved(theory, theorem, run(p[i] * sp.log(x[i])), rel, sp.log(mean), theory.facts)


# ---------------------------------------------------------------- heat and descent


@claims({"sign": 1}, {"dropped": True}, {"factor": 2})
def heat_averages(sign=-1, dropped=False, factor=1):
    """A step of Euler's method stays below the greatest value, if h times the degree is at most 1."""
    A, x, d, Lx, y = signed("A"), real("x"), real("d"), real("Lx"), real("y")
    h, top = sp.Symbol("h", nonnegative=True), sp.Symbol("top", real=True)
    program = [
        Definition(d[i], run(A[i, j], j), (everywhere(),)),
        Definition(Lx[i], d[i] * x[i] - run(A[i, j] * x[j], j), (everywhere(),)),
        Definition(y[i], x[i] + sign * h * Lx[i], (everywhere(),)),
    ]
    mild = ("mild", sp.Le(h * run(A[i, j], j), factor), (everywhere(),))
    conditions = [("below", sp.Le(x[j], top), (everywhere(j),)), *[mild] * (not dropped)]
    theory = Theory(program, shapes={"A": (n, n), "x": (n,)}, conditions=conditions, bounds={"h": Bound(0)})
    bench = Bench(theory, Goal(y[i], "<=", top, within(everywhere()), frozenset({i})), {i: (0, n - 1), j: (0, n - 1)})
    bench.left.unfold(y, Lx, d)
    below = bench.condition("below")
    bench.combine((1 - h * run(A[i, j], j), bench.at(below, {j: i})), (h, bench.sum(below, A[i, j], everywhere(j))))
    proved(theory, bench.done(), y[i], "<=", top, within(everywhere()))


@claims({"both": False}, {"rel": "<"})
def eulers_method_is_stable_mode_by_mode(both=True, rel="<="):
    lam, c = signed("lam"), real("c")
    h, low, high = sp.Symbol("h", nonnegative=True), *sp.symbols("low high", real=True)
    rate = sp.Max((1 - h * low) ** 2, (1 - h * high) ** 2) if both else (1 - h * low) ** 2
    conditions = [("above", low <= lam[k], (everywhere(k),)), ("below", lam[k] <= high, (everywhere(k),))]
    theory = Theory(conditions=conditions, shapes={"lam": (n,), "c": (n,)})
    given, factor = within(everywhere(k)), 1 - h * lam[k]
    first = combine(theory, factor, "<=", 1 - h * low, [(h, theory.conditions["above"])], given)
    last = combine(theory, 1 - h * high, "<=", factor, [(h, theory.conditions["below"])], given)
    between, ends = product(theory, first, last, given), 2 - h * low - h * high

    def case(fact, weight, end):
        return combine(theory, factor**2, "<=", rate, [(1, between), (weight, end)], given | {fact})

    rising = sp.Ge(ends, 0)
    mode = goals.cases(theory, rising, case(rising, ends, first), case(sp.Not(rising), -ends, last))
    lhs, rhs = run(lam[k] * (factor * c[k]) ** 2, k), rate * run(lam[k] * c[k] ** 2, k)
    proved(
        theory,
        combine(theory, lhs, rel, rhs, [(1, total(theory, mode, lam[k] * c[k] ** 2, everywhere(k)))]),
        lhs,
        rel,
        rhs,
    )


@claims({"factor": sp.Rational(1, 4)}, {"factor": 0}, {"along": 1})
def descent_on_half_squares(factor=half, along=-1):
    """A step of gradient descent lowers the loss by lr (1 - lr L / 2) times the squared gradient."""
    X, r, y, w, G = real("X"), real("r"), real("y"), real("w"), real("G")
    lr = sp.Symbol("lr", nonnegative=True)
    square, L = sp.symbols("square L", real=True)
    program = [
        Definition(r[k], run(X[k, j] * w[j], j) - y[k], (everywhere(k, m),)),
        Definition(G[i], run(r[k] * X[k, i], k, m) / m, (everywhere(),)),
        Definition(square, run(G[i] ** 2)),
        Definition(L, run(run(X[k, j] ** 2, j), k, m) / m),
    ]
    theory = Theory(program, shapes={"X": (m, n), "y": (m,), "w": (n,)})
    after = run((run(X[k, j] * (w[j] + along * lr * G[j]), j) - y[k]) ** 2, k, m) / (2 * m)
    before = run(r[k] ** 2, k, m) / (2 * m)
    rhs = before - lr * (1 - lr * L * factor) * square
    each = lemma(theory, "cauchy_schwarz", within(everywhere(k, m)), a=lambda v: X[k, v], b=lambda v: G[v], n=n)
    bench = Bench(theory, Goal(after, "<=", rhs))
    bench.right.unfold(square, L, r)
    summed = total(theory, each, 1, everywhere(k, m))
    gradient = bench.chain(G[i], given=within(everywhere())).unfold(G, r).theorem
    moved = total(theory, gradient, G[i], everywhere())  # the slope along the step is the squared gradient
    bench.combine((lr**2 / (2 * m), summed), (lr, moved))
    proved(theory, bench.done(), after, "<=", rhs)


@claims({"extra": half}, {"used": False}, {"steep": False})
def gradients_of_a_recurrent_network_grow_at_most_like_a_product(extra=1, used=True, steep=True):
    J, f, W, top = real("J"), real("f"), real("W"), signed("top")
    later = f[t - 1, i] * run(W[i, k] * J[t - 1, k, j], k)
    start = sp.KroneckerDelta(i, j)
    program = [
        Definition(
            J[t, i, j], sp.Piecewise((start, sp.Eq(t, 0)), (later, True)), ((t, 0, T), everywhere(), everywhere(j))
        )
    ]
    steps = (t, 0, T - 1)
    conditions = [("steep", sp.Le(f[t, i] ** 2, top[t] ** 2), (steps, everywhere()))] if steep else []
    theory = Theory(program, shapes={"f": (T, n), "W": (n, n), "top": (T,)}, conditions=conditions)
    weights = run(run(W[i, k] ** 2, k))
    size = lambda t: run(run(J[t, i, j] ** 2), j)  # noqa: E731
    bound = lambda t: n * sp.Product(top[k] ** 2 * weights * extra, (k, 0, t - 1))  # noqa: E731
    bench = Bench(theory, Goal(size(T), "<=", bound(T)), {t: (0, T)})

    def base(bench):
        bench.left.unfold("J")
        bench.left.contract()

    def step(bench, hypothesis):
        bench.left.unfold("J")
        here = within(everywhere()) | within(everywhere(j)) | bench.goal.given
        each = lemma(theory, "cauchy_schwarz", here, a=lambda v: W[i, v], b=lambda v: J[t, v, j], n=n)
        crossed = bench.sum(bench.sum(each, top[t] ** 2, everywhere()), 1, everywhere(j))
        inner = run(W[i, k] * J[t, k, j], k) ** 2
        at_t = inequality.at(theory, bench.condition("steep"), {}, here)
        slower = bench.sum(bench.sum(at_t, inner, everywhere()), 1, everywhere(j))
        parts = [(top[t] ** 2 * weights, hypothesis)] if used else []
        bench.combine(*parts, (1, crossed), (1, slower))

    grown = bench.induction("growth", (size(t), bound(t)), on=t, rel="<=", base=base, step=step)
    bench.by(bench.at(grown, {t: T}))
    proved(theory, bench.done(), size(T), "<=", bound(T))


@claims({"top": 1}, {"rel": "<"}, {"positive": False})
def a_step_of_adam_is_bounded(top=None, rel="<=", positive=True):
    g = real("g")
    lr, eps = sp.Symbol("lr", nonnegative=True), sp.Symbol("eps", nonnegative=True, positive=positive or None)
    b1, b2 = sp.symbols("beta1 beta2", positive=True)
    S1, S2, S3 = (run(b**k, k, T) for b in (b1, b2, b1**2 / b2))
    M, V = run(b1**k * g[k], k, T) / S1, run(b2**k * g[k] ** 2, k, T) / S2
    bound = sp.sqrt(S3 * S2) / S1 if top is None else sp.S(top)
    theory = Theory(shapes={"g": (T,)})
    each = lemma(
        theory, "cauchy_schwarz", a=lambda v: (b1 / sp.sqrt(b2)) ** v, b=lambda v: sp.sqrt(b2) ** v * g[v], n=T
    )
    squared = combine(theory, M**2, "<=", (bound * sp.sqrt(V)) ** 2, [(1 / S1**2, each)])
    rooted = root(theory, squared, M, bound * sp.sqrt(V))
    lhs = lr * sp.Abs(M) / (sp.sqrt(V) + eps)
    proved(theory, combine(theory, lhs, rel, lr * bound, [(lr / (sp.sqrt(V) + eps), rooted)]), lhs, rel, lr * bound)


@claims({"factor": sp.Rational(1, 4)}, {"power": 3, "factor": sp.Rational(1, 6)}, {"rel": "<"})
def the_local_error_of_eulers_method_in_modes(power=2, factor=half, rel="<="):
    h, lam, c = sp.Symbol("h", nonnegative=True), signed("lam"), real("c")
    theory = Theory(shapes={"lam": (n,), "c": (n,)})
    s = sp.Symbol("s", nonnegative=True)
    shown = bounds.exp_taylor(2)
    each = at(theory, shown, {s: h * lam[k]}, within(everywhere(k)))
    gap, most = sp.exp(-h * lam[k]) - 1 + h * lam[k], each.rhs
    above = combine(theory, gap, "<=", most, [(1, each)], within(everywhere(k)))
    below = combine(theory, -most, "<=", gap, [(1, each)], within(everywhere(k)))
    squared = product(theory, above, below)
    lhs = run((c[k] * gap) ** 2, k)
    rhs = run((factor * (h * lam[k]) ** power * c[k]) ** 2, k)
    parts = [(1, total(theory, squared, c[k] ** 2, everywhere(k)))]
    proved(theory, combine(theory, lhs, rel, rhs, parts), lhs, rel, rhs)
    assert absolute(theory, below, above).lhs == sp.Abs(gap)


def test_a_chain_of_inequalities_is_a_theorem():
    x, y = sp.symbols("x y", real=True)
    theory = Theory()
    chain = Chain(theory, 2 * x * y).at_most(x**2 + y**2, (1, lemma(theory, "amgm", x=x, y=y, c=sp.S.One)))
    chain.at_most(x**2 + y**2 + 1, strict=True)
    assert chain.theorem.rel == "<"


@pytest.mark.parametrize(("prove", "version"), TRIES, ids=lambda v: v.__name__ if callable(v) else str(v or "true"))
def test_a_claim_is_proved_and_its_false_versions_are_not(prove, version):
    if not version:
        prove()
        return
    with pytest.raises(Refused):
        prove(**version)
