"""A subject seen through its driver: prepared once, and looked at in batches or at a point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.batch import Batch
from gnomon.drive.driver import Case, Driver, SubjectError, Tensors

LOOP_POINTS = 54
"""How many points of a batch are looked at when a subject cannot be run on all of them at once."""


class Observer:
    """A subject, prepared for one structure and dtype, and looked at through its driver."""

    def __init__(self, driver: Driver, subject: Any, case: Case, pointwise: bool = False) -> None:
        self.driver, self.case, self.pointwise = driver, case, pointwise
        self.looped = driver.batch == "loop" or pointwise
        self._call = _guarded(driver.prepare, subject, case)

    def of(self, subject: Any) -> Observer:
        """Another subject, prepared and looked at in the same way."""
        return Observer(self.driver, subject, self.case, self.pointwise)

    def tensors(self, batch: Batch) -> Tensors:
        """A batch's inputs in the subject's dtype."""
        return {name: value.to(self.case.dtype) for name, value in batch.values.items()}

    def one(self, tensors: Tensors) -> Tensors:
        """The outputs at a single point, checked for names, types, shapes, dtype and device.

        Raises:
            SubjectError: if the subject raises or breaks its contract.
        """
        if self.driver.batch == "leading":
            lifted = _guarded(self._call, {name: value.unsqueeze(0) for name, value in tensors.items()})
            return {name: self._checked(name, value, (1,))[0] for name, value in self._named(lifted).items()}
        found = self._named(_guarded(self._call, tensors))
        return {name: self._checked(name, value, ()) for name, value in found.items()}

    def along(self, tensors: Tensors, count: int) -> Tensor:
        """The observations (B, N) of so many points that lie along an axis in front, in one plain call.

        Raises:
            SubjectError: if the subject raises or breaks its contract.
        """
        found = self._named(_guarded(self._call, tensors))
        return self._flat({name: self._checked(name, value, (count,)) for name, value in found.items()})

    def many(self, batch: Batch, tensors: Tensors | None = None) -> tuple[Tensor, Tensor | None]:
        """The observations (B, N) in the subject's dtype, and which points were looked at (None: all).

        Raises:
            SubjectError: if the subject raises or breaks its contract.
        """
        tensors = self.tensors(batch) if tensors is None else tensors
        if not tensors:
            return self._flat({name: value.unsqueeze(0) for name, value in self.one({}).items()}), None
        if self.driver.batch == "leading" and not self.looped:
            found = self._named(_guarded(self._call, tensors))
            return self._flat({name: self._checked(name, v, (batch.size,)) for name, v in found.items()}), None
        if not self.looped:
            try:
                return self._flat(self._named(torch.func.vmap(self._call)(tensors))), None
            except (Exception, SystemExit):
                self.looped = True  # value-dependent branches, .item() and the like: one point at a time, fewer points
        step = max(1, batch.size // LOOP_POINTS)
        chosen = torch.arange(0, batch.size, step, device=self.case.device)
        rows = [self.one({name: value[number] for name, value in tensors.items()}) for number in chosen.tolist()]
        return self._flat({name: torch.stack([row[name] for row in rows]) for name in self.case.shapes}), chosen

    def _named(self, outputs: Any) -> Tensors:
        if not isinstance(outputs, dict):
            raise SubjectError("contract", f"expected {', '.join(self.case.shapes)}, got {type(outputs).__name__}")
        missing = [name for name in self.case.shapes if name not in outputs]
        if missing:
            raise SubjectError("contract", f"shows no {', '.join(missing)}")
        return {name: outputs[name] for name in self.case.shapes}

    def _checked(self, name: str, value: Any, lead: tuple[int, ...]) -> Tensor:
        if not isinstance(value, Tensor):
            raise SubjectError("contract", f"{name} is {type(value).__name__}, expected a torch.Tensor")
        shape = (*lead, *self.case.shapes[name])
        if tuple(value.shape) != shape:
            raise SubjectError("contract", f"{name} has shape {tuple(value.shape)}, expected {shape}")
        if value.dtype != self.case.dtype:
            raise SubjectError("contract", f"{name} has dtype {value.dtype}, expected {self.case.dtype}")
        if value.device.type != self.case.device.type:
            raise SubjectError("contract", f"{name} is on {value.device}, expected {self.case.device}")
        return value

    def _flat(self, outputs: Tensors) -> Tensor:
        return torch.cat([value.reshape(value.shape[0], -1) for value in outputs.values()], -1)


def _guarded(function: Callable[..., Any], *args: Any) -> Any:
    """Call what the user wrote; whatever it raises becomes a verdict with a reason."""
    try:
        return function(*args)
    except SubjectError:
        raise
    except (Exception, SystemExit) as error:
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f" (line {frame.tb_lineno} of {frame.tb_frame.f_code.co_name})" if frame is not None else ""
        raise SubjectError("crash", f"raises {type(error).__name__}: {error}{where}") from error
