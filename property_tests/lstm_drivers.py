"""What autograd says of recurrent modules, which take a state beside the input: gradients and Jacobians."""

from __future__ import annotations

from typing import Any

import torch

from gnomon.drive.driver import Call, Case, Driver, Tensors
from gnomon.property_tests.drivers import Built


def _shown(built: Built, tensors: Tensors) -> tuple[Any, ...]:
    return tuple(built(built.state(tensors), tensors))


def stateful_gradient(subject: Any, case: Case) -> Call:
    """Autograd's gradients of a recurrent module: an output ``d<input>`` for each input that is asked for.

    ``options["cotangents"]`` names, for each of the tensors that the call returns, the input with which it is
    multiplied before all is summed; None where it does not count.
    """
    built = Built(subject, case)
    by = [name.removeprefix("d") for name in case.shapes]

    def call(tensors: Tensors) -> Tensors:
        returned, pullback = torch.func.vjp(
            lambda at: _shown(built, {**tensors, **at}),
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
    built = Built(subject, case)
    of, by = case.options["of"], case.options["by"]

    def call(tensors: Tensors) -> Tensors:
        value, pullback = torch.func.vjp(lambda at: _shown(built, {**tensors, by: at})[of], tensors[by])
        units = torch.eye(value.numel(), dtype=value.dtype, device=value.device)
        rows = [pullback(unit.reshape(value.shape))[0].reshape(-1) for unit in units]
        return dict.fromkeys(case.shapes, torch.stack(rows))

    return call


_MODULE = "a recurrent module's class: LSTM(input_size, hidden_size, ...)(x, (h_0, c_0))"
DRIVERS: dict[str, Driver] = {
    "stateful_gradient": Driver(stateful_gradient, _MODULE),
    "stateful_jacobian": Driver(stateful_jacobian, _MODULE),
}
