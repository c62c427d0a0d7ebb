"""Where a program departs first: in which definition, at which step of a recursion, or in which entries."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp
from torch import Tensor

from gnomon.check.minimise import alone
from gnomon.check.strategies import Example
from gnomon.check.task import Task
from gnomon.compute.batch import Batch
from gnomon.compute.lower import Lowering, lowering_for, shape_of
from gnomon.compute.whole_numbers import Env, LoweringError
from gnomon.drive.driver import SubjectError
from gnomon.proof.terms import indices_of, name_of
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Size
from gnomon.typeset.mathml import plain

ENTRIES = 4
"""So many entries are listed; of more it is said how many there are."""


@dataclass(frozen=True)
class Shown:
    """An entry that was looked at: of which output, which definition it is, at which step, and whether it is wrong."""

    output: str
    label: str
    definition: str
    place: int
    step: int | None
    wrong: bool

    @property
    def order(self) -> tuple[int, int]:
        """What a program computes first: earlier steps, and within a step what is defined before."""
        return self.step or 0, self.place


def departure(task: Task, example: Example, point: Batch, observed: Tensor) -> str:
    """A phrase that says where a subject departs first at a failing point; "" where everything shown is wrong alike.

    Outputs that are definitions of the program are ordered as it computes them. Where only the last step of a recursion
    is shown, the subject also takes fewer steps on the first of the inputs.
    """
    if task.claim.relation is not None:
        return ""
    looked = list(_shown(task, example, point, observed))
    for fewer in _fewer_steps(task, example):
        earlier = _cut(task, fewer, point)
        try:
            if earlier is not None:
                looked += _shown(task, fewer, earlier, alone(task, fewer, earlier))
        except (LoweringError, ZeroDivisionError, SubjectError):
            continue
    return _told(task.claim.program, looked)


def _told(program: Program, looked: list[Shown]) -> str:
    first = min((one for one in looked if one.wrong), key=lambda one: one.order, default=None)
    if first is None:
        return ""
    now = [one for one in looked if one.step == first.step]
    wrong = {one.output for one in now if one.wrong}
    right = [name for name in dict.fromkeys(one.output for one in now) if name not in wrong]
    stepping = first.step is not None
    earlier = [one.step for one in looked if one.step is not None and stepping and one.step < (first.step or 0)]
    if not right and not earlier:
        return _entries([one for one in now if one.output == first.output])
    words = f"departs first in {_named(first.output, first.definition)}"
    if stepping:
        words += f" at {_step_of(program, first.definition)} = {first.step}"
    if right:
        words += f", where {agreeing(right)}"
    return words + (f"; up to {max(earlier)} everything agrees" if earlier else "")


def agreeing(names: list[str]) -> str:
    """Names, and that they agree."""
    return f"{', '.join(names)} {'agrees' if len(names) == 1 else 'agree'}"


def _entries(of: list[Shown]) -> str:
    """Which entries of an output are wrong, where some are right."""
    wrong, right = [one.label for one in of if one.wrong], [one.label for one in of if not one.wrong]
    return f"departs in {_listed(wrong)}, and agrees in {_listed(right)}" if right else ""


def _listed(labels: list[str]) -> str:
    more = len(labels) - ENTRIES
    return ", ".join(labels[:ENTRIES]) + (f" and {more} more" if more > 0 else "")


def _named(output: str, definition: str) -> str:
    return f"{output} ({definition})" if definition and definition != output else output


def _step_of(program: Program, definition: str) -> str:
    """The name of the index along which a definition recurs."""
    lhs = next(lhs for lhs, _ in program.lets if plain(_base(lhs)) == definition)
    return plain(indices_of(lhs)[_recursive(program)[name_of(lhs)]])


# ---------------------------------------------------------------- what is shown


def _shown(task: Task, example: Example, point: Batch, observed: Tensor) -> Iterator[Shown]:
    """The entries of an observation at a point, each with the definition that it is."""
    compiled, program = task.compiled(example.structure), task.claim.program
    share = compiled.judge(point, observed, task.dtype, task.device).share[0]
    lowering, steps = lowering_for(task.claim, example.structure), _recursive(program)
    places = {name_of(lhs): (place, lhs) for place, (lhs, _) in enumerate(program.lets)}
    column = 0
    for output in program.outputs:
        for env in _envs(lowering, output, compiled.shapes[output.name]):
            name, at = _reference(lowering, output.entry, env)
            place, lhs = places.get(name, (len(places), None))
            step = at[steps[name]] if name in steps else None
            definition = "" if lhs is None else plain(_base(lhs))
            wrong = bool(share[column] > 1)
            yield Shown(output.name, compiled.labels[column], definition, place, step, wrong)
            column += 1


def _envs(lowering: Lowering, output: Output, shape: tuple[int, ...]) -> Iterator[Env]:
    """The values of an output's indices at each of its entries, row by row."""
    order = [str(index) for index, _, _ in output.ranges]
    envs = {tuple(env[index] for index in order): env for env in lowering.ranges(output.ranges[::-1], {})}
    axes = [sorted({at[axis] for at in envs}) for axis in range(len(shape))]
    for at in itertools.product(*axes):
        yield envs.get(at, dict(zip(order, at, strict=True)))


def _reference(lowering: Lowering, entry: Any, env: Env) -> tuple[str, tuple[int, ...]]:
    """The definition that an entry is, and its index; no name for an entry that is a formula of its own."""
    entry = sp.sympify(entry)
    if isinstance(entry, sp.Piecewise):
        branch = next((value for value, when in entry.args if lowering.numbers.holds(when, env) is True), None)
        return ("", ()) if branch is None else _reference(lowering, branch, env)
    if isinstance(entry, sp.Indexed):
        return name_of(entry), lowering.numbers.index(entry, env)
    return (entry.name, ()) if entry.is_Symbol else ("", ())


def _recursive(program: Program) -> dict[str, int]:
    """For each definition that some formula takes at an earlier or a later index, the position of that index.

    Of several it is the last, as of nested loops the inner one: a network's steps, not its layers.
    """
    found: dict[str, int] = {}
    for lhs, rhs in program.lets:
        own = set(indices_of(lhs))
        for entry in sp.sympify(rhs).atoms(sp.Indexed):
            for position, index in enumerate(entry.indices):
                moved = index.free_symbols & own
                if index not in own and len(moved) == 1 and (index - next(iter(moved))).is_Integer:
                    found[name_of(entry)] = max(position, found.get(name_of(entry), position))
    names = {name_of(lhs) for lhs, _ in program.lets}
    return {name: position for name, position in found.items() if name in names}


def _base(lhs: Any) -> Any:
    return sp.Symbol(name_of(lhs))


# ---------------------------------------------------------------- fewer steps


def _fewer_steps(task: Task, example: Example) -> Iterator[Example]:
    """The example with fewer steps, where a size counts them and only the last one is shown."""
    steps, counts = _recursive(task.claim.program), set()
    for output in task.claim.program.outputs:
        for entry in sp.sympify(output.entry).atoms(sp.Indexed):
            if (name := name_of(entry)) in steps:
                counts.add(str(entry.indices[steps[name]]))
    for domain in task.claim.structure:
        if isinstance(domain, Size) and domain.name in counts:
            for fewer in range(domain.low, example.structure[domain.name]):
                yield dataclasses.replace(example, structure={**example.structure, domain.name: fewer})


def _cut(task: Task, example: Example, point: Batch) -> Batch | None:
    """A point with the first of its numbers, as many as a smaller structure has; None where they must fit together."""
    values = {}
    for domain in task.claim.inputs:
        if domain.name in point.values:
            shape = shape_of(domain, task.compiled(example.structure).bindings)
            if shape != tuple(point.values[domain.name].shape[1:]) and (domain.simplex or domain.some):
                return None
            values[domain.name] = point.values[domain.name][(slice(None), *(slice(extent) for extent in shape))]
    return dataclasses.replace(point, values=values)
