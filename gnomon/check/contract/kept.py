"""A subject leaves what it is given alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor
from torch.utils import _pytree as tree

from gnomon.check.contract.part import Part, Setting, broken, same
from gnomon.drive.watched import watched


class InputsKept(Part):
    """The inputs are after a call what they were before."""

    name = "inputs are left alone"
    early = True

    def absent(self, at: Setting) -> str:
        return at.unread

    def look(self, at: Setting) -> None:
        given, before = at.tensors(), at.tensors()
        changed: list[int] = []
        at.observer.of(watched(at.subject, partial(_kept, changed))).one(given)
        for name, value in before.items():
            if not same(value, given[name]).all():
                raise broken(f"changes its input {name} in place")
        if changed:  # what the driver made of the inputs
            raise broken(f"changes its argument number {changed[0]} in place")


def _kept(changed: list[int], function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """The call; the numbers of the tensors among its arguments that it changes are put down, from 1."""
    given = [leaf for leaf in tree.tree_leaves((arguments, keywords)) if isinstance(leaf, Tensor)]
    before = [value.detach().clone() for value in given]
    result = function(*arguments, **keywords)
    pairs = enumerate(zip(given, before, strict=True), 1)
    changed += [number for number, (value, old) in pairs if not same(value, old).all()]
    return result
