"""Evidence: the record of one claim checked against one subject on one device in one dtype, as plain data."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA = 1
Verdict = Literal["holds", "fails", "undecided", "not callable here"]
EXIT = {"holds": 0, "fails": 1, "not callable here": 2, "undecided": 3}


@dataclass(frozen=True)
class Counterexample:
    """The smallest input found on which two sides disagree, with both values and code that shows it."""

    structure: dict[str, Any]
    inputs: dict[str, Any]
    output: str
    observed: str
    expected: str
    difference: float | None
    budget: float | None
    code: str = ""

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in {**self.structure, **self.inputs}.items())
        return f"at {values}: {self.output} is {self.observed}, expected {self.expected}"


@dataclass(frozen=True)
class Rejection:
    """How the check treats a variant: rejected or not, at which smallest input, and what it cannot tell from it.

    ``reason`` says why a variant could not be tried at all.
    """

    name: str
    source: str
    printed: bool
    rejected: bool
    counterexample: Counterexample | None = None
    inseparable: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Ulp:
    """The largest error over every input of a 16-bit format, in units in the last place, and the input it occurs at."""

    error: float
    pattern: str
    input: float


@dataclass(frozen=True)
class GradientCheck:
    """Autograd's vector-Jacobian product against the formula's derivative."""

    verdict: Verdict
    points: int
    share: float
    excused: float
    reason: str = ""
    ulp: Ulp | None = None


@dataclass
class Search:
    """What was looked at."""

    structures: int = 0
    points: int = 0
    comparisons: int = 0
    excused_entries: int = 0
    regimes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    loop: bool = False

    @property
    def excused(self) -> float:
        total = self.comparisons + self.excused_entries
        return self.excused_entries / total if total else 0.0

    def to_data(self) -> dict[str, Any]:
        data = dataclasses.asdict(self)
        del data["excused_entries"]
        return {**data, "excused": self.excused, "seconds": round(self.seconds, 3)}


@dataclass
class Evidence:
    """One claim, one subject, one device, one dtype."""

    claim: str
    subject: str
    implementation: str
    device: str
    dtype: str
    verdict: Verdict
    failure: str | None = None
    reason: str = ""
    variant: str | None = None
    counterexample: Counterexample | None = None
    search: Search = field(default_factory=Search)
    worst: dict[str, Any] = field(default_factory=dict)
    ulp: Ulp | None = None
    gradient: GradientCheck | None = None
    variants: tuple[Rejection, ...] = ()
    derivation: str = ""
    seed: int = 0

    def to_data(self) -> dict[str, Any]:
        """The record as JSON-able data, with its type and schema number."""
        data = dataclasses.asdict(self)
        data["search"] = self.search.to_data()
        return {"type": "evidence", "schema": SCHEMA, **_plain(data)}

    def __str__(self) -> str:
        mark = "FAILS" if self.verdict == "fails" else self.verdict
        text = f"{mark:9} {self.claim}  {self.implementation}  {self.dtype} on {self.device}"
        if self.failure:
            text += f"\n          {self.failure}: {self.reason}"
        elif self.verdict != "holds":
            text += f"\n          {self.reason}"
        if self.variant:
            text += f"\n          it matches the variant “{self.variant}”"
        if self.counterexample:
            text += f"\n          {self.counterexample}"
        return text


def _plain(value: Any) -> Any:
    """JSON has no infinities: they become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Add records to a file of JSON lines and flush, so that a killed run keeps them."""
    cut = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        if cut:  # a killed run's last line: what follows must not be glued to it
            file.write("\n")
        for record in records:
            file.write(json.dumps(_plain(record), ensure_ascii=False) + "\n")
        file.flush()


def exit_code(verdicts: Iterable[str]) -> int:
    """0 if all hold, 1 if any fails, else 2 if any cannot be called, else 3: something (or all) is undecided."""
    seen = set(verdicts)
    worst = next((word for word in ("fails", "not callable here") if word in seen), "undecided")
    return EXIT["holds"] if seen == {"holds"} else EXIT[worst]
