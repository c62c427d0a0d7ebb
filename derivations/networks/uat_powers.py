"""Powers and products by one hidden layer: the constructive half of the theorem (notes, section 1.1.1)."""

from itertools import product
from math import comb, factorial, prod
from typing import Any

from sympy import (
    Abs,
    Eq,
    Function,
    Ge,
    IndexedBase,
    Integral,
    Lambda,
    Le,
    Or,
    Piecewise,
    Poly,
    Product,
    Rational,
    Sum,
    Symbol,
    cos,
    floor,
    sin,
    sqrt,
    symbols,
    tanh,
)

from gnomon.proof.derivation import Derivation, Step, cite, define, opaque
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, positive, real, symbols_of

SECTION = "1.1.1"
half = Rational(1, 2)
ORDERS = 6
sigma, *SLOPES = opaque("sigma", ORDERS)
most = IndexedBase("most", positive=True)
u, T = symbols("u T", real=True)


def of_tanh(order: int) -> Any:
    """The derivative of tanh of this order, as a polynomial in T = tanh: (1 - T^2) Q."""
    q = Poly(1, T)
    for _ in range(order - 1):
        q = Poly(1 - T**2, T) * q.diff(T) - Poly(2 * T, T) * q
    return (1 - T**2) * q.as_expr()


WAVES = (cos(u), -sin(u), -cos(u), sin(u), cos(u), -sin(u))
MOST = {3: Rational(2), 4: Rational(6), 5: Rational(16), 6: Rational(90)}  # of tanh, by order


def curves(label: str) -> dict[Any, Any]:
    """An activation, its derivatives, and bounds on those of the orders 3 to 6."""
    if label == "sin":
        bodies, bounds = (sin(u), *WAVES), [1, 1, 1, 1]
    elif label == "tanh":
        bodies = (tanh(u), *(of_tanh(q).subs(T, tanh(u)) for q in range(1, ORDERS + 1)))
        bounds = [MOST[q] for q in range(3, ORDERS + 1)]
    else:
        bodies = (
            (1 + tanh(u / 2)) / 2,
            *(of_tanh(q).subs(T, tanh(u / 2)) / 2 ** (q + 1) for q in range(1, ORDERS + 1)),
        )
        bounds = [MOST[q] / 2 ** (q + 1) for q in range(3, ORDERS + 1)]
    functions = {function: Lambda(u, body) for function, body in zip((sigma, *SLOPES), bodies, strict=True)}
    return {**functions, most: (0, *bounds)}


ACTIVATION = Choice("sigma", {label: curves(label) for label in ("tanh", "sin", "sigmoid")})

# ------------------------------------------------------------------ a power

POWER = Size("p", 1, 4)
(p,) = symbols_of((POWER,))
STEP = positive("h", host=True, high=1.0, typical=(0.5, 0.125))
INPUTS = (real("x", low=-2.0, high=2.0), real("b", low=-1.5, high=1.5), STEP)
x, b, h = symbols_of(INPUTS)
i, j, e, q = symbols("i j e q", integer=True, nonnegative=True)
y, slope, difference, quotient = symbols("y slope difference quotient", real=True)
choose = IndexedBase("choose", integer=True, nonnegative=True)


def slope_of(power: Any) -> Any:
    """The derivative at b of the order of the power."""
    return Piecewise(*((SLOPES[order - 1](b), Eq(power, order)) for order in range(1, 4)), (SLOPES[3](b), True))


PASCAL = (choose[i, j], Piecewise((1, Or(Eq(j, 0), Eq(i, j))), (choose[i - 1, j - 1] + choose[i - 1, j], True)))


def differenced(power: Any, along: Any, place: Any = None) -> Any:
    """The central difference of the activation about b."""
    place = power * half - q if place is None else place
    return Sum((-1) ** q * choose[power, q] * sigma(b + place * h * along), (q, 0, power))


UNIT = sigma(b + (p * half - q) * h * x)
SLOPE, DIFFERENCE = (slope, slope_of(p)), (difference, differenced(p, x))
QUOTIENT, VALUE = (quotient, difference / h**p), (y, quotient / slope)
NETWORK = Program((PASCAL, SLOPE, DIFFERENCE, QUOTIENT, VALUE), (Output("y", y),))
bound = p * h**2 * Abs(x) ** (p + 2) * most[p] / (24 * Abs(slope))


def taylor_steps() -> tuple[Step, ...]:
    """Differences with their next terms: the constant is p / 24."""
    steps = []
    for order in (1, 2, 3):
        terms = sum((-1) ** at * comb(order, at) * sigma(b + (order * half - at) * h * x) for at in range(order + 1))
        first = x**order * SLOPES[order - 1](b)
        second = Rational(order, 24) * x ** (order + 2) * SLOPES[order + 1](b)
        why = f"{order + 1} units: x^{order} times the derivative of order {order}, and {order}/24 of the next term"
        steps.append(Step("series", terms, first * h**order + second * h ** (order + 2), why, by=(h, 0, order + 3)))
    return tuple(steps)


def plainly(polynomial: Any, s: Any, z: Any) -> Any:
    """A polynomial on [0, 1] at ``s = z / (1 + z)``, over a power of 1 + z so high that no term above is negative."""
    given = Poly(polynomial, s).all_coeffs()[::-1]
    for n in range(len(given) - 1, 60):
        above = Poly(sum(c * z**r * (1 + z) ** (n - r) for r, c in enumerate(given)), z)
        if min(above.all_coeffs()) >= 0:
            return above.as_expr() / (1 + z) ** n
    raise ValueError(f"{polynomial} is not plainly nonnegative on [0, 1]")


def bound_steps() -> tuple[Step, ...]:
    """The derivatives of tanh, and bounds on them in z = sinh^2, by sums of terms that are not negative."""
    s, z = symbols("s z", nonnegative=True)
    steps = []
    for order in range(2, ORDERS):
        before, after = (of_tanh(one).subs(T, tanh(u)) for one in (order, order + 1))
        steps.append(Step("differentiate", before, after, f"tanh, differentiated {order + 1} times", by=(u,)))
    for order, top in MOST.items():
        square = Poly(of_tanh(order) ** 2, T).as_expr().subs(T, sqrt(s)).expand()
        why = f"The derivative of order {order} is at most {top} in size: with tanh^2 = z / (1 + z), where z = sinh^2."
        above = plainly(top**2 - square, s, z)
        steps.append(Step("inequality", Ge(top**2, square.subs(s, z / (1 + z))), above, why))
    return tuple(steps)


def network_proof() -> Derivation:
    return Derivation(taylor_steps(), "p = 1, 2, 3 and every activation with p + 2 derivatives")


def monomial_proof() -> Derivation:
    w, c, z = symbols("w c z", real=True)
    V, top = Function("V"), Symbol("M", positive=True)
    twelfth = Rational(1, 12)
    number = Symbol("p", integer=True, nonnegative=True)
    return Derivation(
        (
            *(
                Step(
                    "differentiate",
                    sigma(w * x + b),
                    x**order * SLOPES[order - 1](w * x + b),
                    "In the weight, the derivative of a unit at w = 0 is a multiple of the power of x.",
                    by=(w,) * order,
                )
                for order in (1, 2, 3)
            ),
            Step(
                "differentiate",
                sigma(b + h * x * z) / h,
                x * SLOPES[0](b + h * x * z),
                "A difference over h is the mean of the derivative over z in [-1/2, 1/2]; p of them, one on the other, "
                "are the mean of the derivative of order p over the sum of p such z.",
                by=(z,),
            ),
            Step("integrate", Integral(z, (z, -half, half)), 0, "Their mean is 0,"),
            Step(
                "integrate",
                Integral((c + z) ** 2, (z, -half, half)),
                c**2 + twelfth,
                "each adds 1/12 to the mean square,",
            ),
            Step("induction", Eq(V(number), V(number - 1) + twelfth), number / 12, "p of them.", by=(number, 0, 0)),
            cite("Taylor: off by at most half the mean square times h^2 x^2 times the largest derivative there"),
            Step(
                "substitute",
                (h * x) ** 2 / 2 * c * top,
                number * h**2 * x**2 * top / 24,
                "Together with x^p, and divided by the derivative at b, that is the bound.",
                by=((c, number * twelfth),),
            ),
            *taylor_steps(),
            *bound_steps(),
        ),
        "every power and every activation with p + 2 derivatives; the bounds for tanh up to p = 4",
    )


def power_close(limit: Any) -> Relation:
    return Relation(Abs(y - x**p), "<=", limit)


CONDITIONS = ("the derivative of order p at b is not zero",)
sufficiency = Claim(
    id="uat.width.sufficiency",
    section=SECTION,
    title="A network of p + 1 units is x^p up to p h^2 / 24 times |x|^(p+2) and a ratio of derivatives",
    kind="order",
    subject="uat.monomial",
    driver="function",
    structure=(POWER, ACTIVATION),
    inputs=INPUTS,
    program=NETWORK,
    relation=power_close(bound),
    statement=Le(Abs(y - x**p), bound),
    conditions=CONDITIONS,
    derivation=monomial_proof,
    variants=(
        Variant("1/48 in the place of 1/24", "too tight", relation=power_close(bound / 2)),
        Variant("of order 3", "too tight", relation=power_close(bound * h)),
        Variant("differences to one side", "of first order", ((difference, differenced(p, x, p - q)),)),
        Variant("not divided by the derivative", "known bug", ((y, quotient),)),
        Variant("half the step", "known bug: in the units alone", ((difference, differenced(p, x / 2)),)),
    ),
    options={"arguments": ("x", "p", "b", "h", "sigma")},
    remarks="Sums of such networks come near every polynomial, and polynomials near every continuous function on a "
    "compact set (Weierstrass). Rounding grows like eps / h^p: in float64 that of x^2 takes over below h = 1e-4.",
)
network = Claim(
    id="uat.width.sufficiency.network",
    section=SECTION,
    title="The central difference of an activation, weight by weight",
    kind="equality",
    subject="uat.monomial",
    driver="function",
    structure=(POWER, ACTIVATION),
    inputs=INPUTS,
    program=NETWORK,
    statement=Eq(y, difference / (h**p * slope)),
    conditions=CONDITIONS,
    derivation=network_proof,
    variants=(
        Variant("differences to one side", "of first order", ((difference, differenced(p, x, p - q)),)),
        Variant("no signs", "known bug", ((difference, Sum(choose[p, q] * UNIT, (q, 0, p))),)),
        Variant("all weights 1", "known bug: right for p = 1", ((difference, Sum((-1) ** q * UNIT, (q, 0, p))),)),
        Variant("not divided by the derivative", "known bug", ((y, quotient),)),
        Variant("the first derivative", "known bug: right for p = 1", ((slope, SLOPES[0](b)),)),
    ),
    options={"arguments": ("x", "p", "b", "h", "sigma")},
)

# ------------------------------------------------------------------ a product

FACTORS = Size("d", 1, 3)
(d,) = symbols_of((FACTORS,))
MANY = (real("x", FACTORS, low=-1.0, high=1.0), real("b", low=-1.5, high=1.5), STEP)
xs = MANY[0].symbol
sign, parity = (IndexedBase(name, integer=True) for name in ("sign", "parity"))
along, ridge, each, reach = (IndexedBase(name, real=True) for name in ("along", "ridge", "each", "reach"))
BITS = (sign[e, i], 1 - 2 * (floor(e / 2**i) - 2 * floor(e / 2 ** (i + 1))))
SIGNS = (parity[e], Product(sign[e, i], (i, 0, d - 1)))
DIAGONAL = (along[e], Sum(sign[e, i] * xs[i], (i, 0, d - 1)))
RIDGES = ((ridge[e], differenced(d, along[e]) / h**d), (each[e], ridge[e] / slope))
every = (e, 0, 2**d - 1)
scale = 2**d * Product(i, (i, 1, d))
POLARISED = (y, Sum(parity[e] * each[e], every) / scale)
REACH = (reach[e], d * h**2 * Abs(along[e]) ** (d + 2) * most[d] / (24 * Abs(slope)))


def product_proof() -> Derivation:
    steps = []
    for count in (2, 3):
        names = symbols(f"x_1:{count + 1}", real=True)
        total = sum(
            prod(signs) * sum(one * name for one, name in zip(signs, names, strict=True)) ** count
            for signs in product((1, -1), repeat=count)
        )
        why = f"{count} factors: powers along the diagonals"
        steps.append(Step("rewrite", total, 2**count * factorial(count) * prod(names), why))
    a, c, s, t = symbols("a c s t", real=True)
    return Derivation(
        (
            define(along[e], DIAGONAL[1], "one of the 2^d diagonals"),
            *steps,
            Step(
                "rewrite",
                ((a + s) ** 2 - (c + t) ** 2) / 4 - (a**2 - c**2) / 4 - (2 * a * s + s**2) / 4,
                -(2 * c * t + t**2) / 4,
                "The error of the sum is the sum of the errors of the powers,",
            ),
            cite("the triangle inequality, for powers that are off as uat.width.sufficiency says"),
        ),
        "d = 1, 2, 3",
    )


def product_close(limit: Any) -> Relation:
    return Relation(Abs(y - Product(xs[i], (i, 0, d - 1))), "<=", limit)


total_reach = Sum(reach[e], every) / scale
products = Claim(
    id="uat.width.sufficiency.product",
    section=SECTION,
    title="One hidden layer multiplies: a product is a sum of powers along the diagonals",
    kind="order",
    subject="uat.product",
    driver="function",
    structure=(FACTORS, ACTIVATION),
    inputs=MANY,
    program=Program(
        (PASCAL, (slope, slope_of(d)), BITS, SIGNS, DIAGONAL, *RIDGES, POLARISED, REACH), (Output("y", y),)
    ),
    relation=product_close(total_reach),
    statement=Le(Abs(y - Product(xs[i], (i, 0, d - 1))), total_reach),
    conditions=("the derivative of order d at b is not zero",),
    derivation=product_proof,
    variants=(
        Variant("without the signs", "known bug", ((y, Sum(each[e], every) / scale),)),
        Variant("not divided by d!", "known bug: right for d = 1", ((y, Sum(parity[e] * each[e], every) / 2**d),)),
        Variant("half the bound", "too tight", relation=product_close(total_reach / 4)),
        Variant("the power of the sum", "known bug: one diagonal", ((y, each[0] / Product(i, (i, 1, d))),)),
    ),
    options={"arguments": ("x", "b", "h", "sigma")},
    remarks="With it, and sums, every polynomial in any number of variables is a network with one hidden layer, as "
    "nearly as one likes. For two factors 5 different units suffice.",
)

CLAIMS = (sufficiency, network, products)
