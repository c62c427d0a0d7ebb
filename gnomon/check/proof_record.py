"""Claims and proofs as plain data for the report and for ``--json``."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import sympy as sp

from gnomon.check.agreement import agreement
from gnomon.check.linked_record import linked_record
from gnomon.proof.derivation import Derivation, prove
from gnomon.say.claim import Claim
from gnomon.typeset.mathml import mathml


def proof_record(claim: Claim) -> dict[str, Any]:
    """Prove a claim and write down everything that a reader of its derivation wants to see."""
    started = time.perf_counter()
    shown = linked_record(claim) if claim.derivation is None else _unlinked(claim.derivation())
    second = agreement(claim)
    if second is not None:
        shown["steps"].append(second)
    if second is not None and not second["ok"]:
        shown |= {"ok": False, "trust": "not proved"}
    return {
        "type": "proof",
        **claim_record(claim),
        **shown,
        "statement": mathml(claim.statement),
        "statement_text": str(claim.statement),
        "inputs": [
            {"name": d.name, "math": mathml(d.symbol), "domain": str(d)} for d in (*claim.inputs, *claim.structure)
        ],
        "program": [
            {"name": str(lhs), "math": mathml(sp.Eq(lhs, rhs, evaluate=False))} for lhs, rhs in claim.program.lets
        ],
        "variants": [
            {
                "name": v.name,
                "source": v.source,
                "printed": v.printed,
                "math": [mathml(sp.Eq(lhs, rhs, evaluate=False)) for lhs, rhs in v.replace],
                "why": v.why,
            }
            for v in claim.variants
        ],
        "seconds": round(time.perf_counter() - started, 4),
    }


def _unlinked(derivation: Derivation) -> dict[str, Any]:
    """The steps of a derivation that nothing ties to the claim's statement, each checked by itself."""
    proof = prove(derivation)
    steps = [{**_step(step), **_result(result)} for step, result in zip(derivation.steps, proof.steps, strict=True)]
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


def claim_record(claim: Claim) -> dict[str, Any]:
    """What `gnomon list` says about a claim, cheap to make."""
    return {
        "claim": claim.id,
        "section": claim.section,
        "title": claim.title,
        "kind": claim.kind,
        "subject": claim.subject,
        "conditions": list(claim.conditions),
        "remarks": claim.remarks,
    }


def _step(step: Any) -> dict[str, Any]:
    return {"rule": step.rule, "why": step.why, "before": _math(step.before), "after": _math(step.after)}


def _math(expr: Any) -> str:
    return "" if expr is None else mathml(expr)


def _result(result: Any) -> dict[str, Any]:
    data = dataclasses.asdict(result)
    return {key: data[key] for key in ("ok", "symbolic", "points", "rejected", "cited", "message", "seconds")}
