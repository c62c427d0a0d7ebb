"""Looks: derivatives that autograd takes of a call, means over cases, padded lists, what a subject asks and refuses."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.driver import SubjectError
from gnomon.drive.ragged import longest
from gnomon.drive.run import Run, compute, flat
from gnomon.say import arguments as a
from gnomon.say import chain as p


def _tensors(part: a.Part, run: Run) -> tuple[Tensor, ...]:
    return tuple(flat(run.fresh(part)))


@compute.register
def _(part: p.Gradient, run: Run) -> Any:
    at = tuple(_moved(each, run) for each in part.by)
    if run.session.leading or run.session.looped:
        found = _backward(part, at, run)
    else:
        values, pull = torch.func.vjp(lambda *at: _tensors(part.node, run.at(part.by, at)), *at)[:2]
        found = pull(_cotangents(part, values, run))
    return tuple(_longest(each, value, run) for each, value in zip(part.by, found, strict=True))


def _moved(part: a.Part, run: Run) -> Tensor:
    """What a derivative is taken by: of a ragged list the tensor that is filled up."""
    return run.tensors[part.name] if isinstance(part, a.Named) and run.lengths(part.name) else run.tensor(part)


def _longest(part: a.Part, value: Tensor, run: Run) -> Tensor:
    lengths = run.lengths(part.name) if isinstance(part, a.Named) else ()
    return longest(value, run.session.inputs[str(part)], lengths) if lengths else value


def _backward(part: p.Gradient, at: tuple[Tensor, ...], run: Run) -> tuple[Tensor, ...]:
    """By autograd's own engine: a batch of rows at once, or subjects that torch.func cannot go through."""
    with torch.enable_grad():
        leaves = tuple(value.detach().clone().requires_grad_() for value in at)
        values = _tensors(part.node, run.at(part.by, leaves))
        return torch.autograd.grad(values, leaves, _cotangents(part, values, run), materialize_grads=True)


def _cotangents(part: p.Gradient, values: tuple[Tensor, ...], run: Run) -> tuple[Tensor, ...]:
    if not part.cotangents:
        return tuple(torch.ones_like(value) for value in values)
    if len(part.cotangents) != len(values):
        raise SubjectError("contract", f"returns {len(values)} tensors, expected {len(part.cotangents)}")
    pairs = zip(part.cotangents, values, strict=True)
    return tuple(torch.zeros_like(value) if weight is None else run.tensor(weight) for weight, value in pairs)


@compute.register
def _(part: p.Jacobian, run: Run) -> Any:
    at = run.tensor(part.by)
    value, pull = torch.func.vjp(lambda at: _tensors(part.node, run.at((part.by,), (at,)))[0], at)[:2]
    units = torch.eye(value.numel(), dtype=value.dtype, device=value.device)
    return torch.stack([pull(unit.reshape(value.shape))[0].reshape(-1) for unit in units])


@compute.register
def _(part: p.Mean, run: Run) -> Any:
    rows = [flat(run.inside(part.limits[0], value).fresh(part.node)) for value in run.range_of(part.limits)]
    return tuple(torch.stack(column).mean(0) for column in zip(*rows, strict=True))


@compute.register
def _(part: p.Padded, run: Run) -> Any:
    values = run.range_of(part.limits) if part.only is None or run(part.only) else ()
    inside = [run.inside(part.limits[0], value) for value in values]
    wanted = [tuple(each.whole(extent) for extent in part.extents) for each in inside]
    layers = run(part.node)
    layers = [] if layers is None else list(layers)
    given = [tuple(layer.shape) for layer in layers]
    if given != wanted:
        raise SubjectError("contract", f"returns tensors of the shapes {given}, expected {wanted}")
    full = [max(extents) for extents in zip(*wanted, strict=True)]
    return [_filled(layer, full) for layer in layers]


def _filled(layer: Tensor, full: list[int]) -> Tensor:
    room = [(0, wide - own) for wide, own in zip(full, layer.shape, strict=True)]
    return nn.functional.pad(layer, [side for pair in reversed(room) for side in pair])


class _Enough(BaseException):
    """The function has been called as often as the claim looks at; no subject catches it by accident."""


@compute.register
def _(part: p.Asked, run: Run) -> Any:
    seen: list[tuple[Any, ...]] = []

    def watch(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def watched(*arguments: Any) -> Tensor:
            seen.append(arguments)
            if len(seen) > part.number:
                raise _Enough
            return function(*arguments)

        return watched

    own = Run(run.session, run.tensors, run.indices, run.fixed)
    own.watches[part.function] = watch
    with contextlib.suppress(_Enough):
        own.fresh(part.node)
    if len(seen) > part.number:
        return seen[part.number]
    return tuple(torch.full_like(torch.as_tensor(value), torch.nan) for value in seen[-1])


@compute.register
def _(part: p.Count, run: Run) -> Any:
    calls: list[int] = []

    def watch(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def watched(*arguments: Any) -> Tensor:
            calls.append(1)
            return function(*arguments)

        return watched

    own = Run(run.session, run.tensors, run.indices, run.fixed)
    own.watches[part.function] = watch
    own.fresh(part.node)
    return torch.full_like(run.like, len(calls))


class _Watch:
    """How many numbers autograd keeps, and the most that it kept at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def add(self, count: int) -> None:
        self.now += count
        self.most = max(self.most, self.now)


class _Saved:
    """A tensor that autograd keeps; the watch counts it for as long as it is kept."""

    def __init__(self, watch: _Watch, tensor: Tensor) -> None:
        self.watch, self.tensor = watch, tensor
        watch.add(tensor.numel())

    def __del__(self) -> None:
        self.watch.add(-self.tensor.numel())


@compute.register
def _(part: p.Kept, run: Run) -> Any:
    watch, own = _Watch(), Run(run.session, run.tensors, run.indices, run.fixed)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: _Saved(watch, x), lambda saved: saved.tensor):
        own.fresh(part.node)
    return torch.full_like(run.like, watch.most)


@compute.register
def _(part: p.Raised, run: Run) -> Any:
    try:
        found = run(part.node)
    except SubjectError:
        raise
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__]
        if part.error not in names:
            raise SubjectError("contract", f"raises {names[0]}: {error}; expected {part.error}") from error
        if not re.search(part.match, str(error)):
            words = f"raises {names[0]}: {error}; expected a message with {part.match!r}"
            raise SubjectError("contract", words) from error
        return torch.ones_like(run.like)
    raise SubjectError("contract", f"accepts it and returns {type(found).__name__}; expected {part.error}")
