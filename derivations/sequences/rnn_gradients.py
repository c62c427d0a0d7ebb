"""Vanishing and exploding gradients of recurrent networks, and what ReLU changes (notes, section 1.4.1)."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    Gt,
    IndexedBase,
    Le,
    Max,
    Min,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    oo,
    sqrt,
    symbols,
    tanh,
)

from gnomon.derivations.sequences.rnn_network import (
    BIAS,
    INPUT_WEIGHT,
    NONLINEARITY,
    SEQUENCE,
    START,
    UNITS,
    WEIGHT,
    J,
    T,
    W,
    dsigma,
    i,
    j,
    jacobian_steps,
    k,
    n,
    p,
    q,
    r,
    s,
    stepped,
    t,
    unfolded,
    units,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size

SECTION = "1.4.1"
seen = IndexedBase("jacobian", real=True)
steepest = IndexedBase("steepest", real=True)
norm, gain, weight_norm = symbols("weight_norm gain frobenius", real=True)
OFF_BY_ONE = "known bug: off by one"
WHOLE = Output("jacobian", J[T, i, j], (i, 0, n - 1), (j, 0, n - 1))
OF_MODULE = {
    "args": ("d", "n"),
    "keywords": {"bias": False, "nonlinearity": "nonlinearity"},
    "parameters": {"weight_ih_l0": "weight_ih", "weight_hh_l0": "weight_hh"},
}


def two_norm(matrix: Any) -> Any:
    """The largest singular value of a matrix of two rows and columns, without cancellation."""
    along = (matrix[0, 0] + matrix[1, 1]) ** 2 + (matrix[0, 1] - matrix[1, 0]) ** 2
    across = (matrix[0, 0] - matrix[1, 1]) ** 2 + (matrix[0, 1] + matrix[1, 0]) ** 2
    return sqrt(along) / 2 + sqrt(across) / 2


def spectral_radius(matrix: Any) -> Any:
    """The largest absolute value of an eigenvalue."""
    half, det = (matrix[0, 0] + matrix[1, 1]) / 2, matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    apart = (matrix[0, 0] - matrix[1, 1]) ** 2 / 4 + matrix[0, 1] * matrix[1, 0]
    return Piecewise((Abs(half) + sqrt(apart), apart >= 0), (sqrt(Max(det, 0)), True))


def bound_steps() -> tuple[Step, ...]:
    """One step stretches no more than the norm of W times the steepest slope; T steps, no more than the product."""
    v, y, slack = IndexedBase("v", real=True), IndexedBase("y", real=True), IndexedBase("r", nonnegative=True)
    stretch, top, length = Symbol("w", positive=True), Symbol("D", positive=True), Symbol("v0", nonnegative=True)
    grown, factor = IndexedBase("m", real=True), IndexedBase("f", positive=True)
    longest = stretch**2 * Sum(v[i] ** 2, units(i)) - Sum(y[i] ** 2, units(i))
    return (
        define(y[i], Sum(W[i, j] * v[j], UNITS), why="what W makes of v; its length is at most w |v|, w the norm of W"),
        Step(
            "inequality",
            Le(
                Sum((top**2 - slack[i]) * y[i] ** 2, units(i)),
                top**2 * stretch**2 * Sum(v[i] ** 2, units(i)),
            ),
            Sum(slack[i] * y[i] ** 2, units(i)) + top**2 * longest,
            why="one step: |diag(sigma') W v|^2, where each squared slope is that of the steepest, D, less some r >= 0",
            assume=(longest >= 0,),
        ),
        Step(
            "induction",
            Eq(grown[t], factor[t] * grown[t - 1]),
            length * Product(factor[r], (r, 1, t)),
            why="so the bounds of the steps multiply",
            by=(t, 0, length),
        ),
    )


def vanishing_steps() -> tuple[Step, ...]:
    """Small is not zero, and W of norm above 1 explodes at rest."""
    v, w, z, c, s_, A, e = symbols("v w z c s A B", real=True)
    steps, short = Symbol("T", integer=True, positive=True), Symbol("alpha", positive=True)
    nested = tanh(w * tanh(w * tanh(w * z)))
    slopes = w**3 * (1 - nested**2) * (1 - tanh(w * tanh(w * z)) ** 2) * (1 - tanh(w * z) ** 2)
    return (
        Step("inequality", Le(1 - tanh(z) ** 2, 1, evaluate=False), tanh(z) ** 2, why="tanh is nowhere steeper than 1"),
        Step("limit", Rational(9, 10) ** steps, Rational(0), why="a norm of 0.9: the bound falls to 0", by=(steps, oo)),
        Step(
            "inequality",
            Gt(short**steps, 0, evaluate=False),
            short**steps,
            why="but never is 0: exponentially small, not zero",
        ),
        Step("differentiate", nested, slopes, why="one unit, three steps without inputs", by=(z,)),
        Step(
            "substitute",
            slopes,
            w**3,
            why="at rest every slope is 1 and the gradient w^T: 0 for no w but 0, and 32 for w = 2, T = 5",
            by=((z, 0),),
            wrong=(Rational(0), w),
        ),
        Step(
            "substitute",
            (c * A - s_ * e) ** 2 + (s_ * A + c * e) ** 2,
            A**2 + e**2,
            why="a rotation keeps every length: without a nonlinearity its gradients neither vanish nor explode",
            by=((c, (1 - v**2) / (1 + v**2)), (s_, 2 * v / (1 + v**2))),
        ),
    )


def norm_steps() -> tuple[Step, ...]:
    """The closed form of the largest singular value, and why eigenvalues do not do."""
    A, B, C, D = symbols("A B C D", real=True)
    along, across = (A + D) ** 2 + (B - C) ** 2, (A - D) ** 2 + (B + C) ** 2
    square = ((sqrt(along) + sqrt(across)) / 2) ** 2
    return (
        Step(
            "rewrite",
            square**2 - (A**2 + B**2 + C**2 + D**2) * square + (A * D - B * C) ** 2,
            Rational(0),
            why="its square is a root of the characteristic polynomial of W^T W, and the greater one, since their sum "
            "is |W|_F^2",
        ),
        Step(
            "refute",
            Le(sqrt(A**2 + B**2 + C**2 + D**2), Abs(A + D) / 2 + sqrt((A - D) ** 2 / 4 + B * C)),
            Gt(A**2 + B**2 + C**2 + D**2, 0),
            why="[[0, 4], [0, 0]] has no eigenvalue but 0 and stretches (0, 1) to (4, 0)",
            by=({A: 0, B: 4, C: 0, D: 0},),
        ),
    )


SHORT = Size("T", 1, 4)
SLOPES = dsigma(s[t, 0]), dsigma(s[t, 1])
STEEPEST = (steepest[t], Max(Abs(SLOPES[0]), Abs(SLOPES[1])))
PLAIN = unfolded(bias=0)


def at_most(bound: Any) -> Relation:
    return Relation(two_norm(seen), "<=", bound)


vanishing = Claim(
    id="rnn.gradient_vanishing",
    section=SECTION,
    title="‖∂h_T/∂h_0‖ ≤ Π ‖W‖ max|σ'|: below 1 the gradient falls exponentially, and above it may explode",
    kind="inequality",
    subject="recurrent.RNN",
    driver="state_jacobian",
    structure=(SHORT, Size("n", 2, 2, closed=True), Size("d", 1, 1), NONLINEARITY),
    inputs=(SEQUENCE, START, INPUT_WEIGHT, WEIGHT),
    program=Program((*PLAIN, stepped(), STEEPEST, (norm, two_norm(W))), (WHOLE,)),
    relation=at_most(Product(steepest[t] * norm, (t, 1, T))),
    statement=Le(Symbol("‖∂h_T/∂h_0‖"), Product(norm * steepest[t], (t, 1, T))),
    conditions=("‖·‖ is the largest singular value", "two units, where it has a closed form"),
    derivation=lambda: Derivation(
        (*jacobian_steps(), *bound_steps(), *norm_steps(), *vanishing_steps()), "every size; the closed form for n = 2"
    ),
    variants=(
        Variant(
            "the gradient becomes zero",
            "notes",
            relation=at_most(Rational(0)),
            printed=True,
            why="“gradients become zeros”: they become small if ‖W‖ max|σ'| < 1, stay if W is a rotation, and grow "
            "like w^T at rest, which the notes leave out.",
        ),
        Variant(
            "spectral radius",
            "common error: eigenvalues in the place of singular values",
            ((norm, spectral_radius(W)),),
            why="It says what happens for T to infinity at a fixed point, and bounds no finite product.",
        ),
        Variant("the largest entry", "known bug", ((norm, Max(*map(Abs, (W[0, 0], W[0, 1], W[1, 0], W[1, 1])))),)),
        Variant("the flattest slope", "known bug", ((steepest[t], Min(*map(Abs, SLOPES))),)),
        Variant("without the slopes", "known bug", (stepped(slope=1),)),
        Variant("one factor more", OFF_BY_ONE, relation=at_most(norm * Product(steepest[t] * norm, (t, 1, T)))),
    ),
    options=OF_MODULE,
    remarks="A sufficient condition for vanishing, ‖W‖ max|σ'| < 1; the gradient may also vanish although ‖W‖ > 1, by "
    "saturation: one unit with w = 2 and h_0 = 1 has 2e-16 after 20 steps. In float32 the product 0.9^T stalls at a "
    "subnormal and never is 0.",
)

# ---------------------------------------------------------------- any width


def frobenius_steps() -> tuple[Step, ...]:
    B = IndexedBase("B", real=True)
    crossed = Sum((W[p, j] * B[k, q] - W[p, k] * B[j, q]) ** 2, UNITS, units(k), units(p), units(q)) / 2
    product = Sum(Sum(W[p, j] * B[j, q], UNITS) ** 2, units(p), units(q))
    return (
        Step(
            "inequality",
            Le(product, Sum(W[p, j] ** 2, UNITS, units(p)) * Sum(B[j, q] ** 2, UNITS, units(q))),
            crossed,
            why="|W B| <= |W| |B| by Cauchy and Schwarz, for every row and column: the excess is a sum of squares",
        ),
    )


greatest = IndexedBase("greatest", real=True)
size = sqrt(Sum(W[i, j] ** 2, units(i), UNITS))
GREATEST = (
    greatest[t, i],
    Piecewise((Abs(dsigma(s[t, 0])), Eq(i, 0)), (Max(greatest[t, i - 1], Abs(dsigma(s[t, i]))), True)),
)
BOUND = Product(greatest[t, n - 1] * weight_norm, (t, 1, T))
LENGTH = sqrt(Sum(seen[i, j] ** 2, units(i), UNITS))


def shorter(bound: Any) -> Relation:
    return Relation(LENGTH, "<=", bound)


any_width = Claim(
    id="rnn.gradient_vanishing.any_width",
    section=SECTION,
    title="The same bound with root-mean-square sizes, for every width and without a cited theorem",
    kind="inequality",
    subject="recurrent.state_jacobian",
    driver="function",
    structure=(SHORT, Size("n", 1, 3), Size("d", 1, 1), NONLINEARITY),
    inputs=(SEQUENCE, START, INPUT_WEIGHT, WEIGHT, BIAS),
    program=Program((*unfolded(), stepped(), GREATEST, (weight_norm, size)), (WHOLE,)),
    relation=shorter(BOUND),
    statement=Le(Symbol("|∂h_T/∂h_0|"), BOUND),
    conditions=("|·| is the root of the sum of the squares of all entries",),
    derivation=lambda: Derivation((*jacobian_steps(), *bound_steps(), *frobenius_steps())),
    variants=(
        Variant("the gradient becomes zero", "notes", relation=shorter(Rational(0)), printed=True),
        Variant("without the slopes", "known bug", (stepped(slope=1),)),
        Variant("the slope of the first unit", "known bug", ((greatest[t, i], Abs(dsigma(s[t, 0]))),)),
        Variant("mean of the squares", "known bug", ((weight_norm, size / n),)),
        Variant("one factor more", OFF_BY_ONE, relation=shorter(weight_norm * BOUND)),
    ),
    options={"arguments": ("x", "h0", "weight_ih", "weight_hh", "bias", "nonlinearity")},
)

CLAIMS = (vanishing, any_width)
