"""Subgradients: their definition, the shape of the set of them, and when there are any (notes, section 1.2.3)."""

from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Integer, Le, Max, Min, Piecewise, Sum, Symbol, false, oo, sqrt, symbols

from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, nonnegative, positive, real, simplex, symbols_of

SECTION = "1.2.3"
FEATURES, PIECES = Size("n", 1, 3), Size("m", 1, 4)
STRUCTURE = (FEATURES, PIECES)
SLOPES, OFFSETS = real("slopes", PIECES, FEATURES), real("offsets", PIECES)
X, Y = real("x", FEATURES), real("y", FEATURES)
ORIGIN = real("x", FEATURES, low=0, high=0)
n, m = symbols_of(STRUCTURE)
slopes, offsets, x, y = symbols_of((SLOPES, OFFSETS, X, Y))
i, j, k = symbols("i j k", integer=True)
fx, fy, slope = symbols("fx fy slope", real=True)
BUILD = {"build": ("slopes", "offsets")}


def indexed(*names: str) -> tuple[Any, ...]:
    return tuple(IndexedBase(name, real=True) for name in names)


at_x, at_y, best_x, best_y, chosen, g, top, share = indexed(
    "at_x", "at_y", "best_x", "best_y", "chosen", "g", "top", "share"
)


def running(best: Any, values: Any, greater: Any = Max) -> tuple[Any, Any]:
    """The greatest of the values so far."""
    return best[k], Piecewise((values[0], Eq(k, 0)), (greater(best[k - 1], values[k]), True))


def greatest_at(point: Any, values: Any, best: Any, total: Any, greater: Any = Max) -> tuple[tuple[Any, Any], ...]:
    """f at a point, from its pieces."""
    piece = Sum(slopes[k, i] * point[i], (i, 0, n - 1)) + offsets[k]
    return (values[k], piece), running(best, values, greater), (total, best[m - 1])


def dot(first: Any, second: Any, size: Any = n) -> Any:
    """The product of two vectors, given by their entries."""
    return Sum(first(i) * second(i), (i, 0, size - 1))


# ------------------------------------------------------------------ the definition


def first_piece(ahead: Any) -> tuple[Any, Any]:
    """The slope of the piece that is the first to reach the maximum."""
    later = Piecewise((slopes[k, i], ahead(at_x[k], best_x[k - 1])), (chosen[k - 1, i], True))
    return chosen[k, i], Piecewise((slopes[0, i], Eq(k, 0)), (later, True))


LEADING = first_piece(lambda new, old: new > old)
TAKEN = (g[i], chosen[m - 1, i])
BELOW = Relation(fx + dot(lambda i: g[i], lambda i: y[i] - x[i]), "<=", fy)


def definition_proof() -> Derivation:
    a, point, there = indexed("a", "x", "y")
    b, height = symbols("b M", real=True)
    d, slack = Symbol("d", integer=True, positive=True), Symbol("s", nonnegative=True)
    s, t = symbols("s t", real=True)

    def piece(at: Any) -> Any:
        return Sum(a[i] * at[i], (i, 0, d - 1)) + b

    return Derivation(
        (
            Step(
                "rewrite",
                piece(point) + Sum(a[i] * (there[i] - point[i]), (i, 0, d - 1)),
                piece(there),
                why="an active piece is f at x; the plane through there with its slope is that piece",
                wrong=(piece(point),),
            ),
            Step(
                "inequality",
                Le(height - slack, height, evaluate=False),
                slack,
                why="which at y, as everywhere, is below the maximum by some s",
            ),
            Step(
                "refute",
                Ge(-Abs(t), s * t),
                false,
                why="-|x| has no subgradient at 0: of the slopes from -1 to 1, which Clarke's set holds, none will do",
                by=({s: 1, t: 1}, {s: 0, t: 1}, {s: -1, t: -1}),
            ),
        ),
        "every number of pieces and features",
    )


definition = Claim(
    id="subdiff.definition",
    section=SECTION,
    kind="inequality",
    title="A subgradient at x is the slope of a plane through (x, f(x)) that is nowhere above the graph",
    subject="subdifferential.MaxAffine",
    driver="object",
    structure=STRUCTURE,
    inputs=(X, Y, SLOPES, OFFSETS),
    options={**BUILD, "looks": {"g": (("subgradient", "x"),)}},
    program=Program(
        (*greatest_at(x, at_x, best_x, fx), *greatest_at(y, at_y, best_y, fy), LEADING, TAKEN),
        (Output("g", g[i], (i, 0, n - 1)),),
    ),
    relation=BELOW,
    statement=fx + Sum(g[i] * (y[i] - x[i]), (i, 0, n - 1)) <= fy,
    conditions=("for every y", "f is convex, here the greatest of affine functions"),
    derivation=definition_proof,
    variants=(
        Variant(
            "the notes' four properties for a definition",
            "notes",
            (
                *greatest_at(x, at_x, best_x, fx, Min),
                *greatest_at(y, at_y, best_y, fy, Min),
                first_piece(lambda new, old: new < old),
            ),
            printed=True,
            why="closed, not empty, the gradient alone where there is one: Clarke's set is all that for -|x|, too, and "
            "holds no subgradient at 0",
        ),
        Variant("slope of the last piece", "known bug: off by one", ((g[i], slopes[m - 1, i]),)),
        Variant(
            "mean of all slopes",
            "known bug: pieces that are not active",
            ((g[i], Sum(slopes[k, i], (k, 0, m - 1)) / m),),
        ),
        Variant("negative", "known bug: the step for the slope", ((g[i], -chosen[m - 1, i]),)),
    ),
    remarks="The notes use the word subgradient without saying what it is.",
)

# ------------------------------------------------------------------ closed and convex

WEIGHTS = simplex("weights", PIECES, strict=True)
(weights,) = symbols_of((WEIGHTS,))
mass, height = symbols("mass height", real=True)


def counted(condition: Any) -> tuple[Any, Any]:
    """The weights of the pieces that are taken."""
    return share[k], Piecewise((weights[k], condition), (0, True))


MIXED = (g[i], Sum(share[k] * slopes[k, i], (k, 0, m - 1)) / mass)


def closed_proof() -> Derivation:
    first, second, step = indexed("g", "h", "v")
    d, lam, rise = Symbol("d", integer=True, positive=True), Symbol("lam", nonnegative=True), Symbol("F", real=True)
    p, q = symbols("p q", nonnegative=True)
    a, b, t = symbols("a b t", real=True)

    def room(entry: Any) -> Any:
        return rise - Sum(entry(i) * step[i], (i, 0, d - 1))

    return Derivation(
        (
            Step(
                "rewrite",
                room(lambda i: lam * first[i] + (1 - lam) * second[i]),
                lam * room(lambda i: first[i]) + (1 - lam) * room(lambda i: second[i]),
                why="the room that a slope leaves below f(y) is affine in the slope, whatever f is",
                wrong=(room(lambda i: first[i]) + room(lambda i: second[i]),),
            ),
            Step(
                "inequality",
                lam * p + (1 - lam) * q >= 0,
                lam * p + (1 - lam) * q,
                why="so a mixture of two subgradients leaves room",
                assume=(lam <= 1,),
            ),
            Step(
                "limit",
                rise - (a + t * b),
                rise - a,
                why="and continuous: a limit of subgradients leaves it",
                by=(t, 0),
            ),
            cite("an intersection of closed and convex sets, one for each y, is closed and convex"),
        ),
        "every function and every dimension",
    )


closed = Claim(
    id="subdiff.closed",
    section=SECTION,
    kind="inequality",
    title="The subdifferential is closed and convex: mixtures of subgradients are subgradients",
    subject="subdifferential.MaxAffine",
    driver="object",
    structure=STRUCTURE,
    inputs=(ORIGIN, Y, SLOPES, OFFSETS, WEIGHTS),
    options={**BUILD, "looks": {"g": (("subdifferential", "x"), ("point", "weights"))}},
    program=Program(
        (
            running(top, offsets),
            (height, top[m - 1]),
            counted(offsets[k] >= height),
            (mass, Sum(share[k], (k, 0, m - 1))),
            MIXED,
            *greatest_at(y, at_y, best_y, fy),
        ),
        (Output("g", g[i], (i, 0, n - 1)),),
    ),
    relation=Relation(height + dot(lambda i: g[i], lambda i: y[i]), "<=", fy),
    statement=height + Sum(g[i] * y[i], (i, 0, n - 1)) <= fy,
    conditions=("at x = 0, where ties between pieces are exact; a shift leads to any other point",),
    derivation=closed_proof,
    variants=(
        Variant(
            "mixtures of all pieces",
            "known bug: those that are not active, too",
            (counted(offsets[k] >= height - 1e9),),
        ),
        Variant("weights as they are", "known bug: not divided by the sum of those that count", ((mass, Integer(1)),)),
        Variant(
            "pieces close to the maximum", "known habit: a tolerance of 1/8", (counted(offsets[k] >= height - 0.125),)
        ),
    ),
    remarks="Also where f is not convex; the set may be empty then, which is closed.",
)

# ------------------------------------------------------------------ not empty

ROOT = (positive("x"), nonnegative("y"))
r, s = symbols_of(ROOT)
CUSP = Variant(
    "a finite slope at the end of the domain",
    "notes, without their word near",
    ((slope, -1 / (2 * Max(sqrt(r), 0.001))),),
    inputs=(nonnegative("x"),),
    why="-√x is convex, and finite at 0, but there is no subgradient: every line falls below it next to 0",
)


def nonempty_proof() -> Derivation:
    a, b = symbols("x y", positive=True)
    return Derivation(
        (
            Step(
                "differentiate",
                -sqrt(a),
                -1 / (2 * sqrt(a)),
                why="the slope inside",
                by=(a,),
                wrong=(1 / (2 * sqrt(a)),),
            ),
            Step(
                "inequality",
                -sqrt(b) >= -sqrt(a) - (b - a) / (2 * sqrt(a)),
                (sqrt(b) - sqrt(a)) ** 2 / (2 * sqrt(a)),
                why="is a subgradient",
            ),
            Step("limit", -sqrt(b) / b, -oo, why="but at 0 no slope is steep enough", by=(b, 0)),
            cite("a convex function has a subgradient wherever it is finite all around (Rockafellar, theorem 23.4)"),
        ),
        "every x > 0",
    )


nonempty = Claim(
    id="subdiff.nonempty",
    section=SECTION,
    kind="inequality",
    title="A convex function has a subgradient inside its domain; at the end it may have none",
    subject="subdifferential.negative_root",
    driver="derivatives",
    inputs=ROOT,
    options={"orders": {"slope": 1}},
    program=Program(((slope, -1 / (2 * sqrt(r))),), (Output("slope", slope),)),
    relation=Relation(slope * (s - r) - sqrt(r), "<=", -sqrt(s)),
    statement=-sqrt(r) + slope * (s - r) <= -sqrt(s),
    conditions=("f(x) = -√x is finite on both sides of x: x > 0",),
    derivation=nonempty_proof,
    variants=(
        CUSP,
        Variant("sign", "known bug: the slope of √x", ((slope, 1 / (2 * sqrt(r))),)),
        Variant("without the half", "known bug", ((slope, -1 / sqrt(r)),)),
    ),
    remarks="The notes are right: finite near x. Autograd says -inf at 0.",
)

# ------------------------------------------------------------------ differentiable

SQUARE = (real("x"), real("y"), nonnegative("weight"))
p, q, w = symbols_of(SQUARE)


def differentiable_proof() -> Derivation:
    t, weight = Symbol("t", positive=True), Symbol("w", nonnegative=True)
    free = Symbol("w", real=True)
    here, there = symbols("f_x f_y", real=True)
    a, b = symbols("x y", real=True)
    return Derivation(
        (
            Step(
                "rewrite",
                ((1 - t) * here + t * there - here) / t,
                there - here,
                why="convex: on the way from x to y, at the share t, the quotient of differences is at most this rise",
                wrong=(there,),
            ),
            cite("the quotient tends to the derivative: so that, too, is at most the rise"),
            Step("differentiate", weight * a**2 / 2, weight * a, why="of a square", by=(a,), wrong=(2 * weight * a,)),
            Step(
                "inequality",
                weight * b**2 / 2 >= weight * a**2 / 2 + weight * a * (b - a),
                weight * (b - a) ** 2 / 2,
                why="what is above the tangent",
            ),
            Step(
                "refute",
                Ge(free * b**2 / 2, free * a**2 / 2 + free * a * (b - a)),
                false,
                why="-x²/2 is differentiable at 0, and its derivative 0 is no subgradient: nothing is",
                by=({free: -1, a: 0, b: 1},),
            ),
            Step(
                "rewrite",
                (
                    (weight * (a + t) ** 2 / 2 - weight * a**2 / 2) / t,
                    (weight * (a - t) ** 2 / 2 - weight * a**2 / 2) / -t,
                ),
                (weight * a + weight * t / 2, weight * a - weight * t / 2),
                why="a subgradient is between both quotients, so that it is the derivative",
            ),
        ),
        "every convex function; the square for every weight",
    )


differentiable = Claim(
    id="subdiff.differentiable",
    section=SECTION,
    kind="inequality",
    title="Where a convex function is differentiable, its gradient is the one subgradient",
    subject="subdifferential.weighted_square",
    driver="derivatives",
    inputs=SQUARE,
    options={"orders": {"slope": 1}, "arguments": ("x", "weight")},
    program=Program(((slope, w * p),), (Output("slope", slope),)),
    relation=Relation(w * p**2 / 2 + slope * (q - p), "<=", w * q**2 / 2),
    statement=w * p**2 / 2 + slope * (q - p) <= w * q**2 / 2,
    conditions=("f(x) = w x²/2 is convex: w ≥ 0",),
    derivation=differentiable_proof,
    variants=(
        Variant(
            "without convexity",
            "notes",
            inputs=(real("weight"),),
            printed=True,
            why="-x²/2 has the derivative 0 at 0 and no subgradient: its subdifferential is empty, not {0}",
        ),
        Variant("slope without the 2 of the square", "known bug", ((slope, w * p / 2),)),
        Variant("slope of x² w", "known bug: the half forgotten", ((slope, 2 * w * p),)),
    ),
)

CLAIMS = (definition, closed, nonempty, differentiable)
