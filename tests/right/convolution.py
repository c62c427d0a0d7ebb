"""Convolutions and pools in other forms."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from right import Right


def reach(size: int, kernel: int, stride: int, dilation: int) -> int:
    return (size - dilation * (kernel - 1) - 1) // stride + 1


class Padded(nn.Conv1d):
    """A layer that pads its input itself, and then does without."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 2:
            return self.forward(x[None])[0]
        left = self.dilation[0] * (self.kernel_size[0] - 1) if self.padding == "same" else 2 * self.padding[0]
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        out = self.without(F.pad(x, (left // 2, left - left // 2), mode=mode))
        return out if self.bias is None else out + self.bias[:, None]

    def shape(self, x: Tensor) -> tuple[int, int, int, int]:
        (k,), (s,), (d,) = self.kernel_size, self.stride, self.dilation
        return k, s, d, reach(x.shape[-1], k, s, d)

    def without(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class ByTaps(Padded):
    """A product for each tap, shifted and added."""

    def without(self, x: Tensor) -> Tensor:
        k, s, d, t = self.shape(x)
        groups = self.weight.unflatten(0, (self.groups, -1))
        x = x.unflatten(1, (self.groups, -1))
        taps = (
            torch.einsum("goc,ngct->ngot", groups[..., i], x[..., i * d : i * d + s * (t - 1) + 1 : s])
            for i in range(k)
        )
        return sum(taps).flatten(1, 2)


class ByColumns(Padded):
    """im2col and one product of matrices, the groups as blocks of a matrix."""

    def without(self, x: Tensor) -> Tensor:
        k, s, d, _ = self.shape(x)
        columns = F.unfold(x[:, :, None], (1, k), dilation=(1, d), stride=(1, s))
        blocks = torch.block_diag(*self.weight.flatten(1).chunk(self.groups))
        return blocks @ columns


class ByMatrix(Padded):
    """Each output as a row of weights and zeros: the matrix of the whole layer."""

    def without(self, x: Tensor) -> Tensor:
        k, s, d, t = self.shape(x)
        out, within = self.weight.shape[:2]
        rows = [self.weight.new_zeros(out, within, x.shape[-1]) for _ in range(t)]
        taps = torch.arange(k) * d
        rows = [row.index_copy(-1, taps + i * s, self.weight) for i, row in enumerate(rows)]
        matrix = torch.stack(rows, 1).unflatten(0, (self.groups, -1))
        return torch.einsum("gotcl,ngcl->ngot", matrix, x.unflatten(1, (self.groups, -1))).flatten(1, 2)


class AsPlanes(Padded):
    """A convolution of images of one row."""

    def without(self, x: Tensor) -> Tensor:
        (s,), (d,) = self.stride, self.dilation
        return F.conv2d(x[:, :, None], self.weight[:, :, None], None, (1, s), 0, (1, d), self.groups)[:, :, 0]


class PlanesByColumns(nn.Conv2d):
    """im2col and one product of matrices."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 3:
            return self.forward(x[None])[0]
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        x = F.pad(x, [pad for pad in reversed(self.padding) for _ in (0, 1)], mode=mode)
        columns = F.unfold(x, self.kernel_size, self.dilation, 0, self.stride)
        blocks = torch.block_diag(*self.weight.flatten(1).chunk(self.groups))
        sizes = [reach(*each) for each in zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True)]
        out = (blocks @ columns).unflatten(-1, sizes)
        return out if self.bias is None else out + self.bias[:, None, None]


def input_transposed(
    input_size: Any, weight: Tensor, grad: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1
) -> Tensor:
    rest = input_size[-1] + 2 * padding - dilation * (weight.shape[-1] - 1) - 1 - stride * (grad.shape[-1] - 1)
    return F.conv_transpose1d(grad, weight, None, stride, padding, rest, groups, dilation)


def input_by_vjp(input_size: Any, weight: Tensor, grad: Tensor, *window: int, **named: int) -> Tensor:
    x = torch.zeros(tuple(input_size), dtype=grad.dtype, device=grad.device)
    return torch.func.vjp(lambda x: F.conv1d(x, weight, None, *window, **named), x)[1](grad)[0]


def weight_by_vjp(input: Tensor, weight_size: Any, grad: Tensor, *window: int, **named: int) -> Tensor:
    weight = torch.zeros(tuple(weight_size), dtype=grad.dtype, device=grad.device)
    return torch.func.vjp(lambda weight: F.conv1d(input, weight, None, *window, **named), weight)[1](grad)[0]


def matrix_of_units(weight: Tensor, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Tensor:
    """The convolution of each unit vector is a column."""
    units = torch.eye(size, dtype=weight.dtype, device=weight.device)[:, None]
    return F.conv1d(units, weight[None, None], None, stride, padding, dilation)[:, 0].T


class MaxAsPlanes(nn.MaxPool1d):
    """A pool of images of one row."""

    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self.two = nn.MaxPool2d(
            (1, self.kernel_size), (1, self.stride), (0, self.padding), (1, self.dilation), False, self.ceil_mode
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.two(x.unsqueeze(-2)).squeeze(-2)


def separate(pool: nn.MaxPool2d, x: Tensor) -> Tensor:
    """Rows first, then columns: a maximum of maxima."""
    for axis in (0, 1):
        window = [[each[axis] if i == axis else rest for i in (0, 1)] for each, rest in (
            (pool.kernel_size, 1), (pool.stride, 1), (pool.padding, 0), (pool.dilation, 1)
        )]  # fmt: skip
        x = F.max_pool2d(x, *window, ceil_mode=pool.ceil_mode)
    return x


class MaxInTurn(nn.MaxPool2d):
    def forward(self, x: Tensor) -> Tensor:
        return separate(self, x)


TAPS = ("conv.definition", "conv.definition.groups", "conv.definition.padding")

RIGHT = (
    Right("torch's", "the library's", "convolution.Conv1d", nn.Conv1d),
    Right("shifted taps", "the sum over taps outside", "convolution.Conv1d", ByTaps, TAPS),
    Right("im2col", "blocks of a matrix times windows", "convolution.Conv1d", ByColumns, TAPS),
    Right("the layer's matrix", "a linear map is a matrix", "convolution.Conv1d", ByMatrix, TAPS),
    Right("images of one row", "an axis of size 1 more", "convolution.Conv1d", AsPlanes, TAPS),
    Right("torch's", "the library's", "convolution.Conv2d", nn.Conv2d),
    Right("im2col", "blocks of a matrix times windows", "convolution.Conv2d", PlanesByColumns),
    Right("a transposed convolution", "the transpose of a linear map", "convolution.conv1d_input", input_transposed),
    Right("autograd's", "the derivative of the convolution", "convolution.conv1d_input", input_by_vjp),
    Right("autograd's", "the derivative of the convolution", "convolution.conv1d_weight", weight_by_vjp),
    Right("units convolved", "columns are images of units", "convolution.toeplitz", matrix_of_units),
    Right("images of one row", "an axis of size 1 more", "pooling.MaxPool1d", MaxAsPlanes),
    Right("torch's", "the library's", "pooling.MaxPool1d", nn.MaxPool1d),
    Right("torch's", "the library's", "pooling.AvgPool1d", nn.AvgPool1d),
    Right("torch's", "the library's", "pooling.AvgPool2d", nn.AvgPool2d),
    Right("torch's", "the library's", "pooling.MaxPool2d", nn.MaxPool2d),
    Right("rows, then columns", "the greatest of the greatest", "pooling.MaxPool2d", MaxInTurn),
)
