"""A right program that has other names, or takes other arguments, never fails: it is bound, or exit 2."""

from __future__ import annotations

import json

import pytest

import gnomon
from gnomon.drive.bound import Bound, parse_names, proposal
from gnomon.find.subjects import load
from gnomon.front.cli import main
from gnomon.say.errors import UsageError
from gnomon.say.evidence import exit_code

CELL = """
import torch
from torch import nn

class Cell(nn.Module):
    def __init__(self, input_size, hidden_size, bias=True):
        super().__init__()
        self.x2h = nn.Linear(input_size, 4 * hidden_size, bias=bias)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=bias)

    def forward(self, x, state):
        h, c = state
        i, f, g, o = (self.x2h(x) + self.h2h(h)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

class Named(Cell):
    gnomon_names = {"weight_ih": "x2h.weight", "weight_hh": "h2h.weight", "bias_ih": "x2h.bias", "bias_hh": "h2h.bias"}

class Short(nn.Module):
    def __init__(self, size):
        super().__init__()
"""
NAMES = "weight_ih=x2h.weight,weight_hh=h2h.weight,bias_ih=x2h.bias,bias_hh=h2h.bias"


@pytest.fixture
def cell(tmp_path):
    path = tmp_path / "cells.py"
    path.write_text(CELL)
    return path


def run(capsys, path, *more):
    out = ["--out", str(path.parent / "out"), "--dtype", "float64", "--json"]
    code = main(["verify", "lstm.cell", *more, *out])
    return code, json.loads(capsys.readouterr().out)["results"][0]


def test_a_cell_with_other_names_is_not_callable_until_they_are_bound(capsys, cell):
    impl = f"lstm.LSTMCell={cell}:Cell"
    code, result = run(capsys, cell, "--impl", impl)
    assert (code, result["verdict"], result["failure"]) == (2, "not callable here", None)
    assert "has the parameters and buffers x2h.weight" in result["reason"]
    code, result = run(capsys, cell, "--impl", impl, "--bind", NAMES)
    assert (code, result["verdict"], result["reason"]) == (0, "holds", "")
    assert result["implementation"] == f"{cell}:Cell[{NAMES}]"


def test_a_class_may_bring_its_names(capsys, cell):
    code, result = run(capsys, cell, "--impl", f"lstm.LSTMCell={cell}:Named")
    assert (code, result["verdict"]) == (0, "holds")


def test_another_signature_is_not_callable(capsys, cell):
    code, result = run(capsys, cell, "--impl", f"lstm.LSTMCell={cell}:Short")
    assert (code, result["verdict"]) == (2, "not callable here")
    assert "Short(size)" in result["reason"]
    results = gnomon.verify("optim.adam.update.first_step", impl={"optim.Adam": lambda params, rate: None})
    assert results.exit_code == 2
    assert "2 not callable here" in str(results)
    assert "missing a required argument: 'rate'" in str(results)


def test_names_need_one_implementation_and_the_right_form(capsys, cell):
    assert main(["verify", "lstm.cell", "--bind", NAMES, "--out", str(cell.parent)]) == 2
    assert "--bind with 0 --impl" in capsys.readouterr().err
    with pytest.raises(UsageError, match="expected ours=yours"):
        parse_names("weight_ih:x2h.weight")
    found = load(f"{cell}:Cell[a=b, c=d]")
    assert isinstance(found, Bound)
    assert found.names == {"a": "b", "c": "d"}


def test_names_are_proposed_where_the_shapes_leave_no_choice():
    assert proposal({"w": (2, 3), "b": (2,)}, {"lin.b": (2,), "lin.w": (2, 3)}) == "; try --bind w=lin.w,b=lin.b"
    assert proposal({"w": (2, 2), "v": (2, 2)}, {"a": (2, 2), "b": (2, 2)}) == "; bind yours with --bind ours=yours,..."
    assert proposal({}, {"a": (1,)}) == ""


def test_exit_codes():
    assert exit_code(["holds", "not callable here", "undecided"]) == 2
    assert exit_code(["fails", "not callable here"]) == 1
    assert exit_code(["holds"]) == 0
    assert exit_code(["holds", "undecided"]) == 3
