"""What the adjoint method returns: gradients by the initial state and by the parameters (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import And, Eq, Function, IndexedBase, Integral, Piecewise, Sum, Symbol, exp

from gnomon.derivations.adjoint import (
    METHODS,
    OTHER_RK4,
    READ_AS_COLUMN,
    SECTION,
    S,
    coefficients,
    dim,
    force,
    invariant_step,
    limit_steps,
    pushed,
)
from gnomon.derivations.initial_value import (
    DIRECTION,
    HOST_START,
    HOST_WIDTH,
    PARAMETERS,
    PROBLEMS,
    SIGN,
    STATE,
    D,
    N,
    a,
    b,
    c,
    i,
    j,
    n,
    pulled,
    r,
    s,
    shown,
    velocity,
    y,
    y0,
)
from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real

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
    "The gradient is that of the solve back, and differs from the gradient of the solver's own steps by the error "
    "of both. Each interval starts from the observed state, and the adjoint jumps there by the gradient that "
    "arrives."
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
                why="two observations of dz/dt = theta z: the adjoint of the later one, carried back, jumps at the "
                "earlier",
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
    program=Program(
        (*coefficients(), *FORWARD, *BACKWARD), (Output("grad_y0", adj[0, 0, i] + jump[0, i], (i, 0, D - 1)),)
    ),
    statement=Eq(Function("a")(Symbol("t0")), Function("dL/dz")(Symbol("t0"))),
    conditions=("f is continuously differentiable", "a(t1) is the gradient of the loss by z(t1)"),
    derivation=initial_proof,
    gradient=False,
    variants=(
        OTHER_RK4,
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
            invariant_step(force[i], "and dv/dt = J v + ∂f/∂θ"),
            Step(
                "integrate",
                Integral(dG(tau), (tau, t1, t0)),
                -(G(t1) - G(t0)),
                why="integrated, a . dz/dtheta is 0 at t0 and the gradient at t1: backwards the integral has the "
                "other sign",
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
                why="and by the integral of a(t) df/dtheta, with a(t) carried back from the loss's gradient c at "
                "the end",
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
    program=Program((*coefficients(), *FORWARD, *BACKWARD), (Output("grad_theta", g[0, 0, i], (i, 0, D - 1)),)),
    statement=Eq(
        Symbol("dL/dtheta_i"),
        Integral(
            Sum(Function("a_j")(Symbol("t")) * force[j, i], (j, 0, dim - 1)),
            (Symbol("t"), Symbol("t0"), Symbol("t1")),
        ),
    ),
    conditions=("f is continuously differentiable", "F is its Jacobian by the parameters"),
    derivation=parameter_proof,
    gradient=False,
    variants=(
        OTHER_RK4,
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

CLAIMS = (INITIAL, PARAMETER)
