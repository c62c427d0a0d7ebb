"""The link between proof and program: definition, forms and algorithm, enclosed at the same points, must overlap."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from gnomon.check.strategies import draw_examples
from gnomon.compute.balls import enclose
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.lower import entries, lowering_for, shape_of
from gnomon.compute.slp import SLP
from gnomon.compute.whole_numbers import LoweringError
from gnomon.say.claim import Claim, Program
from gnomon.say.domain import Domain
from gnomon.say.evidence import StepRecord

STRUCTURES, POINTS = 4, 6
VALUES = [Fraction(v) for v in (0, 1, -1, 2)] + [
    Fraction(1, 2),
    Fraction(-3, 4),
    Fraction(5, 8),
    Fraction(-7, 4),
    Fraction(3),
]


def agreement(claim: Claim) -> list[StepRecord]:
    """Steps for the report: the program equals the definition, and each of its forms, at exact points.

    Degenerate points are among them. None for a claim that has no definition besides its program, and no forms.
    """
    found = [] if claim.definition is None else [_agrees(claim, claim.definition, "program", "the definition")]
    forms = ((form.name, claim.program.replace(form.replace)) for form in claim.forms)
    return found + [_agrees(claim, program, "form", f"the form “{name}”") for name, program in forms]


def _agrees(claim: Claim, program: Program, rule: str, name: str) -> StepRecord:
    started = time.perf_counter()
    compared, worst = 0, ""
    for example in draw_examples(claim, STRUCTURES, seed=1):
        try:
            lowering = lowering_for(claim, example.structure)
            ours = [n for nodes, _ in lowering.outputs(claim.program.outputs).values() for n in nodes]
            other = lowering_for(claim, example.structure, program, lowering.slp)
            theirs = [n for nodes, _ in other.outputs(program.outputs).values() for n in nodes]
        except ZeroDivisionError:
            continue
        host = {(x, ()): value for x, value in example.host.items()}
        for leaves in points(claim, lowering.bindings, example.seed):
            got = enclosed(lowering.slp, ours + theirs, {**host, **leaves})
            if got is None:
                continue
            for one, two in zip(got[: len(ours)], got[len(ours) :], strict=True):
                if one.is_finite() and two.is_finite():
                    compared += 1
                    if not one.overlaps(two):
                        worst = f"the program gives {one.str(12)}, {name} {two.str(12)} at {leaves}"
    return StepRecord(
        rule,
        compared > 0 and not worst,
        f"The program and {name}, enclosed in balls at the same exact points, overlap.",
        points=compared,
        message=worst,
        seconds=round(time.perf_counter() - started, 4),
    )


def points(claim: Claim, bindings: Any, seed: int) -> Iterator[dict[Any, Any]]:
    """Exact points of a claim's domains: all zeros, all ones, all equal, then mixtures of simple fractions."""
    rng = random.Random(seed)
    for number in range(POINTS):
        found: dict[Any, Any] = {}
        for domain in claim.inputs:
            if domain.host:
                continue
            shape = shape_of(domain, bindings)
            common = VALUES[number] if number < 2 else rng.choice(VALUES) if number == 2 else None
            if domain.simplex:
                found |= _probabilities(domain, shape, rng, common is not None, found)
            else:
                found |= {(domain.name, index): _inside(domain, common, rng) for index in entries(shape)}
            for index in entries(shape[:-1]) if domain.some else ():
                row = [(domain.name, (*index, last)) for last in range(shape[-1])]
                found |= {} if any(found[key] for key in row) else {rng.choice(row): Fraction(1)}
        yield found


def _inside(domain: Domain, wanted: Fraction | None, rng: random.Random) -> Fraction:
    allowed = [
        value for value in VALUES if domain.contains(float(value)) and (not domain.integer or value.denominator == 1)
    ]
    if wanted in allowed:
        return wanted
    if allowed:
        return rng.choice(allowed)
    low = domain.low if domain.low > -1e300 else domain.high - 1
    high = domain.high if domain.high < 1e300 else low + 1
    return Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(rng.randint(1, 7), 8)


def _probabilities(
    domain: Domain, shape: tuple[int, ...], rng: random.Random, equal: bool, before: dict[Any, Fraction]
) -> dict[Any, Fraction]:
    found = {}
    for lead in itertools.product(*(range(extent) for extent in shape[:-1])):
        least = [domain.open_low or before.get((domain.covers, (*lead, last)), 0) > 0 for last in range(shape[-1])]
        weights = [1 if equal else rng.randint(least[last], 4) for last in range(shape[-1])]
        total = sum(weights) or len(weights)
        for last, weight in enumerate(weights):
            found[domain.name, (*lead, last)] = Fraction(weight if sum(weights) else 1, total)
    return found


def enclosed(slp: SLP, nodes: list[int], leaves: dict[Any, Any]) -> list[Any] | None:
    """Balls around nodes at exact leaves; None where a branch is undecided or there is no value."""
    try:
        return enclose(slp, nodes, leaves)
    except (UndecidedBranch, ZeroDivisionError, LoweringError):
        return None
