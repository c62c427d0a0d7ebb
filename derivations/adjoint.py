"""The adjoint method: what a(t) is, and the equations that carry it back (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import (
    Abs,
    Eq,
    Function,
    IndexedBase,
    KroneckerDelta,
    Matrix,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    symbols,
    zeros,
)

from gnomon.derivations.initial_value import (
    HOST_WIDTH,
    PARAMETERS,
    PARTIALS,
    PROBLEMS,
    VARIABLES,
    D,
    a,
    b,
    c,
    cases,
    i,
    j,
    l,
    n,
    pulled,
    q,
    s,
    shown,
    theta,
    velocity,
)
from gnomon.derivations.trees import RK4, THREE_EIGHTHS, Tableau, entry, entry_of
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "2.3.2"
READ_AS_COLUMN = "notes: a row read as a column"
width = HOST_WIDTH.symbol
S = Symbol("S", integer=True, positive=True)
_STAGES = {"euler": 1, "rk4": 4}


def methods(*names: str, **more: Any) -> Choice:
    """A choice among methods, by the number of their stages; ``more`` binds a function for each of them."""
    bound = {name: {Function(function): meanings[name] for function, meanings in more.items()} for name in names}
    return Choice("method", {name: {S: _STAGES[name], **bound[name]} for name in names})


def coefficients(four: Tableau = RK4) -> tuple[tuple[Any, Any], ...]:
    """``a``, ``b`` and ``c`` of Euler's method if there is one stage, and of ``four`` if there are four."""
    weights = Piecewise((1, Eq(S, 1)), *entry(four.b, s).args, evaluate=False)
    return (a[s, j], entry_of(four.a, s, j)), (b[s], weights), (c[s], entry(four.c, s))


OTHER_RK4 = Variant('the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", coefficients(THREE_EIGHTHS))


# the first is looked at in every run, and more can go wrong in four stages than in one
METHODS = methods("rk4", "euler")


def pushed(index: Any, time: Any, state: Any, by: Any) -> Any:
    """Component ``index`` of the Jacobian times the column ``by``: what one transposition too many makes of it."""
    args = (time, *(state(component) for component in range(D)), *(theta[place] for place in range(D)))
    columns = list(enumerate(VARIABLES[1 : 1 + D]))
    return cases([sum(PARTIALS[row, name](*args) * by(place) for place, name in columns) for row in range(D)], index)


# ---------------------------------------------------------------- why: in any dimension

dim, e = Symbol("d", integer=True, positive=True), Symbol("epsilon", real=True)
J, R_, row, wave, force = (IndexedBase(name, real=True) for name in ("J", "R", "a", "v", "F"))
_CARRIED = -Sum(row[j] * J[j, i], (j, 0, dim - 1))
_MOVED = Sum(J[i, j] * wave[j], (j, 0, dim - 1))
_TRANSPOSED = -Sum(J[i, j] * row[j], (j, 0, dim - 1))


def limit_steps() -> tuple[Step, ...]:
    """The equation of the adjoint, from what a short time does to the state."""
    rest = Sum(row[j] * R_[j, i], (j, 0, dim - 1))
    short = KroneckerDelta(i, j) + e * J[j, i] + e**2 * R_[j, i]
    earlier = row[i] + e * Sum(row[j] * J[j, i], (j, 0, dim - 1)) + e**2 * rest
    return (
        define(row[i], Function("dL/dz_i")(Symbol("t")), why="the gradient of the loss by the state at the time t"),
        Step(
            "collapse",
            Sum(row[j] * short, (j, 0, dim - 1)),
            earlier,
            why="the chain rule over a time epsilon: dz_j/dz_i is 1 + epsilon J, up to a term in epsilon**2",
        ),
        Step("rewrite", (row[i] - earlier) / e, _CARRIED - e * rest, why="the quotient of differences of a"),
        Step(
            "limit",
            _CARRIED - e * rest,
            _CARRIED,
            why="so that da/dt = -J^T a",
            by=(e, 0),
            wrong=(_TRANSPOSED,),
        ),
    )


def invariant_step(rate: Any = None, words: str = "") -> Step:
    """The rate of a . v along a solution, where dv/dt = J v, or J v + rate."""
    total = Sum(_CARRIED * wave[i], (i, 0, dim - 1)) + Sum(row[i] * (_MOVED + (rate or 0)), (i, 0, dim - 1))
    return Step(
        "rewrite",
        total,
        Rational(0) if rate is None else Sum(row[i] * rate, (i, 0, dim - 1)),
        why="the rate of a . v, with da/dt = -J^T a " + (words or "and dv/dt = J v"),
        wrong=(Sum(row[i] * wave[i], (i, 0, dim - 1)),),
    )


# ---------------------------------------------------------------- linear systems

STATES = Size("d", 2, 4)
d = STATES.symbol
ONE, MATRIX = real("y0", STATES, low=-1, high=1), real("A", STATES, STATES, low=-2, high=2)
COST, VARIATION = real("c", STATES, low=-2, high=2), real("v", STATES, low=-2, high=2)
A, cost, v = MATRIX.symbol, COST.symbol, VARIATION.symbol
adj, adj_k, dz, dz_k = (IndexedBase(name, real=True) for name in ("a_", "a_k", "dz", "dz_k"))
N = Symbol("N", integer=True, positive=True)


def _steps(now: Any, slopes: Any, product: Any, begin: Any) -> tuple[tuple[Any, Any], ...]:
    """Steps of the classical method on a linear system; ``product(i, x)`` is what its matrix makes of x."""
    share = Piecewise((0, Eq(s, 0)), (1, Eq(s, 3)), (Rational(1, 2), True))
    slope = Piecewise((0, Eq(s, 0)), (slopes[n, s - 1, l], True))
    average = sum(weight * slopes[n - 1, stage, i] for stage, weight in enumerate((1, 2, 2, 1))) / 6
    return (
        (slopes[n, s, i], product(i, lambda place: (now[n, l] + width * share * slope).subs(l, place))),
        (now[n, i], Piecewise((begin, Eq(n, 0)), (now[n - 1, i] + width * average, True))),
    )


def times(low: int = 0) -> Any:
    """A x; with ``low=1`` only what lies above the diagonal."""
    return lambda index, x: Sum(A[index, q] * x(q), (q, index + 1 if low else 0, d - 1))


def transposed(low: int = 0) -> Any:
    """The transpose of A times x."""
    return lambda index, x: Sum(A[q, index] * x(q), (q, 0, index - 1 if low else d - 1))


def _negated(product: Any) -> Any:
    return lambda index, x: -product(index, x)


def _options(low: int, steps: Any) -> dict[str, Any]:
    state = IndexedBase("y", real=True)
    return {
        "rhs": Output("slope", times(low)(i, lambda place: state[place]), (i, 0, d - 1)),
        "times": Output("t", n * steps * width, (n, 0, 1)),
        "loss": Output("loss", Sum(cost[i] * state[1, i], (i, 0, d - 1))),
        "method": "rk4",
        "step_size": "h",
    }


def state_proof() -> Derivation:
    B, x, u = (IndexedBase(name, real=True) for name in ("B", "x", "u"))
    last = dim - 1
    return Derivation(
        (
            invariant_step(),
            Step(
                "rewrite",
                Sum(Sum(B[j, i] * x[j], (j, 0, last)) * u[i], (i, 0, last)),
                Sum(x[i] * Sum(B[i, j] * u[j], (j, 0, last)), (i, 0, last)),
                why="steps of a method keep it too, where f is linear: what a factor of its polynomial in A does to "
                "v, the transposed factor does to a",
                wrong=(Sum(x[i] * Sum(B[j, i] * u[j], (j, 0, last)), (i, 0, last)),),
            ),
        ),
        lift="pointwise",
    )


GRAD = IndexedBase("grad_y0", real=True)
_SEEN, _CHANGE = Sum(GRAD[i] * v[i], (i, 0, d - 1)), Sum(cost[i] * dz[N, i], (i, 0, d - 1))
STATE = Claim(
    id="adjoint.state",
    section=SECTION,
    title="a(t) is the gradient of the loss by the state at t: a(t) . v(t) is constant for every variation v",
    kind="invariance",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=(STATES, Size("N", 1, 3)),
    inputs=(HOST_WIDTH, ONE, MATRIX, COST, VARIATION),
    program=Program(
        (*_steps(adj, adj_k, transposed(), cost[i]), *_steps(dz, dz_k, times(), v[i])),
        (Output("grad_y0", adj[N, i], (i, 0, d - 1)),),
    ),
    statement=Eq(_SEEN, _CHANGE),
    relation=Relation(Abs(_SEEN - _CHANGE), "<=", Rational(0)),
    conditions=("f is linear, dz/dt = A z",),
    derivation=state_proof,
    variants=(
        Variant("Jacobian not transposed", READ_AS_COLUMN, _steps(adj, adj_k, times(), cost[i])[:1], printed=True),
        Variant("the gradient at the end", "known bug: not solved back", ((adj_k[n, s, i], 0 * cost[i]),)),
        Variant("the sign of the state", "known bug", _steps(adj, adj_k, _negated(transposed()), cost[i])[:1]),
    ),
    options=_options(0, N),
    remarks="v(t) is the difference of two neighbouring solutions; v(t0) is the input v. The loss is c . z(t1).",
)

term = IndexedBase("term", real=True)
TAYLOR = (
    (term[q, i], Piecewise((cost[i], Eq(q, 0)), (width / q * Sum(A[l, i] * term[q - 1, l], (l, 0, i - 1)), True))),
    (adj[i], Sum(term[q, i], (q, 0, d - 1))),
)


def dynamics_proof() -> Derivation:
    size, time = 4, Symbol("t", real=True)
    upper = Matrix(size, size, lambda r, c: Symbol(f"A{r}{c}", real=True) if c > r else 0)
    end = Matrix(symbols(f"c:{size}", real=True))
    terms = [end]
    for power in range(1, size):
        terms.append(time * upper.T * terms[-1] / power)
    exact = sum(terms, zeros(size, 1))
    slopes: list[Any] = []
    for share in (0, Rational(1, 2), Rational(1, 2), 1):
        slopes.append(upper.T * (end + time * share * (slopes[-1] if slopes else zeros(size, 1))))
    return Derivation(
        (
            *limit_steps(),
            Step(
                "differentiate",
                tuple(exact),
                tuple(upper.T * exact),
                why="with nothing on or below the diagonal of A, what solves it backwards is a polynomial: four "
                "terms of exp",
                by=(time,),
                wrong=(tuple(upper * exact),),
            ),
            Step(
                "rewrite",
                tuple(end + time * sum(((1, 2, 2, 1)[k] * slopes[k] for k in range(4)), zeros(size, 1)) / 6),
                tuple(exact),
                why="and one step of the classical method has all of them",
            ),
        ),
        "every dimension; the closed form for d = 4, which holds the smaller ones",
    )


DYNAMICS = Claim(
    id="adjoint.dynamics",
    section=SECTION,
    title="The adjoint obeys da/dt = -(∂f/∂z)ᵀ a",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=(STATES,),
    inputs=(HOST_WIDTH, ONE, MATRIX, COST),
    program=Program(_steps(adj, adj_k, transposed(1), cost[i]), (Output("grad_y0", adj[1, i], (i, 0, d - 1)),)),
    definition=Program(TAYLOR, (Output("grad_y0", adj[i], (i, 0, d - 1)),)),
    statement=Eq(Function("a'_i")(Symbol("t")), _CARRIED),
    conditions=("f is continuously differentiable, J is its Jacobian", "A is zero on and below its diagonal"),
    derivation=dynamics_proof,
    gradient=False,
    variants=(
        Variant(
            "Jacobian not transposed",
            READ_AS_COLUMN,
            _steps(adj, adj_k, times(1), cost[i])[:1],
            printed=True,
            why="The notes' formula is right for a row; read for a column, A = [[0, 1], [0, 0]] takes (1, 0) to (1, "
            "0), not to (1, 1).",
        ),
        Variant("the sign of the state", "known bug", _steps(adj, adj_k, _negated(transposed(1)), cost[i])[:1]),
        Variant(
            "the symmetric part of the Jacobian",
            "known bug",
            _steps(adj, adj_k, lambda r, x: (transposed(1)(r, x) + times(1)(r, x)) / 2, cost[i])[:1],
        ),
    ),
    options=_options(1, 1),
    remarks="With nothing on or below the diagonal exp(hAᵀ) is a polynomial, which one step of order 4 reaches "
    "exactly. The gradient is not differentiated again.",
)

# ---------------------------------------------------------------- the three equations in one call

EARLY, LATE = real("t0", low=-0.25, high=0), real("t1", low=0.25, high=0.5)
Z1, A1 = real("z1", D, low=-1, high=1), real("a1", D, low=-2, high=2)
early, late, z1, a1 = symbols_of((EARLY, LATE, Z1, A1))
z_point, z_slope, a_point, a_slope, g_slope = (
    IndexedBase(name, real=True) for name in ("z_point", "z_slope", "a_point", "a_slope", "g_slope")
)
_back, _when = early - late, late + c[s] * (early - late)


def _z(component: Any) -> Any:
    return z_point[s, component]


def _a(component: Any) -> Any:
    return a_point[s, component]


def _point(points: Any, slopes: Any, begin: Any) -> tuple[Any, Any]:
    return points[s, i], begin + _back * Sum(a[s, j] * slopes[j, i], (j, 0, s - 1))


def _moved(slopes: Any, begin: Any) -> Any:
    return begin + _back * Sum(b[s] * slopes[s, i], (s, 0, S - 1))


def augmented_proof() -> Derivation:
    return Derivation((*limit_steps(), invariant_step(force[i], "and dv/dt = J v + ∂f/∂θ")), lift="pointwise")


AUGMENTED = Claim(
    id="adjoint.dynamics.augmented",
    section=SECTION,
    title="State, adjoint and gradient are one system of equations, solved from t1 to t0",
    kind="equality",
    subject="ode.adjoint_backward",
    driver="adjoint_backward",
    structure=(METHODS, PROBLEMS),
    inputs=(EARLY, LATE, Z1, A1, PARAMETERS),
    program=Program(
        (
            *coefficients(),
            _point(z_point, z_slope, z1[i]),
            _point(a_point, a_slope, a1[i]),
            (z_slope[s, i], velocity(i, _when, _z)),
            (a_slope[s, i], -pulled(i, _when, _z, _a)),
            (g_slope[s, i], -pulled(i, _when, _z, _a, "parameters")),
        ),
        (
            Output("z0", _moved(z_slope, z1[i]), (i, 0, D - 1)),
            Output("a0", _moved(a_slope, a1[i]), (i, 0, D - 1)),
            Output("grad_theta", _moved(g_slope, 0), (i, 0, D - 1)),
        ),
    ),
    statement=(
        Eq(Function("z'")(Symbol("t")), Function("f")(Symbol("z"))),
        Eq(Function("a'_i")(Symbol("t")), _CARRIED),
        Eq(Function("g'_i")(Symbol("t")), -Sum(row[j] * force[j, i], (j, 0, dim - 1))),
    ),
    conditions=("f is continuously differentiable", "J and F are its Jacobians by the state and by the parameters"),
    derivation=augmented_proof,
    variants=(
        OTHER_RK4,
        Variant("Jacobian not transposed", READ_AS_COLUMN, ((a_slope[s, i], -pushed(i, _when, _z, _a)),), printed=True),
        Variant(
            "gradient with the other sign", "known bug", ((g_slope[s, i], pulled(i, _when, _z, _a, "parameters")),)
        ),
        Variant(
            "gradient from the state at t1 alone",
            "known bug",
            ((g_slope[s, i], -pulled(i, _when, lambda component: z1[component], _a, "parameters")),),
        ),
        Variant(
            "time runs on where the state runs back",
            "known bug",
            (
                (z_slope[s, i], velocity(i, late - c[s] * _back, _z)),
                (a_slope[s, i], -pulled(i, late - c[s] * _back, _z, _a)),
            ),
        ),
    ),
    options={"rhs": shown()},
    remarks="One step of each method: what several steps add is in adjoint.initial_gradient and "
    "adjoint.param_gradient.",
)

CLAIMS = (STATE, DYNAMICS, AUGMENTED)
