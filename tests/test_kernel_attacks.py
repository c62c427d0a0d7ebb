"""Attacks on the kernel, on what a theorem is and where it holds: each tries to make a theorem of something false."""

from __future__ import annotations

import copy
import pickle

import pytest
import sympy as sp
from attacks import NONE, A, Attacks, X, c, g, i, j, k, linked, m, must_fail, n, p, size, t, x, y, z
from sympy import Eq, Ge, Gt, KroneckerDelta, Le, Lt, Piecewise, Sum, Symbol, log

from gnomon.proof import bench, equality, goals, inequality, tangent
from gnomon.proof.definitions import Definition
from gnomon.proof.goals import Goal
from gnomon.proof.signs import Bound
from gnomon.proof.terms import alike, within
from gnomon.proof.theorem import Theorem
from gnomon.proof.theory import Theory

attack = Attacks()

# ---------------------------------------------------------------- what was once believed


@attack
def a_domain_is_lost_in_a_chain():
    return linked(Theory(), sp.sinh(log(x**2) / 2), sp.sinh(log(x)), (x - 1 / x) / 2)


@attack
def zero_log_zero_is_seven():
    left = Piecewise((0, Eq(g, 0)), (g * log(g), True))
    return linked(Theory(), left, g * log(g), Piecewise((7, Eq(g, 0)), (g * log(g), True)))


@attack
def a_closed_form_with_a_pole():
    body = Piecewise((0, Eq(t, 10)), (m[t - 1] + 1, True))
    theory = Theory([Definition(m[t], body, ((t, 10, 40),))])
    goal = Goal(m[20], "=", sp.Integer(10), NONE)
    desk = bench.Bench(theory, goal, {t: (10, 40)})
    form = (t**2 - 10 * t) / (t - 10)
    lemma = desk.induction("closed", (m[t], form), on=t, start=10, base=lambda b: b.left.unfold(m))
    desk.left.rewrite(lemma)
    return desk.done()


@attack
def the_slope_of_a_kink():
    return tangent.slope(Theory(), Piecewise((x, x > 0), (0, True)), x)


@attack
def the_slope_of_a_jump():
    return tangent.slope(Theory(), Piecewise((5 * x, Eq(x, 1)), (x**2, True)), x)


@attack
def the_slope_of_a_root_at_zero():
    return tangent.slope(Theory(), sp.sqrt(g), g)


@attack
def a_sum_that_runs_backwards():
    return linked(Theory(), Sum(1, (k, 3, size)), size - 2)


@attack
def the_conclusion_is_assumed():
    shown = inequality.combine(Theory(), y, "<=", x, given=frozenset({Ge(x, y)}))
    return goals.general(Theory(), shown, Goal(y, "<=", x))


@attack
def an_unrelated_equation_is_put_in():
    theory = Theory()
    wrong = equality.normal(theory, x * y, 5)
    return equality.rewrite(theory, wrong, x * y + 1)


@attack
def a_sum_over_a_denominator_that_may_be_zero():
    whole = Sum(X[k], (k, 0, n - 1))
    return linked(Theory(), Sum(X[i] / whole, (i, 0, n - 1)), sp.S.One)


@attack
def reindexed_by_no_bijection():
    return equality.renamed(Theory(), Sum(X[k], (k, 0, 3)), {k: (j, 2 * j)})


@attack
def reindexed_by_half():
    return equality.renamed(Theory(), Sum(X[k], (k, 0, 3)), {k: (j, j + sp.Rational(1, 2))})


@attack
def reindexed_into_a_name_that_is_bound_inside():
    body = 2 + Sum(A[k, j], (j, 0, 2))
    shown = equality.renamed(Theory(), Sum(body, (k, 0, 3)), {k: (j, j)})
    wrong = 2 * Sum(1, (j, 0, 3)) + 4 * Sum(A[j, j], (j, 0, 2))
    return equality.chain(Theory(), shown, equality.normal(shown.theory, shown.rhs, wrong))


@attack
def assumptions_that_contradict_each_other():
    theory = Theory(facts=[Lt(x, 1), Gt(x, 1)])
    return inequality.combine(theory, 1, "<=", 0)


@attack
def bounds_that_contradict_a_fact():
    return inequality.combine(Theory(facts=[Gt(x, 2)], bounds={"x": Bound(0, 1)}), 1, "<=", 0)


@attack
def a_recursion_that_does_not_end():
    theory = Theory([Definition(m[t], m[t] + 1, ((t, 0, n),))])
    shown = equality.rewrite(theory, theory.definitions["m"], m[0])
    return inequality.combine(theory, 0, "=", 1, [(1, shown)])


@attack
def a_recursion_that_goes_round_in_two():
    return Theory([Definition(m[t], X[t] + 1, ((t, 0, n),)), Definition(X[t], m[t] + 1, ((t, 0, n),))]) and None


def within_steps(stage, after):
    """Steps m[t] along slopes X[t, i], each of which leans on the stage before it, and on where its step begins."""
    slope = Definition(X[t, i], m[t] + Piecewise((0, Eq(i, 0)), (stage, True)), ((t, 0, n), (i, 0, 3)))
    return Theory([Definition(m[t], Piecewise((0, Eq(t, 0)), (after, True)), ((t, 0, n),)), slope])


def test_stages_within_steps_are_seen_to_end():
    within_steps(X[t, i - 1], X[t - 1, 3])


@attack
def stages_that_do_not_end():
    return within_steps(X[t, i], X[t - 1, 3]) and None


@attack
def steps_along_the_slope_of_where_they_end():
    return within_steps(X[t, i - 1], X[t, 3]) and None


@attack
def stages_that_lean_on_the_next_step():
    return within_steps(X[t + 1, i - 1], X[t - 1, 3]) and None


@attack
def a_number_that_leans_on_itself():
    theory = Theory([Definition(y, y + 1)])
    return equality.rewrite(theory, theory.definitions["y"], y)


@attack
def a_hypothesis_at_another_index():
    theory = Theory([Definition(m[t], Piecewise((0, Eq(t, 0)), (m[t - 1] + t, True)), ((t, 0, n),))])
    desk = bench.Bench(theory, Goal(m[n], "=", n), {t: (0, n)})
    lemma = desk.induction("wrong", (m[t], t), on=t, step=lambda b, h: b.left.rewrite(h, at={t: t + 1}))
    desk.left.rewrite(lemma)
    return desk.done()


@attack
def an_index_out_of_shape():
    return linked(Theory(shapes={"X": (n,)}), Sum(X[k + 1] - X[k], (k, 0, n - 1)), X[n] - X[0])


@attack
def an_index_before_the_first():
    return equality.reflexive(Theory(shapes={"X": (n,)}), X[-1])


@attack
def a_delta_out_of_range():
    return equality.contract(Theory(), Sum(KroneckerDelta(i, j) * X[j], (j, 0, n - 1)))


@attack
def a_delta_of_a_number_that_is_not_whole():
    given = frozenset({Ge(x, 0), Le(x, n - 1)})
    return equality.contract(Theory(), Sum(KroneckerDelta(x, j) * j, (j, 0, n - 1)), given)


@attack
def a_bound_name_captures():
    theory = Theory([Definition(m[i], Sum(A[i, j], (j, 0, n - 1)), ((i, 0, n - 1),))])
    shown = equality.rewrite(theory, theory.definitions["m"], m[j], within((j, 0, n - 1)))
    return goals.general(theory, shown, Goal(m[j], "=", Sum(A[j, j], (j, 0, n - 1)), within((j, 0, n - 1))))


# ---------------------------------------------------------------- forged theorems


def honest():
    return inequality.combine(Theory(), 0, "<=", x**2)


@attack
def a_side_exchanged_behind_its_back():
    shown = honest()
    object.__setattr__(shown, "rhs", -sp.S.One)
    return inequality.combine(shown.theory, 1, "<=", 0, [(1, shown)])


@attack
def obligations_taken_off_behind_its_back():
    shown = equality.reflexive(Theory(), 1 / x)
    object.__setattr__(shown, "left", ())
    return equality.symmetric(shown.theory, shown)


@attack
def a_copy():
    return equality.symmetric(Theory(), copy.copy(equality.reflexive(Theory(), x)))


@attack
def a_pickle():
    return equality.symmetric(Theory(), pickle.loads(pickle.dumps(equality.reflexive(Theory(), x))))


@attack
def a_theorem_of_another_class():
    class Forged(Theorem):
        def __init__(self):
            for name in Theorem.__slots__:
                object.__setattr__(self, name, () if name in ("left", "premises") else NONE)
            for name, part in {"lhs": sp.S.One, "rhs": sp.S.Zero, "rel": "=", "theory": Theory(), "rule": "x"}.items():
                object.__setattr__(self, name, part)

    return equality.symmetric(Theory(), Forged())


@attack
def an_empty_theorem_filled_by_hand():
    forged, shown = object.__new__(Theorem), honest()
    for name in Theorem.__slots__:
        object.__setattr__(forged, name, getattr(shown, name))
    object.__setattr__(forged, "rhs", -sp.S.One)
    return inequality.combine(shown.theory, 1, "<=", 0, [(1, forged)])


@attack
def made_without_the_key():
    return Theorem(object(), lhs=sp.S.One, rel="=", rhs=sp.S.Zero)


@attack
def a_premise_exchanged_in_the_lineage():
    shown = equality.symmetric(Theory(), equality.reflexive(Theory(), x))
    object.__setattr__(shown, "premises", ())
    return goals.general(shown.theory, shown, Goal(x, "=", x))


@attack
def a_stand_in_that_is_no_theorem():
    class Duck:
        lhs, rel, rhs, given, over, hyps, left = sp.S.One, "=", sp.S.Zero, NONE, NONE, NONE, ()
        theory, rule, premises, genuine = Theory(), "reflexive", (), True

    return equality.rewrite(Theory(), Duck(), sp.S.One + x)


# ---------------------------------------------------------------- from one theory into another


@attack
def a_theorem_of_another_theory():
    other = Theory([Definition(y, sp.Integer(3))])
    return equality.symmetric(Theory(), equality.rewrite(other, other.definitions["y"], y))


@attack
def a_theorem_of_a_theory_with_bounds():
    narrow = Theory(bounds={"x": Bound(1)})
    return inequality.combine(Theory(), 1, "<=", x, [(1, inequality.combine(narrow, 1, "<=", x))])


@attack
def a_theorem_of_symmetric_arrays():
    other = Theory(shapes={"A": (n, n)}, symmetric=[A])
    given = within((i, 0, n - 1)) | within((j, 0, n - 1))
    shown = equality.normal(other, A[i, j], A[j, i], given)
    return equality.chain(Theory(), equality.reflexive(Theory(), A[i, j], given), shown)


@attack
def an_open_hypothesis_of_another_theory():
    here, there = Theory(), Theory()
    goal = Goal(x, "=", x + t, NONE, frozenset({t}))
    supposed = goals.hypotheses(here, [goal], t)
    foreign = goals.hypotheses(there, [goal], t)[0]
    base = equality.normal(here, x, x + 0)
    step = equality.chain(here, foreign, equality.reflexive(here, foreign.rhs))
    return goals.induct(here, [goal], t, 0, [base], [step], supposed)[0]


@attack
def a_lemma_about_entries_that_do_not_exist_here():
    lemma = equality.normal(Theory(), X[5] - X[5] + 1, 1)
    shown = equality.normal(Theory(), 0 * z + X[7] * 2, X[7] + X[7])
    theory = Theory(shapes={"X": (3,)})
    assert lemma.lhs == 1
    return goals.general(theory, shown, Goal(2 * X[7], "=", 2 * X[7]))


# ---------------------------------------------------------------- names


@attack
def one_name_and_two_symbols():
    theory = Theory([Definition(y, sp.Integer(-1))])
    return inequality.combine(theory, 0, "<=", Symbol("y", positive=True))


@attack
def an_input_of_one_name_and_two_assumptions():
    theory = Theory(bounds={"x": Bound(-1, 1)})
    positive = Symbol("x", positive=True)
    return inequality.combine(theory, 0, "<", x + positive, [(1, inequality.combine(theory, 0, "<=", 1 - x))])


@attack
def a_definition_said_to_be_positive():
    return inequality.combine(Theory([Definition(p, sp.Integer(-1))]), 0, "<=", p)


@attack
def a_definition_said_to_be_whole():
    half = Symbol("half", integer=True)
    return inequality.combine(Theory([Definition(half, sp.Rational(1, 2))]), 1, "<=", half + 1, given={Gt(half, -1)})


@attack
def an_input_is_defined():
    theory = Theory([Definition(X[i], sp.S.Zero, ((i, 0, n - 1),))], shapes={"X": (n,)})
    return equality.rewrite(theory, theory.definitions["X"], X[0])


@attack
def the_law_defines_what_the_program_reads():
    theory = Theory([Definition(y, 2 * c)], [Definition(c, sp.S.Zero)])
    return equality.rewrite(theory, theory.definitions["c"], y)


@attack
def a_diagonal_defines_a_matrix():
    theory = Theory([Definition(A[i, i], sp.S.One, ((i, 0, n),))])
    return equality.rewrite(theory, theory.definitions["A"], A[0, 0])


@attack
def a_bound_index_of_a_definitions_name():
    theory = Theory([Definition(y, sp.Integer(5))])
    over = Symbol("y", integer=True)
    return inequality.combine(theory, 20, "<=", Sum(over, (over, 0, 3)))


@attack
def a_bound_index_of_a_bounded_name():
    theory = Theory(bounds={"k": Bound(0, 1)})
    return inequality.combine(theory, Sum(k, (k, 0, 3)), "<=", 4)


@attack
def two_sums_over_ends_of_two_names():
    one, other = (Sum(1, (v, 0, 3), (i, 0, v)) for v in (j, k))
    assert not alike(one, other)
    return equality.chain(Theory(), equality.reflexive(Theory(), one), equality.reflexive(Theory(), other))


@attack
def the_name_by_which_alpha_calls_a_dummy():
    inner = Symbol("ι0.0", integer=True)
    one, other = Sum(X[inner], (k, 0, n)), Sum(X[k], (k, 0, n))
    return equality.chain(Theory(), equality.reflexive(Theory(), one), equality.reflexive(Theory(), other))


@attack
def two_functions_of_one_name():
    f, h = sp.Function("f", real=True), sp.Function("f", positive=True)
    return equality.chain(Theory(), equality.reflexive(Theory(), f(x)), equality.reflexive(Theory(), h(x)))


@attack
def a_prime_in_the_program():
    primed = Symbol("y′", real=True)
    theory = Theory([Definition(y, x), Definition(primed, sp.S.Zero)], [Definition(y, 2 * x)])
    return equality.rewrite(theory, theory.definitions["y′"], primed)


@pytest.mark.parametrize("made", attack)
def test_is_refused_or_owes_what_it_lacks(made):
    must_fail(made)
