"""Bugs in convolutions."""

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from planted import Planted

# ------------------------------------------------------------------ along one axis


class Flipped(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight.flip(-1), self.bias)


class Causal(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.padding, str) or self.padding_mode != "zeros":
            return super().forward(x)
        x = F.pad(x, (2 * self.padding[0], 0))
        return F.conv1d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class Sparse(nn.Conv1d):
    """Strides by throwing away outputs, from the second on."""

    def forward(self, x: Tensor) -> Tensor:
        full = F.conv1d(x, self.weight, self.bias, 1, self.padding, self.dilation, self.groups)
        first = 1 if self.stride[0] > 1 and full.shape[-1] % self.stride[0] == 0 else 0
        return full[..., first :: self.stride[0]]


class ShuffledGroups(nn.Conv1d):
    """Channels dealt out to the groups in turn, as by ShuffleNet's shuffle put in the wrong place."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(-2, (-1, self.groups)).transpose(-2, -3).flatten(-3, -2)
        return super().forward(x)


class BiasTwice(nn.Conv1d):
    """The bias of a group added within each of them."""

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias * (2 if self.groups > 1 else 1)
        return self._conv_forward(x, self.weight, bias)


class BiasOnTheMap(nn.Conv1d):
    """The bias is added before padding, so that the ends miss it."""

    def forward(self, x: Tensor) -> Tensor:
        out = self._conv_forward(x, self.weight, None)
        if self.bias is None:
            return out
        inner = F.conv1d(torch.ones_like(x[..., :1, :]), torch.ones_like(self.weight[:1, :1]), None, self.stride,
                         self.padding, self.dilation)  # fmt: skip
        return out + self.bias[:, None] * (inner >= self.kernel_size[0] - 0.5)


class DetachedBias(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight, None if self.bias is None else self.bias.detach())


class HalfWeights(nn.Conv1d):
    """Computed in float32, whatever comes."""

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.float()
        return self._conv_forward(x.float(), self.weight.float(), bias).to(x.dtype)


class SymmetricForReflect(nn.Conv1d):
    """The end itself mirrored as well."""

    def forward(self, x: Tensor) -> Tensor:
        p = 0 if isinstance(self.padding, str) else self.padding[0]
        if self.padding_mode != "reflect" or not p:
            return super().forward(x)
        x = torch.cat([x[..., :p].flip(-1), x, x[..., -p:].flip(-1)], -1)
        return F.conv1d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class SameInFront(nn.Conv1d):
    """The odd zero of "same" stands in front."""

    def forward(self, x: Tensor) -> Tensor:
        if self.padding != "same":
            return super().forward(x)
        total = self.dilation[0] * (self.kernel_size[0] - 1)
        x = F.pad(x, (total - total // 2, total // 2))
        return F.conv1d(x, self.weight, self.bias, 1, 0, self.dilation, self.groups)


class ClippedGradient(nn.Conv1d):
    """No gradient to the first and the last place of the map."""

    def forward(self, x: Tensor) -> Tensor:
        ends = torch.zeros(x.shape[-1], dtype=torch.bool)
        ends[0] = True
        return super().forward(torch.where(ends, x.detach(), x))


# ------------------------------------------------------------------ over images


class Transposed(nn.Conv2d):
    """Square kernels loaded from a framework with width before height."""

    def forward(self, x: Tensor) -> Tensor:
        square = self.kernel_size[0] == self.kernel_size[1]
        return self._conv_forward(x, self.weight.mT if square else self.weight, self.bias)


class PadOrder(nn.Conv2d):
    """The order of F.pad taken for (height, width)."""

    def forward(self, x: Tensor) -> Tensor:
        high, wide = self.padding
        x = F.pad(x, (high, high, wide, wide))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class OneDilation(nn.Conv2d):
    """The height's dilation for both axes, in as many windows as there should be."""

    def forward(self, x: Tensor) -> Tensor:
        wide = super().forward(x).shape[-1]
        longer = F.pad(x, (0, self.kernel_size[1] * self.dilation[0], 0, 0))
        out = F.conv2d(longer, self.weight, self.bias, self.stride, self.padding, self.dilation[0], self.groups)
        return out[..., :wide]


class ScaledWeights(nn.Conv2d):
    """A constant for equalised learning rates left in."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * (1 + 1e-7), self.bias)


class BiasForEveryInput(nn.Conv2d):
    def __init__(self, in_channels: int, out_channels: int, *args: Any, **more: Any) -> None:
        super().__init__(in_channels, out_channels, *args, **more)
        if self.bias is not None:
            self.bias = nn.Parameter(torch.zeros(in_channels))


# ------------------------------------------------------------------ functions


def input_without_flip(size, weight, grad, stride, padding, dilation, groups):
    return torch.nn.grad.conv1d_input(size, weight.flip(-1), grad, stride, padding, dilation, groups)


def input_cut_at_the_wrong_end(size, weight, grad, stride, padding, dilation, groups):
    wide = (*size[:-1], size[-1] + 2 * padding)
    return torch.nn.grad.conv1d_input(wide, weight, grad, stride, 0, dilation, groups)[..., : size[-1]]


def input_with_padding_of_one(size, weight, grad, stride, padding, dilation, groups):
    """Right for a padding of 1, which is all that was ever tried."""
    right = torch.nn.grad.conv1d_input(size, weight, grad, stride, padding, dilation, groups)
    return right if padding == 1 else right.roll(1, -1)


def input_of_one_tap_averaged(size, weight, grad, stride, padding, dilation, groups):
    """A kernel of one tap taken for a sum over places."""
    right = torch.nn.grad.conv1d_input(size, weight, grad, stride, padding, dilation, groups)
    return right.mean(-1, keepdim=True).expand_as(right) if weight.shape[-1] == 1 else right


def input_tail_repeated(size, weight, grad, stride, padding, dilation, groups):
    """Places behind the last window get a gradient, too."""
    found = torch.nn.grad.conv1d_input(size, weight, grad, stride, padding, dilation, groups)
    seen = stride * (grad.shape[-1] - 1) + dilation * (weight.shape[-1] - 1) + 1 - padding
    tail = torch.arange(size[-1]) >= seen
    return found + tail * grad.sum() if seen < size[-1] else found


def weight_averaged(x, size, grad, stride, padding, dilation, groups):
    return torch.nn.grad.conv1d_weight(x, size, grad, stride, padding, dilation, groups) / len(x)


def weight_without_stride(x, size, grad, stride, padding, dilation, groups):
    """What comes back is taken to be dense."""
    columns = F.pad(x, (padding, padding)).unfold(-1, dilation * (size[-1] - 1) + 1, 1)[..., ::dilation]
    columns = columns[..., : grad.shape[-1], :].unflatten(1, (groups, -1))
    return torch.einsum("bgctk,bgot->gock", columns, grad.unflatten(1, (groups, -1))).flatten(0, 1)


def circulant(weight, size, stride, padding, dilation):
    rows = (size + 2 * padding - dilation * (len(weight) - 1) - 1) // stride + 1
    taps = torch.arange(rows)[:, None] * stride - padding + torch.arange(len(weight)) * dilation
    return (taps[:, None, :] % size == torch.arange(size)[:, None]).to(weight.dtype) @ weight


def transposed_matrix(weight, size, stride, padding, dilation):
    rows = (size + 2 * padding - dilation * (len(weight) - 1) - 1) // stride + 1
    taps = torch.arange(rows)[:, None] * stride - padding + torch.arange(len(weight)).flip(0) * dilation
    return (taps[:, None, :] == torch.arange(size)[:, None]).to(weight.dtype) @ weight


def size_rounded_up(size, kernel_size, stride, padding, dilation):
    return -(-(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1


def size_of_odd_kernels(size, kernel_size, stride, padding, dilation):
    """Half a kernel on either side, rounded down."""
    return (size + 2 * padding - 2 * (dilation * (kernel_size // 2)) - 1) // stride + 1


def parameters_without_groups(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * in_channels * kernel_size[0] * kernel_size[1] + out_channels * bool(bias)


def field_without_strides(kernels, strides, dilations):
    return 1 + sum(d * (k - 1) for k, d in zip(kernels, dilations, strict=True))


def field_with_own_stride(kernels, strides, dilations):
    field = step = 1
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        step *= stride
        field += dilation * (kernel - 1) * step
    return field


# ------------------------------------------------------------------ networks


class Net(nn.Module):
    """A right network, of which each bug replaces one part."""

    act_last, mode = True, "circular"

    def __init__(self, channels, kernel_size, activation="relu", padding_mode="zeros", axes=1) -> None:
        super().__init__()
        mode = padding_mode if self.mode == "circular" else self.mode
        pairs = itertools.pairwise(channels)
        self.layers = nn.ModuleList(
            nn.Conv1d(below, here, kernel_size, padding="same", padding_mode=mode) for below, here in pairs
        )
        self.activation = activation

    def act(self, x: Tensor) -> Tensor:
        return torch.tanh(x) if self.activation == "tanh" else torch.relu(x)

    def forward(self, x: Tensor) -> Tensor:
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x)
            x = self.act(x) if self.act_last or number < len(self.layers) else x
        return x


class NoLastActivation(Net):
    act_last = False


class ZeroPadded(Net):
    mode = "zeros"


class Leaky(Net):
    def act(self, x: Tensor) -> Tensor:
        return torch.tanh(x) if self.activation == "tanh" else F.leaky_relu(x)


class Positions(Net):
    """A coordinate added to the input, as by CoordConv."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.arange(x.shape[-1]).to(x) * 1e-6)


PLANTED: tuple[Any, ...] = (
    Planted("the kernel flipped", "convolution.Conv1d", Flipped),
    Planted("all zeros in front", "convolution.Conv1d", Causal),
    Planted("the wrong outputs thrown away", "convolution.Conv1d", Sparse),
    Planted("channels dealt out to the groups in turn", "convolution.Conv1d", ShuffledGroups),
    Planted("bias twice with groups", "convolution.Conv1d", BiasTwice),
    Planted("no bias where a window meets the padding", "convolution.Conv1d", BiasOnTheMap),
    Planted("bias detached", "convolution.Conv1d", DetachedBias),
    Planted("float32 inside", "convolution.Conv1d", HalfWeights),
    Planted("symmetric for reflect", "convolution.Conv1d", SymmetricForReflect),
    Planted("the odd zero of same in front", "convolution.Conv1d", SameInFront),
    Planted("no gradient to the first place", "convolution.Conv1d", ClippedGradient),
    Planted("square kernels transposed", "convolution.Conv2d", Transposed),
    Planted("paddings exchanged", "convolution.Conv2d", PadOrder),
    Planted("the height's dilation for the width", "convolution.Conv2d", OneDilation),
    Planted("weights off by 1e-7", "convolution.Conv2d", ScaledWeights),
    Planted("a bias for each input", "convolution.Conv2d", BiasForEveryInput),
    Planted("flip forgotten", "convolution.conv1d_input", input_without_flip),
    Planted("padding cut off behind alone", "convolution.conv1d_input", input_cut_at_the_wrong_end),
    Planted("right for a padding of 1 alone", "convolution.conv1d_input", input_with_padding_of_one),
    Planted("kernels of one tap averaged", "convolution.conv1d_input", input_of_one_tap_averaged),
    Planted("a gradient where no window was", "convolution.conv1d_input", input_tail_repeated),
    Planted("mean over the batch", "convolution.conv1d_weight", weight_averaged),
    Planted("stride ignored", "convolution.conv1d_weight", weight_without_stride),
    Planted("rows wrap round", "convolution.toeplitz", circulant),
    Planted("the kernel backwards", "convolution.toeplitz", transposed_matrix),
    Planted("rounded up", "convolution.output_size", size_rounded_up),
    Planted("right for odd kernels only", "convolution.output_size", size_of_odd_kernels),
    Planted("groups ignored", "convolution.parameter_count", parameters_without_groups),
    Planted("strides ignored", "convolution.receptive_field", field_without_strides),
    Planted("a layer's own stride counted", "convolution.receptive_field", field_with_own_stride),
    Planted("no activation on the last layer", "convolution.ConvNet", NoLastActivation),
    Planted("zeros, though circular was asked for", "convolution.ConvNet", ZeroPadded),
    Planted("leaky", "convolution.ConvNet", Leaky),
    Planted("a coordinate of 1e-6 added", "convolution.ConvNet", Positions),
)
