"""The theorem that a claim's proof makes, and the label that it earns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sympy as sp

from gnomon.link.goal import goals_of, theory_of, written_of
from gnomon.proof import equality
from gnomon.proof.bench import Bench, unused
from gnomon.proof.goals import Goal
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused, Theorem
from gnomon.proof.theory import Theory
from gnomon.say.claim import Claim, Program
from gnomon.say.domain import Size, Sizes
from gnomon.say.law import Law

Label = Literal["definition", "proved", "proved for", "citing", "tested", "unlinked"]
ORDER: tuple[Label, ...] = ("definition", "proved", "proved for", "citing", "tested", "unlinked")
"""From the best to the worst: a claim with several laws has the label of the weakest."""


@dataclass(frozen=True)
class Proved:
    """What was shown of a claim: a theorem for each law (None for one that is only tested), and what it earns."""

    theorems: tuple[Theorem | None, ...]
    label: Label
    sizes: tuple[str, ...]
    cites: tuple[str, ...]
    lemmas: tuple[tuple[str, Theorem], ...] = ()

    def __str__(self) -> str:
        """The label in words."""
        cites = f", citing {', '.join(self.cites)}" if self.cites else ""
        words = {
            "definition": "definition",
            "proved": f"proved for every {', '.join(self.sizes)}" if self.sizes else "proved",
            "proved for": f"proved for {', '.join(self.sizes)}",
            "citing": f"proved for every {', '.join(self.sizes) or 'value'}",
            "tested": "tested only",
        }
        return words[self.label] + cites


def proved(claim: Claim, program: Program | None = None) -> Proved:
    """Prove a claim: every law by its proof, held against the claim's program, or against another's.

    Raises:
        Refused: if a proof does not show its law, saying where it stops.
    """
    theory = theory_of(claim, program)
    theorems: list[Theorem | None] = []
    lemmas: dict[str, Theorem] = {}
    for law, goal in zip(written_of(claim).laws, goals_of(claim, theory), strict=True):
        theorem, named = shown(law, goal, theory, claim)
        theorems.append(theorem)
        lemmas |= named
    labels = [_label(theorem, theory, claim) for theorem in theorems]
    cites = sorted({name for theorem in theorems if theorem for name in theorem.cites})
    fixed = _fixed(claim)
    sizes = fixed or sorted(_every(d) for d in claim.structure if isinstance(d, (Size, Sizes)))
    return Proved(tuple(theorems), max(labels, key=ORDER.index), tuple(sizes), tuple(cites), tuple(lemmas.items()))


def proved_law(claim: Claim, number: int) -> Theorem | None:
    """The theorem of one law of a claim; None if it has no proof.

    Raises:
        Refused: if its proof does not show it.
    """
    theory = theory_of(claim)
    return shown(written_of(claim).laws[number], goals_of(claim, theory)[number], theory, claim)[0]


def shown(law: Law, goal: Goal, theory: Theory, claim: Claim) -> tuple[Theorem | None, dict[str, Theorem]]:
    """A law's theorem, with nothing left to show, and the lemmas that it leans on; None if it has no proof.

    Raises:
        Refused: if the proof does not go through, or leaves something to show.
    """
    ranges = {index: (first, last) for index, first, last in written_of(claim).ranges}
    bench = Bench(theory, goal, ranges)
    if law.proof is None:
        if not alike(theory.expanded(goal.lhs), theory.expanded(goal.rhs)):
            return None, {}
        for side in (bench.left, bench.right):
            side.expand()
    else:
        law.proof(bench)
    theorem = bench.done()
    if theorem.left:
        raise Refused(f"left to show: {', '.join(str(o.claim) for o in theorem.left)}")
    if idle := unused(bench, theorem):
        raise Refused(f"lemmas that the proof does not use: {', '.join(idle)}")
    return theorem, bench.lemmas


def _label(theorem: Theorem | None, theory: Theory, claim: Claim) -> Label:
    if theorem is None:
        return "tested"
    if alike(theory.expanded(theorem.lhs), theory.expanded(theorem.rhs)) or _turn(theorem, theory):
        return "definition"
    if theorem.cites:
        return "citing"
    return "proved for" if _fixed(claim) else "proved"


def _turn(theorem: Theorem, theory: Theory) -> bool:
    """Whether it says one turn of a recursion in the recursion's own words."""
    if not theory.defined(theorem.lhs):
        return False
    turn = equality.decide(theory, theory.opened(theorem.lhs), theorem.given).rhs
    return alike(theory.expanded(turn), theory.expanded(theorem.rhs))


def _every(size: Size | Sizes) -> str:
    """For which values of a size the proof is."""
    return f"{size.name} ≤ {size.high}" if isinstance(size, Size) and size.closed else size.name


def _fixed(claim: Claim) -> list[str]:
    """The sizes for which the goal is said: extents that are numbers, and sizes that can take one value only."""
    found = {f"{d.name} of {d.shape} entries": d for d in claim.inputs if any(map(_known, d.own))}
    single = [f"{d.name} = {d.low}" for d in claim.structure if isinstance(d, Size) and d.low == d.high]
    return sorted([*found, *single])


def _known(extent: Any) -> bool:
    """Whether an extent is a number above 1, and so a size for which a claim is said."""
    number = sp.sympify(extent)
    return bool(number.is_Integer) and number > 1
