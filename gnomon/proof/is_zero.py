"""Whether an expression is zero, decided by normal forms: sums first, then exact fractions over what is left.

Every method is sound by itself: yes means zero wherever the expression has a real value. The name of the
method that decided is handed back, so that the same method can be asked to reject a wrong formula.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from gnomon.proof.indexed import collapse
from gnomon.proof.normal_form import canon
from gnomon.proof.rational import vanishes

_MOST_OPERATIONS = 200  # of an expression handed to SymPy's simplify, whose time has no bound
_FARTHEST = 3  # terms by which the ends of two sums may differ
_MOST_CASES = 2  # symbols whose signs are told apart


def zero(expr: Any, given: Iterable[Any] = (), method: str = "") -> str:
    """The name of the first method that shows the expression to be zero, or an empty string.

    Args:
        given: expressions known to be nonnegative, for roots: ``1 - b`` where b is at most 1.
        method: ask no other method than this one and the normal form.
    """
    e = sp.sympify(expr)
    if e.has(log1p, expm1):
        e = e.replace(log1p, lambda x: sp.log(1 + x)).replace(expm1, lambda x: sp.exp(x) - 1)
    e = canon(collapse(e))
    if e == 0:
        return "normal form"
    known = [canon(one) for one in given]
    names = [method] if method else list(METHODS)
    return next((name for name in names if name in METHODS and METHODS[name](e, known)), "")


def _fractions(e: Any, given: list[Any]) -> bool:
    return not e.has(sp.oo, sp.nan, sp.zoo) and vanishes(e)


def _ends(e: Any, given: list[Any]) -> bool:
    """After sums and products that differ in their ends alone are brought to the same ends."""
    if not e.has(sp.Sum, sp.Product):
        return False
    e = _aligned(e)
    return bool(e == 0) or _fractions(e, given)


def _aligned(e: Any) -> Any:
    known: list[Any] = []
    for other in sorted(e.atoms(sp.Sum, sp.Product), key=sp.default_sort_key):
        if len(other.limits) > 1:
            continue
        found = next((new for base in known if (new := _by_its_ends(other, base)) is not None), None)
        if found is None:
            known.append(other)
        else:
            e = e.xreplace({other: found})
    return canon(e)


def _by_its_ends(other: Any, base: Any) -> Any:
    """``other`` as a multiple of ``base`` plus single terms at the ends, or None."""
    if type(other) is not type(base) or other == base:
        return None
    (k, _, hi), (j, _, end) = other.limits[0], base.limits[0]
    for shift in sorted(range(-_FARTHEST, _FARTHEST + 1), key=abs):
        longer = sp.expand(hi + shift - end)
        if not longer.is_Integer or abs(longer) > _FARTHEST:
            continue
        ratio = other.function / canon(base.function.xreplace({j: k + shift}))
        if k in ratio.free_symbols or (isinstance(base, sp.Product) and ratio != 1):
            continue
        added = [end + n for n in range(1, int(longer) + 1)] + [sp.Integer(n) for n in range(shift, 0)]
        taken = [end - n for n in range(int(-longer))] + [sp.Integer(n) for n in range(shift)]
        more, less = ([base.function.xreplace({j: at}) for at in ats] for ats in (added, taken))
        if isinstance(base, sp.Product):
            return base * sp.Mul(*more) / sp.Mul(*less)
        return ratio * (base + sp.Add(*more) - sp.Add(*less))
    return None


def _logarithms(e: Any, given: list[Any]) -> bool:
    """After ``log(a*b) = log(a) + log(b)``: right over the reals wherever all three are defined."""
    return e.has(sp.log, log1p) and _ends_or_fractions(split_logs(e), given)


def split_logs(e: Any) -> Any:
    """Logarithms of products as sums, ``log1p(x)`` as ``log(1 + x)``."""
    e = e.replace(lambda x: isinstance(x, log1p), lambda x: sp.log(1 + x.args[0]))
    return e.replace(lambda x: isinstance(x, sp.log), lambda x: _log(x.args[0]))


def _log(u: Any) -> Any:
    if u.is_Add:
        u = sp.factor(sp.together(u))
    if u.is_Rational and u > 0:
        primes = [(prime, n) for prime, n in sp.factorint(u.p).items()]
        primes += [(prime, -n) for prime, n in sp.factorint(u.q).items()]
        return sp.Add(*[n * sp.log(prime) for prime, n in primes])
    if u.is_Mul:
        return sp.Add(*[_log(arg) for arg in u.args])
    if isinstance(u, sp.exp):
        return u.args[0]
    if u.is_Pow:
        return u.exp * _log(u.base)
    if isinstance(u, sp.Product):
        return sp.Sum(_log(u.function), *u.limits)
    if isinstance(u, sp.Abs):
        return _log_of_size(u.args[0])
    return sp.log(u)


def _log_of_size(u: Any) -> Any:
    """``log |u|``: of a product that of its factors' sizes, whatever their signs."""
    if u.is_Add:
        u = sp.factor(sp.together(u))
    if u.is_Mul:
        return sp.Add(*[_log(sp.Abs(arg)) for arg in u.args])
    if u.is_Pow and u.exp.is_integer:
        return u.exp * _log(sp.Abs(u.base))
    if isinstance(u, sp.Product):
        return sp.Sum(_log(sp.Abs(u.function)), *u.limits)
    return sp.log(sp.Abs(u))


def _radicals(e: Any, given: list[Any]) -> bool:
    """After radicands are factored, and their factors of known sign have left the root."""

    def roots(x: Any) -> bool:
        return bool(x.is_Pow and x.exp.is_Rational and not x.exp.is_Integer and not x.base.is_Rational)

    def split(x: Any) -> Any:
        outside, inside = [], sp.S.One
        for factor in sp.Mul.make_args(sp.factor(sp.together(x.base))):
            sign = 1 if _known_nonnegative(factor, given) else -1 if _known_nonnegative(-factor, given) else 0
            outside += [sp.Pow(sign * factor, x.exp)] if sign else []
            inside *= sign or factor
        return sp.Mul(*outside) * sp.Pow(inside, x.exp)

    return any(roots(x) for x in e.atoms(sp.Pow)) and _ends_or_fractions(e.replace(roots, split), given)


def known_multiple(e: Any, known: Iterable[Any]) -> bool:
    """Whether an expression is a positive multiple of one that is known."""
    e = canon(e)
    return any(canon(e.primitive()[1] - one.primitive()[1]) == 0 for one in known)


def _known_nonnegative(e: Any, given: list[Any]) -> bool:
    return bool(e.is_nonnegative) or known_multiple(e, given)


def _exponentials(e: Any, given: list[Any]) -> bool:
    """After circular and hyperbolic functions are written with exponentials, and logarithms split."""
    kinds = (HyperbolicFunction, TrigonometricFunction)
    if not e.has(*kinds, sp.exp):
        return False
    e = e.replace(lambda x: isinstance(x, kinds), lambda x: x.rewrite(sp.exp))
    return _ends_or_fractions(split_logs(canon(e)), given)


def _ends_or_fractions(e: Any, given: list[Any]) -> bool:
    e = canon(e)
    return bool(e == 0) or _fractions(e, given) or _ends(e, given)


def _cases(e: Any, given: list[Any]) -> bool:
    """In each branch of a ``Piecewise``; for each sign of a symbol within an absolute value or a maximum."""
    if e.has(sp.Piecewise):
        folded = sp.piecewise_fold(e)
        if folded == 0:
            return True
        if not isinstance(folded, sp.Piecewise) or folded == e:
            return False
        return all(_in_case(branch, condition, given) for branch, condition in folded.args)
    kinds = (sp.Abs, sp.sign, sp.Max, sp.Min, sp.Heaviside)
    if not e.has(*kinds):
        return False
    if e.has(sp.Max, sp.Min) and _fractions(canon(e.rewrite(sp.Abs)), given):
        return True
    bound = {v for ranged in e.atoms(sp.Sum, sp.Product) for v in ranged.variables}
    found = {s for x in e.atoms(*kinds) for s in x.atoms(sp.Symbol, sp.Indexed) if s in e.free_symbols and s.is_real}
    found = {s for s in found if not bound & s.free_symbols and (s.is_positive is None or s.is_negative is None)}
    if not found or len(found) > _MOST_CASES:
        return False
    s = min(found, key=str)
    p = sp.Dummy(str(s), positive=True)
    signs = [(p, s.is_positive), (-p, s.is_negative), (sp.S.Zero, s.is_zero)]
    return all(possible is False or _in_case(e.xreplace({s: value}), True, given) for value, possible in signs)


def _in_case(e: Any, condition: Any, given: list[Any]) -> bool:
    if isinstance(condition, sp.Eq) and condition.lhs.is_Symbol and condition.lhs not in condition.rhs.free_symbols:
        e = e.xreplace({condition.lhs: condition.rhs})
    e = canon(e)
    undefined = e.has(sp.nan, sp.zoo)  # then there is nothing to agree with
    return bool(e == 0) or undefined or any(METHODS[name](e, given) for name in METHODS if name != "simplify")


def _simplify(e: Any, given: list[Any]) -> bool:
    return bool(e.count_ops() <= _MOST_OPERATIONS) and bool(sp.simplify(e) == 0)


METHODS = {
    "fractions": _fractions,
    "ends of sums": _ends,
    "logarithms": _logarithms,
    "radicals": _radicals,
    "exponentials": _exponentials,
    "cases": _cases,
    "simplify": _simplify,
}
