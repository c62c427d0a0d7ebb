"""How networks of fully connected layers are called: modules, forward and backward passes written out, descent steps.

The layers of a network differ in width, so a claim gives its parameters as two padded tensors, ``Theta`` (k, W, W) and
``b`` (k, W), and the widths as ``n``. Layer l owns ``Theta[l, :n[l], :n[l + 1]]`` and ``b[l, :n[l + 1]]``, and the
rest is never read. What a claim observes of each layer is padded with zeros in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.driver import Call, Case, Driver, SubjectError, Tensors


def _weights(tensors: Tensors, case: Case) -> list[Tensor]:
    return [tensors["Theta"][l, :m, :n] for l, (m, n) in enumerate(pairwise(case.structure["n"]))]


def _biases(tensors: Tensors, case: Case) -> list[Tensor] | None:
    if case.structure["biases"] == "no":
        return None
    return [tensors["b"][l, :n] for l, n in enumerate(case.structure["n"][1:])]


def _activations(case: Case) -> tuple[str, str]:
    return case.structure["activation"], case.structure["output_activation"]


def _padded(case: Case, name: str, layers: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> Tensor:
    """One tensor for the layers of an output, whose entries must have these shapes; zeros fill it up."""
    given = [tuple(layer.shape) for layer in layers]
    if given != list(shapes):
        raise SubjectError("contract", f"{name} has the shapes {given}, expected {list(shapes)}")
    whole = torch.zeros(case.shapes[name], dtype=case.dtype, device=case.device)
    full = whole.shape[1:]
    rows = []
    for layer in layers:
        room = [(0, wide - own) for wide, own in zip(full, layer.shape, strict=True)]
        rows.append(nn.functional.pad(layer, [side for pair in reversed(room) for side in pair]))
    return torch.stack(rows) if rows else whole


def _units(case: Case, sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """The shape of each layer's units, with the samples in front where the claim has samples."""
    samples = [case.structure["N"]] if "N" in case.structure else []
    return [(*samples, size) for size in sizes]


def forward_pass(subject: Any, case: Case) -> Call:
    """``subject(x, weights, biases, activation, output_activation) -> ([s_1 .. s_k], [h_0 .. h_k])``.

    Outputs ``s`` (k, *, W) and ``h`` (k + 1, *, W).
    """
    n = case.structure["n"]

    def call(tensors: Tensors) -> Tensors:
        weights, biases = _weights(tensors, case), _biases(tensors, case)
        s, h = subject(tensors["x"], weights, biases, *_activations(case))
        return {
            "s": _padded(case, "s", s, _units(case, n[1:])),
            "h": _padded(case, "h", h, _units(case, n)),
        }

    return call


def backward_pass(subject: Any, case: Case) -> Call:
    """``subject(x, y, weights, biases, activation, output_activation) -> (weights, biases, x, deltas)``: gradients.

    Outputs ``dTheta`` (k, W, W), ``db`` (k, W), ``dx``, ``delta`` (k, *, W), and ``output_delta``, the last delta.
    """
    n = case.structure["n"]

    def call(tensors: Tensors) -> Tensors:
        found = subject(
            tensors["x"], tensors["y"], _weights(tensors, case), _biases(tensors, case), *_activations(case)
        )
        weights, biases, dx, deltas = found
        made = {
            "dTheta": lambda: _padded(case, "dTheta", weights, list(pairwise(n))),
            "db": lambda: _padded(
                case, "db", biases, [(m,) for m in n[1:]] if case.structure["biases"] == "yes" else []
            ),
            "dx": lambda: dx,
            "delta": lambda: _padded(case, "delta", deltas, _units(case, n[1:])),
            "output_delta": lambda: deltas[-1],
        }
        return {name: made[name]() for name in case.shapes}

    return call


def descent_step(subject: Any, case: Case) -> Call:
    """``subject(x, y, weights, biases, lr, activation, output_activation) -> (weights, biases)``: the new ones.

    Outputs ``Theta_new`` (k, W, W) and ``b_new`` (k, W).
    """
    n = case.structure["n"]
    biased = case.structure["biases"] == "yes"

    def call(tensors: Tensors) -> Tensors:
        weights, biases = subject(
            tensors["x"],
            tensors["y"],
            _weights(tensors, case),
            _biases(tensors, case),
            case.host["lr"],
            *_activations(case),
        )
        return {
            "Theta_new": _padded(case, "Theta_new", weights, list(pairwise(n))),
            "b_new": _padded(case, "b_new", biases, [(m,) for m in n[1:]] if biased else []),
        }

    return call


class _Network:
    """A module whose matrices and vectors, in the order of ``named_parameters``, are the weights and the biases."""

    def __init__(self, subject: Any, case: Case) -> None:
        self.case = case
        self.module = self._made(subject, case.structure["n"])
        self.matrices = self._named(self.module, 2, len(case.structure["n"]) - 1)
        self.vectors = self._named(self.module, 1, len(self.matrices) if case.structure["biases"] == "yes" else 0)
        probe = self._made(subject, (1,) + (2,) * len(self.matrices))
        first = self._named(probe, 2, len(self.matrices))[0]
        self.stores_transposes = tuple(probe.get_parameter(first).shape) == (2, 1)  # as nn.Linear does

    def _made(self, subject: Any, sizes: Sequence[int]) -> nn.Module:
        hidden, output = _activations(self.case)
        with torch.random.fork_rng(devices=[]):
            made = subject(
                tuple(sizes),
                activation=hidden,
                output_activation=output,
                bias=self.case.structure["biases"] == "yes",
            )
        return made.to(self.case.device, self.case.dtype)  # type: ignore[no-any-return]

    def _named(self, module: nn.Module, axes: int, count: int) -> list[str]:
        names = [name for name, parameter in module.named_parameters() if parameter.dim() == axes]
        if len(names) != count:
            kind = "matrices" if axes == 2 else "vectors"
            raise SubjectError("contract", f"has {len(names)} {kind} for parameters, expected {count}")
        return names

    def stored(self, tensors: Tensors) -> Tensors:
        """The padded tensors as this module's parameters."""
        weights = _weights(tensors, self.case)
        if self.stores_transposes:
            weights = [weight.mT for weight in weights]
        biases = _biases(tensors, self.case) or []
        return dict(zip([*self.matrices, *self.vectors], [*weights, *biases], strict=True))

    def __call__(self, parameters: Tensors, x: Tensor) -> Tensor:
        return torch.func.functional_call(self.module, parameters, (x,))  # type: ignore[no-any-return]


def network(subject: Any, case: Case) -> Call:
    """``subject(sizes, activation=, output_activation=, bias=)``: a module, called with x (*, n_0); shows ``yhat``."""
    made = _Network(subject, case)

    def call(tensors: Tensors) -> Tensors:
        return {"yhat": made(made.stored(tensors), tensors["x"])}

    return call


def network_gradient(subject: Any, case: Case) -> Call:
    """A module as for ``network``; shows autograd's gradients of ``sum(g * yhat)``: ``dTheta``, ``db`` and ``dx``."""
    made = _Network(subject, case)
    n = case.structure["n"]

    def call(tensors: Tensors) -> Tensors:
        _, pullback = torch.func.vjp(made, made.stored(tensors), tensors["x"])
        by, dx = pullback(tensors["g"])
        weights = [by[name].mT if made.stores_transposes else by[name] for name in made.matrices]
        biases = [by[name] for name in made.vectors]
        return {
            "dTheta": _padded(case, "dTheta", weights, list(pairwise(n))),
            "db": _padded(case, "db", biases, [(m,) for m in n[1:]][: len(biases)]),
            "dx": dx,
        }

    return call


def function_gradient(subject: Any, case: Case) -> Call:
    """Autograd's gradient of a scalar function, ``subject(*inputs)``, by the inputs that ``options["by"]`` names."""
    names = case.options.get("arguments", case.inputs)
    by = case.options["by"]

    def call(tensors: Tensors) -> Tensors:
        def value(*at: Tensor) -> Any:
            known = {**case.host, **case.structure, **tensors, **dict(zip(by, at, strict=True))}
            return subject(*(known[name] for name in names))

        found = torch.func.grad(value, argnums=tuple(range(len(by))))(*(tensors[name] for name in by))
        return dict(zip(case.shapes, found, strict=True))

    return call


_PARAMETERS = "weights, biases, activation, output_activation"

DRIVERS: dict[str, Driver] = {
    "forward_pass": Driver(forward_pass, f"a function: f(x, {_PARAMETERS}) -> (pre-activations, activations)"),
    # a pass written out needs no autograd, and usually works outside it
    "backward_pass": Driver(
        backward_pass,
        f"a function: f(x, y, {_PARAMETERS}) -> gradients by (weights, biases, x, pre-activations)",
        gradient="none",
    ),
    "descent_step": Driver(
        descent_step,
        "a function: f(x, y, weights, biases, lr, activation, output_activation) -> (weights, biases)",
        gradient="none",
    ),
    "network": Driver(network, "a module class: Net((n_0, ..., n_k), activation=, output_activation=, bias=)"),
    "network_gradient": Driver(
        network_gradient, "a module class: Net((n_0, ..., n_k), activation=, output_activation=, bias=)"
    ),
    "function_gradient": Driver(function_gradient, "a function of tensors: f(x, ...) -> scalar"),
}
