"""Mistakes in degrees, Laplacians and energies of graphs."""

from typing import Any

import torch
from torch import Tensor

from planted import Planted


def weights(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    return torch.ones(edge_index.shape[1]).to(x) if edge_weight is None else edge_weight


def summed(values: Tensor, at: Tensor, size: int) -> Tensor:
    return values.new_zeros(size, *values.shape[1:]).index_add(0, at, values)


def matrix(edge_index: Tensor, size: int, weight: Tensor) -> Tensor:
    return weight.new_zeros(size, size).index_put((edge_index[1], edge_index[0]), weight, accumulate=True)


def laplacian_of(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    dense = matrix(edge_index, len(x), weights(x, edge_index, edge_weight))
    return torch.diag(dense.sum(1)) - dense


# ------------------------------------------------------------------ degrees and matrices


def ones(edge_index: Tensor, edge_weight: Tensor | None, dtype: torch.dtype | None) -> Tensor:
    return torch.ones(edge_index.shape[1], dtype=dtype) if edge_weight is None else edge_weight


def out_degree(edge_index, num_nodes, edge_weight=None, dtype=None):
    return summed(ones(edge_index, edge_weight, dtype), edge_index[0], num_nodes)


def bincount(edge_index, num_nodes, edge_weight=None, dtype=None):
    dtype = dtype if edge_weight is None else edge_weight.dtype
    return torch.bincount(edge_index[1], minlength=num_nodes).to(dtype)


def loops_twice(edge_index, num_nodes, edge_weight=None, dtype=None):
    edge_weight = ones(edge_index, edge_weight, dtype)
    both = torch.where(edge_index[0] == edge_index[1], 2 * edge_weight, edge_weight)
    return summed(both, edge_index[1], num_nodes)


def never_isolated(edge_index, num_nodes, edge_weight=None, dtype=None):
    edge_weight = ones(edge_index, edge_weight, dtype)
    return summed(edge_weight, edge_index[1], num_nodes).clamp(min=1)


def largest_weight(edge_index, num_nodes, edge_weight=None, dtype=None):
    edge_weight = ones(edge_index, edge_weight, dtype)
    zeros = edge_weight.new_zeros(num_nodes)
    return zeros.scatter_reduce(0, edge_index[1], edge_weight, "amax")


def as_long_as_nodes_named(edge_index, num_nodes, edge_weight=None, dtype=None):
    edge_weight = ones(edge_index, edge_weight, dtype)
    found = summed(edge_weight, edge_index[1], num_nodes)
    last = int(edge_index.max()) + 1 if edge_index.numel() else 0
    return torch.cat([found[:last], found.new_zeros(num_nodes - last)])[: max(last, 1)]


def assigned(edge_index, num_nodes, edge_weight):
    zeros = edge_weight.new_zeros(num_nodes, num_nodes)
    return zeros.index_put((edge_index[1], edge_index[0]), edge_weight)


def transposed(edge_index, num_nodes, edge_weight):
    return matrix(edge_index, num_nodes, edge_weight).mT


def symmetrised(edge_index, num_nodes, edge_weight):
    dense = matrix(edge_index, num_nodes, edge_weight)
    return (dense + dense.mT) / 2


class Laplacian:
    """A right dense Laplacian, of which each bug replaces one part."""

    def __call__(self, edge_index, num_nodes, edge_weight, normalization=None):
        dense = self.adjacency(edge_index, num_nodes, edge_weight)
        d = self.degree(dense)
        plain = self.minus(d, dense)
        if normalization is None:
            return plain
        return self.sym(plain, d) if normalization == "sym" else self.rw(plain, d)

    def adjacency(self, edge_index, num_nodes, edge_weight):
        return matrix(edge_index, num_nodes, edge_weight)

    def degree(self, dense):
        return dense.sum(1)

    def minus(self, d, dense):
        return torch.diag(d) - dense

    def power(self, d, exponent):
        return torch.where(d > 0, d.clamp(min=torch.finfo(d.dtype).tiny) ** exponent, 0)

    def sym(self, plain, d):
        return self.power(d, -0.5)[:, None] * plain * self.power(d, -0.5)

    def rw(self, plain, d):
        return self.power(d, -1)[:, None] * plain


class WrongSign(Laplacian):
    def minus(self, d, dense):
        return dense - torch.diag(d)


class ColumnSums(Laplacian):
    def degree(self, dense):
        return dense.sum(0)


class LoopsRemovedFromOneSide(Laplacian):
    def minus(self, d, dense):
        return torch.diag(d) - (dense - torch.diag(torch.diagonal(dense)))


class FourthRoot(Laplacian):
    def sym(self, plain, d):
        return self.power(d, -0.25)[:, None] * plain * self.power(d, -0.25)


class IsolatedNan(Laplacian):
    def power(self, d, exponent):
        return d**exponent


class PaddedDegree(Laplacian):
    def power(self, d, exponent):
        return torch.where(d > 0, (d + 1e-8) ** exponent, 0)


class ColumnsForRows(Laplacian):
    def rw(self, plain, d):
        return plain * self.power(d, -1)


class OneForIsolated(Laplacian):
    def sym(self, plain, d):
        scaled = super().sym(plain, d)
        return scaled + torch.diag((d == 0).to(d.dtype))


class DegreesDetached(Laplacian):
    def power(self, d, exponent):
        return super().power(d.detach(), exponent)


# ------------------------------------------------------------------ differences and energy


class Differences:
    """A right difference operator, of which each bug replaces one part."""

    def __call__(self, x, edge_index, edge_weight=None):
        target, source = self.ends(edge_index)
        w = self.weight(weights(x, edge_index, edge_weight))
        w = w.reshape(-1, *[1] * (x.ndim - 1))
        return self.gather(w * self.difference(x[target], x[source]), target, x)

    def ends(self, edge_index):
        return edge_index[1], edge_index[0]

    def weight(self, w):
        return w

    def difference(self, here, there):
        return here - there

    def gather(self, values, target, x):
        return summed(values, target, len(x))


class OtherWay(Differences):
    def ends(self, edge_index):
        return edge_index[0], edge_index[1]


class Unweighted(Differences):
    def weight(self, w):
        return torch.ones_like(w)


class Single(Differences):
    def difference(self, here, there):
        return (here.float() - there.float()).to(here.dtype)


class OtherSign(Differences):
    def difference(self, here, there):
        return there - here


class MeanOfEdges(Differences):
    def gather(self, values, target, x):
        count = summed(torch.ones_like(values), target, len(x))
        return summed(values, target, len(x)) / count.clamp(min=1)


class LastEdge(Differences):
    def gather(self, values, target, x):
        return torch.zeros_like(x).index_put((target,), values)


class FirstFeature(Differences):
    def difference(self, here, there):
        return here - (there if there.ndim == 1 else there[:, :1])


def no_loops_in_degree(x, edge_index, edge_weight=None):
    w = weights(x, edge_index, edge_weight)
    d = summed(torch.where(edge_index[0] == edge_index[1], 0, w), edge_index[1], len(x))
    shape = (-1, *[1] * (x.ndim - 1))
    return d.reshape(shape) * x - summed(w.reshape(shape) * x[edge_index[0]], edge_index[1], len(x))


def squares(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    difference = x[edge_index[1]] - x[edge_index[0]]
    return weights(x, edge_index, edge_weight).reshape(-1, *[1] * (x.ndim - 1)) * difference.square()


def energy_without_half(x, edge_index, edge_weight=None):
    return squares(x, edge_index, edge_weight).sum() / 2


def energy_of_each_edge_once(x, edge_index, edge_weight=None):
    once = (edge_index[0] < edge_index[1]).to(x).reshape(-1, *[1] * (x.ndim - 1))
    return (once * squares(x, edge_index, edge_weight)).sum() / 4


def mean_energy(x, edge_index, edge_weight=None):
    return squares(x, edge_index, edge_weight).sum() / (4 * x.shape[-1] if x.ndim == 2 else 4)


def energy_without_weights(x, edge_index, edge_weight=None):
    return squares(x, edge_index, None).sum() / 4


def energy_with_detached_neighbours(x, edge_index, edge_weight=None):
    difference = x[edge_index[1]] - x[edge_index[0]].detach()
    w = weights(x, edge_index, edge_weight).reshape(-1, *[1] * (x.ndim - 1))
    return (w * difference.square()).sum() / 4


def energy_by_expansion(x, edge_index, edge_weight=None):
    shape = (-1, *[1] * (x.ndim - 1))
    w = weights(x, edge_index, edge_weight).reshape(shape)
    here, there = x[edge_index[1]], x[edge_index[0]]
    return (w * (here.square() - 2 * here * there + there.square())).sum() / 4


PLANTED: tuple[Any, ...] = (
    Planted("in- and out-degree exchanged", "graph.degree", out_degree),
    Planted("neighbours counted, weights ignored", "graph.degree", bincount),
    Planted("a self loop counted twice", "graph.degree", loops_twice),
    Planted("degrees below 1 raised to 1", "graph.degree", never_isolated),
    Planted("the largest weight in the place of the sum", "graph.degree", largest_weight),
    Planted("nodes after the last edge forgotten", "graph.degree", as_long_as_nodes_named),
    Planted("parallel edges dropped", "graph.adjacency", assigned),
    Planted("rows and columns exchanged", "graph.adjacency", transposed),
    Planted("one-way edges made two-way", "graph.adjacency", symmetrised),
    Planted("A - D", "graph.laplacian", WrongSign()),
    Planted("degrees from columns", "graph.laplacian", ColumnSums()),
    Planted("self loops left in D alone", "graph.laplacian", LoopsRemovedFromOneSide()),
    Planted("exponent -1/4", "graph.laplacian", FourthRoot()),
    Planted("NaN at isolated nodes", "graph.laplacian", IsolatedNan()),
    Planted("1e-8 added to the degrees", "graph.laplacian", PaddedDegree()),
    Planted("columns divided in the place of rows", "graph.laplacian", ColumnsForRows()),
    Planted("a 1 on the diagonal of isolated nodes", "graph.laplacian", OneForIsolated()),
    Planted("degrees detached from the graph of autograd", "graph.laplacian", DegreesDetached()),
    Planted("edge_index transposed", "graph.laplacian_apply", OtherWay()),
    Planted("edge weights ignored", "graph.laplacian_apply", Unweighted()),
    Planted("float32 inside", "graph.laplacian_apply", Single()),
    Planted("neighbour minus node", "graph.laplacian_apply", OtherSign()),
    Planted("mean in the place of the sum", "graph.laplacian_apply", MeanOfEdges()),
    Planted("the last edge of a node alone", "graph.laplacian_apply", LastEdge()),
    Planted("the neighbour's first feature for all", "graph.laplacian_apply", FirstFeature()),
    Planted("self loops in A but not in D", "graph.laplacian_apply", no_loops_in_degree),
    Planted("energy without its half", "graph.dirichlet_energy", energy_without_half),
    Planted("each edge once, still over 4", "graph.dirichlet_energy", energy_of_each_edge_once),
    Planted("features averaged", "graph.dirichlet_energy", mean_energy),
    Planted("weights ignored", "graph.dirichlet_energy", energy_without_weights),
    Planted("neighbours detached", "graph.dirichlet_energy", energy_with_detached_neighbours),
    Planted("squares multiplied out: cancellation", "graph.dirichlet_energy", energy_by_expansion),
)
