"""Integrals over closed ranges: what the rules show, and poles, kinks, jumps and turns refused."""

import pytest
import sympy as sp

from gnomon.proof import equality, inequality, integral
from gnomon.proof.definitions import Definition
from gnomon.proof.integral import fundamental, integrated, joined, linear, substituted
from gnomon.proof.signs import Bound
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused
from gnomon.proof.theory import Theory

x, t, u = sp.symbols("x t u", real=True)
a, b, c, w = sp.symbols("a b c w", real=True)
p, q = sp.symbols("p q", positive=True)
n = sp.Symbol("n", integer=True, positive=True)
i = sp.Symbol("i", integer=True)
X = sp.IndexedBase("X", real=True)
UP = frozenset({sp.Le(a, b)})


def owes(theorem):
    return bool(theorem.left)


@pytest.mark.parametrize(
    ("f", "primitive", "low", "high", "given"),
    [
        (x, x**2 / 2, a, b, UP),
        (sp.exp(-p * x), -sp.exp(-p * x) / p, 0, q, frozenset()),
        (1 / x, sp.log(x), p, p + q, frozenset()),
        (1 / x**2, -1 / x, 1, 2, frozenset()),
        (1 / (1 + x**2), sp.atan(x), a, b, UP),
        (1 - sp.tanh(x) ** 2, sp.tanh(x), a, b, UP),
        (sp.sqrt(x), sp.Rational(2, 3) * x ** sp.Rational(3, 2), 0, 1, frozenset()),
        (sp.exp(x) / (1 + sp.exp(x)), sp.log(1 + sp.exp(x)), a, b, UP),
        (sp.Sum(X[i] * x**2, (i, 0, n - 1)), sp.Sum(X[i], (i, 0, n - 1)) * x**3 / 3, a, b, UP),
    ],
)
def test_an_antiderivative(f, primitive, low, high, given):
    theorem = fundamental(Theory(), f, primitive, x, low, high, given)
    assert not owes(theorem)
    assert theorem.lhs == sp.Integral(f, (x, low, high))
    for other in (2 * primitive, -primitive, primitive + x):
        with pytest.raises(Refused, match="slope"):
            fundamental(Theory(), f, other, x, low, high, given)


@pytest.mark.parametrize(
    ("f", "primitive", "low", "high", "given"),
    [
        # poles within, at an end, or that cannot be excluded
        (1 / x**2, -1 / x, a, b, UP),
        (1 / x**2, -1 / x, -1, 1, frozenset()),
        (1 / x**2, -1 / x, 0, 1, frozenset()),
        (1 / x, sp.log(x), 0, 1, frozenset()),
        (1 / x, sp.log(x), -2, -1, frozenset()),
        (1 / x, sp.log(x**2) / 2, -1, 1, frozenset()),
        (1 / (x - c) ** 2, -1 / (x - c), a, b, UP),
        # jumps of the antiderivative
        (-1 / ((x - 100) ** 2 + 1), sp.atan(1 / (x - 100)), 0, p, frozenset()),
        (-1 / ((x - 100) ** 2 + 1), sp.atan(1 / (x - 100)), 0, 200, frozenset()),
        (-1 / (x**2 + 1), sp.atan(1 / x), -1, 1, frozenset()),
        (sp.S.Zero, sp.floor(x), 0, 2, frozenset()),
        (sp.S.Zero, sp.sign(x), -1, 1, frozenset()),
        (sp.S.Zero, sp.Heaviside(x), -1, 1, frozenset()),
        (sp.S.Zero, sp.Piecewise((0, x < 1), (1, True)), 0, 2, frozenset()),
        (sp.S.Zero, sp.KroneckerDelta(x, 1), 0, 1, frozenset()),
        (1 / sp.cos(x) ** 2, sp.tan(x), 0, 3, frozenset()),
        # kinks
        (sp.sign(x), sp.Abs(x), -1, 1, frozenset()),
        (sp.Heaviside(x), sp.Max(0, x), -1, 1, frozenset()),
        (1 / (2 * sp.sqrt(x)), sp.sqrt(x), 0, 1, frozenset()),
        # ends without a value
        (sp.exp(-x), -sp.exp(-x), 0, sp.oo, frozenset()),
        # backwards
        (x, x**2 / 2, a, b, frozenset()),
        (x, x**2 / 2, 1, 0, frozenset()),
    ],
)
def test_no_antiderivative_across_a_pole_a_jump_or_a_kink(f, primitive, low, high, given):
    try:
        theorem = fundamental(Theory(), f, primitive, x, low, high, given)
    except Refused:
        return
    assert owes(theorem)


def test_the_symbol_of_an_integral_is_a_name_of_its_own():
    bounded = Theory([Definition(c, w**2)], bounds={"x": Bound(0, 1)})
    for name in (x, w, c):
        with pytest.raises(Refused):
            fundamental(bounded, name**2, name**3 / 3, name, 0, 2)
    with pytest.raises(Refused):  # x >= 0 by its symbol, and the range begins below
        fundamental(Theory(), 1 / (q + 2), sp.log(q + 2), q, -1, 1)
    with pytest.raises(Refused):
        fundamental(Theory(), sp.S.One, i, i, 0, 1)
    with pytest.raises(Refused):
        fundamental(Theory(), sp.S.One, x, x, 0, x)
    hidden = Theory([Definition(c, u**2)])
    with pytest.raises(Refused):  # c moves with u
        fundamental(hidden, c, c * u, u, 0, 1)


def test_integrals_keep_order():
    theory = Theory()
    below = inequality.combine(theory, 2 * x, "<=", 1 + x**2)
    theorem = integrated(theory, below, x, a, b, UP)
    assert (theorem.rel, theorem.left) == ("<=", ())
    assert theorem.rhs == sp.Integral(1 + x**2, (x, a, b))
    assert owes(integrated(theory, below, x, a, b))  # a <= b is not known
    ranged = inequality.combine(theory, 0, "<=", x, given=frozenset({sp.Ge(x, 0)}))
    assert integrated(theory, ranged, x, 0, 1).left == ()
    with pytest.raises(Refused, match="supposed"):
        integrated(theory, ranged, x, -1, 1)
    with pytest.raises(Refused, match="jump"):
        integrated(theory, inequality.combine(theory, sp.floor(x), "<=", sp.floor(x) + 1), x, 0, 1)
    size = inequality.combine(theory, x, "<=", sp.Abs(x))
    assert integrated(theory, size, x, a, b, UP).left == ()


def test_an_integral_of_an_integral():
    theory = Theory()
    inner = fundamental(theory, x * t**2 + c, x**2 * t**2 / 2 + c * x, x, 0, 2)
    outer = integrated(theory, inner, t, 0, 1)
    assert alike(outer.lhs, sp.Integral(x * t**2 + c, (x, 0, 2), (t, 0, 1)))
    assert not owes(outer)
    both = equality.chain(
        theory, outer, fundamental(theory, outer.rhs.function, sp.Rational(2, 3) * t**3 + 2 * c * t, t, 0, 1)
    )
    assert alike(both.rhs, 2 * c + sp.Rational(2, 3))


@pytest.mark.parametrize(
    ("f", "ends", "message"),
    [
        (sp.sign(x - t), (0, 1), "may jump"),
        (sp.Heaviside(t), (0, 1), "may jump"),
        (sp.Piecewise((x, t > 0), (0, True)), (0, 1), "may jump"),
        (x, (0, t), "may jump"),
        (sp.Limit(t**u, u, sp.oo), (0, 1), "may jump"),
        # at the corner it has no value, and its two iterated integrals differ
        ((x**2 - t**2) / (x**2 + t**2) ** 2, (0, 1), "not seen to hold all along"),
        (1 / (x + t - 1), (0, 1), "not seen to hold all along"),
    ],
)
def test_an_integral_that_may_jump_or_has_no_value_is_not_integrated(f, ends, message):
    whole = equality.reflexive(Theory(), sp.Integral(f, (x, *ends)))
    with pytest.raises(Refused, match=message):
        integrated(whole.theory, whole, t, 0, 1)


def test_integrals_are_linear_and_change_places_with_sums():
    theory = Theory(shapes={"X": (n,)})
    whole = sp.Integral(sp.Sum(X[i] * sp.exp(x) * c + 2 * x, (i, 0, n - 1)), (x, a, b))
    theorem = linear(theory, whole, UP)
    one, two = sp.Integral(sp.exp(x), (x, a, b)), sp.Integral(x, (x, a, b))
    assert not owes(theorem)
    expected = c * sp.Sum(X[i], (i, 0, n - 1)) * one + 2 * n * two
    assert inequality.combine(theory, theorem.rhs, "=", expected, given=UP).left == ()
    with pytest.raises(Refused):
        linear(theory, sp.Integral(1 / x - 1 / x**2, (x, -1, 1)))
    with pytest.raises(Refused):
        linear(theory, sp.Integral(sp.sign(x) + x, (x, -1, 1)))


def test_substitution():
    theory = Theory()
    whole = sp.Integral(sp.cos(x), (x, 0, 4))
    theorem = substituted(theory, whole, t, t**2, 0, 2)
    assert alike(theorem.rhs, sp.Integral(sp.cos(t**2) * 2 * t, (t, 0, 2)))
    assert not owes(theorem)
    falling = substituted(theory, whole, t, 4 - t, 0, 4)
    assert alike(falling.rhs, sp.Integral(sp.cos(t - 4), (t, 0, 4)))
    for path, start, end in [
        (t**2, -2, 2),  # turns
        (t**2, 0, 3),  # ends elsewhere
        (2 * t, 0, 4),
        (sp.Abs(t), 0, 4),
        (x, 0, 4),
        (4 / t, 1, sp.oo),
    ]:
        try:
            assert owes(substituted(theory, whole, t, path, start, end))
        except Refused:
            continue
    with pytest.raises(Refused):  # a pole in between
        substituted(theory, sp.Integral(1 / (x - 1), (x, 0, 4)), t, t**2, 0, 2)


def test_joined_ranges():
    theory = Theory()
    whole = sp.Integral(sp.exp(x), (x, a, c))
    theorem = joined(theory, whole, b, frozenset({sp.Le(a, b), sp.Le(b, c)}))
    assert not owes(theorem)
    assert owes(joined(theory, whole, b, frozenset({sp.Le(a, c)})))
    with pytest.raises(Refused):
        joined(theory, sp.Integral(1 / x, (x, -1, 1)), 0)
    with pytest.raises(Refused):
        integral.joined(theory, sp.exp(x), 0)


def test_the_mean_of_uniform_noise_is_an_integral():
    """The square of a uniform number: the integral of its density's second moment."""
    theorem = fundamental(Theory(), x**2, x**3 / 3, x, 0, 1)
    assert theorem.rhs == sp.Rational(1, 3)
