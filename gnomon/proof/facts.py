"""What follows from facts: linear arithmetic over whatever is not linear, integers tightened (Fourier and Motzkin).

A system is a list of rows ``e >= 0`` or ``e > 0``. Yes is certain; no says nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from gnomon.proof.terms import Facts, named, put, walk

Row = tuple[Any, bool]  # (e, strict): e > 0 if strict, else e >= 0
About = Callable[[Any], Iterable[Row]]  # what is known of a part that is not linear

_MOST_ROWS = 400
_MOST_MULTIPLIED = 24


def entails(facts: Facts, relation: Any, about: About = lambda atom: ()) -> bool:
    """Whether a relation, or a combination of them, follows from facts and from what is known of the parts."""
    if relation in (sp.true, sp.false):
        return relation is sp.true
    if relation in facts:
        return True
    if isinstance(relation, sp.And):
        return all(entails(facts, part, about) for part in relation.args)
    if isinstance(relation, sp.Or):
        return any(entails(facts, part, about) for part in relation.args)
    if isinstance(relation, sp.Not) and isinstance(relation.args[0], (sp.And, sp.Or)):
        both = sp.And if isinstance(relation.args[0], sp.Or) else sp.Or
        return entails(facts, both(*map(sp.Not, relation.args[0].args)), about)
    if isinstance(relation, sp.Not):
        return relation.args[0].is_Relational and entails(facts, relation.args[0].negated, about)
    if not relation.is_Relational or not isinstance(relation.lhs, sp.Expr) or not isinstance(relation.rhs, sp.Expr):
        return False
    facts, relation = _level(facts, relation)
    if relation is sp.true or relation in facts:
        return True
    known = rows(facts)
    if relation is sp.false:
        return nonnegative(sp.S.NegativeOne, known, False, about)
    gap = relation.lhs - relation.rhs
    if isinstance(relation, sp.Eq):
        return nonnegative(gap, known, False, about) and nonnegative(-gap, known, False, about)
    if isinstance(relation, sp.Ne):
        known_unequal = {sp.expand(f.lhs - f.rhs) for f in facts if isinstance(f, sp.Ne) and isinstance(f.lhs, sp.Expr)}
        if known_unequal & {sp.expand(gap), sp.expand(-gap)}:
            return True
        return nonnegative(gap, known, True, about) or nonnegative(-gap, known, True, about)
    return nonnegative(relation.gts - relation.lts, known, isinstance(relation, (sp.Gt, sp.Lt)), about)


def _level(facts: Facts, relation: Any) -> tuple[Facts, Any]:
    """Facts and a relation with equal indices put for one another, so that ``n[l]`` is ``n[0]`` at l = 0."""
    facts, equal = _leveled(facts)
    for one in equal:
        relation = put(relation, dict([one]))
    return facts, relation


@lru_cache(maxsize=20_000)
def _leveled(facts: Facts) -> tuple[Facts, tuple[tuple[Any, Any], ...]]:
    """Facts with equal indices put for one another, and what was put for what, one after the other."""
    for fact in sorted((f for f in facts if isinstance(f, sp.Eq)), key=sp.default_sort_key):
        for v, e in ((fact.lhs, fact.rhs), (fact.rhs, fact.lhs)):
            if v.is_Symbol and v.is_integer and isinstance(e, sp.Expr) and v not in e.free_symbols:
                facts = frozenset(put(f, {v: e}) if v in f.free_symbols else f for f in facts) - {sp.true}
                facts, more = _leveled(facts)
                return facts, ((v, e), *more)
    return facts, ()


def rows(facts: Iterable[Any]) -> list[Row]:
    """The facts as rows; ``a != b`` between integers narrows what the others allow."""
    return list(_rows(frozenset(facts)))


@lru_cache(maxsize=20_000)
def _rows(facts: Facts) -> tuple[Row, ...]:
    done: list[Row] = []
    unequal = []
    for fact in sorted(facts, key=sp.default_sort_key):
        for part in fact.args if isinstance(fact, sp.And) else (fact,):
            relation = settled(part, facts - {fact})
            if isinstance(relation, (sp.Gt, sp.Lt, sp.Ge, sp.Le)):
                done.append(_tight(relation.gts - relation.lts, isinstance(relation, (sp.Gt, sp.Lt))))
            elif isinstance(relation, sp.Eq) and isinstance(relation.lhs, sp.Expr):
                gap = sp.expand(relation.lhs - relation.rhs)
                done += [(gap, False), (-gap, False)]
            elif isinstance(relation, sp.Ne) and isinstance(relation.lhs, sp.Expr):
                unequal.append(sp.expand(relation.lhs - relation.rhs))
    return (*done, *(_tight(e, True) for gap in unequal for e in (gap, -gap) if nonnegative(e, done)))


def nonnegative(e: Any, known: list[Row], strict: bool = False, about: About = lambda atom: ()) -> bool:
    """Whether ``e >= 0`` (``e > 0``) follows: the rows and its negation have no common point.

    Where linear arithmetic does not do, rows are multiplied by the nonnegative factors of what is asked for.
    """
    e = sp.expand(e)
    return _follows(e, known, strict, about) or (
        bool(more := _multiplied(e, known)) and _follows(e, [*known, *more], strict, about)
    )


def _multiplied(e: Any, known: list[Row]) -> list[Row]:
    products = [a for a in e.as_coefficients_dict() if a.is_Mul]
    found: dict[Row, None] = {}
    for factor in sorted({w for a in products for w in a.args if w.is_Symbol and w.is_nonnegative}, key=str):
        beside = set().union(*[a.free_symbols - {factor} for a in products if factor in a.args])
        for row, strict in known:
            if row.free_symbols & beside:
                found[sp.expand(row * factor), strict and bool(factor.is_positive)] = None
    return list(found)[:_MOST_MULTIPLIED]


def _follows(e: Any, known: list[Row], strict: bool, about: About) -> bool:
    system = [*known, _tight(-e, not strict)]
    seen: set[Any] = set()
    while new := sorted(
        {a for x, _ in system for a in x.as_coefficients_dict() if a != 1} - seen, key=sp.default_sort_key
    ):
        seen.update(new)
        for atom in new:
            if atom.has(ExprWithLimits):  # SymPy would trust what a bound symbol is said to be
                pass
            elif atom.is_nonnegative:
                system.append(_tight(atom, bool(atom.is_positive)))
            elif atom.is_nonpositive:
                system.append(_tight(-atom, bool(atom.is_negative)))
            system += [_tight(x, s) for x, s in about(atom)]
        if len(seen) > 40:
            break
    return _contradictory(_numbered(system))


def settled(e: Any, facts: Facts) -> Any:
    """An expression or a relation with the branches taken that the facts decide."""

    def branch(x: Any, here: Facts) -> Any:
        for value, condition in x.args if isinstance(x, sp.Piecewise) else ():
            if condition is sp.true or entails(here, condition):
                return walk(value, here, branch)
            if not entails(here, sp.Not(condition)):
                return None
        return None

    return walk(e, facts, branch) if e.has(sp.Piecewise) else e


_Linear = tuple[dict[int, Fraction], Fraction, bool]


def _numbered(system: list[Row]) -> list[_Linear]:
    """The rows over numbers in the place of the parts, each once."""
    found: dict[Any, _Linear] = {}
    places: dict[Any, int] = {}
    for e, strict in system:
        parts = e.as_coefficients_dict()
        if not all(c.is_Rational for c in parts.values()):
            continue  # a row less is a weaker system
        one = {
            places.setdefault(a, len(places)): Fraction(int(c.p), int(c.q)) for a, c in parts.items() if a != 1 and c
        }
        constant = parts.get(sp.S.One, sp.S.Zero)
        row = (one, Fraction(int(constant.p), int(constant.q)), strict)
        found[frozenset(one.items()), row[1], strict] = row
    return list(found.values())


def _contradictory(system: list[_Linear]) -> bool:
    while True:
        if any(not parts and (constant < 0 or (constant == 0 and strict)) for parts, constant, strict in system):
            return True
        system = [row for row in system if row[0]]
        if not system or len(system) > _MOST_ROWS:
            return False
        counts: dict[int, list[int]] = {}
        for parts, _, _ in system:
            for a, c in parts.items():
                counts.setdefault(a, [0, 0])[1 if c > 0 else 0] += 1
        a = min(counts, key=lambda a: (counts[a][0] * counts[a][1], a))
        above, below = ([row for row in system if row[0].get(a, 0) * way > 0] for way in (1, -1))
        system = [row for row in system if a not in row[0]]
        for (p, c, s), (q, d, z) in itertools.product(above, below):
            mixed = {b: p[a] * q.get(b, 0) - q[a] * p.get(b, 0) for b in {*p, *q} - {a}}
            system.append(({b: w for b, w in mixed.items() if w != 0}, p[a] * d - q[a] * c, s or z))


def _tight(e: Any, strict: bool) -> Row:
    e = sp.expand(named(e))
    return (e - 1, False) if strict and e.is_integer else (e, strict)
