"""What the benchmarks share: the planted bugs, CPU time, and a task for each claim."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from gnomon.check.strategies import draw_examples
from gnomon.check.task import BUDGETS, Task
from gnomon.check.verdict import prepare, seed_for
from gnomon.find.subjects import resolve
from gnomon.find.walk import claims
from gnomon.say.claim import Claim

TESTS = Path(__file__).resolve().parent.parent / "tests"


def planted() -> list[Any]:
    """Every planted bug that the tests keep."""
    return from_tests("planted", "PLANTED")


def from_tests(folder: str, name: str) -> list[Any]:
    """What the files of a folder of the tests hold under a name, all in one list."""
    sys.path.insert(0, str(TESTS))
    found: list[Any] = []
    for info in pkgutil.iter_modules(importlib.import_module(folder).__path__):
        found += getattr(importlib.import_module(f"{folder}.{info.name}"), name)
    return found


def about(subject: str) -> list[Claim]:
    """The claims about a subject."""
    return [claim for claim in claims() if claim.subject == subject]


def task_for(claim: Claim, dtype: str = "float64", implementation: Any = None, device: str = "cpu") -> Task:
    """The check of a claim against the reference model, or against an implementation in its place."""
    torch.set_num_threads(1)
    subject = resolve(claim.subject, {})[0] if implementation is None else implementation
    return prepare(claim, subject, claim.subject, dtype, device)


def examples_for(claim: Claim, count: int | None = None, seed: int = 0) -> list[Any]:
    """What Hypothesis draws for a claim."""
    return draw_examples(claim, BUDGETS["quick"].structures if count is None else count, seed_for(claim, seed))


class Clock:
    """CPU seconds of this process."""

    seconds = 0.0


@contextmanager
def cpu() -> Iterator[Clock]:
    """Measure the CPU seconds of a block."""
    clock, start = Clock(), time.process_time()
    try:
        yield clock
    finally:
        clock.seconds = time.process_time() - start
