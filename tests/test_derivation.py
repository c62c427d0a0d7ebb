"""Every rule accepts what is right, refuses what is wrong by both certificates, and says what it took for granted."""

from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from sympy import (
    Abs,
    And,
    Eq,
    FiniteSet,
    Function,
    Integral,
    KroneckerDelta,
    Lambda,
    Matrix,
    Max,
    Piecewise,
    Product,
    Rational,
    Sum,
    binomial,
    cos,
    exp,
    log,
    oo,
    pi,
    sin,
    sqrt,
    tanh,
)

from gnomon.proof.derivation import RULES, Derivation, Step, check_step, cite, define, opaque, prove

x, y, z, u = sp.symbols("x y z u", real=True)
a, b, c, v = sp.symbols("a b c v", positive=True)
t, n, m, R, K = sp.symbols("t n m R K", integer=True, positive=True)
i, j, k, l, p, q = sp.symbols("i j k l p q", integer=True)
A, B, g, h, w = (sp.IndexedBase(name, real=True) for name in ("A", "B", "g", "h", "w"))
r = sp.IndexedBase("r", positive=True)
sigma, dsigma, ddsigma = opaque("sigma")
s, f, V = Function("s"), Function("f"), Function("V", positive=True)
mean = Sum(g[j], (j, 1, m)) / m
total = Sum(r[i], (i, 0, n - 1))
softmax = exp(g[i]) / Sum(exp(g[j]), (j, 0, n - 1))
moving = (1 - b) * Sum(b ** (t - k) * g[k], (k, 1, t))
convolution = Sum(g[i] * Sum(w[k] * h[i + k], (k, 0, K - 1)), (i, 0, n - 1))
outside = Piecewise((w[p - i], And(p - i >= 0, p - i <= K - 1)), (0, True))
logistic = Lambda(x, 1 / (1 + exp(-x)))


def attention(key: Any) -> Any:
    weight = exp(g[key])
    return Sum(weight * h[key], (j, 0, n - 1)) / Sum(weight, (j, 0, n - 1))


def pairs(body: Any) -> Any:
    return Sum(body, (i, 0, n - 1), (j, 0, n - 1))


RIGHT = {
    "rewrite: a variance": Step(
        "rewrite",
        Sum((g[k] - mean) ** 2, (k, 1, m)) / m,
        Sum(g[k] ** 2, (k, 1, m)) / m - mean**2,
        wrong=(Sum(g[k] ** 2, (k, 1, m)) / m + mean**2,),
    ),
    "rewrite: logarithms": Step(
        "rewrite", a * log(a / (a + b)) + log(c / 6), a * log(2 * a / (a + b)) - log(2) * (a + 1) + log(c / 3)
    ),
    "rewrite: fractions with roots": Step("rewrite", sqrt(c) * a / (sqrt(b) + v * sqrt(c)), a / (sqrt(b / c) + v)),
    "rewrite: a root below 1": Step("rewrite", sqrt(1 - b) * sqrt(a - a * b), sqrt(a) * (1 - b), assume=(b < 1,)),
    "rewrite: signs": Step("rewrite", Max(x, 0) - Max(-x, 0) + Abs(x) ** 2, x + x**2),
    "rewrite: circular functions": Step("rewrite", sin(x) ** 2, (1 - cos(2 * x)) / 2),
    "rewrite: a derivative of an unknown function": Step(
        "rewrite", ((x + 1) * f(x) ** 2).diff(x) * (x - 1), f(x) * (f(x) * (x - 1) + 2 * (x**2 - 1) * f(x).diff(x))
    ),
    "rewrite: a matrix": Step("rewrite", Matrix([[(x + y) ** 2, 0]]), Matrix([[x**2 + 2 * x * y + y**2, 0]])),
    "collapse": Step("collapse", Sum(KroneckerDelta(i, p) * g[i], (i, 0, n - 1)), g[p]),
    "collapse: zero-extended": Step("collapse", Sum(KroneckerDelta(i + k, p) * w[k], (k, 0, K - 1)), outside),
    "differentiate: softmax": Step(
        "differentiate", softmax, softmax * (KroneckerDelta(i, p) - softmax.subs(i, p)), by=(g[p],)
    ),
    "differentiate: convolution by weights": Step(
        "differentiate", convolution, Sum(g[i] * h[i + p], (i, 0, n - 1)), by=(w[p],)
    ),
    "differentiate: convolution by input": Step(
        "differentiate", convolution, Sum(g[i] * outside, (i, 0, n - 1)), by=(h[p],)
    ),
    "differentiate: twice": Step("differentiate", log(1 + exp(x)), exp(x) / (1 + exp(x)) ** 2, by=(x, x)),
    "differentiate: mixed": Step("differentiate", x**3 * sigma(y * x),
        x**3 * (4 * dsigma(x * y) + x * y * ddsigma(x * y)), by=(x, y)),
    "reindex: symmetric": Step("reindex", pairs(A[i, j] * g[i] * (g[i] - g[j])), pairs(A[i,
        j] * (g[i] - g[j]) ** 2 / 2), by=(A,)),
    "reindex: permutation": Step("reindex", attention(s(j)), attention(j), by=(s,)),
    "reindex: reversal": Step("reindex", Sum(b ** (t - i) * g[i], (i, 1, t)), Sum(b**i * g[t - i], (i, 0, t - 1)),
        by=((i, t - i),)),
    "substitute: a symbol": Step("substitute", x**2 + x * y, b + sqrt(b) * y, by=((x, sqrt(b)),)),
    "substitute: at once": Step("substitute", x - 2 * y, y - 2 * x, by=((x, y), (y, x))),
    "substitute: entries": Step("substitute", Sum(g[i] ** 2, (i, 0, n - 1)), Sum((a * h[i] + 1) ** 2, (i, 0, n - 1)),
        by=((g[i], a * h[i] + 1),)),
    "substitute: a function": Step("substitute", sigma(x) + dsigma(y), tanh(x) + 1 - tanh(y) ** 2,
        by=((sigma(u), tanh(u)),)),
    "substitute: a derivative": Step("substitute", V(x).diff(x) + a * V(x), (a - 2) * exp(-2 * x),
        by=((V(x), exp(-2 * x)),)),
    "substitute: what is known": Step("substitute", total * x + total**2, x + 1, by=((total, 1),)),
    "substitute: an abbreviation": Step("substitute", exp(-x) / (1 + exp(-x)), z / (1 + z), by=((exp(-x), z),)),
    "sum": Step("sum", (1 - b) * Sum(b ** (t - i), (i, 1, t)), 1 - b**t),
    "sum: powers": Step("sum", Sum(i**2, (i, 1, n)), n * (n + 1) * (2 * n + 1) / 6),
    "sum: telescoping": Step("sum", Sum(1 / (k * (k + 1)), (k, 1, n)), n / (n + 1)),
    "sum: by SymPy": Step("sum", Sum(binomial(R, k), (k, 0, R)), 2**R),
    "integrate": Step("integrate", Integral(a * exp(-a * x), (x, 0, b)), 1 - exp(-a * b)),
    "integrate: antiderivative": Step("integrate", Integral(exp(a * x), (x, 0, y)), (exp(a * y) - 1) / a,
        by=(exp(a * x) / a,)),
    "integrate: infinite": Step("integrate", Integral(exp(-(x**2) / 2), (x, -oo, oo)), sqrt(2 * pi)),
    "solve": Step("solve", Eq(a / x - b / (1 - x), 0), a / (a + b), by=(x,)),
    "solve: linear": Step("solve", Eq(sigma(a) * x + y, 2 * x), y / (2 - sigma(a)), by=(x,)),
    "solve: two": Step("solve", Eq(x**2, b), FiniteSet(sqrt(b), -sqrt(b)), by=(x,)),
    "solve: a system": Step("solve", (Eq(x + y, a), Eq(x - y, b)), ((a + b) / 2, (a - b) / 2), by=(x, y)),
    "limit": Step("limit", (1 - exp(-a * x)) / x, a, by=(x, 0)),
    "limit: one-sided": Step("limit", a * log(a), 0, by=(a, 0)),
    "limit: at infinity": Step("limit", (1 + x / t) ** t, exp(x), by=(t, oo)),
    "limit: infinite": Step("limit", log(a), oo, by=(a, oo)),
    "series": Step("series", exp(-a * x) - (1 - a * x), a**2 * x**2 / 2, by=(x, 0, 3)),
    "series: opaque": Step("series", sigma(y + x), sigma(y) + x * dsigma(y), by=(x, 0, 2)),
    "series: removable": Step("series", exp(log(1 - a * v) / v), exp(-a) * (1 - a**2 * v / 2), by=(v, 0, 2)),
    "induction": Step("induction", Eq(h[t], b * h[t - 1] + (1 - b) * g[t]), moving, by=(t, 0, 0)),
    "induction: in every coordinate": Step("induction", Eq(A[t, i], b * A[t - 1, i] + B[t, i]),
        Sum(b ** (t - k) * B[k, i], (k, 1, t)), by=(t, 0, 0)),
    "induction: two steps back": Step("induction", Eq(f(t), (a + b) * f(t - 1) - a * b * f(t - 2)), a**t + b**t,
        by=(t, 0, 2, a + b)),
    "induction: from the end": Step("induction", Eq(h[l], r[l + 1] * h[l + 1]), a * Product(r[k], (k, l + 1, K)),
        by=(l, K, a)),
    "inequality": Step("inequality", x**2 + y**2 >= 2 * x * y, (x - y) ** 2),
    "inequality: sums": Step("inequality", Sum(g[j] ** 2, (j, 1, m)) / m >= mean**2, Sum((g[i] - mean) ** 2, (i, 1,
        m)) / m),
    "inequality: strict": Step("inequality", b > b**2, b * (1 - b), assume=(b < 1,)),
    "refute": Step("refute", Eq((x + y) ** 2, x**2 + y**2), Eq((x + y) ** 2, x**2 + 2 * x * y + y**2),
        by=({x: 1, y: 1},)),
    "refute: with a function": Step("refute", Eq((y - sigma(x)) * dsigma(x), -(y - sigma(x)) * dsigma(x)), False,
        by=({x: 0, y: 1, sigma: logistic},)),
    "refute: sizes and entries": Step("refute", Sum(g[i], (i, 0, n - 1)) <= n * g[0], False,
        by=({n: 2, g[0]: 1, g[1]: 3},)),
    "refute: not a rational value": Step("refute", Eq(sigma(x), exp(x)), Eq(sigma(x), 1 / (1 + exp(-x))),
        by=({x: 1, sigma: logistic},)),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_step_is_accepted(name: str) -> None:
    step = RIGHT[name]
    result = check_step(step)
    assert result.ok, result.message
    assert result.symbolic
    assert result.points > 0
    assert result.rejected == len(RULES[step.rule].wrong(step)) > 0
    assert name.startswith(step.rule)


def test_every_rule_has_a_right_and_a_wrong_example() -> None:
    assert {step.rule for step in RIGHT.values()} == set(RULES)
    assert {step.rule for step, _ in WRONG} == set(RULES)


@pytest.mark.parametrize("name", {step.rule: name for name, step in RIGHT.items()}.values())
@pytest.mark.parametrize("certificate", ["symbolic", "numeric"])
def test_a_certificate_that_accepts_anything_is_found_out(
    name: str, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = RIGHT[name]
    gullible: Any = {"symbolic": lambda *_: ("faith", ""), "numeric": lambda *_: True}[certificate]
    monkeypatch.setitem(RULES, step.rule, replace(RULES[step.rule], **{certificate: gullible}))
    result = check_step(step)
    assert not result.ok
    assert f"the {certificate} check does not refuse the wrong" in result.message


WRONG: list[tuple[Step, str]] = [
    (Step("rewrite", sqrt(x**2), x), "differ at x = -1"),
    (Step("rewrite", sp.sign(x) ** 2, 1), "differ at x = 0"),
    (Step("rewrite", log(-a), log(a)), "compared at 0 points"),
    (Step("rewrite", x + y, z), "not shown symbolically"),
    (Step("rewrite", x + x, 2 * x), "the same already"),
    (Step("rewrite", Eq(x, 1), Eq(2 * x, 2)), "compares expressions"),
    (Step("rewrite", Integral(x, (x, 0, 1)) + x, x + Rational(1, 2)), "cannot enclose Integral"),
    (Step("rewrite", (sp.Symbol("x") + x) * 2, 2 * x + 2 * sp.Symbol("x") + 1), "named x"),
    (Step("collapse", Sum(KroneckerDelta(i + 1, p) * g[i], (i, 0, n - 1)), g[p - 1]), "differ"),
    (Step("collapse", Sum(KroneckerDelta(i, j) * g[i], (i, 0, n - 1), (j, 0, m - 1)), Sum(g[i], (i, 0, n - 1))),
        "differ"),
    (Step("differentiate", sigma(x) ** 2, 2 * sigma(x), by=(x,)), "differ"),
    (Step("differentiate", Max(x, 0), 2 * sp.Heaviside(x), by=(x,)), "differ"),
    (Step("differentiate", x**2, 2 * x), "needs the variable"),
    (Step("reindex", Sum(A[i, j] * g[i], (i, 0, n - 1)), Sum(A[j, i] * g[i], (i, 0, n - 1))), "differ"),
    (Step("reindex", Sum(exp(A[i, j]) * g[s(j)], (j, 0, n - 1)), Sum(exp(A[i, j]) * g[j], (j, 0, n - 1)),
        by=(s,)), "uses j itself"),
    (Step("reindex", Sum(g[i], (i, 0, n - 1)), g[0], by=((i, 2 * i),)), "no shift or reversal"),
    (Step("substitute", x + y, z + y, by=((x, z**2),)), "differ"),
    (Step("substitute", x + y, x + y + 1, by=((z, 1),)), "z does not occur"),
    (Step("sum", Sum((-1) ** k * binomial(R, k) * k, (k, 0, R)), 0), "differ at R = 1"),
    (Step("sum", Sum(b**k, (k, 0, n)), (1 - b**n) / (1 - b)), "differ"),
    (Step("integrate", Integral(exp(-(x**2) / 2), (x, -oo, oo)), sqrt(pi)), "differ"),
    (Step("integrate", Integral(x, (x, 0, y)), y**2 / 2, by=(x**2,)), "is not the integrand"),
    (Step("solve", Eq(x**2, 4), 2, by=(x,)), "not shown symbolically"),
    (Step("solve", x**2, 2, by=(x,)), "needs an equation"),
    (Step("limit", Abs(x) / x, 1, by=(x, 0)), "does not exist"),
    (Step("limit", sin(a) / a, 2, by=(a, 0)), "differ"),
    (Step("series", exp(x), 1 + x, by=(x, 0, 3)), "differ"),
    (Step("series", exp(x), 1 + x + x**2, by=(x, 0, 3)), "differ"),
    (Step("induction", Eq(h[t], b * h[t - 1] + (1 - b) * g[t]), moving / (1 - b), by=(t, 0, 0)), "differ"),
    (Step("induction", Eq(h[t], b * h[t - 1] + (1 - b) * g[t]), moving, by=(t, 0, 1)), "differ"),
    (Step("induction", Eq(f(t), f(t - 1) + f(t - 2)), t, by=(t, 0, 0)), "as many values"),
    (Step("inequality", x**2 + y**2 >= 3 * x * y, x**2 + y**2 - 3 * x * y), "not plainly nonnegative"),
    (Step("inequality", x**2 + y**2 >= 2 * x * y, (x + y) ** 2), "differ"),
    (Step("induction", Eq(f(t), 2 * f(t) - f(t - 1)), 3, by=(t, 0, 3)), "from earlier ones, or from later ones, alone"),
    (Step("inequality", x**2 + y**2 > 2 * x * y, (x - y) ** 2), "not plainly positive"),
    (Step("inequality", x**2 > -y, x**2 + y), "not plainly positive"),
    (Step("refute", Eq((x + y) ** 2, x**2 + y**2), False, by=({x: 0, y: 1},)), "not shown symbolically"),
    (Step("refute", Eq(x, y), Eq(x, y + 1), by=({x: 0, y: 1},)), "does not refuse"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "message"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_step_is_refused_with_a_reason(step: Step, message: str) -> None:
    result = check_step(step)
    assert not result.ok
    assert message in result.message


def test_a_wrong_closed_form_of_sympy_is_caught_by_the_second_certificate() -> None:
    step = Step("sum", Sum((-1) ** k * binomial(R, k) * k, (k, 0, R)), 0)
    result = check_step(step)
    assert result.symbolic, "SymPy's summation no longer errs at R = 1: look for another example"
    assert not result.ok
    assert step.before.subs(R, 1).doit() == -1


def test_a_check_that_cannot_fail_is_refused() -> None:
    result = check_step(Step("rewrite", (x + y) ** 2, x**2 + 2 * x * y + y**2, wrong=((y + x) ** 2,)))
    assert not result.ok
    assert "symbolic and the numeric check does not refuse" in result.message


def test_nothing_compared_is_not_proved() -> None:
    impossible = Step("rewrite", (x + y) ** 2, x**2 + 2 * x * y + y**2, assume=(x > 1, x < 0))
    result = check_step(impossible)
    assert (result.symbolic, result.points, result.ok) == (True, 0, False)


def test_what_contraction_takes_for_granted_is_told_and_kept_to() -> None:
    result = check_step(RIGHT["collapse"])
    assert "taking 0 <= p <= n - 1" in result.message


def test_special_cases_left_out_by_summation_are_told() -> None:
    result = check_step(Step("sum", Sum((1 - b) ** (2 * k), (k, 0, n - 1)), (1 - (1 - b) ** (2 * n)) / (2 * b - b**2)))
    assert result.ok
    assert "left out: Eq((1 - b)**2, 1)" in result.message or "induction" in result.message


def test_assumptions_are_kept_to() -> None:
    needs = Step("rewrite", Abs(x - 1), 1 - x, assume=(x < 1,))
    assert check_step(needs).points > 0
    assert "differ" in check_step(Step("rewrite", Abs(x - 1), 1 - x)).message
    sums = Eq(Sum(g[i], (i, 0, n - 1)), Sum(h[i], (i, 0, n - 1)))
    assert check_step(Step("rewrite", Sum(x * g[i] - h[i], (i, 0, n - 1)), (x - 1) * sums.rhs, assume=(sums,))).ok
    degree = Eq(h[i], Sum(A[i, j], (j, 0, n - 1)))
    assert check_step(Step("rewrite", h[p] * 2 - 2 * A[p, 0], 2 * Sum(A[p, j], (j, 1, n - 1)), assume=(degree,))).ok
    made = Step("substitute", total + Sum(r[i] * x, (i, 0, n - 1)), 1 + x, by=((total, 1),), assume=(Eq(total, 1),))
    assert check_step(made).ok


def test_the_seed_decides_the_points() -> None:
    step = Step("rewrite", sqrt(x**2) + y, x + y)
    assert check_step(step, seed=1).message == check_step(step, seed=1).message


RIGHT_STEP, WRONG_STEP = RIGHT["inequality"], WRONG[0][0]


@pytest.mark.parametrize(
    ("steps", "trust"),
    [
        ((RIGHT_STEP,), "steps checked for every size"),
        ((define(v, x**2), RIGHT_STEP), "steps checked for every size"),
        ((RIGHT_STEP, cite("Banach's theorem")), "steps checked for every size, citing 1 theorem"),
        ((cite("Banach"), RIGHT_STEP, cite("Brouwer")), "steps checked for every size, citing 2 theorems"),
        ((cite("Banach"),), "tested only"),
        ((define(v, x**2),), "tested only"),
        ((), "tested only"),
        ((RIGHT_STEP, WRONG_STEP), "not proved"),
    ],
)
def test_trust_says_what_was_shown(steps: tuple[Step, ...], trust: str) -> None:
    proof = prove(Derivation(steps))
    assert proof.trust == trust
    assert proof.ok is (trust != "not proved")
    assert len(proof.steps) == len(steps)
    assert [result.cited for result in proof.steps] == [step.rule == "cite" for step in steps]


def test_the_scope_is_part_of_the_trust() -> None:
    derivation = Derivation((RIGHT_STEP,), scope="d = 1, 2, 3", lift="coordinate")
    assert prove(derivation).trust == "steps checked for d = 1, 2, 3"


@pytest.mark.parametrize("name", RIGHT)
def test_a_step_is_data_that_another_checker_can_read(name: str) -> None:
    step = RIGHT[name]
    data = step.to_data()
    assert set(data) == {"rule", "why", "before", "after", "by", "wrong", "assume"}
    assert all(isinstance(text, str) for text in data.values())
    if isinstance(step.before, sp.Basic) and not step.before.has(sigma, dsigma, V):
        assert sp.sympify(data["before"]) == step.before
    assert step == Step(
        *(getattr(step, field) for field in ("rule", "before", "after", "why", "by", "wrong", "assume"))
    )


def test_bad_data_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no rule 'guess'; the rules are define, cite, rewrite"):
        Step("guess", x, x)
    with pytest.raises(ValueError, match="needs its name"):
        Step("cite", x, x)
    with pytest.raises(ValueError, match="no lift 'hope'"):
        Derivation((), lift="hope")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scope says"):
        Derivation((), scope="")


def test_plain_numbers_and_single_values_are_taken() -> None:
    step: Any = Step("refute", Eq(x, 1), False, by={x: 2})
    assert step.by == (((x, 2),),)
    assert check_step(step).ok
