"""Power: which of the planted bugs are found, by the checks of Gnomon and by what people do today, in float64.

usage: python benchmarks/power.py
"""

from __future__ import annotations

import sys

from baselines import assert_close_finds, gradcheck_finds, hypothesis_finds
from common import about, cpu, examples_for, planted, task_for

from gnomon.check.verdict import judge
from gnomon.say.evidence import Evidence

WAYS = ("gnomon", "assert_close on random normals", "Hypothesis + assert_close", "gradcheck")


def main() -> int:
    found = dict.fromkeys(WAYS, 0)
    seconds = dict.fromkeys(WAYS, 0.0)
    wrongly = dict.fromkeys(WAYS, 0)
    bugs = planted()
    subjects = sorted({bug.subject for bug in bugs})
    print(f"{len(bugs)} planted bugs\n{'bug':70} " + "  ".join(f"{way[:12]:>12}" for way in WAYS) + "   named as")
    for bug in bugs:
        row, name = look(bug.subject, bug.implementation, seconds)
        for way in WAYS:
            found[way] += row[way]
        marks = "  ".join(f"{'found' if row[way] else '·':>12}" for way in WAYS)
        print(f"{bug.subject + ': ' + bug.bug:70.70} {marks}   {name}", flush=True)
    for subject in subjects:
        row, _ = look(subject, None, dict.fromkeys(WAYS, 0.0))
        for way in WAYS:
            wrongly[way] += row[way]
    print(f"\n{'way':34} {'found':>9} {'CPU s':>8} {'found / CPU s':>14} {'false alarms on right models':>30}")
    for way in WAYS:
        rate = found[way] / seconds[way] if seconds[way] else 0.0
        print(
            f"{way:34} {found[way]:4}/{len(bugs):<4} {seconds[way]:8.1f} {rate:14.1f} {wrongly[way]:23}/{len(subjects)}"
        )
    return 0 if found["gnomon"] == len(bugs) and not wrongly["gnomon"] else 1


def look(subject: str, implementation: object, seconds: dict[str, float]) -> tuple[dict[str, bool], str]:
    """What each way sees in an implementation, over all claims about its subject."""
    row, name = dict.fromkeys(WAYS, False), ""
    for claim in about(subject):
        task = task_for(claim, "float64", implementation)
        examples = examples_for(claim)
        if not row["gnomon"]:
            with cpu() as clock:
                blank = Evidence(claim.id, subject, "planted", "cpu", "float64", "undecided")
                evidence = judge(task, examples, "quick", blank)
            seconds["gnomon"] += clock.seconds
            row["gnomon"] = evidence.verdict == "fails"
            name = f"{claim.id}: {evidence.variant or evidence.failure}" if row["gnomon"] else name
        ways = (
            (WAYS[1], assert_close_finds),
            (WAYS[2], lambda t, e: hypothesis_finds(t, e)[0]),
            (WAYS[3], gradcheck_finds),
        )
        for way, finds in ways:
            if not row[way]:
                with cpu() as clock:
                    row[way] = finds(task, examples)
                seconds[way] += clock.seconds
    return row, name


if __name__ == "__main__":
    sys.exit(main())
