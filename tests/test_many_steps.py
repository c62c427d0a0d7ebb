"""Many steps: a bug of a late step is found, and updates that get lost in 16 bits are named, or refused if asked."""

import dataclasses

import pytest
import torch

import gnomon
from gnomon.check import large, many_steps
from gnomon.check.many_steps import KEPT, LOST
from gnomon.check.strategies import draw_examples
from gnomon.check.task import BUDGETS, Outcome
from gnomon.check.verdict import judge, prepare
from gnomon.find import walk
from gnomon.find.subjects import resolve
from gnomon.say.evidence import Evidence


def model(name):
    return resolve(name, {})[0]


def late(name, after):
    """An optimizer that steps half as far from a step on."""

    class Late(model(name)):
        def step(self, closure=None):
            self.count = getattr(self, "count", 0) + 1
            for group in self.param_groups:
                group["lr"] *= 0.5 if self.count == after else 1.0
            return super().step(closure)

    return Late


class Mean(model("optim.Adam")):
    """A mean that forgets faster from step 7 on."""

    def step(self, closure=None):
        self.count = getattr(self, "count", 0) + 1
        for group in self.param_groups:
            group["betas"] = (0.5, group["betas"][1]) if self.count >= 7 else group["betas"]
        return super().step(closure)


class Norm(model("normalization.BatchNorm1d")):
    """Running statistics that are no longer moved after 20 batches."""

    def forward(self, input):
        if self.num_batches_tracked >= 20:
            self.momentum = 0.0
        return super().forward(input)


class Network(model("recurrent.RecurrentNetwork")):
    """A sequence in two pieces, of which the second begins at rest."""

    def forward(self, input, *more):
        axis = 0
        if input.shape[axis] <= 64:
            return super().forward(input, *more)
        pieces = [super(Network, self).forward(piece, *more) for piece in input.split(64, axis)]
        if isinstance(pieces[0], tuple):
            return torch.cat([piece[0] for piece in pieces], axis), *pieces[-1][1:]
        return torch.cat(pieces, axis)


class Master(torch.optim.Optimizer):
    """SGD without momentum whose parameters are kept in float32."""

    def __init__(self, params, lr, **options):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                master = self.state[p].setdefault("master", p.detach().float().clone())
                master -= group["lr"] * p.grad.float()
                p.copy_(master)


def looked(id, subject, dtype="float64", grade="any"):
    (claim,) = walk.select([id])
    task = prepare(claim, subject, "planted", dtype, "cpu", grade=grade)
    outcome = Outcome()
    return task, outcome, many_steps.look(task, draw_examples(claim, 2, 1), outcome)


@pytest.mark.parametrize(
    ("id", "subject", "size", "begins"),
    [
        ("optim.adam.first_moment", Mean, "T", 7),
        ("optim.momentum.update.velocity", late("momentum.HeavyBall", 33), "T", 33),
    ],
)
def test_a_bug_of_a_late_step_is_found_and_said_to_begin_there(id, subject, size, begins):
    _, _, failure = looked(id, subject)
    assert failure is not None
    assert failure.example.structure[size] == begins


LONG = [
    ("bn.running", Norm, "T"),
    ("rnn.output", Network, "T"),
    ("optim.momentum.update.velocity", late("momentum.HeavyBall", 100), "T"),
]


@pytest.mark.parametrize(("id", "subject", "size"), LONG, ids=["Norm", "Network", "HeavyBall"])
def test_states_of_modules_are_run_as_long_and_a_hundred_steps_are_made(id, subject, size, monkeypatch):
    monkeypatch.setattr(large, "_shrunk", lambda task, failure, **_: failure)  # looking for the first step takes long
    _, _, failure = looked(id, subject)
    assert failure.example.structure[size] in many_steps.MANY


def test_a_verdict_has_it(monkeypatch):
    few = dataclasses.replace(BUDGETS["standard"], structures=1, points=54, large=0)
    monkeypatch.setitem(BUDGETS, "standard", few)
    (claim,) = walk.select(["optim.momentum.update.none"])
    task = prepare(claim, late("momentum.SGD", 33), "planted", "float32", "cpu")
    blank = Evidence(claim.id, claim.subject, "planted", "cpu", "float32", "undecided")
    found = judge(task, draw_examples(claim, 1, 0), "standard", blank)
    assert found.verdict == "fails"
    assert found.reason.startswith("from T = 33 on: ")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_lost_updates_are_named_and_a_master_copy_keeps_them(dtype):
    for subject, steps in ((Master, KEPT), (torch.optim.SGD, LOST), (model("momentum.SGD"), LOST)):
        _, outcome, failure = looked("optim.momentum.update.none", subject, dtype)
        assert failure is None
        assert outcome.search.steps == steps


def test_steps_in_float32_can_be_asked_for():
    id = "optim.momentum.update.none"
    task, outcome, failure = looked(id, torch.optim.SGD, "bfloat16", "float32")
    assert failure is None
    found = many_steps.lost_steps(task, outcome.lost_steps)
    assert found.failure == "inaccurate"
    assert found.reason.startswith("updates are lost: ")
    at = found.counterexample
    assert at.difference > at.budget
    assert "grade='float32'" in at.code
    options = {"dtype": "bfloat16", "impl": torch.optim.SGD}
    again = gnomon.check_point(id, at.structure, at.inputs, grade="float32", **options)
    assert again.startswith(f"{id}: inaccurate")
    assert "holds" in gnomon.check_point(id, at.structure, at.inputs, **options)
    _, kept, _ = looked(id, Master, "bfloat16", "float32")
    assert kept.lost_steps is None


def test_the_state_of_an_optimizer_is_a_state_too():
    """Adam's mean square in bfloat16 stands still, where 0.999 of it is rounded to it again."""
    _, outcome, _ = looked("optim.adam.second_moment", torch.optim.Adam, "bfloat16")
    assert outcome.search.steps == LOST
    _, outcome, _ = looked("optim.adam.second_moment", model("optim.Adam"), "bfloat16")
    assert outcome.search.steps in (KEPT, LOST)


def test_maxima_and_what_no_input_feeds_are_no_steps():
    (minmax, network) = (walk.select([id])[0] for id in ("std.minmax", "uat.width.sufficiency.network"))
    assert many_steps.recursions(minmax) == many_steps.recursions(network) == set()
