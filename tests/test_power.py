"""Every planted bug is found, in float64, by some claim about the subject in whose place it stands."""

import importlib
import pkgutil
from collections import Counter

import planted
import pytest
from judged import judged

from gnomon.find.walk import claims, models

FILES = [importlib.import_module(f"planted.{info.name}") for info in pkgutil.iter_modules(planted.__path__)]
BUGS = [bug for file in FILES for bug in file.PLANTED]


FOUND = Counter()
"""How many bugs each claim has found: those that find most are asked first, which changes nothing but the time."""


def failures(bug):
    """How the claims about the subject fail, each in its turn."""
    about = [claim for claim in claims() if claim.subject == bug.subject]
    for claim in sorted(about, key=lambda claim: -FOUND[claim.id]):
        evidence = judged(claim, bug.implementation)
        if evidence.verdict == "fails":
            FOUND[claim.id] += evidence.failure != "crash"
            yield evidence.failure


@pytest.mark.parametrize("bug", BUGS, ids=[f"{bug.subject}: {bug.bug}" for bug in BUGS])
def test_a_planted_bug_is_found(bug):
    assert bug.subject in models()
    found = any(failure != "crash" for failure in failures(bug))
    assert found, "not found, or it does not run, which anybody would see"


def test_there_are_enough_of_them_and_no_two_alike():
    assert len(BUGS) >= 40
    assert len({bug.implementation for bug in BUGS}) == len(BUGS)
    assert len({bug.subject.split(".")[0] for bug in BUGS}) >= 6
