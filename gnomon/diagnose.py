"""From a failing batch to a counterexample: confirm with Arb, simplify, class, and name the variant."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gnomon.balls import Undecided, ball
from gnomon.claim import Claim
from gnomon.compiled import Compiled, K
from gnomon.domain import Choice, Graph, Size, Sizes
from gnomon.draw import Batch
from gnomon.driver import SubjectError
from gnomon.evidence import Counterexample
from gnomon.lower import LoweringError
from gnomon.search import Compilations, Failure, Task, autograd_product, cotangents, gradient_share
from gnomon.shrink import minimise

if TYPE_CHECKING:
    from gnomon.property_tests.strategies import Example

CANDIDATES = 6
SMALL = 288
PLAIN = (1.0, 0.0, 0.5, 2.0)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, in one word and one sentence, with the smallest input that shows it."""

    failure: str
    reason: str
    variant: str | None
    counterexample: Counterexample


def diagnose(task: Task, failure: Failure) -> Diagnosis | None:
    """The diagnosis of a failing batch, or None if no point of it fails when looked at alone.

    Raises:
        SubjectError: if the subject crashes or breaks its contract on the way.
    """
    variant = matching_variant(task, failure)
    point = _confirmed(task, failure)
    if point is None:
        return None
    example, point = smallest(task, failure.example, point)
    compiled = task.compiled(example.structure)
    observed = _alone(task, example, point)
    judgement = compiled.judge(point, observed, task.dtype, task.device)
    entry = int(judgement.share[0].argmax())
    finite = bool(judgement.finite[0, min(entry, judgement.finite.shape[-1] - 1)])
    name, reason = _classed(task, example, point, finite)
    return Diagnosis(name, reason, variant, _counterexample(task, example, point, observed, entry))


def _alone(task: Task, example: Example, point: Batch) -> Tensor:
    """The observation (1, N) when a point is given to the subject alone, as a user would."""
    observer = task.observer(example)
    tensors = {name: value[0] for name, value in observer.tensors(point).items()}
    shown = observer.one(tensors)
    return torch.cat([value.detach().to(torch.float64).reshape(1, -1) for value in shown.values()], -1)


def confirm(task: Task, example: Example, point: Batch, observed: Tensor) -> bool:
    """Whether Arb confirms that the observation at a point is over its budget."""
    compiled = task.compiled(example.structure)
    judgement = compiled.judge(point, observed, task.dtype, task.device)
    entry = int(judgement.share[0].argmax())
    if not bool(judgement.fails[0]):
        return False
    if not bool(observed.isfinite().all()):
        return True
    budget = ball(float(judgement.budget[0, entry]))
    try:
        if compiled.sides:
            small, large = compiled.enclosed_sides(point, observed)[entry]
            return bool(small - large > budget)
        return bool(abs(compiled.enclosures(point)[entry] - ball(float(observed[0, entry]))) > budget)
    except Undecided:
        return False


def _confirmed(task: Task, failure: Failure) -> Batch | None:
    compiled = task.compiled(failure.example.structure)
    share = compiled.judge(failure.batch, failure.observed, task.dtype, task.device).share.amax(-1)
    for number in share.topk(min(CANDIDATES, len(share))).indices.tolist():
        if share[number] <= 1:
            break
        point = failure.batch.point(number)
        if confirm(task, failure.example, point, _alone(task, failure.example, point)):
            return point
    return None


# ---------------------------------------------------------------- smaller


def smallest(task: Task, example: Example, point: Batch) -> tuple[Example, Batch]:
    """The simplest structure, hyper-parameters and numbers found at which the subject still fails, confirmed."""
    best = example, point
    finite = bool(_alone(task, example, point).isfinite().all())
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(task.claim, best[0]):
            found = _fails_at(task, smaller, finite)
            if found is not None:
                best, improved = (smaller, found), True
                break
    example, point = best
    simple = minimise(point, task.claim.inputs, lambda batch: _failing(task, example, batch, finite), task.dtype)
    return (example, simple) if confirm(task, example, simple, _alone(task, example, simple)) else best


def _failing(task: Task, example: Example, batch: Batch, finite: bool) -> Tensor:
    """Which points of a batch fail, with finite observations or not as wanted; none where the subject cannot be run."""
    try:
        observed, chosen = task.observer(example).many(batch)
    except SubjectError:
        return torch.zeros(batch.size, dtype=torch.bool, device=task.device)
    looked = batch if chosen is None else batch.take(chosen)
    flat = observed.detach().to(torch.float64)
    fails = task.compiled(example.structure).judge(looked, flat, task.dtype, task.device).fails
    fails = fails & (flat.isfinite().all(-1) == finite)
    if chosen is None:
        return fails
    return torch.zeros(batch.size, dtype=torch.bool, device=task.device).index_put((chosen,), fails)


def _fails_at(task: Task, example: Example, finite: bool) -> Batch | None:
    """A confirmed failing point of a small batch of an example, if there is one."""
    try:
        batch = task.batch(example, SMALL)
        numbers = _failing(task, example, batch, finite).nonzero().flatten().tolist()[:CANDIDATES]
        for number in numbers:
            point = batch.point(number)
            if confirm(task, example, point, _alone(task, example, point)):
                return point
    except (LoweringError, ZeroDivisionError, SubjectError):
        return None
    return None


def _smaller(claim: Claim, example: Example) -> Iterator[Example]:
    """Simpler structures and hyper-parameters, the boldest first."""
    least = _least_structure(claim)
    if least is not None and least != example.structure:
        yield dataclasses.replace(example, structure=least)
    dependent = any(isinstance(domain, (Sizes, Graph)) for domain in claim.structure)
    for domain in claim.structure:
        value = example.structure[domain.name]
        if isinstance(domain, Size) and value > domain.low and not dependent:
            for smaller in dict.fromkeys((domain.low, value - 1)):
                yield dataclasses.replace(example, structure={**example.structure, domain.name: smaller})
        elif isinstance(domain, Choice) and value != next(iter(domain.options)):
            first = next(iter(domain.options))
            yield dataclasses.replace(example, structure={**example.structure, domain.name: first})
        elif isinstance(domain, Sizes):
            for position, width in enumerate(value):
                if width > domain.low:
                    fewer = [*value[:position], domain.low, *value[position + 1 :]]
                    yield dataclasses.replace(example, structure={**example.structure, domain.name: fewer})
        elif isinstance(domain, Graph) and len(value) > domain.size.low:
            fewer = [row[:-1] for row in value[:-1]]
            if not domain.connected or _connected(fewer):
                size = {domain.size.name: len(fewer), domain.name: fewer}
                yield dataclasses.replace(example, structure={**example.structure, **size})
    for number in claim.inputs:
        if number.host:
            for plain in (*number.typical[:1], *PLAIN):
                if number.contains(plain) and _plainer(plain, example.host[number.name], number.typical):
                    yield dataclasses.replace(example, host={**example.host, number.name: plain})


def _plainer(new: float, old: float, typical: tuple[float, ...]) -> bool:
    order = [*typical[:1], *PLAIN]
    rank = {value: place for place, value in reversed(list(enumerate(order)))}
    return rank[new] < rank.get(old, len(order))


def _least_structure(claim: Claim) -> dict[str, Any] | None:
    """Every size at its least and every choice at its first, where nothing depends on anything else."""
    least: dict[str, Any] = {}
    for domain in claim.structure:
        if isinstance(domain, Size):
            least[domain.name] = domain.low
        elif isinstance(domain, Choice):
            least[domain.name] = next(iter(domain.options))
        else:
            return None
    return least


def _connected(matrix: list[list[int]]) -> bool:
    seen, stack = {0}, [0]
    while stack:
        node = stack.pop()
        for other in range(len(matrix)):
            if (matrix[node][other] or matrix[other][node]) and other not in seen:
                seen.add(other)
                stack.append(other)
    return len(seen) == len(matrix)


# ---------------------------------------------------------------- what it is


def _classed(task: Task, example: Example, point: Batch, finite: bool) -> tuple[str, str]:
    """Wrong formula or inaccurate, from how the error changes with the precision; range for what is not finite."""
    if not finite:
        return "range", "is not finite where the truth is finite and representable"
    low, high = torch.float32, torch.float64
    other = low if task.dtype == high else high
    coarse = Batch(
        {name: value.to(low).to(high) for name, value in point.values.items()},
        point.host,
        point.regimes,
        point.size,
    )
    errors: dict[torch.dtype, float] = {}
    for dtype in (task.dtype, other):
        there = dataclasses.replace(task, dtype=dtype)
        at = point if dtype == task.dtype else coarse
        try:
            observed = _alone(there, example, at)
        except SubjectError:
            return "wrong formula", f"disagrees in {_short(task.dtype)} (and does not run in {_short(other)})"
        errors[dtype] = float(task.compiled(example.structure).judge(at, observed, dtype, task.device).excess.max())
    units = {dtype: torch.finfo(dtype).eps for dtype in errors}
    fine, rough = sorted(errors, key=lambda dtype: units[dtype])
    # halfway, on the scale of logarithms, between not shrinking at all and shrinking with the unit roundoff
    if errors[fine] <= errors[rough] * (units[fine] / units[rough]) ** 0.5:
        return "inaccurate", f"the error shrinks with the unit roundoff, but is over {K} times the bound"
    return "wrong formula", "the error does not shrink with the unit roundoff"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def matching_variant(task: Task, failure: Failure) -> str | None:
    """The variant whose values the observation has, within rounding, at every point that can be compared."""
    for variant in task.claim.variants:
        if not variant.replace:
            continue
        try:
            other = Compilations(task.claim.under(variant))(failure.example.structure)
        except (LoweringError, ZeroDivisionError):
            continue
        value, bound = other.truth(failure.batch, task.dtype, task.device)
        truth, own = task.compiled(failure.example.structure).truth(failure.batch, task.dtype, task.device)
        compared = bound.isfinite() & own.isfinite()
        apart = compared & ((value - truth).abs() > K * (bound + own))
        near = (failure.observed - value).abs() <= K * bound
        if bool(apart.any()) and bool((near | ~compared).all()):
            return variant.name
    return None


# ---------------------------------------------------------------- for the reader


def _counterexample(task: Task, example: Example, point: Batch, observed: Tensor, entry: int) -> Counterexample:
    compiled = task.compiled(example.structure)
    judgement = compiled.judge(point, observed, task.dtype, task.device)
    expected, shown = _both_values(compiled, point, observed, entry)
    found = Counterexample(
        structure=dict(example.structure),
        inputs={**example.host, **{name: value[0].tolist() for name, value in point.values.items()}},
        output=compiled.judged[entry],
        observed=shown,
        expected=expected,
        difference=float(judgement.excess[0, entry]),
        budget=float(judgement.budget[0, entry]),
    )
    return dataclasses.replace(found, code=reproduction(task, found))


def _both_values(compiled: Compiled, point: Batch, observed: Tensor, entry: int) -> tuple[str, str]:
    """What was expected and what was seen, as text; for an inequality both of its sides."""
    try:
        if compiled.sides:
            small, large = compiled.enclosed_sides(point, observed)[entry]
            return f"at most {large.str(17, radius=False)}", small.str(17, radius=False)
        truth = compiled.enclosures(point)[entry].str(17, radius=False)
    except Undecided:
        truth = "on a branch that cannot be decided here"
    return truth, repr(float(observed[0, entry]))


def reproduction(task: Task, found: Counterexample) -> str:
    """A short program that shows the disagreement again."""
    lines = [
        "import gnomon",
        "",
        "result = gnomon.check_point(",
        f"    {task.claim.id!r},",
        f"    structure={found.structure!r},",
        f"    inputs={found.inputs!r},",
        f"    dtype={_short(task.dtype)!r},",
        "    # impl=YourImplementation,",
        ")",
        "print(result)",
    ]
    return "\n".join(lines)


# ---------------------------------------------------------------- gradients


def diagnose_gradient(task: Task, failure: Failure) -> Diagnosis | None:
    """The diagnosis of a wrong gradient under right values: the worst point, simplified, with both derivatives."""
    example = failure.example
    gradient = task.compiled.gradient(example.structure)
    cotangent = cotangents(example, failure.batch.size, len(gradient.compiled.nodes), task.device)[failure.number]

    def shares(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        weights = cotangent.expand(batch.size, -1)
        seen = autograd_product(task.observer(example), batch, gradient, weights)
        value, bound = gradient.truth(batch, weights, task.dtype, task.device)
        return seen, value, bound, gradient_share(seen, value, bound)

    def fails(batch: Batch) -> Tensor:
        return shares(batch)[3].amax(-1) > 1

    point = minimise(failure.batch.point(failure.number), task.claim.inputs, fails, task.dtype)
    seen, value, bound, share = shares(point)
    entry = int(share[0].argmax())
    if not bool(share[0, entry] > 1):
        return None
    truth = gradient.enclosure(point, cotangent, entry)
    if bool(seen[0, entry].isfinite()) and not abs(truth - ball(float(seen[0, entry]))) > ball(
        float(K * bound[0, entry])
    ):
        return None
    weights = ", ".join(
        f"{weight:g}·{label}" for weight, label in zip(cotangent.tolist(), gradient.compiled.labels, strict=True)
    )
    found = Counterexample(
        structure=dict(example.structure),
        inputs={**example.host, **{name: at[0].tolist() for name, at in point.values.items()}},
        output=f"{gradient.labels[entry]} of {weights}",
        observed=repr(float(seen[0, entry])),
        expected=truth.str(17, radius=False),
        difference=float((seen - value).abs()[0, entry]),
        budget=float(K * bound[0, entry]),
    )
    finite = bool(seen[0, entry].isfinite())
    reason = "the values are right, but autograd's gradient is not the derivative"
    return Diagnosis(
        "wrong gradient" if finite else "range",
        reason if finite else "the gradient is not finite",
        None,
        found,
    )


def pinpoint(task: Task, structure: dict[str, Any], host: dict[str, float], point: Batch) -> Diagnosis | str:
    """What a subject does at one given point: a diagnosis if it fails there, else a sentence with both values."""
    from gnomon.property_tests.strategies import Example

    example = Example(structure, host, 0)
    observed = _alone(task, example, point)
    judgement = task.compiled(structure).judge(point, observed, task.dtype, task.device)
    entry = int(judgement.share[0].argmax())
    found = _counterexample(task, example, point, observed, entry)
    if confirm(task, example, point, observed):
        failure, reason = _classed(task, example, point, bool(observed.isfinite().all()))
        return Diagnosis(failure, reason, None, found)
    share = float(judgement.share[0, entry])
    return f"holds {found}, {share:.0%} of what rounding allows"
