"""Truncated backpropagation through time: k1 steps forward, k2 steps back (notes, section 1.4.2)."""

from typing import Any

from sympy import Eq, Gt, IndexedBase, KroneckerDelta, Lt, Max, Min, Piecewise, Rational, Sum, Symbol, floor, symbols

from gnomon.derivations.sequences.bptt import (
    CALL,
    PARAMETERS,
    SECTION,
    UNFOLDED_ERROR,
    db,
    dU,
    dW,
    pairing_steps,
    reached,
)
from gnomon.derivations.sequences.rnn_network import (
    GIVEN,
    NONLINEARITY,
    SEQUENCE,
    SMOOTH,
    START,
    UNITS,
    Let,
    T,
    W,
    d,
    delta,
    dsigma,
    g,
    h,
    i,
    j,
    k,
    n,
    p,
    q,
    s,
    t,
    unfolded,
    units,
    x,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, symbols_of

FORWARD, BACK = Size("k1", 1, 3), Size("k2", 1, 4)
k1, k2 = symbols_of((FORWARD, BACK))
m, r = symbols("m r", integer=True, nonnegative=True)
reach = IndexedBase("reach", real=True)

WINDOWS = floor((T + k1 - 1) / k1)
BEGIN, END = k1 * m, Min(k1 * m + k1, T)
"""Window m brings the losses of the steps BEGIN + 1 to END."""


def oldest(steps: Any = k2) -> Any:
    """The first step that a window reaches back to."""
    return Max(END - steps, 0) + 1


def deltas(since: Any = BEGIN, slope: Any = None) -> Let:
    """The deltas of window m, from its end back; ``since`` is where its own losses begin."""
    slope = dsigma(s[t, i]) if slope is None else slope
    own = Piecewise((g[t - 1, i], t > since), (0, True))
    later = Piecewise((Sum(W[j, i] * delta[m, t + 1, j], UNITS), t < END), (0, True))
    return delta[m, t, i], slope * (own + later)


def gathered(steps: Any = k2, first: Any = None) -> tuple[Let, ...]:
    """The sums over the copies that a window reaches."""
    now, copies = delta[m, t, i], (t, oldest(steps) if first is None else first, END)
    return (
        (dU[m, i, k], Sum(now * x[t - 1, k], copies)),
        (dW[m, i, j], Sum(now * h[t - 1, j], copies)),
        (db[m, i], Sum(now, copies)),
    )


def followed() -> tuple[Let, ...]:
    """From first principles: how each loss of the window moves with each copy that is not too old."""

    def felt(source: Any) -> Any:
        return Sum(g[t - 1, i] * reach[t, r, i, p] * source, units(i), (r, oldest(), t), (t, BEGIN + 1, END))

    return (
        reached(),
        (dU[m, p, k], felt(x[r - 1, k])),
        (dW[m, p, q], felt(h[r - 1, q])),
        (db[m, p], felt(1)),
    )


SEEN = (
    Output("weight_ih", dU[m, i, k], (m, 0, WINDOWS - 1), (i, 0, n - 1), (k, 0, d - 1)),
    Output("weight_hh", dW[m, i, j], (m, 0, WINDOWS - 1), (i, 0, n - 1), (j, 0, n - 1)),
    Output("bias", db[m, i], (m, 0, WINDOWS - 1), (i, 0, n - 1)),
)


def truncated_proof() -> Derivation:
    """The gradient with the older copies held, what that leaves out, and how wrong it can be."""
    back, end = Symbol("k2", integer=True, positive=True), Symbol("e", integer=True, positive=True)
    w, rate, older = Symbol("w", real=True), Symbol("alpha", positive=True), Symbol("M", integer=True, positive=True)
    copies = symbols("w1:5", real=True)
    state: Any = Rational(1)
    for one in copies:
        state = one * state + 1
    shared = {one: w for one in copies}
    whole = sum(state.diff(one) for one in copies).subs(shared)
    two = (state.diff(copies[3]) + state.diff(copies[2])).subs(shared)
    turned = w * (w - 2)
    held = (t, end - back + 1, end)
    direction = Sum(KroneckerDelta(i, p) * KroneckerDelta(j, q) * h[t - 1, j], UNITS)
    full, cut = turned.diff(w), w - 2
    return Derivation(
        (
            *pairing_steps(),
            Step(
                "collapse",
                Sum(Sum(delta[t, i] * direction, units(i)), held),
                Sum(delta[t, p] * h[t - 1, q], held),
                why="V_t = 0 for the copies that are older than k2 steps: they are constants, and no terms of the sum",
                wrong=(Sum(delta[t, p] * h[t - 1, q], (t, end - back, end)),),
            ),
            Step(
                "rewrite",
                Sum(delta[t, p] * h[t - 1, q], (t, end - back, end)) - Sum(delta[t, p] * h[t - 1, q], held),
                delta[end - back, p] * h[end - back - 1, q],
                why="one step more brings one copy more, until t = 1: so k2 >= T gives the whole gradient",
            ),
            Step(
                "sum",
                (1 - rate) * Sum(rate**j, (j, 0, older - 1)),
                1 - rate**older,
                why="if a step shrinks by alpha, the M = T - k2 copies that are left out weigh, together, "
                "alpha^k2 (1 - alpha^M) / (1 - alpha) at most",
                assume=(rate < 1,),
            ),
            Step("differentiate", state.subs(shared), whole, why="h <- w h + 1 four times from 1: by w", by=(w,)),
            Step("substitute", whole, Rational(13, 4), why="13/4 at w = 1/2,", by=((w, Rational(1, 2)),)),
            Step("substitute", two, Rational(11, 4), why="of which k2 = 2 sees 11/4", by=((w, Rational(1, 2)),)),
            Step(
                "refute",
                Gt(full * cut, 0),
                Lt(full * cut, 0),
                why="even the sign may be wrong: h_1 = w - 2, h_2 = w h_1 at w = 3/2 has the derivative 1, and "
                "with k2 = 1 it is -1/2",
                by=({w: Rational(3, 2)},),
            ),
        )
    )


truncated = Claim(
    id="bptt.truncated",
    section=SECTION,
    title="Truncated BPTT sums the copies of the last k2 steps before the end of each window of k1 steps",
    kind="equality",
    subject="recurrent.truncated_bptt",
    driver="function",
    structure=(Size("T", 3, 4), FORWARD, BACK, Size("n", 1, 2), Size("d", 1, 1), NONLINEARITY),
    inputs=(SEQUENCE, START, GIVEN, *PARAMETERS),
    program=Program((*unfolded(), deltas(), *gathered()), SEEN),
    definition=Program((*unfolded(), *followed()), SEEN),
    statement=Eq(dW[m, i, j], Sum(delta[m, t, i] * h[t - 1, j], (t, oldest(), END))),
    conditions=(UNFOLDED_ERROR, SMOOTH, "window m ends after min(k1 (m + 1), T) steps and brings its own losses"),
    derivation=truncated_proof,
    variants=(
        Variant(
            "the whole gradient",
            "notes, if taken for BPTT",
            gathered(first=1),
            why="Right for k2 >= T alone; otherwise truncation is biased, which the notes do not say.",
        ),
        Variant("one step more back", "known bug: k2 counted from the step before", gathered(k2 + 1)),
        Variant("one step fewer back", "known bug: range(k2 - 1)", gathered(Max(k2 - 1, 1))),
        Variant(
            "detached after each window",
            "common practice: k2 = k1",
            gathered(first=BEGIN + 1),
            why="h.detach() every k1 steps: the first losses of a window see hardly anything of the past.",
        ),
        Variant("k1 and k2 exchanged", "known bug", gathered(k1)),
        Variant(
            "losses of all steps that are reached",
            "known bug: counted again in each window",
            (deltas(since=0),),
            why="With k2 > k1 the losses of earlier windows are counted twice.",
        ),
    ),
    options={"arguments": (*CALL["arguments"][:-1], "k1", "k2", "nonlinearity")},
    gradient=False,
    remarks="k1 and k2 as in Williams and Peng's BPTT(h; h') with h = k2 and h' = k1. If k2 < k1, some losses reach "
    "no weight at all. The parameters are the same in all windows here; whoever steps in between has other windows.",
)

CLAIMS = (truncated,)
