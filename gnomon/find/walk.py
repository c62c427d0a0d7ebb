"""What there is: claims by walking the modules of derivations/, models by reading the sources of reference/."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.say.errors import UsageError, nearest

if TYPE_CHECKING:
    from gnomon.say.claim import Claim

DERIVATIONS, REFERENCE, PROPERTY_TESTS = "gnomon.derivations", "gnomon.reference", "gnomon.property_tests"


def _files(package: str) -> list[tuple[str, Path]]:
    """Every Python file of a package, in sub-packages, too, with its dotted name within the package."""
    spec = importlib.util.find_spec(package)
    places = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    return sorted(
        (".".join(path.relative_to(place).with_suffix("").parts), path)
        for place in places
        for path in place.rglob("*.py")
    )


def modules(package: str) -> list[tuple[str, Path]]:
    """Names (dotted, within the package) and files of a package's public modules, in sub-packages, too."""
    return [(name, path) for name, path in _files(package) if not any(p.startswith("_") for p in name.split("."))]


def digest(*packages: str) -> str:
    """A short hash of the text of every module of some packages."""
    found = hashlib.sha256()
    for package in packages:
        for name, path in _files(package):
            found.update(f"{name}:".encode() + path.read_bytes())
    return found.hexdigest()[:16]


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim, in the order of the notes' sections, then of their ids.

    Raises:
        UsageError: if two claims have the same id.
    """
    found: dict[str, Claim] = {}
    for name, _ in modules(DERIVATIONS):
        for claim in claims_in(name):
            if claim.id in found:
                raise UsageError(f"two claims have the id {claim.id}; give one of them a suffix: {claim.id}.other")
            found[claim.id] = claim
    return tuple(sorted(found.values(), key=lambda claim: ([int(n) for n in claim.section.split(".")], claim.id)))


def claims_in(module: str) -> tuple[Claim, ...]:
    """The claims of one module of derivations/: all that a task needs, in a fraction of the time that all take."""
    found: tuple[Claim, ...] = getattr(importlib.import_module(f"{DERIVATIONS}.{module}"), "CLAIMS", ())
    return found


def models() -> tuple[str, ...]:
    """Every public model of reference/, as ``<file>.<object>``, read from ``__all__`` without importing torch."""
    found = []
    for name, path in modules(REFERENCE):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
                found += [f"{name}.{public}" for public in ast.literal_eval(node.value)]
    return tuple(sorted(found))


def matching(ids: Sequence[str], patterns: Sequence[str]) -> set[str]:
    """The ids that match any of the globs; all of them for no glob.

    Raises:
        UsageError: for a glob that matches nothing, naming the nearest ids.
    """
    chosen: set[str] = set() if patterns else set(ids)
    for pattern in patterns:
        hits = set(fnmatch.filter(ids, pattern))
        if not hits:
            raise UsageError(f"no claim matches {pattern!r}" + nearest(pattern, ids))
        chosen |= hits
    return chosen


def select(patterns: Sequence[str]) -> tuple[Claim, ...]:
    """The claims whose ids match any of the globs; all of them for no glob.

    Raises:
        UsageError: for a glob that matches nothing, naming the nearest ids.
    """
    everything = claims()
    chosen = matching([claim.id for claim in everything], patterns)
    return tuple(claim for claim in everything if claim.id in chosen)
