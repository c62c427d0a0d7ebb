"""Recurrent networks: the vanilla RNN, its Jacobian, and backpropagation through time without autograd.

Parameters are named and stored as in ``torch.nn.RNN``, (out, in); time comes first, x is (T, *, input_size), and h_t
has read x_1 .. x_t. The notes write Theta_hh, Theta_xh and Theta_hy for W_hh, W_ih and W_hy, and have no biases.

Sources: notes, section 1.4; Elman, "Finding structure in time" (1990); Werbos, "Backpropagation through time: what it
does and how to do it" (1990); Williams and Peng, "An efficient gradient-based algorithm for on-line training" (1990).
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = [
    "RNN",
    "CopyGradients",
    "Gradients",
    "RecurrentNetwork",
    "bptt",
    "shared_update",
    "state_jacobian",
    "truncated_bptt",
    "unfolded_gradients",
]

Elementwise = Callable[[Tensor], Tensor]

# name -> (sigma, sigma' as a function of the state h = sigma(s)); relu'(0) = 0, as in torch
_NONLINEARITIES: dict[str, tuple[Elementwise, Elementwise]] = {
    "tanh": (torch.tanh, lambda h: 1 - h * h),
    "relu": (torch.relu, lambda h: (h > 0).to(h.dtype)),
}


def _nonlinearity(name: str) -> tuple[Elementwise, Elementwise]:
    if name not in _NONLINEARITIES:
        raise ValueError(f"nonlinearity must be one of {list(_NONLINEARITIES)}, got {name!r}")
    return _NONLINEARITIES[name]


class RNN(nn.Module):
    r"""The vanilla (Elman) recurrent network, in layers that each read the states of the one below.

    .. math:: h_t = \sigma(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})

    Of the two biases only the sum acts; they are two to be those of ``torch.nn.RNN``, whose arguments, parameter
    names, layouts, initialization and results these are (without dropout and the second direction).

    Args: ``nonlinearity`` "tanh" or "relu"; ``batch_first`` puts the batch first in input and output, not in h.
    Shapes: input (T, N, input_size) or (T, input_size); h_0 (num_layers, N, hidden_size) or (num_layers,
    hidden_size), else zeros; returns the last layer's states (T, N, hidden_size) and all layers' last ones, like h_0.
    Raises ``ValueError`` for a size below 1, an unknown nonlinearity, or an input or h_0 of another shape.
    Source: Elman (1990); notes, section 1.4.

    >>> rnn = RNN(3, 2, num_layers=2, nonlinearity="relu")
    >>> output, h_n = rnn(torch.ones(5, 4, 3))
    >>> output.shape, h_n.shape
    (torch.Size([5, 4, 2]), torch.Size([2, 4, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if min(input_size, hidden_size, num_layers) < 1:
            sizes = f"{input_size}, {hidden_size} and {num_layers}"
            raise ValueError(f"input_size, hidden_size and num_layers must be at least 1, got {sizes}")
        self._sigma, _ = _nonlinearity(nonlinearity)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.nonlinearity, self.bias, self.batch_first = nonlinearity, bias, batch_first
        for layer in range(num_layers):
            below = hidden_size if layer else input_size
            for kind, width in (("ih", below), ("hh", hidden_size)):
                weight = nn.Parameter(torch.empty(hidden_size, width, device=device, dtype=dtype))
                self.register_parameter(f"weight_{kind}_l{layer}", weight)
                if bias:
                    vector = nn.Parameter(torch.empty(hidden_size, device=device, dtype=dtype))
                    self.register_parameter(f"bias_{kind}_l{layer}", vector)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter uniformly within 1 / sqrt(hidden_size), as torch does."""
        bound = self.hidden_size**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        swapped = self.batch_first and input.dim() == 3
        steps = input.transpose(0, 1) if swapped else input
        if input.dim() not in (2, 3) or input.shape[-1] != self.input_size or not len(steps):
            wanted = f"(T, N, {self.input_size}) or (T, {self.input_size}) with T >= 1"
            raise ValueError(f"input must have the shape {wanted}, got {tuple(input.shape)}")
        shape = (self.num_layers, *steps.shape[1:-1], self.hidden_size)
        hx = input.new_zeros(shape) if hx is None else hx
        if hx.shape != shape:
            raise ValueError(f"hx must have the shape {shape}, got {tuple(hx.shape)}")
        last = []
        for layer in range(self.num_layers):
            h, states = hx[layer], []
            for x in steps:
                h = self._sigma(self._affine("ih", layer, x) + self._affine("hh", layer, h))
                states.append(h)
            steps = torch.stack(states)
            last.append(h)
        return (steps.transpose(0, 1) if swapped else steps), torch.stack(last)

    def _affine(self, kind: str, layer: int, x: Tensor) -> Tensor:
        s: Tensor = x @ getattr(self, f"weight_{kind}_l{layer}").T
        return s + getattr(self, f"bias_{kind}_l{layer}") if self.bias else s

    def extra_repr(self) -> str:
        return (
            f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}, "
            f"nonlinearity={self.nonlinearity!r}, bias={self.bias}, batch_first={self.batch_first}"
        )


class RecurrentNetwork(nn.Module):
    r"""An RNN of one layer with an output at every time.

    .. math:: h_t = \sigma(W_{ih} x_t + W_{hh} h_{t-1} + b), \qquad y_t = W_{hy} h_t + b_y

    Shapes: input (T, N, input_size) or (T, input_size), h_0 (1, N, hidden_size) or (1, hidden_size); returns the
    outputs (T, N, output_size) and h_T, like h_0. With ``batch_first`` input and outputs begin with N.
    Raises ``ValueError`` as :class:`RNN`, and for an ``output_size`` below 1.
    Source: Elman (1990); notes, section 1.4 (Theta_hy, there without biases).

    >>> network = RecurrentNetwork(3, 2, 5)
    >>> y, h_n = network(torch.ones(7, 3))
    >>> y.shape, h_n.shape
    (torch.Size([7, 5]), torch.Size([1, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if output_size < 1:
            raise ValueError(f"output_size must be at least 1, got {output_size}")
        self.output_size = output_size
        self.rnn = RNN(input_size, hidden_size, 1, nonlinearity, bias, batch_first, device=device, dtype=dtype)
        self.weight_hy = nn.Parameter(torch.empty(output_size, hidden_size, device=device, dtype=dtype))
        self.bias_y = nn.Parameter(torch.empty(output_size, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter uniformly within 1 / sqrt(hidden_size)."""
        self.rnn.reset_parameters()
        bound = self.rnn.hidden_size**-0.5
        nn.init.uniform_(self.weight_hy, -bound, bound)
        if self.bias_y is not None:
            nn.init.uniform_(self.bias_y, -bound, bound)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        states, h_n = self.rnn(input, hx)
        y = states @ self.weight_hy.T
        return (y if self.bias_y is None else y + self.bias_y), h_n

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


def state_jacobian(
    x: Tensor, h0: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor | None = None, nonlinearity: str = "tanh"
) -> Tensor:
    r"""The derivative of the last state by the first: a product of one matrix for each step.

    .. math:: \frac{\partial h_T}{\partial h_0} = D_T W_{hh} \cdots D_1 W_{hh}, \qquad D_t = \mathrm{diag}\,\sigma'(s_t)

    Its norm is at most :math:`\prod_t \|W_{hh}\| \max_i |\sigma'(s_{t,i})|`, in the largest singular value.

    Shapes: x (T, input_size), h0 (hidden_size); returns (hidden_size, hidden_size), row i the gradient of h_T[i].
    Raises ``ValueError`` if shapes do not fit or the nonlinearity is unknown.
    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), eq. 5.

    >>> weight = torch.tensor([[2.0]])
    >>> state_jacobian(torch.zeros(5, 1), torch.zeros(1), weight, weight)
    tensor([[32.]])
    """
    slope = _nonlinearity(nonlinearity)[1]
    states = _states(x, h0, weight_ih, weight_hh, bias, nonlinearity)
    jacobian = torch.eye(h0.shape[-1], dtype=h0.dtype, device=h0.device)
    for h in states[1:]:
        jacobian = slope(h).unsqueeze(-1) * (weight_hh @ jacobian)
    return jacobian


# ---------------------------------------------------------------- backpropagation through time


class Gradients(NamedTuple):
    """The derivatives of E by parameters, first state and inputs."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor
    h0: Tensor
    x: Tensor


class CopyGradients(NamedTuple):
    """The derivatives of E by the parameters, for each copy or each window, which come first."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor


def unfolded_gradients(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    grad_output: Tensor,
    nonlinearity: str = "tanh",
) -> CopyGradients:
    r"""The gradients of the copies in the unfolded network, as if each step had parameters of its own.

    .. math::
        \delta_t = \sigma'(s_t) \odot (g_t + W_{hh}^T \delta_{t+1}), \qquad
        \frac{\partial E}{\partial W_{hh}^{(t)}} = \delta_t h_{t-1}^T, \quad
        \frac{\partial E}{\partial W_{ih}^{(t)}} = \delta_t x_t^T, \quad
        \frac{\partial E}{\partial b^{(t)}} = \delta_t

    where :math:`g_t` (grad_output) is the derivative of E by h_t as an output, not through later states.

    Shapes: x (T, \*, input_size), h0 (\*, hidden_size), grad_output (T, \*, hidden_size); the gradients have the
    parameters' shapes with T in front, summed over the batch.
    Raises ``ValueError`` if shapes do not fit or the nonlinearity is unknown.
    Source: Werbos (1990), section III; notes, section 1.4.2.

    >>> one = torch.ones(1, 1)
    >>> last = torch.tensor([[0.0], [0.0], [1.0]])
    >>> unfolded_gradients(torch.ones(3, 1), torch.ones(1), one, one, None, last, "relu").weight_hh.flatten()
    tensor([1., 2., 3.])
    """
    states = _states(x, h0, weight_ih, weight_hh, bias, nonlinearity, grad_output)
    copies = zip(_deltas(states, grad_output, weight_hh, nonlinearity), x, states, strict=False)
    return CopyGradients(*map(torch.stack, zip(*itertools.starmap(_by_parameters, copies), strict=True)))


def bptt(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    grad_output: Tensor,
    nonlinearity: str = "tanh",
) -> Gradients:
    r"""Backpropagation through time: the gradient by a shared parameter is the *sum* over its copies.

    .. math:: \frac{\partial E}{\partial W_{hh}} = \sum_{t=1}^T \delta_t h_{t-1}^T, \qquad
        \frac{\partial E}{\partial h_0} = W_{hh}^T \delta_1, \quad
        \frac{\partial E}{\partial x_t} = W_{ih}^T \delta_t

    with the deltas of :func:`unfolded_gradients`. (The notes' "(or averaged)" is no multiple of the gradient where
    other parameters, such as h_0, are not shared.)

    Shapes and errors: as for :func:`unfolded_gradients`; the gradients have the shapes of what they are by.
    Source: Werbos (1990), section III; notes, section 1.4.2.

    >>> one = torch.ones(1, 1)
    >>> last = torch.tensor([[0.0], [0.0], [1.0]])
    >>> bptt(torch.ones(3, 1), torch.ones(1), one, one, None, last, "relu").weight_hh
    tensor([[6.]])
    """
    states = _states(x, h0, weight_ih, weight_hh, bias, nonlinearity, grad_output)
    deltas = _deltas(states, grad_output, weight_hh, nonlinearity)
    shared = _by_parameters(deltas, x, torch.stack(states[:-1]))
    return Gradients(*shared, deltas[0] @ weight_hh, deltas @ weight_ih)


def truncated_bptt(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    grad_output: Tensor,
    k1: int,
    k2: int,
    nonlinearity: str = "tanh",
) -> CopyGradients:
    r"""Truncated backpropagation through time: after every k1 steps forward, k2 steps backward.

    .. math:: \delta^{(e)}_t = \sigma'(s_t) \odot ([t > e - k_1] g_t + W_{hh}^T \delta^{(e)}_{t+1}), \qquad
        G^{(e)} = \sum_{t = \max(1, e - k_2 + 1)}^{e} \delta^{(e)}_t h_{t-1}^T

    for e = k1, 2 k1, .. and, for what is left, the end T. Each window brings the losses of its own steps, and older
    copies of the parameters are taken for constants. The windows' gradients add up to the whole gradient if k2 >= T,
    and are biased otherwise; if k2 < k1 some losses reach no parameter at all.

    Shapes: as for :func:`unfolded_gradients`, with one gradient for each of the ceil(T / k1) windows in front.
    Raises ``ValueError`` if k1 or k2 is below 1, shapes do not fit, or the nonlinearity is unknown.
    Source: Williams and Peng (1990), BPTT(h; h') with h = k2, h' = k1; notes, section 1.4.2.

    >>> one, half = torch.ones(1, 1), torch.full((1, 1), 0.5)
    >>> last = torch.tensor([[0.0], [0.0], [0.0], [1.0]])
    >>> [truncated_bptt(torch.ones(4, 1), torch.ones(1), one, half, None, last, 4, k2, "relu").weight_hh.item()
    ...  for k2 in (1, 2, 3, 4)]
    [1.875, 2.75, 3.125, 3.25]
    """
    if min(k1, k2) < 1:
        raise ValueError(f"k1 and k2 must be at least 1, got {k1}, {k2}")
    states = _states(x, h0, weight_ih, weight_hh, bias, nonlinearity, grad_output)
    windows = []
    for begin in range(0, len(x), k1):
        end = min(begin + k1, len(x))
        first = max(0, end - k2)
        losses = torch.cat([torch.zeros_like(grad_output[:begin]), grad_output[begin:end]])
        deltas = _deltas(states[first : end + 1], losses[first:], weight_hh, nonlinearity)
        windows.append(_by_parameters(deltas, x[first:end], torch.stack(states[first:end])))
    return CopyGradients(*map(torch.stack, zip(*windows, strict=True)))


def shared_update(parameter: Tensor, copies: Tensor, lr: float = 1e-3, eps: float = 1e-8) -> Tensor:
    r"""Adam's first step on a parameter that occurs several times: gradients add up, steps do not.

    .. math:: \theta' = \theta - \eta \frac{g}{|g| + \epsilon}, \qquad
        g = \sum_t \frac{\partial E}{\partial \theta^{(t)}}

    Adding up steps is another thing wherever they are not linear in g: for the gradients 3 and -1 they cancel.

    Shapes: parameter (\*), copies (T, \*) to (\*). Raises ``ValueError`` if they do not fit.
    Source: Kingma and Ba, "Adam" (2015), algorithm 1 at t = 1; notes, section 1.4.2.

    >>> shared_update(torch.zeros(1), torch.tensor([[3.0], [-1.0]]), lr=0.5)
    tensor([-0.5000])
    """
    if copies.shape[1:] != parameter.shape or not len(copies):
        wanted = ", ".join(map(str, ("T", *parameter.shape)))
        raise ValueError(f"copies must have the shape ({wanted}), got {tuple(copies.shape)}")
    g = copies.sum(0)
    return parameter - lr * g / (g.abs() + eps)


def _states(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    nonlinearity: str,
    grad_output: Tensor | None = None,
) -> list[Tensor]:
    """The unfolded network: [h_0 .. h_T]."""
    sigma, _ = _nonlinearity(nonlinearity)
    n, d = (*weight_ih.shape, 0, 0)[:2]
    if weight_ih.dim() != 2 or weight_hh.shape != (n, n) or (bias is not None and bias.shape != (n,)):
        shapes = [tuple(w.shape) for w in (weight_ih, weight_hh, bias) if w is not None]
        raise ValueError(f"expected weight_ih (n, d), weight_hh (n, n) and bias (n,), got {shapes}")
    if x.dim() < 2 or not len(x) or x.shape[-1] != d or h0.shape != (*x.shape[1:-1], n):
        wanted = f"x (T, *, {d}) with T >= 1 and h0 (*, {n})"
        raise ValueError(f"expected {wanted}, got {tuple(x.shape)} and {tuple(h0.shape)}")
    if grad_output is not None and grad_output.shape != (len(x), *h0.shape):
        raise ValueError(f"grad_output must have the shape {(len(x), *h0.shape)}, got {tuple(grad_output.shape)}")
    states = [h0]
    for step in x:
        s = step @ weight_ih.T + states[-1] @ weight_hh.T
        states.append(sigma(s if bias is None else s + bias))
    return states


def _deltas(states: list[Tensor], grad_output: Tensor, weight_hh: Tensor, nonlinearity: str) -> Tensor:
    """The derivatives of E by the pre-activations of all states but the first."""
    _, slope = _nonlinearity(nonlinearity)
    found: list[Tensor] = []
    for h, arriving in zip(reversed(states[1:]), reversed(grad_output.unbind(0)), strict=True):
        found.insert(0, slope(h) * (arriving + found[0] @ weight_hh if found else arriving))
    return torch.stack(found)


def _by_parameters(deltas: Tensor, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients by W_ih, W_hh and b, summed over all leading dimensions."""
    rows, inputs, states = (values.reshape(-1, values.shape[-1]) for values in (deltas, x, before))
    return rows.T @ inputs, rows.T @ states, rows.sum(0)
