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

from gnomon.check.switches import SWITCHES

GENERATORS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
    (torch.get_rng_state, torch.set_rng_state),
)


@contextmanager
def undisturbed(seed: int) -> Iterator[None]:
    """Known switches, and generators that a seed decides; afterwards everything is as it was found."""
    switched = [(switch, switch.read()) for switch in SWITCHES]
    generators = [(restore, read()) for read, restore in GENERATORS]
    device = torch.get_default_device()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.autocast("cpu", enabled=False):
            for switch in SWITCHES:
                switch.put(switch.checked)
            if device.type != "cpu":
                torch.set_default_device(None)
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            torch.manual_seed(seed)
            yield
    finally:
        for switch, value in switched:
            switch.put(value)
        for restore, state in generators:
            restore(state)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
