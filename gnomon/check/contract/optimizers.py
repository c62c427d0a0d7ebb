"""What optimizers owe: in each disguise that they wear, the same parameters and the same state."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.contract.part import Part, Setting, broken, same
from gnomon.check.contract.recorded import Creation, dressed
from gnomon.check.contract.worn import Worn
from gnomon.check.observer import Observer
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import K
from gnomon.compute.lower import entries
from gnomon.drive.contract import NotCallable
from gnomon.drive.driver import SubjectError

POINTS = 16
"""How many points of a batch an optimizer is looked at in disguise at."""


class Disguise(Part):
    """An optimizer in disguise is what it is undisguised.

    ``near`` disguises may be rounded otherwise, as much as the claim allows two programs; the others may not.
    ``scrambles`` are those that are right only where each coordinate is stepped for itself; ``wide`` those that say
    something only where there are several.
    """

    most = 1

    def __init__(
        self,
        name: str,
        wear: type[Worn],
        words: str,
        *,
        steps: int = 1,
        near: bool = False,
        scrambles: bool = False,
        wide: bool = False,
    ) -> None:
        self.name = name  # type: ignore[misc]  # each instance is a part of its own
        self.wear, self.words, self.steps, self.near = wear, words, steps, near
        self.scrambles, self.wide = scrambles, wide

    def concerns(self, at: Setting) -> bool:
        return any(each.optimizer for each in at.creations)

    def absent(self, at: Setting) -> str:
        optimizers = [each for each in at.creations if each.optimizer]
        if max(each.steps for each in optimizers) < self.steps:
            return "it takes one step alone"
        if self.wide and max(shape[-1] if shape else 1 for shape in at.case.shapes.values()) == 1:
            return "it has one coordinate alone"
        if self.scrambles and not coordinatewise(at):
            return "one coordinate may depend on another here"
        return self.lacks(optimizers[0])

    def lacks(self, creation: Creation) -> str:
        """What this optimizer lacks that the disguise needs."""
        return ""

    def look(self, at: Setting) -> None:
        batch = few(at.batch)
        seen = [worn_by(at, batch, wear) for wear in self.models()]
        try:
            other = worn_by(at, batch, self.wear)
        except NotCallable:
            raise
        except SubjectError as error:
            if error.failure == "contract":
                raise
            raise broken(f"it cannot be stepped {self.words}: {error.reason}") from error
        apart = [self.apart(at, batch, one, other) for one in seen]
        if all(each.any() for each in apart):
            row, column = apart[0].nonzero()[0].tolist()
            found, expected = other[row, column].item(), seen[0][row, column].item()
            label = at.compiled.labels[column]
            raise broken(f"it steps otherwise {self.words}: {label} is {found:.9g}, and alone {expected:.9g}")

    def models(self) -> tuple[type[Worn], ...]:
        """What the disguise is held against; it is to be like one of them."""
        return (Worn,)

    def apart(self, at: Setting, batch: Batch, one: Tensor, other: Tensor) -> Tensor:
        """Which entries of two observations differ, by more than rounding where that may differ."""
        apart = ~same(one, other)
        if not apart.any() or not (self.near or at.case.device.type != "cpu"):
            return apart
        _, bound = at.compiled.truth(batch, at.case.dtype, at.case.device)
        return apart & ~((one.double() - other.double()).abs() <= 2 * K * bound) & ~bound.isinf()


def few(batch: Batch) -> Batch:
    """Some points of a batch, from all of its regimes."""
    step = max(1, batch.size // POINTS)
    return batch.take(torch.arange(0, batch.size, step)[:POINTS])


def worn_by(at: Setting, batch: Batch, wear: type[Worn]) -> Tensor:
    """What is observed of the optimizer in a disguise."""
    observer = Observer(at.observer.driver, dressed(at.subject, wear), at.case, at.observer.looped)
    return observer.many(batch)[0].detach()


def coordinatewise(at: Setting) -> bool:
    """Whether, by the claim, no coordinate depends on another: seen by changing all but the first."""
    batch, sizes = few(at.batch), {shape[-1] for shape in at.case.shapes.values() if shape}
    if sizes == {1} or len(sizes) != 1:
        return False
    (size,) = sizes
    changed = {
        name: torch.cat([value[..., :1], value[..., 1:].flip(0) * 0.5 + 1], -1)
        if value.dim() > 1 and value.shape[-1] == size
        else value
        for name, value in batch.values.items()
    }
    values = [
        at.compiled.truth(Batch(each, batch.host, batch.regimes, batch.size), torch.float64, at.case.device)[0]
        for each in (batch.values, changed)
    ]
    kept = [index[-1] == 0 for shape in at.case.shapes.values() for index in entries(shape)]
    return bool(same(values[0][:, kept], values[1][:, kept]).all())
