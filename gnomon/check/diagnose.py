"""From a failing batch to a counterexample: confirm with Arb, simplify, class, and name the variant."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnomon.check.classing import classed, of_gradients, of_values, short
from gnomon.check.departure import agreeing, departure
from gnomon.check.gradients import compare_gradients, cotangents, gradient_share
from gnomon.check.minimise import CANDIDATES, alone, confirm, smallest
from gnomon.check.minimise_numbers import minimise
from gnomon.check.naming import Named, matching_variant
from gnomon.check.strategies import Example
from gnomon.check.task import Failure, Task
from gnomon.compute.balls import ball
from gnomon.compute.batch import Batch
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.compiled import Compiled, K
from gnomon.say.evidence import Counterexample


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, in one word and one sentence, with the smallest input that shows it."""

    failure: str
    reason: str
    variant: str | None
    counterexample: Counterexample


def diagnose(task: Task, failure: Failure, examples: Sequence[Example] = ()) -> Diagnosis | None:
    """The diagnosis of a failing batch, or None if no point of it fails when looked at alone.

    ``examples`` are further structures at which a matching variant must match too.

    Raises:
        SubjectError: if the subject crashes or breaks its contract on the way.
    """
    variant = matching_variant(task, failure, examples)
    point = _confirmed(task, failure)
    if point is None:
        return None
    example, point = smallest(task, failure.example, point)
    compiled = task.compiled(example.structure)
    observed = alone(task, example, point)
    judgement = compiled.judge(point, observed, task.dtype, task.device)
    entry = int(judgement.share[0].argmax())
    name, reason = classed(task, example, point, bool(judgement.finite[0, entry]), of_values, examples)
    found = counterexample(task, example, point, observed, entry)
    if where := departure(task, example, point, observed):
        reason = f"{reason}; at its smallest input it {where}"
    return Diagnosis(name, with_variant(reason, variant), variant.name if variant else None, found)


def with_variant(reason: str, variant: Named | None) -> str:
    """A reason, and how far the variant goes that the subject follows."""
    return f"{reason}; it follows “{variant.name}” {variant.besides}" if variant and variant.besides else reason


def _confirmed(task: Task, failure: Failure) -> Batch | None:
    compiled = task.compiled(failure.example.structure)
    share = compiled.judge(failure.batch, failure.observed, task.dtype, task.device).share.amax(-1)
    for number in share.topk(min(CANDIDATES, len(share))).indices.tolist():
        if share[number] <= 1:
            break
        point = failure.batch.point(number)
        if confirm(task, failure.example, point, alone(task, failure.example, point)):
            return point
    return None


# ---------------------------------------------------------------- for the reader


def counterexample(task: Task, example: Example, point: Batch, observed: Tensor, entry: int) -> Counterexample:
    """An entry of a failing point as a record, with both values as Arb and the subject give them."""
    compiled = task.compiled(example.structure)
    judgement = compiled.judge(point, observed, task.dtype, task.device)
    expected, shown = _both_values(compiled, point, observed, entry)
    if task.reversed:
        expected, shown = shown, expected
    found = Counterexample(
        structure=dict(example.structure),
        inputs={**example.host, **{name: value[0].tolist() for name, value in point.values.items()}},
        output=compiled.judged[entry],
        observed=shown,
        expected=expected,
        difference=float(judgement.excess[0, entry]),
        budget=float(judgement.budget[0, entry]),
    )
    return dataclasses.replace(found, code=reproduction(task, found))


def _both_values(compiled: Compiled, point: Batch, observed: Tensor, entry: int) -> tuple[str, str]:
    """What was expected and what was seen, as text; for an inequality its right side and its left one."""
    try:
        if compiled.sides:
            sides = compiled.enclosed_sides(point, observed)[entry]
            small, large = (side.str(17, radius=False) for side in sides)
            below = compiled.claim.relation is None or compiled.claim.relation.sense == "<="
            return (f"at most {large}", small) if below else (f"at least {small}", large)
        truth = compiled.enclosures(point)[entry].str(17, radius=False)
    except UndecidedBranch:
        truth = "on a branch that cannot be decided here"
    if compiled.sides:
        shown = zip(compiled.labels, observed[0].tolist(), strict=True)
        return truth, ", ".join(f"{name} = {value!r}" for name, value in shown)
    return truth, repr(float(observed[0, entry]))


def reproduction(task: Task, found: Counterexample, weights: Sequence[float] = ()) -> str:
    """A short program that shows the disagreement again; ``weights`` where it is one of gradients."""
    arguments = [
        repr(task.claim.id),
        f"structure={found.structure!r}",
        f"inputs={found.inputs!r}",
        f"weights={list(weights)!r}" if weights else "",
        f"dtype={short(task.dtype)!r}",
        f"device={str(task.device)!r}" if task.device.type != "cpu" else "",
        "grade='float32'" if task.compiled.sums else "",
        task.called,
    ]
    lines = [f"    {argument}," for argument in arguments if argument]
    return "\n".join(["import gnomon", "", "result = gnomon.check_point(", *lines, ")", "print(result)"])


# ---------------------------------------------------------------- gradients

GRADIENTS = {
    "wrong formula": ("wrong gradient", "the values are right, but autograd's gradient is not the derivative: {}"),
    "inaccurate": ("inaccurate gradient", "the values are right, but autograd's gradient is off: {}"),
    "range": ("range", "the gradient is not finite where the derivative is finite and representable"),
}
"""What a class of values is called where it is one of gradients, and how its reason is told."""


def diagnose_gradient(task: Task, failure: Failure) -> Diagnosis | None:
    """The diagnosis of a wrong gradient under right values: the worst point, simplified, with both derivatives."""
    example = failure.example
    outputs = len(task.compiled.gradient(example.structure).compiled.labels)
    cotangent = cotangents(task, example, failure.batch.size, outputs)[failure.number]

    def fails(batch: Batch) -> Tensor:
        return _shares(task, example, batch, cotangent)[3].amax(-1) > 1

    point = minimise(failure.batch.point(failure.number), task.claim.inputs, fails, task.dtype)
    seen = gradient_at(task, example, point, cotangent)
    return seen if isinstance(seen, Diagnosis) else None


def _shares(task: Task, example: Example, batch: Batch, cotangent: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    weights = cotangent.expand(batch.size, -1)
    seen, value, bound = compare_gradients(task, example, task.observer(example), batch, weights)
    return seen, value, bound, gradient_share(seen, value, bound)


def gradient_at(task: Task, example: Example, point: Batch, cotangent: Tensor) -> Diagnosis | str:
    """What autograd gives at one point, for the outputs weighed by ``cotangent``: a diagnosis if it is wrong there."""
    gradient = task.compiled.gradient(example.structure)
    seen, value, bound, share = _shares(task, example, point, cotangent)
    entry = int(share[0].argmax())
    truth = gradient.enclosure(point, cotangent, entry)
    weights = cotangent.tolist()
    named = ", ".join(f"{weight:g}·{label}" for weight, label in zip(weights, gradient.compiled.labels, strict=True))
    found = Counterexample(
        structure=dict(example.structure),
        inputs={**example.host, **{name: at[0].tolist() for name, at in point.values.items()}},
        output=f"{gradient.labels[entry]} of {named}",
        observed=repr(float(seen[0, entry])),
        expected=truth.str(17, radius=False),
        difference=float((seen - value).abs()[0, entry]),
        budget=float(K * bound[0, entry]),
    )
    finite, budget = bool(seen[0, entry].isfinite()), ball(float(K * bound[0, entry]))
    over = bool(share[0, entry] > 1) and (not finite or abs(truth - ball(float(seen[0, entry]))) > budget)
    if not over:
        return f"holds {found}, {float(share[0, entry]):.0%} of what rounding allows"
    failure, why = classed(task, example, point, finite, of_gradients(task, example, cotangent))
    name, reason = GRADIENTS[failure]
    sizes = [math.prod(shape) for shape in gradient.wrt.values()]
    wrong = [bool((part > 1).any()) for part in torch.split(share[0], sizes)]
    if not all(wrong):
        off, right = (
            [f"∂/∂{x}" for x, no in zip(gradient.wrt, wrong, strict=True) if no is at] for at in (True, False)
        )
        reason += f"; at its smallest input it departs in {', '.join(off)}, where {agreeing(right)}"
    found = dataclasses.replace(found, code=reproduction(task, found, weights))
    return Diagnosis(name, reason.format(why), None, found)


def pinpoint(task: Task, example: Example, point: Batch) -> Diagnosis | str:
    """What a subject does at one given point: a diagnosis if it fails there, else a sentence with both values."""
    observed = alone(task, example, point)
    judgement = task.compiled(example.structure).judge(point, observed, task.dtype, task.device)
    entry = int(judgement.share[0].argmax())
    found = counterexample(task, example, point, observed, entry)
    if confirm(task, example, point, observed):
        failure, reason = classed(task, example, point, bool(judgement.finite[0, entry]), of_values)
        return Diagnosis(failure, reason, None, found)
    share = float(judgement.share[0, entry])
    return f"holds {found}, {share:.0%} of what rounding allows"
