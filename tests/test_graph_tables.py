"""What a claim on tabulated graphs supposes of their eigenvalues holds for every table."""

import itertools

import pytest
import sympy as sp

from gnomon.derivations.graph_energy import bounds
from gnomon.derivations.graph_spectra import CONNECTED
from gnomon.link.goal import theory_of
from gnomon.proof.terms import name_of

CLAIM = bounds.claim


@pytest.mark.parametrize("label", CONNECTED)
@pytest.mark.parametrize("condition", CLAIM.written.conditions, ids=lambda condition: condition.name)
def test_a_table_meets_a_condition(label, condition):
    table = CONNECTED[label]
    numbers = {symbol: value for symbol, value in table.items() if isinstance(value, int)}
    arrays = {name_of(base): value for base, value in table.items() if isinstance(value, tuple)}

    def entry(x):
        value = arrays[name_of(x)]
        for index in x.indices:
            value = value[int(index)]
        return sp.sympify(value)

    theory = theory_of(CLAIM)
    gap = theory.expanded(condition.relation.lhs - condition.relation.rhs)
    ends = [(index, first.subs(numbers), last.subs(numbers)) for index, first, last in condition.ranges]
    for values in itertools.product(*(range(first, last + 1) for _, first, last in ends)):
        at = dict(zip([index for index, _, _ in ends], values, strict=True))
        value = gap.subs(numbers).xreplace({v: sp.Integer(n) for v, n in at.items()}).doit()
        value = value.replace(lambda x: isinstance(x, sp.Indexed), entry)
        assert condition.relation.func(value, 0) == sp.true, at
