"""All operations by name, and what the engine reads off them."""

from __future__ import annotations

from typing import Any

from gnomon.compute.arithmetic import ARITHMETIC
from gnomon.compute.choosing import CHOOSING
from gnomon.compute.elementary import ELEMENTARY
from gnomon.compute.operation import Operation
from gnomon.compute.reducing import REDUCING

OPERATIONS: dict[str, Operation] = {each.name: each for each in (*ARITHMETIC, *ELEMENTARY, *CHOOSING, *REDUCING)}
CONDITIONS = frozenset(name for name, each in OPERATIONS.items() if each.decides)
FUNCTIONS: dict[Any, str] = {each.sympy: name for name, each in OPERATIONS.items() if each.sympy and each.unary}
"""The functions of one number, by SymPy's class."""
PAIRED: dict[Any, str] = {each.sympy: name for name, each in OPERATIONS.items() if each.paired}
"""The functions of two numbers."""
REDUCED: dict[Any, str] = {each.sympy: name for name, each in OPERATIONS.items() if each.reduces}
"""The functions of all terms of a range."""
