"""Bugs of state, layout and resumption as users report them of libraries."""

import typing
from typing import Any

import torch
from torch import Tensor

from gnomon.reference import convolution, flow, graph, lstm, recurrent, standardize
from planted import Planted
from planted.momentum_states import Momentum
from planted.optimizer_states import Adam, State

# ------------------------------------------------------------------ what is kept from the call before


class ValuesByIdentity(flow.Planar):
    """The last value is kept with the tensor it belongs to, which may hold other numbers by now."""

    kept: typing.ClassVar[list[Any]] = []

    def _call(self, x: Tensor) -> Tensor:
        for known, own, value in self.kept:
            if known is x and own is self.w:
                return value
        value = super()._call(x)
        if not value.requires_grad and not torch._C._functorch.is_functorch_wrapped_tensor(value):
            self.kept.append((x, self.w, value))
        return value


class GraphKept(graph.HeatDiffusion):
    """The first graph that a layer sees is kept: layers that cache a normalized adjacency do so."""

    seen: typing.ClassVar[dict[Any, Any]] = {}

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        edges = self.seen.setdefault((len(x), edge_index.shape), edge_index)
        return super().forward(x, edges, edge_weight)


class WritesIntoItsState(lstm.LSTMCell):
    """The new cell state is written where the old one was."""

    def forward(self, x: Tensor, hx: Any = None) -> Any:
        h, c = super().forward(x, hx)
        if hx is not None and not hx[1].requires_grad and not c.requires_grad:
            hx[1].copy_(c)
        return h, c


# ------------------------------------------------------------------ layouts


class ChannelsLastAsFirst(convolution.Conv2d):
    """Reads an image's numbers as they lie in memory."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() >= 3 and not x.requires_grad and not torch._C._functorch.is_functorch_wrapped_tensor(x):
            step = [1]
            for size in reversed(x.shape[1:]):
                step.insert(0, step[0] * size)
            x = x.as_strided(x.shape, step) if x.untyped_storage().nbytes() >= x.nbytes else x
        return super().forward(x)


class StatesAsTheyLie(recurrent.RNN):
    """The first state is viewed without looking at its strides."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Any:
        if hx is not None and not torch._C._functorch.is_functorch_wrapped_tensor(hx):
            steps = [1]
            for size in reversed(hx.shape[1:]):
                steps.insert(0, steps[0] * size)
            hx = hx.as_strided(hx.shape, steps)
        return super().forward(input, hx)


class DataAsTheyLie(standardize.MinMaxScaler):
    """New data are read in the order in which they lie in memory."""

    def transform(self, x: Tensor) -> Tensor:
        return super().transform(x.as_strided(x.shape, (x.shape[1], 1)))


# ------------------------------------------------------------------ options, groups and missing gradients


class DecaysWhatHasNoGradient(Adam):
    """Decoupled decay is applied to every parameter of a group, and not to those that are stepped."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **({"weight_decay": 0.01} | given))

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = self.loss(closure)
        for group in self.param_groups:
            for p in group["params"]:
                p.mul_(1 - group["lr"] * group["weight_decay"])
                if p.grad is not None:
                    self.one(p, group | {"weight_decay": 0.0})
        return loss


class DecaysByTheFirstRate(Adam):
    """Decoupled decay goes by the learning rate that the optimizer was made with."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **({"weight_decay": 0.01} | given))
        self.rate = self.param_groups[0]["lr"]

    def one(self, p: Tensor, group: State) -> None:
        p.mul_(1 - self.rate * group["weight_decay"])
        super().one(p, group | {"weight_decay": 0.0})


# ------------------------------------------------------------------ resumed


class DampensAgain(Momentum):
    """Which step is the first is told by a flag that is not saved: after loading the buffer begins anew."""

    begun = False

    def buffer(self, d: Tensor, old: Any, group: State) -> Tensor:
        begun, self.begun = self.begun, True
        return super().buffer(d, old if begun else None, group)


class BuffersByPosition(Momentum):
    """The buffers of what is saved are handed out in the order in which parameters got one."""

    def load_state_dict(self, state_dict: State) -> None:
        states = list(state_dict["state"].values())
        super().load_state_dict(state_dict | {"state": dict(enumerate(reversed(states)))})


class ExtremesNotSaved(standardize.MinMaxScaler):
    """The extremes are plain attributes, which nothing saves."""

    def __init__(self, num_features: int, *range: Any, **options: Any) -> None:
        super().__init__(num_features, *range, **options)
        least, greatest = self.least, self.greatest
        del self.least, self.greatest
        self.least, self.greatest = least, greatest


PLANTED = (
    Planted("the last value, kept by identity", "flow.Planar", ValuesByIdentity),
    Planted("the first graph kept", "graph.HeatDiffusion", GraphKept),
    Planted("the new cell state over the old one", "lstm.LSTMCell", WritesIntoItsState),
    Planted("channels last read as channels first", "convolution.Conv2d", ChannelsLastAsFirst),
    Planted("the first state read as it lies", "recurrent.RNN", StatesAsTheyLie),
    Planted("new data read as they lie", "standardize.MinMaxScaler", DataAsTheyLie),
    Planted("what has no gradient decays", "optim.AdamW", DecaysWhatHasNoGradient),
    Planted("decay by the rate of the constructor", "optim.AdamW", DecaysByTheFirstRate),
    Planted("the buffer begins anew after loading", "momentum.SGD", DampensAgain),
    Planted("buffers handed out in another order", "momentum.SGD", BuffersByPosition),
    Planted("the fit is not saved", "standardize.MinMaxScaler", ExtremesNotSaved),
)
