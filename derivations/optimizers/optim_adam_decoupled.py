"""AdamW: weight decay beside the gradient, where neither moment sees it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import IndexedBase, Product, Sum, Symbol, sqrt

from gnomon.derivations.optimizers.optim_adam import corrected, means, moments, started
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import parameter
from gnomon.say.maker import claim


def decoupled(c: Board, sign: int) -> SimpleNamespace:
    """AdamW, and its law: every step shrinks what is there, and moves by means of the gradients alone."""
    a = started(c)
    t, s, i, T, at = a.t, a.s, a.i, a.T, a.at
    decay = c.hyper("weight_decay", 0.0, float("inf"), typical=(0.01, 0.0))
    factor = c.hyper("factor", 0.0, 2.0, open_low=True, typical=(0.5, 1.0))
    moments(c, a, sign * a.g[s - 1, i])
    rate = c.let("rate", s, a.lr * factor ** (s - 1))
    u = c.let("u", at, rate[s] * a.mhat[at] / (sqrt(a.vhat[at]) + a.eps))
    theta = c.recur(
        "theta", (t, i), first=a.theta0[i], later=lambda theta: (1 - rate[t] * decay) * theta[t - 1, i] - u[t, i]
    )
    c.output("param", theta[T, i])

    means(c, a, lambda s: sign * a.g[s - 1, i])
    q, r, last = Symbol("q", integer=True), Symbol("r", integer=True), c.index("last", 0, T)
    left = c.let("left", (t, last), Product(1 - rate[q] * decay, (q, t + 1, last)))  # of what was there at step t

    def move(step: Any, last: Any) -> Any:
        return rate[step] * left[step, last] * a.mean.of[step, i] / (sqrt(a.square.of[step, i]) + a.eps)

    def path(last: Any) -> Any:
        return left[0, last] * a.theta0[i] - Sum(move(r, last), (r, 1, last))

    c.law(theta[T, i], path(T))

    def proof(p: Bench) -> None:
        known_means = corrected(p, a)
        whole = p.have("nothing is lost at once", left[t, t], "=", 1, lambda p: p.left.unfold(left))

        def shorter(p: Bench) -> None:
            p.left.unfold(left)
            p.right.unfold(left)

        shrunk = p.have(
            "a step shrinks what was there", left[t, last + 1], "=", (1 - rate[last + 1] * decay) * left[t, last],
            shorter, given=[t <= last, last + 1 <= T],
        )  # fmt: skip

        def later(p: Bench, known: Theorem) -> None:
            p.left.unfold(theta, u).rewrite(*known_means, known)
            now = left[0, t + 1] * a.theta0[i] - Sum(move(r, t + 1), (r, 1, t)) - move(t + 1, t + 1)
            p.right.to(now).rewrite(whole, shrunk)

        def begun(p: Bench) -> None:
            p.left.unfold(theta)
            p.right.rewrite(whole)

        p.left.rewrite(p.induction("the steps add up", (theta[t, i], path(t)), on=t, base=begun, step=later))

    c.prove(proof)
    c.say("the learning rate may change from step to step; here by a factor")
    a.decay, a.factor, a.rate, a.u, a.theta = decay, factor, rate, u, theta
    a.given = {"lr": a.lr, "betas": (a.b1, a.b2), "eps": a.eps, "weight_decay": decay}
    return a


def coupled(c: Board, a: SimpleNamespace) -> None:
    """Adam's decay in the place of AdamW's."""
    before = IndexedBase("theta", real=True)[a.s - 1, a.i]
    c.variant(
        "decay as a penalty",
        "Adam with weight_decay: an L2 penalty",
        why="the penalty is divided by the root as well, so that parameters with great gradients are hardly decayed",
        d=a.g[a.s - 1, a.i] + a.decay * before,
        theta=lambda theta: theta[a.t - 1, a.i] - a.u[a.t, a.i],
    )


@claim("optim.adam.update.adamw", "1.2.5", "optim.AdamW")
def adamw(c: Board) -> None:
    """AdamW shrinks the parameter beside the step: neither moment sees the decay."""
    a = decoupled(c, 1)
    t, i, lr, rate, decay, u = a.t, a.i, a.lr, a.rate, a.decay, a.u
    c.say("epsilon is greater than 0", "the decay has the learning rate as a factor")
    c.call([a.theta0], **a.given).each_step(a.g, factor=a.factor).shows(param=parameter())
    coupled(c, a)
    c.variant(
        "after the step",
        "known bug: decay of the moved parameter",
        theta=lambda theta: (1 - rate[t] * decay) * (theta[t - 1, i] - u[t, i]),
    )
    c.variant(
        "decay without the schedule",
        "known bug: the first learning rate",
        theta=lambda theta: (1 - lr * decay) * theta[t - 1, i] - u[t, i],
    )
    c.variant(
        "decay without the rate",
        "Loshchilov and Hutter, with a schedule in its place",
        theta=lambda theta: (1 - decay) * theta[t - 1, i] - u[t, i],
    )
    c.variant("no decay", "Adam", theta=lambda theta: theta[t - 1, i] - u[t, i])
    c.remark(
        "PyTorch's factor is 1 - lr * weight_decay with the rate of the step, so that decay follows a schedule; in the "
        "paper a schedule's factor stands for the rate. The default is 0.01 here, and 0 in Adam."
    )


@claim("optim.adam.update.adamw_maximize", "1.2.5", "optim.AdamW")
def adamw_maximize(c: Board) -> None:
    """With maximize, AdamW climbs and still shrinks."""
    a = decoupled(c, -1)
    t, i = a.t, a.i
    c.say("d[t], the other sign of the gradient, takes its place in both moments")
    c.call([a.theta0], **a.given, maximize=True).each_step(a.g, factor=a.factor).shows(param=parameter())
    c.variant("descends", "known bug: the option is ignored", d=a.g[a.s - 1, i])
    c.variant(
        "grows",
        "known bug: the decay's sign is changed as well",
        theta=lambda theta: (1 + a.rate[t] * a.decay) * theta[t - 1, i] - a.u[t, i],
    )
    coupled(c, a)
