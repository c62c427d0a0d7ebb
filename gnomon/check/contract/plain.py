"""Plain calls: what a subject answers to a user, who gives it one point and no transform of torch."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.contract.part import Setting
from gnomon.compute.batch import Batch

NAME = "plain calls"
POINTS = 3
"""How many points of a structure are looked at so."""


def points(at: Setting) -> Batch:
    """The first point of a batch, and some from other regimes."""
    step = max(1, at.batch.size // POINTS)
    return at.batch.take(torch.arange(0, at.batch.size, step, device=at.batch.device)[:POINTS])


def answers(at: Setting, batch: Batch) -> Tensor:
    """What the subject answers at each of the points, alone: (B, N) float64."""
    here = at.on(batch)
    rows = [at.answer, *(at.observer.one(here.tensors(number)) for number in range(1, batch.size))]
    return torch.stack([torch.cat([value.detach().double().reshape(-1) for value in row.values()]) for row in rows])
