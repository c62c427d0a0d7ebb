"""The vocabulary refuses what would not mean what it seems to."""

import dataclasses

import pytest
import sympy as sp
from toy import VARIANCE, mean, x

from gnomon.say.claim import Output, Program, Variant
from gnomon.say.domain import real


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "Toy"}, "ledger row's id"),
        ({"kind": "truth"}, "is none of equality"),
        ({"subject": "toy"}, "<file in reference/>"),
        ({"variants": ()}, "a check never seen to fail proves nothing"),
        ({"inputs": VARIANCE.inputs * 2}, "two domains share a name"),
        ({"program": Program(((x, sp.Integer(1)), (mean, x[0])), (Output("out", mean),))}, "an input and a definition"),
        ({"inputs": (*VARIANCE.inputs, real("j"))}, "an input and an index"),
    ],
)
def test_a_claim_that_makes_no_sense_says_why(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(VARIANCE, **changes)


def test_programs_and_variants_that_say_nothing_are_refused():
    with pytest.raises(ValueError, match="defined twice: mean"):
        Program(((mean, sp.Integer(0)), (mean, sp.Integer(1))), (Output("out", mean),))
    with pytest.raises(ValueError, match="at least one Output"):
        Program(((mean, sp.Integer(0)),), ())
    with pytest.raises(ValueError, match="changes nothing"):
        Variant("the same", "nobody")
    with pytest.raises(ValueError, match="the program defines mean, var"):
        VARIANCE.program.replace(((sp.Symbol("other"), sp.Integer(1)),))
