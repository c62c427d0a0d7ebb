"""The part of a claim that says what its verdicts are about: what was looked at, and what was not, with the reason."""

from __future__ import annotations

from gnomon.reports.markup import Markup, h, join, table
from gnomon.reports.pieces import quiet, where
from gnomon.reports.summary import Claim
from gnomon.say.evidence import Evidence

Rows = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]
"""What was looked at and what was not, each as pairs of words."""


def coverage(claim: Claim) -> Markup:
    """Both lists side by side; once for all checks that agree in them."""
    alike: dict[Rows, list[Evidence]] = {}
    for evidence in claim.evidence:
        alike.setdefault(_rows(evidence), []).append(evidence)
    several = len(alike) > 1
    return join(*(_lists(rows, several and ", ".join(map(where, checks))) for rows, checks in alike.items()))


def _rows(evidence: Evidence) -> Rows:
    search, covered = evidence.search, evidence.covered
    contract = [f"{name} ({_times(count)})" for name, count in search.contract.items()]
    seen = [*covered.said(), *([("contract", "; ".join(contract))] if contract else [])]
    missed = {**covered.not_looked_at, **search.contract_unseen}
    return tuple(seen), tuple(missed.items())


def _times(structures: int) -> str:
    return "in one structure" if structures == 1 else f"in {structures} structures"


def _lists(rows: Rows, of: str | bool) -> Markup:
    seen, missed = rows
    if not (seen or missed):
        return quiet("These files do not say what was covered.")
    columns = [
        _list(["looked at", "values"], seen, "What was looked at"),
        _list(["not looked at", "why"], missed, "What was not looked at"),
    ]
    return join(quiet(of) if of else "", h("div", *columns, class_="coverage"))


def _list(headings: list[str], pairs: tuple[tuple[str, str], ...], caption: str) -> Markup:
    rows: list[list[object]] = [list(pair) for pair in pairs]
    return table(headings, rows, "inputs", caption) if rows else quiet(f"{caption}: nothing is recorded.")
