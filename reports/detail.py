"""The part of the page that shows one claim: how it was proved and checked, and what its check rejects."""

from __future__ import annotations

from gnomon.reports.coverage import coverage
from gnomon.reports.markup import (
    Markup,
    count,
    data,
    formula,
    h,
    join,
    margin,
    number,
    percent,
    plural,
    seconds,
    table,
)
from gnomon.reports.pieces import (
    anchor,
    badge,
    counterexample,
    finding,
    margin_bar,
    name,
    program,
    quiet,
    short,
    where,
    why,
)
from gnomon.reports.summary import Claim, VariantView, verdict_of
from gnomon.say.evidence import Evidence, ProofRecord, StepRecord, Ulp

ARROW = h("span", "\u2192", class_="arrow", role="img", aria_label="becomes")


def claim_details(claim: Claim) -> Markup:
    """All that is known of a claim, folded behind its title."""
    head = h(
        "summary",
        badge(claim.verdict),
        h("span", claim.title, class_="title"),
        name(claim.id, "id"),
        h("span", join(claim.section, claim.kind, claim.trust, by=" \u00b7 "), class_="quiet"),
    )
    parts = [
        *_statement(claim.proof),
        _part("Derivation", _derivation(claim)),
        _part("Checks", _checks(claim)),
        *([_part("What the verdicts cover", coverage(claim))] if claim.evidence else []),
    ]
    for evidence in claim.evidence:
        if evidence.counterexample:
            parts.append(_part(f"Counterexample, {where(evidence)}", counterexample(evidence.counterexample)))
    if claim.variants:
        parts.append(_part("Variants that the check must reject", _variants(claim.variants)))
    # The anchor is inside, so that a browser that follows it unfolds the claim. Where scripts run, a browser takes what
    # stands in noscript as one text, and the page's script makes it elements when the claim is unfolded: a page with
    # all formulas laid out would take seconds to open.
    body = h("div", *parts, id=anchor(claim), class_="body")
    return h("details", head, h("noscript", body), class_="claim", **finding(claim))


def _part(heading: str, *content: object) -> Markup:
    return h("section", h("h4", heading), *content)


def _statement(proof: ProofRecord | None) -> list[Markup]:
    if proof is None:
        return []
    parts = [_part("Statement", h("div", formula(proof.statement), class_="statement"))]
    if proof.conditions:
        parts.append(_part("Conditions", h("ul", *(h("li", words) for words in proof.conditions))))
    if proof.remarks:
        parts.append(_part("Remarks", h("p", proof.remarks)))
    if proof.inputs:
        inputs: list[list[object]] = [[formula(item.math), h("code", item.name), item.domain] for item in proof.inputs]
        headings = ["input", "name", "domain"]
        parts.append(_part("Inputs", table(headings, inputs, "inputs", "Inputs and their domains")))
    if proof.program:
        lines = (h("li", formula(item.math)) for item in proof.program)
        parts.append(_part("Program, whose rounding sets the budget", h("ol", *lines, class_="program")))
    return parts


def _derivation(claim: Claim) -> Markup:
    proof = claim.proof
    if proof is None:
        said = next((evidence.derivation for evidence in claim.evidence if evidence.derivation), "")
        return quiet("These files hold no proof of this claim.", f" The check was told: {said}." if said else "")
    cited = sum(step.cited for step in proof.steps)
    words = [
        h("strong", proof.trust if proof.ok else claim.trust),
        f"lift: {proof.lift}, which no machine checks" if proof.lift else "",
        f"{plural(cited, 'step')} cited, which no machine checks" if cited else "",
        f"checked in {seconds(proof.seconds)}" if proof.seconds else "",
    ]
    return join(h("p", join(*words, by="; "), "."), _steps(proof))


def _steps(proof: ProofRecord) -> Markup:
    rows: list[list[object]] = []
    for place, step in enumerate(proof.steps, 1):
        arrow = ARROW if step.before and step.after else ""
        equation = h("div", formula(step.before or ""), arrow, formula(step.after or ""), class_="equation")
        rule = h("span", step.rule, class_="rule")
        rows.append([str(place), rule, join(equation, why(step.why)), how_checked(step)])
    headings = ["step", "rule", "from what to what", "how it was checked"]
    return table(headings, rows, "steps", "Steps of the derivation") if rows else quiet("No step is recorded.")


def how_checked(step: StepRecord) -> Markup:
    """What the machine did to believe a step."""
    if not step.ok:
        return join(badge("fails", "does not follow"), quiet(step.message))
    if step.cited:
        return join(h("strong", "cited"), ", not checked by machine", quiet(step.message))
    if step.rule == "define" and not (step.symbolic or step.points):
        return join("a definition", quiet(step.message))
    done = ["shown symbolically"] if step.symbolic else []
    done += [f"enclosures agree at {plural(step.points, 'point')}"] if step.points else []
    done += [f"{plural(step.rejected, 'wrong right-hand side')} rejected"] if step.rejected else []
    return join(", ".join(done) or "no check is recorded", quiet(step.message))


def _checks(claim: Claim) -> Markup:
    headings = ["implementation", "verdict", "search", "excused", "worst error", "gradient"]
    rows = [_check(evidence) for evidence in claim.evidence]
    none = quiet("Nothing was compared with this claim.")
    return table(headings, rows, "checks", "Checks of this claim") if rows else none


def _check(evidence: Evidence) -> list[object]:
    search, gradient, verdict = evidence.search, evidence.gradient, verdict_of(evidence)
    reason = evidence.reason if verdict != "holds" else ""
    if verdict == "undecided" and not reason:
        reason = "nothing was compared"
    regimes = ", ".join(f"{regime} {count(points)}" for regime, points in search.regimes.items())
    met = [f"“{name}” at {count(points)}" for name, points in search.conditions.items()]
    supposed = f"met: {', '.join(met)} of {count(search.points)}" if met else ""
    looked = f"{plural(search.points, 'point')}, {plural(search.comparisons, 'comparison')}, "
    looked += f"{plural(search.structures, 'structure')} in {seconds(search.seconds)}"
    one = "one point at a time" if search.loop else ""
    slope = quiet("not checked")
    if gradient:
        words = f"{plural(gradient.points, 'point')}, worst {margin(gradient.share)}, "
        words += f"{percent(gradient.excused)} excused" + (f", {gradient.grade}" if gradient.grade else "")
        slope = join(badge(gradient.verdict), quiet(words), _in_ulp(gradient.ulp), why(gradient.reason))
    return [
        join(name(evidence.implementation or evidence.subject), quiet(where(evidence))),
        join(badge(verdict), quiet(evidence.failure), why(reason)),
        join(
            looked,
            quiet(regimes),
            quiet(supposed),
            quiet(one),
            quiet(search.grade),
            quiet(search.steps),
        ),
        percent(search.excused),
        join(margin_bar(evidence.worst.share), quiet(evidence.worst.where), _in_ulp(evidence.ulp)),
        slope,
    ]


def _in_ulp(ulp: Ulp | None) -> Markup:
    """The largest error over every input of the format, and the bits of the input."""
    if ulp is None:
        return Markup("")
    return quiet(f"{ulp} at ", h("code", ulp.pattern), f" ({number(ulp.input)})")


def _variants(variants: tuple[VariantView, ...]) -> Markup:
    rows: list[list[object]] = []
    for variant in variants:
        mark = h("span", "printed", class_="tag") if variant.printed else ""
        known = variant.formula
        lines = [h("div", formula(line)) for line in (known.math if known else ())]
        shown = join(*lines, why(known.why if known else "")) or "\u2013"
        rows.append([join(variant.name, mark, quiet(variant.source)), shown, _outcome(variant)])
    headings = ["variant", "formula", "what the checks said"]
    return table(headings, rows, "variants", "Variants and their rejection")


def _outcome(variant: VariantView) -> Markup:
    if not variant.outcomes:
        return quiet("not tried in this run")
    places = sorted({where(evidence) for evidence, outcome in variant.outcomes if outcome.rejected})
    said = join(h("strong", "rejected"), f" in {', '.join(places)}")
    parts = [h("div", said if places else badge("undecided", "not rejected")), *map(quiet, variant.reasons)]
    if variant.inseparable:
        parts.append(h("div", f"cannot be told apart from: {', '.join(variant.inseparable)}"))
    if variant.best and (found := variant.best[1].counterexample):
        observed, expected = h("code", data(found.observed)), h("code", data(found.expected))
        parts.append(h("div", h("code", found.output), " is ", observed, ", should be ", expected))
        parts.append(quiet("at ", h("code", short(found))))
        if found.code:
            parts.append(h("details", h("summary", "as code"), program(found.code)))
    return join(*parts)
