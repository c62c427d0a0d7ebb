"""Noise as an input: what a subject draws from torch's generators comes from the claim's tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gnomon.drive.driver import SubjectError
from gnomon.drive.lowered import broadcast

NEW: dict[Any, Callable[..., tuple[int, ...]]] = {
    torch.randn: lambda *size, **_: _size(size), torch.rand: lambda *size, **_: _size(size),
    torch.randn_like: lambda like, **_: tuple(like.shape), torch.rand_like: lambda like, **_: tuple(like.shape),
}  # fmt: skip
"""What draws standard noise into a new tensor, and the shape that it asks for."""
IN_PLACE = {torch.Tensor.normal_: (0.0, 1.0), torch.Tensor.uniform_: (0.0, 1.0)}
"""What draws into a tensor, with the default of its two numbers."""
OTHER = {
    torch.randint, torch.randperm, torch.bernoulli, torch.multinomial, torch.poisson, torch.Tensor.bernoulli_,
    torch.Tensor.exponential_, torch.Tensor.random_, torch.Tensor.cauchy_, torch.Tensor.log_normal_,
    torch.Tensor.geometric_, torch.Tensor.multinomial, torch.nn.functional.dropout,
}  # fmt: skip


def _size(size: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else tuple(size)


class Noise(TorchFunctionMode):
    """While it is entered, the first draw is the first of the given tensors, and so on.

    Raises:
        SubjectError: if the subject draws more, in another shape, or with a function that these cannot replace.
    """

    def __init__(self, draws: list[Tensor]) -> None:
        super().__init__()
        self.draws, self.taken = draws, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in NEW:
            more = {name: value for name, value in kwargs.items() if name != "size"}
            shape = NEW[func](*((kwargs["size"],) if "size" in kwargs else args), **more)
            return self._next(shape)
        if func is torch.normal:
            mean, std = kwargs.get("mean", args[0] if args else 0.0), kwargs.get("std", args[1] if args[1:] else 1.0)
            size = kwargs.get("size", args[2] if args[2:] else None)
            shapes = [each.shape for each in (mean, std) if isinstance(each, Tensor)]
            shape = tuple(size) if size is not None else broadcast(*shapes)
            return mean + std * self._next(shape)
        if func in IN_PLACE:
            numbers: list[Any] = [*args[1:3], *IN_PLACE[func][len(args[1:3]) :]]
            first = kwargs.get("mean", kwargs.get("from", numbers[0]))
            second = kwargs.get("std", kwargs.get("to", numbers[1]))
            scale = second if func is torch.Tensor.normal_ else second - first
            return args[0].copy_(first + scale * self._next(tuple(args[0].shape)))
        if func in OTHER:
            raise SubjectError("contract", f"draws with {func.__name__}, which no noise of the claim replaces")
        return func(*args, **kwargs)

    def _next(self, shape: tuple[int, ...]) -> Tensor:
        if self.taken == len(self.draws):
            raise SubjectError("contract", f"draws more often than {self.taken} times, which is what the claim gives")
        drawn = self.draws[self.taken]
        if tuple(drawn.shape) != shape:
            raise SubjectError("contract", f"draws noise of shape {shape}, the claim has {tuple(drawn.shape)}")
        self.taken += 1
        return drawn

    def check_all_drawn(self) -> None:
        """Hold how often the subject drew against what there was.

        Raises:
            SubjectError: if it drew less often.
        """
        if self.taken < len(self.draws):
            raise SubjectError("contract", f"draws {self.taken} times, expected {len(self.draws)}")
