"""What a verdict covers is read off what was drawn; what was not looked at is said with the reason."""

import dataclasses

import pytest
import sympy as sp
import toy

from gnomon.check.verdict import check
from gnomon.front.terminal import table
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Choice
from gnomon.say.evidence import in_ranges

times = sp.Symbol("times", integer=True)


def variance(x, scale="one"):
    return x.var()


def evidence(claim, **more):
    asked = {"device": "cpu", "dtypes": ["float64"], "budget": "quick", "seed": 0, **more}
    return check(claim, implementations={claim.subject: variance}, **asked)[0]


@pytest.fixture(scope="module")
def holds():
    return evidence(toy.VARIANCE, unread=lambda name, subject: {"scale": "no claim gives it"})


def test_what_was_drawn_and_compared_is_covered(holds):
    assert holds.verdict == "holds"
    assert holds.covered.sizes["n"] == (2, 3, 4, 1025)
    assert holds.covered.derivatives == ("first",)
    assert ("sizes", "n 2–4, 1025") in holds.covered.said()


def test_what_was_not_looked_at_has_a_reason(holds):
    missed = holds.covered.not_looked_at
    assert missed["sizes n above 1025"] == "none was drawn"
    assert missed["argument scale"] == "no claim gives it"
    assert {"NaN and infinities as inputs", "torch.compile", "CUDA"} <= missed.keys()
    assert missed["dtypes float32, bfloat16, float16"] == "not asked for with --dtype"


def test_an_inequality_says_why_no_gradient_was_compared():
    found = evidence(toy.BOUND, dtypes=["float64", "float32", "bfloat16", "float16"]).covered
    assert found.derivatives == ()
    assert found.not_looked_at["gradients"] == "an inequality has no derivative to compare with"
    assert not any(what.startswith("dtypes") for what in found.not_looked_at)


def test_a_label_that_was_not_drawn_is_named():
    many = Choice("scale", {str(number): {times: 1} for number in range(30)})
    program = Program(toy.VARIANCE.program.lets, (Output("out", times * toy.var),))
    found = evidence(dataclasses.replace(toy.VARIANCE, structure=(toy.n, many), program=program)).covered
    absent = [label for label in many.options if label not in found.choices["scale"]]
    assert absent
    assert found.not_looked_at[f"scale = {', '.join(absent)}"] == "not drawn in this run"


def test_the_terminal_says_both_shortly_and_all_of_it_when_asked(holds):
    data = holds.to_data()
    short = table([data], lambda text, _: text).splitlines()
    assert any(line.strip().startswith("covered: sizes n 2–4") for line in short)
    assert any(line.strip().startswith("not looked at: sizes n above 1025 · ") for line in short)
    whole = table([data], lambda text, _: text, verbose=True)
    assert all(f"not looked at: {what} ({why})" in whole for what, why in holds.covered.not_looked_at.items())


def test_what_no_claim_looked_at_is_said_once(holds):
    other = {**holds.to_data(), "claim": "another.claim"}
    lines = table([holds.to_data(), other], lambda text, _: text).splitlines()
    assert [line for line in lines if "torch.compile" in line] == [lines[-1]]


@pytest.mark.parametrize(
    ("values", "words"), [((1, 2, 3, 64), "1–3, 64"), ((5,), "5"), ((3, 1), "1, 3"), ((), ""), ((2, 2, 3), "2–3")]
)
def test_whole_numbers_as_ranges(values, words):
    assert in_ranges(values) == words
