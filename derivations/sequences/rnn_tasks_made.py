"""Recurrent networks that make a sequence: one to many, and many to many by way of one (notes, section 1.4.4)."""

from typing import Any

from sympy import Eq, IndexedBase, Integer, Piecewise, Sum, symbols, tanh

from gnomon.derivations.sequences.rnn_tasks_network import (
    DECODER,
    DECODER_NAMES,
    ENCODER,
    FEEDBACK,
    HIDDEN,
    INPUTS,
    READOUT,
    SECTION,
    STEPS,
    F,
    G,
    H,
    I,
    K,
    Let,
    N,
    S,
    T,
    U,
    V,
    W,
    a,
    b,
    d,
    dsigma,
    e,
    encoded,
    first,
    g,
    h,
    j,
    k,
    l,
    options,
    outputs,
    p,
    pre,
    q,
    r,
    read,
    s,
    sigma,
    t,
    target,
    x,
    x1,
    y,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Program, Variant
from gnomon.say.domain import Size, real

# ---------------------------------------------------------------- one to many


K_ANY = symbols("K", integer=True, positive=True)


def feedback_step(state: Any, matrix: Any, bias: Any, row: Any) -> Step:
    """An output fed back through F is one more recurrent matrix, F V, and one more bias, F d."""
    output = Sum(V[q, k] * state[k], (k, 0, H - 1)) + d[q]
    fed = Sum(F[row, q] * output, (q, 0, K_ANY - 1)) + Sum(matrix[row, k] * state[k], (k, 0, H - 1)) + bias[row]
    one = Sum((matrix[row, k] + Sum(F[row, q] * V[q, k], (q, 0, K_ANY - 1))) * state[k], (k, 0, H - 1))
    return Step(
        "rewrite",
        fed,
        one + bias[row] + Sum(F[row, q] * d[q], (q, 0, K_ANY - 1)),
        "What is fed back is linear in the state: together they are one recurrent matrix U + F V and one bias b + F d.",
        wrong=(one + bias[row],),
    )


def generator_proof() -> Derivation:
    return Derivation((feedback_step(h, U, b, j),))


FED = Sum(F[j, q] * y[s - 1, a, q], (q, 0, K - 1))


def generated(fed: Any = FED, before: Any = h[s - 1, a, k]) -> tuple[Let, Let]:
    """The input drives the first step, what is fed back all others."""
    once = Sum(W[j, k] * x[a, k], (k, 0, I - 1)) + b[j]
    later = fed + Sum(U[j, k] * before, (k, 0, H - 1)) + b[j]
    return (h[s, a, j], tanh(Piecewise((once, Eq(s, 1)), (later, True)))), (y[s, a, q], read(h[s, a, k]))


def merged(matrix: Any, bias: Any, state: Any) -> Any:
    """One recurrent matrix and one bias for the state and the output that is fed back."""
    both = matrix[j, k] + Sum(F[j, q] * V[q, k], (q, 0, K - 1))
    return Sum(both * state, (k, 0, H - 1)) + bias[j] + Sum(F[j, q] * d[q], (q, 0, K - 1))


ONCE = Sum(W[j, k] * x[a, k], (k, 0, I - 1)) + b[j]
generator = Claim(
    id="rnn.tasks.one_to_many",
    section=SECTION,
    title="One to many: the input is read once, then the model reads its own last output",
    kind="equality",
    subject="sequence_tasks.Generator",
    driver="module",
    structure=(INPUTS, HIDDEN, STEPS),
    inputs=(real("x", N, I), *ENCODER, *READOUT, FEEDBACK),
    program=Program(generated(), (outputs(S, y[p + 1, a, q]),)),
    definition=Program(
        (
            (h[s, a, j], tanh(Piecewise((ONCE, Eq(s, 1)), (merged(U, b, h[s - 1, a, k]), True)))),
            (y[s, a, q], read(h[s, a, k])),
        ),
        (outputs(S, y[p + 1, a, q]),),
    ),
    statement=Eq(
        h[s, j], tanh(Sum(F[j, q] * y[s - 1, q], (q, 0, K_ANY - 1)) + Sum(U[j, k] * h[s - 1, k], (k, 0, H - 1)) + b[j])
    ),
    derivation=generator_proof,
    options=options("x", "S", weight_fh="F"),
    variants=(
        Variant(
            "input read at every step",
            "known bug",
            generated(Sum(W[j, k] * x[a, k], (k, 0, I - 1))),
            why="Then it is an aligned network with a constant input.",
        ),
        Variant("nothing fed back", "known bug", generated(Integer(0))),
        Variant("hidden state not carried on", "known bug", generated(before=0 * h[1, a, k])),
        Variant("first output fed back for ever", "known bug", generated(Sum(F[j, q] * y[1, a, q], (q, 0, K - 1)))),
        Variant(
            "input and feedback",
            "known bug",
            generated(Sum(W[j, k] * x[a, k], (k, 0, I - 1)) + FED),
        ),
    ),
    remarks="The scores themselves are fed back here; where a word is picked from them, no gradient passes through it.",
)

# ---------------------------------------------------------------- many to many, of two lengths


def unaligned_proof() -> Derivation:
    """Decoding is generation from the encoder's last state; and its first output depends on the first input."""
    state = IndexedBase("h_T", real=True)
    begun = Sum(V[q, j] * sigma(Sum(G[j, p] * first(p), (p, 0, H - 1)) + e[j]), (j, 0, H - 1)) + d[q]
    slope = dsigma(Sum(G[j, p] * first(p), (p, 0, H - 1)) + e[j])
    through = Sum(G[j, l] * dsigma(pre(x1, l)) * W[l, r], (l, 0, H - 1))
    return Derivation(
        (
            define(state[j], h[T, j], "all that the decoder is told of the input"),
            feedback_step(g, G, e, j),
            Step(
                "differentiate",
                begun,
                Sum(V[q, j] * slope * through, (j, 0, H - 1)),
                "The first output moves with an input through the encoder's state; so does every later one.",
                by=(x1[r],),
            ),
        ),
        lift="induction",
    )


def decoded(
    fed: Any = y[s - 1, a, q], start: Any = h[T, a, j], matrix: Any = G[j, k], bias: Any = e[j]
) -> tuple[Let, Let]:
    """The second cell, which starts from the encoder's last state and is fed what was put out last."""
    by_output = Piecewise((0, Eq(s, 1)), (Sum(F[j, q] * fed, (q, 0, K - 1)), True))
    step = tanh(by_output + Sum(matrix * g[s - 1, a, k], (k, 0, H - 1)) + bias)
    return (g[s, a, j], Piecewise((start, Eq(s, 0)), (step, True))), (y[s, a, q], read(g[s, a, k]))


FEW = Size("T", 1, 2)
BEGUN = Sum(G[j, k] * g[0, a, k], (k, 0, H - 1)) + e[j]
translation = Claim(
    id="rnn.tasks.many_to_many",
    section=SECTION,
    title="Translation is many to one and then one to many: the lengths of input and output are free",
    kind="equality",
    subject="sequence_tasks.EncoderDecoder",
    driver="module",
    structure=(INPUTS, HIDDEN, FEW, STEPS),
    inputs=(real("x", N, T, I), *ENCODER, *READOUT, *DECODER),
    program=Program((encoded(), *decoded()), (outputs(S, y[p + 1, a, q]),)),
    definition=Program(
        (
            encoded(),
            (
                g[s, a, j],
                Piecewise((h[T, a, j], Eq(s, 0)), (tanh(BEGUN), Eq(s, 1)), (tanh(merged(G, e, g[s - 1, a, k])), True)),
            ),
            (y[s, a, q], read(g[s, a, k])),
        ),
        (outputs(S, y[p + 1, a, q]),),
    ),
    statement=Eq(
        g[s, j], tanh(Sum(F[j, q] * y[s - 1, q], (q, 0, K_ANY - 1)) + Sum(G[j, k] * g[s - 1, k], (k, 0, H - 1)) + e[j])
    ),
    conditions=("g_0 is the encoder's last state h_T, and y_0 = 0",),
    derivation=unaligned_proof,
    options=options("x", "S", **DECODER_NAMES),
    variants=(
        Variant(
            "aligned",
            "notes",
            ((y[s, a, q], Piecewise((read(h[s, a, k]), s <= T), (d[q], True))),),
            printed=True,
            why="“Many-to-many: machine translation”, read as a network with an output for each input",
        ),
        Variant("decoder starts from 0", "known bug", decoded(start=Integer(0))),
        Variant("decoder starts from the first state", "known bug", decoded(start=h[1, a, j])),
        Variant("nothing fed back", "known bug", decoded(fed=0 * y[s - 1, a, q])),
        Variant("encoder's matrix in the decoder", "known bug", decoded(matrix=U[j, k], bias=b[j])),
    ),
    remarks="No output is made before the whole input is read. The notes name translation as “many to many” without "
    "saying that it is not aligned.",
)


def forced_proof() -> Derivation:
    """A step reads the target alone, so that steps depend on each other through the state and nothing else."""
    own, fed = symbols("y_1 z_1", real=True)
    driven = Sum(F[j, q] * target[q], (q, 0, K_ANY - 1)) + Sum(G[j, k] * g[k], (k, 0, H - 1)) + e[j]
    return Derivation(
        (
            Step(
                "differentiate",
                tanh(driven),
                F[j, p] * (1 - tanh(driven) ** 2),
                "The next state moves with the right last output.",
                by=(target[p],),
            ),
            Step(
                "refute",
                Eq(own, fed),
                Eq(own, own + fed - 1),
                "The model's own output, 0 at weights of 0, is no right output of 1.",
                by=({own: 0, fed: 1},),
            ),
        )
    )


forced = Claim(
    id="rnn.tasks.many_to_many.forced",
    section=SECTION,
    title="Teacher forcing: the decoder reads the right last output in the place of its own",
    kind="equality",
    subject="sequence_tasks.EncoderDecoder",
    driver="module",
    structure=(HIDDEN, STEPS),
    inputs=(
        real("x", N, 1, 1),
        real("target", N, S, K),
        real("W", H, 1),
        *ENCODER[1:],
        *READOUT,
        *DECODER,
    ),
    program=Program(
        (
            (h[t, a, j], tanh(W[j, 0] * x[a, 0, 0] + b[j])),
            *decoded(fed=target[a, s - 2, q], start=h[1, a, j]),
        ),
        (outputs(S, y[p + 1, a, q]),),
    ),
    statement=Eq(
        g[s, j],
        tanh(Sum(F[j, q] * target[s - 1, q], (q, 0, K_ANY - 1)) + Sum(G[j, k] * g[s - 1, k], (k, 0, H - 1)) + e[j]),
    ),
    conditions=("the first step reads 0",),
    derivation=forced_proof,
    options={**options("x", "S", "target", **DECODER_NAMES), "args": (1, "H", int(K))},
    variants=(
        Variant(
            "its own last output",
            "known bug",
            decoded(start=h[1, a, j]),
            why="free running, as when nothing is known of the right output",
        ),
        Variant(
            "the output that is asked for",
            "known bug",
            decoded(fed=target[a, s - 1, q], start=h[1, a, j]),
            why="Off by one: the model is told the answer.",
        ),
    ),
    remarks="target[s] counts from 0, so that step s, from 1, reads target[s - 2].",
)

CLAIMS = (generator, translation, forced)
