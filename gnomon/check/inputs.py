"""Inputs for the batched search, drawn on the device in named regimes.

A regime is a way of being awkward: magnitudes that spread, cancel, vanish or tie. A batch holds every one, in blocks.
All values are float64 tensors that the subject's dtype represents exactly, so that the subject and the truth see the
same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from gnomon.compute.batch import Batch
from gnomon.compute.lower import shape_of
from gnomon.compute.whole_numbers import Bindings
from gnomon.say.domain import Domain

FINEST = 48
"""The smallest probability that is drawn is 2 to minus this: below it counts of steps would not be exact in float64."""


class _Source:
    """Random numbers of one block: everything comes from one generator, and is float64."""

    def __init__(self, generator: torch.Generator, dtype: torch.dtype) -> None:
        self.generator, self.dtype = generator, dtype
        info = torch.finfo(dtype)
        self.exponents = math.log2(info.max)
        self.tiny = info.tiny

    def uniform(self, shape: Sequence[int]) -> Tensor:
        device = self.generator.device
        return torch.rand(tuple(shape), generator=self.generator, device=device, dtype=torch.float64)

    def normal(self, shape: Sequence[int]) -> Tensor:
        device = self.generator.device
        return torch.randn(tuple(shape), generator=self.generator, device=device, dtype=torch.float64)

    def sign(self, shape: Sequence[int]) -> Tensor:
        return torch.where(self.uniform(shape) < 0.5, -1.0, 1.0)

    def per_point(self, shape: Sequence[int]) -> Tensor:
        """Uniform numbers, one for each point, that broadcast over its entries."""
        return self.uniform((shape[0],) + (1,) * (len(shape) - 1))


def _ordinary(s: _Source, shape: Sequence[int]) -> Tensor:
    return s.normal(shape) * 2


def _integers(s: _Source, shape: Sequence[int]) -> Tensor:
    return torch.floor(s.uniform(shape) * 9) - 4


def _wide(s: _Source, shape: Sequence[int]) -> Tensor:
    reach = min(20.0, s.exponents / 4)
    return s.sign(shape) * torch.exp2((2 * s.uniform(shape) - 1) * reach)


def _tiny(s: _Source, shape: Sequence[int]) -> Tensor:
    return s.normal(shape) * torch.exp2(-s.per_point(shape) * min(60.0, s.exponents * 0.75))


def _offset(s: _Source, shape: Sequence[int]) -> Tensor:
    reach = min(12.0, s.exponents / 2)
    return torch.exp2(s.per_point(shape) * reach) + s.normal(shape)


def _outlier(s: _Source, shape: Sequence[int]) -> Tensor:
    reach = min(16.0, s.exponents / 2)
    return s.normal(shape) * torch.where(s.uniform(shape) < 0.25, 2.0**reach, 1.0)


def _sparse(s: _Source, shape: Sequence[int]) -> Tensor:
    return s.normal(shape) * (s.uniform(shape) < 0.3)


def _ties(s: _Source, shape: Sequence[int]) -> Tensor:
    common = torch.floor(s.per_point(shape) * 5) - 2
    return torch.where(s.uniform(shape) < 0.6, common.expand(tuple(shape)), s.normal(shape))


def _subnormal(s: _Source, shape: Sequence[int]) -> Tensor:
    return s.normal(shape) * (s.tiny * torch.exp2(8 * (s.per_point(shape) - 0.75)))


REGIMES: Mapping[str, Callable[[_Source, Sequence[int]], Tensor]] = {
    "ordinary": _ordinary,
    "integers": _integers,
    "wide": _wide,
    "tiny": _tiny,
    "offset": _offset,
    "outlier": _outlier,
    "sparse": _sparse,
    "ties": _ties,
    "subnormal": _subnormal,
}


def draw(
    inputs: Sequence[Domain],
    bindings: Bindings,
    host: Mapping[str, float],
    size: int,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> Batch:
    """A batch of about ``size`` points, the regimes in equal blocks, on the generator's device."""
    block = max(1, size // len(REGIMES))
    source = _Source(generator, dtype)
    shapes = {domain.name: (block, *shape_of(domain, bindings)) for domain in inputs if not domain.host}
    pieces: dict[str, list[Tensor]] = {name: [] for name in shapes}
    for regime in REGIMES:
        drawn: dict[tuple[object, ...], Tensor] = {}
        for domain in inputs:
            if domain.host:
                continue
            shape = shapes[domain.name]
            covered = pieces[domain.covers][-1] if domain.covers else None
            if domain.simplex:
                value = _simplex(source, shape, regime, domain, covered)
            else:
                value = _raw(source, shape, regime, domain)
            alike = shape, domain.low, domain.high, domain.open_low, domain.open_high, domain.simplex
            equal = drawn.get(alike) if covered is None else covered
            if regime == "ties" and equal is not None:
                value = torch.where(source.per_point(shape) < 0.5, equal, value)
            drawn.setdefault(alike, value)
            pieces[domain.name].append(value)
    values = {}
    for domain in inputs:
        if not domain.host:
            values[domain.name] = representable(domain, fit(domain, torch.cat(pieces[domain.name])), dtype)
    return Batch(values, dict(host), tuple((regime, block) for regime in REGIMES), block * len(REGIMES))


def _raw(source: _Source, shape: Sequence[int], regime: str, domain: Domain) -> Tensor:
    """Numbers of a regime, which :func:`fit` brings into the domain."""
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        span = domain.high - domain.low
        if regime in ("ordinary", "offset", "outlier"):
            value = domain.low + span * source.uniform(shape)
        elif regime in ("integers", "ties"):
            value = domain.low + span * torch.floor(source.uniform(shape) * 5) / 4
        else:
            near = span * torch.exp2(-source.uniform(shape) * min(50.0, source.exponents))
            value = torch.where(source.uniform(shape) < 0.5, domain.low + near, domain.high - near)
        return value
    return REGIMES[regime](source, shape)


def fit(domain: Domain, value: Tensor) -> Tensor:
    """The nearest thing inside a domain: reflected at a finite end, whole where it must be."""
    if domain.integer:
        value = value.round()
    if domain.some:
        return _some(_inside(domain, value))
    if math.isfinite(domain.low) and not math.isfinite(domain.high):
        value = domain.low + (value - domain.low if domain.low else value).abs()
    elif math.isfinite(domain.high) and not math.isfinite(domain.low):
        value = domain.high - (value - domain.high).abs()
    elif domain.simplex:
        return value
    return _inside(domain, value)


def _some(value: Tensor) -> Tensor:
    """A mask in which a row of zeros begins with a 1."""
    none = (value == 0).all(-1, keepdim=True)
    return torch.where(none & (torch.arange(value.shape[-1], device=value.device) == 0), 1.0, value)


def _inside(domain: Domain, value: Tensor) -> Tensor:
    """Values outside the range, and those on an open end, replaced by an ordinary inner value."""
    if math.isinf(domain.low) and math.isinf(domain.high):
        return torch.where(value.isfinite(), value, 0.0)
    finite = math.isfinite(domain.low), math.isfinite(domain.high)
    inner = {
        (True, True): math.floor((domain.low + domain.high) / 2) if domain.integer else (domain.low + domain.high) / 2,
        (True, False): domain.low + 1,
        (False, True): domain.high - 1,
        (False, False): 0.0,
    }[finite]
    low = value <= domain.low if domain.open_low else value < domain.low
    high = value >= domain.high if domain.open_high else value > domain.high
    return torch.where(low | high | ~value.isfinite(), inner, value)


def representable(domain: Domain, value: Tensor, dtype: torch.dtype) -> Tensor:
    """The values rounded to a dtype, still inside the domain, as float64."""
    rounded = value.to(dtype).to(torch.float64)
    return rounded if domain.simplex else _inside(domain, rounded)


def _digits(dtype: torch.dtype) -> int:
    return int(-math.log2(torch.finfo(dtype).eps))


def most_probabilities(dtype: torch.dtype) -> int:
    """How many probabilities may be drawn at once: each has a step of the dtype, and most steps are left to choose."""
    return int(2 ** (min(20, _digits(dtype)) - 2))


def _simplex(source: _Source, shape: Sequence[int], regime: str, domain: Domain, covered: Tensor | None) -> Tensor:
    """Probabilities in steps of a power of two that the dtype resolves, so that they sum to exactly 1.

    Where those that they cover are positive they have a step at least.
    """
    parts = shape[-1]
    spread = regime in ("wide", "tiny")
    digits = min(FINEST if spread else 20, _digits(source.dtype))
    steps = 2**digits
    some = torch.full(tuple(shape), domain.open_low, device=source.generator.device)
    least = (some if covered is None else some | (covered > 0)).to(torch.float64)
    weights = source.uniform(shape)
    weights = torch.exp2(-digits * weights) if spread else weights ** (1 if regime == "ordinary" else 4) + 2.0**-40
    if regime in ("sparse", "ties", "subnormal") and not domain.open_low:
        weights = weights * (source.uniform(shape) < 0.5)
    if regime == "integers":
        weights = torch.ones_like(weights)
    room = steps - least.sum(-1, keepdim=True)
    total = weights.sum(-1, keepdim=True)
    share = torch.where(total > 0, weights / total, 1.0 / parts)
    counts = torch.floor(share * room)
    # the units that rounding down left over go to a random entry
    rest = room - counts.sum(-1, keepdim=True)
    lucky = torch.floor(source.uniform((*shape[:-1], 1)) * parts).to(torch.int64)
    counts = counts.scatter_add(-1, lucky, rest) + least
    probabilities: Tensor = counts / steps
    return probabilities
