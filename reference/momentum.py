"""Gradient descent with momentum: its three conventions, and how fast it is on a quadratic.

The conventions keep the sum of past gradients (:class:`SGD`), the last move (:class:`HeavyBall`) or the average of
past gradients (:class:`GradientAverage`). For a constant learning rate they walk the same path, up to the factor
1 - momentum in the rate; when the rate changes, they do not.

Sources: notes, section 1.2.5 (in words alone); Polyak, "Some methods of speeding up the convergence of iteration
methods", USSR Comp. Math. and Math. Phys. 4 (1964); Sutskever, Martens, Dahl and Hinton, "On the importance of
initialization and momentum in deep learning", ICML 2013.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

__all__ = ["SGD", "GradientAverage", "HeavyBall", "heavy_ball_rate", "heavy_ball_tuning", "sgd_update"]


def _at_least_float32(x: Tensor) -> Tensor:
    """Half precision cannot add up small steps: bfloat16 rounds 1 - 0.001 to 1."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _check(momentum: float, nesterov: bool = False, dampening: float = 0.0) -> None:
    if not momentum >= 0.0:
        raise ValueError(f"Invalid momentum value: {momentum}")
    if nesterov and (momentum <= 0 or dampening != 0):
        raise ValueError(
            f"Nesterov momentum requires a momentum above 0 and zero dampening, got {momentum} and {dampening}"
        )


def sgd_update(
    param: Tensor,
    grad: Tensor,
    buffer: Tensor | None,
    lr: float | Tensor = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
) -> tuple[Tensor, Tensor | None]:
    r"""One step of :class:`SGD` as a pure function, which autograd can differentiate by every tensor.

    .. math:: d = g + \lambda \theta, \quad b' = \mu b + (1 - \tau) d, \quad
              \theta' = \theta - \gamma\, (b' \text{, or } d + \mu b' \text{ for Nesterov's})

    Shapes: param, grad and buffer (the one before the step), all alike. Before the first step the buffer is None, and
    becomes d, without the factor 1 - dampening; without momentum it stays None, and dampening says nothing.
    Returns the new param and buffer, with param's dtype; the arithmetic of float16 and bfloat16 is float32.

    Raises ``ValueError`` if momentum is below 0, or Nesterov's has dampening or no momentum.
    Source: ``torch.optim.SGD``.

    >>> sgd_update(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(4.0), lr=0.25, momentum=0.5)
    (tensor(0.), tensor(4.))
    """
    _check(momentum, nesterov, dampening)
    theta = _at_least_float32(param)
    d = _at_least_float32(grad) + weight_decay * theta
    step = d
    if momentum != 0:
        b = d if buffer is None else momentum * _at_least_float32(buffer) + (1 - dampening) * d
        step = d + momentum * b if nesterov else b
        buffer = b.to(param.dtype)
    return (theta - lr * step).to(param.dtype), buffer


class _GradientDescent(Optimizer):
    """The loop that the optimizers of this file share; each has an ``_update`` for one parameter."""

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        for name in ("lr", "weight_decay"):
            if not defaults[name] >= 0.0:
                raise ValueError(f"Invalid {name} value: {defaults[name]}")
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
                if param.grad is None:
                    continue
                if param.grad.is_sparse or param.is_complex():
                    raise RuntimeError(f"{type(self).__name__} takes neither sparse gradients nor complex parameters")
                self._update(param, -param.grad if group["maximize"] else param.grad, group)
        return loss

    def _update(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        """Move a parameter along its gradient: what tells the optimizers apart, each has its own."""
        raise NotImplementedError


class SGD(_GradientDescent):
    r"""Gradient descent with a buffer that sums past gradients, as ``torch.optim.SGD`` has it.

    .. math:: b_1 = g_1, \quad b_t = \mu b_{t-1} + (1 - \tau) g_t, \quad \theta_t = \theta_{t-1} - \gamma_t b_t

    Each step is :func:`sgd_update`. For a constant gradient b grows to g / (1 - momentum): ten times the gradient for
    a momentum of 0.9.

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the step size, gamma.
        momentum: the share mu of the buffer that is kept.
        dampening: tau; the first gradient is not dampened.
        weight_decay: weight_decay * theta is added to g: an L2 penalty.
        nesterov: step along g + mu b. Then theta is the point that Nesterov's method looks ahead to.
        maximize: step along the gradient instead of against it.

    State, per parameter: "momentum_buffer", as in ``torch.optim.SGD``, but in float32 for float16 and bfloat16.

    Raises ``ValueError`` if lr, momentum or weight_decay is below 0, or Nesterov's has dampening or no momentum; a
    step raises ``RuntimeError`` for sparse gradients and complex parameters.
    Source: notes, section 1.2.5; Sutskever et al. (2013), section 2, with the learning rate outside the buffer.

    >>> theta = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = SGD([theta], lr=0.25, momentum=0.5)
    >>> for _ in range(2):
    ...     theta.grad = torch.tensor([2.0])
    ...     optimizer.step()
    >>> theta.tolist()
    [-0.25]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        _check(momentum, nesterov, dampening)
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {"lr": lr, **options, "nesterov": nesterov, "maximize": maximize})

    def _update(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        options = (group[name] for name in ("lr", "momentum", "dampening", "weight_decay", "nesterov"))
        theta, buffer = sgd_update(
            _at_least_float32(param), _at_least_float32(grad), state.get("momentum_buffer"), *options
        )
        if buffer is not None:
            state["momentum_buffer"] = buffer
        param.copy_(theta)


class HeavyBall(_GradientDescent):
    r"""Gradient descent with a velocity, the last move, part of which is repeated.

    .. math:: u_t = \mu u_{t-1} - \gamma_t g_t, \quad \theta_t = \theta_{t-1} + u_t, \quad u_0 = 0

    This is Polyak's heavy ball, :math:`\theta_t = \theta_{t-1} - \gamma_t g_t + \mu (\theta_{t-1} - \theta_{t-2})`,
    whatever the learning rate does. A lower rate acts on new gradients alone, so that it is felt later than in
    :class:`SGD`, where it scales the old ones too; for a constant rate both are the same.

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the step size, gamma.
        momentum: the share mu of the velocity that is kept.
        weight_decay: weight_decay * theta is added to g: an L2 penalty.
        nesterov: move by mu u_t - gamma_t g_t. Then theta is the point that Nesterov's method looks ahead to.
        maximize: step along the gradient instead of against it.

    State, per parameter: "velocity", in float32 for float16 and bfloat16.

    Raises ``ValueError`` if lr, momentum or weight_decay is below 0, or Nesterov's has no momentum; a step raises
    ``RuntimeError`` for sparse gradients and complex parameters.
    Source: Polyak (1964); Sutskever et al. (2013), section 2. Keras' SGD has this convention.

    >>> theta = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = HeavyBall([theta], lr=0.25, momentum=0.5)
    >>> for optimizer.param_groups[0]["lr"] in (0.25, 0.0):
    ...     theta.grad = torch.tensor([2.0])
    ...     optimizer.step()
    >>> theta.tolist()
    [0.25]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        _check(momentum, nesterov)
        options = {"momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}
        super().__init__(params, {"lr": lr, **options})

    def _update(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state, theta, momentum = self.state[param], _at_least_float32(param), group["momentum"]
        push = group["lr"] * (_at_least_float32(grad) + group["weight_decay"] * theta)
        velocity = _at_least_float32(state["velocity"]) if state else torch.zeros_like(theta)
        state["velocity"] = velocity = momentum * velocity - push
        param.copy_(theta + (momentum * velocity - push if group["nesterov"] else velocity))


class GradientAverage(_GradientDescent):
    r"""Gradient descent along the exponential moving average of the gradients: Adam's first moment, by itself.

    .. math:: m_t = \beta m_{t-1} + (1 - \beta) g_t, \quad \theta_t = \theta_{t-1} - \gamma_t m_t, \quad m_0 = 0

    It is :class:`SGD` with the rate multiplied by 1 - beta, whatever the rate does. The average starts at zero and is
    not corrected for that. (SGD with dampening = momentum is not the same: there the first gradient counts in full.)

    Args:
        params: tensors, parameter groups or (name, tensor) pairs.
        lr: the step size, gamma.
        beta: the weight of the past.
        weight_decay: weight_decay * theta is added to g: an L2 penalty.
        maximize: step along the gradient instead of against it.

    State, per parameter: "exp_avg", in float32 for float16 and bfloat16.

    Raises ``ValueError`` if lr or weight_decay is below 0, or beta outside [0, 1); a step raises ``RuntimeError`` for
    sparse gradients and complex parameters.
    Source: Kingma and Ba, "Adam", ICLR 2015, algorithm 1, for the average; notes, section 1.2.5.

    >>> theta = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = GradientAverage([theta], lr=0.5, beta=0.5)
    >>> theta.grad = torch.tensor([2.0])
    >>> optimizer.step()
    >>> theta.tolist()
    [0.5]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        beta: float = 0.9,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter: {beta}")
        super().__init__(params, {"lr": lr, "beta": beta, "weight_decay": weight_decay, "maximize": maximize})

    def _update(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state, theta, beta = self.state[param], _at_least_float32(param), group["beta"]
        d = _at_least_float32(grad) + group["weight_decay"] * theta
        average = _at_least_float32(state["exp_avg"]) if state else torch.zeros_like(theta)
        state["exp_avg"] = average = beta * average + (1 - beta) * d
        param.copy_(theta - group["lr"] * average)


def heavy_ball_rate(curvature: Tensor, lr: float, momentum: float) -> Tensor:
    r"""By what factor a step shrinks the error of momentum on a quadratic, in the long run: the spectral radius.

    .. math:: \rho = \max(|z_1|, |z_2|), \qquad z^2 - (1 + \mu - \gamma\lambda) z + \mu = 0

    It is :math:`\sqrt\mu` wherever :math:`(1 - \sqrt\mu)^2 \le \gamma\lambda \le (1 + \sqrt\mu)^2`, and below 1 for
    :math:`\mu < 1` and :math:`0 < \gamma\lambda < 2 (1 + \mu)`. After T steps from rest an error of 1 is at most
    :math:`(1 + T + T\rho)\rho^T`.

    Shapes: curvature (the second derivatives, or eigenvalues, lambda) any; the result has its shape.
    Raises ``ValueError`` if lr or momentum is below 0.
    Source: Polyak (1964), section 3; momentum 0 gives gradient descent's :math:`|1 - \gamma\lambda|`.

    >>> heavy_ball_rate(torch.tensor([0.125, 1.0, 5.0]), lr=0.5, momentum=0.25)
    tensor([0.9140, 0.5000, 1.0000])
    """
    if not lr >= 0.0:
        raise ValueError(f"Invalid lr value: {lr}")
    _check(momentum)
    trace = 1 + momentum - lr * curvature
    spread = trace**2 - 4 * momentum
    real = spread > 0
    largest = (trace.abs() + torch.where(real, spread, 1).sqrt()) / 2
    return torch.where(real, largest, torch.full_like(curvature, momentum).sqrt())


def heavy_ball_tuning(least: Tensor, greatest: Tensor) -> tuple[Tensor, Tensor]:
    r"""The learning rate and the momentum that are best for curvatures from the least to the greatest.

    .. math:: \gamma = \frac{4}{(\sqrt L + \sqrt m)^2}, \qquad
              \mu = \Bigl(\frac{\sqrt L - \sqrt m}{\sqrt L + \sqrt m}\Bigr)^2

    Then every error shrinks by the factor :math:`(\sqrt\kappa - 1) / (\sqrt\kappa + 1)` a step, with
    :math:`\kappa = L / m`, where gradient descent's best is :math:`(\kappa - 1) / (\kappa + 1)`: 9/11 against 99/101
    for :math:`\kappa = 100`.

    Shapes: least and greatest, both above 0, any that broadcast; returns lr and momentum of that shape.
    Source: Polyak (1964), section 3.

    >>> heavy_ball_tuning(torch.tensor(1.0), torch.tensor(9.0))
    (tensor(0.2500), tensor(0.2500))
    """
    total = (greatest.sqrt() + least.sqrt()) ** 2
    return 4 / total, ((greatest - least) / total) ** 2
