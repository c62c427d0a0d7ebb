"""Wrong recurrent networks, Jacobians and backward passes through time."""

from typing import Any

import torch
from torch import Tensor, nn

from planted import Planted

SIGMA = {"tanh": torch.tanh, "relu": torch.relu}
SLOPE = {"tanh": lambda h: 1 - h * h, "relu": lambda h: (h > 0).to(h.dtype)}


class Loop(nn.Module):
    """A recurrent network in pieces, each of which a bug replaces."""

    def __init__(
        self,
        d: int,
        n: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        self.num_layers, self.nonlinearity, self.bias, self.batch_first = num_layers, nonlinearity, bias, batch_first
        for layer in range(num_layers):
            shapes = {"weight_ih": (n, n if layer else d), "weight_hh": (n, n), "bias_ih": (n,), "bias_hh": (n,)}
            for name, shape in shapes.items():
                if bias or "weight" in name:
                    self.register_parameter(f"{name}_l{layer}", nn.Parameter(torch.zeros(shape)))

    def own(self, name: str, layer: int) -> Any:
        return getattr(self, f"{name}_l{layer}") if self.bias or "weight" in name else 0

    def forward(self, x: Tensor, hx: Tensor) -> tuple[Tensor, Tensor]:
        turned = self.batch_first and x.dim() == 3
        steps, last = x.transpose(0, 1) if turned else x, []
        for layer in range(self.num_layers):
            states = self.layer(layer, steps, hx[layer])
            last.append(states[-1])
            steps = self.between(torch.stack(states), layer)
        return steps.transpose(0, 1) if turned else steps, torch.stack(last)

    def layer(self, layer: int, steps: Tensor, h: Tensor) -> list[Tensor]:
        states = []
        for x in steps:
            h = self.step(layer, x, h)
            states.append(h)
        return states

    def between(self, states: Tensor, layer: int) -> Tensor:
        return states

    def step(self, layer: int, x: Tensor, h: Tensor) -> Tensor:
        s = x @ self.own("weight_ih", layer).T + self.own("bias_ih", layer)
        return self.sigma(s + h @ self.own("weight_hh", layer).T + self.own("bias_hh", layer))

    def sigma(self, s: Tensor) -> Tensor:
        return SIGMA[self.nonlinearity](s)


class Transposed(Loop):
    def step(self, layer: int, x: Tensor, h: Tensor) -> Tensor:
        s = x @ self.own("weight_ih", layer).T + self.own("bias_ih", layer)
        return self.sigma(s + h @ self.own("weight_hh", layer) + self.own("bias_hh", layer))


class SecondBiasForgotten(Loop):
    def step(self, layer: int, x: Tensor, h: Tensor) -> Tensor:
        s = x @ self.own("weight_ih", layer).T + self.own("bias_ih", layer)
        return self.sigma(s + h @ self.own("weight_hh", layer).T)


class Detached(Loop):
    """The values are right."""

    def step(self, layer: int, x: Tensor, h: Tensor) -> Tensor:
        return super().step(layer, x, h.detach())


class DetachedLater(Loop):
    """The first step keeps its gradient."""

    def layer(self, layer: int, steps: Tensor, h: Tensor) -> list[Tensor]:
        states = []
        for t, x in enumerate(steps):
            h = self.step(layer, x, h.detach() if t >= 2 else h)
            states.append(h)
        return states


class StateTwoBack(Loop):
    def layer(self, layer: int, steps: Tensor, h: Tensor) -> list[Tensor]:
        states = [h, h]
        for x in steps:
            states.append(self.step(layer, x, states[-2]))
        return states[2:]


class FirstStateForAllLayers(Loop):
    def forward(self, x: Tensor, hx: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(x, hx[:1].expand_as(hx))


class UpperLayerReadsBackwards(Loop):
    def between(self, states: Tensor, layer: int) -> Tensor:
        return states.flip(0) if layer + 1 < self.num_layers else states


class WeightsOfTheFirstLayer(Loop):
    def own(self, name: str, layer: int) -> Any:
        return super().own(name, 0 if name == "weight_hh" else layer)


class ClampedState(Loop):
    """Only large states of relu show it."""

    def sigma(self, s: Tensor) -> Tensor:
        return super().sigma(s).clamp(-8, 8)


class TanhByExponentials(Loop):
    """Overflows."""

    def sigma(self, s: Tensor) -> Tensor:
        return super().sigma(s) if self.nonlinearity == "relu" else (s.exp() - (-s).exp()) / (s.exp() + (-s).exp())


class LeakySlope(Loop):
    def sigma(self, s: Tensor) -> Tensor:
        return torch.nn.functional.leaky_relu(s, 1e-3) if self.nonlinearity == "relu" else torch.tanh(s)


class ClippedGradient(Loop):
    """Against explosion; the values are right."""

    def step(self, layer: int, x: Tensor, h: Tensor) -> Tensor:
        gentle = torch.where(h.abs() < 1e-2, h, h.detach())
        return super().step(layer, x, gentle)


class Readout(nn.Module):
    """A recurrent network with outputs."""

    early, squashed = False, False

    def __init__(self, d: int, n: int, o: int, nonlinearity: str = "tanh", bias: bool = True) -> None:
        super().__init__()
        self.rnn = Loop(d, n, 1, nonlinearity, bias)
        self.weight_hy = nn.Parameter(torch.zeros(o, n))
        self.bias_y = nn.Parameter(torch.zeros(o)) if bias else None

    def forward(self, x: Tensor, hx: Tensor) -> tuple[Tensor, Tensor]:
        states, last = self.rnn(x, hx)
        return self.read(states, hx), last

    def read(self, states: Tensor, hx: Tensor) -> Tensor:
        y = states @ self.weight_hy.T
        return y if self.bias_y is None else y + self.bias_y


class ReadsTheStateBefore(Readout):
    def read(self, states: Tensor, hx: Tensor) -> Tensor:
        return super().read(torch.cat([hx, states[:-1]]), hx)


class ReadsTheLastState(Readout):
    def read(self, states: Tensor, hx: Tensor) -> Tensor:
        return super().read(states[-1:].expand_as(states), hx)


class BiasForgotten(Readout):
    def read(self, states: Tensor, hx: Tensor) -> Tensor:
        return states @ self.weight_hy.T + 0 * (0 if self.bias_y is None else self.bias_y)


class ReadsWithoutGradient(Readout):
    """Only the gradient by the recurrent weights shows it."""

    def read(self, states: Tensor, hx: Tensor) -> Tensor:
        return super().read(torch.cat([states[:-1].detach(), states[-1:]]), hx)


# ---------------------------------------------------------------- without autograd


def states_of(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, kind: str) -> list[Tensor]:
    states = [h0]
    for step in x:
        states.append(SIGMA[kind](step @ U.T + states[-1] @ W.T + b))
    return states


def jacobian_in_reverse_order(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, kind: str) -> Tensor:
    J = torch.eye(len(W), dtype=W.dtype)
    for h in states_of(x, h0, U, W, b, kind)[1:]:
        J = J @ (SLOPE[kind](h).unsqueeze(-1) * W)
    return J


def jacobian_of_columns(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, kind: str) -> Tensor:
    J = torch.eye(len(W), dtype=W.dtype)
    for h in states_of(x, h0, U, W, b, kind)[1:]:
        J = (SLOPE[kind](h) * W) @ J
    return J


def jacobian_that_stops(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, kind: str) -> Tensor:
    J = torch.eye(len(W), dtype=W.dtype)
    for h in states_of(x, h0, U, W, b, kind)[1:]:
        J = (SLOPE[kind](h) + 1e-6).unsqueeze(-1) * (W @ J)
    return J


def backward_through(states: list[Tensor], g: Tensor, W: Tensor, kind: str, first: int, last: int) -> dict[int, Tensor]:
    found: dict[int, Tensor] = {}
    for t in range(last, first - 1, -1):
        arriving = g[t - 1] + found[t + 1] @ W if t < last else g[t - 1]
        found[t] = SLOPE[kind](states[t]) * arriving
    return found


def outer(delta: Tensor, h: Tensor) -> Tensor:
    return delta.reshape(-1, delta.shape[-1]).T @ h.reshape(-1, h.shape[-1])


def averaged(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, g: Tensor, kind: str) -> Any:
    states = states_of(x, h0, U, W, b, kind)
    found = backward_through(states, g, W, kind, 1, len(x))
    back, T = torch.stack([found[t] for t in range(1, len(x) + 1)]), len(x)
    bias = back.reshape(-1, back.shape[-1]).mean(0) * len(back[0].reshape(-1, back.shape[-1]))
    return outer(back, x) / T, outer(back, torch.stack(states[:-1])) / T, bias, found[1] @ W, back @ U


def last_gradient_twice(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, g: Tensor, kind: str) -> Any:
    states = states_of(x, h0, U, W, b, kind)
    found = backward_through(states, torch.cat([g[:-1], 2 * g[-1:]]), W, kind, 1, len(x))
    back = torch.stack([found[t] for t in range(1, len(x) + 1)])
    total = back.reshape(-1, back.shape[-1]).sum(0)
    return outer(back, x), outer(back, torch.stack(states[:-1])), total, found[1] @ W, back @ U


def copies_of_later_states(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, g: Tensor, kind: str) -> Any:
    states = states_of(x, h0, U, W, b, kind)
    found = backward_through(states, g, W, kind, 1, len(x))
    times = range(1, len(x) + 1)
    weights = torch.stack([outer(found[t], states[t]) for t in times])
    return torch.stack([outer(found[t], x[t - 1]) for t in times]), weights, torch.stack([found[t] for t in times])


def copies_in_reverse(x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, g: Tensor, kind: str) -> Any:
    states = states_of(x, h0, U, W, b, kind)
    found = backward_through(states, g, W, kind, 1, len(x))
    times = range(len(x), 0, -1)
    weights = torch.stack([outer(found[t], states[t - 1]) for t in times])
    return torch.stack([outer(found[t], x[t - 1]) for t in times]), weights, torch.stack([found[t] for t in times])


class Windows:
    """Truncated backpropagation, in pieces."""

    def __call__(
        self, x: Tensor, h0: Tensor, U: Tensor, W: Tensor, b: Tensor, g: Tensor, k1: int, k2: int, kind: str
    ) -> Any:
        states, found = states_of(x, h0, U, W, b, kind), []
        for begin, end in self.windows(len(x), k1):
            first = self.first(begin, end, k2)
            own = torch.cat([torch.zeros_like(g[: self.since(begin, end, k1)]), g[self.since(begin, end, k1) :]])
            deltas = backward_through(states, own, W, kind, first, end)
            back = torch.stack([deltas[t] for t in range(first, end + 1)])
            found.append(
                (outer(back, x[first - 1 : end]), outer(back, torch.stack(states[first - 1 : end])), back.sum(0))
            )
        return tuple(torch.stack(parts) for parts in zip(*found, strict=True))

    def windows(self, T: int, k1: int) -> list[tuple[int, int]]:
        return [(begin, min(begin + k1, T)) for begin in range(0, T, k1)]

    def first(self, begin: int, end: int, k2: int) -> int:
        return max(1, end - k2 + 1)

    def since(self, begin: int, end: int, k1: int) -> int:
        return begin


class OneMoreStepBack(Windows):
    def first(self, begin: int, end: int, k2: int) -> int:
        return max(1, end - k2)


class CountedFromTheBeginning(Windows):
    def first(self, begin: int, end: int, k2: int) -> int:
        return max(1, begin - k2 + 2)


class NeverBeforeTheWindow(Windows):
    def first(self, begin: int, end: int, k2: int) -> int:
        return max(begin + 1, end - k2 + 1)


class ShortLastWindowReachesFurther(Windows):
    """Only where k1 does not divide the length."""

    def since(self, begin: int, end: int, k1: int) -> int:
        return max(0, end - k1)


class OnlyTheLastLoss(Windows):
    def since(self, begin: int, end: int, k1: int) -> int:
        return end - 1


def signed_updates(parameter: Tensor, copies: Tensor, lr: float, eps: float) -> Tensor:
    return parameter - lr * (copies / (copies.abs() + eps)).sum(0)


def mean_gradient(parameter: Tensor, copies: Tensor, lr: float, eps: float) -> Tensor:
    g = copies.mean(0)
    return parameter - lr * g / (g.abs() + eps)


def epsilon_in_root(parameter: Tensor, copies: Tensor, lr: float, eps: float) -> Tensor:
    g = copies.sum(0)
    return parameter - lr * g / (g * g + eps).sqrt()


PLANTED = (
    Planted("recurrent weight transposed", "recurrent.RNN", Transposed),
    Planted("the second bias is forgotten", "recurrent.RNN", SecondBiasForgotten),
    Planted("state detached at every step", "recurrent.RNN", Detached),
    Planted("state detached from the third step on", "recurrent.RNN", DetachedLater),
    Planted("reads the state of two steps before", "recurrent.RNN", StateTwoBack),
    Planted("first state of the first layer for all layers", "recurrent.RNN", FirstStateForAllLayers),
    Planted("the upper layer reads the states backwards", "recurrent.RNN", UpperLayerReadsBackwards),
    Planted("recurrent weight of the first layer in all layers", "recurrent.RNN", WeightsOfTheFirstLayer),
    Planted("states clamped to 8", "recurrent.RNN", ClampedState),
    Planted("tanh by exponentials that overflow", "recurrent.RNN", TanhByExponentials),
    Planted("relu leaks a thousandth", "recurrent.RNN", LeakySlope),
    Planted("gradient cut where states are large", "recurrent.RNN", ClippedGradient),
    Planted("outputs of the state before", "recurrent.RecurrentNetwork", ReadsTheStateBefore),
    Planted("all outputs of the last state", "recurrent.RecurrentNetwork", ReadsTheLastState),
    Planted("bias of the output forgotten", "recurrent.RecurrentNetwork", BiasForgotten),
    Planted("earlier outputs without a gradient", "recurrent.RecurrentNetwork", ReadsWithoutGradient),
    Planted("factors in reverse order", "recurrent.state_jacobian", jacobian_in_reverse_order),
    Planted("slopes scale the columns", "recurrent.state_jacobian", jacobian_of_columns),
    Planted("slope never below a millionth", "recurrent.state_jacobian", jacobian_that_stops),
    Planted("averaged over the steps", "recurrent.bptt", averaged),
    Planted("last loss counted twice", "recurrent.bptt", last_gradient_twice),
    Planted("state after the step", "recurrent.unfolded_gradients", copies_of_later_states),
    Planted("copies in reverse order", "recurrent.unfolded_gradients", copies_in_reverse),
    Planted("one step more back", "recurrent.truncated_bptt", OneMoreStepBack()),
    Planted("steps counted from the beginning of the window", "recurrent.truncated_bptt", CountedFromTheBeginning()),
    Planted("never back beyond the window", "recurrent.truncated_bptt", NeverBeforeTheWindow()),
    Planted("a short last window takes losses again", "recurrent.truncated_bptt", ShortLastWindowReachesFurther()),
    Planted("only the last loss of a window", "recurrent.truncated_bptt", OnlyTheLastLoss()),
    Planted("updates summed, not gradients", "recurrent.shared_update", signed_updates),
    Planted("gradients averaged before the step", "recurrent.shared_update", mean_gradient),
    Planted("epsilon within the root", "recurrent.shared_update", epsilon_in_root),
)
