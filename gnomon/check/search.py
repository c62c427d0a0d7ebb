"""The search: structures from Hypothesis, numbers in batches, and the judgement of what a subject shows."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from gnomon.check.contract import parts, plain
from gnomon.check.contract.part import Setting
from gnomon.check.exhaustive import lone_input, losses, worst_ulp
from gnomon.check.grade import graded
from gnomon.check.gradients import judge_gradient, thinned, wants_gradient, worse
from gnomon.check.observer import Observer
from gnomon.check.strategies import Example
from gnomon.check.task import Budget, Failure, Outcome, Task
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled, Judgement

EXCUSED_LIMIT = 0.75
"""A claim of which more than this share was excused is left undecided: too little was compared."""


def judge_batch(task: Task, example: Example, observer: Observer, batch: Batch, outcome: Outcome) -> Failure | None:
    """Compare one batch; count it; the worst failing point if there is one."""
    compiled = task.compiled(example.structure)
    observed, chosen = observer.many(batch)
    if chosen is not None:
        batch = batch.take(chosen)
    flat = observed.detach().to(torch.float64)
    judgement, outcome.search.grade = graded(
        compiled, compiled.nodes, task.dtype, outcome.search.grade, lambda held: _judged(task, held, batch, flat)
    )
    excused = judgement.excused
    outcome.looked_at.append(example)
    outcome.search.structures += 1
    outcome.search.points += batch.size
    outcome.search.comparisons += int((~excused).sum())
    outcome.excused_entries += int(excused.sum())
    looked_at = outcome.search.comparisons + outcome.excused_entries
    outcome.search.excused = outcome.excused_entries / looked_at if looked_at else 0.0
    outcome.search.loop |= chosen is not None
    for regime, count in batch.regimes:
        outcome.search.regimes[regime] = outcome.search.regimes.get(regime, 0) + count
    for name, met in task.compiled.supposed(example.structure).met(batch).items():
        outcome.search.conditions[name] = outcome.search.conditions.get(name, 0) + int(met.sum())
    share = judgement.share
    row = int(share.amax(-1).argmax())
    if lone := lone_input(task.claim, task.dtype):
        truth = compiled.truth(batch, torch.float64, task.device)
        found = worst_ulp(flat, truth, excused, batch.values[lone.name], task.dtype)
        outcome.ulp = dataclasses.replace(worse(outcome.ulp, found), ceiling=task.claim.ceiling)
        if task.claim.ceiling and bool((losses(flat, truth, excused, task.dtype) > task.claim.ceiling).any()):
            outcome.loss = outcome.loss or Failure(example, batch, flat, row)
    if float(share[row].max()) > outcome.worst_share:
        outcome.worst_share = float(share[row].max())
        outcome.worst_where = compiled.judged[int(share[row].argmax())]
    return Failure(example, batch, flat, row) if bool(judgement.fails[row]) else None


def _judged(task: Task, compiled: Compiled, batch: Batch, observed: Tensor) -> tuple[Judgement, bool]:
    judgement = compiled.judge(batch, observed, task.dtype, task.device)
    return judgement, bool(judgement.fails.any())


def judge_plain(task: Task, example: Example, setting: Setting, outcome: Outcome) -> Failure | None:
    """Compare some points at which the subject is called on its own, as a user calls it; the worst if one fails."""
    batch = plain.points(setting)
    shown = plain.answers(setting, batch)
    judgement = task.compiled(example.structure).judge(batch, shown, task.dtype, task.device)
    outcome.search.contract[plain.NAME] = outcome.search.contract.get(plain.NAME, 0) + 1
    row = int(judgement.share.amax(-1).argmax())
    return Failure(example, batch, shown, row) if bool(judgement.fails[row]) else None


def search(task: Task, examples: list[Example], budget: Budget) -> Iterator[Outcome]:
    """Look at the examples one after another, yielding the growing outcome; stops at the first failure.

    Raises:
        SubjectError: if the subject crashes or breaks its contract.
    """
    started = time.perf_counter()
    outcome = Outcome()
    if lone_input(task.claim, task.dtype):  # every number is tried, so another seed would try the same again
        examples = list({json.dumps([example.structure, example.host]): example for example in examples}.values())
    setting: Setting | None = None
    for example in examples:
        observer = task.observer(example)
        batch = task.batch(example, budget.points)
        if not batch.size:  # the format has no number in the domain
            continue
        setting = _setting(task, example, observer, batch, setting)
        parts.look(setting, outcome.search, early=True)
        outcome.failure = judge_batch(task, example, observer, batch, outcome)
        if outcome.failure is None:
            outcome.failure = judge_plain(task, example, setting, outcome)
        outcome.search.seconds = time.perf_counter() - started
        if outcome.failure is not None:
            yield outcome
            return
        if wants_gradient(task):
            judge_gradient(task, example, observer, thinned(batch, budget.gradient_points), outcome)
            if outcome.gradient_failure is not None:
                yield outcome
                return
        parts.look(setting, outcome.search, early=False)
        outcome.search.seconds = time.perf_counter() - started
        yield outcome
    if setting is not None:
        parts.settle(setting, outcome.search)


def _setting(task: Task, example: Example, observer: Observer, batch: Batch, earlier: Setting | None) -> Setting:
    """Where the parts of the contract look; of those before, one is kept."""
    gradient = partial(task.compiled.gradient, example.structure) if wants_gradient(task) else None
    if earlier is not None:
        earlier.earlier = None
    notes = {} if earlier is None else earlier.notes
    return Setting(task.claim, task.subject, observer, batch, gradient, earlier, notes, task.compiler)
