"""The value of the adversarial game and its extremes (notes, section 4.2)."""

from typing import Any

from sympy import (
    Eq,
    IndexedBase,
    Integer,
    Sum,
    Symbol,
    exp,
    false,
    log,
    oo,
    symbols,
)

from gnomon.derivations.divergences import where_positive
from gnomon.derivations.gan_game import SECTION, SMALL, log_rejection, log_sigmoid, sigmoid
from gnomon.derivations.gan_optimum import out, y
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Program, Variant
from gnomon.say.domain import Size, real, simplex, symbols_of

DATA, SAMPLES = Size("n", 1, 4), Size("m", 1, 4)
n, m = symbols_of((DATA, SAMPLES))
i = Symbol("i", integer=True)
REAL, FAKE = real("real", DATA), real("fake", SAMPLES)
WEIGHTS = (simplex("p", DATA), simplex("q", SAMPLES))
real_logit, fake_logit = symbols_of((REAL, FAKE))
p, q = symbols_of(WEIGHTS)
V, real_term, fake_term = symbols("V real_term fake_term", real=True)
accepts, rejects = (IndexedBase(name, real=True) for name in ("accepts", "rejects"))


# ------------------------------------------------------------------ proofs

l = Symbol("l", real=True)


def logits_steps() -> tuple[Step, ...]:
    """Both logarithms from the logit."""
    return (
        Step(
            "rewrite",
            log(1 - sigmoid(l)),
            -log(1 + exp(l)),
            why="the logarithm of rejecting is that of accepting the opposite logit",
        ),
        Step(
            "rewrite",
            log(sigmoid(l)) - l,
            log(1 - sigmoid(l)),
            why="and it is that of accepting, less the logit",
            wrong=(log(sigmoid(l)),),
        ),
    )


def value_proof() -> Derivation:
    at_x, at_z = symbols("x z", real=True)
    return Derivation(
        (
            *logits_steps(),
            Step(
                "refute",
                Eq(log(1 - sigmoid(at_x)), log(1 - sigmoid(at_z))),
                false,
                why="as printed, D judges G(x): for the points x = 2 and z = 0, G the identity and D = σ the term "
                "is -2.127, not -0.693",
                by=({at_x: 2, at_z: 0},),
            ),
        ),
        "every pair of finite spaces",
        lift="pointwise",
    )


def certain_proof() -> Derivation:
    return Derivation(
        (
            Step(
                "limit",
                y * log(y),
                Integer(0),
                why="a weight that falls like D itself leaves 0",
                by=(y, 0),
            ),
            Step("limit", log(y), -oo, why="for a weight that stays the term has no least value", by=(y, 0)),
        ),
        "every pair of finite spaces",
        lift="pointwise",
    )


# ------------------------------------------------------------------ the value of the game


def weighted(values: Any, weights: Any, size: Any) -> Any:
    return Sum(weights[i] * values[i], (i, 0, size - 1))


def mean(values: Any, size: Any) -> Any:
    return Sum(values[i], (i, 0, size - 1)) / size


def sums(first: Any, second: Any) -> tuple[tuple[Any, Any], ...]:
    return ((real_term, first), (fake_term, second))


TERMS = ((accepts[i], log_sigmoid(real_logit[i])), (rejects[i], log_rejection(fake_logit[i])))
GAME = sums(weighted(accepts, p, n), weighted(rejects, q, m))
TOTAL = (V, real_term + fake_term)
NOT_SATURATING = Variant(
    "log D of the samples", "known bug: non-saturating sign", ((rejects[i], log_sigmoid(fake_logit[i])),)
)
TWICE = Variant(
    "sigmoid applied twice",
    "known bug: probabilities where logits are expected",
    (
        (accepts[i], log_sigmoid(sigmoid(real_logit[i]))),
        (rejects[i], log_rejection(sigmoid(fake_logit[i]))),
    ),
)
LABELS = Variant(
    "labels exchanged",
    "known bug",
    ((accepts[i], log_rejection(real_logit[i])), (rejects[i], log_sigmoid(fake_logit[i]))),
)
INSIDE = Variant(
    "small number inside the logarithms",
    "known habit: log(D + 1e-8)",
    (
        (accepts[i], log(sigmoid(real_logit[i]) + SMALL)),
        (rejects[i], log(sigmoid(-fake_logit[i]) + SMALL)),
    ),
)


def from_chances(row: str, title: str, closed: bool, **more: Any) -> Claim:
    """The value from the discriminator's probabilities, which may be 0 and 1 where ``closed``."""
    ends: dict[str, Any] = {"low": 0.0, "high": 1.0, "open_low": not closed, "open_high": not closed}
    chances = real("d_real", DATA, **ends), real("d_fake", SAMPLES, **ends)
    d_real, d_fake = symbols_of(chances)

    def guarded(term: Any, weight: Any) -> Any:
        return where_positive(term, weight) if closed else term

    inside = (
        (accepts[i], p[i] * log(d_real[i] + SMALL)),
        (rejects[i], q[i] * log(1 - d_fake[i] + SMALL)),
    )
    return Claim(
        id=row,
        section=SECTION,
        title=title,
        kind="equality",
        subject="gan.gan_value_from_probabilities",
        driver="function",
        structure=(DATA, SAMPLES),
        inputs=(*chances, *WEIGHTS),
        program=Program(
            (
                (accepts[i], guarded(p[i] * log(d_real[i]), p[i])),
                (rejects[i], guarded(q[i] * log(1 - d_fake[i]), q[i])),
                *sums(Sum(accepts[i], (i, 0, n - 1)), Sum(rejects[i], (i, 0, m - 1))),
                TOTAL,
            ),
            out(V),
        ),
        statement=Eq(V, Sum(p[i] * log(d_real[i]), (i, 0, n - 1)) + Sum(q[i] * log(1 - d_fake[i]), (i, 0, m - 1))),
        variants=(
            Variant("D of the samples", "known bug", ((rejects[i], guarded(q[i] * log(d_fake[i]), q[i])),)),
            Variant("small number inside the logarithms", "known habit: log(D + 1e-8)", inside),
            Variant("its negative", "the discriminator's loss", ((V, -real_term - fake_term),)),
        ),
        **more,
    )


probabilities = from_chances(
    "gan.value.probabilities",
    "The value of the game from the discriminator's probabilities",
    closed=False,
    conditions=("D is strictly between 0 and 1",),
    derivation=value_proof,
    remarks="1 - D keeps nothing of a probability close to 0 or 1; from logits the value is exact everywhere.",
)

certain = from_chances(
    "gan.value.certain",
    "A discriminator may be certain where the law has no mass",
    closed=True,
    conditions=("0 log 0 is 0", "where D is 0 on data or 1 on samples the value is minus infinity"),
    derivation=certain_proof,
    gradient=False,
    remarks="By a weight that is 0 the derivative is the logarithm of 0, so gradients are compared only for D "
    "strictly between 0 and 1.",
)

CLAIMS = (probabilities, certain)
