"""Sizes that a user asks for: whether a claim has them, and whether there is room for them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch

from gnomon.check.chosen import EXTENTS, left_out
from gnomon.check.domains import structure_fault
from gnomon.check.effort import POINTS, Effort, TooMuch, entries, lowered, shapes
from gnomon.check.strategies import Example, draw_examples
from gnomon.check.task import Task
from gnomon.say.claim import Claim
from gnomon.say.domain import Graph, Size
from gnomon.say.errors import UsageError

LONGEST = 2**15
"""As many array operations may be made for sizes that are asked for, along which a program recurs."""

NUMBERS = 2**35
"""As many numbers may be computed for them, in a point of each regime: more would take longer than a task may."""

COPIES = 4
"""How many numbers of 64 bits are kept for an entry: value and bound, and what they are made of."""

NODE = 64
"""Bytes that an entry of a graph's adjacency matrix takes as a list of Python's."""

Sizes = Mapping[str, int]


def check_sizes(given: object) -> dict[str, int]:
    """Sizes by their names, checked.

    Raises:
        UsageError: if it is no dictionary from names to whole numbers that are not negative.
    """
    if not isinstance(given, Mapping):
        raise UsageError(f"sizes: expected a dictionary like {{'n': 4096}}, got {type(given).__name__}")
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise UsageError(f"size {name} = {value!r}: expected a whole number")
    return {str(name): value for name, value in given.items()}


def parsed(text: str) -> dict[str, int]:
    """``n=4096,d=64`` as a dictionary; of "" an empty one.

    Raises:
        UsageError: if it does not read so.
    """
    found: dict[str, int] = {}
    for part in text.split(",") if text else ():
        name, equals, number = (each.strip() for each in part.partition("="))
        if not name or not equals:
            raise UsageError(f"--size {text!r}: expected sizes like n=4096,d=64")
        if not number.isdecimal():
            raise UsageError(f"--size {name}={number}: expected a whole number")
        if name in found:
            raise UsageError(f"--size {text!r}: {name} is given twice")
        found[name] = int(number)
    return found


def names_of(claim: Claim) -> list[str]:
    """The names of a claim's sizes."""
    return [domain.name for domain in claim.structure if isinstance(domain, Size)]


def fault(task: Task, asked: Sizes, seed: int = 0) -> str:
    """Why a claim cannot be looked at with the sizes that it has of those that are asked for; "" if it can."""
    claim = task.claim
    own = {name: asked[name] for name in names_of(claim) if name in asked}
    if not own:
        return f"the claim has no size {', '.join(asked)}" + (_has(claim) if names_of(claim) else "; it has none")
    for domain in claim.structure:
        if isinstance(domain, Size) and domain.name in own:
            value = own[domain.name]
            if value < domain.low or (domain.closed and value > domain.high):
                most = f" to {domain.high}: nothing is claimed above" if domain.closed else " on"
                return f"{domain.name} = {value}: expected a whole number from {domain.low}{most}"
    if why := left_out(claim):
        return f"{why}, and is looked at with small sizes alone"
    try:
        return _too_much(task, own, seed)
    except TooMuch as error:
        return str(error)


def _has(claim: Claim) -> str:
    return f"; it has {', '.join(names_of(claim))}"


def _too_much(task: Task, own: Sizes, seed: int) -> str:
    """Told from small sizes first: what is lowered at sizes that are too large never ends."""
    claim = task.claim
    small = draw_examples(claim, 1, seed)[0]
    structure = {**small.structure, **own}
    graphs = sum(structure[domain.size.name] ** 2 for domain in claim.structure if isinstance(domain, Graph))
    bytes_ = graphs * NODE + POINTS * COPIES * 8.0 * sum(map(math.prod, shapes(claim, structure)))
    if why := _no_room(task, own, bytes_):
        return why
    numbers = kept = 0.0
    for domain in claim.structure:
        if isinstance(domain, Size) and own.get(domain.name, 0) > domain.high:
            effort, value, first = Effort(task, small, domain, max(EXTENTS[-1])), own[domain.name], domain.high + 1
            if effort.steps(value) > LONGEST:
                return f"{domain.name} = {value}: its program takes {effort.steps(value):.1g} steps, one after another"
            numbers = max(numbers, effort.numbers(first)) * effort.numbers(value) / effort.numbers(first)
            kept = max(kept, effort.entries(first)) * effort.entries(value) / effort.entries(first)
    if numbers * POINTS > NUMBERS:
        return f"{_said(own)}: its program computes about {numbers:.1g} numbers for a point, which takes too long"
    if why := _no_room(task, own, bytes_ + POINTS * COPIES * 8 * kept):
        return why
    example = draw_examples(claim, 1, seed, own)[0]
    if faulty := structure_fault(claim.structure, example.structure):
        return faulty
    return _no_room(task, own, bytes_ + POINTS * COPIES * 8.0 * entries(lowered(task, example.structure)))


def _no_room(task: Task, own: Sizes, wanted: float) -> str:
    limit = room(task.device) / 2
    if wanted <= limit:
        return ""
    return (
        f"{_said(own)}: needs about {wanted / 1e9:.3g} GB of memory; {limit / 1e9:.3g} GB are to be had, "
        f"half of what is free"
    )


def _said(own: Sizes) -> str:
    return ", ".join(f"{name} = {value}" for name, value in own.items())


def room(device: torch.device) -> float:
    """How many bytes of memory are free."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    found = [float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError, StopIteration):  # Linux says what is free; elsewhere there is what there is
        lines = Path("/proc/meminfo").read_text().splitlines()
        found.append(1024.0 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable"))))
    return min(found)


def examples_at(claim: Claim, asked: Sizes, count: int, seed: int) -> list[Example]:
    """Examples with the sizes that the claim has of those that are asked for; every option in some."""
    return draw_examples(claim, count, seed, {name: asked[name] for name in names_of(claim) if name in asked})


def settle(asked: Sizes, found: Sequence[tuple[str, Sequence[str], str]]) -> None:
    """Refuse sizes with which nothing would be looked at.

    ``found`` has for each claim its id, the names of its sizes, and why it cannot be looked at with those asked for.

    Raises:
        UsageError: for a size that none of the claims has, or if none of them can be looked at.
    """
    known = {name for _, names, _ in found for name in names}
    for name in asked:
        if name not in known:
            raise UsageError(f"size {name}: {_whose(found)}")
    if all(why for _, _, why in found):
        able = [(id, why) for id, names, why in found if set(names) & set(asked)]
        more = f" (and none of the other {len(able) - 1} claims with it)" if len(able) > 1 else ""
        raise UsageError(f"{able[0][0]}: {able[0][1]}{more}")


def _whose(found: Iterable[tuple[str, Sequence[str], str]]) -> str:
    rows = list(found)
    if len(rows) == 1:
        id, names, _ = rows[0]
        return f"{id} has no such size; it has {', '.join(names) or 'none'}"
    return f"none of the {len(rows)} chosen claims has it"
