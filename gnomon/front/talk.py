"""What a command says beside its data: on stderr, in colour where somebody looks."""

from __future__ import annotations

import os
import sys
from typing import Any


def say(text: str) -> None:
    """Talk goes to stderr; stdout is for data."""
    print(text, file=sys.stderr, flush=True)


def coloured(text: str, code: str, stream: Any = None) -> str:
    """Text in colour, if the stream is a terminal and NO_COLOR is not set."""
    stream = stream or sys.stdout
    return f"\033[{code}m{text}\033[0m" if stream.isatty() and not os.environ.get("NO_COLOR") else text


def progress(text: str) -> None:
    """One line on a terminal that is written over; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
