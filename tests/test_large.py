"""Large structures: tails of blocks and splits that no small size shows are found, and said to begin at their size."""

import cProfile
import dataclasses
import functools

import pytest
import torch
from planted.normalization import Norm

from gnomon.check import large
from gnomon.check.strategies import draw_examples
from gnomon.check.task import Outcome
from gnomon.check.verdict import check, prepare
from gnomon.find import subjects, walk


def model(name):
    return subjects.resolve(name, {})[0]


def written(y, tile, axis=0):
    """What is left where the last partial tile along an axis is never written."""
    n = y.shape[axis]
    row = torch.arange(n, device=y.device).reshape(-1, *(1,) * (y.dim() - 1 - axis % y.dim()))
    return torch.where((row < n - n % tile) | (n < tile), y, torch.zeros_like(y))


def tail(name, tile, axis=0):
    """A function that never writes the last partial tile of its result."""
    return lambda *args, **options: written(model(name)(*args, **options), tile, axis)


def cut(name, tile, axis=0):
    """A function that never reads the last partial tile of its first argument."""
    return lambda x, *args, **options: model(name)(written(x, tile, axis), *args, **options)


class NormTail(Norm):
    """Statistics over whole tiles of rows alone."""

    tile = 8

    def mean(self, x):
        return super().mean(x[: len(x) - len(x) % self.tile] if len(x) > self.tile else x)


def norm(tile):
    return type("Norm", (NormTail,), {"tile": tile})


def module(name, tile, axis=-1):
    """A module that never writes the last partial tile of what it gives."""

    class Tail(model(name)):
        def forward(self, *args, **options):
            found = super().forward(*args, **options)
            return (
                tuple(written(y, tile, axis) for y in found) if isinstance(found, tuple) else written(found, tile, axis)
            )

    return Tail


def reading(name, tile):
    """A module that never reads the last partial tile of its input's features."""

    class Tail(model(name)):
        def forward(self, input, *args, **options):
            return super().forward(written(input, tile, -1), *args, **options)

    return Tail


PLANTED = [
    *(("bn.transform", "N", tile, functools.partial(norm, tile)) for tile in (8, 64, 128, 512)),
    *(
        ("bn.transform", "C", tile, functools.partial(module, "normalization.BatchNorm1d", tile))
        for tile in (8, 16, 256, 1024)
    ),
    *(("std.zscore", "n", tile, functools.partial(tail, "standardize.zscore", tile)) for tile in (8, 16)),
    *(("std.zscore", "p", tile, functools.partial(tail, "standardize.zscore", tile, 1)) for tile in (8, 64, 1024)),
    *(("std.minmax", "n", tile, functools.partial(cut, "standardize.minmax", tile)) for tile in (8, 16)),
    *(("std.minmax", "p", tile, functools.partial(tail, "standardize.minmax", tile, 1)) for tile in (32, 128)),
    *(("lstm.cell", "H", tile, functools.partial(module, "lstm.LSTMCell", tile)) for tile in (8, 32)),
    *(("lstm.cell", "I", tile, functools.partial(reading, "lstm.LSTMCell", tile)) for tile in (64, 512)),
    *(("pool.definition", "C", tile, functools.partial(module, "pooling.MaxPool1d", tile, -2)) for tile in (8, 64)),
]


@functools.cache
def asked(id):
    (claim,) = walk.select([id])
    return claim, draw_examples(claim, 6, 3)


@pytest.mark.parametrize(("id", "size", "tile", "make"), PLANTED, ids=lambda value: str(value)[:24])
def test_a_tail_that_no_small_size_has_is_found(id, size, tile, make):
    claim, examples = asked(id)
    task = prepare(claim, make(), "planted", "float64", "cpu")
    outcome = Outcome()
    failure = large.look(task, examples, outcome, 12)
    assert failure is not None
    found = failure.example.structure[size]
    assert tile < found <= tile + tile // 8 + 1, "made smaller as far as it still fails"
    assert outcome.looked_at


@pytest.mark.parametrize("id", ["bn.transform", "std.zscore", "lstm.cell", "conv.definition", "optim.adam.update"])
def test_the_reference_models_are_right_there(id):
    claim, examples = asked(id)
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        task = prepare(claim, model(claim.subject), "reference", dtype, "cpu")
        assert large.look(task, examples, Outcome(), 4) is None


def test_a_verdict_says_from_which_size_on():
    claim, _ = asked("std.zscore")
    (found,) = check(
        claim, implementations={claim.subject: tail("standardize.zscore", 8)}, device="cpu", dtypes=["float64"],
        budget="standard", seed=0,
    )  # fmt: skip
    assert found.verdict == "fails"
    assert found.reason.startswith("from n = 9 on: ")
    assert found.counterexample.structure["n"] == 9


def test_what_the_reference_model_refuses_is_not_claimed():
    (claim,) = walk.select(["convnet.sequence"])
    example = draw_examples(claim, 1, 3, {"K": 9, "n": 3, "depth": 2})[0]
    example = dataclasses.replace(example, structure=example.structure | {"padding_mode": "circular"})
    outcome = Outcome()
    task = prepare(claim, model(claim.subject), "reference", "float64", "cpu")
    assert large.look(task, [example], outcome, 1, [example]) is None
    assert "the reference model raises ValueError" in outcome.unreached["K"]
    assert not outcome.looked_at


def test_beside_a_profiler_calls_are_not_counted_and_nothing_large_is_chosen():
    claim, examples = asked("std.zscore")
    task, outcome = prepare(claim, model(claim.subject), "reference", "float64", "cpu"), Outcome()
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        assert large.look(task, examples, outcome, 2) is None
    finally:
        profiler.disable()
    assert not outcome.looked_at
    assert "a profiler is at work" in outcome.unreached["p"]
