"""A claim under one structure, lowered: the nodes to compare, and how far each may be off."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.balls import BITS, enclose
from gnomon.compute.batch import Batch
from gnomon.compute.lower import Lowering, entries, lower_relation, lowering_for, shape_of
from gnomon.compute.running_error import bounded
from gnomon.compute.slp import SLP, Leaf, pullback
from gnomon.compute.whole_numbers import Bindings
from gnomon.say.claim import Claim
from gnomon.say.domain import Structure

K = 4
"""The one constant of the engine: a subject may err by K times the running bound (see docs/verdicts.md)."""

Observed = Mapping[str, Tensor]
"""What a subject showed: for each output a tensor (B, *shape)."""


@dataclass(frozen=True)
class Judgement:
    """How each compared entry of each point did: arrays (B, N).

    ``excess`` is how far the observation is on the wrong side of the truth (NaN where a side of an inequality has no
    value at it), ``budget`` how far rounding may carry it (K times the bound; infinite where the point is excused),
    ``finite`` whether what was observed is a number.
    """

    excess: Tensor
    budget: Tensor
    finite: Tensor

    @property
    def excused(self) -> Tensor:
        return self.budget.isinf()

    @property
    def share(self) -> Tensor:
        """The excess as a share of its budget; 0 where excused, infinite where nothing finite can be compared."""
        share = torch.where(self.excess <= 0, 0.0, self.excess / self.budget)
        share = torch.where(self.finite, share, torch.inf)
        return torch.where(self.excused, 0.0, torch.nan_to_num(share, nan=torch.inf, posinf=torch.inf))

    @property
    def fails(self) -> Tensor:
        """Points (B,) at which some entry is over its budget."""
        return (self.share > 1).any(-1)


@dataclass(frozen=True)
class Compiled:
    """The straight-line form of a claim under a structure; see :func:`compile_claim`.

    ``sums`` is the format in which a subject is held to add up; None is its own. ``forms`` are the nodes of the
    program's other forms, one form after another. In ``kept`` others keep what they lower for the same structure.
    """

    claim: Claim
    structure: Structure
    bindings: Bindings
    slp: SLP
    labels: tuple[str, ...]
    nodes: tuple[int, ...]
    shapes: Mapping[str, tuple[int, ...]]
    sides: tuple[tuple[int, int], ...]
    observed_sides: tuple[tuple[int, int], ...]
    sums: torch.dtype | None = None
    forms: tuple[int, ...] = ()
    kept: dict[Any, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @property
    def judged(self) -> tuple[str, ...]:
        """A label for each compared entry."""
        return tuple(f"inequality {k}" for k in range(len(self.sides))) if self.sides else self.labels

    @property
    def columns(self) -> dict[str, slice]:
        """Where each output stands among ``labels``."""
        found, start = {}, 0
        for name, shape in self.shapes.items():
            found[name] = slice(start, start + math.prod(shape))
            start += math.prod(shape)
        return found

    def flat(self, observed: Observed) -> Tensor:
        """The observation as (B, N) float64, entries in the order of ``labels``."""
        return torch.cat(
            [observed[name].to(torch.float64).reshape(observed[name].shape[0], -1) for name in self.shapes],
            -1,
        )

    def truth(self, batch: Batch, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, N) of the program's outputs."""
        found = bounded(self.slp, [*self.nodes, *self.forms], batch.leaves(), dtype, device, self.sums)
        return _greatest(*_stack(found, batch.size), len(self.nodes))

    def judge(self, batch: Batch, observed: Tensor, dtype: torch.dtype, device: torch.device) -> Judgement:
        """Compare an observation (B, N) with the program, or with the claim's inequality."""
        if not self.sides:
            value, bound = self.truth(batch, dtype, device)
            alike = (observed == value) & (bound == 0)  # of what is minus infinity, too
            excess = (observed - value).abs().masked_fill(alike, 0.0)
            return Judgement(excess, spilled(K * bound, observed), observed.isfinite() | alike)
        leaves = batch.leaves()
        wanted = [node for pair in self.sides for node in pair]
        _, bound = _stack(bounded(self.slp, [*wanted, *self.nodes], leaves, dtype, device, self.sums), batch.size)
        bound, shown = bound[:, : len(wanted)], bound[:, len(wanted) :]
        seen = leaves | self.observed_leaves(observed)
        wanted = [node for pair in self.observed_sides for node in pair]
        value, own = _stack(bounded(self.slp, wanted, seen, torch.float64, device), batch.size)
        # Only the program's bounds excuse: an observation at which a side has no value must not excuse itself.
        unknown = own.isinf()
        total = K * bound + own.masked_fill(unknown, 0.0)
        excess = (value[:, ::2] - value[:, 1::2]).masked_fill(unknown[:, ::2] | unknown[:, 1::2], torch.nan)
        finite = observed.isfinite().all(-1, keepdim=True).expand_as(excess)
        reached = excess.masked_fill(~finite, torch.nan)
        return Judgement(excess, spilled(total[:, ::2] + total[:, 1::2], reached, shown), finite)

    def observed_leaves(self, observed: Tensor) -> dict[Leaf, Any]:
        """The observation (B, N) as leaves, beside those of the inputs."""
        found: dict[Leaf, Any] = {}
        column = 0
        for name, shape in self.shapes.items():
            for index in entries(shape):
                found[f"observed {name}", index] = observed[:, column]
                column += 1
        return found

    def enclosures(self, batch: Batch, bits: int = BITS) -> list[Any]:
        """Rigorous balls of the outputs at a single point.

        Raises:
            gnomon.compute.balls.UndecidedBranch: if a branch cannot be decided.
        """
        return enclose(self.slp, self.nodes, _numbers(batch.leaves()), bits)

    def enclosed_sides(self, batch: Batch, observed: Tensor, bits: int = BITS) -> list[tuple[Any, Any]]:
        """Rigorous balls of each inequality's (smaller, larger) side, at a single point and observation (1, N).

        Raises:
            gnomon.compute.balls.UndecidedBranch: if a branch cannot be decided.
        """
        leaves = _numbers(batch.leaves() | self.observed_leaves(observed))
        flat = enclose(self.slp, [node for pair in self.observed_sides for node in pair], leaves, bits)
        return list(zip(flat[::2], flat[1::2], strict=True))


def spilled(budget: Tensor, seen: Tensor, *others: Tensor) -> Tensor:
    """Budgets (B, N) that also excuse what is not finite at a point of which some entry had to overflow.

    Entries share intermediate values: an infinity that one of them must run into may reach the others. ``others`` are
    further bounds (B, M) of the same points.
    """
    overflows = torch.cat([budget, *others], -1).isinf().any(-1, keepdim=True)
    return budget.masked_fill(~seen.isfinite() & overflows, torch.inf)


def _numbers(leaves: dict[Leaf, Any]) -> dict[Leaf, float]:
    """The leaves of a single point as numbers."""
    return {key: _float(value) for key, value in leaves.items()}


def _float(value: Any) -> float:
    return float(value.reshape(-1)[0]) if isinstance(value, Tensor) else float(value)


def _stack(pairs: list[tuple[Tensor, Tensor]], size: int) -> tuple[Tensor, Tensor]:
    value, error = zip(*pairs, strict=True)
    return (
        torch.stack([column.expand(size) for column in value], -1),
        torch.stack([column.expand(size) for column in error], -1),
    )


def _greatest(value: Tensor, bound: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The values of a program, the first ``count`` columns, and the greatest of its bound and those of its forms."""
    known = bound[:, :count]
    for start in range(count, bound.shape[-1], count):
        known = torch.maximum(known, bound[:, start : start + count])
    return value[:, :count], known


def compile_claim(claim: Claim, structure: Structure) -> Compiled:
    """Lower a claim's program, and its inequality if it has one, for one structure.

    Raises:
        gnomon.compute.lower.LoweringError: if the program is not defined for this structure.
    """
    lowering = lowering_for(claim, structure)
    made = lowering.outputs(claim.program.outputs)
    labels, nodes = [], []
    for name, (numbers, shape) in made.items():
        labels += [name + (str(list(index)) if index else "") for index in entries(shape)]
        nodes += numbers
    sides: list[tuple[int, int]] = []
    seen: list[tuple[int, int]] = []
    if claim.relation is not None:
        programs = {name: dict(zip(entries(s), n, strict=True)) for name, (n, s) in made.items()}
        leaves = {
            name: {index: lowering.slp.leaf(f"observed {name}", index) for index in entries(shape)}
            for name, (_, shape) in made.items()
        }
        sides = lower_relation(lowering, claim.relation, programs)
        seen = lower_relation(lowering, claim.relation, leaves)
    shapes = {name: shape for name, (_, shape) in made.items()}
    bindings = lowering.bindings
    return Compiled(
        claim,
        structure,
        bindings,
        lowering.slp,
        tuple(labels),
        tuple(nodes),
        shapes,
        tuple(sides),
        tuple(seen),
        forms=_forms(claim, lowering),
    )


def _forms(claim: Claim, lowering: Lowering) -> tuple[int, ...]:
    """The nodes of the outputs as a claim's forms compute them, one form after another."""
    found: list[int] = []
    for form in claim.forms:
        program = claim.program.replace(form.replace)
        made = dataclasses.replace(lowering, program=program, slp=lowering.slp).outputs(program.outputs)
        found += [node for nodes, _ in made.values() for node in nodes]
    return tuple(found)


@dataclass(frozen=True)
class Gradient:
    """The gradient of a random combination of the outputs: sum of ``cotangent · output``, by each tensor input."""

    compiled: Compiled
    wrt: Mapping[str, tuple[int, ...]]
    nodes: tuple[int, ...]
    labels: tuple[str, ...]
    forms: tuple[int, ...] = ()

    def truth(self, batch: Batch, cotangent: Tensor, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        """Values and running bounds (B, M) of the vector-Jacobian product with ``cotangent`` (B, N)."""
        leaves = batch.leaves()
        for column in range(cotangent.shape[-1]):
            leaves["cotangent", (column,)] = cotangent[:, column]
        compiled = self.compiled
        found = bounded(compiled.slp, [*self.nodes, *self.forms], leaves, dtype, device, compiled.sums)
        return _greatest(*_stack(found, batch.size), len(self.nodes))

    def enclosure(self, batch: Batch, cotangent: Tensor, entry: int, bits: int = BITS) -> Any:
        """A rigorous ball of one entry at a single point, for one cotangent (N,)."""
        leaves = _numbers(batch.leaves())
        leaves |= {("cotangent", (column,)): float(weight) for column, weight in enumerate(cotangent)}
        return enclose(self.compiled.slp, [self.nodes[entry]], leaves, bits)[0]


def compile_gradient(compiled: Compiled) -> Gradient:
    """Differentiate the program, and its forms, by SymPy's rules for its elementary operations, in reverse."""
    slp = compiled.slp
    cotangents = [slp.leaf("cotangent", (column,)) for column in range(len(compiled.nodes))]
    starts = range(0, len(compiled.forms), len(compiled.nodes))
    ways = [compiled.nodes, *(compiled.forms[start : start + len(compiled.nodes)] for start in starts)]
    found = [pullback(slp, way, cotangents) for way in ways]
    wrt, labels, keys = {}, [], []
    for domain in compiled.claim.inputs:
        if domain.host or domain.integer:
            continue
        shape = shape_of(domain, compiled.bindings)
        wrt[domain.name] = shape
        for index in entries(shape):
            keys.append((domain.name, index))
            labels.append(f"∂/∂{domain.name}" + (str(list(index)) if index else ""))
    nodes = [way.get(key, slp.constant(0)) for way in found for key in keys]
    return Gradient(compiled, wrt, tuple(nodes[: len(keys)]), tuple(labels), tuple(nodes[len(keys) :]))
