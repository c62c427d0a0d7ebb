"""The rules of expectation: moments of declared noise, linearity, even laws, and what holds for every outcome."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import sympy as sp

from gnomon.proof.equality import belongs, needed
from gnomon.proof.mean import Entries, Exists, Indices, Law, Mean, Sample
from gnomon.proof.normal_form import Limits, fresh, spread, summed
from gnomon.proof.terms import Facts, mentioned, name_of, unshadowed, walk, within
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory

_MOST_FACTORS = 8  # of a product of noise: there are 4140 ways to group so many

Values = tuple[Any, list[Obligation]]


def moments(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e'``, every expectation in it worked out, the inner ones first.

    Of a polynomial in independent entries: the sum over the groupings of its noise factors of products of cumulants,
    where the entries of a group are the same. Of draws: the sum over which of them are the same draw.

    Raises:
        Refused: for what is no polynomial in the entries, or hides the noise in a definition.
    """
    return _each_mean(theory, "moments", e, given, _worked_out)


def linear(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e'``, in every expectation sums and what is not random taken out: ``E[sum of a x] = sum of a E[x]``."""
    return _each_mean(theory, "linearity of the mean", e, given, _linear)


def mirrored(theory: Theory, e: Any, given: Facts = frozenset()) -> Theorem:
    """``e = e'``: ``E[f(z)] = E[(f(z) + f(-z)) / 2]`` for every expectation over noise of an even law.

    Raises:
        Refused: for a law that is not even.
    """
    return _each_mean(theory, "even law", e, given, _mirrored)


def averaged(theory: Theory, theorem: Theorem, noise: Any, law: Law, given: Facts = frozenset()) -> Theorem:
    """``E[a] rel E[b]`` from ``a rel b`` for every outcome; a strict one becomes ``<=``.

    Raises:
        Refused: if the theorem supposes something of an outcome, or leaves something to show of it.
    """
    belongs(theory, theorem)
    label = getattr(noise, "label", noise)
    around = unshadowed(frozenset(given) | theorem.given, {label})
    if hung := [f for f in theorem.given if label in f.free_symbols and not theory.closes(Obligation(f, around))]:
        raise Refused(f"{', '.join(map(str, hung))} is supposed, and does not hold for every outcome")
    if theorem.hyps:
        raise Refused("a hypothesis is still open")
    if hung := [o for o in needed(theory, theorem) if label in o.claim.free_symbols]:
        raise Refused(f"left to show for every outcome: {', '.join(map(str, hung))}")
    sides = [Mean(side, label, law) for side in (theorem.lhs, theorem.rhs)]
    for side in sides:
        _hidden(theory, side)
    rel = "=" if theorem.rel == "=" else "<="
    left = [*needed(theory, theorem), *(o for side in sides for o in theory.wellformed(side, around))]
    if rel == "=":  # what equals it for every outcome has a mean where the other has
        left = [o for o in left if o.claim != Exists(sides[0]) or sides[0] == sides[1]]
    return made(theory, "mean", sides[0], rel, sides[1], given=around, left=theory.open(left), premises=(theorem,))


def _each_mean(
    theory: Theory, rule: str, e: Any, given: Facts, worked_out: Callable[[Theory, Mean, Facts], Values]
) -> Theorem:
    left: list[Obligation] = []
    hits = 0

    def change(x: Any, facts: Facts) -> Any:
        nonlocal hits
        if not isinstance(x, Mean):
            return None
        hits += 1
        inner = Mean(walk(x.e, unshadowed(facts, {x.binds}), change), x.binds, x.law)
        _hidden(theory, inner)
        value, more = worked_out(theory, inner, unshadowed(facts, {x.binds}))
        left.extend([*more, *theory.wellformed(inner, facts), *theory.wellformed(value, facts)])
        return value

    e = fresh(sp.sympify(e))
    new = walk(e, frozenset(given), change)
    if not hits:
        raise Refused(f"there is no expectation in {e}")
    return made(theory, rule, e, "=", new, given=given, left=theory.open(left))


def _hidden(theory: Theory, mean: Mean) -> None:
    """Raise Refused if a definition hides the noise: it must be unfolded first."""
    name = name_of(mean.binds)
    if hidden := [n for n in sorted(mentioned(mean.e) & set(theory.definitions)) if name in theory.leans(n)]:
        raise Refused(f"{', '.join(hidden)}: the definition is random; unfold it first")


def _split(mean: Mean) -> Iterator[tuple[Any, list[Any], Limits]]:
    """The terms of what is averaged: what is not random, the random factors, and the limits of the sums over both."""
    for factors, limits in spread(mean.e):
        if any(mean.binds in end.free_symbols for _, *ends in limits for end in ends):
            raise Refused(f"a range is random: {limits}")
        parts = sp.Mul.make_args(factors)
        noisy = [part for part in parts if mean.binds in part.free_symbols]
        yield sp.Mul(*[part for part in parts if mean.binds not in part.free_symbols]), noisy, limits


def _worked_out(theory: Theory, mean: Mean, facts: Facts) -> Values:
    found, left = [], []
    for rest, noisy, limits in _split(mean):
        values = _of_draws if isinstance(mean.law, Indices) else _of_entries
        for value, more in values(mean, noisy):
            found.append(summed(rest * value, (*more, *limits)))
        around = facts.union(*[within(limit) for limit in limits])
        if isinstance(mean.law, Indices):
            slots = {slot.indices[0] for part in noisy for slot in _slots(part, mean.binds)}
            left += [Obligation(sp.And(sp.Ge(k, 0), sp.Le(k, mean.law.count - 1)), around) for k in slots]
    return sp.Add(*found), left


def _of_entries(mean: Mean, noisy: list[Any]) -> Iterator[tuple[Any, Limits]]:
    """The expectation of a product of entries: over all groupings, the groups' cumulants where a group is one entry."""
    entries: list[Any] = []
    for part in noisy:
        base, power = part.as_base_exp()
        plain = isinstance(base, sp.Indexed) and base.base.label == mean.binds and power.is_Integer and power > 0
        if not plain or any(mean.binds in index.free_symbols for index in base.indices):
            raise Refused(f"no polynomial in {mean.binds}: {part}")
        entries += [base] * int(power)
    if not isinstance(mean.law, Entries) or len(entries) > _MOST_FACTORS:
        raise Refused(f"no moment is known of {len(entries)} factors of {mean.law}")
    for groups in _groupings(entries):
        cumulants = sp.Mul(*[_cumulant(mean.law, len(group)) for group in groups])
        if cumulants != 0:
            yield (
                cumulants * sp.Mul(*[_same(a.indices, b.indices) for g in groups for a, b in itertools.pairwise(g)]),
                (),
            )


def _of_draws(mean: Mean, noisy: list[Any]) -> Iterator[tuple[Any, Limits]]:
    """The expectation of what is read at draws: over which of them are the same draw, the average over their values."""
    law = mean.law
    slots = sorted({slot for part in noisy for slot in _slots(part, mean.binds)}, key=sp.default_sort_key)
    if len(slots) > _MOST_FACTORS:
        raise Refused(f"{len(slots)} draws at once")
    for groups in _groupings(slots):
        values = [sp.Dummy("v", integer=True) for _ in groups]
        put = {slot: v for group, v in zip(groups, values, strict=True) for slot in group}
        same = sp.Mul(*[_same(a.indices, b.indices) for g in groups for a, b in itertools.pairwise(g)])
        apart = [1 - _same(g[0].indices, h[0].indices) for g, h in itertools.combinations(groups, 2)]
        if isinstance(law, Sample):
            apart += [1 - sp.KroneckerDelta(a, b) for a, b in itertools.combinations(values, 2)]
            chance = sp.Mul(*[1 / (law.n - k) for k in range(len(groups))])
        else:
            chance = sp.Mul(*[law.chance(v) for v in values])
        body = sp.Mul(*[fresh(part).xreplace(put) for part in noisy])
        if any(mean.binds in s.free_symbols for s in body.free_symbols):
            raise Refused(f"a draw at a random place, or one in a sum: {noisy}")
        yield same * sp.Mul(*apart) * chance * body, tuple((v, sp.S.Zero, law.n - 1) for v in values)


def _slots(part: Any, name: Any) -> set[Any]:
    return {x for x in part.atoms(sp.Indexed) if x.base.label == name}


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> Any:
    if len(a) != len(b):
        raise Refused("noise with different numbers of indices")
    return sp.Mul(*map(sp.KroneckerDelta, a, b))


def _groupings(items: list[Any]) -> Iterator[list[list[Any]]]:
    """All ways to put items into groups."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for groups in _groupings(rest):
        yield [[first], *groups]
        for k in range(len(groups)):
            yield [*groups[:k], [first, *groups[k]], *groups[k + 1 :]]


@cache
def _cumulant(law: Entries, order: int) -> Any:
    """``k(n) = m(n) - sum over j from 1 to n - 1 of binomial(n - 1, j - 1) k(j) m(n - j)``."""
    earlier = [sp.binomial(order - 1, j - 1) * _cumulant(law, j) * law.moment(order - j) for j in range(1, order)]
    return sp.expand(law.moment(order) - sp.Add(*earlier))


def _linear(theory: Theory, mean: Mean, facts: Facts) -> Values:
    found = [
        summed(rest * (Mean(sp.Mul(*noisy), mean.binds, mean.law) if noisy else sp.S.One), limits)
        for rest, noisy, limits in _split(mean)
    ]
    return sp.Add(*found), []


def _mirrored(theory: Theory, mean: Mean, facts: Facts) -> Values:
    if not mean.law.even:
        raise Refused(f"not an even law: {mean.law}")
    turned = mean.e.replace(lambda x: isinstance(x, sp.Indexed) and x.base.label == mean.binds, lambda x: -x)
    return Mean((mean.e + turned) / 2, mean.binds, mean.law), []
