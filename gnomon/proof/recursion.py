"""Recursions: what a definition leans on, and whether its turns are seen to end."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.normal_form import fresh
from gnomon.proof.terms import Facts, indices_of, name_of, walk


def ends(theory: Any, name: str) -> bool:
    """Whether a recursion is seen to end.

    One index, of the same name or at the same place in each definition, falls (or rises) at each turn, by linear
    arithmetic. Where it stays, nothing comes round, or what does ends by another index: stages within a step.
    """
    group = {other for other in theory.reach(name) if name in theory.reach(other)}
    return _end(theory, [turn for other in sorted(group) for turn in _turns(theory, other, group)])


@dataclass(frozen=True)
class Turn:
    """A definition's entry leans on another's, where some facts hold."""

    entry: Any
    leans_on: Any
    facts: Facts


def _turns(theory: Any, name: str, group: set[str]) -> list[Turn]:
    definition, found = theory.definitions[name], []

    def see(x: Any, facts: Facts) -> None:
        if isinstance(x, (sp.Indexed, sp.Symbol)) and name_of(x) in group:
            found.append(Turn(definition.lhs, x, facts))

    walk(fresh(definition.rhs), definition.given | theory.facts, see)
    return found


def _end(theory: Any, turns: list[Turn]) -> bool:
    """Whether turns come to an end: those that come round all keep or lower one index, and the rest of them end."""
    round_ = _round(turns)
    if not round_:
        return True
    own = {name_of(turn.entry): indices_of(turn.entry) for turn in round_}
    named = [{o: own[o].index(i) for o in own} for i in next(iter(own.values())) if all(i in own[o] for o in own)]
    placed = [dict.fromkeys(own, place) for place in range(min(map(len, own.values())))]
    for places, way in itertools.product((*named, *placed), (1, -1)):
        staying = [turn for turn in round_ if not _falls(theory, turn, places, way, 1)]
        if len(staying) < len(round_) and all(_falls(theory, turn, places, way, 0) for turn in staying):
            return _end(theory, staying)
    return False


def _falls(theory: Any, turn: Turn, places: dict[str, int], way: int, by: int) -> bool:
    old, new = (indices_of(x)[places[name_of(x)]] for x in (turn.entry, turn.leans_on))
    return bool(theory.signs.holds(way * (old - new) - by, turn.facts, False))


def _round(turns: list[Turn]) -> list[Turn]:
    """The turns from which a way leads back to where they start."""
    leads: dict[str, set[str]] = {}
    for turn in turns:
        leads.setdefault(name_of(turn.entry), set()).add(name_of(turn.leans_on))

    def back(start: str, to: str) -> bool:
        seen: set[str] = set()
        todo = [start]
        while todo:
            here = todo.pop()
            if here == to:
                return True
            todo += leads.get(here, set()) - seen
            seen |= leads.get(here, set())
        return False

    return [turn for turn in turns if back(name_of(turn.leans_on), name_of(turn.entry))]
