"""One schema for evidence: what is written is what is read, and whatever is read is shown or is listed here."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import toy

from gnomon.check.proof_record import proof_record
from gnomon.check.verdict import check
from gnomon.reports.page import render
from gnomon.reports.view import parse
from gnomon.run.runner import Plan, run_record
from gnomon.say.evidence import Evidence, ProofRecord, Run

NOT_SHOWN = {
    "run.plan": "read by --resume; what a reader wants of it stands in the command, the seed and the budget",
    "run.sources": "read by --resume: a hash of the sources",
    "proof.sizes": "named in the words of the trust",
    "proof.cites": "named in the words of the trust",
    "proof.steps.plain": "for `gnomon explain`: the page shows the formula",
    "proof.program.name": "it is the left side of the definition's formula",
    "proof.steps.seconds": "the whole proof's time is shown; a step's is for whoever makes it faster",
    "evidence.variants.counterexample.difference": "both values are shown, and any difference rejects a variant",
    "evidence.variants.counterexample.budget": "likewise",
}
FREE = "a key of"
RECORDS = {"run": Run, "proof": ProofRecord, "evidence": Evidence}


def whole(kind: Any, word: str = "x") -> Any:
    """A value of a type of the schema in which every field has something to say."""
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return {item.name: whole(hints[item.name], f"{word}.{item.name}") for item in dataclasses.fields(kind)}
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return [whole(arguments[0], word)]
    if origin is dict or kind is dict:
        return {f"{FREE} {word}": 3 if arguments[1] is Any else whole(arguments[1], word)}
    if type(None) in arguments:
        return whole(arguments[0], word)
    return {str: word, int: 3, float: 0.5, bool: True}.get(kind, word)


def example(verdict: str) -> list[dict[str, Any]]:
    """A run, a proof and a piece of evidence on the same claim, whole but for what does not go together."""
    records = {name: {"type": name, "schema": 1, **whole(kind)} for name, kind in RECORDS.items()}
    proof, evidence = records["proof"], records["evidence"]
    good = verdict == "holds"
    proof |= {"claim": "a.claim", "section": "1.2", "ok": good, "trust": "proved", "label": "proved"}
    proof["steps"][0] |= {"ok": good, "cited": False}
    evidence |= {"claim": "a.claim", "verdict": verdict}
    evidence["variants"][0]["rejected"] = good
    return list(records.values())


def changed(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        others = {"holds": "fails", "fails": "undecided", "undecided": "holds", "proved": "tested"}
        return others.get(value, f"{value}1")
    return type(value)()


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every leaf of a record's data, by the keys that lead to it; a free mapping is one leaf."""
    if isinstance(value, dict) and not any(key.startswith(FREE) for key in value):
        for key, item in value.items():
            yield from places(item, (*place, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*place, 0))
    else:
        yield place, value


def shown(records: list[dict[str, Any]]) -> set[str]:
    """The fields whose change changes the page."""
    page = render(records)
    found = set()
    for number, record in enumerate(records):
        for place, value in places(record):
            if place[0] in ("type", "schema"):
                continue
            others = json.loads(json.dumps(records))
            inner = others[number]
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = changed(value)
            if render(others) != page:
                found.add(".".join([record["type"], *(key for key in place if isinstance(key, str))]))
    return found


def test_every_field_is_shown_or_listed_as_not_shown() -> None:
    samples = [example(verdict) for verdict in ("holds", "fails", "undecided")]
    samples += [[record for record in samples[0] if record["type"] != "proof"]]
    fields = {
        ".".join([record["type"], *(key for key in place if isinstance(key, str))])
        for record in samples[0]
        for place, _ in places(record)
        if place[0] not in ("type", "schema")
    }
    seen = set().union(*map(shown, samples))
    assert sorted(fields - seen) == sorted(NOT_SHOWN)


@pytest.fixture(scope="module")
def written() -> list[dict[str, Any]]:
    """The records of a real check that fails."""
    claim = toy.VARIANCE
    wrong = {claim.subject: lambda x: ((x - x.mean()) ** 2).sum() / len(x)}
    found = check(claim, implementations=wrong, device="cpu", dtypes=["float32"], budget="quick", seed=0)
    return [run_record("gnomon verify", Plan({})), proof_record(claim), *(one.to_data() for one in found)]


def test_what_is_written_has_every_field_and_no_other(written: list[dict[str, Any]]) -> None:
    for record in written:
        fields = {item.name for item in dataclasses.fields(RECORDS[record["type"]])}
        assert set(record) - {"type", "schema"} == fields


def test_what_is_read_is_what_was_written(written: list[dict[str, Any]]) -> None:
    for record in json.loads(json.dumps(written)):
        again = parse(record).to_data()
        assert {name: again[name] for name in record} == record


def test_a_field_that_is_not_shown_is_seen() -> None:
    records = example("holds")
    assert "run.sources" not in shown(records)
    assert "run.command" in shown(records)
