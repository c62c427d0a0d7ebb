"""What a user is told who asks for something that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A request that cannot be served: what was expected, what came, what to do. Exit code 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that names what the user may have meant."""
    known = list(known)
    bare = name.replace("*", "").strip(".")
    close = difflib.get_close_matches(bare, known, n=3, cutoff=0.4) or [k for k in known if bare.split(".")[0] in k][:3]
    return f"; did you mean {', '.join(close)}?" if close else f"; there are {len(known)}, see `gnomon list`"
