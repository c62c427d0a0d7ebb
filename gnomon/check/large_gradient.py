"""Gradients at large structures: a backward pass that is cut into blocks of its own."""

from __future__ import annotations

import dataclasses

from gnomon.check.grade import FINE
from gnomon.check.gradients import judge_gradient, thinned, wants_gradient
from gnomon.check.inputs import REGIMES
from gnomon.check.observer import Observer
from gnomon.check.strategies import Example
from gnomon.check.task import NUMBERS, Outcome, Task
from gnomon.compute.arrays.gradient import ArrayGradient
from gnomon.compute.batch import Batch
from gnomon.drive.lowered import Lowered

TIMES = 5
"""How many times what the program costs its gradient may."""

SINGLE = 20_000
"""As many single operations may a function take that is handed to the subject: autograd goes through each."""


def look(task: Task, example: Example, observer: Observer, batch: Batch, outcome: Outcome) -> None:
    """Compare autograd's product with the program's derivative at a point of each regime, where a look affords it.

    The outcome says at which structures it does not.
    """
    if not wants_gradient(task):
        return
    gradient = task.compiled.gradient(example.structure)
    sizes = [f"{name} = {value}" for name, value in example.structure.items() if isinstance(value, int)]
    here = f"gradients at {', '.join(sizes)}"
    if isinstance(gradient, ArrayGradient) and gradient.elements * len(REGIMES) > TIMES * NUMBERS:
        outcome.underived[here] = f"the program of the gradient computes {gradient.elements:.1g} numbers for a point"
        return
    handed = [each.slp for each in gradient.compiled.kept.values() if isinstance(each, Lowered)]
    if sum(map(len, handed)) > SINGLE:
        outcome.underived[here] = "autograd goes through each operation of the functions that the subject is given"
        return
    known = outcome.gradient
    judge_gradient(task, example, observer, thinned(batch, len(REGIMES)), outcome)
    if known is not None and not known.grade and outcome.gradient is not None and outcome.gradient.grade == FINE:
        outcome.gradient = dataclasses.replace(outcome.gradient, grade="")  # nothing is added up at small sizes
