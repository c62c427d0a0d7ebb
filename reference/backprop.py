"""Backpropagation through a multilayer perceptron: by autograd (``MLP``) and by hand (``backward``).

The weights are stored as the notes write them: ``Theta_l`` has shape (n_{l-1}, n_l), so that a column gives
``s_l = Theta_l^T h_{l-1} + b_l``, a batch of rows ``h @ Theta_l + b_l``. ``nn.Linear`` stores the transpose.

Sources: notes, section 1.2.1; Rumelhart, Hinton and Williams, "Learning representations by back-propagating
errors", Nature 323 (1986).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["MLP", "Gradients", "backward", "forward_trace", "gradient_step", "half_squared_error"]

Elementwise = Callable[[Tensor], Tensor]

# name -> (sigma, sigma'). The derivatives are products: 1 - tanh(s)^2 has no digits where a unit saturates.
_ACTIVATIONS: dict[str, tuple[Elementwise, Elementwise]] = {
    "tanh": (torch.tanh, lambda s: 4 * torch.sigmoid(2 * s) * torch.sigmoid(-2 * s)),
    "sigmoid": (torch.sigmoid, lambda s: torch.sigmoid(s) * torch.sigmoid(-s)),
    "relu": (F.relu, lambda s: (s > 0).to(s.dtype)),
    "identity": (lambda s: s, torch.ones_like),
}


def _resolve(activation: str | Elementwise) -> tuple[Elementwise, Elementwise]:
    """The function and its derivative; that of a user's function is one vector-Jacobian product."""
    if callable(activation):
        return activation, lambda s: torch.func.vjp(activation, s)[1](torch.ones_like(s))[0]
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation must be callable or one of {list(_ACTIVATIONS)}, got {activation!r}")
    return _ACTIVATIONS[activation]


class Gradients(NamedTuple):
    """The derivatives of E by each Theta_l, each b_l (empty without biases), by x, by each s_l (deltas)."""

    weights: list[Tensor]
    biases: list[Tensor]
    x: Tensor
    deltas: list[Tensor]


def half_squared_error(
    prediction: Tensor, target: Tensor, reduction: Literal["none", "mean", "sum"] = "none"
) -> Tensor:
    r"""Half the squared error of each sample: the notes' "MSE".

    .. math:: E = \tfrac12 \sum_q (y_q - \hat y_q)^2, \quad \partial E / \partial \hat y_q = -(y_q - \hat y_q)

    For one sample of K outputs ``F.mse_loss`` has 2/K times this gradient.

    Shapes: prediction and target (\*, K); the result (\*), or () when reduced over the samples.
    Raises ``ValueError`` if the shapes differ, or ``reduction`` is unknown.
    Source: notes, section 1.2.1; Rumelhart et al. (1986), eq. 3.

    >>> half_squared_error(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))
    tensor(2.5000)
    """
    if prediction.shape != target.shape or prediction.dim() == 0:
        shapes = f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        raise ValueError(f"prediction and target must have the same shape (*, K), got {shapes}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    error = target - prediction
    loss = (0.5 * error * error).sum(-1)
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def forward_trace(
    x: Tensor,
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None = None,
    activation: str | Elementwise = "tanh",
    output_activation: str | Elementwise = "identity",
) -> tuple[list[Tensor], list[Tensor]]:
    r"""The forward pass, keeping all that the backward pass needs.

    .. math:: h_0 = x, \qquad s_l = \Theta_l^T h_{l-1} + b_l, \qquad h_l = \sigma(s_l), \qquad \hat y = h_k

    Shapes: x (\*, n_0), weights[l-1] (n_{l-1}, n_l), biases[l-1] (n_l); returns [s_1 .. s_k] and
    [h_0 .. h_k], each entry (\*, n_l). ``biases`` that are None or empty are left out.
    Raises ``ValueError`` if there are no weights, shapes do not fit, or an activation is unknown.
    Source: notes, section 1.2.1; Rumelhart et al. (1986), eq. 1 and 2.

    >>> theta = torch.tensor([[1.0], [-1.0]])
    >>> forward_trace(torch.tensor([1.0, 2.0]), [theta], output_activation="relu")
    ([tensor([-1.])], [tensor([1., 2.]), tensor([0.])])
    """
    if not weights:
        raise ValueError("weights must hold at least one layer")
    if biases and len(biases) != len(weights):
        raise ValueError(f"expected one bias per layer, got {len(biases)} for {len(weights)} weights")
    hidden, output = _resolve(activation)[0], _resolve(output_activation)[0]
    s: list[Tensor] = []
    h = [x]
    for l, weight in enumerate(weights):
        if weight.dim() != 2 or h[l].shape[-1:] != weight.shape[:1]:
            raise ValueError(f"weights[{l}] {tuple(weight.shape)} does not fit its input {tuple(h[l].shape)}")
        s.append(h[l] @ weight + biases[l] if biases else h[l] @ weight)
        h.append((output if l == len(weights) - 1 else hidden)(s[l]))
    return s, h


def backward(
    x: Tensor,
    y: Tensor,
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None = None,
    activation: str | Elementwise = "tanh",
    output_activation: str | Elementwise = "identity",
) -> Gradients:
    r"""The backward pass for :func:`half_squared_error`, in closed form and without autograd.

    .. math::
        \delta_k &= -(y - \hat y) \odot \sigma'(s_k) \\
        \delta_l &= \sigma'(s_l) \odot \Theta_{l+1} \delta_{l+1} \\
        \partial E / \partial \Theta_l &= h_{l-1} \delta_l^T, \quad
        \partial E / \partial b_l = \delta_l, \quad \partial E / \partial x = \Theta_1 \delta_1

    (The notes drop the minus sign of the first line.) relu'(0) = 0, as in torch. Only an activation given
    as a function, which must be elementwise, is differentiated automatically.

    Shapes: x (\*, n_0), y (\*, n_k). ``deltas[l-1]`` (\*, n_l) and ``x`` (\*, n_0) are per sample; the
    gradients of weights and biases have the parameters' shapes: *summed* over the leading dimensions, as by
    autograd.
    Raises ``ValueError`` as :func:`forward_trace`, and if y does not have the output's shape.
    Source: notes, section 1.2.1; Rumelhart et al. (1986), eq. 4 to 7.

    >>> theta = torch.ones(1, 1)
    >>> backward(torch.tensor([2.0]), torch.tensor([0.0]), [theta, theta], activation="identity").weights
    [tensor([[4.]]), tensor([[4.]])]
    """
    s, h = forward_trace(x, weights, biases, activation, output_activation)
    if y.shape != h[-1].shape:
        raise ValueError(f"y must have the output's shape {tuple(h[-1].shape)}, got {tuple(y.shape)}")
    hidden_slope, output_slope = _resolve(activation)[1], _resolve(output_activation)[1]
    deltas = [-(y - h[-1]) * output_slope(s[-1])]
    for l in range(len(weights) - 1, 0, -1):
        deltas.insert(0, hidden_slope(s[l - 1]) * (deltas[0] @ weights[l].T))
    return Gradients(
        weights=[torch.einsum("...i,...j->ij", i, delta) for i, delta in zip(h[:-1], deltas, strict=True)],
        biases=[torch.einsum("...j->j", delta) for delta in deltas] if biases else [],
        x=deltas[0] @ weights[0].T,
        deltas=deltas,
    )


def gradient_step(
    x: Tensor,
    y: Tensor,
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None,
    lr: float | Tensor,
    activation: str | Elementwise = "tanh",
    output_activation: str | Elementwise = "identity",
) -> tuple[list[Tensor], list[Tensor]]:
    r"""One step of gradient descent on the summed error: all gradients first, then all updates.

    .. math:: \Theta_l \leftarrow \Theta_l - \eta\, \partial E / \partial \Theta_l, \qquad
              b_l \leftarrow b_l - \eta\, \partial E / \partial b_l

    To propagate through weights already updated is not gradient descent. Shapes and errors are those of
    :func:`backward`. Returns new weights and biases (an empty list without biases); changes nothing in place.

    Source: notes, section 1.2.1; Rumelhart et al. (1986), eq. 8.

    >>> theta = torch.ones(1, 1)
    >>> gradient_step(torch.ones(1), torch.zeros(1), [theta, theta], None, 0.5, activation="identity")
    ([tensor([[0.5000]]), tensor([[0.5000]])], [])
    """
    gradients = backward(x, y, weights, biases, activation, output_activation)
    return (
        [weight - lr * gradient for weight, gradient in zip(weights, gradients.weights, strict=True)],
        [bias - lr * gradient for bias, gradient in zip(biases or [], gradients.biases, strict=True)],
    )


class MLP(nn.Module):
    r"""A multilayer perceptron, :math:`h_l = \sigma(\Theta_l^T h_{l-1} + b_l)`, stored as in the notes.

    Args:
        sizes: (n_0, n_1, ..., n_k), input first.
        activation: of the hidden layers: "tanh", "sigmoid", "relu", "identity" or an elementwise function.
        output_activation: of the last layer, likewise.
        bias: whether the layers have biases.

    Shapes: input (\*, n_0), output (\*, n_k); ``weights[l-1]`` (n_{l-1}, n_l), ``biases[l-1]`` (n_l).
    Raises ``ValueError`` if there are fewer than two sizes, one is below 1, an activation is unknown, or
    an input is not (\*, n_0).
    Source: notes, section 1.2.1; Rumelhart et al. (1986).

    >>> model = MLP((2, 3, 1))
    >>> model(torch.zeros(5, 2)).shape, model.weights[0].shape
    (torch.Size([5, 1]), torch.Size([2, 3]))
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Elementwise = "tanh",
        output_activation: str | Elementwise = "identity",
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes must be at least two positive integers, got {tuple(sizes)}")
        for choice in (activation, output_activation):
            _resolve(choice)
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.sizes = tuple(sizes)
        self.activation = activation
        self.output_activation = output_activation
        weights = [torch.empty(m, n, **factory_kwargs) for m, n in pairwise(sizes)]
        biases = [torch.empty(n, **factory_kwargs) for n in sizes[1:]]
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(biases) if bias else None
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw from U(-1/sqrt(n_{l-1}), 1/sqrt(n_{l-1})), weights and biases alike, as ``nn.Linear`` does."""
        for l, weight in enumerate(self.weights):
            bound = self.sizes[l] ** -0.5
            nn.init.uniform_(weight, -bound, bound, generator=generator)
            if self.biases is not None:
                nn.init.uniform_(self.biases[l], -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Apply every layer: (\\*, n_0) to (\\*, n_k)."""
        biases = None if self.biases is None else list(self.biases)
        return forward_trace(x, list(self.weights), biases, self.activation, self.output_activation)[1][-1]

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"sizes={self.sizes}, activation={self.activation!r}, "
            f"output_activation={self.output_activation!r}, bias={self.biases is not None}"
        )
