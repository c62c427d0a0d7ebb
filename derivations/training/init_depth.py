"""Random initial weights through depth, and the sample that is drawn: variances that multiply, and their estimates."""

from typing import Any

from sympy import (
    Abs,
    Eq,
    IndexedBase,
    Integral,
    Le,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    false,
    log,
    oo,
    pi,
    sqrt,
    symbols,
)

from gnomon.derivations.training.init import INDEPENDENT, SECTION, forward_step, uniform_step, var
from gnomon.derivations.training.init_he import INWARD, MODE, half_steps
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, Sizes, real, symbols_of

i, l, s = symbols("i l s", integer=True)

# ------------------------------------------------------------------ depth

DEPTH = Size("L", 1, 3)
(L,) = symbols_of((DEPTH,))
WIDTHS = Sizes("n", L + 1, 1, 2)
(n,) = symbols_of((WIDTHS,))
SIGNAL = real("x", n[0])
(x,) = symbols_of((SIGNAL,))
v, unit, total = (IndexedBase(name, real=True) for name in ("v", "unit", "total"))
HE = (v[l], 2 / (INWARD * n[l - 1] + (1 - INWARD) * n[l]))
UNIT = (unit[l], v[l] * total[l - 1] / 2)
TOTAL = (total[l], Piecewise((Sum(x[i] ** 2, (i, 0, n[0] - 1)), Eq(l, 0)), (n[l] * unit[l], True)))
POWER = (Output("power", unit[L]),)
MULTIPLIED = Sum(x[i] ** 2, (i, 0, n[0] - 1)) / n[0] * Product(n[l - 1] * v[l] / 2, (l, 1, L))


def layers(name: str, source: str, variance: Any, **more: Any) -> Variant:
    return Variant(name, source, ((v[l], variance),), **more)


def depth_proof() -> Derivation:
    power, gain = IndexedBase("power", real=True), IndexedBase("gain", real=True)
    start, width, c = Symbol("start", real=True), Symbol("n", integer=True, positive=True), Symbol("c", positive=True)
    return Derivation(
        (
            forward_step(),
            *half_steps(),
            Step(
                "induction",
                Eq(power[l], gain[l] * power[l - 1]),
                start * Product(gain[s], (s, 1, l)),
                why="the weights of a layer are independent of what comes in, so that the gains multiply",
                by=(l, 0, start),
            ),
            Step(
                "induction",
                Eq(power[l], c * power[l - 1]),
                start * c**l,
                why="for equal layers geometrically: a gain other than 1 vanishes or explodes with depth",
                by=(l, 0, start),
            ),
            Step(
                "refute",
                Eq((width * sqrt(2 / width) / 2) ** 10, 1),
                false,
                why="as printed, with widths of 8, ten layers multiply the mean square by 1024",
                by=({width: 8},),
            ),
        ),
        "every depth and all widths",
    )


depth = Claim(
    id="init.depth",
    section=SECTION,
    title="Through depth the gains of the layers multiply; He's are 1",
    kind="expectation",
    subject="initialization.kaiming_normal_",
    driver="initializer_depth",
    structure=(DEPTH, WIDTHS, MODE),
    inputs=(SIGNAL,),
    program=Program((HE, UNIT, TOTAL), POWER),
    definition=Program((HE,), (Output("power", MULTIPLIED),)),
    statement=Eq(unit[L], MULTIPLIED),
    conditions=(INDEPENDENT, "no biases", "ReLU after every layer"),
    derivation=depth_proof,
    variants=(
        layers(
            "standard deviation as the variance, and n_out",
            "the notes' formula for one layer",
            sqrt(2 / n[l]),
            why="every layer is off by the same factor, which depth raises to a power",
        ),
        layers(
            "LeCun's", "the factor 2 left out: halved by every layer", 1 / (INWARD * n[l - 1] + (1 - INWARD) * n[l])
        ),
        layers("Xavier's", "Glorot and Bengio", 2 / (n[l - 1] + n[l])),
        layers("the other fan", "known bug: transposed weight", 2 / (INWARD * n[l] + (1 - INWARD) * n[l - 1])),
        Variant(
            "first layer alone",
            "known bug: the others keep a default of variance 1",
            ((v[l], Piecewise((HE[1], Eq(l, 1)), (1, True))),),
        ),
    ),
    options={"widths": "n", "slope": 0.0, "keywords": {"mode": "mode", "nonlinearity": "relu"}},
    remarks="The mean is over all weights of the network, exactly: every choice of their signs. In fan_out mode the "
    "gain is n_in / n_out, so that the total, not the mean square, is kept from layer to layer.",
)

# ------------------------------------------------------------------ the sample

ROWS = (Size("n_out", 64, 96), Size("n_in", 64, 96))
n_out, n_in = symbols_of(ROWS)
SEED = real("seed", low=0.0, high=30000.0, integer=True)
moment, mean = symbols("moment mean", real=True)
SEEN = (Output("moment", moment), Output("mean", mean))
COUNT = n_out * n_in
ODDS = 10**13  # a false alarm happens once in so many draws
DOUBT = log(4 * ODDS)  # for each of two statistics, on either side
CHI_SQUARE = 2 * sqrt(DOUBT / COUNT) + 2 * DOUBT / COUNT
BOTH = ((s, 0, 1),)
XAVIER = 2 / (n_in + n_out)


def either(first: Any, second: Any) -> Any:
    return Piecewise((first, Eq(s, 0)), (second, True))


def sample(row: str, title: str, variance: Any, bands: tuple[Any, Any], **more: Any) -> Claim:
    """A claim on the mean square and the mean of a weight that was really drawn."""
    off, shift = bands
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "expectation",
        "driver": "initializer_sample",
        "structure": ROWS,
        "inputs": (SEED,),
        "program": Program(((var, variance), (moment, var), (mean, 0)), SEEN),
        "relation": Relation(
            either(Abs(Symbol("moment") - var), Abs(Symbol("mean"))), "<=", either(var * off, sqrt(var) * shift), BOTH
        ),
        "statement": (Le(Abs(moment - var), var * off), Le(Abs(mean), sqrt(var) * shift)),
        "variants": (
            Variant("variance passed as the standard deviation", "known bug", ((moment, var**2),)),
            Variant("standard deviation as the variance", "known bug", ((moment, sqrt(var)),)),
            Variant("positive weights", "known bug: mean not zero", ((mean, sqrt(2 * var / pi)),)),
            *more.pop("others"),
        ),
    }
    return Claim(id=row, title=title, **(fixed | more))


def moments_steps() -> tuple[Step, ...]:
    w, c = Symbol("w", real=True), Symbol("c", real=True)
    density = exp(-(w**2) / 2) / sqrt(2 * pi)
    return (
        Step(
            "integrate",
            Integral(exp(c * w) * density, (w, -oo, oo)),
            exp(c**2 / 2),
            why="the moments from which the tail of a mean is bounded",
        ),
        Step(
            "differentiate",
            exp(c**2 / 2),
            (1 + c**2) * exp(c**2 / 2),
            why="and, at c = 0, the mean square: 1 for a standard normal number",
            by=(c, c),
        ),
    )


def tail_steps() -> tuple[Step, ...]:
    c, t, size, doubt = symbols("c t N doubt", positive=True)
    return (
        Step(
            "solve",
            Eq((size * c**2 / 2 - size * c * t).diff(c), 0),
            t,
            why="Chernoff's bound exp(N (c**2 / 2 - c t)) on the mean being beyond t is least for c = t",
            by=(c,),
        ),
        Step(
            "substitute",
            size * c**2 / 2 - size * c * t,
            -doubt,
            why="so that a t of sqrt(2 doubt / N) leaves odds of exp(-doubt) on either side",
            by=((c, sqrt(2 * doubt / size)), (t, sqrt(2 * doubt / size))),
        ),
    )


sampling = sample(
    "init.sampling",
    "Weights drawn from N(0, Var(W)) have that variance: the second argument is not a deviation",
    XAVIER,
    (CHI_SQUARE, sqrt(2 * DOUBT / COUNT)),
    subject="initialization.xavier_normal_",
    conditions=("a false alarm happens at most once in 10**13 draws",),
    derivation=lambda: Derivation(
        (
            *moments_steps(),
            cite("Laurent and Massart (2000), lemma 1, on the tails of chi-squared"),
            *tail_steps(),
        ),
        "every n_in and n_out",
    ),
    others=(
        Variant(
            "truncated at two deviations",
            "Keras and JAX, without their correction",
            ((moment, Rational(7737, 10000) * var),),
            why="the variance of a normal number between -2 and 2 is 0.774",
        ),
    ),
    options={"shape": ("n_out", "n_in")},
    remarks="A statement on random numbers, tested on some hundred seeds for each dtype. torch's normal_ and numpy's "
    "normal take the standard deviation, where N(0, Var(W)) has the variance.",
)

UNIFORM_HE = 2 / n_in
sampling_uniform = sample(
    "init.sampling.uniform",
    "Weights drawn from a uniform law have the variance that they are to have, and mean zero",
    UNIFORM_HE,
    (3 * sqrt(DOUBT / (2 * COUNT)), sqrt(6 * DOUBT / COUNT)),
    subject="initialization.kaiming_uniform_",
    conditions=("a false alarm happens at most once in 10**13 draws",),
    derivation=lambda: Derivation(
        (
            uniform_step(),
            cite("Hoeffding (1963), for numbers in an interval: w**2 in (0, 3 v), and w within sqrt(3 v) of 0"),
        ),
        "every n_in and n_out",
    ),
    others=(
        Variant("the standard deviation as the bound", "known bug: factor sqrt(3) left out", ((moment, var / 3),)),
        Variant("between 0 and the bound", "known bug: torch.rand not centred", ((mean, sqrt(3 * var) / 2),)),
    ),
    options={"shape": ("n_out", "n_in"), "law": "uniform"},
    remarks="A statement on random numbers, tested on some hundred seeds for each dtype.",
)

CLAIMS = (depth, sampling, sampling_uniform)
