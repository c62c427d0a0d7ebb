"""The rules of inequality: one that combines theorems with coefficients of known sign, sums, roots, and monotony.

``combine`` carries nearly everything: transitivity, congruence, monotone chains and certificates by squares are all
``rhs - lhs = sum of coefficient * (theorem's rhs - lhs) + rest`` with coefficients and rest that are nonnegative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from gnomon.proof.equality import belongs, instance, zero_by
from gnomon.proof.indexed import collapse
from gnomon.proof.normal_form import canon
from gnomon.proof.tangent import KINKS
from gnomon.proof.terms import Facts, inside
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory

Parts = Sequence[tuple[Any, Theorem]]


def combine(theory: Theory, lhs: Any, rel: str, rhs: Any, parts: Parts = (), given: Facts = frozenset()) -> Theorem:
    """``lhs rel rhs``, since the gap is the sum of coefficient times gap over ``parts``, and a rest of known sign.

    A coefficient is nonnegative (anything, for an equation). ``<`` needs a strict part with a positive coefficient, or
    a positive rest.

    Raises:
        Refused: if a coefficient's sign or the rest's is not shown.
    """
    lhs, rhs = sp.sympify(lhs), sp.sympify(rhs)
    given = frozenset(given)
    around = given.union(*[belongs(theory, theorem).given for _, theorem in parts])
    left: list[Obligation] = [*theory.wellformed(lhs, given), *theory.wellformed(rhs, given)]
    rest, strict = rhs - lhs, False
    for weight, theorem in parts:
        weight = sp.sympify(weight)
        left += [*theory.wellformed(weight, given), *theorem.left]
        if theorem.rel != "=" and not holds(theory, weight, given, False):
            raise Refused(f"the coefficient {weight} is not known to be nonnegative")
        strict |= theorem.rel == "<" and holds(theory, weight, given, True)
        rest -= weight * (theorem.rhs - theorem.lhs)
    how, taken = zero_by(theory, rest)
    left += [Obligation(claim, given) for claim in taken]
    if not how:
        if rel == "=":
            raise Refused(f"not seen to be 0: {canon(collapse(rest), theory.symmetric)}")
        how = _rest(theory, rest, given, strict=rel == "<" and not strict)
    elif rel == "<" and not strict:
        raise Refused("only equality is shown, where the goal is strict")
    for claim in sorted(around - given, key=sp.default_sort_key):
        left.append(Obligation(claim, given))
    premises = tuple(theorem for _, theorem in parts)
    return made(theory, f"combine, {how}", lhs, rel, rhs, given=given, left=theory.open(left), premises=premises)


def holds(theory: Theory, e: Any, facts: Facts, strict: bool) -> bool:
    """Whether an expression is nonnegative, or positive, as it stands or in normal form."""
    facts = frozenset(facts) | theory.facts
    return theory.signs.holds(e, facts, strict) or theory.signs.holds(canon(collapse(e)), facts, strict)


def _rest(theory: Theory, rest: Any, given: Facts, strict: bool) -> str:
    if not holds(theory, rest, given, strict):
        shown = canon(collapse(rest), theory.symmetric)
        raise Refused(f"the rest is not known to be {'positive' if strict else 'nonnegative'}: {str(shown)[:400]}")
    return "sign of the rest"


def total(theory: Theory, theorem: Theorem, weight: Any, *limits: Any, given: Facts = frozenset()) -> Theorem:
    """From ``lhs rel rhs`` for every index: the sums with a nonnegative weight (any, for an equation).

    Raises:
        Refused: if the theorem supposes more of an index than its range, or an open hypothesis may speak of it.
    """
    belongs(theory, theorem)
    zero = sp.Sum(0, *limits)
    around = inside(zero, frozenset(given))
    if theorem.rel != "=" and not holds(theory, weight, around, False):
        raise Refused(f"the weight {weight} is not known to be nonnegative")
    indices = {v for v, *_ in limits}
    asked = [fact for fact in theorem.given if fact.free_symbols & indices]
    if missing := [f for f in asked if not theory.closes(Obligation(f, around))]:
        raise Refused(f"{', '.join(map(str, missing))} is supposed, and does not hold for every index")
    if theorem.hyps and not indices <= theorem.over:
        raise Refused("a hypothesis is fixed in an index that is summed over")
    kept = theorem.given - set(asked)
    left = [Obligation(o.claim, o.facts | around) for o in theorem.left]
    lhs, rhs = (sp.Sum(weight * side, *limits) for side in (theorem.lhs, theorem.rhs))
    left += [*theory.wellformed(lhs, frozenset(given)), *theory.wellformed(rhs, frozenset(given))]
    rel = "=" if theorem.rel == "=" else "<="
    return made(
        theory, "sum", lhs, rel, rhs, given=kept | frozenset(given), left=theory.open(left), premises=(theorem,)
    )


def at(theory: Theory, theorem: Theorem, values: dict[Any, Any], given: Facts = frozenset()) -> Theorem:
    """A theorem at values of what it is general in: numbers, indices, and arrays as functions of their indices."""
    given = frozenset(given)
    belongs(theory, theorem)
    numbers = {v: sp.sympify(e) for v, e in values.items() if not callable(e) or isinstance(e, sp.Basic)}
    arrays = {v: e for v, e in values.items() if v not in numbers}
    if fixed := set(arrays) - theorem.over:
        raise Refused(f"{', '.join(map(str, fixed))}: the theorem is not general in it")
    lhs, rhs, asked, left = instance(theory, theorem, numbers, given)

    def put(e: Any) -> Any:
        return e.replace(lambda x: isinstance(x, sp.Indexed) and x.base in arrays, lambda x: arrays[x.base](*x.indices))

    lhs, rhs = put(lhs), put(rhs)
    more = [Obligation(put(o.claim), frozenset(map(put, o.facts))) for o in (*asked, *left)]
    more += [Obligation(claim, given) for base in arrays for claim in _array_domain(base, arrays[base], given)]
    more += [*theory.wellformed(lhs, given), *theory.wellformed(rhs, given)]
    over = theorem.over - set(values)
    return made(
        theory, "instance", lhs, theorem.rel, rhs, given=given, over={v for v in over if v.is_Symbol and v.is_integer},
        left=theory.open(more), premises=(theorem,),
    )  # fmt: skip


def _array_domain(base: Any, entries: Any, given: Facts) -> list[Any]:
    if base.is_nonnegative or base.is_positive:
        raise Refused(f"{base} has a sign of its own: say it as a hypothesis of the lemma instead")
    return []


def root(theory: Theory, theorem: Theorem, a: Any, b: Any, given: Facts = frozenset()) -> Theorem:
    """``|a| <= b`` from ``a**2 <= b**2``, for b >= 0."""
    given = frozenset(given)
    squared = combine(theory, sp.sympify(a) ** 2, "<=", sp.sympify(b) ** 2, [(1, theorem)], given | theorem.given)
    if not holds(theory, b, given, False):
        raise Refused(f"{b} is not known to be nonnegative")
    return made(theory, "root", sp.Abs(a), "<=", b, given=squared.given, left=squared.left, premises=(squared,))


def product(theory: Theory, f: Theorem, g: Theorem, given: Facts = frozenset()) -> Theorem:
    """``0 <= (f.rhs - f.lhs) (g.rhs - g.lhs)`` from two inequalities."""
    belongs(theory, f), belongs(theory, g)
    left = theory.open((*f.left, *g.left))
    gap = (f.rhs - f.lhs) * (g.rhs - g.lhs)
    return made(
        theory, "product", sp.S.Zero, "<=", gap, given=f.given | g.given | frozenset(given), left=left, premises=(f, g)
    )


def monotone(
    theory: Theory, f: Any, x: Any, start: Any, order: int = 1, both: bool = False, given: Facts = frozenset()
) -> Theorem:
    """``0 <= f`` for x >= start, where f and its slopes below ``order`` are >= 0 at the start, and the slope of that
    order is >= 0 beyond: a function without kinks whose slope is not negative does not fall.

    ``both``: for x on either side, with an even order, where all slopes below it but f itself are 0 at the start.
    ``given`` says where x lies; x must not be in it otherwise.

    Raises:
        Refused: for a kink, a part that is not defined all the way, or a sign that is not shown.
    """
    f, start = sp.sympify(f), sp.sympify(start)
    given = frozenset(given)
    if any(x in part.free_symbols for part in f.atoms(*KINKS, sp.Piecewise)):
        raise Refused(f"a kink, or a branch, in {f}")
    if x in start.free_symbols or (both and order % 2):
        raise Refused(f"{start} is no place to begin, or the order is odd for both sides")
    domain = {sp.Gt(x, 0)} if x.is_positive else {sp.Ge(x, 0)} if x.is_nonnegative else set()
    here = frozenset(fact for fact in given if x not in fact.free_symbols)
    if any(x in fact.free_symbols for fact in given):
        raise Refused(f"a fact that is given speaks of {x}; its range is what its symbol says")
    beyond = here | domain | (frozenset() if both else {sp.Ge(x, start)})
    if x.is_positive and not theory.closes(Obligation(sp.Gt(start, 0), here)):
        raise Refused(f"{start} is not where {x} may be")
    left: list[Obligation] = []
    slopes = [f]
    for _ in range(order):
        slopes.append(slopes[-1].diff(x))
    if slopes[-1].has(sp.Derivative, sp.Subs):
        raise Refused(f"no derivative is known of {f}")
    for n, slope in enumerate(slopes):
        left += theory.wellformed(slope, beyond)
        value = sp.factor(slope.subs(x, start)) if n < order else sp.factor(sp.together(slope))
        if n == order:
            shown = holds(theory, value, beyond, False)
        else:
            how, _ = zero_by(theory, value)
            shown = bool(how) or ((not both or n == 0) and holds(theory, value, here, False))
        if not shown:
            raise Refused(
                f"the slope of order {n} is not shown to be {'0' if both and 0 < n < order else '>= 0'}: {value}"
            )
    since = here if both else here | {sp.Ge(x, start)}
    since = frozenset(fact for fact in since if fact is not sp.true)
    return made(theory, "monotone", sp.S.Zero, "<=", f, given=since, over={x}, left=theory.open(left))
