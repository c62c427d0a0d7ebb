"""Standardization: features on a common scale, by their extremes or by their mean and standard deviation.

Each is there as a function of one data set, which autograd can differentiate, and as a module that is fitted to the
training data and then applied to any other. A constant feature, which has no scale, becomes a constant.

Sources: notes, section 1.2.4 (which names both and gives no formula); LeCun, Bottou, Orr and Mueller, "Efficient
backprop" (1998), section 4.3.
"""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["MinMaxScaler", "StandardScaler", "minmax", "zscore"]


def _at_least_float32(x: Tensor) -> Tensor:
    """Means and squares of half precision are taken in float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _check(x: Tensor, least: int = 1) -> None:
    if x.ndim == 0 or not x.is_floating_point() or len(x) < least:
        got = f"{x.dtype} of shape {tuple(x.shape)}"
        raise ValueError(f"x must be floating-point, with at least {least} samples in its first axis; got {got}")


def _extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.amin(0), x.amax(0)


def _moments(x: Tensor, correction: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation; of a constant feature, exactly its value and 0.

    Rounding would leave a constant feature a tiny deviation, and dividing by that makes noise of order 1.
    """
    low, high = _extremes(x)
    constant = low == high
    mean = torch.where(constant, low, x.sum(0) / len(x))
    square = (x - mean).square().sum(0) / (len(x) - correction)
    return mean, torch.where(constant, 0, torch.where(constant, 1, square).sqrt())


def _nonzero(scale: Tensor) -> Tensor:
    return torch.where(scale == 0, 1, scale)


def zscore(x: Tensor, correction: int = 0) -> Tensor:
    r"""Each feature less its mean, in units of its standard deviation; 0 where a feature is constant.

    .. math:: z_{ij} = \frac{x_{ij} - \mu_j}{\sigma_j}, \qquad \mu_j = \frac1n \sum_i x_{ij}, \qquad
              \sigma_j^2 = \frac{1}{n - c} \sum_i (x_{ij} - \mu_j)^2

    Its mean is 0 and its mean square (n - c) / n. The correction c is 0 in scikit-learn, 1 in ``torch.std``.

    Shapes: x (n, \*) to (n, \*), samples first; the arithmetic of float16 and bfloat16 is float32.
    Raises ``ValueError`` if x is not floating-point, or has no more than c samples.
    Source: notes, section 1.2.4.

    >>> zscore(torch.tensor([[0.0, 5.0], [2.0, 5.0]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]])
    """
    _check(x, 1 + correction)
    wide = _at_least_float32(x)
    mean, scale = _moments(wide, correction)
    return ((wide - mean) / _nonzero(scale)).to(x.dtype)


def minmax(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    r"""Each feature on a common range, its least value at ``low`` and its greatest at ``high``, exactly.

    .. math:: u_{ij} = a (1 - r_{ij}) + b\, r_{ij}, \qquad
              r_{ij} = \frac{x_{ij} - \min_i x_{ij}}{\max_i x_{ij} - \min_i x_{ij}}

    A constant feature becomes a. One outlier decides the range of all others.

    Shapes: x (n, \*) to (n, \*), samples first; the arithmetic of float16 and bfloat16 is float32.
    Raises ``ValueError`` if x is not floating-point or empty, or not low < high.
    Source: notes, section 1.2.4.

    >>> minmax(torch.tensor([[0.0, 5.0], [1.0, 5.0], [4.0, 5.0]]), -1.0, 1.0)
    tensor([[-1.0000, -1.0000],
            [-0.5000, -1.0000],
            [ 1.0000, -1.0000]])
    """
    _check(x)
    _check_range(low, high)
    wide = _at_least_float32(x)
    least, greatest = _extremes(wide)
    ratio = (wide - least) / _nonzero(greatest - least)
    return (low * (1 - ratio) + high * ratio).to(x.dtype)


class StandardScaler(nn.Module):
    r"""Standardization with the mean and the standard deviation of the data that it was fitted to.

    .. math:: z = (x - \mu) / \sigma, \qquad x = \mu + \sigma z

    Fit it to the training data alone and apply it to all the rest, mini-batches included: a mini-batch that is
    standardized by its own moments is another function of each sample. Unlike batch normalization it has nothing
    to learn and is the same in training and in evaluation.

    Args:
        num_features: the number of features, which are the last axis.
        correction: what is taken off n in the variance; see :func:`zscore`.
        device, dtype: of the buffers.

    Buffers: ``mean`` and ``scale``, (num_features,), 0 and 1 before the fit; a constant feature has the scale 1. They
    take the dtype of the data, but float32 at least, and carry no gradient.

    Shapes: (\*, num_features) to the same.
    Raises ``ValueError`` for another number of features, or fitted to no more samples than the correction.
    Source: notes, section 1.2.4.

    >>> scaler = StandardScaler(1).fit(torch.tensor([[0.0], [2.0]]))
    >>> scaler(torch.tensor([[5.0]])), scaler.inverse_transform(torch.tensor([[4.0]]))
    (tensor([[4.]]), tensor([[5.]]))
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, num_features: int, correction: int = 0, *, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_features = num_features
        self.correction = correction
        self.register_buffer("mean", torch.zeros(num_features, device=device, dtype=dtype))
        self.register_buffer("scale", torch.ones(num_features, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Forget the fit."""
        self.mean, self.scale = torch.zeros_like(self.mean), torch.ones_like(self.scale)

    def fit(self, x: Tensor) -> "StandardScaler":
        """Take the moments of the data (n, num_features)."""
        _check_fit(x, self.num_features, 1 + self.correction)
        self.mean, scale = _moments(_at_least_float32(x.detach()), self.correction)
        self.scale = _nonzero(scale)
        return self

    def transform(self, x: Tensor) -> Tensor:
        """Standardize data."""
        _check_features(x, self.num_features)
        return ((_at_least_float32(x) - self.mean) / self.scale).to(x.dtype)

    def inverse_transform(self, z: Tensor) -> Tensor:
        """Take standardized data back to the units of the data."""
        _check_features(z, self.num_features)
        return (self.mean + self.scale * _at_least_float32(z)).to(z.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.transform(x)

    def extra_repr(self) -> str:
        return f"{self.num_features}, correction={self.correction}"


class MinMaxScaler(nn.Module):
    r"""Scaling by the extremes of the data that it was fitted to.

    .. math:: u = a (1 - r) + b\, r, \qquad r = \frac{x - x_{\min}}{x_{\max} - x_{\min}}

    Data outside the fitted extremes go outside the range, along the same line, unless they are clipped.

    Args:
        num_features: the number of features, which are the last axis.
        low, high: the range, a and b.
        clip: keep r between 0 and 1; what is outside can then not be taken back.
        device, dtype: of the buffers.

    Buffers: ``least`` and ``greatest``, (num_features,), 0 and 1 before the fit. They take the dtype of the data,
    but float32 at least, and carry no gradient. A constant feature has the range 1.

    Shapes: (\*, num_features) to the same.
    Raises ``ValueError`` for another number of features, if fitted to nothing, or not low < high.
    Source: notes, section 1.2.4.

    >>> scaler = MinMaxScaler(1).fit(torch.tensor([[1.0], [3.0]]))
    >>> scaler(torch.tensor([[2.0], [5.0]])).tolist()
    [[0.5], [2.0]]
    """

    least: Tensor
    greatest: Tensor

    def __init__(
        self,
        num_features: int,
        low: float = 0.0,
        high: float = 1.0,
        clip: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_range(low, high)
        self.num_features = num_features
        self.low, self.high = low, high
        self.clip = clip
        self.register_buffer("least", torch.zeros(num_features, device=device, dtype=dtype))
        self.register_buffer("greatest", torch.ones(num_features, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Forget the fit."""
        self.least, self.greatest = torch.zeros_like(self.least), torch.ones_like(self.greatest)

    def fit(self, x: Tensor) -> "MinMaxScaler":
        """Take the extremes of the data (n, num_features)."""
        _check_fit(x, self.num_features, 1)
        self.least, self.greatest = _extremes(_at_least_float32(x.detach()))
        return self

    def transform(self, x: Tensor) -> Tensor:
        """Scale data."""
        _check_features(x, self.num_features)
        ratio = (_at_least_float32(x) - self.least) / _nonzero(self.greatest - self.least)
        if self.clip:
            ratio = ratio.clamp(0, 1)
        return (self.low * (1 - ratio) + self.high * ratio).to(x.dtype)

    def inverse_transform(self, u: Tensor) -> Tensor:
        """Take scaled data back to the units of the data."""
        _check_features(u, self.num_features)
        ratio = (_at_least_float32(u) - self.low) / (self.high - self.low)
        return (self.least + _nonzero(self.greatest - self.least) * ratio).to(u.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.transform(x)

    def extra_repr(self) -> str:
        return f"{self.num_features}, low={self.low}, high={self.high}, clip={self.clip}"


def _check_range(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"the range must have low < high, got {low} and {high}")


def _check_features(x: Tensor, features: int) -> None:
    if x.ndim == 0 or x.shape[-1] != features or not x.is_floating_point():
        got = f"{x.dtype} of shape {tuple(x.shape)}"
        raise ValueError(f"expected floating-point data of shape (*, {features}), got {got}")


def _check_fit(x: Tensor, features: int, least: int) -> None:
    _check_features(x, features)
    if x.ndim != 2 or len(x) < least:
        raise ValueError(f"fit expects at least {least} samples, (n, {features}); got {tuple(x.shape)}")
