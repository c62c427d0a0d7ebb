"""Optimizers in other forms: torch's own, over many tensors at once, and by hand."""

import functools
from typing import Any

import torch
from planted.optim import Loop as Adam
from torch import Tensor

from gnomon.drive.bound import Bound
from right import Right

optim = torch.optim
fixed = functools.partial


class Lerp(Adam):
    def average(self, state: Any, g: Tensor, betas: Any) -> None:
        state["exp_avg"] = torch.lerp(state["exp_avg"], g, 1 - betas[0])
        state["exp_avg_sq"] = state["exp_avg_sq"].mul(betas[1]).addcmul(g, g, value=1 - betas[1])


class Difference(Adam):
    """old + (1 - β)(new - old)."""

    def average(self, state: Any, g: Tensor, betas: Any) -> None:
        for name, new, beta in (("exp_avg", g, betas[0]), ("exp_avg_sq", g * g, betas[1])):
            state[name] = state[name] + (1 - beta) * (new - state[name])


class EpsilonHat(Adam):
    """Both corrections in the rate, and the root of the second in epsilon."""

    def direction(self, state: Any, g: Tensor, c1: Any, c2: Any, eps: float) -> Tensor:
        root = c2**0.5
        return state["exp_avg"] / (state["exp_avg_sq"].sqrt() + eps * root) * (root / c1)


class PowersKept(Adam):
    """Powers of the betas are multiplied up step by step, as TensorFlow did."""

    def state_of(self, p: Tensor) -> Any:
        state = super().state_of(p)
        state.setdefault("powers", torch.ones(2, dtype=torch.float64))
        return state

    def one(self, p: Tensor, group: Any) -> None:
        powers = self.state_of(p)["powers"]
        powers.mul_(torch.tensor(group["betas"], dtype=torch.float64))
        self.powers = powers.tolist()
        super().one(p, group)

    def corrections(self, t: int, betas: Any) -> Any:
        return tuple(1 - power for power in self.powers)


class OtherNames(optim.Optimizer):
    """Adam with the names of the paper."""

    def __init__(
        self, params: Any, lr: float = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.move(p, group, *group["betas"])
        return loss

    def move(self, p: Tensor, group: Any, b1: float, b2: float) -> None:
        state = self.state[p]
        if not state:
            state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
        g = p.grad.add(p, alpha=group["weight_decay"])
        state["t"] += 1
        state["m"].mul_(b1).add_(g, alpha=1 - b1)
        state["v"].mul_(b2).addcmul_(g, g, value=1 - b2)
        root = (state["v"] / (1 - b2 ** state["t"])).sqrt_().add_(group["eps"])
        p.addcdiv_(state["m"], root, value=-group["lr"] / (1 - b1 ** state["t"]))


def update_by_lerp(
    param: Tensor,
    grad: Tensor,
    m: Tensor,
    v: Tensor,
    step: int,
    lr: Any = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[Tensor, ...]:
    p, g, m, v = (each.to(torch.promote_types(each.dtype, torch.float32)) for each in (param, grad, m, v))
    m, v = torch.lerp(m, g, 1 - beta1), torch.lerp(v, g * g, 1 - beta2)
    c1, c2 = 1 - beta1**step, 1 - beta2**step
    found = torch.addcdiv(p, m, (v / c2).sqrt() + eps, value=-lr / c1), m, v
    return tuple(each.to(param.dtype) for each in found)


def moments_by_matrix(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    """m_t = Σ (1 - β) β^(t - s) g_s as a product with a triangular matrix."""
    steps = torch.arange(len(grads), dtype=torch.float64)
    age, found = steps[:, None] - steps, []
    for beta, rows in ((beta1, grads), (beta2, grads * grads)):
        share = torch.where(age >= 0, (1 - beta) * beta ** age.clamp(min=0), 0).to(grads.dtype)
        found.append((share @ rows.flatten(1)).reshape(grads.shape) if rows.dim() > 1 else share @ rows)
    return found[0], found[1]


def sgd_functional(
    param: Tensor,
    grad: Tensor,
    buffer: Tensor,
    lr: Any = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
) -> tuple[Tensor, Tensor]:
    d = torch.add(grad, param, alpha=weight_decay)
    buffer = d if buffer is None else torch.add(buffer * momentum, d, alpha=1 - dampening)
    return torch.add(param, torch.add(d, buffer, alpha=momentum) if nesterov else buffer, alpha=-lr), buffer


ADAM = (
    "optim.adam.update",
    "optim.adam.update.maximize",
    "optim.adam.update.weight_decay",
    "optim.adam.update.first_step",
)
PAPER = {"step": "t", "exp_avg": "m", "exp_avg_sq": "v"}

RIGHT = (
    Right("torch's, one by one", "the library's", "optim.Adam", fixed(optim.Adam, foreach=False), ADAM),
    Right("torch's, for each", "the library's", "optim.Adam", fixed(optim.Adam, foreach=True), ADAM),
    Right("lerp and addcmul", "old + (1 - β)(new - old)", "optim.Adam", Lerp, ADAM),
    Right("by differences", "old + (1 - β)(new - old)", "optim.Adam", Difference, ADAM[:1]),
    Right("corrections in rate and epsilon", "both sides times √c₂", "optim.Adam", EpsilonHat, ADAM),
    Right("powers kept", "β^t = β^(t-1) β", "optim.Adam", PowersKept, ADAM[:1]),
    Right("the paper's names, in place, bound", "the definition", "optim.Adam", Bound(OtherNames, PAPER), ADAM[:1]),
    Right("torch's, one by one", "the library's", "optim.AdamW", fixed(optim.AdamW, foreach=False)),
    Right("torch's, for each", "the library's", "optim.AdamW", fixed(optim.AdamW, foreach=True)),
    Right("lerp and addcdiv", "old + (1 - β)(new - old)", "optim.adam_update", update_by_lerp),
    Right("a triangular matrix", "the recursion unrolled", "optim.adam_moments", moments_by_matrix),
    Right(
        "torch's, one by one",
        "the library's",
        "momentum.SGD",
        fixed(optim.SGD, foreach=False),
        ("optim.momentum.update", "optim.momentum.update.penalty", "optim.momentum.nesterov"),
    ),
    Right(
        "torch's, for each",
        "the library's",
        "momentum.SGD",
        fixed(optim.SGD, foreach=True),
        ("optim.momentum.update", "optim.momentum.update.weight_decay"),
    ),
    Right("scaled additions", "torch.add with alpha", "momentum.sgd_update", sgd_functional),
    Right("torch's", "SGD without momentum", "training.GradientDescent", optim.SGD, ("train.gd.step",)),
    Right(
        "torch's, for each",
        "SGD without momentum",
        "training.GradientDescent",
        fixed(optim.SGD, foreach=True),
        ("train.gd.step",),
    ),
)
