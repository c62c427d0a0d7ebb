"""Claims with a ceiling: no input of a 16-bit format may lose more digits, although the budget allows for it.

A budget allows what rounding may cost the formula in the format itself. Where all digits are lost so, as in 1 - tanh²
far from 0, or e^x - 1 near it, that is much; a claim says how much is too much, in units in the last place.
"""

from __future__ import annotations

import dataclasses

from torch import Tensor

from gnomon.check.diagnose import Diagnosis, counterexample
from gnomon.check.exhaustive import in_ulp, lone_input, losses, spacing
from gnomon.check.minimise import CANDIDATES, alone
from gnomon.check.strategies import Example
from gnomon.check.task import Failure, Task
from gnomon.compute.batch import Batch
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.compiled import K


def over_ceiling(task: Task, failure: Failure) -> Diagnosis | None:
    """The diagnosis of a batch in which errors are over the ceiling; None if no point is when it is looked at alone."""
    lost = _lost(task, failure.example, failure.batch, failure.observed).amax(-1)
    for number in lost.topk(min(CANDIDATES, len(lost))).indices.tolist():
        found = lost_at(task, failure.example, failure.batch.point(number))
        if found is not None:
            return found
    return None


def lost_at(task: Task, example: Example, point: Batch) -> Diagnosis | None:
    """What a subject loses at one point, if it is more than the claim's ceiling, and Arb says so."""
    ceiling, lone = task.claim.ceiling, lone_input(task.claim, task.dtype)
    if ceiling is None or lone is None:
        return None
    observed = alone(task, example, point)
    lost = _lost(task, example, point, observed)[0]
    entry = int(lost.argmax())
    compiled = task.compiled(example.structure)
    value, own = compiled.truth(point, point.values[lone.name].dtype, task.device)
    unit = float(spacing(value, task.dtype)[0, entry])
    try:
        exact = compiled.enclosures(point)[entry]
    except UndecidedBranch:
        return None
    surely = abs(exact - float(observed[0, entry])) > ceiling * unit
    if not float(lost[entry]) > ceiling or not surely:
        return None
    error = float(in_ulp(observed, (value, own), own.isinf(), task.dtype)[0, entry])
    found = counterexample(task, example, point, observed, entry)
    reason = f"digits are lost: off by {error:.4g} ULP, where the claim allows {ceiling:g}"
    reason += f"; it is within {K} times what rounding may cost this formula"
    return Diagnosis("inaccurate", reason, None, dataclasses.replace(found, budget=ceiling * unit))


def _lost(task: Task, example: Example, batch: Batch, observed: Tensor) -> Tensor:
    compiled = task.compiled(example.structure)
    excused = compiled.judge(batch, observed, task.dtype, task.device).excused
    return losses(observed, compiled.truth(batch, observed.dtype, task.device), excused, task.dtype)
