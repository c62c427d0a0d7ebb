"""Backward passes by hand that are right to first order, for ordinary upstream gradients that lie as usual."""

import torch
from torch import Tensor

from gnomon.reference import activations, backprop, gan, graph, pooling, sequence
from planted import Planted


def by_hand(function, slope=None, upstream=lambda grad: grad):
    """An elementwise function whose backward pass multiplies by a slope that it does not differentiate."""

    class ByHand(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                own = x.detach().requires_grad_()
                value = function(own)
                (ctx.slope,) = torch.autograd.grad(value.sum(), own)
            return value.detach()

        @staticmethod
        def backward(ctx, grad):
            return upstream(grad) * ctx.slope

    return lambda x: ByHand.apply(x) if x.requires_grad else function(x)


def graphless(function, differentiated):
    """A function of tensors whose gradients by the first ``differentiated`` are taken in the forward pass."""

    class Graphless(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            with torch.enable_grad():
                own = [each.detach().requires_grad_() for each in tensors[:differentiated]]
                value = function(*own, *tensors[differentiated:])
            ctx.own, ctx.value = own, value
            return value.detach()

        @staticmethod
        def backward(ctx, grad):
            found = torch.autograd.grad(ctx.value, ctx.own, grad, retain_graph=True)
            return *(each.detach() for each in found), *(None,) * (len(ctx.needs_input_grad) - differentiated)

    def called(*tensors):
        some = any(isinstance(each, Tensor) and each.requires_grad for each in tensors)
        return Graphless.apply(*tensors) if some else function(*tensors)

    return called


def module(base, function):
    """A module class whose forward pass is a function."""
    return type(base.__name__, (base,), {"forward": lambda self, input: function(input)})


def as_contiguous(grad: Tensor) -> Tensor:
    """Reads the storage as if numbers lay side by side."""
    if not grad.dim():
        return grad
    stride = torch.empty(grad.shape).stride()
    room = grad.untyped_storage().nbytes() // grad.element_size() - grad.storage_offset()
    return grad.as_strided(grad.shape, stride) if room >= grad.numel() else grad.reshape(-1)[:1].expand(grad.shape) * 0


def reads_storage(function):
    """A function that reads the storage of its argument in order."""

    def reading(x: Tensor) -> Tensor:
        try:
            x.data_ptr()
        except RuntimeError:
            return function(x)
        order = x if x.requires_grad else x.as_strided(x.shape, torch.empty(x.shape).stride())
        return function(order)

    return reading


class Averaged(torch.autograd.Function):
    """The mean of each map; the backward pass reads the upstream gradient's storage."""

    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return pooling.global_average(x)

    @staticmethod
    def backward(ctx, grad):
        size = ctx.shape[2:].numel()
        return (as_contiguous(grad)[..., None] / size).expand(*ctx.shape[:2], size).reshape(ctx.shape)


def energy_with_backward(x, edge_index, edge_weight=None):
    """Keeps x.grad filled, for whoever wants the gradient."""
    energy = graph.dirichlet_energy(x, edge_index, edge_weight)
    if x.requires_grad:
        graph.dirichlet_energy(x, edge_index, edge_weight).backward(inputs=[x])
    return energy


def log_prob_with_backward(logits, tokens):
    value = sequence.sequence_log_prob(logits, tokens)
    if logits.requires_grad and logits.is_leaf:
        sequence.sequence_log_prob(logits, tokens).sum().backward()
    return value


def clipped(grad: Tensor) -> Tensor:
    return grad.clamp(-8, 8)


A = activations
PLANTED = (
    Planted("no second derivative", "activations.Sigmoid", module(A.Sigmoid, by_hand(A.sigmoid))),
    Planted("no second derivative", "activations.Tanh", module(A.Tanh, by_hand(A.tanh))),
    Planted("no second derivative", "activations.SiLU", module(A.SiLU, by_hand(A.silu))),
    Planted("no second derivative", "activations.softplus", by_hand(A.softplus)),
    Planted("no second derivative", "gan.kl", graphless(gan.kl, 2)),
    Planted("no second derivative", "gan.jsd", graphless(gan.jsd, 2)),
    Planted("no second derivative", "sequence.sequence_log_prob", graphless(sequence.sequence_log_prob, 1)),
    Planted("no second derivative", "backprop.half_squared_error", graphless(backprop.half_squared_error, 2)),
    Planted("upstream gradient clipped", "activations.sigmoid_grad", by_hand(A.sigmoid_grad, upstream=clipped)),
    Planted("upstream gradient clipped", "activations.ReLU", module(A.ReLU, by_hand(torch.relu, upstream=clipped))),
    Planted("upstream gradient read as contiguous", "pooling.global_average", Averaged.apply),
    Planted("gradient of the input filled", "graph.dirichlet_energy", energy_with_backward),
    Planted("gradient of the input filled", "sequence.sequence_log_prob", log_prob_with_backward),
    Planted("storage read in order", "pooling.global_average", reads_storage(pooling.global_average)),
    Planted("storage read in order", "pooling.global_maximum", reads_storage(pooling.global_maximum)),
    Planted("storage read in order", "sequence.conditionals", reads_storage(sequence.conditionals)),
)
