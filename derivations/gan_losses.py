"""What the two players of the adversarial game minimize, and the law that the generator makes (notes, section 4.2)."""

from typing import Any

from sympy import (
    Eq,
    Function,
    IndexedBase,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    false,
    log,
    oo,
    symbols,
)

from gnomon.derivations.gan import (
    DATA,
    FAKE,
    INSIDE,
    LABELS,
    REAL,
    SAMPLES,
    SECTION,
    SMALL,
    TERMS,
    TWICE,
    accepts,
    fake_logit,
    i,
    log_rejection,
    log_sigmoid,
    logits_steps,
    mean,
    rejects,
    sigmoid,
)
from gnomon.derivations.gan_optimum import a, b, out, y
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, Sizes, real, simplex, symbols_of

n, m = symbols_of((DATA, SAMPLES))
j, x, z = symbols("j x z", integer=True)
L, first, second = symbols("L first second", real=True)
loss, distance = (IndexedBase(name, real=True) for name in ("loss", "distance"))
f = Symbol("f", real=True)
saturating, averaged = symbols("saturating averaged", integer=True)

# ------------------------------------------------------------------ proofs


def gradients_steps() -> tuple[Step, ...]:
    """What the generator is told by each loss."""
    return (
        Step(
            "differentiate",
            log(1 - sigmoid(f)),
            -sigmoid(f),
            why="the saturating loss",
            by=(f,),
            wrong=(-(1 - sigmoid(f)),),
        ),
        Step("limit", -sigmoid(f), Integer(0), why="gives no gradient where D rejects", by=(f, -oo)),
        Step(
            "differentiate",
            -log(sigmoid(f)),
            -(1 - sigmoid(f)),
            why="the non-saturating loss",
            by=(f,),
            wrong=(-sigmoid(f),),
        ),
        Step("limit", -(1 - sigmoid(f)), Integer(-1), why="gives a full one there", by=(f, -oo)),
    )


def zero_sum_proof() -> Derivation:
    return Derivation(
        (
            Step(
                "differentiate",
                -log(1 - sigmoid(f)),
                sigmoid(f),
                why="what the discriminator loses by a generated sample",
                by=(f,),
            ),
            *gradients_steps()[:1],
            Step(
                "refute",
                Eq(sigmoid(f) - (1 - sigmoid(f)), 0),
                Eq(sigmoid(f) - sigmoid(f), 0, evaluate=False),
                why="with the non-saturating loss the gradients do not cancel",
                by=({f: 1},),
            ),
        ),
        "every number of samples",
        lift="pointwise",
    )


def likelihood_proof() -> Derivation:
    pi = Symbol("pi", positive=True)
    expected = pi * a * log(y) + (1 - pi) * b * log(1 - y)
    return Derivation(
        (
            Step(
                "substitute",
                2 * expected,
                a * log(y) + b * log(1 - y),
                why="with both classes equally likely, twice the log-likelihood of the label is the value",
                by=((pi, Rational(1, 2)),),
            ),
            Step("differentiate", expected, pi * a / y - (1 - pi) * b / (1 - y), why="for any share", by=(y,)),
            Step(
                "solve",
                Eq(pi * a / y - (1 - pi) * b / (1 - y), 0),
                pi * a / (pi * a + (1 - pi) * b),
                why="the likelihood is greatest at the posterior",
                by=(y,),
                assume=(pi < 1,),
            ),
            Step(
                "refute",
                Eq(pi * a / (pi * a + (1 - pi) * b), a / (a + b)),
                false,
                why="which is 3/4, not 1/2, if p = q and three quarters of the batch are data",
                by=({pi: Rational(3, 4), a: 1, b: 1},),
            ),
        ),
        "every batch",
        lift="pointwise",
    )


def generator_proof() -> Derivation:
    return Derivation((*logits_steps(), *gradients_steps()), "every number of samples", lift="coordinate")


def pushforward_proof() -> Derivation:
    codes, points = symbols("k m", integer=True, positive=True)
    weight, phi, hit = (IndexedBase(name, real=True) for name in ("p", "phi", "hit"))
    c = Symbol("c", integer=True)
    over_z, over_x = (z, 0, codes - 1), (x, 0, points - 1)
    return Derivation(
        (
            Step(
                "rewrite",
                Sum(phi[x] * Sum(weight[z] * hit[z, x], over_z), over_x),
                Sum(weight[z] * Sum(phi[x] * hit[z, x], over_x), over_z),
                why="the mass of a point is that of the codes that hit it; both sums change places",
                wrong=(Sum(weight[z], over_z) * Sum(phi[x], over_x),),
            ),
            Step(
                "collapse",
                Sum(phi[x] * KroneckerDelta(c, x), over_x),
                phi[c],
                why="each code z hits one point alone, c = g(z)",
            ),
        ),
        "all finite spaces and every map between them",
    )


# ------------------------------------------------------------------ the discriminator

REDUCTION = Choice("reduction", {"mean": {averaged: 1}, "sum": {averaged: 0}})


def reduced(values: Any, size: Any) -> Any:
    return Sum(values[i], (i, 0, size - 1)) / Piecewise((size, Eq(averaged, 1)), (1, True))


whole_batch = Sum(accepts[i], (i, 0, n - 1)) + Sum(rejects[i], (i, 0, m - 1))
of_the_batch = whole_batch / Piecewise((n + m, Eq(averaged, 1)), (1, True))
bce_likelihood = Claim(
    id="gan.bce_likelihood",
    section="4.2.1",
    title="The discriminator's loss is twice the cross-entropy of the labels if both classes are equally likely",
    kind="equality",
    subject="gan.discriminator_loss",
    driver="function",
    structure=(DATA, SAMPLES, REDUCTION),
    inputs=(REAL, FAKE),
    program=Program(
        (*TERMS, (first, reduced(accepts, n)), (second, reduced(rejects, m)), (L, -first - second)), out(L)
    ),
    statement=Eq(L, -mean(accepts, n) - mean(rejects, m)),
    conditions=("each class weighs 1/2, whatever its share of the batch", "for the reduction sum without the means"),
    derivation=likelihood_proof,
    variants=(
        Variant(
            "likelihood of the labels in the batch",
            "notes",
            ((L, -whole_batch * Piecewise((2 / (n + m), Eq(averaged, 1)), (1, True))),),
            printed=True,
            why="the same only if the batch holds as many samples as data",
        ),
        Variant(
            "mean over the concatenated batch",
            "torch, binary_cross_entropy_with_logits on one batch",
            ((L, -of_the_batch),),
            why="for a balanced batch half the loss, and so half the gradient",
        ),
        Variant("average of both terms", "known convention", ((L, -(first + second) / 2),)),
        Variant(
            "one-sided label smoothing",
            "Salimans et al. (2016), target 0.9",
            ((accepts[i], Rational(9, 10) * log_sigmoid(REAL.symbol[i]) + log_rejection(REAL.symbol[i]) / 10),),
            why="its optimum is 0.9 p / (p + q)",
        ),
        LABELS,
        TWICE,
        INSIDE,
        Variant("its negative", "the value, which the discriminator maximizes", ((L, first + second),)),
    ),
    options={"arguments": ("real", "fake", "reduction")},
    remarks="A discriminator trained on a batch of which the share π is data tends to π p / (π p + (1 - π) q).",
)

# ------------------------------------------------------------------ the generator

KIND = Choice("kind", {"saturating": {saturating: 1}, "non-saturating": {saturating: 0}})
EACH = (loss[i], Piecewise((log_rejection(fake_logit[i]), Eq(saturating, 1)), (-log_sigmoid(fake_logit[i]), True)))


def instead(name: str, source: str, of_saturating: Any, of_other: Any, why: str = "") -> Variant:
    return Variant(name, source, ((loss[i], Piecewise((of_saturating, Eq(saturating, 1)), (of_other, True))),), why=why)


chance = sigmoid(fake_logit[i])
generator_loss = Claim(
    id="gan.generator_loss",
    section=SECTION,
    title="The generator's loss, saturating or not, and its gradient by the logits",
    kind="equality",
    subject="gan.generator_loss",
    driver="function",
    structure=(SAMPLES, KIND, REDUCTION),
    inputs=(FAKE,),
    program=Program((EACH, (L, reduced(loss, m))), out(L)),
    definition=Program(
        ((loss[i], Piecewise((log(1 - chance), Eq(saturating, 1)), (-log(chance), True))),),
        (Output("L", reduced(loss, m)),),
    ),
    statement=(Eq(L, Sum(log(1 - chance), (i, 0, m - 1)) / m), Eq(L, -Sum(log(chance), (i, 0, m - 1)) / m)),
    conditions=("the first if it is saturating, the second if it is not", "for the reduction sum without 1/m"),
    derivation=generator_proof,
    variants=(
        instead("kinds exchanged", "known bug", -log_sigmoid(fake_logit[i]), log_rejection(fake_logit[i])),
        instead("sign", "known bug: the generator helps", -log_rejection(fake_logit[i]), log_sigmoid(fake_logit[i])),
        instead("hinge", "geometric GAN", -fake_logit[i], -fake_logit[i]),
        instead("least squares", "LSGAN", (chance - 1) ** 2, (chance - 1) ** 2),
        instead(
            "small number inside the logarithm",
            "known habit: log(D + 1e-8)",
            log(1 - chance + SMALL),
            -log(chance + SMALL),
            why="its gradient vanishes where D is below 1e-8: the non-saturating loss saturates, too",
        ),
        instead("sigmoid applied twice", "known bug", log_rejection(chance), -log_sigmoid(chance)),
    ),
    options={"arguments": ("fake", "kind", "reduction")},
    remarks="At the logit -20 the saturating loss has the gradient 2e-9, the other one 1.",
)

# The logit's size is computed anew for the generator: shared, the roundings of both players would cancel.
total = Symbol("total", real=True)
zero_sum = Claim(
    id="gan.zero_sum",
    section=SECTION,
    title="The game is zero-sum: added to the discriminator's loss, the saturating loss leaves nothing of the samples",
    kind="equality",
    subject="gan.generator_loss",
    driver="both_players",
    structure=(DATA, SAMPLES),
    inputs=(REAL, FAKE),
    program=Program(
        (
            *TERMS,
            (first, -mean(accepts, n) - mean(rejects, m)),
            (distance[i], Max(fake_logit[i], -fake_logit[i])),
            (loss[i], Min(0, -fake_logit[i]) - log(1 + exp(-distance[i]))),
            (second, mean(loss, m)),
            (total, first + second),
        ),
        out(total),
    ),
    definition=Program((), (Output("total", -Sum(log(sigmoid(REAL.symbol[i])), (i, 0, n - 1)) / n),)),
    statement=Eq(total, -Sum(log(sigmoid(REAL.symbol[i])), (i, 0, n - 1)) / n),
    conditions=("the loss is the saturating one",),
    derivation=zero_sum_proof,
    variants=(
        Variant(
            "non-saturating loss",
            "Goodfellow et al. (2014), section 3; what is used",
            ((loss[i], -log_sigmoid(fake_logit[i])),),
            why="it has the same fixed point but is no longer minus the discriminator's loss",
        ),
        Variant("hinge on both sides", "known bug: the discriminator's hinge", ((loss[i], Max(0, 1 - fake_logit[i])),)),
        Variant("mean of the critic", "Wasserstein GAN; the generator's hinge loss", ((loss[i], -fake_logit[i]),)),
        Variant("least squares", "LSGAN", ((loss[i], (chance - 1) ** 2),)),
        Variant("sum over the samples", "known bug", ((second, Sum(loss[i], (i, 0, m - 1))),)),
    ),
    options={"keywords": {"kind": "saturating"}},
    remarks="The gradients of both players by a generated sample's logit cancel, which is compared as well.",
)

# ------------------------------------------------------------------ the law of the generator

CODES, SPACE = Size("k", 2, 4), Size("m", 4, 5)
k, size = symbols_of((CODES, SPACE))
MAP = Sizes("g", k, 0, 3)
g = MAP.symbol
PRIOR = (simplex("p", CODES),)
(prior,) = symbols_of(PRIOR)
LOGITS = real("l", SPACE)
(point_logit,) = symbols_of((LOGITS,))
law, expected, D = IndexedBase("law", real=True), Symbol("mean", real=True), Function("D", real=True)
HIT = KroneckerDelta(g[z], x)


def over(entry: Any) -> Any:
    """The sum over the codes z."""
    return Sum(entry, (z, 0, k - 1))


LATER = Product(1 - KroneckerDelta(g[j], x), (j, z + 1, k - 1))
pushforward = Claim(
    id="gan.pushforward",
    section="4.2.1",
    title="An expectation over the codes z is one under the law of the generated points, whatever the map",
    kind="equality",
    subject="gan.pushforward",
    driver="pushforward",
    structure=(CODES, MAP, SPACE),
    inputs=(*PRIOR, LOGITS),
    program=Program(
        (
            (law[x], over(prior[z] * HIT)),
            (rejects[x], log_sigmoid(-point_logit[x])),
            (expected, Sum(law[x] * rejects[x], (x, 0, size - 1))),
        ),
        (Output("mean", expected), Output("law", law[x], (x, 0, size - 1))),
    ),
    definition=Program(
        (),
        (
            Output("mean", over(prior[z] * log(1 - sigmoid(point_logit[g[z]])))),
            Output("law", over(prior[z] * HIT), (x, 0, size - 1)),
        ),
    ),
    statement=Eq(over(prior[z] * log(1 - D(g[z]))), Sum(law[x] * log(1 - D(x)), (x, 0, size - 1))),
    conditions=("law[x] is the mass of all codes that g sends to x", "g need not be one-to-one"),
    derivation=pushforward_proof,
    variants=(
        Variant("codes counted", "known bug: weights ignored", ((law[x], over(HIT) / k),)),
        Variant(
            "the last code wins",
            "known bug: assignment in the place of addition",
            ((law[x], over(prior[z] * HIT * LATER)),),
            why="right for a map that is one-to-one",
        ),
        Variant(
            "average over the codes of a point",
            "known bug: density taken for mass",
            ((law[x], over(prior[z] * HIT) / Max(1, over(HIT))),),
        ),
        Variant("next point", "known bug: off by one", ((law[x], over(prior[z] * KroneckerDelta(g[z] + 1, x))),)),
    ),
    remarks="On finite spaces. With densities the same holds, without a formula for the density of g(z) in general.",
)

CLAIMS = (bce_likelihood, generator_loss, zero_sum, pushforward)
