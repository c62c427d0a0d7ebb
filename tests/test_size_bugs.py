"""A sample of the bugs of blocks of ``benchmarks/sizes.py``: each is found at the standard budget."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
SAMPLE = {
    ("conv grouped", 32, "copied"), ("conv 2-D: channels", 8, "dropped"), ("optimizers", 128, "tail"),
    ("optimizers: steps", 16, "late"), ("activations, elementwise", 1024, "gradient"),
    ("graphs: edges", 128, "dropped"), ("flows", 8, "dropped"), ("solvers", 1024, "dropped"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sizes():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import sizes
    finally:
        sys.path.remove(str(BENCHMARKS))
    return sizes


def test_there_are_bugs_of_blocks_in_every_family(sizes):
    bugs = list(sizes.bugs())
    assert len(bugs) >= 60
    assert {(bug.family, bug.tile, bug.wrong) for bug in bugs} >= SAMPLE


@pytest.mark.parametrize("asked", sorted(SAMPLE), ids=lambda asked: f"{asked[0]} {asked[1]}")
def test_it_is_found_at_the_standard_budget(sizes, asked):
    bug = next(bug for bug in sizes.bugs() if (bug.family, bug.tile, bug.wrong) == asked)
    assert any(sizes.found_in(bug, dtype)[0] for dtype in sizes.DTYPES)
