"""What is global in a process and may change what torch computes: how it is read and set, and how it stands in a check.

One list serves three ends: a check runs with known switches, its evidence names them, and a subject leaves them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from gnomon.compute.running_error import flushes

BACKENDS: Any = torch.backends
CALLER, IMPORTED = "it is so where the check was asked for", "importing the subject switches it so"
FEWER = ("tf32", "bf16")
"""What torch calls it when float32 is multiplied with fewer digits than it has."""


def on_or_off(value: Any, on: str) -> str:
    """A value in words."""
    return "on" if value is True else "off" if value is False else str(value)


@dataclass(frozen=True)
class Switch:
    """A setting: how it is read and set, how it stands in a check, how values are said of a kind of device.

    A ``quiet`` one changes no digit of what is computed here; ``only`` names the kind of device that it matters to.
    """

    name: str
    read: Callable[[], Any]
    turn: Callable[[Any], Any]
    checked: Any
    said: Callable[[Any, str], str] = on_or_off
    quiet: bool = False
    only: str = ""

    def put(self, value: Any) -> None:
        """Set it, where it stands otherwise: torch imports its compiler to choose deterministic algorithms."""
        if self.read() != value:
            self.turn(value)


# ---------------------------------------------------------------- in how many digits float32 is multiplied


def _units() -> Iterator[tuple[str, Any]]:
    """The parts of torch that have a precision of their own, as far as this version of it knows them."""
    places = ["cuda.matmul", *(f"{library}.{part}" for library in ("cudnn", "mkldnn") for part in ("conv", "rnn"))]
    for name in ("", *places, "mkldnn.matmul"):
        unit = BACKENDS
        for part in filter(None, name.split(".")):
            unit = getattr(unit, part, None)
        if hasattr(unit, "fp32_precision"):
            yield name, unit


def _precision() -> tuple[str, tuple[tuple[str, str], ...]]:
    """The word of torch's older interface, and all of its newer one; once that was used the older one raises."""
    try:
        word = torch.get_float32_matmul_precision()
    except RuntimeError:
        word = ""
    return word, tuple((name, unit.fp32_precision) for name, unit in _units())


def _set_precision(value: tuple[str, tuple[tuple[str, str], ...]]) -> None:
    word, wanted = value
    if word:
        torch.set_float32_matmul_precision(word)
    known = dict(wanted)
    for name, unit in _units():
        if unit.fp32_precision != known.get(name, unit.fp32_precision):
            unit.fp32_precision = known[name]


def _digits(value: tuple[str, tuple[tuple[str, str], ...]], on: str) -> str:
    word, units = value
    libraries = ("cuda", "cudnn") if on == "cuda" else ("mkldnn",)
    fewer = [f"{name} {digits}" for name, digits in units if digits in FEWER and name.split(".")[0] in libraries]
    return ", ".join(([] if word in ("highest", "") else [word]) + fewer) or "whole"


WHOLE = ("highest", tuple((name, "ieee" if name else "none") for name, _ in _units()))

# ---------------------------------------------------------------- the others


def _kept(value: Any, on: str) -> str:
    return "flushed to zero" if value else "kept"


def _reduced(kind: str) -> Switch:
    """Whether products in a format of 16 bits may be added up in it; torch allows it by default."""
    matmul, name = BACKENDS.cuda.matmul, f"allow_{kind}_reduced_precision_reduction"
    return Switch(
        f"{kind} sums in {kind}",
        lambda: bool(getattr(matmul, name)),
        partial(setattr, matmul, name),
        True,
        only="cuda",
    )


def _older() -> Iterator[Switch]:
    """What torch had before every unit got a precision of its own."""
    if not hasattr(BACKENDS.cudnn, "conv"):
        turn = partial(setattr, BACKENDS.cudnn, "allow_tf32")
        yield Switch("TF32 in cuDNN", lambda: bool(BACKENDS.cudnn.allow_tf32), turn, False, only="cuda")


SWITCHES: tuple[Switch, ...] = (
    Switch("threads", torch.get_num_threads, torch.set_num_threads, 1),
    Switch("default dtype", torch.get_default_dtype, torch.set_default_dtype, torch.float32, quiet=True),
    Switch("gradients", torch.is_grad_enabled, torch.set_grad_enabled, True, quiet=True),
    Switch("anomaly detection", torch.is_anomaly_enabled, torch.set_anomaly_enabled, False, quiet=True),
    Switch(
        "deterministic algorithms",
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
        False,
    ),
    Switch("subnormal numbers", flushes, torch.set_flush_denormal, False, _kept),
    Switch("float32 products", _precision, _set_precision, WHOLE, _digits),
    *map(_reduced, ("fp16", "bf16")),
    Switch("mkldnn", lambda: bool(BACKENDS.mkldnn.enabled), lambda value: BACKENDS.mkldnn.set_flags(value), True),
    *_older(),
)
"""In a check they stand as torch has them by default; but there is one thread, and float32 products are whole."""


def standing() -> dict[str, Any]:
    """How every switch stands now."""
    return {switch.name: switch.read() for switch in SWITCHES}


def environment(device: torch.device) -> dict[str, str]:
    """How the switches that may matter to digits stand now, in words."""
    return {s.name: s.said(s.read(), device.type) for s in SWITCHES if not s.quiet and s.only in ("", device.type)}


def otherwise(found: Mapping[str, Any], device: torch.device, why: str) -> dict[str, str]:
    """What is not looked at, and why, where switches that were found so stand otherwise now, in a check."""
    missed = {}
    for switch in SWITCHES:
        if switch.name == "threads" or switch.quiet or switch.only not in ("", device.type):
            continue
        own, checked = (switch.said(value, device.type) for value in (found[switch.name], switch.read()))
        if own != checked:
            missed[f"{switch.name}: {own}"] = f"{why}; checked with: {checked}"
    return missed
