"""Exact points at which two sides of a step are compared: random ones, and the degenerate ones that proofs
forget.

A point gives every symbol a rational number that its assumptions allow (all zero, all one, all equal, all
minus one, between 0 and 1, small, any), every size a small whole number, every index base its entries as they
are asked for, and every unknown function a polynomial, with that polynomial's own derivatives for the
derivatives of the function.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq
from sympy.core.function import AppliedUndef

from gnomon.proof.enclosure import BITS, Encloser, OutOfDomain, Undecided, enclose, holds
from gnomon.proof.reductions import Reduction

MOODS = ("any", "zero", "one", "equal", "minus", "unit", "small", "any", "unit", "any", "small")
_SIZES = (1, 2, 3)
_FIXED = {"zero": fmpq(0), "one": fmpq(1), "equal": fmpq(3, 7), "minus": fmpq(-1)}
_SPECIAL = (fmpq(0), fmpq(1), fmpq(-1), fmpq(1, 2))
_TESTS: dict[str, Callable[[Any], bool]] = {
    "positive": lambda v: v > 0,
    "negative": lambda v: v < 0,
    "nonnegative": lambda v: v >= 0,
    "nonpositive": lambda v: v <= 0,
    "zero": lambda v: v == 0,
    "integer": lambda v: isinstance(v, fmpq) and v.q == 1,
    "even": lambda v: isinstance(v, fmpq) and v.q == 1 and v.p % 2 == 0,
    "odd": lambda v: isinstance(v, fmpq) and v.q == 1 and v.p % 2 == 1,
}
Range = tuple[Any, Any, Any]


class Entries:
    """The entries of an index base, drawn as they are asked for, and the same whenever they are asked for
    again.
    """

    def __init__(self, draw: Callable[[tuple[int, ...]], Any], symmetric: bool = False) -> None:
        self.draw, self.symmetric = draw, symmetric
        self.known: dict[tuple[int, ...], Any] = {}

    def __call__(self, *at: int) -> Any:
        at = tuple(sorted(at)) if self.symmetric else at
        if at not in self.known:
            self.known[at] = self.draw(at)
        return self.known[at]


def replaced(entries: Callable[..., Any], at: tuple[int, ...], value: Any) -> Entries:
    """The entries with one of them exchanged."""
    return Entries(lambda k: value if k == at else entries(*k))


@dataclass(frozen=True, eq=False)
class Point:
    """Values for everything that is free in an expression."""

    values: Mapping[str, Any]
    functions: Mapping[str, Any]
    known: dict[tuple[Any, int], Any] = field(default_factory=dict, init=False, repr=False)

    def enclose(self, expr: Any, bits: int = BITS) -> arb:
        """The ball of an expression here; unknown functions have the derivatives of their polynomials."""
        if (expr, bits) not in self.known:
            self.known[expr, bits] = enclose(self.concrete(expr), self.values, None, self.functions, bits)
        return self.known[expr, bits]

    def holds(self, relation: Any, bits: int = BITS) -> bool:
        return holds(self.concrete(relation), self.values, None, self.functions, bits)

    def exact(self, expr: Any, bits: int = BITS) -> Any:
        """The value of an expression here, a fraction of whole numbers where its operations allow, else a
        ball.
        """
        with ctx.workprec(bits):
            return Encloser(self.values, {}, self.functions).value(self.concrete(sp.sympify(expr)), {})

    def concrete(self, expr: Any) -> Any:
        """The expression with the derivatives of unknown functions worked out for their polynomials."""
        if not _has_derivative(expr):
            return expr
        for applied in expr.atoms(AppliedUndef):
            meaning = self.functions.get(applied.func.__name__)
            if isinstance(meaning, sp.Lambda):
                expr = expr.subs(applied.func, meaning)
        return expr.replace(lambda x: isinstance(x, (sp.Derivative, sp.Subs)), lambda x: x.doit())

    def entries(self, indices: Iterable[Any], expr: Any) -> Entries:
        """An index base whose entries are the values here of an expression in the index symbols."""
        names = [index.name for index in indices]
        return Entries(lambda at: self.at(**dict(zip(names, map(fmpq, at), strict=True))).exact(expr))

    def at(self, **values: Any) -> Point:
        """The point with some values exchanged."""
        return replace(self, values={**self.values, **values})


@lru_cache(maxsize=10_000)
def _has_derivative(expr: Any) -> bool:
    return bool(expr.has(sp.Derivative, sp.Subs))


def agree(a: arb, b: arb) -> bool | None:
    """Whether two balls can hold the same number; None if they are too wide to tell it from others."""
    if not a.overlaps(b):
        return False
    wide = (a - b).abs_upper() > arb(2) ** (-BITS // 3) * (1 + a.abs_upper())
    return None if wide else True


@dataclass(frozen=True)
class Atoms:
    """What is free in some expressions, by name."""

    symbols: dict[str, Any]
    sizes: frozenset[str]
    indices: frozenset[str]
    bases: dict[str, Any]
    functions: dict[str, Any]

    @property
    def whole(self) -> bool:
        """Whether all that can be drawn are small whole numbers."""
        return not self.bases and not self.functions and all(s.is_integer for s in self.symbols.values())


def atoms_of(expressions: Iterable[Any]) -> Atoms:
    """Collect the free symbols, index bases and unknown functions.

    Raises:
        ValueError: if two different ones have the same name.
    """
    symbols: dict[str, Any] = {}
    bases: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    sizes: set[str] = set()
    indices: set[str] = set()

    def note(found: dict[str, Any], name: str, what: Any, key: Any) -> None:
        if name in found and key(found[name]) != key(what):
            raise ValueError(f"two different things are named {name}; SymPy tells symbols apart by their assumptions")
        found[name] = what

    for e in expressions:
        entries = e.atoms(sp.Indexed)
        labels = {base.label for base in e.atoms(sp.IndexedBase)}
        for entry in entries:
            note(bases, str(entry.base.label), entry, lambda entry: entry.base)
            indices |= {s.name for index in entry.indices for s in index.free_symbols if s.is_Symbol}
        for symbol in e.free_symbols - labels:
            if symbol.is_Symbol:
                note(symbols, symbol.name, symbol, lambda symbol: symbol)
        for ranged in e.atoms(sp.Sum, sp.Product, Reduction):
            sizes |= {s.name for _, lo, hi in ranged.limits for s in (lo.free_symbols | hi.free_symbols) if s.is_Symbol}
        for applied in e.atoms(sp.Function):
            if isinstance(applied, AppliedUndef) or hasattr(applied, "family"):
                note(functions, applied.func.__name__, applied, lambda applied: applied.func)
    if both := set(symbols) & set(bases):
        raise ValueError(f"both a symbol and an index base are named {', '.join(sorted(both))}")
    return Atoms(symbols, frozenset(sizes & set(symbols)), frozenset(indices), bases, functions)


def points(
    atoms: Atoms,
    assume: Iterable[Any] = (),
    ranges: Iterable[Range] = (),
    seed: int = 0,
    symmetric: Iterable[str] = (),
) -> Iterator[Point | None]:
    """Points without end; None for a draw that does not meet the assumptions.

    Args:
        assume: relationals that hold. ``Eq(a, b)`` is *made* to hold: a symbol, an entry or a whole base on
            the left takes the value on the right; in any other, one number that enters linearly is solved
            for.
        ranges: ``(index, lower, upper)``, both ends included.
    """
    assume, ranges, symmetric = tuple(assume), tuple(ranges), frozenset(symmetric)
    trial = 0
    while True:
        rng = random.Random(f"{seed}/{trial}")
        mood = MOODS[trial] if trial < len(MOODS) else rng.choice(MOODS)
        try:
            yield _draw(atoms, assume, ranges, symmetric, rng, mood)
        except (OutOfDomain, Undecided):
            yield None
        trial += 1


def _draw(
    atoms: Atoms,
    assume: tuple[Any, ...],
    ranges: tuple[Range, ...],
    symmetric: frozenset[str],
    rng: Any,
    mood: str,
) -> Point | None:
    values: dict[str, Any] = {}
    for name, symbol in sorted(atoms.symbols.items()):
        wanted = _wanted(symbol)
        if not wanted.get("integer"):
            values[name] = _number(wanted, rng, mood)
        elif name in atoms.sizes:
            values[name] = _pick(wanted, rng, _SIZES if rng.random() < 0.8 else (0, *_SIZES))
        else:
            values[name] = _pick(wanted, rng, (0, 1, 2, 3) if name in atoms.indices else (-1, 0, 1, 2, 3))
    seed = rng.random()
    for name, entry in atoms.bases.items():
        values[name] = Entries(_drawing(f"{seed}{name}", _wanted(entry), mood), name in symmetric)
    point = Point(values, polynomials(atoms.functions, rng))
    met = _place(values, point, ranges, rng) and all(
        pin(values, point, relation, atoms) if isinstance(relation, sp.Eq) else point.holds(relation)
        for relation in assume
    )
    return Point(values, point.functions) if met else None


def _drawing(seed: str, wanted: Mapping[str, bool], mood: str) -> Callable[[tuple[int, ...]], Any]:
    return lambda at: _number(wanted, random.Random(f"{seed}{at}"), mood)


def _place(values: dict[str, Any], point: Point, ranges: tuple[Range, ...], rng: Any) -> bool:
    """Move indices into their ranges; False if one is empty or a moved index has changed another range."""
    for index, lo, hi in ranges:
        first, last = (int(point.exact(end).p) for end in (lo, hi))
        if first > last:
            return False
        if not first <= values[index.name] <= last:
            values[index.name] = fmpq(rng.randint(first, last))
    return all(point.exact(lo) <= values[index.name] <= point.exact(hi) for index, lo, hi in ranges)


def _wanted(symbol: Any) -> dict[str, bool]:
    return {flag: known for flag in _TESTS if (known := getattr(symbol, f"is_{flag}")) is not None}


def allowed(symbol: Any, value: Any) -> bool:
    """Whether a symbol may have a value, going by its assumptions."""
    return _allowed(_wanted(symbol), value)


def _allowed(wanted: Mapping[str, bool], value: Any) -> bool:
    return all(bool(_TESTS[flag](value)) is known for flag, known in wanted.items())


def _pick(wanted: Mapping[str, bool], rng: Any, choices: tuple[int, ...]) -> Any:
    for some in (choices, range(-9, 10)):
        if possible := [n for n in some if _allowed(wanted, fmpq(n))]:
            return fmpq(rng.choice(possible))
    raise OutOfDomain(f"no small whole number is {dict(wanted)}")


def _number(wanted: Mapping[str, bool], rng: Any, mood: str) -> Any:
    if mood in _FIXED and _allowed(wanted, _FIXED[mood]):
        return _FIXED[mood]
    if wanted.get("integer"):
        return _pick(wanted, rng, (-2, -1, 0, 1, 2, 3))
    if mood not in _FIXED and rng.random() < 1 / 8 and _allowed(wanted, value := rng.choice(_SPECIAL)):
        return value
    for _ in range(30):
        if mood == "unit":
            value = fmpq(rng.randint(1, 16), 17)
        elif mood == "small":
            value = fmpq(rng.randint(1, 16) * rng.choice((-1, 1)), 64)
        else:
            value = fmpq(rng.randint(-24, 24), rng.randint(3, 8))
        for one in (value, -value):
            if _allowed(wanted, one):
                return one
    return _pick(wanted, rng, (0, 1, -1))


def polynomials(applied: Mapping[str, Any], rng: Any) -> dict[str, Any]:
    """A meaning for each unknown function: a polynomial, with its own derivatives."""
    found: dict[str, Any] = {}
    families: dict[str, list[Any]] = {}
    for name, application in sorted(applied.items()):
        if isinstance(application, AppliedUndef):
            found[name] = _meaning(application, rng)
        else:
            family = families.setdefault(application.func.family, [_coefficient(rng) for _ in range(5)])
            meaning = _polynomial(family, application.func.order)
            found[name] = meaning if len(application.args) == 1 else _ridge(meaning, application.func)
    return found


def _coefficient(rng: Any) -> Any:
    return fmpq(rng.randint(-8, 8), rng.randint(1, 6)) + fmpq(1, 13)


def _polynomial(coefficients: list[Any], order: int) -> Callable[[Any], Any]:
    """The derivative of that order of the polynomial with these coefficients, the constant one first."""
    for _ in range(order):
        coefficients = [n * c for n, c in enumerate(coefficients)][1:]

    def value(x: Any) -> Any:
        total = fmpq(0)
        for c in reversed(coefficients):
            total = total * x + c
        return total

    return value


def _ridge(polynomial: Callable[[Any], Any], function: Any) -> Callable[..., Any]:
    """A polynomial of one combination of several numbers, or its slope by one of them."""
    slope = fmpq(function.place + 1, 2) if function.order else fmpq(1)
    return lambda *args: slope * polynomial(sum((fmpq(n, 2) * x for n, x in enumerate(args, 1)), fmpq(0)))


def _meaning(application: Any, rng: Any) -> Any:
    """A polynomial in the place of an undefined function, positive where the function is said to be."""
    if application.is_integer:
        seed = rng.random()
        return lambda *args: fmpq(random.Random(f"{seed}{args}").randint(1, 3))
    variables = [sp.Dummy(f"v{k}", real=True) for k in range(len(application.args))]
    terms = [sp.S.One, sp.Mul(*variables), *variables, *(v**2 for v in variables)]
    body = sp.Add(*[sp.Rational(str(_coefficient(rng))) * term for term in terms])
    return sp.Lambda(tuple(variables), 1 + body**2 if application.is_nonnegative else body)


# ---------------------------------------------------------------- equations that are to hold


def pin(values: dict[str, Any], point: Point, equation: Any, atoms: Atoms) -> bool:
    """Change one of the point's values so that the equation holds; False if its assumptions forbid it."""
    left, right = equation.lhs, equation.rhs
    if isinstance(left, sp.Symbol) and left.name in atoms.symbols and left not in right.free_symbols:
        return _set(values, left.name, point.exact(right), _wanted(left))
    whole_base = isinstance(left, sp.Indexed) and str(left.base.label) in atoms.bases
    if whole_base and all(i.is_Symbol for i in left.indices) and not right.has(left.base):
        values[str(left.base.label)] = point.entries(left.indices, right)
        return True
    gap = left - right
    point.exact(gap)  # so that the entries that it asks for are known
    free: list[tuple[dict[Any, Any], Any, dict[str, bool]]] = []
    for name in sorted(s.name for s in gap.free_symbols if s.is_Symbol and s.name in atoms.symbols):
        if not atoms.symbols[name].is_integer:
            free.append((values, name, _wanted(atoms.symbols[name])))
    for name in sorted({str(entry.base.label) for entry in gap.atoms(sp.Indexed)} & set(atoms.bases)):
        if isinstance(held := values[name], Entries):
            free += [(held.known, at, _wanted(atoms.bases[name])) for at in sorted(held.known)]
    return any(_solve(point, gap, *one) for one in free)


def _solve(point: Point, gap: Any, held: dict[Any, Any], key: Any, wanted: Mapping[str, bool]) -> bool:
    """Solve for one number in which the gap is linear."""
    before, gaps = held[key], []
    for trial in range(3):
        held[key] = fmpq(trial)
        gaps.append(point.exact(gap))
    slope = gaps[1] - gaps[0]
    if slope != 0 and gaps[2] - gaps[1] == slope and _set(held, key, -gaps[0] / slope, wanted):
        return True
    held[key] = before
    return False


def _set(held: dict[Any, Any], key: Any, value: Any, wanted: Mapping[str, bool]) -> bool:
    if not _allowed(wanted, value):
        return False
    held[key] = value
    return True
