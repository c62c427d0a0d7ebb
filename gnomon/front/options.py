"""``gnomon list --options``: each argument of the reference's models, and which claims give it with which values."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from gnomon.check.options import Argument, options_of

WIDTH = 72
"""How long the values of an argument may be on a terminal."""


def shown(subjects: Sequence[str], coloured: Callable[[str, str], str]) -> str:
    """A block for each subject, a line for each argument."""
    return "\n\n".join(_block(subject, options_of(subject), coloured) for subject in subjects)


def as_data(subjects: Sequence[str]) -> str:
    """The same as JSON."""
    rows = [
        {"subject": subject, **asdict(argument), "looked_at": argument.looked_at, "missed": argument.missed}
        for subject in subjects
        for argument in options_of(subject)
    ]
    return json.dumps({"options": rows}, indent=1, ensure_ascii=False)


def _block(subject: str, arguments: Sequence[Argument], coloured: Callable[[str, str], str]) -> str:
    left = [argument.name + ("" if argument.default is None else f"={argument.default}") for argument in arguments]
    width = max(map(len, left), default=0)
    lines = [f"  {name:{width}}  {_said(argument, coloured)}" for name, argument in zip(left, arguments, strict=True)]
    return "\n".join([subject, *(lines or ["  takes no argument"])])


def _said(argument: Argument, coloured: Callable[[str, str], str]) -> str:
    if argument.missed:
        word = "unknown" if argument.unknown and not argument.given else "NOT LOOKED AT"
        return f"{coloured(word, '33')}: {argument.missed}"
    values = dict.fromkeys(word for words in argument.given.values() for word in words)
    text = ", ".join(values)
    text = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    others = [id for id, words in argument.given.items() if words != [argument.default]]
    claims = others[0] + (f" and {len(others) - 1} more" if len(others) > 1 else "")
    return f"{text}  ({claims})"
