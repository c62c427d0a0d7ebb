"""Recurrent networks that read a sequence: many to many step by step, and many to one (notes, section 1.4.4)."""

from typing import Any

from sympy import Eq, Integer, Piecewise, Sum, symbols, tanh

from gnomon.derivations.sequences.rnn_tasks_network import (
    ENCODER,
    HIDDEN,
    INPUTS,
    READOUT,
    SECTION,
    TIME,
    H,
    I,
    K,
    Let,
    N,
    T,
    V,
    W,
    a,
    by_first,
    d,
    dsigma,
    encoded,
    first,
    h,
    j,
    k,
    last,
    last_read,
    lengths,
    options,
    outputs,
    p,
    pre,
    q,
    r,
    read,
    t,
    x,
    x1,
    x2,
    y,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import real

# ---------------------------------------------------------------- aligned


def aligned_proof() -> Derivation:
    """Two steps written out, for any sizes and any activation."""
    early = Sum(V[q, j] * first(j), (j, 0, H - 1)) + d[q]
    return Derivation(
        (
            Step(
                "differentiate",
                last_read(),
                Sum(V[q, j] * dsigma(pre(x2, j, first)) * W[j, r], (j, 0, H - 1)),
                "y_2 by its own input,",
                by=(x2[r],),
            ),
            Step("differentiate", last_read(), by_first(), "and by the one before, through U.", by=(x1[r],)),
            Step(
                "differentiate",
                early + last_read(),
                Sum(V[q, j] * dsigma(pre(x2, j, first)) * W[j, r], (j, 0, H - 1)),
                "y_1 + y_2 moves with x_2 as y_2 alone does: an output knows nothing of what comes later.",
                by=(x2[r],),
            ),
        ),
        "every size, and two steps",
        lift="induction",
    )


aligned = Claim(
    id="rnn.tasks.many_to_many.aligned",
    section=SECTION,
    title="Many to many, aligned: every step has its output, which knows nothing of later inputs",
    kind="equality",
    subject="sequence_tasks.Tagger",
    driver="module",
    structure=(INPUTS, HIDDEN, TIME),
    inputs=(real("x", N, T, I), *ENCODER, *READOUT),
    program=Program((encoded(), (y[t, a, q], read(h[t, a, k]))), (outputs(T, y[p + 1, a, q]),)),
    statement=Eq(y[t, q], read(h[t, k])),
    derivation=aligned_proof,
    options=options("x"),
    variants=(
        Variant(
            "outputs a step late",
            "known bug",
            ((y[t, a, q], Piecewise((d[q], Eq(t, 1)), (read(h[t - 1, a, k]), True))),),
        ),
        Variant(
            "every output from the last state",
            "known bug",
            ((y[t, a, q], read(h[T, a, k])),),
            why="That is many to one.",
        ),
        Variant(
            "read from the end",
            "known bug",
            (encoded(x[a, T - t, k]), (y[t, a, q], read(h[T + 1 - t, a, k]))),
            why="y_t then knows x_t and what comes later.",
        ),
        Variant("hidden state not carried on", "known bug", (encoded(before=0 * h[1, a, k]),)),
        Variant("outputs squashed", "known bug", ((y[t, a, q], tanh(read(h[t, a, k]))),)),
    ),
    remarks="Parts of speech, or the next word. Translation is not of this kind: see rnn.tasks.many_to_many.",
)

# ---------------------------------------------------------------- many to one


def one_proof() -> Derivation:
    """Two steps written out; then a point at which the last state is not the mean of the states."""
    one, two = symbols("h_1 h_2", real=True)
    return Derivation(
        (
            Step(
                "differentiate",
                last_read(),
                by_first(),
                "The output depends on the first input too, through every step between.",
                by=(x1[r],),
            ),
            Step(
                "refute",
                Eq((one + two) / 2, two),
                Eq((two + two) / 2 + one - one, two, evaluate=False),
                "The mean of the states is another function: here 1/2 for 1.",
                by=({one: 0, two: 1},),
            ),
        ),
        "every size, and two steps",
        lift="induction",
    )


classifier = Claim(
    id="rnn.tasks.many_to_one",
    section=SECTION,
    title="Many to one: the last hidden state alone is read out, and it has seen every input",
    kind="equality",
    subject="sequence_tasks.Classifier",
    driver="module",
    structure=(INPUTS, HIDDEN, TIME),
    inputs=(real("x", N, T, I), *ENCODER, *READOUT),
    program=Program((encoded(), (y[a, q], read(h[T, a, k]))), (Output("y", y[a, q], (a, 0, N - 1), (q, 0, K - 1)),)),
    statement=Eq(y[q], read(h[T, k])),
    derivation=one_proof,
    options=options("x"),
    variants=(
        Variant("first state", "known bug", ((y[a, q], read(h[1, a, k])),)),
        Variant(
            "mean of the states",
            "mean pooling",
            ((last[a, k], Sum(h[t, a, k], (t, 1, T)) / T), (y[a, q], read(last[a, k]))),
        ),
        Variant("sum of all outputs", "known bug", ((y[a, q], Sum(read(h[t, a, k]), (t, 1, T))),)),
        Variant("hidden state not carried on", "known bug", (encoded(before=0 * h[1, a, k]),)),
        Variant("read from the end", "known bug", (encoded(x[a, T - t, k]),)),
    ),
    remarks="A loss of this output gives no gradient to any other output of the sequence.",
)

THREE = Integer(3)


def stopped(going: Any) -> Let:
    """The state at the last step at which a sequence was still going."""
    return last[t, a, j], Piecewise((h[1, a, j], Eq(t, 1)), (h[t, a, j], going), (last[t - 1, a, j], True))


def padded_proof() -> Derivation:
    """The state that is kept is the new one as long as the sequence goes on, and then the one before."""
    going, new, stays = symbols("going h_t kept", real=True)
    n = symbols("n", integer=True, nonnegative=True)
    kept = going * new + (1 - going) * stays
    return Derivation(
        (
            Step("substitute", kept, new, "While the sequence goes on, the new state is kept,", by=((going, 1),)),
            Step("substitute", kept, stays, "in the padding the one before:", by=((going, 0),)),
            Step(
                "induction",
                Eq(last[n], last[n - 1]),
                new,
                "n steps into the padding the last state of the sequence itself is still there.",
                by=(n, 0, new),
            ),
            Step(
                "differentiate",
                Sum(V[q, j] * first(j), (j, 0, H - 1)) + d[q],
                Sum(V[q, j] * dsigma(pre(x1, j)) * W[j, r], (j, 0, H - 1)),
                "Of two steps, the second of them padding, the output moves with the first input alone.",
                by=(x1[r],),
            ),
        )
    )


padded = Claim(
    id="rnn.tasks.many_to_one.padded",
    section=SECTION,
    title="Many to one with padding: the state of a sequence's own last step is read out",
    kind="equality",
    subject="sequence_tasks.Classifier",
    driver="module",
    structure=(INPUTS, HIDDEN),
    inputs=(real("x", N, THREE, I), real("lengths", N, low=1, high=3, integer=True), *ENCODER, *READOUT),
    program=Program(
        (
            encoded(),
            stopped(t <= lengths[a]),
            (y[a, q], read(last[3, a, k])),
        ),
        (Output("y", y[a, q], (a, 0, N - 1), (q, 0, K - 1)),),
    ),
    statement=Eq(y[a, q], read(h[lengths[a], a, k])),
    conditions=("sequences are padded at their ends, and at least one step long",),
    derivation=padded_proof,
    options={**options("x", "lengths"), "integers": ("lengths",)},
    variants=(
        Variant("last state of the padding", "known bug", ((y[a, q], read(h[3, a, k])),)),
        Variant(
            "one step too many",
            "known bug",
            (stopped(t <= lengths[a] + 1),),
        ),
        Variant(
            "one step too few",
            "known bug",
            (stopped(t < lengths[a]),),
        ),
        Variant(
            "length of the first sequence for all",
            "known bug",
            (stopped(t <= lengths[0]),),
        ),
    ),
)

CLAIMS = (aligned, classifier, padded)
