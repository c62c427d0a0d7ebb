"""What a sum is not: the greatest and the least term over a range, where it is, and the logarithm of a sum of powers.

Each binds its index over ``(index, first, last)``, both ends included, as a ``Sum`` does, and has a value where the
range is not empty. A term may be minus infinity: it is left out, unless every term is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.singleton import Singleton


class MinusInfinity(sp.AtomicExpr, metaclass=Singleton):  # type: ignore[misc, metaclass]
    """The value of a term that is left out. SymPy's own infinity would be taken for a number: ``exp(-oo) > 0``."""

    is_commutative = True

    def _sympystr(self, printer: Any) -> str:
        return "−∞"

    def _latex(self, printer: Any) -> str:
        return r"-\infty"


LEFT_OUT = MinusInfinity()


class Reduction(ExprWithLimits):  # type: ignore[misc]
    """An expression reduced over one index range, which is not empty."""

    is_real = True
    words = ""
    """What it is called on a page."""

    def __new__(cls, term: Any, limit: Any) -> Reduction:
        index, first, last = limit
        made: Reduction = sp.Expr.__new__(cls)
        made._args = (sp.sympify(term), sp.Tuple(index, sp.sympify(first), sp.sympify(last)))
        made.is_commutative = True
        return made

    @property
    def index(self) -> Any:
        return self.limits[0][0]

    @property
    def ends(self) -> tuple[Any, Any]:
        """The first and the last value of the index."""
        return tuple(self.limits[0][1:])

    def doit(self, **hints: Any) -> Any:
        """The expression without the binder, where both ends are numbers, as of a ``Sum``."""
        first, last = (end.doit(**hints) for end in self.ends)
        if not (first.is_Integer and last.is_Integer and first <= last):
            return self
        terms = [self.function.xreplace({self.index: sp.Integer(at)}).doit(**hints) for at in range(first, last + 1)]
        return self._written(terms)

    def _written(self, terms: list[Any]) -> Any:
        return self

    def _weighted(self, weight: Callable[[Any, Any], Any], s: Any) -> Any:
        """The derivatives of the terms, weighted: a sum over the same range, with an index of its own.

        (SymPy takes what a branch says of an index for what it says of one of that name that is bound within.)
        """
        slope = self.function.diff(s)
        if slope == 0:
            return sp.S.Zero
        new = sp.Dummy(self.index.name, integer=True)
        at = {self.index: new}
        return sp.Sum(weight(new, self.function.xreplace(at)) * slope.xreplace(at), (new, *self.ends))

    def _sympystr(self, printer: Any) -> str:
        return f"{type(self).__name__}({', '.join(map(printer._print, self.args))})"

    def _latex(self, printer: Any) -> str:
        index, first, last = map(printer._print, self.limits[0])
        name = rf"\operatorname{{{self.words}}}" if self.words not in ("max", "min") else rf"\{self.words}"
        return rf"{name}_{{{index}={first}}}^{{{last}}} {printer.parenthesize(self.function, 45)}"


class Largest(Reduction):
    """``Largest(e, (i, a, b))``: the greatest of e(a), ..., e(b)."""

    words = "max"

    def _written(self, terms: list[Any]) -> Any:
        return sp.Max(*terms)

    def _eval_derivative(self, s: Any) -> Any:
        """The derivative of the greatest term, where no other is as great."""
        return self._weighted(lambda at, term: sp.KroneckerDelta(at, ArgMax(*self.args)), s)


class Smallest(Reduction):
    """``Smallest(e, (i, a, b))``: the least of e(a), ..., e(b)."""

    words = "min"

    def _written(self, terms: list[Any]) -> Any:
        return sp.Min(*terms)

    def _eval_derivative(self, s: Any) -> Any:
        """The derivative of the least term, where no other is as small."""
        return self._weighted(lambda at, term: sp.KroneckerDelta(at, ArgMin(*self.args)), s)


class LogSumExp(Reduction):
    """``LogSumExp(e, (i, a, b))``: the logarithm of the sum of exp(e(a)), ..., exp(e(b))."""

    words = "logsumexp"

    def _written(self, terms: list[Any]) -> Any:
        return sp.log(sp.Add(*map(sp.exp, terms)))

    def _eval_derivative(self, s: Any) -> Any:
        """The derivatives of the terms, weighted by their softmax."""
        return self._weighted(lambda at, term: sp.exp(term - self), s)


class ArgMax(Reduction):
    """``ArgMax(e, (i, a, b))``: the first index at which e(i) is greatest."""

    words = "argmax"
    is_integer = True

    def _eval_derivative(self, s: Any) -> Any:
        return sp.S.Zero


class ArgMin(ArgMax):
    """``ArgMin(e, (i, a, b))``: the first index at which e(i) is least."""

    words = "argmin"


def bare(e: Any) -> bool:
    """Whether minus infinity stands in an expression by itself, and not within a reduction or a power of e."""
    return e is LEFT_OUT or (not isinstance(e, (Reduction, sp.exp)) and any(map(bare, e.args)))


def left_out(e: Any) -> tuple[Any, list[tuple[Any, Any]]] | None:
    """A term that is minus infinity, or is in some branches, taken apart: what has a value everywhere, and the branches
    with their positive coefficients, or None.
    """
    rest, found = [], []
    for addend in sp.Add.make_args(e) if isinstance(e, sp.Expr) and bare(e) else ():
        number, choice = addend.as_coeff_Mul()
        if not bare(addend):
            rest.append(addend)
        elif number.is_positive and (choice is LEFT_OUT or (isinstance(choice, sp.Piecewise) and _whole(choice))):
            found.append((number, choice))
        else:
            return None
    return (sp.Add(*rest), found) if found else None


def _whole(choice: Any) -> bool:
    """Whether each branch is minus infinity or has none in it."""
    values = all(value is LEFT_OUT or not bare(value) for value, _ in choice.args)
    return values and not any(bare(condition) for _, condition in choice.args)


def branched(choice: Any, kept: Callable[[Any], Any], gone: Any) -> Any:
    """The same branches with other values: one for those that are minus infinity."""
    if choice is LEFT_OUT:
        return gone
    branches = [(gone if value is LEFT_OUT else kept(value), at) for value, at in choice.args]
    return sp.Piecewise(*branches, evaluate=False)


def powered(e: sp.exp) -> Any:
    """``exp(rest + branches)`` with 0 where a branch is minus infinity; None if there is none."""
    parts = left_out(e.args[0])
    if parts is None:
        return None
    rest, choices = parts
    return sp.Mul(sp.exp(rest), *[_power(*part) for part in choices])


def _power(number: Any, choice: Any) -> Any:
    return branched(choice, lambda value: sp.exp(number * value), sp.S.Zero)


EXTREMES = (Largest, Smallest, ArgMax)
"""Those with a kink or a jump where two terms are alike."""
