"""Adam and AdamW: the optimizers, and the pieces of Adam's formula as plain functions.

Sources: notes, section 1.2.5 (which prints the epsilon inside the root); Kingma and Ba, "Adam: a method for
stochastic optimization", ICLR 2015, algorithm 1 and sections 2.1 and 3; Loshchilov and Hutter, "Decoupled weight
decay regularization", ICLR 2019, algorithm 2.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

__all__ = ["Adam", "AdamW", "adam_bias_correct", "adam_moments", "adam_step_bound", "adam_update"]


def _check_betas(beta1: float, beta2: float) -> None:
    for index, beta in enumerate((beta1, beta2)):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")


def _at_least_float32(x: Tensor) -> Tensor:
    """Half precision cannot do this arithmetic: float16 rounds 1e-8 to 0, bfloat16 rounds 0.999 v to v."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _sqrt(v: Tensor) -> Tensor:
    """The root with derivative 0 at 0, so that the step's derivative there is -lr / eps and not NaN."""
    zero = v == 0
    return torch.where(zero, 0, torch.where(zero, 1, v).sqrt())


def adam_moments(grads: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    r"""Both exponential moving averages after every step.

    .. math:: m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2,
              \quad m_0 = v_0 = 0

    Shapes: grads (T, \*), where row t - 1 holds g_t; returns m and v, (T, \*) likewise. float16 and
    bfloat16 are averaged in float32 and rounded once, at the end.
    Raises ``ValueError`` if there is no gradient, or a beta is outside [0, 1).
    Source: notes, section 1.2.5; Kingma and Ba (2015), algorithm 1.

    >>> adam_moments(torch.tensor([1.0, 3.0]), 0.5, 0.75)
    (tensor([0.5000, 1.7500]), tensor([0.2500, 2.4375]))
    """
    _check_betas(beta1, beta2)
    if grads.dim() == 0 or len(grads) == 0:
        raise ValueError(f"grads must be (T, *) with T >= 1, got {tuple(grads.shape)}")
    first, second = [], []
    m = v = torch.zeros_like(_at_least_float32(grads[0]))
    for g in _at_least_float32(grads).unbind():
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        first.append(m)
        second.append(v)
    return torch.stack(first).to(grads.dtype), torch.stack(second).to(grads.dtype)


def adam_bias_correct(m: Tensor, v: Tensor, t: int, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    r"""The moments divided by the weight that t gradients have been given in them.

    .. math:: \hat m_t = m_t / (1 - \beta_1^t), \qquad \hat v_t = v_t / (1 - \beta_2^t)

    With it :math:`E[\hat m_t] = E[g]`, provided that every gradient has the same mean.

    Shapes: m and v any; the results have theirs.
    Raises ``ValueError`` if t < 1 (it would be 0/0), or a beta is outside [0, 1).
    Source: notes, section 1.2.5; Kingma and Ba (2015), section 3.

    >>> adam_bias_correct(torch.tensor(0.5), torch.tensor(0.25), 1, 0.5, 0.75)
    (tensor(1.), tensor(1.))
    """
    _check_betas(beta1, beta2)
    if t < 1:
        raise ValueError(f"t must be at least 1, got {t}")
    return m / (1 - beta1**t), v / (1 - beta2**t)


def adam_step_bound(t: int, beta1: float, beta2: float) -> float:
    r"""How far one coordinate can move at step t, in units of lr: the sharp bound on the step's ratio.

    .. math:: |\hat m_t| / \sqrt{\hat v_t} \le \sqrt{S(\beta_1^2 / \beta_2)\, S(\beta_2)} / S(\beta_1), \quad
              S(q) = \sum_{i<t} q^i = \frac{1 - q^t}{1 - q}

    By Cauchy and Schwarz, attained by :math:`g_i \propto (\beta_1 / \beta_2)^{t-i}`. It exceeds the
    :math:`(1 - \beta_1) / \sqrt{1 - \beta_2}` of Kingma and Ba, section 2.1.
    Raises ``ValueError`` if t < 1, a beta is outside [0, 1), or not beta1^2 < beta2.
    Source: notes, section 1.2.5 (implied); Kingma and Ba (2015), section 2.1.

    >>> [round(adam_step_bound(t, 0.9, 0.999), 3) for t in (1, 2, 10, 1000)]
    [1.0, 1.001, 1.043, 5.781]
    """
    _check_betas(beta1, beta2)
    if t < 1:
        raise ValueError(f"t must be at least 1, got {t}")
    if not beta1**2 < beta2:
        raise ValueError(f"the bound needs beta1^2 < beta2, got {beta1} and {beta2}")

    def geometric(q: float) -> float:
        return math.expm1(t * math.log(q)) / (q - 1) if q > 0 else 1.0

    return math.sqrt(geometric(beta1**2 / beta2) * geometric(beta2)) / geometric(beta1)


def adam_update(
    param: Tensor,
    grad: Tensor,
    exp_avg: Tensor,
    exp_avg_sq: Tensor,
    step: int,
    lr: float | Tensor = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""One step of Adam as a pure function, which autograd can differentiate by every tensor.

    .. math:: \theta_t = \theta_{t-1} - \eta\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

    with the moments of :func:`adam_moments`, corrected by :func:`adam_bias_correct`.

    Shapes: param, grad, exp_avg and exp_avg_sq (the moments before the step), all alike; step is t, from 1.
    Returns the new param, exp_avg and exp_avg_sq, each with the dtype that it came in; the arithmetic of
    float16 and bfloat16 is float32.

    Raises ``ValueError`` if step < 1, or a beta lies outside [0, 1).
    Source: notes, section 1.2.5; Kingma and Ba (2015), algorithm 1.

    >>> adam_update(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(0.0), torch.tensor(0.0), 1, lr=0.5)[0]
    tensor(0.5000)
    """
    g = _at_least_float32(grad)
    m = beta1 * _at_least_float32(exp_avg) + (1 - beta1) * g
    v = beta2 * _at_least_float32(exp_avg_sq) + (1 - beta2) * g * g
    m_hat, v_hat = adam_bias_correct(m, v, step, beta1, beta2)
    theta = _at_least_float32(param) - lr * m_hat / (_sqrt(v_hat) + eps)
    return theta.to(param.dtype), m.to(exp_avg.dtype), v.to(exp_avg_sq.dtype)


class Adam(Optimizer):
    r"""Adam with the epsilon outside the root, as Kingma and Ba and ``torch.optim.Adam`` have it.

    .. math:: \theta_t = \theta_{t-1} - \eta\, \hat m_t / (\sqrt{\hat v_t} + \epsilon), \qquad t = 1, 2, \dots

    Each step is :func:`adam_update`, which autograd can follow; this class works outside autograd.

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the step size, eta.
        betas: decay rates of the two moments.
        eps: added to the root.
        weight_decay: weight_decay * theta is added to g: an L2 penalty, not decoupled as in AdamW.
        maximize: step along the gradient instead of against it.

    State, per parameter: "step", "exp_avg", "exp_avg_sq", interchangeable with ``torch.optim.Adam``. For
    float16 and bfloat16 the arithmetic and the moments are float32 (but torch's ``load_state_dict`` rounds
    the moments that it reads to the parameter's dtype).

    Raises ``ValueError`` if lr, eps or weight_decay is below 0, or a beta outside [0, 1); a step raises
    ``RuntimeError`` for sparse gradients and complex parameters.
    Source: notes, section 1.2.5; Kingma and Ba (2015), algorithm 1.

    >>> theta = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    >>> optimizer = Adam([theta], lr=0.5)
    >>> theta.grad = torch.tensor([2.0, 0.0])
    >>> optimizer.step()
    >>> theta.tolist()
    [0.5, 1.0]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        _check_betas(*betas)
        if not weight_decay >= 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; a ``closure`` is evaluated first, with gradients enabled, and its loss returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    self._update(param, param.grad, group)
        return loss

    def _update(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        if grad.is_sparse or param.is_complex():
            raise RuntimeError("Adam supports neither sparse gradients nor complex parameters")
        state, theta, g = self.state[param], _at_least_float32(param), _at_least_float32(grad)
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(theta)
            state["exp_avg_sq"] = torch.zeros_like(theta)
        state["step"] += 1
        if group["maximize"]:
            g = -g
        if group["weight_decay"] != 0:
            g = g + group["weight_decay"] * theta
        # Powers of beta need a Python number: in float32, 1 - 0.999 is wrong in the fifth digit.
        t = int(state["step"].item())
        beta1, beta2 = group["betas"]
        m, v = _at_least_float32(state["exp_avg"]), _at_least_float32(state["exp_avg_sq"])
        theta, state["exp_avg"], state["exp_avg_sq"] = adam_update(
            theta, g, m, v, t, group["lr"], beta1, beta2, group["eps"]
        )
        param.copy_(theta)


class AdamW(Adam):
    r"""Adam with weight decay beside the gradient: the decay passes through neither moment.

    .. math:: \theta_t = (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

    The decay has the learning rate as a factor (Loshchilov and Hutter have a schedule in its place), so that it
    follows a schedule of the rate.

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the step size, eta.
        betas: decay rates of the two moments.
        eps: added to the root.
        weight_decay: lambda, by how much of it times lr the parameter shrinks at each step.
        maximize: step along the gradient instead of against it; the decay still shrinks.

    State and errors are those of :class:`Adam`.
    Source: Loshchilov and Hutter (2019), algorithm 2; ``torch.optim.AdamW``.

    >>> theta = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    >>> optimizer = AdamW([theta], lr=0.5, weight_decay=0.5)
    >>> theta.grad = torch.tensor([2.0, 0.0])
    >>> optimizer.step()
    >>> theta.tolist()
    [0.25, 0.75]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)

    def _update(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        param.mul_(1 - group["lr"] * group["weight_decay"])
        super()._update(param, grad, {**group, "weight_decay": 0})
