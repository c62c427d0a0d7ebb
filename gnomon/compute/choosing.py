"""The operations that choose: signs, maxima, comparisons and branches. What is too close is undecided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from flint import arb
from torch import Tensor

from gnomon.compute.charge import INF, Charge, Pair
from gnomon.compute.operation import AROUND_0, POSITIVE, Operation


class UndecidedBranch(ArithmeticError):
    """A branch of the program whose condition the balls cannot decide."""


def _sign(c: Charge, a: Pair) -> Pair:
    value, error = _side(c, a)
    return value, torch.where(a[1] == 0, 0.0, error)


def _side(c: Charge, a: Pair) -> Pair:
    value = a[0].sign()
    return value, torch.where(a[0].abs() <= a[1], (1 + value.abs()).masked_fill(a[1].isinf(), INF), 0.0)


def _compare(function: Callable[[Tensor, Tensor], Tensor], ties: bool = True) -> Callable[..., Pair]:
    def rule(c: Charge, a: Pair, b: Pair) -> Pair:
        room = a[1] + b[1]
        apart = (a[0] - b[0]).abs() > room  # false for NaN: what is not known to be apart is undecided
        return function(a[0], b[0]), ~(apart | ((room == 0) & ties))

    return rule


def _surely_less(c: Charge, a: Pair, b: Pair) -> Pair:
    value = b[0] - a[0] > a[1] + b[1]  # false for NaN
    return value, torch.zeros_like(value)


def _select(c: Charge, condition: Pair, a: Pair, b: Pair) -> Pair:
    chosen, undecided = condition
    error = torch.where(chosen, a[1], b[1])
    either = torch.maximum(a[1], b[1]) + (a[0] - b[0]).abs()
    return torch.where(chosen, a[0], b[0]), torch.where(undecided, either, error)


def _larger(c: Charge, a: Pair, b: Pair) -> Pair:
    return torch.maximum(a[0], b[0]), torch.maximum(a[1], b[1])


def _smaller(c: Charge, a: Pair, b: Pair) -> Pair:
    return torch.minimum(a[0], b[0]), torch.maximum(a[1], b[1])


def _less(x: Any, y: Any) -> bool:
    if x < y:
        return True
    if x >= y:
        return False
    raise UndecidedBranch(f"{x} < {y}")


def _at_most(x: Any, y: Any) -> bool:
    return not _less(y, x)


def _equal(x: Any, y: Any) -> bool:
    if x.is_exact() and y.is_exact():
        return bool(x == y)
    if not x.overlaps(y):
        return False
    raise UndecidedBranch(f"{x} = {y}")


def _sign_of(x: Any) -> Any:
    if x.is_zero():
        return arb(0)
    return arb(-1) if _less(x, arb(0)) else arb(1)


def _picked(p: Any, condition: int) -> list[int]:
    one, zero = p.constant(1), p.constant(0)
    return [p.select(condition, one, zero), p.select(condition, zero, one)]


CHOOSING = (
    Operation(
        "abs", torch.abs, abs, lambda c, a: (a[0].abs(), a[1]), lambda p, n, a: [p.unary("side", a[0])], sp.Abs,
        POSITIVE, unary=True,
    ),
    Operation(
        "sign", torch.sign, _sign_of, _sign, lambda p, n, a: [p.constant(0)], sp.sign, AROUND_0, odd=True, unary=True
    ),
    Operation("side", torch.sign, _sign_of, _side, lambda p, n, a: [p.constant(0)], range=AROUND_0, unary=True),
    Operation(
        "max", torch.maximum, lambda x, y: x.max(y), _larger,
        lambda p, n, a: _picked(p, p.binary("below", a[1], a[0])), sp.Max,
    ),
    Operation(
        "min", torch.minimum, lambda x, y: x.min(y), _smaller,
        lambda p, n, a: _picked(p, p.binary("below", a[0], a[1])), sp.Min,
    ),
    Operation("lt", torch.lt, _less, _compare(torch.lt), sympy=sp.StrictLessThan, decides=True),
    Operation("le", torch.le, _at_most, _compare(torch.le), sympy=sp.LessThan, decides=True),
    Operation("eq", torch.eq, _equal, _compare(torch.eq), sympy=sp.Equality, decides=True),
    Operation("below", torch.lt, _less, _compare(torch.lt, ties=False), decides=True),
    Operation("surely", torch.lt, lambda x, y: bool(x < y), _surely_less, decides=True),
    Operation(
        "select", torch.where, lambda condition, x, y: x if condition else y, _select,
        lambda p, n, a: [p.constant(0), *_picked(p, a[0])],
    ),
)  # fmt: skip
"""``below`` is ``lt`` at a kink: there, and for ``side`` (the sign that an absolute value's slope has), a tie leaves
the choice of the slope to the subject. ``surely`` is ``lt`` where no rounding can turn it, and else false."""
