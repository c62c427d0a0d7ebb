"""Drivers for layers whose sizes depend on one another: their options are SymPy expressions in the structure."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import sympy as sp
import torch

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors
from gnomon.property_tests.drivers import module, named


def worked_out(case: Case, value: Any) -> Any:
    """An option with its SymPy expressions, also within tuples, as whole numbers; anything else as it is."""
    if isinstance(value, tuple):
        return tuple(worked_out(case, part) for part in value)
    if isinstance(value, sp.Basic):
        return int(value.subs({symbol: case.structure[symbol.name] for symbol in value.free_symbols}))
    return value


def sized(case: Case) -> Case:
    """The case with the options ``args``, ``keywords`` and ``arguments`` worked out."""
    options = dict(case.options)
    options |= {name: worked_out(case, options[name]) for name in ("args", "arguments") if name in options}
    options["keywords"] = {name: worked_out(case, value) for name, value in options.get("keywords", {}).items()}
    return dataclasses.replace(case, options=options)


def given(case: Case, value: Any) -> Any:
    """A name as what the structure has for it, with yes and no as True and False; anything else as it is."""
    found = case.structure.get(value, value) if isinstance(value, str) else value
    return {"yes": True, "no": False}.get(found, found) if isinstance(found, str) else found


def moved(case: Case, tensors: Tensors) -> Tensors:
    """The tensors with those that ``options["moved"]`` names moved along their last axis, all the way round."""
    shifts = case.options.get("moved", {})
    return tensors | {name: tensors[name].roll(worked_out(case, by), -1) for name, by in shifts.items()}


def sized_module(subject: Any, case: Case) -> Call:
    """Like the driver ``module``, with the constructor's numbers worked out from the structure; see :func:`moved`."""
    call = module(subject, sized(case))
    return lambda tensors: call(moved(case, tensors))


def sized_function(subject: Any, case: Case) -> Call:
    """``subject(*arguments)``: tensors and sizes by name, whole numbers (or shapes) worked out."""
    arguments = sized(case).options.get("arguments", case.inputs)

    def call(tensors: Tensors) -> Tensors:
        known = {**case.host, **case.structure, **moved(case, tensors)}
        return named(case, subject(*(known[part] if isinstance(part, str) else part for part in arguments)))

    return call


def table(subject: Any, case: Case) -> Call:
    """``subject(*arguments) -> int``, for all values of the indices ``options["over"] = ((index, low, high), ...)``."""
    over = case.options.get("over", ())
    arguments = tuple(given(case, part) for part in case.options["arguments"])

    def call(tensors: Tensors) -> Tensors:
        found = []
        for values in itertools.product(*(range(low, high + 1) for _, low, high in over)):
            indices = {index.name: value for (index, _, _), value in zip(over, values, strict=True)}
            here = dataclasses.replace(case, structure={**case.structure, **indices})
            found.append(subject(*worked_out(here, arguments)))
        ((name, shape),) = case.shapes.items()
        return {name: torch.tensor(found, dtype=case.dtype, device=case.device).reshape(shape)}

    return call


def layers(subject: Any, case: Case) -> Call:
    """``subject(channels, kernel_size, ...)(x)``: convolutions in a row, their parameters cut from ``w`` and ``b``.

    The parameters called weight or bias belong to the layers in the order in which the module names them.
    """
    case = sized(case)
    args, keywords = case.options["args"], case.options["keywords"]
    with torch.random.fork_rng(devices=[]):
        made = subject(
            *(given(case, value) for value in args), **{n: given(case, value) for n, value in keywords.items()}
        )
    made = made.to(case.device, case.dtype)
    shapes = {name: tuple(parameter.shape) for name, parameter in made.named_parameters()}
    weights = [name for name in shapes if name.rpartition(".")[2] == "weight"]
    biases = [name for name in shapes if name.rpartition(".")[2] == "bias"]
    depth = len(case.structure["channels"]) - 1
    if len(weights) != depth or len(biases) != depth or len(shapes) != 2 * depth:
        raise SubjectError("contract", f"has the parameters {', '.join(shapes)}, expected {depth} weights and biases")

    def call(tensors: Tensors) -> Tensors:
        known = moved(case, tensors)
        cut = {
            name: known[source][layer][tuple(slice(extent) for extent in shapes[name])]
            for source, names in (("w", weights), ("b", biases))
            for layer, name in enumerate(names)
        }
        return named(case, torch.func.functional_call(made, cut, (known["x"],)))

    return call


def counted(subject: Any, case: Case) -> Call:
    """How many parameters there are: in the module itself (``parameters``), and in the layers on top of it.

    ``options["input"]`` is the shape of an input. On top stand, each by itself, a linear layer with ``linear`` outputs,
    and a convolution with ``convolution = (out_channels, kernel_size)``.
    """
    case = sized(case)
    args, keywords = case.options.get("args", ()), case.options["keywords"]
    above = {name: worked_out(case, case.options.get(name)) for name in ("linear", "convolution")}

    def count(made: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in made.parameters())

    def call(tensors: Tensors) -> Tensors:
        made = subject(
            *(given(case, value) for value in args), **{n: given(case, value) for n, value in keywords.items()}
        )
        found = {"parameters": count(made)}
        if "input" in case.options:
            maps = made(torch.zeros(worked_out(case, case.options["input"])))
            linear = torch.nn.LazyLinear(above["linear"])
            linear(maps.flatten(1))
            convolution = torch.nn.LazyConv1d(*above["convolution"])
            convolution(maps)
            found |= {"linear": count(linear), "convolution": count(convolution)}
        return {
            name: torch.tensor(found[name], dtype=case.dtype, device=case.device).reshape(shape)
            for name, shape in case.shapes.items()
        }

    return call


DRIVERS: dict[str, Driver] = {
    "sized_module": Driver(sized_module, "a torch.nn.Module class: Module(*sizes, **options), called with tensors"),
    "sized_function": Driver(sized_function, "a function of tensors and whole numbers: f(x, ...) -> tensor"),
    "table": Driver(table, "a function of whole numbers: f(n, ...) -> int", "loop", "none"),
    "layers": Driver(layers, "a torch.nn.Module class: Net(channels, kernel_size, **options), called with x"),
    "counted": Driver(counted, "a torch.nn.Module class: Module(*sizes, **options)", "loop", "none"),
}
