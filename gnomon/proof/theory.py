"""A theory: what one claim defines and supposes, and what must hold for an expression to be defined."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import sympy as sp

from gnomon.proof.asked_before import AskedBefore, question
from gnomon.proof.consistent import check_definitions, check_what_is_supposed
from gnomon.proof.defined import asked, asked_of, free_names, instead
from gnomon.proof.definitions import Definition, Definitions
from gnomon.proof.facts import Row, entails
from gnomon.proof.following import follows, said_of
from gnomon.proof.normal_form import fresh
from gnomon.proof.said_twice import different
from gnomon.proof.signs import Bound, Signs
from gnomon.proof.terms import Facts, indices_of, name_of, named, put, walk, within
from gnomon.proof.theorem import Obligation, Refused, Theorem, made

Shape = Sequence[Any] | Callable[..., Sequence[Any]]
Ranges = tuple[tuple[Any, Any, Any], ...]


class Theory(Definitions):
    """The definitions of a program and of a law, the domains of the inputs, and the conditions.

    Where program and law define one name differently, the law's gets a prime: another program in the place of a
    claim's own does not change what the law says.

    Args:
        program: the program's definitions.
        law: the definitions that the law speaks of.
        shapes: of the arrays that are inputs: extents, or a function of the indices that gives them.
        bounds: between which numbers a symbol, or every entry of an array, lies.
        facts: relations without indices of their own that hold throughout.
        conditions: names, and relations that hold for all values of the indices in their ranges.
        symmetric: arrays with ``A[i, j] = A[j, i]``.
    """

    def __init__(
        self,
        program: Iterable[Definition] = (),
        law: Iterable[Definition] = (),
        *,
        shapes: Mapping[str, Shape] | None = None,
        bounds: Mapping[str, Bound] | None = None,
        facts: Iterable[Any] = (),
        conditions: Iterable[tuple[str, Any, tuple[tuple[Any, Any, Any], ...]]] = (),
        symmetric: Iterable[Any] = (),
    ) -> None:
        super().__init__()
        self.shapes, self.facts = MappingProxyType(dict(shapes or {})), frozenset(facts) - {sp.true}
        self.symmetric = frozenset(symmetric)
        self.signs = Signs(MappingProxyType(dict(bounds or {})), self.plain, self._instances, self._turns)
        self.conditions: dict[str, Theorem] = {}
        self.inputs = frozenset({*self.shapes, *self.signs.bounds, *map(name_of, self.symmetric)})
        self.named: dict[str, Any] = {}
        self._signed: dict[str, Bound | None] | None = None
        self._asks: dict[str, tuple[Obligation, ...]] = {}
        self._asked = AskedBefore()
        self._said: dict[Any, tuple[Row, ...]] = {}
        self._whole = False
        self.counter = itertools.count()
        program, law = tuple(program), tuple(law)
        self.primed = different(program, law)
        for definition in program:
            self.define(definition)
        for definition in law:
            if definition.name in self.primed or definition.name not in self.definitions:
                self.define(Definition(self.of_law(definition.lhs), self.of_law(definition.rhs), definition.ranges))
        self.conditions = {
            name: self._condition(self.of_law(relation), ranges) for name, relation, ranges in conditions
        }
        check_definitions(self, program, law)
        self._signed = {}
        check_what_is_supposed(self)
        self._whole = True

    def of_law(self, e: Any) -> Any:
        """An expression of the law, in the law's own definitions where the program's are others."""

        def prime(x: Any, _: Facts) -> Any:
            if not isinstance(x, (sp.Indexed, sp.Symbol)) or name_of(x) not in self.primed:
                return None
            name = name_of(x) + "′"
            if isinstance(x, sp.Dummy):
                return None
            if isinstance(x, sp.Symbol):
                return sp.Symbol(name, **x._assumptions_orig)
            return sp.IndexedBase(name, **_assumed(x.base))[tuple(map(self.of_law, x.indices))]

        return walk(fresh(sp.sympify(e)), frozenset(), prime) if self.primed else sp.sympify(e)

    def define(self, definition: Definition) -> Theorem:
        """A new name for an expression: its indices plain symbols, each with its range.

        Raises:
            Refused: if the name is taken, or an index is no symbol, comes twice or has no range.
        """
        name, indices = definition.name, indices_of(definition.lhs)
        if name in self.definitions or name in self.inputs:
            raise Refused(f"{name} is defined twice, or is an input")
        ranged = {v for v, _, _ in definition.ranges}
        strange = [v for v in indices if not v.is_Symbol or v not in ranged or indices.count(v) > 1]
        if strange or len(ranged) != len(definition.ranges) != len(indices):
            raise Refused(f"{definition.lhs}: {', '.join(map(str, strange))} should be an index symbol with a range")
        plain = {v: sp.Symbol(v.name, integer=True) for v in ranged}  # so that no bound hides in a symbol
        lhs, rhs = put(definition.lhs, plain), put(sp.sympify(definition.rhs), plain)
        given = frozenset().union(*[within([put(sp.sympify(x), plain) for x in limit]) for limit in definition.ranges])
        for v in ranged:
            said = [claim for claim in asked_of(v, plain[v]) if not entails(given, claim)]
            if said or any(end in (sp.oo, -sp.oo) for _, *ends in definition.ranges for end in ends):
                raise Refused(f"{definition.lhs}: the range of {v} is infinite, or wider than its symbol says")
        self.definitions[name] = made(self, "definition", lhs, "=", rhs, given=given, over=indices_of(lhs), uses={name})
        return self.definitions[name]

    def _condition(self, relation: Any, ranges: Ranges) -> Theorem:
        given = frozenset().union(*[within(limit) for limit in ranges])
        if not isinstance(relation, (sp.Eq, sp.Ge, sp.Gt, sp.Le, sp.Lt)):
            raise Refused(f"a condition is an equation or an inequality: {relation}")
        if not ranges and not isinstance(relation, sp.Eq):
            self.facts = self.facts | {relation}
        rel = "=" if isinstance(relation, sp.Eq) else "<" if isinstance(relation, (sp.Lt, sp.Gt)) else "<="
        less, more = (relation.lhs, relation.rhs) if rel == "=" else (relation.lts, relation.gts)
        return made(self, "condition", less, rel, more, given=given, over={v for v, _, _ in ranges})

    @property
    def pure(self) -> bool:
        """Whether it defines and supposes nothing, so that its theorems hold in every theory."""
        return not (self.definitions or self.facts or self.conditions or self.symmetric or self.signs.bounds)

    def _turns(self, entry: Any) -> Bound | None:
        """The sign of a recursion that ends: it has the sign, wherever all earlier turns have it."""
        found = self.defined(entry)
        if self._signed is None or found is None or not self.recursive(name := name_of(entry)):
            return None
        if name not in self._signed:
            self._signed[name] = None
            for bound in (Bound(0, open_low=True), Bound(0)):
                supposed = Signs({**self.signs.bounds, name: bound}, self.plain, self._instances, self._turns)
                if supposed.holds(found.rhs, found.given | self.facts, bound.open_low):
                    self._signed[name] = bound
                    break
        return self._signed[name]

    def _instances(self, part: Any, facts: Facts) -> Iterable[Row]:
        if not self._whole:
            return said_of(self, part, facts)
        if (part, facts) not in self._said:
            self._said[part, facts] = tuple(said_of(self, part, facts))
        return self._said[part, facts]

    def varies(self, over: Iterable[Any]) -> None:
        """Raise Refused if a theorem is to be general in what its theory supposes something of."""
        if fixed := sorted(str(v) for v in over if self.speaks_of(v)):
            raise Refused(f"{', '.join(fixed)}: of the claim, so that a theorem cannot be general in it")

    def speaks_of(self, v: Any) -> bool:
        """Whether a symbol or an array is the claim's own, and not just an index or a name of a theorem."""
        return name_of(v) in self._fixed

    @cached_property
    def _fixed(self) -> set[str]:
        found = {*self.inputs, *self.definitions}
        for theorem in (*self.definitions.values(), *self.conditions.values()):
            free = free_names(theorem.lhs, theorem.rhs, *theorem.given)
            found |= free - set(map(name_of, theorem.over))
        for extents in self.shapes.values():
            found |= set() if callable(extents) else free_names(*extents)
        return found | free_names(*self.facts)

    # ------------------------------------------------------------ obligations

    def entails(self, facts: Facts, relation: Any) -> bool:
        return self.signs.entails(frozenset(facts) | self.facts, relation)

    def closes(self, obligation: Obligation) -> bool:
        """Whether an obligation follows from its facts, from the domains and the facts of the theory."""
        if not self._whole:  # its definitions and conditions are still being made
            return follows(self, obligation)
        asked = question(named(obligation.claim), frozenset(map(named, obligation.facts)), self._fixed)
        found = self._asked.answer(asked)
        if found is None:
            found = follows(self, obligation)
            self._asked.keep(asked, found)
        return found

    def open(self, obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
        """Those that are not closed, each once."""
        return tuple(dict.fromkeys(o for o in obligations if o.claim is not sp.true and not self.closes(o)))

    def wellformed(self, e: Any, facts: Facts) -> list[Obligation]:
        """What must hold for an expression to be defined, and for an empty sum to be 0 whichever way it is read.

        Raises:
            Refused: for a part that is not known here, or two things of one name.
        """
        found: list[Obligation] = []

        def look(x: Any, facts: Facts) -> Any:
            if (other := instead(x)) is not None:
                found.extend(Obligation(claim, facts) for claim in other[1])
                walk(other[0], facts, look)
                return x
            found.extend(Obligation(claim, at) for claim, at in asked(self, x, facts))
            return None

        walk(fresh(sp.sympify(e)), facts, look)
        return found

    def asks(self, name: str) -> tuple[Obligation, ...]:
        """What a definition leaves open of its being defined, wherever its indices are in their ranges."""
        if name not in self._asks:
            definition = self.definitions[name]
            self._asks[name] = ()  # of a recursion: defined if the earlier turns are
            left = self.open(self.wellformed(definition.rhs, definition.given))
            if self.recursive(name):  # what an earlier turn asks is asked of every turn
                left = tuple(o.everywhere(definition.over) for o in left)
            self._asks[name] = left
        return self._asks[name]


def _assumed(base: Any) -> dict[str, Any]:
    return {name: value for name, value in base.label._assumptions_orig.items() if name != "commutative"}
