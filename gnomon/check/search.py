"""The search: structures from Hypothesis, numbers in batches, and the judgement of a subject's values and gradients."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gnomon.check.contract import parts, plain
from gnomon.check.contract.part import Setting
from gnomon.check.domains import beyond
from gnomon.check.exhaustive import EVERY, every_number, lone_input, losses, worst_ulp
from gnomon.check.grade import graded, of_gradient
from gnomon.check.inputs import REGIMES, draw
from gnomon.check.observer import Observer
from gnomon.check.strategies import Example
from gnomon.compute.arrays.compiled import CompiledArrays, compile_arrays
from gnomon.compute.arrays.gradient import compile_array_gradient
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled, Gradient, Judgement, K, compile_claim, compile_gradient, spilled
from gnomon.compute.supposed import Supposed, suppose
from gnomon.drive.driver import Case, Driver, SubjectError
from gnomon.say.claim import Claim
from gnomon.say.evidence import GradientCheck, Search, Ulp, Verdict

OBJECT = "# impl=YourImplementation"
"""What a printed call says of a subject that has no name to import it by."""

EXCUSED_LIMIT = 0.75
"""A claim of which more than this share was excused is left undecided: too little was compared."""


@dataclass(frozen=True)
class Budget:
    """How much to look at: structures, points for each and for each gradient, large structures, and many steps."""

    structures: int
    points: int
    gradient_points: int
    large: int = 0
    steps: bool = False


BUDGETS = {
    "quick": Budget(8, 1152, 288, 1),
    "standard": Budget(16, 4608, 1152, 8, steps=True),
    "deep": Budget(64, 18432, 4608, 32, steps=True),
}

NUMBERS = 2**21
"""How many numbers the program may compute in a look at a large structure, but for one point of each regime."""


class Compilations:
    """The compiled forms of one claim, each made once; a cache that lives as long as the task.

    ``sums``: the format in which a subject must add up, where that is finer than its own.
    """

    def __init__(self, claim: Claim, sums: torch.dtype | None = None) -> None:
        self.claim, self.sums = claim, sums
        self._made: dict[str, Compiled] = {}
        self._gradients: dict[str, Gradient] = {}
        self._supposed: dict[str, Supposed] = {}

    def __call__(self, structure: dict[str, Any]) -> Compiled:
        key = json.dumps(structure, sort_keys=True)
        if key not in self._made:
            large = self.claim.relation is None and beyond(self.claim, structure)
            make = compile_arrays if large else compile_claim
            self._made[key] = dataclasses.replace(make(self.claim, structure), sums=self.sums)
        return self._made[key]

    def gradient(self, structure: dict[str, Any]) -> Gradient:
        key = json.dumps(structure, sort_keys=True)
        if key not in self._gradients:
            values = self(structure)
            if isinstance(values, CompiledArrays):
                self._gradients[key] = compile_array_gradient(values)
            else:
                self._gradients[key] = compile_gradient(values)
        return self._gradients[key]

    def supposed(self, structure: dict[str, Any]) -> Supposed:
        key = json.dumps(structure, sort_keys=True)
        if key not in self._supposed:
            self._supposed[key] = suppose(self.claim, structure)
        return self._supposed[key]


@dataclass
class Task:
    """A claim being checked against a subject on one device in one dtype.

    ``called`` is the argument of :func:`gnomon.check_point` that names the subject; "" for the reference model.
    ``reversed`` means that the claim is in doubt, and the subject is right: a counterexample then shows what the claim
    says as observed, and what the subject does as expected. ``compiler`` is the backend with which ``torch.compile`` is
    looked at, too; "" if it is not asked for.
    """

    claim: Claim
    driver: Driver
    subject: Any
    dtype: torch.dtype
    device: torch.device
    compiled: Compilations
    pointwise: bool = False
    called: str = OBJECT
    reversed: bool = False
    compiler: str = ""

    def observer(self, example: Example) -> Observer:
        """The subject, prepared for an example's structure and hyper-parameters."""
        compiled = self.compiled(example.structure)
        names = tuple(domain.name for domain in self.claim.inputs)
        return Observer(
            self.driver,
            self.subject,
            Case(
                example.structure,
                example.host,
                self.claim.options,
                names,
                compiled.shapes,
                self.dtype,
                self.device,
                compiled,
            ),
            self.pointwise,
        )

    def batch(self, example: Example, points: int) -> Batch:
        """The numbers of an example; all there are, for a function of one number in 16 bits."""
        if lone := lone_input(self.claim, self.dtype):
            return every_number(lone, example.host, self.dtype, self.device)
        generator = torch.Generator(self.device).manual_seed(example.seed)
        compiled = self.compiled(example.structure)
        if isinstance(compiled, CompiledArrays):
            points = min(points, max(len(REGIMES), NUMBERS // compiled.elements))
        return draw(self.claim.inputs, compiled.bindings, example.host, points, self.dtype, generator)


@dataclass(frozen=True)
class Failure:
    """A point at which the subject is over its budget, with the whole observation around it."""

    example: Example
    batch: Batch
    observed: Tensor
    number: int


@dataclass
class Outcome:
    """What a search found so far; ``loss`` is a batch with more digits lost than the claim allows, in its budget,
    ``lost_steps`` one in which updates got lost.
    """

    search: Search = field(default_factory=Search)
    looked_at: list[Example] = field(default_factory=list)
    excused_entries: int = 0
    worst_share: float = 0.0
    worst_where: str = ""
    ulp: Ulp | None = None
    failure: Failure | None = None
    loss: Failure | None = None
    lost_steps: Failure | None = None
    gradient: GradientCheck | None = None
    gradient_failure: Failure | None = None
    unreached: dict[str, str] = field(default_factory=dict)
    """Why some sizes were not looked at beyond those that are drawn."""


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
        outcome.ulp = dataclasses.replace(_worse(outcome.ulp, found), ceiling=task.claim.ceiling)
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


def _worse(known: Ulp | None, found: Ulp) -> Ulp:
    return found if known is None or found.error > known.error else known


def wants_gradient(task: Task) -> bool:
    """Whether a claim's gradient is to be compared: an equality between real numbers that some tensor input moves."""
    tensor = any(not domain.host and not domain.integer for domain in task.claim.inputs)
    return task.claim.relation is None and task.claim.gradient and task.driver.gradient != "none" and tensor


def thinned(batch: Batch, points: int) -> Batch:
    """About so many points of a batch, from every regime; all of them if it holds every number there is."""
    if batch.regimes[0][0] == EVERY or batch.size <= points:
        return batch
    device = next(iter(batch.values.values())).device
    return batch.take(torch.arange(0, batch.size, batch.size // points, device=device))


def judge_gradient(task: Task, example: Example, observer: Observer, batch: Batch, outcome: Outcome) -> None:
    """Compare autograd's vector-Jacobian product with the program's derivative on one batch."""
    known = outcome.gradient or GradientCheck("undecided", 0, 0.0, 0.0)
    gradient = task.compiled.gradient(example.structure)
    if observer.looped:  # one backward pass a point: a few points
        batch = batch.take(torch.arange(0, batch.size, max(1, batch.size // 16), device=task.device))
    cotangent = cotangents(task, example, batch.size, len(gradient.compiled.labels))
    seen = autograd_product(observer, batch, gradient, cotangent)

    def budget(held: Compiled) -> tuple[tuple[Tensor, Tensor], bool]:
        found = gradient_budget(task, of_gradient(gradient, held), batch, cotangent, seen, task.dtype)
        return found, bool((gradient_share(seen, *found) > 1).any())

    (value, bound), reached = graded(gradient.compiled, gradient.nodes, task.dtype, known.grade, budget)
    excused = bound.isinf()
    share = gradient_share(seen, value, bound)
    compared = int((~excused).sum())
    total = known.points * max(1, len(gradient.labels)) + excused.numel()
    worst = max(known.share, float(share.max())) if share.numel() else known.share
    missed = int(excused.sum()) + known.excused * known.points * max(1, len(gradient.labels))
    bad = share.amax(-1) > 1 if share.numel() else torch.zeros(batch.size, dtype=torch.bool)
    verdict: Verdict = "fails" if bool(bad.any()) else "holds" if compared or known.verdict == "holds" else "undecided"
    share_missed = missed / total if total else 0.0
    ulp = known.ulp
    if lone := lone_input(task.claim, task.dtype):
        truth = gradient.truth(batch, cotangent, torch.float64, task.device)
        ulp = _worse(ulp, worst_ulp(seen, truth, excused, batch.values[lone.name], task.dtype))
    outcome.gradient = GradientCheck(verdict, known.points + batch.size, worst, share_missed, ulp=ulp, grade=reached)
    if verdict == "fails":
        outcome.gradient_failure = Failure(example, batch, seen, int(share.amax(-1).argmax()))


def cotangents(task: Task, example: Example, points: int, outputs: int) -> Tensor:
    """Small whole numbers (B, N) with which the outputs are combined before they are differentiated.

    Where every input is tried they are 1, so that what is compared is the derivative itself.
    """
    if lone_input(task.claim, task.dtype):
        return torch.ones(points, outputs, dtype=torch.float64, device=task.device)
    generator = torch.Generator(task.device).manual_seed(example.seed + 1)
    return torch.randint(-4, 5, (points, outputs), generator=generator, device=task.device).to(torch.float64)


def compare_gradients(
    task: Task,
    example: Example,
    observer: Observer,
    batch: Batch,
    cotangent: Tensor,
    budget: torch.dtype | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Autograd's vector-Jacobian product (B, M), the program's, and the running bound of that in ``budget``.

    The budget is that of the task's own dtype if none is given.

    Raises:
        SubjectError: if the outputs carry no gradient, or the subject or its backward pass raises.
    """
    gradient = task.compiled.gradient(example.structure)
    seen = autograd_product(observer, batch, gradient, cotangent)
    return seen, *gradient_budget(task, gradient, batch, cotangent, seen, budget or task.dtype)


def gradient_budget(
    task: Task, gradient: Gradient, batch: Batch, cotangent: Tensor, seen: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """The program's vector-Jacobian product (B, M), and its running bound in a dtype, infinite where excused."""
    value, bound = gradient.truth(batch, cotangent, dtype, task.device)
    _, at_value = gradient.compiled.truth(batch, dtype, task.device)
    bound = bound.masked_fill(at_value.isinf().any(-1, keepdim=True), torch.inf)  # autograd goes through the values
    return value, spilled(bound, seen)


def gradient_share(seen: Tensor, value: Tensor, bound: Tensor) -> Tensor:
    """The error of a gradient as a share of its budget; 0 where excused, infinite where it is not finite."""
    share = torch.where(seen == value, 0.0, (seen - value).abs() / (K * bound))
    return torch.where(bound.isinf(), 0.0, torch.nan_to_num(share, nan=torch.inf, posinf=torch.inf))


def autograd_product(observer: Observer, batch: Batch, gradient: Gradient, cotangent: Tensor) -> Tensor:
    """Autograd's vector-Jacobian product (B, M), entries in the order of ``gradient.labels``.

    Raises:
        SubjectError: if the outputs carry no gradient, or the subject or its backward pass raises.
    """
    tensors = observer.tensors(batch)
    for name in gradient.wrt:
        tensors[name] = tensors[name].detach().requires_grad_()
    observed, chosen = observer.many(batch, tensors)
    if chosen is not None:
        cotangent = cotangent[chosen]
    if not observed.requires_grad:
        raise SubjectError("contract", "no gradient: the outputs do not require grad although the inputs do")
    wanted = [tensors[name] for name in gradient.wrt]
    try:
        found = torch.autograd.grad(observed, wanted, cotangent.to(observed.dtype), allow_unused=True)
    except (Exception, SystemExit) as error:
        raise SubjectError("crash", f"the backward pass raises {type(error).__name__}: {error}") from error
    pieces = [
        (torch.zeros_like(at) if grad is None else grad).detach().to(torch.float64).reshape(batch.size, -1)
        for at, grad in zip(wanted, found, strict=True)
    ]
    return torch.cat(pieces, -1)
