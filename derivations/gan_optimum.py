"""The best discriminator, point by point (notes, section 4.2.1)."""

from typing import Any

from sympy import Eq, Gt, IndexedBase, Integer, Le, Rational, exp, false, log, symbols
from sympy.codegen.cfunctions import log1p

from gnomon.derivations.divergences import CONVEX, POINTS, SECTION, SMALL, i
from gnomon.derivations.divergences import n as n
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import nonnegative, real, symbols_of
from gnomon.say.maker import claim

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


# ------------------------------------------------------------------ the best discriminator


def out(symbol: Any) -> tuple[Output, ...]:
    return (Output(str(symbol), symbol),)


def best_of(first: Any, second: Any) -> tuple[tuple[Any, Any], ...]:
    return ((total[i], first[i] + second[i]), (D[i], first[i] / total[i]))


@claim("gan.optimal_discriminator", SECTION, "gan.optimal_discriminator")
def optimal(c):
    """The best discriminator is the data's share of both densities."""
    n = c.size("n", POINTS.low, POINTS.high)
    p, q = c.nonnegative("p", n), c.nonnegative("q", n)
    i = c.index("i", n)
    c.condition(p[i] + q[i] > 0, i, name="on the union of both supports")
    total = c.let("total", i, p[i] + q[i])
    D = c.let("D", i, p[i] / total[i])
    c.law(D[i], p[i] / (p[i] + q[i]))
    c.prove(lambda bench: bench.left.unfold(D, total))
    c.law(p[i] * (1 - D[i]), q[i] * D[i])
    c.prove(lambda bench: (bench.left.unfold(D, total), bench.right.unfold(D, total)))
    c.call(p, q).shows(D)
    c.say("densities with respect to a common measure")
    c.variant("labels exchanged", "1 - D*: the chance of being generated", D=q[i] / total[i])
    c.variant("three quarters of data", "an unbalanced batch", D=PRIOR * p[i] / (PRIOR * p[i] + (1 - PRIOR) * q[i]))
    c.variant("ratio of the densities", "known bug: odds, not chance", D=p[i] / q[i])
    c.variant("label smoothing", "target 0.9", D=Rational(9, 10) * p[i] / total[i])
    c.variant(
        "softmax of the densities",
        "known bug: densities taken for logits",
        D=exp(p[i]) / (exp(p[i]) + exp(q[i])),
    )
    c.variant("small number in the divisor", "known habit: 1e-8", D=p[i] / (total[i] + SMALL))
    c.remark("Off both supports it may be anything, see gan.support.")


@claim("gan.optimal_discriminator.logit", SECTION, "gan.optimal_logit")
def logit(c):
    """The logit of the best discriminator is the logarithm of the ratio of the densities."""
    n = c.size("n", POINTS.low, POINTS.high)
    log_p, log_q = c.real("log_p", n), c.real("log_q", n)
    i = c.index("i", n)
    shown = c.let("logit", i, log_p[i] - log_q[i])
    best = exp(log_p[i]) / (exp(log_p[i]) + exp(log_q[i]))
    c.law(shown[i], log(best / (1 - best)))
    c.prove(lambda p: p.left.unfold(shown))
    c.call(log_p, log_q).shows(shown)
    c.variant("labels exchanged", "1 - D*", logit=log_q[i] - log_p[i])
    c.variant("three quarters of data", "an unbalanced batch", logit=log_p[i] - log_q[i] + log(3))
    c.variant("logarithm of D", "known bug: not the logit", logit=-log1p(exp(log_q[i] - log_p[i])))


@claim("gan.pointwise_max", SECTION, "gan.bernoulli_argmax", kind="inequality")
def pointwise_max(c):
    """a log y + b log(1 - y) is greatest at a/(a + b), for positive a and b."""
    a, b = c.positive("a"), c.positive("b")
    y = c.real("y", low=0.0, high=1.0, open_low=True, open_high=True)
    argmax = c.let("argmax", (), a / (a + b))
    c.law(a * log(y) + b * log(1 - y), "<=", a * log(argmax) + b * log(1 - argmax))

    def proof(p):
        """Both logarithms lie below their tangents at the maximum, whose slopes cancel."""
        best = a / (a + b)
        p.right.unfold(argmax)
        accepting = p.lemma("log_tangent", u=y, m=best)
        rejecting = p.lemma("log_tangent", u=1 - y, m=b / (a + b))
        p.combine((a, accepting), (b, rejecting))

    c.prove(proof)
    c.call(a, b).unused(y).shows(argmax)
    c.say("if a or b is 0 the maximum is at an end, which a/(a + b) is, too")
    c.variant(
        "any (a, b) but (0, 0)",
        "notes",
        drops=(real("a"), real("b")),
        printed=True,
        why="for a = b = -1 it is the minimum; for a = 1, b = -2 it lies outside of [0, 1]",
    )
    c.variant("exchanged", "known bug: b / (a + b)", argmax=b / (a + b))
    c.variant("always 1/2", "known bug", argmax=Rational(1, 2))


@claim("gan.pointwise_max.argmax", SECTION, "gan.bernoulli_argmax")
def location(c):
    """The point of the maximum, its ends and its gradient."""
    a, b = c.nonnegative("a"), c.nonnegative("b")
    c.condition(a + b > 0, name="not both 0")
    argmax = c.let("argmax", (), a / (a + b))
    c.law(argmax, 1 - b / (a + b))
    c.prove(lambda p: p.left.unfold(argmax))
    c.law(a * (1 - argmax), b * argmax)
    c.prove(lambda p: (p.left.unfold(argmax), p.right.unfold(argmax)))
    c.call(a, b).shows(argmax)
    c.variant("exchanged", "known bug", argmax=b / (a + b))
    c.variant("odds", "known bug", argmax=a / b)
    c.variant("add-one smoothing", "Laplace's rule", argmax=(a + 1) / (a + b + 2))


BOUNDARY = (nonnegative("a"), nonnegative("b"))
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

CLAIMS = (objective,)
