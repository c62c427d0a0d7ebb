"""What a subject draws by itself, and how often a right one may be called wrong for it."""

from __future__ import annotations

from typing import Any

from sympy import Rational, log, sqrt

from gnomon.say.arguments import Blank, Seeded, part

FALSE_ALARMS = Rational(1, 10**9)
"""With at most this probability some right sampler fails in all the tests of the suite."""


def blank(*extents: Any) -> Blank:
    """A tensor that the subject is to fill."""
    return Blank(extents)


def seeded(seed: Any) -> Seeded:
    """A generator with a seed of the claim."""
    return Seeded(part(seed))


def square_off(law: str, count: Any, x: Any) -> Any:
    """How far the mean square of so many numbers is from their variance at most, in variances, at odds of 2 exp(-x).

    For N(0, v): Laurent and Massart (2000), lemma 1. For numbers within sqrt(3 v) of 0: Hoeffding (1963), theorem 2.
    """
    return 2 * sqrt(x / count) + 2 * x / count if law == "normal" else 3 * sqrt(x / (2 * count))


def mean_off(law: str, count: Any, x: Any) -> Any:
    """How far their mean is from 0 at most, in deviations, at the same odds."""
    return sqrt((2 if law == "normal" else 6) * x / count)


def doubt(tests: int) -> Any:
    """The x for which so many tests, each with a false alarm at odds of 2 exp(-x), keep to :data:`FALSE_ALARMS`."""
    return log(2 * tests / FALSE_ALARMS)
