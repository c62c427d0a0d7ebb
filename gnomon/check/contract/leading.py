"""A leading axis of points is answered with the stack of their answers, where the reference model does so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as tree

from gnomon.check.contract.model import reference
from gnomon.check.contract.near import departs
from gnomon.check.contract.part import Part, Setting, Unseen, broken, where
from gnomon.check.contract.relaid import strided
from gnomon.check.observer import Observer
from gnomon.compute.batch import Batch
from gnomon.drive.driver import SubjectError
from gnomon.drive.watched import watched

POINTS = 2
"""How many points lie along the axis in front."""

ENOUGH = 2
"""In how many structures the reference model must take an axis, so that it does not by chance (no edges, one node)."""


class LeadingAxis(Part):
    """Points along a leading axis, of one input or of all that vary, do not know of each other."""

    name = "a leading batch axis"
    most = 4

    def absent(self, at: Setting) -> str:
        return at.unread

    def look(self, at: Setting) -> None:
        model, refused, looked = reference(at), "", False
        notes = at.notes.setdefault(self.name, Notes())
        points = at.ordinary(POINTS)
        names = list(points.values)
        for varied in dict.fromkeys([*((name,) for name in names), tuple(names)]):
            if varied in notes.refused:  # what the reference model refuses once is never owed
                refused = refused or notes.refused[varied]
                continue
            here = at.on(_varying(points, varied))
            try:
                if _broken(here, at.observer.of(model), model):
                    raise Unseen("the reference model takes no leading axis")
            except Unseen as unseen:
                notes.refused.setdefault(varied, unseen.reason)
                refused = refused or unseen.reason
                continue
            notes.taken[varied] = notes.taken.get(varied, 0) + 1
            try:
                if model is not at.subject and varied not in notes.said and (said := self._said(here, at)):
                    notes.said[varied] = said
                looked = True
            except Unseen as unseen:
                refused = refused or unseen.reason
        if not looked:
            raise Unseen(refused)

    def _said(self, here: Setting, at: Setting) -> str:
        if said := _broken(here, at.observer, at.subject):
            return f"a leading axis is not the stack of the single answers: {said}{where(at)}"
        return ""

    def settle(self, at: Setting) -> None:
        notes = at.notes.get(self.name, Notes())
        enough = ENOUGH if at.claim.structure else 1
        owed = [varied for varied, times in notes.taken.items() if times >= enough and varied not in notes.refused]
        for varied in owed:
            if varied in notes.said:
                raise broken(notes.said[varied])
        if not owed:
            reasons = [*notes.refused.values(), "too few structures to know whether the reference model takes one"]
            raise Unseen(reasons[0])


@dataclass
class Notes:
    """Of a task: the inputs for which the reference model refused an axis, and took one; what the subject did then."""

    refused: dict[tuple[str, ...], str] = field(default_factory=dict)
    taken: dict[tuple[str, ...], int] = field(default_factory=dict)
    said: dict[tuple[str, ...], str] = field(default_factory=dict)


def _varying(points: Batch, names: tuple[str, ...]) -> Batch:
    """The points with the others' values of some inputs, and the first one's of all others."""
    values = {
        name: value if name in names else value[:1].expand(value.shape).clone() for name, value in points.values.items()
    }
    return Batch(values, points.host, points.regimes, points.size)


def _broken(at: Setting, observer: Observer, subject: Any) -> str:
    """What is wrong with the answers for a leading axis; or "".

    Raises:
        Unseen: if no leading axis can be given, or the subject refuses it.
    """
    alone, calls = [], []
    for number in range(at.batch.size):
        recorder = Recorder()
        alone.append(observer.of(watched(subject, recorder)).one(at.tensors(number)))
        if not recorder.calls:
            raise Unseen("it is an object with methods of its own")
        calls.append(recorder.calls)
    if len({len(each) for each in calls}) != 1:
        raise Unseen("it is called another number of times for each point")
    stacked = [Stacked(list(each)) for each in zip(*calls, strict=True)]
    if not any(each.lifted for each in stacked):
        raise Unseen("its arguments do not vary")
    for number, answer in enumerate(alone):
        replay = Replay(stacked, number)
        try:
            found = observer.of(watched(subject, replay)).one(at.tensors(number))
        except _OtherShape as error:
            return error.reason
        except SubjectError as error:
            raise Unseen(f"it takes no leading axis: {error.reason}") from error
        if words := departs(at, number, answer, found):
            return words
    return ""


class Recorder:
    """What each call was given: leaves of arguments and keywords, how they are nested, and a module's state."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[Any], Any, list[Tensor], Any]] = []

    def __call__(self, function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        leaves, spec = tree.tree_flatten((arguments, dict(keywords)))
        module = getattr(function, "__self__", None)
        state = [*module.parameters(), *module.buffers()] if isinstance(module, nn.Module) else []
        state = [value.detach().clone() for value in state]
        found = function(*arguments, **keywords)
        self.calls.append((leaves, spec, state, found))
        return found


class Stacked:
    """The arguments of one call at all points: those that differ along an axis in front.

    Raises:
        Unseen: if what differs is no tensor, or the points have other states.
    """

    def __init__(self, calls: list[tuple[list[Any], Any, list[Tensor], Any]]) -> None:
        _, self.spec, state, self.single = calls[0]
        if any(spec != self.spec for _, spec, _, _ in calls):
            raise Unseen("its arguments differ in number")
        if any(not torch.equal(a, b) for _, _, other, _ in calls for a, b in zip(state, other, strict=True)):
            raise Unseen("its parameters differ")
        self.leaves: list[Any] = []
        self.lifted = 0
        for column in zip(*(leaves for leaves, _, _, _ in calls), strict=True):
            self.leaves.append(self._put(column))

    def _put(self, column: tuple[Any, ...]) -> Any:
        first = column[0]
        if not all(isinstance(each, Tensor) for each in column):
            if not isinstance(first, (int, float, str)) or all(each == first for each in column):
                return first  # a function of another point, say: if it differs, the reference model's rows do, too
            raise Unseen("what differs between points is no tensor")
        if all(each.shape == first.shape and torch.equal(each, first) for each in column):
            return first
        if any(each.shape != first.shape for each in column):
            raise Unseen("its arguments differ in shape")
        self.lifted += 1
        return strided(torch.stack(column))


class _OtherShape(SubjectError):
    """Not as many rows as there are points, or other ones."""

    def __init__(self, words: str) -> None:
        super().__init__("contract", words)


class Replay:
    """Calls with all points at once, of which each gives back the row of one."""

    def __init__(self, stacked: list[Stacked], number: int) -> None:
        self.stacked, self.number, self.call = stacked, number, 0

    def __call__(self, function: Callable[..., Any], arguments: Any, keywords: Any) -> Any:
        at, self.call = self.stacked[self.call], self.call + 1
        if not at.lifted:
            return function(*arguments, **keywords)
        arguments, keywords = tree.tree_unflatten(at.leaves, at.spec)
        found, spec = tree.tree_flatten(function(*arguments, **keywords))
        single, wanted = tree.tree_flatten(at.single)
        if spec != wanted:
            raise _OtherShape(f"returns {len(found)} values, and {len(single)} for a single point")
        return tree.tree_unflatten([self._row(a, b) for a, b in zip(found, single, strict=True)], spec)

    def _row(self, found: Any, single: Any) -> Any:
        if not isinstance(single, Tensor):
            return found
        shape = (POINTS, *single.shape)
        if not isinstance(found, Tensor) or tuple(found.shape) != shape:
            words = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise _OtherShape(f"returns {words} for {POINTS} points of {tuple(single.shape)}")
        return found[self.number]
