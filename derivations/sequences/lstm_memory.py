"""The memory path: what the last cell state owes to the first one (notes, section 1.4.3)."""

from typing import Any

from sympy import Eq, IndexedBase, Integer, KroneckerDelta, Lt, Piecewise, Product, Rational, Sum, Symbol, exp, oo, tanh

from gnomon.derivations.sequences.lstm_network import (
    HIDDEN,
    LAYER_NAMES,
    MATRIX_LAYOUT,
    PARAMETERS,
    SECTION,
    TIME,
    H,
    Let,
    T,
    U,
    c,
    c0,
    dsigma,
    f,
    forward,
    g,
    h0,
    i,
    j,
    k,
    m,
    o,
    p,
    q,
    sigma,
    since,
    t,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import real

kept, by_s, by_c, by_h, direct, total = (
    IndexedBase(name, real=True) for name in ("kept", "by_s", "by_c", "by_h", "direct", "total")
)


def slope(gate: Any, *at: Any) -> Any:
    """The slope of the logistic function, by its value."""
    return gate[(*at, j)] * (1 - gate[(*at, j)])


# ---------------------------------------------------------------- proofs


def direct_steps() -> tuple[Step, ...]:
    """The gates held, the cell passes a change on by diag(f); the product falls unless the gates are 1."""
    factor, v = IndexedBase("pi", real=True), IndexedBase("v", real=True)
    phi, z = Symbol("phi", positive=True), Symbol("z", real=True)
    n = Symbol("n", integer=True, nonnegative=True)
    return (
        Step(
            "differentiate",
            Sum(v[j] * (f[j] * c[j] + i[j] * g[j]), (j, 0, H - 1)),
            v[p] * f[p],
            "With the gates held fixed, a gradient v by the new cell state becomes diag(f) v by the one before: no "
            "matrix, no squashing function.",
            by=(c[p],),
            wrong=(v[p], v[p] * (f[p] + i[p])),
        ),
        Step(
            "induction",
            Eq(factor[n], phi * factor[n - 1]),
            phi**n,
            "Such steps multiply; with one and the same forget gate phi, n of them give phi^n.",
            by=(n, 0, Integer(1)),
        ),
        Step(
            "substitute",
            1 / (1 + exp(-z)),
            Rational(1, 2),
            "Zero weights and biases make every forget gate the logistic function at 0.",
            by=((z, 0),),
        ),
        Step(
            "refute",
            Eq(phi**n, 1),
            Lt(phi**n, 1),
            "After 100 steps (1/2)^100, about 8e-31, is left, and not 1.",
            by=({phi: Rational(1, 2), n: 100},),
        ),
        Step("limit", Rational(1, 2) ** n, Integer(0), "It decays without end.", by=(n, oo)),
    )


def total_steps() -> tuple[Step, ...]:
    """The gates of the next step see the cell state through h = o tanh(c)."""
    weights = {gate: IndexedBase(f"U_{gate}", real=True) for gate in "ifg"}
    biases = {gate: IndexedBase(f"b_{gate}", real=True) for gate in "ifg"}
    state, gate = Symbol("c", real=True), Symbol("o", real=True)

    def seen(by: str, row: Any) -> Any:
        return Sum(weights[by][row, k] * o[k] * tanh(c[k]), (k, 0, H - 1)) + biases[by][row]

    candidate = tanh(seen("g", p))
    through = (
        c[p] * dsigma(seen("f", p)) * weights["f"][p, m]
        + candidate * dsigma(seen("i", p)) * weights["i"][p, m]
        + sigma(seen("i", p)) * (1 - candidate**2) * weights["g"][p, m]
    )
    alone = sigma(seen("f", p)) * KroneckerDelta(p, m)
    example = state / 2 + tanh(gate * tanh(state)) / 2
    moved = Rational(1, 2) + gate * (1 - tanh(state) ** 2) * (1 - tanh(gate * tanh(state)) ** 2) / 2
    return (
        Step(
            "differentiate",
            sigma(seen("f", p)) * c[p] + sigma(seen("i", p)) * candidate,
            alone + o[m] * (1 - tanh(c[m]) ** 2) * through,
            "The next cell state by this one: the direct path, and the paths through h into three gates. Those "
            "meet the matrices and the slopes.",
            by=(c[m],),
            wrong=(alone, alone + o[m] * through),
        ),
        Step(
            "differentiate",
            example,
            moved,
            "One cell whose candidate sees h with weight 1, all other weights and biases 0:",
            by=(state,),
        ),
        Step(
            "refute",
            Eq(moved, Rational(1, 2)),
            Eq(moved, Rational(3, 4)),
            "at c = 0 and o = 1/2 the derivative is 3/4, the direct path alone gives 1/2.",
            by=({state: 0, gate: Rational(1, 2)},),
        ),
    )


def path_proof() -> Derivation:
    return Derivation((*direct_steps(), *total_steps()), lift="induction")


def total_proof() -> Derivation:
    return Derivation(total_steps(), lift="induction")


# ---------------------------------------------------------------- claims


SQUASHED = 1 - tanh(c[t, j]) ** 2


def passed_on(
    weight: Any = U[q * H + j, k], through: Any = 1, last: Any = 1, tanh_slope: Any = SQUASHED
) -> tuple[Let, ...]:
    """``dc_t / dc_0`` and ``dh_t / dc_0`` from those of the step before."""
    indirect = (
        c[t - 1, j] * (slope(f, t) * by_s[1, t, j, m])
        + g[t, j] * (slope(i, t) * by_s[0, t, j, m])
        + i[t, j] * ((1 - g[t, j] ** 2) * by_s[2, t, j, m])
    )
    out = tanh(c[t, j]) * (slope(o, t) * by_s[3, t, j, m])
    return (
        (by_s[q, t, j, m], Sum(weight * by_h[t - 1, k, m], (k, 0, H - 1))),
        (by_c[t, j, m], since(KroneckerDelta(j, m), f[t, j] * by_c[t - 1, j, m] + through * indirect)),
        (by_h[t, j, m], since(0, last * out + o[t, j] * tanh_slope * by_c[t, j, m])),
    )


def along(gate: Any = f[t, j]) -> Let:
    """The product of the forget gates."""
    return kept[t, j], since(1, kept[t - 1, j] * gate)


def backwards() -> tuple[Let, ...]:
    """The same matrices row by row, from the last step back: how c_T[m] moves with c_t[j] and with h_t[j]."""
    n = Symbol("n", integer=True, nonnegative=True)
    lam, handed, delta = (IndexedBase(name, real=True) for name in ("lam", "handed", "delta"))
    from_h = Sum(U[n * H + k, j] * delta[n, t + 1, m, k], (n, 0, 3), (k, 0, H - 1))
    by_next = Piecewise((from_h, t < T), (0, True))
    gates = (
        (g[t, j] * slope(i, t) * lam[t, m, j], Eq(q, 0)),
        (c[t - 1, j] * slope(f, t) * lam[t, m, j], Eq(q, 1)),
        (i[t, j] * (1 - g[t, j] ** 2) * lam[t, m, j], Eq(q, 2)),
        (tanh(c[t, j]) * slope(o, t) * by_next, True),
    )
    return (
        (lam[t, m, j], by_next * o[t, j] * SQUASHED + handed[t, m, j]),
        (handed[t, m, j], Piecewise((KroneckerDelta(m, j), Eq(t, T)), (f[t + 1, j] * lam[t + 1, m, j], True))),
        (delta[q, t, m, j], Piecewise(*gates)),
        (by_c[t, m, j], handed[T - t, m, j]),
    )


ONE = (real("x", T, 1, low=-16, high=16), real("W", 4 * H, 1), *PARAMETERS[1:])
GIVEN = forward(h0[j], c0[j], 1)
SQUARE = ((p, 0, H - 1), (m, 0, H - 1))
PATHS = (
    Output("direct", KroneckerDelta(p, m) * kept[T, p], *SQUARE),
    Output("total", by_c[T, p, m], *SQUARE),
)
GATES_SEE = "“not subject to matrix multiplication or squishing”: from the second step on the gates see c, through h"
SANE = "h_0 lies in [-1, 1], as every output of a cell does, and x in [-16, 16], so that 16 bits hold W x + U h"
JACOBIAN = "dc_T/dc_0 at fixed h_0; rows belong to c_T, columns to c_0. "
path = Claim(
    id="lstm.memory_path",
    section=SECTION,
    title="Along the memory cell a gradient is multiplied by the forget gates; it decays unless they are 1",
    kind="equality",
    subject="lstm.memory_jacobian",
    driver="function",
    conditions=(SANE,),
    structure=(HIDDEN, TIME),
    inputs=(ONE[0], real("h0", H, low=-1, high=1), real("c0", H), *ONE[1:]),
    program=Program((*GIVEN, along(), *passed_on()), PATHS),
    definition=Program((*GIVEN, (kept[t, j], Product(f[k, j], (k, 1, t))), *backwards()), PATHS),
    statement=Eq(direct[p, m], KroneckerDelta(p, m) * Product(f[t, p], (t, 1, T))),
    derivation=path_proof,
    variants=(
        Variant(
            "no decay",
            "notes",
            ((kept[t, j], 1),),
            printed=True,
            why="“thereby avoiding gradient decay”: this needs forget gates of exactly 1, as in 1997",
        ),
        Variant(
            "the memory cell is the only path",
            "notes, read literally",
            passed_on(through=0)[1:2],
            printed=True,
            why=GATES_SEE,
        ),
        Variant("input gates for forget gates", "known bug", (along(i[t, j]),)),
        Variant("U transposed", "known bug", passed_on(weight=U[q * H + k, j])[:1]),
        Variant("slope of tanh left out", "known bug", passed_on(tanh_slope=1)[2:]),
        Variant("paths through the output gate left out", "known bug", passed_on(last=0)[2:]),
        Variant(
            "no forget gate",
            "Hochreiter and Schmidhuber (1997)",
            ((f[t, j], 1),),
            why="the constant error carousel: here the direct path does not decay",
        ),
    ),
    remarks="“direct” is the derivative with the gates held fixed, “total” is " + JACOBIAN + "Zero weights and biases "
    "make f = 1/2, so that (1/2)^100 is left after 100 steps. " + MATRIX_LAYOUT,
)

CUT_OFF = (by_c[t, j, m], since(KroneckerDelta(j, m), 0))
MODULE = forward(h0[0, j], c0[0, j], 1)
JACOBIAN_OPTIONS = {
    "args": (1, "H"),
    "parameters": LAYER_NAMES,
    "call": ("x", ("h0", "c0")),
    "of": 2,
    "by": "c0",
}
whole = Claim(
    id="lstm.memory_path.total",
    section=SECTION,
    title="The last cell state moves with the first along the memory cell, and through every gate",
    kind="equality",
    subject="lstm.LSTM",
    driver="stateful_jacobian",
    conditions=(SANE,),
    structure=(HIDDEN, TIME),
    inputs=(ONE[0], real("h0", 1, H, low=-1, high=1), real("c0", 1, H), *ONE[1:]),
    program=Program((*MODULE, *passed_on()), PATHS[1:]),
    definition=Program((*MODULE, *backwards()), PATHS[1:]),
    statement=Eq(total[p, m], by_c[T, p, m]),
    derivation=total_proof,
    options=JACOBIAN_OPTIONS,
    gradient=False,
    variants=(
        Variant(
            "the memory cell is the only path",
            "notes, read literally",
            passed_on(through=0)[1:2],
            printed=True,
            why=GATES_SEE + ". It is also what a hidden state that is cut off from autograd leaves.",
        ),
        Variant(
            "no decay",
            "notes",
            ((by_c[t, j, m], KroneckerDelta(j, m)),),
            printed=True,
            why="“thereby avoiding gradient decay”",
        ),
        Variant("cell state cut off from autograd", "known bug", (CUT_OFF,)),
        Variant("U transposed", "known bug", passed_on(weight=U[q * H + k, j])[:1]),
    ),
    remarks="Autograd's Jacobian is what is compared; second derivatives are no part of the statement. "
    + JACOBIAN
    + MATRIX_LAYOUT,
)

CLAIMS = (path, whole)
