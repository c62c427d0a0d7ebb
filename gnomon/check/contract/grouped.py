"""Optimizers that have more to do: other parameters, in groups with other options, without gradients, empty."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gnomon.check.contract.worn import Broken, Group, Worn, alike, close, companion, pull, step_with


class Grouped(Worn):
    """The driver's groups stand between two with other options, each of which must step as an optimizer by itself."""

    def begin(self) -> Any:
        first, changes = self.outside[0], self.recipe.changes()
        self.others = [companion(first.dtype, first.device) for _ in range(2)]
        self.alone = [companion(first.dtype, first.device) for _ in range(2)]
        self.options = changes
        self.optimizers = [self.recipe([each], **changes) for each in self.alone]
        before, after = ([{"params": [each], **changes}] for each in self.others)
        return self.recipe([*before, *self.groups(), *after])

    def take(self) -> None:
        for number, other in enumerate(self.others):
            other.grad = pull(self.taken + number, other)
        self.inner.step()
        for number, (other, alone) in enumerate(zip(self.others, self.alone, strict=True)):
            step_with(self.optimizers[number], alone, pull(self.taken + number, alone))
            if not close(other, alone):
                options = ", ".join(f"{name}={value}" for name, value in self.options.items())
                raise Broken(f"a group with {options} does not step as an optimizer with these options does")


class Missing(Worn):
    """Parameters that have no gradient, never or at every other step, stand beside the driver's."""

    def begin(self) -> Any:
        first = self.outside[0]
        self.never, self.often, self.alone = (companion(first.dtype, first.device) for _ in range(3))
        self.optimizer = self.recipe([self.alone])
        self.start = self.never.detach().clone()
        groups = self.groups()
        groups[0]["params"] = [self.never, *groups[0]["params"], self.often]
        return self.recipe(groups if self.in_groups else groups[0]["params"])

    def take(self) -> None:
        state = _copies(self.inner.state.get(self.never, {}))
        odd = bool(self.taken % 2)
        self.often.grad = pull(self.taken, self.often) if odd else None
        self.inner.step()
        if not alike(self.never, self.start):
            raise Broken("a parameter without a gradient is changed by a step")
        if self.never in self.inner.state and _moved(state, self.inner.state[self.never]):
            raise Broken("a parameter without a gradient has its state changed by a step")
        if odd:
            _follow(self.inner, self.optimizer, self.often)
            step_with(self.optimizer, self.alone, pull(self.taken, self.alone))
        if not close(self.often, self.alone):
            raise Broken("steps at which a parameter has no gradient count, or are lost, for it")


def _follow(leader: Any, optimizer: Any, parameter: nn.Parameter) -> None:
    """Give an optimizer what the driver has set, since, in the group of another's parameter: the learning rate."""
    group = next(each for each in leader.param_groups if any(one is parameter for one in each["params"]))
    if "lr" in group:
        optimizer.param_groups[0]["lr"] = group["lr"]


def _copies(state: Group) -> Group:
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in state.items()}


def _moved(before: Group, after: Group) -> bool:
    """Whether a state has changed, other than by zeros that were made for later."""
    for name, value in after.items():
        old = before.get(name)
        if isinstance(value, Tensor):
            if not alike(value, old if isinstance(old, Tensor) else torch.zeros_like(value)):
                return True
        elif isinstance(value, (int, float)) and value != (old or 0):
            return True
    return False


class Zeros(Worn):
    """A tensor whose gradient is 0 is stepped as it would be among others whose gradient is not."""

    count = 64
    """A whole number of vectors of every processor, so that both are rounded alike."""

    def begin(self) -> Any:
        first = self.outside[0]
        values = torch.linspace(-1, 1, 2 * self.count, device=first.device).to(first.dtype)
        self.zero, self.whole = nn.Parameter(values[: self.count].clone()), nn.Parameter(values.clone())
        self.optimizer = self.recipe([self.whole])
        groups = self.groups()
        groups[0]["params"] = [*groups[0]["params"], self.zero]
        return self.recipe(groups if self.in_groups else groups[0]["params"])

    def take(self) -> None:
        gradient = pull(self.taken, self.whole)
        gradient[: self.count] *= self.taken % 2 == 0  # only every other gradient is 0, so that there is a past
        self.zero.grad = gradient[: self.count].clone()
        self.inner.step()
        _follow(self.inner, self.optimizer, self.zero)
        step_with(self.optimizer, self.whole, gradient)
        if not close(self.zero, self.whole[: self.count]):
            raise Broken("a tensor steps otherwise where all of its gradient is 0 than as part of a larger one")


class Empty(Worn):
    """Parameters without entries stand beside the driver's."""

    def begin(self) -> Any:
        first = self.outside[0]
        self.hollow = [nn.Parameter(first.detach().new_empty(shape)) for shape in ((0,), (2, 0))]
        groups = self.groups()
        groups[0]["params"] = [self.hollow[0], *groups[0]["params"], self.hollow[1]]
        return self.recipe(groups if self.in_groups else groups[0]["params"])

    def take(self) -> None:
        for each in self.hollow:
            each.grad = torch.empty_like(each)
        self.inner.step()


class Generated(Worn):
    """The parameters come from a generator, as ``model.parameters()`` gives them."""

    def begin(self) -> Any:
        if self.in_groups:
            return self.recipe(each for each in self.groups())
        return self.recipe(each for each in self.groups()[0]["params"])
