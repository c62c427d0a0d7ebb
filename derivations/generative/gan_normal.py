"""The divergences and the best discriminator between normal laws (notes, section 4.2.1)."""

from types import SimpleNamespace
from typing import Any

from sympy import Abs, Eq, Piecewise, Symbol, exp, log, pi, sqrt, tanh

from gnomon.derivations.generative.divergences import SECTION
from gnomon.proof.expectation import averaged
from gnomon.proof.mean import Normal
from gnomon.say.maker import claim

LEAST = 2.0**-6


def density(x: Any, mean: Any, var: Any) -> Any:
    """The density of a normal law."""
    return exp(-((x - mean) ** 2) / (2 * var)) / sqrt(2 * pi * var)


# ------------------------------------------------------------------ the best discriminator


@claim("gan.optimal_discriminator.gaussian", SECTION, "gan.optimal_gaussian_discriminator")
def gaussian(c: Any) -> None:
    """Between the normal laws N(0, 1) and N(μ, 1) the best discriminator is logistic."""
    x, mu = c.real("x"), c.real("mu")
    score = c.let("score", (), mu**2 / 2 - mu * x)
    small = c.let("small", (), exp(-Abs(score)))

    def squashed(sign: int) -> Any:
        """σ(sign · score) without overflow; above 1/2 its gradient is as accurate as that of (1 - D) D, no more."""
        large = (1 + tanh(sign * score / 2)) / 2
        return Piecewise((large, sign * score > 0), (small / (1 + small), True))

    D = c.let("D", (), squashed(1))
    data, made = density(x, 0, 1), density(x, mu, 1)
    c.law(D, exp(-(x**2) / 2) / (exp(-(x**2) / 2) + exp(-((x - mu) ** 2) / 2)))

    def logistic(b: Any) -> Any:
        """Either branch is the logistic function of the score."""

        def fill(h: Any) -> None:
            h.left.unfold(D, small)
            h.cases(score > 0)

        return b.have("logistic", D, "=", 1 / (1 + exp(-score)), fill)

    def proof(b: Any) -> None:
        """The squares of x cancel in the ratio of the densities."""
        b.left.rewrite(logistic(b)).unfold(score)

    c.prove(proof)
    c.law(D, data / (data + made))
    c.prove(proof)
    c.law(D, 1 / (1 + exp(mu * x - mu**2 / 2)))
    c.prove(proof)
    c.call(x, mu).shows(D)
    c.say("data from N(0, 1), samples from N(μ, 1)")
    c.variant("labels exchanged", "1 - D*", D=squashed(-1))
    c.variant("without the half", "known bug", score=mu**2 - mu * x)
    c.variant("boundary through 0", "known bug: bias left out", score=-mu * x)
    c.variant("three quarters of data", "an unbalanced batch", score=mu**2 / 2 - mu * x + log(3))


# ------------------------------------------------------------------ divergences


def two_laws(c: Any) -> Any:
    """Two normal laws by their means and variances."""
    m1, v1 = c.real("mean1"), c.real("var1", low=LEAST)
    m2, v2 = c.real("mean2"), c.real("var2", low=LEAST)
    return SimpleNamespace(m1=m1, v1=v1, m2=m2, v2=v2)


@claim("gan.kl_nonneg.normal", SECTION, "gan.gaussian_kl")
def kl_normal(c: Any) -> None:
    """The Kullback-Leibler divergence between normal laws, with its gradient."""
    s = two_laws(c)
    m1, v1, m2, v2 = s.m1, s.v1, s.m2, s.v2

    def between(mean1: Any, var1: Any, mean2: Any, var2: Any) -> dict[str, Any]:
        """What is computed of each law."""
        return {"distance": mean1 - mean2, "width": var2, "ratio": var1 / var2, "gap": log(var1) - log(var2)}

    known = between(m1, v1, m2, v2)
    distance, width = c.let("distance", (), known["distance"]), c.let("width", (), known["width"])
    ratio, gap = c.let("ratio", (), known["ratio"]), c.let("gap", (), known["gap"])
    quotient = c.let("quotient", (), distance / width)
    # the mean of d²/v and d (d/v), since either way of computing it is sound
    shift = c.let("shift", (), (distance**2 / width + distance * quotient) / 2)
    double = c.let("double", (), ratio - 1 - gap + shift)
    KL = c.let("KL", (), double / 2)
    form = (v1 / v2 - 1 - log(v1 / v2) + (m1 - m2) ** 2 / v2) / 2
    c.law(KL, form)
    c.prove(lambda b: b.left.expand())

    z = c.noise("z", Normal(), 1)
    x = m1 + sqrt(v1) * z[0]
    likelier = log(density(x, m1, v1) / density(x, m2, v2))
    c.law(KL, c.mean(likelier, z))

    def proof(b: Any) -> None:
        """At x = μ₁ + σ₁ z the logarithm of the ratio is a polynomial in z, whose square has the mean 1."""
        polynomial = (log(v2) - log(v1)) / 2 - z[0] ** 2 / 2 + (m1 - m2 + sqrt(v1) * z[0]) ** 2 / (2 * v2)
        each = b.have("logarithm of the ratio", likelier, "=", polynomial)
        same = averaged(b.theory, each, z, Normal())
        b.settle(same)
        b.right.by(same).expect()
        b.left.expand()

    c.prove(proof)
    c.call(m1, v1, m2, v2).shows(KL)
    c.say("both variances are positive (at least 1/64 here: half precision has no room for 1/var²)")
    c.variant("arguments exchanged", "known bug", **between(m2, v2, m1, v1))
    c.variant(
        "deviations for variances", "known bug: standard deviation squared again", **between(m1, v1**2, m2, v2**2)
    )
    c.variant("variances for deviations", "known bug: root taken", **between(m1, sqrt(v1), m2, sqrt(v2)))
    c.variant("without the half", "known bug", KL=ratio - 1 - gap + shift)
    c.variant("half of the first terms only", "known bug", KL=(ratio - 1 - gap) / 2 + shift)
    c.variant("shift by the first variance", "known bug", shift=distance**2 / v1)
    c.variant("without the constant", "known bug: dimension left out", KL=(ratio - gap + shift) / 2)


@claim("gan.jsd_bounds.normal", SECTION, "gan.gaussian_jsd", kind="inequality")
def jsd_normal(c: Any) -> None:
    """Between normal laws the Jensen-Shannon divergence lies between log 2 and 1 times what does not overlap."""
    sign = Symbol("sign", integer=True)
    c.choice("bound", {"upper": {sign: 1}, "lower": {sign: -1}})
    s = two_laws(c)

    def overlap(var1: Any, var2: Any) -> Any:
        """The integral of the root of the product of both densities."""
        return sqrt(2 * sqrt(var1 * var2) / (var1 + var2)) * exp(-((s.m1 - s.m2) ** 2) / (4 * (var1 + var2)))

    apart = c.let("apart", (), 1 - overlap(s.v1, s.v2))
    middle = (apart + log(2) * apart) / 2
    JSD = c.let("JSD", (), middle)
    share = Piecewise((1, Eq(sign, 1)), (-log(2), True))
    c.law(sign * JSD, "<=", (1 - overlap(s.v1, s.v2)) * share)
    c.call(s.m1, s.v1, s.m2, s.v2).shows(JSD)
    c.say("both variances are positive", "the overlap is the integral of the root of p q")
    c.variant("without the half", "known convention", JSD=2 * middle)
    c.variant("in bits", "logarithm to base 2", JSD=middle / log(2))
    c.variant("its square root", "scipy.spatial.distance.jensenshannon", JSD=sqrt(middle))
    c.variant("deviations for variances", "known bug", apart=1 - overlap(s.v1**2, s.v2**2))
    c.remark(
        "There is no closed form, so only these bounds are checked, which leave a factor of log 2 between them. The "
        "middle of both stands for the divergence in the budget and in the variants; that the divergence itself lies "
        "between them is not proved here: at each point the lower bound is that of Lin (1991) on the entropy of two "
        "chances, and both need integrals of normal densities over the whole line."
    )
