"""Budgets are fair both ways: right programs that are organised differently hold, and half of a sum does not."""

import dataclasses
import functools

import pytest
import torch
import torch.nn.functional as F
import toy
from planted import lstm, normalization, optim

from gnomon.check.agreement import agreement
from gnomon.check.strategies import draw_examples
from gnomon.check.task import Compilations
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import compile_gradient
from gnomon.find import walk
from gnomon.reference import gan
from gnomon.say.claim import Form
from gnomon.say.evidence import Evidence


def evidence(row, subject, dtype="float64"):
    (claim,) = walk.select([row])
    blank = Evidence(row, claim.subject, "right", "cpu", dtype, "undecided")
    examples = draw_examples(claim, 6, seed_for(claim, 0))
    return judge(prepare(claim, subject, "right", dtype, "cpu"), examples, "quick", blank)


# ---------------------------------------------------------------- Laplacians


def parts(x, edge_index, edge_weight):
    weight = x.new_ones(edge_index.shape[1]) if edge_weight is None else edge_weight
    return weight.reshape(-1, *[1] * (x.ndim - 1)), edge_index[0], edge_index[1]


def dense(x, edge_index, edge_weight=None):
    weight, source, target = parts(x[..., :1].reshape(-1), edge_index, edge_weight)
    A = torch.zeros(len(x), len(x), dtype=x.dtype).index_put((target, source), weight, accumulate=True)
    return (torch.diag(A.sum(1)) - A) @ x


def by_degree(x, edge_index, edge_weight=None):
    weight, source, target = parts(x, edge_index, edge_weight)
    degree = torch.zeros_like(x[..., :1] if x.ndim > 1 else x).index_add(0, target, weight)
    return degree * x - torch.zeros_like(x).index_add(0, target, weight * x[source])


def by_incidence(x, edge_index, edge_weight=None):
    weight, source, target = parts(x, edge_index, edge_weight)
    one = functools.partial(F.one_hot, num_classes=len(x))
    ends = one(target).to(x.dtype)
    return ends.T @ (weight * ((ends - one(source).to(x.dtype)) @ x))


def sparse(x, edge_index, edge_weight=None):
    weight, source, target = parts(x[..., :1].reshape(-1), edge_index, edge_weight)
    A = torch.sparse_coo_tensor(torch.stack([target, source]), weight, (len(x), len(x)))
    columns = x if x.ndim > 1 else x[:, None]
    degree = A.to_dense().sum(1)[:, None]
    return (degree * columns - torch.sparse.mm(A, columns)).reshape(x.shape)


# ---------------------------------------------------------------- normalization


class ByDifference(normalization.Norm):
    def mixed(self, old, new, share):
        return old + share * (new - old)


class Lerp(normalization.Norm):
    def mixed(self, old, new, share):
        return torch.lerp(old, new, share)


class Library(normalization.Norm):
    def var(self, x, mean):
        return torch.var(x, self.over(x), correction=0, keepdim=True)


class Welford(normalization.Norm):
    """Mean and variance in one pass over the samples, updated by each one."""

    def statistics(self, x):
        if not self.by_batch():
            return super().statistics(x)
        mean, total = torch.zeros_like(x[:1]), torch.zeros_like(x[:1])
        for count, row in enumerate(x.split(1), 1):
            away = row - mean
            mean = mean + away / count
            total = total + away * (row - mean)
        self.track(x, mean, total / len(x))
        return mean, total / len(x)


# ---------------------------------------------------------------- optimizers and others


class ByLerp(optim.Loop):
    def average(self, state, g, betas):
        state["exp_avg"] = torch.lerp(state["exp_avg"], g, 1 - betas[0])
        state["exp_avg_sq"] = state["exp_avg_sq"].mul(betas[1]).addcmul(g, g, value=1 - betas[1])


class Folded(optim.Loop):
    """The corrections are folded into the rate and the root, as torch does."""

    def direction(self, state, g, c1, c2, eps):
        return state["exp_avg"] / (state["exp_avg_sq"].sqrt() / c2**0.5 + eps) / c1


class OneProduct(lstm.Cell):
    def pre(self, x, h):
        both = torch.cat([self.weight_ih, self.weight_hh], -1)
        s = torch.cat([x, h], -1) @ both.T
        return s + (self.bias_ih + self.bias_hh) if self.bias else s


RIGHT = {
    "dense": ("graph.difference_operator", dense),
    "dense, of an offset": ("graph.difference_operator.offset", dense),
    "dense, of parallel edges": ("graph.difference_operator.parallel", dense),
    "dense, of features": ("graph.difference_operator.features", dense),
    "by degree, of an offset": ("graph.difference_operator.offset", by_degree),
    "by degree, of features": ("graph.difference_operator.features", by_degree),
    "by incidence": ("graph.difference_operator", by_incidence),
    "by incidence, of an offset": ("graph.difference_operator.offset", by_incidence),
    "sparse, of an offset": ("graph.difference_operator.offset", sparse),
    "running averages by difference": ("bn.running", ByDifference),
    "plain averages by difference": ("bn.running.cumulative", ByDifference),
    "lerp": ("bn.running", Lerp),
    "plain averages by lerp": ("bn.running.cumulative", Lerp),
    "torch.var": ("bn.transform", Library),
    "Welford": ("bn.transform", Welford),
    "Welford's running averages": ("bn.running.cumulative", Welford),
    "Adam by lerp": ("optim.adam.update", ByLerp),
    "Adam's corrections folded": ("optim.adam.update", Folded),
    "Adam, foreach": ("optim.adam.update", functools.partial(torch.optim.Adam, foreach=True)),
    "one product for all gates": ("lstm.cell", OneProduct),
    "a quotient of densities": ("gan.optimal_discriminator", lambda p, q: p / (p + q)),
}


@pytest.mark.filterwarnings("ignore:Sparse invariant checks", "ignore:There is a performance drop")
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_organised_differently_holds(name):
    row, subject = RIGHT[name]
    found = evidence(row, subject, "float32")
    assert found.verdict == "holds", found


def half_of_the_edges(x, edge_index, edge_weight=None):
    return by_degree(x, edge_index, edge_weight) / 2


HALVES = {
    "half of a Laplacian": ("graph.difference_operator.offset", half_of_the_edges),
    "the data's half of the loss": (
        "gan.bce_likelihood",
        lambda real, fake, kind: gan._reduce(F.softplus(-real), kind),
    ),
    "the samples' half": ("gan.bce_likelihood", lambda real, fake, kind: gan._reduce(F.softplus(fake), kind)),
    "half of both": ("gan.bce_likelihood", lambda real, fake, kind: gan.discriminator_loss(real, fake, kind) / 2),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_of_a_sum_is_found(name):
    row, subject = HALVES[name]
    found = evidence(row, subject)
    assert (found.verdict, found.failure) == ("fails", "wrong formula"), found


# ---------------------------------------------------------------- forms

SQUARES = Form(
    "mean square less squared mean", ((toy.var, (toy.total(toy.x[toy.j] ** 2) - toy.N * toy.mean**2) / (toy.N - 1)),)
)
TWO_WAYS = dataclasses.replace(toy.VARIANCE, forms=(SQUARES,))


def test_the_budget_is_the_greatest_of_the_forms_for_values_and_for_gradients():
    one, both = (Compilations(claim)({"n": 2}) for claim in (toy.VARIANCE, TWO_WAYS))
    x = torch.tensor([[1000.0, 1001.0], [0.0, 1.0]], dtype=torch.float64)
    batch, cpu, ones = Batch({"x": x}, {}, (("given", 2),), 2), torch.device("cpu"), torch.ones(2, 1, dtype=x.dtype)
    for values in (True, False):
        (value, alone), (same, greatest) = (
            made.truth(batch, x.dtype, cpu) if values else compile_gradient(made).truth(batch, ones, x.dtype, cpu)
            for made in (one, both)
        )
        assert torch.equal(value, same)
        assert (greatest >= alone).all()
        assert (greatest[0] > 2 * alone[0]).all()


def test_a_form_is_held_against_the_program():
    (right,) = agreement(TWO_WAYS)
    assert right.ok
    assert right.points
    biased = Form("biased", toy.VARIANCE.variants[0].replace)
    (wrong,) = agreement(dataclasses.replace(toy.VARIANCE, forms=(biased,)))
    assert not wrong.ok
    assert "the form “biased”" in wrong.message
