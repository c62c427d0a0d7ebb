"""Many steps: recursions that run far longer than those that are drawn, and updates that get lost on the way.

A bug of step 7, or of step 100, shows at no small size. In a format of 16 bits a state that is kept in it loses every
update below half a unit in its last place: after many steps it may not have moved at all, which is inside the budget of
a program that rounds at each step. What rounds once, at the end, is told from it, and the verdict names which it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import sympy as sp
import torch
from torch import Tensor

from gnomon.check import large
from gnomon.check.diagnose import Diagnosis, counterexample
from gnomon.check.gradients import wants_gradient
from gnomon.check.minimise import alone
from gnomon.check.strategies import Example
from gnomon.check.task import NUMBERS, Failure, Outcome, Task
from gnomon.compute.arrays.compiled import CompiledArrays
from gnomon.compute.arrays.recursion import Recursion
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled, K
from gnomon.compute.whole_numbers import LoweringError
from gnomon.proof.terms import name_of
from gnomon.say.claim import Claim
from gnomon.say.domain import Graph, Size, Sizes

MANY = (129, 65, 33)
"""How many steps are looked at, the most that a look affords first; in 16 bits the last, since much rounds anyway."""

LOOPED = 65
"""The most steps of a subject that takes one point at a time."""

SINGLE = 400
"""As many single steps of definitions may be lowered for it, of which each takes some milliseconds; half of it where
there is a gradient, which takes as long again.
"""

POINTS = 54
"""Points at which a grade is decided: few of them have updates that are small, and add up."""

KEPT, LOST = "steps in float32", "steps in the dtype itself, where updates below half an ulp are lost"


def recursions(claim: Claim) -> set[str]:
    """The definitions of a program that add something of the inputs to what they were a step before."""
    lets = {name_of(lhs): (tuple(getattr(lhs, "indices", ())), sp.sympify(rhs)) for lhs, rhs in claim.program.lets}
    recursive = Recursion(lets).recursive
    names = {name: {name_of(e) for e in rhs.atoms(sp.Indexed, sp.Symbol)} for name, (_, rhs) in lets.items()}
    fed = {domain.name for domain in claim.inputs if not domain.host}
    while more := {name for name, used in names.items() if used & fed} - fed:
        fed |= more
    return {
        name
        for name in recursive & fed
        if any({name_of(e) for e in part.atoms(sp.Indexed)} & recursive for part in lets[name][1].atoms(sp.Add))
    }


def step_examples(task: Task, examples: Sequence[Example]) -> Iterator[Example]:
    """Structures with many steps for each size along which the program recurs.

    Hyper-parameters are as usual, the first of their typical values, with which updates are small; and, but in 16 bits,
    the last of them, since a rate that is halved at each step soon shows nothing. Claims with
    conditions, lists of sizes, graphs, probabilities and inequalities are left out, and sizes that are bounded.
    """
    claim = task.claim
    conditions = claim.written.conditions if claim.written is not None else ()
    left_out = bool(conditions) or any(isinstance(domain, (Sizes, Graph)) for domain in claim.structure)
    if left_out or claim.relation is not None or any(d.simplex or d.lengths is not None for d in claim.inputs):
        return
    recursive = recursions(claim)
    if not recursive:
        return
    base = examples[-1]
    ends = (0,) if task.dtype.itemsize == 2 else (0, -1)
    hosts = [d for d in claim.inputs if d.host and d.typical]
    typical = [{d.name: d.typical[k] for d in hosts if d.contains(d.typical[k])} for k in ends]
    for size in claim.structure:
        if isinstance(size, Size) and not size.closed and (steps := _most(task, base, size, recursive)):
            structure = {**base.structure, size.name: steps}
            for number, usual in enumerate(typical):
                if usual not in typical[:number]:
                    yield dataclasses.replace(base, structure=structure, host={**base.host, **usual})


def _most(task: Task, base: Example, size: Size, recursive: set[str]) -> int:
    """How many steps a look affords along a size; 0 if the program does not recur along it."""
    first, then = size.high + 1, size.high + 3
    try:
        few, more = (task.compiled({**base.structure, size.name: extent}) for extent in (first, then))
    except (LoweringError, ZeroDivisionError):
        return 0
    if not isinstance(few, CompiledArrays) or not isinstance(more, CompiledArrays):
        return 0
    own = [sum(way.steps.get(name, 0) for way in each.ways for name in recursive) for each in (few, more)]
    if own[1] <= own[0]:
        return 0
    made = [sum(sum(way.steps.values()) for way in each.ways) for each in (few, more)]
    most = SINGLE // 2 if wants_gradient(task) else SINGLE
    power = max(1.0, math.log(more.elements / few.elements) / math.log(then / first))
    for steps in MANY[-1:] if task.dtype.itemsize == 2 else MANY:
        single = made[1] + (made[1] - made[0]) / (then - first) * (steps - then)
        numbers = more.elements * (steps / then) ** power
        slow = task.driver.batch == "loop" and steps > LOOPED
        if steps > then and single <= most and numbers * 9 <= NUMBERS and not slow:
            return steps
    return 0


def look(task: Task, examples: Sequence[Example], outcome: Outcome) -> Failure | None:
    """Compare a few points after many steps; the failure with the fewest steps if one fails.

    For a format of 16 bits the outcome then says whether updates were lost.

    Raises:
        SubjectError: if the subject crashes or breaks its contract.
    """
    for example in step_examples(task, examples):
        failure = large.look(task, examples, outcome, 1, [example])
        if failure is not None or outcome.gradient_failure is not None:
            return failure
        if task.dtype.itemsize == 2 and example in outcome.looked_at:
            _grade(task, example, outcome)
    return None


# ---------------------------------------------------------------- what is lost in 16 bits


def _grade(task: Task, example: Example, outcome: Outcome) -> None:
    """Whether all points are within what float32 costs, rounded once at the end; where the two budgets differ."""
    if outcome.search.steps == LOST:
        return
    batch = task.batch(example, POINTS)
    shown, chosen = task.observer(example).many(batch)
    batch = batch if chosen is None else batch.take(chosen)
    compiled, flat = task.compiled(example.structure), shown.detach().to(torch.float64)
    share, tells = _finely(task, compiled, batch, flat)
    if bool((share > 1).any()):
        outcome.search.steps = LOST
        outcome.lost_steps = Failure(example, batch, flat, int(share.amax(-1).argmax()))
    elif bool(tells.any()):
        outcome.search.steps = KEPT


def _finely(task: Task, compiled: Compiled, batch: Batch, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Errors (B, N) as shares of the finer budget, and where a program that rounds at each step may be over it."""
    value, budget = fine_budget(task, compiled, batch)
    _, coarse = dataclasses.replace(compiled, sums=None).truth(batch, task.dtype, task.device)
    known = coarse.isfinite() & budget.isfinite()
    share = torch.where(known, (seen - value).abs() / budget, 0.0)
    return torch.nan_to_num(share, nan=torch.inf, posinf=torch.inf), known & (coarse > budget)


def fine_budget(task: Task, compiled: Compiled, batch: Batch) -> tuple[Tensor, Tensor]:
    """The program's values (B, N), and K times what they may be off in float32, with one rounding at the end."""
    info = torch.finfo(task.dtype)
    value, bound = compiled.truth(batch, torch.float32, task.device)
    return value, K * bound + (value.abs() + K * bound) * info.eps / 2 + info.tiny


def lost_steps(task: Task, failure: Failure) -> Diagnosis | None:
    """The diagnosis of updates that got lost where float32 was asked for; None if they do not when looked at alone."""
    return lost_steps_at(task, failure.example, failure.batch.point(failure.number))


def lost_steps_at(task: Task, example: Example, point: Batch) -> Diagnosis | None:
    """What a subject lost at one point, if that is more than float32 would."""
    compiled = task.compiled(example.structure)
    if task.dtype.itemsize != 2 or task.compiled.sums is None or not isinstance(compiled, CompiledArrays):
        return None
    observed = alone(task, example, point)
    share, _ = _finely(task, compiled, point, observed)
    entry = int(share[0].argmax())
    if not float(share[0, entry]) > 1:
        return None
    found = counterexample(task, example, point, observed, entry)
    budget = float(fine_budget(task, compiled, point)[1][0, entry])
    reason = f"updates are lost: {found.output} is {found.observed}, expected {found.expected}; with its steps in "
    reason += f"float32, and rounded at the end, it would be off by no more than {budget:.3g}"
    return Diagnosis("inaccurate", reason, None, dataclasses.replace(found, budget=budget))
