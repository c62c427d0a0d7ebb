"""What was asked of a theory before: questions that differ by the names of dummies alone are one question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import sympy as sp

from gnomon.proof.terms import Facts, name_of

Key = Any
Question = tuple[Key, frozenset[Key]]


class AskedBefore:
    """The answers given so far. Yes holds with more facts, too; what was not shown is not tried with fewer."""

    def __init__(self) -> None:
        self._shown: dict[Key, list[frozenset[Key]]] = defaultdict(list)
        self._not_shown: dict[Key, list[frozenset[Key]]] = defaultdict(list)

    def answer(self, question: Question) -> bool | None:
        """The answer that follows from an earlier one, or None."""
        claim, facts = question
        if any(fewer <= facts for fewer in self._shown.get(claim, ())):
            return True
        return False if any(facts <= more for more in self._not_shown.get(claim, ())) else None

    def keep(self, question: Question, answer: bool) -> None:
        claim, facts = question
        (self._shown if answer else self._not_shown)[claim].append(facts)


def question(claim: Any, facts: Facts, own: Collection[str]) -> Question:
    """A claim and its facts with the dummies numbered by where they occur, those that the theory speaks of (``own``)
    kept.
    """
    numbers: dict[Any, int] = {}
    asked = _key(claim, numbers, own)
    others = {s for fact in facts for s in fact.atoms(sp.Dummy)} - set(numbers)
    for dummy in sorted(others, key=lambda s: (s.name, s.dummy_index)):
        _key(dummy, numbers, own)
    return asked, frozenset(_key(fact, numbers, own) for fact in facts)


def _key(e: Any, numbers: dict[Any, int], own: Collection[str]) -> Key:
    if isinstance(e, sp.Dummy) and name_of(e) not in own:
        return numbers.setdefault(e, len(numbers)), tuple(sorted(e.assumptions0.items()))
    if not isinstance(e, sp.Basic) or not e.args or not e.has(sp.Dummy):
        return e
    return (e.func, *[_key(arg, numbers, own) for arg in e.args])
