"""A claim's program as a graph of array operations, for one structure, and its readings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from gnomon.compute.arrays.definitions import Again, Split
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.lowering import ArrayLowering
from gnomon.compute.arrays.reading import bounded, values
from gnomon.compute.arrays.recursion import Recursion
from gnomon.compute.batch import Batch
from gnomon.compute.lower import bind
from gnomon.compute.whole_numbers import Bindings
from gnomon.proof.terms import name_of
from gnomon.say.claim import Claim, Program
from gnomon.say.domain import Domain, Structure


@dataclass(frozen=True)
class ArrayProgram:
    """The outputs of a claim's program as nodes of a graph, with their shapes.

    ``steps`` holds for each definition how many single steps of it were made.
    """

    bindings: Bindings
    graph: Graph
    outputs: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    steps: Mapping[str, int]

    def values(self, batch: Batch) -> Tensor:
        """The outputs' float64 values (B, N), entries in row-major order."""
        found = values(self.graph, list(self.outputs.values()), _leaves(batch), batch.device)
        return self._flat(found, batch.size)

    def truth(
        self, batch: Batch, dtype: torch.dtype, device: torch.device, sums: torch.dtype | None = None
    ) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, N) of the outputs, for a subject that computes in ``dtype``."""
        pairs = bounded(self.graph, list(self.outputs.values()), _leaves(batch), dtype, device, sums)
        return tuple(self._flat([pair[k] for pair in pairs], batch.size) for k in (0, 1))  # type: ignore[return-value]

    def _flat(self, found: list[Tensor], size: int) -> Tensor:
        shaped = zip(found, self.shapes.values(), strict=True)
        return torch.cat([each.expand(size, *shape).reshape(size, -1) for each, shape in shaped], -1)


def _leaves(batch: Batch) -> dict[str, Any]:
    return {**batch.host, **batch.values}


def as_arrays(claim: Claim, structure: Structure) -> ArrayProgram:
    """A claim's program as arrays, for one structure.

    Raises:
        LoweringError: if the program is not defined for this structure.
    """
    inputs = {domain.name: domain for domain in claim.inputs}
    return lowered(claim.program, inputs, bind(claim.structure, structure))


def lowered(program: Program, inputs: Mapping[str, Domain], bindings: Bindings) -> ArrayProgram:
    """Lower a program to arrays.

    A definition that meets itself has more of its indices run; one that was made for a part of what is asked of it
    later is made for all of that at once. Both are seen while lowering, which then begins again.

    Raises:
        LoweringError: if the program is not defined for this structure.
    """
    lets = {name_of(lhs): (tuple(getattr(lhs, "indices", ())), sp.sympify(rhs)) for lhs, rhs in program.lets}
    recursion = Recursion(lets)
    wide: dict[Any, Any] = {}
    while True:
        lowering = ArrayLowering(bindings, inputs, lets, recursion, wide)
        try:
            made = {out.name: lowering.output(out.entry, out.ranges, out.name) for out in program.outputs}
        except Split as split:
            recursion.split(*split.args)
            continue
        except Again as again:
            recursion.deeper(again.args[0])
            continue
        nested = lowering.definitions.nested()
        if not nested:
            outputs = {name: node for name, (node, _) in made.items()}
            shapes = {name: shape for name, (_, shape) in made.items()}
            steps = Counter(name for name, _ in lowering.definitions.made)
            return ArrayProgram(bindings, lowering.g, outputs, shapes, steps)
        wide |= nested
