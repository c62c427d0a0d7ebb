"""The divergences and the best discriminator between normal laws (notes, section 4.2.1)."""

from typing import Any

from gnomon.derivations.divergences import SECTION
from gnomon.derivations.gan_optimum import concave_steps, out
from sympy import (
    Abs,
    Eq,
    Integer,
    Integral,
    Piecewise,
    Rational,
    Symbol,
    exp,
    false,
    log,
    oo,
    pi,
    sqrt,
    symbols,
    tanh,
)

from gnomon.claim import Claim, Output, Program, Variant
from gnomon.derivation import Derivation, Step
from gnomon.domain import positive, real, symbols_of

LAWS = (real("mean1"), positive("var1"), real("mean2"), positive("var2"))
m1, v1, m2, v2 = symbols_of(LAWS)
ratio, gap, shift, KL, JSD = symbols("ratio gap shift KL JSD", real=True)
HALF = Rational(1, 2)

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


def moment(power: int) -> Any:
    """A moment of the standard normal law."""
    t = Symbol("t", real=True)
    return Integral(t**power * exp(-(t**2) / 2) / sqrt(2 * pi), (t, -oo, oo))


def kl_proof() -> Derivation:
    x, t, mu1, mu2 = symbols("x t mu1 mu2", real=True)
    s1, s2 = symbols("sigma1 sigma2", positive=True)
    first = exp(-((x - mu1) ** 2) / (2 * s1**2)) / (s1 * sqrt(2 * pi))
    second = exp(-((x - mu2) ** 2) / (2 * s2**2)) / (s2 * sqrt(2 * pi))
    at = mu1 + s1 * t
    quadratic = log(s2 / s1) - t**2 / 2 + (at - mu2) ** 2 / (2 * s2**2)
    constant = log(s2 / s1) + (mu1 - mu2) ** 2 / (2 * s2**2)
    linear, square = s1 * (mu1 - mu2) / s2**2, (s1**2 / s2**2 - 1) / 2
    form = (s1**2 / s2**2 - 1 - log(s1**2 / s2**2) + (mu1 - mu2) ** 2 / s2**2) / 2
    return Derivation(
        (
            Step(
                "substitute",
                log(first / second),
                quadratic,
                why="the logarithm of the ratio at x = μ₁ + σ₁ t",
                by=((x, at),),
            ),
            Step("rewrite", quadratic, constant + linear * t + square * t**2, why="is quadratic in t"),
            Step("integrate", moment(0), Integer(1), why="under the first law t is standard normal"),
            Step("integrate", moment(1), Integer(0), why="with mean 0"),
            Step("integrate", moment(2), Integer(1), why="and variance 1"),
            Step("rewrite", constant + square, form, why="so the expectation keeps two of the terms"),
            Step(
                "refute",
                Eq(form, form.subs({s1: s2, s2: s1}, simultaneous=True)),
                false,
                why="and the order matters: KL(N(0,1), N(0,4)) = 0.318147, the other way round 0.806853",
                by=({mu1: 0, mu2: 0, s1: 1, s2: 2},),
            ),
        ),
        "all means and variances",
        lift="gaussian",
    )


def jsd_proof() -> Derivation:
    x, mu1, mu2 = symbols("x mu1 mu2", real=True)
    w1, w2, u = symbols("v1 v2 u", positive=True)
    middle, spread = (mu1 * w2 + mu2 * w1) / (w1 + w2), 2 * w1 * w2 / (w1 + w2)
    r = Symbol("r", positive=True)
    entropy = ((1 + r) * log(1 + r) + (1 - r) * log(1 - r)) / 2
    root = sqrt(1 - r**2)
    return Derivation(
        (
            Step(
                "rewrite",
                (x - mu1) ** 2 / (4 * w1) + (x - mu2) ** 2 / (4 * w2),
                (mu1 - mu2) ** 2 / (4 * (w1 + w2)) + (x - middle) ** 2 / (2 * spread),
                why="the root of the product of both densities is a normal density, times the overlap BC",
            ),
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
    return (
        (ratio, var1 / var2),
        (gap, log(var1) - log(var2)),
        (shift, (mean1 - mean2) ** 2 / var2),
        (KL, (ratio - 1 - gap + shift) / 2),
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
    conditions=("both variances are positive",),
    derivation=kl_proof,
    variants=(
        Variant("arguments exchanged", "known bug", between(m2, v2, m1, v1)),
        Variant(
            "deviations for variances", "known bug: standard deviation squared again", between(m1, v1**2, m2, v2**2)
        ),
        Variant("variances for deviations", "known bug: root taken", between(m1, sqrt(v1), m2, sqrt(v2))),
        Variant("without the half", "known bug", ((KL, ratio - 1 - gap + shift),)),
        Variant("half of the first terms only", "known bug", ((KL, (ratio - 1 - gap) / 2 + shift),)),
        Variant("shift by the first variance", "known bug", ((shift, (m1 - m2) ** 2 / v1),)),
        Variant("without the constant", "known bug: dimension left out", ((KL, (ratio - gap + shift) / 2),)),
    ),
)

CLAIMS = (gaussian, kl_normal)
