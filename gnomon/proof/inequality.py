"""The rules of inequality: one that combines theorems with coefficients of known sign, sums, roots, and monotony.

``combine`` carries nearly everything: transitivity, congruence, monotone chains and certificates by squares are all
``rhs - lhs = sum of coefficient * (theorem's rhs - lhs) + rest`` with coefficients and rest that are nonnegative.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp

from gnomon.proof.defined import KINKS, SIGNS, asked_of
from gnomon.proof.equality import belongs, instance, needed, zero_by
from gnomon.proof.indexed import collapse
from gnomon.proof.is_zero import split_logs
from gnomon.proof.mean import Mean
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.reductions import Reduction
from gnomon.proof.terms import Facts, alike, inside, unbound
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory

Parts = Sequence[tuple[Any, Theorem]]


def combine(theory: Theory, lhs: Any, rel: str, rhs: Any, parts: Parts = (), given: Facts = frozenset()) -> Theorem:
    """``lhs rel rhs``, since the gap is the sum of coefficient times gap over ``parts``, and a rest of known sign.

    A coefficient is nonnegative (anything, for an equation). ``<`` needs a strict part with a positive coefficient, or
    a positive rest; ``=`` needs equations alone, and no rest.

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
        left += [*theory.wellformed(weight, given), *needed(theory, theorem)]
        if rel == "=" != theorem.rel:
            raise Refused(f"an equation does not follow from an inequality: {theorem}")
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
    if theory.signs.holds(e, facts, strict):
        return True
    taken: list[Any] = []
    tidy = canon(collapse(e, taken), theory.symmetric)
    if not all(theory.entails(facts, sp.And(sp.Ge(k, low), sp.Ge(high, k))) for k, low, high in taken):
        return False
    if tidy != e and theory.signs.holds(tidy, facts, strict):
        return True
    return bool(tidy.has(sp.log)) and theory.signs.holds(canon(split_logs(tidy)), facts, strict)


def _rest(theory: Theory, rest: Any, given: Facts, strict: bool) -> str:
    if not holds(theory, rest, given, strict):
        shown = canon(collapse(rest), theory.symmetric)
        raise Refused(f"the rest is not known to be {'positive' if strict else 'nonnegative'}: {str(shown)[:400]}")
    return "sign of the rest"


def total(theory: Theory, theorem: Theorem, weight: Any, *limits: Any, given: Facts = frozenset()) -> Theorem:
    """From ``lhs rel rhs`` for every index: the sums with a nonnegative weight (any, for an equation).

    The sums of a strict inequality are strict if the weight is positive and no range is empty.

    Raises:
        Refused: if the theorem supposes more of an index than its range, or an open hypothesis may speak of it.
    """
    belongs(theory, theorem)
    indices = {v for v, *_ in limits}
    if spoken := [v for v in indices if theory.speaks_of(v) or v.is_integer is not True]:
        raise Refused(f"{', '.join(map(str, spoken))}: of the claim, or no whole number, and so no index to sum over")
    around = inside(sp.Sum(0, *limits), frozenset(given))
    if theorem.rel != "=" and not holds(theory, weight, around, False):
        raise Refused(f"the weight {weight} is not known to be nonnegative")
    asked = [fact for fact in theorem.given if fact.free_symbols & indices]
    if missing := [f for f in asked if not theory.closes(Obligation(f, around))]:
        raise Refused(f"{', '.join(map(str, missing))} is supposed, and does not hold for every index")
    if theorem.hyps and not indices <= theorem.over:
        raise Refused("a hypothesis is fixed in an index that is summed over")
    kept = theorem.given - set(asked)
    left = [Obligation(o.claim, o.facts | around).everywhere(indices) for o in theorem.left]
    lhs, rhs = (sp.Sum(fresh(sp.sympify(weight)) * fresh(side), *limits) for side in (theorem.lhs, theorem.rhs))
    left += [*theory.wellformed(lhs, frozenset(given)), *theory.wellformed(rhs, frozenset(given))]
    filled = all(theory.entails(given, sp.Ge(last, first)) for _, first, last in limits)
    strict = theorem.rel == "<" and filled and holds(theory, weight, around, True)
    rel = "=" if theorem.rel == "=" else "<" if strict else "<="
    return made(theory, "sum", lhs, rel, rhs, given=kept | given, left=theory.open(left), premises=(theorem,))


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
        if {x.binds for x in e.atoms(Mean)} & {base.label for base in arrays}:
            raise Refused(f"an expectation is over {', '.join(map(str, arrays))}")
        return fresh(e).replace(
            lambda x: isinstance(x, sp.Indexed) and x.base in arrays, lambda x: fresh(arrays[x.base](*x.indices))
        )

    probes = [
        sp.sympify(f(*[sp.Dummy(integer=True) for _ in range(_arity(theorem, base))])) for base, f in arrays.items()
    ]
    for side in (lhs, rhs, *(o.claim for o in (*asked, *left))):
        unbound(side, (), probes)

    for base in arrays:
        _array_domain(base)
    lhs, rhs = put(lhs), put(rhs)
    more = [Obligation(put(o.claim), frozenset(map(put, o.facts))) for o in (*asked, *left)]
    more += [*theory.wellformed(lhs, given), *theory.wellformed(rhs, given)]
    over = {v for v in theorem.over - set(values) if not theory.speaks_of(v)}
    return made(
        theory, "instance", lhs, theorem.rel, rhs, given=given, over=over, left=theory.open(more), premises=(theorem,)
    )


def _arity(theorem: Theorem, base: Any) -> int:
    """How many indices the entries of an array have in a theorem."""
    entries = sp.Tuple(theorem.lhs, theorem.rhs).atoms(sp.Indexed)
    return next((len(x.indices) for x in entries if x.base == base), 0)


def _array_domain(base: Any) -> None:
    if odd := sorted(set(_assumed(base)) - {"real", "commutative"}):
        raise Refused(f"{base} is {', '.join(odd)}: say it as a hypothesis of the lemma instead")


def _assumed(base: Any) -> Any:
    return getattr(base.label, "_assumptions_orig", {})


def root(theory: Theory, theorem: Theorem, a: Any, b: Any, given: Facts = frozenset()) -> Theorem:
    """``|a| <= b`` from ``a**2 <= b**2``, for b >= 0."""
    given = frozenset(given)
    squared = combine(theory, sp.sympify(a) ** 2, "<=", sp.sympify(b) ** 2, [(1, theorem)], given | theorem.given)
    if not holds(theory, b, given, False):
        raise Refused(f"{b} is not known to be nonnegative")
    return made(theory, "root", sp.Abs(a), "<=", b, given=squared.given, left=squared.left, premises=(squared,))


def absolute(theory: Theory, below: Theorem, above: Theorem) -> Theorem:
    """``|e| <= b`` from ``-b <= e`` and ``e <= b``, strict if both are."""
    belongs(theory, below), belongs(theory, above)
    how, taken = zero_by(theory, below.lhs + above.rhs)
    if not alike(below.rhs, above.lhs) or not how or taken:
        raise Refused(f"not the same quantity between -b and b:\n    {below}\n    {above}")
    rel = "<" if below.rel == above.rel == "<" else "<="
    left = theory.open((*needed(theory, below), *needed(theory, above)))
    given = below.given | above.given
    return made(theory, "absolute", sp.Abs(above.lhs), rel, above.rhs, given=given, left=left, premises=(below, above))


def both_ways(theory: Theory, below: Theorem, above: Theorem) -> Theorem:
    """``a = b`` from ``a <= b`` and ``b <= a``.

    Raises:
        Refused: if one of them is strict, or they speak of different sides.
    """
    belongs(theory, below), belongs(theory, above)
    if "<" in (below.rel, above.rel) or not (alike(below.lhs, above.rhs) and alike(below.rhs, above.lhs)):
        raise Refused(f"not the same sides both ways:\n    {below}\n    {above}")
    left = theory.open((*needed(theory, below), *needed(theory, above)))
    given = below.given | above.given
    return made(theory, "both ways", below.lhs, "=", below.rhs, given=given, left=left, premises=(below, above))


def product(theory: Theory, f: Theorem, g: Theorem, given: Facts = frozenset()) -> Theorem:
    """``0 <= (f.rhs - f.lhs) (g.rhs - g.lhs)`` from two inequalities, strict if both are."""
    belongs(theory, f), belongs(theory, g)
    given = f.given | g.given | frozenset(given)
    gap = (f.rhs - f.lhs) * (g.rhs - g.lhs)
    rel = "<" if f.rel == g.rel == "<" else "<="
    left = theory.open((*needed(theory, f), *needed(theory, g), *theory.wellformed(gap, given)))
    return made(theory, "product", sp.S.Zero, rel, gap, given=given, left=left, premises=(f, g))


def monotone(
    theory: Theory, f: Any, x: Any, start: Any, order: int = 1, both: bool = False, given: Facts = frozenset()
) -> Theorem:
    """``0 <= f`` for x >= start, where f and its slopes below ``order`` are >= 0 at the start, and the slope of that
    order is >= 0 beyond: a function without kinks whose slope is not negative does not fall.

    ``both``: for x on either side, with an even order, where all slopes below it but f itself are 0 at the start.
    ``x`` is a name of its own, and may be anything that its symbol allows: a real, a nonnegative or a positive number.

    Raises:
        Refused: for a kink, a part that is not seen to be defined all the way, or a sign that is not shown.
    """
    f, start, given = sp.sympify(f), sp.sympify(start), frozenset(given)
    runs_along(theory, f, x, given)
    if x in start.free_symbols or (both and order % 2) or order < 1:
        raise Refused(f"{start} is no place to begin, or the order is odd for both sides")
    if not all(theory.closes(Obligation(fact, given)) for fact in asked_of(x, start)):
        raise Refused(f"{start} is not where {x} may be")
    since = given if both else given | ({sp.Ge(x, start)} - {sp.true})
    slopes = [f]
    for _ in range(order):
        slopes.append(slopes[-1].diff(x))
    left = smooth_along(theory, slopes, x, since)
    for n, slope in enumerate(slopes[:-1]):
        value = sp.factor(slope.subs(x, start))
        how, taken = zero_by(theory, value)
        zero = bool(how) and not taken and not value.has(sp.nan, sp.zoo, sp.oo)
        if not zero and ((both and n) or not holds(theory, value, given, False)):
            raise Refused(
                f"at {start} the slope of order {n} is not shown to be {'0' if both and n else '>= 0'}: {value}"
            )
    last = slopes[-1]
    if not (holds(theory, last, since, False) or holds(theory, sp.factor(sp.together(last)), since, False)):
        raise Refused(f"the slope of order {order} is not shown to be >= 0: {sp.factor(sp.together(last))}")
    return made(theory, "monotone", sp.S.Zero, "<=", f, given=since, over={x}, left=left)


def runs_along(theory: Theory, f: Any, x: Any, given: Facts) -> None:
    """Raise Refused unless a symbol runs along the real line, or the part of it that its own sign cuts out, and f has
    no kink there: more may not be known of it.
    """
    if not x.is_Symbol or not x.is_real or x.is_integer or set(x._assumptions_orig) - SIGNS:
        raise Refused(f"{x} should be a symbol for a real number, of any sign or of one")
    if theory.speaks_of(x) or any(x in fact.free_symbols for fact in given):
        raise Refused(f"{x} is of the claim, or a fact that is given speaks of it; take a name of its own")
    for part in f.atoms(*KINKS, sp.Piecewise, sp.KroneckerDelta, sp.Integral):
        if x in part.free_symbols:
            raise Refused(f"a kink, or a branch, in {part}")
    ranged = f.atoms(sp.Sum, sp.Product, Reduction)
    if ends := [s for s in ranged for limit in s.limits for e in limit[1:] if x in e.free_symbols]:
        raise Refused(f"the number of terms changes with {x}: {ends[0]}")


def smooth_along(theory: Theory, slopes: Iterable[Any], x: Any, facts: Facts) -> tuple[Obligation, ...]:
    """What is left to ask for some slopes to be defined wherever the facts hold, all along x.

    Raises:
        Refused: if a slope is not known, or something is left that hangs on x: it would be asked at the end alone.
    """
    slopes = list(slopes)
    if any(slope.has(sp.Derivative, sp.Subs) for slope in slopes):
        raise Refused(f"no derivative is known of {slopes[0]}")
    left = theory.open(o for slope in slopes for o in theory.wellformed(slope, facts))
    if hanging := [o for o in left if x in o.claim.free_symbols]:
        raise Refused(f"not seen to hold all along {x}: {', '.join(map(str, hanging))}")
    return left
