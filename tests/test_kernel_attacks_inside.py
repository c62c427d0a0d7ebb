"""Attacks on the kernel, on what expressions mean: each tries to make a theorem of something false."""

from __future__ import annotations

import pytest
import sympy as sp
from attacks import NONE, A, Attacks, N, X, c, g, i, j, k, linked, m, must_fail, n, p, t, x, y, z
from sympy import Abs, Eq, Ge, Gt, KroneckerDelta, Le, Max, Ne, Piecewise, Sum, Symbol, exp, floor, log

from gnomon.proof import bench, equality, goals, inequality, tangent
from gnomon.proof.definitions import Definition
from gnomon.proof.goals import Goal
from gnomon.proof.indexed import opaque
from gnomon.proof.terms import within
from gnomon.proof.theory import Theory

attack = Attacks()

# ---------------------------------------------------------------- general in what is fixed


@attack
def general_in_a_size_that_a_definition_uses():
    theory = Theory([Definition(y, Sum(X[k], (k, 0, t)))], facts=[Ge(t, 0)])
    shown = equality.rewrite(theory, theory.definitions["y"], y)
    lemma = goals.general(theory, shown, Goal(y, "=", Sum(X[k], (k, 0, t)), NONE, frozenset({t})))
    return equality.rewrite(theory, lemma, y, at={t: sp.S.Zero})


@attack
def general_in_what_a_fact_speaks_of():
    theory = Theory(facts=[Ge(t, 5)])
    shown = inequality.combine(theory, 5, "<=", t)
    lemma = goals.general(theory, shown, Goal(sp.Integer(5), "<=", t, NONE, frozenset({t})))
    return inequality.at(theory, lemma, {t: sp.S.Zero})


@attack
def summed_over_what_a_fact_speaks_of():
    theory = Theory(facts=[Ge(t, 5)])
    shown = inequality.combine(theory, 5, "<=", t)
    return inequality.total(theory, shown, 1, (t, 0, 3))


@attack
def an_even_number_in_general():
    even = Symbol("e", even=True)
    theory = Theory()
    shown = goals.general(theory, equality.normal(theory, (-1) ** even, 1), Goal((-1) ** even, "=", 1, NONE, {even}))
    return inequality.at(theory, shown, {even: sp.S.One})


# ---------------------------------------------------------------- ranges and binders


@attack
def every_value_of_a_real_number():
    theory = Theory()
    goal = Goal(x * (x - 1), "=", sp.S.Zero, frozenset({Ge(x, 0), Le(x, 1)}))
    shown = [equality.normal(theory, goal.put({x: sp.Integer(v)}).lhs, 0) for v in (0, 1)]
    return goals.every(theory, goal, x, 0, shown)


@attack
def every_value_but_the_last():
    theory = Theory()
    goal = Goal(i * (i - 1), "=", sp.S.Zero, frozenset({Ge(i, 0), Le(i, 2)}))
    shown = [equality.normal(theory, goal.put({i: sp.Integer(v)}).lhs, 0) for v in (0, 1)]
    return goals.every(theory, goal, i, 0, shown)


@attack
def an_induction_over_a_real_number():
    theory = Theory()
    goal = Goal(sp.cos(2 * sp.pi * x), "=", sp.S.One)
    supposed = goals.hypotheses(theory, [goal], x)
    base = equality.normal(theory, goal.put({x: sp.S.Zero}).lhs, 1)
    step = equality.chain(theory, equality.normal(theory, goal.put({x: x + 1}).lhs, goal.lhs), supposed[0])
    return goals.induct(theory, [goal], x, 0, [base], [step], supposed)[0]


@attack
def an_induction_from_below_what_its_index_may_be():
    natural, theory = Symbol("s", integer=True, nonnegative=True), Theory()
    goal = Goal(Abs(natural), "=", natural)
    supposed = goals.hypotheses(theory, [goal], natural)
    base = equality.reflexive(theory, sp.Integer(-5))
    step = equality.reflexive(theory, natural + 1)
    return goals.induct(theory, [goal], natural, -5, [base], [step], supposed)[0]


@attack
def an_induction_that_does_not_use_its_hypothesis():
    theory = Theory()
    goal = Goal(t, "=", t)
    supposed = goals.hypotheses(theory, [goal], t)
    return goals.induct(
        theory, [goal], t, 0, [equality.reflexive(theory, sp.S.Zero)], [equality.reflexive(theory, t + 1)], supposed
    )[0]


@attack
def an_induction_downwards_from_the_wrong_end():
    theory = Theory([Definition(m[t], Piecewise((0, Eq(t, 0)), (m[t - 1], True)), ((t, 0, n),))])
    desk = bench.Bench(theory, Goal(m[n], "=", sp.S.Zero), {t: (0, n)})
    lemma = desk.induction("down", (m[t], 0), on=t, start=n, down=True)
    desk.left.rewrite(lemma)
    return desk.done()


@attack
def a_sign_of_an_index_that_its_range_denies():
    natural = Symbol("s", integer=True, nonnegative=True)
    return inequality.combine(Theory(), 0, "<=", Sum(natural, (natural, -3, 0)))


@attack
def ends_that_are_not_whole():
    return linked(Theory(), Sum(1, (k, 0, p)), p + 1)


@attack
def a_range_without_end():
    return Theory([Definition(m[t], m[t - 1] ** 2 + 1, ((t, -sp.oo, n),))]) and None


@attack
def a_recursion_without_a_beginning():
    theory = Theory([Definition(m[t], m[t - 1] + 1, ((t, 0, n),))])
    return equality.reflexive(theory, m[n])


@attack
def a_recursion_that_is_undefined_on_the_way():
    body = Piecewise((1, Eq(t, 0)), (m[t - 1] / X[t], True))
    theory = Theory([Definition(m[t], body, ((t, 0, n),))], shapes={"X": (n + 1,)})
    return equality.reflexive(theory, m[n], frozenset({Ne(X[n], 0)}))


@attack
def an_entry_past_the_range_of_its_definition():
    theory = Theory([Definition(m[t], t, ((t, 0, n),))])
    return equality.rewrite(theory, theory.definitions["m"], m[n + 1])


@attack
def an_undefined_name_that_cancels():
    theory = Theory([Definition(z, log(x)), Definition(y, z - c)])
    desk = bench.Bench(theory, Goal(z - y, "=", c))
    desk.left.unfold(y)
    return desk.done()


# ---------------------------------------------------------------- branches


@attack
def a_condition_read_where_the_one_before_it_holds():
    e = Piecewise((1, x > 0), (2, y > Abs(x)), (3, True))
    wrong = Piecewise((1, x > 0), (2, y > x), (3, True))
    shown = equality.decide(Theory(), e)
    return equality.chain(Theory(), shown, equality.reflexive(Theory(), wrong))


@attack
def a_condition_without_a_value():
    e = Piecewise((0, Ne(x, 0)), (1, 1 / x > 0), (2, True))
    return equality.reflexive(Theory(), e)


@attack
def cases_of_a_condition_without_a_value():
    theory, condition = Theory(), Gt(1 / x, 0)
    yes = equality.reflexive(theory, y, frozenset({condition}))
    no = equality.reflexive(theory, y, frozenset({sp.Not(condition)}))
    return goals.cases(theory, condition, yes, no)


@attack
def a_guard_dropped_beside_a_delta():
    e = Piecewise((KroneckerDelta(i, 1) / i, Ge(i, 1)), (0, True))
    return equality.decide(Theory(), e, frozenset({Ge(i, 0)}))


@attack
def a_dead_branch_that_is_alive():
    e = Piecewise((1, x > 0), (2, True))
    return equality.chain(
        Theory(), equality.decide(Theory(), e, frozenset({Ge(x, 0)})), equality.reflexive(Theory(), sp.S.One)
    )


@attack
def a_branch_that_misses_a_point():
    return equality.reflexive(Theory(), Piecewise((1, x > 0), (2, x < 0)))


@attack
def one_obligation_in_two_branches():
    e = Piecewise((1 / x, x > 0), (2 / x, True))
    shown = equality.reflexive(Theory(), e)
    return shown


@attack
def a_maximum_of_what_has_no_value():
    shown = equality.decide(Theory(), Max(exp(log(x)), exp(log(x)) - 1) * c, NONE)
    return shown if shown.lhs != shown.rhs else equality.reflexive(Theory(), log(x))


# ---------------------------------------------------------------- derivatives and integrals


@attack
def rewritten_under_a_derivative():
    theory, given = Theory(), frozenset({Eq(x, 5)})
    at_five = inequality.combine(theory, x**2, "=", 25, given=given)
    return equality.rewrite(theory, at_five, sp.Derivative(x**2, x), given)


@attack
def the_derivative_of_a_kink_as_it_stands():
    return equality.reflexive(Theory(), sp.Derivative(Abs(x), x))


@attack
def a_slope_by_a_whole_number():
    return tangent.slope(Theory(), n**2, n)


@attack
def a_slope_past_a_definition():
    theory = Theory([Definition(y, x**2)])
    return tangent.slope(theory, x + y, x)


@attack
def a_slope_of_an_unknown_function_that_may_have_none():
    sigma, _, _ = opaque("sigma")
    return tangent.slope(Theory(), sigma(x), x)


@attack
def a_tangent_through_a_kink():
    _, found = tangent.tangents([Definition(y, Abs(x))], y, x, ())
    return Theory(found) and None


@attack
def an_integral_across_a_pole():
    return equality.reflexive(Theory(), sp.Integral(1 / x**2, (x, -1, 1)))


@attack
def an_integral_that_runs_backwards():
    backwards = sp.Integral(1 / x, (x, c, y))
    return equality.reflexive(Theory(), backwards, frozenset({Gt(c, 0)}))


@attack
def an_integral_of_branches():
    return equality.reflexive(Theory(), sp.Integral(Piecewise((1 / x, x > 0), (0, True)), (x, 0, 1)))


# ---------------------------------------------------------------- numbers


@attack
def a_floor_that_may_be_one():
    given = frozenset({Ge(i, 0), Le(i, n)})
    return equality.chain(
        Theory(), equality.decide(Theory(), floor(i / n), given), equality.reflexive(Theory(), sp.S.Zero)
    )


@attack
def a_logarithm_of_a_square():
    return linked(Theory(), log(x**2), 2 * log(x))


@attack
def a_logarithm_of_a_product():
    return linked(Theory(), log(x * y, evaluate=False), log(x) + log(y))


@attack
def a_power_of_zero():
    return equality.reflexive(Theory(), x**i)


@attack
def the_root_of_a_negative_number():
    return equality.reflexive(Theory(), sp.sqrt(x - 1))


@attack
def infinity_as_a_number():
    return equality.reflexive(Theory(), sp.oo + x)


@attack
def an_imaginary_number():
    return equality.reflexive(Theory(), sp.sqrt(-(p**2)) * x)


@attack
def a_strict_inequality_of_equal_things():
    return inequality.combine(Theory(), 0, "<", x**2)


@attack
def a_negative_coefficient():
    square = inequality.combine(Theory(), 0, "<=", x**2)
    return inequality.combine(Theory(), x**2, "<=", 0, [(-1, square)])


@attack
def a_function_of_unknown_domain():
    return equality.reflexive(Theory(), sp.gamma(x))


@attack
def symmetric_by_hand():
    theory = Theory([Definition(A[i, j], i, ((i, 0, n), (j, 0, n)))], symmetric=[A])
    return equality.normal(theory, A[0, 1], A[1, 0])


@attack
def symmetric_and_not_square():
    theory = Theory(shapes={"A": (n, N)}, symmetric=[A])
    return equality.normal(theory, A[0, 1], A[1, 0])


@pytest.mark.parametrize("made", attack)
def test_is_refused_or_owes_what_it_lacks(made):
    must_fail(made)


def test_the_sign_of_a_recursion_is_that_of_its_turns():
    def signs(later, first=0):
        body = Piecewise((first, Eq(t, 0)), (later, True))
        theory = Theory([Definition(m[t], body, ((t, 0, n),))], shapes={"X": (n + 1,)})
        return [theory.signs.holds(m[i], within((i, 0, n)), strict) for strict in (True, False)]

    assert signs(g * m[t - 1] + X[t] ** 2) == [False, True]
    assert signs(m[t - 1] + 1, 1) == [True, True]
    assert signs(m[t - 1] - 1, 1) == [False, False]
    assert signs(-m[t - 1], 1) == [False, False]
    assert signs(m[t - 1] + X[t]) == [False, False]


def test_a_fact_about_an_index_decides_no_branch_of_a_bound_one_of_that_name():
    late = Sum(Piecewise((1, k >= 5), (0, True)), (k, 0, 9))
    facts = frozenset({sp.Ge(x, late), sp.Ge(k, 5)})
    assert not Theory().entails(facts, sp.Ge(x, Sum(1, (k, 0, 9))))
