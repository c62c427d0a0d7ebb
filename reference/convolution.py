"""Convolution as networks compute it: layers, their backward pass, and what can be counted beforehand.

Sources: notes, section 1.3; Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016;
LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

__all__ = [
    "Conv1d", "Conv2d", "ConvNet", "conv1d_input", "conv1d_weight", "output_size", "parameter_count",
    "receptive_field", "toeplitz",
]  # fmt: skip

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": torch.clone}


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    r"""How many windows fit into an axis.

    .. math:: T = \lfloor (n + 2p - d(k - 1) - 1) / s \rfloor + 1

    Raises ``ValueError`` if not even one window fits, or a number is out of range.
    Source: notes, section 1.3 (implied); Dumoulin and Visin (2016), relationship 15.

    >>> output_size(32, 3, stride=2, padding=1)
    16
    """
    _check_least(1, size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _check_least(0, padding=padding)
    room = size + 2 * padding - _reach(kernel_size, dilation)
    if room < 0:
        raise ValueError(f"a window over {_reach(kernel_size, dilation)} positions, got {size} padded by {padding}")
    return room // stride + 1


def parameter_count(
    in_channels: int, out_channels: int, kernel_size: int | Sequence[int], groups: int = 1, bias: bool = True
) -> int:
    r"""How many numbers a convolution learns, whatever the size of the image.

    .. math:: C_o\, (C_i / G) \prod_a k_a + C_o

    Raises ``ValueError`` if the groups do not divide both numbers of channels, or a number is below 1.
    Source: notes, section 1.3.

    >>> parameter_count(3, 16, (3, 3))
    448
    """
    kernel = (kernel_size,) if isinstance(kernel_size, int) else tuple(kernel_size)
    _check_channels(in_channels, out_channels, groups)
    _check_least(1, kernel_size=min(kernel))
    return out_channels * (in_channels // groups) * math.prod(kernel) + (out_channels if bias else 0)


def receptive_field(
    kernel_sizes: Sequence[int], strides: Sequence[int] | None = None, dilations: Sequence[int] | None = None
) -> int:
    r"""How many positions of the input one output of a stack of convolutions can see.

    .. math:: r = 1 + \sum_l d_l (k_l - 1) \prod_{m < l} s_m

    Raises ``ValueError`` if the lists differ in length, or hold a number below 1.
    Source: notes, section 1.3 ("learn local features"); Dumoulin and Visin (2016).

    >>> receptive_field([3, 3, 3])
    7
    """
    strides = [1] * len(kernel_sizes) if strides is None else strides
    dilations = [1] * len(kernel_sizes) if dilations is None else dilations
    if not len(kernel_sizes) == len(strides) == len(dilations):
        raise ValueError(f"one number for each layer, got {kernel_sizes}, {strides} and {dilations}")
    field = step = 1
    for kernel_size, stride, dilation in zip(kernel_sizes, strides, dilations, strict=True):
        _check_least(1, kernel_size=kernel_size, stride=stride, dilation=dilation)
        field += dilation * (kernel_size - 1) * step
        step *= stride
    return field


def toeplitz(weight: Tensor, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Tensor:
    r"""The matrix of a convolution with one channel: few entries differ from 0, and each row holds the same ones.

    .. math:: T_{tq} = \sum_k w_k\, [\, q = ts + kd - p \,], \qquad y = T x

    Shapes: weight (K,); returns (T, size) with T = ``output_size(...)``.
    Raises ``ValueError`` if weight is no vector, or no window fits.
    Source: notes, section 1.3 ("weight sharing and local connectivity").

    >>> toeplitz(torch.tensor([1.0, 2.0]), 3)
    tensor([[1., 2., 0.],
            [0., 1., 2.]])
    """
    if weight.dim() != 1 or len(weight) == 0:
        raise ValueError(f"weight must be (K,) with K >= 1, got {tuple(weight.shape)}")
    rows = output_size(size, len(weight), stride, padding, dilation)
    window, place, tap = (torch.arange(count, device=weight.device) for count in (rows, size, len(weight)))
    hit = window[:, None, None] * stride + tap * dilation - padding == place[:, None]  # (T, size, K)
    return (hit.to(weight.dtype) * weight).sum(-1)


class _Convolution(nn.Module):
    """What the layers share, for any number of axes."""

    axes: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check_channels(in_channels, out_channels, groups)
        if padding_mode not in get_args(PaddingMode):
            raise ValueError(f"padding_mode must be one of {', '.join(get_args(PaddingMode))}, got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = _for_axes("kernel_size", kernel_size, self.axes, 1)
        self.stride = _for_axes("stride", stride, self.axes, 1)
        self.dilation = _for_axes("dilation", dilation, self.axes, 1)
        self.padding = padding if isinstance(padding, str) else _for_axes("padding", padding, self.axes, 0)
        self.padding_mode = padding_mode
        self.margins = self._margins()
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters(generator)

    def _margins(self) -> list[tuple[int, int]]:
        """What is added before and after each axis; of an odd total, "same" puts the greater part behind."""
        if not isinstance(self.padding, str):
            return [(padding, padding) for padding in self.padding]
        if self.padding == "valid":
            return [(0, 0)] * self.axes
        if self.padding != "same":
            raise ValueError(f"padding must be whole numbers, 'same' or 'valid', got {self.padding!r}")
        if any(stride != 1 for stride in self.stride):
            raise ValueError(f"padding='same' needs stride 1, got {self.stride}")
        totals = [_reach(k, d) - 1 for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights and bias uniformly from ±1/sqrt(fan_in), as torch does."""
        bound = 1 / math.sqrt(self.weight[0].numel())
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        single = x.dim() == self.axes + 1
        if x.dim() not in (self.axes + 1, self.axes + 2) or x.shape[-self.axes - 1] != self.in_channels:
            image = f"{self.in_channels}, {'L' if self.axes == 1 else 'H, W'}"
            raise ValueError(f"expected ({image}) or (N, {image}), got {tuple(x.shape)}")
        padded = x[None] if single else x
        for axis, (before, after) in enumerate(self.margins, start=2):
            padded = _padded(padded, axis, before, after, self.padding_mode)
        out = _correlated(padded, self.weight, self.stride, self.dilation, self.groups)
        if self.bias is not None:
            out = out + self.bias.reshape(-1, *[1] * self.axes)
        return out[0] if single else out

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = {"padding": (0,) * self.axes, "dilation": (1,) * self.axes, "groups": 1, "padding_mode": "zeros"}
        text += "".join(
            f", {name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value
        )
        return text + (", bias=False" if self.bias is None else "")


class Conv1d(_Convolution):
    r"""The convolution of networks along one axis: cross-correlation, since the kernel is not flipped.

    .. math:: y_{bot} = \beta_o + \sum_c \sum_k w_{ock}\, x_{b,\,g(o) + c,\,ts + kd - p}

    where channel o sees the :math:`C_i / G` channels of its group only, from :math:`g(o)` on, and x is
    continued beyond its ends as ``padding_mode`` says. A flipped weight makes it what mathematics and scipy
    call a convolution.

    Args: those of ``torch.nn.Conv1d``, and ``generator`` for drawing the parameters.
    Shapes: x (N, C_i, L) or (C_i, L); returns (N, C_o, T) or (C_o, T), T = ``output_size(L, ...)``;
    ``weight`` is (C_o, C_i / groups, K), ``bias`` (C_o,) or None.
    Raises ``ValueError`` for arguments out of range, an x of another shape, or one shorter than a window.
    Source: notes, section 1.3.

    >>> Conv1d(4, 8, 3, stride=2)(torch.zeros(1, 4, 9)).shape
    torch.Size([1, 8, 4])
    """

    axes = 1


class Conv2d(_Convolution):
    r"""The convolution of networks over images: :class:`Conv1d` with two axes, each with numbers of its own.

    Args: those of ``torch.nn.Conv2d``, and ``generator`` for drawing the parameters; the height's numbers come first.
    Shapes: x (N, C_i, H, W) or (C_i, H, W); returns (N, C_o, H', W') or (C_o, H', W'); ``weight`` is
    (C_o, C_i / groups, K_h, K_w), ``bias`` (C_o,) or None.
    Raises ``ValueError`` for arguments out of range, an x of another shape, or one smaller than a window.
    Source: notes, section 1.3; LeCun et al. (1998).

    >>> Conv2d(3, 16, (3, 5), padding=(1, 2))(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 16, 8, 8])
    """

    axes = 2


class ConvNet(nn.Module):
    r"""A sequence of convolutions, each followed by the same non-linearity, on maps that keep their size.

    .. math:: h_0 = x, \qquad h_{l+1} = \sigma(w_l \star h_l + \beta_l)

    With ``padding_mode="circular"`` moving the input moves the output, and changes nothing else.

    Args: ``channels`` (of the input, and of each layer), ``kernel_size``, ``activation`` (relu, tanh, sigmoid,
    identity), ``padding_mode``, ``axes`` (1 or 2), ``generator``.
    Shapes: x (N, channels[0], L) or (N, channels[0], H, W); returns the same with channels[-1].
    Raises ``ValueError`` for fewer than two numbers of channels, an unknown activation, or other axes.
    Source: notes, section 1.3.

    >>> ConvNet((3, 8, 8))(torch.zeros(1, 3, 5, 5)).shape
    torch.Size([1, 8, 5, 5])
    """

    def __init__(
        self,
        channels: Sequence[int],
        kernel_size: int | Sequence[int] = 3,
        activation: str = "relu",
        padding_mode: PaddingMode = "zeros",
        axes: int = 2,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if len(channels) < 2:
            raise ValueError(f"channels are those of the input and of one layer at least, got {tuple(channels)}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")
        layer = {1: Conv1d, 2: Conv2d}.get(axes)
        if layer is None:
            raise ValueError(f"axes must be 1 or 2, got {axes}")
        self.activation = activation
        more: dict[str, Any] = {"padding_mode": padding_mode, "device": device, "dtype": dtype, "generator": generator}
        pairs = itertools.pairwise(channels)
        self.layers = nn.ModuleList(layer(below, here, kernel_size, padding="same", **more) for below, here in pairs)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = ACTIVATIONS[self.activation](layer(x))
        return x

    def extra_repr(self) -> str:
        return f"activation={self.activation}"


# ------------------------------------------------------------------ the backward pass


def conv1d_input(
    input_size: Sequence[int], weight: Tensor, grad_output: Tensor,
    stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    r"""The gradient of a convolution by its input: the output's gradient, correlated with the flipped kernel.

    .. math:: \frac{\partial L}{\partial x_{cq}} = \sum_o \sum_{t,\, k:\; ts + kd - p = q} g_{ot}\, w_{ock}

    It is the transpose of the convolution, and of :func:`toeplitz`.

    Shapes: input_size (N, C_i, L); weight (C_o, C_i / groups, K); grad_output (N, C_o, T); returns input_size.
    Raises ``ValueError`` if the shapes do not belong together.
    Source: notes, section 1.3 (implied); Dumoulin and Visin (2016), section 4.

    >>> conv1d_input((1, 1, 3), torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 0.0]]]))
    tensor([[[1., 2., 0.]]])
    """
    _check_backward(input_size, weight.shape, grad_output, stride, padding, dilation, groups)
    size = input_size[2]
    gaps = grad_output[..., None]  # (N, C_o, T, 1), and s - 1 zeros to come behind each of them
    spread = torch.cat([gaps, gaps.new_zeros(*gaps.shape[:-1], stride - 1)], -1).flatten(-2)
    reach = _reach(weight.shape[-1], dilation)
    covered = stride * (grad_output.shape[-1] - 1) + reach  # by windows; no window sees what is beyond
    spread = _padded(spread[..., : covered - reach + 1], 2, reach - 1, reach - 1, "zeros")
    across = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)  # (C_i, C_o / groups, K)
    padded = _correlated(spread, across.flip(-1), (1,), (dilation,), groups)
    padded = _padded(padded, 2, 0, size + 2 * padding - covered, "zeros")
    return padded[..., padding : padding + size]


def conv1d_weight(
    input: Tensor, weight_size: Sequence[int], grad_output: Tensor,
    stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    r"""The gradient of a convolution by its weight: the input, correlated with the output's gradient.

    .. math:: \frac{\partial L}{\partial w_{ock}} = \sum_b \sum_t g_{bot}\, x_{b,\,g(o) + c,\,ts + kd - p}

    Shapes: input (N, C_i, L); weight_size (C_o, C_i / groups, K); grad_output (N, C_o, T); returns weight_size.
    Raises ``ValueError`` if the shapes do not belong together.
    Source: notes, section 1.3 (implied); LeCun et al. (1998).

    >>> conv1d_weight(torch.tensor([[[1.0, 2.0, 3.0]]]), (1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
    tensor([[[1., 2.]]])
    """
    _check_backward(input.shape, weight_size, grad_output, stride, padding, dilation, groups)
    padded = _padded(input, 2, padding, padding, "zeros")
    windows = _windows(padded, weight_size[2:], (stride,), (dilation,)).unflatten(1, (groups, -1))
    return torch.einsum("bgctk,bgot->gock", windows, grad_output.unflatten(1, (groups, -1))).flatten(0, 1)


def _reach(kernel_size: int, dilation: int) -> int:
    """How many positions a window spans, from its first tap to its last."""
    return dilation * (kernel_size - 1) + 1


def _windows(x: Tensor, kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """Every window: (N, C, \\*sizes) to (N, C, \\*output sizes, \\*kernel_size)."""
    for axis, (k, s, d) in enumerate(zip(kernel_size, stride, dilation, strict=True), start=2):
        output_size(x.shape[axis], k, s, 0, d)  # which says what is wrong, if no window fits
        x = x.unfold(axis, _reach(k, d), s)[..., ::d]
    return x


def _correlated(x: Tensor, weight: Tensor, stride: Sequence[int], dilation: Sequence[int], groups: int) -> Tensor:
    """Each window times the weights of its group, summed: a matrix product of windows and kernels."""
    kernel_size = weight.shape[2:]
    windows = _windows(x, kernel_size, stride, dilation)
    sizes = windows.shape[2 : 2 + len(kernel_size)]
    columns = windows.flatten(-len(kernel_size)).flatten(2, -2).unflatten(1, (groups, -1))  # (N, G, C / G, T, K)
    kernels = weight.flatten(2).unflatten(0, (groups, -1))  # (G, O / G, C / G, K)
    sums = torch.einsum("bgctk,gock->bgot", columns, kernels)
    return sums.flatten(1, 2).unflatten(-1, sizes)


def _padded(x: Tensor, axis: int, before: int, after: int, mode: PaddingMode) -> Tensor:
    """The tensor continued at both ends of an axis."""
    size = x.shape[axis]
    most = {"reflect": size - 1, "circular": size}.get(mode, math.inf)
    if max(before, after) > most:
        raise ValueError(f"padding_mode={mode!r} adds at most {most} to an axis of size {size}, got {before}, {after}")
    if mode == "zeros":
        shape = list(x.shape)
        ends = [x.new_zeros([*shape[:axis], count, *shape[axis + 1 :]]) for count in (before, after)]
        return torch.cat([ends[0], x, ends[1]], axis)
    at = torch.arange(-before, size + after, device=x.device)
    mirrored = size - 1 - (size - 1 - at.abs()).abs()  # without the ends themselves
    places = {"circular": at % size, "replicate": at.clamp(0, size - 1), "reflect": mirrored}
    return x.index_select(axis, places[mode])


def _for_axes(name: str, value: int | Sequence[int], axes: int, least: int) -> tuple[int, ...]:
    numbers = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(numbers) != axes:
        raise ValueError(f"{name} must be a whole number or {axes} of them, got {value!r}")
    _check_least(least, **{name: min(numbers)})
    return numbers


def _check_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")


def _check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    _check_least(1, in_channels=in_channels, out_channels=out_channels, groups=groups)
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"groups={groups} must divide {name}={channels}")


def _check_backward(input_size: Sequence[int], weight_size: Sequence[int], grad: Tensor, *options: int) -> None:
    if len(input_size) != 3 or len(weight_size) != 3:
        raise ValueError(f"expected shapes (N, C, L) and (O, C, K), got {tuple(input_size)} and {tuple(weight_size)}")
    (count, channels, size), (out, within, kernel_size), (*window, groups) = input_size, weight_size, options
    _check_channels(channels, out, groups)
    if within != channels // groups:
        raise ValueError(f"the weight must see {channels // groups} channels, got {tuple(weight_size)}")
    wanted = (count, out, output_size(size, kernel_size, *window))
    if tuple(grad.shape) != wanted:
        raise ValueError(f"grad_output must be {wanted}, got {tuple(grad.shape)}")
