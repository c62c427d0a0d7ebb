"""The grades of low precision: sums in float32, and sums in the format of 16 bits itself."""

import dataclasses

import pytest
import sympy as sp
import torch
from toy import VARIANCE, j, total, x

import gnomon
from gnomon.check.grade import FINE, OWN
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import judge, prepare
from gnomon.say.claim import Output, Program, Variant
from gnomon.say.errors import UsageError
from gnomon.say.evidence import Evidence

whole = sp.Symbol("whole", real=True)
SUM = dataclasses.replace(
    VARIANCE,
    program=Program(((whole, total(x[j])),), (Output("out", whole),)),
    variants=(Variant("twice", "known bug", replace=((whole, 2 * total(x[j])),)),),
)


def in_float32(x):
    return x.sum(-1)


def one_by_one(x):
    """Each term added in the dtype itself."""
    out = torch.zeros_like(x[..., 0])
    for term in x.unbind(-1):
        out = out + term
    return out


def looked_at(subject, dtype="bfloat16", grade="any"):
    task = prepare(SUM, subject, "here", dtype, "cpu", grade=grade)
    blank = Evidence(SUM.id, SUM.subject, "here", "cpu", dtype, "undecided")
    return judge(task, draw_examples(SUM, 4, 0), "quick", blank)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_grade_that_is_reached_is_named(dtype):
    fine, coarse = looked_at(in_float32, dtype), looked_at(one_by_one, dtype)
    assert (fine.verdict, fine.search.grade) == ("holds", FINE)
    assert fine.gradient.grade == ""  # the slopes of a sum are 1: nothing is added up
    assert (coarse.verdict, coarse.search.grade) == ("holds", OWN)
    assert OWN in str(coarse)
    assert FINE not in str(coarse)


def test_the_finer_grade_can_be_asked_for():
    assert looked_at(in_float32, grade="float32").verdict == "holds"
    failing = looked_at(one_by_one, grade="float32")
    assert failing.verdict == "fails"
    assert "grade='float32'" in failing.counterexample.code


def test_float32_adds_up_in_itself_and_what_adds_nothing_up_has_no_grade():
    single = looked_at(one_by_one, "float32", grade="float32")
    assert (single.verdict, single.search.grade) == ("holds", "")
    assert gnomon.verify("flow.planar", dtype="float64", proofs=False)[0].search.grade == ""


def test_a_grade_that_there_is_not_is_a_usage_error():
    with pytest.raises(UsageError, match="any or float32"):
        gnomon.verify("backprop.mse", grade="float16")
