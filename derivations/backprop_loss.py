"""The error that backpropagation starts from, and its gradient (notes, section 1.2.1)."""

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Rational, Sum, Symbol, sqrt, symbols

from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Size, real, symbols_of

UNITS, SAMPLES = Size("K", 1, 4), Size("N", 1, 3)
K, N = symbols_of((UNITS, SAMPLES))
ONE = (real("yhat", UNITS), real("y", UNITS))
MANY = (real("yhat", SAMPLES, UNITS), real("y", SAMPLES, UNITS))
yhat, y = symbols_of(ONE)
E, total, share = symbols("E L share", real=True)
e, g, part = (IndexedBase(name, real=True) for name in ("e", "g", "part"))
averaged = Symbol("averaged", integer=True)
a, q, j, r = symbols("a q j r", integer=True, nonnegative=True)
HALF = Rational(1, 2)
TORCH = "F.mse_loss divides by the number of outputs and has no half: 2/K times the gradient."


def squares(*sample: Any) -> Any:
    """The sum of the squared errors of a sample."""
    return Sum((y[(*sample, q)] - yhat[(*sample, q)]) ** 2, (q, 0, K - 1))


def error_proof() -> Derivation:
    """The gradients of the two conventions, and their ratio."""
    gap = y[j] - yhat[j]
    return Derivation(
        (
            Step(
                "differentiate",
                HALF * squares(),
                -gap,
                "The half cancels the 2; the inner derivative of y - yhat is -1.",
                by=(yhat[j],),
                wrong=(gap, -2 * gap),
            ),
            Step(
                "differentiate",
                squares() / K,
                -2 * gap / K,
                "The mean of the squares over the K outputs, as torch defines it.",
                by=(yhat[j],),
                wrong=(-gap,),
            ),
            Step(
                "rewrite",
                (-2 * gap / K) / (-gap),
                2 / K,
                "Torch's gradient is 2/K times the notes': the same for two outputs, twice as large for one.",
            ),
        )
    )


def batch_proof() -> Derivation:
    """The gradients of the sum and of the mean over the samples."""
    gap = y[r, j] - yhat[r, j]
    summed = Sum(HALF * squares(a), (a, 0, N - 1))
    return Derivation(
        (
            Step(
                "differentiate",
                summed,
                -gap,
                "The sum over the samples: each keeps its own.",
                by=(yhat[r, j],),
            ),
            Step(
                "differentiate",
                summed / N,
                -gap / N,
                "The mean over the samples, not over the N K numbers.",
                by=(yhat[r, j],),
                wrong=(-gap / (N * K), -2 * gap / (N * K)),
            ),
        )
    )


def gradient_proof() -> Derivation:
    """For one output, as printed, and for K."""
    t, out = symbols("y_1 yhat_1", real=True)
    return Derivation(
        (
            Step("differentiate", HALF * (t - out) ** 2, -(t - out), "One output, as printed.", by=(out,)),
            Step(
                "differentiate",
                HALF * squares(),
                -(y[j] - yhat[j]),
                "K outputs: only the term of output j depends on yhat[j].",
                by=(yhat[j],),
                wrong=(y[j] - yhat[j], -2 * (y[j] - yhat[j])),
            ),
        )
    )


mse = Claim(
    id="backprop.mse",
    section="1.2.1",
    title="The error of a sample is half the sum of the squared errors of its outputs",
    kind="equality",
    subject="backprop.half_squared_error",
    driver="function",
    structure=(UNITS,),
    inputs=ONE,
    program=Program(((E, HALF * squares()),), (Output("E", E),)),
    statement=Eq(E, HALF * squares()),
    derivation=error_proof,
    variants=(
        Variant("mean of the squares", "torch, F.mse_loss", ((E, squares() / K),), why=TORCH),
        Variant("sum of the squares", "torch, reduction sum", ((E, squares()),), why="Twice the gradient."),
        Variant("half the mean", "known convention", ((E, HALF * squares() / K),), why="1/K times the gradient."),
    ),
    remarks="The notes call this “MSE”, but nothing is averaged. The mean happens to agree with the half for "
    "two outputs and with the sum for one, so a test of one size can miss the difference. " + TORCH,
)

batch = Claim(
    id="backprop.mse.batch",
    section="1.2.1",
    title="The error of a batch is the sum or the mean over its samples, not over their outputs",
    kind="equality",
    subject="backprop.half_squared_error",
    driver="function",
    structure=(UNITS, SAMPLES, Choice("reduction", {"mean": {averaged: 1}, "sum": {averaged: 0}})),
    inputs=MANY,
    program=Program(
        (
            (e[a], HALF * squares(a)),
            (share, Piecewise((N, Eq(averaged, 1)), (1, True))),
            (total, Sum(e[a], (a, 0, N - 1)) / share),
        ),
        (Output("L", total),),
    ),
    statement=Eq(total, Sum(HALF * squares(a), (a, 0, N - 1)) / N),
    conditions=("the mean as shown; for the reduction sum without the factor 1/N",),
    derivation=batch_proof,
    variants=(
        Variant(
            "mean over all numbers",
            "torch, F.mse_loss",
            ((share, Piecewise((N * K, Eq(averaged, 1)), (1, True))),),
            why="F.mse_loss averages over samples and outputs alike.",
        ),
        Variant("always the sum", "known bug", ((share, 1),)),
        Variant("without the half", "known convention", ((e[a], squares(a)),)),
        Variant(
            "root of the error",
            "RMSE",
            ((total, sqrt(Sum(e[a], (a, 0, N - 1)) / share)),),
            why="not a sum of losses",
        ),
    ),
    options={"arguments": ("yhat", "y", "reduction")},
    remarks="Gradients add up over samples, so dividing by N belongs to the loss and not to backpropagation.",
)

# Each of the two factors of e * e / 2 hands back half of e, and the half of a subnormal number is rounded.
dE_dyhat = Claim(
    id="backprop.dE_dyhat",
    section="1.2.1",
    title="The derivative of the error by an output is minus the error of that output",
    kind="equality",
    subject="backprop.half_squared_error",
    driver="function_gradient",
    structure=(UNITS,),
    inputs=ONE,
    program=Program(
        ((part[j], HALF * (y[j] - yhat[j])), (g[j], -2 * part[j])),
        (Output("g", g[j], (j, 0, K - 1)),),
    ),
    statement=Eq(g[j], -(y[j] - yhat[j])),
    conditions=("g is the gradient of E by the outputs, as autograd computes it",),
    derivation=gradient_proof,
    variants=(
        Variant("the sign dropped", "known bug", ((g[j], 2 * part[j]),)),
        Variant("of the mean of the squares", "torch, F.mse_loss", ((g[j], -4 * part[j] / K),), why=TORCH),
        Variant("of the sum of the squares", "torch, reduction sum", ((g[j], -4 * part[j]),), why="twice as large"),
        Variant("without the inner derivative", "known bug", ((g[j], -2 * part[j] * yhat[j]),)),
    ),
    options={"by": ("yhat",)},
    remarks="The derivative of this derivative, which is 1, is compared with autograd's too.",
)

CLAIMS = (mse, batch, dE_dyhat)
