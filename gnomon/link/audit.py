"""Meta-mutation: a claim whose law, proof, program, domains or conditions are spoilt must not be proved.

For each linked claim: the law times two, with the other sign, made strict; each variant's program in the program's
place; another claim's proof; a link of the proof cut, or exchanged with the next; a domain widened, a condition
dropped, an assumption added. What is still proved survives, and is printed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sympy as sp

from gnomon.link.goal import goals_of, theory_of, written_of
from gnomon.link.proved import Proved, proved, proved_law
from gnomon.proof import equality
from gnomon.proof.bench import Bench
from gnomon.proof.goals import hypotheses, meets
from gnomon.proof.second_look import second_look
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused, Theorem
from gnomon.say.claim import Claim, Program
from gnomon.say.law import Law
from gnomon.say.maker import ClaimMaker
from gnomon.say.sheet import Mutation

WIDER = "domain widened"
PROGRAM = "program"
FOREIGN = 3
"""How many other claims' proofs are tried on each."""


@dataclass(frozen=True)
class Mutant:
    """One spoilt claim, and what became of it: refused with a reason, or proved, which it must not be.

    ``equal``: not spoilt after all. A wider domain may leave a claim true, and the proof that it is was made anew.
    """

    claim: str
    change: str
    refused: bool
    reason: str
    equal: bool = False

    def __str__(self) -> str:
        return f"{self.claim}: {self.change}" + (f" ({self.reason})" if self.reason else "")


Try = tuple[str, Callable[[], Any]]


def audit(maker: ClaimMaker, others: Sequence[ClaimMaker] = ()) -> list[Mutant]:
    """Every mutant of a claim, tried; ``others`` lend their proofs. One not proved itself is its own survivor."""
    claim = maker.claim
    try:
        whole = proved(claim)
    except Refused as error:
        return [Mutant(claim.id, "nothing", False, f"it is not proved itself: {error}".partition("\n")[0][:200])]
    tries = itertools.chain(
        _laws(claim, whole),
        _programs(claim),
        _proofs(claim, whole, others),
        _links(claim, whole),
        _suppositions(maker, whole),
    )
    return [_tried(claim, change, attempt) for change, attempt in tries]


def _tried(claim: Claim, change: str, attempt: Callable[[], Any]) -> Mutant:
    try:
        found = attempt()
    except Exception as error:  # whatever a spoilt claim ends in, it is not proved
        return Mutant(claim.id, change, True, str(error).partition("\n")[0][:200])
    refuted = [words for theorem in found or () for words in second_look(theorem).refuted]
    accurate = claim.kind == "invariance" and change.startswith(PROGRAM)  # it says the same, and rounds otherwise
    equal = (accurate or change.startswith(WIDER)) and not refuted
    return Mutant(claim.id, change, False, "; ".join(refuted)[:200], equal)


def _with_law(claim: Claim, number: int, law: Law) -> Claim:
    laws = list(written_of(claim).laws)
    laws[number] = law
    return replace(claim, written=replace(written_of(claim), laws=tuple(laws)))


def _laws(claim: Claim, whole: Proved) -> Iterator[Try]:
    """The law spoilt: twice and minus the right side, one more, or the relation made strict."""
    for number, law in enumerate(written_of(claim).laws):
        if whole.theorems[number] is None:
            continue
        for change, spoilt in _spoilt(law):
            if not _same(spoilt, law):
                yield f"law {number + 1}: {change}", partial(_false, claim, number, spoilt)


def _false(claim: Claim, number: int, spoilt: Law) -> None:
    if proved_law(_with_law(claim, number, spoilt), number) is None:
        raise Refused("tested only")


def _spoilt(law: Law) -> Iterator[tuple[str, Law]]:
    if law.rel == "=":
        yield "times two", replace(law, rhs=2 * law.rhs)
        yield "the other sign", replace(law, rhs=-law.rhs)
        yield "one more", replace(law, rhs=law.rhs + 1)
        yield "strict", replace(law, rel="<")
    else:
        yield "the other way", replace(law, rel={"<=": ">=", ">=": "<=", "<": ">", ">": "<"}[law.rel])
        yield "strict", replace(law, rel={"<=": "<", ">=": ">"}.get(law.rel, law.rel))
        yield "equal", replace(law, rel="=")


def _same(a: Law, b: Law) -> bool:
    return a.rel == b.rel and alike(a.lhs, b.lhs) and (alike(a.rhs, b.rhs) or sp.expand(a.rhs - b.rhs) == 0)


def _programs(claim: Claim) -> Iterator[Try]:
    """Each variant's program in the program's place, where it changes what is shown."""
    for variant in claim.variants:
        if variant.replace:
            program = claim.program.replace(variant.replace)
            yield f"{PROGRAM}: {variant.name}", partial(_whole, claim, program)


def _whole(claim: Claim, program: Program | None = None) -> tuple[Theorem, ...]:
    theorems = tuple(theorem for theorem in proved(claim, program).theorems if theorem is not None)
    if len(theorems) < len(written_of(claim).laws):
        raise Refused("tested only")
    return theorems


def _proofs(claim: Claim, whole: Proved, others: Sequence[ClaimMaker]) -> Iterator[Try]:
    """Another claim's proof: its steps in this claim's theory, and its theorem held against this goal.

    Where both lean on the same lemma, its steps may be a proof of this claim, too, and are not tried.
    """
    theory = theory_of(claim)
    goals = goals_of(claim, theory)
    for other in [one for one in others if one.id != claim.id][:FOREIGN]:
        theirs = written_of(other.claim).laws
        lent = proved(other.claim)
        akin = _share_a_lemma(whole, lent)
        for number, law in enumerate(written_of(claim).laws):
            if law.proof is None:
                continue
            stranger = theirs[number % len(theirs)]
            if not akin:
                yield f"proof of {other.id}", partial(_stolen, claim, number, stranger)
            yield f"theorem of {other.id}", partial(_foreign, theory, goals[number], lent)


def _share_a_lemma(a: Proved, b: Proved) -> bool:
    pairs = itertools.product(a.lemmas, b.lemmas)
    return any(alike(one.lhs, two.lhs) and alike(one.rhs, two.rhs) for (_, one), (_, two) in pairs)


def _stolen(claim: Claim, number: int, stranger: Law) -> None:
    if stranger.proof is None:
        raise Refused("it has no proof")
    law = written_of(claim).laws[number]
    proved_law(_with_law(claim, number, replace(law, proof=stranger.proof)), number)


def _foreign(theory: Any, goal: Any, lent: Proved) -> None:
    theorem = lent.theorems[0]
    if theorem is None:
        raise Refused("it has no theorem")
    meets(theory, theorem, goal)


def _links(claim: Claim, whole: Proved) -> Iterator[Try]:
    """The chain of the last theorem with a link cut, or two exchanged."""
    for theorem in whole.theorems:
        if theorem is None:
            continue
        links = chain_of(theorem)
        for n in range(len(links)):
            kept = [*links[:n], *links[n + 1 :]]
            if kept:
                yield f"link {n + 1} cut", partial(_joined, kept, theorem)
        for n in range(len(links) - 1):
            turned = [*links[:n], links[n + 1], links[n], *links[n + 2 :]]
            yield f"links {n + 1} and {n + 2} exchanged", partial(_joined, turned, theorem)


def chain_of(theorem: Theorem) -> list[Theorem]:
    """The links of a theorem that is a chain, those that say nothing left out."""
    if theorem.rule in ("chain", "general"):
        links = [link for premise in theorem.premises for link in chain_of(premise)]
        return [link for link in links if not alike(link.lhs, link.rhs)]
    return [theorem]


def _joined(links: Sequence[Theorem], whole: Theorem) -> None:
    joined = links[0]
    for link in links[1:]:
        joined = equality.chain(whole.theory, joined, link)
    if not (alike(joined.lhs, whole.lhs) and alike(joined.rhs, whole.rhs)):
        raise Refused("the chain ends elsewhere")


def _suppositions(maker: ClaimMaker, whole: Proved) -> Iterator[Try]:
    """A domain widened, a condition dropped: as far as the proof leans on them; an assumption added."""
    for name in _leant_on(maker):
        yield f"{WIDER}: {name}", partial(_changed, maker, Mutation(domain=name))
    for condition in written_of(maker.claim).conditions:
        yield f"condition dropped: {condition}", partial(_changed, maker, Mutation(condition=condition.name))
    yield "an assumption added", partial(_assumed, maker.claim)


def _changed(maker: ClaimMaker, mutation: Mutation) -> tuple[Theorem, ...]:
    """The theorems of a claim with less supposed, which may be right all the same: they are looked at a second time."""
    return _whole(maker.built(mutation))


def _leant_on(maker: ClaimMaker) -> Iterable[str]:
    """The domains without which the proof does not go through: all that say more than that a number is real."""
    claim = maker.claim
    bounded = [d.name for d in claim.inputs if d.low != float("-inf") or d.high != float("inf")]
    return [*bounded, *(d.name for d in claim.structure if not hasattr(d, "options"))]


def _assumed(claim: Claim) -> None:
    """A proof that supposes its goal, as an induction does, and never closes what it supposed."""

    def wished(bench: Bench) -> None:
        (supposed,) = hypotheses(bench.theory, [bench.goal], sp.Dummy("t", integer=True))
        bench.by(supposed)

    proved_law(_with_law(claim, 0, replace(written_of(claim).laws[0], proof=wished)), 0)
