"""What the adjoint method costs and where it errs: other gradients, bounds on its error, the way back, memory (2.3.2)."""

from sympy import (
    Abs, Eq, Function, IndexedBase, Integer, Lambda, Le, Piecewise, Sum, Symbol, exp,
)  # fmt: skip

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivations.adjoint import METHODS, S, methods
from gnomon.derivations.initial_value import (
    DIRECTION, GRID, HOST_GRID, HOST_START, HOST_TIMES, HOST_WIDTH, PARAMETERS, PROBLEMS, START, STATE, STEPS, TIMES,
    D, N, a, b, c, cases, i, j, k, n, point, pulled, s, shown, stages, step, t, velocity, y, y0,
)  # fmt: skip
from gnomon.derivations.trees import EULER, RK4
from gnomon.domain import Choice, Domain, Size, positive, real, symbols_of

start, width = HOST_START.symbol, HOST_WIDTH.symbol

# ---------------------------------------------------------------- the objective

TWO = Size("N", 2, 2)
# steps so small that the state after t1, which the loss does not see, cannot overflow: its gradient would be 0 times infinity
HORIZON = (START, real("h", TWO, low=0.0625, high=0.25), STATE, PARAMETERS, real("w", D, low=-2, high=2))
weights = HORIZON[-1].symbol


def loss_at(index):
    return Symbol("loss"), Sum(weights[i] * y[index, i] + y[index, i] ** 2 / 2, (i, 0, D - 1))


OBJECTIVE = Claim(
    id="adjoint.objective",
    section="2.3.2",
    title="The loss is of the state at t1, which a solver reaches from z(t0), f, t0, t1 and the parameters",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=(TWO, METHODS, PROBLEMS, DIRECTION),
    inputs=HORIZON,
    program=Program((*GRID, *stages(S), loss_at(1)), (Output("loss", Symbol("loss")),)),
    statement=Eq(Function("L")(Function("z")(Symbol("t1"))), Function("L")(Function("ODESolve")(*(Symbol(x) for x in "z(t0) f t0 t1 theta".split())))),
    derivation=lambda: None,
    variants=(
        Variant("solved to T instead of t1", "notes", (loss_at(2),), printed=True, why="The notes write t1 on the left and T on the right; they agree if T = t1."),
        Variant("f left out", "notes: ODESolve(z(t0), t0, T, theta)", ((k[n, s, i], 0 * velocity(i, t[n], lambda m: point[n, s, m])),), printed=True),
    ),
    options={"rhs": shown(), "times": TIMES, "loss": Output("loss", loss_at(1)[1])},
)  # fmt: skip

# ---------------------------------------------------------------- the gradient of the steps themselves

WEIGHTS = real("w", N + 1, D, low=-2, high=2)
w = WEIGHTS.symbol
lam, by = IndexedBase("lam", real=True), IndexedBase("by", real=True)
EACH = Output("loss", Sum(w[n, i] * y[n, i] + y[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N)))


def _at(index):
    return lambda component: y[index, component]


def _carried(wrt, where, state):
    """What one step of Euler's method hands back of the cotangent after it."""
    return step[n] * pulled(i, t[where], _at(state), lambda row: lam[n + 1, row], wrt)


def _backprop(where, state):
    jump = w[n, i] + y[n, i]
    return (
        (lam[n, i], Piecewise((jump, Eq(n, N)), (jump + lam[n + 1, i] + _carried("state", where, state), True))),
        (by[n, i], Piecewise((0, Eq(n, N)), (by[n + 1, i] + _carried("parameters", where, state), True))),
    )


BACKPROP = Claim(
    id="adjoint.direct_backprop_claims",
    section="2.3.2",
    title="Backpropagation through the steps is the exact gradient of the loss that was computed",
    kind="equality",
    subject="ode.odeint",
    driver="ode_gradient",
    structure=(STEPS, PROBLEMS, DIRECTION),
    inputs=(HOST_START, HOST_WIDTH, STATE, PARAMETERS, WEIGHTS),
    program=Program(
        (
            *HOST_GRID,
            (y[n, i], Piecewise((y0[i], Eq(n, 0)), (y[n - 1, i] + step[n - 1] * velocity(i, t[n - 1], _at(n - 1)), True))),
            *_backprop(n, n),
        ),
        (Output("grad_y0", lam[0, i], (i, 0, D - 1)), Output("grad_theta", by[0, i], (i, 0, D - 1))),
    ),
    statement=Eq(lam[n, i], lam[n + 1, i] + step[n] * Function("J")(t[n], y[n]) * lam[n + 1, i]),
    derivation=lambda: None,
    gradient=False,
    variants=(
        Variant(
            "the adjoint's gradient",
            "notes: that backpropagation errs and the adjoint does not",
            _backprop(n + 1, n + 1),
            printed=True,
            why="It is the gradient of the differential equation, up to the error of its steps, not of what was computed.",
        ),
        Variant("the loss of the last state alone", "known bug", ((lam[n, i], _backprop(n, n)[0][1].args[0][0] * Piecewise((1, Eq(n, N)), (0, True)) + Piecewise((0, Eq(n, N)), (lam[n + 1, i] + _carried("state", n, n), True))),)),
        Variant("Jacobian at the start throughout", "known bug", _backprop(0, 0)),
    ),
    options={"rhs": shown(), "times": HOST_TIMES, "loss": EACH, "method": "euler"},
)  # fmt: skip

# ---------------------------------------------------------------- y' = rate y

MANY = Size("N", 1, 6)
GROWTH = (HOST_WIDTH, real("y0", 1, low=-2, high=2), real("rate", low=-2, high=2), real("c", low=-2, high=2))
_, first, rate, cost = symbols_of(GROWTH)
z = rate * width
state, back, adj, grad = (IndexedBase(name, real=True) for name in ("state", "back", "adj", "grad"))
GRAD_RATE, GRAD_Y0 = Symbol("grad_rate"), IndexedBase("grad_y0", real=True)
ENDS = {
    "rhs": Output("slope", rate * IndexedBase("y", real=True)[i], (i, 0, 0)),
    "times": Output("t", n * N * width, (n, 0, 1)),
    "loss": Output("loss", cost * y[1, 0]),
    "step_size": "h",
}
sk, bp, bk, ap, ak, gk = (IndexedBase(name, real=True) for name in ("k_state", "p_back", "k_back", "p_adj", "k_adj", "k_grad"))


def _moved(now, slopes, sign):
    return now[n - 1] + sign * width * Sum(b[s] * slopes[n - 1, s], (s, 0, S - 1))


def _within(now, slopes, sign):
    return now[n] + sign * width * Sum(a[s, j] * slopes[n, j], (j, 0, s - 1))


THERE = (
    (sk[n, s], rate * _within(state, sk, 1)),
    (state[n], Piecewise((first[0], Eq(n, 0)), (_moved(state, sk, 1), True))),
)
AND_BACK = (
    (bp[n, s], _within(back, bk, -1)),
    (bk[n, s], rate * bp[n, s]),
    (back[n], Piecewise((state[N], Eq(n, 0)), (_moved(back, bk, -1), True))),
    (ap[n, s], _within(adj, ak, -1)),
    (ak[n, s], -rate * ap[n, s]),
    (adj[n], Piecewise((cost, Eq(n, 0)), (_moved(adj, ak, -1), True))),
    (gk[n, s], -ap[n, s] * bp[n, s]),
    (grad[n], Piecewise((0, Eq(n, 0)), (_moved(grad, gk, -1), True))),
)
"""The solve ahead, and the solve back of state, adjoint and gradient; here n counts the steps of each from its start."""
_EXACT = cost * N * width * (1 + z) ** (N - 1) * first[0]


def _gap(power):
    near = Abs(z) ** power * N + (1 + Abs(z)) * z**2 * N * (N - 1) / 2
    return Relation(Abs(GRAD_RATE - _EXACT), "<=", Abs(cost * first[0]) * width * (1 + Abs(z)) ** (N - 1) * near)


GAP = Claim(
    id="adjoint.direct_backprop_claims.gap",
    section="2.3.2",
    title="The adjoint's gradient is off that of the computed loss by a term of the order of the step",
    kind="order",
    subject="ode.odeint_adjoint",
    driver="adjoint",
    structure=(methods("euler"), MANY),
    inputs=GROWTH,
    program=Program((*THERE, *AND_BACK), (Output("grad_rate", grad[N]),)),
    statement=Le(_gap(1).lhs, _gap(1).rhs),
    relation=_gap(1),
    derivation=lambda: None,
    variants=(
        Variant("no gap", "notes: the adjoint has no error", relation=Relation(Abs(GRAD_RATE - _EXACT), "<=", Integer(0)), printed=True),
        Variant("a gap of second order", "wrong claim", relation=_gap(2)),
        Variant("the state kept as it is at its end", "known bug", ((bk[n, s], Integer(0)),)),
        Variant("the other sign", "known bug", ((gk[n, s], ap[n, s] * bp[n, s]),)),
    ),
    options=ENDS,
)  # fmt: skip

# ---------------------------------------------------------------- closed forms, and what the steps may leave out

RELATIVE = N * Abs(z) ** 5 / 120 * exp(N * Abs(z))  # |R(z)^N - exp(Nz)|, by Taylor's theorem
RETURN = (1 + z**6 / 72 + z**8 / 576) ** N  # R(z) R(-z), as often as there are steps
QUADRATURE = z**4 / 48 + z**6 / 96  # what the quadrature of a constant a(t) z(t) is short of 1


def _bounded(id_, title, output, observed, truth, bound, worse, variants):
    relation = Relation(Abs(observed - truth), "<=", bound)
    return Claim(
        id=id_,
        section="2.3.2",
        title=title,
        kind="order",
        subject="ode.odeint_adjoint",
        driver="adjoint",
        structure=(methods("rk4"), MANY),
        inputs=GROWTH,
        program=Program((*THERE, *AND_BACK), (output,)),
        statement=Le(relation.lhs, relation.rhs),
        relation=relation,
        derivation=lambda: None,
        variants=(
            Variant("one order better", "wrong claim", relation=Relation(Abs(observed - truth), "<=", worse)),
            *variants,
        ),
        options=ENDS,
    )


_SIZE = Abs(cost * first[0]) * N * width
INITIAL_BOUND = _bounded(
    "adjoint.initial_gradient.bound",
    "The gradient by the initial state is exp(λ(t1 - t0)) of that at the end, up to the steps' remainders",
    Output("grad_y0", adj[N], (i, 0, 0)),
    GRAD_Y0[0],
    cost * exp(N * z),
    Abs(cost) * RELATIVE,
    Abs(cost) * RELATIVE * Abs(z) / 6,
    (
        Variant("the adjoint not solved back", "known bug", ((ak[n, s], Integer(0)),)),
        Variant("adjoint with the sign of the state", "known bug", ((ak[n, s], rate * ap[n, s]),)),
    ),
)
PARAMETER_BOUND = _bounded(
    "adjoint.param_gradient.bound",
    "The gradient by the rate is (t1 - t0) a(t1) z(t1), up to the steps' remainders",
    Output("grad_rate", grad[N]),
    GRAD_RATE,
    cost * first[0] * N * width * exp(N * z),
    _SIZE * (RELATIVE * RETURN + exp(N * z) * (RETURN - 1 + QUADRATURE)),
    _SIZE * (RELATIVE * RETURN + exp(N * z) * (RETURN - 1 + QUADRATURE)) * Abs(z) / 6,
    (
        Variant("the other sign", "known bug: limits exchanged", ((gk[n, s], ap[n, s] * bp[n, s]),)),
        Variant("the state kept as it is at its end", "known bug", ((bk[n, s], Integer(0)),)),
    ),
)

# ---------------------------------------------------------------- the way back

FACTOR = Function("factor")
_x = Symbol("x", real=True)
ROUND_TRIPS = {"euler": Lambda(_x, 1 - _x**2), "rk4": Lambda(_x, 1 + _x**6 / 72 + _x**8 / 576)}
RECOMPUTE = Claim(
    id="adjoint.recompute",
    section="2.3.2",
    title="A state recomputed backwards is not the one that the solve ahead passed through",
    kind="equality",
    subject="ode.odeint",
    driver="ode_round_trip",
    structure=(methods("euler", "rk4"), MANY),
    inputs=GROWTH[:3],
    program=Program((*THERE, *AND_BACK[:3]), (Output("back", back[N], (i, 0, 0)),)),
    definition=Program((), (Output("back", first[i] * FACTOR(z) ** N, (i, 0, 0)),)),
    statement=Eq(back[N], first[0] * FACTOR(z) ** N),
    derivation=lambda: None,
    variants=(
        Variant(
            "z(t0) itself",
            "notes: we can simply recompute z(t) backwards in time",
            ((back[n], first[0]),),
            printed=True,
            why="For Euler's method the factor is (1 - z²)^N: at z = -1/2 and N = 20 the state comes back as 0.0032.",
        ),
        Variant("ahead again", "known bug: the time does not fall", ((back[n], Piecewise((state[N], Eq(n, 0)), (_moved(back, bk, 1), True))),)),
    ),
    options={name: ENDS[name] for name in ("rhs", "times", "step_size")},
)  # fmt: skip

# ---------------------------------------------------------------- memory

_STATE = IndexedBase("y", real=True)
growth = Symbol("growth", integer=True)
MEMORY = Claim(
    id="adjoint.memory",
    section="2.3.2",
    title="What the adjoint method keeps does not grow with the number of steps",
    kind="equality",
    subject="ode.odeint_adjoint",
    driver="adjoint_memory",
    structure=(Size("N", 2, 8), METHODS),
    inputs=(HOST_START, HOST_WIDTH),
    program=Program(((growth, Integer(0)),), (Output("growth", growth),)),
    statement=Eq(growth, 0),
    derivation=lambda: None,
    gradient=False,
    variants=(
        Variant("one state a step", "backpropagation through the steps", ((growth, D * (N - 1)),)),
        Variant("one state a stage", "backpropagation through the steps", ((growth, D * (N - 1) * S),)),
        Variant("one state for every second step", "checkpoints", ((growth, D * (N - 1) / 2),)),
    ),
    options={
        "rhs": Output("slope", cases([Symbol("t") - _STATE[1], _STATE[0] * _STATE[1]], i), (i, 0, D - 1)),
        "times": Output("t", start + n * width, (n, 0, 1)),
        "loss": Output("loss", Sum(_STATE[1, i] ** 2, (i, 0, D - 1))),
        "step_size": "h",
    },
    remarks="Counted are the numbers that autograd holds at once, through torch.autograd.graph.saved_tensors_hooks, "
    "with N steps and with one. In the dimension of the state and of the parameters memory does grow.",
)

CLAIMS = (OBJECTIVE, BACKPROP, GAP, INITIAL_BOUND, PARAMETER_BOUND, RECOMPUTE, MEMORY)
