"""Graphs: degree, adjacency, Laplacian, and the heat equation on them (notes, sections 4.6.1 and 4.6.2).

As in PyTorch Geometric, column e of ``edge_index`` (2, E) is an edge from node j = ``edge_index[0, e]`` to
node i = ``edge_index[1, e]``, and an undirected edge is listed both ways. A_ij is the weight of the edge from
j to i (1 without ``edge_weight``), or the sum of them where there are several.

Sums are taken in float32 at least and then rounded; all functions run under ``torch.func.vmap``. A node out
of range raises ``ValueError`` where looking is cheap: on the CPU, but not under ``vmap`` or compiled. On a
GPU the order of summation varies, unless ``torch.use_deterministic_algorithms`` is on.
"""

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = [
    "HeatDiffusion",
    "adjacency",
    "degree",
    "dirichlet_energy",
    "euler_heat",
    "heat_flow",
    "heat_step",
    "laplacian",
    "laplacian_apply",
    "stable_step",
]


def degree(
    edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None = None, *, dtype: torch.dtype | None = None
) -> Tensor:
    r"""The total weight that arrives at each node, 0 at an isolated one; a self loop counts once.

    .. math:: d_i = \sum_j A_{ij}

    Shapes: ``edge_index`` (2, E), ``edge_weight`` (E,) to (N,), in ``dtype`` or that of the weights.
    Raises ``ValueError`` for an ``edge_index`` or ``edge_weight`` of another shape or dtype, or a node out
    of range.
    Source: Chung (1997), Spectral Graph Theory, section 1.4; notes, section 4.6.1 (there without weights).

    >>> degree(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), 3)
    tensor([1., 2., 1.])
    """
    weight, dtype = _weights(edge_index, num_nodes, edge_weight, dtype)
    return weight.new_zeros(num_nodes).index_add(0, edge_index[1], weight).to(dtype)


def adjacency(
    edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None = None, *, dtype: torch.dtype | None = None
) -> Tensor:
    r"""The dense adjacency matrix: A_ij is the weight of the edge from j to i.

    .. math:: A_{ij} = \sum_{e:\ j \to i} w_e

    Shapes: ``edge_index`` (2, E), ``edge_weight`` (E,) to (N, N), in ``dtype`` or that of the weights.
    Raises ``ValueError`` as ``degree``.
    Source: Chung (1997), Spectral Graph Theory, section 1.4; notes, section 4.6.1.

    >>> adjacency(torch.tensor([[0], [1]]), 2, torch.tensor([0.5]))
    tensor([[0.0000, 0.0000],
            [0.5000, 0.0000]])
    """
    weight, dtype = _weights(edge_index, num_nodes, edge_weight, dtype)
    source, target = edge_index
    zeros = weight.new_zeros(num_nodes, num_nodes)
    return zeros.index_put((target, source), weight, accumulate=True).to(dtype)


def laplacian(
    edge_index: Tensor,
    num_nodes: int,
    edge_weight: Tensor | None = None,
    *,
    normalization: Literal["sym", "rw"] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""The dense graph Laplacian.

    .. math:: L = D - A, \qquad L_{\text{sym}} = D^{-1/2} L D^{-1/2}, \qquad L_{\text{rw}} = D^{-1} L

    with 1/d := 0 where d = 0: the row of an isolated node is 0 in all three (in PyTorch Geometric it has a 1
    on the diagonal). Self loops cancel in D - A, exactly, but count in the D that normalizes. ``"sym"`` is
    meant for undirected graphs; where a degree is negative it is nan.

    Shapes: ``edge_index`` (2, E), ``edge_weight`` (E,) to (N, N), in ``dtype`` or that of the weights.
    Raises ``ValueError`` as ``degree`` and for an unknown normalization.
    Source: Chung (1997), Spectral Graph Theory, section 1.2; notes, section 4.6.1.

    >>> laplacian(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), 3)
    tensor([[ 1., -1.,  0.],
            [-1.,  2., -1.],
            [ 0., -1.,  1.]])
    """
    if normalization not in (None, "sym", "rw"):
        raise ValueError(f'normalization must be None, "sym" or "rw", got {normalization!r}')
    edge_index = edge_index.to(device)
    edge_weight = None if edge_weight is None else edge_weight.to(device)
    weight, dtype = _weights(edge_index, num_nodes, edge_weight, dtype)
    others = torch.where(edge_index[0] == edge_index[1], 0, weight)
    rest, edges = degree(edge_index, num_nodes, others), adjacency(edge_index, num_nodes, others)
    if normalization is not None:
        d = degree(edge_index, num_nodes, weight)
        alive = d != 0
        d = torch.where(alive, d, 1)
        # The product of two roots keeps L_sym symmetric to the last bit; d / d is exactly 1.
        if normalization == "sym":
            edges = torch.where(alive, edges / (d.sqrt()[:, None] * d.sqrt()), 0)
        else:
            edges = edges / d[:, None]
        edges, rest = torch.where(alive[:, None], edges, 0), torch.where(alive, rest / d, 0)
    return (torch.diag(rest) - edges).to(dtype)


def laplacian_apply(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
    r"""The Laplacian as a difference operator, without the matrix; a constant gives exactly 0.

    .. math:: y_i = (L x)_i = \sum_j A_{ij} (x_i - x_j)

    Shapes: ``x`` (N,) or (N, F), ``edge_index`` (2, E), ``edge_weight`` (E,) to the likes of ``x``.
    Raises ``ValueError`` as ``degree``, and for an ``x`` that is not floating-point, (N,) or (N, F).
    Source: notes, section 4.6.1 (there without weights).

    >>> laplacian_apply(torch.tensor([1.0, 0.0, 3.0]), torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
    tensor([ 1., -4.,  3.])
    """
    wide, difference, weight = _differences(x, edge_index, edge_weight)
    return torch.zeros_like(wide).index_add(0, edge_index[1], weight * difference).to(x.dtype)


def dirichlet_energy(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
    r"""How much x varies along the edges; for a symmetric A its gradient is L x.

    .. math:: E(x) = \frac14 \sum_{i,j} A_{ij} |x_i - x_j|^2 = \frac12 x^T L x \quad \text{if } A = A^T

    The first form is computed: an undirected edge, listed twice, counts one half. Features add up.

    Shapes: ``x`` (N,) or (N, F), ``edge_index`` (2, E), ``edge_weight`` (E,) to a scalar.
    Raises ``ValueError`` as ``laplacian_apply``.
    Source: Chung (1997), Spectral Graph Theory, section 1.2; notes, section 4.6.2.

    >>> dirichlet_energy(torch.tensor([1.0, 0.0, 3.0]), torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
    tensor(5.)
    """
    _, difference, weight = _differences(x, edge_index, edge_weight)
    return ((weight * difference.square()).sum() / 4).to(x.dtype)


def heat_step(x: Tensor, edge_index: Tensor, h: Tensor | float, edge_weight: Tensor | None = None) -> Tensor:
    r"""One step of Euler's method for the heat equation: a step of gradient descent on the Dirichlet energy.

    .. math:: x' = x - h L x

    Shapes: as ``laplacian_apply``; ``h`` is a scalar.
    Raises ``ValueError`` as ``laplacian_apply``.
    Source: notes, section 4.6.2.

    >>> heat_step(torch.tensor([1.0, 0.0]), torch.tensor([[0, 1], [1, 0]]), 0.5)
    tensor([0.5000, 0.5000])
    """
    wide, difference, weight = _differences(x, edge_index, edge_weight)
    return (wide - h * torch.zeros_like(wide).index_add(0, edge_index[1], weight * difference)).to(x.dtype)


def euler_heat(
    x: Tensor, edge_index: Tensor, h: Tensor | float, steps: int, edge_weight: Tensor | None = None
) -> Tensor:
    r"""Euler's method for the heat equation, rounded to the dtype of ``x`` once, at the end.

    .. math:: x_n = (I - h L)^n x_0

    Shapes: as ``heat_step``.
    Raises ``ValueError`` as ``heat_step`` and for a negative number of steps.
    Source: notes, section 4.6.2.

    >>> euler_heat(torch.tensor([1.0, 0.0]), torch.tensor([[0, 1], [1, 0]]), 0.25, 2)
    tensor([0.6250, 0.3750])
    """
    if steps < 0:
        raise ValueError(f"steps must not be negative, got {steps}")
    state = x.to(torch.promote_types(x.dtype, torch.float32))
    for _ in range(steps):
        state = heat_step(state, edge_index, h, edge_weight)
    return state.to(x.dtype)


def heat_flow(x: Tensor, edge_index: Tensor, t: Tensor | float, edge_weight: Tensor | None = None) -> Tensor:
    r"""The exact solution of the heat equation, for directed graphs too.

    .. math:: \dot x = -L x, \qquad x(t) = e^{-L t} x_0

    In float64 by ``torch.linalg.matrix_exp``, O(N³). Its squarings make the row sums, which are 1, drift by
    about eps ‖Lt‖, and nothing damps that; so it is taken out again, in proportion to the entries. Meant for
    ‖Lt‖ below 1 / eps.

    Shapes: as ``laplacian_apply``; ``t`` is a scalar.
    Raises ``ValueError`` as ``laplacian_apply``.
    Source: Kondor & Lafferty (2002), Diffusion kernels on graphs, section 3; notes, section 4.6.2.

    >>> heat_flow(torch.tensor([1.0, 0.0]), torch.tensor([[0, 1], [1, 0]]), 0.5)
    tensor([0.6839, 0.3161])
    """
    _check_signal(x)
    matrix = laplacian(edge_index, len(x), edge_weight, dtype=torch.float64)
    # Two copies: of a single matrix with 3e-4 < ‖Lt‖ < 0.05 torch errs by up to some 1e-11, from a
    # wrong coefficient (github.com/pytorch/pytorch/issues/196592); of several it takes another polynomial.
    flow: Tensor = torch.linalg.matrix_exp((-t * matrix).expand(2, -1, -1))[0]
    mass = flow.abs()
    flow = flow + mass * ((1 - flow.sum(-1, keepdim=True)) / mass.sum(-1, keepdim=True))
    return (flow @ x.double()).to(x.dtype)


def stable_step(edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None = None) -> Tensor:
    r"""The step size of ``heat_step`` beyond which some signal grows; infinite without edges.

    .. math:: h_{\max} = 2 / \lambda_{\max}(L)

    for an undirected graph without negative weights. Steps up to 1 / max d also keep x between its extremes.

    Shapes: ``edge_index`` (2, E), ``edge_weight`` (E,) to a scalar of its dtype, or the default.
    Raises ``ValueError`` as ``degree`` and if A is not symmetric, wherever ``vmap`` lets one look.
    Source: notes, section 4.6.2.

    >>> stable_step(torch.tensor([[0, 1], [1, 0]]), 2)
    tensor(1.)
    """
    matrix = laplacian(edge_index, num_nodes, edge_weight, dtype=torch.float64)
    if not _holds((matrix == matrix.mT).all()):
        raise ValueError("stable_step needs an undirected graph: list every edge both ways, with one weight")
    dtype = torch.get_default_dtype() if edge_weight is None else edge_weight.dtype
    top: Tensor = torch.linalg.eigvalsh(matrix).amax().abs()
    return (2 / top).to(dtype)


class HeatDiffusion(nn.Module):
    r"""Heat diffusion on a graph by Euler steps of size h: ``euler_heat`` as a layer without parameters.

    .. math:: x_n = (I - h L)^n x_0

    Shapes: as ``heat_step``.
    Raises ``ValueError`` as ``euler_heat``, and for a step size that is not positive.
    Source: notes, section 4.6.2.

    >>> HeatDiffusion(h=0.25, steps=2)
    HeatDiffusion(h=0.25, steps=2)
    """

    def __init__(self, h: float, steps: int = 1) -> None:
        super().__init__()
        if not h > 0:
            raise ValueError(f"Invalid step size: {h}; it must be positive")
        if steps < 0:
            raise ValueError(f"Invalid number of steps: {steps}; it must not be negative")
        self.h = h
        self.steps = steps

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        return euler_heat(x, edge_index, self.h, self.steps, edge_weight)

    def extra_repr(self) -> str:
        return f"h={self.h}, steps={self.steps}"


def _holds(condition: Tensor) -> bool:
    """Whether it is true, or cannot be known: under ``torch.func.vmap`` one tensor stands for many."""
    try:
        return bool(condition)
    except RuntimeError:
        return True


def _check(edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None) -> None:
    if edge_index.ndim != 2 or edge_index.shape[0] != 2 or edge_index.dtype != torch.int64:
        got = f"{edge_index.dtype} of shape {tuple(edge_index.shape)}"
        raise ValueError(f"edge_index must be int64 of shape (2, E), sources above targets; got {got}")
    edges = edge_index.shape[1:]
    if edge_weight is not None and (edge_weight.shape != edges or not edge_weight.is_floating_point()):
        got = f"{edge_weight.dtype} of shape {tuple(edge_weight.shape)}"
        raise ValueError(f"edge_weight must be floating-point of shape {tuple(edges)}; got {got}")
    cheap = edge_index.is_cpu and not torch.compiler.is_compiling()
    if cheap and not _holds(((edge_index >= 0) & (edge_index < num_nodes)).all()):
        raise ValueError(f"edge_index must name nodes from 0 to {num_nodes - 1}; got {edge_index}")


def _check_signal(x: Tensor) -> None:
    if x.ndim not in (1, 2) or not x.is_floating_point():
        got = f"{x.dtype} of shape {tuple(x.shape)}"
        raise ValueError(f"x must be floating-point of shape (N,) or (N, F); got {got}")


def _weights(
    edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None, dtype: torch.dtype | None
) -> tuple[Tensor, torch.dtype]:
    """The weights in the dtype to sum in, and the dtype to return."""
    _check(edge_index, num_nodes, edge_weight)
    if edge_weight is None:
        edge_weight = torch.ones(edge_index.shape[1], dtype=dtype, device=edge_index.device)
    dtype = dtype or edge_weight.dtype
    wide = torch.promote_types(torch.promote_types(dtype, edge_weight.dtype), torch.float32)
    return edge_weight.to(wide), dtype


def _differences(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """x, the x_i - x_j of the edges and their weights, in the dtype to sum in and ready to multiply."""
    _check_signal(x)
    weight, _ = _weights(edge_index, len(x), edge_weight, x.dtype)
    # A self loop adds exactly 0 to a value; this way it does to a gradient, too.
    weight = torch.where(edge_index[0] == edge_index[1], 0, weight)
    wide = x.to(weight.dtype)
    difference = wide.index_select(0, edge_index[1]) - wide.index_select(0, edge_index[0])
    return wide, difference, weight.reshape(-1, *[1] * (x.ndim - 1))
