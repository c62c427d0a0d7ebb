"""A variant is named although something stands in the way, and none is where a subject has a fault of its own."""

import dataclasses

import pytest
import torch
import toy

from gnomon.check.verdict import check
from gnomon.say.claim import Output, Program, Variant

BOTH = dataclasses.replace(
    toy.VARIANCE,
    id="toy.both",
    program=Program(toy.VARIANCE.program.lets, (Output("mean", toy.mean), Output("var", toy.var))),
    variants=(
        Variant("mean over n - 1", "known bug", replace=((toy.mean, toy.total(toy.x[toy.j]) / (toy.N - 1)),)),
        Variant("biased", "numpy", replace=((toy.var, toy.total((toy.x[toy.j] - toy.mean) ** 2) / toy.N),)),
    ),
)


def biased(x):
    return torch.var(x, correction=0)


def evidence(subject, claim=toy.VARIANCE, dtype="float64"):
    (found,) = check(
        claim, implementations={claim.subject: subject}, device="cpu", dtypes=[dtype], budget="quick", seed=0
    )
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("subject", "failure", "besides"),
    [
        (biased, "wrong formula", ""),
        (lambda x: biased(x) / (x[0] != x[1]), "range", ""),
        (lambda x: biased(x).reshape(1), "contract", ""),
        (lambda x: biased(x) + (x[0] == x[1]) * (x[0] > 0), "wrong formula", "of what tells it apart in out"),
    ],
)
def test_a_variant_is_named_behind_an_infinity_a_shape_and_a_second_difference(subject, failure, besides, dtype):
    found = evidence(subject, dtype=dtype)
    assert (found.failure, found.variant) == (failure, "biased"), found.reason
    assert ("it follows" in found.reason) == bool(besides)
    assert besides in found.reason


@pytest.mark.parametrize(
    "subject",
    [
        lambda x: biased(x) + 1,
        lambda x: torch.var(x).reshape(1),
        lambda x: torch.where(x[0] > 0, biased(x), torch.var(x)),
        lambda x: torch.var(x) / (x[0] != x[1]),
    ],
)
def test_no_variant_is_named_for_another_fault(subject):
    found = evidence(subject)
    assert (found.verdict, found.variant) == ("fails", None), found.reason


def test_a_variant_that_one_output_follows_is_named_for_it():
    found = evidence(lambda x: (x.sum() / (len(x) - 1), torch.var(x)), BOTH)
    assert (found.variant, found.failure) == ("mean over n - 1", "wrong formula")
    assert "in mean alone" in found.reason

    found = evidence(lambda x: (x.mean() + 1, biased(x)), BOTH)
    assert found.variant == "biased"
    assert found.reason.endswith("in var alone; mean departs otherwise")
