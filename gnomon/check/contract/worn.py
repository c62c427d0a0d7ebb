"""An optimizer in disguise: to its driver it is the claim's optimizer, and within it is used in another way.

What is claimed of the optimizer is claimed of it in each disguise: resumed, among other groups, with other shapes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.check.contract.part import same
from gnomon.drive.driver import SubjectError

Group = dict[str, Any]


class Recipe:
    """How the driver makes its optimizer: called with parameters or groups it makes another, some options changed."""

    def __init__(self, subject: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        self.subject, self.arguments, self.keywords = subject, arguments, keywords

    def __call__(self, params: Any, **changes: Any) -> Any:
        return self.subject(params, *self.arguments, **{**self.keywords, **changes})

    def options(self) -> Group:
        """The options of a group that says none itself."""
        (group,) = self([companion(torch.float64)]).param_groups
        return {name: value for name, value in group.items() if name not in ("params", "param_names")}

    def changes(self) -> Group:
        """Other values for as many options as can be changed together, each a keyword of the constructor."""
        found: Group = {}
        for name, value in self.options().items():
            other = _other(value)
            if other is not None and self._runs({**found, name: other}):
                found[name] = other
        return found

    def _runs(self, changes: Group) -> bool:
        """Whether there is such an optimizer, and it steps: what refuses an option is not asked for it."""
        at = companion(torch.float64)
        try:
            made = self([at], **changes)
            at.grad = pull(0, at)
            made.step()
        except Exception:
            return False
        (group,) = made.param_groups
        return all(group[name] == value for name, value in changes.items())


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value / 2 if value else 0.125
    if isinstance(value, tuple) and value and all(isinstance(each, float) for each in value):
        return tuple(map(_other, value))
    return None


def companion(dtype: torch.dtype, device: torch.device | None = None) -> nn.Parameter:
    """A parameter beside the driver's own: a small matrix."""
    return nn.Parameter((torch.arange(6.0, device=device).reshape(2, 3) / 4 - 0.5).to(dtype))


def pull(number: int, like: Tensor) -> Tensor:
    """The gradient of a companion at a step: small numbers, a zero among them."""
    count = torch.arange(like.numel(), device=like.device).reshape(like.shape)
    return ((3 * count + 5 * number) % 7 - 3).to(like.dtype) / 4


def step_with(optimizer: Any, parameter: nn.Parameter, gradient: Tensor) -> None:
    """One step of an optimizer that has one parameter."""
    parameter.grad = gradient.clone()
    optimizer.step()


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and numbers."""
    return one.shape == other.shape and bool(same(one.detach(), other.detach()).all())


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two parameters that were stepped alike are alike, though perhaps not rounded alike.

    Many tensors at once are not always summed in the order of one. Between what rounding does and what is wrong lies,
    halfway on the scale of logarithms, the square root of the unit roundoff.
    """
    if alike(one, other):
        return True
    scale = torch.maximum(one.detach().abs().max(), other.detach().abs().max())
    apart = (one.detach() - other.detach()).abs().max()
    return bool(apart <= math.sqrt(torch.finfo(one.dtype).eps / 2) * scale)


class Worn:
    """What the disguises share: the driver's parameters, the optimizer within, and what passes between them.

    ``torn`` gives the tensors that stand within for one outside, ``joined`` puts them together again; by default the
    driver's parameters are themselves within.
    """

    itself = True

    def __init__(self, subject: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        params = list(arguments[0])
        self.recipe = Recipe(subject, arguments[1:], keywords)
        self.in_groups = bool(params) and isinstance(params[0], dict)
        self.given = (
            [{**each, "params": list(each["params"])} for each in params] if self.in_groups else [{"params": params}]
        )
        self.outside: list[nn.Parameter] = [each for group in self.given for each in group["params"]]
        self.within = {each: [each] if self.itself else self._pieces(each) for each in self.outside}
        self.taken = 0
        self.inner = self.begin()

    def _pieces(self, parameter: nn.Parameter) -> list[nn.Parameter]:
        return [nn.Parameter(piece) for piece in self.torn(parameter.detach())]

    def torn(self, tensor: Tensor) -> list[Tensor]:
        """New tensors that stand for one of the driver's."""
        return [tensor.clone()]

    def joined(self, pieces: list[Tensor], like: Tensor) -> Tensor:
        """The tensor that they stand for."""
        return pieces[0].reshape(like.shape)

    def groups(self) -> list[Group]:
        """The driver's groups, with what stands within for their parameters."""
        return [
            {**group, "params": [piece for each in group["params"] for piece in self.within[each]]}
            for group in self.given
        ]

    def begin(self) -> Any:
        """The optimizer within."""
        groups = self.groups()
        return self.recipe(groups if self.in_groups else groups[0]["params"])

    def take(self) -> None:
        """A step of the optimizer within."""
        self.inner.step()

    def step(self) -> None:
        """A step, as the driver asks for it."""
        with torch.no_grad():
            for parameter, pieces in self._apart():
                gradients = [None] * len(pieces) if parameter.grad is None else self.torn(parameter.grad)
                for piece, value, gradient in zip(pieces, self.torn(parameter), gradients, strict=True):
                    piece.copy_(value)
                    piece.grad = gradient
        self.take()
        self.taken += 1
        with torch.no_grad():
            for parameter, pieces in self._apart():
                parameter.copy_(self.joined([piece.detach() for piece in pieces], parameter))

    def _apart(self) -> Iterator[tuple[nn.Parameter, list[nn.Parameter]]]:
        return ((each, pieces) for each, pieces in self.within.items() if pieces[0] is not each)

    @property
    def everything(self) -> list[nn.Parameter]:
        """All parameters within that stand for the driver's."""
        return [piece for pieces in self.within.values() for piece in pieces]

    @property
    def param_groups(self) -> list[Group]:
        """The groups within that stand for the driver's."""
        own = {id(piece) for piece in self.everything}
        return [group for group in self.inner.param_groups if any(id(each) in own for each in group["params"])]

    @property
    def state(self) -> dict[nn.Parameter, Group]:
        """The state within, by the driver's parameters and in their shapes."""
        return {each: self._shown(each, pieces) for each, pieces in self.within.items()}

    def _shown(self, parameter: nn.Parameter, pieces: list[nn.Parameter]) -> Group:
        states = [self.inner.state[piece] for piece in pieces]
        return {
            name: self.joined([state[name] for state in states], parameter)
            if isinstance(value, Tensor) and value.shape == pieces[0].shape and pieces[0] is not parameter
            else value
            for name, value in states[0].items()
        }

    def zero_grad(self, set_to_none: bool = True) -> None:
        """What a driver may call between steps."""
        for parameter in self.outside:
            parameter.grad = None if set_to_none or parameter.grad is None else torch.zeros_like(parameter)


class Broken(SubjectError):
    """What a disguise finds while it is worn."""

    def __init__(self, reason: str) -> None:
        super().__init__("contract", reason)
