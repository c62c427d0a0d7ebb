"""What a claim supposes is met by what is drawn for it: a law under a condition that nothing meets says nothing."""

import dataclasses

import pytest
import torch
from sympy import Eq

from gnomon.check.inputs import draw
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import check
from gnomon.compute.lower import bind
from gnomon.compute.supposed import suppose
from gnomon.find.walk import entries
from gnomon.say.claim import Claim
from gnomon.say.domain import Choice
from gnomon.say.evidence import Evidence
from gnomon.say.maker import ClaimMaker, claim

CLAIMS = [
    entry.claim
    for entry in entries().values()
    if isinstance(entry, ClaimMaker)
    and any(not condition.relation.is_Symbol for condition in entry.claim.written.conditions)
]


def examples(claim: Claim) -> list:
    """A few examples, and one for each option of each choice."""
    found = draw_examples(claim, 12, 0)
    for choice in (domain for domain in claim.structure if isinstance(domain, Choice)):
        for option in choice.options:
            found.append(dataclasses.replace(found[0], structure={**found[0].structure, choice.name: option}))
    return found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_is_drawn_meets_what_is_supposed(claim):
    for example in examples(claim):
        generator = torch.Generator().manual_seed(example.seed)
        numbers = bind(claim.structure, example.structure)
        batch = draw(claim.inputs, numbers, example.host, 288, torch.float64, generator)
        supposed = suppose(claim, example.structure)
        for name, met in supposed.met(batch).items():
            every = supposed.gaps[name][0] is Eq  # an inequality may be broken where inputs are degenerate
            assert met.all() if every else met.float().mean() > 0.5, (name, example.structure)


@claim("toy.supposed", "1.1", "toy.square")
def supposed(c):
    """The square of a number of the unit interval."""
    x = c.real("x", low=0.0, high=1.0)
    c.condition(x > 2, name="large")
    y = c.let("y", (), x * x)
    c.law(y, x**2)
    c.call(x).shows(y)
    c.variant("cube", "known bug", y=x**3)


def square(x):
    return x * x


def judged(claim: Claim) -> Evidence:
    more = {"implementations": {"toy.square": square}, "device": "cpu", "dtypes": ["float64"]}
    return check(claim, **more, budget="quick", seed=0)[0]


def test_a_condition_that_nothing_meets_leaves_a_claim_undecided():
    evidence = judged(supposed.claim)
    assert evidence.search.conditions == {"large": 0}
    assert evidence.verdict == "undecided"
    assert "“large”" in evidence.reason


def test_what_is_met_is_counted():
    x = supposed.claim.inputs[0].symbol
    below = dataclasses.replace(supposed.claim.written.conditions[0], relation=x < 2)
    written = dataclasses.replace(supposed.claim.written, conditions=(below,))
    evidence = judged(dataclasses.replace(supposed.claim, written=written))
    assert evidence.verdict == "holds"
    assert evidence.search.conditions == {"large": evidence.search.points}


def test_a_condition_that_is_decided_is_none():
    @claim("toy.decided", "1.1", "toy.square")
    def decided(c):
        """A square is nonnegative."""
        x = c.real("x")
        c.condition(x**2 < 0, name="never")

    with pytest.raises(ValueError, match=r"condition never: .* decided"):
        _ = decided.claim
