"""The report: records of evidence in, one HTML page out, which opens from disk and needs no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from gnomon.reports.findings import errata, failures
from gnomon.reports.markup import Markup, bar, count, h, percent, plural, seconds
from gnomon.reports.overview import claims
from gnomon.reports.pieces import badge, link, quiet
from gnomon.reports.summary import TRUST, VERDICTS, Report, VariantView, summarise, verdict_of
from gnomon.reports.trust import machine_of, provenance, time_of
from gnomon.reports.view import parse
from gnomon.say.evidence import Run, Truncated

# A sundial from above: the plate, its hours, and the gnomon with its shadow.
EMBLEM = Markup(
    '<svg class="emblem" viewBox="0 0 64 40" aria-hidden="true"><path d="M4 36a28 28 0 0 1 56 0z"/><path '
    'd="M32 36 4.9 28.8M32 36 12.2 16.2M32 36 24.8 8.9M32 36 39.2 8.9M32 36 51.8 16.2M32 36 59.1 28.8"/>'
    '<path class="shadow" d="M32 36 47.5 13.9l4.3 3.6z"/><path class="style" d="M32 36V4l8 32z"/></svg>'
)


def render(records: Iterable[Mapping[str, Any]]) -> str:
    """Return the page, in ASCII, for records as :func:`gnomon.reports.view.load` gives them.

    Raises:
        BadRecord: if a record lacks what its type needs.
    """
    report = summarise(parse(dict(record)) for record in records)
    here = files("gnomon.reports")
    style, script = (here.joinpath(name).read_text("ascii") for name in ("page.css", "page.js"))
    # Nothing may be loaded, and no script may run but this one: what a record says cannot change that.
    digest = base64.b64encode(hashlib.sha256(script.encode("ascii")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("link", rel="icon", href="data:,"),
        h("title", f"Correctness report: {_in_short(report)}"),
        h("style", Markup(style)),
    )
    body = h(
        "body",
        h("a", "Skip to the claims", href="#claims", class_="skip") if report.claims else "",
        _masthead(report),
        h("main", _summary(report), failures(report), errata(report), claims(report), provenance(report)),
        h("footer", h("p", "Written by Gnomon. This page is one file and loads nothing.")),
        h("script", Markup(script)),
    )
    page = h("html", head, body, lang="en")
    return f"<!DOCTYPE html>\n{page}\n".encode("ascii", "xmlcharrefreplace").decode("ascii")


def _in_short(report: Report) -> str:
    if not report.checks:
        return "nothing was verified"
    return f"{count(report.verdicts['holds'])} of {plural(len(report.claims), 'claim')} hold"


def _masthead(report: Report) -> Markup:
    run = report.runs[-1] if report.runs else Run()
    facts = [
        ("made", time_of(run)),
        ("with", h("code", run.command) if run.command else ""),
        ("on", machine_of(run)),
        ("seed", "" if run.seed is None else str(run.seed)),
    ]
    shown = [h("div", h("dt", name), h("dd", value)) for name, value in facts if value]
    title = h("div", h("p", "Gnomon", class_="maker"), h("h1", "Correctness report"))
    name = h("div", EMBLEM, title, class_="name")
    return h("header", name, h("dl", *shown) if shown else "", _verdict(report))


def _verdict(report: Report) -> Markup:
    """The whole report in a sentence or two."""
    total, counts = len(report.claims), report.verdicts
    if not report.checks:
        proved = "Claims were proved, but nothing was compared with them."
        words = proved if total else "No evidence was given."
        return h("p", h("strong", "Nothing was verified."), " ", words, class_="verdict undecided")
    if counts["holds"] == total:
        all_ = "The one claim holds" if total == 1 else f"All {count(total)} claims hold"
        return h("p", f"{all_} in every check that was made.", class_="verdict holds")
    forms = [("fails", "fail", "fails"), ("not callable here", "cannot be called here", "cannot be called here")]
    forms.append(("undecided", "are undecided", "is undecided"))
    forms.append(("not run", "were not run", "was not run"))
    rest = [f"{count(counts[word])} {one if counts[word] == 1 else many}" for word, many, one in forms if counts[word]]
    worst = next(word for word, _, _ in forms if counts[word])
    held = f"{count(counts['holds'])} {'holds' if counts['holds'] == 1 else 'hold'}"
    words = f"Of {plural(total, 'claim')}, {held} in every check that was made; {', '.join(rest)}."
    return h("p", words, class_=f"verdict {worst.replace(' ', '-')}")


def _summary(report: Report) -> Markup:
    total = len(report.claims)
    verdicts = _tally("verdict", {badge(word): (report.verdicts[word], word) for word in VERDICTS}, total)
    trusts = _tally("proof", {word: (report.trusts[word], "proof") for word in TRUST}, total)
    cite, lift = report.leaning
    words = f"{count(cite)} of the proofs cite theorems and {count(lift)} need a lift: no machine checks either."
    tallies = h("div", verdicts, h("div", trusts, quiet(words) if cite or lift else ""), class_="tallies")
    notices = [_cut(item) for item in report.cut] + _unseen(report)
    heading = h("h2", "Summary", class_="unseen")
    return h("section", heading, *notices, tallies, _figures(report), id="summary")


def _tally(caption: str, rows: dict[str, tuple[int, str]], total: int) -> Markup:
    """A table of counts, each with its part of the whole as a bar."""
    lines = []
    for label, (number, word) in rows.items():
        drawing = bar(number / total if total else 0.0, aria_hidden="true")
        cells = (h("th", label, scope="row"), h("td", count(number), class_="figure"), h("td", drawing))
        lines.append(h("tr", *cells, class_=word.replace(" ", "-") + ("" if number else " none")))
    names = (caption, "claims", h("span", "share", class_="unseen"))
    head = h("tr", *(h("th", name, scope="col") for name in names))
    return h("table", h("thead", head), h("tbody", *lines), class_="tally")


def _figures(report: Report) -> Markup:
    checks = [verdict_of(evidence) for evidence in report.checks]
    searches = [evidence.search for evidence in report.checks]
    tried = [variant for _, variant in report.variants if variant.outcomes]
    rejected = sum(variant.rejected for variant in tried)
    words = {"holds": "hold", "fails": "fail", "undecided": "undecided", "not callable here": "not callable"}
    split = ", ".join(f"{count(checks.count(word))} {said}" for word, said in words.items() if word in checks)
    compared = count(sum(search.comparisons for search in searches))
    figures = (
        ("checks", count(len(checks)), split or "none was made"),
        ("points compared", count(sum(search.points for search in searches)), "from the claims' domains"),
        ("comparisons", compared, "single numbers, each with its budget"),
        ("excused", percent(report.excused), "of the numbers could not be judged"),
        ("variants rejected", f"{count(rejected)} of {count(len(tried))}", "wrong formulas that a check saw"),
        ("searched for", seconds(sum(search.seconds for search in searches)), "over all checks"),
    )
    boxes = (h("div", h("dt", name), h("dd", value, h("small", words))) for name, value, words in figures)
    return h("dl", *boxes, class_="figures")


def _cut(item: Truncated) -> Markup:
    words = f" Line {item.line} of {item.file} is cut off: the run was stopped while writing it, and what it"
    return h(
        "p",
        badge("undecided", "cut off"),
        f"{words} was about to say is not in this report.",
        class_="notice",
    )


def _unseen(report: Report) -> list[Markup]:
    """The variants that no check told from the claim: a check that was never seen to fail shows little."""
    missed = [(claim, variant) for claim, variant in report.variants if variant.outcomes and not variant.rejected]
    if not missed:
        return []
    names = [h("li", link(claim), variant.name, h("span", _why(variant), class_="quiet")) for claim, variant in missed]
    were = "variant was" if len(missed) == 1 else "variants were"
    words = f"{count(len(missed))} {were} not rejected by any check: there a check has not been seen to fail."
    return [h("details", h("summary", words), h("ul", *names), class_="notice")]


def _why(variant: VariantView) -> str:
    if variant.reasons:
        return f" ({'; '.join(variant.reasons)})"
    names = ", ".join(variant.inseparable)
    return f" (cannot be told apart from {names} by what the claim allows)" if names else ""
