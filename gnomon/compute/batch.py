"""A batch: the numbers of many points at once, as the search draws them and the compiled claims take them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Drawn inputs: a float64 tensor (B, *shape) for each tensor input, a float for each hyper-parameter."""

    values: dict[str, Tensor]
    host: dict[str, float]
    regimes: tuple[tuple[str, int], ...]
    size: int

    def point(self, number: int) -> Batch:
        """The batch that holds one of the points alone."""
        return self.take(torch.tensor([number], device=self._device()))

    def take(self, numbers: Tensor) -> Batch:
        """The batch of some of the points."""
        values = {name: value[numbers] for name, value in self.values.items()}
        return Batch(values, self.host, (("chosen", len(numbers)),), len(numbers))

    def _device(self) -> torch.device:
        return next((value.device for value in self.values.values()), torch.device("cpu"))
