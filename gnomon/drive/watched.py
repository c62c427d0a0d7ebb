"""A subject whose calls go through a function of ours: to see what it is given, or to give it something else."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from gnomon.drive.bound import Bound, unbound

Around = Callable[[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]], Any]
"""What is done in the place of a call: it gets the function (of a module: ``forward``), arguments and keywords."""


def _parameters(argument: Any) -> bool:
    """Whether an argument is parameters, or groups of them."""
    if isinstance(argument, dict):
        return _parameters(argument.get("params"))
    if isinstance(argument, (list, tuple)):
        return any(map(_parameters, argument))
    return isinstance(argument, nn.Parameter)


def watched(subject: Any, around: Around) -> Any:
    """The subject, with ``around`` in the place of each of its calls; of a class of modules: of each forward pass.

    Other classes are made as they are, and what their objects do is not seen; so is what is made for parameters, as
    an optimizer is by any function.
    """
    own, names = unbound(subject)

    @functools.wraps(own, updated=())
    def made(*arguments: Any, **keywords: Any) -> Any:
        if not (isinstance(own, type) or any(map(_parameters, arguments))):
            return around(own, arguments, keywords)
        found = own(*arguments, **keywords)
        if isinstance(found, nn.Module):
            forward = found.forward
            found.forward = functools.wraps(forward)(lambda *a, **k: around(forward, a, k))
        return found

    return Bound(made, names) if names else made
