"""Which variant a failing subject follows, though an infinity, a shape or a second difference stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnomon.check.minimise import CANDIDATES, SMALL
from gnomon.check.strategies import Example
from gnomon.check.task import Compilations, Failure, Task
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import K
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.driver import SubjectError
from gnomon.say.claim import Variant

MOST = 0.9
"""A variant that is not followed everywhere is named if it is at more than this share of what tells it apart."""


@dataclass(frozen=True)
class Named:
    """A variant that a subject follows, and in a phrase how far, where it does not follow it everywhere."""

    name: str
    besides: str = ""


@dataclass(frozen=True)
class Seen:
    """What a subject showed of a batch (B, N), the truth beside it with its bound, and each output's columns."""

    example: Example
    batch: Batch
    observed: Tensor
    value: Tensor
    bound: Tensor
    columns: dict[str, slice]

    @property
    def departs(self) -> Tensor:
        """Entries (B, N) that can be compared and are not the truth."""
        return self.bound.isfinite() & ~((self.observed - self.value).abs() <= K * self.bound)


@dataclass(frozen=True)
class Likeness:
    """How a subject compares with a variant in one output: entries that tell it from the truth, followed and not."""

    departs: bool
    told: int
    followed: int
    contrary: int

    @property
    def share(self) -> float:
        """The share of the telling entries at which the variant is followed."""
        return self.followed / self.told if self.told else 0.0


def matching_variant(task: Task, failure: Failure, examples: Sequence[Example] = ()) -> Named | None:
    """The variant whose values the subject shows, within rounding, at the failing batch and at further examples.

    What is not finite is not compared. If no variant explains everything, one that explains all of an output is named,
    and else one that is followed at most of the points that tell it from the truth.
    """
    first = _seen(task, failure.example, failure.batch, failure.observed)
    others = [example for example in examples if example is not failure.example][: CANDIDATES - 1]
    return _best(task, [first, *_looks(task, others)])


def runs_elsewhere(task: Task, examples: Sequence[Example]) -> Named | None:
    """The variant that a subject follows where it can be compared, though it breaks its contract or crashes."""
    looks = list(_looks(task, examples))
    failing = [look for look in looks if look.departs.any()]
    return _best(task, failing + [look for look in looks if not look.departs.any()]) if failing else None


def _looks(task: Task, examples: Sequence[Example]) -> Iterator[Seen]:
    for example in examples:
        try:
            batch = task.batch(example, SMALL)
            observed, chosen = task.observer(example).many(batch)
        except SubjectError:
            continue
        batch = batch if chosen is None else batch.take(chosen)
        if observed.shape[-1] == len(task.compiled(example.structure).labels):
            yield _seen(task, example, batch, observed.detach().to(torch.float64))


def _seen(task: Task, example: Example, batch: Batch, observed: Tensor) -> Seen:
    compiled = task.compiled(example.structure)
    value, bound = compiled.truth(batch, task.dtype, task.device)
    return Seen(example, batch, observed, value, bound, compiled.columns)


def _best(task: Task, looks: Sequence[Seen]) -> Named | None:
    """The variant that explains most of what was seen, the first look's failure among it."""
    partly: list[tuple[float, Named]] = []
    for variant in task.claim.variants:
        alike = _likeness(task, variant, looks) if variant.replace else {}
        if not any(one.followed for one in alike.values()):
            continue
        if not any(one.contrary for one in alike.values()):
            return Named(variant.name)
        if task.claim.relation is not None:  # to depart from the program of an inequality is no fault
            continue
        wrong = {name: one for name, one in alike.items() if one.departs}
        whole = [name for name, one in wrong.items() if one.followed and not one.contrary]
        if whole:
            rest = [name for name in wrong if name not in whole]
            besides = f"; {', '.join(rest)} departs otherwise" if rest else ""
            partly.append((1 + len(whole) / len(wrong), Named(variant.name, f"in {', '.join(whole)} alone{besides}")))
            continue
        name, most = max(wrong.items(), key=lambda item: item[1].share, default=("", None))
        if most is not None and most.share > MOST:
            partly.append((most.share, Named(variant.name, f"at {most.share:.0%} of what tells it apart in {name}")))
    return max(partly, key=lambda item: item[0], default=(0.0, None))[1]


def _likeness(task: Task, variant: Variant, looks: Sequence[Seen]) -> dict[str, Likeness]:
    """For each output how the subject compares with a variant; nothing if the first look does not follow it at all."""
    theirs = Compilations(task.claim.under(variant))
    counts: dict[str, list[int]] = {}
    for number, look in enumerate(looks):
        try:
            value, bound = theirs(look.example.structure).truth(look.batch, task.dtype, task.device)
        except (LoweringError, ZeroDivisionError):
            if number == 0:
                return {}
            continue
        compared = bound.isfinite() & look.bound.isfinite() & look.observed.isfinite()
        near = (look.observed - value).abs() <= K * bound
        told = compared & ((value - look.value).abs() > K * (bound + look.bound))
        if number == 0 and not bool((told & near).any()):
            return {}
        for name, columns in look.columns.items():
            masks = look.departs, told, told & near, compared & ~near
            found = [int(mask[:, columns].sum()) for mask in masks]
            counts[name] = [a + b for a, b in zip(counts.get(name, [0] * len(found)), found, strict=True)]
    return {name: Likeness(bool(departs), *more) for name, (departs, *more) in counts.items()}
