"""What attacks on the kernel are made of: names, and what an attack must end in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
from sympy import IndexedBase, Symbol

from gnomon.proof import equality
from gnomon.proof.theorem import Refused, Theorem
from gnomon.proof.theory import Theory

x, y, z, c = sp.symbols("x y z c", real=True)
p = Symbol("p", positive=True)
g = Symbol("g", nonnegative=True)
i, j, k, t = sp.symbols("i j k t", integer=True)
n, N = sp.symbols("n N", integer=True, positive=True)
size = Symbol("size", integer=True, nonnegative=True)
X, m, A = (IndexedBase(name, real=True) for name in ("X", "m", "A"))
NONE: frozenset[Any] = frozenset()

Attack = Callable[[], Theorem]


class Attacks(list[Any]):
    """The attacks of one file."""

    def __call__(self, function: Attack) -> Attack:
        """Keep an attack; it hands back what it has made a theorem of."""
        self.append(pytest.param(function, id=function.__name__))
        return function


def linked(theory: Theory, *expressions: Any, given: frozenset[Any] = NONE) -> Theorem:
    """A chain of normal forms from the first expression to the last."""
    whole = equality.reflexive(theory, expressions[0], given)
    for after in expressions[1:]:
        whole = equality.chain(theory, whole, equality.normal(theory, whole.rhs, after, given))
    return whole


def must_fail(attack: Attack) -> None:
    """Raise AssertionError if an attack makes a theorem that owes nothing."""
    try:
        found = attack()
    except (Refused, ValueError, TypeError):
        return
    assert found.left, f"a theorem of something false: {found}"
