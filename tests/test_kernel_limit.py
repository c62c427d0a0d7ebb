"""Limits: squeezed by a rate that vanishes, and refused where it is not seen to."""

import pytest
import sympy as sp

from gnomon.proof.bench import Bench
from gnomon.proof.bounds import exp_taylor
from gnomon.proof.goals import Goal
from gnomon.proof.inequality import absolute, at, combine
from gnomon.proof.library import lemma
from gnomon.proof.limit import squeezed
from gnomon.proof.signs import Bound
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused
from gnomon.proof.theory import Theory

n = sp.Symbol("n", integer=True, positive=True)
h, p = sp.symbols("h p", positive=True)
x, c = sp.symbols("x c", real=True)
r = sp.Symbol("r", nonnegative=True)


def theory():
    return Theory(bounds={"r": Bound(0, 1, False, True)})


def bound(within, f, rate, given=frozenset()):
    """``|f| <= rate``, where that is plain."""
    return combine(within, sp.Abs(f), "<=", rate, given=frozenset(given))


@pytest.mark.parametrize(
    "rate",
    [
        1 / n, 3 / n, c**2 / n, 1 / n**2, 1 / sp.sqrt(n), 1 / (n + p), r**n, n**-2 + r**n, r ** (2 * n + 1) * p,
        sp.exp(-n), sp.exp(-p * n) * c**2, 1 / sp.log(n + 1), 1 / (p * n**2 + 1), 2 ** (-n), 1 / sp.exp(n),
    ],
)  # fmt: skip
def test_what_vanishes_at_infinity(rate):
    within = theory()
    theorem = squeezed(within, bound(within, rate, rate), rate, 0, n)
    assert theorem.lhs == sp.Limit(rate, n, sp.oo)
    assert (theorem.rel, theorem.rhs, theorem.left) == ("=", 0, ())


@pytest.mark.parametrize(
    "rate",
    [
        sp.S.One, 1 + 1 / n, n, c**2, p**n, sp.exp(n), r ** sp.Symbol("k", integer=True, positive=True), n / (n + 1),
        n * r**n, 2 + sp.cos(n), sp.exp(1 / n), 1 / (2 + sp.cos(n)), n**0, sp.Abs(c) ** n, r ** (1 / n), 1 / (1 + r**n),
    ],
)  # fmt: skip
def test_what_is_not_seen_to_vanish(rate):
    within = theory()
    with pytest.raises(Refused):
        squeezed(within, bound(within, rate, rate), rate, 0, n)


@pytest.mark.parametrize(("rate", "vanishes"), [
    (h, True), (p * h**2 + 3 * h, True), (sp.sqrt(h), True), (h * sp.exp(h), True), (h * sp.Abs(sp.sin(1 / h)), True),
    (1 / h, False), (h / h**2, False), (1 + h, False), (sp.exp(-1 / h), True), (h * sp.exp(-h), True), (p, False),
])  # fmt: skip
def test_what_vanishes_at_0_from_above(rate, vanishes):
    within = theory()
    shown = bound(within, rate, rate)
    if vanishes:
        assert squeezed(within, shown, rate, 0, h, 0).lhs == sp.Limit(rate, h, 0, "+")
    else:
        with pytest.raises(Refused):
            squeezed(within, shown, rate, 0, h, 0)


def test_the_slope_of_the_exponential_as_a_limit():
    """(1 - e**(-h)) / h goes to 1: it differs by h / 2 at most."""
    within = Theory()
    s = sp.Symbol("s", nonnegative=True)
    second = at(within, exp_taylor(2), {s: h})
    f = (1 - sp.exp(-h)) / h
    above = combine(within, f - 1, "<=", h / 2, [(1 / h, second)])
    below = combine(within, -h / 2, "<=", f - 1, [(1 / h, second)])
    shown = absolute(within, below, above)
    theorem = squeezed(within, shown, f, 1, h, 0)
    assert theorem.rhs == 1
    assert not theorem.left
    with pytest.raises(Refused):
        squeezed(within, shown, f, 2, h, 0)


def test_powers_vanish_like_one_over_n_too():
    within = Theory(bounds={"p": Bound(0, 1, True, True)})
    power = lemma(within, "vanishing_power", c=p, n=n)
    rate = 1 / (1 + n * (1 / p - 1))
    shown = combine(within, sp.Abs(p**n), "<=", rate, [(rate, power)])
    assert squeezed(within, shown, p**n, 0, n).left == ()


def test_a_bound_for_large_n_is_enough_and_one_for_small_n_is_not():
    within = Theory()
    late = bound(within, 1 / n, 1 / n, {sp.Ge(n, 100)})
    assert squeezed(within, late, 1 / n, 0, n).given == frozenset()
    for fact in (sp.Le(n, 100), sp.Eq(n, 5), sp.Ge(n, c * n), sp.Ne(n, 3)):
        with pytest.raises(Refused, match="in the end"):
            squeezed(within, bound(within, 1 / n, 1 / n, {fact}), 1 / n, 0, n)
    small = bound(within, h, h, {sp.Le(h, sp.Rational(1, 10))})
    assert squeezed(within, small, h, 0, h, 0).left == ()
    with pytest.raises(Refused, match="in the end"):
        squeezed(within, bound(within, h, h, {sp.Ge(h, 1)}), h, 0, h, 0)


def test_a_symbol_of_the_claim_runs_nowhere():
    within = Theory(bounds={"n": Bound(1)})
    with pytest.raises(Refused, match="no symbol"):
        squeezed(within, bound(within, 1 / n, 1 / n), 1 / n, 0, n)
    free = Theory()
    for f, limit, to in ((1 / n, 1 / n, sp.oo), (1 / n, 0, 5), (1 / n, 0, -sp.oo)):
        with pytest.raises(Refused):
            squeezed(free, bound(free, 1 / n, 1 / n), f, limit, n, to)


def test_what_has_no_value_on_the_way_has_no_limit():
    within = Theory()
    f = sp.log(x - c) / x
    with pytest.raises(Refused):
        squeezed(within, combine(within, sp.Abs(f), "<=", sp.Abs(f)), f, 0, x)


def test_a_limit_is_a_goal_that_its_equation_settles():
    def closed(settled):
        within = Theory()
        theorem = squeezed(within, bound(within, 1 / n, 1 / n), 1 / n, 0, n)
        bench = Bench(within, Goal(sp.Limit(1 / n, n, sp.oo), "=", sp.S.Zero))
        bench.by(theorem)
        if settled:
            bench.settle(theorem)
        return bench.done()

    assert closed(True).left == ()
    assert len(closed(False).left) == 1
    strange = Goal(sp.Limit((-1) ** n, n, sp.oo), "=", sp.Limit((-1) ** n, n, sp.oo))
    assert Bench(Theory(), strange).done().left  # nothing says that there is such a limit


def test_a_limit_is_the_same_whatever_its_sums_run_over():
    i, j = sp.symbols("i j", integer=True)
    limits = [sp.Limit(sp.Sum(h * r**k, (k, 0, n)), h, 0) for k in (i, j)]
    assert alike(*limits)
    assert not alike(limits[0], sp.Limit(sp.Sum(h * r**j, (j, 1, n)), h, 0))
    assert not alike(limits[0], sp.Limit(sp.Sum(h * r**j, (j, 0, n)), h, sp.oo))
    assert not alike(limits[0], sp.Limit(sp.Sum(h * r**j, (j, 0, n)), p, 0))
    assert not alike(sp.Sum(sp.Limit(h * i, h, 0), (j, 0, n)), sp.Sum(sp.Limit(h * j, h, 0), (j, 0, n)))
