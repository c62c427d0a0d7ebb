"""What must hold for an expression to be defined: denominators, roots, logarithms, ranges, shapes, kinks.

What is said here of a theory is asked of it: its definitions, shapes and domains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean

from gnomon.proof.mean import Exists, Mean
from gnomon.proof.reductions import (
    EXTREMES,
    ArgMax,
    Kept,
    Largest,
    LogSumExp,
    Reduction,
    left_out,
    powered,
)
from gnomon.proof.terms import Facts, indices_of, inside, mentioned, name_of, put
from gnomon.proof.theorem import Refused

TOTAL = (
    sp.exp, sp.sin, sp.cos, sp.tanh, sp.sinh, sp.cosh, sp.atan, sp.asinh, sp.erf, sp.Abs, sp.sign, sp.floor, sp.ceiling,
    sp.Max, sp.Min, sp.KroneckerDelta, sp.Heaviside, expm1,
)  # fmt: skip
"""Functions that have a value for every real number."""

SIGNS = {"real", "integer", "nonnegative", "positive", "commutative"}
"""What a symbol that a theorem is general in may be supposed to be."""

KINKS = (sp.Abs, sp.Max, sp.Min, sp.sign, sp.floor, sp.ceiling, sp.Heaviside, *EXTREMES, Kept)
"""Functions with a place where they have no slope."""

_PLAIN = (sp.Symbol, sp.Number, sp.NumberSymbol, sp.Add, sp.Mul, sp.IndexedBase, sp.Tuple, ExprCondPair, Boolean)
"""Parts of an expression that are defined if their own parts are."""


def asked(theory: Any, x: Any, facts: Facts) -> Iterable[tuple[Any, Facts]]:
    if isinstance(x, (sp.Sum, sp.Product)):
        for place, (_, first, last) in reversed(list(enumerate(x.limits))):
            around = inside(x.func(0, *x.limits[place + 1 :]), facts) if x.limits[place + 1 :] else facts
            yield sp.Ge(last - first + 1, 0), around
            yield from ((whole(end), around) for end in (first, last) if not end.is_integer)
    elif isinstance(x, Reduction):
        first, last = x.ends
        yield sp.Ge(last - first, 0), facts
        yield from ((whole(end), facts) for end in x.ends if not end.is_integer)
    elif isinstance(x, sp.Integral):
        yield from ((sp.Ge(last - first, 0), facts) for _, first, last in x.limits)
        yield from (
            (tame(part), facts) for part in x.function.atoms(sp.Piecewise, *KINKS, sp.Function) if _wild(part, x)
        )
    elif isinstance(x, sp.Limit):
        yield Exists(x), facts
    elif isinstance(x, sp.Derivative):
        yield from ((claim, facts) for claim in differentiable(theory, x.expr, x.variables))
    elif isinstance(x, sp.KroneckerDelta):
        yield from ((whole(arg), facts) for arg in x.args if not arg.is_integer)
    elif isinstance(x, sp.Pow):
        yield from ((claim, facts) for claim in _of_power(x, lambda r: theory.entails(facts, r)))
    elif isinstance(x, sp.log):
        yield sp.Gt(x.args[0], 0), facts
    elif isinstance(x, log1p):
        yield sp.Gt(x.args[0], -1), facts
    elif isinstance(x, sp.Indexed):
        yield from _of_entry(theory, x, facts)
    elif isinstance(x, sp.Symbol):
        _onething(theory, x)
        yield from ((o.claim, facts | o.facts) for o in (theory.asks(x.name) if theory.defined(x) else ()))
    elif isinstance(x, sp.Piecewise) and x.args[-1][1] is not sp.true:
        yield sp.Or(*[condition for _, condition in x.args]), facts
    elif isinstance(x, AppliedUndef) or getattr(x, "family", None) is not None:
        if getattr(x, "order", 0):
            yield smooth(x.family), facts
    elif hasattr(x, "asks"):
        yield from ((claim, facts) for claim in x.asks())
        yield from _of_mean(theory, x, facts) if isinstance(x, Mean) else ()
    elif isinstance(x, (sp.tan, sp.acos, sp.asin, sp.gamma, sp.loggamma, sp.acosh, sp.atanh, sp.coth, sp.cot)):
        yield sp.Symbol(f"{x} is defined"), facts
    elif isinstance(x, sp.Function) and not isinstance(x, (*TOTAL, sp.Piecewise)) and not hasattr(x, "total"):
        raise Refused(f"{type(x).__name__} has no known domain: {x}")
    elif isinstance(x, Kept) or x in (sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
        yield sp.Symbol(f"{x} is a real number"), facts
    elif not isinstance(x, (*_PLAIN, *TOTAL, sp.Piecewise)) and not hasattr(x, "total"):
        raise Refused(f"{type(x).__name__} has no known domain: {x}")


def instead(x: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """What is defined wherever an expression in minus infinity is, and what else must hold; None if that is not read.

    A power of e is 0 there. The greatest term, and log-sum-exp, leave it out, and ask that some term is left.
    """
    if isinstance(x, sp.exp) and (value := powered(x)) is not None:
        return value, ()
    if isinstance(x, (Largest, LogSumExp)) and (parts := left_out(x.function)) is not None:
        rest, found = parts
        shown = rest + sp.Add(*[kept.chosen(kept.term, sp.S.Zero) for _, kept in found])
        kept = sp.Mul(*[kept.chosen(sp.S.One, sp.S.Zero) for _, kept in found])
        return x.func(shown, *x.limits), (sp.Ge(sp.Sum(kept, *x.limits), 1),)
    return None


def _of_mean(theory: Any, x: Mean, facts: Facts) -> Iterable[tuple[Any, Facts]]:
    """That the law is made of numbers, and that the claim knows no more of the noise than its law says."""
    for part in x.law.args:
        if isinstance(part, sp.Expr):
            yield from ((o.claim, o.facts) for o in theory.wellformed(part, facts))
    name, bound = name_of(x.binds), theory.signs.bounds.get(name_of(x.binds))
    low, high = x.law.support
    if bound is not None:
        yield sp.Ge(low, bound.low), facts
        yield sp.Le(high, bound.high), facts
    more = set(getattr(x.binds, "_assumptions_orig", {})) - {"real", "commutative", *x.law.said}
    supposed = free_names(*theory.facts, *(side for c in theory.conditions.values() for side in (c.lhs, c.rhs)))
    symmetric = {name_of(base) for base in theory.symmetric}
    if more or name in supposed | symmetric | set(theory.definitions) or x.binds in x.law.free_symbols:
        yield sp.Symbol(f"of {name}, which is noise, the law alone is known"), facts


def _of_entry(theory: Any, x: Any, facts: Facts) -> Iterable[tuple[Any, Facts]]:
    """That the indices of an entry lie in their ranges, and what its definition asks there."""
    name = name_of(x)
    _onething(theory, x)
    yield from ((whole(index), facts) for index in x.indices if not index.is_integer)
    shape = theory.shapes.get(name)
    if name in theory.definitions:
        lhs, given = theory.definitions[name].lhs, theory.definitions[name].given
        if len(indices_of(lhs)) != len(x.indices):
            raise Refused(f"{x}: {name} has {len(indices_of(lhs))} indices")
        at = dict(zip(indices_of(lhs), x.indices, strict=True))
        yield from ((put(fact, at), facts) for fact in sorted(given, key=sp.default_sort_key))
        for obligation in theory.asks(name):
            there = obligation.put(at)
            yield there.claim, facts | there.facts
    elif shape is not None:
        extents = shape(*x.indices) if callable(shape) else shape
        if len(extents) != len(x.indices):
            raise Refused(f"{x}: {name} has {len(extents)} indices")
        for index, extent in zip(x.indices, extents, strict=True):
            yield sp.Ge(index, 0), facts
            yield sp.Ge(extent - 1 - index, 0), facts


def _onething(theory: Any, x: Any) -> None:
    name, one = name_of(x), thing(x)
    if isinstance(x, sp.Dummy) or not (name in theory.inputs or name in theory.definitions):
        return
    known = thing(theory.definitions[name].lhs) if name in theory.definitions else theory.named.setdefault(name, one)
    if known != one:
        raise Refused(f"two things are called {name}; SymPy tells symbols apart by their assumptions")


def differentiable(theory: Any, e: Any, variables: Iterable[Any]) -> list[Any]:
    """What must hold for an expression to have a slope; parts that may have none, by name."""
    found = []
    for x in variables:
        found += [tame(part) for part in e.atoms(*KINKS, sp.Piecewise) if x in part.free_symbols]
        found += [tame(x)] if x.is_integer else []
        hidden = [n for n in sorted(mentioned(e) & set(theory.definitions)) if x.name in theory.leans(n)]
        found += [sp.Symbol(f"{name} has a slope by {x}") for name in hidden]
        found += [smooth(f.family) for f in e.atoms(sp.Function) if getattr(f, "family", None) and x in f.free_symbols]
        found += [smooth(f.func.__name__) for f in e.atoms(AppliedUndef) if x in f.free_symbols]
        roots = [p for p in e.atoms(sp.Pow) if x in p.base.free_symbols and p.exp.is_integer is not True]
        found += [sp.Gt(root.base, 0) for root in roots if root.base is not sp.E]
    return found


def whole(e: Any) -> Any:
    """The condition that an expression is a whole number."""
    return sp.Symbol(f"{e} is a whole number")


def tame(e: Any) -> Any:
    """The condition that a part has a slope, or an integral."""
    return sp.Symbol(f"{e} has neither kink nor jump where it is read")


def _wild(part: Any, integral: Any) -> bool:
    """Whether a part may jump within the range of an integral."""
    unknown = isinstance(part, AppliedUndef) or getattr(part, "family", None) is not None
    jumps = isinstance(part, (sp.Piecewise, sp.sign, sp.floor, sp.ceiling, sp.Heaviside, ArgMax, Kept)) or unknown
    return jumps and bool(part.free_symbols & set(integral.variables))


def thing(x: Any) -> Any:
    """What a name stands for: the base of an entry, or the symbol."""
    return x.base if isinstance(x, sp.Indexed) else x


def free_names(*expressions: Any) -> set[str]:
    """The names of what is free in expressions."""
    free = set().union(*[sp.sympify(e).free_symbols for e in expressions])
    return {name_of(x) for x in free if not isinstance(x, sp.Dummy)}


def asked_of(v: Any, e: Any) -> list[Any]:
    """What a symbol's own assumptions ask of the expression that takes its place.

    Raises:
        Refused: if it is said to be whole, or of another kind, and the expression is not known to be.
    """
    if v == e:
        return []
    if v.is_integer and not e.is_integer:
        raise Refused(f"{e} is not known to be a whole number, as {v} is")
    if odd := sorted(set(getattr(v, "_assumptions_orig", {})) - SIGNS):
        raise Refused(f"{v} is {', '.join(odd)}: a theorem that is general in it is of no use")
    if v.is_positive:
        return [sp.Ge(e, 1) if v.is_integer else sp.Gt(e, 0)]
    return [sp.Ge(e, 0)] if v.is_nonnegative else []


def smooth(family: str) -> Any:
    """The condition that an unknown function is differentiable wherever it is applied."""
    return sp.Symbol(f"{family} is differentiable where it is applied")


def _of_power(x: Any, entails: Callable[[Any], bool]) -> Iterable[Any]:
    base, exponent = x.base, x.exp
    if base is sp.E:
        return
    if exponent.is_integer:
        if not exponent.is_nonnegative and not entails(sp.Ge(exponent, 0)):
            yield sp.Ne(base, 0)
    elif exponent.is_number and exponent.is_positive:
        yield sp.Ge(base, 0)
    else:
        yield sp.Gt(base, 0)
