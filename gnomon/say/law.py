"""What a claim says: its laws and its conditions, each once, in the claim's own symbols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.say.noise import Noise

Ranges = tuple[tuple[Any, Any, Any], ...]
"""Limits ``(index, first, last)``, both ends included, as in a ``Sum``."""

SENSES = {"=": sp.Eq, "<=": sp.Le, ">=": sp.Ge, "<": sp.Lt, ">": sp.Gt}


@dataclass(frozen=True)
class Law:
    """``lhs rel rhs`` over ranges, and how it is shown: ``proof(bench)`` leads both sides together.

    Without a proof the law is the program's own formula (a definition), or is tested and not proved.
    """

    lhs: Any
    rel: str
    rhs: Any
    ranges: Ranges = ()
    proof: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        if self.rel not in SENSES:
            raise ValueError(f"a law relates by one of {', '.join(SENSES)}, got {self.rel!r}")
        object.__setattr__(self, "lhs", sp.sympify(self.lhs))
        object.__setattr__(self, "rhs", sp.sympify(self.rhs))

    @property
    def statement(self) -> Any:
        """The law as SymPy writes it, not evaluated."""
        return SENSES[self.rel](self.lhs, self.rhs, evaluate=False)


@dataclass(frozen=True)
class Condition:
    """A relation that the claim supposes, for all values of the indices in its ranges; ``words`` say it to a reader.

    A symbol stands for what is no relation: that an unknown function is differentiable.
    """

    name: str
    relation: Any
    ranges: Ranges = ()
    words: str = ""

    def __str__(self) -> str:
        return self.words or str(self.relation)


@dataclass(frozen=True)
class Written:
    """All that was written of a linked claim: what its theory is made of."""

    definitions: tuple[Definition, ...]
    laws: tuple[Law, ...]
    conditions: tuple[Condition, ...]
    ranges: Ranges
    aids: frozenset[str] = frozenset()
    noise: tuple[Noise, ...] = ()
