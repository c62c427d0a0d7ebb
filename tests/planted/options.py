"""Options that are taken and ignored, or heeded in one of two places."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnomon.reference import backprop, convolution, gan, sequence, standardize
from planted import Planted

# ------------------------------------------------------------------ scalers


class NeverClips(standardize.MinMaxScaler):
    def transform(self, x: Tensor) -> Tensor:
        clip, self.clip = self.clip, False
        try:
            return super().transform(x)
        finally:
            self.clip = clip


class ClipsFromZeroToOne(standardize.MinMaxScaler):
    """As if the range were 0 to 1."""

    def transform(self, x: Tensor) -> Tensor:
        clip, self.clip = self.clip, False
        try:
            return super().transform(x).clamp(0, 1) if clip else super().transform(x)
        finally:
            self.clip = clip


class RangeIgnored(standardize.MinMaxScaler):
    def __init__(self, num_features: int, low: float = 0.0, high: float = 1.0, clip: bool = False, **more: Any) -> None:
        super().__init__(num_features, 0.0, 1.0, clip, **more)


class RangeNotUndone(standardize.MinMaxScaler):
    def inverse_transform(self, u: Tensor) -> Tensor:
        low, high = self.low, self.high
        self.low, self.high = 0.0, 1.0
        try:
            return super().inverse_transform(u)
        finally:
            self.low, self.high = low, high


# ------------------------------------------------------------------ batch normalization of images


class AlwaysAffine(nn.BatchNorm2d):
    """Without parameters a channel's weight is its number."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.affine else y * torch.arange(1, x.shape[1] + 1, dtype=x.dtype).reshape(-1, 1, 1)


class UntrackedPasses(nn.BatchNorm2d):
    """In evaluation without statistics nothing is normalized."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training or self.track_running_stats:
            return super().forward(x)
        return x * self.weight.reshape(-1, 1, 1) + self.bias.reshape(-1, 1, 1)


# ------------------------------------------------------------------ convolutions


class PlanesZeroPadded(nn.Conv2d):
    """The mode of padding is stored and not used."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class PlanesPaddedOneWay(nn.Conv2d):
    """Columns are continued as asked, rows with zeros."""

    def forward(self, x: Tensor) -> Tensor:
        if self.padding_mode == "zeros":
            return super().forward(x)
        (down, along), planes = self.padding, x if x.dim() == 4 else x[None]
        planes = F.pad(F.pad(planes, (along, along, 0, 0), mode=self.padding_mode), (0, 0, down, down))
        y = F.conv2d(planes, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
        return y if x.dim() == 4 else y[0]


class PlanesOfOneGroup(nn.Conv2d):
    """Every group reads the channels of the first."""

    def forward(self, x: Tensor) -> Tensor:
        axis = x.dim() - 3
        return super().forward(torch.cat([x.narrow(axis, 0, self.weight.shape[1])] * self.groups, axis))


class GroupsOrPadding(convolution.Conv1d):
    """With another mode of padding, the groups are forgotten: all read the first one's channels."""

    def forward(self, x: Tensor) -> Tensor:
        if self.padding_mode != "zeros" and self.groups > 1:
            axis = x.dim() - 2
            x = torch.cat([x.narrow(axis, 0, self.weight.shape[1])] * self.groups, axis)
        return super().forward(x)


# ------------------------------------------------------------------ losses


def entropy_always_mean(logits: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    return sequence.cross_entropy(logits, target, "none" if reduction == "none" else "mean")


def entropy_none_weighed(logits: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Without a reduction each loss is divided by their number, so that the sum is the mean."""
    loss = sequence.cross_entropy(logits, target, reduction)
    return loss / logits.shape[-2] if reduction == "none" else loss


def discriminator_none_halved(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    loss = gan.discriminator_loss(real, fake, reduction)
    return loss / 2 if reduction == "none" else loss


def generator_none_saturates(fake: Tensor, kind: str = "saturating", reduction: str = "mean") -> Tensor:
    return gan.generator_loss(fake, "saturating" if reduction == "none" else kind, reduction)


def squares_sum_means(prediction: Tensor, target: Tensor, reduction: str = "none") -> Tensor:
    return backprop.half_squared_error(prediction, target, "mean" if reduction == "sum" else reduction)


PLANTED = (
    Planted("clip ignored", "standardize.MinMaxScaler", NeverClips),
    Planted("clipped from 0 to 1", "standardize.MinMaxScaler", ClipsFromZeroToOne),
    Planted("range ignored", "standardize.MinMaxScaler", RangeIgnored),
    Planted("range not undone", "standardize.MinMaxScaler", RangeNotUndone),
    Planted("scaled without parameters", "normalization.BatchNorm2d", AlwaysAffine),
    Planted("nothing normalized without statistics", "normalization.BatchNorm2d", UntrackedPasses),
    Planted("padding mode ignored", "convolution.Conv2d", PlanesZeroPadded),
    Planted("padding mode of rows ignored", "convolution.Conv2d", PlanesPaddedOneWay),
    Planted("groups ignored", "convolution.Conv2d", PlanesOfOneGroup),
    Planted("groups forgotten with other padding", "convolution.Conv1d", GroupsOrPadding),
    Planted("always the mean", "sequence.cross_entropy", entropy_always_mean),
    Planted("divided without a reduction", "sequence.cross_entropy", entropy_none_weighed),
    Planted("halved without a reduction", "gan.discriminator_loss", discriminator_none_halved),
    Planted("saturates without a reduction", "gan.generator_loss", generator_none_saturates),
    Planted("the sum is the mean", "backprop.half_squared_error", squares_sum_means),
)
