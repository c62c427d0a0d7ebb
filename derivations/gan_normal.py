"""The divergences and the best discriminator between normal laws (notes, section 4.2.1)."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    Ge,
    Integer,
    Integral,
    Le,
    Piecewise,
    Rational,
    Symbol,
    erf,
    exp,
    false,
    log,
    oo,
    pi,
    sqrt,
    symbols,
    tanh,
)

from gnomon.derivations.divergences import CONVEX, SECTION
from gnomon.derivations.gan_optimum import concave_steps, out
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, real, symbols_of

LEAST = 2.0**-6
LAWS = (real("mean1"), real("var1", low=LEAST), real("mean2"), real("var2", low=LEAST))
m1, v1, m2, v2 = symbols_of(LAWS)
ratio, gap, distance, quotient, shift, double, KL, JSD = symbols(
    "ratio gap distance quotient shift double KL JSD", real=True
)
HALF = Rational(1, 2)

apart, sign = Symbol("apart", real=True), Symbol("sign", integer=True)
SIDE = Choice("bound", {"upper": {sign: 1}, "lower": {sign: -1}})

# ------------------------------------------------------------------ proofs


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


def kl_proof() -> Derivation:
    x, t, mu1, mu2, c = symbols("x t mu1 mu2 c", real=True)
    s1, s2 = symbols("sigma1 sigma2", positive=True)
    first = exp(-((x - mu1) ** 2) / (2 * s1**2)) / (s1 * sqrt(2 * pi))
    second = exp(-((x - mu2) ** 2) / (2 * s2**2)) / (s2 * sqrt(2 * pi))
    standard = exp(-(t**2) / 2) / sqrt(2 * pi)
    form = (s1**2 / s2**2 - 1 - log(s1**2 / s2**2) + (mu1 - mu2) ** 2 / s2**2) / 2
    return Derivation(
        (
            Step(
                "substitute",
                log(first / second),
                log(s2 / s1) - t**2 / 2 + (mu1 - mu2 + s1 * t) ** 2 / (2 * s2**2),
                why="the logarithm of the ratio at x = μ₁ + σ₁ t; under the first law t is standard normal",
                by=((x, mu1 + s1 * t),),
            ),
            Step(
                "integrate",
                Integral((c + s1 * t) ** 2 * standard, (t, -oo, oo)),
                c**2 + s1**2,
                by=((c**2 + s1**2) * erf(t / sqrt(2)) / 2 - (2 * c * s1 + s1**2 * t) * standard,),
                why="the expectation of a square; with c = 0 and σ = 1 that of t² as well",
                wrong=(c**2 + 2 * c * s1 + s1**2,),
            ),
            Step(
                "rewrite",
                log(s2 / s1) - HALF + ((mu1 - mu2) ** 2 + s1**2) / (2 * s2**2),
                form,
                why="so this is the expectation",
            ),
            Step(
                "refute",
                Eq(form, form.subs({s1: s2, s2: s1}, simultaneous=True)),
                false,
                why="the order matters: KL(N(0,1), N(0,4)) = 0.318147, the other way round 0.806853",
                by=({mu1: 0, mu2: 0, s1: 1, s2: 2},),
            ),
        ),
        "all means and variances",
        lift="gaussian",
    )


def jsd_proof() -> Derivation:
    x, mu1, mu2 = symbols("x mu1 mu2", real=True)
    w1, w2, p, q, r, s = symbols("v1 v2 p q r s", positive=True)
    centre, width = (mu1 * w2 + mu2 * w1) / (w1 + w2), 2 * w1 * w2 / (w1 + w2)
    terms = (1 + r) * log(1 + r) + (1 - r) * log(1 - r)
    room = 2 * (1 - sqrt(1 - r**2)) - terms
    curvature = 2 / (1 - r**2) ** Rational(3, 2) - 2 / (1 - r**2)
    small = (r < 1,)
    return Derivation(
        (
            Step(
                "rewrite",
                (x - mu1) ** 2 / (4 * w1) + (x - mu2) ** 2 / (4 * w2),
                (mu1 - mu2) ** 2 / (4 * (w1 + w2)) + (x - centre) ** 2 / (2 * width),
                why="the root of the product of both densities is the overlap times a normal density",
            ),
            Step(
                "substitute",
                (p + q) / 2 * terms,
                p * log(2 * p / (p + q)) + q * log(2 * q / (p + q)),
                why="with r = (p - q)/(p + q) this is twice the divergence's integrand",
                by=((r, (p - q) / (p + q)),),
                assume=(p > q,),
            ),
            Step(
                "substitute",
                (p + q) ** 2 * (1 - r**2),
                4 * p * q,
                why="and (p + q) times the root of 1 - r² is twice the root of p q, which integrates to the overlap",
                by=((r, (p - q) / (p + q)),),
                assume=(p > q,),
            ),
            Step("substitute", room, Integer(0), why="upper bound: for r = 0 there is no room", by=((r, 0),)),
            Step("limit", room.diff(r), Integer(0), why="and its slope is 0", by=(r, 0)),
            Step("differentiate", room, curvature, why="its second derivative", by=(r, r), assume=small),
            Step(
                "substitute",
                curvature,
                2 * (1 - s) / s**3,
                why="with s the root of 1 - r²",
                by=((r, sqrt(1 - s**2)),),
                assume=(s < 1,),
            ),
            Step("inequality", Ge(2 * (1 - s) / s**3, 0), 2 * (1 - s) / s**3, why="is positive", assume=(s < 1,)),
            CONVEX,
            cite("lower bound: the entropy of (x, 1 - x) is at most 2 log 2 √(x (1 - x)) (Lin 1991)"),
        ),
        "all means and variances",
        lift="pointwise",
    )


# ------------------------------------------------------------------ the best discriminator

POSITION = (real("x"), real("mu"))
x, mu = symbols_of(POSITION)
score, small, chance = symbols("score small D", real=True)


def squashed(sign: int) -> tuple[tuple[Any, Any], ...]:
    """σ(sign · score) without overflow; above 1/2 its gradient is as accurate as that of (1 - D) D, no more."""
    large = (1 + tanh(sign * score / 2)) / 2
    return (small, exp(-Abs(score))), (chance, Piecewise((large, sign * score > 0), (small / (1 + small), True)))


gaussian = Claim(
    id="gan.optimal_discriminator.gaussian",
    section=SECTION,
    title="Between the normal laws N(0, 1) and N(μ, 1) the best discriminator is logistic",
    kind="equality",
    subject="gan.optimal_gaussian_discriminator",
    driver="function",
    inputs=POSITION,
    program=Program(((score, mu**2 / 2 - mu * x), *squashed(1)), (Output("D", chance),)),
    definition=Program((), (Output("D", exp(-(x**2) / 2) / (exp(-(x**2) / 2) + exp(-((x - mu) ** 2) / 2))),)),
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

# ------------------------------------------------------------------ divergences


def between(mean1: Any, var1: Any, mean2: Any, var2: Any) -> tuple[tuple[Any, Any], ...]:
    """The divergence; its last term the mean of d²/v and d (d/v), since either way of computing it is sound."""
    return (
        (distance, mean1 - mean2),
        (quotient, distance / var2),
        (ratio, var1 / var2),
        (gap, log(var1) - log(var2)),
        (shift, (distance**2 / var2 + distance * quotient) / 2),
        (double, ratio - 1 - gap + shift),
        (KL, double / 2),
    )


kl_normal = Claim(
    id="gan.kl_nonneg.normal",
    section=SECTION,
    title="The Kullback-Leibler divergence between normal laws, with its gradient",
    kind="equality",
    subject="gan.gaussian_kl",
    driver="function",
    inputs=LAWS,
    program=Program(between(m1, v1, m2, v2), out(KL)),
    definition=Program((), (Output("KL", (v1 / v2 - 1 - log(v1 / v2) + (m1 - m2) ** 2 / v2) / 2),)),
    statement=Eq(KL, (v1 / v2 - 1 - log(v1 / v2) + (m1 - m2) ** 2 / v2) / 2),
    conditions=("both variances are positive (at least 1/64 here: half precision has no room for 1/var²)",),
    derivation=kl_proof,
    variants=(
        Variant("arguments exchanged", "known bug", between(m2, v2, m1, v1)),
        Variant(
            "deviations for variances", "known bug: standard deviation squared again", between(m1, v1**2, m2, v2**2)
        ),
        Variant("variances for deviations", "known bug: root taken", between(m1, sqrt(v1), m2, sqrt(v2))),
        Variant("without the half", "known bug", ((KL, ratio - 1 - gap + shift),)),
        Variant("half of the first terms only", "known bug", ((KL, (ratio - 1 - gap) / 2 + shift),)),
        Variant("shift by the first variance", "known bug", ((shift, distance**2 / v1),)),
        Variant("without the constant", "known bug: dimension left out", ((KL, (ratio - gap + shift) / 2),)),
    ),
)


def overlap(var1: Any, var2: Any) -> Any:
    """The integral of the root of the product of both densities."""
    return sqrt(2 * sqrt(var1 * var2) / (var1 + var2)) * exp(-((m1 - m2) ** 2) / (4 * (var1 + var2)))


OVERLAP = overlap(v1, v2)
MIDDLE = (apart + log(2) * apart) / 2
jsd_normal = Claim(
    id="gan.jsd_bounds.normal",
    section=SECTION,
    title="Between normal laws the Jensen-Shannon divergence lies between log 2 and 1 times what does not overlap",
    kind="inequality",
    subject="gan.gaussian_jsd",
    driver="function",
    structure=(SIDE,),
    inputs=LAWS,
    program=Program(
        (
            (apart, 1 - OVERLAP),
            (JSD, MIDDLE),
        ),
        out(JSD),
    ),
    statement=(Ge(JSD, log(2) * (1 - OVERLAP), evaluate=False), Le(JSD, 1 - OVERLAP, evaluate=False)),
    relation=Relation(sign * JSD, "<=", (1 - OVERLAP) * Piecewise((1, Eq(sign, 1)), (-log(2), True))),
    conditions=("both variances are positive", "the overlap is the integral of the root of p q"),
    derivation=jsd_proof,
    variants=(
        Variant("without the half", "known convention", ((JSD, 2 * MIDDLE),)),
        Variant("in bits", "logarithm to base 2", ((JSD, MIDDLE / log(2)),)),
        Variant("its square root", "scipy.spatial.distance.jensenshannon", ((JSD, sqrt(MIDDLE)),)),
        Variant("deviations for variances", "known bug", ((apart, 1 - overlap(v1**2, v2**2)),)),
    ),
    remarks="There is no closed form, so only these bounds are checked, which leave a factor of log 2 between "
    "them. The middle of both stands for the divergence in the budget and in the variants.",
)

CLAIMS = (gaussian, kl_normal, jsd_normal)
