"""The command line's work from Python: :func:`verify`, :func:`prove`, :func:`check_point`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from gnomon.check.diagnose import Diagnosis, pinpoint
from gnomon.check.proof_record import proof_record
from gnomon.check.search import BUDGETS
from gnomon.check.undisturbed import undisturbed
from gnomon.check.verdict import DTYPES, check, prepare
from gnomon.compute.batch import Batch
from gnomon.drive.driver import SubjectError
from gnomon.find import walk
from gnomon.find.subjects import check_subject, forget_files, resolve
from gnomon.say.claim import Claim
from gnomon.say.errors import UsageError
from gnomon.say.evidence import Evidence, exit_code


class Results(list[Evidence]):
    """The evidence of a run; prints as a table, one line a claim and dtype, failures with their counterexamples."""

    @property
    def exit_code(self) -> int:
        """What the command line would exit with: 0 all hold, 1 some claim fails, 3 something is undecided."""
        return exit_code(evidence.verdict for evidence in self)

    def __str__(self) -> str:
        verdicts = [evidence.verdict for evidence in self]
        counts = ", ".join(f"{verdicts.count(word)} {word}" for word in ("holds", "fails", "undecided"))
        return "\n".join([*map(str, self), counts])

    __repr__ = __str__


@contextmanager
def as_guest() -> Iterator[None]:
    """What :mod:`gnomon` does in its caller's process: nothing global changes, and a file runs anew in each call."""
    try:
        with undisturbed(0):
            yield
    finally:
        forget_files()


@as_guest()
def verify(
    patterns: str | Sequence[str] = (),
    *,
    impl: dict[str, Any] | None = None,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype | Sequence[str | torch.dtype] = ("float64", "float32"),
    budget: str = "quick",
    seed: int = 0,
    proofs: bool = True,
) -> Results:
    """Check claims against the reference models, or against ``impl`` in the place of some of them.

    ``impl`` maps a subject's name to an object (a class, a function) or to ``"module:object"``. Runs in this process.

    Raises:
        gnomon.say.errors.UsageError: for a pattern, a subject, a dtype, a device or a budget that does not exist.
    """
    chosen = walk.select([patterns] if isinstance(patterns, str) else list(patterns))
    for subject in impl or {}:
        check_subject(subject)
    if budget not in BUDGETS:
        raise UsageError(f"budget={budget!r}: expected one of {', '.join(BUDGETS)}")
    names = dtype_names(dtype)
    where = resolve_device(str(device))
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
    dtype: str | torch.dtype = "float64",
    device: str | torch.device = "cpu",
    impl: Any = None,
) -> str:
    """Look at one input again: what the subject shows there, what the claim says, and what rounding allows.

    Raises:
        gnomon.say.errors.UsageError: if there is no such claim, or an input is missing.
    """
    (claim,) = walk.select([claim_id])
    (name,) = dtype_names(dtype)
    missing = [domain.name for domain in claim.inputs if domain.name not in inputs]
    if missing:
        raise UsageError(f"{claim_id} also needs the inputs {', '.join(missing)}")
    with undisturbed(0):
        found, place = resolve(claim.subject, {} if impl is None else {claim.subject: impl})
    task = prepare(claim, found, place, name, resolve_device(str(device)))
    try:
        seen = pinpoint(task, structure, _host(claim, inputs), _point(claim, inputs, task.device))
    except SubjectError as error:
        return f"{claim_id}: {place} {error.reason}"
    return f"{claim_id}: " + (f"{seen.failure}: {seen.counterexample}" if isinstance(seen, Diagnosis) else seen)


def _host(claim: Claim, inputs: dict[str, Any]) -> dict[str, float]:
    return {domain.name: float(inputs[domain.name]) for domain in claim.inputs if domain.host}


def _point(claim: Claim, inputs: dict[str, Any], device: torch.device) -> Batch:
    values = {
        domain.name: torch.as_tensor(inputs[domain.name], dtype=torch.float64, device=device).unsqueeze(0)
        for domain in claim.inputs
        if not domain.host
    }
    return Batch(values, _host(claim, inputs), (("given", 1),), 1)


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
