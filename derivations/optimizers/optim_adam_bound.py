"""How long a step of Adam can get: longer than the learning rate."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Max, Sum, sqrt

from gnomon.derivations.optimizers.optim_adam import geometric, k, loop, means, mistakes, started, stepped
from gnomon.proof import inequality
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import parameter
from gnomon.say.maker import claim


def weight(rate: Any, T: Any) -> Any:
    """The sum of the weights rate**k of T steps."""
    return Sum(rate**k, (k, 0, T - 1))


@claim("optim.adam.step_bound", "1.2.5", "optim.Adam", kind="inequality")
def step_bound(c: Board) -> None:
    """No step is longer than the learning rate times a bound, which is not 1."""
    a = started(c, width=(1, 1), steps=(2, 5), forgets=True)
    s, i, T, g, lr, b1, b2, eps = a.s, a.i, a.T, a.g, a.lr, a.b1, a.b2, a.eps
    loop(c, a, g[s - 1, i])
    c.output("param", a.theta[T, i])
    c.output("previous", a.theta[T - 1, i])
    means(c, a, lambda s: g[s - 1, i])
    bound = sqrt(weight(b1**2 / b2, T) * weight(b2, T)) / weight(b1, T)
    top = c.let("top", (), bound)
    c.aid(a.mean.of, a.square.of, top)
    length = Abs(a.theta[T, i] - a.theta[T - 1, i])

    def squared(p: Bench) -> None:
        """Cauchy and Schwarz, for (beta1 / sqrt(beta2))**k and sqrt(beta2)**k times the gradient of k steps ago."""
        shown = p.lemma(
            "cauchy_schwarz", a=lambda v: (b1 / sqrt(b2)) ** v, b=lambda v: sqrt(b2) ** v * g[T - 1 - v, i], n=T
        )
        p.left.unfold(a.mean.of)
        p.right.unfold(a.square.of, top)
        p.combine((1 / weight(b1, T) ** 2, shown))

    def short(p: Bench) -> None:
        mean, root = a.mean.of[T, i], sqrt(a.square.of[T, i])
        ratio = mean / (root + eps)
        most = p.root(p.have("means", mean**2, "<=", top**2 * a.square.of[T, i], squared), mean, top * root)

        def at_most(name: str, low: Any, high: Any, weight: Any, of: Theorem) -> Theorem:
            return p.have(name, low, "<=", high, lambda p: p.combine((weight, of)))

        above = at_most("the mean, above", mean, top * root, 1, most)
        below = at_most("the mean, below", -top * root, mean, 1, most)
        above = at_most("the ratio, above", ratio, top, 1 / (root + eps), above)
        below = at_most("the ratio, below", -top, ratio, 1 / (root + eps), below)
        p.left.rewrite(stepped(p, a), at={s: T}).at_most(lr * top, (lr, inequality.absolute(p.theory, below, above)))
        p.left.unfold(top)

    c.law(length, "<=", lr * bound)
    c.prove(short)
    c.say("beta2 is greater than 0", "the first step is a claim of its own")
    given = {"lr": lr, "betas": (b1, b2), "eps": eps}
    c.call([a.theta0], **given).each_step(g).shows(param=parameter(), previous=parameter(before=True))
    c.variant(
        "at most the learning rate",
        "often said",
        law=(length, "<=", lr),
        why="the two averages forget at different rates, so that the mean can exceed the root of the mean square",
    )
    c.variant(
        "Kingma and Ba's bound",
        "Kingma and Ba, section 2.1",
        law=(length, "<=", lr * Max(1, (1 - b1) / sqrt(1 - b2))),
        why="for the usual betas it is 3.16 rates, and 7.27 are possible in the long run",
    )
    mistakes(
        c,
        a,
        "no correction of the bias",
        "only the first moment corrected",
        "squared deviation from the first moment",
    )
    c.remark(
        "For betas of 0.9 and 0.999 the bound is 1, 1.0014, 1.043, 2.243, 5.781 and 7.270 rates at steps 1, 2, 10, "
        "100, 1000 and 100 000. If beta1**2 >= beta2 it grows without limit."
    )


@claim("optim.adam.step_bound.value", "1.2.5", "optim.adam_step_bound")
def bound_value(c: Board) -> None:
    """The bound on a step, in units of the learning rate, is attained."""
    T = c.size("T", 1, 40)
    b1 = c.hyper("beta1", 0.0, 0.9, typical=(0.9, 0.0))
    b2 = c.hyper("beta2", 0.82, 1.0, open_high=True, typical=(0.999, 0.99))
    S1, S2 = c.let("S1", (), weight(b1, T)), c.let("S2", (), weight(b2, T))
    S3 = c.let("S3", (), weight(b1**2 / b2, T))
    bound = c.let("bound", (), sqrt(S3 * S2) / S1)

    t, s = c.index("t", 0, T), c.index("s", 1, T)
    worst = c.let("worst", s, (b1 / b2) ** (T - s))  # the gradients that attain it
    m = c.recur("m", t, first=0, later=lambda m: b1 * m[t - 1] + (1 - b1) * worst[t])
    v = c.recur("v", t, first=0, later=lambda v: b2 * v[t - 1] + (1 - b2) * worst[t] ** 2)
    mhat, vhat = c.let("mhat", (), m[T] / (1 - b1**T)), c.let("vhat", (), v[T] / (1 - b2**T))
    c.law(bound, mhat / sqrt(vhat))

    def corrected(p: Bench, hat: Any, moment: Any, rate: Any, power: int) -> Theorem:
        """The corrected average of the worst gradients, by sums of weights."""
        total = Sum(rate**k * worst[t - k] ** power, (k, 0, t - 1))

        def later(p: Bench, known: Theorem) -> None:
            p.left.unfold(moment).rewrite(known)

        solved = p.induction(f"{moment} is a weighted sum", (moment[t], (1 - rate) * total), on=t, step=later)
        counted = p.at(geometric(p, rate, t), {t: T})

        def meet(p: Bench) -> None:
            p.left.unfold(hat).rewrite(solved).unfold(worst)
            p.right.rewrite(counted)

        return p.have(f"{hat} is a ratio of sums", hat, "=", weight(b1**2 / b2, T) / weight(rate, T), meet)

    def attained(p: Bench) -> None:
        p.left.unfold(bound, S1, S2, S3)
        first, second = corrected(p, mhat, m, b1, 1), corrected(p, vhat, v, b2, 2)
        p.settle(p.have("the mean square is positive", 0, "<", vhat, lambda p: p.right.rewrite(second)))
        p.right.rewrite(first, second)

    c.prove(attained)
    c.say("beta1**2 is less than beta2")
    c.call(T, b1, b2).shows(bound)
    c.variant("the learning rate", "often said", S1=1, S2=1, S3=1)
    c.variant(
        "Kingma and Ba's bound", "Kingma and Ba, section 2.1", S1=1, S2=1, S3=Max(1, (1 - b1) / sqrt(1 - b2)) ** 2
    )
    c.variant("without the corrections", "known bug", S1=1 / (1 - b1), S2=1 / (1 - b2))
    c.variant("ratio of the betas", "known bug: beta1 not squared", S3=weight(b1 / b2, T))
    c.remark("The gradients that attain it were (beta1 / beta2)**k, k steps ago.")
