"""Evidence: the records of a run as plain data; one schema, by which they are written and the report reads them.

A run's head, what was proved of each claim, and what came of each check: one line of JSON each in an evidence file. A
field that the report does not show says why in ``NOT_SHOWN`` of ``tests/test_evidence_schema.py``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

SCHEMA = 1
Verdict = Literal["holds", "fails", "undecided", "not callable here"]
GRADES = ("any", "float32")
"""What formats of 16 bits may be held to: any grade, which is then named, or sums that are added up in float32."""

EXIT = {"holds": 0, "fails": 1, "not callable here": 2, "undecided": 3}


class Record:
    """A line of an evidence file."""

    type: ClassVar[str]

    def to_data(self) -> dict[str, Any]:
        """The record as JSON-able data, with its type and schema number."""
        return {"type": self.type, "schema": SCHEMA, **_plain(dataclasses.asdict(self))}  # type: ignore[call-overload]


@dataclass(frozen=True)
class Run(Record):
    """How and where a run was made; ``plan`` and ``sources`` say whether another run may resume it."""

    type = "run"
    started: str = ""
    command: str = ""
    seed: int | None = None
    budget: str = ""
    plan: dict[str, Any] = field(default_factory=dict)
    sources: str = ""
    versions: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    K: float | None = None


@dataclass(frozen=True)
class InputRecord:
    """An input of a claim and its domain, in words; formulas are MathML, here and below."""

    name: str
    math: str = ""
    domain: str = ""


@dataclass(frozen=True)
class DefinitionRecord:
    """A named definition of a program."""

    name: str
    math: str


@dataclass(frozen=True)
class StepRecord:
    """A step of a derivation and what its check did; ``symbolic`` is null where SymPy was not asked."""

    rule: str
    ok: bool
    why: str = ""
    before: str = ""
    after: str = ""
    plain: tuple[str, ...] = ()
    symbolic: bool | None = None
    points: int = 0
    rejected: int = 0
    cited: bool = False
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class VariantRecord:
    """A variant as the reader sees it: the definitions that it replaces."""

    name: str
    source: str = ""
    printed: bool = False
    math: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class ProofRecord(Record):
    """A claim, its proof and what was really shown; ``trust`` is the label in words, sizes and citations included."""

    type = "proof"
    claim: str
    ok: bool
    trust: str
    section: str = ""
    title: str = ""
    kind: str = ""
    subject: str = ""
    label: str = "unlinked"
    sizes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    lift: str | None = None
    statement: str = ""
    statement_text: str = ""
    conditions: tuple[str, ...] = ()
    inputs: tuple[InputRecord, ...] = ()
    program: tuple[DefinitionRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    variants: tuple[VariantRecord, ...] = ()
    remarks: str = ""
    seconds: float = 0.0


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
    rejected: bool
    source: str = ""
    printed: bool = False
    counterexample: Counterexample | None = None
    inseparable: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Ulp:
    """The largest error over every input of a 16-bit format, in units in the last place, and the input it occurs at.

    ``ceiling`` is what the claim allows, where it has one.
    """

    error: float
    pattern: str = ""
    input: float | None = None
    ceiling: float | None = None

    def __str__(self) -> str:
        return f"{self.error:.3g} ULP" + ("" if self.ceiling is None else f" of {self.ceiling:g}")


@dataclass(frozen=True)
class GradientCheck:
    """Autograd's vector-Jacobian product against the formula's derivative."""

    verdict: Verdict
    points: int = 0
    share: float = 0.0
    excused: float = 0.0
    reason: str = ""
    ulp: Ulp | None = None
    grade: str = ""


@dataclass
class Search:
    """What was looked at, and the share of it that could not be judged.

    ``loop`` says that the subject could not be run on many points at once, so that fewer were looked at; ``conditions``
    holds for each relation that the claim supposes the number of points that meet it; ``grade`` says for a format of 16
    bits which sums all the points allow: sums in float32, or no better than in the format itself; ``steps`` says the
    same of a state after many steps. ``contract`` has for each part of what every subject owes the number of structures
    in which it was looked at, ``contract_unseen`` for any other part the reason why it was not.
    """

    structures: int = 0
    points: int = 0
    comparisons: int = 0
    excused: float = 0.0
    regimes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    loop: bool = False
    conditions: dict[str, int] = field(default_factory=dict)
    grade: str = ""
    steps: str = ""
    contract: dict[str, int] = field(default_factory=dict)
    contract_unseen: dict[str, str] = field(default_factory=dict)


@dataclass
class Covered:
    """What a verdict is about: what was looked at, and what was not, with the reason.

    Of each size the values, of each choice the labels, of each hyper-parameter the least and the greatest number, of
    each graph how many different ones. ``derivatives`` are those that were compared, ``noise`` the draws that were the
    claim's own, ``environment`` how torch's switches stood. What every subject owes stands in :class:`Search`, beside
    what was counted.
    """

    sizes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, tuple[float, ...]] = field(default_factory=dict)
    graphs: dict[str, int] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    derivatives: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    not_looked_at: dict[str, str] = field(default_factory=dict)

    def said(self) -> list[tuple[str, str]]:
        """What was looked at, in words: pairs of a kind of thing and its values."""
        rows = [
            ("sizes", [f"{name} {in_ranges(values)}" for name, values in self.sizes.items()]),
            ("options", [f"{name} {', '.join(labels)}" for name, labels in self.choices.items()]),
            ("numbers", [f"{name} {_span(ends)}" for name, ends in self.numbers.items()]),
            ("graphs", [f"{count} of {name}" for name, count in self.graphs.items()]),
            ("mode", self.modes),
            ("derivatives", self.derivatives),
            ("noise", self.noise),
            ("environment", [f"{name} {word}" for name, word in self.environment.items()]),
        ]
        return [(kind, "; ".join(words)) for kind, words in rows if words]


def in_ranges(values: Iterable[int]) -> str:
    """Whole numbers in their order, those that follow one another as a range: ``1–5, 64``."""
    runs: list[list[int]] = []
    for value in sorted(set(values)):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in runs)


def _span(ends: tuple[float, ...]) -> str:
    return " to ".join(f"{end:.3g}" for end in sorted(set(ends)))


@dataclass(frozen=True)
class Worst:
    """The largest error, as a share of its budget, and the output where it is."""

    share: float | None = None
    where: str = ""


@dataclass
class Evidence(Record):
    """One claim, one subject, one device, one dtype."""

    type = "evidence"
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
    covered: Covered = field(default_factory=Covered)
    worst: Worst = Worst()
    ulp: Ulp | None = None
    gradient: GradientCheck | None = None
    variants: tuple[Rejection, ...] = ()
    derivation: str = ""

    def __str__(self) -> str:
        mark = "FAILS" if self.verdict == "fails" else self.verdict
        text = f"{mark:9} {self.claim}  {self.implementation}  {self.dtype} on {self.device}"
        words = self.search.grade, self.search.steps
        text += "".join(f", {word}" for word in words if word and self.verdict == "holds")
        text += f", {self.ulp}" if self.ulp else ""
        if self.failure:
            text += f"\n          {self.failure}: {self.reason}"
        elif self.verdict != "holds":
            text += f"\n          {self.reason}"
        if self.variant:
            text += f"\n          it matches the variant “{self.variant}”"
        if self.counterexample:
            text += f"\n          {self.counterexample}"
        return text


@dataclass(frozen=True)
class Truncated(Record):
    """A last line that a killed run left half-written: what a reader puts where the line was."""

    type = "truncated"
    file: str
    line: int


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
