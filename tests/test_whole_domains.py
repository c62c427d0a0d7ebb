"""A claim's program says the same on the whole of its domain: small probabilities, many nodes."""

import pytest
import torch

from gnomon.compute.batch import Batch
from gnomon.compute.compiled import compile_claim
from gnomon.find.walk import select
from gnomon.front.api import check_point

FEW = [1e-7, 1 - 1e-7]
EVEN = [0.5, 0.5]
FAINT = {"p": FEW, "q": EVEN}
GAME = {"d_real": [0.5, 0.5], "d_fake": [0.25, 0.25]}


@pytest.mark.parametrize(
    ("claim", "structure", "inputs"),
    [
        ("gan.kl_nonneg", {"n": 2}, FAINT),
        ("gan.kl_nonneg.value", {"n": 2}, FAINT),
        ("gan.kl_form", {"n": 2}, FAINT),
        ("gan.jsd_form", {"n": 2}, FAINT),
        ("gan.jsd_bounds.positive", {"n": 2}, FAINT),
        ("gan.support", {"n": 2}, FAINT | {"off": [0.25, 0.75]}),
        ("gan.criterion", {"n": 2}, FAINT | {"d": [0.25, 0.75]}),
        ("gan.criterion", {"n": 2}, {"p": EVEN, "q": FEW, "d": [0.25, 0.75]}),
        ("gan.theorem1", {"n": 2}, FAINT),
        ("gan.value_at_optimum", {"n": 2}, {"p": FEW}),
        ("gan.extremes", {"n": 2}, FAINT | {"l": [0.0, 1.0]}),
        ("gan.value.certain", {"n": 2, "m": 2}, FAINT | GAME),
    ],
)
def test_a_small_probability_counts(claim, structure, inputs):
    assert ": holds" in check_point(claim, structure, inputs)


def star(leaves):
    """An undirected star whose centre comes last."""
    nodes = range(leaves + 1)
    return [[int((i == leaves) != (j == leaves)) for j in nodes] for i in nodes]


@pytest.mark.parametrize("name", ["rw", "sym"])
@pytest.mark.parametrize("leaves", [3, 4, 7])
def test_a_node_may_have_its_only_neighbour_anywhere(name, leaves):
    n = leaves + 1
    (claim,) = select([f"graph.laplacian.{name}"])
    ones = Batch({"w": torch.ones(1, n, n, dtype=torch.float64)}, {}, (("given", 1),), 1)
    edges = torch.tensor(star(leaves), dtype=torch.float64)
    compiled = compile_claim(claim, {"n": n, "A": star(leaves)})
    value, bound = compiled.truth(ones, torch.float64, torch.device("cpu"))
    degrees = edges.sum(-1)
    plain = torch.diag(degrees) - edges
    by = degrees[:, None] if name == "rw" else (degrees[:, None] * degrees).sqrt()
    assert bool(((value.reshape(n, n) - plain / by).abs() <= bound.reshape(n, n)).all())
