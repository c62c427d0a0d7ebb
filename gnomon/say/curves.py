"""The functions that an option stands for: a curve and its slopes belong together."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp

from gnomon.proof.enclosure import EncloseError, OutOfDomain, enclose

PLACES = (Fraction(-7, 3), Fraction(-1, 2), Fraction(1, 3), Fraction(2), Fraction(5))
"""Where a slope is held against its curve: on both sides of 0 and off the whole steps at which curves have kinks."""


def foreign(meaning: Mapping[Any, Any]) -> str:
    """The derivatives among an option's functions that are not their curve's, in words; "" if all are.

    Functions are enclosed in balls at some exact points, which refute and do not prove.
    """
    curves = {f: body for f, body in meaning.items() if hasattr(f, "family") and isinstance(body, sp.Lambda)}
    steps = [
        (curve, slope, getattr(d, "place", 0))
        for f, curve in curves.items()
        for d, slope in curves.items()
        if (d.family, d.order) == (f.family, f.order + 1)
    ]
    return ", ".join(
        f"{slope.expr} is not the slope of {curve.expr}"
        for curve, slope, place in steps
        if _refuted(curve, slope, place)
    )


@cache
def _refuted(curve: sp.Lambda, slope: sp.Lambda, place: int) -> bool:
    """Whether a slope is not that of a curve by its variable at a place."""
    names = curve.variables
    there = slope.expr.subs(dict(zip(slope.variables, names, strict=True)), simultaneous=True)
    spots = [{str(u): PLACES[(n + k) % len(PLACES)] for k, u in enumerate(names)} for n in range(len(PLACES))]
    found = (
        (_at(curve.expr.diff(names[place]), spot), _at(there, spot))
        for spot in spots
        if _at(curve.expr, spot) is not None
    )
    return any(rise is None or said is None or not rise.overlaps(said) for rise, said in found)


def _at(e: Any, spot: Mapping[str, Fraction]) -> Any:
    """The ball of a formula at a place, or None where it has no value."""
    try:
        return enclose(e, spot)
    except (EncloseError, OutOfDomain):
        return None
