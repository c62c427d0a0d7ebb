"""The error of solvers with fixed steps where the solution is known: on y' = rate y, and on polynomials in t (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Integral, Le, Piecewise, Sum, Symbol, exp, factorial, false

from gnomon.derivations.initial_value import HOST_WIDTH, N, a, b, coefficients, i, j, k, n, s, y
from gnomon.derivations.trees import EULER, RK4, Tableau, stability
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, positive, real

SECTION = "2.2"
STATE = IndexedBase("y", real=True)
width = HOST_WIDTH.symbol
H, z = Symbol("H", positive=True), Symbol("z", real=True)

# ---------------------------------------------------------------- the error on y' = rate y

MANY = Size("N", 1, 6)
END = IndexedBase("end", real=True)
TABLEAUX = {"euler": EULER, "rk4": RK4}
rate, start = Symbol("rate", real=True), IndexedBase("y0", real=True)


def linear(method: Tableau, rate: Any, start: Any) -> tuple[tuple[Any, Any], ...]:
    """Steps of a method on ``y' = rate y``."""
    stage = rate * (y[n] + width * Sum(a[s, j] * k[n, j], (j, 0, s - 1)))
    moved = y[n - 1] + width * Sum(b[s] * k[n - 1, s], (s, 0, method.stages - 1))
    return (*coefficients(method)[:2], (k[n, s], stage), (y[n], Piecewise((start, Eq(n, 0)), (moved, True))))


def lagrange(power: int) -> Step:
    return cite(
        f"Taylor's theorem with Lagrange's remainder: exp(z) differs from its terms below z**{power} by "
        f"exp(xi) z**{power}/{power}!, with xi between 0 and z"
    )


def telescope() -> Step:
    """What the errors of N steps add up to, in units of the last power of R; E is exp(z) over R."""
    ratio = Symbol("E", positive=True)
    return Step(
        "sum",
        (ratio - 1) * Sum(ratio**j, (j, 0, N - 1)),
        ratio**N - 1,
        why="the error of N steps is the sum of the errors of each, carried along by the steps after it",
        wrong=(ratio ** (N - 1) - 1,),
    )


def order_proof(method: Tableau, order: int) -> Any:
    def proof() -> Derivation:
        x, size_ = IndexedBase("x", real=True), Symbol("r", nonnegative=True)
        factor, first = Symbol("R", real=True), Symbol("x0", real=True)
        terms = sum(z**power / factorial(power) for power in range(order + 1))
        remainder = size_ ** (order + 1) / factorial(order + 1) * exp(size_)
        return Derivation(
            (
                *(
                    [Step("rewrite", stability(method, z), terms, why="what a step multiplies by, with z = rate h")]
                    if order > 1
                    else []
                ),
                Step(
                    "induction",
                    Eq(x[n], factor * x[n - 1]),
                    first * factor**n,
                    why="and so do n steps, n times",
                    by=(n, 0, first),
                ),
                lagrange(order + 1),
                telescope(),
                Step(
                    "rewrite",
                    N * exp(size_ * (N - 1)) * remainder,
                    N * size_ ** (order + 1) / factorial(order + 1) * exp(N * size_),
                    why="N errors, each at most the remainder at r = |z|, carried by N - 1 factors of at most exp(r)",
                    wrong=(N * size_ ** (order + 1) / factorial(order + 1) * exp((N - 1) * size_),),
                ),
            ),
            "every number of steps",
        )

    return proof


def _error_bound(power: int) -> Relation:
    length = Abs(rate * width)
    bound = Abs(start[0]) * N * length**power / factorial(power) * exp(N * length)
    return Relation(Abs(END[0] - start[0] * exp(N * rate * width)), "<=", bound)


def _order(name: str, order: int) -> Claim:
    relation, method = _error_bound(order + 1), TABLEAUX[name]
    lets = linear(method, rate, start[0])
    late = Piecewise((start[0], n <= 1), (lets[-1][1].args[-1][0], True))
    return Claim(
        id=f"solver.{name}.order",
        section=SECTION,
        title=f"Order {order}: the error of N steps is at most N |z|^{order + 1}/{order + 1}! exp(N |z|)",
        kind="order",
        subject="ode.odeint",
        driver="ode_rows",
        structure=(MANY,),
        inputs=(HOST_WIDTH, real("rate", low=-2, high=2), real("y0", 1, low=-2, high=2)),
        program=Program(lets, (Output("end", y[N], (i, 0, 0)),)),
        statement=Le(relation.lhs, relation.rhs),
        relation=relation,
        derivation=order_proof(method, order),
        variants=(
            Variant(f"order {order + 1}", "wrong claim", relation=_error_bound(order + 2)),
            Variant("a step too few", "known bug", ((y[n], late),)),
        ),
        options={
            "rhs": Output("slope", rate * STATE[i], (i, 0, 0)),
            "times": Output("t", n * width, (n, 0, N)),
            "method": name,
        },
        remarks="For y' = rate y, with z = rate h. The bound is derived, not fitted.",
    )


growing, above = Symbol("rate", positive=True), IndexedBase("y0", positive=True)


def _shortfall(share: int) -> Relation:
    step = growing * width
    least = above[0] * share * N * step**2 / 2 * (1 + step) ** (N - 1)
    return Relation(above[0] * exp(N * step) - END[0], ">=", least)


def sharp_proof() -> Derivation:
    step, middle, more = Symbol("z", nonnegative=True), Symbol("xi", nonnegative=True), Symbol("d", nonnegative=True)
    return Derivation(
        (
            lagrange(3),
            Step(
                "inequality",
                Ge(step**2 / 2 + exp(middle) * step**3 / 6, step**2 / 2, evaluate=False),
                exp(middle) * step**3 / 6,
                why="one step falls short by what exp(z) has beyond 1 + z, which is z**2/2 at least",
            ),
            telescope(),
            Step(
                "sum",
                more * Sum((1 + more) ** i, (i, 0, j - 1)),
                (1 + more) ** j - 1,
                why="exp(z) over 1 + z is 1 + d with d >= 0: no power of it is less than 1, so that N terms are at "
                "least N",
            ),
        ),
        "every number of steps",
    )


SHARP = Claim(
    id="solver.euler.order_sharp",
    section=SECTION,
    title="On growth Euler's method falls short by N z²/2 (1 + z)^(N - 1) at least: its order is not 2",
    kind="order",
    subject="ode.odeint",
    driver="ode_rows",
    structure=(MANY,),
    inputs=(HOST_WIDTH, positive("rate", high=2), positive("y0", 1, high=2)),
    program=Program(linear(EULER, growing, above[0]), (Output("end", y[N], (i, 0, 0)),)),
    statement=Ge(_shortfall(1).lhs, _shortfall(1).rhs),
    relation=_shortfall(1),
    derivation=sharp_proof,
    variants=(
        Variant("twice the error", "wrong claim", relation=_shortfall(2)),
        Variant(
            "the midpoint rule",
            "another method",
            (
                (
                    y[n],
                    Piecewise((above[0], Eq(n, 0)), (y[n - 1] + width * (1 + width * growing / 2) * k[n - 1, 0], True)),
                ),
            ),
        ),
    ),
    options={
        "rhs": Output("slope", growing * STATE[i], (i, 0, 0)),
        "times": Output("t", n * width, (n, 0, N)),
        "method": "euler",
    },
)

# ---------------------------------------------------------------- integrals

DEGREE = Size("degree", 0, 3)
TIME, WIDE = real("t0", low=-1, high=1), real("h", low=0.125, high=1)
COEFFICIENTS = real("p", DEGREE.symbol + 1, low=-2, high=2)
degree, begin, wide, p = DEGREE.symbol, TIME.symbol, WIDE.symbol, COEFFICIENTS.symbol
begun, ended, end = IndexedBase("y0", real=True), Symbol("t1", real=True), Symbol("end", real=True)


def polynomial(time: Any) -> Any:
    return Sum(p[j] * time**j, (j, 0, degree))


_EXACT = begun[0] + Sum(p[j] * (ended ** (j + 1) - begin ** (j + 1)) / (j + 1), (j, 0, degree))
_TO_END = (ended, begin + wide)
_SPAN = ended - begin


def simpson_proof() -> Derivation:
    c0, c1, c2, c3, c4 = (Symbol(f"c{power}", real=True) for power in range(5))
    time, at = Symbol("t", real=True), Symbol("tau", real=True)

    def f(x: Any) -> Any:
        return c0 + c1 * x + c2 * x**2 + c3 * x**3

    return Derivation(
        (
            Step(
                "integrate",
                Integral(f(time), (time, at, at + H)),
                H / 6 * (f(at) + 4 * f(at + H / 2) + f(at + H)),
                why="where f does not look at the state, k2 = k3, and the method is Simpson's rule",
                wrong=(H / 2 * (f(at) + f(at + H)),),
            ),
            Step(
                "refute",
                Eq(H / 6 * c4 * (4 * (H / 2) ** 4 + H**4), c4 * H**5 / 5),
                false,
                why="which is not exact for t**4: 5/24 instead of 1/5",
                by=({H: 1, c4: 1},),
            ),
        ),
        "every polynomial of degree 3",
    )


SIMPSON = Claim(
    id="solver.rk4.simpson",
    section=SECTION,
    title="Where f is a polynomial in t of degree 3 or less, the classical method is exact",
    kind="equality",
    subject="ode.odeint",
    driver="ode",
    structure=(DEGREE,),
    inputs=(TIME, WIDE, COEFFICIENTS, real("y0", 1, low=-2, high=2)),
    program=Program(
        (
            _TO_END,
            (
                end,
                begun[0] + _SPAN / 6 * (polynomial(begin) + 4 * polynomial(begin + _SPAN / 2) + polynomial(ended)),
            ),
        ),
        (Output("end", end, (i, 0, 0)),),
    ),
    definition=Program((_TO_END, (end, _EXACT)), (Output("end", end, (i, 0, 0)),)),
    statement=Eq(end, _EXACT),
    derivation=simpson_proof,
    variants=(
        Variant("exact for degree 4 too", "wrong claim", structure=(Size("degree", 0, 4),)),
        Variant(
            "the trapezoidal rule",
            "another method",
            ((end, begun[0] + _SPAN / 2 * (polynomial(begin) + polynomial(ended))),),
        ),
        Variant("the midpoint rule", "another method", ((end, begun[0] + _SPAN * polynomial(begin + _SPAN / 2)),)),
    ),
    options={
        "rhs": Output("slope", polynomial(Symbol("t", real=True)), (i, 0, 0)),
        "times": Output("t", begin + n * wide, (n, 0, 1)),
        "method": "rk4",
    },
)

CLAIMS = (_order("euler", 1), SHARP, _order("rk4", 4), SIMPSON)
