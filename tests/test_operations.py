"""The records of the operations: derivatives against SymPy's, ranges and bounds against Arb, and no reader left out."""

import math

import pytest
import sympy as sp
import torch
from flint import arb

from gnomon.compute.balls import enclose
from gnomon.compute.operations import CONDITIONS, OPERATIONS
from gnomon.compute.running_error import bounded
from gnomon.compute.slp import SLP, partials
from gnomon.proof.enclosure import enclose as enclose_tree
from gnomon.typeset.mathml import mathml

X, Y = sp.symbols("x y", positive=True)
WRITTEN = {"add": X + Y, "mul": X * Y, "div": X / Y, "neg": -X, "sqrt": sp.sqrt(X), "pow": X**Y}
I = sp.Symbol("i", integer=True)
OVER = sp.Piecewise((X, sp.Eq(I, 0)), (Y, True)), (I, 0, 1)
"""Both numbers as the terms of a range."""
FORMULAS = WRITTEN | {
    name: operation.sympy(*(OVER if operation.reduces else (X,) if operation.unary else (X, Y)))
    for name, operation in OPERATIONS.items()
    if operation.sympy and not operation.decides and name not in WRITTEN
}
"""What each operation means, as SymPy writes it."""
POINTS = [
    (sp.Rational(3, 7), sp.Rational(5, 3)),
    (sp.Rational(9, 4), sp.Rational(1, 2)),
    (sp.Integer(1), sp.Integer(2)),
]


def program(op):
    """A program of one operation, its node, and its arguments."""
    slp = SLP()
    leaves = [slp.leaf("x"), slp.leaf("y")] if FORMULAS[op].has(Y) else [slp.leaf("x")]
    if OPERATIONS[op].reduces:
        return slp, slp.reduced(op, leaves)
    return slp, slp.binary(op, *leaves) if len(leaves) == 2 else slp.unary(op, *leaves)


def test_every_operation_has_a_meaning_or_is_the_engines_own():
    assert set(OPERATIONS) - set(FORMULAS) - CONDITIONS == {"sum", "powi", "side", "select"}
    assert all(operation.name == name for name, operation in OPERATIONS.items())
    assert all(operation.slopes for operation in OPERATIONS.values() if not operation.decides)


@pytest.mark.parametrize("op", FORMULAS)
def test_derivatives_are_sympys(op):
    for point in POINTS:
        slp, node = program(op)
        values = {(name, ()): arb(int(v.p)) / int(v.q) for name, v in zip("xy", point, strict=True)}
        for symbol, partial in zip((X, Y), partials(slp, node), strict=False):
            derivative = sp.diff(FORMULAS[op], symbol).subs(dict(zip((X, Y), point, strict=True))).doit()
            (ours,) = enclose(slp, [partial], values)
            assert ours.overlaps(enclose_tree(sp.sympify(derivative), {}, bits=200))


@pytest.mark.parametrize("op", FORMULAS)
def test_the_bound_covers_the_truth_and_the_range_is_kept(op):
    numbers = [0.0, 1e-300, 2.0**-30, 0.3, 0.5, 1.0, 1.5, 7.0, 40.0]
    numbers += (
        [] if op in ("sqrt", "log", "pow", "xlogy") else [-x for x in numbers if x and not (op == "log1p" and x >= 1)]
    )
    for x in numbers:
        for y in (0.25, 1.0, 3.0):
            slp, node = program(op)
            leaves = {
                ("x", ()): torch.tensor([x], dtype=torch.float64),
                ("y", ()): torch.tensor([y], dtype=torch.float64),
            }
            ((value, bound),) = bounded(slp, [node], leaves, torch.float64, torch.device("cpu"))
            if not math.isfinite(bound.item()):
                continue
            (truth,) = enclose(slp, [node], {("x", ()): arb(x), ("y", ()): arb(y)})
            assert not abs(truth - arb(value.item())) > arb(bound.item())
            low, high = slp.range[node]
            assert low <= value.item() <= high


@pytest.mark.parametrize("op", FORMULAS)
def test_the_tree_and_the_page_know_it(op):
    slp, node = program(op)
    (ours,) = enclose(slp, [node], {("x", ()): arb(3) / 7, ("y", ()): arb(5) / 3})
    point = {"x": sp.Rational(3, 7), "y": sp.Rational(5, 3)}
    assert ours.overlaps(enclose_tree(FORMULAS[op], point, bits=200))
    assert mathml(FORMULAS[op])
