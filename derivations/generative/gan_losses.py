"""What the two players of the adversarial game minimize (notes, section 4.2)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, Max, Min, Piecewise, Rational, Symbol, exp, log

from gnomon.derivations.generative.gan_game import (
    SECTION,
    SMALL,
    log_rejection,
    log_sigmoid,
    sigmoid,
    stable,
    twice_and_small,
)
from gnomon.say.board import Board
from gnomon.say.maker import claim

AVERAGED = Symbol("averaged", integer=True)
SATURATING = Symbol("saturating", integer=True)
HALF = Rational(1, 2)


def reduced(total: Any, count: Any) -> Any:
    """A sum as the reduction wants it: divided by the count for the mean."""
    return total / Piecewise((count, Eq(AVERAGED, 1)), (1, True))


def reduction(c: Board) -> Any:
    return c.choice("reduction", {"mean": {AVERAGED: 1}, "sum": {AVERAGED: 0}})


# ------------------------------------------------------------------ the discriminator


@claim("gan.bce_likelihood", "4.2.1", "gan.discriminator_loss")
def bce_likelihood(c: Board) -> None:
    """The discriminator's loss is twice the cross-entropy of the labels if both classes are equally likely."""
    n, m = c.size("n"), c.size("m")
    kind = reduction(c)
    real, fake = c.real("real", n), c.real("fake", m)
    i, j, y = c.index("i", n), c.index("j", m), c.index("y", 0, 1)
    accepts, rejects = c.let("accepts", i, log_sigmoid(real[i])), c.let("rejects", j, log_rejection(fake[j]))
    first = c.let("first", (), reduced(c.sum(accepts[i], i), n))
    second = c.let("second", (), reduced(c.sum(rejects[j], j), m))
    L = c.let("L", (), -first - second)

    def likelihood(y: Any, logit: Any) -> Any:
        """The logarithm of the probability of the label y, which is 1 for data, by the discriminator."""
        return log(sigmoid(logit) ** y * (1 - sigmoid(logit)) ** (1 - y))

    def of_class(label: Any, data: Any, samples: Any) -> Any:
        return Piecewise((data, Eq(label, 1)), (samples, True))

    data, samples = c.sum(likelihood(y, real[i]), i), c.sum(likelihood(y, fake[j]), j)
    expected = c.sum(HALF * of_class(y, data / n, samples / m), y)
    c.law(L, Piecewise((-2 * expected, Eq(AVERAGED, 1)), (-c.sum(of_class(y, data, samples), y), True)))

    def judged(b: Any) -> None:
        accepting = stable(b, "log D", accepts[i], sigmoid(real[i]), real[i])
        rejecting = stable(b, "log(1 - D)", rejects[j], 1 - sigmoid(fake[j]), fake[j])
        b.left.unfold(L, first, second).rewrite(accepting, rejecting)

    def labelled(b: Any) -> None:
        """Data have the label 1, samples 0, and of both the probability is what D says."""
        judged(b)
        b.right.listed()
        b.cases(Eq(AVERAGED, 1))

    c.prove(labelled)

    accepted, rejected = c.sum(log(sigmoid(real[i])), i), c.sum(log(1 - sigmoid(fake[j])), j)
    batch = (accepted + rejected) / (n + m)
    off = (n - m) / (n + m) * (accepted / n - rejected / m)
    c.law(L, Piecewise((off - 2 * batch, Eq(AVERAGED, 1)), (-(n + m) * batch, True)))

    def balanced(b: Any) -> None:
        """Of the batch as a whole it is twice the cross-entropy only for as many samples as data, or if both agree."""
        judged(b)
        b.cases(Eq(AVERAGED, 1))

    c.prove(balanced)

    def tends(weight: Any, other: Any) -> None:
        """At a point that data and samples share, the likelihood is greatest at the weight of the data."""
        chance, share = sigmoid(real[i]), weight / (weight + other)
        c.law(weight * log(chance) + other * log(1 - chance), "<=", weight * log(share) + other * log(1 - share))

        def tangents(b: Any) -> None:
            accepting = b.lemma("log_tangent", u=chance, m=share)
            rejecting = b.lemma("log_tangent", u=1 - chance, m=1 - share)
            b.combine((weight, accepting), (other, rejecting))

        c.prove(tangents)

    tends(HALF, HALF)
    tends(n, m)
    c.say("each class weighs 1/2, whatever its share of the batch", "for the reduction sum without the means")
    c.call(real, fake, kind).shows(L)
    whole = c.sum(accepts[i], i) + c.sum(rejects[j], j)
    c.variant(
        "likelihood of the labels in the batch",
        "notes",
        printed=True,
        why="the same only if the batch holds as many samples as data",
        L=-whole * Piecewise((2 / (n + m), Eq(AVERAGED, 1)), (1, True)),
    )
    c.variant(
        "mean over the concatenated batch",
        "torch, binary_cross_entropy_with_logits on one batch",
        why="for a balanced batch half the loss, and so half the gradient",
        L=-reduced(whole, n + m),
    )
    c.variant("average of both terms", "known convention", L=-(first + second) / 2)
    c.variant(
        "one-sided label smoothing",
        "Salimans et al. (2016), target 0.9",
        why="its optimum is 0.9 p / (p + q)",
        accepts=Rational(9, 10) * log_sigmoid(real[i]) + log_rejection(real[i]) / 10,
    )
    c.variant("labels exchanged", "known bug", accepts=log_rejection(real[i]), rejects=log_sigmoid(fake[j]))
    twice_and_small(c, SimpleNamespace(real=real, fake=fake, i=i, j=j))
    c.variant("its negative", "the value, which the discriminator maximizes", L=first + second)
    c.remark("A discriminator trained on a batch of which the share π is data tends to π p / (π p + (1 - π) q).")


@claim("gan.bce_likelihood.each", "4.2.1", "gan.discriminator_loss")
def each_pair(c: Board) -> None:
    """Without a reduction the discriminator's loss is that of each pair of a datum and a sample."""
    n = c.size("n")
    real, fake = c.real("real", n), c.real("fake", n)
    i = c.index("i", n)
    accepts, rejects = c.let("accepts", i, log_sigmoid(real[i])), c.let("rejects", i, log_rejection(fake[i]))
    L = c.let("L", i, -accepts[i] - rejects[i])
    c.law(L[i], -log(sigmoid(real[i])) - log(1 - sigmoid(fake[i])))

    def judged(b: Any) -> None:
        accepting = stable(b, "log D", accepts[i], sigmoid(real[i]), real[i])
        rejecting = stable(b, "log(1 - D)", rejects[i], 1 - sigmoid(fake[i]), fake[i])
        b.left.unfold(L).rewrite(accepting, rejecting)

    c.prove(judged)
    c.call(real, fake, reduction="none").shows(L)
    c.variant("divided by the count", "known bug: the mean's share", L=(-accepts[i] - rejects[i]) / n)
    c.variant("average of both terms", "known convention", L=(-accepts[i] - rejects[i]) / 2)
    c.variant("data alone", "known bug", L=-accepts[i])
    c.variant("labels exchanged", "known bug", accepts=log_rejection(real[i]), rejects=log_sigmoid(fake[i]))


# ------------------------------------------------------------------ the generator


@claim("gan.generator_loss.each", SECTION, "gan.generator_loss")
def each_sample(c: Board) -> None:
    """Without a reduction the generator's loss is that of each sample, saturating or not."""
    m = c.size("m")
    kind = c.choice("kind", {"saturating": {SATURATING: 1}, "non-saturating": {SATURATING: 0}})
    fake = c.real("fake", m)
    j = c.index("j", m)

    def either(saturating: Any, other: Any) -> Any:
        return Piecewise((saturating, Eq(SATURATING, 1)), (other, True))

    loss = c.let("loss", j, either(log_rejection(fake[j]), -log_sigmoid(fake[j])))
    chance = sigmoid(fake[j])
    c.law(loss[j], either(log(1 - chance), -log(chance)))

    def judged(b: Any) -> None:
        b.left.unfold(loss)
        b.cases(Eq(SATURATING, 1), *[lambda b: b.cases(fake[j] >= 0)] * 2)

    c.prove(judged)
    c.call(fake, kind, reduction="none").shows(loss)
    c.variant("divided by the count", "known bug: the mean's share", loss=loss_of(either, fake[j]) / m)
    c.variant("kinds exchanged", "known bug", loss=either(-log_sigmoid(fake[j]), log_rejection(fake[j])))
    c.variant("sign", "known bug", loss=-loss_of(either, fake[j]))


def loss_of(either: Any, logit: Any) -> Any:
    """A sample's loss."""
    return either(log_rejection(logit), -log_sigmoid(logit))


@claim("gan.generator_loss", SECTION, "gan.generator_loss")
def generator_loss(c: Board) -> None:
    """The generator's loss, saturating or not, and its gradient by the logits."""
    m = c.size("m")
    kind = c.choice("kind", {"saturating": {SATURATING: 1}, "non-saturating": {SATURATING: 0}})
    by = reduction(c)
    fake = c.real("fake", m)
    j, r = c.indices("j r", m)

    def either(saturating: Any, other: Any) -> Any:
        return Piecewise((saturating, Eq(SATURATING, 1)), (other, True))

    loss = c.let("loss", j, either(log_rejection(fake[j]), -log_sigmoid(fake[j])))
    L = c.let("L", (), reduced(c.sum(loss[j], j), m))
    chance = sigmoid(fake[j])
    total = reduced(either(c.sum(log(1 - chance), j), -c.sum(log(chance), j)), m)
    c.law(L, total)

    def judged(b: Any) -> None:
        """Both stable logarithms are those of the chances, whatever the sign of the logit."""

        def stable(b: Any) -> None:
            b.left.unfold(loss)
            b.cases(Eq(SATURATING, 1), *[lambda b: b.cases(fake[j] >= 0)] * 2)

        each = b.have("a sample's loss", loss[j], "=", either(log(1 - chance), -log(chance)), stable)
        b.left.unfold(L).rewrite(each)
        b.cases(Eq(SATURATING, 1))

    c.prove(judged)

    objective = c.let("objective", (), total)
    slope, at = c.D(objective, fake[r]), sigmoid(fake[r])
    c.law(slope, reduced(either(-at, at - 1), m))

    def sloped(b: Any) -> None:
        b.left.unfold("∂objective/∂fake").contract()
        b.cases(Eq(SATURATING, 1))

    c.prove(sloped)

    c.law(Abs(slope * Piecewise((m, Eq(AVERAGED, 1)), (1, True)) + either(0, 1)), "<=", exp(fake[r]))

    def rejected(b: Any) -> None:
        """Of a sample that D rejects the saturating loss says next to nothing, and the other one all that it can."""
        faint = b.have("D is faint", at, "<=", exp(fake[r]), lambda b: b.left.to(exp(fake[r]) / (1 + exp(fake[r]))))
        known = b.have("slope", slope, "=", reduced(either(-at, at - 1), m), sloped)

        def faint_either_way(b: Any) -> None:
            b.left.decide()
            b.combine((1, faint))

        b.left.rewrite(known)
        b.cases(Eq(AVERAGED, 1), *[lambda b: b.cases(Eq(SATURATING, 1), faint_either_way, faint_either_way)] * 2)

    c.prove(rejected)
    c.call(fake, kind, by).shows(L)

    def instead(name: str, source: str, saturating: Any, other: Any, why: str = "") -> None:
        c.variant(name, source, why=why, loss=either(saturating, other))

    instead("kinds exchanged", "known bug", -log_sigmoid(fake[j]), log_rejection(fake[j]))
    instead("sign", "known bug: the generator helps", -log_rejection(fake[j]), log_sigmoid(fake[j]))
    c.variant("hinge", "geometric GAN", loss=-fake[j])
    c.variant("least squares", "LSGAN", loss=(chance - 1) ** 2)
    instead(
        "small number inside the logarithm",
        "known habit: log(D + 1e-8)",
        log(1 - chance + SMALL),
        -log(chance + SMALL),
        why="its gradient vanishes where D is below 1e-8: the non-saturating loss saturates, too",
    )
    instead("sigmoid applied twice", "known bug", log_rejection(chance), -log_sigmoid(chance))
    c.remark("At the logit -20 the saturating loss has the gradient 2e-9, the other one 1.")


# ------------------------------------------------------------------ both


@claim("gan.zero_sum", SECTION, "gan.generator_loss")
def zero_sum(c: Board) -> None:
    """The game is zero-sum: added to the discriminator's loss, the saturating loss leaves nothing of the samples."""
    n, m = c.size("n"), c.size("m")
    real, fake = c.real("real", n), c.real("fake", m)
    i = c.index("i", n)
    j, r = c.indices("j r", m)
    accepts, rejects = c.let("accepts", i, log_sigmoid(real[i])), c.let("rejects", j, log_rejection(fake[j]))
    first = c.let("first", (), -c.sum(accepts[i], i) / n - c.sum(rejects[j], j) / m)
    # The logit's size is computed anew for the generator: shared, the roundings of both players would cancel.
    distance = c.let("distance", j, Max(fake[j], -fake[j]))
    loss = c.let("loss", j, Min(0, -fake[j]) - log(1 + exp(-distance[j])))
    second = c.let("second", (), c.sum(loss[j], j) / m)
    total = c.let("total", (), first + second)
    chance = sigmoid(fake[j])
    accepted, rejected = c.sum(log(sigmoid(real[i])), i) / n, c.sum(log(1 - chance), j) / m

    def judged(b: Any) -> None:
        """The generator's stable logarithm is the discriminator's, whatever the sign of the logit."""
        accepting = stable(b, "log D", accepts[i], sigmoid(real[i]), real[i])
        rejecting = stable(b, "log(1 - D)", rejects[j], 1 - chance, fake[j])

        def either(b: Any) -> None:
            b.left.unfold(loss, distance)
            b.cases(fake[j] >= 0)

        fooling = b.have("the generator's log(1 - D)", loss[j], "=", log(1 - chance), either)
        b.left.unfold(total, first, second).rewrite(accepting, rejecting, fooling)

    c.law(total, -accepted)
    c.prove(judged)

    # What each player minimizes, as functions of the logits of the samples.
    judge, fool = c.let("judge", (), -accepted - rejected), c.let("fool", (), rejected)
    other = c.let("other", (), -c.sum(log(chance), j) / m)

    def slopes(*losses: Any) -> Any:
        names = [f"∂{loss}/∂fake" for loss in losses]
        return lambda b: [b.left.unfold(name).contract() for name in names]

    c.law(c.D(judge, fake[r]), sigmoid(fake[r]) / m)
    c.prove(slopes(judge))
    c.law(c.D(judge, fake[r]) + c.D(fool, fake[r]), 0)
    c.prove(slopes(judge, fool))
    c.law(c.D(judge, fake[r]) + c.D(other, fake[r]), (2 * sigmoid(fake[r]) - 1) / m)
    c.prove(slopes(judge, other))
    c.say("the loss is the saturating one")
    returned = Symbol("G", real=True)
    c.call(fake, kind="saturating").then(returned, first + returned).shows(total)
    c.variant(
        "non-saturating loss",
        "Goodfellow et al. (2014), section 3; what is used",
        why="it has the same fixed point but is no longer minus the discriminator's loss",
        loss=-log_sigmoid(fake[j]),
    )
    c.variant("hinge on both sides", "known bug: the discriminator's hinge", loss=Max(0, 1 - fake[j]))
    c.variant("mean of the critic", "Wasserstein GAN; the generator's hinge loss", loss=-fake[j])
    c.variant("least squares", "LSGAN", loss=(chance - 1) ** 2)
    c.variant("sum over the samples", "known bug", second=c.sum(loss[j], j))
    c.remark("The gradients of both players by a generated sample's logit cancel, which is compared as well.")
