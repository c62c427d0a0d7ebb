"""How residual blocks and networks are called: wrappers of a branch, and networks of blocks with two layers each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors

_FUNCTIONS = {"identity": lambda s: s, "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


class _Linear(nn.Module):
    """``x M^T``, with the matrix of one point."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.matrix.mT


class _Branch(nn.Module):
    """``B sigma(A x + a) + b``, with the numbers of one point."""

    def __init__(self, tensors: Tensors, activation: str) -> None:
        super().__init__()
        self.first, self.second = _Linear(tensors["A"]), _Linear(tensors["B"])
        self.inner, self.outer, self.sigma = tensors["a"], tensors["b"], _FUNCTIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.sigma(self.first(x) + self.inner)) + self.outer


def residual_block(subject: Any, case: Case) -> Call:
    """``subject(branch, shortcut=..., activation=...)(x)``, a module that wraps a branch.

    The branch is ``B sigma(A x + a) + b`` for the structure's "activation", the shortcut the matrix ``S`` where a claim
    has one. ``options["after"]`` names the function that is applied to the sum.
    """

    def call(tensors: Tensors) -> Tensors:
        more: dict[str, Any] = {"shortcut": _Linear(tensors["S"])} if "S" in tensors else {}
        if "after" in case.options:
            more["activation"] = _FUNCTIONS[case.options["after"]]
        made = subject(_Branch(tensors, case.structure["activation"]), **more)
        return {name: made(tensors["x"]) for name in case.shapes}

    return call


class _Network:
    """A network of L blocks of width n, with m units inside; its parameters come from stacked inputs.

    Inputs ``A`` (L, m, n), ``a`` (L, m), ``B`` (L, n, m) and ``b`` (L, n). The matrices and the vectors of the module,
    as ``named_parameters`` lists them, must be those of the first and the second layer of each block in turn.
    """

    def __init__(self, subject: Any, case: Case) -> None:
        n, m, depth = (case.structure[name] for name in ("n", "m", "L"))
        with torch.random.fork_rng(devices=[]):
            made = subject((n,) * (depth + 1), m, activation=case.structure["activation"])
        self.module: nn.Module = made.to(case.device, case.dtype)
        self.matrices, self.vectors = (self._named(axes, 2 * depth) for axes in (2, 1))

    def _named(self, axes: int, wanted: int) -> list[str]:
        names = [name for name, parameter in self.module.named_parameters() if parameter.dim() == axes]
        if len(names) != wanted:
            kind = "matrices" if axes == 2 else "vectors"
            raise SubjectError("contract", f"has {len(names)} {kind} among its parameters, expected {wanted}")
        return names

    def __call__(self, tensors: Tensors, x: Tensor) -> Any:
        blocks = zip(*(tensors[name].unbind(0) for name in ("A", "B", "a", "b")), strict=True)
        layers = [(pair[:2], pair[2:]) for pair in blocks]
        matrices = [matrix for pair, _ in layers for matrix in pair]
        vectors = [vector for _, pair in layers for vector in pair]
        parameters = dict(zip((*self.matrices, *self.vectors), (*matrices, *vectors), strict=True))
        return torch.func.functional_call(self.module, parameters, (x,))


def residual_network(subject: Any, case: Case) -> Call:
    """``subject((n_0, ..., n_L), m, activation=)``, a module called with x (n): one output."""
    net = _Network(subject, case)
    return lambda tensors: {name: net(tensors, tensors["x"]) for name in case.shapes}


def residual_gradient(subject: Any, case: Case) -> Call:
    """A module as for "residual_network"; autograd's gradient of ``sum(g * output)`` by the input x."""
    net = _Network(subject, case)

    def call(tensors: Tensors) -> Tensors:
        _, pullback = torch.func.vjp(lambda x: net(tensors, x), tensors["x"])
        (found,) = pullback(tensors["g"])
        return {name: found for name in case.shapes}

    return call


_NETWORK = "a torch.nn.Module class: Net((n_0, ..., n_L), hidden_features, activation=), of blocks with two layers"

DRIVERS: dict[str, Driver] = {
    "residual_block": Driver(residual_block, "a torch.nn.Module class: Block(branch, shortcut=, activation=)"),
    "residual_network": Driver(residual_network, _NETWORK),
    "residual_gradient": Driver(residual_gradient, _NETWORK, gradient="none"),
}
