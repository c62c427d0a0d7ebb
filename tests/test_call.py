"""Calls as data: each part seen at work, each mistake refused where the call is made or where the subject is called."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from sympy import Eq, Function, IndexedBase, Lambda, Piecewise, Sum, cos, sin, symbols
from torch import Tensor, nn

from gnomon.compute.lower import bind
from gnomon.drive.driver import Case, Driver
from gnomon.drive.interpret import driver_of
from gnomon.say.call import (
    DTYPE,
    Call,
    buffer,
    cast,
    coordinates,
    cut,
    draws,
    edges,
    function,
    integers,
    listed,
    mask,
    mean,
    normalised,
    padded,
    parameter,
    returned,
    span,
    state,
    tensor,
    transform,
    weights,
    when,
    zeros_like,
)
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes, real

t, i, j, l, s = symbols("t i j l s", integer=True)
time, lr, h, rate, v = symbols("time lr h rate v", real=True)
x, y, w, g, u, z, theta = (IndexedBase(name, real=True) for name in ("x", "y", "w", "g", "u", "z", "theta"))
WIDTH, STEPS, LAYERS, UNITS = Size("n"), Size("T"), Size("k"), Sizes("widths", 3)
n, T, k, widths = (domain.symbol for domain in (WIDTH, STEPS, LAYERS, UNITS))
FLAG = Choice("flag", {"yes": {symbols("flag"): 1}, "no": {symbols("flag"): 0}})
KIND = Choice("kind", {"mean": {}, "sum": {}})
SIGNS = Choice("signs", {"both": {IndexedBase("sign"): (1, -1)}})
sign = IndexedBase("sign")
GRAPH = Graph("A", WIDTH, connected=False)
X, Y = real("x", WIDTH), real("y", WIDTH)
DOUBLE = torch.float64


def prepared(
    call: Call,
    subject: Any,
    tensors: dict[str, Tensor],
    structure: dict[Any, Any],
    host: dict[str, float],
    shapes: dict[str, tuple[int, ...]],
    lets: tuple[Any, ...] = (),
) -> tuple[Driver, Callable[..., Any]]:
    """A call of a subject with a structure, which gives for each domain its value."""
    inputs = [real(name, *value.shape) for name, value in tensors.items()]
    inputs += [Domain(name, host=True) for name in host]
    program = Program(lets, (Output("out", 0),))
    claim = SimpleNamespace(inputs=inputs, structure=tuple(structure), program=program)
    named = {domain.name: value for domain, value in structure.items()}
    compiled: Any = SimpleNamespace(claim=claim, bindings=bind(tuple(structure), named), kept={})
    names = tuple(domain.name for domain in inputs)
    driver = driver_of(call)
    case = Case(named, host, {}, names, shapes, DOUBLE, torch.device("cpu"), compiled)
    return driver, driver.prepare(subject, case)


def shown(
    call: Call, subject: Any, tensors: Any = (), structure: Any = (), host: Any = (), lets: Any = (), **shapes: Any
) -> dict[str, Tensor]:
    """What a call shows at one point; where points run as rows, at a batch of this one."""
    given = {name: torch.as_tensor(value, dtype=DOUBLE) for name, value in dict(tensors).items()}
    driver, run = prepared(call, subject, given, dict(structure), dict(host), shapes, lets)
    if driver.batch == "leading":
        found = run({name: value.unsqueeze(0) for name, value in given.items()})
        return {name: value[0] for name, value in found.items()}
    found = run(given)
    if driver.batch == "vmap" and given:
        batched = torch.func.vmap(run)({name: torch.stack([value, value]) for name, value in given.items()})
        for name, value in found.items():
            torch.testing.assert_close(batched[name][1], value)
    return found  # type: ignore[no-any-return]


A3 = ((0, 1, 0), (1, 0, 1), (0, 1, 0))


class Pair(NamedTuple):
    loss: Tensor
    rest: tuple[Tensor, Tensor]


class Cell(nn.Module):
    """Two parameters, of which one may be missing, and a buffer that every call in training mode counts up."""

    def __init__(self, size: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, 2))
        self.register_parameter("bias", nn.Parameter(torch.zeros(size)) if bias else None)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> Any:
        if self.training:
            self.seen += 1
        y = self.weight @ x + (0 if self.bias is None else self.bias)
        return y if state is None else (y, state)


class Net(nn.Module):
    """Linear layers under whatever names, stored as ``torch.nn.Linear`` stores them."""

    def __init__(self, sizes: tuple[int, ...], bias: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(a, b, bias=bias) for a, b in pairwise(sizes)))

    def forward(self, x: Tensor) -> Any:
        return self.layers(x)


def euler(func: Any, y0: Tensor, times: Tensor, *, options: Any = None) -> Tensor:
    rows = [y0]
    for start, end in pairwise(times.unbind()):
        rows.append(rows[-1] + (end - start) * func(start, rows[-1]))
    return torch.stack(rows)


def solve(*arguments: Any, **keywords: Any) -> Call:
    slope = function((time, y), Piecewise((rate * y[1], Eq(i, 0)), (-y[0] * time, True)), (i, 0, 1))
    return Call("ode.odeint", slope, *arguments, **keywords)


def turned() -> Any:
    """A shear of the plane, with its inverse and the log of its determinant."""
    forward = function((u,), Piecewise((2 * u[0] + x[0] * u[1], Eq(i, 0)), (u[1], True)), (i, 0, 1))
    inverse = function((u,), Piecewise(((u[0] - x[0] * u[1]) / 2, Eq(i, 0)), (u[1], True)), (i, 0, 1))
    return transform(forward, inverse, function((u,), symbols("c")))


def noisy(x: Tensor, generator: torch.Generator) -> Tensor:
    first = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return x + first + 2 * torch.empty_like(x).normal_(generator=generator)


def refusing(x: Tensor) -> Tensor:
    raise ValueError(f"x must be positive, got {x}")


def layer_outputs(x: Tensor, weights: list[Tensor]) -> list[Tensor]:
    found = []
    for weight in weights:
        x = x @ weight
        found.append(x)
    return found


VECTORS = {"x": [1.0, 2.0], "y": [3.0, 5.0]}
STACK = {"w": torch.arange(18.0).reshape(2, 3, 3), "x": [1.0, 2.0]}
LAYERED = {LAYERS: 2, UNITS: [2, 1, 3]}
MATRICES = listed(cut(w[l], widths[l], widths[l + 1]), (l, 0, k - 1))
SGD = Call("optim.SGD", [theta], lr=lr)
EDGES = Call("graph.f", edges(GRAPH), weights(w))
CELL = Call("lstm.Cell", n, bias=FLAG).load(weight=w, bias=when(FLAG, y))
PLANE = {"y": [1.0, 2.0], "rate": 0.5}


def adjacency(index: Tensor, weight: Tensor) -> Tensor:
    return torch.zeros(3, 3, dtype=weight.dtype).index_put((index[1], index[0]), weight, accumulate=True)


WORK: dict[str, tuple[Call, Any, dict[str, Any], Any]] = {
    "arguments in any order, twice, as keywords": (
        Call("a.f", y, x, again=y).shows(x), lambda a, b, again: a - b + again, {"tensors": VECTORS}, [5.0, 8.0]),
    "tuples, lists and dictionaries": (
        Call("a.f", (x, [y]), options={"h": h}).shows(x), lambda a, options: (a[0] + a[1][0]) * options["h"],
        {"tensors": VECTORS, "host": {"h": 2.0}}, [8.0, 14.0]),
    "sizes, words and expressions of them as Python's": (
        Call("a.f", x, n, 2 * n + 1, KIND, h / 4, "word").shows(x),
        lambda x, *rest: x if rest == (2, 5, "sum", 0.25, "word") else None,
        {"tensors": VECTORS, "structure": {WIDTH: 2, KIND: "sum"}, "host": {"h": 1.0}}, [1.0, 2.0]),
    "a choice between yes and no is a flag": (
        Call("a.f", x, FLAG).shows(x), lambda x, flag: x if flag is False else None,
        {"tensors": VECTORS, "structure": {FLAG: "no"}}, [1.0, 2.0]),
    "a formula in inputs": (
        Call("a.f", tensor(x[i] * h + 1, (i, 0, 1))).shows(x), lambda x: x, {"tensors": VECTORS, "host": {"h": 2.0}},
        [3.0, 5.0]),
    "a formula in definitions": (
        Call("a.f", tensor(z[i + 1], (i, 0, 1))).shows(x), lambda x: x,
        {"tensors": VECTORS, "lets": ((z[i], x[i - 1] ** 2),)}, [1.0, 4.0]),
    "an array that a choice binds": (
        Call("a.f", x, sign).shows(x), lambda x, s: x * s, {"tensors": VECTORS, "structure": {SIGNS: "both"}},
        [1.0, -2.0]),
    "whole numbers, masks and the dtype": (
        Call("a.f", integers(x), mask(y), DTYPE).shows(x), lambda x, y, dtype: torch.where(y, x, -x).to(dtype),
        {"tensors": {"x": [1.0, 2.0], "y": [1.0, 0.0]}}, [1.0, -2.0]),
    "what is wide is shown in the dtype of the check": (
        Call("a.f", x).shows(x=cast(returned(0))), lambda x: x.float(), {"tensors": VECTORS}, [1.0, 2.0]),
    "a law with its gradient along the simplex": (
        Call("a.f", normalised(x)).gradient(by=x).shows(x), lambda p: p[0] * 3, {"tensors": {"x": [0.25, 0.75]}},
        [2.25, -0.75]),
    "a list of layers of different widths": (
        Call("a.f", x, MATRICES).shows(y=padded(returned(), (l, 0, k - 1), widths[l + 1])), layer_outputs,
        {"tensors": STACK, "structure": LAYERED, "y": (2, 3)}, [[6.0, 0.0, 0.0], [54.0, 60.0, 66.0]]),
    "a function said in SymPy": (
        Call("a.f", function((v,), sin(v) * h), x).shows(x), lambda f, x: f(x),
        {"tensors": VECTORS, "host": {"h": 2.0}}, [2 * math.sin(1.0), 2 * math.sin(2.0)]),
    "a function with several values, as a module": (
        Call("a.f", function((u,), (u[0] + x[i], cos(u[1])), (i, 0, 1))).shows(x),
        lambda f: f(torch.zeros(3, 2).double())[0][2],
        {"tensors": VECTORS}, [1.0, 2.0]),
    "functions that choices bind": (
        Call("a.f", function((u,), Function("sigma")(u[i]), (i, 0, 1)), x).shows(x), lambda f, x: f(x),
        {"tensors": VECTORS, "structure": {Choice("act", {"square": {Function("sigma"): Lambda(h, h**2)}}): "square"}},
        [1.0, 4.0]),
    "a transform": (
        Call("flow.f", turned(), y).shows(x), lambda made, y: made.inv(made(y)) + made.log_abs_det_jacobian(y, y),
        {"tensors": VECTORS | {"c": 0.5}}, [3.5, 5.5]),
    "an object of torch": (
        Call("a.f", Call("torch.distributions.Normal", x, 1.0), y).shows(x), lambda d, y: d.mean + y,
        {"tensors": VECTORS}, [4.0, 7.0]),
    "edges and weights in one order": (
        EDGES.shows(x), adjacency,
        {"tensors": {"w": torch.arange(9.0).reshape(3, 3)}, "structure": {WIDTH: 3, GRAPH: A3}},
        [[0.0, 1.0, 0.0], [1.0, 0.0, 5.0], [0.0, 5.0, 0.0]]),
    "parallel edges": (
        Call("graph.f", edges(GRAPH, copies=T), weights(w, symmetric=False)).shows(x), adjacency,
        {"tensors": {"w": torch.arange(18.0).reshape(2, 3, 3)}, "structure": {WIDTH: 3, STEPS: 2, GRAPH: A3}},
        [[0.0, 11.0, 0.0], [15.0, 0.0, 19.0], [0.0, 23.0, 0.0]]),
    "the subject's draws are the claim's": (
        Call("a.f", x, generator=draws(y, z)).shows(x), noisy, {"tensors": VECTORS | {"z": [1.0, 1.0]}}, [6.0, 9.0]),
    "a module with parameters, and without a bias": (
        CELL.on(x).shows(x), Cell,
        {"tensors": VECTORS | {"w": [[1.0, 1.0], [0.0, 1.0]]}, "structure": {WIDTH: 2, FLAG: "no"}},
        [3.0, 2.0]),
    "a module with a state, of which a buffer is shown": (
        CELL.load(seen=h).on(x, (x, y)).shows(y=returned(1, 1), x=returned(0), seen=buffer("seen")), Cell,
        {"tensors": VECTORS | {"w": [[1.0, 1.0], [0.0, 1.0]], "h": 4.0}, "structure": {WIDTH: 2, FLAG: "yes"}},
        {"y": [3.0, 5.0], "x": [6.0, 7.0], "seen": 5.0}),
    "a module in evaluation mode": (
        CELL.load(seen=h).eval().on(x).shows(seen=buffer("seen")), Cell,
        {"tensors": VECTORS | {"w": [[1.0, 1.0], [0.0, 1.0]], "h": 4.0}, "structure": {WIDTH: 2, FLAG: "yes"}},
        {"seen": 4.0}),
    "a network's matrices in its own order, turned as it stores them, and its gradient": (
        Call("a.Net", UNITS, bias=False).load_in_order(matrices=MATRICES).on(x).gradient(by=x, cotangent=y).shows(x),
        Net,
        {"tensors": STACK | {"y": [1.0, 0.0, 0.0]}, "structure": LAYERED}, [0.0, 27.0]),
    "an object's methods and attributes": (
        (lambda made: made.shows(x=made.attribute("inv").on(y), y=made.method("log_prob", y)))(Call("a.f", x)),
        lambda x: SimpleNamespace(inv=lambda y: y - x, log_prob=lambda y: y.sum()), {"tensors": VECTORS},
        {"x": [2.0, 3.0], "y": 8.0}),
    "a named tuple's entries, and nested ones laid flat": (
        Call("a.f", x, y).shows(loss=returned("loss"), rest=returned("rest", 1)), lambda x, y: Pair(x.sum(), (x, y)),
        {"tensors": VECTORS}, {"loss": 3.0, "rest": [3.0, 5.0]}),
    "several outputs in the order of what is returned": (
        Call("a.f", x, y).shows(time, u, z), lambda x, y: (x.sum(), (x, y)), {"tensors": VECTORS},
        {"time": 3.0, "u": [1.0, 2.0], "z": [3.0, 5.0]}),
    "a formula of what is returned": (
        Call("a.f", x).then(u, Sum(u[i] * y[i], (i, 0, 1))).shows(h), lambda x: x + 1, {"tensors": VECTORS}, 21.0),
    "a vector-Jacobian product": (
        Call("a.f", x).vjp(by=x, cotangent=y).shows(g), lambda x: x**2, {"tensors": VECTORS}, [6.0, 20.0]),
    "a product for some of what is returned": (
        Call("a.f", x).vjp(by=x, cotangent=(None, y)).shows(g), lambda x: (x**2, x**3), {"tensors": VECTORS},
        [9.0, 60.0]),
    "a Jacobian": (
        Call("a.f", x).jacobian(of=1, by=x).shows(g), lambda x: (x, x[0] * x), {"tensors": VECTORS},
        [[2.0, 0.0], [2.0, 1.0]]),
    "a Hessian": (
        Call("a.f", x).hessian(by=x).shows(g), lambda x: x[0] ** 2 * x[1], {"tensors": VECTORS},
        [[4.0, 2.0], [2.0, 0.0]]),
    "a mean over cases": (
        Call("a.f", tensor(x[i] * sign[s], (i, 0, 1))).mean_over((s, 0, 1)).shows(x), lambda x: x**2 + x,
        {"tensors": VECTORS, "structure": {SIGNS: "both"}}, [1.0, 4.0]),
    "an optimizer's parameter, the one before, and its state": (
        Call("optim.SGD", [theta], lr=lr, momentum=h).each_step(g).shows(
            m=state("momentum_buffer"), new=parameter(), old=parameter(before=True)),
        torch.optim.SGD, {"tensors": {"theta": [1.0], "g": [[1.0], [2.0]]}, "host": {"lr": 0.5, "h": 0.5}},
        {"m": [2.5], "new": [-0.75], "old": [0.5]}),
    "an optimizer with two parameters": (
        Call("optim.SGD", [theta, x], lr=lr).each_step(g, y).shows(a=parameter(), b=parameter(1)), torch.optim.SGD,
        {"tensors": {"theta": [1.0], "x": [2.0], "g": [[1.0]], "y": [[4.0]]}, "host": {"lr": 0.5}},
        {"a": [0.5], "b": [0.0]}),
    "every coordinate a parameter, in groups": (
        Call("optim.SGD", coordinates(theta, groups=2), lr=lr).each_step(g).shows(x), torch.optim.SGD,
        {"tensors": {"theta": [1.0, 2.0, 3.0], "g": [[2.0, 4.0, 6.0]]}, "host": {"lr": 0.5}}, [0.0, 0.0, 0.0]),
    "a factor of the learning rate": (
        SGD.each_step(g, factor=h).shows(x), torch.optim.SGD,
        {"tensors": {"theta": [0.0], "g": [[1.0], [1.0], [1.0]]}, "host": {"lr": 1.0, "h": 0.5}}, [-1.75]),
    "a learning rate for each step": (
        SGD.each_step(x, times=T, rate=tensor(lr * (t + 1), (t, 0, T - 1))).shows(x), torch.optim.SGD,
        {"tensors": {"theta": [0.0], "x": [1.0]}, "structure": {STEPS: 3}, "host": {"lr": 0.5}}, [-3.0]),
    "the gradient of a function of the parameter": (
        SGD.each_step(function((u,), u[i] * x[i], (i, 0, 0)), times=T).shows(x), torch.optim.SGD,
        {"tensors": {"theta": [8.0], "x": [1.0]}, "structure": {STEPS: 3}, "host": {"lr": 0.5}}, [1.0]),
    "a solver, one point at a time": (
        solve(y, tensor(h * t, (t, 0, 2))).at(-1).shows(y), euler, {"tensors": PLANE, "host": {"h": 1.0}}, [3.0, 0.0]),
    "a solver whose rows are the points": (
        solve(y, tensor(h * t, (t, 0, 2))).rows(1).at(-1).shows(y), euler, {"tensors": PLANE, "host": {"h": 1.0}},
        [3.0, 0.0]),
    "the gradient of a loss through a solver, by the times, too": (
        (lambda times: solve(y, times).then(u, Sum(u[2, i], (i, 0, 1))).gradient(by=(rate, times)).one_by_one())(
            tensor(h * t, (t, 0, 2))).shows(rate, time),
        euler, {"tensors": PLANE, "host": {"h": 1.0}}, {"rate": 2.0, "time": [-1.5, -1.0, -1.0]}),
    "how long times last, and zeros": (
        Call("ode.odeint", zeros_like(x), span(tensor(h * t, (t, 0, 2)))).shows(x), lambda zero, long: zero + long,
        {"tensors": VECTORS, "host": {"h": 1.5}}, [3.0, 3.0]),
    "what a subject asks of a function": (
        (lambda f: Call("a.f", f, x).asks(f, 1).shows(x))(function((v,), 2 * v)), lambda f, x: f(f(x)),
        {"tensors": VECTORS}, [2.0, 4.0]),
    "how often a subject asks a function": (
        (lambda f: Call("a.f", f, x).count(f).shows(x))(function((v,), 2 * v)), lambda f, x: f(f(x)),
        {"tensors": VECTORS}, 2.0),
    "how many numbers autograd keeps": (
        Call("a.f", x).then(u, Sum(u[i], (i, 0, 1))).gradient(by=x).kept().shows(x), lambda x: x.exp().exp(),
        {"tensors": VECTORS}, 4.0),
    "a documented error": (
        Call("a.f", x).raises(ValueError, "positive").shows(x), refusing, {"tensors": VECTORS}, 1.0),
    "a function of Python's numbers": (
        Call("a.f", T, h).shows(x), lambda steps, h: steps * h, {"structure": {STEPS: 3}, "host": {"h": 0.5}}, 1.5),
    "the mean of a look": (
        Call("a.f", tensor(x[i] * sign[s], (i, 0, 1))).shows(x=mean(returned(1), (s, 0, 1))), lambda x: (x, x + 1),
        {"tensors": VECTORS, "structure": {SIGNS: "both"}}, [1.0, 1.0]),
}  # fmt: skip


@pytest.mark.parametrize("part", WORK)
def test_a_part_at_work(part: str) -> None:
    call, subject, given, expected = WORK[part]
    found = shown(call, subject, **given)
    wanted = expected if isinstance(expected, dict) else {next(iter(found)): expected}
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name].detach(), torch.as_tensor(value, dtype=DOUBLE))
