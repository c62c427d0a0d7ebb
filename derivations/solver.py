"""Euler's method: its steps, the last of them, and residual blocks (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, And, Eq, Function, IndexedBase, Lambda, Piecewise, Rational, Sum, Symbol, false, tanh

from gnomon.derivations.initial_value import (
    DIRECTION,
    GRID,
    HOST_START,
    HOST_WIDTH,
    PARAMETERS,
    PROBLEMS,
    SIGN,
    START,
    STATE,
    STEPS,
    TIMES,
    WIDTHS,
    D,
    N,
    i,
    n,
    shown,
    step,
    t,
    trajectory,
    velocity,
    y,
    y0,
)
from gnomon.derivations.trees import EULER, one_step, order_conditions, trees
from gnomon.proof.bench import Bench
from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.board import Board
from gnomon.say.call import function, tensor
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Domain
from gnomon.say.maker import claim

SECTION = "2.2"
SHAPE = (STEPS, PROBLEMS, DIRECTION)
INPUTS = (START, WIDTHS, STATE, PARAMETERS)
f_i = Function("f_i")
tau, H, lam = Symbol("tau", real=True), Symbol("H", positive=True), Symbol("lambda", real=True)
Y, dY, _ = opaque("Y")


def at(index: Any) -> Any:
    """The state at a time of the grid, as the right-hand side asks for it."""
    return lambda component: y[index, component]


# ---------------------------------------------------------------- Euler


_BEFORE = at(n - 1)


def euler(base: Any, time: Any, state: Any = _BEFORE, width: Any = step[n - 1]) -> tuple[Any, Any]:
    """The definition of ``y`` by steps of Euler's method from ``base``."""
    return y[n, i], Piecewise((y0[i], Eq(n, 0)), (base + width * velocity(i, time, state), True))


def _first_moved(component: Any) -> Any:
    """The state within a step in which the first unknown has its new value already."""
    return Piecewise((y[n, 0], And(Eq(i, 1), Eq(component, 0))), (y[n - 1, component], True))


def euler_proof() -> Derivation:
    x, first = IndexedBase("x", real=True), Symbol("x0", real=True)
    leaf, tall_tree = trees(1)[0], trees(2)[0]
    run = one_step(EULER, (leaf, tall_tree), H)
    return Derivation(
        (
            Step(
                "series",
                Y(tau + H),
                Y(tau) + H * dY(tau),
                why="a solution moves along its slope, up to a term in H**2: what f says of Y'(tau) is put for the "
                "slope",
                by=(H, 0, 2),
                wrong=(Y(0) + H * dY(tau), Y(tau) + H * dY(0)),
            ),
            Step(
                "induction",
                Eq(x[n], x[n - 1] + H * lam * x[n - 1]),
                first * (1 + H * lam) ** n,
                why="on y' = lambda y each step multiplies what the last one left",
                by=(n, 0, first),
                wrong=(first * (1 + n * H * lam),),
            ),
            Step(
                "refute",
                Eq(1 + H * (1 + H), (1 + H) ** 2),
                false,
                why="y' = y from 1: the second step from h(0) gives 1.11, from h(t) 1.21",
                by=({H: Rational(1, 10)},),
            ),
            order_conditions((leaf,), EULER, "order 1: a constant slope is met exactly"),
            Step(
                "refute",
                Eq(run[tall_tree], H**2 / 2, evaluate=False),
                false,
                why="and no more than 1: y'' = 1 is not met",
                by=({H: 1},),
            ),
        ),
        "every right-hand side that is smooth",
    )


STEPS_OF_EULER = Claim(
    id="solver.euler",
    section=SECTION,
    title="Euler's method: every step starts from the state that the last one reached",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=SHAPE,
    inputs=INPUTS,
    program=Program((*GRID, euler(y[n - 1, i], t[n - 1])), (trajectory(),)),
    statement=Eq(y[n + 1, i], y[n, i] + (t[n + 1] - t[n]) * f_i(t[n], y[n])),
    conditions=("f is Lipschitz in the state",),
    derivation=euler_proof,
    variants=(
        Variant(
            "every step starts from h(0)",
            "notes",
            (euler(y[0, i], t[n - 1]),),
            printed=True,
            why="The two readings agree in the first step only: y' = y, step 0.1, second step: 1.11 instead of 1.21.",
        ),
        Variant("the time stays at its first value", "notes: f has lost its t", (euler(y[n - 1, i], t[0]),)),
        Variant("slope at the end of the step", "known bug", (euler(y[n - 1, i], t[n]),)),
        Variant("steps measured from the first time", "known bug", (euler(y[n - 1, i], t[n - 1], width=t[n] - t[0]),)),
        Variant(
            "steps without their sign where time falls",
            "known bug",
            (euler(y[n - 1, i], t[n - 1], width=Abs(step[n - 1])),),
        ),
        Variant("state updated in place", "known bug", (euler(y[n - 1, i], t[n - 1], _first_moved),)),
    ),
    options={"rhs": shown(), "times": TIMES, "method": "euler"},
    remarks="The notes write h for the state and for the step, and leave the time out of f; their f takes (y, t) in "
    "one place and (t, y) in another. A solver that calls f with its arguments exchanged fails here.",
)

# ---------------------------------------------------------------- steps of a given size

REST = Domain("rest", low=0.25, high=0.75, host=True, typical=(0.5,))
_start, _width, _rest = HOST_START.symbol, HOST_WIDTH.symbol, REST.symbol
_LAST = _start + SIGN * (N + _rest) * _width


def last_step_proof() -> Derivation:
    x = Symbol("x", real=True)
    return Derivation(
        (
            Step(
                "solve",
                Eq(_start + N * _width + x, _start + (N + _rest) * _width),
                _rest * _width,
                why="what N full steps leave of the way",
                by=(x,),
                wrong=(_width,),
            ),
            Step(
                "sum",
                Sum(_width, (n, 0, N - 1)) + _rest * _width,
                (N + _rest) * _width,
                why="the steps add up to the whole way",
            ),
        )
    )


LAST_STEP = Claim(
    id="solver.euler.last_step",
    section=SECTION,
    title="Steps of a given size: the last one is cut to end on the last time",
    kind="equality",
    subject="ode.odeint",
    driver="ode_rows",
    structure=SHAPE,
    inputs=(HOST_START, HOST_WIDTH, REST, STATE, PARAMETERS),
    program=Program(
        (
            (t[n], Piecewise((_start + SIGN * n * _width, n <= N), (_LAST, True))),
            (step[n], t[n + 1] - t[n]),
            euler(y[n - 1, i], t[n - 1]),
        ),
        (Output("end", y[N + 1, i], (i, 0, D - 1)),),
    ),
    statement=Eq(t[N + 1] - t[N], _rest * _width),
    conditions=("the way is no whole number of steps",),
    derivation=last_step_proof,
    variants=(
        Variant("the last step is not cut", "known bug", ((step[n], SIGN * _width),)),
        Variant(
            "stops before the last time", "known bug", ((step[n], Piecewise((t[n + 1] - t[n], n < N), (0, True))),)
        ),
        Variant(
            "all steps equal",
            "other libraries: the steps are made to fit",
            ((t[n], _start + SIGN * (N + _rest) * _width * n / (N + 1)),),
        ),
    ),
    options={
        "rhs": shown(),
        "times": Output("t", Piecewise((_start, Eq(n, 0)), (_LAST, True)), (n, 0, 1)),
        "method": "euler",
        "step_size": "h",
    },
)

# ---------------------------------------------------------------- a residual block


BLOCK = {"y0": 1, "V": 2, "bias": 1, "W": 2}
"""The inputs of a block, and how many axes they have."""


@claim("solver.euler.residual", SECTION, "ode.odeint")
def residual(c: Board) -> None:
    """A residual block is one step of Euler's method of size 1."""
    m = c.size("m", 1, 3)
    sigma, u = Function("sigma", real=True), Symbol("u", real=True)
    c.choice("activation", {"tanh": {sigma: Lambda(u, tanh(u))}, "squares": {sigma: Lambda(u, u**2)}})
    y0, V, bias, W = (c.real(name, *[m] * axes, low=-1, high=1) for name, axes in BLOCK.items())
    i, j, q = c.indices("i j q", m)
    n = c.index("n", 0, 1)

    def slope(x: Any) -> Any:
        """What a block adds to its input."""
        return c.sum(W[i, j] * sigma(c.sum(V[j, q] * x(q), q) + bias[j]), j)

    hidden = c.let("hidden", j, sigma(c.sum(V[j, q] * y0[q], q) + bias[j]))
    added = c.sum(W[i, j] * hidden[j], j)
    end = c.let("end", i, y0[i] + added)
    y = c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + slope(lambda q: y[n - 1, q]))
    c.law(end[i], y[1, i])

    @c.prove
    def _(p: Bench) -> None:
        p.left.unfold(end, hidden)
        start = p.have("the run begins at the input", y[0, i], "=", y0[i], lambda b: b.left.unfold(y))
        p.right.rewrite(p.chain(y[1, i]).unfold(y).theorem, start)

    t, state = Symbol("t", real=True), IndexedBase("y", real=True)
    f = function((t, state), slope(lambda q: state[q]), (i, 0, m - 1))
    c.call(f, y0, tensor(n, (n, 0, 1)), method="euler").at(-1).shows(end)
    c.variant("no skip connection", "known bug", end=added)
    c.variant("half a step", "known bug", end=y0[i] + added / 2)
    c.variant("activation after the sum", "the residual block as first published, 2015", end=sigma(y0[i] + added))


CLAIMS = (STEPS_OF_EULER, LAST_STEP)
