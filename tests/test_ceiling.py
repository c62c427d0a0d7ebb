"""Claims with a ceiling in ULP: what loses digits inside of its budget is found, what keeps them is not."""

import dataclasses

import pytest
import torch
from test_exhaustive import LOGISTIC
from torch.nn import functional as F

import gnomon
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import judge, prepare
from gnomon.find import walk
from gnomon.find.subjects import resolve
from gnomon.front.terminal import table
from gnomon.say.claim import Relation
from gnomon.say.evidence import Evidence


def softplus(x):
    return torch.where(x > 10, x, torch.log(1 + torch.exp(x.clamp(max=10))))


class ELU(torch.nn.Module):
    def __init__(self, alpha):
        super().__init__()
        self.alpha = alpha

    def forward(self, x):
        return torch.where(x > 0, x, self.alpha * (torch.exp(x.clamp(max=0)) - 1))


class Sigmoid(torch.nn.Module):
    def forward(self, x):
        return (1 + torch.tanh(x / 2)) / 2


class Same(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function, *options):
        super().__init__()
        self.function, self.options = function, options

    def forward(self, x):
        return self.function(x, *self.options)


def of(function):
    return lambda *options, **more: Same(function, *options, *more.values())


def look(id, subject, dtype):
    (claim,) = walk.select([id])
    task = prepare(claim, subject or resolve(claim.subject, {})[0], "planted", dtype, "cpu")
    return judge(
        task, draw_examples(claim, 2, 0), "quick", Evidence(id, claim.subject, "here", "cpu", dtype, "undecided")
    )


@pytest.mark.parametrize(
    ("id", "subject"),
    [("act.softplus", softplus), ("act.elu", ELU), ("act.sigmoid", Sigmoid)],
    ids=["softplus", "ELU", "Sigmoid"],
)
def test_what_loses_its_digits_inside_the_budget_is_found(id, subject):
    found = look(id, subject, "float16")
    assert (found.verdict, found.failure) == ("fails", "inaccurate")
    assert found.reason.startswith("digits are lost: off by ")
    assert found.worst.share < 1, "the budget of its formula allows it"
    assert found.ulp.error > found.ulp.ceiling == 4
    again = gnomon.check_point(
        id, found.counterexample.structure, found.counterexample.inputs, dtype="float16", impl=subject
    )
    assert again.startswith(f"{id}: inaccurate")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    ("id", "subject"),
    [
        *((id, None) for id in ("act.sigmoid", "act.softplus", "act.elu", "act.tanh.from_sigmoid")),
        *((f"act.{name}.derivative.tail", None) for name in ("sigmoid", "tanh")),
        ("act.sigmoid", of(torch.sigmoid)),
        ("act.softplus", F.softplus),
        ("act.softplus", lambda x: -F.logsigmoid(-x)),
        ("act.elu", of(F.elu)),
        ("act.tanh.from_sigmoid", of(torch.tanh)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_keeps_its_digits_holds(id, subject, dtype):
    found = look(id, subject, dtype)
    assert found.verdict == "holds"
    assert found.ulp.ceiling == 4
    assert f"{found.ulp.error:.3g} ULP of 4" in str(found)
    assert f"{found.ulp.error:.3g} ULP of 4" in table([found.to_data()], lambda text, _: text)


def test_a_ceiling_is_about_an_equality_and_leaves_room_for_rounding():
    with pytest.raises(ValueError, match=r"a ceiling is above 0\.5"):
        dataclasses.replace(LOGISTIC, ceiling=0.5)
    with pytest.raises(ValueError, match="about an equality"):
        dataclasses.replace(LOGISTIC, ceiling=2, relation=Relation(LOGISTIC.statement.lhs, "<=", 1))
