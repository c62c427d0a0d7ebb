"""How functions of token sequences are called, and how a recurrent network's states depend on each other."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from gnomon.drive.driver import Call, Case, Driver, Tensors
from gnomon.property_tests.drivers import Built, function


def state_jacobian(subject: Any, case: Case) -> Call:
    """A recurrent module of one layer, called as ``module(x, h_0) -> (states, h_T)`` with a batch of one sequence.

    Inputs, besides the parameters, ``x`` (T, d) and ``h0`` (n); those that a claim does not have are zero. T is the
    structure's. Outputs: ``h_n`` (n), and ``jacobian`` (n, n), autograd's derivative of h_T by h_0.
    """
    built = Built(subject, case)
    steps = int(case.structure["T"])

    def call(tensors: Tensors) -> Tensors:
        state = built.state(tensors)
        width, inputs = tensors["weight_ih"].shape
        like = tensors["weight_ih"]
        x = tensors.get("x", like.new_zeros(steps, inputs))

        def last(h0: torch.Tensor) -> Any:
            arguments = x.unsqueeze(1), h0.reshape(1, 1, width)
            return torch.func.functional_call(built.module, state, arguments)[1].reshape(width)

        h_n, pull = torch.func.vjp(last, tensors.get("h0", like.new_zeros(width)))
        units = torch.eye(width, dtype=case.dtype, device=case.device)
        shown = {"h_n": h_n, "jacobian": torch.stack([pull(unit)[0] for unit in units])}
        return {name: shown[name] for name in case.shapes}

    return call


def token_function(subject: Any, case: Case) -> Call:
    """A function as for the driver ``function``; the inputs that ``options["tokens"]`` names come as int64.

    With ``options["dtype"]`` the function takes the dtype of its answer as the keyword ``dtype``. Tokens that it
    returns are shown as numbers of the case's dtype.
    """
    names = case.options.get("tokens", ())
    if case.options.get("dtype"):
        keywords = {**case.options.get("keywords", {}), "dtype": case.dtype}
        case = dataclasses.replace(case, options={**case.options, "keywords": keywords})
    inner = function(subject, case)

    def call(tensors: Tensors) -> Tensors:
        shown = inner({name: value.to(torch.int64) if name in names else value for name, value in tensors.items()})
        return {name: value.to(case.dtype) if _whole(value) else value for name, value in shown.items()}

    return call


def _whole(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype is torch.int64


_RNN = "a module class like torch.nn.RNN: Net(input_size, hidden_size, ...), called as net(x, h_0) -> (states, h_T)"

DRIVERS: dict[str, Driver] = {
    "state_jacobian": Driver(state_jacobian, _RNN),
    "token_function": Driver(token_function, "a function of int64 tokens and tensors: f(tokens, ...) -> tensor"),
}
