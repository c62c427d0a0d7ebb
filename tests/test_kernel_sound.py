"""What the kernel must not believe: each a false conclusion that a rule once accepted, or could."""

import pytest
import sympy as sp

from gnomon.proof import equality, goals, inequality, tangent
from gnomon.proof.bench import Bench
from gnomon.proof.definitions import Definition
from gnomon.proof.goals import Goal
from gnomon.proof.is_zero import zero
from gnomon.proof.signs import Bound
from gnomon.proof.terms import alike, within
from gnomon.proof.theorem import Obligation, Refused
from gnomon.proof.theory import Theory

n, N = sp.symbols("n N", integer=True, positive=True)
i, j, k, t = sp.symbols("i j k t", integer=True)
u, v, x, y = sp.symbols("u v x y", real=True)
p = sp.Symbol("p", positive=True)
a, b = sp.IndexedBase("a", real=True), sp.IndexedBase("b", real=True)


def holds(theory, e, given=frozenset(), strict=False):
    return inequality.holds(theory, sp.sympify(e), frozenset(given), strict)


def test_a_fact_about_an_index_says_nothing_of_a_bound_one_of_that_name():
    theory = Theory()
    assert holds(theory, (i - 5) * x**2, {sp.Ge(i, 5)})
    assert not holds(theory, sp.Sum((i - 5) * a[i] ** 2, (i, 0, n - 1)), {sp.Ge(i, 5)})


def test_a_bound_of_a_symbol_says_nothing_of_an_index_of_that_name():
    theory = Theory(bounds={"k": Bound(0, 1)})
    assert holds(theory, 1 - sp.Symbol("k", real=True))
    assert not holds(theory, sp.Sum((1 - k) * a[k] ** 2, (k, 0, n - 1)))


def test_the_sign_of_an_index_is_that_of_its_range():
    m = sp.Symbol("m", integer=True, nonnegative=True)
    assert not holds(Theory(), sp.Sum(m**3 * a[m] ** 2, (m, -3, 3)))
    assert holds(Theory(), sp.Sum(m**3 * a[m] ** 2, (m, 0, 3)))


def test_a_theorem_of_bounded_symbols_stays_in_its_claim():
    narrow = Theory(bounds={"x": Bound(0, 1)})
    theorem = inequality.combine(narrow, x**2, "<=", x, [(1, inequality.product(narrow, *_in_unit(narrow)))])
    with pytest.raises(Refused, match="another claim"):
        inequality.combine(Theory(), x**2, "<=", x, [(1, theorem)])
    with pytest.raises(Refused, match="of the claim"):
        goals.general(narrow, theorem, Goal(x**2, "<=", x, frozenset(), frozenset({x})))


def _in_unit(theory):
    return [inequality.combine(theory, 0, "<=", x), inequality.combine(theory, x, "<=", 1)]


def test_no_deltas_out_of_range_decide_a_sign():
    e = sp.Sum(sp.KroneckerDelta(i, j) * (j + 1), (j, 0, n - 1)) - 1
    assert not holds(Theory(), e)
    assert holds(Theory(), e, within((i, 0, n - 1)))


def test_the_obligations_of_a_step_are_owed_at_every_value():
    """In y[t+1] = y[t] a[t] / a[t] every a[t] must differ from 0, not just the last one."""
    seq = sp.IndexedBase("y", real=True)
    later = sp.Piecewise((1, sp.Eq(t, 0)), (seq[t - 1] * sp.Symbol("c", real=True) / a[t], True))
    theory = Theory([Definition(seq[t], later, ((t, 0, n),))], shapes={"a": (n + 1,)})
    c = sp.Symbol("c", real=True)
    goal = Goal(seq[t], "=", c**t / sp.Product(a[k], (k, 1, t)), within((t, 0, n)), frozenset({t}))
    (hypothesis,) = goals.hypotheses(theory, [goal], t)
    base = equality.chain(
        theory,
        _unfolded(theory, goal.put({t: sp.S.Zero})),
        equality.normal(theory, 1, goal.put({t: sp.S.Zero}).rhs),
    )
    after = goal.put({t: t + 1})
    given = after.given | {sp.Ge(t, 0)}
    step = _unfolded(theory, Goal(after.lhs, "=", after.rhs, given))
    step = equality.chain(theory, step, equality.rewrite(theory, hypothesis, step.rhs, given))
    step = equality.chain(theory, step, equality.normal(theory, step.rhs, after.rhs, given))
    (closed,) = goals.induct(theory, [goal], t, 0, [base], [step], [hypothesis])
    assert closed.left
    at_one = inequality.at(theory, closed, {t: sp.S.One}, frozenset({sp.Ne(a[1], 0)}))
    assert any(o.claim.atoms(sp.Dummy) for o in at_one.left)


def _unfolded(theory, goal):
    first = equality.rewrite(theory, theory.definitions["y"], goal.lhs, goal.given)
    return equality.chain(theory, first, equality.decide(theory, first.rhs, goal.given))


def test_nothing_is_put_into_a_slope_that_its_symbol_would_capture():
    """From the slope of x y by x, which is y, does not follow that the slope of x**2 is x."""
    theory = Theory()
    slope = tangent.slope(theory, x * y, x)
    general = goals.general(theory, slope, Goal(slope.lhs, "=", slope.rhs, frozenset(), frozenset({x, y})))
    assert inequality.at(theory, general, {y: u}).rhs == u
    for values in ({y: x}, {y: x + 1}, {x: y}, {x: sp.S.One}):
        with pytest.raises(ValueError, match="is bound"):
            inequality.at(theory, general, values)
    sums = tangent.slope(theory, x * sp.Sum(a[k], (k, 0, n)), x)
    general = goals.general(theory, sums, Goal(sums.lhs, "=", sums.rhs, frozenset(), frozenset({a})))
    with pytest.raises(ValueError, match="is bound"):
        inequality.at(theory, general, {a: lambda k: x})


def test_obligations_are_told_apart_by_their_facts_too():
    one = Obligation(sp.Ne(x, 0), frozenset())
    other = Obligation(sp.Ne(x, 0), frozenset({sp.Ge(y, 0)}))
    assert set(Theory().open([one, other])) == {one, other}


def test_an_instance_captures_nothing():
    obligation = Obligation(sp.Gt(sp.Sum(a[k] * x, (k, 0, n - 1)), 0))
    put = obligation.put({x: b[k]})
    assert k in put.claim.free_symbols


def test_a_definition_without_a_value_is_used_with_what_it_needs():
    theory = Theory([Definition(y, sp.log(x))])
    theorem = inequality.combine(theory, y, "=", y + 0, [(0, theory.definitions["y"])])
    assert [o.claim for o in theorem.left] == [sp.Gt(x, 0)]
    turned = equality.symmetric(theory, theory.definitions["y"])
    assert [o.claim for o in turned.left] == [sp.Gt(x, 0)]


def test_what_a_condition_says_of_each_entry_is_known_within_sums():
    condition = ("steep", sp.Ge(a[i], 1), ((i, 0, n - 1),))
    theory = Theory(conditions=[condition])
    assert holds(theory, sp.Sum((a[k] - 1) * b[k] ** 2, (k, 0, n - 1)))
    assert not holds(theory, sp.Sum((a[k + 1] - 1) * b[k] ** 2, (k, 0, n - 1)))
    assert not holds(Theory(), sp.Sum((a[k] - 1) * b[k] ** 2, (k, 0, n - 1)))


def test_an_entry_is_not_0_where_a_condition_says_so_and_nowhere_else():
    condition = ("positive", sp.Gt(a[i], 0), ((i, 0, n - 1),))
    theory = Theory(conditions=[condition], shapes={"a": (n + 1,)})
    within_range = frozenset(within((k, 0, n - 1)))
    assert theory.closes(Obligation(sp.Ne(a[k], 0), within_range))
    assert not theory.closes(Obligation(sp.Ne(a[k], 1), within_range))
    assert not theory.closes(Obligation(sp.Ne(a[k + 1], 0), within_range))
    assert not theory.closes(Obligation(sp.Ne(b[k], 0), within_range))


@pytest.mark.parametrize(
    ("f", "start", "order", "both"),
    [
        (1 / (x - 100) ** 2 - 1, 0, 1, False),  # a pole on the way
        (-1 / (x - 100) - sp.Rational(1, 100), 0, 1, False),
        (sp.Abs(x), -1, 1, False),  # a kink
        (sp.floor(x), 0, 1, False),  # jumps
        (sp.KroneckerDelta(x, 0), 1, 1, False),
        (sp.Piecewise((0, x < 5), (-1, True)), 0, 1, False),
        (-sp.Piecewise((0, sp.Eq(x, 5)), (0, True), evaluate=False) - x, 0, 1, False),
        (x, 0, 1, True),  # an odd order for both sides
        (x**2 - 2 * x, 0, 2, True),  # a slope at the start that is not 0
        (x**3 - 1, 0, 3, False),
        (x - 1, 0, 1, False),
        (sp.log(x), 1, 1, False),  # undefined for some x of its kind? beyond 1 it is fine
    ],
)
def test_monotone_refuses_kinks_poles_and_wrong_starts(f, start, order, both):
    if f == sp.log(x):
        assert inequality.monotone(Theory(), f, x, start, order).rhs == f
        return
    with pytest.raises(Refused):
        inequality.monotone(Theory(), f, x, start, order, both)


def test_monotone_runs_only_along_a_name_of_its_own():
    theory = Theory([Definition(y, x**2)], bounds={"u": Bound(0, 1)})
    for name in (x, u, k, sp.Symbol("e", even=True)):
        with pytest.raises(Refused):
            inequality.monotone(theory, name**2, name, 0, 1)
    with pytest.raises(Refused, match="speaks of"):
        inequality.monotone(theory, v**2, v, 0, 1, given=frozenset({sp.Le(v, 3)}))
    g = sp.Symbol("g", nonnegative=True)
    with pytest.raises(Refused, match="not where"):  # nothing is known of its slope below 0
        inequality.monotone(Theory(), g + 6, g, -5, 1)


def test_an_equation_is_squeezed_from_both_sides_alone():
    theory, low = Theory(), sp.Symbol("g", nonnegative=True)
    given = frozenset({sp.Le(low, 0)})
    least = inequality.combine(theory, 0, "<=", low)
    most = inequality.combine(theory, low, "<=", 0, given=given)
    shown = inequality.both_ways(theory, most, least)
    assert (shown.lhs, shown.rel, shown.rhs, shown.given) == (low, "=", 0, given)
    one = inequality.combine(theory, -1, "<=", low)
    strict = inequality.combine(theory, -1, "<", low)
    above = inequality.combine(theory, low, "<=", -1, given=frozenset({sp.Le(low, -1)}))
    for below, over in ((least, least), (most, one), (most, most), (strict, above)):
        with pytest.raises(Refused):
            inequality.both_ways(theory, below, over)
    with pytest.raises(Refused):
        inequality.both_ways(theory, most, inequality.combine(Theory([Definition(y, x**2)]), 0, "<=", low))


def test_what_is_squeezed_leans_on_all_that_both_sides_lean_on():
    theory = Theory()
    below = inequality.combine(theory, sp.log(x), "<=", sp.log(x))
    above = inequality.combine(theory, sp.log(x), "<=", sp.log(x), given=frozenset({sp.Gt(x, 0)}))
    shown = inequality.both_ways(theory, below, above)
    assert [o.claim for o in shown.left] == [sp.Gt(x, 0)]
    assert shown.given == {sp.Gt(x, 0)}
    supposed = goals.hypotheses(
        theory, [Goal(a[t], rel, b[t], within((t, 0, n)), frozenset({t})) for rel in ("<=", "=")], t
    )
    shown = inequality.both_ways(theory, supposed[0], equality.symmetric(theory, supposed[1]))
    assert shown.hyps == supposed[0].hyps | supposed[1].hyps
    assert shown.given == supposed[0].given


def test_a_sum_needs_an_index_of_its_own_and_the_sign_of_its_weight():
    theory = Theory(bounds={"n": Bound(2)})
    square = inequality.combine(theory, 0, "<=", a[k] ** 2)
    assert inequality.total(theory, square, 1, (k, 0, n - 1)).rel == "<="
    with pytest.raises(Refused, match="weight"):
        inequality.total(theory, square, b[k], (k, 0, n - 1))
    large = inequality.combine(theory, 1, "<=", n - 1)
    with pytest.raises(Refused, match="of the claim"):
        inequality.total(theory, large, 1, (n, 1, 3))
    ranged = inequality.combine(theory, 0, "<=", k, given=frozenset({sp.Ge(k, 0)}))
    with pytest.raises(Refused, match="supposed"):
        inequality.total(theory, ranged, 1, (k, -3, 3))


def test_strict_sums_need_a_strict_theorem_a_positive_weight_and_a_range_that_is_not_empty():
    theory, q = Theory(), sp.IndexedBase("q", positive=True)
    m = sp.Symbol("m", integer=True, nonnegative=True)
    strict = inequality.combine(theory, 0, "<", q[k])
    assert inequality.total(theory, strict, 1, (k, 0, n - 1)).rel == "<"
    assert inequality.total(theory, strict, 1, (k, 0, m - 1)).rel == "<="
    assert inequality.total(theory, strict, a[k] ** 2, (k, 0, n - 1)).rel == "<="


def test_combine_refuses_what_does_not_follow():
    theory = Theory()
    square = inequality.combine(theory, 0, "<=", (x - y) ** 2)
    assert inequality.combine(theory, 2 * x * y, "<=", x**2 + y**2, [(1, square)])
    for lhs, rel, rhs, parts in [
        (2 * x * y, "<", x**2 + y**2, [(1, square)]),
        (3 * x * y, "<=", x**2 + y**2, [(1, square)]),
        (x**2 + y**2, "<=", 2 * x * y, [(-1, square)]),
        (0, "<=", x, [(x, square)]),
        (x, "<=", y, []),
        (1, "<", 1, []),
        (x, "=", 2 * x, []),
        (2 * x * y, "=", x**2 + y**2, [(1, square)]),
    ]:
        with pytest.raises(Refused):
            inequality.combine(theory, lhs, rel, rhs, parts)


def test_a_root_needs_a_bound_that_is_not_negative():
    theory = Theory()
    square = inequality.combine(theory, x**2, "<=", x**2 + y**2)
    assert inequality.root(theory, square, x, sp.sqrt(x**2 + y**2)).lhs == sp.Abs(x)
    with pytest.raises(Refused, match="not known to be nonnegative"):
        inequality.root(theory, square, x, -sp.sqrt(x**2 + y**2))


def test_a_theorem_that_is_made_of_two_opposite_suppositions_supposes_both():
    theory = Theory()
    below = inequality.combine(theory, 0, "<", 1 - x, given=frozenset({sp.Lt(x, 1)}))
    above = inequality.combine(theory, 0, "<", x - 1, given=frozenset({sp.Gt(x, 1)}))
    both = inequality.combine(theory, 0, "<", 0, [(1, below), (1, above)])
    assert {o.claim for o in both.left} == {sp.Lt(x, 1), sp.Gt(x, 1)}
    with pytest.raises(Refused, match="supposed, and not given"):
        goals.meets(theory, inequality.product(theory, below, above), Goal(0, "<", (1 - x) * (x - 1)))


def test_a_sum_with_one_positive_term_is_positive_if_that_term_is_in_it():
    q = sp.Symbol("q", nonnegative=True)
    powers = sp.Sum(q**k, (k, 0, N - 1))
    assert holds(Theory(), powers, strict=True)
    assert not holds(Theory(), sp.Sum(q**k, (k, 1, N)), strict=True)
    assert not holds(Theory(), sp.Sum(q**k, (k, 0, i - 1)), strict=True)
    assert not holds(Theory(), sp.Sum(q**k - k * x**2, (k, 0, N - 1)), strict=True)


def test_what_is_left_is_settled_by_what_a_theorem_says_there_and_nowhere_else():
    def theory():
        later = sp.Piecewise((1, sp.Eq(t, 0)), (v[t - 1] + a[t] ** 2, True))
        return Theory(
            [Definition(v[t], later, ((t, 0, n),)), Definition(u[t], sp.sqrt(v[t] - 1), ((t, 0, n),))],
            shapes={"a": (n + 1,)},
        )

    v, u = sp.IndexedBase("v", real=True), sp.IndexedBase("u", real=True)

    def rooted(desk, since=0):
        return desk.induction("no less than 1", (1, v[t]), on=t, start=since, rel="<=", base=begun, step=later)

    def begun(desk):
        desk.right.unfold(v)

    def later(desk, known):
        desk.right.unfold(v)
        desk.combine((1, known))

    for settled in (True, False):
        desk = Bench(theory(), Goal(u[n], "=", sp.sqrt(v[n] - 1)), {t: (0, n)})
        if settled:
            desk.settle(rooted(desk))
        desk.left.unfold(u)
        assert bool(desk.done().left) is not settled
    desk = Bench(theory(), Goal(u[n], "=", sp.sqrt(v[n] - 1)), {t: (0, n)})
    desk.settle(desk.have("of another", 0, "<=", a[t] ** 2), desk.have("where it is known", 1, "<=", v[0], begun))
    desk.left.unfold(u)
    assert desk.done().left


def test_the_logarithm_of_a_size_is_split_and_that_of_a_number_is_not_taken_for_it():
    a, b, r = sp.Symbol("a", real=True), sp.Symbol("b", real=True), sp.IndexedBase("r", real=True)
    n, k = sp.Symbol("n", integer=True, positive=True), sp.Symbol("k", integer=True)
    whole = sp.log(sp.Abs(sp.Product(r[k], (k, 0, n - 1))))
    assert zero(sp.log(sp.Abs(a * b)) - sp.log(sp.Abs(a)) - sp.log(sp.Abs(b)), method="logarithms")
    assert zero(whole - sp.Sum(sp.log(sp.Abs(r[k])), (k, 0, n - 1)), method="logarithms")
    assert not zero(sp.log(sp.Abs(a * b)) - sp.log(a) - sp.log(b), method="logarithms")


def test_what_has_a_size_is_not_0_and_a_product_of_such_is_not():
    n, k = sp.Symbol("n", integer=True, positive=True), sp.Symbol("k", integer=True)
    r = sp.IndexedBase("r", real=True)
    said = [("not 0", sp.Abs(r[k]) > 0, ((k, 0, n - 1),))]
    for conditions, seen in ((said, True), ([], False)):
        signs = Theory(shapes={"r": (n,)}, conditions=conditions).signs
        assert signs.nonzero(sp.Product(r[k], (k, 0, n - 1)), frozenset()) is seen
    assert not Theory(shapes={"r": (n,)}, conditions=said).signs.nonzero(sp.Product(r[k], (k, 0, n)), frozenset())


def test_j_is_put_for_i_where_they_are_equal_and_nowhere_else():
    theory = Theory(shapes={"x": (n,), "A": (n, n)})
    i, j, k = sp.symbols("i j k", integer=True)
    x, A = sp.IndexedBase("x", real=True), sp.IndexedBase("A", real=True)
    given = within((i, 0, n - 1)) | within((j, 0, n - 1))
    same = equality.supposed(theory, sp.Eq(i, j))
    e = x[i] * A[i, j] + sp.Sum(A[i, k] + sp.Sum(A[i, k], (i, 0, k)), (k, 0, n - 1))
    inner = sp.Sum(A[j, k] + sp.Sum(A[i, k], (i, 0, k)), (k, 0, n - 1))
    theorem = equality.rewrite(theory, same, e, given | {sp.Eq(i, j)})
    assert alike(theorem.rhs, x[j] * A[j, j] + inner)
    assert theorem.given >= {sp.Eq(i, j)}
    for elsewhere in (given, given | {sp.Eq(i, k)}, given | {sp.Ne(i, j)}, given | {sp.Le(i, j)}):
        with pytest.raises(Refused, match="does not occur where it applies"):
            equality.rewrite(theory, same, e, elsewhere)
    branch = sp.Piecewise((x[i], sp.Eq(i, j)), (A[i, j], True))
    assert equality.rewrite(theory, same, branch, given).rhs == sp.Piecewise((x[j], sp.Eq(i, j)), (A[i, j], True))
    with pytest.raises(Refused, match="supposed, and not given"):
        goals.meets(theory, same, Goal(i, "=", j, given))
    desk = Bench(theory, Goal(x[i], "=", x[j], given, frozenset({i, j})), {i: (0, n - 1), j: (0, n - 1)})
    with pytest.raises(Refused):
        desk.left.rewrite(desk.supposed(sp.Eq(i, j)))
    for fact in (sp.Ne(i, j), sp.true, sp.And(sp.Eq(i, j), sp.Eq(j, k))):
        with pytest.raises(Refused, match="no equation"):
            equality.supposed(theory, fact)
    assert equality.supposed(
        theory, sp.Eq(1 / x[i], 2)
    ).left  # that x[i] is not 0, and i in its range, is not supposed with it


def test_a_laws_array_that_the_program_defines_otherwise_is_said_to_be_no_more_than_real():
    n, i = sp.Symbol("n", integer=True, positive=True), sp.Symbol("i", integer=True)
    d, x = sp.IndexedBase("d", real=True), sp.IndexedBase("x", real=True)
    ours, theirs = (Definition(d[i], factor * x[i], ((i, 0, n - 1),)) for factor in (1, 2))
    assert "d′" in Theory([ours], [theirs], shapes={"x": (n,)}).definitions
