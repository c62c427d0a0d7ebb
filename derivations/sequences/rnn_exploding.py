"""Exploding gradients: recurrent networks at rest, and ReLU (notes, section 1.4.1)."""

from typing import Any

from sympy import Abs, Eq, Gt, IndexedBase, Lt, Max, Min, Piecewise, Rational, Sum, Symbol, oo

from gnomon.derivations.sequences.rnn_gradients import OF_MODULE, OFF_BY_ONE, SECTION, WHOLE, vanishing_steps
from gnomon.derivations.sequences.rnn_network import (
    INPUT_WEIGHT,
    J,
    Let,
    T,
    W,
    h,
    h0,
    i,
    j,
    jacobian_steps,
    k,
    n,
    nonlinearity,
    t,
    units,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, unit

BOUNDED = real("weight_hh", n, n, low=-4, high=4)
ONE = Size("d", 1, 1)

# ---------------------------------------------------------------- at rest

other = IndexedBase("other", real=True)


def powers(onward: Any, begin: Any = W[i, j], until: int = 1) -> Let:
    """The gradient after one step, and how it goes on."""
    return J[t, i, j], Piecewise((begin, t <= until), (onward, True))


FROM_LEFT = Sum(W[i, k] * J[t - 1, k, j], units(k))
FROM_RIGHT = (other[t, i, j], Piecewise((W[i, j], Eq(t, 1)), (Sum(other[t - 1, i, k] * W[k, j], units(k)), True)))


def rest_proof() -> Derivation:
    """At rest the Jacobian is the power of W: one unit written out, and a linear recurrence."""
    w, start, value = Symbol("w", real=True), Symbol("J0", real=True), IndexedBase("J", real=True)
    return Derivation(
        (
            *jacobian_steps(),
            *vanishing_steps(),
            Step(
                "induction",
                Eq(value[t], w * value[t - 1]),
                start * w**t,
                why="an eigenvector of W is multiplied by its eigenvalue at each step",
                by=(t, 0, start),
            ),
            Step("limit", Rational(2) ** t, oo, why="and an eigenvalue of 2 explodes", by=(t, oo)),
        ),
        "one step of every width, and three steps of one unit",
        lift="induction",
    )


at_rest = Claim(
    id="rnn.gradient_vanishing.at_rest",
    section=SECTION,
    title="At rest (no input, h = 0) the gradient is W^T exactly: it explodes as well as it vanishes",
    kind="equality",
    subject="recurrent.RNN",
    driver="state_jacobian",
    structure=(Size("T", 2, 5), Size("n", 1, 2), ONE, nonlinearity("tanh")),
    inputs=(INPUT_WEIGHT, BOUNDED),
    program=Program((powers(FROM_LEFT),), (WHOLE,)),
    definition=Program((FROM_RIGHT,), (Output("jacobian", other[T, i, j], (i, 0, n - 1), (j, 0, n - 1)),)),
    statement=Eq(J[T, i, j], Sum(W[i, k] * J[T - 1, k, j], units(k))),
    conditions=("tanh, or any σ with σ(0) = 0 and σ'(0) = 1", "x = 0 and h_0 = 0, without biases"),
    derivation=rest_proof,
    variants=(
        Variant(
            "zero from four steps on",
            "notes",
            ((J[t, i, j], Piecewise((0, t >= 4), (powers(FROM_LEFT)[1], True))),),
            printed=True,
            why="“gradients become zeros”: with w = 1 the gradient is 1 for ever, with w = 2 it is 16 after 4 steps.",
        ),
        Variant(
            "recurrent weight transposed",
            "known bug",
            (powers(Sum(W[k, i] * J[t - 1, k, j], units(k)), W[j, i]),),
        ),
        Variant("one step fewer", OFF_BY_ONE, (powers(FROM_LEFT, until=2),)),
        Variant("slope of the logistic function", "known bug", (powers(FROM_LEFT / 4, W[i, j] / 4),)),
    ),
    options=OF_MODULE,
    gradient=False,
    remarks="The Jacobian is autograd's, and is not differentiated again. Here W^T is the T-th power.",
)

# ---------------------------------------------------------------- ReLU

w = W[0, 0]
final, slope = IndexedBase("final", real=True), IndexedBase("slope", real=True)


def unit_of(active: Any, otherwise: Any = 0) -> tuple[Let, Let]:
    """State and slope of one unit, by what it makes of its pre-activation; ``otherwise`` is the slope below zero."""
    onward = Piecewise((w * slope[t - 1], w * final[t - 1] > 0), (otherwise * w * slope[t - 1], True))
    return (
        (final[t], Piecewise((h0[0], Eq(t, 0)), (active, True))),
        (slope[t], Piecewise((1, Eq(t, 0)), (onward, True))),
    )


BOTH = (Output("h_n", final[T], (i, 0, 0)), Output("jacobian", slope[T], (i, 0, 0), (j, 0, 0)))
POWER = Max(w, 0) ** t


def relu_proof() -> Derivation:
    """A unit that stays active multiplies by w at each step; one that does not is dead, whatever comes."""
    state, weight, begin = IndexedBase("h", real=True), Symbol("w", positive=True), Symbol("h0", positive=True)
    z = Symbol("z", real=True)
    return Derivation(
        (
            Step(
                "induction",
                Eq(state[t], weight * state[t - 1]),
                begin * weight**t,
                why="with w > 0 a positive state stays positive: it is w^T h_0, unlike that of tanh without a bound",
                by=(t, 0, begin),
            ),
            Step("differentiate", begin * weight**t, weight**t, why="and the gradient w^T", by=(begin,)),
            Step(
                "refute",
                Lt(Rational(3, 2) ** 50 * z, 6 * 10**8),
                Lt(Rational(3, 2) ** 50 * z, 7 * 10**8),
                why="w = 1.5 and T = 50: state and gradient are 6.4e8",
                by=({z: 1},),
            ),
            Step(
                "refute",
                Gt(Max(z, 0), 0),
                Eq(Max(z, 0), 0),
                why="w = -1: h_1 = max(-1, 0) = 0, and the gradient through it is exactly 0",
                by=({z: -1},),
            ),
        )
    )


relu = Claim(
    id="rnn.relu_problem",
    section=SECTION,
    title="A ReLU unit multiplies its state and its gradient by w at every step, or is dead at once if w < 0",
    kind="equality",
    subject="recurrent.RNN",
    driver="state_jacobian",
    structure=(Size("T", 1, 50), Size("n", 1, 1, closed=True), ONE, nonlinearity("relu")),
    inputs=(unit("h0", n), INPUT_WEIGHT, real("weight_hh", n, n, low=-2, high=2)),
    program=Program(unit_of(Max(w * final[t - 1], 0)), BOTH),
    definition=Program(((final[t], POWER * h0[0]), (slope[t], POWER)), BOTH),
    statement=(Eq(h[T, 0], Max(w, 0) ** T * h0[0]), Eq(J[T, 0, 0], Max(w, 0) ** T)),
    conditions=("one unit, no input, h_0 > 0",),
    derivation=relu_proof,
    variants=(
        Variant("always active", "linear unit", unit_of(w * final[t - 1], 1), why="wrong for w = -1: a dead unit"),
        Variant(
            "state and gradient do not grow",
            "as of tanh and its slope, both bounded by 1",
            ((final[t], Min(POWER, 1) * h0[0]), (slope[t], Min(POWER, 1))),
            why="wrong for w = 1.5, where both are 6.4e8 times what they were after 50 steps",
        ),
        Variant(
            "gradient neither vanishes nor explodes",
            "read into the slope 1",
            ((slope[t], Piecewise((1, w > 0), (0, True))),),
        ),
        Variant(
            "leaky",
            "leaky ReLU, slope 0.01",
            unit_of(Max(w * final[t - 1], w * final[t - 1] / 100), Rational(1, 100)),
        ),
        Variant("absolute value", "known bug", (unit_of(Abs(w * final[t - 1]))[0],)),
    ),
    options=OF_MODULE,
    gradient=False,
    remarks="“ReLU is sometimes problematic” is vague; these are the two ways. Starting from W = 1 (the identity, "
    "IRNN) state and gradient stay as they are. At w = 0 the slope is 0, as in torch. The gradient shown is "
    "autograd's, and is not differentiated again.",
)

CLAIMS = (at_rest, relu)
