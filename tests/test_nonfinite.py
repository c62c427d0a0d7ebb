"""What is not a number never excuses itself: only the program's own overflow, or the like, excuses a point."""

import dataclasses

import pytest
import sympy as sp
import torch
import toy

from gnomon.check.verdict import check
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import compile_claim
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
