"""Where a tensor's numbers lie in memory does not matter."""

from __future__ import annotations

import torch

from gnomon.check.contract.near import departs
from gnomon.check.contract.part import Part, Setting, broken


class Strided(Part):
    """Inputs whose numbers do not lie side by side."""

    name = "strided inputs"
    early = True

    def absent(self, at: Setting) -> str:
        return "" if at.batch.values else "it takes no tensor"

    def look(self, at: Setting) -> None:
        strided = {name: torch.stack([value, value], -1)[..., 0] for name, value in at.tensors().items()}
        if name := departs(at, 0, at.observer.one(at.tensors()), at.observer.one(strided)):
            raise broken(f"{name} is different for a strided (non-contiguous) input")
