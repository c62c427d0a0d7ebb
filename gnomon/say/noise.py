"""What a law may speak of and no program computes: expectations over noise, integrals and limits.

Such a law is proved. What is checked of it is that the subject shows what the program computes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.mean import Indices, Law, Mean
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


class Uncomputed:
    """The part of a board on which expectations, integrals and limits are written."""

    def __init__(self) -> None:
        self.noises: list[Noise] = []
        self.variables: set[str] = set()

    def _new(self, name: str) -> None:
        raise NotImplementedError

    def wrong(self, message: str) -> ValueError:
        raise NotImplementedError

    def noise(self, name: str, law: Law, *shape: Any) -> Any:
        """An array that is drawn at random by a law of :mod:`gnomon.proof.mean`: a claim speaks of means over it.

        Random indices (``Draws``, ``Sample``, ``Categorical``) have the shape that their law says.
        """
        self._new(name)
        extents = (law.count,) if isinstance(law, Indices) else tuple(map(sp.sympify, shape))
        if not extents or (isinstance(law, Indices) and shape):
            raise self.wrong(f"noise {name}: give the shape of its entries; random indices have that of their law")
        self.noises.append(Noise(name, law, extents))
        return self.noises[-1].symbol

    def mean(self, e: Any, noise: Any, law: Law | None = None) -> Any:
        """The expectation of an expression over noise, all else fixed. Of an input that is noise here, say the law."""
        laws = [one.law for one in self.noises if one.name == name_of(noise)] + ([law] if law else [])
        if len(laws) != 1:
            raise self.wrong(
                f"the mean over {noise}: noise has one law, said where it is declared; an input's is given"
            )
        return Mean(e, noise, laws[0])

    def variable(self, name: str, **assumptions: bool) -> Any:
        """A symbol that integrals and limits bind: real, or with SymPy's assumptions."""
        self._new(name)
        self.variables.add(name)
        return sp.Symbol(name, **{"real": True, **assumptions})

    def integral(self, e: Any, *limits: tuple[Any, Any, Any]) -> Any:
        """The integral over limits ``(variable, from, to)``, the innermost first."""
        return sp.Integral(e, *limits)

    def limit(self, e: Any, variable: Any, to: Any = sp.oo) -> Any:
        """What an expression tends to, for a variable to infinity, or to 0 from above."""
        return sp.Limit(e, variable, to, "+" if to == 0 else "-")


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
