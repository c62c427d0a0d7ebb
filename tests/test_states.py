"""What optimizers and modules owe that have a state, seen on torch's own: no false alarm, and torch's own bugs."""

import pytest
import torch

from gnomon.check.contract.optimizer_parts import OPTIMIZER_PARTS
from gnomon.check.contract.part import Setting, Unseen
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import prepare
from gnomon.drive.driver import SubjectError
from gnomon.find.walk import select

optim = torch.optim
(CLAIM,) = select(["train.gd.step"])
EXAMPLE = max(draw_examples(CLAIM, 16, 0), key=lambda example: (example.structure["n"] > 1, example.structure["T"]))


def fixed(cls, **options):
    def make(params, lr=0.01):
        return cls(params, lr=lr, **options)

    return make


def setting(subject, dtype):
    """The optimizer, driven as gradient descent is: with a learning rate alone."""
    task = prepare(CLAIM, subject, "torch", dtype, "cpu")
    return Setting(CLAIM, subject, task.observer(EXAMPLE), task.batch(EXAMPLE, 64))


def broken(subject, dtype):
    """What each part finds that finds something; but what is held to a budget: gradient descent's is not theirs."""
    at, found = setting(subject, dtype), {}
    for part in OPTIMIZER_PARTS:
        assert part.concerns(at)
        if not part.absent(at):
            try:
                part.look(at)
            except Unseen:
                continue
            except SubjectError as error:
                if not (part.near and error.reason.startswith("it steps otherwise")):
                    found[part.name] = error.reason
    return found


KINDS = {
    "Adam, one by one": fixed(optim.Adam, foreach=False, weight_decay=0.1),
    "Adam, for each": fixed(optim.Adam, foreach=True, weight_decay=0.1),
    "AMSGrad": fixed(optim.Adam, amsgrad=True),
    "AdamW, for each": fixed(optim.AdamW, foreach=True),
    "SGD, one by one": fixed(optim.SGD, foreach=False, momentum=0.9, nesterov=True),
    "SGD, for each": fixed(optim.SGD, foreach=True, momentum=0.9, weight_decay=0.1),
    "NAdam": fixed(optim.NAdam),
    "NAdam, for each": fixed(optim.NAdam, foreach=True, decoupled_weight_decay=True, weight_decay=0.1),
    "RAdam": fixed(optim.RAdam),
    "Adamax": fixed(optim.Adamax),
    "RMSprop": fixed(optim.RMSprop, momentum=0.9, centered=True),
    "Adagrad": fixed(optim.Adagrad, lr_decay=0.1),
    "Adadelta": fixed(optim.Adadelta),
    "Rprop": fixed(optim.Rprop),
    "ASGD": fixed(optim.ASGD),
}


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_torchs_optimizers_owe_nothing(kind, dtype):
    assert broken(KINDS[kind], dtype) == {}


def test_a_bug_of_torchs_is_found():
    """Its fused steps on a CPU take a strided parameter for a contiguous one."""
    (strided,) = (part for part in OPTIMIZER_PARTS if part.name == "strided parameters")
    for kind in (fixed(optim.SGD, fused=True), fixed(optim.Adam, fused=True)):
        with pytest.raises(SubjectError, match="steps otherwise where parameters do not lie side by side"):
            strided.look(setting(kind, "float64"))
    strided.look(setting(fixed(optim.SGD, fused=False), "float64"))
