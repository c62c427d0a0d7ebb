r"""What layers are good for: stacked linear ones are one, and one hidden layer computes what none can.

Networks themselves are in ``backprop.py``. Weights are stored as the notes write them, Theta_l (n_{l-1}, n_l).

Sources: notes, section 1; Minsky and Papert, Perceptrons (1969).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["collapse_linear", "parameter_count", "parity"]


def collapse_linear(weights: Sequence[Tensor], biases: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
    r"""The one layer that is equal to a stack of layers without activations between them.

    .. math:: \Theta = \Theta_1 \Theta_2 \cdots \Theta_k, \qquad
              b = b_k + \Theta_k^T \bigl(b_{k-1} + \Theta_{k-1}^T (\cdots b_1)\bigr)

    Its rank is at most the least width on the way. The bias is zero without biases.

    Shapes: ``weights[l-1]`` (n_{l-1}, n_l), ``biases[l-1]`` (n_l,), to (n_0, n_k) and (n_k,).
    Raises ``ValueError`` if there are no weights, or shapes do not fit.
    Source: notes, section 1 (why an activation stands between the layers).

    >>> collapse_linear([torch.tensor([[2.0]]), torch.tensor([[3.0]])], [torch.ones(1), torch.zeros(1)])
    (tensor([[6.]]), tensor([3.]))
    """
    if not weights or (biases and len(biases) != len(weights)):
        raise ValueError(f"expected one bias for each of at least one layer, got {len(biases or [])}, {len(weights)}")
    theta, bias = weights[0], biases[0] if biases else torch.zeros_like(weights[0][0])
    for l in range(1, len(weights)):
        if theta.shape[-1] != weights[l].shape[0]:
            raise ValueError(f"weights[{l}] {tuple(weights[l].shape)} does not fit {tuple(theta.shape)} below it")
        theta, bias = theta @ weights[l], bias @ weights[l]
        bias = bias + biases[l] if biases else bias
    return theta, bias


def parity(x: Tensor) -> Tensor:
    r"""Whether the number of ones among n bits is odd, by one hidden layer of n ReLU units.

    .. math:: f(x) = \operatorname{relu}(s) + 2 \sum_{q=1}^{n-1} (-1)^q \operatorname{relu}(s - q),
              \qquad s = x_1 + \dots + x_n

    For two bits that is XOR, ``relu(s) - 2 relu(s - 1)``, which no network without a hidden layer computes.
    Between the bits it is the distance of s from the nearest even number, as long as s is at most n.

    Shapes: x (\*, n) with entries in [0, 1], to (\*).
    Raises ``ValueError`` for an input without entries.
    Source: Minsky and Papert (1969); Rumelhart, Hinton and Williams (1986).

    >>> parity(torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    tensor([0., 1., 1., 0.])
    """
    if x.dim() == 0 or x.shape[-1] == 0:
        raise ValueError(f"the input must be (*, n) with n at least 1, got {tuple(x.shape)}")
    n = x.shape[-1]
    units = torch.arange(n, dtype=x.dtype, device=x.device)
    weights = 2.0 * (1 - 2 * (units % 2))
    weights = torch.where(units == 0, 1, weights)
    return (torch.relu(x.sum(-1, keepdim=True) - units) * weights).sum(-1)


def parameter_count(sizes: Sequence[int], bias: bool = True) -> int:
    r"""How many numbers a fully connected network has to learn.

    .. math:: \sum_{l=1}^{k} (n_{l-1} + 1) \, n_l \quad \text{with biases}, \qquad \sum_{l=1}^{k} n_{l-1} n_l

    Raises ``ValueError`` for fewer than two sizes, or one below 1.

    >>> parameter_count((784, 128, 64, 10)), parameter_count((784, 128, 64, 10), bias=False)
    (109386, 109184)
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be at least two positive integers, got {tuple(sizes)}")
    return sum((m + bias) * n for m, n in pairwise(sizes))
