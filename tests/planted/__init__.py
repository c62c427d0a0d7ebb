"""Implementations with a bug in them, each a plausible mistake in torch code; the checks must find every one."""

from typing import Any, NamedTuple


class Planted(NamedTuple):
    """A bug: what is wrong, whose place the implementation takes, and the implementation."""

    bug: str
    subject: str
    implementation: Any
