"""What the user gives in a model's place, imported where it can neither end nor hang the run: in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gnomon.check.contract.compiling import backend_here
from gnomon.check.switches import IMPORTED, otherwise, standing
from gnomon.check.undisturbed import undisturbed
from gnomon.find.catalogue import Row
from gnomon.find.subjects import alternatives, check_drivable, driver_named, load
from gnomon.run.executor import IsolatedExecutor, TaskDied, TaskRaised, TaskTimeout
from gnomon.say.errors import UsageError

COMPILE_LIMIT = 300.0
"""Seconds that compiling a small function may take, with all that torch imports for it."""
IMPORT_LIMIT = 120.0
"""Seconds that importing an implementation may take."""


def inspect(places: list[tuple[str, str, str]], device: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """A task that imports implementations, given as (subject, place, driver): the reasons why some cannot be verified.

    Beside them stands for each place what its import switches otherwise than it stands in a check, since a worker that
    did this has them at hand for the tasks that follow.
    """
    reasons: list[str] = []
    switched: dict[str, dict[str, str]] = {}
    for subject, place, driver in places:
        try:
            looks = driver_named(driver).looks if driver else "a class or a function"
            with undisturbed(0):
                check_drivable(load(place), subject, looks, place)
                found = standing()
            with undisturbed(0):
                switched.setdefault(place, {}).update(otherwise(found, torch.device(device), IMPORTED))
        except UsageError as error:
            reasons.append(str(error))
    return reasons, switched


def check_implementations(
    executor: IsolatedExecutor, rows: Sequence[Row], given: Mapping[str, Any], device: str
) -> dict[str, dict[str, str]]:
    """Import what the user gives in a worker, where it can neither end nor hang what calls it.

    What comes back says for each place what a check leaves out, since importing it switches torch otherwise.

    Raises:
        gnomon.say.errors.UsageError: if it cannot be imported or driven, with the file and the cause.
    """
    unlike: dict[str, dict[str, str]] = {}
    drivers = sorted({(row["subject"], row["driver"]) for row in rows if row["subject"] in given})
    for subject, place in ((subject, place) for subject, places in given.items() for place in alternatives(places)):
        wanted = [(subject, place, driver) for name, driver in drivers if name == subject]
        try:
            reasons, switched = executor.submit_within(IMPORT_LIMIT, inspect, wanted, device).result()
        except (TaskDied, TaskTimeout) as error:
            raise UsageError(f"importing {place.rpartition(':')[0]!r}: {error}") from None
        if reasons:
            raise UsageError(reasons[0])
        unlike |= switched
    return unlike


def bound(given: dict[str, Any], names: str) -> dict[str, Any]:
    """The implementations with names bound to the only one of them.

    Raises:
        UsageError: if there is not exactly one.
    """
    many = sum(len(alternatives(place)) for place in given.values())
    if many != 1:
        raise UsageError(f"--bind with {many} --impl: with several say --impl 'SUBJECT=PLACE[ours=yours,...]'")
    return {subject: f"{place}[{names}]" for subject, place in given.items()}


def compiler_of(executor: IsolatedExecutor) -> str:
    """What ``torch.compile`` compiles with here, tried in a worker before anything runs.

    Raises:
        gnomon.say.errors.UsageError: if it does not work.
    """
    try:
        found: str = executor.submit_within(COMPILE_LIMIT, backend_here).result()
    except (TaskDied, TaskTimeout, TaskRaised) as error:
        raise UsageError(str(error) if isinstance(error, TaskRaised) else f"--compile: {error}") from None
    return found
