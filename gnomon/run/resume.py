"""A killed run taken up again: the tasks that it finished are not run a second time."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from gnomon.find.subjects import alternatives
from gnomon.say.errors import UsageError
from gnomon.say.evidence import append

Record = dict[str, Any]
SAME = ("plan", "sources", "versions", "machine")


def finished(path: Path, head: Record, dtypes: tuple[str, ...]) -> dict[str, list[Record]]:
    """The records of each claim that an earlier run finished, if that run was the same as this one.

    What a kill cut in two is taken out of the file: it will be written again.

    Raises:
        UsageError: if there is nothing to resume, the earlier run differs, or its folder cannot be written.
    """
    records = whole_lines(path)
    heads = [record for record in records if record.get("type") == "run"]
    if not heads:
        raise UsageError(f"--resume: no run to resume in {path}; leave --resume out to start one")
    other = [name for name in SAME if heads[-1].get(name) != head[name]]
    if other:
        words = f"the run in {path} had another {' and '.join(other)} than this one"
        raise UsageError(f"--resume: {words}; leave --resume out to start anew")
    by_claim: dict[str, list[Record]] = {}
    for record in records:
        if record.get("type") in ("proof", "evidence"):
            by_claim.setdefault(record["claim"], []).append(record)
    whole = {
        claim: found for claim, found in by_claim.items() if _whole(found, head["plan"]["implementations"], dtypes)
    }
    kept = path.with_suffix(".kept")
    try:
        kept.unlink(missing_ok=True)
        append(kept, [*heads, *(record for found in whole.values() for record in found)])
        kept.replace(path)
    except OSError as error:
        raise UsageError(
            f"--resume: cannot write beside {path} ({error.strerror}); nothing in it was changed"
        ) from error
    return whole


def _whole(found: list[Record], implementations: Record, dtypes: tuple[str, ...]) -> bool:
    """Whether the records of a claim are all there: one in each dtype for each implementation."""
    seen = Counter(record["dtype"] for record in found if record["type"] == "evidence")
    subjects = {record["subject"] for record in found if record["type"] == "evidence"}
    return all(seen == Counter(list(dtypes) * len(alternatives(implementations.get(of)))) for of in subjects or {""})


def whole_lines(path: Path) -> list[Record]:
    """The records of an evidence file whose lines are whole; those that a kill cut off are run again."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            found.append(record)
    return found
