"""Index calculus: sums over symbolic ranges, differentiated, contracted, taken apart and compared.

Expressions are made of ``IndexedBase``, ``Sum``, ``Product``, ``KroneckerDelta`` and opaque functions. SymPy
differentiates them for every size at once, but neither contracts the deltas that come out nor sees that two
sums are equal when their dummies differ. A range is written as in SymPy, both ends included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import sympy as sp
from sympy.core.function import ArgumentIndexError

from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.reductions import Reduction

__all__ = ["canon", "collapse", "fresh", "opaque", "opaque_of", "peel_first", "peel_last", "relabel", "same"]

Ranges = Mapping[Any, tuple[Any, Any]]


@cache
def opaque(name: str, depth: int = 2) -> tuple[Any, ...]:
    """An unknown smooth real function with its derivatives: ``sigma, dsigma, ddsigma = opaque("sigma")``.

    Derivatives stay readable: ``sigma(x**2).diff(x)`` is ``2*x*dsigma(x**2)``, without ``Subs`` or
    ``Derivative``. Differentiating one more than ``depth`` times is a ``ValueError``.
    """

    def too_deep(self: Any, argindex: int = 1) -> Any:
        raise ValueError(f"opaque({name!r}, depth={depth}) is differentiated more than {depth} times")

    made: list[Any] = []
    for order in reversed(range(depth + 1)):

        def fdiff(self: Any, argindex: int = 1, derivative: Any = made[0] if made else None) -> Any:
            if argindex != 1:
                raise ArgumentIndexError(self, argindex)
            return derivative(self.args[0])

        body = {"fdiff": fdiff if made else too_deep, "nargs": 1, "is_real": True}
        about = {"family": name, "order": order, "derivative": made[0] if made else None}
        made.insert(0, type("d" * order + name, (sp.Function,), {**body, **about}))
    return tuple(made)


@cache
def opaque_of(name: str, *variables: str) -> tuple[Any, tuple[Any, ...]]:
    """An unknown smooth real function of several numbers, and its slopes: ``f, (f_u, f_v) = opaque_of("f", *"uv")``.

    ``f(x, x * y).diff(x)`` is ``f_u(x, x * y) + y * f_v(x, x * y)``. Differentiating twice is a ``ValueError``.
    """

    def too_deep(self: Any, argindex: int = 1) -> Any:
        raise ValueError(f"opaque_of({name!r}) is differentiated twice")

    def fdiff(self: Any, argindex: int = 1) -> Any:
        return slopes[argindex - 1](*self.args)

    about = {"nargs": len(variables), "is_real": True, "family": name}
    slopes = tuple(
        type(f"{name}_{v}", (sp.Function,), {**about, "fdiff": too_deep, "order": 1, "place": place})
        for place, v in enumerate(variables)
    )
    return type(name, (sp.Function,), {**about, "fdiff": fdiff, "order": 0, "place": 0}), slopes


def same(a: Any, b: Any) -> bool:
    """Whether two expressions are equal by contraction and normal form (yes is certain, no is not)."""
    a, b = collapse(a), collapse(b)
    return bool(canon(a - b) == 0) or bool(canon(a) == canon(b))


def collapse(expr: Any, assumed: list[tuple[Any, Any, Any]] | None = None) -> Any:
    """Contract Kronecker deltas: ``sum_j delta(j, k) f(j)`` becomes ``f(k)``.

    A bound ``k`` must lie in the range of j provably, or the result is zero-extended by a ``Piecewise``; so
    is that of a shifted one like ``p - i``. A free symbol ``k`` is *taken* to be in range, and each such
    assumption is appended to ``assumed`` as ``(k, lower, upper)``. A delta that fixes j otherwise (``2*j =
    k``) is left alone.
    """
    expr = sp.sympify(expr)
    if not expr.has(sp.KroneckerDelta):
        return expr
    result = _collapse(fresh(expr), {}, [] if assumed is None else assumed)
    if any(s.is_Symbol for s in result.free_symbols - expr.free_symbols):
        raise ValueError(f"SymPy took a bound variable out of its sum in {expr}")
    return result


def _collapse(e: Any, ranges: Ranges, assumed: list[Any]) -> Any:
    if not e.args or not e.has(sp.KroneckerDelta):
        return e
    if isinstance(e, Reduction):
        return e.func(_collapse(e.function, {**ranges, e.index: e.ends}, assumed), *e.limits)
    if not isinstance(e, sp.Sum):
        return e.func(*[_collapse(arg, ranges, assumed) for arg in e.args])
    around = {**ranges, **{v: (lo, hi) for v, lo, hi in e.limits}}
    body = _collapse(e.function, around, assumed)
    for j, lo, hi in e.limits:
        del around[j]
        done, rest = [], []
        for term in _spread(body, j):
            found = _contract(term, (j, lo, hi), around, assumed)
            if found is not None:
                done.append(found)
                continue
            outside, within = term.as_independent(j, as_Add=False)
            if outside.has(sp.KroneckerDelta):  # for a sum further out to contract
                done.append(outside * sp.Sum(within, (j, lo, hi)))
            else:
                rest.append(term)
        body = sp.Add(*done) + (sp.Sum(sp.Add(*rest), (j, lo, hi)) if rest else 0)
    return body


def _spread(e: Any, j: Any) -> list[Any]:
    """Terms that add up to ``e``, each with its deltas on j as plain factors."""
    if not any(j in delta.free_symbols for delta in e.atoms(sp.KroneckerDelta)):
        return [e]
    if e.is_Add:
        return [term for arg in e.args for term in _spread(arg, j)]
    if e.is_Mul:
        return [sp.Mul(*factors) for factors in itertools.product(*(_spread(arg, j) for arg in e.args))]
    if e.is_Pow and e.exp.is_Integer and e.exp > 1 and e.base.is_Add:
        return [sp.Mul(*factors) for factors in itertools.product(_spread(e.base, j), repeat=int(e.exp))]
    return [e]


def _contract(term: Any, limit: tuple[Any, Any, Any], around: Ranges, assumed: list[Any]) -> Any:
    """The sum of ``term`` over ``limit`` by one of its deltas, or None. One that needs no extension is
    preferred.
    """
    j, lo, hi = limit
    extended = None
    factors = sp.Mul.make_args(term)
    for delta in factors:
        if not isinstance(delta, sp.KroneckerDelta) or j not in delta.free_symbols:
            continue
        if len(delta.args) != 2:
            raise ValueError(f"{delta} carries a range of its own: give the range in the sum")
        gap = sp.expand(delta.args[0] - delta.args[1])
        slope = gap.coeff(j)
        at = sp.expand(j - slope * gap)
        if slope not in (1, -1) or j in at.free_symbols or not (at.is_Symbol or at.is_integer):
            continue
        taken: list[Any] = []
        inside = _inside(at, lo, hi, around, taken)
        if inside is sp.false:
            return sp.S.Zero
        value = sp.Mul(*[factor for factor in factors if factor is not delta]).xreplace({j: at})
        if inside is sp.true:
            assumed.extend(taken)
            return value
        extended = extended or sp.Piecewise((value, inside), (0, True))
    return extended


def _inside(at: Any, lo: Any, hi: Any, around: Ranges, assumed: list[Any]) -> Any:
    """The condition for ``lo <= at <= hi``: true, false, or what is left to ask."""
    gaps = [at - lo, hi - at]
    if any(_never_negative(-gap - 1, around) for gap in gaps):
        return sp.false
    unknown = [gap for gap in gaps if not _never_negative(gap, around)]
    ends = lo.free_symbols | hi.free_symbols
    if unknown and at.is_Symbol and at not in around and at not in ends and not ends & set(around):
        assumed.append((at, lo, hi))
        return sp.true
    return sp.And(*[sp.Ge(sp.expand(gap), 0) for gap in unknown])


def _never_negative(e: Any, around: Ranges) -> bool:
    """Whether an expression, linear in the bound variables, is nonnegative wherever they can be."""
    for _ in range(len(around) + 1):
        e = sp.expand(e)
        bound = [v for v in around if v in e.free_symbols]
        if not bound:
            return bool(e.is_nonnegative)
        v = next((v for v in bound if any(end.free_symbols & set(around) for end in around[v])), bound[0])
        slope = e.coeff(v)
        if not slope.is_real or v in (e - slope * v).free_symbols or slope.free_symbols:
            return False
        e = e.xreplace({v: around[v][0] if slope >= 0 else around[v][1]})
    return False


def peel_last(expr: Any) -> Any:
    """Split the last term off a sum or product: ``sum_{i=a}^{b} f(i) = sum_{i=a}^{b-1} f(i) + f(b)``.

    Of several limits the outermost is split. As SymPy reads limits it holds for every b.
    """
    return _peeled(expr, first=False)


def peel_first(expr: Any) -> Any:
    """Split the first term off a sum or product: ``sum_{i=a}^{b} f(i) = f(a) + sum_{i=a+1}^{b} f(i)``."""
    return _peeled(expr, first=True)


def _peeled(expr: Any, first: bool) -> Any:
    if not isinstance(expr, (sp.Sum, sp.Product)):
        raise ValueError(f"only a Sum or a Product has a term to split off, got {expr}")
    expr = fresh(expr)
    *inner, (i, lo, hi) = expr.limits
    kind = expr.func
    at = {i: lo if first else hi}
    ends = [(v, start.xreplace(at), end.xreplace(at)) for v, start, end in inner]
    one = expr.function.xreplace(at)
    one = kind(one, *ends) if ends else one
    rest = kind(expr.function, *inner, (i, lo + 1, hi) if first else (i, lo, hi - 1))
    return rest + one if kind is sp.Sum else rest * one


def relabel(expr: Any, names: Mapping[Any, Any], symmetric: Iterable[Any] = ()) -> Any:
    """Rename dummies at once, ``{i: j, j: i}``, in each sum that has one of them; ``A[j, i]`` of a symmetric
    base becomes ``A[i, j]``.

    Raises:
        ValueError: if a new name is taken already, so that it would capture or clash.
    """
    bases = {str(getattr(base, "label", base)) for base in symmetric}

    def renamed(e: Any) -> Any:
        if not isinstance(e, sp.Basic) or not e.args:
            return e
        if isinstance(e, sp.Sum) and any(v in names for v in e.variables):
            new = {v: names.get(v, v) for v in e.variables}
            if len(set(new.values())) < len(new) or set(new.values()) & e.free_symbols:
                raise ValueError(f"renaming {names} clashes in {e}")
            inner = {v for s in e.function.atoms(sp.Sum) for v in s.variables}
            if inner & (set(new) | set(new.values())):
                raise ValueError(f"renaming {names} would be captured inside {e}")
            swapped = [tuple(part.xreplace(new) for part in limit) for limit in e.limits]
            return sp.Sum(renamed(e.function.xreplace(new)), *swapped)
        if isinstance(e, sp.Indexed) and str(e.base.label) in bases and len(e.indices) == 2:
            return e.base[tuple(sorted(e.indices, key=sp.default_sort_key))]
        return e.func(*[renamed(arg) for arg in e.args])

    return renamed(sp.sympify(expr))
