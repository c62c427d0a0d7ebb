"""Bounded width and depth: the network of the theorem, its size, an activation to compute (notes, section 1.1.2)."""

from typing import Any

from sympy import (
    Eq,
    IndexedBase,
    Min,
    Piecewise,
    Sum,
    Symbol,
    false,
    symbols,
)

from gnomon.derivations.networks.uat import activation, sigma
from gnomon.proof.derivation import Derivation, Step, cite, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, symbols_of

SECTION = "1.1.2"
i, j, l, q = symbols("i j l q", integer=True, nonnegative=True)

# ------------------------------------------------------------------ the network

DIMENSION, UPPER, LOWER = Size("d", 1, 2), Size("m", 1, 3), Size("k", 1, 2)
d, OUTER, INNER = symbols_of((DIMENSION, UPPER, LOWER))
INPUTS = (
    real("x", d),
    real("outer", OUTER),
    real("gamma", OUTER),
    real("c", OUTER, INNER),
    real("theta", OUTER, INNER),
    real("w", OUTER, INNER, d),
)
x, outer, gamma, c, theta, w = symbols_of(INPUTS)
t, r = (IndexedBase(name, real=True) for name in ("t", "r"))
g = Symbol("g", real=True)


def first(weight: Any = w[i, j, l], threshold: Any = -theta[i, j]) -> tuple[Any, Any]:
    """The arguments of the units of the first hidden layer."""
    return t[i, j], Sum(weight * x[l], (l, 0, d - 1)) + threshold


def second(weight: Any = c[i, j], threshold: Any = -gamma[i]) -> tuple[Any, Any]:
    """The arguments of the units of the second hidden layer."""
    return r[i], Sum(weight * sigma(t[i, j]), (j, 0, INNER - 1)) + threshold


READ = (g, Sum(outer[i] * sigma(r[i]), (i, 0, OUTER - 1)))
THEOREM = cite(
    "Maiorov and Pinkus (1999), theorem 4: for one analytic, strictly increasing and sigmoidal activation, networks "
    "of this size come arbitrarily near to every continuous function on the unit cube"
)


def count_steps() -> tuple[Step, ...]:
    n = Symbol("n", integer=True, positive=True)
    units = Sum(Sum(1, (j, 1, 3 * n)), (i, 1, 6 * n + 3))
    numbers = (6 * n + 3) * 2 + (6 * n + 3) * 3 * n * (2 + n)
    return (
        Step(
            "sum",
            Sum(3, (i, 1, 2 * n + 1)),
            6 * n + 3,
            "Superposition takes 2d + 1 functions of sums of d functions, and each function costs 3 units,",
            wrong=(6 * n,),
        ),
        Step(
            "sum",
            units,
            18 * n**2 + 9 * n,
            "over 3d: as printed the weights of the first layer depend on i as well, which makes so many units there,",
            wrong=(3 * n,),
        ),
        Step("rewrite", numbers, 18 * n**3 + 45 * n**2 + 30 * n + 6, "and real parameters in all."),
    )


def statement_proof() -> Derivation:
    u, v = symbols("u v", real=True)
    return Derivation(
        (
            define(t[i, j], first()[1], "a unit of the first hidden layer"),
            define(r[i], second()[1], "a unit of the second"),
            THEOREM,
            *count_steps(),
            Step(
                "refute",
                Eq(sigma(u) + sigma(v), 2 * sigma((u + v) / 2)),
                false,
                "Inner units with weights of their own for each i cannot be shared: two are more than one.",
                by=({sigma: activation("relu").options["relu"][sigma], u: 1, v: -1},),
            ),
        ),
        "every dimension, for the size; the theorem is cited",
    )


statement = Claim(
    id="uat.bounded.statement",
    section=SECTION,
    title="The network of bounded width: each unit of the second layer stands over units of its own",
    kind="equality",
    subject="uat_bounded.BoundedNetwork",
    driver="module",
    structure=(DIMENSION, UPPER, LOWER, activation("tanh", "sigmoid", "relu", "identity")),
    inputs=INPUTS,
    program=Program((first(), second(), READ), (Output("g", g),)),
    statement=Eq(g, READ[1]),
    conditions=(
        "m = 6d + 3 and k = 3d in the theorem; checked with smaller m and k",
        "the activation of the theorem is analytic, strictly increasing, sigmoidal, and of its own making",
    ),
    derivation=statement_proof,
    variants=(
        Variant(
            "c_ii and theta_ii",
            "notes, in the text: a misprint or a misread scan",
            (first(threshold=-theta[i, Min(i, INNER - 1)]), second(c[i, Min(i, INNER - 1)])),
            why="the formula itself has c_ij and theta_ij",
        ),
        Variant("weights shared by the outer units", "3d units in the first layer", (first(w[0, j, l]),)),
        Variant("thresholds added", "other sign", (first(threshold=theta[i, j]), second(threshold=gamma[i]))),
        Variant("no second activation", "known bug", ((g, Sum(outer[i] * r[i], (i, 0, OUTER - 1))),)),
    ),
    options={
        "args": ("d", "sigma"),
        "keywords": {"outer": "m", "inner": "k"},
        "parameters": {"d": "outer", "gamma": "gamma", "c": "c", "theta": "theta", "w": "w"},
        "call": ("x",),
    },
    remarks="That any sigmoid will do is a common misreading: with the logistic function a network of this size has "
    "finitely many degrees of freedom, and cannot.",
)

# ------------------------------------------------------------------ its size

CUBE = Size("d", 1, 4)
sizes, total = IndexedBase("sizes", integer=True), Symbol("total", integer=True)
UNITS = 6 * d + 3, 3 * d, (6 * d + 3) * 3 * d


def counted(thetas: Any = UNITS[2], weights: Any = UNITS[2] * d, cs: Any = UNITS[2]) -> tuple[Any, ...]:
    """The entries of d, gamma, c, theta and w."""
    entries = ((UNITS[0], Eq(i, 0)), (UNITS[0], Eq(i, 1)), (cs, Eq(i, 2)), (thetas, Eq(i, 3)), (weights, True))
    return (sizes[i], Piecewise(*entries)), (total, Sum(sizes[i], (i, 0, 4)))


SHOWN = (Output("sizes", sizes[i], (i, 0, 4)), Output("total", total))
counts = Claim(
    id="uat.bounded.counts",
    section=SECTION,
    title="The widths 6d + 3 and 3d make 18 d^3 + 45 d^2 + 30 d + 6 real parameters",
    kind="equality",
    subject="uat_bounded.BoundedNetwork",
    driver="module_size",
    structure=(CUBE,),
    inputs=(),
    program=Program(counted(), SHOWN),
    definition=Program((*counted()[:1], (total, 18 * d**3 + 45 * d**2 + 30 * d + 6)), SHOWN),
    statement=Eq(total, 18 * d**3 + 45 * d**2 + 30 * d + 6),
    derivation=lambda: Derivation(count_steps(), "every dimension"),
    variants=(
        Variant("inner units shared", "3d units in the first layer", counted(UNITS[1], UNITS[1] * d)),
        Variant("diagonal c and theta", "c_ii and theta_ii", counted(UNITS[0], cs=UNITS[0])),
        Variant("one weight for each inner unit", "known bug: right for d = 1", counted(weights=UNITS[2])),
    ),
    options={"args": ("d",), "parameters": ("d", "gamma", "c", "theta", "w")},
    remarks="Guliyev and Ismailov (2018) come by with 3d + 2 hidden units and weights that do not depend on the "
    "function, for an activation that is neither analytic nor increasing.",
)

CLAIMS = (statement, counts)
