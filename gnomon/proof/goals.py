"""Goals, and the rules that split and close them: generalisation, induction, cases, every value of a finite range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.defined import asked_of
from gnomon.proof.equality import belongs, instance
from gnomon.proof.terms import Facts, alike, places, put
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Theory

RELATIONS = {"=": sp.Eq, "<=": sp.Le, "<": sp.Lt}


@dataclass(frozen=True)
class Goal:
    """``lhs rel rhs`` under ``given``, for all values of the symbols ``over``: what is to be shown."""

    lhs: Any
    rel: str
    rhs: Any
    given: Facts = frozenset()
    over: frozenset[Any] = frozenset()

    def put(self, values: dict[Any, Any]) -> Goal:
        """The goal at some values of its symbols."""
        lhs, rhs = (put(sp.sympify(side), values) for side in (self.lhs, self.rhs))
        return Goal(lhs, self.rel, rhs, frozenset(put(f, values) for f in self.given) - {sp.true}, self.over)

    def __str__(self) -> str:
        given = ", ".join(sorted(map(str, self.given)))
        return f"{given} ⊢ {self.lhs} {self.rel} {self.rhs}"


def meets(theory: Theory, theorem: Theorem, goal: Goal) -> None:
    """Raise Refused unless a theorem says what a goal asks, with nothing supposed that is not given."""
    belongs(theory, theorem)
    strength = ("<", "<=") if goal.rel == "<=" else (goal.rel,)
    if goal.rel == "<=" and theorem.rel == "=":
        strength = ("=",)
    if theorem.rel not in strength or not (alike(theorem.lhs, goal.lhs) and alike(theorem.rhs, goal.rhs)):
        raise Refused(f"what is shown is not the goal:\n    {theorem}\n    {goal}")
    missing = [fact for fact in theorem.given if not theory.closes(Obligation(fact, goal.given))]
    if missing:
        raise Refused(f"supposed, and not given: {', '.join(sorted(map(str, missing)))}")


def general(theory: Theory, theorem: Theorem, goal: Goal, why: str = "") -> Theorem:
    """The goal as a theorem, general in its indices: it may be used at other values of them."""
    meets(theory, theorem, goal)
    if theorem.hyps:
        raise Refused(f"a hypothesis is still open: {', '.join(sorted(theorem.hyps))}")
    left = [Obligation(o.claim, o.facts | goal.given) for o in theorem.left]
    left += [*theory.wellformed(goal.lhs, goal.given), *theory.wellformed(goal.rhs, goal.given)]
    return made(
        theory, "general", goal.lhs, goal.rel, goal.rhs, given=goal.given, over=goal.over, left=theory.open(left),
        premises=(theorem,), why=why,
    )  # fmt: skip


def hypotheses(theory: Theory, goals: Sequence[Goal], t: Any) -> list[Theorem]:
    """What an induction over t may suppose: the goals at this t, for all their other indices."""
    name = f"hypothesis {next(theory.counter)}"
    return [
        made(theory, "hypothesis", g.lhs, g.rel, g.rhs, given=g.given, over=g.over - {t}, hyps={name}) for g in goals
    ]


def induct(
    theory: Theory, goals: Sequence[Goal], t: Any, start: Any, bases: Sequence[Theorem], steps: Sequence[Theorem],
    supposed: Sequence[Theorem], way: int = 1,
) -> list[Theorem]:  # fmt: skip
    """The goals for all t from ``start`` on (down from it, for ``way`` -1).

    ``bases`` show them at the start, ``steps`` at t + way from the hypotheses at t, one of which must have been used.

    Raises:
        Refused: if a base or a step shows something else, or the hypothesis is not used, or is used elsewhere.
    """
    start = sp.sympify(start)
    since = sp.Ge(t, start) if way == 1 else sp.Le(t, start)
    whole = t.is_Symbol and t.is_integer and start.is_integer
    if not whole or t in start.free_symbols or way not in (1, -1):
        raise Refused(f"{start} is no place to begin an induction on {t}")
    here = frozenset.intersection(*[goal.given for goal in goals])
    here = frozenset(fact for fact in here if t not in fact.free_symbols)
    if way == 1 and not all(theory.closes(Obligation(claim, here)) for claim in asked_of(t, start)):
        raise Refused(f"{start} is not where {t} may be")
    for h, g in zip(supposed, goals, strict=True):
        same = (h.lhs, h.rel, h.rhs, h.given, h.over) == (g.lhs, g.rel, g.rhs, g.given, g.over - {t})
        if h.theory is not theory or h.rule != "hypothesis" or not same:
            raise Refused("hypotheses of other goals")
    names = supposed[0].hyps
    if any(base.hyps for base in bases) or frozenset().union(*[step.hyps for step in steps]) != names:
        raise Refused("the step, and it alone, must use the hypothesis, and no other may be open")
    for goal, base, step in zip(goals, bases, steps, strict=True):
        meets(theory, base, goal.put({t: start}))
        following = goal.put({t: t + way})
        meets(theory, step, Goal(following.lhs, goal.rel, following.rhs, following.given | {since}, goal.over))
    premises = (*bases, *steps)
    over = frozenset({t}).union(*[g.over for g in goals])
    left = [o.everywhere(over) for o in theory.open(o for p in premises for o in p.left)]
    return [
        made(
            theory, "induction", g.lhs, g.rel, g.rhs, given=g.given | {since}, over=g.over | {t}, left=left,
            premises=premises, closes=names,
        )
        for g in goals
    ]  # fmt: skip


def settle(theory: Theory, theorem: Theorem, *known: Theorem) -> Theorem:
    """A theorem, of what it leaves to show less what follows from others: at the entries of which it speaks."""
    used: dict[int, Theorem] = {}
    left: list[Obligation] = []
    for o in theorem.left:
        facts = o.facts
        for lemma in known:
            if belongs(theory, lemma).hyps:
                raise Refused(f"it leans on a hypothesis: {lemma}")
            for values in places(lemma, sp.Tuple(o.claim, *o.facts)) if lemma.over else [{}]:
                lhs, rhs, asked, more = instance(theory, lemma, values, o.facts)
                if all(theory.closes(one) for one in asked):
                    facts = facts | {RELATIONS[lemma.rel](lhs, rhs)}
                    left += more
                    used[id(lemma)] = lemma
        left.append(Obligation(o.claim, facts - {sp.true}))
    return made(
        theory, "settle", theorem.lhs, theorem.rel, theorem.rhs, given=theorem.given, over=theorem.over,
        left=theory.open(left), premises=(theorem, *used.values()),
    )  # fmt: skip


def cases(theory: Theory, condition: Any, yes: Theorem, no: Theorem) -> Theorem:
    """What holds if a condition does, and if it does not, holds."""
    belongs(theory, yes), belongs(theory, no)
    if yes.rel != no.rel or not (alike(yes.lhs, no.lhs) and alike(yes.rhs, no.rhs)):
        raise Refused(f"the cases show different things:\n    {yes}\n    {no}")
    given = (yes.given - {condition}) | (no.given - {sp.Not(condition)})
    left = [*yes.left, *no.left, *theory.wellformed(condition, given)]
    return made(theory, "cases", yes.lhs, yes.rel, yes.rhs, given=given, left=theory.open(left), premises=(yes, no))


def every(theory: Theory, goal: Goal, i: Any, first: int, shown: Sequence[Theorem]) -> Theorem:
    """The goal for all i in a range of known numbers, from the goal at each."""
    if not i.is_Symbol or not i.is_integer:
        raise Refused(f"{i} is not an index")
    for n, theorem in enumerate(shown):
        meets(theory, theorem, goal.put({i: sp.Integer(first + n)}))
    covered = sp.And(sp.Ge(i, first), sp.Le(i, first + len(shown) - 1))
    if any(theorem.hyps for theorem in shown) or not theory.entails(goal.given, covered):
        raise Refused(f"not every {i} is shown: {first} to {first + len(shown) - 1}")
    left = [o for theorem in shown for o in theorem.left]
    return made(
        theory, "every", goal.lhs, goal.rel, goal.rhs, given=goal.given, left=theory.open(left), premises=tuple(shown)
    )
