"""What kind of wrong: whether an error is the formula's or rounding's, decided on a batch and not at one point."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gnomon.check.gradients import compare_gradients, cotangents
from gnomon.check.minimise import CANDIDATES, SMALL
from gnomon.check.observer import LOOP_POINTS
from gnomon.check.strategies import Example, draw_examples
from gnomon.check.task import Task
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Judgement, K
from gnomon.drive.driver import SubjectError

Look = Callable[[Task, Batch, torch.dtype], Judgement]
"""How a subject does on a batch, run in the task's dtype and judged by the budget of another (or the same) dtype."""
COARSE, FINE = torch.float32, torch.float64


def of_values(example: Example) -> Look:
    """Looks at the values of a subject."""

    def look(task: Task, batch: Batch, budget: torch.dtype) -> Judgement:
        observed, chosen = task.observer(example).many(batch)
        batch = batch if chosen is None else batch.take(chosen)
        flat = observed.detach().to(torch.float64)
        return task.compiled(example.structure).judge(batch, flat, budget, task.device)

    return look


def of_gradients(task: Task, at: Example, cotangent: Tensor) -> Callable[[Example], Look]:
    """Looks at the gradient of a subject's outputs, weighed by ``cotangent`` (N,) at one example, else as drawn."""

    def of(example: Example) -> Look:
        outputs = len(task.compiled.gradient(example.structure).compiled.labels)
        weights = cotangent if example is at else cotangents(task, example, 1, outputs)[0]

        def look(task: Task, batch: Batch, budget: torch.dtype) -> Judgement:
            observer = task.observer(example)
            step = -(-batch.size // LOOP_POINTS)  # so few that all are looked at where the subject must be looped
            batch = batch.take(torch.arange(0, batch.size, step, device=task.device))
            seen, value, bound = compare_gradients(
                task, example, observer, batch, weights.expand(batch.size, -1), budget
            )
            return Judgement((seen - value).abs().masked_fill(seen == value, 0.0), K * bound, seen.isfinite())

        return look

    return of


def classed(
    task: Task,
    example: Example,
    point: Batch,
    finite: bool,
    looks: Callable[[Example], Look],
    examples: Sequence[Example] | None = None,
) -> tuple[str, str]:
    """Range, inaccurate or wrong formula, and why, for a subject that fails at a point, finitely or not.

    What decides is the point and a batch drawn beside it, for the same structure and hyper-parameters: the points that
    fail vote, each by whether its error shrinks with the unit roundoff from one precision to another. Where it does
    not, but is within what float32 allows in a float64 run, here and at ``examples`` (drawn, if none are given), the
    subject is *inaccurate*, too.
    """
    look, low = looks(example), COARSE if task.dtype == FINE else task.dtype
    here, there = (dataclasses.replace(task, dtype=dtype) for dtype in (low, FINE))
    batch = _joined(_coarse(point, low), here.batch(_again(example), SMALL))
    try:
        shrinks = _shrinking(look(here, batch, low), look(there, batch, FINE), low)
    except SubjectError:
        other = COARSE if task.dtype == FINE else FINE
        why = f"disagrees in {short(task.dtype)} (and does not run in {short(other)})"
    else:
        if finite and 2 * int(shrinks.sum()) > shrinks.numel():
            return "inaccurate", f"the error shrinks with the unit roundoff, but is over {K} times the bound"
        why = "the error does not shrink with the unit roundoff"
        if task.dtype == FINE and _within_single(task, example, point, looks, examples):
            return "inaccurate", "the error is within what float32 allows: something inside is not float64"
        if not shrinks.numel():
            why = f"disagrees in {short(task.dtype)} (the other precision cannot be asked there)"
    return ("wrong formula", why) if finite else ("range", "is not finite where the truth is finite and representable")


def _within_single(
    task: Task, example: Example, point: Batch, looks: Callable[[Example], Look], examples: Sequence[Example] | None
) -> bool:
    """Whether wherever a subject fails in float64 its error is no more than float32 may make, in every structure."""
    if not _fits(looks(example), task, _joined(point, task.batch(_again(example), SMALL))):
        return False
    others = draw_examples(task.claim, CANDIDATES, 0) if examples is None else examples[:CANDIDATES]
    return all(_fits(looks(other), task, task.batch(other, SMALL), none_fails=True) for other in others)


def _fits(look: Look, task: Task, batch: Batch, none_fails: bool = False) -> bool:
    """Whether all that fails in float64, and can be judged in float32, is right there; or nothing fails, if wanted."""
    try:
        own, coarse = look(task, batch, FINE), look(task, batch, COARSE)
    except SubjectError:
        return False
    judged = (own.share > 1) & ~coarse.excused
    return not coarse.fails.any() and (none_fails or bool(judged.any()))


def _again(example: Example) -> Example:
    """An example from which one and the same batch is drawn whenever a point is looked at, so that its class stays."""
    return dataclasses.replace(example, seed=0)


def _shrinking(rough: Judgement, fine: Judgement, low: torch.dtype) -> Tensor:
    """For each point that fails in either precision, whether its worst error shrinks by more than half of what is due.

    Half is meant on the scale of logarithms: between not shrinking at all and shrinking with the unit roundoff. Points
    at which all digits are lost in both precisions do not shrink, but those beside them do.
    """
    known = rough.excess.isfinite() & fine.excess.isfinite() & ~rough.excused & ~fine.excused
    worst, entry = torch.where(known, torch.maximum(rough.share, fine.share), 0.0).max(-1)
    at = entry[worst > 1].unsqueeze(-1)
    ratio = (torch.finfo(FINE).eps / torch.finfo(low).eps) ** 0.5
    shrinks: Tensor = fine.excess[worst > 1].gather(-1, at) <= ratio * rough.excess[worst > 1].gather(-1, at)
    return shrinks


def _coarse(point: Batch, dtype: torch.dtype) -> Batch:
    """A point with its numbers rounded to a dtype, so that both precisions see the same."""
    values = {name: value.to(dtype).to(torch.float64) for name, value in point.values.items()}
    return dataclasses.replace(point, values=values)


def _joined(point: Batch, batch: Batch) -> Batch:
    """A point, first, and the points of a batch."""
    values = {name: torch.cat([value, batch.values[name]]) for name, value in point.values.items()}
    return Batch(values, point.host, batch.regimes, 1 + batch.size) if values else point


def short(dtype: torch.dtype) -> str:
    """A dtype's name without its module."""
    return str(dtype).removeprefix("torch.")
