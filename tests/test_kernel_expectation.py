"""Expectations over declared noise: what is worked out for every size, and what is refused."""

import itertools

import pytest
import sympy as sp

from gnomon.proof import equality, expectation, goals, inequality
from gnomon.proof.bench import Chain
from gnomon.proof.definitions import Definition
from gnomon.proof.expectation import averaged, moments
from gnomon.proof.goals import Goal
from gnomon.proof.library import lemma
from gnomon.proof.mean import Bernoulli, Categorical, Draws, Exists, Mean, Normal, RandomSigns, Sample, Uniform
from gnomon.proof.normal_form import canon
from gnomon.proof.signs import Bound
from gnomon.proof.terms import alike
from gnomon.proof.theorem import Refused
from gnomon.proof.theory import Theory

n, m, B = sp.symbols("n m B", integer=True, positive=True)
i, j, k = sp.symbols("i j k", integer=True)
x, S, z, g, A = (sp.IndexedBase(name, real=True) for name in ("x", "S", "z", "g", "A"))
I = sp.IndexedBase("I", integer=True)
c, q = sp.symbols("c q", real=True)


def run(e, *indices):
    return sp.Sum(e, *[(v, 0, n - 1) for v in indices])


def noisy(**more):
    return Theory(shapes={"z": (n,), "x": (n,), "S": (n, n)}, **more)


def drawn(*conditions):
    named = [(str(condition), condition, ()) for condition in conditions]
    return Theory(shapes={"g": (n,), "I": (B,)}, bounds={"I": Bound(0, n - 1)}, conditions=named)


def shown(theory, e, value):
    """The theorem that an expression has a value, with nothing left to show."""
    chain = Chain(theory, e).expect()
    theorem = (chain if alike(chain.now, sp.sympify(value)) else chain.to(value)).theorem
    if theorem.left:
        raise Refused(", ".join(map(str, theorem.left)))
    return theorem


FORM, TRACE, SQUARES, DIAGONAL = (
    run(z[i] * S[i, j] * z[j], i, j),
    run(S[i, i], i),
    run(S[i, j] ** 2, i, j),
    run(S[i, i] ** 2, i),
)


@pytest.mark.parametrize("law", [Normal(), RandomSigns(), Uniform(-sp.sqrt(3), sp.sqrt(3))])
def test_hutchinsons_estimator_is_unbiased(law):
    assert shown(noisy(), Mean(FORM, z, law), TRACE)


@pytest.mark.parametrize(
    ("law", "less", "symmetric", "true"),
    [
        (RandomSigns(), 2, True, True),
        (Normal(), 0, True, True),
        (RandomSigns(), 0, True, False),
        (Normal(), 2, True, False),
        (RandomSigns(), 2, False, False),
        (Uniform(0, 1), 2, True, False),
    ],
)
def test_the_variance_of_hutchinsons_estimator(law, less, symmetric, true):
    theory = noisy(symmetric=[S] if symmetric else [])
    e, value = Mean((FORM - TRACE) ** 2, z, law), 2 * SQUARES - less * DIAGONAL
    if true:
        assert shown(theory, e, value)
    else:
        with pytest.raises(Refused):
            shown(theory, e, value)


BATCH, AVERAGE = sp.Sum(g[I[k]], (k, 0, B - 1)) / B, run(g[i], i) / n
SPREAD = run((g[i] - run(g[j], j) / n) ** 2, i) / n / B
FITS, MANY = sp.Le(B, n), sp.Gt(n, 1)


@pytest.mark.parametrize("law", [Sample(n, B), Draws(n, B)])
def test_a_mini_batch_is_unbiased(law):
    assert shown(drawn(FITS), Mean(BATCH, I, law), AVERAGE)
    with pytest.raises(Refused):
        shown(drawn(FITS), Mean(BATCH, I, law), 2 * AVERAGE)
    with pytest.raises(Refused):
        shown(drawn(FITS), Mean(BATCH, I, law), AVERAGE * B)


@pytest.mark.parametrize(
    ("law", "conditions", "factor", "true"),
    [
        (Sample(n, B), (FITS, MANY), (n - B) / (n - 1), True),
        (Draws(n, B), (), 1, True),
        (Sample(n, B), (FITS, MANY), 1, False),
        (Sample(n, B), (FITS, MANY), 1 - B / n, False),
        (Sample(n, B), (FITS,), (n - B) / (n - 1), False),  # n = 1
        (Sample(n, B), (MANY,), (n - B) / (n - 1), False),  # more draws than there are
        (Draws(n, B), (MANY,), (n - B) / (n - 1), False),
    ],
)
def test_the_variance_of_a_mini_batch(law, conditions, factor, true):
    e, value = Mean((BATCH - AVERAGE) ** 2, I, law), SPREAD * factor
    if true:
        assert shown(drawn(*conditions), e, value)
    else:
        with pytest.raises(Refused):
            shown(drawn(*conditions), e, value)


@pytest.mark.parametrize(
    "law",
    [Normal(), RandomSigns(), Uniform(-1, c), Bernoulli(q), Draws(n, B), Sample(n, B), Categorical(n, B, x)],
    ids=lambda law: type(law).__name__,
)
def test_a_law_is_rebuilt_from_its_parts(law):
    assert law.func(*law.args) == law
    mean = Mean(g[I[0]] * c, I, law)
    assert mean.func(*mean.args) == mean
    assert canon(sp.Sum(mean, (i, 0, n - 1))) == n * canon(mean)
    assert mean.xreplace({n: m}).law == law.xreplace({n: m})
    assert str(mean) == "E[c*g[I[0]]; I]"


def test_draws_of_given_chances():
    p = sp.IndexedBase("p", nonnegative=True)
    conditions = [("law", sp.Eq(run(p[i], i), 1), ())]
    theory = Theory(shapes={"g": (n,), "I": (B,), "p": (n,)}, bounds={"I": Bound(0, n - 1)}, conditions=conditions)
    assert shown(theory, Mean(g[I[0]] ** 2, I, Categorical(n, B, p)), run(p[i] * g[i] ** 2, i))
    loose = Theory(shapes={"g": (n,), "I": (B,), "p": (n,)}, bounds={"I": Bound(0, n - 1)})
    with pytest.raises(Refused):  # chances that need not sum to 1
        shown(loose, Mean(g[I[0]], I, Categorical(n, B, p)), run(p[i] * g[i], i))


@pytest.mark.parametrize(
    ("law", "power", "value"),
    [
        (Normal(), 4, 3), (Normal(), 6, 15), (Normal(), 3, 0), (RandomSigns(), 6, 1), (RandomSigns(), 5, 0),
        (Uniform(0, 1), 3, sp.Rational(1, 4)), (Uniform(-1, 1), 4, sp.Rational(1, 5)), (Bernoulli(q), 3, q),
    ],
)  # fmt: skip
def test_moments_of_one_entry(law, power, value):
    theory = Theory(shapes={"z": (n,)}, bounds={"q": Bound(0, 1)})
    theorem = moments(theory, Mean(z[0] ** power, z, law))
    assert sp.expand(theorem.rhs - value) == 0
    assert not theorem.left


def test_moments_agree_with_all_outcomes_counted():
    """Random signs in three places, each polynomial summed over its eight outcomes."""
    entries = [z[0], z[1], z[2]]
    for powers in itertools.product(range(3), repeat=3):
        e = sp.Mul(*[(entry + v) ** power for entry, v, power in zip(entries, (1, 2, -3), powers, strict=True)])
        outcomes = [
            e.xreplace(dict(zip(entries, signs, strict=True))) for signs in itertools.product((1, -1), repeat=3)
        ]
        value = sum(outcomes) / sp.Integer(8)
        assert moments(Theory(shapes={"z": (3,)}), Mean(e, z, RandomSigns())).rhs == value


@pytest.mark.parametrize(("size", "count"), [(2, 2), (3, 2), (3, 3)])
@pytest.mark.parametrize("law", [Sample, Draws])
def test_draws_agree_with_all_outcomes_counted(law, size, count):
    read = [3, -2, 7]
    e = g[I[0]] * g[I[1]] ** 2 + g[I[count - 1]]
    theory = Theory(shapes={"g": (size,), "I": (count,)}, bounds={"I": Bound(0, size - 1)})
    found = moments(theory, Mean(e, I, law(size, count))).rhs.doit()
    found = found.xreplace({g[v]: sp.Integer(read[v]) for v in range(size)})
    every = (
        itertools.permutations(range(size), count) if law is Sample else itertools.product(range(size), repeat=count)
    )
    values = [
        e.xreplace({I[a]: sp.Integer(v) for a, v in enumerate(drawn)}).xreplace(
            {g[v]: sp.Integer(read[v]) for v in range(size)}
        )
        for drawn in every
    ]
    assert found == sum(values) / sp.Integer(len(values))


def test_the_second_moment_through_relu():
    """He's gain of 2 keeps the mean square; another gain does not, nor does one with a bias."""
    theory = noisy()

    def he(gain, bias=0):
        pre = run(sp.sqrt(sp.Integer(gain) / n) * z[i] * x[i], i) + bias
        chain = Chain(theory, Mean(sp.Max(0, pre) ** 2, z, Normal())).mirrored()
        half = inequality.combine(
            theory, chain.now.e, "=", pre**2 / 2, [(sp.Rational(1, 2), lemma(theory, "halves", x=pre))]
        )
        chain.by(averaged(theory, half, z, Normal())).expect().to(run(x[i] ** 2, i) / n)
        if chain.theorem.left:
            raise Refused("left")

    he(2)
    for wrong in ((1,), (3,), (2, c)):
        with pytest.raises(Refused):
            he(*wrong)


def test_dropout_keeps_the_mean():
    theory = noisy(bounds={"q": Bound(0, 1, True, False)})
    assert shown(theory, Mean(run(z[i] * x[i] / q, i), z, Bernoulli(q)), run(x[i], i))
    with pytest.raises(Refused):
        shown(theory, Mean(run(z[i] * x[i], i), z, Bernoulli(q)), run(x[i], i))


def test_what_is_linear_is_taken_out():
    theory = noisy()
    chain = Chain(theory, Mean(run(x[i] * sp.tanh(z[i]), i) + c, z, Normal())).linear()
    assert alike(chain.theorem.rhs, c + run(x[i] * Mean(sp.tanh(z[i]), z, Normal()), i))
    assert not chain.theorem.left


def test_expectations_keep_order():
    theory = noisy()
    squares = inequality.combine(theory, 2 * z[0], "<=", 1 + z[0] ** 2)
    theorem = averaged(theory, squares, z, Normal())
    assert theorem.rel == "<="
    assert not theorem.left
    assert inequality.holds(theory, Mean(z[0] ** 2, z, Normal()), frozenset(), False)
    assert not inequality.holds(theory, Mean(z[0], z, Normal()), frozenset({sp.Ge(z[0], 0)}), False)


def test_there_is_a_mean_of_what_equals_something_with_a_mean_and_of_nothing_else():
    theory, wild, double = noisy(), sp.exp(z[0] ** 2), sp.log(2 * sp.exp(z[0]))
    assert isinstance(double, sp.log)
    assert Mean(double, z, Normal()).asks()
    assert not averaged(theory, equality.normal(theory, double, sp.log(2) + z[0]), z, Normal()).left
    same = averaged(theory, equality.reflexive(theory, wild), z, Normal())
    turned = averaged(theory, equality.normal(theory, sp.log(2) + z[0], double), z, Normal())
    above = averaged(theory, inequality.combine(theory, 0, "<=", wild), z, Normal())
    below = averaged(theory, inequality.combine(theory, -wild, "<=", 0), z, Normal())
    assert all(isinstance(one.left[0].claim, Exists) for one in (same, turned, above, below))


@pytest.mark.parametrize(
    "e",
    [sp.exp(z[0]), sp.Max(0, z[0]), 1 / z[0], z[0] ** i, sp.sqrt(z[0] ** 2 + 1), sp.Abs(z[0]), x[0] ** z[0], z[0] ** 9],
)
def test_no_polynomial_no_moment(e):
    with pytest.raises(Refused):
        moments(noisy(), Mean(e, z, Normal()))


def test_what_has_no_mean_is_not_said_to_have_one():
    theory = noisy()
    for e in (1 / (1 + z[0] ** 2), sp.exp(z[0] ** 2), sp.log(z[0] ** 2)):
        assert theory.open(theory.wellformed(Mean(e, z, Normal()), frozenset()))
    for e in (z[0] ** 4, sp.tanh(z[0]) * z[0], sp.Max(z[0], 0)):
        assert not theory.open(theory.wellformed(Mean(e, z, Normal()), frozenset()))


def test_a_definition_that_hides_the_noise_must_be_unfolded():
    y = sp.Symbol("y", real=True)
    theory = Theory([Definition(y, z[0] + 1)], shapes={"z": (n,)})
    for rule in (expectation.linear, moments, expectation.mirrored):
        with pytest.raises(Refused, match="unfold it first"):
            rule(theory, Mean(y, z, Normal()))
    assert Chain(theory, Mean(y, z, Normal())).unfold(y).expect().now == 1


def test_what_is_known_of_an_outcome_is_not_known_of_all():
    theory, positive = noisy(), frozenset({sp.Ge(z[0], 0)})
    chain = Chain(theory, Mean(sp.Max(0, z[0]), z, Normal()), positive)
    with pytest.raises(Refused):
        chain.decide()
    upon = inequality.combine(theory, z[0], "<=", 2 * z[0], given=positive)
    with pytest.raises(Refused, match="does not hold for every outcome"):
        averaged(theory, upon, z, Normal())


@pytest.mark.parametrize(
    "theory",
    [
        Theory(shapes={"z": (n,)}, bounds={"z": Bound(0)}),  # a domain narrower than the law
        Theory(shapes={"z": (n, n)}, symmetric=[z]),  # entries that hang together
        Theory(shapes={"z": (n,)}, conditions=[("c", sp.Ge(z[0], 0), ())]),
        Theory(shapes={"z": (n,)}, conditions=[("c", sp.Ge(z[i], 0), ((i, 0, n - 1),))]),
    ],
)
def test_a_claim_that_knows_more_of_the_noise_than_its_law_leaves_that_open(theory):
    entry = z[0, 0] if len(theory.shapes["z"]) == 2 else z[0]
    assert moments(theory, Mean(entry**2, z, Normal())).left


def test_noise_of_a_sign_of_its_own_is_no_normal_noise():
    w = sp.IndexedBase("w", nonnegative=True)
    assert moments(Theory(shapes={"w": (n,)}), Mean(w[0] ** 2, w, Normal())).left


@pytest.mark.parametrize("law", [Uniform(1, 0), Uniform(c, 2), Bernoulli(2), Bernoulli(q), Sample(n, n + 1)])
def test_a_law_that_is_none_leaves_that_open(law):
    theory = Theory(shapes={"z": (n,)})
    e = Mean(z[0], z, law) if not isinstance(law, Sample) else Mean(c, I, law)
    assert theory.open(theory.wellformed(e, frozenset()))


def test_a_draw_beyond_the_last_is_left_open():
    theory = Theory(shapes={"g": (n,)}, bounds={"I": Bound(0, n - 1)})
    assert moments(theory, Mean(g[I[B]], I, Draws(n, B))).left
    assert not moments(theory, Mean(g[I[B - 1]], I, Draws(n, B))).left


def test_noise_is_not_put_into_an_expectation_over_it():
    theory = noisy()
    u = sp.Symbol("u", real=True)
    shown = moments(theory, Mean(u * z[0], z, Normal()))
    general = goals.general(theory, shown, Goal(shown.lhs, "=", shown.rhs, frozenset(), frozenset({u})))
    assert inequality.at(theory, general, {u: c}).lhs == Mean(c * z[0], z, Normal())
    with pytest.raises((Refused, ValueError)):
        inequality.at(theory, general, {u: z[0]})


def test_an_even_law_is_needed_to_turn_signs():
    theory = noisy()
    for law in (Uniform(0, 1), Bernoulli(sp.Rational(1, 2))):
        with pytest.raises(Refused, match="even"):
            expectation.mirrored(theory, Mean(sp.Max(0, z[0]), z, law))


def test_independent_noise_twice():
    w = sp.IndexedBase("w", real=True)
    theory = Theory(shapes={"z": (n,), "w": (n,)})
    both = Mean(Mean((z[0] + w[0]) ** 2 * w[0] ** 2, z, Normal()), w, RandomSigns())
    theorem = Chain(theory, both).expect().theorem
    assert (theorem.rhs, theorem.left) == (2, ())
