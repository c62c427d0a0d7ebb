"""Pieces that parts of the page share: a verdict's badge, a claim's name, a margin, a counterexample."""

from __future__ import annotations

import re

from gnomon.reports.markup import Markup, bar, data, h, join, margin, number, table
from gnomon.reports.summary import Claim
from gnomon.say.evidence import Counterexample, Evidence

MARKS = {"holds": "\u2713", "fails": "\u2717", "undecided": "?", "not callable here": "\u2260", "not run": "\u2013"}


def badge(verdict: str, words: str = "") -> Markup:
    """A verdict as a mark, words and a colour, never as a colour alone."""
    mark = h("span", MARKS[verdict], class_="mark", aria_hidden="true")
    return h("span", mark, words or verdict, class_=f"badge {verdict.replace(' ', '-')}")


def quiet(*words: object) -> Markup:
    """Words in the background, on a line of their own; nothing where there are none."""
    return h("div", *words, class_="quiet") if any(words) else Markup("")


def why(words: str) -> Markup:
    """A remark; nothing where there is none."""
    return h("p", words, class_="why") if words else Markup("")


def anchor(claim: Claim) -> str:
    """The name of a claim's place in the page."""
    return f"claim-{claim.id}"


def link(claim: Claim) -> Markup:
    """A claim's title, leading to its details, and its id."""
    return join(h("a", claim.title, href=f"#{anchor(claim)}"), name(claim.id, "id"))


def name(dotted: str, class_: str | None = None) -> Markup:
    """A dotted name as code, which a narrow column breaks after a dot or a colon."""
    return h("code", *(join(part, h("wbr")) for part in re.split(r"(?<=[.:])", dotted)), class_=class_)


def finding(claim: Claim) -> dict[str, object]:
    """The attributes by which the filter finds a claim's row and its details."""
    text = claim.proof.statement_text if claim.proof else ""
    subjects = sorted({evidence.implementation for evidence in claim.evidence})
    words = [claim.id, claim.title, claim.subject, claim.section, claim.trust, text, *subjects]
    return {"data_find": " ".join(words).lower(), "data_verdict": claim.verdict}


def where(evidence: Evidence) -> str:
    """A check's dtype and, but for the CPU, its device."""
    device = "" if evidence.device in ("", "cpu") else f" {evidence.device}"
    return (evidence.dtype or "check") + device


def margin_bar(share: float | None) -> Markup:
    """The worst error as a bar on a scale that ends at the budget."""
    words = margin(share)
    if share is None:
        return h("span", words, class_="quiet")
    if share <= 1:
        drawing = bar(share, role="img", aria_label=f"worst error: {words} of its budget")
    else:
        drawing = bar(1, "over", role="img", aria_label=f"worst error: {words}")
    return h("span", drawing, h("span", words), class_="margin")


def short(found: Counterexample) -> str:
    """A counterexample's input in a line."""
    inputs = {**found.structure, **found.inputs}
    return ", ".join(f"{name} = {data(value)}" for name, value in inputs.items())


def program(code: str) -> Markup:
    """Code to run; a block wider than the page can be scrolled with the keyboard."""
    return h("pre", h("code", code), tabindex="0") if code else Markup("")


def counterexample(found: Counterexample) -> Markup:
    """Both values, the input, and code that shows the difference."""
    values = [h("code", found.output), h("code", data(found.observed)), h("code", data(found.expected))]
    given = {**found.structure, **found.inputs}
    inputs: list[list[object]] = [[h("code", name), h("code", data(value))] for name, value in given.items()]
    headings = ["output", "observed", "expected", "difference", "allowed"]
    row: list[object] = [*values, number(found.difference), number(found.budget)]
    parts = [table(headings, [row], "values", "The two values that disagree")]
    if inputs:
        parts.append(table(["input", "value"], inputs, "inputs", "The input on which they disagree"))
    return h("div", *parts, program(found.code), class_="counterexample")
