"""The exact solution of the heat equation on graphs, and where it tends (4.6.2)."""

from typing import Any

from sympy import (
    Eq,
    IndexedBase,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    cos,
    exp,
    pi,
    symbols,
)

from gnomon.derivations.graphs.graph_spectra import (
    APPLIED,
    EVERY,
    WEIGHT,
    A,
    by_modes,
    decay_steps,
    exponents,
    flow_steps,
    i,
    j,
    k,
    kernel,
    n,
    time,
    w,
    z,
)
from gnomon.derivations.graphs.graph_spectra import (
    mode as c,
)
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, nonnegative, real

SECTION = "4.6.2"
SIGNAL, TIME = real("x", n), nonnegative("t", host=True, high=16.0, typical=(0.5, 1.0, 8.0))
INPUTS = (SIGNAL, TIME, WEIGHT)
FLOW = ("x", "edge_index", "t")
EVEN = {"arguments": (*FLOW, "edge_weight")}
SAME = "every edge has the weight w"
y = IndexedBase("y", real=True)
TEMPERATURES = Output("y", y[i], (i, 0, n - 1))


GRADIENTS = (
    "The solution is linear in x, so that its values show its gradient, too, which is not compared: symmetries make "
    "terms of the formula's gradient cancel exactly, and those of a matrix that has been computed and rounded do not."
)
EXACT = by_modes(exp(-z[k]))
SOLUTION = (exponents(time * w), EXACT, (y[i], APPLIED))

# ------------------------------------------------------------------ the solution


def symmetric_step() -> Step:
    """With a symmetric A, the coefficients of a solution obey equations of their own."""
    W, e, s = IndexedBase("W", nonnegative=True), IndexedBase("e", real=True), IndexedBase("s", real=True)
    a, b, size = symbols("a b N", integer=True, nonnegative=True)
    ends = (a, 0, size - 1), (b, 0, size - 1)
    return Step(
        "reindex",
        Sum(e[a] * W[a, b] * (s[a] - s[b]), *ends),
        Sum(s[a] * W[a, b] * (e[a] - e[b]), *ends),
        why="A is symmetric: the part of L s along an eigenvector e is its eigenvalue times the part of s",
        by=(W,),
    )


def solution_proof() -> Derivation:
    return Derivation(
        (symmetric_step(), *decay_steps(), *flow_steps(EVERY)),
        "every eigenvalue; the modes on the graphs named",
        lift="mode",
    )


PATHS = Choice(
    "graph",
    {
        f"path of {size}": {
            A: tuple(tuple(int(abs(a - b) == 1) for b in range(size)) for a in range(size)),
            n: size,
        }
        for size in (1, 2, 3, 4, 5)
    },
)
angle = pi * k / n
wave = IndexedBase("wave", real=True)
WAVES = (wave[k, j], cos(angle * (2 * j + 1) / 2))


def rippled(rate: Any) -> tuple[Any, Any]:
    once = Piecewise((1, Eq(k, 0)), (2, True))
    return kernel[i, j], Sum(wave[k, i] * wave[k, j] * exp(-rate) * once / n, (k, 0, n - 1))


def path_proof() -> Derivation:
    theta, at = symbols("theta j", real=True)
    here = cos(theta * (at + Rational(1, 2)))
    left, right = here.subs(at, at - 1), here.subs(at, at + 1)
    whole = Symbol("k", integer=True)
    size = Symbol("n", integer=True, positive=True)
    last = cos(pi * whole / size * (size - Rational(1, 2)))
    return Derivation(
        (
            *decay_steps(),
            Step(
                "rewrite",
                2 * here - left - right,
                (2 - 2 * cos(theta)) * here,
                why="a node within the path: the wave is an eigenvector",
                wrong=((2 + 2 * cos(theta)) * here,),
            ),
            Step(
                "rewrite",
                cos(theta / 2) - cos(3 * theta / 2),
                (2 - 2 * cos(theta)) * cos(theta / 2),
                why="the first node, which has a neighbour on one side only",
            ),
            Step(
                "rewrite",
                last - cos(pi * whole / size * (size - Rational(3, 2))),
                (2 - 2 * cos(pi * whole / size)) * last,
                why="and the last one, for the angles pi k / n",
                wrong=((2 + 2 * cos(pi * whole / size)) * last,),
            ),
            cite("the vectors cos(pi k (j + 1/2) / n), k = 0, ..., n - 1, are orthogonal: DCT-II"),
        ),
        lift="mode",
    )


on_a_path = Claim(
    id="heat.equation.path",
    section=SECTION,
    title="On a path the eigenvectors are cosines, those of the discrete cosine transform",
    kind="equality",
    subject="graph.heat_flow",
    driver="graph",
    structure=(PATHS,),
    inputs=(SIGNAL, nonnegative("t", high=16.0)),
    program=Program((WAVES, exponents(time, wave, wave), rippled(z[k]), (y[i], APPLIED)), (TEMPERATURES,)),
    statement=Eq(y[i], Sum(cos(angle * (2 * i + 1) / 2) * exp(-(2 - 2 * cos(angle)) * time) * c[k], (k, 0, n - 1))),
    conditions=("c[k] are the coefficients of x in the cosines", "no weights"),
    derivation=path_proof,
    variants=(
        Variant("the eigenvalues of a cycle", "periodic ends", (rippled((2 - 2 * cos(2 * angle)) * time),)),
        Variant("the eigenvalues of the continuous line", "angle squared", (rippled(angle**2 * time),)),
        Variant(
            "ends kept at zero",
            "Dirichlet's boundary condition",
            (rippled((2 - 2 * cos(pi * (k + 1) / (n + 1))) * time),),
        ),
    ),
    options={"arguments": FLOW},
    gradient=False,
    remarks=GRADIENTS,
)

CLAIMS = (on_a_path,)
