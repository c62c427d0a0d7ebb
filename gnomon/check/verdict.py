"""One task of a run: a claim proved, its variants rejected, and its subject searched in each dtype."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from gnomon.check import asked, large, many_steps
from gnomon.check.ceiling import over_ceiling
from gnomon.check.covered import alike, covered, not_asked_for
from gnomon.check.diagnose import diagnose, diagnose_gradient, with_variant
from gnomon.check.grade import format_of
from gnomon.check.naming import runs_elsewhere
from gnomon.check.search import EXCUSED_LIMIT, search
from gnomon.check.strategies import draw_examples
from gnomon.check.switches import IMPORTED, otherwise, standing
from gnomon.check.task import BUDGETS, OBJECT, Compilations, Outcome, Task
from gnomon.check.undisturbed import undisturbed
from gnomon.check.variants import FORMULA, rejections
from gnomon.drive.contract import NotCallable
from gnomon.drive.driver import SubjectError
from gnomon.drive.interpret import driver_of
from gnomon.find.subjects import Implementations, alternatives, check_drivable, driver_named, resolve
from gnomon.say.claim import Claim
from gnomon.say.evidence import Evidence, GradientCheck, Rejection, Worst

DTYPES = {name: getattr(torch, name) for name in ("float64", "float32", "bfloat16", "float16")}


ASKED = 4
"""At least so many structures are drawn with sizes that are asked for: other sizes and options vary."""


def seed_for(claim: Claim, seed: int) -> int:
    """A claim's own seed, so that what is drawn for it does not depend on which other claims run."""
    return zlib.crc32(f"{claim.id}/{seed}".encode())


def check(
    claim: Claim,
    *,
    implementations: Implementations,
    device: str,
    dtypes: Sequence[str],
    budget: str,
    seed: int,
    trust: str = "",
    grade: str = "any",
    unread: Callable[[str, Any], Mapping[str, str]] | None = None,
    unlike: Mapping[str, Mapping[str, str]] | None = None,
    sizes: Mapping[str, int] | None = None,
    compiler: str = "",
) -> list[Evidence]:
    """Evidence for a claim against its subject, one record a dtype; with several implementations, of one after another.

    The variants are rejected once, before anything of the user's is imported: it does not depend on what is verified.
    They stand in the first record. ``unread`` says of a subject, by its name and itself, which of its arguments no
    claim looks at, with the reason; ``unlike`` has what a check leaves out since switches stand otherwise: where the
    check was asked for (under ""), or after an implementation was imported before (under its place). ``sizes`` are
    asked for: structures with those that the claim has are looked at in the place of large ones that would be chosen.
    ``compiler`` is the backend with which what ``torch.compile`` makes of the subject is looked at, too.

    Raises:
        gnomon.say.errors.UsageError: if the subject cannot be found or driven.
    """
    own = seed_for(claim, seed)
    with undisturbed(own):
        compiled = Compilations(claim, format_of(grade))
        examples = draw_examples(claim, BUDGETS[budget].structures, own)
        nobodys = dataclasses.replace(task_without_subject(claim, DTYPES[dtypes[0]], device), compiled=compiled)
        variants = rejections(nobodys, examples, own)
    results: list[Evidence] = []
    for given in alternatives(implementations.get(claim.subject)):
        with undisturbed(own):
            found, place = resolve(claim.subject, {} if given is None else {claim.subject: given})
            imported = standing()
        with undisturbed(own):  # again: what importing it switched is undone, as where it was imported before
            task = dataclasses.replace(
                prepare(claim, found, place, dtypes[0], device, named(given), grade),
                compiled=compiled,
                compiler=compiler,
            )
            wanted, refused = at_sizes(task, sizes or {}, budget, own)
            missed = refused | alike(unread(claim.subject, found) if unread else {})
            missed |= not_asked_for(device, dtypes, DTYPES, compiler)
            for others in ((unlike or {}).get("", {}), (unlike or {}).get(place, {})):
                missed |= others
            missed |= otherwise(imported, task.device, IMPORTED)
            for name in dtypes:
                blank = Evidence(claim.id, claim.subject, place, device, name, "undecided", derivation=trust)
                evidence = judge(dataclasses.replace(task, dtype=DTYPES[name]), examples, budget, blank, wanted)
                evidence.covered.not_looked_at |= missed
                results.append(unproven(evidence, variants))
    results[0].variants = variants
    return results


def named(given: Any) -> str:
    """How a call of :func:`gnomon.check_point` names what was given for a subject; "" for the reference model."""
    if given is None:
        return ""
    return f"impl={given!r}" if isinstance(given, str) else OBJECT


def prepare(
    claim: Claim, subject: Any, place: str, dtype: str, device: str, called: str = "", grade: str = "any"
) -> Task:
    """The task of checking a subject against a claim; ``called`` is how a printed call names the subject.

    Raises:
        gnomon.say.errors.UsageError: if the subject cannot be driven.
    """
    driver = driver_named(claim.driver) if claim.call is None else driver_of(claim.call)
    check_drivable(subject, claim.subject, driver.looks, place)
    compiled = Compilations(claim, format_of(grade))
    return Task(claim, driver, subject, DTYPES[dtype], torch.device(device), compiled, called=called)


def task_without_subject(claim: Claim, dtype: torch.dtype, device: str) -> Task:
    """A claim's task for what does not depend on any subject."""
    return Task(claim, FORMULA, None, dtype, torch.device(device), Compilations(claim))


def unproven(evidence: Evidence, variants: Sequence[Rejection]) -> Evidence:
    """Evidence that holds only if the check was seen to reject every variant: otherwise it proves nothing."""
    missed = [v.name + (f" ({v.reason})" if v.reason else "") for v in variants if not v.rejected]
    if evidence.verdict == "holds" and missed:
        evidence.verdict = "undecided"
        evidence.reason = f"the check was not seen to reject {', '.join(missed)}"
    return evidence


def at_sizes(task: Task, sizes: Mapping[str, int], budget: str, seed: int) -> tuple[list[Any], dict[str, str]]:
    """Examples with the sizes that are asked for, and which of them are not looked at, with the reason."""
    lacking = [name for name in sizes if name not in asked.names_of(task.claim)]
    refused = {f"{name} = {sizes[name]}": "the claim has no such size" for name in lacking}
    if len(lacking) == len(sizes):
        return [], refused
    if why := asked.fault(task, sizes, seed):
        return [], refused | {f"{name} = {sizes[name]}": why for name in sizes if name not in lacking}
    return asked.examples_at(task.claim, sizes, max(ASKED, BUDGETS[budget].large), seed), refused


def judge(task: Task, examples: list[Any], budget: str, evidence: Evidence, wanted: Sequence[Any] = ()) -> Evidence:
    """Search, and turn what was found into a verdict; ``wanted`` are examples of sizes that a user asks for."""
    outcome = Outcome()
    try:
        for reached in search(task, examples, BUDGETS[budget]):
            outcome = reached
        if outcome.failure is None and outcome.gradient_failure is None and outcome.search.comparisons:
            outcome.failure = large.look(task, examples, outcome, BUDGETS[budget].large, wanted)
            if BUDGETS[budget].steps and outcome.failure is None and outcome.gradient_failure is None:
                outcome.failure = many_steps.look(task, examples, outcome)
        _fill(evidence, task, outcome)
        failing = outcome.failure or outcome.gradient_failure
        if failing is not None:
            values = outcome.failure is not None
            diagnosis = diagnose(task, failing, examples) if values else diagnose_gradient(task, failing)
            if diagnosis is None and not task.pointwise:
                # batched kernels may differ from what a user runs: what the points show alone decides
                return judge(dataclasses.replace(task, pointwise=True), examples, budget, evidence, wanted)
            if diagnosis is None:
                evidence.reason = "fails, but no point of it fails when looked at again and with Arb"
                return evidence
            evidence.verdict, evidence.failure = "fails", diagnosis.failure
            where = large.from_on(task.claim, diagnosis.counterexample.structure)
            evidence.reason, evidence.variant = where + diagnosis.reason, diagnosis.variant
            evidence.counterexample = diagnosis.counterexample
            return evidence
        found = over_ceiling(task, outcome.loss) if outcome.loss is not None else None
        if found is None and outcome.lost_steps is not None and task.compiled.sums is not None:
            found = many_steps.lost_steps(task, outcome.lost_steps)
        if found is not None:
            evidence.verdict, evidence.failure, evidence.reason = "fails", found.failure, found.reason
            evidence.counterexample = found.counterexample
            return evidence
    except SubjectError as error:
        _fill(evidence, task, outcome)
        if isinstance(error, NotCallable):  # other names, another signature: not a wrong program
            evidence.verdict, evidence.reason = "not callable here", error.reason
        else:
            variant = runs_elsewhere(task, examples)
            evidence.verdict, evidence.failure = "fails", error.failure
            evidence.reason, evidence.variant = with_variant(error.reason, variant), variant.name if variant else None
        return evidence
    if outcome.search.comparisons == 0:
        evidence.reason = "nothing was compared"
    elif outcome.search.excused > EXCUSED_LIMIT:
        evidence.reason = f"{outcome.search.excused:.0%} of the entries had to be excused"
    elif unmet := [name for name, points in outcome.search.conditions.items() if not points]:
        evidence.reason = f"nothing that was looked at meets the condition “{unmet[0]}”: the claim says nothing of it"
    else:
        evidence.verdict = "holds"
    return evidence


def _fill(evidence: Evidence, task: Task, outcome: Outcome) -> None:
    evidence.search = outcome.search
    evidence.covered = covered(task, outcome)
    evidence.worst = Worst(outcome.worst_share, outcome.worst_where)
    evidence.ulp = outcome.ulp
    evidence.gradient = dataclasses.replace(outcome.gradient) if outcome.gradient else None
    if isinstance(evidence.gradient, GradientCheck) and evidence.gradient.verdict == "undecided":
        evidence.gradient = dataclasses.replace(evidence.gradient, reason="nothing was compared")
