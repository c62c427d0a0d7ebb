"""The gradient of a claim's program as arrays: what the scalar one is for small structures, and equal to it there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnomon.compute.arrays.balls import enclosed
from gnomon.compute.arrays.compiled import CompiledArrays
from gnomon.compute.arrays.graph import Graph
from gnomon.compute.arrays.program import ArrayProgram, bounded_parts
from gnomon.compute.arrays.pullback import pullback
from gnomon.compute.balls import BITS
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Gradient
from gnomon.compute.lower import entries, shape_of

COTANGENT = "cotangent "


@dataclass(frozen=True)
class ArrayGradient(Gradient):
    """As :class:`Gradient`, without nodes for single entries; ``by`` are nodes by input, of program and forms."""

    by: tuple[Mapping[str, int], ...] = ()

    @property
    def elements(self) -> int:
        """About how many numbers the gradient of the program and of its forms takes for one point."""
        compiled = self.compiled
        assert isinstance(compiled, CompiledArrays)
        ways = zip(compiled.ways, self.by, strict=True)
        return 1 + int(sum(way.graph.elements(list(nodes.values())) for way, nodes in ways))

    def truth(self, batch: Batch, cotangent: Tensor, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, M) of the vector-Jacobian product with ``cotangent`` (B, N)."""
        compiled = self.compiled
        assert isinstance(compiled, CompiledArrays)
        more = shaped(cotangent, compiled.shapes)
        shapes = self.wrt.values()
        found = [
            bounded_parts(way.graph, list(nodes.values()), shapes, batch, more, dtype, device, compiled.sums)
            for way, nodes in zip(compiled.ways, self.by, strict=True)
        ]
        return found[0][0], torch.stack([bound for _, bound in found]).amax(0)

    def enclosure(self, batch: Batch, cotangent: Tensor, entry: int, bits: int = BITS) -> Any:
        """A rigorous ball of one entry at a single point, for one cotangent (N,)."""
        compiled = self.compiled
        assert isinstance(compiled, CompiledArrays)
        leaves = {**batch.host, **{name: value[0] for name, value in batch.values.items()}}
        leaves |= {name: value[0] for name, value in shaped(cotangent.unsqueeze(0), compiled.shapes).items()}
        for name, shape in self.wrt.items():
            if entry < math.prod(shape):
                index = tuple(int(at) for at in np.unravel_index(entry, shape)) if shape else ()
                return enclosed(compiled.ways[0].graph, self.by[0][name], index, leaves, bits)
            entry -= math.prod(shape)
        raise IndexError(entry)


def shaped(cotangent: Tensor, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """A cotangent (B, N) as leaves, one for each output."""
    parts = torch.split(cotangent, [math.prod(shape) for shape in shapes.values()], -1)
    return {
        COTANGENT + name: part.reshape(-1, *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def pulled_back(program: ArrayProgram, wrt: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The nodes of a program's gradient by some inputs, which have these shapes."""
    g: Graph = program.graph
    cotangents = [g.leaf(COTANGENT + name, g.shape[node]) for name, node in program.outputs.items()]
    found = pullback(g, list(program.outputs.values()), cotangents)
    return {name: found.get(name, g.constant(np.zeros(shape, np.int64))) for name, shape in wrt.items()}


def compile_array_gradient(compiled: CompiledArrays) -> ArrayGradient:
    """Differentiate a program and its forms, which are arrays, in reverse."""
    domains = [domain for domain in compiled.claim.inputs if not domain.host and not domain.integer]
    wrt = {domain.name: shape_of(domain, compiled.bindings) for domain in domains}
    by = tuple(pulled_back(way, wrt) for way in compiled.ways)
    labels = tuple(
        f"∂/∂{name}" + (str(list(index)) if index else "") for name, shape in wrt.items() for index in entries(shape)
    )
    return ArrayGradient(compiled, wrt, (), labels, by=by)
