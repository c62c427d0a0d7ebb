"""Momentum that is right for one parameter in one go, and wrong as soon as more is asked of it."""

from typing import Any

from torch import Tensor
from torch.optim.optimizer import Optimizer

from planted import Planted, closed
from planted.optimizer_states import State


class Momentum(Optimizer):
    """SGD with momentum, in pieces; all of it is right."""

    def __init__(self, params: Any, **given: Any) -> None:
        usual = {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
        super().__init__(params, usual | {"maximize": False} | given)

    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.one(p, group)

    def one(self, p: Tensor, group: State) -> None:
        d = p.grad
        if group["maximize"]:
            d = -d
        if group["weight_decay"]:
            d = d + group["weight_decay"] * p
        if group["momentum"]:
            b = self.buffer(d, self.kept(p), group)
            self.state[p]["momentum_buffer"] = b
            d = d + group["momentum"] * b if group["nesterov"] else b
        p.sub_(group["lr"] * d)

    def kept(self, p: Tensor) -> Any:
        return self.state[p].get("momentum_buffer")

    def buffer(self, d: Tensor, old: Any, group: State) -> Tensor:
        return d.clone() if old is None else group["momentum"] * old + (1 - group["dampening"]) * d


class BufferIsTheGradient(Momentum):
    def buffer(self, d: Tensor, old: Any, group: State) -> Tensor:
        return d if old is None else super().buffer(d, old, group)


class BufferByShape(Momentum):
    """Buffers are found by the shape of the parameter, so that two of one shape share theirs."""

    def kept(self, p: Tensor) -> Any:
        return self.state.get(tuple(p.shape), {}).get("last")

    def buffer(self, d: Tensor, old: Any, group: State) -> Tensor:
        found = super().buffer(d, old, group)
        self.state[tuple(d.shape)]["last"] = found
        return found

    def state_dict(self) -> State:
        own = {key: self.state.pop(key) for key in list(self.state) if isinstance(key, tuple)}
        saved = super().state_dict()
        self.state.update(own)
        return saved

    def load_state_dict(self, state_dict: State) -> None:
        super().load_state_dict(state_dict)
        for p, state in list(self.state.items()):
            self.state[tuple(p.shape)]["last"] = state["momentum_buffer"]


class BufferInTheClass(Momentum):
    """One buffer for all optimizers of the kind, begun anew by each that is made."""

    last: Any = None

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **given)
        self.first = True

    def kept(self, p: Tensor) -> Any:
        old = super().kept(p)
        return old if old is None else type(self).last

    def buffer(self, d: Tensor, old: Any, group: State) -> Tensor:
        old = None if old is None or old.shape != d.shape else old
        type(self).last = super().buffer(d, old, group)
        return type(self).last


PLANTED = (
    Planted("the buffer is the gradient itself", "momentum.SGD", BufferIsTheGradient),
    Planted("one buffer for parameters of one shape", "momentum.SGD", BufferByShape),
    Planted("one buffer for all optimizers", "momentum.SGD", BufferInTheClass),
)
"""Every one holds as a single run of a single parameter does; the contract finds it."""
