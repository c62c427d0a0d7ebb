"""A theory: what one claim defines and supposes, and what must hold for an expression to be defined."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.function import AppliedUndef

from gnomon.proof.facts import Row, entails
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.signs import Bound, Signs
from gnomon.proof.terms import Facts, alike, indices_of, mentioned, name_of, walk, within
from gnomon.proof.theorem import Obligation, Refused, Theorem, made

Shape = Sequence[Any] | Callable[..., Sequence[Any]]

TOTAL = (
    sp.exp, sp.sin, sp.cos, sp.tanh, sp.sinh, sp.cosh, sp.atan, sp.asinh, sp.erf, sp.Abs, sp.sign, sp.floor, sp.ceiling,
    sp.Max, sp.Min, sp.KroneckerDelta, sp.Heaviside, expm1,
)  # fmt: skip
"""Functions that have a value for every real number."""


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
        self.shapes, self.facts = dict(shapes or {}), frozenset(facts) - {sp.true}
        self.symmetric = frozenset(symmetric)
        self.signs = Signs(dict(bounds or {}), self.plain, self._instances)
        self.conditions: dict[str, Theorem] = {}
        self.definitions: dict[str, Theorem] = {}
        self.counter = itertools.count()
        program, law = tuple(program), tuple(law)
        self.primed = _different(program, law)
        for definition in program:
            self.define(definition)
        for definition in law:
            if definition.name in self.primed or definition.name not in self.definitions:
                self.define(Definition(self.of_law(definition.lhs), self.of_law(definition.rhs), definition.ranges))
        self.conditions = {
            name: self._condition(self.of_law(relation), ranges) for name, relation, ranges in conditions
        }

    def of_law(self, e: Any) -> Any:
        """An expression of the law, in the law's own definitions where the program's are others."""

        def prime(x: Any, _: Facts) -> Any:
            if not isinstance(x, (sp.Indexed, sp.Symbol)) or name_of(x) not in self.primed:
                return None
            name = name_of(x) + "′"
            if isinstance(x, sp.Symbol):
                return sp.Symbol(name, **x._assumptions_orig)
            return sp.IndexedBase(name, **_assumed(x.base))[tuple(map(self.of_law, x.indices))]

        return walk(sp.sympify(e), frozenset(), prime) if self.primed else sp.sympify(e)

    def define(self, definition: Definition) -> Theorem:
        """A new name for an expression: its indices plain symbols, each with its range.

        Raises:
            Refused: if the name is taken, or an index is no symbol or has no range.
        """
        name, lhs, rhs = definition.name, definition.lhs, sp.sympify(definition.rhs)
        if name in self.definitions:
            raise Refused(f"{name} is defined twice")
        ranged = {v for v, _, _ in definition.ranges}
        if strange := [v for v in indices_of(lhs) if not v.is_Symbol or v not in ranged]:
            raise Refused(f"{lhs}: {', '.join(map(str, strange))} should be an index symbol with a range")
        given = frozenset().union(*[within(limit) for limit in definition.ranges])
        self.definitions[name] = made(self, "definition", lhs, "=", rhs, given=given, over=indices_of(lhs), uses={name})
        return self.definitions[name]

    def _condition(self, relation: Any, ranges: tuple[tuple[Any, Any, Any], ...]) -> Theorem:
        given = frozenset().union(*[within(limit) for limit in ranges])
        if not ranges and not isinstance(relation, sp.Eq):
            self.facts = self.facts | {relation}
        rel = "=" if isinstance(relation, sp.Eq) else "<" if isinstance(relation, (sp.Lt, sp.Gt)) else "<="
        less, more = (relation.lhs, relation.rhs) if rel == "=" else (relation.lts, relation.gts)
        return made(self, "condition", less, rel, more, given=given, over={v for v, _, _ in ranges})

    @property
    def pure(self) -> bool:
        """Whether it defines and supposes nothing, so that its theorems hold in every theory."""
        return not (self.definitions or self.facts or self.conditions or self.symmetric or self.signs.bounds)

    def speaks_of(self, v: Any) -> bool:
        """Whether a symbol or an array is the claim's own, and not just an index or a name of a theorem."""
        name = name_of(v)
        if name in self.signs.bounds or name in self.shapes or name in self.definitions:
            return True
        said = {name_of(s) for fact in self.facts for s in fact.free_symbols}
        for theorem in (*self.definitions.values(), *self.conditions.values()):
            free = theorem.lhs.free_symbols | theorem.rhs.free_symbols
            said |= set(map(name_of, free)) - set(map(name_of, theorem.over))
        return name in said

    def _instances(self, part: Any, facts: Facts) -> Iterable[Row]:
        """What the conditions say of a part: at the indices that make an entry of theirs an entry of it."""
        for condition in self.conditions.values():
            if not condition.over:
                continue
            for values in _places(condition, part):
                at = [fresh(fact).xreplace(values) for fact in condition.given]
                if not all(entails(facts | self.facts, fact, self.signs.of_bounds) for fact in at):
                    continue
                gap = fresh(condition.rhs - condition.lhs).xreplace(values)
                for form in dict.fromkeys((sp.expand(gap), canon(gap), canon(self.expanded(gap)))):
                    yield form, condition.rel == "<"
                    if condition.rel == "=":
                        yield -form, False

    # ------------------------------------------------------------ definitions

    def plain(self, e: Any) -> Any:
        """The expression with its plain definitions put in, or None if there is none in it."""
        hit = False

        def put(x: Any, _: Facts) -> Any:
            nonlocal hit
            found = self.definitions.get(name_of(x)) if isinstance(x, (sp.Indexed, sp.Symbol)) else None
            if found is None or self.recursive(name_of(x)):
                return None
            hit = True
            return fresh(found.rhs).xreplace(dict(zip(indices_of(found.lhs), indices_of(x), strict=True)))

        try:
            e = walk(fresh(sp.sympify(e)), frozenset(), put)
        except ValueError:  # SymPy pulled a Piecewise out of an inner sum, away from its dummy
            return None
        return e if hit else None

    def expanded(self, e: Any) -> Any:
        """The expression with plain definitions put in until none is left."""
        for _ in range(len(self.definitions) + 1):
            more = self.plain(e)
            if more is None:
                return e
            e = more
        return e

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

    def ends(self, name: str) -> bool:
        """Whether a recursion is seen to end.

        One index falls (or rises) at each turn, by linear arithmetic; where it stays, nothing comes round.
        """
        group = sorted(other for other in self.reach(name) if name in self.reach(other))
        indices = indices_of(self.definitions[name].lhs)
        return any(self._falls(group, at, way) for at, way in itertools.product(indices, (1, -1)))

    def _falls(self, group: list[str], index: Any, way: int) -> bool:
        places = {}
        for other in group:
            indices = indices_of(self.definitions[other].lhs)
            if index not in indices:
                return False
            places[other] = indices.index(index)
        level: dict[str, set[str]] = {other: set() for other in group}
        good = True

        def look(other: str) -> Callable[[Any, Facts], None]:
            def see(x: Any, facts: Facts) -> None:
                nonlocal good
                if isinstance(x, sp.Indexed) and name_of(x) in level:
                    fall = way * (index - x.indices[places[name_of(x)]])
                    if not self.entails(facts, sp.Ge(fall, 0)):
                        good = False
                    elif not self.entails(facts, sp.Ge(fall, 1)):
                        level[other].add(name_of(x))

            return see

        for other in group:
            definition = self.definitions[other]
            walk(fresh(definition.rhs), definition.given, look(other))
        while good and any(not to & set(level) for to in level.values()):
            level = {other: to for other, to in level.items() if to & set(level)}
        return good and not level

    # ------------------------------------------------------------ obligations

    def entails(self, facts: Facts, relation: Any) -> bool:
        return self.signs.entails(frozenset(facts) | self.facts, relation)

    def closes(self, obligation: Obligation) -> bool:
        """Whether an obligation follows from its facts, from the domains and the facts of the theory."""
        claim, facts = obligation.claim, obligation.facts | self.facts
        if isinstance(claim, sp.And):
            return all(self.closes(Obligation(part, obligation.facts)) for part in claim.args)
        if self.signs.entails(facts, claim):
            return True
        if isinstance(claim, sp.Ne):
            return self.signs.nonzero(claim.lhs - claim.rhs, facts)
        if isinstance(claim, (sp.Ge, sp.Gt, sp.Le, sp.Lt)):
            gap, strict = claim.gts - claim.lts, isinstance(claim, (sp.Gt, sp.Lt))
            return self.signs.holds(gap, facts, strict) or (not strict and self._below_a_floor(gap, facts))
        if isinstance(claim, sp.Or):
            return any(self.closes(Obligation(part, obligation.facts)) for part in claim.args)
        return False

    def _below_a_floor(self, gap: Any, facts: Facts) -> bool:
        """``e >= 0`` by ``s e >= 0``, for a positive s that divides within a floor."""
        below = [x.args[0].as_numer_denom()[1] for x in gap.atoms(sp.floor)]
        return any(s.is_positive and self.signs.entails(facts, sp.Ge(sp.expand(s * gap), 0)) for s in below)

    def open(self, obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
        """Those that are not closed, each once."""
        return tuple(dict.fromkeys(o for o in obligations if o.claim is not sp.true and not self.closes(o)))

    def wellformed(self, e: Any, facts: Facts) -> list[Obligation]:
        """What must hold for an expression to be defined, and for an empty sum to be 0 whichever way it is read."""
        found: list[Obligation] = []

        def look(x: Any, facts: Facts) -> None:
            found.extend(Obligation(claim, at) for claim, at in self._asked(x, facts))

        walk(fresh(sp.sympify(e)), facts, look)
        return found

    def _asked(self, x: Any, facts: Facts) -> Iterable[tuple[Any, Facts]]:
        if isinstance(x, (sp.Sum, sp.Product)):
            for index, first, last in reversed(x.limits):
                yield sp.Ge(last - first + 1, 0), facts
                facts = facts | within((index, first, last))
        elif isinstance(x, sp.Pow):
            yield from ((claim, facts) for claim in _of_power(x, lambda r: self.entails(facts, r)))
        elif isinstance(x, sp.log):
            yield sp.Gt(x.args[0], 0), facts
        elif isinstance(x, log1p):
            yield sp.Gt(x.args[0], -1), facts
        elif isinstance(x, sp.Indexed):
            yield from ((claim, facts) for claim in self._in_range(x))
        elif isinstance(x, sp.Piecewise) and x.args[-1][1] is not sp.true:
            yield sp.Or(*[condition for _, condition in x.args]), facts
        elif isinstance(x, AppliedUndef) or getattr(x, "family", None) is not None:
            if getattr(x, "order", 0):
                yield smooth(x.family), facts
        elif isinstance(x, (sp.tan, sp.acos, sp.asin, sp.gamma, sp.loggamma, sp.acosh, sp.atanh, sp.coth, sp.cot)):
            yield sp.Symbol(f"{x} is defined"), facts
        elif isinstance(x, sp.Function) and not isinstance(x, (*TOTAL, sp.Piecewise)) and not hasattr(x, "total"):
            raise Refused(f"{type(x).__name__} has no known domain: {x}")
        elif x in (sp.nan, sp.zoo, sp.oo, -sp.oo):
            yield sp.Symbol(f"{x} is a real number"), facts

    def _in_range(self, x: Any) -> Iterable[Any]:
        name = name_of(x)
        if name in self.definitions:
            lhs, given = self.definitions[name].lhs, self.definitions[name].given
            at = dict(zip(indices_of(lhs), x.indices, strict=True))
            yield from (fact.xreplace(at) for fact in sorted(given, key=sp.default_sort_key))
        elif name in self.shapes:
            shape = self.shapes[name]
            for index, extent in zip(x.indices, shape(*x.indices) if callable(shape) else shape, strict=True):
                yield sp.Ge(index, 0)
                yield sp.Ge(extent - 1 - index, 0)


def _places(condition: Theorem, part: Any) -> Iterator[dict[Any, Any]]:
    """Values of a condition's indices at which one of its entries occurs in a part."""
    seen = []
    for pattern in sp.Tuple(condition.lhs, condition.rhs).atoms(sp.Indexed):
        for x in part.atoms(sp.Indexed):
            if x.base != pattern.base or len(x.indices) != len(pattern.indices):
                continue
            values = {v: j for v, j in zip(pattern.indices, x.indices, strict=True) if v in condition.over}
            whole = all(j.is_integer for j in values.values())
            if whole and set(values) == condition.over and values not in seen:
                seen.append(values)
                yield values


def smooth(family: str) -> Any:
    """The condition that an unknown function is differentiable wherever it is applied."""
    return sp.Symbol(f"{family} is differentiable where it is applied")


def _of_power(x: Any, entails: Callable[[Any], bool]) -> Iterable[Any]:
    base, exponent = x.base, x.exp
    if base is sp.E:
        return
    if exponent.is_integer:
        if not exponent.is_nonnegative and not entails(sp.Ge(exponent, 0)):
            yield sp.Ne(base, 0)
    elif exponent.is_number and exponent.is_positive:
        yield sp.Ge(base, 0)
    else:
        yield sp.Gt(base, 0)


def _assumed(base: Any) -> dict[str, Any]:
    return {name: value for name, value in base.assumptions0.items() if name != "commutative"}


def _different(program: tuple[Definition, ...], law: tuple[Definition, ...]) -> set[str]:
    """Names that both define, in other words or by leaning on such."""
    ours = {definition.name: definition for definition in program}

    def differs(definition: Definition) -> bool:
        mine = ours[definition.name]
        return not alike(sp.Tuple(mine.lhs, mine.rhs), sp.Tuple(definition.lhs, definition.rhs))

    both = [definition for definition in law if definition.name in ours]
    found = {definition.name for definition in both if differs(definition)}
    while more := {d.name for d in both if found & mentioned(d.rhs)} - found:
        found |= more
    return found
