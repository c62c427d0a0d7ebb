"""Whether two answers of a subject are near enough: by what rounding allows either, and never by a typed tolerance."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.contract.part import Setting, same
from gnomon.compute.compiled import K, spilled
from gnomon.drive.driver import Tensors


def departs(at: Setting, number: int, one: Tensors, other: Tensors) -> str:
    """The first entry in which two answers at a point differ by more than twice what rounding allows either; or ""."""
    a, b = (torch.cat([answer[n].detach().double().reshape(-1) for n in at.compiled.shapes]) for answer in (one, other))
    if same(a, b).all():
        return ""
    _, bound = at.compiled.truth(at.batch.point(number), at.case.dtype, at.case.device)
    return apart(a, b, spilled(K * bound, torch.stack([a, b]).sum(0, keepdim=True))[0], at.compiled.labels)


def gradient_departs(at: Setting, cotangent: Tensor, one: Tensor, other: Tensor, scale: float = 1.0) -> str:
    """The first entry in which two vector-Jacobian products (M,) at the first point differ so; or "".

    Both are for ``scale`` times the cotangent (1, N).
    """
    if same(one, other).all():
        return ""
    assert at.gradient is not None
    gradient = at.gradient()
    point = at.batch.point(0)
    _, bound = gradient.truth(point, scale * cotangent, at.case.dtype, at.case.device)
    _, value = gradient.compiled.truth(point, at.case.dtype, at.case.device)  # autograd goes through the values
    bound = bound.masked_fill(value.isinf().any(-1, keepdim=True), torch.inf)
    return apart(one, other, spilled(K * bound, (one + other)[None])[0], gradient.labels)


def apart(a: Tensor, b: Tensor, budget: Tensor, labels: tuple[str, ...]) -> str:
    """The first entry whose two values differ by more than twice its budget, with both values; or ""."""
    near = ((a - b).abs() <= 2 * budget) | budget.isinf() | same(a, b)
    if near.all():
        return ""
    entry = int((~near).nonzero()[0])
    return f"{labels[entry]} is {float(a[entry]):.6g} and {float(b[entry]):.6g}"
