"""The generator of inputs: inside the domain, exact in the dtype, awkward in the ways that it says."""

import math

import pytest
import torch

from gnomon.check.inputs import REGIMES, draw
from gnomon.check.minimise_numbers import complexity, minimise
from gnomon.compute.whole_numbers import Bindings
from gnomon.say.domain import nonnegative, positive, real, simplex, unit

NOTHING = Bindings({}, {}, {})
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
DOMAINS = (
    real("r", 3), positive("p", 2), nonnegative("q"), unit("u", 2), simplex("s", 4), simplex("t", 4, strict=True),
    real("b", 2, low=-1.0, high=3.0), positive("h", host=True),
)  # fmt: skip


def batch(dtype, seed=0, size=1800, inputs=DOMAINS):
    return draw(inputs, NOTHING, {"h": 0.5}, size, dtype, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_is_in_its_domain_and_exact_in_the_dtype(dtype):
    drawn = batch(dtype)
    for domain in DOMAINS:
        if domain.host:
            continue
        value = drawn.values[domain.name]
        assert value.dtype == torch.float64
        assert value.shape == (drawn.size, *map(int, domain.shape))
        assert torch.equal(value.to(dtype).to(torch.float64), value)
        assert all(domain.contains(number) for number in value.flatten().tolist())


@pytest.mark.parametrize("dtype", DTYPES)
def test_probabilities_sum_to_exactly_one_and_some_are_zero(dtype):
    drawn = batch(dtype).values
    assert bool((drawn["s"].sum(-1) == 1).all())
    assert bool((drawn["s"] == 0).any())
    assert bool((drawn["t"].sum(-1) == 1).all())
    assert bool((drawn["t"] > 0).all())


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_law_that_covers_another_is_0_only_where_the_other_is(dtype):
    drawn = batch(dtype, inputs=(simplex("s", 4), simplex("c", 4, covers="s"))).values
    assert bool((drawn["c"].sum(-1) == 1).all())
    assert bool((drawn["c"][drawn["s"] > 0] > 0).all())
    assert 0.02 < float((drawn["c"] == 0).double().mean()) < float((drawn["s"] == 0).double().mean())
    assert 0.02 < float((drawn["c"] == drawn["s"]).all(-1).double().mean()) < 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_some_probabilities_are_as_small_as_their_sum_allows(dtype):
    laws = batch(dtype, size=9000).values
    least = max(torch.finfo(dtype).eps, 2.0**-48)
    for name in ("s", "t"):
        few = laws[name][laws[name] > 0]
        assert float(few.min()) <= 4 * least
        assert bool(((few > least**0.75) & (few < least**0.25)).double().mean() > 0.02)


def test_regimes_come_in_blocks_and_are_what_they_say():
    drawn = batch(torch.float64)
    assert [name for name, _ in drawn.regimes] == list(REGIMES)
    start, blocks = 0, {}
    for name, count in drawn.regimes:
        blocks[name] = drawn.values["r"][start : start + count]
        start += count
    assert bool((blocks["sparse"] == 0).double().mean() > 0.5)
    assert bool((blocks["integers"] == blocks["integers"].round()).all())
    assert float(blocks["subnormal"].abs().max()) < 1e-300
    assert bool((blocks["ties"][:, 0] == blocks["ties"][:, 1]).double().mean() > 0.3)
    assert float(blocks["wide"].abs().max()) > 2.0**15


def test_the_generator_decides_everything():
    first, again, other = batch(torch.float64, 1), batch(torch.float64, 1), batch(torch.float64, 2)
    assert all(torch.equal(first.values[name], again.values[name]) for name in first.values)
    assert not torch.equal(first.values["r"], other.values["r"])


def test_simple_numbers_are_simpler():
    order = [0.0, 1.0, 2.0, -3.0, 0.5, 0.625, math.pi]
    scores = complexity(torch.tensor(order, dtype=torch.float64)).tolist()
    assert scores == sorted(scores)


def test_minimising_keeps_the_failure_and_forgets_the_rest():
    domains = (real("r", 3), real("b", 2, low=-1.0, high=3.0))
    point = batch(torch.float64, inputs=domains).point(5)

    def fails(trial):
        return trial.values["r"][:, 1] * trial.values["b"][:, 0] != point.values["r"][0, 1] * 0

    small = minimise(point, domains, fails, torch.float64)
    assert bool(fails(small)[0])
    assert small.values["r"][0].tolist() == [0.0, 1.0, 0.0]
    assert small.values["b"][0].tolist() == [1.0, 0.0]
