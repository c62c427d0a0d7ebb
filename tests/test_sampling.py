"""Initializers that draw in a way of their own hold, and what is wrong with their law alone is found."""

import math

import numpy as np
import pytest
import torch

from gnomon.check.strategies import draw_examples
from gnomon.check.task import BUDGETS
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.derivations.training.init import lecun
from gnomon.derivations.training.init_draws import lecun_normal
from gnomon.drive.sample import LAWS, dependence, distance
from gnomon.say.board import Board
from gnomon.say.drawing import blank, doubt, seeded
from gnomon.say.evidence import Evidence

SAMPLED = lecun_normal.claim


def verdict(claim, subject, dtype="float64", structures=2):
    task = prepare(claim, subject, "drawn otherwise", dtype, "cpu")
    examples = draw_examples(claim, structures, seed_for(claim, 0))
    return judge(task, examples, "quick", Evidence(claim.id, claim.subject, "drawn", "cpu", dtype, "undecided"))


def filler(numbers, power=-0.5):
    """An initializer that scales numbers of a shape, which a generator may draw."""

    def fill(tensor, generator=None):
        with torch.no_grad():
            return tensor.copy_(numbers(tensor.shape, generator) * tensor.shape[1] ** power)

    return fill


def uniform(shape, generator):
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def box_muller(shape, generator):
    u, v = uniform(shape, generator), uniform(shape, generator)
    return (-2 * torch.log1p(-u)).sqrt() * torch.cos(2 * math.pi * v)


def with_numpy(tensor):
    """Takes no generator at all."""
    with torch.no_grad():
        return tensor.copy_(torch.from_numpy(np.random.randn(*tensor.shape) / math.sqrt(tensor.shape[1])))  # noqa: NPY002


RIGHT = {
    "NumPy's global generator": with_numpy,
    "NumPy's own, with no seed": filler(lambda shape, _: torch.from_numpy(np.random.default_rng().normal(size=shape))),
    "float32 draws": filler(lambda shape, g: torch.randn(shape, generator=g)),
    "Box and Muller": filler(box_muller),
    "the inverse of erf": filler(lambda shape, g: torch.erfinv(2 * uniform(shape, g) - 1) * math.sqrt(2)),
}
WRONG = {
    "twice the variance": filler(lambda shape, g: box_muller(shape, g) * math.sqrt(2)),
    "the variance as the deviation": filler(box_muller, -1.0),
    "uniform": filler(lambda shape, g: (2 * uniform(shape, g) - 1) * math.sqrt(3)),
    "one column for all": filler(lambda shape, g: box_muller((shape[0], 1), g).expand(shape)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_how_it_draws_does_not_matter(name):
    for claim in (lecun, SAMPLED):
        found = verdict(claim, RIGHT[name])
        assert (found.verdict, found.reason) == ("holds", ""), claim.id


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_law_is_found_however_it_is_drawn(name):
    found = verdict(SAMPLED, WRONG[name])
    assert (found.verdict, found.failure) == ("fails", "wrong formula")


def test_the_fans_are_told_apart_where_the_draws_are_not_the_generators():
    def by_outputs(tensor):
        with torch.no_grad():
            return tensor.copy_(torch.from_numpy(np.random.randn(*tensor.shape)) / math.sqrt(tensor.shape[0]))  # noqa: NPY002

    assert verdict(lecun, by_outputs, structures=BUDGETS["quick"].structures).failure == "wrong formula"


def truncated(tensor, generator=None):
    """As Keras and JAX have it: cut at two deviations, with the variance made up for."""
    std = math.sqrt(1 / tensor.shape[1]) / 0.87962566103423978
    return torch.nn.init.trunc_normal_(tensor, 0, std, -2 * std, 2 * std, generator=generator)


def test_a_truncated_law_holds_where_it_is_said():
    board = Board("own.truncated", "1", "initialization.lecun_normal_", "inequality", "a truncated law")
    n, seed = board.size("n", 240, 256), board.hyper("seed", 0, 100, integer=True)
    mean, moment, apart, rows, columns, again = (board.let(word, (), 0) for word in ["a", "b", "c", "d", "e", "f"])
    odds = doubt(6 * 17 * 101)
    board.law(apart, "<=", (odds / (2 * n**2)) ** 0.5)
    for each in (mean, moment, rows, columns, again):
        board.law(each, "<=", (2 * (odds + n)) ** 0.5)
    drawn = board.call(blank(n, n), generator=seeded(seed)).drawn("truncated", n**-0.5)
    drawn.shows(mean, moment, apart, rows, columns, again)
    board.variant("another law", "normal", c=1)
    claim = board.claim()
    assert verdict(claim, truncated).verdict == "holds"
    assert verdict(claim, WRONG["uniform"]).verdict == "fails"
    assert verdict(lecun, truncated).verdict == "holds"  # which is about the variance alone


def test_the_process_keeps_its_generators():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    verdict(SAMPLED, with_numpy, structures=1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("law", LAWS)
def test_a_distance_is_that_of_the_empirical_distribution(law):
    """Where the sample is the law's own quantiles, it is half of what one number weighs."""
    shares = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    low, high = torch.full_like(shares, -9.0), torch.full_like(shares, 9.0)
    for _ in range(80):
        middle = (low + high) / 2
        under = LAWS[law](middle) < shares
        low, high = torch.where(under, middle, low), torch.where(under, high, middle)
    assert distance(low, law).item() == pytest.approx(1 / 4000)
    assert distance(low + 1, law).item() > 1 / 4
    assert distance(low, law, coarse=0.1).item() < 1 / 4000


def test_rows_that_lie_apart_are_held_against_each_other():
    u = torch.tensor([[1.0, -1.0], [0.0, 0.0], [1.0, -1.0]])
    assert dependence(u).item() == pytest.approx(math.sqrt(2))
