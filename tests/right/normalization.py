"""Batch normalization and standardization in other forms."""

from typing import Any

import torch
import torch.nn.functional as F
from planted.normalization import Norm
from torch import Tensor, nn

from right import Right


class TwoPass(Norm):
    """The squares of deviations, less what the mean's rounding left (Björck)."""

    def var(self, x: Tensor, mean: Tensor) -> Tensor:
        away, m = x - mean, self.count(x)
        return (away.square().sum(self.over(x), keepdim=True) - away.sum(self.over(x), keepdim=True).square() / m) / m


class InTiles(Norm):
    """Moments of tiles of two samples, merged (Chan); the last tile may be smaller."""

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.by_batch():
            return super().statistics(x)
        count, mean, total = 0, torch.zeros_like(x[:1].mean(self.over(x), keepdim=True)), 0.0
        for tile in x.split(2):
            own, new = self.count(tile), tile.mean(self.over(tile), keepdim=True)
            away = new - mean
            total = total + (tile - new).square().sum(self.over(tile), keepdim=True)
            total = total + away.square() * (count * own / (count + own))
            count += own
            mean = mean + away * (own / count)
        if self.training and self.running_mean is not None:
            self.track(x, mean, total / count)
        return mean, total / count


class Rsqrt(Norm):
    def forward(self, x: Tensor) -> Tensor:
        wide = self.wide(x)
        mean, var = self.statistics(wide)
        return self.scaled((wide - mean) * (var + self.eps).rsqrt()).to(x.dtype)


class Folded(Norm):
    """One factor and one shift a channel, as inference engines have it."""

    def forward(self, x: Tensor) -> Tensor:
        wide = self.wide(x)
        mean, var = self.statistics(wide)
        factor = (var + self.eps).rsqrt()
        if not self.affine:
            return ((wide - mean) * factor).to(x.dtype)
        factor = factor * self.along(self.weight, x)
        return (wide * factor + (self.along(self.bias, x) - mean * factor)).to(x.dtype)


class ByMatrix(Norm):
    """Images as rows of a matrix, with a column for each channel."""

    def forward(self, x: Tensor) -> Tensor:
        rows = super().forward(x.movedim(1, -1).flatten(0, -2))
        return rows.unflatten(0, (x.shape[0], *x.shape[2:])).movedim(-1, 1)


def by_library(x: Tensor, mean: Tensor, var: Tensor, weight: Any = None, bias: Any = None, **options: Any) -> Tensor:
    return F.batch_norm(x, mean, var, weight, bias, **options)


def by_autograd(grad: Tensor, x: Tensor, weight: Tensor | None = None, eps: float = 1e-5) -> tuple[Tensor, ...]:
    wide = torch.promote_types(x.dtype, torch.float32)
    gamma = torch.ones(x.shape[1], dtype=wide) if weight is None else weight.to(wide)

    def layer(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        over, shape = [axis for axis in range(x.dim()) if axis != 1], (1, -1, *(1,) * (x.dim() - 2))
        away = x - x.mean(over, keepdim=True)
        root = (away.square().mean(over, keepdim=True) + eps).sqrt()
        return away / root * gamma.reshape(shape) + beta.reshape(shape)

    _, pull = torch.func.vjp(layer, x.to(wide), gamma, torch.zeros_like(gamma))
    return tuple(each.to(x.dtype) for each in pull(grad.to(wide)))


def standardized(x: Tensor, correction: int = 0) -> Tensor:
    """By the library's moments, constants left out."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    constant = wide.amax(0) == wide.amin(0)
    spread = torch.where(constant, torch.arange(len(x), dtype=wide.dtype).reshape(-1, *[1] * (x.ndim - 1)), wide)
    std, mean = torch.std_mean(spread, 0, correction=correction)
    return torch.where(constant, 0, (wide - mean) / std).to(x.dtype)


def scaled(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """low + (high - low) r."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    least, greatest = torch.aminmax(wide, dim=0)
    width = greatest - least
    return torch.lerp(
        torch.full_like(wide, low), torch.full_like(wide, high), (wide - least) / torch.where(width == 0, 1, width)
    ).to(x.dtype)


RIGHT = (
    Right("torch's", "the library's", "normalization.BatchNorm1d", nn.BatchNorm1d, ("bn.transform", "bn.running")),
    Right("the corrected two passes", "Σ(x-μ)² - (Σ(x-μ))²/m", "normalization.BatchNorm1d", TwoPass, ("bn.transform",)),
    Right(
        "tiles of two, merged",
        "moments of parts, with what lies between them",
        "normalization.BatchNorm1d",
        InTiles,
        ("bn.transform", "bn.running"),
    ),
    Right(
        "rsqrt",
        "a factor instead of a quotient",
        "normalization.BatchNorm1d",
        Rsqrt,
        ("bn.transform", "bn.transform.sequences"),
    ),
    Right(
        "one factor and one shift",
        "γ(x-μ)/σ + β = x(γ/σ) + (β - μγ/σ)",
        "normalization.BatchNorm1d",
        Folded,
        ("bn.transform",),
    ),
    Right(
        "torch's",
        "the library's",
        "normalization.BatchNorm2d",
        nn.BatchNorm2d,
        ("bn.transform.images", "bn.running.images"),
    ),
    Right("rows of a matrix", "a channel's values are those at all positions", "normalization.BatchNorm2d", ByMatrix),
    Right("the library's", "the definition", "normalization.batch_norm", by_library),
    Right("autograd's", "the derivative of the definition", "normalization.batch_norm_backward", by_autograd),
    Right("std_mean", "the definition, constants left out", "standardize.zscore", standardized),
    Right("lerp", "a + (b - a) r", "standardize.minmax", scaled),
)
