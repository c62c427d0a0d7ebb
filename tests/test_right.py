"""Right programs that are organised otherwise hold: a sample of them; `benchmarks/right_programs.py` looks at all."""

import functools
import importlib
import pkgutil

import pytest
import right
import torch

from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.find.walk import about, built, models
from gnomon.say.evidence import Evidence

FILES = [importlib.import_module(f"right.{info.name}") for info in pkgutil.iter_modules(right.__path__)]
RIGHT = [each for file in FILES for each in file.RIGHT]
SAMPLE = {
    "activations.ELU: expm1 in parts",
    "activations.tanh_grad: one exponential",
    "convolution.conv1d_weight: autograd's",
    "flow.Affine: LU",
    "gan.discriminator_loss: logaddexp",
    "graph.adjacency: flat index_add",
    "lstm.LSTMCell: two Linears, bound",
    "nn.collapse_linear: from the right",
    "normalization.batch_norm_backward: autograd's",
    "optim.adam_update: lerp and addcdiv",
    "pooling.MaxPool2d: rows, then columns",
    "sequence.cross_entropy: logaddexp, one by one",
    "sequence_tasks.Tagger: inputs and outputs at once",
    "standardize.minmax: lerp",
}


def asked(subject, only=()):
    """The claims about a subject; those that are named, if some are."""
    found = [built(entry) for entry in about(subject)]
    return [claim for claim in found if not only or claim.id in only]


def evidence(claim, subject, dtype):
    blank = Evidence(claim.id, claim.subject, "right", "cpu", dtype, "undecided")
    return judge(
        prepare(claim, subject, "right", dtype, "cpu"), draw_examples(claim, 4, seed_for(claim, 0)), "quick", blank
    )


def test_there_are_enough_of_them_and_each_is_asked_about():
    assert len(RIGHT) >= 60
    names = {f"{each.subject}: {each.name}" for each in RIGHT}
    assert len(names) == len(RIGHT)
    assert names >= SAMPLE
    assert {each.subject for each in RIGHT} <= set(models())
    for each in RIGHT:
        assert {claim.id for claim in asked(each.subject)} >= set(each.claims), each


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_a_right_program_holds(name, dtype):
    (program,) = (each for each in RIGHT if f"{each.subject}: {each.name}" == name)
    claim = min(asked(program.subject, program.claims), key=lambda claim: claim.id)
    found = evidence(claim, program.program, dtype)
    assert found.verdict == "holds", found


FAULTS = {
    "bn.gradient.images": (torch.nn.BatchNorm2d, "the second for transposed inputs"),
    "optim.momentum.nesterov": (functools.partial(torch.optim.SGD, foreach=True), "its step changes the gradients"),
}
"""Faults of torch's own, in 2.13 on a CPU: images of one row that lie otherwise, and gradients as scratch paper."""


@pytest.mark.parametrize("row", FAULTS)
def test_a_fault_of_torchs_is_no_right_program(row):
    program, words = FAULTS[row]
    subject = "normalization.BatchNorm2d" if row.startswith("bn.") else "momentum.SGD"
    (claim,) = asked(subject, (row,))
    found = evidence(claim, program, "float64")
    assert (found.verdict, found.failure) == ("fails", "contract")
    assert words in found.reason
