"""Adam's options: weight decay, which in Adam is a penalty, and climbing in place of descending."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gnomon.derivations.optimizers.optim_adam import follow, loop, means, path, started
from gnomon.say.board import Board
from gnomon.say.call import parameter
from gnomon.say.maker import claim


def penalised(c: Board, objective: Any, gradient: Any) -> SimpleNamespace:
    """Adam on another gradient than it is given: that of an objective, which the first step shows."""
    a = started(c)
    a.decay = c.hyper("weight_decay", 0.0, float("inf"), typical=(0.01, 0.0))
    loop(c, a, lambda there: gradient(a, there))
    c.output("param", a.theta[a.T, a.i])
    means(c, a)
    c.law(a.theta[a.T, a.i], path(a, a.T))
    c.prove(lambda p: follow(p, a))

    j = c.index("j", a.n)
    aim = c.let("objective", (), c.sum(objective(a, j), j))
    c.law(a.d[1, a.i], c.D(aim, a.theta0[a.i]))

    def at_first(p: Any) -> None:
        p.left.unfold(a.d, a.theta)
        p.right.unfold("∂objective/∂theta0").contract()

    c.prove(at_first)
    c.say("d[t] takes the place of the gradient in both moments; at the first step it is that of the objective")
    return a


@claim("optim.adam.update.weight_decay", "1.2.5", "optim.Adam")
def weight_decay(c: Board) -> None:
    """Weight decay in Adam is a penalty: it passes through both moments."""
    a = penalised(
        c,
        lambda a, j: a.g[0, j] * a.theta0[j] + a.decay / 2 * a.theta0[j] ** 2,
        lambda a, there: a.g[a.s - 1, a.i] + a.decay * there,
    )
    t, i, lr, decay = a.t, a.i, a.lr, a.decay
    g, gradient = a.g, a.g[a.s - 1, a.i]
    given = {"lr": lr, "betas": (a.b1, a.b2), "eps": a.eps, "weight_decay": decay}
    c.call([a.theta0], **given).each_step(g).shows(param=parameter())
    c.variant(
        "decay beside the gradient",
        "AdamW",
        d=gradient,
        theta=lambda theta: (1 - lr * decay) * theta[t - 1, i] - a.u[t, i],
    )
    c.variant("no decay", "known bug", d=gradient)
    c.variant(
        "decay in the first moment only",
        "known bug",
        v=lambda v: a.b2 * v[t - 1, i] + (1 - a.b2) * g[t - 1, i] ** 2,
    )
    c.variant("decay of the initial value", "known bug", d=gradient + decay * a.theta0[i])


@claim("optim.adam.update.maximize", "1.2.5", "optim.Adam")
def maximize(c: Board) -> None:
    """With maximize, Adam climbs, and the decay still pulls towards zero."""
    a = penalised(
        c,
        lambda a, j: a.decay / 2 * a.theta0[j] ** 2 - a.g[0, j] * a.theta0[j],
        lambda a, there: a.decay * there - a.g[a.s - 1, a.i],
    )
    wrong = a.g[a.s - 1, a.i] + a.decay * a.theta[a.s - 1, a.i]
    given = {"lr": a.lr, "betas": (a.b1, a.b2), "eps": a.eps, "weight_decay": a.decay, "maximize": True}
    c.call([a.theta0], **given).each_step(a.g).shows(param=parameter())
    c.variant("descends", "known bug: the option is ignored", d=wrong)
    c.variant(
        "decay pushes away from zero",
        "known bug: sign changed after the decay",
        d=-wrong,
    )
