"""Which arguments some claim looks at: read off calls, seen in drivers, and NOT LOOKED AT where none does."""

import json

import pytest
import torch
import toy

from gnomon.check.options import Argument, not_looked_at, options, options_of
from gnomon.check.passed import Record, passed, watching
from gnomon.check.verdict import check, prepare
from gnomon.drive.driver import Driver
from gnomon.find import walk
from gnomon.front.options import as_data, shown
from gnomon.reference import momentum, optim


def variance(x, correction=1, *, scale=1.0):
    return x.var(correction=correction) * scale


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def test_an_argument_that_nobody_draws_is_not_looked_at():
    found = {argument.name: argument for argument in options(variance, [toy.VARIANCE, toy.BOUND])}
    assert found["x"].given == {"toy.variance": ["tensor"], "toy.bound": ["tensor"]}
    assert found["x"].missed == ""
    assert not found["scale"].looked_at
    assert (found["scale"].default, found["scale"].missed) == ("1.0", "every claim leaves it at 1.0")


def test_a_call_is_read_as_data():
    found = {argument.name: argument for argument in options_of("optim.Adam")}
    assert found["maximize"].given["optim.adam.update.maximize"] == ["True"]
    assert found["lr"].given["optim.adam.update"] == ["in [0, ∞)"]
    assert found["step.closure"].missed == "every claim leaves it at None"
    assert options_of("optim.Adam") == list(found.values())  # as remembered


def test_what_stands_in_a_models_place_may_take_more():
    class Foreach(optim.Adam):
        def __init__(self, params, lr=1e-3, foreach=False):
            super().__init__(params, lr)

    missed = not_looked_at("optim.Adam", Foreach)
    assert missed == {
        "foreach": "the reference has none of that name",
        "step.closure": "every claim leaves it at None",
    }


def test_the_evidence_names_what_no_claim_looks_at():
    def unread(name, subject):
        return {
            argument.name: argument.missed for argument in options(subject, [toy.VARIANCE]) if not argument.looked_at
        }

    asked = {"device": "cpu", "dtypes": ["float32"], "budget": "quick", "seed": 0, "unread": unread}
    found = check(toy.VARIANCE, implementations={toy.VARIANCE.subject: variance}, **asked)[0]
    assert found.covered.not_looked_at["argument scale"] == "every claim leaves it at 1.0"
    assert found.covered.not_looked_at["argument correction"] == "every claim leaves it at 1"


def test_a_driver_that_cannot_be_seen_says_so():
    def demands_the_very_one(subject, case):
        assert subject is variance
        return lambda tensors: {"out": subject(tensors["x"])}

    task = prepare(toy.VARIANCE, variance, "here", "float64", "cpu")
    task.driver = Driver(demands_the_very_one, "")
    assert passed(task) is None
    assert Argument("scale", "1.0", unknown=["toy.variance"]).missed == "unknown (driver)"


def test_what_a_subject_gives_to_itself_is_not_counted():
    class Twice(torch.nn.Module):
        def __init__(self, width=2, bias=True):
            super().__init__()

        def forward(self, x, again=True):
            return self.forward(x, False) if again else x

    record = Record()
    watching(Twice, record)(width=3)(torch.ones(1))
    assert record.words() == {"width": ["3"], "bias": ["True"], "forward.x": ["tensor"], "forward.again": ["True"]}


def test_many_numbers_are_said_by_their_ends():
    record = Record()
    watched = watching(momentum.sgd_update, record)
    for lr in range(9):
        watched(torch.ones(1), torch.ones(1), torch.ones(1), lr=float(lr), momentum=0.5)
    assert record.words()["lr"] == ["0.0 … 8.0"]
    assert record.words()["momentum"] == ["0.5"]


def test_the_claims_on_a_subject_are_found_without_the_others():
    every = walk.entries()
    for subject in {entry.subject for entry in every.values()}:
        ids = {entry.id for entry in walk.about(subject)}
        assert ids == {id for id, entry in every.items() if entry.subject == subject}


def test_the_command_line_lists_options():
    lines = shown(["optim.Adam"], lambda text, _: text).splitlines()
    assert lines[0] == "optim.Adam"
    assert any("step.closure=None" in line and "NOT LOOKED AT" in line for line in lines)
    rows = json.loads(as_data(["optim.Adam"]))["options"]
    assert {row["name"]: row["looked_at"] for row in rows}["maximize"] is True
