"""Signs: whether an expression is nonnegative, positive or not zero wherever some facts hold.

Yes is certain; no says nothing. Sums over ranges that are not empty, products, powers, maxima, branches, plain
definitions put in, linear arithmetic, and last the factors of a polynomial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from gnomon.proof.facts import Row, entails, settled
from gnomon.proof.mean import Mean
from gnomon.proof.normal_form import fresh
from gnomon.proof.reductions import ArgMax, Kept, Largest, Smallest, bare, shown
from gnomon.proof.terms import Facts, branches, name_of, opened, unshadowed, unsigned, within

Unfold = Callable[[Any], Any]
Instances = Callable[[Any, Facts], Iterable[Row]]
Turns = Callable[[Any], "Bound | None"]
_MOST_FACTORED = 60  # operations of an expression that is factored
_MOST_ASKED = 300  # questions that one question may lead to


@dataclass(frozen=True)
class Bound:
    """Between which numbers a symbol, or every entry of an array, lies."""

    low: Any = -sp.oo
    high: Any = sp.oo
    open_low: bool = False
    open_high: bool = False

    def rows(self, e: Any) -> list[Row]:
        """What the bound says of an entry."""
        found = []
        if self.low != -sp.oo:
            found.append((e - self.low, self.open_low))
        if self.high != sp.oo:
            found.append((self.high - e, self.open_high))
        return found


@dataclass
class Signs:
    """The signs of one theory: the bounds of its symbols, its plain definitions, and its conditions at a part."""

    bounds: Mapping[str, Bound]
    unfold: Unfold
    instances: Instances
    turns: Turns
    _known: dict[Any, bool] = field(default_factory=dict)
    _tables: dict[Any, list[Row]] = field(default_factory=dict)
    _asked: int = 0

    def entails(self, facts: Facts, relation: Any) -> bool:
        """Whether a relation follows from the facts and the bounds."""
        return self._remembered((facts, relation), lambda: entails(facts, relation, lambda a: self.about(a, facts)))

    def about(self, atom: Any, facts: Facts) -> Iterable[Row]:
        """What is known of a part that linear arithmetic cannot look into."""
        yield from self.instances(atom, facts)
        yield from self._about(atom, facts)

    def of_bounds(self, atom: Any) -> list[Row]:
        """What the bounds say of a symbol or an entry."""
        bound = self.bounds.get(name_of(atom)) if isinstance(atom, (sp.Symbol, sp.Indexed)) else None
        return bound.rows(atom) if bound else []

    def _about(self, atom: Any, facts: Facts) -> Iterable[Row]:
        if isinstance(atom, (sp.Symbol, sp.Indexed)):
            return self.of_bounds(atom) or self._of_table(atom)
        if isinstance(atom, sp.Max):
            return [(atom - arg, False) for arg in atom.args]
        if isinstance(atom, sp.Min):
            return [(arg - atom, False) for arg in atom.args]
        if isinstance(atom, ArgMax):
            return [(atom - atom.ends[0], False), (atom.ends[1] - atom, False)]
        if isinstance(atom, sp.Abs):
            return [(atom - atom.args[0], False), (atom + atom.args[0], False), (atom, False)]
        if isinstance(atom, sp.KroneckerDelta):
            return [(atom, False), (1 - atom, False)]
        if isinstance(atom, sp.floor):
            if self.below_one(atom, facts):
                return [(atom, False), (-atom, False)]
            return [(atom.args[0] - atom, False), (atom + 1 - atom.args[0], True)]
        if atom.is_Mul and (floors := [f for f in atom.args if isinstance(f, sp.floor)]):
            rest = atom / floors[0]
            if self.below_one(floors[0], facts):
                return [(atom, False), (-atom, False)]
            gap = sp.expand(rest * floors[0].args[0]) - atom
            return [(gap, False), (rest - gap, bool(rest.is_positive))] if rest.is_nonnegative else []
        if isinstance(atom, sp.exp):
            return self._of_exp(atom, facts)
        if isinstance(atom, (sp.sin, sp.cos)):
            return [(1 - atom, False), (1 + atom, False)]
        if isinstance(atom, (sp.tanh, sp.erf)):
            return [(1 - atom, True), (1 + atom, True)]
        if atom.is_Pow and atom.exp != -1:
            return self._of_power(atom, facts)
        return [(atom, False)] if isinstance(atom, ExprWithLimits) and self.holds(atom, facts, False) else []

    def _of_table(self, entry: Any) -> list[Row]:
        """What is known of an entry that is defined as one of some numbers, or by a recursion of one sign."""
        if (bound := self.turns(entry)) is not None:
            return bound.rows(entry)
        if entry not in self._tables:
            leaves = _leaves(self.unfold(entry))
            self._tables[entry] = [(entry - min(leaves), False), (max(leaves) - entry, False)] if leaves else []
        return self._tables[entry]

    def below_one(self, floor: Any, facts: Facts) -> bool:
        """Whether a floor is 0, since what is rounded down lies in [0, 1)."""
        above, below = floor.args[0].as_numer_denom()
        return self.entails(facts, sp.And(sp.Ge(above, 0), sp.Gt(below, above)))

    def _of_exp(self, atom: Any, facts: Facts) -> list[Row]:
        """``e**x > 0``, at most 1 for x <= 0, and at least 1 for x >= 0."""
        below = [(1 - atom, False)] if self.holds(-atom.args[0], facts, False) else []
        above = [(atom - 1, False)] if self.holds(atom.args[0], facts, False) else []
        return [(atom, not bare(atom.args[0])), *below, *above]

    def _of_power(self, power: Any, facts: Facts) -> list[Row]:
        """``0 <= b**k <= 1`` for a base in [0, 1], and ``b**k < 1`` below 1 for a power of at least 1."""
        base, exponent = power.base, power.exp
        found: list[Row] = []
        if not base.is_real or not self.holds(base, facts, False):
            if not base.is_real or not exponent.is_even:
                return []
            small = exponent.is_nonnegative and self.entails(facts, sp.And(sp.Le(base, 1), sp.Ge(base, -1)))
            return [(power, False), *([(1 - power, False)] if small else [])]
        positive = self.holds(base, facts, True)
        found.append((power, positive))
        if self.entails(facts, sp.Le(base, 1)) and self.entails(facts, sp.Ge(exponent, 0)):
            below = self.entails(facts, sp.Lt(base, 1)) and self.entails(facts, sp.Gt(exponent, 0))
            found.append((1 - power, below))
        return found

    def holds(self, e: Any, facts: Facts, strict: bool) -> bool:
        """Whether ``e >= 0``, or ``e > 0``."""
        e = unsigned(sp.sympify(e))
        return self._remembered((e, facts, strict), lambda: self._holds(e, facts, strict))

    def nonzero(self, e: Any, facts: Facts) -> bool:
        """Whether an expression is not 0."""
        e = sp.sympify(e)
        if e.is_Mul:
            return all(self.nonzero(arg, facts) for arg in e.args)
        if e.is_Pow:
            return self.nonzero(e.base, facts)
        if (isinstance(e, sp.exp) and not bare(e.args[0])) or (e.is_nonzero and not e.has(ExprWithLimits)):
            return True
        if self.holds(e, facts, True) or self.holds(-e, facts, True) or self.entails(facts, sp.Ne(e, 0)):
            return True
        if isinstance(e, sp.Product):
            return self.nonzero(*opened(e, facts))
        size = sp.Abs(e)
        if isinstance(size, sp.Abs) and self.entails(facts, sp.Gt(size, 0)):
            return True
        plain = self.unfold(e)
        return plain is not None and plain != e and self.nonzero(plain, facts)

    def _remembered(self, key: Any, decide: Callable[[], bool]) -> bool:
        if key in self._known:
            return self._known[key]
        if self._asked >= _MOST_ASKED:
            return False
        outermost, self._asked = not self._asked, self._asked + 1
        self._known[key] = False  # what leads back to its own question is not shown
        try:
            found = bool(decide())
        finally:
            spent = self._asked >= _MOST_ASKED
            self._asked = 0 if outermost else self._asked
            del self._known[key]
        if found or outermost or not spent:
            self._known[key] = found
        return found

    def _holds(self, e: Any, facts: Facts, strict: bool) -> bool:
        known = e.is_positive if strict else e.is_nonnegative
        if known and not e.has(ExprWithLimits):
            return True
        relation = (sp.Gt if strict else sp.Ge)(e, 0)
        if relation in facts or self._structural(e, facts, strict):
            return True
        if self.entails(facts, relation):
            return True
        plain = self.unfold(e)
        if plain is not None and plain != e and self.holds(plain, facts, strict):
            return True
        return self._by_extreme(e, facts, strict) or self._factored(e, facts, strict)

    def _by_extreme(self, e: Any, facts: Facts, strict: bool) -> bool:
        """A maximum is one of its arguments: whichever it is, with what that says of the others."""
        found = sorted((x for x in e.atoms(sp.Max, sp.Min) if not e.has(ExprWithLimits)), key=sp.default_sort_key)
        if not found or e == found[0]:
            return False
        x, order = found[0], sp.Ge if isinstance(found[0], sp.Max) else sp.Le
        around = {arg: {order(arg, other) for other in x.args if other is not arg} - {sp.true} for arg in x.args}
        return all(
            sp.false in around[arg] or self.holds(e.xreplace({x: arg}), facts | around[arg], strict) for arg in x.args
        )

    def _structural(self, e: Any, facts: Facts, strict: bool) -> bool:
        """By the parts of an expression."""
        if e.is_Add:
            weak = all(self.holds(arg, facts, False) for arg in e.args)
            if weak and (not strict or any(self.holds(arg, facts, True) for arg in e.args)):
                return True
            return self._branch_by_branch(e, facts, strict)
        if e.is_Mul:
            return self._product(e, facts, strict)
        if e.is_Pow:
            if e.exp.is_even and e.base.is_real:
                return not strict or self.nonzero(e.base, facts)
            return bool(e.exp.is_real) and self.holds(e.base, facts, strict or not self.holds(e.exp, facts, False))
        if isinstance(e, (sp.Sum, sp.Product)):
            filled = isinstance(e, sp.Product) or not strict
            filled = filled or all(self.entails(facts, sp.Ge(last, first)) for _, first, last in e.limits)
            found = filled and (self.holds(*opened(e, facts), strict) or (strict and self._one_term(e, facts)))
            return found or (strict and self._some_term(e, facts))
        if isinstance(e, (Largest, Smallest)):
            return self.entails(facts, sp.Ge(e.ends[1], e.ends[0])) and self.holds(*opened(e, facts), strict)
        if isinstance(e, sp.Integral):
            forward = all(len(at) == 3 and self.entails(facts, sp.Ge(at[2], at[1])) for at in e.limits)
            return forward and not strict and self.holds(*opened(e, facts), False)
        if isinstance(e, Mean):
            return not strict and self.holds(e.e, unshadowed(facts, {e.binds}), False)
        if isinstance(e, sp.Piecewise):
            return all(self.holds(value, way, strict) for value, way in _ways(e, facts))
        if isinstance(e, sp.Max):
            return any(self.holds(arg, facts, strict) for arg in e.args)
        if isinstance(e, sp.Min):
            return all(self.holds(arg, facts, strict) for arg in e.args)
        if isinstance(e, sp.exp):
            return not strict or not bare(shown(e.args[0], lambda condition: self.entails(facts, condition)))
        if isinstance(e, sp.Abs):
            return not strict or self.nonzero(e.args[0], facts)
        if isinstance(e, sp.log):
            return self.holds(e.args[0] - 1, facts, strict)
        return False

    def _branch_by_branch(self, e: Any, facts: Facts, strict: bool) -> bool:
        """A sum with a term that is a multiple of a ``Piecewise``: in each of its branches."""
        for term in e.args:
            number, choice = term.as_coeff_Mul()
            if isinstance(choice, sp.Piecewise):
                return all(self.holds(e - term + number * value, way, strict) for value, way in _ways(choice, facts))
        return False

    def _one_term(self, e: Any, facts: Facts) -> bool:
        """A sum of nonnegative terms, the first or the last of which is positive."""
        if not isinstance(e, sp.Sum) or len(e.limits) != 1 or not self.holds(*opened(e, facts), False):
            return False
        v, *ends = e.limits[0]
        return any(self.holds(fresh(e.function).xreplace({v: end}), facts, True) for end in ends)

    def _some_term(self, e: Any, facts: Facts) -> bool:
        """A sum of nonnegative terms that are positive in a branch, which some index is known to take."""
        if not isinstance(e, sp.Sum) or len(e.limits) != 1:
            return False
        v, *ends = e.limits[0]
        at = sp.Dummy(v.name, integer=True)
        term, around = fresh(e.function).xreplace({v: at}), facts | within((at, *ends))
        for choice in sorted(e.function.atoms(sp.Piecewise, Kept), key=sp.default_sort_key):
            kept = choice.condition if isinstance(choice, Kept) else choice.args[0][1]
            there = around | {kept.xreplace({v: at})}
            if kept is sp.true or not self.entails(
                facts, sp.Ge(sp.Sum(sp.Piecewise((1, kept), (0, True)), *e.limits), 1)
            ):
                continue
            if self.holds(term, around, False) and self.holds(settled(term, there), there, True):
                return True
        return False

    def _product(self, e: Any, facts: Facts, strict: bool) -> bool:
        turns = 1
        for arg in e.args:
            if self.holds(arg, facts, strict):
                continue
            if not self.holds(-arg, facts, strict):
                return False
            turns = -turns
        return turns > 0

    def _factored(self, e: Any, facts: Facts, strict: bool) -> bool:
        """After factoring, with every sum as one number."""
        if not e.is_Add or e.count_ops() > _MOST_FACTORED:
            return False
        names = {
            x: sp.Dummy(real=True) for x in e.atoms(ExprWithLimits, sp.Indexed, sp.exp, sp.log, sp.Abs, sp.Max, sp.Min)
        }
        factors = sp.factor(sp.together(e.xreplace(names))).xreplace({d: x for x, d in names.items()})
        return not factors.is_Add and factors != e and self._structural(factors, facts, strict)


def _ways(e: Any, facts: Facts) -> Iterable[tuple[Any, Facts]]:
    """The values of a ``Piecewise``, each with what holds there: one by one, where a condition is a choice."""
    for value, condition, there, around in branches(e, facts):
        if isinstance(condition, sp.Or):
            yield from ((value, around | {part}) for part in condition.args)
        else:
            yield value, there


def _leaves(e: Any) -> list[Any]:
    """The numbers of which an expression is one, if its branches are numbers."""
    if isinstance(e, sp.Rational):
        return [e]
    if not isinstance(e, sp.Piecewise):
        return []
    parts = [_leaves(value) for value, _ in e.args]
    return [leaf for part in parts for leaf in part] if all(parts) else []
