"""Initial value problems, and the programs of methods that solve them: what the claims on solvers and adjoints share.

A problem is two functions ``f0, f1`` of ``(t, u, v, p, q)``: the time, the two unknowns and two parameters. They are
polynomials, not linear in the unknowns and not without time, so that no stage of a method can hide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy import Eq, Indexed, IndexedBase, Lambda, Piecewise, Sum, Symbol, symbols, sympify

from gnomon.derivations.ode.trees import Tableau, entry, entry_of
from gnomon.proof.bench import Bench
from gnomon.proof.indexed import opaque_of
from gnomon.proof.terms import mentioned, name_of
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.claim import Output
from gnomon.say.domain import Choice, Domain, Size, real, symbols_of

D = 2  # unknowns and parameters of every problem
n, s, j, i, l, q, r = symbols("n s j i l q r", integer=True, nonnegative=True)
SIGN = Symbol("sign", integer=True)
VARIABLES = symbols("t u v p q", real=True)
_UNKNOWN = [opaque_of(f"f{component}", *map(str, VARIABLES)) for component in range(D)]
FIELD = tuple(f for f, _ in _UNKNOWN)
PARTIALS = {
    (row, by): slope for row, (_, slopes) in enumerate(_UNKNOWN) for by, slope in zip(VARIABLES, slopes, strict=True)
}

STEPS = Size("N", 1, 3)
DIRECTION = Choice("direction", {"forward": {SIGN: 1}, "backward": {SIGN: -1}})
START = real("t0", low=-1, high=1)
WIDTHS = real("h", STEPS, low=0.125, high=0.5)
STATE = real("y0", D, low=-1, high=1)
PARAMETERS = real("theta", D, low=-1, high=1)
N, t0, h, y0, theta = symbols_of((STEPS, START, WIDTHS, STATE, PARAMETERS))
t, step, y, k, point, a, b, c = (
    IndexedBase(name, real=True) for name in ["t", "step", "y", "k", "point", "a", "b", "c"]
)

HOST_START = Domain("t0", low=-1, high=1, host=True, typical=(0.0, 1.0))
HOST_WIDTH = Domain("h", low=0.125, high=0.5, host=True, typical=(0.5, 0.25, 0.125))
ONE_WIDTH = HOST_WIDTH.symbol

Rhs = Callable[[Any, Any, Callable[[Any], Any]], Any]


def problem(*components: Any) -> dict[Any, Any]:
    """A problem as a binding of ``f0, f1`` and of their partial derivatives, for a :class:`Choice`."""
    found: dict[Any, Any] = {}
    for component, expr in enumerate(map(sympify, components)):
        found[FIELD[component]] = Lambda(VARIABLES, expr)
        for by in VARIABLES:
            found[PARTIALS[component, by]] = Lambda(VARIABLES, expr.diff(by))
    return found


def _problems() -> Choice:
    time, u, v, p, q = VARIABLES
    return Choice(
        "problem",
        {
            "predator and prey": problem(u * p - u * v + time, u * v - time * v * q),
            "driven growth": problem(p * u - p * u**2 + time * v, q * time - u * v),
            "turning": problem(p * u - v, u + q * time * v),
        },
    )


PROBLEMS = _problems()


def cases(choices: Sequence[Any], index: Any) -> Any:
    """An expression for each value of an index, from 0."""
    return Piecewise(*[(choice, Eq(index, place)) for place, choice in enumerate(choices[:-1])], (choices[-1], True))


def _arguments(time: Any, state: Callable[[Any], Any]) -> tuple[Any, ...]:
    return (time, *(state(component) for component in range(D)), *(theta[place] for place in range(D)))


def velocity(index: Any, time: Any, state: Callable[[Any], Any]) -> Any:
    """Component ``index`` of f at a time and a state."""
    return cases([f(*_arguments(time, state)) for f in FIELD], index)


def pulled(index: Any, time: Any, state: Callable[[Any], Any], by: Callable[[Any], Any], wrt: str = "state") -> Any:
    """Component ``index`` of the row ``by`` times the Jacobian of f, by the time, the state or the parameters."""
    names = {"time": VARIABLES[:1], "state": VARIABLES[1 : 1 + D], "parameters": VARIABLES[1 + D :]}[wrt]
    args = _arguments(time, state)
    return cases([sum(by(row) * PARTIALS[row, name](*args) for row in range(D)) for name in names], index)


def shown(rhs: Rhs = velocity, size: Any = D) -> Output:
    """The right-hand side as the driver of a solver wants it: in ``t``, ``y[j]`` and the claim's inputs."""
    state = IndexedBase("y", real=True)
    return Output("slope", rhs(i, Symbol("t", real=True), lambda component: state[component]), (i, 0, size - 1))


_GRID = t0 + SIGN * Sum(h[q], (q, 0, n - 1))
TIMES = Output("t", _GRID, (n, 0, N))
"""The times that a solver is given: ``t0``, and a step ``h[n]`` from each to the next."""
GRID = ((t[n], _GRID), (step[n], t[n + 1] - t[n]))
"""The same times as definitions, with the steps that a solver sees."""

HOST_GRID = ((t[n], HOST_START.symbol + SIGN * n * ONE_WIDTH), (step[n], t[n + 1] - t[n]))
HOST_TIMES = Output("t", HOST_START.symbol + SIGN * n * ONE_WIDTH, (n, 0, N))
"""Equal steps of a hyper-parameter ``h`` from a hyper-parameter ``t0``."""


def coefficients(method: Tableau) -> tuple[tuple[Any, Any], ...]:
    """A tableau as definitions of ``a[s, j]``, ``b[s]`` and ``c[s]``."""
    return (
        (a[s, j], entry_of(method.a, s, j)),
        (b[s], entry(method.b, s)),
        (c[s], entry(method.c, s)),
    )


def stages(count: Any, rhs: Rhs = velocity, start: Any = None) -> tuple[tuple[Any, Any], ...]:
    """An explicit method with that many stages, from the coefficients ``a``, ``b`` and ``c``."""
    start = y0[i] if start is None else sympify(start)
    moved = y[n - 1, i] + step[n - 1] * Sum(b[s] * k[n - 1, s, i], (s, 0, count - 1))
    return (
        (point[n, s, i], y[n, i] + step[n] * Sum(a[s, j] * k[n, j, i], (j, 0, s - 1))),
        (k[n, s, i], rhs(i, t[n] + c[s] * step[n], lambda component: point[n, s, component])),
        (y[n, i], Piecewise((start, Eq(n, 0)), (moved, True))),
    )


def trajectory(steps: Any = N, size: Any = D) -> Output:
    """The state at every time, the first one included."""
    return Output("y", y[n, i], (n, 0, steps), (i, 0, size - 1))


# ---------------------------------------------------------------- on a board


def tableau(board: Board, method: Tableau, s: Any, j: Any) -> tuple[Any, Any]:
    """The coefficients ``a[s, j]`` and the weights ``b[s]`` of a method."""
    return board.let("a", (s, j), entry_of(method.a, s, j)), board.let("b", s, entry(method.b, s))


def stage_value(p: Bench, slope: Any, *names: str, given: Sequence[Any] = ()) -> Theorem:
    """A stage's slope at a known number, in the state at the beginning of its step; ``names`` are put in after it."""
    chain = p.chain(slope, given).unfold(slope, *names).listed(quiet=True)
    if "a" in mentioned(chain.now):
        chain.unfold("a")
    for earlier in sorted((x for x in chain.now.atoms(Indexed) if name_of(x) == name_of(slope)), key=str):
        chain.rewrite(stage_value(p, earlier, *names, given=given))
    return chain.theorem
