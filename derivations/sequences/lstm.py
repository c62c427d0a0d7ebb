"""Long short-term memory: the cell, sequences and layers, and what bounds its states (notes, section 1.4.3)."""

from typing import Any

from sympy import Abs, And, Eq, IndexedBase, Integer, Le, Max, Piecewise, Sum, Symbol, exp, symbols, tanh

from gnomon.derivations.sequences.lstm_network import (
    BIAS,
    HIDDEN,
    INPUTS,
    LAYER_NAMES,
    MATRIX_LAYOUT,
    NAMES,
    PARAMETERS,
    SECTION,
    TIME,
    H,
    I,
    N,
    T,
    U,
    W,
    a,
    affine,
    b,
    biased,
    c,
    c0,
    d,
    f,
    forward,
    g,
    gates,
    h,
    h0,
    hard,
    i,
    j,
    k,
    l,
    logistic,
    m,
    o,
    p,
    q,
    r,
    s,
    shown,
    since,
    t,
    u,
    updated,
    x,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

# ---------------------------------------------------------------- the cell


def cell_proof() -> Derivation:
    """The equations define the cell; shown are the forms in which implementations compute them."""
    V, z = IndexedBase("V", real=True), IndexedBase("z", real=True)
    row, one, two = symbols("row", integer=True), *symbols("beta_1 beta_2", real=True)
    shifted = Sum(V[row, k - I] * z[k - I], (k, I, I + H - 1))
    kept, added, cell = symbols("f_t u_t c_t", real=True)
    return Derivation(
        (
            Step(
                "rewrite",
                1 / (1 + exp(-u)),
                logistic(u),
                "The logistic function by tanh, which does not overflow.",
                wrong=(1 / (1 + exp(u)), logistic(2 * u)),
            ),
            Step(
                "differentiate",
                1 / (1 + exp(-u)),
                logistic(u) * (1 - logistic(u)),
                "Its slope, by its value.",
                by=(u,),
            ),
            Step(
                "reindex",
                shifted,
                Sum(V[row, k] * z[k], (k, 0, H - 1)),
                "One matrix (W, U) times the input with the hidden state below it: the second block counts from I.",
                by=((k, k + I),),
            ),
            Step(
                "differentiate",
                logistic(u + one + two),
                logistic(u + one + two) * (1 - logistic(u + one + two)),
                "A gate moves with either bias alike: two biases are one, with a gradient twice.",
                by=(two,),
            ),
            Step(
                "differentiate",
                kept * cell + added,
                kept,
                "At fixed gates the cell state is passed on at the rate of the forget gate.",
                by=(cell,),
                wrong=(kept * (1 - kept),),
            ),
        )
    )


def pre(below: Any, before: Any, bias: Any = None) -> tuple[Any, Any]:
    """The pre-activations of a single step."""
    return s[q, a, j], affine(q * H + j, below, before, bias)


def x_a(unit: Any) -> Any:
    return x[a, unit]


def h_a(unit: Any) -> Any:
    return h0[a, unit]


ROW = q * H + j
NEXT_C = (c[a, j], updated(a, before=c0[a, j]))
AFTER = (Output("h", h[a, j], (a, 0, N - 1), (j, 0, H - 1)), Output("c", c[a, j], (a, 0, N - 1), (j, 0, H - 1)))
stacked = Sum(
    Piecewise((W[ROW, k] * x[a, k], k < I), (U[ROW, k - I] * h0[a, k - I], True)),
    (k, 0, I + H - 1),
) + Piecewise((b[ROW] + d[ROW], Eq(biased, 1)), (0, True))


def first_principles(e: Any) -> Any:
    return 1 / (1 + exp(-e))


def order(letters: str, source: str) -> Variant:
    return Variant(f"gates in the order {', '.join(letters)}", source, gates(a, order=letters))


cell = Claim(
    id="lstm.cell",
    section=SECTION,
    title="A step of long short-term memory: four gates, the cell state and the output",
    kind="equality",
    subject="lstm.LSTMCell",
    driver="module",
    structure=(INPUTS, HIDDEN, BIAS),
    inputs=(real("x", N, I), real("h0", N, H), real("c0", N, H), *PARAMETERS),
    program=Program((pre(x_a, h_a), *gates(a), NEXT_C, shown(a)), AFTER),
    definition=Program(((s[q, a, j], stacked), *gates(a, squash=first_principles), NEXT_C, shown(a)), AFTER),
    statement=And(Eq(c[a, j], f[a, j] * c0[a, j] + i[a, j] * g[a, j]), Eq(h[a, j], o[a, j] * tanh(c[a, j]))),
    derivation=cell_proof,
    options={"args": ("I", "H"), "keywords": {"bias": "bias"}, "parameters": NAMES, "call": ("x", ("h0", "c0"))},
    variants=(
        order("ifog", "fused implementations"),
        order("igfo", "TensorFlow 1, BasicLSTMCell"),
        order("figo", "OpenVINO"),
        order("iofg", "ONNX"),
        Variant("1 added to the forget gate", "TensorFlow 1, forget_bias", gates(a, plus=1)),
        Variant(
            "hard sigmoid",
            "Keras 1 and 2, recurrent_activation",
            gates(a, squash=hard),
            why="0.2 s + 0.5, cut off at 0 and 1",
        ),
        Variant("sigmoid on the candidate", "known bug", ((g[a, j], logistic(s[2, a, j])),)),
        Variant("no tanh on the output", "known bug", ((h[a, j], o[a, j] * c[a, j]),)),
        Variant("input gate added", "known bug: + for *", ((c[a, j], f[a, j] * c0[a, j] + i[a, j] + g[a, j]),)),
        Variant("forget gate added", "known bug: + for *", ((c[a, j], f[a, j] + c0[a, j] + i[a, j] * g[a, j]),)),
        Variant("output gate added", "known bug: + for *", ((h[a, j], o[a, j] + tanh(c[a, j])),)),
        Variant(
            "coupled gates",
            "Greff et al. (2017), CIFG",
            ((i[a, j], 1 - f[a, j]),),
            why="the input gate is 1 - f",
        ),
        Variant(
            "peepholes, of weight 1",
            "Gers and Schmidhuber (2000)",
            (
                (i[a, j], logistic(s[0, a, j] + c0[a, j])),
                (f[a, j], logistic(s[1, a, j] + c0[a, j])),
                (o[a, j], logistic(s[3, a, j] + c[a, j])),
            ),
            why="the gates see the cell state: i and f the one before, o the new one",
        ),
        Variant("second bias left out", "Keras has one bias", (pre(x_a, h_a, b[ROW]),)),
    ),
    remarks="The notes print no equations, only a figure. " + MATRIX_LAYOUT,
)

# ---------------------------------------------------------------- sequences and layers

first = Symbol("first", integer=True)
BATCH_FIRST = Choice("batch_first", {"no": {first: 0}, "yes": {first: 1}})
LAYERS = Size("num_layers", 1, 2)
FEW = Size("T", 1, 2)
L = LAYERS.symbol
D = Integer(1)  # features of the input
UPPER = (real("W1", 4 * H, H), real("U1", 4 * H, H), real("b1", 4 * H), real("d1", 4 * H))
W1, U1, b1, d1 = symbols_of(UPPER)
UPPER_NAMES = {f"{name}_l1": f"{source}1" for name, source in NAMES.items()}
SEQUENCE_SHAPE = (T + first * (N - T), N + first * (T - N))
seen = Piecewise((x[t - 1, a, k], Eq(first, 0)), (x[a, t - 1, k], True))


def layered(below: Any = h[0, t, a, k], seen: Any = seen, before: Any = t - 1, times: int = 1) -> tuple[Any, Any]:
    """The pre-activations of either layer."""

    def one(weight: Any, state: Any, width: Any, known: Any, bias: Any) -> Any:
        by_input = Sum(weight[ROW, k] * known, (k, 0, width - 1))
        by_state = Sum(state[ROW, k] * h[l, before, a, k], (k, 0, H - 1))
        return by_input + by_state + Piecewise((bias, Eq(biased, 1)), (0, True))

    lower = one(W, U, D, seen, times * (b[ROW] + d[ROW]))
    upper = one(W1, U1, H, below, times * (b1[ROW] + d1[ROW]))
    return s[q, l, t, a, j], Piecewise((lower, Eq(l, 0)), (upper, True))


def carried(state_c: Any = c0[l, a, j], state_h: Any = h0[l, a, j]) -> tuple[Any, ...]:
    """The cell state and the output, from time 0 on."""
    return (
        (c[l, t, a, j], since(state_c, updated(l, t, a, before=c[l, t - 1, a, j]))),
        (h[l, t, a, j], since(state_h, shown(l, t, a)[1])),
    )


def unrolled_proof() -> Derivation:
    """What the recursion of the cell state comes to, by induction; and how layers nest is a definition."""
    kept, added, cell = (IndexedBase(name, real=True) for name in ("f", "v", "c"))
    start, forget = symbols("c_0 phi", real=True)
    n = Symbol("n", integer=True, nonnegative=True)
    constant = forget**n * start + Sum(forget ** (n - m) * added[m], (m, 1, n))
    return Derivation(
        (
            define(added[t], i[t] * g[t], "what is written at time t"),
            Step(
                "rewrite",
                kept[2] * (kept[1] * start + added[1]) + added[2],
                start * kept[1] * kept[2] + added[1] * kept[2] + added[2],
                "Two steps: each forget gate scales all that was written before it.",
            ),
            Step(
                "induction",
                Eq(cell[n], forget * cell[n - 1] + added[n]),
                constant,
                "With constant forget gates the state is a sum with geometrically falling weights.",
                by=(n, 0, start),
                wrong=(forget**n * start + Sum(forget ** (n - m + 1) * added[m], (m, 1, n)),),
            ),
        )
    )


sequence = Claim(
    id="lstm.cell.sequence",
    section=SECTION,
    title="Long short-term memory over sequences: each layer's outputs are the next one's inputs",
    kind="equality",
    subject="lstm.LSTM",
    driver="module",
    structure=(HIDDEN, FEW, LAYERS, BATCH_FIRST, BIAS),
    inputs=(
        real("x", *SEQUENCE_SHAPE, D),
        real("h0", L, N, H),
        real("c0", L, N, H),
        real("W", 4 * H, D),
        *PARAMETERS[1:],
        *UPPER,
    ),
    program=Program(
        (layered(), *gates(l, t, a), *carried()),
        (
            Output(
                "output",
                Piecewise((h[L - 1, p + 1, r, j], Eq(first, 0)), (h[L - 1, r + 1, p, j], True)),
                (p, 0, SEQUENCE_SHAPE[0] - 1),
                (r, 0, SEQUENCE_SHAPE[1] - 1),
                (j, 0, H - 1),
            ),
            Output("h_n", h[l, T, a, j], (l, 0, L - 1), (a, 0, N - 1), (j, 0, H - 1)),
            Output("c_n", c[l, T, a, j], (l, 0, L - 1), (a, 0, N - 1), (j, 0, H - 1)),
        ),
    ),
    statement=Eq(c[l, t, a, j], f[l, t, a, j] * c[l, t - 1, a, j] + i[l, t, a, j] * g[l, t, a, j]),
    derivation=unrolled_proof,
    options={
        "args": (int(D), "H"),
        "keywords": {"num_layers": "num_layers", "batch_first": "batch_first", "bias": "bias"},
        "parameters": {**LAYER_NAMES, **UPPER_NAMES},
        "call": ("x", ("h0", "c0")),
    },
    variants=(
        Variant("cell states handed to the next layer", "known bug", (layered(below=c[0, t, a, k]),)),
        Variant(
            "sequence read backwards",
            "known bug",
            (layered(seen=seen.xreplace({t: T - t + 1})),),
        ),
        Variant("hidden state not carried on", "known bug", (layered(before=0),)),
        Variant("every layer starts from the first layer's state", "known bug", carried(c0[0, a, j], h0[0, a, j])),
        Variant("biases counted twice", "known bug", (layered(times=2),)),
    ),
    remarks="Layer 0 has the parameters W, U, b, d; layer 1 those with a 1. " + MATRIX_LAYOUT,
)

# ---------------------------------------------------------------- bounds


def bounds_proof() -> Derivation:
    """The gates lie in (0, 1) and the candidate in (-1, 1); what they lack to the ends is left over."""
    alpha, beta, delta, start = symbols("alpha beta delta C_0", nonnegative=True)
    before = Symbol("C", nonnegative=True)
    bound = IndexedBase("C", real=True)
    n = Symbol("n", integer=True, nonnegative=True)
    return Derivation(
        (
            Step(
                "inequality",
                Le((1 - alpha) * before + (1 - beta) * (1 - delta), before + 1),
                alpha * before + beta + delta * (1 - beta),
                "f = 1 - alpha, i = 1 - beta, |g| = 1 - delta: |c_t| <= f |c_{t-1}| + i |g| <= |c_{t-1}| + 1.",
                assume=(beta <= 1,),
            ),
            Step(
                "induction",
                Eq(bound[n], bound[n - 1] + 1),
                start + n,
                "At most one more at each step.",
                by=(n, 0, start),
            ),
            Step(
                "inequality",
                Le((1 - alpha) * (1 - delta), 1),
                alpha + delta * (1 - alpha),
                "|h| = o |tanh c| is at most 1.",
                assume=(alpha <= 1,),
            ),
        )
    )


output, last_c = IndexedBase("output", real=True), IndexedBase("c_n", real=True)
VALUES = (
    Output("output", h[t + 1, j], (t, 0, T - 1), (j, 0, H - 1)),
    Output("h_n", h[T, j], (l, 0, 0), (j, 0, H - 1)),
    Output("c_n", c[T, j], (l, 0, 0), (j, 0, H - 1)),
)
RANGES = ((t, 0, T - 1), (j, 0, H - 1))


def within(limit: Any) -> Relation:
    return Relation(Max(Abs(output[t, j]) - 1, Abs(last_c[0, j]) - limit), "<=", 0, RANGES)


bounds = Claim(
    id="lstm.cell.bounds",
    section=SECTION,
    title="Outputs lie between -1 and 1; a cell state grows by at most 1 a step",
    kind="inequality",
    subject="lstm.LSTM",
    driver="module",
    structure=(HIDDEN, TIME),
    inputs=(real("x", T, 1), real("h0", 1, H), real("c0", 1, H), real("W", 4 * H, 1), *PARAMETERS[1:]),
    program=Program(
        forward(h0[0, j], c0[0, j], 1),
        VALUES,
    ),
    relation=within(Abs(c0[0, j]) + T),
    statement=And(Le(Abs(h[t, j]), 1), Le(Abs(c[t, j]), Abs(c0[j]) + t)),
    derivation=bounds_proof,
    options={"args": (1, "H"), "parameters": LAYER_NAMES, "call": ("x", ("h0", "c0"))},
    variants=(
        Variant("no tanh on the output", "known bug", ((h[t, j], since(h0[0, j], o[t, j] * c[t, j])),)),
        Variant("candidate not squashed", "known bug", ((g[t, j], s[2, t, j]),)),
        Variant(
            "the cell state is bounded as well",
            "known confusion",
            relation=within(1 + 0 * T),
            why="c is a sum and not squashed: it is h that lies between -1 and 1.",
        ),
        Variant(
            "one more in all, not at each step",
            "known confusion",
            relation=within(Abs(c0[0, j]) + 1),
        ),
    ),
    remarks="Rounding may give exactly 1.",
)

CLAIMS = (cell, sequence, bounds)
