"""Markov chains: the probability of a sequence, the state after some steps, and the best fit (notes, section 1.4)."""

from typing import Any

from sympy import (
    Eq,
    IndexedBase,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    log,
    symbols,
)

from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, real, simplex, symbols_of

SECTION = "1.4"
STATES = 3  # the vocabulary of the claims about given tokens, which must lie in it
LENGTH = Size("T", 2, 4)
T = LENGTH.symbol
TOKENS = real("tokens", T, low=0, high=STATES - 1, integer=True)
FIRST, NEXT = simplex("initial", STATES, strict=True), simplex("transition", STATES, STATES, strict=True)
w, initial, P = symbols_of((TOKENS, FIRST, NEXT))
i, j, k, t, s, q = symbols("i j k t s q", integer=True, nonnegative=True)
EVERY = (0, STATES - 1)


def chosen(value: Any, token: Any, index: Any, otherwise: Any = 0) -> Any:
    """``value`` where the index is the token."""
    return Sum(Piecewise((value, Eq(token, index)), (otherwise, True)), (index, *EVERY))


# ---------------------------------------------------------------- the probability of a sequence

begins, total = symbols("begins log_prob", real=True)
row, moves = IndexedBase("row", real=True), IndexedBase("moves", real=True)


def scored(move: Any = None, before: Any = w[t - 1], after: Any = w[t]) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The entry of a matrix, such as log P, for the tokens before and after: first its row, then the entry."""
    move = log(P[i, j]) if move is None else move
    return (row[t, j], chosen(move, before, i)), (moves[t], chosen(row[t, j], after, j))


BEGINS = (begins, chosen(log(initial[i]), w[0], i))
ADDED = begins + Sum(moves[t], (t, 1, T - 1))


def markov_proof() -> Derivation:
    """Logarithms add; the probabilities of all sequences sum to 1; what a longer memory knows is lost."""
    size = Symbol("V", integer=True, positive=True)
    matrix, ell = IndexedBase("P", positive=True), IndexedBase("ell", real=True)
    mass, z = IndexedBase("m", real=True), Symbol("z", real=True)
    to = (j, 0, size - 1)
    return Derivation(
        (
            define(ell[t], log(P[i, j]), why="the logarithm of the transition at step t"),
            Step(
                "rewrite",
                Product(exp(ell[t]), (t, 1, T - 1)),
                exp(Sum(ell[t], (t, 1, T - 1))),
                why="the product of the transitions is the exponential of a sum",
            ),
            Step(
                "rewrite",
                Sum(matrix[i, j] * z, to),
                z,
                why="summed over the last token, a row of the matrix leaves what was before:",
                assume=(Eq(Sum(matrix[i, j], to), 1),),
            ),
            Step(
                "induction",
                Eq(mass[t], mass[t - 1]),
                Rational(1),
                why="so all sequences of a length have probability 1 together",
                by=(t, 0, Rational(1)),
            ),
            Step(
                "sum",
                Sum(size - 1, (i, 1, size)),
                size * (size - 1),
                why="free parameters: V - 1 for each of V rows, where a table for t tokens before has V^t (V - 1)",
            ),
            Step(
                "refute",
                Eq(z * log(1), z * log(Rational(1, 2))),
                Eq(z * log(1), 0),
                why="the sequences aab and baa, each half of the time: knowing two tokens the third is "
                "certain, knowing one it costs log 2. A Markov chain is a special language model",
                by=({z: 1},),
            ),
        )
    )


markov = Claim(
    id="seq.markov",
    section=SECTION,
    title="A Markov chain's log-probability: that of the first state and one transition for each further one",
    kind="equality",
    subject="sequence.markov_log_prob",
    driver="token_function",
    structure=(LENGTH,),
    inputs=(TOKENS, FIRST, NEXT),
    program=Program((BEGINS, *scored(), (total, ADDED)), (Output("log_prob", total),)),
    definition=Program(
        (
            (begins, chosen(initial[i], w[0], i)),
            *scored(P[i, j]),
            (total, log(begins * Product(moves[t], (t, 1, T - 1)))),
        ),
        (Output("log_prob", total),),
    ),
    statement=Eq(total, log(initial[w[0]]) + Sum(log(P[w[t - 1], w[t]]), (t, 1, T - 1))),
    conditions=("the same transitions at every step", "rows of the matrix sum to 1, and no entry is 0"),
    derivation=markov_proof,
    variants=(
        Variant(
            "columns for rows",
            "the other convention: columns sum to 1",
            scored(log(P[j, i])),
            why="P[i, j] is Pr(next = j | now = i); in the other convention it is Pr(next = i | now = j).",
        ),
        Variant("without the first state", "conditional on it", ((total, ADDED - begins),)),
        Variant("first state's distribution at every step", "independent tokens", scored(log(initial[j]))),
        Variant("transition to the token itself", "known bug: off by one", scored(after=w[t - 1])),
        Variant("mean over the tokens", "loss of a language model", ((total, ADDED / T),)),
    ),
    options={"tokens": ("tokens",)},
)

# ---------------------------------------------------------------- after some steps

VOCABULARY, TIME = Size("V", 2, 3), Size("t", 1, 4)
V, steps = VOCABULARY.symbol, TIME.symbol
START, MATRIX = simplex("initial", V), simplex("transition", V, V)
p, M = IndexedBase("p", real=True), IndexedBase("M", real=True)
begin, A = symbols_of((START, MATRIX))
n = Symbol("n", integer=True, nonnegative=True)


def onward(entry: Any = A[i, j]) -> tuple[Any, Any]:
    return p[n, j], Piecewise((begin[j], Eq(n, 0)), (Sum(entry * p[n - 1, i], (i, 0, V - 1)), True))


def power_proof() -> Derivation:
    """Chapman and Kolmogorov for any number of states; with two, the closed form."""
    a, b, x0 = symbols("a b x0", positive=True)
    size = Symbol("V", integer=True, positive=True)
    x, B, C = IndexedBase("x", real=True), IndexedBase("B", real=True), IndexedBase("C", real=True)
    over = (0, size - 1)
    rest = b / (a + b)
    return Derivation(
        (
            Step(
                "rewrite",
                Sum(Sum(p[0, i] * B[i, k], (i, *over)) * C[k, j], (k, *over)),
                Sum(p[0, i] * Sum(B[i, k] * C[k, j], (k, *over)), (i, *over)),
                why="Chapman and Kolmogorov: B steps and then C steps are the product of their matrices",
                wrong=(Sum(p[0, i] * Sum(C[i, k] * B[k, j], (k, *over)), (i, *over)),),
            ),
            Step(
                "induction",
                Eq(x[n], (1 - a) * x[n - 1] + b * (1 - x[n - 1])),
                rest + (x0 - rest) * (1 - a - b) ** n,
                why="two states, left with probability a and b: the distance from b / (a + b) is multiplied by "
                "1 - a - b at each step",
                by=(n, 0, x0),
            ),
            Step(
                "rewrite",
                (1 - a) * rest + b * (1 - rest),
                rest,
                why="which is where it stays",
                wrong=(a / (a + b),),
            ),
        ),
        "every size; the closed form for V = 2",
    )


marginal = Claim(
    id="seq.markov.power",
    section=SECTION,
    title="After t steps the distribution is the first one times the t-th power of the transition matrix",
    kind="equality",
    subject="sequence.markov_marginal",
    driver="function",
    structure=(VOCABULARY, TIME),
    inputs=(START, MATRIX),
    program=Program((onward(),), (Output("p", p[steps, j], (j, 0, V - 1)),)),
    definition=Program(
        ((M[n, i, j], Piecewise((A[i, j], Eq(n, 1)), (Sum(A[i, k] * M[n - 1, k, j], (k, 0, V - 1)), True))),),
        (Output("p", Sum(begin[i] * M[steps, i, j], (i, 0, V - 1)), (j, 0, V - 1)),),
    ),
    statement=Eq(p[n, j], Sum(p[n - 1, i] * A[i, j], (i, 0, V - 1))),
    conditions=("the same transitions at every step", "rows of the matrix sum to 1"),
    derivation=power_proof,
    variants=(
        Variant("columns for rows", "the other convention: columns sum to 1", (onward(A[j, i]),)),
        Variant(
            "one step more",
            "known bug: off by one",
            ((p[n, j], Piecewise((Sum(A[i, j] * begin[i], (i, 0, V - 1)), Eq(n, 0)), (onward()[1].args[1][0], True))),),
        ),
        Variant("two steps at once", "known bug: a power of two", (onward(Sum(A[i, k] * A[k, j], (k, 0, V - 1))),)),
        Variant("every entry to the power", "known bug: ** for matrix_power", (onward(A[i, j] ** n),)),
    ),
    options={"arguments": ("initial", "transition", "t")},
    remarks="The probabilities are inputs here; a gradient by them is as if their entries were free.",
)

# ---------------------------------------------------------------- the best fit

UNIFORM = Rational(1, STATES)
c, left, fitted = (IndexedBase(name, real=True) for name in ("c", "left", "fitted"))
there = IndexedBase("there", real=True)
AT = (there[t, i], Piecewise((1, Eq(w[t], i)), (0, True)))
COUNTED = (c[i, j], Sum(there[t, i] * there[t + 1, j], (t, 0, T - 2)))
LEFT = (left[i], Sum(c[i, j], (j, *EVERY)))


def ratio(share: Any, unseen: Any = UNIFORM) -> tuple[Any, Any]:
    """The row of a state that was left, and of one that was not."""
    return fitted[i, j], Piecewise((share, left[i] > Rational(1, 2)), (unseen, True))


def fit_proof() -> Derivation:
    """Stationary where p is the count over their sum; greatest there, since log u <= u - 1."""
    count, other = IndexedBase("c", positive=True), IndexedBase("p", positive=True)
    size, total_, u = Symbol("V", integer=True, positive=True), Symbol("C", positive=True), Symbol("u", positive=True)
    rate, over = Symbol("lamda", positive=True), (k, 0, size - 1)
    likelihood = Sum(count[k] * log(other[k]), over) - rate * (Sum(other[k], over) - 1)
    return Derivation(
        (
            Step(
                "differentiate",
                likelihood,
                count[q] / other[q] - rate,
                why="the log-likelihood of one row, with a multiplier for its sum",
                by=(other[q],),
            ),
            Step(
                "solve",
                Eq(count[q] / u - rate, 0),
                count[q] / rate,
                why="it is stationary at c / lamda,",
                by=(u,),
            ),
            Step(
                "rewrite",
                Sum(count[k] / total_, over),
                Rational(1),
                why="which sums to 1 if lamda is the sum of the counts",
                assume=(Eq(Sum(count[k], over), total_),),
            ),
            Step("differentiate", u - 1 - log(u), 1 - 1 / u, why="u - 1 - log u falls up to u = 1 and rises", by=(u,)),
            Step(
                "rewrite",
                Sum(count[k] * (other[k] * total_ / count[k] - 1), over) / total_,
                Sum(other[k], over) - Sum(count[k], over) / total_,
                why="so with u = p C / c, log p exceeds log(c / C) by u - 1 at most, and on average by 1 - 1 = 0",
            ),
        )
    )


fit = Claim(
    id="seq.markov.fit",
    section=SECTION,
    title="The most probable transition matrix counts what follows each state, and divides by how often it was left",
    kind="equality",
    subject="sequence.fit_markov",
    driver="token_function",
    structure=(Size("T", 2, 5),),
    inputs=(TOKENS,),
    program=Program(
        (AT, COUNTED, LEFT, ratio(c[i, j] / left[i])), (Output("fitted", fitted[i, j], (i, *EVERY), (j, *EVERY)),)
    ),
    statement=Eq(fitted[i, j], c[i, j] / Sum(c[i, k], (k, *EVERY))),
    conditions=("rows of states that are never left are uniform: the likelihood does not see them",),
    derivation=fit_proof,
    variants=(
        Variant("columns for rows", "the other convention: columns sum to 1", (ratio(c[j, i] / left[i]),)),
        Variant(
            "joint frequencies",
            "known bug: divided by the number of pairs",
            (ratio(c[i, j] / (T - 1)),),
        ),
        Variant(
            "divided by how often the state occurs",
            "known bug: the last token is never left",
            (ratio(c[i, j] / (left[i] + there[T - 1, i])),),
        ),
        Variant("one added to every count", "Laplace's rule", (ratio((c[i, j] + 1) / (left[i] + STATES)),)),
        Variant("unseen rows zero", "known bug: no distribution", (ratio(c[i, j] / left[i], 0),)),
    ),
    options={"tokens": ("tokens",), "dtype": True, "keywords": {"num_states": STATES}},
    remarks="Counted over given tokens: there is nothing to differentiate.",
)

# ---------------------------------------------------------------- drawing

CHANCES, UNIFORM_NUMBER = simplex("p", V), real("u", low=0, high=1, open_high=True)
chance, u = symbols_of((CHANCES, UNIFORM_NUMBER))
reached, passed, drawn = IndexedBase("reached", real=True), IndexedBase("passed", real=True), Symbol("drawn", real=True)


def counted(condition: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """How many tokens but the last are passed."""
    return (passed[k], Piecewise((1, condition), (0, True))), (drawn, Sum(passed[k], (k, 0, V - 2)))


CUMULATED = (reached[k], Sum(chance[j], (j, 0, k)))


def sampling_proof() -> Derivation:
    """The numbers at which token k is drawn are an interval as long as its probability."""
    size = Symbol("V", integer=True, positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                Sum(p[j], (j, 0, k)) - Sum(p[j], (j, 0, k - 1)),
                p[k],
                why="token k is drawn between the sum before it and the sum with it: a stretch of length p_k",
                wrong=(p[k - 1],),
            ),
            Step(
                "sum",
                Sum(reached[k] - reached[k - 1], (k, 0, size - 1)),
                reached[size - 1] - reached[-1],
                why="the stretches fill the interval from 0 to 1",
            ),
        )
    )


sampling = Claim(
    id="seq.markov.sampling",
    section=SECTION,
    title="A uniform number draws the token at which the cumulated probabilities pass it",
    kind="equality",
    subject="sequence.inverse_cdf",
    driver="token_function",
    structure=(Size("V", 2, 4),),
    inputs=(CHANCES, UNIFORM_NUMBER),
    program=Program((CUMULATED, *counted(reached[k] <= u)), (Output("drawn", drawn),)),
    statement=Eq(drawn, Sum(Piecewise((1, Sum(chance[j], (j, 0, k)) <= u), (0, True)), (k, 0, V - 2))),
    conditions=("0 <= u < 1",),
    derivation=sampling_proof,
    variants=(
        Variant("sum before the token", "known bug: the cumulated sum shifted", counted(reached[k] - chance[k] <= u)),
        Variant("from the last token", "1 - u for u: another draw, as good", counted(reached[k] <= 1 - u)),
        Variant("probabilities themselves", "known bug: not cumulated", counted(chance[k] <= u)),
    ),
    gradient=False,
    remarks="A draw is a whole number: it has no gradient.",
)

CLAIMS = (markov, marginal, fit, sampling)
