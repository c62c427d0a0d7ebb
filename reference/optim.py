"""Adam: the optimizer, and the pieces of its formula as plain functions.

Sources: notes, section 1.2.5 (which prints the epsilon inside the root); Kingma and Ba, "Adam: a method for
stochastic optimization", ICLR 2015, algorithm 1 and sections 2.1 and 3.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

__all__ = ["Adam", "adam_bias_correct", "adam_moments", "adam_step_bound"]


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

    Raises:
        ValueError: there is no gradient, or a beta outside [0, 1).

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

    Raises:
        ValueError: t < 1 (which would be 0/0), or a beta outside [0, 1).

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

    .. math:: |\hat m_t| / \sqrt{\hat v_t} \le \sqrt{S(\beta_1^2 / \beta_2)\, S(\beta_2)} / S(\beta_1), \qquad
              S(q) = \sum_{i<t} q^i = \frac{1 - q^t}{1 - q}

    By Cauchy and Schwarz, attained by :math:`g_i \propto (\beta_1 / \beta_2)^{t-i}`. It exceeds the
    :math:`(1 - \beta_1) / \sqrt{1 - \beta_2}` of Kingma and Ba, section 2.1.

    Raises:
        ValueError: t < 1, a beta outside [0, 1), or not beta1^2 < beta2.

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


class Adam(Optimizer):
    r"""Adam with the epsilon outside the root, as Kingma and Ba and ``torch.optim.Adam`` have it.

    .. math:: \theta_t = \theta_{t-1} - \eta\, \hat m_t / (\sqrt{\hat v_t} + \epsilon), \qquad t = 1, 2, \dots

    with the moments of :func:`adam_moments`, corrected by :func:`adam_bias_correct`.

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the step size, eta; a tensor of shape () may carry a gradient.
        betas: decay rates of the two moments.
        eps: added to the root.
        weight_decay: weight_decay * theta is added to g: an L2 penalty, not decoupled as in AdamW.
        maximize: step along the gradient instead of against it.
        differentiable: let autograd record the step. The parameters must then be non-leaf tensors; they are
            changed in place all the same, so give clones of what autograd has saved elsewhere.

    State, per parameter: "step", "exp_avg", "exp_avg_sq", interchangeable with ``torch.optim.Adam``. For
    float16 and bfloat16 the arithmetic and the moments are float32 (but ``load_state_dict``, which is torch's,
    rounds the moments it reads to the parameter's dtype).

    Raises:
        ValueError: lr, eps or weight_decay below 0, or a beta outside [0, 1).
        RuntimeError: on a step with sparse gradients or complex parameters.

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
        differentiable: bool = False,
    ) -> None:
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        _check_betas(*betas)
        if not weight_decay >= 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; a ``closure`` is evaluated first, with gradients enabled, and its loss returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.set_grad_enabled(self.defaults["differentiable"]):
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
        # Powers of beta need a Python float: in float32, 1 - 0.999 is wrong in the fifth digit.
        t = int(state["step"].item())
        beta1, beta2 = group["betas"]

        if group["maximize"]:
            g = -g
        if group["weight_decay"] != 0:
            g = g + group["weight_decay"] * theta
        m = beta1 * _at_least_float32(state["exp_avg"]) + (1 - beta1) * g
        v = beta2 * _at_least_float32(state["exp_avg_sq"]) + (1 - beta2) * g * g
        m_hat, v_hat = adam_bias_correct(m, v, t, beta1, beta2)
        param.copy_(theta - group["lr"] * m_hat / (_sqrt(v_hat) + group["eps"]))
        state["exp_avg"], state["exp_avg_sq"] = m, v
