"""The rules of integrals over closed ranges: antiderivatives, order, linearity and sums, substitution, joined ranges.

All of them ask that what is integrated is defined on the whole range, ends included, and does not jump there.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof.defined import asked_of
from gnomon.proof.equality import belongs, needed, zero_by
from gnomon.proof.inequality import holds, runs_along, smooth_along
from gnomon.proof.mean import Mean
from gnomon.proof.normal_form import fresh, spread, summed
from gnomon.proof.reductions import ArgMax, Kept, Reduction
from gnomon.proof.terms import Facts, put, within
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory

JUMPS = (
    sp.sign, sp.floor, sp.ceiling, sp.Heaviside, sp.Piecewise, sp.KroneckerDelta, sp.Integral, sp.Derivative, sp.Limit,
    Mean, ArgMax, Kept,
)  # fmt: skip


def fundamental(theory: Theory, f: Any, primitive: Any, x: Any, a: Any, b: Any, given: Facts = frozenset()) -> Theorem:
    """``integral of f from a to b = F(b) - F(a)``, for a function F whose slope is f all the way, ends included.

    Raises:
        Refused: if the slope of F is another, or F or f has a kink, a branch or a pole, or is not seen to have none.
    """
    f, primitive, a, b, given = *map(sp.sympify, (f, primitive, a, b)), frozenset(given)
    along = _range(theory, x, a, b, given, f, primitive)
    slope = primitive.diff(x)
    left = [*smooth_along(theory, [primitive, slope, f], x, along)]
    how, taken = zero_by(theory, slope - f)
    if not how:
        raise Refused(f"the slope of {primitive} is {slope}, and not {f}")
    left += [Obligation(claim, along) for claim in taken]
    whole, value = sp.Integral(f, (x, a, b)), put(primitive, {x: b}) - put(primitive, {x: a})
    left += [*theory.wellformed(whole, given), *theory.wellformed(value, given)]
    return made(theory, "fundamental theorem", whole, "=", value, given=given, left=theory.open(left))


def integrated(theory: Theory, theorem: Theorem, x: Any, a: Any, b: Any, given: Facts = frozenset()) -> Theorem:
    """``integral of lhs rel integral of rhs`` from ``lhs rel rhs`` for every x from a to b; strict becomes ``<=``.

    Raises:
        Refused: if the theorem supposes more of x than its range, or a side may jump, or is not defined all the way.
    """
    belongs(theory, theorem)
    a, b, given = sp.sympify(a), sp.sympify(b), frozenset(given)
    along = _range(theory, x, a, b, given)
    asked = [fact for fact in theorem.given if x in fact.free_symbols]
    if missing := [fact for fact in asked if not theory.closes(Obligation(fact, along))]:
        raise Refused(f"{', '.join(map(str, missing))} is supposed, and does not hold for every {x}")
    if theorem.hyps and x not in theorem.over:
        raise Refused(f"a hypothesis is fixed in {x}")
    left = [Obligation(o.claim, o.facts | along).everywhere({x}) for o in needed(theory, theorem)]
    for side in (theorem.lhs, theorem.rhs):
        left += continuous(theory, side, x, along)
    lhs, rhs = (sp.Integral(fresh(side), (x, a, b)) for side in (theorem.lhs, theorem.rhs))
    left += [*theory.wellformed(lhs, given), *theory.wellformed(rhs, given)]
    kept, rel = theorem.given - set(asked), "=" if theorem.rel == "=" else "<="
    return made(theory, "integral", lhs, rel, rhs, given=kept | given, left=theory.open(left), premises=(theorem,))


def linear(theory: Theory, integral: Any, given: Facts = frozenset()) -> Theorem:
    """``integral = sum of coefficients times integrals``: terms, sums over indices, and factors without x."""
    f, x, a, b, given, along = _parts(theory, integral, given)
    found, left = [], continuous(theory, f, x, along)
    for factors, limits in spread(f):
        if any(x in end.free_symbols for _, *ends in limits for end in ends):
            raise Refused(f"the number of terms changes with {x}")
        parts = sp.Mul.make_args(factors)
        moving = sp.Mul(*[part for part in parts if x in part.free_symbols])
        around = along.union(*[within(limit) for limit in limits])
        left += continuous(theory, moving, x, around)
        still = sp.Mul(*[part for part in parts if x not in part.free_symbols])
        found.append(summed(still * sp.Integral(moving, (x, a, b)), limits))
    value = sp.Add(*found)
    left += [*theory.wellformed(integral, given), *theory.wellformed(value, given)]
    return made(theory, "linearity of the integral", integral, "=", value, given=given, left=theory.open(left))


def substituted(
    theory: Theory, integral: Any, t: Any, path: Any, start: Any, end: Any, given: Facts = frozenset()
) -> Theorem:
    """``integral of f(x) = integral of f(path(t)) |path'(t)|`` for t from start to end, for a path from one end of the
    range to the other that never turns.

    Raises:
        Refused: if it turns, has a kink, ends elsewhere, or f is not seen to be defined and without jumps all the way.
    """
    f, x, a, b, given, along = _parts(theory, integral, given)
    path, start, end = map(sp.sympify, (path, start, end))
    if x in path.free_symbols or t in integral.free_symbols or t == x:
        raise Refused(f"{t} should be a name of its own")
    there = _range(theory, t, start, end, given, path)
    slope = path.diff(t)
    left = [*continuous(theory, f, x, along), *smooth_along(theory, [path, slope], t, there)]
    first, last = put(path, {t: start}), put(path, {t: end})
    if holds(theory, slope, there, False):
        way, ends = 1, ((first, a), (last, b))
    elif holds(theory, -slope, there, False):
        way, ends = -1, ((first, b), (last, a))
    else:
        raise Refused(f"the sign of {slope} is not shown: {path} may turn")
    if strays := [(at, to) for at, to in ends if zero_by(theory, at - to)[0] == "" or zero_by(theory, at - to)[1]]:
        raise Refused(f"{path} ends at {strays[0][0]}, and not at {strays[0][1]}")
    value = sp.Integral(put(f, {x: path}) * way * slope, (t, start, end))
    left += [*theory.wellformed(integral, given), *theory.wellformed(value, given)]
    return made(theory, "substitution", integral, "=", value, given=given, left=theory.open(left))


def joined(theory: Theory, integral: Any, middle: Any, given: Facts = frozenset()) -> Theorem:
    """``integral from a to b = integral from a to the middle + integral from there to b``."""
    f, x, a, b, given, along = _parts(theory, integral, given)
    middle = sp.sympify(middle)
    if x in middle.free_symbols:
        raise Refused(f"{middle} moves with {x}")
    value = sp.Integral(f, (x, a, middle)) + sp.Integral(f, (x, middle, b))
    left = [*continuous(theory, f, x, along), *theory.wellformed(integral, given), *theory.wellformed(value, given)]
    return made(theory, "joined ranges", integral, "=", value, given=given, left=theory.open(left))


def continuous(theory: Theory, e: Any, x: Any, along: Facts) -> list[Obligation]:
    """What is left to ask for an expression to be defined and without jumps wherever some facts on x hold.

    Raises:
        Refused: if it may jump, or something is left that hangs on x.
    """
    for part in sorted(e.atoms(*JUMPS), key=sp.default_sort_key):
        if x in part.free_symbols and not (isinstance(part, sp.Integral) and _steady(part, x)):
            raise Refused(f"it may jump: {part}")
    if [
        s
        for s in e.atoms(sp.Sum, sp.Product, Reduction)
        for _, *ends in s.limits
        for end in ends
        if x in end.free_symbols
    ]:
        raise Refused(f"the number of terms changes with {x}: {e}")
    return list(smooth_along(theory, [e], x, along))


def _steady(integral: Any, x: Any) -> bool:
    """Whether an integral moves with x without jumps: between fixed ends, of a function that has no jump in both.

    A function that is continuous on a closed rectangle has this from its uniform continuity. That it is defined on the
    whole of it is asked with the integral's own being defined.
    """
    fixed = all(len(limit) == 3 and x not in sp.Tuple(*limit[1:]).free_symbols for limit in integral.limits)
    moved = {x, *integral.variables}
    jumps = (part for part in integral.function.atoms(*JUMPS) if part.free_symbols & moved)
    return fixed and not any(jumps)


def _parts(theory: Theory, integral: Any, given: Facts) -> tuple[Any, Any, Any, Any, Facts, Facts]:
    if not isinstance(integral, sp.Integral) or len(integral.limits) != 1 or len(integral.limits[0]) != 3:
        raise Refused(f"not one integral between two ends: {integral}")
    (x, a, b), given = integral.limits[0], frozenset(given)
    return integral.function, x, a, b, given, _range(theory, x, a, b, given)


def _range(theory: Theory, x: Any, a: Any, b: Any, given: Facts, *smooth: Any) -> Facts:
    """What holds from a to b: x must be a name of its own there; ``smooth`` functions have no kink in it."""
    for f in smooth or (sp.S.Zero,):
        runs_along(theory, f, x, given)
    if x in a.free_symbols | b.free_symbols:
        raise Refused(f"{a} and {b} are no ends for {x}")
    if not all(theory.closes(Obligation(claim, given)) for claim in asked_of(x, a)):
        raise Refused(f"{a} is not where {x} may be")
    return given | ({sp.Ge(x, a), sp.Le(x, b)} - {sp.true})
