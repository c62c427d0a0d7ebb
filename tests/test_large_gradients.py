"""Backward passes that are wrong at large sizes alone are found there, under right values."""

import functools

import pytest
import torch
from planted.normalization import Norm
from test_large import asked, model

from gnomon import verify
from gnomon.check import large, large_gradient
from gnomon.check.task import Outcome
from gnomon.check.verdict import check, prepare


def cut_off(y, tile, axis=-1):
    """The same numbers, of which the last partial tile along an axis has no gradient."""
    n = y.shape[axis]
    row = torch.arange(n, device=y.device).reshape(-1, *(1,) * (y.dim() - 1 - axis % y.dim()))
    return torch.where((row < n - n % tile) | (n < tile), y, y.detach())


def backward(name, tile, axis=0):
    """A function whose backward pass drops the last partial tile of what flows into it."""
    return lambda *args, **options: cut_off(model(name)(*args, **options), tile, axis)


def module(name, tile, axis=-1):
    """A module whose backward pass drops the last partial tile of what flows into it."""

    class Tail(model(name)):
        def forward(self, *args, **options):
            found = super().forward(*args, **options)
            several = isinstance(found, tuple)
            return tuple(cut_off(y, tile, axis) for y in found) if several else cut_off(found, tile, axis)

    return Tail


def reading(name, tile, axis=-1):
    """A module whose backward pass drops the last partial tile of its input's gradient."""

    class Tail(model(name)):
        def forward(self, input, *args, **options):
            return super().forward(cut_off(input, tile, axis), *args, **options)

    return Tail


class Statistics(Norm):
    """The statistics' gradient leaves the last partial tile of rows out."""

    tile = 8

    def mean(self, x):
        return super().mean(cut_off(x, self.tile, 0))

    def var(self, x, mean):
        return super().var(cut_off(x, self.tile, 0), mean)


def statistics(tile):
    return type("Statistics", (Statistics,), {"tile": tile})


PLANTED = [
    *(("bn.transform", "N", tile, functools.partial(statistics, tile)) for tile in (8, 128)),
    ("bn.transform", "C", 512, functools.partial(module, "normalization.BatchNorm1d", 512)),
    ("std.zscore", "n", 16, functools.partial(backward, "standardize.zscore", 16)),
    ("std.zscore", "p", 64, functools.partial(backward, "standardize.zscore", 64, 1)),
    ("lstm.cell", "H", 8, functools.partial(module, "lstm.LSTMCell", 8)),
    ("pool.definition", "C", 64, functools.partial(module, "pooling.MaxPool1d", 64, -2)),
    ("conv.definition", "C", 16, functools.partial(reading, "convolution.Conv1d", 16, -2)),
]


@pytest.mark.parametrize(("id", "size", "tile", "make"), PLANTED, ids=lambda value: str(value)[:24])
def test_a_backward_pass_that_drops_a_tail_is_found(id, size, tile, make):
    claim, examples = asked(id)
    task = prepare(claim, make(), "planted", "float64", "cpu")
    outcome = Outcome()
    assert large.look(task, examples, outcome, 12) is None, "the values are right"
    assert outcome.gradient_failure is not None
    found = outcome.gradient_failure.example.structure[size]
    assert tile < found <= tile + tile // 8 + 1, "made smaller as far as it still fails"


def test_a_verdict_says_from_which_size_on():
    claim, _ = asked("std.zscore")
    (found,) = check(
        claim, implementations={claim.subject: backward("standardize.zscore", 8)}, device="cpu", dtypes=["float64"],
        budget="standard", seed=0,
    )  # fmt: skip
    assert (found.verdict, found.failure) == ("fails", "wrong gradient")
    assert found.reason.startswith("from n = 9 on: ")
    assert found.counterexample.structure["n"] == 9


def test_a_gradient_that_costs_too_much_is_said_to_be_left_out(monkeypatch):
    compared = verify("std.zscore", sizes={"p": 257}, dtype="float64", proofs=False)[0].covered.not_looked_at
    assert not any(words.startswith("gradients at") for words in compared)
    monkeypatch.setattr(large_gradient, "TIMES", 0)
    left_out = verify("std.zscore", sizes={"p": 257}, dtype="float64", proofs=False)[0].covered.not_looked_at
    assert any(words.startswith("gradients at") and "p = 257" in words for words in left_out)
