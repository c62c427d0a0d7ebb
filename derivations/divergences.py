"""The divergences behind the adversarial game, on finite spaces (notes, section 4.2.1)."""

from typing import Any

from sympy import (
    Eq,
    Function,
    Ge,
    Gt,
    IndexedBase,
    Integer,
    Le,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    false,
    log,
    sqrt,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, simplex, symbols_of

SECTION = "4.2.1"
POINTS = Size("n", 2, 4)
(n,) = symbols_of((POINTS,))
i = Symbol("i", integer=True)
LAWS = (simplex("p", POINTS), simplex("q", POINTS))
p, q = symbols_of(LAWS)
P, Q, m, first, second, term = (IndexedBase(name, real=True) for name in ("P", "Q", "m", "first", "second", "term"))
KL, JSD, C = symbols("KL JSD C", real=True)
EVERYWHERE = "every law on every space"
SMALL = Rational(1, 10**8)


def weighted_log(x: Any, y: Any, mass: Any = None) -> Any:
    """x log(y), where 0 log(anything) is 0.

    Whether x is 0 is asked of ``mass``, as it was given: of a quotient rounding would leave it undecided.
    """
    return where_positive(x * log(y), x if mass is None else mass)


def where_positive(entry: Any, mass: Any) -> Any:
    """The entry where there is mass, however little, and 0 elsewhere."""
    return Piecewise((entry, mass > 0), (0, True))


def over(entry: Any) -> Any:
    """The sum over the points of the space."""
    return Sum(entry, (i, 0, n - 1))


def divergence(x: Any, y: Any) -> Any:
    """The Kullback-Leibler divergence, as one reads it."""
    return over(x[i] * log(x[i] / y[i]))


# The laws as a driver hands them on: divided by their sum, 1, so that gradients are those along the simplex.
GIVEN = ((P[i], p[i] / over(p[i])), (Q[i], q[i] / over(q[i])))
PARTS = (
    *GIVEN,
    (m[i], (P[i] + Q[i]) / 2),
    (first[i], weighted_log(P[i], P[i] / m[i], p[i])),
    (second[i], weighted_log(Q[i], Q[i] / m[i], q[i])),
)
CRITERION = over(weighted_log(p[i], p[i] / (p[i] + q[i]))) + over(weighted_log(q[i], q[i] / (p[i] + q[i])))
TRIANGLE = over(where_positive((p[i] - q[i]) ** 2 / (p[i] + q[i]), p[i] + q[i]))

# ------------------------------------------------------------------ proofs

x, y = symbols("p q", positive=True)
middle = (x + y) / 2
above = x * log(x / middle) + y * log(y / middle)
criterion = x * log(x / (x + y)) + y * log(y / (x + y))
CONVEX = cite("a convex function is nowhere below its tangents")


def split_step() -> Step:
    """The criterion as divergences from the middle, point by point."""
    return Step(
        "rewrite",
        criterion,
        above - (x + y) * log(2),
        why="at each point; p + q sums to 2, so the last term gives -2 log 2 = -log 4",
        wrong=(above / 2 - (x + y) * log(2), above - log(4)),
    )


def tangent_steps(gap: Any, curvature: Any) -> tuple[Step, ...]:
    """That a gap is nowhere negative, as a function of p: it touches 0 at p = q, and is convex."""
    return (
        Step("substitute", gap, Integer(0), why="where p = q the gap is 0", by=((x, y),)),
        Step("substitute", gap.diff(x), Integer(0), why="and so is its slope", by=((x, y),)),
        Step("differentiate", gap, curvature, why="its second derivative", by=(x, x)),
        Step("inequality", Ge(curvature, 0, evaluate=False), curvature, why="is nowhere negative"),
        CONVEX,
    )


def kl_proof() -> Derivation:
    bound = Rational(3, 2) * (x - y) ** 2 / (x + 2 * y)
    gap = x * log(x / y) - (x - y) - bound
    return Derivation(
        (
            Step(
                "rewrite",
                over(p[i] * log(p[i] / q[i]) - (p[i] - q[i])),
                divergence(p, q) - over(p[i]) + over(q[i]),
                why="both laws sum to 1, so p - q may be taken off at each point",
            ),
            *tangent_steps(gap, (x - y) ** 2 * (x + 8 * y) / (x * (x + 2 * y) ** 3)),
        ),
        EVERYWHERE,
        lift="pointwise",
    )


def triangle_proof() -> Derivation:
    gap = above - (x - y) ** 2 / (x + y) / 2
    return Derivation(
        (split_step(), *tangent_steps(gap, y * (x - y) ** 2 / (x * (x + y) ** 3))), EVERYWHERE, lift="pointwise"
    )


def kl_form_proof() -> Derivation:
    return Derivation((split_step(),), "every law on every space, and all densities", lift="pointwise")


def value_proof() -> Derivation:
    """The gradient by either law, and that the order matters."""
    one, other = (IndexedBase(name, positive=True) for name in ("p", "q"))
    j = Symbol("j", integer=True)
    total = over(one[i] * log(one[i] / other[i]))
    return Derivation(
        (
            Step("differentiate", total, log(one[j] / other[j]) + 1, why="the gradient by p", by=(one[j],)),
            Step(
                "differentiate", total, -one[j] / other[j], why="and by q", by=(other[j],), wrong=(one[j] / other[j],)
            ),
            Step(
                "refute",
                Eq(x * log(x / y), y * log(y / x)),
                false,
                why="the order of the arguments matters",
                by=({x: 1, y: 2},),
            ),
            Step("limit", x * log(x / y), Integer(0), why="0 log 0 is 0", by=(x, 0)),
            Step("limit", -x / y, Integer(0), why="and where p is 0, so is the derivative by q", by=(x, 0)),
        ),
        "every law on every finite space",
    )


def bounded_proof() -> Derivation:
    return Derivation(
        (
            Step(
                "rewrite",
                x * log(2) - x * log(x / middle),
                x * log(1 + y / x),
                why="how far one term stays below its share of log 2",
            ),
            Step(
                "inequality",
                Gt(x * log(2) - x * log(x / middle), 0),
                x * log(1 + y / x),
                why="which is positive wherever both laws are",
            ),
            Step("limit", x * log(1 + y / x), Integer(0), why="and reaches it where q is 0", by=(y, 0)),
        ),
        EVERYWHERE,
        lift="pointwise",
    )


def symmetric_proof() -> Derivation:
    swapped = (y * log(y / middle) + x * log(x / middle)) / 2
    return Derivation(
        (Step("substitute", above / 2, swapped, why="exchanging p and q exchanges the terms", by=((x, y), (y, x))),),
        EVERYWHERE,
        lift="pointwise",
    )


# ------------------------------------------------------------------ claims


def finite(row: str, title: str, subject: str, program: Program, **more: Any) -> Claim:
    """A claim on a function of two laws on one finite space."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "equality" if "relation" not in more else "inequality",
        "driver": "between_laws",
        "structure": (POINTS,),
        "inputs": LAWS,
    }
    return Claim(id=row, title=title, subject=subject, program=program, **(fixed | more))


def out(symbol: Any) -> tuple[Output, ...]:
    return (Output(str(symbol), symbol),)


reverse = sum(over(weighted_log(m[i], m[i] / law[i], p[i] + q[i])) for law in (P, Q))
kl_form = finite(
    "gan.kl_form",
    "The criterion is -log 4 plus the divergences of both laws from their middle",
    "gan.gan_criterion",
    Program((*PARTS, (KL, over(first[i] + second[i])), (C, KL - log(4))), out(C)),
    statement=Eq(C, -log(4) + divergence(p, m) + divergence(q, m)),
    definition=Program((), (Output("C", CRITERION),)),
    derivation=kl_form_proof,
    variants=(
        Variant("arguments exchanged", "known bug: KL(m, p)", ((KL, reverse),)),
        Variant(
            "mean over the points",
            "torch, F.kl_div with reduction mean",
            ((KL, over(first[i] + second[i]) / n),),
            why="the default reduction divides by the number of points",
        ),
        Variant("middle not halved", "known bug", ((m[i], P[i] + Q[i]),)),
        Variant(
            "divergence from each other",
            "Jeffreys divergence",
            ((first[i], weighted_log(P[i], P[i] / Q[i], p[i])), (second[i], weighted_log(Q[i], Q[i] / P[i], q[i]))),
        ),
        Variant("constant left out", "known bug", ((C, KL),)),
        Variant("divergences halved", "confused with the Jensen-Shannon divergence", ((C, KL / 2 - log(4)),)),
    ),
    remarks="F.kl_div(input, target) wants the logarithm of the second law as its first argument: "
    "KL(p, m) is F.kl_div(m.log(), p, reduction='sum').",
)

jsd_form = finite(
    "gan.jsd_form",
    "The criterion is -log 4 plus twice the Jensen-Shannon divergence",
    "gan.jsd",
    Program((*PARTS, (JSD, over(first[i] + second[i]) / 2)), out(JSD)),
    statement=Eq(C, -log(4) + 2 * JSD),
    definition=Program((), (Output("JSD", (CRITERION + log(4)) / 2),)),
    derivation=kl_form_proof,
    variants=(
        Variant("without the half", "known convention", ((JSD, over(first[i] + second[i])),)),
        Variant("in bits", "logarithm to base 2", ((JSD, over(first[i] + second[i]) / (2 * log(2))),)),
        Variant(
            "its square root",
            "scipy.spatial.distance.jensenshannon",
            ((JSD, sqrt(over(first[i] + second[i]) / 2)),),
            why="the distance, which obeys the triangle inequality",
        ),
        Variant("arguments exchanged", "known bug: KL(m, p)", ((JSD, reverse / 2),)),
        Variant("of the first law only", "known bug", ((JSD, over(first[i])),)),
        Variant("mean over the points", "known bug", ((JSD, over(first[i] + second[i]) / (2 * n)),)),
        Variant("middle not halved", "known bug", ((m[i], P[i] + Q[i]),)),
    ),
    remarks="In nats. With base 2 the greatest value is 1, with scipy's square root it is 0.8326.",
)

SUPPORTED = (simplex("p", POINTS), simplex("q", POINTS, strict=True))
DIVERGENCE = (*GIVEN, (term[i], weighted_log(P[i], P[i] / Q[i], p[i])), (KL, over(term[i])))
ORDER = Variant(
    "arguments exchanged", "known bug: F.kl_div(p.log(), q)", ((term[i], weighted_log(Q[i], Q[i] / P[i], q[i])),)
)

kl_nonneg = finite(
    "gan.kl_nonneg",
    "The Kullback-Leibler divergence is nowhere negative, and 0 only if the laws are equal",
    "gan.kl",
    Program(DIVERGENCE, out(KL)),
    inputs=SUPPORTED,
    statement=Ge(KL, Rational(3, 2) * over((p[i] - q[i]) ** 2 / (p[i] + 2 * q[i]))),
    relation=Relation(KL, ">=", Rational(3, 2) * over((p[i] - q[i]) ** 2 / (p[i] + 2 * q[i]))),
    conditions=("q is positive wherever p is", "both sum to 1"),
    derivation=kl_proof,
    variants=(
        ORDER,
        Variant("without the minus sign", "known bug: log(q / p)", ((term[i], weighted_log(P[i], Q[i] / P[i], p[i])),)),
        Variant("mean over the points", "torch, F.kl_div with reduction mean", ((KL, over(term[i]) / n),)),
    ),
    remarks="The lower bound is 0 only if the laws are equal. It agrees with the divergence to third order, which is "
    "why exchanging the arguments breaks it.",
)

value = finite(
    "gan.kl_nonneg.value",
    "The Kullback-Leibler divergence on a finite space, with its gradient",
    "gan.kl",
    Program(DIVERGENCE, out(KL)),
    inputs=SUPPORTED,
    statement=Eq(KL, divergence(p, q)),
    definition=Program((), (Output("KL", over(where_positive(p[i] * log(p[i]) - p[i] * log(q[i]), p[i]))),)),
    conditions=("q is positive wherever p is", "0 log 0 is 0"),
    derivation=value_proof,
    variants=(
        ORDER,
        Variant("in bits", "logarithm to base 2", ((KL, over(term[i]) / log(2)),)),
        Variant("mean over the points", "torch, F.kl_div with reduction mean", ((KL, over(term[i]) / n),)),
        Variant("symmetrised", "Jeffreys divergence", ((KL, over((P[i] - Q[i]) * log(P[i] / Q[i]))),)),
        Variant(
            "small number inside the logarithm",
            "known habit: log((p + 1e-8) / (q + 1e-8))",
            ((term[i], weighted_log(P[i], (P[i] + SMALL) / (Q[i] + SMALL), p[i])),),
        ),
    ),
    remarks="Where p is 0 its own derivative is minus infinity; there nothing is compared.",
)

jsd_bounds = finite(
    "gan.jsd_bounds",
    "The Jensen-Shannon divergence is at most log 2",
    "gan.jsd",
    Program((*PARTS, (JSD, over(first[i] + second[i]) / 2)), out(JSD)),
    statement=Le(JSD, log(2)),
    relation=Relation(JSD, "<=", log(2)),
    conditions=("both laws sum to 1",),
    derivation=bounded_proof,
    variants=(
        Variant("without the half", "known convention", ((JSD, over(first[i] + second[i])),)),
        Variant("in bits", "logarithm to base 2", ((JSD, over(first[i] + second[i]) / (2 * log(2))),)),
        Variant(
            "its square root",
            "scipy.spatial.distance.jensenshannon",
            ((JSD, sqrt(over(first[i] + second[i]) / 2)),),
        ),
    ),
    remarks="It reaches log 2 where the supports are disjoint, however far apart: there it has no gradient "
    "that could bring them together.",
)

apart = finite(
    "gan.jsd_bounds.positive",
    "The Jensen-Shannon divergence is nowhere negative, and 0 only if the laws are equal",
    "gan.jsd",
    Program((*PARTS, (JSD, over(first[i] + second[i]) / 2)), out(JSD)),
    statement=Ge(JSD, over((p[i] - q[i]) ** 2 / (p[i] + q[i])) / 4),
    relation=Relation(JSD, ">=", TRIANGLE / 4),
    conditions=("0/0 is 0 off both supports",),
    derivation=triangle_proof,
    variants=(
        Variant("middle not halved", "known bug", ((m[i], P[i] + Q[i]),)),
        Variant("mean over the points", "known bug", ((JSD, over(first[i] + second[i]) / (2 * n)),)),
        Variant("halved twice", "known bug", ((JSD, over(first[i] + second[i]) / 4),)),
    ),
)

symmetric = finite(
    "gan.jsd_bounds.symmetric",
    "The Jensen-Shannon divergence does not change when the laws are exchanged",
    "gan.jsd",
    Program((*PARTS, (JSD, over(first[i] + second[i]) / 2)), out(JSD)),
    kind="invariance",
    statement=Eq(Function("JSD")(x, y), Function("JSD")(y, x)),
    derivation=symmetric_proof,
    variants=(
        Variant("of the second law only", "known bug", ((JSD, over(second[i])),)),
        Variant("skewed middle", "the α-skew divergence", ((m[i], (P[i] + 3 * Q[i]) / 4),)),
    ),
    options={"arguments": ("q", "p")},
)

CLAIMS = (kl_form, jsd_form, kl_nonneg, value, jsd_bounds, apart, symmetric)
