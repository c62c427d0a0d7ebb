"""Questions to a theory: one question whatever its dummies are called, two where they are told apart."""

import sympy as sp

from gnomon.proof.asked_before import AskedBefore, question
from gnomon.proof.following import follows
from gnomon.proof.signs import Bound
from gnomon.proof.theorem import Obligation
from gnomon.proof.theory import Theory

n = sp.Symbol("n", integer=True, positive=True)
d = sp.IndexedBase("d", real=True)


def dummies(*names):
    return [sp.Dummy(name, integer=True) for name in names]


def asked(index, *ranged, own=()):
    return question(sp.Ne(d[index], 0), frozenset(sp.Ge(v, 0) for v in ranged), own)


def test_a_question_is_the_same_under_other_dummies():
    (i, j), (k, m) = dummies("i", "j"), dummies("k", "m")
    assert asked(i, i) == asked(k, k)
    assert asked(i, i, j) == asked(k, k, m)


def test_dummies_are_told_apart_by_where_they_occur_by_what_they_are_and_where_the_theory_speaks_of_them():
    i, j = dummies("i", "j")
    real = sp.Dummy("i", real=True)
    assert asked(i, i) != asked(i, j)
    assert question(sp.Ge(i, 0), frozenset(), ()) != question(sp.Ge(real, 0), frozenset(), ())
    name = f"{i.name}.{i.dummy_index}"
    assert asked(i, i, own={name}) != asked(j, j, own={name})


def test_two_dummies_that_become_one_are_another_question():
    i, j = dummies("i", "j")
    apart, alike = (question(sp.Ge(a - b, 0), frozenset(), ()) for a, b in ((2 * i, j), (2 * i, i)))
    assert apart != alike


def test_yes_holds_with_more_facts_and_no_with_fewer():
    i, j = dummies("i", "j")
    known = AskedBefore()
    known.keep(asked(i, i), True)
    assert known.answer(asked(j, i, j)) is True
    assert known.answer(asked(j)) is None
    known = AskedBefore()
    known.keep(asked(i, i), False)
    assert known.answer(asked(j)) is False
    assert known.answer(asked(j, i, j)) is None


def test_a_theory_works_out_the_same_obligation_once_and_never_lends_an_answer(monkeypatch):
    theory = Theory(shapes={"d": (n,)}, bounds={"d": Bound(0)})
    worked = []
    monkeypatch.setattr("gnomon.proof.theory.follows", lambda theory, o: worked.append(o) or follows(theory, o))
    for v in dummies("i", "j"):
        assert theory.closes(Obligation(sp.Ge(n - v, 1), frozenset({sp.Le(v, n - 1)})))
    assert len(worked) == 1
    i, j = dummies("i", "j")
    assert not theory.closes(Obligation(sp.Ge(n - i, 1), frozenset({sp.Le(j, n - 1)})))
