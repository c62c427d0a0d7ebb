"""A function of one number answers a long array of them one by one, to the last: past every block it is cut into."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.contract.model import reference
from gnomon.check.contract.part import Part, Setting, Unseen, broken, where
from gnomon.check.exhaustive import elementwise
from gnomon.check.observer import Observer
from gnomon.compute.compiled import K, spilled
from gnomon.drive.driver import SubjectError

LONG = 1025
"""How many numbers lie along the axis: one more than a block of 1024, and than whole blocks of any power of two."""


class LongAxis(Part):
    """Numbers along an axis in front are answered, and differentiated, each on its own."""

    name = "a long leading axis"
    most = 2

    def concerns(self, at: Setting) -> bool:
        alone = elementwise(at.claim) is not None and at.claim.relation is None and not at.claim.structure
        return alone and at.observer.driver.batch == "vmap"

    def look(self, at: Setting) -> None:
        model = at.observer.of(reference(at))
        try:
            if _wrong(at, model, LONG):
                raise Unseen("the reference model takes no leading axis")
        except SubjectError as error:
            raise Unseen("the reference model takes no leading axis") from error
        try:
            found = _wrong(at, at.observer, LONG)
        except SubjectError as error:
            if error.failure == "contract":
                raise
            raise Unseen(f"it takes no leading axis: {error.reason}") from error
        if found:
            count = _smallest(at)
            raise broken(f"from {count} numbers along an axis on: {_wrong(at, at.observer, count)}{where(at)}")


def _smallest(at: Setting) -> int:
    """So many numbers along the axis as are needed, found by halving the distance to none."""
    count, gap = LONG, LONG // 2
    while gap:
        if count > gap and _fails(at, count - gap):
            count -= gap
        else:
            gap //= 2
    return count


def _fails(at: Setting, count: int) -> bool:
    try:
        return bool(_wrong(at, at.observer, count))
    except SubjectError:
        return False


def _wrong(at: Setting, observer: Observer, count: int) -> str:
    """What is wrong with the answers for so many numbers, or with their gradient; or "".

    Raises:
        SubjectError: if the subject raises, or answers with other shapes.
    """
    points = at.batch.take(torch.arange(count, device=at.batch.device) * 7 % at.batch.size)
    tensors = observer.tensors(points)
    if at.gradient is not None:
        tensors = {name: value.detach().requires_grad_() for name, value in tensors.items()}
    shown = observer.along(tensors, count)
    value, bound = at.compiled.truth(points, at.case.dtype, at.case.device)
    flat = shown.detach().double()
    if words := _apart(flat, value, spilled(K * bound, flat), at.compiled.labels):
        return words
    if at.gradient is None or not shown.requires_grad:
        return ""
    gradient = at.gradient()
    seen = torch.autograd.grad(shown.sum(), [tensors[name] for name in gradient.wrt], allow_unused=True)
    rows = [torch.zeros(count, 1) if each is None else each.detach().double().reshape(count, -1) for each in seen]
    slope, allowed = gradient.truth(points, torch.ones_like(flat), at.case.dtype, at.case.device)
    allowed = allowed.masked_fill(bound.isinf().any(-1, keepdim=True), torch.inf)
    found = torch.cat(rows, -1)
    labels = tuple(f"the derivative by {label}" for label in gradient.labels)
    return _apart(found, slope, spilled(K * allowed, found), labels)


def _apart(seen: Tensor, value: Tensor, budget: Tensor, labels: tuple[str, ...]) -> str:
    """The first number (B, N) that is over its budget, with both values; or ""."""
    near = ((seen - value).abs() <= budget) | budget.isinf() | (seen == value)
    if near.all():
        return ""
    row, entry = (int(each) for each in (~near).nonzero()[0])
    return (
        f"{labels[entry]} of number {row + 1} is {float(seen[row, entry]):.6g} and not {float(value[row, entry]):.6g}"
    )
