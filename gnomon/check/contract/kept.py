"""A subject leaves what it is given alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as tree

from gnomon.check.contract.part import Part, Setting, broken, same
from gnomon.drive.watched import watched


class InputsKept(Part):
    """The inputs, and the gradients that they hold, are after a call what they were before."""

    name = "inputs and their gradients are left alone"
    early = True

    def absent(self, at: Setting) -> str:
        return at.unread

    def look(self, at: Setting) -> None:
        given, before = at.tensors(), at.tensors()
        for value in given.values():
            value.grad = torch.ones_like(value)
        at.observer.of(watched(at.subject, _kept)).one(given)
        for name, value in before.items():
            if not same(value, given[name]).all():
                raise broken(f"changes its input {name} in place")
            gradient = given[name].grad
            if gradient is None or not (gradient == 1).all():
                raise broken(f"changes the gradient that its input {name} holds")


def _kept(function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """The call, and what it does to tensors that the driver made of the inputs."""
    given = [leaf for leaf in tree.tree_leaves((arguments, keywords)) if isinstance(leaf, Tensor)]
    before = [value.detach().clone() for value in given]
    result = function(*arguments, **keywords)
    for number, (value, old) in enumerate(zip(given, before, strict=True)):
        if not same(value, old).all():
            raise broken(f"changes its argument number {number} in place")
    return result
