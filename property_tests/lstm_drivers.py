"""How recurrent modules are called, which take a state beside the input and have as many parameters as layers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gnomon.driver import Call, Case, Driver, Tensors
from gnomon.property_tests.drivers import Built


class Stateful:
    """A recurrent module for a case, called with the inputs that ``options["call"]`` names.

    ``options`` are those of the driver ``module``, but ``call`` may name sizes and nest names in tuples, as in
    ``("x", ("h0", "c0"))``; and of ``parameters`` a structure has only those that it needs: ``weight_hh_l1`` where
    ``num_layers`` is 2 at least, a ``bias_`` where ``bias`` is "yes". The inputs that ``integers`` names come as int64.
    """

    def __init__(self, subject: Any, case: Case) -> None:
        self.case = case
        layers, biased = case.structure.get("num_layers", 1), case.structure.get("bias", "yes") == "yes"
        needed = {
            name: source
            for name, source in case.options["parameters"].items()
            if _layer(name) < layers and (biased or not name.startswith("bias"))
        }
        self.built = Built(subject, dataclasses.replace(case, options={**case.options, "parameters": needed}))

    def __call__(self, tensors: Tensors) -> tuple[Tensor, ...]:
        """What the call returns, nested tuples laid flat."""
        whole = {name: tensors[name].to(torch.int64) for name in self.case.options.get("integers", ())}
        known = {**self.case.structure, **self.case.host, **tensors, **whole}
        given = _named(known, tuple(self.case.options["call"]))
        return _flat(torch.func.functional_call(self.built.module, self.built.state(tensors), given))


def _layer(name: str) -> int:
    found = re.search(r"_l(\d+)$", name)
    return int(found[1]) if found else 0


def _named(known: Mapping[str, Any], names: Any) -> Any:
    return tuple(_named(known, name) for name in names) if isinstance(names, tuple) else known[names]


def _flat(result: Any) -> tuple[Any, ...]:
    return tuple(part for piece in result for part in _flat(piece)) if isinstance(result, (tuple, list)) else (result,)


def stateful_module(subject: Any, case: Case) -> Call:
    """``subject(*args, **keywords)(*inputs)``, see :class:`Stateful`. Outputs: what it returns, in their order."""
    made = Stateful(subject, case)

    def call(tensors: Tensors) -> Tensors:
        return dict(zip(case.shapes, made(tensors), strict=False))

    return call


def stateful_gradient(subject: Any, case: Case) -> Call:
    """Autograd's gradients of a recurrent module: an output ``d<input>`` for each input that is asked for.

    ``options["cotangents"]`` names, for each of the tensors that the call returns, the input with which it is
    multiplied before all is summed; None where it does not count.
    """
    made = Stateful(subject, case)
    by = [name.removeprefix("d") for name in case.shapes]

    def call(tensors: Tensors) -> Tensors:
        returned, pullback = torch.func.vjp(
            lambda at: made({**tensors, **at}),
            {name: tensors[name] for name in by},
        )
        weights = tuple(
            torch.zeros_like(part) if name is None else tensors[name]
            for name, part in zip(case.options["cotangents"], returned, strict=True)
        )
        (found,) = pullback(weights)
        return {f"d{name}": found[name] for name in by}

    return call


def stateful_jacobian(subject: Any, case: Case) -> Call:
    """Autograd's Jacobian of one returned tensor, number ``options["of"]``, by the input ``options["by"]``.

    Output: a matrix, with a row for each entry of the tensor and a column for each entry of the input.
    """
    made = Stateful(subject, case)
    of, by = case.options["of"], case.options["by"]

    def call(tensors: Tensors) -> Tensors:
        value, pullback = torch.func.vjp(lambda at: made({**tensors, by: at})[of], tensors[by])
        units = torch.eye(value.numel(), dtype=value.dtype, device=value.device)
        rows = [pullback(unit.reshape(value.shape))[0].reshape(-1) for unit in units]
        return dict.fromkeys(case.shapes, torch.stack(rows))

    return call


_MODULE = "a recurrent module's class: LSTM(input_size, hidden_size, ...)(x, (h_0, c_0))"
DRIVERS: dict[str, Driver] = {
    "stateful_module": Driver(stateful_module, _MODULE),
    "stateful_gradient": Driver(stateful_gradient, _MODULE),
    "stateful_jacobian": Driver(stateful_jacobian, _MODULE),
}
