"""A part of the contract: what it is called, when there is something to look at, and the look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from gnomon.check.contract.recorded import Creation, recorder
from gnomon.check.observer import Observer
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled, Gradient
from gnomon.drive.driver import Case, SubjectError, Tensors
from gnomon.say.call import Call
from gnomon.say.claim import Claim


class Unseen(BaseException):
    """A part that turns out not to be looked at here; the reason stands beside the verdict, and is no failure.

    No subject catches it by accident.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(eq=False)
class Setting:
    """Where parts look: a subject prepared for an example, and the points of a batch.

    ``gradient`` compiles the derivative of the program; it is None where the claim's gradient is not compared.
    ``earlier`` is the setting before this one, of the same task: another structure, or other hyper-parameters; what
    parts put down in ``notes`` they find again in the next. ``compiler`` is the backend of ``torch.compile`` where that
    is asked for.
    """

    claim: Claim
    subject: Any
    observer: Observer
    batch: Batch
    gradient: Callable[[], Gradient] | None = None
    earlier: Setting | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    compiler: str = ""

    @property
    def case(self) -> Case:
        """What the driver knows: structure, hyper-parameters, dtype, device."""
        return self.observer.case

    @property
    def compiled(self) -> Compiled:
        """The claim under this structure."""
        return self.case.compiled

    @property
    def call(self) -> Call | None:
        """How the claim calls its subject; None for a driver of property_tests/."""
        return self.claim.call

    @property
    def unread(self) -> str:
        """Why the subject has no tensors to read from; "" if it has."""
        if not self.batch.values:
            return "it takes no tensor"
        return "it writes into its argument, as its name says" if self.claim.subject.endswith("_") else ""

    def tensors(self, number: int = 0) -> Tensors:
        """The inputs of one point, new tensors each time, in the subject's dtype."""
        return {name: value[number].clone() for name, value in self.observer.tensors(self.batch).items()}

    @cached_property
    def answer(self) -> Tensors:
        """What the subject answers at the first point, called plainly and for the first time."""
        return self.observer.one(self.tensors())

    @cached_property
    def creations(self) -> list[Creation]:
        """The optimizers and modules that the driver makes of the subject for the first point, and asks things of."""
        if self.earlier is not None and not self.earlier.creations:
            return []  # a function, here as there
        subject, creations = recorder(self.subject)
        Observer(self.observer.driver, subject, self.case, pointwise=True).one(self.tensors())
        return creations

    def ordinary(self, count: int) -> Batch:
        """Points with ordinary numbers, as spread out as they can be."""
        size = min(self.batch.regimes[0][1], self.batch.size)
        step = max(1, size // count)
        return self.batch.take(torch.arange(step // 2, size, step, device=self.batch.device)[:count])

    def on(self, batch: Batch) -> Setting:
        """The setting with other points."""
        return replace(self, batch=batch)


class Part(ABC):
    """A part of the contract.

    ``early`` parts are looked at before values are compared, since what they find would spoil the comparison. A part
    is looked at in the first ``most`` settings of a task in which it applies.
    """

    name: ClassVar[str]
    early: ClassVar[bool] = False
    most: ClassVar[int] = 1000

    def concerns(self, at: Setting) -> bool:
        """Whether it is about subjects of this kind; where it is not, there is nothing to say."""
        return True

    def absent(self, at: Setting) -> str:
        """Why there is nothing to look at; "" if there is."""
        return ""

    @abstractmethod
    def look(self, at: Setting) -> None:
        """Look at the subject.

        Raises:
            SubjectError: if the part is broken; :func:`broken` makes one.
            Unseen: if it turns out that there is nothing to look at.
        """

    def settle(self, at: Setting) -> None:  # noqa: B027  most parts have nothing to add
        """Say what only all settings together show; ``at`` is the last of them.

        Raises:
            SubjectError: if the part is broken.
            Unseen: if together they show that there was nothing to look at.
        """


def broken(reason: str) -> SubjectError:
    """The failure of a part."""
    return SubjectError("contract", reason)


def same(a: Tensor, b: Tensor) -> Tensor:
    """Entries that are equal, or NaN on both sides."""
    return (a == b) | (a.isnan() & b.isnan())


def where(at: Setting) -> str:
    """The structure and the hyper-parameters of a setting, for a sentence."""
    known = {**at.case.structure, **at.case.host}
    return f" (at {', '.join(f'{name}={value}' for name, value in known.items())})" if known else ""
