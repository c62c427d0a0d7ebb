r"""Long short-term memory: the cell, sequences of any depth, and their gradients written out (notes, section 1.4.3).

.. math::
    i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i), & f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) \\
    g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g), & o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
    c_t &= f_t \odot c_{t-1} + i_t \odot g_t, & h_t &= o_t \odot \tanh(c_t)

As in ``torch.nn.LSTM``, ``weight_ih`` (4H, I) stacks W by rows in the order i, f, g, o and ``weight_hh`` (4H, H) stacks
U; there are two biases, of which only the sum matters. Keras stores the same order transposed, with one bias; ONNX has
i, o, f, g; TensorFlow's first ``BasicLSTMCell`` i, g, f, o and adds 1 to the forget gate.

Sources: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), without a forget gate; Gers,
Schmidhuber and Cummins, "Learning to Forget", Neural Computation 12 (2000), with it.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["LSTM", "Gates", "Gradients", "LSTMCell", "MemoryJacobian", "backward", "memory_jacobian", "step"]

State = tuple[Tensor, Tensor]


class Gates(NamedTuple):
    """A step's gates i, f, g, o, its cell state c and its output h, each (*, H)."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor
    c: Tensor
    h: Tensor


class Gradients(NamedTuple):
    """The derivatives of a loss L by the inputs, and by every h_t and c_t, along all paths.

    ``weight_ih`` and ``weight_hh`` have the weights' shapes; ``bias`` (4H) is the gradient by either bias.
    """

    x: Tensor
    h0: Tensor
    c0: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor
    h: Tensor
    c: Tensor


class MemoryJacobian(NamedTuple):
    """The derivative of c_T by c_0, (*, H, H): along the memory cell alone, and along all paths."""

    direct: Tensor
    total: Tensor


def _check(x: Tensor, state: State, weight_ih: Tensor, weight_hh: Tensor) -> None:
    hidden, inputs = weight_hh.shape[-1], weight_ih.shape[-1]
    if weight_ih.shape != (4 * hidden, inputs) or weight_hh.shape != (4 * hidden, hidden):
        shapes = f"{tuple(weight_ih.shape)} and {tuple(weight_hh.shape)}"
        raise ValueError(f"weight_ih and weight_hh must have the shapes (4H, I) and (4H, H), got {shapes}")
    if x.shape[-1:] != (inputs,):
        raise ValueError(f"x must have {inputs} entries in its last dimension, got the shape {tuple(x.shape)}")
    for name, part in zip("hc", state, strict=True):
        if part.shape[-1:] != (hidden,):
            raise ValueError(f"{name} must have {hidden} entries in its last dimension, got {tuple(part.shape)}")


def step(
    x: Tensor,
    state: State,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> Gates:
    r"""One step of a cell, with all that the backward pass needs.

    .. math:: c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c')

    Shapes: x (\*, I), ``state`` is (h, c), each (\*, H), ``weight_ih`` (4H, I), ``weight_hh`` (4H, H), biases (4H);
    returns :class:`Gates`, each (\*, H).
    Raises ``ValueError`` if the shapes do not fit.
    Source: Gers, Schmidhuber and Cummins (2000), section 2.

    >>> zeros = torch.zeros(4, 1)
    >>> step(torch.ones(1), (torch.zeros(1), torch.ones(1)), zeros, zeros).c
    tensor([0.5000])
    """
    _check(x, state, weight_ih, weight_hh)
    h, c = state
    s = x @ weight_ih.mT + h @ weight_hh.mT
    for bias in (bias_ih, bias_hh):
        s = s if bias is None else s + bias
    s_i, s_f, s_g, s_o = s.chunk(4, -1)
    i, f, g, o = torch.sigmoid(s_i), torch.sigmoid(s_f), torch.tanh(s_g), torch.sigmoid(s_o)
    c = f * c + i * g
    return Gates(i, f, g, o, c, o * torch.tanh(c))


def backward(
    grad_h: Tensor,
    grad_c: Tensor,
    x: Tensor,
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> Gradients:
    r"""The backward pass of a sequence, in closed form and without autograd.

    With :math:`\gamma_t` what the loss L itself says to h_t, from t = T down to 1:

    .. math::
        \partial L / \partial h_t &= \gamma_t + U^T \delta_{t+1} \\
        \partial L / \partial c_t &= \partial L / \partial h_t \odot o_t \odot (1 - \tanh^2 c_t)
            + f_{t+1} \odot \partial L / \partial c_{t+1}

    .. math::
        \delta_t^i &= i_t (1 - i_t) g_t\, \partial L / \partial c_t, &
        \delta_t^f &= f_t (1 - f_t) c_{t-1}\, \partial L / \partial c_t, \\
        \delta_t^g &= (1 - g_t^2) i_t\, \partial L / \partial c_t, &
        \delta_t^o &= o_t (1 - o_t) \tanh(c_t)\, \partial L / \partial h_t

    .. math::
        \partial L / \partial W = \sum_t \delta_t x_t^T, \quad \partial L / \partial U = \sum_t \delta_t h_{t-1}^T,
        \quad \partial L / \partial b = \sum_t \delta_t, \quad \partial L / \partial x_t = W^T \delta_t

    Shapes: ``grad_h`` (T, \*, H), ``grad_c`` (\*, H) by the last cell state, x (T, \*, I), h0 and c0 (\*, H), and
    parameters as in :func:`step`. The parameters' gradients are summed over the leading dimensions.
    Raises ``ValueError`` if the shapes do not fit.
    Source: Graves, Supervised Sequence Labelling with Recurrent Neural Networks (2012), section 4.6.

    >>> zeros = torch.zeros(4, 1)
    >>> backward(torch.zeros(2, 1), torch.ones(1), torch.ones(2, 1), *torch.ones(2, 1), zeros, zeros).c0
    tensor([0.2500])
    """
    if len(x) == 0 or grad_h.shape != (*x.shape[:-1], weight_hh.shape[-1]):
        shapes = f"{tuple(grad_h.shape)} for {tuple(x.shape)}"
        raise ValueError(f"grad_h must have x's shape (T, *, I), T not 0, but for H in the place of I, got {shapes}")
    steps = []
    h, c = h0, c0
    for x_t in x:
        steps.append(step(x_t, (h, c), weight_ih, weight_hh, bias_ih, bias_hh))
        h, c = steps[-1].h, steps[-1].c
    by_h: list[Tensor] = []
    by_c: list[Tensor] = []
    deltas: list[Tensor] = []
    from_next_h, from_next_c = torch.zeros_like(h0), grad_c
    for t in range(len(x) - 1, -1, -1):
        i, f, g, o, c, _ = steps[t]
        before = steps[t - 1].c if t else c0
        squashed = torch.tanh(c)
        dh = grad_h[t] + from_next_h
        dc = dh * o * (1 - squashed * squashed) + from_next_c
        parts = [i * (1 - i) * g * dc, f * (1 - f) * before * dc, (1 - g * g) * i * dc, o * (1 - o) * squashed * dh]
        deltas.insert(0, torch.cat(parts, -1))
        by_h.insert(0, dh)
        by_c.insert(0, dc)
        from_next_h, from_next_c = deltas[0] @ weight_hh, f * dc
    delta, hidden = torch.stack(deltas), torch.stack([h0, *(gates.h for gates in steps[:-1])])
    return Gradients(
        x=delta @ weight_ih,
        h0=from_next_h,
        c0=from_next_c,
        weight_ih=torch.einsum("...j,...k->jk", delta, x),
        weight_hh=torch.einsum("...j,...k->jk", delta, hidden),
        bias=torch.einsum("...j->j", delta),
        h=torch.stack(by_h),
        c=torch.stack(by_c),
    )


def memory_jacobian(
    x: Tensor,
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> MemoryJacobian:
    r"""How the last cell state depends on the first: along the memory cell alone, and in all.

    .. math:: \text{direct} = \operatorname{diag}\Bigl(\prod_{t=1}^T f_t\Bigr), \qquad
              \text{total} = \frac{\partial c_T}{\partial c_0}

    The direct path meets no matrix and no squashing function, but decays unless the forget gates are 1: with f = 1/2,
    which is what zero weights and biases give, 100 steps leave (1/2)^100. From the second step on there are further
    paths, through h_t and the gates, and those do meet both.

    Shapes: x (T, \*, I), h0 and c0 (\*, H), parameters as in :func:`step`; returns two tensors (\*, H, H).
    Raises ``ValueError`` if the shapes do not fit.
    Source: Hochreiter and Schmidhuber (1997), sections 3 and 4; Gers, Schmidhuber and Cummins (2000).

    >>> zeros = torch.zeros(4, 1)
    >>> memory_jacobian(torch.ones(2, 1), torch.zeros(1), torch.ones(1), zeros, zeros).direct
    tensor([[0.2500]])
    """
    h, c = h0, c0
    kept = torch.ones_like(c0)
    by_c = torch.diag_embed(kept)
    by_h = torch.zeros_like(by_c)
    for x_t in x:
        before = c[..., None]
        gates = step(x_t, (h, c), weight_ih, weight_hh, bias_ih, bias_hh)
        i, f, g, o, c, h = gates
        kept = kept * f
        squashed = torch.tanh(c)
        slopes = torch.cat([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], -1)
        by_i, by_f, by_g, by_o = (slopes[..., None] * (weight_hh @ by_h)).chunk(4, -2)
        by_c = f[..., None] * by_c + before * by_f + g[..., None] * by_i + i[..., None] * by_g
        by_h = squashed[..., None] * by_o + (o * (1 - squashed * squashed))[..., None] * by_c
    return MemoryJacobian(torch.diag_embed(kept), by_c)


def _positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be a positive integer, got {size}")


class LSTMCell(nn.Module):
    r"""One step of long short-term memory, with the parameters of ``torch.nn.LSTMCell``.

    .. math:: c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c')

    Args:
        input_size: I, the number of features of x.
        hidden_size: H, the number of memory cells.
        bias: whether there are biases; if so there are two, ``bias_ih`` and ``bias_hh``.

    Shapes: input (I) or (N, I); ``hx`` is (h, c), each (H) or (N, H), by default 0. Returns (h', c').
    Raises ``ValueError`` if a size is below 1 or the shapes do not fit.
    Source: Gers, Schmidhuber and Cummins (2000), section 2.

    >>> h, c = LSTMCell(3, 2)(torch.zeros(5, 3))
    >>> h.shape, c.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        _positive(input_size=input_size, hidden_size=hidden_size)
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size, **factory_kwargs))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size, **factory_kwargs))
        self.bias_ih: nn.Parameter | None
        self.bias_hh: nn.Parameter | None
        for name in ("bias_ih", "bias_hh"):
            made = nn.Parameter(torch.empty(4 * hidden_size, **factory_kwargs)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every parameter from U(-1/sqrt(H), 1/sqrt(H)), as torch does."""
        _draw(self, self.hidden_size, generator)

    def forward(self, input: Tensor, hx: State | None = None) -> State:
        """One step: (N, I) and a state to the next state (h', c')."""
        if input.dim() not in (1, 2):
            raise ValueError(f"input must be (I) or (N, I), got the shape {tuple(input.shape)}")
        if hx is None:
            zeros = input.new_zeros(*input.shape[:-1], self.hidden_size)
            hx = zeros, zeros
        for name, part in zip("hc", hx, strict=True):
            if part.shape != (*input.shape[:-1], self.hidden_size):
                wanted = (*input.shape[:-1], self.hidden_size)
                raise ValueError(f"{name} must have the shape {wanted}, got {tuple(part.shape)}")
        gates = step(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return gates.h, gates.c

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{self.input_size}, {self.hidden_size}, bias={self.bias}"


class LSTM(nn.Module):
    r"""Long short-term memory over sequences, with the parameters of ``torch.nn.LSTM``.

    Layer l takes the outputs h_1 .. h_T of layer l - 1 for its inputs. Its parameters are ``weight_ih_l{l}``,
    ``weight_hh_l{l}``, ``bias_ih_l{l}`` and ``bias_hh_l{l}``, counted from 0.

    Args:
        input_size: I, the number of features of x_t.
        hidden_size: H, the number of memory cells of each layer.
        num_layers: L.
        bias: whether there are biases.
        batch_first: whether input and output are (N, T, \*) in the place of (T, N, \*); states never are.

    Shapes: input (T, N, I), (N, T, I) if ``batch_first``, or (T, I); ``hx`` is (h_0, c_0), each (L, N, H) or (L, H),
    by default 0. Returns ``(output, (h_n, c_n))``: every h_t of the last layer, and each layer's last state.
    Raises ``ValueError`` if a size is below 1, the sequence is empty, or the shapes do not fit.
    Source: Gers, Schmidhuber and Cummins (2000); Graves (2013), arXiv:1308.0850, section 2, for layers.

    >>> output, (h, c) = LSTM(3, 2, num_layers=2)(torch.zeros(7, 5, 3))
    >>> output.shape, h.shape
    (torch.Size([7, 5, 2]), torch.Size([2, 5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        _positive(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        rows = 4 * hidden_size
        for layer in range(num_layers):
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, hidden_size if layer else input_size),
                "weight_hh": (rows, hidden_size),
                "bias_ih": (rows,),
                "bias_hh": (rows,),
            }
            for name, shape in shapes.items():
                absent = name.startswith("bias") and not bias
                made = None if absent else nn.Parameter(torch.empty(shape, **factory_kwargs))
                self.register_parameter(f"{name}_l{layer}", made)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every parameter from U(-1/sqrt(H), 1/sqrt(H)), as torch does."""
        _draw(self, self.hidden_size, generator)

    def forward(self, input: Tensor, hx: State | None = None) -> tuple[Tensor, State]:
        """A whole sequence: ``(output, (h_n, c_n))``."""
        if input.dim() not in (2, 3):
            raise ValueError(f"input must have 2 dimensions or 3, with a batch, got the shape {tuple(input.shape)}")
        swapped = self.batch_first and input.dim() == 3
        x = input.transpose(0, 1) if swapped else input
        if len(x) == 0:
            raise ValueError(f"the sequence must have at least one step, got the shape {tuple(input.shape)}")
        shape = (self.num_layers, *x.shape[1:-1], self.hidden_size)
        h_0, c_0 = (x.new_zeros(shape), x.new_zeros(shape)) if hx is None else hx
        for name, part in (("h_0", h_0), ("c_0", c_0)):
            if part.shape != shape:
                raise ValueError(f"{name} must have the shape {shape}, got {tuple(part.shape)}")
        last_h, last_c = [], []
        for layer, (h, c) in enumerate(zip(h_0, c_0, strict=True)):
            parameters = self._parameters_of(layer)
            outputs = []
            for x_t in x:
                gates = step(x_t, (h, c), *parameters)
                h, c = gates.h, gates.c
                outputs.append(h)
            x = torch.stack(outputs)
            last_h.append(h)
            last_c.append(c)
        return x.transpose(0, 1) if swapped else x, (torch.stack(last_h), torch.stack(last_c))

    def _parameters_of(self, layer: int) -> list[Any]:
        return [getattr(self, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}, bias={self.bias}, "
            f"batch_first={self.batch_first}"
        )


def _draw(module: nn.Module, hidden_size: int, generator: torch.Generator | None) -> None:
    bound = hidden_size**-0.5
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
