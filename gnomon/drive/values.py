"""The values of what a subject is given: inputs, formulas, lists, and what is made of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.whole_numbers import Wholes
from gnomon.drive.lowered import bindings_of, whole
from gnomon.drive.ragged import part_of
from gnomon.drive.run import Run, compute, flat
from gnomon.say import arguments as a
from gnomon.say.arguments import Part

FLAGS = {"yes": True, "no": False}


@compute.register
def _(part: a.Constant, run: Run) -> Any:
    return float(part.value) if isinstance(part.value, Fraction) else part.value


@compute.register
def _(part: a.Named, run: Run) -> Any:
    name, bindings = part.name, bindings_of(run.case, run.indices)
    if name in run.tensors:
        domain = run.session.inputs.get(name)
        if domain is not None and domain.lengths is not None:
            lengths = run.lengths(name)
            return [part_of(run.tensors[name], domain, (i,), lengths) for i in range(len(lengths))]
        return run.tensors[name].to(torch.bool) if domain is not None and domain.mask else run.tensors[name]
    if name in run.case.host:
        return run.case.host[name]
    if name in bindings.numbers:
        return bindings.numbers[name]
    array = bindings.arrays[name]
    if name in run.session.sizes:
        return tuple(array)
    return torch.tensor(_floats(array), dtype=run.case.dtype, device=run.case.device)


@compute.register
def _(part: a.Label, run: Run) -> Any:
    label = run.case.structure[part.name]
    return FLAGS[label] if set(run.session.choices[part.name].options) <= set(FLAGS) else label


def _floats(array: Any) -> Any:
    return [_floats(entry) for entry in array] if isinstance(array, (tuple, list)) else float(array)


@compute.register
def _(part: a.Formula, run: Run) -> Any:
    if not part.ranges and not part.given:
        found = whole(part.entry, run.case, run.indices)
        if found is not None:
            return found
        if (cut := _slice(part.entry, run)) is not None:
            return cut
    given = {name: run.tensor(inner) for name, inner in part.given}
    lowered = run.session.lowered(part.entry, part.ranges, run.indices, tuple(given))
    value = run.formula(lowered, given)
    return value.item() if lowered.host and not part.ranges else value


def _slice(entry: Any, run: Run) -> Tensor | None:
    """``Theta[l]``: what a tensor has at its first indices."""
    name = str(getattr(getattr(entry, "base", None), "label", ""))
    domain = run.session.inputs.get(name)
    if domain is None or not 0 < len(entry.indices) < len(domain.shape):
        return None
    index = Wholes(bindings_of(run.case, run.indices), ()).index(entry, {})
    return part_of(run.tensors[name], domain, index, run.lengths(name))


@compute.register
def _(part: a.Group, run: Run) -> Any:
    items = [run(item) for item in part.items]
    if part.kind == "dict":
        return dict(zip(part.names, items, strict=True))
    return items if part.kind == "list" else tuple(items)


@compute.register
def _(part: a.Listed, run: Run) -> Any:
    return [run.inside(part.limits[0], value)(part.item) for value in run.range_of(part.limits)]


@compute.register
def _(part: a.Cut, run: Run) -> Any:
    return run(part.value)[(..., *(slice(run.whole(extent)) for extent in part.extents))]


@compute.register
def _(part: a.Cast, run: Run) -> Any:
    value = run(part.value)
    if part.to == "own":
        return (
            [each.to(run.case.dtype) for each in flat(value)] if isinstance(value, (tuple, list)) else _own(value, run)
        )
    if isinstance(value, float) and part.to == "int64":
        return int(value)
    if not isinstance(value, Tensor):
        value = torch.tensor(value, device=run.case.device)
    return value.to(getattr(torch, part.to))


def _own(value: Any, run: Run) -> Any:
    return value.to(run.case.dtype) if isinstance(value, Tensor) else value


@compute.register
def _(part: a.When, run: Run) -> Any:
    if isinstance(part.condition, Part):
        holds = run(part.condition)
        if not isinstance(holds, bool):
            raise ValueError(f"{part.condition} is no flag: a choice between yes and no")
    else:
        holds = Wholes(bindings_of(run.case, run.indices), ()).holds(part.condition, {})
        if holds is None:
            raise ValueError(f"{part.condition} is not decided by {dict(run.case.structure)}")
    return run(part.value if holds else part.otherwise)


@compute.register
def _(part: a.Normalised, run: Run) -> Any:
    law = run(part.value)
    return law / law.sum(-1, keepdim=True)


@compute.register
def _(part: a.ZerosLike, run: Run) -> Any:
    return torch.zeros_like(run.tensor(part.value))


@compute.register
def _(part: a.Span, run: Run) -> Any:
    times = run(part.value)
    return abs(times[-1] - times[0]).item()


@compute.register
def _(part: a.Dtype, run: Run) -> Any:
    return run.case.dtype


@compute.register
def _(part: a.Draws, run: Run) -> Any:
    return torch.Generator(run.case.device)


def rank_of(part: Part, run: Run) -> int:
    """How many axes a part has at each point: those that its input was declared with, or its formula ranges."""
    if isinstance(part, a.Named) and part.name in run.session.inputs:
        return len(run.session.inputs[part.name].shape)
    return len(getattr(part, "ranges", ()))
