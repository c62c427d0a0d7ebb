"""The rules of equality: reflexivity, symmetry, chains, normal form, rewriting under binders, decided branches."""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof.defined import asked_of
from gnomon.proof.indexed import collapse
from gnomon.proof.is_zero import METHODS
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.reductions import Kept
from gnomon.proof.terms import Facts, alike, branches, inside, put, walk
from gnomon.proof.theorem import Obligation, Refused, Theorem, genuine, made
from gnomon.proof.theory import Theory

SAFE = ("fractions", "ends of sums", "logarithms", "radicals", "exponentials")
"""Ways to see that an expression is 0 which are right wherever both sides are defined; not "cases", not "simplify"."""


def belongs(theory: Theory, theorem: Theorem) -> Theorem:
    """The theorem, if it is one of this theory, or of one that defines and supposes nothing.

    Raises:
        Refused: for another claim's theorem.
    """
    if not genuine(theorem):
        raise Refused(f"no theorem as a rule made it: {theorem!r}")
    if theorem.theory is not theory and (theorem.hyps or not theorem.theory.pure):
        raise Refused(f"a theorem of another claim: {theorem}")
    return theorem


def needed(theory: Theory, theorem: Theorem) -> tuple[Obligation, ...]:
    """What is left to show of a theorem; of a definition also that its right side has a value."""
    if theorem.rule != "definition":
        return theorem.left
    return theory.open((*theorem.left, *theory.wellformed(theorem.rhs, theorem.given)))


def reflexive(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e``, for an expression that is defined."""
    return made(theory, "reflexive", e, "=", e, given=given, left=theory.open(theory.wellformed(e, given)))


def supposed(theory: Theory, fact: Any) -> Theorem:
    """An equation or an inequality, supposing it. To rewrite by ``i = j`` puts j for i wherever the facts say so.

    Raises:
        Refused: for what is no relation between numbers.
    """
    if not isinstance(fact, (sp.Eq, sp.Ge, sp.Gt, sp.Le, sp.Lt)) or not isinstance(fact.lhs, sp.Expr):
        raise Refused(f"no equation and no inequality: {fact}")
    rel = "=" if isinstance(fact, sp.Eq) else "<" if isinstance(fact, (sp.Lt, sp.Gt)) else "<="
    less, more = (fact.lhs, fact.rhs) if rel == "=" else (fact.lts, fact.gts)
    left = [*theory.wellformed(less, frozenset()), *theory.wellformed(more, frozenset())]
    return made(theory, "supposed", less, rel, more, given={fact}, left=theory.open(left))


def symmetric(theory: Theory, a: Theorem) -> Theorem:
    """``b = a`` from ``a = b``."""
    if belongs(theory, a).rel != "=":
        raise Refused(f"only an equation can be turned round: {a}")
    left = needed(theory, a)
    return made(theory, "symmetric", a.rhs, "=", a.lhs, given=a.given, over=a.over, left=left, premises=(a,))


def chain(theory: Theory, a: Theorem, b: Theorem) -> Theorem:
    """``a rel c`` from ``a rel b`` and ``b rel c``; one strict link makes the chain strict."""
    belongs(theory, a), belongs(theory, b)
    if not alike(a.rhs, b.lhs):
        raise Refused(f"a link does not begin where the last one ended:\n    {a.rhs}\n    {b.lhs}")
    rel = max(a.rel, b.rel, key=("=", "<=", "<").index)
    return made(
        theory,
        "chain",
        a.lhs,
        rel,
        b.rhs,
        given=a.given | b.given,
        left=theory.open((*needed(theory, a), *needed(theory, b))),
        premises=(a, b),
    )


def zero_by(theory: Theory, e: Any) -> tuple[str, list[Any]]:
    """How an expression is seen to be 0, or an empty string; and the ranges that deltas were taken to meet."""
    taken: list[Any] = []
    gap = canon(collapse(e, taken), theory.symmetric)
    if gap.has(sp.KroneckerDelta):  # multiplied out, sums over deltas may stand by themselves
        gap = canon(collapse(gap, taken), theory.symmetric)
    how = "normal form" if gap == 0 else next((m for m in SAFE if _seen(m, gap)), "")
    return how, [sp.And(sp.Ge(k, low), sp.Ge(high, k)) for k, low, high in taken]


def _seen(method: str, gap: Any) -> bool:
    """Whether an expression is seen to be 0 in this way; where SymPy draws branches out of a binder, it is not."""
    try:
        return bool(METHODS[method](gap, []))
    except ValueError:
        return False


def normal(theory: Theory, a: Any, b: Any, given: Facts = frozenset()) -> Theorem:
    """``a = b`` by normal form, fractions, ends of sums, logarithms, radicals or exponentials; both must be defined."""
    how, taken = zero_by(theory, a - b)
    if not how:
        raise Refused(
            f"not seen to be equal:\n    {a}\n    {b}\n    gap {str(canon(collapse(a - b), theory.symmetric))[:400]}"
        )
    left = [Obligation(claim, given) for claim in taken]
    left += [*theory.wellformed(a, given), *theory.wellformed(b, given)]
    return made(theory, how, a, "=", b, given=given, left=theory.open(left))


def instance(
    theory: Theory, theorem: Theorem, values: dict[Any, Any], facts: Facts
) -> tuple[Any, Any, list[Obligation], list[Obligation]]:
    """Both sides at some values; what the theorem is given there; what the values' domains and the open ones ask."""
    if fixed := set(values) - theorem.over:
        raise Refused(f"{', '.join(map(str, fixed))}: the theorem is not general in it")
    asked = [Obligation(put(fact, values), facts) for fact in sorted(theorem.given, key=sp.default_sort_key)]
    domains = [claim for v, e in values.items() for claim in asked_of(v, sp.sympify(e))]
    left = [Obligation(o.put(values).claim, o.put(values).facts | facts) for o in theorem.left]
    if theorem.rule == "definition":
        lhs = put(theorem.lhs, values)
        sides = (lhs, theorem.theory.opened(lhs))
    else:
        sides = (put(theorem.lhs, values), put(theorem.rhs, values))
    return *sides, asked, [*(Obligation(claim, facts) for claim in domains), *left]


def rewrite(
    theory: Theory, theorem: Theorem, e: Any, given: Facts = frozenset(), at: dict[Any, Any] | None = None
) -> Theorem:
    """``e = e'``: every instance of an equation's left side that it applies to replaced, under binders, too.

    Raises:
        Refused: if there is none.
    """
    if belongs(theory, theorem).rel != "=":
        raise Refused(f"only an equation can be used to rewrite: {theorem}")
    left: list[Obligation] = []
    hits = 0

    def change(x: Any, facts: Facts) -> Any:
        nonlocal hits
        pattern = theorem.lhs
        if isinstance(x, sp.Sum) and isinstance(pattern, sp.Sum) and len(x.limits) > (n := len(pattern.limits)):
            outer = x.limits[n:]  # SymPy joins nested sums
            part = change(sp.Sum(x.function, *x.limits[:n]), inside(sp.Sum(0, *outer), facts))
            return None if part is None else sp.Sum(part, *outer)
        if type(x) is not type(pattern):
            return None
        values = match(pattern, x, theorem.over, at or {})
        if values is None:
            return None
        lhs, rhs, asked, more = instance(theory, theorem, values, facts)
        if not alike(x, lhs) or not all(theory.closes(o) for o in asked):
            return None  # it does not apply here
        hits += 1
        left.extend(more)
        if theorem.theory is not theory:  # nothing was asked of its right side here
            left.extend(theory.wellformed(rhs, facts))
        return rhs

    e = fresh(sp.sympify(e))
    new = walk(e, frozenset(given), change)
    if not hits:
        raise Refused(f"{theorem.lhs} does not occur where it applies in\n    {e}")
    return made(theory, "rewrite", e, "=", new, given=given, left=theory.open(left), premises=(theorem,))


def match(pattern: Any, x: Any, over: frozenset[Any], at: dict[Any, Any]) -> dict[Any, Any] | None:
    """Values of the symbols ``over`` that may make x of the pattern (the caller compares), or None."""
    found = dict(at)
    for p in (
        [pattern] if isinstance(pattern, sp.Indexed) else sorted(pattern.atoms(sp.Indexed), key=sp.default_sort_key)
    ):
        for y in [x] if isinstance(x, sp.Indexed) else sorted(x.atoms(sp.Indexed), key=sp.default_sort_key):
            if y.base != p.base or len(y.indices) != len(p.indices):
                continue
            for i, j in zip(p.indices, y.indices, strict=True):
                free = (v for v in i.free_symbols if v in over and v not in found and sp.expand(i - v).is_Integer)
                if (v := next(free, None)) is not None:
                    found[v] = sp.expand(j - (i - v))
    wanted = over & pattern.free_symbols
    return found if wanted <= set(found) | {v for v in over if v in x.free_symbols} else None


def decide(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e'``: branches and deltas that the facts decide; a guard that a delta beside it makes true is dropped."""

    left: list[Obligation] = []

    def change(x: Any, facts: Facts) -> Any:
        if isinstance(x, sp.Piecewise):
            return _decided(theory, x, facts, change, left)
        if isinstance(x, Kept) and theory.entails(facts, x.condition):
            return walk(x.term, facts, change)
        if isinstance(x, sp.KroneckerDelta):
            if theory.entails(facts, sp.Eq(*x.args)):
                return sp.S.One
            return sp.S.Zero if theory.entails(facts, sp.Ne(*x.args)) else None
        if isinstance(x, (sp.Sum, sp.Product)) and any(theory.entails(facts, sp.Lt(hi, lo)) for _, lo, hi in x.limits):
            return sp.S.Zero if isinstance(x, sp.Sum) else sp.S.One
        if isinstance(x, sp.floor):
            return sp.S.Zero if theory.signs.below_one(x, facts | theory.facts) else None
        if isinstance(x, (sp.Max, sp.Min, sp.Abs)) and (best := _extreme(theory, x, facts)) is not None:
            left.extend(theory.wellformed(x, facts))
            return best
        return None

    e = fresh(sp.sympify(e))
    new = walk(e, frozenset(given), change)
    return made(theory, "decide", e, "=", new, given=given, left=theory.open(left))


def _decided(theory: Theory, x: Any, facts: Facts, change: Any, left: list[Obligation]) -> Any:
    kept: list[tuple[Any, Any]] = []
    for value, condition, there, before in branches(x, facts):
        if condition is sp.true or theory.entails(before, condition):
            kept.append((walk(value, there, change), sp.true))
            break
        if not theory.entails(before, sp.Not(condition)):
            kept.append((walk(value, there, change), condition))
    if not kept:
        return None
    if len(kept) == 2 and kept[1] == (sp.S.Zero, sp.true):
        deltas = [f for f in sp.Mul.make_args(kept[0][0]) if isinstance(f, sp.KroneckerDelta)]
        if any(theory.entails(facts | {sp.Eq(*d.args)}, kept[0][1]) for d in deltas):
            left.extend(theory.wellformed(kept[0][0], facts))  # it is read where the guard is false, too
            return kept[0][0]
    if kept[0][1] is sp.true:
        return kept[0][0]
    return sp.Piecewise(*kept) if kept != list(x.args) else None


def _extreme(theory: Theory, x: Any, facts: Facts) -> Any:
    """A maximum, a minimum or an absolute value whose outcome the facts decide."""
    if isinstance(x, sp.Abs):
        arg = x.args[0]
        around = facts | theory.facts
        return (
            arg if theory.signs.holds(arg, around, False) else -arg if theory.signs.holds(-arg, around, False) else None
        )
    way = 1 if isinstance(x, sp.Max) else -1
    for best in x.args:
        gaps = [way * (best - other) for other in x.args if other is not best]
        if all(theory.signs.holds(gap, facts | theory.facts, False) for gap in gaps):
            return best
    return None


def contract(theory: Theory, e: Any, given: Facts = frozenset(), over: str = "") -> Theorem:
    """``e = e'``: deltas summed away. In the sum over ``over``, one with a whole positive slope s leaves a floor."""
    taken: list[Any] = []
    e = fresh(sp.sympify(e))
    new = collapse(e, taken)
    if over:
        new = walk(new, frozenset(given), lambda x, _: _strided(x, over))
    left = [Obligation(sp.And(sp.Ge(k, low), sp.Ge(high, k)), frozenset(given)) for k, low, high in taken]
    return made(theory, "contract", e, "=", new, given=given, left=theory.open([*left, *theory.wellformed(e, given)]))


def _strided(x: Any, over: str) -> Any:
    """``sum_t f(t) delta(a, s t)`` is ``f(a / s)`` where s divides a and a / s lies in the range."""
    for place, (t, first, last) in enumerate(x.limits if isinstance(x, sp.Sum) else ()):
        deltas = [d for d in sp.Mul.make_args(x.function) if isinstance(d, sp.KroneckerDelta) and t in d.free_symbols]
        for delta in deltas if t.name == over else ():
            gap = sp.expand(delta.args[0] - delta.args[1])
            gap = gap if gap.coeff(t).could_extract_minus_sign() else -gap
            slope = -gap.coeff(t)
            a = sp.expand(gap + slope * t)
            fits = slope.is_positive and slope.is_integer and slope != 1 and t not in a.free_symbols and first == 0
            nested = any(t in end.free_symbols for _, *ends in x.limits for end in ends)
            if not fits or nested or last.free_symbols & set(x.variables):
                continue
            there = sp.floor(a / slope)
            met = sp.And(sp.Eq(slope * there, a), sp.Ge(a, 0), sp.Le(a, last * slope))
            body = sp.Piecewise(((x.function / delta).xreplace({t: there}), met), (0, True))
            rest = x.limits[:place] + x.limits[place + 1 :]
            return sp.Sum(body, *rest) if rest else body
    return None


def renamed(theory: Theory, e: Any, new: dict[Any, tuple[Any, Any]], given: Facts = frozenset()) -> Theorem:
    """``e = e'``: in sums over v, another index w, for ``new[v] = (w, there)`` with v there, slope 1 or -1."""
    hits = 0

    def change(x: Any, _: Facts) -> Any:
        nonlocal hits
        if not isinstance(x, (sp.Sum, sp.Product)) or len(x.limits) != 1 or x.variables[0].name not in names:
            return None
        v, first, last = x.limits[0]
        w, there = names[v.name]
        slope = sp.expand(there).coeff(w)
        offset = sp.expand(there - slope * w)
        if slope not in (1, -1) or w in offset.free_symbols or w in x.free_symbols or not offset.is_integer:
            raise Refused(f"{v} = {there} is not a shift or a reflection of a new index by a whole number")
        ends = [sp.expand(slope * (end - offset)) for end in (first, last)]
        hits += 1
        new = sp.Dummy(w.name, integer=True)
        return x.func(put(x.function, {v: slope * new + offset}), (new, *(ends if slope == 1 else ends[::-1])))

    names = {v.name: pair for v, pair in new.items()}
    e = sp.sympify(e)
    after = walk(e, frozenset(given), change)
    if not hits:
        raise Refused(f"no sum over {', '.join(names)} in {e}")
    return made(theory, "reindex", e, "=", after, given=given, left=theory.open(theory.wellformed(e, given)))
