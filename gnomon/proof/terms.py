"""Terms as the kernel reads them: names, binders, branches, and equality up to the names of bound variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from gnomon.proof.mean import Mean
from gnomon.proof.normal_form import fresh

Facts = frozenset[Any]
"""Relations that hold at a place: ranges of the binders around it, conditions of the branches, what is given."""

_NAMED = re.compile(r"κ(\d+)\.\d+")
_PLAIN = {"integer", "real", "commutative"}

OPAQUE = (sp.Derivative, sp.Subs, sp.Lambda, sp.Limit)
"""Binders of another kind, which are read as they stand."""

COMMUTATIVE = (sp.Add, sp.Mul, sp.Max, sp.Min, sp.And, sp.Or, sp.KroneckerDelta, sp.Eq, sp.Ne)


def name_of(lhs: Any) -> str:
    """The name that a definition's left-hand side gives: ``m`` for ``m`` and for ``m[t, i]``.

    A dummy has a name that nothing else has: what is said of ``k`` is not said of an index of that name.
    """
    label = lhs.base.label if hasattr(lhs, "indices") else lhs
    if isinstance(label, sp.Dummy):
        return f"{label.name}.{label.dummy_index}"
    return str(getattr(label, "name", label))


def indices_of(lhs: Any) -> tuple[Any, ...]:
    """The indices of an entry, none for a plain symbol."""
    return tuple(getattr(lhs, "indices", ()))


def mentioned(e: Any) -> set[str]:
    """The names of all symbols and index bases within an expression."""
    return {name_of(x) for x in sp.sympify(e).atoms(sp.Indexed, sp.Symbol)} if not isinstance(e, bool) else set()


def put(e: Any, values: dict[Any, Any]) -> Any:
    """The expression at some values of its symbols, no binder capturing what is put in.

    Raises:
        ValueError: if something would be captured by an expectation, a slope or a limit.
    """
    unbound(e, values, values.values())
    return fresh(e).xreplace(values) if isinstance(e, sp.Basic) else e


def unbound(e: Any, keys: Iterable[Any], values: Iterable[Any]) -> None:
    """Raise ValueError if values in the place of keys would be captured: noise by an expectation over it, a symbol by a
    slope or a limit in it.
    """
    binders = e.atoms(Mean, *OPAQUE) if isinstance(e, sp.Basic) else ()
    bound = {v for x in binders for v in _binds(x)}
    met = bound & set().union(set(keys), *[sp.sympify(value).free_symbols for value in values]) if bound else set()
    if met:
        raise ValueError(f"{', '.join(sorted(map(str, met)))} is bound in {e}: not to be put in, nor replaced")


def _binds(x: Any) -> Iterable[Any]:
    if isinstance(x, Mean):
        return [x.binds]
    return list(x.args[1].free_symbols if isinstance(x, sp.Limit) else x.variables)


def within(limit: Iterable[Any]) -> Facts:
    """What a limit ``(index, first, last)`` says of its index."""
    index, first, last = limit
    return frozenset({f for f in (sp.Ge(index, first), sp.Le(index, last)) if f is not sp.true})


def branches(e: Any, facts: Facts) -> Iterator[tuple[Any, Any, Facts, Facts]]:
    """Of each branch: value, condition, what holds where it is taken, and what where the condition is asked."""
    for value, condition in e.args:
        yield value, condition, facts | ({condition} if condition is not sp.true else set()), facts
        if condition.is_Relational:
            facts = facts | {condition.negated}
        elif isinstance(condition, sp.Or):
            facts = facts | {part.negated for part in condition.args if part.is_Relational}


def inside(e: Any, facts: Facts) -> Facts:
    """The facts within a binder: each index lies in its range, and nothing else is known of it."""
    for limit in reversed(e.limits):
        facts = _bound(facts, limit)
    return facts


def _bound(facts: Facts, limit: Any) -> Facts:
    kept = unshadowed(facts, limit[:1])
    return kept | within(limit) if len(limit) == 3 else kept


def unsigned(e: Any) -> Any:
    """The expression with nothing known of a bound index but that it is whole: its sign is a matter of its range."""
    signed = {v for part in e.atoms(ExprWithLimits) for v in part.variables if set(v._assumptions_orig) - _PLAIN}
    return e if not signed else fresh(e)


def unshadowed(facts: Facts, names: Iterable[Any]) -> Facts:
    """The facts that do not speak of some names."""
    names = set(names)
    return frozenset(fact for fact in facts if not names & fact.free_symbols)


def opened(e: Any, facts: Facts) -> tuple[Any, Facts]:
    """The body of a binder and the facts within it, its indices under names of which only their range is known."""
    taken, names = {s.name for s in e.free_symbols}, {}
    for v in e.variables:
        name = f"{v.name}°"
        while name in taken:
            name += "°"
        taken.add(name)
        names[v] = sp.Symbol(name, real=True) if isinstance(e, sp.Integral) else sp.Symbol(name, integer=True)
    limits = [(names[v], *[end.xreplace(names) for end in ends]) for v, *ends in e.limits]
    around = unshadowed(facts, names.values())
    return e.function.xreplace(names), around.union(*[within(limit) for limit in limits if len(limit) == 3])


Change = Callable[[Any, Facts], Any]


def walk(e: Any, facts: Facts, change: Change) -> Any:
    """The expression rebuilt from outside in by ``change(e, facts)``; None leaves a node to its parts."""
    new = change(e, facts)
    if new is not None:
        return new
    if not isinstance(e, sp.Basic) or not e.args:
        return e
    if isinstance(e, ExprWithLimits):
        limits: list[tuple[Any, ...]] = []
        around = facts
        for index, *ends in reversed(e.limits):
            limits.insert(0, (index, *[walk(end, around, change) for end in ends]))
            around = _bound(around, limits[0])
        return e.func(walk(e.function, around, change), *limits)
    if isinstance(e, sp.Piecewise):
        return e.func(*[(walk(v, there, change), walk(c, at, change)) for v, c, there, at in branches(e, facts)])
    if isinstance(e, sp.Indexed):
        return e.func(e.base, *[walk(index, facts, change) for index in e.indices])
    if isinstance(e, Mean):  # an expectation: what is known of an outcome is not known of all
        return e.func(walk(e.e, unshadowed(facts, {e.binds}), change), *e.args[1:])
    if isinstance(e, OPAQUE):
        return e  # what holds at a point need not hold around it
    return e.func(*[walk(arg, facts, change) for arg in e.args])


@cache
def _mark(what: Any, place: int = 0) -> Any:
    """A symbol of its own for a class of expressions, or for a depth and a place among binders."""
    return sp.Dummy(f"{what}.{place}", integer=True)


@lru_cache(maxsize=50_000)
def alpha(e: Any, depth: int = 0) -> Any:
    """Bound symbols named by depth and arguments sorted, so that ``==`` is equality up to renaming."""
    if isinstance(e, ExprWithLimits):
        limits: list[Any] = []
        new: dict[Any, Any] = {}
        for place, (v, *ends) in reversed(list(enumerate(e.limits))):  # an end sees the dummies further out
            limits.insert(0, sp.Tuple(*[alpha(end.xreplace(new), depth + 1) for end in ends]))
            new = {**new, v: _mark(depth, place)}
        return sp.Tuple(_mark(e.func), alpha(e.function.xreplace(new), depth + 1), *limits)
    opaque = isinstance(e, OPAQUE) and not isinstance(e, sp.Limit)  # a limit's own variable keeps its name
    if not isinstance(e, sp.Basic) or not e.args or isinstance(e, sp.IndexedBase) or opaque:
        return e
    args = [alpha(arg, depth) for arg in e.args]
    if isinstance(e, COMMUTATIVE):
        args.sort(key=sp.default_sort_key)
    return sp.Tuple(_mark(e.func), *args)


@lru_cache(maxsize=50_000)
def named(e: Any) -> Any:
    """The expression with its bound indices named by how deep sums nest below, so that names tell nothing apart."""
    if not isinstance(e, sp.Basic) or not e.args or not e.has(ExprWithLimits):
        return e
    return _named(e, 1 + max(_depths(e.free_symbols), default=-1))


def _named(e: Any, floor: int) -> Any:
    if not e.has(ExprWithLimits):
        return e
    if not isinstance(e, ExprWithLimits):
        return e.func(*[_named(arg, floor) for arg in e.args])
    limits = [(v, *[_named(end, floor) for end in ends]) for v, *ends in e.limits]
    body = _named(e.function, floor)
    within = {v for part in sp.Tuple(body, *limits).atoms(ExprWithLimits) for v in part.variables}
    deep = 1 + max(_depths(within), default=floor - 1)
    sort = {"real": True} if isinstance(e, sp.Integral) else {"integer": True}
    new = {v: sp.Symbol(f"κ{deep}.{k}", **sort) for k, v in enumerate(e.variables)}
    return e.func(body.xreplace(new), *[tuple(part.xreplace(new) for part in limit) for limit in limits])


def _depths(symbols: Iterable[Any]) -> list[int]:
    return [int(m[1]) for s in symbols if s.is_Symbol and (m := _NAMED.fullmatch(s.name))]


def alike(a: Any, b: Any) -> bool:
    """Whether two expressions are the same up to the names of bound variables."""
    return bool(a == b) or bool(alpha(sp.sympify(a)) == alpha(sp.sympify(b)))


def places(condition: Any, part: Any) -> Iterator[dict[Any, Any]]:
    """Values of a condition's indices at which one of its entries occurs in a part."""
    seen: list[dict[Any, Any]] = []
    if not condition.over:
        yield {}
    for pattern in _entries(condition.lhs) | _entries(condition.rhs):
        for x in _entries(part):
            if x.base != pattern.base or len(x.indices) != len(pattern.indices):
                continue
            values = {v: j for v, j in zip(pattern.indices, x.indices, strict=True) if v in condition.over}
            whole = all(j.is_integer for j in values.values())
            if whole and set(values) == condition.over and values not in seen:
                seen.append(values)
                yield values


@lru_cache(maxsize=10_000)
def _entries(e: Any) -> frozenset[Any]:
    return frozenset(e.atoms(sp.Indexed))
