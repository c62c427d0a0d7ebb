"""A second look at a theorem: both sides enclosed in balls, at points that its suppositions allow.

The kernel's rules lean on SymPy; the look does not. What was computed on the way (normal forms, contracted deltas,
slopes) must agree for any values of what is defined, the theorem itself for the values that the definitions give.
Points are of all magnitudes, and on the cells that conditions and denominators cut out. A point where both sides have
values that differ refutes, and one where exactly one side has a value. No refutation is no proof.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flint import arb, fmpq

from gnomon.proof.enclosure import EncloseError, OutOfDomain, Undecided
from gnomon.proof.equality import SAFE
from gnomon.proof.look_points import Draw
from gnomon.proof.sample_points import Point, agree
from gnomon.proof.terms import mentioned
from gnomon.proof.theorem import Theorem

COMPUTED = {"normal form", "contract", *SAFE}
_NEAR, _NEARER = fmpq(1, 2**20), fmpq(1, 2**24)  # steps of a difference quotient, whose error falls with the square
_BITS = 256


@dataclass(frozen=True)
class Report:
    """How many statements were looked at, at how many points, the fewest for one, and what was refuted, in words."""

    statements: int
    points: int
    least: int
    refuted: tuple[str, ...]


def second_look(theorem: Theorem, seconds: float = 0.3, seed: int = 0) -> Report:
    """Look for points that refute a theorem, or what was computed on the way to it, for a given time.

    Every statement gets at least one point that its suppositions allow, if one is found.
    """
    stop = time.process_time() + seconds
    looks = [_Look(one, seed) for one in _statements(theorem)]
    refuted: list[str] = []
    awake = looks
    while awake and not refuted and time.process_time() < stop:
        for look in awake:
            refuted += look.at_another_point()
        awake = [look for look in awake if not look.tired]
    points = [look.points for look in looks]
    return Report(len(looks), sum(points), min(points), tuple(dict.fromkeys(refuted)))


def _statements(theorem: Theorem) -> list[Theorem]:
    found: dict[Any, Theorem] = {}
    for one in theorem.lineage():
        if one is theorem or one.rule in COMPUTED or one.rule == "derivative":
            found[one.lhs, one.rel, one.rhs] = one
    return list(found.values())


class _Look:
    """One statement, and the points at which it is looked at."""

    def __init__(self, theorem: Theorem, seed: int) -> None:
        self.theorem = theorem
        computed = theorem.rule in COMPUTED or theorem.rule == "derivative"
        self.draw = Draw(theorem, free=computed)
        self.excused = computed and bool(
            (mentioned(theorem.lhs) | mentioned(theorem.rhs)) & set(theorem.theory.definitions)
        )
        self.random = random.Random(seed)
        self.points = self.misses = 0

    @property
    def tired(self) -> bool:
        return self.misses > 20 + 4 * self.points

    def at_another_point(self) -> Iterator[str]:
        """What a new point refutes, in words."""
        point = self.draw.point(self.random)
        if point is None:
            self.misses += 1
            return
        try:
            wrong = self._slope(point) if self.theorem.rule == "derivative" else self._sides(point)
        except (Undecided, EncloseError, OverflowError, RecursionError):  # the last: a recursion of many turns
            self.misses += 1
            return
        self.points += 1
        if wrong:
            yield f"{self.theorem}: {wrong} at {self.draw.words(point)}"

    def _sides(self, point: Point) -> str:
        left, right = (_value(point, side) for side in (self.theorem.lhs, self.theorem.rhs))
        if left is None or right is None:
            one = (left is None) is not (right is None)
            return "exactly one side has a value" if one and not self.excused else ""
        if self.theorem.rel == "=":
            return "" if agree(arb(left), arb(right)) is not False else f"{left} is not {right}"
        gap = arb(right) - arb(left)
        strict = self.theorem.rel == "<" and isinstance(left, fmpq) and isinstance(right, fmpq) and left == right
        return f"{left} is not {self.theorem.rel} {right}" if gap < 0 or strict else ""

    def _slope(self, point: Point) -> str:
        e, (x, _) = self.theorem.lhs.args
        right = _value(point, self.theorem.rhs)
        if right is None:
            return ""
        errors = []
        for step in (_NEAR, _NEARER):
            here = point.values[x.name]
            ends = [_value(point.at(**{x.name: here + way * step}), e) for way in (1, -1)]
            if None in ends:
                return ""
            errors.append(abs((arb(ends[0]) - arb(ends[1])) / (2 * arb(step)) - arb(right)))
        return "the difference quotient does not tend to the slope" if errors[1] > errors[0] / 16 else ""


def _value(point: Point, e: Any) -> Any:
    """The value at a point, None if there is none."""
    try:
        value = replace(point).exact(e, _BITS)
    except OutOfDomain:
        return None
    if isinstance(value, arb) and not value.is_finite():
        raise Undecided(f"{e} is not enclosed")
    return value
