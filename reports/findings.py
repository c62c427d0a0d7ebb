"""The parts of the page that show what is wrong: in a program, in a derivation, in a printed formula."""

from __future__ import annotations

from gnomon.reports.markup import Markup, data, formula, h, join, table
from gnomon.reports.pieces import badge, counterexample, finding, link, name, quiet, short, where, why
from gnomon.reports.summary import Claim, Report, VariantView, failure_of, verdict_of
from gnomon.say.evidence import Evidence


def failures(report: Report) -> Markup:
    """Every derivation that does not go through and every check that fails, in full."""
    articles = []
    for claim in report.claims:
        if claim.proof and not claim.proof.ok:
            articles.append(_failed_proof(claim))
        # The same fault in several dtypes is told once.
        faults: dict[tuple[str, str, str | None], list[Evidence]] = {}
        for evidence in claim.evidence:
            if verdict_of(evidence) == "fails":
                fault = (evidence.implementation, failure_of(evidence), evidence.variant)
                faults.setdefault(fault, []).append(evidence)
        articles += [_failed_checks(claim, checks) for checks in faults.values()]
    if not articles:
        return Markup("")
    return h("section", h("h2", f"Failures ({len(articles)})"), *articles, id="failures")


def _failure(claim: Claim, mark: Markup, failure: str, *content: object) -> Markup:
    words = h("p", h("strong", failure), class_="class")
    return h("article", h("h3", mark, " ", link(claim)), words, *content, class_="failure", **finding(claim))


def _failed_proof(claim: Claim) -> Markup:
    steps = [step for step in claim.proof.steps if not step.ok] if claim.proof else []
    words = [f"Step \u201c{step.rule}\u201d: {step.message or step.why or 'does not follow'}" for step in steps]
    lines = (h("p", text) for text in words)
    return _failure(claim, badge("fails", "not proved"), "the derivation does not go through", *lines)


def _failed_checks(claim: Claim, checks: list[Evidence]) -> Markup:
    first = checks[0]
    implementation = name(first.implementation) if first.implementation else ""
    places = ", ".join(where(evidence) for evidence in checks)
    parts = [quiet(join(first.subject, implementation, places, by=", "))]
    parts.append(h("p", first.reason or (first.gradient.reason if first.gradient else "")))
    if first.variant:
        source = next((variant.source for variant in claim.variants if variant.name == first.variant), "")
        match = join(h("strong", first.variant), f" ({source})" if source else "")
        parts.append(h("p", "It computes a known variant: ", match, "."))
    found = [(evidence, evidence.counterexample) for evidence in checks if evidence.counterexample]
    if not found:
        parts.append(h("p", "No counterexample is recorded."))
    for place, (evidence, example) in enumerate(found):
        shown = counterexample(example)
        parts.append(h("details", h("summary", f"In {where(evidence)}"), shown) if place else shown)
    return _failure(claim, badge("fails"), failure_of(first), *parts)


def errata(report: Report) -> Markup:
    """Printed formulas beside the corrected ones, each with the input that tells them apart."""
    rows: list[list[object]] = []
    for claim, variant in report.errata:
        known = variant.formula
        printed = [h("div", formula(line)) for line in (known.math if known else ())]
        printed.append(why(known.why if known else ""))
        source = f" ({variant.source})" if variant.source else ""
        name = join(link(claim), quiet(variant.name, source))
        corrected = h("div", formula(claim.proof.statement)) if claim.proof else ""
        rows.append([name, join(*printed) or "\u2013", corrected or "\u2013", *_shown_wrong(variant)])
    if not rows:
        return Markup("")
    shown = sum(variant.rejected for _, variant in report.errata)
    words = "Printed formulas, tried as variants: an input that tells one from the claim makes it an erratum."
    headings = [
        "claim",
        "as printed",
        "corrected",
        "smallest input",
        "printed gives",
        "corrected gives",
    ]
    listed = table(headings, rows, "errata", "Errata")
    return h("section", h("h2", f"Errata ({shown})"), h("p", words, class_="quiet"), listed, id="errata")


def _shown_wrong(variant: VariantView) -> list[object]:
    if variant.best and (found := variant.best[1].counterexample):
        place = join(h("code", found.output), " at ", h("code", short(found)))
        return [place, h("code", data(found.observed)), h("code", data(found.expected))]
    tried = "none: not shown to be wrong" if variant.outcomes else "not tried in this run"
    shown = "rejected; no input is recorded" if variant.rejected else tried
    return [quiet(shown), "\u2013", "\u2013"]
