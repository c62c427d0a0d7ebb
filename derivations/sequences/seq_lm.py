"""Language models: the chain rule, next-token scores, cross-entropy and perplexity (notes, section 1.4)."""

from typing import Any

from sympy import Eq, Ge, IndexedBase, Max, Piecewise, Product, Rational, Sum, Symbol, exp, log, symbols

from gnomon.derivations.sequences.seq import EVERY, LENGTH, STATES, TOKENS, T, chosen, i, j, k, q, t, w
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, positive, real, simplex, symbols_of

SECTION = "1.4"
VOCABULARY, TIMES = Size("V", 2, 4), Size("N", 1, 3)
V, N = symbols_of((VOCABULARY, TIMES))

# ---------------------------------------------------------------- the chain rule

SMALL = Size("V", 2, 3)
TABLE = positive("weights", SMALL, SMALL, SMALL, high=16)
weight = TABLE.symbol
one, two = IndexedBase("one", real=True), IndexedBase("two", real=True)
whole = Symbol("whole", real=True)
CODE = (0, V - 1)
PREFIXES = (
    (two[i, j], Sum(weight[i, j, k], (k, *CODE))),
    (one[i], Sum(two[i, j], (j, *CODE))),
    (whole, Sum(one[i], (i, *CODE))),
)
first, second, third = (IndexedBase(name, real=True) for name in ("first", "second", "third"))


def tables(last: Any = weight[i, j, k] / two[i, j], middle: Any = two[i, j] / one[i]) -> tuple[tuple[Any, Any], ...]:
    return (first[i], one[i] / whole), (second[i, j], middle), (third[i, j, k], last)


def everywhere(value: Any, *indices: Any) -> Any:
    return Sum(value, *((index, *CODE) for index in indices))


def chain_proof() -> Derivation:
    """Logarithms of quotients telescope; each table is a distribution; a Markov chain needs an assumption."""
    ell, prob = IndexedBase("ell", real=True), IndexedBase("P", positive=True)
    length, size = symbols("n V", integer=True, positive=True)
    part, (z, u) = IndexedBase("x", positive=True), symbols("z u", real=True)
    return Derivation(
        (
            define(ell[t], log(prob[t]), why="P[t] is the probability of the first t tokens, P[0] = 1"),
            Step(
                "sum",
                Sum(ell[t] - ell[t - 1], (t, 1, length)),
                ell[length] - ell[0],
                why="the logarithms of the conditionals P[t] / P[t-1] add up to that of the whole sequence",
                wrong=(ell[length - 1] - ell[0],),
            ),
            Step(
                "rewrite",
                Sum(part[k] / Sum(part[j], (j, 0, size - 1)), (k, 0, size - 1)),
                Rational(1),
                why="each conditional is a distribution: what extends a prefix sums to the prefix",
            ),
            Step(
                "rewrite",
                size**length * (size - 1) / (size * (size - 1)),
                size ** (length - 1),
                why="a table for n tokens before has V^n (V - 1) free parameters, a Markov chain V (V - 1)",
            ),
            Step(
                "refute",
                Eq(z / (z + u), 1),
                Eq(z / (z + u), Rational(1, 2)),
                why="aab and baa, equally often: b always follows aa, and half of the time what follows a",
                by=({z: 1, u: 1},),
            ),
        )
    )


chain = Claim(
    id="seq.lm",
    section=SECTION,
    title="Every distribution over sequences is a product of next-token distributions, given all tokens before",
    kind="equality",
    subject="sequence.conditionals",
    driver="function",
    structure=(SMALL,),
    inputs=(TABLE,),
    program=Program(
        (*PREFIXES, *tables()),
        (
            Output("first", first[i], (i, *CODE)),
            Output("second", second[i, j], (i, *CODE), (j, *CODE)),
            Output("third", third[i, j, k], (i, *CODE), (j, *CODE), (k, *CODE)),
        ),
    ),
    statement=Eq(first[i] * second[i, j] * third[i, j, k], weight[i, j, k] / whole),
    conditions=("three tokens, every sequence possible",),
    derivation=chain_proof,
    variants=(
        Variant(
            "given the token before alone",
            "Markov chain",
            tables(everywhere(weight[q, j, k], q) / everywhere(two[q, j], q)),
            why="The notes' Pr(w_{i+1} | w_i): an assumption, wrong for aab and baa by log 2.",
        ),
        Variant("independent of all before", "unigrams", tables(everywhere(weight[q, i, k], q, i) / whole)),
        Variant("probability of the whole sequence", "known bug: no prefix", tables(weight[i, j, k] / whole)),
        Variant(
            "divided by the token before alone",
            "known bug",
            tables(weight[i, j, k] / everywhere(two[q, j], q)),
        ),
        Variant(
            "summed over the first axis",
            "known bug: conditioned on what follows",
            tables(weight[i, j, k] / everywhere(weight[q, j, k], q)),
        ),
    ),
    remarks="The weights need not sum to 1. The table for T tokens has V^T entries: that is why a model computes it.",
)

# ---------------------------------------------------------------- next-token scores

z, top, total, score = (IndexedBase(name, real=True) for name in ("logits", "top", "total", "score"))
answer = Symbol("answer", real=True)
SCORES = real("logits", T, STATES)
NORMALISED = (
    (top[t], Max(*(z[t, index] for index in range(STATES)))),
    (total[t], Sum(exp(z[t, k] - top[t]), (k, *EVERY))),
)


def taken(token: Any = w[t + 1], value: Any = None) -> tuple[Any, Any]:
    value = (z[t, k] - top[t]) - log(total[t]) if value is None else value
    return score[t], chosen(value, token, k)


SUMMED = Sum(score[t], (t, 0, T - 2))


def score_proof() -> Derivation:
    """The maximum cancels, and the scores of the next tokens telescope to the sequence."""
    u, big = IndexedBase("z", real=True), Symbol("M", real=True)
    size = Symbol("V", integer=True, positive=True)
    over = (j, 0, size - 1)
    return Derivation(
        (
            *chain_proof().steps[:2],
            Step(
                "rewrite",
                exp(u[k] - big) / Sum(exp(u[j] - big), over),
                exp(u[k]) / Sum(exp(u[j]), over),
                why="softmax does not change if all logits move alike: so the greatest may be taken away first",
            ),
            Step(
                "rewrite",
                Sum(exp(u[k]) / Sum(exp(u[j]), over), (k, 0, size - 1)),
                Rational(1),
                why="and is a distribution",
            ),
        )
    )


log_prob = Claim(
    id="seq.lm.log_prob",
    section=SECTION,
    title="A sequence's log-probability adds up each next token's log-softmax under the logits before it",
    kind="equality",
    subject="sequence.sequence_log_prob",
    driver="token_function",
    structure=(LENGTH,),
    inputs=(SCORES, TOKENS),
    program=Program((*NORMALISED, taken(), (answer, SUMMED)), (Output("answer", answer),)),
    definition=Program(
        (
            (score[t], chosen(exp(z[t, k]) / Sum(exp(z[t, j]), (j, *EVERY)), w[t + 1], k)),
            (answer, log(Product(score[t], (t, 0, T - 2)))),
        ),
        (Output("answer", answer),),
    ),
    statement=Eq(answer, Sum(log(exp(z[t, w[t + 1]]) / Sum(exp(z[t, k]), (k, *EVERY))), (t, 0, T - 2))),
    conditions=("logits[t] have read the tokens 0 to t and score token t + 1",),
    derivation=score_proof,
    variants=(
        Variant(
            "targets not shifted",
            "known bug: off by one",
            (taken(w[t]),),
            why="The token that was just read is scored: a model that copies its input is perfect.",
        ),
        Variant("targets shifted the other way", "known bug: off by one", (taken(w[Max(t - 1, 0)]),)),
        Variant(
            "last logits, too",
            "known bug: the last target used twice",
            ((answer, SUMMED + chosen((z[T - 1, k] - top[T - 1]) - log(total[T - 1]), w[T - 1], k)),),
        ),
        Variant("logits, not normalised", "known bug", (taken(value=z[t, k]),)),
        Variant("mean over the tokens", "loss of a language model", ((answer, SUMMED / T),)),
    ),
    options={"tokens": ("tokens",)},
)

# ---------------------------------------------------------------- classification

LOGITS, TARGET = real("logits", N, V), simplex("target", N, V)
y, p, loss = TARGET.symbol, IndexedBase("p", real=True), Symbol("loss", real=True)
greatest, mass = IndexedBase("greatest", real=True), IndexedBase("mass", real=True)
WORDS, AT = (k, 0, V - 1), (t, 0, N - 1)
STABLE = (
    (greatest[t, k], Piecewise((z[t, 0], Eq(k, 0)), (Max(greatest[t, k - 1], z[t, k]), True))),
    (mass[t], Sum(exp(z[t, k] - greatest[t, V - 1]), WORDS)),
    (p[t, k], (z[t, k] - greatest[t, V - 1]) - log(mass[t])),
)
MEAN = -Sum(Sum(y[t, k] * p[t, k], WORDS), AT) / N


def classification_proof() -> Derivation:
    """The gradient is p - y, for every vocabulary; equal logits lose log V."""
    u, label = IndexedBase("z", real=True), IndexedBase("y", real=True)
    size, mass_ = Symbol("V", integer=True, positive=True), Symbol("S", real=True)
    over, inner = (k, 0, size - 1), (j, 0, size - 1)
    partition = Sum(exp(u[j]), inner)
    share = exp(u[q]) / partition
    entropy = -Sum(label[k] * (u[k] - log(partition)), over)
    return Derivation(
        (
            Step(
                "differentiate",
                entropy,
                Sum(label[k], over) * share - label[q],
                why="the gradient by a logit is p_q times the sum of the targets, less y_q",
                by=(u[q],),
                wrong=(label[q] - Sum(label[k], over) * share, share),
            ),
            Step(
                "rewrite",
                mass_ * share - label[q] + (1 - mass_) * share,
                share - label[q],
                why="p - y, where the targets sum to 1: one-hot or smoothed",
            ),
            Step(
                "rewrite",
                -Sum(log(1 / size) / size, over),
                log(size),
                why="equal logits lose log V, whatever the target: a check of a fresh model",
            ),
        )
    )


classification = Claim(
    id="seq.lm.classification",
    section=SECTION,
    title="Predicting the next token is classification at every time, with the gradient p - y by the logits",
    kind="equality",
    subject="sequence.cross_entropy",
    driver="function",
    structure=(TIMES, VOCABULARY),
    inputs=(LOGITS, TARGET),
    program=Program((*STABLE, (loss, MEAN)), (Output("loss", loss),)),
    definition=Program(
        ((p[t, k], log(exp(z[t, k]) / Sum(exp(z[t, j]), (j, 0, V - 1)))), (loss, MEAN)), (Output("loss", loss),)
    ),
    statement=Eq(loss, -Sum(Sum(y[t, k] * log(p[t, k]), WORDS), AT) / N),
    conditions=("targets sum to 1 at every time: one-hot or smoothed",),
    derivation=classification_proof,
    variants=(
        Variant("sum over the times", "torch, reduction sum", ((loss, MEAN * N),)),
        Variant("mean over times and words", "known bug: .mean() of the whole table", ((loss, MEAN / V),)),
        Variant(
            "one question for each word",
            "binary cross-entropy",
            ((p[t, k], -(Max(-z[t, k], 0) + log(1 + exp(-((z[t, k] ** 2) ** Rational(1, 2)))))),),
            why="sigmoid for softmax: the words' probabilities do not sum to 1",
        ),
        Variant("logits, not normalised", "known bug", ((p[t, k], z[t, k]),)),
        Variant(
            "normalised over the times",
            "known bug: softmax over the wrong axis",
            (
                (mass[t], Sum(exp(z[q, k] - greatest[q, V - 1]), (q, 0, N - 1))),
                (p[t, k], (z[t, k] - greatest[t, V - 1]) - log(Sum(exp(z[q, k] - greatest[t, V - 1]), (q, 0, N - 1)))),
            ),
        ),
        Variant("bits", "base 2", ((loss, MEAN / log(2)),)),
    ),
    remarks="The notes' “becomes a large-scale classification task since its vocabulary size is large”: it is one for "
    "any vocabulary, and large in scale because that is large. The gradient p - y is compared through autograd.",
)

# ---------------------------------------------------------------- perplexity

BOUNDED = real("logits", T, STATES, low=-4, high=4)
surprise, ppl = Symbol("surprise", real=True), Symbol("perplexity", real=True)
AVERAGE = (surprise, -Sum(score[t], (t, 0, T - 1)) / T)


def perplexity_proof() -> Derivation:
    """Equal logits have the perplexity V; the mean of the logarithms is the logarithm of the geometric mean."""
    size, length = symbols("V T", integer=True, positive=True)
    ell, a, b = IndexedBase("ell", real=True), Symbol("a", positive=True), Symbol("b", positive=True)
    return Derivation(
        (
            Step(
                "rewrite",
                -Sum(log(1 / size), (t, 1, length)) / length,
                log(size),
                why="equal logits: log V at every time, so the perplexity is V",
            ),
            Step(
                "rewrite",
                exp(-Sum(ell[t], (t, 1, length)) / length) ** length,
                Product(exp(-ell[t]), (t, 1, length)),
                why="the geometric mean of 1 / p: as surprising as that many equally likely tokens",
            ),
            Step(
                "inequality",
                Ge((a**2 + b**2) / 2, a * b),
                (a - b) ** 2 / 2,
                why="below the arithmetic mean of 1 / p, unless all are equal (two tokens, with 1 / p = a^2 and b^2)",
            ),
        )
    )


perplexity = Claim(
    id="seq.lm.classification.perplexity",
    section=SECTION,
    title="Perplexity is the exponential of the mean loss: V for a model that knows nothing",
    kind="equality",
    subject="sequence.perplexity",
    driver="token_function",
    structure=(LENGTH,),
    inputs=(BOUNDED, TOKENS),
    program=Program((*NORMALISED, taken(w[t]), AVERAGE, (ppl, exp(surprise))), (Output("perplexity", ppl),)),
    definition=Program(
        (
            (score[t], chosen(exp(z[t, k]) / Sum(exp(z[t, j]), (j, *EVERY)), w[t], k)),
            (ppl, Product(score[t], (t, 0, T - 1)) ** (-1 / T)),
        ),
        (Output("perplexity", ppl),),
    ),
    statement=Eq(ppl, exp(-Sum(score[t], (t, 0, T - 1)) / T)),
    conditions=("natural logarithms in the loss",),
    derivation=perplexity_proof,
    variants=(
        Variant(
            "mean of the exponentials",
            "known bug: exponential before the mean",
            ((ppl, Sum(exp(-score[t]), (t, 0, T - 1)) / T),),
        ),
        Variant("exponential of the sum", "known bug", ((surprise, AVERAGE[1] * T),)),
        Variant("a power of two", "bits and nats mixed", ((ppl, 2**surprise),)),
        Variant("its logarithm", "the loss itself", ((ppl, surprise),)),
    ),
    options={"tokens": ("tokens",)},
)

CLAIMS = (chain, log_prob, classification, perplexity)
