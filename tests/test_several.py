"""Several implementations of one claim: each is verified, and the variants are rejected once, for all of them."""

import dataclasses

import pytest
import torch
import toy

from gnomon.check import verdict
from gnomon.find.subjects import alternatives
from gnomon.run.executor import TaskDied
from gnomon.run.resume import finished
from gnomon.run.runner import Plan, lost_evidence, missing, run_record
from gnomon.say.claim import Variant
from gnomon.say.errors import UsageError
from gnomon.say.evidence import append

ROW = {"id": "toy.variance", "subject": "toy.variance"}
BOTH = Plan({"toy.variance": ("a.py:var", "b.py:var")}, dtypes=("float64",))


def checked(claim, *subjects):
    return verdict.check(
        claim, implementations={claim.subject: subjects}, device="cpu", dtypes=["float64"], budget="quick", seed=0
    )


def test_variants_are_rejected_once_and_each_implementation_is_verified(monkeypatch):
    calls, rejections = [], verdict.rejections
    monkeypatch.setattr(verdict, "rejections", lambda *given: calls.append(given) or rejections(*given))
    right, wrong = checked(toy.VARIANCE, torch.var, lambda x: torch.var(x, correction=0))
    assert (right.verdict, wrong.verdict, wrong.variant) == ("holds", "fails", "biased")
    assert len(calls) == 1
    assert [variant.rejected for variant in right.variants] == [True, True]


def test_a_variant_that_is_not_rejected_leaves_all_of_them_undecided():
    same = Variant("no change", "test", replace=((toy.mean, toy.total(toy.x[toy.j]) / toy.N),))
    found = checked(dataclasses.replace(toy.VARIANCE, variants=(same,)), torch.var, lambda x: x.var())
    assert [one.verdict for one in found] == ["undecided", "undecided"]


def test_nothing_given_is_a_usage_error():
    with pytest.raises(UsageError, match="an empty list"):
        alternatives(())


def test_a_task_that_is_lost_or_cut_is_missed_for_each_implementation(tmp_path):
    records = lost_evidence(BOTH)(ROW, TaskDied("died"))
    assert [record["implementation"] for record in records] == ["a.py:var", "b.py:var"]
    assert missing(records, [ROW], BOTH) == []
    assert missing(records[:1], [ROW], BOTH) == ["toy.variance in float64"]
    head = run_record("gnomon verify", BOTH)
    for count, whole in ((1, []), (2, ["toy.variance"])):
        path = tmp_path / f"{count}.jsonl"
        append(path, [head, *records[:count]])
        assert list(finished(path, head, BOTH.dtypes)) == whole
