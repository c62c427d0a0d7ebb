"""Functions that a subject is given: formulas in SymPy as callables, modules and transforms of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Transform, constraints

from gnomon.drive.lowered import broadcast
from gnomon.drive.run import Run, compute
from gnomon.say import arguments as a


@compute.register
def _(part: a.Function, run: Run) -> Any:
    called = callable_of(part, run)
    if part in run.watches:
        called = run.watches[part](called)
    return _Module(called) if part.module else called


def callable_of(part: a.Function, run: Run) -> Callable[..., Any]:
    """The function of tensors: axes that its arguments have in front in common are kept in front."""
    if isinstance(part.entry, tuple):
        each = [callable_of(a.Function(part.arguments, entry, part.ranges), run) for entry in part.entry]
        return lambda *arguments: tuple(function(*arguments) for function in each)
    names = tuple(str(getattr(symbol, "label", symbol)) for symbol in part.arguments)
    indexed = [hasattr(symbol, "label") for symbol in part.arguments]
    lowered = run.session.lowered(part.entry, part.ranges, run.indices, names)
    ranks = [lowered.rank(name, 1 if is_indexed else 0) for name, is_indexed in zip(names, indexed, strict=True)]

    def function(*arguments: Any) -> Tensor:
        if len(arguments) != len(names):
            raise TypeError(f"{part} takes {len(names)} arguments, got {len(arguments)}")
        given = [torch.as_tensor(value, device=run.case.device) for value in arguments]
        leads = [value.shape[: value.ndim - rank] for value, rank in zip(given, ranks, strict=True)]
        wide = [value for value, is_indexed in zip(given, indexed, strict=True) if is_indexed] or given
        floating = [value.dtype for value in wide if value.is_floating_point()]
        dtype = floating[0] if floating else run.case.dtype
        like = torch.empty((), dtype=dtype, device=run.case.device)
        lead = broadcast(*leads)
        known = {**run.tensors, **dict(zip(names, given, strict=True))}
        return lowered(known, run.case.host, like, lead).to(dtype)

    return function


class _Module(nn.Module):
    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *arguments: Any) -> Tensor:
        return self.function(*arguments)


class _Map(Transform):
    """A map of vectors as torch's transforms are."""

    domain = codomain = constraints.real_vector
    bijective = True

    def __init__(self, forward: Any, inverse: Any, log_det: Any) -> None:
        super().__init__()
        self._forward, self._back, self._log_det = forward, inverse, log_det

    def _call(self, x: Tensor) -> Tensor:
        return self._forward(x)  # type: ignore[no-any-return]

    def _inverse(self, y: Tensor) -> Tensor:
        return self._back(y)  # type: ignore[no-any-return]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self._log_det(x)  # type: ignore[no-any-return]


@compute.register
def _(part: a.Map, run: Run) -> Any:
    return _Map(*(callable_of(each, run) for each in (part.forward, part.inverse, part.log_det)))
