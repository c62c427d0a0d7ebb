"""False alarms over seeds: the quick suite on the reference models, claim by claim in one process, and taken up again.

usage: python benchmarks/seeds.py [GLOB ...] [--seeds 1-8] [--dtypes float64,...] [--out FILE.jsonl] [--from ID]
                                  [--variants] [--table]

Each line of the file is a claim, a seed and a dtype. What stands there is not run again, so a run that was stopped goes
on; `--from` skips the claims before one, `--table` runs nothing and sums the file up. Seeds change fastest: what costs
most comes last. `--variants` has the variants rejected under each seed, too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from common import examples_for, task_for

from gnomon.check.undisturbed import undisturbed
from gnomon.check.verdict import DTYPES, check, judge, seed_for
from gnomon.find.walk import select
from gnomon.say.claim import Claim
from gnomon.say.evidence import Evidence

DEAR = ("uat.", "rnn.", "bptt.", "lstm.", "optim.", "adjoint.", "solver.", "gdprac.", "ae.", "train.")
"""Families of long programs, which come last."""


def grammar() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description="False alarms over seeds.")
    words.add_argument("globs", nargs="*", metavar="GLOB")
    words.add_argument("--seeds", default="1-8", help="from-to, or a list with commas")
    words.add_argument("--dtypes", default=",".join(DTYPES))
    words.add_argument("--out", type=Path, default=Path("seeds.jsonl"))
    words.add_argument("--from", dest="first", default="", metavar="ID")
    words.add_argument("--variants", action="store_true")
    words.add_argument("--table", action="store_true")
    return words


def numbers(text: str) -> list[int]:
    """Seeds, as `1-8` or `1,5,9`."""
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(each) for each in text.split(",")]


def ordered(claims: list[Claim], first: str) -> list[Claim]:
    """Claims of short programs before those of long ones; from a claim on, if one is named."""
    found = sorted(claims, key=lambda claim: claim.id.startswith(DEAR))
    return found[[claim.id for claim in found].index(first) if first else 0 :]


def whole(claim: Claim, dtypes: list[str], seed: int) -> list[Evidence]:
    """What `gnomon verify` says, variants rejected."""
    return check(claim, implementations={}, device="cpu", dtypes=dtypes, budget="quick", seed=seed)


def alone(claim: Claim, dtypes: list[str], seed: int) -> list[Evidence]:
    """The same search, of the reference model alone."""
    own, found = seed_for(claim, seed), []
    with undisturbed(own):
        examples, first = examples_for(claim, seed=seed), task_for(claim)
    for dtype in dtypes:
        task = dataclasses.replace(first, dtype=DTYPES[dtype])
        with undisturbed(own):
            blank = Evidence(claim.id, claim.subject, claim.subject, "cpu", dtype, "undecided")
            found.append(judge(task, examples, "quick", blank))
    return found


def record(evidence: Evidence, seed: int, seconds: float) -> dict[str, Any]:
    """What is kept of a verdict: enough to see the alarm again."""
    missed = [variant.name for variant in evidence.variants if not variant.rejected]
    return {
        "claim": evidence.claim,
        "seed": seed,
        "dtype": evidence.dtype,
        "verdict": evidence.verdict,
        "failure": evidence.failure,
        "reason": evidence.reason,
        "counterexample": str(evidence.counterexample) if evidence.counterexample else "",
        "points": evidence.search.points,
        "comparisons": evidence.search.comparisons,
        "variants": len(evidence.variants),
        "missed": missed,
        "seconds": round(seconds, 3),
    }


def known(file: Path) -> list[dict[str, Any]]:
    """What the file holds, but for a line that a kill cut off."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def table(records: list[dict[str, Any]]) -> int:
    """Print what was seen, and every alarm; how many there are."""
    alarms = [each for each in records if each["verdict"] != "holds" or each["missed"]]
    claims, pairs = {each["claim"] for each in records}, {(each["claim"], each["seed"]) for each in records}
    points, comparisons, seconds, variants = (
        sum(each[name] for each in records) for name in ("points", "comparisons", "seconds", "variants")
    )
    print(f"{len(claims)} claims, {len(pairs)} pairs of claim and seed, {len(records)} checks")
    print(f"{comparisons:,} comparisons at {points:,} points; {variants:,} variant trials; {seconds:,.0f} CPU s")
    counts = Counter(each["verdict"] for each in records)
    print("; ".join(f"{verdict}: {many}" for verdict, many in counts.most_common()))
    for each in alarms:
        words = f"{each['failure'] or each['verdict']}: {each['reason'][:160]} {each['missed'] or ''}"
        print(f"{each['claim']} seed {each['seed']} {each['dtype']}: {words}")
    return len(alarms)


def main() -> int:
    asked = grammar().parse_args()
    torch.set_num_threads(1)
    seeds, dtypes, before = numbers(asked.seeds), asked.dtypes.split(","), known(asked.out)
    looked = whole if asked.variants else alone
    there = {(each["claim"], each["seed"], each["dtype"]) for each in before}
    for claim in [] if asked.table else ordered(select(asked.globs), asked.first):
        for seed in seeds:
            left = [dtype for dtype in dtypes if (claim.id, seed, dtype) not in there]
            if not left:
                continue
            started = time.process_time()
            found = looked(claim, left, seed)
            share = (time.process_time() - started) / len(left)
            lines = [record(evidence, seed, share) for evidence in found]
            with asked.out.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
            before += lines
    return 1 if table(before) else 0


if __name__ == "__main__":
    sys.exit(main())
