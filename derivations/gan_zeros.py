"""The divergences of a law that is 0 at some points, and gradients that must not be NaN (notes, section 4.2.1)."""

from sympy import Eq, IndexedBase, Max, Rational, log

from gnomon.derivations.divergences import (
    GIVEN,
    JSD,
    KL,
    POINTS,
    SMALL,
    Q,
    above,
    divergence,
    finite,
    first,
    i,
    m,
    n,
    out,
    over,
    q,
    second,
    term,
    value_proof,
    where_positive,
    x,
    y,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Program, Variant
from gnomon.say.domain import Choice, simplex

KNOWN = {
    "1, 0": (1, 0),
    "0, 1/4, 3/4": (0, Rational(1, 4), Rational(3, 4)),
    "1/2, 0, 0, 1/2": (Rational(1, 2), 0, 0, Rational(1, 2)),
}
OTHER = GIVEN[1]
given = IndexedBase("p", real=True)
WITH_ZEROS = {
    "driver": "from_known_law",
    "structure": (Choice("p", {label: {given: law, n: len(law)} for label, law in KNOWN.items()}),),
    "inputs": (simplex("q", POINTS, strict=True),),
}


def zeros_proof() -> Derivation:
    return Derivation(
        (
            Step("limit", above / 2, y * log(2) / 2, why="what a point contributes as p falls to 0", by=(x, 0)),
            Step("differentiate", above / 2, log(2 * y / (x + y)) / 2, why="the derivative by q", by=(y,)),
            Step("limit", log(2 * y / (x + y)) / 2, log(2) / 2, why="is not 0 there", by=(x, 0)),
        ),
        "every law on every finite space",
        lift="coordinate",
    )


kl_zeros = finite(
    "gan.kl_nonneg.zeros",
    "Where p is 0 the Kullback-Leibler divergence has the gradient 0 by q",
    "gan.kl",
    Program(
        (OTHER, (term[i], where_positive(given[i] * log(given[i] / Q[i]), given[i])), (KL, over(term[i]))), out(KL)
    ),
    statement=Eq(KL, divergence(given, q)),
    conditions=("0 log 0 is 0",),
    derivation=value_proof,
    variants=(
        Variant(
            "arguments exchanged", "known bug", ((KL, over(where_positive(Q[i] * log(Q[i] / given[i]), given[i]))),)
        ),
        Variant(
            "smallest probability 1e-8",
            "known habit: clamp",
            ((term[i], Max(given[i], SMALL) * log(Max(given[i], SMALL) / Q[i])),),
        ),
        Variant("mean over the points", "torch, F.kl_div with reduction mean", ((KL, over(term[i]) / n),)),
    ),
    remarks="torch.where(p > 0, p * log(p / q), 0) has this value, but its gradient is NaN.",
    **WITH_ZEROS,
)

jsd_zeros = finite(
    "gan.jsd_form.zeros",
    "Where p is 0 the Jensen-Shannon divergence is half of q log 2, and its gradient half of log 2",
    "gan.jsd",
    Program(
        (
            OTHER,
            (m[i], (given[i] + Q[i]) / 2),
            (first[i], where_positive(given[i] * log(given[i] / m[i]), given[i])),
            (second[i], Q[i] * log(Q[i] / m[i])),
            (JSD, over(first[i] + second[i]) / 2),
        ),
        out(JSD),
    ),
    statement=Eq(JSD, (divergence(given, m) + divergence(q, m)) / 2),
    conditions=("0 log 0 is 0",),
    derivation=zeros_proof,
    variants=(
        Variant("without the half", "known convention", ((JSD, over(first[i] + second[i])),)),
        Variant(
            "zeros left out",
            "known bug: only where both are positive",
            ((second[i], where_positive(Q[i] * log(Q[i] / m[i]), given[i])),),
        ),
    ),
    **WITH_ZEROS,
)

CLAIMS = (kl_zeros, jsd_zeros)
