"""The end of a run on a terminal: one line a claim, failures with their counterexamples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MARKS = {
    "holds": ("holds", "32"),
    "fails": ("FAILS", "1;31"),
    "undecided": ("undecided", "33"),
    "not callable here": ("no call", "35"),
}


def table(results: Sequence[dict[str, Any]], coloured: Callable[[str, str], str]) -> str:
    """A line for each record of evidence: verdict, claim, dtype, worst share of its budget, excused share."""
    width = max((len(result["claim"]) for result in results), default=0)
    lines = [f"{'verdict':10} {'claim':{width}} {'dtype':9} {'worst':>6} {'excused':>8} {'points':>8}  implementation"]
    for result in results:
        word, code = MARKS[result["verdict"]]
        search = result["search"]
        share = result["worst"]["share"]
        lines.append(
            f"{coloured(f'{word:10}', code)} {result['claim']:{width}} {result['dtype']:9} {portion(share):>6} "
            f"{search['excused']:8.1%} {search['points']:8}  {result['implementation']}{graded(result)}"
        )
        lines += [f"           {line}" for line in details(result)]
    return "\n".join(lines)


def graded(result: dict[str, Any]) -> str:
    """Which sums a format of 16 bits was held to, where it holds."""
    grade = result["search"]["grade"]
    return f", {grade}" if grade and result["verdict"] == "holds" else ""


def portion(given: float | str | None) -> str:
    """A share of a budget: a percentage up to 999 %, a power of ten beyond; a dash where nothing is known."""
    if given is None:
        return "–"
    share = float(given)  # JSON has no infinity: it is written as a word
    return f"{share:.0%}" if share < 10 else f"{share:.0e}".replace("e+", "e") if share < float("inf") else "∞"


def details(result: dict[str, Any]) -> list[str]:
    """What a reader wants to know of a claim that does not hold."""
    found = []
    if result["verdict"] != "holds":
        found.append(f"{result['failure']}: {result['reason']}" if result["failure"] else result["reason"])
    if result["variant"]:
        found.append(f"it is the variant “{result['variant']}”")
    example = result["counterexample"]
    if example:
        values = ", ".join(f"{name}={value}" for name, value in {**example["structure"], **example["inputs"]}.items())
        found.append(f"at {values}")
        found.append(f"{example['output']} is {example['observed']}, expected {example['expected']}")
    return found


def summary(results: Sequence[dict[str, Any]]) -> str:
    """Honest counts."""
    verdicts = [result["verdict"] for result in results]
    claims = {result["claim"] for result in results}
    points = sum(result["search"]["points"] for result in results)
    counted = [word for word in MARKS if word != "not callable here" or word in verdicts]
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in counted)
    return f"{len(claims)} claims in {len(results)} checks: {counts}; {points} points looked at"
