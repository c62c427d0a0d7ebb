"""A claim under a structure of large sizes: what a straight-line program is for small ones, entries on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.arrays.program import ArrayProgram, lowered
from gnomon.compute.balls import BITS
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled
from gnomon.compute.entry import enclosed_entry
from gnomon.compute.lower import bind, entries
from gnomon.compute.slp import SLP
from gnomon.say.claim import Claim
from gnomon.say.domain import Structure


@dataclass(frozen=True)
class CompiledArrays(Compiled):
    """As :class:`Compiled`, without nodes for single entries; ``ways`` are the program and its other forms."""

    ways: tuple[ArrayProgram, ...] = ()

    @property
    def elements(self) -> int:
        """About how many numbers the program and its forms compute for one point."""
        return 1 + int(sum(way.graph.elements(list(way.outputs.values())) for way in self.ways))

    def truth(self, batch: Batch, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, N) of the program's outputs."""
        found = [way.truth(batch, dtype, device, self.sums) for way in self.ways]
        return found[0][0], torch.stack([bound for _, bound in found]).amax(0)

    def enclosures(self, batch: Batch, bits: int = BITS) -> Any:
        """Rigorous balls of the outputs at a single point, each computed when it is asked for."""
        return _Balls(self, batch, bits)


@dataclass(frozen=True)
class _Balls(Sequence[Any]):
    """The entries of the outputs at a point, in the order of the labels."""

    compiled: CompiledArrays
    batch: Batch
    bits: int

    def __len__(self) -> int:
        return len(self.compiled.labels)

    def __getitem__(self, entry: Any) -> Any:
        for name, columns in self.compiled.columns.items():
            if columns.start <= entry < columns.stop:
                index, left = [], entry - columns.start
                for extent in reversed(self.compiled.shapes[name]):
                    left, at = divmod(left, extent)
                    index.append(at)
                place = tuple(reversed(index))
                return enclosed_entry(self.compiled.claim, self.compiled.structure, self.batch, name, place, self.bits)
        raise IndexError(entry)


def compile_arrays(claim: Claim, structure: Structure) -> CompiledArrays:
    """Lower a claim's program, which has no inequality, and its forms to arrays, for one structure.

    Raises:
        gnomon.compute.lower.LoweringError: if the program is not defined for this structure.
    """
    bindings = bind(claim.structure, structure)
    inputs = {domain.name: domain for domain in claim.inputs}
    programs = [claim.program, *(claim.program.replace(form.replace) for form in claim.forms)]
    ways = tuple(lowered(program, inputs, bindings) for program in programs)
    labels = [
        name + (str(list(index)) if index else "") for name, shape in ways[0].shapes.items() for index in entries(shape)
    ]
    return CompiledArrays(
        claim, structure, bindings, SLP(), tuple(labels), (), dict(ways[0].shapes), (), (), forms=(), ways=ways
    )
