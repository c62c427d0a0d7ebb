"""Where the adjoint method errs: its gap to backpropagation, bounds on its gradients, the way back (2.3.2).

All on ``dz/dt = rate z``, whose solution is known, with N steps of size h; z below is rate h.
"""

from __future__ import annotations

from typing import Any

from sympy import (
    Abs,
    Eq,
    Function,
    IndexedBase,
    Integer,
    Lambda,
    Le,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    exp,
    factorial,
    false,
)

from gnomon.derivations.adjoint import SECTION, S, coefficients, methods
from gnomon.derivations.initial_value import HOST_WIDTH, N, a, b, i, j, n, s, y
from gnomon.derivations.solver_order import lagrange, telescope
from gnomon.derivations.trees import RK4, THREE_EIGHTHS, Tableau, stability
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, real, symbols_of

MANY = Size("N", 1, 6)
INPUTS = (HOST_WIDTH, real("y0", 1, low=-2, high=2), real("rate", low=-2, high=2), real("c", low=-2, high=2))
width, start, rate, cost = symbols_of(INPUTS)
z, first = rate * width, start[0]
GRAD_RATE, GRAD_Y0 = Symbol("grad_rate", real=True), IndexedBase("grad_y0", real=True)
OPTIONS = {
    "rhs": Output("slope", rate * IndexedBase("y", real=True)[i], (i, 0, 0)),
    "times": Output("t", n * N * width, (n, 0, 1)),
    "loss": Output("loss", cost * y[1, 0]),
    "step_size": "h",
}

# ---------------------------------------------------------------- the solve ahead and the solve back

state, back, adj, grad = (IndexedBase(name, real=True) for name in ("state", "back", "adj", "grad"))
state_k, back_p, back_k, adj_p, adj_k, grad_k = (
    IndexedBase(name, real=True) for name in ("state_k", "back_p", "back_k", "adj_p", "adj_k", "grad_k")
)


def within(now: Any, slopes: Any, sign: int) -> Any:
    """The state of a stage."""
    return now[n] + sign * width * Sum(a[s, j] * slopes[n, j], (j, 0, s - 1))


def moved(now: Any, slopes: Any, begin: Any, sign: int) -> tuple[Any, Any]:
    """The definition of ``now`` by steps along its slopes."""
    after = now[n - 1] + sign * width * Sum(b[s] * slopes[n - 1, s], (s, 0, S - 1))
    return now[n], Piecewise((begin, Eq(n, 0)), (after, True))


AHEAD = ((state_k[n, s], rate * within(state, state_k, 1)), moved(state, state_k, first, 1))
STATE_BACK = (
    (back_p[n, s], within(back, back_k, -1)),
    (back_k[n, s], rate * back_p[n, s]),
    moved(back, back_k, state[N], -1),
)
ADJOINT_BACK = (
    (adj_p[n, s], within(adj, adj_k, -1)),
    (adj_k[n, s], -rate * adj_p[n, s]),
    moved(adj, adj_k, cost, -1),
    (grad_k[n, s], -adj_p[n, s] * back_p[n, s]),
    moved(grad, grad_k, Integer(0), -1),
)
"""State, adjoint and gradient on the way back; here n counts the steps of each from where it starts."""
STAYS = Variant("the state stays where it ends", "known bug", ((back_k[n, s], Integer(0)),))
OTHER_SIGN = Variant("the other sign", "known bug: limits exchanged", ((grad_k[n, s], adj_p[n, s] * back_p[n, s]),))


def _claim(
    id: str, title: str, names: Any, output: Output, relation: Relation, proof: Any, variants: Any, words: str
) -> Claim:
    return Claim(
        id=id,
        section=SECTION,
        title=title,
        kind="order",
        subject="ode.odeint_adjoint",
        driver="adjoint",
        structure=(methods(*names), MANY),
        inputs=INPUTS,
        program=Program((*coefficients()[:2], *AHEAD, *STATE_BACK, *ADJOINT_BACK), (output,)),
        statement=Le(relation.lhs, relation.rhs),
        relation=relation,
        derivation=proof,
        variants=variants,
        options=OPTIONS,
        remarks=words,
    )


# ---------------------------------------------------------------- the gap

_DISCRETE = cost * N * width * (1 + z) ** (N - 1) * first


def _gap(power: int) -> Relation:
    near = Abs(z) ** power * N + (1 + Abs(z)) * z**2 * N * (N - 1) / 2
    bound = Abs(cost * first) * width * (1 + Abs(z)) ** (N - 1) * near
    return Relation(Abs(GRAD_RATE - _DISCRETE), "<=", bound)


def gap_proof() -> Derivation:
    x, q, begin = Symbol("z", real=True), Symbol("q", positive=True), Symbol("x0", real=True)
    values = IndexedBase("x", real=True)
    total = Symbol("G", real=True)  # the mean of the factors (1 - z**2)**m
    factor = Symbol("R", real=True)
    return Derivation(
        (
            Step(
                "induction",
                Eq(values[n], factor * values[n - 1]),
                begin * factor**n,
                why="ahead the state is multiplied by 1 + z at each step, back by 1 - z; the adjoint, back, by 1 + z",
                by=(n, 0, begin),
            ),
            Step(
                "differentiate",
                (1 + rate * width) ** N,
                N * width * (1 + rate * width) ** (N - 1),
                why="the gradient of the computed state",
                by=(rate,),
            ),
            Step(
                "rewrite",
                (1 + x) ** N * total - N * (1 + x) ** (N - 1),
                (1 + x) ** (N - 1) * (N * x + (1 + x) * (total - N)),
                why="the gap, with G for the sum over the N steps back of (1 + z)**m (1 - z)**m",
            ),
            cite("Bernoulli's inequality: (1 - z**2)**m is at least 1 - m z**2, and at most 1, for |z| <= 1"),
            Step(
                "sum",
                Sum(j * x**2, (j, 0, N - 1)),
                x**2 * N * (N - 1) / 2,
                why="so that G is N, but for this at most",
            ),
            Step(
                "refute",
                Eq(q * x, 0),
                false,
                why="the first term is there from one step on: 9/4 instead of 3/2, at z = 1/2",
                by=({q: Rational(3, 2), x: Rational(1, 2)},),
            ),
        ),
        "every number of steps",
    )


GAP = _claim(
    "adjoint.direct_backprop_claims.gap",
    "The adjoint's gradient is off that of the computed loss by a term of the order of the step",
    ("euler",),
    Output("grad_rate", grad[N]),
    _gap(1),
    gap_proof,
    (
        Variant(
            "no gap",
            "notes: 'introduces numerical error', read as an advantage of the adjoint",
            relation=Relation(Abs(GRAD_RATE - _DISCRETE), "<=", Integer(0)),
            printed=True,
        ),
        Variant("a gap of second order", "wrong claim", relation=_gap(2)),
        STAYS,
        OTHER_SIGN,
    ),
    "For rate = 1/2, L = z²/2 and N = 16, 32, 64, 128 steps over one unit of time it is 0.062, 0.031, 0.016, 0.0079.",
)

# ---------------------------------------------------------------- closed forms, and what the steps may leave out

REMAINDER = N * Abs(z) ** 5 / 120 * exp(N * Abs(z))  # of the adjoint: |R(z)**N - exp(N z)|
RETURN = (1 + z**6 / 72 + z**8 / 576) ** N  # of the state: R(z) R(-z), N times
QUADRATURE = z**4 / 36 + z**6 / 72  # of the integral of a(t) z(t), which is constant: at most, of two methods


def _quadrature(method: Tableau, x: Any) -> Any:
    """What a step back gathers of a(t) z(t), where the stages have multiplied a by R_i(x) and z by R_i(-x)."""
    factors = [
        [stability(Tableau(method.a[:stage], method.a[stage]), sign * x) for stage in range(method.stages)]
        for sign in (1, -1)
    ]
    return sum(weight * ahead * behind for weight, ahead, behind in zip(method.b, *factors, strict=True))


def initial_proof() -> Derivation:
    x = Symbol("z", real=True)
    return Derivation(
        (
            Step(
                "rewrite",
                stability(RK4, x),
                sum(x**power / factorial(power) for power in range(5)),
                why="what a step back makes of the adjoint, with z = rate h",
            ),
            lagrange(5),
            telescope(),
            Step(
                "rewrite",
                N * exp((N - 1) * Abs(x)) * Abs(x) ** 5 / 120 * exp(Abs(x)),
                N * Abs(x) ** 5 / 120 * exp(N * Abs(x)),
                why="N errors, each at most the remainder, carried by N - 1 factors of at most exp(|z|)",
                wrong=(N * Abs(x) ** 6 / 720 * exp(N * Abs(x)),),
            ),
        ),
        "every number of steps",
    )


def parameter_proof() -> Derivation:
    x, end, way, short = (Symbol(name, real=True) for name in ("z", "r_end", "r_way", "short"))
    return Derivation(
        (
            *initial_proof().steps,
            Step(
                "rewrite",
                _quadrature(RK4, x),
                1 - x**4 / 48 - x**6 / 96,
                why="a(t) z(t) is constant, but the stages do not multiply a and z by opposite factors",
                wrong=(Rational(1),),
            ),
            Step(
                "rewrite",
                _quadrature(THREE_EIGHTHS, x),
                1 - x**4 / 36 - x**6 / 72,
                why="nor do those of the 3/8 rule, for which some say rk4: the bound is for both",
            ),
            Step(
                "rewrite",
                stability(RK4, x) * stability(RK4, -x),
                1 + x**6 / 72 + x**8 / 576,
                why="and so they are by a whole step",
                wrong=(Rational(1),),
            ),
            Step(
                "rewrite",
                end * way * (1 - short) - 1,
                (end - 1) * way * (1 - short) + (way - 1) * (1 - short) - short,
                why="three errors add up: of the adjoint at the end, of the state on the way, of the quadrature",
            ),
        ),
        "every number of steps",
    )


def _bounded(observed: Any, truth: Any, bound: Any) -> Relation:
    return Relation(Abs(observed - truth), "<=", bound)


_TRUTH = cost * first * N * width * exp(N * z)
_BOUND = Abs(cost * first) * N * width * (REMAINDER * RETURN + exp(N * z) * (RETURN - 1 + QUADRATURE))
INITIAL_BOUND = _claim(
    "adjoint.initial_gradient.bound",
    "The gradient by the initial state is exp(rate (t1 - t0)) times that at the end, up to the steps' remainders",
    ("rk4",),
    Output("grad_y0", adj[N], (i, 0, 0)),
    _bounded(GRAD_Y0[0], cost * exp(N * z), Abs(cost) * REMAINDER),
    initial_proof,
    (
        Variant(
            "one order better",
            "wrong claim",
            relation=_bounded(GRAD_Y0[0], cost * exp(N * z), Abs(cost) * REMAINDER * Abs(z) / 6),
        ),
        Variant("not solved back", "known bug", ((adj_k[n, s], Integer(0)),)),
        Variant("adjoint with the sign of the state", "known bug", ((adj_k[n, s], rate * adj_p[n, s]),)),
    ),
    "Every method of order 4 has the same bound here, whatever its stages.",
)
PARAMETER_BOUND = _claim(
    "adjoint.param_gradient.bound",
    "The gradient by the rate is (t1 - t0) a(t1) z(t1), up to the steps' remainders",
    ("rk4",),
    Output("grad_rate", grad[N]),
    _bounded(GRAD_RATE, _TRUTH, _BOUND),
    parameter_proof,
    (
        Variant("one order better", "wrong claim", relation=_bounded(GRAD_RATE, _TRUTH, _BOUND * Abs(z) / 6)),
        OTHER_SIGN,
        STAYS,
    ),
    "The bound is for |z| <= 1, where the weights of the quadrature stay between 0 and 1.",
)

# ---------------------------------------------------------------- the way back

FACTOR = Function("factor")
_x = Symbol("x", real=True)
ROUND_TRIP = {"euler": 1 - _x**2, "rk4": 1 + _x**6 / 72 + _x**8 / 576}


def recompute_proof() -> Derivation:
    x, first_, factor = Symbol("z", real=True), Symbol("x0", real=True), Symbol("F", real=True)
    values = IndexedBase("x", real=True)
    return Derivation(
        (
            Step("rewrite", (1 + x) * (1 - x), 1 - x**2, why="a step of Euler's method ahead and one back"),
            Step(
                "rewrite",
                stability(RK4, x) * stability(RK4, -x),
                1 + x**6 / 72 + x**8 / 576,
                why="and of the classical method",
                wrong=(Rational(1),),
            ),
            Step(
                "induction",
                Eq(values[n], factor * values[n - 1]),
                first_ * factor**n,
                why="N steps there and back are N such factors, in whatever order",
                by=(n, 0, first_),
            ),
            Step(
                "refute",
                Eq((1 - x**2) ** 20, 1),
                false,
                why="dz/dt = -10 z with 20 steps of 1/20: the state comes back as 0.0032 of what it was",
                by=({x: Rational(-1, 2)},),
            ),
        ),
        "every number of steps",
    )


RECOMPUTE = Claim(
    id="adjoint.recompute",
    section=SECTION,
    title="A state recomputed backwards is not the one that the solve ahead passed through",
    kind="equality",
    subject="ode.odeint",
    driver="ode_round_trip",
    structure=(methods("euler", "rk4", factor={name: Lambda(_x, body) for name, body in ROUND_TRIP.items()}), MANY),
    inputs=INPUTS[:3],
    program=Program((*coefficients()[:2], *AHEAD, *STATE_BACK), (Output("back", back[N], (i, 0, 0)),)),
    definition=Program((), (Output("back", first * FACTOR(z) ** N, (i, 0, 0)),)),
    statement=Eq(back[N], first * FACTOR(z) ** N),
    derivation=recompute_proof,
    variants=(
        Variant(
            "the initial state itself",
            "notes: we can simply recompute z(t) backwards in time",
            ((back[n], first),),
            printed=True,
            why="For Euler's method the factor is (1 - z²)^N: with z = -1/2 and N = 20 the state comes back as 0.0032.",
        ),
        Variant("ahead again", "known bug: the time does not fall", (moved(back, back_k, state[N], 1),)),
    ),
    options={name: OPTIONS[name] for name in ("rhs", "times", "step_size")},
    remarks="Where f contracts, an error comes back exp(|rate| (t1 - t0)) times as large. Checkpoints avoid it.",
)

CLAIMS = (GAP, INITIAL_BOUND, PARAMETER_BOUND, RECOMPUTE)
