"""Bugs in the functions of batch normalization: its backward pass, and its evaluation."""

import torch
from torch import Tensor

from planted import Planted

Three = tuple[Tensor, Tensor, Tensor]


def passed_back(grad: Tensor, x: Tensor, weight: Tensor, eps: float, **without: bool) -> Three:
    """The backward pass, without some of its parts."""
    away = x - x.mean(0)
    var = (away**2).sum(0) / (len(x) - 1 if without.get("bias") else len(x))
    root = (var + eps).sqrt()
    hat = away / root
    inner = grad
    if not without.get("mean"):
        inner = inner - grad.mean(0)
    if not without.get("variance"):
        inner = inner - hat * (grad * hat).mean(0)
    return inner * weight / root, (grad * hat).sum(0), grad.sum(0)


def no_mean_path(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    return passed_back(grad, x, weight, eps, mean=True)


def no_variance_path(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    return passed_back(grad, x, weight, eps, variance=True)


def no_path(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    return passed_back(grad, x, weight, eps, variance=True, mean=True)


def unbiased_back(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    return passed_back(grad, x, weight, eps, bias=True)


def no_weight(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    return passed_back(grad, x, torch.ones_like(weight), eps)


def weight_twice(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    """The gradient of the normalized values, g times the weight, is used for the weight, too."""
    dx, dweight, dbias = passed_back(grad, x, weight, eps)
    return dx, dweight * weight, dbias


def means_for_sums(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    dx, dweight, dbias = passed_back(grad, x, weight, eps)
    return dx, dweight / len(x), dbias / len(x)


def exchanged(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Three:
    dx, dweight, dbias = passed_back(grad, x, weight, eps)
    return dx, dbias, dweight


def evaluates(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return (x - mean) / (var + eps).sqrt() * weight + bias


def keras_epsilon(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return evaluates(x, mean, var, weight, bias, 1e-3)


def takes_deviation(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return evaluates(x, mean, var**2, weight, bias, 1e-5)


def folds_wrong(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    scale = weight / (var + 1e-5).sqrt()
    return x * scale + (bias - mean)


def folds_twice(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    scale = weight / (var + 1e-5).sqrt()
    return x * scale + (bias - mean * scale) * weight


def by_batch(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return evaluates(x, x.mean(0), x.var(0, unbiased=False), weight, bias, 1e-5)


BACK, EVALUATE = "normalization.batch_norm_backward", "normalization.batch_norm"

PLANTED = (
    Planted("no path through the mean", BACK, no_mean_path),
    Planted("no path through the variance", BACK, no_variance_path),
    Planted("no path through the statistics", BACK, no_path),
    Planted("unbiased variance", BACK, unbiased_back),
    Planted("weight left out", BACK, no_weight),
    Planted("weight in its own gradient", BACK, weight_twice),
    Planted("means in the place of sums", BACK, means_for_sums),
    Planted("gradients of weight and bias exchanged", BACK, exchanged),
    Planted("epsilon of Keras", EVALUATE, keras_epsilon),
    Planted("variance taken for a deviation", EVALUATE, takes_deviation),
    Planted("mean folded without the scale", EVALUATE, folds_wrong),
    Planted("weight folded twice", EVALUATE, folds_twice),
    Planted("evaluation by the batch", EVALUATE, by_batch),
)
