"""The two grades of low precision: sums that are added up in float32, and sums in the format of 16 bits itself.

A sum of n terms in the format itself may err by (n - 1)·u·Σ|x|, in which a float16 accumulator of any length has room;
one in float32 by (n - 1)·u₃₂·Σ|x| + u·|y|. A check begins with the finer grade, and falls to the other for good where
some point does not reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch

from gnomon.compute.arrays.compiled import CompiledArrays
from gnomon.compute.compiled import Compiled, Gradient

FINE, OWN = "sums in float32", "sums in the dtype itself"
_SUMS = ("sum", "logsumexp")
Judged = TypeVar("Judged")


def format_of(asked: str) -> torch.dtype | None:
    """The format in which a subject is held to add up; None is its own."""
    return torch.float32 if asked == "float32" else None


def graded(
    compiled: Compiled,
    nodes: Sequence[int],
    dtype: torch.dtype,
    reached: str,
    judged: Callable[[Compiled], tuple[Judged, bool]],
) -> tuple[Judged, str]:
    """What is judged by the finest budget that all points are within, and the grade that is reached so far.

    ``judged`` gives what was found, and whether something is over its budget. The grade has no name where nothing is
    added up.
    """
    if torch.finfo(dtype).bits > 16 or not _adds(compiled, nodes):
        return judged(compiled)[0], reached
    if reached != OWN and compiled.sums is None:
        found, over = judged(replace(compiled, sums=torch.float32))
        if not over:
            return found, FINE
    return judged(compiled)[0], OWN if compiled.sums is None else FINE


def of_gradient(gradient: Gradient, compiled: Compiled) -> Gradient:
    """A gradient with another budget of its program."""
    return replace(gradient, compiled=compiled)


def _adds(compiled: Compiled, nodes: Sequence[int]) -> bool:
    if isinstance(compiled, CompiledArrays):
        return any(node.op in _SUMS for way in compiled.ways for node in way.graph.nodes)
    return any(compiled.slp.nodes[number].op in _SUMS for number in compiled.slp.reachable(nodes))
