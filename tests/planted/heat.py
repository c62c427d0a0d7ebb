"""Mistakes in the heat equation on graphs."""

from typing import Any

import torch
from torch import Tensor, nn

from planted import Planted
from planted.graph import Differences, Laplacian, laplacian_of, summed, weights


def twice_the_step(x, edge_index, h, edge_weight=None):
    return x - h * h * Differences()(x, edge_index, edge_weight)


def uphill(x, edge_index, h, edge_weight=None):
    return x + h * Differences()(x, edge_index, edge_weight)


def in_place(x, edge_index, h, edge_weight=None):
    w = weights(x, edge_index, edge_weight)
    nodes = list(x.unbind())
    for node in range(len(nodes)):
        edges = (edge_index[1] == node).nonzero().flatten().tolist()
        change = sum((w[e] * (nodes[node] - nodes[int(edge_index[0, e])]) for e in edges), torch.zeros_like(x[0]))
        nodes[node] = nodes[node] - h * change
    return torch.stack(nodes)


def clamped_step(x, edge_index, h, edge_weight=None):
    return (x - h * Differences()(x, edge_index, edge_weight)).clamp(x.min(), x.max())


def neighbours_mean(x, edge_index, h, edge_weight=None):
    w = weights(x, edge_index, edge_weight)
    d = summed(w, edge_index[1], len(x))
    return x - h * Differences()(x, edge_index, edge_weight) / torch.where(d > 0, d, 1)


def implicit(x, edge_index, h, edge_weight=None):
    whole = torch.eye(len(x)).to(x) + h * laplacian_of(x, edge_index, edge_weight)
    return torch.linalg.solve(whole, x)


def one_step_less(x, edge_index, h, steps, edge_weight=None):
    for _ in range(1, steps):
        x = x - h * Differences()(x, edge_index, edge_weight)
    return x


def slopes_of_the_start(x, edge_index, h, steps, edge_weight=None):
    return x - steps * h * Differences()(x, edge_index, edge_weight)


class ForgetsWeights(nn.Module):
    def __init__(self, h: float, steps: int = 1) -> None:
        super().__init__()
        self.h, self.steps = h, steps

    def forward(self, x, edge_index, edge_weight=None):
        for _ in range(self.steps):
            x = x - self.h * Differences()(x, edge_index)
        return x


class TotalTime(ForgetsWeights):
    def forward(self, x, edge_index, edge_weight=None):
        for _ in range(self.steps):
            x = x - self.h / self.steps * Differences()(x, edge_index, edge_weight)
        return x


def flow_uphill(x, edge_index, t, edge_weight=None):
    return torch.linalg.matrix_exp((t * laplacian_of(x, edge_index, edge_weight)).double()).to(x.dtype) @ x


def flow_by_symmetric_modes(x, edge_index, t, edge_weight=None):
    values, vectors = torch.linalg.eigh(laplacian_of(x, edge_index, edge_weight).double())
    return (vectors @ (torch.exp(-t * values) * (vectors.mT @ x.double()))).to(x.dtype)


def flow_of_the_walk(x, edge_index, t, edge_weight=None):
    plain = laplacian_of(x, edge_index, edge_weight).double()
    d = torch.diagonal(plain)
    return (torch.linalg.matrix_exp(-t * plain / torch.where(d > 0, d, 1)[:, None]) @ x.double()).to(x.dtype)


def flow_by_short_series(x, edge_index, t, edge_weight=None):
    plain = laplacian_of(x, edge_index, edge_weight)
    term = total = x
    for order in range(1, 8):
        term = -t / order * (plain @ term)
        total = total + term
    return total


def flow_by_many_steps(x, edge_index, t, edge_weight=None):
    plain = laplacian_of(x, edge_index, edge_weight)
    for _ in range(256):
        x = x - t / 256 * (plain @ x)
    return x


def flow_in_single(x, edge_index, t, edge_weight=None):
    plain = laplacian_of(x, edge_index, edge_weight).float()
    return (torch.linalg.matrix_exp(-t * plain) @ x.float()).to(x.dtype)


def flow_transposed(x, edge_index, t, edge_weight=None):
    return (torch.linalg.matrix_exp(-t * laplacian_of(x, edge_index, edge_weight).mT.double()) @ x.double()).to(x.dtype)


def spectrum(edge_index: Tensor, num_nodes: int, edge_weight: Tensor) -> Tensor:
    return torch.linalg.eigvalsh(Laplacian()(edge_index, num_nodes, edge_weight).double())


def one_over_the_top(edge_index, num_nodes, edge_weight):
    return (1 / spectrum(edge_index, num_nodes, edge_weight).amax()).to(edge_weight.dtype)


def averaging_bound(edge_index, num_nodes, edge_weight):
    return 1 / summed(edge_weight, edge_index[1], num_nodes).amax()


def second_in_place_of_last(edge_index, num_nodes, edge_weight):
    return (2 / spectrum(edge_index, num_nodes, edge_weight)[1]).to(edge_weight.dtype)


def normalised_bound(edge_index, num_nodes, edge_weight):
    return torch.ones_like(edge_weight[0])


PLANTED: tuple[Any, ...] = (
    Planted("step size applied twice", "graph.heat_step", twice_the_step),
    Planted("plus h L x", "graph.heat_step", uphill),
    Planted("nodes updated in place, one after another", "graph.heat_step", in_place),
    Planted("clamped to the range of x", "graph.heat_step", clamped_step),
    Planted("divided by the degrees", "graph.heat_step", neighbours_mean),
    Planted("backward Euler", "graph.heat_step", implicit),
    Planted("one step less", "graph.euler_heat", one_step_less),
    Planted("all slopes taken at the start", "graph.euler_heat", slopes_of_the_start),
    Planted("edge weights not handed on", "graph.HeatDiffusion", ForgetsWeights),
    Planted("h taken for the total time", "graph.HeatDiffusion", TotalTime),
    Planted("x' = +L x", "graph.heat_flow", flow_uphill),
    Planted("eigh on a matrix that need not be symmetric", "graph.heat_flow", flow_by_symmetric_modes),
    Planted("rows divided by the degrees", "graph.heat_flow", flow_of_the_walk),
    Planted("series broken off at order 7", "graph.heat_flow", flow_by_short_series),
    Planted("256 steps of Euler's method", "graph.heat_flow", flow_by_many_steps),
    Planted("matrix exponential in float32", "graph.heat_flow", flow_in_single),
    Planted("L transposed", "graph.heat_flow", flow_transposed),
    Planted("1 / top", "graph.stable_step", one_over_the_top),
    Planted("1 over the largest degree", "graph.stable_step", averaging_bound),
    Planted("the second eigenvalue in the place of the last", "graph.stable_step", second_in_place_of_last),
    Planted("the bound of the normalised Laplacian", "graph.stable_step", normalised_bound),
)
