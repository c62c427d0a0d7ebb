"""The augmented system: state, adjoint and gradient, and what its right-hand side is in derivatives (2.3.2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Sum, Symbol

from gnomon.derivations.ode.initial_value import FIELD, PARTIALS, PROBLEMS, VARIABLES, D, cases, pulled, velocity
from gnomon.derivations.ode.problem import along
from gnomon.derivations.ode.trees import RK4, THREE_EIGHTHS, Tableau, entry, entry_of
from gnomon.proof.bench import Bench
from gnomon.proof.terms import mentioned
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import function
from gnomon.say.maker import claim

SECTION = "2.3.2"
READ_AS_COLUMN = "a row read as a column"
S = Symbol("S", integer=True, positive=True)
METHODS = {"rk4": {S: 4}, "euler": {S: 1}}  # the first is looked at in every run, and more can go wrong in four stages


def weights(method: Tableau, s: Any) -> Any:
    """``b`` of Euler's method if there is one stage, and of ``method`` if there are four."""
    return Piecewise((1, Eq(S, 1)), *entry(method.b, s).args, evaluate=False)


def coefficients(c: Board, s: Any, j: Any) -> tuple[Any, Any, Any]:
    """``a``, ``b`` and ``c`` of Euler's method or of the classical one."""
    a, b = c.let("a", (s, j), entry_of(RK4.a, s, j)), c.let("b", s, weights(RK4, s))
    return a, b, c.let("c", s, entry(RK4.c, s))


def other_rk4(c: Board, s: Any, j: Any) -> None:
    """A variant: another method of order 4."""
    rule = THREE_EIGHTHS
    lets = {"a": entry_of(rule.a, s, j), "b": weights(rule, s), "c": entry(rule.c, s)}
    c.variant('the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", lets=lets)


def pushed(index: Any, time: Any, state: Any, by: Any, theta: Any) -> Any:
    """Component ``index`` of the Jacobian times the column ``by``: what one transposition too many makes of it."""
    args = (time, *map(state, range(D)), *(theta[place] for place in range(D)))
    columns = list(enumerate(VARIABLES[1 : 1 + D]))
    return cases([sum(PARTIALS[row, name](*args) * by(place) for place, name in columns) for row in range(D)], index)


def power(c: Board, theta: Any, stage: tuple[Any, ...], i: Any, time: Any, z: Any, a: Any) -> SimpleNamespace:
    """``a . f`` at a point of each stage, where state, adjoint and parameters may be moved by themselves.

    Its derivatives by the three are the right-hand sides of the state, and minus those of the adjoint and of the
    gradient.
    """
    of = SimpleNamespace(i=i)
    names = {"z": z(i), "a": a(i), "theta": theta[i]}
    at = {name: c.let(f"{name}_here", (*stage, i), e) for name, e in names.items()}
    spot = (time, *(at["z"][(*stage, k)] for k in range(D)), *(at["theta"][(*stage, k)] for k in range(D)))
    work = sum(at["a"][(*stage, row)] * f(*spot) for row, f in enumerate(FIELD))
    of.work = c.let("power", stage, work)[stage]
    of.by = {name: c.D(of.work, symbol[(*stage, i)]) for name, symbol in at.items()}
    of.here = [f"{name}_here" for name in names]
    c.smooth(*FIELD)
    return of


def shows(p: Bench, words: str, slope: Any, sign: int, of: SimpleNamespace, name: str) -> Theorem:
    """The theorem that a slope of the program is a derivative of the power."""

    def each(b: Bench, _: int) -> None:
        b.left.unfold(slope)
        b.right.unfold(of.by[name], f"∂{name}_here/∂{name}_here")
        for here in of.here:
            if here in mentioned(b.right.now):
                b.right.unfold(here)

    return p.have(words, slope, "=", sign * of.by[name], lambda b: b.every(of.i, D, each))


@claim("adjoint.dynamics.augmented", SECTION, "ode.adjoint_backward")
def augmented(c: Board) -> None:
    """State, adjoint and gradient are one system of equations, solved from t1 to t0."""
    method = c.choice("method", METHODS)
    c.choice(PROBLEMS.name, PROBLEMS.options)
    t0, t1 = c.real("t0", low=-0.25, high=0), c.real("t1", low=0.25, high=0.5)
    z1, a1 = c.real("z1", D, low=-1, high=1), c.real("a1", D, low=-2, high=2)
    theta = c.real("theta", D, low=-1, high=1)
    (s, j), i = c.indices("s j", S), c.index("i", D)
    a, b, nodes = coefficients(c, s, j)
    way = t0 - t1
    time = t1 + nodes[s] * way
    z_slope, a_slope = (IndexedBase(name, real=True) for name in ("z_slope", "a_slope"))

    def point(name: str, slopes: Any, begin: Any) -> Any:
        return c.let(name, (s, i), begin + way * Sum(a[s, j] * slopes[j, i], (j, 0, s - 1)))

    def moved(slope: Any, begin: Any) -> Any:
        return begin + way * Sum(b[s] * slope, (s, 0, S - 1))

    z_point, a_point = point("z_point", z_slope, z1[i]), point("a_point", a_slope, a1[i])
    z, adj = along(z_point, s), along(a_point, s)
    c.let("z_slope", (s, i), velocity(i, time, z))
    c.let("a_slope", (s, i), -pulled(i, time, z, adj))
    g_slope = c.let("g_slope", (s, i), -pulled(i, time, z, adj, "parameters"))
    ends = {"z0": (z_slope, z1[i], 1, "a"), "a0": (a_slope, a1[i], -1, "z"), "grad_theta": (g_slope, 0, -1, "theta")}
    of = power(c, theta, (s,), i, time, z, adj)
    for name, (slope, begin, sign, by) in ends.items():
        words = f"the right-hand side of {name}"
        end = c.let(name, i, moved(slope[s, i], begin))
        c.law(end[i], moved(sign * of.by[by], begin))
        c.prove(lambda p, end=end, at=(words, slope[s, i], sign, of, by): p.left.unfold(end).rewrite(shows(p, *at)))
        c.law(slope[s, i], sign * of.by[by])
        c.prove(lambda p, at=(words, slope[s, i], sign, of, by): p.left.rewrite(shows(p, *at)))

    t, y = Symbol("t", real=True), IndexedBase("y", real=True)
    f = function((t, y, theta), velocity(i, t, along(y)), (i, 0, D - 1))
    c.call(f, t0, t1, z1, a1, [theta], method=method).shows("z0", "a0", "grad_theta")
    other_rk4(c, s, j)
    c.variant("Jacobian not transposed", READ_AS_COLUMN, a_slope=-pushed(i, time, z, adj, theta))
    c.variant("gradient with the other sign", "known bug", g_slope=pulled(i, time, z, adj, "parameters"))
    c.variant(
        "gradient from the state at t1 alone", "known bug", g_slope=-pulled(i, time, along(z1), adj, "parameters")
    )
    on = t1 - nodes[s] * way
    c.variant(
        "time runs on where the state runs back",
        "known bug",
        z_slope=velocity(i, on, z),
        a_slope=-pulled(i, on, z, adj),
    )
    c.remark(
        "One step of each method: what several steps add is in adjoint.initial_gradient and adjoint.param_gradient."
    )
