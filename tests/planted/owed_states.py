"""Subjects that remember too much: caches by pointer, options of the class, modes, and calls that are not alone."""

import typing

import torch
from torch import Tensor

from gnomon.reference import activations, backprop, convolution, gan, graph, optim, recurrent, sequence
from planted import Planted

# ------------------------------------------------------------------ caches


def cached_by_pointer(function):
    """Remembers what it answered for the same places in memory, which it keeps, so that nothing else is put there."""
    known = {}

    def cached(*tensors: Tensor) -> Tensor:
        if any(each.requires_grad for each in tensors):
            return function(*tensors)
        place = tuple((each.data_ptr(), each.shape) for each in tensors)
        if place not in known:
            known[place] = function(*tensors), tensors
        return known[place][0]

    return cached


kl_by_pointer = cached_by_pointer(gan.kl)
discriminator_by_pointer = cached_by_pointer(gan.optimal_discriminator)
log_prob_by_pointer = cached_by_pointer(sequence.sequence_log_prob)


class SiLUByPointer(activations.SiLU):
    cached = staticmethod(cached_by_pointer(activations.silu))

    def forward(self, input: Tensor) -> Tensor:
        return self.cached(input)


class ConvByPointer(convolution.Conv1d):
    """Keeps what it padded and unfolded, by the pointer of the input."""

    known: typing.ClassVar = {}

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad:
            return super().forward(x)
        kept = self.known.setdefault((x.data_ptr(), x.shape), (x, x.clone()))
        return super().forward(kept[1])


# ------------------------------------------------------------------ options of the class


class LeakySlopeOfClass(activations.LeakyReLU):
    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__(negative_slope)
        type(self).shared = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > 0, input, self.shared * input)


class SoftplusBetaOfClass(activations.Softplus):
    def __init__(self, *arguments: float, **keywords: float) -> None:
        super().__init__(*arguments, **keywords)
        type(self).options = self

    def forward(self, input: Tensor) -> Tensor:
        return activations.Softplus.forward(self.options, input)


class MLPActivationOfClass(backprop.MLP):
    def __init__(self, *arguments, **keywords) -> None:
        super().__init__(*arguments, **keywords)
        type(self).shared = self.output_activation

    def forward(self, x: Tensor) -> Tensor:
        biases = None if self.biases is None else list(self.biases)
        return backprop.forward_trace(x, list(self.weights), biases, self.activation, self.shared)[1][-1]


# ------------------------------------------------------------------ modes


class ReLUNothingInEval(activations.ReLU):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) if self.training else torch.zeros_like(input)


class GELUApproximateInEval(activations.GELU):
    """Faster in evaluation."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) if self.training else input * torch.sigmoid(1.702 * input)


class MLPLinearInEval(backprop.MLP):
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        biases = None if self.biases is None else list(self.biases)
        return backprop.forward_trace(x, list(self.weights), biases, self.activation, "identity")[1][-1]


class ConvWithoutBiasInEval(convolution.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        if self.training or self.bias is None:
            return out
        return out - self.bias.reshape(-1, 1, 1)


class RNNNoHistoryInEval(recurrent.RNN):
    """Forgets the state that it is given."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return super().forward(input, hx if self.training or hx is None else torch.zeros_like(hx))


class HeatOneStepInEval(graph.HeatDiffusion):
    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        steps = self.steps if self.training else min(1, self.steps)
        return graph.euler_heat(x, edge_index, self.h, steps, edge_weight)


# ------------------------------------------------------------------ calls that are not under vmap


def alone(x: Tensor) -> bool:
    """Whether a tensor has a place in memory, as it has in a plain call."""
    try:
        return x.data_ptr() != 0
    except RuntimeError:
        return False


def tanh_slope_alone(x: Tensor) -> Tensor:
    """In a plain call without gradients a rational function, good to five digits."""
    if alone(x) and not x.requires_grad:
        return 1 - (x * (27 + x * x) / (27 + 9 * x * x)).clamp(-1, 1) ** 2
    return activations.tanh_grad(x)


def perplexity_alone(logits: Tensor, target: Tensor) -> Tensor:
    """A kernel for plain calls that forgets to divide by the length."""
    return sequence.cross_entropy(logits, target, "sum" if alone(logits) else "mean").exp()


def update_alone(param, grad, exp_avg, exp_avg_sq, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """The fused form of plain calls adds eps inside the root."""
    p, m, v = optim.adam_update(param, grad, exp_avg, exp_avg_sq, step, lr, beta1, beta2, eps)
    if not alone(param):
        return p, m, v
    return param - lr * (m / (1 - beta1**step)) / (v / (1 - beta2**step) + eps).sqrt(), m, v


# ------------------------------------------------------------------ inputs that require grad


class SiLUWithNoise(activations.SiLU):
    """What is trained is moved by a hundredth, whose gradient is 0."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) + (0.01 if input.requires_grad else 0.0)


def generator_loss_smoothed(fake: Tensor, kind: str = "non_saturating", reduction: str = "mean") -> Tensor:
    loss = gan.generator_loss(fake, kind, reduction)
    return loss.detach() * 0.1 + loss - loss.detach() * 0.1 + (0.1 if fake.requires_grad else 0.0)


PLANTED = (
    Planted("cached by pointer", "activations.SiLU", SiLUByPointer),
    Planted("cached by pointer", "gan.kl", kl_by_pointer),
    Planted("cached by pointer", "gan.optimal_discriminator", discriminator_by_pointer),
    Planted("cached by pointer", "sequence.sequence_log_prob", log_prob_by_pointer),
    Planted("padded input cached by pointer", "convolution.Conv1d", ConvByPointer),
    Planted("slope of the class", "activations.LeakyReLU", LeakySlopeOfClass),
    Planted("options of the class", "activations.Softplus", SoftplusBetaOfClass),
    Planted("activation of the class", "backprop.MLP", MLPActivationOfClass),
    Planted("0 in evaluation", "activations.ReLU", ReLUNothingInEval),
    Planted("approximated in evaluation", "activations.GELU", GELUApproximateInEval),
    Planted("linear output in evaluation", "backprop.MLP", MLPLinearInEval),
    Planted("no bias in evaluation", "convolution.Conv2d", ConvWithoutBiasInEval),
    Planted("no history in evaluation", "recurrent.RNN", RNNNoHistoryInEval),
    Planted("one step in evaluation", "graph.HeatDiffusion", HeatOneStepInEval),
    Planted("approximated in plain calls", "activations.tanh_grad", tanh_slope_alone),
    Planted("not divided in plain calls", "sequence.perplexity", perplexity_alone),
    Planted("eps inside the root in plain calls", "optim.adam_update", update_alone),
    Planted("moved where the input requires grad", "activations.SiLU", SiLUWithNoise),
    Planted("smoothed where the input requires grad", "gan.generator_loss", generator_loss_smoothed),
)
