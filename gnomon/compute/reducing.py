"""The operations over all terms of a range: extremes, where they are, and the logarithm of a sum of powers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from flint import arb
from torch import Tensor

from gnomon.compute.charge import INF, Charge, Pair
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.operation import Operation
from gnomon.proof.reductions import ArgMax, ArgMin, Largest, LogSumExp, Smallest

Function = Callable[..., Tensor]
Along = Callable[..., Pair]
"""A rule for terms along a last axis: from a charge, their values and their errors."""


def _together(*terms: Tensor) -> Tensor:
    found: Sequence[Tensor] = torch.broadcast_tensors(*terms)  # type: ignore[no-untyped-call]
    return torch.stack(tuple(found), -1)


def _greatest(values: Tensor, errors: Tensor) -> Tensor:
    """Which terms may be the greatest: those not surely below another. A NaN leaves every term its chance."""
    least = (values - errors).amax(-1, keepdim=True)
    return ~(values + errors < least)


def _largest(c: Charge, values: Tensor, errors: Tensor) -> Pair:
    """Off by no more than a term that may be the greatest: choosing costs nothing."""
    return values.amax(-1), errors.masked_fill(~_greatest(values, errors), 0.0).amax(-1)


def _place(c: Charge, values: Tensor, errors: Tensor, value: int) -> Pair:
    """The first of the greatest terms; undecided where errors blur which of several it is."""
    open_ = _greatest(values, errors)
    blurred = (open_.sum(-1) > 1) & (errors.masked_fill(~open_, 0.0) != 0).any(-1)
    return values.argmax(-1).to(values.dtype) + value, torch.where(blurred | values.isnan().any(-1), INF, 0.0)


def _smallest(c: Charge, values: Tensor, errors: Tensor) -> Pair:
    value, error = _largest(c, -values, errors)
    return -value, error


def _logsumexp(c: Charge, values: Tensor, errors: Tensor) -> Pair:
    """Right for the sum of powers as it stands, where that does not overflow, and for one shifted by any maximum.

    Each difference to the maximum is rounded, each power and the logarithm costs two units, each addition one, and so
    does what is added at the end. Powers that underflow are nothing beside the greatest, which is 1.
    """
    count = values.shape[-1]
    value = values.logsumexp(-1)
    weights = (values - value.unsqueeze(-1)).exp()
    spread = torch.where(weights == 0, 0.0, weights * (values - values.amax(-1, keepdim=True)).abs()).sum(-1)
    rise = torch.where(errors < 1, weights * errors.expm1(), (values + errors - value.unsqueeze(-1)).exp())
    inherited = torch.where(errors == 0, 0.0, rise).sum(-1).log1p()
    logarithm = (value - values.amax(-1)).abs()
    once = spread + 2 * logarithm + 2 * value.abs()
    rounding = (once + 1) * c.u + count * ((c.u if c.added is None else c.added) + c.tiny)
    nothing = (values == -INF).all(-1) & (errors == 0).all(-1)
    return value, torch.where(nothing, 0.0, inherited + rounding)


def _logsumexp_ball(*terms: Any) -> Any:
    most = functools.reduce(lambda x, y: x.max(y), terms)
    if most == arb("-inf"):
        return most
    return most + sum(((term - most).exp() for term in terms), arb(0)).log()


def _place_ball(*given: Any, way: int = 1) -> Any:
    """The first of the greatest terms."""
    *terms, first = [way * term for term in given[:-1]] + [given[-1]]
    best = 0
    for place, term in enumerate(terms[1:], 1):
        if term > terms[best]:
            best = place
        elif not term <= terms[best]:
            raise UndecidedBranch(f"{term} > {terms[best]}")
    return arb(first + best)


def _one_hot(p: Any, terms: tuple[int, ...], op: str) -> list[int]:
    """For each term 1 where it is above all others (below them, for "min"), 0 where it is not: a tie is a kink."""
    before = [terms[0]]
    after = [terms[-1]]
    for term, last in zip(terms[1:], terms[-2::-1], strict=True):
        before.append(p.binary(op, before[-1], term))
        after.append(p.binary(op, after[-1], last))
    after.reverse()
    ends = len(terms) - 1
    others = [
        after[1] if n == 0 else before[-2] if n == ends else p.binary(op, before[n - 1], after[n + 1])
        for n in range(len(terms))
    ]
    pairs = [(other, term) if op == "max" else (term, other) for other, term in zip(others, terms, strict=True)]
    return [p.select(p.binary("below", *pair), p.constant(1), p.constant(0)) for pair in pairs]


def _over_last(function: Function) -> Function:
    return lambda *terms: function(_together(*terms), -1)


def _index(function: Function) -> Function:
    return lambda terms, value: function(terms, -1).to(terms.dtype) + value


def _of_terms(function: Function) -> Function:
    """A function of terms along a last axis, and of what it needs besides, for terms that are tensors of their own."""
    return lambda *terms: function(_together(*terms[:-1]), terms[-1])


def _bound(rule: Along) -> Callable[..., Pair]:
    """A rule for terms along a last axis, for terms that are pairs of their own."""

    def bound(c: Charge, *terms: Pair, **more: Any) -> Pair:
        return rule(c, _together(*[term[0] for term in terms]), _together(*[term[1] for term in terms]), **more)

    return bound


def _fold(function: Function) -> Function:
    return lambda *terms: functools.reduce(function, terms)


def _reducing(name: str, function: Function, rule: Along, **more: Any) -> Operation:
    """A record of a function of all terms, which has no order and takes nothing besides."""
    over = lambda terms: function(terms, -1)  # noqa: E731
    return Operation(name, _over_last(function), bound=_bound(rule), along=over, along_bound=rule, reduces=True, **more)


def _placing(name: str, function: Function, rule: Along, **more: Any) -> Operation:
    """A record of where one of the terms is."""
    along = _index(function)
    return Operation(
        name, _of_terms(along), bound=_bound(rule), slopes=lambda p, n, a: [p.constant(0)] * len(a), along=along,
        along_bound=rule, reduces=True, needs="value", **more,
    )  # fmt: skip


REDUCING = (
    _reducing(
        "largest", torch.amax, _largest, arb=_fold(lambda x, y: x.max(y)), slopes=lambda p, n, a: _one_hot(p, a, "max"),
        sympy=Largest,
    ),
    _reducing(
        "smallest", torch.amin, _smallest, arb=_fold(lambda x, y: x.min(y)),
        slopes=lambda p, n, a: _one_hot(p, a, "min"), sympy=Smallest,
    ),
    _reducing(
        "logsumexp", torch.logsumexp, _logsumexp, arb=_logsumexp_ball,
        slopes=lambda p, n, a: [p.unary("exp", p.sub(term, n)) for term in a], sympy=LogSumExp, grows=True,
    ),
    _placing("argmax", torch.argmax, _place, arb=_place_ball, sympy=ArgMax),
    _placing(
        "argmin", torch.argmin, lambda c, values, errors, value: _place(c, -values, errors, value),
        arb=lambda *terms: _place_ball(*terms, way=-1), sympy=ArgMin,
    ),
)  # fmt: skip
