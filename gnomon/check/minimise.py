"""The smallest failure: simpler structures, hyper-parameters and numbers, each step confirmed with Arb."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gnomon.check.domains import connected, structure_fault
from gnomon.check.exhaustive import elementwise
from gnomon.check.minimise_numbers import minimise
from gnomon.check.strategies import Example
from gnomon.check.task import Task
from gnomon.compute.balls import ball
from gnomon.compute.batch import Batch
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.driver import SubjectError
from gnomon.say.claim import Claim
from gnomon.say.domain import Choice, Graph, Size, Sizes

CANDIDATES = 6
SMALL = 288
PLAIN = (1.0, 0.0, 0.5, 2.0)


CROWD = 64
"""How often a number is repeated to fill the vectors of an elementwise kernel, whose rest takes another way."""


def alone(task: Task, example: Example, point: Batch) -> Tensor:
    """The observation (1, N) at one point, given to the subject as a user would.

    That is on its own; but in a tensor for a function of one number.
    """
    observer = task.observer(example)
    if elementwise(task.claim) and not observer.looped:
        observed, chosen = observer.many(point.take(torch.zeros(CROWD, dtype=torch.int64, device=task.device)))
        if chosen is None:
            return observed[:1].detach().to(torch.float64)
    tensors = {name: value[0] for name, value in observer.tensors(point).items()}
    shown = observer.one(tensors)
    return torch.cat([value.detach().to(torch.float64).reshape(1, -1) for value in shown.values()], -1)


def confirm(task: Task, example: Example, point: Batch, observed: Tensor) -> bool:
    """Whether Arb confirms that the observation at a point is over its budget."""
    compiled = task.compiled(example.structure)
    judgement = compiled.judge(point, observed, task.dtype, task.device)
    entry = int(judgement.share[0].argmax())
    if not bool(judgement.fails[0]):
        return False
    if not bool(judgement.finite[0, entry]):
        return True
    budget = ball(float(judgement.budget[0, entry]))
    try:
        if compiled.sides:
            small, large = compiled.enclosed_sides(point, observed)[entry]
            excess = small - large
            return not excess.is_finite() or bool(excess > budget)
        return bool(abs(compiled.enclosures(point)[entry] - ball(float(observed[0, entry]))) > budget)
    except UndecidedBranch:
        return False


def smallest(task: Task, example: Example, point: Batch) -> tuple[Example, Batch]:
    """The simplest structure, hyper-parameters and numbers found at which the subject still fails, confirmed."""
    best = example, point
    finite = bool(alone(task, example, point).isfinite().all())
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(task.claim, best[0]):
            if structure_fault(task.claim.structure, smaller.structure):
                continue
            found = _fails_at(task, smaller, finite)
            if found is not None:
                best, improved = (smaller, found), True
                break
    example, point = best
    simple = minimise(point, task.claim.inputs, lambda batch: _failing(task, example, batch, finite), task.dtype)
    return (example, simple) if confirm(task, example, simple, alone(task, example, simple)) else best


def _failing(task: Task, example: Example, batch: Batch, finite: bool) -> Tensor:
    """Which points of a batch fail, with finite observations or not as wanted; none if the subject cannot be run."""
    try:
        observed, chosen = task.observer(example).many(batch)
    except SubjectError:
        return torch.zeros(batch.size, dtype=torch.bool, device=task.device)
    looked = batch if chosen is None else batch.take(chosen)
    flat = observed.detach().to(torch.float64)
    fails = task.compiled(example.structure).judge(looked, flat, task.dtype, task.device).fails
    fails = fails & (flat.isfinite().all(-1) == finite)
    if chosen is None:
        return fails
    return torch.zeros(batch.size, dtype=torch.bool, device=task.device).index_put((chosen,), fails)


def _fails_at(task: Task, example: Example, finite: bool) -> Batch | None:
    """A confirmed failing point of a small batch of an example, if there is one."""
    try:
        batch = task.batch(example, SMALL)
        numbers = _failing(task, example, batch, finite).nonzero().flatten().tolist()[:CANDIDATES]
        for number in numbers:
            point = batch.point(number)
            if confirm(task, example, point, alone(task, example, point)):
                return point
    except (LoweringError, ZeroDivisionError, SubjectError):
        return None
    return None


def _smaller(claim: Claim, example: Example) -> Iterator[Example]:
    """Simpler structures and hyper-parameters, the boldest first."""
    least = _least_structure(claim)
    if least is not None and least != example.structure:
        yield dataclasses.replace(example, structure=least)
    dependent = any(isinstance(domain, (Sizes, Graph)) for domain in claim.structure)
    for domain in claim.structure:
        value = example.structure[domain.name]
        if isinstance(domain, Size) and value > domain.low and not dependent:
            gap = value - domain.low
            for smaller in dict.fromkeys(value - (gap >> halved) for halved in range(gap.bit_length())):
                yield dataclasses.replace(example, structure={**example.structure, domain.name: smaller})
        elif isinstance(domain, Choice) and value != next(iter(domain.options)):
            first = next(iter(domain.options))
            yield dataclasses.replace(example, structure={**example.structure, domain.name: first})
        elif isinstance(domain, Sizes):
            for position, width in enumerate(value):
                if width > domain.low:
                    fewer = [*value[:position], domain.low, *value[position + 1 :]]
                    yield dataclasses.replace(example, structure={**example.structure, domain.name: fewer})
        elif isinstance(domain, Graph) and len(value) > domain.size.low:
            fewer = [row[:-1] for row in value[:-1]]
            if not domain.connected or connected(fewer):
                size = {domain.size.name: len(fewer), domain.name: fewer}
                yield dataclasses.replace(example, structure={**example.structure, **size})
    for number in claim.inputs:
        if number.host:
            for plain in (*number.typical[:1], *PLAIN):
                if number.contains(plain) and _plainer(plain, example.host[number.name], number.typical):
                    yield dataclasses.replace(example, host={**example.host, number.name: plain})


def _plainer(new: float, old: float, typical: tuple[float, ...]) -> bool:
    order = [*typical[:1], *PLAIN]
    rank = {value: place for place, value in reversed(list(enumerate(order)))}
    return rank[new] < rank.get(old, len(order))


def _least_structure(claim: Claim) -> dict[str, Any] | None:
    """Every size at its least and every choice at its first, where nothing depends on anything else."""
    least: dict[str, Any] = {}
    for domain in claim.structure:
        if isinstance(domain, Size):
            least[domain.name] = domain.low
        elif isinstance(domain, Choice):
            least[domain.name] = next(iter(domain.options))
        else:
            return None
    return least
