"""The density of what a flow produces (notes, section 4.1.1)."""

import sympy as sp
from sympy import Abs, Eq, IndexedBase, Symbol, exp, log, pi, symbols

from gnomon.proof.derivation import Derivation, Step, opaque
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import real, symbols_of

SECTION = "4.1.1"
det = symbols("det", real=True)
J = IndexedBase("J", real=True)

DENSITY = (real("M", 2, 2), real("c", 2), real("u", 2))
M, c, at = symbols_of(DENSITY)
DETERMINANT = (det, M[0, 0] * M[1, 1] - M[0, 1] * M[1, 0])
FROM = (
    (J[0], (M[1, 1] * (at[0] - c[0]) - M[0, 1] * (at[1] - c[1])) / det),
    (J[1], (M[0, 0] * (at[1] - c[1]) - M[1, 0] * (at[0] - c[0])) / det),
)
x0, x1, base, density_ = symbols("x0 x1 base log_p", real=True)
PULLED = ((x0, FROM[0][1]), (x1, FROM[1][1]))
BASE = (base, (-(x0**2) / 2 - log(2 * pi) / 2) + (-(x1**2) / 2 - log(2 * pi) / 2))


def density_proof() -> Derivation:
    v, shift = symbols("u c", real=True)
    m_ = Symbol("m", positive=True)
    F, f, _ = opaque("F")
    z = Symbol("z", real=True)
    spread = exp(-(z**2) / 2 / m_**2) / sp.sqrt(2 * pi) / m_
    return Derivation(
        (
            Step(
                "differentiate",
                F((v - shift) / m_),
                f((v - shift) / m_) / m_,
                why="in one dimension the distribution function of T(X), for an increasing T(x) = m x + c, is F at "
                "the inverse; its derivative is the density, divided by m",
                by=(v,),
                wrong=(f((v - shift) / m_) * m_,),
            ),
            Step(
                "differentiate",
                1 - F((v + shift) / -m_),
                f((v + shift) / -m_) / m_,
                why="for a decreasing one, with slope -m, it is 1 - F, and the divisor is m again: the absolute value",
                by=(v,),
            ),
            Step(
                "integrate",
                sp.Integral(spread, (z, -sp.oo, sp.oo)),
                sp.Integer(1),
                why="so the density of a scaled normal integrates to 1; with the printed sign to m²",
            ),
            Step(
                "rewrite",
                -log(m_),
                log(1 / m_),
                why="the log-density loses log m, which is log |det T'|",
                wrong=(log(m_),),
            ),
            Step(
                "cite",
                None,
                None,
                why="the change of variables in d dimensions, on arbitrary sets (flow.cvt_integral)",
            ),
        ),
        "d = 1; d = 2 is tested",
    )


density = Claim(
    id="flow.cvt_density",
    section=SECTION,
    title="The log-density of T(X) is that of X minus the log-determinant of T",
    kind="equality",
    subject="flow.flow_log_prob",
    driver="density",
    inputs=DENSITY,
    program=Program((DETERMINANT, *PULLED, BASE, (density_, base - log(Abs(det)))), (Output("log_prob", density_),)),
    statement=Eq(Symbol("log_p_U"), Symbol("log_p_X") - log(Abs(Symbol("det_T")))),
    conditions=(
        "T is invertible and smooth; det_T is that of the forward map at x = T⁻¹(u)",
        "checked on linear maps of normals",
    ),
    derivation=density_proof,
    variants=(
        Variant(
            "plus the log-determinant",
            "notes",
            ((density_, base + log(Abs(det))),),
            printed=True,
            why="as printed the density of 2X would integrate to 16 in two dimensions",
        ),
        Variant("no absolute value", "known bug", ((density_, base - log(det)),)),
        Variant("no determinant", "known bug", ((density_, base),)),
        Variant("density at u", "known bug", ((x0, at[0] - c[0]), (x1, at[1] - c[1]))),
        Variant("half the constant", "known bug", ((base, -(x0**2) / 2 - x1**2 / 2 - log(2 * pi) / 2),)),
    ),
)

CLAIMS = (density,)
