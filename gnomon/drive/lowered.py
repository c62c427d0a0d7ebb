"""A formula of a call, lowered for a structure: a function of tensors, said once in SymPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.lower import Lowering
from gnomon.compute.running_error import values
from gnomon.compute.whole_numbers import Bindings, Wholes
from gnomon.drive.driver import Case
from gnomon.proof.terms import name_of
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Domain

Env = Mapping[str, int]
"""The values of the indices that enclose a part."""


def bindings_of(case: Case, env: Env, hidden: Iterable[str] = ()) -> Bindings:
    """What the structure and the enclosing indices fix, but for names that mean something else here."""
    bound = case.compiled.bindings
    gone = set(hidden)
    return Bindings(
        {**{name: n for name, n in bound.numbers.items() if name not in gone}, **env},
        {name: array for name, array in bound.arrays.items() if name not in gone},
        bound.functions,
    )


def whole(expression: Any, case: Case, env: Env) -> int | None:
    """The value of an expression that structure and indices decide, or None."""
    return Wholes(bindings_of(case, env), {domain.name for domain in case.compiled.claim.inputs}).whole(expression, {})


class Lowered:
    """An entry over ranges in the claim's inputs and definitions and some ``extra`` names, for one structure."""

    def __init__(self, entry: Any, ranges: Any, case: Case, env: Env, extra: Iterable[str] = ()) -> None:
        extra = tuple(extra)
        claim = case.compiled.claim
        known = {domain.name: domain for domain in claim.inputs} | {name: Domain(name) for name in extra}
        lets = tuple(pair for pair in claim.program.lets if name_of(pair[0]) not in extra)
        output = Output("value", entry, *ranges)
        lowering = Lowering(bindings_of(case, env, extra), known, Program(lets, (output,)))
        self.nodes, self.shape = lowering.outputs((output,))["value"]
        self.slp = lowering.slp
        self.host = all(self.slp.host[node] for node in self.nodes)
        reached = self.slp.reachable(self.nodes)
        leaves = [self.slp.nodes[number].value for number in reached if self.slp.nodes[number].op == "leaf"]
        self.leaves: list[tuple[str, tuple[int, ...]]] = list(dict.fromkeys(leaves))

    def rank(self, name: str, otherwise: int) -> int:
        """With how many indices a name is used."""
        return next((len(index) for used, index in self.leaves if used == name), otherwise)

    def __call__(
        self, tensors: Mapping[str, Tensor], host: Mapping[str, float], like: Tensor, lead: tuple[int, ...] = ()
    ) -> Tensor:
        """The value (*lead, *shape), where the lead is at least what the tensors have in front in common.

        In the dtype of ``like``, or in float64 where hyper-parameters alone decide it, as Python computes.
        """
        if self.host:
            like = like.to(torch.float64)
        leaves: dict[Any, Any] = {}
        for name, index in self.leaves:
            at: tuple[Any, ...] = (..., *index)
            leaves[name, index] = tensors[name][at] if name in tensors else host[name]
        found = values(self.slp, self.nodes, leaves, like)
        lead = broadcast(lead, *(each.shape for each in found))
        found = [each.expand(lead) for each in found]
        if not self.shape:
            return found[0]
        return torch.stack(found, -1).reshape(*lead, *self.shape)


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of tensors that torch broadcasts."""
    if len(alike := set(shapes)) == 1:  # torch takes its time even for these
        return tuple(alike.pop())
    return tuple(torch.broadcast_shapes(*shapes))  # type: ignore[no-untyped-call]
