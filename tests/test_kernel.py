"""Hard claims of equality, proved on the kernel for every size; what is wrong is refused with their proofs."""

from __future__ import annotations

import hard_claims
import pytest

from gnomon.proof.terms import mentioned, name_of
from gnomon.proof.theorem import Refused, genuine

BUILT = {build.__name__: build() for build in hard_claims.CLAIMS}
QUICK = ("attention", "batch_norm", "memory")
WRONG = {"twice": lambda e: 2 * e, "one more": lambda e: e + 1, "minus": lambda e: -e}


@pytest.mark.parametrize("name", BUILT)
def test_the_goal_is_led_to_true_for_every_size(name):
    theorem = BUILT[name].shown()
    assert not theorem.left
    assert not theorem.hyps
    assert not theorem.cites
    assert all(genuine(one) for one in theorem.lineage())


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", QUICK)
def test_a_false_law_is_refused(name, what):
    with pytest.raises(Refused):
        BUILT[name].shown(WRONG[what])


@pytest.mark.parametrize("name", QUICK)
def test_another_claims_proof_is_refused(name):
    for other in set(QUICK) - {name}:
        with pytest.raises((Refused, KeyError)):
            BUILT[name].shown(proof=BUILT[other].proof)


def _variants():
    found = []
    for name in ("batch_norm", "memory"):
        claim, theory = BUILT[name], BUILT[name].theory()
        shown = [root for root in theory.definitions if root in mentioned(claim.entry)]
        seen = set(shown).union(*[theory.reach(root) for root in shown])
        for variant in claim.variants:
            if seen & {name_of(lhs) for lhs, _ in variant.replace}:  # others touch another output
                found.append(pytest.param(claim, variant, id=f"{name}: {variant.name}"))
    return found


@pytest.mark.parametrize(("claim", "variant"), _variants())
def test_a_variants_program_in_the_programs_place_is_refused(claim, variant):
    new = {name_of(lhs): (lhs, rhs) for lhs, rhs in variant.replace}
    known = {name_of(lhs) for lhs, _ in claim.program}
    program = [pair for key, pair in new.items() if key not in known]
    program += [new.get(name_of(lhs), (lhs, rhs)) for lhs, rhs in claim.program]
    with pytest.raises(Refused):
        claim.shown(program=program)
