"""The best discriminator, point by point, and what it leaves for the generator to minimize (notes, section 4.2.1)."""

from typing import Any

from gnomon.derivations.divergences import (
    CONVEX,
    CRITERION,
    EVERYWHERE,
    LAWS,
    LEAST,
    POINTS,
    SECTION,
    SMALL,
    TRIANGLE,
    i,
    n,
    over,
    p,
    q,
    triangle_proof,
    weighted_log,
)
from sympy import (
    Abs,
    Eq,
    Ge,
    Gt,
    IndexedBase,
    Integer,
    Le,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    exp,
    false,
    log,
    symbols,
)
from sympy.codegen.cfunctions import log1p

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivation import Derivation, Step
from gnomon.domain import nonnegative, positive, real, symbols_of, unit

D, total, first, second = (IndexedBase(name, real=True) for name in ("D", "total", "first", "second"))
C, V = symbols("C V", real=True)
PRIOR, LOW = Rational(3, 4), Rational(1, 100)

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


def gaussian_proof() -> Derivation:
    x, mu = symbols("x mu", real=True)
    data, made = exp(-(x**2) / 2), exp(-((x - mu) ** 2) / 2)
    return Derivation(
        (
            *concave_steps(),
            Step(
                "rewrite",
                data / (data + made),
                1 / (1 + exp(-mu * (mu / 2 - x))),
                why="the normalisation cancels, and so do the squares of x",
                wrong=(1 / (1 + exp(mu * (mu / 2 - x))),),
            ),
        ),
        "all x and μ",
        lift="pointwise",
    )


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
                a * log(a / (a + b)) + b * log(b / (a + b)),
                why="the value at the best discriminator",
                by=((y, best),),
                wrong=(a * log(b / (a + b)) + b * log(a / (a + b)),),
            ),
        ),
        EVERYWHERE,
        lift="pointwise",
    )


def equal_laws_proof() -> Derivation:
    at_best = a * log(a / (a + b)) + b * log(b / (a + b))
    return Derivation(
        (
            Step("substitute", at_best, -2 * a * log(2), why="each point gives -2 p log 2", by=((b, a),)),
            Step("rewrite", -2 * log(2), -log(4), why="and p sums to 1"),
        ),
        EVERYWHERE,
        lift="pointwise",
    )


def theorem_proof() -> Derivation:
    at_best = a * log(a / (a + b)) + b * log(b / (a + b))
    return Derivation(
        (
            *triangle_proof().steps,
            Step("differentiate", at_best, a / (b * (a + b)), why="the criterion is convex in q", by=(b, b)),
            *equal_laws_proof().steps,
        ),
        EVERYWHERE,
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

POSITION = (real("x"), real("mu"))
x, mu = symbols_of(POSITION)
score, small, chance = symbols("score small D", real=True)


def squashed(sign: int) -> tuple[tuple[Any, Any], ...]:
    """σ(sign · score), without overflow."""
    return (small, exp(-Abs(score))), (chance, Piecewise((1, sign * score > 0), (small, True)) / (1 + small))


gaussian = Claim(
    id="gan.optimal_discriminator.gaussian",
    section=SECTION,
    title="Between the normal laws N(0, 1) and N(μ, 1) the best discriminator is logistic",
    kind="equality",
    subject="gan.optimal_gaussian_discriminator",
    driver="function",
    inputs=POSITION,
    program=Program(((score, mu**2 / 2 - mu * x), *squashed(1)), (Output("D", chance),)),
    definition=Program(
        (),
        (Output("D", exp(-(x**2) / 2) / (exp(-(x**2) / 2) + exp(-((x - mu) ** 2) / 2))),),
    ),
    statement=Eq(chance, 1 / (1 + exp(mu * x - mu**2 / 2))),
    conditions=("data from N(0, 1), samples from N(μ, 1)",),
    derivation=gaussian_proof,
    variants=(
        Variant("labels exchanged", "1 - D*", squashed(-1)),
        Variant("without the half", "known bug", ((score, mu**2 - mu * x),)),
        Variant("boundary through 0", "known bug: bias left out", ((score, -mu * x),)),
        Variant("three quarters of data", "an unbalanced batch", ((score, mu**2 / 2 - mu * x + log(3)),)),
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
    relation=Relation(left * log(at) + right * log1p(-at), "<=", left * log(argmax) + right * log1p(-argmax)),
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

# ------------------------------------------------------------------ what it leaves

GAME = (
    *best_of(p, q),
    (first[i], weighted_log(p[i], D[i])),
    (second[i], Piecewise((q[i] * log1p(-D[i]), q[i] > LEAST), (0, True))),
    (V, over(first[i] + second[i])),
)
on_laws: dict[str, Any] = {"section": SECTION, "driver": "function", "structure": (POINTS,), "inputs": LAWS}
SWAPPED = Variant("labels exchanged", "known bug: 1 - D*", ((D[i], q[i] / total[i]),))
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
    *best_of(p, q),
    (first[i], weighted_log(p[i], D[i])),
    (second[i], weighted_log(q[i], q[i] / total[i])),
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
        Variant("second under the law of the data", "known bug", ((second[i], weighted_log(p[i], q[i] / total[i])),)),
        Variant("average of both expectations", "half the criterion", ((C, over(first[i] + second[i]) / 2),)),
        Variant("in bits", "logarithm to base 2", ((C, over(first[i] + second[i]) / log(2)),)),
        Variant(
            "divergence from the other law",
            "middle forgotten",
            ((D[i], p[i] / q[i]), (second[i], weighted_log(q[i], q[i] / p[i]))),
        ),
        Variant(
            "small number inside the logarithms", "known habit: 1e-8", ((first[i], weighted_log(p[i], D[i] + SMALL)),)
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
    program=Program((*best_of(p, p), (first[i], weighted_log(p[i], D[i])), (C, 2 * over(first[i]))), out(C)),
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

CLAIMS = (
    optimal,
    logit,
    gaussian,
    pointwise_max,
    location,
    support,
    criterion,
    theorem,
    value_at_optimum,
)
