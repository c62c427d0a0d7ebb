"""What people do today, on the same claims and planted bugs: assert_close, Hypothesis with assert_close, gradcheck."""

from __future__ import annotations

import math
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnomon.check.inputs import fit
from gnomon.check.observer import Observer
from gnomon.check.strategies import Example
from gnomon.check.task import Task
from gnomon.compute.batch import Batch
from gnomon.compute.lower import entries, shape_of
from gnomon.drive.driver import SubjectError
from gnomon.say.domain import Domain

EXAMPLES = 100


def differs(task: Task, example: Example, observer: Observer, point: Batch) -> bool:
    """Whether ``torch.testing.assert_close``, with its defaults, sees a difference from the program's float64 value."""
    compiled = task.compiled(example.structure)
    value, _ = compiled.truth(point, task.dtype, task.device)
    try:
        shown = observer.one({name: tensor[0] for name, tensor in observer.tensors(point).items()})
    except SubjectError:
        return True
    seen = torch.cat([tensor.detach().reshape(-1) for tensor in shown.values()])
    expected = value[0].to(seen.dtype)
    if compiled.sides:  # how far an inequality is violated, against 0
        excess = compiled.judge(point, seen.double()[None], task.dtype, task.device).excess
        seen, expected = excess.clamp(min=0), torch.zeros_like(excess)
    try:
        torch.testing.assert_close(seen, expected, equal_nan=True)
    except AssertionError:
        return True
    return False


def normal_point(task: Task, example: Example, generator: torch.Generator) -> Batch:
    """One point of random normals, moved into the domains."""
    bindings = task.compiled(example.structure).bindings
    values: dict[str, Tensor] = {}
    for domain in task.claim.inputs:
        if not domain.host:
            shape = (1, *shape_of(domain, bindings))
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            values[domain.name] = torch.softmax(drawn, -1) if domain.simplex else _fitted(domain, drawn)
    return Batch(values, example.host, (("normal", 1),), 1)


def _fitted(domain: Domain, drawn: Tensor) -> Tensor:
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        drawn = domain.low + (domain.high - domain.low) * torch.sigmoid(drawn)
    return fit(domain, drawn)


def assert_close_finds(task: Task, examples: list[Example], points: int = 1) -> bool:
    """A few random batches compared, as most test-suites do."""
    generator = torch.Generator().manual_seed(0)
    for example in examples:
        try:
            observer = task.observer(example)
        except SubjectError:
            return True
        if any(differs(task, example, observer, normal_point(task, example, generator)) for _ in range(points)):
            return True
    return False


def elements(domain: Domain) -> st.SearchStrategy[float]:
    """Floats of a domain within [-10, 10]."""
    low, high = max(domain.low, -10.0), min(domain.high, 10.0)
    return st.floats(
        low, high, width=64, exclude_min=domain.open_low, exclude_max=domain.open_high and high == domain.high
    )


def hypothesis_finds(task: Task, examples: list[Example], count: int = EXAMPLES) -> tuple[bool, int]:
    """Plain Hypothesis over the numbers, with assert_close: whether it finds something, and in how many examples."""
    looked = [0]
    observers: dict[int, Observer] = {}

    @settings(
        max_examples=count, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def agrees(data: Any) -> None:
        looked[0] += 1
        number = data.draw(st.integers(0, len(examples) - 1))
        example = examples[number]
        bindings = task.compiled(example.structure).bindings
        values = {}
        for domain in task.claim.inputs:
            if domain.host:
                continue
            shape = shape_of(domain, bindings)
            flat = [data.draw(elements(domain)) for _ in entries(shape)]
            drawn = torch.tensor(flat, dtype=torch.float64).reshape(1, *shape)
            if domain.simplex:
                drawn = (drawn + 1e-9) / (drawn + 1e-9).sum(-1, keepdim=True)
            values[domain.name] = drawn
        observer = observers.setdefault(number, task.observer(example))
        assert not differs(task, example, observer, Batch(values, example.host, (("drawn", 1),), 1))

    try:
        agrees()
    except (AssertionError, SubjectError):
        return True, looked[0]
    return False, looked[0]


def gradcheck_finds(task: Task, examples: list[Example]) -> bool:
    """``torch.autograd.gradcheck`` in float64: does the backward pass fit the forward pass?"""
    generator = torch.Generator().manual_seed(0)
    for example in examples:
        try:
            observer = task.observer(example)
            point = normal_point(task, example, generator)
            names = list(point.values)
            tensors = [tensor[0].requires_grad_() for tensor in point.values.values()]

            def call(*given: Tensor, names: list[str] = names, observer: Observer = observer) -> tuple[Tensor, ...]:
                return tuple(observer.one(dict(zip(names, given, strict=True))).values())

            if any(out.requires_grad for out in call(*tensors)):
                torch.autograd.gradcheck(call, tensors)
        except Exception:
            return True
    return False
