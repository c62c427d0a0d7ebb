"""Which connections count: the fans of a convolution, and what torch.nn.Linear starts with."""

from sympy import Eq, IndexedBase, Sum, Symbol, sqrt, symbols

from gnomon.derivations.training.init import (
    MATRIX,
    SECTION,
    SIZES,
    another,
    forward_step,
    of_weights,
    std,
    uniform_step,
)
from gnomon.derivations.training.init_he import INWARD, MODE, half_steps
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, symbols_of

i, j = symbols("i j", integer=True)
n_out, n_in = symbols_of(SIZES)

# ------------------------------------------------------------------ fans

CHANNELS = (Size("n_out", 1, 4), Size("n_in", 1, 4), Size("height", 2, 3), Size("width", 1, 3))
c_out, c_in, height, width = symbols_of(CHANNELS)
p, q = symbols("p q", integer=True)
gain, bound = symbols("gain bound", positive=True)
SCALE = Output("scale", bound, (j, 0, c_out - 1), (i, 0, c_in - 1), (p, 0, height - 1), (q, 0, width - 1))
channels = INWARD * c_in + (1 - INWARD) * c_out
COUNTED = Symbol("kernel", positive=True)


def fans_proof() -> Derivation:
    v, signal = Symbol("v", positive=True), IndexedBase("x", real=True)
    size, taps = (Symbol(name, integer=True, positive=True) for name in ("c", "h"))
    return Derivation(
        (
            Step(
                "sum",
                Sum(v, (p, 1, size * taps)),
                v * size * taps,
                why="an output of a convolution is a sum over channels and over the kernel: all of them count",
            ),
            Step(
                "substitute",
                v * Sum(signal[i] ** 2, (i, 1, size * taps)),
                2 / (size * taps) * Sum(signal[i] ** 2, (i, 1, size * taps)),
                why="so that n in the variance 2 / n is channels times the kernel's size",
                by=((v, 2 / (size * taps)),),
            ),
            *half_steps(),
            uniform_step(),
        ),
        "every number of channels and every kernel",
    )


fans = Claim(
    id="init.he.fans",
    section=SECTION,
    title="In a convolution the kernel's size multiplies both fans",
    kind="equality",
    subject="initialization.kaiming_uniform_",
    driver="initializer",
    structure=(*CHANNELS, MODE),
    inputs=(),
    program=Program(
        (
            (COUNTED, channels * height * width),
            (gain, sqrt(2)),
            (std, gain / sqrt(COUNTED)),
            (bound, sqrt(3) * std),
        ),
        (SCALE,),
    ),
    statement=Eq(Symbol("half_width"), sqrt(6 / (Symbol("channels") * height * width))),
    conditions=("the weight is (n_out, n_in, height, width)", "mode says which channels count"),
    derivation=fans_proof,
    variants=(
        Variant("kernel left out", "known bug", ((COUNTED, channels),)),
        Variant("the other fan", "known bug", ((COUNTED, (c_in + c_out - channels) * height * width),)),
        Variant("height alone", "known bug", ((COUNTED, channels * height),)),
        Variant("standard deviation as the bound", "known bug", ((bound, std),)),
    ),
    options={
        "shape": ("n_out", "n_in", "height", "width"),
        "law": "uniform",
        "variance": std**2,
        "keywords": {"mode": "mode", "nonlinearity": "relu"},
    },
    remarks="The scale observed is the bound: by what the uniform draws on (-1, 1) were multiplied. With groups, the "
    "weight's second extent is n_in / groups, and so is what is counted.",
)

default = of_weights(
    "init.he.torch_linear",
    "With a = sqrt(5), as torch.nn.Linear has it, the bound is 1 / sqrt(n_in), and a third of the mean square is kept",
    1 / (3 * n_in),
    (
        another("He's", "the name of the function", 2 / n_in),
        another("1 / sqrt(n_in) as the standard deviation", "LeCun's", 1 / n_in),
        another("outputs in the place of inputs", "known bug: transposed weight", 1 / (3 * n_out)),
    ),
    subject="initialization.kaiming_uniform_",
    statement=Eq(Symbol("half_width"), 1 / sqrt(n_in)),
    derivation=lambda: Derivation((forward_step(), *half_steps(), uniform_step()), "every n_in"),
    options={**MATRIX, "law": "uniform", "keywords": {"a": 5**0.5}},
    remarks="torch.nn.Linear and the convolutions call kaiming_uniform_ with a slope of sqrt(5), for reasons of "
    "history: the bound is the one of older versions.",
)

CLAIMS = (fans, default)
