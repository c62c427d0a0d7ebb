"""Backpropagation through time in long short-term memory: all gradients (implied by the notes, section 1.4.3)."""

from typing import Any

from sympy import And, Eq, IndexedBase, Integer, Max, Piecewise, Sum, Symbol, exp, tanh

from gnomon.derivations.sequences.lstm_network import (
    HIDDEN,
    INPUTS,
    LAYER_NAMES,
    MATRIX_LAYOUT,
    PARAMETERS,
    SECTION,
    H,
    I,
    Let,
    T,
    U,
    W,
    b,
    c,
    c0,
    dsigma,
    f,
    forward,
    g,
    h,
    h0,
    i,
    j,
    k,
    l,
    m,
    o,
    p,
    q,
    r,
    sigma,
    t,
    x,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real

told, to_pre = IndexedBase("grad_h", real=True), IndexedBase("D", real=True)
delta, dgate, dh, dc, carried, dx, dh0, dc0, dW, dU, db = (
    IndexedBase(name, real=True)
    for name in ("delta", "dgate", "dh", "dc", "carried", "dx", "dh0", "dc0", "dW", "dU", "db")
)

TWO_STEPS = Size("T", 1, 2)  # which every path of the recursion takes

# ---------------------------------------------------------------- proof


def gradient_proof() -> Derivation:
    """One step, for any numbers of features and cells; then time by induction, from the last step back.

    A is what reaches h_t, and B what the next step hands to c_t. Their inner product with what the step computes moves
    as the loss does.
    """
    to_h, to_c = IndexedBase("A", real=True), IndexedBase("B", real=True)
    pre = {gate: IndexedBase(f"s_{gate}", real=True) for gate in "ifgo"}
    row, u = Symbol("row", integer=True, nonnegative=True), Symbol("u", real=True)
    one = {gate: base[p] for gate, base in pre.items()}
    top = 4 * H - 1

    def cell(at: Any) -> Any:
        return sigma(pre["f"][at]) * c[at] + sigma(pre["i"][at]) * tanh(pre["g"][at])

    by_cell = to_h[p] * sigma(one["o"]) * (1 - tanh(cell(p)) ** 2) + to_c[p]
    deltas = {
        "i": by_cell * tanh(one["g"]) * dsigma(one["i"]),
        "f": by_cell * c[p] * dsigma(one["f"]),
        "g": by_cell * sigma(one["i"]) * (1 - tanh(one["g"]) ** 2),
        "o": to_h[p] * tanh(cell(p)) * dsigma(one["o"]),
    }
    moved = Sum(to_h[j] * sigma(pre["o"][j]) * tanh(cell(j)) + to_c[j] * cell(j), (j, 0, H - 1))
    affine = Sum(W[row, k] * x[k], (k, 0, I - 1)) + Sum(U[row, l] * h[l], (l, 0, H - 1)) + b[row]
    change = Sum(to_pre[row] * affine, (row, 0, top))
    by_hidden = Sum(to_pre[row] * U[row, r], (row, 0, top))
    return Derivation(
        (
            Step(
                "differentiate",
                1 / (1 + exp(-u)),
                1 / (1 + exp(-u)) * (1 - 1 / (1 + exp(-u))),
                "The slope of the logistic function, by its value.",
                by=(u,),
            ),
            Step(
                "differentiate",
                moved,
                sigma(one["f"]) * by_cell,
                "By the cell state before: what reaches c_t, times the forget gate,",
                by=(c[p],),
                wrong=(by_cell, sigma(one["f"]) * to_c[p]),
            ),
            *(
                Step("differentiate", moved, deltas[gate], f"by the pre-activation of gate {gate},", by=(one[gate],))
                for gate in "ifgo"
            ),
            Step(
                "differentiate",
                change,
                by_hidden,
                "and from the deltas of all four gates by the hidden state before, through U transposed (and so by "
                "the input, through W),",
                by=(h[r],),
            ),
            Step(
                "differentiate",
                change,
                to_pre[p] * h[r],
                "by a weight, the delta times what the weight sees.",
                by=(U[p, r],),
                wrong=(to_pre[r] * h[p],),
            ),
        ),
        lift="induction",
    )


# ---------------------------------------------------------------- the program


def backward(**instead: Any) -> tuple[Let, ...]:
    """The backward pass from step T down to 1; ``carried`` is what the next step hands to c_t."""
    through_time = Sum(U[q * H + k, j] * delta[q, t + 1, k], (q, 0, 3), (k, 0, H - 1))
    known = {
        "last": LAST[j],
        "dh": told[t - 1, j] + Piecewise((through_time, t < T), (0, True)),
        "dc": dh[t, j] * o[t, j] * (1 - tanh(c[t, j]) ** 2) + carried[t, j],
        "handed": f[t + 1, j] * dc[t + 1, j],
        "i": g[t, j] * dc[t, j],
        "f": c[t - 1, j] * dc[t, j],
        "g": i[t, j] * dc[t, j],
        "o": tanh(c[t, j]) * dh[t, j],
        "slope_g": 1 - g[t, j] ** 2,
        "dW": delta[q, t, j] * x[t - 1, k],
        "dU": delta[q, t, j] * h[t - 1, k],
    } | instead
    by_gate = [(known[gate], Eq(q, number)) for number, gate in enumerate("ifg")]
    slopes = [
        (i[t, j] * (1 - i[t, j]), Eq(q, 0)),
        (f[t, j] * (1 - f[t, j]), Eq(q, 1)),
        (known["slope_g"], Eq(q, 2)),
        (o[t, j] * (1 - o[t, j]), True),
    ]
    return (
        (dh[t, j], known["dh"]),
        (dc[t, j], known["dc"]),
        (carried[t, j], Piecewise((known["last"], Eq(t, T)), (known["handed"], True))),
        (dgate[q, t, j], Piecewise(*by_gate, (known["o"], True))),
        (delta[q, t, j], Piecewise(*slopes) * dgate[q, t, j]),
        (dW[q, j, k], Sum(known["dW"], (t, 1, T))),
        (dU[q, j, k], Sum(known["dU"], (t, 1, T))),
        (db[q, j], Sum(delta[q, t, j], (t, 1, T))),
        *by_inputs(),
    )


def by_inputs() -> tuple[Let, Let, Let]:
    """The gradients by x_t, h_0 and c_0."""
    return (
        (dx[t, k], Sum(W[q * H + j, k] * delta[q, t, j], (q, 0, 3), (j, 0, H - 1))),
        (dh0[k], Sum(U[q * H + j, k] * delta[q, 1, j], (q, 0, 3), (j, 0, H - 1))),
        (dc0[j], carried[0, j]),
    )


LAST = IndexedBase("grad_c", real=True)


def followed() -> tuple[Let, ...]:
    """First principles: how all later states move when s_q (q < 4), h (q = 4) or c (q = 5) of a time is pushed.

    ``m`` is the time of the push and ``r`` the cell that is pushed.
    """
    at = (q, m, r)
    ts, tc, th, by = (IndexedBase(name, real=True) for name in ("ts", "tc", "th", "by"))
    n = Symbol("n", integer=True, nonnegative=True)

    def pushed(here: Any) -> Any:
        return Piecewise((1, And(here, Eq(t, m), Eq(j, r))), (0, True))

    moves_c = (
        f[t, j] * tc[(t - 1, j, *at)]
        + c[t - 1, j] * f[t, j] * (1 - f[t, j]) * ts[(1, t, j, *at)]
        + g[t, j] * i[t, j] * (1 - i[t, j]) * ts[(0, t, j, *at)]
        + i[t, j] * (1 - g[t, j] ** 2) * ts[(2, t, j, *at)]
    )
    moves_h = (
        o[t, j] * (1 - tanh(c[t, j]) ** 2) * tc[(t, j, *at)]
        + tanh(c[t, j]) * o[t, j] * (1 - o[t, j]) * ts[(3, t, j, *at)]
    )
    by_state = Sum(U[n * H + j, k] * th[(t - 1, k, *at)], (k, 0, H - 1))
    started = Sum(told[t - 1, j] * th[(t, j, *at)], (j, 0, H - 1))

    def since_push(value: Any) -> Any:
        return Piecewise((0, t < m), (0, Eq(t, 0)), (value, True))

    return (
        (ts[(n, t, j, *at)], since_push(by_state) + pushed(Eq(q, n))),
        (tc[(t, j, *at)], since_push(moves_c) + pushed(Eq(q, 5))),
        (th[(t, j, *at)], since_push(moves_h) + pushed(Eq(q, 4))),
        (by[at], Sum(started, (t, 1, T)) + Sum(LAST[j] * tc[(T, j, *at)], (j, 0, H - 1))),
        (delta[q, t, j], by[q, t, j]),
        (dh[t, j], by[4, t, j]),
        (dc[t, j], by[5, t, j]),
        (carried[t, j], by[5, t, j]),
        (dW[q, j, k], Sum(delta[q, t, j] * x[t - 1, k], (t, 1, T))),
        (dU[q, j, k], Sum(delta[q, t, j] * h[t - 1, k], (t, 1, T))),
        (db[q, j], Sum(delta[q, t, j], (t, 1, T))),
        *by_inputs(),
    )


# ---------------------------------------------------------------- claims

ROWS = (p, 0, 4 * H - 1)


def stacked(entry: Any) -> Any:
    """An entry of row p: gate q of the four, cell j."""
    return Piecewise(*((entry.xreplace({q: n, j: p - n * H}), p < (n + 1) * H) for n in range(4)))


OUTPUTS = (
    Output("dx", dx[t + 1, k], (t, 0, T - 1), (k, 0, I - 1)),
    Output("dh0", dh0[j], (j, 0, H - 1)),
    Output("dc0", dc0[j], (j, 0, H - 1)),
    Output("dW", stacked(dW[q, j, k]), ROWS, (k, 0, I - 1)),
    Output("dU", stacked(dU[q, j, k]), ROWS, (k, 0, H - 1)),
    Output("db", stacked(db[q, j]), ROWS),
)
RECURSION = (
    Output("dh", dh[t + 1, j], (t, 0, T - 1), (j, 0, H - 1)),
    Output("dc", dc[t + 1, j], (t, 0, T - 1), (j, 0, H - 1)),
)
FORWARD = forward(h0[j], c0[j])
CHAIN = Eq(dc[t, j], dh[t, j] * o[t, j] * (1 - tanh(c[t, j]) ** 2) + f[t + 1, j] * dc[t + 1, j])


def bug(name: str, **instead: Any) -> Variant:
    return Variant(name, "known bug", backward(**instead))


gradients = Claim(
    id="lstm.gradients",
    section=SECTION,
    title="The gradients of long short-term memory, from the last step back",
    kind="equality",
    subject="lstm.backward",
    driver="function",
    structure=(INPUTS, HIDDEN, TWO_STEPS),
    inputs=(
        real("grad_h", T, H),
        real("grad_c", H),
        real("x", T, I),
        real("h0", H),
        real("c0", H),
        *PARAMETERS,
    ),
    program=Program((*FORWARD, *backward()), (*OUTPUTS, *RECURSION)),
    definition=Program((*FORWARD, *followed()), (*OUTPUTS, *RECURSION)),
    statement=CHAIN,
    conditions=("grad_h[t] is what the loss itself says to h_t, and grad_c what it says to c_T",),
    derivation=gradient_proof,
    gradient=False,
    variants=(
        bug("nothing handed on along the memory cell", handed=0),
        bug("hidden state cut off between steps", dh=told[t - 1, j]),
        bug("forget gate of the same step", handed=f[Max(t, 1), j] * dc[t + 1, j]),
        bug("slope of tanh(c) left out", dc=dh[t, j] * o[t, j] + carried[t, j]),
        bug("new cell state for the forget gate", f=c[t, j] * dc[t, j]),
        bug("slope of a sigmoid on the candidate", slope_g=g[t, j] * (1 - g[t, j])),
        bug("new hidden state for the weights", dU=delta[q, t, j] * h[t, k]),
    ),
    remarks="What is compared is a gradient already; second derivatives are no part of the statement. db is the "
    "gradient by either bias. dc_t counts what comes through h_t. " + MATRIX_LAYOUT,
)

autograd = Claim(
    id="lstm.gradients.autograd",
    section=SECTION,
    title="Autograd's gradients of long short-term memory are those of the recursion, for any loss",
    kind="equality",
    subject="lstm.LSTM",
    driver="stateful_gradient",
    structure=(INPUTS, HIDDEN, TWO_STEPS),
    inputs=(
        real("grad_h", T, H),
        real("grad_c", 1, H),
        real("x", T, I),
        real("h0", 1, H),
        real("c0", 1, H),
        *PARAMETERS,
    ),
    program=Program(
        (
            *forward(h0[0, j], c0[0, j]),
            *backward(last=LAST[0, j]),
        ),
        (
            OUTPUTS[0],
            Output("dh0", dh0[j], (l, 0, 0), (j, 0, H - 1)),
            Output("dc0", dc0[j], (l, 0, 0), (j, 0, H - 1)),
            *OUTPUTS[3:],
        ),
    ),
    statement=CHAIN,
    conditions=("grad_h[t] is what the loss itself says to h_t, and grad_c what it says to c_T",),
    derivation=gradient_proof,
    gradient=False,
    options={
        "args": ("I", "H"),
        "parameters": LAYER_NAMES,
        "call": ("x", ("h0", "c0")),
        "cotangents": ("grad_h", None, "grad_c"),
    },
    variants=(
        Variant(
            "hidden state cut off from autograd",
            "known bug",
            (*backward(dh=told[t - 1, j], last=LAST[0, j])[:-2], (dh0[k], Integer(0))),
            why="h is detached before each step, the first one included",
        ),
        bug("nothing handed on along the memory cell", handed=0, last=LAST[0, j]),
        bug("slope of tanh(c) left out", dc=dh[t, j] * o[t, j] + carried[t, j], last=LAST[0, j]),
    ),
    remarks="What is compared is a gradient already; second derivatives are no part of the statement. " + MATRIX_LAYOUT,
)

CLAIMS = (gradients, autograd)
