"""Wrong versions of the momentum optimizers and of AdamW, from blatant to rare."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer

from planted import Planted, closed

State = dict[str, Any]


class Loop(Optimizer):
    """SGD with momentum in pieces, each of which a bug replaces."""

    def __init__(self, params: Any, **given: Any) -> None:
        usual = {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
        super().__init__(params, usual | {"maximize": False} | given)

    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in [each for each in group["params"] if each.grad is not None]:
                d = self.gradient(p, group)
                if group["momentum"] == 0:
                    p -= group["lr"] * d
                else:
                    self.one(p, d, self.state[p], group)

    def gradient(self, p: Tensor, group: State) -> Tensor:
        return (-p.grad if group["maximize"] else p.grad) + group["weight_decay"] * p

    def one(self, p: Tensor, d: Tensor, state: State, group: State) -> None:
        state["momentum_buffer"] = self.buffer(d, state.get("momentum_buffer"), group)
        self.move(p, d, state["momentum_buffer"], group)

    def buffer(self, d: Tensor, old: Tensor | None, group: State) -> Tensor:
        return d.clone() if old is None else group["momentum"] * old + (1 - group["dampening"]) * d

    def move(self, p: Tensor, d: Tensor, b: Tensor, group: State) -> None:
        p -= group["lr"] * (d + group["momentum"] * b if group["nesterov"] else b)


class DampensFirst(Loop):
    def buffer(self, d: Tensor, old: Tensor | None, group: State) -> Tensor:
        return super().buffer(d, torch.zeros_like(d) if old is None else old, group)


class RateInBuffer(Loop):
    """The buffer holds steps, so that a new rate does not act on old gradients."""

    def buffer(self, d: Tensor, old: Tensor | None, group: State) -> Tensor:
        return super().buffer(group["lr"] * d, old, group)

    def move(self, p: Tensor, d: Tensor, b: Tensor, group: State) -> None:
        p -= group["lr"] * d + group["momentum"] * b if group["nesterov"] else b

    def one(self, p: Tensor, d: Tensor, state: State, group: State) -> None:
        state["steps"] = self.buffer(d, state.get("steps"), group)
        state["momentum_buffer"] = state["steps"] / group["lr"]
        self.move(p, d, state["steps"], group)


class Averages(Loop):
    def buffer(self, d: Tensor, old: Tensor | None, group: State) -> Tensor:
        return d.clone() if old is None else torch.lerp(d, old, group["momentum"])


class MovesFirst(Loop):
    def one(self, p: Tensor, d: Tensor, state: State, group: State) -> None:
        self.move(p, d, state.get("momentum_buffer", torch.zeros_like(d)), group)
        state["momentum_buffer"] = self.buffer(d, state.get("momentum_buffer"), group)


class NesterovTwice(Loop):
    def move(self, p: Tensor, d: Tensor, b: Tensor, group: State) -> None:
        p -= group["lr"] * (d + group["momentum"] * (group["momentum"] * b + d) if group["nesterov"] else b)


class NesterovForgotten(Loop):
    def move(self, p: Tensor, d: Tensor, b: Tensor, group: State) -> None:
        p -= group["lr"] * b


class NesterovLate(Loop):
    """The first step is a plain one: the buffer is set, and then used without looking ahead."""

    def one(self, p: Tensor, d: Tensor, state: State, group: State) -> None:
        first = "momentum_buffer" not in state
        super().one(p, d, state, {**group, "nesterov": group["nesterov"] and not first})


class DecayAside(Loop):
    def gradient(self, p: Tensor, group: State) -> Tensor:
        d = -p.grad if group["maximize"] else p.grad.clone()
        p *= 1 - group["lr"] * group["weight_decay"]
        return d


class PenaltyOfMomentum(Loop):
    """Without momentum there is a short way, which leaves the penalty out."""

    def gradient(self, p: Tensor, group: State) -> Tensor:
        plain = -p.grad if group["maximize"] else p.grad
        return plain if group["momentum"] == 0 else super().gradient(p, group)


class ClimbsFromZero(Loop):
    def gradient(self, p: Tensor, group: State) -> Tensor:
        d = p.grad + group["weight_decay"] * p
        return -d if group["maximize"] else d


class DampensWithoutMomentum(Loop):
    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in [each for each in group["params"] if each.grad is not None]:
                self.one(p, self.gradient(p, group), self.state[p], group)


class GradientTwice(Loop):
    """The gradient stands where the old buffer should."""

    def buffer(self, d: Tensor, old: Tensor | None, group: State) -> Tensor:
        return super().buffer(d, None if old is None else d, group)


class FirstRateForever(Loop):
    def move(self, p: Tensor, d: Tensor, b: Tensor, group: State) -> None:
        group.setdefault("initial", group["lr"])
        super().move(p, d, b, {**group, "lr": group["initial"]})


class SingleBuffer(Loop):
    def buffer(self, d: Tensor, old: Tensor | None, group: State) -> Tensor:
        return super().buffer(d, old, group).float().to(d.dtype)


class ForgetsAfterThree(Loop):
    def one(self, p: Tensor, d: Tensor, state: State, group: State) -> None:
        state["count"] = state.get("count", 0) + 1
        if state["count"] == 4:
            state["momentum_buffer"] = torch.zeros_like(d)
        super().one(p, d, state, group)


class Ball(Optimizer):
    """A heavy ball in pieces."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, {"lr": 1e-3, "momentum": 0.9} | given)

    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in [each for each in group["params"] if each.grad is not None]:
                state = self.state[p]
                old = state.get("velocity", torch.zeros_like(p))
                state["velocity"] = self.roll(old, p.grad, group)
                p += self.moved(old, state["velocity"])

    def roll(self, old: Tensor, g: Tensor, group: State) -> Tensor:
        return group["momentum"] * old - group["lr"] * g

    def moved(self, old: Tensor, new: Tensor) -> Tensor:
        return new


class BallRescaled(Ball):
    def roll(self, old: Tensor, g: Tensor, group: State) -> Tensor:
        before = group.get("before", group["lr"])
        group["before"] = group["lr"]
        return group["momentum"] * old * (group["lr"] / before if before else 1.0) - group["lr"] * g


class BallDampened(Ball):
    def roll(self, old: Tensor, g: Tensor, group: State) -> Tensor:
        return group["momentum"] * old - (1 - group["momentum"]) * group["lr"] * g


class BallLate(Ball):
    def moved(self, old: Tensor, new: Tensor) -> Tensor:
        return old


class Mean(Optimizer):
    """Descent along an average, in pieces."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, {"lr": 1e-3, "beta": 0.9} | given)

    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in [each for each in group["params"] if each.grad is not None]:
                state = self.state[p]
                state["step"] = state.get("step", 0) + 1
                state["exp_avg"] = self.average(state.get("exp_avg"), p.grad, group["beta"])
                p -= group["lr"] * self.corrected(state["exp_avg"], group["beta"], state["step"])

    def average(self, old: Tensor | None, g: Tensor, beta: float) -> Tensor:
        return (1 - beta) * g if old is None else beta * old + (1 - beta) * g

    def corrected(self, m: Tensor, beta: float, t: int) -> Tensor:
        return m


class MeanFromFirst(Mean):
    def average(self, old: Tensor | None, g: Tensor, beta: float) -> Tensor:
        return g.clone() if old is None else super().average(old, g, beta)


class MeanCorrected(Mean):
    def corrected(self, m: Tensor, beta: float, t: int) -> Tensor:
        return m / (1 - beta**t)


class MeanIsSum(Mean):
    def average(self, old: Tensor | None, g: Tensor, beta: float) -> Tensor:
        return g.clone() if old is None else beta * old + g


class Decoupled(torch.optim.AdamW):
    """torch's AdamW with another decay; what the bugs below change."""

    @closed
    def step(self) -> None:
        moved = [
            (p, p.clone(), group["lr"], group["weight_decay"])
            for group in self.param_groups
            for p in group["params"]
            if p.grad is not None
        ]
        decays = [group["weight_decay"] for group in self.param_groups]
        for group in self.param_groups:
            group["weight_decay"] = 0.0
        super().step()
        for group, decay in zip(self.param_groups, decays, strict=True):
            group["weight_decay"] = decay
        for p, old, lr, decay in moved:
            self.decay(p, old, lr, decay)

    def decay(self, p: Tensor, old: Tensor, lr: float, decay: float) -> None:
        p -= lr * decay * old


class DecaysAfter(Decoupled):
    def decay(self, p: Tensor, old: Tensor, lr: float, decay: float) -> None:
        p *= 1 - lr * decay


class DecaysFreely(Decoupled):
    def decay(self, p: Tensor, old: Tensor, lr: float, decay: float) -> None:
        p -= decay * old


class DecaysSteadily(Decoupled):
    """The decay keeps the first learning rate whatever the schedule says."""

    def decay(self, p: Tensor, old: Tensor, lr: float, decay: float) -> None:
        first = self.state[p].setdefault("first_rate", lr)
        p -= first * decay * old


class DecaysExponentially(Decoupled):
    def decay(self, p: Tensor, old: Tensor, lr: float, decay: float) -> None:
        p += math.expm1(-lr * decay) * old


class GrowsWhenClimbing(Decoupled):
    def decay(self, p: Tensor, old: Tensor, lr: float, decay: float) -> None:
        p -= (-lr if self.defaults["maximize"] else lr) * decay * old


Pair = tuple[Tensor, Tensor]


def sgd_update_undamped(
    param: Tensor, grad: Tensor, buffer: Tensor, lr: float, momentum: float, dampening: float, weight_decay: float
) -> Pair:
    new = momentum * buffer + grad + weight_decay * param
    return param - lr * new, new


def sgd_update_half_detached(
    param: Tensor, grad: Tensor, buffer: Tensor, lr: float, momentum: float, dampening: float, weight_decay: float
) -> Pair:
    new = momentum * buffer + (1 - dampening) * (grad + weight_decay * param.detach())
    return param - lr * new, new


def sgd_update_in_place(
    param: Tensor, grad: Tensor, buffer: Tensor, lr: float, momentum: float, dampening: float, weight_decay: float
) -> Pair:
    new = momentum * buffer + (1 - dampening) * (grad + weight_decay * param)
    with torch.no_grad():
        buffer.copy_(new)
    return param - lr * new, new


def rate_of_real_part(curvature: Tensor, lr: float, momentum: float) -> Tensor:
    trace = 1 + momentum - lr * curvature
    root = torch.sqrt((trace**2 - 4 * momentum).clamp(min=0))
    return (trace.abs() + root) / 2


def rate_of_one_root(curvature: Tensor, lr: float, momentum: float) -> Tensor:
    trace = 1 + momentum - lr * curvature
    spread = trace**2 - 4 * momentum
    return torch.where(spread > 0, ((trace + spread.clamp(min=1e-300).sqrt()) / 2).abs(), momentum**0.5)


def tuning_unsquared(least: Tensor, greatest: Tensor) -> Pair:
    total = (greatest.sqrt() + least.sqrt()) ** 2
    return 4 / total, (greatest - least).abs() / total


def tuning_cancelling(least: Tensor, greatest: Tensor) -> Pair:
    """Right, but the difference of two roots cancels."""
    high, low = greatest.sqrt(), least.sqrt()
    return 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2


def tuning_of_descent(least: Tensor, greatest: Tensor) -> Pair:
    total = (greatest.sqrt() + least.sqrt()) ** 2
    return 2 / (least + greatest), ((greatest - least) / total) ** 2


PLANTED = (
    Planted("first gradient dampened", "momentum.SGD", DampensFirst),
    Planted("learning rate inside the buffer", "momentum.SGD", RateInBuffer),
    Planted("an average in the place of the sum", "momentum.SGD", Averages),
    Planted("moves before the buffer is renewed", "momentum.SGD", MovesFirst),
    Planted("looks ahead twice", "momentum.SGD", NesterovTwice),
    Planted("nesterov is ignored", "momentum.SGD", NesterovForgotten),
    Planted("the first step does not look ahead", "momentum.SGD", NesterovLate),
    Planted("no decay without momentum", "momentum.SGD", PenaltyOfMomentum),
    Planted("decay beside the buffer", "momentum.SGD", DecayAside),
    Planted("maximize changes the sign of the decay", "momentum.SGD", ClimbsFromZero),
    Planted("dampens without momentum", "momentum.SGD", DampensWithoutMomentum),
    Planted("buffer made from the gradient alone", "momentum.SGD", GradientTwice),
    Planted("first learning rate forever", "momentum.SGD", FirstRateForever),
    Planted("buffer kept in float32", "momentum.SGD", SingleBuffer),
    Planted("buffer forgotten at step 4", "momentum.SGD", ForgetsAfterThree),
    Planted("velocity rescaled with the rate", "momentum.HeavyBall", BallRescaled),
    Planted("velocity dampened", "momentum.HeavyBall", BallDampened),
    Planted("moves by the velocity of the step before", "momentum.HeavyBall", BallLate),
    Planted("average that starts at the first gradient", "momentum.GradientAverage", MeanFromFirst),
    Planted("average corrected for its start", "momentum.GradientAverage", MeanCorrected),
    Planted("a sum, not an average", "momentum.GradientAverage", MeanIsSum),
    Planted("dampening is ignored", "momentum.sgd_update", sgd_update_undamped),
    Planted("decay is cut off from autograd", "momentum.sgd_update", sgd_update_half_detached),
    Planted("buffer is changed in place", "momentum.sgd_update", sgd_update_in_place),
    Planted("real part in the place of the size", "momentum.heavy_ball_rate", rate_of_real_part),
    Planted("one root, not the longer", "momentum.heavy_ball_rate", rate_of_one_root),
    Planted("momentum not squared", "momentum.heavy_ball_tuning", tuning_unsquared),
    Planted("difference of roots", "momentum.heavy_ball_tuning", tuning_cancelling),
    Planted("gradient descent's learning rate", "momentum.heavy_ball_tuning", tuning_of_descent),
    Planted("decays after the step", "optim.AdamW", DecaysAfter),
    Planted("decay without the learning rate", "optim.AdamW", DecaysFreely),
    Planted("decay with the first learning rate", "optim.AdamW", DecaysSteadily),
    Planted("decay as an exponential", "optim.AdamW", DecaysExponentially),
    Planted("grows when climbing", "optim.AdamW", GrowsWhenClimbing),
    Planted("Adam's penalty", "optim.AdamW", torch.optim.Adam),
)
