"""The verdict on a subject in a model's place, for the tests: what is the same for all subjects is made once."""

import dataclasses
from functools import lru_cache

from gnomon.check.strategies import draw_examples
from gnomon.check.task import BUDGETS, Compilations
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.find import walk
from gnomon.say.evidence import Evidence


@lru_cache(maxsize=24)
def drawn(claim, structures):
    """The structures that are drawn for a claim, and its programs for them."""
    return draw_examples(claim, structures, seed_for(claim, 0)), Compilations(claim)


def judged(claim, subject, dtype="float64", budget="quick", structures=None, **how):
    """The evidence for a claim, or for the one with this id; ``how`` goes to :func:`gnomon.check.verdict.prepare`."""
    if isinstance(claim, str):
        (claim,) = walk.select([claim])
    examples, compiled = drawn(claim, structures or BUDGETS[budget].structures)
    task = prepare(claim, subject, "given", dtype, "cpu", **how)
    if not how:
        task = dataclasses.replace(task, compiled=compiled)
    blank = Evidence(claim.id, claim.subject, "given", "cpu", dtype, "undecided")
    return judge(task, examples, budget, blank)
