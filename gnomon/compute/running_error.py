"""Straight-line programs in torch: float64 values, and with them a running bound on rounding error.

For each node the pair (v, e): v is the float64 value, and the sum of its error and of the error that an evaluation in
the subject's dtype may make is at most e, propagated with the triangle inequality. Each operation is charged one unit
roundoff, a library function two (the accuracy that vendors state), products and quotients an underflow term. A value
that must overflow, a divisor that may be zero and the root of what may be negative have an infinite bound: such a point
is excused, and counted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.slp import CONDITIONS, SLP, Leaf

INF = float("inf")
GROWS = frozenset({"add", "mul", "div", "exp", "expm1", "pow", "powi"})


@dataclass(frozen=True)
class Format:
    """A floating-point format: unit roundoff, smallest subnormal, smallest normal, largest finite number."""

    dtype: torch.dtype

    @property
    def u(self) -> float:
        return torch.finfo(self.dtype).eps / 2

    @property
    def eta(self) -> float:
        info = torch.finfo(self.dtype)
        return info.tiny * info.eps

    @property
    def tiny(self) -> float:
        return torch.finfo(self.dtype).tiny

    @property
    def largest(self) -> float:
        return torch.finfo(self.dtype).max


@dataclass(frozen=True)
class Charge:
    """What an operation costs: a relative rounding, an underflow, that of a library function; the overflow.

    ``flush`` is what is lost if a partial sum that is subnormal is taken for zero.
    """

    u: float
    eta: float
    tiny: float
    largest: float
    flush: float = 0.0


Pair = tuple[Tensor, Tensor]


def values(slp: SLP, outputs: Sequence[int], leaves: Mapping[Leaf, Any], like: Tensor) -> list[Tensor]:
    """The nodes' plain values in the dtype and on the device of ``like``; autograd passes through.

    Hyper-parameters and constants are computed in float64, as Python does, until they meet a tensor.
    """
    made: dict[int, Any] = {}
    free = slp.last_use(outputs)
    for number in slp.reachable(outputs):
        node, host = slp.nodes[number], slp.host[number]
        dtype = torch.float64 if host else like.dtype
        kept = [host or not slp.host[arg] or slp.nodes[arg].op in CONDITIONS for arg in node.args]
        args = [made[arg] if keep else made[arg].to(like.dtype) for arg, keep in zip(node.args, kept, strict=True)]
        if node.op == "leaf":
            made[number] = torch.as_tensor(leaves[node.value], dtype=dtype, device=like.device)
        elif node.op in ("const", "pi"):
            made[number] = torch.tensor(_number(slp, number), dtype=dtype, device=like.device)
        elif node.op == "powi":
            made[number] = args[0] ** node.value
        else:
            made[number] = PLAIN[node.op](*args)
        for dead in free[number]:
            del made[dead]
    return [made[number].to(like.dtype) for number in outputs]


PLAIN: dict[str, Callable[..., Tensor]] = {
    "add": torch.add, "sum": lambda *terms: functools.reduce(torch.add, terms),
    "mul": torch.mul, "div": torch.div, "neg": torch.neg, "pow": torch.pow, "sqrt": torch.sqrt,
    "exp": torch.exp, "log": torch.log, "log1p": torch.log1p, "expm1": torch.expm1, "tanh": torch.tanh,
    "sin": torch.sin, "cos": torch.cos, "abs": torch.abs, "sign": torch.sign, "erf": torch.erf,
    "max": torch.maximum, "min": torch.minimum, "lt": torch.lt, "le": torch.le, "eq": torch.eq,
    "below": torch.lt, "side": torch.sign,
    "select": torch.where,
}  # fmt: skip


def _number(slp: SLP, number: int) -> float:
    node = slp.nodes[number]
    return torch.pi if node.op == "pi" else float(node.value)


def bounded(
    slp: SLP, outputs: Sequence[int], leaves: Mapping[Leaf, Any], dtype: torch.dtype, device: torch.device
) -> list[Pair]:
    """Values and running error bounds of some nodes, for a subject that computes in ``dtype``.

    Leaves are exact float64 tensors of shape (B,), or numbers where they are hyper-parameters. A bound covers the
    subject's error and that of the float64 value together; it is infinite where the point must be excused.
    """
    subject, double = Format(dtype), Format(torch.float64)
    flushes = dtype == torch.bfloat16
    lost = subject.tiny if flushes else 0.0
    tensor = Charge(subject.u + double.u, subject.eta + double.eta, subject.tiny + double.tiny, subject.largest, lost)
    host = Charge(2 * double.u, 2 * double.eta, 2 * double.tiny, double.largest)
    made: dict[int, Pair] = {}
    entered: dict[int, Pair] = {}
    free = slp.last_use(outputs)
    for number in slp.reachable(outputs):
        node = slp.nodes[number]
        if node.op == "leaf":
            value = torch.as_tensor(leaves[node.value], dtype=torch.float64, device=device)
            made[number] = (value, torch.zeros_like(value))
            if flushes and not slp.host[number]:
                made[number] = _flushed(made[number], subject)
            continue
        if node.op in ("const", "pi"):
            value = torch.tensor(_number(slp, number), dtype=torch.float64, device=device)
            exact = node.op == "const" and Fraction(value.item()) == node.value
            made[number] = (value, torch.zeros_like(value) if exact else value.abs() * double.u)
            continue
        is_host = slp.host[number]
        args = []
        for arg in node.args:
            if slp.host[arg] and not is_host and slp.nodes[arg].op not in CONDITIONS:
                if arg not in entered:
                    entered[arg] = _enter(made[arg], subject)
                args.append(entered[arg])
            else:
                args.append(made[arg])
        charge = host if is_host else tensor
        if node.op == "powi":
            value, error = _powi(args[0], node.value, charge)
        elif node.op == "sqrt":
            value, error = _sqrt(args[0], charge, slp.nonneg(node.args[0]))
        else:
            value, error = RULES[node.op](charge, *args)
        if not is_host and dtype != torch.float64 and node.op in GROWS:
            error = error.masked_fill(value.abs() + error > subject.largest, INF)
        made[number] = (value, error)
        if flushes and not is_host and node.op not in CONDITIONS:
            made[number] = _flushed(made[number], subject)
        for dead in free[number]:
            del made[dead]
    found = [_enter(made[number], subject) if _is_host_number(slp, number) else made[number] for number in outputs]
    return [(value, torch.nan_to_num(error, nan=INF, posinf=INF)) for value, error in found]


def _is_host_number(slp: SLP, number: int) -> bool:
    """Whether a node is computed in Python's floats; shown as an output it is rounded to the subject's dtype."""
    return slp.host[number] and slp.nodes[number].op not in CONDITIONS


def _flushed(pair: Pair, subject: Format) -> Pair:
    """A number below the smallest normal one may be taken for zero: CPU kernels for bfloat16 matrices do so."""
    value, error = pair
    small = value.abs() <= subject.tiny + error
    return value, torch.where(small, error + value.abs(), error)


def _enter(pair: Pair, subject: Format) -> Pair:
    """A hyper-parameter meets a tensor: it is rounded to the subject's dtype unless it fits exactly, or overflows."""
    value, error = pair
    rounded = value.to(subject.dtype).to(torch.float64)
    error = torch.where(rounded == value, error, error + value.abs() * subject.u + subject.eta)
    return value, error.masked_fill(rounded.isinf(), INF)


def _add(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] + b[0]
    return value, a[1] + b[1] + value.abs() * c.u


def _sum(c: Charge, *terms: Pair) -> Pair:
    """A sum in any order: each of its n - 1 additions errs by at most a unit of the sum of the sizes."""
    value = functools.reduce(torch.add, [term[0] for term in terms])
    size = functools.reduce(torch.add, [term[0].abs() for term in terms])
    error = functools.reduce(torch.add, [term[1] for term in terms])
    rounding = (size * c.u + c.flush) * (len(terms) - 1)
    return value, (error + rounding).masked_fill(size + error > c.largest, INF)


def _mul(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] * b[0]
    return value, a[0].abs() * b[1] + (b[0].abs() + b[1]) * a[1] + value.abs() * c.u + c.eta


def _div(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] / b[0]
    room = b[0].abs() - b[1]
    error = (a[1] + value.abs() * b[1]) / room + value.abs() * c.u + c.eta
    return value, torch.where(room > 0, error, INF)


def _sqrt(a: Pair, c: Charge, nonneg: bool) -> Pair:
    value = a[0].sqrt()
    # |sqrt(x') - sqrt(x)| <= min(sqrt(|x' - x|), |x' - x| / sqrt(x)); fmin ignores the 0/0 of an exact zero
    error = torch.fmin(a[1].sqrt(), a[1] / value) + value * c.u
    return value, error if nonneg else torch.where((a[0] < a[1]) | (a[0] < 0), INF, error)


def _powi(a: Pair, n: int, c: Charge) -> Pair:
    value = a[0] ** n
    size = a[0].abs()
    return value, (size + a[1]) ** n - size**n + value.abs() * (2 * c.u) + c.eta


def _pow(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] ** b[0]
    relative = b[1] * a[0].log().abs() + (b[0].abs() + b[1]) * -torch.log1p(-a[1] / a[0])
    error = value.abs() * (torch.expm1(relative) + 2 * c.u) + c.eta
    return value, torch.where(a[0] > a[1], error, INF)


def _exp(c: Charge, a: Pair) -> Pair:
    value = a[0].exp()
    return value, _rise(a, value) + value * (2 * c.u) + c.tiny


def _rise(a: Pair, value: Tensor) -> Tensor:
    """``exp(a + e) - exp(a)``, where 0 times infinity would say nothing."""
    return torch.where(a[1] < 1, value * torch.expm1(a[1]), (a[0] + a[1]).exp())


def _log(c: Charge, a: Pair) -> Pair:
    value = a[0].log()
    error = -torch.log1p(-a[1] / a[0]) + value.abs() * (2 * c.u)
    return value, torch.where(a[0] > a[1], error, INF)


def _log1p(c: Charge, a: Pair) -> Pair:
    value = torch.log1p(a[0])
    error = -torch.log1p(-a[1] / (1 + a[0])) + value.abs() * (2 * c.u) + c.tiny
    return value, torch.where(1 + a[0] > a[1], error, INF)


def _expm1(c: Charge, a: Pair) -> Pair:
    value = torch.expm1(a[0])
    return value, _rise(a, a[0].exp()) + value.abs() * (2 * c.u) + c.tiny


def _tanh(c: Charge, a: Pair) -> Pair:
    value = torch.tanh(a[0])
    slope = 1 - torch.tanh((a[0].abs() - a[1]).clamp(min=0)) ** 2
    return value, _at_most_two(a[1] * slope, a[1]) + value.abs() * (2 * c.u) + c.tiny


def _at_most_two(error: Tensor, inner: Tensor) -> Tensor:
    """The error of a function between -1 and 1; an argument that may be NaN leaves nothing to say."""
    return torch.where(inner.isinf(), INF, error.clamp(max=2.0))


def _wave(function: Callable[[Tensor], Tensor]) -> Callable[..., Pair]:
    def rule(c: Charge, a: Pair) -> Pair:
        value = function(a[0])
        return value, _at_most_two(a[1], a[1]) + value.abs() * (2 * c.u) + c.tiny

    return rule


def _erf(c: Charge, a: Pair) -> Pair:
    value = torch.erf(a[0])
    nearest = (a[0].abs() - a[1]).clamp(min=0)
    slope = 2 / torch.pi**0.5 * torch.exp(-nearest * nearest)
    return value, _at_most_two(a[1] * slope, a[1]) + value.abs() * (2 * c.u) + c.tiny


def _sign(c: Charge, a: Pair) -> Pair:
    value, error = _side(c, a)
    return value, torch.where(a[1] == 0, 0.0, error)


def _side(c: Charge, a: Pair) -> Pair:
    value = a[0].sign()
    return value, torch.where(a[0].abs() <= a[1], (1 + value.abs()).masked_fill(a[1].isinf(), INF), 0.0)


def _compare(function: Callable[[Tensor, Tensor], Tensor], ties: bool = True) -> Callable[..., Pair]:
    def rule(c: Charge, a: Pair, b: Pair) -> Pair:
        room = a[1] + b[1]
        apart = (a[0] - b[0]).abs() > room  # false for NaN: what is not known to be apart is undecided
        return function(a[0], b[0]), ~(apart | ((room == 0) & ties))

    return rule


def _select(c: Charge, condition: Pair, a: Pair, b: Pair) -> Pair:
    chosen, undecided = condition
    error = torch.where(chosen, a[1], b[1])
    either = torch.maximum(a[1], b[1]) + (a[0] - b[0]).abs()
    return torch.where(chosen, a[0], b[0]), torch.where(undecided, either, error)


RULES: dict[str, Callable[..., Pair]] = {
    "add": _add,
    "sum": _sum,
    "mul": _mul,
    "div": _div,
    "neg": lambda c, a: (-a[0], a[1]),
    "pow": _pow,
    "exp": _exp,
    "log": _log,
    "log1p": _log1p,
    "expm1": _expm1,
    "tanh": _tanh,
    "sin": _wave(torch.sin),
    "cos": _wave(torch.cos),
    "abs": lambda c, a: (a[0].abs(), a[1]),
    "sign": _sign,
    "side": _side,
    "erf": _erf,
    "max": lambda c, a, b: (torch.maximum(a[0], b[0]), torch.maximum(a[1], b[1])),
    "min": lambda c, a, b: (torch.minimum(a[0], b[0]), torch.maximum(a[1], b[1])),
    "lt": _compare(torch.lt),
    "le": _compare(torch.le),
    "eq": _compare(torch.eq),
    "below": _compare(torch.lt, ties=False),
    "select": _select,
}
