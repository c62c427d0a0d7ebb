"""What the adjoint method returns: gradients by the times (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Function, IndexedBase, Piecewise, Sum, Symbol, exp

from gnomon.derivations.adjoint import SECTION, S, coefficients, force, invariant_step, methods
from gnomon.derivations.initial_value import (
    GRID,
    PARAMETERS,
    SIGN,
    START,
    STATE,
    TIMES,
    VARIABLES,
    D,
    N,
    a,
    b,
    c,
    i,
    j,
    n,
    problem,
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
from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real

_t, _u, _v, _p, _q = VARIABLES
WEIGHTS = real("w", N + 1, D, low=-2, high=2)
w = WEIGHTS.symbol
LOSS = Output("loss", Sum(w[n, i] * y[n, i] + y[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N)))
adj, a_point, a_slope, jump = (IndexedBase(name, real=True) for name in ("a_", "a_point", "a_slope", "jump"))
TIMED = Choice(
    "problem",
    {
        "linear, time rises": {SIGN: 1, **problem(_p * _u + _v, _q * _u - _v)},
        "a force that varies, time falls": {SIGN: -1, **problem(_p * _t**2 + _q * _t, _q * _t**3 - _p)},
    },
)
_BACK_POINT = adj[n + 1, i] - step[n] * Sum(a[s, j] * a_slope[n, j, i], (j, 0, s - 1))
ARRIVED = adj[n + 1, i] - step[n] * Sum(b[s] * a_slope[n, s, i], (s, 0, S - 1))
arrived, by_time, integral, work = (IndexedBase(name, real=True) for name in ("arrived", "by_time", "integral", "work"))


def _here(component: Any) -> Any:
    return y[n, component]


def _times_f(factor: Any) -> Any:
    return Sum(factor * velocity(i, t[n], _here), (i, 0, D - 1))


def _times(at_first: Any, at_others: Any) -> tuple[Any, Any]:
    """The gradients by the times, from what multiplies f at the first and at the others."""
    return by_time[n], Piecewise((_times_f(at_first), Eq(n, 0)), (_times_f(at_others), True))


def _a_at_stage(component: Any) -> Any:
    return a_point[n, s, component]


def time_proof() -> Derivation:
    rate, first, t0, t1 = (Symbol(name, real=True) for name in ("theta", "z0", "t0", "t1"))
    cost, dcost = opaque("l", 1)
    end = first * exp(rate * (t1 - t0))
    by_start, by_state, f0 = (Symbol(name, real=True) for name in ("dL/dt0", "dL/dz0", "f0"))
    return Derivation(
        (
            Step(
                "solve",
                Eq(by_start + by_state * f0, 0),
                -by_state * f0,
                why="to start later from where the solution is then changes nothing: the rate of the loss along it "
                "is 0",
                by=(by_start,),
            ),
            invariant_step(force[i], "and df/dt = J f + ∂f/∂t: integrated, dL/dt0 by another way"),
            Step(
                "differentiate",
                cost(end),
                dcost(end) * rate * end,
                why="dz/dt = theta z: the gradient at the end times f there",
                by=(t1,),
            ),
            Step(
                "differentiate",
                cost(end),
                -(dcost(end) * exp(rate * (t1 - t0))) * (rate * first),
                why="and minus a(t0) times f at the start",
                by=(t0,),
                wrong=(-dcost(end) * rate * first,),
            ),
        )
    )


# both problems are linear in the state or without it, so that the state of a stage does not matter
_LATER = t[n + 1] - c[s] * step[n]
_LETS = (
    *GRID,
    *coefficients(),
    *stages(S),
    (jump[n, i], w[n, i] + y[n, i]),
    (a_point[n, s, i], _BACK_POINT),
    (a_slope[n, s, i], -pulled(i, _LATER, _here, _a_at_stage)),
    (arrived[n, i], ARRIVED),
    (adj[n, i], Piecewise((jump[n, i], Eq(n, N)), (jump[n, i] + arrived[n, i], True))),
    (work[n], _times_f(jump[n, i])),
    (integral[n], step[n] * Sum(b[s] * pulled(0, _LATER, _here, _a_at_stage, "time"), (s, 0, S - 1))),
)
_GATHERED = Sum(integral[n], (n, 0, N - 1)) - Sum(work[n], (n, 1, N))
TIME_GRADIENTS = Claim(
    id="adjoint.time_gradients",
    section=SECTION,
    title="The gradient by an observed time is ∂L/∂z(t) . f there; by the first time it is -a(t0) . f(t0)",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint_times",
    structure=(Size("N", 2, 2), methods("rk4"), TIMED),
    inputs=(START, real("h", N, low=0.125, high=0.5), STATE, PARAMETERS, WEIGHTS),
    program=Program(
        (*_LETS, (by_time[n], Piecewise((_GATHERED, Eq(n, 0)), (work[n], True)))),
        (Output("grad_t", by_time[n], (n, 0, N)),),
    ),
    definition=Program((*_LETS, _times(-arrived[0, i], jump[n, i])), (Output("grad_t", by_time[n], (n, 0, N)),)),
    statement=(
        Eq(Symbol("dL/dt1"), Sum(Function("a_i")(Symbol("t1")) * Function("f_i")(Symbol("t1")), (i, 0, D - 1))),
        Eq(Symbol("dL/dt0"), -Sum(Function("a_i")(Symbol("t0")) * Function("f_i")(Symbol("t0")), (i, 0, D - 1))),
    ),
    conditions=("a(t0) is without the loss's own share at t0, for z(t0) does not move with t0",),
    derivation=time_proof,
    gradient=False,
    variants=(
        Variant("dL/dt0 with the other sign", "known bug", (_times(arrived[0, i], jump[n, i]),)),
        Variant("dL/dt0 from the gradient at the end", "known bug", (_times(-jump[N, i], jump[n, i]),)),
        Variant("dL/dt0 with the loss's share at t0", "known bug", (_times(-adj[0, i], jump[n, i]),)),
        Variant("the whole adjoint at times in between", "known bug", (_times(-arrived[0, i], adj[n, i]),)),
        Variant("no gradient by the first time", "known bug", (_times(0 * y0[i], jump[n, i]),)),
    ),
    options={"rhs": shown(), "times": TIMES, "loss": LOSS},
    remarks="Some libraries gather dL/dt0 on the way back, as the integral of a . ∂f/∂t. On these problems, linear "
    "or without the state, both come to the same number; elsewhere they differ by the error of the steps.",
)

CLAIMS = (TIME_GRADIENTS,)
