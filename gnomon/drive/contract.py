"""Calling what the user wrote: a signature that does not fit is not a wrong program, but one that cannot be called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gnomon.drive.driver import SubjectError


class NotCallable(SubjectError):
    """The subject cannot be called as the claim calls it: other arguments, other names, other shapes of parameters."""

    def __init__(self, reason: str) -> None:
        super().__init__("not callable here", reason)


def called(function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], words: object) -> Any:
    """The function's value, once its signature is known to take the arguments; ``words`` say how it is called
    (as a string, which is asked for where it does not fit).

    Raises:
        NotCallable: if it does not take them.
    """
    fits(function, arguments, keywords, words)
    return function(*arguments, **keywords)


def fits(function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], words: object) -> None:
    """Hold a signature, where there is one to read, against arguments.

    Raises:
        NotCallable: if it does not take them.
    """
    if not callable(function):
        raise NotCallable(f"expected {words}, got {type(function).__name__}, which is not callable")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # what is built in may have none
        return
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        name = getattr(function, "__qualname__", type(function).__name__)
        raise NotCallable(f"expected {words}, got {name}{signature}: {error}") from None


def renamed(function: Callable[..., Any], keywords: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Keywords under the user's own names, where a function does not take ours."""
    try:
        taken = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return dict(keywords)
    return {names.get(name, name) if name not in taken else name: value for name, value in keywords.items()}
