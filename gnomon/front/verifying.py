"""``gnomon verify``: what is to be checked and how, the run, and what became of it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from gnomon.front.talk import coloured, progress, say
from gnomon.say.errors import UsageError

EVIDENCE = "evidence.jsonl"


def verify(arguments: argparse.Namespace) -> int:
    from gnomon.find import catalogue
    from gnomon.run import runner

    chosen = catalogue.select(arguments.globs)
    jobs = arguments.jobs or runner.default_jobs()
    patience = "deep" if arguments.compile else arguments.budget
    with runner.isolated(jobs, patience, len(chosen)) as executor:  # imports while we do
        return verified(arguments, chosen, executor)


def verified(arguments: argparse.Namespace, chosen: list[dict[str, Any]], executor: Any) -> int:
    """The run of ``gnomon verify``, on an executor; the exit code."""
    from gnomon.run import runner
    from gnomon.run.resume import finished, whole_lines
    from gnomon.say.evidence import append

    plan = plan_of(arguments, chosen, executor)
    head = runner.run_record("gnomon " + " ".join(sys.argv[1:]), plan)
    done = finished(arguments.out / EVIDENCE, head, plan.dtypes) if arguments.resume else {}
    path = arguments.out / EVIDENCE if arguments.resume else evidence_file(arguments.out)
    append(path, [head])
    records = [record for row in chosen for record in done.get(row["id"], [])]
    left = [row for row in chosen if row["id"] not in done]
    lost, one_by_one = runner.lost_evidence(plan), runner.one_by_one(plan)
    ended: set[str] = set()
    for name, found in runner.run(left, runner.run_claim, (plan,), executor, path, lost, one_by_one):
        records += found
        ended.add(name)
        progress(f"{len(ended)}/{len(left)} {name}")
    progress("")
    order = {row["id"]: place for place, row in enumerate(chosen)}
    results = [record for record in records if record["type"] == "evidence"]
    results.sort(key=lambda record: (order[record["claim"]], plan.dtypes.index(record["dtype"])))
    unproved = sorted({record["claim"] for record in records if record["type"] == "proof" and not record["ok"]})
    return _told(arguments, results, unproved, runner.missing(whole_lines(path), chosen, plan), path)


def plan_of(arguments: argparse.Namespace, chosen: list[dict[str, Any]], executor: Any) -> Any:
    """What to verify and how, once everything that is asked for is known to be there.

    Raises:
        UsageError: if something is not.
    """
    from gnomon.check.asked import parsed
    from gnomon.find.subjects import parse_implementation
    from gnomon.front.api import dtype_names, resolve_device
    from gnomon.run.implementations import bound, check_implementations, compiler_of
    from gnomon.run.runner import Plan
    from gnomon.run.wanted_sizes import check_all

    places: dict[str, list[str]] = {}
    for subject, place in dict.fromkeys(map(parse_implementation, arguments.impl)):
        places.setdefault(subject, []).append(place)
    given: dict[str, Any] = {subject: many if len(many) > 1 else many[0] for subject, many in places.items()}
    if arguments.bind:
        given = bound(given, arguments.bind)
    unused = [subject for subject in given if all(row["subject"] != subject for row in chosen)]
    if unused:
        raise UsageError(f"--impl {unused[0]}: none of the {len(chosen)} chosen claims is about it")
    plan = Plan(
        given,
        resolve_device(arguments.device),
        tuple(dtype_names(arguments.dtype)),
        arguments.budget,
        arguments.seed,
        grade=arguments.grade,
        sizes=parsed(arguments.size),
    )
    check_all(executor, chosen, plan.sizes, plan.device, plan.dtypes[0])
    if arguments.compile:
        plan = replace(plan, compiler=compiler_of(executor))
    return replace(plan, unlike=check_implementations(executor, chosen, given, plan.device))


def _told(
    arguments: argparse.Namespace, results: list[dict[str, Any]], unproved: list[str], lost: list[str], path: Path
) -> int:
    """Print what became of a run; the exit code."""
    from gnomon.front.terminal import summary, table
    from gnomon.say.evidence import exit_code

    code = exit_code(record["verdict"] for record in results)
    code = 1 if unproved else 3 if lost and code == 0 else code
    if arguments.json:
        print(json.dumps({"results": results, "exit": code}, ensure_ascii=False))
    else:
        print(table(results, coloured, arguments.verbose))
    say(summary(results))
    if unproved:
        say(f"{coloured('NOT PROVED', '31')}, see gnomon prove: {', '.join(unproved)}")
    if lost:
        say(f"undecided, since there is no record of them in the evidence: {', '.join(lost)}")
    say(f"evidence: {path}")
    return code


def evidence_file(folder: Path) -> Path:
    """The file that a run writes to, fresh; an earlier run's evidence is kept beside it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / EVIDENCE
        if path.exists():
            path.replace(folder / "evidence.previous.jsonl")
        path.touch()
    except OSError as error:
        raise UsageError(
            f"--out {str(folder)!r}: cannot write there ({error.strerror}); give a folder that can be written"
        ) from error
    return path
