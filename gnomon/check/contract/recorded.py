"""What a driver makes of a subject, and what it asks of that: recorded once, so that it can be done again otherwise."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.bound import Bound, unbound

State = dict[str, Tensor]


@dataclass(frozen=True)
class Asked:
    """One call of a method, with the state that the module had then."""

    method: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    state: State
    training: bool


@dataclass
class Creation:
    """An object that a driver made of the subject, with what, and what it then asked of it."""

    subject: Callable[..., Any]
    arguments: Sequence[Any]
    keywords: Mapping[str, Any]
    made: Any
    asked: list[Asked] = field(default_factory=list)
    steps: int = 0

    @property
    def optimizer(self) -> bool:
        """Whether it steps parameters, in groups."""
        return is_optimizer(self.made)

    @property
    def module(self) -> bool:
        """Whether it is a module."""
        return isinstance(self.made, nn.Module)


def is_optimizer(made: Any) -> bool:
    """Whether something steps parameters, in groups: what torch.optim's have, whatever they inherit from."""
    return all(hasattr(made, name) for name in ("param_groups", "state", "step"))


def dressed(subject: Any, wear: Callable[..., Any]) -> Any:
    """A subject that looks like another: ``wear(subject, arguments, keywords)`` is what a call of it gives.

    What is a class stays one, since drivers ask for that.
    """
    own, names = unbound(subject)

    def put_on(*arguments: Any, **keywords: Any) -> Any:
        return wear(own, arguments, keywords)

    if isinstance(own, type):
        outside: dict[str, Any] = {"__new__": lambda cls, *arguments, **keywords: put_on(*arguments, **keywords)}
        with contextlib.suppress(ValueError):  # some have no signature to read
            outside["__signature__"] = inspect.signature(own)
        return _bound(type(own)(own.__name__, (own,), outside), names)
    vars(put_on)["__wrapped__"] = own  # so that its signature is read
    put_on.__name__ = put_on.__qualname__ = getattr(own, "__name__", type(own).__name__)
    return _bound(put_on, names)


def _bound(subject: Any, names: Mapping[str, str]) -> Any:
    return Bound(subject, names) if names else subject


def recorder(subject: Any) -> tuple[Any, list[Creation]]:
    """The subject, and a list that fills with the optimizers and modules that are made of it."""
    creations: list[Creation] = []

    def make(own: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        made = own(*arguments, **keywords)
        creation = Creation(own, arguments, keywords, made)
        if creation.optimizer or creation.module:
            creations.append(creation)
        if creation.optimizer:
            _count(creation)
        elif creation.module:
            _watch(creation)
        return made

    return dressed(subject, make), creations


def _count(creation: Creation) -> None:
    step = creation.made.step

    @functools.wraps(step)
    def counted(*arguments: Any, **keywords: Any) -> Any:
        creation.steps += 1
        return step(*arguments, **keywords)

    creation.made.step = counted


def _watch(creation: Creation) -> None:
    """Each public method notes how it is called from outside, and how the module was before."""
    module, inside = creation.made, [0]
    for name in methods(module):
        setattr(module, name, _watched(creation, name, getattr(module, name), inside))


def methods(module: nn.Module) -> list[str]:
    """What a module's class has beside what every module has: forward, and methods of its own."""
    own = [name for name in dir(type(module)) if not name.startswith("_") and not hasattr(nn.Module, name)]
    return ["forward", *(name for name in own if callable(getattr(module, name, None)))]


def _watched(creation: Creation, name: str, method: Callable[..., Any], inside: list[int]) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(*arguments: Any, **keywords: Any) -> Any:
        if not inside[0]:
            module = creation.made
            state = kept(dict(owned(module)))
            creation.asked.append(Asked(name, kept(arguments), kept(keywords), state, module.training))
        inside[0] += 1
        try:
            return method(*arguments, **keywords)
        finally:
            inside[0] -= 1

    return called


def owned(module: nn.Module) -> Mapping[str, Tensor]:
    """A module's parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def kept(value: Any) -> Any:
    """The same value with tensors of its own."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    return mapped(value, kept)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A nest of tuples, lists and dictionaries with each leaf changed."""
    if isinstance(value, dict):
        return {name: change(inner) for name, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(change, value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(change, value))
    return value


def plain(value: Any) -> bool:
    """Whether every tensor in a nest is one of its own, and not a stand-in of torch.func."""
    if isinstance(value, Tensor):
        return not torch._C._functorch.is_functorch_wrapped_tensor(value)
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    return all(map(plain, value)) if isinstance(value, (tuple, list)) else True
