"""``gnomon prove`` and ``gnomon audit``: the derivations, and what must be refused once they are spoilt."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from gnomon.front.talk import coloured, progress, say
from gnomon.say.errors import UsageError


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
