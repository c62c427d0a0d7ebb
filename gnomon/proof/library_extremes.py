"""Lemmas on monotone functions, on maxima and on log-sum-exp: a part of the library."""

from __future__ import annotations

from functools import cache

import sympy as sp

from gnomon.proof import extremes
from gnomon.proof.inequality import at, combine, total
from gnomon.proof.library_base import a, exp_tangent, filled, general, i, k, log_tangent, m, n, run, u, x, y
from gnomon.proof.reductions import Largest, LogSumExp
from gnomon.proof.theorem import Theorem
from gnomon.proof.theory import Theory


@cache
def log_monotone() -> Theorem:
    """``log u <= log m`` for 0 < u <= m."""
    theory, given = Theory(), frozenset({sp.Le(u, m)})
    below = combine(theory, 0, "<=", (m - u) / m, (), given)
    return general(
        combine(theory, sp.log(u), "<=", sp.log(m), [(1, log_tangent()), (1, below)], given), u, m, name="log_monotone"
    )


@cache
def exp_monotone() -> Theorem:
    """``e**y <= e**x`` for y <= x."""
    theory, given = Theory(), frozenset({sp.Le(y, x)})
    below = combine(theory, 0, "<=", x - y, (), given)
    return general(
        combine(theory, sp.exp(y), "<=", sp.exp(x), [(1, exp_tangent()), (sp.exp(y), below)], given),
        x,
        y,
        name="exp_monotone",
    )


@cache
def term_below_lse() -> Theorem:
    """``a[k] <= logsumexp a`` for k in the range."""
    theory, given = Theory(), frozenset({sp.Ge(k, 0), sp.Le(k, n - 1)})
    whole, delta = run(sp.exp(a[i])), sp.KroneckerDelta(i, k)
    others = total(theory, combine(theory, 0, "<=", sp.exp(a[i])), 1 - delta, (i, 0, n - 1), given=given)
    one = combine(theory, sp.exp(a[k]), "<=", whole, [(1, others)], given)
    tangent = at(theory, log_tangent(), {u: sp.exp(a[k]), m: whole}, given)
    named = extremes.powers(theory, LogSumExp(a[i], (i, 0, n - 1)), given)
    shown = combine(theory, a[k], "<=", named.lhs, [(1, tangent), (1 / whole, one), (-1, named)], given)
    return general(shown, a, k, n, name="term_below_lse")


@cache
def max_below_lse() -> Theorem:
    """``max a <= logsumexp a``."""
    theory = Theory()
    limit = (i, 0, filled - 1)
    term = at(theory, term_below_lse(), {k: i, n: filled}, frozenset({sp.Ge(i, 0), sp.Le(i, filled - 1)}))
    return general(extremes.extreme(theory, term, limit), a, filled, name="max_below_lse")


@cache
def lse_below_max() -> Theorem:
    """``logsumexp a <= max a + log n``."""
    theory, limit = Theory(), (i, 0, filled - 1)
    inside = frozenset({sp.Ge(i, 0), sp.Le(i, filled - 1)})
    most, whole = Largest(a[i], limit), sp.Sum(sp.exp(a[i]), limit)
    term = extremes.bounded_by(theory, most, i, inside)
    tangent = at(theory, exp_tangent(), {x: most, y: a[i]}, inside)
    each = combine(theory, sp.exp(a[i]), "<=", sp.exp(most), [(1, tangent), (sp.exp(a[i]), term)], inside)
    summed = total(theory, each, 1, limit)
    above = filled * sp.exp(most)
    logs = at(theory, log_tangent(), {u: whole, m: above})
    named = extremes.powers(theory, LogSumExp(a[i], limit))
    shown = combine(theory, named.lhs, "<=", most + sp.log(filled), [(1, logs), (1 / above, summed), (1, named)])
    return general(shown, a, filled, name="lse_below_max")
