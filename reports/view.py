"""Evidence files, JSON lines, read back into their records: the only way by which anything reaches the report."""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gnomon.say.evidence import SCHEMA, Evidence, ProofRecord, Record, Run, Truncated


class EvidenceError(ValueError):
    """An evidence file, or a record in one, that cannot be read as evidence."""


class MissingEvidence(EvidenceError):
    """A file that is not there, cannot be opened or holds nothing."""


class BadRecord(EvidenceError):
    """A line that is not JSON, or a record without the fields of its type."""


TYPES: Mapping[str, type[Record]] = {kind.type: kind for kind in (Run, ProofRecord, Evidence, Truncated)}


def parse(data: Any) -> Record:
    """Make a record's dataclass, checking every field that it has; fields unknown here are left aside.

    Raises:
        BadRecord: if it is not a record of schema 1, naming the field.
    """
    if not isinstance(data, dict) or data.get("type") not in TYPES:
        found = data.get("type") if isinstance(data, dict) else data
        raise BadRecord(f"expected a record of type {', '.join(TYPES)}, got {_short(found)}")
    if data.get("schema", SCHEMA) != SCHEMA:
        raise BadRecord(f"schema {_short(data['schema'])} is not known: this report reads schema {SCHEMA}")
    record: Record = _build(TYPES[data["type"]], data, data["type"])
    return record


def load(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Read evidence files into records, in order, each checked.

    The last line of a killed run may be cut off: it becomes a record of type ``truncated``.

    Raises:
        MissingEvidence: if a file is missing or empty.
        BadRecord: if a line is no record, with the file and the number of the line.
    """
    records: list[dict[str, Any]] = []
    for path in paths:
        try:
            text = path.read_bytes().decode("utf-8", errors="replace")
        except OSError as error:
            raise MissingEvidence(f"{path}: no evidence: {error.strerror or error}") from error
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if not lines:
            raise MissingEvidence(f"{path}: the file is empty: nothing was recorded in it")
        for place, (number, line) in enumerate(lines):
            try:
                data = json.loads(line)
            except ValueError as error:
                if place + 1 < len(lines) and not _begins_a_run(lines[place + 1][1]):
                    raise BadRecord(f"{path}:{number}: not JSON: {error}") from error
                data = Truncated(path.name, number).to_data()
            try:
                parse(data)
            except BadRecord as error:
                raise BadRecord(f"{path}:{number}: {error}") from error
            records.append(data)
    return records


def _begins_a_run(line: str) -> bool:
    """Whether a run, a resumed one perhaps, starts here: the line above was then the last of another."""
    try:
        data = json.loads(line)
    except ValueError:
        return False
    return isinstance(data, dict) and data.get("type") == "run"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _build(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise BadRecord(f"{where}: expected an object, got {_short(data)}")
    values = {}
    for item in fields(kind):
        if item.name in data:
            values[item.name] = _convert(_hints(kind)[item.name], data[item.name], f"{where}.{item.name}")
        elif item.default is MISSING and item.default_factory is MISSING:
            raise BadRecord(f"{where}: {item.name!r} is missing")
    return kind(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Check ``value`` against a type and return it as that type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _convert(arguments[0], value, where)
    if is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is Literal and value in arguments:
        return value
    if hint is float and value in ("inf", "-inf", "nan"):  # JSON has no such numbers
        return float(value)
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint in (str, bool, int) and type(value) is hint:
        return value
    raise BadRecord(f"{where}: expected {_in_words(hint)}, got {_short(value)}")


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    words = {tuple: "a list", dict: "an object", str: "a text", float: "a number", int: "a whole number"}
    return words.get(get_origin(hint) or hint, "true or false")
