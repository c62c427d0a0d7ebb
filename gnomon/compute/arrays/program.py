"""A claim's program as a graph of array operations, for one structure, and its readings."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        nodes = list(self.outputs.values())
        parts = [
            flat(values(self.graph, nodes, leaves_of(part), batch.device), self.shapes.values(), part.size)
            for part in in_parts(self.graph, nodes, batch)
        ]
        return torch.cat(parts)

    def truth(
        self, batch: Batch, dtype: torch.dtype, device: torch.device, sums: torch.dtype | None = None
    ) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, N) of the outputs, for a subject that computes in ``dtype``."""
        return bounded_parts(
            self.graph, list(self.outputs.values()), self.shapes.values(), batch, {}, dtype, device, sums
        )


AT_ONCE = 2**20
"""About as many numbers a node may have for all points that are computed at once: what caches and memory hold."""


def in_parts(g: Graph, nodes: Sequence[int], batch: Batch) -> Iterator[Batch]:
    """A batch as smaller ones, where the graph has large nodes."""
    widest = max(math.prod(g.shape[number]) for number in g.reachable(nodes))
    step = max(1, AT_ONCE // max(1, widest))
    if step >= batch.size:
        yield batch
        return
    for start in range(0, batch.size, step):
        yield batch.take(torch.arange(start, min(batch.size, start + step), device=batch.device))


def bounded_parts(
    g: Graph,
    nodes: Sequence[int],
    shapes: Iterable[tuple[int, ...]],
    batch: Batch,
    more: Mapping[str, Tensor],
    dtype: torch.dtype,
    device: torch.device,
    sums: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """Values and running bounds (B, N) of nodes, part by part of a batch; ``more`` are leaves beside it (B, ...)."""
    shapes = list(shapes)
    whole = dataclasses.replace(batch, values={**batch.values, **more})
    columns = sum(map(math.prod, shapes))
    out = torch.empty(2, batch.size, columns, dtype=torch.float64, device=device)
    start = 0
    for part in in_parts(g, nodes, whole):
        pairs = bounded(g, nodes, leaves_of(part), dtype, device, sums)
        for k in (0, 1):
            out[k, start : start + part.size] = flat([pair[k] for pair in pairs], shapes, part.size)
        start += part.size
    return out[0], out[1]


def flat(found: Sequence[Tensor], shapes: Iterable[tuple[int, ...]], size: int) -> Tensor:
    """Tensors (B, *shape) as one (B, N), entries in row-major order."""
    return torch.cat([t.expand(size, *own).reshape(size, -1) for t, own in zip(found, shapes, strict=True)], -1)


def leaves_of(batch: Batch) -> dict[str, Any]:
    """The numbers of a batch, by the names of its inputs."""
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
