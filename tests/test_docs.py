"""What the documentation shows is run as it stands."""

import re
from pathlib import Path

import torch

from gnomon.check.verdict import check
from gnomon.link.audit import audit
from gnomon.link.proved import proved

DOCS = Path(__file__).resolve().parents[1] / "docs"


def snippet(page: str) -> str:
    """The Python of a page, all of its blocks together."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    return "\n".join(blocks)


def test_the_claim_of_add_a_claim_is_proved_audited_and_checked():
    names: dict = {"__name__": "a_users_file"}
    exec(compile(snippet("add-a-claim.md"), "add-a-claim.md", "exec"), names)
    maker = names["variance"]
    assert str(proved(maker.claim)) == "proved for every n"
    assert not [str(mutant) for mutant in audit(maker) if not (mutant.refused or mutant.equal)]

    def verdicts(subject):
        given = {"stats.variance": subject}
        options = {"device": "cpu", "dtypes": ["float64", "float32"], "budget": "quick", "seed": 0}
        return [evidence.verdict for evidence in check(maker.claim, implementations=given, **options)]

    masked = names["masked_softmax"]
    assert str(proved(masked.claim)) == "proved for every m"
    given = {masked.subject: lambda s, keep: torch.softmax(s.masked_fill(~keep, -torch.inf), -1)}
    (found,) = check(masked.claim, implementations=given, device="cpu", dtypes=["float32"], budget="quick", seed=0)
    assert found.verdict == "holds"
    assert all(variant.rejected for variant in found.variants)

    assert verdicts(torch.var) == ["holds", "holds"]
    assert verdicts(lambda x: torch.var(x, correction=0)) == ["fails", "fails"]
