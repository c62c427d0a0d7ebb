"""The rules of calculus: for each, what is shown symbolically and what is compared at a point.

=============  ===============================================================================================
rule           ``before`` becomes ``after``, by ``by``
=============  ===============================================================================================
differentiate  the derivative by one or several symbols or entries ``x[p]``, deltas contracted
sum            a sum, or a multiple of one, in closed form
integrate      ``Integral``; ``by`` may give an antiderivative
limit          ``by = (x, x0)`` or ``(x, x0, "+")``; two-sided unless said otherwise or x ends at x0
series         ``by = (x, x0, order)``: the polynomial with all terms of degree below the order
=============  ===============================================================================================

A derivative is compared with a central difference of half-width h about the point. By the mean value theorem
that is the derivative somewhere within h, so ``after``, enclosed over that whole interval, must meet it:
where they do not meet, ``after`` is wrong, with nothing left out. Limits and series are watched on their way,
which is a strong check but no proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import mpmath  # type: ignore[import-untyped]
import sympy as sp
from flint import acb, arb, ctx, fmpq

from gnomon.proof.algebra import Found, Rule, all_zero, compare_sides, entries, granted
from gnomon.proof.enclosure import BITS, EncloseError, Encloser
from gnomon.proof.indexed import collapse
from gnomon.proof.is_zero import zero
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.sample_points import Point, agree, allowed, replaced

_H = 200  # a central difference has half-width 2**-200
_DEEP = 1024  # bits for differences of nearly equal numbers
_NEAR = (16, 32, 64, 128)  # a limit is approached to 2**-k; at infinity, to 2**(k/4)
_UPPER = range(7)  # upper limits at which a closed form is compared with its sum


# ---------------------------------------------------------------- differentiate


@lru_cache(maxsize=1000)
def _derivative(e: Any, by: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The contracted derivative, and the ranges that contraction takes for granted."""
    assumed: list[Any] = []
    return collapse(fresh(e).diff(*by), assumed), tuple(assumed)


def _differentiate(step: Any, after: Any, method: str) -> Found:
    if not step.by:
        raise ValueError("differentiate needs the variable: by=(x,)")
    found = [_derivative(e, step.by) for e in entries(step.before)]
    taken = [one for _, ranges in found for one in ranges]
    return all_zero(tuple(derivative for derivative, _ in found), after, step, method), granted(taken)


def _compare_difference(step: Any, after: Any, point: Point) -> bool | None:
    h = fmpq(1, 2**_H)
    widths: dict[Any, int] = {v: step.by.count(v) for v in step.by}
    box = _moved(point, {v: arb(0, arb(2) ** -_H * n) for v, n in widths.items()})
    lefts, rights = entries(step.before), entries(after)
    if len(lefts) != len(rights):
        return False
    quotients = [fmpq(0) for _ in lefts]
    for signs in itertools.product((1, -1), repeat=len(step.by)):
        shift: dict[Any, Any] = {}
        for v, sign in zip(step.by, signs, strict=True):
            shift[v] = shift.get(v, 0) + sign * h
        there, sign = _moved(point, shift), fmpq(-1) ** signs.count(-1)
        with ctx.workprec(_DEEP):
            scale = sign / (2 * h) ** len(signs)
            quotients = [q + there.enclose(e, _DEEP) * scale for q, e in zip(quotients, lefts, strict=True)]
    verdicts = [agree(q, box.enclose(e, _DEEP)) for q, e in zip(quotients, rights, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _moved(point: Point, shifts: Mapping[Any, Any]) -> Point:
    """The point with some symbols and entries moved."""
    values = dict(point.values)
    with ctx.workprec(_DEEP):
        for v, shift in shifts.items():
            if isinstance(v, sp.Indexed):
                name, at = str(v.base.label), tuple(int(point.exact(i).p) for i in v.indices)
                values[name] = replaced(values[name], at, values[name](*at) + shift)
            else:
                values[v.name] = values[v.name] + shift
    return Point(values, point.functions)


def _ranges(step: Any) -> list[Any]:
    return [one for e in entries(step.before) for one in _derivative(e, step.by)[1]]


# ---------------------------------------------------------------- sum


def _sum(step: Any, after: Any, method: str) -> Found:
    if not method or ", " in method:  # two methods: for the empty sum, and for the last term
        gaps = _growth(canon(collapse(step.before)), after)
        if gaps and (found := all_zero(gaps, (0, 0), step, method)):
            return found, "by induction on the upper limit"
    if ", " in method:
        return "", ""
    closed, dropped = _summed(step.before)
    return all_zero(closed, after, step, method), "; ".join(filter(None, ["by SymPy's summation", dropped]))


def _growth(e: Any, after: Any) -> tuple[Any, Any] | None:
    """What is zero if ``e = c * sum_{k=0}^{h} f(k) + d`` is ``after``: with ``G = (after - d) / c``, the
    value of G for the empty sum, and by what G grows less the last term. None if e is no such sum.
    """
    totals = e.atoms(sp.Sum)
    if len(totals) != 1 or len(next(iter(totals)).limits) > 1:
        return None
    (total,) = totals
    k, _, hi = total.limits[0]
    terms = [term for term in sp.Add.make_args(e) if term.has(total)]
    factor = sp.Add(*[term / total for term in terms])
    free = hi.free_symbols - total.function.free_symbols
    ends = [t for t in free if t.is_Symbol and sp.expand(hi - t).is_number]
    if not ends or factor.has(sp.Sum):
        return None
    t = ends[0]
    grown = (after - (e - sp.Add(*terms))) / factor
    empty = grown.subs(t, t - hi - 1)
    if empty.has(sp.nan, sp.zoo):  # then from the first term
        empty = grown.subs(t, t - hi) - total.function.xreplace({k: sp.S.Zero})
    return empty, grown - grown.subs(t, t - 1) - total.function.xreplace({k: hi})


@lru_cache(maxsize=1000)
def _summed(e: Any) -> tuple[Any, str]:
    """SymPy's closed form, and a note of the special cases of its that are left out."""
    dropped: list[str] = []

    def generic(piecewise: Any) -> Any:
        for branch, condition in piecewise.args:
            if condition == sp.true:
                return branch
            if not isinstance(condition, sp.Eq):
                return piecewise
            dropped.append(str(condition))
        return piecewise

    closed = e.doit().replace(lambda x: isinstance(x, sp.Piecewise), generic)
    note = f"left out: {', '.join(dropped)}" if dropped else ""
    return closed, note


def _upper_limits(step: Any, point: Point) -> list[Point]:
    """The point with every upper limit from 0 on, which is where closed forms go wrong."""
    ends = {
        t
        for total in step.before.atoms(sp.Sum)
        for _, _, hi in total.limits
        for t in hi.free_symbols
        if t.is_Symbol and t.is_integer and t.name in point.values
    }
    return [point.at(**{t.name: fmpq(n) for t in ends}) for n in _UPPER if all(allowed(t, fmpq(n)) for t in ends)]


# ---------------------------------------------------------------- integrate


@lru_cache(maxsize=1000)
def _integrated(e: Any, antiderivative: Any) -> tuple[Any, str]:
    if antiderivative is None:
        value = e.doit()
        return value, ""
    if not isinstance(e, sp.Integral) or len(e.limits) != 1:
        raise ValueError("an antiderivative goes with a single Integral")
    ((x, lo, hi),) = e.limits
    if not zero(antiderivative.diff(x) - e.function):
        raise ValueError(f"the derivative of {antiderivative} is not the integrand")
    ends = [sp.limit(antiderivative, x, end, side) for end, side in ((hi, "-"), (lo, "+"))]
    return ends[0] - ends[1], "by its antiderivative"


def _integrate(step: Any, after: Any, method: str) -> Found:
    value, note = _integrated(step.before, step.by[0] if step.by else None)
    if value.has(sp.Integral):
        raise ValueError(f"SymPy does not integrate {step.before}: give an antiderivative, by=(F,)")
    value, dropped = _summed(value)
    note = "; ".join(filter(None, [note, dropped, _quadrature_note(step.before)]))
    return all_zero(value, after, step, method), note


def _quadrature_note(e: Any) -> str:
    infinite = any(end.is_infinite for part in e.atoms(sp.Integral) for limit in part.limits for end in limit[1:])
    return "infinite range by mpmath's quadrature, which is not rigorous" if infinite else ""


def _compare_integrals(step: Any, after: Any, point: Point) -> bool | None:
    e, values = step.before, {}
    for n, part in enumerate(sorted(e.atoms(sp.Integral), key=sp.default_sort_key)):
        mark = sp.Dummy(f"integral{n}")
        values[mark.name] = _quadrature(part, point)
        e = e.xreplace({part: mark})
    return agree(point.at(**values).enclose(e), point.enclose(after))


def _quadrature(part: Any, point: Point) -> Any:
    if len(part.limits) != 1 or len(part.limits[0]) != 3 or part.function.has(sp.Integral):
        raise EncloseError(f"one integral at a time, with both limits: {part}")
    ((x, lo, hi),) = part.limits
    body = point.concrete(part.function)
    if not (lo.is_infinite or hi.is_infinite):
        with ctx.workprec(BITS):
            found = _rigorous(body, x, point, point.exact(lo), point.exact(hi))
        if found is not None:
            return found
    digits = BITS // 4
    with mpmath.workdps(digits), ctx.workprec(BITS):

        def f(at: Any) -> Any:
            return mpmath.mpf(arb(Encloser(point.values, {}, point.functions).value(body, {x: arb(at)})).mid())

        def end(at: Any) -> Any:
            return mpmath.mpf(f"{'-' * (at is -sp.oo)}inf" if at.is_infinite else arb(point.exact(at)).mid())

        value, error = mpmath.quad(f, [end(lo), end(hi)], error=True)
        return arb(value, max(arb(error), arb(2) ** (-BITS // 3)))


def _rigorous(body: Any, x: Any, point: Point, lo: Any, hi: Any) -> Any:
    """The integral as a ball, or None where it does not converge fast, as at an endpoint that is singular."""
    failed: list[Exception] = []

    def f(at: Any, analytic: bool) -> Any:
        if failed:
            return acb("nan")
        try:
            return acb(Encloser(point.values, {}, point.functions, analytic).value(body, {x: at}))
        except Exception as error:  # flint turns what passes through it into a SystemError
            failed.append(error)
            return acb("nan")

    found = acb.integral(f, acb(lo), acb(hi), eval_limit=5000)
    return found.real if not failed and found.is_finite() and found.rad() < arb(2) ** (-BITS // 3) else None


# ---------------------------------------------------------------- limit, series


def _approach(step: Any) -> tuple[Any, Any, str]:
    x, x0, *side = step.by
    x0 = sp.sympify(x0)
    if side:
        return x, x0, str(side[0])
    if x0.is_infinite or x0 != 0:
        return x, x0, "+-"
    return x, x0, "+" if x.is_nonnegative else "-" if x.is_nonpositive else "+-"


@lru_cache(maxsize=1000)
def _limit(e: Any, x: Any, x0: Any, side: str) -> Any:
    return sp.limit(e, x, x0) if x0.is_infinite else sp.limit(e, x, x0, side)


def _to_limit(step: Any, after: Any, method: str) -> Found:
    found = _limit(step.before, *_approach(step))
    if not found.is_finite or not after.is_finite:
        return ("equality" if found == after else ""), ""
    return all_zero(found, after, step, method), ""


def _compare_approach(step: Any, after: Any, point: Point) -> bool | None:
    """Whether the distance falls by a quarter at least, each time that x is twice as many bits along."""
    x, x0, side = _approach(step)
    target = None if after.is_infinite else point.enclose(after, 2 * _DEEP)
    signs = [1] if x0 is sp.oo else [-1] if x0 is -sp.oo else [{"+": 1, "-": -1}[one] for one in side]
    for sign in signs:
        distances = []
        for k in _NEAR:
            at = fmpq(sign * 2 ** (k // 4)) if x0.is_infinite else point.exact(x0, 2 * _DEEP) + fmpq(sign, 2**k)
            value = point.at(**{x.name: at}).enclose(step.before, 2 * _DEEP)
            if target is None:
                if not value * (1 if after is sp.oo else -1) > 0:
                    return False
                distances.append(1 / abs(value))
            else:
                distances.append(abs(value - target))
        for far, near in itertools.pairwise(distances[1:]):
            if near.abs_upper() < arb(2) ** -_DEEP or near.abs_upper() <= far.abs_lower() * fmpq(3, 4):
                continue
            return False if near.abs_lower() > far.abs_upper() * fmpq(3, 4) else None
    return True


@lru_cache(maxsize=1000)
def _expanded(e: Any, x: Any, x0: Any, order: int) -> Any:
    """The Taylor polynomial, by derivatives at x0 where they exist, else by SymPy's series."""
    if not e.has(sp.Abs, sp.sign, sp.Max, sp.Min, sp.Piecewise, sp.Heaviside):
        total, term = sp.S.Zero, e
        for n in range(order):
            total += term.subs(x, x0) * (x - x0) ** n / sp.factorial(n)
            term = term.diff(x)
        if not total.has(sp.nan, sp.zoo, sp.oo):
            return total
    return sp.series(e, x, x0, order).removeO()


def _series(step: Any, after: Any, method: str) -> Found:
    x, x0, order = step.by
    if sp.sympify(x0).is_infinite:
        raise ValueError("a series about a finite point: substitute x = 1/u")
    return all_zero(_expanded(step.before, x, sp.sympify(x0), int(order)), after, step, method), ""


def _compare_remainder(step: Any, after: Any, point: Point) -> bool | None:
    """Whether the remainder falls like the order says when the distance is divided by 2**32."""
    x, x0, order = step.by
    order, sizes = int(order), []
    bits = 128 * (order + 4)
    start = point.exact(x0, bits)
    for k in (64, 96):
        there = point.at(**{x.name: start + fmpq(1, 2**k)})
        with ctx.workprec(bits):
            sizes.append(abs(there.enclose(step.before, bits) - there.enclose(after, bits)))
    far, near = sizes
    with ctx.workprec(bits):
        scaled = near * arb(2) ** (32 * order - 16)
        if far.abs_upper() < arb(2) ** (-96 * order - 64) or scaled.abs_upper() <= far.abs_lower():
            return True
        return False if scaled.abs_lower() > far.abs_upper() else None


CALCULUS = {
    "differentiate": Rule(_differentiate, _compare_difference, ranges=_ranges),
    "sum": Rule(_sum, compare_sides, spread=_upper_limits),
    "integrate": Rule(_integrate, _compare_integrals, draws=3),
    "limit": Rule(_to_limit, _compare_approach),
    "series": Rule(_series, _compare_remainder),
}
