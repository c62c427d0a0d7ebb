"""Programs as arrays: equal to the straight-line programs, to a plain walker's values, and to balls at a large size."""

import functools
import math
from fractions import Fraction

import pytest
import sympy as sp
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from reduced import logsumexp, softmax

from gnomon.check.inputs import draw
from gnomon.check.strategies import draw_examples
from gnomon.compute.arrays.program import as_arrays, lowered
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import compile_claim
from gnomon.compute.entry import enclosed_entry
from gnomon.compute.whole_numbers import Bindings, LoweringError
from gnomon.find import walk
from gnomon.proof.reductions import ArgMax, Kept, Largest, LogSumExp
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Domain

CPU = torch.device("cpu")
MADE = {claim.id: claim for claim in (logsumexp.claim, softmax.claim)}
SAMPLE = [
    "nn.forward", "backprop.hidden_delta", "backprop.tldr", "conv.definition.planes", "conv.translation",
    "pool.definition.planes", "graph.laplacian.sym", "heat.euler_step", "heat.equation", "bn.transform",
    "bn.running", "optim.adam.update", "lstm.cell.sequence", "rnn.vanilla", "bptt.truncated", "solver.rk4",
    "adjoint.recompute", "gan.value", "flow.coupling", "gdprac.computation", "seq.markov.power",
    "uat.proof.piecewise_linear", "solver.dopri.pair", "toy.logsumexp", "toy.softmax",
]  # fmt: skip


def looked_at(id, dtype):
    """Both forms of a claim's program on one structure, and a batch."""
    claim = MADE[id] if id in MADE else walk.select([id])[0]
    example = draw_examples(claim, 5, 0)[4]
    scalars, arrays = compile_claim(claim, example.structure), as_arrays(claim, example.structure)
    batch = draw(claim.inputs, scalars.bindings, example.host, 45, dtype, torch.Generator().manual_seed(1))
    return scalars, arrays, batch


@pytest.mark.parametrize("id", SAMPLE)
def test_values_and_bounds_are_those_of_the_straight_line_program(id):
    scalars, arrays, batch = looked_at(id, torch.float32)
    assert dict(arrays.shapes) == dict(scalars.shapes)
    value, bound = arrays.truth(batch, torch.float32, CPU)
    other, its = scalars.truth(batch, torch.float32, CPU)
    assert torch.equal(bound.isinf(), its.isinf())
    judged = its.isfinite() & (value != other)
    assert ((value - other).abs() <= bound + its)[judged].all()
    assert ((arrays.values(batch) - other).abs() <= its)[judged].all()
    ordinary = its.isfinite() & (its > torch.finfo(torch.float32).tiny)  # below it stand the terms for underflow
    if ordinary.any():
        ratio = (bound / its)[ordinary]
        assert ratio.min() > 0.75
        assert ratio.max() < 3.1  # entries that are constants only here or there: see docs/verdicts.md
        assert 0.85 < ratio.median() < 1.15


# ---------------------------------------------------------------------- an independent walker

i, j, k, n = sp.symbols("i j k n", integer=True)
x, w, m = sp.IndexedBase("x", real=True), sp.IndexedBase("w", real=True), sp.IndexedBase("A", integer=True)
h = sp.IndexedBase("h", real=True)


def walk_through(e, at, numbers, lets):
    """The value of a formula in Python's floats, as it is read: index by index, term by term."""
    go = functools.partial(walk_through, numbers=numbers, lets=lets)
    if e.is_Number:
        return Fraction(int(e.p), int(e.q)) if e.is_Rational else float(e)
    if e.is_Symbol:
        return at[e] if e in at else numbers[e.name]
    if isinstance(e, sp.Indexed):
        place = tuple(int(go(index, at)) for index in e.indices)
        name = str(e.base)
        if name in lets:
            indices, rhs = lets[name]
            return go(rhs, dict(zip(indices, place, strict=True)))
        found = numbers[name]
        for index in place:
            assert index >= 0
            found = found[index]
        return found
    if isinstance(e, (sp.Sum, Largest, LogSumExp, ArgMax)):
        *within, (index, low, high) = e.limits
        body = sp.Sum(e.function, *within) if within else e.function
        terms = [go(body, {**at, index: value}) for value in range(int(go(low, at)), int(go(high, at)) + 1)]
        if isinstance(e, sp.Sum):
            return math.fsum(terms)
        if isinstance(e, ArgMax):
            return int(go(low, at)) + terms.index(max(terms))
        most = max(terms)
        return most if isinstance(e, Largest) else most + math.log(math.fsum(math.exp(t - most) for t in terms))
    if isinstance(e, Kept):
        return go(e.term, at) if go(e.condition, at) else -math.inf
    if isinstance(e, sp.Piecewise):
        return next(go(value, at) for value, condition in e.args if go(condition, at))
    if e in (sp.true, sp.false):
        return bool(e)
    args = [go(arg, at) for arg in e.args]
    plain = {
        sp.Add: sum, sp.Mul: math.prod, sp.Max: max, sp.Min: min, sp.And: all, sp.Or: any,
        sp.Pow: lambda pair: pair[0] ** pair[1], sp.Abs: lambda one: abs(one[0]),
        sp.tanh: lambda one: math.tanh(one[0]),
        sp.floor: lambda one: math.floor(one[0]), sp.exp: lambda one: math.exp(one[0]), sp.Not: lambda one: not one[0],
        sp.Equality: lambda two: two[0] == two[1], sp.LessThan: lambda two: two[0] <= two[1],
        sp.StrictLessThan: lambda two: two[0] < two[1], sp.GreaterThan: lambda two: two[0] >= two[1],
        sp.StrictGreaterThan: lambda two: two[0] > two[1], sp.Unequality: lambda two: two[0] != two[1],
    }  # fmt: skip
    return plain[e.func](args)


@st.composite
def formulas(draw, free=(i,), depth=3):
    """Formulas in entries of a vector, a matrix and a table, whose free indices lie in 0…n - 1."""
    index = st.sampled_from(free)
    if depth == 0:
        a, b = draw(index), draw(index)
        return draw(st.sampled_from([x[a], w[a, b], x[n - 1 - a], sp.Integer(1), sp.Rational(1, 2), a, m[a, b]]))
    part = formulas(free, depth - 1)
    kind = draw(st.sampled_from(["add", "mul", "sum", "upto", "both", "branch", "real", "tanh", "max", "most", "lse"]))
    new = sp.Symbol(f"q{len(free)}", integer=True)
    inner = formulas((*free, new), depth - 1)
    a, b = draw(index), draw(index)
    condition = draw(st.sampled_from([a <= b, sp.Eq(a, 1), sp.Eq(m[a, b], 1), a < n - 1, sp.Ne(a, b)]))
    if kind == "add":
        return draw(part) - draw(part)
    if kind == "mul":
        return draw(part) * draw(part)
    if kind == "sum":
        return sp.Sum(draw(inner), (new, 0, n - 1))
    if kind == "upto":
        return sp.Sum(draw(inner), (new, draw(st.sampled_from([0, a])), draw(st.sampled_from([b, n - 1]))))
    if kind == "both":
        return sp.Sum(w[a, new] * draw(inner), (new, 0, n - 1))
    if kind == "branch":
        other = sp.Sum(sp.Piecewise((draw(inner), new <= a), (0, True)), (new, 0, n - 1))
        return sp.Piecewise((draw(part), condition), (other, True), evaluate=False)
    if kind == "real":
        return sp.Piecewise((draw(part), x[a] <= x[b]), (draw(part), True), evaluate=False)
    if kind == "tanh":
        return sp.tanh(draw(part))
    if kind == "max":
        return sp.Max(draw(part), draw(part))
    if kind == "most":
        return Largest(draw(inner), (new, 0, n - 1))
    return LogSumExp(Kept(sp.tanh(draw(inner)), new <= a), (new, 0, n - 1))


NUMBERS = st.integers(-4, 4).map(lambda number: number / 2)


@settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
@given(st.data())
def test_a_random_formula_has_the_values_that_a_plain_walker_finds(data):
    count = data.draw(st.integers(1, 3))
    formula = data.draw(formulas())
    first = data.draw(formulas((i,), 1))
    recursion = ((i,), sp.Piecewise((first, sp.Eq(i, 0)), (sp.tanh(h[i - 1]) - x[i], True), evaluate=False))
    rows = st.lists(NUMBERS, min_size=count, max_size=count)
    numbers = {
        "n": count, "x": data.draw(rows), "w": [data.draw(rows) for _ in range(count)],
        "A": [[int(data.draw(st.booleans())) for _ in range(count)] for _ in range(count)],
    }  # fmt: skip
    program = Program(((h[i], recursion[1]),), (Output("out", formula * h[i] + formula, (i, 0, n - 1)),))
    assume(not any(str(symbol).startswith("q") for symbol in formula.free_symbols))  # SymPy moves branches out of sums
    inputs = {"x": Domain("x", (n,)), "w": Domain("w", (n, n))}
    made = lowered(program, inputs, Bindings({"n": count}, {"A": numbers["A"]}, {}))
    values = {name: torch.tensor([numbers[name]], dtype=torch.float64) for name in ("x", "w")}
    batch = Batch(values, {}, (), 1)
    value, bound = made.truth(batch, torch.float64, CPU)
    for at in range(count):
        expected = walk_through(program.outputs[0].entry, {i: at}, numbers, {"h": recursion})
        assert abs(value[0, at].item() - expected) <= bound[0, at].item(), (formula, numbers)
        assert bound[0, at].isinf() or abs(made.values(batch)[0, at].item() - expected) <= bound[0, at].item()


# ---------------------------------------------------------------------- sizes, ends, sums of a finer unit


@pytest.mark.parametrize(
    ("id", "sizes", "output", "index"),
    [
        ("bn.transform", {"N": 257, "C": 33}, 0, (256, 32)),
        ("nn.forward", {}, 0, None),
        ("heat.euler_step", {"n": 65}, 0, None),
    ],
)
def test_a_ball_agrees_at_a_large_size(id, sizes, output, index):
    (claim,) = walk.select([id])
    example = draw_examples(claim, 2, 0)[1]
    structure = {**example.structure, **{name: value for name, value in sizes.items() if name in example.structure}}
    if "n" in sizes:
        structure["A"] = [[int(abs(a - b) in (1, 7)) for b in range(65)] for a in range(65)]
    arrays = as_arrays(claim, structure)
    batch = draw(claim.inputs, arrays.bindings, example.host, 9, torch.float64, torch.Generator().manual_seed(2))
    batch = batch.point(0)
    value, bound = arrays.truth(batch, torch.float64, CPU)
    name = list(arrays.shapes)[output]
    at = index or tuple(extent - 1 for extent in arrays.shapes[name])
    flat, start = 0, 0
    for extent, position in zip(arrays.shapes[name], at, strict=True):
        flat = flat * extent + position
    ball = enclosed_entry(claim, structure, batch, name, at)
    assert abs(float(ball.mid()) - value[0, start + flat].item()) <= bound[0, start + flat].item()


def test_a_finer_unit_within_sums_makes_the_budget_of_a_long_sum_smaller():
    (claim,) = walk.select(["bn.transform"])
    example = draw_examples(claim, 2, 0)[1]
    arrays = as_arrays(claim, {**example.structure, "N": 1025})
    batch = draw(claim.inputs, arrays.bindings, example.host, 9, torch.bfloat16, torch.Generator().manual_seed(2))
    _, coarse = arrays.truth(batch, torch.bfloat16, CPU)
    _, fine = arrays.truth(batch, torch.bfloat16, CPU, sums=torch.float32)
    judged = coarse.isfinite() & fine.isfinite()
    assert (fine[judged] <= coarse[judged]).all()
    assert (fine < coarse / 8).any()
    assert fine.isinf().sum() < coarse.isinf().sum()


def test_a_definition_without_an_end_is_said_to_have_none():
    program = Program(((h[i], h[i + 1] + 1),), (Output("out", h[0]),))
    with pytest.raises(LoweringError, match="leans on itself without an end"):
        lowered(program, {}, Bindings({}, {}, {}))
    program = Program(((h[i], h[i] + 1),), (Output("out", h[0]),))
    with pytest.raises(LoweringError, match="h is defined through itself"):
        lowered(program, {}, Bindings({}, {}, {}))


def test_a_deep_recursion_is_made_in_order():
    program = Program(
        ((h[i], sp.Piecewise((x[0], sp.Eq(i, 0)), (sp.tanh(h[i - 1]) - x[0], True))),), (Output("out", h[700]),)
    )
    arrays = lowered(program, {"x": Domain("x", (1,))}, Bindings({}, {}, {}))
    batch = Batch({"x": torch.tensor([[0.5]], dtype=torch.float64)}, {}, (), 1)
    expected = 0.5
    for _ in range(700):
        expected = math.tanh(expected) - 0.5
    assert arrays.values(batch).item() == pytest.approx(expected)
