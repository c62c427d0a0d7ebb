"""Planted bugs of state, layout, option, batch, resumption and second order, by kind: where each is found, and how.

usage: python benchmarks/states.py [WORD ...] [--budget standard] [--dtypes float64,float32,...]

A word chooses bugs by their file or subject. A bug is asked about in one dtype after another, until one finds it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections import Counter
from typing import Any

from common import about, cpu, examples_for, planted, task_for

from gnomon.check.task import BUDGETS
from gnomon.check.verdict import DTYPES, judge
from gnomon.say.evidence import Evidence

FILES = ("options", "states", "owed")
"""The files with bugs that values alone, of one call of one instance, do not show, by parts of their names."""


def file_of(bug: Any) -> str:
    """The file that plants a bug."""
    names = {name.rpartition(".")[2]: module for name, module in sys.modules.items() if name.startswith("planted.")}
    return next(name for name, module in names.items() if bug in module.PLANTED)


def kind_of(bug: Any) -> str:
    """The heading of a bug in its file: that above the place where its implementation is named."""
    lines = inspect.getsource(importlib.import_module(f"planted.{file_of(bug)}")).splitlines()
    name = getattr(bug.implementation, "__name__", "")
    ends = [number for number, line in enumerate(lines) if line.startswith((f"class {name}(", f"def {name}("))]
    above = lines[: ends[0]] if name and ends else []
    headings = [line.lstrip("# -") for line in above if line.startswith("# ---")]
    return f"{file_of(bug)}: {headings[-1]}" if headings else file_of(bug)


def found(bug: Any, dtypes: list[str], budget: str) -> Evidence | None:
    """The first verdict that finds a bug."""
    for dtype in dtypes:
        for claim in about(bug.subject):
            task = task_for(claim, dtype, bug.implementation)
            blank = Evidence(claim.id, bug.subject, "planted", "cpu", dtype, "undecided")
            evidence = judge(task, examples_for(claim, BUDGETS[budget].structures), budget, blank)
            if evidence.verdict == "fails" and evidence.failure != "crash":
                return evidence
    return None


def main() -> int:
    words = argparse.ArgumentParser(description="Planted bugs of state, layout, option, batch and resumption.")
    words.add_argument("words", nargs="*", metavar="WORD")
    words.add_argument("--budget", default="standard", choices=tuple(BUDGETS))
    words.add_argument("--dtypes", default=",".join(DTYPES))
    asked = words.parse_args()
    bugs = [bug for bug in planted() if any(part in file_of(bug) for part in FILES)]
    bugs = [bug for bug in bugs if not asked.words or any(w in f"{file_of(bug)} {bug.subject}" for w in asked.words)]
    counts, seen = Counter[str](), Counter[str]()
    print(f"{'kind':58} {'bug':86} {'found in':9} {'CPU s':>6}  how")
    for bug in sorted(bugs, key=kind_of):
        kind = kind_of(bug)
        with cpu() as clock:
            evidence = found(bug, asked.dtypes.split(","), asked.budget)
        counts[kind] += 1
        seen[kind] += evidence is not None
        how = f"{evidence.claim}: {evidence.failure}: {evidence.reason[:100]}" if evidence else ""
        where = evidence.dtype if evidence else "MISSED"
        print(f"{kind:58} {bug.subject + ': ' + bug.bug:86.86} {where:9} {clock.seconds:6.1f}  {how}", flush=True)
    print()
    for kind, many in counts.items():
        print(f"{kind:58} {seen[kind]:3} of {many}")
    print(f"{'all':58} {seen.total():3} of {counts.total()}")
    return 0 if seen == counts else 1


if __name__ == "__main__":
    sys.exit(main())
