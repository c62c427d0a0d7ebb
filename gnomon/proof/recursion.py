"""Recursions: what a definition leans on, and whether its turns are seen to end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import sympy as sp

from gnomon.proof.normal_form import fresh
from gnomon.proof.terms import Facts, indices_of, name_of, walk


def ends(theory: Any, name: str) -> bool:
    """Whether a recursion is seen to end.

    One index, of the same name or at the same place in each definition, falls (or rises) at each turn, by linear
    arithmetic; where it stays, nothing comes round.
    """
    group = sorted(other for other in theory.reach(name) if name in theory.reach(other))
    own = {other: indices_of(theory.definitions[other].lhs) for other in group}
    named = [{other: own[other].index(i) for other in group} for i in own[name] if all(i in own[o] for o in group)]
    placed = [dict.fromkeys(group, place) for place in range(min(map(len, own.values())))]
    return any(_falls(theory, places, way) for places, way in itertools.product((*named, *placed), (1, -1)))


def _falls(theory: Any, places: dict[str, int], way: int) -> bool:
    group = list(places)
    level: dict[str, set[str]] = {other: set() for other in group}
    good = True

    def look(other: str) -> Callable[[Any, Facts], None]:
        index = indices_of(theory.definitions[other].lhs)[places[other]]

        def see(x: Any, facts: Facts) -> None:
            nonlocal good
            if isinstance(x, sp.Indexed) and name_of(x) in level:
                fall = way * (index - x.indices[places[name_of(x)]])
                if not theory.signs.holds(fall, facts, False):
                    good = False
                elif not theory.signs.holds(fall - 1, facts, False):
                    level[other].add(name_of(x))

        return see

    for other in group:
        definition = theory.definitions[other]
        walk(fresh(definition.rhs), definition.given | theory.facts, look(other))
    while good and any(not to & set(level) for to in level.values()):
        level = {other: to for other, to in level.items() if to & set(level)}
    return good and not level
