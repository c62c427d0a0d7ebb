"""What a law may speak of and no program computes: expectations over noise, integrals and limits.

Such a law is proved. What is checked of it is that the subject shows what the program computes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.mean import Law, Mean
from gnomon.proof.terms import mentioned, name_of

UNCOMPUTED = (Mean, sp.Integral, sp.Limit)


@dataclass(frozen=True)
class Noise:
    """An array that is drawn at random, entry for entry of a law, and that nobody gives as an input."""

    name: str
    law: Law
    shape: tuple[Any, ...]

    @property
    def symbol(self) -> Any:
        return sp.IndexedBase(self.name, real=True, **dict.fromkeys(self.law.said, True))


def uncomputed(e: Any, definitions: Iterable[Definition]) -> bool:
    """Whether an expression, or a definition that it leans on, has an expectation, an integral or a limit in it."""
    known = {d.name: d.rhs for d in definitions}
    todo = [sp.sympify(e)]
    seen: set[str] = set()
    while todo:
        now = todo.pop()
        if now.has(*UNCOMPUTED):
            return True
        todo += [known[name] for name in mentioned(now) & set(known) - seen]
        seen |= mentioned(now)
    return False


def left_random(e: Any, definitions: Iterable[Definition], noise: Iterable[str]) -> set[str]:
    """The noise that an expression reads outside of expectations over it, through definitions, too."""
    hidden: dict[str, set[str]] = {name: {name} for name in noise}
    definitions, more = tuple(definitions), bool(hidden)
    while more:  # definitions may lean on each other in any order
        found = {d.name: _read(d.rhs, hidden) for d in definitions}
        more = any(found[name] != hidden.get(name, set()) for name in found)
        hidden |= found
    return _read(sp.sympify(e), hidden)


def _read(e: Any, hidden: dict[str, set[str]]) -> set[str]:
    if isinstance(e, Mean):
        return _read(e.e, hidden) - {name_of(e.binds)}
    own = hidden.get(name_of(e), set()) if isinstance(e, (sp.Indexed, sp.Symbol)) else set()
    return own.union(*[_read(arg, hidden) for arg in e.args])
