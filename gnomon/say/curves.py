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

    A function of one variable is enclosed in balls at some exact points, which refute and do not prove.
    """
    curves = {
        (f.family, f.order): body
        for f, body in meaning.items()
        if hasattr(f, "family") and isinstance(body, sp.Lambda) and len(body.variables) == 1
    }
    steps = [
        (curve, curves[family, order + 1]) for (family, order), curve in curves.items() if (family, order + 1) in curves
    ]
    return ", ".join(
        f"{slope.expr} is not the slope of {curve.expr}" for curve, slope in steps if _refuted(curve, slope)
    )


@cache
def _refuted(curve: sp.Lambda, slope: sp.Lambda) -> bool:
    (u,) = curve.variables
    there = slope.expr.subs(slope.variables[0], u)
    found = (
        (_at(curve.expr.diff(u), u, place), _at(there, u, place))
        for place in PLACES
        if _at(curve.expr, u, place) is not None
    )
    return any(rise is None or said is None or not rise.overlaps(said) for rise, said in found)


def _at(e: Any, u: Any, place: Fraction) -> Any:
    """The ball of a formula at a place, or None where it has no value."""
    try:
        return enclose(e, {str(u): place})
    except (EncloseError, OutOfDomain):
        return None
