"""The value of the adversarial game from the discriminator's probabilities (notes, section 4.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import Piecewise, Rational, log

from gnomon.derivations.generative.gan_game import SECTION, SMALL, sigmoid
from gnomon.proof import inequality
from gnomon.proof.limit import squeezed
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
    on_data = Piecewise((d_real[i], p[i] > 0), (1, True)) > 0
    on_samples = Piecewise((d_fake[j], q[j] > 0), (0, True)) < 1
    c.condition(on_data, i, name="data", words="D is not 0 where data have mass")
    c.condition(on_samples, j, name="samples", words="D is not 1 where samples have mass")
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
    tends(c, s)
    c.without_gradient()
    c.say("0 log 0 is 0", "else the value is minus infinity")
    c.remark(
        "By a weight that is 0 the derivative is the logarithm of 0, so gradients are compared only for D "
        "strictly between 0 and 1."
    )


def tends(c: Board, s: Any) -> None:
    """The value of a discriminator that is certain is what those come to that are certain of nothing."""
    p, q, i, j, d_real, d_fake = s.p, s.q, s.i, s.j, s.d_real, s.d_fake
    t = c.variable("t")

    def hedged(d: Any) -> Any:
        """A chance that is not certain, and goes to this one; of 1 - D it is 1 less that of D."""
        return (1 - t) * d + t / 2

    def room(mass: Any, chance: Any) -> Any:
        """How fast a term goes to its limit."""
        return Piecewise((mass * (2 + 1 / (2 * chance)), mass > 0), (0, True))

    on_data, on_samples = c.let("on_data", i, room(p[i], d_real[i])), c.let("on_samples", j, room(q[j], 1 - d_fake[j]))
    c.aid(on_data, on_samples)
    hedging = c.sum(p[i] * log(hedged(d_real[i])), i) + c.sum(q[j] * log(hedged(1 - d_fake[j])), j)
    c.law(c.limit(hedging, t, 0), s.V)
    small = [t > 0, t <= Rational(1, 2)]

    def near(b: Any, entry: Any, room: Any, mass: Any, chance: Any) -> tuple[Any, Any]:
        """A term is close from above and from below: logarithms lie below their tangents; without mass it is 0."""
        moved = hedged(chance)

        def have(name: str, lhs: Any, rel: str, rhs: Any, fill: Any = None, *more: Any) -> Any:
            return b.have(f"{entry} {name}", lhs, rel, rhs, fill, given=[*small, *more])

        def within(b: Any) -> None:
            b.right.to(moved + (1 - t) * (1 - chance) + t / 2)

        def falling(b: Any) -> None:
            b.left.to(2 * t - t * (chance * (1 - 2 * t) + t + Rational(1, 2)) / moved)

        at_most = have("is a chance", moved, "<=", 1, within)
        falls = have("falls", (chance - moved) / moved, "<=", 2 * t, falling)
        rises = have("rises", 0, "<=", t * mass / (2 * chance), None, mass > 0)

        def either(b: Any, tangent: Any, sign: int, *more: Any) -> None:
            for side in (b.left, b.right):
                side.expand()
            b.cases(
                mass > 0,
                lambda b: b.combine((mass, b.lemma("log_tangent", **tangent)), *more),
                lambda b: b.combine((sign * mass, b.lemma("log_tangent", u=moved, m=1)), (sign * mass, at_most)),
            )

        of_moved, of_chance = {"u": moved, "m": chance}, {"u": chance, "m": moved}
        rest = (mass, falls), (1, rises)
        return (
            have("above", mass * log(moved), "<=", entry + t * room, lambda b: either(b, of_moved, 1)),
            have("below", entry, "<=", mass * log(moved) + t * room, lambda b: either(b, of_chance, -1, *rest)),
        )

    def close(b: Any) -> None:
        data = near(b, s.accepts[i], on_data[i], p[i], d_real[i])
        samples = near(b, s.rejects[j], on_samples[j], q[j], 1 - d_fake[j])
        V, rate = c.sum(s.accepts[i], i) + c.sum(s.rejects[j], j), t * (c.sum(on_data[i], i) + c.sum(on_samples[j], j))

        def summed(number: int) -> Any:
            parts = ((data[number], (i, 0, s.n - 1)), (samples[number], (j, 0, s.m - 1)))
            return lambda b: b.combine(*[(1, b.sum(part, 1, limits)) for part, limits in parts])

        above = b.have("above", hedging - V, "<=", rate, summed(0), given=small)
        below = b.have("below", -rate, "<=", hedging - V, summed(1), given=small)
        limit = squeezed(b.theory, inequality.absolute(b.theory, below, above), hedging, V, t, 0)
        b.left.by(limit)
        b.right.unfold(s.V, s.real_term, s.fake_term)
        b.settle(limit)

    c.prove(close)
