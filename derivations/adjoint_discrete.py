"""The loss, backpropagation through the steps of a solver, and what the adjoint method keeps (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Function, IndexedBase, Piecewise, Rational, Sum, Symbol, exp, false

from gnomon.derivations.adjoint import METHODS, SECTION, S
from gnomon.derivations.initial_value import (
    DIRECTION,
    GRID,
    HOST_GRID,
    HOST_START,
    HOST_TIMES,
    HOST_WIDTH,
    PARAMETERS,
    PROBLEMS,
    START,
    STATE,
    STEPS,
    TIMES,
    D,
    N,
    cases,
    coefficients,
    i,
    j,
    k,
    n,
    pulled,
    s,
    shown,
    stages,
    step,
    t,
    velocity,
    y,
    y0,
)
from gnomon.derivations.trees import EULER
from gnomon.proof.derivation import Derivation, Step, define, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real

start, width = HOST_START.symbol, HOST_WIDTH.symbol

# ---------------------------------------------------------------- the objective

TWO = Size("N", 2, 2)
# steps so small that the state after t1, which the loss does not see, stays finite: its gradient is 0 times what it is
SHORT = real("h", TWO, low=0.0625, high=0.25)
COST = real("w", D, low=-2, high=2)
loss = Symbol("loss", real=True)


def loss_at(index: int) -> tuple[Any, Any]:
    """A loss of the state at one of the times."""
    return loss, Sum(COST.symbol[i] * y[index, i] + y[index, i] ** 2 / 2, (i, 0, D - 1))


def objective_proof() -> Derivation:
    rate, time, first, last = (Symbol(name, real=True) for name in ("theta", "t", "t0", "t1"))
    cost, _ = opaque("L", 1)
    state = opaque("z", 2)
    begin = Symbol("z0", real=True)
    return Derivation(
        (
            Step(
                "differentiate",
                begin * exp(rate * (time - first)),
                rate * begin * exp(rate * (time - first)),
                why="ODESolve(z0, f, t0, t1, theta) for f = theta z: it solves the equation, starts from z0 at t0, "
                "and depends on all five",
                by=(time,),
            ),
            Step(
                "substitute",
                cost(state[0](time)),
                cost(begin * exp(rate * (last - first))),
                why="so the loss of z(t1) is the loss of what the solver returns",
                by=((state[0](time), begin * exp(rate * (last - first))),),
                wrong=(cost(begin),),
            ),
            Step(
                "refute",
                Eq(begin * exp(rate * (time - first)), begin * exp(rate * (last - first))),
                false,
                why="which is not that of z(T): z' = z from 1 at t0 = 0, with t1 = 0 and T = 1",
                by=({begin: 1, rate: 1, first: 0, last: 0, time: 1},),
            ),
        ),
        "every loss",
    )


OBJECTIVE = Claim(
    id="adjoint.objective",
    section=SECTION,
    title="The loss is of the state at t1, which a solver reaches from z(t0), f, t0, t1 and the parameters",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=(TWO, PROBLEMS, DIRECTION),
    inputs=(START, SHORT, STATE, PARAMETERS, COST),
    program=Program((*GRID, *coefficients(EULER), *stages(1), loss_at(1)), (Output("loss", loss),)),
    statement=Eq(
        Function("L")(Function("z")(Symbol("t1"))),
        Function("L")(Function("ODESolve")(Symbol("z(t0)"), Symbol("f"), Symbol("t0"), Symbol("t1"), Symbol("theta"))),
    ),
    derivation=objective_proof,
    variants=(
        Variant(
            "solved to T instead of t1",
            "notes",
            (loss_at(2),),
            printed=True,
            why="The notes write t1 on the left and T on the right; they agree if T = t1.",
        ),
        Variant("f left out", "notes: ODESolve(z(t0), t0, T, theta)", ((k[n, s, i], 0 * y0[i]),), printed=True),
    ),
    options={"rhs": shown(), "times": TIMES, "loss": Output("loss", loss_at(1)[1]), "method": "euler"},
    remarks="The solver goes on to a third time, which the loss does not look at. Its gradient is checked along "
    "with it.",
)

# ---------------------------------------------------------------- the gradient of the steps themselves

WEIGHTS = real("w", N + 1, D, low=-2, high=2)
w = WEIGHTS.symbol
lam, by = IndexedBase("lam", real=True), IndexedBase("by", real=True)
_JUMP = w[n, i] + y[n, i]


def _at(index: Any) -> Any:
    return lambda component: y[index, component]


def _carried(wrt: str, where: Any) -> Any:
    """What one step of Euler's method hands back of the cotangent after it; its Jacobian is taken at ``where``."""
    return step[n] * pulled(i, t[where], _at(where), lambda row: lam[n + 1, row], wrt)


def _backprop(where: Any, jump: Any = _JUMP) -> tuple[tuple[Any, Any], ...]:
    return (
        (lam[n, i], Piecewise((_JUMP, Eq(n, N)), (jump + lam[n + 1, i] + _carried("state", where), True))),
        (by[n, i], Piecewise((0, Eq(n, N)), (by[n + 1, i] + _carried("parameters", where), True))),
    )


def backprop_proof() -> Derivation:
    A, x, after = (IndexedBase(name, real=True) for name in ("A", "y", "lam"))
    size, p = Symbol("d", integer=True, positive=True), Symbol("p", integer=True, nonnegative=True)
    rate, wide = Symbol("theta", real=True), Symbol("H", positive=True)
    sigma, dsigma = opaque("sigma", 1)
    moved = x[i] + wide * Sum(A[i, j] * sigma(x[j]), (j, 0, size - 1))
    return Derivation(
        (
            Step(
                "differentiate",
                Sum(after[i] * moved, (i, 0, size - 1)),
                after[p] + wide * Sum(after[i] * A[i, p], (i, 0, size - 1)) * dsigma(x[p]),
                why="the chain rule through one step, here for f = A sigma(y): the transposed Jacobian at the state "
                "before it",
                by=(x[p],),
                wrong=(after[p] + wide * Sum(after[i] * A[p, i], (i, 0, size - 1)) * dsigma(x[p]),),
            ),
            Step(
                "differentiate",
                (1 + rate) ** 2 / 2,
                1 + rate,
                why="one step of size 1 for dz/dt = theta z from 1, and the loss z**2/2",
                by=(rate,),
            ),
            Step(
                "refute",
                Eq((1 + rate) * (1 + rate), 1 + rate),
                false,
                why="Euler's step of the adjoint back from t1 gives a(t1) z(t1): at theta = 1/2 that is 9/4, not 3/2",
                by=({rate: Rational(1, 2)},),
            ),
        )
    )


BACKPROP = Claim(
    id="adjoint.direct_backprop_claims",
    section=SECTION,
    title="Backpropagation through the steps is the exact gradient of the loss that was computed",
    kind="equality",
    subject="ode.odeint",
    driver="ode_gradient",
    structure=(STEPS, PROBLEMS, DIRECTION),
    inputs=(HOST_START, HOST_WIDTH, STATE, PARAMETERS, WEIGHTS),
    program=Program(
        (
            *HOST_GRID,
            (
                y[n, i],
                Piecewise((y0[i], Eq(n, 0)), (y[n - 1, i] + step[n - 1] * velocity(i, t[n - 1], _at(n - 1)), True)),
            ),
            *_backprop(n),
        ),
        (Output("grad_y0", lam[0, i], (i, 0, D - 1)), Output("grad_theta", by[0, i], (i, 0, D - 1))),
    ),
    statement=Eq(
        lam[n, i], lam[n + 1, i] + step[n] * Sum(lam[n + 1, j] * IndexedBase("J", real=True)[n, j, i], (j, 0, D - 1))
    ),
    conditions=("J[n] is the Jacobian of f at the state before the step",),
    derivation=backprop_proof,
    gradient=False,
    variants=(
        Variant(
            "the adjoint equation by steps from the end",
            "notes: 'introduces numerical error', read as an advantage of the adjoint",
            _backprop(n + 1),
            printed=True,
            why="It is the gradient of the differential equation up to the error of its steps, not that of what was "
            "computed.",
        ),
        Variant("the loss of the last state alone", "known bug", (_backprop(n, 0 * y0[i])[0],)),
        Variant("Jacobian at the first state throughout", "known bug", _backprop(0)),
    ),
    options={
        "rhs": shown(),
        "times": HOST_TIMES,
        "loss": Output("loss", Sum(w[n, i] * y[n, i] + y[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N))),
        "method": "euler",
    },
    remarks="Against the gradient of the differential equation itself both err, each by the error of its steps.",
)

# ---------------------------------------------------------------- memory

FINER = Size("N", 2, 8)
growth, _STATE = Symbol("growth", integer=True), IndexedBase("y", real=True)


def memory_proof() -> Derivation:
    """Nothing to prove: what a program keeps is seen by counting."""
    return Derivation(
        (
            define(growth, Symbol("kept(N)") - Symbol("kept(1)"), why="numbers that autograd holds at once, at most"),
            define(
                Symbol("kept(N)"),
                Symbol("kept(1)"),
                why="a step ahead keeps nothing; a step back gives back what it took",
            ),
        ),
        "every number of steps",
    )


MEMORY = Claim(
    id="adjoint.memory",
    section=SECTION,
    title="What the adjoint method keeps does not grow with the number of steps",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint_memory",
    structure=(FINER, METHODS),
    inputs=(HOST_START, HOST_WIDTH),
    program=Program(((growth, Rational(0)),), (Output("growth", growth),)),
    statement=Eq(growth, 0),
    derivation=memory_proof,
    gradient=False,
    variants=(
        Variant("a state for every step", "backpropagation through the steps", ((growth, D * (N - 1)),)),
        Variant("a state for every stage", "backpropagation through the steps", ((growth, D * (N - 1) * S),)),
        Variant("a state for every second step", "checkpoints", ((growth, D * (N - 1) / 2),)),
    ),
    options={
        "rhs": Output("slope", cases([Symbol("t") - _STATE[1], _STATE[0] * _STATE[1]], i), (i, 0, D - 1)),
        "times": Output("t", start + n * width, (n, 0, 1)),
        "loss": Output("loss", Sum(_STATE[1, i] ** 2, (i, 0, D - 1))),
        "step_size": "h",
    },
    remarks="Counted are the numbers that autograd holds at once, through torch.autograd.graph.saved_tensors_hooks, "
    "with N steps less those with one. With the size of the state, the number of parameters and of observed times "
    "it does grow.",
)

CLAIMS = (OBJECTIVE, BACKPROP, MEMORY)
