"""Limits by squeezing: what differs from a number by no more than a rate that vanishes has it as its limit."""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof.equality import belongs, needed, zero_by
from gnomon.proof.inequality import holds
from gnomon.proof.terms import Facts
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory


def squeezed(theory: Theory, theorem: Theorem, f: Any, c: Any, x: Any, to: Any = sp.oo) -> Theorem:
    """``Limit(f, x, to) = c`` from ``|f - c| <= rate``: for x to infinity, or x to 0 from above.

    The rate is made of powers that vanish, ``1 / x``, ``r**x`` for a constant below 1, ``e**(-x)``, ``x`` itself at 0,
    and of what stays bounded. The theorem may suppose that x is large, or small and positive.

    Raises:
        Refused: if x is of the claim, if more is supposed of it, or the rate is not seen to vanish.
    """
    belongs(theory, theorem)
    f, c, to = map(sp.sympify, (f, c, to))
    if not x.is_Symbol or not x.is_real or theory.speaks_of(x) or x in c.free_symbols or to not in (sp.oo, sp.S.Zero):
        raise Refused(f"{x} to {to}, with the limit {c}: no symbol that runs to infinity or to 0")
    if theorem.rel == "=" or theorem.hyps or zero_by(theory, theorem.lhs - sp.Abs(f - c)) != ("normal form", []):
        raise Refused(f"not a bound of |{f} - {c}|: {theorem}")
    supposed = frozenset(fact for fact in theorem.given if x in fact.free_symbols)
    kept = theorem.given - supposed
    if early := [fact for fact in supposed if not _eventually(theory, fact, x, to, kept)]:
        raise Refused(f"{', '.join(map(str, early))} is supposed, and need not hold in the end")
    left = [*needed(theory, theorem), *theory.wellformed(f, theorem.given), *theory.wellformed(c, kept)]
    left = list(theory.open(left))
    if hanging := [o for o in left if x in o.claim.free_symbols]:
        raise Refused(f"left to show for every {x}: {', '.join(map(str, hanging))}")
    late = {sp.Ge(x, 1)} if to == sp.oo else {sp.Gt(x, 0), sp.Le(x, 1)}
    if not _Rate(theory, x, to, kept | late).vanishes(sp.expand_power_base(theorem.rhs)):
        raise Refused(f"not seen to vanish: {theorem.rhs}")
    lhs = sp.Limit(f, x, to, "+" if to == 0 else "-")
    return made(theory, "squeezed", lhs, "=", c, given=kept, left=left, premises=(theorem,))


def _eventually(theory: Theory, fact: Any, x: Any, to: Any, kept: Facts) -> bool:
    """Whether a fact holds for all large x, or for all small positive ones."""
    if not isinstance(fact, (sp.Ge, sp.Gt, sp.Le, sp.Lt)):
        return False
    more, less = fact.gts, fact.lts
    if to == sp.oo:
        return bool(more == x and x not in less.free_symbols)
    above = less == x and x not in more.free_symbols and theory.closes(Obligation(sp.Gt(more, 0), kept))
    return bool(above or (more == x and less == 0))


class _Rate:
    """What becomes of expressions in x: yes is certain, no says nothing."""

    def __init__(self, theory: Theory, x: Any, to: Any, facts: Facts) -> None:
        self.theory, self.x, self.to, self.facts = theory, x, to, facts

    def _holds(self, e: Any, strict: bool = False) -> bool:
        return holds(self.theory, e, self.facts, strict)

    def vanishes(self, e: Any) -> bool:
        if e == 0 or (e == self.x and self.to == 0):
            return True
        if self.x not in e.free_symbols:
            return False
        if e.is_Add:
            return all(map(self.vanishes, e.args))
        if e.is_Mul:
            return any(
                self.vanishes(one) and all(self.bounded(other) for other in e.args if other is not one)
                for one in e.args
            )
        if isinstance(e, sp.Abs):
            return self.vanishes(e.args[0])
        if isinstance(e, sp.exp):
            return self.grows(-e.args[0])
        if not e.is_Pow:
            return False
        base, power = e.as_base_exp()
        if power.is_number:
            whole = power.is_integer or self._holds(base)
            return self.grows(base) if power.is_negative else bool(power.is_positive and whole and self.vanishes(base))
        if self.x in base.free_symbols:
            return False
        if self._holds(base - 1, True):
            return self.grows(-power)
        above = self._holds(base) or (power.is_integer and self._holds(1 + base, True))
        return bool(above) and self._holds(1 - base, True) and self.grows(power)

    def bounded(self, e: Any) -> bool:
        if self.x not in e.free_symbols or isinstance(e, (sp.sin, sp.cos, sp.tanh)) or self.vanishes(e):
            return True
        if e.is_Add or e.is_Mul or isinstance(e, (sp.Abs, sp.Max, sp.Min)):
            return all(map(self.bounded, e.args))
        if isinstance(e, sp.exp):
            return self.bounded(e.args[0]) or self._holds(-e.args[0])
        if e.is_Pow and e.exp.is_Integer and e.exp > 0:
            return self.bounded(e.base)
        return False

    def grows(self, e: Any) -> bool:
        """Whether it grows beyond all bounds."""
        if e == self.x and self.to == sp.oo:
            return True
        if self.x not in e.free_symbols:
            return False
        if e.is_Add:
            still = [arg for arg in e.args if not self.grows(arg)]
            return len(still) < len(e.args) and all(self.bounded(arg) or self._holds(arg) for arg in still)
        if e.is_Mul:
            still = [arg for arg in e.args if not self.grows(arg)]
            steady = all(self.x not in arg.free_symbols and self._holds(arg, True) for arg in still)
            return len(still) < len(e.args) and steady
        if isinstance(e, (sp.exp, sp.log)):
            return self.grows(e.args[0])
        if e.is_Pow and e.exp.is_number and e.exp.is_positive:
            return self.grows(e.base)
        if e.is_Pow and e.exp.is_number and e.exp.is_negative:
            return self._holds(e.base, True) and self.vanishes(e.base)
        return False
