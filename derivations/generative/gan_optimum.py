"""The best discriminator, point by point (notes, section 4.2.1)."""

from sympy import Piecewise, Rational, exp, log
from sympy.codegen.cfunctions import log1p

from gnomon.derivations.generative.divergences import SECTION, SMALL
from gnomon.say.domain import real
from gnomon.say.maker import claim

PRIOR = Rational(3, 4)


@claim("gan.optimal_discriminator", SECTION, "gan.optimal_discriminator")
def optimal(c):
    """The best discriminator is the data's share of both densities."""
    n = c.size("n", 2, 4)
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
    n = c.size("n", 2, 4)
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


@claim("gan.pointwise_max.objective", SECTION, "gan.bernoulli_objective")
def objective(c):
    """What is maximized at one point, with its gradient."""
    a, b = c.nonnegative("a"), c.nonnegative("b")
    y = c.real("y", low=0.0, high=1.0)
    c.condition(y > 0, name="above 0")
    c.condition(y < 1, name="below 1")
    first, second = c.let("first", (), a * log(y)), c.let("second", (), b * log(1 - y))
    F = c.let("F", (), first + second)
    c.law(F, a * log(y) + b * log(1 - y))
    slope = c.D(F, y)
    c.law(y * (1 - y) * slope, a - (a + b) * y)
    c.prove(lambda p: p.left.expand())
    bend = c.D(slope, y)
    c.law(bend, -a / y**2 - b / (1 - y) ** 2)
    c.prove(lambda p: p.left.expand())
    c.law(bend, "<=", 0)
    c.prove(lambda p: p.left.expand())

    def share(mass):
        return Piecewise((mass * log(mass / (a + b)), mass > 0), (0, True))

    heads, tails = c.let("heads", (), share(a)), c.let("tails", (), share(b))
    c.law(F, "<=", heads + tails)

    def greatest(p):
        """Each term lies below its tangent at a/(a + b), or at 1 if its weight is 0; the slopes cancel."""

        def below(p, part, mass, chance):
            def at(best):
                return lambda p: p.combine((mass, p.lemma("log_tangent", u=chance, m=best)))

            def tangent(p):
                p.right.unfold(part)
                p.cases(mass > 0, at(mass / (a + b)), at(1))

            return p.have(f"{part}", mass * log(chance), "<=", part + (a + b) * chance - mass, tangent)

        p.left.unfold(F, first, second)
        p.combine((1, below(p, heads, a, y)), (1, below(p, tails, b, 1 - y)))

    c.prove(greatest)
    c.call(a, b, y).shows(F)
    c.say("at the ends of [0, 1] it has a value where the term is not 0 log 0")
    c.variant("exchanged", "known bug", first=b * log(y), second=a * log(1 - y))
    c.variant("its negative", "binary cross-entropy", F=-first - second)
    c.variant("first term only", "known bug: categorical cross-entropy", F=first)
    c.variant("small number inside", "known habit: log(y + 1e-8)", first=a * log(y + SMALL))
