"""What the adjoint method returns: gradients by the initial state, the parameters and the times (2.3.2)."""

from __future__ import annotations

from typing import Any

from gnomon.derivations.adjoint import (
    METHODS,
    READ_AS_COLUMN,
    SECTION,
    S,
    dim,
    force,
    invariant_step,
    limit_steps,
    methods,
    pushed,
)
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
    r,
    s,
    shown,
    stages,
    step,
    t,
    velocity,
    y,
    y0,
)
from sympy import And, Eq, Function, IndexedBase, Integral, Piecewise, Sum, Symbol, exp

from gnomon.claim import Claim, Output, Program, Variant
from gnomon.derivation import Derivation, Step, opaque
from gnomon.domain import Choice, Size, real

start, width = HOST_START.symbol, HOST_WIDTH.symbol
signed = SIGN * width
INTERVALS, SUBSTEPS = Size("N", 1, 2), Size("m", 1, 2)
m = SUBSTEPS.symbol
WEIGHTS = real("w", N + 1, D, low=-2, high=2)
w = WEIGHTS.symbol
INPUTS = (HOST_START, HOST_WIDTH, STATE, PARAMETERS, WEIGHTS)
SHAPE = (INTERVALS, SUBSTEPS, METHODS, PROBLEMS, DIRECTION)
LOSS = Output("loss", Sum(w[n, i] * y[n, i] + y[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N)))

# ---------------------------------------------------------------- the solve ahead and the solve back

point, slope, jump = (IndexedBase(name, real=True) for name in ("point", "slope", "jump"))
z, z_point, z_slope = (IndexedBase(name, real=True) for name in ("z", "z_point", "z_slope"))
adj, a_point, a_slope = (IndexedBase(name, real=True) for name in ("a_", "a_point", "a_slope"))
g, g_slope = (IndexedBase(name, real=True) for name in ("g", "g_slope"))


def ahead(index: Any) -> Any:
    """The time at substep ``index`` of interval n."""
    return start + SIGN * (n * m + index) * width


behind = ahead(r) - c[s] * signed
"""The time of a stage on the way back from substep r."""
_STEP_ON = y[n, r - 1, i] + signed * Sum(b[s] * slope[n, r - 1, s, i], (s, 0, S - 1))
FORWARD = (
    (point[n, r, s, i], y[n, r, i] + signed * Sum(a[s, j] * slope[n, r, j, i], (j, 0, s - 1))),
    (slope[n, r, s, i], velocity(i, ahead(r) + c[s] * signed, lambda component: point[n, r, s, component])),
    (
        y[n, r, i],
        Piecewise((y0[i], And(Eq(n, 0), Eq(r, 0))), (y[n - 1, m, i], Eq(r, 0)), (_STEP_ON, True)),
    ),
)
"""The solve ahead: ``y[n, r]`` after r steps of interval n; what is observed are the ``y[n, 0]``."""


def _z(component: Any) -> Any:
    return z_point[n, r, s, component]


def _a(component: Any) -> Any:
    return a_point[n, r, s, component]


def _stage(points: Any, now: Any, slopes: Any) -> tuple[Any, Any]:
    return points[n, r, s, i], now[n, r, i] - signed * Sum(a[s, j] * slopes[n, r, j, i], (j, 0, s - 1))


def going_back(now: Any, slopes: Any, restart: Any) -> tuple[Any, Any]:
    """What reaches substep r of interval n on the way back: ``restart`` at its end, a step after that."""
    moved = now[n, r + 1, i] - signed * Sum(b[s] * slopes[n, r + 1, s, i], (s, 0, S - 1))
    return now[n, r, i], Piecewise((restart, Eq(r, m)), (moved, True))


def before(now: Any) -> Any:
    """What arrives from the interval after this one."""
    return Piecewise((now[n + 1, 0, i], n < N - 1), (0, True))


JUMP = (jump[n, i], w[n, i] + y[n, 0, i])
Z_SLOPE, A_SLOPE = velocity(i, behind, _z), -pulled(i, behind, _z, _a)
G_SLOPE = -pulled(i, behind, _z, _a, "parameters")
BACKWARD = (
    JUMP,
    _stage(z_point, z, z_slope),
    _stage(a_point, adj, a_slope),
    (z_slope[n, r, s, i], Z_SLOPE),
    (a_slope[n, r, s, i], A_SLOPE),
    (g_slope[n, r, s, i], G_SLOPE),
    going_back(z, z_slope, y[n + 1, 0, i]),
    going_back(adj, a_slope, before(adj) + jump[n + 1, i]),
    going_back(g, g_slope, before(g)),
)
"""The solve back: state, adjoint and gradient together; each interval starts from the state that was observed."""

OPTIONS = {
    "rhs": shown(),
    "times": Output("t", start + SIGN * n * m * width, (n, 0, N)),
    "loss": LOSS,
    "step_size": "h",
}
REMARK = (
    "The gradient is that of the solve back, and differs from the gradient of the solver's own steps by the "
    "error of both. "
    "Each interval starts from the observed state, and the adjoint jumps there by the gradient that arrives."
)


def initial_proof() -> Derivation:
    rate, early, late, first = (Symbol(name, real=True) for name in ("theta", "t_a", "t_b", "z0"))
    costs = [opaque(f"l{number}", 1) for number in (1, 2)]
    states = [first * exp(rate * time) for time in (early, late)]
    arrives = costs[1][1](states[1]) * exp(rate * (late - early))
    return Derivation(
        (
            *limit_steps(),
            invariant_step(),
            Step(
                "differentiate",
                costs[0][0](states[0]) + costs[1][0](states[1]),
                (arrives + costs[0][1](states[0])) * exp(rate * early),
                why="two observations of dz/dt = theta z: the adjoint of the later one, carried back, jumps at "
                "the earlier",
                by=(first,),
                wrong=(arrives * exp(rate * early), (arrives + costs[0][1](states[0])) * exp(-rate * early)),
            ),
        ),
        lift="pointwise",
    )


INITIAL = Claim(
    id="adjoint.initial_gradient",
    section=SECTION,
    title="One more solve, backwards, gives the gradient by the initial state",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=SHAPE,
    inputs=INPUTS,
    program=Program((*FORWARD, *BACKWARD), (Output("grad_y0", adj[0, 0, i] + jump[0, i], (i, 0, D - 1)),)),
    statement=Eq(Function("a")(Symbol("t0")), Function("dL/dz")(Symbol("t0"))),
    conditions=("f is continuously differentiable", "a(t1) is the gradient of the loss by z(t1)"),
    derivation=initial_proof,
    gradient=False,
    variants=(
        Variant(
            "Jacobian not transposed",
            READ_AS_COLUMN,
            ((a_slope[n, r, s, i], -pushed(i, behind, _z, _a)),),
            printed=True,
        ),
        Variant("adjoint with the sign of the state", "known bug", ((a_slope[n, r, s, i], -A_SLOPE),)),
        Variant(
            "no jump at the times in between",
            "known bug",
            (going_back(adj, a_slope, Piecewise((adj[n + 1, 0, i], n < N - 1), (jump[n + 1, i], True))),),
        ),
        Variant(
            "the first time's share of the loss forgotten",
            "known bug",
            ((jump[n, i], Piecewise((0, Eq(n, 0)), (JUMP[1], True))),),
        ),
        Variant("the state goes on instead of back", "known bug", ((z_slope[n, r, s, i], -Z_SLOPE),)),
        Variant("the state stays where the interval ends", "known bug", ((z_slope[n, r, s, i], 0 * y0[i]),)),
        Variant(
            "time stays where the step back begins",
            "known bug",
            ((a_slope[n, r, s, i], -pulled(i, ahead(r), _z, _a)),),
        ),
    ),
    options=OPTIONS,
    remarks=REMARK,
)


def parameter_proof() -> Derivation:
    rate, first, end, tau, slope_ = (Symbol(name, real=True) for name in ("theta", "z0", "T", "tau", "c"))
    t0, t1 = Symbol("t0", real=True), Symbol("t1", real=True)
    cost, dcost = opaque("l", 1)
    G, dG = opaque("G", 1)
    gradient = dcost(first * exp(rate * end))
    return Derivation(
        (
            *limit_steps(),
            invariant_step(force[i]),
            Step(
                "integrate",
                Integral(dG(tau), (tau, t1, t0)),
                -(G(t1) - G(t0)),
                why="integrated, a . dz/dtheta is 0 at t0 and the gradient at t1: backwards the integral has "
                "the other sign",
                by=(G(tau),),
            ),
            Step(
                "differentiate",
                cost(first * exp(rate * end)),
                gradient * first * end * exp(rate * end),
                why="dz/dt = theta z, straight from its solution",
                by=(rate,),
            ),
            Step(
                "integrate",
                Integral(slope_ * exp(rate * (end - tau)) * first * exp(rate * tau), (tau, 0, end)),
                slope_ * first * end * exp(rate * end),
                why="and by the integral of a(t) df/dtheta, with a(t) carried back from the loss's gradient c "
                "at the end",
                wrong=(-slope_ * first * end * exp(rate * end),),
            ),
        ),
        lift="pointwise",
    )


PARAMETER = Claim(
    id="adjoint.param_gradient",
    section=SECTION,
    title="The gradient by the parameters is the integral of a(t)ᵀ ∂f/∂θ, gathered on the way back",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=SHAPE,
    inputs=INPUTS,
    program=Program((*FORWARD, *BACKWARD), (Output("grad_theta", g[0, 0, i], (i, 0, D - 1)),)),
    statement=Eq(
        Symbol("dL/dtheta_i"),
        Integral(
            Sum(Function("a_j")(Symbol("t")) * Function("df_j/dtheta_i")(Symbol("t")), (j, 0, dim - 1)),
            (Symbol("t"), Symbol("t0"), Symbol("t1")),
        ),
    ),
    conditions=("f is continuously differentiable",),
    derivation=parameter_proof,
    gradient=False,
    variants=(
        Variant("the other sign", "known bug: limits exchanged", ((g_slope[n, r, s, i], -G_SLOPE),)),
        Variant("the first interval alone", "known bug", (going_back(g, g_slope, 0 * y0[i]),)),
        Variant("adjoint with the sign of the state", "known bug", ((a_slope[n, r, s, i], -A_SLOPE),)),
        Variant(
            "Jacobian not transposed",
            READ_AS_COLUMN,
            ((a_slope[n, r, s, i], -pushed(i, behind, _z, _a)),),
            printed=True,
        ),
        Variant("the state stays where the interval ends", "known bug", ((z_slope[n, r, s, i], 0 * y0[i]),)),
    ),
    options=OPTIONS,
    remarks=REMARK,
)

# ---------------------------------------------------------------- the times

_t, _u, _v, _p, _q = VARIABLES
TIMED = Choice(
    "problem",
    {
        "linear": problem(_p * _u + _v, _q * _u - _v),
        "a force that varies": problem(_p * _t**2 + _q * _t, _q * _t**3 - _p),
    },
)
_BACK_POINT = adj[n + 1, i] - step[n] * Sum(a[s, j] * a_slope[n, j, i], (j, 0, s - 1))
ARRIVED = adj[n + 1, i] - step[n] * Sum(b[s] * a_slope[n, s, i], (s, 0, S - 1))
arrived, by_time = IndexedBase("arrived", real=True), IndexedBase("by_time", real=True)


def _here(component: Any) -> Any:
    return y[n, component]


def _times(at_first: Any, at_others: Any) -> tuple[Any, Any]:
    """The gradients by the times, from what multiplies f at the first and at the others."""
    rate = velocity(i, t[n], _here)
    first, others = (Sum(factor * rate, (i, 0, D - 1)) for factor in (at_first, at_others))
    return by_time[n], Piecewise((first, Eq(n, 0)), (others, True))


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
                why="to start later from where the solution is then changes nothing: the rate of the loss along "
                "it is 0",
                by=(by_start,),
            ),
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


TIME_GRADIENTS = Claim(
    id="adjoint.time_gradients",
    section=SECTION,
    title="The gradient by an observed time is ∂L/∂z(t) . f there; by the first time it is -a(t0) . f(t0)",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint_times",
    structure=(Size("N", 2, 2), methods("rk4"), TIMED, DIRECTION),
    inputs=(START, real("h", N, low=0.125, high=0.5), STATE, PARAMETERS, WEIGHTS),
    program=Program(
        (
            *GRID,
            *stages(S),
            (jump[n, i], w[n, i] + y[n, i]),
            (a_point[n, s, i], _BACK_POINT),
            (
                a_slope[n, s, i],
                # linear in the state, or without it, so that the state of a stage does not matter
                -pulled(i, t[n + 1], _here, lambda component: a_point[n, s, component]),
            ),
            (arrived[n, i], ARRIVED),
            (adj[n, i], Piecewise((jump[n, i], Eq(n, N)), (jump[n, i] + arrived[n, i], True))),
            _times(-arrived[0, i], jump[n, i]),
        ),
        (Output("grad_t", by_time[n], (n, 0, N)),),
    ),
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
    remarks="The problems are linear, or without the state, where the other way, which integrates a . df/dt, "
    "comes to the "
    "same number. Elsewhere the two differ by the error of the steps.",
)

CLAIMS = (INITIAL, PARAMETER, TIME_GRADIENTS)
