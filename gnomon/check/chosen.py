"""Which large structures are looked at: sizes beyond every block that programs are cut into."""

from __future__ import annotations

import dataclasses
import random
from collections import deque
from collections.abc import Iterator, Sequence

from gnomon.check.effort import NODES, POINTS, Effort, TooLong, TooMuch, cannot_draw, lowered, nodes, shapes
from gnomon.check.resized import resized
from gnomon.check.strategies import Example
from gnomon.check.task import NUMBERS, Task
from gnomon.say.claim import Claim
from gnomon.say.domain import Size

EXTENTS = ((1023, 1024, 1025), (255, 256, 257), (127, 128, 129), (63, 64, 65), (31, 32, 33))
"""Sizes about the blocks that programs are cut into: a full block, one short of it, and a tail of one."""

BESIDE = (9, 10, 17, 33)
"""Sizes that stand beside a large one where that is cheap: beyond the smallest blocks."""

SHARE = 4
"""Sizes beside a large one take no more than one part in so many of what a look may cost."""


def left_out(claim: Claim) -> str:
    """Why a claim is not looked at beyond the sizes that are drawn; "" if it may be."""
    return "the claim is an inequality" if claim.relation is not None else ""


def open_sizes(claim: Claim) -> list[Size]:
    """The sizes above which a claim still says something."""
    return [domain for domain in claim.structure if isinstance(domain, Size) and not domain.closed]


def large_examples(task: Task, examples: Sequence[Example], count: int, unreached: dict[str, str]) -> Iterator[Example]:
    """Some structures with a large size each in turn, the largest that a look affords first.

    Its other sizes are those of an example that was drawn, or, where that is cheap, beyond the smallest blocks. A size
    with which no input grows is left out. ``unreached`` gets for a size why it is not looked at beyond.
    """
    claim = task.claim
    if why := left_out(claim):
        unreached.update({size.name: why for size in open_sizes(claim)})
        return
    chooser = random.Random(f"{examples[0].seed}/{task.dtype}")
    waiting = deque((size, 0) for size in _in_order(task, examples[-1], chooser, unreached))
    efforts: dict[str, Effort] = {}
    found = 0
    while waiting and found < count:
        size, rung = waiting.popleft()
        base = examples[(len(examples) - 1 - len(efforts)) % len(examples)]
        try:
            effort = efforts[size.name] if size.name in efforts else Effort(task, base, size, max(EXTENTS[-1]))
        except TooLong as error:
            unreached.update({each.name: str(error) for each, _ in [(size, 0), *waiting]})
            return
        except TooMuch as error:
            unreached[size.name] = str(error)
            continue
        efforts[size.name] = effort
        while rung < len(EXTENTS) and (why := effort.why_not(max(EXTENTS[rung]))):
            unreached.setdefault(size.name, why)
            rung += 1
        if rung == len(EXTENTS):
            continue
        waiting.append((size, rung + 1))
        extent = max(EXTENTS[rung]) - (chooser.choice((0, 0, 1, 2)) if rung and found else 0)
        others = [efforts[name] for name in efforts if name != size.name]
        found += 1
        yield _beside(effort, extent, others, chooser)
    unreached.update({size.name: "others were chosen" for size, rung in waiting if not rung})


def _in_order(task: Task, example: Example, chooser: random.Random, unreached: dict[str, str]) -> list[Size]:
    """The sizes with which the inputs grow: those that are extents first, then those on which an extent hangs."""
    claim = task.claim
    extents = {extent for domain in claim.inputs for extent in domain.shape}
    sizes = []
    for size in open_sizes(claim):
        if size.symbol in extents or _grows(claim, example, size):
            sizes.append(size)
        else:
            unreached[size.name] = "no input grows with it"
    chooser.shuffle(sizes)
    return sorted(sizes, key=lambda size: size.symbol not in extents)


def _grows(claim: Claim, example: Example, size: Size) -> bool:
    """Whether some extents of inputs grow with a size, and none gets smaller."""
    larger = resized(claim, example.structure, {size.name: example.structure[size.name] + 1}, example.seed)
    before, after = (shapes(claim, structure) for structure in (example.structure, larger))
    pairs = [(a, b) for x, y in zip(before, after, strict=True) for a, b in zip(x, y, strict=True)]
    return any(a < b for a, b in pairs) and all(a <= b for a, b in pairs)


def _beside(effort: Effort, extent: int, others: Sequence[Effort], chooser: random.Random) -> Example:
    """A large size with its example's others, some of which are made larger as long as that is cheap."""
    task, base, name = effort.task, effort.example, effort.size.name
    alone = resized(task.claim, base.structure, {name: extent}, base.seed)
    sizes = {name: extent} | {other.size.name: chooser.choice(BESIDE) for other in others}
    sizes = {key: max(value, base.structure[key]) for key, value in sizes.items()}
    numbers = effort.numbers(extent)
    for key in sizes.keys() - {name}:
        numbers *= sizes[key] / max(1, base.structure[key])
    if others and numbers * POINTS * SHARE <= NUMBERS and all(not each.why_not(max(BESIDE)) for each in others):
        together = resized(task.claim, base.structure, sizes, base.seed)
        try:
            compiled = lowered(task, together)
            cheap = nodes(compiled) <= NODES and compiled.elements * POINTS * SHARE <= NUMBERS
            if cheap and not cannot_draw(task, together):
                return dataclasses.replace(base, structure=together)
        except TooMuch:
            pass
    return dataclasses.replace(base, structure=alone)
