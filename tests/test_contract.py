"""The contract: what was looked at and what was not is said, and a refusal is no failure."""

from torch import Tensor

from gnomon.check.contract.part import Part
from gnomon.check.contract.parts import PARTS
from gnomon.check.strategies import draw_examples
from gnomon.check.task import BUDGETS
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.find.subjects import resolve
from gnomon.find.walk import claims
from gnomon.reference import gan
from gnomon.say.evidence import Evidence


def evidence_of(name, implementation=None, dtype="float64"):
    """What the quick budget finds of a claim."""
    (claim,) = (claim for claim in claims() if claim.id == name)
    subject = resolve(claim.subject, {})[0] if implementation is None else implementation
    task = prepare(claim, subject, "given", dtype, "cpu")
    examples = draw_examples(claim, BUDGETS["quick"].structures, seed_for(claim, 0))
    return judge(task, examples, "quick", Evidence(claim.id, claim.subject, "given", "cpu", dtype, "undecided"))


def kl_of_vectors(p: Tensor, q: Tensor) -> Tensor:
    if p.dim() > 1 or q.dim() > 1:
        raise ValueError("expected vectors")
    return gan.kl(p, q)


def test_every_part_was_looked_at_or_says_why_not():
    for name in ("gan.kl_nonneg.value", "resnet.block", "optim.adam.update", "conv.output_size"):
        search = evidence_of(name).search
        said = search.contract.keys() | search.contract_unseen.keys()
        assert said - {"plain calls"} <= {part.name for part in PARTS}
        assert {part.name for part in PARTS if type(part).concerns is Part.concerns} <= said
        assert not search.contract.keys() & search.contract_unseen.keys()
        assert all(search.contract_unseen.values())


def test_what_a_subject_refuses_is_not_looked_at_and_no_failure():
    name = "a leading batch axis"
    found = evidence_of("gan.kl_nonneg.value", kl_of_vectors)
    assert found.verdict == "holds"
    assert name in evidence_of("gan.kl_nonneg.value").search.contract
    assert "expected vectors" in found.search.contract_unseen[name]


def test_a_mode_that_the_reference_model_heeds_is_not_compared():
    search = evidence_of("bn.transform").search
    assert search.contract_unseen["training and evaluation"] == "the mode matters, and the claim says which it is"
