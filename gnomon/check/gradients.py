"""Gradients: autograd's vector-Jacobian product against the derivative of the program."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.exhaustive import EVERY, lone_input, worst_ulp
from gnomon.check.grade import graded, of_gradient
from gnomon.check.observer import Observer
from gnomon.check.strategies import Example
from gnomon.check.task import Failure, Outcome, Task
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled, Gradient, K, spilled
from gnomon.drive.driver import SubjectError
from gnomon.say.evidence import GradientCheck, Ulp, Verdict


def worse(known: Ulp | None, found: Ulp) -> Ulp:
    """The greater of two errors in ulp."""
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
        ulp = worse(ulp, worst_ulp(seen, truth, excused, batch.values[lone.name], task.dtype))
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
