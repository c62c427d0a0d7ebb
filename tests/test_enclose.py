"""The ball evaluator against SymPy's numbers, at the edges of domains, and where nothing can be decided."""

import random
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from sympy import Abs, Eq, IndexedBase, KroneckerDelta, Max, Min, Piecewise, Product, Rational, Sum
from sympy.codegen.cfunctions import expm1, log1p

from gnomon.proof.enclosure import EncloseError, OutOfDomain, Undecided, enclose, holds

x, y = sp.symbols("x y", real=True)
i, j, n = sp.symbols("i j n", integer=True)
a = IndexedBase("a", real=True)
DIGITS = 30


def truth(expr: Any, **values: Any) -> arb:
    """SymPy's value to 30 digits, as a ball around it."""
    number = sp.N(expr.subs({sp.Symbol(name, real=True): value for name, value in values.items()}), DIGITS)
    with ctx.workprec(256):
        return arb(str(number)) + arb(0, arb(10) ** -(DIGITS - 2) * (1 + abs(arb(str(number)))))


@pytest.mark.parametrize(
    "expr",
    [
        x**3 / 7 - 2 * x * y + Rational(1, 3),
        sp.sqrt(x) * y + x ** Rational(-3, 2) + x ** Rational(2, 3),
        sp.exp(-(x**2)) * sp.log(x + y),
        x**y + 2**x + sp.E**y,
        sp.tanh(x) + sp.sinh(y) * sp.cosh(x) + sp.coth(x),
        sp.sin(x * y) + sp.cos(sp.pi * x) + sp.tan(x / 3) + sp.atan(y),
        sp.erf(x) + sp.erfc(y) + sp.gamma(x + 1) + sp.loggamma(y) + sp.digamma(x),
        Abs(x - y) + sp.sign(x - y) + Max(x, y, 1) - Min(x, -y),
        sp.floor(5 * x) + sp.ceiling(5 * y) + sp.Mod(7 * x, 2) + sp.factorial(3) + sp.binomial(5, 2),
        Piecewise((x, x > y), (x**2, True)) + sp.Heaviside(x - y),
        sp.EulerGamma + sp.pi + sp.asinh(x) + sp.acos(x / 5),
    ],
)
def test_balls_contain_the_value_that_sympy_gives(expr: Any) -> None:
    rng = random.Random(str(expr))
    for _ in range(5):
        values = {name: Rational(rng.randint(1, 40), rng.randint(8, 13)) for name in "xy"}
        ball = enclose(expr, values)
        assert ball.overlaps(truth(expr, **values)), (expr, values)
        assert ball.rad() < arb(2) ** -100


def test_small_arguments_keep_their_digits() -> None:
    tiny = Fraction(1, 10**40)
    for expr in (log1p(x), expm1(x)):
        ball = enclose(expr, {"x": tiny})
        with ctx.workprec(256):
            assert abs(ball * 10**40 - 1) < arb(10) ** -30


def test_sums_products_and_deltas_over_concrete_ranges() -> None:
    entries = {(k,): Fraction(k, 3) for k in range(4)}
    values = {"a": entries, "x": 2}
    total = Sum(a[i] * Product(x + a[j], (j, 0, i)), (i, 1, n))
    by_hand = sum(Fraction(k, 3) * sp.prod([2 + Rational(h, 3) for h in range(k + 1)]) for k in range(1, 4))
    assert enclose(total, values, {"n": 3}).overlaps(enclose(by_hand, {}))
    assert enclose(total, values, {"n": 0}) == 0
    assert enclose(Sum(KroneckerDelta(i, j) * a[i], (i, 0, j), (j, 0, n)), values, {"n": 3}) == 2
    assert enclose(Sum(a[i] * i, (i, 0, n)), {"a": lambda k: fmpq(k)}, {"n": 3}) == 14


def test_functions_are_callables_or_lambdas() -> None:
    f, g = sp.Function("f"), sp.Function("g")
    meanings = {"f": lambda u: u * u, "g": sp.Lambda((x, y), x - y)}
    assert enclose(f(x) + g(x, f(y)), {"x": 3, "y": 2}, functions=meanings) == 8


def test_bound_names_shadow_free_ones() -> None:
    assert enclose(Sum(i, (i, 1, 3)) + i, {}, {"i": 10}) == 16


@pytest.mark.parametrize("expr", [sp.log(x), sp.sqrt(x - 1), 1 / (x + 1), (x - 1) ** y, sp.zoo, sp.gamma(x)])
def test_outside_of_the_domain(expr: Any) -> None:
    with pytest.raises(OutOfDomain):
        enclose(expr, {"x": -1, "y": Rational(1, 2)})


def test_a_range_that_runs_backwards_is_outside_of_the_domain() -> None:
    assert enclose(Sum(i, (i, 3, 2)), {}) == 0
    with pytest.raises(OutOfDomain, match="runs from 3 down to 1"):
        enclose(Sum(i, (i, 3, n)), {}, {"n": 1})


@pytest.mark.parametrize(
    ("expr", "value"), [(0**x, 0), (x**0, 1), (0 ** (x - x), 1), (sp.sqrt(x - 2), 0), (sp.sqrt(x + 7), 3)]
)
def test_the_edges_of_powers(expr: Any, value: int) -> None:
    assert enclose(expr, {"x": 2}) == value


def test_fractions_decide_every_branch() -> None:
    third = Piecewise((1, Eq(3 * x, 1)), (0, True))
    assert enclose(third, {"x": Fraction(1, 3)}) == 1
    assert enclose(third, {"x": Fraction(1, 3) + Fraction(1, 10**60)}) == 0
    assert not holds(x < y, {"x": arb(2), "y": 2})
    assert enclose(Piecewise((1, sp.sqrt(x) <= Rational(2, 3)), (0, True)), {"x": Fraction(4, 9)}) == 1


def test_a_branch_that_balls_cannot_decide_is_undecided() -> None:
    nothing = sp.exp(x) * sp.exp(y) - sp.exp(x + y)
    for expr in (Piecewise((1, nothing > 0), (0, True)), sp.sign(nothing), sp.floor(nothing), 1 / nothing):
        with pytest.raises(Undecided):
            enclose(expr, {"x": 3, "y": 1})
    assert enclose(sp.sign(nothing + Rational(1, 10**50)), {"x": 3, "y": 1}, bits=256) == 1


def test_a_side_that_decides_alone_decides() -> None:
    same = Eq(sp.sqrt(x) * sp.sqrt(x), x, evaluate=False)
    open_question = Eq(sp.exp(x) * sp.exp(y), sp.exp(x + y), evaluate=False)
    assert holds(sp.Or(open_question, x > 0, evaluate=False), {"x": 2, "y": 1})
    assert not holds(sp.And(open_question, x < 0, evaluate=False), {"x": 2, "y": 1})
    assert holds(same, {"x": 4})
    with pytest.raises(Undecided):
        holds(open_question, {"x": 2, "y": 1})


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (sp.Symbol("z"), "z has no value"),
        (a[5], r"a\[5\] has no value"),
        (sp.Function("f")(x), "the function f has no meaning"),
        (sp.Integral(x, (x, 0, 1)), "cannot enclose Integral"),
        (sp.Derivative(sp.Function("f")(x), x), "cannot enclose Derivative"),
        (sp.I * x, "cannot enclose ImaginaryUnit"),
        (Sum(i, (i, 0, x)), "should be a whole number"),
        (Sum(i, (i, 0, 10**9)), "the most is"),
    ],
)
def test_what_cannot_be_enclosed_is_said_clearly(expr: Any, message: str) -> None:
    with pytest.raises(EncloseError, match=message):
        enclose(expr, {"x": Rational(1, 2), "a": {(0,): 1}})


def test_precision_is_as_asked_and_left_as_it_was() -> None:
    before = ctx.prec
    assert enclose(sp.exp(x), {"x": Rational(1, 3)}, bits=1000).rad() < arb(2) ** -980
    assert ctx.prec == before


def test_a_float_is_the_number_that_it_is() -> None:
    assert enclose(x, {"x": 0.1}) != enclose(x, {"x": Fraction(1, 10)})
    assert enclose(sp.Float("0.5") * x, {"x": 2}) == 1
