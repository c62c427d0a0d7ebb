"""Mistakes in networks, in backward passes written out, and in the error and the step around them."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from planted import Planted

CURVES = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": F.relu, "identity": lambda s: s}
SLOPES = {
    "tanh": lambda s: 1 - torch.tanh(s) ** 2,
    "sigmoid": lambda s: torch.sigmoid(s) * (1 - torch.sigmoid(s)),
    "relu": lambda s: (s > 0).to(s.dtype),
    "identity": torch.ones_like,
}
Layers = list[Tensor]


class Pass:
    """A right forward and backward pass, of which each bug below replaces one part."""

    def __init__(self, hidden: str, output: str) -> None:
        self.hidden, self.output = hidden, output

    def __call__(self, x: Tensor, y: Tensor, weights: Layers, biases: Layers | None) -> tuple[Any, ...]:
        s, h = self.forward(x, weights, biases)
        deltas = [self.last(y, s, h, biases)]
        for l in range(len(weights) - 1, 0, -1):
            deltas.insert(0, self.slope(l, s, h) * self.back(deltas[0], weights[l]))
        by_weights = [self.by_weight(h[l], deltas[l]) for l in range(len(weights))]
        by_biases = [self.by_bias(delta, s[l]) for l, delta in enumerate(deltas)] if biases else []
        return by_weights, by_biases, self.by_input(deltas[0], weights[0]), deltas

    def forward(self, x: Tensor, weights: Layers, biases: Layers | None) -> tuple[Layers, Layers]:
        s: Layers = []
        h = [x]
        for l, weight in enumerate(weights):
            s.append(h[l] @ weight + biases[l] if biases else h[l] @ weight)
            h.append(self.activated(s[l], l == len(weights) - 1))
        return s, h

    def activated(self, s: Tensor, last: bool) -> Tensor:
        return CURVES[self.output if last else self.hidden](s)

    def last(self, y: Tensor, s: Layers, h: Layers, biases: Layers | None) -> Tensor:
        return (h[-1] - y) * SLOPES[self.output](s[-1])

    def slope(self, l: int, s: Layers, h: Layers) -> Tensor:
        return SLOPES[self.hidden](s[l - 1])

    def back(self, delta: Tensor, weight: Tensor) -> Tensor:
        return delta @ weight.mT

    def by_weight(self, h: Tensor, delta: Tensor) -> Tensor:
        return torch.einsum("...i,...j->ij", h, delta)

    def by_bias(self, delta: Tensor, s: Tensor) -> Tensor:
        return torch.einsum("...j->j", delta)

    def by_input(self, delta: Tensor, weight: Tensor) -> Tensor:
        return delta @ weight.mT


class Reshaped(Pass):
    def back(self, delta, weight):
        return delta @ weight.reshape(weight.shape[::-1])


class SlopeAtActivation(Pass):
    def slope(self, l, s, h):
        return SLOPES[self.hidden](h[l])


class WithoutSlope(Pass):
    def slope(self, l, s, h):
        return torch.ones_like(s[l - 1])


class SlopeNextToOutputOnly(Pass):
    def slope(self, l, s, h):
        return SLOPES[self.hidden](s[l - 1]) if l == len(s) - 1 else torch.ones_like(s[l - 1])


class ReluSlopeOne(Pass):
    def slope(self, l, s, h):
        return (s[l - 1] != 0).to(s[0].dtype) if self.hidden == "relu" else SLOPES[self.hidden](s[l - 1])


class TanhSlopeOfInput(Pass):
    def slope(self, l, s, h):
        return 1 - s[l - 1] ** 2 if self.hidden == "tanh" else SLOPES[self.hidden](s[l - 1])


class SlopeOfOutputActivation(Pass):
    def slope(self, l, s, h):
        return SLOPES[self.output](s[l - 1])


class SlopeCut(Pass):
    def slope(self, l, s, h):
        return torch.where(s[l - 1].abs() > 6, 0.0, SLOPES[self.hidden](s[l - 1]))


class PrintedSign(Pass):
    def last(self, y, s, h, biases):
        return (y - h[-1]) * SLOPES[self.output](s[-1])


class WithoutHalf(Pass):
    def last(self, y, s, h, biases):
        return 2 * (h[-1] - y) * SLOPES[self.output](s[-1])


class WithoutLastSlope(Pass):
    def last(self, y, s, h, biases):
        return h[-1] - y


class WithoutLastSlopeUnlessBiased(Pass):
    def last(self, y, s, h, biases):
        return (h[-1] - y) * (SLOPES[self.output](s[-1]) if biases else 1)


class MeanOverSamples(Pass):
    def by_weight(self, h, delta):
        return torch.einsum("...i,...j->ij", h, delta) / (delta.numel() // delta.shape[-1])


class OuterProductReshaped(Pass):
    def by_weight(self, h, delta):
        return torch.einsum("...i,...j->ji", h, delta).reshape(h.shape[-1], delta.shape[-1])


class BiasWithoutDelta(Pass):
    def by_bias(self, delta, s):
        return torch.einsum("...j->j", SLOPES[self.hidden](s))


class BiasOfLastSample(Pass):
    def by_bias(self, delta, s):
        return delta[-1] if delta.dim() > 1 else delta


class InputReshaped(Pass):
    def by_input(self, delta, weight):
        return delta @ weight.reshape(weight.shape[::-1])


def backward(kind: type[Pass]) -> Any:
    """A backward pass as the claims call it."""

    def call(x, y, weights, biases=None, activation="tanh", output_activation="identity"):
        return kind(activation, output_activation)(x, y, weights, biases)

    return call


class BiasAfterActivation(Pass):
    def forward(self, x, weights, biases):
        s, h = super().forward(x, weights, None)
        return s, [h[0], *(a + b for a, b in zip(h[1:], biases, strict=True))] if biases else h


class LastBiasForgotten(Pass):
    def forward(self, x, weights, biases):
        return super().forward(x, weights, biases and [*biases[:-1], torch.zeros_like(biases[-1])])


class ActivatedThroughout(Pass):
    def activated(self, s, last):
        return CURVES[self.hidden](s)


def forward(kind: type[Pass]) -> Any:
    """A forward pass as the claims call it."""

    def call(x, weights, biases=None, activation="tanh", output_activation="identity"):
        return kind(activation, output_activation).forward(x, weights, biases)

    return call


def keeps_pre_activations(x, weights, biases=None, activation="tanh", output_activation="identity"):
    s, h = Pass(activation, output_activation).forward(x, weights, biases)
    return s, [x, *s[:-1], h[-1]]


# ---------------------------------------------------------------- the step


def updated_layer_by_layer(x, y, weights, biases, lr, activation="tanh", output_activation="identity"):
    made = Pass(activation, output_activation)
    s, h = made.forward(x, weights, biases)
    delta = made.last(y, s, h, biases)
    new, shifted = list(weights), list(biases or [])
    for l in range(len(weights) - 1, -1, -1):
        new[l] = new[l] - lr * made.by_weight(h[l], delta)
        if biases:
            shifted[l] = shifted[l] - lr * made.by_bias(delta, s[l])
        if l:
            delta = made.slope(l, s, h) * made.back(delta, new[l])
    return new, shifted


def uphill(x, y, weights, biases, lr, activation="tanh", output_activation="identity"):
    by_weights, by_biases, *_ = Pass(activation, output_activation)(x, y, weights, biases)
    moved = [w + lr * g for w, g in zip(weights, by_weights, strict=True)]
    return moved, [b + lr * g for b, g in zip(biases or [], by_biases, strict=True)]


def first_layer_kept(x, y, weights, biases, lr, activation="tanh", output_activation="identity"):
    by_weights, by_biases, *_ = Pass(activation, output_activation)(x, y, weights, biases)
    moved = [w - lr * g for w, g in zip(weights[1:], by_weights[1:], strict=True)]
    return [weights[0], *moved], [b - lr * g for b, g in zip(biases or [], by_biases, strict=True)]


def in_place(x, y, weights, biases, lr, activation="tanh", output_activation="identity"):
    by_weights, by_biases, *_ = Pass(activation, output_activation)(x, y, weights, biases)
    for parameter, gradient in zip([*weights, *(biases or [])], [*by_weights, *by_biases], strict=True):
        parameter.sub_(lr * gradient)
    return weights, biases or []


# ---------------------------------------------------------------- the error


def averaged_over_outputs(prediction, target, reduction="none"):
    loss = 0.5 * (target - prediction).square().mean(-1)
    return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[reduction]


def without_half(prediction, target, reduction="none"):
    loss = (target - prediction).square().sum(-1)
    return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[reduction]


def mean_of_everything(prediction, target, reduction="none"):
    if reduction == "mean":
        return 0.5 * F.mse_loss(prediction, target)
    loss = 0.5 * (target - prediction).square().sum(-1)
    return loss.sum() if reduction == "sum" else loss


def huber_far_out(prediction, target, reduction="none"):
    gap = (target - prediction).abs()
    loss = torch.where(gap < 100, 0.5 * gap * gap, 100 * (gap - 50)).sum(-1)
    return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[reduction]


def prediction_detached(prediction, target, reduction="none"):
    loss = 0.5 * (target - prediction.detach()).square().sum(-1)
    return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[reduction]


# ---------------------------------------------------------------- the module


class Network(nn.Module):
    """A right network of ``nn.Linear`` layers, of which each bug below replaces one part."""

    def __init__(self, sizes, activation="tanh", output_activation="identity", bias=True):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n, bias) for m, n in pairwise(sizes))
        self.hidden, self.output = activation, output_activation

    def forward(self, x: Tensor) -> Tensor:
        for l, layer in enumerate(self.layers):
            x = self.layer(l, layer, x)
        return x

    def layer(self, l: int, layer: nn.Module, x: Tensor) -> Tensor:
        return CURVES[self.output if l == len(self.layers) - 1 else self.hidden](layer(x))


class LastActivationIgnored(Network):
    def layer(self, l, layer, x):
        return layer(x) if l == len(self.layers) - 1 else CURVES[self.hidden](layer(x))


class InputActivated(Network):
    def forward(self, x):
        return super().forward(CURVES[self.hidden](x))


class OneActivationMissing(Network):
    def layer(self, l, layer, x):
        return layer(x) if 0 < l < len(self.layers) - 1 else super().layer(l, layer, x)


class ResidualWhereItFits(Network):
    def layer(self, l, layer, x):
        made = super().layer(l, layer, x)
        return x + made if made.shape == x.shape and 0 < l < len(self.layers) - 1 else made


class Truncated(Network):
    def layer(self, l, layer, x):
        return super().layer(l, layer, x.detach() if l == len(self.layers) - 1 and l > 1 else x)


class StraightThrough(Network):
    def layer(self, l, layer, x):
        made, s = super().layer(l, layer, x), layer(x)
        curve = self.output if l == len(self.layers) - 1 else self.hidden
        return s + (made - s).detach() if curve == "relu" else made


class ClampedPreActivations(Network):
    def layer(self, l, layer, x):
        return CURVES[self.output if l == len(self.layers) - 1 else self.hidden](layer(x).clamp(-30, 30))


PLANTED = (
    Planted("the weights are reshaped in the place of transposed", "backprop.backward", backward(Reshaped)),
    Planted("the slope is taken at the activation", "backprop.backward", backward(SlopeAtActivation)),
    Planted("the slope is left out", "backprop.backward", backward(WithoutSlope)),
    Planted("the slope is left out from the third layer on", "backprop.backward", backward(SlopeNextToOutputOnly)),
    Planted("the slope of relu is 1 at negative numbers", "backprop.backward", backward(ReluSlopeOne)),
    Planted("the slope of tanh is 1 - s^2", "backprop.backward", backward(TanhSlopeOfInput)),
    Planted("hidden layers take the output's slope", "backprop.backward", backward(SlopeOfOutputActivation)),
    Planted("the slope is cut to 0 beyond |s| = 6", "backprop.backward", backward(SlopeCut)),
    Planted("the last delta has the printed sign", "backprop.backward", backward(PrintedSign)),
    Planted("the error has no half", "backprop.backward", backward(WithoutHalf)),
    Planted("the last slope is left out", "backprop.backward", backward(WithoutLastSlope)),
    Planted("the last slope is left out without biases", "backprop.backward", backward(WithoutLastSlopeUnlessBiased)),
    Planted("gradients by weights are means over the samples", "backprop.backward", backward(MeanOverSamples)),
    Planted("the outer product is reshaped", "backprop.backward", backward(OuterProductReshaped)),
    Planted("gradients by biases lack the delta", "backprop.backward", backward(BiasWithoutDelta)),
    Planted("gradients by biases are those of the last sample", "backprop.backward", backward(BiasOfLastSample)),
    Planted("the gradient by the input is reshaped", "backprop.backward", backward(InputReshaped)),
    Planted("the bias is added after the activation", "backprop.forward_trace", forward(BiasAfterActivation)),
    Planted("the last bias is left out", "backprop.forward_trace", forward(LastBiasForgotten)),
    Planted("the last layer has the hidden activation", "backprop.forward_trace", forward(ActivatedThroughout)),
    Planted("pre-activations are kept for activations", "backprop.forward_trace", keeps_pre_activations),
    Planted("weights are updated on the way back", "backprop.gradient_step", updated_layer_by_layer),
    Planted("the step goes uphill", "backprop.gradient_step", uphill),
    Planted("the first layer is not updated", "backprop.gradient_step", first_layer_kept),
    Planted("the step changes what it was given", "backprop.gradient_step", in_place),
    Planted("the error is a mean over the outputs", "backprop.half_squared_error", averaged_over_outputs),
    Planted("the half is left out", "backprop.half_squared_error", without_half),
    Planted("the mean divides by the outputs too", "backprop.half_squared_error", mean_of_everything),
    Planted("beyond 100 the error grows linearly", "backprop.half_squared_error", huber_far_out),
    Planted("the prediction is detached", "backprop.half_squared_error", prediction_detached),
    Planted("the last activation is ignored", "backprop.MLP", LastActivationIgnored),
    Planted("the input is activated", "backprop.MLP", InputActivated),
    Planted("from three layers on an activation is missing", "backprop.MLP", OneActivationMissing),
    Planted("a residual is added where the widths agree", "backprop.MLP", ResidualWhereItFits),
    Planted("from three layers on the gradient is cut", "backprop.MLP", Truncated),
    Planted("relu passes the gradient straight through", "backprop.MLP", StraightThrough),
    Planted("pre-activations are clamped to 30", "backprop.MLP", ClampedPreActivations),
)
