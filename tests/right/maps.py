"""Flows, networks and solvers' parts in other forms."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import TransformedDistribution

from gnomon.reference import backprop, flow, residual
from right import Right


def wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


class ByLU(flow.Affine):
    def _inverse(self, y: Tensor) -> Tensor:
        lu, pivots, _ = torch.linalg.lu_factor_ex(wide(self.matrix))
        return torch.linalg.lu_solve(lu, pivots, wide(y - self.shift).unsqueeze(-1)).squeeze(-1).to(y.dtype)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        lu = torch.linalg.lu_factor_ex(wide(self.matrix)).LU
        total = lu.diagonal(dim1=-2, dim2=-1).abs().log().sum(-1)
        return total.to(x.dtype).expand(self.forward_shape(x.shape)[:-1])


class PlanarByEinsum(flow.Planar):
    def _call(self, x: Tensor) -> Tensor:
        a = torch.einsum("...i,...i->...", self.w, x) + self.b
        return torch.addcmul(x, self.u, a.tanh().unsqueeze(-1))


class CouplingByAddcmul(flow.AffineCoupling):
    def _call(self, x: Tensor) -> Tensor:
        first, second, s, t = self._parts(x)
        return torch.cat([first, torch.addcmul(t.expand_as(second), second, torch.exp(s).expand_as(second))], -1)


def jacobian_forward(transform: Any, x: Tensor) -> Tensor:
    if x.dim() != 1:
        raise ValueError("one point at a time")
    return torch.func.jacfwd(transform)(x)


def jacobian_by_columns(transform: Any, x: Tensor) -> Tensor:
    if x.dim() != 1:
        raise ValueError("one point at a time")
    units = torch.eye(len(x), dtype=x.dtype, device=x.device)
    return torch.stack([torch.func.jvp(transform, (x,), (unit,))[1] for unit in units], -1)


def density_by_distribution(u: Tensor, transform: Any, base: Any) -> Tensor:
    whole = torch.distributions.Independent(base, 1, validate_args=False) if not base.event_shape else base
    return TransformedDistribution(whole, [transform], validate_args=False).log_prob(u)


def squares_by_library(prediction: Tensor, target: Tensor, reduction: str = "none") -> Tensor:
    loss = 0.5 * F.mse_loss(prediction, target, reduction="none").sum(-1)
    return loss if reduction == "none" else getattr(loss, reduction)()


def squares_by_einsum(prediction: Tensor, target: Tensor, reduction: str = "none") -> Tensor:
    away = prediction - target
    loss = torch.einsum("...k,...k->...", away, away) / 2
    return loss if reduction == "none" else getattr(loss, reduction)()


class ByLinear(backprop.MLP):
    """The library's layer, which stores the transpose."""

    def forward(self, x: Tensor) -> Tensor:
        for l, weight in enumerate(self.weights):
            x = F.linear(x, weight.T, None if self.biases is None else self.biases[l])
            kind = self.output_activation if l == len(self.weights) - 1 else self.activation
            x = x if kind == "identity" else getattr(torch, kind)(x)
        return x


def collapsed_from_the_right(weights: Sequence[Tensor], biases: Any = None) -> tuple[Tensor, Tensor]:
    theta = wide(weights[-1])  # an order of products overflows in float16 where another does not
    bias = wide(biases[-1]) if biases else torch.zeros_like(theta[0])
    for l in range(len(weights) - 2, -1, -1):
        bias = bias + wide(biases[l]) @ theta if biases else bias
        theta = wide(weights[l]) @ theta
    return theta.to(weights[0].dtype), bias.to(weights[0].dtype)


def collapsed_as_affine(weights: Sequence[Tensor], biases: Any = None) -> tuple[Tensor, Tensor]:
    """Each layer as a matrix with one row and column more."""
    whole = None
    for l, weight in enumerate(weights):
        bias = biases[l] if biases else torch.zeros_like(weight[0])
        corner = torch.zeros_like(weight[:, :1])
        layer = torch.cat([torch.cat([weight, corner], 1), torch.cat([bias, bias.new_ones(1)])[None]])
        whole = layer if whole is None else whole @ layer
    return whole[:-1, :-1], whole[-1, :-1]


def ratio_by_norm(error: Tensor, y0: Tensor, y1: Tensor, rtol: float, atol: float) -> Tensor:
    scaled = error / (atol + rtol * torch.maximum(y0.abs(), y1.abs()))
    return torch.linalg.vector_norm(scaled) / max(scaled.numel(), 1) ** 0.5


class Added(residual.Residual):
    def forward(self, x: Tensor) -> Tensor:
        out = torch.add(self.branch(x), x if self.shortcut is None else self.shortcut(x))
        return out if self.activation is None else self.activation(out)


class Standard(nn.Module):
    """The library's moments, constants as they are."""

    def __init__(self, num_features: int, correction: int = 0) -> None:
        super().__init__()
        self.correction = correction
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("scale", torch.ones(num_features))

    def fit(self, x: Tensor) -> "Standard":
        data = wide(x.detach())
        constant = (data == data[:1]).all(0)
        self.mean = torch.where(constant, data[0], data.mean(0))
        self.scale = torch.where(constant, 1, data.std(0, correction=self.correction))
        return self

    def transform(self, x: Tensor) -> Tensor:
        return ((wide(x) - self.mean) / self.scale).to(x.dtype)

    def inverse_transform(self, z: Tensor) -> Tensor:
        return torch.addcmul(self.mean, self.scale, wide(z)).to(z.dtype)

    forward = transform


RIGHT = (
    Right("LU", "a triangular system each way, and its diagonal", "flow.Affine", ByLU),
    Right("einsum and addcmul", "the definition", "flow.Planar", PlanarByEinsum),
    Right("addcmul", "the definition", "flow.AffineCoupling", CouplingByAddcmul, ("flow.coupling",)),
    Right("jacfwd", "columns instead of rows", "flow.jacobian", jacobian_forward),
    Right("products with units", "columns one by one", "flow.jacobian", jacobian_by_columns),
    Right("the library's distribution", "the definition", "flow.flow_log_prob", density_by_distribution),
    Right("half of the library's", "the definition", "backprop.half_squared_error", squares_by_library),
    Right("einsum", "the definition", "backprop.half_squared_error", squares_by_einsum),
    Right("F.linear", "x @ Θ = F.linear(x, Θᵀ)", "backprop.MLP", ByLinear, ("backprop.forward_quantities.network",)),
    Right("from the right", "products are associative", "nn.collapse_linear", collapsed_from_the_right),
    Right("with one row more", "affine maps as matrices", "nn.collapse_linear", collapsed_as_affine),
    Right("vector_norm", "a root of a mean of squares", "ode.error_ratio", ratio_by_norm),
    Right("torch.add", "the definition", "residual.Residual", Added),
    Right("std and mean", "the definition, constants left out", "standardize.StandardScaler", Standard),
)
