"""Drivers: how a kind of subject is called, and what a claim reads off it. The drivers are in property_tests/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from gnomon.compute.compiled import Compiled

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Case:
    """What a driver may know: the structure, the hyper-parameters, the claim's options, the dtype and the device."""

    structure: Mapping[str, Any]
    host: Mapping[str, float]
    options: Mapping[str, Any]
    inputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    dtype: torch.dtype
    device: torch.device
    compiled: Compiled


Call = Callable[[Tensors], Tensors]
"""From the tensors of one point (or of a batch, for a "leading" driver) to the outputs, by name."""


@dataclass(frozen=True)
class Driver:
    """How to call a kind of subject.

    ``prepare(subject, case)`` builds what may be built once and returns the call for a point. ``batch`` says how many
    points run at once: "vmap" (``torch.func.vmap`` of the call), "leading" (the call takes a leading batch axis), or
    "loop". ``gradient`` is "required" where a missing gradient is a fault, "none" where subjects
    work outside autograd. ``looks`` shows what
    such a subject should look like, for error messages.
    """

    prepare: Callable[[Any, Case], Call]
    looks: str
    batch: Literal["vmap", "leading", "loop"] = "vmap"
    gradient: Literal["required", "none"] = "required"


class SubjectError(Exception):
    """The subject broke its contract or crashed; ``failure`` is the class and the message the reason."""

    def __init__(self, failure: str, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason
