"""The vanilla recurrent network: its states, its Jacobian and its outputs (notes, section 1.4)."""

from typing import Any

from sympy import Eq, IndexedBase, Integer, KroneckerDelta, Max, Piecewise, Sum, Symbol, symbols, tanh

from gnomon.derivations.sequences.rnn_network import (
    BIAS,
    FEATURES,
    INPUT_WEIGHT,
    NONLINEARITY,
    SEQUENCE,
    SMOOTH,
    START,
    STEPS,
    UNITS,
    WEIGHT,
    WIDTH,
    J,
    Let,
    N,
    T,
    U,
    W,
    a,
    activated,
    affine,
    b,
    d,
    dsigma,
    h,
    i,
    j,
    jacobian_steps,
    k,
    n,
    p,
    q,
    r,
    s,
    sigma,
    stepped,
    t,
    unfolded,
    units,
    x,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

SECTION = "1.4"
biased, first = Symbol("biased", integer=True), Symbol("first", integer=True)
BIASES = Choice("bias", {"yes": {biased: 1}, "no": {biased: 0}})
BATCH_FIRST = Choice("batch_first", {"no": {first: 0}, "yes": {first: 1}})
LAYERS, SHORT, PAIR = Size("num_layers", 1, 2), Size("T", 1, 3), Size("N", 1, 2)
L = LAYERS.symbol

# With batch_first the first two axes of input and output change places.
rows, columns = first * N + (1 - first) * T, first * T + (1 - first) * N


def placed(time: Any, sample: Any) -> tuple[Any, Any]:
    """Where the tensors hold a step of a sequence."""
    return first * sample + (1 - first) * time, first * time + (1 - first) * sample


NAMES = tuple(f"{kind}_l{layer}" for layer in (0, 1) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
SHAPES = {"weight_ih_l0": (n, d), "weight_ih_l1": (n, n), "weight_hh_l0": (n, n), "weight_hh_l1": (n, n)}
PARAMETERS = tuple(real(name, *SHAPES.get(name, (n,))) for name in NAMES)
STATES, INPUT = real("hx", L, N, n), real("input", rows, columns, d)
hx, given = symbols_of((STATES, INPUT))
U0, W0, c0, b0, U1, W1, c1, b1 = symbols_of(PARAMETERS)
l = Symbol("l", integer=True, nonnegative=True)


def by_layer(lower: Any, upper: Any) -> Any:
    return Piecewise((lower, Eq(l, 0)), (upper, True))


def when_biased(bias: Any) -> Any:
    return Piecewise((bias, Eq(biased, 1)), (0, True))


def summed(
    below: Any = h[l - 1, t, a, j],
    before: Any = h[l, t - 1, a, j],
    weight: tuple[Any, Any] = (W0[i, j], W1[i, j]),
    biases: tuple[tuple[Any, Any], ...] = ((c0[i], c1[i]), (b0[i], b1[i])),
) -> Let:
    """``s_t = U x_t + c + W h_{t-1} + b`` in each layer, whose inputs are the states of the layer below."""
    entering = by_layer(Sum(U0[i, k] * given[(*placed(t - 1, a), k)], FEATURES), Sum(U1[i, j] * below, UNITS))
    added = sum((when_biased(by_layer(*bias)) for bias in biases), Integer(0))
    return s[l, t, a, i], entering + Sum(by_layer(*weight) * before, UNITS) + added


def state(onward: Any = None) -> Let:
    onward = sigma(s[l, t, a, i]) if onward is None else onward
    return h[l, t, a, i], Piecewise((hx[l, a, i], Eq(t, 0)), (onward, True))


def vanilla_proof() -> Derivation:
    """The recurrence is a definition; shown are its Jacobian, how it nests, and that only the sum of biases acts."""
    c, earlier = IndexedBase("c", real=True), IndexedBase("z", real=True)
    rest = Sum(U[p, k] * x[r, k], FEATURES)
    once = Sum(W[p, j] * h[r, j], UNITS) + rest + c[p] + b[p]
    nested = Sum(W[p, j] * sigma(earlier[r, j]), UNITS) + rest + c[p] + b[p]
    total = IndexedBase("beta", real=True)
    m, w, bias = symbols("m w beta0", real=True)
    return Derivation(
        (
            define(h[r + 1, p], sigma(once), "the state of unit p after r + 1 steps; h_0 is given"),
            *jacobian_steps(),
            Step(
                "substitute",
                once,
                nested,
                why="a step on top of a step: the nonlinearity stands between two factors W",
                by=((h[r, j], sigma(earlier[r, j])),),
                wrong=(Sum(W[p, j] * earlier[r, j], UNITS) + rest + c[p] + b[p],),
            ),
            Step(
                "substitute",
                nested,
                Sum(W[p, j] * sigma(earlier[r, j]), UNITS) + rest + total[p],
                why="torch's two biases act through their sum alone: whatever c is, b = beta - c gives the same states",
                by=((b[i], total[i] - c[i]),),
            ),
            Step(
                "refute",
                Eq(tanh(w * m + bias), tanh(w * m)),
                Eq(tanh(w * m), 0),
                why="without biases, as the notes have it, the state 0 stays 0 while the input is 0",
                by=({w: 1, m: 0, bias: 1},),
            ),
        )
    )


OFF_BY_ONE = "known bug: off by one"
vanilla = Claim(
    id="rnn.vanilla",
    section=SECTION,
    title="Each state is σ of the input, the state before and a bias, each through its own weights",
    kind="equality",
    subject="recurrent.RNN",
    driver="module",
    structure=(SHORT, PAIR, Size("d", 1, 3), WIDTH, LAYERS, NONLINEARITY, BIASES, BATCH_FIRST),
    inputs=(INPUT, STATES, *PARAMETERS),
    program=Program(
        (summed(), state()),
        (
            Output(
                "output",
                h[L - 1, first * q + (1 - first) * p + 1, first * p + (1 - first) * q, i],
                (p, 0, rows - 1),
                (q, 0, columns - 1),
                (i, 0, n - 1),
            ),
            Output("h_n", h[l, T, a, i], (l, 0, L - 1), (a, 0, N - 1), (i, 0, n - 1)),
        ),
    ),
    statement=Eq(h[t, i], sigma(Sum(W[i, j] * h[t - 1, j], UNITS) + Sum(U[i, k] * x[t, k], FEATURES) + b[i])),
    conditions=("upper layers read the states of the layer below", SMOOTH),
    derivation=vanilla_proof,
    variants=(
        Variant(
            "recurrent weight transposed",
            "the notes' own convention of section 1.2.1",
            (summed(weight=(W0[j, i], W1[j, i])),),
            why="Section 1.2.1 writes Theta^T h, section 1.4 Theta h.",
        ),
        Variant("state of two steps before", OFF_BY_ONE, (summed(before=h[l, Max(t - 2, 0), a, j]),)),
        Variant("first state at every step", "known bug: the state is not handed on", (summed(before=h[l, 0, a, j]),)),
        Variant("upper layer one step behind", OFF_BY_ONE, (summed(below=h[l - 1, t - 1, a, j]),)),
        Variant(
            "without biases",
            "notes",
            (summed(biases=()),),
            why="The notes' formula has none; it is right for bias=False.",
        ),
        Variant("one of the two biases", "known bug", (summed(biases=((c0[i], c1[i]),)),)),
        Variant("tanh, whatever is asked for", "known bug", (state(tanh(s[l, t, a, i])),)),
        Variant(
            "added to the state before",
            "residual network",
            (state(h[l, t - 1, a, i] + sigma(s[l, t, a, i])),),
        ),
    ),
    options={
        "args": ("d", "n", "num_layers"),
        "keywords": {"nonlinearity": "nonlinearity", "bias": "bias", "batch_first": "batch_first"},
        "parameters": {name: name for name in NAMES},
        "call": ("input", "hx"),
    },
    remarks="Autograd's gradients by all parameters, the inputs and the first states are compared too. torch has two "
    "biases, of which only the sum acts, and weights (out, in). With batch_first input and output begin with the "
    "sample; the states h_0 and h_T never do.",
)

# ---------------------------------------------------------------- the Jacobian


def jacobian_proof() -> Derivation:
    """Forward, column by column, and backward, row by row: the same number at every step between."""
    row, column, gain = (IndexedBase(name, real=True) for name in ("y", "v", "D"))
    total, paired = Symbol("J_pq", real=True), IndexedBase("P", real=True)
    onward = Sum(row[i] * gain[i] * Sum(W[i, j] * column[j], UNITS), units(i))
    return Derivation(
        (
            *jacobian_steps(),
            Step(
                "rewrite",
                onward,
                Sum(column[j] * Sum(W[i, j] * gain[i] * row[i], units(i)), UNITS),
                why="a row from the left: it moves back by (D W)^T while columns move on by D W",
                wrong=(Sum(column[j] * Sum(W[j, i] * gain[i] * row[i], units(i)), UNITS),),
            ),
            Step(
                "induction",
                Eq(paired[t], paired[t - 1]),
                total,
                why="so row times column is the same at every t: both ways of multiplying give the same Jacobian",
                by=(t, 0, total),
            ),
        )
    )


back = IndexedBase("back", real=True)
JACOBIAN = Output("jacobian", J[T, i, j], (i, 0, n - 1), (j, 0, n - 1))
BACKWARD = (
    back[t, p, j],
    Piecewise(
        (KroneckerDelta(p, j), Eq(t, T)), (Sum(back[t + 1, p, i] * dsigma(s[t + 1, i]) * W[i, j], units(i)), True)
    ),
)
jacobian = Claim(
    id="rnn.vanilla.jacobian",
    section=SECTION,
    title="The last state moves with the first by a product of one matrix diag(σ'(s_t)) W for each step",
    kind="equality",
    subject="recurrent.state_jacobian",
    driver="function",
    structure=(STEPS, WIDTH, Size("d", 1, 2), NONLINEARITY),
    inputs=(SEQUENCE, START, INPUT_WEIGHT, WEIGHT, BIAS),
    program=Program((*unfolded(), stepped()), (JACOBIAN,)),
    definition=Program((*unfolded(), BACKWARD), (Output("jacobian", back[0, i, j], (i, 0, n - 1), (j, 0, n - 1)),)),
    statement=Eq(J[t, i, j], dsigma(s[t, i]) * Sum(W[i, k] * J[t - 1, k, j], units(k))),
    conditions=("J_0 is the identity", SMOOTH),
    derivation=jacobian_proof,
    variants=(
        Variant("without the slope", "known bug", (stepped(slope=1),)),
        Variant("recurrent weight transposed", "known bug", (stepped(weight=W[k, i]),)),
        Variant("slope at the state", "known bug", (stepped(slope=dsigma(h[t, i])),), why="σ'(h) for σ'(s)"),
        Variant("slope of the step before", OFF_BY_ONE, (stepped(slope=dsigma(s[Max(t - 1, 1), i])),)),
        Variant("slopes on the wrong side", "known bug", (stepped(slope=1, weight=W[i, k] * dsigma(s[t, k])),)),
        Variant(
            "one step too few",
            OFF_BY_ONE,
            ((J[t, i, j], Piecewise((KroneckerDelta(i, j), t <= 1), (stepped()[1], True))),),
        ),
    ),
    options={"arguments": ("x", "h0", "weight_ih", "weight_hh", "bias", "nonlinearity")},
    gradient=False,
    remarks="The Jacobian is a derivative already; it is not differentiated again.",
)

# ---------------------------------------------------------------- the output

OUTPUTS = Size("o", 1, 2)
o = OUTPUTS.symbol
READ, READ_BIAS = real("weight_hy", o, n), real("bias_y", o)
V, e = symbols_of((READ, READ_BIAS))
y = IndexedBase("y", real=True)
BOTH = real("bias_ih", n), real("bias_hh", n)
c, b_ = symbols_of(BOTH)


def read(state_: Any = h[t, j], weight: Any = V[i, j], time: Any = t) -> Let:
    return y[t, i], Sum(weight * state_, UNITS) + when_biased(e[i])


def output_proof() -> Derivation:
    """The output is linear in the state, and reaches the states before through it alone."""
    z, alpha = IndexedBase("z", real=True), Symbol("alpha", real=True)
    seen = Sum(V[i, j] * h[t, j], UNITS)
    v = IndexedBase("v", real=True)
    gain = dsigma(s[t, j])
    return Derivation(
        (
            Step(
                "rewrite",
                Sum(V[i, j] * (h[t, j] + alpha * z[j]), UNITS),
                seen + alpha * Sum(V[i, j] * z[j], UNITS),
                why="linear in the state: no nonlinearity stands between state and output",
            ),
            Step(
                "differentiate",
                seen,
                V[i, q],
                why="its derivative by a unit of the state",
                by=(h[t, q],),
                wrong=(V[q, i],),
            ),
            Step(
                "differentiate",
                Sum(v[i] * seen, (i, 0, o - 1)),
                Sum(v[i] * V[i, q], (i, 0, o - 1)),
                why="so a gradient v by the output arrives at the state as Theta_hy^T v,",
                by=(h[t, q],),
            ),
            Step(
                "rewrite",
                Sum(Sum(v[i] * V[i, j], (i, 0, o - 1)) * gain * W[j, q], UNITS),
                Sum(v[i] * Sum(V[i, j] * gain * W[j, q], UNITS), (i, 0, o - 1)),
                why="and one step earlier through diag(sigma') W",
            ),
        )
    )


output = Claim(
    id="rnn.output",
    section=SECTION,
    title="The output at every time is a linear map of the state at that time",
    kind="equality",
    subject="recurrent.RecurrentNetwork",
    driver="module",
    structure=(SHORT, WIDTH, Size("d", 1, 2), OUTPUTS, NONLINEARITY, BIASES),
    inputs=(SEQUENCE, real("h0", 1, n), INPUT_WEIGHT, WEIGHT, *BOTH, READ, READ_BIAS),
    program=Program(
        (
            affine(bias=when_biased(c[i]) + when_biased(b_[i])),
            activated(first=IndexedBase("h0", real=True)[0, i]),
            read(),
        ),
        (Output("y", y[t + 1, i], (t, 0, T - 1), (i, 0, o - 1)), Output("h_n", h[T, i], (r, 0, 0), (i, 0, n - 1))),
    ),
    statement=Eq(y[t, i], Sum(V[i, j] * h[t, j], UNITS) + e[i]),
    conditions=(SMOOTH,),
    derivation=output_proof,
    variants=(
        Variant("output of the state before", OFF_BY_ONE, (read(h[t - 1, j]),)),
        Variant("output of the last state alone", "many to one", (read(h[T, j]),)),
        Variant("output from the pre-activation", "known bug", (read(s[t, j]),)),
        Variant("nonlinearity on the output", "known bug", ((y[t, i], sigma(read()[1])),)),
        Variant("without its bias", "notes", ((y[t, i], Sum(V[i, j] * h[t, j], UNITS)),)),
        Variant("bias added twice", "known bug", ((y[t, i], read()[1] + when_biased(e[i])),)),
    ),
    options={
        "args": ("d", "n", "o"),
        "keywords": {"nonlinearity": "nonlinearity", "bias": "bias"},
        "parameters": {
            "rnn.weight_ih_l0": "weight_ih",
            "rnn.weight_hh_l0": "weight_hh",
            "rnn.bias_ih_l0": "bias_ih",
            "rnn.bias_hh_l0": "bias_hh",
            "weight_hy": "weight_hy",
            "bias_y": "bias_y",
        },
        "call": ("x", "h0"),
    },
    remarks="Theta_hv in the print is Theta_hy. The notes have no bias. The gradient by every parameter is compared.",
)

CLAIMS = (vanilla, jacobian, output)
