"""What a sum is not: the greatest and the least term over a range, where it is, and the logarithm of a sum of powers.

Each binds its index over ``(index, first, last)``, both ends included, as a ``Sum`` does, and has a value where the
range is not empty. A term may be minus infinity: it is left out, unless every term is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits


class Kept(sp.Expr):  # type: ignore[misc]
    """``Kept(e, condition)``: e where the condition holds, and minus infinity where it does not: left out.

    It is no ``Piecewise``, since SymPy draws the branches of one out of what binds their index, and no number: of
    ``exp(-oo)`` SymPy says that it is positive.
    """

    is_commutative = True

    def __new__(cls, term: Any, condition: Any) -> Any:
        term, condition = sp.sympify(term), sp.sympify(condition)
        return term if condition is sp.true else super().__new__(cls, term, condition)

    @property
    def term(self) -> Any:
        return self.args[0]

    @property
    def condition(self) -> Any:
        return self.args[1]

    @property
    def written(self) -> Any:
        """How it is read on a page."""
        return sp.Piecewise(self.args, (-sp.oo, True), evaluate=False)

    def _latex(self, printer: Any) -> str:
        return str(printer._print(self.written))

    def _eval_derivative(self, s: Any) -> Any:
        return self.chosen(self.term.diff(s), sp.S.Zero)

    def chosen(self, kept: Any, gone: Any) -> Any:
        """One of two values by the condition."""
        return sp.Piecewise((kept, self.condition), (gone, True), evaluate=False)


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
    """Whether minus infinity may stand in an expression by itself, and not within a reduction or a power of e."""
    return isinstance(e, Kept) or (not isinstance(e, (Reduction, sp.exp)) and any(map(bare, e.args)))


def left_out(e: Any) -> tuple[Any, list[tuple[Any, Any]]] | None:
    """What may be minus infinity taken apart: what has a value everywhere, and what is kept with its coefficient, which
    is positive; or None.
    """
    rest, found = [], []
    for addend in sp.Add.make_args(e) if isinstance(e, sp.Expr) and bare(e) else ():
        number, kept = addend.as_coeff_Mul()
        if not bare(addend):
            rest.append(addend)
        elif number.is_positive and isinstance(kept, Kept) and not any(map(bare, kept.args)):
            found.append((number, kept))
        else:
            return None
    return (sp.Add(*rest), found) if found else None


def powered(e: sp.exp) -> Any:
    """``exp(rest + kept)`` with 0 for what is left out; None if nothing may be."""
    parts = left_out(e.args[0])
    if parts is None:
        return None
    rest, found = parts
    return sp.Mul(sp.exp(rest), *[kept.chosen(sp.exp(number * kept.term), sp.S.Zero) for number, kept in found])


def shown(e: Any, holds: Callable[[Any], bool]) -> Any:
    """The expression with what is surely kept as it is; what a binder holds is about other indices."""
    if isinstance(e, Kept) and holds(e.condition):
        return shown(e.term, holds)
    if isinstance(e, ExprWithLimits) or not bare(e) or isinstance(e, Kept):
        return e
    return e.func(*[shown(arg, holds) for arg in e.args])


EXTREMES = (Largest, Smallest, ArgMax)
"""Those with a kink or a jump where two terms are alike."""
