"""What torch.compile makes of a subject is compared with the truth, where that is asked for."""

import dataclasses

import pytest
import torch

from gnomon.check.contract import compiling
from gnomon.check.covered import not_asked_for
from gnomon.check.strategies import draw_examples
from gnomon.check.undisturbed import undisturbed
from gnomon.check.verdict import DTYPES, judge, prepare
from gnomon.find import walk
from gnomon.find.subjects import resolve
from gnomon.run import implementations
from gnomon.run.executor import TaskRaised
from gnomon.say.errors import UsageError
from gnomon.say.evidence import Evidence

NAME, EXAMPLES = compiling.Compiled.name, 1


class Norm(resolve("normalization.BatchNorm1d", {})[0]):
    def forward(self, input):
        return super().forward(input) * (2 if torch.compiler.is_compiling() else 1)


def softplus(x):
    return torch.nn.functional.softplus(x) + (1 if torch.compiler.is_compiling() else 0)


class Adam(torch.optim.Adam):
    def step(self, closure=None):
        if torch.compiler.is_compiling():
            for group in self.param_groups:
                for p in group["params"]:
                    p.grad.neg_()
        return super().step(closure)


def look(id, subject=None, compiler="eager"):
    (claim,) = walk.select([id])
    task = prepare(claim, subject or resolve(claim.subject, {})[0], "planted", "float32", "cpu")
    task = dataclasses.replace(task, compiler=compiler)
    blank = Evidence(id, claim.subject, "here", "cpu", "float32", "undecided")
    with undisturbed(0):
        return judge(task, draw_examples(claim, EXAMPLES, 0), "quick", blank)


WRONG = [("act.softplus", softplus), ("bn.transform", Norm), ("optim.adam.update", Adam)]


@pytest.mark.parametrize(("id", "subject"), WRONG, ids=["softplus", "Norm", "Adam"])
def test_what_is_wrong_when_it_is_compiled_alone_is_found(id, subject):
    found = look(id, subject)
    assert (found.verdict, found.failure) == ("fails", "contract")
    assert found.reason.startswith("under torch.compile (eager) ")
    assert look(id, subject, compiler="").verdict == "holds"


@pytest.mark.parametrize("id", ["act.softplus", "bn.transform", "optim.adam.update", "lstm.cell"])
def test_the_reference_models_hold_when_compiled(id):
    found = look(id)
    assert found.verdict == "holds"
    assert found.search.contract[NAME] == EXAMPLES
    assert found.covered.environment["torch.compile"] == "eager"


def test_it_is_listed_where_it_was_not_asked_for():
    assert "torch.compile" in not_asked_for("cpu", ["float32"], DTYPES)
    assert "torch.compile" not in not_asked_for("cpu", ["float32"], DTYPES, "eager")
    assert NAME not in look("act.softplus", compiler="").search.contract


def test_the_first_backend_that_works_is_taken_and_without_one_nothing_runs(monkeypatch):
    monkeypatch.setattr(compiling, "BACKENDS", ("no such compiler", "eager"))
    assert compiling.backend_here() == "eager"
    monkeypatch.setattr(compiling, "BACKENDS", ("no such compiler",))
    with pytest.raises(UsageError, match=r"--compile: torch\.compile does not work here \(no such compiler: "):
        compiling.backend_here()


def test_the_command_line_stops_before_anything_runs_where_there_is_no_compiler():
    class Executor:
        def submit_within(self, *_):
            return self

        def result(self):
            raise TaskRaised("UsageError", "--compile: torch.compile does not work here", "")

    with pytest.raises(UsageError, match="does not work here"):
        implementations.compiler_of(Executor())
