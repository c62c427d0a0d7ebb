"""Derivatives of programs as arrays: those of the straight-line programs with their bounds, autograd's, and balls."""

import dataclasses
import math

import pytest
import sympy as sp
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from reduced import logsumexp, softmax
from test_arrays import NUMBERS, formulas, h, i, k, n, w, x

from gnomon.check.inputs import draw
from gnomon.check.strategies import draw_examples
from gnomon.compute.arrays.compiled import compile_arrays
from gnomon.compute.arrays.gradient import compile_array_gradient, pulled_back, shaped
from gnomon.compute.arrays.program import bounded_parts, lowered
from gnomon.compute.arrays.pullback import pullback
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import compile_claim, compile_gradient
from gnomon.compute.second import compile_second
from gnomon.compute.whole_numbers import Bindings
from gnomon.find import walk
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Domain

CPU = torch.device("cpu")
MADE = {claim.id: claim for claim in (logsumexp.claim, softmax.claim)}
SAMPLE = [
    "backprop.hidden_delta", "conv.definition.planes", "conv.translation", "pool.definition.planes",
    "graph.laplacian.sym", "heat.euler_step", "bn.transform", "lstm.cell.sequence", "solver.rk4",
    "adjoint.dynamics", "gan.value", "flow.coupling", "solver.dopri.pair", "toy.logsumexp", "toy.softmax",
]  # fmt: skip


def looked_at(id, dtype):
    """Both forms of a claim's gradient on one structure, a batch, and a cotangent."""
    claim = MADE[id] if id in MADE else walk.select([id])[0]
    example = draw_examples(claim, 5, 0)[4]
    scalars = compile_gradient(compile_claim(claim, example.structure))
    arrays = compile_array_gradient(compile_arrays(claim, example.structure))
    batch = draw(claim.inputs, scalars.compiled.bindings, example.host, 45, dtype, torch.Generator().manual_seed(1))
    outputs = len(scalars.compiled.labels)
    cotangent = torch.randint(-4, 5, (batch.size, outputs), generator=torch.Generator().manual_seed(2)).double()
    return scalars, arrays, batch, cotangent


@pytest.mark.parametrize("id", SAMPLE)
def test_gradients_and_bounds_are_those_of_the_straight_line_program(id):
    scalars, arrays, batch, cotangent = looked_at(id, torch.float32)
    assert arrays.labels == scalars.labels
    value, bound = arrays.truth(batch, cotangent, torch.float32, CPU)
    other, its = scalars.truth(batch, cotangent, torch.float32, CPU)
    assert torch.equal(bound.isinf(), its.isinf())
    judged = its.isfinite() & (value != other)
    assert ((value - other).abs() <= bound + its)[judged].all()
    ordinary = its.isfinite() & (its > torch.finfo(torch.float32).tiny)
    ratio = (bound / its)[ordinary]
    assert ratio.min() > 0.6
    assert ratio.max() < 2.1
    assert 0.85 < ratio.median() < 1.25


@pytest.mark.parametrize("id", ["bn.transform", "conv.definition.planes", "pool.definition.planes", "toy.softmax"])
def test_a_ball_of_one_entry_is_that_of_the_straight_line_program(id):
    scalars, arrays, batch, cotangent = looked_at(id, torch.float64)
    point = batch.point(3)
    for entry in (0, len(arrays.labels) - 1):
        ball = arrays.enclosure(point, cotangent[3], entry)
        assert ball.overlaps(scalars.enclosure(point, cotangent[3], entry))
        value, bound = arrays.truth(point, cotangent[3:4], torch.float64, CPU)
        assert abs(float(ball.mid()) - value[0, entry]) <= bound[0, entry]


@settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
@given(st.data())
def test_a_random_formula_has_the_gradient_that_autograd_finds(data):
    count = data.draw(st.integers(1, 3))
    formula, first = data.draw(formulas()), data.draw(formulas((i,), 1))
    assume(not any(str(symbol).startswith("q") for symbol in formula.free_symbols))  # SymPy moves branches out of sums
    recursion = sp.Piecewise((first, sp.Eq(i, 0)), (sp.tanh(h[i - 1]) - x[i], True), evaluate=False)
    rows = st.lists(NUMBERS, min_size=count, max_size=count)
    program = Program(((h[i], recursion),), (Output("out", formula * h[i] + formula, (i, 0, n - 1)),))
    table = [[int(data.draw(st.booleans())) for _ in range(count)] for _ in range(count)]
    made = lowered(
        program, {"x": Domain("x", (n,)), "w": Domain("w", (n, n))}, Bindings({"n": count}, {"A": table}, {})
    )
    given = {"x": data.draw(rows), "w": [data.draw(rows) for _ in range(count)]}
    values = {name: torch.tensor([given[name]], dtype=torch.float64, requires_grad=True) for name in given}
    cotangent = torch.tensor([data.draw(rows)], dtype=torch.float64)
    out = made.values(Batch(values, {}, (), 1)) + 0 * values["x"].sum()  # which may not depend on any of them
    found = torch.autograd.grad(out, list(values.values()), cotangent, materialize_grads=True)
    seen = torch.cat([each.flatten() for each in found])
    shapes = {"x": (count,), "w": (count, count)}
    nodes = pulled_back(made, shapes)
    batch = Batch({name: at.detach() for name, at in values.items()}, {}, (), 1)
    more = shaped(cotangent, made.shapes)
    value, bound = bounded_parts(made.graph, list(nodes.values()), shapes.values(), batch, more, torch.float64, CPU)
    compared = bound[0].isfinite()
    assert ((value[0] - seen).abs() <= 4 * bound[0])[compared].all(), (formula, given)


@pytest.mark.parametrize("id", ["bn.transform", "pool.definition.planes", "flow.coupling", "toy.softmax"])
def test_a_gradient_is_differentiated_once_more(id):
    scalars, arrays, batch, cotangent = looked_at(id, torch.float32)
    second = compile_second(scalars)
    weights = torch.Generator().manual_seed(3)
    then = torch.randint(-4, 5, (batch.size, len(scalars.labels)), generator=weights).double()
    value, bound = second.truth(batch, cotangent, then, torch.float32, CPU)
    g, by = arrays.compiled.ways[0].graph, arrays.by[0]
    made = pullback(g, list(by.values()), [g.leaf(f"then {name}", g.shape[node]) for name, node in by.items()])
    nodes = [made.get(name, g.constant(torch.zeros(shape).int().numpy())) for name, shape in arrays.wrt.items()]
    more = shaped(cotangent, arrays.compiled.shapes)
    parts = then.split([math.prod(shape) for shape in arrays.wrt.values()], -1)
    for (name, shape), part in zip(arrays.wrt.items(), parts, strict=True):
        more[f"then {name}"] = part.reshape(-1, *shape)
    found, its = bounded_parts(g, nodes, arrays.wrt.values(), batch, more, torch.float32, CPU)
    assert torch.equal(bound.isinf(), its.isinf())
    assert ((found - value).abs() <= bound + its)[its.isfinite()].all()


# ---------------------------------------------------------------------- choices

v = sp.IndexedBase("v", real=True)


def slopes_of(entry, points, lets=()):
    """The gradient by x, and its bound, of the sum of an entry over i."""
    program = Program(lets, (Output("out", entry, (i, 0, 1)),))
    inputs = {name: Domain(name, (2, 2) if name == "w" else (2,)) for name in points}
    made = lowered(program, inputs, Bindings({}, {}, {}))
    batch = Batch({name: torch.tensor([at], dtype=torch.float64) for name, at in points.items()}, {}, (), 1)
    nodes, more = pulled_back(made, {"x": (2,)}), {"cotangent out": torch.ones(1, 2, dtype=torch.float64)}
    value, bound = bounded_parts(made.graph, list(nodes.values()), [(2,)], batch, more, torch.float32, CPU)
    return value[0].tolist(), bound[0].isinf().tolist()


def test_what_is_surely_not_taken_excuses_nothing_however_infinite():
    steep = sp.Sum(w[i, k] * sp.sqrt(x[k]), (k, 0, 1))
    chosen = sp.Piecewise((steep, v[i] > 1), (x[i], True))
    points = {"x": [0.0, 4.0], "w": [[3.0, 1.0], [2.0, 5.0]], "v": [0.0, 0.0]}
    assert slopes_of(chosen, points) == ([1.0, 1.0], [False, False])
    assert slopes_of(chosen, {**points, "v": [0.0, 2.0]})[1] == [True, False], "taken at i = 1"
    assert slopes_of(chosen, {**points, "v": [0.0, 1.0]})[1] == [True, False], "a tie at i = 1"
    assert slopes_of(sp.Max(x[i], v[i]), {"x": [1.0, 1.0], "v": [2.0, 0.0]})[0] == [0.0, 1.0]


def test_a_repeated_gather_is_added_up_for_each_place():
    shifted = sp.Sum(x[sp.floor((i + k) / 2)] * w[i, k], (k, 0, 1))
    found, _ = slopes_of(shifted, {"x": [1.0, 2.0], "w": [[3.0, 1.0], [2.0, 5.0]]})
    assert found == [6.0, 5.0]


def test_the_forms_of_a_program_make_its_gradients_bound_greater():
    (claim,) = walk.select(["graph.difference_operator.features"])
    example = draw_examples(claim, 2, 0)[1]
    compiled = compile_arrays(claim, example.structure)
    batch = draw(claim.inputs, compiled.bindings, example.host, 9, torch.float32, torch.Generator().manual_seed(1))
    cotangent = torch.ones(batch.size, len(compiled.labels), dtype=torch.float64)
    _, bound = compile_array_gradient(compiled).truth(batch, cotangent, torch.float32, CPU)
    alone = dataclasses.replace(compiled, ways=compiled.ways[:1])
    _, less = compile_array_gradient(alone).truth(batch, cotangent, torch.float32, CPU)
    assert (bound >= less).all()
