"""Random initial weights for linear layers, after LeCun and Xavier: the variance of a weight, and what it keeps."""

from collections.abc import Iterable
from typing import Any

from sympy import Eq, IndexedBase, Integral, KroneckerDelta, Sum, Symbol, false, floor, sqrt, symbols

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, positive, real, symbols_of

SECTION = "1.2.6"
INPUTS_OF = Size("n_in", 1, 4)
OUTPUTS_OF = Size("n_out", 1, 4)
SIZES = (OUTPUTS_OF, INPUTS_OF)
n_out, n_in = symbols_of(SIZES)
SIGNAL = real("x", INPUTS_OF)
ERRORS = real("delta", OUTPUTS_OF)
x, delta = symbols_of((SIGNAL, ERRORS))
i, j, k = symbols("i j k", integer=True)
var, std, half_width = symbols("var std half_width", positive=True)

STD = (std, sqrt(var))
FORWARD = Output("forward", Symbol("forward_mean"), (j, 0, n_out - 1))
BACKWARD = Output("backward", Symbol("backward_mean"), (i, 0, n_in - 1))
forward_mean, backward_mean = FORWARD.entry, BACKWARD.entry
ahead, back = IndexedBase("ahead"), IndexedBase("back")  # the terms of a sum, up to their signs
KEPT_AHEAD = (forward_mean, var * Sum(x[i] ** 2, (i, 0, n_in - 1)))
KEPT_BACK = (backward_mean, var * Sum(delta[j] ** 2, (j, 0, n_out - 1)))
MATRIX = {"shape": ("n_out", "n_in"), "variance": var}
LAYER = "the weight is (n_out, n_in), as in torch: for x @ W take the transpose"
INDEPENDENT = "weights are independent of each other, with mean 0"


def sign_of(number: Any, position: Any) -> Any:
    """The sign at a position of the pattern with this number."""
    return (-1) ** floor(number / 2**position)


def over_signs(terms: Any, index: Any, count: Any) -> Any:
    """The mean of the squared sum of the terms over all their signs."""
    return Sum(Sum(sign_of(k, index) * terms, (index, 0, count - 1)) ** 2, (k, 0, 2**count - 1)) / 2**count


AHEAD = ((ahead[i], std * x[i]), (forward_mean, over_signs(ahead[i], i, n_in)))
BACK = ((back[j], std * delta[j]), (backward_mean, over_signs(back[j], j, n_out)))

# ------------------------------------------------------------------ steps that many proofs share


def forward_step() -> Step:
    v, size = Symbol("v", positive=True), Symbol("n", integer=True, positive=True)
    signal = IndexedBase("x", real=True)
    return Step(
        "collapse",
        Sum(Sum(v * KroneckerDelta(i, j) * signal[i] * signal[j], (j, 1, size)), (i, 1, size)),
        v * Sum(signal[i] ** 2, (i, 1, size)),
        why="the mean of w_i w_j is the variance where i = j, and 0 elsewhere: of the squared sum the squares are left",
        wrong=(v**2 * Sum(signal[i] ** 2, (i, 1, size)),),
    )


def uniform_step() -> Step:
    a, w = Symbol("a", positive=True), Symbol("w", real=True)
    return Step(
        "integrate",
        Integral(w**2 / (2 * a), (w, -a, a)),
        a**2 / 3,
        why="the variance of a uniform law on (-a, a)",
        wrong=(a**2 / 12,),
    )


def kept_step(variance: Any, size: Any, power: Any, words: str) -> Step:
    """A variance that keeps a mean square."""
    v = Symbol("v", positive=True)
    return Step("solve", Eq(size * v * power, power), variance, why=words, by=(v,), wrong=(sqrt(variance),))


def printed_step(variance: Any, at: dict[Any, Any], words: str) -> Step:
    """The printed variance is the root of the right one, which is not the same."""
    return Step("refute", Eq(sqrt(variance), variance), false, why=words, by=(at,))


def lecun_steps() -> tuple[Step, ...]:
    size, power = Symbol("n_in", integer=True, positive=True), Symbol("power", positive=True)
    return (
        forward_step(),
        kept_step(1 / size, size, power, "the mean square of n_in inputs is kept by a variance of 1 / n_in"),
        printed_step(1 / size, {size: 2}, "as printed, the variance is 0.71 for two inputs, and the mean square grows"),
    )


# ------------------------------------------------------------------ LeCun


def another(name: str, source: str, variance: Any, **more: Any) -> Variant:
    return Variant(name, source, ((var, variance),), **more)


def of_weights(row: str, title: str, variance: Any, variants: Iterable[Variant], **more: Any) -> Claim:
    """A claim on what a layer with random weights does to mean squares."""
    fixed: dict[str, Any] = {
        "section": SECTION,
        "kind": "expectation",
        "driver": "initializer",
        "structure": SIZES,
        "inputs": (SIGNAL,),
        "program": Program(((var, variance), STD, *AHEAD), (FORWARD,)),
        "definition": Program(((var, variance), KEPT_AHEAD), (FORWARD,)),
        "options": MATRIX,
        "conditions": (INDEPENDENT, LAYER),
    }
    return Claim(id=row, title=title, variants=tuple(variants), **(fixed | more))


LECUN = 1 / n_in
PRINTED_LECUN = another(
    "standard deviation as the variance",
    "notes",
    sqrt(LECUN),
    printed=True,
    why="sqrt(1 / n_in) is the standard deviation; as the variance it makes the mean square grow sqrt(n_in) times a "
    "layer: 10 times for 100 inputs",
)
LECUN_VARIANTS = (
    PRINTED_LECUN,
    another("outputs in the place of inputs", "known bug: transposed weight", 1 / n_out),
    another("Xavier's", "Glorot and Bengio", 2 / (n_in + n_out)),
    another("He's", "He et al., for ReLU", 2 / n_in),
    another("variance passed as the standard deviation", "known bug", LECUN**2),
)
lecun = of_weights(
    "init.lecun",
    "With a variance of 1 / n_in a linear layer keeps the mean square of its input",
    LECUN,
    LECUN_VARIANTS,
    subject="initialization.lecun_normal_",
    statement=Eq(n_in * var * Symbol("E[x**2]"), Symbol("E[x**2]")),
    derivation=lambda: Derivation(lecun_steps(), "every n_in"),
    remarks="Expectations over the weights are exact: a law with mean 0 enters through its variance alone, so that all "
    "choices of signs do for it. The notes print the standard deviation in the place of the variance.",
)

UNIFORM = {**MATRIX, "law": "uniform"}
lecun_uniform = of_weights(
    "init.lecun.uniform",
    "A uniform law on plus and minus sqrt(3 / n_in) does the same",
    LECUN,
    (
        *LECUN_VARIANTS[1:],
        another("the standard deviation as the bound", "torch.nn.Linear's default", LECUN / 3),
        another("width as the bound", "known bug: variance of (0, a)", LECUN / 4),
    ),
    subject="initialization.lecun_uniform_",
    statement=Eq(half_width, sqrt(3 / n_in)),
    derivation=lambda: Derivation((*lecun_steps(), uniform_step()), "every n_in"),
    options=UNIFORM,
)

lecun_by_kaiming = of_weights(
    "init.lecun.kaiming",
    "He's initialization for a linear layer is LeCun's",
    LECUN,
    LECUN_VARIANTS,
    subject="initialization.kaiming_normal_",
    statement=Eq(var, LECUN),
    derivation=lambda: Derivation(lecun_steps(), "every n_in"),
    options={**MATRIX, "keywords": {"nonlinearity": "linear"}},
    remarks="torch has no LeCun initialization by name; this is how to ask for it.",
)

# ------------------------------------------------------------------ Xavier

GAIN = positive("gain", host=True, typical=(1.0, 1.6666666666666667))
(gain,) = symbols_of((GAIN,))
XAVIER = gain**2 * 2 / (n_in + n_out)
BOTH = (FORWARD, BACKWARD)


def xavier_steps() -> tuple[Step, ...]:
    a, b = (Symbol(name, integer=True, positive=True) for name in ("n_in", "n_out"))
    v = Symbol("v", positive=True)
    balanced = 2 / (a + b)
    off = (a * v - 1) ** 2 / a + (b * v - 1) ** 2 / b
    return (
        forward_step(),
        Step(
            "solve",
            Eq((a * v + b * v) / 2, 1),
            balanced,
            why="forward, the mean square is multiplied by n_in v; backward, by n_out v. Their mean is 1 for this v",
            by=(v,),
            wrong=(sqrt(balanced), 1 / (a + b)),
        ),
        Step(
            "differentiate",
            off,
            2 * (a + b) * (v - balanced),
            why="which also has the least squared deviations of both from 1, each divided by its size",
            by=(v,),
        ),
        printed_step(balanced, {a: 2, b: 2}, "as printed, the variance is 0.71 for two inputs and outputs, not 0.5"),
    )


XAVIER_VARIANTS = (
    another(
        "standard deviation as the variance",
        "notes",
        gain**2 * sqrt(2 / (n_in + n_out)),
        printed=True,
        why="sqrt(2 / (n_in + n_out)) is the standard deviation",
    ),
    another("LeCun's", "LeCun et al.", gain**2 / n_in),
    another("one over the sum", "known bug: factor 2 left out", gain**2 / (n_in + n_out)),
    another("geometric mean", "known bug", gain**2 / sqrt(n_in * n_out)),
    another("gain not squared", "known bug: the gain multiplies the variance", gain * 2 / (n_in + n_out)),
)


def of_xavier(row: str, title: str, subject: str, derivation: Any, variants: Any, **more: Any) -> Claim:
    return of_weights(
        row,
        title,
        XAVIER,
        variants,
        subject=subject,
        inputs=(SIGNAL, ERRORS, GAIN),
        program=Program(((var, XAVIER), STD, *AHEAD, *BACK), BOTH),
        definition=Program(((var, XAVIER), KEPT_AHEAD, KEPT_BACK), BOTH),
        derivation=derivation,
        **more,
    )


xavier = of_xavier(
    "init.xavier",
    "With a variance of 2 / (n_in + n_out), the gains forward and backward are 1 on average",
    "initialization.xavier_normal_",
    lambda: Derivation(xavier_steps(), "every n_in and n_out"),
    XAVIER_VARIANTS,
    statement=Eq((n_in * var + n_out * var) / 2, gain**2),
    options={**MATRIX, "keywords": {"gain": "gain"}},
    remarks="Forward the mean square is multiplied by 2 n_in / (n_in + n_out), somewhere between 0 and 2. The notes "
    "print the standard deviation in the place of the variance; the two agree for one input and one output.",
)

xavier_uniform = of_xavier(
    "init.xavier.uniform",
    "A uniform law on plus and minus sqrt(6 / (n_in + n_out)) does the same",
    "initialization.xavier_uniform_",
    lambda: Derivation((*xavier_steps(), uniform_step()), "every n_in and n_out"),
    (
        *XAVIER_VARIANTS[1:],
        another("the standard deviation as the bound", "known bug: factor sqrt(3) left out", XAVIER / 3),
    ),
    statement=Eq(half_width, gain * sqrt(6 / (n_in + n_out))),
    options={**UNIFORM, "keywords": {"gain": "gain"}},
)

CLAIMS = (lecun, lecun_uniform, lecun_by_kaiming, xavier, xavier_uniform)
