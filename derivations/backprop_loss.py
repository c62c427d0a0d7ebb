"""The error that backpropagation starts from: half the squared error, and its gradient (notes, section 1.2.1)."""

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Rational, Sum, Symbol, symbols

from gnomon.claim import Claim, Output, Program, Variant
from gnomon.derivation import Derivation, Step
from gnomon.domain import Choice, Size, real, symbols_of

UNITS, SAMPLES = Size("K", 1, 4), Size("N", 1, 3)
K, N = symbols_of((UNITS, SAMPLES))
ONE = (real("yhat", UNITS), real("y", UNITS))
MANY = (real("yhat", SAMPLES, UNITS), real("y", SAMPLES, UNITS))
yhat, y = symbols_of(ONE)
E, total, grad = Symbol("E", real=True), Symbol("L", real=True), IndexedBase("g", real=True)
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
            Step("differentiate", summed, -gap, "The sum over the samples: each keeps its own.", by=(yhat[r, j],)),
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
        Variant("sum of the squares", "torch, reduction sum", ((E, squares()),), why="twice the gradient"),
        Variant("half the mean", "known convention", ((E, HALF * squares() / K),), why="1/K times the gradient"),
    ),
    remarks="The notes call this “MSE”, but nothing is averaged. The three conventions of a mean, a sum and a half "
    "agree in no number of outputs, and each pair of them in one at most. " + TORCH,
)

batch = Claim(
    id="backprop.mse.batch",
    section="1.2.1",
    title="The error of a batch is the sum or the mean over its samples, and only over these",
    kind="equality",
    subject="backprop.half_squared_error",
    driver="function",
    structure=(
        UNITS,
        SAMPLES,
        Choice("reduction", {"sum": {Symbol("averaged", integer=True): 0}, "mean": {Symbol("averaged", integer=True): 1}}),
    ),
    inputs=MANY,
    program=Program(
        (
            (grad[a], HALF * squares(a)),
            (total, Sum(grad[a], (a, 0, N - 1)) / N ** Symbol("averaged", integer=True)),
        ),
        (Output("L", total),),
    ),
    statement=Eq(total, Sum(HALF * squares(a), (a, 0, N - 1)) / N),
    derivation=batch_proof,
    variants=(Variant("none","x",((total, Sum(grad[a], (a, 0, N - 1))),)),),
    options={"arguments": ("yhat", "y", "reduction")},
)

dE_dyhat = Claim(
    id="backprop.dE_dyhat",
    section="1.2.1",
    title="The derivative of the error by an output is minus the error of that output",
    kind="equality",
    subject="backprop.half_squared_error",
    driver="function_gradient",
    structure=(UNITS,),
    inputs=ONE,
    program=Program(((grad[j], -(y[j] - yhat[j])),), (Output("g", grad[j], (j, 0, K - 1)),)),
    statement=Eq(Symbol("dE/dyhat[j]"), -(y[j] - yhat[j])),
    derivation=gradient_proof,
    variants=(
        Variant("the sign dropped", "known bug", ((grad[j], y[j] - yhat[j]),)),
        Variant("of the mean of the squares", "torch, F.mse_loss", ((grad[j], -2 * (y[j] - yhat[j]) / K),), why=TORCH),
        Variant("of the sum of the squares", "torch, reduction sum", ((grad[j], -2 * (y[j] - yhat[j])),)),
    ),
    options={"by": ("yhat",)},
    remarks="Seen is autograd's derivative, and its derivative in turn is compared too.",
)

CLAIMS = (mse, batch, dE_dyhat)
