"""Activations in other forms, none of which cancels or overflows on the way."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from right import Right


def down(x: Tensor) -> Tensor:
    """-|x|, whose derivative at 0 is that of a branch, and not 0."""
    return torch.where(x >= 0, -x, x)


def by_exponential(x: Tensor) -> Tensor:
    e = down(x).exp()
    return torch.where(x >= 0, 1, e) / (1 + e)


def tanh_by_expm1(x: Tensor) -> Tensor:
    e = torch.expm1(2 * down(x))
    return torch.where(x >= 0, -e, e) / (2 + e)


def sigmoid_slope(x: Tensor) -> Tensor:
    e = down(x).exp()
    return e / ((1 + e) * (1 + e))


def tanh_slope(x: Tensor) -> Tensor:
    e = (2 * down(x)).exp()
    return 4 * e / ((1 + e) * (1 + e))


def softplus_by_logaddexp(x: Tensor) -> Tensor:
    return torch.logaddexp(x, torch.zeros_like(x))


def softplus_in_halves(x: Tensor) -> Tensor:
    """max(x, 0) + log1p(exp(-|x|))."""
    return torch.where(x >= 0, x, 0) + down(x).exp().log1p()


class Functional(nn.Module):
    """A module around a function of its input."""

    function = None

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input)


class SigmoidByExponential(Functional):
    function = by_exponential


class TanhByExpm1(Functional):
    function = tanh_by_expm1


class SiLUByProduct(Functional):
    function = staticmethod(lambda x: x * torch.sigmoid(x))


class SiLUByExponential(Functional):
    function = staticmethod(lambda x: x * by_exponential(x))


class ReLUByMask(Functional):
    function = staticmethod(lambda x: x * (x > 0))


class ReLUByMaximum(Functional):
    function = staticmethod(lambda x: torch.maximum(x, torch.zeros_like(x)))


class GELUByErfc(nn.Module):
    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        if self.approximate == "tanh":
            wide = x.double()  # float16 has no cube of 64, float32 none of 1e13
            return (wide * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))).to(x.dtype)
        return x * (torch.erfc(-x * math.sqrt(0.5)) / 2)


class ELUInParts(nn.Module):
    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        below = torch.where(x > 0, 0, x)  # torch's derivative of expm1 is expm1 + 1, which has no digits far below 0
        less = torch.where(below < -1, below.exp() - 1, torch.expm1(torch.where(below < -1, 0, below)))
        return torch.where(x > 0, x, self.alpha * less)


class LeakyByFactor(nn.Module):
    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.where(x > 0, torch.ones_like(x), self.negative_slope)


class MaxoutByEinsum(nn.Module):
    """One map for all pieces, pieces last."""

    def __init__(self, d_in: int, d_out: int, pieces: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(pieces, d_out, d_in))
        self.bias = nn.Parameter(torch.empty(pieces, d_out))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.einsum("poi,...i->...op", self.weight, x) + self.bias.mT).max(-1).values


class SoftplusFromLogaddexp(nn.Module):
    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Tensor) -> Tensor:
        scaled = self.beta * x
        return torch.where(scaled > self.threshold, x, softplus_by_logaddexp(scaled) / self.beta)


RIGHT = (
    Right("exponentials of what is not positive", "1/(1+e) or e/(1+e)", "activations.Sigmoid", SigmoidByExponential),
    Right("expm1", "(1 - e)/(1 + e), without 1 - e", "activations.Tanh", TanhByExpm1),
    Right("torch's", "the library's", "activations.Tanh", nn.Tanh),
    Right("torch's", "the library's", "activations.SiLU", nn.SiLU),
    Right("a product", "the definition", "activations.SiLU", SiLUByProduct),
    Right(
        "a product with exponentials",
        "the definition, the factor by exponentials",
        "activations.SiLU",
        SiLUByExponential,
    ),
    Right("a mask", "x times whether it is positive", "activations.ReLU", ReLUByMask),
    Right("a maximum", "the definition", "activations.ReLU", ReLUByMaximum),
    Right(
        "erfc, and a sigmoid for the tanh",
        "(1 + erf)/2 = erfc(-)/2, (1 + tanh z)/2 = σ(2z)",
        "activations.GELU",
        GELUByErfc,
    ),
    Right("expm1 in parts", "the definition", "activations.ELU", ELUInParts),
    Right("a factor", "1 or the slope", "activations.LeakyReLU", LeakyByFactor),
    Right("einsum", "the same sums, the greatest over the last axis", "activations.Maxout", MaxoutByEinsum),
    Right("logaddexp", "log(e^x + e^0)", "activations.softplus", softplus_by_logaddexp),
    Right("max and log1p", "log(1 + e^x) = max(x, 0) + log1p(e^-|x|)", "activations.softplus", softplus_in_halves),
    Right("logaddexp", "log(e^bx + e^0)/b", "activations.Softplus", SoftplusFromLogaddexp),
    Right("one exponential", "e/(1 + e)²", "activations.sigmoid_grad", sigmoid_slope),
    Right("one exponential", "4e/(1 + e)²", "activations.tanh_grad", tanh_slope),
    Right("F.silu's sigmoid", "the library's", "activations.sigmoid", F.sigmoid),
)
