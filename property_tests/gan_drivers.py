"""How the parts of an adversarial game are called whose worth shows only in the value of the game."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Call, Case, Driver, Tensors


def discriminator_value(subject: Any, case: Case) -> Call:
    """``subject(p, q) -> D``, shown as the value ``V`` of the game for that D.

    A value of D that no law weighs must not matter, but it must be a number.
    """

    def call(tensors: Tensors) -> Tensors:
        p, q = tensors["p"], tensors["q"]
        d = subject(p, q)
        return {"V": (torch.special.xlogy(p, d) + torch.special.xlog1py(q, -d)).sum(-1)}

    return call


def _normalised(law: Tensor) -> Tensor:
    """The law again: its sum is 1. But its gradient is now the one along the simplex."""
    return law / law.sum(-1, keepdim=True)


def between_laws(subject: Any, case: Case) -> Call:
    """``subject(p, q) -> scalar`` for laws on one finite space, with gradients along the simplex alone.

    A formula may be continued off the simplex in many ways, and only there do their gradients differ.
    """
    arguments = case.options.get("arguments", case.inputs)

    def call(tensors: Tensors) -> Tensors:
        laws = {name: _normalised(tensors[name]) for name in case.inputs}
        return {name: subject(*(laws[argument] for argument in arguments)) for name in case.shapes}

    return call


def from_known_law(subject: Any, case: Case) -> Call:
    """``subject(p, q)`` for the constant law ``p`` that the structure names, such as "0, 1/4, 3/4"."""
    weights = [float(Fraction(text)) for text in case.structure["p"].split(",")]
    p = torch.tensor(weights, dtype=case.dtype, device=case.device)
    return lambda tensors: {name: subject(p, _normalised(tensors["q"])) for name in case.shapes}


DRIVERS: dict[str, Driver] = {
    "discriminator_value": Driver(discriminator_value, "a discriminator from two laws: D(p, q) -> probabilities"),
    "between_laws": Driver(between_laws, "a divergence between finite laws: f(p, q) -> scalar"),
    "from_known_law": Driver(from_known_law, "a divergence between finite laws: f(p, q) -> scalar"),
}
