"""The part of a board that reduces a range to one number otherwise than by a sum, and that masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from gnomon.proof.reductions import ArgMax, ArgMin, Kept, Largest, LogSumExp, Reduction, Smallest
from gnomon.say.sheet import Sheet


class Reducing(Sheet):
    """Extremes over the whole ranges of indices, which are not empty, and what is left out of them."""

    def max(self, term: Any, *indices: Any) -> Any:
        """The greatest term over the whole ranges of some indices."""
        return self._reduced(Largest, term, indices)

    def min(self, term: Any, *indices: Any) -> Any:
        """The least term."""
        return self._reduced(Smallest, term, indices)

    def logsumexp(self, term: Any, *indices: Any) -> Any:
        """The logarithm of the sum of exp(term)."""
        return self._reduced(LogSumExp, term, indices)

    def argmax(self, term: Any, index: Any) -> Any:
        """The first value of an index at which the term is greatest."""
        return self._reduced(ArgMax, term, (index,))

    def argmin(self, term: Any, index: Any) -> Any:
        """The first value of an index at which the term is least."""
        return self._reduced(ArgMin, term, (index,))

    def where(self, kept: Any, term: Any, otherwise: Any = None) -> Any:
        """The term where a mask's entry is 1, and something else where it is 0: minus infinity, for a masked score."""
        held = sp.Eq(kept, 1)
        return Kept(term, held) if otherwise is None else sp.Piecewise((term, held), (otherwise, True))

    def _reduced(self, kind: type[Reduction], term: Any, indices: Sequence[Any]) -> Any:
        for index in indices:
            term = kind(term, (index, *self.ranges[index]))
        return term
