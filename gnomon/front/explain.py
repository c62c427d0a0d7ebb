"""``gnomon explain``: a claim as readable text."""

from __future__ import annotations

import textwrap
from typing import Any

from gnomon.check.linked_record import linked_record
from gnomon.proof.derivation import Derivation
from gnomon.say.claim import Claim
from gnomon.typeset.mathml import plain

WIDTH = 100


def explanation(claim: Claim) -> str:
    """Statement, conditions, inputs, proof, program, call and variants of a claim."""
    lines = [
        f"{claim.id} — {claim.title}",
        f"notes §{claim.section} · {claim.kind} · subject {claim.subject}",
        "",
    ]
    lines += ["Statement", *_indented(plain(claim.statement)), ""]
    if claim.conditions:
        lines += ["Conditions", *[f"  · {condition}" for condition in claim.conditions], ""]
    lines += ["Inputs", *[f"  {domain.name}: {domain}" for domain in (*claim.structure, *claim.inputs)], ""]
    lines += _proof(claim) if claim.derivation is None else _derivation(claim.derivation())
    if claim.call is not None:
        lines += ["", "Call", *_indented(claim.call)]
    lines += ["", "Program (its rounding sets the budget)"]
    for lhs, rhs in claim.program.lets:
        lines += _indented(f"{plain(lhs)} := {plain(rhs)}")
    for output in claim.program.outputs:
        lines += _indented(f"shows {output.name} = {plain(output.entry)}")
    if claim.ceiling is not None:
        lines.append(f"  and is at most {claim.ceiling:g} ULP off at any number of a format of 16 bits")
    if claim.relation is not None:
        lines += _indented(
            f"and must keep {plain(claim.relation.lhs)} {claim.relation.sense} {plain(claim.relation.rhs)}"
        )
    for form in claim.forms:
        lines.append(f"or, as usual, {form.name} (the budget is the greatest of both)")
        lines += [line for lhs, rhs in form.replace for line in _indented(f"{plain(lhs)} := {plain(rhs)}")]
    lines += ["", "Variants (each run shows that the check rejects them)"]
    for variant in claim.variants:
        lines.append(f"  · {variant.name} [{variant.source}]" + (f" — {variant.why}" if variant.why else ""))
        lines += [line for lhs, rhs in variant.replace for line in _indented(f"{plain(lhs)} := {plain(rhs)}", 6)]
        lines += [f"      {domain.name}: {domain}" for domain in (*variant.inputs, *variant.structure)]
    if claim.remarks:
        lines += ["", *textwrap.wrap(claim.remarks, WIDTH)]
    return "\n".join(lines)


def _proof(claim: Claim) -> list[str]:
    """The links by which law and program are led together."""
    record = linked_record(claim)
    lines = [f"Proof ({record['trust']})"]
    for number, step in enumerate(record["steps"], 1):
        lines.append(f"  {number}. {step.rule}{': ' + step.why if step.why else ''}")
        lines += [line for text in step.plain for line in _indented(text, 6)]
        lines += _indented(step.message, 6) if step.message else []
    return lines


def _derivation(derivation: Derivation) -> list[str]:
    """The steps of a proof that is not linked to its statement."""
    lift = f"; lift: {derivation.lift}" if derivation.lift else ""
    lines = [f"Derivation ({derivation.scope}{lift}; not linked to the statement)"]
    for number, step in enumerate(derivation.steps, 1):
        lines.append(f"  {number}. {step.rule}: {step.why}")
        lines += [line for side in (step.before, step.after) if side is not None for line in _indented(plain(side), 6)]
    return lines


def _indented(text: Any, by: int = 2) -> list[str]:
    return textwrap.wrap(str(text), WIDTH, initial_indent=" " * by, subsequent_indent=" " * (by + 4))
