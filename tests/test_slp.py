"""Straight-line programs: the table of derivatives against SymPy's, sharing, folding, and the reverse sweep."""

import pytest
import sympy as sp
from flint import arb

from gnomon.compute.balls import enclose
from gnomon.compute.slp import SLP, partials, pullback
from gnomon.proof.enclosure import enclose as enclose_tree

X, Y = sp.symbols("x y", positive=True)
OPERATIONS = {
    "add": X + Y, "mul": X * Y, "div": X / Y, "pow": X**Y, "max": sp.Max(X, Y), "min": sp.Min(X, Y), "neg": -X,
    "sqrt": sp.sqrt(X), "exp": sp.exp(X), "log": sp.log(X), "log1p": sp.log(1 + X), "expm1": sp.exp(X) - 1,
    "tanh": sp.tanh(X), "sin": sp.sin(X), "cos": sp.cos(X), "abs": sp.Abs(X), "sign": sp.sign(X), "erf": sp.erf(X),
}  # fmt: skip
POINTS = [
    (sp.Rational(3, 7), sp.Rational(5, 3)),
    (sp.Rational(9, 4), sp.Rational(1, 2)),
    (sp.Integer(1), sp.Rational(2)),
]


@pytest.mark.parametrize("op", OPERATIONS)
def test_partial_derivatives_are_sympys(op):
    for point in POINTS:
        slp = SLP()
        leaves = [slp.leaf("x"), slp.leaf("y")]
        formula = OPERATIONS[op]
        arguments = leaves if formula.has(Y) else leaves[:1]
        node = slp.binary(op, *arguments) if len(arguments) == 2 else slp.unary(op, *arguments)
        values = {
            ("x", ()): arb(int(point[0].p)) / int(point[0].q),
            ("y", ()): arb(int(point[1].p)) / int(point[1].q),
        }
        for symbol, partial in zip((X, Y), partials(slp, node), strict=False):
            derivative = sp.diff(formula, symbol).subs(dict(zip((X, Y), point, strict=True))).doit()
            (ours,) = enclose(slp, [partial], values)
            assert ours.overlaps(enclose_tree(sp.sympify(derivative), {}, bits=200))


def test_an_operation_without_a_derivative_in_the_table_would_be_noticed():
    slp = SLP()
    slp.leaf("x")
    node = slp._put("gamma", 0)
    with pytest.raises(KeyError, match="gamma"):
        partials(slp, node)


def test_equal_operations_are_stored_once_and_exact_ones_folded():
    slp = SLP()
    x = slp.leaf("x")
    zero, one = slp.constant(0), slp.constant(1)
    assert slp.add(x, zero) == x == slp.mul(one, x)
    assert slp.mul(x, zero) == zero
    assert slp.add(x, one) == slp.add(x, one)
    assert slp.neg(slp.neg(x)) == x
    assert slp.power(x, 3) == slp.mul(slp.mul(x, x), x)


def test_ranges_know_what_cannot_be_negative():
    slp = SLP()
    beta = slp.leaf("beta", host=True, within=(0.0, 1.0))
    x = slp.leaf("x")
    assert slp.nonneg(slp.sub(slp.constant(1), slp.power(beta, 7)))
    assert slp.nonneg(slp.mul(x, x))
    assert not slp.nonneg(slp.mul(x, beta))
    assert not slp.nonneg(slp.sub(x, slp.constant(1)))


def test_pullback_sums_over_all_paths():
    slp = SLP()
    x, y, w = slp.leaf("x"), slp.leaf("y"), slp.leaf("w")
    out = slp.add(slp.mul(x, y), slp.unary("exp", x))
    gradient = pullback(slp, [out, x], [w, slp.constant(3)])
    leaves = {("x", ()): 0.5, ("y", ()): 4.0, ("w", ()): 2.0}
    (value,) = enclose(slp, [gradient["x", ()]], leaves)
    assert value.overlaps(2 * (4 + arb("0.5").exp()) + 3)
