"""Records put together claim by claim, and counted: a claim gets no better word than its worst check."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gnomon.say.evidence import Evidence, ProofRecord, Record, Rejection, Run, Truncated, VariantRecord

VERDICTS = ("holds", "fails", "not callable here", "undecided", "not run")
UNPROVED = "not proved"
LABELS = {
    "definition": "definition",
    "proved": "proved for every size",
    "proved for": "proved for the sizes named",
    "citing": "proved, citing a theorem",
    "tested": "tested only",
    "unlinked": "steps checked, not linked to the law",
}
"""A proof's label in the page's words."""

TRUST = (*LABELS.values(), UNPROVED)
WEAK = (LABELS["tested"], LABELS["unlinked"], UNPROVED)


def verdict_of(evidence: Evidence) -> str:
    """The verdict on one check: a gradient that fails is a failure, and nothing compared is undecided."""
    if evidence.verdict == "fails" or (evidence.gradient and evidence.gradient.verdict == "fails"):
        return "fails"
    if evidence.verdict == "not callable here":
        return evidence.verdict
    if evidence.verdict == "undecided" or evidence.search.comparisons == 0:
        return "undecided"
    return "holds"


def failure_of(evidence: Evidence) -> str:
    """The class of a failure."""
    return evidence.failure or ("wrong gradient" if evidence.verdict != "fails" else "unclassified")


@dataclass(frozen=True)
class VariantView:
    """A variant of a claim: its formula, from the proof, and how each check treated it."""

    name: str
    source: str
    printed: bool
    formula: VariantRecord | None
    outcomes: tuple[tuple[Evidence, Rejection], ...]

    @property
    def rejected(self) -> bool:
        return any(outcome.rejected for _, outcome in self.outcomes)

    @property
    def inseparable(self) -> tuple[str, ...]:
        return tuple(sorted({name for _, outcome in self.outcomes for name in outcome.inseparable}))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why checks could not try it at all."""
        return tuple(sorted({outcome.reason for _, outcome in self.outcomes if outcome.reason}))

    @property
    def best(self) -> tuple[Evidence, Rejection] | None:
        """The check that saw the difference on the fewest numbers."""
        seen = [pair for pair in self.outcomes if pair[1].rejected and pair[1].counterexample]
        return min(seen, key=lambda pair: _size(pair[1].counterexample.inputs), default=None)  # type: ignore[union-attr]


@dataclass(frozen=True)
class Claim:
    """A claim with its proof, where the files hold one, and all the evidence on it."""

    id: str
    proof: ProofRecord | None
    evidence: tuple[Evidence, ...]

    @property
    def title(self) -> str:
        return (self.proof.title if self.proof else "") or self.id

    @property
    def section(self) -> str:
        return self.proof.section if self.proof else ""

    @property
    def kind(self) -> str:
        return self.proof.kind if self.proof else ""

    @property
    def subject(self) -> str:
        return (self.proof.subject if self.proof else "") or next((e.subject for e in self.evidence), "")

    @property
    def verdict(self) -> str:
        """Fails where one check fails; holds only where there are checks and each of them holds."""
        seen = {verdict_of(evidence) for evidence in self.evidence}
        return next((word for word in ("fails", "not callable here", "undecided", "holds") if word in seen), "not run")

    @property
    def trust(self) -> str:
        """What was shown: never more than the proof in these files shows."""
        if self.proof is None or not self.proof.ok:
            return UNPROVED
        return LABELS.get(self.proof.label, UNPROVED)

    @property
    def share(self) -> float | None:
        """The worst error of any check, in a value or in a gradient, as a share of its budget."""
        known = [evidence.worst.share for evidence in self.evidence]
        known += [evidence.gradient.share for evidence in self.evidence if evidence.gradient]
        shares = [share for share in known if share is not None]
        return max(shares, key=lambda share: (share != share, share), default=None)  # not a number is worst

    @property
    def variants(self) -> tuple[VariantView, ...]:
        formulas = {variant.name: variant for variant in (self.proof.variants if self.proof else ())}
        outcomes: dict[str, list[tuple[Evidence, Rejection]]] = {name: [] for name in formulas}
        for evidence in self.evidence:
            for outcome in evidence.variants:
                outcomes.setdefault(outcome.name, []).append((evidence, outcome))
        views = []
        for name, found in outcomes.items():
            known: VariantRecord | Rejection = formulas[name] if name in formulas else found[0][1]
            views.append(VariantView(name, known.source, known.printed, formulas.get(name), tuple(found)))
        return tuple(views)


@dataclass(frozen=True)
class Report:
    """All that a page says."""

    runs: tuple[Run, ...]
    claims: tuple[Claim, ...]
    cut: tuple[Truncated, ...]

    @property
    def checks(self) -> tuple[Evidence, ...]:
        return tuple(evidence for claim in self.claims for evidence in claim.evidence)

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(claim.verdict for claim in self.claims)

    @property
    def trusts(self) -> Counter[str]:
        return Counter(claim.trust for claim in self.claims)

    @property
    def excused(self) -> float | None:
        """The share of all entries looked at that could not be judged."""
        looked = left = 0.0
        for search in (evidence.search for evidence in self.checks):
            entries = search.comparisons / (1 - search.excused) if search.excused < 1 else float(search.points)
            looked += entries
            left += entries * search.excused
        return left / looked if looked else None

    @property
    def leaning(self) -> tuple[int, int]:
        """How many proofs cite a theorem, and how many need a lift: what no machine checks."""
        proofs = [claim.proof for claim in self.claims if claim.proof and claim.proof.ok]
        return sum(any(step.cited for step in proof.steps) for proof in proofs), sum(bool(p.lift) for p in proofs)

    @property
    def variants(self) -> tuple[tuple[Claim, VariantView], ...]:
        return tuple((claim, variant) for claim in self.claims for variant in claim.variants)

    @property
    def errata(self) -> tuple[tuple[Claim, VariantView], ...]:
        return tuple((claim, variant) for claim, variant in self.variants if variant.printed)


def summarise(records: Iterable[Record]) -> Report:
    """Put records together; of several proofs of a claim the last counts, unless one does not go through."""
    everything = list(records)
    proofs: dict[str, ProofRecord] = {}
    evidence: dict[str, list[Evidence]] = {}
    for record in everything:
        if isinstance(record, ProofRecord):
            evidence.setdefault(record.claim, [])
            if record.claim not in proofs or proofs[record.claim].ok:
                proofs[record.claim] = record
        elif isinstance(record, Evidence):
            evidence.setdefault(record.claim, []).append(record)
    claims = [Claim(name, proofs.get(name), tuple(found)) for name, found in evidence.items()]
    claims.sort(key=lambda claim: (not claim.section, _numbers(claim.section), claim.id))
    return Report(
        tuple(record for record in everything if isinstance(record, Run)),
        tuple(claims),
        tuple(record for record in everything if isinstance(record, Truncated)),
    )


def _numbers(section: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", section)))


def _size(value: object) -> int:
    """How many numbers nested data holds."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, Sequence) and not isinstance(value, str) else 1
