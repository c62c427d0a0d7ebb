"""The best discriminator, point by point (notes, section 4.2.1)."""

from typing import Any

from sympy import Eq, Gt, IndexedBase, Integer, Le, Rational, Symbol, exp, false, log, symbols
from sympy.codegen.cfunctions import log1p

from gnomon.derivations.divergences import CONVEX, POINTS, SECTION, SMALL, i, n
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import nonnegative, positive, real, symbols_of, unit

D, total = (IndexedBase(name, real=True) for name in ("D", "total"))
PRIOR = Rational(3, 4)

# ------------------------------------------------------------------ proofs

a, b, y, u = symbols("a b y u", positive=True)
term = a * log(y) + b * log(1 - y)
steep = a / y**2 + b / (1 - y) ** 2
best = a / (a + b)


def concave_steps() -> tuple[Step, ...]:
    """At one point the value is a concave function of D with one flat point."""
    return (
        Step("differentiate", term, a / y - b / (1 - y), why="the slope in y = D(x)", by=(y,), assume=(y < 1,)),
        Step("solve", Eq(a / y - b / (1 - y), 0), best, why="vanishes at one point", by=(y,), wrong=(b / (a + b),)),
        Step("differentiate", term, -steep, why="the second derivative", by=(y, y), assume=(y < 1,)),
        Step("inequality", steep > 0, steep, why="is negative", assume=(y < 1,)),
        CONVEX,
    )


def boundary_steps() -> tuple[Step, ...]:
    """With a = 0 or b = 0 the maximum lies at an end."""
    return (
        Step(
            "inequality",
            Gt(-log(1 / (1 + u)), 0, evaluate=False),
            log(1 + u),
            why="with b = 0 every y = 1/(1 + u) is worse than 1",
        ),
        Step("limit", best, Integer(1), why="where a/(a + b) leads", by=(b, 0)),
        Step("limit", best, Integer(0), why="and to 0 with a = 0", by=(a, 0)),
    )


def pointwise_proof() -> Derivation:
    s, t = symbols("a b", real=True)
    bernoulli = s * log(y) + t * log(1 - y)
    return Derivation(
        (
            *concave_steps(),
            *boundary_steps(),
            Step(
                "refute",
                Le(bernoulli, bernoulli.subs(y, Rational(1, 2)), evaluate=False),
                false,
                why="for a = b = -1, which the notes allow, 1/2 is the minimum: 1.386 there, 2.408 at 1/10",
                by=({s: -1, t: -1, y: Rational(1, 10)},),
            ),
        ),
        "all a, b > 0 (for a = 0 or b = 0 by the limit)",
        lift="pointwise",
    )


def discriminator_proof() -> Derivation:
    share = Symbol("pi", positive=True)
    weighted = share * a * log(y) + (1 - share) * b * log(1 - y)
    return Derivation(
        (
            *concave_steps(),
            Step("rewrite", log(best) - log(1 - best), log(a) - log(b), why="its logit"),
            Step(
                "solve",
                Eq(weighted.diff(y), 0),
                share * a / (share * a + (1 - share) * b),
                why="another share of data in the batch moves it",
                by=(y,),
                assume=(share < 1,),
            ),
        ),
        "all densities with respect to a common measure",
        lift="pointwise",
    )


# ------------------------------------------------------------------ the best discriminator


def out(symbol: Any) -> tuple[Output, ...]:
    return (Output(str(symbol), symbol),)


def each(entry: Any) -> tuple[Output, ...]:
    return (Output("D", entry, (i, 0, n - 1)),)


DENSITIES = (nonnegative("p", POINTS), nonnegative("q", POINTS))
data, made = symbols_of(DENSITIES)


def best_of(first: Any, second: Any) -> tuple[tuple[Any, Any], ...]:
    return ((total[i], first[i] + second[i]), (D[i], first[i] / total[i]))


EXCHANGED = Variant("labels exchanged", "1 - D*: the chance of being generated", ((D[i], made[i] / total[i]),))
WEIGHTED = Variant(
    "three quarters of data",
    "an unbalanced batch",
    ((D[i], PRIOR * data[i] / (PRIOR * data[i] + (1 - PRIOR) * made[i])),),
)
optimal = Claim(
    id="gan.optimal_discriminator",
    section=SECTION,
    title="The best discriminator is the data's share of both densities",
    kind="equality",
    subject="gan.optimal_discriminator",
    driver="function",
    structure=(POINTS,),
    inputs=DENSITIES,
    program=Program(best_of(data, made), each(D[i])),
    statement=Eq(D[i], data[i] / (data[i] + made[i])),
    conditions=("on the union of both supports", "densities with respect to a common measure"),
    derivation=discriminator_proof,
    variants=(
        EXCHANGED,
        WEIGHTED,
        Variant("ratio of the densities", "known bug: odds, not chance", ((D[i], data[i] / made[i]),)),
        Variant("label smoothing", "target 0.9", ((D[i], Rational(9, 10) * data[i] / total[i]),)),
        Variant(
            "softmax of the densities",
            "known bug: densities taken for logits",
            ((D[i], exp(data[i]) / (exp(data[i]) + exp(made[i]))),),
        ),
        Variant("small number in the divisor", "known habit: 1e-8", ((D[i], data[i] / (total[i] + SMALL)),)),
    ),
    remarks="Off both supports it may be anything, see gan.support.",
)

LOGS = (real("log_p", POINTS), real("log_q", POINTS))
log_p, log_q = symbols_of(LOGS)
logit = Claim(
    id="gan.optimal_discriminator.logit",
    section=SECTION,
    title="The logit of the best discriminator is the logarithm of the ratio of the densities",
    kind="equality",
    subject="gan.optimal_logit",
    driver="function",
    structure=(POINTS,),
    inputs=LOGS,
    program=Program(((D[i], log_p[i] - log_q[i]),), (Output("logit", D[i], (i, 0, n - 1)),)),
    statement=Eq(log(D[i] / (1 - D[i])), log_p[i] - log_q[i]),
    derivation=discriminator_proof,
    variants=(
        Variant("labels exchanged", "1 - D*", ((D[i], log_q[i] - log_p[i]),)),
        Variant("three quarters of data", "an unbalanced batch", ((D[i], log_p[i] - log_q[i] + log(3)),)),
        Variant(
            "logarithm of D",
            "known bug: not the logit",
            ((D[i], -log1p(exp(log_q[i] - log_p[i]))),),
        ),
    ),
)

PAIR = (positive("a"), positive("b"))
BOUNDARY = (nonnegative("a"), nonnegative("b"))
AT = unit("y")
left, right, at = symbols_of((*PAIR, AT))
argmax = Symbol("argmax", real=True)
pointwise_max = Claim(
    id="gan.pointwise_max",
    section=SECTION,
    title="a log y + b log(1 - y) is greatest at a/(a + b), for positive a and b",
    kind="inequality",
    subject="gan.bernoulli_argmax",
    driver="function",
    inputs=(*PAIR, AT),
    program=Program(((argmax, left / (left + right)),), out(argmax)),
    statement=Le(left * log(at) + right * log(1 - at), left * log(argmax) + right * log(1 - argmax), evaluate=False),
    relation=Relation(left * log(at) + right * log(1 - at), "<=", left * log(argmax) + right * log(1 - argmax)),
    conditions=("a, b > 0; if one is 0 the maximum is at an end, which a/(a + b) is, too",),
    derivation=pointwise_proof,
    variants=(
        Variant(
            "any (a, b) but (0, 0)",
            "notes",
            inputs=(real("a"), real("b")),
            printed=True,
            why="for a = b = -1 it is the minimum; for a = 1, b = -2 it lies outside of [0, 1]",
        ),
        Variant("exchanged", "known bug: b / (a + b)", ((argmax, right / (left + right)),)),
        Variant("always 1/2", "known bug", ((argmax, Rational(1, 2)),)),
    ),
    options={"arguments": ("a", "b")},
)

location = Claim(
    id="gan.pointwise_max.argmax",
    section=SECTION,
    title="The point of the maximum, its ends and its gradient",
    kind="equality",
    subject="gan.bernoulli_argmax",
    driver="function",
    inputs=BOUNDARY,
    program=Program(((argmax, BOUNDARY[0].symbol / (BOUNDARY[0].symbol + BOUNDARY[1].symbol)),), out(argmax)),
    statement=Eq(argmax, left / (left + right)),
    conditions=("a, b >= 0, not both 0",),
    derivation=pointwise_proof,
    variants=(
        Variant("exchanged", "known bug", ((argmax, BOUNDARY[1].symbol / (BOUNDARY[0].symbol + BOUNDARY[1].symbol)),)),
        Variant("odds", "known bug", ((argmax, BOUNDARY[0].symbol / BOUNDARY[1].symbol),)),
        Variant(
            "add-one smoothing",
            "Laplace's rule",
            ((argmax, (BOUNDARY[0].symbol + 1) / (BOUNDARY[0].symbol + BOUNDARY[1].symbol + 2)),),
        ),
    ),
)

CLOSED = real("y", low=0.0, high=1.0)
heads, tails, chance = symbols_of((*BOUNDARY, CLOSED))
first, second, F = symbols("first second F", real=True)
objective = Claim(
    id="gan.pointwise_max.objective",
    section=SECTION,
    title="What is maximized at one point, with its gradient",
    kind="equality",
    subject="gan.bernoulli_objective",
    driver="function",
    inputs=(*BOUNDARY, CLOSED),
    program=Program(((first, heads * log(chance)), (second, tails * log(1 - chance)), (F, first + second)), out(F)),
    definition=Program((), (Output("F", heads * log(chance) + tails * log(1 - chance)),)),
    statement=Eq(F, heads * log(chance) + tails * log(1 - chance)),
    conditions=("0 < y < 1, and the ends where the term is not 0 log 0",),
    derivation=pointwise_proof,
    variants=(
        Variant("exchanged", "known bug", ((first, tails * log(chance)), (second, heads * log(1 - chance)))),
        Variant("its negative", "binary cross-entropy", ((F, -first - second),)),
        Variant("first term only", "known bug: categorical cross-entropy", ((F, first),)),
        Variant("small number inside", "known habit: log(y + 1e-8)", ((first, heads * log(chance + SMALL)),)),
    ),
)

CLAIMS = (optimal, logit, pointwise_max, location, objective)
