"""Vector-Jacobian products of a subject that is called plainly, and what they owe the upstream gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.contract.near import departs, gradient_departs
from gnomon.check.contract.part import Part, Setting, Unseen, broken, where
from gnomon.check.observer import Observer
from gnomon.drive.driver import SubjectError, Tensors


def cotangent_at(at: Setting) -> Tensor:
    """Small whole numbers (1, N), none of them 0, with which the outputs are combined."""
    count = len(at.compiled.nodes)
    return whole_numbers(1, count, at.case.device)


def whole_numbers(points: int, count: int, device: torch.device) -> Tensor:
    """Small whole numbers (points, count), none of them 0."""
    numbers = torch.arange(points * count, dtype=torch.float64, device=device).reshape(points, count)
    return (numbers % 3 + 1) * (1 - 2 * (numbers % 2))


def shown(at: Setting, observer: Observer) -> tuple[Tensors, Tensors]:
    """The inputs of the first point as they are differentiated by, and what is observed there."""
    tensors = at.tensors()
    assert at.gradient is not None
    for name in at.gradient().wrt:
        tensors[name].requires_grad_().grad = torch.ones_like(tensors[name])
    observed = observer.one(tensors)
    for name in at.gradient().wrt:
        held = tensors[name].grad
        if held is None or not (held == 1).all():
            raise broken(f"changes the gradient that its input {name} holds{where(at)}")
    return tensors, observed


def product(at: Setting, observer: Observer, cotangent: Tensor | None) -> Tensor:
    """The vector-Jacobian product (M,) at the first point, in float64, entries as in ``gradient.labels``.

    Without a cotangent the outputs are summed: the upstream gradient is then 1, expanded.

    Raises:
        SubjectError: if the subject or its backward pass raises.
    """
    assert at.gradient is not None
    tensors, observed = shown(at, observer)
    flat = torch.cat([value.reshape(-1) for value in observed.values()])
    wanted = [tensors[name] for name in at.gradient().wrt]
    if not flat.requires_grad:
        raise broken(f"no gradient of a single point{where(at)}: the outputs do not require grad")
    try:
        given = flat.sum() if cotangent is None else flat
        upstream = None if cotangent is None else cotangent[0].to(flat.dtype)
        found = torch.autograd.grad(given, wanted, upstream, materialize_grads=True)
    except (Exception, SystemExit) as error:
        raise SubjectError("crash", f"the backward pass raises {type(error).__name__}: {error}") from error
    return torch.cat([value.detach().to(torch.float64).reshape(-1) for value in found])


def unlike(at: Setting, said: str, words: str) -> SubjectError:
    """The failure of a gradient that is another than it was."""
    return broken(f"the gradient {said}, {words}{where(at)}")


TIMES = 64
"""How many times the upstream gradient: beyond where gradients are clipped, and a power of two, so that it is exact."""


class UpstreamScales(Part):
    """Many times the upstream gradient make as many times the gradient; inputs that require grad change no value."""

    name = "the gradient scales with the upstream gradient"
    most = 2

    def absent(self, at: Setting) -> str:
        return "" if at.gradient is not None else "no gradient is compared for this claim"

    def look(self, at: Setting) -> None:
        if words := departs(at, 0, at.answer, shown(at, at.observer)[1]):
            raise broken(f"{words}, the second where the inputs require grad{where(at)}")
        cotangent = cotangent_at(at)
        single, many = product(at, at.observer, cotangent), product(at, at.observer, TIMES * cotangent)
        if not (single.isfinite() & many.isfinite()).all():
            raise Unseen("a gradient is not finite where it was looked at")
        if said := gradient_departs(at, cotangent, TIMES * single, many, scale=TIMES):
            raise unlike(
                at, said, f"{TIMES} times the gradient, and the gradient for {TIMES} times the upstream gradient"
            )
