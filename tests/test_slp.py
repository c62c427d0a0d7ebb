"""Straight-line programs: the table of derivatives against SymPy's, sharing, folding, and the reverse sweep."""

import pytest
from flint import arb

from gnomon.compute.balls import enclose
from gnomon.compute.slp import SLP, partials, pullback


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
