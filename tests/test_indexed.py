"""The index calculus against exact instantiation: it must never be wrong, and it must see what is equal."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
from flint import fmpq
from sympy import IndexedBase, KroneckerDelta, Piecewise, Product, Rational, Sum, symbols

from gnomon.proof.enclosure import Encloser
from gnomon.proof.indexed import canon, collapse, fresh, opaque, peel_first, peel_last, relabel, same

n, m = symbols("n m", integer=True, positive=True)
i, j, k, p, q = symbols("i j k p q", integer=True)
A, B = IndexedBase("A", real=True), IndexedBase("B", real=True)
x, y, w = IndexedBase("x", real=True), IndexedBase("y", real=True), IndexedBase("w", real=True)
b = sp.Symbol("b", positive=True)
sigma, dsigma, ddsigma = opaque("sigma")
PLACES = [
    {"n": 2, "m": 3, "p": 1, "q": 2},
    {"n": 3, "m": 1, "p": 3, "q": 1},
    {"n": 1, "m": 2, "p": 1, "q": 1},
]


def value(expr: Any, place: dict[str, int], symmetric: bool = False) -> Any:
    """The exact value: entries are fractions that depend on their place alone, sigma(u) is u^3 - 2u + 1/3."""

    def entries(name: str) -> Callable[..., fmpq]:
        def entry(*at: int) -> fmpq:
            at = tuple(sorted(at)) if symmetric else at
            rng = random.Random(f"{name}{at}")
            return fmpq(rng.randint(-5, 5), rng.randint(1, 4))

        return entry

    values = {name: entries(name) for name in "ABxyw"} | {"b": fmpq(2, 3)}
    functions = {"sigma": lambda u: u**3 - 2 * u + fmpq(1, 3), "dsigma": lambda u: 3 * u**2 - 2}
    return Encloser(values, place, functions).value(sp.sympify(expr), {})


def random_expression(rng: random.Random, depth: int, free: list[Any], plain: bool = True) -> Any:
    """An indexed expression; with ``plain`` every index runs over 1..n, else ranges and deltas are mixed."""
    draw = rng.random()
    if depth == 0 or draw < 0.25:
        u, v = rng.choice(free), rng.choice(free)
        shift = 0 if plain else rng.randint(-1, 1)
        leaves = [A[u, v], x[u], y[v], B[v, u], sp.Integer(rng.randint(-2, 3)), KroneckerDelta(u, v + shift)]
        return rng.choice(leaves)
    parts = [random_expression(rng, depth - 1, free, plain) for _ in range(2)] if draw < 0.7 else []
    if draw < 0.5:
        return parts[0] * parts[1]
    if draw < 0.7:
        return parts[0] + parts[1]
    if draw < 0.76:
        return sigma(random_expression(rng, depth - 1, free, plain))
    d = sp.Symbol(f"d{rng.randint(0, 3)}", integer=True)
    inside = random_expression(rng, depth - 1, [*free, d], plain)
    ends = (1, n) if plain else rng.choice([(1, n), (1, m), (0, n - 1), (2, m)])
    return Sum(inside, (d, *ends))


def renamed(e: Any, rng: random.Random) -> Any:
    """The same with other dummies, so that every order that hangs on their names changes."""
    if isinstance(e, Sum):
        body, limits = renamed(e.function, rng), []
        for v, lo, hi in e.limits:
            new = sp.Dummy(rng.choice("abcdef"), integer=True)
            body = body.xreplace({v: new})
            limits.append((new, lo, hi))
        return Sum(body, *limits)
    if not e.args or isinstance(e, (sp.Indexed, KroneckerDelta)):
        return e
    return e.func(*[renamed(arg, rng) for arg in e.args])


def test_collapse_and_canon_keep_the_value() -> None:
    rng, sums = random.Random(7), 0
    for _ in range(320):
        e = sp.sympify(random_expression(rng, 4, [p, q]))
        result = canon(collapse(e))
        sums += result.has(Sum)
        for place in PLACES:
            assert value(e, place) == value(result, place), (e, result, place)
    assert sums > 50


def test_collapse_keeps_the_value_when_ranges_differ_and_deltas_are_shifted() -> None:
    rng, extended = random.Random(11), 0
    for _ in range(160):
        d = sp.Symbol("d4", integer=True)  # every index is bound, so that nothing is taken for granted
        e = sp.sympify(Sum(random_expression(rng, 4, [d], plain=False), (d, 0, n)))
        assumed: list[Any] = []
        result = collapse(e, assumed)
        assert assumed == []
        extended += result.has(Piecewise)
        for place in PLACES:
            place = {**place, "m": max(2, place["m"])}  # the range 2..m must not run backwards
            assert value(e, place) == value(result, place), (e, result, place)
            assert value(e, place) == value(canon(result), place), (e, canon(result), place)
    assert extended > 10


def test_canon_with_symmetric_bases_keeps_the_value() -> None:
    rng = random.Random(13)
    for _ in range(150):
        e = sp.sympify(random_expression(rng, 4, [p, q]))
        result = canon(collapse(e), symmetric=(A, "B"))
        for place in PLACES:
            assert value(e, place, symmetric=True) == value(result, place, symmetric=True), (e, result)


def test_renaming_dummies_is_always_recognised() -> None:
    rng, seen = random.Random(5), 0
    for _ in range(240):
        e = fresh(sp.sympify(random_expression(rng, 4, [p, q])))
        if e.has(Sum):
            seen += 1
            assert same(e, renamed(e, rng)), e
    assert seen > 100


def test_what_is_said_to_be_the_same_is_the_same() -> None:
    rng, different = random.Random(3), 0
    for _ in range(200):
        e = sp.sympify(random_expression(rng, 3, [p, q]))
        swap = rng.choice([{A: B}, {p: q}, {x: y}, {sp.Integer(2): sp.Integer(3)}])
        other = e.xreplace(swap)
        if any(value(e, place) != value(other, place) for place in PLACES):
            different += 1
            assert not same(e, other), (e, other)
    assert different > 50


def test_no_dummy_is_captured_by_a_sum_inside_a_function() -> None:
    # The first normal form of the prototypes was wrong here.
    inner = sigma(Sum(A[i, j] * x[j], (j, 1, n)))
    e = Sum(inner * x[i], (i, 1, n))
    swapped = Sum(sigma(Sum(A[j, i] * x[i], (i, 1, n))) * x[j], (j, 1, n))
    assert same(e, swapped)
    assert not same(e, Sum(sigma(Sum(A[j, i] * x[j], (j, 1, n))) * x[i], (i, 1, n)))
    assert not same(e, Sum(inner, (i, 1, n)) * Sum(x[i], (i, 1, n)))


@pytest.mark.parametrize("depth", range(4))
def test_a_name_of_a_normal_form_may_stand_free(depth: int) -> None:
    name = sp.Symbol(f"ι{depth}_0", integer=True)
    e = x[name]
    for _ in range(4):  # sums within functions within sums
        e = Sum(sigma(e) * A[i, name], (i, 1, n))
    assert value(canon(e).xreplace({name: p}), PLACES[0]) == value(e.xreplace({name: p}), PLACES[0])


@pytest.mark.parametrize(
    ("a", "c"),
    [
        (Sum(x[i], (i, 1, n)) * Sum(y[j], (j, 1, n)), Sum(x[j] * y[i], (i, 1, n), (j, 1, n))),
        (Sum(x[i], (i, 1, n)) ** 2, Sum(x[i] * x[j], (i, 1, n), (j, 1, n))),
        (Sum(x[i] + 3, (i, 1, n)), Sum(x[k], (k, 1, n)) + 3 * n),
        (Sum(x[i], (i, 1, n)), Sum(x[i + 1], (i, 0, n - 1))),
        (Sum(b ** (n - i) * x[i], (i, 1, n)), b**n * Sum(x[j] / b**j, (j, 1, n))),
        (Sum(sp.exp(x[i]) / Sum(sp.exp(x[j]), (j, 1, n)), (i, 1, n)), 1),
        (Sum(A[i, j], (j, 0, i), (i, 0, n)), Sum(A[k, i], (i, 0, k), (k, 0, n))),
        (Product(b * x[i] ** 2, (i, 1, n)), b**n * Product(x[j], (j, 1, n)) ** 2),
        (Product(sp.exp(x[i]), (i, 1, n)), sp.exp(Sum(x[k], (k, 1, n)))),
        (Sum(x[i], (i, 1, 3)), x[1] + x[2] + x[3]),
        (Sum(x[i], (i, 1, 0)), 0),
        (1 / Sum(2 * x[i] - 2, (i, 1, n)), 1 / (Sum(x[i], (i, 1, n)) - n) / 2),
    ],
)
def test_equal_sums(a: Any, c: Any) -> None:
    assert same(a, c)
    assert not same(a, c + 1)


@pytest.mark.parametrize(
    ("a", "c"),
    [
        (Sum(A[i, j] * x[j], (j, 1, n)), Sum(A[j, i] * x[j], (j, 1, n))),
        (Sum(x[i] ** 2, (i, 1, n)), Sum(x[i], (i, 1, n)) ** 2),
        (Sum(x[i], (i, 1, n)), Sum(x[i], (i, 0, n))),
        (Sum(A[i, j], (j, 0, i), (i, 0, n)), Sum(A[i, j], (j, 0, n), (i, 0, n))),
        (Sum(sigma(x[i]), (i, 1, n)), sigma(Sum(x[i], (i, 1, n)))),
    ],
)
def test_different_sums(a: Any, c: Any) -> None:
    assert not same(a, c)


def test_symmetry_is_used_only_when_given() -> None:
    skew = Sum(A[i, j] * x[i] * (x[i] - x[j]), (i, 1, n), (j, 1, n))
    square = Sum(A[i, j] * (x[i] - x[j]) ** 2 / 2, (i, 1, n), (j, 1, n))
    assert canon(skew - square, symmetric=(A,)) == 0
    assert canon(skew - 2 * square, symmetric=(A,)) != 0
    assert canon(skew - square) != 0


def test_contraction_says_what_it_takes_for_granted() -> None:
    assumed: list[Any] = []
    assert collapse(Sum(KroneckerDelta(i, p) * x[i], (i, 1, n)), assumed) == x[p]
    assert assumed == [(p, 1, n)]
    out_of_range = {"n": 2, "p": 3}  # where that is false, so is the contraction
    assert value(Sum(KroneckerDelta(i, p) * x[i], (i, 1, n)), out_of_range) == 0 != value(x[p], out_of_range)


def test_a_contraction_that_is_certain_takes_nothing_for_granted() -> None:
    assumed: list[Any] = []
    assert collapse(Sum(KroneckerDelta(i, n) * x[i], (i, 1, n)), assumed) == x[n]
    assert collapse(Sum(KroneckerDelta(i, 0) * x[i], (i, 0, n - 1)), assumed) == x[0]
    assert collapse(Sum(KroneckerDelta(i, n) * x[i], (i, 0, n - 1)), assumed) == 0
    assert assumed == []


def test_a_shifted_or_uncertain_contraction_is_extended_by_zero() -> None:
    shifted = collapse(Sum(KroneckerDelta(i + k, p) * w[k], (k, 0, m - 1)))
    assert isinstance(shifted, Piecewise)
    triangle = collapse(Sum(KroneckerDelta(j, p) * x[i], (j, 1, i), (i, 1, n)))  # p <= i only for some i
    for place in PLACES:
        assert value(triangle, place) == value(Sum(KroneckerDelta(j, p) * x[i], (j, 1, i), (i, 1, n)), place)


def test_a_delta_that_determines_the_index_otherwise_is_left_alone() -> None:
    e = Sum(KroneckerDelta(2 * i, p) * x[i], (i, 1, n))
    assert collapse(e).has(KroneckerDelta)
    with pytest.raises(ValueError, match="range of its own"):
        collapse(Sum(KroneckerDelta(i, p, (0, 3)) * x[i], (i, 1, n)))


@pytest.mark.parametrize("kind", [Sum, Product])
@pytest.mark.parametrize("peel", [peel_first, peel_last])
def test_a_peeled_term_and_the_rest_are_the_whole(kind: Any, peel: Callable[[Any], Any]) -> None:
    for whole in (kind(b ** (n - i) * x[i], (i, 1, n)), kind(A[i, j], (i, 1, j), (j, 1, n))):
        peeled = peel(whole)
        assert peeled != whole
        for place in PLACES:
            assert value(whole, place) == value(peeled, place)


def test_only_sums_and_products_are_peeled() -> None:
    with pytest.raises(ValueError, match="only a Sum or a Product"):
        peel_last(x[p])


def test_relabelling_swaps_dummies_and_orders_symmetric_indices() -> None:
    e = Sum(A[i, j] * x[j] ** 2, (i, 1, n), (j, 1, n))
    assert relabel(e, {i: j, j: i}, symmetric=(A,)) == Sum(A[i, j] * x[i] ** 2, (j, 1, n), (i, 1, n))
    with pytest.raises(ValueError, match="clashes"):
        relabel(Sum(A[i, p], (i, 1, n)), {i: p})
    with pytest.raises(ValueError, match="captured"):
        relabel(Sum(x[i] * sigma(Sum(A[i, j], (j, 1, n))), (i, 1, n)), {i: j})


def test_a_dummy_that_sympy_has_lost_is_refused() -> None:
    masked = Sum(x[i] * Sum(Piecewise((x[j], j <= i), (0, True)), (j, 1, n)), (i, 1, n))
    assert j in masked.free_symbols, "SymPy keeps j bound now: the refusal is no longer needed"
    with pytest.raises(ValueError, match="write both limits on one Sum"):
        canon(masked)
    whole = Sum(x[i] * Piecewise((x[j], j <= i), (0, True)), (j, 1, n), (i, 1, n))
    assert value(canon(whole), PLACES[1]) == value(whole, PLACES[1])


def test_opaque_functions_differentiate_without_subs() -> None:
    u = sp.Symbol("u", real=True)
    assert sp.expand(sigma(u**2).diff(u, 2)) == 4 * u**2 * ddsigma(u**2) + 2 * dsigma(u**2)
    assert opaque("sigma")[0] is sigma
    with pytest.raises(ValueError, match="differentiated more than 2 times"):
        ddsigma(u).diff(u)


def test_a_gradient_of_a_network_with_symbolic_widths() -> None:
    target, weights = IndexedBase("t", real=True), IndexedBase("V", real=True)
    units, outs = sp.symbols("units outs", integer=True, positive=True)

    def net(o: Any) -> Any:
        return Sum(weights[o, k] * sigma(Sum(A[k, i] * x[i], (i, 1, n))), (k, 1, units))

    loss = Rational(1, 2) * Sum((net(j) - target[j]) ** 2, (j, 1, outs))
    back = Sum((net(j) - target[j]) * weights[j, p], (j, 1, outs))
    gradient = x[q] * dsigma(Sum(A[p, i] * x[i], (i, 1, n))) * back
    assert same(loss.diff(A[p, q]), gradient)
    assert not same(loss.diff(A[p, q]), gradient.xreplace({weights[j, p]: weights[p, j]}))
