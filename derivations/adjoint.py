"""The adjoint method: what a(t) is, and the equations that carry it back (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import (
    Eq,
    Function,
    IndexedBase,
    KroneckerDelta,
    Piecewise,
    Rational,
    Sum,
    Symbol,
)

from gnomon.derivations.initial_value import (
    PARTIALS,
    VARIABLES,
    D,
    a,
    b,
    c,
    cases,
    i,
    j,
    s,
    theta,
)
from gnomon.derivations.trees import RK4, THREE_EIGHTHS, Tableau, entry, entry_of
from gnomon.proof.derivation import Step, define
from gnomon.say.claim import Variant
from gnomon.say.domain import Choice

SECTION = "2.3.2"
READ_AS_COLUMN = "notes: a row read as a column"
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
