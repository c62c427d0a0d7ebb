"""The divergences behind the adversarial game, on finite spaces (notes, section 4.2.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Piecewise, Rational, log, sqrt

from gnomon.proof import inequality
from gnomon.proof.terms import name_of
from gnomon.proof.xlogy import relative, unfolded
from gnomon.say.call import normalised
from gnomon.say.maker import claim

SECTION = "4.2.1"
SMALL = Rational(1, 10**8)
HALF = Rational(1, 2)


def where_positive(entry: Any, mass: Any) -> Any:
    """The entry where there is mass, however little, and 0 elsewhere."""
    return Piecewise((entry, mass > 0), (0, True))


def weighted_log(x: Any, y: Any, mass: Any) -> Any:
    """x log(y), where 0 log(anything) is 0.

    Whether x is 0 is asked of ``mass``, as it was given: of a quotient rounding would leave it undecided.
    """
    return where_positive(x * log(y), mass)


# ------------------------------------------------------------------ two laws, and what is known of them


def two_laws(c: Any, covering: bool = False) -> Any:
    """Two laws on one space, and what is handed on: the laws divided by their sums, 1, so that gradients are those
    along the simplex.
    """
    n = c.size("n", 2, 4)
    p = c.law_on("p", n)
    q = c.law_on("q", n, covers=p if covering else None)
    i = c.index("i", n)
    P, Q = c.let("P", i, p[i] / c.sum(p[i], i)), c.let("Q", i, q[i] / c.sum(q[i], i))
    return SimpleNamespace(c=c, n=n, p=p, q=q, i=i, P=P, Q=Q, laws=((p, P), (q, Q)))


def from_the_middle(c: Any) -> Any:
    """Two laws, their middle, and the terms of their divergences from it."""
    s = two_laws(c)
    i, P, Q = s.i, s.P, s.Q
    s.m = c.let("m", i, (P[i] + Q[i]) / 2)
    s.first = c.let("first", i, weighted_log(P[i], P[i] / s.m[i], s.p[i]))
    s.second = c.let("second", i, weighted_log(Q[i], Q[i] / s.m[i], s.q[i]))
    s.middle = (s.p[i] + s.q[i]) / 2
    s.divergences = c.sum(relative(s.p[i], s.middle), i), c.sum(relative(s.q[i], s.middle), i)
    return s


def jensen_shannon(c: Any) -> Any:
    """Two laws and the Jensen-Shannon divergence between them."""
    s = from_the_middle(c)
    s.JSD = c.let("JSD", (), c.sum(s.first[s.i] + s.second[s.i], s.i) / 2)
    return s


def criterion_of(s: Any) -> Any:
    """What the best discriminator leaves: the sums of p log(p/(p + q)) and q log(q/(p + q))."""
    total = s.p[s.i] + s.q[s.i]
    return s.c.sum(relative(s.p[s.i], total), s.i) + s.c.sum(relative(s.q[s.i], total), s.i)


def shares(b: Any, s: Any) -> Any:
    """The laws as they are handed on are the laws: they have a sum, and it is 1."""
    found = []
    for law, share in s.laws:
        name, whole = name_of(law), b.condition(f"{name_of(law)} adds up to 1")
        if not law[s.i].is_positive:
            b.settle(b.have(f"{name} has mass", 0, "<", s.c.sum(law[s.i], s.i), lambda h, w=whole: h.combine((-1, w))))
        found.append(
            b.have(
                f"{name} as it is handed on", share[s.i], "=", law[s.i],
                lambda h, t=share, w=whole: h.left.unfold(t).rewrite(w),
            )
        )  # fmt: skip
    return found


def decided(b: Any, *pairs: Any) -> None:
    """x log y on the right side is 0 where x is 0, and x log y elsewhere."""
    b.right.rewrite(*[unfolded(b.theory, x, y, b.goal.given) for x, y in pairs])


def nothing(b: Any, x: Any) -> Any:
    """A mass that is not positive is 0."""
    given = b.goal.given
    most = inequality.combine(b.theory, x, "<=", 0, given=given)
    return inequality.both_ways(b.theory, most, inequality.combine(b.theory, 0, "<=", x, given=given))


def term(b: Any, given: Any, name: str, entry: Any, x: Any, y: Any, *unfolding: Any) -> Any:
    """An entry of the program is x log(x / y), zeros included."""

    def fill(h: Any) -> None:
        h.left.unfold(*unfolding).rewrite(*given)
        decided(h, (x, x), (x, y))
        if not x.is_positive:
            h.cases(x > 0)

    return b.have(name, entry, "=", relative(x, y), fill)


def terms(b: Any, s: Any) -> Any:
    """The program's terms are those of the divergences of both laws from their middle."""
    given, i = shares(b, s), s.i
    return (
        term(b, given, "first term", s.first[i], s.p[i], s.middle, s.first, s.m),
        term(b, given, "second term", s.second[i], s.q[i], s.middle, s.second, s.m),
    )


def whole(b: Any, over_p: Any, over_q: Any) -> Any:
    """Both laws add up to 1, each with a coefficient."""
    return (over_p, b.condition("p adds up to 1")), (over_q, b.condition("q adds up to 1"))


def from_total(b: Any, s: Any) -> Any:
    """Divided by the sum of both laws and not by their middle, the terms of both divergences lose (p + q) log 2."""
    p, q = s.p[s.i], s.q[s.i]
    found = []
    for name, x in (("p", p), ("q", q)):

        def fill(h: Any, x: Any = x) -> None:
            h.left.rewrite(*[unfolded(h.theory, x, y, h.goal.given) for y in (x, p + q)])
            decided(h, (x, x), (x, s.middle))
            h.cases(x > 0, None, lambda k: k.combine((log(2), nothing(k, x))))

        found.append(b.have(f"{name} over the sum", relative(x, p + q), "=", relative(x, s.middle) - x * log(2), fill))
    return found


def apart(b: Any, s: Any) -> Any:
    """Both terms at a point are at least half of (p - q)²/(p + q): each exceeds its tangent by a square."""
    p, q = s.p[s.i], s.q[s.i]
    square = where_positive((p - q) ** 2 / (p + q), p + q)

    def fill(h: Any) -> None:
        h.cases(p + q > 0, seen, lambda k: decided(k, (p, p), (p, s.middle), (q, q), (q, s.middle)))

    def seen(k: Any) -> None:
        rest = (p - q) ** 4 / (8 * (p + q) * (2 * p + q) * (p + 2 * q))
        more = k.have("a fourth power is not negative", 0, "<=", rest, given=[p + q > 0])
        k.combine(*[(2, k.lemma("gibbs_square", p=x, q=s.middle)) for x in (p, q)], (2, more))

    return b.have("how far apart", square, "<=", 2 * relative(p, s.middle) + 2 * relative(q, s.middle), fill)


# ------------------------------------------------------------------ the criterion in divergences


def reverse(s: Any) -> Any:
    """The divergences of the middle from both laws."""
    return sum(s.c.sum(weighted_log(s.m[s.i], s.m[s.i] / law[s.i], s.p[s.i] + s.q[s.i]), s.i) for law in (s.P, s.Q))


@claim("gan.kl_form", SECTION, "gan.gan_criterion")
def kl_form(c: Any) -> None:
    """The criterion is -log 4 plus the divergences of both laws from their middle."""
    s = from_the_middle(c)
    i, P, Q, first, second = s.i, s.P, s.Q, s.first, s.second
    KL = c.let("KL", (), c.sum(first[i] + second[i], i))
    C = c.let("C", (), KL - log(4))
    c.law(C, criterion_of(s))

    def proof(b: Any) -> None:
        """At each point both terms lose (p + q) log 2, of which all points have 2 log 2."""
        b.left.unfold(C, KL).rewrite(*terms(b, s))
        b.right.rewrite(*from_total(b, s))
        b.combine(*whole(b, log(2), log(2)))

    c.prove(proof)
    c.law(C, -log(4) + sum(s.divergences))
    c.prove(lambda b: b.left.unfold(C, KL).rewrite(*terms(b, s)))
    c.call(normalised(s.p), normalised(s.q)).shows(C)
    c.variant("arguments exchanged", "known bug: KL(m, p)", KL=reverse(s))
    c.variant(
        "mean over the points",
        "torch, F.kl_div with reduction mean",
        why="the default reduction divides by the number of points",
        KL=c.sum(first[i] + second[i], i) / s.n,
    )
    c.variant("middle not halved", "known bug", m=P[i] + Q[i])
    c.variant(
        "divergence from each other",
        "Jeffreys divergence",
        first=weighted_log(P[i], P[i] / Q[i], s.p[i]),
        second=weighted_log(Q[i], Q[i] / P[i], s.q[i]),
    )
    c.variant("constant left out", "known bug", C=KL)
    c.variant("divergences halved", "confused with the Jensen-Shannon divergence", C=KL / 2 - log(4))
    c.remark(
        "F.kl_div(input, target) wants the logarithm of the second law as its first argument: "
        "KL(p, m) is F.kl_div(m.log(), p, reduction='sum')."
    )


@claim("gan.jsd_form", SECTION, "gan.jsd")
def jsd_form(c: Any) -> None:
    """The criterion is -log 4 plus twice the Jensen-Shannon divergence."""
    s = jensen_shannon(c)
    i, JSD, both = s.i, s.JSD, c.sum(s.first[s.i] + s.second[s.i], s.i)
    c.law(JSD, (criterion_of(s) + log(4)) / 2)

    def proof(b: Any) -> None:
        """At each point both terms lose (p + q) log 2, of which all points have 2 log 2."""
        b.left.unfold(JSD).rewrite(*terms(b, s))
        b.right.rewrite(*from_total(b, s))
        b.combine(*whole(b, log(2) / 2, log(2) / 2))

    c.prove(proof)
    c.law(JSD, sum(s.divergences) / 2)
    c.prove(lambda b: b.left.unfold(JSD).rewrite(*terms(b, s)))
    c.call(normalised(s.p), normalised(s.q)).shows(JSD)
    c.variant("without the half", "known convention", JSD=both)
    c.variant("in bits", "logarithm to base 2", JSD=both / (2 * log(2)))
    c.variant(
        "its square root",
        "scipy.spatial.distance.jensenshannon",
        why="the distance, which obeys the triangle inequality",
        JSD=sqrt(both / 2),
    )
    c.variant("arguments exchanged", "known bug: KL(m, p)", JSD=reverse(s) / 2)
    c.variant("of the first law only", "known bug", JSD=c.sum(s.first[i], i))
    c.variant("mean over the points", "known bug", JSD=both / (2 * s.n))
    c.variant("middle not halved", "known bug", m=s.P[i] + s.Q[i])
    c.remark("In nats. With base 2 the greatest value is 1, with scipy's square root it is 0.8326.")


# ------------------------------------------------------------------ of one law from another


def kullback(c: Any) -> Any:
    """Two laws, and the divergence of the first from the second, which is positive wherever the first is."""
    s = two_laws(c, covering=True)
    p, i, P, Q = s.p, s.i, s.P, s.Q
    s.term = c.let("term", i, weighted_log(P[i], P[i] / Q[i], p[i]))
    s.KL = c.let("KL", (), c.sum(s.term[i], i))
    return s


def read(b: Any, s: Any) -> Any:
    """A term of the program is p log(p / q)."""
    return term(b, shares(b, s), "term", s.term[s.i], s.p[s.i], s.q[s.i], s.term)


ORDER = "arguments exchanged", "known bug: F.kl_div(p.log(), q)"
MEAN = "mean over the points", "torch, F.kl_div with reduction mean"


def exchanged(s: Any) -> Any:
    return weighted_log(s.Q[s.i], s.Q[s.i] / s.P[s.i], s.q[s.i])


@claim("gan.kl_nonneg", SECTION, "gan.kl", kind="inequality")
def kl_nonneg(c: Any) -> None:
    """The Kullback-Leibler divergence is nowhere negative, and 0 only if the laws are equal."""
    s = kullback(c)
    i, p, q, KL = s.i, s.p[s.i], s.q[s.i], s.KL
    square, share = where_positive((p - q) ** 2 / (p + 2 * q), p + q), Rational(2, 3)
    c.law(KL, ">=", Rational(3, 2) * c.sum(square, i))

    def proof(b: Any) -> None:
        """Each term exceeds p - q by a square at least, and p - q sums to 0."""

        def fill(h: Any) -> None:
            h.cases(q > 0, lambda k: k.combine((share, k.lemma("gibbs_square", p=p, q=q))), off)

        def off(k: Any) -> None:
            decided(k, (p, p), (p, q))
            k.cases(p > 0)

        each = b.have("each term", square, "<=", share * (relative(p, q) - p + q), fill)
        b.right.unfold(KL).rewrite(read(b, s))
        b.combine((1 / share, b.sum(each, 1, (i, 0, s.n - 1))), *whole(b, -1, 1))

    c.prove(proof)
    c.call(normalised(s.p), normalised(s.q)).shows(KL)
    c.variant(*ORDER, term=exchanged(s))
    c.variant(
        "without the minus sign",
        "known bug: log(q / p)",
        term=weighted_log(s.P[i], s.Q[i] / s.P[i], p),
    )
    c.variant(*MEAN, KL=c.sum(s.term[i], i) / s.n)
    c.remark(
        "The lower bound is 0 only if the laws are equal. It agrees with the divergence to third order, which is "
        "why exchanging the arguments breaks it."
    )


@claim("gan.kl_nonneg.value", SECTION, "gan.kl")
def value(c: Any) -> None:
    """The Kullback-Leibler divergence on a finite space, with its gradient."""
    s = kullback(c)
    i, p, q, P, Q, KL = s.i, s.p, s.q, s.P, s.Q, s.KL
    c.law(KL, c.sum(relative(p[i], q[i]), i))
    c.prove(lambda b: b.left.unfold(KL).rewrite(read(b, s)))
    c.call(normalised(p), normalised(q)).shows(KL)
    c.say("0 log 0 is 0")
    c.variant(*ORDER, term=exchanged(s))
    c.variant("in bits", "logarithm to base 2", KL=c.sum(s.term[i], i) / log(2))
    c.variant(*MEAN, KL=c.sum(s.term[i], i) / s.n)
    c.variant("symmetrised", "Jeffreys divergence", KL=c.sum((P[i] - Q[i]) * log(P[i] / Q[i]), i))
    c.variant(
        "small number inside the logarithm",
        "known habit: log((p + 1e-8) / (q + 1e-8))",
        term=weighted_log(P[i], (P[i] + SMALL) / (Q[i] + SMALL), p[i]),
    )
    c.remark("Where p is 0 its own derivative is minus infinity; there nothing is compared.")


# ------------------------------------------------------------------ bounds of the Jensen-Shannon divergence


@claim("gan.jsd_bounds", SECTION, "gan.jsd", kind="inequality")
def jsd_bounds(c: Any) -> None:
    """The Jensen-Shannon divergence is at most log 2."""
    s = jensen_shannon(c)
    i, JSD, both = s.i, s.JSD, c.sum(s.first[s.i] + s.second[s.i], s.i)
    c.law(JSD, "<=", log(2))

    def proof(b: Any) -> None:
        """No term of either divergence exceeds its share of log 2."""
        p, q = s.p[i], s.q[i]
        b.left.unfold(JSD).rewrite(*terms(b, s))
        most = [b.sum(b.lemma("to_middle", p=x, q=y), 1, (i, 0, s.n - 1)) for x, y in ((p, q), (q, p))]
        b.combine(*[(HALF, one) for one in most], *whole(b, log(2) / 2, log(2) / 2))

    c.prove(proof)
    c.call(normalised(s.p), normalised(s.q)).shows(JSD)
    c.variant("without the half", "known convention", JSD=both)
    c.variant("in bits", "logarithm to base 2", JSD=both / (2 * log(2)))
    c.variant("its square root", "scipy.spatial.distance.jensenshannon", JSD=sqrt(both / 2))
    c.remark(
        "It reaches log 2 where the supports are disjoint, however far apart: there it has no gradient "
        "that could bring them together."
    )


@claim("gan.jsd_bounds.positive", SECTION, "gan.jsd", kind="inequality")
def positive(c: Any) -> None:
    """The Jensen-Shannon divergence is nowhere negative, and 0 only if the laws are equal."""
    s = jensen_shannon(c)
    i, JSD, p, q = s.i, s.JSD, s.p[s.i], s.q[s.i]
    both = c.sum(s.first[i] + s.second[i], i)
    c.law(JSD, ">=", c.sum(where_positive((p - q) ** 2 / (p + q), p + q), i) / 4)

    def proof(b: Any) -> None:
        """Each point gives as much as its square."""
        b.right.unfold(JSD).rewrite(*terms(b, s))
        b.combine((HALF / 2, b.sum(apart(b, s), 1, (i, 0, s.n - 1))))

    c.prove(proof)
    c.call(normalised(s.p), normalised(s.q)).shows(JSD)
    c.variant("middle not halved", "known bug", m=s.P[i] + s.Q[i])
    c.variant("mean over the points", "known bug", JSD=both / (2 * s.n))
    c.variant("halved twice", "known bug", JSD=both / 4)


@claim("gan.jsd_bounds.symmetric", SECTION, "gan.jsd", kind="invariance")
def symmetric(c: Any) -> None:
    """The Jensen-Shannon divergence does not change when the laws are exchanged."""
    s = jensen_shannon(c)
    i, p, q, P, Q, JSD = s.i, s.p[s.i], s.q[s.i], s.P, s.Q, s.JSD
    turned = (q + p) / 2
    c.law(JSD, (c.sum(relative(q, turned), i) + c.sum(relative(p, turned), i)) / 2)
    c.prove(lambda b: b.left.unfold(JSD).rewrite(*terms(b, s)))
    c.call(normalised(s.q), normalised(s.p)).shows(JSD)
    c.say("the formula on the left is that of p and q, what is computed that of q and p")
    c.variant("of the second law only", "known bug", JSD=c.sum(s.second[i], i))
    c.variant("skewed middle", "the α-skew divergence", m=(P[i] + 3 * Q[i]) / 4)
