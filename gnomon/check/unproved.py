"""Laws without a proof that no program stands beside: their two sides, enclosed at the same exact points."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import sympy as sp

from gnomon.check.agreement import STRUCTURES, enclosed, points
from gnomon.check.strategies import Example, draw_examples
from gnomon.compute.lower import lowering_for
from gnomon.compute.supposed import suppose
from gnomon.compute.whole_numbers import LoweringError
from gnomon.say.claim import Claim, Program
from gnomon.say.evidence import StepRecord
from gnomon.say.law import Law

WHY = "The laws that have no proof: both sides, enclosed in balls at exact points that the conditions allow."


def unproved(claim: Claim) -> StepRecord | None:
    """A step for the report: the laws that nothing else looks at hold at exact points, degenerate ones included.

    A law with a proof has its theorem; one that is an output's formula is compared as the definition, and those of an
    inequality are what the search judges. None if no other law is left.
    """
    laws = _alone(claim)
    if not laws:
        return None
    started = time.perf_counter()
    compared, worst = dict.fromkeys(laws, 0), ""
    for example in draw_examples(claim, STRUCTURES, seed=1):
        for law, one, two, at in _sides(claim, laws, example):
            compared[law] += 1
            if not worst and _refuted(law.rel, one, two):
                worst = f"{law.statement}: {one.str(12)} and {two.str(12)} at {at}"
    if idle := [law for law in laws if not compared[law]]:
        worst = worst or f"{idle[0].statement}: no point at which both sides have a value; prove it"
    seconds = round(time.perf_counter() - started, 4)
    return StepRecord("law", not worst, WHY, points=sum(compared.values()), message=worst, seconds=seconds)


def _alone(claim: Claim) -> list[Law]:
    if claim.written is None or claim.relation is not None:
        return []
    shown = zip(claim.program.outputs, claim.definition.outputs, strict=True) if claim.definition else ()
    defining = [(output.entry, law.entry) for output, law in shown]
    return [law for law in claim.written.laws if law.proof is None and (law.lhs, law.rhs) not in defining]


def _sides(claim: Claim, laws: list[Law], example: Example) -> Iterator[tuple[Law, Any, Any, Any]]:
    """The laws' sides in balls, wherever they have values and the claim's conditions hold."""
    assert claim.written is not None
    program = Program(tuple((d.lhs, d.rhs) for d in claim.written.definitions), claim.program.outputs)
    try:
        supposed = suppose(claim, example.structure)
        lowering = lowering_for(claim, example.structure, program, supposed.slp)
        pairs = [
            (law, lowering.node(law.lhs, env), lowering.node(law.rhs, env))
            for law in laws
            for env in lowering.ranges(law.ranges, {})
        ]
    except (LoweringError, ZeroDivisionError):
        return
    gaps = [(kind, node) for kind, nodes in supposed.gaps.values() for node in nodes]
    for leaves in points(claim, lowering.bindings, example.seed):
        leaves |= {(name, ()): value for name, value in example.host.items()}
        given = enclosed(lowering.slp, [node for _, node in gaps], leaves)
        if given is None or not all(_met(kind, gap) for (kind, _), gap in zip(gaps, given, strict=True)):
            continue
        for law, one, two in pairs:
            sides = enclosed(lowering.slp, [one, two], leaves)
            if sides is not None and all(side.is_finite() for side in sides):
                yield law, *sides, leaves


def _met(kind: Any, gap: Any) -> bool:
    """Whether a condition holds, given how far its smaller side is above its greater one."""
    if kind is sp.Eq:
        return bool(gap.contains(0))
    return bool(gap < 0 if kind in (sp.Lt, sp.Gt) else gap <= 0)


def _refuted(rel: str, one: Any, two: Any) -> bool:
    """Whether balls show that a relation does not hold."""
    if rel == "=":
        return not one.overlaps(two)
    less, more = (one, two) if rel in ("<=", "<") else (two, one)
    return bool(less >= more if rel in ("<", ">") else less > more)
