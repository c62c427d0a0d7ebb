"""Tensors with the same values, laid out in memory in another way; autograd goes through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as tree

from gnomon.drive.watched import Around


def strided(value: Tensor) -> Tensor:
    """Every second number of a storage."""
    return torch.stack([value, value], -1)[..., 0]


def transposed(value: Tensor) -> Tensor:
    """The last axis is not the one whose numbers lie side by side."""
    beside = max(value.dim() - 3, 0)  # of four axes the second, as a permutation of images leaves them
    return value.transpose(beside, -1).contiguous().transpose(beside, -1) if value.dim() > 1 else value


def offset(value: Tensor) -> Tensor:
    """The storage begins earlier than the tensor."""
    flat = value.reshape(-1)
    return torch.cat([flat.new_zeros(1), flat])[1:].view(value.shape)


def channels_last(value: Tensor) -> Tensor:
    """The second axis of four, or the first of three, lies innermost."""
    if value.dim() == 4:
        return value.contiguous(memory_format=torch.channels_last)
    return value.movedim(0, -1).contiguous().movedim(-1, 0) if value.dim() == 3 else value


def expanded(value: Tensor) -> Tensor:
    """An axis along which all numbers are the same is one number, repeated by a stride of 0.

    What requires grad is left: each of the numbers has a gradient of its own.
    """
    for axis in () if value.requires_grad else reversed(range(value.dim())):
        first = value.narrow(axis, 0, 1) if value.shape[axis] else value
        if value.shape[axis] and bool((value == first).all()):
            return first.expand(value.shape)
    return value


LAYOUTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "strided": strided,
    "transposed": transposed,
    "offset": offset,
    "channels last": channels_last,
    "expanded": expanded,
}
"""The layouts by their names; one that makes nothing of a tensor leaves it as it is."""


def relaying(layout: Callable[[Tensor], Tensor], *, results: bool = False) -> Around:
    """Calls whose arguments are laid out so; with ``results`` what is returned, too, so that its gradient comes so."""

    def put(leaf: Any) -> Any:
        return layout(leaf) if isinstance(leaf, Tensor) else leaf

    def around(function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        arguments, keywords = changed(layout, arguments, keywords)
        found = function(*arguments, **keywords)
        return tree.tree_map(put, found) if results else found

    return around


def changed(change: Callable[[Tensor], Tensor], arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Arguments and keywords with other tensors in the place of theirs.

    Beside a function, what requires grad stays: the function may hold the same tensor, to be differentiated by.
    """
    leaves, spec = tree.tree_flatten((arguments, dict(keywords)))
    beside = any(callable(leaf) for leaf in leaves)

    def put(leaf: Any) -> Any:
        return change(leaf) if isinstance(leaf, Tensor) and not (beside and leaf.requires_grad) else leaf

    return tree.tree_unflatten([put(leaf) for leaf in leaves], spec)


class Refilled:
    """Calls with the same tensors every time, whose storage is overwritten with the values of each."""

    def __init__(self) -> None:
        self.kept: list[Tensor] = []
        self.place = 0

    def __call__(self, function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        arguments, keywords = changed(self._refilled, arguments, keywords)
        return function(*arguments, **keywords)

    def _refilled(self, leaf: Tensor) -> Tensor:
        place, self.place = self.place, self.place + 1
        if place == len(self.kept):
            self.kept.append(leaf.detach().clone())
        own = self.kept[place]
        if own.shape != leaf.shape or own.dtype != leaf.dtype:
            return leaf
        try:
            return (own.detach() if leaf.requires_grad else own).copy_(leaf)
        except RuntimeError:  # while torch.func differentiates, its tensors can be copied into none of ours
            return leaf
