"""What rounding costs: formats, the charge of one operation, and pairs of a value with its running bound."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

INF = float("inf")
Pair = tuple[Tensor, Tensor]
"""A value and the bound on its error; for a condition, whether it holds and whether that is undecided."""


@dataclass(frozen=True)
class Format:
    """A floating-point format: unit roundoff, smallest subnormal, smallest normal, largest finite number."""

    dtype: torch.dtype

    @property
    def u(self) -> float:
        return torch.finfo(self.dtype).eps / 2

    @property
    def eta(self) -> float:
        info = torch.finfo(self.dtype)
        return info.tiny * info.eps

    @property
    def tiny(self) -> float:
        return torch.finfo(self.dtype).tiny

    @property
    def largest(self) -> float:
        return torch.finfo(self.dtype).max


@dataclass(frozen=True)
class Charge:
    """What an operation costs: a relative rounding, an underflow, that of a library function; the overflow.

    ``flush`` is what is lost if a partial sum that is subnormal is taken for zero. ``added`` is the rounding of one
    addition within a sum, where that is finer: such a sum is rounded once more, at its end, and only then overflows.
    """

    u: float
    eta: float
    tiny: float
    largest: float
    flush: float = 0.0
    added: float | None = None

    def additions(self, value: Tensor, size: Tensor, count: Tensor | int) -> Tensor:
        """What ``count`` additions in any order may cost: each errs by at most a unit of the sum of the sizes."""
        if self.added is None:
            return (size * self.u + self.flush) * count
        return (size * self.added + self.flush) * count + value.abs() * self.u

    def reach(self, value: Tensor, size: Tensor) -> Tensor:
        """What must not overflow: the sum of the sizes; the sum itself where it is added up in a finer format."""
        return size if self.added is None else value.abs()


def at_most_two(error: Tensor, inner: Tensor) -> Tensor:
    """The error of a function between -1 and 1; an argument that may be NaN leaves nothing to say."""
    return torch.where(inner.isinf(), INF, error.clamp(max=2.0))
