"""Hypothesis strategies from domains: structures, hyper-parameters and seeds. Tensors come from the batch."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st

from gnomon.check.choices import each_drawn
from gnomon.compute.running_error import flushes
from gnomon.compute.whole_numbers import Bindings, Wholes
from gnomon.say.claim import Claim
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes, Structural

MANY = 12
"""From so many nodes on a graph is drawn by one seed, and not edge by edge."""


@dataclass(frozen=True)
class Example:
    """What Hypothesis draws for one batch."""

    structure: dict[str, Any]
    host: dict[str, float]
    seed: int


def graphs(domain: Graph, size: int) -> st.SearchStrategy[list[list[int]]]:
    """Adjacency matrices: a random tree for connectedness, then any further edges; irregular ones are common."""

    @st.composite
    def draw_graph(draw: st.DrawFn) -> list[list[int]]:
        matrix = [[0] * size for _ in range(size)]

        def join(i: int, j: int) -> None:
            matrix[i][j] = 1
            if not domain.directed:
                matrix[j][i] = 1

        for node in range(1, size):
            if domain.connected or draw(st.booleans()) or not domain.isolated:
                join(node, draw(st.integers(0, node - 1)))
        for i in range(size):
            for j in range(size if domain.directed else i + 1):
                if (i != j or domain.loops) and not matrix[i][j] and draw(st.integers(0, 2)) == 0:
                    join(i, j)
        return matrix

    return draw_graph() if size < MANY else st.integers(0, 2**31 - 1).map(lambda seed: many_nodes(domain, size, seed))


def many_nodes(domain: Graph, size: int, seed: int) -> list[list[int]]:
    """The adjacency matrix of a graph with many nodes: a random tree, and about as many further edges.

    Each node is joined to one before it, so that the first so many are a graph of the same kind.
    """
    chooser = random.Random(seed)
    matrix = [[0] * size for _ in range(size)]
    pairs = [(node, chooser.randrange(node)) for node in range(1, size)]
    pairs += [(chooser.randrange(size), chooser.randrange(size)) for _ in range(size)]
    for i, j in pairs:
        if i != j or domain.loops:
            matrix[i][j] = 1
            if not domain.directed:
                matrix[j][i] = 1
    return matrix


def hyper_parameters(domain: Domain) -> st.SearchStrategy[float]:
    """Values of a hyper-parameter: the typical ones, and anything in the range."""
    flushed = flushes()
    if flushed and domain.open_low and domain.low == 0:  # Hypothesis would look for the number after 0, and fail
        domain = dataclasses.replace(domain, low=torch.finfo(torch.float32).tiny, open_low=False)
    subnormal = False if flushed else None
    span = math.isfinite(domain.low) and math.isfinite(domain.high)
    if domain.integer:
        least = -100 if math.isinf(domain.low) else math.ceil(domain.low)
        most = max(least, 0) + 100 if math.isinf(domain.high) else math.floor(domain.high)
        drawn: st.SearchStrategy[float] = st.integers(least, most).map(float)
    elif span:
        drawn = st.floats(
            domain.low,
            domain.high,
            exclude_min=domain.open_low,
            exclude_max=domain.open_high,
            allow_subnormal=subnormal,
        )
        drawn = drawn.filter(lambda value: value == domain.low or abs(value - domain.low) > 1e-12)
    else:
        low = domain.low if math.isfinite(domain.low) else -8.0
        high = domain.high if math.isfinite(domain.high) else max(8.0, low + 8.0)
        drawn = st.floats(low, high, exclude_min=domain.open_low, width=32, allow_subnormal=subnormal).filter(
            domain.contains
        )
        drawn = drawn.filter(lambda value: value == 0 or abs(value) > 2.0**-30)
    typical = [value for value in domain.typical if domain.contains(value)]
    return st.one_of(st.sampled_from(typical), drawn) if typical else drawn


@st.composite
def structures(draw: st.DrawFn, domains: Iterable[Structural], sizes: Mapping[str, int]) -> dict[str, Any]:
    """One value for each structural domain, in order, so that a list's length may depend on a size.

    Those among ``sizes`` are given and not drawn.
    """
    found: dict[str, Any] = {}
    for domain in domains:
        if domain.name in sizes:
            found[domain.name] = sizes[domain.name]
        elif isinstance(domain, Size):
            found[domain.name] = draw(st.integers(domain.low, domain.high))
        elif isinstance(domain, Choice):
            found[domain.name] = draw(st.sampled_from(list(domain.options)))
        elif isinstance(domain, Sizes):
            numbers = {name: value for name, value in found.items() if isinstance(value, int)}
            length = Wholes(Bindings(numbers, {}, {}), ()).whole(domain.length, {})
            if length is None:
                raise ValueError(f"the length {domain.length} of {domain.name} needs a Size that stands before it")
            found[domain.name] = draw(st.lists(st.integers(domain.low, domain.high), min_size=length, max_size=length))
        else:
            found[domain.name] = draw(graphs(domain, found[domain.size.name]))
    return found


@st.composite
def examples(draw: st.DrawFn, claim: Claim, sizes: Mapping[str, int]) -> Example:
    """A structure, the hyper-parameters and the seed of a batch for a claim."""
    structure = draw(structures(claim.structure, sizes))
    host = {domain.name: draw(hyper_parameters(domain)) for domain in claim.inputs if domain.host}
    return Example(structure, host, draw(st.integers(0, 2**31 - 1)))


def draw_examples(claim: Claim, count: int, seed: int, sizes: Mapping[str, int] | None = None) -> list[Example]:
    """The batches that Hypothesis draws for a claim: the simplest structure first, no two alike, every option in some.

    ``sizes`` are those that are given and not drawn. Where there are fewer than ``count`` structures they come again
    with other seeds.
    """
    found: dict[str, Example] = {}

    def collect(example: Example) -> None:
        found.setdefault(json.dumps([example.structure, example.host]), example)

    each_drawn(examples(claim, sizes or {}), 4 * count, seed, collect)
    distinct = every_option(list(found.values()), count, [d.name for d in claim.structure if isinstance(d, Choice)])
    rounds = range(-(-count // len(distinct)))
    again = [example for _ in rounds for example in distinct][:count]
    return [
        dataclasses.replace(example, seed=zlib.crc32(f"{seed}/{number}/{example.seed}".encode()) >> 1)
        for number, example in enumerate(again)
    ]


def every_option(drawn: list[Example], count: int, choices: list[str]) -> list[Example]:
    """The first so many examples; where they lack a label of a choice, those that bring new ones come before others."""
    labels = [{(name, example.structure[name]) for name in choices} for example in drawn]
    seen: set[tuple[str, str]] = set().union(*labels[:count])
    if set().union(*labels) == seen:
        return drawn[:count]
    seen, telling = set(), []
    for number, own in enumerate(labels):
        if own - seen:
            seen |= own
            telling.append(number)
    others = [number for number in range(len(drawn)) if number not in telling]
    return [drawn[number] for number in sorted([*telling, *others][:count])]
