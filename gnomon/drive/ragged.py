"""Ragged lists: what a subject gets of a tensor that is filled up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gnomon.say.domain import Domain


def part_of(tensor: Tensor, domain: Domain, index: tuple[int, ...], lengths: Sequence[int]) -> Tensor:
    """What a tensor has at its first indices; an array of a ragged list, which has ``lengths``, ends where it ends."""
    rest = [slice(None)] * (len(domain.shape) - len(index))
    if lengths and len(index) == 1:
        rest[0] = slice(lengths[index[0]])
    at: tuple[Any, ...] = (..., *index, *rest)
    return tensor[at]


def longest(tensor: Tensor, domain: Domain, lengths: Sequence[int]) -> Tensor:
    """The tensor of a ragged list, no longer than its longest array."""
    at: tuple[Any, ...] = (..., slice(max(lengths)), *[slice(None)] * (len(domain.shape) - 2))
    return tensor[at]
