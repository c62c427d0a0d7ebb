"""What was proved of a claim, as the record that the report shows and ``--json`` prints."""

from __future__ import annotations

import time
from typing import Any

import sympy as sp

from gnomon.check.agreement import agreement
from gnomon.check.linked_record import linked_record
from gnomon.check.unproved import unproved
from gnomon.proof.derivation import Derivation, Step, StepResult, prove
from gnomon.say.claim import Claim
from gnomon.say.evidence import DefinitionRecord, InputRecord, ProofRecord, StepRecord, VariantRecord
from gnomon.typeset.mathml import mathml


def proof_record(claim: Claim) -> dict[str, Any]:
    """Prove a claim and write down everything that a reader of its derivation wants to see."""
    started = time.perf_counter()
    shown = linked_record(claim) if claim.derivation is None else _unlinked(claim.derivation())
    for look in (*agreement(claim), unproved(claim)):
        if look is not None:
            shown["steps"].append(look)
        if look is not None and not look.ok:
            shown |= {"ok": False, "trust": "not proved", "label": "unlinked"}
    return ProofRecord(
        claim=claim.id,
        section=claim.section,
        title=claim.title,
        kind=claim.kind,
        subject=claim.subject,
        conditions=tuple(claim.conditions),
        remarks=claim.remarks,
        statement=mathml(claim.statement),
        statement_text=str(claim.statement),
        inputs=tuple(InputRecord(d.name, mathml(d.symbol), str(d)) for d in (*claim.inputs, *claim.structure)),
        program=tuple(DefinitionRecord(str(lhs), _equation(lhs, rhs)) for lhs, rhs in claim.program.lets),
        variants=tuple(
            VariantRecord(v.name, v.source, v.printed, tuple(_equation(lhs, rhs) for lhs, rhs in v.replace), v.why)
            for v in claim.variants
        ),
        seconds=round(time.perf_counter() - started, 4),
        **shown,
    ).to_data()


def _unlinked(derivation: Derivation) -> dict[str, Any]:
    """The steps of a derivation that nothing ties to the claim's statement, each checked by itself."""
    proof = prove(derivation)
    steps = [_step(step, result) for step, result in zip(derivation.steps, proof.steps, strict=True)]
    ok = proof.ok
    trust = f"{proof.trust}; not linked to its statement" if ok else "not proved"
    return {
        "ok": ok,
        "trust": trust,
        "label": "unlinked",
        "sizes": [],
        "cites": [],
        "lift": derivation.lift,
        "steps": steps,
    }


def _equation(lhs: Any, rhs: Any) -> str:
    return mathml(sp.Eq(lhs, rhs, evaluate=False))


def _step(step: Step, result: StepResult) -> StepRecord:
    before, after = ("" if side is None else mathml(side) for side in (step.before, step.after))
    return StepRecord(
        step.rule,
        result.ok,
        step.why,
        before,
        after,
        symbolic=result.symbolic,
        points=result.points,
        rejected=result.rejected,
        cited=result.cited,
        message=result.message,
        seconds=result.seconds,
    )
