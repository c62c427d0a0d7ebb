"""Areas of images of small squares (notes, section 4.1.1)."""

from typing import Any

import sympy as sp
from sympy import Abs, Eq, IndexedBase, KroneckerDelta, Symbol, symbols

from gnomon.derivations.flow_volume import SECTION, determinant
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import real, symbols_of

i, j, k = symbols("i j k", integer=True, nonnegative=True)
det, area = symbols("det area", real=True)
T, across, back = (IndexedBase(name, real=True) for name in ("T", "across", "back"))

SQUARE = (real("M", 2, 2), real("q", 2), real("x", 2), real("h", low=0.0, open_low=True))
G, qs, corner, h = symbols_of(SQUARE)
point = IndexedBase("point", real=True)


def image_of(shifted: Any) -> tuple[tuple[Any, Any], ...]:
    """The images of the four corners and the cross product of the diagonals, as a program."""
    moved = (point[i, j, k], shifted + h * KroneckerDelta(i, 0) * j + h * KroneckerDelta(i, 1) * k)
    mapped = G[i, 0] * point[0, j, k] + G[i, 1] * point[1, j, k] + qs[i] * point[i, j, k] ** 2
    return (
        moved,
        (T[i, j, k], mapped),
        (across[i], (T[i, 1, 1] - T[i, 0, 0]) / h),
        (back[i], (T[i, 0, 1] - T[i, 1, 0]) / h),
        (area, Abs(across[0] * back[1] - across[1] * back[0]) / 2),
    )


IMAGE_AREA = Program(image_of(corner[i]), (Output("area", area),))
FLAT = (real("M", 2, 2), real("q", 2, low=0.0, high=0.0), real("x", 2), SQUARE[3])


def area_proof() -> Derivation:
    a, b, c_, d = symbols("a b c d", real=True)
    e = Symbol("h", positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                sp.Matrix([[a * e, b * e], [c_ * e, d * e]]).det(),
                e**2 * (a * d - b * c_),
                why="the images of the two edges of a square of side h span h² times the determinant",
                wrong=(e**2 / (a * d - b * c_),),
            ),
            Step(
                "refute",
                Eq(4 * (a * d - b * c_), 1),
                sp.false,
                why="for T = 2 I the printed dx dy = |det| du dv would read 1 = 16/4: the ratio is the reciprocal",
                by=({a: 2, b: 0, c_: 0, d: 2},),
            ),
        ),
        "d = 2",
    )


area_element = Claim(
    id="flow.area_element",
    section=SECTION,
    title="A linear map turns areas into |det| times themselves",
    kind="equality",
    subject="flow.image_area",
    driver="area",
    inputs=FLAT,
    program=IMAGE_AREA,
    definition=Program(((area, Abs(determinant(G))),), (Output("area", area),)),
    statement=Eq(Symbol("du dv"), Symbol("|det ∂T/∂(x,y)| dx dy")),
    conditions=("T is linear, or the square is infinitesimal",),
    derivation=area_proof,
    gradient=False,
    variants=(
        Variant(
            "the reciprocal",
            "notes",
            ((area, 2 / Abs(across[0] * back[1] - across[1] * back[0])),),
            printed=True,
            why="as printed a map that doubles lengths would shrink areas to a quarter",
        ),
        Variant("signed", "known bug", ((area, (across[0] * back[1] - across[1] * back[0]) / 2),)),
        Variant("the whole cross product", "known bug", ((area, Abs(across[0] * back[1] - across[1] * back[0])),)),
    ),
    remarks="The gradient is not compared: q is 0 here, and the area's derivative by q is another matter.",
)

bound, slope_ = symbols("bound slope", real=True)
CORNER_DET = (det, (G[0, 0] + 2 * qs[0] * corner[0]) * (G[1, 1] + 2 * qs[1] * corner[1]) - G[0, 1] * G[1, 0])
FIRST_ORDER = Abs((G[0, 0] + 2 * qs[0] * corner[0]) * qs[1] + (G[1, 1] + 2 * qs[1] * corner[1]) * qs[0])
shown = Symbol("area", real=True)


def approximation_proof() -> Derivation:
    a, b, c_, d, p, r = symbols("a b c d p r", real=True)
    e = Symbol("h", positive=True)
    corners = {
        (u, v): (a * e * u + b * e * v + p * (e * u) ** 2, c_ * e * u + d * e * v + r * (e * v) ** 2)
        for u in (0, 1)
        for v in (0, 1)
    }
    one = [corners[1, 1][n_] - corners[0, 0][n_] for n_ in (0, 1)]
    two = [corners[0, 1][n_] - corners[1, 0][n_] for n_ in (0, 1)]
    return Derivation(
        (
            Step(
                "rewrite",
                (one[0] * two[1] - one[1] * two[0]) / (2 * e**2),
                a * d - b * c_ + e * (a * r + d * p) + e**2 * p * r,
                why="the shoelace of the four images of a square of side h, for a map with the Jacobian (a b; c d) at "
                "its corner and the squares p x², r y²",
            ),
            Step(
                "limit",
                (e * (a * r + d * p) + e**2 * p * r) / e,
                a * r + d * p,
                why="so the ratio of areas is |det J| up to h times this: first order",
                by=(e, 0),
            ),
            Step("cite", None, None, why="the triangle inequality, ||A| - |B|| ≤ |A - B|"),
        ),
        "d = 2, maps of degree 2 without mixed terms",
    )


linear_approx = Claim(
    id="flow.linear_approx",
    section=SECTION,
    title="A small square's image has |det J| times its area, up to the first order in its side",
    kind="order",
    subject="flow.image_area",
    driver="area",
    inputs=SQUARE,
    program=IMAGE_AREA,
    relation=Relation(Abs(shown - Abs(CORNER_DET[1])), "<=", h * FIRST_ORDER + h**2 * Abs(qs[0] * qs[1])),
    statement=sp.Le(Abs(Symbol("area") - Abs(Symbol("det_J"))), h * FIRST_ORDER + h**2 * Abs(qs[0] * qs[1])),
    conditions=("area is that of the image over that of the square; the Jacobian J is that of T, at the corner",),
    derivation=approximation_proof,
    variants=(
        Variant(
            "second order at a corner",
            "true for a centred square alone",
            relation=Relation(Abs(shown - Abs(CORNER_DET[1])), "<=", h**2 * Abs(qs[0] * qs[1])),
        ),
        Variant(
            "the Jacobian of the inverse",
            "notes",
            relation=Relation(Abs(shown - 1 / Abs(CORNER_DET[1])), "<=", h * FIRST_ORDER + h**2 * Abs(qs[0] * qs[1])),
            printed=True,
            why="the matrix that the notes print is the Jacobian of the inverse, and its determinant the reciprocal",
        ),
        Variant(
            "no absolute value",
            "notes",
            relation=Relation(Abs(shown - CORNER_DET[1]), "<=", h * FIRST_ORDER + h**2 * Abs(qs[0] * qs[1])),
            printed=True,
        ),
    ),
)

CLAIMS = (area_element, linear_approx)
