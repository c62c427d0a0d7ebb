"""Wrong versions of Adam and of its parts, from blatant to rare."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer

from planted import Planted, closed

State = dict[str, Any]
Betas = tuple[float, float]


class Loop(Optimizer):
    """Adam in pieces, each of which a bug replaces."""

    default_decay = 0.0

    def __init__(self, params: Any, **given: Any) -> None:
        usual = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "maximize": False}
        super().__init__(params, usual | {"weight_decay": self.default_decay} | given)

    @closed
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.one(p, group)

    def one(self, p: Tensor, group: State) -> None:
        state = self.state_of(p)
        state["step"] += 1
        g = self.gradient(p, group)
        self.average(state, g, group["betas"])
        c1, c2 = self.corrections(state["step"], group["betas"])
        self.move(p, group, group["lr"] * self.direction(state, g, c1, c2, group["eps"]))

    def state_of(self, p: Tensor) -> State:
        state = self.state[p]
        if not state:
            state.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
        return state

    def gradient(self, p: Tensor, group: State) -> Tensor:
        g = -p.grad if group["maximize"] else p.grad
        return g + group["weight_decay"] * p

    def average(self, state: State, g: Tensor, betas: Betas) -> None:
        state["exp_avg"] = betas[0] * state["exp_avg"] + (1 - betas[0]) * g
        state["exp_avg_sq"] = betas[1] * state["exp_avg_sq"] + (1 - betas[1]) * g * g

    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return 1 - betas[0] ** t, 1 - betas[1] ** t

    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return (state["exp_avg"] / c1) / ((state["exp_avg_sq"] / c2).sqrt() + eps)

    def move(self, p: Tensor, group: State, step: Tensor) -> None:
        p -= step


class EpsilonInside(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return (state["exp_avg"] / c1) / (state["exp_avg_sq"] / c2 + eps).sqrt()


class EpsilonHat(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return math.sqrt(c2) / c1 * state["exp_avg"] / (state["exp_avg_sq"].sqrt() + eps)


class EpsilonSquaredInside(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return (state["exp_avg"] / c1) / (state["exp_avg_sq"] / c2 + eps**2).sqrt()


class NoCorrection(Loop):
    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return 1.0, 1.0


class CountsLate(Loop):
    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return super().corrections(max(t - 1, 1), betas)


class CountsEarly(Loop):
    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return super().corrections(t + 1, betas)


class CorrectsTwoStepsOnly(Loop):
    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return super().corrections(t, betas) if t < 3 else (1.0, 1.0)


class CorrectsInSinglePrecision(Loop):
    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        one, two = (1 - torch.tensor(beta, dtype=torch.float32) ** t for beta in betas)
        return one.item(), two.item()


class OnlyFirstCorrected(Loop):
    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return 1 - betas[0] ** t, 1.0


class NoRootOfCorrection(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return (state["exp_avg"] / c1) / (state["exp_avg_sq"].sqrt() / c2 + eps)


class BetasExchanged(Loop):
    def one(self, p: Tensor, group: State) -> None:
        super().one(p, {**group, "betas": group["betas"][::-1]})


class StartsAtFirstGradient(Loop):
    def average(self, state: State, g: Tensor, betas: Betas) -> None:
        if state["step"] == 1:
            state["exp_avg"], state["exp_avg_sq"] = g.clone(), g * g
        else:
            super().average(state, g, betas)

    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        return 1.0, 1.0


class StoresCorrected(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        state["exp_avg"] = state["exp_avg"] / c1
        return super().direction(state, g, 1.0, c2, eps)


class Belief(Loop):
    def average(self, state: State, g: Tensor, betas: Betas) -> None:
        state["exp_avg"] = betas[0] * state["exp_avg"] + (1 - betas[0]) * g
        state["exp_avg_sq"] = betas[1] * state["exp_avg_sq"] + (1 - betas[1]) * (g - state["exp_avg"]) ** 2


class Amsgrad(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        state["greatest"] = torch.maximum(state.get("greatest", state["exp_avg_sq"]), state["exp_avg_sq"])
        return (state["exp_avg"] / c1) / ((state["greatest"] / c2).sqrt() + eps)


class StaleMoment(Loop):
    def one(self, p: Tensor, group: State) -> None:
        before = self.state_of(p)["exp_avg"]
        self.stale = before
        super().one(p, group)

    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return (self.stale / c1) / ((state["exp_avg_sq"] / c2).sqrt() + eps)


class Lookahead(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        ahead = 0.9 * state["exp_avg"] + 0.1 * g
        return (ahead / c1) / ((state["exp_avg_sq"] / c2).sqrt() + eps)


class SharedState(Loop):
    def state_of(self, p: Tensor) -> State:
        first = self.param_groups[0]["params"][0]
        shared = super().state_of(first)
        self.state[p] = shared
        return shared


class SharedCounter(Loop):
    counter = 0

    def corrections(self, t: int, betas: Betas) -> tuple[Any, Any]:
        self.counter += 1
        return super().corrections(self.counter, betas)


class MeanSquareOfTensor(Loop):
    def average(self, state: State, g: Tensor, betas: Betas) -> None:
        super().average(state, g, betas)
        square = (g * g).mean(-1, keepdim=True).expand_as(g)
        state["exp_avg_sq"] = state["exp_avg_sq"] + (1 - betas[1]) * (square - g * g)


class Climbs(Loop):
    def move(self, p: Tensor, group: State, step: Tensor) -> None:
        p += step


class DecoupledDecay(Loop):
    def gradient(self, p: Tensor, group: State) -> Tensor:
        return -p.grad if group["maximize"] else p.grad

    def move(self, p: Tensor, group: State, step: Tensor) -> None:
        p -= group["lr"] * group["weight_decay"] * p + step


class DecaysByDefault(Loop):
    default_decay = 0.01


class MaximizeIgnored(Loop):
    def gradient(self, p: Tensor, group: State) -> Tensor:
        return p.grad + group["weight_decay"] * p


class MaximizeAfterDecay(Loop):
    def gradient(self, p: Tensor, group: State) -> Tensor:
        g = p.grad + group["weight_decay"] * p
        return -g if group["maximize"] else g


class SkipsZeroGradient(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return torch.where(g == 0, 0.0, super().direction(state, g, c1, c2, eps))


class ClampsStep(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return super().direction(state, g, c1, c2, eps).clamp(-1, 1)


class ClipsGreatGradient(Loop):
    def gradient(self, p: Tensor, group: State) -> Tensor:
        return super().gradient(p, group).clamp(-1e3, 1e3)


class ClampsSecondMoment(Loop):
    def direction(self, state: State, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        return (state["exp_avg"] / c1) / ((state["exp_avg_sq"] / c2).clamp(min=1e-16).sqrt() + eps)


class ForgetsAfterThree(Loop):
    def average(self, state: State, g: Tensor, betas: Betas) -> None:
        if state["step"] == 4:
            state["exp_avg"] = torch.zeros_like(g)
        super().average(state, g, betas)


class AveragesInSinglePrecision(Loop):
    def average(self, state: State, g: Tensor, betas: Betas) -> None:
        super().average(state, g, betas)
        state["exp_avg_sq"] = state["exp_avg_sq"].float().to(g.dtype)


# ------------------------------------------------------------------ the functions


def moments(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    m, v, first, second = torch.zeros_like(grads[0]), torch.zeros_like(grads[0]), [], []
    for g in grads:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        first.append(m)
        second.append(v)
    return torch.stack(first), torch.stack(second)


def moments_before(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    zero = torch.zeros_like(grads[:1])
    return moments(torch.cat([zero, grads[:-1]]), beta1, beta2)


def moments_of_detached(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    return moments(grads, beta1, beta2)[0], moments(grads.detach(), beta1, beta2)[1]


def moments_from_last(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    first, second = moments(grads.flip(0), beta1, beta2)
    return first, second


def variance_not_square(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    first, second = moments(grads, beta1, beta2)
    return first, second - first**2


def correct_late(m: Tensor, v: Tensor, t: int, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    return m / (1 - beta1 ** (t + 1)), v / (1 - beta2 ** (t + 1))


def correct_one(m: Tensor, v: Tensor, t: int, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    return m / (1 - beta1**t), v / (1 - beta1**t)


def correct_few(m: Tensor, v: Tensor, t: int, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    """The correction is taken to be over after ten steps."""
    return (m / (1 - beta1**t), v / (1 - beta2**t)) if t <= 10 else (m, v)


def correct_detached(m: Tensor, v: Tensor, t: int, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    return m / (1 - beta1**t), v.detach() / (1 - beta2**t)


def bound_plain(t: int, beta1: float, beta2: float) -> float:
    return max(1.0, (1 - beta1) / math.sqrt(1 - beta2))


def bound_unsquared(t: int, beta1: float, beta2: float) -> float:
    def total(q: float) -> float:
        return sum(q**k for k in range(t))

    return math.sqrt(total(beta1 / beta2) * total(beta2)) / total(beta1)


Three = tuple[Tensor, Tensor, Tensor]


def updating(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, step: int, *hyper: float) -> Three:
    lr, beta1, beta2, eps = hyper
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    return param - lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps), m, v


def update_detached(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, step: int, *hyper: float) -> Three:
    lr, beta1, beta2, eps = hyper
    _, m, v = updating(param, grad, m, v, step, *hyper)
    root = (v / (1 - beta2**step)).sqrt().detach()
    return param - lr * (m / (1 - beta1**step)) / (root + eps), m, v


def update_in_place(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, step: int, *hyper: float) -> Three:
    new = updating(param, grad, m, v, step, *hyper)
    with torch.no_grad():
        m.copy_(new[1])
    return new


def update_stale(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, step: int, *hyper: float) -> Three:
    moved, mean, _ = updating(param, grad, m, v, step, *hyper)
    return moved, mean, v.clone()


def update_unrecorded(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, step: int, *hyper: float) -> Three:
    with torch.no_grad():
        return updating(param, grad, m, v, step, *hyper)


def update_slope_at_zero(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, step: int, *hyper: float) -> Three:
    """The gradient of a clamp: 0 for small values, though the value itself is right."""
    moved, mean, square = updating(param, grad, m, v, step, *hyper)
    return torch.where(mean.abs() < 0.25, moved.detach() + (param - param.detach()), moved), mean, square


PLANTED = (
    Planted("epsilon inside the root", "optim.Adam", EpsilonInside),
    Planted("epsilon hat, beside the uncorrected moment", "optim.Adam", EpsilonHat),
    Planted("epsilon squared inside the root", "optim.Adam", EpsilonSquaredInside),
    Planted("no correction of the bias", "optim.Adam", NoCorrection),
    Planted("steps counted from 0", "optim.Adam", CountsLate),
    Planted("steps counted twice at the start", "optim.Adam", CountsEarly),
    Planted("no correction from step 3 on", "optim.Adam", CorrectsTwoStepsOnly),
    Planted("correction computed in float32", "optim.Adam", CorrectsInSinglePrecision),
    Planted("second moment not corrected", "optim.Adam", OnlyFirstCorrected),
    Planted("correction of the second moment without its root", "optim.Adam", NoRootOfCorrection),
    Planted("betas exchanged", "optim.Adam", BetasExchanged),
    Planted("averages that start at the first gradient", "optim.Adam", StartsAtFirstGradient),
    Planted("corrected moment stored as the state", "optim.Adam", StoresCorrected),
    Planted("squared deviation from the mean, as in AdaBelief", "optim.Adam", Belief),
    Planted("greatest second moment so far, as in AMSGrad", "optim.Adam", Amsgrad),
    Planted("first moment of the step before", "optim.Adam", StaleMoment),
    Planted("a look ahead, as in NAdam", "optim.Adam", Lookahead),
    Planted("state shared between parameters", "optim.Adam", SharedState),
    Planted("step counter shared between parameters", "optim.Adam", SharedCounter),
    Planted("one second moment for a whole tensor", "optim.Adam", MeanSquareOfTensor),
    Planted("sign of the update", "optim.Adam", Climbs),
    Planted("decoupled weight decay", "optim.Adam", DecoupledDecay),
    Planted("weight decay by default", "optim.Adam", DecaysByDefault),
    Planted("maximize is ignored", "optim.Adam", MaximizeIgnored),
    Planted("maximize changes the sign of the decay", "optim.Adam", MaximizeAfterDecay),
    Planted("no update where the gradient is 0", "optim.Adam", SkipsZeroGradient),
    Planted("step clamped to the learning rate", "optim.Adam", ClampsStep),
    Planted("gradients clipped at 1000", "optim.Adam", ClipsGreatGradient),
    Planted("second moment at least 1e-16", "optim.Adam", ClampsSecondMoment),
    Planted("first moment forgotten at step 4", "optim.Adam", ForgetsAfterThree),
    Planted("second moment kept in float32", "optim.Adam", AveragesInSinglePrecision),
    Planted("moments before the step", "optim.adam_moments", moments_before),
    Planted("gradients in the wrong order", "optim.adam_moments", moments_from_last),
    Planted("variance in place of the second moment", "optim.adam_moments", variance_not_square),
    Planted("second moment is cut off from autograd", "optim.adam_moments", moments_of_detached),
    Planted("one step too many", "optim.adam_bias_correct", correct_late),
    Planted("one beta for both", "optim.adam_bias_correct", correct_one),
    Planted("no correction after ten steps", "optim.adam_bias_correct", correct_few),
    Planted("second moment is cut off from autograd", "optim.adam_bias_correct", correct_detached),
    Planted("Kingma and Ba's bound", "optim.adam_step_bound", bound_plain),
    Planted("beta1 not squared", "optim.adam_step_bound", bound_unsquared),
    Planted("denominator is cut off from autograd", "optim.adam_update", update_detached),
    Planted("first moment is changed in place", "optim.adam_update", update_in_place),
    Planted("second moment of the step before is returned", "optim.adam_update", update_stale),
    Planted("nothing is recorded by autograd", "optim.adam_update", update_unrecorded),
    Planted("small steps are cut off from autograd", "optim.adam_update", update_slope_at_zero),
)
