"""Bounds by slopes: mean value, Taylor with remainder, Jensen. Nothing here is trusted; all goes through the rules."""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof import equality, goals
from gnomon.proof.goals import Goal
from gnomon.proof.inequality import absolute, at, combine, monotone, total
from gnomon.proof.terms import Facts
from gnomon.proof.theorem import Refused, Theorem
from gnomon.proof.theory import Theory


def taylor(theory: Theory, f: Any, x: Any, start: Any, order: int, bound: Any, given: Facts = frozenset()) -> Theorem:
    """``|f(x) - its Taylor polynomial below ``order``| <= bound (x - start)**order / order!`` for x >= start.

    Args:
        bound: of the slope of that order beyond the start, on either side.

    Raises:
        Refused: if f has a kink or is not defined all the way, or the slope is not seen to lie within the bound.
    """
    f, start = sp.sympify(f), sp.sympify(start)
    slopes = [f]
    for _ in range(order - 1):
        slopes.append(slopes[-1].diff(x))
    near = sp.Add(*[g.subs(x, start) * (x - start) ** k / sp.factorial(k) for k, g in enumerate(slopes)])
    most, rest = bound * (x - start) ** order / sp.factorial(order), f - near
    sides = [monotone(theory, most + way * rest, x, start, order, given=given) for way in (1, -1)]
    since = sides[0].given | sides[1].given
    return absolute(
        theory,
        combine(theory, -most, "<=", rest, [(1, sides[0])], since),
        combine(theory, rest, "<=", most, [(1, sides[1])], since),
    )


def exp_taylor(order: int) -> Theorem:
    """``|e**(-s) - sum of (-s)**k / k! below ``order``| <= s**order / order!`` for s >= 0, general in s."""
    s = sp.Symbol("s", nonnegative=True)
    theory = Theory()
    shown = taylor(theory, sp.exp(-s), s, 0, order, 1)
    return goals.general(
        theory, shown, Goal(shown.lhs, shown.rel, shown.rhs, frozenset(), frozenset({s})), "exp_taylor"
    )


def exp_remainder(order: int) -> Theorem:
    """``|sum of x**k / k! below ``order`` - e**x| <= |x|**order / order! e**|x|``, general in x."""
    s = sp.Symbol("s", nonnegative=True)
    most = s**order / sp.factorial(order) * sp.exp(s)
    theory, ahead = Theory(), _exp_terms(order, s)
    above = monotone(theory, sp.exp(s) - ahead, s, 0, order)
    grows = combine(theory, 0, "<=", (sp.exp(s) - 1) * s**order)
    rising = absolute(
        theory,
        combine(theory, -most, "<=", ahead - sp.exp(s), [(1, monotone(theory, most + ahead - sp.exp(s), s, 0, order))]),
        combine(theory, ahead - sp.exp(s), "<=", most, [(1, above)]),
    )
    back = exp_taylor(order)
    falling = combine(
        theory, sp.Abs(_exp_terms(order, -s) - sp.exp(-s)), "<=", most, [(1, back), (1 / sp.factorial(order), grows)]
    )
    return _either_way(rising, falling, s, "exp_remainder")


def exp_most(order: int) -> Theorem:
    """``|sum of x**k / k! below ``order``| <= e**|x|``, general in x."""
    s = sp.Symbol("s", nonnegative=True)
    theory, ahead = Theory(), _exp_terms(order, s)
    above = monotone(theory, sp.exp(s) - ahead, s, 0, order)
    sides = []
    for way in (1, -1):
        near = _exp_terms(order, way * s)
        sides.append(
            absolute(
                theory,
                combine(theory, -sp.exp(s), "<=", near, [(1, above)]),
                combine(theory, near, "<=", sp.exp(s), [(1, above)]),
            )
        )
    return _either_way(sides[0], sides[1], s, "exp_most")


def _exp_terms(order: int, x: Any) -> Any:
    return sp.Add(*[x**k / sp.factorial(k) for k in range(order)])


def _either_way(rising: Theorem, falling: Theorem, s: Any, name: str) -> Theorem:
    """What holds of s and of -s, for s >= 0, said of ``x`` and of ``|x|``."""
    x = sp.Symbol("x", real=True)
    theory, ahead = Theory(), sp.Ge(x, 0)
    lhs, rhs = falling.lhs.xreplace({s: -x}), rising.rhs.xreplace({s: sp.Abs(x)})
    sides = []
    for one, value, fact in ((rising, x, ahead), (falling, -x, sp.Not(ahead))):
        given = frozenset({fact})
        own = goals.general(theory, one, Goal(one.lhs, one.rel, one.rhs, frozenset(), frozenset({s})))
        near, far = (equality.decide(theory, side, given) for side in (lhs, rhs))
        most = one.rhs.xreplace({s: value})
        middle = combine(theory, near.rhs, "<=", most, [(1, at(theory, own, {s: value}, given))], given)
        sides.append(equality.chain(theory, equality.chain(theory, near, middle), equality.symmetric(theory, far)))
    shown = goals.cases(theory, ahead, *sides)
    return goals.general(theory, shown, Goal(lhs, "<=", rhs, frozenset(), frozenset({x})), name)


def mean_value(theory: Theory, f: Any, x: Any, y: Any, steepest: Any, given: Facts = frozenset()) -> Theorem:
    """``|f(x) - f(y)| <= steepest |x - y|`` for all x and y, for a function of x whose slope lies within the bound.

    Raises:
        Refused: for a kink, or if the slope or the sign of the bound is not seen.
    """
    f = sp.sympify(f)
    if y in f.free_symbols or x._assumptions_orig != y._assumptions_orig:
        raise Refused(f"{y} should be another name for a number like {x}")
    gap, most = f - f.xreplace({x: y}), steepest * (x - y)
    sides = [monotone(theory, most + way * gap, x, y, 1, given=given) for way in (1, -1)]
    since = sides[0].given | sides[1].given
    rising = absolute(
        theory,
        combine(theory, -most, "<=", gap, [(1, sides[0])], since),
        combine(theory, gap, "<=", most, [(1, sides[1])], since),
    )
    rising = goals.general(theory, rising, Goal(rising.lhs, rising.rel, rising.rhs, since, frozenset({x, y})))
    turned = at(theory, rising, {x: y, y: x}, given | {sp.Lt(x, y)})
    ahead = sp.Ge(x, y)
    lhs, rhs = sp.Abs(gap), steepest * sp.Abs(x - y)
    shown = goals.cases(
        theory,
        ahead,
        combine(theory, lhs, "<=", rhs, [(1, rising)], given | {ahead}),
        combine(theory, lhs, "<=", rhs, [(1, turned)], given | {sp.Lt(x, y)}),
    )
    return goals.general(theory, shown, Goal(lhs, "<=", rhs, given, frozenset({x, y})), "mean value")


def jensen(
    theory: Theory, tangent: Theorem, x: Any, y: Any, weight: Any, point: Any, law: Theorem, *limits: Any,
    given: Facts = frozenset(),
) -> Theorem:  # fmt: skip
    """Jensen for a finite law: ``f(sum w X) <= sum w f(X)`` for a convex f, and turned round for a concave one.

    Args:
        tangent: ``f(y) + f'(y) (x - y) <= f(x)``, or turned round, general in x and in y.
        weight: the nonnegative weights, ``law``: that they sum to 1.
        point: what is averaged, at the indices of ``limits``.

    Raises:
        Refused: if the tangent is no line in x, or a weight's sign is not known.
    """
    convex = y in tangent.lhs.free_symbols
    line, curve = (tangent.lhs, tangent.rhs) if convex else (tangent.rhs, tangent.lhs)
    slope = line.diff(x)
    rest = sp.expand(line - slope * x)
    if x in slope.free_symbols or x in rest.free_symbols or y in curve.free_symbols:
        raise Refused(f"no tangent in {x}, at {y}: {tangent}")
    mean = sp.Sum(weight * point, *limits)
    summed = total(theory, at(theory, tangent, {x: point, y: mean}, given), weight, *limits, given=given)
    middle, average = curve.xreplace({x: mean}), sp.Sum(weight * curve.xreplace({x: point}), *limits)
    lhs, rhs = (middle, average) if convex else (average, middle)
    missing = rest.xreplace({y: mean})
    return combine(theory, lhs, "<=", rhs, [(1, summed), (-missing if convex else missing, law)], given)
