"""Programs that are right and organised otherwise than the reference models: none of them may fail."""

from typing import Any, NamedTuple


class Right(NamedTuple):
    """A right program: what it is, why it is right, whose place it takes, and the claims that it is asked about.

    Without claims, all about the subject.
    """

    name: str
    why: str
    subject: str
    program: Any
    claims: tuple[str, ...] = ()
