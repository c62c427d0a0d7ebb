"""Weight decay: what the files on momentum share."""

from sympy import IndexedBase, Sum, Symbol

from gnomon.proof.derivation import Step
from gnomon.say.domain import nonnegative

DECAY = nonnegative("weight_decay", host=True, typical=(0.01, 0.0))


def penalty_step() -> Step:
    point, weight = IndexedBase("theta", real=True), Symbol("weight_decay", nonnegative=True)
    size, i, at = Symbol("n", integer=True, positive=True), Symbol("i", integer=True), Symbol("j", integer=True)
    return Step(
        "differentiate",
        weight / 2 * Sum(point[i] ** 2, (i, 0, size - 1)),
        weight * point[at],
        why="what is added to the gradient is the gradient of half the decay times the squared norm",
        by=(point[at],),
    )
