"""Large structures: sizes beyond every block that programs are cut into, where a tail or a split may be wrong."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from gnomon.check import large_gradient
from gnomon.check.domains import structure_fault
from gnomon.check.grade import FINE, OWN
from gnomon.check.search import NUMBERS, Compilations, Failure, Outcome, Task
from gnomon.check.strategies import Example
from gnomon.compute.arrays.compiled import CompiledArrays
from gnomon.compute.compiled import Judgement
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.contract import NotCallable
from gnomon.drive.driver import SubjectError
from gnomon.say.claim import Claim
from gnomon.say.domain import Graph, Size, Sizes

EXTENTS = ((1023, 1024, 1025), (255, 256, 257), (127, 128, 129), (63, 64, 65), (31, 32, 33))
"""Sizes about the blocks that programs are cut into: a full block, one short of it, and a tail of one."""

PROBE = 13
"""A size at which a program is lowered to tell what it would cost at others."""

LOOPED = 65
"""The largest size at which a subject is looked at that takes one point at a time."""

STEPS = 100
"""As many single steps of its definitions may be made where a program recurs along a size."""


def large_examples(claim: Claim, compiled: Compilations, examples: Sequence[Example], count: int) -> Iterator[Example]:
    """Some structures with one large size each, the largest that a look affords first.

    Beside the size its other sizes are those of an example that was drawn. A size that is no extent of an input is
    left out, and so is one above which nothing is claimed; and claims with conditions, lists of sizes, graphs,
    probabilities (which are multiples of what the dtype resolves) and inequalities.
    """
    extents_of = {extent for domain in claim.inputs for extent in domain.shape}
    sizes = [d for d in claim.structure if isinstance(d, Size) and not d.closed and d.symbol in extents_of]
    conditions = claim.written.conditions if claim.written is not None else ()
    left_out = bool(conditions) or any(isinstance(domain, (Sizes, Graph)) for domain in claim.structure)
    if left_out or claim.relation is not None or any(d.simplex or d.lengths is not None for d in claim.inputs):
        return
    chooser = random.Random(examples[0].seed)
    chooser.shuffle(sizes)
    found = 0
    rungs = {size.name: list(EXTENTS) for size in sizes}
    while any(rungs.values()) and found < count:
        for number, size in enumerate(sizes):
            base = examples[(len(examples) - 1 - number) % len(examples)]
            extents = rungs[size.name]
            limit = _affordable(compiled, base, size) if extents else 0
            rungs[size.name] = extents = [rung for rung in extents if max(rung) <= limit]
            if not extents or found == count:
                continue
            tail = max(extents.pop(0))
            extent = tail if not found else tail - chooser.choice((0, 0, 1, 2))
            found += 1
            yield dataclasses.replace(base, structure={**base.structure, size.name: extent})


def _affordable(compiled: Compilations, base: Example, size: Size) -> int:
    """The largest extent of a size at which a point of every regime may be looked at; 0 for none."""
    try:
        probe = compiled({**base.structure, size.name: max(PROBE, size.high + 1)})
    except (LoweringError, ZeroDivisionError):
        return 0
    if not isinstance(probe, CompiledArrays):
        return 0
    extent = probe.structure[size.name]
    best = 0
    for rung in sorted(max(each) for each in EXTENTS):
        times = rung / extent
        recurs = any(made > extent - 4 for way in probe.ways for made in way.steps.values())
        steps = sum(sum(way.steps.values()) for way in probe.ways) * times
        grown = sum(way.graph.elements(list(way.outputs.values()), extent, times) for way in probe.ways)
        if grown * 9 <= NUMBERS and (not recurs or steps <= STEPS):
            best = rung
    return best


def look(
    task: Task, examples: Sequence[Example], outcome: Outcome, count: int, asked: Sequence[Example] = ()
) -> Failure | None:
    """Compare a few points at some large structures; the smallest sizes found at which one fails, if one does.

    Those that were ``asked`` for stand in the place of those that would be chosen. A gradient that fails under right
    values is left in the outcome.

    Raises:
        SubjectError: if the subject crashes or breaks its contract.
    """
    for example in asked or large_examples(task.claim, task.compiled, examples, count):
        if task.driver.batch == "loop" and max(v for v in example.structure.values() if isinstance(v, int)) > LOOPED:
            continue
        try:
            failure = _judged(task, example, outcome)
        except (LoweringError, ZeroDivisionError):  # the program has no meaning there
            continue
        except NotCallable:  # the call names the parameters that there are at small sizes
            continue
        except SubjectError as error:
            if _overflows(task, example):  # what must be infinite at every point may as well be refused
                continue
            raise SubjectError(error.failure, from_on(task.claim, example.structure) + error.reason) from error
        if failure is not None:
            return _shrunk(task, failure)
        if outcome.gradient_failure is not None:
            outcome.gradient_failure = _shrunk(task, outcome.gradient_failure, values=False)
            return None
    return None


def _overflows(task: Task, example: Example) -> bool:
    _, bound = task.compiled(example.structure).truth(task.batch(example, 9), task.dtype, task.device)
    return bool(bound.isinf().any(-1).all())


def _judged(task: Task, example: Example, outcome: Outcome) -> Failure | None:
    """Compare the points of a large structure, and count them; the worst point if one fails."""
    observer = task.observer(example)
    batch = task.batch(example, 9)
    shown, chosen = observer.many(batch)
    batch = batch if chosen is None else batch.take(chosen)
    flat = shown.detach().to(torch.float64)
    compiled = task.compiled(example.structure)

    def judged(sums: torch.dtype | None) -> Judgement:
        return dataclasses.replace(compiled, sums=sums).judge(batch, flat, task.dtype, task.device)

    finer = torch.finfo(task.dtype).bits <= 16 and outcome.search.grade == FINE
    judgement = judged(torch.float32 if finer else compiled.sums)
    if finer and compiled.sums is None and bool(judgement.fails.any()):
        judgement = judged(None)
        outcome.search.grade = OWN if not bool(judgement.fails.any()) else FINE
    outcome.looked_at.append(example)
    outcome.search.structures += 1
    outcome.search.points += batch.size
    outcome.search.comparisons += int((~judgement.excused).sum())
    row = int(judgement.share.amax(-1).argmax())
    if bool(judgement.fails[row]):
        return Failure(example, batch, flat, row)
    large_gradient.look(task, example, observer, batch, outcome)
    return None


def _shrunk(task: Task, failure: Failure, *, values: bool = True) -> Failure:
    """The same failure, of values or of gradients, at the smallest sizes that are found, halving the distance to
    those that hold.
    """
    improved = True
    while improved:
        improved = False
        for structure in _fewer(task.claim, failure.example.structure):
            smaller = dataclasses.replace(failure.example, structure=structure)
            at = Outcome()
            try:
                found = _judged(task, smaller, at)
            except (SubjectError, LoweringError, ZeroDivisionError):
                continue
            found = found if values else at.gradient_failure
            if found is not None:
                failure, improved = found, True
                break
    return failure


def _fewer(claim: Claim, structure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for domain in claim.structure:
        if isinstance(domain, Size):
            value = structure[domain.name]
            gap = value - domain.low
            while gap > 0:
                fewer = {**structure, domain.name: value - gap}
                if not structure_fault(claim.structure, fewer):
                    yield fewer
                gap //= 2


def from_on(claim: Claim, structure: dict[str, Any]) -> str:
    """From which sizes on a failure was found, where they are larger than those that are drawn; else ""."""
    large = [
        f"{domain.name} = {structure[domain.name]}"
        for domain in claim.structure
        if isinstance(domain, Size) and structure[domain.name] > domain.high
    ]
    return f"from {' and '.join(large)} on: " if large else ""
