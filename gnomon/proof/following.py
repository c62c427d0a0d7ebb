"""What follows from a theory: from its facts and domains, and from its conditions at the entries that they speak of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sympy as sp

from gnomon.proof.facts import Row, entails, settled
from gnomon.proof.mean import Exists
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.terms import Facts, alike, places
from gnomon.proof.theorem import Obligation

if TYPE_CHECKING:
    from gnomon.proof.theory import Theory


def follows(theory: Theory, obligation: Obligation) -> bool:
    """Whether an obligation follows from its facts, and from the domains, facts and conditions of the theory."""
    claim, facts = obligation.claim, obligation.facts | theory.facts
    if isinstance(claim, sp.And):
        return all(theory.closes(Obligation(part, obligation.facts)) for part in claim.args)
    if isinstance(claim, sp.Ne) and _above_0(theory, claim.lhs - claim.rhs, facts):
        return True
    if theory.signs.entails(facts, claim):
        return True
    if isinstance(claim, sp.Ne):
        return theory.signs.nonzero(claim.lhs - claim.rhs, facts)
    if isinstance(claim, (sp.Ge, sp.Gt, sp.Le, sp.Lt)):
        gap, strict = claim.gts - claim.lts, isinstance(claim, (sp.Gt, sp.Lt))
        return theory.signs.holds(gap, facts, strict) or (not strict and _below_a_floor(theory, gap, facts))
    if isinstance(claim, sp.Eq) and _supposed(theory, claim):
        return True
    if isinstance(claim, Exists):
        return any(isinstance(f, sp.Eq) and alike(claim.args[0], side) for f in facts for side in f.args)
    if isinstance(claim, sp.Or):
        return any(theory.closes(Obligation(part, obligation.facts)) for part in claim.args)
    return False


def _above_0(theory: Theory, entry: Any, facts: Facts) -> bool:
    """Whether a condition says just this, that an entry is positive: seen before all that is known is put together.

    Where entries are bound to each other by many equations, as eigenvectors are, that takes seconds.
    """
    for condition in theory.conditions.values() if isinstance(entry, sp.Indexed) else ():
        if condition.rel == "<" and condition.lhs == 0 and isinstance(condition.rhs, sp.Indexed):
            for values in places(condition, entry):
                at = [fresh(fact).xreplace(values) for fact in condition.given]
                same = fresh(condition.rhs).xreplace(values) == entry
                if same and all(entails(facts, fact, theory.signs.of_bounds) for fact in at):
                    return True
    return False


def _supposed(theory: Theory, claim: Any) -> bool:
    """Whether an equation is a condition."""
    whole = [c for c in theory.conditions.values() if c.rel == "=" and not c.over and not c.given]
    return any(canon(c.lhs - c.rhs - claim.lhs + claim.rhs) == 0 for c in whole)


def _below_a_floor(theory: Theory, gap: Any, facts: Facts) -> bool:
    """``e >= 0`` by ``s e >= 0``, for a positive s that divides within a floor."""
    below = [x.args[0].as_numer_denom()[1] for x in gap.atoms(sp.floor)]
    return any(s.is_positive and theory.signs.entails(facts, sp.Ge(sp.expand(s * gap), 0)) for s in below)


def said_of(theory: Theory, part: Any, facts: Facts) -> Iterator[Row]:
    """What the conditions say of a part: at the indices that make an entry of theirs an entry of it."""
    for condition in theory.conditions.values():
        if not condition.over:
            continue
        for values in places(condition, part):
            at = [fresh(fact).xreplace(values) for fact in condition.given]
            if not all(entails(facts | theory.facts, fact, theory.signs.of_bounds) for fact in at):
                continue
            gap = settled(fresh(condition.rhs - condition.lhs).xreplace(values), facts)
            for form in dict.fromkeys((sp.expand(gap), canon(gap), canon(theory.expanded(gap)))):
                yield form, condition.rel == "<"
                if condition.rel == "=":
                    yield -form, False
