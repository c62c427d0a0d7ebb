"""The library of lemmas, the bounds by slopes, and the convention at 0."""

import math

import pytest
import sympy as sp

from gnomon.proof import bounds, library, library_base
from gnomon.proof.inequality import combine
from gnomon.proof.library import LEMMAS, lemma
from gnomon.proof.second_look import second_look
from gnomon.proof.terms import within
from gnomon.proof.theorem import Refused
from gnomon.proof.theory import Theory
from gnomon.proof.xlogy import relative, unfolded, xlogy

n = sp.Symbol("n", integer=True, positive=True)
i = sp.Symbol("i", integer=True)
x, y = sp.symbols("x y", real=True)
POINTS = [dict(zip("xyumcspqvrzw", values, strict=True)) for values in (
    (3, -2, 5, 2, 4, 3, 2, 1, 1, 2, -1, 4), (-1, -3, 1, 7, 1, 0, 1, 3, 0, -2, 2, 0),
    (0, 1, 2, 1, 3, 1, 4, 4, 2, 3, -5, -2),
)]  # fmt: skip
ARRAYS = {"a": [2, -1, 3, 5], "b": [-1, 4, 1, 2]}


@pytest.mark.parametrize("name", LEMMAS)
def test_a_lemma_is_proved_from_the_rules_alone_and_once(name):
    theorem = LEMMAS[name]()
    assert theorem.theory.pure
    assert not theorem.left
    assert not theorem.hyps
    assert not theorem.cites
    assert LEMMAS[name]() is theorem
    assert LEMMAS[name].__doc__


@pytest.mark.parametrize("name", LEMMAS)
def test_a_second_look_refutes_no_lemma(name):
    looked = second_look(LEMMAS[name](), seconds=0.02)
    assert looked.least
    assert not looked.refuted


@pytest.mark.parametrize("name", LEMMAS)
@pytest.mark.parametrize("point", range(len(POINTS)))
@pytest.mark.parametrize("size", [0, 1, 4])
def test_a_lemma_is_true_of_numbers(name, point, size):
    theorem = LEMMAS[name]()
    if not all(at_point(fact, point, size) for fact in theorem.given) or (
        library_base.filled in theorem.over and not size
    ):
        return
    left, right = (at_point(side, point, size) for side in (theorem.lhs, theorem.rhs))
    assert sp.N(right - left) >= -1e-12 if theorem.rel != "=" else sp.N(right - left) == 0


def at_point(e, point, size):
    values = {
        sp.Symbol(s.name, **s._assumptions_orig): sp.Integer(POINTS[point][s.name])
        for s in e.free_symbols
        if s.name in POINTS[0]
    }
    e = e.xreplace(
        {
            **values,
            library.n: sp.Integer(size),
            library_base.filled: sp.Integer(size),
            library.k: sp.Integer(min(1, size - 1)),
        }
    ).doit()
    e = e.replace(lambda z: isinstance(z, sp.Indexed), lambda z: sp.Integer(ARRAYS[str(z.base)][int(z.indices[0])]))
    return e.replace(xlogy, lambda u, v: 0 if u == 0 else u * sp.log(v))


def test_a_lemma_is_used_by_the_names_of_what_it_is_general_in():
    theory = Theory(shapes={"X": (n, n)})
    X, k = sp.IndexedBase("X", real=True), sp.Symbol("k", integer=True)
    theorem = lemma(theory, "cauchy_schwarz", within((k, 0, n - 1)), a=lambda v: X[k, v], b=lambda v: sp.S.One, n=n)
    assert not theorem.left
    assert k in theorem.lhs.free_symbols
    wider = lemma(theory, "cauchy_schwarz", within((k, 0, n - 1)), a=lambda v: X[k, v], b=lambda v: sp.S.One, n=n + 1)
    assert wider.left  # an entry beyond the array
    with pytest.raises(Refused, match="has no z"):
        lemma(theory, "amgm", z=x)
    with pytest.raises(Refused, match="no lemma"):
        lemma(theory, "of everything")
    with pytest.raises(Refused, match="whole number"):
        lemma(theory, "bernoulli", n=sp.Rational(1, 2))
    assert lemma(theory, "amgm", x=x, y=y, c=-n).left  # c must be positive
    assert lemma(theory, "geometric_sum", r=sp.S.One, n=n).left


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_taylors_remainder_of_the_exponential(order):
    theorem = bounds.exp_taylor(order)
    assert not theorem.left
    assert theorem.rhs == sp.Symbol("s", nonnegative=True) ** order / math.factorial(order)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_exponential_on_both_sides_of_0(order):
    terms = sum(x**k / math.factorial(k) for k in range(order))
    far, most = bounds.exp_remainder(order), bounds.exp_most(order)
    assert not far.left
    assert not most.left
    assert x in far.over & most.over
    assert sp.expand(far.lhs - sp.Abs(terms - sp.exp(x))) == 0
    assert far.rhs == sp.Abs(x) ** order * sp.exp(sp.Abs(x)) / math.factorial(order)
    assert sp.expand(most.lhs - sp.Abs(terms)) == 0
    assert most.rhs == sp.exp(sp.Abs(x))


@pytest.mark.parametrize(
    ("f", "steepest"),
    [(sp.tanh(x), 1), (sp.sin(x), 1), (sp.cos(x) * 3, 3), (x / 2, 1), (1 / (1 + sp.exp(-x)), sp.Rational(1, 4))],
)
def test_the_mean_value_bound(f, steepest):
    theorem = bounds.mean_value(Theory(), f, x, y, steepest)
    assert not theorem.left
    assert {x, y} <= theorem.over


@pytest.mark.parametrize(
    ("f", "steepest"),
    [
        (sp.tanh(x), sp.Rational(99, 100)),
        (sp.sin(x), sp.Rational(1, 2)),
        (sp.exp(x), 100),
        (sp.Abs(x), 1),
        (sp.floor(x), 1),
        (1 / x, 1),
        (sp.log(x), 1),
        (sp.tan(x), 1),
        (x, -1),
        (sp.Function("f")(x), 1),
        (1 / (1 + sp.exp(-x)), sp.Rational(6, 25)),
    ],
)
def test_the_mean_value_bound_is_refused(f, steepest):
    with pytest.raises(Refused):
        bounds.mean_value(Theory(), f, x, y, steepest)


@pytest.mark.parametrize(("bound", "order"), [(sp.Rational(1, 2), 2), (0, 1), (-1, 2)])
def test_taylors_remainder_needs_the_bound_of_that_order(bound, order):
    s = sp.Symbol("s", nonnegative=True)
    with pytest.raises(Refused):
        bounds.taylor(Theory(), sp.exp(-s), s, 0, order, bound)


P, X = sp.IndexedBase("p", nonnegative=True), sp.IndexedBase("X", real=True)


def law(total=1):
    conditions = [("law", sp.Eq(sp.Sum(P[i], (i, 0, n - 1)), total), ())]
    return Theory(conditions=conditions, shapes={"p": (n,), "X": (n,)})


@pytest.mark.parametrize(
    ("name", "at"), [("exp_tangent", (library.x, library.y)), ("square_tangent", (library.x, library.y))]
)
def test_jensen(name, at):
    theory = law()
    theorem = bounds.jensen(theory, LEMMAS[name](), *at, P[i], X[i], theory.conditions["law"], (i, 0, n - 1))
    assert theorem.rel == "<="
    assert not theorem.left


def test_jensen_needs_weights_of_a_law():
    theory = law(2)
    tangent = LEMMAS["square_tangent"]()
    with pytest.raises(Refused, match="rest"):
        bounds.jensen(theory, tangent, library.x, library.y, P[i], X[i], theory.conditions["law"], (i, 0, n - 1))
    theory = law()
    with pytest.raises(Refused, match="weight"):
        bounds.jensen(theory, tangent, library.x, library.y, X[i], X[i], theory.conditions["law"], (i, 0, n - 1))
    with pytest.raises(Refused, match="no tangent"):
        bounds.jensen(theory, tangent, library.y, library.x, P[i], X[i], theory.conditions["law"], (i, 0, n - 1))


def test_the_convention_at_0_is_0_and_needs_a_positive_second_where_the_first_is_not_0():
    p, q = sp.symbols("p q", nonnegative=True)
    assert xlogy(0, q) == 0
    theory = Theory()
    assert unfolded(theory, p, p).left == ()
    assert len(unfolded(theory, p, q).left) == 1
    assert unfolded(theory, p, (p + q) / 2).left == ()
    assert len(unfolded(theory, x, (x + y) / 2).left) == 1
    assert unfolded(theory, p, q, frozenset({sp.Eq(p, 0)})).left == ()
    assert combine(theory, relative(p, q), "=", relative(p, q)).left


def test_at_0_no_other_value_is_accepted():
    g = sp.Symbol("g", nonnegative=True)
    theory = Theory()
    seven = sp.Piecewise((7, sp.Eq(g, 0)), (g * sp.log(g), True))
    with pytest.raises(Refused):
        combine(theory, xlogy(g, g), "=", seven)
    with pytest.raises(Refused):  # what SymPy would say of g log g at 0 is not asked: it has no value there
        combine(theory, xlogy(g, g), "=", g * sp.log(g))
