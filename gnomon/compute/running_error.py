"""Straight-line programs in torch: float64 values, and with them a running bound on rounding error.

For each node the pair (v, e): v is the float64 value, and the sum of its error and of the error that an evaluation in
the subject's dtype may make is at most e, propagated with the triangle inequality. Each operation is charged one unit
roundoff, a library function two (the accuracy that vendors state), products and quotients an underflow term. A value
that must overflow, a divisor that may be zero and the root of what may be negative have an infinite bound: such a point
is excused, and counted.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.charge import INF, Charge, Format, Pair
from gnomon.compute.operations import CONDITIONS, OPERATIONS
from gnomon.compute.slp import SLP, Leaf

NUMBERS = ("const", "pi", "lowest")
"""Nodes that are the same number at every point."""


def values(slp: SLP, outputs: Sequence[int], leaves: Mapping[Leaf, Any], like: Tensor) -> list[Tensor]:
    """The nodes' plain values in the dtype and on the device of ``like``; autograd passes through.

    Hyper-parameters and constants are computed in float64, as Python does, until they meet a tensor.
    """
    made: dict[int, Any] = {}
    for number, dead in slp.ordered(outputs):
        node, host = slp.nodes[number], slp.host[number]
        dtype = torch.float64 if host else like.dtype
        kept = [host or not slp.host[arg] or slp.nodes[arg].op in CONDITIONS for arg in node.args]
        args = [made[arg] if keep else made[arg].to(like.dtype) for arg, keep in zip(node.args, kept, strict=True)]
        if node.op == "leaf":
            made[number] = torch.as_tensor(leaves[node.value], dtype=dtype, device=like.device)
        elif node.op in NUMBERS:
            made[number] = torch.tensor(_number(slp, number), dtype=dtype, device=like.device)
        else:
            operation = OPERATIONS[node.op]
            made[number] = operation.torch(*args, *([node.value] if operation.needs == "value" else []))
        for each in dead:
            del made[each]
    return [made[number].to(like.dtype) for number in outputs]


def _number(slp: SLP, number: int) -> float:
    node = slp.nodes[number]
    return {"pi": torch.pi, "lowest": -INF}[node.op] if node.op != "const" else float(node.value)


def bounded(
    slp: SLP,
    outputs: Sequence[int],
    leaves: Mapping[Leaf, Any],
    dtype: torch.dtype,
    device: torch.device,
    sums: torch.dtype | None = None,
) -> list[Pair]:
    """Values and running error bounds of some nodes, for a subject that computes in ``dtype``, and adds up in ``sums``.

    Leaves are exact float64 tensors of shape (B,), or numbers where they are hyper-parameters; one that ``dtype`` does
    not hold is rounded as it enters. A bound covers the subject's error and that of the float64 value together; it is
    infinite where the point must be excused.
    """
    subject = Format(dtype)
    flushes = may_flush(dtype, device)
    tensor, host = charges(dtype, device, sums)
    made: dict[int, Pair] = {}
    entered: dict[int, Pair] = {}
    for number, dead in slp.ordered(outputs):
        node = slp.nodes[number]
        if node.op == "leaf":
            value = torch.as_tensor(leaves[node.value], dtype=torch.float64, device=device)
            made[number] = (value, torch.zeros_like(value))
            if not slp.host[number] and not torch.equal(value.to(dtype).to(torch.float64), value):
                made[number] = enter(made[number], subject)
            if flushes and not slp.host[number]:
                made[number] = flushed(made[number], subject)
            continue
        if node.op in NUMBERS:
            value = torch.tensor(_number(slp, number), dtype=torch.float64, device=device)
            exact = node.op == "lowest" or (node.op == "const" and Fraction(value.item()) == node.value)
            made[number] = (value, torch.zeros_like(value) if exact else value.abs() * host.u / 2)
            continue
        is_host = slp.host[number]
        args = []
        for arg in node.args:
            if slp.host[arg] and not is_host and slp.nodes[arg].op not in CONDITIONS:
                if arg not in entered:
                    entered[arg] = enter(made[arg], subject)
                args.append(entered[arg])
            else:
                args.append(made[arg])
        charge = host if is_host else tensor
        operation = OPERATIONS[node.op]
        besides = {"value": node.value, "nonneg": slp.nonneg(node.args[0])}
        more = {operation.needs: besides[operation.needs]} if operation.needs else {}
        value, error = operation.bound(charge, *args, **more)
        if not is_host and dtype != torch.float64 and operation.grows:
            error = overflowed(value, error, subject, slp.lowest[number])
        if any(slp.lowest[arg] for arg in node.args):
            error = at_infinity(node.op, args, value, error)
        made[number] = (value, error)
        if flushes and not is_host and node.op not in CONDITIONS:
            made[number] = flushed(made[number], subject)
        for each in dead:
            del made[each]
    found = [enter(made[number], subject) if _is_host_number(slp, number) else made[number] for number in outputs]
    return [(value, torch.nan_to_num(error, nan=INF, posinf=INF)) for value, error in found]


def charges(dtype: torch.dtype, device: torch.device, sums: torch.dtype | None = None) -> tuple[Charge, Charge]:
    """What operations on tensors in ``dtype`` cost, which are added up in ``sums``, and those on Python's floats."""
    subject, double = Format(dtype), Format(torch.float64)
    lost = subject.tiny if may_flush(dtype, device) else 0.0
    finer = Format(sums).u + double.u if sums is not None and Format(sums).u < subject.u else None
    units = subject.u + double.u, subject.eta + double.eta, subject.tiny + double.tiny
    return (
        Charge(*units, subject.largest, lost, finer),
        Charge(2 * double.u, 2 * double.eta, 2 * double.tiny, double.largest),
    )


def overflowed(value: Tensor, error: Tensor, subject: Format, lowest: bool) -> Tensor:
    """The bound, infinite where a number may lie beyond the largest; a ``lowest`` one may be so on purpose."""
    over = value.abs() + error > subject.largest
    if lowest:
        over &= (value != -INF) | (error != 0)
    return error.masked_fill(over, INF)


def at_infinity(op: str, args: Sequence[Pair], value: Tensor, error: Tensor) -> Tensor:
    """The bound where an argument is minus infinity on purpose, and so exactly: added to, scaled, or a power of e."""
    (a, e), (b, f) = args[0], args[-1]
    if op == "exp":
        return error.masked_fill((a == -INF) & (e == 0), 0.0)
    if op in ("add", "sum"):
        meant = [term.isinf() & (own == 0) for term, own in args]
        known = [own.isfinite() for _, own in args]
        sure = functools.reduce(torch.logical_or, meant) & functools.reduce(torch.logical_and, known)
    elif op in ("mul", "div"):
        sure = (a.isinf() & (e == 0) & (f < b.abs())) | (b.isinf() & (f == 0) & (e < a.abs()))
    else:
        return error
    return error.masked_fill(sure & value.isinf(), 0.0)


def may_flush(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether kernels take subnormal numbers for zero: CPU kernels for bfloat16 matrices do, and CUDA's atomic
    additions in float32, by which ``index_add`` and gradients of what is gathered are computed; and all do where the
    processor cannot be told otherwise.
    """
    return dtype == torch.bfloat16 or (device.type == "cuda" and dtype == torch.float32) or flushes()


def flushes() -> bool:
    """Whether this thread's processor takes subnormal numbers for zero, see ``torch.set_flush_denormal``."""
    return bool(torch.full((), torch.finfo(torch.float64).tiny, dtype=torch.float64) / 2 == 0)


def _is_host_number(slp: SLP, number: int) -> bool:
    """Whether a node is computed in Python's floats; shown as an output it is rounded to the subject's dtype."""
    return slp.host[number] and slp.nodes[number].op not in CONDITIONS


def flushed(pair: Pair, subject: Format) -> Pair:
    """A number below the smallest normal one may be taken for zero, and if all are, so may a part of any number."""
    value, error = pair
    if flushes():
        return value, torch.where(value.isinf(), error, error + subject.tiny)
    small = value.abs() <= subject.tiny + error
    return value, torch.where(small, error + value.abs(), error)


def enter(pair: Pair, subject: Format) -> Pair:
    """A hyper-parameter meets a tensor: it is rounded to the subject's dtype unless it fits exactly, or overflows."""
    value, error = pair
    rounded = value.to(subject.dtype).to(torch.float64)
    error = torch.where(rounded == value, error, error + value.abs() * subject.u + subject.eta)
    return value, error.masked_fill(rounded.isinf() & value.isfinite(), INF)
