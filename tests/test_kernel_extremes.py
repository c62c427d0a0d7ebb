"""Extremes and log-sum-exp in the kernel: each rule shows what is right, and what is false is refused or owes."""

import pytest
import reduced
import sympy as sp

from gnomon.link.proved import proved
from gnomon.proof import extremes, goals, inequality
from gnomon.proof.definitions import Definition
from gnomon.proof.equality import normal, rewrite
from gnomon.proof.goals import Goal
from gnomon.proof.inequality import combine, monotone
from gnomon.proof.integral import integrated
from gnomon.proof.library import lemma
from gnomon.proof.reductions import ArgMax, ArgMin, Kept, Largest, LogSumExp, Smallest
from gnomon.proof.second_look import second_look
from gnomon.proof.signs import Bound
from gnomon.proof.tangent import slope
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused
from gnomon.proof.theory import Theory
from gnomon.say.sheet import Mutation

n = sp.Symbol("n", integer=True, positive=True)
m = sp.Symbol("m", integer=True, nonnegative=True)
i, j, k = sp.symbols("i j k", integer=True)
t, c = sp.symbols("t c", real=True)
x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
RANGE, EMPTY = (i, 0, n - 1), (i, 0, m - 1)
WITHIN = frozenset({sp.Ge(k, 0), sp.Le(k, n - 1)})
TOP = Largest(x[i], RANGE)


def theory():
    return Theory(shapes={"x": (n,), "y": (n,)}, bounds={"y": Bound(0)})


def sound(theorem):
    """A theorem that owes nothing, and that a second look does not refute."""
    assert not theorem.left, theorem.left
    assert not second_look(theorem, seconds=0.05).refuted
    return theorem


def test_a_term_is_at_most_the_greatest_within_the_range_alone():
    assert sound(extremes.bounded_by(theory(), TOP, k, WITHIN)).rhs == TOP
    assert sound(extremes.bounded_by(theory(), Smallest(x[i], RANGE), 0)).lhs == Smallest(x[i], RANGE)
    for place in (n, -1, k):
        assert extremes.bounded_by(theory(), TOP, place).left
    assert extremes.bounded_by(theory(), Largest(x[i], EMPTY), 0).left
    with pytest.raises(Refused, match="whole"):
        extremes.bounded_by(theory(), TOP, c)
    with pytest.raises(Refused, match="none of"):
        extremes.bounded_by(theory(), sp.Sum(x[i], RANGE), k)


def test_the_greatest_is_attained():
    shown = sound(extremes.attained(theory(), TOP))
    assert shown.rhs == x[ArgMax(x[i], RANGE)]
    assert sound(extremes.attained(theory(), Smallest(x[i], RANGE))).rhs == x[ArgMin(x[i], RANGE)]
    assert extremes.attained(theory(), Largest(x[i], EMPTY)).left


def test_what_bounds_every_term_bounds_the_extreme():
    own = theory()
    each = combine(own, 0, "<=", (x[i] - c) ** 2)
    assert sound(extremes.extreme(own, each, RANGE)).rhs == Smallest((x[i] - c) ** 2, RANGE)
    bounded = Theory(shapes={"x": (n,)}, bounds={"x": Bound(-1, 1, open_high=True)})
    below = combine(bounded, x[i], "<", 1, (), frozenset({sp.Ge(i, 0), sp.Le(i, n - 1)}))
    assert sound(extremes.extreme(bounded, below, RANGE)).rel == "<"
    assert extremes.extreme(bounded, below, (i, 0, m - 1), frozenset({sp.Le(m, n)})).left  # may be empty
    with pytest.raises(Refused, match="does not hold for every"):
        extremes.extreme(bounded, below, (i, 0, n))
    one = extremes.bounded_by(own, TOP, 0)
    with pytest.raises(Refused, match="should move"):
        extremes.extreme(own, one, RANGE)
    between = combine(own, x[i], "<=", x[i] + 1)
    with pytest.raises(Refused, match="should move"):
        extremes.extreme(own, between, RANGE)
    first = combine(own, x[i], "<=", x[0], (), frozenset({sp.Eq(i, 0)}))
    with pytest.raises(Refused, match="does not hold for every"):
        extremes.extreme(own, first, RANGE)
    fixed = Theory(facts=[sp.Le(c, k)])
    with pytest.raises(Refused, match="of the claim"):
        extremes.extreme(fixed, combine(fixed, c, "<=", k), (k, 0, 3))


def test_a_hypothesis_that_is_fixed_in_the_index_is_no_bound_of_every_term():
    own = theory()
    (supposed,) = goals.hypotheses(own, [Goal(x[i], "<=", c, frozenset(), frozenset({i}))], i)
    with pytest.raises(Refused, match="fixed in the index"):
        extremes.extreme(own, supposed, RANGE)


def test_the_last_term_is_taken_off():
    more = frozenset({sp.Ge(n, 2)})
    shown = sound(extremes.last_term(theory(), TOP, more))
    assert shown.rhs == sp.Max(Largest(x[i], (i, 0, n - 2)), x[n - 1])
    assert sound(extremes.last_term(theory(), LogSumExp(x[i], RANGE), more)).rhs.func is sp.log
    assert sound(extremes.last_term(theory(), Smallest(x[i], (i, k, k)), WITHIN)).rhs == x[k]
    assert extremes.last_term(theory(), TOP).left  # there may be one term alone
    with pytest.raises(Refused, match="none of"):
        extremes.last_term(theory(), ArgMax(x[i], RANGE), more)


def test_log_sum_exp_is_the_logarithm_of_the_sum_of_powers():
    assert sound(extremes.powers(theory(), LogSumExp(x[i], RANGE)))
    assert extremes.powers(theory(), LogSumExp(x[i], EMPTY)).left
    with pytest.raises(Refused, match="none of"):
        extremes.powers(theory(), TOP)


def test_a_shift_comes_out_unless_it_moves_with_the_index():
    for kind in (Largest, Smallest, LogSumExp):
        assert alike(sound(extremes.shifted(theory(), kind(x[i] + c, RANGE), c)).rhs, c + kind(x[i], RANGE))
    assert alike(sound(extremes.shifted(theory(), ArgMax(x[i] + c, RANGE), c)).rhs, ArgMax(x[i], RANGE))
    with pytest.raises(Refused, match="moves with"):
        extremes.shifted(theory(), TOP, x[i])
    assert extremes.shifted(theory(), TOP, 1 / c).left


def test_the_greatest_is_minus_the_least_of_the_negative():
    assert alike(sound(extremes.turned(theory(), TOP)).rhs, -Smallest(-x[i], RANGE))
    assert alike(sound(extremes.turned(theory(), ArgMax(x[i], RANGE))).rhs, ArgMin(-x[i], RANGE))


def test_normal_forms_tell_them_apart():
    own = theory()
    sound(normal(own, Largest(x[k] + x[0], (k, 0, n - 1)), Largest(x[0] + x[i], RANGE)))
    sound(normal(own, Largest(x[i], (i, 0, 1)), sp.Max(x[0], x[1]), frozenset({sp.Ge(n, 2)})))
    for a, b in [
        (TOP, Smallest(x[i], RANGE)),
        (TOP, LogSumExp(x[i], RANGE)),
        (TOP, Largest(x[i], (i, 1, n - 1))),
        (Largest(2 * x[i], RANGE), 2 * TOP + c),
        (Largest(x[i] + y[i], RANGE), TOP + Largest(y[i], RANGE)),
        (ArgMax(x[i], (i, 1, n)), ArgMax(x[i + 1], (i, 0, n - 1))),
        (Largest(x[i] * x[j], RANGE), Largest(x[i] * x[k], RANGE)),
    ]:
        with pytest.raises(Refused):
            normal(own, a, b)


def test_signs():
    own = theory()
    sound(combine(own, 0, "<=", Largest(y[i], RANGE)))
    sound(combine(own, 0, "<", Smallest(sp.exp(x[i]), RANGE)))
    sound(combine(own, ArgMax(x[i], RANGE), "<=", n - 1))
    for rel, rhs in [("<=", TOP), ("<", Largest(y[i], RANGE)), ("<=", LogSumExp(y[i], RANGE) - 1)]:
        with pytest.raises(Refused):
            combine(own, 0, rel, rhs)


def test_an_index_is_not_captured_and_empty_ranges_are_owed():
    own = theory()
    outer = Largest(x[k] * TOP, (k, 0, n - 1))
    sound(rewrite(own, extremes.attained(own, TOP), outer))
    general = lemma(own, "max_below_lse", a=lambda v: x[v] * c, n=n)
    assert sound(general).lhs.function.has(c)
    assert lemma(own, "max_below_lse", a=lambda v: x[v], n=m).left
    assert lemma(own, "lse_below_max", a=lambda v: x[v], n=n + 1).left  # an entry beyond the array


def test_there_is_no_slope_at_a_tie():
    free = Theory()
    with pytest.raises(Refused, match="kink"):
        slope(free, Largest(t * x[i], RANGE), t)
    with pytest.raises(Refused, match="kink"):
        monotone(free, ArgMax(t * x[i], RANGE), t, 0)
    moved = slope(theory(), LogSumExp(t * x[i], RANGE), t)
    assert not moved.left
    each = combine(free, 0, "<=", 1 + ArgMax(t * x[i], RANGE))
    with pytest.raises(Refused, match="jump"):
        integrated(free, each, t, 0, 1)


def test_the_order_of_a_maximum_is_shown_with_the_rules():
    """``Largest(x) <= Largest(x + y)`` for y >= 0, term by term."""
    own = theory()
    inside = frozenset({sp.Ge(i, 0), sp.Le(i, n - 1)})
    wide = Largest(x[i] + y[i], RANGE)
    term = extremes.bounded_by(own, wide, i, inside)
    each = combine(own, x[i], "<=", wide, [(1, term)], inside)
    sound(extremes.extreme(own, each, RANGE))
    with pytest.raises(Refused):
        combine(own, x[i] + 1, "<=", wide, [(1, term)], inside)
    assert inequality.holds(own, wide - TOP, inside, False) is False


def test_two_inequalities_are_an_equation():
    """``Largest(c**2 x) = c**2 Largest(x)``, term by term both ways; for any c it is false."""
    own = theory()
    inside = frozenset({sp.Ge(i, 0), sp.Le(i, n - 1)})
    wide = Largest(c**2 * x[i], RANGE)
    each = combine(own, c**2 * x[i], "<=", c**2 * TOP, [(c**2, extremes.bounded_by(own, TOP, i, inside))], inside)
    below = extremes.extreme(own, each, RANGE)
    place = ArgMax(x[i], RANGE)
    there = extremes.bounded_by(own, wide, place)
    above = combine(own, c**2 * TOP, "<=", wide, [(1, there), (c**2, extremes.attained(own, TOP))])
    sound(inequality.both_ways(own, below, above))
    with pytest.raises(Refused, match="coefficient"):
        combine(own, c * x[i], "<=", c * TOP, [(c, extremes.bounded_by(own, TOP, i, inside))], inside)
    strict = combine(own, x[0], "<", x[0] + 1)
    for pair in ((below, below), (strict, combine(own, x[0], "<=", x[0] + 1)), (below, there)):
        with pytest.raises(Refused, match="both ways"):
            inequality.both_ways(own, *pair)


# ---------------------------------------------------------------------- minus infinity for what is left out

keep = sp.IndexedBase("keep", integer=True, nonnegative=True)


def masked(term, at=i):
    return Kept(term, sp.Eq(keep[at], 1))


COUNT = sp.Sum(sp.Piecewise((1, sp.Eq(keep[i], 1)), (0, True)), RANGE)
SCORES = masked(x[i])


def masking(some=True):
    return Theory(
        shapes={"x": (n,), "keep": (n,)},
        bounds={"keep": Bound(0, 1)},
        conditions=[("some", sp.Ge(COUNT, 1), ())] if some else [],
    )


def test_a_power_of_what_is_left_out_is_0_and_not_above_it():
    own = masking()
    given = WITHIN
    sound(extremes.without(own, sp.exp(masked(x[k], k) - c), given))
    sound(combine(own, 0, "<=", sp.exp(masked(x[k], k)), (), given))
    for lhs, rel, rhs in [
        (0, "<", sp.exp(masked(x[k], k))),
        (0, "<", sp.exp(2 * masked(x[k], k) - c)),
        (0, "<", sp.Sum(sp.exp(SCORES), RANGE) - 1),
        (0, "<", sp.Product(sp.exp(SCORES), RANGE)),
    ]:
        with pytest.raises(Refused):
            combine(own, lhs, rel, rhs, (), given)
    assert lemma(own, "log_tangent", given, u=sp.exp(masked(x[k], k)), m=sp.S.One).left


def test_minus_infinity_by_itself_is_no_number():
    own = masking()
    one = masked(x[k], k)
    for e in (one, one - one.subs(x[k], x[k] + 1), sp.exp(-one), 1 / sp.exp(one), c * sp.exp(one * c), sp.Max(one, 0)):
        assert normal(own, e, e, WITHIN).left, e
    for e in (Smallest(SCORES, RANGE), ArgMax(SCORES, RANGE), sp.Sum(SCORES, RANGE), Largest(-SCORES, RANGE)):
        assert normal(own, e, e).left, e
    with pytest.raises(Refused, match="left out"):
        extremes.attained(own, Largest(SCORES, RANGE))
    assert extremes.turned(own, Largest(SCORES, RANGE)).left
    more = frozenset({sp.Ge(n, 2)})
    assert extremes.last_term(own, Largest(SCORES, RANGE), more).left
    named = Theory([Definition(sp.IndexedBase("e", real=True)[i], SCORES, (RANGE,))], shapes={"x": (n,), "keep": (n,)})
    e = sp.IndexedBase("e", real=True)
    assert normal(named, sp.exp(e[k]), sp.exp(e[k]), WITHIN).left
    assert normal(named, Largest(e[i], RANGE), Largest(e[i], RANGE)).left


def test_the_greatest_of_what_is_left_needs_something_left():
    for e in (Largest(SCORES, RANGE), LogSumExp(SCORES, RANGE), LogSumExp(SCORES - c, RANGE)):
        sound(normal(masking(), e, e))
        assert normal(masking(some=False), e, e).left
    sound(combine(masking(), 0, "<", sp.Sum(sp.exp(SCORES), RANGE)))
    for theory_, term in (
        (masking(some=False), sp.exp(SCORES)),
        (masking(), sp.exp(SCORES) - 1),
        (masking(), sp.Piecewise((x[i] ** 2, sp.Eq(keep[i], 1)), (0, True))),
        (masking(), sp.Piecewise((1, sp.Eq(keep[i], 0)), (0, True))),
    ):
        with pytest.raises(Refused):
            combine(theory_, 0, "<", sp.Sum(term, RANGE))
    with pytest.raises(Refused):  # another range than the one in which something is left
        combine(masking(), 0, "<", sp.Sum(sp.exp(SCORES), (i, 0, n - 2)), (), frozenset({sp.Ge(n, 2)}))


def test_the_rules_of_extremes_read_masks():
    own, top = masking(), Largest(SCORES, RANGE)
    kept = WITHIN | {sp.Eq(keep[k], 1)}
    assert sound(extremes.bounded_by(own, top, k, kept)).lhs == x[k]
    assert extremes.bounded_by(own, top, k, WITHIN).left
    sound(extremes.powers(own, LogSumExp(SCORES, RANGE)))
    sound(extremes.shifted(own, top, c))
    assert extremes.powers(masking(some=False), LogSumExp(SCORES, RANGE)).left
    bounded = Theory(
        shapes={"x": (n,), "keep": (n,)}, bounds={"keep": Bound(0, 1)},
        conditions=[("some", sp.Ge(COUNT, 1), ()), ("below", sp.Le(x[i] * keep[i], c), (RANGE,))],
    )  # fmt: skip
    here = frozenset({sp.Ge(i, 0), sp.Le(i, n - 1), sp.Eq(keep[i], 1)})
    each = inequality.at(bounded, bounded.conditions["below"], {i: i}, here)
    with pytest.raises(Refused, match="does not hold for every"):
        extremes.extreme(bounded, each, RANGE)
    assert sound(extremes.extreme(bounded, each, RANGE, kept=sp.Eq(keep[i], 1))).rhs == c
    lower = combine(own, 0, "<=", x[i] ** 2, (), here)
    with pytest.raises(Refused, match="the least"):
        extremes.extreme(own, lower, RANGE, kept=sp.Eq(keep[i], 1))


def test_a_factor_out_of_branches():
    own = masking()
    total = sp.Sum(sp.Piecewise((c * x[i], sp.Eq(keep[i], 1)), (0, True)), RANGE)
    assert extremes.taken_out(own, total, c).left  # it may be 0
    sound(extremes.taken_out(own, total, sp.exp(c)))
    with pytest.raises(Refused, match="no sum of branches"):
        extremes.taken_out(own, sp.Sum(x[i], RANGE), c)


def test_what_is_not_seen_for_sympys_sake_is_refused_in_words():
    own, kept = masking(), sp.Eq(keep[i], 1)
    total = sp.Sum(sp.Piecewise((sp.exp(x[i]), kept), (0, True)), RANGE)
    share = sp.Sum(sp.Piecewise((sp.exp(x[k]) / total, sp.Eq(keep[k], 1)), (0, True)), (k, 0, n - 1))
    with pytest.raises(Refused, match="not seen"):
        normal(own, share, sp.S.One)
    taken = sound(extremes.taken_out(own, share, 1 / total))
    sound(normal(own, taken.rhs, sp.S.One))


def test_a_mask_that_may_leave_out_a_whole_row_proves_no_softmax():
    with pytest.raises(Refused):
        proved(reduced.masked_softmax.built(Mutation(domain="keep")))


@pytest.mark.parametrize(
    "maker",
    [reduced.logsumexp, reduced.softmax, reduced.extremes, reduced.masked_softmax],
    ids=lambda maker: maker.id,
)
def test_claims_on_them_are_proved_for_every_size(maker):
    whole = proved(maker.claim)
    assert all(theorem is not None and not theorem.left for theorem in whole.theorems)
