"""Modules: built once for a structure, with parameters and buffers from the inputs of a point."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.bound import proposal
from gnomon.drive.contract import NotCallable, fits
from gnomon.drive.driver import Tensors
from gnomon.drive.run import Run, Session, compute
from gnomon.say import arguments as a
from gnomon.say import chain as p


class Held:
    """A module with the state of a point; buffers are copies, since a module may write to them."""

    def __init__(self, module: nn.Module, state: Tensors) -> None:
        self.module, self.state = module, state

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        fits(self.module.forward, arguments, keywords, "forward with these arguments")
        return torch.func.functional_call(self.module, self.state, arguments, keywords)


@compute.register
def _(part: p.Loaded, run: Run) -> Any:
    module, turned = prepare(part, run.session)
    given: Tensors = {}
    if part.ordered:
        for rank, values in part.ordered:
            given |= _in_order(module, rank, run(values) or [], turned)
    else:
        wanted = {name: run(value) for name, value in part.state}
        given = _by_name(module, {name: value for name, value in wanted.items() if value is not None}, run.session)
    _check_complete(module, given)
    buffers = {name: given.get(name, buffer).clone() for name, buffer in module.named_buffers()}
    return Held(module, {**given, **buffers})


def prepare(part: p.Loaded, session: Session) -> tuple[nn.Module, bool]:
    """The module, built once without touching torch's generator, and whether it stores its matrices as (out, in)."""
    if part.node not in session.modules:
        module = _built(part, Run(session, {}))
        matrices = [name for name, parameter in module.named_parameters() if parameter.dim() == 2]
        turned = bool(part.ordered and matrices) and _transposed(part, matrices[0], session)
        session.modules[part.node] = module, turned
    return session.modules[part.node]


def _built(part: p.Loaded, run: Run) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        made = run(part.node)
    if not isinstance(made, nn.Module):
        raise NotCallable(f"{part.node} is {type(made).__name__}, expected a torch.nn.Module")
    return made.to(run.case.device, run.case.dtype).train(part.training)


def _transposed(part: p.Loaded, name: str, session: Session) -> bool:
    """Seen on a module from 1 unit to 2, where the claim has a list of widths."""
    structure = session.case.structure
    widths: dict[a.Part, Any] = {a.Named(size): (1, *[2] * (len(structure[size]) - 1)) for size in session.sizes}
    stored = _built(part, Run(session, {}, fixed=widths)).get_parameter(name).shape
    return bool(widths) and tuple(stored) == (2, 1)


def _by_name(module: nn.Module, wanted: Tensors, session: Session) -> Tensors:
    owned = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    named = {session.bound(name): value for name, value in wanted.items()}
    given = {name: value for name, value in named.items() if getattr(module, name, module) is not None}
    free: Tensors = {name: value for name, value in module.named_parameters() if name not in given}
    absent = {ours: value for ours, value in wanted.items() if session.bound(ours) in given.keys() - owned.keys()}
    if absent or free:
        raise NotCallable(
            f"has the parameters and buffers {_shapes(owned)}; expected {_shapes(wanted)}"
            + proposal(_extents(absent), _extents(free))
        )
    for name, value in given.items():
        if tuple(owned[name].shape) != tuple(value.shape):
            raise NotCallable(
                f"{name} has the shape {tuple(owned[name].shape)}, expected {tuple(value.shape)}: stored in another way"
            )
    return given


def _extents(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}


def _shapes(tensors: Tensors) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in _extents(tensors).items()) or "none"


def _in_order(module: nn.Module, rank: int, values: list[Tensor], turned: bool) -> Tensors:
    names = [name for name, parameter in module.named_parameters() if parameter.dim() == rank]
    if len(names) != len(values):
        kind = {1: "vectors", 2: "matrices"}[rank]
        raise NotCallable(f"has {len(names)} {kind} among its parameters, expected {len(values)}")
    return dict(zip(names, [value.mT for value in values] if turned and rank == 2 else values, strict=True))


def _check_complete(module: nn.Module, given: Tensors) -> None:
    free = [name for name, _ in module.named_parameters() if name not in given]
    if free:
        raise NotCallable(f"has the parameters {', '.join(free)}, which the claim gives no values")


def loaded(part: a.Part) -> p.Loaded:
    """The module in a chain."""
    return next(inner for inner in a.walk(part) if isinstance(inner, p.Loaded))


@compute.register
def _(part: p.Buffer, run: Run) -> Any:
    run(part.node)  # the module has been called before its buffers are looked at
    held, name = run(loaded(part.node)), run.session.bound(part.name)
    if name not in held.state:
        raise NotCallable(f"has no buffer {name!r}; it has {', '.join(held.state)}")
    return held.state[name]
