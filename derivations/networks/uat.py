"""One hidden layer: what the theorem says of it, and what it needs (notes, sections 1.1 and 1.1.1)."""

from sympy import (
    Abs,
    Eq,
    Ge,
    IndexedBase,
    Lambda,
    Max,
    Min,
    Sum,
    Symbol,
    cos,
    false,
    oo,
    sin,
    symbols,
    tanh,
)

from gnomon.proof.derivation import Derivation, Step, cite, define, opaque
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

sigma, _, _ = opaque("sigma")
u = Symbol("u", real=True)
CURVES = {
    "tanh": tanh(u),
    "relu": Max(u, 0),
    "sigmoid": (1 + tanh(u / 2)) / 2,
    "sin": sin(u),
    "identity": u,
    "square": u**2,
    "cube": u**3,
}


def activation(*labels: str) -> Choice:
    """A choice between activations."""
    return Choice("sigma", {label: {sigma: Lambda(u, CURVES[label])} for label in labels})


IN, WIDE, OUT = Size("n", 1, 3), Size("k", 1, 4), Size("m", 1, 3)
(n, k, m) = symbols_of((IN, WIDE, OUT))
INNER, BIAS, OUTER = real("A", WIDE, IN), real("b", WIDE), real("C", OUT, WIDE)
A, b, C = symbols_of((INNER, BIAS, OUTER))
x, s, g = (IndexedBase(name, real=True) for name in ("x", "s", "g"))
a, i, j, q = symbols("a i j q", integer=True, nonnegative=True)
OPTIONS = {"args": ("n", "k", "m", "sigma"), "parameters": {"A": "A", "b": "b", "C": "C"}, "call": ("x",)}

# ------------------------------------------------------------------ what the network is

UNIT = (s[i], Sum(A[i, j] * x[j], (j, 0, n - 1)) + b[i])
LATE = Sum(C[q, i] * (sigma(s[i]) + b[i]), (i, 0, k - 1))
READ = (g[q], Sum(C[q, i] * sigma(s[i]), (i, 0, k - 1)))
VALUE = (Output("g", g[q], (q, 0, m - 1)),)


def notation_proof() -> Derivation:
    z, c, d = (IndexedBase(name, real=True) for name in ("z", "c", "d"))
    p = Symbol("p", integer=True, positive=True)
    unit = Sum(z[j] * x[j], (j, 0, p - 1)) + u
    c1, c2, s1, s2 = symbols("c_1 c_2 s_1 s_2", real=True)
    return Derivation(
        (
            define(s[i], UNIT[1], "the product of a matrix and a vector, A x, and a bias"),
            define(g[q], READ[1], "sigma on each component, then again the product of a matrix and a vector"),
            Step(
                "rewrite",
                Sum((c[i] + d[i]) * sigma(s[i]), (i, 0, p)),
                Sum(c[i] * sigma(s[i]), (i, 0, p - 1)) + c[p] * sigma(s[p]) + Sum(d[i] * sigma(s[i]), (i, 0, p)),
                "Such networks add up: one more unit is one more term, and C enters linearly.",
            ),
            Step(
                "substitute",
                sigma(unit),
                sigma(u),
                "There is no bias at the output: a constant comes from a unit whose row of A is zero.",
                by=((z[j], 0),),
            ),
            Step(
                "refute",
                Eq(c1 * s1 + c2 * s2, c1 * s1),
                false,
                "Read as printed, entry by entry, C would not add the units up.",
                by=({c1: 1, c2: 1, s1: 1, s2: 1},),
            ),
        )
    )


notation = Claim(
    id="uat.width.notation",
    section="1.1.1",
    title="The network of the theorem: a matrix, a bias, the activation on each component, another matrix",
    kind="equality",
    subject="uat.ShallowNetwork",
    driver="module",
    structure=(IN, WIDE, OUT, activation("tanh", "relu", "sigmoid", "sin", "identity", "square")),
    inputs=(real("x", IN), INNER, BIAS, OUTER),
    program=Program((UNIT, READ), VALUE),
    statement=Eq(g[q], Sum(C[q, i] * sigma(Sum(A[i, j] * x[j], (j, 0, n - 1)) + b[i]), (i, 0, k - 1))),
    conditions=("A is k by n, b has k entries, C is m by k; no bias at the output",),
    derivation=notation_proof,
    variants=(
        Variant(
            "entry by entry",
            "notes",
            ((g[q], C[q, Min(q, k - 1)] * sigma(s[Min(q, k - 1)])),),
            printed=True,
            why="C ∘ (σ ⊙ (A x + b)) has the two signs exchanged: as defined in the same sentence, ∘ is componentwise",
        ),
        Variant("bias after the activation", "known bug", ((s[i], UNIT[1] - b[i]), (g[q], LATE))),
        Variant("activation at the output too", "known bug", ((g[q], sigma(READ[1])),)),
        Variant("no activation", "known bug", ((g[q], Sum(C[q, i] * s[i], (i, 0, k - 1))),)),
        Variant("a mean of the units", "other scaling", ((g[q], READ[1] / k),)),
    ),
    options=OPTIONS,
    remarks="In nn.Sequential(nn.Linear(n, k), sigma, nn.Linear(k, m)) the second bias is one more constant. The "
    "theorem holds with it or without.",
)

# ------------------------------------------------------------------ on a compact set alone

LINE, ONE = Size("n", 1, 1, closed=True), Size("m", 1, 1)
bound = Symbol("bound", nonnegative=True)
growth = Sum(Abs(C[0, i]) * (Abs(A[i, 0]) * Abs(x[0]) + Abs(b[i])), (i, 0, k - 1))
at_home = Sum(Abs(C[0, i]) * (Abs(A[i, 0]) + Abs(b[i])), (i, 0, k - 1))
gap = Abs(x[0] ** 2 - g[0])


def summary_proof() -> Derivation:
    z, alpha, beta = symbols("z alpha beta", positive=True)
    return Derivation(
        (
            Step("inequality", Ge(Abs(u), Max(u, 0)), Max(-u, 0), "ReLU is nowhere farther from 0 than u"),
            Step("differentiate", u - tanh(u), tanh(u) ** 2, "nor is tanh: the gap starts at 0 and grows,", by=(u,)),
            Step("differentiate", u - sin(u), 1 - cos(u), "nor is the sine.", by=(u,)),
            Step("inequality", Ge(1 - cos(u), 0), 2 * sin(u / 2) ** 2, "This slope is not negative either."),
            cite("the triangle inequality: |g(x)| is at most the sum of |C| |A x + b|, and of |C| (|A| |x| + |b|)"),
            Step(
                "limit",
                z**2 - (alpha * z + beta),
                oo,
                "Such a network grows linearly at most: away from 0, x^2 leaves every one behind,",
                by=(z, oo),
            ),
            Step(
                "limit",
                (z**2 - (alpha * z + beta)) / z**2,
                1,
                "and the error is x^2 itself, in the end.",
                by=(z, oo),
            ),
        ),
        "every width and all weights; the input is a number",
    )


summary = Claim(
    id="uat.summary",
    section="1.1",
    title="On all of R a network misses x^2 by as much as x^2: the theorem needs a compact set",
    kind="inequality",
    subject="uat.ShallowNetwork",
    driver="module",
    structure=(LINE, WIDE, ONE, activation("tanh", "relu", "sin", "identity")),
    inputs=(real("x", LINE), INNER, BIAS, real("C", ONE, WIDE)),
    program=Program((UNIT, READ), VALUE),
    relation=Relation(gap, ">=", x[0] ** 2 - growth),
    statement=Ge(gap, x[0] ** 2 - growth),
    conditions=("the activation is nowhere farther from 0 than its argument, like ReLU, tanh and the sine",),
    derivation=summary_proof,
    variants=(
        Variant(
            "within the same error everywhere",
            "notes",
            relation=Relation(gap, "<=", 1 + at_home),
            printed=True,
            why="“enough to approximate all continuous functions” is said without a compact set: what bounds the error "
            "on [-1, 1] does not bound it on R",
        ),
        Variant("a square activation", "condition dropped", structure=(activation("square", "relu"),)),
        Variant("ten times the output", "known bug", ((g[q], READ[1] * 10),)),
        Variant(
            "growth left out",
            "too tight: true of bounded activations",
            relation=Relation(gap, ">=", x[0] ** 2 - at_home),
        ),
    ),
    options=OPTIONS,
)

CLAIMS = (notation, summary)
