"""What a subject can be given: the arguments of a function, of a class and of its public methods."""

from __future__ import annotations

import inspect
from typing import Any

from gnomon.drive.bound import unbound

CALLS = ("forward", "__call__")
"""The methods that a call of the object itself leads to."""


def methods(subject: Any) -> dict[str, Any]:
    """The public methods of a class that are its own or of bases of its own: torch's are not the subject's."""
    subject, _ = unbound(subject)
    if not isinstance(subject, type):
        return {}
    found: dict[str, Any] = {}
    for base in reversed(subject.__mro__):
        if base.__module__.partition(".")[0] in ("torch", "builtins", "typing", "abc"):
            continue
        own = {name: value for name, value in vars(base).items() if inspect.isfunction(value)}
        found |= {name: value for name, value in own.items() if not name.startswith("_") or name == "__call__"}
    return found


def named(subject: Any, method: str) -> str:
    """The method that is meant: "()" is what a call of the object leads to."""
    known = methods(subject)
    return next((name for name in CALLS if name in known), "") if method == "()" else method


def parameters(subject: Any, method: str = "") -> dict[str, inspect.Parameter]:
    """The parameters of a subject, or of a method of it, by name; none where they cannot be read."""
    found = signature(subject, method)
    return {} if found is None else dict(found.parameters)


def signature(subject: Any, method: str = "") -> inspect.Signature | None:
    """The signature of a subject, or of a method of it without the object; None where it cannot be read."""
    subject, _ = unbound(subject)
    try:
        if not method:
            return inspect.signature(subject)
        found = inspect.signature(methods(subject)[method])
    except (KeyError, TypeError, ValueError):
        return None
    return found.replace(parameters=list(found.parameters.values())[1:])


def path(method: str, name: str) -> str:
    """How an argument of a subject, or of a method of it, is called: ``lr``, ``forward.x``."""
    return f"{method}.{name}" if method else name


def arguments(subject: Any) -> dict[str, inspect.Parameter]:
    """Every argument: ``lr`` of a class or a function, ``forward.x`` of a method."""
    found = parameters(subject)
    for method in methods(subject):
        found |= {path(method, name): parameter for name, parameter in parameters(subject, method).items()}
    return found
