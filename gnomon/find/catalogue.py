"""The list of claims, remembered between calls, file by file.

Titles, sections and subjects of linked claims are known without building a formula. What a proof earned, their label,
is remembered when they are proved, and forgotten when a file that it depends on changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnomon.find import walk

Row = dict[str, Any]
UNLINKED: Row = {"label": "unlinked", "sizes": [], "cites": []}
UNKNOWN: Row = {"label": None, "sizes": [], "cites": []}


def catalogue() -> list[Row]:
    """A row for each claim: id, section, kind, subject, title, module, label, sizes and cites.

    The label of a linked claim is None until it has been proved.

    Raises:
        gnomon.say.errors.UsageError: if two claims have the same id.
    """
    known = _remembered()
    found: dict[str, list[Row]] = {}
    for module, _ in walk.modules(walk.DERIVATIONS):
        key = walk.digest_of(module)
        rows = known.get(key)
        found[key] = (
            [_row(entry) | {"module": module} for entry in walk.found_in(module).values()] if rows is None else rows
        )
    if found.keys() - known.keys():
        _remember(found)
    rows = [row for file in found.values() for row in file]
    walk.unique(row["id"] for row in rows)
    return sorted(rows, key=lambda row: walk.place_of(row["section"], row["id"]))


def select(patterns: list[str]) -> list[Row]:
    """The rows whose ids match any of the globs; all of them for no glob.

    Raises:
        gnomon.say.errors.UsageError: for a glob that matches nothing, naming the nearest ids.
    """
    rows = catalogue()
    chosen = walk.matching([row["id"] for row in rows], patterns)
    return [row for row in rows if row["id"] in chosen]


def learn(records: Iterable[dict[str, Any]]) -> None:
    """Remember what proofs earned: from their records, the labels of their claims."""
    earned = {r["claim"]: {key: r[key] for key in UNKNOWN} for r in records if r["type"] == "proof" and r["ok"]}
    if not earned:
        return
    known = _remembered()
    for rows in known.values():
        for row in rows:
            row.update(earned.get(row["id"], {}))
    _remember(known)


def _row(entry: Any) -> Row:
    shown = UNLINKED if getattr(entry, "derivation", None) else UNKNOWN
    about = {key: getattr(entry, key) for key in ("id", "section", "kind", "subject", "title")}
    return {**about, **shown, "driver": getattr(entry, "driver", "")}


def _place() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gnomon"
    return folder / f"claims-{walk.digest('gnomon')}.json"


def _remembered() -> dict[str, list[Row]]:
    try:
        found: dict[str, list[Row]] = json.loads(_place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _remember(files: dict[str, list[Row]]) -> None:
    """Keep the newest catalogue alone; a folder that cannot be written costs speed and nothing else."""
    place = _place()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        for old in place.parent.glob("claims-*.json"):
            if old != place:
                old.unlink()
        fresh = place.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(files, ensure_ascii=False), encoding="utf-8")
        fresh.replace(place)
    except OSError:
        return
