"""Expectations as expressions: ``Mean(e, z, law)``, where the entries of z are random, of a declared law.

Entries of :class:`Normal`, :class:`RandomSigns`, :class:`Uniform` and :class:`Bernoulli` noise are drawn each for
itself from the same law. Of draws, ``I[k]`` is a random index below n: with equal chances (:class:`Draws`), with given
ones (:class:`Categorical`), or no two alike (:class:`Sample`).
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean


class Exists(Boolean):  # type: ignore[misc]
    """That an expectation or a limit has a value, which an equation for it shows."""

    def _sympystr(self, printer: Any) -> str:
        return f"there is {printer._print(self.args[0])}"


class Law(sp.Basic):  # type: ignore[misc]
    """How the entries of an array are drawn."""

    even = False
    """Whether an array and its negative have the same law."""

    def _sympystr(self, printer: Any) -> str:
        return f"{type(self).__name__}({', '.join(map(printer._print, self.args))})"

    said: frozenset[str] = frozenset()
    """What may be known of its entries beside that they are real."""

    @property
    def support(self) -> tuple[Any, Any]:
        """The least and the greatest value."""
        raise NotImplementedError

    def asks(self) -> list[Any]:
        """What must hold for there to be such a law."""
        return []


class Entries(Law):
    """A law of independent entries, each with moments of every order."""

    def moment(self, order: int) -> Any:
        """The expectation of the power of one entry."""
        raise NotImplementedError


class Normal(Entries):
    """Mean 0, variance 1."""

    even = True
    support = (-sp.oo, sp.oo)

    def moment(self, order: int) -> Any:
        return sp.S.Zero if order % 2 else sp.factorial2(order - 1)


class RandomSigns(Entries):
    """1 or -1, with equal chances."""

    even = True
    support = (sp.S.NegativeOne, sp.S.One)
    said = frozenset({"integer"})

    def moment(self, order: int) -> Any:
        return sp.Integer(1 - order % 2)


class Uniform(Entries):
    """``Uniform(low, high)``: all of an interval alike."""

    def __new__(cls, low: Any = 0, high: Any = 1) -> Uniform:
        made: Uniform = super().__new__(cls, sp.sympify(low), sp.sympify(high))
        return made

    @property
    def even(self) -> bool:  # type: ignore[override]
        return bool(self.args[0] + self.args[1] == 0)

    @property
    def support(self) -> tuple[Any, Any]:
        return self.args[0], self.args[1]

    def asks(self) -> list[Any]:
        return [sp.Lt(*self.args)]

    def moment(self, order: int) -> Any:
        low, high = self.args
        return sp.Add(*[low**k * high ** (order - k) for k in range(order + 1)]) / (order + 1)


class Bernoulli(Entries):
    """``Bernoulli(p)``: 1 with the chance p, else 0."""

    support = (sp.S.Zero, sp.S.One)
    said = frozenset({"integer", "nonnegative"})

    def __new__(cls, chance: Any) -> Bernoulli:
        made: Bernoulli = super().__new__(cls, sp.sympify(chance))
        return made

    def asks(self) -> list[Any]:
        return [sp.Ge(self.args[0], 0), sp.Le(self.args[0], 1)]

    def moment(self, order: int) -> Any:
        return self.args[0] if order else sp.S.One


class Indices(Law):
    """A law of random indices below n: ``count`` of them, ``I[0]`` to ``I[count - 1]``."""

    said = frozenset({"integer", "nonnegative"})

    def __new__(cls, n: Any, count: Any) -> Indices:
        made: Indices = super().__new__(cls, sp.sympify(n), sp.sympify(count))
        return made

    @property
    def support(self) -> tuple[Any, Any]:
        return sp.S.Zero, self.n - 1

    @property
    def n(self) -> Any:
        return self.args[0]

    @property
    def count(self) -> Any:
        return self.args[1]

    def asks(self) -> list[Any]:
        return [sp.Ge(self.n, 1), sp.Ge(self.count, 0)]

    def chance(self, v: Any) -> Any:
        """Of one draw to be v."""
        return 1 / self.n


class Draws(Indices):
    """``Draws(n, count)``: with replacement, and equal chances."""


class Sample(Indices):
    """``Sample(n, count)``: without replacement."""

    def asks(self) -> list[Any]:
        return [sp.Ge(self.n, 1), sp.Ge(self.count, 0), sp.Le(self.count, self.n)]


class Categorical(Indices):
    """``Categorical(n, count, p)``: with replacement, and the chances ``p[0]`` to ``p[n - 1]``."""

    def __new__(cls, n: Any, count: Any, p: Any) -> Categorical:
        chances = p if isinstance(p, sp.Tuple) else sp.Tuple(p)
        made: Categorical = sp.Basic.__new__(cls, sp.sympify(n), sp.sympify(count), chances)
        return made

    def chance(self, v: Any) -> Any:
        return self.args[2][0][v]

    def asks(self) -> list[Any]:
        v = sp.Dummy("v", integer=True)
        every = sp.Piecewise((self.chance(v), sp.And(sp.Ge(v, 0), sp.Le(v, self.n - 1))), (0, True))
        return [sp.Ge(self.n, 1), sp.Eq(sp.Sum(self.chance(v), (v, 0, self.n - 1)), 1), sp.Ge(every, 0)]


class Mean(sp.Expr):  # type: ignore[misc]
    """The expectation of an expression over the entries of an array, all else fixed."""

    is_commutative = True
    is_real = True

    def __new__(cls, e: Any, noise: Any, law: Law) -> Mean:
        made: Mean = super().__new__(cls, sp.sympify(e), getattr(noise, "label", noise), law)
        return made

    @property
    def e(self) -> Any:
        return self.args[0]

    @property
    def binds(self) -> Any:
        """The name of the array that is random within."""
        return self.args[1]

    @property
    def law(self) -> Any:
        return self.args[2]

    @property
    def free_symbols(self) -> set[Any]:
        found: set[Any] = {s for s in self.e.free_symbols if self.binds not in s.free_symbols}
        return found | set(self.law.free_symbols)

    def asks(self) -> list[Any]:
        """That the law is one; that there is a mean, unless the expression grows like a polynomial at most."""
        said = [] if _tame(self.e, self.binds) else [Exists(self)]
        return [*self.law.asks(), *said]

    def _eval_derivative(self, s: Any) -> Any:
        return sp.Derivative(self, s, evaluate=False) if s in self.free_symbols else sp.S.Zero

    def _sympystr(self, printer: Any) -> str:
        return f"E[{printer._print(self.e)}; {self.binds}]"


_BOUNDED = (sp.tanh, sp.sin, sp.cos, sp.sign, sp.erf, sp.Heaviside, sp.KroneckerDelta)
_GROWING = (sp.Add, sp.Mul, sp.Max, sp.Min, sp.Abs)


def _tame(e: Any, name: Any) -> bool:
    """Whether an expression has a value for every outcome and grows like a polynomial at most."""
    if name not in e.free_symbols:
        return True
    if isinstance(e, sp.Indexed):
        return e.base.label == name or not any(_jumps(index, name) for index in e.indices)
    if isinstance(e, (*_BOUNDED, *_GROWING)):
        return all(_tame(arg, name) for arg in e.args)
    if isinstance(e, sp.Piecewise):
        return all(_tame(value, name) for value, _ in e.args)
    if isinstance(e, Mean):
        return _tame(e.e, name)
    if e.is_Pow:
        return bool(e.exp.is_Integer and e.exp >= 0) and _tame(e.base, name)
    if isinstance(e, sp.Sum):
        return _tame(e.function, name) and all(name not in end.free_symbols for _, *ends in e.limits for end in ends)
    return False


def _jumps(index: Any, name: Any) -> bool:
    """Whether an index is random, and no draw as it stands."""
    drawn = isinstance(index, sp.Indexed) and index.base.label == name and name not in index.indices[0].free_symbols
    return name in index.free_symbols and not drawn
