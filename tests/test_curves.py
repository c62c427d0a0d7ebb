"""A curve and its slopes belong together, and where a curve has no value nothing is asked."""

import pytest
import sympy as sp

from gnomon.proof.indexed import opaque
from gnomon.say.curves import foreign

u, v = sp.symbols("u v", real=True)
f, df, ddf = opaque("f")


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
