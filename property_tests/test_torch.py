"""torch's own objects in the place of the reference models: where they hold, and where they are known not to."""

import pytest
import torch

from gnomon.check.strategies import draw_examples
from gnomon.check.task import BUDGETS
from gnomon.check.verdict import DTYPES, judge, prepare, seed_for
from gnomon.find.walk import select
from gnomon.say.evidence import Evidence

nn, functional, init = torch.nn, torch.nn.functional, torch.nn.init
EVERY = tuple(DTYPES)

HOLDS = (
    ("activations.Sigmoid", nn.Sigmoid, "act.sigmoid", EVERY),
    ("activations.sigmoid", torch.sigmoid, "act.sigmoid.higher_derivatives", EVERY),
    ("activations.Tanh", nn.Tanh, "act.tanh.from_sigmoid", EVERY),
    ("activations.ReLU", nn.ReLU, "act.relu*", EVERY),
    ("activations.LeakyReLU", nn.LeakyReLU, "act.leaky_relu*", EVERY),
    ("activations.ELU", nn.ELU, "act.elu*", EVERY),
    ("activations.SiLU", nn.SiLU, "act.silu", EVERY),
    ("activations.GELU", nn.GELU, "act.gelu", ("float64", "float16")),
    ("activations.GELU", nn.GELU, "act.gelu.tanh", ("float64", "float32", "float16")),
    ("subdifferential.absolute", torch.abs, "subdiff.abs.slope", EVERY),
    ("training.GradientDescent", torch.optim.SGD, "train.gd.step", EVERY),
    ("training.GradientDescent", torch.optim.SGD, "gdprac.convergence*", EVERY),
    ("training.MiniBatches", torch.utils.data.BatchSampler, "gdprac.*", EVERY),
    ("momentum.SGD", torch.optim.SGD, "optim.momentum.*", EVERY),
    ("optim.Adam", torch.optim.Adam, "optim.adam.*", EVERY),
    ("optim.AdamW", torch.optim.AdamW, "optim.adam.update.*", EVERY),
    ("initialization.kaiming_normal_", init.kaiming_normal_, "init.*", EVERY),
    ("initialization.kaiming_uniform_", init.kaiming_uniform_, "init.*", EVERY),
    ("initialization.xavier_normal_", init.xavier_normal_, "init.*", EVERY),
    ("initialization.xavier_uniform_", init.xavier_uniform_, "init.*", EVERY),
    ("initialization.calculate_gain", init.calculate_gain, "init.*", EVERY),
    ("normalization.BatchNorm1d", nn.BatchNorm1d, "bn.*", EVERY),
    ("normalization.BatchNorm2d", nn.BatchNorm2d, "bn.*", EVERY),
    ("normalization.batch_norm", functional.batch_norm, "bn.running.evaluation", EVERY),
    # torch's convolutions take subnormal products in bfloat16 for zero
    ("convolution.Conv1d", nn.Conv1d, "conv.*", ("float64", "float32", "float16")),
    ("convolution.Conv2d", nn.Conv2d, "conv.*", EVERY),
    ("convolution.conv1d_input", torch.nn.grad.conv1d_input, "conv.gradients", EVERY),
    ("convolution.conv1d_weight", torch.nn.grad.conv1d_weight, "conv.gradients.weight", ("float64", "float32")),
    ("pooling.MaxPool1d", nn.MaxPool1d, "pool.*", EVERY),
    ("pooling.MaxPool2d", nn.MaxPool2d, "pool.*", EVERY),
    ("pooling.AvgPool1d", nn.AvgPool1d, "pool.*", EVERY),
    ("pooling.AvgPool2d", nn.AvgPool2d, "pool.*", EVERY),
    ("sequence.cross_entropy", functional.cross_entropy, "seq.lm.classification", EVERY),
    ("recurrent.RNN", nn.RNN, "rnn.*", EVERY),
    ("lstm.LSTMCell", nn.LSTMCell, "lstm.cell", EVERY),
    ("lstm.LSTM", nn.LSTM, "lstm.*", EVERY),
)
"""Subject, torch's object, claims, dtypes."""

DIFFERS = (
    # F.softplus goes over to x above 20, which leaves out log1p(exp(-20)), 2e-9
    ("activations.softplus", functional.softplus, "act.softplus", "float64", "inaccurate", "x above 20"),
    # below a threshold of 500 exp(x) overflows first
    ("activations.Softplus", nn.Softplus, "act.softplus.threshold", "float32", "range", None),
    # in full vectors F.gelu is infinite from 2**127 on; its tanh form has a slope that is not a number from 2**64 on
    ("activations.GELU", nn.GELU, "act.gelu", "bfloat16", "range", None),
    ("activations.GELU", nn.GELU, "act.gelu.tanh", "bfloat16", "range", None),
    # which is what AdamW was written against
    ("optim.AdamW", torch.optim.Adam, "optim.adam.update.adamw", "float64", "wrong formula", "decay as a penalty"),
    # on the CPU its gradient is wrong for images of one row or column that lie otherwise than one after another
    *(
        ("normalization.BatchNorm2d", nn.BatchNorm2d, claim, dtype, "contract", None)
        for claim in ("bn.gradient.images", "bn.running.untracked.images")
        for dtype in EVERY
    ),
)
"""Subject, torch's object, claim, dtype, class of the failure, the variant that it is."""


def verdict(claim, theirs, dtype):
    task = prepare(claim, theirs, "torch", dtype, "cpu")
    examples = draw_examples(claim, BUDGETS["quick"].structures, seed_for(claim, 0))
    return judge(task, examples, "quick", Evidence(claim.id, claim.subject, "torch", "cpu", dtype, "undecided"))


OTHERWISE = {(theirs, claim, dtype) for _, theirs, claim, dtype, _, _ in DIFFERS}
CASES = [
    pytest.param(claim, theirs, held, id=f"{theirs.__name__}-{claim.id}")
    for subject, theirs, glob, dtypes in HOLDS
    for claim in select([glob])
    if claim.subject == subject and (held := [dtype for dtype in dtypes if (theirs, claim.id, dtype) not in OTHERWISE])
]


# Inside torch.func.vjp the recurrent kernels have no batching rule; torch falls back to a loop, and says so.
@pytest.mark.filterwarnings("ignore:There is a performance drop because we have not yet implemented:UserWarning")
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize(("claim", "theirs", "dtypes"), CASES)
def test_torchs_object_holds(claim, theirs, dtypes):
    for dtype in dtypes:
        evidence = verdict(claim, theirs, dtype)
        assert evidence.verdict == "holds", str(evidence)


@pytest.mark.parametrize(("subject", "theirs", "claim", "dtype", "failure", "variant"), DIFFERS)
def test_where_torch_differs_it_is_said_how(subject, theirs, claim, dtype, failure, variant):
    (about,) = select([claim])
    evidence = verdict(about, theirs, dtype)
    assert about.subject == subject
    assert (evidence.failure, evidence.variant) == (failure, variant)


@pytest.mark.parametrize("row", HOLDS, ids=lambda row: f"{row[0]}-{row[2]}")
def test_every_row_means_some_claim(row):
    assert any(claim.subject == row[0] for claim in select([row[2]]))
