"""The normal form of indexed expressions: two that share it are equal for every size.

Products of sums are multiplied out, lower limits moved to 0, every sum split into the parts that share no
dummy, and the dummies named by where they occur. A name says how deep sums nest below it, so that none is
ever captured.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from gnomon.proof.reductions import ArgMax, Largest, Reduction, Smallest

Limits = tuple[tuple[Any, Any, Any], ...]  # (dummy, lower, upper), the innermost first
Terms = list[tuple[Any, Limits]]  # a product of atoms in normal form, and what it is summed over

_NAME = re.compile(r"ι(\d+)_\d+")
_THIS, _OTHER = sp.symbols("ιthis ιother", integer=True)
_MOST_TERMS = 2000  # a power of a sum is multiplied out up to here
_MOST_LISTED = 8  # terms of a sum with known limits that are written out
_LISTED = {Largest: sp.Max, Smallest: sp.Min}  # what a reduction of few terms is written as
_MOST_ORDERS = 720  # orders tried of dummies that look alike; beyond this only completeness suffers


def fresh(expr: Any) -> Any:
    """The expression with a new dummy for every bound variable, so that no substitution can capture one.

    Raises:
        ValueError: if a sum, product or integral lacks a limit; or if a condition uses a variable that is bound in the
            branches, as SymPy 1.14 makes ``Sum(x[i]*Sum(Piecewise((x[j], j <= i), ...), (j, ...)), (i, ...))``.
    """
    if not isinstance(expr, sp.Basic) or not expr.args or not expr.has(ExprWithLimits):
        return expr
    if not isinstance(expr, ExprWithLimits):
        if isinstance(expr, sp.Piecewise):
            _refuse_leaks(expr)
        return expr.func(*[fresh(arg) for arg in expr.args])
    body = fresh(expr.function)
    limits: list[tuple[Any, Any, Any]] = []
    for limit in expr.limits:
        if len(limit) != 3:
            raise ValueError(f"{expr} needs both limits")
        known = limit[0].assumptions0 if isinstance(expr, sp.Integral) else {"integer": True}
        new = {limit[0]: sp.Dummy(limit[0].name, **known)}
        body, limits = body.xreplace(new), [(v, lo.xreplace(new), hi.xreplace(new)) for v, lo, hi in limits]
        limits.append((new[limit[0]], fresh(limit[1]), fresh(limit[2])))
    return expr.func(body, *limits)


def _refuse_leaks(e: Any) -> None:
    bound = {v for part in e.atoms(ExprWithLimits) for v in part.variables}
    for _, condition in e.args:
        if leaked := bound & condition.free_symbols:
            names = ", ".join(map(str, leaked))
            raise ValueError(
                f"{names} is free in a condition and bound in the branches of {e}: SymPy pulls a Piecewise out of an "
                "inner sum, away from its dummy; write both limits on one Sum, or rename"
            )


def canon(expr: Any, symmetric: Iterable[Any] = ()) -> Any:
    """The normal form; ``symmetric`` lists index bases with ``A[i, j] = A[j, i]``.

    Equal normal forms prove equality for every size, where sums are read as SymPy reads them, and wherever no
    base of a power is zero: ``b**(s + t)`` is split. Unequal ones prove nothing.
    """
    return _canon(sp.sympify(expr), frozenset(str(getattr(base, "label", base)) for base in symmetric))


def _canon(expr: Any, symmetric: frozenset[str]) -> Any:
    parts = []
    for term in sp.Add.make_args(expr) if isinstance(expr, sp.Expr) else (expr,):
        number, rest = term.as_coeff_Mul() if isinstance(term, sp.Expr) else (sp.S.One, term)
        found = _canon_of_term(rest, symmetric)
        parts += [found] if number == 1 else [number * part for part in sp.Add.make_args(found)]
    return sp.Add(*parts) if isinstance(expr, sp.Expr) else parts[0]


@lru_cache(maxsize=20_000)
def _canon_of_term(term: Any, symmetric: frozenset[str]) -> Any:
    result = _Normal(symmetric, _floor(term)).form(fresh(term))
    if any(s.is_Symbol for s in result.free_symbols - term.free_symbols):
        raise ValueError(f"SymPy took a bound variable out of its sum in {term}")
    return result


def _floor(e: Any) -> int:
    """A depth that no free symbol is named by."""
    return 1 + max((int(m[1]) for s in e.free_symbols if (m := _NAME.fullmatch(str(s)))), default=-1)


def spread(expr: Any) -> Terms:
    """The expression multiplied out, its sums opened: products of factors, each with the limits of the sums over it."""
    expr = sp.sympify(expr)
    return _Normal(frozenset(), _floor(expr)).terms(fresh(expr))


def summed(body: Any, limits: Limits) -> Any:
    """The sum of a body over some limits, in an order in which no end uses a dummy that is summed already."""
    return sp.Sum(body, *_innermost_first(list(limits))) if limits else body


class _Normal:
    """One normalisation. Dummies of sums that are still open all print alike, so that no choice depends on
    them.
    """

    def __init__(self, symmetric: frozenset[str], floor: int) -> None:
        self.symmetric = symmetric
        self.floor = floor

    def form(self, e: Any) -> Any:
        if not isinstance(e, sp.Expr):
            return self.atom(e)
        return sp.Add(*[self.close(factors, limits) for factors, limits in self.terms(e)])

    def terms(self, e: Any) -> Terms:
        if e.is_Add:
            return [term for arg in e.args for term in self.terms(arg)]
        if e.is_Mul:
            return self.product([self.terms(arg) for arg in e.args])
        if isinstance(e, sp.Sum):
            body, limits = _opened(e)
            if (listed := _listed(body, limits, sp.Sum)) is not None:
                return [term for one in listed for term in self.terms(one)]
            return [(factors, inner + limits) for factors, inner in self.terms(body)]
        if _whole_power(e):
            base = self.terms(e.base)
            if len(base) == 1 and not base[0][1]:
                return self.product([[(base[0][0] ** e.exp, ())]])
            if len(base) ** int(e.exp) <= _MOST_TERMS:
                return self.product([base] + [self.terms(fresh(e.base)) for _ in range(int(e.exp) - 1)])
        atom = self.atom(e)
        return self.terms(fresh(atom)) if atom != e and _is_composite(atom) else [(atom, ())]

    def product(self, parts: list[Terms]) -> Terms:
        found: Terms = []
        for choice in itertools.product(*parts):
            factors = sp.Mul(*[part[0] for part in choice])
            limits = tuple(itertools.chain.from_iterable(part[1] for part in choice))
            if any(_is_sum(factor) for factor in sp.Mul.make_args(factors)):  # as when two roots meet
                found += [(more, inner + limits) for more, inner in self.terms(fresh(factors))]
            else:
                found.append((factors, limits))
        return found

    def atom(self, e: Any) -> Any:
        """An expression that is not a sum of terms, its arguments in normal form."""
        if not e.args or isinstance(e, (sp.Derivative, sp.Subs, sp.Lambda)):
            return e
        if isinstance(e, sp.Indexed):
            indices = [sp.expand(index) for index in e.indices]
            if str(e.base.label) in self.symmetric and len(indices) == 2:
                indices.sort(key=lambda index: (str(index), sp.default_sort_key(index)))
            return e.base[tuple(indices)]
        if isinstance(e, sp.exp):
            return self.power(sp.E, self.form(e.args[0]))
        if e.is_Pow:
            return self.power(self.form(e.base), self.form(e.exp))
        if isinstance(e, sp.Product):
            return self.close_product(e)
        if isinstance(e, sp.Integral):
            return self.name(sp.Integral, self.form(e.function), tuple(tuple(limit) for limit in e.limits), "real")
        if isinstance(e, Reduction):
            body, limits = _opened(e)
            listed = _listed(body, limits, e.func) if e.func in _LISTED else None
            if listed:
                return _LISTED[e.func](*map(self.form, listed))
            named = self.name(e.func, self.form(body), limits)
            return e.ends[0] + named if isinstance(e, ArgMax) else named
        if e.is_Relational:
            return self.relation(e)
        return e.func(*[self.form(arg) for arg in e.args])

    def power(self, base: Any, exponent: Any) -> Any:
        if exponent.is_Add:
            return sp.Mul(*[self.power(base, part) for part in exponent.args])
        if base.is_Mul and (exponent.is_integer or all(factor.is_nonnegative for factor in base.args)):
            return sp.Mul(*[self.power(factor, exponent) for factor in base.args])
        if not base.is_Add:
            return base**exponent
        content, rest = base.primitive()
        if exponent.is_integer and rest.could_extract_minus_sign():
            content, rest = -content, -rest
        return content**exponent * rest**exponent

    def relation(self, e: Any) -> Any:
        """Comparisons read ``a > 0``, ``a >= 0`` (between integers always that), ``a = 0``."""
        if isinstance(e, (sp.Lt, sp.Le)):
            e = e.reversed
        if not isinstance(e.lhs, sp.Expr) or not isinstance(e.rhs, sp.Expr):
            return e
        gap = self.form(e.lhs - e.rhs)
        if isinstance(e, sp.Gt) and gap.is_integer:
            return sp.Ge(self.form(gap - 1), 0)
        if isinstance(e, (sp.Eq, sp.Ne)) and gap.could_extract_minus_sign():
            gap = -gap
        return e.func(gap, 0)

    def close(self, factors: Any, limits: Limits) -> Any:
        """One term with its sums put back, each group of dummies that meet in a factor by itself."""
        for at, (d, _, hi) in enumerate(limits):
            if d not in factors.free_symbols and not any(d in end.free_symbols for _, _, end in limits):
                rest = limits[:at] + limits[at + 1 :]
                counted = self.terms(sp.expand((hi + 1) * factors))
                return sp.Add(*[self.close(more, inner + rest) for more, inner in counted])
        return sp.Mul(*[self.name(sp.Sum, *group) for group in _groups(factors, limits)])

    def close_product(self, e: Any) -> Any:
        """A product factor by factor; powers of e become the exponential of a sum."""
        body, limits = _opened(e)
        if (listed := _listed(body, limits, sp.Product)) is not None:
            return sp.Mul(*[self.form(one) for one in listed])
        bound = {d for d, _, _ in limits}
        nested = any(bound & hi.free_symbols for _, _, hi in limits)
        count = self.form(sp.Mul(*[hi + 1 for _, _, hi in limits]))
        result = sp.S.One
        for factor in sp.Mul.make_args(self.form(body)):
            base, exponent = factor.as_base_exp()
            if not nested and not bound & factor.free_symbols:
                result *= self.power(factor, count)
            elif base == sp.E:
                result *= self.power(sp.E, self.form(sp.Sum(exponent, *limits)))
            elif exponent.is_Integer:
                result *= self.name(sp.Product, base, limits) ** exponent
            else:
                result *= self.name(sp.Product, factor, limits)
        return result

    def name(self, kind: Any, body: Any, limits: Limits, sort: str = "integer") -> Any:
        """``kind`` of the body, its dummies named in the order in which the whole reads first."""
        if not limits:
            return body
        parts = (body, *(end for limit in limits for end in limit[1:]))
        deep = 1 + max((depth for part in parts for depth in _depths(part)), default=self.floor - 1)
        names = [sp.Symbol(f"ι{deep}_{k}", **{sort: True}) for k in range(len(limits))]
        again = len(limits) > 1 and any(len(inner.limits) > 1 for inner in body.atoms(ExprWithLimits))
        found: dict[tuple[str, str], Any] = {}
        for order in self.orders(body, limits):
            new = {limit[0]: name for limit, name in zip(order, names, strict=True)}
            named = body.xreplace(new)
            if again or self.symmetric:  # what was chosen inside may have hung on dummies that had no name yet
                named = self.form(fresh(named))
            ends = _innermost_first([tuple(part.xreplace(new) for part in limit) for limit in order])
            found.setdefault((str(named), str(ends)), (named, *ends))
        return kind(*found[min(found)])

    def orders(self, body: Any, limits: Limits) -> Iterator[Limits]:
        """Orders: by how the dummies look in the body, and every order of those that look alike."""
        if len(limits) == 1:
            yield limits
            return
        looks: dict[str, list[Any]] = {}
        for limit in limits:
            seen = {other[0]: _THIS if other is limit else _OTHER for other in limits}
            text = body.xreplace(seen)
            text = self.form(fresh(text)) if self.symmetric else text
            looks.setdefault(str((text, [end.xreplace(seen) for end in limit[1:]])), []).append(limit)
        groups = [looks[look] for look in sorted(looks)]
        if math.prod(math.factorial(len(group)) for group in groups) > _MOST_ORDERS:
            groups = [[limit] for group in groups for limit in group]
        for choice in itertools.product(*(itertools.permutations(group) for group in groups)):
            yield tuple(itertools.chain(*choice))


def _opened(e: Any) -> tuple[Any, Limits]:
    """The body and the limits of a sum or product, each moved to begin at 0."""
    body = e.function
    limits: list[tuple[Any, Any, Any]] = []
    for v, lo, hi in e.limits:
        new = sp.Dummy("ι", integer=True)
        body = body.xreplace({v: new + lo})
        limits = [(d, start, end.xreplace({v: new + lo})) for d, start, end in limits]
        limits.append((new, sp.S.Zero, sp.expand(hi - lo)))
    return body, tuple(limits)


def _listed(body: Any, limits: Limits, kind: Any) -> list[Any] | None:
    """The terms of a sum or product one by one, if a limit has few known ones (none, when it is empty)."""
    for at, (d, _, hi) in enumerate(limits):
        if hi.is_Integer and -1 <= hi < _MOST_LISTED:
            listed = []
            for n in range(int(hi) + 1):
                value = {d: sp.Integer(n)}
                rest = [(v, lo, end.xreplace(value)) for v, lo, end in limits[:at] + limits[at + 1 :]]
                listed.append(kind(body.xreplace(value), *rest) if rest else body.xreplace(value))
            return [fresh(one) for one in listed]
    return None


def _groups(factors: Any, limits: Limits) -> list[tuple[Any, Limits]]:
    """A summand as a product of summands that share no dummy, the first of which has none."""
    bound = {limit[0] for limit in limits}
    groups: list[tuple[set[Any], list[Any]]] = []
    touching: list[tuple[set[Any], list[Any]]] = [({d} | (bound & hi.free_symbols), []) for d, _, hi in limits]
    touching += [(bound & factor.free_symbols, [factor]) for factor in sp.Mul.make_args(factors)]
    outside = [factor for dummies, held in touching if not dummies for factor in held]
    for dummies, held in touching:
        if not dummies:
            continue
        met = [group for group in groups if group[0] & dummies]
        groups = [group for group in groups if not group[0] & dummies]
        joined = [factor for group in met for factor in group[1]]
        groups.append((dummies.union(*[group[0] for group in met]), joined + held))
    return [(sp.Mul(*outside), ())] + [
        (sp.Mul(*held), tuple(limit for limit in limits if limit[0] in dummies)) for dummies, held in groups
    ]


def _innermost_first(limits: list[Any]) -> list[Any]:
    """The limits in their order, except that one whose ends use a dummy comes before that dummy's own."""
    done: list[Any] = []
    while limits:
        free = [at for at in limits if not any(at[0] in end.free_symbols for other in limits for end in other[1:])]
        done.append(free[0])
        limits = [at for at in limits if at is not free[0]]
    return done


def _depths(e: Any) -> Iterator[int]:
    """The depths named by the bound variables within an expression."""
    for bound in e.atoms(ExprWithLimits):
        for limit in bound.limits:
            if found := _NAME.fullmatch(str(limit[0])):
                yield int(found[1])


def _whole_power(e: Any) -> bool:
    return bool(e.is_Pow and e.exp.is_Integer and e.exp > 1)


def _is_sum(e: Any) -> bool:
    base = e.base if _whole_power(e) else e
    return bool(base.is_Add) or isinstance(base, sp.Sum)


def _is_composite(e: Any) -> bool:
    return bool(e.is_Add or e.is_Mul) or isinstance(e, sp.Sum)
