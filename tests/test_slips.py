"""The classic slips are named: each one, planted in a program that is right otherwise, is told by its name."""

import pytest
import torch
from judged import judged
from planted import adjoint, graph, lstm, momentum, normalization, ode, optim

from gnomon.reference.ode import rk_step


class Multiplied(optim.Loop):
    def corrections(self, t, betas):
        return tuple(1 / correction for correction in super().corrections(t, betas))


class Squared(optim.Loop):
    def direction(self, state, g, c1, c2, eps):
        return (state["exp_avg"] / c1) / (state["exp_avg_sq"] / c2 + eps) ** 2


class SquaredNorm(normalization.Norm):
    def root(self, var):
        return (var + self.eps) ** 2


class Ball(momentum.Loop):
    """A heavy ball: the velocity in the buffer's place."""

    def one(self, p, d, state, group):
        old = state.get("momentum_buffer", torch.zeros_like(d))
        state["momentum_buffer"] = group["momentum"] * old - group["lr"] * d
        p += state["momentum_buffer"]


class AddsTheCandidate(lstm.Cell):
    def update(self, s, h, c):
        i, f, g, o = s.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() + g.tanh()
        return o.sigmoid() * c.tanh(), c


class AddsTheForgetGate(lstm.Cell):
    def update(self, s, h, c):
        i, f, g, o = s.chunk(4, -1)
        c = f.sigmoid() + c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class MinusTheGradient(adjoint.Adjoint):
    def back(self, *given):
        by_time, a, totals = super().back(*given)
        return by_time, -a, totals


def loops_in_the_adjacency_alone(edge_index, num_nodes, edge_weight=None, normalization=None):
    weight = torch.ones(edge_index.shape[1]) if edge_weight is None else edge_weight
    apart = torch.where(edge_index[0] == edge_index[1], 0, weight)
    degree = weight.new_zeros(num_nodes).index_add(0, edge_index[1], apart)
    return torch.diag(degree) - weight.new_zeros(num_nodes, num_nodes).index_put(
        (edge_index[1], edge_index[0]), weight, accumulate=True
    )


def error_without_the_step(f, t, h, y, *more):
    y1, error, slope = rk_step(f, t, h, y, *more)
    return y1, error / h, slope


K4_FROM_K2 = ode.EXACT["rk4"]._replace(a=((), (0.5,), (0.0, 0.5), (0.0, 1.0, 0.0)))
LEFT_OUT = "self loops left out of the degree"
SLIPS = {
    "multiplied by the corrections": ("optim.adam.update", Multiplied),
    "square in the place of the root": ("optim.adam.update", Squared),
    "square in the place of the root, of a variance": ("bn.transform", SquaredNorm),
    "a heavy ball": ("optim.momentum.update", Ball),
    "k4 from k2": ("solver.rk4", ode.Solver(rk4=K4_FROM_K2)),
    "the time stays where the step begins": ("solver.rk4", ode.TimeStaysAtTheStart()),
    "without the step": ("solver.dopri.pair.error", error_without_the_step),
    "the other sign": ("adjoint.initial_gradient", MinusTheGradient()),
    "input gate added": ("lstm.cell", AddsTheCandidate),
    "forget gate added": ("lstm.cell", AddsTheForgetGate),
    LEFT_OUT: ("graph.laplacian", loops_in_the_adjacency_alone),
    f"{LEFT_OUT}, in a product": ("graph.difference_operator", graph.no_loops_in_degree),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_by_its_name(slip):
    row, subject = SLIPS[slip]
    found = judged(row, subject)
    assert found.variant == slip.partition(",")[0], found
