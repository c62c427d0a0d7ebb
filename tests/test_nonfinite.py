"""What is not a number never excuses itself: only the program's own overflow, or the like, excuses a point."""

import dataclasses

import pytest
import sympy as sp
import torch
import toy

from gnomon.check.verdict import check
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import compile_claim, compile_gradient
from gnomon.say.claim import Output, Program, Relation

CPU = torch.device("cpu")
out = sp.Symbol("out")
BOUND = toy.total(toy.x[toy.j] ** 2)
RELATIONS = {
    "bare": Relation(out, "<=", BOUND),
    "scaled": Relation(2 * out, "<=", 2 * BOUND),
    "from below": Relation(2 * out, ">=", 0),
    "divided": Relation(1 / (1 + out), "<=", 1),
    "root": Relation(sp.sqrt(1 + out), "<=", 1 + BOUND),
    "log": Relation(sp.log(1 + out), "<=", BOUND),
    "branch": Relation(sp.Piecewise((out, out > 0), (0, True)), "<=", BOUND),
    "not looked at": Relation(toy.x[0], "<=", toy.x[0]),
}


def variance(relation=None, program=None):
    return dataclasses.replace(toy.BOUND, relation=relation, program=program or toy.VARIANCE.program)


def judged(claim, observed, x=(1.0, 3.0), dtype=torch.float64):
    batch = Batch({"x": torch.tensor([x], dtype=torch.float64)}, {}, (("given", 1),), 1)
    observed = torch.tensor([[observed]], dtype=torch.float64)
    return compile_claim(claim, {"n": 2}).judge(batch, observed, dtype, CPU)


@pytest.mark.parametrize("relation", [None, *RELATIONS.values()], ids=["equality", *RELATIONS])
@pytest.mark.parametrize("observed", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_fails_where_the_program_is_finite(relation, observed):
    claim = variance(relation)
    judgement = judged(claim, observed)
    assert bool(judgement.fails.all()), judgement
    assert not bool(judgement.excused.any()), judgement
    assert not bool(judged(claim, 2.0).fails.any())


@pytest.mark.parametrize("relation", [None, *RELATIONS.values()], ids=["equality", *RELATIONS])
def test_it_is_excused_where_the_program_itself_must_overflow(relation):
    wide = Program(((toy.var, sp.exp(toy.x[0])),), (Output("out", toy.var),))
    assert not bool(judged(variance(relation, wide), torch.inf, (400.0, 0.0), torch.float32).fails.any())


def test_a_number_for_which_a_side_has_no_value_fails():
    for name in ("divided", "root", "log"):
        judgement = judged(variance(RELATIONS[name]), -1.0 if name != "root" else -2.0)
        assert bool(judgement.fails.all()), name


@pytest.mark.parametrize("name", RELATIONS)
@pytest.mark.parametrize("wrong", [lambda x: x.var() / (x[0] != x[1]), lambda x: x.var() * torch.inf])
def test_the_verdict_on_a_subject_that_shows_nan_is_range(name, wrong):
    claim = variance(RELATIONS[name])
    claim = dataclasses.replace(claim, variants=claim.variants[:1])
    (evidence,) = check(
        claim, implementations={claim.subject: wrong}, device="cpu", dtypes=["float64"], budget="quick", seed=0
    )
    assert (evidence.verdict, evidence.failure) == ("fails", "range"), evidence


def test_the_verdict_on_a_number_for_which_a_side_has_no_value_is_a_wrong_formula():
    claim = variance(RELATIONS["log"])
    (evidence,) = check(
        claim,
        implementations={claim.subject: lambda x: x.var() - 3},
        device="cpu",
        dtypes=["float64"],
        budget="quick",
        seed=0,
    )
    assert (evidence.verdict, evidence.failure) == ("fails", "wrong formula"), evidence


x0 = toy.x[0]
UNTAKEN = {
    "divided": (sp.Piecewise((1 / x0, x0 > 1), (3 * x0, True)), 0.0, 0.0, 3.0),
    "logarithm": (sp.Piecewise((3 * x0, x0 <= 0), (x0 * sp.log(x0), True)), -1.0, -3.0, 3.0),
    "overflow": (sp.Piecewise((x0**2, x0 > 0), (sp.exp(x0) ** 2 - 1, True)), 100.0, 1e4, 200.0),
    "root": (sp.Piecewise((2 * x0, x0 <= 1), (sp.sqrt(x0) + 1, True)), 0.0, 0.0, 2.0),
    "within a branch": (
        sp.Piecewise((x0, x0 > 4), (sp.Piecewise((1 / x0, x0 > 3), (3 * x0, True), evaluate=False), True)),
        0.0, 0.0, 3.0,
    ),
    "in two branches": (
        sp.Piecewise((1 / x0, x0 > 1), (x0, True)) + sp.Piecewise((1 / x0, x0 > 2), (2 * x0, True)), 0.0, 0.0, 3.0
    ),
    "where two are equal": (sp.Piecewise((sp.sqrt(x0), sp.Eq(x0, 1)), (3 * x0, True)), 0.0, 0.0, 3.0),
    "below a maximum": (3 * x0 + sp.Max(1, sp.sqrt(x0)), 0.0, 1.0, 3.0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("formula", "x", "value", "slope"), UNTAKEN.values(), ids=UNTAKEN)
def test_a_branch_that_is_not_taken_excuses_nothing(formula, x, value, slope, dtype):
    """Neither the value, nor the gradient, which a sloppy subject multiplies by 0 times infinity."""
    compiled = compile_claim(variance(program=Program(((toy.var, formula),), (Output("out", toy.var),))), {"n": 1})
    batch = Batch({"x": torch.tensor([[x]], dtype=torch.float64)}, {}, (("given", 1),), 1)
    one = torch.ones(1, 1, dtype=torch.float64)
    for (found, bound), known in (
        (compiled.truth(batch, dtype, CPU), value),
        (compile_gradient(compiled).truth(batch, one, dtype, CPU), slope),
    ):
        assert found.item() == known
        assert bound.isfinite().all()
    assert compile_gradient(compiled).enclosure(batch, one[0], 0) == slope


@pytest.mark.parametrize("condition", [sp.exp(x0) > 1, sp.Eq(x0, 0), x0 <= 0])
def test_a_branch_that_may_be_taken_beside_the_point_excuses_the_gradient(condition):
    """At a tie one branch gives the value, and the other has a say in the slope: 0 log 0 has none."""
    near = sp.Piecewise((3 * x0, condition), (x0 * sp.log(x0), True))
    compiled = compile_claim(variance(program=Program(((toy.var, near),), (Output("out", toy.var),))), {"n": 1})
    batch = Batch({"x": torch.zeros(1, 1, dtype=torch.float64)}, {}, (("given", 1),), 1)
    one = torch.ones(1, 1, dtype=torch.float64)
    assert compile_gradient(compiled).truth(batch, one, torch.float32, CPU)[1].isinf().all()
    assert compiled.truth(batch, torch.float32, CPU)[1].isinf().item() == (condition == (sp.exp(x0) > 1))
