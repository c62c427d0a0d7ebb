"""The command line's work from Python: :func:`verify`, :func:`prove`, :func:`check_point`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from gnomon.check.asked import check_sizes, settle
from gnomon.check.ceiling import lost_at
from gnomon.check.contract.compiling import backend_here
from gnomon.check.diagnose import Diagnosis, gradient_at, pinpoint
from gnomon.check.domains import check_covers, check_names, host_number, structure_fault, tensor_of
from gnomon.check.gradients import wants_gradient
from gnomon.check.many_steps import lost_steps_at
from gnomon.check.options import not_looked_at
from gnomon.check.proof_record import proof_record
from gnomon.check.strategies import Example
from gnomon.check.switches import CALLER, otherwise, standing
from gnomon.check.task import BUDGETS, Compilations, Task
from gnomon.check.undisturbed import undisturbed
from gnomon.check.variants import FORMULA, variant_task
from gnomon.check.verdict import DTYPES, check, named, prepare
from gnomon.compute.batch import Batch
from gnomon.compute.whole_numbers import LoweringError
from gnomon.drive.driver import SubjectError
from gnomon.find import walk
from gnomon.find.subjects import check_subject, forget_files, resolve
from gnomon.run.wanted_sizes import told
from gnomon.say.claim import Claim
from gnomon.say.errors import UsageError, nearest
from gnomon.say.evidence import GRADES, Evidence, exit_code


class Results(list[Evidence]):
    """The evidence of a run; prints as a table, one line a claim and dtype, failures with their counterexamples."""

    @property
    def exit_code(self) -> int:
        """What the command line would exit with: 0 all hold, 1 one fails, 2 one is not callable, 3 one is undecided."""
        return exit_code(evidence.verdict for evidence in self)

    def __str__(self) -> str:
        verdicts: list[str] = [evidence.verdict for evidence in self]
        words = ["holds", "fails", "undecided", *(["not callable here"] if "not callable here" in verdicts else [])]
        counts = ", ".join(f"{verdicts.count(word)} {word}" for word in words)
        return "\n".join([*map(str, self), counts])

    __repr__ = __str__


@contextmanager
def as_guest() -> Iterator[dict[str, Any]]:
    """What :mod:`gnomon` does in its caller's process: nothing global changes, and a file runs anew in each call.

    How the caller's switches stand comes back.
    """
    found = standing()
    try:
        with undisturbed(0):
            yield found
    finally:
        forget_files()


def verify(
    patterns: str | Sequence[str] = (),
    *,
    impl: dict[str, Any] | None = None,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype | Sequence[str | torch.dtype] = ("float64", "float32"),
    budget: str = "quick",
    seed: int = 0,
    proofs: bool = True,
    grade: str = "any",
    sizes: Mapping[str, int] | None = None,
    compile: bool = False,
) -> Results:
    """Check claims against the reference models, or against ``impl`` in the place of some of them.

    ``impl`` maps a subject's name to an object (a class, a function) or to ``"module:object"``, or to a list of them:
    each is verified, and a claim's variants are rejected once for all. Runs in this process.
    ``grade="float32"`` holds formats of 16 bits to sums in float32; "any" names the grade that is reached. With
    ``sizes={"n": 4096}`` structures of these sizes are looked at, too, with other sizes and options as they are drawn.
    With ``compile`` what ``torch.compile`` makes of the subject is compared, too, at some points of every structure.

    Raises:
        gnomon.say.errors.UsageError: for a pattern, a subject, a dtype, a device, a budget, a grade or a size that does
            not exist; for sizes with which none of the claims can be looked at, for want of memory, say.
    """
    with as_guest() as found:
        chosen = walk.select([patterns] if isinstance(patterns, str) else list(patterns))
        for subject in impl or {}:
            check_subject(subject)
        if budget not in BUDGETS:
            raise UsageError(f"budget={budget!r}: expected one of {', '.join(BUDGETS)}")
        check_grade(grade)
        names = dtype_names(dtype)
        where = resolve_device(str(device))
        wanted = check_sizes(sizes or {})
        if wanted:
            settle(wanted, [told(claim, wanted, where, names[0]) for claim in chosen])
        unlike = {"": otherwise(found, torch.device(where), CALLER)}
        compiler = backend_here() if compile else ""
        results = Results()
        for claim in chosen:
            trust = proof_record(claim)["trust"] if proofs else ""
            results += check(
                claim,
                implementations=impl or {},
                device=where,
                dtypes=names,
                budget=budget,
                seed=seed,
                trust=trust,
                unread=not_looked_at,
                grade=grade,
                unlike=unlike,
                sizes=wanted,
                compiler=compiler,
            )
        return results


@as_guest()
def prove(patterns: str | Sequence[str] = ()) -> list[dict[str, Any]]:
    """Run the derivations of some claims, each step checked; the records that the report shows.

    Raises:
        gnomon.say.errors.UsageError: for a pattern that matches nothing.
    """
    return [proof_record(claim) for claim in walk.select([patterns] if isinstance(patterns, str) else list(patterns))]


@as_guest()
def check_point(
    claim_id: str,
    structure: dict[str, Any],
    inputs: dict[str, Any],
    *,
    weights: Sequence[float] | None = None,
    variant: str | None = None,
    dtype: str | torch.dtype = "float64",
    device: str | torch.device = "cpu",
    impl: Any = None,
    grade: str = "any",
) -> str:
    """Look at one input again: what the subject shows there, what the claim says, and what rounding allows.

    With ``weights``, one for each entry of the outputs, it is the gradient of their weighted sum that is looked at.
    With ``variant`` that variant of the claim is put to the check in the subject's place. The inputs are rounded to
    ``dtype``; they must then lie in the claim's domains (in the variant's, where it widens one). ``grade`` is that of
    :func:`verify`.

    Raises:
        gnomon.say.errors.UsageError: for a claim, a variant, a dtype, a device or a grade that does not exist; for a
            structure, inputs or weights with other names or shapes than the claim's, or outside its domains.
    """
    chosen, names = walk.select([claim_id]), dtype_names(dtype)
    if len(chosen) > 1 or len(names) > 1:
        many = [claim.id for claim in chosen] if len(chosen) > 1 else names
        raise UsageError(f"a point is looked at for one claim in one dtype, got {', '.join(many)}")
    claim, name = chosen[0], names[0]
    where = resolve_device(str(device))
    check_grade(grade)
    if variant is None:
        with undisturbed(0):
            found, place = resolve(claim.subject, {} if impl is None else {claim.subject: impl})
        task = prepare(claim, found, place, name, where, named(impl), grade)
    elif impl is None and weights is None:
        task, place = _variant(claim, variant, name, where), variant
    else:
        raise UsageError("variant= stands in the subject's place, for its values: leave out impl= and weights=")
    example, point = _point(task, structure, inputs)
    try:
        seen = _looked_at(task, example, point, weights)
    except SubjectError as error:
        return f"{claim_id}: {place} {error.reason}"
    return f"{claim_id}: " + (f"{seen.failure}: {seen.counterexample}" if isinstance(seen, Diagnosis) else seen)


def _variant(claim: Claim, name: str, dtype: str, device: str) -> Task:
    """The task of checking a variant of a claim."""
    known = {variant.name: variant for variant in claim.variants}
    if name not in known:
        raise UsageError(f"{claim.id} has no variant {name!r}" + nearest(name, known))
    theirs = Compilations(claim.under(known[name]))
    checked = Task(claim, FORMULA, theirs, DTYPES[dtype], torch.device(device), Compilations(claim))
    return dataclasses.replace(variant_task(checked, known[name], theirs), dtype=checked.dtype)


def _point(task: Task, structure: dict[str, Any], inputs: dict[str, Any]) -> tuple[Example, Batch]:
    """What was given as an example and its one point, checked against the domains of the task's claim."""
    claim = task.claim
    check_names(f"{claim.id}, structure", structure, [domain.name for domain in claim.structure])
    fault = structure_fault(claim.structure, structure)
    if fault:
        raise UsageError(f"{claim.id}, structure: {fault}")
    check_names(f"{claim.id}, inputs", inputs, [domain.name for domain in claim.inputs])
    try:
        bindings = task.compiled(structure).bindings
    except (LoweringError, ZeroDivisionError) as error:
        raise UsageError(f"{claim.id} is not defined for the structure {structure}: {error}") from error
    host, values = {}, {}
    for domain in claim.inputs:
        given = inputs[domain.name]
        if domain.host:
            host[domain.name] = host_number(domain, given)
        else:
            values[domain.name] = tensor_of(domain, given, bindings, task.dtype, task.device).unsqueeze(0)
            check_covers(domain, values)
    return Example(dict(structure), host, 0), Batch(values, host, (("given", 1),), 1)


def _looked_at(task: Task, example: Example, point: Batch, weights: Sequence[float] | None) -> Diagnosis | str:
    """What the subject shows at a point: in full vectors, and if that is right on its own, as the search does."""
    cotangent = None if weights is None else _cotangent(task, example, weights)
    seen: Diagnosis | str = ""
    for pointwise in (False, True):
        here = dataclasses.replace(task, pointwise=pointwise)
        seen = pinpoint(here, example, point) if cotangent is None else gradient_at(here, example, point, cotangent)
        if isinstance(seen, Diagnosis):
            return seen
    lost = (lost_at(task, example, point) or lost_steps_at(task, example, point)) if weights is None else None
    return lost or seen


def _cotangent(task: Task, example: Example, weights: Sequence[float]) -> torch.Tensor:
    """The weights of the outputs, checked: a finite number for each entry, where the gradient is looked at."""
    claim, labels = task.claim, task.compiled(example.structure).labels
    if not wants_gradient(task):
        raise UsageError(f"{claim.id}: no gradient is looked at in this claim; leave out weights=")
    try:
        whole = torch.as_tensor(weights, dtype=torch.float64, device=task.device)
    except (TypeError, ValueError, RuntimeError):
        whole = torch.empty(())
    if tuple(whole.shape) != (len(labels),) or not bool(whole.isfinite().all()):
        raise UsageError(
            f"{claim.id}, weights: expected {len(labels)} finite numbers, for {', '.join(labels)}; got {weights!r}"
        )
    return whole


def dtype_names(dtype: str | torch.dtype | Sequence[str | torch.dtype]) -> list[str]:
    """The names of some dtypes, checked.

    Raises:
        gnomon.say.errors.UsageError: for one that is not verified.
    """
    given = dtype.split(",") if isinstance(dtype, str) else [dtype] if isinstance(dtype, torch.dtype) else list(dtype)
    names = [str(one).removeprefix("torch.").strip() for one in given]
    for name in names:
        if name not in DTYPES:
            raise UsageError(f"dtype {name!r}: expected {', '.join(DTYPES)}")
    return list(dict.fromkeys(names))


def check_grade(grade: str) -> None:
    """Raise UsageError for a grade of low precision that there is not."""
    if grade not in GRADES:
        raise UsageError(f"grade={grade!r}: expected {' or '.join(GRADES)}")


def resolve_device(name: str) -> str:
    """``auto`` becomes ``cuda`` where there is one, else ``cpu``.

    Raises:
        gnomon.say.errors.UsageError: for a device that is not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu" or (name.startswith("cuda") and torch.cuda.is_available()):
        return name
    has = "auto, cpu" + (", cuda" if torch.cuda.is_available() else " (this machine shows no CUDA device)")
    raise UsageError(f"device {name!r}: expected {has}")
