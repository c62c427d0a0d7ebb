"""Plausible mistakes with subgradients: which piece is active, which end of the set, and in which direction to go."""

import torch
from torch import Tensor

from gnomon.reference.subdifferential import Hull, Interval, MaxAffine
from planted import Planted

# ------------------------------------------------------------------ the greatest of affine functions


class LeastPiece(MaxAffine):
    def subgradient(self, x: Tensor) -> Tensor:
        return self.slopes.index_select(0, self.pieces(x).argmin(-1).unsqueeze(0)).squeeze(0)


class WithoutOffsets(MaxAffine):
    def subgradient(self, x: Tensor) -> Tensor:
        return self.slopes.index_select(0, (self.slopes * x).sum(-1).argmax(-1).unsqueeze(0)).squeeze(0)


class SumOfActive(MaxAffine):
    """The slopes of all active pieces added up: right unless there is a tie."""

    def subgradient(self, x: Tensor) -> Tensor:
        return (self.active(x).unsqueeze(-1) * self.slopes).sum(0)


class Smoothed(MaxAffine):
    """The gradient of a logsumexp."""

    def subgradient(self, x: Tensor) -> Tensor:
        return torch.softmax(self.pieces(x), -1) @ self.slopes


class AllPieces(MaxAffine):
    def active(self, x: Tensor) -> Tensor:
        return torch.ones_like(self.offsets, dtype=torch.bool)


class AlmostActive(MaxAffine):
    """A tolerance on ties."""

    def active(self, x: Tensor) -> Tensor:
        pieces = self.pieces(x)
        return pieces > pieces.amax(-1) - 1e-6


class _Unnormalised(Hull):
    def point(self, weights: Tensor) -> Tensor:
        return (torch.where(self.taken, weights, 0).unsqueeze(-1) * self.points).sum(0)


class Unnormalised(MaxAffine):
    def subdifferential(self, x: Tensor) -> Hull:
        return _Unnormalised(self.slopes, self.active(x))


class ByOneGradient(MaxAffine):
    """The directional derivative as the product with one gradient: right where f is differentiable."""

    def directional_derivative(self, x: Tensor, direction: Tensor) -> Tensor:
        return (self.subgradient(x) * direction).sum(-1)


class FiniteDifference(MaxAffine):
    def directional_derivative(self, x: Tensor, direction: Tensor) -> Tensor:
        return (self(x + 1e-6 * direction) - self(x)) / 1e-6


# ------------------------------------------------------------------ steps


def _step(slopes: Tensor, offsets: Tensor, x: Tensor, lr: float, sign: int = -1) -> tuple[Tensor, Tensor]:
    g = MaxAffine(slopes, offsets).subgradient(x)
    return x + sign * lr * g, g


def uphill(slopes: Tensor, offsets: Tensor, x: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    return _step(slopes, offsets, x, lr, 1)


def normalised(slopes: Tensor, offsets: Tensor, x: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    _, g = _step(slopes, offsets, x, lr)
    return x - lr * g / (g.norm() + 1e-12), g


def signed(slopes: Tensor, offsets: Tensor, x: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    _, g = _step(slopes, offsets, x, lr)
    return x - lr * g.sign(), g


def of_all(slopes: Tensor, offsets: Tensor, x: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    g = slopes.mean(0)
    return x - lr * g, g


def first_end(points: Tensor) -> Tensor:
    return points[0]


def middle(points: Tensor) -> Tensor:
    return points.mean(0)


def unclipped(points: Tensor) -> Tensor:
    edge = points[1] - points[0]
    return points[0] - edge * (edge @ points[0]) / (edge @ edge)


def smaller_end(points: Tensor) -> Tensor:
    nearer = points.square().sum(-1).argmin()
    return points.index_select(0, nearer.unsqueeze(0)).squeeze(0)


# ------------------------------------------------------------------ functions of one number


def abs_sign(x: Tensor) -> Interval:
    return Interval(x.sign(), x.sign())


def abs_everywhere(x: Tensor) -> Interval:
    return Interval(-torch.ones_like(x), torch.ones_like(x))


class _OpenEnd(Interval):
    def distance(self, g: Tensor) -> Tensor:
        return (g - self.upper).clamp(min=0)


def abs_one_sided(x: Tensor) -> Interval:
    one = torch.ones_like(x)
    return _OpenEnd(torch.where(x > 0, one, -one), torch.where(x < 0, -one, one))


def absolute_by_root(x: Tensor) -> Tensor:
    return (x * x).sqrt()


def absolute_by_masks(x: Tensor) -> Tensor:
    """Two masks that both hold at 0, one of them of the wrong sign there."""
    return torch.where(x >= 0, x, 0) + torch.where(x <= 0, x, 0) - 2 * torch.where(x < 0, x, 0)


def square_unhalved(x: Tensor, weight: Tensor) -> Tensor:
    return weight * x * x


def square_detached(x: Tensor, weight: Tensor) -> Tensor:
    return weight * x * x.detach() / 2


def root_without_sign(x: Tensor) -> Tensor:
    return x.sqrt()


def root_smoothed(x: Tensor) -> Tensor:
    return -(x + 1e-8).sqrt()


def power_signed(x: Tensor, exponent: float) -> Tensor:
    return 1 - x.abs() ** exponent


def power_concave(x: Tensor, exponent: float) -> Tensor:
    return x.abs() ** (1 / exponent)


def identity_zero_slope(x: Tensor, slope: float) -> Tensor:
    return torch.relu(x) - torch.relu(-x)


def identity_itself(x: Tensor, slope: float) -> Tensor:
    return x * 1


PLANTED = (
    Planted("least piece", "subdifferential.MaxAffine", LeastPiece),
    Planted("greatest piece picked without its offset", "subdifferential.MaxAffine", WithoutOffsets),
    Planted("slopes of all active pieces added", "subdifferential.MaxAffine", SumOfActive),
    Planted("softmax for the maximum", "subdifferential.MaxAffine", Smoothed),
    Planted("every piece active", "subdifferential.MaxAffine", AllPieces),
    Planted("tolerance on ties", "subdifferential.MaxAffine", AlmostActive),
    Planted("weights not normalised", "subdifferential.MaxAffine", Unnormalised),
    Planted("derivative in a direction by one gradient", "subdifferential.MaxAffine", ByOneGradient),
    Planted("derivative in a direction by a difference", "subdifferential.MaxAffine", FiniteDifference),
    Planted("uphill", "subdifferential.subgradient_step", uphill),
    Planted("direction without its length", "subdifferential.subgradient_step", normalised),
    Planted("signs alone", "subdifferential.subgradient_step", signed),
    Planted("mean of all slopes", "subdifferential.subgradient_step", of_all),
    Planted("the first of two", "subdifferential.least_norm", first_end),
    Planted("the middle", "subdifferential.least_norm", middle),
    Planted("on the line, not the edge", "subdifferential.least_norm", unclipped),
    Planted("the smaller of two", "subdifferential.least_norm", smaller_end),
    Planted("one point at 0", "subdifferential.abs_subdifferential", abs_sign),
    Planted("everything everywhere", "subdifferential.abs_subdifferential", abs_everywhere),
    Planted("distance from one end alone", "subdifferential.abs_subdifferential", abs_one_sided),
    Planted("slope NaN at 0, through a square root", "subdifferential.absolute", absolute_by_root),
    Planted("slope 2 at 0", "subdifferential.absolute", absolute_by_masks),
    Planted("half forgotten", "subdifferential.weighted_square", square_unhalved),
    Planted("half of the slope lost", "subdifferential.weighted_square", square_detached),
    Planted("sign", "subdifferential.negative_root", root_without_sign),
    Planted("small number under the root", "subdifferential.negative_root", root_smoothed),
    Planted("concave", "subdifferential.power", power_signed),
    Planted("inverse of the exponent", "subdifferential.power", power_concave),
    Planted("choice ignored: 0, as torch has it", "subdifferential.identity_by_relus", identity_zero_slope),
    Planted("worked out beforehand: 1", "subdifferential.identity_by_relus", identity_itself),
)
