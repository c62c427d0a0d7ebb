"""What an unlinked derivation shows is never called proved; the kernel refuses the same conclusions by its own rules.

Each of these bags of steps was accepted as "proved for every size", and is false where the comment says. The kernel's
answers to these kinds are in test_kernel_attacks*.py and test_kernel_integral.py.
"""

import pytest
import sympy as sp

from gnomon.proof.derivation import Derivation, Step, cite, prove

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
n, k = sp.symbols("n k", integer=True, nonnegative=True)
FALSE = {
    "a domain is lost in a chain": (  # x = -2: 3/4 against -3/4
        Step("rewrite", sp.sinh(sp.log(x**2) / 2), sp.sinh(sp.log(x))),
        Step("rewrite", sp.sinh(sp.log(x)), (x - 1 / x) / 2),
    ),
    "the conclusion is assumed": (Step("inequality", sp.Ge(x, y), x - y, assume=(sp.Ge(x, y),)),),  # x = 0, y = 1
    "a product is called 5": (Step("substitute", x * y + 1, sp.Integer(6), by=((x * y, 5),)),),  # x = y = 0
    "an empty sum is negative": (Step("sum", sp.Sum(1, (k, 3, n)), n - 2),),  # n = 0
    "anything is cited": (cite("Riemann hypothesis"), Step("rewrite", x * (x + 1), x**2 + x)),
    "numbers are every size": (Step("rewrite", (sp.sqrt(2) + sp.sqrt(3)) ** 2, 5 + 2 * sp.sqrt(6)),),
}


@pytest.mark.parametrize("steps", FALSE.values(), ids=FALSE)
def test_steps_that_nothing_ties_to_a_law_prove_nothing(steps):
    assert "proved" not in prove(Derivation(steps)).trust
