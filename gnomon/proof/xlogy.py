"""``x log y`` with one convention at 0, for entropies and divergences: 0 where x is 0, whatever y is."""

from __future__ import annotations

from typing import Any

import sympy as sp
from flint import fmpq

from gnomon.proof import exact_numbers
from gnomon.proof.terms import Facts
from gnomon.proof.theorem import Theorem, made
from gnomon.proof.theory import Theory


class xlogy(sp.Function):  # type: ignore[misc]
    """``x log(y)``, and 0 where x = 0; defined where x = 0 or y > 0."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, x: Any, y: Any) -> Any:
        """0 where x is the number 0, or y is 1."""
        return sp.S.Zero if x.is_zero or y == 1 else None

    def enclosed(self, x: Any, y: Any) -> Any:
        """The value at exact numbers or balls: 0 where x is exactly 0."""
        return fmpq(0) if exact_numbers.equal(x, fmpq(0)) else x * exact_numbers.log(y, False)

    def fdiff(self, argindex: int = 1) -> Any:
        """``log y`` by x, and ``x / y`` by y."""
        x, y = self.args
        return sp.log(y) if argindex == 1 else x / y

    def asks(self) -> list[Any]:
        """What must hold for it to have a value, as one inequality."""
        x, y = self.args
        return [sp.Gt(sp.Piecewise((1, sp.Eq(x, 0)), (y, True)), 0)]


def relative(p: Any, q: Any) -> Any:
    """``p log(p / q)``, the term of a relative entropy: 0 where p = 0, and defined where q > 0 or p = 0."""
    return xlogy(p, p) - xlogy(p, q)


def unfolded(theory: Theory, x: Any, y: Any, given: Facts = frozenset()) -> Theorem:
    """``xlogy(x, y)`` is 0 where x = 0, and ``x log y`` elsewhere."""
    lhs = xlogy(x, y)
    rhs = sp.Piecewise((0, sp.Eq(x, 0)), (x * sp.log(y), True))
    left = theory.open(theory.wellformed(lhs, given))
    return made(theory, "convention at 0", lhs, "=", rhs, given=given, left=left)
