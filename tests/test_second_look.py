"""What a second look refutes, and that a theorem is data."""

from __future__ import annotations

import json

import hard_claims
import pytest
import sympy as sp
from attacks import X, g, i, j, k, m, n, p, t, x, y
from sympy import Abs, Eq, KroneckerDelta, Piecewise, Sum, atan, floor, log, sqrt, tanh

from gnomon.proof import equality
from gnomon.proof.bench import Bench
from gnomon.proof.definitions import Definition
from gnomon.proof.export import exported, read
from gnomon.proof.goals import Goal
from gnomon.proof.indexed import opaque
from gnomon.proof.second_look import second_look
from gnomon.proof.signs import Bound
from gnomon.proof.terms import within
from gnomon.proof.theorem import made
from gnomon.proof.theory import Theory


def false(lhs, rhs, rel="=", given=frozenset(), theory=None, rule="normal form"):
    """A theorem that no rule makes, as if one had a mistake."""
    return made(theory or Theory(), rule, sp.sympify(lhs), rel, sp.sympify(rhs), given=given)


@pytest.mark.parametrize(
    "theorem",
    [
        false(sp.sinh(log(x**2) / 2), (x - 1 / x) / 2),
        false(Piecewise((0, Eq(g, 0)), (g * log(g), True)), Piecewise((7, Eq(g, 0)), (g * log(g), True))),
        false(log(x**2), 2 * log(x)),
        false(sqrt(x**2 - 2 * x + 1), x - 1),
        false(Piecewise((1, x > 1000), (0, True)), 0),
        false(atan(1 / (x - 100)) + atan(x - 100), sp.pi / 2),
        false(1 / (x - 100) - 1 / (x - 100 + 0 * y), Piecewise((0, Eq(x, 100)), (0, True), evaluate=False) + 1),
        false(
            Sum(1, (k, 3, sp.Symbol("s", integer=True, nonnegative=True))),
            sp.Symbol("s", integer=True, nonnegative=True) - 2,
        ),
        false(Sum(X[k], (k, 0, n - 1)), Sum(X[k], (k, 0, n - 1)) + floor(n / 12)),
        false(Sum(KroneckerDelta(i, j) * X[j], (j, 0, n - 1)), X[i]),
        false(x**2 + p, x**2, "<="),
        false(Abs(x), x, "<=", rule="general"),
        false(x**2, x**2, "<", rule="general"),
        false(sp.Derivative(Abs(x) * x, x), 2 * x, rule="derivative"),
        false(sp.Derivative(tanh(x), x), 1 - tanh(x), rule="derivative"),
    ],
    ids=str,
)
def test_is_refuted(theorem):
    assert second_look(theorem, 2.0).refuted


def test_definitions_are_worked_out_for_the_theorem_itself():
    counted = Definition(
        m[t], Piecewise((0, Eq(t, 10)), (Piecewise((0, Eq(t, 0)), (m[t - 1] + 1, True)), True)), ((t, 0, 12),)
    )
    theory = Theory([counted])
    wrong = false(m[t], t, given=within((t, 0, 12)), theory=theory, rule="general")
    assert second_look(wrong, 2.0).refuted
    right = false(m[t], t, given=within((t, 0, 9)), theory=theory, rule="general")
    found = second_look(right)
    assert found.points
    assert not found.refuted


def test_cases_are_no_computation():
    nothing = Definition(m[t], t - t, ((t, 0, 12),))
    theory = Theory([nothing])
    bench = Bench(theory, Goal(Piecewise((m[t], x > 0), (0, True)), "=", sp.S.Zero, within((t, 0, 12)), frozenset({t})))
    bench.cases(x > 0, yes=lambda b: b.left.unfold(m))
    assert not second_look(bench.done(), 2.0).refuted


def test_what_is_supposed_holds_at_every_point():
    theory = Theory(bounds={"x": Bound(0, 1)}, facts=[sp.Ge(y, x)])
    assert not second_look(false(x, 1, "<=", theory=theory, rule="general")).refuted
    assert not second_look(false(x**2, y + 1, "<=", theory=theory, rule="general")).refuted
    assert not second_look(false(1 / x, 1 / x + 0 * y, given=frozenset({sp.Gt(x, 0)}), theory=theory)).refuted
    nothing = second_look(false(x, 2 * x, given=frozenset({sp.Gt(x, 2)}), theory=theory))
    assert nothing.least == 0


def test_a_recursion_of_too_many_turns_is_not_looked_at(monkeypatch):
    def deep(point, e):
        raise RecursionError

    monkeypatch.setattr("gnomon.proof.second_look._value", deep)
    found = second_look(equality.normal(Theory(), x + x, 2 * x), seconds=0.01)
    assert not found.points
    assert not found.refuted


def test_entries_keep_within_bounds_whenever_they_are_asked_for():
    chance, top, below = sp.IndexedBase("d", positive=True), sp.Symbol("top", integer=True, positive=True), X[k] - 1
    inside = Bound(0, 1, open_low=True, open_high=True)
    theory = Theory(shapes={"d": (n,)}, bounds={"d": inside})
    odds = (1 - chance[k]) / chance[k]
    sums = [Sum(log(1 - d), (k, 0, n - 1)) for d in (chance[k], 1 / (odds + 1))]
    assert not second_look(false(*sums, theory=theory), 2.0).refuted
    theory = Theory(shapes={"X": (n,)}, bounds={"X": Bound(0, top)})
    assert not second_look(false(Sum(below, (k, 0, n - 1)), n * (top - 1), "<=", theory=theory, rule="general")).refuted


def test_a_supposition_on_a_definition_speaks_of_its_formula():
    gap = sp.Symbol("gap", real=True)
    theory = Theory([Definition(gap, x - y, ())], facts=[sp.Gt(gap, 0)])
    right = second_look(false((x**2 - y**2) / (x - y), x + y, theory=theory))
    assert right.points
    assert not right.refuted
    assert second_look(false(Abs(x - y), y - x, theory=theory), 2.0).refuted


@pytest.mark.parametrize("name", ["attention", "batch_norm", "memory"])
def test_nothing_is_refuted_of_what_is_proved(name):
    found = second_look(getattr(hard_claims, name)().shown())
    assert not found.refuted
    assert found.least > 0


@pytest.mark.parametrize("name", ["attention", "memory"])
def test_a_theorem_is_data(name):
    theorem = getattr(hard_claims, name)().shown()
    data = exported(theorem)
    assert json.loads(json.dumps(data)) == data
    last = data["steps"][data["theorem"]]
    assert last["rule"] == "general"
    assert all(premise < number for number, step in enumerate(data["steps"]) for premise in step["premises"])
    assert set(data["definitions"]) == set(theorem.uses)
    if not data["functions"]:
        assert read(last["lhs"]) == theorem.lhs
        assert {read(fact) for fact in last["given"]} == theorem.given


def test_what_is_assumed_of_functions_is_in_the_data():
    sigma, slope, _ = opaque("sigma")
    data = exported(equality.normal(Theory(), sigma(x) + slope(x), slope(x) + sigma(x) + 0 * y))
    assert data["functions"] == {
        "dsigma": {"family": "sigma", "order": 1, "real": True},
        "sigma": {"family": "sigma", "order": 0, "real": True},
    }
    (step,) = data["steps"]
    assert "differentiable" in step["left"][0]["claim"]
