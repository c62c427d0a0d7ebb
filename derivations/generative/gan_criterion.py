"""What the best discriminator leaves for the generator to minimize (notes, section 4.2.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Integer, Max, Min, Piecewise, Rational, log
from sympy.codegen.cfunctions import log1p

from gnomon.derivations.generative.divergences import (
    HALF,
    SECTION,
    SMALL,
    apart,
    criterion_of,
    decided,
    from_total,
    nothing,
    shares,
    term,
    two_laws,
    weighted_log,
    where_positive,
    whole,
)
from gnomon.proof.xlogy import relative, unfolded, xlogy
from gnomon.say.call import normalised
from gnomon.say.maker import claim

LOW = Rational(1, 100)


def against_the_best(c: Any) -> Any:
    """Two laws, the best discriminator between them, and the criterion."""
    s = two_laws(c)
    i, P, Q = s.i, s.P, s.Q
    s.total = c.let("total", i, P[i] + Q[i])
    s.D = c.let("D", i, P[i] / s.total[i])
    s.first = c.let("first", i, weighted_log(P[i], s.D[i], s.p[i]))
    s.second = c.let("second", i, weighted_log(Q[i], Q[i] / s.total[i], s.q[i]))
    s.C = c.let("C", (), c.sum(s.first[i] + s.second[i], i))
    return s


def terms(b: Any, s: Any) -> Any:
    """The program's terms are p log(p/(p + q)) and q log(q/(p + q))."""
    given, i, p, q = shares(b, s), s.i, s.p[s.i], s.q[s.i]
    return (
        term(b, given, "first term", s.first[i], p, p + q, s.first, s.D, s.total),
        term(b, given, "second term", s.second[i], q, p + q, s.second, s.total),
    )


def judged(b: Any, name: str, x: Any, judgement: Any, total: Any, chosen: Any) -> Any:
    """Where there is mass the discriminator is the best, x over the sum of both."""

    def fill(h: Any) -> None:
        h.left.rewrite(unfolded(h.theory, x, judgement, h.goal.given))
        decided(h, (x, x), (x, total))
        h.cases(x > 0, lambda k: k.left.unfold(chosen))

    return b.have(name, xlogy(x, judgement), "=", relative(x, total), fill)


@claim("gan.support", SECTION, "gan.optimal_discriminator")
def support(c: Any) -> None:
    """Off both supports the discriminator may be anything but NaN: the value does not see it."""
    n = c.size("n", 2, 4)
    p, q = c.law_on("p", n), c.law_on("q", n)
    off = c.real("off", n, low=0.0, high=1.0)
    i = c.index("i", n)
    total = c.let("total", i, p[i] + q[i])
    D = c.let("D", i, p[i] / total[i])
    first = c.let("first", i, weighted_log(p[i], D[i], p[i]))
    second = c.let("second", i, where_positive(q[i] * log1p(-D[i]), q[i]))
    V = c.let("V", (), c.sum(first[i] + second[i], i))
    s = SimpleNamespace(c=c, p=p, q=q, i=i)
    any_off = c.let("elsewhere", i, Piecewise((p[i] / (p[i] + q[i]), p[i] + q[i] > 0), (off[i], True)))

    def seen(b: Any) -> None:
        """Each logarithm counts only where its law has mass."""
        b.left.unfold(V).rewrite(
            term(b, (), "first term", first[i], p[i], p[i] + q[i], first, D, total),
            term(b, (), "second term", second[i], q[i], p[i] + q[i], second, D, total),
        )

    c.law(V, criterion_of(s))
    c.prove(seen)
    c.law(V, c.sum(xlogy(p[i], any_off[i]), i) + c.sum(xlogy(q[i], 1 - any_off[i]), i))

    def proof(b: Any) -> None:
        """Whatever it is off the supports."""
        seen(b)
        b.right.rewrite(
            judged(b, "accepting", p[i], any_off[i], p[i] + q[i], any_off),
            judged(b, "rejecting", q[i], 1 - any_off[i], p[i] + q[i], any_off),
        )

    c.prove(proof)
    alive = Min(0, 1 + D[i])  # 0 for every chance, but NaN where D is: off the supports it need only be a number
    value = Piecewise((p[i] * log(D[i]), p[i] > 0), (alive, True)) + Piecewise(
        (q[i] * log1p(-D[i]), q[i] > 0), (alive, True)
    )
    c.call(p, q).unused(off).then(D, c.sum(value, i)).shows(V)
    c.say("D is the best discriminator wherever one of the laws is positive", "0 log 0 is 0")
    c.variant("labels exchanged", "known bug: 1 - D*", D=1 - p[i] / total[i])
    c.variant(
        "small number in the divisor",
        "known habit: 1e-8",
        why="off the support it makes D 0, which is harmless, but on it D is a little below the best",
        D=p[i] / (total[i] + SMALL),
    )
    c.variant("undecided everywhere", "known bug: always 1/2", D=HALF)
    c.variant("never certain", "known habit: clamp to 0.01 … 0.99", D=Max(LOW, Min(1 - LOW, p[i] / total[i])))
    c.remark("0/0 off the support is NaN, and 0 times NaN is NaN: a default such as 1/2 is needed.")


@claim("gan.criterion", SECTION, "gan.gan_criterion")
def criterion(c: Any) -> None:
    """The criterion is the value against the best discriminator, and no other comes to more."""
    s = against_the_best(c)
    d = c.real("d", s.n, low=0.0, high=1.0, open_low=True, open_high=True)
    i, P, Q, C, first, second = s.i, s.P, s.Q, s.C, s.first, s.second
    p, q, total = s.p[i], s.q[i], s.p[i] + s.q[i]
    best = c.let("best", i, Piecewise((p / total, total > 0), (HALF, True)))
    c.law(C, c.sum(xlogy(p, best[i]), i) + c.sum(xlogy(q, 1 - best[i]), i))

    def proof(b: Any) -> None:
        """The best discriminator accepts with the chance p/(p + q)."""
        b.left.unfold(C).rewrite(*terms(b, s))
        b.right.rewrite(
            judged(b, "accepting", p, best[i], total, best), judged(b, "rejecting", q, 1 - best[i], total, best)
        )

    c.prove(proof)
    c.law(c.sum(xlogy(p, d[i]) + xlogy(q, 1 - d[i]), i), "<=", C)

    def greatest(b: Any) -> None:
        """Both logarithms lie below their tangents at the best discriminator, whose slopes cancel."""

        def below(name: str, x: Any, chance: Any) -> Any:
            def fill(h: Any) -> None:
                pairs = (x, chance), (x, x), (x, total)
                h.left.rewrite(*[unfolded(h.theory, *pair, h.goal.given) for pair in pairs])
                h.cases(x > 0, lambda k: k.combine((x, k.lemma("log_tangent", u=chance, m=x / total))))

            return b.have(name, xlogy(x, chance) - relative(x, total), "<=", total * chance - x, fill)

        b.right.unfold(C).rewrite(*terms(b, s))
        both = below("accepting at most", p, d[i]), below("rejecting at most", q, 1 - d[i])
        b.combine(*[(1, b.sum(one, 1, (i, 0, s.n - 1))) for one in both])

    c.prove(greatest)
    c.call(normalised(s.p), normalised(s.q)).unused(d).shows(C)
    c.say("0 log 0 is 0")
    c.variant("labels exchanged", "known bug: 1 - D*", D=1 - P[i] / s.total[i])
    c.variant("first expectation only", "known bug", C=c.sum(first[i], i))
    c.variant("second under the law of the data", "known bug", second=weighted_log(P[i], Q[i] / s.total[i], p))
    c.variant("average of both expectations", "half the criterion", C=c.sum(first[i] + second[i], i) / 2)
    c.variant("in bits", "logarithm to base 2", C=c.sum(first[i] + second[i], i) / log(2))
    c.variant(
        "divergence from the other law",
        "middle forgotten",
        D=P[i] / Q[i],
        second=weighted_log(Q[i], Q[i] / P[i], q),
    )
    c.variant("small number inside the logarithms", "known habit: 1e-8", first=weighted_log(P[i], s.D[i] + SMALL, p))


@claim("gan.theorem1", SECTION, "gan.gan_criterion", kind="inequality")
def theorem(c: Any) -> None:
    """The criterion is at least -log 4, and equal to it only if the laws are equal."""
    s = against_the_best(c)
    i, P, C, p, q = s.i, s.P, s.C, s.p[s.i], s.q[s.i]
    s.middle = (p + q) / 2
    apart_by = c.sum(where_positive((p - q) ** 2 / (p + q), p + q), i)
    c.law(C, ">=", -log(4) + apart_by / 2)

    def proof(b: Any) -> None:
        """Divided by the middle in the place of the sum, each point gives as much as its square."""
        moved = [
            b.have(f"{name} from the middle", now, "=", lost.rhs, lambda h, t=t, lost=lost: h.left.rewrite(t, lost))
            for name, now, t, lost in zip("pq", (s.first[i], s.second[i]), terms(b, s), from_total(b, s), strict=True)
        ]
        b.right.unfold(C).rewrite(*moved)
        b.combine((HALF, b.sum(apart(b, s), 1, (i, 0, s.n - 1))), *whole(b, log(2), log(2)))

    c.prove(proof)
    c.call(normalised(s.p), normalised(s.q)).shows(C)
    c.say("0/0 is 0 off both supports")
    c.variant("labels exchanged", "known bug: 1 - D*", D=1 - P[i] / s.total[i])
    c.variant("greater bound", "-log 2, of the halved criterion", law=(C, ">=", -log(2)))
    c.variant("squared distance without the half", "the bound on twice the excess", law=(C, ">=", -log(4) + apart_by))
    c.variant("doubled", "known bug", C=2 * c.sum(s.first[i] + s.second[i], i))
    c.remark(
        "The sum of (p - q)²/(p + q) is what makes the theorem say “only if”: it is 0 for equal laws alone. "
        "The bound is sharp to third order in p - q."
    )


@claim("gan.value_at_optimum", SECTION, "gan.gan_criterion")
def value_at_optimum(c: Any) -> None:
    """For equal laws the criterion is -log 4."""
    n = c.size("n", 2, 4)
    p = c.law_on("p", n)
    i = c.index("i", n)
    P = c.let("P", i, p[i] / c.sum(p[i], i))
    total = c.let("total", i, P[i] + P[i])
    D = c.let("D", i, P[i] / total[i])
    first = c.let("first", i, weighted_log(P[i], D[i], p[i]))
    C = c.let("C", (), 2 * c.sum(first[i], i))
    c.law(C, -log(4))

    def proof(b: Any) -> None:
        """The best discriminator cannot tell: each point gives -2 p log 2, and p sums to 1."""
        s = SimpleNamespace(c=c, i=i, laws=((p, P),))

        def fill(h: Any) -> None:
            h.left.unfold(first, D, total).rewrite(*given)
            h.cases(p[i] > 0, None, lambda k: k.combine((log(2), nothing(k, p[i]))))

        given = shares(b, s)
        each = b.have("each point", first[i], "=", -p[i] * log(2), fill)
        b.left.unfold(C).rewrite(each)
        b.combine((-2 * log(2), b.condition("p adds up to 1")))

    c.prove(proof)
    c.call(normalised(p), normalised(p)).shows(C)
    c.variant("-log 2", "average of both expectations", C=c.sum(first[i], i))
    c.variant("0", "the Jensen-Shannon divergence", C=Integer(0) * c.sum(first[i], i))
    c.variant("log 4", "sign: the discriminator's loss", C=-2 * c.sum(first[i], i))
    c.variant("-2", "in bits", C=2 * c.sum(first[i], i) / log(2))
    c.variant("mean over the points", "known bug", C=2 * c.sum(first[i], i) / n)
