"""A part of the contract: what it is called, when there is something to look at, and the look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gnomon.check.observer import Observer
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import Compiled
from gnomon.drive.driver import Case, SubjectError, Tensors
from gnomon.say.call import Call
from gnomon.say.claim import Claim


class Unseen(Exception):
    """A part that turns out not to be looked at here; the reason stands beside the verdict, and is no failure."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Setting:
    """Where parts look: a subject prepared for an example, and the points of a batch.

    ``earlier`` is the setting before this one, of the same task: another structure, or other hyper-parameters.
    """

    claim: Claim
    subject: Any
    observer: Observer
    batch: Batch
    earlier: Setting | None = None

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

    def tensors(self, number: int = 0) -> Tensors:
        """The inputs of one point, new tensors each time, in the subject's dtype."""
        return {name: value[number].clone() for name, value in self.observer.tensors(self.batch).items()}


class Part(ABC):
    """A part of the contract.

    ``early`` parts are looked at before values are compared, since what they find would spoil the comparison. A part
    that is looked at ``once`` takes the first setting of a task at which it applies; the others take every one.
    """

    name: ClassVar[str]
    early: ClassVar[bool] = False
    once: ClassVar[bool] = False

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


def broken(reason: str) -> SubjectError:
    """The failure of a part."""
    return SubjectError("contract", reason)


def same(a: Tensor, b: Tensor) -> Tensor:
    """Entries that are equal, or NaN on both sides."""
    return (a == b) | (a.isnan() & b.isnan())
