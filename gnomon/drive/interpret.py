"""From a call, which is data, to a driver: what prepares a subject, and calls it at the points of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Each of these registers how its parts are run.
from gnomon.drive import functions, graphs, looks, modules, objects, sample, steps, values  # noqa: F401
from gnomon.drive.bound import unbound
from gnomon.drive.driver import Call as Prepared
from gnomon.drive.driver import Case, Driver, SubjectError, Tensors
from gnomon.drive.run import Run, Session, flat
from gnomon.drive.steps import Stepping
from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.call import Call


def driver_of(call: Call) -> Driver:
    """The driver that calls subjects as a claim says."""

    def prepare(subject: Any, case: Case) -> Prepared:
        return prepared(call, subject, case)

    return Driver(prepare, str(call), call.batch, "required" if call.differentiable else "none")


def prepared(call: Call, subject: Any, case: Case) -> Prepared:
    """A call of a subject, from the tensors of a point (or a batch) to the outputs, by name."""
    own, names = unbound(subject)
    session = Session(own, case, call.batch == "leading", call.batch == "loop", names)
    for each in call.parts():
        if isinstance(each, p.Loaded):  # what is built is built before points are batched
            modules.prepare(each, session)
    alone = not any(name in session.inputs and not session.inputs[name].host for name in case.inputs)

    def run(tensors: Tensors) -> Tensors:
        here = Run(session, tensors)
        with here.noise(*(look for _, look in call.looks)):
            return {name: _shown(name, look, here, alone) for name, look in call.looks}

    return run


def _shown(name: str, look: a.Part, run: Run, alone: bool) -> Any:
    value = run(look)
    if isinstance(value, Stepping):
        return value.joined([parameter.detach() for parameter in value.parameters[0]])
    if isinstance(look, p.Padded):
        return _padded(value, run.case.shapes[name], run)
    every = flat(value)
    if not every:
        raise SubjectError("contract", f"returns nothing for {name}")
    first = every[0]
    if alone and isinstance(first, (int, float)) and not isinstance(first, bool):
        return torch.tensor(first, dtype=run.case.dtype, device=run.case.device)
    return first


def _padded(layers: list[Tensor], full: tuple[int, ...], run: Run) -> Tensor:
    """The layers as one tensor in the shape of the output."""
    if not layers:
        return torch.zeros(full, dtype=run.case.dtype, device=run.case.device)
    room = [wide - own for wide, own in zip(full[1:], layers[0].shape, strict=True)]
    sides = [side for extent in reversed(room) for side in (0, extent)]
    return torch.nn.functional.pad(torch.stack(layers), sides)
