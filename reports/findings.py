"""The parts of the page that show what is wrong: with a program, with a derivation, with a printed formula."""

from __future__ import annotations

from gnomon.reports.detail import badge, counterexample, finding, link, short, where
from gnomon.reports.markup import Markup, data, formula, h, join, table
from gnomon.reports.summary import Claim, Report, VariantView, failure_of, verdict_of
from gnomon.reports.view import Evidence


def failures(report: Report) -> Markup:
    """Every derivation that does not go through and every check that fails, in full."""
    articles = []
    for claim in report.claims:
        if claim.proof and not claim.proof.ok:
            wrong = [step for step in claim.proof.steps if not step.ok]
            words = [f"Step \u201c{s.rule}\u201d: {s.message or s.why or 'does not follow'}" for s in wrong]
            said = [h("p", text) for text in words]
            articles.append(_failure(claim, "the derivation does not go through", *said))
        failed = [evidence for evidence in claim.evidence if verdict_of(evidence) == "fails"]
        articles += [_failed_check(claim, evidence) for evidence in failed]
    if not articles:
        return Markup("")
    return h("section", h("h2", f"Failures ({len(articles)})"), *articles, id="failures")


def _failure(claim: Claim, failure: str, *content: object) -> Markup:
    head = h("h3", badge("fails"), " ", link(claim))
    words = h("p", h("strong", failure), class_="class")
    return h("article", head, words, *content, class_="failure", **finding(claim))


def _failed_check(claim: Claim, evidence: Evidence) -> Markup:
    gradient, found = evidence.gradient, evidence.counterexample
    implementation = h("code", evidence.implementation) if evidence.implementation else ""
    subject = join(evidence.subject, implementation, where(evidence), by=", ")
    parts = [
        h("p", subject, class_="quiet"),
        h("p", evidence.reason or (gradient.reason if gradient else "")),
    ]
    if evidence.variant:
        source = next((variant.source for variant in claim.variants if variant.name == evidence.variant), "")
        name = join(h("strong", evidence.variant), f" ({source})" if source else "")
        parts.append(h("p", "It computes a known variant: ", name, "."))
    parts.append(counterexample(found) if found else h("p", "No counterexample is recorded."))
    return _failure(claim, failure_of(evidence), *parts)


def errata(report: Report) -> Markup:
    """Printed formulas beside the corrected ones, each with the input that tells them apart."""
    rows: list[list[object]] = []
    for claim, variant in report.errata:
        known = variant.formula
        printed = [h("div", formula(line)) for line in (known.math if known else ())]
        if known and known.why:
            printed.append(h("p", known.why, class_="why"))
        source = f" ({variant.source})" if variant.source else ""
        name = join(link(claim), h("div", variant.name, source, class_="quiet"))
        corrected = formula(claim.proof.statement) if claim.proof else ""
        rows.append([name, join(*printed) or "\u2013", corrected or "\u2013", *_shown_wrong(variant)])
    if not rows:
        return Markup("")
    shown = sum(variant.rejected for _, variant in report.errata)
    words = "Printed formulas that were tried as variants. One is an erratum where an input was found that shows it."
    headings = [
        "claim",
        "as printed",
        "corrected",
        "smallest input found",
        "printed gives",
        "corrected gives",
    ]
    listed = table(headings, rows, "errata", "Errata")
    return h("section", h("h2", f"Errata ({shown})"), h("p", words, class_="quiet"), listed, id="errata")


def _shown_wrong(variant: VariantView) -> list[object]:
    if variant.best and (found := variant.best[1].counterexample):
        values = [
            join(found.output, " = ", h("code", data(value))) for value in (found.observed, found.expected)
        ]
        return [h("code", short(found)), *values]
    shown = "rejected; no input is recorded" if variant.rejected else "none: not shown to be wrong"
    return [h("span", shown, class_="quiet"), "\u2013", "\u2013"]
