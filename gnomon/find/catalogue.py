"""The list of claims, remembered between calls, file by file.

Titles, sections and subjects of linked claims are known without building a formula. What a proof earned, their label,
is remembered when they are proved, and forgotten when a file that it depends on changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from gnomon.find import kept, walk

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
    for module, key in walk.digests().items():
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


def _name() -> str:
    return f"claims-{walk.digest('gnomon')}"


def _remembered() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] | None = kept.read(_name())
    return {} if found is None else found


def _remember(files: dict[str, list[Row]]) -> None:
    """Keep the newest catalogue alone."""
    for old in kept.folder().glob("claims-*.json"):
        if old.stem != _name():
            with contextlib.suppress(OSError):
                old.unlink()
    kept.write(_name(), files)
