"""Graphs and heat in other forms: dense, sparse, by incidence, by scattering, by eigenvectors."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gnomon.reference.graph import HeatDiffusion
from right import Right


def wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def weights(edges: Tensor, given: Tensor | None, like: Any = None) -> Tensor:
    return torch.ones(edges.shape[1], dtype=like) if given is None else given


def dense(edges: Tensor, n: int, weight: Tensor) -> Tensor:
    source, target = (F.one_hot(end, n).to(weight.dtype) for end in edges)
    return torch.einsum("et,e,es->ts", target, weight, source)


def columns(x: Tensor) -> Tensor:
    return x if x.ndim > 1 else x[:, None]


def apply_dense(x: Tensor, edges: Tensor, weight: Tensor | None = None) -> Tensor:
    A = dense(edges, len(x), weights(edges, weight, x.dtype))
    return (torch.diag(A.sum(1)) - A) @ x


def apply_by_degree(x: Tensor, edges: Tensor, weight: Tensor | None = None) -> Tensor:
    A = dense(edges, len(x), weights(edges, weight, x.dtype))
    return (A.sum(1)[:, None] * columns(x) - A @ columns(x)).reshape(x.shape)


def apply_by_incidence(x: Tensor, edges: Tensor, weight: Tensor | None = None) -> Tensor:
    source, target = (F.one_hot(end, len(x)).to(x.dtype) for end in edges)
    moved = weights(edges, weight, x.dtype)[:, None] * ((target - source) @ columns(x))
    return (target.T @ moved).reshape(x.shape)


def apply_by_scatter(x: Tensor, edges: Tensor, weight: Tensor | None = None) -> Tensor:
    source, target = edges
    moved = weights(edges, weight, x.dtype)[:, None] * (columns(x)[target] - columns(x)[source])
    into = target[:, None].expand(-1, moved.shape[1])
    return torch.zeros_like(columns(x)).scatter_add(0, into, moved).reshape(x.shape)


def degree_by_one_hot(edges: Tensor, n: int, weight: Tensor | None = None, *, dtype: Any = None) -> Tensor:
    weight = weights(edges, weight, dtype)
    return (weight @ F.one_hot(edges[1], n).to(weight.dtype)).to(dtype or weight.dtype)


def degree_by_rows(edges: Tensor, n: int, weight: Tensor | None = None, *, dtype: Any = None) -> Tensor:
    return dense(edges, n, weights(edges, weight, dtype)).sum(1).to(dtype or weights(edges, weight, dtype).dtype)


def adjacency_by_one_hot(edges: Tensor, n: int, weight: Tensor | None = None, *, dtype: Any = None) -> Tensor:
    return dense(edges, n, weights(edges, weight, dtype))


def adjacency_flat(edges: Tensor, n: int, weight: Tensor | None = None, *, dtype: Any = None) -> Tensor:
    weight = weights(edges, weight, dtype)
    return weight.new_zeros(n * n).index_add(0, edges[1] * n + edges[0], weight).reshape(n, n)


def laplacian_of_matrix(
    edges: Tensor, n: int, weight: Tensor | None = None, *, normalization: str | None = None, dtype: Any = None
) -> Tensor:
    """D - A without its diagonal, divided by rows and columns."""
    A = dense(edges, n, weights(edges, weight, dtype))
    degree = A.sum(1)
    off = A * (1 - torch.eye(n, dtype=A.dtype))
    L = torch.diag(off.sum(1)) - off
    if normalization is None:
        return L
    alive = degree != 0
    inverse = torch.where(alive, 1 / torch.where(alive, degree, 1), 0)
    if normalization == "rw":
        return inverse[:, None] * L
    root = torch.where(alive, torch.where(alive, degree, 1).rsqrt(), 0)
    return root[:, None] * L * root


def energy_by_edges(x: Tensor, edges: Tensor, weight: Tensor | None = None) -> Tensor:
    apart = wide(columns(x))[edges[1]] - wide(columns(x))[edges[0]]  # float16 has no square of 256
    return (torch.einsum("e,ef,ef->", wide(weights(edges, weight, x.dtype)), apart, apart) / 4).to(x.dtype)


def energy_by_pairs(x: Tensor, edges: Tensor, weight: Tensor | None = None) -> Tensor:
    """A_ij |x_i - x_j|² over all pairs."""
    apart = wide(columns(x))[:, None] - wide(columns(x))
    A = dense(edges, len(x), wide(weights(edges, weight, x.dtype)))
    return ((A * apart.square().sum(-1)).sum() / 4).to(x.dtype)


def step_by_matrix(x: Tensor, edges: Tensor, h: Any, weight: Tensor | None = None) -> Tensor:
    return x - h * apply_dense(x, edges, weight)


def step_by_average(x: Tensor, edges: Tensor, h: Any, weight: Tensor | None = None) -> Tensor:
    return x + h * apply_by_scatter(-x, edges, weight)


def steps_in_loop(x: Tensor, edges: Tensor, h: Any, steps: int, weight: Tensor | None = None) -> Tensor:
    state = wide(x)
    for _ in range(steps):
        state = state - h * apply_by_scatter(state, edges, None if weight is None else wide(weight))
    return state.to(x.dtype)


class Layer(HeatDiffusion):
    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        return steps_in_loop(x, edge_index, self.h, self.steps, edge_weight)


def greatest_by_norm(edges: Tensor, n: int, weight: Tensor | None = None) -> Tensor:
    """Of a symmetric matrix the greatest eigenvalue of either sign is the greatest singular one."""
    weight = weights(edges, weight)
    A = dense(edges, n, weight.double())
    return (2 / torch.linalg.matrix_norm(torch.diag(A.sum(1)) - A, 2)).to(weight.dtype)


RIGHT = (
    Right("dense", "(D - A) x", "graph.laplacian_apply", apply_dense),
    Right("dense, by degree", "D x - A x", "graph.laplacian_apply", apply_by_degree),
    Right("incidence", "differences along edges, added up", "graph.laplacian_apply", apply_by_incidence),
    Right("scatter_add", "differences along edges, added up", "graph.laplacian_apply", apply_by_scatter),
    Right("one-hot", "a product with [target = i]", "graph.degree", degree_by_one_hot),
    Right("rows of the matrix", "the definition", "graph.degree", degree_by_rows),
    Right("one-hot", "Σ of outer products", "graph.adjacency", adjacency_by_one_hot),
    Right("flat index_add", "entries as i n + j", "graph.adjacency", adjacency_flat),
    Right("a matrix without its diagonal", "loops cancel in D - A", "graph.laplacian", laplacian_of_matrix),
    Right("einsum over edges", "the definition", "graph.dirichlet_energy", energy_by_edges),
    Right("all pairs", "the definition", "graph.dirichlet_energy", energy_by_pairs),
    Right("a dense matrix", "x - h (D - A) x", "graph.heat_step", step_by_matrix),
    Right("scatter_add", "x + h L(-x)", "graph.heat_step", step_by_average),
    Right("a loop", "the definition", "graph.euler_heat", steps_in_loop),
    Right("a loop", "the definition", "graph.HeatDiffusion", Layer),
    Right("the spectral norm", "symmetric and not negative", "graph.stable_step", greatest_by_norm),
)
