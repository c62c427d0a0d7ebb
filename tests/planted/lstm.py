"""Mistakes in long short-term memory: in the cell, across steps and layers, in the backward pass and the Jacobian."""

from typing import Any

import torch
from torch import Tensor, nn

from planted import Planted

State = tuple[Tensor, Tensor]


def sliced(s: Tensor, order: str = "ifgo") -> dict[str, Tensor]:
    return dict(zip(order, s.chunk(4, -1), strict=True))


class Cell(nn.LSTMCell):
    """A right cell in pieces, each of which a bug replaces."""

    def forward(self, x: Tensor, hx: State | None = None) -> State:
        if hx is None:
            zeros = x.new_zeros(*x.shape[:-1], self.hidden_size)
            hx = zeros, zeros
        return self.update(self.pre(x, hx[0]), *hx)

    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        s = x @ self.weight_ih.T + h @ self.weight_hh.T
        return s + self.bias_ih + self.bias_hh if self.bias else s

    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        gate = sliced(s)
        i, f, o = (torch.sigmoid(gate[name]) for name in "ifo")
        c = f * c + i * torch.tanh(gate["g"])
        return o * torch.tanh(c), c


class CandidateLast(Cell):
    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        gate = sliced(s, "ifog")
        return super().update(torch.cat([gate[name] for name in "ifgo"], -1), h, c)


class RowsInterleaved(Cell):
    """Rows gate by gate within each cell, which for one cell is the same."""

    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        return super().update(s.unflatten(-1, (self.hidden_size, 4)).mT.flatten(-2), h, c)


class OneBias(Cell):
    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        s = x @ self.weight_ih.T + h @ self.weight_hh.T
        return s + self.bias_ih if self.bias else s


class ForgetBias(Cell):
    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        size = self.hidden_size
        return super().update(s + torch.cat([s.new_zeros(size), s.new_ones(size), s.new_zeros(2 * size)]), h, c)


class HardSigmoid(Cell):
    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        gate = sliced(s)
        i, f, o = (nn.functional.hardsigmoid(gate[name]) for name in "ifo")
        c = f * c + i * torch.tanh(gate["g"])
        return o * torch.tanh(c), c


class NoTanhOnOutput(Cell):
    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        _, new = super().update(s, h, c)
        return torch.sigmoid(sliced(s)["o"]) * new, new


class OldCellOut(Cell):
    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        _, new = super().update(s, h, c)
        return torch.sigmoid(sliced(s)["o"]) * torch.tanh(c), new


class ClampedCell(Cell):
    """Cell states cut off at 50, as some implementations do against overflow."""

    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        h, c = super().update(s, h, c)
        return h, c.clamp(-50, 50)


class GatesCutOff(Cell):
    """The forget gate learns nothing."""

    def update(self, s: Tensor, h: Tensor, c: Tensor) -> State:
        gate = sliced(s)
        i, f, o = (torch.sigmoid(gate[name]) for name in "ifo")
        c = f.detach() * c + i * torch.tanh(gate["g"])
        return o * torch.tanh(c), c


class SinglePrecisionGates(Cell):
    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        return super().pre(x, h).float().to(x.dtype)


class Layers(nn.LSTM):
    """Right sequences in pieces, each of which a bug replaces."""

    def forward(self, x: Tensor, hx: Any = None) -> Any:
        batched, swapped = x.dim() == 3, self.batch_first and x.dim() == 3
        x = self.swapped(x) if swapped else x
        if hx is None:
            zeros = x.new_zeros(self.num_layers, *x.shape[1:-1], self.hidden_size)
            hx = zeros, zeros
        last: list[State] = []
        for layer in range(self.num_layers):
            x, state = self.layer(layer, x, self.first(layer, hx))
            last.append(state)
        h, c = (torch.stack([state[n] for state in last]) for n in (0, 1))
        return (self.swapped(x) if swapped and batched else x), (h, c)

    def swapped(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1)

    def first(self, layer: int, hx: State) -> State:
        return hx[0][layer], hx[1][layer]

    def layer(self, layer: int, x: Tensor, state: State) -> tuple[Tensor, State]:
        outputs = []
        for x_t in x:
            state = self.one(layer, x_t, state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def one(self, layer: int, x: Tensor, state: State) -> State:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        w, u, b, d = (getattr(self, f"{name}_l{layer}", 0) for name in names)
        gate = sliced(x @ w.T + state[0] @ u.T + b + d)
        i, f, o = (torch.sigmoid(gate[name]) for name in "ifo")
        c = f * state[1] + i * torch.tanh(gate["g"])
        return o * torch.tanh(c), c


class Reshaped(Layers):
    """The batch comes first: the numbers are reshaped and not transposed."""

    def swapped(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[1], x.shape[0], *x.shape[2:])


class OneStateForAll(Layers):
    def first(self, layer: int, hx: State) -> State:
        return super().first(0, hx)


class StatesExchanged(Layers):
    def first(self, layer: int, hx: State) -> State:
        h, c = super().first(layer, hx)
        return c, h


class StateOfBiasAlone(Layers):
    """Without biases the last hidden state is thought to be none."""

    def forward(self, x: Tensor, hx: Any = None) -> Any:
        output, (h, c) = super().forward(x, hx)
        return output, (h if self.bias else torch.zeros_like(h), c)


class Truncated(Layers):
    """The hidden state is cut off from autograd between steps."""

    def one(self, layer: int, x: Tensor, state: State) -> State:
        return super().one(layer, x, (state[0].detach(), state[1]))


class MemoryCutOff(Layers):
    def one(self, layer: int, x: Tensor, state: State) -> State:
        return super().one(layer, x, (state[0], state[1].detach()))


class Residual(Layers):
    """Layers from the second on add their input, as in some stacks."""

    def layer(self, layer: int, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, state = super().layer(layer, x, state)
        return (y + x if layer else y), state


class CellsHandedUp(Layers):
    def layer(self, layer: int, x: Tensor, state: State) -> tuple[Tensor, State]:
        outputs = []
        for x_t in x:
            state = self.one(layer, x_t, state)
            outputs.append(state[0] if layer == self.num_layers - 1 else state[1])
        return torch.stack(outputs), state


class Forgetful(Layers):
    """The state is lost at the third step."""

    def layer(self, layer: int, x: Tensor, state: State) -> tuple[Tensor, State]:
        if len(x) < 3:
            return super().layer(layer, x, state)
        early, _ = super().layer(layer, x[:2], state)
        late, end = super().layer(layer, x[2:], state)
        return torch.cat([early, late]), end


Eight = tuple[Tensor, ...]


class Backward:
    """A right backward pass in pieces, each of which a bug replaces."""

    def __call__(self, grad_h: Tensor, grad_c: Tensor, x: Tensor, h: Tensor, c: Tensor, *parameters: Tensor) -> Eight:
        w, u, b, d = parameters
        steps, cells, states = [], [c], [h]
        for x_t in x:
            gate = sliced(x_t @ w.T + h @ u.T + b + d)
            i, f, o = (torch.sigmoid(gate[name]) for name in "ifo")
            g = torch.tanh(gate["g"])
            c = f * c + i * g
            h = o * torch.tanh(c)
            steps.append((i, f, g, o))
            cells.append(c)
            states.append(h)
        next_h, next_c = torch.zeros_like(h), grad_c
        deltas, by_h, by_c = [], [], []
        for t in range(len(x), 0, -1):
            i, f, g, o = steps[t - 1]
            dh = self.arriving(grad_h[t - 1], next_h)
            dc = self.at_cell(dh, o, cells[t]) + next_c
            delta = self.delta(i, f, g, o, dh, dc, cells[t - 1], cells[t])
            next_h, next_c = self.back(delta, u), self.along(f, dc, steps[t - 2][1])
            deltas.insert(0, delta)
            by_h.insert(0, dh)
            by_c.insert(0, dc)
        all_deltas = torch.stack(deltas)
        by_u = torch.stack([self.outer(delta, states, t) for t, delta in enumerate(deltas)]).sum(0)
        by_w = torch.stack([torch.outer(delta, x_t) for delta, x_t in zip(deltas, x, strict=True)]).sum(0)
        later = torch.stack(by_h), torch.stack(by_c)
        return (all_deltas @ w, next_h, next_c, by_w, by_u, all_deltas.sum(0), *later)

    def arriving(self, told: Tensor, handed: Tensor) -> Tensor:
        return told + handed

    def at_cell(self, dh: Tensor, o: Tensor, c: Tensor) -> Tensor:
        return dh * o * (1 - torch.tanh(c) ** 2)

    def delta(self, i: Any, f: Any, g: Any, o: Any, dh: Tensor, dc: Tensor, before: Tensor, c: Tensor) -> Tensor:
        parts = [i * (1 - i) * g * dc, f * (1 - f) * before * dc, (1 - g * g) * i * dc]
        return torch.cat([*parts, o * (1 - o) * torch.tanh(c) * dh], -1)

    def back(self, delta: Tensor, u: Tensor) -> Tensor:
        return delta @ u

    def along(self, f: Tensor, dc: Tensor, earlier: Tensor) -> Tensor:
        return f * dc

    def outer(self, delta: Tensor, states: list[Tensor], t: int) -> Tensor:
        return torch.outer(delta, states[t])


class NewStateInOuter(Backward):
    def outer(self, delta: Tensor, states: list[Tensor], t: int) -> Tensor:
        return torch.outer(delta, states[t + 1])


class SlopeOfCellMissing(Backward):
    def at_cell(self, dh: Tensor, o: Tensor, c: Tensor) -> Tensor:
        return dh * o


class ForgetGateOfEarlierStep(Backward):
    def along(self, f: Tensor, dc: Tensor, earlier: Tensor) -> Tensor:
        return earlier * dc


class NoDecay(Backward):
    """The notes, read literally: nothing is lost along the memory cell."""

    def along(self, f: Tensor, dc: Tensor, earlier: Tensor) -> Tensor:
        return dc


class OutputGateSeesCellGradient(Backward):
    def delta(self, i: Any, f: Any, g: Any, o: Any, dh: Tensor, dc: Tensor, before: Tensor, c: Tensor) -> Tensor:
        right = super().delta(i, f, g, o, dh, dc, before, c)
        return torch.cat([right[: 3 * len(i)], o * (1 - o) * torch.tanh(c) * dc])


class OutputGateNotHandedBack(Backward):
    def back(self, delta: Tensor, u: Tensor) -> Tensor:
        kept = 3 * u.shape[1]
        return delta[:kept] @ u[:kept]


Two = tuple[Tensor, Tensor]


def jacobian(x: Tensor, h: Tensor, c: Tensor, w: Tensor, u: Tensor, b: Tensor, d: Tensor) -> Two:
    """The direct path, and the whole by autograd."""
    gates = []

    def last(start: Tensor) -> Tensor:
        state, cell = h, start
        for x_t in x:
            gate = sliced(x_t @ w.T + state @ u.T + b + d)
            i, f, o = (torch.sigmoid(gate[name]) for name in "ifo")
            cell = f * cell + i * torch.tanh(gate["g"])
            state = o * torch.tanh(cell)
            gates.append(f)
        return cell

    value, pull = torch.func.vjp(last, c)
    rows = torch.stack([pull(unit)[0] for unit in torch.eye(len(value), dtype=value.dtype)])
    gates.clear()
    last(c)
    return torch.stack(gates).prod(0), rows


def jacobian_transposed(*given: Tensor) -> Two:
    kept, rows = jacobian(*given)
    return torch.diag_embed(kept), rows.mT


def jacobian_direct_only(*given: Tensor) -> Two:
    kept, rows = jacobian(*given)
    return torch.diag_embed(kept), torch.diag_embed(torch.diagonal(rows))


def jacobian_mean_of_gates(x: Tensor, *given: Tensor) -> Two:
    kept, rows = jacobian(x, *given)
    return torch.diag_embed(kept ** (1 / len(x))), rows


PLANTED = (
    Planted("candidate in the last rows", "lstm.LSTMCell", CandidateLast),
    Planted("rows of the gates interleaved", "lstm.LSTMCell", RowsInterleaved),
    Planted("second bias forgotten", "lstm.LSTMCell", OneBias),
    Planted("1 added to the forget gate", "lstm.LSTMCell", ForgetBias),
    Planted("hard sigmoid", "lstm.LSTMCell", HardSigmoid),
    Planted("no tanh on the output", "lstm.LSTMCell", NoTanhOnOutput),
    Planted("output from the old cell state", "lstm.LSTMCell", OldCellOut),
    Planted("cell states clamped at 50", "lstm.LSTMCell", ClampedCell),
    Planted("forget gate is cut off from autograd", "lstm.LSTMCell", GatesCutOff),
    Planted("pre-activations in single precision", "lstm.LSTMCell", SinglePrecisionGates),
    Planted("batch reshaped and not transposed", "lstm.LSTM", Reshaped),
    Planted("first layer's state for every layer", "lstm.LSTM", OneStateForAll),
    Planted("no hidden state without biases", "lstm.LSTM", StateOfBiasAlone),
    Planted("initial h and c exchanged", "lstm.LSTM", StatesExchanged),
    Planted("hidden state is cut off from autograd", "lstm.LSTM", Truncated),
    Planted("cell state is cut off from autograd", "lstm.LSTM", MemoryCutOff),
    Planted("residual connection between layers", "lstm.LSTM", Residual),
    Planted("cell states handed to the next layer", "lstm.LSTM", CellsHandedUp),
    Planted("state lost at the third step", "lstm.LSTM", Forgetful),
    Planted("new hidden state in the outer product", "lstm.backward", NewStateInOuter()),
    Planted("slope of tanh(c) left out", "lstm.backward", SlopeOfCellMissing()),
    Planted("forget gate of an earlier step", "lstm.backward", ForgetGateOfEarlierStep()),
    Planted("no decay along the memory cell", "lstm.backward", NoDecay()),
    Planted("output gate is told the cell's gradient", "lstm.backward", OutputGateSeesCellGradient()),
    Planted("output gate hands nothing back", "lstm.backward", OutputGateNotHandedBack()),
    Planted("Jacobian transposed", "lstm.memory_jacobian", jacobian_transposed),
    Planted("paths between cells left out", "lstm.memory_jacobian", jacobian_direct_only),
    Planted("geometric mean of the gates", "lstm.memory_jacobian", jacobian_mean_of_gates),
)
