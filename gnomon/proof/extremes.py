"""The rules of extremes and of log-sum-exp over an index range: bounds, what attains them, the last term, shifts.

All of them ask that the range is not empty, wherever the expression is read.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof.equality import belongs, needed
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.reductions import ArgMax, ArgMin, Kept, Largest, LogSumExp, Reduction, Smallest, bare, powered, shown
from gnomon.proof.terms import Facts, inside, named, put, walk
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory


def bounded_by(theory: Theory, e: Any, place: Any, given: Facts = frozenset()) -> Theorem:
    """A term is at most the greatest, and at least the least: ``e(place) <= Largest(e)``, ``Smallest(e) <= e(place)``.

    Raises:
        Refused: for a place that is no whole number.
    """
    e, place, given = _read(e, Largest, Smallest), sp.sympify(place), frozenset(given)
    if not place.is_integer:
        raise Refused(f"{place} is not known to be a whole number, as {e.index} is")
    (first, last), term = e.ends, shown(_at(e, place), lambda condition: theory.entails(given, condition))
    left = [Obligation(claim, given) for claim in (sp.Ge(place, first), sp.Ge(last, place))]
    left += [*theory.wellformed(e, given), *theory.wellformed(term, given)]
    lhs, rhs = (term, e) if isinstance(e, Largest) else (e, term)
    return made(theory, "a term of an extreme", lhs, "<=", rhs, given=given, left=theory.open(left))


def attained(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """The greatest term is one of them: ``Largest(e) = e(ArgMax(e))``, and ``Smallest(e) = e(ArgMin(e))``."""
    e, given = _read(e, Largest, Smallest), frozenset(given)
    if bare(e.function):
        raise Refused(f"it is read at a place that may be left out: {e}")
    term = _at(e, (ArgMax if isinstance(e, Largest) else ArgMin)(*e.args))
    left = [*theory.wellformed(e, given), *theory.wellformed(term, given)]
    return made(theory, "an extreme is attained", e, "=", term, given=given, left=theory.open(left))


def extreme(theory: Theory, theorem: Theorem, limit: Any, given: Facts = frozenset(), kept: Any = sp.true) -> Theorem:
    """``Largest(e) rel b`` from ``e(i) rel b`` for every i of a range, and ``b rel Smallest(e)`` from ``b rel e(i)``.

    With ``kept``, of the terms that it keeps: all others are minus infinity, and only the greatest is bounded.

    Raises:
        Refused: if both sides move with the index, or neither, the theorem supposes more of the index than its range,
            or an open hypothesis may speak of it.
    """
    index, first, last = map(sp.sympify, limit)
    given, moves = frozenset(given), [index in side.free_symbols for side in (theorem.lhs, theorem.rhs)]
    if belongs(theory, theorem).rel == "=" or moves[0] == moves[1]:
        raise Refused(f"one side of an inequality should move with {index}: {theorem}")
    if theory.speaks_of(index) or index.is_integer is not True:
        raise Refused(f"{index}: of the claim, or no whole number, and so no index")
    around = inside(sp.Sum(0, (index, first, last)), given) | ({kept} - {sp.true})
    asked = [fact for fact in theorem.given if index in fact.free_symbols]
    if missing := [fact for fact in asked if not theory.closes(Obligation(fact, around))]:
        raise Refused(f"{', '.join(map(str, missing))} is supposed, and does not hold for every index")
    if theorem.hyps and index not in theorem.over:
        raise Refused("a hypothesis is fixed in the index")
    kind, place = (Largest, 0) if moves[0] else (Smallest, 1)
    sides = [theorem.lhs, theorem.rhs]
    if kept is not sp.true and kind is Smallest:
        raise Refused(f"what {kept} leaves out is the least: minus infinity")
    sides[place] = kind(Kept(fresh(sides[place]), kept), (index, first, last))
    left = [Obligation(o.claim, o.facts | around).everywhere({index}) for o in needed(theory, theorem)]
    left += [*theory.wellformed(sides[0], given), *theory.wellformed(sides[1], given)]
    kept = theorem.given - set(asked)
    return made(
        theory, "bound of every term", sides[0], theorem.rel, sides[1], given=kept | given, left=theory.open(left),
        premises=(theorem,),
    )  # fmt: skip


def last_term(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """The last term taken off: ``Largest(e, a..b) = Max(Largest(e, a..b-1), e(b))``; of log-sum-exp the log of two
    powers. One term alone is the extreme of itself.
    """
    e, given = _read(e, Largest, Smallest, LogSumExp), frozenset(given)
    (first, last), term = e.ends, _at(e, e.ends[1])
    rest = e.func(e.function, (e.index, first, last - 1))
    if theory.entails(given, sp.Eq(first, last)):
        value = term
    elif isinstance(e, LogSumExp):
        value = sp.log(sp.exp(rest) + sp.exp(term))
    else:
        value = (sp.Max if isinstance(e, Largest) else sp.Min)(rest, term)
    left = [*theory.wellformed(e, given), *theory.wellformed(value, given), *theory.wellformed(term, given)]
    left += theory.wellformed(rest, given) if value != term else []
    return made(theory, "last term", e, "=", value, given=given, left=theory.open(left))


def powers(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``LogSumExp(e) = log(Sum(exp(e)))``."""
    e, given = _read(e, LogSumExp), frozenset(given)
    value = sp.log(sp.Sum(sp.exp(e.function), e.limits[0]))
    left = [*theory.wellformed(e, given), *theory.wellformed(value, given)]
    return made(theory, "log-sum-exp", e, "=", value, given=given, left=theory.open(left))


def shifted(theory: Theory, e: Any, by: Any, given: Facts = frozenset()) -> Theorem:
    """``Largest(e) = by + Largest(e - by)``, and so for the least and for log-sum-exp; the place does not move.

    Raises:
        Refused: if the shift moves with the index.
    """
    e, by, given = _read(e, Largest, Smallest, LogSumExp, ArgMax), sp.sympify(by), frozenset(given)
    if e.index in by.free_symbols:
        raise Refused(f"{by} moves with {e.index}")
    e = fresh(e)
    moved = e.func(e.function - fresh(by), e.limits[0])
    value = moved if isinstance(e, ArgMax) else by + moved
    left = [o for side in (e, value, by) for o in theory.wellformed(side, given)]
    return made(theory, "shift", e, "=", value, given=given, left=theory.open(left))


def turned(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``Largest(e) = -Smallest(-e)``, and the other way; the place of the greatest is that of the least of ``-e``."""
    e, given = fresh(_read(e, Largest, Smallest, ArgMax)), frozenset(given)
    other = {Largest: Smallest, Smallest: Largest, ArgMax: ArgMin, ArgMin: ArgMax}[e.func](-e.function, e.limits[0])
    value = other if isinstance(e, ArgMax) else -other
    left = [*theory.wellformed(e, given), *theory.wellformed(value, given)]
    return made(theory, "turned", e, "=", value, given=given, left=theory.open(left))


def without(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e'``: powers of e with 0 in the place of what is minus infinity."""

    def change(x: Any, _: Facts) -> Any:
        return powered(x) if isinstance(x, sp.exp) else None

    e, given = fresh(sp.sympify(e)), frozenset(given)
    new = walk(e, given, change)
    left = [*theory.wellformed(e, given), *theory.wellformed(new, given)]
    return made(theory, "left out", e, "=", new, given=given, left=theory.open(left))


def taken_out(theory: Theory, e: Any, factor: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e'``: a factor that is not 0 taken out of sums of branches, ``sum of {f v if c} = f sum of {v if c}``.

    (SymPy draws what stands before a ``Piecewise`` into its branches when it makes a sum of it.)

    Raises:
        Refused: if there is no such sum.
    """
    factor, given, hits = fresh(sp.sympify(factor)), frozenset(given), 0

    def change(x: Any, _: Facts) -> Any:
        nonlocal hits
        moves = isinstance(x, sp.Sum) and bool(factor.free_symbols & set(x.variables))
        if not isinstance(x, sp.Sum) or not isinstance(x.function, sp.Piecewise) or moves:
            return None
        hits += 1
        branches = [(canon(named(value) / named(factor)), condition) for value, condition in x.function.args]
        return factor * sp.Sum(sp.Piecewise(*branches), *x.limits)

    e = fresh(sp.sympify(e))
    new = walk(e, given, change)
    if not hits:
        raise Refused(f"no sum of branches in {e}")
    left = [*theory.wellformed(e, given), *theory.wellformed(new, given), Obligation(sp.Ne(factor, 0), given)]
    return made(theory, "taken out", e, "=", new, given=given, left=theory.open(left))


def _read(e: Any, *kinds: type[Reduction]) -> Any:
    e = sp.sympify(e)
    if not isinstance(e, kinds):
        raise Refused(f"{e} is none of {', '.join(kind.__name__ for kind in kinds)}")
    return e


def _at(e: Any, place: Any) -> Any:
    """The term at a place."""
    return put(e.function, {e.index: place})
