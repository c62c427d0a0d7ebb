"""Residual blocks, and networks of them (notes, section 1.5)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, KroneckerDelta, Lambda, Max, Piecewise, Sum, Symbol, false, symbols

from gnomon.derivations.backprop.backprop_network import CURVES, u
from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "1.5"
Let = tuple[Any, Any]

sigma, dsigma, _ = opaque("sigma")
ACTIVATION = Choice(
    "activation",
    {
        label: {sigma: Lambda(u, CURVES[label][0]), dsigma: Lambda(u, CURVES[label][1])}
        for label in ("identity", "tanh", "relu")
    },
)
SAMPLES, WIDTH, INSIDE = Size("N", 1, 2), Size("n", 1, 3), Size("m", 1, 2)
N, n, m = symbols_of((SAMPLES, WIDTH, INSIDE))
r, i, j, k, l, q = symbols("r i j k l q", integer=True, nonnegative=True)
LAYERS = (real("A", INSIDE, WIDTH), real("a", INSIDE), real("B", WIDTH, INSIDE), real("b", WIDTH))
X = real("x", SAMPLES, WIDTH)
x, A, a, B, b = symbols_of((X, *LAYERS))
s, f, y, direct = (IndexedBase(name, real=True) for name in ("s", "f", "y", "direct"))

# ------------------------------------------------------------------ proofs

p = Symbol("p", integer=True, nonnegative=True)
width, inside = (Symbol(name, integer=True, positive=True) for name in ("n", "m"))
x_, v_, A_, B_, S_ = (IndexedBase(name, real=True) for name in ("x", "v", "A", "B", "S"))


def over(term: Any, index: Any = i, size: Any = width) -> Any:
    return Sum(term, (index, 0, size - 1))


def branch(row: Any) -> Any:
    """``B sigma(A x)``, for any sizes."""
    return over(B_[row, j] * sigma(over(A_[j, i] * x_[i])), j, inside)


def slope(row: Any, column: Any) -> Any:
    """An entry of the branch's Jacobian."""
    return over(B_[row, j] * dsigma(over(A_[j, i] * x_[i])) * A_[j, column], j, inside)


def jacobian_step() -> Step:
    return Step(
        "differentiate",
        x_[p] + branch(p),
        KroneckerDelta(p, q) + slope(p, q),
        why="the Jacobian of the block is I + J, with J that of the branch",
        by=(x_[q],),
        wrong=(slope(p, q), 2 * KroneckerDelta(p, q) + slope(p, q)),
    )


def block_proof() -> Derivation:
    t = Symbol("t", real=True)
    return Derivation(
        (
            jacobian_step(),
            Step(
                "substitute",
                x_[p] + branch(p),
                x_[p],
                why="with a last layer of zeros the block is the identity: that is where training may start",
                by=((B_[p, q], 0),),
            ),
            Step(
                "refute",
                Eq(Max(t + 0 * t, 0), t),
                false,
                why="with a ReLU after the sum it is not: -1 goes to 0, whatever the branch",
                by=({t: -1},),
            ),
        ),
        "every width",
    )


# ------------------------------------------------------------------ one block

BRANCH = (
    (s[r, j], Sum(A[j, i] * x[r, i], (i, 0, n - 1)) + a[j]),
    (f[r, k], Sum(B[k, j] * sigma(s[r, j]), (j, 0, m - 1)) + b[k]),
)
SHOWN = (Output("y", y[r, k], (r, 0, N - 1), (k, 0, n - 1)),)
NO_SHORTCUT = Variant("no shortcut", "a plain network; known bug: the sum is lost", ((y[r, k], f[r, k]),))


def of_block(row: str, title: str, result: Let, **more: Any) -> Claim:
    """A claim on one block."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "equality",
        "subject": "residual.Residual",
        "driver": "residual_block",
        "structure": (SAMPLES, WIDTH, INSIDE, ACTIVATION),
        "inputs": (X, *LAYERS),
        "program": Program((*BRANCH, result), SHOWN),
        "statement": Eq(*result),
        "derivation": block_proof,
    }
    return Claim(id=row, title=title, **(fixed | more))


block = of_block(
    "resnet.block",
    "A residual block returns its input plus the branch, so its Jacobian is I + J",
    (y[r, k], x[r, k] + f[r, k]),
    conditions=("the branch returns the shape that it is given", "checked with branches of two layers"),
    variants=(
        NO_SHORTCUT,
        Variant("a ReLU after the sum", "He et al. 2016, first paper", ((y[r, k], Max(x[r, k] + f[r, k], 0)),)),
        Variant("a ReLU after the branch", "known bug", ((y[r, k], x[r, k] + Max(f[r, k], 0)),)),
        Variant("branch taken off", "known bug: the residual has the other sign", ((y[r, k], x[r, k] - f[r, k]),)),
        Variant("mean of both", "known habit, to keep the variance", ((y[r, k], (x[r, k] + f[r, k]) / 2),)),
        Variant("input counted twice", "known bug: added inside and outside", ((y[r, k], 2 * x[r, k] + f[r, k]),)),
    ),
    remarks="The notes show it as a figure. Autograd's gradient is compared, too: it is that of I + J.",
)

after = of_block(
    "resnet.block.activation",
    "The original block applies the activation to the sum, which closes the direct path where the sum is negative",
    (y[r, k], Max(x[r, k] + f[r, k], 0)),
    options={"after": "relu"},
    conditions=("at a sum of exactly 0 any slope between 0 and 1 is accepted",),
    variants=(
        NO_SHORTCUT,
        Variant("no activation after the sum", "He et al. 2016, second paper", ((y[r, k], x[r, k] + f[r, k]),)),
        Variant("activation before the sum", "known bug", ((y[r, k], x[r, k] + Max(f[r, k], 0)),)),
        Variant("activation of both", "known bug", ((y[r, k], Max(x[r, k], 0) + Max(f[r, k], 0)),)),
    ),
    remarks="So x = -1 and F = 0 give 0, with the gradient 0: only without an activation after the sum is the direct "
    "path the identity.",
)

# ------------------------------------------------------------------ a shortcut that changes the width

OUTSIDE = Size("o", 1, 3)
o = OUTSIDE.symbol
PROJECTED = (X, LAYERS[0], LAYERS[1], real("B", OUTSIDE, INSIDE), real("b", OUTSIDE), real("S", OUTSIDE, WIDTH))
S = PROJECTED[-1].symbol


def projection_proof() -> Derivation:
    projected = over(S_[p, i] * x_[i])
    return Derivation(
        (
            Step(
                "differentiate",
                projected + branch(p),
                S_[p, q] + slope(p, q),
                why="the direct path is the matrix S in the place of the identity",
                by=(x_[q],),
            ),
            Step(
                "collapse",
                over(KroneckerDelta(p, i) * x_[i]),
                x_[p],
                why="which it is for S = I",
            ),
        ),
        "every width",
    )


projection = of_block(
    "resnet.block.projection",
    "Where the branch changes the width, the shortcut is a matrix",
    (y[r, k], direct[r, k] + f[r, k]),
    structure=(SAMPLES, WIDTH, INSIDE, OUTSIDE, ACTIVATION),
    inputs=PROJECTED,
    program=Program(
        (*BRANCH, (direct[r, k], Sum(S[k, i] * x[r, i], (i, 0, n - 1))), (y[r, k], direct[r, k] + f[r, k])),
        (Output("y", y[r, k], (r, 0, N - 1), (k, 0, o - 1)),),
    ),
    derivation=projection_proof,
    variants=(
        NO_SHORTCUT,
        Variant(
            "padded with zeros",
            "option A of He et al. 2016",
            ((direct[r, k], Piecewise((x[r, k], k < n), (0, True))),),
        ),
        Variant("half of the shortcut", "known bug: an average", ((y[r, k], direct[r, k] / 2 + f[r, k]),)),
    ),
)

# ------------------------------------------------------------------ many blocks

DEPTH = Size("L", 1, 3)
L = DEPTH.symbol
SLIM = Size("n", 1, 2)
STACK = (
    real("A", DEPTH, INSIDE, SLIM), real("a", DEPTH, INSIDE), real("B", DEPTH, SLIM, INSIDE), real("b", DEPTH, SLIM),
)  # fmt: skip
START = real("x", SLIM)
x0, As, as_, Bs, bs = symbols_of((START, *STACK))
xs = IndexedBase("xs", real=True)


def forward(moved: Any = None, at: Any = None) -> tuple[Let, ...]:
    """The states between the blocks, counted from 0, and what each block adds."""
    at = xs[l, i] if at is None else at
    moved = xs[l - 1, i] + f[l - 1, i] if moved is None else moved
    return (
        (s[l, j], Sum(As[l, j, i] * at, (i, 0, n - 1)) + as_[l, j]),
        (f[l, i], Sum(Bs[l, i, j] * sigma(s[l, j]), (j, 0, m - 1)) + bs[l, i]),
        (xs[l, i], Piecewise((x0[i], Eq(l, 0)), (moved, True))),
    )


def depth_proof() -> Derivation:
    state, change = IndexedBase("X", real=True), IndexedBase("F", real=True)
    start = Symbol("x0", real=True)
    return Derivation(
        (
            Step(
                "induction",
                Eq(state[l], state[l - 1] + change[l - 1]),
                start + Sum(change[k], (k, 0, l - 1)),
                why="the branches add up on the direct path",
                by=(l, 0, start),
                wrong=(start + Sum(change[k], (k, 0, l)),),
            ),
            jacobian_step(),
        ),
        "every depth and width",
        lift="coordinate",
    )


LAST = (Output("y", xs[L, i], (i, 0, n - 1)),)
depth = Claim(
    id="resnet.block.depth",
    section=SECTION,
    title="After L blocks there is the input plus all branches, each taken where it stands",
    kind="equality",
    subject="residual.ResidualNetwork",
    driver="residual_network",
    structure=(DEPTH, SLIM, INSIDE, ACTIVATION),
    inputs=(START, *STACK),
    program=Program(forward(), LAST),
    definition=Program(forward(), (Output("y", x0[i] + Sum(f[l, i], (l, 0, L - 1)), (i, 0, n - 1)),)),
    statement=Eq(xs[L, i], x0[i] + Sum(f[l, i], (l, 0, L - 1))),
    conditions=("all blocks have one width",),
    derivation=depth_proof,
    variants=(
        Variant("a plain network", "no shortcuts", (forward(f[l - 1, i])[2],)),
        Variant("all branches of the input", "known bug: x is not updated", (forward(at=x0[i])[0],)),
        Variant(
            "first block throughout",
            "shared weights",
            (
                (s[l, j], Sum(As[0, j, i] * xs[l, i], (i, 0, n - 1)) + as_[0, j]),
                (f[l, i], Sum(Bs[0, i, j] * sigma(s[l, j]), (j, 0, m - 1)) + bs[0, i]),
            ),
        ),
        Variant(
            "a ReLU after each sum", "He et al. 2016, first paper", (forward(Max(xs[l - 1, i] + f[l - 1, i], 0))[2],)
        ),
        Variant("shortcut from the first input", "known bug", (forward(x0[i] + f[l - 1, i])[2],)),
        Variant(
            "each branch by its share of the depth",
            "a step of Euler's method of size 1/L",
            (forward(xs[l - 1, i] + f[l - 1, i] / L)[2],),
        ),
    ),
    remarks="With one width the blocks are steps of Euler's method of size 1; section 2.3 makes more of it.",
)

CLAIMS = (block, after, projection, depth)
