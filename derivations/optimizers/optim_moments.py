"""What the files on momentum share: the start, the gradients, the rate."""

from typing import Any

from sympy import Eq, Piecewise, Symbol

from gnomon.say.domain import Size, nonnegative, real

SECTION = "1.2.5"
WIDTH = Size("n", 1, 2)
STEPS = Size("T", 1, 5)
START = real("theta0", WIDTH)
GRADIENTS = real("g", STEPS, WIDTH)
RATE = nonnegative("lr", host=True, typical=(0.001, 0.1))
t = Symbol("t", integer=True)


def stepwise(first: Any, later: Any) -> Any:
    """A value before the first gradient, and at step t = 1, 2, ..."""
    return Piecewise((first, Eq(t, 0)), (later, True))
