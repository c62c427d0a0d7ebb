"""From a claim to its theory and its goals: computed from law, program, domains and conditions, never typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.goals import Goal
from gnomon.proof.signs import Bound
from gnomon.proof.terms import indices_of, name_of, within
from gnomon.proof.theory import Theory
from gnomon.say.assemble import law_names, reached
from gnomon.say.claim import Claim, Program
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes
from gnomon.say.law import Law, Written
from gnomon.say.noise import Noise

Condition = tuple[str, Any, tuple[tuple[Any, Any, Any], ...]]


def written_of(claim: Claim) -> Written:
    """What a linked claim was written as."""
    if claim.written is None:
        raise ValueError(f"claim {claim.id} is not linked: it has a derivation beside its law")
    return claim.written


def theory_of(claim: Claim, program: Program | None = None) -> Theory:
    """The theory of a claim: its domains and conditions, its program (or another's), and what its law speaks of."""
    written = written_of(claim)
    shown = {name_of(output.entry) for output in claim.program.outputs}
    spoken = law_names(written.definitions, written.laws, shown)
    relations = [c for c in written.conditions if not c.relation.is_Symbol]
    given = {name for c in relations for name in law_names(written.definitions, [_as_law(c.relation)], shown)}
    aids = reached(written.definitions, set(written.aids))
    law = [d for d in written.definitions if d.name in spoken | given | aids]
    tensors: tuple[Domain | Noise, ...] = (*claim.inputs, *written.noise)
    conditions = [(c.name, c.relation, c.ranges) for c in relations]
    return Theory(
        _definitions(program or claim.program, written),
        law,
        shapes={d.name: getattr(d, "extents", d.shape) for d in tensors if d.shape} | _matrices(claim),
        bounds={name: bound for domain in (*tensors, *claim.structure) for name, bound in _bounds(domain)},
        facts=[c.relation for c in written.conditions if c.relation.is_Symbol],
        conditions=[*conditions, *(c for domain in (*tensors, *claim.structure) for c in _of_domain(domain))],
        symmetric=[d.symbol for d in claim.structure if isinstance(d, Graph) and not d.directed],
    )


def goals_of(claim: Claim, theory: Theory) -> list[Goal]:
    """A goal for each law: what is shown is the program's, the rest the law's, for all values of the indices."""
    return [_goal(law, theory) for law in written_of(claim).laws]


def _goal(law: Law, theory: Theory) -> Goal:
    lhs, rhs = theory.of_law(law.lhs), theory.of_law(law.rhs)
    if law.rel in (">=", ">"):
        lhs, rhs = rhs, lhs
    given = theory.facts.union(*[within(limit) for limit in law.ranges])
    rel = {">=": "<=", ">": "<"}.get(law.rel, law.rel)
    return Goal(lhs, rel, rhs, given, frozenset(index for index, _, _ in law.ranges))


def _as_law(relation: Any) -> Law:
    return Law(relation.lhs, "=", relation.rhs)


def _matrices(claim: Claim) -> dict[str, tuple[Any, Any]]:
    return {d.name: (d.size.symbol, d.size.symbol) for d in claim.structure if isinstance(d, Graph)}


def _definitions(program: Program, written: Written) -> list[Definition]:
    known = {d.name: d for d in written.definitions}
    ends = {index: (first, last) for index, first, last in written.ranges}

    def ranged(lhs: Any) -> tuple[tuple[Any, Any, Any], ...]:
        name = name_of(lhs)
        if name in known and known[name].lhs == lhs:
            return known[name].ranges
        return tuple((index, *ends[index]) for index in indices_of(lhs))

    return [Definition(lhs, rhs, ranged(lhs)) for lhs, rhs in program.lets]


def _bounds(domain: Any) -> Iterator[tuple[str, Bound]]:
    """Between which numbers the symbols of a domain lie. Only a closed size is bounded above."""
    if isinstance(domain, Domain):
        yield domain.name, Bound(_number(domain.low), _number(domain.high), domain.open_low, domain.open_high)
    elif isinstance(domain, Size):
        yield domain.name, Bound(sp.Integer(domain.low), sp.Integer(domain.high) if domain.closed else sp.oo)
    elif isinstance(domain, Sizes):
        yield domain.name, Bound(sp.Integer(domain.low), domain.bound)
        if domain.widest:
            yield domain.widest, Bound(sp.Integer(domain.low))
    elif isinstance(domain, Graph):
        yield domain.name, Bound(sp.S.Zero, sp.S.One)
    elif isinstance(domain, Noise):
        yield domain.name, Bound(*domain.law.support)
    elif isinstance(domain, Choice):
        for symbol in {s for meaning in domain.options.values() for s in meaning}:
            values = [meaning[symbol] for meaning in domain.options.values() if isinstance(meaning.get(symbol), int)]
            if len(values) == len(domain.options):
                yield str(symbol), Bound(sp.Integer(min(values)), sp.Integer(max(values)))


def _number(value: float) -> Any:
    return {float("inf"): sp.oo, float("-inf"): -sp.oo}.get(value) or sp.Rational(value)


def _of_domain(domain: Any) -> Iterator[Condition]:
    """What a domain says beyond bounds: probabilities add up to 1, a graph without loops has no loop."""
    if isinstance(domain, Domain) and domain.simplex:
        *lead, last = (sp.Symbol(f"{domain.name}_{n}", integer=True) for n in range(len(domain.shape)))
        ranges = [(v, sp.S.Zero, extent - 1) for v, extent in zip((*lead, last), domain.shape, strict=True)]
        yield (
            f"{domain.name} adds up to 1",
            sp.Eq(sp.Sum(domain.symbol[(*lead, last)], ranges[-1]), 1),
            tuple(ranges[:-1]),
        )
    elif isinstance(domain, Domain) and domain.some:
        *lead, last = (sp.Symbol(f"{domain.name}_{n}", integer=True) for n in range(len(domain.shape)))
        ranges = [(v, sp.S.Zero, extent - 1) for v, extent in zip((*lead, last), domain.shape, strict=True)]
        count = sp.Sum(sp.Piecewise((1, sp.Eq(domain.symbol[(*lead, last)], 1)), (0, True)), ranges[-1])
        yield f"{domain.name} keeps some of each row", sp.Ge(count, 1), tuple(ranges[:-1])
    elif isinstance(domain, Graph) and not domain.loops:
        v, size = sp.Symbol(f"{domain.name}_0", integer=True), domain.size.symbol
        yield f"{domain.name} has no loops", sp.Eq(domain.symbol[v, v], 0), ((v, sp.S.Zero, size - 1),)
