"""Names of the user's own for ours: a right program whose parameters are called otherwise can be bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gnomon.say.errors import UsageError


class Bound:
    """A subject whose own names are given for ours: parameters, buffers, state, keywords, attributes."""

    def __init__(self, subject: Any, names: Mapping[str, str]) -> None:
        self.subject, self.names = subject, dict(names)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.subject(*arguments, **keywords)


def unbound(subject: Any) -> tuple[Any, Mapping[str, str]]:
    """What was bound, and its names; a subject may bring its own as ``gnomon_names``."""
    if isinstance(subject, Bound):
        return subject.subject, subject.names
    return subject, getattr(subject, "gnomon_names", {})


def parse_names(text: str) -> dict[str, str]:
    """Read ``ours=yours,...``.

    Raises:
        UsageError: if it does not look like that.
    """
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(ours.strip() and yours.strip() for ours, _, yours in pairs):
        raise UsageError(f"names {text!r}: expected ours=yours,..., like weight_ih=x2h.weight,bias_ih=x2h.bias")
    return {ours.strip(): yours.strip() for ours, _, yours in pairs}


def proposal(absent: Mapping[str, tuple[int, ...]], free: Mapping[str, tuple[int, ...]]) -> str:
    """How the absent names, ours, could be bound to free ones: names and all where the shapes leave no choice."""
    pairs = []
    for ours, shape in absent.items():
        alike = [yours for yours, other in free.items() if other == shape]
        if len(alike) != 1 or list(absent.values()).count(shape) != 1:
            return "; bind yours with --bind ours=yours,..."
        pairs.append(f"{ours}={alike[0]}")
    return f"; try --bind {','.join(pairs)}" if pairs else ""
