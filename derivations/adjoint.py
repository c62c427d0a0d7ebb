"""The adjoint method: what the gradient of a loss of z(t1) is, and the equations that carry it back (2.3.2)."""

from sympy import (
    Abs, Eq, Function, IndexedBase, Piecewise, Rational, Sum, Symbol, symbols,
)  # fmt: skip

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivations.initial_value import (
    DIRECTION, HOST_START, HOST_WIDTH, PARAMETERS, PARTIALS, PROBLEMS, SIGN, STATE, VARIABLES,
    D, N, cases, i, j, l, n, pulled, q, s, shown, theta, velocity, y, y0,
)  # fmt: skip
from gnomon.derivations.trees import EULER, RK4
from gnomon.domain import Choice, Domain, Size, real, symbols_of

start, width = HOST_START.symbol, HOST_WIDTH.symbol
signed = SIGN * width
r = symbols("r", integer=True, nonnegative=True)
S = Symbol("S", integer=True, positive=True)
a, b, c = (IndexedBase(name, real=True) for name in "a b c".split())
METHODS = Choice(
    "method",
    {
        name: {a: method.a, b: method.b, c: method.c, S: method.stages}
        for name, method in {"euler": EULER, "rk4": RK4}.items()
    },
)
INTERVALS, SUBSTEPS = Size("N", 1, 2), Size("m", 1, 2)
m = SUBSTEPS.symbol
WEIGHTS = real("w", INTERVALS.symbol + 1, D, low=-2, high=2)
w = WEIGHTS.symbol
INPUTS = (HOST_START, HOST_WIDTH, STATE, PARAMETERS, WEIGHTS)
SHAPE = (INTERVALS, SUBSTEPS, METHODS, PROBLEMS, DIRECTION)

# ---------------------------------------------------------------- the solve ahead and the solve back

point, slope, jump = (IndexedBase(name, real=True) for name in ("point", "slope", "jump"))
z, z_point, z_slope = (IndexedBase(name, real=True) for name in ("z", "z_point", "z_slope"))
adj, adj_point, adj_slope = (IndexedBase(name, real=True) for name in ("a_", "a_point", "a_slope"))
g, g_slope = (IndexedBase(name, real=True) for name in ("g", "g_slope"))


def ahead(index):
    """The time at substep ``index`` of interval n."""
    return start + SIGN * (n * m + index) * width


FORWARD = (
    (point[n, r, s, i], y[n, r, i] + signed * Sum(a[s, j] * slope[n, r, j, i], (j, 0, s - 1))),
    (slope[n, r, s, i], velocity(i, ahead(r) + c[s] * signed, lambda component: point[n, r, s, component])),
    (
        y[n, r, i],
        Piecewise(
            (y0[i], Eq(n, 0) & Eq(r, 0)),
            (y[n - 1, m, i], Eq(r, 0)),
            (y[n, r - 1, i] + signed * Sum(b[s] * slope[n, r - 1, s, i], (s, 0, S - 1)), True),
        ),
    ),
)
"""The solve ahead: ``y[n, r]`` after r steps of interval n."""


def _back(index):
    return lambda component: z_point[n, r, s, component]


def _by(component):
    return adj_point[n, r, s, component]


def behind():
    """The time of a stage on the way back."""
    return ahead(r) - c[s] * signed


def going_back(now, slopes, restart):
    """What reaches substep r of interval n on the way back: ``restart`` at its end, a step after that."""
    return Piecewise((restart, Eq(r, m)), (now[n, r + 1, i] - signed * Sum(b[s] * slopes[n, r + 1, s, i], (s, 0, S - 1)), True))


def _stage(points, now, slopes):
    return points[n, r, s, i], now[n, r, i] - signed * Sum(a[s, j] * slopes[n, r, j, i], (j, 0, s - 1))


JUMP = (jump[n, i], w[n, i] + y[n, 0, i])
ARRIVED = Piecewise((adj[n + 1, 0, i], n < N - 1), (0, True))
Z_SLOPE = (z_slope[n, r, s, i], velocity(i, behind(), _back(0)))
A_SLOPE = (adj_slope[n, r, s, i], -pulled(i, behind(), _back(0), _by))
G_SLOPE = (g_slope[n, r, s, i], -pulled(i, behind(), _back(0), _by, "parameters"))
BACKWARD = (
    JUMP,
    _stage(z_point, z, z_slope),
    _stage(adj_point, adj, adj_slope),
    Z_SLOPE,
    A_SLOPE,
    G_SLOPE,
    (z[n, r, i], going_back(z, z_slope, y[n + 1, 0, i])),
    (adj[n, r, i], going_back(adj, adj_slope, ARRIVED + jump[n + 1, i])),
    (g[n, r, i], going_back(g, g_slope, Piecewise((g[n + 1, 0, i], n < N - 1), (0, True)))),
)
"""The solve back: state, adjoint and gradient together; each interval starts from the state that was observed."""

LOSS = Output("loss", Sum(w[n, i] * y[n, i] + y[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N)))
OPTIONS = {
    "rhs": shown(),
    "times": Output("t", start + SIGN * n * m * width, (n, 0, N)),
    "loss": LOSS,
    "step_size": "h",
}


def pushed(index, time, state, by):
    """Component ``index`` of the Jacobian times the column ``by``: what a transposition too many makes of it."""
    args = (time, *(state(component) for component in range(D)), *(theta[place] for place in range(D)))
    names = VARIABLES[1 : 1 + D]
    return cases([sum(PARTIALS[row, name](*args) * by(k) for k, name in enumerate(names)) for row in range(D)], index)


INITIAL = Claim(
    id="adjoint.initial_gradient",
    section="2.3.2",
    title="One more solve, backwards, gives the gradient by the initial state",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=SHAPE,
    inputs=INPUTS,
    program=Program((*FORWARD, *BACKWARD), (Output("grad_y0", adj[0, 0, i] + jump[0, i], (i, 0, D - 1)),)),
    statement=Eq(Symbol("dL/dz(t0)"), Function("a")(start)),
    derivation=lambda: None,
    gradient=False,
    variants=(
        Variant(
            "Jacobian not transposed",
            "notes: a row read as a column",
            ((adj_slope[n, r, s, i], -pushed(i, behind(), _back(0), _by)),),
            printed=True,
        ),
        Variant("adjoint with the sign of the state", "known bug", ((A_SLOPE[0], -A_SLOPE[1]),)),
        Variant(
            "no jump at the times in between",
            "known bug",
            ((adj[n, r, i], going_back(adj, adj_slope, Piecewise((adj[n + 1, 0, i], n < N - 1), (jump[n + 1, i], True)))),),
        ),
        Variant("the first time's share of the loss forgotten", "known bug", ((jump[n, i], Piecewise((0, Eq(n, 0)), (JUMP[1], True))),)),
        Variant("the state goes on instead of back", "known bug", ((z_slope[n, r, s, i], -Z_SLOPE[1]),)),
        Variant("the state stays where the interval ends", "known bug", ((z_slope[n, r, s, i], 0 * Z_SLOPE[1]),)),
        Variant("time stays where the step back begins", "known bug", ((adj_slope[n, r, s, i], -pulled(i, ahead(r), _back(0), _by)),)),
    ),
    options=OPTIONS,
    remarks="The gradient is that of the solve back, which differs from the solver's own by the error of its steps.",
)  # fmt: skip

PARAMETER = Claim(
    id="adjoint.param_gradient",
    section="2.3.2",
    title="The gradient by the parameters is the integral of a(t)ᵀ ∂f/∂θ, gathered on the way back",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=SHAPE,
    inputs=INPUTS,
    program=Program((*FORWARD, *BACKWARD), (Output("grad_theta", g[0, 0, i], (i, 0, D - 1)),)),
    statement=Eq(Symbol("dL/dtheta"), Symbol("x")),
    derivation=lambda: None,
    gradient=False,
    variants=(
        Variant("the other sign", "known bug: limits exchanged", ((G_SLOPE[0], -G_SLOPE[1]),)),
        Variant(
            "the last interval alone",
            "known bug",
            ((g[n, r, i], going_back(g, g_slope, Piecewise((0, n < N - 1), (0, True)))),),
        ),
    ),
    options=OPTIONS,
)
CLAIMS = (INITIAL, PARAMETER)
