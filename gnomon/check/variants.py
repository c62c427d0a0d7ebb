"""A formula in the place of a subject: how variants are fed to the check that must reject them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import torch

from gnomon.check.diagnose import counterexample
from gnomon.check.minimise import CANDIDATES, alone, confirm, smallest
from gnomon.check.strategies import Example, draw_examples
from gnomon.check.task import Compilations, Task
from gnomon.compute.batch import Batch
from gnomon.compute.compiled import K
from gnomon.compute.lower import entries
from gnomon.compute.running_error import values
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors
from gnomon.say.claim import Claim, Variant
from gnomon.say.evidence import Counterexample, Rejection

POINTS = 576
SEPARATION = 4
"""How many structures are used at most to tell the variants apart."""
FURTHER = 6
"""How many times as many structures are tried for a variant that none of the usual ones rejects."""


def formula(subject: Compilations, case: Case) -> Call:
    """Run a claim's program itself, in the case's dtype, on a batch."""
    compiled = subject(dict(case.structure))

    def call(tensors: Tensors) -> Tensors:
        size = next((len(value) for value in tensors.values()), 1)
        leaves = Batch(tensors, dict(case.host), (), size).leaves()
        like = torch.empty((), dtype=case.dtype, device=case.device)
        columns = [column.expand(size) for column in values(compiled.slp, compiled.nodes, leaves, like)]
        flat, shown, start = torch.stack(columns, -1), {}, 0
        for name, shape in compiled.shapes.items():
            count = len(entries(shape))
            shown[name] = flat[:, start : start + count].reshape(size, *shape)
            start += count
        return shown

    return call


FORMULA = Driver(formula, "a formula", "leading", "none")


def variant_task(checked: Task, variant: Variant, theirs: Compilations) -> Task:
    """The check of a claim with a variant in the subject's place.

    Another formula is judged by the claim. A dropped condition, or another inequality, is judged where it leads: the
    definition (or the program) is the subject, and the variant's own statement the judge. ``theirs`` compiles the claim
    under the variant.

    Raises:
        ValueError: if a variant drops a condition of an equality that has no definition to compare with.
    """
    claim, device, called = checked.claim, checked.device, f"variant={variant.name!r}"
    if claim.relation is None and not (variant.inputs or variant.structure):
        return Task(claim, FORMULA, theirs, torch.float64, device, checked.compiled, called=called)
    if claim.relation is None:
        if claim.definition is None:
            raise ValueError(f"claim {claim.id}: variant {variant.name} drops a condition, which needs a definition=")
        first = dataclasses.replace(theirs.claim, program=claim.definition)
        judge = Task(theirs.claim, FORMULA, Compilations(first), torch.float64, device, theirs, called=called)
        return dataclasses.replace(judge, reversed=variant.actual == "definition")
    doubted = not variant.replace
    return Task(theirs.claim, FORMULA, theirs, torch.float64, device, theirs, called=called, reversed=doubted)


def drawing() -> Callable[[Task, Example], Batch]:
    """Draws examples once for all variants that are judged by the same claim."""
    known: list[tuple[Claim, Example, Batch]] = []

    def drawn(task: Task, example: Example) -> Batch:
        for claim, seen, batch in known:
            if claim is task.claim and seen is example:
                return batch
        known.append((task.claim, example, task.batch(example, POINTS)))
        return known[-1][-1]

    return drawn


def reject(
    checked: Task,
    variant: Variant,
    theirs: Compilations,
    examples: Sequence[Example],
    seed: int,
    drawn: Callable[[Task, Example], Batch],
) -> Counterexample | str:
    """The smallest input found at which the check rejects a variant, confirmed with Arb; why not, if there is none.

    What is observed there is what the variant says, and what is expected is right, whichever of them judges.
    """
    refused = ""
    task = variant_task(checked, variant, theirs)
    if variant.inputs or variant.structure:
        examples = draw_examples(task.claim, len(examples), seed)
    for example in sorted(examples, key=lambda e: len(str(e.structure))):
        try:
            batch = drawn(task, example)
            observed = task.observer(example).many(batch)[0].to(torch.float64)
            judgement = task.compiled(example.structure).judge(batch, observed, task.dtype, task.device)
        except (LoweringError, ZeroDivisionError, SubjectError) as error:
            refused = str(error)
            continue
        refused = ""
        finite = observed.isfinite().all(-1)  # a number that is wrong says more than none
        wrong = [*(judgement.fails & finite).nonzero().tolist(), *(judgement.fails & ~finite).nonzero().tolist()]
        for (number,) in wrong[:CANDIDATES]:
            point = batch.point(number)
            if confirm(task, example, point, observed[number : number + 1]):
                small, point = smallest(task, example, point)
                observed = alone(task, small, point)
                entry = int(
                    task.compiled(small.structure).judge(point, observed, task.dtype, task.device).share[0].argmax()
                )
                return counterexample(task, small, point, observed, entry)
    return refused


def inseparable(
    checked: Task,
    compiled: Mapping[str, Compilations],
    examples: Sequence[Example],
    drawn: Callable[[Task, Example], Batch],
) -> dict[str, tuple[str, ...]]:
    """For each variant the others that no input drawn here tells from it."""
    comparable = [variant for variant in checked.claim.variants if variant.replace]
    apart: set[tuple[str, str]] = set()
    judge = dataclasses.replace(checked, dtype=torch.float64)
    for example in examples[1 :: max(1, len(examples) // SEPARATION)]:
        if len(apart) == len(comparable) * (len(comparable) - 1):
            break
        known = {}
        batch = drawn(judge, example)
        for variant in comparable:
            try:
                of = compiled[variant.name](example.structure)
                known[variant.name] = of.truth(batch, torch.float64, checked.device)
            except (LoweringError, ZeroDivisionError):
                continue
        for a, (a_value, a_bound) in known.items():
            for b, (b_value, b_bound) in known.items():
                bound = a_bound + b_bound
                if bool((((a_value - b_value).abs() > K * bound) & bound.isfinite()).any()):
                    apart.add((a, b))
    return {
        a.name: tuple(b.name for b in comparable if a is not b and (a.name, b.name) not in apart) for a in comparable
    }


def rejections(checked: Task, examples: Sequence[Example], seed: int) -> tuple[Rejection, ...]:
    """What the check of a claim says to each of the claim's variants."""
    claim = checked.claim
    compiled = {variant.name: Compilations(claim.under(variant)) for variant in claim.variants}
    drawn = drawing()
    alike = inseparable(checked, compiled, examples, drawn)
    found = []
    for variant in claim.variants:
        example = reject(checked, variant, compiled[variant.name], examples, seed, drawn)
        if isinstance(example, str) and not example:  # it may need a rare structure: look further before giving up
            more = draw_examples(claim, FURTHER * len(examples), seed)
            example = reject(checked, variant, compiled[variant.name], more, seed, drawing())
        shown = None if isinstance(example, str) else example
        found.append(
            Rejection(
                variant.name,
                shown is not None,
                variant.source,
                variant.printed,
                shown,
                alike.get(variant.name, ()),
                example if isinstance(example, str) else "",
            )
        )
    return tuple(found)
