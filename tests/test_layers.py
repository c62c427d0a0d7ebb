"""Layers of several widths on a board: bounds by a symbol, rows of several lengths, slopes by what is defined."""

from __future__ import annotations

import pytest
import sympy as sp

from gnomon.compute.lower import Lowering, bind
from gnomon.derivations.backprop.backprop import dE_dsk
from gnomon.link.goal import theory_of
from gnomon.link.proved import proved
from gnomon.proof.definitions import Definition
from gnomon.proof.tangent import tangents
from gnomon.proof.terms import within
from gnomon.proof.theorem import Refused
from gnomon.say.board import Board
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Sizes
from gnomon.say.sheet import Mutation


def test_rows_that_are_shorter_are_filled_up():
    l, j = sp.symbols("l j", integer=True)
    widths = Sizes("n", 2, 1, 3)
    bindings = bind((widths,), {"n": [1, 3]})
    output = Output("y", l + j + 1, (l, 0, 1), (j, 0, widths.symbol[l] - 1))
    lowering = Lowering(bindings, {}, Program((), (output,)))
    nodes, shape = lowering.outputs((output,))["y"]
    assert shape == (2, 3)
    assert nodes == [lowering.slp.constant(value) for value in (1, 0, 0, 2, 3, 4)]


def test_the_greatest_width_is_a_symbol_to_proofs_and_a_number_to_checks():
    board = Board("toy.widths", "1", "toy.x", "equality", "toy")
    n = board.sizes("n", 2, 1, 3)
    W = board.widest("W", n)
    assert bind(tuple(board.structure), {"n": [1, 3]}).numbers == {"W": 3}
    theory = theory_of(dE_dsk.claim)
    l = sp.Symbol("l", integer=True)
    assert theory.entails(frozenset(), sp.Le(n[l], W))
    assert not theory.entails(frozenset(), sp.Le(W, 3))
    with pytest.raises(ValueError, match="two things are called W"):
        board.real("W")


def test_sizes_that_may_be_0_are_not_taken_to_be_positive():
    assert Sizes("n", 2, 0, 3).symbol[0].is_positive is None
    assert Sizes("n", 2, 1, 3).symbol[0].is_positive


def test_the_slope_by_a_defined_entry_is_by_what_is_added_to_it():
    t, u, m = sp.symbols("t u m", integer=True)
    y = sp.IndexedBase("y", real=True)
    doubled = Definition(y[t], sp.Piecewise((1, sp.Eq(t, 0)), (2 * y[t - 1], True)), ((t, 0, 9),))
    entry, (moved,) = tangents([doubled], y[9], y[m], None)
    (at, u), (_, (_, *ends)) = moved.lhs.indices, moved.ranges
    assert (at, ends) == (t, [0, 9])
    assert entry == moved.lhs.base[9, m]
    now = moved.lhs.base[t - 1, u]
    assert moved.rhs == sp.KroneckerDelta(t, u) + sp.Piecewise((0, sp.Eq(t, 0)), (2 * now, True))
    assert within((u, *ends)) == within(moved.ranges[1])


@pytest.mark.parametrize("name", ["sigma", "rho"])
def test_without_smooth_activations_there_is_no_slope(name):
    assert str(proved(dE_dsk.claim)) == "proved for every k, n"
    with pytest.raises(Refused, match=f"{name} is differentiable"):
        proved(dE_dsk.built(Mutation(condition=f"{name} is differentiable where it is applied")))
