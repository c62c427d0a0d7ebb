"""Adam's two averages of the gradients: recursions that come to weighted sums."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Piecewise, Sum, Symbol

from gnomon.derivations.optimizers.optim_adam import betas, started
from gnomon.say.board import Board
from gnomon.say.call import state
from gnomon.say.maker import claim

k = Symbol("k", integer=True)


def forgetting(rate: Any, x: Any, last: Any) -> Any:
    """An average of x(1) ... x(last) from zero: that of k steps ago weighs (1 - rate) rate**k."""
    return (1 - rate) * Sum(rate**k * x(last - k), (k, 0, last - 1))


@claim("optim.adam.first_moment", "1.2.5", "optim.Adam")
def first_moment(c: Board) -> None:
    """Adam's first moment is an average of the gradients that forgets geometrically."""
    a = started(c)
    t, i, T, g, b1, b2 = a.t, a.i, a.T, a.g, a.b1, a.b2
    m = c.recur("m", (t, i), first=0, later=lambda m: m[t - 1, i] + (1 - b1) * (g[t - 1, i] - m[t - 1, i]))
    c.output("exp_avg", m[T, i])

    def average(last: Any) -> Any:
        return forgetting(b1, lambda s: g[s - 1, i], last)

    c.law(m[T, i], average(T))
    c.prove(lambda p: p.left.rewrite(p.induction("one more term at each step", (m[t, i], average(t)), on=t)))
    c.say("the average starts at zero")
    c.call([a.theta0], lr=a.lr, betas=(b1, b2), eps=a.eps).each_step(g).shows(exp_avg=state("exp_avg"))
    c.variant("gradient without its weight", "classical momentum", m=lambda m: b1 * m[t - 1, i] + g[t - 1, i])
    c.variant("weights exchanged", "known bug", m=lambda m: (1 - b1) * m[t - 1, i] + b1 * g[t - 1, i])
    c.variant("betas exchanged", "known bug", m=lambda m: b2 * m[t - 1, i] + (1 - b2) * g[t - 1, i])
    c.variant(
        "starts at the first gradient",
        "a usual way to begin an average without bias",
        m=(g[0, i], lambda m: b1 * m[t - 1, i] + (1 - b1) * g[t - 1, i]),
    )
    c.variant(
        "corrected average stored",
        "known bug",
        m=lambda m: (b1 * m[t - 1, i] + (1 - b1) * g[t - 1, i]) / (1 - b1**t),
    )
    c.remark(
        "The notes do not say where the average starts. From zero it is biased towards zero, which is what the "
        "correction is for. The program is the form that PyTorch computes, m + (1 - beta1)(g - m). An optimizer shows "
        "the average as state[parameter]['exp_avg']."
    )


@claim("optim.adam.second_moment", "1.2.5", "optim.Adam")
def second_moment(c: Board) -> None:
    """Adam's second moment is the same kind of average of the squared gradients."""
    a = started(c)
    t, i, T, g, b1, b2 = a.t, a.i, a.T, a.g, a.b1, a.b2
    v = c.recur("v", (t, i), first=0, later=lambda v: b2 * v[t - 1, i] + (1 - b2) * g[t - 1, i] ** 2)
    m = c.recur("m", (t, i), first=0, later=lambda m: m[t - 1, i] + (1 - b1) * (g[t - 1, i] - m[t - 1, i]))
    c.output("exp_avg_sq", v[T, i])

    def average(last: Any) -> Any:
        return forgetting(b2, lambda s: g[s - 1, i] ** 2, last)

    c.law(v[T, i], average(T))
    c.prove(lambda p: p.left.rewrite(p.induction("one more term at each step", (v[t, i], average(t)), on=t)))
    c.say("the average starts at zero", "squares are taken entry by entry")
    c.call([a.theta0], lr=a.lr, betas=(b1, b2), eps=a.eps).each_step(g).shows(exp_avg_sq=state("exp_avg_sq"))
    c.variant("betas exchanged", "known bug", v=lambda v: b1 * v[t - 1, i] + (1 - b1) * g[t - 1, i] ** 2)
    c.variant("a sum, not an average", "Adagrad", v=lambda v: v[t - 1, i] + g[t - 1, i] ** 2)
    c.variant("weights exchanged", "known bug", v=lambda v: (1 - b2) * v[t - 1, i] + b2 * g[t - 1, i] ** 2)
    c.variant("square of the average", "known bug", v=lambda v: (b2 * v[t - 1, i] + (1 - b2) * g[t - 1, i]) ** 2)
    c.variant(
        "squared deviation from the first moment",
        "AdaBelief",
        v=lambda v: b2 * v[t - 1, i] + (1 - b2) * (g[t - 1, i] - m[t, i]) ** 2,
    )
    c.remark(
        "It is the second moment about zero, not a variance. An optimizer shows it as state[parameter]['exp_avg_sq']."
    )


@claim("optim.adam.second_moment.sequence", "1.2.5", "optim.adam_moments")
def sequence(c: Board) -> None:
    """Both moments after every step, as a function of the gradients."""
    n, T = c.size("n", 1, 2), c.size("T", 1, 5)
    g, b1, b2 = c.real("g", T, n), *betas(c)
    t, s, i = c.index("t", 0, T), c.index("s", 1, T), c.index("i", n)
    m = c.recur("m", (t, i), first=0, later=lambda m: m[t - 1, i] + (1 - b1) * (g[t - 1, i] - m[t - 1, i]))
    v = c.recur("v", (t, i), first=0, later=lambda v: b2 * v[t - 1, i] + (1 - b2) * g[t - 1, i] ** 2)
    c.output("m", m[s, i])
    c.output("v", v[s, i])

    def first(last: Any) -> Any:
        return forgetting(b1, lambda s: g[s - 1, i], last)

    def second(last: Any) -> Any:
        return forgetting(b2, lambda s: g[s - 1, i] ** 2, last)

    c.law(m[s, i], first(s))
    c.prove(lambda p: p.left.rewrite(p.induction("the first, at each step", (m[t, i], first(t)), on=t)))
    c.law(v[s, i], second(s))
    c.prove(lambda p: p.left.rewrite(p.induction("the second, at each step", (v[t, i], second(t)), on=t)))
    c.say("both averages start at zero")
    c.call(g, b1, b2).shows(m, v)
    c.variant(
        "moments before the step",
        "known bug: off by one",
        m=lambda m: Piecewise((0, t <= 1), (b1 * m[t - 1, i] + (1 - b1) * g[t - 2, i], True)),
    )
    c.variant("absolute gradient", "known bug", v=lambda v: b2 * v[t - 1, i] + (1 - b2) * Abs(g[t - 1, i]))
    c.variant(
        "betas exchanged",
        "known bug",
        m=lambda m: b2 * m[t - 1, i] + (1 - b2) * g[t - 1, i],
        v=lambda v: b1 * v[t - 1, i] + (1 - b1) * g[t - 1, i] ** 2,
    )
