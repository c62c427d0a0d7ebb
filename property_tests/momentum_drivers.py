"""Drivers for optimizers under a changing learning rate, and for optimizers on a quadratic."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Call, Case, Driver, Tensors


class Run:
    """An optimizer with the case's hyper-parameters, stepped with given gradients.

    Hyper-parameters are keywords of the constructor, ``beta1`` and ``beta2`` together as ``betas``; so are the choices
    that the structure makes between yes and no, and ``options["keywords"]``. A hyper-parameter ``factor`` multiplies
    the learning rate after each step.
    """

    def __init__(self, subject: Any, case: Case) -> None:
        switches = {name: value == "yes" for name, value in case.structure.items() if value in ("yes", "no")}
        given = {**case.host, **switches, **case.options.get("keywords", {})}
        self.factor = given.pop("factor", 1.0)
        if "beta1" in given:
            given["betas"] = (given.pop("beta1"), given.pop("beta2"))
        self.subject, self.case, self.keywords = subject, case, given

    def start(self, theta0: Tensor) -> None:
        self.parameter = torch.nn.Parameter(theta0.clone())
        self.made = self.subject([self.parameter], **self.keywords)
        self.taken = 0

    def step(self, gradient: Tensor) -> None:
        for group in self.made.param_groups:
            group["lr"] = self.keywords["lr"] * self.factor**self.taken
        self.previous = self.parameter.detach().clone()
        self.parameter.grad = gradient.clone()
        self.made.step()
        self.taken += 1

    def shown(self) -> Tensors:
        """``param``, ``previous`` (before the last step), or a name of the state, in the parameter's dtype."""
        known = {"param": self.parameter.detach(), "previous": self.previous}
        state = self.made.state[self.parameter]
        return {name: known[name] if name in known else state[name].to(self.case.dtype) for name in self.case.shapes}


def optimizer_schedule(subject: Any, case: Case) -> Call:
    """``subject([parameter], lr=..., ...)``, stepped once for each gradient; see :class:`Run`.

    Inputs ``theta0`` (n), and ``g`` (T, n) or, if all T gradients are the same, ``constant`` (n).
    """

    def call(tensors: Tensors) -> Tensors:
        run = Run(subject, case)
        run.start(tensors["theta0"])
        gradients = tensors["g"].unbind(-2) if "g" in tensors else [tensors["constant"]] * case.structure["T"]
        for gradient in gradients:
            run.step(gradient)
        return run.shown()

    return call


def optimizer_quadratic(subject: Any, case: Case) -> Call:
    """``subject([parameter], lr=..., ...)``, stepped T times on the sum of curvature * theta**2 / 2; see :class:`Run`.

    Inputs ``theta0`` (n) and ``curvature`` (n).
    """

    def call(tensors: Tensors) -> Tensors:
        run = Run(subject, case)
        run.start(tensors["theta0"])
        for _ in range(case.structure["T"]):
            run.step(tensors["curvature"] * run.parameter.detach())
        return run.shown()

    return call


LOOKS = "a torch.optim.Optimizer class: Optimizer(params, lr=..., ...)"
DRIVERS: dict[str, Driver] = {
    "optimizer_schedule": Driver(optimizer_schedule, LOOKS, "leading", "none"),
    "optimizer_quadratic": Driver(optimizer_quadratic, LOOKS, "leading", "none"),
}
