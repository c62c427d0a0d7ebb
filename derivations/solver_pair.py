"""The pair of Dormand and Prince: the step, and its estimate of the error (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Rational, Sum, Symbol, factorial

from gnomon.derivations.initial_value import (
    DIRECTION,
    HOST_START,
    HOST_WIDTH,
    PARAMETERS,
    PROBLEMS,
    SIGN,
    STATE,
    D,
    a,
    b,
    c,
    coefficients,
    i,
    j,
    k,
    n,
    point,
    s,
    shown,
    stages,
    step,
    t,
    velocity,
    y,
    y0,
)
from gnomon.derivations.trees import (
    BUTCHER,
    DOPRI5,
    RK4,
    Tableau,
    density,
    entry,
    flow_shows_densities,
    forest,
    missed,
    order_conditions,
    rounded,
    run_shows_weights,
    stability,
    symbolic,
    trees,
    values,
    weight,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import real

SECTION = "2.2"
SMOOTH = "every right-hand side that is smooth"
LAST = DOPRI5.stages - 1
start, width = HOST_START.symbol, HOST_WIDTH.symbol
ONE_STEP = {"times": Output("t", start + SIGN * n * width, (n, 0, 1)), "one_step": True, "keywords": {"atol": 1e30}}
e = IndexedBase("e", real=True)


def other(name: str, source: str, table: Tableau, **more: Any) -> Variant:
    return Variant(name, source, coefficients(table), **more)


# ---------------------------------------------------------------- the step


def pair_proof() -> Derivation:
    z, H = Symbol("z", real=True), Symbol("H", positive=True)
    taylor = sum(z**power / factorial(power) for power in range(6))
    return Derivation(
        (
            run_shows_weights(forest(4), symbolic(4), H),
            flow_shows_densities(forest(5), H),
            BUTCHER,
            order_conditions(forest(5), DOPRI5, "all seventeen conditions for order 5 hold"),
            missed(_missed(DOPRI5, 6), DOPRI5, "not all of those for order 6 do: the order is exactly 5"),
            order_conditions(forest(4), DOPRI5, "the companion meets the eight for order 4", weights=DOPRI5.b_embedded),
            missed(_missed(DOPRI5.companion(), 5), DOPRI5, "but not those for order 5", weights=DOPRI5.b_embedded),
            Step(
                "rewrite",
                stability(DOPRI5, z),
                taylor + z**6 / 600,
                why="on y' = lambda y, with z = lambda h",
                wrong=(taylor, stability(DOPRI5.companion(), z), stability(RK4, z)),
            ),
        ),
        SMOOTH,
    )


def _missed(method: Tableau, nodes: int) -> Any:
    return next(tree for tree in trees(nodes) if weight(tree, method) != Rational(1, density(tree)))


PAIR = Claim(
    id="solver.dopri.pair",
    section=SECTION,
    title="A step of Dormand and Prince's pair goes on with the value of order 5",
    kind="equality",
    subject="ode.odeint",
    driver="ode_rows",
    structure=(PROBLEMS, DIRECTION),
    inputs=(HOST_START, HOST_WIDTH, STATE, PARAMETERS),
    program=Program(
        ((t[n], start + SIGN * n * width), (step[n], t[n + 1] - t[n]), *coefficients(DOPRI5), *stages(LAST + 1)),
        (Output("end", y[1, i], (i, 0, D - 1)),),
    ),
    statement=Eq(y[n + 1, i], y[n, i] + step[n] * Sum(b[s] * k[n, s, i], (s, 0, LAST))),
    derivation=pair_proof,
    variants=(
        other("goes on with order 4", "known bug: no local extrapolation", DOPRI5.companion()),
        other(
            "the classical method's value",
            "notes, section 2.2",
            RK4,
            printed=True,
            why="The notes compare an RK4 with an RK5 result and print the classical RK4; the pair shares its stages.",
        ),
        other("-25360/2187 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 4, 1)),
        Variant("4/5 in the place of 8/9", "known bug", ((c[s], entry((*DOPRI5.c[:4], DOPRI5.c[3], 1, 1), s)),)),
        Variant(
            "time left out of the stages",
            "known bug",
            ((k[n, s, i], velocity(i, t[n], lambda part: point[n, s, part])),),
        ),
    ),
    options={"rhs": shown(), "method": "dopri5", **ONE_STEP},
    remarks="A library that interpolates between its steps may lose a digit at the end of one: it then is "
    "inaccurate here, with the right formula.",
)

# ---------------------------------------------------------------- the estimate of the error

TIME, WIDTH = real("t0", low=-1, high=1), real("h", low=-0.5, high=0.5)
t0, h = TIME.symbol, WIDTH.symbol
y1, err, slope = (IndexedBase(name, real=True) for name in ("y1", "err", "slope"))
_POINT = (point[s, i], y0[i] + h * Sum(a[s, j] * k[j, i], (j, 0, s - 1)))
_SLOPE = (k[s, i], velocity(i, t0 + c[s] * h, lambda part: point[s, part]))
DIFFERENCE = tuple(u - v for u, v in zip(DOPRI5.b, DOPRI5.b_embedded, strict=True))


def estimate(weights: tuple[Any, ...]) -> tuple[Any, Any]:
    return e[s], entry(weights, s)


def _classical() -> tuple[tuple[Any, Any], ...]:
    """The classical method on stages of its own, and what the pair differs from it."""
    inner = IndexedBase("inner", real=True)
    before = Piecewise((0, Eq(s, 0)), (inner[s - 1, i] * h * Piecewise((1, Eq(s, 3)), (Rational(1, 2), True)), True))
    inner_point = IndexedBase("inner_point", real=True)
    moved = (inner[0, i] + 2 * inner[1, i] + 2 * inner[2, i] + inner[3, i]) / 6
    share = Piecewise((0, Eq(s, 0)), (1, Eq(s, 3)), (Rational(1, 2), True))
    return (
        (inner_point[s, i], y0[i] + before),
        (inner[s, i], velocity(i, t0 + share * h, lambda part: inner_point[s, part])),
        (err[i], h * Sum(b[s] * k[s, i], (s, 0, LAST)) - h * moved),
    )


def estimate_proof() -> Derivation:
    general, known = symbolic(DOPRI5.stages), forest(4)
    marks = [Symbol(f"x{place}", real=True) for place in range(len(known))]
    pairs, H = tuple(zip(marks, known, strict=True)), Symbol("H", positive=True)
    lost = _missed(DOPRI5.companion(), 5)
    rows = tuple(zip(general.b, (*general.a[-1], Rational(0)), strict=True))
    slots = [Symbol(f"m{place}", real=True) for place in range(len(rows))]
    return Derivation(
        (
            run_shows_weights(forest(4), symbolic(4), H),
            BUTCHER,
            Step(
                "substitute",
                sum(mark * weight(tree, general) for mark, tree in pairs),
                Rational(0),
                why="the two values agree on every tree with up to four nodes: the estimate has no term below h**5",
                by=values(DOPRI5, DIFFERENCE),
            ),
            missed(lost, DOPRI5, "and it has one there", weights=DIFFERENCE, worth=Rational(0)),
            Step(
                "substitute",
                sum(mark * (right - left) for mark, (right, left) in zip(slots, rows, strict=True)),
                Rational(0),
                why="the last stage has the weights of order 5: it is f at the new state",
                by=tuple(pair for pair in values(DOPRI5) if pair[0] in {symbol for row in rows for symbol in row}),
            ),
        ),
        SMOOTH,
    )


ESTIMATE = Claim(
    id="solver.dopri.pair.error",
    section=SECTION,
    title="The error estimate is order 5 minus order 4 on the same seven stages",
    kind="equality",
    subject="ode.rk_step",
    driver="rk_step",
    structure=(PROBLEMS,),
    inputs=(TIME, WIDTH, STATE, PARAMETERS),
    program=Program(
        (
            *coefficients(DOPRI5),
            estimate(DIFFERENCE),
            _POINT,
            _SLOPE,
            (y1[i], y0[i] + h * Sum(b[s] * k[s, i], (s, 0, LAST))),
            (err[i], h * Sum(e[s] * k[s, i], (s, 0, LAST))),
            (slope[i], velocity(i, t0 + h, lambda part: y1[part])),
        ),
        (
            Output("y1", y1[i], (i, 0, D - 1)),
            Output("error", err[i], (i, 0, D - 1)),
            Output("slope", slope[i], (i, 0, D - 1)),
        ),
    ),
    statement=Eq(err[i], h * Sum((b[s] - IndexedBase("bhat", real=True)[s]) * k[s, i], (s, 0, LAST))),
    derivation=estimate_proof,
    variants=(
        Variant("order 4 minus order 5", "scipy: RK45.E", (estimate(tuple(-w for w in DIFFERENCE)),)),
        Variant(
            "the classical method for the value of order 4",
            "notes, section 2.2",
            _classical(),
            printed=True,
            why="The companion's order 4 is on the pair's own stages; another method costs evaluations of its own.",
        ),
        Variant(
            "two thirds of it: another companion of order 4",
            "torchdiffeq, after Shampine 1986",
            (estimate(tuple(weight * 2 / 3 for weight in DIFFERENCE)),),
        ),
        Variant("the weights of order 5", "known bug", (estimate(DOPRI5.b),)),
        Variant("the last stage's weight forgotten", "known bug", (estimate((*DIFFERENCE[:LAST], 0)),)),
        Variant("the last slope is that of the step's start", "known bug", ((slope[i], k[0, i]),)),
        other("46732/5247 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 5, 2)),
    ),
    options={"rhs": shown(), "tableau": DOPRI5},
    remarks="The last stage is f at the new state, so it is the first stage of the next step.",
)

CLAIMS = (PAIR, ESTIMATE)
