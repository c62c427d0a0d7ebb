"""The correction that makes Adam's averages unbiased, and what it assumes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Max, Min, Sum, Symbol, sqrt

from gnomon.derivations.optimizers.optim_adam import betas, correct, geometric, k
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import tensor, zeros_like
from gnomon.say.domain import Choice
from gnomon.say.maker import claim

LONGEST = 3
SIGNS = tuple(tuple(1 - 2 * (number >> place & 1) for place in range(LONGEST)) for number in range(2**LONGEST))
"""Every sign vector, one a row."""
BALANCED = "every gradient is mu + sigma or mu - sigma, both as likely"


def bugs(c: Board, a: SimpleNamespace, *names: str) -> None:
    """Ways to get the correction wrong, those named or all."""
    b1, b2, s = a.b1, a.b2, a.s
    known = {
        "no correction": ("momentum and RMSprop, both from zero", 1, 1),
        "one step too many": ("known bug: exponent t + 1", 1 - b1 ** (s + 1), 1 - b2 ** (s + 1)),
        "multiplied": ("known bug: not divided", 1 / (1 - b1**s), 1 / (1 - b2**s)),
        "only the first corrected": ("known bug", 1 - b1**s, 1),
        "only the second corrected": ("known bug", 1, 1 - b2**s),
        "betas exchanged": ("known bug", 1 - b2**s, 1 - b1**s),
        "the first step's factor at every step": ("known bug: 1 - beta", 1 - b1, 1 - b2),
    }
    for name in names or known:
        source, first, second = known[name]
        both = {"mhat": a.m[a.at] / first} | ({"vhat": a.v[a.at] / second} if hasattr(a, "vhat") else {})
        c.variant(name, source, **both)


# ------------------------------------------------------------------ the mean over all sign vectors


def gradients(name: str, means: tuple[int, ...]) -> Choice:
    """How the mean of the gradients goes, in units of mu, with every sign vector for the noise."""
    return Choice("gradients", {name: {IndexedBase("mean"): means, IndexedBase("sign"): SIGNS}})


def signs(c: Board) -> SimpleNamespace:
    """Paths of T gradients, each mu + sigma or mu - sigma: one path p for every sign vector."""
    T = c.size("T", 1, LONGEST)
    c.choice("gradients", gradients("one mean", (1,) * LONGEST).options)
    mean, sign = IndexedBase("mean"), IndexedBase("sign")
    mu, sigma, (b1, b2) = c.real("mu"), c.nonnegative("sigma"), betas(c)
    t, s, r, p = c.index("t", 0, T), c.index("s", 1, T), c.index("r", 0, T - 1), c.index("p", 2**T)
    a = SimpleNamespace(T=T, mu=mu, sigma=sigma, b1=b1, b2=b2, t=t, s=s, r=r, p=p, at=(s, p), mean=mean, sign=sign)
    a.path = c.let("path", (s, p), mu * mean[s - 1] + sigma * sign[p, s - 1])
    a.m = c.recur("m", (t, p), first=0, later=lambda m: b1 * m[t - 1, p] + (1 - b1) * a.path[t, p])
    c.condition(Eq(mean[r], 1), r, name="one mean", words="all gradients have one mean")
    return a


def over_all(a: SimpleNamespace, quantity: Any) -> Any:
    """The mean over all sign vectors, each as likely as any other."""
    return Sum(quantity, (a.p, 0, 2**a.T - 1)) / 2**a.T


@claim("optim.adam.bias_correction", "1.2.5", "optim.adam_bias_correct", kind="expectation")
def bias_correction(c: Board) -> None:
    """Corrected averages are unbiased, if all gradients have one mean."""
    a = signs(c)
    t, s, r, p, T, mu, sigma, b2 = a.t, a.s, a.r, a.p, a.T, a.mu, a.sigma, a.b2
    a.v = c.recur("v", (t, p), first=0, later=lambda v: b2 * v[t - 1, p] + (1 - b2) * a.path[t, p] ** 2)
    correct(c, a)
    first, second = c.let("first", (), over_all(a, a.mhat[T, p])), c.let("second", (), over_all(a, a.vhat[T, p]))
    c.condition(Eq(over_all(a, a.sign[p, r]), 0), r, name="balanced", words=BALANCED)
    c.condition(Eq(a.sign[p, r] ** 2, 1), r, p, name="unit", words="signs are 1 and -1")

    def unbiased(mean: Any, hat: Any, moment: Any, rate: Any, power: int, value: Any) -> Any:
        def each(B: Bench) -> None:
            B.left.unfold(a.path).rewrite(B.condition("one mean"))
            parts = [(sigma if power == 1 else 2 * mu * sigma, B.at(B.condition("balanced"), {r: s - 1}))]
            if power == 2:
                squares = B.sum(B.at(B.condition("unit"), {r: s - 1}), 1, (p, 0, 2**T - 1))
                parts.append((sigma**2 / 2**T, squares))
            B.combine(*parts)

        def proof(B: Bench) -> None:
            one = B.have("of each gradient", over_all(a, a.path[s, p] ** power), "=", value, each)

            def later(B: Bench, known: Theorem) -> None:
                B.left.unfold(moment)
                B.combine((rate, known), (1 - rate, B.at(one, {s: t + 1})))

            claimed = over_all(a, moment[t, p]), (1 - rate**t) * value
            grown = B.induction("towards it", claimed, on=t, base=lambda B: B.left.unfold(moment), step=later)
            B.left.unfold(mean, hat)
            B.combine((1 / (1 - rate**T), B.at(grown, {t: T})))

        return proof

    c.law(first, mu)
    c.prove(unbiased(first, a.mhat, a.m, a.b1, 1, mu))
    c.law(second, mu**2 + sigma**2)
    c.prove(unbiased(second, a.vhat, a.v, a.b2, 2, mu**2 + sigma**2))
    c.call(a.m[T, p], a.v[T, p], T, a.b1, a.b2).mean_over((p, 0, 2**T - 1)).shows(first, second)
    bugs(c, a)
    c.variant(
        "the mean may drift",
        "notes, which state no condition",
        drops=(gradients("growing mean", tuple(range(1, LONGEST + 1))),),
        actual="program",
        printed=True,
        why="gradients with means 1, 2, 3, ... average to less than the mean of the last",
    )
    c.remark(
        "Nothing is sampled: p runs over all sign vectors. Where the mean drifts, the correction takes off the bias "
        "towards zero and leaves the lag. The ratio of the two corrected averages is not an unbiased estimate of "
        "anything."
    )


@claim("optim.adam.bias_correction.variance", "1.2.5", "optim.adam_bias_correct", kind="expectation")
def variance(c: Board) -> None:
    """The corrected average has the variance of one gradient at first, and no more later."""
    a = signs(c)
    t, s, r, p, T, mu, sigma, b1, b2, m = a.t, a.s, a.r, a.p, a.T, a.mu, a.sigma, a.b1, a.b2, a.m
    a.v = c.recur("v", (t, p), first=0, later=lambda v: b2 * v[t - 1, p] + (1 - b2) * a.path[t, p] ** 2)
    a.mhat = c.let("mhat", (s, p), m[s, p] / (1 - b1**s))
    spread = c.let("variance", (), over_all(a, (a.mhat[T, p] - mu) ** 2))
    q = c.index("q", 0, T - 1)
    c.condition(Eq(over_all(a, a.sign[p, r]), 0), r, name="balanced", words=BALANCED)
    independent = Eq(over_all(a, a.sign[p, q] * a.sign[p, r]), KroneckerDelta(q, r))
    c.condition(independent, q, r, name="independent", words="and all are independent")
    c.law(spread, sigma**2 * (1 - b1) * (1 + b1**T) / ((1 + b1) * (1 - b1**T)))

    def proof(B: Bench) -> None:
        def balanced(B: Bench, at: Any) -> Theorem:
            return B.at(B.condition("balanced"), {r: at})

        def both(B: Bench, one: Any, other: Any) -> Theorem:
            return B.at(B.condition("independent"), {q: one, r: other})

        def begun(B: Bench) -> None:
            B.left.unfold(m)

        def turn(B: Bench) -> None:
            B.left.unfold(m, a.path).rewrite(B.condition("one mean"))

        def apart(B: Bench, known: Theorem) -> None:
            turn(B)
            unlike = both(B, t, r)
            none = B.chain(unlike.lhs).by(unlike).decide().theorem
            B.combine((b1, known), (mu * (1 - b1), balanced(B, r)), (sigma * (1 - b1), none))

        fresh = B.induction(
            "a sign to come says nothing of the average", (over_all(a, m[t, p] * a.sign[p, r]), 0), on=t,
            given=[t <= r], base=begun, step=apart,
        )  # fmt: skip

        def wider(B: Bench, known: Theorem) -> None:
            turn(B)
            cross = 2 * b1 * (1 - b1) * sigma
            parts = (cross, B.at(fresh, {r: t})), (-cross * mu * (1 - b1**t), balanced(B, t))
            B.combine((b1**2, known), *parts, ((1 - b1) ** 2 * sigma**2, both(B, t, t)))

        around = over_all(a, (m[t, p] - mu * (1 - b1**t)) ** 2)
        closed = sigma**2 * (1 - b1) * (1 - b1 ** (2 * t)) / (1 + b1)
        grown = B.induction("around its mean", (around, closed), on=t, base=begun, step=wider)
        B.left.unfold(spread, a.mhat)
        B.combine((1 / (1 - b1**T) ** 2, B.at(grown, {t: T})))

    c.prove(proof)
    one = Symbol("mh", real=True)
    far = c.call(m[T, p], a.v[T, p], T, b1, b2).returned(0).then(one, (one - mu) ** 2)
    far.mean_over((p, 0, 2**T - 1)).shows(spread)
    bugs(c, a, "no correction", "one step too many", "betas exchanged")
    c.variant("the limit for many steps", "a usual approximation", mhat=mu + sigma * sqrt((1 - b1) / (1 + b1)))
    c.remark(
        "At the first step the variance is that of one gradient, sigma**2; in the long run it is (1 - beta) / (1 + "
        "beta) of it: 1/19 for beta = 0.9."
    )


# ------------------------------------------------------------------ the correction as a formula


@claim("optim.adam.bias_correction.formula", "1.2.5", "optim.adam_bias_correct")
def correction(c: Board) -> None:
    """The correction divides by the weight that the gradients have been given."""
    n, T = c.size("n", 1, 2), c.size("T", 1, 30)
    exp_avg, exp_avg_sq, (b1, b2) = c.real("exp_avg", n), c.nonnegative("exp_avg_sq", n), betas(c)
    t, i = c.index("t", 0, T), c.index("i", n)
    a = SimpleNamespace(m=exp_avg, v=exp_avg_sq, b1=b1, b2=b2, s=T, at=(i,))
    correct(c, a)
    for hat, moment, rate in ((a.mhat, exp_avg, b1), (a.vhat, exp_avg_sq, b2)):
        c.law(hat[i], moment[i] / ((1 - rate) * Sum(rate**k, (k, 0, T - 1))))

        def proof(p: Bench, hat: Any = hat, rate: Any = rate) -> None:
            p.left.unfold(hat)
            p.right.rewrite(p.at(geometric(p, rate, t), {t: T}))

        c.prove(proof)
    c.say("T gradients are in the averages: it is 1 at the first step")
    c.call(exp_avg, exp_avg_sq, T, b1, b2).shows(a.mhat, a.vhat)
    bugs(c, a)
    c.remark("At T = 0 the correction would be 0/0.")


# ------------------------------------------------------------------ what follows: a weighted mean


@claim("optim.adam.bias_correction.between", "1.2.5", "optim.adam_bias_correct", kind="inequality")
def between(c: Board) -> None:
    """The corrected average lies between the least and the greatest gradient."""
    n, T = c.size("n", 1, 2), c.size("T", 1, 5)
    g, (b1, b2) = c.real("g", T, n), betas(c)
    t, s, i = c.index("t", 0, T), c.index("s", 1, T), c.index("i", n)
    m = c.recur("m", (t, i), first=0, later=lambda m: m[t - 1, i] + (1 - b1) * (g[t - 1, i] - m[t - 1, i]))
    mhat = c.let("mhat", (s, i), m[s, i] / (1 - b1**s))
    c.output("mhat", mhat[T, i])
    least = c.recur("least", (s, i), first=g[0, i], later=lambda x: Min(x[s - 1, i], g[s - 1, i]))
    greatest = c.recur("greatest", (s, i), first=g[0, i], later=lambda x: Max(x[s - 1, i], g[s - 1, i]))

    def proof(extreme: Any, upper: bool) -> Any:
        """The average is at most its weight times the greatest, or at least its weight times the least."""

        def sides(x: Any, y: Any) -> tuple[Any, Any]:
            return (x, y) if upper else (y, x)

        def ordered(p: Bench, name: str, x: Any, y: Any) -> Theorem:
            low, high = sides(x, y)
            return p.have(name, low, "<=", high, lambda p: outer(p).unfold(extreme), given=[s >= 2])

        def inner(p: Bench) -> Any:
            return p.left if upper else p.right

        def outer(p: Bench) -> Any:
            return p.right if upper else p.left

        def begun(p: Bench) -> None:
            inner(p).unfold(m, m)
            outer(p).unfold(extreme)

        def between(p: Bench) -> None:
            further = ordered(p, "it goes one way", extreme[s - 1, i], extreme[s, i])
            covered = ordered(p, "and covers each gradient", g[s - 1, i], extreme[s, i])

            def longer(p: Bench, known: Theorem) -> None:
                inner(p).unfold(m)
                move, cover = (p.at(one, {s: s + 1}) for one in (further, covered))
                p.combine((b1, known), (b1 * (1 - b1**s), move), (1 - b1, cover))

            claimed = sides(m[s, i], (1 - b1**s) * extreme[s, i])
            shown = p.induction("the average", claimed, on=s, start=1, rel="<=", base=begun, step=longer)
            inner(p).unfold(mhat)
            p.combine((1 / (1 - b1**T), p.at(shown, {s: T})))

        return between

    c.law(mhat[T, i], "<=", greatest[T, i])
    c.prove(proof(greatest, upper=True))
    c.law(mhat[T, i], ">=", least[T, i])
    c.prove(proof(least, upper=False))
    average = tensor(m[T, i], (i, 0, n - 1))
    c.call(average, zeros_like(average), T, b1, b2).shows(mhat)
    bugs(c, SimpleNamespace(m=m, b1=b1, b2=b2, s=s, at=(s, i)), "no correction", "one step too many")
    c.variant("the first step's factor at every step", "known bug: 1 - beta", mhat=m[s, i] / (1 - b1))
    c.remark("A constant gradient is met exactly, from the first step on.")
