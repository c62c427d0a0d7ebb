"""A run: the tasks of many claims on any executor, evidence flushed as each ends."""

from __future__ import annotations

import datetime
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from gnomon.find import walk
from gnomon.find.catalogue import Row
from gnomon.find.subjects import alternatives
from gnomon.run.executor import IsolatedExecutor, TaskDied, TaskRaised, TaskTimeout
from gnomon.say.errors import UsageError
from gnomon.say.evidence import Evidence, Run, append

DEAD = (TaskDied, TaskTimeout, TaskRaised)
"""How a task ends that has no answer."""

TIME_LIMIT = {"quick": 180.0, "standard": 900.0, "deep": 7200.0}
Record = dict[str, Any]
Lost = Callable[[Row, BaseException], list[Record]]


@dataclass(frozen=True)
class Plan:
    """What to verify and how; everything a task needs, as plain data."""

    implementations: dict[str, Any]
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float64", "float32")
    budget: str = "quick"
    seed: int = 0
    prove: bool = True
    grade: str = "any"
    unlike: dict[str, dict[str, str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    compiler: str = ""


def run_claim(claim_id: str, module: str, plan: Plan) -> list[Record]:
    """One task: prove the claim, then check its subject; the records in that order."""
    from gnomon.check.options import not_looked_at
    from gnomon.check.proof_record import proof_record
    from gnomon.check.verdict import check

    claim = walk.claim_in(module, claim_id)
    records = [proof_record(claim)] if plan.prove else []
    found = check(
        claim,
        implementations=plan.implementations,
        device=plan.device,
        dtypes=plan.dtypes,
        budget=plan.budget,
        seed=plan.seed,
        trust=records[0]["trust"] if records else "",
        unread=not_looked_at,
        grade=plan.grade,
        unlike=plan.unlike,
        sizes=plan.sizes,
        compiler=plan.compiler,
    )
    return records + [evidence.to_data() for evidence in found]


def prove_claim(claim_id: str, module: str) -> list[Record]:
    """One task of ``gnomon prove``."""
    from gnomon.check.proof_record import proof_record

    return [proof_record(walk.claim_in(module, claim_id))]


def audit_claim(claim_id: str, module: str, others: tuple[str, ...]) -> list[Record]:
    """One task of ``gnomon audit``: every mutant of a linked claim; the claims that follow it lend their proofs."""
    from gnomon.link.audit import audit
    from gnomon.say.maker import ClaimMaker

    makers = {id: entry for id, entry in walk.entries().items() if isinstance(entry, ClaimMaker)}
    place = others.index(claim_id)
    lenders = [makers[id] for id in (*others[place + 1 :], *others[:place])]
    return [asdict(mutant) for mutant in audit(makers[claim_id], lenders)]


def lost_claim(row: Row, error: BaseException) -> list[Record]:
    """For a proof or an audit without an answer: which claim it was about, and what became of it."""
    return [{"claim": row["id"], "reason": f"{error.kind}: {error}" if isinstance(error, TaskRaised) else str(error)}]


SEVERAL = 8
"""From so many tasks on it pays to import for all what few need."""


def preload(tasks: int) -> list[str]:
    """The modules that every task needs, for the fork server; for several, what torch imports at some first calls, too.

    Not the derivations, of which a task needs one: building every formula takes longer than most tasks.
    """
    ours = [
        f"{package}.{name}"
        for package in (walk.REFERENCE, walk.PROPERTY_TESTS)
        for name, _ in walk.modules(package)
        if not name.startswith("test_")
    ]
    return [
        "gnomon.check.verdict",
        "gnomon.check.proof_record",
        "numpy.random",
        *ours,
        *(["torch._dynamo"] if tasks >= SEVERAL else []),
    ]


def default_jobs() -> int:
    """As many tasks at once as there are cores to use, at most 8."""
    return max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def isolated(jobs: int, budget: str, tasks: int) -> IsolatedExecutor:
    """The executor that the command line uses, for so many tasks."""
    return IsolatedExecutor(jobs, TIME_LIMIT[budget], preload(tasks))


def run(
    rows: Sequence[Row],
    task: Callable[..., list[Record]],
    arguments: tuple[Any, ...],
    executor: Executor,
    out: Path | None = None,
    lost: Lost | None = None,
    apart: Callable[[Row], Sequence[tuple[tuple[Any, ...], Lost]]] = lambda row: (),
) -> Iterator[tuple[str, list[Record]]]:
    """Run a task for each row of the catalogue; yield its records as it ends, after they are on disk.

    ``lost`` makes the records of a task that crashed, hung or raised; without it the exception goes on. If it raises,
    nothing more is begun, and what is running is finished and kept before the exception goes on. ``apart`` says in
    which parts such a task is run again before it is lost: the arguments of each part, and its own ``lost``. A row then
    comes once for each part.
    """
    running: dict[Future[list[Record]], tuple[Row, Lost | None, bool]] = {
        executor.submit(task, row["id"], row["module"], *arguments): (row, lost, True) for row in rows
    }
    stop: BaseException | None = None
    try:
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                row, otherwise, whole = running.pop(future)
                if future.cancelled():
                    continue
                dead = whole and stop is None and isinstance(future.exception(), DEAD)
                if dead and (parts := apart(row)):
                    for part, alone in parts:
                        running[executor.submit(task, row["id"], row["module"], *part)] = (row, alone, False)
                    continue
                try:
                    records = _records(future, row, otherwise)
                except (UsageError, *DEAD) as error:
                    stop = stop or error
                    for other in running:
                        other.cancel()
                    continue
                if out is not None:
                    append(out, records)
                yield row["id"], records
        if stop is not None:
            raise stop
    finally:
        for future in running:
            future.cancel()


def _records(future: Future[list[Record]], row: Row, lost: Lost | None) -> list[Record]:
    try:
        return future.result()
    except DEAD as error:
        if lost is None:
            raise
        return lost(row, error)


def one_by_one(plan: Plan) -> Callable[[Row], list[tuple[tuple[Plan], Lost]]]:
    """How a task of :func:`run_claim` with several implementations is run again: each alone, with the proof."""

    def parts(row: Row) -> list[tuple[tuple[Plan], Lost]]:
        subject = row["subject"]
        places = alternatives(plan.implementations.get(subject))
        alone = [
            replace(plan, implementations={**plan.implementations, subject: place})
            for place in (places if len(places) > 1 else ())
        ]
        return [((each,), lost_evidence(each)) for each in alone]

    return parts


def missing(records: Iterable[Record], rows: Sequence[Row], plan: Plan) -> list[str]:
    """The checks of a run of which its evidence has no record, each as claim and dtype."""
    there = Counter(
        (record.get("claim"), record.get("dtype")) for record in records if record.get("type") == "evidence"
    )
    wanted = {row["id"]: len(alternatives(plan.implementations.get(row["subject"]))) for row in rows}
    return [f"{id} in {dtype}" for id, many in wanted.items() for dtype in plan.dtypes if there[id, dtype] < many]


def lost_evidence(plan: Plan) -> Callable[[Row, BaseException], list[Record]]:
    """For a task without an answer: a verdict that says what became of it, in every dtype."""

    def records(row: Row, error: BaseException) -> list[Record]:
        if isinstance(error, TaskRaised) and error.kind == "UsageError":
            raise UsageError(str(error))
        subject = row["subject"]
        kind = f"{error.kind}: " if isinstance(error, TaskRaised) else ""
        ours = isinstance(error, TaskRaised)
        ours_alone = f"{walk.REFERENCE}.{subject.replace('.', ':')}"
        return [
            Evidence(
                row["id"],
                subject,
                ours_alone if place is None else str(place),
                plan.device,
                dtype,
                "undecided" if ours else "fails",
                None if ours else "crash",
                f"the engine stopped with {kind}{error}" if ours else str(error),
            ).to_data()
            for place in alternatives(plan.implementations.get(subject))
            for dtype in plan.dtypes
        ]

    return records


def run_record(command: str, plan: Plan) -> Record:
    """The head of a run: when, what, on which machine, with which versions."""
    from gnomon.compute.compiled import K

    return Run(
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        command=command,
        seed=plan.seed,
        budget=plan.budget,
        plan={
            "device": plan.device,
            "dtypes": list(plan.dtypes),
            "budget": plan.budget,
            "seed": plan.seed,
            "grade": plan.grade,
            "sizes": plan.sizes,
            "compiler": plan.compiler,
            "implementations": {
                subject: [str(place) for place in given] if isinstance(given, (list, tuple)) else str(given)
                for subject, given in plan.implementations.items()
            },
        },
        sources=walk.digest("gnomon", walk.DERIVATIONS, walk.REFERENCE, walk.PROPERTY_TESTS),
        versions={"python": platform.python_version(), **_versions()},
        machine=machine(plan.device),
        K=K,
    ).to_data()


def _versions() -> dict[str, str]:
    found = {}
    for name in ("gnomon", "torch", "sympy", "python-flint", "hypothesis", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine(device: str) -> Record:
    """The machine as far as it may matter to rounding."""
    cuda = None
    if device.startswith("cuda"):
        import torch

        cuda = f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})"
    return {
        "cpu": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "device": device,
        "cuda": cuda,
    }
