"""Drivers for what optimizers are made of: their path, their state, and the correction of their averages."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Call, Case, Driver, Tensors


def optimizer_path(subject: Any, case: Case) -> Call:
    """``subject(parameters, lr=..., ...)``, stepped once for each gradient ``g[t]``.

    Inputs ``theta0`` (n) and ``g`` (T, n). A hyper-parameter ``scale`` multiplies all gradients and eps;
    every other input is a keyword of the constructor, ``beta1`` and ``beta2`` together as ``betas``. With the
    option "parameters" = "each", every coordinate is a parameter of its own, and they are in two groups.
    Outputs: ``param``, ``previous`` (before the last step), or a name of the state, rounded to the
    parameter's dtype.
    """
    keywords = {**case.host, **case.options.get("keywords", {})}
    scale = keywords.pop("scale", 1.0)
    if "beta1" in keywords:
        keywords["betas"] = (keywords.pop("beta1"), keywords.pop("beta2"))
    if "eps" in keywords:
        keywords["eps"] *= scale
    each = case.options.get("parameters") == "each"

    def pieces(whole: Tensor) -> list[Tensor]:
        return [part.clone() for part in (whole.unbind(-1) if each else (whole,))]

    def call(tensors: Tensors) -> Tensors:
        parameters = [torch.nn.Parameter(piece) for piece in pieces(tensors["theta0"])]
        groups = [{"params": group} for group in (parameters[::2], parameters[1::2]) if group]
        made = subject(groups if each else parameters, **keywords)
        for gradient in tensors["g"].unbind(-2):
            previous = [parameter.detach().clone() for parameter in parameters]
            for parameter, piece in zip(parameters, pieces(gradient * scale), strict=True):
                parameter.grad = piece
            made.step()
        known = {"param": [parameter.detach() for parameter in parameters], "previous": previous}
        shown = {}
        for name in case.shapes:
            parts = known.get(name) or [made.state[p][name].to(case.dtype) for p in parameters]
            shown[name] = torch.stack(parts, -1) if each else parts[0]
        return shown

    return call


def bias_correction(subject: Any, case: Case) -> Call:
    """``subject(m, v, t, beta1, beta2) -> (mhat, vhat)``, given the averages of t gradients.

    Inputs ``g`` (T, n), the gradients, and outputs ``mhat``, ``vhat`` (n). Or inputs ``mu`` and ``sigma``:
    then the gradients are mu + sigma or mu - sigma, in all 2**T ways, and the outputs are the means over
    these ways of mhat and vhat (``first``, ``second``) and of (mhat - mu)**2 (``variance``). With the structure's
    ``gradients`` of a "growing mean" mu is taken once, twice, ... from step to step.
    """
    beta1, beta2, steps = case.host["beta1"], case.host["beta2"], case.structure["T"]

    def call(tensors: Tensors) -> Tensors:
        if "g" in tensors:
            gradients = tensors["g"].unbind(0)
        else:
            signs = torch.tensor(list(itertools.product((1.0, -1.0), repeat=steps))).to(tensors["mu"])
            grows = case.structure.get("gradients") == "growing mean"
            times = torch.arange(1, steps + 1).to(signs) if grows else torch.ones(steps).to(signs)
            gradients = (tensors["mu"] * times + tensors["sigma"] * signs).unbind(1)
        m = v = torch.zeros_like(gradients[0])
        for gradient in gradients:
            m = beta1 * m + (1 - beta1) * gradient
            v = beta2 * v + (1 - beta2) * gradient**2
        mhat, vhat = subject(m, v, steps, beta1, beta2)
        shown = {"mhat": mhat, "vhat": vhat, "first": mhat.mean(0), "second": vhat.mean(0)}
        if "mu" in tensors:
            shown["variance"] = ((mhat - tensors["mu"]) ** 2).mean(0)
        return {name: shown[name] for name in case.shapes}

    return call


DRIVERS: dict[str, Driver] = {
    "optimizer_path": Driver(
        optimizer_path, "a torch.optim.Optimizer class: Optimizer(params, lr=..., ...)", "leading", "none"
    ),
    "bias_correction": Driver(bias_correction, "a function: f(m, v, t, beta1, beta2) -> (mhat, vhat)"),
}
