"""A subject whose calls go through a function of ours: to see what it is given, or to give it something else."""

from __future__ import annotations

import functools
import inspect
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


def watched(subject: Any, around: Around, *, objects: bool = False) -> Any:
    """The subject, with ``around`` in the place of each of its calls; of a class of modules: of each forward pass.

    Other classes are made as they are, and what their objects do is not seen, unless ``objects`` asks for it: then
    they are made through ``around``, and each call of a public method that comes from outside goes through it, those
    of modules too. What is made for parameters, as an optimizer is by any function, is left alone.
    """
    own, names = unbound(subject)

    @functools.wraps(own, updated=())
    def made(*arguments: Any, **keywords: Any) -> Any:
        if not isinstance(own, type):
            return own(*arguments, **keywords) if any(map(_parameters, arguments)) else around(own, arguments, keywords)
        if issubclass(own, nn.Module):
            found: Any = own(*arguments, **keywords)
            if not (objects and _seen(found, around)):
                forward = found.forward
                found.forward = functools.wraps(forward)(lambda *a, **k: around(forward, a, k))
        elif objects and not any(map(_parameters, arguments)):
            found = around(own, arguments, keywords)
            _seen(found, around)
        else:
            found = own(*arguments, **keywords)
        return found

    return Bound(made, names) if names else made


def _seen(found: Any, around: Around) -> bool:
    """Let an object's methods, called from outside, go through ``around``; whether it can be given such a class.

    Of a module the forward pass and what modules in general have not.
    """
    kind, inside = type(found), [False]
    metaclass: Any = type(kind)

    def through(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def run(self: Any, *arguments: Any, **keywords: Any) -> Any:
            if inside[0]:
                return method(self, *arguments, **keywords)
            inside[0] = True
            try:
                return around(functools.partial(method, self), arguments, keywords)
            finally:
                inside[0] = False

        return run

    public = [name for name in dir(kind) if name == "__call__" or not name.startswith("_")]
    if isinstance(found, nn.Module):
        public = [name for name in public if name == "forward" or not hasattr(nn.Module, name)]
    methods = {name: method for name in public if inspect.isfunction(method := inspect.getattr_static(kind, name))}
    try:
        found.__class__ = metaclass(kind.__name__, (kind,), {name: through(each) for name, each in methods.items()})
    except TypeError:  # a class with slots, or a final one
        return False
    return True
