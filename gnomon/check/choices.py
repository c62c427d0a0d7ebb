"""How Hypothesis chooses here: by a seed and nothing else.

Its own way mixes in constants that it finds in the modules that happen to be loaded, so that one seed would be one
search on the command line and another in a notebook. A backend, its documented place for other ways, does not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider
from hypothesis.strategies import SearchStrategy

REACH = 2.0**64
"""How far out numbers without bounds are chosen."""


def each_drawn(strategy: SearchStrategy[Any], count: int, seed: int, see: Callable[[Any], None]) -> None:
    """Call ``see`` with ``count`` values of a strategy, the simplest first."""

    def look(value: Any) -> None:
        see(value)

    with _registered(seed) as backend:
        settings = hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
            backend=backend,
        )
        hypothesis.seed(seed)(settings(hypothesis.given(strategy)(look)))()


@contextmanager
def _registered(seed: int) -> Iterator[str]:
    """The name of a backend that chooses by a seed, known to Hypothesis for as long as it is needed."""
    own = type("Seeded", (_Choices,), {"seed": seed})
    name = f"gnomon-{id(own)}"
    AVAILABLE_PROVIDERS[name] = own
    try:
        yield name
    finally:
        del AVAILABLE_PROVIDERS[name]


class _Choices(PrimitiveProvider):
    """Whole numbers evenly; real numbers evenly, close to an end or to 0, or one of the telling ones."""

    seed: int

    def __init__(self, conjecturedata: Any, /) -> None:
        super().__init__(conjecturedata)
        self._random = random.Random(self.seed)

    def draw_boolean(self, p: float = 0.5) -> bool:
        return self._random.random() < p

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        low = min(-int(REACH), max_value or 0) if min_value is None else min_value
        high = max(int(REACH), low) if max_value is None else max_value
        return self._random.randint(low, high)

    def draw_float(
        self,
        *,
        min_value: float = -REACH,
        max_value: float = REACH,
        allow_nan: bool = True,
        smallest_nonzero_magnitude: float,
    ) -> float:
        low = min(max(min_value, -REACH), max_value)
        high = max(min(max_value, REACH), low)
        way = self._random.random()
        if way < 0.2:
            value = self._random.choice([v for v in (low, high, 0.0, 0.5, -0.5, 1.0, -1.0) if low <= v <= high])
        elif way < 0.6:
            value = low + (high - low) * self._random.random()
        else:
            centre = self._random.choice([v for v in (low, high, 0.0) if low <= v <= high])
            step = (high - low) * 2.0 ** -self._random.uniform(1, 50)
            value = centre + (
                step if centre == low else -step if centre == high else self._random.choice((-1, 1)) * step
            )
        value = min(max(value, low), high)
        if 0 < abs(value) < smallest_nonzero_magnitude:
            value = 0.0 if low <= 0 <= high else low if abs(low) > abs(high) else high
        return value

    def draw_string(self, intervals: Any, *, min_size: int = 0, max_size: int = 0) -> str:
        raise NotImplementedError("no claim asks for text")

    def draw_bytes(self, min_size: int = 0, max_size: int = 0) -> bytes:
        raise NotImplementedError("no claim asks for bytes")
