"""The end of a run on a terminal: one line a claim, failures with their counterexamples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from gnomon.say.evidence import Covered, Ulp

MARKS = {
    "holds": ("holds", "32"),
    "fails": ("FAILS", "1;31"),
    "undecided": ("undecided", "33"),
    "not callable here": ("no call", "35"),
}


SHORT = 150
"""How long a line of what was covered may be, unless all of it is asked for."""


def table(results: Sequence[dict[str, Any]], coloured: Callable[[str, str], str], verbose: bool = False) -> str:
    """A line for each record of evidence: verdict, claim, dtype, worst share of its budget, excused share.

    Below the records of a claim stands what was covered and what was not looked at; at the end, what that is for all.
    """
    width = max((len(result["claim"]) for result in results), default=0)
    lines = [f"{'verdict':10} {'claim':{width}} {'dtype':9} {'worst':>6} {'excused':>8} {'points':>8}  implementation"]
    everywhere = never(results)
    for _, records in groupby(results, lambda result: result["claim"]):
        together = list(records)
        for result in together:
            word, code = MARKS[result["verdict"]]
            search = result["search"]
            share = result["worst"]["share"]
            lines.append(
                f"{coloured(f'{word:10}', code)} {result['claim']:{width}} {result['dtype']:9} {portion(share):>6} "
                f"{search['excused']:8.1%} {search['points']:8}  {result['implementation']}{graded(result)}"
            )
            lines += [f"           {line}" for line in details(result)]
        said = max(together, key=lambda result: result["search"]["structures"])
        lines += [coloured(f"           {line}", "2") for line in coverage(said, set(everywhere), verbose)]
    if everywhere:
        lines += ["not looked at in any of them: " + ", ".join(everywhere)]
    return "\n".join(lines)


def never(results: Sequence[dict[str, Any]]) -> list[str]:
    """What none of several claims' checks looked at."""
    missed = [result["covered"]["not_looked_at"] for result in results]
    if len({result["claim"] for result in results}) < 2:
        return []
    return [what for what in missed[0] if all(what in others for others in missed)]


def coverage(result: dict[str, Any], everywhere: set[str], verbose: bool) -> list[str]:
    """What a check covered and what it did not look at: two lines, or all of it with reasons."""
    search, covered = result["search"], result["covered"]
    said = [f"{kind} {words}" for kind, words in Covered(**covered).said()]
    said += [f"contract {', '.join(search['contract'])}"] if search["contract"] else []
    missed = {**covered["not_looked_at"], **search["contract_unseen"]}
    if verbose:
        reasons = [f"{what} ({why})" if why else what for what, why in missed.items()]
        return [f"covered: {words}" for words in said] + [f"not looked at: {words}" for words in reasons]
    lines = _cut("covered: ", said), _cut("not looked at: ", [what for what in missed if what not in everywhere])
    return [line for line in lines if line]


def _cut(head: str, parts: Sequence[str]) -> str:
    """A line of what there is room for, and the number of what is left; nothing of nothing."""
    line = head
    for number, part in enumerate(parts):
        glued = line + (" · " if number else "") + part
        if number and len(glued) > SHORT:
            return f"{line} · {len(parts) - number} more (-v)"
        line = glued
    return line if parts else ""


def graded(result: dict[str, Any]) -> str:
    """What a format of 16 bits was held to, where it holds, and the largest error where all inputs were tried."""
    search, ulp = result["search"], result["ulp"]
    words = [word for word in (search["grade"], search["steps"]) if word and result["verdict"] == "holds"]
    return "".join(f", {word}" for word in [*words, *([str(Ulp(**ulp))] if ulp else [])])


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
