"""Speed: examples per CPU second of the screen and of plain Hypothesis + assert_close, side by side; and the shrinker.

usage: python benchmarks/speed.py [GLOB ...]
"""

from __future__ import annotations

import statistics
import sys

from baselines import hypothesis_finds
from common import about, cpu, examples_for, planted, task_for

from gnomon.check.diagnose import diagnose
from gnomon.check.search import judge_batch, search
from gnomon.check.task import BUDGETS, Outcome
from gnomon.drive.driver import SubjectError
from gnomon.find.walk import select

POINTS = 18_432


def main() -> int:
    ratios = []
    print(f"{'claim':44} {'screen / CPU s':>15} {'Hypothesis / CPU s':>19} {'ratio':>7}")
    for claim in select(sys.argv[1:]):
        task, examples = task_for(claim), examples_for(claim)
        if all(domain.host for domain in claim.inputs):
            continue  # numbers that Hypothesis draws in both ways
        outcome = Outcome()
        for example in examples:
            task.compiled(example.structure)
        with cpu() as ours:
            for example in examples:
                judge_batch(task, example, task.observer(example), task.batch(example, POINTS), outcome)
        with cpu() as theirs:
            _, count = hypothesis_finds(task, examples, count=200)
        mine, plain = outcome.search.points / ours.seconds, count / theirs.seconds
        ratios.append(mine / plain)
        print(f"{claim.id:44} {mine:15,.0f} {plain:19,.0f} {mine / plain:7.0f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.0f}, least {min(ratios):.0f}")
    times = shrink_times()
    print(f"diagnosis of {len(times)} failures (confirm, shrink, name): median {statistics.median(times):.3f} CPU s")
    return 0


def shrink_times() -> list[float]:
    """CPU seconds from a failing batch to the smallest counterexample, over the planted bugs."""
    times = []
    for bug in planted():
        for claim in about(bug.subject):
            task = task_for(claim, "float64", bug.implementation)
            try:
                for outcome in search(task, examples_for(claim), BUDGETS["quick"]):
                    if outcome.failure is not None:
                        with cpu() as clock:
                            diagnose(task, outcome.failure)
                        times.append(clock.seconds)
            except SubjectError:
                continue
            if times:
                break
    return times


if __name__ == "__main__":
    sys.exit(main())
