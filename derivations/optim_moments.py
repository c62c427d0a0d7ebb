"""Adam's two averages of the gradients. Their symbols and definitions serve the other files on optimizers."""

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Sum, Symbol, symbols

from gnomon.proof.derivation import Step
from gnomon.say.claim import Variant
from gnomon.say.domain import Size, nonnegative, positive, real, symbols_of

SECTION = "1.2.5"
WIDTH = Size("n", 1, 2)
STEPS = Size("T", 1, 5)
n, T = symbols_of((WIDTH, STEPS))
t, i, j, k, p = symbols("t i j k p", integer=True)

START = real("theta0", WIDTH)
GRADIENTS = real("g", STEPS, WIDTH)
RATE = nonnegative("lr", host=True, typical=(0.001, 0.1))
BETA1 = nonnegative("beta1", high=1.0, open_high=True, host=True, typical=(0.9, 0.0))
BETA2 = nonnegative("beta2", high=1.0, open_high=True, host=True, typical=(0.999, 0.99))
EPS = positive("eps", host=True, typical=(1e-8, 0.001))
HYPER = (RATE, BETA1, BETA2, EPS)

theta0, g, lr, b1, b2, eps = symbols_of((START, GRADIENTS, *HYPER))
d, m, v, mhat, vhat = (IndexedBase(name, real=True) for name in ("d", "m", "v", "mhat", "vhat"))
beta = Symbol("beta", positive=True)  # of either average, where it is not 0
BELOW_ONE = (beta < 1,)
SCOPE = "every t and every n, 0 < β < 1 (β = 0 is tested)"


def stepwise(first: Any, later: Any) -> Any:
    """A value before the first gradient, and at step t = 1, 2, ..."""
    return Piecewise((first, Eq(t, 0)), (later, True))


GRADIENT = d[t, i]
GIVEN = (d[t, i], g[t - 1, i])
FIRST = (m[t, i], stepwise(0, m[t - 1, i] + (1 - b1) * (GRADIENT - m[t - 1, i])))  # rounded like torch.lerp
SECOND = (v[t, i], stepwise(0, b2 * v[t - 1, i] + (1 - b2) * GRADIENT**2))
CORRECTED = ((mhat[t, i], m[t, i] / (1 - b1**t)), (vhat[t, i], v[t, i] / (1 - b2**t)))


def weighted(rate: Any, last: Any, power: int = 1) -> Any:
    """The average from zero after ``last`` gradients: k steps ago weighs rate**k."""
    return (1 - rate) * Sum(rate**k * g[last - 1 - k, i] ** power, (k, 0, last - 1))


def solved(average: Any, power: int) -> Step:
    """The recursion of an average has the weighted sum for its solution."""
    return Step(
        "induction",
        Eq(average[t, i], beta * average[t - 1, i] + (1 - beta) * g[t - 1, i] ** power),
        weighted(beta, t, power),
        why="by induction on the step: the empty sum at t = 0, and one more term at each step",
        by=(t, 0, 0),
        wrong=((1 - beta) * Sum(beta ** (k + 1) * g[t - 1 - k, i] ** power, (k, 0, t - 1)),),
    )


def of_first(name: str, source: str, later: Any, first: Any = 0) -> Variant:
    return Variant(name, source, ((m[t, i], stepwise(first, later)),))


def of_second(name: str, source: str, later: Any, first: Any = 0) -> Variant:
    return Variant(name, source, ((v[t, i], stepwise(first, later)),))
