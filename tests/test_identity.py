"""The zero test: every method sees what is zero in its reach, and none takes what is not zero for zero."""

from typing import Any

import pytest
import sympy as sp
from sympy import (
    Abs,
    Heaviside,
    I,
    IndexedBase,
    Max,
    Min,
    Piecewise,
    Product,
    Rational,
    Sum,
    cos,
    exp,
    log,
    sin,
    sqrt,
    tanh,
)
from sympy.codegen.cfunctions import expm1, log1p

from gnomon.proof.is_zero import METHODS, zero
from gnomon.proof.rational import vanishes

x, y = sp.symbols("x y", real=True)
a, b, c = sp.symbols("a b c", positive=True)
n, t = sp.symbols("n t", integer=True, positive=True)
i, j, k = sp.symbols("i j k", integer=True)
g = IndexedBase("g", real=True)
r = IndexedBase("r", positive=True)
total = Sum(g[k], (k, 1, n))
third = (x + 1) ** Rational(1, 3)

SAME = [
    ("normal form", Sum(g[i] * (x + g[j]), (i, 1, n), (j, 1, n)), total * (n * x + total)),
    ("normal form", sqrt(6) * b ** (t - 1), sqrt(2) * sqrt(3) * b**t / b),
    ("fractions", x / (x + y) + y / (x + y), 1),
    ("fractions", 1 / (sqrt(2) + sqrt(3)), sqrt(3) - sqrt(2)),
    ("fractions", 1 / (sqrt(12) - 1), (2 * sqrt(3) + 1) / 11),
    ("fractions", 1 / (sqrt(x + 1) + 1), (sqrt(x + 1) - 1) / x),
    ("fractions", 1 / (1 + third), (1 - third + third**2) / (x + 2)),
    ("fractions", 1 / (Abs(x + y) - 2), (Abs(x + y) + 2) / ((x + y) ** 2 - 4)),
    ("fractions", 1 / (x + I), (x - I) / (x**2 + 1)),
    ("fractions", 1 / (1 + exp(-x)), exp(x) / (1 + exp(x))),
    ("fractions", 1 / (exp(x / 2) + 1), (exp(x / 2) - 1) / (exp(x) - 1)),
    ("fractions", 1 / (b**x + 1), (b**x - 1) / (b ** (2 * x) - 1)),
    ("fractions", 1 / (sqrt(x**2 + sqrt(x + 1)) + x), (sqrt(x**2 + sqrt(x + 1)) - x) / sqrt(x + 1)),
    ("ends of sums", Sum(g[i] * b**i, (i, 1, t)), Sum(g[i] * b**i, (i, 1, t - 1)) + g[t] * b**t),
    ("ends of sums", Sum(g[i], (i, 0, t)), Sum(g[i], (i, 2, t + 1)) + g[0] + g[1] - g[t + 1]),
    ("ends of sums", Sum(g[i] ** 2 - g[i - 1] ** 2, (i, 1, n)), g[n] ** 2 - g[0] ** 2),
    ("ends of sums", Product(r[i], (i, 1, t)) / Product(r[i], (i, 2, t + 1)), r[1] / r[t + 1]),
    ("logarithms", log(a * b / 6) + log(4), log(a) + log(b) + log(2) - log(3)),
    ("logarithms", log(Product(r[i], (i, 1, n))), Sum(log(r[i]), (i, 1, n))),
    ("logarithms", log(Sum(exp(g[i] - x), (i, 1, n))) + x, log(Sum(exp(g[i]), (i, 1, n)))),
    ("logarithms", log1p(-a / (a + b)), log(b) - log(a + b)),
    ("logarithms", log(1 / a + 1 / b), log(a + b) - log(a) - log(b)),
    ("radicals", sqrt((1 - b**2) / (1 - b)), sqrt(1 + b)),
    ("radicals", sqrt(a - a * x), sqrt(a) * sqrt(1 - x)),
    ("exponentials", tanh(x), 2 / (1 + exp(-2 * x)) - 1),
    ("exponentials", cos(x + y) * cos(x - y), cos(x) ** 2 - sin(y) ** 2),
    ("fractions", 1 / ((-1) ** k + x), (x - (-1) ** k) / (x**2 - 1)),
    ("exponentials", sin(x + y), sin(x) * cos(y) + cos(x) * sin(y)),
    ("exponentials", log(1 + exp(-x)), log(2 * sp.cosh(x / 2)) - x / 2),
    ("cases", Max(x, 0) - Max(-x, 0), x),
    ("cases", x * Heaviside(x), Max(x, 0)),
    ("cases", Max(x, y) + Min(x, y), x + y),
    ("cases", Max(g[k], 0) * 2, g[k] + Abs(g[k])),
    ("cases", Piecewise((x**2, x > 0), (-(x**2), True)), Piecewise((x, x > 0), (-x, True)) * x),
    ("cases", Piecewise((y, sp.Eq(x, 0)), (x + y, True)), x + y),
    ("simplify", sp.gamma(a + 1), a * sp.gamma(a)),
    ("normal form", log1p(x) + expm1(y), log(1 + x) + exp(y) - 1),
]  # fmt: skip


@pytest.mark.parametrize(("method", "left", "right"), SAME, ids=range(len(SAME)))
def test_what_is_zero_is_seen_and_what_is_not_is_not(method: str, left: Any, right: Any) -> None:
    assert zero(left - right) == method
    assert zero(left - right, method=method) == method
    for wrong in (right + 1, right * 2, right - left / 2):
        assert not zero(left - wrong, method=method)
    assert not zero(left - right + x * y)


def test_every_method_is_needed() -> None:
    assert {method for method, _, _ in SAME} == {"normal form", *METHODS}


@pytest.mark.parametrize(
    "e",
    [
        sqrt(x**2) - x,
        sqrt(1 - x**2) - sqrt(1 - x),
        sqrt(x * y) - sqrt(x) * sqrt(y),
        sqrt((x - 1) * (y - 1)) - sqrt(1 - x) * sqrt(1 - y),
        sqrt((x - 1) * a) - sqrt(a) * sqrt(1 - x),
        log(-a) - log(a),
        sp.sign(x) ** 2 - 1,
        Heaviside(x) - Heaviside(-x),
        Piecewise((x, x > 0), (0, True)) - x,
        Piecewise((0, sp.Eq(x, 1)), (x - 1, True)) - x,
        sin(x) - x,
        exp(x + y) - exp(x) - exp(y),
        Sum(Max(g[i], 0), (i, 1, n)) - Max(Sum(g[i], (i, 1, n)), 0),
        Sum(g[i], (i, 1, t)) - Sum(g[i], (i, 0, t - 1)),
        Product(r[i], (i, 1, t)) - Product(r[i], (i, 1, t + 1)) / r[t],
        sqrt(2) + sqrt(3) - sqrt(5),
        Abs(x + y) - Abs(x) - Abs(y),
        1 / (sqrt(2) - 1) - sqrt(2),
    ],
)
def test_what_is_false_somewhere_is_not_taken_for_zero(e: Any) -> None:
    assert not zero(e)


def test_what_is_given_opens_roots() -> None:
    e = sqrt((1 - x) * (1 - y)) - sqrt(1 - x) * sqrt(1 - y)
    assert not zero(e)
    assert zero(e, given=(2 - 2 * x, 1 - y)) == "radicals"
    assert not zero(e, given=(x - 1, y - 1))  # then the roots on the right are imaginary
    assert not zero(sqrt((1 - x) * (1 - y)) - sqrt(1 - x), given=(1 - x, 1 - y))


def test_a_quotient_with_a_zero_below_is_not_zero() -> None:
    nothing = sp.Pow(sqrt(x + 1), 2, evaluate=False) - x - 1
    assert vanishes(nothing)
    assert not vanishes(1 / nothing)
    assert not vanishes(x / nothing)


def test_another_method_than_the_one_asked_is_not_used() -> None:
    e = tanh(x) - 2 / (1 + exp(-2 * x)) + 1
    assert not zero(e, method="fractions")
    assert not zero(e, method="normal form")
    assert zero(e, method="exponentials") == "exponentials"
