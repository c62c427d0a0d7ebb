"""Theorems, which the rules alone can make.

A theorem reads: under ``given`` (ranges, cases), for all values of the symbols ``over``, ``lhs rel rhs``, once the
obligations ``left`` are met; it leans on the hypotheses ``hyps`` of inductions that are still open, on the definitions
``uses``, and on the theorems of analysis ``cites``. ``rule`` and ``premises`` keep the way it was made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.terms import Facts, put

RELATIONS = ("=", "<=", "<")


class Refused(ValueError):
    """A rule does not apply, or what it needs could not be shown: what was asked, and what is missing."""


@dataclass(frozen=True)
class Obligation:
    """A relation that must hold wherever ``facts`` do."""

    claim: Any
    facts: Facts = frozenset()

    def put(self, values: dict[Any, Any]) -> Obligation:
        """The obligation at some values of its symbols."""
        return Obligation(put(self.claim, values), frozenset(put(fact, values) for fact in self.facts))

    def everywhere(self, over: Iterable[Any]) -> Obligation:
        """The obligation for all values of some symbols, whatever a theorem is then used at: names of their own.

        Raises:
            Refused: if it speaks of an array that the theorem is to be general in.
        """
        free = self.claim.free_symbols.union(*[fact.free_symbols for fact in self.facts])
        if met := [v for v in over if isinstance(v, sp.IndexedBase) and v.label in free]:
            raise Refused(f"{', '.join(sorted(map(str, met)))}: {self} would have to hold for every such array")
        symbols = [v for v in over if isinstance(v, sp.Symbol) and v in free]
        return self.put({v: sp.Dummy(v.name, **v._assumptions_orig) for v in symbols})

    def __str__(self) -> str:
        return str(self.claim)


class Theorem:
    """``given ⊢ for all over: lhs rel rhs``. Made by the rules alone, and never changed."""

    __slots__ = (
        "cites", "given", "hyps", "left", "lhs", "over", "premises", "rel", "rhs", "rule", "seal", "theory", "uses",
        "why",
    )  # fmt: skip

    lhs: Any
    rel: str
    rhs: Any
    given: Facts
    over: frozenset[Any]
    hyps: frozenset[str]
    left: tuple[Obligation, ...]
    uses: frozenset[str]
    cites: frozenset[str]
    rule: str
    premises: tuple[Theorem, ...]
    why: str
    theory: Any
    seal: int

    def __init__(self, key: object, **parts: Any) -> None:
        if key is not _KEY or type(self) is not Theorem:
            raise Refused("theorems are made by the rules alone")
        for name, part in parts.items():
            object.__setattr__(self, name, part)
        object.__setattr__(self, "seal", _sealed(self))

    def __setattr__(self, name: str, value: Any) -> None:
        raise Refused("a theorem does not change")

    __delattr__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        given = ", ".join(sorted(map(str, self.given)))
        return f"{given} ⊢ {self.lhs} {self.rel} {self.rhs}".strip()

    def lineage(self) -> Iterable[Theorem]:
        """This theorem and all that it was made from, each once, the premises first."""
        seen: set[int] = set()
        todo: list[tuple[Theorem, bool]] = [(self, False)]
        while todo:
            theorem, ready = todo.pop()
            if ready:
                yield theorem
            elif id(theorem) not in seen:
                seen.add(id(theorem))
                todo += [(theorem, True), *((premise, False) for premise in reversed(theorem.premises))]


_KEY = object()


def genuine(theorem: Any) -> bool:
    """Whether a theorem is as a rule made it: not a copy, not of another class, and nothing exchanged in it."""
    return type(theorem) is Theorem and getattr(theorem, "seal", None) == _sealed(theorem)


def _sealed(theorem: Theorem) -> int:
    parts = (
        theorem.lhs,
        theorem.rel,
        theorem.rhs,
        theorem.given,
        theorem.over,
        theorem.hyps,
        theorem.left,
        theorem.uses,
    )
    made_of = tuple(map(id, theorem.premises))
    return hash((_KEY, id(theorem), id(theorem.theory), *parts, theorem.cites, theorem.rule, theorem.why, made_of))


def made(
    theory: Any,
    rule: str,
    lhs: Any,
    rel: str,
    rhs: Any,
    *,
    given: Iterable[Any] = (),
    over: Iterable[Any] = (),
    hyps: Iterable[str] = (),
    left: Iterable[Obligation] = (),
    uses: Iterable[str] = (),
    cites: Iterable[str] = (),
    premises: tuple[Theorem, ...] = (),
    closes: Iterable[str] = (),
    why: str = "",
) -> Theorem:
    """A theorem with what its premises lean on, but for the hypotheses that its rule closes.

    The rules of this wing call it; nothing else may (a test says so).
    """
    if rel not in RELATIONS:
        raise Refused(f"{rel!r} is none of {', '.join(RELATIONS)}")
    if forged := [p for p in premises if not genuine(p)]:
        raise Refused(f"{len(forged)} of the premises of {rule} is not as a rule made it")
    if rule not in ("definition", "condition"):
        theory.varies(over)
    return Theorem(
        _KEY,
        theory=theory,
        rule=rule,
        lhs=lhs,
        rel=rel,
        rhs=rhs,
        given=frozenset(given),
        over=frozenset(over),
        hyps=frozenset(hyps).union(*[p.hyps for p in premises]) - frozenset(closes),
        left=tuple(left),
        uses=frozenset(uses).union(*[p.uses for p in premises]),
        cites=frozenset(cites).union(*[p.cites for p in premises]),
        premises=premises,
        why=why,
    )
