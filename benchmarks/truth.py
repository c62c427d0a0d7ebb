"""Truth: the float64 value of every claim's program against Arb, beyond the running bound, on 10⁴ points a claim.

usage: python benchmarks/truth.py [POINTS] [GLOB]
"""

from __future__ import annotations

import sys

import torch
from common import examples_for, task_for

from gnomon.compute.balls import enclose
from gnomon.compute.batch import Batch
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.slp import SLP
from gnomon.find.walk import select


def disagreements(
    slp: SLP, nodes: tuple[int, ...], leaves: dict, value: torch.Tensor, bound: torch.Tensor
) -> list[int]:
    """[compared, beyond the bound, excused or undecided, worst error in thousandths of the bound]."""
    compared = beyond = left = worst = 0
    columns = {key: leaf.tolist() if isinstance(leaf, torch.Tensor) else leaf for key, leaf in leaves.items()}
    values, bounds = value.tolist(), bound.tolist()
    for row in range(len(values)):
        point = {key: column[row] if isinstance(column, list) else column for key, column in columns.items()}
        try:
            balls = enclose(slp, nodes, point)
        except (UndecidedBranch, ZeroDivisionError):
            left += len(nodes)
            continue
        for ball, ours, allowed in zip(balls, values[row], bounds[row], strict=True):
            if allowed == float("inf") or not ball.is_finite():
                left += 1
                continue
            compared += 1
            error = float(abs(ball - ours).abs_upper())
            beyond += error > allowed
            worst = max(worst, int(1000 * error / allowed) if allowed else 0)
    return [compared, beyond, left, worst]


def main() -> int:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    total = [0, 0, 0]
    print(f"{'claim':44} {'compared':>9} {'beyond':>7} {'left out':>9} {'worst':>6}")
    for claim in select(sys.argv[2:3]):
        task = task_for(claim)
        examples = examples_for(claim)
        tally = [0, 0, 0, 0]
        for example in examples:
            compiled = task.compiled(example.structure)
            batch: Batch = task.batch(example, max(9, points // len(examples) // max(1, len(compiled.nodes))))
            value, bound = compiled.truth(batch, torch.float64, task.device)
            found = disagreements(compiled.slp, compiled.nodes, batch.leaves(), value, bound)
            tally = [a + b for a, b in zip(tally[:3], found[:3], strict=True)] + [max(tally[3], found[3])]
        total = [a + b for a, b in zip(total, tally[:3], strict=True)]
        print(f"{claim.id:44} {tally[0]:9} {tally[1]:7} {tally[2]:9} {tally[3] / 1000:6.2f}", flush=True)
    print(f"{'all':44} {total[0]:9} {total[1]:7} {total[2]:9}")
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
