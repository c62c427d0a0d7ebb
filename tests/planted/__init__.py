"""Implementations with a bug in them, each a plausible mistake in torch code; the checks must find every one."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch


class Planted(NamedTuple):
    """A bug: what is wrong, whose place the implementation takes, and the implementation."""

    bug: str
    subject: str
    implementation: Any


def closed(step: Callable[[Any], None]) -> Callable[..., Any]:
    """An optimizer's step that evaluates a closure first, as all do, and returns its loss."""

    @functools.wraps(step)
    def whole(self: Any, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            step(self)
        return loss

    del whole.__wrapped__  # whose signature has no closure
    return whole
