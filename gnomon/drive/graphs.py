"""Graphs as a subject takes them: edges, and their weights in the same order."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.run import Run, compute
from gnomon.drive.values import rank_of
from gnomon.say import arguments as a
from gnomon.say.domain import Graph


def _listed(matrix: str, copies: int, run: Run) -> Tensor:
    """The edges as rows (copy, target, source): A[i, j] leads from j to i. They come in no particular order."""
    array = run.case.compiled.bindings.arrays[matrix]
    nodes = range(len(array))
    found = [(copy, i, j) for copy in range(copies) for i in nodes for j in nodes if array[i][j]]
    random.Random(len(found)).shuffle(found)
    return torch.tensor(found, dtype=torch.int64, device=run.case.device).reshape(-1, 3)


@compute.register
def _(part: a.Edges, run: Run) -> Any:
    _, target, source = _listed(part.matrix, run.whole(part.copies), run).unbind(1)
    return torch.stack([source, target])


@compute.register
def _(part: a.Weights, run: Run) -> Any:
    value, rank = run.tensor(part.value), rank_of(part.value, run)
    copies = value.shape[-3] if rank == 3 else 1
    copy, target, source = _listed(part.matrix, copies, run).unbind(1)
    if _symmetric(part, run):
        target, source = torch.minimum(target, source), torch.maximum(target, source)
    if rank == 0:
        return value.unsqueeze(-1).expand(*value.shape, len(copy))
    return value[(..., target, source) if rank == 2 else (..., copy, target, source)]


def _symmetric(part: a.Weights, run: Run) -> bool:
    if part.symmetric is not None:
        return part.symmetric
    graphs = [d for d in run.case.compiled.claim.structure if isinstance(d, Graph) and d.name == part.matrix]
    return any(not graph.directed for graph in graphs)
