"""Lemmas that are proved once, when they are asked for, from the rules alone: general in their symbols and arrays.

:data:`LEMMAS` lists them by name; :func:`lemma` gives one at values: ``lemma(theory, "amgm", x=a[i], y=b[i], c=2)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import sympy as sp

from gnomon.proof import equality, goals
from gnomon.proof.goals import Goal
from gnomon.proof.inequality import absolute, at, combine, monotone, product, root, total
from gnomon.proof.library_base import (
    a,
    b,
    c,
    exp_tangent,
    general,
    i,
    j,
    k,
    log_tangent,
    m,
    n,
    p,
    q,
    r,
    run,
    s,
    u,
    w,
    x,
    y,
    z,
)
from gnomon.proof.library_extremes import exp_monotone, log_monotone, lse_below_max, max_below_lse, term_below_lse
from gnomon.proof.terms import Facts, name_of
from gnomon.proof.theorem import Refused, Theorem
from gnomon.proof.theory import Theory
from gnomon.proof.xlogy import relative, unfolded


def lemma(theory: Theory, name: str, given: Facts = frozenset(), **values: Any) -> Theorem:
    """A lemma of the library at values of its symbols and arrays, by their names; arrays are functions of an index.

    Raises:
        Refused: for a name that is none of its own.
    """
    if name not in LEMMAS:
        raise Refused(f"there is no lemma {name!r}; there are {', '.join(LEMMAS)}")
    theorem = LEMMAS[name]()
    known = {name_of(v): v for v in theorem.over}
    if strange := sorted(set(values) - set(known)):
        raise Refused(f"{name} has no {', '.join(strange)}; it is general in {', '.join(sorted(known))}: {theorem}")
    return at(theory, theorem, {known[name]: value for name, value in values.items()}, given)


@cache
def square_nonneg() -> Theorem:
    """``0 <= x**2``."""
    return general(combine(Theory(), 0, "<=", x**2), x, name="square_nonneg")


@cache
def amgm() -> Theorem:
    """``2 x y <= c x**2 + y**2 / c`` for c > 0."""
    theory = Theory()
    square = combine(theory, 0, "<=", (c * x - y) ** 2)
    return general(combine(theory, 2 * x * y, "<=", c * x**2 + y**2 / c, [(1 / c, square)]), x, y, c, name="amgm")


@cache
def cauchy_schwarz() -> Theorem:
    """``(sum a b)**2 <= sum a**2 sum b**2``, by Lagrange's identity."""
    theory = Theory()
    crossed = combine(theory, 0, "<=", (a[i] * b[j] - a[j] * b[i]) ** 2)
    summed = total(theory, total(theory, crossed, 1, (i, 0, n - 1)), 1, (j, 0, n - 1))
    shown = combine(theory, run(a[i] * b[i]) ** 2, "<=", run(a[i] ** 2) * run(b[i] ** 2), [(sp.Rational(1, 2), summed)])
    return general(shown, a, b, n, name="cauchy_schwarz")


@cache
def square_of_sum() -> Theorem:
    """``(sum a)**2 <= n sum a**2``: Cauchy and Schwarz with ones."""
    theory = Theory()
    ones = at(theory, cauchy_schwarz(), {b: lambda k: sp.S.One})
    shown = combine(theory, run(a[i]) ** 2, "<=", n * run(a[i] ** 2), [(1, ones)])
    return general(shown, a, n, name="square_of_sum")


@cache
def triangle() -> Theorem:
    """``|x + y| <= |x| + |y|``."""
    theory = Theory()
    above, below = ([combine(theory, 0, "<=", sp.Abs(z) + way * z) for z in (x, y)] for way in (1, -1))
    crossed = [product(theory, above[0], below[1]), product(theory, below[0], above[1])]
    squared = combine(theory, (x + y) ** 2, "<=", (sp.Abs(x) + sp.Abs(y)) ** 2, [(1, one) for one in crossed])
    return general(root(theory, squared, x + y, sp.Abs(x) + sp.Abs(y)), x, y, name="triangle")


@cache
def triangle_products() -> Theorem:
    """``|x y + z w| <= |x| |y| + |z| |w|``: an error carried along, and what is new."""
    theory, most = Theory(), sp.Abs(x) * sp.Abs(y) + sp.Abs(z) * sp.Abs(w)
    up, down = ({v: combine(theory, 0, "<=", sp.Abs(v) + way * v) for v in (x, y, z, w)} for way in (1, -1))

    def crossed(one: dict[Any, Theorem], other: dict[Any, Theorem]) -> list[tuple[Any, Theorem]]:
        pairs = [(f[first], g[second]) for first, second in ((x, y), (z, w)) for f, g in ((up, one), (down, other))]
        return [(sp.Rational(1, 2), product(theory, *pair)) for pair in pairs]

    above = combine(theory, x * y + z * w, "<=", most, crossed(down, up))
    below = combine(theory, -most, "<=", x * y + z * w, crossed(up, down))
    shown = absolute(theory, below, above)
    return general(shown, x, y, z, w, name="triangle_products")


@cache
def absolute_product() -> Theorem:
    """``|x y| = |x| |y|``."""
    theory, apart = Theory(), sp.Abs(x) * sp.Abs(y)

    def case(*facts: Any) -> Theorem:
        given = frozenset(facts)
        sides = [equality.decide(theory, side, given) for side in (sp.Abs(x * y), apart)]
        return equality.chain(theory, sides[0], equality.symmetric(theory, sides[1]))

    def cases(fact: Any) -> Theorem:
        return goals.cases(theory, sp.Ge(y, 0), case(fact, sp.Ge(y, 0)), case(fact, sp.Lt(y, 0)))

    shown = goals.cases(theory, sp.Ge(x, 0), cases(sp.Ge(x, 0)), cases(sp.Lt(x, 0)))
    return general(shown, x, y, name="absolute_product")


@cache
def triangle_sum() -> Theorem:
    """``|sum a| <= sum |a|``, by induction."""
    theory = Theory()

    def step(hypothesis: Theorem) -> Theorem:
        split = at(theory, triangle(), {x: run(a[i]), y: a[n]})
        return combine(
            theory, sp.Abs(run(a[i], i, n + 1)), "<=", run(sp.Abs(a[i]), i, n + 1), [(1, split), (1, hypothesis)]
        )

    return _inducted(theory, sp.Abs(run(a[i])), "<=", run(sp.Abs(a[i])), (a,), step, "triangle_sum")


def _inducted(
    theory: Theory, lhs: Any, rel: str, rhs: Any, over: Iterable[Any], step: Callable[[Theorem], Theorem], name: str
) -> Theorem:
    """A claim for every n, by induction from 0 on."""
    goal = Goal(lhs, rel, rhs, frozenset(), frozenset({n, *over}))
    (hypothesis,) = goals.hypotheses(theory, [goal], n)
    base = goal.put({n: sp.S.Zero})
    shown = combine(theory, base.lhs, rel, base.rhs)
    (theorem,) = goals.induct(theory, [goal], n, 0, [shown], [step(hypothesis)], [hypothesis])
    return goals.general(theory, theorem, goal, name)


@cache
def bernoulli() -> Theorem:
    """``1 + n (s - 1) <= s**n`` for s >= 0, by induction."""
    theory = Theory()

    def step(hypothesis: Theorem) -> Theorem:
        return combine(theory, 1 + (n + 1) * (s - 1), "<=", s ** (n + 1), [(s, hypothesis)])

    return _inducted(theory, 1 + n * (s - 1), "<=", s**n, (s,), step, "bernoulli")


@cache
def square_tangent() -> Theorem:
    """``y**2 + 2 y (x - y) <= x**2``."""
    return general(combine(Theory(), y**2 + 2 * y * (x - y), "<=", x**2), x, y, name="square_tangent")


@cache
def gibbs() -> Theorem:
    """``p - q <= p log(p / q)``, zeros included: one term of a relative entropy."""
    fits = sp.Gt(sp.Piecewise((1, sp.Eq(p, 0)), (q, True)), 0)
    return _relative(p - q, q, relative(p, q), {u: q / p, m: sp.S.One}, frozenset({fits}), "gibbs")


@cache
def gibbs_square() -> Theorem:
    """``p - q + 3 (p - q)**2 / (2 (p + 2 q)) <= p log(p / q)`` for q > 0: how much one term exceeds its tangent."""
    theory, fits, share = Theory(), frozenset({sp.Gt(q, 0)}), sp.Rational(3, 2)
    above = monotone(theory, u * sp.log(u) - u + 1 - share * (u - 1) ** 2 / (u + 2), u, 1, 2, both=True)
    terms = [unfolded(theory, p, y, fits) for y in (p, q)]

    def case(fact: Any) -> Theorem:
        given = fits | {fact}
        parts = [(-turn, _decided(theory, term, given)) for turn, term in zip((1, -1), terms, strict=True)]
        if fact == sp.Ne(p, 0):
            parts.append((q, at(theory, above, {u: p / q}, given)))
        return combine(theory, p - q + share * (p - q) ** 2 / (p + 2 * q), "<=", relative(p, q), parts, given)

    zero = sp.Eq(p, 0)
    shown = goals.cases(theory, zero, case(zero), case(sp.Ne(p, 0)))
    return general(shown, p, q, name="gibbs_square")


@cache
def to_middle() -> Theorem:
    """``p log(p / ((p + q) / 2)) <= p log 2``, zeros included: how far a law is from its mean with another."""
    middle = (p + q) / 2
    return _relative(
        -p * sp.log(2), middle, -relative(p, middle), {u: p / (p + q), m: sp.S.One}, frozenset(), "to_middle"
    )


def _relative(lhs: Any, to: Any, rhs: Any, tangent: dict[Any, Any], fits: Facts, name: str) -> Theorem:
    """``lhs <= rhs``, that is 0 where p = 0 or plus or minus p log(p / to), by p times a tangent of the logarithm."""
    theory, way = Theory(), 1 if rhs == relative(p, to) else -1
    terms = [unfolded(theory, p, p, fits), unfolded(theory, p, to, fits)]

    def case(fact: Any) -> Theorem:
        given = fits | {fact}
        parts = [(-way * turn, _decided(theory, term, given)) for turn, term in zip((1, -1), terms, strict=True)]
        if fact == sp.Ne(p, 0):
            parts.append((p, at(theory, log_tangent(), tangent, given)))
        return combine(theory, lhs, "<=", rhs, parts, given)

    zero = sp.Eq(p, 0)
    shown = goals.cases(theory, zero, case(zero), case(sp.Ne(p, 0)))
    return general(shown, p, q, name=name)


def _decided(theory: Theory, equation: Theorem, given: Facts) -> Theorem:
    """An equation whose right side has its branches decided."""
    return equality.chain(theory, equation, equality.decide(theory, equation.rhs, given))


@cache
def halves() -> Theorem:
    """``max(0, x)**2 + max(0, -x)**2 = x**2``."""
    theory, both = Theory(), sp.Max(0, x) ** 2 + sp.Max(0, -x) ** 2

    def case(fact: Any) -> Theorem:
        given = frozenset({fact})
        shown = equality.decide(theory, both, given)
        return equality.chain(theory, shown, equality.normal(theory, shown.rhs, x**2, given))

    rising = sp.Ge(x, 0)
    return general(goals.cases(theory, rising, case(rising), case(sp.Lt(x, 0))), x, name="halves")


@cache
def between() -> Theorem:
    """``x = 0`` for ``0 <= x <= 0``: what is neither below nor above, or is said to be 0."""
    theory, given = Theory(), frozenset({sp.Ge(x, 0), sp.Le(x, 0)})
    up, down = (equality.decide(theory, sp.Max(0, x), frozenset({fact})) for fact in (sp.Ge(x, 0), sp.Le(x, 0)))
    shown = equality.chain(theory, equality.symmetric(theory, up), down)
    return goals.general(theory, shown, Goal(x, "=", sp.S.Zero, given, frozenset({x})), "between")


@cache
def geometric() -> Theorem:
    """``(1 - r) sum of r**i over i < n  =  1 - r**n``, by induction."""
    theory = Theory()

    def step(hypothesis: Theorem) -> Theorem:
        return combine(theory, (1 - r) * run(r**i, i, n + 1), "=", 1 - r ** (n + 1), [(1, hypothesis)])

    return _inducted(theory, (1 - r) * run(r**i), "=", 1 - r**n, (r,), step, "geometric")


@cache
def geometric_sum() -> Theorem:
    """``sum of r**i over i < n  =  (1 - r**n) / (1 - r)`` for r != 1."""
    theory, given = Theory(), frozenset({sp.Ne(r, 1)})
    shown = combine(theory, run(r**i), "=", (1 - r**n) / (1 - r), [(1 / (1 - r), geometric())], given)
    return general(shown, r, n, name="geometric_sum")


@cache
def entry() -> Theorem:
    """``a[k]**2 <= sum a**2`` for k in the range."""
    theory, given = Theory(), frozenset({sp.Ge(k, 0), sp.Le(k, n - 1)})
    delta = sp.KroneckerDelta(i, k)
    others = total(theory, combine(theory, 0, "<=", a[i] ** 2), 1 - delta, (i, 0, n - 1), given=given)
    return general(combine(theory, a[k] ** 2, "<=", run(a[i] ** 2), [(1, others)], given), a, k, n, name="entry")


@cache
def vanishing_power() -> Theorem:
    """``s**n (1 + n (1 / s - 1)) <= 1`` for s > 0: how fast the powers of a number below 1 vanish."""
    theory = Theory()
    above = at(theory, bernoulli(), {s: 1 / c})
    return general(
        combine(theory, c**n * (1 + n * (1 / c - 1)), "<=", 1, [(c**n, above)]), c, n, name="vanishing_power"
    )


LEMMAS: dict[str, Callable[[], Theorem]] = {
    "square_nonneg": square_nonneg,
    "amgm": amgm,
    "cauchy_schwarz": cauchy_schwarz,
    "square_of_sum": square_of_sum,
    "triangle": triangle,
    "triangle_products": triangle_products,
    "absolute_product": absolute_product,
    "triangle_sum": triangle_sum,
    "bernoulli": bernoulli,
    "log_tangent": log_tangent,
    "exp_tangent": exp_tangent,
    "square_tangent": square_tangent,
    "gibbs": gibbs,
    "gibbs_square": gibbs_square,
    "to_middle": to_middle,
    "halves": halves,
    "between": between,
    "geometric": geometric,
    "geometric_sum": geometric_sum,
    "entry": entry,
    "vanishing_power": vanishing_power,
    "log_monotone": log_monotone,
    "exp_monotone": exp_monotone,
    "term_below_lse": term_below_lse,
    "max_below_lse": max_below_lse,
    "lse_below_max": lse_below_max,
}
"""The lemmas by name: each makes a theorem, once."""
