"""Claims on extremes and on the logarithm of a sum of powers, as derivations/ could have them: for the tests."""

import sympy as sp
from sympy import exp, log

from gnomon.check.verdict import check
from gnomon.say.maker import claim


def verdict(maker, subject, dtype="float64"):
    """The evidence on a subject, all variants of the claim rejected."""
    made = maker.claim
    (found,) = check(
        made, implementations={made.subject: subject}, device="cpu", dtypes=[dtype], budget="quick", seed=0
    )
    assert all(variant.rejected for variant in found.variants), found.variants
    return found


@claim("toy.logsumexp", "9.9", "toy.logsumexp")
def logsumexp(c):
    """The logarithm of a sum of powers, the greatest term taken away before and added after."""
    n = c.size("n")
    x = c.real("x", n)
    i, j = c.indices("i j", n)
    y = c.let("y", (), c.logsumexp(x[i], i))
    top = c.max(x[j], j)
    c.law(y, top + log(c.sum(exp(x[i] - top), i)))
    c.prove(
        lambda p: p.left.unfold(y).rewrite(p.shifted(p.left.now, top)).rewrite(p.powers(c.logsumexp(x[i] - top, i)))
    )
    c.call(x).shows(y)
    c.variant("the mean of the powers", "known bug", y=c.logsumexp(x[i], i) - log(n))


@claim("toy.softmax", "9.9", "toy.softmax")
def softmax(c):
    """A softmax does not change when the greatest score is taken away."""
    n, m = c.size("n", 1, 3), c.size("m")
    s = c.real("s", n, m)
    i, j, k = c.index("i", n), c.index("j", m), c.index("k", m)
    a = c.let("a", (i, j), exp(s[i, j] - c.max(s[i, k], k)))
    y = c.let("y", (i, j), a[i, j] / c.sum(a[i, k], k))
    c.law(y[i, j], exp(s[i, j]) / c.sum(exp(s[i, k]), k))
    c.prove(lambda p: p.left.unfold(y, a))
    c.call(s).shows(y)
    c.variant("over the other axis", "known bug", y=a[i, j] / sp.Sum(a[i, j], (i, 0, n - 1)))


@claim("toy.extremes", "9.9", "toy.extremes")
def extremes(c):
    """The greatest and the least number of a list, and the first places where they are."""
    n = c.size("n")
    x = c.real("x", n)
    i = c.index("i", n)
    high, low = c.let("high", (), c.max(x[i], i)), c.let("low", (), c.min(x[i], i))
    top, bottom = c.let("top", (), c.argmax(x[i], i)), c.let("bottom", (), c.argmin(x[i], i))
    for shown, other in (
        (high, -c.min(-x[i], i)), (low, -c.max(-x[i], i)), (top, c.argmin(-x[i], i)), (bottom, c.argmax(-x[i], i))
    ):  # fmt: skip
        c.law(shown, other)
        c.prove(lambda p: p.left.unfold(p.left.now).by(p.turned(p.left.now)))
    c.call(x).shows(high, low, top, bottom)
    c.variant("the last place", "ties", top=n - 1 - c.argmax(x[n - 1 - i], i))
    c.variant("of sizes", "known bug", high=c.max(sp.Abs(x[i]), i))


@claim("toy.masked_softmax", "9.9", "toy.masked_softmax")
def masked_softmax(c):
    """A softmax over the scores that a mask keeps."""
    n, m = c.size("n", 1, 3), c.size("m")
    s, keep = c.real("s", n, m), c.mask("keep", n, m, some=True)
    i, j, k = c.index("i", n), c.index("j", m), c.index("k", m)

    def softmax_of(e):
        return exp(e(j) - c.max(e(k), k))

    a = c.let("a", (i, j), softmax_of(lambda at: c.where(keep[i, at], s[i, at])))
    y = c.let("y", (i, j), a[i, j] / c.sum(a[i, k], k))
    c.law(y[i, j], c.where(keep[i, j], exp(s[i, j]), 0) / c.sum(c.where(keep[i, k], exp(s[i, k]), 0), k))
    c.prove(lambda p: p.left.unfold(y, a).without().taken_out(exp(-c.max(c.where(keep[i, k], s[i, k]), k))))
    c.call(s, keep).shows(y)
    c.variant("a mask of the scores", "known bug: masked scores are 0", a=softmax_of(lambda at: s[i, at] * keep[i, at]))
    c.variant("not divided by what is kept", "known bug", y=keep[i, j] * exp(s[i, j]) / c.sum(exp(s[i, k]), k))


@claim("toy.masked_or_zero", "9.9", "toy.masked_or_zero")
def masked_or_zero(c):
    """A softmax over the scores that a mask keeps, and 0 where it keeps none; the log of the sum of their powers."""
    m = c.size("m")
    s, keep = c.real("s", m), c.mask("keep", m)
    j, k = c.index("j", m), c.index("k", m)
    e = c.let("e", j, c.where(keep[j], s[j]))
    top = c.let("top", (), c.logsumexp(e[k], k))
    y = c.let("y", j, sp.Piecewise((exp(e[j] - top), c.sum(keep[k], k) > 0), (0, True)))
    c.law(y[j], sp.Piecewise((exp(e[j]) / c.sum(exp(e[k]), k), c.sum(keep[k], k) > 0), (0, True)))
    c.law(top, c.logsumexp(e[k], k))
    c.call(s, keep).shows(y, top)
    uniform = sp.Piecewise((exp(e[j] - top), c.sum(keep[k], k) > 0), (1 / m, True))
    c.variant("uniform where nothing is kept", "a large negative number for minus infinity", y=uniform)


def lists(c):
    """A list of k arrays with lengths of their own, and indices into it."""
    k = c.size("k", 1, 3)
    n = c.sizes("n", k, 1, 4)
    i = c.index("i", k)
    return n, c.ragged("x", n), i, c.index("t", n[i])


@claim("toy.means", "9.9", "toy.means")
def means(c):
    """The means of arrays of several lengths are those of their halves."""
    n, x, i, t = lists(c)
    y = c.let("y", i, c.sum(x[i, t], t) / n[i])
    c.law(y[i], c.sum(2 * x[i, t], t) / (2 * n[i]))
    c.prove(lambda p: p.left.unfold(y))
    c.call(x).shows(y)
    c.variant("over the longest length", "padding counted", y=c.sum(x[i, t], t) / c.max(n[i], i))


@claim("toy.padded", "9.9", "toy.padded")
def filled_up(c):
    """Arrays of several lengths in one tensor, filled up with 0, and the greatest number of each."""
    n, x, i, t = lists(c)
    y, top = c.let("y", (i, t), x[i, t]), c.let("top", i, c.max(x[i, t], t))
    c.law(y[i, t], x[i, t])
    c.law(top[i], c.max(x[i, t], t))
    c.call(x).shows(y, top)
    c.variant("turned round", "filled up in front", y=x[i, n[i] - 1 - t])


@claim("toy.attention", "9.9", "toy.attention")
def attention(c):
    """Masked attention, computed with the largest kept score of each row taken away."""
    n, m, d, v = c.size("n", 1, 2), c.size("m", 1, 3), c.size("d", 1, 2), c.size("v", 1, 2)
    Q, K, V = c.real("Q", n, d), c.real("K", m, d), c.real("V", m, v)
    keep = c.mask("keep", n, m, some=True)
    i, j, k = c.index("i", n), c.index("j", m), c.index("k", m)
    h, r = c.index("h", d), c.index("r", v)
    s = c.let("s", (i, j), c.sum(Q[i, h] * K[j, h], h) / sp.sqrt(d))
    top = c.max(c.where(keep[i, k], s[i, k]), k)
    a = c.let("a", (i, j), exp(c.where(keep[i, j], s[i, j]) - top))
    y = c.let("y", (i, r), c.sum(a[i, j] * V[j, r], j) / c.sum(a[i, j], j))
    z = c.sum(c.where(keep[i, k], exp(s[i, k]), 0), k)
    w = c.let("w", (i, j), c.where(keep[i, j], exp(s[i, j]), 0) / z)
    c.law(y[i, r], c.sum(w[i, j] * V[j, r], j))
    c.prove(lambda p: (p.left.unfold(y, a).without().taken_out(exp(-top)), p.right.unfold(w).taken_out(1 / z)))
    c.call(Q, K, V, keep).shows(y)
    c.variant("not scaled", "known bug", s=c.sum(Q[i, h] * K[j, h], h))
    c.variant("masked scores are 0", "known bug", a=exp(keep[i, j] * s[i, j] - c.max(keep[i, k] * s[i, k], k)))
