"""An initial value problem, and the times of its steps, on a board: what claims on solvers and adjoints begin with.

The problem is that of :mod:`gnomon.derivations.ode.initial_value`, whose functions ``velocity`` and ``pulled`` of f and
of its Jacobian may be used with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, IndexedBase, Sum, Symbol

from gnomon.derivations.ode.initial_value import DIRECTION, PROBLEMS, SIGN, D, velocity
from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.arguments import Formula, Function
from gnomon.say.board import Board
from gnomon.say.call import function, tensor

q = Symbol("q", integer=True)


@dataclass(frozen=True)
class Problem:
    """``y' = f(t, y)`` from ``y0`` at ``t0``; ``n`` counts the N + 1 times, ``m`` the steps, ``i`` the unknowns.

    ``time`` is a formula of the number of a time, ``width(m)`` one of the length of a step, both in the inputs.
    """

    N: Any
    t0: Any
    h: Any
    y0: Any
    theta: Any
    n: Any
    m: Any
    i: Any
    time: Callable[[Any], Any]
    width: Callable[[Any], Any]

    def times(self) -> Formula:
        """The times as the solver is given them."""
        return tensor(self.time(self.n), (self.n, 0, self.N))

    def asked(self) -> Function:
        """f as the solver is given it."""
        return right_side(self.i)


def right_side(i: Any) -> Function:
    """f as a solver is given it, whose component is ``i``."""
    t, state = Symbol("t", real=True), IndexedBase("y", real=True)
    return function((t, state), velocity(i, t, along(state)), (i, 0, D - 1))


def along(state: Any, *at: Any) -> Callable[[Any], Any]:
    """The components of a state, or of that at some indices, as f asks for them."""
    return lambda component: state[(*at, component)]


def choices(c: Board) -> None:
    """Which problem, and whether time rises or falls."""
    for choice in (PROBLEMS, DIRECTION):
        c.choice(choice.name, choice.options)


def host(c: Board, low: float = 0.125, high: float = 0.5) -> tuple[Any, Any]:
    """The first time and the width of every step, as hyper-parameters."""
    typical = tuple(x for x in (0.5, 0.25, 0.125) if low <= x <= high)
    return c.hyper("t0", -1, 1, typical=(0.0, 1.0)), c.hyper("h", low, high, typical=typical)


def state(c: Board) -> tuple[Any, Any]:
    """The state at the first time, and the parameters of f."""
    y0, theta = (c.real(name, D, low=-1, high=1) for name in ("y0", "theta"))
    return y0, theta


def problem(
    c: Board,
    steps: tuple[int, int] | None = (1, 3),
    width: tuple[float, float] = (0.125, 0.5),
    equal: bool = False,
) -> Problem:
    """The domains of a problem, and its indices: N steps (one, if ``steps`` is None), each of its own width.

    ``steps`` are the fewest and the most; where these are the same, no other number is claimed. ``equal`` steps have
    one width, which is a hyper-parameter, as the first time then is.
    """
    N = 1 if steps is None else c.size("N", *steps, closed=steps[0] == steps[1])
    choices(c)
    low, high = width
    t0, h = host(c, low, high) if equal else (c.real("t0", low=-1, high=1), c.real("h", N, low=low, high=high))
    y0, theta = state(c)
    n, m, i = c.index("n", 0, N), c.index("m", 0, N - 1), c.index("i", 0, D - 1)

    def time(n: Any) -> Expr:
        return t0 + SIGN * (n * h if equal else Sum(h[q], (q, 0, n - 1)))

    return Problem(N, t0, h, y0, theta, n, m, i, time, lambda m: SIGN * (h if equal else h[m]))


def grid(c: Board, of: Problem) -> tuple[Any, Any]:
    """The times ``t[n]``, and the steps ``step[m]`` that a solver sees between them, as definitions."""
    t = c.let("t", of.n, of.time(of.n))
    return t, c.let("step", of.m, t[of.m + 1] - t[of.m])


def a_step(p: Bench, of: Problem) -> Theorem:
    """The difference of two times is the width that was given."""
    step = IndexedBase("step", real=True)
    return p.have("a step", step[of.m], "=", of.width(of.m), lambda b: b.left.unfold("step", "t"))


def way(start: Any, added: Any, n: Any) -> Any:
    """Where the steps before time n lead: ``start + added[0] + ... + added[n - 1]``, of what the step after n adds."""
    return start + Sum(added.xreplace({n: q}), (q, 0, n - 1))


def unrolled(
    p: Bench, y: Any, start: Any, added: Any, n: Any, fill: Callable[[Bench], Any], given: Sequence[Any] = ()
) -> Theorem:
    """A run is where it starts and the sum of what its steps add: ``y``, the entry at time n, is its :func:`way`.

    ``fill`` shows what one step adds.
    """
    before = {n: n - 1}
    one = p.have("one step", y, "=", y.xreplace(before) + added.xreplace(before), fill, given=[n >= 1, *given])
    return p.induction(
        "the way so far", (y, way(start, added, n)), on=n, given=given,
        step=lambda b, so_far: b.left.rewrite(one).rewrite(so_far),
    )  # fmt: skip
