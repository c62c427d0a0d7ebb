"""A structure with other sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gnomon.check.domains import structure_fault
from gnomon.check.strategies import many_nodes
from gnomon.say.claim import Claim
from gnomon.say.domain import Graph, Size


def resized(claim: Claim, structure: Mapping[str, Any], sizes: Mapping[str, int], seed: int) -> dict[str, Any]:
    """A structure with other sizes: a graph on one of them loses its last nodes, or is another."""
    found = {**structure, **sizes}
    for domain in claim.structure:
        if isinstance(domain, Graph):
            extent, rows = found[domain.size.name], found[domain.name]
            rows = many_nodes(domain, extent, seed) if extent > len(rows) else rows
            found[domain.name] = [row[:extent] for row in rows[:extent]]
    return found


def fewer(claim: Claim, structure: Mapping[str, Any], seed: int) -> Iterator[dict[str, Any]]:
    """The structure with one of its sizes made smaller, the boldest first."""
    for domain in claim.structure:
        if isinstance(domain, Size):
            value = structure[domain.name]
            gap = value - domain.low
            while gap > 0:
                smaller = resized(claim, structure, {domain.name: value - gap}, seed)
                if not structure_fault(claim.structure, smaller):
                    yield smaller
                gap //= 2
