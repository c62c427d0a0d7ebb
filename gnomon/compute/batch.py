"""A batch: the numbers of many points at once, as the search draws them and the compiled claims take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.lower import entries
from gnomon.compute.slp import Leaf


@dataclass(frozen=True)
class Batch:
    """Drawn inputs: a float64 tensor (B, *shape) for each tensor input, a float for each hyper-parameter."""

    values: dict[str, Tensor]
    host: dict[str, float]
    regimes: tuple[tuple[str, int], ...]
    size: int

    def leaves(self) -> dict[Leaf, Any]:
        """The numbers as leaves of a program: for each entry its values (B,) at all points."""
        found: dict[Leaf, Any] = {(name, ()): value for name, value in self.host.items()}
        for name, value in self.values.items():
            for index in entries(tuple(value.shape[1:])):
                entry: tuple[Any, ...] = (slice(None), *index)
                found[name, index] = value[entry]
        return found

    def point(self, number: int) -> Batch:
        """The batch that holds one of the points alone."""
        return self.take(torch.tensor([number], device=self.device))

    def take(self, numbers: Tensor) -> Batch:
        """The batch of some of the points."""
        values = {name: value[numbers] for name, value in self.values.items()}
        return Batch(values, self.host, (("chosen", len(numbers)),), len(numbers))

    @property
    def device(self) -> torch.device:
        return next((value.device for value in self.values.values()), torch.device("cpu"))
