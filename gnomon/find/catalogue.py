"""The list of claims, remembered between calls: building every formula takes SymPy seconds, listing them should not.

What is remembered is keyed by the text of every file that it depends on; a change anywhere makes it anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from gnomon.find import walk

Row = dict[str, Any]


def catalogue() -> list[Row]:
    """A row for each claim: id, section, kind, what its derivation is for, subject, driver, title, module."""
    place = _place()
    found = _remembered(place)
    if found is None:
        modules = {claim.id: name for name, _ in walk.modules(walk.DERIVATIONS) for claim in walk.claims_in(name)}
        found = [_row(claim) | {"module": modules[claim.id]} for claim in walk.claims()]
        _remember(place, found)
    return found


def _remembered(place: Path) -> list[Row] | None:
    try:
        found: list[Row] = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def select(patterns: list[str]) -> list[Row]:
    """The rows whose ids match any of the globs; all of them for no glob.

    Raises:
        gnomon.say.errors.UsageError: for a glob that matches nothing, naming the nearest ids.
    """
    rows = catalogue()
    chosen = walk.matching([row["id"] for row in rows], patterns)
    return [row for row in rows if row["id"] in chosen]


def _row(claim: Any) -> Row:
    return {
        "id": claim.id,
        "section": claim.section,
        "kind": claim.kind,
        "trust": claim.derivation().scope,
        "subject": claim.subject,
        "driver": claim.driver,
        "title": claim.title,
    }


def _place() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gnomon"
    return folder / f"claims-{walk.digest(walk.DERIVATIONS, 'gnomon')}.json"


def _remember(place: Path, rows: list[Row]) -> None:
    """Keep the newest catalogue alone; a folder that cannot be written costs speed and nothing else."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        for old in place.parent.glob("claims-*.json"):
            old.unlink()
        fresh = place.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        fresh.replace(place)
    except OSError:
        return
