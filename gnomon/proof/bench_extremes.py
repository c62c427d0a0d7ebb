"""The part of a bench that speaks of extremes and of log-sum-exp over index ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from gnomon.proof import extremes, inequality
from gnomon.proof.goals import Goal
from gnomon.proof.theorem import Theorem
from gnomon.proof.theory import Theory


class Extremes:
    """Theorems on extremes, under what the goal supposes. Nothing here is trusted."""

    theory: Theory
    goal: Goal

    def term(self, extreme: Any, place: Any, given: Sequence[Any] = ()) -> Theorem:
        """A term is at most the greatest, and at least the least."""
        return extremes.bounded_by(self.theory, extreme, place, self.goal.given | frozenset(given))

    def attained(self, extreme: Any) -> Theorem:
        """The greatest, or the least, is the term at the place where it is."""
        return extremes.attained(self.theory, extreme, self.goal.given)

    def extreme(self, theorem: Theorem, *limit: Any, kept: Any = sp.true) -> Theorem:
        """What bounds every term of a range (that is kept) bounds the greatest, or from below, the least."""
        return extremes.extreme(self.theory, theorem, limit, self.goal.given, kept)

    def last_term(self, e: Any) -> Theorem:
        """An extreme, or log-sum-exp, with its last term taken off."""
        return extremes.last_term(self.theory, e, self.goal.given)

    def powers(self, e: Any) -> Theorem:
        """Log-sum-exp is the logarithm of the sum of powers."""
        return extremes.powers(self.theory, e, self.goal.given)

    def shifted(self, e: Any, by: Any) -> Theorem:
        """A shift taken out of an extreme or of log-sum-exp: ``Largest(e) = by + Largest(e - by)``."""
        return extremes.shifted(self.theory, e, by, self.goal.given)

    def turned(self, e: Any) -> Theorem:
        """The greatest is minus the least of the negative terms."""
        return extremes.turned(self.theory, e, self.goal.given)

    def both_ways(self, below: Theorem, above: Theorem) -> Theorem:
        """``a = b`` from ``a <= b`` and ``b <= a``."""
        return inequality.both_ways(self.theory, below, above)
