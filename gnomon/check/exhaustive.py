"""Functions of one number in a format of 16 bits: every input there is, and errors in units in the last place."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gnomon.compute.batch import Batch
from gnomon.say.claim import Claim
from gnomon.say.domain import Domain
from gnomon.say.evidence import Ulp

EVERY = "every number"
"""The regime of a batch that holds all there is."""


def lone_input(claim: Claim, dtype: torch.dtype) -> Domain | None:
    """The one real number that a claim is a function of, if the format has so few numbers that all can be tried."""
    return elementwise(claim) if dtype.itemsize == 2 and claim.relation is None else None


def elementwise(claim: Claim) -> Domain | None:
    """The one real number that a claim is a function of, if it is one."""
    tensors = [domain for domain in claim.inputs if not domain.host]
    return tensors[0] if len(tensors) == 1 and not tensors[0].shape and not tensors[0].integer else None


def every_number(domain: Domain, host: Mapping[str, float], dtype: torch.dtype, device: torch.device) -> Batch:
    """A batch of every finite number of a 16-bit format that lies in the domain."""
    patterns = torch.arange(-(2**15), 2**15, device=device).to(torch.int16)
    value = patterns.view(dtype).to(torch.float64)
    low = value > domain.low if domain.open_low else value >= domain.low
    high = value < domain.high if domain.open_high else value <= domain.high
    value = value[low & high & value.isfinite()]
    return Batch({domain.name: value}, dict(host), ((EVERY, len(value)),), len(value))


def in_ulp(seen: Tensor, truth: tuple[Tensor, Tensor], excused: Tensor, dtype: torch.dtype) -> Tensor:
    """Errors (B, N), in spacings of the format at the truth; 0 where excused.

    ``truth`` is a value and its own error, which is taken off: an error is at least what is returned.
    """
    value, own = truth
    error = ((seen - value).abs() - own).clamp(min=0) / spacing(value, dtype)
    return error.masked_fill(excused | own.isinf(), 0.0)


def spacing(value: Tensor, dtype: torch.dtype) -> Tensor:
    """From a number to the next of the format: a unit in its last place."""
    info = torch.finfo(dtype)
    exponent = torch.frexp(value).exponent.to(torch.float64) - 1
    return torch.exp2(exponent.clamp(min=math.log2(info.tiny))) * info.eps


def worst_ulp(seen: Tensor, truth: tuple[Tensor, Tensor], excused: Tensor, inputs: Tensor, dtype: torch.dtype) -> Ulp:
    """The largest of :func:`in_ulp`, and the input (B,) where it occurs, in hex."""
    error = in_ulp(seen, truth, excused, dtype).amax(-1)
    row = int(error.argmax())
    pattern = int(inputs[row].to(dtype).view(torch.int16)) & 0xFFFF
    return Ulp(float(error[row]), f"0x{pattern:04x}", float(inputs[row]))


def losses(seen: Tensor, truth: tuple[Tensor, Tensor], excused: Tensor, dtype: torch.dtype) -> Tensor:
    """Errors (B, N) as a claim's ceiling counts them: what the underflow of a part may cost is taken off."""
    value, own = truth
    return in_ulp(seen, (value, own + torch.finfo(dtype).tiny), excused, dtype)
