"""A linked claim's proof as plain data: its goal, the links that lead to it, the lemmas, the label that it earned."""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.link.proved import Proved, proved
from gnomon.proof.second_look import Report, second_look
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused, Theorem
from gnomon.say.claim import Claim
from gnomon.say.evidence import StepRecord
from gnomon.say.law import SENSES
from gnomon.typeset.mathml import mathml, plain

HIDDEN = ("chain", "general", "symmetric", "reflexive", "hypothesis", "condition", "definition")
"""Rules that only hold others together, or that the reader sees elsewhere."""


def linked_record(claim: Claim) -> dict[str, Any]:
    """What a proof showed, as fields of its record. A proof that stops is no error here: it says where.

    A step has its two sides in MathML, and in ``plain`` text.
    """
    try:
        found = proved(claim)
    except (Refused, ValueError) as error:
        return {
            "ok": False,
            "trust": "not proved",
            "label": "unlinked",
            "sizes": [],
            "cites": [],
            "steps": [_stop(error)],
        }
    looks = [_look(second_look(theorem)) for theorem in found.theorems if theorem is not None]
    ok = all(look.ok for look in looks)
    return {
        "ok": ok,
        "trust": str(found) if ok else "not proved",
        "label": found.label if ok else "unlinked",
        "sizes": list(found.sizes),
        "cites": list(found.cites),
        "steps": [*steps(found), *looks],
    }


def steps(found: Proved) -> list[StepRecord]:
    """The links of every law's proof, each once, lemmas under their names before what leans on them."""
    names = {id(theorem): name for name, theorem in found.lemmas}
    seen: set[int] = set()
    done = []
    for theorem in found.theorems:
        for link in theorem.lineage() if theorem is not None else ():
            if id(link) in seen or (link.rule in HIDDEN and id(link) not in names) or alike(link.lhs, link.rhs):
                continue
            seen.add(id(link))
            done.append(_step(link, names.get(id(link), "")))
        if theorem is not None:
            done.append(_step(theorem, "what is claimed"))
    return done


def _step(link: Theorem, name: str) -> StepRecord:
    whole = link.rel != "=" or bool(name)
    sides = [SENSES[link.rel](link.lhs, link.rhs, evaluate=False)] if whole else [link.lhs, link.rhs]
    before, after = "" if whole else mathml(sides[0]), mathml(sides[-1])
    texts = tuple(plain(side) for side in sides)
    cited = link.rule == "cite"
    return StepRecord(link.rule, True, name or link.why, before, after, texts, True, cited=cited, message=_given(link))


def _look(report: Report) -> StepRecord:
    """The second certificate: what was claimed, and what was computed on the way, in balls at exact points."""
    why = "What is claimed, and every normal form on the way to it, enclosed in balls at exact points."
    words = "; ".join(report.refuted)
    return StepRecord("second look", not report.refuted, why, "", "", (), points=report.points, message=words)


def _given(link: Theorem) -> str:
    given = ", ".join(sorted(str(fact) for fact in link.given if fact is not sp.true))
    return f"given {given}" if given and link.rule in ("induction", "general", "cite") else ""


def _stop(error: Exception) -> StepRecord:
    return StepRecord("stops", False, "The proof does not go through.", symbolic=False, message=str(error))
