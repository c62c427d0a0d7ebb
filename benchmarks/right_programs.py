"""Right programs that are organised otherwise than the reference models: in which dtypes they hold.

usage: python benchmarks/right_programs.py [WORD ...] [--budget standard] [--dtypes float64,...] [--why]

A word chooses programs by their subject's name. Whatever fails is a false alarm, or the program is not right.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any

from common import about, cpu, examples_for, from_tests, task_for

from gnomon.check.task import BUDGETS
from gnomon.check.undisturbed import undisturbed
from gnomon.check.verdict import DTYPES, judge, seed_for
from gnomon.say.evidence import Evidence

MARKS = {"holds": "holds", "fails": "ALARM", "undecided": "undecided", "not callable here": "no call"}
WORST = ("fails", "undecided", "not callable here", "holds")


def verdicts(right: Any, dtypes: list[str], budget: str) -> list[Evidence]:
    """What is said of a right program, for each claim that it is asked about and each dtype."""
    found = []
    for claim in about(right.subject):
        if right.claims and claim.id not in right.claims:
            continue
        with undisturbed(seed_for(claim, 0)):
            first, examples = task_for(claim, "float64", right.program), examples_for(claim, BUDGETS[budget].structures)
        for dtype in dtypes:
            blank = Evidence(claim.id, right.subject, right.name, "cpu", dtype, "undecided")
            with undisturbed(seed_for(claim, 0)):
                found.append(judge(dataclasses.replace(first, dtype=DTYPES[dtype]), examples, budget, blank))
    return found


def main() -> int:
    words = argparse.ArgumentParser(description="Right programs, organised otherwise.")
    words.add_argument("words", nargs="*", metavar="WORD")
    words.add_argument("--budget", default="standard", choices=tuple(BUDGETS))
    words.add_argument("--dtypes", default=",".join(DTYPES))
    words.add_argument("--why", action="store_true", help="why each program is right")
    asked = words.parse_args()
    dtypes, counts = asked.dtypes.split(","), dict.fromkeys(WORST, 0)
    chosen = [
        each for each in from_tests("right", "RIGHT") if not asked.words or any(w in each.subject for w in asked.words)
    ]
    print(f"{'program':72} {'claims':>6}  " + "  ".join(f"{name:9}" for name in dtypes) + "  CPU s")
    for right in chosen:
        with cpu() as clock:
            found = verdicts(right, dtypes, asked.budget)
        worst = {n: min((e.verdict for e in found if e.dtype == n), key=WORST.index) for n in dtypes}
        counts[min(worst.values(), key=WORST.index)] += 1
        marks = "  ".join(f"{MARKS[worst[name]]:9}" for name in dtypes)
        name = f"{right.subject}: {right.name}" + (f" ({right.why})" if asked.why else "")
        print(f"{name:72} {len(found) // len(dtypes):6}  {marks}  {clock.seconds:5.1f}", flush=True)
        for each in found:
            if each.verdict != "holds":
                words = f"{each.failure} {each.reason} {each.counterexample or ''}"
                print(f"    {each.claim} {each.dtype} {each.verdict}: {words}")
    print(f"{len(chosen)} programs: " + ", ".join(f"{many} {verdict}" for verdict, many in counts.items()))
    return 1 if counts["fails"] or counts["undecided"] or counts["not callable here"] else 0


if __name__ == "__main__":
    sys.exit(main())
