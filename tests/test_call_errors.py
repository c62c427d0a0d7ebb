"""Calls that cannot be meant are refused where they are made; subjects that cannot be called so are told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from sympy import Function, IndexedBase, Symbol, symbols
from test_call import CELL, FLAG, VECTORS, WIDTH, Cell, noisy, refusing, shown
from torch import Tensor, nn

from gnomon.drive.bound import Bound
from gnomon.drive.contract import NotCallable
from gnomon.drive.driver import SubjectError
from gnomon.say.arguments import CallError
from gnomon.say.call import (
    Call,
    buffer,
    coordinates,
    draws,
    edges,
    function,
    parameter,
    returned,
    state,
    tensor,
    weights,
    when,
)
from gnomon.say.check_call import check
from gnomon.say.domain import Choice, Domain, Graph, Size, real

x, y, g, z = (IndexedBase(name, real=True) for name in "xygz")
i = Symbol("i", integer=True)
lr, v, n = symbols("lr v n")
INPUTS = (real("x", WIDTH), real("y", WIDTH), Domain("lr", low=0, host=True))
SQUARE = function((v,), v**2)
STEPPED = Call("optim.SGD", [x], lr=lr).each_step(y)

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no subject": (lambda: Call("Adam", x), "begins with a subject's name, like 'optim.Adam'; got 'Adam'"),
    "a tensor": (lambda: Call("a.f", torch.zeros(2)), "no part of a call: give a symbol"),
    "a Python function": (lambda: Call("a.f", lambda t: t), "no part of a call: give a symbol"),
    "an opaque function alone": (lambda: Call("a.f", Function("f")), "say function"),
    "weights without edges": (lambda: Call("a.f", x, weights(y)), "beside 0 graphs: say weights(y, A)"),
    "weights of two graphs": (lambda: Call("a.f", edges(x), edges(g), weights(y)), "beside 2 graphs"),
    "steps of what is no optimizer": (lambda: Call("a.f", x).on(y).each_step(y), "for an optimizer that was just"),
    "an optimizer without a list": (lambda: Call("optim.SGD", x).each_step(y), "the list of its parameters"),
    "steps without a gradient": (lambda: Call("optim.SGD", [x]).each_step(), "a gradient for each parameter"),
    "a module loaded after its call": (lambda: Call("a.M").on(x).load(weight=y), "a module that was just constructed"),
    "an unknown rank": (lambda: Call("a.M").load_in_order(cubes=x), "knows matrices= and vectors=, got cubes="),
    "nothing to show": (lambda: Call("a.f", x).shows(), "needs an output"),
    "shown twice": (lambda: Call("a.f", x).shows(z, z=returned(1)), "an output is shown twice"),
    "a chain that goes on after its end": (lambda: Call("a.f", x).shows(z).gradient(by=x), "shows() ends the chain"),
    "an unknown word": (lambda: Call("a.f", x).step(y), "no attribute 'step'"),
}

HELD: dict[str, tuple[Call, str]] = {
    "no looks": (Call("a.f", x, y, lr), "nothing is looked at; end it with .shows(z)"),
    "an unknown output": (
        Call("a.f", x, y, lr).shows(zz=returned(0)), "shows zz, which is no output of the claim; did you"),
    "an output that is not shown": (Call("a.f", x, y, lr).shows(returned_=returned(0)), "shows returned_"),
    "a symbol that is no input": (Call("a.f", x, y, lr, g).shows(z), "g is no input, size, choice or definition"),
    "a symbol in a formula": (
        Call("a.f", x, y, tensor(lr * g[i], (i, 0, n))).shows(z), "g is no input, size, choice or definition"),
    "a symbol in a function": (
        Call("a.f", x, y, lr, function((v,), v * g[0])).shows(z), "g is no input, size, choice or definition"),
    "an unused input": (Call("a.f", x, lr).shows(z), "the subject never gets y; pass it on, or say .unused(y)"),
    "unused, but used": (Call("a.f", x, y, lr).unused(y).shows(z), "y is declared unused and used"),
    "unused, but unknown": (Call("a.f", x, y, lr).unused(g).shows(z), "unused(g), but the claim has no such input"),
    "a word that names an input": (Call("a.f", x, y, lr, by="x").shows(z), "the word 'x' is the name of an input"),
    "a state without steps": (Call("a.f", x, y, lr).shows(z=state("m")), "say each_step() before it"),
    "a parameter without steps": (Call("a.f", x, y, lr).shows(z=parameter()), "say each_step() before it"),
    "a buffer without a module": (Call("a.f", x, y, lr).shows(z=buffer("b")), "say load() and on() before it"),
    "a derivative by what is not given": (
        Call("a.f", x, lr).gradient(by=y).shows(z), "a derivative by y, which the subject"),
    "asked of no function": (Call("a.f", x, y, lr).asks(SQUARE, 0).shows(z), "asks() needs one of the functions"),
    "a gradient too many": (Call("optim.SGD", [x], lr=lr).each_step(y, y).shows(z), "1 parameters and 2 gradients"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_refused_where_it_is_made(mistake: str) -> None:
    make, words = REFUSED[mistake]
    with pytest.raises((CallError, AttributeError)) as refused:
        make()
    assert words in str(refused.value)


@pytest.mark.parametrize("mistake", HELD)
def test_a_call_is_held_against_its_claim(mistake: str) -> None:
    call, words = HELD[mistake]
    with pytest.raises(CallError) as refused:
        check(call, INPUTS, (WIDTH,), ("z",))
    assert words in str(refused.value)


def test_a_call_that_fits_is_accepted() -> None:
    lets = ((z[i], y[i] * lr),)
    check(Call("a.f", x, tensor(z[i], (i, 0, n - 1))).shows(z), INPUTS, (WIDTH,), ("z",), lets)
    check(Call("a.f", x).unused(y, lr).shows(z), INPUTS, (WIDTH,), ("z",))
    chosen = Choice("act", {"square": {Symbol("c"): 2}})
    graph = Graph("A", WIDTH)
    check(
        Call("a.f", edges(graph), weights(x), chosen, Symbol("c"), y, lr).shows(z),
        INPUTS,
        (WIDTH, graph, chosen),
        ("z",),
    )


def test_a_call_prints_as_it_is_said() -> None:
    assert str(STEPPED.shows(z)) == "optim.SGD([x], lr=lr).each_step(y) → z"
    text = str(Call("optim.Adam", coordinates(x, 2), betas=(lr, 0.5)).each_step(y, factor=lr).shows(m=state("exp_avg")))
    assert (
        text == "optim.Adam(coordinates(x, groups=2), betas=(lr, 0.5)).each_step(y, factor=lr) → m = state('exp_avg')"
    )
    assert str(CELL.on(x, (x, y)).gradient(by=x).shows(g)) == (
        "lstm.Cell(n, bias=flag).load(weight=w, bias=(y if flag else None)).on(x, (x, y)).gradient(by=(x)) → g"
    )
    assert str(Call("a.f", SQUARE, function((z,), z[i], (i, 0, 1)), "word").shows(g)) == (
        "a.f((v ↦ v**2), (z ↦ z[i], (i, 0, 1)), 'word') → g"
    )


def test_how_points_run_is_derived() -> None:
    plain = Call("a.f", x).shows(z)
    assert (plain.batch, plain.differentiable, plain.subject) == ("vmap", True, "a.f")
    assert (plain.one_by_one().batch, plain.outside_autograd().differentiable) == ("loop", False)
    assert (STEPPED.shows(z).batch, STEPPED.shows(z).differentiable) == ("leading", False)
    rows = Call("ode.odeint", SQUARE, x).rows(1)
    assert (rows.batch, rows.differentiable, rows.gradient(by=x).differentiable) == ("leading", True, False)
    assert Call("a.f", x).gradient(by=x).differentiable
    assert Call("a.f", Call("torch.distributions.Normal", x, y)).subject == "a.f"
    assert Call("a.f", x) == Call("a.f", x) != Call("a.f", y)
    assert hash(Call("a.f", x)) == hash(Call("a.f", x))


class Mine(nn.Module):
    """The cell of test_call.py with names of its own."""

    def __init__(self, size: int, bias: bool = True) -> None:
        super().__init__()
        self.lin = nn.Linear(2, size, bias=bias)

    def forward(self, x: Tensor) -> Any:
        return self.lin(x)


CELL_AT = {"tensors": VECTORS | {"w": [[1.0, 1.0], [0.0, 1.0]]}, "structure": {WIDTH: 2, FLAG: "yes"}}
SGD_AT = {"tensors": {"x": [1.0], "y": [[1.0]]}, "host": {"lr": 0.5}}

NOT_CALLABLE: dict[str, tuple[Call, Any, dict[str, Any], str]] = {
    "other arguments": (
        Call("a.f", x, y, eps=0.5).shows(z), lambda x: x, {"tensors": VECTORS}, "expected a.f(x, y, eps=0.5), got"),
    "no function": (Call("a.f", x).shows(z), 3, {"tensors": VECTORS}, "int, which is not callable"),
    "another forward": (CELL.on(x, y, y).shows(z), Cell, CELL_AT, "too many positional arguments"),
    "other names of parameters": (
        CELL.on(x).shows(z), Mine, CELL_AT, "try --bind weight=lin.weight,bias=lin.bias"),
    "another layout of parameters": (
        CELL.on(x).shows(z), Cell, CELL_AT | {"tensors": VECTORS | {"w": [[1.0, 1.0]]}},
        "has the shape (2, 2), expected (1, 2)"),
    "parameters that nobody sets": (
        Call("lstm.Cell", n).on(x).shows(z), Cell, CELL_AT,
        "has the parameters weight, bias, which the claim gives no"),
    "no module": (CELL.on(x).shows(z), lambda n, bias: n, CELL_AT, "is int, expected a torch.nn.Module"),
    "another name in the state": (
        Call("optim.SGD", [x], lr=lr, momentum=0.5).each_step(y).shows(z=state("exp_avg")), torch.optim.SGD, SGD_AT,
        "keeps momentum_buffer in its state, expected exp_avg: bind it with --bind exp_avg=<its name>"),
    "another name of what is returned": (
        Call("a.f", x).shows(z=returned("loss")), lambda x: {"value": x}, {"tensors": VECTORS}, "has no 'loss'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", NOT_CALLABLE)
def test_a_subject_that_cannot_be_called_so_is_no_wrong_program(mistake: str) -> None:
    call, subject, given, words = NOT_CALLABLE[mistake]
    with pytest.raises(NotCallable) as refused:
        shown(call, subject, **given)
    assert words in str(refused.value)
    assert refused.value.failure == "not callable here"


BROKEN: dict[str, tuple[Call, Any, dict[str, Any], str]] = {
    "too few outputs": (
        Call("a.f", x).shows(z, g), lambda x: x, {"tensors": VECTORS}, "returns 1 tensors, expected at least 2"),
    "no tuple": (
        Call("a.f", x).shows(z=returned(1)), lambda x: x, {"tensors": VECTORS}, "returns one Tensor, expected a tuple"),
    "draws too often": (
        Call("a.f", x, generator=draws(y)).shows(z), noisy, {"tensors": VECTORS}, "draws more often than 1 times"),
    "draws too seldom": (
        Call("a.f", x, generator=draws(y, y, x)).shows(z), noisy, {"tensors": VECTORS}, "draws 2 times, expected 3"),
    "draws in another shape": (
        Call("a.f", x, generator=draws(y, lr)).shows(z), noisy, {"tensors": VECTORS | {"lr": 1.0}},
        "draws noise of shape (2,)"),
    "draws what no noise replaces": (
        Call("a.f", x, generator=draws(y)).shows(z), lambda x, generator: torch.bernoulli(x), {"tensors": VECTORS},
        "draws with bernoulli, which no noise of the claim replaces"),
    "accepts what it must refuse": (
        Call("a.f", x).raises(ValueError).shows(z), lambda x: x, {"tensors": VECTORS}, "accepts it and returns Tensor"),
    "refuses with another error": (
        Call("a.f", x).raises(TypeError).shows(z), refusing, {"tensors": VECTORS}, "raises ValueError"),
    "refuses in other words": (
        Call("a.f", x).raises(ValueError, "negative").shows(z), refusing, {"tensors": VECTORS},
        "a message with 'negative'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_contract_is_a_wrong_program(mistake: str) -> None:
    call, subject, given, words = BROKEN[mistake]
    with pytest.raises(SubjectError) as refused:
        shown(call, subject, **given)
    assert words in str(refused.value)
    assert refused.value.failure == "contract"


def test_names_can_be_bound() -> None:
    expected = shown(CELL.on(x).shows(z), Cell, **CELL_AT)["z"]
    names = {"weight": "lin.weight", "bias": "lin.bias"}
    torch.testing.assert_close(shown(CELL.on(x).shows(z), Bound(Mine, names), **CELL_AT)["z"], expected)
    named = type("Named", (Mine,), {"gnomon_names": names})
    torch.testing.assert_close(shown(CELL.on(x).shows(z), named, **CELL_AT)["z"], expected)
    rate = Bound(lambda x, rate: x * rate, {"lr": "rate"})
    assert shown(Call("a.f", x, lr=2.0).shows(z), rate, {"x": [1.0]})["z"] == 2
    kept = Bound(torch.optim.SGD, {"exp_avg": "momentum_buffer"})
    call = Call("optim.SGD", [x], lr=lr, momentum=0.5).each_step(y).shows(z=state("exp_avg"))
    assert shown(call, kept, **SGD_AT)["z"] == 1


def test_a_condition_that_nothing_decides_is_an_error_of_the_claim() -> None:
    other = Choice("other", {"a": {}, "b": {}})
    with pytest.raises(ValueError, match="other is no flag"):
        shown(Call("a.f", when(other, x)).shows(z), lambda x: x, VECTORS, {other: "a"})
    with pytest.raises(ValueError, match="is not decided by"):
        shown(Call("a.f", when(Symbol("m") > 1, x)).shows(z), lambda x: x, VECTORS)
    found = shown(Call("a.f", when(n > 1, x, y)).shows(z), lambda x: x, VECTORS, {Size("n"): 1})
    assert torch.equal(found["z"], torch.tensor([3.0, 5.0], dtype=torch.float64))
