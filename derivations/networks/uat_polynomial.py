"""A polynomial activation keeps networks at a distance: the least error, and necessity (notes, section 1.1.1)."""

import dataclasses
from math import comb, factorial
from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Lambda, Max, Piecewise, Product, Rational, Sum, Symbol, sin, symbols

from gnomon.derivations.networks.uat import (
    BIAS,
    CURVES,
    INNER,
    LINE,
    ONE,
    OPTIONS,
    WIDE,
    A,
    C,
    a,
    b,
    g,
    i,
    j,
    k,
    m,
    q,
    s,
    sigma,
    u,
    x,
)
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

r = Symbol("r", integer=True, positive=True)
DEGREES = {"identity": 1, "square": 2, "cube": 3}

# ------------------------------------------------------------------ the least error

DEGREE = Size("r", 1, 3)
(degree,) = symbols_of((DEGREE,))
NODES = (real("x", degree + 2), real("v", degree + 2))
v, w, ell = (IndexedBase(name, real=True) for name in ("v", "w", "ell"))
least = Symbol("least", nonnegative=True)
others = Product(Piecewise((1, Eq(i, j)), (x[i] - x[j], True)), (j, 0, degree + 1))
WEIGHT = (w[i], 1 / others)
sizes = Sum(Abs(w[i]), (i, 0, degree + 1))
signed, unsigned = (Sum(weight * v[i], (i, 0, degree + 1)) for weight in (w[i], Abs(w[i])))
LEAST = (least, Abs(signed) / sizes)
lagrange = Product(Piecewise((1, Eq(i, j)), ((x[degree + 1] - x[j]) / (x[i] - x[j]), True)), (j, 0, degree))
miss = Abs(v[degree + 1] - Sum(v[i] * ell[i], (i, 0, degree)))
LEVELLED = Program(
    ((ell[i], lagrange), (least, miss / (1 + Sum(Abs(ell[i]), (i, 0, degree))))), (Output("least", least),)
)


def divided(count: int) -> list[Any]:
    """The weights of the divided difference over some nodes."""
    nodes = symbols(f"x_0:{count}", real=True)
    found = []
    for here in nodes:
        weight = 1
        for there in nodes:
            weight = weight if there == here else weight / (here - there)
        found.append(weight)
    return [nodes, found]


def difference_steps() -> tuple[Step, ...]:
    """The divided difference over r + 2 nodes is 0 on polynomials of degree r, and 1 on x^(r + 1)."""
    steps = []
    for count in (3, 4, 5):
        nodes, weights = divided(count)
        sums = tuple(sum(f * z**p for f, z in zip(weights, nodes, strict=True)) for p in range(count))
        why = f"{count} nodes: 0 on 1, ..., x^{count - 2}, and 1 on x^{count - 1}"
        steps.append(Step("rewrite", sums, (*(0 for _ in range(count - 1)), 1), why))
    return tuple(steps)


def equispaced(order: int) -> Any:
    z, h = symbols("z h", positive=True)
    return sum((-1) ** (order - at) * comb(order, at) * (z + at * h) ** order for at in range(order + 1))


def statement_proof() -> Derivation:
    slope, level, e, v0, v1, v2, z = symbols("alpha beta E v_0 v_1 v_2 z", real=True)
    levelled = (Eq(v0, level - slope + e), Eq(v1, level - e), Eq(v2, level + slope + e))
    return Derivation(
        (
            *difference_steps(),
            cite("the triangle inequality: |sum of w (v - p)| is at most the largest |v - p| times the sum of |w|"),
            Step(
                "solve",
                levelled,
                ((v2 - v0) / 2, (v0 + 2 * v1 + v2) / 4, (v0 - 2 * v1 + v2) / 4),
                "It is attained where the errors are equal, with the signs of w: here at the nodes -1, 0, 1.",
                by=(slope, level, e),
            ),
            Step(
                "substitute",
                (v0 - 2 * v1 + v2) / 4,
                Rational(1, 2),
                "For x^2 that is 1/2: with sigma(t) = t no width and no weights come nearer.",
                by=((v0, 1), (v1, 0), (v2, 1)),
            ),
            Step(
                "refute",
                Eq(Max(Abs(1 - z), Abs(z)), 0),
                Eq(Max(Abs(1 - z), Abs(z)), Rational(1, 2)),
                "The best network is the constant 1/2.",
                by=({z: Rational(1, 2)},),
            ),
        ),
        "the degrees r = 1, 2, 3, all distinct nodes",
    )


statement = Claim(
    id="uat.width.statement",
    section="1.1.1",
    title="With a polynomial activation some functions stay out of reach: the theorem is about all the others",
    kind="equality",
    subject="uat.least_error",
    driver="function",
    structure=(DEGREE,),
    inputs=NODES,
    program=Program((WEIGHT, LEAST), (Output("least", least),)),
    definition=LEVELLED,
    statement=Eq(least, LEAST[1]),
    conditions=("the activation is a polynomial of degree r; the nodes are distinct",),
    derivation=statement_proof,
    variants=(
        Variant(
            "no distance at all",
            "notes",
            ((least, 0),),
            printed=True,
            why="“σ is polynomial if and only if” networks come arbitrarily near: it must be “not polynomial”. For "
            "sigma(t) = t and f = x^2 on [-1, 1] nothing comes nearer than 1/2",
        ),
        Variant(
            "signs of the weights dropped", "known bug", ((least, Sum(Abs(w[i]) * v[i], (i, 0, degree + 1)) / sizes),)
        ),
        Variant("the divided difference", "known bug: not divided by the weights", ((least, LEAST[1] * sizes),)),
        Variant("the signed distance", "known bug", ((least, signed / sizes),)),
        Variant(
            "the error of interpolation",
            "known bug: at the last node",
            ((ell[i], lagrange), (least, miss)),
        ),
    ),
    remarks="Leshno et al. allow activations that are not continuous. The printed supremum lacks “x in K”, and its k "
    "is the width, not the depth.",
)

# ------------------------------------------------------------------ necessity

POLYNOMIAL = Choice("sigma", {name: {sigma: Lambda(u, CURVES[name]), r: p} for name, p in DEGREES.items()})
BROKEN = dataclasses.replace(
    POLYNOMIAL, options={"relu": {sigma: Lambda(u, Max(u, 0)), r: 1}, "sin": {sigma: Lambda(u, sin(u)), r: 2}}
)
POINTS = real("x", r + 2, 1)
apart = Product(Piecewise((1, Eq(a, j)), (x[a, 0] - x[j, 0], True)), (j, 0, r + 1))
MANY = (
    (w[a], 1 / apart),
    (s[a, i], A[i, 0] * x[a, 0] + b[i]),
    (g[a, q], Sum(C[q, i] * sigma(s[a, i]), (i, 0, k - 1))),
)
missed = Sum(Abs(w[a]) * Abs(x[a, 0] ** (r + 1) - g[a, 0]), (a, 0, r + 1))


def necessity_proof() -> Derivation:
    weight, bias, z = symbols("A b x", real=True)
    powers = tuple(
        Step(
            "rewrite",
            equispaced(p + 1),
            factorial(p + 1) * Symbol("h", positive=True) ** (p + 1),
            f"at equal steps h: {p + 1}! h^{p + 1} for x^{p + 1}, and the distance is 1/{2 ** (p + 1)} of it, at least",
        )
        for p in (1, 2, 3)
    )
    return Derivation(
        (
            Step(
                "rewrite",
                (weight * z + bias) ** 3,
                weight**3 * z**3 + 3 * weight**2 * bias * z**2 + 3 * weight * bias**2 * z + bias**3,
                "A unit with a polynomial activation is a polynomial of its degree on every line: so is a network.",
            ),
            *difference_steps(),
            *powers,
            cite("the triangle inequality: 1 = sum of w (x^(r+1) - g) is at most the sum of |w| |x^(r+1) - g|"),
        ),
        "the degrees r = 1, 2, 3, every width and all weights",
    )


necessity = Claim(
    id="uat.width.necessity",
    section="1.1.1",
    title="With an activation of degree r every network misses x^(r+1)",
    kind="inequality",
    subject="uat.ShallowNetwork",
    driver="module",
    structure=(LINE, WIDE, ONE, POLYNOMIAL),
    inputs=(POINTS, INNER, BIAS, real("C", ONE, WIDE)),
    program=Program(MANY, (Output("g", g[a, q], (a, 0, r + 1), (q, 0, m - 1)),)),
    relation=Relation(missed, ">=", 1),
    statement=Ge(missed, 1),
    conditions=("the activation is a polynomial of degree r; the r + 2 nodes are distinct",),
    derivation=necessity_proof,
    variants=(
        Variant("an activation that is no polynomial", "condition dropped", structure=(BROKEN,)),
        Variant("2 at least", "too tight", relation=Relation(missed, ">=", 2)),
        Variant("x^(r+1) itself", "out of reach", ((g[a, q], x[a, 0] ** (r + 1)),)),
        Variant(
            "the unit squared",
            "one degree more",
            ((g[a, q], Sum(C[q, i] * sigma(s[a, i]) * s[a, i], (i, 0, k - 1))),),
        ),
    ),
    options=OPTIONS,
    remarks="The weighted mean of the errors is at least 1 over the sum of the weights, and so is the largest error.",
)

CLAIMS = (statement, necessity)
