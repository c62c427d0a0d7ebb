"""Where the routes meet: every claim is proved, its variants are rejected, and the model holds in every dtype."""

import pytest

from gnomon.check.proof_record import proof_record
from gnomon.check.verdict import DTYPES, check
from gnomon.find.subjects import drivers
from gnomon.find.walk import claims, models

CLAIMS = claims()
IDS = [claim.id for claim in CLAIMS]


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_a_claim_is_proved(claim):
    proof = proof_record(claim)
    failed = [f"{step['rule']}: {step['why']} {step['message']}" for step in proof["steps"] if not step["ok"]]
    assert proof["ok"], failed
    assert proof["steps"] or proof["label"] == "tested"


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_the_reference_model_holds_and_every_variant_is_rejected(claim):
    found = list(check(claim, implementations={}, device="cpu", dtypes=list(DTYPES), budget="quick", seed=0))
    for evidence in found:
        assert evidence.verdict == "holds", str(evidence)
        assert evidence.search.comparisons > 0
    assert all(variant.rejected for variant in found[0].variants)


def test_every_claim_is_about_a_model_that_exists():
    known = set(models())
    assert {claim.subject for claim in CLAIMS} <= known


def test_every_driver_is_what_some_claim_is_driven_by():
    assert set(drivers()) == {claim.driver for claim in claims() if claim.call is None}
