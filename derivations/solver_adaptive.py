"""Adaptive steps: the pair of Dormand and Prince, its estimate of the error, and the size of the next step (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, IndexedBase, Max, Min, Piecewise, Rational, Sum, Symbol, factorial, false, log, sqrt, symbols

from gnomon.claim import Claim, Output, Program, Variant
from gnomon.derivation import Derivation, Step
from gnomon.derivations.initial_value import (
    DIRECTION, HOST_START, HOST_WIDTH, PARAMETERS, PROBLEMS, SIGN, STATE,
    D, a, b, c, coefficients, i, j, k, n, point, s, shown, stages, step, t, velocity, y, y0,
)  # fmt: skip
from gnomon.derivations.trees import (
    BUTCHER, DOPRI5, RK4, Tableau, density, entry, flow_shows_densities, forest, missed, order_conditions, rounded,
    run_shows_weights, stability, symbolic, trees, values, weight,
)  # fmt: skip
from gnomon.domain import Domain, Size, nonnegative, positive, real, symbols_of

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
            order_conditions(
                forest(4), DOPRI5, "the companion meets the eight for order 4", weights=DOPRI5.b_embedded
            ),
            missed(
                _missed(DOPRI5.companion(), 5), DOPRI5, "but not those for order 5", weights=DOPRI5.b_embedded
            ),
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
            ((k[n, s, i], velocity(i, t[n], lambda m: point[n, s, m])),),
        ),
    ),
    options={"rhs": shown(), "method": "dopri5", **ONE_STEP},
)

# ---------------------------------------------------------------- the estimate of the error

TIME, WIDTH = real("t0", low=-1, high=1), real("h", low=-0.5, high=0.5)
t0, h = TIME.symbol, WIDTH.symbol
y1, err, slope = (IndexedBase(name, real=True) for name in ("y1", "err", "slope"))
_POINT = (point[s, i], y0[i] + h * Sum(a[s, j] * k[j, i], (j, 0, s - 1)))
_SLOPE = (k[s, i], velocity(i, t0 + c[s] * h, lambda m: point[s, m]))
_DIFFERENCE = tuple(u - v for u, v in zip(DOPRI5.b, DOPRI5.b_embedded, strict=True))


def _estimate(weights):
    return e[s], entry(weights, s)


def _classical():
    """The classical method on stages of its own, and what the pair differs from it."""
    inner = IndexedBase("inner", real=True)
    before = Piecewise((0, Eq(s, 0)), (inner[s - 1, i] * h * Piecewise((1, Eq(s, 3)), (Rational(1, 2), True)), True))
    inner_point = IndexedBase("inner_point", real=True)
    moved = (inner[0, i] + 2 * inner[1, i] + 2 * inner[2, i] + inner[3, i]) / 6
    share = Piecewise((0, Eq(s, 0)), (1, Eq(s, 3)), (Rational(1, 2), True))
    return (
        (inner_point[s, i], y0[i] + before),
        (inner[s, i], velocity(i, t0 + share * h, lambda m: inner_point[s, m])),
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
                by=values(DOPRI5, _DIFFERENCE),
            ),
            missed(lost, DOPRI5, "and it has one there", weights=_DIFFERENCE, worth=Rational(0)),
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
            _estimate(_DIFFERENCE),
            _POINT,
            _SLOPE,
            (y1[i], y0[i] + h * Sum(b[s] * k[s, i], (s, 0, LAST))),
            (err[i], h * Sum(e[s] * k[s, i], (s, 0, LAST))),
            (slope[i], velocity(i, t0 + h, lambda m: y1[m])),
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
        Variant("order 4 minus order 5", "scipy: RK45.E", (_estimate(tuple(-w for w in _DIFFERENCE)),)),
        Variant(
            "the classical method for the value of order 4",
            "notes, section 2.2",
            _classical(),
            printed=True,
            why="The companion's order 4 is on the pair's own stages; another method costs evaluations of its own.",
        ),
        Variant("the weights of order 5", "known bug", (_estimate(DOPRI5.b),)),
        Variant("the last stage's weight forgotten", "known bug", (_estimate((*_DIFFERENCE[:LAST], 0)),)),
        Variant("the last slope is that of the step's start", "known bug", ((slope[i], k[0, i]),)),
        other("46732/5247 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 5, 2)),
    ),
    options={"rhs": shown(), "tableau": DOPRI5},
    remarks="The last stage is f at the new state, so it is the first stage of the next step.",
)

# ---------------------------------------------------------------- how large an error is, and the next step

ENTRIES = Size("n", 1, 4)
ERROR = (
    real("error", ENTRIES),
    real("y0", ENTRIES),
    real("y1", ENTRIES),
    nonnegative("rtol", high=1, host=True, typical=(1e-3, 1e-7, 0.0)),
    positive("atol", high=1, host=True, typical=(1e-6, 1e-9, 1.0)),
)
entries = ENTRIES.symbol
error, before, after, rtol, atol = symbols_of(ERROR)
scaled, ratio = IndexedBase("scaled", real=True), Symbol("ratio", nonnegative=True)


def _scaled(largest):
    return scaled[i], error[i] / (atol + rtol * largest)


_MEAN = Sum(scaled[i] ** 2, (i, 0, entries - 1)) / entries
def ratio_proof() -> Derivation:
    times_, x = Symbol("lambda", positive=True), IndexedBase("scaled", real=True)
    mean = Sum(x[i] ** 2, (i, 0, entries - 1)) / entries
    return Derivation(
        (
            Step(
                "substitute",
                mean,
                Sum(1, (i, 0, entries - 1)) / entries,
                why="an error that is everywhere what is tolerated",
                by=((x[i], Rational(1)),),
            ),
            Step(
                "sum",
                Sum(1, (i, 0, entries - 1)) / entries,
                Rational(1),
                why="has the ratio 1, in every dimension",
                wrong=(entries,),
            ),
            Step(
                "rewrite",
                sqrt(Sum((times_ * x[i]) ** 2, (i, 0, entries - 1)) / entries) ** 2,
                times_**2 * mean,
                why="and a multiple of an error has that multiple of its ratio",
            ),
        )
    )


RATIO = Claim(
    id="solver.dopri.step_control.ratio",
    section=SECTION,
    title="An error is measured in units of what is tolerated, as a root mean square",
    kind="equality",
    subject="ode.error_ratio",
    driver="function",
    structure=(ENTRIES,),
    inputs=ERROR,
    program=Program((_scaled(Max(Abs(before[i]), Abs(after[i]))), (ratio, sqrt(_MEAN))), (Output("ratio", ratio),)),
    statement=Eq(ratio, sqrt(_MEAN)),
    derivation=ratio_proof,
    variants=(
        Variant("the old state alone", "known bug", (_scaled(Abs(before[i])),)),
        Variant("without absolute values", "known bug", (_scaled(Max(before[i], after[i])),)),
        Variant("a sum in the place of the mean", "known bug", ((ratio, sqrt(_MEAN * entries)),)),
        Variant("the mean square, no root", "known bug", ((ratio, _MEAN),)),
        Variant("the larger of the two tolerances", "Matlab's ode45", ((scaled[i], error[i] / Max(atol, rtol * Max(Abs(before[i]), Abs(after[i])))),)),
    ),
)  # fmt: skip

ORDER = Size("order", 2, 8)
CONTROL = (
    positive("r"),
    Domain("safety", low=0.5, high=1, host=True, typical=(0.9, 0.8)),
    Domain("dfactor", low=0.0625, high=0.5, host=True, typical=(0.2, 0.25)),
    Domain("ifactor", low=2, high=16, host=True, typical=(10.0, 5.0)),
)
r, safety, dfactor, ifactor = symbols_of(CONTROL)
order = ORDER.symbol
wanted, factor = symbols("wanted factor", positive=True)


def _law(power):
    return wanted, safety * r**power


def law_proof() -> Derivation:
    x, now, scale, error_, tolerance = symbols("x h C err tol", positive=True)
    law = now * (tolerance / error_) ** Rational(1, 5)
    return Derivation(
        (
            Step(
                "solve",
                Eq(scale * x**5, tolerance),
                (tolerance / scale) ** Rational(1, 5),
                why="the error of a step is C h**5: which step makes it the tolerance?",
                by=(x,),
                wrong=(tolerance / scale,),
            ),
            Step(
                "substitute",
                (tolerance / scale) ** Rational(1, 5),
                law,
                why="what this step shows of C",
                by=((scale, error_ / now**5),),
                wrong=(now * tolerance / error_,),
            ),
            Step(
                "differentiate",
                log(law),
                -1 / (5 * error_),
                why="so the logarithm of the size falls by a fifth of that of the error, not by all of it",
                by=(error_,),
                wrong=(-1 / error_,),
            ),
            Step(
                "refute",
                Eq(now * tolerance / error_, law),
                false,
                why="at 32 times the tolerance: 1/32 of the step instead of 1/2",
                by=({now: 1, tolerance: 1, error_: 32},),
            ),
        ),
        "an error that is a power of the step",
    )


CONTROL_LAW = Claim(
    id="solver.dopri.step_control",
    section=SECTION,
    title="The next step is this one times (tolerance / error)^(1/order), with a margin and within limits",
    kind="equality",
    subject="ode.step_factor",
    driver="function",
    structure=(ORDER,),
    inputs=CONTROL,
    program=Program((_law(-1 / order), (factor, Min(ifactor, Max(dfactor, wanted)))), (Output("factor", factor),)),
    statement=Eq(factor, Min(ifactor, Max(dfactor, safety * r ** (-1 / order)))),
    derivation=law_proof,
    variants=(
        Variant(
            "inversely proportional to the error",
            "notes",
            (_law(Rational(-1)),),
            printed=True,
            why="At 32 times the tolerance a method of order 5 halves its step; the printed law takes 1/32 of it.",
        ),
        Variant("one order less in the root", "known bug", (_law(-1 / (order - 1)),)),
        Variant("one order more in the root", "other libraries, for an unextrapolated pair", (_law(-1 / (order + 1)),)),
        Variant("grows with the error", "known bug", (_law(1 / order),)),
        Variant("margin inside the root", "known bug", ((wanted, (safety / r) ** (1 / order)),)),
        Variant("never grows", "known bug", ((factor, Min(1, Max(dfactor, wanted))),)),
        Variant("shrinks without limit", "known bug", ((factor, Min(ifactor, wanted)),)),
    ),
    options={"arguments": ("r", "order", "safety", "dfactor", "ifactor")},
    remarks="For the pair the order is 5, that of the difference between its two values.",
)

# ---------------------------------------------------------------- what becomes of a step

FIRST = Domain("h", low=1, high=2, host=True, typical=(1.0, 2.0))
FORCE = real("theta", D, low=0.5, high=4)
# above the unit roundoff of every dtype, so that the tolerance is the claim's and not the dtype's
LOOSE = Domain("rtol", low=0.015625, high=0.125, host=True, typical=(0.0625, 0.015625))
FLOOR = positive("atol", high=0.015625, host=True, typical=(0.0078125, 0.001))


def _force(index: Any, time: Any, state: Any = None) -> Any:
    """A force that sets in at the end of the step: the stages have no rounding that could hide the error."""
    return Piecewise((FORCE.symbol[index], SIGN * (time - start) > Rational(15, 16) * FIRST.symbol), (0, True))


first, loose, floor = FIRST.symbol, LOOSE.symbol, FLOOR.symbol
signed = SIGN * first
size, proposed, base_time = symbols("size proposed base_time", real=True)
base, base_slope, probe = (IndexedBase(name, real=True) for name in ("base", "base_slope", "probe"))
SECOND = DOPRI5.stages  # the first call of the second attempt: one call more than a step has stages
_OLD_OR_NEW = (
    (base_time, Piecewise((start + signed, ratio <= 1), (start, True))),
    (base[i], Piecewise((y1[i], ratio <= 1), (y0[i], True))),
    (base_slope[i], Piecewise((slope[i], ratio <= 1), (k[0, i], True))),
)


def _size(power, low=Rational(1, 5), high=10):
    return size, first * Min(high, Max(low, Rational(9, 10) * ratio**power))


def _tolerated(mean):
    return ratio, mean


def attempts_proof() -> Derivation:
    found, share = symbols("r share", positive=True)
    margin = Rational(9, 10)
    return Derivation(
        (
            Step(
                "substitute",
                found * share**5,
                margin**5,
                why="the error of the new size, where the old one had the ratio r: less than is tolerated, by a margin",
                by=((share, margin * found ** Rational(-1, 5)),),
                wrong=(found * (margin / found) ** 5, Rational(1)),
            ),
            Step(
                "refute",
                Eq(found * (margin * found ** Rational(-1, 4)) ** 5, margin**5),
                false,
                why="with one order less in the root it is not what was aimed at",
                by=({found: 16},),
            ),
        ),
        "an error that is a power of the step",
    )


ATTEMPTS = Claim(
    id="solver.dopri.step_control.attempt",
    section=SECTION,
    title="A step is kept if its error is tolerated; else it is tried again from the old state, smaller",
    kind="equality",
    subject="ode.odeint",
    driver="ode_evaluations",
    structure=(DIRECTION,),
    inputs=(HOST_START, FIRST, LOOSE, FLOOR, STATE, FORCE),
    program=Program(
        (
            *coefficients(DOPRI5),
            _estimate(_DIFFERENCE),
            (k[s, i], _force(i, start + c[s] * signed)),
            (y1[i], y0[i] + signed * Sum(b[s] * k[s, i], (s, 0, LAST))),
            (err[i], signed * Sum(e[s] * k[s, i], (s, 0, LAST))),
            (slope[i], _force(i, start + signed)),
            (scaled[i], err[i] / (floor + loose * Max(Abs(y0[i]), Abs(y1[i])))),
            _tolerated(sqrt(Sum(scaled[i] ** 2, (i, 0, D - 1)) / D)),
            _size(Rational(-1, 5)),
            *_OLD_OR_NEW,
            (proposed, base_time + SIGN * size / 5),
            (probe[i], base[i] + SIGN * size * base_slope[i] / 5),
        ),
        (Output("time", proposed), Output("state", probe[i], (i, 0, D - 1))),
    ),
    statement=Eq(base[i], Piecewise((y1[i], ratio <= 1), (y0[i], True))),
    derivation=attempts_proof,
    gradient=False,
    variants=(
        Variant("the size falls as the error grows", "notes", (_size(Rational(-1)),), printed=True),
        Variant("one order less in the root", "known bug", (_size(Rational(-1, 4)),)),
        Variant("every step is kept", "known bug", tuple((lhs, rhs.args[0][0]) for lhs, rhs in _OLD_OR_NEW)),
        Variant(
            "after a rejection the last slope is taken for the first",
            "known bug: first same as last",
            ((base_slope[i], slope[i]),),
        ),
        Variant("the largest error counts", "other libraries: maximum norm", (_tolerated(Max(Abs(scaled[0]), Abs(scaled[1]))),)),
        Variant("a rejected step is halved", "known bug", ((size, Piecewise((_size(Rational(-1, 5))[1], ratio <= 1), (first / 2, True))),)),
    ),
    options={
        "rhs": shown(_force),
        "times": Output("t", start + 16 * n * signed, (n, 0, 1)),
        "method": "dopri5",
        "first_step": "h",
        "tolerances": ("rtol", "atol"),
        "call": SECOND,
    },
    remarks="Observed through what the solver asks of f at the second stage of its second attempt. The size of a step "
    "carries no gradient.",
)

CLAIMS = (ATTEMPTS, PAIR, ESTIMATE, CONTROL_LAW, RATIO)
