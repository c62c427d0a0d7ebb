"""A curve and its slopes belong together, and where a curve has no value nothing is asked."""

import random

import pytest
import sympy as sp
from flint import fmpq

from gnomon.proof.indexed import opaque, opaque_of
from gnomon.proof.sample_points import polynomials
from gnomon.say.curves import foreign

u, v = sp.symbols("u v", real=True)
f, df, ddf = opaque("f")
g, (g_u, g_v) = opaque_of("g", *"uv")


def of(*bodies):
    return {name: sp.Lambda(u, body) for name, body in zip((f, df, ddf), bodies, strict=False)}


@pytest.mark.parametrize(
    "bodies",
    [
        (sp.tanh(u), 1 - sp.tanh(u) ** 2, 2 * sp.tanh(u) * (sp.tanh(u) ** 2 - 1)),
        (sp.log(u), 1 / u),
        (sp.Max(u, 0), sp.Piecewise((1, u > 0), (0, True))),
        (sp.tanh(u),),
    ],
)
def test_slopes_that_belong(bodies):
    assert foreign(of(*bodies)) == ""


def test_slopes_that_do_not():
    assert foreign(of(sp.exp(u), sp.exp(u), sp.tanh(u))) == "tanh(u) is not the slope of exp(u)"
    assert foreign(of(sp.exp(u), sp.log(u)))  # no value where the curve has one
    assert foreign({f: sp.Lambda(u, u**2), df: sp.Lambda(v, 2 * v)}) == ""


def test_functions_of_several_numbers_have_a_slope_by_each():
    assert g(u, u * v).diff(u) == g_u(u, u * v) + v * g_v(u, u * v)
    with pytest.raises(ValueError, match="twice"):
        g_u(u, v).diff(v)
    curve, by_u, by_v = (sp.Lambda((u, v), e) for e in (u * v + v**3, v, u + 3 * v**2))
    assert foreign({g: curve, g_u: by_u, g_v: by_v}) == ""
    assert foreign({g: curve, g_u: by_v, g_v: by_v}) == "u + 3*v**2 is not the slope of u*v + v**3"


def test_a_meaning_drawn_for_one_has_its_own_slopes():
    drawn = polynomials({h.__name__: h(u, v) for h in (g, g_u, g_v)}, random.Random(0))
    for by_u, by_v in ((u, 2), (3, u)):
        line = sp.interpolate(
            [(x, sp.Rational(str(drawn["g"](*(sp_at(e, x) for e in (by_u, by_v)))))) for x in range(6)], u
        )
        slope = drawn["g_u" if by_u == u else "g_v"](*(sp_at(e, 7) for e in (by_u, by_v)))
        assert line.diff(u).subs(u, 7) == sp.Rational(str(slope))


def sp_at(e, x):
    return fmpq(int(sp.sympify(e).subs(u, x)))
