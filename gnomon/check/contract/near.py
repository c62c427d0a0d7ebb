"""Whether two answers of a subject are near enough: by what rounding allows either, and never by a typed tolerance."""

from __future__ import annotations

from gnomon.check.contract.part import Setting, same
from gnomon.compute.compiled import K
from gnomon.drive.driver import Tensors


def departs(at: Setting, number: int, one: Tensors, other: Tensors) -> str:
    """The first output in which two answers at a point differ by more than twice what rounding allows either; or ""."""
    apart = [name for name, value in one.items() if not same(value, other[name]).all()]
    if not apart:
        return ""
    _, bound = at.compiled.truth(at.batch.point(number), at.case.dtype, at.case.device)
    start = 0
    for name in at.compiled.shapes:
        a, b = one[name].detach().reshape(-1), other[name].detach().reshape(-1)
        budget = 2 * K * bound[0, start : start + a.numel()]
        gap = (a.double() - b.double()).abs()
        if name in apart and not ((gap <= budget) | budget.isinf() | same(a, b)).all():
            return name
        start += a.numel()
    return ""
