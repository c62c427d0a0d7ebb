"""Pooling: a number for each window of a map, and each map by itself.

Sources: notes, section 1.3; Boureau, Ponce and LeCun, "A theoretical analysis of feature pooling in visual
recognition", 2010; Lin, Chen and Yan, "Network in network", 2014 (global pooling).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d", "global_average", "global_maximum"]


class _Pooling(nn.Module):
    """What the layers share, for any number of axes: their windows."""

    axes: int

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None,
        padding: int | Sequence[int],
        dilation: int | Sequence[int],
        ceil_mode: bool,
    ) -> None:
        super().__init__()
        self.kernel_size = _for_axes("kernel_size", kernel_size, self.axes, 1)
        self.stride = self.kernel_size if stride is None else _for_axes("stride", stride, self.axes, 1)
        self.padding = _for_axes("padding", padding, self.axes, 0)
        self.dilation = _for_axes("dilation", dilation, self.axes, 1)
        self.ceil_mode = ceil_mode
        for kernel, pad in zip(self.kernel_size, self.padding, strict=True):
            if 2 * pad > kernel:
                raise ValueError(f"padding must be at most half of kernel_size, got {pad} and {kernel}")

    def _windows(self, x: Tensor, beyond: float) -> Tensor:
        """Every window, flat: (N, C, \\*sizes) to (N, C, \\*output sizes, taps), with ``beyond`` outside of the map."""
        for axis, (k, s, p, d) in enumerate(
            zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True), start=2
        ):
            reach = d * (k - 1) + 1
            count = _output_size(x.shape[axis], reach, s, p, self.ceil_mode)
            x = _padded(x, axis, p, max(p, s * (count - 1) + reach - p - x.shape[axis]), beyond)
            x = x.unfold(axis, reach, s)[..., ::d]
        return x.flatten(-self.axes)

    def _batched(self, x: Tensor) -> Tensor:
        if x.dim() not in (self.axes + 1, self.axes + 2):
            axes = ", ".join(("L",) if self.axes == 1 else ("H", "W"))
            raise ValueError(f"expected (C, {axes}) or (N, C, {axes}), got {tuple(x.shape)}")
        return x[None] if x.dim() == self.axes + 1 else x

    def extra_repr(self) -> str:
        text = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        text += f", dilation={self.dilation}" if self.dilation != (1,) * self.axes else ""
        return text + (", ceil_mode=True" if self.ceil_mode else "")


class _MaxPool(_Pooling):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        out = self._windows(self._batched(x), -math.inf).max(-1).values
        return out if x.dim() == self.axes + 2 else out[0]


class MaxPool1d(_MaxPool):
    r"""The greatest number in each window of each map.

    .. math:: y_{bct} = \max_k x_{b,\,c,\,ts + kd - p}

    Outside of the map there is :math:`-\infty`, not 0: padding never wins. Of several greatest numbers one alone gets
    the gradient.

    Args: those of ``torch.nn.MaxPool1d`` but for ``return_indices``; the stride is the kernel size unless given;
    with ``ceil_mode`` a last window that the end of the map cuts off counts, unless it begins beyond the map.
    Shapes: x (N, C, L) or (C, L); returns (N, C, T) or (C, T).
    Raises ``ValueError`` for arguments out of range (padding at most half of the kernel), or an x without a window.
    Source: notes, section 1.3.

    >>> MaxPool1d(2)(torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
    tensor([[1., 0.]])
    """

    axes = 1


class MaxPool2d(_MaxPool):
    r"""The greatest number in each window of each map: :class:`MaxPool1d` with two axes.

    Shapes: x (N, C, H, W) or (C, H, W); returns (N, C, H', W') or (C, H', W').
    Raises ``ValueError`` for arguments out of range (padding at most half of the kernel), or an x without a window.
    Source: notes, section 1.3.

    >>> MaxPool2d(2)(torch.arange(4.0).reshape(1, 2, 2))
    tensor([[[3.]]])
    """

    axes = 2


class _AvgPool(_Pooling):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        maps = self._batched(x)
        out = self._windows(maps, 0.0).sum(-1) / self._counted(maps)
        return out if x.dim() == self.axes + 2 else out[0]

    def _counted(self, maps: Tensor) -> Tensor:
        """By how many positions each window is divided; what ``ceil_mode`` adds behind the padding never counts."""
        counts = torch.ones((), device=maps.device, dtype=maps.dtype)
        rows = zip(maps.shape[2:], self.kernel_size, self.stride, self.padding, strict=True)
        for size, kernel, stride, padding in rows:
            count = _output_size(size, kernel, stride, padding, self.ceil_mode)
            first = torch.arange(count, device=maps.device) * stride - padding
            last = (first + kernel).clamp(max=size + padding)
            if not self.count_include_pad:
                first, last = first.clamp(min=0), last.clamp(max=size)
            counts = counts[..., None] * (last - first)
        return counts

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.count_include_pad else ", count_include_pad=False")


class AvgPool1d(_AvgPool):
    r"""The mean of each window of each map.

    .. math:: y_{bct} = \frac{1}{m_t} \sum_k x_{b,\,c,\,ts + k - p}

    Outside of the map there is 0. :math:`m_t` counts the padding along, as torch does, unless ``count_include_pad`` is
    False: then a map of ones stays one up to its ends.

    Args: those of ``torch.nn.AvgPool1d``; see :class:`MaxPool1d`.
    Shapes: x (N, C, L) or (C, L); returns (N, C, T) or (C, T).
    Raises ``ValueError`` for arguments out of range (padding at most half of the kernel), or an x without a window.
    Source: notes, section 1.3.

    >>> AvgPool1d(2, padding=1)(torch.ones(1, 2)), AvgPool1d(2, padding=1, count_include_pad=False)(torch.ones(1, 2))
    (tensor([[0.5000, 0.5000]]), tensor([[1., 1.]]))
    """

    axes = 1


class AvgPool2d(_AvgPool):
    r"""The mean of each window of each map: :class:`AvgPool1d` with two axes.

    Args: those of ``torch.nn.AvgPool2d`` but for ``divisor_override``.
    Shapes: x (N, C, H, W) or (C, H, W); returns (N, C, H', W') or (C, H', W').
    Raises ``ValueError`` for arguments out of range (padding at most half of the kernel), or an x without a window.
    Source: notes, section 1.3.

    >>> AvgPool2d(2)(torch.arange(4.0).reshape(1, 2, 2))
    tensor([[[1.5000]]])
    """

    axes = 2


def global_average(x: Tensor) -> Tensor:
    r"""The mean of each map, which no cyclic shift of the map changes.

    .. math:: y_{bc} = \frac{1}{n} \sum_q x_{bcq}

    Shapes: x (N, C, \*sizes); returns (N, C). Raises ``ValueError`` if there is no map.
    Source: notes, section 1.3; Lin, Chen and Yan (2014), section 3.2.

    >>> global_average(torch.tensor([[[1.0, 2.0, 6.0]]]))
    tensor([[3.]])
    """
    return _maps(x).sum(-1) / _maps(x).shape[-1]


def global_maximum(x: Tensor) -> Tensor:
    r"""The greatest number of each map, which no cyclic shift of the map changes.

    .. math:: y_{bc} = \max_q x_{bcq}

    Shapes: x (N, C, \*sizes); returns (N, C). Raises ``ValueError`` if there is no map.
    Source: notes, section 1.3.

    >>> global_maximum(torch.tensor([[[1.0, 2.0, 6.0]]]))
    tensor([[6.]])
    """
    return _maps(x).max(-1).values


# ------------------------------------------------------------------ pieces


def _maps(x: Tensor) -> Tensor:
    if x.dim() < 3 or 0 in x.shape[2:]:
        raise ValueError(f"expected (N, C, *sizes), each size at least 1, got {tuple(x.shape)}")
    return x.flatten(2)


def _output_size(size: int, reach: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """How many windows there are, of which the last may be cut off with ``ceil_mode``, but not begin beyond the map."""
    room = size + 2 * padding - reach
    count = -(-room // stride) + 1 if ceil_mode else room // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    if count < 1:
        raise ValueError(f"a window over {reach} positions does not fit into {size} with a padding of {padding}")
    return count


def _padded(x: Tensor, axis: int, before: int, after: int, beyond: float) -> Tensor:
    shape = list(x.shape)
    ends = [x.new_full([*shape[:axis], count, *shape[axis + 1 :]], beyond) for count in (before, after)]
    return torch.cat([ends[0], x, ends[1]], axis)


def _for_axes(name: str, value: int | Sequence[int], axes: int, least: int) -> tuple[int, ...]:
    numbers = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(numbers) != axes or min(numbers) < least:
        raise ValueError(f"{name} must be a whole number from {least} on, or {axes} of them, got {value!r}")
    return numbers
