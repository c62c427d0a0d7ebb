"""``gnomon list`` and ``gnomon explain``: the claims, the models, and what one claim says."""

from __future__ import annotations

import argparse
import json
from typing import Any

from gnomon.front.talk import coloured, say


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


def explain(arguments: argparse.Namespace) -> int:
    from gnomon.find.walk import select
    from gnomon.front.explain import explanation

    for claim in select([arguments.id]):
        print(explanation(claim))
    return 0
