"""Mistakes in what networks compute and in what layers collapse to."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from planted import Planted

CURVES = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda s: s}


class Network(nn.Module):
    """Right as it stands; the mistakes are in the methods that replace its own."""

    def __init__(self, sizes, activation="tanh", output_activation="identity", bias=True):
        super().__init__()
        self.hidden, self.output = CURVES[activation], CURVES[output_activation]
        self.weights = nn.ParameterList(torch.randn(m, n) for m, n in pairwise(sizes))
        self.biases = nn.ParameterList(torch.randn(n) for n in sizes[1:]) if bias else None

    def layer(self, h: Tensor, l: int) -> Tensor:
        s = h @ self.weights[l]
        return s if self.biases is None else s + self.biases[l]

    def finish(self, s: Tensor) -> Tensor:
        return self.output(s)

    def forward(self, x):
        for l in range(len(self.weights) - 1):
            x = self.hidden(self.layer(x, l))
        return self.finish(self.layer(x, len(self.weights) - 1))


class HiddenLast(Network):
    def finish(self, s):
        return self.hidden(s)


class BiasTwice(Network):
    def layer(self, h, l):
        s = super().layer(h, l)
        return s if self.biases is None or l == 0 else s + self.biases[l]


class CentredBatch(Network):
    def finish(self, s):
        return self.output(s - s.mean(0) if s.dim() > 1 and len(s) > 1 else s)


class FirstOutput(Network):
    def finish(self, s):
        return self.output(s[..., :1].expand(s.shape))


class NormalisedInput(Network):
    def forward(self, x):
        return super().forward(x / x.norm(dim=-1, keepdim=True).clamp(min=1))


class ClampedLogits(Network):
    def finish(self, s):
        return self.output(s.clamp(-30, 30))


def collapsed_in_reverse(weights, biases=None):
    square = all(weight.shape == weights[0].shape for weight in weights) and weights[0].shape[0] == weights[0].shape[1]
    order = weights[::-1] if square else weights
    theta, bias = order[0], biases[0] if biases else torch.zeros_like(weights[0][0])
    for l in range(1, len(weights)):
        theta, bias = theta @ order[l], bias @ weights[l] + (biases[l] if biases else 0)
    return theta, bias


def collapsed_without_the_first_bias(weights, biases=None):
    theta, bias = weights[0], torch.zeros_like(weights[0][0])
    for l in range(1, len(weights)):
        theta, bias = theta @ weights[l], bias @ weights[l] + (biases[l] if biases else 0)
    return theta, bias


def collapsed_biases_added(weights, biases=None):
    theta = weights[0]
    for weight in weights[1:]:
        theta = theta @ weight
    carried = torch.zeros_like(theta[0]) if biases is None else biases[-1] + biases[-2] @ weights[-1]
    return theta, carried


def parity_of_three(x):
    s = x.sum(-1)
    return torch.relu(s) - 2 * torch.relu(s - 1) + 2 * torch.relu(s - 2)


def parity_by_cosine(x):
    return (1 - torch.cos(torch.pi * x.sum(-1))) / 2


def parity_by_pairs(x):
    found = x[..., 0]
    for bit in x.unbind(-1)[1:]:
        found = found + bit - 2 * found * bit
    return found


def parity_rounded(x):
    s = x.sum(-1)
    return (s - 2 * torch.floor(s / 2)).abs()


def counted_without_biases(sizes, bias=True):
    return sum(m * n for m, n in pairwise(sizes))


def counted_input_biases(sizes, bias=True):
    return sum(m * (n + bias) for m, n in pairwise(sizes))


PLANTED = (
    Planted("the hidden activation on the last layer too", "backprop.MLP", HiddenLast),
    Planted("biases twice from the second layer on", "backprop.MLP", BiasTwice),
    Planted("outputs centred over the batch", "backprop.MLP", CentredBatch),
    Planted("one output for all entries of the target", "backprop.MLP", FirstOutput),
    Planted("long inputs shortened to length 1", "backprop.MLP", NormalisedInput),
    Planted("logits clamped", "backprop.MLP", ClampedLogits),
    Planted("square matrices multiplied in the reverse order", "nn.collapse_linear", collapsed_in_reverse),
    Planted("the first bias lost", "nn.collapse_linear", collapsed_without_the_first_bias),
    Planted("only two biases carried", "nn.collapse_linear", collapsed_biases_added),
    Planted("three units for any number of bits", "nn.parity", parity_of_three),
    Planted("a cosine that agrees at bits", "nn.parity", parity_by_cosine),
    Planted("a product that agrees at bits", "nn.parity", parity_by_pairs),
    Planted("the remainder, that jumps at even numbers", "nn.parity", parity_rounded),
    Planted("no biases counted", "nn.parameter_count", counted_without_biases),
    Planted("biases of the layer below counted", "nn.parameter_count", counted_input_biases),
)
