"""The value of the adversarial game from the discriminator's probabilities (notes, section 4.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import Eq, Piecewise, log

from gnomon.derivations.gan_game import SECTION, SMALL, sigmoid
from gnomon.say.board import Board
from gnomon.say.maker import claim

SUBJECT = "gan.gan_value_from_probabilities"


def judging(c: Board, closed: bool) -> Any:
    """The value from chances, which may be 0 and 1 where ``closed``; a term without mass is then 0."""
    n, m = c.size("n"), c.size("m")
    ends: dict[str, Any] = {"low": 0.0, "high": 1.0, "open_low": not closed, "open_high": not closed}
    d_real, d_fake = c.real("d_real", n, **ends), c.real("d_fake", m, **ends)
    p, q = c.law_on("p", n), c.law_on("q", m)
    i, j = c.index("i", n), c.index("j", m)

    def guarded(term: Any, mass: Any) -> Any:
        return Piecewise((term, mass > 0), (0, True)) if closed else term

    accepts = c.let("accepts", i, guarded(p[i] * log(d_real[i]), p[i]))
    rejects = c.let("rejects", j, guarded(q[j] * log(1 - d_fake[j]), q[j]))
    real_term, fake_term = c.let("real_term", (), c.sum(accepts[i], i)), c.let("fake_term", (), c.sum(rejects[j], j))
    V = c.let("V", (), real_term + fake_term)
    c.variant("D of the samples", "known bug", rejects=guarded(q[j] * log(d_fake[j]), q[j]))
    c.variant(
        "small number inside the logarithms",
        "known habit: log(D + 1e-8)",
        accepts=p[i] * log(d_real[i] + SMALL),
        rejects=q[j] * log(1 - d_fake[j] + SMALL),
    )
    c.variant("its negative", "the discriminator's loss", V=-real_term - fake_term)
    c.call(d_real, d_fake, p, q).shows(V)
    return SimpleNamespace(**{name: thing for name, thing in locals().items() if name != "c"})


@claim("gan.value.probabilities", SECTION, SUBJECT)
def probabilities(c: Board) -> None:
    """The value of the game from the discriminator's probabilities."""
    s = judging(c, closed=False)
    p, q, i, j = s.p, s.q, s.i, s.j
    accepted, rejected = log(s.d_real[i]), log(1 - s.d_fake[j])
    c.law(s.V, c.sum(p[i] * accepted, i) + c.sum(q[j] * rejected, j))
    c.prove(lambda b: b.left.expand())
    c.law(s.V, c.sum(p[i] * q[j] * (accepted + rejected), i, j))

    def one_round(b: Any) -> None:
        """A round draws x and z apart from each other: what it pays on average."""
        b.left.expand()
        b.right.to(c.sum(p[i] * accepted, i) * c.sum(q[j], j) + c.sum(p[i], i) * c.sum(q[j] * rejected, j))
        b.right.rewrite(b.condition("p adds up to 1"), b.condition("q adds up to 1"))

    c.prove(one_round)

    def of_logits(d: Any) -> Any:
        return sigmoid(log(d) - log(1 - d))

    real, fake = of_logits(s.d_real[i]), of_logits(s.d_fake[j])
    c.law(s.V, c.sum(p[i] * log(real), i) + c.sum(q[j] * log(1 - fake), j))
    c.prove(lambda b: b.left.expand())
    c.say("D is strictly between 0 and 1")
    c.remark("1 - D keeps nothing of a probability close to 0 or 1; from logits the value is exact everywhere.")


@claim("gan.value.certain", SECTION, SUBJECT)
def certain(c: Board) -> None:
    """A discriminator may be certain where the law has no mass."""
    s = judging(c, closed=True)
    p, q, i, j, d_real, d_fake = s.p, s.q, s.i, s.j, s.d_real, s.d_fake
    c.condition(Piecewise((1, Eq(p[i], 0)), (d_real[i], True)) > 0, i, name="D is not 0 on data")
    c.condition(Piecewise((0, Eq(q[j], 0)), (d_fake[j], True)) < 1, j, name="D is not 1 on samples")
    # The same discriminator, right wherever nobody asks it: no logarithm of 0 is left.
    real = c.let("real", i, Piecewise((d_real[i], p[i] > 0), (1, True)))
    fake = c.let("fake", j, Piecewise((d_fake[j], q[j] > 0), (0, True)))
    c.law(s.V, c.sum(p[i] * log(real[i]), i) + c.sum(q[j] * log(1 - fake[j]), j))

    def proof(b: Any) -> None:
        def shown(name: str, term: Any, other: Any, mass: Any, logarithm: Any) -> Any:
            def either(b: Any) -> None:
                b.left.unfold(term)
                b.right.unfold(other)
                b.cases(mass > 0)

            return b.have(name, term, "=", mass * logarithm, either)

        accepts = shown("on data", s.accepts[i], real, p[i], log(real[i]))
        rejects = shown("on samples", s.rejects[j], fake, q[j], log(1 - fake[j]))
        b.left.unfold(s.V, s.real_term, s.fake_term).rewrite(accepts, rejects)

    c.prove(proof)
    c.without_gradient()
    c.say("0 log 0 is 0", "where D is 0 on data or 1 on samples the value is minus infinity")
    c.remark(
        "By a weight that is 0 the derivative is the logarithm of 0, so gradients are compared only for D "
        "strictly between 0 and 1."
    )
