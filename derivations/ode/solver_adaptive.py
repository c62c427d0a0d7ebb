"""Adaptive steps: what error is tolerated, what becomes of a step, and the size of the next one (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import (
    Abs,
    And,
    Eq,
    Function,
    IndexedBase,
    Lambda,
    Max,
    Min,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    false,
    sqrt,
    symbols,
)

from gnomon.derivations.ode.initial_value import (
    DIRECTION,
    HOST_START,
    SIGN,
    STATE,
    D,
    b,
    c,
    coefficients,
    i,
    k,
    n,
    s,
    shown,
    y0,
)
from gnomon.derivations.ode.solver_pair import DIFFERENCE, LAST, SECTION
from gnomon.derivations.ode.trees import DOPRI5, entry
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.board import Board
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Domain, positive, real
from gnomon.say.maker import claim

# ---------------------------------------------------------------- how large an error is, and the next step


@claim("solver.dopri.step_control.ratio", SECTION, "ode.error_ratio")
def ratio_of_an_error(c: Board) -> None:
    """An error is measured in units of what is tolerated, as a root mean square."""
    n = c.size("n")
    error, y0, y1 = c.real("error", n), c.real("y0", n), c.real("y1", n)
    rtol = c.hyper("rtol", 0.0, 1.0, typical=(1e-3, 1e-7, 0.0))
    atol = c.hyper("atol", 0.0, 1.0, open_low=True, typical=(1e-6, 1e-9, 1.0))
    i = c.index("i", n)
    largest = Max(Abs(y0[i]), Abs(y1[i]))

    scaled = c.let("scaled", i, error[i] / (atol + rtol * largest))
    ratio = c.let("ratio", (), sqrt(c.sum(scaled[i] ** 2, i) / n))
    c.law(n * ratio**2, c.sum((error[i] / (atol + rtol * largest)) ** 2, i))
    c.prove(lambda p: p.left.unfold(ratio, scaled))
    c.law(ratio, ">=", 0)
    c.prove(lambda p: p.right.unfold(ratio))

    c.call(error, y0, y1, rtol, atol).shows(ratio)
    c.variant("the old state alone", "known bug", scaled=error[i] / (atol + rtol * Abs(y0[i])))
    c.variant("without absolute values", "known bug", scaled=error[i] / (atol + rtol * Max(y0[i], y1[i])))
    c.variant("a sum in the place of the mean", "known bug", ratio=sqrt(c.sum(scaled[i] ** 2, i)))
    c.variant("the mean square, no root", "known bug", ratio=c.sum(scaled[i] ** 2, i) / n)
    c.variant("the larger tolerance", "Matlab's ode45", scaled=error[i] / Max(atol, rtol * largest))


@claim("solver.dopri.step_control", SECTION, "ode.step_factor")
def next_step(c: Board) -> None:
    """The next step is this one times (tolerance / error)^(1/order), with a margin and within limits."""
    order = c.size("order", 2, 8)
    r = c.positive("r")
    safety = c.hyper("safety", 0.5, 1.0, typical=(0.9, 0.8))
    dfactor = c.hyper("dfactor", 0.0625, 0.5, typical=(0.2, 0.25))
    ifactor = c.hyper("ifactor", 2.0, 16.0, typical=(10.0, 5.0))

    wanted = c.let("wanted", (), safety * r ** (-1 / order))
    factor = c.let("factor", (), Min(ifactor, Max(dfactor, wanted)))
    c.law(factor, Min(ifactor, Max(dfactor, wanted)))  # where wanted is what the next law says
    c.law(r * wanted**order, safety**order)
    c.prove(lambda p: p.left.unfold(wanted))

    c.call(r, order, safety, dfactor, ifactor).shows(factor)
    c.variant(
        "inversely proportional to the error", "notes", printed=True, wanted=safety / r,
        why="At 32 times the tolerance a method of order 5 halves its step; the printed law takes 1/32 of it.",
    )  # fmt: skip
    c.variant("one order less in the root", "known bug", wanted=safety * r ** (-1 / (order - 1)))
    c.variant(
        "one order more in the root",
        "other libraries, for an unextrapolated pair",
        wanted=safety * r ** (-1 / (order + 1)),
    )
    c.variant("grows with the error", "known bug", wanted=safety * r ** (1 / order))
    c.variant("margin inside the root", "known bug", wanted=(safety / r) ** (1 / order))
    c.variant("never grows", "known bug", factor=Min(1, Max(dfactor, wanted)))
    c.variant("shrinks without limit", "known bug", factor=Min(ifactor, wanted))
    c.remark(
        "An error that is C h**order becomes safety**order times the tolerance, if the step becomes wanted times as "
        "long. For the pair the order is 5, that of the difference between its two values."
    )


# ---------------------------------------------------------------- what becomes of a step

e, y1, err, slope = (IndexedBase(name, real=True) for name in ("e", "y1", "err", "slope"))


def estimate(weights: tuple[Any, ...]) -> tuple[Any, Any]:
    return e[s], entry(weights, s)


FIRST = Domain("h", low=1, high=2, host=True, typical=(1.0, 2.0))
FORCE = real("theta", D, low=0.5, high=4)
# above the unit roundoff of every dtype, so that the tolerance is the claim's and not the dtype's
LOOSE = Domain("rtol", low=0.015625, high=0.125, host=True, typical=(0.0625, 0.015625))
FLOOR = positive("atol", high=0.015625, host=True, typical=(0.0078125, 0.001))


FROM, TO = Function("force_from"), Function("force_to")


def _between(low: Any, high: Any) -> dict[Any, Any]:
    part = Symbol("part", real=True)
    return {FROM: Lambda(part, part * low), TO: Lambda(part, part * high)}


# the nodes are 0, 1/5, 3/10, 4/5, 8/9 and 1, and 1/5 has no weight
SHARE = Choice(
    "force",
    {
        "at the end": _between(Rational(15, 16), 64),
        "at 8/9": _between(Rational(27, 32), Rational(15, 16)),
        "at 4/5": _between(Rational(1, 2), Rational(27, 32)),
        "at 3/10": _between(Rational(1, 4), Rational(1, 2)),
    },
)


def _force(index: Any, time: Any, state: Any = None) -> Any:
    """A force at one node of the step alone: the stages have no rounding that could hide the error."""
    since, first = SIGN * (time - start), FIRST.symbol
    return Piecewise((FORCE.symbol[index], And(since > FROM(first), since < TO(first))), (0, True))


scaled, ratio = IndexedBase("scaled", real=True), Symbol("ratio", nonnegative=True)
start, first, loose, floor = HOST_START.symbol, FIRST.symbol, LOOSE.symbol, FLOOR.symbol
signed = SIGN * first
size, proposed, base_time = symbols("size proposed base_time", real=True)
base, base_slope, probe = (IndexedBase(name, real=True) for name in ("base", "base_slope", "probe"))
SECOND = DOPRI5.stages  # the first call of the second attempt: one call more than a step has stages
_OLD_OR_NEW = (
    (base_time, Piecewise((start + signed, ratio <= 1), (start, True))),
    (base[i], Piecewise((y1[i], ratio <= 1), (y0[i], True))),
    (base_slope[i], Piecewise((slope[i], ratio <= 1), (k[0, i], True))),
)


def _size(power: Any, least: Any = None) -> tuple[Any, Any]:
    return size, first * Min(10, Max(least or Rational(1, 5), Rational(9, 10) * ratio**power))


def _tolerated(mean: Any) -> tuple[Any, Any]:
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
    structure=(DIRECTION, SHARE),
    inputs=(HOST_START, FIRST, LOOSE, FLOOR, STATE, FORCE),
    program=Program(
        (
            *coefficients(DOPRI5)[1:],
            estimate(DIFFERENCE),
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
        Variant(
            "two thirds of the error, and no smaller step after one that is kept",
            "torchdiffeq, after Shampine 1986",
            (
                estimate(tuple(weight * 2 / 3 for weight in DIFFERENCE)),
                (size, Piecewise((_size(Rational(-1, 5), least=1)[1], ratio < 1), (_size(Rational(-1, 5))[1], True))),
            ),
        ),
        Variant("one order less in the root", "known bug", (_size(Rational(-1, 4)),)),
        Variant("every step is kept", "known bug", tuple((lhs, rhs.args[0][0]) for lhs, rhs in _OLD_OR_NEW)),
        Variant(
            "after a rejection the last slope is taken for the first",
            "known bug: first same as last",
            ((base_slope[i], slope[i]),),
        ),
        Variant(
            "the largest error counts",
            "other libraries: maximum norm",
            (_tolerated(Max(Abs(scaled[0]), Abs(scaled[1]))),),
        ),
        Variant(
            "a rejected step is halved",
            "known bug",
            ((size, Piecewise((_size(Rational(-1, 5))[1], ratio <= 1), (first / 2, True))),),
        ),
    ),
    options={
        "rhs": shown(_force),
        "times": Output("t", start + 16 * n * signed, (n, 0, 1)),
        "method": "dopri5",
        "first_step": "h",
        "tolerances": ("rtol", "atol"),
        "call": SECOND,
    },
    remarks="Observed through what the solver asks of f at the second stage of its second attempt. The size of a "
    "step carries no gradient.",
)

CLAIMS = (ATTEMPTS,)
