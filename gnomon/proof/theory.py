"""A theory: what one claim defines and supposes, and what must hold for an expression to be defined."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import sympy as sp

from gnomon.proof.asked_before import AskedBefore, question
from gnomon.proof.defined import asked, asked_of, free_names, instead, thing
from gnomon.proof.facts import Row, entails, nonnegative, rows, settled
from gnomon.proof.mean import Exists
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.recursion import ends
from gnomon.proof.said_twice import different
from gnomon.proof.signs import Bound, Signs
from gnomon.proof.terms import Facts, alike, indices_of, mentioned, name_of, named, places, put, walk, within
from gnomon.proof.theorem import Obligation, Refused, Theorem, made

Shape = Sequence[Any] | Callable[..., Sequence[Any]]
Ranges = tuple[tuple[Any, Any, Any], ...]


@dataclass(frozen=True)
class Definition:
    """``lhs = rhs`` for every value of its indices in their ranges: limits ``(index, first, last)`` for each index."""

    lhs: Any
    rhs: Any
    ranges: tuple[tuple[Any, Any, Any], ...] = ()

    @property
    def name(self) -> str:
        return name_of(self.lhs)


class Theory:
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
        self.shapes, self.facts = MappingProxyType(dict(shapes or {})), frozenset(facts) - {sp.true}
        self.symmetric = frozenset(symmetric)
        self.signs = Signs(MappingProxyType(dict(bounds or {})), self.plain, self._instances, self._turns)
        self.conditions: dict[str, Theorem] = {}
        self.inputs = frozenset({*self.shapes, *self.signs.bounds, *map(name_of, self.symmetric)})
        self.definitions: dict[str, Theorem] = {}
        self.named: dict[str, Any] = {}
        self._opened: dict[Any, Any] = {}
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
        self._checked(program, law)
        self._whole = True

    def _checked(self, program: tuple[Definition, ...], law: tuple[Definition, ...]) -> None:
        """Raise Refused for what contradicts itself, or where the law defines what the program reads as an input."""
        ours = {d.name for d in program}
        read = set().union(*[mentioned(d.rhs) for d in program]) - ours
        if taken := sorted(read & {d.name for d in law}):
            raise Refused(f"{', '.join(taken)}: an input of the program, and defined by the law")
        if endless := [n for n in self.definitions if self.recursive(n) and not ends(self, n)]:
            raise Refused(f"{', '.join(endless)}: not seen to end")
        self._signed = {}
        if nonnegative(sp.S.NegativeOne, rows(self.facts), about=lambda atom: self.signs.about(atom, self.facts)):
            raise Refused("the facts contradict each other")
        for base in self.symmetric:
            extents = self.shapes.get(name_of(base), (0, 1))
            if callable(extents) or len(extents) != 2 or extents[0] != extents[1]:
                raise Refused(f"{base} is called symmetric, and is no square input")
        for definition in self.definitions.values():
            self._as_it_is_said(definition)

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

    def _as_it_is_said(self, definition: Theorem) -> None:
        """Raise Refused if a defined name is said to be what its definition is not seen to be."""
        said = definition.lhs.base.label if isinstance(definition.lhs, sp.Indexed) else definition.lhs
        flags = {flag for flag, value in said._assumptions_orig.items() if value is not None} - {"real", "commutative"}
        strict = bool(said.is_positive)
        meant = {"integer": definition.rhs.is_integer, "nonnegative": True, "positive": True}
        signed = not flags & {"nonnegative", "positive"} or self.signs.holds(
            definition.rhs, definition.given | self.facts, strict
        )
        if not signed or any(not meant.get(flag) or said._assumptions_orig[flag] is False for flag in flags):
            raise Refused(
                f"{definition.lhs} is said to be {', '.join(sorted(flags))}, which its definition does not show"
            )

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
        """What the conditions say of a part: at the indices that make an entry of theirs an entry of it."""
        if not self._whole:
            return self._instances_of(part, facts)
        if (part, facts) not in self._said:
            self._said[part, facts] = tuple(self._instances_of(part, facts))
        return self._said[part, facts]

    def _instances_of(self, part: Any, facts: Facts) -> Iterable[Row]:
        for condition in self.conditions.values():
            if not condition.over:
                continue
            for values in places(condition, part):
                at = [fresh(fact).xreplace(values) for fact in condition.given]
                if not all(entails(facts | self.facts, fact, self.signs.of_bounds) for fact in at):
                    continue
                gap = settled(fresh(condition.rhs - condition.lhs).xreplace(values), facts)
                for form in dict.fromkeys((sp.expand(gap), canon(gap), canon(self.expanded(gap)))):
                    yield form, condition.rel == "<"
                    if condition.rel == "=":
                        yield -form, False

    # ------------------------------------------------------------ definitions

    def plain(self, e: Any) -> Any:
        """The expression with its plain definitions put in, or None if there is none in it."""
        hit = False

        def open_up(x: Any, _: Facts) -> Any:
            nonlocal hit
            found = self.defined(x)
            if found is None or self.recursive(name_of(x)):
                return None
            hit = True
            return self.opened(x)

        try:
            e = walk(fresh(sp.sympify(e)), frozenset(), open_up)
        except ValueError:  # SymPy pulled a Piecewise out of an inner sum, away from its dummy
            return None
        return e if hit else None

    def opened(self, x: Any) -> Any:
        """What an entry or a symbol that is defined stands for."""
        if x not in self._opened:
            found = self.definitions[name_of(x)]
            self._opened[x] = put(found.rhs, dict(zip(indices_of(found.lhs), indices_of(x), strict=True)))
        return fresh(self._opened[x])

    def defined(self, x: Any) -> Theorem | None:
        """The definition of an entry or a symbol, if it has one."""
        if not isinstance(x, (sp.Indexed, sp.Symbol)) or isinstance(x, sp.Dummy):
            return None
        found = self.definitions.get(name_of(x))
        return found if found is not None and thing(found.lhs) == thing(x) else None

    def expanded(self, e: Any) -> Any:
        """The expression with plain definitions put in until none is left."""
        for _ in range(len(self.definitions) + 1):
            more = self.plain(e)
            if more is None:
                return e
            e = more
        return e

    def plain_in(self, e: Any) -> list[str]:
        """The names in an expression of definitions that do not recur, sorted."""
        names = mentioned(e) & set(self.definitions)
        return sorted(name for name in names if not self.recursive(name))

    def reach(self, name: str) -> set[str]:
        """The definitions that one leans on, directly or not."""
        found: set[str] = set()
        todo = [name]
        while todo:
            more = (mentioned(self.definitions[todo.pop()].rhs) & set(self.definitions)) - found
            found |= more
            todo += more
        return found

    def recursive(self, name: str) -> bool:
        return name in self.reach(name)

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
            return self._follows(obligation)
        asked = question(named(obligation.claim), frozenset(map(named, obligation.facts)), self._fixed)
        found = self._asked.answer(asked)
        if found is None:
            found = self._follows(obligation)
            self._asked.keep(asked, found)
        return found

    def _follows(self, obligation: Obligation) -> bool:
        claim, facts = obligation.claim, obligation.facts | self.facts
        if isinstance(claim, sp.And):
            return all(self.closes(Obligation(part, obligation.facts)) for part in claim.args)
        if isinstance(claim, sp.Ne) and self._above_0(claim.lhs - claim.rhs, facts):
            return True
        if self.signs.entails(facts, claim):
            return True
        if isinstance(claim, sp.Ne):
            return self.signs.nonzero(claim.lhs - claim.rhs, facts)
        if isinstance(claim, (sp.Ge, sp.Gt, sp.Le, sp.Lt)):
            gap, strict = claim.gts - claim.lts, isinstance(claim, (sp.Gt, sp.Lt))
            return self.signs.holds(gap, facts, strict) or (not strict and self._below_a_floor(gap, facts))
        if isinstance(claim, sp.Eq) and self._supposed(claim):
            return True
        if isinstance(claim, Exists):
            return any(isinstance(f, sp.Eq) and alike(claim.args[0], side) for f in facts for side in f.args)
        if isinstance(claim, sp.Or):
            return any(self.closes(Obligation(part, obligation.facts)) for part in claim.args)
        return False

    def _above_0(self, entry: Any, facts: Facts) -> bool:
        """Whether a condition says just this, that an entry is positive: seen before all that is known is put together.

        Where entries are bound to each other by many equations, as eigenvectors are, that takes seconds.
        """
        for condition in self.conditions.values() if isinstance(entry, sp.Indexed) else ():
            if condition.rel == "<" and condition.lhs == 0 and isinstance(condition.rhs, sp.Indexed):
                for values in places(condition, entry):
                    at = [fresh(fact).xreplace(values) for fact in condition.given]
                    same = fresh(condition.rhs).xreplace(values) == entry
                    if same and all(entails(facts, fact, self.signs.of_bounds) for fact in at):
                        return True
        return False

    def _supposed(self, claim: Any) -> bool:
        """Whether an equation is a condition."""
        whole = [c for c in self.conditions.values() if c.rel == "=" and not c.over and not c.given]
        return any(canon(c.lhs - c.rhs - claim.lhs + claim.rhs) == 0 for c in whole)

    def _below_a_floor(self, gap: Any, facts: Facts) -> bool:
        """``e >= 0`` by ``s e >= 0``, for a positive s that divides within a floor."""
        below = [x.args[0].as_numer_denom()[1] for x in gap.atoms(sp.floor)]
        return any(s.is_positive and self.signs.entails(facts, sp.Ge(sp.expand(s * gap), 0)) for s in below)

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

    def leans(self, name: str) -> set[str]:
        """All names that a definition leans on."""
        return set().union(*[mentioned(self.definitions[n].rhs) for n in {name, *self.reach(name)}])


def _assumed(base: Any) -> dict[str, Any]:
    return {name: value for name, value in base.label._assumptions_orig.items() if name != "commutative"}
