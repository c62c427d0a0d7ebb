"""Sizes that a user asks for, held against every chosen claim before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from gnomon.check import asked
from gnomon.check.undisturbed import undisturbed
from gnomon.check.verdict import DTYPES, task_without_subject
from gnomon.find import walk
from gnomon.find.catalogue import Row
from gnomon.run.executor import IsolatedExecutor, TaskDied, TaskTimeout
from gnomon.say.claim import Claim

LIMIT = 120.0
"""Seconds that telling may take for one claim."""

Told = tuple[str, list[str], str]


def told(claim: Claim, sizes: Mapping[str, int], device: str, dtype: str) -> Told:
    """A claim's id, the names of its sizes, and why it cannot be looked at with those asked for."""
    with undisturbed(0):
        task = task_without_subject(claim, DTYPES[dtype], device)
        return claim.id, asked.names_of(claim), asked.fault(task, sizes)


def tell(claim_id: str, module: str, sizes: dict[str, int], device: str, dtype: str) -> list[object]:
    """The same as a task of a run."""
    return list(told(walk.claim_in(module, claim_id), sizes, device, dtype))


def check_all(executor: IsolatedExecutor, rows: Sequence[Row], sizes: dict[str, int], device: str, dtype: str) -> None:
    """Refuse sizes with which nothing would be looked at.

    Raises:
        gnomon.say.errors.UsageError: for a size that no claim has, or if no claim can be looked at with them.
    """
    if not sizes:
        return
    waiting: list[tuple[Row, Future[list[object]]]] = [
        (row, executor.submit_within(LIMIT, tell, row["id"], row["module"], sizes, device, dtype)) for row in rows
    ]
    found: list[Told] = []
    for row, future in waiting:
        try:
            id, names, why = future.result()
            found.append((str(id), list(map(str, names)), str(why)))  # type: ignore[call-overload]
        except (TaskDied, TaskTimeout) as error:
            found.append((row["id"], list(sizes), f"what it would cost cannot be told: {error}"))
    asked.settle(sizes, found)
