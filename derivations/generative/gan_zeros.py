"""The divergences of a law that is 0 at some points, and gradients that must not be NaN (notes, section 4.2.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Eq, IndexedBase, Max, Piecewise, Rational, Symbol, log

from gnomon.derivations.generative.divergences import SECTION, SMALL, nothing, shares, term, where_positive
from gnomon.proof.xlogy import relative
from gnomon.say.call import normalised
from gnomon.say.maker import claim

KNOWN = {
    "1, 0": (1, 0),
    "0, 1/4, 3/4": (0, Rational(1, 4), Rational(3, 4)),
    "1/2, 0, 0, 1/2": (Rational(1, 2), 0, 0, Rational(1, 2)),
}


def with_zeros(c: Any) -> Any:
    """A law that may be 0 at some points, and one that is 0 nowhere."""
    p, n = IndexedBase("p", nonnegative=True), Symbol("n", integer=True, positive=True)
    c.choice("p", {label: {p: law, n: len(law)} for label, law in KNOWN.items()})
    q = c.law_on("q", n, strict=True)
    i, j = c.indices("i j", n)
    Q = c.let("Q", i, q[i] / c.sum(q[i], i))
    return SimpleNamespace(c=c, p=p, q=q, i=i, j=j, n=n, Q=Q, laws=((q, Q),))


@claim("gan.kl_nonneg.zeros", SECTION, "gan.kl")
def kl_zeros(c: Any) -> None:
    """Where p is 0 the Kullback-Leibler divergence has the gradient 0 by q."""
    s = with_zeros(c)
    p, q, i, j, Q = s.p, s.q, s.i, s.j, s.Q
    entry = c.let("term", i, where_positive(p[i] * log(p[i] / Q[i]), p[i]))
    KL = c.let("KL", (), c.sum(entry[i], i))
    free = c.let("free", (), c.sum(relative(p[i], q[i]), i))
    c.law(KL, c.sum(relative(p[i], q[i]), i))
    c.prove(lambda b: b.left.unfold(KL).rewrite(term(b, shares(b, s), "term", entry[i], p[i], q[i], entry)))
    c.law(c.D(free, q[j]), -p[j] / q[j])
    c.prove(lambda b: b.left.unfold("∂free/∂q").contract())
    c.call(p, normalised(q)).shows(KL)
    c.say("0 log 0 is 0")
    c.variant("arguments exchanged", "known bug", KL=c.sum(where_positive(Q[i] * log(Q[i] / p[i]), p[i]), i))
    c.variant("smallest probability 1e-8", "known habit: clamp", term=Max(p[i], SMALL) * log(Max(p[i], SMALL) / Q[i]))
    c.variant("mean over the points", "torch, F.kl_div with reduction mean", KL=c.sum(entry[i], i) / s.n)
    c.remark("torch.where(p > 0, p * log(p / q), 0) has this value, but its gradient is NaN.")


@claim("gan.jsd_form.zeros", SECTION, "gan.jsd")
def jsd_zeros(c: Any) -> None:
    """Where p is 0 the Jensen-Shannon divergence is half of q log 2, and its gradient half of log 2."""
    s = with_zeros(c)
    p, q, i, j, Q = s.p, s.q, s.i, s.j, s.Q
    m = c.let("m", i, (p[i] + Q[i]) / 2)
    first = c.let("first", i, where_positive(p[i] * log(p[i] / m[i]), p[i]))
    second = c.let("second", i, Q[i] * log(Q[i] / m[i]))
    JSD = c.let("JSD", (), c.sum(first[i] + second[i], i) / 2)
    middle = (p[i] + q[i]) / 2
    free = c.let("free", (), c.sum(relative(p[i], middle) + q[i] * log(q[i] / middle), i) / 2)
    c.law(JSD, c.sum(relative(p[i], middle) + relative(q[i], middle), i) / 2)

    def proof(b: Any) -> None:
        """Both terms are those of the divergences from the middle."""
        given = shares(b, s)
        b.left.unfold(JSD).rewrite(
            term(b, given, "first term", first[i], p[i], middle, first, m),
            term(b, given, "second term", second[i], q[i], middle, second, m),
        )

    c.prove(proof)
    c.law(c.D(free, q[j]), log(2 * q[j] / (p[j] + q[j])) / 2)
    c.prove(lambda b: b.left.unfold("∂free/∂q").contract())
    at_zero = Piecewise((first[i] + second[i], Eq(p[i], 0)), (0, True))
    c.law(at_zero, Piecewise((q[i] * log(2), Eq(p[i], 0)), (0, True)))

    def alone(b: Any) -> None:
        """Where p is 0 the middle is half of q."""
        given = shares(b, s)
        b.left.unfold(first, second, m).rewrite(*given)
        b.cases(Eq(p[i], 0), lambda k: k.left.rewrite(nothing(k, p[i])))

    c.prove(alone)
    c.call(p, normalised(q)).shows(JSD)
    c.say("0 log 0 is 0")
    c.variant("without the half", "known convention", JSD=c.sum(first[i] + second[i], i))
    c.variant(
        "zeros left out",
        "known bug: only where both are positive",
        second=where_positive(Q[i] * log(Q[i] / m[i]), p[i]),
    )
