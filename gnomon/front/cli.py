"""The command line: ``gnomon list | prove | explain | verify | report``. Nothing heavy is imported early."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gnomon.say.errors import UsageError
from gnomon.say.evidence import GRADES

EVIDENCE = "evidence.jsonl"
EPILOG = "exit codes: 0 all hold · 1 some claim fails · 2 usage, or not callable · 3 something, or all, is undecided"


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="gnomon",
        description="Prove the mathematics, turn it into checks, and hunt for the input on which a program disagrees.",
        epilog=EPILOG,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EPILOG)

    globs = {
        "nargs": "*",
        "metavar": "GLOB",
        "help": "claim ids, like optim.adam.update or 'flow.*' (default: all)",
    }
    one = add("list", "show the claims and the models, and which lack the other")
    one.add_argument("globs", **globs)  # type: ignore[arg-type]
    one.add_argument("--json", action="store_true", help="as JSON on stdout")
    one.add_argument(
        "--options", action="store_true", help="each argument of the models: which claims give it, with which values"
    )
    one = add("prove", "run the derivations, each step checked")
    one.add_argument("globs", **globs)  # type: ignore[arg-type]
    one.add_argument("--json", action="store_true", help="as JSON on stdout")
    one.add_argument("--jobs", type=_positive, metavar="N", help="tasks at once (default: the cores)")
    one = add("explain", "show a claim: statement, conditions, derivation, program, variants")
    one.add_argument("id", help="a claim's id")
    one = add("verify", "prove, search, confirm, shrink: check claims against models")
    one.add_argument("globs", **globs)  # type: ignore[arg-type]
    one.add_argument(
        "--impl", action="append", default=[], metavar="SUBJECT=PLACE",
        help="verify your own in a model's place: optim.Adam=mypkg.optim:Adam or optim.Adam=file.py:Adam",
    )  # fmt: skip
    one.add_argument(
        "--bind", metavar="NAMES", help="your own names for the model's: weight_ih=x2h.weight,weight_hh=h2h.weight"
    )
    one.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    one.add_argument(
        "--dtype", default="float64,float32", help="float64,float32,bfloat16,float16 (default: the first two)"
    )
    one.add_argument(
        "--budget",
        default="quick",
        choices=("quick", "standard", "deep"),
        help="how much to search",
    )
    one.add_argument(
        "--size", metavar="SIZES", default="", help="look at these sizes, too: n=4096,d=64 (the others as drawn)"
    )
    one.add_argument(
        "--grade", default="any", choices=GRADES,
        help="what 16-bit formats are held to: float32 asks that sums are added up in it (default: any, and named)",
    )  # fmt: skip
    one.add_argument(
        "--compile", action="store_true", help="also compare what torch.compile makes of the subject; takes long"
    )
    one.add_argument("--seed", type=int, default=0, help="for everything that is drawn (default: 0)")
    one.add_argument("--jobs", type=_positive, metavar="N", help="tasks at once (default: the cores)")
    one.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where evidence goes (default: out/)")
    one.add_argument("--resume", action="store_true", help="go on with the run in --out that was stopped")
    one.add_argument("--json", action="store_true", help="the results as JSON on stdout")
    one.add_argument(
        "-v", "--verbose", action="store_true", help="all that was covered and all that was not looked at, with reasons"
    )
    one = add("audit", "spoil claims: false laws, other programs, foreign proofs, dropped conditions must be refused")
    one.add_argument("globs", nargs="*", metavar="GLOB", help="claims, as in `gnomon list` (default: all linked ones)")
    one.add_argument("--jobs", type=_positive, metavar="N", help="processes (default: one a core)")
    one.add_argument("--json", action="store_true", help="tried, refused and survivors as JSON on stdout")
    one = add("report", "write one self-contained HTML file from evidence")
    one.add_argument("files", nargs="*", type=Path, metavar="DIR|FILE", help="evidence (default: out/)")
    one.add_argument("-o", "--output", type=Path, metavar="FILE.html", help="default: report.html beside the evidence")
    one.add_argument("--open", action="store_true", help="open it in a browser")
    return top


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    arguments = parser().parse_args(argv)
    try:
        code: int = COMMANDS[arguments.command](arguments)
        return code
    except UsageError as error:
        say(f"gnomon: {error}")
        return 2
    except BrokenPipeError:  # `gnomon list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("gnomon: stopped; the evidence of finished tasks is kept")
        return 130


def say(text: str) -> None:
    """Talk goes to stderr; stdout is for data."""
    print(text, file=sys.stderr, flush=True)


def coloured(text: str, code: str, stream: Any = None) -> str:
    """Text in colour, if the stream is a terminal and NO_COLOR is not set."""
    stream = stream or sys.stdout
    return f"\033[{code}m{text}\033[0m" if stream.isatty() and not os.environ.get("NO_COLOR") else text


def listing(arguments: argparse.Namespace) -> int:
    from gnomon.find.catalogue import select
    from gnomon.find.walk import models

    rows, known = select(arguments.globs), models()
    if arguments.options:
        return _options(sorted({row["subject"] for row in rows} & set(known)), arguments.json)
    if arguments.json and any(row["label"] is None for row in rows):
        rows = _labelled(rows, arguments.globs)
    by_subject: dict[str, list[str]] = {}
    for row in rows:
        by_subject.setdefault(row["subject"], []).append(row["id"])
    shown = [model for model in known if not arguments.globs or model in by_subject]
    if arguments.json:
        found = [{"subject": name, "claims": by_subject.get(name, [])} for name in shown]
        print(json.dumps({"claims": rows, "models": found}, indent=1, ensure_ascii=False))
        return 0
    width = max((len(row["id"]) for row in rows), default=0)
    for row in rows:
        lacking = "" if row["subject"] in known else coloured("  no such model", "31")
        label = row["label"] or "not proved yet"
        print(f"{row['id']:{width}}  §{row['section']:<6} {row['kind']:<11} {row['subject']:<28} {label}{lacking}")
    alone = [name for name in shown if name not in by_subject]
    if alone:
        print("\nmodels without a claim: " + ", ".join(alone))
    say(f"{len(rows)} claims, {len(shown)} models")
    return 0


def _options(subjects: list[str], as_json: bool) -> int:
    from gnomon.front import options

    print(options.as_data(subjects) if as_json else options.shown(subjects, coloured))
    return 0


def _labelled(rows: list[dict[str, Any]], globs: list[str]) -> list[dict[str, Any]]:
    """The rows with every label: claims that were not proved since their files changed are proved now."""
    from gnomon.find import catalogue
    from gnomon.run import runner

    unknown = [row for row in rows if row["label"] is None]
    say(f"proving {len(unknown)} claims for their labels")
    with runner.isolated(runner.default_jobs(), "quick", len(unknown)) as executor:
        ended = runner.run(unknown, runner.prove_claim, (), executor, lost=runner.lost_claim)
        found = [record for _, records in ended for record in records]
    for record in (each for each in found if "ok" not in each):
        say(f"{record['claim']} has no label: {record['reason']}")
    found = [record for record in found if "ok" in record]
    catalogue.learn(found)
    failed = {record["claim"] for record in found if not record["ok"]}
    fresh = {row["id"]: row for row in catalogue.select(globs)}
    return [fresh[row["id"]] | ({"label": "unlinked"} if row["id"] in failed else {}) for row in rows]


def prove(arguments: argparse.Namespace) -> int:
    """Run derivations; exit 1 if one does not prove its claim, else 3 if one did not end. The others are kept."""
    from gnomon.find.catalogue import learn, select
    from gnomon.run import runner

    rows = select(arguments.globs)
    records: dict[str, Any] = {}
    lost: list[dict[str, Any]] = []
    with runner.isolated(arguments.jobs or runner.default_jobs(), "quick", len(rows)) as executor:
        for name, found in runner.run(rows, runner.prove_claim, (), executor, lost=runner.lost_claim):
            if "ok" not in found[0]:
                lost += found
                say(f"{coloured('NOT ENDED', '31', sys.stderr)}  {name}: {found[0]['reason']}")
                continue
            records[name] = found[0]
            if not arguments.json:
                word = {"unlinked": "checked", "tested": "tested"}.get(found[0]["label"], "proved")
                mark = word if found[0]["ok"] else coloured("NOT PROVED", "31")
                print(f"{mark:10} {found[0]['seconds']:7.2f} s  {name}  ({found[0]['trust']})", flush=True)
                for step in found[0]["steps"]:
                    if not step["ok"]:
                        print(f"             {step['rule']}: {step['why']} — {step['message']}")
    learn(records.values())
    good = all(record["ok"] for record in records.values())
    code = 1 if not good else 3 if lost else 0
    if arguments.json:
        proofs = [records[row["id"]] for row in rows if row["id"] in records]
        lost.sort(key=lambda record: record["claim"])
        print(json.dumps({"proofs": proofs, "not_ended": lost, "exit": code}, ensure_ascii=False))
    return code


def explain(arguments: argparse.Namespace) -> int:
    from gnomon.find.walk import select
    from gnomon.front.explain import explanation

    for claim in select([arguments.id]):
        print(explanation(claim))
    return 0


def audit(arguments: argparse.Namespace) -> int:
    """Spoil linked claims in every way that must be refused; exit 1 if a spoilt one is still proved.

    A claim whose audit did not end is listed, and what the others came to is kept; exit 3 then, if nothing survived.
    """
    from gnomon.find.catalogue import select
    from gnomon.run import runner

    rows = [row for row in select(arguments.globs) if row["label"] != "unlinked"]
    if not rows:
        raise UsageError("none of the chosen claims is linked; `gnomon list` says which are")
    tried, refused, equal, survivors, lost = 0, 0, 0, [], []
    ids = tuple(row["id"] for row in rows)
    with runner.isolated(arguments.jobs or runner.default_jobs(), "standard", len(rows)) as executor:
        for name, found in runner.run(rows, runner.audit_claim, (ids,), executor, lost=runner.lost_claim):
            mutants = [record for record in found if "change" in record]
            lost += [record for record in found if "change" not in record]
            counted = [mutant for mutant in mutants if not mutant["equal"]]
            tried, equal = tried + len(counted), equal + len(mutants) - len(counted)
            refused += sum(mutant["refused"] for mutant in counted)
            survivors += [mutant for mutant in counted if not mutant["refused"]]
            progress(name)
    progress("")
    survivors.sort(key=lambda mutant: (mutant["claim"], mutant["change"]))
    lost.sort(key=lambda record: record["claim"])
    if arguments.json:
        counts = {"tried": tried, "refused": refused, "equal": equal}
        print(json.dumps({**counts, "survivors": survivors, "not_audited": lost}, ensure_ascii=False))
    else:
        for record in lost:
            print(f"NOT AUDITED  {record['claim']}: {record['reason']}")
        for mutant in survivors:
            print(f"SURVIVES  {mutant['claim']}: {mutant['change']}  {mutant['reason']}".rstrip())
        print(f"{refused} of {tried} spoilt claims refused; {equal} more are right too (a domain wider than needed)")
    return 1 if survivors else 3 if lost else 0


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
    from gnomon.check.asked import parsed
    from gnomon.find.subjects import parse_implementation
    from gnomon.front.api import dtype_names, resolve_device
    from gnomon.front.terminal import summary, table
    from gnomon.run import runner
    from gnomon.run.implementations import bound, check_implementations, compiler_of
    from gnomon.run.resume import finished, whole_lines
    from gnomon.run.wanted_sizes import check_all
    from gnomon.say.evidence import append, exit_code

    places: dict[str, list[str]] = {}
    for subject, place in dict.fromkeys(map(parse_implementation, arguments.impl)):
        places.setdefault(subject, []).append(place)
    given: dict[str, Any] = {subject: many if len(many) > 1 else many[0] for subject, many in places.items()}
    if arguments.bind:
        given = bound(given, arguments.bind)
    unused = [subject for subject in given if all(row["subject"] != subject for row in chosen)]
    if unused:
        raise UsageError(f"--impl {unused[0]}: none of the {len(chosen)} chosen claims is about it")
    plan = runner.Plan(
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
    plan = replace(plan, unlike=check_implementations(executor, chosen, given, plan.device))
    head = runner.run_record("gnomon " + " ".join(sys.argv[1:]), plan)
    ids = [row["id"] for row in chosen]
    done = finished(arguments.out / EVIDENCE, head, plan.dtypes) if arguments.resume else {}
    path = arguments.out / EVIDENCE if arguments.resume else evidence_file(arguments.out)
    append(path, [head])
    results = [record for name in ids for record in done.get(name, []) if record["type"] == "evidence"]
    left = [row for row in chosen if row["id"] not in done]
    proofs: list[dict[str, Any]] = []
    ended: set[str] = set()
    for name, records in runner.run(
        left, runner.run_claim, (plan,), executor, path, runner.lost_evidence(plan), runner.one_by_one(plan)
    ):
        results += [record for record in records if record["type"] == "evidence"]
        proofs += [record for record in records if record["type"] == "proof"]
        ended.add(name)
        progress(f"{len(ended)}/{len(left)} {name}")
    progress("")
    order = {name: place for place, name in enumerate(ids)}
    results.sort(key=lambda record: (order[record["claim"]], plan.dtypes.index(record["dtype"])))
    code = exit_code(record["verdict"] for record in results)
    lost = runner.missing(whole_lines(path), chosen, plan)
    code = 3 if lost and code == 0 else code
    proved = [record for records in done.values() for record in records] + proofs
    unproved = sorted({record["claim"] for record in proved if record["type"] == "proof" and not record["ok"]})
    code = 1 if unproved else code
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


def progress(text: str) -> None:
    """One line on a terminal that is written over; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def report(arguments: argparse.Namespace) -> int:
    from gnomon.reports.page import render
    from gnomon.reports.view import load

    given = arguments.files or [Path("out")]
    files = [file for path in given for file in ([path / EVIDENCE] if path.is_dir() else [path])]
    try:
        page = render(load(files))
    except (ValueError, OSError) as error:
        raise UsageError(f"{error}; run `gnomon verify` first, or name a folder or file with evidence") from error
    target = arguments.output or files[0].with_name("report.html")
    try:
        target.write_text(page, encoding="ascii")
    except OSError as error:
        raise UsageError(f"cannot write {str(target)!r}: {error.strerror}") from error
    print(target)
    if arguments.open:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())
    return 0


COMMANDS = {"list": listing, "prove": prove, "explain": explain, "audit": audit, "verify": verify, "report": report}
