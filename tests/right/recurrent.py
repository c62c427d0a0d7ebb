"""Recurrent networks in other forms, with names of their own where it is bound to them."""

from typing import Any

import torch
import torch.nn.functional as F
from planted.lstm import Cell, Layers
from torch import Tensor, nn

from gnomon.drive.bound import Bound
from gnomon.reference.recurrent import Gradients
from gnomon.reference.sequence_tasks import Classifier, Tagger
from right import Right

State = tuple[Tensor, Tensor]


class EightProducts(Cell):
    """Every gate by itself, with two products."""

    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        biases = (self.bias_ih + self.bias_hh).chunk(4) if self.bias else [0] * 4
        rows = zip(self.weight_ih.chunk(4), self.weight_hh.chunk(4), biases, strict=True)
        return torch.cat([x @ own.mT + h @ back.mT + bias for own, back, bias in rows], -1)


class OneProduct(Cell):
    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        s = torch.cat([x, h], -1) @ torch.cat([self.weight_ih, self.weight_hh], -1).mT
        return s + (self.bias_ih + self.bias_hh) if self.bias else s


class Einsum(Cell):
    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        s = torch.einsum("gi,...i->...g", self.weight_ih, x) + torch.einsum("gh,...h->...g", self.weight_hh, h)
        return s + self.bias_hh + self.bias_ih if self.bias else s


class TwoLinears(nn.Module):
    """The cell that tutorials write."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        self.x2h = nn.Linear(input_size, 4 * hidden_size, bias=bias)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=bias)

    def forward(self, x: Tensor, hx: State | None = None) -> State:
        h, c = hx or (x.new_zeros(*x.shape[:-1], self.h2h.in_features),) * 2
        i, f, g, o = (self.x2h(x) + self.h2h(h)).chunk(4, -1)
        c = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
        return o.sigmoid() * c.tanh(), c


LINEARS = {"weight_ih": "x2h.weight", "weight_hh": "h2h.weight", "bias_ih": "x2h.bias", "bias_hh": "h2h.bias"}


class Hoisted(nn.RNN):
    """What inputs add is one product for all steps; then the steps."""

    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = x.transpose(0, 1) if self.batch_first and x.dim() == 3 else x
        hx = x.new_zeros(self.num_layers, *x.shape[1:-1], self.hidden_size) if hx is None else hx
        squash, last = getattr(torch, self.nonlinearity), []
        for layer in range(self.num_layers):
            own, back = (getattr(self, f"weight_{kind}_l{layer}") for kind in ("ih", "hh"))
            bias = getattr(self, f"bias_ih_l{layer}") + getattr(self, f"bias_hh_l{layer}") if self.bias else None
            h, driven, found = hx[layer], F.linear(x, own, bias), []
            for t in range(len(x)):
                h = squash(driven[t] + h @ back.mT)
                found.append(h)
            x = torch.stack(found)
            last.append(h)
        return (x.transpose(0, 1) if self.batch_first and x.dim() == 3 else x), torch.stack(last)


class TaggedAtOnce(Tagger):
    """All inputs in one product, all outputs in another."""

    def forward(self, x: Tensor) -> Tensor:
        driven, h, found = F.linear(x, self.weight_ih, self.bias_h), self.start(x, x.shape[:-2]), []
        for t in range(x.shape[-2]):
            h = torch.tanh(driven[..., t, :] + F.linear(h, self.weight_hh))
            found.append(h)
        return F.linear(torch.stack(found, -2), self.weight_ho, self.bias_o)


class ClassifiedByGather(Classifier):
    """The state of a sequence's last step is picked from all of them."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        states = torch.stack(self.states(x), -2)
        if lengths is None:
            return self.read(states[..., -1, :])
        return self.read(torch.take_along_dim(states, (lengths - 1)[..., None, None], -2).squeeze(-2))


def run_through(x: Tensor, h0: Tensor, w: Tensor, u: Tensor, b: Tensor | None, nonlinearity: str) -> list[Tensor]:
    states, squash = [h0], getattr(torch, nonlinearity)
    for t in range(len(x)):
        states.append(squash(F.linear(x[t], w, b) + F.linear(states[-1], u)))
    return states


def jacobian_by_autograd(
    x: Tensor, h0: Tensor, w: Tensor, u: Tensor, bias: Tensor | None = None, nonlinearity: str = "tanh"
) -> Tensor:
    return torch.func.jacrev(lambda h: run_through(x, h, w, u, bias, nonlinearity)[-1])(h0)


def bptt_by_autograd(
    x: Tensor, h0: Tensor, w: Tensor, u: Tensor, bias: Tensor | None, grad: Tensor, nonlinearity: str = "tanh"
) -> Any:
    def run(w: Tensor, u: Tensor, b: Tensor, h0: Tensor, x: Tensor) -> Tensor:
        return torch.stack(run_through(x, h0, w, u, b, nonlinearity)[1:])

    zeros = w.new_zeros(len(w)) if bias is None else bias
    return Gradients(*torch.func.vjp(run, w, u, zeros, h0, x)[1](grad))


RIGHT = (
    Right("torch's", "the library's", "lstm.LSTMCell", nn.LSTMCell),
    Right("eight products", "rows of a product are products of rows", "lstm.LSTMCell", EightProducts),
    Right("one product", "blocks side by side", "lstm.LSTMCell", OneProduct),
    Right("einsum", "the same sums", "lstm.LSTMCell", Einsum),
    Right("two Linears, bound", "the same sums by other names", "lstm.LSTMCell", Bound(TwoLinears, LINEARS)),
    Right("torch's", "the library's", "lstm.LSTM", nn.LSTM),
    Right("by hand", "layer by layer", "lstm.LSTM", Layers),
    Right("torch's", "the library's", "recurrent.RNN", nn.RNN),
    Right("inputs at once", "a product of all rows", "recurrent.RNN", Hoisted),
    Right("inputs and outputs at once", "a product of all rows", "sequence_tasks.Tagger", TaggedAtOnce),
    Right("the last state gathered", "the state at the length", "sequence_tasks.Classifier", ClassifiedByGather),
    Right("autograd's", "the derivative of the last state", "recurrent.state_jacobian", jacobian_by_autograd),
    Right("autograd's", "the derivative of the states", "recurrent.bptt", bptt_by_autograd),
)
