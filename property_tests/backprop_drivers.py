"""How networks of fully connected layers are called, as modules.

The layers of a network differ in width, so a claim gives its parameters as two padded tensors, ``Theta`` (k, W, W)
and ``b`` (k, W), and the widths as ``n``. Layer l owns ``Theta[l, :n[l], :n[l + 1]]`` and ``b[l, :n[l + 1]]``; the
rest is never read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors

Shapes = list[tuple[int, ...]]


class _Layers:
    """The layers of a structure: their shapes and their parameters."""

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


_MODULE = "a module class: Net((n_0, ..., n_k), activation=, output_activation=, bias=)"

DRIVERS: dict[str, Driver] = {
    "network": Driver(network, _MODULE),
}
