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

    One index falls (or rises) at each turn, by linear arithmetic; where it stays, nothing comes round.
    """
    group = sorted(other for other in theory.reach(name) if name in theory.reach(other))
    indices = indices_of(theory.definitions[name].lhs)
    return any(_falls(theory, group, at, way) for at, way in itertools.product(indices, (1, -1)))


def _falls(theory: Any, group: list[str], index: Any, way: int) -> bool:
    places = {}
    for other in group:
        indices = indices_of(theory.definitions[other].lhs)
        if index not in indices:
            return False
        places[other] = indices.index(index)
    level: dict[str, set[str]] = {other: set() for other in group}
    good = True

    def look(other: str) -> Callable[[Any, Facts], None]:
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
