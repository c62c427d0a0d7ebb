"""Training by gradient descent: the empirical risk, its gradient, the step, mini-batches and their noise.

Sources: notes, sections 1.2 and 1.2.4; Bottou, Curtis and Nocedal, "Optimization methods for large-scale machine
learning", SIAM Review 60 (2018), sections 2 to 4; Cochran, "Sampling techniques" (1977), section 2.5.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

__all__ = [
    "GradientDescent",
    "MiniBatches",
    "empirical_risk",
    "linear_mse_gradient",
    "minibatch_gradient",
    "minibatch_variance",
    "quadratic_descent",
    "sgd_noise_floor",
]


def _at_least_float32(x: Tensor) -> Tensor:
    """Sums and small steps are lost in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def empirical_risk(
    loss: Callable[[Tensor, Tensor], Tensor], model: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Tensor:
    r"""The mean loss over the samples, as a function of whatever parameters the model holds.

    .. math:: L(\Theta) = \frac1n \sum_{i=1}^n \ell(f(x_i; \Theta), y_i)

    It is this function that training minimizes; the expected error over unseen data is something else.

    Args:
        loss: from predictions and targets to one loss for each sample, (n,): for torch's, ``reduction="none"``.
        model: from x to n predictions.
        x: the samples, one a row.
        y: their targets.

    Shapes: x (n, \*) and y (n, \*) to a scalar, in the dtype of the losses; half precision is averaged in float32.
    Raises ``ValueError`` if there are no samples, x and y differ in number, or the loss is not one number a sample.
    Source: notes, section 1.2.

    >>> square = lambda prediction, target: (prediction - target) ** 2
    >>> empirical_risk(square, lambda x: 2 * x, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor(5.)
    """
    _check_samples(x, y)
    losses = loss(model(x), y)
    if losses.shape != x.shape[:1]:
        got = tuple(losses.shape)
        raise ValueError(f'the loss must give one number a sample, ({len(x)},), as reduction="none" does; got {got}')
    return (_at_least_float32(losses).sum() / len(x)).to(losses.dtype)


def linear_mse_gradient(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    r"""The gradient of the mean squared error of a linear model, as ``torch.nn.functional.mse_loss`` has it.

    .. math:: \nabla L(\theta) = \frac2n X^\top (X \theta - y), \qquad L(\theta) = \frac1n \|X \theta - y\|^2

    Shapes: theta (p,), x (n, p), y (n,) to (p,), summed in float32 at least.
    Raises ``ValueError`` for other shapes, or if there are no samples.
    Source: notes, section 1.2.

    >>> linear_mse_gradient(torch.tensor([2.0]), torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 1.0]))
    tensor([7.])
    """
    _check_samples(x, y)
    if theta.ndim != 1 or y.ndim != 1 or x.shape[1:] != theta.shape:
        got = f"{tuple(theta.shape)}, {tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(f"theta, x and y must be (p,), (n, p) and (n,); got {got}")
    wide = _at_least_float32(x)
    residual = (wide * theta).sum(-1) - y
    return (2 * (residual[:, None] * wide).sum(0) / len(x)).to(theta.dtype)


class GradientDescent(Optimizer):
    r"""Gradient descent with a fixed rate: ``torch.optim.SGD`` without momentum.

    .. math:: \theta_{t+1} = \theta_t - \gamma\, \nabla L(\theta_t)

    The step goes against the gradient. Where the gradient is L-Lipschitz the loss falls for every
    :math:`0 < \gamma < 2 / L`; with larger rates it may grow without bound.

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the rate, gamma.

    There is no state. The arithmetic of float16 and bfloat16 is float32, and a step is rounded once.
    Raises ``ValueError`` if lr is below 0; a step raises ``RuntimeError`` for sparse gradients.
    Source: notes, section 1.2.

    >>> theta = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    >>> optimizer = GradientDescent([theta], lr=0.5)
    >>> theta.grad = torch.tensor([2.0, 0.0])
    >>> optimizer.step()
    >>> theta.tolist()
    [0.0, 1.0]
    """

    def __init__(self, params: ParamsT, lr: float | Tensor = 1e-3) -> None:
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; a ``closure`` is evaluated first, with gradients enabled, and its loss returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    if param.grad.is_sparse:
                        raise RuntimeError("GradientDescent does not support sparse gradients")
                    param.copy_(_at_least_float32(param) - group["lr"] * _at_least_float32(param.grad))
        return loss


def quadratic_descent(start: Tensor, curvature: Tensor, lr: float, steps: int) -> Tensor:
    r"""Where gradient descent on a quadratic is after some steps, without taking them.

    .. math:: \theta_t = (1 - \gamma \lambda)^t\, \theta_0, \qquad L(\theta) = \tfrac12 \lambda \theta^2

    In several dimensions this holds along each eigenvector of the Hessian, with its eigenvalue, about the minimum.

    Shapes: start and curvature broadcast; the result is theirs, in the dtype of start.
    Raises ``ValueError`` if steps is below 0.
    Source: notes, section 1.2 (implied); Polyak, "Introduction to optimization" (1987), section 1.4.

    >>> quadratic_descent(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 4.0]), 0.5, 3)
    tensor([ 0.1250, -1.0000])
    """
    if steps < 0:
        raise ValueError(f"steps must not be negative, got {steps}")
    factor = 1 - lr * _at_least_float32(curvature)
    return (factor**steps * start).to(start.dtype)


def minibatch_gradient(theta: Tensor, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
    r"""The gradient of the mean squared error of a linear model on some of the samples.

    .. math:: g_B(\theta) = \frac{2}{|B|} \sum_{i \in B} (x_i \cdot \theta - y_i)\, x_i

    Drawn uniformly, with replacement or without, its mean is the gradient on all samples; its variance is
    :func:`minibatch_variance`. A sample that is drawn twice counts twice.

    Shapes: theta (p,), x (n, p), y (n,), batch (b,), the numbers of the samples, to (p,).
    Raises ``ValueError`` as :func:`linear_mse_gradient`, and for a batch that is empty or no list of numbers.
    Source: notes, section 1.2.4.

    >>> x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 1.0])
    >>> minibatch_gradient(torch.tensor([2.0]), x, y, torch.tensor([1]))
    tensor([12.])
    """
    if batch.ndim != 1 or len(batch) == 0 or batch.dtype != torch.int64:
        raise ValueError(f"batch must be int64 of shape (b,) with b >= 1, got {batch.dtype} of {tuple(batch.shape)}")
    return linear_mse_gradient(theta, x[batch], y[batch])


def minibatch_variance(gradients: Tensor, batch_size: int, replacement: bool = False) -> Tensor:
    r"""The variance of the mean of a uniformly drawn mini-batch, entry by entry.

    .. math:: \operatorname{Var} = \frac{\sigma^2}{b} \cdot \frac{n - b}{n - 1} \quad\text{without replacement},
              \qquad \frac{\sigma^2}{b} \quad\text{with}, \qquad
              \sigma^2 = \frac1n \sum_i (g_i - \bar g)^2

    Without replacement it is 0 for a batch of all samples.

    Shapes: gradients (n, \*), one for each sample, to (\*).
    Raises ``ValueError`` if batch_size is below 1, or above n without replacement.
    Source: Cochran (1977), section 2.5; notes, section 1.2.4 (which give no formula).

    >>> minibatch_variance(torch.tensor([1.0, 2.0, 3.0]), 2), minibatch_variance(torch.tensor([1.0, 3.0]), 2, True)
    (tensor(0.1667), tensor(0.5000))
    """
    n = len(gradients)
    if batch_size < 1 or n < 1 or (batch_size > n and not replacement):
        raise ValueError(f"batch_size must be at least 1, and at most n without replacement; got {batch_size}, n = {n}")
    wide = _at_least_float32(gradients)
    variance = (wide - wide.sum(0) / n).square().sum(0) / n / batch_size
    if not replacement and n > 1:
        variance = variance * (n - batch_size) / (n - 1)
    return variance.to(gradients.dtype)


def sgd_noise_floor(curvature: Tensor, noise: Tensor, lr: float) -> Tensor:
    r"""The mean square at which stochastic gradient descent with a fixed rate stalls on a quadratic.

    .. math:: \lim_{t \to \infty} E[\theta_t^2] = \frac{\gamma s^2}{\lambda (2 - \gamma \lambda)}, \qquad
              g_t = \lambda \theta_t + s\, \xi_t

    for independent :math:`\xi_t` of mean 0 and variance 1, and a rate :math:`0 < \gamma < 2 / \lambda`; for others
    there is no limit. Only a smaller rate brings it down. Exact gradients, s = 0, go to 0.

    Shapes: curvature and noise broadcast; the result is theirs, inf where the rate is 2 / curvature or above.
    Raises ``ValueError`` if lr is not above 0.
    Source: Bottou, Curtis and Nocedal (2018), theorem 4.6; notes, section 1.2.4 (implied).

    >>> sgd_noise_floor(torch.tensor(2.0), torch.tensor(1.0), 0.5)
    tensor(0.2500)
    """
    if not lr > 0:
        raise ValueError(f"lr must be positive, got {lr}")
    slope, spread = _at_least_float32(curvature), _at_least_float32(noise)
    stable = lr * slope < 2
    floor = lr * spread.square() / (slope * torch.where(stable, 2 - lr * slope, 1))
    return torch.where(stable, floor, torch.inf).to(noise.dtype)


class MiniBatches:
    r"""The samples of one epoch in batches: ``torch.utils.data.BatchSampler``, for any order of the samples.

    Every sample is in exactly one batch, so that an epoch costs n gradients of single samples, whatever the batch
    size. The last batch holds what is left; its mean stands for fewer samples, and the mean over the batches is
    the mean over the samples only if each is weighted with its size.

    Args:
        sampler: the numbers of the samples, such as ``range(n)`` or ``torch.randperm(n).tolist()``.
        batch_size: how many make a batch.
        drop_last: leave out a last batch that is not full.

    Raises ``ValueError`` if batch_size is below 1.
    Source: notes, section 1.2.4.

    >>> list(MiniBatches(range(5), 2)), len(MiniBatches(range(5), 2, drop_last=True))
    ([[0, 1], [2, 3], [4]], 2)
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for number in self.sampler:
            batch.append(number)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        full, left = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return full + bool(left and not self.drop_last)


def _check_samples(x: Tensor, y: Tensor) -> None:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        got = f"{tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(f"x and y must hold n >= 1 samples each, one a row; got {got}")
