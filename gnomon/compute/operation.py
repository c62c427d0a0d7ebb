"""One record for each operation: what SymPy, torch and Arb call it, its range, its derivatives and what it costs.

The tables of the engine are read off these records, and the tests run over them: a new operation is one record.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gnomon.compute.charge import Pair

if TYPE_CHECKING:
    from gnomon.compute.slp import SLP

Range = tuple[float, float]
EVERYTHING: Range = (-math.inf, math.inf)
POSITIVE: Range = (0.0, math.inf)
AROUND_0: Range = (-1.0, 1.0)

Slopes = Callable[["SLP", int, tuple[int, ...]], list[int]]
"""The derivatives of a node by its arguments, as nodes: from the program, the node's number and its arguments."""


@dataclass(frozen=True)
class Operation:
    """An elementary operation.

    ``sympy`` is the class that it lowers, if it has one of its own; ``torch`` and ``arb`` compute it. ``bound`` gives
    the value and its running bound from a charge and pairs, and takes what it ``needs`` besides: the exponent or the
    first index ("value", which ``torch`` and ``arb`` take last), or whether the argument is known not to be negative
    ("nonneg"). ``range`` is where values lie (one with ``odd`` keeps to 0 and above where its argument does).
    ``unary`` and ``paired`` are the functions of one and of two numbers, ``reduces`` those of all terms of a range.
    ``along`` and ``along_bound`` are what the latter are of a tensor of values, and one of errors, over its last axis.
    ``grows`` says that it may overflow, ``decides`` that it is a condition.
    """

    name: str
    torch: Callable[..., Tensor]
    arb: Callable[..., Any]
    bound: Callable[..., Pair]
    slopes: Slopes | None = None
    sympy: Any = None
    range: Range = EVERYTHING
    odd: bool = False
    unary: bool = False
    paired: bool = False
    reduces: bool = False
    grows: bool = False
    decides: bool = False
    needs: str = ""
    along: Callable[..., Tensor] | None = None
    along_bound: Callable[..., Pair] | None = None
