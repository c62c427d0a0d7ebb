"""A batched minimiser: from a failing point to the simplest one that still fails, many candidates at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gnomon.check.inputs import fit, representable
from gnomon.compute.batch import Batch
from gnomon.say.domain import Domain

ROUNDS = 24

NUMBERS = 2**22
"""As many numbers the candidates of a round have; of inputs with many entries several are simplified together."""

Fails = Callable[[Batch], Tensor]
"""From a batch to a mask (B,) of the points that fail."""


def complexity(values: Tensor) -> Tensor:
    """How hard numbers are to read, elementwise: 0, then 1, small whole numbers, few digits and mild sizes."""
    mantissa, exponent = torch.frexp(values)
    digits = (mantissa * 2.0**53).to(torch.int64)
    trailing = torch.log2((digits & -digits).clamp(min=1).to(torch.float64))
    length = (53 - trailing) / 53
    size = exponent.abs().to(torch.float64) / 64
    whole = (values == values.round()) & (values.abs() < 100)
    score = torch.where(whole, 1 + values.abs() / 100, 2 + 4 * length + size) + 0.1 * (values < 0)
    return torch.where(values == 0, 0.0, torch.where(values == 1, 0.5, score))


def _simpler(values: Tensor) -> list[Tensor]:
    """Simpler numbers near or far, elementwise."""
    mantissa, exponent = torch.frexp(values)
    power = torch.ldexp(torch.sign(mantissa), exponent.to(torch.float64))
    short = torch.ldexp((mantissa * 16).round() / 16, exponent.to(torch.float64))
    decade = torch.pow(10.0, values.abs().clamp(min=1e-300).log10().round()) * values.sign()
    ones = torch.ones_like(values)
    return [torch.zeros_like(values), ones, -ones, 2 * ones, values.round(), decade, power, short, values / 2]


def minimise(point: Batch, inputs: Sequence[Domain], fails: Fails, dtype: torch.dtype) -> Batch:
    """Simplify a failing point, entry by entry (or some at a time) and all entries together, while it still fails.

    ``point`` holds one failing point; the answer holds one that fails too and is no more complex.
    """
    domains = {domain.name: domain for domain in inputs if not domain.host}
    names = [name for name in point.values if not domains[name].simplex]
    if not names:
        return point
    sizes = [point.values[name][0].numel() for name in names]

    def flat(batch: Batch) -> Tensor:
        return torch.cat([batch.values[name].reshape(batch.size, -1) for name in names], -1)

    def rebuilt(rows: Tensor) -> Batch:
        fresh = {name: value.expand(len(rows), *value.shape[1:]) for name, value in point.values.items()}
        for name, piece in zip(names, torch.split(rows, sizes, -1), strict=True):
            shaped = piece.reshape(len(rows), *point.values[name].shape[1:])
            fresh[name] = representable(domains[name], fit(domains[name], shaped), dtype)
        return Batch(fresh, point.host, (("shrinking", len(rows)),), len(rows))

    best = flat(point)[0]
    for _ in range(ROUNDS):
        options = torch.stack(_simpler(best))
        groups = _groups(best, len(options) + 1)
        if not len(groups):
            break
        singles = torch.where(groups, options[:, None, :], best).reshape(-1, len(best))
        alone = torch.where(groups, best, 0.0)
        trial = rebuilt(torch.cat([options, singles, alone]))
        rows = flat(trial)
        gain = complexity(best).sum() - complexity(rows).sum(-1)
        good = fails(trial) & (gain > 0)
        if not good.any():
            break
        # the best simplification of every group at once, if that still fails; else the best candidate alone
        offset = len(options)
        single_gain = torch.where(good, gain, 0.0)[offset : offset + len(singles)].reshape(len(options), -1)
        better = (groups & (single_gain.amax(0) > 0)[:, None]).any(0)
        pick = single_gain.argmax(0)[groups.to(torch.uint8).argmax(0)]
        merged = torch.where(better, options.gather(0, pick[None])[0], best)
        joint = rebuilt(merged[None])
        joint_row = flat(joint)[0]
        best_row = rows[torch.where(good, gain, -1.0).argmax()]
        joint_better = complexity(joint_row).sum() < complexity(best_row).sum()
        best = joint_row if joint_better and bool(fails(joint)[0]) else best_row
    return rebuilt(best[None])


def _groups(values: Tensor, candidates: int) -> Tensor:
    """Masks (G, N) of the entries that could be simpler: each its own, or some together where there are many."""
    live = (complexity(values) > 0).nonzero()[:, 0]
    count = min(len(live), max(2, NUMBERS // (candidates * len(values))))
    masks = torch.zeros(count, len(values), dtype=torch.bool, device=values.device)
    masks[torch.arange(len(live), device=values.device) * count // max(1, len(live)), live] = True
    return masks
