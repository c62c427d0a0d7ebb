"""Straight-line programs in Arb balls: rigorous enclosures of the truth, one point at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq

from gnomon.compute.slp import SLP, Leaf

BITS = 256


class UndecidedBranch(ArithmeticError):
    """A branch of the program whose condition the balls cannot decide."""


def ball(value: float | int | Fraction) -> Any:
    """The exact ball of a float, a whole number or a fraction."""
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    return arb(value)


def enclose(
    slp: SLP, outputs: Sequence[int], leaves: Mapping[Leaf, float | Fraction | Any], bits: int = BITS
) -> list[Any]:
    """Enclosures of some nodes for exact values of the leaves.

    Raises:
        UndecidedBranch: if a comparison that decides a branch cannot be decided with these bits.
        KeyError: if a leaf has no value.
    """
    before = ctx.prec
    ctx.prec = bits
    try:
        values: dict[int, Any] = {}
        for number in slp.reachable(outputs):
            node = slp.nodes[number]
            if node.op == "leaf":
                given = leaves[node.value]
                values[number] = given if isinstance(given, arb) else ball(given)
            elif node.op == "const":
                values[number] = ball(node.value)
            elif node.op == "pi":
                values[number] = arb.pi()
            elif node.op == "powi":
                values[number] = values[node.args[0]] ** node.value
            elif node.op == "select":
                condition, then, otherwise = node.args
                values[number] = values[then if values[condition] else otherwise]
            else:
                values[number] = RULES[node.op](*(values[arg] for arg in node.args))
        return [values[number] for number in outputs]
    finally:
        ctx.prec = before


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


def _sign(x: Any) -> Any:
    if x.is_zero():
        return arb(0)
    return arb(-1) if _less(x, arb(0)) else arb(1)


def _sqrt(x: Any) -> Any:
    return arb(0) if x.is_zero() else x.sqrt()


RULES: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sum": lambda *terms: sum(terms[1:], terms[0]),
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": lambda x, y: arb(0) if x.is_zero() and y > 0 else x**y,
    "sqrt": _sqrt,
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "log1p": lambda x: x.log1p(),
    "expm1": lambda x: x.expm1(),
    "tanh": lambda x: x.tanh(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "abs": abs,
    "sign": _sign,
    "side": _sign,
    "erf": lambda x: x.erf(),
    "max": lambda x, y: x.max(y),
    "min": lambda x, y: x.min(y),
    "lt": _less,
    "below": _less,
    "le": _at_most,
    "eq": _equal,
}
