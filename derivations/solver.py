"""Solvers with steps of a given size: Euler's method and the classical method of order 4 (2.2)."""

from sympy import Abs, Eq, Function, IndexedBase, Lambda, Max, Piecewise, Rational, Sum, Symbol, exp, symbols, tanh

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivations.initial_value import (
    DIRECTION, GRID, HOST_GRID, HOST_START, HOST_TIMES, HOST_WIDTH, PARAMETERS, PROBLEMS, SIGN, START, STATE, STEPS, TIMES,
    WIDTHS, D, N, cases, coefficients, h, i, j, k, l, n, q, s, shown, stages, step, t, t0, trajectory, velocity, y, y0,
)  # fmt: skip
from gnomon.derivations.trees import RK4, THREE_EIGHTHS, density, forest, size
from gnomon.domain import Choice, Domain, Size, positive, real, symbols_of

ODE = (START, WIDTHS, STATE, PARAMETERS)
SHAPE = (STEPS, PROBLEMS, DIRECTION)


def _at(index):
    return lambda component: y[index, component]


# ---------------------------------------------------------------- Euler


def euler_from(base, time, state=_at(n - 1), width=step[n - 1]):
    """The definition of ``y`` with a step of Euler's method from ``base``."""
    return y[n, i], Piecewise((y0[i], Eq(n, 0)), (base + width * velocity(i, time, state), True))


def _fresh_first(component):
    """The state within a step in which the first unknown has moved already."""
    return cases([y[n, 0], y[n - 1, 1]], component) if component != 0 else y[n - 1, 0]


EULER_STEP = Claim(
    id="solver.euler",
    section="2.2",
    title="Euler's method: every step starts from the state that the last one reached",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=SHAPE,
    inputs=ODE,
    program=Program((*GRID, euler_from(y[n - 1, i], t[n - 1])), (trajectory(),)),
    statement=Eq(y[n + 1, i], y[n, i] + step[n] * Function("f_i")(t[n], y[n, i])),
    derivation=lambda: None,
    variants=(
        Variant(
            "every step starts from h(0)", "notes", (euler_from(y[0, i], t[n - 1]),), printed=True,
            why="The two readings agree in the first step only.",
        ),
        Variant("the time stays at its first value", "notes: f has lost its t", (euler_from(y[n - 1, i], t[0]),)),
        Variant("the slope is taken at the end of the step", "known bug", (euler_from(y[n - 1, i], t[n]),)),
        Variant("steps are measured from the first time", "known bug", (euler_from(y[n - 1, i], t[n - 1], width=t[n] - t[0]),)),
        Variant("the step loses its sign where time falls", "known bug", (euler_from(y[n - 1, i], t[n - 1], width=Abs(step[n - 1])),)),
        Variant(
            "the second unknown sees the first already moved", "known bug: state updated in place",
            (euler_from(y[n - 1, i], t[n - 1], lambda m: Piecewise((y[n, 0], Eq(i, 1) & Eq(m, 0)), (y[n - 1, m], True))),),
        ),
    ),
    options={"rhs": shown(), "times": TIMES, "method": "euler"},
    remarks="The notes write h for the state and for the step, and leave the time out of f.",
)  # fmt: skip

CLAIMS = (EULER_STEP,)
