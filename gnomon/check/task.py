"""A task: a claim to be checked against a subject, how much to look at, and what is found."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gnomon.check.domains import beyond
from gnomon.check.exhaustive import every_number, lone_input
from gnomon.check.inputs import REGIMES, draw
from gnomon.check.observer import Observer
from gnomon.check.strategies import Example
from gnomon.compute.arrays.compiled import CompiledArrays, compile_arrays
from gnomon.compute.arrays.gradient import compile_array_gradient
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled, Gradient, compile_claim, compile_gradient
from gnomon.compute.supposed import Supposed, suppose
from gnomon.drive.driver import Case, Driver
from gnomon.say.claim import Claim
from gnomon.say.evidence import GradientCheck, Search, Ulp

OBJECT = "# impl=YourImplementation"
"""What a printed call says of a subject that has no name to import it by."""


@dataclass(frozen=True)
class Budget:
    """How much to look at: structures, points for each and for each gradient, large structures, and many steps."""

    structures: int
    points: int
    gradient_points: int
    large: int = 0
    steps: bool = False


BUDGETS = {
    "quick": Budget(8, 1152, 288, 1),
    "standard": Budget(16, 4608, 1152, 8, steps=True),
    "deep": Budget(64, 18432, 4608, 32, steps=True),
}

NUMBERS = 2**21
"""How many numbers the program may compute in a look at a large structure, but for one point of each regime."""


class Compilations:
    """The compiled forms of one claim, each made once; a cache that lives as long as the task.

    ``sums``: the format in which a subject must add up, where that is finer than its own.
    """

    def __init__(self, claim: Claim, sums: torch.dtype | None = None) -> None:
        self.claim, self.sums = claim, sums
        self._made: dict[str, Compiled] = {}
        self._gradients: dict[str, Gradient] = {}
        self._supposed: dict[str, Supposed] = {}

    def __call__(self, structure: dict[str, Any]) -> Compiled:
        key = json.dumps(structure, sort_keys=True)
        if key not in self._made:
            large = self.claim.relation is None and beyond(self.claim, structure)
            make = compile_arrays if large else compile_claim
            self._made[key] = dataclasses.replace(make(self.claim, structure), sums=self.sums)
        return self._made[key]

    def gradient(self, structure: dict[str, Any]) -> Gradient:
        key = json.dumps(structure, sort_keys=True)
        if key not in self._gradients:
            values = self(structure)
            if isinstance(values, CompiledArrays):
                self._gradients[key] = compile_array_gradient(values)
            else:
                self._gradients[key] = compile_gradient(values)
        return self._gradients[key]

    def supposed(self, structure: dict[str, Any]) -> Supposed:
        key = json.dumps(structure, sort_keys=True)
        if key not in self._supposed:
            self._supposed[key] = suppose(self.claim, structure)
        return self._supposed[key]


@dataclass
class Task:
    """A claim being checked against a subject on one device in one dtype.

    ``called`` is the argument of :func:`gnomon.check_point` that names the subject; "" for the reference model.
    ``reversed`` means that the claim is in doubt, and the subject is right: a counterexample then shows what the claim
    says as observed, and what the subject does as expected. ``compiler`` is the backend with which ``torch.compile`` is
    looked at, too; "" if it is not asked for.
    """

    claim: Claim
    driver: Driver
    subject: Any
    dtype: torch.dtype
    device: torch.device
    compiled: Compilations
    pointwise: bool = False
    called: str = OBJECT
    reversed: bool = False
    compiler: str = ""

    def observer(self, example: Example) -> Observer:
        """The subject, prepared for an example's structure and hyper-parameters."""
        compiled = self.compiled(example.structure)
        names = tuple(domain.name for domain in self.claim.inputs)
        return Observer(
            self.driver,
            self.subject,
            Case(
                example.structure,
                example.host,
                self.claim.options,
                names,
                compiled.shapes,
                self.dtype,
                self.device,
                compiled,
            ),
            self.pointwise,
        )

    def batch(self, example: Example, points: int) -> Batch:
        """The numbers of an example; all there are, for a function of one number in 16 bits."""
        if lone := lone_input(self.claim, self.dtype):
            return every_number(lone, example.host, self.dtype, self.device)
        generator = torch.Generator(self.device).manual_seed(example.seed)
        compiled = self.compiled(example.structure)
        if isinstance(compiled, CompiledArrays):
            points = min(points, max(len(REGIMES), NUMBERS // compiled.elements))
        return draw(self.claim.inputs, compiled.bindings, example.host, points, self.dtype, generator)


@dataclass(frozen=True)
class Failure:
    """A point at which the subject is over its budget, with the whole observation around it."""

    example: Example
    batch: Batch
    observed: Tensor
    number: int


@dataclass
class Outcome:
    """What a search found so far; ``loss`` is a batch with more digits lost than the claim allows, in its budget,
    ``lost_steps`` one in which updates got lost.
    """

    search: Search = field(default_factory=Search)
    looked_at: list[Example] = field(default_factory=list)
    excused_entries: int = 0
    worst_share: float = 0.0
    worst_where: str = ""
    ulp: Ulp | None = None
    failure: Failure | None = None
    loss: Failure | None = None
    lost_steps: Failure | None = None
    gradient: GradientCheck | None = None
    gradient_failure: Failure | None = None
    unreached: dict[str, str] = field(default_factory=dict)
    """Why some sizes were not looked at beyond those that are drawn."""
    underived: dict[str, str] = field(default_factory=dict)
    """At which large structures no gradient was compared, and why."""
