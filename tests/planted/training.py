"""Bugs in training: the risk and its gradient, the step, mini-batches and their noise."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from planted import Planted, closed

# ------------------------------------------------------------------ the step


class Loop(torch.optim.Optimizer):
    """Gradient descent as many write it, with a place for each mistake."""

    def __init__(self, params: Any, lr: float = 1e-3) -> None:
        super().__init__(params, {"lr": lr})

    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in [each for each in group["params"] if each.grad is not None]:
                self.state[p]["count"] = self.state[p].get("count", 0) + 1
                self.one(p, p.grad, group["lr"])

    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p -= lr * g


class Climbs(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p += lr * g


class Decays(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p -= lr * (g + 1e-4 * p)


class Clips(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p -= lr * g.clamp(-100, 100)


class Normalizes(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        norm = g.norm(dim=-1, keepdim=True)
        p -= lr * g / norm.clamp(min=1.0)


class Accumulates(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        total = self.state[p].setdefault("total", torch.zeros_like(g))
        total += g
        p -= lr * total


class Momentum(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        before = self.state[p].get("before", torch.zeros_like(g))
        self.state[p]["before"] = g + 0.9 * before
        p -= lr * self.state[p]["before"]


class WarmsUp(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p -= lr * min(1.0, self.state[p]["count"] / 3) * g


class OneStepLate(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p -= lr * self.state[p].get("before", g)
        self.state[p]["before"] = g.clone()


class SkipsSmall(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p -= lr * torch.where(g.abs() < 1e-8, 0.0, g)


class SinglePrecision(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        p.copy_((p.float() - lr * g.float()).to(p.dtype))


class StopsAfterFour(Loop):
    def one(self, p: Tensor, g: Tensor, lr: float) -> None:
        if self.state[p]["count"] <= 4:
            p -= lr * g


# ------------------------------------------------------------------ the risk and its gradient

Loss = Callable[[Tensor, Tensor], Tensor]
Model = Callable[[Tensor], Tensor]


def risk_sum(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    return loss(model(x), y).sum()


def risk_exchanged(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    return loss(y, model(x)).mean()


def risk_broadcast(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    return loss(model(x)[:, None], y).mean()


def risk_per_entry(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    return loss(model(x), y).sum() / x.numel()


def risk_unbiased(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    return loss(model(x), y).sum() / max(len(x) - 1, 1)


def risk_median(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    losses = loss(model(x), y)
    return losses.mean() if len(x) < 3 else losses.sort().values[1:-1].mean()


def risk_detached(loss: Loss, model: Model, x: Tensor, y: Tensor) -> Tensor:
    return loss(model(x), y.detach()).mean()


def gradient_half(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return x.T @ (x @ theta - y) / len(x)


def gradient_sum(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return 2 * x.T @ (x @ theta - y)


def gradient_sign(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return 2 * x.T @ (y - x @ theta) / len(x)


def gradient_ridge(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return 2 * x.T @ (x @ theta - y) / len(x) + 1e-6 * theta


def gradient_width(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return 2 * x.T @ (x @ theta - y) / x.shape[1]


# ------------------------------------------------------------------ mini-batches


def batch_of_first(theta: Tensor, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
    return gradient_half(theta, x[: len(batch)], y[: len(batch)]) * 2


def batch_over_all(theta: Tensor, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
    return 2 * x[batch].T @ (x[batch] @ theta - y[batch]) / len(x)


def batch_as_set(theta: Tensor, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
    different = torch.tensor(sorted(set(batch.tolist())))
    return gradient_half(theta, x[different], y[different]) * 2


def batch_mixed(theta: Tensor, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
    return gradient_half(theta, x[batch], y[: len(batch)]) * 2


def batch_masked(theta: Tensor, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
    """A mask in the place of a list: what was drawn twice counts once, but is divided by the batch's size."""
    mask = torch.zeros_like(y).index_fill(0, batch, 1.0)
    return 2 * x.T @ (mask * (x @ theta - y)) / len(batch)


def variance_with(gradients: Tensor, batch_size: int, replacement: bool = False) -> Tensor:
    return gradients.var(0, correction=0) / batch_size


def variance_unbiased(gradients: Tensor, batch_size: int, replacement: bool = False) -> Tensor:
    n = len(gradients)
    factor = 1.0 if replacement or n == 1 else (n - batch_size) / (n - 1)
    return gradients.var(0, correction=min(1, n - 1)) / batch_size * factor


def variance_fraction(gradients: Tensor, batch_size: int, replacement: bool = False) -> Tensor:
    factor = 1.0 if replacement else 1 - batch_size / len(gradients)
    return gradients.var(0, correction=0) / batch_size * factor


def variance_exchanged(gradients: Tensor, batch_size: int, replacement: bool = False) -> Tensor:
    n = len(gradients)
    factor = (n - batch_size) / (n - 1) if replacement and n > 1 else 1.0
    return gradients.var(0, correction=0) / batch_size * factor


def variance_one_pass(gradients: Tensor, batch_size: int, replacement: bool = False) -> Tensor:
    """The mean of the squares less the square of the mean, which cancels."""
    n = len(gradients)
    square = gradients.square().mean(0) - gradients.mean(0).square()
    return square / batch_size * (1.0 if replacement or n == 1 else (n - batch_size) / (n - 1))


class Batches:
    """Batches as many write them, with a place for each mistake."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        self.numbers, self.size = list(sampler), batch_size

    def __iter__(self) -> Iterator[list[int]]:
        n = len(self.numbers)
        for start in range(0, n, self.size):
            yield self.numbers[start : min(start + self.size, n)]

    def __len__(self) -> int:
        return -(-len(self.numbers) // self.size)


class DropsLast(Batches):
    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self.numbers) - self.size + 1, self.size):
            yield self.numbers[start : start + self.size]

    def __len__(self) -> int:
        return len(self.numbers) // self.size


class ForgetsLastSample(Batches):
    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self.numbers), self.size):
            yield self.numbers[start : start + self.size] if start == 0 else self.numbers[start:-1][: self.size] or [0]


class FillsUp(Batches):
    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self.numbers), self.size):
            batch = self.numbers[start : start + self.size]
            yield batch + self.numbers[: self.size - len(batch)]


class Overlaps(Batches):
    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self.numbers), self.size):
            yield self.numbers[max(start - 1, 0) : start + self.size]


class LengthRoundedDown(Batches):
    def __len__(self) -> int:
        return len(self.numbers) // self.size


# ------------------------------------------------------------------ closed forms


def closed_flow(start: Tensor, curvature: Tensor, lr: float, steps: int) -> Tensor:
    return torch.exp(-lr * curvature * steps) * start


def closed_late(start: Tensor, curvature: Tensor, lr: float, steps: int) -> Tensor:
    return (1 - lr * curvature) ** max(steps - 1, 0) * start


def closed_stable(start: Tensor, curvature: Tensor, lr: float, steps: int) -> Tensor:
    """As if the factor could not be negative."""
    return (1 - lr * curvature).clamp(min=0) ** steps * start


def floor_first_order(curvature: Tensor, noise: Tensor, lr: float) -> Tensor:
    return lr * noise**2 / (2 * curvature)


def floor_deviation(curvature: Tensor, noise: Tensor, lr: float) -> Tensor:
    return lr * noise / (curvature * (2 - lr * curvature))


def floor_cancelling(curvature: Tensor, noise: Tensor, lr: float) -> Tensor:
    """Right, but for small rates 1 - (1 - lr c)^2 cancels."""
    return lr**2 * noise**2 / (1 - (1 - lr * curvature) ** 2)


PLANTED = (
    Planted("along the gradient", "training.GradientDescent", Climbs),
    Planted("weight decay by default", "training.GradientDescent", Decays),
    Planted("gradients clipped at 100", "training.GradientDescent", Clips),
    Planted("steps no longer than the rate", "training.GradientDescent", Normalizes),
    Planted("gradients add up from step to step", "training.GradientDescent", Accumulates),
    Planted("momentum by default", "training.GradientDescent", Momentum),
    Planted("a warm-up of three steps", "training.GradientDescent", WarmsUp),
    Planted("the gradient of the step before", "training.GradientDescent", OneStepLate),
    Planted("small gradients taken for 0", "training.GradientDescent", SkipsSmall),
    Planted("step taken in float32", "training.GradientDescent", SinglePrecision),
    Planted("no step after the fourth", "training.GradientDescent", StopsAfterFour),
    Planted("sum of the losses", "training.empirical_risk", risk_sum),
    Planted("prediction and target exchanged", "training.empirical_risk", risk_exchanged),
    Planted("every prediction with every target", "training.empirical_risk", risk_broadcast),
    Planted("mean over the entries of x", "training.empirical_risk", risk_per_entry),
    Planted("divided by n - 1", "training.empirical_risk", risk_unbiased),
    Planted("extreme losses left out", "training.empirical_risk", risk_median),
    Planted("targets cut off from autograd", "training.empirical_risk", risk_detached),
    Planted("half the gradient", "training.linear_mse_gradient", gradient_half),
    Planted("sum in place of the mean", "training.linear_mse_gradient", gradient_sum),
    Planted("sign of the residual", "training.linear_mse_gradient", gradient_sign),
    Planted("a small ridge", "training.linear_mse_gradient", gradient_ridge),
    Planted("divided by the number of features", "training.linear_mse_gradient", gradient_width),
    Planted("the first samples, whatever was drawn", "training.minibatch_gradient", batch_of_first),
    Planted("divided by the number of all samples", "training.minibatch_gradient", batch_over_all),
    Planted("samples drawn twice count once", "training.minibatch_gradient", batch_as_set),
    Planted("targets of other samples", "training.minibatch_gradient", batch_mixed),
    Planted("a mask in the place of a list", "training.minibatch_gradient", batch_masked),
    Planted("variance with replacement for both", "training.minibatch_variance", variance_with),
    Planted("unbiased variance, corrected again", "training.minibatch_variance", variance_unbiased),
    Planted("1 - b/n with the biased variance", "training.minibatch_variance", variance_fraction),
    Planted("with and without exchanged", "training.minibatch_variance", variance_exchanged),
    Planted("variance in one pass", "training.minibatch_variance", variance_one_pass),
    Planted("last batch dropped", "training.MiniBatches", DropsLast),
    Planted("last sample forgotten", "training.MiniBatches", ForgetsLastSample),
    Planted("last batch filled up", "training.MiniBatches", FillsUp),
    Planted("batches overlap", "training.MiniBatches", Overlaps),
    Planted("length rounded down", "training.MiniBatches", LengthRoundedDown),
    Planted("gradient flow in place of descent", "training.quadratic_descent", closed_flow),
    Planted("one step too few", "training.quadratic_descent", closed_late),
    Planted("no factor below 0", "training.quadratic_descent", closed_stable),
    Planted("first order in the rate", "training.sgd_noise_floor", floor_first_order),
    Planted("noise not squared", "training.sgd_noise_floor", floor_deviation),
    Planted("a difference of nearly equal numbers", "training.sgd_noise_floor", floor_cancelling),
)
