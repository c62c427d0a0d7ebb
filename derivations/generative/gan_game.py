"""The value of the adversarial game from logits: under laws, on samples, and its extremes (notes, section 4.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Max, Min, Piecewise, Rational, exp, log

from gnomon.say.board import Board
from gnomon.say.maker import claim

SECTION = "4.2"
SMALL = Rational(1, 10**8)


def sigmoid(l: Any) -> Any:
    return 1 / (1 + exp(-l))


def log_sigmoid(l: Any) -> Any:
    """log σ(l) without overflow, to the accuracy of torch's cross-entropy with logits.

    Batched it takes log(1 + exp) in the place of log1p, and alone its slope is a difference from 1: value and slope
    have the digits of a number of the size of l and 1, and a budget must leave room for that.
    """
    return l - Max(l, 0) - log(1 + exp(-Abs(l)))


def log_rejection(l: Any) -> Any:
    """log(1 - σ(l)), likewise."""
    return Min(l, 0) - l - log(1 + exp(-Abs(l)))


def stable(p: Any, name: str, entry: Any, chance: Any, logit: Any) -> Any:
    """A stable logarithm is that of the chance, whatever the sign of the logit."""

    def either(b: Any) -> None:
        b.left.unfold(entry)
        b.cases(logit >= 0)

    return p.have(name, entry, "=", log(chance), either)


def judged(p: Any, s: Any) -> None:
    """Both stable logarithms of the game are those of the chances."""
    real, fake = s.real[s.i], s.fake[s.j]
    accepting = stable(p, "log D", s.accepts[s.i], sigmoid(real), real)
    rejecting = stable(p, "log(1 - D)", s.rejects[s.j], 1 - sigmoid(fake), fake)
    p.left.unfold(s.V, s.real_term, s.fake_term).rewrite(accepting, rejecting)


def game(c: Board, weighted: bool = True) -> Any:
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


@claim("gan.value", SECTION, "gan.gan_value")
def value(c: Board) -> None:
    """The value of the game judges the generated points G(z), not G(x)."""
    s = game(c)
    n, m, i, j, p, q = s.n, s.m, s.i, s.j, s.p, s.q
    accepted, rejected = log(sigmoid(s.real[i])), log(1 - sigmoid(s.fake[j]))
    c.law(s.V, c.sum(p[i] * accepted, i) + c.sum(q[j] * rejected, j))
    c.prove(lambda b: judged(b, s))
    c.law(s.V, c.sum(p[i] * q[j] * (accepted + rejected), i, j))

    def one_round(b: Any) -> None:
        """A round draws x and z apart from each other: what it pays on average."""
        judged(b, s)
        b.right.to(c.sum(p[i] * accepted, i) * c.sum(q[j], j) + c.sum(p[i], i) * c.sum(q[j] * rejected, j))
        b.right.rewrite(b.condition("p adds up to 1"), b.condition("q adds up to 1"))

    c.prove(one_round)
    c.say("D = σ(logit), strictly between 0 and 1", "expectations are sums over finite spaces")
    c.call(s.real, s.fake, p, q).shows(s.V)
    c.variant(
        "D(G(x)) in the second term",
        "notes",
        printed=True,
        why="shown for G the identity; as printed the value would not depend on the generator's samples",
        fake_term=c.sum(p[i] * log_rejection(s.real[i]), i),
    )
    c.variant("labels exchanged", "known bug", accepts=log_rejection(s.real[i]), rejects=log_sigmoid(s.fake[j]))
    c.variant("log D of the samples", "known bug: non-saturating sign", rejects=log_sigmoid(s.fake[j]))
    c.variant("its negative", "the discriminator's loss", V=-s.real_term - s.fake_term)
    means = c.sum(s.accepts[i], i) / n, c.sum(s.rejects[j], j) / m
    c.variant("mean over the points", "known bug: weights ignored", real_term=means[0], fake_term=means[1])
    c.variant("average of both terms", "half the value", V=(s.real_term + s.fake_term) / 2)
    twice_and_small(c, s)
    c.remark("The notes also write V(G, D) and V(D, G): the arguments are the same two players.")


def twice_and_small(c: Board, s: Any) -> None:
    """Two mistakes that are made with every logarithm of a chance."""
    real, fake = s.real[s.i], s.fake[s.j]
    c.variant(
        "sigmoid applied twice",
        "known bug: probabilities where logits are expected",
        accepts=log_sigmoid(sigmoid(real)),
        rejects=log_rejection(sigmoid(fake)),
    )
    c.variant(
        "small number inside the logarithms",
        "known habit: log(D + 1e-8)",
        accepts=log(sigmoid(real) + SMALL),
        rejects=log(sigmoid(-fake) + SMALL),
    )


@claim("gan.value.sample", SECTION, "gan.gan_value")
def sample(c: Board) -> None:
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


@claim("gan.extremes", SECTION, "gan.gan_value", kind="inequality")
def extremes(c: Board) -> None:
    """The discriminator can bring the value up to the criterion, and to 0 only if the supports are disjoint."""
    n = c.size("n", 2, 4)
    l = c.real("l", n)
    p, q = c.law_on("p", n), c.law_on("q", n)
    i = c.index("i", n)
    accepts = c.let("accepts", i, log_sigmoid(l[i]))
    rejects = c.let("rejects", i, log_rejection(l[i]))
    real_term = c.let("real_term", (), c.sum(p[i] * accepts[i], i))
    fake_term = c.let("fake_term", (), c.sum(q[i] * rejects[i], i))
    V = c.let("V", (), real_term + fake_term)

    def share(mass: Any) -> Any:
        """What a point adds to the criterion by one of the laws: 0 log 0 is 0."""
        return Piecewise((mass * log(mass / (p[i] + q[i])), mass > 0), (0, True))

    data, samples = c.let("data", i, share(p[i])), c.let("samples", i, share(q[i]))
    criterion = c.sum(data[i], i) + c.sum(samples[i], i)
    c.law(V, "<=", criterion)

    def below(b: Any, part: Any, entry: Any, mass: Any, chance: Any) -> Any:
        """A logarithm lies below its tangent at the best chance, which is the law's share of both masses."""
        total = p[i] + q[i]
        logarithm = stable(b, f"{entry} as a logarithm", entry, chance, l[i])

        def tangent(b: Any) -> None:
            b.left.rewrite(logarithm)
            b.right.unfold(part)
            b.cases(mass > 0, lambda yes: yes.combine((mass, yes.lemma("log_tangent", u=chance, m=mass / total))))

        return b.have(f"{entry} below its tangent", mass * entry, "<=", part[i] + total * chance - mass, tangent)

    def best(b: Any) -> Any:
        """The slopes of both tangents cancel."""
        chance = sigmoid(l[i])
        accepted = below(b, data, accepts[i], p[i], chance)
        rejected = below(b, samples, rejects[i], q[i], 1 - chance)

        def summed(b: Any) -> None:
            b.left.unfold(V, real_term, fake_term)
            b.combine((1, b.sum(accepted, 1, (i, 0, n - 1))), (1, b.sum(rejected, 1, (i, 0, n - 1))))

        return b.have("the value of any D", V, "<=", criterion, summed)

    c.prove(lambda b: b.by(best(b)))

    both = c.let(
        "both", i, Piecewise((Piecewise((p[i] * q[i] / (p[i] + q[i]), p[i] > 0), (0, True)), q[i] > 0), (0, True))
    )
    c.law(V, "<=", -2 * c.sum(both[i], i))

    def overlap(b: Any) -> None:
        """Where both laws have mass the best chance is less than 1: log(y) is at most y - 1."""

        def less(b: Any, part: Any, mass: Any, other: Any) -> None:
            def short(b: Any) -> None:
                b.combine((mass, b.lemma("log_tangent", u=mass / (mass + other), m=1)))

            b.left.unfold(part)
            b.right.unfold(both)
            b.cases(mass > 0, lambda yes: yes.cases(other > 0, short, short))

        of_data = b.have("missed of the data", data[i], "<=", -both[i], lambda b: less(b, data, p[i], q[i]))
        of_samples = b.have("missed of the samples", samples[i], "<=", -both[i], lambda b: less(b, samples, q[i], p[i]))
        sums = [(1, b.sum(part, 1, (i, 0, n - 1))) for part in (of_data, of_samples)]
        b.combine((1, best(b)), *sums)

    c.prove(overlap)

    def one_sided(of: Any, other: Any, weight: Any, other_weight: Any, bound: Any) -> Any:
        """One logarithm is at most a multiple of the logit, and the other one is not positive."""

        def proof(b: Any) -> None:
            steep = b.have("at most linear", of[i], "<=", bound, lambda b: b.left.unfold(of))
            chance = b.have("not positive", other[i], "<=", 0, lambda b: b.left.unfold(other))
            b.left.unfold(V, real_term, fake_term)
            limits = (i, 0, n - 1)
            b.combine((1, b.sum(steep, weight[i], limits)), (1, b.sum(chance, other_weight[i], limits)))

        return proof

    c.law(V, "<=", c.sum(p[i] * l[i], i))
    c.prove(one_sided(accepts, rejects, p, q, l[i]))
    c.law(V, "<=", -c.sum(q[i] * l[i], i))
    c.prove(one_sided(rejects, accepts, q, p, -l[i]))
    c.say("both laws on one space, judged by one discriminator")
    c.call(l, l, p, q).shows(V)
    c.variant(
        "D(x) = 1 on data and D(G(z)) = 0 at once",
        "notes",
        printed=True,
        why="possible only if the supports are disjoint; one point that both laws can give has one D",
        real_term=0,
        fake_term=0,
    )
    c.variant("its negative", "the discriminator's loss", V=-real_term - fake_term)
    c.variant("average of both terms", "half the value", V=(real_term + fake_term) / 2)
    c.variant("best at -log 4", "the value for equal laws", law=(V, "<=", -log(4)))
    c.variant("log D of the samples", "known bug: non-saturating sign", rejects=log_sigmoid(l[i]))
    c.remark("The criterion is -log 4 plus twice the Jensen-Shannon divergence, see gan.jsd_form.")


@claim("gan.extremes.sign", SECTION, "gan.gan_value", kind="inequality")
def bounded(c: Board) -> None:
    """The value of the game is at most 0."""
    s = game(c)
    c.law(s.V, "<=", 0)

    def proof(p: Any) -> None:
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
