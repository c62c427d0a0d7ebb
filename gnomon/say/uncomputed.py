"""The part of a board on which expectations, integrals and limits are written."""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof.mean import Indices, Law, Mean
from gnomon.proof.terms import name_of
from gnomon.say.noise import Noise
from gnomon.say.sheet import Sheet


class Uncomputed(Sheet):
    """What a law may speak of and no program computes."""

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
