"""The classical Runge-Kutta method of order 4 (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Rational, Symbol, exp, factorial

from gnomon.derivations.initial_value import GRID, TIMES, N, i, n, shown, step, t, trajectory, velocity, y, y0
from gnomon.derivations.solver import INPUTS, SECTION, SHAPE, at
from gnomon.derivations.trees import (
    BUTCHER,
    RK4,
    flow_shows_densities,
    forest,
    height,
    missed,
    order_conditions,
    run_shows_weights,
    stability,
    symbolic,
    trees,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Program, Variant

HALF = Rational(1, 2)
H = Symbol("H", positive=True)
k1, k2, k3, k4 = SLOPES = tuple(IndexedBase(f"k{stage}", real=True) for stage in range(1, 5))


def stage(slope: Any, share: Any, before: Any) -> tuple[Any, Any]:
    """A slope at a share of the step, from the slope before it."""
    middle = t[n] + share * step[n]
    return slope[n, i], velocity(i, middle, lambda part: y[n, part] + share * step[n] * before[n, part])


def moved(slope: Any) -> tuple[Any, Any]:
    """The definition of ``y`` by steps along a slope."""
    return y[n, i], Piecewise((y0[i], Eq(n, 0)), (y[n - 1, i] + step[n - 1] * slope, True))


def average(*weights: int, over: int) -> Any:
    """The four slopes of a step, weighed."""
    return sum(weight * slope[n - 1, i] for weight, slope in zip(weights, SLOPES, strict=True)) / over


def _three_eighths() -> tuple[tuple[Any, Any], ...]:
    third = step[n] / 3
    return (
        stage(k2, Rational(1, 3), k1),
        (k3[n, i], velocity(i, t[n] + 2 * third, lambda part: y[n, part] + step[n] * (k2[n, part] - k1[n, part] / 3))),
        (
            k4[n, i],
            velocity(i, t[n + 1], lambda part: y[n, part] + step[n] * (k1[n, part] - k2[n, part] + k3[n, part])),
        ),
        moved(average(1, 3, 3, 1, over=8)),
    )


def rk4_proof() -> Derivation:
    short, z = forest(4), Symbol("z", real=True)
    reached = [tree for tree in trees(5) if height(tree) < 5]  # one more stage would be needed for the tallest
    return Derivation(
        (
            run_shows_weights(short, symbolic(4), H),
            flow_shows_densities(short, H),
            BUTCHER,
            order_conditions(short, RK4, "all eight conditions for order 4 hold"),
            *(missed(tree, RK4, "none of those for order 5 does: the order is exactly 4") for tree in reached),
            Step(
                "rewrite",
                stability(RK4, z),
                sum(z**power / factorial(power) for power in range(5)),
                why="on y' = lambda y a step is the series of exp(z) up to z**4, with z = lambda h",
                wrong=(exp(z),),
            ),
        ),
        "every right-hand side that is smooth",
    )


RK4_STEPS = Claim(
    id="solver.rk4",
    section=SECTION,
    title="The classical Runge-Kutta method",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=SHAPE,
    inputs=INPUTS,
    program=Program(
        (
            *GRID,
            (k1[n, i], velocity(i, t[n], at(n))),
            stage(k2, HALF, k1),
            stage(k3, HALF, k2),
            stage(k4, 1, k3),
            moved(average(1, 2, 2, 1, over=6)),
        ),
        (trajectory(),),
    ),
    statement=Eq(y[n + 1, i], y[n, i] + (t[n + 1] - t[n]) * (k1[n, i] + 2 * k2[n, i] + 2 * k3[n, i] + k4[n, i]) / 6),
    derivation=rk4_proof,
    variants=(
        Variant('the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", _three_eighths()),
        Variant("equal weights", "known bug", (moved(average(1, 1, 1, 1, over=4)),)),
        Variant("weights of the 3/8 rule on these stages", "known bug", (moved(average(1, 3, 3, 1, over=8)),)),
        Variant(
            "k2 at the start of the step",
            "known bug",
            ((k2[n, i], velocity(i, t[n], lambda part: y[n, part] + step[n] / 2 * k1[n, part])),),
        ),
        Variant("k3 from k1", "known bug", (stage(k3, HALF, k1),)),
        Variant("k4 at half a step", "known bug", (stage(k4, HALF, k3),)),
        Variant(
            "1/6 in seven digits",
            "known bug: a rounded coefficient",
            (moved(Rational(1666667, 10**7) * average(1, 2, 2, 1, over=1)),),
        ),
        Variant(
            "the last step by Euler's method",
            "known bug",
            (moved(Piecewise((k1[n - 1, i], Eq(n, N)), (average(1, 2, 2, 1, over=6), True))),),
        ),
    ),
    options={"rhs": shown(), "times": TIMES, "method": "rk4"},
    remarks="Several libraries call another method of order 4 by this name; solver.rk4.weights tells them apart.",
)

CLAIMS = (RK4_STEPS,)
