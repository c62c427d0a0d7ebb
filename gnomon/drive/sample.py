"""What a subject draws from generators of its own: filled tensors, and what tells the law of their entries.

Nothing is supposed of how it draws: from torch's generator, from NumPy's, in another dtype, by a method of its own.
With z the entries over the deviation, F the law's distribution and u = 2 F(z) - 1, which for independent draws of the
law are independent and uniform on (-1, 1), six numbers are looked at:

- the mean of the entries, and the mean of their squares;
- the greatest distance between F and the empirical distribution of z. Massart's inequality bounds it at any N by
  sqrt(x / 2 N), at odds of 2 exp(-x);
- over all lags d, the greatest sum of u[i, k] u[i + d, k], divided by the root of the number m of its terms; the same
  along rows; and that of u with those of a second tensor, drawn next. Each product has mean 0 whatever came before, and
  is within 1 of it: Azuma's inequality bounds a sum by sqrt(2 x m), at the same odds.

Where the format of the entries is coarse, an entry is known up to its spacing at the greatest one.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnomon.drive.run import Run, compute
from gnomon.say import arguments as a
from gnomon.say import chain as p

CUT = 2.0
"""At how many of its own deviations a normal law is cut off, as Keras, JAX and torch's default do."""
KEPT = math.erf(CUT / math.sqrt(2))
NARROWER = math.sqrt(1 - 2 * CUT * math.exp(-(CUT**2) / 2) / math.sqrt(2 * math.pi) / KEPT)
"""The deviation of what is left of N(0, 1)."""

LAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "normal": torch.special.ndtr,
    "uniform": lambda z: (z / math.sqrt(3) + 1) / 2,
    "truncated": lambda z: (torch.special.erf(z * NARROWER / math.sqrt(2)) / KEPT + 1) / 2,
}
"""Distributions with mean 0 and deviation 1; beyond the ends of a law they may leave (0, 1)."""


def distance(z: Tensor, law: str, coarse: float = 0.0) -> Tensor:
    """The greatest distance between a law's distribution and that of numbers known up to ``coarse``."""
    ordered, count = z.flatten().sort().values, z.numel()
    after = torch.arange(1, count + 1, dtype=z.dtype, device=z.device) / count
    below, above = (LAWS[law](ordered + shift).clamp(0, 1) for shift in (coarse, -coarse))
    return torch.maximum(after - below, above - (after - 1 / count)).amax().clamp(min=0)


def dependence(u: Tensor) -> Tensor:
    """Over all lags, the greatest sum of products of rows (n, m) that far apart, over the root of its terms."""
    products, (count, width) = u @ u.T, u.shape
    sums = [products.diagonal(lag).sum().abs() / math.sqrt((count - lag) * width) for lag in range(1, count)]
    return torch.stack(sums).amax()


def told(first: Tensor, second: Tensor, law: str, deviation: float) -> tuple[Tensor, ...]:
    """The six numbers of two filled tensors; of more axes than two the first is held against all others."""
    w, other = (each.double().flatten(1) for each in (first, second))
    coarse = torch.finfo(first.dtype).eps * (w.abs().amax() / deviation).item()
    u, next_u = (2 * LAWS[law](each / deviation).clamp(0, 1) - 1 for each in (w, other))
    again = (u * next_u).sum().abs() / math.sqrt(u.numel())
    return (
        w.mean(), w.square().mean(), distance(w / deviation, law, coarse), dependence(u), dependence(u.T), again,
    )  # fmt: skip


# ---------------------------------------------------------------------- filling


@contextlib.contextmanager
def reseeded(seed: int, device: torch.device) -> Iterator[None]:
    """The generators of the process, seeded while it is entered; afterwards they are as they were."""
    # what users call without a generator of their own is NumPy's old interface
    ours, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed prepares for devices that are not there
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(ours)
            np.random.set_state(numpys)  # noqa: NPY002


def takes(function: Any, keyword: str) -> bool:
    """Whether a function may be given a keyword, as far as its signature can be read."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    return keyword in known or any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known.values())


def _fitting(part: p.Made, names: Mapping[str, str], subject: Any) -> p.Made:
    """The call without a generator, if the subject takes none."""
    return replace(
        part,
        keywords=tuple(
            (name, value)
            for name, value in part.keywords
            if not isinstance(value, a.Seeded) or takes(subject, name) or takes(subject, names.get(name, name))
        ),
    )


@compute.register
def _(part: a.Blank, run: Run) -> Any:
    extents = [run.whole(extent) for extent in part.extents]
    return torch.full(extents, torch.nan, dtype=run.case.dtype, device=run.case.device)


@compute.register
def _(part: a.Seeded, run: Run) -> Any:
    return torch.Generator(run.case.device).manual_seed(int(run(part.seed)))


@compute.register
def _(part: p.Drawn, run: Run) -> Any:
    key = part, *sorted(run.indices.items())
    if key not in run.session.drawn:  # once, since a subject without a seed of ours never draws the same again
        run.session.drawn[key] = _told(part, run)
    return run.session.drawn[key]


def _told(part: p.Drawn, run: Run) -> tuple[Tensor, ...]:
    session, inside = run.session, list(a.walk(part.node))
    generators: dict[a.Part, Any] = {each: run(each) for each in inside if isinstance(each, a.Seeded)}
    seed = next((each.initial_seed() for each in generators.values()), 0)
    made = _fitting(part.node, session.names, session.subject)

    def filled() -> Tensor:
        blanks: dict[a.Part, Any] = {each: run.fresh(each).clone() for each in inside if isinstance(each, a.Blank)}
        Run(session, run.tensors, run.indices, {**run.fixed, **generators, **blanks})(made)
        first: Tensor = next(iter(blanks.values())).detach()
        return first

    with reseeded(seed, run.case.device):
        first, second = filled(), filled()
    return tuple(each.to(run.like) for each in told(first, second, part.law, float(run(part.deviation))))
