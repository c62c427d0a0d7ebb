"""The part of the page with a line for each claim, the controls that need a script, and the details."""

from __future__ import annotations

from gnomon.reports.detail import claim_details
from gnomon.reports.markup import Markup, count, formula, h, join
from gnomon.reports.pieces import badge, finding, link, margin_bar, where
from gnomon.reports.summary import VERDICTS, WEAK, Claim, Report, verdict_of
from gnomon.say.evidence import Evidence

HEADINGS = ("claim", "section", "statement", "derivation", "verdicts", "worst error")


def claims(report: Report) -> Markup:
    """All claims: first a line of each, then all that is known of each."""
    if not report.claims:
        return Markup("")
    subjects = {claim.subject for claim in report.claims}
    several = len({evidence.implementation for evidence in report.checks}) > len(subjects)
    head = h("tr", *(h("th", text, scope="col", role="columnheader") for text in HEADINGS), role="row")
    rows = [_line(claim, several) for claim in report.claims]
    caption = h("caption", "All claims", class_="unseen")
    parts = (caption, h("thead", head, role="rowgroup"), h("tbody", *rows, role="rowgroup"))
    table = h("table", *parts, class_="overview", role="table")  # the roles: to some, a grid is no table
    return h(
        "section",
        h("h2", f"Claims ({count(len(report.claims))})"),
        _controls(),
        h("div", table, class_="scroll"),
        h("h2", "Claim by claim"),
        *map(claim_details, report.claims),
        id="claims",
    )


def _line(claim: Claim, several: bool) -> Markup:
    badges = [_check(evidence, several) for evidence in claim.evidence] or [badge("not run")]
    weak = " weak" if claim.trust in WEAK else ""
    cells = [
        ("", claim.section),
        ("math", formula(claim.proof.statement) if claim.proof else "\u2013"),
        (f"trust{weak}", claim.trust),
        ("badges", join(*badges)),
        ("", margin_bar(claim.share)),
    ]
    columns = zip(HEADINGS[1:], cells, strict=True)
    written = [h("td", cell, data_label=name, class_=kind or None, role="cell") for name, (kind, cell) in columns]
    title = h("th", link(claim), scope="row", role="rowheader")
    return h("tr", title, *written, role="row", **finding(claim))


def _check(evidence: Evidence, several: bool) -> Markup:
    """A badge that names the check; that it holds is said by its mark, and to those who hear the page."""
    word = verdict_of(evidence)
    said = h("span", "holds", class_="unseen") if word == "holds" else word
    implementation = evidence.implementation.partition(":")[0] if several else ""
    return badge(word, join(implementation, where(evidence), said, by=" "))


def _controls() -> Markup:
    """What only a script can do: hidden until there is one."""
    options = [h("option", "every verdict", value="")] + [h("option", word, value=word) for word in VERDICTS]
    search = h("input", type="search", id="find", placeholder="Search  /")
    return h(
        "div",
        h("label", h("span", "Search the claims", class_="unseen"), search),
        h("label", h("span", "Verdict", class_="unseen"), h("select", *options, id="only")),
        h("span", id="found", class_="quiet", role="status"),
        h("button", "Expand all", type="button", id="expand"),
        h("button", "Light or dark", type="button", id="theme"),
        class_="controls",
        id="controls",
        hidden=True,
    )
