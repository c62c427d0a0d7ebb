"""Which indices of which definitions run step by step: those whose argument is shifted where definitions meet again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from gnomon.compute.whole_numbers import LoweringError
from gnomon.proof.terms import name_of


class Recursion:
    """``loops`` holds for each definition that leans on itself the positions of the indices that run step by step."""

    def __init__(self, lets: Mapping[str, Any]) -> None:
        self.lets = lets
        reach = {
            name: {name_of(e) for e in rhs.atoms(sp.Indexed, sp.Symbol)} & set(lets) for name, (_, rhs) in lets.items()
        }
        for between in reach:
            for name in reach:
                if between in reach[name]:
                    reach[name] |= reach[between]
        self.recursive = {name for name in reach if name in reach[name]}
        self._cycle = {
            name: frozenset(other for other in reach[name] if name in reach[other]) for name in self.recursive
        }
        self._uses = {
            name: [e for e in lets[name][1].atoms(sp.Indexed) if name_of(e) in self._cycle[name]]
            for name in self.recursive
        }
        self._level: dict[frozenset[str], int] = {}
        self._split: dict[str, set[int]] = {}
        self.loops = self._found()

    def deeper(self, name: str) -> None:
        """A definition met itself although its shifted indices run: let those run that a sum binds, at last all.

        Raises:
            LoweringError: if all do.
        """
        cycle = self._cycle.get(name, frozenset())
        if name not in self.recursive or self._level.get(cycle, 0) == 2:
            raise LoweringError(f"{name} is defined through itself")
        self._level[cycle] = self._level.get(cycle, 0) + 1
        self.loops = self._found()

    def split(self, name: str, position: int) -> None:
        """Let an index of a ragged definition run."""
        self._split.setdefault(name, set()).add(position)
        self.loops = self._found()

    def _found(self) -> dict[str, set[int]]:
        loops: dict[str, set[int]] = {name: set() for name in self.recursive}
        for name in self.recursive:
            own = [str(parameter) for parameter in self.lets[name][0]]
            level = self._level.get(self._cycle[name], 0)
            if level == 2:
                loops[name] = set(range(len(own)))
                continue
            for use in self._uses[name]:
                for position, index in enumerate(use.indices):
                    free = {str(symbol) for symbol in index.free_symbols}
                    shifted = not index.is_Symbol and not index.is_Integer and bool(free & set(own))
                    if shifted or (level == 1 and index.is_Symbol and str(index) not in own):
                        loops[name_of(use)].add(position)
                        loops[name] |= {q for q, parameter in enumerate(own) if parameter in free}
        self._shared(loops)
        for name, more in self._split.items():
            loops.setdefault(name, set()).update(more)
        return loops

    def _shared(self, loops: dict[str, set[int]]) -> None:
        """Partners of one cycle share the index that runs."""
        before = -1
        while sum(map(len, loops.values())) > before:
            before = sum(map(len, loops.values()))
            for name in self.recursive:
                own = [str(parameter) for parameter in self.lets[name][0]]
                for use in self._uses[name]:
                    for position, index in enumerate(use.indices):
                        if str(index) not in own:
                            continue
                        mine = own.index(str(index))
                        if mine in loops[name]:
                            loops[name_of(use)].add(position)
                        elif position in loops[name_of(use)]:
                            loops[name].add(mine)
