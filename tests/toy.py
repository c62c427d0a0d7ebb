"""A claim of its own for the engine's tests: the variance of n numbers, and a bound on it."""

import sympy as sp

from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Size, real, symbols_of

n = Size("n", 2, 4)
INPUTS = (real("x", n),)
(N,), (x,) = symbols_of((n,)), symbols_of(INPUTS)
i, j = sp.symbols("i j", integer=True, nonnegative=True)
mean, var = sp.Symbol("mean", real=True), sp.Symbol("var", real=True)


def total(term):
    return sp.Sum(term, (j, 0, N - 1))


def derivation():
    from gnomon.proof.derivation import Derivation, Step

    a = sp.Symbol("a", real=True)
    return Derivation((Step("rewrite", (a + 1) ** 2, a**2 + 2 * a + 1, why="Expand."),), scope="every size")


VARIANCE = Claim(
    id="toy.variance",
    section="0.1",
    title="The variance of n numbers",
    kind="equality",
    subject="toy.variance",
    driver="function",
    structure=(n,),
    inputs=INPUTS,
    program=Program(
        ((mean, total(x[j]) / N), (var, total((x[j] - mean) ** 2) / (N - 1))),
        (Output("out", var),),
    ),
    statement=sp.Eq(var, total((x[j] - mean) ** 2) / (N - 1)),
    derivation=derivation,
    variants=(
        Variant("biased", "numpy", replace=((var, total((x[j] - mean) ** 2) / N),)),
        Variant("uncentred", "known bug", replace=((mean, sp.Integer(0)),), printed=True),
    ),
)

BOUND = Claim(
    id="toy.bound",
    section="0.1",
    title="The variance is at most the sum of squares over n - 1",
    kind="inequality",
    subject="toy.variance",
    driver="function",
    structure=(n,),
    inputs=INPUTS,
    program=VARIANCE.program,
    relation=Relation(sp.Symbol("out"), "<=", total(x[j] ** 2) / (N - 1)),
    statement=sp.Le(var, total(x[j] ** 2) / (N - 1)),
    derivation=derivation,
    variants=(
        Variant("over n", "too tight", relation=Relation(sp.Symbol("out"), "<=", total(x[j] ** 2) / N)),
        Variant("half", "too tight", relation=Relation(sp.Symbol("out"), "<=", total(x[j] ** 2) / (2 * N))),
    ),
)
