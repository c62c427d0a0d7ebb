"""Definitions: names for expressions, and what stands for what once they are put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.defined import thing
from gnomon.proof.normal_form import fresh
from gnomon.proof.terms import Facts, indices_of, mentioned, name_of, put, walk
from gnomon.proof.theorem import Theorem


@dataclass(frozen=True)
class Definition:
    """``lhs = rhs`` for every value of its indices in their ranges: limits ``(index, first, last)`` for each index."""

    lhs: Any
    rhs: Any
    ranges: tuple[tuple[Any, Any, Any], ...] = ()

    @property
    def name(self) -> str:
        return name_of(self.lhs)


class Definitions:
    """What a theory defines, by name, and how one definition leans on another."""

    def __init__(self) -> None:
        self.definitions: dict[str, Theorem] = {}
        self._opened: dict[Any, Any] = {}

    def plain(self, e: Any) -> Any:
        """The expression with its plain definitions put in, or None if there is none in it."""
        hit = False

        def open_up(x: Any, _: Facts) -> Any:
            nonlocal hit
            found = self.defined(x)
            if found is None or self.recursive(name_of(x)):
                return None
            hit = True
            return self.opened(x)

        try:
            e = walk(fresh(sp.sympify(e)), frozenset(), open_up)
        except ValueError:  # SymPy pulled a Piecewise out of an inner sum, away from its dummy
            return None
        return e if hit else None

    def opened(self, x: Any) -> Any:
        """What an entry or a symbol that is defined stands for."""
        if x not in self._opened:
            found = self.definitions[name_of(x)]
            self._opened[x] = put(found.rhs, dict(zip(indices_of(found.lhs), indices_of(x), strict=True)))
        return fresh(self._opened[x])

    def defined(self, x: Any) -> Theorem | None:
        """The definition of an entry or a symbol, if it has one."""
        if not isinstance(x, (sp.Indexed, sp.Symbol)) or isinstance(x, sp.Dummy):
            return None
        found = self.definitions.get(name_of(x))
        return found if found is not None and thing(found.lhs) == thing(x) else None

    def expanded(self, e: Any) -> Any:
        """The expression with plain definitions put in until none is left."""
        for _ in range(len(self.definitions) + 1):
            more = self.plain(e)
            if more is None:
                return e
            e = more
        return e

    def plain_in(self, e: Any) -> list[str]:
        """The names in an expression of definitions that do not recur, sorted."""
        names = mentioned(e) & set(self.definitions)
        return sorted(name for name in names if not self.recursive(name))

    def reach(self, name: str) -> set[str]:
        """The definitions that one leans on, directly or not."""
        found: set[str] = set()
        todo = [name]
        while todo:
            more = (mentioned(self.definitions[todo.pop()].rhs) & set(self.definitions)) - found
            found |= more
            todo += more
        return found

    def recursive(self, name: str) -> bool:
        return name in self.reach(name)

    def leans(self, name: str) -> set[str]:
        """All names that a definition leans on."""
        return set().union(*[mentioned(self.definitions[n].rhs) for n in {name, *self.reach(name)}])
