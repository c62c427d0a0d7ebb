"""Evidence files: read in order, cut-off lines told, and whatever is wrong refused by file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from gnomon.reports.page import render
from gnomon.reports.view import BadRecord, EvidenceError, MissingEvidence, load

RUN = {"type": "run", "schema": 1, "command": "gnomon verify"}
PROOF = {"type": "proof", "claim": "a.b", "ok": True, "trust": "proved for every size"}
CHECK = {"claim": "a.b", "subject": "a.B", "implementation": "a:B", "device": "cpu", "dtype": "float64"}
EVIDENCE = {"type": "evidence", "schema": 1, **CHECK, "verdict": "holds", "search": {"comparisons": 3}}


def _write(path: Path, *lines: Any, end: str = "\n") -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text + end, encoding="utf-8")
    return path


def test_files_are_read_in_order_and_blank_lines_passed_over(tmp_path: Path) -> None:
    first = _write(tmp_path / "a.jsonl", RUN, "", PROOF)
    second = _write(tmp_path / "b.jsonl", EVIDENCE)
    assert load([first, second]) == [RUN, PROOF, EVIDENCE]
    assert load([]) == []


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_the_cut_last_line_of_a_killed_run_is_told(cut: int, tmp_path: Path) -> None:
    line = json.dumps({**EVIDENCE, "claim": "z.z", "reason": "r" * 200})[:cut]
    records = load([_write(tmp_path / "e.jsonl", RUN, PROOF, EVIDENCE, line, end="")])
    assert records[-1] == {"type": "truncated", "schema": 1, "file": "e.jsonl", "line": 4}
    page = render(records)
    assert "Line 4 of e.jsonl is cut off" in page
    assert "z.z" not in page


def test_a_character_cut_in_two_is_a_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(json.dumps(RUN).encode() + b'\n{"type": "run", "command": "\xc3')
    assert load([path])[-1] == {"type": "truncated", "schema": 1, "file": "e.jsonl", "line": 2}


def test_a_line_cut_before_a_run_was_resumed_is_told_too(tmp_path: Path) -> None:
    records = load([_write(tmp_path / "e.jsonl", RUN, '{"type": "evi', RUN, EVIDENCE)])
    assert [record["type"] for record in records] == ["run", "truncated", "run", "evidence"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([RUN, '{"type": "evi', PROOF], "e.jsonl:2: not JSON"),
        ([RUN, "", [1]], "e.jsonl:3: expected a record of type run, proof, evidence"),
        ([{"type": "result"}], "e.jsonl:1: expected a record of type .*, got 'result'"),
        ([{**RUN, "schema": 2}], "e.jsonl:1: schema 2 is not known"),
        ([{"type": "evidence", "verdict": "holds"}], "e.jsonl:1: evidence: 'claim' is missing"),
        (
            [{**EVIDENCE, "verdict": "passes"}],
            "e.jsonl:1: evidence.verdict: expected 'holds' or .*'passes'",
        ),
        ([{**EVIDENCE, "search": {"points": "many"}}], "search.points: expected a whole number, got 'many'"),
        (
            [{**EVIDENCE, "search": {"points": True}}],
            "evidence.search.points: expected a whole number, got True",
        ),
        ([{**EVIDENCE, "search": [1]}], "evidence.search: expected an object"),
        ([{**EVIDENCE, "worst": {"share": "big"}}], "evidence.worst.share: expected a number, got 'big'"),
        ([{**EVIDENCE, "variants": {}}], "evidence.variants: expected a list"),
        ([{**PROOF, "ok": 1}], "proof.ok: expected true or false, got 1"),
        ([{**PROOF, "conditions": [3]}], r"proof.conditions\[0\]: expected a text, got 3"),
        ([{**PROOF, "steps": [{"rule": "sum"}]}], r"proof.steps\[0\]: 'ok' is missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(lines: list[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match=message):
        load([_write(tmp_path / "e.jsonl", *lines)])


def test_a_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingEvidence, match=r"no\.jsonl: no evidence: No such file"):
        load([tmp_path / "no.jsonl"])
    with pytest.raises(MissingEvidence, match=r"e\.jsonl: the file is empty"):
        load([_write(tmp_path / "e.jsonl", "")])
    assert issubclass(EvidenceError, ValueError)
