"""Every planted bug is found, in float64, by some claim about the subject in whose place it stands."""

import importlib
import pkgutil

import planted
import pytest

from gnomon.check.search import BUDGETS
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.find.walk import claims, models
from gnomon.say.evidence import Evidence

FILES = [importlib.import_module(f"planted.{info.name}") for info in pkgutil.iter_modules(planted.__path__)]
BUGS = [bug for file in FILES for bug in file.PLANTED]


def verdicts(bug):
    """The verdict of each claim about the subject, until one fails."""
    for claim in claims():
        if claim.subject == bug.subject:
            task = prepare(claim, bug.implementation, "planted", "float64", "cpu")
            examples = draw_examples(claim, BUDGETS["quick"].structures, seed_for(claim, 0))
            yield judge(
                task,
                examples,
                "quick",
                Evidence(claim.id, bug.subject, "planted", "cpu", "float64", "undecided"),
            )


@pytest.mark.parametrize("bug", BUGS, ids=[f"{bug.subject}: {bug.bug}" for bug in BUGS])
def test_a_planted_bug_is_found(bug):
    assert bug.subject in models()
    failures = (evidence.failure for evidence in verdicts(bug) if evidence.verdict == "fails")
    assert any(failure != "crash" for failure in failures), "not found, or it does not run, which anybody would see"


def test_there_are_enough_of_them_and_no_two_alike():
    assert len(BUGS) >= 40
    assert len({bug.implementation for bug in BUGS}) == len(BUGS)
    assert len({bug.subject.split(".")[0] for bug in BUGS}) >= 6
