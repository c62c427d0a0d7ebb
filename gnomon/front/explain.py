"""``gnomon explain``: a claim as readable text."""

from __future__ import annotations

import textwrap
from typing import Any

from gnomon.say.claim import Claim
from gnomon.typeset.mathml import plain

WIDTH = 100


def explanation(claim: Claim) -> str:
    """Statement, conditions, inputs, derivation, program and variants of a claim."""
    derivation = claim.derivation()
    lines = [
        f"{claim.id} — {claim.title}",
        f"notes §{claim.section} · {claim.kind} · subject {claim.subject}",
        "",
    ]
    lines += ["Statement", *_indented(plain(claim.statement)), ""]
    if claim.conditions:
        lines += ["Conditions", *[f"  · {condition}" for condition in claim.conditions], ""]
    lines += ["Inputs", *[f"  {domain.name}: {domain}" for domain in (*claim.structure, *claim.inputs)], ""]
    lines.append(f"Derivation ({derivation.scope}" + (f"; lift: {derivation.lift})" if derivation.lift else ")"))
    for number, step in enumerate(derivation.steps, 1):
        lines.append(f"  {number}. {step.rule}: {step.why}")
        lines += [line for side in (step.before, step.after) if side is not None for line in _indented(plain(side), 6)]
    lines += ["", "Program (its rounding sets the budget)"]
    for lhs, rhs in claim.program.lets:
        lines += _indented(f"{plain(lhs)} := {plain(rhs)}")
    for output in claim.program.outputs:
        lines += _indented(f"shows {output.name} = {plain(output.entry)}")
    if claim.relation is not None:
        lines += _indented(
            f"and must keep {plain(claim.relation.lhs)} {claim.relation.sense} {plain(claim.relation.rhs)}"
        )
    lines += ["", "Variants (each run shows that the check rejects them)"]
    for variant in claim.variants:
        lines.append(f"  · {variant.name} [{variant.source}]" + (f" — {variant.why}" if variant.why else ""))
        lines += [line for lhs, rhs in variant.replace for line in _indented(f"{plain(lhs)} := {plain(rhs)}", 6)]
        lines += [f"      {domain.name}: {domain}" for domain in (*variant.inputs, *variant.structure)]
    if claim.remarks:
        lines += ["", *textwrap.wrap(claim.remarks, WIDTH)]
    return "\n".join(lines)


def _indented(text: Any, by: int = 2) -> list[str]:
    return textwrap.wrap(str(text), WIDTH, initial_indent=" " * by, subsequent_indent=" " * (by + 4))
