"""What the best discriminator leaves for the generator to minimize (notes, section 4.2.1)."""

from typing import Any

from sympy import Eq, Ge, IndexedBase, Integer, Max, Min, Rational, log, symbols
from sympy.codegen.cfunctions import log1p

from gnomon.derivations.divergences import (
    CRITERION,
    EVERYWHERE,
    GIVEN,
    LAWS,
    POINTS,
    SECTION,
    SMALL,
    TRIANGLE,
    P,
    Q,
    over,
    triangle_proof,
    weighted_log,
    where_positive,
)
from gnomon.derivations.gan_optimum import D, a, b, best, best_of, concave_steps, i, n, out, term, total, y
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import symbols_of

first, second = (IndexedBase(name, real=True) for name in ("first", "second"))
C, V = symbols("C V", real=True)
p, q = symbols_of(LAWS)
LOW = Rational(1, 100)
AT_BEST = a * log(a / (a + b)) + b * log(b / (a + b))

# ------------------------------------------------------------------ proofs


def support_proof() -> Derivation:
    return Derivation(
        (
            Step("substitute", term, b * log(1 - y), why="where p is 0 only q counts", by=((a, 0),), assume=(y < 1,)),
            Step(
                "substitute",
                term,
                Integer(0),
                why="off both supports nothing does",
                by=((a, 0), (b, 0)),
                assume=(y < 1,),
            ),
            *concave_steps(),
        ),
        "all densities with respect to a common measure",
        lift="pointwise",
    )


def criterion_proof() -> Derivation:
    return Derivation(
        (
            *concave_steps(),
            Step(
                "substitute",
                term,
                AT_BEST,
                why="the value at the best discriminator",
                by=((y, best),),
                wrong=(a * log(b / (a + b)) + b * log(a / (a + b)),),
            ),
        ),
        EVERYWHERE,
        lift="pointwise",
    )


def equal_laws_proof() -> Derivation:
    return Derivation(
        (
            Step("substitute", AT_BEST, -2 * a * log(2), why="each point gives -2 p log 2", by=((b, a),)),
            Step("rewrite", -2 * log(2), -log(4), why="and p sums to 1"),
        ),
        EVERYWHERE,
        lift="pointwise",
    )


def theorem_proof() -> Derivation:
    return Derivation(
        (
            *triangle_proof().steps,
            Step("differentiate", AT_BEST, a / (b * (a + b)), why="the criterion is convex in q", by=(b, b)),
            *equal_laws_proof().steps,
        ),
        EVERYWHERE,
        lift="pointwise",
    )


# ------------------------------------------------------------------ what it leaves

GAME = (
    *best_of(p, q),
    (first[i], weighted_log(p[i], D[i])),
    (second[i], where_positive(q[i] * log1p(-D[i]), q[i])),
    (V, over(first[i] + second[i])),
)
on_laws: dict[str, Any] = {"section": SECTION, "driver": "between_laws", "structure": (POINTS,), "inputs": LAWS}
SWAPPED = Variant("labels exchanged", "known bug: 1 - D*", ((D[i], 1 - p[i] / total[i]),))
support = Claim(
    id="gan.support",
    title="Off both supports the discriminator may be anything but NaN: the value does not see it",
    kind="equality",
    subject="gan.optimal_discriminator",
    program=Program(GAME, out(V)),
    definition=Program((), (Output("V", CRITERION),)),
    statement=Eq(V, over(p[i] * log(D[i])) + over(q[i] * log(1 - D[i]))),
    conditions=("D is the best discriminator wherever one of the laws is positive", "0 log 0 is 0"),
    derivation=support_proof,
    variants=(
        SWAPPED,
        Variant(
            "small number in the divisor",
            "known habit: 1e-8",
            ((D[i], p[i] / (total[i] + SMALL)),),
            why="off the support it makes D 0, which is harmless, but on it D is a little below the best",
        ),
        Variant("undecided everywhere", "known bug: always 1/2", ((D[i], Rational(1, 2)),)),
        Variant(
            "never certain", "known habit: clamp to 0.01 … 0.99", ((D[i], Max(LOW, Min(1 - LOW, p[i] / total[i]))),)
        ),
    ),
    **on_laws | {"driver": "discriminator_value"},
    remarks="0/0 off the support is NaN, and 0 times NaN is NaN: a default such as 1/2 is needed.",
)

ENTROPIES = (
    *GIVEN,
    *best_of(P, Q),
    (first[i], weighted_log(P[i], D[i], p[i])),
    (second[i], weighted_log(Q[i], Q[i] / total[i], q[i])),
    (C, over(first[i] + second[i])),
)
criterion = Claim(
    id="gan.criterion",
    title="The criterion is the value against the best discriminator",
    kind="equality",
    subject="gan.gan_criterion",
    program=Program(ENTROPIES, out(C)),
    definition=Program(GAME[:-1], (Output("C", GAME[-1][1]),)),
    statement=Eq(C, over(p[i] * log(p[i] / (p[i] + q[i]))) + over(q[i] * log(q[i] / (p[i] + q[i])))),
    conditions=("0 log 0 is 0",),
    derivation=criterion_proof,
    variants=(
        SWAPPED,
        Variant("first expectation only", "known bug", ((C, over(first[i])),)),
        Variant(
            "second under the law of the data", "known bug", ((second[i], weighted_log(P[i], Q[i] / total[i], p[i])),)
        ),
        Variant("average of both expectations", "half the criterion", ((C, over(first[i] + second[i]) / 2),)),
        Variant("in bits", "logarithm to base 2", ((C, over(first[i] + second[i]) / log(2)),)),
        Variant(
            "divergence from the other law",
            "middle forgotten",
            ((D[i], P[i] / Q[i]), (second[i], weighted_log(Q[i], Q[i] / P[i], q[i]))),
        ),
        Variant(
            "small number inside the logarithms",
            "known habit: 1e-8",
            ((first[i], weighted_log(P[i], D[i] + SMALL, p[i])),),
        ),
    ),
    **on_laws,
)

theorem = Claim(
    id="gan.theorem1",
    title="The criterion is at least -log 4, and equal to it only if the laws are equal",
    kind="inequality",
    subject="gan.gan_criterion",
    program=Program(ENTROPIES, out(C)),
    statement=Ge(C, -log(4) + over((p[i] - q[i]) ** 2 / (p[i] + q[i])) / 2),
    relation=Relation(C, ">=", -log(4) + TRIANGLE / 2),
    conditions=("both laws sum to 1", "0/0 is 0 off both supports"),
    derivation=theorem_proof,
    variants=(
        SWAPPED,
        Variant("greater bound", "-log 2, of the halved criterion", relation=Relation(C, ">=", -log(2))),
        Variant(
            "squared distance without the half",
            "the bound on twice the excess",
            relation=Relation(C, ">=", -log(4) + TRIANGLE),
        ),
        Variant("doubled", "known bug", ((C, 2 * over(first[i] + second[i])),)),
    ),
    **on_laws,
    remarks="The sum of (p - q)²/(p + q) is what makes the theorem say “only if”: it is 0 for equal laws alone. "
    "The bound is sharp to third order in p - q.",
)

ONE = (LAWS[0],)
value_at_optimum = Claim(
    id="gan.value_at_optimum",
    title="For equal laws the criterion is -log 4",
    kind="equality",
    subject="gan.gan_criterion",
    program=Program(
        (GIVEN[0], *best_of(P, P), (first[i], weighted_log(P[i], D[i], p[i])), (C, 2 * over(first[i]))), out(C)
    ),
    definition=Program((), (Output("C", -log(4)),)),
    statement=Eq(C, -log(4)),
    conditions=("p sums to 1",),
    derivation=equal_laws_proof,
    variants=(
        Variant("-log 2", "average of both expectations", ((C, over(first[i])),)),
        Variant("0", "the Jensen-Shannon divergence", ((C, Integer(0) * over(first[i])),)),
        Variant("log 4", "sign: the discriminator's loss", ((C, -2 * over(first[i])),)),
        Variant("-2", "in bits", ((C, 2 * over(first[i]) / log(2)),)),
        Variant("mean over the points", "known bug", ((C, 2 * over(first[i]) / n),)),
    ),
    **on_laws | {"inputs": ONE},
    options={"arguments": ("p", "p")},
)

CLAIMS = (support, criterion, theorem, value_at_optimum)
