"""What is global in a process, set to known values for a check and put back after it.

A check must not depend on what its caller, or a subject before it, has switched; nor may it switch anything for them.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def _flushes() -> bool:
    """Whether subnormal numbers become 0."""
    return bool(torch.full((), torch.finfo(torch.float64).tiny, dtype=torch.float64) / 2 == 0)


SWITCHES: tuple[tuple[Callable[[], Any], Callable[[Any], Any], Any], ...] = (
    (torch.get_num_threads, torch.set_num_threads, 1),
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (torch.is_grad_enabled, torch.set_grad_enabled, True),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, False),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
    (_flushes, torch.set_flush_denormal, False),
)
"""How each switch is read and set, and how it stands while a check runs."""

GENERATORS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
    (torch.get_rng_state, torch.set_rng_state),
)


@contextmanager
def undisturbed(seed: int) -> Iterator[None]:
    """Known switches, and generators that a seed decides; afterwards everything is as it was found."""
    switched = [(turn, read()) for read, turn, _ in SWITCHES]
    generators = [(restore, read()) for read, restore in GENERATORS]
    device = torch.get_default_device()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.autocast("cpu", enabled=False):
            for _, turn, value in SWITCHES:
                turn(value)
            if device.type != "cpu":
                torch.set_default_device(None)
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            torch.manual_seed(seed)
            yield
    finally:
        for turn, value in switched:
            turn(value)
        for restore, state in generators:
            restore(state)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
