"""Shared weights: gradients of the copies are summed, and then there is one update (notes, section 1.4.2)."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    IndexedBase,
    KroneckerDelta,
    Matrix,
    Piecewise,
    Rational,
    Sum,
    false,
    sign,
    sqrt,
    symbols,
)

from gnomon.derivations.sequences.bptt import (
    CALL,
    FEW,
    NARROW,
    PARAMETERS,
    SECTION,
    SHORT,
    UNFOLDED_ERROR,
    db,
    deltas,
    dU,
    dW,
    pairing_steps,
)
from gnomon.derivations.sequences.rnn_network import (
    BATCH,
    NONLINEARITY,
    SAMPLES,
    SMOOTH,
    UNITS,
    Let,
    N,
    T,
    U,
    W,
    a,
    d,
    delta,
    dsigma,
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
from gnomon.say.domain import Size, positive, real, symbols_of

dh0, dx = IndexedBase("dh0", real=True), IndexedBase("dx", real=True)
by_U, by_W, by_b = (IndexedBase(name, real=True) for name in ("by_U", "by_W", "by_b"))
EVERY, TIMES = (a, 0, N - 1), (t, 1, T)
start, given = IndexedBase("h0", real=True), IndexedBase("g", real=True)


def totals(scale: Any = 1, samples: Any = 1) -> tuple[Let, ...]:
    """The sums over the copies and the samples."""
    now = delta[t, a, i]
    return (
        (dU[i, k], scale * samples * Sum(now * x[t - 1, a, k], TIMES, EVERY)),
        (dW[i, j], scale * samples * Sum(now * h[t - 1, a, j], TIMES, EVERY)),
        (db[i], scale * samples * Sum(now, TIMES, EVERY)),
    )


def not_shared() -> tuple[Let, Let]:
    return (
        (dh0[a, j], Sum(W[i, j] * delta[1, a, i], units(i))),
        (dx[t, a, k], Sum(U[i, k] * delta[t, a, i], units(i))),
    )


def sensitivities() -> tuple[Let, ...]:
    """How the states move with the shared weights themselves (real-time recurrent learning): no copies anywhere."""

    def moves(base: Any, by: tuple[Any, ...], source: Any) -> Let:
        onward = dsigma(s[t, a, i]) * (source + Sum(W[i, j] * base[(t - 1, a, j, *by)], UNITS))
        return base[(t, a, i, *by)], Piecewise((0, Eq(t, 0)), (onward, True))

    def felt(base: Any, by: tuple[Any, ...]) -> Any:
        return Sum(given[t - 1, a, i] * base[(t, a, i, *by)], units(i), TIMES, EVERY)

    return (
        moves(by_U, (p, k), KroneckerDelta(i, p) * x[t - 1, a, k]),
        moves(by_W, (p, q), KroneckerDelta(i, p) * h[t - 1, a, q]),
        moves(by_b, (p,), KroneckerDelta(i, p)),
        (dU[p, k], felt(by_U, (p, k))),
        (dW[p, q], felt(by_W, (p, q))),
        (db[p], felt(by_b, (p,))),
    )


GRADIENTS = (
    Output("weight_ih", dU[i, k], (i, 0, n - 1), (k, 0, d - 1)),
    Output("weight_hh", dW[i, j], (i, 0, n - 1), (j, 0, n - 1)),
    Output("bias", db[i], (i, 0, n - 1)),
    Output("h0", dh0[a, i], (a, 0, N - 1), (i, 0, n - 1)),
    Output("x", dx[t + 1, a, k], (t, 0, T - 1), (a, 0, N - 1), (k, 0, d - 1)),
)


def sum_proof() -> Derivation:
    """The sum, and a network on which the average is not even along the gradient."""
    w, u, v = symbols("w u v", real=True)
    state = w * (w * (w + u) + u) + u  # three steps h <- w h + u from h = 1, y = v h
    full = Matrix([v * state.diff(w), v * state.diff(u), state])
    average = Matrix([full[0] / 3, full[1] / 3, full[2]])
    at = ({w: 1, u: 1, v: 1},)
    return Derivation(
        (
            *pairing_steps(),
            Step("differentiate", v * state, full[0], why="h <- w h + u three times from 1, y = v h: by w,", by=(w,)),
            Step("differentiate", v * state, full[1], why="by u,", by=(u,)),
            Step("differentiate", v * state, full[2], why="and by v, which is not shared", by=(v,)),
            Step(
                "refute", Eq(average[0], full[0]), Eq(full[0], 6), why="at w = u = v = 1 it is 6, the average 2", by=at
            ),
            Step(
                "refute",
                Eq(average[0] * full[2], average[2] * full[0]),
                Eq(full[2], 4),
                why="and by v it is 4 both times: the average is no multiple of the gradient, and no rate mends it",
                by=at,
            ),
        )
    )


shared = Claim(
    id="bptt.sum_or_average",
    section=SECTION,
    title="The gradient of a shared weight is the sum of the copies' gradients, not their average",
    kind="equality",
    subject="recurrent.bptt",
    driver="function",
    structure=(SHORT, SAMPLES, NARROW, FEW, NONLINEARITY),
    inputs=(*BATCH, *PARAMETERS),
    program=Program((*unfolded(a), deltas(a), *totals(), *not_shared()), GRADIENTS),
    definition=Program((*unfolded(a), *sensitivities(), deltas(a), *not_shared()), GRADIENTS),
    statement=Eq(dW[i, j], Sum(delta[t, a, i] * h[t - 1, a, j], TIMES, EVERY)),
    conditions=(UNFOLDED_ERROR, SMOOTH),
    derivation=sum_proof,
    variants=(
        Variant(
            "averaged over the copies",
            "notes",
            totals(scale=1 / T),
            printed=True,
            why="“then summed (or averaged)”: 1/T of the gradient by what is shared, and all of it by what is not, as "
            "h_0: no multiple of the gradient.",
        ),
        Variant("averaged over the samples", "torch, reduction mean", totals(samples=1 / N)),
        Variant(
            "the last copy alone",
            "known bug: overwritten, not accumulated",
            ((dW[i, j], Sum(delta[T, a, i] * h[T - 1, a, j], EVERY)),),
        ),
        Variant(
            "outer product transposed", "known bug", ((dW[i, j], Sum(delta[t, a, j] * h[t - 1, a, i], TIMES, EVERY)),)
        ),
        Variant("state detached at every step", "known bug: detach in the loop", (deltas(a, later=0),)),
        Variant("first state by the delta itself", "known bug", ((dh0[a, j], delta[1, a, j]),)),
    ),
    options=CALL,
    gradient=False,
    remarks="The definition beside the program has no copies: it carries the derivatives by the shared weights "
    "forward. What is compared is a gradient already.",
)

# ---------------------------------------------------------------- updates

OCCURS, ENTRIES = Size("T", 2, 4), Size("n", 1, 2)
VALUE, COPIES = real("parameter", ENTRIES), real("copies", OCCURS, ENTRIES)
RATE, EPS = (
    positive("lr", host=True, high=1, typical=(0.1, 0.001)),
    positive("eps", host=True, high=1, typical=(1e-8, 0.5)),
)
value, copy, rate, eps = symbols_of((VALUE, COPIES, RATE, EPS))
new, gradient = IndexedBase("new", real=True), IndexedBase("gradient", real=True)
ADDED = (gradient[i], Sum(copy[t, i], (t, 0, T - 1)))


def adam(by: Any) -> Any:
    return by / (Abs(by) + eps)


def updates_proof() -> Derivation:
    g1, g2, e, lr = symbols("g1 g2 e eta", real=True)

    def step(by: Any) -> Any:
        return -lr * by / (Abs(by) + e)

    return Derivation(
        (
            Step(
                "rewrite",
                -lr * (g1 + g2),
                -lr * g1 - lr * g2,
                why="plain gradient descent is linear: there updates add up",
            ),
            Step(
                "refute",
                Eq(step(g1) + step(g2), step(g1 + g2)),
                Eq(step(g1 + g2), Rational(-2, 3)),
                why="Adam's first step is not: for 3 and -1, with epsilon 1, the steps add up to -1/4, not -2/3",
                by=({g1: 3, g2: -1, lr: 1, e: 1},),
            ),
            Step(
                "refute",
                Eq(sign(g1) + sign(g2), sign(g1 + g2)),
                false,
                why="with epsilon 0 they cancel, where the step on the sum is a whole rate long",
                by=({g1: 3, g2: -1},),
            ),
        )
    )


updates = Claim(
    id="bptt.sum_or_average.updates",
    section=SECTION,
    title="Gradients of the copies are summed before the optimizer: the sum of their updates is another step",
    kind="equality",
    subject="recurrent.shared_update",
    driver="function",
    structure=(OCCURS, ENTRIES),
    inputs=(VALUE, COPIES, RATE, EPS),
    program=Program((ADDED, (new[i], value[i] - rate * adam(gradient[i]))), (Output("new", new[i], (i, 0, n - 1)),)),
    statement=Eq(new[i], value[i] - rate * gradient[i] / (Abs(gradient[i]) + eps)),
    conditions=("Adam's first step, from rest",),
    derivation=updates_proof,
    variants=(
        Variant(
            "updates computed for each copy, then summed",
            "notes",
            ((new[i], value[i] - rate * Sum(adam(copy[t, i]), (t, 0, T - 1))),),
            printed=True,
            why="“The weight updates are computed for each copy, then summed”: right for plain gradient descent alone.",
        ),
        Variant(
            "updates averaged",
            "notes",
            ((new[i], value[i] - rate * Sum(adam(copy[t, i]), (t, 0, T - 1)) / T),),
            printed=True,
        ),
        Variant(
            "gradients averaged",
            "notes",
            ((gradient[i], ADDED[1] / T),),
            printed=True,
            why="Adam hides the factor 1/T, but for its epsilon.",
        ),
        Variant("the last copy alone", "known bug", ((gradient[i], copy[T - 1, i]),)),
        Variant(
            "root of the sum of squares",
            "known bug",
            ((new[i], value[i] - rate * gradient[i] / (sqrt(Sum(copy[t, i] ** 2, (t, 0, T - 1))) + eps)),),
        ),
    ),
    options={"arguments": ("parameter", "copies", "lr", "eps")},
)

CLAIMS = (shared, updates)
