"""Every option that pooling's claims draw can matter; the helper is seen to find one that cannot."""

import dataclasses

import pytest
import sympy as sp
import toy
from choices import idle

from gnomon.find.walk import claims_in
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Choice

CLAIMS = [
    claim
    for module in ("convolution.pool", "convolution.pool_planes", "convolution.pool_translation")
    for claim in claims_in(module)
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_option_of_pooling_changes_what_is_shown(claim):
    assert idle(claim) == []


def test_an_option_that_changes_nothing_is_found():
    loud, quiet = sp.symbols("loud quiet", integer=True)
    choices = (
        Choice("heard", {"no": {loud: 1}, "yes": {loud: 2}}),
        Choice("unheard", {"no": {quiet: 0}, "yes": {quiet: 1}}),
    )
    program = Program(toy.VARIANCE.program.lets, (Output("out", loud * toy.var + quiet * (toy.mean - toy.mean)),))
    claim = dataclasses.replace(toy.VARIANCE, structure=(toy.n, *choices), program=program)
    assert idle(claim) == ["unheard=no", "unheard=yes"]
