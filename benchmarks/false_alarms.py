"""False alarms: the reference models on many inputs for each claim and dtype, with the one constant K.

usage: python benchmarks/false_alarms.py [POINTS] [GLOB] [DEVICE]      (default: 10⁶ points, every claim, cpu)

Subjects that can only be run point by point are looked at for a minute each; the table says at how many points.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from common import examples_for, task_for

from gnomon.check.diagnose import Diagnosis, diagnose, diagnose_gradient
from gnomon.check.gradients import judge_gradient, thinned, wants_gradient
from gnomon.check.search import judge_batch
from gnomon.check.task import Failure, Outcome, Task
from gnomon.check.verdict import DTYPES
from gnomon.drive.driver import SubjectError
from gnomon.find.walk import select

POINTS_A_BATCH = 18_432
Look = Callable[[Task, Failure], Diagnosis | None]
SECONDS_POINT_BY_POINT = 60.0


def alarm(task: Task, failure: Failure, look: Look = diagnose) -> str:
    """What `gnomon verify` would say of a failing batch: nothing, if none of its points fails when looked at alone."""
    diagnosis = look(task, failure)
    return f"{diagnosis.failure}: {diagnosis.counterexample}" if diagnosis else ""


def main() -> int:
    wanted = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    device = sys.argv[3] if len(sys.argv) > 3 else "cpu"
    alarms = 0
    print(f"{'claim':44} {'dtype':9} {'points':>9} {'alarms':>7} {'worst':>6} {'gradient':>9} {'excused':>8} {'s':>6}")
    for claim in select(sys.argv[2].split(",") if len(sys.argv) > 2 else []):
        for dtype in DTYPES:
            task = task_for(claim, dtype, device=device)
            outcome, found, batched, started = Outcome(), "", 0, time.perf_counter()
            turn = 0
            while outcome.search.points < wanted and not found:
                turn += 1
                for example in examples_for(claim, 16, seed=turn):
                    try:
                        observer = task.observer(example)
                        batch = task.batch(example, POINTS_A_BATCH)
                        failure = judge_batch(task, example, observer, batch, outcome)
                        if failure is not None:
                            found = alarm(task, failure)
                            batched += not found
                        if wants_gradient(task):
                            judge_gradient(task, example, observer, thinned(batch, POINTS_A_BATCH // 4), outcome)
                            if outcome.gradient_failure is not None:
                                found = found or alarm(task, outcome.gradient_failure, diagnose_gradient)
                                outcome.gradient_failure, batched = None, batched + (not found)
                    except SubjectError as error:
                        found = f"{error.failure}: {error.reason}"
                    late = time.perf_counter() - started > SECONDS_POINT_BY_POINT
                    if found or outcome.search.points >= wanted or (late and outcome.search.loop):
                        break
                if time.perf_counter() - started > SECONDS_POINT_BY_POINT and outcome.search.loop:
                    break
            alarms += bool(found)
            remark = f"{batched} batches fail, none of their points alone" if batched else ""
            share = outcome.gradient.share if outcome.gradient else 0.0
            print(
                f"{claim.id:44} {dtype:9} {outcome.search.points:9} {int(bool(found)):7} {outcome.worst_share:6.2f} "
                f"{share:9.2f} {outcome.search.excused:8.1%} {time.perf_counter() - started:6.1f}  {found or remark}",
                flush=True,
            )
    print(f"{alarms} claims and dtypes with a false alarm")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
