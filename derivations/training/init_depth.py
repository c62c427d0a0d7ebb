"""Random initial weights through depth: variances that multiply."""

from typing import Any

from sympy import (
    Eq,
    IndexedBase,
    Piecewise,
    Product,
    Sum,
    Symbol,
    false,
    sqrt,
    symbols,
)

from gnomon.derivations.training.init import INDEPENDENT, SECTION, forward_step
from gnomon.derivations.training.init_he import INWARD, MODE, half_steps
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
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
    options={"widths": "n", "slope": 0.0, "variance": v[l], "keywords": {"mode": "mode", "nonlinearity": "relu"}},
    remarks="The mean is over all weights of the network, exactly: every choice of their signs. In fan_out mode the "
    "gain is n_in / n_out, so that the total, not the mean square, is kept from layer to layer.",
)

CLAIMS = (depth,)
