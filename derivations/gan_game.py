"""The value of the adversarial game from logits: on samples, and its sign (notes, section 4.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import exp, log

from gnomon.derivations.gan import SECTION, log_rejection, log_sigmoid, sigmoid
from gnomon.say.maker import claim


def game(c: Any, weighted: bool = True) -> Any:
    """The value of the game from the logits, as weighted sums over both spaces or as means."""
    n, m = c.size("n"), c.size("m")
    real, fake = c.real("real", n), c.real("fake", m)
    p, q = (c.law_on("p", n), c.law_on("q", m)) if weighted else (None, None)
    i, j = c.index("i", n), c.index("j", m)
    accepts = c.let("accepts", i, log_sigmoid(real[i]))
    rejects = c.let("rejects", j, log_rejection(fake[j]))
    real_term = c.let("real_term", (), c.sum(p[i] * accepts[i], i) if weighted else c.sum(accepts[i], i) / n)
    fake_term = c.let("fake_term", (), c.sum(q[j] * rejects[j], j) if weighted else c.sum(rejects[j], j) / m)
    V = c.let("V", (), real_term + fake_term)
    return SimpleNamespace(**{name: thing for name, thing in locals().items() if name != "c"})


def judged(p: Any, s: Any) -> None:
    """The stable logarithms are those of the chances, whatever the sign of the logit."""
    i, j = s.i, s.j

    def either(b: Any, logit: Any, name: Any) -> None:
        b.left.unfold(name)
        b.cases(logit >= 0)

    accepting = p.have(
        "log D", s.accepts[i], "=", log(1 / (1 + exp(-s.real[i]))), lambda b: either(b, s.real[i], s.accepts)
    )
    rejecting = p.have(
        "log(1 - D)", s.rejects[j], "=", log(1 - 1 / (1 + exp(-s.fake[j]))), lambda b: either(b, s.fake[j], s.rejects)
    )
    p.left.unfold(s.V, s.real_term, s.fake_term).rewrite(accepting, rejecting)


@claim("gan.value.sample", SECTION, "gan.gan_value")
def sample(c):
    """On samples both expectations of the value are means."""
    s = game(c, weighted=False)
    i, j, n, m = s.i, s.j, s.n, s.m
    c.law(s.V, c.sum(log(sigmoid(s.real[i])), i) / n + c.sum(log(1 - sigmoid(s.fake[j])), j) / m)
    c.prove(lambda p: judged(p, s))
    c.call(s.real, s.fake).shows(s.V)
    c.variant(
        "mean over the whole batch",
        "known bug",
        real_term=c.sum(s.accepts[i], i) / (n + m),
        fake_term=c.sum(s.rejects[j], j) / (n + m),
    )
    c.variant("sums", "known bug", real_term=c.sum(s.accepts[i], i), fake_term=c.sum(s.rejects[j], j))
    c.variant("log D of the samples", "known bug: non-saturating sign", rejects=log_sigmoid(s.fake[j]))
    c.variant("labels exchanged", "known bug", accepts=log_rejection(s.real[i]), rejects=log_sigmoid(s.fake[j]))


@claim("gan.extremes.sign", SECTION, "gan.gan_value", kind="inequality")
def bounded(c):
    """The value of the game is at most 0."""
    s = game(c)
    c.law(s.V, "<=", 0)

    def proof(p):
        """Neither logarithm is positive, and no weight is negative."""
        accepting = p.have("acceptance is a chance", s.accepts[s.i], "<=", 0, lambda b: b.left.unfold(s.accepts))
        rejecting = p.have("rejection is a chance", s.rejects[s.j], "<=", 0, lambda b: b.left.unfold(s.rejects))
        p.left.unfold(s.V, s.real_term, s.fake_term)
        p.combine(
            (1, p.sum(accepting, s.p[s.i], (s.i, 0, s.n - 1))), (1, p.sum(rejecting, s.q[s.j], (s.j, 0, s.m - 1)))
        )

    c.prove(proof)
    c.call(s.real, s.fake, s.p, s.q).shows(s.V)
    c.variant("its negative", "the discriminator's loss", V=-s.real_term - s.fake_term)
    c.variant("difference of the terms", "known bug", V=s.real_term - s.fake_term)
