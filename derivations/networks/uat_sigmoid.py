"""An activation that can be computed, with which one neuron is any polynomial (notes, section 1.1.2)."""

from typing import Any

from sympy import Abs, Eq, Gt, IndexedBase, Le, Or, Piecewise, Rational, Sum, Symbol, floor, symbols

from gnomon.proof.derivation import Derivation, Step, cite, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, real, symbols_of

SECTION = "1.1.2"
LAMBDA = Rational(1, 4)
i, q = symbols("i q", integer=True, nonnegative=True)
EXACT = (
    "Arguments and values are exact fractions: in float64 the window of t^2 + 1/8, at 3.5e78, would be a single number."
)

# ------------------------------------------------------------------ the numbering of the rationals

INDEX = Size("n", 1, 3000)
RUN = 12
(start,) = symbols_of((INDEX,))
above, below, stern, number = (IndexedBase(name) for name in ("above", "below", "stern", "number"))
half = floor(q / 2)
odd = Eq(q - 2 * half, 1)


def tree(left: Any, right: Any, base: IndexedBase) -> tuple[Any, Any]:
    """What a step down the tree of fractions makes of a numerator or a denominator."""
    return base[q], Piecewise((1, Eq(q, 1)), (right, odd), (left, True))


DOWN = (
    tree(above[half], above[half] + below[half], above),
    tree(above[half] + below[half], below[half], below),
)
QUOTIENT = (number[q], above[q] / below[q])
LISTED = (Output("q", number[start + i], (i, 0, RUN - 1)),)
STERN = (
    stern[q],
    Piecewise((q, Or(Eq(q, 0), Eq(q, 1))), (stern[half] + stern[half + 1], odd), (stern[half], True)),
)


def enumeration_proof() -> Derivation:
    a, b = symbols("a b", positive=True)
    return Derivation(
        (
            define(stern[2 * q + 1], stern[q] + stern[q + 1], "Stern's sequence; stern[2 q] = stern[q]"),
            Step("inequality", Gt(1, a / (a + b)), b / (a + b), "2 n leads from a / b to a / (a + b), below 1,"),
            Step("inequality", Gt((a + b) / b, 1), a / b, "and 2 n + 1 to (a + b) / b, above 1:"),
            Step(
                "solve",
                Eq(Symbol("z", positive=True) * (a + b), a),
                a / (a + b),
                "so that Euclid's algorithm finds the way back, and every fraction has one number.",
                by=(Symbol("z", positive=True),),
            ),
            cite("Calkin and Wilf (2000): each positive rational occurs once"),
        ),
        "every number",
    )


enumeration = Claim(
    id="uat.bounded.gi_sigma.enumeration",
    section=SECTION,
    title="The positive rationals in a row: quotients of Stern's sequence, a tree of fractions",
    kind="equality",
    subject="uat_bounded.calkin_wilf",
    driver="exact_function",
    structure=(INDEX,),
    inputs=(),
    program=Program((*DOWN, QUOTIENT), LISTED),
    definition=Program((STERN, (number[q], stern[q] / stern[q + 1])), LISTED),
    statement=Eq(number[q], stern[q] / stern[q + 1]),
    derivation=enumeration_proof,
    variants=(
        Variant("upside down", "known bug", ((number[q], below[q] / above[q]),)),
        Variant("from the next one on", "off by one", ((number[q], above[q + 1] / below[q + 1]),)),
        Variant(
            "one plus the one above",
            "known bug: continued fractions of ones",
            (tree(above[half], above[half] + 1, above),),
        ),
    ),
    options={"arguments": ("n",), "run": "n"},
    remarks=EXACT,
)

# ------------------------------------------------------------------ one neuron

DEGREE = Size("r", 0, 2)
(r,) = symbols_of((DEGREE,))
NEURON = (real("c", r + 1, integer=True, low=-3.0, high=3.0), real("x", low=0.0, high=1.0))
c, x = symbols_of(NEURON)
horner, y = IndexedBase("horner", real=True), Symbol("y", real=True)


def by_horner(coefficient: Any = c[r - q], at: Any = x) -> tuple[Any, Any]:
    """Horner's rule."""
    return horner[q], Piecewise((coefficient, Eq(q, 0)), (horner[q - 1] * at + coefficient, True))


def window_steps() -> tuple[Step, ...]:
    level, least, most, u = symbols("h m M u", real=True)
    scale = (1 - level) / (3 * (most - least))
    shift = (1 + 2 * level) / 3 - scale * least
    gap = Symbol("g", positive=True)
    return (
        define(Symbol("sigma(2 n - 1 + x)"), shift + scale * u, "on the n-th window, u = u_n(x) between m and M"),
        Step(
            "substitute",
            shift + scale * u,
            (1 + 2 * level) / 3,
            "The least value of the polynomial goes to a third of the way from h to 1,",
            by=((u, least),),
            wrong=(level,),
        ),
        Step("substitute", shift + scale * u, (2 + level) / 3, "the greatest to two thirds:", by=((u, most),)),
        Step("inequality", Gt((1 + 2 * level) / 3, level), gap / 3, "above h", assume=(Eq(level, 1 - gap),)),
        Step("inequality", Gt(1, (2 + level) / 3), gap / 3, "and below 1.", assume=(Eq(level, 1 - gap),)),
        Step(
            "solve",
            Eq(Symbol("s", real=True), shift + scale * u),
            ((1 + 2 * level) * most - (2 + level) * least - 3 * (most - least) * Symbol("s", real=True)) / (level - 1),
            "Solved for u, the value of one neuron gives the polynomial back.",
            by=(u,),
        ),
    )


def neuron_proof() -> Derivation:
    return Derivation(
        (
            *window_steps(),
            cite("polynomials with rational coefficients come near every continuous function on [0, 1] (Weierstrass)"),
        ),
        "every polynomial with rational coefficients",
    )


neuron = Claim(
    id="uat.bounded.gi_sigma",
    section=SECTION,
    title="One neuron, at the right place, is any polynomial with rational coefficients on [0, 1]",
    kind="equality",
    subject="uat_bounded.neuron",
    driver="exact_function",
    structure=(DEGREE,),
    inputs=NEURON,
    program=Program((by_horner(), (y, horner[r])), (Output("y", y),)),
    statement=Eq(y, Sum(c[q] * x**q, (q, 0, r))),
    conditions=("x is in [0, 1]", "the activation is smooth, but neither analytic nor increasing"),
    derivation=neuron_proof,
    variants=(
        Variant("coefficients in the reverse order", "known bug", (by_horner(c[q]),)),
        Variant("from the other end of the window", "known bug", (by_horner(at=1 - x),)),
        Variant("the leading coefficient dropped", "known bug", ((y, horner[r] - c[r] * x**r),)),
        Variant("the constant dropped", "known bug: not shifted", ((y, horner[r] - c[0]),)),
    ),
    remarks=EXACT,
)

# ------------------------------------------------------------------ its windows and bridges

WINDOW = (real("n", integer=True, low=1.0, high=200.0), real("x", low=0.0, high=2.0))
n, offset = symbols_of(WINDOW)
level, middle, room = symbols("level middle room", real=True)
LEVEL = (level, 1 - LAMBDA / (2 * n + 1))
ROOM = (room, Piecewise(((1 - level) / 6, offset <= 1), ((1 - level) / 2, True)))
VALUE = (middle, (1 + level) / 2)

windows = Claim(
    id="uat.bounded.gi_sigma.window",
    section=SECTION,
    title="On each window the activation stays in the middle third between h and 1, and on the bridges between them",
    kind="inequality",
    subject="uat_bounded.universal_sigmoid",
    driver="exact_function",
    inputs=WINDOW,
    program=Program((LEVEL, ROOM, VALUE), (Output("middle", middle),)),
    relation=Relation(Abs(middle - (1 + level) / 2), "<=", room),
    statement=Le(Abs(Symbol("sigma(2 n - 1 + x)") - (1 + level) / 2), room),
    conditions=("h(x) = 1 - lambda / x, with lambda = 1/4, taken at 2 n + 1", "n counts the windows from 1"),
    derivation=lambda: Derivation(window_steps(), "every window and every polynomial"),
    variants=(
        Variant(
            "all the way from h to 1", "known bug: not divided by 3", ((middle, level + (1 - level) * offset / 2),)
        ),
        Variant("the increasing function itself", "h", ((middle, level),)),
        Variant("past 1", "known bug", ((middle, 2 - level),)),
    ),
    options={"arguments": ("n", "x")},
    remarks="So |sigma - h| is at most lambda, and sigma tends to 1: sigmoidal, and lambda-increasing. " + EXACT,
)

# ------------------------------------------------------------------ two hidden layers

SQUARE = (real("x", low=0.0, high=1.0), real("y", low=0.0, high=1.0))
left, right = symbols_of(SQUARE)
z = Symbol("z", real=True)


def product_proof() -> Derivation:
    mean, apart = (left + right) / 2, (left - right + 1) / 2
    return Derivation(
        (
            Step(
                "rewrite",
                mean**2 - (apart - Rational(1, 2)) ** 2,
                left * right,
                "Two squares of numbers in [0, 1] make a product.",
                wrong=(mean**2 - apart**2,),
            ),
            Step(
                "rewrite",
                (apart - Rational(1, 2)) ** 2,
                apart**2 - apart + Rational(1, 4),
                "The second is the neuron t^2 - t + 1/4.",
            ),
            *window_steps(),
        ),
        "all numbers in [0, 1]",
    )


multiplied = Claim(
    id="uat.bounded.gi_sigma.product",
    section=SECTION,
    title="Two hidden layers of two neurons each multiply exactly",
    kind="equality",
    subject="uat_bounded.two_layer_product",
    driver="exact_function",
    inputs=SQUARE,
    program=Program(((z, left * right),), (Output("z", z),)),
    definition=Program(((z, ((left + right) / 2) ** 2 - ((left - right) / 2) ** 2),), (Output("z", z),)),
    statement=Eq(z, left * right),
    conditions=("both numbers are in [0, 1]",),
    derivation=product_proof,
    variants=(
        Variant("the mean squared", "known bug: one neuron", ((z, ((left + right) / 2) ** 2),)),
        Variant(
            "not moved back by 1/2", "known bug", ((z, ((left + right) / 2) ** 2 - ((left - right + 1) / 2) ** 2),)
        ),
        Variant("the smaller", "right for bits", ((z, (left + right - Abs(left - right)) / 2),)),
    ),
    remarks=EXACT,
)

CLAIMS = (neuron, windows, enumeration, multiplied)
