"""How modules with running statistics are called: trained on some batches, evaluated, differentiated, after a layer.

All of them build the module as the driver "module" does, with its options. Buffers are constants for autograd.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.driver import Call, Case, Driver, Tensors
from gnomon.property_tests.drivers import Built


class _Buffered(Built):
    """A module whose buffers are each point's own, so that points can be trained on side by side."""

    def state(self, tensors: Tensors) -> Tensors:
        state = super().state(tensors)
        nothing = torch.zeros_like(next(iter(tensors.values()))).sum()
        for name in self.buffers:
            if state[name].is_floating_point():
                state[name] = state[name].detach() + nothing
        return state

    def __call__(self, state: Mapping[str, Tensor], *inputs: Tensor) -> Any:
        return torch.func.functional_call(self.module, dict(state), inputs)


def trained_module(subject: Any, case: Case) -> Call:
    """A module as for "module", trained on ``options["batches"]`` first: the slices of an input, in their order.

    ``options["call"]`` names the inputs of a last call, in the mode that ``options["mode"]`` says. Outputs: what that
    returned, or the name of a buffer for the buffer after all calls, counters as numbers of the case's dtype.
    """
    built = _Buffered(subject, case)
    mode = case.options.get("mode", "train") == "train"

    def call(tensors: Tensors) -> Tensors:
        state, result = built.state(tensors), None
        if "batches" in case.options:
            built.module.train()
            for batch in tensors[case.options["batches"]].unbind(0):
                built(state, batch)
        if "call" in case.options:
            built.module.train(mode)
            result = built(state, *(tensors[name] for name in case.options["call"]))
        return {name: state[name].to(case.dtype) if name in built.buffers else result for name in case.shapes}

    return call


def module_gradient(subject: Any, case: Case) -> Call:
    """Autograd's gradients through a module of ``sum(cotangent * module(*inputs))``.

    ``options["cotangent"]`` names the input that weighs what is returned, ``options["by"]`` the inputs by which to
    differentiate, in the order of the outputs.
    """
    built = _Buffered(subject, case)
    by = case.options["by"]

    def call(tensors: Tensors) -> Tensors:
        def value(*at: Tensor) -> Any:
            known = {**tensors, **dict(zip(by, at, strict=True))}
            return built(built.state(known), *(known[name] for name in case.options["call"]))

        _, pullback = torch.func.vjp(value, *(tensors[name] for name in by))
        return dict(zip(case.shapes, pullback(tensors[case.options["cotangent"]]), strict=False))

    return call


def output_moments(subject: Any, case: Case) -> Call:
    """The first four moments over the samples of what a module returns for x (N, C).

    Outputs ``mean``, and about that mean ``second``, ``third`` and ``fourth``, each (C,).
    """
    built = _Buffered(subject, case)

    def call(tensors: Tensors) -> Tensors:
        y = built(built.state(tensors), tensors["x"])
        mean = y.mean(0)
        away = y - mean
        moments = {"second": away**2, "third": away**3, "fourth": away**4}
        return {"mean": mean, **{name: power.mean(0) for name, power in moments.items()}}

    return call


def after_linear(subject: Any, case: Case) -> Call:
    """A module that is given ``z = x W^T + b``, for ``W`` (C, D), times the input ``scale`` where a claim has one.

    ``b`` and the cotangent ``g`` (N, C) are inputs, too. Outputs: ``y`` (N, C), ``dW`` and ``db``, the gradients of
    sum(g y), and ``radial``, the product of dW with the weights.
    """
    built = _Buffered(subject, case)

    def call(tensors: Tensors) -> Tensors:
        state, x = built.state(tensors), tensors["x"]
        weights = tensors["W"] * tensors["scale"] if "scale" in tensors else tensors["W"]

        def value(weight: Tensor, bias: Tensor) -> Any:
            fresh = {name: tensor.clone() for name, tensor in state.items()}
            return built(fresh, nn.functional.linear(x, weight, bias))

        bias = tensors.get("b", torch.zeros_like(weights[..., 0]))
        y, pullback = torch.func.vjp(value, weights, bias)
        by_weights, by_bias = pullback(tensors["g"])
        known = {"y": y, "dW": by_weights, "db": by_bias, "radial": (weights * by_weights).sum()}
        return {name: known[name] for name in case.shapes}

    return call


def mean_running_variance(subject: Any, case: Case) -> Call:
    """The running variance, averaged over all samples of N numbers that are ``mu + sigma`` or ``mu - sigma``.

    The 2**N samples are the channels of one batch, from which the module takes its statistics whole (momentum 1).
    Output: a scalar.
    """
    samples = torch.tensor(list(itertools.product((1.0, -1.0), repeat=case.structure["N"])), dtype=case.dtype)
    with torch.random.fork_rng(devices=[]):
        made = subject(len(samples), momentum=1.0, affine=False)
    module = made.to(case.device, case.dtype).train()
    signs = samples.to(case.device).T

    def call(tensors: Tensors) -> Tensors:
        x = tensors["mu"] + tensors["sigma"] * signs
        state = {name: buffer.clone() for name, buffer in module.named_buffers()}
        for name in ("running_mean", "running_var"):
            state[name] = torch.zeros_like(x[0])
        torch.func.functional_call(module, state, (x,))
        return {name: state["running_var"].mean() for name in case.shapes}

    return call


_MODULE = "a torch.nn.Module class: Norm(num_features, eps=, momentum=, affine=, track_running_stats=)"

DRIVERS: dict[str, Driver] = {
    "trained_module": Driver(trained_module, _MODULE),
    "module_gradient": Driver(module_gradient, "a torch.nn.Module class, differentiable", gradient="none"),
    "output_moments": Driver(output_moments, _MODULE),
    "after_linear": Driver(after_linear, _MODULE, gradient="none"),
    "mean_running_variance": Driver(mean_running_variance, _MODULE, gradient="none"),
}
