"""Which arguments an older driver gives to a subject: seen by putting a subject in its place that writes them down."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from gnomon.check.strategies import draw_examples
from gnomon.check.task import Task
from gnomon.find.signatures import methods, path, signature

EXAMPLES = 16
"""How many structures and hyper-parameters the driver is seen with."""
FEW = 4
"""How many different numbers are listed; of more, the least and the greatest are said."""

Seen = dict[str, dict[str, float | None]]
"""Of each argument the values in words, in the order in which they came, with the number that each is."""


class Record:
    """What was given from outside: what a subject gives to its own methods is its own affair."""

    def __init__(self) -> None:
        self.seen: Seen = {}
        self._inside = 0

    def given(self, method: str, found: inspect.Signature | None, arguments: Any, keywords: Mapping[str, Any]) -> None:
        """Write the arguments of a call down, those that it leaves to their defaults as well."""
        if self._inside or found is None:
            return
        bound = found.bind(*arguments, **keywords)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            self.seen.setdefault(path(method, name), {}).setdefault(*_word(value))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While the subject itself is at work."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def words(self) -> dict[str, list[str]]:
        """Of each argument its values in words."""
        return {name: _few(values) for name, values in self.seen.items()}


def passed(task: Task, seed: int = 0) -> dict[str, list[str]] | None:
    """What the driver of a task gives for each argument of the subject; None if that cannot be seen."""
    record = Record()
    watched = Task(task.claim, task.driver, watching(task.subject, record), task.dtype, task.device, task.compiled)
    try:
        for example in draw_examples(task.claim, EXAMPLES, seed):
            observer, batch = watched.observer(example), watched.batch(example, 1)
            observer.one({name: value[0] for name, value in observer.tensors(batch).items()})
    except Exception:  # a driver that looks into the subject, and finds another than it expects
        return None
    return record.words() or None


def watching(subject: Any, record: Record) -> Any:
    """The subject, which writes down what it is given."""
    if not isinstance(subject, type):
        return _watching(subject, "", signature(subject), record, False)
    body = {
        name: _watching(method, name, signature(subject, name), record, True)
        for name, method in methods(subject).items()
    }
    body["__init__"] = _watching(subject.__init__, "", signature(subject), record, True)  # type: ignore[misc]
    return type(subject)(subject.__name__, (subject,), body)


def _watching(
    function: Callable[..., Any], method: str, found: inspect.Signature | None, record: Record, bound: bool
) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*arguments: Any, **keywords: Any) -> Any:
        record.given(method, found, arguments[bound:], keywords)
        with record.inside():
            return function(*arguments, **keywords)

    return watched


def _word(value: Any) -> tuple[str, float | None]:
    if isinstance(value, Tensor):
        return "tensor", None
    if value is None or isinstance(value, (bool, str)):
        return repr(value), None
    if isinstance(value, (int, float)):
        return (f"{value:.3g}" if round(value, 6) != value else repr(value)), float(value)
    if isinstance(value, (tuple, list)):
        inside = [_word(item)[0] for item in value]
        return (f"({', '.join(inside)})" if isinstance(value, tuple) else f"[{', '.join(inside)}]"), None
    return getattr(value, "__name__", type(value).__name__), None


def _few(values: Mapping[str, float | None]) -> list[str]:
    words = [word for word, number in values.items() if number is None]
    numbers = {number: word for word, number in values.items() if number is not None}
    if len(numbers) > FEW:
        return [*words[:FEW], f"{numbers[min(numbers)]} … {numbers[max(numbers)]}"]
    return [*(words if len(words) <= FEW else [*words[:FEW], "…"]), *numbers.values()]
