"""The subject, or torch's own object: made, called, and what is taken out of what it returns."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import torch

from gnomon.drive.contract import NotCallable, called, renamed
from gnomon.drive.driver import SubjectError
from gnomon.drive.run import Run, compute, flat
from gnomon.say import chain as p


@compute.register
def _(part: p.Made, run: Run) -> Any:
    return made(part, run, [run(item) for item in part.arguments])


def made(part: p.Made, run: Run, arguments: list[Any]) -> Any:
    """The subject, or torch's own object, called with arguments that are known."""
    keywords = {name: run(item) for name, item in part.keywords}
    if part.subject.startswith("torch."):
        return _of_torch(part.subject)(*arguments, **keywords)
    own = renamed(run.session.subject, keywords, run.session.names)
    return called(run.session.subject, arguments, own, part)


def _of_torch(name: str) -> Any:
    found: Any = torch
    for word in name.split(".")[1:]:
        found = getattr(found, word)
    return found


@compute.register
def _(part: p.Applied, run: Run) -> Any:
    function = run(part.node)
    arguments = [run(item) for item in part.arguments]
    keywords = renamed(function, {name: run(item) for name, item in part.keywords}, run.session.names)
    if isinstance(function, torch.nn.Module):
        free = [name for name, _ in function.named_parameters()]
        if free:
            raise NotCallable(f"has the parameters {', '.join(free)}, which the claim gives no values")
    return called(function, arguments, keywords, part)


@compute.register
def _(part: p.Attribute, run: Run) -> Any:
    return attribute(run(part.node), run.session.bound(part.name))


def attribute(value: Any, name: str) -> Any:
    """An attribute, or an entry of a dictionary.

    Raises:
        NotCallable: if there is none.
    """
    if isinstance(value, Mapping) and name in value:
        return value[name]
    with contextlib.suppress(AttributeError):
        return getattr(value, name)
    raise NotCallable(f"{type(value).__name__} has no {name!r}: bind it with {name}=<its name>")


@compute.register
def _(part: p.Flat, run: Run) -> Any:
    every = flat(run(part.node))
    if part.number >= len(every):
        raise SubjectError("contract", f"returns {len(every)} tensors, expected at least {part.number + 1}")
    return every[part.number]


@compute.register
def _(part: p.Item, run: Run) -> Any:
    value = run(part.node)
    for step in part.path:
        if isinstance(step, str):
            value = attribute(value, run.session.bound(step))
        elif isinstance(value, (tuple, list)):
            if not -len(value) <= step < len(value):
                raise SubjectError("contract", f"returns {len(value)} values, expected at least {step + 1}")
            value = value[step]
        elif step != 0:  # what is alone is the first
            raise SubjectError("contract", f"returns one {type(value).__name__}, expected a tuple")
    return value


@compute.register
def _(part: p.At, run: Run) -> Any:
    return run(part.node).select(1 if run.session.leading else 0, part.index)


@compute.register
def _(part: p.Rows, run: Run) -> Any:
    value = run(part.node)
    if isinstance(value, (tuple, list)):
        return tuple(each.movedim(part.axis, 0) for each in value)
    return value.movedim(part.axis, 0)
