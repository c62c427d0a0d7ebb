"""How networks of fully connected layers are called: modules, forward and backward passes written out, steps.

The layers of a network differ in width, so a claim gives its parameters as two padded tensors, ``Theta`` (k, W, W)
and ``b`` (k, W), and the widths as ``n``. Layer l owns ``Theta[l, :n[l], :n[l + 1]]`` and ``b[l, :n[l + 1]]``; the
rest is never read. What a claim observes of each layer is padded with zeros in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors

Shapes = list[tuple[int, ...]]


class _Layers:
    """The layers of a structure: their shapes, their parameters, and how they are padded."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.widths = list(case.structure["n"])
        self.biased = case.structure["biases"] == "yes"
        self.activations = (case.structure["activation"], case.structure["output_activation"])
        self.matrices: Shapes = list(pairwise(self.widths))
        self.vectors: Shapes = [(width,) for width in self.widths[1:]] if self.biased else []

    def weights(self, tensors: Tensors) -> list[Tensor]:
        return [tensors["Theta"][l, :m, :n] for l, (m, n) in enumerate(self.matrices)]

    def biases(self, tensors: Tensors) -> list[Tensor] | None:
        return [tensors["b"][l, :n] for l, (n,) in enumerate(self.vectors)] if self.biased else None

    def units(self, first: int) -> Shapes:
        """The shapes of the layers' units from a layer on, with the samples in front where a claim has samples."""
        samples = [self.case.structure["N"]] if "N" in self.case.structure else []
        return [(*samples, width) for width in self.widths[first:]]

    def padded(self, name: str, layers: Sequence[Tensor] | None, shapes: Shapes) -> Tensor:
        """One tensor for an output, from the layers' own, which must have these shapes."""
        given = [tuple(layer.shape) for layer in layers or ()]
        if given != shapes:
            raise SubjectError("contract", f"{name} has the shapes {given}, expected {shapes}")
        full = self.case.shapes[name]
        if not layers:
            return torch.zeros(full, dtype=self.case.dtype, device=self.case.device)
        rows = []
        for layer in layers:
            room = [(0, wide - own) for wide, own in zip(full[1:], layer.shape, strict=True)]
            rows.append(nn.functional.pad(layer, [side for pair in reversed(room) for side in pair]))
        return torch.stack(rows)


def forward_pass(subject: Any, case: Case) -> Call:
    """``subject(x, weights, biases, activation, output_activation) -> ([s_1 .. s_k], [h_0 .. h_k])``.

    Outputs ``s`` (k, *, W) and ``h`` (k + 1, *, W).
    """
    net = _Layers(case)

    def call(tensors: Tensors) -> Tensors:
        s, h = subject(tensors["x"], net.weights(tensors), net.biases(tensors), *net.activations)
        return {"s": net.padded("s", s, net.units(1)), "h": net.padded("h", h, net.units(0))}

    return call


def backward_pass(subject: Any, case: Case) -> Call:
    """``subject(x, y, weights, biases, activation, output_activation) -> (weights, biases, x, deltas)``: gradients.

    Outputs ``dTheta`` (k, W, W), ``db`` (k, W), ``dx``, ``delta`` (k, *, W), and the last delta ``output_delta``.
    """
    net = _Layers(case)

    def call(tensors: Tensors) -> Tensors:
        parameters = net.weights(tensors), net.biases(tensors)
        weights, biases, dx, deltas = subject(tensors["x"], tensors["y"], *parameters, *net.activations)
        shown: dict[str, Callable[[], Tensor]] = {
            "dTheta": lambda: net.padded("dTheta", weights, net.matrices),
            "db": lambda: net.padded("db", biases, net.vectors),
            "dx": lambda: dx,
            "delta": lambda: net.padded("delta", deltas, net.units(1)),
            "output_delta": lambda: deltas[-1],
        }
        return {name: shown[name]() for name in case.shapes}

    return call


def descent_step(subject: Any, case: Case) -> Call:
    """``subject(x, y, weights, biases, lr, activation, output_activation) -> (weights, biases)``: the new ones.

    Outputs ``Theta_new`` (k, W, W) and ``b_new`` (k, W).
    """
    net = _Layers(case)

    def call(tensors: Tensors) -> Tensors:
        parameters = net.weights(tensors), net.biases(tensors)
        weights, biases = subject(tensors["x"], tensors["y"], *parameters, case.host["lr"], *net.activations)
        return {
            "Theta_new": net.padded("Theta_new", weights, net.matrices),
            "b_new": net.padded("b_new", biases, net.vectors),
        }

    return call


class _Network(_Layers):
    """A module whose matrices and vectors, as ``named_parameters`` lists them, are its weights and its biases."""

    def __init__(self, subject: Any, case: Case) -> None:
        super().__init__(case)
        self.module = self._made(subject, self.widths)
        self.names = [*self._named(self.module, 2, self.matrices), *self._named(self.module, 1, self.vectors)]
        probe = self._made(subject, [1] + [2] * len(self.matrices))
        first = self._named(probe, 2, self.matrices)[0]
        self.transposed = tuple(probe.get_parameter(first).shape) == (2, 1)  # (out, in), as nn.Linear stores them

    def _made(self, subject: Any, sizes: list[int]) -> nn.Module:
        hidden, output = self.activations
        with torch.random.fork_rng(devices=[]):
            made = subject(tuple(sizes), activation=hidden, output_activation=output, bias=self.biased)
        return made.to(self.case.device, self.case.dtype)  # type: ignore[no-any-return]

    def _named(self, module: nn.Module, axes: int, wanted: Shapes) -> list[str]:
        names = [name for name, parameter in module.named_parameters() if parameter.dim() == axes]
        if len(names) != len(wanted):
            kind = "matrices" if axes == 2 else "vectors"
            raise SubjectError("contract", f"has {len(names)} {kind} among its parameters, expected {len(wanted)}")
        return names

    def stored(self, tensors: Tensors) -> Tensors:
        """The parameters as the module stores them."""
        weights = [weight.mT if self.transposed else weight for weight in self.weights(tensors)]
        return dict(zip(self.names, [*weights, *(self.biases(tensors) or [])], strict=True))

    def __call__(self, parameters: Tensors, x: Tensor) -> Tensor:
        return torch.func.functional_call(self.module, parameters, (x,))  # type: ignore[no-any-return]


def network(subject: Any, case: Case) -> Call:
    """``subject(sizes, activation=, output_activation=, bias=)``, a module called with x (*, n_0): ``yhat``."""
    net = _Network(subject, case)

    def call(tensors: Tensors) -> Tensors:
        return {"yhat": net(net.stored(tensors), tensors["x"])}

    return call


def network_gradient(subject: Any, case: Case) -> Call:
    """A module as for ``network``; autograd's gradients of ``sum(g * yhat)``: ``dTheta``, ``db`` and ``dx``."""
    net = _Network(subject, case)

    def call(tensors: Tensors) -> Tensors:
        _, pullback = torch.func.vjp(net, net.stored(tensors), tensors["x"])
        found, dx = pullback(tensors["g"])
        by = [found[name] for name in net.names]
        depth = len(net.matrices)
        weights = [gradient.mT if net.transposed else gradient for gradient in by[:depth]]
        return {
            "dTheta": net.padded("dTheta", weights, net.matrices),
            "db": net.padded("db", by[depth:], net.vectors),
            "dx": dx,
        }

    return call


def function_gradient(subject: Any, case: Case) -> Call:
    """Autograd's gradient of a scalar ``subject(*inputs)``, by each of the inputs that ``options["by"]`` names."""
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
_MODULE = "a module class: Net((n_0, ..., n_k), activation=, output_activation=, bias=)"
_GRADIENTS = f"a function: f(x, y, {_PARAMETERS}) -> gradients by (weights, biases, x, pre-activations)"
_STEP = "a function: f(x, y, weights, biases, lr, activation, output_activation) -> (weights, biases)"

# What is written out without autograd usually works outside of it, so nothing asks for its gradient.
DRIVERS: dict[str, Driver] = {
    "forward_pass": Driver(forward_pass, f"a function: f(x, {_PARAMETERS}) -> (pre-activations, activations)"),
    "backward_pass": Driver(backward_pass, _GRADIENTS, gradient="none"),
    "descent_step": Driver(descent_step, _STEP, gradient="none"),
    "network": Driver(network, _MODULE),
    "network_gradient": Driver(network_gradient, _MODULE),
    "function_gradient": Driver(function_gradient, "a function of tensors: f(x, ...) -> scalar"),
}
