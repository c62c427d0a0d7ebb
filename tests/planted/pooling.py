"""Bugs in pooling."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from planted import Planted


class ZeroPadded(nn.MaxPool1d):
    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (self.padding, self.padding))
        return F.max_pool1d(x, self.kernel_size, self.stride, 0, self.dilation, self.ceil_mode)


class LowPadded(nn.MaxPool1d):
    """Padded with a number that is thought to be low enough."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.clamp(min=-1e4))


class Magnitude(nn.MaxPool1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.abs())


class NoDilation(nn.MaxPool1d):
    """Dilation forgotten wherever the size comes out the same."""

    def forward(self, x: Tensor) -> Tensor:
        right = super().forward(x)
        plain = F.max_pool1d(x, self.kernel_size, self.stride, self.padding, 1, self.ceil_mode)
        return plain[..., : right.shape[-1]]


class AcrossMaps(nn.MaxPool1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).amax(-2, keepdim=True).expand(super().forward(x).shape)


class Soft(nn.MaxPool1d):
    """A smooth maximum, sharp enough to look right."""

    def forward(self, x: Tensor) -> Tensor:
        windows = super().forward(x)
        return windows + 1e-9 * super().forward(-x)


class RunningGradient(nn.MaxPool1d):
    """The gradient of the mean (straight through)."""

    def forward(self, x: Tensor) -> Tensor:
        value = super().forward(x)
        rate = F.max_pool1d(x * 2, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return value.detach() + rate - rate.detach()


class StrideFromTheEnd(nn.MaxPool1d):
    """Windows laid from the end of the map."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flip(-1)).flip(-1)


class HeightForBoth(nn.MaxPool2d):
    """The height's stride for both axes, wherever the size comes out the same."""

    def forward(self, x: Tensor) -> Tensor:
        right = super().forward(x)
        step = self.stride[0]
        other = F.max_pool2d(x, self.kernel_size, step, self.padding, self.dilation, self.ceil_mode)
        return other if other.shape == right.shape else right


class NoDilation2d(nn.MaxPool2d):
    """Dilation forgotten: the size is right, and the taps stand side by side."""

    def forward(self, x: Tensor) -> Tensor:
        right = super().forward(x)
        plain = F.max_pool2d(x, self.kernel_size, self.stride, self.padding, 1, self.ceil_mode)
        return plain[..., : right.shape[-2], : right.shape[-1]]


class ZeroPadded2d(nn.MaxPool2d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).clamp(min=0) if max(self.padding) else super().forward(x)


class NeverCounted(nn.AvgPool1d):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{**more, "count_include_pad": False})


class AlwaysCounted(nn.AvgPool1d):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{**more, "count_include_pad": True})


class KernelAlways(nn.AvgPool1d):
    """Cut windows divided by the whole kernel."""

    def forward(self, x: Tensor) -> Tensor:
        right = super().forward(x)
        if not self.ceil_mode:
            return right
        more = self.kernel_size[0]
        x = F.pad(x, (self.padding[0], self.padding[0] + more))
        return F.avg_pool1d(x, self.kernel_size, self.stride)[..., : right.shape[-1]]


class NearlyMean(nn.AvgPool1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (self.kernel_size[0] / (self.kernel_size[0] + 1e-6))


class Area(nn.AvgPool2d):
    """Divided by the square of the height."""

    def forward(self, x: Tensor) -> Tensor:
        high, wide = self.kernel_size
        return super().forward(x) * (wide / high)


class NoPaddingCounted2d(nn.AvgPool2d):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{**more, "count_include_pad": False})


class NeverRoundedUp(nn.MaxPool2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)


class AlwaysRoundedUp2d(nn.AvgPool2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, True, self.count_include_pad)


def average_of_nonzero(x: Tensor) -> Tensor:
    return x.flatten(2).sum(-1) / (x.flatten(2) != 0).sum(-1).clamp(min=1)


def average_without_ends(x: Tensor) -> Tensor:
    return x[..., 1:].mean(-1)


def maximum_after_relu(x: Tensor) -> Tensor:
    return x.relu().flatten(2).amax(-1)


def smooth_maximum(x: Tensor) -> Tensor:
    return torch.logsumexp(64 * x.flatten(2), -1) / 64


PLANTED: tuple[Any, ...] = (
    Planted("zeros beyond the ends", "pooling.MaxPool1d", ZeroPadded),
    Planted("nothing below -10000", "pooling.MaxPool1d", LowPadded),
    Planted("the greatest magnitude", "pooling.MaxPool1d", Magnitude),
    Planted("dilation ignored", "pooling.MaxPool1d", NoDilation),
    Planted("one maximum over all maps", "pooling.MaxPool1d", AcrossMaps),
    Planted("a smooth maximum", "pooling.MaxPool1d", Soft),
    Planted("gradient twice", "pooling.MaxPool1d", RunningGradient),
    Planted("windows laid from the end", "pooling.MaxPool1d", StrideFromTheEnd),
    Planted("the height's stride for both axes", "pooling.MaxPool2d", HeightForBoth),
    Planted("zeros all around", "pooling.MaxPool2d", ZeroPadded2d),
    Planted("dilation ignored over images", "pooling.MaxPool2d", NoDilation2d),
    Planted("padding never counted", "pooling.AvgPool1d", NeverCounted),
    Planted("padding always counted", "pooling.AvgPool1d", AlwaysCounted),
    Planted("cut windows divided by the kernel", "pooling.AvgPool1d", KernelAlways),
    Planted("1e-6 added to the divisor", "pooling.AvgPool1d", NearlyMean),
    Planted("divided by the height's square", "pooling.AvgPool2d", Area),
    Planted("padding never counted over images", "pooling.AvgPool2d", NoPaddingCounted2d),
    Planted("zeros not counted", "pooling.global_average", average_of_nonzero),
    Planted("the first place left out", "pooling.global_average", average_without_ends),
    Planted("after relu", "pooling.global_maximum", maximum_after_relu),
    Planted("logsumexp", "pooling.global_maximum", smooth_maximum),
    Planted("never rounded up", "pooling.MaxPool2d", NeverRoundedUp),
    Planted("always rounded up", "pooling.AvgPool2d", AlwaysRoundedUp2d),
)
