"""Several implementations of one claim: each is verified, and the variants are rejected once, for all of them."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import toy

from gnomon.check import verdict
from gnomon.find.subjects import alternatives
from gnomon.run.executor import TaskDied
from gnomon.run.resume import finished
from gnomon.run.runner import Plan, lost_evidence, missing, one_by_one, run, run_record
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


def test_one_that_crashes_does_not_lose_the_others():
    """The task is run again in parts, one for each implementation."""
    tried = []

    def checked_or_dead(claim, module, plan):
        places = alternatives(plan.implementations["toy.variance"])
        tried.append(places)
        if "a.py:var" in places:
            raise TaskDied("died")
        return [{"implementation": places[0], "verdict": "holds"}]

    row = ROW | {"module": "toy"}
    with ThreadPoolExecutor(1) as executor:
        found = list(run([row], checked_or_dead, (BOTH,), executor, None, lost_evidence(BOTH), one_by_one(BOTH)))
    records = {each["implementation"]: each["verdict"] for _, part in found for each in part}
    assert records == {"a.py:var": "fails", "b.py:var": "holds"}
    assert tried == [["a.py:var", "b.py:var"], ["a.py:var"], ["b.py:var"]]
    alone = Plan({"toy.variance": "a.py:var"}, dtypes=("float64",))
    assert one_by_one(alone)(row) == one_by_one(Plan({}))(row) == []
