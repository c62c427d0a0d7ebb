"""How expressions look: well-formed MathML in ASCII, and one line of text, for all that claims hold."""

import re
import unicodedata
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from gnomon.typeset.mathml import mathml, plain

t, i, j, k, n = sp.symbols("t i j k n", integer=True)
a, b, h, s, y = sp.symbols("a b h s y", real=True)
beta1, eta, eps, mu = sp.symbols("beta1 eta eps mu", positive=True)
m, g, x, w, A, theta, mhat, vhat, W_xh, width = map(
    sp.IndexedBase, ["m", "g", "x", "w", "A", "theta", "mhat", "vhat", "W_xh", "n"]
)
f, z, sigma, dsigma, ddsigma = map(sp.Function, ["f", "z", "sigma", "dsigma", "ddsigma"])

LINES: list[tuple[Any, str]] = [
    (
        sp.Eq(m[t, i], beta1 * m[t - 1, i] + (1 - beta1) * g[t, i]),
        "m[t, i] = β₁·m[t−1, i] + (1 − β₁)·g[t, i]",
    ),
    (theta[t, i] - eta * mhat[t, i] / (sp.sqrt(vhat[t, i]) + eps), "θ[t, i] − η·m̂[t, i]/(ε + √v̂[t, i])"),
    (m[t, i] / (1 - beta1**t), "m[t, i]/(1 − β₁^t)"),
    (
        sp.Eq(m[t], sp.Piecewise((0, sp.Eq(t, 0)), (g[t], True)), evaluate=False),
        "m[t] = {0 if t = 0; g[t] otherwise}",
    ),
    (sp.Piecewise((1, a > 0), (0, True)) * a, "a·({1 if a > 0; 0 otherwise})"),
    (sp.exp(x[i]) / sp.Sum(sp.exp(x[j]), (j, 0, n - 1)), "e^(x[i])/(Σ[j=0…n−1] e^(x[j]))"),
    (sp.Sum((x[i] - mu) ** 2, (i, 0, n - 1)) / n, "1/n Σ[i=0…n−1] (x[i] − μ)²"),
    (sp.Sum(A[i, j] * x[j], (j, 0, n - 1), (i, 0, n - 1)), "Σ[i=0…n−1] Σ[j=0…n−1] A[i, j]·x[j]"),
    (sp.Sum(a, (i, 0, n)) * sp.Sum(b, (j, 0, n)), "(Σ[i=0…n] a)·Σ[j=0…n] b"),
    (1 - sp.Sum(-x[i], (i, 1, n)), "1 − Σ[i=1…n] (−x[i])"),
    (sp.Product(1 + x[i], (i, 1, n)), "Π[i=1…n] (x[i] + 1)"),
    (W_xh[i, j] * x[j], "W_xh[i, j]·x[j]"),
    (x[width[k]], "x[n[k]]"),
    ((y - sp.Symbol("yhat")) ** 2 / 2, "(y − ŷ)²/2"),
    (-(y - sp.Symbol("yhat")) * dsigma(s), "(ŷ − y)·σ′(s)"),
    (ddsigma(s) * sp.Function("df")(a) * sp.Function("dtanh")(b), "σ′′(s)·f′(a)·tanh′(b)"),
    (sp.diff(sigma(s**2), s), "2·s·σ′(s²)"),
    (sp.Subs(a**2, a, b), "(a²)|_(a=b)"),
    (sp.Eq(sp.tanh(s), 2 * sigma(2 * s) - 1), "tanh(s) = 2·σ(2·s) − 1"),
    (1 - sp.tanh(s) ** 2, "1 − tanh²(s)"),
    (sp.log(sp.Abs(x[i])), "log(|x[i]|)"),
    (sp.Max(0, s) + sp.Min(a, b), "max(0, s) + min(a, b)"),
    (sp.KroneckerDelta(i, j) * (x[i] - b), "(x[i] − b)·δ[i, j]"),
    (sp.Integral(f(s), (s, -sp.oo, sp.oo)), "∫[−∞…∞] f(s) ds"),
    (sp.Derivative(z(t), t), "dz(t)/dt"),
    (sp.Derivative(f(a, b), a, b, b), "∂³f(a, b)/∂a∂b²"),
    (sp.Derivative(a * s**2, s, 2), "∂²/∂s² a·s²"),
    (sp.And(sp.Le(0, i), sp.Lt(i, n)), "0 ≤ i and i < n"),
    (sp.Or(sp.Gt(a, 0), sp.Ne(b, 1)), "a > 0 or b ≠ 1"),
    (sp.Ge(sp.Abs(a - b), 0, evaluate=False), "|a − b| ≥ 0"),
    (sp.Tuple(a, sp.Rational(1, 2)), "(a, 1/2)"),
    ((a, [b]), "(a, (b))"),
    ((sp.Eq(a, b), sp.Lt(b, 1)), "a = b; b < 1"),
    (sp.Matrix([[sp.Rational(-3, 100), a], [b, 0]]), "[−3/100, a; b, 0]"),
    (sp.Transpose(sp.MatrixSymbol("W", n, n)) * sp.MatrixSymbol("x", n, 1), "Wᵀ·x"),
    (sp.Float(1e-6), "10⁻⁶"),
    (sp.Float("2.5e20"), "2.5·10²⁰"),
    (0.999, "0.999"),
    (-3, "−3"),
    (sp.nan, "undefined"),
    (sp.Rational(1, 6) * h * (a + 2 * b), "h·(a + 2·b)/6"),
    (2 * 3**a, "2·3^a"),
    (a / (b * h), "a/(b·h)"),
    (a**b**s, "a^(b^s)"),
    ((a**b) ** s, "(a^b)^s"),
    (a ** sp.Rational(3, 2), "a^(3/2)"),
    (sp.Pow(2, sp.Rational(1, 3)), "³√2"),
    (1 / sp.sqrt(a), "1/√a"),
    (sp.exp(-a / 2), "e^(−a/2)"),
    (sp.exp(sp.Sum(x[i], (i, 0, n))), "exp(Σ[i=0…n] x[i])"),
    (-a - b, "−a − b"),
    (b - a, "b − a"),
    (1 - sp.sqrt(2), "1 − √2"),
    (sp.cos(3), "cos(3)"),
    (sp.Mul(a, -b, evaluate=False), "a·(−b)"),
    (-((a + b) ** 2), "−(a + b)²"),
    (sp.Limit(sp.sin(s) / s, s, 0), "lim[s→0] sin(s)/s"),
    (sp.Lambda(s, sp.tanh(s)), "s ↦ tanh(s)"),
    (sp.O(h**5), "O(h⁵)"),
    (sp.floor(a / 2) + sp.factorial(n), "n! + ⌊a/2⌋"),
    (sp.Mod(i, 2), "i mod 2"),
    (sp.sin(sp.Symbol("pos") / 10000 ** (2 * i / sp.Symbol("d"))), "sin(pos/10000^(2·i/d))"),
    (sp.Contains(a, sp.Interval.Ropen(0, 1)), "a ∈ [0, 1)"),
    (sigma, "σ"),
    (True, "true"),
    ("as the notes print it", "as the notes print it"),
]

NAMES = {
    "m": "m",
    "mhat": "m̂",
    "vhat": "v̂",
    "beta1": "β₁",
    "beta1hat": "β̂₁",
    "lambda_max": "λ_max",
    "Theta_k": "Θ_k",
    "thetabar": "θ̄",
    "theta_hat": "θ̂",
    "n_in": "n_in",
    "xprime": "x′",
    "x'": "x′",
    "D_g__star": "D_g∗",
    "eps": "ε",
    "lr": "lr",
    "that": "t̂",
    "what_is": "ŵ_is",
    "chat": "ĉ",
    "_x": "x",
    "\\hat v": "v̂",
    "\\hat{v}": "v̂",
    "\\theta": "θ",
    "logits": "logits",
}


@pytest.mark.parametrize(("expr", "text"), LINES, ids=str)
def test_one_line_of_text(expr: Any, text: str) -> None:
    assert plain(expr) == text


@pytest.mark.parametrize(("name", "text"), NAMES.items())
def test_names(name: str, text: str) -> None:
    assert plain(sp.Symbol(name)) == text


@pytest.mark.parametrize("expr", [expr for expr, _ in LINES], ids=str)
def test_mathml_is_well_formed_ascii_and_says_the_same_in_words(expr: Any) -> None:
    markup = mathml(expr)
    assert markup.isascii()
    root = ElementTree.fromstring(markup)
    assert root.tag == "math"
    assert root.get("alttext") == plain(expr)
    arity = {
        "mfrac": 2,
        "msub": 2,
        "msup": 2,
        "msubsup": 3,
        "munder": 2,
        "mover": 2,
        "munderover": 3,
        "mroot": 2,
    }
    for element in root.iter():
        assert len(element) == arity.get(element.tag, len(element)), ElementTree.tostring(element)
        assert not (element.text and len(element)), "words and elements side by side are not MathML"
    assert not any("\\" in text for text in root.itertext())


def _inner(expr: Any) -> str:
    root = ElementTree.fromstring(mathml(expr))
    return "".join(ElementTree.tostring(child, encoding="unicode") for child in root)


def test_mathml_of_single_things() -> None:
    assert _inner(sp.Symbol("mhat")) == '<mover accent="true"><mi>m</mi><mo stretchy="false">^</mo></mover>'
    assert _inner(sp.Symbol("beta1")) == "<msub><mi>β</mi><mn>1</mn></msub>"
    assert _inner(sp.Symbol("lambda_max")) == "<msub><mi>λ</mi><mi>max</mi></msub>"
    assert _inner(x[i] ** 2) == '<msubsup class="at"><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>'
    assert _inner(sp.sqrt(a)) == "<msqrt><mi>a</mi></msqrt>"
    assert _inner(a / 2) == "<mfrac><mi>a</mi><mn>2</mn></mfrac>"
    assert _inner(sp.exp(a)) == "<msup><mi>e</mi><mi>a</mi></msup>"
    assert _inner(dsigma).startswith("<msup><mi>σ</mi><mo>′</mo></msup>")


def test_a_sum_shows_its_limits() -> None:
    root = ElementTree.fromstring(mathml(sp.Sum(x[i], (i, 0, n - 1))))
    sign, under, over = root[0]
    assert ["".join(part.itertext()) for part in (sign, under, over)] == ["∑", "i=0", "n−1"]


def test_names_are_escaped() -> None:
    markup = mathml(sp.Symbol("<script>&"))
    assert "<script" not in markup
    assert "".join(ElementTree.fromstring(markup).itertext()) == "<script>&"


LEAVES = st.sampled_from([a, b, x[i], x[j], sp.Integer(-1), sp.Integer(2), sp.Rational(1, 3), sp.Float(0.5)])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(sp.Add, inner, inner, evaluate=st.booleans()),
        st.builds(sp.Mul, inner, inner, evaluate=st.booleans()),
        st.builds(lambda base: sp.Pow(base, -2, evaluate=False), inner),
        st.builds(lambda base: sp.sqrt(base**2 + 1), inner),
        st.builds(lambda part: sp.exp(sp.Sum(part, (j, 0, n))), inner),
        st.builds(lambda part: sp.Piecewise((part, a > 0), (b, True)), inner),
        st.builds(lambda part: sp.Derivative(part, a, evaluate=False), inner),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_whatever_is_built_can_be_shown(expr: Any) -> None:
    assert ElementTree.fromstring(mathml(expr)).get("alttext") == plain(expr)
    assert plain(expr).count("(") == plain(expr).count(")")


ARITHMETIC = st.recursive(
    st.sampled_from([a, b, sp.Integer(-1), sp.Integer(2), sp.Rational(-1, 3)]),
    lambda inner: st.one_of(
        st.builds(sp.Add, inner, inner, evaluate=st.booleans()),
        st.builds(sp.Mul, inner, inner, evaluate=st.booleans()),
        st.builds(lambda base: sp.Pow(base, 2), inner),
        st.builds(lambda base: sp.Pow(base + 7, -1), inner),
    ),
    max_leaves=8,
)


def _value(text: str) -> Any:
    """Read a line of text as Python, in exact numbers, at a = 3 and b = 5."""
    code = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda digits: "**" + unicodedata.normalize("NFKC", digits[0]), text)
    code = re.sub(r"(?<!\*)\b\d+", r"Fraction(\g<0>)", code.translate({ord("−"): "-", ord("·"): "*"}))
    return eval(code, {"Fraction": Fraction, "a": Fraction(3), "b": Fraction(5)})


@given(ARITHMETIC)
def test_the_brackets_say_what_is_meant(expr: Any) -> None:
    value = sp.cancel(expr.subs({a: 3, b: 5}).doit())
    assume(value.is_finite)
    assert _value(plain(expr)) == Fraction(int(value.p), int(value.q))
