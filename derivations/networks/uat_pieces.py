"""The proof sketch of the theorem: piecewise linear functions and bumps (notes, section 1.1.1, figures)."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    IndexedBase,
    Integral,
    Le,
    Max,
    Piecewise,
    Sum,
    Symbol,
    exp,
    sin,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, cite, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, simplex, symbols_of

SECTION = "1.1.1"
i, q = symbols("i q", integer=True)
p = Symbol("p", integer=True, nonnegative=True)
x, y = symbols("x y", real=True)

# ------------------------------------------------------------------ piecewise linear

PIECES = Size("N", 1, 4)
(N,) = symbols_of((PIECES,))
GAPS = simplex("gaps", PIECES, strict=True)
VALUES = real("values", N + 1)
POINT = real("x", low=-1.0, high=2.0)
gaps, values = symbols_of((GAPS, VALUES))
t, v, slope, weight = (IndexedBase(name, real=True) for name in ("t", "v", "slope", "weight"))

KNOT = (t[i], Piecewise((0, Eq(i, 0)), (Sum(gaps[q], (q, 0, i - 1)), True)))


def sloped(inside: Any) -> tuple[Any, Any]:
    """The slopes, which are 0 before the first knot and after the last."""
    return slope[i], Piecewise((0, (i < 0) | (i >= N)), (inside, True))


SLOPE = sloped((v[i + 1] - v[i]) / (t[i + 1] - t[i]))
STEPS = (y, v[0] + Sum((v[i] - v[i - 1]) * Piecewise((1, x >= t[i]), (0, True)), (i, 1, N)))


def network(kink: Any = slope[i] - slope[i - 1], first: Any = 0, last: Any = N, start: Any = v[0]) -> tuple[Any, Any]:
    """A constant, and one ReLU unit for each knot."""
    return y, start + Sum(kink * Max(x - t[i], 0), (i, first, last))


def between(at: Any) -> Any:
    """The straight line from knot ``at`` to the next."""
    return v[at] + slope[at] * (x - t[at])


GIVEN = (v[i], values[i])
piece = IndexedBase("piece", real=True)
BY_PIECES = (
    piece[i],
    Piecewise((v[N], Eq(i, N)), (Piecewise((between(i), x < t[i + 1]), (piece[i + 1], True)), True)),
)
OUT = (Output("y", y),)


def hat_steps() -> tuple[Step, ...]:
    z = Symbol("z", nonnegative=True)
    hat = Max(x + 1, 0) - 2 * Max(x, 0) + Max(x - 1, 0)
    regions = (
        (-1 - z, 0, "left of -1"),
        (-1 + z / (1 + z), z / (1 + z), "from -1 to 0, with x = -1 + z / (1 + z)"),
        (z / (1 + z), 1 - z / (1 + z), "from 0 to 1, with x = z / (1 + z)"),
        (1 + z, 0, "right of 1"),
    )
    return tuple(Step("substitute", hat, value, f"The hat {where}", by=((x, at),)) for at, value, where in regions)


def relu_proof() -> Derivation:
    m = IndexedBase("m", real=True)
    a, b = symbols("a b", real=True)
    d, wide = symbols("d w", nonnegative=True)
    return Derivation(
        (
            define(slope[i], (v[i + 1] - v[i]) / (t[i + 1] - t[i]), "and 0 before the first knot and after the last"),
            Step(
                "rewrite",
                Sum(m[i] - m[i - 1], (i, 0, p)),
                m[p] - m[-1],
                "Between two knots the kinks so far add up to the slope there,",
                wrong=(m[p],),
            ),
            Step(
                "substitute",
                Max(x - a, 0) - Max(x - b, 0),
                wide,
                "and beyond two kinks that cancel, what is left is constant: so it is beyond the last knot.",
                by=((x, a + wide + d), (b, a + wide)),
            ),
            *hat_steps(),
        ),
        "every number of pieces",
    )


relu_hat = Claim(
    id="uat.proof.piecewise_linear.relu_hat",
    section=SECTION,
    title="Every piecewise linear function is a ReLU network with one hidden layer, a unit for each knot",
    kind="equality",
    subject="uat.PiecewiseLinear",
    driver="interpolant",
    structure=(PIECES,),
    inputs=(POINT, GAPS, VALUES),
    program=Program((KNOT, GIVEN, SLOPE, network()), OUT),
    definition=Program((KNOT, GIVEN, SLOPE, BY_PIECES, (y, Piecewise((v[0], x < 0), (piece[0], True)))), OUT),
    statement=Eq(y, network()[1]),
    conditions=("the knots increase", "beyond the knots it is constant"),
    derivation=relu_proof,
    variants=(
        Variant("no kink at the last knot", "known bug: goes on beyond it", (network(last=N - 1),)),
        Variant("no kink at the first knot", "known bug", (network(first=1),)),
        Variant("slopes for kinks", "known bug", (network(slope[i]),)),
        Variant("no constant", "known bug: zero on the left", (network(start=0),)),
        Variant("differences of the values", "right for knots 1 apart", (sloped(v[i + 1] - v[i]),)),
        Variant("steps", "piecewise constant", (STEPS,)),
    ),
    remarks="For the values 0, 1, 0 at -1, 0, 1 it is the hat, relu(x + 1) - 2 relu(x) + relu(x - 1). The constant is "
    "one more unit.",
)

# ------------------------------------------------------------------ its error

f, steepest = IndexedBase("f", real=True), IndexedBase("M", positive=True)
widest = IndexedBase("widest", positive=True)
function = Symbol("function", integer=True)
INSIDE = real("x", low=0.0, high=1.0)
FUNCTIONS = Choice("f", {name: {function: number} for number, name in enumerate(("sine", "exponential", "square"))})


def curve(at: Any) -> Any:
    return Piecewise((sin(at), Eq(function, 0)), (exp(at), Eq(function, 1)), (at**2, True))


CURVED = (steepest[0], Piecewise((sin(1), Eq(function, 0)), (exp(1), Eq(function, 1)), (2, True)))
WIDEST = (widest[i], Piecewise((gaps[0], Eq(i, 0)), (Max(widest[i - 1], gaps[i]), True)))
SAMPLED = (v[i], curve(t[i]))
bound = steepest[0] * widest[N - 1] ** 2 / 8


def error_proof() -> Derivation:
    H = Symbol("H", positive=True)
    u, s, curvature = symbols("u s c", positive=True)
    before, after = -s * (H - u) / H, -u * (H - s) / H
    peano = tuple(
        Step(
            "integrate",
            Integral(before * (s**r).diff(s, 2), (s, 0, u)) + Integral(after * (s**r).diff(s, 2), (s, u, H)),
            u**r - H ** (r - 1) * u,
            f"It gives the error on s^{r} (and 0 on 1 and s)" if r == 2 else f"and on s^{r}",
        )
        for r in (2, 3, 4, 5)
    )
    return Derivation(
        (
            *peano,
            cite("Peano's kernel theorem: for f in C^2 the error is the integral of the kernel times f''"),
            Step(
                "integrate",
                Integral(-before, (s, 0, u)) + Integral(-after, (s, u, H)),
                u * (H - u) / 2,
                "The kernel has one sign: its size integrates to this,",
            ),
            Step(
                "inequality",
                Le(u * (H - u) / 2, H**2 / 8),
                (u - H / 2) ** 2 / 2,
                "which is largest in the middle.",
            ),
            Step(
                "substitute",
                curvature * u * (H - u) / 2,
                curvature * H**2 / 8,
                "There a parabola attains it.",
                by=((u, H / 2),),
            ),
        ),
        "every f in C^2 (the kernel on powers up to 5), all knots",
        lift="pointwise",
    )


def close(limit: Any) -> Relation:
    return Relation(Abs(y - curve(x)), "<=", limit)


piecewise_linear = Claim(
    id="uat.proof.piecewise_linear",
    section=SECTION,
    title="Piecewise linear interpolation is off by at most max|f''| H^2 / 8",
    kind="order",
    subject="uat.PiecewiseLinear",
    driver="interpolant",
    structure=(PIECES, FUNCTIONS),
    inputs=(INSIDE, GAPS),
    program=Program((KNOT, SAMPLED, SLOPE, CURVED, WIDEST, network()), OUT),
    relation=close(bound),
    statement=Le(Abs(y - Symbol("f(x)")), Symbol("max|f''|") * Symbol("H") ** 2 / 8),
    conditions=(
        "f has two continuous derivatives",
        "knots are at most H apart",
    ),
    derivation=error_proof,
    variants=(
        Variant("H^2 / 16", "too tight: a parabola attains H^2 / 8", relation=close(bound / 2)),
        Variant("of third order", "too tight", relation=close(bound * widest[N - 1])),
        Variant("also beyond the knots", "condition dropped", inputs=(POINT,)),
        Variant("steps", "piecewise constant", (STEPS,)),
        Variant("no kink at the first knot", "known bug", (network(first=1),)),
    ),
    remarks="The notes give no rate. For a function that is only continuous the error is at most what it changes "
    "by over H.",
)

CLAIMS = (piecewise_linear, relu_hat)
