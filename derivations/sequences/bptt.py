"""Backpropagation through time: the unfolded network, and the gradients of its copies (notes, section 1.4.2)."""

from typing import Any

from sympy import (
    Eq,
    IndexedBase,
    KroneckerDelta,
    Max,
    Piecewise,
    Sum,
    Symbol,
)

from gnomon.derivations.sequences.rnn_network import (
    BIAS,
    FEATURES,
    GIVEN,
    INPUT_WEIGHT,
    NONLINEARITY,
    SEQUENCE,
    SMOOTH,
    START,
    UNITS,
    WEIGHT,
    Let,
    T,
    U,
    W,
    b,
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
    r,
    s,
    sigma,
    t,
    unfolded,
    units,
    x,
)
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size

SECTION = "1.4.2"
SHORT, NARROW, FEW = Size("T", 1, 3), Size("n", 1, 2), Size("d", 1, 2)
dU, dW, db = (IndexedBase(name, real=True) for name in ("dU", "dW", "db"))
PARAMETERS = (INPUT_WEIGHT, WEIGHT, BIAS)
CALL = {"arguments": ("x", "h0", "weight_ih", "weight_hh", "bias", "g", "nonlinearity")}
UNFOLDED_ERROR = "g_t is the derivative of the error by h_t as an output, for any error"


def deltas(*a: Any, slope: Any = None, later: Any = None, given: Any = None) -> Let:
    """``delta_t = sigma'(s_t) (g_t + W^T delta_{t+1})``, from the last step back."""
    slope = dsigma(s[(t, *a, i)]) if slope is None else slope
    given = g[(t - 1, *a, i)] if given is None else given
    later = Sum(W[j, i] * delta[(t + 1, *a, j)], UNITS) if later is None else later
    return delta[(t, *a, i)], slope * (given + Piecewise((later, t < T), (0, True)))


def pairing_steps(last: Any = T) -> tuple[Step, ...]:
    """What a change of each copy's weights does to the error, for every number of steps and every width."""
    gain, change, moved = IndexedBase("D", real=True), IndexedBase("V", real=True), IndexedBase("dh", real=True)
    arriving, eps, total = IndexedBase("A", real=True), Symbol("epsilon", real=True), IndexedBase("E", real=True)
    passed, own = IndexedBase("P", real=True), IndexedBase("C", real=True)
    rest = Sum(U[i, k] * x[t - 1, k], FEATURES) + b[i]
    at = Sum((W[i, j] + eps * change[t, i, j]) * (h[t - 1, j] + eps * moved[t - 1, j]), UNITS) + rest
    handed, stirred = Sum(W[i, j] * moved[t - 1, j], UNITS), Sum(change[t, i, j] * h[t - 1, j], UNITS)
    slopes = Sum((W[i, j] + eps * change[t, i, j]) * moved[t - 1, j], UNITS) + Sum(
        change[t, i, j] * (h[t - 1, j] + eps * moved[t - 1, j]), UNITS
    )
    back = Sum(moved[t - 1, j] * Sum(W[i, j] * gain[t, i] * arriving[t, i], units(i)), UNITS)
    direct = Sum(gain[t, i] * arriving[t, i] * stirred, units(i))
    shared = KroneckerDelta(i, p) * KroneckerDelta(j, q)

    def copies(direction: Any) -> Any:
        return Sum(Sum(delta[t, i] * Sum(direction * h[t - 1, j], UNITS), units(i)), (t, 1, last))

    return (
        Step(
            "differentiate",
            sigma(at),
            dsigma(at) * slopes,
            why="each copy's W is moved along a V_t of its own, and the state before moves along",
            by=(eps,),
        ),
        Step(
            "substitute",
            slopes,
            handed + stirred,
            why="at the point itself: dh_t = diag(sigma') (W dh_{t-1} + V_t h_{t-1})",
            by=((eps, 0),),
        ),
        define(arriving[t, i], g[t, i] + Sum(W[j, i] * delta[t + 1, j], UNITS), "what reaches h_t; delta_t = D_t A_t"),
        define(passed[t], Sum(moved[t, i] * Sum(W[j, i] * delta[t + 1, j], UNITS), units(i)), "what later steps see"),
        Step(
            "rewrite",
            Sum(arriving[t, i] * gain[t, i] * (handed + stirred), units(i)),
            back + direct,
            why="g_t . dh_t + P[t] is P[t-1] plus what copy t does itself, C[t] = delta_t . V_t h_{t-1}",
            wrong=(
                Sum(moved[t - 1, j] * Sum(W[j, i] * gain[t, i] * arriving[t, i], units(i)), UNITS) + direct,
                Sum(moved[t - 1, j] * Sum(W[i, j] * arriving[t, i], units(i)), UNITS) + direct,
            ),
        ),
        Step(
            "induction",
            Eq(total[t], total[t - 1] + passed[t - 1] - passed[t] + own[t]),
            passed[0] - passed[t] + Sum(own[r], (r, 1, t)),
            why="so the error changes by the sum of all C[t]: P[0] is 0, as h_0 is held, and so is P[T]",
            by=(t, 0, 0),
        ),
        Step(
            "collapse",
            Sum(delta[r, i] * Sum(KroneckerDelta(i, p) * KroneckerDelta(j, q) * h[r - 1, j], UNITS), units(i)),
            delta[r, p] * h[r - 1, q],
            why="one copy alone: its gradient is delta_r h_{r-1}^T",
            wrong=(delta[r, q] * h[r - 1, p],),
        ),
        Step(
            "collapse",
            copies(shared),
            Sum(delta[t, p] * h[t - 1, q], (t, 1, last)),
            why="all copies alike, as the weight is shared: the sum of the copies' gradients",
            wrong=(Sum(delta[t, p] * h[t - 1, q], (t, 1, last)) / last,),
        ),
    )


def network_steps() -> tuple[Step, ...]:
    """Two steps written out and differentiated at one go: the shared weight, and the two copies."""
    start, first, second = (IndexedBase(name, real=True) for name in ("h0", "W1", "W2"))
    v, e = IndexedBase("v", real=True), IndexedBase("u", real=True)
    m = Symbol("m", integer=True, nonnegative=True)

    def s1(unit: Any, weight: Any) -> Any:
        return Sum(weight[unit, j] * start[j], UNITS) + v[unit]

    def s2(unit: Any, lower: Any, upper: Any) -> Any:
        return Sum(upper[unit, k] * sigma(s1(k, lower)), units(k)) + e[unit]

    def error(lower: Any, upper: Any) -> Any:
        return Sum(g[i, 0] * sigma(s2(i, lower, upper)), units(i))

    def late(lower: Any, upper: Any) -> Any:
        return g[p, 0] * dsigma(s2(p, lower, upper)) * sigma(s1(q, lower))

    def early(lower: Any, upper: Any) -> Any:
        above = Sum(g[m, 0] * dsigma(s2(m, lower, upper)) * upper[m, p], units(m))
        return dsigma(s1(p, lower)) * above * start[q]

    return (
        Step("differentiate", error(first, second), early(first, second), "of two copies by one,", by=(first[p, q],)),
        Step("differentiate", error(first, second), late(first, second), "and by the other;", by=(second[p, q],)),
        Step(
            "differentiate",
            error(W, W),
            late(W, W) + early(W, W),
            why="one shared weight: their sum",
            by=(W[p, q],),
            wrong=((late(W, W) + early(W, W)) / 2, late(W, W)),
        ),
    )


# ---------------------------------------------------------------- the copies

reach = IndexedBase("reach", real=True)  # reach[t, r, i, p]: the derivative of h_t[i] by s_r[p]


def reached(*a: Any) -> Let:
    """Forward, from every pre-activation on: the work that the deltas save."""
    slope = dsigma(s[(t, *a, i)])
    onward = slope * Sum(W[i, j] * reach[(t - 1, r, *a, j, p)], UNITS)
    return reach[(t, r, *a, i, p)], Piecewise((slope * KroneckerDelta(i, p), Eq(t, r)), (onward, True))


def of_copies(by_u: Any, by_w: Any, by_b: Any, first: tuple[Any, Any, Any] = (t, 0, T - 1)) -> tuple[Output, ...]:
    return (
        Output("weight_ih", by_u, first, (i, 0, n - 1), (k, 0, d - 1)),
        Output("weight_hh", by_w, first, (i, 0, n - 1), (j, 0, n - 1)),
        Output("bias", by_b, first, (i, 0, n - 1)),
    )


def each_copy(now: Any = delta[t, i], before: Any = h[t - 1, j], enters: Any = x[t - 1, k]) -> tuple[Let, ...]:
    return (dU[t, i, k], now * enters), (dW[t, i, j], now * before), (db[t, i], now)


SEEN = Sum(g[t - 1, i] * reach[t, r, i, p], units(i), (t, r, T))
copies = Claim(
    id="bptt.unfolded",
    section=SECTION,
    title="The unfolded network is a feed-forward network: each copy of the weights has a gradient of its own",
    kind="equality",
    subject="recurrent.unfolded_gradients",
    driver="function",
    structure=(SHORT, NARROW, FEW, NONLINEARITY),
    inputs=(SEQUENCE, START, GIVEN, *PARAMETERS),
    program=Program((*unfolded(), deltas(), *each_copy()), of_copies(dU[t + 1, i, k], dW[t + 1, i, j], db[t + 1, i])),
    definition=Program(
        (
            *unfolded(),
            reached(),
            (dU[r, p, k], SEEN * x[r - 1, k]),
            (dW[r, p, q], SEEN * h[r - 1, q]),
            (db[r, p], SEEN),
        ),
        of_copies(dU[t + 1, i, k], dW[t + 1, i, j], db[t + 1, i]),
    ),
    statement=(
        Eq(delta[t, i], dsigma(s[t, i]) * (g[t, i] + Sum(W[j, i] * delta[t + 1, j], UNITS))),
        Eq(dW[t, i, j], delta[t, i] * h[t - 1, j]),
    ),
    conditions=(UNFOLDED_ERROR, SMOOTH),
    derivation=lambda: Derivation((*pairing_steps(), *network_steps())),
    variants=(
        Variant(
            "state detached at every step",
            "known bug: detach in the loop",
            (deltas(later=0),),
            why="Only the newest copy of each output is seen: truncation to one step.",
        ),
        Variant("recurrent weight transposed", "known bug", (deltas(later=Sum(W[i, j] * delta[t + 1, j], UNITS)),)),
        Variant("without the slope", "known bug", (deltas(slope=1),)),
        Variant("slope at the state", "known bug", (deltas(slope=dsigma(h[t, i])),), why="σ'(h) for σ'(s)"),
        Variant("only the last output", "many to one", (deltas(given=Piecewise((g[t - 1, i], Eq(t, T)), (0, True))),)),
        Variant("state after the step", "known bug: off by one", (each_copy(before=h[t, j])[1],)),
        Variant("input of the step before", "known bug: off by one", (each_copy(enters=x[Max(t - 2, 0), k])[0],)),
    ),
    options=CALL,
    gradient=False,
    remarks="What is compared is a gradient already; second derivatives are no part of the statement.",
)

CLAIMS = (copies,)
