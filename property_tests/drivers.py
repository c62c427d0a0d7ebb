"""How each kind of subject is called, and what is read off it. A new kind of model needs a driver."""

from __future__ import annotations

from typing import Any

import torch

from gnomon.driver import Call, Case, Driver, Tensors


def function(subject: Any, case: Case) -> Call:
    """``subject(*inputs)``, in the claim's order or as ``options["arguments"]`` names them.

    One output is the returned tensor; several are a tuple, a named tuple or a list, in the order of the outputs.
    """
    arguments = case.options.get("arguments", case.inputs)
    keywords = case.options.get("keywords", {})

    def call(tensors: Tensors) -> Tensors:
        known = {**case.host, **case.structure, **tensors}
        result = subject(*(known[name] for name in arguments), **keywords)
        return named(case, result)

    return call


def named(case: Case, result: Any) -> Tensors:
    """A subject's return value by the names of the outputs."""
    names = list(case.shapes)
    if len(names) == 1 and not isinstance(result, (tuple, list)):
        return {names[0]: result}
    return dict(zip(names, result, strict=False))


def host_function(subject: Any, case: Case) -> Call:
    """``subject(*hyper_parameters) -> float``: a function of Python numbers, shown as a tensor."""
    arguments = case.options.get("arguments", case.inputs)

    def call(tensors: Tensors) -> Tensors:
        known = {**case.host, **case.structure}
        result = subject(*(known[name] for name in arguments))
        return {name: torch.tensor(result, dtype=case.dtype, device=case.device) for name in case.shapes}

    return call


def optimizer(subject: Any, case: Case) -> Call:
    """``subject([parameter], lr=..., ...)``, stepped once for each gradient ``g[t]``.

    Inputs ``theta0`` (n) and ``g`` (T, n); every other input is a keyword of the constructor, ``beta1`` and ``beta2``
    together as ``betas``. Outputs: ``param``, or a name of the optimizer's state (``exp_avg``).
    """

    keywords = {**case.host, **case.options.get("keywords", {})}
    if "beta1" in keywords:
        keywords["betas"] = (keywords.pop("beta1"), keywords.pop("beta2"))

    def call(tensors: Tensors) -> Tensors:
        parameter = torch.nn.Parameter(tensors["theta0"].clone())
        made = subject([parameter], **keywords)
        for gradient in tensors["g"].unbind(-2):
            parameter.grad = gradient.clone()
            made.step()
        state = made.state[parameter]
        return {name: parameter.detach() if name == "param" else state[name] for name in case.shapes}

    return call


DRIVERS: dict[str, Driver] = {
    "function": Driver(function, "a function of tensors: f(x, ...) -> tensor or tuple of tensors"),
    "host_function": Driver(host_function, "a function of Python numbers: f(t, ...) -> float", "loop", "none"),
    "optimizer": Driver(optimizer, "a torch.optim.Optimizer class: Optimizer(params, lr=..., ...)", "leading", "none"),
}
