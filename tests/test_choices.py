"""Every option that a claim draws can matter; the helper is seen to find one that cannot."""

import dataclasses

import sympy as sp
import toy
from choices import idle

from gnomon.check.strategies import Example, every_option
from gnomon.find.walk import claims
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Choice

MUST_NOT_MATTER = {
    "adjoint.memory": "the law is that what is kept does not grow, whatever the method",
    "init.he.half": "the law is that the gain makes up for the activation, whichever it is",
}
"""Claims whose law is that an option does not matter: the subject is given it, and what is shown must stay the same."""


def choosing():
    """The claims that have a choice to make."""
    several = [c for c in claims() if any(isinstance(d, Choice) and len(d.options) > 1 for d in c.structure)]
    return {claim.id: claim for claim in several}


def test_every_option_of_every_claim_changes_what_is_shown():
    every = choosing()
    without = {id: found for id, claim in every.items() if (found := idle(claim, structures=16, points=9))}
    assert without.keys() == MUST_NOT_MATTER.keys(), without


def test_an_option_that_changes_nothing_is_found():
    loud, quiet = sp.symbols("loud quiet", integer=True)
    choices = (
        Choice("heard", {"no": {loud: 1}, "yes": {loud: 2}}),
        Choice("unheard", {"no": {quiet: 0}, "yes": {quiet: 1}}),
    )
    program = Program(toy.VARIANCE.program.lets, (Output("out", loud * toy.var + quiet * (toy.mean - toy.mean)),))
    claim = dataclasses.replace(toy.VARIANCE, structure=(toy.n, *choices), program=program)
    assert idle(claim) == ["unheard=no", "unheard=yes"]


def test_every_option_comes_up_while_there_is_room():
    drawn = [Example({"f": label, "g": "a"}, {}, number) for number, label in enumerate("aaaabac")]
    assert every_option(drawn, 4, ["f", "g"]) == [drawn[0], drawn[1], drawn[4], drawn[6]]
    assert every_option(drawn, 2, ["f", "g"]) == [drawn[0], drawn[4]]
    assert every_option(drawn, 4, ["g"]) == drawn[:4], "nothing is missing"
