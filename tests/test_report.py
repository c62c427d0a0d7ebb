"""The report: what it counts, that it hides and loads nothing, and what it says of files it cannot read."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from gnomon.reports.page import render
from gnomon.reports.summary import Report, summarise, verdict_of
from gnomon.reports.view import BadRecord, Evidence, parse

MATH = "<math><msub><mi>x</mi><mn>1</mn></msub></math>"
VOID = {"input", "link", "meta", "rect", "wbr", "path"}


def run(**more: Any) -> dict[str, Any]:
    machine = {"cpu": "A CPU", "cores": 2, "device": "cpu", "cuda": None}
    made = {"started": "2025-11-22T17:05:09+00:00", "command": "gnomon verify --quick", "seed": 7, "K": 4}
    return {"type": "run", "schema": 1, **made, "machine": machine, "versions": {"torch": "2.13.0"}, **more}


def proof(claim: str, **more: Any) -> dict[str, Any]:
    checked = {"symbolic": True, "points": 12, "rejected": 4, "cited": False, "message": "", "seconds": 0.01}
    step = {"rule": "differentiate", "why": "chain rule", "before": MATH, "after": MATH, "ok": True, **checked}
    variant = {"name": "a sign", "source": "notes, printed", "printed": True, "math": [MATH], "why": "it was lost"}
    shown = {"trust": "proved for every n", "label": "proved", "ok": True, "lift": None, "seconds": 0.2}
    read = {"statement": MATH, "statement_text": "x₁", "conditions": ["β > 0"], "kind": "equality"}
    named = {"section": "1.2.5", "title": f"Title of {claim}", "subject": "optim.Adam", **read, **shown}
    inputs = [{"name": "g", "math": MATH, "domain": "real, shape (T, n)"}]
    parts = {"inputs": inputs, "program": [{"name": "m", "math": MATH}], "steps": [step], "variants": [variant]}
    return {"type": "proof", "claim": claim, **named, **parts, **more}


def example(**more: Any) -> dict[str, Any]:
    values = {"output": "param[0]", "observed": "0.0099995", "expected": "0.990099"}
    gap = {"difference": 0.98, "budget": 1e-15, "code": "import torch\nprint(1 < 2)"}
    return {"structure": {"n": 1}, "inputs": {"g": [[1e-06]]}, **values, **gap, **more}


def evidence(claim: str, verdict: str = "holds", **more: Any) -> dict[str, Any]:
    looked = {"structures": 8, "points": 1000, "comparisons": 2000, "excused": 0.0}
    found = {"rejected": True, "counterexample": example(observed="-1", expected="1"), "inseparable": []}
    variant = {"name": "a sign", "source": "notes, printed", "printed": True, **found}
    failed = {"failure": "wrong formula", "counterexample": example()} if verdict == "fails" else {}
    where = {"implementation": "gnomon.reference.optim:Adam", "device": "cpu", "dtype": "float64"}
    return {
        **{"type": "evidence", "schema": 1, "claim": claim, "subject": "optim.Adam", **where},
        **{"verdict": verdict, "failure": None, "reason": "", "variant": None, "counterexample": None, **failed},
        **{"search": {**looked, "regimes": {"tiny": 1000}, "seconds": 0.8}, "gradient": None},
        **{"worst": {"share": 0.21, "where": "param[0]"}, "variants": [variant], **more},
    }


def report(*records: dict[str, Any]) -> Report:
    return summarise(map(parse, records))


class Page(HTMLParser):
    """The page as a browser sees it; an element closed out of order is an error."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(source)
        self.close()
        assert self.stack == []
        self.text = re.sub(r"\s+", " ", " ".join(self.pieces).replace("\u202f", " "))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] not in ("style", "script"):
            self.pieces.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


FULL = [
    run(),
    proof("a.holds"),
    evidence("a.holds"),
    evidence("a.holds", dtype="float32"),
    proof("b.fails", section="1.10"),
    evidence("b.fails", "fails", variant="a sign", reason="the error does not shrink"),
    evidence("b.fails", "fails", variant="a sign", reason="the error does not shrink", dtype="float32"),
    proof("c.undecided", section="1.3", trust="tested only", label="tested"),
    evidence("c.undecided", "undecided", reason="too much was excused"),
    proof("d.unseen", section="2", trust="proved for n = 2", label="proved for"),
    proof("e.unproved", ok=False, steps=[{"rule": "limit", "ok": False, "message": "they differ"}]),
    evidence("e.unproved"),
]


def test_the_page_is_well_formed_ascii_and_complete() -> None:
    source = render(FULL)
    assert source.isascii()
    page = Page(source)
    assert page.all("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {str(attributes["href"])[1:] for attributes in page.all("a")}
    assert links <= set(ids)
    for needed in ["A CPU", "gnomon verify --quick", "torch 2.13.0", "2025-11-22 17:05 UTC", "β > 0"]:
        assert needed in page.text
    for needed in [
        "real, shape (T, n)",
        "shown symbolically",
        "4 wrong right-hand sides rejected",
        "tiny 1,000",
    ]:
        assert needed in page.text
    assert all(attributes.get("scope") for attributes in page.all("th"))
    assert "print(1 < 2)" in page.text


def test_counts_are_not_merged() -> None:
    page = Page(render(FULL))
    expected = "Of 5 claims, 2 hold in every check that was made; 1 fails, 1 is undecided, 1 was not run."
    assert expected in page.text
    assert report(*map(dict, FULL)).verdicts == {"holds": 2, "fails": 1, "undecided": 1, "not run": 1}
    trusts = report(*map(dict, FULL)).trusts
    assert trusts["proved for every size"] == 2
    assert trusts["proved for the sizes named"] == trusts["tested only"] == trusts["not proved"] == 1
    assert "checks 6 3 hold, 2 fail, 1 undecided" in page.text
    assert "points compared 6,000" in page.text
    assert "comparisons 12,000" in page.text


def test_failures_come_first_with_both_values_the_variant_and_code() -> None:
    page = Page(render(FULL))
    start, end = page.text.index("Failures (2)"), page.text.index("Errata (")
    assert end < page.text.index("Claims (5)")
    failures = page.text[start:end]
    assert "the derivation does not go through" in failures
    assert "Step “limit”: they differ" in failures
    for needed in [
        "wrong formula",
        "It computes a known variant: a sign (notes, printed)",
        "float64, float32",
    ]:
        assert needed in failures
    for needed in ["0.0099995", "0.990099", "[[1e-06]]", "print(1 < 2)", "In float32"]:
        assert needed in failures


def test_without_failures_there_is_no_section_for_them() -> None:
    page = Page(render([proof("a.holds"), evidence("a.holds")]))
    assert "The one claim holds in every check that was made." in page.text
    assert "Failures" not in page.text


@pytest.mark.parametrize("records", [[], [run()], [run(), proof("a.b")]])
def test_nothing_compared_is_nothing_verified(records: list[dict[str, Any]]) -> None:
    page = Page(render(records))
    assert "Nothing was verified." in page.text
    assert "every check that was made" not in page.text
    assert report(*records).verdicts["holds"] == 0


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, "holds"),
        ({"verdict": "undecided"}, "undecided"),
        ({"search": {"points": 0, "comparisons": 0, "excused": 1.0}}, "undecided"),
        ({"gradient": {"verdict": "fails", "points": 5, "share": 3.0, "reason": "off"}}, "fails"),
        ({"gradient": {"verdict": "undecided", "points": 0, "share": "nan"}}, "holds"),
        ({"verdict": "undecided", "gradient": {"verdict": "fails"}}, "fails"),
        ({"verdict": "fails"}, "fails"),
    ],
)
def test_a_check_gets_no_better_word_than_it_earned(more: dict[str, Any], verdict: str) -> None:
    record = {**evidence("a.b"), **more}
    parsed = parse(record)
    assert isinstance(parsed, Evidence)
    assert verdict_of(parsed) == verdict
    assert report(evidence("a.b"), record).verdicts == {verdict: 1}
    Page(render([record]))


@pytest.mark.parametrize(
    ("records", "trust"),
    [
        ([proof("a.b")], "proved for every size"),
        (
            [proof("a.b", trust="proved for every size; not linked", label="unlinked")],
            "steps checked, not linked to the law",
        ),
        ([proof("a.b", trust="proved for every n, citing T", label="citing")], "proved, citing a theorem"),
        ([proof("a.b", trust="definition", label="definition")], "definition"),
        ([proof("a.b", trust="proved for n = 2", label="proved for")], "proved for the sizes named"),
        ([proof("a.b", label="no such label")], "not proved"),
        ([proof("a.b", trust="tested only", label="tested")], "tested only"),
        ([proof("a.b", ok=False)], "not proved"),
        ([proof("a.b", ok=False), proof("a.b")], "not proved"),
        ([evidence("a.b")], "not proved"),
    ],
)
def test_a_proof_is_not_rounded_up(records: list[dict[str, Any]], trust: str) -> None:
    assert report(*records).trusts == {trust: 1}


def test_cited_steps_are_said_to_be_unchecked() -> None:
    cited = {"rule": "cite", "ok": True, "cited": True, "symbolic": None, "after": MATH, "why": "Butcher"}
    page = Page(render([proof("a.b", steps=[cited], lift="pointwise"), evidence("a.b")]))
    assert "cited , not checked by machine" in page.text
    assert "1 step cited, which no machine checks" in page.text
    assert "lift: pointwise, which no machine checks" in page.text


def test_errata_show_both_values_and_count_only_what_was_shown() -> None:
    unseen = evidence("b.b", variants=[{"name": "a sign", "rejected": False, "printed": True}])
    page = Page(render([proof("a.b"), evidence("a.b"), proof("b.b"), unseen]))
    start = page.text.index("Errata (1)")
    errata = page.text[start : page.text.index("Claims (2)")]
    for needed in ["it was lost", "param[0] at n = 1, g = [[1e-06]] -1 1"]:
        assert needed in errata
    assert "none: not shown to be wrong" in errata
    assert "1 variant was not rejected by any check" in page.text
    assert "variants rejected 1 of 2" in page.text


def test_the_smallest_counterexample_of_a_variant_is_shown() -> None:
    large = {"name": "a sign", "rejected": True, "counterexample": example(inputs={"g": [[1, 2], [3, 4]]})}
    views = report(proof("a.b"), evidence("a.b", variants=[large]), evidence("a.b", dtype="float32")).variants
    ((_, variant),) = views
    assert variant.best is not None
    assert variant.best[0].dtype == "float32"


def test_variants_that_cannot_be_told_apart_are_named() -> None:
    alike = {"name": "a sign", "rejected": True, "inseparable": ["another layout"]}
    page = Page(render([proof("a.b"), evidence("a.b", variants=[alike])]))
    assert "cannot be told apart from: another layout" in page.text


def test_claims_stand_in_the_order_of_their_sections() -> None:
    records = [proof("a.x", section="1.10"), proof("b.x", section="1.9"), proof("c.x", section="1.2.3")]
    assert [claim.id for claim in report(*records).claims] == ["c.x", "b.x", "a.x"]


def test_the_excused_share_is_of_all_that_was_looked_at() -> None:
    half = evidence("a.b", search={"points": 10, "comparisons": 50, "excused": 0.5})
    none = evidence("a.b", search={"points": 10, "comparisons": 300, "excused": 0.0})
    assert report(half, none).excused == 50 / 400
    assert report().excused is None


def test_the_worst_error_counts_gradients_and_what_is_no_number() -> None:
    gradient = {"verdict": "holds", "points": 5, "share": 0.75}
    assert report(evidence("a.b", gradient=gradient)).claims[0].share == 0.75
    shown = render([evidence("a.b", worst={"share": "inf"}), evidence("a.c", worst={"share": "nan"})])
    assert "unbounded" in shown
    assert "not a number" in shown
    assert "2.5 × budget" in Page(render([evidence("a.b", worst={"share": 2.5})])).text


NASTY = "<script>alert(1)</script>\"'&<b>\u0000\ud800"


def _poisoned(value: Any) -> Any:
    """The record with every text that is not a keyword replaced."""
    if isinstance(value, str):
        keywords = {"run", "proof", "evidence", "holds", "fails", "undecided"}
        return value if value in keywords else NASTY
    if isinstance(value, dict):
        return {(NASTY if key in ("n", "g", "tiny", "cpu") else key): _poisoned(item) for key, item in value.items()}
    return [_poisoned(item) for item in value] if isinstance(value, list) else value


def test_text_is_escaped_wherever_it_stands() -> None:
    source = render([_poisoned(record) for record in FULL])
    page = Page(source)
    assert len(page.all("script")) == 1
    assert not page.all("b")
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert NASTY[:24] in page.text


@pytest.mark.parametrize(
    "formula",
    [
        "<math><script>alert(1)</script></math>",
        "<math><mi>x</mi><annotation-xml encoding='text/html'><img src='x'/></annotation-xml></math>",
        "<!DOCTYPE math [<!ENTITY a 'b'>]><math><mi>&a;</mi></math>",
        "<svg><mi>x</mi></svg>",
        "<math><mi>x</math>",
        "x = 1 < 2",
    ],
)
def test_a_formula_that_is_not_harmless_mathml_is_shown_as_text(formula: str) -> None:
    page = Page(render([proof("a.b", statement=formula, steps=[], variants=[], inputs=[], program=[])]))
    assert not page.all("math")
    assert re.sub(r"\s+", " ", formula) in page.text
    assert len(page.all("script")) == 1


def test_attributes_of_a_formula_that_could_act_are_dropped() -> None:
    nasty = '<math onclick="a()" href="b" style="c"><mi mathvariant="normal" class="at">d</mi></math>'
    page = Page(render([proof("a.b", statement=nasty, steps=[], variants=[], inputs=[], program=[])]))
    assert all(attributes == {} for attributes in page.all("math"))
    assert page.all("mi") == [{"mathvariant": "normal", "class": "at"}] * 2


def test_the_page_loads_nothing() -> None:
    source = render(FULL)
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source
    assert "@import" not in source
    for tag, attributes in Page(source).elements:
        assert not {"src", "srcset", "data", "action", "poster"} & set(attributes), tag
        target = attributes.get("href")
        assert target is None or target.startswith("#") or (tag == "link" and target == "data:,")


def test_an_address_in_a_record_does_not_become_a_link() -> None:
    page = Page(render([evidence("a.b", "fails", reason="see https://example.org")]))
    assert "see https://example.org" in page.text
    assert all(str(attributes["href"]).startswith("#") for attributes in page.all("a"))


def test_the_policy_admits_this_script_and_no_other() -> None:
    source = render(FULL)
    (script,) = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [meta["content"] for meta in Page(source).all("meta") if "http-equiv" in meta]
    assert f"script-src 'sha256-{digest}'" in str(policy)
    assert "default-src 'none'" in str(policy)


def test_the_script_finds_what_it_looks_for() -> None:
    script = files("gnomon.reports").joinpath("page.js").read_text("ascii")
    page = Page(render(FULL))
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert set(re.findall(r'at\("(\w+)"\)', script)) <= ids
    assert [
        attributes.get("hidden", "shown") for attributes in page.all("div") if attributes.get("id") == "controls"
    ] == [None]
    found = [attributes for _, attributes in page.elements if "data-find" in attributes]
    assert {attributes["data-verdict"] for attributes in found} == {"holds", "fails", "undecided", "not run"}


def test_both_themes_are_there() -> None:
    style = files("gnomon.reports").joinpath("page.css").read_text("ascii")
    assert "color-scheme: light dark" in style
    assert '[data-theme="dark"]' in style
    assert '[data-theme="light"]' in style


def test_a_bad_record_is_refused_by_the_page_too() -> None:
    with pytest.raises(BadRecord, match="'claim' is missing"):
        render([{"type": "evidence", "verdict": "holds"}])


def test_what_a_later_version_adds_is_passed_over() -> None:
    assert parse({**evidence("a.b"), "mood": "cheerful"}) == parse(evidence("a.b"))


def test_errors_over_every_input_are_shown_in_ulp() -> None:
    ulp = {"error": 0.5012, "pattern": "0xa1c0", "input": -0.01123046875}
    slope = {"verdict": "holds", "points": 63488, "share": 0.1, "ulp": {"error": 1.25, "pattern": "0x4829"}}
    text = Page(render([evidence("a.b", ulp=ulp, gradient=slope)])).text
    assert "0.501 ULP at 0xa1c0 (-0.0112)" in text
    assert "1.25 ULP at 0x4829" in text
