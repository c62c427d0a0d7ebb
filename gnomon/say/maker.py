"""Claims that are built only when they are asked for: functions of a board, titled by their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any

from gnomon.say.board import Board
from gnomon.say.claim import Claim, Kind, checked_id
from gnomon.say.sheet import Mutation


class ClaimMaker:
    """A claim to be: its id, section, subject and title are known at once, its formulas when it is built."""

    def __init__(self, id: str, section: str, subject: str, kind: Kind, make: Callable[[Board], Any]) -> None:
        checked_id(id)
        self.id, self.section, self.subject, self.kind, self.make = id, section, subject, kind, make
        self.title = (inspect.getdoc(make) or "").partition("\n")[0].rstrip(".")
        if not self.title:
            raise ValueError(f"claim {id}: the function's docstring begins with the claim's title")

    @cached_property
    def claim(self) -> Claim:
        """The claim, built at the first look."""
        return self.built()

    def built(self, mutation: Mutation | None = None) -> Claim:
        """The claim, or what it would be with a domain or a condition changed."""
        board = Board(self.id, self.section, self.subject, self.kind, self.title, mutation)
        self.make(board)
        return board.claim()

    def __repr__(self) -> str:
        return f"<claim {self.id}>"


def claim(
    id: str, section: str, subject: str, kind: Kind = "equality"
) -> Callable[[Callable[[Board], Any]], ClaimMaker]:
    """Make a claim of a function of a :class:`~gnomon.say.board.Board`.

    ``id`` is the ledger row's id, ``section`` the notes', ``subject`` is ``<file in reference/>.<object>``; the first
    line of the docstring is the title.
    """
    return lambda make: ClaimMaker(id, section, subject, kind, make)
