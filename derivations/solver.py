"""Solvers with steps of a given size: Euler's method and the classical method of order 4 (2.2)."""

from sympy import (
    Abs, And, Eq, Function, Ge, IndexedBase, Integral, Lambda, Le, Piecewise, Rational, Sum, Symbol, exp, symbols, tanh,
)  # fmt: skip

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivations.initial_value import (
    DIRECTION, GRID, HOST_START, HOST_WIDTH, PARAMETERS, PROBLEMS, SIGN, START, STATE, STEPS, TIMES, WIDTHS,
    D, N, coefficients, h, i, j, k, n, q, s, shown, stages, step, t, t0, trajectory, velocity, y, y0,
)  # fmt: skip
from gnomon.derivations.trees import HEUN, RK4, THREE_EIGHTHS, Tableau, forest, size
from gnomon.domain import Choice, Domain, Size, positive, real, symbols_of

ODE = (START, WIDTHS, STATE, PARAMETERS)
SHAPE = (STEPS, PROBLEMS, DIRECTION)
f_i = Function("f_i")


def at(index):
    """The state at a time of the grid, as the right-hand side asks for it."""
    return lambda component: y[index, component]


# ---------------------------------------------------------------- Euler


def euler(base, time, state=at(n - 1), width=step[n - 1]):
    """The definition of ``y`` by steps of Euler's method from ``base``."""
    return y[n, i], Piecewise((y0[i], Eq(n, 0)), (base + width * velocity(i, time, state), True))


def _one_moved(component):
    return Piecewise((y[n, 0], And(Eq(i, 1), Eq(component, 0))), (y[n - 1, component], True))


EULER_STEPS = Claim(
    id="solver.euler",
    section="2.2",
    title="Euler's method: every step starts from the state that the last one reached",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=SHAPE,
    inputs=ODE,
    program=Program((*GRID, euler(y[n - 1, i], t[n - 1])), (trajectory(),)),
    statement=Eq(y[n + 1, i], y[n, i] + (t[n + 1] - t[n]) * f_i(t[n], y[n])),
    derivation=lambda: None,
    variants=(
        Variant(
            "every step starts from h(0)",
            "notes",
            (euler(y[0, i], t[n - 1]),),
            printed=True,
            why="The two readings agree in the first step only.",
        ),
        Variant("the time stays at its first value", "notes: f has lost its t", (euler(y[n - 1, i], t[0]),)),
        Variant("slope at the end of the step", "known bug", (euler(y[n - 1, i], t[n]),)),
        Variant(
            "steps measured from the first time", "known bug", (euler(y[n - 1, i], t[n - 1], width=t[n] - t[0]),)
        ),
        Variant(
            "steps without their sign where time falls",
            "known bug",
            (euler(y[n - 1, i], t[n - 1], width=Abs(step[n - 1])),),
        ),
        Variant("state updated in place", "known bug", (euler(y[n - 1, i], t[n - 1], _one_moved),)),
    ),
    options={"rhs": shown(), "times": TIMES, "method": "euler"},
    remarks="The notes write h for the state and for the step, and leave the time out of f.",
)

# steps of a given size, the last one cut to end at the last time
REST = Domain("rest", low=0.25, high=0.75, host=True, typical=(0.5,))
_FULL = HOST_START.symbol + SIGN * n * HOST_WIDTH.symbol
_LAST = HOST_START.symbol + SIGN * (N + REST.symbol) * HOST_WIDTH.symbol
_CUT = (step[n], t[n + 1] - t[n])
EULER_LAST_STEP = Claim(
    id="solver.euler.last_step",
    section="2.2",
    title="Steps of a given size: the last one is cut to end on the last time",
    kind="equality",
    subject="ode.odeint",
    driver="ode_rows",
    structure=SHAPE,
    inputs=(HOST_START, HOST_WIDTH, REST, STATE, PARAMETERS),
    program=Program(
        ((t[n], Piecewise((_FULL, n <= N), (_LAST, True))), _CUT, euler(y[n - 1, i], t[n - 1])),
        (Output("end", y[N + 1, i], (i, 0, D - 1)),),
    ),
    statement=Eq(t[N + 1] - t[N], REST.symbol * HOST_WIDTH.symbol),
    derivation=lambda: None,
    variants=(
        Variant("the last step is not cut", "known bug", ((step[n], SIGN * HOST_WIDTH.symbol),)),
        Variant(
            "stops before the last time", "known bug", ((step[n], Piecewise((t[n + 1] - t[n], n < N), (0, True))),)
        ),
        Variant(
            "all steps equal",
            "other libraries: the steps are made to fit",
            ((t[n], HOST_START.symbol + (_LAST - HOST_START.symbol) * n / (N + 1)),),
        ),
    ),
    options={
        "rhs": shown(),
        "times": Output("t", Piecewise((HOST_START.symbol, Eq(n, 0)), (_LAST, True)), (n, 0, 1)),
        "method": "euler",
        "step_size": "h",
    },
)

# a residual block
UNITS = Size("m", 1, 3)
m = UNITS.symbol
sigma = Function("sigma")
_u = Symbol("u", real=True)
ACTIVATION = Choice(
    "activation", {"tanh": {sigma: Lambda(_u, tanh(_u))}, "squares": {sigma: Lambda(_u, _u**2)}}
)
BLOCK = (
    real("y0", UNITS, low=-1, high=1),
    real("V", UNITS, UNITS, low=-1, high=1),
    real("bias", UNITS, low=-1, high=1),
    real("W", UNITS, UNITS, low=-1, high=1),
)
x0, V, bias, W = symbols_of(BLOCK)
hidden = IndexedBase("hidden", real=True)
out = IndexedBase("out", real=True)


def _branch(index, state):
    inner = Sum(V[j, q] * state(q), (q, 0, m - 1)) + bias[j]
    return Sum(W[index, j] * sigma(inner), (j, 0, m - 1))


def _residual(entry):
    return (out[i], entry)


EULER_RESIDUAL = Claim(
    id="solver.euler.residual",
    section="2.2",
    title="A residual block is one step of Euler's method of size 1",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=(UNITS, ACTIVATION),
    inputs=BLOCK,
    program=Program(
        (
            (hidden[j], sigma(Sum(V[j, q] * x0[q], (q, 0, m - 1)) + bias[j])),
            _residual(x0[i] + Sum(W[i, j] * hidden[j], (j, 0, m - 1))),
        ),
        (Output("end", out[i], (i, 0, m - 1)),),
    ),
    statement=Eq(out[i], x0[i] + Function("F_i")(Symbol("y0"))),
    derivation=lambda: None,
    variants=(
        Variant("no skip connection", "known bug", (_residual(Sum(W[i, j] * hidden[j], (j, 0, m - 1))),)),
        Variant(
            "half a step", "known bug", (_residual(x0[i] + Sum(W[i, j] * hidden[j], (j, 0, m - 1)) / 2),)
        ),
        Variant(
            "activation after the sum",
            "He et al. 2015: the block as first published",
            (_residual(sigma(x0[i] + Sum(W[i, j] * hidden[j], (j, 0, m - 1)))),),
        ),
    ),
    options={
        "rhs": shown(lambda index, time, state: _branch(index, state), m),
        "times": Output("t", n, (n, 0, 1)),
        "method": "euler",
    },
)

# ---------------------------------------------------------------- order, on y' = lambda y

MANY = Size("N", 1, 6)
RATE = real("rate", low=-2, high=2)
SCALE = real("y0", 1, low=-2, high=2)
GROWTH = positive("rate", high=2)
POSITIVE = positive("y0", 1, high=2)
rate, y1 = RATE.symbol, SCALE.symbol
w = IndexedBase("y", real=True)
_z = rate * HOST_WIDTH.symbol
END = IndexedBase("end", real=True)
LINEAR = {
    "rhs": Output("slope", rate * w[i], (i, 0, 0)),
    "times": Output("t", n * HOST_WIDTH.symbol, (n, 0, N)),
}


def _linear(method, start=SCALE.symbol, rate=rate):
    growth = rate * y[n - 1, i]
    if method == "euler":
        return ((y[n, i], Piecewise((start[i], Eq(n, 0)), (y[n - 1, i] + HOST_WIDTH.symbol * growth, True))),)
    z, now = rate * HOST_WIDTH.symbol, y[n - 1, i]
    moved = now + (k[1, n, i] + 2 * k[2, n, i] + 2 * k[3, n, i] + k[4, n, i]) * HOST_WIDTH.symbol / 6
    del z
    return (
        (
            k[s, n, i],
            Piecewise(
                (rate * now, Eq(s, 1)),
                (rate * (now + HOST_WIDTH.symbol * k[s - 1, n, i]), Eq(s, 4)),
                (rate * (now + HOST_WIDTH.symbol / 2 * k[s - 1, n, i]), True),
            ),
        ),
        (y[n, i], Piecewise((start[i], Eq(n, 0)), (moved, True))),
    )


def _error_bound(power):
    """What the steps' remainders, |z|**power / power! each, can add up to."""
    size_ = Abs(_z)
    factorial = 1
    for factor in range(2, power + 1):
        factorial *= factor
    bound = Abs(y1[0]) * N * size_**power / factorial * exp(N * size_)
    return Relation(Abs(END[0] - y1[0] * exp(N * _z)), "<=", bound)


def _order_claim(name, method, order):
    return Claim(
        id=f"solver.{name}.order",
        section="2.2",
        title=f"Order {order}: the error after N steps is at most the sum of the steps' remainders",
        kind="order",
        subject="ode.odeint",
        driver="ode_rows",
        structure=(MANY,),
        inputs=(HOST_WIDTH, RATE, SCALE),
        program=Program(_linear(method), (Output("end", y[N, i], (i, 0, 0)),)),
        statement=Le(_error_bound(order + 1).lhs, _error_bound(order + 1).rhs),
        relation=_error_bound(order + 1),
        derivation=lambda: None,
        variants=(
            Variant(f"order {order + 1}", "wrong claim", relation=_error_bound(order + 2)),
            Variant(
                "a step too few",
                "known bug",
                ((y[n, i], Piecewise((y1[i], n <= 1), (_linear(method)[-1][1].args[-1][0], True))),),
            ),
        ),
        options={**LINEAR, "method": method},
        remarks="The bound is derived, not fitted: it is what Taylor's theorem gives for this problem.",
    )


EULER_ORDER = _order_claim("euler", "euler", 1)
_g, _start = GROWTH.symbol, POSITIVE.symbol


def _shortfall(share):
    z = _g * HOST_WIDTH.symbol
    return Relation(
        _start[0] * exp(N * z) - END[0], ">=", _start[0] * share * N * z**2 / 2 * (1 + z) ** (N - 1)
    )


EULER_SHARP = Claim(
    id="solver.euler.order_sharp",
    section="2.2",
    title="Euler's error on growth is at least N z²/2: no better than order 1",
    kind="order",
    subject="ode.odeint",
    driver="ode_rows",
    structure=(MANY,),
    inputs=(HOST_WIDTH, GROWTH, POSITIVE),
    program=Program(_linear("euler", _start, _g), (Output("end", y[N, i], (i, 0, 0)),)),
    statement=Ge(_shortfall(1).lhs, _shortfall(1).rhs),
    relation=_shortfall(1),
    derivation=lambda: None,
    variants=(
        Variant("twice the error", "wrong claim", relation=_shortfall(2)),
        Variant(
            "the midpoint rule",
            "known bug: another method",
            (
                (
                    y[n, i],
                    Piecewise(
                        (_start[i], Eq(n, 0)),
                        (
                            y[n - 1, i]
                            + HOST_WIDTH.symbol * _g * (y[n - 1, i] + HOST_WIDTH.symbol / 2 * _g * y[n - 1, i]),
                            True,
                        ),
                    ),
                ),
            ),
        ),
    ),
    options={
        "rhs": Output("slope", _g * w[i], (i, 0, 0)),
        "times": Output("t", n * HOST_WIDTH.symbol, (n, 0, N)),
        "method": "euler",
    },
)

# ---------------------------------------------------------------- the classical method

k1, k2, k3, k4 = (IndexedBase(f"k{stage}", real=True) for stage in range(1, 5))


def stage(slope, share, before):
    """A slope at a share of the step, from the slope before it."""
    middle = t[n] + share * step[n]
    return slope[n, i], velocity(i, middle, lambda component: y[n, component] + share * step[n] * before[n, component])


HALF = Rational(1, 2)
RK4_STAGES = (
    (k1[n, i], velocity(i, t[n], at(n))),
    stage(k2, HALF, k1),
    stage(k3, HALF, k2),
    stage(k4, 1, k3),
)


def rk4_step(slope):
    return y[n, i], Piecewise((y0[i], Eq(n, 0)), (y[n - 1, i] + step[n - 1] * slope, True))


def _average(*weights, over):
    return sum(weight * slope[n - 1, i] for weight, slope in zip(weights, (k1, k2, k3, k4), strict=True)) / over


def _three_eighths():
    third = step[n] / 3
    return (
        stage(k2, Rational(1, 3), k1),
        (k3[n, i], velocity(i, t[n] + 2 * third, lambda m: y[n, m] + step[n] * (k2[n, m] - k1[n, m] / 3))),
        (k4[n, i], velocity(i, t[n + 1], lambda m: y[n, m] + step[n] * (k1[n, m] - k2[n, m] + k3[n, m]))),
        rk4_step(_average(1, 3, 3, 1, over=8)),
    )


RK4_STEPS = Claim(
    id="solver.rk4",
    section="2.2",
    title="The classical Runge-Kutta method of order 4",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=SHAPE,
    inputs=ODE,
    program=Program((*GRID, *RK4_STAGES, rk4_step(_average(1, 2, 2, 1, over=6))), (trajectory(),)),
    statement=Eq(
        y[n + 1, i], y[n, i] + (t[n + 1] - t[n]) * (k1[n, i] + 2 * k2[n, i] + 2 * k3[n, i] + k4[n, i]) / 6
    ),
    derivation=lambda: None,
    variants=(
        Variant('the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", _three_eighths()),
        Variant("equal weights", "known bug", (rk4_step(_average(1, 1, 1, 1, over=4)),)),
        Variant(
            "weights of the 3/8 rule on these stages", "known bug", (rk4_step(_average(1, 3, 3, 1, over=8)),)
        ),
        Variant(
            "k2 at the start of the step",
            "known bug",
            ((k2[n, i], velocity(i, t[n], lambda m: y[n, m] + step[n] / 2 * k1[n, m])),),
        ),
        Variant("k3 from k1", "known bug", (stage(k3, HALF, k1),)),
        Variant("k4 at half a step", "known bug", (stage(k4, HALF, k3),)),
        Variant(
            "1/6 in seven digits",
            "known bug: a rounded coefficient",
            (rk4_step(Rational(1666667, 10**7) * 6 * _average(1, 2, 2, 1, over=6)),),
        ),
        Variant(
            "the last step by Euler's method",
            "known bug",
            (rk4_step(Piecewise((k1[n - 1, i], Eq(n, N)), (_average(1, 2, 2, 1, over=6), True))),),
        ),
    ),
    options={"rhs": shown(), "times": TIMES, "method": "rk4"},
    remarks="Several libraries call another method of order 4 by this name; solver.rk4.weights tells them apart.",
)
RK4_ORDER = _order_claim("rk4", "rk4", 4)

CLAIMS = (EULER_STEPS, EULER_LAST_STEP, EULER_RESIDUAL, EULER_ORDER, EULER_SHARP, RK4_STEPS, RK4_ORDER)
