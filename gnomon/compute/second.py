"""Second derivatives of a program: its gradient, combined and differentiated once more."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Gradient
from gnomon.compute.lower import entries
from gnomon.compute.running_error import bounded
from gnomon.compute.slp import pullback


@dataclass(frozen=True)
class Second:
    """The gradient, by each tensor input, of the sum of ``then · gradient``, where that is of ``first · output``."""

    gradient: Gradient
    nodes: tuple[int, ...]
    labels: tuple[str, ...]

    def truth(
        self, batch: Batch, first: Tensor, then: Tensor, dtype: torch.dtype, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, M) for ``first`` (B, N) and ``then`` (B, M)."""
        leaves = batch.leaves()
        for name, weights in (("cotangent", first), ("second cotangent", then)):
            leaves |= {(name, (column,)): weights[:, column] for column in range(weights.shape[-1])}
        found = bounded(self.gradient.compiled.slp, self.nodes, leaves, dtype, device)
        value, bound = zip(*found, strict=True)
        return (
            torch.stack([column.expand(batch.size) for column in value], -1),
            torch.stack([column.expand(batch.size) for column in bound], -1),
        )


def compile_second(gradient: Gradient) -> Second:
    """Differentiate a compiled gradient once more, in reverse."""
    slp = gradient.compiled.slp
    then = [slp.leaf("second cotangent", (column,)) for column in range(len(gradient.nodes))]
    found = pullback(slp, gradient.nodes, then)
    nodes, labels = [], []
    for name, shape in gradient.wrt.items():
        for index in entries(shape):
            nodes.append(found.get((name, index), slp.constant(0)))
            labels.append(f"∂²/∂{name}" + (str(list(index)) if index else ""))
    return Second(gradient, tuple(nodes), tuple(labels))
