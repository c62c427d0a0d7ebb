"""Points for a second look: of every magnitude, within what a theorem supposes, and on the edges of its cells."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

import sympy as sp
from flint import arb, fmpq

from gnomon.proof.enclosure import EncloseError, OutOfDomain, Undecided
from gnomon.proof.sample_points import Atoms, Entries, Point, allowed, atoms_of, pin, polynomials
from gnomon.proof.terms import indices_of, name_of
from gnomon.proof.theorem import Theorem

MOODS = ("any", "zero", "one", "equal", "minus", "unit", "huge", "tiny", "edge", "any", "edge")
SIZES = (1, 2, 3, 1, 2, 5, 12)
NOTHING: Mapping[str, Any] = {}
_MOST_CONDITIONS = 40
_LONGEST = 600  # bits of a fraction, beyond which a ball is enough


class Draw:
    """Points of one theorem.

    Args:
        free: whether what is defined is drawn like an input, unless a supposition speaks of it; else it has the value
            that its definition gives.
    """

    def __init__(self, theorem: Theorem, free: bool) -> None:
        self.theory, self.free = theorem.theory, free
        facts = [fact for fact in theorem.given | self.theory.facts if _decidable(fact)]
        self.facts = sorted(facts, key=sp.default_sort_key)
        sides = [theorem.lhs, theorem.rhs]
        self.edges = [zero for side in sides for zero in _zeros(side)]
        bound = self.facts if free else [*sides, *self.facts]  # a supposition on a definition speaks of its formula
        todo = {name for e in bound for name in _names(e)} & set(self.theory.definitions)
        named = todo.union(*[self.theory.reach(name) for name in todo])
        self.defined = {name: self.theory.definitions[name] for name in named}
        self.early = [fact for fact in self.facts if not set(_names(fact)) & named]
        self.conditions = [] if free else [c for c in self.theory.conditions.values() if not set(_names(c.lhs)) & named]
        spoken = [*sides, *self.facts, *(d.rhs for d in self.defined.values())]
        spoken += [side for c in self.conditions for side in (c.lhs, c.rhs)]
        own = {v for d in self.defined.values() for v in d.over} | {v for c in self.conditions for v in c.over}
        atoms = atoms_of(map(sp.sympify, spoken))
        fixed = {s.name for e in (*sides, *self.facts) for s in sp.sympify(e).free_symbols}
        symbols = {n: s for n, s in atoms.symbols.items() if n not in self.defined and (s not in own or n in fixed)}
        bases = {n: b for n, b in atoms.bases.items() if n not in self.defined}
        self.atoms = Atoms(symbols, atoms.sizes, atoms.indices, bases, atoms.functions)

    def point(self, rng: Any) -> Point | None:
        """A point that meets all suppositions; None if this draw does not."""
        mood = rng.choice(MOODS)
        try:
            values = self._values(rng, mood)
            point = Point(values, polynomials(self.atoms.functions, rng))
            placed = self._whole_numbers(values, point, rng) and self._conditions(values, point)
            self._define(values, point)
            if placed and mood == "edge" and self.edges:
                pin(values, point, sp.Eq(rng.choice(self.edges), 0, evaluate=False), self.atoms)
                self._define(values, point)
            whole = placed and all(point.holds(fact) for fact in self.facts) and self._within(values)
            self._watch(values)
        except (OutOfDomain, Undecided, EncloseError, ZeroDivisionError):
            return None
        return Point(values, point.functions) if whole else None

    def words(self, point: Point) -> str:
        """What the numbers of a point are."""
        return ", ".join(f"{name} = {point.values[name]}" for name in sorted(self.atoms.symbols))

    def _values(self, rng: Any, mood: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, symbol in sorted(self.atoms.symbols.items()):
            values[name] = fmpq(rng.choice(SIZES)) if symbol.is_integer else self._number(name, symbol, rng, mood)
        for name, entry in sorted(self.atoms.bases.items()):
            symmetric = name in {name_of(base) for base in self.theory.symmetric}
            values[name] = Entries(partial(self._entry, name, entry, rng, mood, values), symmetric)
        return values

    def _entry(self, name: str, symbol: Any, rng: Any, mood: str, values: dict[str, Any], at: tuple[int, ...]) -> Any:
        return self._number(name, symbol, rng, mood, values)

    def _number(self, name: str, symbol: Any, rng: Any, mood: str, values: Mapping[str, Any] = NOTHING) -> Any:
        for _ in range(40):
            value = self._fitted(name, _of_mood(rng, mood))
            if symbol.is_integer:
                value = fmpq(rng.choice((0, 1, 1, 2, 3, 4, -1)))
            if allowed(symbol, value) and self._bounded(name, value, values):
                return value
            mood = rng.choice(("any", "unit", "one", "zero"))
        raise OutOfDomain(f"no number for {name}")

    def _fitted(self, name: str, value: Any) -> Any:
        """A number brought between the bounds of its symbol."""
        bound = self.theory.signs.bounds.get(name)
        if bound is None or self._bounded(name, value):
            return value
        ends = (sp.sympify(bound.low), sp.sympify(bound.high))
        low, high = (fmpq(int(end.p), int(end.q)) if end.is_Rational else None for end in ends)
        share = abs(value) / (1 + abs(value))
        if low is not None and high is not None:
            return low + (high - low) * share
        return low + abs(value) if low is not None else high - abs(value) if high is not None else value

    def _bounded(self, name: str, value: Any, values: Mapping[str, Any] = NOTHING) -> bool:
        """Whether a fraction lies between its bounds, which may be symbols with values."""
        bound = self.theory.signs.bounds.get(name)
        if bound is None or not isinstance(value, fmpq):
            return True
        number = sp.Rational(int(value.p), int(value.q))
        known = {n: sp.Rational(int(v.p), int(v.q)) for n, v in values.items() if isinstance(v, fmpq)}
        rows = [(_at(gap, known), strict) for gap, strict in bound.rows(number)]
        return all(gap > 0 if strict else gap >= 0 for gap, strict in rows if gap.is_number)

    def _define(self, values: dict[str, Any], point: Point) -> None:
        """What is defined has the values of its definition, each worked out once."""
        for name in sorted(self.defined, key=lambda name: (len(self.theory.reach(name)), name)):
            definition = self.defined[name]
            indices = [v.name for v in indices_of(definition.lhs)]

            def entry(at: tuple[int, ...], rhs: Any = definition.rhs, names: list[str] = indices) -> Any:
                return _short(point.at(**dict(zip(names, map(fmpq, at), strict=True))).exact(rhs))

            values[name] = Entries(entry) if indices else _short(point.exact(definition.rhs))

    def _whole_numbers(self, values: dict[str, Any], point: Point, rng: Any) -> bool:
        """Whole numbers that the facts allow; small ones, where definitions are to be worked out."""
        wanted = [s for s in self.atoms.symbols.values() if s.is_integer]
        for _ in range(6):
            for symbol in wanted:
                about = [fact for fact in self.early if symbol in fact.free_symbols]
                fits = [v for v in range(-1, 13) if allowed(symbol, fmpq(v)) and self._bounded(symbol.name, fmpq(v))]
                good = []
                for value in fits:
                    values[symbol.name] = fmpq(value)
                    if all(point.holds(fact) for fact in about):
                        good.append(value)
                small = good if self.free or rng.random() < 1 / 6 else [v for v in good if v <= 3]
                values[symbol.name] = fmpq(rng.choice(small or good or fits or [0]))
            if all(point.holds(fact) for fact in self.early):
                return True
        return False

    def _conditions(self, values: dict[str, Any], point: Point) -> bool:
        for condition in self.conditions:
            indices = sorted(condition.over, key=str)
            places = list(itertools.product(range(13), repeat=len(indices)))
            for place in places if len(places) <= 13**2 else places[:_MOST_CONDITIONS]:
                at = dict(zip(indices, map(sp.Integer, place), strict=True))
                if not all(point.holds(fact.xreplace(at)) for fact in condition.given):
                    continue
                less, more = condition.lhs.xreplace(at), condition.rhs.xreplace(at)
                if condition.rel == "=" and not pin(values, point, sp.Eq(less, more, evaluate=False), self.atoms):
                    return False
                relation = sp.Lt(less, more) if condition.rel == "<" else sp.Le(less, more)
                if condition.rel != "=" and not point.holds(relation):
                    return False
        return True

    def _within(self, values: dict[str, Any]) -> bool:
        """Whether what was moved is still what its symbol and its bounds allow."""
        moved = [(name, symbol, values[name]) for name, symbol in self.atoms.symbols.items()]
        for name, entry in self.atoms.bases.items():
            moved += [(name, entry, value) for value in values[name].known.values()]
        return all(allowed(symbol, value) and self._bounded(name, value, values) for name, symbol, value in moved)

    def _watch(self, values: dict[str, Any]) -> None:
        """Have an entry looked at when it is asked for: one that was moved is known only then."""
        for name, symbol in self.atoms.bases.items():
            held = values[name]
            values[name] = Entries(partial(self._kept, name, symbol, held, values), held.symmetric)

    def _kept(self, name: str, symbol: Any, held: Entries, values: dict[str, Any], at: tuple[int, ...]) -> Any:
        value = held(*at)
        if allowed(symbol, value) and self._bounded(name, value, values):
            return value
        raise Undecided(f"{name} is beyond its bounds")


def _of_mood(rng: Any, mood: str) -> Any:
    fixed = {"zero": fmpq(0), "one": fmpq(1), "equal": fmpq(3, 7), "minus": fmpq(-1)}
    if mood in fixed:
        return fixed[mood]
    if mood == "unit":
        return fmpq(rng.randint(1, 16), 17)
    some = fmpq(rng.randint(-24, 24), rng.randint(3, 8))
    if mood == "huge":
        return some * 10 ** rng.randint(1, 6)
    return some / 2 ** rng.randint(8, 24) if mood == "tiny" else some


def _at(gap: Any, known: Mapping[str, Any]) -> Any:
    """The gap to a bound where its symbols have values."""
    return gap.xreplace({s: known[s.name] for s in gap.free_symbols if s.is_Symbol and s.name in known})


def _short(value: Any) -> Any:
    """A ball in the place of a fraction that has grown long."""
    long = isinstance(value, fmpq) and int(value.p).bit_length() + int(value.q).bit_length() > _LONGEST
    return arb(value) if long else value


def _decidable(fact: Any) -> bool:
    return bool(fact.is_Relational) or isinstance(fact, (sp.And, sp.Or))


def _names(e: Any) -> list[str]:
    return sorted({name_of(x) for x in sp.sympify(e).atoms(sp.Indexed, sp.Symbol)})


def _zeros(e: Any) -> list[Any]:
    """Expressions whose zeros bound the cells of another: gaps of conditions, denominators, arguments of logarithms."""
    e = sp.sympify(e)
    found = [r.lhs - r.rhs for r in e.atoms(sp.Rel) if isinstance(r.lhs, sp.Expr) and isinstance(r.rhs, sp.Expr)]
    found += [p.base for p in e.atoms(sp.Pow) if p.exp.could_extract_minus_sign()]
    found += [x.args[0] for x in e.atoms(sp.log, sp.Abs, sp.sign)]
    return [zero for zero in found if not any(isinstance(s, sp.Dummy) for s in zero.free_symbols)]
