"""What one subgradient is sufficient for: steps on convex functions, not the chain rule (notes, section 1.2.3)."""

from typing import Any

from sympy import Abs, Eq, Integer, Le, Max, Min, Piecewise, Rational, Sum, Symbol, false, symbols

from gnomon.derivations.backprop.act import X as NUMBER
from gnomon.derivations.backprop.act import instead, out
from gnomon.derivations.backprop.act import x as z
from gnomon.derivations.training.subdiff import (
    FEATURES,
    LEADING,
    OFFSETS,
    SECTION,
    SLOPES,
    STRUCTURE,
    TAKEN,
    X,
    at_x,
    at_y,
    best_x,
    best_y,
    dot,
    fx,
    fy,
    g,
    greatest_at,
    i,
    indexed,
    n,
    slopes,
    x,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import positive, real, symbols_of

# ------------------------------------------------------------------ one is sufficient: for what?

GOAL, RATE = real("z", FEATURES), positive("lr", high=4, host=True, typical=(1.0, 0.1))
goal, lr = symbols_of((GOAL, RATE))
moved = indexed("moved")[0]
CLOSER = Relation(
    dot(lambda i: moved[i] - goal[i], lambda i: moved[i] - goal[i]),
    "<=",
    dot(lambda i: x[i] - goal[i], lambda i: x[i] - goal[i])
    - 2 * lr * (fx - fy)
    + lr**2 * dot(lambda i: g[i], lambda i: g[i]),
)
after, best_after = indexed("after", "best_after")
f_after = Symbol("f_after", real=True)


def step_proof() -> Derivation:
    d = Symbol("d", integer=True, positive=True)
    here, there, grad = indexed("x", "z", "g")
    rate, room = Symbol("rate", positive=True), Symbol("room", nonnegative=True)
    a, b, step = symbols("a b step", real=True)

    def square(entry: Any) -> Any:
        return Sum(entry(i) ** 2, (i, 0, d - 1))

    return Derivation(
        (
            Step(
                "rewrite",
                square(lambda i: here[i] - rate * grad[i] - there[i]),
                square(lambda i: here[i] - there[i])
                - 2 * rate * Sum(grad[i] * (here[i] - there[i]), (i, 0, d - 1))
                + rate**2 * square(lambda i: grad[i]),
                why="the square of the new distance from z, multiplied out",
                wrong=(square(lambda i: here[i] - there[i]) + rate**2 * square(lambda i: grad[i]),),
            ),
            Step(
                "inequality",
                Le(-2 * rate * (a - b + room), -2 * rate * (a - b), evaluate=False),
                2 * rate * room,
                why="<g, x - z> is at least f(x) - f(z): that is what makes g a subgradient, and one g will do",
            ),
            Step(
                "refute",
                Le(Abs(a - step), Abs(a)),
                false,
                why="but f itself may rise: |x| from 1/4 to 3/4 with a step of 1",
                by=({a: Rational(1, 4), step: 1},),
            ),
        ),
        "every number of pieces and features",
    )


step = Claim(
    id="subdiff.one_suffices",
    section=SECTION,
    kind="inequality",
    title="A step along one subgradient leads closer to a minimum, as long as it is short, though f may rise",
    subject="subdifferential.subgradient_step",
    driver="function",
    structure=STRUCTURE,
    inputs=(SLOPES, OFFSETS, X, GOAL, RATE),
    options={"arguments": ("slopes", "offsets", "x", "lr")},
    program=Program(
        (
            *greatest_at(x, at_x, best_x, fx),
            *greatest_at(goal, at_y, best_y, fy),
            LEADING,
            TAKEN,
            (moved[i], x[i] - lr * g[i]),
            *greatest_at(moved, after, best_after, f_after),
        ),
        (Output("moved", moved[i], (i, 0, n - 1)), Output("g", g[i], (i, 0, n - 1))),
    ),
    relation=CLOSER,
    statement=Le(
        Sum((moved[i] - goal[i]) ** 2, (i, 0, n - 1)),
        Sum((x[i] - goal[i]) ** 2 + lr**2 * g[i] ** 2, (i, 0, n - 1)) - 2 * lr * (fx - fy),
        evaluate=False,
    ),
    conditions=("for every z", "f is convex, here the greatest of affine functions"),
    derivation=step_proof,
    variants=(
        Variant(
            "every step descends",
            "known misbelief: as for gradients and short steps",
            relation=Relation(f_after, "<=", fx),
            why="|x| from 1/4 with a step of 1",
        ),
        Variant("uphill", "known bug: sign", ((moved[i], x[i] + lr * g[i]),)),
        Variant(
            "always closer",
            "known misreading: the square of the step left out",
            relation=Relation(CLOSER.lhs, "<=", CLOSER.rhs - lr**2 * dot(lambda i: g[i], lambda i: g[i])),
        ),
        Variant("slope of the first piece", "known bug: whether active or not", ((g[i], slopes[0, i]),)),
    ),
    remarks="The notes' sentence is true of subgradient methods on convex functions; see the two claims below for what "
    "it is not true of.",
)

CHOICE = real("slope", low=0, high=1, host=True, typical=(0.0, 0.5, 1.0))
(choice,) = symbols_of((CHOICE,))
total = Symbol("total", real=True)


def chain_proof() -> Derivation:
    t, c = Symbol("t", real=True), Symbol("c", nonnegative=True)
    return Derivation(
        (
            Step("rewrite", Max(t, 0) - Max(-t, 0), t, why="the function is x, of slope 1", wrong=(Abs(t),)),
            Step(
                "differentiate",
                c * t - c * (-t),
                2 * c,
                why="at 0 autograd takes ReLU for the line of slope c: c from the first, and c from the second",
                by=(t,),
                wrong=(Integer(0) * c, c),
            ),
            Step(
                "solve", Eq(2 * c, 1), Rational(1, 2), why="which is right for one choice", by=(c,), wrong=(Integer(1),)
            ),
        ),
        "every choice at the kink",
    )


chain = Claim(
    id="subdiff.one_suffices.chain_rule",
    section=SECTION,
    kind="equality",
    title="Autograd's slope of relu(x) - relu(-x) at 0 is twice the slope chosen for ReLU, though the function is x",
    subject="subdifferential.identity_by_relus",
    driver="derivatives",
    inputs=(NUMBER, CHOICE),
    options={"orders": {"total": 1}, "arguments": ("x", "slope")},
    program=Program(((total, Piecewise((2 * choice, Eq(z, 0)), (1, True))),), out(total, "total")),
    statement=Eq(total, Piecewise((2 * choice, Eq(z, 0)), (1, True))),
    conditions=("ReLU's slope at 0 is any of its subgradients, from 0 to 1",),
    derivation=chain_proof,
    variants=(
        instead(
            "one subgradient of each part is sufficient",
            "notes, read for backpropagation",
            total,
            Integer(1),
            why="the derivative is 1; with torch's 0 for ReLU the chain rule says 0",
            printed=True,
        ),
        instead("the choice itself", "known bug: one of the two", total, Piecewise((choice, Eq(z, 0)), (1, True))),
        instead("no slope at the kink", "torch, whatever the choice", total, Piecewise((0, Eq(z, 0)), (1, True))),
    ),
    gradient=False,
    remarks="The second derivative is not looked at: it is 0 on both sides, and autograd has none for a choice.",
)

POINTS = real("points", 2, FEATURES)
(points,) = symbols_of((POINTS,))
share, size, along, near = symbols("share size along near", real=True)
edge = indexed("edge")[0]
CLOSEST = (
    (edge[i], points[1, i] - points[0, i]),
    (size, dot(lambda i: edge[i], lambda i: edge[i])),
    (along, -dot(lambda i: edge[i], lambda i: points[0, i])),
    (share, Piecewise((Max(0, Min(1, along / size)), size > 0), (0, True))),
    (g[i], points[0, i] + share * edge[i]),
)


def least_proof() -> Derivation:
    t, a, b = symbols("t a b", real=True)
    length, room = Symbol("c", positive=True), Symbol("r", nonnegative=True)
    u = Symbol("u", real=True)
    return Derivation(
        (
            Step(
                "differentiate",
                a + 2 * t * b + t**2 * length,
                2 * (b + t * length),
                why="the square along the edge",
                by=(t,),
            ),
            Step("solve", Eq(b + t * length, 0), -b / length, why="is least at one point of its line", by=(t,)),
            Step(
                "rewrite",
                (a + 2 * t * b + t**2 * length) - (a - b**2 / length),
                length * (t + b / length) ** 2,
                why="and grows on both sides: outside of the edge, its nearer end is closest",
                wrong=(length * (t - b / length) ** 2,),
            ),
            Step(
                "inequality",
                Le(-(u**2 + room), -(u**2), evaluate=False),
                room,
                why="<a, g> ≥ |g|² for every a of the set, g being closest: so along -g f falls at the rate |g|",
            ),
        ),
        "two active pieces, every number of features",
        lift="coordinate",
    )


least = Claim(
    id="subdiff.one_suffices.least_norm",
    section=SECTION,
    kind="equality",
    title="The subgradient that points downhill is the one closest to zero",
    subject="subdifferential.least_norm",
    driver="function",
    structure=(FEATURES,),
    inputs=(POINTS,),
    program=Program(CLOSEST, (Output("g", g[i], (i, 0, n - 1)),)),
    statement=Eq(g[i], points[0, i] + share * (points[1, i] - points[0, i])),
    conditions=("two active pieces", "share = clip(-<a₁ - a₀, a₀> / |a₁ - a₀|², 0, 1)"),
    derivation=least_proof,
    variants=(
        instead("first of them", "torch, max(dim) on a tie", share, Integer(0)),
        instead("their mean", "torch, amax on a tie", share, Rational(1, 2)),
        instead(
            "on the line, not the edge",
            "known bug: share not clipped",
            share,
            Piecewise((along / size, size > 0), (0, True)),
        ),
        instead("sign of the share", "known bug", along, dot(lambda i: edge[i], lambda i: points[0, i])),
        Variant(
            "the smaller of both",
            "known bug: an end in the place of the edge",
            ((share, Piecewise((1, -2 * along + size < 0), (0, True))),),
        ),
    ),
    remarks="Any other subgradient may lead uphill: of |x₁| + 2|x₂| at (1, 0), take (1, 2).",
)

CLAIMS = (step, chain, least)
