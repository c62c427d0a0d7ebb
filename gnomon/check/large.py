"""Looks at large structures: a tail or a split that no small size shows, and from which size on it is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from gnomon.check import large_gradient
from gnomon.check.chosen import large_examples
from gnomon.check.effort import POINTS
from gnomon.check.grade import FINE, OWN
from gnomon.check.resized import fewer
from gnomon.check.strategies import Example
from gnomon.check.task import Failure, Outcome, Task
from gnomon.compute.compiled import Judgement
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.contract import NotCallable
from gnomon.drive.driver import SubjectError
from gnomon.find.subjects import resolve
from gnomon.say.claim import Claim
from gnomon.say.domain import Size, Structure
from gnomon.say.errors import UsageError


def look(
    task: Task, examples: Sequence[Example], outcome: Outcome, count: int, asked: Sequence[Example] = ()
) -> Failure | None:
    """Compare a few points at some large structures; the smallest sizes found at which one fails, if one does.

    A gradient that fails under right values is left in the outcome. Those that were ``asked`` for stand in the place of
    those that would be chosen.

    Raises:
        SubjectError: if the subject crashes or breaks its contract.
    """
    for example in asked or large_examples(task, examples, count, outcome.unreached):
        try:
            failure = _judged(task, example, outcome)
        except (LoweringError, ZeroDivisionError):  # the program has no meaning there
            continue
        except NotCallable as error:  # the call names the parameters that there are at small sizes
            outcome.unreached.update(dict.fromkeys(_beyond(task.claim, example.structure), error.reason))
            continue
        except SubjectError as error:
            if _overflows(task, example):  # what must be infinite at every point may as well be refused
                continue
            if error.failure == "crash" and (why := _refused(task, example)):
                sizes = _beyond(task.claim, example.structure)
                outcome.unreached.update(dict.fromkeys(sizes, f"the reference model {why}"))
                continue
            raise _smallest_crash(task, example, error) from error
        if failure is not None:
            return _shrunk(task, failure)
        if outcome.gradient_failure is not None:
            outcome.gradient_failure = _shrunk(task, outcome.gradient_failure, values=False)
            return None
    return None


def _beyond(claim: Claim, structure: Structure) -> list[str]:
    sizes = [domain for domain in claim.structure if isinstance(domain, Size)]
    return [size.name for size in sizes if structure[size.name] > size.high]


def _overflows(task: Task, example: Example) -> bool:
    _, bound = task.compiled(example.structure).truth(task.batch(example, POINTS), task.dtype, task.device)
    return bool(bound.isinf().any(-1).all())


def _refused(task: Task, example: Example) -> str:
    """What the reference model raises at a structure, of which its claim then says nothing; "" if it answers."""
    try:
        model = dataclasses.replace(task, subject=resolve(task.claim.subject, {})[0])
        model.observer(example).many(model.batch(example, POINTS))
    except SubjectError as error:
        return error.reason
    except UsageError:  # a claim of the user's own, which has no model
        return ""
    return ""


def _judged(task: Task, example: Example, outcome: Outcome) -> Failure | None:
    """Compare the points of a large structure, and count them; the worst point if one fails."""
    observer = task.observer(example)
    batch = task.batch(example, POINTS)
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
        for structure in fewer(task.claim, failure.example.structure, failure.example.seed):
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


def _smallest_crash(task: Task, example: Example, error: SubjectError) -> SubjectError:
    """The same breach or crash at the smallest sizes that are found, which its reason then names."""
    improved = True
    while improved:
        improved = False
        for structure in fewer(task.claim, example.structure, example.seed):
            smaller = dataclasses.replace(example, structure=structure)
            try:
                task.observer(smaller).many(task.batch(smaller, POINTS))
            except SubjectError as found:
                if found.failure == error.failure and not _overflows(task, smaller):
                    example, error, improved = smaller, found, True
                    break
            except (LoweringError, ZeroDivisionError):
                continue
    return SubjectError(error.failure, from_on(task.claim, example.structure) + error.reason)


def from_on(claim: Claim, structure: Structure) -> str:
    """From which sizes on a failure was found, where they are larger than those that are drawn; else ""."""
    large = [f"{size} = {structure[size]}" for size in _beyond(claim, structure)]
    return f"from {' and '.join(large)} on: " if large else ""
