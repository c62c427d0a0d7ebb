"""Lowering against an independent reading of the same formulas: the tree walker of gnomon.proof.enclosure."""

import dataclasses

import pytest
import sympy as sp
import torch
import toy
from hypothesis import assume, given
from hypothesis import strategies as st

from gnomon.compute.balls import enclose
from gnomon.compute.lower import Lowering, bind, lowering_for
from gnomon.compute.running_error import bounded
from gnomon.compute.whole_numbers import Bindings, LoweringError
from gnomon.proof.enclosure import enclose as enclose_tree
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Choice, Graph, Size, Sizes, real, symbols_of

x, A, w = (sp.IndexedBase(name, real=True) for name in "xAw")
i, j, k, n = sp.symbols("i j k n", integer=True, nonnegative=True)
h = sp.Symbol("h", real=True)
LEAVES = [x[i], x[j], A[i, j], h, sp.Rational(3, 7), sp.Integer(2), x[i] ** 2, sp.KroneckerDelta(i, j)]


@st.composite
def formulas(draw, depth=3):
    if depth == 0:
        return draw(st.sampled_from(LEAVES))
    parts = [draw(formulas(depth=depth - 1)) for _ in range(2)]
    kind = draw(st.sampled_from(["add", "mul", "exp", "tanh", "abs", "max", "sum", "piecewise", "div"]))
    return {
        "add": lambda: parts[0] + parts[1],
        "mul": lambda: parts[0] * parts[1],
        "exp": lambda: sp.exp(-(parts[0] ** 2)),
        "tanh": lambda: sp.tanh(parts[0]),
        "abs": lambda: sp.Abs(parts[0]),
        "max": lambda: sp.Max(parts[0], parts[1]),
        "sum": lambda: sp.Sum(parts[0], (j, 0, n - 1)) if draw(st.booleans()) else sp.Product(parts[0], (j, 0, n - 1)),
        "piecewise": lambda: sp.Piecewise((parts[0], sp.Eq(i, 0)), (parts[1], True)),
        "div": lambda: parts[0] / (1 + parts[1] ** 2),
    }[kind]()


@given(formulas(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_a_program_means_what_its_formula_means(formula, size, rng):
    out = sp.IndexedBase("out")
    whole = sp.Sum(formula, (j, 0, n - 1)) + formula.subs(j, 0)
    program = Program(((out[i], whole),), (Output("out", out[i], (i, 0, n - 1)),))
    inputs = {domain.name: domain for domain in (real("x", n), real("A", n, n), real("h"))}
    lowering = Lowering(Bindings({"n": size}, {}, {}), inputs, program)
    nodes, shape = lowering.outputs(program.outputs)["out"]
    assert shape == (size,)
    numbers = {("x", (a,)): rng.randint(-3, 3) / 2 for a in range(size)} | {("h", ()): 0.5}
    numbers |= {("A", (a, b)): rng.randint(-3, 3) / 4 for a in range(size) for b in range(size)}
    by_name = {
        base: {index: sp.Rational(value) for (name, index), value in numbers.items() if name == base} for base in "xA"
    }
    for row, ball in enumerate(enclose(lowering.slp, nodes, numbers, 200)):
        expected = enclose_tree(whole, {**by_name, "h": sp.Rational(1, 2)}, sizes={"n": size, "i": row}, bits=200)
        assert ball.overlaps(expected)


def lowered(rhs, structural=(), structure=None, inputs=()):
    y = sp.Symbol("y")
    claim = dataclasses.replace(
        toy.VARIANCE, structure=tuple(structural), inputs=tuple(inputs), variants=toy.VARIANCE.variants,
        program=Program(((y, rhs),), (Output("y", y),)),
    )  # fmt: skip
    lowering = lowering_for(claim, structure or {})
    return lowering, lowering.outputs(claim.program.outputs)["y"][0]


def test_a_choice_binds_functions_arrays_and_numbers():
    f, u = sp.Function("f"), sp.Symbol("u")
    choice = Choice("which", {"double": {f: sp.Lambda(u, 2 * u), w: (sp.Rational(1, 3), 5), sp.Symbol("c"): 7}})
    lowering, nodes = lowered(f(w[0] + f(h)) + sp.Symbol("c"), [choice], {"which": "double"}, [real("h")])
    (value,) = enclose(lowering.slp, nodes, {("h", ()): 0.25})
    assert value.overlaps(enclose_tree(2 * (sp.Rational(1, 3) + sp.Rational(1, 2)) + 7, {}, bits=256))


def test_recursion_over_layers_of_drawn_widths():
    depth, widths = Size("k", 1, 3), Sizes("n", sp.Symbol("k", integer=True, positive=True) + 1)
    (_, m), (v,) = symbols_of((depth, widths)), symbols_of((real("v", 4),))
    s, layer = sp.IndexedBase("s"), sp.Symbol("layer", integer=True)
    y = sp.Symbol("y")
    rule = sp.Piecewise((v[i], sp.Eq(layer, 0)), (sp.Sum(s[layer - 1, j], (j, 0, m[layer - 1] - 1)), True))
    claim = dataclasses.replace(
        toy.VARIANCE, structure=(depth, widths), inputs=(real("v", 4),),
        program=Program(((s[layer, i], rule), (y, s[depth.symbol, 0])), (Output("y", y),)),
    )  # fmt: skip
    lowering = lowering_for(claim, {"k": 2, "n": [3, 2, 1]})
    nodes, _ = lowering.outputs(claim.program.outputs)["y"]
    (value,) = enclose(lowering.slp, nodes, {("v", (a,)): float(a + 1) for a in range(4)})
    assert value == 2 * (1 + 2 + 3)


@pytest.mark.parametrize(
    ("rhs", "message"),
    [
        (sp.Symbol("unknown"), "unknown is neither an input, a definition nor a size"),
        (sp.Symbol("y") + 1, "defined through itself"),
        (sp.gamma(h), "cannot lower gamma"),
        (sp.Sum(x[j], (j, 0, sp.Symbol("m"))), "has no value here"),
        (sp.Piecewise((1, sp.Eq(sp.Integer(1), sp.Symbol("N", integer=True)))), "no branch"),
    ],
)
def test_what_cannot_be_lowered_is_said(rhs, message):
    with pytest.raises(LoweringError, match=message):
        lowered(rhs, [Size("N", 2, 2)], {"N": 2}, [real("h"), real("x", 2)])


def test_a_structure_must_be_complete_and_known():
    with pytest.raises(LoweringError, match="lacks n"):
        bind((Size("n"),), {})
    with pytest.raises(LoweringError, match="none of a"):
        bind((Choice("c", {"a": {}}),), {"c": "b"})
    assert bind((Graph("A", Size("n")),), {"A": [[0]]}).arrays["A"] == [[0]]


def of_one_number(formula):
    program = Program(((h, formula),), (Output("out", h),))
    lowering = Lowering(Bindings({}, {}, {}), {"x": real("x")}, program)
    return lowering, lowering.outputs(program.outputs)["out"][0]


def test_conditions_joined_by_and_or_or_are_lowered():
    t = sp.Symbol("x", real=True)
    inside, outside = sp.And(t > -1, t < 1), sp.Or(t < -2, t > 2)
    formula = sp.Piecewise((t, inside), (2 * t, outside), (sp.Integer(7), True))
    lowering, nodes = of_one_number(formula)
    for value, expected in ((0.5, 0.5), (-3.0, -6.0), (3.0, 6.0), (1.5, 7.0), (-1.5, 7.0)):
        (ball,) = enclose(lowering.slp, nodes, {("x", ()): value}, 100)
        assert float(ball.mid()) == expected


def test_a_rational_coefficient_is_one_number():
    lowering, nodes = of_one_number(sp.Rational(8943, 200000) * sp.Symbol("x", real=True))
    used = [lowering.slp.nodes[number] for number in lowering.slp.reachable(nodes)]
    assert sorted(node.op for node in used) == ["const", "leaf", "mul"], "half precision has no 200000"


def test_a_recursion_without_a_base_is_told():
    c = sp.IndexedBase("c", real=True)
    program = Program(((c[i], c[i - 1] + 1),), (Output("out", c[2]),))
    with pytest.raises(LoweringError, match="no base case"):
        Lowering(Bindings({}, {}, {}), {}, program).outputs(program.outputs)


@st.composite
def nested_sums(draw, depth=2):
    """The same summands under ever other brackets: plus, minus, a sum over j, and a branch that the size decides."""
    if depth == 0:
        return draw(st.sampled_from([x[0], x[1], h, x[i], 3 * h]))
    kind = draw(st.sampled_from(["plus", "minus", "sum", "branch"]))
    first = draw(nested_sums(depth=depth - 1))
    if kind == "sum":
        return sp.Sum(first + x[j], (j, 0, n - 1))
    second = draw(nested_sums(depth=depth - 1))
    branch = sp.Piecewise((first + x[n - 1], sp.Eq(n, 2)), (second, True))
    return {"plus": first + second, "minus": first - second, "branch": branch}[kind]


def summands(formula, at, size):
    """The numbers that a formula adds, read off independently: signs and brackets undone."""
    formula, here = sp.sympify(formula), {n: size, i: 0}
    if formula.is_Add:
        return [number for part in formula.args for number in summands(part, at, size)]
    if isinstance(formula, sp.Sum):
        each = [formula.function.subs(j, value) for value in range(size)]
        return [number for part in each for number in summands(part, at, size)]
    if isinstance(formula, sp.Piecewise):
        return summands(next(value for value, condition in formula.args if condition.subs(here)), at, size)
    if formula.is_Mul and formula.args[0] == -1:
        return [-number for number in summands(-formula, at, size)]
    return [float(formula.subs(here).xreplace(at))]


@given(nested_sums(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_sums_within_a_sum_are_charged_for_every_order(formula, size, rng):
    multiples = [one for one in formula.atoms(sp.Mul) if one.args[0] != -1 and one.has(sp.Sum, sp.Piecewise)]
    assume(not multiples)  # a multiple of a sum is no sum
    out = sp.IndexedBase("out")
    inputs = {domain.name: domain for domain in (real("x", n + 1), real("h"))}
    program = Program(((out[i], formula),), (Output("out", out[i], (i, 0, 0)),))
    lowering = Lowering(Bindings({"n": size}, {}, {}), inputs, program)
    (node,) = lowering.outputs(program.outputs)["out"][0]
    numbers = {("x", (a,)): rng.choice((1.0, -1.0, 0.1, 1e-3)) for a in range(size + 1)} | {
        ("h", ()): rng.choice((-1.0, 0.3))
    }
    numbers = {key: float(torch.tensor(value, dtype=torch.bfloat16)) for key, value in numbers.items()}
    leaves = {key: torch.tensor([value]).double() for key, value in numbers.items()}
    ((value, bound),) = bounded(lowering.slp, [node], leaves, torch.bfloat16, torch.device("cpu"))
    at = {x[a]: sp.Float(numbers["x", (a,)], 20) for a in range(size + 1)} | {h: sp.Float(numbers["h", ()], 20)}
    terms = summands(formula, at, size)
    for _ in range(8):
        rng.shuffle(terms)
        total = torch.zeros((), dtype=torch.bfloat16)
        for term in terms:
            total = total + torch.tensor(term, dtype=torch.bfloat16)
        assert abs(float(total) - float(value)) <= float(bound), (terms, float(total), float(value), float(bound))


def test_two_biases_that_cancel_leave_a_budget_for_the_other_order():
    one, two, state = sp.symbols("one two state", real=True)
    biases = sp.Piecewise((one + two, sp.Eq(n, 1)), (0, True))
    program = Program(((h, sp.Sum(x[j] * state, (j, 0, n - 1)) + biases),), (Output("out", h),))
    inputs = {domain.name: domain for domain in (real("x", n), real("one"), real("two"), real("state"))}
    lowering = Lowering(Bindings({"n": 1}, {}, {}), inputs, program)
    (node,) = lowering.outputs(program.outputs)["out"][0]
    at = {("x", (0,)): 1.0, ("one", ()): -1.0, ("two", ()): 1.0, ("state", ()): 0.0020907646976411343}
    leaves = {key: torch.tensor([value]).double() for key, value in at.items()}
    ((_, bound),) = bounded(lowering.slp, [node], leaves, torch.float32, torch.device("cpu"))
    assert float(bound) >= torch.finfo(torch.float32).eps / 2
