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
TABLEAUX = {"euler": EULER, "rk4": RK4}


def methods(*names, **more):
    """A choice among methods, with the entries of their tableaux; ``more`` binds a symbol for each of them."""
    return Choice(
        "method",
        {
            name: {a: TABLEAUX[name].a, b: TABLEAUX[name].b, c: TABLEAUX[name].c, S: TABLEAUX[name].stages}
            | {symbol: meanings[name] for symbol, meanings in more.items()}
            for name in names
        },
    )


METHODS = methods("euler", "rk4")
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

# ---------------------------------------------------------------- linear systems: what does not change along the way

STATES = Size("d", 2, 4)
d = STATES.symbol
ONE, MATRIX = real("y0", STATES, low=-1, high=1), real("A", STATES, STATES, low=-2, high=2)
COST, VARIATION = real("c", STATES, low=-2, high=2), real("v", STATES, low=-2, high=2)
A, cost, v = MATRIX.symbol, COST.symbol, VARIATION.symbol
a_k, dz_k, dz = (IndexedBase(name, real=True) for name in ("a_k", "dz_k", "dz"))
HALF = Rational(1, 2)


def _share(index):
    """How far into the step a stage of the classical method lies."""
    return Piecewise((0, Eq(index, 0)), (1, Eq(index, 3)), (HALF, True))


def _average(slopes, *at):
    return (slopes[(*at, 0, i)] + 2 * slopes[(*at, 1, i)] + 2 * slopes[(*at, 2, i)] + slopes[(*at, 3, i)]) / 6


def _classical(now, slopes, product, begin):
    """Steps of the classical method on a linear system; ``product(i, x)`` is what its matrix makes of x."""
    moved = now[n, l] + width * _share(s) * Piecewise((0, Eq(s, 0)), (slopes[n, s - 1, l], True))
    return (
        (slopes[n, s, i], product(i, lambda place: moved.subs(l, place))),
        (now[n, i], Piecewise((begin, Eq(n, 0)), (now[n - 1, i] + width * _average(slopes, n - 1), True))),
    )


def times_matrix(low=0):
    """A x; with ``low=1`` only what lies above the diagonal."""
    return lambda index, x: Sum(A[index, q] * x(q), (q, index + 1 if low else 0, d - 1))


def times_transpose(low=0):
    """The transpose of A times x."""
    return lambda index, x: Sum(A[q, index] * x(q), (q, 0, index - 1 if low else d - 1))


def _linear_options(low, steps):
    state = IndexedBase("y", real=True)
    rhs = Output("slope", times_matrix(low)(i, lambda place: state[place]), (i, 0, d - 1))
    ends = Sum(cost[i] * state[1, i], (i, 0, d - 1))
    return {
        "rhs": rhs,
        "times": Output("t", n * steps * width, (n, 0, 1)),
        "loss": Output("loss", ends),
        "method": "rk4",
        "step_size": "h",
    }


GRAD = IndexedBase("grad_y0", real=True)
INVARIANT = Abs(Sum(GRAD[i] * v[i], (i, 0, d - 1)) - Sum(cost[i] * dz[N, i], (i, 0, d - 1)))
STATE_CLAIM = Claim(
    id="adjoint.state",
    section="2.3.2",
    title="a(t) is the gradient of the loss by the state at t: its product with a variation of the state stays the same",
    kind="invariance",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=(STATES, Size("N", 1, 3)),
    inputs=(HOST_WIDTH, ONE, MATRIX, COST, VARIATION),
    program=Program(
        (*_classical(adj, a_k, times_transpose(), cost[i]), *_classical(dz, dz_k, times_matrix(), v[i])),
        (Output("grad_y0", adj[N, i], (i, 0, d - 1)),),
    ),
    statement=Eq(Sum(GRAD[i] * v[i], (i, 0, d - 1)), Sum(cost[i] * dz[N, i], (i, 0, d - 1))),
    relation=Relation(INVARIANT, "<=", 0 * HOST_WIDTH.symbol),
    derivation=lambda: None,
    variants=(
        Variant("Jacobian not transposed", "notes: a row read as a column", _classical(adj, a_k, times_matrix(), cost[i])[:1], printed=True),
        Variant("the gradient at the end", "known bug: not solved back", ((a_k[n, s, i], 0 * cost[i]),)),
        Variant(
            "adjoint with the sign of the state", "known bug",
            _classical(adj, a_k, lambda index, x: -times_transpose()(index, x), cost[i])[:1],
        ),
    ),
    options=_linear_options(0, N),
)  # fmt: skip

term = IndexedBase("term", real=True)
TAYLOR = (
    (term[q, i], Piecewise((cost[i], Eq(q, 0)), (width / q * Sum(A[l, i] * term[q - 1, l], (l, 0, i - 1)), True))),
    (adj[i], Sum(term[q, i], (q, 0, d - 1))),
)
DYNAMICS = Claim(
    id="adjoint.dynamics",
    section="2.3.2",
    title="The adjoint obeys da/dt = -(∂f/∂z)ᵀ a",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=(STATES,),
    inputs=(HOST_WIDTH, ONE, MATRIX, COST),
    program=Program(_classical(adj, a_k, times_transpose(1), cost[i]), (Output("grad_y0", adj[1, i], (i, 0, d - 1)),)),
    definition=Program(TAYLOR, (Output("grad_y0", adj[i], (i, 0, d - 1)),)),
    statement=Eq(Function("a")(0), Function("exp")(Symbol("h") * Symbol("A^T")) * Symbol("c")),
    derivation=lambda: None,
    gradient=False,
    variants=(
        Variant("Jacobian not transposed", "notes: a row read as a column", _classical(adj, a_k, times_matrix(1), cost[i])[:1], printed=True),
        Variant(
            "adjoint with the sign of the state", "known bug",
            _classical(adj, a_k, lambda index, x: -times_transpose(1)(index, x), cost[i])[:1],
        ),
        Variant(
            "the symmetric part of the Jacobian", "known bug",
            _classical(adj, a_k, lambda index, x: (times_transpose(1)(index, x) + times_matrix(1)(index, x)) / 2, cost[i])[:1],
        ),
    ),
    options=_linear_options(1, 1),
    remarks="A is zero on and below the diagonal, so that exp(hAᵀ) is a polynomial and a step of order 4 reaches it exactly.",
)  # fmt: skip

# ---------------------------------------------------------------- the three equations in one call

Z1, A1 = real("z1", D, low=-1, high=1), real("a1", D, low=-2, high=2)
EARLY, LATE = real("t0", low=-0.25, high=0), real("t1", low=0.25, high=0.5)
early, late, z1, a1 = symbols_of((EARLY, LATE, Z1, A1))
back = early - late


def _single(points, slopes, begin):
    return points[s, i], begin + back * Sum(a[s, j] * slopes[s * 0 + j, i], (j, 0, s - 1))


def _stepped(slopes, begin):
    return begin + back * Sum(b[s] * slopes[s, i], (s, 0, S - 1))


def _at_stage(component):
    return z_point[s, component]


def _times_stage(component):
    return adj_point[s, component]


_WHEN = late + c[s] * back
AUGMENTED = Claim(
    id="adjoint.dynamics.augmented",
    section="2.3.2",
    title="State, adjoint and gradient are one system, solved from t1 to t0",
    kind="equality",
    subject="ode.adjoint_backward",
    driver="adjoint_backward",
    structure=(METHODS, PROBLEMS),
    inputs=(EARLY, LATE, Z1, A1, PARAMETERS),
    program=Program(
        (
            _single(z_point, z_slope, z1[i]),
            _single(adj_point, adj_slope, a1[i]),
            (z_slope[s, i], velocity(i, _WHEN, _at_stage)),
            (adj_slope[s, i], -pulled(i, _WHEN, _at_stage, _times_stage)),
            (g_slope[s, i], -pulled(i, _WHEN, _at_stage, _times_stage, "parameters")),
        ),
        (
            Output("z0", _stepped(z_slope, z1[i]), (i, 0, D - 1)),
            Output("a0", _stepped(adj_slope, a1[i]), (i, 0, D - 1)),
            Output("grad_theta", _stepped(g_slope, 0), (i, 0, D - 1)),
        ),
    ),
    statement=Eq(Function("a")(early), Symbol("x")),
    derivation=lambda: None,
    variants=(
        Variant(
            "Jacobian not transposed", "notes: a row read as a column",
            ((adj_slope[s, i], -pushed(i, _WHEN, _at_stage, _times_stage)),), printed=True,
        ),
        Variant("gradient with the other sign", "known bug", ((g_slope[s, i], pulled(i, _WHEN, _at_stage, _times_stage, "parameters")),)),
        Variant("gradient from the state at t1 alone", "known bug", ((g_slope[s, i], -pulled(i, _WHEN, lambda m: z1[m], _times_stage, "parameters")),)),
        Variant("time runs the wrong way", "known bug", tuple((lhs, rhs.subs(c[s], -c[s])) for lhs, rhs in ((z_slope[s, i], velocity(i, _WHEN, _at_stage)), (adj_slope[s, i], -pulled(i, _WHEN, _at_stage, _times_stage))))),
    ),
    options={"rhs": shown()},
)  # fmt: skip

CLAIMS = (INITIAL, PARAMETER, STATE_CLAIM, DYNAMICS, AUGMENTED)
