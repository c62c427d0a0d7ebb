"""The errata: every printed variant is refuted, and both columns hold what their headings say."""

import dataclasses
import functools

import pytest
import torch

from gnomon.check.minimise import alone
from gnomon.check.strategies import Example, draw_examples
from gnomon.check.task import BUDGETS
from gnomon.check.variants import rejections
from gnomon.check.verdict import prepare, seed_for
from gnomon.compute.batch import Batch
from gnomon.find.subjects import resolve
from gnomon.find.walk import claims
from gnomon.front.api import check_point

PRINTED = {f"{claim.id}: {v.name}": (claim, v) for claim in claims() for v in claim.variants if v.printed}
WIDER = [name for name, (claim, v) in PRINTED.items() if claim.relation is None and (v.inputs or v.structure)]
BOUNDS = [name for name, (claim, v) in PRINTED.items() if claim.relation is not None and not v.replace]


@functools.cache
def refuted(name):
    """The task, and what the check says to this variant alone."""
    claim, variant = PRINTED[name]
    found, place = resolve(claim.subject, {})
    task = prepare(dataclasses.replace(claim, variants=(variant,)), found, place, "float64", "cpu")
    examples = draw_examples(claim, BUDGETS["quick"].structures, seed_for(claim, 0))
    return task, rejections(task, examples, seed_for(claim, 0))[0]


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_is_not_the_claim_and_is_refuted(name):
    _, rejection = refuted(name)
    assert rejection.rejected, rejection.reason


@pytest.mark.parametrize("name", BOUNDS)
def test_the_printed_bound_stands_in_the_column_of_what_is_printed(name):
    found = refuted(name)[1].counterexample
    sense, bound = found.observed.rsplit(" ", 1)
    truth = float(found.expected)
    assert (truth > float(bound)) if sense == "at most" else (truth < float(bound)), found
    assert sense in ("at most", "at least")


@pytest.mark.parametrize("name", WIDER)
def test_where_a_condition_is_dropped_the_correct_column_is_what_the_reference_does(name):
    task, rejection = refuted(name)
    claim, variant = PRINTED[name]
    found, wider = rejection.counterexample, claim.under(variant)
    host = {domain.name: found.inputs[domain.name] for domain in wider.inputs if domain.host}
    tensors = {
        domain.name: torch.tensor([found.inputs[domain.name]], dtype=torch.float64)
        for domain in wider.inputs
        if not domain.host
    }
    there = dataclasses.replace(task, claim=wider, compiled=type(task.compiled)(wider))
    shown = alone(there, Example(found.structure, host, 0), Batch(tensors, host, (("given", 1),), 1))
    labels = there.compiled(found.structure).labels
    value = float(shown[0, labels.index(found.output)])
    right, printed = float(found.expected), float(found.observed)
    assert abs(value - right) < abs(value - printed) / 2**20


def test_a_node_that_is_colder_does_not_refute_what_is_said_of_warmer_ones():
    sentence = {"variant": "warmer than some neighbour"}
    full, even = [[0, 1, 1], [1, 0, 1], [1, 1, 0]], [[1.0] * 3] * 3
    # the colder one of the first two gets colder still, which the sentence says nothing of
    true = check_point("heat.cooling_sign", {"n": 3, "A": full}, {"x": [1.0, 0.0, -5.0], "w": even}, **sentence)
    assert ": holds" in true
    false = check_point("heat.cooling_sign", {"n": 3, "A": full}, {"x": [1.0, 0.5, 3.0], "w": even}, **sentence)
    assert ": holds" not in false
