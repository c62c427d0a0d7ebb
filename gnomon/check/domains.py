"""Whether what a user gives lies in a claim's domains: what was expected and what came, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.lower import shape_of
from gnomon.compute.whole_numbers import Bindings, Wholes
from gnomon.say.claim import Claim
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes, Structural, Structure
from gnomon.say.errors import UsageError, nearest


def check_names(what: str, given: Any, wanted: Iterable[str]) -> None:
    """Raise a UsageError unless ``given`` is a dictionary with exactly the names that are wanted."""
    wanted = list(wanted)
    if not isinstance(given, Mapping):
        raise UsageError(f"{what}: expected a dictionary with {_listed(wanted)}, got {type(given).__name__}")
    missing = [name for name in wanted if name not in given]
    if missing:
        raise UsageError(f"{what}: {_listed(missing)} missing; expected {_listed(wanted)}")
    unknown = [str(name) for name in given if name not in wanted]
    if unknown:
        raise UsageError(f"{what}: {unknown[0]} is not one of them{nearest(unknown[0], wanted)}; remove it")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def structure_fault(domains: Iterable[Structural], structure: Structure) -> str:
    """What is wrong with a structure that has all the names of some domains, as a sentence; "" if it lies in them."""
    for domain in domains:
        value = structure[domain.name]
        if isinstance(domain, Size):
            fault = _size_fault(domain, value)
        elif isinstance(domain, Choice):
            known = isinstance(value, str) and value in domain.options
            fault = "" if known else f"expected one of {', '.join(domain.options)}"
        elif isinstance(domain, Sizes):
            numbers = {name: number for name, number in structure.items() if isinstance(number, int)}
            length = Wholes(Bindings(numbers, {}, {}), ()).whole(domain.length, {})
            whole = isinstance(value, (list, tuple)) and len(value) == length
            fault = "" if whole else f"expected a list of {length} sizes"
            fault = fault or next(filter(None, (_size_fault(domain, width) for width in value)), "")
        else:
            fault = _graph_fault(domain, value, structure[domain.size.name])
        if fault:
            return f"{domain.name} = {value!r}: {fault}"
    return ""


def _size_fault(domain: Size | Sizes, value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(domain, Size) or domain.closed:
        return "" if whole and domain.low <= value <= domain.high else f"expected {domain.low}…{domain.high}, whole"
    return "" if whole and domain.low <= value else f"expected a whole number from {domain.low} on"


def beyond(claim: Claim, structure: Structure) -> bool:
    """Whether a structure has a size that is larger than those that are drawn."""
    return any(isinstance(domain, Size) and structure[domain.name] > domain.high for domain in claim.structure)


def _graph_fault(domain: Graph, value: Any, size: int) -> str:
    square = isinstance(value, (list, tuple)) and len(value) == size
    if not square or not all(isinstance(row, (list, tuple)) and len(row) == size for row in value):
        return f"expected {size} rows of {size} entries, as {domain.size.name} = {size}"
    if any(isinstance(entry, bool) or entry not in (0, 1) for row in value for entry in row):
        return "expected entries 0 and 1: A[i][j] is 1 where an edge leads from j to i"
    if not domain.loops and any(value[i][i] for i in range(size)):
        return "expected no self loop"
    if not domain.directed and any(value[i][j] != value[j][i] for i in range(size) for j in range(i)):
        return "expected a symmetric matrix: the graph is undirected"
    if domain.connected and not connected(value):
        return "expected a connected graph"
    if (
        not domain.isolated
        and size > 1
        and any(not any(value[i]) and not any(r[i] for r in value) for i in range(size))
    ):
        return "expected no isolated node"
    return ""


def connected(matrix: Sequence[Sequence[int]]) -> bool:
    """Whether every node can be reached from the first, along edges in either direction."""
    seen, stack = {0}, [0]
    while stack:
        node = stack.pop()
        for other in range(len(matrix)):
            if (matrix[node][other] or matrix[other][node]) and other not in seen:
                seen.add(other)
                stack.append(other)
    return len(seen) == len(matrix)


def host_number(domain: Domain, given: Any) -> float:
    """A hyper-parameter, checked.

    Raises:
        UsageError: if it is no number, or outside its domain.
    """
    try:
        value = math.nan if isinstance(given, (bool, str)) else float(given)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        value = math.nan
    if not math.isfinite(value) or not domain.contains(value) or (domain.integer and value != int(value)):
        raise UsageError(f"{domain.name} = {given!r}: expected {expected(domain)}")
    return value


def tensor_of(domain: Domain, given: Any, bindings: Bindings, dtype: torch.dtype, device: torch.device) -> Tensor:
    """An input as a float64 tensor of numbers that the dtype has, checked.

    Raises:
        UsageError: if it is no tensor of real numbers, has another shape, or lies outside its domain.
    """
    try:
        if domain.lengths is not None and isinstance(given, (list, tuple)):
            given = _filled_up(given, bindings.arrays[str(domain.lengths)], shape_of(domain, bindings))
        raw = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{domain.name}: expected {expected(domain)}, as a tensor or nested lists: {error}") from error
    if (raw.dtype == torch.bool and not domain.mask) or raw.is_complex():
        raise UsageError(f"{domain.name}: expected {expected(domain)}, got entries of {raw.dtype}")
    if not raw.is_floating_point() or not torch.is_tensor(given):
        raw = torch.as_tensor(given, dtype=torch.float64)  # torch would read a list's numbers as float32
    shape = shape_of(domain, bindings)
    if tuple(raw.shape) != shape:
        raise UsageError(
            f"{domain.name} has shape {tuple(raw.shape)}: expected {shape}, its domain is {expected(domain)}"
        )
    value = raw.detach().to(device, dtype).to(torch.float64)
    low = value > domain.low if domain.open_low else value >= domain.low
    high = value < domain.high if domain.open_high else value <= domain.high
    inside = low & high & value.isfinite() & ((value == value.round()) | torch.tensor(not domain.integer))
    if not bool(inside.all()):
        at = (~inside).nonzero()[0].tolist()
        place, number = domain.name + (str(at) if at else ""), float(raw[tuple(at)])
        read = float(value[tuple(at)])
        note = "" if repr(read) == repr(number) else f", which is {read!r} in {str(dtype).removeprefix('torch.')}"
        raise UsageError(f"{place} = {number!r}{note}: expected {expected(domain)}")
    if domain.simplex:
        _check_simplex(domain, value)
    if domain.some and bool((value == 0).all(-1).any()):
        raise UsageError(f"{domain.name}: a row is all 0, expected {expected(domain)}")
    return value


def _filled_up(rows: Sequence[Any], lengths: Sequence[int], shape: tuple[int, ...]) -> Tensor | Sequence[Any]:
    """Arrays of several lengths as one tensor, filled up with 0; other lists as they are."""
    arrays = [torch.as_tensor(row, dtype=torch.float64) for row in rows]
    if [tuple(each.shape) for each in arrays] != [(length, *shape[2:]) for length in lengths]:
        return rows
    filled = torch.zeros(shape, dtype=torch.float64)
    for place, each in enumerate(arrays):
        filled[place, : len(each)] = each
    return filled


def _check_simplex(domain: Domain, value: Tensor) -> None:
    """Raise a UsageError unless the last axis sums to 1, but for what each probability's own rounding leaves."""
    for row in value.reshape(-1, value.shape[-1]).tolist():
        total = math.fsum(row)
        if abs(total - 1) > torch.finfo(torch.float64).eps:
            raise UsageError(
                f"{domain.name}: the numbers {row} sum to {total!r}, expected probabilities, which sum to 1"
            )


def check_covers(domain: Domain, values: Mapping[str, Tensor]) -> None:
    """Raise a UsageError if a law is 0 where one that it covers is positive."""
    if domain.covers and bool(((values[domain.name] == 0) & (values[domain.covers] > 0)).any()):
        raise UsageError(f"{domain.name} is 0 where {domain.covers} is positive: expected {expected(domain)}")


def expected(domain: Domain) -> str:
    """A domain in words."""
    return f"{domain}, whole" if domain.integer and not str(domain).startswith("integer") else str(domain)
