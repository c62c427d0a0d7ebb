"""Straight-line programs in Arb balls: rigorous enclosures of the truth, one point at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq

from gnomon.compute.operations import OPERATIONS
from gnomon.compute.slp import SLP, Leaf

BITS = 256


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
            elif node.op == "lowest":
                values[number] = arb("-inf")
            else:
                operation = OPERATIONS[node.op]
                more = [node.value] if operation.needs == "value" else []
                values[number] = operation.arb(*(values[arg] for arg in node.args), *more)
        return [values[number] for number in outputs]
    finally:
        ctx.prec = before
