"""Optimizers, stepped with the claim's gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnomon.drive.contract import NotCallable
from gnomon.drive.objects import made
from gnomon.drive.run import Run, compute
from gnomon.say import arguments as a
from gnomon.say import chain as p


class Stepping:
    """An optimizer after its steps, with its parameters before the last one; ``split``: one for each coordinate."""

    def __init__(
        self, optimizer: Any, parameters: list[list[Tensor]], previous: list[list[Tensor]], split: bool
    ) -> None:
        self.optimizer, self.parameters, self.previous, self.split = optimizer, parameters, previous, split

    def joined(self, parts: list[Tensor]) -> Tensor:
        return torch.stack(parts, -1) if self.split else parts[0]


@compute.register
def _(part: p.Stepped, run: Run) -> Any:
    first = part.node.arguments[0]
    split = isinstance(first, a.Coordinates)
    sources: tuple[a.Part, ...] = (first.value,) if isinstance(first, a.Coordinates) else getattr(first, "items", ())
    parameters: list[list[Tensor]] = []
    for start in map(run.tensor, sources):
        parameters.append([torch.nn.Parameter(piece.clone()) for piece in (start.unbind(-1) if split else (start,))])
    given: Any = [parameter for own in parameters for parameter in own]
    if isinstance(first, a.Coordinates) and first.groups > 1:
        dealt = [given[number :: first.groups] for number in range(first.groups)]
        given = [{"params": group} for group in dealt if group]
    optimizer = made(part.node, run, [given, *(run(item) for item in part.node.arguments[1:])])
    rates = [group["lr"] for group in optimizer.param_groups] if part.factor or part.rate else []
    factor = run(part.factor) if part.factor else 1.0
    listed = run(part.rate) if part.rate else None
    previous = parameters
    for number, gradients in enumerate(_gradients(part, parameters, split, run)):
        if rates:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = float(listed[number]) if listed is not None else rate * factor**number
        previous = [[parameter.detach().clone() for parameter in own] for own in parameters]
        for own, gradient in zip(parameters, gradients(), strict=True):
            for parameter, piece in zip(own, gradient.unbind(-1) if split else (gradient,), strict=True):
                parameter.grad = piece.clone()
        optimizer.step()
    return Stepping(optimizer, parameters, previous, split)


def _gradients(part: p.Stepped, parameters: list[list[Tensor]], split: bool, run: Run) -> list[Any]:
    """For each step a function that gives the gradients of the parameters as they are then."""
    joined = (lambda own: torch.stack(list(own), -1)) if split else (lambda own: own[0])
    axis = 1 if run.session.leading else 0

    def now() -> list[Tensor]:
        return [joined([parameter.detach().clone() for parameter in own]) for own in parameters]

    sources = [run(each) for each in part.gradients]
    steps = run(part.times) if part.times is not None else next(s.shape[axis] for s in sources if isinstance(s, Tensor))

    def at(number: int) -> Any:
        def gradients() -> list[Tensor]:
            values = now()
            found = []
            for source, value in zip(sources, values, strict=True):
                if not isinstance(source, Tensor):
                    found.append(source(*values).to(value.dtype).expand_as(value))
                else:
                    found.append(source if part.times is not None else source.select(axis, number))
            return found

        return gradients

    return [at(number) for number in range(steps)]


def stepped(part: a.Part) -> p.Stepped:
    """The optimizer in a chain."""
    return next(inner for inner in a.walk(part) if isinstance(inner, p.Stepped))


@compute.register
def _(part: p.Parameter, run: Run) -> Any:
    stepping = run(stepped(part.node))
    chosen = (stepping.previous if part.before else stepping.parameters)[part.number]
    return stepping.joined([parameter.detach() for parameter in chosen])


@compute.register
def _(part: p.State, run: Run) -> Any:
    stepping, name = run(stepped(part.node)), run.session.bound(part.name)
    found = []
    for parameter in stepping.parameters[part.parameter]:
        state = stepping.optimizer.state[parameter]
        if name not in state:
            raise NotCallable(
                f"keeps {', '.join(map(str, state)) or 'nothing'} in its state, expected {name}: bind it with "
                f"--bind {part.name}=<its name>"
            )
        found.append(state[name].to(run.case.dtype))
    return stepping.joined(found)
