"""What there is: claims by walking the modules of derivations/, models by reading the sources of reference/."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import importlib
import importlib.util
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.say.errors import UsageError, nearest

if TYPE_CHECKING:
    from types import ModuleType

    from gnomon.say.claim import Claim
    from gnomon.say.maker import ClaimMaker

DERIVATIONS, REFERENCE, PROPERTY_TESTS = "gnomon.derivations", "gnomon.reference", "gnomon.property_tests"
IMPORTS = re.compile(rf"^\s*from {re.escape(DERIVATIONS)}([.\w]*) import (\([^)]*\)|.*)", re.MULTILINE)
"""Lines that import from derivations/: reading them takes a tenth of what parsing the files does."""


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


def digests() -> dict[str, str]:
    """For each module of derivations/ a short hash of it and of those that it imports, directly or not."""
    texts = {name: path.read_text(encoding="utf-8") for name, path in _files(DERIVATIONS)}
    own = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    siblings = {name: _siblings(text) & texts.keys() for name, text in texts.items()}
    found = {}
    for module, _ in modules(DERIVATIONS):
        seen, todo = {module}, [module]
        while todo:
            fresh = siblings[todo.pop()] - seen
            seen |= fresh
            todo += fresh
        whole = hashlib.sha256("".join(f"{name}:{own[name]}" for name in sorted(seen)).encode())
        found[module] = f"{module}-{whole.hexdigest()[:16]}"
    return found


def _siblings(text: str) -> set[str]:
    """The modules of derivations/ that a file of it with this text may import."""
    found = set()
    for inside, names in IMPORTS.findall(text):
        inside = inside.strip(".")
        found |= {inside, *(f"{inside}.{name}".strip(".") for name in re.findall(r"\w+", names))}
    return found


@cache
def entries() -> dict[str, Claim | ClaimMaker]:
    """Every claim, or its maker, by id, in the order of the notes' sections, then of ids. No formula is built.

    Raises:
        UsageError: if two claims have the same id.
    """
    pairs = [pair for name, _ in modules(DERIVATIONS) for pair in found_in(name).items()]
    unique(id for id, _ in pairs)
    return dict(sorted(pairs, key=lambda pair: place_of(pair[1].section, pair[0])))


def unique(ids: Iterable[str]) -> None:
    """Raise a UsageError if an id comes twice."""
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise UsageError(f"two claims have the id {id}; give one of them a suffix: {id}.other")
        seen.add(id)


def place_of(section: str, id: str) -> tuple[list[int], str]:
    """Where a claim stands among the others: by section, then by id."""
    return [int(number) for number in section.split(".")], id


def claims() -> tuple[Claim, ...]:
    """Every claim, built, in the order of :func:`entries`."""
    return tuple(built(entry) for entry in entries().values())


def built(entry: Claim | ClaimMaker) -> Claim:
    """The claim, which a maker builds at the first look."""
    return getattr(entry, "claim", entry)  # type: ignore[arg-type]


def found_in(module: str) -> dict[str, Claim | ClaimMaker]:
    """The claims of one module of derivations/ by id: claims, and makers that build theirs when it is asked for.

    Raises:
        UsageError: if two of them have the same id.
    """
    here = importlib.import_module(f"{DERIVATIONS}.{module}")
    found: dict[str, Claim | ClaimMaker] = {}
    for entry in (*getattr(here, "CLAIMS", ()), *(value for value in vars(here).values() if _is_maker(value, here))):
        if entry.id in found:
            raise UsageError(f"two claims have the id {entry.id}; give one of them a suffix: {entry.id}.other")
        found[entry.id] = entry
    return found


def _is_maker(value: object, module: ModuleType) -> bool:
    """Whether it is a claim's maker that the module itself defines; told without importing SymPy."""
    make = getattr(value, "make", None)
    return type(value).__name__ == "ClaimMaker" and getattr(make, "__module__", "") == module.__name__


def claims_in(module: str) -> tuple[Claim, ...]:
    """The claims of one module of derivations/, built."""
    return tuple(map(built, found_in(module).values()))


def claim_in(module: str, id: str) -> Claim:
    """One claim of one module: all that a task needs, and no other is built."""
    return built(found_in(module)[id])


def homes_of(subject: str) -> list[str]:
    """The modules of derivations/ that speak of a subject, or import from one that does; none is imported for it."""
    texts = {name: path.read_text(encoding="utf-8") for name, path in modules(DERIVATIONS)}
    homes = [name for name, text in texts.items() if f'"{subject}"' in text]
    for home in homes:  # which grows on the way
        lines = f"from {DERIVATIONS}.{home} import"
        homes += [name for name, text in texts.items() if lines in text and name not in homes]
    return homes


def about(subject: str) -> list[Claim | ClaimMaker]:
    """The claims on a subject; no formula is built."""
    return [entry for home in homes_of(subject) for entry in found_in(home).values() if entry.subject == subject]


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


def _named(ids: Sequence[str]) -> dict[str, Claim | ClaimMaker]:
    """The claims of these ids, if each is written in one file: no other is imported. Else nothing."""
    found: dict[str, Claim | ClaimMaker] = {}
    for id in ids:
        homes = [name for name, path in modules(DERIVATIONS) if f'"{id}"' in path.read_text(encoding="utf-8")]
        here = [found_in(name) for name in homes]
        owners = [claims for claims in here if id in claims]
        if len(owners) != 1:
            return {}
        found[id] = owners[0][id]
    return found


def select(patterns: Sequence[str]) -> tuple[Claim, ...]:
    """The claims whose ids match any of the globs; all of them for no glob.

    Raises:
        UsageError: for a glob that matches nothing, naming the nearest ids.
    """
    everything = _named(patterns) or entries()
    chosen = matching(list(everything), patterns)
    return tuple(built(entry) for id, entry in everything.items() if id in chosen)
