"""How each kind of subject is called, and what is read off it. A new kind of model needs a driver."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from gnomon.compute.lower import shape_of
from gnomon.drive.bound import proposal, unbound
from gnomon.drive.contract import NotCallable, called
from gnomon.drive.driver import Call, Case, Driver, Tensors


def function(subject: Any, case: Case) -> Call:
    """``subject(*inputs)``, in the claim's order or as ``options["arguments"]`` names them.

    One output is the returned tensor; several are a tuple, a named tuple or a list, in the order of the outputs.
    """
    arguments = case.options.get("arguments", case.inputs)
    keywords = case.options.get("keywords", {})

    def call(tensors: Tensors) -> Tensors:
        known = {**case.host, **case.structure, **tensors}
        result = called(subject, [known[name] for name in arguments], keywords, f"f({', '.join(arguments)})")
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
        made = called(subject, [[parameter]], keywords, f"Optimizer(params, {', '.join(keywords)})")
        for gradient in tensors["g"].unbind(-2):
            parameter.grad = gradient.clone()
            made.step()
        state = made.state[parameter]
        return {name: parameter.detach() if name == "param" else state[name] for name in case.shapes}

    return call


class Built:
    """A module built for a case, and its state from a point's tensors.

    ``options``: ``args`` and ``keywords`` of the constructor, each a name that the case knows (a size, a choice, a
    hyper-parameter) or a plain value; the labels yes and no of a choice are True and False. ``parameters`` says which
    input is which parameter or buffer, of which a structure has only those that it needs: ``weight_hh_l1`` where
    ``num_layers`` is 2 at least, a ``bias`` where the choice ``bias`` is not "no". ``mode`` says whether the module is
    in "train" (the default) or "eval" mode. ``call`` names the inputs of the call: tensors, sizes, and tuples of them;
    those that ``integers`` names come as int64.
    """

    def __init__(self, subject: Any, case: Case) -> None:
        subject, names = unbound(subject)
        known = {**case.host, **case.structure}
        args = [_given(known, value) for value in case.options.get("args", ())]
        keywords = {name: _given(known, value) for name, value in case.options.get("keywords", {}).items()}
        with torch.random.fork_rng(devices=[]):
            made = called(subject, args, keywords, f"Module({', '.join(map(str, args))}, {', '.join(keywords)})")
        self.module: nn.Module = made.to(case.device, case.dtype).train(case.options.get("mode", "train") == "train")
        self.buffers = dict(self.module.named_buffers())
        owned = {**dict(self.module.named_parameters()), **self.buffers}
        ours = [name for name in case.options.get("parameters", {}) if _needed(name, case.structure)]
        wanted: Mapping[str, str] = {names.get(name, name): case.options["parameters"][name] for name in ours}
        absent = [name for name in wanted if name not in owned and getattr(self.module, name, self) is not None]
        free = [name for name, _ in self.module.named_parameters() if name not in wanted]
        if absent or free:
            raise NotCallable(
                f"has the parameters and buffers {', '.join(owned) or 'none'}, expected {', '.join(wanted) or 'none'}"
                + proposal(self._shapes(case, absent, wanted), {name: tuple(owned[name].shape) for name in free})
            )
        self.case = case
        self.inputs = {name: tensor for name, tensor in wanted.items() if name in owned}

    def _shapes(self, case: Case, absent: list[str], wanted: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
        domains = {domain.name: domain for domain in case.compiled.claim.inputs}
        return {name: shape_of(domains[wanted[name]], case.compiled.bindings) for name in absent}

    def state(self, tensors: Tensors) -> Tensors:
        """Parameters and buffers for a point; buffers are copies, since a module may write to them."""
        given = {name: tensors[source] for name, source in self.inputs.items()}
        copies = {name: given.get(name, buffer).clone() for name, buffer in self.buffers.items()}
        return {**given, **copies}

    def __call__(self, state: Tensors, tensors: Tensors) -> list[Any]:
        """What the module returns for a point, nested tuples laid flat."""
        whole = {name: tensors[name].to(torch.int64) for name in self.case.options.get("integers", ())}
        known = {**self.case.structure, **self.case.host, **tensors, **whole}
        arguments = _named(known, tuple(self.case.options["call"]))
        return _flat(torch.func.functional_call(self.module, state, arguments))


def _needed(name: str, structure: Mapping[str, Any]) -> bool:
    layer = re.search(r"_l(\d+)$", name)
    beyond = layer is not None and int(layer[1]) >= structure.get("num_layers", 1)
    return not beyond and not (name.rpartition(".")[2].startswith("bias") and structure.get("bias") == "no")


def _named(known: Mapping[str, Any], names: Any) -> Any:
    return tuple(_named(known, name) for name in names) if isinstance(names, tuple) else known[names]


def _given(known: Mapping[str, Any], value: Any) -> Any:
    found = known.get(value, value) if isinstance(value, str) else value
    return {"yes": True, "no": False}.get(found, found) if isinstance(found, str) else found


def module(subject: Any, case: Case) -> Call:
    """``subject(*args, **keywords)(*inputs)``, a module, with its parameters set from inputs; see :class:`Built`.

    Outputs: what the call returns, nested tuples laid flat, in the order of the outputs; an output with the name of a
    buffer is that buffer after the call.
    """
    built = Built(subject, case)

    def call(tensors: Tensors) -> Tensors:
        state = built.state(tensors)
        returned = iter(built(state, tensors))
        return {name: state[name] if name in built.buffers else next(returned, None) for name in case.shapes}

    return call


def _flat(result: Any) -> list[Any]:
    return [part for piece in result for part in _flat(piece)] if isinstance(result, (tuple, list)) else [result]


DRIVERS: dict[str, Driver] = {
    "function": Driver(function, "a function of tensors: f(x, ...) -> tensor or tuple of tensors"),
    "host_function": Driver(host_function, "a function of Python numbers: f(t, ...) -> float", "loop", "none"),
    "optimizer": Driver(optimizer, "a torch.optim.Optimizer class: Optimizer(params, lr=..., ...)", "leading", "none"),
    "module": Driver(module, "a torch.nn.Module class: Module(*sizes, **options), called with tensors"),
}
