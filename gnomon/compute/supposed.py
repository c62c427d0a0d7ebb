"""A claim's conditions at drawn inputs: a law under a condition that no input meets would say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from gnomon.compute.batch import Batch
from gnomon.compute.compiled import K
from gnomon.compute.lower import lowering_for
from gnomon.compute.running_error import bounded
from gnomon.compute.slp import SLP
from gnomon.say.claim import Claim, Program
from gnomon.say.domain import Structure


@dataclass(frozen=True)
class Supposed:
    """A claim's conditions under one structure: for each its relation, and nodes of its sides' difference."""

    slp: SLP
    gaps: Mapping[str, tuple[Any, list[int]]]

    def met(self, batch: Batch) -> dict[str, Tensor]:
        """For each condition the points (B,) at which it has values and float64's rounding does not contradict it."""
        return {name: self._met(batch, kind, nodes) for name, (kind, nodes) in self.gaps.items()}

    def _met(self, batch: Batch, kind: Any, nodes: list[int]) -> Tensor:
        met = torch.ones(batch.size, dtype=torch.bool, device=batch.device)
        for gap, error in bounded(self.slp, nodes, batch.leaves(), torch.float64, batch.device):
            room = K * error
            holds = gap.abs() <= room if kind is sp.Eq else gap < room if kind in (sp.Lt, sp.Gt) else gap <= room
            met &= error.isfinite() & holds
        return met


def suppose(claim: Claim, structure: Structure) -> Supposed:
    """Lower the relations that a claim supposes for one structure.

    Raises:
        gnomon.compute.lower.LoweringError: if one of them speaks of what has no value in this structure.
    """
    written = claim.written
    if written is None:
        return Supposed(SLP(), {})
    program = Program(tuple((d.lhs, d.rhs) for d in written.definitions), claim.program.outputs)
    lowering = lowering_for(claim, structure, program)
    gaps = {}
    for condition in written.conditions:
        relation = condition.relation
        if not relation.is_Symbol:
            greater = isinstance(relation, (sp.Ge, sp.Gt))
            gap = relation.rhs - relation.lhs if greater else relation.lhs - relation.rhs
            nodes = [lowering.node(gap, env) for env in lowering.ranges(condition.ranges, {})]
            gaps[condition.name] = relation.func, nodes
    return Supposed(lowering.slp, gaps)
