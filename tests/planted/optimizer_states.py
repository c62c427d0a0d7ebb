"""Optimizers that are right for one parameter, in one group, in one go, and wrong as soon as more is asked of them."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer

from planted import Planted

State = dict[str, Any]


class Adam(Optimizer):
    """Adam in pieces, each of which a bug replaces; all of it is right."""

    def __init__(self, params: Any, **given: Any) -> None:
        usual = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "maximize": False}
        super().__init__(params, usual | given)

    def loss(self, closure: Any) -> Any:
        if closure is None:
            return None
        with torch.enable_grad():
            return closure()

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = self.loss(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.one(p, self.options(group))
        return loss

    def options(self, group: State) -> State:
        return group

    def state_of(self, p: Tensor) -> State:
        state = self.state[p]
        if not state:
            state.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
        return state

    def count(self, state: State) -> int:
        state["step"] += 1
        return state["step"]

    def corrections(self, t: int, group: State) -> tuple[float, float]:
        return 1 - group["betas"][0] ** t, 1 - group["betas"][1] ** t

    def one(self, p: Tensor, group: State) -> None:
        state = self.state_of(p)
        t = self.count(state)
        g = (-p.grad if group["maximize"] else p.grad) + group["weight_decay"] * p
        b1, b2 = group["betas"]
        state["exp_avg"] = b1 * state["exp_avg"] + (1 - b1) * g
        state["exp_avg_sq"] = b2 * state["exp_avg_sq"] + (1 - b2) * g * g
        c1, c2 = self.corrections(t, group)
        self.move(p, group["lr"] * (state["exp_avg"] / c1) / ((state["exp_avg_sq"] / c2).sqrt() + group["eps"]))

    def move(self, p: Tensor, step: Tensor) -> None:
        p -= step


# ------------------------------------------------------------------ groups and options


class FirstGroupsOptions(Adam):
    def options(self, group: State) -> State:
        return self.param_groups[0]


class LastGroupsDecay(Adam):
    def options(self, group: State) -> State:
        return {**group, "weight_decay": self.param_groups[-1]["weight_decay"]}


class DefaultsForOptions(Adam):
    def options(self, group: State) -> State:
        return {**self.defaults, "lr": group["lr"]}


class RateOfConstructor(Adam):
    def options(self, group: State) -> State:
        return {**group, "lr": self.defaults["lr"]}


class StepsWhatItWasMadeWith(Adam):
    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **given)
        self.made_with = [(p, group) for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = self.loss(closure)
        for p, group in self.made_with:
            if p.grad is not None:
                self.one(p, group)
        return loss


class ReadsParametersTwice(Adam):
    def __init__(self, params: Any, **given: Any) -> None:
        self.number = sum(1 for _ in params)
        super().__init__(params, **given)


class CorrectionsOfAnother(Adam):
    """Kept in the class by the step alone, whatever the betas are."""

    known: Any = None

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **given)
        type(self).known = {}

    def corrections(self, t: int, group: State) -> tuple[float, float]:
        return self.known.setdefault(t, super().corrections(t, group))


# ------------------------------------------------------------------ gradients that are missing, or 0


class MissingIsZero(Adam):
    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = self.loss(closure)
        for group in self.param_groups:
            for p in group["params"]:
                missing = p.grad is None
                p.grad = torch.zeros_like(p) if missing else p.grad
                self.one(p, group)
                p.grad = None if missing else p.grad
        return loss


class CountsForAll(Adam):
    """One counter for all parameters: right as long as each has a gradient at each step."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **given)
        self.taken = 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        self.taken += 1
        return super().step(closure)

    def count(self, state: State) -> int:
        state["step"] = self.taken
        return self.taken

    def state_dict(self) -> State:
        return {**super().state_dict(), "taken": self.taken}

    def load_state_dict(self, state_dict: State) -> None:
        self.taken = state_dict["taken"]
        super().load_state_dict({name: state_dict[name] for name in ("state", "param_groups")})

    def __getstate__(self) -> State:
        return {**super().__getstate__(), "taken": self.taken}


class StopsAtTheFirstMissing(Adam):
    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = self.loss(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    break
                self.one(p, group)
        return loss


class SkipsZeroTensors(Adam):
    def one(self, p: Tensor, group: State) -> None:
        if p.numel() < 32 or p.grad.any():
            super().one(p, group)


# ------------------------------------------------------------------ saved, loaded, copied


class CountsBesideState(CountsForAll):
    def state_dict(self) -> State:
        return Optimizer.state_dict(self)

    def load_state_dict(self, state_dict: State) -> None:
        Optimizer.load_state_dict(self, state_dict)


class MomentsBesideState(Adam):
    """They lie in a dictionary of its own, which nothing saves."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **given)
        self.own: dict[Tensor, State] = {}

    def state_of(self, p: Tensor) -> State:
        if p not in self.own:
            self.own[p] = {"step": 0, "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
        self.state[p] = self.own[p]
        return self.own[p]


class LoadsWithoutCount(Adam):
    def load_state_dict(self, state_dict: State) -> None:
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["step"] = 0


class SavesOneMoment(Adam):
    def state_dict(self) -> State:
        saved = super().state_dict()
        for state in saved["state"].values():
            state["exp_avg_sq"] = state["exp_avg"] ** 2
        return saved


class TurnsBetas(Adam):
    def load_state_dict(self, state_dict: State) -> None:
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["betas"] = group["betas"][::-1]


class CopiesShareMoments(Adam):
    def __deepcopy__(self, memo: Any) -> "CopiesShareMoments":
        made = type(self)(copy.deepcopy([p for group in self.param_groups for p in group["params"]], memo))
        for group, other in zip(made.param_groups, self.param_groups, strict=False):
            group.update({name: value for name, value in other.items() if name != "params"})
        return made


# ------------------------------------------------------------------ gradients, closures, skipped steps


class TurnsGradients(Adam):
    """Their sign, in place, for a loop that climbs."""

    def one(self, p: Tensor, group: State) -> None:
        p.grad.neg_()
        super().one(p, {**group, "maximize": not group["maximize"]})


class ClearsGradients(Adam):
    def move(self, p: Tensor, step: Tensor) -> None:
        super().move(p, step)
        p.grad.zero_()


class ForgetsWithGradients(Adam):
    """zero_grad is taken for a new beginning."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        for state in self.state.values():
            state["step"] = 0


class AlwaysNone(Adam):
    """The flag is turned round: gradients stay where they ought to be None."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and not set_to_none:
                    p.grad.zero_()


class ClosureIgnored(Adam):
    def loss(self, closure: Any) -> Any:
        return None


class ClosureTwice(Adam):
    def loss(self, closure: Any) -> Any:
        super().loss(closure)
        return super().loss(closure)


class ClosureWithoutGradients(Adam):
    def loss(self, closure: Any) -> Any:
        return None if closure is None else closure()


class LossLost(Adam):
    def loss(self, closure: Any) -> Any:
        super().loss(closure)


# ------------------------------------------------------------------ shapes


class LostOnScattered(Adam):
    """A reshape that copies: the parameter of which it is a copy stays."""

    def move(self, p: Tensor, step: Tensor) -> None:
        p.reshape(-1).sub_(step.reshape(-1))


class NeedsContiguous(Adam):
    def move(self, p: Tensor, step: Tensor) -> None:
        p.view(-1).sub_(step.reshape(-1))


class RowsOnly(Adam):
    def move(self, p: Tensor, step: Tensor) -> None:
        for row, by in zip(p, step, strict=True):
            row -= by


class ScaledByGreatest(Adam):
    """A check for infinities that an empty tensor does not pass."""

    def move(self, p: Tensor, step: Tensor) -> None:
        if step.abs().max() != torch.inf:
            p -= step


class MatricesAtMost(Adam):
    """Stacks of matrices are stepped along their mean, as one matrix."""

    def move(self, p: Tensor, step: Tensor) -> None:
        p -= step.mean(-1, keepdim=True).mean(-2, keepdim=True) if p.dim() == 4 else step


PLANTED = (
    Planted("options of the first group for all", "optim.Adam", FirstGroupsOptions),
    Planted("weight decay of the last group for all", "optim.Adam", LastGroupsDecay),
    Planted("options of the constructor in place of the group's", "optim.Adam", DefaultsForOptions),
    Planted("learning rate of the constructor", "optim.Adam", RateOfConstructor),
    Planted("groups added later are not stepped", "optim.Adam", StepsWhatItWasMadeWith),
    Planted("a generator of parameters is read twice", "optim.Adam", ReadsParametersTwice),
    Planted("corrections shared by optimizers with other betas", "optim.Adam", CorrectionsOfAnother),
    Planted("a missing gradient is taken for 0", "optim.Adam", MissingIsZero),
    Planted("one step counter, also for parameters without a gradient", "optim.Adam", CountsForAll),
    Planted("no step behind a parameter without a gradient", "optim.Adam", StopsAtTheFirstMissing),
    Planted("no step for a tensor whose gradient is all 0", "optim.Adam", SkipsZeroTensors),
    Planted("step counter is not saved", "optim.Adam", CountsBesideState),
    Planted("moments are not loaded", "optim.Adam", MomentsBesideState),
    Planted("step counter is 0 after loading", "optim.Adam", LoadsWithoutCount),
    Planted("second moment is saved as the square of the first", "optim.Adam", SavesOneMoment),
    Planted("betas exchanged by loading", "optim.Adam", TurnsBetas),
    Planted("a copy begins anew", "optim.Adam", CopiesShareMoments),
    Planted("gradients are turned round in place", "optim.Adam", TurnsGradients),
    Planted("gradients are cleared by the step", "optim.Adam", ClearsGradients),
    Planted("zero_grad begins the count anew", "optim.Adam", ForgetsWithGradients),
    Planted("zero_grad leaves what it ought to set to None", "optim.Adam", AlwaysNone),
    Planted("closure is not called", "optim.Adam", ClosureIgnored),
    Planted("closure is called twice", "optim.Adam", ClosureTwice),
    Planted("closure is called without gradients", "optim.Adam", ClosureWithoutGradients),
    Planted("loss of the closure is not returned", "optim.Adam", LossLost),
    Planted("a strided parameter stays where it is", "optim.Adam", LostOnScattered),
    Planted("a strided parameter cannot be viewed", "optim.Adam", NeedsContiguous),
    Planted("a parameter without an axis cannot be stepped", "optim.Adam", RowsOnly),
    Planted("an empty parameter cannot be stepped", "optim.Adam", ScaledByGreatest),
    Planted("one step for all of a tensor with four axes", "optim.Adam", MatricesAtMost),
)
"""Every one holds as a single run of a single parameter does; the contract finds it."""
