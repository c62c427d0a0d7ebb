"""What a look at a structure of large sizes would cost, told from small ones, before anything large is made."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.check.domains import structure_fault
from gnomon.check.inputs import REGIMES, most_probabilities
from gnomon.check.resized import resized
from gnomon.check.strategies import Example
from gnomon.check.task import NUMBERS, Task
from gnomon.compute.arrays.compiled import CompiledArrays, compile_arrays
from gnomon.compute.lower import bind, shape_of
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.driver import SubjectError
from gnomon.say.claim import Claim
from gnomon.say.domain import Size, Structure
from gnomon.say.errors import UsageError

NODES = 1000
"""As many array operations a program may be made of at a large size; a recursion along it has some in each step."""

CALLS = 100_000
"""As many calls of functions, of any kind, the subject may make in a look at a large structure."""

POINTS = len(REGIMES)
"""How many points are looked at: one of each regime."""

PROBE = 13
"""A size at which a program is lowered, and a subject called, to tell what they would cost at others."""

FURTHER = 26
"""Another one, where the calls grow: a parabola goes through three."""

STEEPEST = 4.0
"""A program that grows faster than this power of a size is not lowered at others to see how fast."""


class TooMuch(Exception):
    """A size cannot be looked at beyond what is drawn; the message says why."""


class TooLong(TooMuch):
    """The claim's program is too long already beside small sizes: no size of it is looked at."""


@dataclass
class Effort:
    """What one size costs, beside the other sizes of an example; ``least`` is the smallest that would be looked at.

    Raises:
        TooMuch: if it cannot be told, since the program is not lowered there, or since telling would cost too much.
    """

    task: Task
    example: Example
    size: Size
    least: int
    probes: list[CompiledArrays] = field(default_factory=list)
    called: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.size.high + 1
        near = self._lowered(first)
        if nodes(near) > NODES // 2:
            raise TooLong(f"its program takes {nodes(near)} array operations at {self.size.name} = {first} already")
        further = self._lowered(first + 2)
        if further.elements > near.elements * ((first + 2) / first) ** STEEPEST:
            raise TooMuch(f"its program grows faster than any power of {self.size.name} that is affordable")
        self.probes = [near, further]
        if first + 2 < PROBE and self.steps(self.least) <= NODES:
            self.probes.append(self._lowered(PROBE))

    def _lowered(self, extent: int) -> CompiledArrays:
        if structure_fault(self.task.claim.structure, self._at(extent)):
            raise TooMuch("a list is as long as it says")
        if why := cannot_draw(self.task, self._at(extent)):
            raise TooMuch(why)
        return lowered(self.task, self._at(extent))

    def _at(self, extent: int) -> dict[str, Any]:
        return resized(self.task.claim, self.example.structure, {self.size.name: extent}, self.example.seed)

    def _calls(self, extent: int) -> int:
        """How many calls the subject makes, the second time it is asked; 0 if it cannot be asked."""
        here = dataclasses.replace(self.example, structure=self._at(extent))
        batch = self.task.batch(here, POINTS)
        try:
            self.task.observer(here).many(batch)
            return calls(lambda: self.task.observer(here).many(batch))
        except (SubjectError, LoweringError, ZeroDivisionError):
            return 0

    def steps(self, extent: int) -> float:
        """About how many array operations the program is made of."""
        return _line([(each.structure[self.size.name], nodes(each)) for each in self.probes[-2:]], extent)

    def _called(self, extent: int) -> float:
        """About how many calls the subject makes; where its program recurs, too, that has told what it costs."""
        if not self.called:
            first = self.size.high + 1
            self.called = [(each, self._calls(each)) for each in (first, max(PROBE, first + 2))]
            recurs = nodes(self.probes[-1]) > nodes(self.probes[-2])
            if self.called[1][1] > self.called[0][1] and not recurs:
                third = max(FURTHER, 2 * first)
                self.called.append((third, self._calls(third)))
        return parabola(self.called, extent) if len(self.called) > 2 else self.called[-1][1]

    def numbers(self, extent: int) -> float:
        """About how many numbers the program computes for a point."""
        last, known = self.probes[-1], self.probes[-1].structure[self.size.name]
        grown = (way.graph.elements(list(way.outputs.values()), known, extent / known) for way in last.ways)
        return 1 + sum(grown)

    def entries(self, extent: int) -> float:
        """About how many entries its arrays have."""
        known = self.probes[-1].structure[self.size.name]
        return entries(self.probes[-1], known, extent / known)

    def why_not(self, extent: int) -> str:
        """Why an extent is not looked at; "" if it can be."""
        if self.steps(extent) > NODES:
            return f"its program recurs along it, in {self.steps(extent):.1g} array operations"
        numbers = self.numbers(extent)
        if numbers * POINTS > NUMBERS:
            return f"its program computes {numbers:.1g} numbers for a point"
        if sys.getprofile() is not None:  # which must not be disturbed
            return "a profiler is at work, beside which the subject's calls cannot be counted"
        if self._called(extent) > CALLS:
            return "it has as many steps, which the subject takes one after another"
        return cannot_draw(self.task, self._at(extent))


def lowered(task: Task, structure: dict[str, Any]) -> CompiledArrays:
    """A claim's program as arrays at a structure.

    Raises:
        TooMuch: if it is not defined there.
    """
    try:
        found = task.compiled(structure)
        return found if isinstance(found, CompiledArrays) else compile_arrays(task.claim, structure)
    except (LoweringError, ZeroDivisionError, UsageError) as error:
        raise TooMuch(f"its program is not lowered there: {error}") from error


def nodes(compiled: CompiledArrays) -> int:
    """Of how many array operations a program and its forms are made."""
    return sum(len(way.graph) for way in compiled.ways)


def entries(compiled: CompiledArrays, extent: int = 0, times: float = 1.0) -> float:
    """How many entries a program's arrays have; axes of about ``extent`` are counted as ``times`` as long."""
    found = 1.0
    for way in compiled.ways:
        for number in way.graph.reachable(list(way.outputs.values())):
            found += math.prod(n * times if extent and n >= extent - 3 else n for n in way.graph.shape[number])
    return found


def shapes(claim: Claim, structure: Structure) -> list[tuple[int, ...]]:
    """The shapes of a claim's tensors at a structure."""
    bindings = bind(claim.structure, structure)
    return [shape_of(domain, bindings) for domain in claim.inputs if not domain.host]


def cannot_draw(task: Task, structure: dict[str, Any]) -> str:
    """Why the numbers of a structure's points are not drawn; "" if they are."""
    found = shapes(task.claim, structure)
    if any(extent < 0 for shape in found for extent in shape):
        return "there is no such structure"
    given = sum(map(math.prod, found))
    if given * POINTS > NUMBERS:
        return f"a point has {given:.1g} numbers"
    tensors = [domain for domain in task.claim.inputs if not domain.host]
    most = most_probabilities(task.dtype)
    if any(domain.simplex and shape[-1] > most for domain, shape in zip(tensors, found, strict=True)):
        return f"so many probabilities of {str(task.dtype).removeprefix('torch.')} cannot sum to 1"
    return ""


def calls(function: Callable[[], object]) -> int:
    """How many calls, of Python's and of native functions, one call makes: the same on every machine."""
    made = 0

    def seen(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        function()
    finally:
        sys.setprofile(None)
    return made


def _line(points: Sequence[tuple[int, int]], extent: int) -> float:
    """What grows along a line through two points, at another extent."""
    (near, low), (further, high) = points
    return high + (high - low) / (further - near) * (extent - further)


def parabola(points: Sequence[tuple[int, int]], extent: int) -> float:
    """What grows along a parabola through three points, at another extent; never less than at the last of them."""
    found = 0.0
    for here, value in points:
        others = [there for there, _ in points if there != here]
        found += value * math.prod((extent - there) / (here - there) for there in others)
    return max(found, points[-1][1])
