"""Adam as its claims write it: the loop, and the weighted means that it comes to.

The claims: ``optim_adam_moments`` (what the averages are), ``optim_adam_correction`` (what their correction is good
for), ``optim_adam_update`` (the step), ``optim_adam_options`` (decay and ascent), ``optim_adam_adaptive`` (a step size
for each coordinate), ``optim_adam_bound`` (how long a step can get), ``optim_adam_decoupled`` (AdamW).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gnomon.say.board import Board


def betas(c: Board) -> tuple[Any, Any]:
    """The rates at which both averages forget, from 0 to below 1."""
    return (
        c.hyper("beta1", 0.0, 1.0, open_high=True, typical=(0.9, 0.0)),
        c.hyper("beta2", 0.0, 1.0, open_high=True, typical=(0.999, 0.99)),
    )


def hyper(c: Board) -> tuple[Any, Any, Any, Any]:
    """The learning rate, both betas and epsilon."""
    lr = c.hyper("lr", 0.0, float("inf"), typical=(0.001, 0.1))
    return lr, *betas(c), c.hyper("eps", 0.0, float("inf"), open_low=True, typical=(1e-8, 0.001))


def started(c: Board) -> SimpleNamespace:
    """The start and the gradients of some steps of Adam, its hyper-parameters, and the indices t and i."""
    n, T = c.size("n", 1, 2), c.size("T", 1, 5)
    theta0, g = c.real("theta0", n), c.real("g", T, n)
    lr, b1, b2, eps = hyper(c)
    t, i = c.index("t", 0, T), c.index("i", n)
    return SimpleNamespace(n=n, T=T, theta0=theta0, g=g, lr=lr, b1=b1, b2=b2, eps=eps, t=t, i=i)
