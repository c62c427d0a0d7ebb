"""Batch normalization of features, sequences and images: forward, backward, and the statistics for evaluation.

In training every channel is shifted and scaled by the mean and the variance of the batch, in evaluation by running
averages of them. Arguments, parameter names and buffers are those of ``torch.nn.BatchNorm1d`` and ``BatchNorm2d``.

Sources: notes, section 1.2.7; Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing
internal covariate shift", ICML 2015.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNormGradients", "batch_norm", "batch_norm_backward"]


def _at_least_float32(x: Tensor) -> Tensor:
    """Half precision is averaged in float32: float16 overflows at the square of 256."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _along_channels(vector: Tensor, x: Tensor) -> Tensor:
    """One number a channel, (C), made to broadcast against (N, C, \\*)."""
    return vector.reshape(1, -1, *(1,) * (x.dim() - 2))


def _total(x: Tensor) -> Tensor:
    """The sum of each channel over the samples and all positions: (N, C, \\*) to (C)."""
    return x.sum([axis for axis in range(x.dim()) if axis != 1])


def _average(x: Tensor) -> Tensor:
    """The mean, likewise."""
    return _total(x) / (x.numel() // x.shape[1])


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The mean and the biased variance of each channel, and x with the mean taken off.

    The variance is the mean of squared deviations: ``mean(x**2) - mean(x)**2`` loses all digits for a great mean.
    """
    mean = _average(x)
    centered = x - _along_channels(mean, x)
    return mean, _average(centered * centered), centered


def _check_batch(x: Tensor) -> None:
    if x.dim() < 2:
        raise ValueError(f"x must be (N, C, *), got {tuple(x.shape)}")
    if x.numel() < 2 * x.shape[1]:
        raise ValueError(f"training needs more than one value per channel, got {tuple(x.shape)}")


def _check_channels(x: Tensor, **vectors: Tensor | None) -> None:
    for name, vector in vectors.items():
        if vector is not None and vector.shape != x.shape[1:2]:
            raise ValueError(f"{name} must be ({x.shape[1]},) for x {tuple(x.shape)}, got {tuple(vector.shape)}")


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalize each channel, by the batch in training and by the running statistics otherwise.

    .. math::
        \mu = \frac1m \sum_i x_i, \qquad v = \frac1m \sum_i (x_i - \mu)^2, \qquad
        y_i = \gamma \frac{x_i - \mu}{\sqrt{v + \epsilon}} + \beta

    A channel's m values are those of all samples at all positions. In training the running statistics, where they are
    given, are updated in place and outside autograd, the variance with the *unbiased* estimate:

    .. math::
        \mu_{run} \leftarrow (1 - \alpha)\, \mu_{run} + \alpha\, \mu, \qquad
        v_{run} \leftarrow (1 - \alpha)\, v_{run} + \alpha\, \frac{m}{m - 1} v

    where alpha, the ``momentum``, is the weight of the *new* value (Keras and TensorFlow call 1 - alpha so).

    Shapes: x (N, C, \*), everything else (C); returns (N, C, \*) in the dtype of x. float16 and bfloat16 are computed
    in float32 and rounded once, at the end.
    Raises ``ValueError`` if x has no channels, a vector has another length, a batch in training has one value per
    channel, or there are no running statistics to evaluate with.
    Source: notes, section 1.2.7; Ioffe and Szegedy (2015), algorithms 1 and 2.

    >>> batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    if training:
        _check_batch(x)
    elif x.dim() < 2:
        raise ValueError(f"x must be (N, C, *), got {tuple(x.shape)}")
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    wide = _at_least_float32(x)
    if training:
        mean, var, centered = _moments(wide)
        m = x.numel() // x.shape[1]
        for running, batch in ((running_mean, mean), (running_var, var * m / (m - 1))):
            if running is not None:
                with torch.no_grad():
                    running.copy_((1 - momentum) * _at_least_float32(running) + momentum * batch)
    else:
        if running_mean is None or running_var is None:
            raise ValueError("evaluation needs running_mean and running_var")
        var = _at_least_float32(running_var)
        centered = wide - _along_channels(_at_least_float32(running_mean), x)
    y = centered / _along_channels((var + eps).sqrt(), x)
    if weight is not None:
        y = y * _along_channels(_at_least_float32(weight), x)
    if bias is not None:
        y = y + _along_channels(_at_least_float32(bias), x)
    return y.to(x.dtype)


class BatchNormGradients(NamedTuple):
    """The derivatives of a loss by x (N, C, \\*), by the weight and by the bias (C)."""

    x: Tensor
    weight: Tensor
    bias: Tensor


def batch_norm_backward(grad: Tensor, x: Tensor, weight: Tensor | None = None, eps: float = 1e-5) -> BatchNormGradients:
    r"""The backward pass in training, in closed form and without autograd.

    .. math::
        \hat x = \frac{x - \mu}{\sqrt{v + \epsilon}}, \qquad
        \frac{\partial L}{\partial \beta} = \sum_i g_i, \qquad
        \frac{\partial L}{\partial \gamma} = \sum_i g_i \hat x_i, \qquad
        \frac{\partial L}{\partial x_i} = \frac{\gamma}{\sqrt{v + \epsilon}}
        \Big(g_i - \frac1m \sum_j g_j - \hat x_i \frac1m \sum_j g_j \hat x_j\Big)

    Both sums are the gradient through the statistics: the first through the mean, the second through the variance.

    Shapes: grad, the derivative by the output, and x (N, C, \*); weight (C), 1 where it is None.
    Raises ``ValueError`` if grad has another shape than x, a batch has one value per channel, or the weight another
    length.
    Source: Ioffe and Szegedy (2015), section 3.

    >>> x = torch.tensor([[0.0], [1.0], [2.0]])
    >>> batch_norm_backward(torch.ones(3, 1), x).x.flatten()
    tensor([0., 0., 0.])
    """
    if grad.shape != x.shape:
        raise ValueError(f"grad must have the shape of x {tuple(x.shape)}, got {tuple(grad.shape)}")
    _check_batch(x)
    _check_channels(x, weight=weight)
    g = _at_least_float32(grad)
    _, var, centered = _moments(_at_least_float32(x))
    root = (var + eps).sqrt()
    normalized = centered / _along_channels(root, x)
    by_bias, by_weight = _total(g), _total(g * normalized)
    m = x.numel() // x.shape[1]
    scale = 1 / root if weight is None else _at_least_float32(weight) / root
    inner = g - _along_channels(by_bias / m, x) - normalized * _along_channels(by_weight / m, x)
    parameters = x.dtype if weight is None else weight.dtype
    return BatchNormGradients(
        x=(inner * _along_channels(scale, x)).to(x.dtype),
        weight=by_weight.to(parameters),
        bias=by_bias.to(parameters),
    )


class _BatchNorm(nn.Module):
    """What the layers share; they differ in the inputs that they accept."""

    dims: tuple[int, ...]
    shapes: str
    weight: nn.Parameter | None
    bias: nn.Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if num_features < 1:
            raise ValueError(f"num_features must be at least 1, got {num_features}")
        if eps < 0:
            raise ValueError(f"eps must not be negative, got {eps}")
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be None or between 0 and 1, got {momentum}")
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name in ("weight", "bias"):
            made = nn.Parameter(torch.empty(num_features, **factory_kwargs)) if affine else None
            self.register_parameter(name, made)
        for name in ("running_mean", "running_var"):
            buffer = torch.empty(num_features, **factory_kwargs) if track_running_stats else None
            self.register_buffer(name, buffer)
        count = torch.tensor(0, dtype=torch.long, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and no batch seen: nothing is drawn."""
        self.reset_running_stats()
        if self.weight is not None and self.bias is not None:
            nn.init.ones_(self.weight)
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize; in training with running statistics, update them first."""
        if x.dim() not in self.dims or x.shape[1] != self.num_features:
            raise ValueError(f"expected {self.shapes} with C = {self.num_features}, got {tuple(x.shape)}")
        by_batch = self.training or self.running_mean is None
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            _check_batch(x)
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain average over all batches so far
                momentum = 1 / float(self.num_batches_tracked)
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, by_batch, momentum, self.eps)

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    r"""Batch normalization of features (N, C) or of sequences (N, C, L), as :func:`batch_norm` has it.

    Args:
        num_features: the number of channels, C.
        eps: added to the variance, inside the root.
        momentum: the weight of the new batch in the running statistics; None for the plain average over all batches.
        affine: whether each channel has a weight (gamma) and a bias (beta).
        track_running_stats: whether to keep statistics for evaluation; without them, evaluation uses the batch, too.

    Shapes: (N, C) or (N, C, L), and the same again; ``weight``, ``bias``, ``running_mean`` and ``running_var`` (C),
    ``num_batches_tracked`` (). State dictionaries are interchangeable with those of ``torch.nn.BatchNorm1d``.
    Raises ``ValueError`` for an argument out of its range, an input of another shape, and a batch with one value per
    channel in training.
    Source: notes, section 1.2.7; Ioffe and Szegedy (2015).

    >>> BatchNorm1d(1, eps=0.0)(torch.tensor([[1.0], [3.0]])).flatten().tolist()
    [-1.0, 1.0]
    """

    dims = (2, 3)
    shapes = "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    r"""Batch normalization of images (N, C, H, W): a channel's statistics are over all N H W of its values.

    Arguments, errors and source are those of :class:`BatchNorm1d`.

    Shapes: (N, C, H, W), and the same again; ``weight``, ``bias``, ``running_mean`` and ``running_var`` (C).
    State dictionaries are interchangeable with those of ``torch.nn.BatchNorm2d``.

    >>> BatchNorm2d(3)(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    dims = (4,)
    shapes = "(N, C, H, W)"
