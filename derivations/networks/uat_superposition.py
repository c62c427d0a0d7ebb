"""The superposition theorem behind the widths: its inner function, and a step that contracts (section 1.1.2)."""

from typing import Any

from sympy import Abs, Eq, Ge, IndexedBase, Le, Piecewise, Rational, Symbol, floor, symbols

from gnomon.proof.derivation import Derivation, Step, cite, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, real, symbols_of

SECTION = "1.1.2"
BASE = 10
i, q, r = symbols("i q r", integer=True, nonnegative=True)

# ------------------------------------------------------------------ the inner function

DIGITS, START = Size("k", 1, 3), Size("N", 0, 990)
k, N = symbols_of((DIGITS, START))
RUN = 12
psi = IndexedBase("psi", real=True)
above = floor(q / BASE)
last = q - BASE * above


def cost(digits: Any) -> Any:
    """Ten to the power of 1 + 2 + ... + 2^(k - 1): the digits that k digits of x cost."""
    return 10 ** (2**digits - 1)


PLAIN = psi[r - 1, above] + last / cost(r)
HALFWAY = (psi[r, q - 1] + psi[r - 1, above + 1]) / 2


def inner(plain: Any = PLAIN, halfway: Any = HALFWAY) -> tuple[Any, Any]:
    """The recursion over digits."""
    return psi[r, q], Piecewise((q / Rational(BASE), Eq(r, 1)), (halfway, Eq(last, BASE - 1)), (plain, True))


VALUES = (Output("psi", psi[k, N + i], (i, 0, RUN - 1)),)


def inner_proof() -> Derivation:
    e, low, gap, h, up = symbols("e psi g h u", positive=True)
    eight = low + 8 * e
    return Derivation(
        (
            define(e, 1 / Symbol("10^beta(k)"), "the least step of k digits; that of k - 1, h, is 100 e or more"),
            Step(
                "solve",
                Eq(2 * (eight + up), eight + low + h),
                (h - 8 * e) / 2,
                "From the last digit 8 to 9 it is half the rest of the way,",
                by=(up,),
            ),
            Step(
                "solve",
                Eq(2 * (low + h - up), eight + low + h),
                (h - 8 * e) / 2,
                "and from there to the next as much again.",
                by=(up,),
            ),
            Step(
                "inequality",
                Ge((h - 8 * e) / 2, e),
                gap / 2 + 45 * e,
                "Both are e at least: so are all steps, by induction over the digits, and psi increases.",
                assume=(Eq(h, 100 * e + gap),),
            ),
            cite("continuity: the steps of k digits leave no gap in the limit (Braun and Griebel, 2009)"),
        ),
        "every number of digits",
        lift="induction",
    )


inner_function = Claim(
    id="uat.bounded.kst.inner",
    section=SECTION,
    title="The inner function of superposition, digit by digit, with a halfway rule for the last digit 9",
    kind="equality",
    subject="uat_superposition.inner_function",
    driver="exact_function",
    structure=(DIGITS, START),
    inputs=(),
    program=Program((inner(),), VALUES),
    statement=Eq(psi[r, q], Piecewise((HALFWAY, Eq(last, BASE - 1)), (PLAIN, True))),
    conditions=("d = 2, the base 10",),
    derivation=inner_proof,
    variants=(
        Variant("no halfway rule", "known bug: the steps of later digits overtake it", (inner(halfway=PLAIN),)),
        Variant("a third of the way", "known bug", (inner(halfway=(2 * psi[r, q - 1] + psi[r - 1, above + 1]) / 3),)),
        Variant("each digit a tenth", "the identity", (inner(PLAIN - last / cost(r) + last / 10**r),)),
        Variant("no step to the last digit 9", "known bug", (inner(halfway=psi[r, q - 1]),)),
    ),
    options={"arguments": ("N", "k"), "run": "N"},
)

# ------------------------------------------------------------------ one step

ONE_DIGIT = Size("k", 1, 1)
BILINEAR = (real("c", 4, low=-2.0, high=2.0), real("N", 2, integer=True, low=0.0, high=9000.0))
c, at = symbols_of(BILINEAR)
f, y = symbols("f y", real=True)
x1, x2 = symbols("x1 x2", real=True)
PLACES = ((x1, at[0] / 10**4), (x2, at[1] / 10**4))
F = (f, c[0] + c[1] * x1 + c[2] * x2 + c[3] * x1 * x2)
most = Abs(c[0]) + Rational(9, 10) * (Abs(c[1]) + Abs(c[2])) + Rational(81, 100) * Abs(c[3])
change = (Abs(c[1]) + Abs(c[2]) + Rational(9, 5) * Abs(c[3])) / 10**k
contracted = Rational(3, 5) * change + Rational(4, 5) * most


def step_proof() -> Derivation:
    width, omega, top, d, moved, near, far = symbols("w omega M delta u near far", positive=True)
    return Derivation(
        (
            define(d, Rational(8, 9) / Symbol("10^k"), "the side of a square; the rest, a ninth of it, is a gap"),
            Step(
                "solve",
                Eq(moved * (BASE - 1), width),
                width / 9,
                "A shift moves a point by a ninth of the width along the squares: as wide as a gap, so that in each "
                "coordinate one shift of the five falls into a gap, at most.",
                by=(moved,),
            ),
            cite(
                "the images of a shift's squares do not meet (Braun and Griebel, 2009, section 3); for 1 digit they "
                "are 0.0089 long, from points that are 0.0090 apart, as was computed and is no step here"
            ),
            Step(
                "substitute",
                Rational(3, 5) * near + Rational(2, 5) * far,
                3 * omega / 5 + 4 * top / 5,
                "Three fifths of f are seen in a square, off by omega; of the rest M is missing, and M put in.",
                by=((near, omega), (far, 2 * top)),
                wrong=(3 * omega / 5 + 2 * top / 5,),
            ),
            Step(
                "inequality",
                Le(3 * omega / 5 + 4 * top / 5, top),
                3 * (top / 3 - omega) / 5,
                "That is less than M if f changes by less than M / 3: repeated, the steps converge.",
                assume=(omega <= top / 3,),
            ),
        ),
        "one step with one digit, on [0, 0.9]^2",
    )


contraction = Claim(
    id="uat.bounded.kst",
    section=SECTION,
    title="One step of the superposition takes off a fifth of a function, at least, up to its changes in a square",
    kind="limit",
    subject="uat_superposition.superposition_step",
    driver="superposition",
    structure=(ONE_DIGIT,),
    inputs=BILINEAR,
    program=Program((*PLACES, F, (y, f)), (Output("y", y),)),
    relation=Relation(Abs(f - y), "<=", contracted),
    statement=Le(Abs(f - y), contracted),
    conditions=("d = 2, the base 10", "points of [0, 0.9]^2; checked for f(x, y) = c_0 + c_1 x + c_2 y + c_3 x y"),
    derivation=step_proof,
    variants=(
        Variant("nothing taken off", "0", ((y, 0),)),
        Variant("twice as much", "known bug", ((y, 2 * f),)),
        Variant("the wrong way", "other sign", ((y, -f),)),
    ),
    options={"places": 4},
    remarks="That is slow: to a thousandth it takes more than 30 steps, each with many more digits. It shows that five "
    "functions of one number suffice, and hence 6 d + 3 units; it is no way to compute.",
)

CLAIMS = (contraction, inner_function)
